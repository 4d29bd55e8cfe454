// What every page has: theme, menus, dialogs, toasts, keys. All of it works without.
const root = document.documentElement;
const secure = location.protocol === "https:" ? "; secure" : "";

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-theme-form]");
  if (!form || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  root.dataset.theme = theme;
  for (const button of document.querySelectorAll("form[data-theme-form] button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
});

function closeMenus(but) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(but)) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    dialog.showModal();
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  if (event.target.closest("[data-dismiss]")) event.target.closest("toast-message")?.remove();
});

// A toast that offers nothing leaves by itself; one with an undo or a warning stays.
customElements.define("toast-message", class extends HTMLElement {
  connectedCallback() {
    if (this.matches(".red, .amber") || this.querySelector("form")) return;
    const later = () => { this.timer = setTimeout(() => this.remove(), 8000); };
    this.addEventListener("pointerenter", () => clearTimeout(this.timer));
    this.addEventListener("focusin", () => clearTimeout(this.timer));
    this.addEventListener("pointerleave", later);
    later();
  }
});

// Keys: "/" to search, "?" for help. Single keys can be switched off (WCAG 2.1.4).
const keysOff = () => localStorage.getItem("keys") === "off";
const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const open = document.querySelector("details.menu[open]");
    closeMenus(null);
    open?.querySelector("summary").focus();
  }
  if (keysOff() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const search = document.querySelector("[data-search]");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
  if (event.key === "?") document.getElementById("keys")?.showModal();
});

for (const box of document.querySelectorAll("input[data-keys]")) {
  box.checked = !keysOff();
  box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
}

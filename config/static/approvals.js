// Pages of approvals: what is left counts on, the list keeps itself up to date, keys.
// All of it works without.
const SECOND = 1000;
const REFRESH = 5 * SECOND;

function spell(milliseconds) {
  const seconds = Math.floor(Math.max(milliseconds, 0) / SECOND);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  if (hours) return `${hours} h ${two(minutes % 60)} min`;
  return minutes ? `${minutes} min ${two(seconds % 60)} s` : `${seconds} s`;
}

// <count-down data-now="server's time"><time datetime>: by the server's clock, not ours.
customElements.define("count-down", class extends HTMLElement {
  static observedAttributes = ["data-now"];
  connectedCallback() {
    const time = this.querySelector("time");
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    this.timer = setInterval(() => this.tick(), SECOND);
  }
  disconnectedCallback() {
    clearInterval(this.timer);
  }
  attributeChangedCallback() {
    this.from = Date.parse(this.dataset.now);
    this.began = performance.now();
  }
  tick() {
    const time = this.querySelector("time");
    const left = Date.parse(time.dateTime) - this.from - (performance.now() - this.began);
    time.textContent = left > 0 ? spell(left) : "over";
  }
});

// Not while somebody reads a menu or writes: nothing moves under their hands.
function busy(list) {
  const writing = document.activeElement?.closest("input, textarea, select");
  return document.hidden || list.contains(writing) || list.querySelector("details[open]");
}

setInterval(() => {
  const list = document.querySelector("[data-live][hx-get]");
  if (list && !busy(list)) list.dispatchEvent(new CustomEvent("refresh"));
}, REFRESH);

// The count of the frame follows that of the list.
document.addEventListener("htmx:after:swap", () => {
  const tab = document.querySelector("#inbox .tabs a .muted");
  for (const count of document.querySelectorAll("[data-waiting]")) {
    count.textContent = tab ? tab.textContent.trim() : "";
    count.hidden = !tab;
  }
});

const rows = () => [...document.querySelectorAll("[data-rows] [data-row]")];
const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const all = rows();
  if (!step || !all.length || localStorage.getItem("keys") === "off") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.target.closest("input, textarea, select, details, dialog")) return;
  const at = all.indexOf(document.activeElement);
  // Arrows scroll the page, unless a row has been gone to.
  if (event.key.startsWith("Arrow") && at < 0) return;
  event.preventDefault();
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
  all[Math.min(Math.max(next, 0), all.length - 1)].focus();
});

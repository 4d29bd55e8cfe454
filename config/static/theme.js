// In the head, before anything is drawn: public pages are the same for everybody, so
// the browser itself reads which theme was chosen. Without scripts the system decides.
const chosen = /(?:^|; )theme=(light|dark|auto)/.exec(document.cookie)?.[1] ?? "auto";
document.documentElement.dataset.theme = chosen;
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("form[data-theme-form] button")) {
    button.setAttribute("aria-pressed", String(button.value === chosen));
  }
});

// <copy-button data-text="..."><button>: without data-text it copies the block around it.
customElements.define("copy-button", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", () => this.copy());
  }
  async copy() {
    const text = this.dataset.text || this.closest(".code").querySelector("pre").textContent;
    await navigator.clipboard.writeText(text);
    this.say("Copied");
  }
  say(word) {
    const use = this.querySelector("use");
    const sprite = use.getAttribute("href").split("#")[0];
    use.setAttribute("href", `${sprite}#check`);
    document.getElementById("announcer").textContent = word;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      use.setAttribute("href", `${sprite}#copy`);
      document.getElementById("announcer").textContent = "";
    }, 2000);
  }
});

// <exact-time><time datetime title>: the exact time in the reader's own zone.
customElements.define("exact-time", class extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    const at = time && new Date(time.dateTime);
    if (at && !isNaN(at)) {
      time.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    }
  }
});

// <zone-choice> around a select of time zones: proposes the browser's own.
customElements.define("zone-choice", class extends HTMLElement {
  connectedCallback() {
    const select = this.querySelector("select");
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (select && !this.hasAttribute("kept") && [...select.options].some((o) => o.value === zone)) {
      select.value = zone;
    }
  }
});

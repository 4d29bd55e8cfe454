// The editor of policy documents: CodeMirror over the plain textarea, which it leaves in
// place for the form. Checking, the tools' table and changes to the text are the server's.
import {
  Decoration, EditorState, EditorView, HighlightStyle, bracketMatching, closeBrackets,
  closeBracketsKeymap, Compartment, defaultKeymap, drawSelection, foldGutter, foldKeymap,
  highlightActiveLine, highlightActiveLineGutter, highlightSelectionMatches,
  highlightSpecialChars, history, historyKeymap, indentOnInput, indentUnit, json, keymap,
  lineNumbers, lintGutter, lintKeymap, search, searchKeymap, setDiagnostics,
  syntaxHighlighting, tags,
} from "./vendor/codemirror.js";

const PAUSE = 400;

// Styles go into the shadow root as a constructed sheet: the page allows no inline ones.
const theme = EditorView.theme({
  "&": { backgroundColor: "transparent", color: "var(--text)", fontSize: "13px", height: "max(420px, calc(100dvh - 420px))" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-pointed": { backgroundColor: "var(--accent-soft)" },
  ".cm-panels": { backgroundColor: "var(--surface)", color: "var(--text)" },
  ".cm-panels input, .cm-panels button": { color: "inherit", backgroundImage: "none", backgroundColor: "var(--background)", border: "1px solid var(--line-strong)", borderRadius: "4px" },
  ".cm-tooltip": { backgroundColor: "var(--background)", color: "var(--text)", border: "1px solid var(--line-strong)" },
  ".cm-matchingBracket": { backgroundColor: "var(--pressed) !important" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--hover)", border: "none", color: "var(--muted)" },
});
const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--green)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--violet)" },
]);
const pointed = new Compartment();

customElements.define("policy-editor", class extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector("textarea");
    this.form = this.area.form;
    this.readOnly = this.area.readOnly;
    this.saved = this.hasAttribute("data-unsaved") ? null : this.area.value;
    this.view = this.makeView();
    this.area.hidden = true;
    this.listen();
    this.mark();
    this.point();
    this.catchUp();
  }

  // What was chosen in the table while this script was still loading.
  catchUp() {
    const fields = [...this.form.querySelectorAll(".gets select, .gets input")];
    const given = (field) => field.options
      ? ([...field.options].find((option) => option.defaultSelected) ?? field.options[0]).value
      : field.defaultValue;
    if (!this.readOnly && fields.some((field) => field.value !== given(field))) {
      this.ask(this.form.dataset.choose);
    }
  }

  makeView() {
    const host = document.createElement("div");
    host.className = "editor-host";
    this.append(host);
    const root = host.attachShadow({ mode: "open" });
    const state = EditorState.create({ doc: this.area.value, extensions: this.extensions() });
    return new EditorView({ state, parent: root, root });
  }

  extensions() {
    return [
      lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(),
      foldGutter(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
      highlightActiveLine(), highlightSelectionMatches(), search({ top: true }), lintGutter(),
      json(), syntaxHighlighting(colours), theme, indentUnit.of("  "), pointed.of([]),
      EditorState.tabSize.of(2), EditorState.readOnly.of(this.readOnly),
      EditorView.editable.of(!this.readOnly),
      EditorView.contentAttributes.of({ "aria-label": "Policy document", tabindex: "0" }),
      keymap.of([
        { key: "Mod-s", run: () => { if (!this.readOnly) this.form.requestSubmit(); return true; } },
        ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap,
        ...foldKeymap, ...lintKeymap,
      ]),
      EditorView.updateListener.of((update) => { if (update.docChanged) this.changed(); }),
    ];
  }

  listen() {
    this.form.addEventListener("click", (event) => this.follow(event));
    if (this.readOnly) return;
    this.form.addEventListener("formdata", (event) => event.formData.set("text", this.text));
    this.form.addEventListener("submit", () => { this.leaving = true; });
    window.addEventListener("beforeunload", (event) => {
      if (!this.leaving && this.text !== this.saved) event.preventDefault();
    });
    document.getElementById("text-label")?.addEventListener("click", () => this.view.focus());
    this.form.addEventListener("change", (event) => {
      if (event.target.closest(".gets")) this.ask(this.form.dataset.choose);
    });
    this.form.addEventListener("input", (event) => { if (event.target.id === "find") this.later(); });
    this.form.addEventListener("keydown", (event) => {
      // Enter in a field of the table would save the draft.
      if (event.key !== "Enter" || !event.target.closest("input")) return;
      event.preventDefault();
      event.target.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  get text() { return this.view.state.doc.toString(); }

  changed() {
    if (!this.replacing) this.later();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(this.form.dataset.check), PAUSE);
  }

  async ask(url) {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = new AbortController();
    const sent = this.text;
    this.form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, {
        method: "POST", body: new FormData(this.form), signal: this.asking.signal,
        headers: { "HX-Request": "true" },
      });
      if (!answer.ok || answer.redirected) throw new Error(`HTTP ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      this.show(page.getElementById("policy-sides"), sent);
    } catch (error) {
      if (error.name !== "AbortError") this.failed();
      else return;
    }
    this.form.removeAttribute("aria-busy");
  }

  show(fresh, sent) {
    const shown = document.getElementById("policy-sides");
    const focused = shown.contains(document.activeElement) && document.activeElement.id;
    const caret = focused === "find" && document.activeElement.selectionStart;
    const scrolled = shown.querySelector(".tools-scroll")?.scrollTop;
    const opened = shown.querySelector(".changes")?.open;
    shown.replaceWith(document.adoptNode(fresh));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (caret !== false) document.getElementById("find")?.setSelectionRange(caret, caret);
    const list = fresh.querySelector(".tools-scroll");
    if (list && scrolled) list.scrollTop = scrolled;
    const changes = fresh.querySelector(".changes");
    if (changes && opened) changes.open = true;
    const text = fresh.querySelector("[data-text]");
    // What was typed meanwhile wins; the next check shows what it says.
    if (text && this.text === sent) this.replace(text.value);
    else if (this.text !== sent) this.later();
    this.mark();
  }

  failed() {
    const said = document.querySelector("#policy-sides .policy-said");
    if (!said.querySelector(".unchecked")) {
      const line = document.createElement("p");
      line.className = "error unchecked";
      line.setAttribute("role", "alert");
      line.textContent = "The text could not be checked: no answer, or you are signed out. It is tried again; nothing you wrote is lost.";
      said.prepend(line);
    }
    this.timer = setTimeout(() => this.ask(this.form.dataset.check), 10 * PAUSE);
  }

  // Only what differs, so that the cursor stays and one undo takes it back.
  replace(text) {
    const now = this.text;
    let start = 0;
    while (start < now.length && now[start] === text[start]) start += 1;
    let end = 0;
    const room = Math.min(now.length, text.length) - start;
    while (end < room && now[now.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    if (now === text) return;
    this.replacing = true;
    this.view.dispatch({
      changes: { from: start, to: now.length - end, insert: text.slice(start, text.length - end) },
      effects: EditorView.scrollIntoView(start, { y: "center" }),
    });
    this.replacing = false;
  }

  mark() {
    const found = document.querySelectorAll("#policy-sides .problems [data-line]");
    const marks = [...found].map((item) => {
      const from = this.offset(Number(item.dataset.line), Number(item.dataset.column));
      const line = this.view.state.doc.lineAt(from);
      const severity = item.dataset.severity;
      return { from, to: Math.max(from, line.to), severity, message: item.dataset.message };
    });
    this.view.dispatch(setDiagnostics(this.view.state, marks));
  }

  // Columns count code points, the editor counts UTF-16 units.
  offset(number, column) {
    const { doc } = this.view.state;
    const line = doc.line(Math.min(Math.max(number, 1), doc.lines));
    const before = [...line.text].slice(0, column - 1).join("");
    return Math.min(line.from + before.length, line.to);
  }

  follow(event) {
    const link = event.target.closest('a[href="#text"]');
    if (!link) return;
    event.preventDefault();
    const place = link.closest("[data-line]");
    const line = Number(link.dataset.goto || place?.dataset.line || 1);
    this.go(this.offset(line, Number(place?.dataset.column || 1)));
  }

  go(at) {
    this.view.dispatch({
      selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }),
    });
    this.view.focus();
  }

  point() {
    const { from, to } = this.form.dataset;
    if (!from) return;
    const lines = [];
    for (let number = Number(from); number <= Number(to); number += 1) {
      lines.push(Decoration.line({ class: "cm-pointed" }).range(this.offset(number, 1)));
    }
    const marks = EditorView.decorations.of(Decoration.set(lines));
    this.view.dispatch({ effects: pointed.reconfigure(marks) });
    const at = this.offset(Number(from), 1);
    this.view.dispatch({ effects: EditorView.scrollIntoView(at, { y: "center" }) });
  }
});

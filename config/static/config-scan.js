// Strikes out of a pasted configuration whatever may be a secret, before anything is
// sent, and shows what is left. The server does the same again (catalog/config_scan),
// by the same tables, which stand in the page; a test gives both the same lines.
let t = null;

export function use(tables) {
  t = tables;
}

const whole = (pattern, text) => new RegExp(`^(?:${pattern})$`).test(text);

export function looksKey(text) {
  if (t.shapes.some(([pattern, flags]) => new RegExp(pattern, flags).test(text))) return true;
  if (/[3-6](?:[ -]?\d){14,15}/.test(text) || /[A-Z]{2}\d{2}[A-Z0-9]{11,30}/.test(text)) return true;
  const runs = text.match(/[A-Za-z0-9]{12,}/g) ?? [];
  if (runs.some((run) => run.match(/\d+/g)?.length >= 3)) return true;
  return (text.match(/[A-Za-z0-9+/_=-]{16,}/g) ?? []).some(looksRandom);
}

function looksRandom(word) {
  const plain = word.replace(/[-_=+/]/g, "");
  if (plain.length < 16 || /^\d+$/.test(plain)) return false;
  const counts = {};
  for (const char of plain) counts[char] = (counts[char] ?? 0) + 1;
  const shares = Object.values(counts).map((n) => n / plain.length);
  if (-shares.reduce((sum, p) => sum + p * Math.log2(p), 0) < 3) return false;
  if (plain.length >= 32 && /^[0-9a-f]+$/i.test(plain) && /\d/.test(plain)) return true;
  const named = (plain.match(/[A-Z]?[a-z]{3,}|[A-Z]{4,}|\d{4,}/g) ?? []).join("").length;
  let changes = 0;
  for (let i = 1; i < plain.length; i++) changes += /\d/.test(plain[i]) !== /\d/.test(plain[i - 1]);
  return named / plain.length < 0.75 || changes / (plain.length - 1) >= 0.28;
}

function program(command) {
  const name = command.replaceAll("\\", "/").split("/").at(-1).replace(/\.(exe|cmd|bat|ps1)$/i, "");
  return name.toLowerCase() in t.launchers && name === name.toUpperCase() ? name.toLowerCase() : name;
}

function unwrapped(words) {
  let [name, rest] = [program(words[0] ?? ""), words.slice(1)];
  while (t.wrappers.includes(name.toLowerCase())) {
    const at = rest.findIndex((word) => !/^[/-]/.test(word) && !word.includes("="));
    if (at < 0) break;
    [name, rest] = [program(rest[at]), rest.slice(at + 1)];
  }
  return [name, rest];
}

// [name, kind, [[role, text], ...]]: which word of a command line is what.
export function walk(command, args) {
  const path = /[/\\]/.test(command);
  const [name, rest] = unwrapped([...(path ? [command] : command.split(/\s+/).filter(Boolean)), ...args]);
  const launcher = Object.hasOwn(t.launchers, name) ? t.launchers[name] : null;
  if (!launcher) {
    return [name, "program", rest.map((arg) => [arg.startsWith("-") ? "flag" : "rest", arg])];
  }
  let [kind, role, found] = [launcher.kind, "", false];
  const words = [];
  const add = (said, text) => {
    words.push([said, text]);
    found ||= said === "target";
  };
  for (const arg of rest) {
    if (role) {
      add(role, arg);
      role = "";
    } else if (arg.startsWith("-")) {
      const cut = arg.indexOf("=");
      const flag = cut < 0 ? arg : arg.slice(0, cut);
      const after = found ? "" : launcher.names.includes(flag) ? "target" : launcher.takes.includes(flag) ? "value" : "";
      if (after === "target" && ["-m", "--module"].includes(flag)) kind = "module";
      add("flag", flag);
      if (cut >= 0) add(after || "value", arg.slice(cut + 1));
      else role = after;
    } else if (!found && launcher.words.includes(arg)) {
      add("word", arg);
    } else {
      add(found ? "rest" : "target", arg);
    }
  }
  return [name, kind, words];
}

const bareName = (spec) => spec.split(/(?<!^)@|==|>=|~=|\[/)[0];

function stripTarget(text, kind) {
  if (kind === "script") {
    const plain = text.replaceAll("\\", "/");
    const at = plain.lastIndexOf("node_modules/");
    text = at < 0 ? program(plain) : plain.slice(at);
  }
  if (!whole(kind === "module" ? t.module : t.specs[kind], text)) return t.mask;
  const shown = text.split("@sha256:")[0];
  return shown.split(/[/@:[\]=]/).some(looksKey) ? t.mask : shown;
}

export function stripUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return t.mask;
  }
  if (!/^https?:$/.test(url.protocol) || !url.hostname) return t.mask;
  const part = (spec) => (word) => (word === "" || (whole(spec, word) && !looksKey(word)) ? word : t.mask);
  const host = url.hostname.split(".").map(part(t.host)).join(".");
  const path = url.pathname === "/" && !/[^/]\/$/.test(text) ? "" : url.pathname;
  return `${url.protocol}//${host}${url.port && `:${url.port}`}${path.split("/").slice(0, 20).map(part(t.segment)).join("/")}`;
}

function stripWord([role, text], kind, bridge) {
  if (role === "word") return text;
  if (role === "flag") return whole(t.flag, text.split("=")[0]) && !looksKey(text) ? text.split("=")[0] : `--${t.mask}`;
  if (role === "target") return stripTarget(text, kind);
  return bridge && /^https?:\/\//.test(text) ? stripUrl(text) : t.mask;
}

export function strip(entry) {
  let { command, args } = entry;
  if (Array.isArray(command)) [command, args] = [command[0], command.slice(1)];
  else if (command && typeof command === "object") ({ path: command, args } = command);
  const off = entry.disabled === true || entry.enabled === false ? { disabled: true } : {};
  if (typeof command === "string" && command.trim()) {
    const given = (Array.isArray(args) ? args : []).filter((arg) => typeof arg === "string" || typeof arg === "number");
    const [name, kind, words] = walk(command.trim(), given.slice(0, t.most.args).map(String));
    const target = words.find(([role]) => role === "target")?.[1] ?? "";
    const bridge = t.bridges.includes(bareName(target)) || t.bridges.includes(name);
    const shown = whole(t.command, name) && !looksKey(name) ? name : t.mask;
    return { command: shown, args: words.map((word) => stripWord(word, kind, bridge)), ...off };
  }
  const url = t.urls.map((key) => entry[key]).find((value) => typeof value === "string");
  return { ...(url ? { url: stripUrl(url) } : {}), ...off };
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isServer = (value) => isObject(value) && ["command", ...t.urls].some((key) => key in value);

function* at(data, place) {
  if (!isObject(data)) return;
  if (place.length) {
    for (const step of place[0] === "*" ? Object.keys(data) : [place[0]]) yield* at(data[step], place.slice(1));
  } else {
    for (const [name, entry] of Object.entries(data)) if (isServer(entry)) yield [name, entry];
  }
}

function entries(data) {
  const found = t.places.flatMap((place) => [...at(data, place)]);
  if (!found.length && isServer(data)) return [["server", data]];
  return found.length ? found : [...at(data, [])];
}

const TOKENS = /"(?:[^"\\\n]|\\[^\n])*"?|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|,(?=\s*[}\]])/g;
const blank = (text) => text.replace(TOKENS, (token) => (token.startsWith('"') ? token : token.replace(/[^\n]/g, " ")));

// Of TOML as much as Codex's servers need; what is not understood is left out.
function toml(text) {
  const [servers, lines] = [Object.create(null), text.split(/\r?\n/)];
  let server = null;
  for (let i = 0; i < lines.length; i++) {
    const header = /^\s*\[\s*mcp_servers\s*\.\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*\]/.exec(lines[i]);
    if (/^\s*\[/.test(lines[i])) server = header ? (servers[header[1] ?? header[2] ?? header[3]] ??= {}) : null;
    const pair = /^\s*(command|args|url|enabled)\s*=\s*(.*)$/.exec(lines[i]);
    if (!server || !pair) continue;
    let value = pair[2];
    while (pair[1] === "args" && !/\]\s*(?:#.*)?$/.test(value) && i + 1 < lines.length) value += `\n${lines[++i]}`;
    const found = [...value.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|#.*/g)];
    const texts = found.map((each) => each[1] ?? each[2]).filter((each) => each !== undefined);
    server[pair[1]] = pair[1] === "args" ? texts : pair[1] === "enabled" ? value.trim() !== "false" : texts[0] ?? "";
  }
  return { mcpServers: servers };
}

// What is sent of a text: JSON of its servers. Throws an Error with a sentence.
export function stripped(text) {
  if (new TextEncoder().encode(text).length > t.most.bytes) throw Error("This is larger than 64 KiB.");
  const plain = blank(text);
  let data;
  if (plain.trimStart().startsWith("{")) {
    try {
      data = JSON.parse(blank(plain));
    } catch (error) {
      throw Error(`This is no JSON yet: ${error.message}`);
    }
  } else {
    data = toml(text);
  }
  const servers = Object.create(null);
  for (const [name, entry] of entries(data)) {
    const first = looksKey(name) ? t.mask : name.slice(0, t.most.name);
    let free = first;
    for (let number = 2; Object.hasOwn(servers, free); number++) free = `${first} ${number}`;
    servers[free] = strip(entry);
  }
  if (!Object.keys(servers).length) throw Error("No servers found in it yet.");
  return JSON.stringify({ mcpServers: servers }, null, 2);
}

class ConfigScan extends HTMLElement {
  connectedCallback() {
    use(JSON.parse(document.getElementById("scan-tables").textContent));
    this.text = this.querySelector("textarea");
    this.sent = Object.assign(document.createElement("input"), { type: "hidden", name: "config" });
    this.text.after(this.sent);
    this.shown = this.querySelector("[data-sent]");
    this.problem = this.querySelector("[data-problem]");
    this.text.addEventListener("input", () => this.look());
    this.text.form.addEventListener("submit", (event) => {
      if (!this.look()) {
        event.preventDefault();
        this.text.focus();
      }
    });
    if (this.text.value) this.look();
  }
  look() {
    let [value, problem] = ["", ""];
    try {
      value = stripped(this.text.value);
    } catch (error) {
      problem = this.text.value.trim() ? error.message : "Paste a configuration first.";
    }
    this.sent.value = value;
    this.shown.textContent = value;
    this.shown.closest("section").hidden = !value;
    this.problem.textContent = problem;
    this.text.setAttribute("aria-invalid", String(Boolean(problem)));
    return Boolean(value);
  }
}
customElements.define("config-scan", ConfigScan);

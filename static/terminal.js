// Terminals of a container: xterm.js on the page, a shell in the container, and between them a socket that may drop.
// A module of its own, loaded on these pages only.

const $ = (selector, root = document) => root.querySelector(selector), $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (name, props = {}, ...children) => { const it = document.createElement(name); Object.assign(it, props); it.append(...children); return it; };
const part = (name) => import($(`link[data-part=${name}]`).href);

// ---- The content security policy is the same here as everywhere: no style that is not a file of ours. xterm.js makes
// style elements and sets style attributes; both become what a script may do, which is rules in a sheet of its own.

const create = document.createElement.bind(document);
document.createElement = (name, ...rest) => {
  if (String(name).toLowerCase() !== "style") return create(name, ...rest);
  const stand = create("i"), sheet = new CSSStyleSheet();
  let text = "";
  stand.hidden = true;
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(stand, "textContent", { get: () => text, set: (to) => { text = to; sheet.replaceSync(to); } });
  stand.remove = () => { document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet); Element.prototype.remove.call(stand); };
  return stand;
};
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else setAttribute.call(this, name, value);
};

// ---- The page.

const LINGER = 60_000, SILENCE = 25_000, ACK = 32 << 10, PIECE = 16 << 10, AHEAD = 128 << 10;
const form = $("#open"), section = $("#terminals"), list = $("[role=tablist]", section), panes = $("[data-panes]", section), wrong = $("[data-wrong]", form);
const begin = $("[data-begin]", form), isAttach = "attach" in form.dataset;
const root = document.body.dataset.root.replace(/\/$/, "");
const encoder = new TextEncoder();
const [{ Terminal }, { FitAddon }, { SearchAddon }, { WebLinksAddon }] = await Promise.all(["xterm", "fit", "search", "links"].map(part));
const tabs = new Set();
let current, serial = 0, blocked = "blocked" in form.dataset;

begin.hidden = false;
for (const plain of $$("[data-plain]")) plain.hidden = true;

// The command above follows the form.
let timer, latest = 0;
const shown = $(".cmd [data-command]");
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (isAttach) {
      const writes = $("[data-writes]", form).checked;
      shown.textContent = shown.textContent.replace(/^docker attach( --no-stdin --sig-proxy=false)?/, `docker attach${writes ? "" : " --no-stdin --sig-proxy=false"}`);
      return;
    }
    const mine = ++latest, answer = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer || mine !== latest) return;
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) shown.textContent = said.command;
    complain(answer.ok ? "" : `${said.why ?? ""}`);
  }, 120);
});
const complain = (text) => { wrong.textContent = text; wrong.hidden = !text; };

form.addEventListener("submit", (event) => {
  event.preventDefault();
  open(new URLSearchParams(new FormData(form)));
});

async function open(fields) {
  complain("");
  begin.disabled = true;
  section.hidden = false;
  const [columns, rows] = measure();
  fields.set("columns", columns);
  fields.set("rows", rows);
  const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "application/json" } }).catch(() => null);
  begin.disabled = blocked;
  if (answer?.status === 401) return location.reload();
  const said = await answer?.json().catch(() => null);
  if (answer?.status === 201 && said) return new Tab(said, fields);
  section.hidden = tabs.size === 0;
  complain(said ? `${said.error} ${said.why}` : "The console cannot be reached. Is the line up? Try again.");
}

/** How many columns and rows fit, before there is a terminal. */
function measure() {
  if (current?.term) return [current.term.cols, current.term.rows];
  const probe = make("span", { textContent: "0".repeat(100), className: "probe" });
  panes.append(probe);
  const { width, height } = probe.getBoundingClientRect();
  probe.remove();
  return [Math.max(20, Math.floor((panes.clientWidth - 26) / (width / 100 || 8))), Math.max(5, Math.floor(420 / (height || 17)))];
}

const PALETTES = {
  light: { black: "#16222c", red: "#b3261e", green: "#1a7341", yellow: "#855600", blue: "#1d5bb5", magenta: "#8a3d9c", cyan: "#0b6477", white: "#5c6b75", brightBlack: "#586974", brightRed: "#c4372e", brightGreen: "#217f4a", brightYellow: "#946100", brightBlue: "#2a6cc9", brightMagenta: "#9a4bac", brightCyan: "#127388", brightWhite: "#16222c" },
  dark: { black: "#0b1217", red: "#ff8a80", green: "#5fcf8f", yellow: "#e2b04a", blue: "#7fb2ff", magenta: "#d9a3ea", cyan: "#5cc4d6", white: "#c9d6df", brightBlack: "#7c909d", brightRed: "#ffa79f", brightGreen: "#86e0ad", brightYellow: "#f0c776", brightBlue: "#a6caff", brightMagenta: "#e8c3f3", brightCyan: "#8bd9e6", brightWhite: "#f4f8fa" },
};
function theme() {
  const style = getComputedStyle(panes), back = style.backgroundColor, ink = style.color;
  const light = (back.match(/[\d.]+/g) ?? []).slice(0, 3).reduce((sum, value) => sum + Number(value), 0) > 384;
  return { background: back, foreground: ink, cursor: ink, cursorAccent: back, selectionBackground: light ? "#0b647744" : "#5cc4d655", ...PALETTES[light ? "light" : "dark"] };
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const tab of tabs) tab.term.options.theme = theme(); });

// ---- A terminal: a tab of this page.

class Tab {
  constructor(info, fields) {
    Object.assign(this, { info, fields, at: 0, unread: 0, queue: [], sent: 0, took: 0, tries: 0, over: false, heard: Date.now() });
    this.id = `terminal-${++serial}`;
    // Of those with one command, all but the first have a number.
    this.number = Math.max(0, ...[...tabs].filter((tab) => tab.info.command === info.command).map((tab) => tab.number)) + 1;
    const which = this.number > 1 ? ` (${this.number})` : "";
    this.tab = make("button", { type: "button", id: `${this.id}-tab` }, title(info.command) + which);
    this.tab.setAttribute("role", "tab");
    this.tab.setAttribute("aria-controls", this.id);
    this.tab.addEventListener("click", () => this.show());
    this.state = make("span", { className: "sub" });
    this.state.setAttribute("role", "status");
    this.again = make("button", { type: "button", className: "btn small", textContent: "Again", hidden: true });
    this.again.addEventListener("click", () => { this.drop(); open(this.fields ?? new URLSearchParams(new FormData(form))); });
    this.close = make("button", { type: "button", className: "btn small", textContent: isAttach ? "Leave" : "Close" });
    this.close.setAttribute("aria-label", `${this.close.textContent} ${info.command}${which}`);
    this.close.addEventListener("click", () => this.end());
    this.screen = make("div", { className: "screen" });
    this.pane = make("div", { id: this.id, className: "pane", hidden: true }, make("div", { className: "head" }, make("code", { textContent: info.command, className: "cut" }), which, this.state, this.again, this.close), this.screen);
    this.pane.setAttribute("role", "tabpanel");
    this.pane.setAttribute("aria-labelledby", this.tab.id);
    list.append(this.tab);
    panes.append(this.pane);
    tabs.add(this);
    this.show();
    this.draw();
    this.connect();
    form.classList.add("busy");
    section.scrollIntoView({ block: "nearest" });
  }

  draw() {
    const term = this.term = new Terminal({
      allowProposedApi: true, cursorBlink: false, convertEol: !this.info.has_tty, disableStdin: this.info.is_read_only, fontFamily: getComputedStyle(shown).fontFamily, fontSize: 13,
      minimumContrastRatio: 4.5, scrollback: 10_000, theme: theme(), screenReaderMode: $("[data-reader]", section).checked,
      // Links that a program names itself; others are found in the text, below.
      linkHandler: { activate: (_, uri) => follow(uri), allowNonHttpProtocols: false },
    });
    this.fit = new FitAddon();
    this.search = new SearchAddon();
    term.loadAddon(this.fit);
    term.loadAddon(this.search);
    term.loadAddon(new WebLinksAddon((_, uri) => follow(uri)));
    this.search.onDidChangeResults(({ resultIndex, resultCount }) => { $("[data-found]", section).textContent = resultCount ? `${resultIndex + 1} of ${resultCount}` : "not found"; });
    mute(term);
    term.open(this.screen);
    term.textarea.setAttribute("aria-label", `Terminal: ${this.info.command}`);
    term.attachCustomKeyEventHandler((event) => this.key(event));
    term.onData((text) => this.type(encoder.encode(this.info.has_tty ? ctrl(text) : this.line(text))));
    term.onBinary((text) => this.type(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    term.onResize(() => this.send({ size: [term.cols, term.rows] }));
    new ResizeObserver(() => { if (!this.pane.hidden) this.fit.fit(); }).observe(this.screen);
    this.fit.fit();
    term.focus();
  }

  /** What leaves the terminal's own keys to the page. */
  key(event) {
    if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey) return true;
    const does = { KeyC: () => this.copy(), KeyF: () => find(true), KeyX: () => this.tab.focus() }[event.code];
    if (does) { event.preventDefault(); does(); }
    return !does && event.code !== "KeyV";   // the browser pastes, and xterm.js hears of that
  }

  async copy() {
    const text = this.term.getSelection();
    if (!text) return;
    if (navigator.clipboard) return navigator.clipboard.writeText(text).catch(() => {});
    // There is no clipboard for pages over plain http in a LAN: a selection is copied, as by hand.
    const box = make("textarea", { value: text, className: "away" });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
    this.term.focus();
  }

  /** Without a terminal of its own a process gets lines, and sees no key: they are shown and gathered here. */
  line(text) {
    let out = "";
    this.typed ??= "";
    for (const letter of text.replace(/\r\n?/g, "\r")) {
      if (letter === "\r") { out += `${this.typed}\n`; this.typed = ""; this.term.write("\r\n"); }
      else if (letter === "\x7f") { if (this.typed) { this.typed = [...this.typed].slice(0, -1).join(""); this.term.write("\b \b"); } }
      else if (letter >= " ") { this.typed += letter; this.term.write(letter); }
    }
    return out;
  }

  // What is typed goes in pieces, no more of it ahead of the program than it takes.
  type(bytes) {
    if (this.over || this.info.is_read_only || !bytes.length) return;
    for (let from = 0; from < bytes.length; from += PIECE) this.queue.push(bytes.subarray(from, from + PIECE));
    this.pump();
  }
  pump() {
    while (this.queue.length && this.socket?.readyState === WebSocket.OPEN && this.ready && this.sent - this.took < AHEAD) {
      const piece = this.queue.shift();
      this.socket.send(piece);
      this.sent += piece.length;
    }
  }

  send(message) { if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message)); }

  connect() {
    const url = new URL(form.dataset.socket.startsWith(root) ? form.dataset.socket : root + form.dataset.socket, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = this.socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.ready = false;
    this.opening = Date.now();
    socket.onopen = () => {
      this.send({ token: this.info.token, at: this.at, size: [this.term.cols, this.term.rows] });
      Object.assign(this, { ready: true, sent: 0, took: 0, tries: 0, heard: Date.now() });
      this.say("");
      this.pump();
    };
    socket.onmessage = ({ data }) => {
      this.heard = Date.now();
      if (typeof data !== "string") return this.print(new Uint8Array(data));
      const said = JSON.parse(data);
      if (said.pulse) this.send({ pulse: 1 });
      if (said.took !== undefined) { this.took = said.took; this.pump(); }
      if (said.skipped) {
        this.at = said.at;
        this.term.write(`\x1b[0m\r\n\x1b[2m[… ${said.skipped.toLocaleString("en")} bytes that came faster than this page could read are left out …]\x1b[0m\r\n`);
      }
      if (said.ended !== undefined) this.finish(said.ended, said.left);
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket !== socket || this.over) return;
      if (code === 4404) return this.finish("This terminal is gone: it was closed, or nobody came back to it within a minute.");
      if (code === 4403) return this.finish("You may not use it any more: it was ended.");
      if (code === 4001) return this.finish("It is open on another page of yours now.");
      if ([1008, 1009].includes(code)) return this.finish(`The console closed the line: ${reason}.`);
      this.retry();
    };
  }

  /** The line dropped: the shell waits for a minute, counted from when it was last heard of. */
  retry() {
    const left = () => Math.ceil((this.heard + LINGER - Date.now()) / 1000);
    if (left() <= 0) return this.finish("The line dropped, and the shell did not wait longer than a minute.");
    const wait = Math.min(5000, 250 * 2 ** this.tries++) * (0.75 + Math.random() / 2), at = Date.now() + wait;
    clearInterval(this.clock);
    this.clock = setInterval(() => {
      if (this.over) return clearInterval(this.clock);
      if (Date.now() < at && left() > 0) return this.say(`The line dropped: trying again. The shell lives for ${Math.max(0, left())} s.`, true);
      clearInterval(this.clock);
      this.connect();
    }, 200);
    this.say(`The line dropped: trying again. The shell lives for ${Math.max(0, left())} s.`, true);
  }

  print(bytes) {
    this.at += bytes.length;
    const at = this.at;
    this.unread += bytes.length;
    this.term.write(bytes, () => {
      if (this.unread < ACK && this.term) return;
      this.unread = 0;
      this.send({ at });
    });
  }

  say(text, isBad = false) {
    if (this.state.textContent === text) return;
    this.state.textContent = text;
    this.state.classList.toggle("bad", isBad);
  }

  finish(text, left = false) {
    this.over = true;
    clearInterval(this.clock);
    this.socket?.close();
    this.say(left ? `${text} Something of it may still run: the container has no shell to end it with.` : text);
    this.tab.classList.add("over");
    this.again.hidden = blocked;
    glance();
    this.close.textContent = "Remove";
    this.term.options.disableStdin = true;
  }

  /** Closes it for good: with it ends all that runs in it. */
  end() {
    if (!this.over) this.socket?.close(1000);
    this.over = true;
    this.drop();
  }

  drop() {
    tabs.delete(this);
    this.term.dispose();
    this.pane.remove();
    this.tab.remove();
    const next = [...tabs].at(-1);
    if (next) next.show();
    else { current = undefined; section.hidden = true; form.classList.remove("busy"); begin.focus(); }
  }

  show() {
    current = this;
    for (const tab of tabs) {
      const is = tab === this;
      tab.pane.hidden = !is;
      tab.tab.setAttribute("aria-selected", is);
      tab.tab.tabIndex = is ? 0 : -1;
    }
    section.hidden = false;
    if (this.term) { this.fit.fit(); this.term.focus(); }
  }
}

const title = (command) => { const words = command.replace(/^docker (exec -it|attach) /, ""); return words.length > 40 ? `${words.slice(0, 39)}…` : words; };

/** Programs may ask where the cursor is and what this terminal is; nothing else is typed back that nobody typed (S027). */
function mute(term) {
  const swallow = () => true, asks = (data) => data.includes("?");
  term.parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow);
  term.parser.registerDcsHandler({ intermediates: "+", final: "q" }, swallow);
  for (const prefix of [undefined, "?"]) term.parser.registerCsiHandler({ prefix, intermediates: "$", final: "p" }, swallow);
  term.parser.registerCsiHandler({ prefix: ">", final: "q" }, swallow);
  term.parser.registerCsiHandler({ final: "t" }, swallow);
  for (const number of [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]) term.parser.registerOscHandler(number, asks);
  for (const number of [0, 1, 2, 52]) term.parser.registerOscHandler(number, swallow);
}

/** A link of a program's: only to a web page, and only when somebody has read where it leads. */
function follow(uri) {
  let url;
  try { url = new URL(uri); } catch { return; }
  if (!["http:", "https:"].includes(url.protocol)) return;
  const dialog = $("#dialog"), go = make("a", { className: "btn primary", href: url.href, target: "_blank", rel: "noopener noreferrer", textContent: "Open it" });
  go.addEventListener("click", () => dialog.close());
  const close = make("button", { className: "btn", type: "button", textContent: "Stay here" });
  close.setAttribute("data-close", "");
  dialog.replaceChildren(make("section", { className: "confirm" }, make("h2", { id: "confirm-title", textContent: "Open this page?" }), make("p", { className: "why", textContent: "A program in the container shows this link. It leads out of this console, to:" }), make("p", {}, make("code", { textContent: url.href })), make("div", { className: "acts" }, close, go)));
  dialog.showModal();
}
$("#dialog").addEventListener("close", () => current?.term.focus());

// ---- Tabs by keys, search, the screen reader's mode.

list.addEventListener("keydown", (event) => {
  const all = [...tabs], at = all.indexOf(current);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = all[(to + all.length) % all.length];
  next.show();
  next.tab.focus();
});

const finder = $("#find-in"), toggle = $("[data-find-toggle]", section), sought = $("#f-find");
function find(on) {
  finder.hidden = !on;
  toggle.setAttribute("aria-expanded", on);
  if (on) sought.focus();
  else { current?.search.clearDecorations(); current?.term.focus(); }
}
const look = (back) => {
  const decorations = { matchBackground: "#e2b04a", activeMatchBackground: "#ff8a80", matchOverviewRuler: "#e2b04a", activeMatchColorOverviewRuler: "#ff8a80" };
  if (sought.value) current?.search[back ? "findPrevious" : "findNext"](sought.value, { decorations });
  else $("[data-found]", section).textContent = "";
};
toggle.addEventListener("click", () => find(finder.hidden));
finder.addEventListener("submit", (event) => { event.preventDefault(); look(false); });
$("[data-find-back]", section).addEventListener("click", () => look(true));
sought.addEventListener("input", () => look(true));
sought.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { event.preventDefault(); find(false); }
  if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); look(true); }
});
$("[data-reader]", section).addEventListener("change", ({ target }) => { for (const tab of tabs) tab.term.options.screenReaderMode = target.checked; });

// ---- Keys that a phone has not.

let held = false;
const ctrl = (text) => {
  if (!held || text.length !== 1) return text;
  hold(false);
  return /[@-_a-z]/.test(text) ? String.fromCharCode(text.toUpperCase().charCodeAt(0) & 31) : text;
};
const hold = (on) => { held = on; $("[data-ctrl]", section).setAttribute("aria-pressed", on); };
const arrow = (letter) => current.term.modes.applicationCursorKeysMode ? `\x1bO${letter}` : `\x1b[${letter}`;
const KEYS = [["Esc", () => "\x1b"], ["Tab", () => "\t"], ["Ctrl", () => { hold(!held); return ""; }], ["↑", () => arrow("A"), "Up"], ["↓", () => arrow("B"), "Down"], ["←", () => arrow("D"), "Left"], ["→", () => arrow("C"), "Right"],
  ["|", () => "|"], ["/", () => "/"], ["-", () => "-"], ["~", () => "~"], ["Paste", () => { paste(); return ""; }], ["Copy", () => { current.copy(); return ""; }]];
for (const [label, does, name] of KEYS) {
  const key = make("button", { type: "button", className: "btn", textContent: label });
  if (name) key.setAttribute("aria-label", name);
  if (label === "Ctrl") { key.setAttribute("data-ctrl", ""); key.setAttribute("aria-pressed", "false"); }
  // The keyboard on the screen stays: the terminal keeps the focus.
  key.addEventListener("pointerdown", (event) => event.preventDefault());
  key.addEventListener("click", () => { const text = current && does(); if (text) current.type(encoder.encode(text)); current?.term.focus(); });
  $(".keys", section).append(key);
}
async function paste() {
  const text = await navigator.clipboard?.readText?.().catch(() => null);
  if (text) return current?.term.paste(text);
  const dialog = $("#dialog"), box = make("textarea", { id: "paste-in", rows: 6, className: "mono" });
  const go = make("button", { className: "btn primary", type: "button", textContent: "Type it" });
  go.addEventListener("click", () => { const { value } = box; dialog.close(); current?.term.paste(value); });
  const label = make("label", { htmlFor: "paste-in", textContent: "The browser does not let a page read the clipboard: paste here." });
  dialog.replaceChildren(make("section", { className: "confirm" }, make("h2", { id: "confirm-title", textContent: "Paste" }), label, box, make("div", { className: "acts" }, go)));
  dialog.showModal();
  box.focus();
}

// ---- A line that is silent has dropped; and what leads to another page of the console does not end a shell.

setInterval(() => {
  for (const tab of tabs) {
    if (tab.over) continue;
    const { socket } = tab, silent = Date.now() - Math.max(tab.heard, tab.opening) > SILENCE;
    if (silent && socket.readyState <= WebSocket.OPEN) { tab.socket = null; socket.close(); tab.retry(); }
  }
}, 1000);
addEventListener("online", () => { for (const tab of tabs) if (!tab.over && tab.socket?.readyState > WebSocket.OPEN) { clearInterval(tab.clock); tab.connect(); } });
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (link && link.origin === location.origin && !link.target) for (const tab of tabs) if (!tab.over) tab.send({ keep: true });
});

// Those that nobody looks at are taken up again. A page that was left a moment ago may not have let go of its own yet.
const resume = (list) => { for (const info of JSON.parse(list || "[]")) if (![...tabs].some((tab) => tab.info.token === info.token)) new Tab(info); };
resume(form.dataset.open);

/** Looks at how it is now: whether anything can be run, and what is open on other pages. */
async function glance(resumes = false) {
  if (isAttach) return;
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const said = await answer.json();
  if (resumes) resume(said.open);
  begin.disabled = blocked = said.blocked;
  for (const tab of tabs) tab.again.hidden = !tab.over || blocked;
  const elsewhere = said.watched - [...tabs].filter((tab) => tab.ready && !tab.over).length, note = $("[data-elsewhere]");
  $("[data-count]", note).textContent = elsewhere;
  note.hidden = elsewhere <= 0;
}
if (Number(form.dataset.watched)) for (const wait of [300, 700, 1500, 3000]) setTimeout(() => glance(wait < 3000), wait);
// The head of the page is told when the container ends or runs again; what ran in it is over a moment later.
const head = $("#head");
if (head) new MutationObserver(() => { glance(); setTimeout(glance, 2000); }).observe(head.parentElement, { childList: true, subtree: true, attributes: true });

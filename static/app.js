// What pages do beyond links and forms: dialogs, toasts, a bar for picked rows, keys, times that go on, and the truth
// about whether the page is live. Everything here only adds: without it, every form and link works by itself.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const dialog = $("#dialog");
// Below which path the console lives, behind a proxy: all else takes its addresses from attributes.
const home = document.body.dataset.root.replace(/\/$/, "");
const go = (path) => { location.href = home + path; };

// ---- Signed out, or somebody else than before: what is on the page is not theirs to see any more. The server knows
// where they go: to the sign-in and back, or here again with other buttons.

function leave() {
  document.body.replaceChildren();
  location.replace(location.pathname + location.search);
}
// Who goes back to a page after signing out must not find it kept.
addEventListener("pageshow", (event) => { if (event.persisted) leave(); });

// ---- Forms that act: sent by htmx, answered by a toast; the page itself follows the live connection.

document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  if (!form.matches("[data-act]") || !window.htmx) return;
  const method = (button?.getAttribute("formmethod") || form.method).toUpperCase();
  const action = button?.getAttribute("formaction") || form.getAttribute("action") || location.href;
  const fields = new URLSearchParams(new FormData(form, button));
  // A button that leads to a page leads there.
  if (method === "GET" && !button?.hasAttribute("data-dialog")) return;
  event.preventDefault();
  if (method === "GET") return open(`${action}?${fields}`);
  // The button is the source: each has a queue of its own, so that a slow stop does not hold up the next press.
  const source = button || form;
  const path = new URL(action, location.href).pathname;
  htmx.ajax("POST", path, { source, swap: "none", target: "#toasts", event: { submitter: button } });
});

document.addEventListener("htmx:after:request", ({ target, detail: { ctx } }) => {
  const response = ctx.response;
  if (response?.status === 401) return leave();
  if (!response || ctx.request.method !== "POST") return;
  const after = response.headers.get("x-after");
  const inDialog = dialog.contains(target) || dialog.contains(ctx.sourceElement);
  if (response.status < 400) {
    if (inDialog) dialog.close();
    if (after && new URL(after, location.href).pathname !== location.pathname && !after.startsWith(location.pathname)) location.href = after;
    else $$("input[name=id]:checked").forEach((box) => { if (target.closest?.(".bulk") || inDialog) box.checked = false; });
    picked();
  }
});

// A request that no answer came to: whether it was done, nobody here knows.
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (!ctx) return;
  const toast = document.createElement("div"), text = document.createElement("div"), button = document.createElement("button");
  for (const [name, words] of [["", "This console does not answer."], ["why", "Whether that was done is not known. Look again when the page is live."]]) {
    const line = document.createElement("p");
    line.className = name;
    line.textContent = words;
    text.append(line);
  }
  Object.assign(button, { className: "btn quiet", type: "button", textContent: "×", ariaLabel: "Dismiss" });
  button.dataset.dismiss = "";
  toast.className = "toast bad";
  toast.append(text, button);
  toasts.append(toast);
});

// Toasts stand above an open dialog.
const toasts = $("#toasts");
toasts.popover = "manual";
const raise = () => { toasts.hidePopover(); if (toasts.childElementCount) toasts.showPopover(); };
new MutationObserver(() => {
  raise();
  // Good news goes by itself; what went wrong stays until it is read.
  $$(".toast.ok:not([data-timed])", toasts).forEach((toast) => {
    toast.dataset.timed = "";
    setTimeout(() => toast.remove(), 6000);
  });
}).observe(toasts, { childList: true });

// ---- Dialogs: the page that asks, the part of it that asks, over the page that one is on.

function open(path) {
  if (dialog.open) dialog.close();
  const url = new URL(path, location.href);
  if (!url.searchParams.has("back")) url.searchParams.set("back", $("#act > [name=back]").value);
  htmx.ajax("GET", url.pathname + url.search, { source: document.body, target: dialog, swap: "innerHTML", select: "#confirm" })
    .then(() => {
      if (!$("#confirm", dialog) || dialog.open) return;
      dialog.showModal();
      dialog.append(toasts);   // what stands outside of an open dialog cannot be pressed
      reveal(dialog);
      command(dialog);
    });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0 && window.htmx) {
    event.preventDefault();
    link.closest("[popover]")?.hidePopover();
    return open(link.href);
  }
  if (event.target.closest("[data-close]") && dialog.open) { event.preventDefault(); return dialog.close(); }
  if (event.target === dialog) return dialog.close();
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
  event.target.closest(".menu button")?.closest("[popover]").hidePopover();
});
dialog.addEventListener("close", () => { document.body.append(toasts); dialog.replaceChildren(); raise(); });

// A word as a shell takes it.
const quoted = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

// The command in a form that asks follows what is ticked.
function command(root) {
  const form = $("form[data-act]", root), shown = form && $("[data-command]", form);
  if (!shown) return;
  const words = shown.textContent.split(" ");
  const base = shown.dataset.base ??= words.filter((word, at) => at < 2 || !/^-[fvlst]+$/.test(word) && !/^-[st]$/.test(words[at - 1])).join(" ");
  const [, verb, ...names] = base.split(" ");
  const flags = $$("[data-flag]:checked", form).map((box) => box.dataset.flag).join("");
  const signal = $("[name=other]", form)?.value.trim() || $("[data-signal]:checked", form)?.value;
  const wait = $("[name=timeout]", form)?.value.trim();
  const name = $("[data-name]", form)?.value.trim();
  const option = flags ? [`-${flags}`] : signal && signal !== "KILL" ? ["-s", signal] : wait ? ["-t", wait] : [];
  const links = $("[data-flag=l]:checked", form)?.dataset.links;
  if (links) return void (shown.textContent = `docker rm -l ${links}`);
  const rest = name === undefined ? names : [names[0], name || "NEW"];
  shown.textContent = ["docker", verb, ...option, ...rest].map(quoted).join(" ");
}
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-act]");
  if (form?.id !== "act") command(form?.parentElement ?? document);
});

// ---- Picked rows.

function picked() {
  const boxes = $$("main input[name=id][type=checkbox]"), on = boxes.filter((box) => box.checked);
  const names = on.map((box) => box.closest("[data-name]")?.dataset.name).filter(Boolean);
  const shown = $("[data-bulk-command]");
  if (shown) shown.textContent = [...shown.textContent.split(" ", 2), ...names].join(" ");
  const all = $("[data-all]");
  if (all) { all.checked = on.length > 0 && on.length === boxes.length; all.indeterminate = on.length > 0 && on.length < boxes.length; }
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) $$("main input[name=id][type=checkbox]").forEach((box) => { box.checked = event.target.checked; });
  if (event.target.matches("[data-all], input[name=id]")) picked();
});
for (const near of ["mouseover", "focusin"]) document.addEventListener(near, (event) => {
  const button = event.target.closest?.(".bulk button[value]"), shown = $("[data-bulk-command]");
  if (button && shown) shown.textContent = shown.textContent.replace(/^docker \S+/, `docker ${button.value === "remove" ? "rm" : button.value}`);
});
document.addEventListener("reset", () => setTimeout(picked));

// ---- The form that makes a container: its command follows each key; rows grow by themselves.

const draft = $("form[data-draft]");
if (draft) {
  let timer, latest = 0;
  const refresh = async () => {
    const mine = ++latest, fields = new URLSearchParams(new FormData(draft)), get = draft.dataset.draftMethod === "get";
    try {
      const answer = await fetch(get ? `${draft.dataset.draft}?${fields}` : draft.dataset.draft, { method: get ? "GET" : "POST", body: get ? null : fields, headers: { "HX-Request": "true" } });
      if (answer.status === 401) return leave();
      if (!answer.ok || mine !== latest) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      // What is said of the field that somebody is still typing into waits until they pause: a word half typed is not wrong.
      const typed = document.activeElement?.getAttribute("aria-describedby")?.split(" ") ?? [];
      for (const part of $$("#run-line, #dangers, #declared, [data-follows]")) {
        const drawn = page.getElementById(part.id), waits = typed.includes(part.id) && drawn?.childElementCount;
        const follow = () => { if (drawn && mine === latest && drawn.innerHTML !== part.innerHTML) part.replaceChildren(...drawn.childNodes); };
        if (waits) setTimeout(follow, 600);
        else follow();
      }
    } catch { /* The line is a help; the form works without it. */ }
  };
  draft.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(refresh, 120); });
  draft.addEventListener("click", (event) => {
    const more = event.target.closest("[data-more]");
    if (!more) return;
    event.preventDefault();
    const lines = $$(":scope > [data-line]", more.parentElement), line = lines.at(-1).cloneNode(true);
    const number = (id) => id.replace(/\d+$/, lines.length), said = $(".remarks", line);
    line.id = number(line.id);
    $$("input", line).forEach((input) => { input.value = ""; input.removeAttribute("value"); input.removeAttribute("aria-invalid"); });
    $$(".error", line).forEach((error) => error.remove());
    if (said) { said.replaceChildren(); said.id = number(said.id); $("[aria-describedby]", line)?.setAttribute("aria-describedby", said.id); }
    more.before(line);
    $("input", line).focus();
  });
  $$("[data-nojs]").forEach((button) => { button.hidden = true; });
  $("#errors")?.focus();
}

// ---- Live, or the truth about not being so.

const live = $("#live"), stream = $("#stream");
let heard = Date.now(), truth = new Date();
const alive = () => { heard = Date.now(); truth = new Date(); document.body.classList.remove("stale"); };
if (stream) {
  for (const name of ["htmx:sse:after:message", "htmx:sse:after:connection", "pulse"]) stream.addEventListener(name, alive);
  stream.addEventListener("htmx:sse:error", ({ detail }) => { if (detail.status === 401) leave(); });
  // The last part of a picture's stamp says for whom it was drawn.
  const drawnFor = (stamp) => stamp?.split("-")[2];
  const mine = drawnFor(new URL(stream.dataset.stream, location.href).searchParams.get("drawn"));
  stream.addEventListener("htmx:sse:before:message", ({ detail }) => {
    const theirs = drawnFor(detail.message.id);
    if (theirs && theirs !== mine) leave();
  });
  // htmx starts by a timer of its own, which may come before its extension is loaded: then it would never connect.
  setTimeout(() => { stream.setAttribute("hx-sse:connect", stream.dataset.stream); htmx.process(stream); });
  setInterval(() => {
    if (document.hidden) return void (heard = Math.max(heard, Date.now() - 6000));
    const stale = Date.now() - heard > 10_000;
    document.body.classList.toggle("stale", stale);
    const sign = $("#live");
    if (!sign) return;   // who left has nothing on the page any more, until the next one comes
    sign.classList.toggle("stale", stale || sign.dataset.live === "no");
    const text = $("[data-live-text]", sign);
    const says = stale ? `not live: as of ${truth.toLocaleTimeString()}` : sign.dataset.live === "no" ? "no engine" : "live";
    if (text.textContent !== says) text.textContent = says;   // once: it is read out
  }, 1000);
} else if (live) {
  live.title = "This page does not follow the engine by itself.";
}

// A job that has ended well leads to what came of it.
const watched = $("#job[data-job=running]") !== null;
document.addEventListener("htmx:after:swap", () => {
  const job = $("#job[data-goto]");
  if (watched && job) location.href = job.dataset.goto;
  polish();
  picked();
});

// ---- Times that go on, and in the reader's own zone.

function age(seconds) {
  const steps = [[10, () => "just now"], [60, (s) => `${Math.floor(s / 10) * 10} s`], [3600, (s) => `${Math.floor(s / 60)} min`], [86400, (s) => `${Math.floor(s / 3600)} h`],
    [5184000, (s) => `${Math.floor(s / 86400)} d`], [63072000, (s) => `${Math.floor(s / 2592000)} mo`], [Infinity, (s) => `${Math.floor(s / 31536000)} y`]];
  return steps.find(([limit]) => seconds < limit)[1](seconds);
}
// The engine's clock may differ from this one: ages are counted by the engine's, as it was when the page was drawn.
const ahead = new Date(document.body.dataset.now) - Date.now();
const secondsSince = (moment) => Math.max(0, Date.now() + ahead - new Date(moment)) / 1000;
function tick() {
  for (const since of $$("[data-since]")) {
    const text = `${Math.floor(secondsSince(since.dataset.since))} s`;
    if (since.textContent !== text) since.textContent = text;
  }
}
function ages() {
  for (const time of $$("time[data-age]")) {
    const span = age(secondsSince(time.dateTime)), text = time.dataset.age && span !== "just now" ? `${span} ago` : span;
    if (time.textContent !== text) time.textContent = text;
  }
}
function polish() {
  for (const time of $$("time[data-clock]:not([data-kept])")) {
    const at = new Date(time.dateTime), today = at.toDateString() === new Date().toDateString();
    time.textContent = today ? at.toLocaleTimeString([], { hour12: false }) : at.toLocaleDateString([], { month: "short", day: "numeric" });
    time.title = at.toLocaleString();
  }
  reveal(document);
}
setInterval(tick, 1000);
setInterval(ages, 10_000);

// ---- Copying, and what only works with scripts.

function reveal(root) {
  $$("button.copy[hidden]", root).forEach((button) => { button.hidden = false; });
  $$("[data-all][hidden]", root).forEach((box) => { box.hidden = false; });
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const command = $("[data-command]", button.closest(".cmd"));
  // Browsers have no clipboard for pages over plain http in a LAN; there a selection is copied, as by hand.
  if (navigator.clipboard) await navigator.clipboard.writeText(command.textContent);
  else { getSelection().selectAllChildren(command); document.execCommand("copy"); }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

// ---- Keys: / for the palette (palette.js), g then a letter to go, ? for this list.

const GO = { o: "/", c: "/containers", l: "/logs", i: "/images", v: "/volumes", n: "/networks", b: "/build", r: "/registries", d: "/engine", e: "/events", j: "/jobs", t: "/terminals",
  a: "/activity", p: "/people", u: "/audit", s: "/api" };
const KEYS = { "/": () => $("[data-find]").focus(), "?": keys };
const NAMES = { "/ or Ctrl K": "find anything, or go where a docker command leads" };
if ("creates" in document.body.dataset) {
  KEYS.n = () => go("/containers/new");
  NAMES.n = "make a container";
}
// Where the navigation leads, keys lead: who may not go there has neither.
for (const [key, path] of Object.entries(GO)) {
  const link = $$("#nav a").find((link) => link.getAttribute("href") === home + path && !link.matches(".brand"));
  if (link) NAMES[`g ${key}`] = link.firstChild.textContent.trim().toLowerCase();
  else delete GO[key];
}
Object.assign(NAMES, { "?": "this list", Esc: "close" });
function keys() {
  const list = document.createElement("dl"), title = document.createElement("h2");
  list.className = "facts";
  title.id = "confirm-title";
  title.textContent = "Keys";
  for (const [key, says] of Object.entries(NAMES)) {
    const [term, what, kbd] = ["dt", "dd", "kbd"].map((tag) => document.createElement(tag));
    kbd.textContent = key;
    term.append(kbd);
    what.textContent = says;
    list.append(term, what);
  }
  const box = document.createElement("section");
  box.className = "confirm";
  box.append(title, list);
  dialog.replaceChildren(box);
  dialog.showModal();
}
let going = false;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "k") { event.preventDefault(); return KEYS["/"](); }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, dialog")) return;
  if (going && GO[event.key]) return go(GO[event.key]);
  going = event.key === "g";
  if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
});

polish();
picked();

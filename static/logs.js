// The log viewer. What the server draws works by itself; here it becomes a window on a log of any size: some thousand
// lines around what is looked at are in memory, some dozen of them on the page, the rest is fetched as one scrolls.
// One connection, read only as fast as there is time for: what the server sends too much of, it counts instead.
"use strict";

{
  const root = $("#logs"), box = $("#log-box"), list = $("#log-lines"), said = $("#log-said");
  // How much of the log is held here: lines, and characters of them. Each fetch brings this many.
  const MOST = 20_000, MOST_TEXT = 24e6, FETCH = 500, FIRST = "1970-01-01T00:00:00Z";
  // Of a line that is longer, the beginning is shown, and a button.
  const LONG = 6000;
  // How long one turn may take, in ms, and how often a turn comes: the page answers in between.
  const SLICE = 12, TURN = 100;
  const number = new Intl.NumberFormat("en");
  const make = (tag, className = "", text = "") => Object.assign(document.createElement(tag), { className, textContent: text });
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const say = (text) => { if (said.textContent !== text) said.textContent = text; };

  // ---- How it is shown, which this browser keeps; what is shown, which the address keeps.

  const SHOWN = "wheelhouse-logs";
  const look = { times: "local", wrap: true, size: "m", aloud: false };
  try { Object.assign(look, JSON.parse(localStorage.getItem(SHOWN))); } catch { /* Not kept, or not to be had: as it comes. */ }
  const keep = () => { try { localStorage.setItem(SHOWN, JSON.stringify(look)); } catch { /* A browser that keeps nothing. */ } };

  const FILTERS = ["out", "level", "since", "until"], SEARCH = ["q", "regex", "case", "not", "context"];
  const here = new URL(location.href);
  const filter = Object.fromEntries(FILTERS.map((name) => [name, here.searchParams.getAll(name).join(",")]));
  const sources = $$("#log-sources [data-c]").map((it) => ({ it, id: it.dataset.id, name: it.dataset.name, on: true }));
  // The sources that are asked for, in the order in which the server counts them.
  let asked = sources;

  /** The address of a question about what is looked at. */
  function address(what, more = {}) {
    const fields = new URLSearchParams(asked.length === sources.length ? root.dataset.query : asked.map(({ id }) => ["c", id]));
    for (const [name, value] of Object.entries({ ...filter, ...more })) if (value) fields.set(name, value);
    return `${home}/logs/${what}?${fields}`;
  }
  function remember() {
    for (const name of FILTERS) if (filter[name]) here.searchParams.set(name, filter[name]); else here.searchParams.delete(name);
    for (const name of SEARCH) {
      const value = wanted?.[name];
      if (value) here.searchParams.set(name, value); else here.searchParams.delete(name);
    }
    for (const name of ["before", "after", "around", "at"]) here.searchParams.delete(name);
    here.hash = "";
    history.replaceState(null, "", here);
  }

  // ---- The lines in memory. `lines` holds what is continuous in the log, besides marks and gaps, which say so.

  let lines = [], known = new Map(), text = 0;
  // Whether the log goes on before the first and after the last; whether the stream goes on where the last one is.
  let older = true, newer = false;   // what is older is not known yet: there may be some
  // Whether the newest line is kept in sight; else what is in sight stays where it is: `anchor` at the top, cut by `dy`.
  let sticks = true, anchor = null, fresh = 0;
  // Where the stream goes on from.
  let last = "";
  // Every view of its own is an era: what was asked for in another is thrown away.
  let era = 0;

  function line(it) {
    const from = it.html.indexOf('class="tx"');
    return { ...it, source: asked[it.c], length: it.html.length - Math.max(0, from) - 22, height: 0, drawn: -1, open: false, whole: false };
  }
  const note = (kind, words, more = {}) => ({ kind, words, length: words.length, html: "", height: 0, drawn: -1, ...more });

  /** Adds lines at the end; one that is here already is replaced: a progress bar draws itself again. */
  function append(some) {
    for (const it of some) {
      const old = it.k !== undefined && known.get(it.k);
      text += it.html.length;
      if (old) {
        text -= old.html.length;
        lines[lines.lastIndexOf(old)] = it;
        if (anchor?.line === old) anchor.line = it;
      } else lines.push(it);
      if (it.k !== undefined) known.set(it.k, it);
    }
  }
  const crowded = (slack = 0) => lines.length > MOST + slack || text > MOST_TEXT;
  function forget(some) {
    for (const it of some) {
      text -= it.html.length;
      if (known.get(it.k) === it) known.delete(it.k);
    }
  }
  /** Lets go of the oldest: in one go, not line by line. */
  function dropFirst() {
    let gone = Math.max(0, lines.length - MOST + 1000);
    for (let left = text, at = 0; left > MOST_TEXT && at < lines.length - 100; at++) { left -= lines[at].html.length; gone = Math.max(gone, at + 1); }
    if (gone > 0) { forget(lines.splice(0, gone)); older = true; }
  }
  function dropLast() {
    let gone = Math.max(0, lines.length - MOST);
    for (let left = text, at = lines.length; left > MOST_TEXT && at > 100; at--) { left -= lines[at - 1].html.length; gone = Math.max(gone, lines.length - at + 1); }
    if (gone > 0) { forget(lines.splice(lines.length - gone)); newer = true; }
  }

  // ---- What is drawn. Rows stand in the flow, between two paddings; their heights are guessed until they are seen.

  const rows = new Map();       // line -> its element
  const ys = new Float64Array(MOST * 1.5 + 3000);
  let layout = 0, letter = 7.5, lineHeight = 20, above = 0, columns = 100, put = -1, widest = 0, marked = null, frame = 0, turn = 0;

  function measure() {
    // Two rows as they are drawn: of one letter, and of fifty.
    const rowOfText = (text) => rowOf({ html: `<span class="tx">${text}</span>`, t: new Date().toISOString(), s: 1, l: "", source: sources[0], length: 1 }, "");
    const one = rowOfText("0"), fifty = rowOfText("0".repeat(50)), words = $(".tx", one), probe = $(".tx", fifty);
    probe.classList.add("probe");
    list.append(one, fifty);
    letter = probe.getBoundingClientRect().width / 50 || 7.5;
    lineHeight = words.getBoundingClientRect().height || 20;
    above = Math.max(0, one.getBoundingClientRect().height - lineHeight);
    columns = Math.max(8, Math.floor(words.getBoundingClientRect().width / letter));
    one.remove();
    fifty.remove();
    layout++;
    widest = 0;
    list.style.minWidth = "";
  }
  function heightOf(it) {
    if (it.drawn === layout) return it.height;
    it.drawn = layout;
    it.height = it.kind ? lineHeight + 6 : look.wrap ? above + lineHeight * Math.max(1, Math.ceil(Math.min(it.length, LONG) / columns)) : above + lineHeight;
    return it.height;
  }
  /** The index of the line at this height. */
  function lineAt(y) {
    let low = 0, high = lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (ys[middle] <= y) low = middle; else high = middle - 1;
    }
    return low;
  }

  /** Draws what is to be seen, and keeps in its place what was. */
  function draw() {
    frame = 0;
    const height = box.clientHeight;
    let top = 0;
    for (let pass = 0; pass < 5; pass++) {
      let total = 0, held = -1;
      for (let at = 0; at < lines.length; at++) {
        ys[at] = total;
        if (anchor?.line === lines[at]) held = total;
        total += heightOf(lines[at]);
      }
      ys[lines.length] = total;
      const lowest = Math.max(0, total - height);
      top = sticks ? lowest : Math.min(lowest, Math.max(0, held >= 0 ? held + anchor.dy : box.scrollTop));
      const over = sticks ? 60 : height / 2;
      const from = lines.length ? lineAt(top - over) : 0, to = lines.length ? Math.min(lines.length, lineAt(top + height + over) + 1) : 0;
      fill(from, to);
      let changed = false;
      for (let at = from; at < to; at++) {
        const real = rows.get(lines[at])?.getBoundingClientRect().height;
        if (real !== undefined && Math.abs(real - lines[at].height) > 0.2) { lines[at].height = real; changed = true; }
      }
      if (!changed) break;
    }
    if (!look.wrap) {
      const width = list.scrollWidth;
      if (width > widest + 1) { widest = width; list.style.minWidth = `${width}px`; }
    }
    if (Math.abs(box.scrollTop - top) > 0.9) box.scrollTop = top;
    put = box.scrollTop;
    if (!sticks && lines.length) hold();
    foot();
    more();
  }
  /** What is at the top stays there. */
  function hold() {
    const at = lineAt(box.scrollTop);
    anchor = { line: lines[at], dy: box.scrollTop - ys[at] };
  }
  const soon = () => { frame ||= requestAnimationFrame(draw); };

  function fill(from, to) {
    // A selection that begins or ends out of sight would be lost with its row.
    const [first, end] = selected();
    if (first >= 0 && end - first < 3000) { from = Math.min(from, first); to = Math.max(to, end + 1); }
    const stay = new Set();
    for (let at = from; at < to; at++) stay.add(lines[at]);
    for (const [it, row] of rows) if (!stay.has(it)) {
      if (row.contains(document.activeElement)) box.focus({ preventScroll: true });
      row.remove();
      rows.delete(it);
    }
    let next = list.firstChild;
    for (let at = from; at < to; at++) {
      const it = lines[at], day = dayOf(it, lines[at - 1]), as = `${layout}${it.open}${it.whole}${day}${it === marked}${it.hit ?? ""}`;
      let row = rows.get(it);
      if (!row || row.as !== as) {
        const fresh = rowOf(it, day);
        fresh.as = as;
        fresh.line = it;
        if (row) {
          if (next === row) next = fresh;
          const inside = row.contains(document.activeElement) && (document.activeElement === row ? "" : `.${document.activeElement.className}`);
          row.replaceWith(fresh);
          if (inside !== false) (inside ? $(inside, fresh) ?? fresh : fresh).focus({ preventScroll: true });
        }
        rows.set(it, row = fresh);
      }
      if (row === next) next = next.nextSibling; else list.insertBefore(row, next);
    }
    list.style.paddingTop = `${ys[from] ?? 0}px`;
    list.style.paddingBottom = `${Math.max(0, ys[lines.length] - ys[to])}px`;
  }

  // ---- A row.

  const sheet = document.createElement("template");
  /** What the server has drawn of a line: its text, with colours and marks. Nothing else ever becomes HTML here. */
  function textOf(it, html = it.hit ?? it.html) {
    sheet.innerHTML = html;
    const words = $(".tx", sheet.content) ?? sheet.content.firstElementChild ?? make("span");
    words.className = "tx";
    return words;
  }
  /** Where a line is found again, in its container's own log: there it is the first and only source. */
  const place = (it) => { const k = it.k.replace(/-[^-]*$/, "-0"); return `${home}/containers/${it.source.id}/logs?around=${k}#L${k}`; };
  const plain = (it) => it.kind ? it.words : textOf(it, it.html).textContent;

  function rowOf(it, day) {
    const words = it.kind ? null : textOf(it);
    const row = make("li", it.kind ? `ln mark ${it.kind}` : `ln${it.s === 2 ? " err" : ""}${it.l ? ` l-${it.l}` : ""}${it === marked ? " here" : ""}`);
    row.tabIndex = -1;
    if (day) row.append(make("span", "day", day));
    if (it.kind) {
      row.append(make("span", "words", it.words));
      if (it.t) row.title = it.t;
      if (it.fills) row.append(Object.assign(make("button", "btn small gap-fill", "Show them"), { type: "button" }));
      return row;
    }
    const parts = make("span", "row");
    if (look.times !== "off") {
      const link = make("a", "t", clockOf(it.t));
      if (it.k) link.href = place(it);
      link.title = `${it.t}: a link to this line`;
      link.tabIndex = -1;
      parts.append(link);
    }
    if (sources.length > 1) parts.append(Object.assign(make("b", `src s${sources.indexOf(it.source) % 8}`, it.source?.name ?? ""), { title: it.source?.name ?? "" }));
    parts.append(make("i", "lv", it.l));
    if (it.s === 2) parts.append(make("span", "vh", "stderr: "));
    const raw = words.textContent;
    if (it.mark && !it.hit) markIn(words, it.mark);
    const json = /^\s*[{[]/.test(raw) && raw.length < 300_000 && (it.json ??= isFields(raw)), isCut = raw.length > LONG && !it.whole;
    if (json) {
      row.append(Object.assign(make("button", "fold", it.open ? "▾" : "▸"), { type: "button", ariaLabel: "Fields", ariaExpanded: String(it.open), tabIndex: -1 }));
      row.classList.add("json");
      // What unfolds them has the height of a finger's tip: so do all rows then.
      root.classList.add("has-json");
      if (!words.firstElementChild && raw.length < LONG) words.replaceChildren(...painted(raw));
    }
    if (isCut) {
      // What the server has not drawn either is counted with it.
      const left = Number($(".cut", words)?.dataset.more ?? 0);
      cut(words, LONG);
      words.append(Object.assign(make("button", "btn small whole", `… ${number.format(raw.length - LONG + left)} characters more`), { type: "button", tabIndex: -1 }));
    }
    parts.append(words);
    row.append(parts);
    if (json && it.open) row.append(fieldList(fieldsOf(raw)));
    return row;
  }
  /** Leaves the first `most` characters. */
  function cut(words, most) {
    const walk = document.createTreeWalker(words, NodeFilter.SHOW_TEXT), over = [];
    for (let left = most; walk.nextNode();) {
      const node = walk.currentNode;
      if (left <= 0) over.push(node);
      else if (node.data.length > left) node.data = node.data.slice(0, left);
      left -= node.data.length;
    }
    for (const node of over) node.remove();
  }

  const two = (value) => String(value).padStart(2, "0");
  function clockOf(t) {
    if (look.times === "utc") return t.slice(11, 19) + (t.slice(19, 23).match(/^\.\d{3}/)?.[0] ?? ".000");
    const at = new Date(t);
    return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  }
  const dates = new Map();
  function dateOf(t) {
    // A key that is cheap: the hour decides which day it is, in every zone of whole hours; the quarter in all.
    const key = `${look.times}${t.slice(0, 15)}`;
    let date = dates.get(key);
    if (date === undefined) {
      if (dates.size > 5000) dates.clear();
      dates.set(key, date = new Date(t).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: look.times === "utc" ? "UTC" : undefined }));
    }
    return date;
  }
  /** The day, where one begins. */
  function dayOf(it, before) {
    if (look.times === "off" || it.kind || !it.t) return "";
    const day = dateOf(it.t);
    return before?.t ? day === dateOf(before.t) ? "" : day : before || day === dateOf(new Date().toISOString()) ? "" : day;
  }

  // ---- JSON: the fields of a line, with numbers as they were written.

  class Figure { constructor(source) { this.source = source; } }
  const fieldsOf = (raw) => JSON.parse(raw, (_, value, context) => typeof value === "number" && context?.source ? new Figure(context.source) : value);
  function isFields(raw) {
    try {
      const value = JSON.parse(raw);
      return value !== null && typeof value === "object";
    } catch { return false; }
  }
  function painted(raw) {
    const parts = [], tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;
    let at = 0;
    for (const token of raw.matchAll(tokens)) {
      if (token.index > at) parts.push(raw.slice(at, token.index));
      parts.push(make("span", token[1] ? token[2] ? "k" : "str" : "lit", token[1] ?? token[0]));
      if (token[2]) parts.push(token[2]);
      at = token.index + token[0].length;
    }
    parts.push(raw.slice(at));
    return parts;
  }
  function fieldList(value, depth = 0) {
    const fields = make("dl", "fields");
    for (const [name, held] of Object.entries(value).slice(0, 500)) {
      const what = make("dd");
      if (held instanceof Figure || typeof held === "number") what.append(make("span", "lit", held.source ?? String(held)));
      else if (held !== null && typeof held === "object") {
        if (!Object.keys(held).length) what.append(make("span", "lit", Array.isArray(held) ? "[]" : "{}"));
        else what.append(depth < 20 ? fieldList(held, depth + 1) : make("span", "str", JSON.stringify(held)));
      } else what.append(make("span", typeof held === "string" ? "str" : "lit", String(held)));
      fields.append(make("dt", "k", name), what);
    }
    return fields;
  }

  // ---- Asking the server.

  let stopped = null;            // ends what is being asked for in this era
  /** A refusal, as the server words it. */
  class Refused extends Error {
    constructor(status, said) { super(said.what || `The console answered ${status}.`); Object.assign(this, { status, why: said.why ?? "", next: said.next ?? "" }); }
  }
  async function ask(where, accept, signal) {
    const answer = await fetch(where, { headers: { accept }, signal });
    if (answer.status === 401) { leave(); return new Promise(() => {}); }
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      throw new Refused(answer.status, said.error && typeof said.error === "object" ? said.error : { what: said.what ?? said.message ?? said.error, why: said.why, next: said.next });
    }
    return answer;
  }
  async function fetchLines(more, mine = era) {
    const answer = await (await ask(address("lines", { n: FETCH, ...more }), "application/json", stopped?.signal)).json();
    if (mine === era && answer.command && !more.before && !more.after) command = answer.command;
    return answer;
  }
  // What docker would show: this, from here on, if it is followed; what goes on has no last lines.
  let command = "";
  function spell() {
    $("#log-levels").hidden = !filter.level;
    const code = $("main .cmd [data-command]"), said = command.replaceAll(` --since ${FIRST}`, ""), words = sticks ? said.replace(/^docker logs /gm, "docker logs -f ").replace(/ \| tail -n \d+$/gm, "") : said;
    if (code && words && code.textContent !== words) code.textContent = words;
  }

  /** The events of a stream, read no faster than there is time for; each turn of work is short. */
  async function* events(answer) {
    const reader = answer.body.getReader(), decoder = new TextDecoder();
    let buffer = "", began = performance.now(), window = began, spent = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      began = performance.now();
      buffer += decoder.decode(value, { stream: true });
      let from = 0;
      for (let end; (end = buffer.indexOf("\n\n", from)) >= 0; from = end + 2) {
        const event = { event: "message", data: "", id: "" };
        for (const row of buffer.slice(from, end).split("\n")) {
          const colon = row.indexOf(":");
          if (colon < 1) continue;
          const name = row.slice(0, colon), value = row.slice(row[colon + 1] === " " ? colon + 2 : colon + 1);
          if (name === "data") event.data += event.data ? `\n${value}` : value;
          else if (name in event) event[name] = value;
        }
        yield event;
        const now = performance.now();
        if (now - began > SLICE) { spent += now - began; await pause(0); began = performance.now(); }
      }
      buffer = buffer.slice(from);
      const now = performance.now();
      spent += now - began;
      if (now - window > TURN) { window = now; spent = 0; }
      else if (spent > TURN / 3) { await pause(TURN - (now - window)); window = performance.now(); spent = 0; }
    }
  }

  // ---- The stream: what comes goes into `waiting`; ten times a second it is taken in.

  let over = false;              // nothing more will come
  let connection = null, waiting = [], skippedNow = 0, away = 0, refused = "";
  function connect() {
    connection?.abort();
    clearTimeout(retry);
    if (document.hidden && hiddenLong || filter.until) return;
    run(connection = new AbortController(), era);
  }
  let retry = 0, failures = 0, hiddenLong = false;
  async function run(mine, of) {
    let ended = false;
    try {
      const answer = await ask(address("stream", { after: last }), "text/event-stream", mine.signal);
      failures = 0;
      problem("");
      alive();
      for await (const event of events(answer)) {
        if (of !== era || mine.signal.aborted) return;
        if (event.id) last = event.id;
        alive();
        if (event.event === "lines") take(JSON.parse(event.data));
        else if (event.event === "end") { ended = over = true; break; }
        else if (event.event !== "pulse" && event.data) other(event.event, JSON.parse(event.data));
      }
    } catch (error) {
      if (mine.signal.aborted || of !== era) return;
      if (error instanceof Refused) {
        problem(error);
        if (error.status < 500 && error.status !== 429 && error.status !== 408 || error.status === 501) return;
      }
    }
    if (mine.signal.aborted || of !== era || ended) return;
    // Again, by where we are; many tabs not all at once.
    retry = setTimeout(connect, Math.min(8000, 800 * 2 ** failures++) * (0.7 + Math.random() * 0.6));
  }
  function take(some) {
    if (!some.length) return;
    for (const it of some) waiting.push(line(it));
    last = some.at(-1).k ?? last;
    // More than can be held: the oldest of them would be thrown away at once.
    if (waiting.length > MOST) { const over = waiting.splice(0, waiting.length - MOST / 2); skippedNow += over.length; }
    later();
  }
  function later() {
    turn ||= setTimeout(() => { turn = 0; takeIn(); }, document.hidden ? 1000 : Math.max(0, TURN - (performance.now() - took)));
  }
  let took = 0;
  function takeIn() {
    took = performance.now();
    const some = waiting;
    waiting = [];
    const count = some.filter((it) => !it.kind).length + skippedNow;
    if (!sticks) fresh += count;
    if (newer) { skippedNow = 0; foot(); return; }   // these are far from what is looked at: they are only counted
    if (skippedNow) { some.unshift(gap(skippedNow)); skippedNow = 0; }
    markNew(some);
    if (!sticks && lines.length + some.length > MOST) {
      // What is looked at stays; the end of the log is fetched when one comes there.
      newer = true;
      foot();
      return;
    }
    if (some[0]?.kind === "gap" && lines.at(-1)?.kind === "gap") {
      some[0] = gap(some[0].n + lines.at(-1).n);
      if (anchor?.line === lines.pop()) anchor.line = some[0];
    }
    append(some);
    if (crowded(1000)) dropFirst();
    soon();
    if (look.aloud) aloud(some);
  }
  function other(kind, it) {
    if (kind === "skipped") {
      if (!sticks) fresh += it.n;
      // One gap, however often it is told of.
      waiting.push(gap(it.n + (waiting.at(-1)?.kind === "gap" ? waiting.pop().n : 0)));
    }
    else if (kind === "mark") {
      const who = sources.length > 1 && asked[it.c] ? `${asked[it.c].name}: ` : "";
      waiting.push(note(it.kind, `${who}${it.text}`, { t: it.t }));
      if (sources.length === 1) head(it.kind);
      if (it.kind === "engine-away") { away = 1; stale(); }
      if (it.kind === "engine-back") { away = 0; stale(); }
    } else if (kind === "part") part(it);
    else if (kind === "error") return problem(new Refused(0, it));
    later();
  }
  const gap = (n) => note("gap", `${n ? number.format(n) : "Some"} ${n === 1 ? "line" : "lines"} more came than can be shown as they come`, { n, fills: true });
  /** The container's state, at the head of the page, as it now is. */
  async function head(kind) {
    if (kind === "removed" && $("#head")) { $("#head").dataset.state = "gone"; $("#head").textContent = "removed"; }
    if (kind !== "restarted" && kind !== "stopped" && kind !== "engine-back") return;
    try {
      const answer = await fetch(`${location.pathname}?n=1`, { headers: { accept: "text/html" } }), now = $("#head", new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (answer.ok && now) $("#head")?.replaceWith(now);
    } catch { /* It says what it said; that it may be old, the page says elsewhere. */ }
  }
  function part(it) {
    sheet.innerHTML = it.html;
    const old = document.getElementById(it.id), now = sheet.content.firstElementChild;
    if (old && now) old.replaceWith(now);
  }

  // ---- Views: the newest, the first, around a line.

  /** Shows another part of the log; `of` says which line is wanted of what has come. */
  async function open(more, { stick = false, of = null } = {}) {
    const mine = ++era;
    stopped?.abort();
    stopped = new AbortController();
    connection?.abort();
    clearTimeout(retry);
    asked = sources.filter((source) => source.on);
    over = false;
    root.classList.add("busy");
    let answer;
    try {
      answer = await fetchLines(more, mine);
    } catch (error) {
      if (mine !== era || error.name === "AbortError") return false;
      root.classList.remove("busy");
      if (error instanceof Refused && (error.status === 404 || error.status === 410) && of?.t && !more.at) return open({ at: of.t }, { of });
      problem(error instanceof Refused ? error : new Refused(0, { what: "This console does not answer.", why: "It is asked again in a moment." }));
      if (!(error instanceof Refused)) retry = setTimeout(() => open(more, { stick, of }), 1000 + Math.min(7000, 500 * 2 ** failures++) * Math.random());
      return false;
    }
    if (mine !== era) return false;
    problem("");
    root.classList.remove("busy");
    rows.forEach((row) => row.remove());
    rows.clear();
    list.replaceChildren();
    lines = [];
    known = new Map();
    text = 0;
    waiting = [];
    skippedNow = 0;
    fresh = 0;
    marked = null;
    append(answer.lines.map(line));
    older = answer.older;
    newer = answer.newer;
    last = answer.end ?? (newer ? "" : answer.lines.at(-1)?.k ?? "");
    hitsHere();
    root.classList.toggle("has-levels", answer.lines.some((it) => it.l));
    measure();
    sticks = stick && !newer && !filter.until;
    anchor = null;
    const wanted = of && (known.get(of.k) ?? known.get(answer.at) ?? (of.t && lines.find((it) => it.t >= of.t)) ?? lines.at(-1));
    if (wanted) {
      marked = wanted;
      draw();
      reach(wanted);
    } else {
      if (!sticks) anchor = lines.length ? { line: lines[0], dy: 0 } : null;
      if (stick && !sticks && lines.length) anchor = { line: lines.at(-1), dy: 0 };
      draw();
    }
    hint();
    buttons();
    connect();
    return true;
  }
  const newest = () => { if (here.searchParams.has("around")) remember(); return open({}, { stick: true }); };
  const first = () => open({ at: FIRST });

  /** Brings a line that is in memory into the middle. */
  function reach(it, mark = true) {
    sticks = false;
    if (mark) marked = it;
    anchor = { line: it, dy: -Math.max(0, box.clientHeight / 2 - lineHeight) };
    draw();
    draw();
    buttons();
  }
  /** To a line of the log, wherever it is. */
  async function goTo(k, t) {
    const it = known.get(k);
    if (it) reach(it); else await open({ around: k }, { of: { k, t } });
    return marked;
  }

  // ---- More, as one comes near the ends.

  let fetching = "";
  async function more() {
    if (fetching || !lines.length) return;
    const room = box.clientHeight * 3, top = box.scrollTop, total = ys[lines.length];
    const way = older && top < room ? "before" : newer && total - top - box.clientHeight < room ? "after" : "";
    if (!way) return;
    const mine = era;
    const end = way === "before" ? lines.find((it) => it.k !== undefined) : lines.findLast((it) => it.k !== undefined);
    if (!end) return;
    fetching = way;
    root.classList.add("busy");
    try {
      const answer = await fetchLines({ [way]: end.k }, mine);
      if (mine !== era) return;
      const some = answer.lines.map(line).filter((it) => !known.has(it.k));
      if (!sticks && lines.length && !anchor) hold();
      if (way === "before") {
        for (const it of some) { known.set(it.k, it); text += it.html.length; }
        lines = some.concat(lines);
        older = answer.older && some.length > 0;
        dropLast();
      } else {
        append(some);
        newer = answer.newer;
        dropFirst();
        if (!newer) { last = answer.end ?? some.at(-1)?.k ?? end.k; fresh = 0; waiting = []; connect(); }
      }
      hitsHere();
      if (some.some((it) => it.l) && !root.classList.contains("has-levels")) { root.classList.add("has-levels"); measure(); }
    } catch (error) {
      if (mine !== era || error.name === "AbortError") return;
      if (error instanceof Refused) { problem(error); if (way === "before") older = false; else newer = false; }
      else await pause(1500);
    } finally {
      fetching = "";
      if (mine === era) { root.classList.remove("busy"); soon(); }
    }
  }

  // ---- Following, and not.

  const jump = $("#log-jump"), pauseButton = $("#log-follow");
  function follow(yes) {
    if (yes === sticks) return;
    if (yes && newer) return newest();
    sticks = yes;
    if (yes) fresh = 0; else hold();
    draw();
    buttons();
    say(yes ? "Following the newest lines" : "Paused: the view stays where it is");
  }
  function unstick() {
    if (!sticks) return;
    sticks = false;
    if (lines.length) hold();
    buttons();
  }
  function buttons() {
    pauseButton.classList.toggle("off", !sticks);
    spell();
    foot();
  }
  function foot() {
    const off = !sticks && (newer || fresh > 0 || ys[lines.length] - box.scrollTop - box.clientHeight > lineHeight * 3);
    jump.hidden = !off;
    const words = fresh ? `${number.format(fresh)} new ${fresh === 1 ? "line" : "lines"}` : "Newest";
    const text = $("[data-words]", jump);
    if (off && text.textContent !== words) text.textContent = words;
  }
  pauseButton.addEventListener("click", () => follow(!sticks));
  jump.addEventListener("click", () => { if (newer) newest(); else follow(true); box.focus({ preventScroll: true }); });

  let dragging = false;
  box.addEventListener("pointerdown", (event) => { dragging = event.target === box; if (dragging) unstick(); });
  addEventListener("pointerup", () => { dragging = false; });
  box.addEventListener("wheel", (event) => { if (event.deltaY < 0) unstick(); }, { passive: true });
  let touched = 0;
  box.addEventListener("touchstart", (event) => { touched = event.touches[0].clientY; }, { passive: true });
  box.addEventListener("touchmove", (event) => { if (event.touches[0].clientY > touched + 4) unstick(); }, { passive: true });
  box.addEventListener("scroll", () => {
    const top = box.scrollTop;
    if (Math.abs(top - put) < 1.5) return;
    const up = top < put, atEnd = top + box.clientHeight >= ys[lines.length] - 2;
    put = top;
    if (up || !atEnd) unstick();
    else if (!newer && !filter.until && !dragging && !sticks) { sticks = true; fresh = 0; buttons(); }
    if (!sticks && lines.length) hold();
    soon();
  }, { passive: true });
  new ResizeObserver(() => { if (lines.length) { measure(); soon(); } }).observe(box);

  // Reading a selection out of what runs by is not possible: it stops.
  function selected() {
    const selection = getSelection();
    if (selection.isCollapsed || !selection.rangeCount || !list.contains(selection.anchorNode) && !list.contains(selection.focusNode)) return [-1, -1];
    const of = (node) => lines.indexOf((node?.nodeType === 1 ? node : node?.parentElement)?.closest?.("#log-lines > li")?.line);
    const [a, b] = [of(selection.anchorNode), of(selection.focusNode)];
    if (a < 0 || b < 0) return [-1, -1];
    return [Math.min(a, b), Math.max(a, b)];
  }
  document.addEventListener("selectionchange", () => { if (sticks && selected()[0] >= 0) unstick(); });
  document.addEventListener("copy", (event) => {
    const [first, end] = selected();
    if (first < 0 || first === end) return;
    const range = getSelection().getRangeAt(0), words = [];
    for (let at = first; at <= end; at++) {
      const tx = rows.get(lines[at]) && $(".tx", rows.get(lines[at]));
      if (at > first && at < end || !tx) { words.push(plain(lines[at])); continue; }
      const piece = document.createRange();
      piece.selectNodeContents(tx);
      if (at === first && tx.contains(range.startContainer)) piece.setStart(range.startContainer, range.startOffset);
      if (at === end && tx.contains(range.endContainer)) piece.setEnd(range.endContainer, range.endOffset);
      words.push(at === end && !tx.contains(range.endContainer) && tx.compareDocumentPosition(range.endContainer) & Node.DOCUMENT_POSITION_PRECEDING ? "" : piece.toString());
    }
    event.clipboardData.setData("text/plain", words.join("\n"));
    event.preventDefault();
  });

  // ---- A line: a link to it, its fields, all of it.

  async function link(it) {
    unstick();
    marked = it;
    here.searchParams.set("around", it.k);
    here.hash = `L${it.k}`;
    history.replaceState(null, "", here);
    soon();
    const copied = await copy(new URL(place(it), location.href).href);
    say(copied ? "A link to this line is in the clipboard" : "The address leads to this line");
    flash(copied ? "Link copied" : "The address leads to this line");
  }
  async function copy(words) {
    try {
      if (navigator.clipboard) { await navigator.clipboard.writeText(words); return true; }
    } catch { /* The browser refuses: the address has it. */ }
    return false;
  }
  const flashes = $("#log-flash");
  let flashing = 0;
  function flash(words) {
    flashes.textContent = words;
    flashes.hidden = false;
    clearTimeout(flashing);
    flashing = setTimeout(() => { flashes.hidden = true; }, 2000);
  }
  function toggle(it) {
    const row = rows.get(it);
    if (!row?.classList.contains("json")) return;
    unstick();
    it.open = !it.open;
    draw();
    // What has opened is to be seen.
    const y = ys[lines.indexOf(it)], over = y + it.height - box.scrollTop - box.clientHeight;
    if (it.open && over > 0) { anchor = { line: it, dy: -Math.max(0, y - box.scrollTop - over) }; draw(); }
  }
  list.addEventListener("click", (event) => {
    const row = event.target.closest("#log-lines > li"), it = row?.line;
    if (!it) return;
    if (event.target.closest(".t")) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      return link(it);
    }
    if (event.target.closest(".gap-fill")) {
      const before = lines.slice(0, lines.indexOf(it)).findLast((it) => it.k !== undefined);
      return before ? open({ around: before.k }, { of: { k: before.k, t: before.t } }) : first();
    }
    if (event.target.closest(".whole")) { unstick(); it.whole = true; return draw(); }
    if (event.target.closest(".fold") || event.target.closest(".tx") && getSelection().isCollapsed) toggle(it);
  });

  /** The line that the keyboard is at, or the first in sight. */
  function step(by) {
    unstick();
    const current = document.activeElement?.closest?.("#log-lines > li")?.line;
    const top = box.scrollTop, at = current ? lines.indexOf(current) + by : lineAt(top + (by > 0 ? 0 : box.clientHeight - lineHeight));
    const it = lines[Math.max(0, Math.min(lines.length - 1, at))];
    if (!it) return;
    const y = ys[lines.indexOf(it)], height = heightOf(it);
    if (y < top) anchor = { line: it, dy: 0 };
    else if (y + height > top + box.clientHeight) anchor = { line: it, dy: height - box.clientHeight };
    draw();
    rows.get(it)?.focus({ preventScroll: true });
  }

  // ---- Filters, and how it looks.

  const filterForm = $("#log-filter form"), viewForm = $("#log-view form"), saveForm = $("#log-save form");
  const localTime = (value) => {
    const at = value && new Date(value);
    return at && !Number.isNaN(at.getTime()) ? new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19) : "";
  };
  const exactTime = (value) => { const at = value && new Date(value); return at && !Number.isNaN(at.getTime()) ? at.toISOString() : ""; };
  function mirror() {
    for (const field of $$("[name=out]", filterForm)) field.checked = field.value === filter.out;
    for (const field of $$("[name=level]", filterForm)) field.checked = filter.level.split(",").includes(field.value);
    for (const name of ["since", "until"]) $(`[data-time=${name}]`, filterForm).value = localTime(filter[name]);
    const on = FILTERS.filter((name) => filter[name]);
    $("#log-active").replaceChildren(...on.map((name) => {
      const words = { out: `only ${filter.out}`, level: `only ${filter.level.replaceAll(",", ", ")}`, since: `since ${new Date(filter.since).toLocaleString("en-GB")}`, until: `until ${new Date(filter.until).toLocaleString("en-GB")}` }[name];
      const chip = Object.assign(make("button", "chip"), { type: "button", title: "Take this filter away" });
      chip.dataset.clear = name;
      chip.append(make("span", "", words), make("span", "x", "×"));
      return chip;
    }));
    for (const [name, value] of Object.entries({ times: look.times, size: look.size })) $(`[name=${name}][value=${value}]`, viewForm).checked = true;
    for (const name of ["wrap", "aloud"]) $(`[name=${name}]`, viewForm).checked = look[name];
    root.classList.toggle("wrap", look.wrap);
    root.dataset.times = look.times;
    root.dataset.size = look.size;
  }
  /** Asks again, for the same place. */
  function refilter() {
    remember();
    mirror();
    const it = anchor?.line;
    if (sticks || !it?.t) newest(); else open({ at: it.t }, { of: null }).then(() => {});
    if (wanted) search();
  }
  filterForm.addEventListener("change", () => {
    const fields = new FormData(filterForm);
    filter.out = fields.get("out") ?? "";
    filter.level = fields.getAll("level").join(",");
    for (const name of ["since", "until"]) filter[name] = exactTime($(`[data-time=${name}]`, filterForm).value);
    refilter();
  });
  filterForm.addEventListener("submit", (event) => { event.preventDefault(); $("#log-filter").hidePopover(); });
  filterForm.addEventListener("click", (event) => {
    const ago = event.target.closest("[data-ago]");
    if (!ago) return;
    filter.since = Number(ago.dataset.ago) ? new Date(Date.now() + ahead - Number(ago.dataset.ago) * 1000).toISOString() : "";
    filter.until = "";
    refilter();
  });
  $("#log-goto").addEventListener("change", (event) => {
    const t = exactTime(event.target.value);
    if (t) open({ at: t }, { of: { t } });
  });
  $("#log-active").addEventListener("click", (event) => {
    const chip = event.target.closest("[data-clear]");
    if (!chip) return;
    filter[chip.dataset.clear] = "";
    refilter();
    box.focus();
  });
  function relook() {
    keep();
    mirror();
    if (!sticks && lines.length && !anchor) hold();
    rows.forEach((row) => row.remove());
    rows.clear();
    measure();
    draw();
  }
  viewForm.addEventListener("change", () => {
    const fields = new FormData(viewForm);
    Object.assign(look, { times: fields.get("times"), size: fields.get("size"), wrap: fields.has("wrap"), aloud: fields.has("aloud") });
    relook();
  });
  viewForm.addEventListener("submit", (event) => event.preventDefault());

  for (const source of sources) source.it.addEventListener("click", () => {
    if (source.on && sources.filter(({ on }) => on).length === 1) return say("One has to stay");
    source.on = !source.on;
    source.it.setAttribute("aria-pressed", String(source.on));
    refilter();
  });

  // What is downloaded: the whole log, or what the filters leave; in words, before it is done.
  saveForm.addEventListener("submit", () => {
    const hidden = $("[data-fields]", saveForm), filtered = new FormData(saveForm).get("what") !== "all";
    const fields = new URL(address("download"), location.href).searchParams;
    for (const name of FILTERS) if (!filtered) fields.delete(name);
    hidden.replaceChildren(...[...fields].map(([name, value]) => Object.assign(document.createElement("input"), { type: "hidden", name, value })));
    setTimeout(() => $("#log-save").hidePopover());
  });

  // ---- Searching: on the server, over the whole log. What is found comes as it is found.

  const searchForm = $("#log-search"), query = $("[name=q]", searchForm), pane = $("#log-hits"), found = $("#log-hits ol");
  const status = $("#log-found"), MOST_DRAWN = 1000, MOST_HITS = 10_000;
  let wanted = null, hits = [], current = -1, searching = null, ended = null, hitText = new Map();

  function question() {
    const fields = new FormData(searchForm);
    return { q: fields.get("q"), regex: fields.get("regex") ?? "", case: fields.get("case") ?? "", not: fields.get("not") ?? "", context: fields.get("context") ?? "" };
  }
  async function search() {
    wanted = question();
    searching?.abort();
    if (!wanted.q) return unsearch();
    const mine = searching = new AbortController();
    hits = [];
    current = -1;
    ended = null;
    hitText = new Map();
    for (const it of lines) { it.hit = undefined; it.mark = undefined; }
    markNew(lines);
    found.replaceChildren();
    pane.hidden = false;
    root.classList.add("found");
    remember();
    report({ scanned: 0 });
    soon();
    try {
      const answer = await ask(address("search", wanted), "text/event-stream", mine.signal);
      for await (const event of events(answer)) {
        if (mine.signal.aborted) return;
        if (event.event === "hit") hit(JSON.parse(event.data));
        else if (event.event === "progress") report(JSON.parse(event.data));
        else if (event.event === "end") { ended = JSON.parse(event.data); report(ended); }
        else if (event.event === "error") { const error = JSON.parse(event.data); throw new Refused(0, error); }
      }
      if (!ended) report({ broken: true });
    } catch (error) {
      if (mine.signal.aborted) return;
      ended = {};
      status.textContent = error instanceof Refused ? [error.message, error.why, error.next].filter(Boolean).join(" ") : "The search was cut off: this console does not answer.";
      status.classList.add("bad");
    } finally {
      if (searching === mine) pane.classList.remove("busy");
    }
  }
  function hit(it) {
    if (hits.length >= MOST_HITS) return;
    hits.push(it);
    const main = it.lines.find(({ k }) => k === it.k) ?? it.lines[0];
    it.t = main?.t;
    if (main) hitText.set(it.k, main.html);
    const here = known.get(it.k);
    if (here) { here.hit = main.html; soon(); }
    if (hits.length <= MOST_DRAWN) found.append(hitRow(it, hits.length - 1));
  }
  function hitRow(it, at) {
    const row = make("li", "hit"), button = Object.assign(make("button"), { type: "button" });
    button.dataset.hit = at;
    for (const one of it.lines) {
      const words = textOf(one), row = make("span", one.k === it.k ? "one" : "one near");
      cut(words, 600);
      if (look.times !== "off" && one.t) row.append(make("span", "t", clockOf(one.t)));
      if (sources.length > 1) row.append(make("b", `src s${sources.indexOf(asked[one.c]) % 8}`, asked[one.c]?.name ?? ""));
      row.append(words);
      button.append(row);
    }
    row.append(button);
    return row;
  }
  let scanned = 0;
  function report(it) {
    status.classList.remove("bad");
    scanned = it.scanned ?? scanned;
    const count = it.hits ?? hits.length, working = !ended;
    pane.classList.toggle("busy", working);
    const total = Math.max(count, hits.length), place = current >= 0 ? `${number.format(current + 1)} of ` : "";
    const matches = `${place}${number.format(total)}${ended?.capped ? "+" : ""} ${total === 1 ? "match" : "matches"}`, where = `in ${number.format(scanned)} lines`;
    status.textContent = it.broken ? `${matches} ${where}, then the search was cut off` : working ? `${matches} ${where} so far…` : total ? `${matches} ${where}${ended.capped ? ": the first are shown" : ""}` : `No match ${where}`;
    for (const button of $$("[data-step]", pane)) button.disabled = !hits.length;
  }
  function unsearch() {
    searching?.abort();
    wanted = null;
    hits = [];
    hitText = new Map();
    for (const it of lines) { it.hit = undefined; it.mark = undefined; }
    pane.hidden = true;
    root.classList.remove("found");
    remember();
    soon();
  }
  /** Lines that came into memory: what was found in them is marked. */
  function hitsHere() {
    for (const [k, html] of hitText) { const it = known.get(k); if (it) it.hit = html; }
    markNew(lines);
  }
  // In lines that were not searched, because they are newer, plain words are marked here.
  function markNew(some) {
    if (!wanted || wanted.regex || wanted.not) return;
    for (const it of some) if (!it.kind) it.mark = wanted.q;
  }
  function markIn(words, what) {
    const fold = (text) => wanted?.case ? text : text.toLowerCase();
    const walk = document.createTreeWalker(words, NodeFilter.SHOW_TEXT), nodes = [];
    while (walk.nextNode()) nodes.push(walk.currentNode);
    for (let node of nodes) {
      for (let at; (at = fold(node.data).indexOf(fold(what))) >= 0 && node.data.length === fold(node.data).length;) {
        const match = node.splitText(at), rest = match.splitText(what.length), mark = make("mark");
        match.replaceWith(mark);
        mark.append(match);
        node = rest;
      }
    }
  }
  async function toHit(at) {
    if (!hits.length) return;
    current = (at + hits.length) % hits.length;
    const it = hits[current];
    for (const on of $$("[aria-current]", found)) on.removeAttribute("aria-current");
    if (current < MOST_DRAWN) {
      const button = found.children[current].firstElementChild;
      button.setAttribute("aria-current", "true");
      const top = button.offsetTop - found.offsetTop;
      if (top < found.scrollTop || top + button.offsetHeight > found.scrollTop + found.clientHeight) found.scrollTop = top - found.clientHeight / 3;
    }
    report(ended ?? {});
    await goTo(it.k, it.t);
    say(`Match ${current + 1} of ${hits.length}`);
  }
  const same = () => wanted && JSON.stringify(wanted) === JSON.stringify(question());
  searchForm.addEventListener("submit", (event) => {
    event.preventDefault();
    if (same() && hits.length) toHit(current + 1);
    else search();
  });
  searchForm.addEventListener("change", (event) => { if (event.target !== query && query.value) search(); });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); if (same()) toHit(current - 1); }
    if (event.key === "Escape") { event.preventDefault(); query.value = ""; unsearch(); box.focus(); }
  });
  query.addEventListener("search", () => { if (!query.value) unsearch(); });
  pane.addEventListener("click", (event) => {
    const hit = event.target.closest("[data-hit]"), step = event.target.closest("[data-step]");
    if (hit) toHit(Number(hit.dataset.hit));
    else if (step) toHit(current + Number(step.dataset.step));
    else if (event.target.closest("[data-end]")) { query.value = ""; unsearch(); box.focus(); }
  });

  // ---- What is so: problems, an empty log, a page that is not live.

  const problems = $("#log-problem");
  function problem(error) {
    const key = error ? `${error.status} ${error.message}` : "";
    if (key === refused) return;
    refused = key;
    problems.hidden = !error;
    if (!error) return;
    const words = [make("b", "", error.message), ...[error.why, typeof error.next === "string" ? error.next : ""].filter(Boolean).map((text) => make("span", "", ` ${text}`))];
    problems.replaceChildren(...words);
    hint();
  }
  function hint() {
    const filtered = FILTERS.some((name) => filter[name]);
    root.classList.toggle("none", !lines.length && Boolean(refused));
    $("#log-empty").hidden = lines.length > 0 || Boolean(refused) || filtered;
    $("#log-nothing").hidden = lines.length > 0 || Boolean(refused) || !filtered;
  }

  let heardLast = Date.now(), trueAt = new Date();
  function alive() {
    heardLast = Date.now();
    trueAt = new Date();
    stale();
    if (lines.length || waiting.length) hint();
  }
  function stale() {
    const sign = $("#live");
    if (!sign) return;
    const past = over || Boolean(filter.until), old = !past && Date.now() - heardLast > 10_000;
    root.classList.toggle("old", old || Boolean(away));
    document.body.classList.toggle("stale", old);
    sign.classList.toggle("stale", old || Boolean(away));
    const words = old ? `not live: as of ${trueAt.toLocaleTimeString()}` : away ? "no engine" : past ? "not followed" : "live", place = $("[data-live-text]", sign);
    if (place.textContent !== words) place.textContent = words;
  }
  setInterval(() => { if (document.hidden) heardLast = Math.max(heardLast, Date.now() - 6000); else stale(); }, 1000);

  // A tab that nobody sees has no connection; what it missed it asks for when it is looked at.
  let hiding = 0, hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) {
      hiddenAt = Date.now();
      hiding = setTimeout(() => { hiddenLong = true; connection?.abort(); clearTimeout(retry); }, 5000);
    } else if (hiddenLong) {
      hiddenLong = false;
      if (sticks && Date.now() - hiddenAt > 60_000) newest(); else connect();
    } else if (waiting.length) later();
  });

  let spoke = 0, unsaid = 0;
  function aloud(some) {
    const words = some.filter((it) => !it.kind);
    unsaid += words.length;
    if (!unsaid || Date.now() - spoke < 4000) return;
    say(unsaid <= 3 ? words.slice(-3).map(plain).join("; ").slice(0, 400) : `${number.format(unsaid)} new lines`);
    spoke = Date.now();
    unsaid = 0;
  }

  // ---- Keys, and the beginning.

  const page = (by) => { if (by < 0) unstick(); box.scrollBy(0, by * (box.clientHeight - 2 * lineHeight)); };
  const typed = { f: () => follow(!sticks), w: () => { look.wrap = !look.wrap; relook(); }, t: () => { look.times = { local: "utc", utc: "off", off: "local" }[look.times]; relook(); flash({ local: "Times: yours", utc: "Times: UTC", off: "No times" }[look.times]); },
    j: () => step(1), k: () => step(-1), Home: () => (older ? first() : (unstick(), box.scrollTo(0, 0))), End: () => (newer ? newest() : (sticks = false, follow(true))), PageUp: () => page(-1), PageDown: () => page(1), " ": () => page(1),
    n: () => toHit(current + 1), N: () => toHit(current - 1), m: () => document.body.classList.toggle("log-only"),
    y: () => { const it = document.activeElement?.closest?.("#log-lines > li")?.line; if (it?.k !== undefined) link(it); } };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target;
    if (target.closest("input, textarea, select, dialog, [popover]")) return;
    const inLog = target === document.body || target.id === "main" || box.contains(target);
    if (event.key === "Enter" && target.matches?.("#log-lines > li")) { event.preventDefault(); return toggle(target.line); }
    if (event.key === "Escape" && box.contains(target) && target !== box) return box.focus({ preventScroll: true });
    if (event.key === "Escape" && document.body.classList.contains("log-only")) return document.body.classList.remove("log-only");
    if (target.closest("button, a, summary") && (event.key === " " || event.key === "Enter")) return;
    if (/^(Home|End|Page| )/.test(event.key) && !inLog) return;
    if ((event.key === "n" || event.key === "N") && !hits.length) return;
    if (event.key === "ArrowUp" && box.contains(target)) unstick();
    const does = going ? null : typed[event.key];
    if (!does) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    does();
  }, true);
  KEYS["/"] = () => { query.focus(); query.select(); };
  delete NAMES["/ or Ctrl K"];
  const others = { ...NAMES };
  for (const name of Object.keys(NAMES)) delete NAMES[name];
  Object.assign(NAMES, { "/": "search the whole log", "Enter, n": "next match", "Shift Enter, N": "the one before", f: "follow, or pause", "Home, End": "first and newest line", "Space, Page Up": "a page down, up", "j, k": "line by line", "Enter": "the fields of a JSON line",
    y: "copy a link to the line", w: "wrap", t: "times: local, UTC, off", m: "only the log", "Ctrl K": "find a container" }, others);

  root.classList.add("alive");
  // Until the lines have come, what the server drew stands as they will.
  const led = $(".here", list);
  box.scrollTop = led ? led.offsetTop - box.clientHeight / 2 : box.scrollHeight;
  for (const it of $$("[data-script]", root)) it.hidden = false;
  for (const it of $$("[data-nojs]", root)) it.hidden = true;
  mirror();
  buttons();
  const start = () => {
    const k = here.searchParams.get("around"), t = here.searchParams.get("at");
    if (k) open({ around: k }, { of: { k } }); else if (t) open({ at: t }, { of: { t } }); else newest();
  };
  if (query.value) search();
  start();
}

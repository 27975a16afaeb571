// Charts of what a container uses: the server has drawn them; here they become live, and can be read point by point.
"use strict";

(() => {
  const root = document.getElementById("stats");
  if (!root || !window.uPlot) return;
  const stream = document.getElementById("stream"), none = document.getElementById("stats-none");
  const { range } = root.dataset, span = Number(root.dataset.span), join = Number(root.dataset.join);
  const KEYS = ["cpu", "memory", "received", "sent", "read", "written", "pids"];
  const LINES = { cpu: ["cpu"], memory: ["memory"], network: ["received", "sent"], disk: ["read", "written"], pids: ["pids"] };
  const WORDS = { received: "in", sent: "out", read: "read", written: "written" };

  // ---- Numbers as the server writes them.

  const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  function bytes(value) {
    let unit = 0;
    while (value >= 1000 && unit + 1 < UNITS.length) { value /= 1024; unit++; }
    return `${unit === 0 ? Math.round(value) : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${UNITS[unit]}`;
  }
  const percent = (value) => `${value.toFixed(value >= 99.95 ? 0 : 1)} %`;
  const SAY = { cpu: percent, memory: bytes, network: (value) => `${bytes(value)}/s`, disk: (value) => `${bytes(value)}/s`, pids: (value) => value.toFixed(0) };
  const clock = (at, seconds) => new Date(at * 1000).toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit", ...seconds && { second: "2-digit" } });
  const day = (at) => new Date(at * 1000).toLocaleDateString([], { day: "numeric", month: "short" });
  const moment = (at) => range === "15m" ? clock(at, true) : range === "day" ? clock(at) : `${day(at)}, ${clock(at)}`;
  function roundUp(value, isBytes) {
    if (!(value > 0)) return isBytes ? 1024 : 1;
    const unit = isBytes ? 1024 ** Math.floor(Math.log2(value) / 10) : 1, power = 10 ** Math.floor(Math.log10(value / unit));
    return ([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8].find((step) => step * power * unit >= value) ?? 10) * power * unit;
  }

  // ---- The points: a list for each line; a gap is null, and stands also where too long nothing was read.

  const points = { at: [], cpu_peak: [] };
  const push = (at, values) => {
    const last = points.at.at(-1);
    if (last !== undefined && at <= last) return;
    if (last !== undefined && at - last > join && KEYS.some((key) => points[key].at(-1) !== null)) append(last + 1, KEYS.map(() => null));
    append(at, values);
  };
  const append = (at, values) => {
    points.at.push(at);
    KEYS.forEach((key, place) => points[key].push(values[place] ?? null));
    points.cpu_peak.push(values[KEYS.length] ?? values[0] ?? null);
  };
  const clear = () => { for (const key of ["at", "cpu_peak", ...KEYS]) points[key] = []; };
  clear();
  const now = () => Math.max(Date.now() / 1000, points.at.at(-1) ?? 0);

  async function load() {
    const answer = await fetch(root.dataset.from, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const { points: { at, ...of }, limits } = await answer.json();
    clear();
    at.forEach((at, place) => push(at, [...KEYS.map((key) => of[key][place]), of.cpu_peak[place]]));
    for (const plot of plots) plot.most = { cpu: limits.cpu_percent, memory: limits.memory, pids: limits.pids }[plot.key] ?? null;
    draw();
  }

  // ---- The charts.

  // Colours follow the theme: a canvas does not know variables, so they are read from an element that does.
  const probe = root.appendChild(document.createElement("i"));
  probe.hidden = true;
  const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const plots = [...root.querySelectorAll("[data-chart]")].map((section) => ({
    section, key: section.dataset.chart, most: section.dataset.most === "" ? null : Number(section.dataset.most), box: section.querySelector("[data-box]"), chart: null }));

  function build(plot) {
    const { key, box, section } = plot, lines = LINES[key], ink = colour("ink-3"), isBytes = key !== "cpu" && key !== "pids";
    const axis = { stroke: ink, font: "11px system-ui, sans-serif", grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
    plot.chart?.destroy();
    plot.chart = new uPlot({
      width: Math.max(200, box.clientWidth), height: 154, padding: [8, 8, 0, 0], legend: { show: false }, pxAlign: true,
      cursor: { sync: { key: "stats" }, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: true, range: () => [now() - span, now()] }, y: { range: (_, __, max) => [0, roundUp(Math.max(max || 0, plot.most ?? 0) * 1.02, isBytes)] } },
      axes: [
        { ...axis, size: 24, space: 70, values: (_, splits) => splits.map((at) => range === "month" ? day(at) : clock(at)) },
        { ...axis, size: 74, gap: 4, splits: (_, __, min, max) => [min, max / 2, max], values: (_, splits) => splits.map((value) => key === "pids" ? (Number.isInteger(value) ? String(value) : "") : SAY[key](value)) },
      ],
      series: [{}, ...lines.map((line, place) => ({ label: WORDS[line] ?? "used", stroke: colour(place ? "pause" : "sea"), width: 1.6, dash: place ? [5, 3] : [], points: { show: (u, _, from, to) => to - from < 2 } }))],
      hooks: {
        draw: [(chart) => {
          if (plot.most === null) return;
          const { ctx, bbox } = chart, y = Math.round(chart.valToPos(plot.most, "y", true));
          ctx.save();
          ctx.strokeStyle = colour("bad");
          ctx.lineWidth = 1.4 * devicePixelRatio;
          ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.restore();
        }],
        setCursor: [(chart) => read(plot, chart.cursor.idx)],
      },
    }, series(plot), box);
    box.querySelector("[data-drawn]").hidden = true;
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-describedby", `plot-at-${key}`);
    section.querySelector("[data-at]").id = `plot-at-${key}`;
    describe(plot);
  }
  const series = (plot) => [points.at, ...LINES[plot.key].map((key) => points[key])];

  // What the crosshair stands on, in words; of all charts at once.
  function read(plot, place) {
    const at = place === null || place === undefined ? undefined : points.at[place], say = SAY[plot.key];
    const words = at === undefined ? "" : `${moment(at)}: ${LINES[plot.key].map((key) => {
      const value = points[key][place];
      return value === null ? "nothing was read" : `${say(value)}${WORDS[key] ? ` ${WORDS[key]}` : ""}`;
    }).join(", ")}`;
    const line = plot.section.querySelector("[data-at]");
    if (line.textContent !== words) line.textContent = words;
  }

  function sums(plot) {
    LINES[plot.key].forEach((key, place) => {
      const item = plot.section.querySelectorAll("[data-line]")[place];
      const values = points[key].filter((value) => value !== null).sort((a, b) => a - b);
      const peaks = key === "cpu" ? points.cpu_peak.filter((value) => value !== null) : values;
      const say = (value) => value === undefined || !Number.isFinite(value) ? "–" : SAY[plot.key](value);
      item.querySelector("[data-p95]").textContent = say(values[Math.ceil(values.length * 0.95) - 1]);
      item.querySelector("[data-peak]").textContent = say(peaks.reduce((a, b) => Math.max(a, b), -Infinity));
    });
  }

  // For who does not see it: the same as the line below it, without the crosshair.
  function describe(plot) {
    const text = (name) => plot.section.querySelector(name)?.textContent.trim() ?? "";
    plot.box.setAttribute("aria-label", `${text("h2")}: now ${text("[data-now]")}. ${text(".plot-sums")}. Left and right arrow keys read it point by point.`.replace(/\s+/g, " "));
  }

  function draw() {
    if (document.hidden) return;
    for (const plot of plots) {
      if (plot.chart) plot.chart.setData(series(plot));
      else build(plot);
      sums(plot);
      const words = plot.section.querySelector("[data-limit-words]");
      if (words) words.textContent = plot.most === null ? "no limit" : `limit ${SAY[plot.key](plot.most)}`;
    }
  }

  // ---- Live.

  stream?.addEventListener("use", ({ detail }) => {
    const { at, values, words, memory_limit, pids_limit } = JSON.parse(detail.data);
    const runs = values.some((value) => value !== null);
    none.hidden = runs;
    for (const [key, [now, beside]] of words) {
      const section = root.querySelector(`[data-chart="${key}"]`);
      for (const [name, text] of [["[data-now]", now], ["[data-beside]", beside]]) {
        const place = section.querySelector(name);
        if (place.textContent !== text) place.textContent = text;
      }
    }
    if (runs) for (const plot of plots) if (plot.key === "memory" || plot.key === "pids") plot.most = plot.key === "memory" ? memory_limit : pids_limit;
    if (range !== "15m") return;
    push(at, values);
    while (points.at[0] < at - span) for (const all of Object.values(points)) all.shift();
    draw();
    root.dataset.live = String(points.at.length);
    for (const plot of plots) if (!plot.box.contains(document.activeElement)) describe(plot);
  });
  // What was missed while there was no connection, is read when there is one again.
  let connected = false;
  stream?.addEventListener("htmx:sse:after:connection", () => { if (connected) load().catch(() => {}); connected = true; });
  if (range !== "15m") setInterval(() => { if (!document.hidden) load().catch(() => {}); }, 60_000);
  document.addEventListener("visibilitychange", draw);

  // ---- Keys: the arrows read a chart point by point, all charts along with it.

  root.addEventListener("keydown", (event) => {
    const plot = plots.find((plot) => plot.box === event.target), step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape" && plot) for (const { chart } of plots) chart?.setCursor({ left: -10, top: -10 });
    if (!plot?.chart || step === undefined || !points.at.length) return;
    event.preventDefault();
    const from = plot.chart.cursor.idx ?? points.at.length;
    const place = Math.min(points.at.length - 1, Math.max(0, from + step));
    plot.section.querySelector("[data-at]").setAttribute("aria-live", "polite");
    for (const { chart } of plots) chart?.setCursor({ left: chart.valToPos(points.at[place], "x"), top: 10 }, true, false);
  });
  root.addEventListener("focusout", ({ target }) => { target.closest?.("[data-chart]")?.querySelector("[data-at]").removeAttribute("aria-live"); });

  new ResizeObserver(() => { for (const { chart, box } of plots) if (chart && box.clientWidth && chart.width !== box.clientWidth) chart.setSize({ width: Math.max(200, box.clientWidth), height: 154 }); }).observe(root);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const plot of plots) if (plot.chart) build(plot); });
  load().catch(() => {});
})();

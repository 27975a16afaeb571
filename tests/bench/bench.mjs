// Measures the console against the engine itself and the docker command, in one run on one machine, and writes the
// README's table. Usage: bench.mjs README.md   Environment: WHEELHOUSE_BIN, WHEELHOUSE_TEST_DOCKER28.
// Absolute times mean little on a shared machine; the ratios are what counts. Peers are not measured: their images
// come from a registry, and this has to run without one.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";

const MANY = Number(process.env.BENCH_CONTAINERS ?? 1000), VIEWERS = Number(process.env.BENCH_VIEWERS ?? 200), KILLS = Number(process.env.BENCH_KILLS ?? 60);
const socket = process.env.WHEELHOUSE_TEST_DOCKER28, binary = process.env.WHEELHOUSE_BIN;
const { chromium } = await import(new URL("../browser/node_modules/playwright-core/index.mjs", import.meta.url));
const docker = (...args) => execFileSync("docker", args, { env: { ...process.env, DOCKER_HOST: `unix://${socket}` }, encoding: "utf8" }).trim();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const sorted = (all) => [...all].sort((a, b) => a - b);
const quantile = (all, q) => sorted(all)[Math.min(all.length - 1, Math.floor(all.length * q))];
const ms = (value) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

// A proxy that counts, between console and engine: how often the engine is asked is not the console's own word.
let calls = 0;
const counted = `/tmp/wheelhouse-bench-${process.pid}.sock`;
const proxy = net.createServer((client) => {
  const engine = net.connect(socket);
  client.once("data", (first) => { if (!/ \S*\/_ping /.test(first.toString("latin1").split("\r\n")[0])) calls++; engine.write(first); client.pipe(engine); });
  engine.pipe(client);
  for (const end of [client, engine]) end.on("error", () => { client.destroy(); engine.destroy(); });
  client.on("close", () => engine.destroy());
});
proxy.listen(counted);
await once(proxy, "listening");

const data = mkdtempSync(`${os.tmpdir()}/wheelhouse-bench-`);
process.on("exit", () => rmSync(data, { recursive: true, force: true }));

async function start(engine = counted) {
  const began = performance.now();
  const child = spawn(binary, ["--listen", "127.0.0.1:0", "--accounts", "off", "--data", mkdtempSync(`${data}/console-`), "--engine", `unix://${engine}`, "--log", "warn", "--max-streams-per-client", "1000"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const base = line.toString().match(/http:\/\/\S+?(?=\/?\s)/)[0];
  await get(`${base}/`);
  return { child, base, firstPage: performance.now() - began, memory: (kind = "VmRSS") => Number(readFileSync(`/proc/${child.pid}/status`, "utf8").match(new RegExp(`${kind}:\\s+(\\d+)`))[1]) * 1024 };
}
const agent = new http.Agent({ keepAlive: true });
function get(url, options = {}) {
  return new Promise((done, fail) => http.get(url, { agent, ...options }, (response) => {
    const parts = [];
    response.on("data", (part) => parts.push(part)).on("end", () => done({ status: response.statusCode, body: Buffer.concat(parts), headers: response.headers }));
  }).on("error", fail));
}
async function timed(count, work) {
  const all = [];
  for (let i = 0; i < count; i++) { const began = performance.now(); await work(); all.push(performance.now() - began); }
  return all;
}
function viewer(base, path) {
  return new Promise((done) => http.get(`${base}${path}`, { agent: new http.Agent() }, (response) => { response.resume(); done(response); }));
}

const rows = [], row = (what, measured, aim, met, why = "") => { rows.push([what, measured, aim, met ? "yes" : `no: ${why}`]); console.log(rows.at(-1).join(" | ")); };

// ---- A docker run line, read.
// Not built as the release is, which takes as long as the console's own build; it is no quicker for that.
const light = { CARGO_PROFILE_BENCH_LTO: "off", CARGO_PROFILE_BENCH_CODEGEN_UNITS: "16" };
const [program, ...args] = process.env.WHEELHOUSE_LINE_BENCH ? [process.env.WHEELHOUSE_LINE_BENCH] : ["cargo", "bench", "--locked", "--quiet", "--bench", "line"];
const told = execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...light } });
const line = JSON.parse(told.trim().split("\n").at(-1)), us = (value) => `${value.toFixed(value < 10 ? 1 : 0)} µs`;
row(`A \`docker run\` line, read up to the engine's request (${line.lines} recorded ones: median, slowest)`, `${us(line.median)}, ${us(line.worst)}; one of ${kb(line.bytes)}: ${ms(line.long / 1000)}`, "under 100 µs", line.worst < 100, "the slowest takes longer");

// ---- Nothing but the console.
const firsts = [];
for (let i = 0; i < 5; i++) { const { child, firstPage } = await start(); firsts.push(firstPage); child.kill(); await once(child, "exit"); }
row("Start to first page served (median of 5)", ms(quantile(firsts, 0.5)), "under 100 ms", quantile(firsts, 0.5) < 100, "it starts slower than that");
let { child, base, memory } = await start();
await sleep(3000);
row("Resident memory, idle, few containers", `${mb(memory())}, of which ${mb(memory("RssAnon"))} are its own and the rest pages of files`, "under 20 MB", memory() < 20e6, "the kernel maps more of the program's file than it runs");
child.kill(); await once(child, "exit");

// ---- A thousand containers.
const have = docker("ps", "-aq", "--filter", "label=wheelhouse.bench").split("\n").filter(Boolean).length;
const create = (name) => new Promise((done, fail) => {
  const body = JSON.stringify({ Image: "busybox", Cmd: ["true"], Labels: { "wheelhouse.bench": "1" } });
  const request = http.request({ socketPath: socket, method: "POST", path: `/v1.41/containers/create?name=${name}`, headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) } }, (response) => response.resume().on("end", done));
  request.on("error", fail); request.end(body);
});
for (let i = have; i < MANY; i += 8) await Promise.all([...Array(8).keys()].map((k) => create(`bench-${i + k}-${process.pid}`)));
({ child, base, memory } = await start());
await sleep(3000);
const page = await timed(200, () => get(`${base}/containers`));
const engine = await timed(30, () => get("http://engine/containers/json?all=1", { socketPath: socket }));
const command = await timed(10, () => docker("ps", "-a"));
const [ours, theirs, typed] = [page, engine, command].map((all) => quantile(all, 0.5));
row(`List page of ${MANY} containers, at the server (median)`, `${ms(ours)}; the engine's own list ${ms(theirs)}: 1/${(theirs / ours).toFixed(0)}`, "a tenth of the engine's or less", theirs / ours >= 10, "drawing takes longer than that");
row(`The same against \`docker ps -a\``, `${ms(typed)}: 1/${(typed / ours).toFixed(0)}`, "a fiftieth or less", typed / ours >= 50, "drawing takes longer than that");
row("List page p95", ms(quantile(page, 0.95)), "under 300 ms", quantile(page, 0.95) < 300);

// ---- One viewer, then many; the calls that the engine sees for the same work.
const work = async () => { calls = 0; for (let i = 0; i < 5; i++) { docker("start", "bench-target"); docker("kill", "bench-target"); await sleep(700); } return calls; };
try { docker("rm", "-f", "bench-target"); } catch { /* there is none */ }
docker("create", "--name", "bench-target", "--label", "wheelhouse.bench", "busybox", "sleep", "100000");
const one = await viewer(base, "/containers/stream");
await sleep(1500);
const withOne = await work();
const others = await Promise.all([...Array(VIEWERS).keys()].map(() => viewer(base, "/containers/stream?q=bench-target")));
await sleep(1500);
const withMany = await work();
row(`Calls to the engine for 5 starts and kills, ${VIEWERS} viewers against 1`, `${withMany} against ${withOne}`, "the same", withMany <= withOne + Math.max(3, withOne * 0.1), "more viewers cost the engine more");

// ---- From a kill to the row in a real browser.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const tab = await browser.newPage();
await tab.goto(`${base}/containers?q=bench-target`);
await tab.evaluate(() => {
  window.changes = [];
  new MutationObserver(() => { const row = document.querySelector("[data-name=bench-target]"); const state = row?.dataset.state; if (state && state !== window.last) { window.last = state; window.changes.push([state, Date.now()]); } })
    .observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] });
});
await sleep(1000);
const kill = (verb) => new Promise((done, fail) => { const request = http.request({ socketPath: socket, method: "POST", path: `/v1.41/containers/bench-target/${verb}` }, (response) => response.resume().on("end", done)); request.on("error", fail); request.end(); });
const latencies = [];
for (let i = 0; i < KILLS; i++) {
  await kill("start"); await tab.waitForFunction(() => window.last === "running", null, { timeout: 10_000 });
  await sleep(150);
  // Until the engine has answered the kill: what it takes to end the container is the engine's time, not ours.
  await kill("kill");
  const ended = Date.now();
  await tab.waitForFunction(() => window.last === "exited", null, { timeout: 10_000 });
  const [, seen] = await tab.evaluate(() => window.changes.findLast(([state]) => state === "exited"));
  latencies.push(Math.max(0, seen - ended));
}
row(`From a kill (when the engine has answered it) to the row in a real browser, ${VIEWERS} other viewers, ${KILLS} kills`, `p50 ${ms(quantile(latencies, 0.5))}, p99 ${ms(quantile(latencies, 0.99))}`, "p99 under 100 ms", quantile(latencies, 0.99) < 100, "two cores drive engine, console, viewers and browser at once");
row(`Resident memory with ${MANY} containers and ${VIEWERS} viewers`, mb(memory()), "under 64 MB", memory() < 64e6, "more is resident");

// ---- A keystroke in a terminal, against the engine's own exec, in turns.
docker("start", "bench-target");
const target = docker("inspect", "-f", "{{.Id}}", "bench-target");
async function echoes(send, hear, count) {
  const all = [];
  for (let i = 0; i < count; i++) {
    const heard = new Promise((done) => hear(done)), began = performance.now();
    send(Buffer.from("x"));
    await heard;
    all.push(performance.now() - began);
    await sleep(4);
  }
  return all;
}
async function typing(count) {
  const call = (path, body) => new Promise((done, fail) => { const request = http.request({ socketPath: socket, method: "POST", path, headers: { "Content-Type": "application/json" } }, (response) => { let text = ""; response.on("data", (part) => { text += part; }).on("end", () => done(JSON.parse(text))); }); request.on("error", fail); request.end(JSON.stringify(body)); });
  const { Id } = await call(`/v1.41/containers/${target}/exec`, { Cmd: ["cat"], Tty: true, AttachStdin: true, AttachStdout: true, AttachStderr: true });
  const raw = await new Promise((done, fail) => { const request = http.request({ socketPath: socket, method: "POST", path: `/v1.41/exec/${Id}/start`, headers: { "Content-Type": "application/json", Upgrade: "tcp", Connection: "Upgrade" } }); request.on("upgrade", (_, stream) => done(stream)).on("error", fail); request.end(JSON.stringify({ Detach: false, Tty: true })); });
  const answer = await fetch(`${base}/containers/${target}/terminal`, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ command: "cat" }) });
  if (answer.status !== 201) throw new Error(`no terminal: ${answer.status} ${await answer.text()}`);
  const opened = await answer.json();
  const page = await browser.newPage();
  await page.goto(`${base}/healthz`);
  // By the browser's own socket, as people have it; the time is taken inside of the page.
  const ours = page.evaluate(async ([url, token, count]) => {
    const line = new WebSocket(url), all = [];
    line.binaryType = "arraybuffer";
    await new Promise((done) => { line.onopen = done; });
    const ended = new Promise((_, fail) => { line.onclose = ({ code, reason }) => fail(new Error(`the terminal ended: ${code} ${reason}`)); });
    line.send(JSON.stringify({ token, at: 0, size: [80, 24] }));
    await new Promise((done) => setTimeout(done, 500));
    for (let i = 0; i < count; i++) {
      const heard = new Promise((done) => { line.onmessage = ({ data }) => { if (typeof data !== "string") done(); }; }), began = performance.now();
      line.send(new TextEncoder().encode("x"));
      await Promise.race([heard, ended]);
      all.push(performance.now() - began);
      await new Promise((done) => setTimeout(done, 4));
    }
    ended.catch(() => {});
    line.close(1000);
    return all;
  }, [`${base.replace("http", "ws")}/containers/${target}/terminal/socket`, opened.token, count]);
  const theirs = echoes((bytes) => raw.write(bytes), (done) => raw.once("data", done), count);
  const both = await Promise.all([theirs, ours]);
  raw.end("\x04");
  await page.close();
  return both;
}
{
  const [direct, through] = await typing(400);
  const [p99, p99Ours] = [direct, through].map((all) => quantile(all, 0.99)), more = p99Ours - p99;
  row("Keystroke to echo in a terminal, browser to container and back, over the engine's own exec at the same time (p99)", `${ms(p99Ours)} against ${ms(p99)}: ${ms(Math.max(0, more))} more; median ${ms(quantile(through, 0.5))} against ${ms(quantile(direct, 0.5))}`, "under 5 ms more", more < 5, "two cores drive engine, console, viewers and browser at once");
}

// ---- The first page over the wire.
const wire = await browser.newContext();
const fresh = await wire.newPage();
let bytes = 0; const hosts = new Set();
const devtools = await wire.newCDPSession(fresh);
await devtools.send("Network.enable");
devtools.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
fresh.on("request", (request) => hosts.add(new URL(request.url()).host));
await fresh.goto(`${base}/containers`, { waitUntil: "load" });
await sleep(500);
row("First page load over the wire, compressed, all of it", `${kb(bytes)}, ${hosts.size} host`, "under 100 kB, no request elsewhere", bytes < 100_000 && hosts.size === 1, "the page is larger");
const document = await get(`${base}/containers`);
row(`HTML of the list at ${MANY} containers`, kb(document.body.length), "under 500 kB", document.body.length < 500_000);

// ---- As many images and networks.
const IMAGES = Number(process.env.BENCH_IMAGES ?? 2000), NETWORKS = Number(process.env.BENCH_NETWORKS ?? 500);
// What takes long is not waited for in place: this process stands between console and engine.
const shell = (line) => new Promise((done, fail) => spawn("sh", ["-c", line], { env: { ...process.env, DOCKER_HOST: `unix://${socket}` }, stdio: ["ignore", "ignore", "inherit"] }).on("error", fail).on("exit", done));
const listed = async (what, count, path, api, words, first) => {
  for (let i = 0; i < 100 && !(await get(`${base}${path}`)).body.includes(first); i++) await sleep(100);
  const page = await timed(100, () => get(`${base}${path}`)), engine = await timed(20, () => get(`http://engine${api}`, { socketPath: socket })), command = await timed(5, () => docker(...words));
  const [ours, theirs, typed] = [page, engine, command].map((all) => quantile(all, 0.5));
  row(`List page of ${count} ${what}, at the server (median)`, `${ms(ours)}; the engine's own list ${ms(theirs)}: 1/${(theirs / ours).toFixed(1)}; \`docker ${words.join(" ")}\` ${ms(typed)}: 1/${(typed / ours).toFixed(0)}`, "a tenth of the engine's or less", theirs / ours >= 10, "the engine has this list at hand, too");
};
{
  const layer = `${data}/layer`;
  mkdirSync(`${layer}/files`, { recursive: true });
  writeFileSync(`${layer}/files/bench`, "bench");
  execFileSync("tar", ["-C", `${layer}/files`, "-cf", `${layer}/layer.tar`, "."]);
  const sum = createHash("sha256").update(readFileSync(`${layer}/layer.tar`)).digest("hex");
  const manifest = [...Array(IMAGES).keys()].map((n) => {
    writeFileSync(`${layer}/${n}.json`, JSON.stringify({ architecture: "amd64", os: "linux", config: { Labels: { "wheelhouse.bench": `${n}` } }, rootfs: { type: "layers", diff_ids: [`sha256:${sum}`] } }));
    return { Config: `${n}.json`, RepoTags: [`bench/image-${n}:1`], Layers: ["layer.tar"] };
  });
  writeFileSync(`${layer}/manifest.json`, JSON.stringify(manifest));
  await shell(`tar -C ${layer} --exclude ./files -cf ${data}/images.tar . && docker load -q -i ${data}/images.tar`);
  await listed("images", IMAGES, `/images?q=bench/image&sort=name`, "/images/json", ["images"], `of ${IMAGES}`);
  const made = (n) => new Promise((done, fail) => {
    const body = JSON.stringify({ Name: `bench-${n}`, Labels: { "wheelhouse.bench": "1" }, IPAM: { Config: [{ Subnet: `10.${200 + (n >> 8)}.${n & 255}.0/28` }] } });
    const request = http.request({ socketPath: socket, method: "POST", path: "/v1.41/networks/create", headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) } }, (response) => response.resume().on("end", done));
    request.on("error", fail); request.end(body);
  });
  for (let n = 0; n < NETWORKS; n++) await made(n);
  await listed("networks", NETWORKS, `/networks?q=bench-`, "/networks", ["network", "ls"], `of ${NETWORKS}`);
  await shell("docker network prune -f --filter label=wheelhouse.bench=1");
  for (let n = 0; n < IMAGES; n += 100) await shell(`docker rmi ${manifest.slice(n, n + 100).map(({ RepoTags: [tag] }) => tag).join(" ")}`);
}

// ---- An image as a file, out and in again, against the docker command.
{
  const files = `${data}/big`, tag = "bench/big:1";
  mkdirSync(files);
  await shell(`head -c ${Number(process.env.BENCH_IMAGE_MB ?? 512)}M /dev/urandom > ${files}/file; tar -C ${files} -c . | docker import - ${tag}; rm -r ${files}`);
  const id = docker("inspect", "-f", "{{.Id}}", tag), tar = `${data}/big.tar`;
  // Without the proxy: every byte would go through it, too.
  const direct = await start(socket);
  await sleep(2000);
  let most = 0;
  const before = direct.memory(), watching = setInterval(() => { most = Math.max(most, direct.memory()); }, 50);
  // In turns: what the machine does beside it is shared.
  const [saved, savedOurs, loaded, loadedOurs] = [[], [], [], []];
  for (let turn = 0; turn < 3; turn++) {
    saved.push(...await timed(1, () => shell(`docker save ${tag} > ${tar}`)));
    savedOurs.push(...await timed(1, () => shell(`curl -sf '${direct.base}/images/save.tar?id=${encodeURIComponent(id)}' > ${tar}`)));
    await shell(`docker rmi ${tag}`);
    loaded.push(...await timed(1, () => shell(`docker load -q -i ${tar}`)));
    await shell(`docker rmi ${tag}`);
    loadedOurs.push(...await timed(1, async () => {
      await shell(`curl -sf -H 'Accept: application/json' -F 'file=@${tar}' ${direct.base}/images/load > ${data}/begun`);
      const { location } = JSON.parse(readFileSync(`${data}/begun`));
      for (;;) {
        const { stage } = JSON.parse((await get(`${direct.base}${location}`, { headers: { Accept: "application/json" } })).body);
        if (stage === "done") return;
        if (stage === "failed" || stage === "cancelled") throw new Error(`the load has ${stage}`);
        await sleep(20);
      }
    }));
  }
  clearInterval(watching);
  direct.child.kill();
  await shell(`docker rmi ${tag}`);
  const size = `${mb(statSync(tar).size)}`;
  rmSync(tar);
  for (const [what, typed, ours] of [["save", saved, savedOurs], ["load", loaded, loadedOurs]]) {
    const [theirs, mine] = [quantile(typed, 0.5), quantile(ours, 0.5)];
    row(`An image of ${size}, ${what === "save" ? "saved" : "loaded"} by the console against \`docker ${what}\` (median of 3)`, `${ms(mine)} against ${ms(theirs)}: ${(theirs / mine).toFixed(2)} of its speed`, "at least 0.9", theirs / mine >= 0.9, "every byte goes through one more hand");
  }
  row("Resident memory meanwhile", `${mb(before)} before, ${mb(most)} at the most`, "flat: within 32 MB", most - before < 32e6, "it grows");
}

// ---- Logs: as fast as a container can print, and a log of a million lines.
const run = (name, ...words) => { try { docker("rm", "-f", name); } catch { /* there is none */ } docker("run", "-d", "--network", "none", "--name", name, "--label", "wheelhouse.bench", ...words); return docker("inspect", "-f", "{{.Id}}", name); };
const median = async (count, work) => quantile(await timed(count, work), 0.5);
const perSecond = (value) => `${Math.round(value / 1000)} 000 lines/s`;
const fast = run("bench-fast", "--log-opt", "max-size=50m", "--log-opt", "max-file=3", "busybox", "seq", "1", "1000000000");
const reader = await browser.newPage();
await reader.addInitScript(() => {
  window.taken = 0;
  window.blocks = [];
  const parse = JSON.parse;
  JSON.parse = (...words) => { const value = parse(...words); if (Array.isArray(value)) window.taken += value.length; return value; };
  new PerformanceObserver((list) => { for (const it of list.getEntries()) window.blocks.push(it.duration); }).observe({ type: "longtask" });
});
await reader.goto(`${base}/containers/${fast}/logs`);
await sleep(3000);
const heap = await reader.context().newCDPSession(reader);
await heap.send("Performance.enable");
const look = () => reader.evaluate(() => ({ at: performance.now(), taken: window.taken, newest: Number([...document.querySelectorAll("#log-lines .tx")].at(-1)?.textContent), blocks: window.blocks.splice(0), rows: document.querySelectorAll("#log-lines > li").length }));
const [before, printed] = [await look(), Number(docker("logs", "--tail", "1", "bench-fast"))];
await sleep(Number(process.env.BENCH_FOLLOW ?? 20_000));
const [now, printedNow] = [await look(), Number(docker("logs", "--tail", "1", "bench-fast"))];
const spent = (now.at - before.at) / 1000, used = (await heap.send("Performance.getMetrics")).metrics.find(({ name }) => name === "JSHeapUsedSize").value, longest = Math.max(0, ...now.blocks);
row("Log of a container that prints as fast as it can, in a real browser", `it prints ${perSecond((printedNow - printed) / spent)}; the newest are in sight, ${perSecond((now.taken - before.taken) / spent)} are taken, ${now.rows} rows on the page`, "the newest in sight, under 300 rows", now.newest - before.newest > (printedNow - printed) / 2 && now.rows < 300, "the view falls behind");
row("Its main thread's longest block, and its heap", `${longest ? ms(longest) : "none over 50 ms"}, ${mb(used)}`, "under 50 ms, under 150 MB", longest < 50 && used < 150e6, "two cores drive engine, container, console and browser at once");
await reader.close();

// Twenty who do not read what they asked for.
const stalled = await Promise.all([...Array(20).keys()].map(() => new Promise((done) => http.get(`${base}/logs/stream?c=${fast}`, { agent: new http.Agent() }, (response) => { response.pause(); done(response); }))));
await sleep(2000);
const held = memory();
let most = held;
for (let second = 0; second < 15; second++) { await sleep(1000); most = Math.max(most, memory()); }
row("Resident memory while 20 stalled viewers hang on that container for 15 s", `${mb(held)}, at the most ${mb(most)}`, "flat: within 32 MB", most - held < 32e6, "it grows");
for (const response of stalled) response.destroy();
docker("rm", "-f", "bench-fast");

const million = run("bench-million", "--log-opt", "max-size=500m", "busybox", "sh", "-c", "seq 1 1000000 | sed 's/$/ GET \\/api\\/v1\\/items 200 in 12 ms, from a client with a name/'");
docker("wait", "bench-million");
const file = `${data}/log`;
const typedLog = await median(3, () => shell(`docker logs bench-million > ${file} 2>&1`));
const downloaded = await median(3, () => shell(`curl -s '${base}/logs/download?c=${million}' > ${file}`));
const size = readFileSync(file).length;
row("Download of a log of 1,000,000 lines, against `docker logs > file`", `${ms(downloaded)} (${mb(size)}); ${ms(typedLog)}: ${(typedLog / downloaded).toFixed(2)} of its speed`, "at least 0.9", typedLog / downloaded >= 0.9, "the console is a second hand that every byte goes through");
const grepped = await median(3, () => shell("docker logs bench-million 2>&1 | grep -c 77777"));
let firstHit = 0;
const searched = await median(3, () => new Promise((done, fail) => {
  const began = performance.now();
  firstHit = 0;
  http.get(`${base}/logs/search?c=${million}&q=77777`, { agent: new http.Agent() }, (response) => response.on("data", (part) => { if (!firstHit && part.includes("event: hit")) firstHit = performance.now() - began; }).on("end", done)).on("error", fail);
}));
row("Search over 1,000,000 lines, against `docker logs | grep`", `${ms(searched)}, the first hit after ${ms(firstHit)}; ${ms(grepped)}: ${(grepped / searched).toFixed(2)} of its speed`, "at least 0.9", grepped / searched >= 0.9, "each line is read, decoded and counted");
docker("rm", "-f", "bench-million");

await browser.close();
for (const response of [one, ...others]) response.destroy();
child.kill();
if (!process.env.BENCH_KEEP) {
  const ids = docker("ps", "-aq", "--filter", "label=wheelhouse.bench").split("\n").filter(Boolean);
  for (let i = 0; i < ids.length; i += 100) docker("rm", "-f", ...ids.slice(i, i + 100));
}
proxy.close();

const version = docker("version", "--format", "{{.Server.Version}}");
const table = [
  `Measured by \`make bench\` on ${new Date().toISOString().slice(0, 10)}: ${os.cpus().length} CPUs (${os.cpus()[0].model.trim()}), Docker ${version}, release build. Repeat it with \`make bench\`; it needs root for its private engine.`,
  "", "| What | Measured | Aim | Met |", "|---|---|---|---|", ...rows.map((cells) => `| ${cells.join(" | ")} |`),
].join("\n");
const readme = process.argv[2];
if (readme) {
  const text = readFileSync(readme, "utf8");
  writeFileSync(readme, text.replace(/(<!-- bench -->\n)[\s\S]*?(\n<!-- \/bench -->)/, (_, open, close) => open + table + close));
}
process.exit(0);

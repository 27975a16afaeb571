// What the browser tests stand on: a console of their own in front of the test engine, a Chromium, and a page that
// notes whatever must never happen on it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const here = path.dirname(fileURLToPath(import.meta.url));
export const BIN = process.env.WHEELHOUSE_BIN ?? path.resolve(here, "../../target/debug/wheelhouse");
export const SOCKET = process.env.WHEELHOUSE_TEST_DOCKER28;
assert(SOCKET, "WHEELHOUSE_TEST_DOCKER28 names the socket of the engine that the tests may use: make test-browser");

// ---- The engine, as a terminal would use it.

// The docker command line if there is one: beside the test engines, or on the machine.
const beside = path.resolve(path.dirname(SOCKET), "../bin/docker");
const DOCKER = process.env.WHEELHOUSE_TEST_DOCKER_CLI ?? (fs.existsSync(beside) ? beside : "docker");
const run = promisify(execFile);

/** `docker ARGS...` against the test engine; its output, trimmed. */
export async function docker(...args) {
  const env = { PATH: process.env.PATH, HOME: os.tmpdir(), DOCKER_HOST: `unix://${SOCKET}` };
  const { stdout } = await run(DOCKER, args, { env, maxBuffer: 1 << 26, timeout: 120_000 });
  return stdout.trim();
}

// No test is longer: what hangs is named, and costs the others nothing. Long, since a busy machine proves nothing.
const PATIENCE = 480_000;
/** What `work` comes to; fails if it comes to nothing within `ms`. */
async function within(ms, what, work) {
  let timer;
  const late = new Promise((_, failed) => { timer = setTimeout(() => failed(new Error(`not within ${ms} ms: ${what}`)), ms); });
  try { return await Promise.race([work, late]); } finally { clearTimeout(timer); }
}

let serial = 0;
export const PREFIX = `wb${process.pid}`;

/** A name that nothing else on this engine has. What carries it is removed when the file's tests are over. */
export const unique = (word = "c") => `${PREFIX}-${word}${++serial}`;

/** Makes and starts a container that does nothing and ends at once when asked to; answers with its full id. */
export const make = (name, ...options) => docker("run", "-d", "--network", "none", "--name", name, ...options, "busybox:latest", ...IDLE);
/** A program that reacts to `stop` at once. */
export const IDLE = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"];

async function sweep() {
  const lines = async (...args) => (await docker(...args)).split("\n").filter(Boolean);
  const containers = await lines("ps", "-aq", "--filter", `name=${PREFIX}-`);
  if (containers.length) await docker("rm", "-f", "-v", ...containers).catch(() => {});
  const volumes = await lines("volume", "ls", "-q", "--filter", `name=${PREFIX}-`);
  if (volumes.length) await docker("volume", "rm", "-f", ...volumes).catch(() => {});
  const networks = await lines("network", "ls", "-q", "--filter", `name=${PREFIX}-`);
  if (networks.length) await docker("network", "rm", ...networks).catch(() => {});
  const images = await lines("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", `reference=${PREFIX}-*`);
  if (images.length) await docker("rmi", "-f", ...images).catch(() => {});
}

// ---- The console.

const consoles = new Set();

/**
 * Starts the console; answers when it listens. `listen` and `engine` as in its settings, and `more` as it comes.
 * Nobody signs in, unless `accounts` says so: then `setup` is its one-time link. `inside` are words to run it by.
 */
export async function serve({ listen = "127.0.0.1:0", engine = `unix://${SOCKET}`, accounts = false, more = [], inside = [] } = {}) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "wheelhouse-browser-"));
  const env = { PATH: process.env.PATH, HOME: data };
  const [program, ...words] = [...inside, BIN, "--listen", listen, "--engine", engine, "--data", data, ...accounts ? [] : ["--accounts", "off"], ...more];
  const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "pipe"] });
  const it = { child, log: "", url: "", stop: () => stop(it, data) };
  consoles.add(it);
  const says = new Promise((told, failed) => {
    const hear = (chunk) => {
      it.log += chunk;
      const address = it.log.match(/https?:\/\/[\d.]+:(\d+)/);
      if (address) told(address[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`the console ended with ${code}: ${it.log}`)));
    setTimeout(() => failed(new Error(`the console did not say its address: ${it.log}`)), 15_000).unref();
  });
  says.catch(() => {});
  it.url = await says;
  if (accounts) it.setup = await until(() => it.log.match(/(https?:\/\/\S+)(\/setup\?token=\S+)/)?.[2], "it says its one-time link");
  if (!inside.length && it.url.startsWith("http:")) {
    await until(() => fetch(`${it.url}/readyz`).then((answer) => answer.ok, () => false), "the console is ready").catch(() => {});
  }
  return it;
}

// ---- Its people.

export const PASSWORD = "quiet anvil borrows seven plums";

/** Sends a form as a page of the console would; `cookie` says who does. */
export const post = (it, where, fields, cookie = "") => fetch(it.url + where, {
  method: "POST", redirect: "manual", body: new URLSearchParams(fields), headers: { origin: it.url, accept: "text/html", ...cookie && { cookie } } });

/** The session that an answer begins. */
const begun = (answer) => {
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0];
  assert(cookie, `nobody was let in: ${answer.status}`);
  return cookie;
};

/** Signs in; answers with the session's cookie. */
export const enter = async (it, name, password = PASSWORD) => begun(await post(it, "/login", { name, password }));

/** Sets a console up, with these people: `{ name: [role, limits] }`. Answers with the cookie and the id of each; the first is admin. */
export async function staff(it, people = {}) {
  const [, token] = it.setup.split("token=");
  const admin = begun(await post(it, "/setup", { token, name: "admin", password: PASSWORD, again: PASSWORD }));
  const all = { admin: { cookie: admin, id: 1 } };
  for (const [name, [role, scope = ""]] of Object.entries(people)) {
    const answer = await post(it, "/people", { name, role, scope, password: PASSWORD }, admin);
    const drawn = await answer.text();
    assert.equal(answer.status, 201, drawn);
    const id = drawn.match(/action="\/people\/(\d+)"/)[1];
    all[name] = { cookie: await enter(it, name), id: Number(id) };
  }
  return all;
}

async function stop(it, data) {
  consoles.delete(it);
  if (it.child.exitCode === null && it.child.signalCode === null) {
    const ended = once(it.child, "exit");
    it.child.kill("SIGCONT");
    it.child.kill("SIGKILL");
    await ended;
  }
  fs.rmSync(data, { recursive: true, force: true });
}

/**
 * The test engine, seen through a window. Either it has these containers, images, volumes and networks only, and nothing ever happens in
 * it: for pages of an empty engine, and of one with a thousand containers. Or it has only what is named with the prefix
 * `only`, and the prefix is not seen: for pictures.
 */
export async function window({ containers = [], images = [], volumes = [], networks = [], only } = {}) {
  const socket = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "wheelhouse-engine-")), "engine.sock");
  const lists = { "/containers/json": containers, "/images/json": images, "/volumes": { Volumes: volumes, Warnings: [] }, "/networks": networks };
  const server = http.createServer((ask, answer) => {
    const [where] = ask.url.replace(/^\/v[\d.]+/, "").split("?");
    if (!only && where in lists) return answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(lists[where]));
    if (!only && where === "/events") return answer.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    const real = http.request({ socketPath: SOCKET, path: ask.url, method: ask.method, headers: ask.headers }, (said) => {
      if (!only) return answer.writeHead(said.statusCode, said.headers) && said.pipe(answer);
      answer.writeHead(said.statusCode, { "content-type": "application/json" });
      let text = "";
      said.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
        if (where !== "/events") return;
        const lines = text.split("\n");
        text = lines.pop();
        for (const line of lines) if (line.includes(only)) answer.write(`${line.replaceAll(only, "")}\n`);
      }).on("end", () => answer.end(narrow(where, text).replaceAll(only, "")));
    });
    real.on("error", () => answer.destroy());
    answer.on("close", () => real.destroy());
    ask.pipe(real);
  });
  // What becomes a line of its own, as a terminal's, is handed through.
  server.on("upgrade", (ask, client, head) => {
    const engine = net.connect(SOCKET);
    const headers = ask.rawHeaders.reduce((text, word, at) => text + word + (at % 2 ? "\r\n" : ": "), "");
    engine.write(`${ask.method} ${ask.url} HTTP/1.1\r\n${headers}\r\n`);
    engine.write(head);
    for (const [from, to] of [[client, engine], [engine, client]]) from.on("error", () => to.destroy()).on("close", () => to.destroy()).pipe(to);
  });
  const narrow = (where, text) => {
    if (!(where in lists) || !text) return text;
    const list = JSON.parse(text), mine = (it) => JSON.stringify(it).includes(only);
    return JSON.stringify(Array.isArray(list) ? list.filter(mine) : { ...list, Volumes: (list.Volumes ?? []).filter(mine) });
  };
  await new Promise((listens) => server.listen(socket, listens));
  windows.add(server);
  server.once("close", () => fs.rmSync(path.dirname(socket), { recursive: true, force: true }));
  return `unix://${socket}`;
}
const windows = new Set();

// ---- The browser.

export const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
let browser;

export async function launch() {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  return browser;
}

// However this ends, it leaves no console behind.
process.once("exit", () => { for (const it of consoles) it.child.kill("SIGKILL"); });

/** Ends and removes all that this process has made. */
export async function finish() {
  await within(60_000, "the browser is closed", browser?.close());
  for (const it of consoles) await it.stop();
  for (const it of windows) await new Promise((closed) => { it.once("close", closed).close(); it.closeAllConnections(); });
  await sweep();
}

/** A cookie as the browser takes it. */
export const bearer = (cookie) => ({ name: cookie.split("=")[0], value: cookie.slice(cookie.indexOf("=") + 1), httpOnly: true, sameSite: "Strict" });

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/**
 * Gives `use` a page, and fails if anything happened on it that must never happen: a violation of the content security
 * policy, an error or a warning on the console, an uncaught error, a dialog box, a request to another host.
 * `expect` are patterns of console messages that a test brings about on purpose (a 404 is logged by Chromium itself).
 * `as` is the cookie of who looks.
 */
export async function withPage(url, use, { js = true, size = DESKTOP, theme = "light", expect = [], as = "", ...more } = {}) {
  const context = await (await launch()).newContext({
    baseURL: url, viewport: size, colorScheme: theme, javaScriptEnabled: js, hasTouch: size === PHONE, isMobile: size === PHONE, locale: "en-GB", ...more });
  context.setDefaultTimeout(60_000);
  if (as) await context.addCookies([{ ...bearer(as), url }]);
  const never = [];
  const watch = (page) => {
    page.on("console", (message) => {
      const text = `${message.type()}: ${message.text()} ${message.location().url ?? ""}`;
      if (["error", "warning", "assert"].includes(message.type()) && !expect.some((pattern) => pattern.test(text))) never.push(text);
    });
    page.on("pageerror", (error) => never.push(`page error: ${error.stack}`));
    page.on("dialog", (dialog) => { never.push(`dialog: ${dialog.type()} ${dialog.message()}`); dialog.dismiss().catch(() => {}); });
    page.on("request", (request) => {
      const to = request.url();
      if (!to.startsWith(`${url}/`) && !/^(data|blob|about):/.test(to)) never.push(`request elsewhere: ${to}`);
    });
  };
  context.on("page", watch);
  await context.exposeBinding("__violation", (_, text) => { never.push(`CSP: ${text}`); });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.__violation(`${event.effectiveDirective} ${event.blockedURI} ${event.sample} at ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  const page = await context.newPage();
  try {
    await within(PATIENCE, "the whole test", use(page, context));
    assert.deepEqual(never, [], "nothing that must never happen on a page did");
  } catch (error) {
    if (never.length) error.message += `\nAlso on the page: ${never.join("\n")}`;
    if (process.env.WHEELHOUSE_TEST_SHOTS) await page.screenshot({ path: `${process.env.WHEELHOUSE_TEST_SHOTS}/${Date.now()}.png` }).catch(() => {});
    throw error;
  } finally {
    // Chromium answers this never if the page is just on its way elsewhere; with the browser it ends in any case.
    await within(10_000, "its pages are closed", context.close()).catch(() => {});
  }
}

// ---- Small things.

/** Waits until `holds` answers with something true; answers with that. */
export async function until(holds, what, ms = 60_000) {
  const end = Date.now() + ms;
  for (;;) {
    // A question that hangs is an answer, too. It has at least a second, however late it comes.
    const is = await within(Math.max(end - Date.now(), 1000), what, holds());
    if (is) return is;
    assert(Date.now() < end, `not within ${ms} ms: ${what}`);
    await new Promise((go) => setTimeout(go, 40));
  }
}

export const sleep = (ms) => new Promise((go) => setTimeout(go, ms));

/** What the engine says of a container. */
export async function state(name) {
  return docker("inspect", "--type", "container", "-f", "{{.State.Status}}", name).catch(() => "gone");
}

/** A container's row on the page. */
export const row = (page, name) => page.locator(`tr[data-name="${name}"]`);

/** The docker command of what `root` shows. */
export const command = (root) => root.locator("[data-command]").first().innerText();

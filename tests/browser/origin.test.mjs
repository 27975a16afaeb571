// Pages of others: on plain http in a LAN, where browsers say nothing of where a request comes from but its Origin.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { BIN, docker, finish, FLAGS, make, PREFIX, row, sleep, SOCKET, state, unique, until } from "./support.mjs";

// A network of its own, with an address that is not the loopback's: browser, console and attacker are all inside it.
const space = `${PREFIX}-lan`, inside = ["--net=/run/netns/" + space], HOST = "10.77.0.1";
const enter = (...words) => execFileSync("nsenter", [...inside, ...words], { stdio: "ignore" });
const children = [], folder = fs.mkdtempSync(path.join(os.tmpdir(), "wheelhouse-"));
let browser, name, id;

// Serves one page, which tries all that a page can against the console on another port of the same host.
const attacker = `
const page = \`<!doctype html><iframe name=sink></iframe>
<form id=f method=post target=sink action="http://${HOST}:9000/containers/\${process.argv[1]}/stop"><input name=timeout value=0></form>
<img src="http://${HOST}:9000/containers/\${process.argv[1]}/stop"><script>
const target = "http://${HOST}:9000/containers/\${process.argv[1]}/stop";
fetch(target, { method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({ timeout: 0 }) }).catch(() => {});
fetch(target, { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: "timeout=0" }).catch(() => {});
navigator.sendBeacon(target, new URLSearchParams({ timeout: 0 }));
try { new WebSocket("ws://${HOST}:9000/containers/stream"); } catch {}
try { new EventSource("http://${HOST}:9000/containers/stream").onmessage = () => { window.read = true; }; } catch {}
document.getElementById("f").submit();
</script>\`;
require("http").createServer((_, answer) => answer.setHeader("content-type", "text/html").end(page)).listen(9999, "${HOST}");`;

const start = (words, ready) => new Promise((done, fail) => {
  const child = spawn("nsenter", [...inside, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  child.once("exit", () => fail(new Error(`${words[0]} ended`)));
  if (ready) child.stdout.once("data", done); else setTimeout(done, 500);
});

before(async () => {
  execFileSync("ip", ["netns", "add", space]);
  enter("ip", "link", "set", "lo", "up");
  enter("ip", "link", "add", "lan", "type", "veth", "peer", "name", "nowhere");
  enter("ip", "addr", "add", `${HOST}/24`, "dev", "lan");
  enter("ip", "link", "set", "lan", "up");
  name = unique("prey");
  await make(name);
  id = await docker("inspect", "-f", "{{.Id}}", name);
  await start([BIN, "--listen", `${HOST}:9000`, "--tls", "off", "--listen-without-accounts", "--engine", `unix://${SOCKET}`, "--log", "error"], true);
  await start([process.execPath, "-e", attacker, id]);
  const program = path.join(folder, "chromium");
  fs.writeFileSync(program, `#!/bin/sh\nexec nsenter ${inside[0]} ${process.env.CHROMIUM ?? "/usr/bin/chromium"} "$@"\n`, { mode: 0o755 });
  browser = await chromium.launch({ executablePath: program, args: FLAGS });
});

after(async () => {
  await browser?.close();
  children.forEach((child) => { child.removeAllListeners("exit"); child.kill(); });
  execFileSync("ip", ["netns", "delete", space]);
  fs.rmSync(folder, { recursive: true });
  await finish();
});

test("S014 a page on another port of the same host cannot act, by form, fetch, image, beacon or socket", async () => {
  const page = await browser.newPage(), refused = [];
  page.on("response", (answer) => { if (answer.url().includes(":9000")) refused.push([answer.request().method(), answer.status()]); });
  // The browser itself keeps most answers from the page: Cross-Origin-Resource-Policy, and what may be framed.
  page.on("requestfailed", (request) => { if (request.url().includes(":9000")) refused.push([request.method(), 403]); });
  await page.goto(`http://${HOST}:9999/`);
  await until(async () => refused.filter(([method]) => method === "POST").length >= 3, "its tries have been answered");
  await sleep(1000);
  assert.deepEqual(refused.filter(([method, status]) => method === "POST" && status !== 403), []);
  assert.equal(await state(name), "running");
  assert.equal(await page.evaluate(() => window.read), undefined, "nor read the live connection");
  await page.close();
});

test("S016 the console's own pages can, on the same plain http", async () => {
  const page = await browser.newPage();
  await page.goto(`http://${HOST}:9000/containers?q=${name}`);
  await row(page, name).getByRole("button", { name: /^Stop/ }).click();
  await until(async () => (await state(name)) === "exited", "it has stopped");
  await page.close();
});

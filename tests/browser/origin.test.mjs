// Pages of others: on plain http in a LAN, where browsers say nothing of where a request comes from but its Origin, and
// send the cookie along to every port of the host that it belongs to.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { docker, finish, FLAGS, make, PASSWORD, PREFIX, row, serve, sleep, state, unique, until } from "./support.mjs";

// A network of its own, with an address that is not the loopback's: browser, console and attacker are all inside it.
const space = `${PREFIX}-lan`, inside = ["--net=/run/netns/" + space], HOST = "10.77.0.1";
const enter = (...words) => execFileSync("nsenter", [...inside, ...words], { stdio: "ignore" });
const children = [], folder = fs.mkdtempSync(path.join(os.tmpdir(), "wheelhouse-"));
let browser, context, it, name, id;

// Serves one page, which tries all that a page can against the console on another port of the same host; and which tells
// what the browser sent along to itself.
const attacker = `
const page = \`<!doctype html><iframe name=sink></iframe>
<form id=f method=post target=sink action="http://${HOST}:9000/containers/\${process.argv[1]}/stop"><input name=timeout value=0></form>
<form id=g method=post target=sink enctype="text/plain" action="http://${HOST}:9000/containers/\${process.argv[1]}/stop"><input name=timeout value=0></form>
<img src="http://${HOST}:9000/containers/\${process.argv[1]}/stop"><script>
const target = "http://${HOST}:9000/containers/\${process.argv[1]}/stop";
fetch(target, { method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({ timeout: 0 }) }).catch(() => {});
fetch(target, { method: "POST", mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer", body: new URLSearchParams({ timeout: 0 }) }).catch(() => {});
fetch(target, { method: "POST", mode: "no-cors", credentials: "include", headers: { "Content-Type": "text/plain" }, body: "timeout=0" }).catch(() => {});
navigator.sendBeacon(target, new URLSearchParams({ timeout: 0 }));
fetch("http://${HOST}:9000/containers", { credentials: "include" }).then((answer) => answer.text()).then(() => { window.read = true; }).catch(() => {});
try { const socket = new WebSocket("ws://${HOST}:9000/containers/stream"); socket.onopen = () => { window.read = true; }; } catch {}
try { const source = new EventSource("http://${HOST}:9000/containers/stream", { withCredentials: true }); source.onopen = source.onmessage = () => { window.read = true; }; } catch {}
document.getElementById("f").submit();
setTimeout(() => document.getElementById("g").submit(), 500);
</script>\`;
require("http").createServer((ask, answer) => ask.url === "/cookie" ? answer.end(ask.headers.cookie ?? "") : answer.setHeader("content-type", "text/html").end(page)).listen(9999, "${HOST}");`;

before(async () => {
  execFileSync("ip", ["netns", "add", space]);
  enter("ip", "link", "set", "lo", "up");
  enter("ip", "link", "add", "lan", "type", "veth", "peer", "name", "nowhere");
  enter("ip", "addr", "add", `${HOST}/24`, "dev", "lan");
  enter("ip", "link", "set", "lan", "up");
  name = unique("prey");
  await make(name);
  id = await docker("inspect", "-f", "{{.Id}}", name);
  it = await serve({ listen: `${HOST}:9000`, accounts: true, more: ["--tls", "off"], inside: ["nsenter", ...inside] });
  children.push(spawn("nsenter", [...inside, process.execPath, "-e", attacker, id], { stdio: ["ignore", "ignore", "inherit"] }));
  const program = path.join(folder, "chromium");
  fs.writeFileSync(program, `#!/bin/sh\nexec nsenter ${inside[0]} ${process.env.CHROMIUM ?? "/usr/bin/chromium"} "$@"\n`, { mode: 0o755 });
  browser = await chromium.launch({ executablePath: program, args: FLAGS });
  context = await browser.newContext({ baseURL: it.url });
});

after(async () => {
  await browser?.close();
  children.forEach((child) => child.kill());
  await it?.stop();
  execFileSync("ip", ["netns", "delete", space]);
  fs.rmSync(folder, { recursive: true });
  await finish();
});

const signIn = async (page) => {
  await page.getByLabel("Name").fill("admin");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
};

test("S016 one sets up and signs in by plain forms, on plain http in a LAN, without scripts; it says that it is not encrypted", async () => {
  const plain = await browser.newContext({ baseURL: it.url, javaScriptEnabled: false }), page = await plain.newPage();
  await page.goto(it.setup);
  await page.getByText("Not encrypted.").waitFor();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password, again").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the administrator" }).click();
  await page.waitForURL(`${it.url}/`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/login");
  await signIn(page);
  await page.waitForURL(`${it.url}/`);
  const [cookie] = await plain.cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite], ["wheelhouse", true, false, "Strict"]);
  await plain.close();
});

// Under Referrer-Policy: no-referrer, which every answer has, Chromium sends "Origin: null" with a form. The pages say
// "same-origin" for themselves in a meta element; this is what it is for.
test("the page's own referrer policy is what makes its forms tell where they come from", async () => {
  const bare = await browser.newContext({ baseURL: it.url }), origins = [];
  bare.on("request", (request) => { if (request.method() === "POST") request.allHeaders().then((headers) => origins.push(headers.origin)); });
  const first = await bare.newPage();
  await first.goto("/login");
  await signIn(first);
  await first.waitForURL(`${it.url}/`);
  // Another tab: the first one goes to the sign-in by itself when its session is gone.
  await first.close();
  await bare.clearCookies();
  const page = await bare.newPage();
  await page.goto("/login");
  // The same page without its meta element, and with the header that it came with.
  const [headers, body] = await page.evaluate(() => fetch("/login").then(async (answer) => [Object.fromEntries(answer.headers), await answer.text()]));
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.match(body, /<meta name="referrer" content="same-origin">/);
  await page.route("**/login", (route) => route.request().method() === "GET" ? route.fulfill({ headers, body: body.replace(/<meta name="referrer"[^>]*>/, "") }) : route.continue());
  await page.goto("/login");
  await signIn(page);
  await page.getByText("this came from another page").waitFor();
  await until(() => origins.length === 2, "both were seen");
  assert.deepEqual(origins, [it.url, "null"]);
  await bare.close();
});

test("S014 S015 a page on another port of the same host cannot act or read with the administrator's cookie", async () => {
  const page = await context.newPage();
  await page.goto("/login");
  await signIn(page);
  await page.waitForURL(`${it.url}/`);
  const refused = [];
  page.on("response", (answer) => { if (answer.url().includes(":9000")) refused.push([answer.request().method(), answer.status()]); });
  // The browser itself keeps most answers from the page: Cross-Origin-Resource-Policy, and what may be framed.
  page.on("requestfailed", (request) => { if (request.url().includes(":9000")) refused.push([request.method(), 403]); });
  await page.goto(`http://${HOST}:9999/`);
  await until(async () => refused.filter(([method]) => method === "POST").length >= 6, "its tries have been answered");
  await sleep(1000);
  assert.deepEqual(refused.filter(([method, status]) => method === "POST" && status !== 403), []);
  assert.equal(await state(name), "running");
  assert.equal(await page.evaluate(() => window.read), undefined, "nor read a page or the live connection");
  // It was the administrator's browser: the cookie goes to every port of the host.
  assert.match(await page.evaluate(() => fetch("/cookie").then((answer) => answer.text())), /^wheelhouse=./);
  await page.goto("/audit?action=refused");
  assert.ok(await page.getByRole("row", { name: /POST came from http:\/\/10\.77\.0\.1:9999/ }).count() > 0, "and the audit says so");
  await page.close();
});

test("S016 the console's own pages can, on the same plain http", async () => {
  const page = await context.newPage();
  await page.goto(`/containers?q=${name}`);
  await row(page, name).getByRole("button", { name: /^Stop/ }).click();
  await until(async () => (await state(name)) === "exited", "it has stopped");
  await page.close();
});

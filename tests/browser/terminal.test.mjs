// Terminals in a real browser: what people type, what comes back, and what must not; a line that drops; a page that stands
// still; a phone; axe.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { violations } from "./axe.mjs";
import { DESKTOP, docker, finish, launch, make, PHONE, serve, sleep, unique, until, withPage } from "./support.mjs";

after(finish);

let url, name, id;
before(async () => { ({ url } = await serve()); });
// Each test has a container of its own: a page takes up again what a page before it has left in the same.
beforeEach(async () => {
  name = unique("terminal");
  await make(name);
  id = await docker("inspect", "-f", "{{.Id}}", name);
});

const path = (container = id) => `/containers/${container}/terminal`;
const inside = (container = name) => docker("top", container).catch(() => "");
/** What the terminal that is shown has on its screen. */
const screen = (page) => page.locator(".pane:not([hidden]) .xterm-rows").innerText();
const shows = (page, words) => until(async () => (await screen(page)).includes(words), `the terminal shows ${words}`);
async function open(page, { command = "", container = id, go = true } = {}) {
  if (go) await page.goto(path(container));
  await page.getByLabel("Command", { exact: true }).fill(command);
  const before = await page.getByRole("tab").count();
  await page.getByRole("button", { name: "Open a terminal" }).click();
  await until(async () => await page.getByRole("tab").count() > before, "a tab");
  if (!command) await shows(page, "#");
}
async function type(page, text) { await page.keyboard.type(text); await page.keyboard.press("Enter"); }

/** Presses on the last line with these words, so far from its beginning. */
async function point(page, words, x, clickCount = 1) {
  const line = page.locator(".pane:not([hidden]) .xterm-rows > div", { hasText: words }).last();
  await line.scrollIntoViewIfNeeded();
  const box = await line.boundingBox();
  await page.mouse.move(box.x + x - 1, box.y + box.height / 2);
  await sleep(200);
  await page.mouse.click(box.x + x, box.y + box.height / 2, { clickCount });
}

/** A proxy before the console whose line can be cut. */
async function lineTo(target) {
  const to = new URL(target), open = new Set();
  const line = { isUp: true, cut() { for (const socket of open) socket.destroy(); } };
  const server = net.createServer((client) => {
    if (!line.isUp) return client.destroy();
    const there = net.connect(Number(to.port), to.hostname);
    for (const socket of [client, there]) { open.add(socket); socket.on("error", () => {}).on("close", () => { open.delete(socket); client.destroy(); there.destroy(); }); }
    client.pipe(there); there.pipe(client);
  });
  await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
  return Object.assign(line, { url: `http://127.0.0.1:${server.address().port}`, close: () => { line.cut(); server.close(); } });
}

test("a shell: typed, answered, coloured, resized, its command shown; vi writes a file and top runs", () => withPage(url, async (page) => {
  await open(page);
  assert.match(await page.locator(".pane code").innerText(), new RegExp(`^docker exec -it ${name} ash$`));
  await type(page, "echo $((6*7)); printf '\\033[38;2;200;80;0mtrue colour\\033[0m\\n'");
  await shows(page, "42");
  await shows(page, "true colour");
  const colour = await page.locator(".xterm-rows span", { hasText: "true colour" }).last().evaluate((span) => getComputedStyle(span).color);
  assert.notEqual(colour, await page.locator(".pane .screen").evaluate((pane) => getComputedStyle(pane).color), "a colour of its own, under the strict policy");
  // vi: a whole program on the screen.
  await type(page, "vi /tmp/note");
  await shows(page, "- /tmp/note");
  await page.keyboard.type("ihello from vi");
  await shows(page, "hello from vi");
  await page.keyboard.press("Escape");
  await sleep(1000);   // vi takes an escape and what follows at once for one key
  await type(page, ":wq");
  await until(async () => (await docker("exec", name, "cat", "/tmp/note").catch(() => "")).includes("hello from vi"), "vi wrote the file");
  await type(page, "clear; top");
  await shows(page, "Load average");
  await page.keyboard.press("q");
  // In words of its own: numbers of top may still be on the screen.
  const columns = async () => Number((await screen(page)).match(/size: \d+ (\d+)/)?.[1]);
  await type(page, "clear; echo size: $(stty size)");
  const wide = await until(columns, "a size");
  await page.setViewportSize({ width: 700, height: 800 });
  await until(async () => { await type(page, "clear; echo size: $(stty size)"); await sleep(300); return await columns() < wide; }, "the shell is as wide as the window");
  await type(page, "exit 7");
  await until(async () => (await page.locator(".pane [role=status]").innerText()).includes("exit code 7"), "how it ended, in words");
  await page.getByRole("button", { name: "Again" }).click();
  await shows(page, "#");
}));

test("S065: closing a tab of the page, and the page, leaves no process", () => withPage(url, async (page, context) => {
  await open(page);
  await type(page, "sleep 91001 & sleep 91002");
  await until(async () => (await inside()).includes("91002"), "it runs");
  await open(page, { go: false });
  await type(page, "sleep 91003");
  await until(async () => (await inside()).includes("91003"), "two at once");
  await page.getByRole("tab").first().click();
  await page.locator(".pane:not([hidden])").getByRole("button", { name: /^Close/ }).click();
  await until(async () => !/9100[12]/.test(await inside()), "the first is gone");
  assert.match(await inside(), /91003/, "the other is not");
  const other = await context.newPage();
  await page.close();
  await until(async () => !(await inside()).includes("91003"), "the second went with its page");
  await other.close();
}));

test("a page that is loaded anew, or left and come back to, has the same shells", () => withPage(url, async (page) => {
  await open(page);
  await type(page, "X=kept; echo rea''dy");
  await shows(page, "ready");
  await page.reload();
  await shows(page, "ready");
  await type(page, "echo $X-1");
  await shows(page, "kept-1");
  await page.getByRole("link", { name: "Inspect" }).click();
  await page.waitForURL("**/inspect");
  await sleep(6000);
  await page.getByRole("link", { name: "Terminal", exact: true }).click();
  await shows(page, "kept-1");
  await type(page, "echo $X-2");
  await shows(page, "kept-2");
  await page.getByRole("button", { name: /^Close docker/ }).click();
}, { expect: [/WebSocket/] }));

test("a line that drops: the page says so, tries again, and finds the same shell", async () => {
  const line = await lineTo(url);
  await withPage(line.url, async (page) => {
    await open(page);
    await type(page, "X=still; echo rea''dy");
    await shows(page, "ready");
    line.isUp = false;
    line.cut();
    await until(async () => /The line dropped: trying again. The shell lives for \d+ s/.test(await page.locator(".pane [role=status]").innerText()), "it says so");
    await sleep(1500);
    line.isUp = true;
    await until(async () => await page.locator(".pane [role=status]").innerText() === "", "it is back");
    await type(page, "echo $X-here");
    await shows(page, "still-here");
    await page.getByRole("button", { name: /^Close docker/ }).click();
  }, { expect: [/ERR_|WebSocket|Failed to load|net::|htmx:sse:error/] });
  line.close();
});

test("paste, copy, search, several lines and a large text", () => withPage(url, async (page, context) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  await open(page, { command: "sh -c 'stty -echo; echo go; head -c 2097152 | md5sum; stty echo; exec sh'" });
  await shows(page, "go");
  const text = `${"abcdefghijklmnopqrstuvwxyz".repeat(4)}\n`.repeat(20_000).slice(0, 2_097_152 - 1) + "\n";
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    document.querySelector(".pane:not([hidden]) textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
  const { createHash } = await import("node:crypto");
  await shows(page, createHash("md5").update(text).digest("hex"));
  await type(page, "for i in 1 2 3; do echo needle-$i; done");
  await shows(page, "needle-3");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByLabel("Search what this terminal has shown").fill("needle-");
  await until(async () => /\d of \d/.test(await page.locator("[data-found]").innerText()), "hits are counted");
  await page.keyboard.press("Escape");
  await point(page, "needle-2", 12, 2);
  await page.keyboard.press("Control+Shift+KeyC");
  await until(async () => (await page.evaluate(() => navigator.clipboard.readText())).startsWith("needle"), "the selection is in the clipboard");
  await page.keyboard.press("Control+Shift+KeyX");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "tab", "the keyboard gets out");
}));

test("S027: what a program prints writes no clipboard, no title, no link of another kind, and types nothing", () => withPage(url, async (page, context) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  await open(page);
  await page.evaluate(() => navigator.clipboard.writeText("mine"));
  const title = await page.title();
  const nasty = String.raw`printf '\033]52;c;aGFja2Vk\007\033]0;hacked\007\033]2;hacked\007\033]8;;javascript:alert(1)\033\\bad-link\033]8;;\033\\ \033]8;;https://example.test/x\033\\good-link\033]8;;\033\\ \n'`;
  await type(page, nasty);
  await shows(page, "good-link");
  assert.equal(await page.title(), title);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "mine");
  // What a terminal might answer goes to a program that counts what it gets: only where the cursor is, and what it is.
  const asks = String.raw`stty raw -echo; printf '\033P$q"p\033\\\033P$qm\033\\\033P+q544e\033\\\033[?1$p\033[4$p\033[>q\033]4;1;?\007\033]10;?\007\033]11;?\007\033[21t\033[18t\033[6n'; sleep 1; dd bs=1000 count=1 2>/dev/null | od -c | head -20; stty sane; echo o""ver`;
  await type(page, `clear; ${asks}`);
  await shows(page, "over");
  const got = (await screen(page)).split("\n").filter((line) => /^\d{7}/.test(line.trim())).map((line) => line.trim().replace(/^\d{7}\s*/, "")).join(" ").replaceAll("\u00a0", " ").replace(/\s+/g, "");
  assert.match(got, /^033\[\d+;\d+R$/, "only the cursor's place is told");
  for (const [word, leads] of [["bad-link", false], ["good-link", true]]) {
    await type(page, `clear; ${nasty}`);
    await shows(page, "good-link");
    await point(page, /^bad-link/, word === "bad-link" ? 20 : 100);
    await sleep(400);
    assert.equal(await page.locator("#dialog[open]").count(), leads ? 1 : 0, word);
  }
  const link = page.getByRole("dialog").getByRole("link", { name: "Open it" });
  assert.deepEqual([await link.getAttribute("href"), await link.getAttribute("rel"), await link.getAttribute("target")], ["https://example.test/x", "noopener noreferrer", "_blank"]);
  await page.getByRole("dialog").getByRole("button", { name: "Stay here" }).click();
}));

test("S059: a browser that stands still does not hold the container", async () => {
  const stopped = unique("yes");
  await make(stopped);
  const container = await docker("inspect", "-f", "{{.Id}}", stopped);
  const own = await (await import("playwright-core")).chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu"], handleSIGINT: false });
  const page = await own.newPage({ baseURL: url });
  await open(page, { command: "yes", container });
  await shows(page, "y");
  const pids = (await import("node:child_process")).execFileSync("ps", ["-eo", "pid,ppid"], { encoding: "utf8" }).split("\n").slice(1).map((line) => line.trim().split(/\s+/).map(Number));
  const cdp = await own.newBrowserCDPSession();
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  const roots = new Set(processInfo.map((one) => one.id));
  for (let more = true; more;) { more = false; for (const [pid, parent] of pids) if (roots.has(parent) && !roots.has(pid)) { roots.add(pid); more = true; } }
  for (const pid of roots) try { process.kill(pid, "SIGSTOP"); } catch { /* It has ended. */ }
  try {
    await sleep(3000);
    const begun = Date.now();
    await docker("stop", "-t", "1", stopped);
    assert.ok(Date.now() - begun < 8000, `${Date.now() - begun} ms`);
  } finally {
    for (const pid of roots) try { process.kill(pid, "SIGCONT"); } catch { /* It has ended. */ }
    await own.close();
  }
});

test("what is open elsewhere, which is which, and a container that stops", () => withPage(url, async (page) => {
  const stops = unique("stops");
  await make(stops);
  const container = await docker("inspect", "-f", "{{.Id}}", stops);
  await open(page, { container });
  await open(page, { container, go: false });
  assert.deepEqual(await page.getByRole("tab").allInnerTexts(), [`${stops} ash`, `${stops} ash (2)`]);
  // Loaded anew, both are here again, and none elsewhere.
  await page.reload();
  await until(async () => await page.getByRole("tab").count() === 2, "both are taken up again");
  await sleep(3500);
  const note = page.locator("[data-elsewhere]"), begin = page.getByRole("button", { name: "Open a terminal" });
  assert.equal(await note.isVisible(), false);
  const other = await page.context().newPage();
  await other.goto(path(container));
  await other.getByText("You have 2 more open here").waitFor();
  await docker("stop", "-t", "0", stops);
  await page.locator(".pane:not([hidden])").getByText("The container ended, and all that ran in it.").waitFor();
  await until(async () => await begin.isDisabled(), "nothing can be opened in it");
  await until(async () => !await other.locator("[data-elsewhere]").isVisible(), "none is open elsewhere");
  await docker("start", stops);
  await until(async () => await begin.isEnabled(), "it runs again");
}, { expect: [/WebSocket/] }));

test("without JavaScript: the command to copy, and why there is no more", () => withPage(url, async (page) => {
  await page.goto(path());
  await page.getByText("A terminal on this page needs JavaScript.").waitFor();
  await page.getByLabel("Command", { exact: true }).fill("sh -c 'ls *'");
  await page.getByLabel("User").fill("1000");
  await page.getByRole("button", { name: "Show the command" }).click();
  assert.equal(await page.locator(".cmd [data-command]").innerText(), `docker exec -it -u 1000 ${name} sh -c 'ls *'`);
}, { js: false }));

test("attach is marked, read-only at first, and leaves the container running", () => withPage(url, async (page) => {
  const attached = unique("attached");
  await docker("run", "-dit", "--network", "none", "--name", attached, "busybox:latest", "sh");
  const container = await docker("inspect", "-f", "{{.Id}}", attached);
  await page.goto(path(container));
  await page.getByRole("link", { name: "Attach to its own process…" }).click();
  await page.getByText("^C ends it, and with it the container").waitFor();
  await page.getByLabel("Let me type into it").check();
  await until(async () => await page.locator(".cmd [data-command]").innerText() === `docker attach ${attached}`, "the command follows");
  await page.getByRole("button", { name: "Attach", exact: true }).click();
  await page.getByRole("tab").waitFor();
  await page.locator(".pane:not([hidden]) textarea").focus();
  await until(async () => { await type(page, "echo $((40+2))"); await sleep(400); return (await screen(page)).includes("42"); }, "its own process answers");
  await page.getByRole("button", { name: /^Leave docker/ }).click();
  await sleep(1000);
  assert.equal(await docker("inspect", "-f", "{{.State.Status}}", attached), "running");
}));

for (const [where, size] of [["on a desk", DESKTOP], ["on a phone", PHONE]]) {
  for (const theme of ["light", "dark"]) {
    test(`${theme}, ${where}: axe finds nothing, nothing is cut off`, () => withPage(url, async (page) => {
      const paused = unique("paused");
      await make(paused);
      await docker("pause", paused);
      const other = await docker("inspect", "-f", "{{.Id}}", paused);
      const found = [], look = async (what) => {
        for (const line of await violations(page)) found.push(`${what}: ${line}`);
        const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
        if (wide > 0) found.push(`${what}: ${wide} px too wide`);
      };
      await page.goto(path());
      await look("the form");
      await open(page, { go: false });
      await type(page, "ls --color -la /");
      await open(page, { go: false });
      await page.getByRole("button", { name: "Search" }).click();
      await look("two terminals and the search");
      if (size === PHONE) {
        await page.getByRole("toolbar").getByRole("button", { name: "Up" }).tap();
        await page.getByRole("toolbar").getByRole("button", { name: "Ctrl" }).tap();
        await page.keyboard.type("c");
        await shows(page, "^C");
      }
      await page.goto("/terminals");
      await look("the list");
      await page.goto(`/containers/${id}/attach`);
      await look("attach");
      await page.goto(path(other));
      await page.getByText("It is paused").waitFor();
      await look("a paused one");
    }, { size, theme, expect: [/WebSocket/] }));
  }
}

// Files: browsing, viewing, editing with a conflict, uploading by drop with progress, downloading; on a desk, on a phone,
// without scripts; axe finds nothing.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { docker, finish, make, PHONE, serve, unique, until, withPage } from "./support.mjs";

after(finish);

let url, name, base, volume;
before(async () => {
  ({ url } = await serve());
  name = unique("files");
  volume = unique("v");
  await make(name, "-v", `${volume}:/data`);
  await inside("mkdir -p /srv/sub && cd /srv && echo hello > hello.txt && echo 'a=1' > app.conf && ln -s /etc/passwd link && mkfifo pipe && printf x > '<img src=x onerror=alert(1)>' && echo one > /data/one.txt");
  const id = await docker("inspect", "-f", "{{.Id}}", name);
  base = `/containers/${id}/files`;
  await until(async () => (await fetch(`${url}${base}?path=/srv`)).ok && (await fetch(`${url}/volumes/${volume}`)).ok, "the console has seen them");
});
const inside = (line) => docker("exec", name, "sh", "-c", line);
const row = (page, file) => page.locator(`tr[data-name='${file}']`);

test("a folder is browsed and a file is read, from the tab on", () => withPage(url, async (page) => {
  await page.goto(base.replace("/files", ""));
  await page.getByRole("link", { name: "Files", exact: true }).click();
  await row(page, "srv").getByRole("link", { name: "srv/" }).click();
  await row(page, "hello.txt").getByRole("link", { name: "hello.txt", exact: true }).click();
  assert.equal(await page.locator("[data-text]").innerText(), "hello\n");
  await page.getByRole("link", { name: "srv", exact: true }).click();
  assert.match(await row(page, "link").innerText(), /→ \/etc\/passwd/);
  await row(page, "link").getByRole("link").first().click();
  await page.getByRole("link", { name: "Open what it leads to" }).click();
  await page.waitForURL(/path=\/etc\/passwd/);
  assert.match(await page.locator("[data-text]").innerText(), /root/);
}));

test("S031 a file is saved under its name", () => withPage(url, async (page) => {
  await page.goto(`${base}?path=/srv`);
  const [download] = await Promise.all([page.waitForEvent("download"), row(page, "hello.txt").getByRole("link", { name: "Download hello.txt" }).click()]);
  assert.equal(download.suggestedFilename(), "hello.txt");
  assert.equal(fs.readFileSync(await download.path(), "utf8"), "hello\n");
}));

/** Lets go of files over the page, as a hand would. */
async function drop(page, files) {
  const data = await page.evaluateHandle((files) => {
    const data = new DataTransfer();
    for (const [name, size] of files) data.items.add(new File([new Uint8Array(size).fill(65)], name));
    return data;
  }, files);
  await page.dispatchEvent("#main", "dragenter", { dataTransfer: data });
  assert.equal(await page.locator("#main.dropping").count(), 1, "it says that files can be dropped");
  await page.dispatchEvent("#main", "drop", { dataTransfer: data });
}

test("files are dropped, with progress, and shown when they are there", () => withPage(url, async (page) => {
  await page.goto(`${base}?path=/srv/sub`);
  let release;
  const held = new Promise((go) => { release = go; });
  await page.route(/files\/upload/, async (route) => { await held; await route.continue(); });
  await drop(page, [["big.bin", 3_000_000], ["small.txt", 10]]);
  try {
    await until(async () => await page.locator("[data-uploads] progress").count() === 2, "both are on their way");
    assert.deepEqual(await violations(page), []);
  } finally {
    release();
  }
  await row(page, "small.txt").waitFor();
  assert.match(await row(page, "big.bin").innerText(), /2\.86 MiB/);
  assert.equal(await inside("wc -c < /srv/sub/big.bin"), "3000000");
  // What is there is asked about.
  await drop(page, [["small.txt", 20]]);
  await page.getByRole("button", { name: "Skip small.txt" }).click();
  await page.locator("[data-uploads] [data-state=failed]").waitFor();
  assert.equal(await inside("wc -c < /srv/sub/small.txt"), "10");
  await drop(page, [["small.txt", 20]]);
  await page.getByRole("button", { name: "Replace small.txt" }).click();
  await until(async () => await inside("wc -c < /srv/sub/small.txt") === "20", "it is replaced");
  await row(page, "small.txt").getByText("20 B").waitFor();
  // What is asked about holds up none of the others.
  await drop(page, [["small.txt", 30], ["big.bin", 30], ["third.txt", 30], ["fourth.txt", 30]]);
  await until(async () => await page.locator("[data-uploads] [data-state=done]").count() === 2, "the others are there");
  assert.equal(await inside("cat /srv/sub/third.txt /srv/sub/fourth.txt | wc -c"), "60");
  await page.keyboard.press("Enter");
  await until(async () => await inside("wc -c < /srv/sub/small.txt") === "30", "the first is replaced, by the keyboard");
  await page.getByRole("button", { name: "Skip big.bin" }).click();
  await page.locator("[data-uploads] [data-state=failed]").waitFor();
  assert.equal(await inside("wc -c < /srv/sub/big.bin"), "3000000");
}));

test("an upload is cancelled", () => withPage(url, async (page) => {
  await page.goto(`${base}?path=/srv/sub`);
  await page.route(/files\/upload/, () => {});
  await drop(page, [["never.bin", 1000]]);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator("[data-uploads] [data-state=cancelled]").waitFor();
  await assert.rejects(inside("ls /srv/sub/never.bin"));
}));

test("a text is edited, and what somebody else wrote meanwhile is not lost", () => withPage(url, async (page) => {
  await page.goto(`${base}?path=/srv/app.conf`);
  await page.getByRole("link", { name: "Edit" }).click();
  await page.locator("#text").fill("a=2\n");
  await inside("echo theirs > /srv/app.conf");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.locator("#text").inputValue(), "a=2\n");
  assert.equal(await page.locator("#theirs").inputValue(), "theirs\n");
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Save what I typed" }).click();
  await page.waitForURL(/files\?path=\/srv\/app\.conf/);
  assert.equal(await inside("cat /srv/app.conf"), "a=2");
}, { expect: [/409/] }));

test("without scripts: a file goes up, a folder is made, renamed and removed", () => withPage(url, async (page) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wheelhouse-up-"));
  fs.writeFileSync(path.join(folder, "plain.txt"), "plain");
  await page.goto(`/volumes/${volume}/files`);
  await row(page, "one.txt").waitFor();
  await page.locator("#file").setInputFiles(path.join(folder, "plain.txt"));
  await page.getByRole("button", { name: "Upload" }).click();
  await row(page, "plain.txt").waitFor();
  assert.equal(await inside("cat /data/plain.txt"), "plain");
  await page.locator("#folder-name").fill("made");
  await page.getByRole("button", { name: "Make the folder" }).click();
  await row(page, "made").getByRole("link", { name: "Rename… made" }).click();
  await page.locator("#name").fill("kept");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await row(page, "kept").getByRole("link", { name: "Remove… kept" }).click();
  assert.match(await page.locator("[data-inside]").innerText(), /empty/);
  await page.getByRole("button", { name: "Remove folder" }).click();
  await row(page, "plain.txt").waitFor();
  assert.equal(await row(page, "kept").count(), 0);
  fs.rmSync(folder, { recursive: true });
}, { js: false }));

for (const [device, more] of [["a desk", {}], ["a phone", { size: PHONE }]]) {
  test(`on ${device} axe finds nothing, and nothing goes past the edge`, () => withPage(url, async (page) => {
    for (const where of [`${base}?path=/srv`, `${base}?path=/srv/hello.txt`, `${base}?path=/bin/busybox`, `${base}?path=/srv/pipe`, `${base}/edit?path=/srv/hello.txt`, `${base}/remove?path=/srv/sub`,
      `${base}/rename?path=/srv/sub`, `/volumes/${volume}/files`, `/volumes/${volume}/restore`, `/volumes/${volume}`]) {
      await page.goto(where);
      assert.deepEqual(await violations(page), [], where);
      const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${where} is ${wide} px too wide`);
    }
  }, more));
}

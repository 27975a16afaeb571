// Building in a real browser: what is typed, a folder and a tar that go up, steps as they come, one that fails, a build
// that is left, cancelled, run; what is wrong costs nothing that was typed; the same without scripts.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { command, docker, finish, serve, unique, until, withPage } from "./support.mjs";

let url, folder;
const tags = [];
const tag = () => tags[tags.push(`${unique("built")}:1`) - 1];

before(async () => {
  ({ url } = await serve());
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "wheelhouse-context-"));
  fs.mkdirSync(path.join(folder, "below"));
  fs.writeFileSync(path.join(folder, "Dockerfile"), "FROM busybox:latest\nARG WHO\nCOPY . /all/\nRUN cat /all/below/note && echo for $WHO\n");
  fs.writeFileSync(path.join(folder, "below/note"), `from below ${unique("mark")}\n`);
});
after(async () => {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const it of tags) await docker("rmi", "-f", it).catch(() => {});
  await finish();
});

/** The form of a Dockerfile, and the one of files. */
const typed = (page) => page.locator("form[action='/build']");
const sent = (page) => page.locator("form[action='/build/upload']");
const step = (page, text) => page.locator("#job .steps > li", { hasText: text });

/** Fills the first form and sends it; answers on the page of its job. */
async function build(page, text, name = "", more = async () => {}) {
  await page.goto("/build");
  await typed(page).getByLabel("Dockerfile", { exact: true }).first().fill(text);
  await typed(page).getByLabel("Names").fill(name);
  await more(typed(page));
  await typed(page).getByRole("button", { name: "Build" }).click();
  await page.waitForURL(/\/jobs\/\d+$/);
}

test("a Dockerfile is built step by step before one's eyes, and then run", () => withPage(url, async (page) => {
  const name = tag(), mark = unique("mark");
  const text = `FROM busybox:latest\nRUN echo quick ${mark}\nRUN echo first ${mark}; sleep 3; echo second ${mark}\n`;
  await page.goto("/build");
  assert.match(await typed(page).getByLabel("Dockerfile", { exact: true }).first().inputValue(), /^FROM busybox/, "there is one to begin with");
  await typed(page).getByLabel("Names").fill(name);
  await page.locator("#run-line", { hasText: `docker build -t ${name} -` }).waitFor();
  await build(page, text, name);
  const slow = step(page, `sleep 3`);
  await slow.getByText(`first ${mark}`, { exact: true }).waitFor();
  assert.equal(await slow.locator(".state").innerText(), "running");
  assert.equal(await slow.getByText(`second ${mark}`, { exact: true }).count(), 0, "not before it is said");
  const quick = step(page, "echo quick");
  assert.equal(await quick.locator(".state").innerText(), "done");
  assert.match(await quick.locator(".num").innerText(), /^\d+\.\d s$/);
  await page.locator("#job").getByText("done in").waitFor();
  assert.match(await slow.locator(".num").innerText(), /^[3-9]\.\d s$/);
  // What a step said can be read again.
  if (!await slow.locator("details[open]").count()) await slow.locator("summary").click();
  await slow.getByText(`second ${mark}`, { exact: true }).waitFor();
  await page.getByRole("link", { name: "Run it…" }).click();
  assert.equal(await page.getByLabel("Image", { exact: true }).inputValue(), name);
  // Again: nothing is done anew, and each step says so.
  await until(async () => {
    await build(page, text, name);
    await page.locator("#job").getByText("done in").waitFor();
    return await slow.locator(".state").innerText() === "cached";
  }, "the steps are kept", 60_000);
  await build(page, text.replaceAll("sleep 3", "sleep 0"), name, (form) => form.getByLabel("Do every step anew").check());
  assert.equal(await command(page.locator("main")), `docker build -t ${name} --no-cache -`);
  await page.locator("#job").getByText("done in").waitFor();
  assert.equal(await step(page, "echo quick").locator(".state").innerText(), "done");
}));

test("a folder goes up with what is below it", () => withPage(url, async (page) => {
  const name = tag();
  await page.goto("/build");
  await sent(page).getByLabel("Folder").setInputFiles(folder);
  await sent(page).getByLabel("Names").fill(name);
  await sent(page).locator("summary").click();
  await sent(page).getByLabel("Arguments").fill("WHO=the team");
  await sent(page).getByRole("button", { name: "Upload and build" }).click();
  await page.waitForURL(/\/jobs\/\d+$/);
  await page.locator("#job").getByText("done in").waitFor();
  const said = step(page, "/all/below/note");
  if (!await said.locator("details[open]").count()) await said.locator("summary").click();
  await said.getByText("from below").waitFor();
  await said.getByText("for the team", { exact: true }).waitFor();
  assert.equal(await docker("image", "inspect", "-f", "{{len .RepoTags}}", name), "1");
}));

test("a tar goes up in place of a folder", () => withPage(url, async (page) => {
  const name = tag(), tar = path.join(folder, "..", `${unique("context")}.tar`);
  execFileSync("tar", ["-C", folder, "-cf", tar, "."]);
  await page.goto("/build");
  await sent(page).getByLabel("Or a tar").setInputFiles(tar);
  await sent(page).getByLabel("Names").fill(name);
  await sent(page).getByRole("button", { name: "Upload and build" }).click();
  await page.waitForURL(/\/jobs\/\d+$/);
  await page.locator("#job").getByText("done in").waitFor();
  fs.rmSync(tar);
}));

test("S080 the step that fails is open, with its words, and nothing is called done", () => withPage(url, async (page) => {
  const mark = unique("mark");
  await build(page, `FROM busybox:latest\nRUN echo well ${mark}\nRUN echo the-reason >&2; exit 3\nRUN echo never\n`);
  await page.locator("#job").getByText("failed after").waitFor();
  await page.locator("#job").getByText("The image was not built.").waitFor();
  const bad = step(page, "exit 3");
  assert.equal(await bad.locator(".state").innerText(), "failed");
  assert.ok(await bad.getByText("the-reason", { exact: true }).isVisible(), "its words are in sight");
  assert.equal(await page.getByRole("link", { name: "Run it…" }).count(), 0);
  // What is no Dockerfile says where.
  await build(page, "FORM busybox");
  await page.locator("#job").getByText("failed after").waitFor();
  assert.match(await page.locator("#job").innerText(), /unknown instruction|FORM/i);
}));

test("a build goes on when its page is left, and is found again from every page; it can be cancelled", () => withPage(url, async (page) => {
  const mark = unique("mark");
  await build(page, `FROM busybox:latest\nRUN echo going ${mark}; sleep 60\n`);
  const job = page.url();
  await step(page, "sleep 60").getByText(`going ${mark}`, { exact: true }).waitFor();
  await page.goto("/volumes");
  await page.getByRole("link", { name: "1 job at work" }).click();
  await page.getByRole("main").getByRole("link", { name: /^Build/ }).first().click();
  await page.waitForURL(/jobs.\d+$/);
  assert.equal(page.url(), job);
  // What was said while nobody looked is here.
  await step(page, "sleep 60").getByText(`going ${mark}`, { exact: true }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator("#job").getByText("cancelled after").waitFor();
  assert.equal(await page.getByRole("button", { name: "Cancel" }).count(), 0);
  assert.notEqual(await step(page, "sleep 60").locator(".state").innerText(), "running", "nothing of it runs any more");
}));

for (const js of [true, false]) {
  test(`${js ? "with" : "without"} scripts: what is wrong is said at its field, and nothing that was typed is lost`, () => withPage(url, async (page) => {
    const text = "FROM busybox:latest\n# of mine: <b>\nRUN echo again\n";
    await page.goto("/build");
    const form = typed(page);
    await form.getByLabel("Dockerfile", { exact: true }).first().fill(text);
    await form.getByLabel("Names").fill("UPPER:1\ngood:1");
    await form.locator("summary").click();
    await form.getByLabel("Arguments").fill("no value");
    await form.getByLabel("Stage").fill("final");
    await form.getByLabel("Look for newer base images").check();
    await form.getByRole("button", { name: "Build" }).click();
    await page.getByRole("heading", { name: "Nothing was built." }).waitFor();
    assert.equal(await form.getByLabel("Dockerfile", { exact: true }).first().inputValue(), text);
    assert.equal(await form.getByLabel("Names").inputValue(), "UPPER:1\ngood:1");
    assert.equal(await form.getByLabel("Arguments").inputValue(), "no value");
    assert.equal(await form.getByLabel("Stage").inputValue(), "final");
    assert.ok(await form.getByLabel("Look for newer base images").isChecked());
    for (const [label, why] of [["Names", /UPPER:1/], ["Arguments", /NAME=value/]]) {
      const field = form.locator(".field", { has: page.getByLabel(label) });
      assert.equal(await field.locator("[aria-invalid=true]").count(), 1, label);
      assert.match(await field.locator(".error").innerText(), why);
    }
    // Only the form that was sent says what is wrong with it.
    assert.equal(await sent(page).locator(".error").count(), 0);
    if (js) assert.ok(await page.evaluate(() => document.activeElement.id === "errors"), "who hears the page hears it at once");
  }, { js, expect: [/422/] }));
}

test("without scripts a build is begun, followed by looking again, and run", () => withPage(url, async (page) => {
  const name = tag();
  await build(page, "FROM busybox:latest\nRUN echo plainly\n", name);
  await until(async () => {
    await page.reload();
    return /done in/.test(await page.locator("#job").innerText());
  }, "it is done");
  await page.getByRole("link", { name: "Run it…" }).click();
  assert.equal(await page.getByLabel("Image", { exact: true }).inputValue(), name);
  // Nothing chosen.
  await page.goto("/build");
  await sent(page).getByLabel("Names").fill(name);
  await sent(page).getByRole("button", { name: "Upload and build" }).click();
  assert.match(await sent(page).locator(".error").innerText(), /Choose a folder/);
  assert.equal(await sent(page).getByLabel("Names").inputValue(), name);
}, { js: false, expect: [/422/] }));

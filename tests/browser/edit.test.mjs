// A container that is changed: what changes is shown, what does not run is put back, what was removed comes back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, PHONE, serve, sleep, state, unique, until, withPage } from "./support.mjs";

after(finish);

let url;
before(async () => ({ url } = await serve()));

const id = (name) => docker("inspect", "-f", "{{.Id}}", name);
const run = async (name, ...words) => { await docker("run", "-d", "--network", "none", "--stop-timeout", "0", "--name", name, ...words); return id(name); };

test("edit: the form, what changes, the steps, and the new one in its place", () => withPage(url, async (page) => {
  const name = unique(), old = await run(name, "-e", "MODE=old", "busybox:latest", "sleep", "1000");
  await page.goto(`/containers/${old}`);
  await page.getByRole("link", { name: "Edit…" }).click();
  await page.getByRole("heading", { level: 1, name: `Edit ${name}` }).waitFor();
  const value = page.locator("#rows-env [name=env-value]").first();
  assert.notEqual(await value.inputValue(), "old", "values are hidden until they are changed");
  await value.fill("new");
  await page.getByRole("button", { name: "Show what changes" }).click();
  const rows = page.locator("table.differs tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.count(), 1);
  assert.match(await rows.innerText(), /--env[\s\S]*MODE=new/);
  assert.equal(await state(name), "running");
  assert.equal(await id(name), old, "nothing is done yet");
  await page.getByLabel("Watch it for").fill("1");
  await page.getByRole("button", { name: "Make it anew" }).click();
  await page.waitForURL(/\/jobs\/\d+$/);
  const job = page.url();
  // When it has ended well, its page leads to what came of it.
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  assert.notEqual(await id(name), old);
  await page.goto(job);
  assert.match(await page.locator("#job").innerText(), /docker rename[\s\S]*docker start/);
  assert.match(await docker("inspect", "-f", "{{json .Config.Env}}", name), /MODE=new/);
}));

for (const [how, options] of [["with scripts", {}], ["without", { js: false }], ["on a phone", { size: PHONE, theme: "dark" }]]) {
  test(`a new one that does not run is rolled back, ${how}`, () => withPage(url, async (page) => {
    const name = unique(), old = await run(name, "busybox:latest", "sleep", "1000");
    await page.goto(`/containers/${old}/edit`);
    await page.getByLabel("Command", { exact: true }).fill("sh -c 'echo it is broken >&2; exit 7'");
    await page.getByRole("button", { name: "Show what changes" }).click();
    await page.getByRole("button", { name: "Make it anew" }).click();
    await page.waitForURL(/\/jobs\/\d+$/);
    await until(async () => {
      if (options.js === false) await page.reload();
      return await page.locator("[data-job=ended]").count() === 1;
    }, "the job ends");
    const said = await page.locator("main").innerText();
    assert.match(said, /exit code 7/);
    assert.match(said, /it is broken/);
    assert.match(said, /runs as before/);
    assert.equal(await id(name), old);
    assert.equal(await state(name), "running");
  }, options));
}

test("what was removed is offered back right away, and comes back as created", () => withPage(url, async (page) => {
  const name = unique(), old = await run(name, "-l", "kind=kept", "busybox:latest", "sleep", "1000");
  await page.goto(`/containers/${old}/remove?force=1`);
  await page.getByRole("checkbox", { name: /kill|force/i }).check().catch(() => {});
  await page.getByRole("button", { name: /^Remove/ }).click();
  await until(async () => await state(name) === "gone", "it is removed");
  await page.waitForURL(/\/containers(\?|$)/);
  await page.goto("/containers/removed");
  const card = page.locator(`[data-removed="${old}"]`);
  await card.getByText("The command that makes it again").click();
  assert.match(await card.locator("[data-command]").innerText(), new RegExp(`docker create[\\s\\S]*--name ${name}[\\s\\S]*-l kind=kept`));
  await card.getByRole("button", { name: "Make it again" }).click();
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  assert.equal(await state(name), "created");
}));

test("the command, the compose file and the request that make it again", () => withPage(url, async (page) => {
  const name = unique(), made = await run(name, "-e", "TOKEN=hunter2", "-p", "127.0.0.1::80", "busybox:latest", "sleep", "1000").catch(async () => id(name));
  await page.goto(`/containers/${made}/recipe`);
  assert.match(await page.locator("#recipe-line").innerText(), /docker run -d/);
  assert.match(await page.locator("#recipe-compose").innerText(), /^services:/);
  assert.doesNotMatch(await page.content(), /hunter2/);
  await page.getByRole("link", { name: "Reveal values" }).click();
  await until(async () => /TOKEN=hunter2/.test(await page.locator("#recipe-line").innerText()), "the values");
  // A page of values stays, as others do: its live parts are drawn for the same person.
  const loads = [];
  page.on("load", () => loads.push(page.url()));
  for (const where of ["recipe", "inspect"]) {
    await page.goto(`/containers/${made}/${where}?reveal=1`);
    await sleep(1500);
  }
  assert.equal(loads.length, 2, loads.join("\n"));
}));

// Everything again without scripts: forms and links.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { command, docker, finish, make, row, serve, state, unique, until, withPage } from "./support.mjs";

after(finish);

let url;
before(async () => ({ url } = await serve()));
const plain = (use, more = {}) => withPage(url, use, { js: false, ...more });
const id = (name) => docker("inspect", "-f", "{{.Id}}", name);
/** Goes there, again until it is seen what the terminal did a moment ago: a page without scripts does not follow. */
async function goSee(page, path, what) {
  await page.goto(path);
  await until(async () => await what.count() > 0 || !await page.reload(), `${path} shows what was done`);
}
/** Presses a button that sends a form, and waits until it was answered: who goes elsewhere before may take it back. */
const press = (page, button) => Promise.all([page.waitForResponse((answer) => answer.request().method() === "POST"), button.click()]);
const questionOf = (page) => page.locator("section.confirm");

test("create and run through the form, with more rows and the command on request", () => plain(async (page) => {
  const name = unique();
  await page.goto("/containers/new");
  await page.locator("#f-image").fill("busybox:latest");
  await page.locator("#f-command").fill("sleep 1000");
  await page.locator("#f-name").fill(name);
  await page.locator("[name=env-name]").first().fill("A");
  await page.locator("[name=env-value]").first().fill("one two");
  const rows = await page.locator("[name=env-name]").count();
  await page.getByRole("button", { name: "Add a variable" }).click();
  assert.ok(await page.locator("[name=env-name]").count() >= Math.max(rows, 2), "there is a row to fill");
  assert.equal(await page.locator("[name=env-name]").first().inputValue(), "A");
  await page.locator("[name=env-name]").nth(1).fill("B");
  await page.getByRole("button", { name: "Show the command" }).click();
  assert.match(await page.locator("#run-line").innerText(), /-e 'A=one two'[\s\S]*-e B[\s\S]*busybox:latest sleep 1000$/);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  await page.getByRole("heading", { level: 1, name }).waitFor();
  assert.equal(await state(name), "running");
}));

test("Enter in a field creates and does not start", () => plain(async (page) => {
  const name = unique();
  await page.goto("/containers/new?image=busybox:latest");
  await page.locator("#f-name").fill(name);
  await page.locator("#f-name").press("Enter");
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  assert.equal(await state(name), "created");
}));

test("errors at the field keep what was typed", () => plain(async (page) => {
  await page.goto("/containers/new?image=busybox:latest");
  await page.locator("#f-name").fill("not a name!");
  await page.locator("#f-command").fill("echo 'kept'");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.locator("#f-name[aria-invalid=true]").waitFor();
  assert.equal(await page.locator("#f-name").inputValue(), "not a name!");
  assert.equal(await page.locator("#f-command").inputValue(), "echo 'kept'");
  await page.locator("#errors a").first().click();
  assert.match(page.url(), /#f-name$/);
}, { expect: [/status of 422/] }));

test("row actions: each comes back to the list that it was pressed on", async () => {
  const name = unique();
  await make(name);
  await plain(async (page) => {
    const list = `/containers?q=${name}`;
    await goSee(page, list, row(page, name));
    for (const [verb, after] of [["Stop", "exited"], ["Start", "running"]]) {
      await press(page, row(page, name).getByRole("button", { name: `${verb} ${name}` }));
      await page.waitForURL(url + list);
      await goSee(page, list, page.locator(`tr[data-name="${name}"][data-state=${after}]`));
    }
    await row(page, name).getByRole("button", { name: /^More/ }).click();
    await press(page, row(page, name).getByRole("button", { name: /^Pause/ }));
    await page.waitForURL(url + list);
    await goSee(page, list, page.locator(`tr[data-name="${name}"][data-state=paused]`));
    // On its own page, too.
    await page.goto(`/containers/${await id(name)}`);
    await page.locator(".title").getByRole("button", { name: "Unpause" }).click();
    await page.locator("#detail[data-state=running]").waitFor();
  });
});

test("three are stopped together; of three, one fails and is named", async () => {
  const names = [unique("plain"), unique("plain"), unique("plain")];
  await Promise.all(names.map((name) => make(name)));
  await plain(async (page) => {
    const list = `/containers?q=${names[0].split("-")[0]}-plain`;
    for (const name of names) await goSee(page, list, page.locator(`tr[data-name="${name}"][data-state=running]`));
    for (const name of names) await row(page, name).getByRole("checkbox").check();
    await page.locator(".bulk").getByRole("button", { name: "Stop", exact: true }).click();
    for (const name of names) await page.locator(`tr[data-name="${name}"][data-state=exited]`).waitFor();
    assert.equal(page.url(), url + list);
    await docker("start", ...names.slice(1));
    for (const name of names.slice(1)) await goSee(page, list, page.locator(`tr[data-name="${name}"][data-state=running]`));
    for (const name of names) await row(page, name).getByRole("checkbox").check();
    await page.locator(".bulk").getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: /1 of 3/ }).waitFor();
    await page.getByText(new RegExp(`${names[0]}: `)).first().waitFor();
    await page.getByRole("link", { name: "How each ended" }).click();
    await page.locator("#job li", { hasText: names[0] }).getByText("not done").waitFor();
  }, { expect: [/status of 409/] });
});

test("kill with a signal", async () => {
  const name = unique();
  await docker("run", "-d", "--network", "none", "--name", name, "busybox:latest", "sh", "-c", "trap 'exit 7' HUP; while :; do sleep 1 & wait; done");
  await plain(async (page) => {
    await goSee(page, `/containers?q=${name}`, page.locator(`tr[data-name="${name}"][data-state=running]`));
    await row(page, name).getByRole("button", { name: /^More/ }).click();
    await row(page, name).getByRole("link", { name: /^Kill/ }).click();
    await questionOf(page).waitFor();
    await page.getByLabel("Another signal").fill("NOT A SIGNAL");
    await questionOf(page).getByRole("button", { name: /^Kill/ }).click();
    await page.locator("#other[aria-invalid=true]").waitFor();
    assert.equal(await page.getByLabel("Another signal").inputValue(), "NOT A SIGNAL");
    await page.getByLabel("Another signal").fill("");
    await page.getByLabel(/SIGHUP/).check();
    await questionOf(page).getByRole("button", { name: /^Kill/ }).click();
    // Back to the list, as it was filtered.
    await page.waitForURL(`**/containers?q=${name}`);
    await goSee(page, `/containers?q=${name}`, row(page, name).getByText("exited, 7"));
  }, { expect: [/status of 422/] });
});

test("rename: wrong, taken, good; Cancel goes back", async () => {
  const [name, taken, good] = [unique(), unique(), unique()];
  await Promise.all([make(name), make(taken)]);
  await plain(async (page) => {
    await goSee(page, `/containers/${await id(name)}`, page.locator("#detail[data-state=running]"));
    await page.locator(".title").getByRole("link", { name: /^Rename/ }).click();
    await page.getByLabel("New name").fill("no good");
    await questionOf(page).getByRole("button", { name: /^Rename/ }).click();
    await page.locator("#name[aria-invalid=true]").waitFor();
    assert.equal(await page.getByLabel("New name").inputValue(), "no good");
    await page.getByLabel("New name").fill(taken);
    await questionOf(page).getByRole("button", { name: /^Rename/ }).click();
    await page.getByText(/has that name already/).first().waitFor();
    await page.goto(`/containers/${await id(name)}/rename`);
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.locator(".title").getByRole("link", { name: /^Rename/ }).click();
    await page.getByLabel("New name").fill(good);
    await questionOf(page).getByRole("button", { name: /^Rename/ }).click();
    await page.getByRole("heading", { level: 1, name: good }).waitFor();
  }, { expect: [/status of (409|422)/] });
});

test("remove: refused without -f, then with -f -v", async () => {
  const [name, volume] = [unique(), unique("v")];
  await make(name, "-v", "/anonymous", "-v", `${volume}:/named`);
  const [anonymous] = (await docker("inspect", "-f", "{{range .Mounts}}{{.Name}} {{end}}", name)).split(" ").filter((one) => one.length === 64);
  await plain(async (page) => {
    await goSee(page, `/containers/${await id(name)}`, page.locator("#detail[data-state=running]"));
    await page.locator(".title").getByRole("link", { name: /^Remove/ }).click();
    await questionOf(page).getByText(anonymous.slice(0, 12)).first().waitFor();
    await questionOf(page).getByText(volume).first().waitFor();
    assert.match(await command(questionOf(page)), new RegExp(`^docker rm (-f )?${name}$`));
    await page.getByLabel(/^-f/).uncheck();
    await questionOf(page).getByRole("button", { name: /^Remove/ }).click();
    await page.getByText(/It is running/).first().waitFor();
    await page.getByRole("link", { name: "Remove by force…" }).click();
    assert.ok(await page.getByLabel(/^-f/).isChecked());
    await page.getByLabel(/^-v/).check();
    await questionOf(page).getByRole("button", { name: /^Remove/ }).click();
    await page.waitForURL(`${url}/containers`);
    assert.equal(await row(page, name).count(), 0);
  }, { expect: [/status of 409/] });
  assert.equal(await state(name), "gone");
  const left = await docker("volume", "ls", "-q");
  assert.ok(!left.includes(anonymous) && left.includes(volume));
});

test("volumes: create, refused removal, removal", async () => {
  const [volume, name] = [unique("v"), unique()];
  await plain(async (page) => {
    await page.goto("/volumes/new");
    await page.locator("#f-name").fill("-no");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.locator("#f-name[aria-invalid=true]").waitFor();
    await page.locator("#f-name").fill(volume);
    await page.locator("[name=label-name]").first().fill("team");
    await page.locator("[name=label-value]").first().fill("red");
    await page.getByRole("button", { name: "Add a label" }).click();
    assert.equal(await page.locator("[name=label-name]").first().inputValue(), "team");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.waitForURL(`${url}/volumes/${volume}`);
    assert.equal(await docker("volume", "inspect", "-f", "{{index .Labels \"team\"}}", volume), "red");
    await make(name, "-v", `${volume}:/d`);
    await goSee(page, "/volumes", row(page, volume).getByRole("link", { name }));
    await row(page, volume).getByRole("link", { name: /^Remove/ }).click();
    await questionOf(page).getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText(`${name} (running)`).waitFor();
    await page.getByRole("link", { name: `Open ${name}` }).waitFor();
    await docker("rm", "-f", name);
    await page.goto(`/volumes/${volume}/remove`);
    await questionOf(page).getByRole("button", { name: "Remove", exact: true }).click();
    await page.waitForURL(/\/volumes(\?|$)/);
    assert.equal(await row(page, volume).count(), 0);
  }, { expect: [/status of (409|422)/] });
});

test("prune: the list that was shown is what goes", async () => {
  // Only the page is looked at, and one volume of our own is acted on: others use this engine too.
  const volume = unique("v");
  await docker("volume", "create", volume);
  await plain(async (page) => {
    await goSee(page, "/volumes/prune?all=1", questionOf(page).getByText(volume, { exact: true }));
    assert.match(await command(questionOf(page)), /^docker volume prune (-a|--all)/);
    await page.getByRole("link", { name: /^Anonymous only/ }).click();
    assert.equal(await command(questionOf(page)), "docker volume prune");
    assert.equal(await page.locator("form[action='/volumes/prune'] [name=name]", { hasText: volume }).count(), 0);
    await page.goto("/volumes/prune?all=1");
    // The form as it stands, without the volumes of others.
    await page.locator("form[action='/volumes/prune']").evaluate((form, keep) => {
      for (const field of form.querySelectorAll("[name=name]")) if (field.value !== keep) field.remove();
    }, volume);
    await questionOf(page).getByRole("button", { name: /^Remove/ }).click();
    await page.waitForURL(/\/jobs\/\d+$/);
    await page.locator("#job[data-job=ended] li", { hasText: volume }).waitFor();
    assert.match(await page.locator("#job").innerText(), /removed/);
  });
  assert.ok(!(await docker("volume", "ls", "-q")).includes(volume));
});

test("the theme, the search, the sorting and a stack that is shut", async () => {
  const name = unique();
  await make(name, "--label", `com.docker.compose.project=${name}`, "--label", "com.docker.compose.service=web");
  await plain(async (page) => {
    await goSee(page, `/containers?q=${name}`, row(page, name));
    await page.getByRole("button", { name: "Dark" }).click();
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
    assert.equal(page.url(), `${url}/containers?q=${name}`);
    await page.getByRole("link", { name: `Collapse ${name}` }).click();
    assert.equal(await row(page, name).count(), 0);
    await page.getByRole("link", { name: `Expand ${name}` }).click();
    await row(page, name).waitFor();
    await page.locator("[data-find]").fill("nothing has this name");
    await page.locator("[data-find]").press("Enter");
    await page.getByRole("heading", { name: "Nothing is called so." }).waitFor();
  });
});

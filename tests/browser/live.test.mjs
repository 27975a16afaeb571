// A page that is open, and a terminal beside it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, make, row, serve, unique, until, withPage } from "./support.mjs";

after(finish);

let url;
before(async () => ({ url } = await serve()));

/** Notes each state that the row of this container has had, with the time. */
const watch = (page, name) => page.evaluate((name) => {
  const now = () => document.querySelector(`tr[data-name="${name}"]`)?.dataset.state ?? "gone";
  let last = now();
  window.__seen = [];
  new MutationObserver(() => {
    const state = now();
    if (state !== last) window.__seen.push([last = state, Date.now()]);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}, name);

test("what a terminal does is on the page within a second", async (t) => {
  const name = unique();
  await make(name);
  const took = [];
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    await row(page, name).waitFor();
    const steps = [["pause", "paused"], ["unpause", "running"], ["kill", "exited"], ["start", "running"], ["pause", "paused"], ["unpause", "running"], ["kill", "exited"], ["rm", "gone"]];
    await watch(page, name);
    for (const [verb, state] of steps) {
      const began = Date.now();
      await page.evaluate(() => { window.__seen = []; });
      await docker(verb, name);
      const ended = Date.now();
      const [, at] = await until(() => page.evaluate((state) => window.__seen.find(([seen]) => seen === state), state), `the row is ${state}`, 5000);
      took.push({ verb, since: at - began, after: at - ended });
    }
  });
  const middle = (key) => took.map((one) => one[key]).sort((a, b) => a - b)[took.length >> 1];
  t.diagnostic(took.map((one) => `${one.verb} ${one.after} ms`).join(", "));
  t.diagnostic(`p50 from the command's return to the changed row: ${middle("after")} ms; from its start: ${middle("since")} ms`);
  for (const { verb, after } of took) assert.ok(after < 1000, `${verb}: ${after} ms`);
});

test("focus, what is ticked, the scroll position and an open menu survive changes, of others and of the row itself", async () => {
  const names = [];
  for (let at = 0; at < 6; at++) names.push(unique("keep"));
  await Promise.all(names.map((name) => make(name)));
  const [mine, ticked, other] = names;
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${names[0].split("-")[0]}-keep`);
    await row(page, names[5]).waitFor();
    await row(page, mine).getByRole("checkbox").check();
    await row(page, ticked).getByRole("checkbox").check();
    await page.evaluate(() => scrollTo(0, 120));
    const at = await page.evaluate(() => scrollY);
    assert.ok(at > 0, "the page is long enough to scroll");
    await page.evaluate(() => { window.__same = true; });

    const unchanged = async (what) => {
      assert.ok(await row(page, mine).getByRole("checkbox").isChecked(), `${what}: still ticked`);
      assert.ok(await row(page, ticked).getByRole("checkbox").isChecked(), `${what}: still ticked`);
      assert.equal(await page.evaluate(() => scrollY), at, `${what}: not scrolled`);
      assert.ok(await page.evaluate(() => window.__same), `${what}: not reloaded`);
    };
    const turn = async (verb, name, state) => {
      await docker(verb, name);
      await page.locator(`tr[data-name="${name}"][data-state=${state}]`).waitFor();
    };

    // The focus on the tick of a row that changes.
    const box = row(page, mine).getByRole("checkbox");
    await box.focus({ preventScroll: true });
    await turn("pause", other, "paused");
    assert.ok(await box.evaluate((box) => box === document.activeElement), "a change elsewhere keeps the focus");
    await turn("pause", mine, "paused");
    assert.ok(await box.evaluate((box) => box === document.activeElement), "a change of the row keeps the focus");
    await unchanged("pause");
    await turn("unpause", mine, "running");
    await turn("unpause", other, "running");

    // The menu of a row that changes.
    const more = row(page, mine).getByRole("button", { name: /^More/ });
    await more.click();
    const menu = row(page, mine).locator("[popover]");
    const open = () => menu.evaluate((menu) => menu.matches(":popover-open"));
    assert.ok(await open());
    await turn("pause", other, "paused");
    assert.ok(await open(), "a change elsewhere keeps the menu open");
    await turn("pause", mine, "paused");
    assert.ok(await open(), "a change of the row keeps the menu open");
    await unchanged("menu");
    await page.keyboard.press("Escape");
    await turn("unpause", mine, "running");

    // A row that goes and one that comes.
    await docker("rm", "-f", names[4]);
    await row(page, names[4]).waitFor({ state: "detached" });
    const late = unique("keep");
    await make(late);
    await row(page, late).waitFor();
    await unchanged("rows come and go");
  }, { size: { width: 1280, height: 420 } });
});

test("the bar of what is ticked names what is still there", async () => {
  const [one, two] = [unique("bar"), unique("bar")];
  await Promise.all([make(one), make(two)]);
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${one.split("-")[0]}-bar`);
    await row(page, one).getByRole("checkbox").check();
    await row(page, two).getByRole("checkbox").check();
    const says = page.locator("[data-bulk-command]");
    assert.equal(await says.innerText(), `docker stop ${one} ${two}`);
    await docker("rm", "-f", one);
    await row(page, one).waitFor({ state: "detached" });
    await until(async () => (await says.innerText()) === `docker stop ${two}`, "the command forgets what is gone");
  });
});

test("details that are open stay open while their container changes", async () => {
  const name = unique();
  await make(name, "--label", "one=1", "-e", "TOKEN=secret");
  await withPage(url, async (page) => {
    await page.goto(`/containers/${await docker("inspect", "-f", "{{.Id}}", name)}`);
    for (const id of ["#labels", "#env"]) await page.locator(`${id} > summary`).click();
    await page.locator("#labels > summary").focus();
    await docker("pause", name);
    await page.locator("#detail[data-state=paused]").waitFor();
    for (const id of ["#labels", "#env"]) assert.ok(await page.locator(id).evaluate((it) => it.open), `${id} stays open`);
    assert.ok(await page.locator("#labels > summary").evaluate((it) => it === document.activeElement), "and the focus in it");
    await docker("unpause", name);
    await page.locator("#detail[data-state=running]").waitFor();
    await docker("rm", "-f", name);
    await page.getByText(/not there any more|was removed|is gone/i).first().waitFor();
  });
  await withPage(url, async (page) => {
    const [still, changes] = [unique("open"), unique("open")];
    await make(still);
    await page.goto(`/containers?q=${still.split("-")[0]}-open`);
    await page.locator("details.filters > summary").click();
    await page.locator("details.filters [name=image]").fill("half typ");
    await make(changes);
    await row(page, changes).waitFor();
    assert.ok(await page.locator("details.filters").evaluate((it) => it.open));
    assert.equal(await page.locator("details.filters [name=image]").inputValue(), "half typ");
  });
});

test("volumes, the overview and the counts follow too", async () => {
  const [volume, name] = [unique("v"), unique()];
  await withPage(url, async (page) => {
    await page.goto("/volumes");
    const before = Number(await page.locator("#count-volumes").innerText());
    await docker("volume", "create", volume);
    await row(page, volume).waitFor();
    await until(async () => Number(await page.locator("#count-volumes").innerText()) > before, "the count");
    await make(name, "-v", `${volume}:/d`);
    await row(page, volume).getByRole("link", { name }).waitFor();
    await docker("rm", "-f", name);
    await row(page, volume).getByText("nobody").waitFor();
    await docker("volume", "rm", volume);
    await row(page, volume).waitFor({ state: "detached" });
    await page.goto("/");
    const failing = unique("bad");
    await docker("run", "-d", "--network", "none", "--name", failing, "busybox:latest", "sh", "-c", "exit 3");
    await page.locator("#attn ~ .list, [aria-labelledby=attn]").getByRole("link", { name: failing, exact: true }).waitFor();
  });
});

// Questions that are asked before something is done.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, make, row, serve, state, unique, withPage } from "./support.mjs";

after(finish);

let url;
before(async () => ({ url } = await serve()));

const dialogOf = (page) => page.getByRole("dialog");
const shown = (page) => dialogOf(page).locator("[data-command]").innerText();
/** Opens a question from the menu of a row. */
async function ask(page, name, verb) {
  await row(page, name).getByRole("button", { name: /^More/ }).click();
  await row(page, name).locator("[popover]").getByRole("link", { name: new RegExp(`^${verb}`) }).click();
  await dialogOf(page).waitFor();
}

test("kill with a signal", async () => {
  const name = unique();
  await docker("run", "-d", "--network", "none", "--name", name, "busybox:latest", "sh", "-c", "trap 'exit 7' HUP; while :; do sleep 1 & wait; done");
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    await ask(page, name, "Kill");
    assert.equal(await shown(page), `docker kill ${name}`);
    await dialogOf(page).getByLabel(/SIGHUP/).check();
    assert.equal(await shown(page), `docker kill -s HUP ${name}`);
    await dialogOf(page).getByLabel("Another signal").fill("USR1");
    assert.equal(await shown(page), `docker kill -s USR1 ${name}`);
    await dialogOf(page).getByLabel("Another signal").fill("NOT A SIGNAL");
    await dialogOf(page).getByRole("button", { name: /^Kill/ }).click();
    await page.locator(".toast.bad").getByText(/signal/i).first().waitFor();
    assert.ok(await dialogOf(page).isVisible(), "the question stays");
    assert.equal(await dialogOf(page).getByLabel("Another signal").inputValue(), "NOT A SIGNAL", "with what was typed");
    await page.locator(".toast.bad").getByRole("button", { name: "Dismiss" }).click();
    await dialogOf(page).getByLabel("Another signal").fill("");
    await dialogOf(page).getByRole("button", { name: /^Kill/ }).click();
    await row(page, name).getByText("exited, 7").waitFor();
    await dialogOf(page).waitFor({ state: "hidden" });
  }, { expect: [/status of 422/] });
});

test("rename: a name that is wrong, one that is taken, and a good one", async () => {
  const [name, taken] = [unique("ren"), unique("ren")];
  const good = unique("ren");
  await Promise.all([make(name), make(taken)]);
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${name.split("-")[0]}-ren`);
    await ask(page, name, "Rename");
    const field = dialogOf(page).getByLabel("New name");
    assert.equal(await field.inputValue(), name);
    for (const [wrong, why] of [["no good", /letters|name/i], [taken, /has that name already/]]) {
      await field.fill(wrong);
      assert.equal(await shown(page), wrong.includes(" ") ? `docker rename ${name} '${wrong}'` : `docker rename ${name} ${wrong}`);
      await field.press("Enter");
      await page.locator(".toast.bad").getByText(why).first().waitFor();
      assert.ok(await dialogOf(page).isVisible());
      assert.equal(await field.inputValue(), wrong);
      await page.locator(".toast.bad").getByRole("button", { name: "Dismiss" }).first().click();
    }
    await field.fill(good);
    await dialogOf(page).getByRole("button", { name: /^Rename/ }).click();
    await row(page, good).waitFor();
    await row(page, name).waitFor({ state: "detached" });
  }, { expect: [/status of (409|422)/] });
});

test("remove: the command follows the ticks; what goes goes, what stays stays", async () => {
  const [name, volume] = [unique(), unique("v")];
  await make(name, "-v", "/anonymous", "-v", `${volume}:/named`);
  const [anonymous] = (await docker("inspect", "-f", "{{range .Mounts}}{{.Name}} {{end}}", name)).split(" ").filter((one) => one.length === 64);
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    await ask(page, name, "Remove");
    const dialog = dialogOf(page);
    await dialog.getByText(anonymous.slice(0, 12)).first().waitFor();
    await dialog.getByText(volume).first().waitFor();
    const [f, v] = [dialog.getByLabel(/^-f/), dialog.getByLabel(/^-v/)];
    await f.setChecked(false);
    assert.equal(await shown(page), `docker rm ${name}`);
    await f.check();
    assert.equal(await shown(page), `docker rm -f ${name}`);
    await v.check();
    assert.equal(await shown(page), `docker rm -fv ${name}`);
    await f.uncheck();
    assert.equal(await shown(page), `docker rm -v ${name}`);
    // Without -f the engine refuses: said over the question, which stays.
    await dialog.getByRole("button", { name: /^Remove/ }).click();
    await page.locator(".toast.bad").getByText(/running/).first().waitFor();
    assert.ok(await dialog.isVisible());
    await page.locator(".toast.bad").getByRole("button", { name: "Dismiss" }).click();
    await f.check();
    await dialog.getByRole("button", { name: /^Remove/ }).click();
    await row(page, name).waitFor({ state: "detached" });
    await page.locator(".toast.ok").getByText(`docker rm -fv ${name}`).waitFor();
  }, { expect: [/status of 409/] });
  assert.equal(await state(name), "gone");
  const left = await docker("volume", "ls", "-q");
  assert.ok(!left.includes(anonymous), "the anonymous volume is gone");
  assert.ok(left.includes(volume), "the named one is kept");
});

test("Escape, Cancel and a press beside it close a question, and the focus returns to where it was", async () => {
  const name = unique();
  await docker("create", "--network", "none", "--name", name, "busybox:latest");
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    const button = row(page, name).getByRole("link", { name: `Remove… ${name}` }).first();
    const closings = {
      Escape: () => page.keyboard.press("Escape"),
      Cancel: () => dialogOf(page).getByRole("link", { name: "Cancel" }).click(),
      beside: () => page.mouse.click(5, 5),
    };
    for (const [how, close] of Object.entries(closings)) {
      await button.focus();
      await page.keyboard.press("Enter");
      await dialogOf(page).waitFor();
      assert.ok(await page.evaluate(() => document.querySelector("dialog").contains(document.activeElement)), "the focus goes into it");
      await close();
      await dialogOf(page).waitFor({ state: "hidden" });
      assert.ok(await button.evaluate((it) => it === document.activeElement), `${how}: the focus is back`);
      assert.equal(new URL(page.url()).pathname, "/containers");
    }
    // From the menu: back to the button that opened it.
    await ask(page, name, "Rename");
    await page.keyboard.press("Escape");
    await dialogOf(page).waitFor({ state: "hidden" });
    assert.ok(await row(page, name).evaluate((it) => it.contains(document.activeElement)), "menu: the focus is back in the row");
    assert.equal(await state(name), "created");
  });
});

test("a volume in use: the refusal names and links the containers in the way", async () => {
  const [volume, up, down] = [unique("v"), unique(), unique()];
  await make(up, "-v", `${volume}:/d`);
  await docker("create", "--network", "none", "--name", down, "-v", `${volume}:/d`, "busybox:latest");
  await withPage(url, async (page) => {
    await page.goto(`/volumes?q=${volume}`);
    await row(page, volume).getByRole("link", { name: /^Remove/ }).click();
    const dialog = dialogOf(page);
    for (const name of [up, down]) await dialog.getByRole("link", { name, exact: true }).waitFor();
    assert.equal(await shown(page), `docker volume rm ${volume}`);
    await dialog.getByRole("button", { name: "Remove", exact: true }).click();
    const bad = page.locator(".toast.bad");
    await bad.getByText(`${down} (created)`).waitFor();
    assert.match(await bad.innerText(), new RegExp(`${up} \\(running\\)`));
    await bad.getByRole("link", { name: `Open ${down}` }).click();
    await page.getByRole("heading", { level: 1, name: down }).waitFor();
  }, { expect: [/status of 409/] });
  await docker("rm", "-f", up, down);
  await withPage(url, async (page) => {
    await page.goto(`/volumes/${volume}`);
    await page.locator(".title").getByRole("link", { name: /^Remove/ }).click();
    await dialogOf(page).getByRole("button", { name: "Remove", exact: true }).click();
    await page.waitForURL("**/volumes");
    await row(page, volume).waitFor({ state: "detached" });
  });
});

test("a question about what is gone already says so", async () => {
  const name = unique();
  await make(name);
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    await ask(page, name, "Remove");
    await docker("rm", "-f", name);
    await row(page, name).waitFor({ state: "detached" });
    await dialogOf(page).getByRole("button", { name: /^Remove/ }).click();
    await page.locator(".toast.bad").getByText(/not there any more/).first().waitFor();
  }, { expect: [/status of 404/] });
});

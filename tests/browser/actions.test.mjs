// What is pressed in a row and in the bar of picked rows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, make, row, serve, state, unique, until, withPage } from "./support.mjs";

after(finish);

let url;
before(async () => ({ url } = await serve()));

const toast = (page, kind = "ok") => page.locator(`#toasts .toast.${kind}`);
const marked = (page) => page.evaluate(() => { window.__same = true; });
const same = async (page) => assert.ok(await page.evaluate(() => window.__same), "the page was not reloaded");

test("a button in the row: pending at once, done by the live page, told by a toast", async () => {
  const name = unique();
  // It does not listen to SIGTERM: the stop takes its three seconds.
  await docker("run", "-d", "--network", "none", "--name", name, "--stop-timeout", "3", "busybox:latest", "sh", "-c", "trap '' TERM; while :; do sleep 1; done");
  await withPage(url, async (page, context) => {
    await page.goto(`/containers?q=${name}`);
    await marked(page);
    const watcher = await context.newPage();
    await watcher.goto(`/containers?q=${name}`);
    await row(page, name).getByRole("button", { name: `Stop ${name}` }).click();
    for (const one of [page, watcher]) {
      await one.locator(`tr[data-name="${name}"][data-pending=stop]`).waitFor({ timeout: 1500 });
      await row(one, name).getByText(/stopping… \d s/).waitFor();
    }
    await until(async () => /\b[123] s\b/.test(await row(page, name).innerText()), "the seconds go on", 3000);
    await page.locator(`tr[data-name="${name}"][data-state=exited]`).waitFor();
    await toast(page).getByText(name).first().waitFor();
    assert.equal(await watcher.locator("#toasts .toast").count(), 0);
    await row(page, name).getByText(/exited, 137/).waitFor();
    await row(page, name).getByRole("button", { name: `Start ${name}` }).click();
    await page.locator(`tr[data-name="${name}"][data-state=running]`).waitFor();
    await same(page);
    assert.equal(await page.locator("tr[data-pending]").count(), 0);
    // From the menu, by its words.
    await row(page, name).getByRole("button", { name: /^More/ }).click();
    await row(page, name).locator("[popover]").getByRole("button", { name: /^Pause/ }).click();
    await page.locator(`tr[data-name="${name}"][data-state=paused]`).waitFor();
    await same(page);
  });
});

test("the buttons of a container's page do the same", async () => {
  const name = unique();
  await make(name);
  await withPage(url, async (page) => {
    await page.goto(`/containers/${await docker("inspect", "-f", "{{.Id}}", name)}`);
    await marked(page);
    for (const [verb, after] of [["Pause", "paused"], ["Unpause", "running"], ["Stop", "exited"], ["Start", "running"]]) {
      await page.locator(".title").getByRole("button", { name: verb, exact: true }).click();
      await page.locator(`#detail[data-state=${after}]`).waitFor();
    }
    await same(page);
    assert.match(await page.locator("[aria-labelledby=now] .say").innerText(), /running/i);
  });
});

test("three are stopped together", async () => {
  const names = [unique("bulk"), unique("bulk"), unique("bulk")];
  await Promise.all(names.map((name) => make(name)));
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${names[0].split("-")[0]}-bulk`);
    await marked(page);
    for (const name of names) await row(page, name).getByRole("checkbox").check();
    assert.match(await page.locator(".bulk [data-command]").innerText(), new RegExp(`^docker stop ${names.join(" ")}$`));
    await page.locator(".bulk").getByRole("button", { name: "Stop", exact: true }).click();
    for (const name of names) await page.locator(`tr[data-name="${name}"][data-state=exited]`).waitFor();
    await toast(page).getByText("3 containers").waitFor();
    await same(page);
    for (const name of names) assert.ok(!await row(page, name).getByRole("checkbox").isChecked(), "nothing stays ticked");
    assert.ok(!await page.locator(".bulk").isVisible());
  });
});

test("of three, one fails: it is named with its reason, the others are done", async () => {
  const names = [unique("some"), unique("some"), unique("some")];
  await Promise.all(names.slice(0, 2).map((name) => make(name)));
  await docker("create", "--network", "none", "--name", names[2], "busybox:latest");
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${names[0].split("-")[0]}-some`);
    await page.getByRole("checkbox", { name: "Select all on this page" }).check();
    await page.locator(".bulk").getByRole("button", { name: "Pause", exact: true }).click();
    const bad = toast(page, "bad");
    await bad.getByText("1 of 3").waitFor();
    assert.match(await bad.innerText(), new RegExp(`${names[2]}: .*not running`, "i"));
    for (const name of names.slice(0, 2)) assert.equal(await state(name), "paused");
    await bad.getByRole("link", { name: "How each ended" }).click();
    await page.waitForURL(/\/jobs\//);
    assert.equal(await page.locator("#job li").count(), 3);
    await page.locator("#job li", { hasText: names[2] }).getByText("not done").waitFor();
  }, { expect: [/status of 409/] });
});

test("many are removed after a dialog that names each", async () => {
  const names = [unique("gone"), unique("gone")];
  await make(names[0]);
  await docker("create", "--network", "none", "--name", names[1], "-v", "/anonymous", "busybox:latest");
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${names[0].split("-")[0]}-gone`);
    await page.getByRole("checkbox", { name: "Select all on this page" }).check();
    await page.locator(".bulk").getByRole("button", { name: /^Remove/ }).click();
    const dialog = page.getByRole("dialog");
    for (const name of names) await dialog.getByText(name, { exact: true }).first().waitFor();
    await dialog.getByText(`anonymous volume of ${names[1]}`).waitFor();
    await dialog.getByLabel(/^-f/).check();
    await dialog.getByLabel(/^-v/).check();
    assert.equal(await dialog.locator("[data-command]").innerText(), `docker rm -fv ${names.join(" ")}`);
    await dialog.getByRole("button", { name: /^Remove/ }).click();
    for (const name of names) await row(page, name).waitFor({ state: "detached" });
    await dialog.waitFor({ state: "hidden" });
    for (const name of names) assert.equal(await state(name), "gone");
  });
});

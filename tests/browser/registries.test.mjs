// Registries in a real browser: signing in to a real one with a password, what is wrong at its field, trying it, signing out;
// and axe.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { DESKTOP, finish, PHONE, serve, withPage } from "./support.mjs";

after(finish);

const HOST = process.env.WHEELHOUSE_TEST_PRIVATE.split("/")[0];
let url;
before(async () => { ({ url } = await serve()); });

const fill = async (page, host, secret) => {
  await page.getByLabel("Registry", { exact: true }).fill(host);
  await page.getByLabel("Name there").fill("ada");
  await page.getByLabel("Password or token").fill(secret);
  await page.getByRole("button", { name: "Sign in and save" }).click();
};

for (const js of [true, false]) test(`signing in, trying it, signing out${js ? "" : ", without scripts"}`, () => withPage(url, async (page) => {
  await page.goto("/registries");
  await fill(page, HOST, "wrong");
  await page.getByText("does not take this name with this password").waitFor();
  assert.equal(await page.getByLabel("Name there").inputValue(), "ada");
  assert.equal(await page.getByLabel("Password or token").inputValue(), "");
  await fill(page, HOST, "open sesame");
  const row = page.locator(`tr[data-name="${HOST}"]`);
  await row.getByText("ada").waitFor();
  await row.getByText("plain HTTP").waitFor();
  await row.getByRole("button", { name: "Try it" }).click();
  if (js) await page.locator("#toasts .toast.ok").getByText(`${HOST} takes ada.`).waitFor();
  await row.getByRole("link", { name: /^Sign out/ }).click();
  await page.getByRole("heading", { name: `Sign out of ${HOST}?` }).waitFor();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.goto("/registries");
  assert.equal(await row.count(), 0);
  assert.ok(!(await page.content()).includes("sesame"));
}, { js, expect: [/422/] }));

for (const theme of ["light", "dark"]) for (const [where, size] of [["on a desk", DESKTOP], ["on a phone", PHONE]]) {
  test(`axe, ${theme}, ${where}`, () => withPage(url, async (page) => {
    await page.goto("/registries");
    await fill(page, "127.0.0.1:1", "nobody is there");
    await page.getByText("Save it without signing in now").waitFor();
    assert.deepEqual(await violations(page), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
  }, { size, theme, expect: [/422/] }));
}

// Images: the list, one of them, pulling, removing in a dialog, the form that shows what an image declares; on a desk, on a
// phone, without scripts; axe finds nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { docker, finish, PHONE, serve, unique, until, withPage } from "./support.mjs";

let url, tag, other, id, user;
before(async () => {
  ({ url } = await serve());
  const made = await docker("create", "--name", unique("of"), "busybox", "true");
  tag = `${unique("image")}:1`;
  other = tag.replace(/1$/, "2");
  id = (await docker("commit", "-c", "CMD [\"sleep\", \"100\"]", "-c", "EXPOSE 8080", "-c", "LABEL site=https://example.test", made, tag)).replace("sha256:", "");
  await docker("tag", tag, other);
  user = unique("user");
  await docker("create", "--name", user, tag);
  await until(async () => (await fetch(`${url}/images/${id}`)).ok, "the console has seen it");
});
after(async () => {
  await docker("rm", "-f", user).catch(() => {});
  await docker("rmi", "-f", tag, other).catch(() => {});
  await finish();
});

const pages = () => ["/images", `/images?q=${id}`, `/images/${id}`, "/images/pull", "/images/search", "/images/prune?all=1", `/images/save?id=${id}`, "/images/load", "/images/import",
  `/images/${id}/tag`, `/images/${id}/push`, `/images/${id}/remove`, `/containers/new?image=${tag}`, "/images?q=nothing-is-called-so"];

for (const [name, options] of [["on a desk", {}], ["in the dark", { theme: "dark" }], ["on a phone", { size: PHONE }], ["on a phone in the dark", { size: PHONE, theme: "dark" }]]) {
  test(`axe finds nothing ${name}, and nothing is wider than the screen`, () => withPage(url, async (page) => {
    for (const path of pages()) {
      await page.goto(path);
      assert.deepEqual(await violations(page), [], path);
      assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is too wide`);
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${name.replaceAll(" ", "-")}${path.replace(/[^a-z]+/g, "-").slice(0, 40)}.png`, fullPage: true });
    }
  }, options));
}

test("the list follows the engine, and a name is taken away in a dialog", () => withPage(url, async (page) => {
  await page.goto(`/images?q=${id}`);
  const row = page.locator(`[id="image-${id}"]`);
  assert.match(await row.innerText(), new RegExp(user));
  const third = tag.replace(/1$/, "3");
  await docker("tag", tag, third);
  await until(async () => (await row.innerText()).includes(third), "the row has the new name");
  await row.getByRole("link", { name: /Remove/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("checkbox", { name: tag }).uncheck();
  await dialog.getByRole("checkbox", { name: other }).uncheck();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await until(async () => !(await row.innerText()).includes(third), "the row has lost it");
}));

test("what an image declares is shown while its name is typed, and copied nowhere", () => withPage(url, async (page) => {
  await page.goto("/containers/new");
  await page.getByLabel("Image", { exact: true }).fill(tag);
  await page.locator("#r-command").getByText("sleep 100").waitFor();
  assert.equal(await page.getByLabel("Command", { exact: true }).inputValue(), "");
  assert(!(await page.locator("#run-line").innerText()).includes("8080"));
}));

test("a pull without scripts: a wrong name is told at its field, a right one becomes a job", () => withPage(url, async (page) => {
  await page.goto("/images/pull");
  await page.getByLabel("Name", { exact: true }).fill("Wrong Name");
  await page.getByRole("button", { name: "Pull", exact: true }).click();
  assert.match(await page.locator("#f-reference-error").innerText(), /blank|lower case/);
  await page.getByLabel("Name", { exact: true }).fill("localhost:1/none");
  await page.getByRole("button", { name: "Pull", exact: true }).click();
  await page.waitForURL(/\/jobs\/\d+/);
}, { js: false, expect: [/422/] }));

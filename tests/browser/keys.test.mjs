// By keyboard alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, make, serve, state, unique, until, withPage } from "./support.mjs";

after(finish);

let url, name;
before(async () => {
  ({ url } = await serve());
  name = unique("keys");
  await make(name);
});

const focused = (page) => page.evaluate(() => {
  const it = document.activeElement;
  return { tag: it.localName, name: it.getAttribute("aria-label") ?? it.textContent.trim(), body: it === document.body };
});

test("no page holds the focus: Tab goes through it and out, each stop can be seen", async () => {
  const id = await docker("inspect", "-f", "{{.Id}}", name);
  await withPage(url, async (page) => {
    for (const path of ["/", `/containers?q=${name}`, `/containers/${id}`, `/containers/${id}/remove`, "/containers/new", "/volumes", "/volumes/new", "/images", "/images/pull", "/networks", "/networks/new", "/networks/map", "/build", "/registries", "/engine/disk", "/events/search"]) {
      await page.goto(path);
      await page.evaluate(() => document.activeElement.blur());
      const all = await page.evaluate(() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
        .filter((it) => it.checkVisibility() && !it.disabled && it.tabIndex >= 0).length);
      const stops = new Set();
      let left = false, first;
      for (let at = 0; at < all + 20 && !left; at++) {
        await page.keyboard.press("Tab");
        const stop = await page.evaluate(() => {
          const it = document.activeElement;
          if (it === document.body || it === document.documentElement) return null;
          const box = it.getBoundingClientRect();
          return { html: it.outerHTML.slice(0, 200), seen: it.matches(".vh") || (box.width > 1 && box.height > 1 && it.checkVisibility()), ring: getComputedStyle(it).outlineStyle !== "none" || parseFloat(getComputedStyle(it.querySelector("rect") ?? it).strokeWidth) > 2 };
        });
        // Out at the end, or round to the beginning.
        if (!stop || (stops.size && stop.html === first)) { left = true; break; }
        first ??= stop.html;
        assert.ok(stop.seen, `${path}: the focus is on what cannot be seen: ${stop.html}`);
        assert.ok(stop.ring, `${path}: the focus cannot be seen: ${stop.html}`);
        stops.add(stop.html + at);
      }
      assert.ok(left, `${path}: Tab never leaves the page`);
      assert.ok(stops.size > 5, `${path}: Tab reaches ${stops.size} of ${all}`);
    }
  });
});

test("the first Tab offers to skip to the content", () => withPage(url, async (page) => {
  await page.goto("/containers");
  await page.keyboard.press("Tab");
  assert.match((await focused(page)).name, /Skip/);
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.id === "main"));
}));

test("g and a letter go, also while a box is ticked; in a field they are letters", () => withPage(url, async (page) => {
  await page.goto(`/containers?q=${name}`);
  await page.locator("[data-find]").focus();
  await page.keyboard.type("g c / n");
  assert.equal(await page.locator("[data-find]").inputValue(), "g c / n");
  assert.equal(page.url(), `${url}/containers?q=${name}`);
  await page.getByRole("checkbox", { name: `Select ${name}` }).focus();
  for (const [key, path] of [["v", "/volumes"], ["c", "/containers"], ["i", "/images"], ["n", "/networks"], ["l", "/logs"], ["b", "/build"], ["r", "/registries"], ["d", "/engine"],
    ["e", "/events"], ["j", "/jobs"], ["t", "/terminals"], ["a", "/activity"], ["u", "/audit"], ["s", "/api"], ["o", "/"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.waitForURL(url + path);
  }
  await page.keyboard.press("n");
  await page.waitForURL("**/containers/new");
}));

test("each section has a key, and ? tells them all", () => withPage(url, async (page) => {
  await page.goto("/containers");
  const sections = await page.locator("#nav > a:not(.brand)").evaluateAll((all) => all.map((it) => it.firstChild.textContent.trim().toLowerCase()));
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  const told = Object.fromEntries(await dialog.locator("dt").evaluateAll((all) => all.map((it) => [it.textContent, it.nextElementSibling.textContent])));
  assert.deepEqual(Object.entries(told).filter(([key]) => key.startsWith("g ")).map(([, name]) => name).sort(), [...sections].sort());
  assert.equal(told["g n"], "networks");
  assert.match(told["/ or Ctrl K"], /docker command/);
}));

test("the whole way of a removal", () => withPage(url, async (page) => {
  await page.goto(`/containers?q=${name}`);
  const press = async (key, until, most = 60) => {
    for (let at = 0; at < most; at++) {
      await page.keyboard.press(key);
      if (await page.evaluate(until)) return;
    }
    assert.fail(`${key} does not lead to ${until}`);
  };
  await press("Tab", () => document.activeElement.matches(".more"));
  await page.keyboard.press("Enter");
  await press("Tab", () => document.activeElement.matches("[popover] a[href*='/remove?']"));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await press("Tab", () => document.activeElement.matches("dialog [name=force]"));
  if (!await page.evaluate(() => document.activeElement.checked)) await page.keyboard.press("Space");
  await press("Tab", () => document.activeElement.matches("dialog [name=volumes]"));
  await page.keyboard.press("Space");
  assert.equal(await page.getByRole("dialog").locator("[data-command]").innerText(), `docker rm -fv ${name}`);
  // The focus stays in the dialog.
  for (let at = 0; at < 12; at++) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog").contains(document.activeElement)));
  }
  await press("Tab", () => document.activeElement.matches("dialog button.danger"));
  await page.keyboard.press("Enter");
  await page.locator(`tr[data-name="${name}"]`).waitFor({ state: "detached" });
  assert.equal(await state(name), "gone");
}));

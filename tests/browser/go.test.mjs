// The palette: Ctrl K over any page, by keyboard, by pointer and on a phone; and its page, without scripts. It leads to
// forms, and does nothing by itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { docker, finish, make, PHONE, serve, staff, state, unique, until, withPage } from "./support.mjs";

let url, name, stopped;
before(async () => {
  ({ url } = await serve());
  [name, stopped] = [unique("going"), unique("going")];
  await make(name);
  await docker("create", "--network", "none", "--name", stopped, "busybox:latest", "true");
  await until(() => fetch(`${url}/containers?q=${stopped}`).then((answer) => answer.text()).then((page) => page.includes(`data-name="${stopped}"`)), "both are seen");
});
after(finish);

const box = (page) => page.getByRole("combobox", { name: "A name, or a docker command" });
const options = (page) => page.getByRole("option");
/** The option that Enter would take. */
const chosen = (page) => page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-activedescendant"))?.textContent.trim());
const opened = async (page, path = "/volumes") => {
  await page.goto(path);
  await page.keyboard.press("Control+k");
  await box(page).waitFor();
};

test("a docker command leads to its dialog, over the page that one is on, and nothing is done", () => withPage(url, async (page) => {
  await opened(page);
  await page.keyboard.type(`docker rm -f ${name}`);
  await until(async () => (await chosen(page))?.startsWith(`Remove ${name}`), "it is understood");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: `Remove ${name}?` });
  await dialog.waitFor();
  assert.equal(page.url(), `${url}/volumes`, "the page is the same");
  assert.ok(await dialog.getByRole("checkbox", { name: "-f" }).isChecked());
  assert.equal(await dialog.locator("[data-command]").innerText(), `docker rm -f ${name}`);
  assert.equal(await state(name), "running", "nothing was removed");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  // The same where the answer has not come before Enter.
  await page.keyboard.press("Control+k");
  await box(page).fill(`stop -t 3 ${name}`);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: `Stop ${name}?` }).waitFor();
  assert.equal(await page.getByLabel("Seconds to wait before it is killed").inputValue(), "3");
  assert.equal(await state(name), "running");
  // What is asked there is done there, and the page stays.
  await page.getByRole("button", { name: `Stop ${name}` }).click();
  await until(async () => await state(name) === "exited", "it is stopped");
  assert.equal(page.url(), `${url}/volumes`);
  await docker("start", name);
}));

test("by keyboard: arrows choose, Enter goes, Escape closes; what is old is dropped", () => withPage(url, async (page) => {
  await opened(page, "/jobs");
  assert.equal(await chosen(page) ?? await until(() => chosen(page), "pages are offered"), "Overview");
  await page.keyboard.type("g c ? n /");
  assert.equal(await box(page).inputValue(), "g c ? n /", "in it, keys are letters");
  await box(page).fill("going");
  await until(async () => await options(page).count() === 3, "both are offered, and their list");
  assert.match(await chosen(page), new RegExp(`^${name}`));
  await page.keyboard.press("ArrowDown");
  assert.match(await chosen(page), new RegExp(`^${stopped}`));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.match(await chosen(page), /list/, "from the first to the last");
  await page.keyboard.press("ArrowDown");
  assert.match(await chosen(page), new RegExp(`^${name}`));
  // An answer that comes late is not that of what stands there.
  let slow = 0;
  await page.route("**/go/found?q=volu", async (route) => { slow += 1; await new Promise((go) => setTimeout(go, 900)); await route.continue().catch(() => {}); });
  await box(page).fill("volu");
  await page.waitForTimeout(200);
  await box(page).fill("Disk use");
  await until(async () => await chosen(page) === "Disk use", "the newer one is shown");
  await page.waitForTimeout(1000);
  assert.equal(slow, 1);
  assert.equal(await chosen(page), "Disk use", "the older one came to nothing");
  await page.keyboard.press("Escape");
  await box(page).waitFor({ state: "hidden" });
  await page.keyboard.press("/");
  await box(page).fill("disk u");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/engine/disk");
  // A command that is not whole yet is completed, and goes on.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("docker sto");
  await until(async () => (await chosen(page))?.startsWith("stop"), "it is completed");
  await page.keyboard.press("Enter");
  await until(async () => await box(page).inputValue() === "stop ", "the command stands there");
  await until(async () => (await chosen(page))?.startsWith("Stop "), "and whom it may mean");
}));

test("by pointer: the box in the head opens it, a row goes, beside it closes it", () => withPage(url, async (page) => {
  await page.goto("/images");
  await page.locator("[data-find]").click();
  await box(page).fill(stopped);
  await options(page).filter({ hasText: stopped }).first().click();
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  await page.locator("[data-find]").click();
  await box(page).waitFor();
  await page.mouse.click(5, 5);
  await box(page).waitFor({ state: "hidden" });
  // What leads to a page leads there, with what was said in it.
  await page.keyboard.press("Control+k");
  await box(page).fill("docker run -d --name x -p 8081:80 nginx:1.29");
  await options(page).filter({ hasText: "New container" }).click();
  await page.waitForURL((at) => at.pathname === "/containers/new" && at.search.startsWith("?line="));
  assert.equal(await page.getByLabel("Image", { exact: true }).inputValue(), "nginx:1.29");
}));

test("what cannot be meant, or may not be done, is said", async () => {
  await withPage(url, async (page) => {
    await opened(page);
    for (const [text, says] of [["docker swarm init", /no pages for swarms/], [`stop --now ${name}`, /has no flag --now/], ["docker stop nothing-is-called-so", /No container here is called/], ["nothing-is-called-so", /Nothing is called so/]]) {
      await box(page).fill(text);
      await page.locator("#options").getByText(says).waitFor();
      await until(async () => says.test(await page.locator("#palette [role=status]").textContent()) || /0 results/.test(await page.locator("#palette [role=status]").textContent()), "it is read out");
    }
  });
  const it = await serve({ accounts: true });
  const people = await staff(it, { vic: ["viewer"] });
  await withPage(it.url, async (page) => {
    await opened(page);
    await box(page).fill(`rm -f ${name}`);
    await page.locator("#options").getByText("You are viewer. It takes operator").waitFor();
    assert.equal(await options(page).count(), 0);
  }, { as: people.vic.cookie });
  await it.stop();
});

for (const theme of ["light", "dark"]) for (const [where, size] of [["on a desk", undefined], ["on a phone", PHONE]]) {
  test(`${theme}, ${where}: axe finds nothing, nothing is cut off or too small`, () => withPage(url, async (page) => {
    const fine = async (what) => {
      assert.deepEqual(await violations(page), [], what);
      const spills = await page.evaluate(() => [document.scrollingElement, document.querySelector("#palette"), document.querySelector("#options")].map((it) => it.scrollWidth - it.clientWidth));
      assert.ok(spills.every((by) => by <= 0), `${what}: past the edge by ${spills}`);
      if (size) {
        const low = await page.locator("a[data-hit]:visible").evaluateAll((all) => all.map((it) => it.getBoundingClientRect().height).filter((height) => height < 43));
        assert.deepEqual(low, [], `${what}: too small for a thumb`);
      }
    };
    await page.goto("/containers");
    await page.locator("[data-find]").click();
    for (const text of ["", "going", `docker rm -fv ${name} ${stopped}`, "stop goin --now", "docker st", "docker swarm", "nothing-is-called-so"]) {
      await box(page).fill(text);
      await page.waitForTimeout(400);
      await fine(`the palette of “${text}”`);
    }
    for (const path of ["/go", "/go?q=o", "/go?q=stop+going", "/go?q=docker+st", "/go?q=docker+swarm"]) {
      await page.goto(path);
      await fine(path);
    }
  }, { theme, ...size && { size } }));
}

test("without scripts: the page finds, and leads to the form", () => withPage(url, async (page) => {
  const word = unique("found"), tag = `${word}-image:1`, volume = `${word}-volume`, network = `${word}-network`;
  const find = async (text) => {
    await page.goto("/jobs");
    await page.locator("[data-find]").fill(text);
    await page.locator("[data-find]").press("Enter");
    await page.waitForURL((at) => at.pathname !== "/jobs");
  };
  await docker("tag", "busybox:latest", tag);
  await docker("volume", "create", volume);
  await docker("network", "create", network);
  await until(async () => {
    await find(word);
    return await page.locator("#found h2").count() === 3;
  }, "all three are found");
  for (const [kind, path] of [["Images", /images\/[0-9a-f]{64}$/], ["Volumes", /volumes\/./], ["Networks", /networks\/[0-9a-f]{64}$/]]) {
    await find(word);
    await page.locator("section", { has: page.getByRole("heading", { name: kind }) }).getByRole("link").first().click();
    await page.waitForURL(path);
  }
  // What only one list has is shown by that list.
  await find(network);
  await page.waitForURL(`**/networks?q=${network}`);
  await find(`docker rm -f ${name}`);
  await page.waitForURL("**/remove?force=1");
  assert.ok(await page.getByRole("checkbox", { name: "-f" }).isChecked());
  assert.equal(await state(name), "running", "nothing was removed");
  await find("stop goin");
  await page.getByRole("link", { name: `Stop ${name}` }).click();
  await page.getByRole("heading", { name: `Stop ${name}?` }).waitFor();
  await find(`${word}-nothing`);
  await page.getByRole("heading", { name: "Nothing is called so." }).waitFor();
}, { js: false }));

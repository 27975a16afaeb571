// The engine's pages, jobs and kept events as a browser shows them: with and without scripts, in both themes, on a desk
// and on a phone; axe finds nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { DESKTOP, docker, finish, make, PHONE, post, serve, unique, until, withPage } from "./support.mjs";

after(finish);

let it, url, stopped, id;
before(async () => {
  it = await serve();
  ({ url } = it);
  stopped = unique("stopped");
  id = await docker("create", "--network", "none", "--name", stopped, "-v", "/data", "busybox:latest");
  await make(unique("runs"));
});

const measured = () => until(async () => {
  const disk = await (await fetch(`${url}/engine/disk`, { headers: { accept: "application/json" } })).json();
  return disk.measured && !disk.measuring;
}, "the disk is measured", 60_000);

test("the engine says what it is, and its holes are put away with one press", async () => {
  await withPage(url, async (page) => {
    await page.goto("/");
    await page.locator("#notices").getByText("The engine has known holes").waitFor();
    await page.getByRole("link", { name: "Which, and what to do" }).click();
    await page.getByRole("heading", { name: "Engine", level: 1 }).waitFor();
    await page.getByText("CVE-2024-21626").waitFor();
    await page.goto("/");
    await page.getByRole("button", { name: "Put away" }).click();
    await page.locator("#notices").waitFor({ state: "detached" });
    await page.goto("/engine");
    await page.locator("#notices").waitFor();
  });
});

test("disk use is measured while the page is open, and drawn without a reload", async () => {
  await withPage(url, async (page) => {
    await page.goto("/engine/disk");
    await page.getByRole("heading", { name: "It has not been measured." }).waitFor();
    await page.getByRole("button", { name: "Measure", exact: true }).click();
    await page.getByRole("img", { name: /^Disk use: Images/ }).waitFor();
    await page.getByRole("link", { name: "Containers", exact: true }).last().click();
    await page.getByRole("heading", { name: "Containers, the largest first" }).waitFor();
    await page.getByRole("searchbox", { name: "Search by name" }).fill(stopped);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("link", { name: `Free… ${stopped}` }).click();
    await page.getByText(`Remove ${stopped}?`).first().waitFor();
  });
});

test("without scripts the same is done by forms", async () => {
  await post(it, "/engine/disk/measure", {});
  await measured();
  await withPage(url, async (page) => {
    await page.goto("/engine/disk");
    await page.getByRole("button", { name: "Measure again" }).click();
    await page.getByRole("heading", { name: "Disk use", level: 1 }).waitFor();
    await page.goto("/engine/prune");
    await page.getByLabel("With a label").fill("team=nobody-has-this");
    await page.getByRole("button", { name: "Show what would go" }).click();
    assert.match(page.url(), /label=team/);
    await page.getByText("Nothing: everything is used").waitFor();
    assert.equal(await page.locator("#confirm [data-command]").innerText(), "docker system prune --filter label=team=nobody-has-this");
    await page.getByLabel("Made before").fill("someday");
    await page.getByRole("button", { name: "Show what would go" }).click();
    await page.getByText("A moment is expected").waitFor();
    await page.goto("/events/search");
    await page.locator("summary").click();
    await page.getByLabel("Name or id").fill(stopped);
    await page.getByRole("button", { name: "Search" }).click();
    await page.locator(".tl li", { hasText: "was created" }).first().waitFor();
    await page.goto("/jobs");
    await page.getByRole("heading", { name: "No jobs." }).waitFor();
  }, { js: false, expect: [/422/] });
});

test("what was listed goes as a job, which stands in the list", async () => {
  const own = unique("goes");
  const container = await docker("create", "--network", "none", "--label", `own=${own}`, "--name", own, "busybox:latest");
  await until(async () => (await (await fetch(`${url}/containers?q=${own}`)).text()).includes(container), "the console sees it");
  await withPage(url, async (page) => {
    // Others use the engine: only what carries this label.
    await page.goto(`/engine/prune?label=own%3D${own}`);
    await page.locator("#confirm").getByText(own, { exact: true }).waitFor();
    assert.equal(await page.locator("[name=thing]").count(), 1);
    await page.getByRole("button", { name: "Remove 1" }).click();
    await page.waitForURL(/\/jobs\/\d+$/);
    await page.locator("#job").getByText("done in").waitFor();
    await page.goto("/jobs");
    await page.getByRole("link", { name: "Prune 1 thing" }).waitFor();
    await page.getByRole("link", { name: "Done 1" }).click();
    await page.getByRole("link", { name: "Prune 1 thing" }).waitFor();
  });
  assert.equal(await docker("inspect", own).catch(() => "gone"), "gone");
});

test("a job at work is seen from every page, and in the list", async () => {
  const slow = unique("slow");
  await docker("run", "-d", "--network", "none", "--name", slow, "busybox:latest", "sleep", "1000");   // it does not listen to TERM
  const container = await docker("inspect", "-f", "{{.Id}}", slow);
  await until(async () => (await (await fetch(`${url}/containers?q=${slow}`)).text()).includes(container), "the console sees it");
  await withPage(url, async (page) => {
    await page.goto("/volumes");
    fetch(`${url}/containers/bulk`, { method: "POST", redirect: "manual", headers: { origin: url }, body: new URLSearchParams([["action", "stop"], ["timeout", "6"], ["id", container]]) }).catch(() => {});
    await page.getByRole("link", { name: "1 job at work" }).click();
    await page.locator("#jobs").getByText("working…").waitFor();
    await page.getByText("No job fits that.").waitFor();
    await page.locator("#working a").waitFor({ state: "detached" });
  });
});

for (const [where, size] of [["desk", DESKTOP], ["phone", PHONE]]) {
  for (const theme of ["light", "dark"]) {
    test(`axe finds nothing: ${where}, ${theme}`, async () => {
      await post(it, "/engine/disk/measure", {});
      await measured();
      await withPage(url, async (page) => {
        for (const path of ["/", "/engine", "/engine/disk", "/engine/disk?of=containers", "/engine/disk?of=cache", "/engine/prune?all=1&volumes=1", "/engine/prune?until=x", "/jobs", "/jobs?show=running", "/jobs/1", "/events", "/events/search", "/events/search?q=nothing-has-this", "/events/search?since=x"]) {
          await page.goto(path);
          await page.locator("h1").first().waitFor({ state: "attached" });
          assert.deepEqual(await violations(page), [], path);
          const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
          assert(wide <= 0, `${path} is ${wide} px too wide`);
        }
      }, { size, theme, expect: [/422/] });
    });
  }
}

// What a container uses: charts that are drawn and go on, ranges, keys, the columns of the list; without scripts; for
// who does not see; on a phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { docker, finish, make, PHONE, row, serve, unique, until, withPage } from "./support.mjs";

after(finish);

let url, name, id;
before(async () => {
  ({ url } = await serve());
  name = unique("use");
  await make(name, "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50");
  id = await docker("inspect", "-f", "{{.Id}}", name);
});

/** How many pixels of a chart's canvas are not empty. */
const ink = (page, chart) => page.locator(`[data-chart=${chart}] canvas`).evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
  return count;
});
const live = async (page) => Number(await page.locator("#stats").getAttribute("data-live") ?? 0);

test("charts are drawn and go on by themselves", async () => {
  await withPage(url, async (page) => {
    await page.goto(`/containers/${id}/stats`);
    for (const chart of ["cpu", "memory", "network", "disk", "pids"]) {
      await page.locator(`[data-chart=${chart}] canvas`).waitFor();
      await until(async () => await ink(page, chart) > 200, `${chart} is drawn`);
    }
    await until(async () => await page.locator("[data-drawn]:visible").count() === 0, "the server's drawings make room");
    const before = await until(() => live(page), "a reading comes");
    await until(async () => await live(page) > before, "and another");
    await until(async () => /^\d+\.\d %$/.test(await page.locator("[data-chart=cpu] [data-now]").innerText()), "CPU in words");
    assert.match(await page.locator("[data-chart=memory] [data-limit-words]").innerText(), /limit 64\.0 MiB/);
    assert.match(await page.locator("[data-chart=memory] [data-peak]").innerText(), /iB$/);
    assert.equal(await page.locator("[data-command]").first().innerText(), `docker stats ${name}`);

    // The arrows read it point by point, all charts at once.
    const box = page.locator("[data-chart=memory] [data-box]");
    await box.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    const at = (chart) => page.locator(`[data-chart=${chart}] [data-at]`).innerText();
    await until(async () => /^\d\d:\d\d:\d\d: .*iB/.test(await at("memory")), "what stands there, in words");
    assert.equal((await at("pids")).slice(0, 8), (await at("memory")).slice(0, 8), "the others stand at the same moment");
    assert.deepEqual(await violations(page), []);
  });
});

test("a day and a month are a click away, and the address keeps them", async () => {
  await withPage(url, async (page) => {
    await page.goto(`/containers/${id}/stats`);
    await page.getByRole("link", { name: "Day", exact: true }).click();
    await page.waitForURL(/range=day/);
    await page.locator("[data-chart=cpu] canvas").waitFor();
    assert.equal(await page.locator(".chips [aria-current=page]").innerText(), "Day");
    await page.getByRole("link", { name: "Month", exact: true }).click();
    await page.waitForURL(/range=month/);
    await page.locator("[data-chart=cpu] canvas").waitFor();
    assert.deepEqual(await violations(page), []);
  });
});

test("a container that stops says so, and its lines stay", async () => {
  const mine = unique("stops");
  await make(mine);
  await withPage(url, async (page) => {
    await page.goto(`/containers/${await docker("inspect", "-f", "{{.Id}}", mine)}/stats`);
    await until(() => live(page), "a reading comes");
    await docker("stop", "-t", "1", mine);
    await page.locator("#stats-none").waitFor();
    await page.locator("#head[data-state=exited]").waitFor();
    assert.equal(await page.locator("[data-chart=cpu] [data-now]").innerText(), "–");
    await until(async () => await ink(page, "memory") > 200, "it is drawn");
  });
});

test("it is all there without scripts", async () => {
  await withPage(url, async (page) => {
    await page.goto(`/containers/${id}/stats`);
    assert.equal(await page.locator("[data-drawn] svg").count(), 5);
    assert.equal(await page.locator(".plot-limit").count(), 3);
    assert.match(await page.locator("[data-chart=memory] [data-drawn]").getAttribute("aria-label"), /Memory: now .*iB.*limit 64/);
    await page.getByText("The same as a table").click();
    await page.locator("#stats-table tbody tr").first().waitFor();
    await page.getByRole("link", { name: "Change limits…" }).click();
    await page.getByLabel("Processes").fill("60");
    await page.getByRole("button", { name: "Change limits" }).click();
    await page.waitForURL(/\/stats$/);
    assert.equal(await docker("inspect", "-f", "{{.HostConfig.PidsLimit}}", name), "60");
  }, { js: false });
});

test("limits: the command follows, and what is wrong stands at its field", async () => {
  await withPage(url, async (page) => {
    await page.goto(`/containers/${id}/update`);
    await page.getByLabel("Memory limit", { exact: true }).fill("1g");
    await until(async () => (await page.locator("#run-line").innerText()) === `docker update --memory 1g ${name}`, "the command follows");
    assert.deepEqual(await violations(page), []);
    await page.getByRole("button", { name: "Change limits" }).click();
    await page.locator("#f-memory-error").waitFor();
    assert.match(await page.locator("#f-memory-error").innerText(), /memoryswap/);
    assert.deepEqual(await violations(page), []);
  }, { expect: [/422|409|400/] });
});

test("rows of the list say what they use, and a row that is drawn anew keeps it", async () => {
  await withPage(url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    const memory = row(page, name).locator("[data-use=memory]"), cpu = row(page, name).locator("[data-use=cpu]");
    await until(async () => /iB/.test(await memory.innerText()) && /%/.test(await cpu.innerText()), "numbers in the row");
    await docker("pause", name);
    await page.locator(`tr[data-name="${name}"][data-state=paused]`).waitFor();
    assert.match(await memory.innerText(), /iB/);
    await docker("unpause", name);
    assert.deepEqual(await violations(page), []);
    await page.getByRole("link", { name: "Memory" }).click();
    await page.waitForURL(/sort=memory/);
  });
});

test("on a phone, in the dark", async () => {
  await withPage(url, async (page) => {
    await page.goto(`/containers/${id}/stats`);
    await page.locator("[data-chart=pids] canvas").waitFor();
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), "nothing goes past the edge");
    assert.deepEqual(await violations(page), []);
    await page.goto(`/containers?q=${name}`);
    await until(async () => /iB/.test(await row(page, name).locator("[data-use=memory]").innerText()), "numbers on the card");
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), "nothing goes past the edge");
  }, { size: PHONE, theme: "dark" });
});

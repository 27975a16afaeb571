// The connection is lost, and comes back.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { docker, finish, make, row, serve, sleep, unique, until, withPage } from "./support.mjs";

after(finish);

// What the browser itself notes when nobody answers.
const expect = [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_FAILED|network error|Failed to fetch|htmx:sse:error/];
const isStale = (page) => page.evaluate(() => document.body.classList.contains("stale"));
const sign = (page) => page.locator("#live").innerText();

test("the console dies: the page says as of when, and heals by itself when it is back", async (t) => {
  const name = unique();
  await make(name);
  let console = await serve();
  const { host } = new URL(console.url);
  await withPage(console.url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    await page.evaluate(() => { window.__same = true; });
    await docker("pause", name);
    await page.locator(`tr[data-name="${name}"][data-state=paused]`).waitFor();
    const began = Date.now();
    await console.stop();
    await until(() => isStale(page), "the page is grey");
    t.diagnostic(`grey after ${Date.now() - began} ms`);
    assert.match(await sign(page), /not live: as of \d+:\d\d/);
    assert.ok(Number(await page.locator("main").evaluate((main) => getComputedStyle(main).opacity)) < 1);
    // What is pressed now is answered, too.
    await row(page, name).getByRole("button", { name: `Unpause ${name}` }).click();
    await page.locator(".toast.bad").getByText(/does not answer/).waitFor();
    await docker("unpause", name);
    await docker("kill", name);
    const back = Date.now();
    console = await serve({ listen: host });
    await page.locator(`tr[data-name="${name}"][data-state=exited]`).waitFor({ timeout: 12_000 });
    t.diagnostic(`true again ${Date.now() - back} ms after the start`);
    await until(async () => !await isStale(page) && await sign(page) === "live", "the page is live again", 3000);
    assert.ok(await page.evaluate(() => window.__same), "it was not reloaded");
    await docker("start", name);
    await page.locator(`tr[data-name="${name}"][data-state=running]`).waitFor({ timeout: 2000 });
  }, { expect });
});

test("the console is frozen for a while: the same", async (t) => {
  const name = unique();
  await make(name);
  const console = await serve();
  await withPage(console.url, async (page) => {
    await page.goto(`/containers?q=${name}`);
    await page.evaluate(() => { window.__same = true; });
    await docker("pause", name);
    await page.locator(`tr[data-name="${name}"][data-state=paused]`).waitFor();
    const began = Date.now();
    console.child.kill("SIGSTOP");
    try {
      await until(() => isStale(page), "the page is grey");
      t.diagnostic(`grey after ${Date.now() - began} ms`);
      assert.match(await sign(page), /not live: as of \d+:\d\d/);
      await docker("unpause", name);
      await sleep(500);
    } finally {
      console.child.kill("SIGCONT");
    }
    await page.locator(`tr[data-name="${name}"][data-state=running]`).waitFor({ timeout: 12_000 });
    await until(async () => !await isStale(page) && await sign(page) === "live", "the page is live again", 6000);
    assert.ok(await page.evaluate(() => window.__same));
  }, { expect });
});

test("the engine is gone: the page says so; a page that is quiet stays live", async () => {
  const console = await serve({ engine: "unix:///no/such/engine.sock" });
  await withPage(console.url, async (page) => {
    await page.goto("/containers");
    assert.match(await sign(page), /no engine/);
    await page.getByText(/systemctl start docker/).waitFor();
    await sleep(11_500);
    assert.ok(!await isStale(page), "the pulse keeps it fresh");
    assert.match(await sign(page), /no engine/);
  }, { expect: [/status of 503/] });
});

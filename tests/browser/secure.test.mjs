// Over TLS with a certificate that the browser was told to take, and below a path: nothing on a page may lead past it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, make, PHONE, row, serve, state, unique, until, withPage } from "./support.mjs";

after(finish);

// What Node asks before the tests begin; the browser is told by itself.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const more = { ignoreHTTPSErrors: true };
let url;
before(async () => {
  const { url: origin } = await serve({ more: ["--tls", "on", "--public-url", "https://docker.example/docker/"] });
  url = `${origin}/docker`;
});

test("a page lives and acts below a path, over HTTP/2", async () => {
  const name = unique();
  await make(name);
  await withPage(url, async (page) => {
    await page.goto(`${url}/containers?q=${name}`);
    assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol), "h2");
    assert.equal(await page.locator(".unencrypted").count(), 0);
    await page.evaluate(() => { window.__same = true; });
    await row(page, name).getByRole("button", { name: /^Pause|^Stop/ }).first().waitFor();
    await docker("pause", name);
    await page.locator(`tr[data-name="${name}"][data-state=paused]`).waitFor();
    await row(page, name).getByRole("button", { name: `Unpause ${name}` }).click();
    await page.locator(`tr[data-name="${name}"][data-state=running]`).waitFor();
    // The dialog comes back to this page, not to one without its path or with two of it.
    await row(page, name).getByRole("button", { name: /^More/ }).click();
    await row(page, name).locator("[popover]").getByRole("link", { name: /^Remove/ }).click();
    await page.locator("#dialog[open] form").waitFor();
    await page.locator("#dialog [name=force]").check();
    await page.locator("#dialog button.danger, #dialog button.primary").first().click();
    await until(async () => await state(name) === "gone", "it is removed");
    await page.locator("#toasts .toast.ok").getByText(name).first().waitFor();
    assert.ok(await page.evaluate(() => window.__same), "the page was not reloaded");
    assert.equal(page.url(), `${url}/containers?q=${name}`);
  }, more);
});

test("keys and forms stay below it", async () => {
  await withPage(url, async (page) => {
    await page.goto(`${url}/`);
    for (const [key, path] of [["c", "/containers"], ["v", "/volumes"], ["e", "/events"], ["j", "/jobs"], ["o", "/"]]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.waitForURL(`${url}${path}`);
    }
    await page.keyboard.press("n");
    await page.waitForURL(`${url}/containers/new`);
    await page.locator("[name=image]").fill("busybox:latest");
    await page.locator("#run-line").getByText("busybox:latest").waitFor();
    await page.locator(".theme button[value=dark]").click();
    await page.locator("html[data-theme=dark]").waitFor();
    assert.equal(page.url(), `${url}/containers/new`);
  }, more);
});

test("a job that has made a container leads to it", async () => {
  const name = unique();
  await withPage(url, async (page) => {
    await page.goto(`${url}/containers/new?image=busybox:latest&name=${name}`);
    await page.locator("main form button.primary").first().click();
    await page.waitForURL(new RegExp(`^${url}/(containers|jobs)/`));
    await until(async () => await state(name) !== "gone", "it is there");
    await page.waitForURL(new RegExp(`^${url}/containers/[0-9a-f]{64}`));
  }, more);
});

for (const size of [undefined, PHONE]) {
  test(`what is not encrypted says so${size ? " on a phone" : ""}`, async () => {
    const { url } = await serve({ more: ["--tls", "off"] });
    await withPage(url, async (page) => {
      await page.goto("/containers");
      await page.getByRole("button", { name: "not encrypted" }).click();
      await page.getByText("--trusted-proxies").waitFor();
      if (process.env.WHEELHOUSE_TEST_SHOTS) await page.screenshot({ path: `${process.env.WHEELHOUSE_TEST_SHOTS}/unencrypted${size ? "-phone" : ""}.png` });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.ok(!wide, "nothing stands out of the screen");
    }, size ? { size } : {});
  });
}

test("S015 a terminal and a log, live over HTTP/2 below a path", async () => {
  const name = unique();
  await make(name);
  const id = await docker("inspect", "-f", "{{.Id}}", name);
  await withPage(url, async (page, context) => {
    const devtools = await context.newCDPSession(page);
    await devtools.send("Network.enable");
    const answers = [];
    devtools.on("Network.webSocketHandshakeResponseReceived", ({ response }) => answers.push(response.status));
    await page.goto(`${url}/containers/${id}/terminal`);
    await page.getByRole("button", { name: "Open a terminal" }).click();
    const screen = () => page.locator(".pane:not([hidden]) .xterm-rows").innerText();
    await until(async () => (await screen().catch(() => "")).includes("#"), "a prompt");
    await page.keyboard.type("echo $((6*7)) >/proc/1/fd/1; echo $((40+2))");
    await page.keyboard.press("Enter");
    await until(async () => (await screen()).includes("\n42"), "an answer");
    // A socket within HTTP/2 is answered with 200 (RFC 8441), one of its own with 101.
    assert.deepEqual(answers, [200]);
    await page.goto(`${url}/containers/${id}/logs`);
    await page.locator("#logs.alive").waitFor();
    await page.locator("#log-lines .tx").getByText("42", { exact: true }).waitFor();
  }, more);
});

// Signing in and out, as people meet it: links, passwords, codes, sessions that end.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { bearer, enter, finish, make, PASSWORD, post, row, serve, staff, state, unique, until, withPage } from "./support.mjs";

after(finish);

let it, all, name;
before(async () => {
  it = await serve({ accounts: true });
  all = await staff(it, { vera: ["viewer"], otto: ["operator"], fay: ["operator"], lea: ["viewer"] });
  name = unique("door");
  await make(name);
});

const signIn = async (page, name, password = PASSWORD) => {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
};

/** The code of an authenticator app (RFC 6238), `ahead` steps of 30 s from now. */
function totp(secret, ahead = 0) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2))), step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const hash = createHmac("sha1", key).update(step).digest();
  return String((hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// Chromium itself writes a line for each answer of 401, 403 and 422 that a test brings about.
const expect = [/status of 4(01|03|22)/, /htmx:sse:error: SSE reconnect failed with status 401/];

test("a new console is set up by its link, once; nothing is kept in the browser but the cookie", async () => {
  const fresh = await serve({ accounts: true });
  await withPage(fresh.url, async (page, context) => {
    await page.goto("/");
    await page.waitForURL("**/login");
    await page.getByText("one-time link").first().waitFor();
    await page.goto(fresh.setup);
    await page.getByLabel("Password", { exact: true }).fill("12345678");
    await page.getByLabel("Password, again").fill("12345678");
    await page.getByRole("button", { name: "Make the administrator" }).click();
    await page.getByText("first that somebody would guess").waitFor();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Password, again").fill(PASSWORD);
    await page.getByRole("button", { name: "Make the administrator" }).click();
    await page.waitForURL(`${fresh.url}/`);
    await page.getByRole("link", { name: /admin/ }).waitFor();
    await page.goto("/containers");
    assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
    const cookies = await context.cookies();
    assert.deepEqual(cookies.map(({ name, httpOnly, secure, sameSite, path, expires, domain }) => ({ name, httpOnly, secure, sameSite, path, expires, domain })),
      [{ name: "wheelhouse", httpOnly: true, secure: false, sameSite: "Strict", path: "/", expires: -1, domain: "127.0.0.1" }]);
    // The link is used up.
    await context.clearCookies();
    await page.goto(fresh.setup);
    await page.getByText("does not lead anywhere").waitFor();
  }, { expect });
});

test("S011 over TLS the cookie is for this host alone, and encrypted only", async () => {
  const secure = await serve({ accounts: true, more: ["--tls", "on"] });
  await withPage(secure.url, async (page, context) => {
    await page.goto(secure.setup);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Password, again").fill(PASSWORD);
    await page.getByRole("button", { name: "Make the administrator" }).click();
    await page.waitForURL(`${secure.url}/`);
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], ["__Host-wheelhouse", true, true, "Strict", "/"]);
    assert.equal(await page.locator(".unencrypted").count(), 0);
  }, { ignoreHTTPSErrors: true });
});

test("a wrong password says so and keeps the name; the right one leads to where one wanted to go", () => withPage(it.url, async (page) => {
  await page.goto(`/containers?q=${name}`);
  await page.waitForURL("**/login?next=*");
  await signIn(page, "otto", "not the password of otto");
  await page.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
  assert.equal(await page.getByLabel("Name").inputValue(), "otto");
  await signIn(page, "nobody-here", "not the password of otto");
  await page.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
  await signIn(page, "otto");
  await page.waitForURL(`${it.url}/containers?q=${name}`);
  await row(page, name).waitFor();
}, { expect }));

test("next leads nowhere else", () => withPage(it.url, async (page) => {
  for (const next of ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)"]) {
    await page.context().clearCookies();
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await signIn(page, "lea");
    await page.waitForURL(`${it.url}/`);
  }
}, { expect }));

test("signed out, Back shows nothing", () => withPage(it.url, async (page) => {
  await page.goto("/login");
  await signIn(page, "lea");
  await page.waitForURL(`${it.url}/`);
  await page.goto("/containers");
  await row(page, name).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/login");
  await page.goBack();
  await page.waitForURL("**/login?next=*");
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.doesNotMatch(await page.content(), new RegExp(name));
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);
}));

test("S010 a session that is ended elsewhere leaves its open page within 5 s, and says so", () => withPage(it.url, async (page, context) => {
  const mine = await enter(it, "fay");
  await context.addCookies([{ ...bearer(mine), url: it.url }]);
  await page.goto("/containers");
  await row(page, name).waitFor();
  await page.locator("#live", { hasText: "live" }).waitFor();
  await withPage(it.url, async (other) => {
    await other.goto("/me");
    await other.getByRole("button", { name: "End all others" }).click();
    await other.waitForURL("**/me*");
  }, { as: await enter(it, "fay") });
  await page.waitForURL("**/login?next=*", { timeout: 5000 });
  await page.getByText("You have been signed out").waitFor();
  assert.doesNotMatch(await page.content(), new RegExp(name));
  await signIn(page, "fay");
  await page.waitForURL(`${it.url}/containers`);
}, { expect }));

test("an action after the session has ended leads to the sign-in, on a page that does not live", () => withPage(it.url, async (page, context) => {
  const mine = await enter(it, "fay");
  await context.addCookies([{ ...bearer(mine), url: it.url }]);
  await page.goto(`/volumes/new`);
  await post(it, "/logout", {}, mine);
  await page.locator("#f-name").fill("x");
  await page.waitForURL("**/login?next=*");
}, { expect }));

test("a second factor: turned on with an app, asked for, a code is good once, a recovery code too", () => withPage(it.url, async (page, context) => {
  await context.addCookies([{ ...bearer(all.vera.cookie), url: it.url }]);
  await page.goto("/me/second-factor");
  const box = await page.locator("svg.qr").boundingBox();
  assert.equal(Math.round(box.width), 200);
  await page.getByText("No camera?").click();
  const secret = await page.locator("[data-command]").innerText();
  await page.locator("#code").fill("000000");
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Turn it on" }).click();
  await page.getByText("not the code of this minute").waitFor();
  assert.equal(await page.locator("input[name=secret]").inputValue(), secret, "the app need not read it again");
  await page.locator("#code").fill(totp(secret));
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.getByRole("button", { name: "Turn it on" }).click();
  await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
  const codes = (await page.getByRole("region", { name: "Recovery codes" }).innerText()).trim().split(/\s+/);
  assert.equal(codes.length, 10);

  const upToTheCode = async () => {
    await context.clearCookies();
    await page.goto("/login?next=/volumes");
    await signIn(page, "vera");
    await page.getByRole("heading", { name: "The second step" }).waitFor();
  };
  const give = async (code) => {
    await page.locator("#code").fill(code);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await upToTheCode();
  await page.goto("/containers");
  await page.waitForURL("**/login?next=*");
  await upToTheCode();
  await give("123456");
  await page.getByRole("alert").getByText("That code is wrong").waitFor();
  // The one that turned it on is used up: the next one counts.
  const code = totp(secret, 1);
  await give(code);
  await page.waitForURL(`${it.url}/volumes`);
  await upToTheCode();
  await give(code);
  await page.getByRole("alert").getByText("That code is wrong, was used").waitFor();
  await give(codes[0].toUpperCase());
  await page.waitForURL(`${it.url}/volumes`);
  await upToTheCode();
  await give(codes[0]);
  await page.getByRole("alert").waitFor();
}, { expect }));

test("without scripts: signing in, acting, signing out", () => withPage(it.url, async (page) => {
  await page.goto("/login");
  await signIn(page, "otto");
  await page.waitForURL(`${it.url}/`);
  const mine = unique("plain");
  await make(mine);
  const stop = row(page, mine).getByRole("button", { name: `Stop ${mine}` });
  // Without scripts a page stays as it was when it was asked for, and the engine may tell of a start a moment later.
  await until(async () => { await page.goto(`/containers?q=${mine}`); return stop.isVisible(); }, "its row says that it runs");
  await stop.click();
  await until(async () => await state(mine) === "exited", "it has stopped");
  await page.waitForURL(`**/containers?q=${mine}`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/login");
}, { js: false }));

test("pages for strangers tell nothing and break no rule", () => withPage(it.url, async (page) => {
  for (const path of ["/login", "/setup?token=wrong", "/nope", "/me", "/people/1"]) {
    await page.goto(path);
    assert.doesNotMatch(await page.content(), /otto|28\.5|docker28/i, path);
  }
}, { expect: [/status of 4(03|04)/] }));

test("the password changes, the other sessions end", () => withPage(it.url, async (page, context) => {
  const [mine, other] = [await enter(it, "lea"), await enter(it, "lea")];
  await context.addCookies([{ ...bearer(mine), url: it.url }]);
  await page.goto("/me");
  assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth));
  await page.getByLabel("Present password").fill("something else entirely");
  for (const label of ["New password", "New password, again"]) await page.getByLabel(label, { exact: true }).fill("seven slow herons in march");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.locator("#password .error").waitFor();
  await page.getByLabel("Present password").fill(PASSWORD);
  for (const label of ["New password", "New password, again"]) await page.getByLabel(label, { exact: true }).fill("seven slow herons in march");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.waitForURL("**/me#password");
  await page.locator("#sessions").getByText("this one").waitFor();
  await until(async () => (await fetch(`${it.url}/me`, { redirect: "manual", headers: { cookie: other } })).status === 303, "the other one is out");
}, { expect }));

test("a token is shown once", () => withPage(it.url, async (page) => {
  await page.goto("/me");
  await page.locator("#token-name").fill("deploy");
  await page.getByRole("button", { name: "Make a token" }).click();
  const token = await page.locator("#fresh-token").innerText();
  const ask = () => fetch(`${it.url}/volumes`, { redirect: "manual", headers: { authorization: `Bearer ${token}`, accept: "application/json" } }).then((answer) => answer.status);
  assert.notEqual(await ask(), 401);
  await page.goto("/me");
  assert.doesNotMatch(await page.content(), new RegExp(token));
  await page.getByRole("button", { name: "Revoke deploy" }).click();
  await until(async () => await ask() === 401, "it is refused");
}, { as: all.otto.cookie }));

// People with different roles in front of the same engine: what each is shown, and how it follows when that changes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, make, PASSWORD, post, row, serve, staff, state, unique, until, window, withPage } from "./support.mjs";

after(finish);

let it, all, name, id, other, volume, stack;
before(async () => {
  it = await serve({ accounts: true });
  stack = unique("shop");
  [name, other, volume] = [unique("mine"), unique("others"), unique("data")];
  await make(name, "--label", `com.docker.compose.project=${stack}`, "-e", "API_TOKEN=hunter2-in-the-clear", "-v", `${volume}:/data`);
  await make(other);
  id = await docker("inspect", "-f", "{{.Id}}", name);
  all = await staff(it, { vera: ["viewer"], otto: ["operator"], sam: ["operator", `stack:${stack}`] });
});

const expect = [/status of 4(01|03|22)/, /htmx:sse:error: SSE reconnect failed with status 401/];
// What is pressed to change something of the engine; what is one's own, the theme, and what only shows, is not that.
const ACTS = 'main :is(button, a.btn, input[type=checkbox], [formaction])';

test("somebody is made by a link, chooses a password, and is in", () => withPage(it.url, async (page, context) => {
  await page.goto("/people");
  await page.getByRole("link", { name: "Somebody new" }).click();
  await page.locator("#f-name").fill("ivy");
  await page.locator("#f-role").selectOption("operator");
  await page.getByRole("button", { name: "Make the account" }).click();
  const link = await page.locator("#fresh-link").innerText();
  assert.match(link, new RegExp(`^${it.url}/setup\\?token=`));
  await page.goto("/people");
  assert.doesNotMatch(await page.content(), /setup\?token/);
  await page.getByRole("row", { name: /ivy/ }).getByText("nothing yet").waitFor();
  await context.clearCookies();
  await page.goto(link);
  await page.getByRole("heading", { name: "Choose a password, ivy" }).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password, again").fill(`${PASSWORD}!`);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("The two are not the same.").waitFor();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password, again").fill(PASSWORD);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.waitForURL(`${it.url}/`);
  await page.locator(".me").getByText("operator").waitFor();
  await page.goto("/people");
  await page.getByText("You may not do that.").waitFor();
  assert.equal(await page.getByRole("navigation", { name: "Sections" }).getByRole("link", { name: /People|Audit/ }).count(), 0);
}, { as: all.admin.cookie, expect }));

test("a viewer is offered nothing that changes something, and sees no secrets", () => withPage(it.url, async (page) => {
  const paths = ["/", "/containers", `/containers?q=${name}`, "/containers?q=nothing-is-called-so", `/containers/${id}`, `/containers/${id}/inspect`, "/volumes", `/volumes/${volume}`, "/events", "/jobs", "/activity"];
  for (const path of paths) {
    await page.goto(path);
    const offered = await page.locator(ACTS).evaluateAll((all) => all.filter((it) => !it.matches(".copy, .menu-btn, .unencrypted, [data-find], [rel=next]")).map((it) => it.outerHTML.slice(0, 160)));
    const harmless = offered.filter((html) => !/href="[^"]*(inspect\.json|activity\.sh|show=|\/containers"|\/volumes")|Apply|Clear|>Search<|>See why</.test(html));
    assert.deepEqual(harmless, [], path);
    assert.doesNotMatch(await page.content(), /hunter2-in-the-clear/, path);
  }
  // Inside a container they look, with all that filters and searches; no way leads into it, and nothing is sent.
  const into = ["terminal", "attach", "files", "update", "commit", "export", "stop", "remove"];
  for (const path of [...["logs", "stats", "processes", "changes", "health", "history"].map((tab) => `/containers/${id}/${tab}`), "/logs"]) {
    assert.equal((await page.goto(path)).status(), 200, path);
    assert.equal(await page.locator("main :is(form[method=post], [formaction], [data-dialog])").count(), 0, path);
    for (const word of into) assert.equal(await page.locator(`main a[href*="/${word}"]`).count(), 0, `${path} leads to ${word}`);
    assert.doesNotMatch(await page.content(), /hunter2-in-the-clear/, path);
  }
  await page.goto("/containers");
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  assert.doesNotMatch(await page.getByRole("dialog").innerText(), /make a container|audit|people/);
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  assert.equal(page.url(), `${it.url}/containers`);
  // The list lives for them, too.
  await page.goto(`/containers?q=${other}`);
  await docker("pause", other);
  await page.locator(`tr[data-name="${other}"][data-state=paused]`).waitFor();
  await docker("unpause", other);
  await page.locator(`tr[data-name="${other}"][data-state=running]`).waitFor();
  assert.equal(await page.locator(ACTS).filter({ hasText: /stop|start|remove|pause/i }).count(), 0, "a row that came live has no buttons either");
  // What is not offered is refused.
  for (const path of ["/containers/new", `/containers/${id}/remove`, `/containers/${id}/terminal`, `/containers/${id}/files`, `/containers/${id}/update`, "/volumes/prune", "/people", "/audit"]) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 403, path);
    await page.getByText(/It takes (operator|admin)/).waitFor();
  }
}, { as: all.vera.cookie, expect }));

test("a viewer of an empty engine is told what will be there, and offered nothing", async () => {
  const empty = await serve({ accounts: true, engine: await window() });
  const { vera } = await staff(empty, { vera: ["viewer"] });
  await withPage(empty.url, async (page) => {
    for (const path of ["/", "/containers", "/volumes", "/jobs", "/activity"]) {
      await page.goto(path);
      assert.equal(await page.locator("main :is(a.btn, button:not(.copy)):visible").filter({ hasText: /run|create|make|new/i }).count(), 0, path);
    }
  }, { as: vera.cookie });
});

test("an operator acts, and never sees secrets in the clear", () => withPage(it.url, async (page) => {
  await page.goto(`/containers?q=${other}`);
  await row(page, other).getByRole("button", { name: `Stop ${other}` }).click();
  await until(async () => await state(other) === "exited", "it has stopped");
  await row(page, other).getByRole("button", { name: `Start ${other}` }).click();
  await until(async () => await state(other) === "running", "it runs again");
  await page.goto(`/containers/${id}?reveal=1`);
  assert.equal(await page.getByRole("link", { name: "Reveal values" }).count(), 0);
  assert.doesNotMatch(await page.content(), /hunter2-in-the-clear/);
}, { as: all.otto.cookie }));

test("who is limited to a stack sees that stack only, live, and is told so", () => withPage(it.url, async (page) => {
  await page.goto("/containers");
  assert.deepEqual(await page.locator("tr[data-name]").evaluateAll((rows) => rows.map((row) => row.dataset.name)), [name]);
  await page.locator(".me").getByText(`stack:${stack} only`).waitFor();
  const [more, foreign] = [unique("mine"), unique("foreign")];
  await make(foreign);
  await make(more, "--label", `com.docker.compose.project=${stack}`);
  await row(page, more).waitFor();
  assert.equal(await row(page, foreign).count(), 0);
  await page.goto("/events");
  assert.doesNotMatch(await page.content(), new RegExp(foreign));
  const secret = await docker("inspect", "-f", "{{.Id}}", foreign);
  assert.equal((await page.goto(`/containers/${secret}`)).status(), 404);
}, { as: all.sam.cookie, expect: [/status of 404/] }));

test("S010 a new role is on the open page within 5 s: its buttons follow, without a reload by hand", () => withPage(it.url, async (page) => {
  await page.goto(`/containers?q=${name}`);
  await row(page, name).getByRole("button", { name: `Stop ${name}` }).waitFor();
  await page.getByRole("link", { name: "New container" }).waitFor();
  await post(it, `/people/${all.otto.id}`, { role: "viewer" }, all.admin.cookie);
  await page.getByRole("link", { name: "New container" }).waitFor({ state: "detached", timeout: 5000 });
  await row(page, name).waitFor();
  assert.equal(await row(page, name).getByRole("button").count(), 0);
  await page.locator(".me").getByText("viewer").waitFor();
  await post(it, `/people/${all.otto.id}`, { role: "operator" }, all.admin.cookie);
  await page.getByRole("link", { name: "New container" }).waitFor({ timeout: 5000 });
  await row(page, name).getByRole("button", { name: `Stop ${name}` }).waitFor();
}, { as: all.otto.cookie, expect }));

test("a button that is left over from another role says why it does nothing", () => withPage(it.url, async (page) => {
  // A page that does not hear of it: its live connection never comes about.
  await page.route("**/stream*", (route) => route.abort());
  await page.goto(`/containers?q=${name}`);
  await row(page, name).getByRole("button", { name: `Stop ${name}` }).waitFor();
  await post(it, `/people/${all.otto.id}`, { role: "viewer" }, all.admin.cookie);
  await row(page, name).getByRole("button", { name: `Stop ${name}` }).click();
  await page.locator(".toast.bad", { hasText: "You may not do that." }).getByText("You are viewer. It takes operator to do this").waitFor();
  assert.equal(await state(name), "running");
  await post(it, `/people/${all.otto.id}`, { role: "operator" }, all.admin.cookie);
}, { as: all.otto.cookie, expect: [...expect, /ERR_FAILED|htmx:(sse:)?error/] }));

test("somebody is switched off: they are out within 5 s, and cannot come back", () => withPage(it.url, async (page) => {
  const made = await post(it, "/people", { name: "gus", role: "viewer", password: PASSWORD }, all.admin.cookie);
  const who = (await made.text()).match(/action="\/people\/(\d+)"/)[1];
  const come = async () => {
    await page.getByLabel("Name").fill("gus");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await page.goto("/login");
  await come();
  await page.waitForURL(`${it.url}/`);
  await page.goto("/containers");
  await page.locator("#live", { hasText: "live" }).waitFor();
  await post(it, `/people/${who}`, { role: "viewer", enabled: "0" }, all.admin.cookie);
  await page.waitForURL("**/login?next=*", { timeout: 5000 });
  await come();
  await page.getByRole("alert").waitFor();
}, { expect }));

test("removing somebody asks first; the last administrator stays", () => withPage(it.url, async (page) => {
  const made = await post(it, "/people", { name: "pam", role: "viewer" }, all.admin.cookie);
  const who = (await made.text()).match(/action="\/people\/(\d+)"/)[1];
  await page.goto(`/people/${who}`);
  assert.equal(await page.getByRole("button", { name: "Remove the account" }).isVisible(), false);
  await page.getByText("Remove pam…").click();
  await page.getByRole("button", { name: "Remove the account" }).click();
  await page.waitForURL(`${it.url}/people`);
  assert.equal(await page.getByRole("link", { name: "pam" }).count(), 0);
  await page.goto(`/people/${all.admin.id}`);
  await page.getByText("Remove admin…").click();
  await page.getByRole("button", { name: "Remove the account" }).click();
  await page.getByText("Somebody has to stay in charge.").waitFor();
}, { as: all.admin.cookie, expect: [/status of 409/] }));

test("what was done is in the activity and in the audit, by whom and how it ended", () => withPage(it.url, async (page) => {
  const mine = unique("audited");
  await make(mine);
  const whole = await docker("inspect", "-f", "{{.Id}}", mine);
  await post(it, `/containers/${whole}/pause`, {}, all.otto.cookie);
  await post(it, `/containers/${whole}/pause`, {}, all.vera.cookie);
  await page.goto("/activity");
  const done = page.getByRole("row", { name: new RegExp(`docker pause ${mine}`) });
  await done.getByText("otto").waitFor();
  await done.getByRole("link", { name: mine }).waitFor();
  await page.goto(`/audit?who=vera&outcome=refused`);
  await page.getByRole("row", { name: new RegExp(`vera.*refused`) }).first().waitFor();
  await page.getByLabel("Who").fill("nobody-of-this-name");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("Nothing fits.").waitFor();
  await page.getByRole("link", { name: "Show all" }).click();
  await page.getByRole("link", { name: "Verify the chain" }).click();
  await page.getByText("The chain is whole").waitFor();
}, { as: all.admin.cookie }));

test("in a read-only installation an administrator is offered nothing either", async () => {
  const still = await serve({ accounts: true, more: ["--read-only"] });
  const { admin } = await staff(still);
  await withPage(still.url, async (page) => {
    await page.goto(`/containers/${id}`);
    assert.equal(await page.locator("main").getByRole("button", { name: /Stop|Kill|Pause/ }).count(), 0);
    await page.goto("/containers");
    assert.equal(await page.getByRole("link", { name: "New container" }).count(), 0);
    assert.equal(await page.locator("main input[type=checkbox]").count(), 0);
    await page.getByText("read-only", { exact: true }).waitFor();
  }, { as: admin.cookie });
});

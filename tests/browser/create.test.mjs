// A container through the form: with scripts, and a run that ends in a job.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { command, docker, finish, IDLE, make, serve, state, unique, until, withPage } from "./support.mjs";

after(finish);

let url;
before(async () => ({ url } = await serve()));

const line = (page) => page.locator("#run-line").innerText();

test("the docker line follows the keys, and run lands on the page of a running container", () => withPage(url, async (page) => {
  const name = unique();
  await page.goto("/containers/new");
  await page.getByLabel("Image", { exact: true }).pressSequentially("busybox:latest");
  await until(async () => /^docker run .*busybox:latest/s.test(await line(page)), "the line names the image");
  await page.getByLabel("Name", { exact: true }).first().fill(name);
  await page.getByLabel("Command", { exact: true }).fill("sleep 1000");
  await page.locator("#rows-env [name=env-name]").first().fill("GREETING");
  await page.locator("#rows-env [name=env-value]").first().fill("hello $USER; it's");
  await page.getByRole("button", { name: "Add a variable" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.name), "env-name", "the new row has the focus");
  await page.keyboard.type("SECOND");
  await until(async () => (await line(page)).includes("SECOND"), "the line has the second variable");
  const shown = await line(page);
  assert.match(shown, new RegExp(`--name[ =]${name}`));
  assert.ok(shown.endsWith("busybox:latest sleep 1000"), shown);
  // The shell's own reading of the line gives back what was typed.
  assert.match(shown, /'GREETING=hello \$USER; it'\\''s'|GREETING='hello \$USER; it'\\''s'|"GREETING=hello \\\$USER; it's"/);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  await page.getByRole("heading", { level: 1, name }).waitFor();
  assert.equal(await state(name), "running");
  assert.match(await docker("inspect", "-f", "{{json .Config.Env}}", name), /GREETING=hello \$USER; it's/);
}));

test("a pasted line fills in the form; what is wrong in it is marked, and what a shell would know is asked for", () => withPage(url, async (page) => {
  const name = unique(), box = page.locator("#paste");
  await page.goto("/containers/new");
  await box.getByText("Paste a docker run line").click();
  const paste = async (text) => { await page.getByLabel("The line").fill(text); await box.getByRole("button", { name: "Fill in the form" }).click(); };
  await paste(`$ docker run -d \\\n  --name ${name} --memry 64m busybox sleep 1000`);
  assert.equal(await page.locator("#f-line-error mark").innerText(), "--memry");
  await paste(`$ docker run -d \\\n  --name ${name} --memory 64m -e FROM=$TOWN --tmpfs /t:size=1m busybox sleep 1000`);
  await page.getByLabel("$TOWN").fill("Oslo & Bergen");
  await box.getByRole("button", { name: "Fill in the form" }).click();
  await page.locator("#pasted").waitFor();
  assert.equal(await page.locator("#f-memory").inputValue(), "64m");
  assert.match(await line(page), /'FROM=Oslo & Bergen'/);
  // The form goes on as any: what is changed shows in the line.
  await page.locator("#f-memory").fill("65m");
  await until(async () => (await line(page)).includes("65m"), "the line follows");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  assert.match(await docker("inspect", "-f", "{{json .Config.Env}} {{json .HostConfig.Tmpfs}} {{.HostConfig.Memory}}", name), /FROM=Oslo (&|\\u0026) Bergen.*size=1m.* 68157440/);
}, { expect: [/422/] }));

test("create leaves it in the state created", () => withPage(url, async (page) => {
  const name = unique();
  await page.goto("/containers/new");
  await page.locator("#f-image").fill("busybox:latest");
  await page.locator("#f-name").fill(name);
  await page.getByRole("button", { name: "Create", exact: true }).last().click();
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  await page.locator("#detail[data-state=created]").waitFor();
  assert.equal(await state(name), "created");
}));

test("what is wrong stands at its field, and nothing that was typed is lost", async () => {
  const taken = unique();
  await make(taken);
  await withPage(url, async (page) => {
    await page.goto("/containers/new");
    await page.locator("#f-image").fill("busybox:latest");
    await page.locator("#f-name").fill("not a name!");
    await page.locator("#f-command").fill("echo 'kept words'");
    await page.locator("[name=port-container]").first().fill("99999");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.locator("#errors").waitFor();
    assert.ok(await page.evaluate(() => document.activeElement.id === "errors"), "the summary has the focus");
    for (const field of ["#f-name", "[name=port-address]"]) assert.equal(await page.locator(field).first().getAttribute("aria-invalid"), "true", field);
    assert.equal(await page.locator("#f-name").inputValue(), "not a name!");
    assert.equal(await page.locator("#f-command").inputValue(), "echo 'kept words'");
    assert.equal(await page.locator("[name=port-container]").first().inputValue(), "99999");
    // Each line of the summary leads to a place that is there.
    for (const link of await page.locator("#errors a").all()) assert.equal(await page.locator(await link.getAttribute("href")).count(), 1);
    // The engine's own refusal, too.
    await page.locator("#f-name").fill(taken);
    await page.locator("[name=port-container]").first().fill("");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.locator(`#f-name[aria-invalid=true]`).waitFor();
    assert.equal(await page.locator("#f-name").inputValue(), taken);
    assert.equal(await page.locator("#f-command").inputValue(), "echo 'kept words'");
  }, { expect: [/status of (409|422)/] });
});

test("a container whose start fails is kept and says why", () => withPage(url, async (page) => {
  const name = unique();
  await page.goto(`/containers/new?image=busybox:latest&name=${name}`);
  await page.locator("#f-command").fill("/no/such/program");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "was created, but did not start" }).waitFor();
  await page.getByText("/no/such/program is not in the image.").waitFor();
  assert.equal(await state(name), "created");
  // Its own page says it too, to whoever comes later.
  await page.goto(`/containers/${await docker("inspect", "-f", "{{.Id}}", name)}`);
  assert.match(await page.locator("[aria-labelledby=now]").innerText(), /not in the image|no such file or directory/);
}, { expect: [/status of/] }));

test("a run of an image that cannot be pulled ends on its job, with the reason", () => withPage(url, async (page) => {
  await page.goto("/containers/new?image=localhost:1/nope:1");
  await page.locator("#f-name").fill(unique());
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/jobs\//);
  const job = page.locator("#job[data-job=ended]");
  await job.waitFor();
  assert.match(await job.locator(".say").innerText(), /registry cannot be reached/i);
  assert.ok(await job.getByText(/connection refused/i).first().isVisible() || await job.locator("details").count(), "the engine's own words are there");
  assert.match(await command(page.locator("main")), /^docker run .*localhost:1\/nope:1/);
}, { expect: [/status of/] }));

test("a volume through its form", () => withPage(url, async (page) => {
  const name = unique("v");
  await page.goto("/volumes/new");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.locator("[name=label-name]").first().fill("team");
  await page.locator("[name=label-value]").first().fill("a b");
  await until(async () => /--label 'team=a b'|--label team='a b'/.test(await line(page)), "the line has the label");
  assert.ok((await line(page)).endsWith(name));
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.waitForURL(`**/volumes/${name}`);
  assert.equal(await docker("volume", "inspect", "-f", "{{index .Labels \"team\"}}", name), "a b");
}));

// A container through the form: with scripts, and a run that ends in a job; what is said beside its fields, and how a
// field is found.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { command, DESKTOP, docker, finish, IDLE, make, PHONE, serve, state, unique, until, withPage } from "./support.mjs";

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

test("what is said stands beside the field and follows the keys; what is offered is taken", async () => {
  const taken = unique(), other = unique();
  await docker("run", "-d", "--name", taken, "-p", "127.0.0.1::80", "web:1");
  const port = (await docker("port", taken, "80/tcp")).split(":").at(-1);
  await withPage(url, async (page) => {
    await page.goto("/containers/new");
    const said = (place) => page.locator(`[id="r-${place}"]`);
    await page.locator("#f-image").fill("web");
    await said("image").getByText("another image on another day").waitFor();
    await page.locator("#f-image").fill("web:1");
    await said("image").locator(".hint").waitFor({ state: "detached" });
    await said("command").getByText("httpd").waitFor();
    await said("rows-env").getByText("MODE=‹hidden›").waitFor();
    // A risk stands there as soon as it is taken, and goes with it.
    await page.getByLabel(/^Privileged/).check();
    await said("privileged").getByText("Risk").waitFor();
    await page.locator("#dangers").getByRole("link", { name: "Privileged" }).waitFor();
    await page.getByLabel(/^Privileged/).uncheck();
    await said("privileged").locator("li").waitFor({ state: "detached" });
    // A row that was added has its own.
    await page.getByRole("button", { name: "Add a mount" }).click();
    await page.locator("[name=mount-type]").nth(1).selectOption("bind");
    await page.locator("[name=mount-source]").nth(1).fill("/var/run/docker.sock");
    await page.locator("[name=mount-target]").nth(1).fill("/s");
    await said("mount-1").getByText("take over the whole host").waitFor();
    await page.locator("[name=mount-source]").nth(1).fill("");
    await page.locator("[name=mount-target]").nth(1).fill("");
    // Names and ports of others: who has them, and what is free.
    await page.locator("#f-name").fill(taken);
    await said("name").getByRole("link", { name: `Open ${taken}` }).waitFor();
    await said("name").getByRole("button", { name: `Use ${taken}-2` }).click();
    assert.equal(await page.locator("#f-name").inputValue(), `${taken}-2`);
    await said("name").locator("li").waitFor({ state: "detached" });
    await page.locator("[name=port-address]").first().fill("127.0.0.1");
    await page.locator("[name=port-host]").first().fill(port);
    await page.locator("[name=port-container]").first().fill("80");
    await said("port-0").getByText(`taken by ${taken}`).waitFor();
    await said("port-0").getByRole("button", { name: /^Use \d+$/ }).click();
    await said("port-0").locator(".doubt").waitFor({ state: "detached" });
    assert.notEqual(await page.locator("[name=port-host]").first().inputValue(), port);
    // A network that is not there is made, and nothing is lost.
    await page.locator("#f-network").fill(other);
    await said("network").getByRole("button", { name: `Make the network ${other}` }).click();
    await page.locator("#done").getByText(other).waitFor();
    assert.equal(await page.locator("#f-name").inputValue(), `${taken}-2`);
    assert.equal(await said("network").locator("li").count(), 0);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
    assert.equal(await docker("inspect", "-f", "{{.HostConfig.NetworkMode}}", `${taken}-2`), other);
  });
});

test("a field is found by its flag or a word, with the keyboard alone", () => withPage(url, async (page) => {
  await page.goto("/containers/new?memory=64m");
  await page.keyboard.press("f");
  assert.equal(await page.evaluate(() => document.activeElement.id), "f-field");
  await page.keyboard.type("--shm-size");
  const shown = () => page.locator("#create [data-find]:visible").count();
  await until(async () => await shown() === 1, "one field is left");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.name), "shm-size", "Enter goes there");
  await page.keyboard.type("1g");
  await until(async () => (await line(page)).includes("--shm-size 1g"), "the line follows");
  await page.locator("#f-field").fill("nothing of that kind");
  await page.locator("#sought").getByText("There is no field").waitFor();
  assert.equal(await shown(), 0);
  assert.match(await line(page), /-m 64m/, "what is hidden is still said");
  // A link to what is hidden leads there.
  await page.locator("#dangers").getByRole("link", { name: "Restart policy" }).click();
  assert(await page.locator("#f-restart").isVisible());
  await page.locator("#f-field").fill("nothing of that kind");
  await page.getByRole("button", { name: "Show all fields" }).click();
  await until(async () => await shown() > 20, "all are there again");
  assert.equal(await page.locator("#f-memory").inputValue(), "64m");
  // Flags of the docker command itself are told of.
  await page.locator("#f-field").fill("--detach-keys");
  await page.locator("#elsewhere").getByText("leave a container running").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#f-field").inputValue(), "");
  await page.locator("#elsewhere").waitFor({ state: "hidden" });
}));

test("without scripts a field is found with nothing lost, and Enter there makes nothing", () => withPage(url, async (page) => {
  const name = unique();
  await page.goto("/containers/new");
  await page.locator("#f-image").fill("busybox:latest");
  await page.locator("#f-name").fill(name);
  await page.locator("#f-field").fill("--shm-size");
  await page.locator("#f-field").press("Enter");
  await page.locator("#f-shm-size").fill("2m");
  assert.equal(await page.locator("#create [data-find]:visible").count(), 1);
  assert.equal(await state(name), "gone");
  await page.getByRole("button", { name: "Show all fields" }).click();
  assert.equal(await page.locator("#f-name").inputValue(), name);
  await page.getByRole("button", { name: "Create", exact: true }).last().click();
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/);
  assert.equal(await docker("inspect", "-f", "{{.HostConfig.ShmSize}}", name), "2097152");
}, { js: false }));

for (const [where, size] of [["at a desk", DESKTOP], ["on a phone", PHONE]]) for (const theme of ["light", "dark"]) {
  test(`axe finds nothing ${where}, ${theme}, in a form full of remarks, and nothing is cut off`, () => withPage(url, async (page) => {
    const form = "image=web&privileged=1&pid=host&network=shop&workdir=$PWD&port-host=1&port-container=1&mount-type=bind&mount-source=/&mount-target=/h&env-name=A&env-value=$B";
    for (const search of ["", "--shm", "xyzzy"]) {
      await page.goto(`/containers/new?${form}`);
      await page.locator("#f-field").fill(search);
      assert.deepEqual(await violations(page), [], search);
      assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing goes past the edge");
    }
  }, { size, theme }));
}

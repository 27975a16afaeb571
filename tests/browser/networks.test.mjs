// Networks in a real browser: making one by its form, joining and leaving, the picture of who reaches whom with few and
// with many, the host's ports; without scripts; axe finds nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { docker, finish, IDLE, PHONE, serve, unique, until, window, withPage } from "./support.mjs";

/** How far the page goes past the edge, and each text of the picture that does not fit its box. */
const spills = (page) => page.evaluate(() => {
  const wide = document.scrollingElement.scrollWidth - innerWidth;
  const texts = [...document.querySelectorAll(".map svg text")].filter((text) => text.getBBox().x + text.getBBox().width > text.closest("svg").width.baseVal.value);
  return [...wide > 0 ? [`the page by ${wide} px`] : [], ...texts.map((text) => text.textContent)];
});

let url, many, web, shop, stack;
const networks = [];
const network = async (name, ...options) => {
  const id = await docker("network", "create", ...options, name);
  networks.push(id);
  return id;
};

before(async () => {
  ({ url } = await serve());
  stack = unique("stack");
  const label = ["--label", `com.docker.compose.project=${stack}`];
  const name = unique("a-rather-long-name-of-a-network-as-compose-makes-them");
  shop = await network(name);
  const back = await network(unique("back"), "--internal");
  web = unique("web");
  await docker("run", "-d", ...label, "--name", web, "--network", name, "-p", "127.0.0.1::80", "busybox:latest", ...IDLE);
  const api = unique("api-with-a-name-that-is-rather-long-for-its-box");
  await docker("run", "-d", ...label, "--name", api, "--network", name, "busybox:latest", ...IDLE);
  await docker("network", "connect", back, api);
  const port = (await docker("port", web, "80")).split(":").pop().trim();
  await docker("create", ...label, "--name", unique("twin"), "-p", `${port}:80`, "busybox:latest");
  // Sixty containers on eight networks, as an engine would tell them.
  const hex = (at, fill) => at.toString(16).padStart(4, "0").padEnd(64, fill);
  const on = (at) => ({ NetworkID: hex(at, "b"), IPAddress: `10.${at}.0.2` });
  const containers = Array.from({ length: 60 }, (_, at) => ({
    Id: hex(at, "a"), Names: [`/wide-and-WIDE-MMMMMMMMMMMMM-${at}`], Image: "busybox", Created: 1795000000, State: "running", Status: "Up 5 minutes",
    Ports: at % 5 ? [] : [{ PrivatePort: 80, PublicPort: 8000 + at, IP: "0.0.0.0", Type: "tcp" }], Labels: {}, Mounts: [], HostConfig: { NetworkMode: "x" },
    NetworkSettings: { Networks: { [`net-${at % 8}`]: on(at % 8), ...at % 7 ? {} : { "net-0": on(0) } } } }));
  const lists = Array.from({ length: 8 }, (_, at) => ({ Id: hex(at, "b"), Name: `net-${at}`, Driver: "bridge", Scope: "local", IPAM: { Config: [{ Subnet: `10.${at}.0.0/16` }] } }));
  many = await serve({ engine: await window({ containers, networks: lists }) });
});
after(async () => {
  await finish();
  for (const id of networks) await docker("network", "rm", id).catch(() => {});
});

test("a network is made by its form, whose command goes along with what is typed", () => withPage(url, async (page) => {
  const name = unique("made");
  await page.goto("/networks");
  await page.getByRole("link", { name: "New network" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Internal").check();
  await page.locator("#run-line", { hasText: `docker network create --internal ${name}` }).waitFor();
  await page.getByRole("button", { name: "Create" }).last().click();
  await page.waitForURL(/\/networks\/[0-9a-f]{64}$/);
  networks.push(page.url().split("/").pop());
  await page.getByText("nothing leads out of it").waitFor();
  // A name that is taken is said at the field, and leads there.
  await page.goto(`/networks/new?name=${name}`);
  await page.getByRole("button", { name: "Create" }).last().click();
  await page.locator(".field .error", { hasText: "already" }).getByRole("link").waitFor();
  assert.deepEqual(await violations(page), []);
}, { expect: [/409/] }));

for (const js of [true, false]) {
  test(`${js ? "with" : "without"} scripts a container joins and leaves, from its own page`, () => withPage(url, async (page) => {
    const name = unique("joins"), target = unique("target");
    await network(target);
    await docker("run", "-d", "--name", name, "busybox:latest", ...IDLE);
    const id = await docker("inspect", "-f", "{{.Id}}", name);
    await until(async () => (await fetch(`${url}/containers/${id}`)).ok, "the console has seen it");
    await page.goto(`/containers/${id}`);
    await page.getByRole("link", { name: "Connect to a network…" }).click();
    const options = await page.getByLabel("Network", { exact: true }).locator("option").allInnerTexts();
    await page.getByLabel("Network", { exact: true }).selectOption({ label: options.find((text) => text.startsWith(target)) });
    await page.getByLabel("Aliases").fill("store");
    await page.getByRole("button", { name: "Connect" }).last().click();
    await page.getByRole("link", { name: target, exact: true }).waitFor();
    assert.match(await docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", name), new RegExp(`"${target}":.*store`));
    await page.getByRole("link", { name: `Disconnect… from ${target}` }).click();
    await page.getByRole("button", { name: "Disconnect", exact: true }).click();
    await page.getByRole("link", { name: target, exact: true }).waitFor({ state: "detached" });
    assert.doesNotMatch(await docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", name), new RegExp(target));
  }, { js }));
}

test("the list follows what happens in a terminal", () => withPage(url, async (page) => {
  await page.goto("/networks");
  const name = unique("live");
  const id = await network(name);
  const row = page.locator(`[id='network-${id}']`);
  await row.waitFor();
  await docker("network", "connect", id, web);
  await row.getByText("1", { exact: true }).waitFor();
  await docker("network", "disconnect", id, web);
  await docker("network", "rm", id);
  await row.waitFor({ state: "detached" });
}));

for (const [device, more] of [["a desk, light", {}], ["a desk, dark", { theme: "dark" }], ["a phone", { size: PHONE }], ["a desk without scripts", { js: false }]]) {
  test(`on ${device} axe finds nothing, and nothing goes past the edge`, () => withPage(url, async (page) => {
    const id = await docker("inspect", "-f", "{{.Id}}", web);
    for (const where of ["/networks", `/networks/${shop}`, "/networks/new", `/networks/connect?network=${shop}`, `/networks/disconnect?network=${shop}&container=${id}`,
      `/networks/${shop}/remove`, "/networks/prune", `/networks/map?all=1&stack=${stack}`, "/networks/ports", `/containers/${id}`]) {
      await page.goto(where);
      if (more.js !== false) assert.deepEqual(await violations(page), [], where);
      assert.deepEqual(await spills(page), [], where);
    }
  }, more));
}

for (const [device, more] of [["a desk", {}], ["a phone", { size: PHONE, theme: "dark" }]]) {
  test(`on ${device} sixty containers are drawn, none over another`, () => withPage(many.url, async (page) => {
    await page.goto("/networks/map");
    assert.equal(await page.locator(".map .node").count(), 60);
    assert.equal(await page.locator(".map .hub").count(), 8);
    assert.deepEqual(await spills(page), []);
    const boxes = await page.locator(".map > svg:has(.hub), .map > svg:has(.node)").evaluateAll((all) => all.map((it) => [it.x.baseVal.value, it.y.baseVal.value]));
    for (const [x, y] of boxes) assert.equal(boxes.filter(([a, b]) => a === x && Math.abs(b - y) < 44).length, 1, `something lies over ${x} ${y}`);
    assert.deepEqual(await violations(page), []);
  }, more));
}

test("two that want one port of the host are told apart", () => withPage(url, async (page) => {
  await page.goto("/networks/ports?conflicts=1");
  const row = page.locator(`tr[data-of='${web}']`);
  assert.match(await row.innerText(), /conflict/);
  assert.match(await row.getByRole("link").first().getAttribute("href"), /^http:\/\/127\.0\.0\.1:\d+\/$/);
}));

// What a container may say about itself to hurt whoever looks at it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, finish, IDLE, row, serve, unique, until, withPage } from "./support.mjs";

after(finish);

const EVIL = `"'><img src=x onerror=window.__pwn=1><script>window.__pwn=2</script><b hx-on:click="window.__pwn=3" hx-get=/jobs hx-trigger=load>x</b>`;
const TURNED = "abc\u202Egnp.exe";

let url, name, id;
before(async () => {
  ({ url } = await serve());
  name = unique("evil");
  await docker("run", "-d", "--network", "none", "--name", name, "--label", `note=${EVIL}`, "--label", "<img/src=x/onerror=window.__pwn=1>=key", "--label", `turned=${TURNED}`,
    "--label", `com.docker.compose.project=${EVIL}`, "-e", `EVIL=${EVIL}`, "-e", `TURNED=${TURNED}`, "--hostname", "host",
    "--health-cmd", `printf '%s\\n' "$EVIL" "$TURNED"; exit 1`, "--health-interval", "1s", "--health-retries", "1",
    "--mount", "type=tmpfs,target=/tmp", "busybox:latest", ...IDLE, EVIL, TURNED);
  id = await docker("inspect", "-f", "{{.Id}}", name);
  await until(async () => (await docker("inspect", "-f", "{{len .State.Health.Log}}", name)) !== "0", "the check has spoken");
});

test("S023 hostile labels, variables, commands and checks are text, on every page", () => withPage(url, async (page) => {
  const paths = ["/", "/containers", `/containers?q=${name}`, `/containers?label=${encodeURIComponent(`note=${EVIL}`)}`, `/containers?q=${encodeURIComponent(EVIL)}`,
    `/containers?group=none&sort=${encodeURIComponent(EVIL)}`, `/containers/${id}`, `/containers/${id}?reveal=1`, `/containers/${id}/inspect`, `/containers/${id}/remove`, `/containers/${id}/kill?other=${encodeURIComponent(EVIL)}`,
    `/containers/${id}/rename?name=${encodeURIComponent(EVIL)}`, `/containers/confirm?action=remove&id=${id}&back=${encodeURIComponent(`javascript:window.__pwn=4//`)}`,
    `/containers/new?image=${encodeURIComponent(EVIL)}&command=${encodeURIComponent(EVIL)}&label=${encodeURIComponent(EVIL)}`, `/volumes?q=${encodeURIComponent(EVIL)}`, `/volumes/new?name=${encodeURIComponent(EVIL)}`, "/events", "/jobs", `/${encodeURIComponent(EVIL)}`];
  for (const path of paths) {
    await page.goto(path);
    await page.evaluate(() => document.querySelectorAll("details").forEach((it) => { it.open = true; }));
    await page.locator("main").hover({ position: { x: 5, y: 5 } });
    assert.equal(await page.evaluate(() => window.__pwn), undefined, path);
    assert.equal(await page.locator("img, main script, main b[hx-get], [onerror]").count(), 0, path);
    assert.equal(await page.locator("a[href^='javascript:' i]").count(), 0, path);
    // What is shown; a form's own value goes back as it came.
    const shown = await page.evaluate(() => [document.title, document.body.textContent, ...[...document.querySelectorAll("[title], [aria-label]")]
      .flatMap((it) => [it.title, it.ariaLabel])].join("\n"));
    assert.ok(!shown.includes("\u202E"), `${path}: nothing turns the text around`);
  }
  // It is not left out either: it is shown.
  await page.goto(`/containers/${id}?reveal=1`);
  const text = await page.evaluate(() => document.querySelector("main").textContent);
  assert.ok(text.includes(EVIL), "the text is shown as it is");
}, { expect: [/status of 4/] }));

test("S023 S024 hostile images, networks, builds, registries and events are text, on every page of theirs", () => withPage(url, async (page) => {
  const tag = `${unique("evil")}:1`, called = `${EVIL}${TURNED}${unique("net")}`;
  const image = (await docker("commit", "-a", EVIL, "-m", `${EVIL}${TURNED}`, name, tag)).replace("sha256:", "");
  const network = await docker("network", "create", "--label", `note=${EVIL}`, called);
  await docker("network", "connect", network, await docker("run", "-d", "--name", unique("member"), "busybox:latest", ...IDLE));
  const member = await docker("network", "inspect", "-f", "{{range $id, $it := .Containers}}{{$id}}{{end}}", network);
  const sent = (path, fields) => fetch(url + path, { method: "POST", redirect: "manual", headers: { origin: url, accept: "text/html" }, body: new URLSearchParams(fields) });
  const build = (await sent("/build", { text: "FROM busybox:latest\nARG EVIL\nRUN echo \"$EVIL\"; echo \"$EVIL\" >&2; exit 3\n", arg: `EVIL=${EVIL}${TURNED}` })).headers.get("location");
  await until(async () => (await fetch(`${url}/networks/${network}`)).ok && (await fetch(`${url}/images/${image}`)).ok, "the console has seen them");
  const typed = encodeURIComponent(`${EVIL}${TURNED}`);
  for (const path of ["/images", `/images/${image}?reveal=1`, `/images/${image}/tag`, `/images/${image}/push`, `/images/${image}/remove`, `/images/save?id=${image}`, "/images/prune?all=1", `/images?q=${typed}`, `/images/pull?reference=${typed}`,
    "/networks", `/networks?q=${typed}`, `/networks/${network}`, `/networks/${network}?reveal=1`, `/networks/${network}/remove`, `/networks/connect?network=${network}`, `/networks/disconnect?network=${network}&container=${member}`, "/networks/map?all=1", "/networks/ports",
    "/networks/prune?all=1", `/networks/new?name=${typed}&subnet=${typed}&label-name=${typed}`, `/build?text=${typed}&tag=${typed}&arg=${typed}`, build, `/jobs?q=${typed}`, `/registries/${typed}/remove`, `/engine/disk?q=${typed}`,
    "/events/search?type=image", "/events/search?type=network", `/events/search?q=${typed}`, `/go?q=${typed}`, `/go?q=${name.split("-")[0]}`]) {
    await page.goto(path);
    await page.evaluate(() => document.querySelectorAll("details").forEach((it) => { it.open = true; }));
    assert.equal(await page.evaluate(() => window.__pwn), undefined, path);
    assert.equal(await page.locator("img, main script, main b[hx-get], [onerror]").count(), 0, path);
    assert.equal(await page.locator("a[href^='javascript:' i]").count(), 0, path);
    const shown = await page.evaluate(() => {
      document.querySelectorAll("textarea").forEach((it) => it.remove());   // what is edited is what it is
      return [document.title, document.body.textContent, ...[...document.querySelectorAll("[title], [aria-label]")].flatMap((it) => [it.title, it.ariaLabel])].join("\n");
    });
    assert.ok(!shown.includes("\u202E"), `${path}: nothing turns the text around`);
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${path}: nothing goes past the edge`);
  }
  // They are not left out: what was said is shown, and followed live.
  await page.goto(`/networks?q=${network}`);
  assert.ok((await page.locator(`[id="network-${network}"]`).innerText()).includes(EVIL));
  await docker("network", "disconnect", network, member);
  await page.locator(`[id="network-${network}"]`).getByText("nobody").waitFor();
  await page.locator("main tr").getByRole("link", { name: /^Remove/ }).click();
  await page.getByRole("dialog").waitFor();
  assert.ok((await page.getByRole("dialog").innerText()).includes(EVIL));
  await page.goto(build);
  await page.locator("#job").getByText("failed after").waitFor();
  assert.ok((await page.locator("#job .steps").innerText()).includes(EVIL));
  assert.equal(await page.evaluate(() => window.__pwn), undefined);
}, { expect: [/status of 4/] }));

test("S023 the same through the live connection, and in dialogs", () => withPage(url, async (page) => {
  await page.goto(`/containers?q=${name}`);
  await row(page, name).waitFor();
  await docker("pause", name);
  await page.locator(`tr[data-name="${name}"][data-state=paused]`).waitFor();
  await docker("unpause", name);
  await page.locator(`tr[data-name="${name}"][data-state=running]`).waitFor();
  await row(page, name).getByRole("button", { name: /^More/ }).click();
  await row(page, name).locator("[popover]").getByRole("link", { name: /^Remove/ }).click();
  await page.getByRole("dialog").waitFor();
  assert.equal(await page.evaluate(() => window.__pwn), undefined);
  await page.keyboard.press("Escape");
  await page.goto(`/containers/${id}?reveal=1`);
  await docker("pause", name);
  await page.locator("#detail[data-state=paused]").waitFor();
  await docker("unpause", name);
  await page.locator("#detail[data-state=running]").waitFor();
  assert.equal(await page.evaluate(() => window.__pwn), undefined);
  assert.equal(await page.locator("img, main script, main b[hx-get]").count(), 0);
}));

test("S021 hx-on and its like run nothing, even where htmx processes them", async () => {
  const never = [];
  await withPage(url, async (page) => {
    await page.goto("/containers");
    // By the browser's own console, which no policy binds: the worst case, in which an escape was missed.
    await page.evaluate(() => {
      const box = document.createElement("div");
      box.innerHTML = `<b id=one hx-on:click="window.__pwn=1">one</b><b id=two hx-get=/jobs hx-trigger="click[window.__pwn=2]" hx-swap=none>two</b>
        <b id=three hx-get=/jobs hx-vals="js:{a: window.__pwn=3}" hx-swap=none>three</b><b id=four onclick="window.__pwn=4">four</b><script>window.__pwn=5<\/script>
        <img id=five src=x onerror="window.__pwn=6"><b id=six hx-on:htmx:after:init="window.__pwn=7">six</b>`;
      document.querySelector("main").append(box);
      htmx.process(box);
    });
    for (const id of ["one", "two", "three", "four", "six"]) await page.locator(`#${id}`).click();
    await page.waitForTimeout(400);
    assert.equal(await page.evaluate(() => window.__pwn), undefined);
  }, { expect: [/./] }).catch((error) => {
    // The policy refuses, and says so: those are the only notes that may be there.
    if (!/nothing that must never happen/.test(error.message)) throw error;
    never.push(...error.actual);
  });
  assert.ok(never.length >= 2, "the policy was asked");
  for (const note of never) assert.match(note, /^(CSP: script-src|CSP: script-src-attr|CSP: script-src-elem|page error: EvalError|request elsewhere: .*\/x$)/);
});

test("S020 the policy is on every answer, and no page has a script or a style of its own", () => withPage(url, async (page) => {
  for (const path of ["/", "/containers", `/containers/${id}`, "/containers/new", "/volumes", "/nope"]) {
    const answer = await page.goto(path);
    assert.match(answer.headers()["content-security-policy"], /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.equal(await page.locator("script:not([src]), style, [style], [onclick]").count(), 0, path);
  }
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""], "nothing private stays (S022)");
}, { expect: [/status of 404/] }));

// Every page and question, in both themes, on a desk and on a phone: axe finds nothing, nothing is cut off or too small
// to press.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { DESKTOP, docker, finish, IDLE, make, PASSWORD, PHONE, post, row, serve, staff, unique, until, window, withPage } from "./support.mjs";

after(finish);

/** What does not fit the width and, on a phone, what is too small for a thumb. */
const misfits = (page, phone) => page.evaluate((phone) => {
  const wide = document.scrollingElement.scrollWidth;
  const found = wide > innerWidth ? [`the page is ${wide} px wide in ${innerWidth}`] : [];
  if (!phone) return found;   // axe knows the rule for a mouse
  for (const it of document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")) {
    if (!it.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || it.closest(".vh, .away, .skip")) continue;
    if (document.querySelector("dialog[open]") && !it.closest("dialog")) continue;
    const box = it.getBoundingClientRect(), label = it.closest("label")?.getBoundingClientRect() ?? box;
    // A link within a sentence is as tall as its line (WCAG 2.5.8).
    if (it.matches("a") && getComputedStyle(it).display === "inline" && it.parentElement.textContent.trim() !== it.textContent.trim()) continue;
    const least = it.matches("td .btn, .menu a, .menu button, .bulk .btn, dialog .btn") ? 44 : 24;
    const [width, height] = [Math.max(box.width, label.width), Math.max(box.height, label.height)];
    if (width < least - 0.5 || height < least - 0.5) found.push(`${it.outerHTML.slice(0, 140)} is ${Math.round(width)} x ${Math.round(height)}, not ${least}`);
    if ((box.right > innerWidth + 1 || box.left < -1) && !it.closest(".tree, pre, .cmd, .scrolls")) found.push(`${it.outerHTML.slice(0, 140)} goes past the edge`);
  }
  return found;
}, phone);

let url, pages, name, id, team, all, image, tag, network;
const cookies = {};
before(async () => {
  ({ url } = await serve());
  name = unique("a11y");
  const volume = unique("v");
  const health = ["--health-cmd", "echo all is well", "--health-interval", "1s"];
  await make(name, "-v", `${volume}:/named`, "-v", "/anonymous", "-e", "TOKEN=secret", "--label", `com.docker.compose.project=${unique("stack")}`, "--label", "team=red", "--memory", "64m", ...health);
  const never = await docker("create", "--network", "none", "--name", unique("a11y"), "busybox:latest");
  await docker("run", "--network", "none", "--name", unique("a11y"), "busybox:latest", "sh", "-c", "exit 3").catch(() => {});
  const paused = unique("a11y");
  await make(paused);
  await docker("pause", paused);
  id = await docker("inspect", "-f", "{{.Id}}", name);
  const other = await docker("inspect", "-f", "{{.Id}}", paused);
  const jobs = await fetch(`${url}/containers`, { method: "POST", redirect: "manual", body: new URLSearchParams({ image: "localhost:1/nope:1", start: "1" }) });
  // What else an engine has: an image with two names that is used, one without a name, networks with and without members.
  tag = `${unique("image")}:1`;
  image = (await docker("commit", "-c", "EXPOSE 8080", "-c", "LABEL site=https://example.test", name, tag)).replace("sha256:", "");
  await docker("tag", tag, tag.replace(/1$/, "a-rather-long-tag-as-build-servers-make-them-20261124-rc1"));
  await docker("create", "--network", "none", "--name", unique("of"), tag);
  network = await docker("network", "create", "--internal", "--label", "team=red", unique("a-rather-long-name-of-a-network-as-compose-makes-them"));
  await docker("network", "create", unique("idle"));
  const member = unique("member");
  await docker("run", "-d", "--name", member, "--network", network, "--network-alias", "store", "busybox:latest", ...IDLE);
  await docker("run", "-d", "--name", unique("published"), "-p", "127.0.0.1::80", "busybox:latest", ...IDLE);
  const built = async (text) => {
    const job = (await post({ url }, "/build", { text, tag: `${unique("built")}:1`, arg: "WHO=the team" })).headers.get("location");
    await until(async () => (await (await fetch(url + job, { headers: { accept: "application/json" } })).json()).stage !== "running", "the build has ended", 60_000);
    return job;
  };
  const builds = { good: await built("FROM busybox:latest\nARG WHO\nRUN echo built for $WHO\n"), bad: await built("FROM busybox:latest\nRUN echo the-reason >&2; exit 3\n") };
  await post({ url }, "/engine/disk/measure", {});
  await until(async () => {
    const disk = await (await fetch(`${url}/engine/disk`, { headers: { accept: "application/json" } })).json();
    return disk.measured && !disk.measuring;
  }, "the disk is measured", 60_000);
  await post({ url }, "/registries", { host: "127.0.0.1:1", user: "ada", secret: "nobody is there", untried: "1" });
  const empty = await serve({ engine: await window() });
  const sample = JSON.parse(await docker("inspect", name))[0];
  const thousand = Array.from({ length: 1000 }, (_, at) => ({
    Id: at.toString(16).padStart(4, "0").padEnd(64, "a"), Names: [`/thousand-${at}`], Image: at % 3 ? "registry.internal.example/team/very-long-image-name-of-a-service:2026.11.24-rc1" : "busybox:latest",
    ImageID: sample.Image, Command: "sh -c 'while :; do sleep 1; done'", Created: 1795000000 + at, State: ["running", "exited", "paused", "created"][at % 4],
    Status: ["Up 3 days", "Exited (1) 3 days ago", "Up 3 days (Paused)", "Created"][at % 4], Ports: at % 5 ? [] : [{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: 30000 + at, Type: "tcp" }],
    Labels: { "com.docker.compose.project": `stack-${at >> 5}` }, HostConfig: { NetworkMode: "none" }, NetworkSettings: { Networks: {} }, Mounts: [] }));
  const hex = (at, fill) => at.toString(16).padStart(4, "0").padEnd(64, fill);
  const images = thousand.map((_, at) => ({
    Id: `sha256:${hex(at, "c")}`, RepoTags: at % 4 ? [`registry.internal.example/team/very-long-image-name-of-a-service-${at}:2026.11.24-rc1`, `web:${at}`] : [], RepoDigests: [], ParentId: "",
    Created: 1795000000 + at, Size: at * 1_000_003, SharedSize: -1, Containers: -1, Labels: {} }));
  const networks = Array.from({ length: 100 }, (_, at) => ({
    Id: hex(at, "b"), Name: `stack-${at}_a-long-name-of-a-network-as-compose-makes-them`, Driver: at % 9 ? "bridge" : "overlay", Scope: at % 9 ? "local" : "swarm", Created: "2026-11-20T10:00:00Z",
    Internal: at % 5 === 0, Attachable: at % 7 === 0, EnableIPv6: at % 3 === 0, IPAM: { Config: [{ Subnet: `10.${at}.0.0/16` }, ...at % 3 ? [] : [{ Subnet: `fd00:${at}::/64` }]] }, Labels: {} }));
  const many = await serve({ engine: await window({ containers: thousand, images, networks }) });
  const gone = await serve({ engine: "unix:///no/such/engine.sock" });
  pages = {
    "the overview": "/", "the list": "/containers", "a filtered list": `/containers?q=${name}&state=running&label=team`, "no match": "/containers?q=nothing-has-this-name",
    "the form": `/containers/new?image=busybox`, "the form with remarks": "/containers/new?image=web&privileged=1&network=shop&port-host=1&port-container=1&env-name=A&env-value=$B", "the form, looked through": "/containers/new?field=--shm", "a container": `/containers/${id}`, "a container with its values": `/containers/${id}?reveal=1`, "a paused one": `/containers/${other}`, "its inspect": `/containers/${id}/inspect`,
    "the question to remove": `/containers/${id}/remove`, "the question to kill": `/containers/${id}/kill`, "the question to rename": `/containers/${id}/rename`, "the question to stop": `/containers/${id}/stop`,
    "the question about many": `/containers/confirm?action=remove&id=${id}&id=${other}`,
    "the volumes": "/volumes", "a volume": `/volumes/${volume}`, "the form of a volume": "/volumes/new", "the question about a volume": `/volumes/${volume}/remove`, "prune": "/volumes/prune?all=1",
    "what was removed": "/containers/removed", "the palette as a page": "/go?q=stop+web", "the events": "/events", "the jobs": "/jobs", "a job": jobs.headers.get("location") ?? "/jobs", "nothing there": "/containers/0000", "no such page": "/nope",
    "an empty overview": `${empty.url}/`, "an empty list": `${empty.url}/containers`, "no volumes": `${empty.url}/volumes`, "no jobs": `${empty.url}/jobs`,
    "a thousand": `${many.url}/containers`, "their overview": `${many.url}/`, "no engine": `${gone.url}/containers`,
  };
  for (const [what, below] of Object.entries({ "its log": "logs", "a terminal": "terminal", "how to attach": "attach", "its use": "stats", "its processes": "processes", "its files": "files", "a file": "files?path=/etc/passwd",
    "its changes": "changes", "its health": "health", "its history": "history", "its limits": "update", "an image of it": "commit", "its export": "export", "its recipe": "recipe", "its form": "edit", "its update": "renew" })) pages[what] = `/containers/${id}/${below}`;
  for (const [what, below] of Object.entries({ log: "logs", terminal: "terminal", use: "stats", processes: "processes", files: "files", limits: "update" })) pages[`the ${what} of one that never ran`] = `/containers/${never}/${below}`;
  for (const [what, path] of Object.entries({
    "the images": "/images", "those found": `/images?q=${image}`, "no such image": "/images?q=nothing-is-called-so", "an image": `/images/${image}`, "an image with its values": `/images/${image}?reveal=1`,
    "the question to remove an image": `/images/${image}/remove`, "tagging": `/images/${image}/tag`, "pushing": `/images/${image}/push`, "pulling": "/images/pull", "pulling one": `/images/pull?reference=${tag}`,
    "saving": `/images/save?id=${image}`, "loading": "/images/load", "importing": "/images/import", "pruning images": "/images/prune?all=1", "searching a registry": "/images/search",
    "the networks": "/networks", "no such network": "/networks?q=nothing-is-called-so", "a network": `/networks/${network}`, "a predefined network": `/networks/${await docker("network", "inspect", "-f", "{{.Id}}", "bridge")}`, "a new network": "/networks/new",
    "connecting": `/networks/connect?network=${network}`, "disconnecting": `/networks/disconnect?network=${network}&container=${await docker("inspect", "-f", "{{.Id}}", member)}`, "the question to remove a network": `/networks/${network}/remove`,
    "pruning networks": "/networks/prune?all=1", "who reaches whom": "/networks/map?all=1", "the host's ports": "/networks/ports", "building": "/build", "a build": builds.good, "a build that failed": builds.bad,
    "the registries": "/registries", "the question about a registry": "/registries/127.0.0.1%3A1/remove", "the engine": "/engine", "disk use": "/engine/disk", "disk use of containers": "/engine/disk?of=containers", "disk use of the cache": "/engine/disk?of=cache", "pruning all": "/engine/prune?all=1&volumes=1",
    "the events of a month": "/events/search", "events found": "/events/search?type=image", "no such event": "/events/search?q=nothing-has-this", "a wrong moment": "/events/search?since=x", "jobs found": "/jobs?q=build", "no such job": "/jobs?q=nothing-has-this",
    "what is found": `/go?q=${tag.split("-")[0]}`, "nothing found": "/go?q=nothing-is-called-so",
  })) pages[what] = path;
  for (const path of ["images", "images/prune", "networks", "networks/map", "networks/ports", "registries", "engine/disk", "events/search"]) pages[`an empty engine's ${path}`] = `${empty.url}/${path}`;
  for (const path of ["images", "networks", "build", "engine", "engine/disk"]) pages[`${path} without an engine`] = `${gone.url}/${path}`;
  for (const path of ["images?page=2", "images/prune?all=1", "networks", "networks/map", "go?q=stack"]) pages[`a thousand: ${path}`] = `${many.url}/${path}`;
  Object.assign(pages, { "the logs": "/logs", "the terminals": "/terminals", "a volume's files": `/volumes/${volume}/files` });
  // With people: as the administrator, as who only looks, and as nobody. Cookies go to every port of a host, so each sees a console of its own.
  team = await serve({ accounts: true, more: ["--tls", "off"] });
  all = await staff(team, { "a.very.long.name-of-somebody+at@organisation.example": ["operator", `stack:shop\nlabel:com.example.department=research-and-development\nlabel:tier`], vera: ["viewer"] });
  await post(team, "/people", { name: "ivy", role: "viewer" }, all.admin.cookie);
  await post(team, "/me/tokens", { name: "backup script", role: "viewer", days: "30", scope: "stack:shop" }, all.admin.cookie);
  await post(team, `/containers/${id}/restart`, { timeout: "0" }, all.admin.cookie);
  await post(team, `/containers/${id}/unpause`, {}, all.admin.cookie);
  await post(team, `/containers/${id}/stop`, {}, all.vera.cookie);
  await post(team, "/containers", { image: "busybox:latest", name: unique("long"), start: "0", "env-name": "LONG", "env-value": "word ".repeat(60), command: "sh -c 'while :; do sleep 1; done'" }, all.admin.cookie);
  cookies[team.url] = all.admin.cookie;
  const looking = await serve({ accounts: true, engine: await window() });
  const scoped = await serve({ accounts: true });
  cookies[looking.url] = (await staff(looking, { vera: ["viewer"] })).vera.cookie;
  cookies[scoped.url] = (await staff(scoped, { sam: ["viewer"] })).sam.cookie;
  const fresh = await serve({ accounts: true, more: ["--tls", "off"] });
  for (const [what, path] of Object.entries({ "one's own": "/me", "second factor": "/me/second-factor", people: "/people", somebody: `/people/${Object.values(all)[1].id}`, oneself: "/people/1", "the audit": "/audit",
    "the audit, filtered": "/audit?who=admin&outcome=done", "nothing in the audit": "/audit?who=nobody", "the chain": "/audit/verify", "the activity": "/activity", "for scripts": "/api", "a list with a name": "/containers" })) pages[what] = team.url + path;
  for (const [what, path] of Object.entries({ overview: "/", list: "/containers", volumes: "/volumes", activity: "/activity", jobs: "/jobs" })) pages[`an empty ${what} for a viewer`] = looking.url + path;
  for (const [what, path] of Object.entries({ overview: "/", list: "/containers", container: `/containers/${id}`, inspect: `/containers/${id}/inspect`, log: `/containers/${id}/logs`, use: `/containers/${id}/stats`, processes: `/containers/${id}/processes`, volumes: "/volumes", volume: `/volumes/${volume}`, images: "/images", image: `/images/${image}`, networks: "/networks", network: `/networks/${network}`, map: "/networks/map", ports: "/networks/ports", engine: "/engine", disk: "/engine/disk", events: "/events/search", "page that is not theirs": "/people" })) pages[`a viewer's ${what}`] = scoped.url + path;
  for (const [what, path] of Object.entries({ "sign-in": "/login?next=/containers", "set-up": fresh.setup, "link that is used up": "/setup?token=x" })) pages[`the ${what}`] = fresh.url + path;
});

const expect = [/status of 4/, /status of 5/];
for (const [where, size] of [["on a desk", DESKTOP], ["on a phone", PHONE]]) {
  test(`${where}: every page, in both themes`, async () => {
    const found = [];
    for (const base of new Set(Object.values(pages).map((path) => path.startsWith("http") ? new URL(path).origin : url))) {
      await withPage(base, async (page) => {
        for (const [what, path] of Object.entries(pages).filter(([, path]) => new URL(path, url).origin === base)) {
          await page.emulateMedia({ colorScheme: "light" });
          await page.goto(path);
          await page.evaluate(() => document.querySelectorAll("main details").forEach((it) => { it.open = true; }));
          for (const line of [...await violations(page), ...await misfits(page, size === PHONE)]) found.push(`${what}: ${line}`);
          // The dark is other colours, and nothing else.
          await page.emulateMedia({ colorScheme: "dark" });
          for (const line of await violations(page, ["color-contrast"])) found.push(`${what}, dark: ${line}`);
        }
      }, { size, expect, as: cookies[base], reducedMotion: "reduce" });
    }
    assert.equal(found.join("\n"), "");
  });

  for (const theme of ["light", "dark"]) {
    test(`${theme}, ${where}: what is shown once, and what is wrong`, async () => {
      const found = [];
      await withPage(team.url, async (page, context) => {
        const look = async (what, ready) => {
          await page.locator(ready).first().waitFor();
          for (const line of [...await violations(page), ...await misfits(page, size === PHONE)]) found.push(`${what}: ${line}`);
        };
        await page.goto("/me");
        await page.locator("#token-name").fill("deploy");
        await page.getByRole("button", { name: "Make a token" }).click();
        await look("a new token", "#fresh-token");
        await page.goto(`/people/${all.vera.id}`);
        await page.getByRole("button", { name: "Make a one-time link" }).click();
        await look("a new link", "#fresh-link");
        await page.goto("/people");
        await page.locator("#f-name").fill("somebody");
        await page.locator("#f-scope").fill("nonsense");
        await page.getByRole("button", { name: "Make the account" }).click();
        await look("a wrong limit", ".error");
        if (size === PHONE) {
          await page.getByRole("button", { name: "Sections" }).click();
          await look("sections with a name", "#nav .me");
        }
        await context.clearCookies();
        await page.goto("/login");
        await page.getByLabel("Name").fill(unique("nobody"));
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByRole("button", { name: "Sign in" }).click();
        await look("a wrong password", "[role=alert]");
      }, { size, theme, expect, as: cookies[team.url] });
      assert.equal(found.join("\n"), "");
    });

    test(`${theme}, ${where}: open dialogs, menus, toasts and the bar of picked rows`, async () => {
      const found = [];
      const look = async (page, what) => {
        for (const line of [...await violations(page), ...await misfits(page, size === PHONE)]) found.push(`${what}: ${line}`);
      };
      await withPage(url, async (page) => {
        await page.goto(`/containers?q=${name}`);
        const menu = row(page, name).locator("[popover]"), more = row(page, name).getByRole("button", { name: /^More/ });
        await page.locator(`tr[data-name="${name}"][data-state=running]`).waitFor();
        await more.click();
        await look(page, "menu");
        for (const verb of ["Kill", "Rename", "Remove"]) {
          const link = menu.getByRole("link", { name: new RegExp(`^${verb}`) });
          await until(async () => await link.isVisible() || (await menu.isVisible() || await more.click(), false), `${verb} is in the menu`)
            .catch(async (error) => { throw new Error(`${error.message}: ${await row(page, name).evaluate((it) => it.outerHTML)}`); });
          await link.click();
          await page.getByRole("dialog").waitFor();
          await look(page, `dialog ${verb}`);
          if (verb === "Rename") {
            await page.getByLabel("New name").fill("no good");
            await page.getByLabel("New name").press("Enter");
            await page.locator(".toast.bad").waitFor();
            await look(page, "dialog with a toast");
            await page.locator(".toast.bad [data-dismiss]").click();
          }
          await page.keyboard.press("Escape");
          await page.getByRole("dialog").waitFor({ state: "hidden" });
        }
        await row(page, name).getByRole("checkbox").check();
        await look(page, "picked");
        if (size === PHONE) {
          await page.getByRole("button", { name: "Sections" }).click();
          await page.getByRole("navigation", { name: "Sections" }).waitFor();
          await look(page, "sections");
          await page.getByRole("link", { name: /^Volumes/ }).click();
          await page.waitForURL("**/volumes");
        }
      }, { size, theme, expect });
      assert.equal(found.join("\n"), "");
    });
  }
}

for (const [where, size] of [["on a desk", DESKTOP], ["on a phone", PHONE]]) {
  for (const theme of ["light", "dark"]) {
    test(`${theme}, ${where}: forms that say what is wrong, and questions over a list`, () => withPage(url, async (page) => {
      const found = [];
      const look = async (what) => {
        for (const line of [...await violations(page), ...await misfits(page, size === PHONE)]) found.push(`${what}: ${line}`);
      };
      const used = tag.split(":")[0];
      for (const [path, form, fields] of [
        ["/images/pull", "[action='/images/pull']", { reference: "Wrong Name", platform: "?" }], [`/images/${image}/tag`, "[action$='/tag']", { reference: "Wrong Name" }],
        ["/networks/new", "[action='/networks']", { name: "a b", subnet: "10.1.0.0/99" }], [`/networks/connect?network=${network}`, "[action='/networks/connect']", { ip: "10.0.0.999", alias: "a b" }],
        ["/build", "[action='/build']", { tag: "UPPER", arg: "no value", dockerfile: "../x", platform: "?" }], ["/registries", "[action='/registries']", { host: "not a host", user: "ada", secret: "x" }],
      ]) {
        await page.goto(path);
        await page.locator(`main form${form}`).evaluate((form, fields) => {
          form.noValidate = true;
          for (const [name, value] of Object.entries(fields)) form.querySelector(`[name="${name}"]`).value = value;
          form.submit();
        }, fields);
        await page.locator("main :is(.error, [aria-invalid=true])").first().waitFor();
        await look(`${path} with what is wrong`);
      }
      for (const [path, name, what] of [[`/images?q=${used}`, /^Remove/, "image"], [`/networks?q=${network}`, /^Remove/, "network"], ["/registries", /^Sign out/, "registry"]]) {
        await page.goto(path);
        await page.locator("main tr").getByRole("link", { name }).first().click();
        await page.getByRole("dialog").waitFor();
        await look(`the dialog of ${what}`);
        await page.keyboard.press("Escape");
      }
      assert.equal(found.join("\n"), "");
    }, { size, theme, expect }));
  }
}

test("a page of a thousand stays small and turns", () => withPage(new URL(pages["a thousand"]).origin, async (page) => {
  await page.goto("/containers");
  assert.ok(await page.locator("tr[data-name]").count() <= 60);
  assert.match(await page.locator(".pager").innerText(), /of 1,?000/);
  await page.getByRole("link", { name: "Next" }).click();
  await page.waitForURL(/page=2/);
  await page.getByRole("link", { name: "Previous" }).waitFor();
}));

test("without colour: each state has a shape and a word of its own", () => withPage(url, async (page) => {
  await page.goto(`/containers?q=${name.split("-")[0]}-a11y`);
  const states = await page.locator("td.st").evaluateAll((cells) => cells.map((cell) => [cell.querySelector("use")?.getAttribute("href").split("#")[1], cell.textContent.trim()]));
  assert.equal(states.length, 4);
  assert.equal(new Set(states.map(([shape]) => shape)).size, 4, JSON.stringify(states));
  for (const [, word] of states) assert.match(word, /^[a-z]+/);
}));

test("with motion reduced nothing moves", () => withPage(url, async (page) => {
  await page.goto("/containers");
  await until(() => page.evaluate(() => document.getAnimations().length === 0), "no animation runs", 2000);
}, { reducedMotion: "reduce" }));

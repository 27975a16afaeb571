// What is inside a container: processes, changes, health and history as a person uses them, with and without scripts,
// by keys, on a phone; and nothing that axe would complain of.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { violations } from "./axe.mjs";
import { command, DESKTOP, docker, finish, make, PHONE, serve, state, unique, until, withPage } from "./support.mjs";

after(finish);

let url, name, id, created, looping, pages, image;
before(async () => {
  ({ url } = await serve());
  name = unique("inside");
  image = `${unique("img")}:1`;
  const program = "sleep 1001 & (sh -c 'sleep 1002 & sleep 1003; true') & mkdir -p /srv/app/cache; for n in $(seq 400); do echo $n > /srv/app/cache/file-$n; done; rm /bin/yes; echo x >> /etc/passwd; touch '/tmp/<img src=x onerror=window.__pwn=1>'; wait";
  id = await docker("run", "-d", "--network", "none", "--name", name, "-v", `${unique("v")}:/data`, "-e", "TOKEN=secret", "--health-cmd", "for n in 1 2 3 4 5 6; do echo line $n of the check; done; test ! -e /sick", "--health-interval", "1s",
    "busybox:latest", "sh", "-c", program);
  created = await docker("create", "--network", "none", "--name", unique("inside"), "busybox:latest");
  looping = await docker("run", "-d", "--network", "none", "--restart", "always", "--name", unique("inside"), "busybox:latest", "sh", "-c", "exit 3");
  await docker("pause", name);
  await docker("unpause", name);
  const at = (of, below) => `/containers/${of}/${below}`;
  pages = Object.fromEntries([
    ...["processes", "processes?tree=1", "processes?columns=usage&sort=-cpu", "processes?columns=state", "changes", "changes?path=/srv/app/cache", "changes?q=nothing-has-this", "health", "history", "history?show=health", "commit", "commit?reference=a/b:1&change-instruction=CMD&change-value=ls", "export"].map((below) => [below, at(id, below)]),
    ...["processes", "changes", "health", "history", "commit"].map((below) => [`${below} of one that was never started`, at(created, below)]),
    ...["processes", "health", "history"].map((below) => [`${below} of one in a loop`, at(looping, below)]),
  ]);
});

for (const [where, size] of [["on a desk", DESKTOP], ["on a phone", PHONE]]) {
  for (const theme of ["light", "dark"]) {
    test(`${theme}, ${where}: axe finds nothing, and nothing is cut off`, () => withPage(url, async (page) => {
      const found = [];
      for (const [what, path] of Object.entries(pages)) {
        await page.goto(path);
        await page.evaluate(() => document.querySelectorAll("main details").forEach((it) => { it.open = true; }));
        found.push(...(await violations(page)).map((line) => `${what}: ${line}`));
        found.push(...await page.evaluate(([what, phone]) => {
          const wide = document.scrollingElement.scrollWidth, found = wide > innerWidth ? [`${what}: the page is ${wide} px wide in ${innerWidth}`] : [];
          if (!phone) return found;
          for (const it of document.querySelectorAll("main a, main button, main input:not([type=hidden]), main select, main summary")) {
            if (!it.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || it.closest(".vh, .away, .skip")) continue;
            if (it.matches("a") && getComputedStyle(it).display === "inline" && it.parentElement.textContent.trim() !== it.textContent.trim()) continue;
            const box = it.getBoundingClientRect(), label = it.closest("label")?.getBoundingClientRect() ?? box;
            if (Math.max(box.width, label.width) < 23.5 || Math.max(box.height, label.height) < 23.5) found.push(`${what}: ${it.outerHTML.slice(0, 140)} is ${Math.round(box.width)} x ${Math.round(box.height)}`);
          }
          return found;
        }, [what, size === PHONE]));
      }
      assert.equal(found.join("\n"), "");
    }, { size, theme }));
  }
}

test("processes come and go on the open page, and what is unfolded and focused stays", () => withPage(url, async (page) => {
  await page.goto(pages["processes?tree=1"]);
  assert.equal(await command(page), `docker top ${name} -ef`);
  const of = (text) => page.locator(".procs tbody tr", { has: page.locator("code", { hasText: new RegExp(`^${text}$`) }) });
  await of("sleep 1001").waitFor();
  const main = page.locator(".procs details").first();
  await main.locator("summary").click();
  await main.locator("summary").focus();
  await page.evaluate(() => { document.querySelector(".procs tbody tr").dataset.mine = "1"; });
  await docker("exec", "-d", name, "sleep", "1234");
  await of("sleep 1234").waitFor();
  assert.ok(await main.evaluate((it) => it.open), "it was folded again");
  assert.ok(await main.locator("summary").evaluate((it) => it === document.activeElement), "it lost the focus");
  // Not every busybox has a pkill.
  await docker("exec", name, "sh", "-c", "for it in /proc/[0-9]*; do if grep -qs '[1]234' $it/cmdline; then kill ${it#/proc/}; fi; done");
  await until(async () => await of("sleep 1234").count() === 0, "it goes");
  // By its heading, in the address.
  await page.getByRole("link", { name: /^PID/ }).click();
  await page.waitForURL(/sort=pid/);
  await page.locator("th[aria-sort=ascending]").waitFor();
}));

test("changes unfold, are filtered, and a large folder has pages", () => withPage(url, async (page) => {
  await page.goto(pages.changes);
  assert.equal(await command(page), `docker diff ${name}`);
  assert.equal(await page.evaluate(() => window.__pwn), undefined);
  await page.locator(".diff .leaf", { hasText: "<img src=x" }).waitFor();
  await page.locator(".diff > details > summary", { hasText: "etc/" }).focus();
  const etc = page.locator(".diff > details", { hasText: "etc/" }).first();
  if (!await etc.evaluate((it) => it.open)) await page.keyboard.press("Enter");
  await etc.locator(".leaf", { hasText: "passwd" }).waitFor();
  await page.getByRole("link", { name: /^D deleted/ }).click();
  await page.locator(".diff", { hasText: "yes" }).waitFor();
  assert.equal(await command(page), `docker diff ${name} | grep '^D'`);
  await page.goto(pages["changes?path=/srv/app/cache"]);
  assert.equal(await page.locator(".diff .leaf").count(), 300);
  await page.getByRole("link", { name: "Next" }).click();
  await page.waitForURL(/page=2/);
  assert.equal(await page.locator(".diff .leaf").count(), 100);
  await page.getByRole("searchbox", { name: "Part of a path" }).fill("file-12");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=file-12/);
  assert.equal(await page.locator(".diff .leaf").count(), 11);
}));

test("without scripts: a folder unfolds, a filter filters, an image is made", () => withPage(url, async (page) => {
  await page.goto(pages.changes);
  await page.getByLabel("Part of a path").fill("passwd");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.locator(".diff .leaf", { hasText: "passwd" }).waitFor();
  await page.getByRole("link", { name: "Keep them in an image…" }).click();
  await page.getByLabel("Name of the image").fill(image);
  await page.locator("[name=change-value]").first().fill("[\"true\"]");
  await page.getByRole("button", { name: "Show the command" }).click();
  assert.equal(await command(page.locator("aside")), `docker commit -c 'CMD ["true"]' ${name} ${image}`);
  await page.getByRole("button", { name: "Make the image" }).click();
  await page.waitForURL(/\/jobs\/\d+$/);
  await until(async () => { await page.reload(); return page.getByText(`${image} is the image`).isVisible(); }, "it is made");
  await docker("rmi", image);
}, { js: false }));

test("the command of an image follows what is typed, and what is wrong is said at its field", () => withPage(url, async (page) => {
  await page.goto(pages.commit);
  await page.getByLabel("Name of the image").fill("shop/web:kept");
  await page.getByLabel("Comment").fill("it's kept");
  await page.locator("#run-line", { hasText: "kept" }).waitFor();
  await until(async () => await command(page.locator("aside")) === `docker commit -m "it's kept" ${name} shop/web:kept`, "the command follows");
  await page.getByRole("button", { name: "Add an instruction" }).click();
  assert.equal(await page.locator("[name=change-value]").count(), 2);
  await page.getByLabel("Name of the image").fill("No Good");
  await page.getByRole("button", { name: "Make the image" }).click();
  await page.locator(".error", { hasText: /blank/ }).waitFor();
  assert.equal(await page.getByLabel("Comment").inputValue(), "it's kept");
}, { expect: [/status of 422/] }));

test("health turns on the open page, with what the check said", () => withPage(url, async (page) => {
  await page.goto(pages.health);
  await page.locator(".say", { hasText: "healthy" }).waitFor();
  await docker("exec", name, "touch", "/sick");
  await page.locator(".past .failed").first().waitFor();
  await page.locator(".past .long summary").first().click();
  assert.match(await page.locator(".past .long > code").first().innerText(), /line 6 of the check/);
  await page.locator(".beats .failed").first().waitFor();
  await docker("exec", name, "rm", "/sick");
  await page.locator(".past li").first().locator(".running").waitFor();
}));

test("history goes on as it happens, and says who", () => withPage(url, async (page) => {
  await page.goto(pages.history);
  await page.locator(".past li", { hasText: "unpaused" }).first().waitFor();
  const before = await page.locator(".past li").count();
  await page.evaluate(([path]) => fetch(path, { method: "POST" }), [`/containers/${id}/pause`]);
  await page.locator(".past .by", { hasText: "docker pause" }).waitFor();
  await page.evaluate(([path]) => fetch(path, { method: "POST" }), [`/containers/${id}/unpause`]);
  await page.locator(".past .by", { hasText: "docker unpause" }).waitFor();
  assert.ok(await page.locator(".past li").count() >= before + 2);
  assert.equal(await state(name), "running");
  await page.getByRole("link", { name: /^By people/ }).click();
  await page.waitForURL(/show=people/);
}));

test("an export is saved under the container's name", () => withPage(url, async (page) => {
  await page.goto(pages.export);
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /^Download/ }).click()]);
  assert.equal(saved.suggestedFilename(), `${name}.tar`);
  const head = fs.readFileSync(await saved.path());
  assert.ok(head.length > 1_000_000 && head.includes("srv/app/cache/file-400"), `${head.length} bytes`);
  await page.goto("/jobs");
  await page.locator("main li", { hasText: `Export ${name}` }).first().waitFor();
}, { acceptDownloads: true }));

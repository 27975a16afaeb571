// The pictures of the README, of a small shop on the test engine: screenshots.mjs [FOLDER]; without a folder, target/screenshots.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { docker, finish, IDLE, PHONE, post, PREFIX, row, serve, sleep, staff, window, withPage } from "./support.mjs";

const folder = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), "../../target/screenshots"));
fs.mkdirSync(folder, { recursive: true });

const only = `${PREFIX}-`;
const images = ["nginx:1.29", "shop/api:2.14.0", "postgres:18", "valkey/valkey:9", "restic/restic:0.18", "lab/sim:latest"];
const tags = images.map((image) => only + image);
const [nginx, api, postgres, valkey, restic, sim] = tags;
const shop = (service) => ["--label", "com.docker.compose.project=shop", "--label", `com.docker.compose.service=${service}`];
const start = (name, image, options = [], program = IDLE) => docker("run", "-d", "--name", only + name, ...options, image, ...program);
const quiet = ["--network", "none"];

// Writes as a service does, and reacts to `stop` at once.
const SPEAKS = `trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo "{\\"level\\":\\"info\\",\\"msg\\":\\"request done\\",\\"path\\":\\"/orders/$i\\",\\"ms\\":$((i*7%90))}"; [ $((i%5)) = 0 ] && echo "WARN slow query took $((i*3)) ms" >&2; sleep 0.3 & wait $!; done`;

try {
  for (const tag of tags) await docker("tag", "busybox:latest", tag);
  for (const [name, ...options] of [["front"], ["back", "--internal"]]) await docker("network", "create", ...options, "--label", "com.docker.compose.project=shop", only + name);
  const [front, back] = ["front", "back"].map((name) => ["--network", only + name]);
  await start("web", nginx, [...shop("web"), ...front, "-p", "8080:80", "--health-cmd", "true", "--health-interval", "2s"], ["httpd", "-f", "-p", "80"]);
  await start("api", api, [...shop("api"), ...front, "-e", "NODE_ENV=production", "-e", "API_TOKEN=secret", "--memory", "256m", "--restart", "unless-stopped",
    "--health-cmd", "echo 'GET /health: 503'; exit 1", "--health-interval", "1s", "--health-retries", "2", "-v", `${only}uploads:/srv/uploads`], ["sh", "-c", SPEAKS]);
  await start("db", postgres, [...shop("db"), ...back, "-v", `${only}pgdata:/var/lib/postgresql`, "-v", "/run/archive"]);
  await start("cache", valkey, [...shop("cache"), ...back]);
  await start("migrate", api, [...shop("migrate"), ...back], ["sh", "-c", "exit 0"]);
  await start("backup", restic, quiet, ["sh", "-c", "exit 2"]);
  await start("sim", sim, quiet);
  await docker("network", "connect", only + "back", only + "api");
  await docker("pause", `${only}sim`);
  await docker("create", "--name", `${only}hello`, ...quiet, sim);
  await sleep(4000);

  const it = await serve({ accounts: true, engine: await window({ only }) }), { url } = it;
  const { admin, ada, ben } = await staff(it, { ada: ["operator"], ben: ["operator", "stack:shop"], wall: ["viewer"] });
  await post(it, "/people", { name: "cleo", role: "viewer", scope: "label:team=web" }, admin.cookie);
  const ids = Object.fromEntries(await Promise.all(["api", "web", "cache", "backup"].map(async (name) => [name, await docker("inspect", "-f", "{{.Id}}", only + name)])));
  const id = ids.api;
  const take = (name, to, options = {}, prepare = async () => {}) => withPage(url, async (page) => {
    await page.goto(to);
    await page.locator("h1").first().waitFor();
    await prepare(page);
    await page.evaluate(() => document.activeElement?.blur());
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    console.log(path.join(folder, `${name}.png`));
  }, { as: admin.cookie, ...options });
  const wide = { width: 1280, height: 800 };
  const fill = async (page) => {
    await page.locator("#f-image").fill("nginx:1.29");
    await page.locator("#f-name").fill("web");
    await page.locator("[name=port-host]").first().fill("8080");
    await page.locator("[name=port-container]").first().fill("80");
    await page.locator("[name=env-name]").first().fill("TZ");
    await page.locator("[name=env-value]").first().fill("Europe/Berlin");
    await page.locator("#run-line", { hasText: "Berlin" }).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
  };
  await take("list-light", "/containers", { size: wide });
  await take("list-dark", "/containers", { size: wide, theme: "dark" });
  await take("detail", `/containers/${id}`, { size: wide });
  await take("create", "/containers/new", { size: wide }, fill);
  await take("overview", "/", { size: wide }, () => sleep(2500));
  await take("remove", "/containers", { size: wide }, async (page) => {
    await row(page, "db").getByRole("button", { name: /^More/ }).click();
    await row(page, "db").locator("[popover]").getByRole("link", { name: /^Remove/ }).click();
    await page.getByRole("dialog").waitFor();
  });
  await take("list-phone", "/containers", { size: PHONE, deviceScaleFactor: 2 });
  await take("people", "/people", { size: wide });
  await take("images", "/images", { size: wide });
  for (const [who, what, verb, fields] of [[ada, "backup", "start"], [ben, "api", "restart", { timeout: "1" }], [ben, "cache", "stop", { timeout: "1" }], [ada, "web", "pause"], [ada, "web", "unpause"],
    [admin, "cache", "start"], [ada, "backup", "remove"]]) await post(it, `/containers/${ids[what]}/${verb}`, fields ?? {}, who.cookie);
  await take("activity", "/activity", { size: wide });
  await take("recipe", `/containers/${id}/recipe`, { size: wide });
  await take("edit", `/containers/${id}/edit`, { size: wide }, async (page) => {
    await page.locator("#f-memory").fill("512m");
    await page.locator("#rows-env [name=env-name]").last().fill("LOG_LEVEL");
    await page.locator("#rows-env [name=env-value]").last().fill("debug");
    await page.getByRole("button", { name: "Show what changes" }).first().click();
    await page.locator("table.differs").waitFor();
  });
  await take("palette", "/containers", { size: wide }, async (page) => {
    await page.keyboard.press("Control+k");
    await page.keyboard.type("docker stop -t 5 api");
    await sleep(1500);
  });
  await take("networks", "/networks/map", { size: wide });
  for (const tab of ["logs", "stats"]) await take(tab, `/containers/${id}/${tab}`, { size: wide }, () => sleep(6000));
  await take("terminal", `/containers/${id}/terminal`, { size: wide }, async (page) => {
    await page.getByRole("button", { name: "Open a terminal" }).click();
    await page.getByRole("tab").first().waitFor();
    await sleep(1000);
    for (const line of ["ls --color=always -l /srv", "printf '%s is %s\\n' \"$NODE_ENV\" \"$(hostname)\"", "ps"]) {
      await page.keyboard.type(line);
      await page.keyboard.press("Enter");
      await sleep(500);
    }
  });
} finally {
  await finish();
  await docker("rmi", ...tags).catch(() => {});
}
process.exit();

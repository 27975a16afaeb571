//! Files of containers and volumes: S031, S037, S040, S041, S050 to S053, S055, and that helpers never stay.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{proxy::FaultProxy, *};

const JSON: (&str, &str) = ("accept", "application/json");
const BOUNDARY: &str = "----wheelhouse";

/// Things of every kind, and names that want to be something else.
const THINGS: &str = "mkdir -p /srv/sub/deep && cd /srv && echo hello > hello.txt && chmod 640 hello.txt && chown 1000:1001 hello.txt \
    && ln -s / root && ln -s /etc/passwd shadow && mkfifo fifo && mknod null c 1 3 && printf x > 'a\nb' && printf '<b>' > '<img src=x onerror=a()>' \
    && printf x > 'x\"; filename=evil.html' && printf x > \"$(printf 'esc\\033[2J')\" && echo '<script>a()</script>' > evil.html && printf 'a\\0b' > bin.dat";

fn encoded(path: &str) -> String {
    url::form_urlencoded::byte_serialize(path.as_bytes()).collect()
}

async fn look(console: &Console, base: &str, path: &str) -> Value {
    let (name, value) = JSON;
    console.ask("GET", &format!("{base}?path={}", encoded(path))).header(name, value).send().await.expect(200).json()
}

fn names(look: &Value) -> Vec<String> {
    let entries = look["entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn entry(look: &Value, name: &str) -> Value {
    let entries = look["entries"].as_array().expect("entries");
    entries.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name} in {look}")).clone()
}

/// A form with one file, as browsers send it.
fn multipart(fields: &[(&str, &str)], name: &str, content: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    body.extend(head.bytes());
    body.extend_from_slice(content);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

async fn upload(console: &Console, path: &str, fields: &[(&str, &str)], name: &str, content: &[u8]) -> Answer {
    let ask = console.ask("POST", path).header("accept", "application/json");
    let ask = ask.header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
    ask.body(multipart(fields, name, content)).send().await
}

async fn send(console: &Console, path: &str, fields: &[(&str, &str)]) -> Answer {
    console.ask("POST", path).header("accept", "application/json").form(fields).send().await
}

/// The console's helpers that are on an engine.
async fn helpers(engine: &RealEngine, installation: &str) -> Vec<String> {
    let filter = format!("label=wheelhouse.helper={installation}");
    let listed = engine.docker(&["ps", "-a", "-q", "--filter", &filter]).await;
    listed.lines().map(str::to_owned).collect()
}

fn installation(console: &Console) -> String {
    std::fs::read_to_string(console.data().join("files/installation")).expect("it has a name")
}

fn spooled(console: &Console) -> usize {
    std::fs::read_dir(console.data().join("files/uploads")).map_or(0, Iterator::count)
}

async fn no_helpers(engine: &RealEngine, installation: &str) {
    until("the helpers are gone", async || helpers(engine, installation).await.is_empty().then_some(())).await;
}

/// A running container is listed, read, downloaded and changed.
async fn browse_running(engine: RealEngine) {
    let web = engine.run("web", "busybox sleep 10000").await;
    engine.docker(&["exec", &web.id, "sh", "-c", THINGS]).await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let base = web.path("files");
    let srv = look(&console, &base, "/srv").await;
    assert_eq!(names(&srv)[0], "sub", "folders first");
    let hello = entry(&srv, "hello.txt");
    assert_eq!((&hello["kind"], &hello["size"], &hello["mode"]), (&"file".into(), &6.into(), &"0640".into()));
    assert!(hello["owner"].as_str().expect("an owner").starts_with("1000:1001"), "{hello}");
    // S053: links are shown as links, and nothing else that has no content is read.
    for (name, kind, target) in [
        ("root", "link", Some("/")),
        ("shadow", "link", Some("/etc/passwd")),
        ("fifo", "pipe", None),
        ("null", "device", None),
    ] {
        let found = entry(&srv, name);
        assert_eq!((found["kind"].as_str(), found["target"].as_str()), (Some(kind), target), "{found}");
        let page = console.get(&format!("{base}?path=/srv/{name}")).await.expect(200);
        assert!(!page.has("[data-text]"), "{name} is not read");
    }
    for name in ["a\nb", "<img src=x onerror=a()>", "esc\u{1b}[2J", "x\"; filename=evil.html"] {
        entry(&srv, name);
    }
    let page = console.get(&format!("{base}?path=/srv")).await.expect(200);
    assert!(!page.has("main img") && !page.has("main script"), "names are names");
    assert!(
        page.commands()[0].contains(&format!("docker exec -u 0 {} ls -la /srv", web.name)),
        "{:?}",
        page.commands()
    );
    let page = console.get(&format!("{base}?path=/srv/hello.txt")).await.expect(200);
    assert_eq!(page.text("[data-text]"), "hello");
    assert_eq!(page.commands()[0], format!("docker cp {}:/srv/hello.txt .", web.name));
    contains_all(&console.get(&format!("{base}?path=/srv/bin.dat")).await.text("main"), &["61 00 62", "not text"]);
    console.get(&format!("{base}?path=/nothing")).await.expect(404);
    console.get(&format!("{base}?path=/srv/../etc")).await.expect(422);
    let file = console.get(&format!("{base}/download?path=/srv/hello.txt")).await.expect(200);
    assert_eq!((file.body.as_str(), file.header("content-length")), ("hello\n", "6"));
    let tar = console.get(&format!("{base}/download?path=/srv&as=tar")).await.expect(200);
    assert!(tar.body.contains("srv/hello.txt") && tar.body.contains("ustar"));
    let zip = console.get(&format!("{base}/download?path=/srv&as=zip")).await.expect(200);
    assert!(zip.body.starts_with("PK") && zip.body.contains("srv/hello.txt"));
    // Changing.
    upload(&console, &format!("{base}/upload?path=/srv"), &[], "new.txt", b"new").await.expect(200);
    assert_eq!(engine.docker(&["exec", &web.id, "cat", "/srv/new.txt"]).await, "new");
    let again = upload(&console, &format!("{base}/upload?path=/srv"), &[], "hello.txt", b"other").await.expect(409);
    assert!(again.body.contains("already"), "{}", again.body);
    // Wherever that stands in the form.
    let mut body = multipart(&[], "hello.txt", b"third");
    body.truncate(body.len() - format!("--{BOUNDARY}--\r\n").len());
    let last = "Content-Disposition: form-data; name=\"replace\"\r\n\r\n1\r\n";
    body.extend(format!("--{BOUNDARY}\r\n{last}--{BOUNDARY}--\r\n").bytes());
    let ask = console.ask("POST", &format!("{base}/upload?path=/srv"));
    let ask = ask.header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
    ask.header("accept", "application/json").body(body).send().await.expect(200);
    assert_eq!(engine.docker(&["exec", &web.id, "cat", "/srv/hello.txt"]).await, "third");
    upload(&console, &format!("{base}/upload?path=/srv"), &[("replace", "1")], "hello.txt", b"other").await.expect(200);
    let stat = engine.docker(&["exec", &web.id, "stat", "-c", "%a %u %g %s", "/srv/hello.txt"]).await;
    // podman gives what is put in to the container's own user.
    let is_podman = engine.is_podman();
    assert_eq!(stat, if is_podman { "640 0 0 5" } else { "640 1000 1001 5" }, "owner and mode stay");
    send(&console, &format!("{base}/folder?path=/srv"), &[("name", "made")]).await.expect(200);
    send(&console, &format!("{base}/folder?path=/srv"), &[("name", "made")]).await.expect(409);
    send(&console, &format!("{base}/folder?path=/srv"), &[("name", "../up")]).await.expect(422);
    send(&console, &format!("{base}/rename?path=/srv/made"), &[("name", "-rf")]).await.expect(200);
    send(&console, &format!("{base}/rename?path=/srv/-rf"), &[("name", "sub")]).await.expect(409);
    let asked = console.get(&format!("{base}/remove?path=/srv/sub")).await.expect(200);
    contains_all(&asked.text("main"), &["Remove /srv/sub?", "1 thing that is in it"]);
    send(&console, &format!("{base}/remove?path=/srv/-rf"), &[]).await.expect(200);
    send(&console, &format!("{base}/remove?path=/srv/root"), &[]).await.expect(200);
    send(&console, &format!("{base}/remove?path=/"), &[]).await.expect(422);
    let left = look(&console, &base, "/srv").await;
    assert!(!names(&left).iter().any(|name| name == "-rf" || name == "root"), "{left}");
    assert!(names(&look(&console, &base, "/").await).iter().any(|name| name == "bin"), "only the link went");
}

#[tokio::test]
async fn s053_a_running_container_on_docker28() {
    browse_running(RealEngine::docker28()).await;
}

#[tokio::test]
async fn s053_a_running_container_on_docker20() {
    browse_running(RealEngine::docker20()).await;
}

#[tokio::test]
async fn s053_a_running_container_on_podman() {
    browse_running(RealEngine::podman4()).await;
}

/// The engine's archive has what lies hidden beneath memory, and takes what goes in there.
#[tokio::test]
async fn what_is_in_memory_is_read_inside_and_never_written_beneath() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let web = engine.run("web", "--tmpfs /tmp busybox sleep 10000").await;
        engine.docker(&["exec", &web.id, "sh", "-c", "echo hello > /tmp/t"]).await;
        console.sees_state(&web.id, "running").await;
        let base = web.path("files");
        let inside = async |line: &str| engine.docker(&["exec", &web.id, "sh", "-c", line]).await;
        assert_eq!(console.get(&format!("{base}?path=/tmp/t")).await.expect(200).text("[data-text]"), "hello");
        send(&console, &format!("{base}/folder?path=/tmp"), &[("name", "made")]).await.expect(200);
        assert_eq!(inside("ls /tmp").await, "made\nt");
        let put = upload(&console, &format!("{base}/upload?path=/tmp"), &[], "up.txt", b"up").await;
        if engine.is_podman() {
            put.expect(200);
            assert_eq!(inside("cat /tmp/up.txt").await, "up");
            continue;
        }
        contains_all(&put.expect(501).body, &["in the container's memory", "terminal"]);
        let folder = console.get(&format!("{base}?path=/tmp")).await.expect(200);
        contains_all(&folder.text("main"), &["memory", "made"]);
        assert!(!folder.has("[data-upload]") && !folder.has("main a[download]"), "what is refused is not offered");
        console.get(&format!("{base}/download?path=/tmp/t")).await.expect(501);
        console.get(&format!("{base}/download?path=/tmp&as=tar")).await.expect(501);
        console.get(&format!("{base}?path=/proc/kmsg")).await.expect(501);
        send(&console, &format!("{base}/remove?path=/tmp/made"), &[]).await.expect(200);
        assert_eq!(inside("ls /tmp").await, "t");
    }
}

/// One that does not run is read out of the engine's archive, and can be written but not renamed in.
#[tokio::test]
async fn the_root_is_not_removed() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = engine.run("web", "busybox sleep 1000").await;
    let volume = engine.volume("data", "").await;
    console.sees_state(&web.id, "running").await;
    console.sees_volume(&volume).await;
    for path in [web.path("files/remove"), format!("/volumes/{volume}/files/remove")] {
        for of in ["", "/", "/srv/.."] {
            let asked = console.get(&format!("{path}?path={of}")).await;
            assert!(asked.status == 422 && !asked.body.contains("rm -rf"), "{path} {of}: {}", asked.said());
            console.post(&path, &[("path", of)]).await.expect(422);
        }
    }
    assert_eq!(engine.state(&web.id).await, "running");
}

async fn browse_stopped(engine: RealEngine) {
    let web = engine.create("web", "busybox sh").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let base = web.path("files");
    let root = look(&console, &base, "/").await;
    assert!(names(&root).iter().any(|name| name == "etc"), "{root}");
    let etc = look(&console, &base, "/etc").await;
    assert_eq!(entry(&etc, "passwd")["kind"], "file");
    assert!(look(&console, &base, "/etc/passwd").await["text"].as_str().expect("text").contains("root"));
    upload(&console, &format!("{base}/upload?path=/etc"), &[], "motd", b"hi\n").await.expect(200);
    send(&console, &format!("{base}/folder?path=/etc"), &[("name", "conf.d")]).await.expect(200);
    let etc = look(&console, &base, "/etc").await;
    assert_eq!((&entry(&etc, "motd")["size"], &entry(&etc, "conf.d")["kind"]), (&3.into(), &"folder".into()));
    let refused = send(&console, &format!("{base}/remove?path=/etc/motd"), &[]).await.expect(409);
    assert!(refused.body.contains("start it first"), "{}", refused.body);
    let page = console.get(&format!("{base}?path=/etc")).await.expect(200);
    assert!(page.text("main").contains("does not run") && !page.has("a[href*='/rename']"));
    let file = console.get(&format!("{base}/download?path=/etc/motd")).await.expect(200);
    assert_eq!(file.body, "hi\n");
}

#[tokio::test]
async fn a_stopped_container_on_docker28() {
    browse_stopped(RealEngine::docker28()).await;
}

#[tokio::test]
async fn a_stopped_container_on_docker20() {
    browse_stopped(RealEngine::docker20()).await;
}

#[tokio::test]
async fn a_stopped_container_on_podman() {
    browse_stopped(RealEngine::podman4()).await;
}

/// A volume is browsed as a container is, and its backup makes another one the same.
async fn browse_volume(engine: RealEngine) {
    let (data, copy) = (engine.volume("data", "").await, engine.volume("copy", "").await);
    let fill = format!(
        "docker run --rm -v {data}:/srv --name {} busybox sh -c '{}'",
        engine.name("fill"),
        THINGS.replace('\'', "'\\''")
    );
    engine.shell(&fill).await;
    let console = Console::on(&engine).await;
    let installation = installation(&console);
    console.sees_volume(&data).await;
    let base = format!("/volumes/{data}/files");
    let root = look(&console, &base, "/").await;
    assert_eq!(entry(&root, "hello.txt")["mode"], "0640", "{root}");
    assert_eq!(entry(&root, "root")["target"], "/");
    // A link leads nowhere here.
    let (name, value) = JSON;
    let through = console.ask("GET", &format!("{base}?path=/root/etc")).header(name, value).send().await;
    assert_eq!(through.status, 400, "{}", through.body);
    let page = console.get(&format!("{base}?path=/hello.txt")).await.expect(200);
    assert_eq!(page.commands()[0], format!("docker run --rm -v {data}:/volume:ro busybox cat /volume/hello.txt"));
    upload(&console, &format!("{base}/upload?path=/sub"), &[], "new.txt", b"new").await.expect(200);
    send(&console, &format!("{base}/rename?path=/sub/new.txt"), &[("name", "newer.txt")]).await.expect(200);
    send(&console, &format!("{base}/folder?path=/"), &[("name", "made")]).await.expect(200);
    send(&console, &format!("{base}/remove?path=/made"), &[]).await.expect(200);
    let saved = send(&console, &format!("{base}/edit?path=/hello.txt"), &[("text", "two\n")]).await;
    saved.expect(200);
    assert_eq!(names(&look(&console, &base, "/sub").await), ["deep", "newer.txt"]);
    // All of it, and into another.
    let backup = console.get(&format!("/volumes/{data}/backup")).await.expect(200);
    assert!(backup.header("content-disposition").contains(&format!("{data}.tar.gz")));
    let curl = format!(
        "curl -sSf {0}/volumes/{data}/backup | curl -sSf -H 'accept: application/json' -H 'origin: {0}' -F sure=1 -F file=@- {0}/volumes/{copy}/restore",
        console.origin()
    );
    console.sees_volume(&copy).await;
    let said = engine.shell(&curl).await;
    assert!(said.contains("was restored"), "{said}");
    let restored = look(&console, &format!("/volumes/{copy}/files"), "/").await;
    assert_eq!(entry(&restored, "hello.txt")["mode"], "0640");
    assert!(!names(&restored).iter().any(|name| name == "null"), "devices are left out");
    no_helpers(&engine, &installation).await;
}

#[tokio::test]
async fn a_volume_on_docker28() {
    browse_volume(RealEngine::docker28()).await;
}

#[tokio::test]
async fn a_volume_on_docker20() {
    browse_volume(RealEngine::docker20()).await;
}

#[tokio::test]
async fn a_volume_on_podman() {
    browse_volume(RealEngine::podman4()).await;
}

#[tokio::test]
async fn a_text_is_saved_only_over_what_was_read() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 10000").await;
    let write = |text: &str| {
        vec!["exec".to_owned(), web.id.clone(), "sh".into(), "-c".into(), format!("printf '{text}' > /etc/app.conf")]
    };
    engine.docker(&write("a=1\\r\\nb=2\\r\\n")).await;
    engine.docker(&["exec", &web.id, "sh", "-c", "chmod 600 /etc/app.conf; chown 7:8 /etc/app.conf"]).await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let edit = format!("{}/edit?path=/etc/app.conf", web.path("files"));
    let form = console.get(&edit).await.expect(200);
    let field = |page: &Answer, name: &str| page.attribute(&format!("main [name={name}]"), "value").unwrap_or_default();
    let (digest, ends) = (field(&form, "digest"), field(&form, "ends"));
    assert_eq!((ends.as_str(), form.text("#text")), ("crlf", "a=1 b=2".to_owned()));
    // As a browser sends it.
    let saved = console.post(&edit, &[("text", "a=1\r\nb=3\r\n"), ("digest", &digest), ("ends", &ends)]).await;
    assert_eq!(saved.expect(303).header("location"), format!("{}?path=/etc/app.conf", web.path("files")));
    let now =
        engine.docker(&["exec", &web.id, "sh", "-c", "stat -c '%a %u:%g %s' /etc/app.conf; od -c /etc/app.conf"]).await;
    contains_all(&now, &["600 7:8 10", "\\r"]);
    // Somebody else was faster: nothing is written, nothing is lost.
    engine.docker(&write("theirs\\n")).await;
    let refused = console.post(&edit, &[("text", "mine\r\n"), ("digest", &digest), ("ends", "crlf")]).await.expect(409);
    assert_eq!((refused.text("#text"), refused.text("#theirs")), ("mine".to_owned(), "theirs".to_owned()));
    assert_eq!(engine.docker(&["exec", &web.id, "cat", "/etc/app.conf"]).await, "theirs");
    let (digest, ends) = (field(&refused, "digest"), field(&refused, "ends"));
    console.post(&edit, &[("text", "mine\r\n"), ("digest", &digest), ("ends", &ends)]).await.expect(303);
    assert_eq!(engine.docker(&["exec", &web.id, "cat", "/etc/app.conf"]).await, "mine");
    // What a field of a page cannot keep is not edited in one.
    engine.docker(&write("a\\r\\nb\\n")).await;
    console.get(&edit).await.expect(422);
    engine.docker(&write("a\\000b")).await;
    console.get(&edit).await.expect(422);
}

#[tokio::test]
async fn s031_foreign_bytes_are_saved_and_never_shown() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 10000").await;
    engine.docker(&["exec", &web.id, "sh", "-c", THINGS]).await;
    engine.docker(&["exec", &web.id, "sh", "-c", "echo '<svg onload=a()>' > /srv/evil.svg"]).await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    for name in ["evil.html", "evil.svg", "a\nb", "x\"; filename=evil.html", "<img src=x onerror=a()>", "esc\u{1b}[2J"]
    {
        let path = format!("{}/download?path={}", web.path("files"), encoded(&format!("/srv/{name}")));
        let file = console.ask("GET", &path).header("accept-encoding", "gzip, br").send().await.expect(200);
        let says = file.header("content-disposition");
        assert!(says.starts_with("attachment; filename=\"") && says.matches('"').count() == 2, "{says}");
        assert!(!says.chars().any(char::is_control), "{says}");
        assert_eq!(file.header("content-type"), "application/octet-stream");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert!(file.header("content-security-policy").starts_with("sandbox"), "{name}");
        assert_eq!(file.header("content-encoding"), "", "{name} goes out as it is");
    }
    // Looked at, it is text.
    let page = console.get(&format!("{}?path=/srv/evil.html", web.path("files"))).await.expect(200);
    assert!(!page.body.contains("<script>a()"), "it is escaped");
}

#[tokio::test]
async fn s040_s041_s037_who_may_go_in() {
    let engine = RealEngine::docker28();
    let rooted = engine.run("rooted", "--label team=red --privileged busybox sleep 10000").await;
    let plain = engine.run("plain", "--label team=red busybox sleep 10000").await;
    let host = engine.volume("host", "--label team=red -o type=none -o o=bind -o device=/etc").await;
    let data = engine.volume("data", "--label team=red").await;
    let console = Console::administered(&engine.socket).await;
    console.expect_log("");
    let admin = console.admin().await;
    let red = console.hire(&admin, "red", "operator", "label:team=red").await;
    let blue = console.hire(&admin, "blue", "operator", "label:team=blue").await;
    let viewer = console.hire(&admin, "vic", "viewer", "").await;
    console.sees_as(&admin, &plain.id).await;
    console.sees_as(&admin, &rooted.id).await;
    let ask = async |person: &Person, path: &str| {
        console.by(person, "GET", path).header("accept", "application/json").send().await
    };
    until("the volumes are seen", async || (ask(&red, &format!("/volumes/{host}")).await.status == 200).then_some(()))
        .await;
    for (path, of_red, of_admin) in [
        (plain.path("files?path=/etc"), 200, 200),
        (rooted.path("files?path=/etc"), 403, 200),
        (rooted.path("files/download?path=/etc/passwd"), 403, 200),
        (rooted.path("files/remove?path=/etc/passwd"), 403, 200),
        (format!("/volumes/{data}/files"), 200, 200),
        (format!("/volumes/{host}/files"), 403, 200),
        (format!("/volumes/{host}/backup"), 403, 200),
    ] {
        let answer = ask(&red, &path).await;
        assert_eq!(answer.status, of_red, "{path}: {}", answer.said());
        assert_eq!(ask(&admin, &path).await.status, of_admin, "{path}");
        assert_eq!(ask(&blue, &path).await.status, 404, "{path}");
        assert_eq!(ask(&viewer, &path).await.status, 403, "{path}");
    }
    // What leads to a refusal is not offered: the same pages have it for who may.
    for (who, is_offered) in [(&red, false), (&admin, true)] {
        for path in [rooted.path(""), rooted.path("logs"), rooted.path("export")] {
            let page = console.by(who, "GET", &path).send().await.expect(200);
            for tab in ["files", "terminal"] {
                assert_eq!(page.has(&format!(".tabs [href='{}']", rooted.path(tab))), is_offered, "{tab} at {path}");
            }
            assert!(is_offered || !page.has("a[href$='/commit'], a[href$='/export.tar']"), "{path}");
        }
        let export = console.by(who, "GET", &rooted.path("export")).send().await.said();
        assert_eq!(export.contains("only an administrator may take them"), !is_offered, "{export}");
    }
    let page = console.by(&red, "GET", &plain.path("")).send().await.expect(200);
    assert!(page.has(&format!(".tabs [href='{}']", plain.path("terminal"))));
    let put = async |person: &Person, path: &str| {
        let ask = console.by(person, "POST", path).header("accept", "application/json");
        let ask = ask.header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
        ask.body(multipart(&[], "x", b"x")).send().await.status
    };
    assert_eq!(put(&red, &plain.path("files/upload?path=/nowhere")).await, 404, "there is no such folder");
    assert_eq!(put(&red, &plain.path("files/upload?path=/etc")).await, 200);
    for path in [rooted.path("files/upload?path=/etc"), format!("/volumes/{host}/files/upload?path=/")] {
        assert_eq!(put(&red, &path).await, 403, "{path}");
        assert_eq!(put(&blue, &path).await, 404, "{path}");
        assert_eq!(put(&viewer, &path).await, 403, "{path}");
    }
    // It is written down who did what.
    let audit = console.by(&admin, "GET", "/audit.jsonl").send().await.expect(200);
    contains_all(&audit.body, &["file.upload", "file.download", "volume.backup", "/etc/x"]);
    // Nobody takes the list of who may come in out of a volume.
    let uploads = spooled(&console);
    assert_eq!(uploads, 0, "nothing is left of uploads");
}

#[tokio::test]
async fn s050_an_upload_is_a_plain_tar_that_we_build() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let web = engine.run("web", "busybox sleep 10000").await;
    let console = Console::start(spy.socket()).ready().await;
    console.sees_state(&web.id, "running").await;
    let xz = [b"\xfd7zXZ\0".as_slice(), &[7; 100]].concat();
    upload(&console, &format!("{}/upload?path=/srv", web.path("files")), &[], "x.tar.xz", &xz).await.expect(404);
    upload(&console, &format!("{}/upload?path=/etc", web.path("files")), &[], "x.tar.xz", &xz).await.expect(200);
    let sent = spy.sent(&format!("/containers/{}/archive", web.id));
    let put = sent.iter().find(|body| !body.is_empty()).expect("something was sent");
    // The body comes in pieces, each with its length before it.
    let begin = put.find("x.tar.xz\0").expect("one entry, of the typed name");
    assert_eq!(put.get(begin + 257..begin + 262), Some("ustar"), "it is a tar, uncompressed");
    assert_eq!(put.matches("ustar").count(), 1);
    assert_eq!(engine.docker(&["exec", &web.id, "wc", "-c", "/etc/x.tar.xz"]).await, "106 /etc/x.tar.xz");
    for bad in ["../x", "..", "a/b"] {
        upload(&console, &format!("{}/upload?path=/etc", web.path("files")), &[], bad, b"x").await.expect(422);
    }
    let page = console.get(&format!("{}?path=/etc", web.path("files"))).await.expect(200);
    assert!(page.text("[data-danger]").contains("CVE-2026-41567"));
}

/// Begins a download and reads a little of it.
async fn half_read(console: &Console, path: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", console.port);
    socket.write_all(head.as_bytes()).await.expect("it reads");
    let mut buffer = [0; 4096];
    let count = timeout(Duration::from_secs(15), socket.read(&mut buffer)).await.expect("in time").expect("an answer");
    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    socket
}

async fn inspects_within(engine: &RealEngine, id: &str, limit: Duration) -> bool {
    timeout(limit, engine.docker(&["inspect", "--type", "container", id])).await.is_ok()
}

#[tokio::test]
async fn s051_a_stalled_download_ends() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sh -c 'truncate -s 200M /big; sleep 10000'").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let base = web.path("files");
    let socket = half_read(&console, &format!("{base}/download?path=/big")).await;
    // One at a time: the engine lets nobody else in meanwhile, and who asks is told.
    let second = console.get(&format!("{base}?path=/")).await.expect(409);
    contains_all(&second.text("main"), &["download of big", "under way"]);
    let begin = Instant::now();
    while !console.log().contains("download stalled, cancelled") {
        assert!(begin.elapsed() < Duration::from_secs(25), "{}", console.log());
        sleep(Duration::from_millis(200)).await;
    }
    assert!(inspects_within(&engine, &web.id, Duration::from_secs(5)).await);
    let page = until("its files can be looked at", async || {
        let page = console.get(&format!("{base}?path=/")).await;
        (page.status == 200).then_some(page)
    })
    .await;
    contains_all(&page.text("[data-failed]"), &["download of big", "download stalled, cancelled"]);
    contains_all(&console.get("/audit.jsonl").await.body, &["file.download", "stalled"]);
    drop(socket);
    // Who goes takes the engine's side along.
    let files = console.open_files();
    let socket = half_read(&console, &format!("{base}/download?path=/big")).await;
    drop(socket);
    let begin = Instant::now();
    until("its connections are gone", async || (console.open_files() <= files).then_some(())).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let free = async || (console.get(&format!("{base}?path=/")).await.status == 200).then_some(());
    until("its files can be looked at again", free).await;
}

#[tokio::test]
async fn s052_a_slow_upload_locks_nothing() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 10000").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let body = multipart(&[], "slow.txt", &[b'x'; 4_000]);
    let head = format!(
        "POST {}/upload?path=/etc HTTP/1.1\r\nHost: 127.0.0.1:{1}\r\nOrigin: http://127.0.0.1:{1}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {2}\r\n\r\n",
        web.path("files"),
        console.port,
        body.len()
    );
    let mut socket = TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens");
    socket.write_all(head.as_bytes()).await.expect("it reads");
    socket.write_all(&body[..400]).await.expect("it reads");
    until("it is kept", async || (spooled(&console) == 1).then_some(())).await;
    for part in body[400..460].chunks(10) {
        socket.write_all(part).await.expect("it reads");
        assert!(inspects_within(&engine, &web.id, Duration::from_secs(5)).await, "the container answers");
        sleep(Duration::from_millis(300)).await;
    }
    drop(socket);
    until("nothing of it is left", async || (spooled(&console) == 0).then_some(())).await;
    assert!(engine.try_docker(&["exec", &web.id, "ls", "/etc/slow.txt"]).await.is_err(), "nothing arrived");
}

#[tokio::test]
async fn s053_many_entries_and_a_large_file_do_no_harm() {
    let engine = RealEngine::docker28();
    // A hundred thousand here: a million take minutes to make, and no more of them is read.
    let web = engine
        .run(
            "web",
            "--tmpfs /many busybox sh -c 'cd /many && seq 1 100000 | xargs touch; truncate -s 5G /big; sleep 10000'",
        )
        .await;
    let stopped = engine.create("stopped", "busybox sh").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let base = web.path("files");
    let full = async || engine.try_docker(&["exec", &web.id, "ls", "/big"]).await.ok();
    let begin = Instant::now();
    while full().await.is_none() {
        assert!(begin.elapsed() < Duration::from_mins(2), "it is not made");
        sleep(Duration::from_millis(500)).await;
    }
    look(&console, &base, "/etc").await;
    let before = console.memory();
    let many = console.get(&format!("{base}?path=/many")).await.expect(200);
    assert!(many.text("[data-partial]").contains("Showing the first"), "{}", many.said());
    assert_eq!(many.texts("tr[data-name]").len(), 500);
    assert!(many.has("a[rel=next]"));
    // The beginning of the large file is read, not more.
    let page = console.get(&format!("{base}?path=/big")).await.expect(200);
    contains_all(&page.text("main"), &["5.00 GiB"]);
    let mut socket = half_read(&console, &format!("{base}/download?path=/big")).await;
    let mut buffer = vec![0; 1 << 20];
    let mut read = 0;
    let end = Instant::now() + Duration::from_secs(8);
    while read < (5 << 30) && Instant::now() < end {
        let count = timeout(Duration::from_secs(10), socket.read(&mut buffer)).await.expect("it comes").expect("bytes");
        assert!(count > 0, "it ended after {read}");
        read += count;
    }
    assert!(read > 100 << 20, "{read}");
    let grown = console.memory().saturating_sub(before);
    assert!(grown < 50 * 1024, "it grew by {grown} KiB after {read} bytes");
    drop(socket);
    let begin = Instant::now();
    until("the container answers again", async || {
        inspects_within(&engine, &web.id, Duration::from_secs(2)).await.then_some(())
    })
    .await;
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    console.get(&format!("{base}?path=/")).await.expect(200);
    look(&console, &stopped.path("files"), "/").await;
}

#[tokio::test]
async fn s055_uploads_have_a_bound() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 10000").await;
    let console = Console::start(&engine.socket).arg("--max-upload=1").ready().await;
    console.sees_state(&web.id, "running").await;
    let to = format!("{}/upload?path=/etc", web.path("files"));
    upload(&console, &to, &[], "fits", &vec![b'x'; 1 << 20]).await.expect(200);
    let before = console.memory();
    let over = upload(&console, &to, &[], "over", &vec![b'x'; (1 << 20) + 1]).await.expect(413);
    contains_all(&over.body, &["too large", "1.00 MiB"]);
    let head = |more: &str| {
        format!(
            "POST {to} HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nOrigin: http://127.0.0.1:{0}\r\nAccept: application/json\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n{more}\r\n\r\n",
            console.port
        )
    };
    // A length that says so at once; no length and no end; a length that is too small.
    let start = multipart(&[], "x", b"");
    let start = &start[..start.len() - BOUNDARY.len() - 8];
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    for (head, body, times) in [
        (head("Content-Length: 99999999999"), start.to_vec(), 1),
        (head("Transfer-Encoding: chunked"), [chunk(start), chunk(&vec![b'x'; 65_536])].concat(), 40),
        (head("Content-Length: 150"), [start, &[b'x'; 500]].concat(), 1),
    ] {
        let (mut read, mut write) =
            TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens").into_split();
        let writer = tokio::spawn(async move {
            let _ = write.write_all(head.as_bytes()).await;
            let rest = body;
            let _ = write.write_all(&rest).await;
            for _ in 1..times {
                if write.write_all(&[b"10000\r\n".as_slice(), &vec![b'x'; 65_536], b"\r\n"].concat()).await.is_err() {
                    break;
                }
            }
            sleep(Duration::from_secs(20)).await;
        });
        let mut answer = [0; 512];
        let count =
            timeout(Duration::from_secs(10), read.read(&mut answer)).await.expect("in time").expect("an answer");
        let line = String::from_utf8_lossy(&answer[..count]).lines().next().unwrap_or_default().to_owned();
        assert!(line.contains(" 413 ") || line.contains(" 400 "), "{line}");
        writer.abort();
    }
    until("nothing is left", async || (spooled(&console) == 0).then_some(())).await;
    let grown = console.memory().saturating_sub(before);
    assert!(grown < 10 * 1024, "it grew by {grown} KiB");
    assert!(engine.try_docker(&["exec", &web.id, "ls", "/etc/over"]).await.is_err());
    // A form is as small as ever.
    let long = "x".repeat(1 << 20);
    send(&console, &format!("{}/folder?path=/etc", web.path("files")), &[("name", &long)]).await.expect(413);
}

#[tokio::test]
async fn helpers_go_even_if_the_console_is_killed() {
    let engine = RealEngine::docker28();
    let data = engine.volume("data", "").await;
    let fill = format!("docker run --rm -v {data}:/srv busybox truncate -s 3G /srv/big");
    engine.shell(&fill).await;
    let folder = tempfile::tempdir().expect("a folder");
    let console = Console::start(&engine.socket).data_in(folder.path()).ready().await;
    console.sees_volume(&data).await;
    let installation = std::fs::read_to_string(folder.path().join("files/installation")).expect("it has a name");
    let socket = half_read(&console, &format!("/volumes/{data}/files/download?path=/big")).await;
    assert_eq!(helpers(&engine, &installation).await.len(), 1);
    // Who looks meanwhile takes nothing from it.
    look(&console, &format!("/volumes/{data}/files"), "/").await;
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(console.pid()).expect("a number")).expect("a process"),
        rustix::process::Signal::KILL,
    )
    .expect("it can be killed");
    drop(socket);
    sleep(Duration::from_millis(500)).await;
    assert!(!helpers(&engine, &installation).await.is_empty(), "nobody could remove it");
    std::fs::write(folder.path().join("files/uploads/7.part"), b"left").expect("it can be written");
    let again = Console::start(&engine.socket).data_in(folder.path()).ready().await;
    no_helpers(&engine, &installation).await;
    assert!(!folder.path().join("files/uploads/7.part").exists(), "nor is an upload left");
    drop(again);
}

//! Who may ask, and what goes out with every answer: S013 to S022, S032 to S034.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixListener, UnixStream},
};

use crate::support::{
    words::{Route, sources},
    *,
};

/// What the console says in its log when it refuses a write.
const REFUSED: &str = "a write from a page that is not ours was refused";

/// Every address that can be written to.
fn writes(container: &str, volume: &str) -> Vec<String> {
    Route::all().iter().filter(|route| route.post).flat_map(|route| route.paths(container, volume, "1")).collect()
}

/// Every address that can be read, but for streams, which never end.
fn reads(container: &str, volume: &str) -> Vec<String> {
    let routes = Route::all();
    let reads = routes.iter().filter(|route| route.get && !route.path.ends_with("stream"));
    reads.flat_map(|route| route.paths(container, volume, "1")).collect()
}

#[tokio::test]
async fn s013_other_pages_cannot_write() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let volume = engine.volume("data", "").await;
    let console = Console::on(&engine).await;
    console.expect_log(REFUSED);
    console.sees(&web.id).await;
    let own = format!("http://127.0.0.1:{}", console.port);
    let strangers: [&[(&str, &str)]; 10] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
        &[("sec-fetch-site", "same-site"), ("origin", &own)],
        &[("origin", "http://evil.test")],
        &[("origin", "http://127.0.0.1:1")],
        &[("origin", &own.replace("http:", "https:"))],
        &[("origin", &format!("{own}.evil.test"))],
        &[("origin", "null")],
    ];
    let happened = engine
        .events_during(async {
            for path in writes(&web.id, &volume) {
                for stranger in strangers {
                    let mut ask = console.ask("POST", &path).form(&[("force", "1"), ("image", "busybox")]);
                    for (name, value) in stranger {
                        ask = ask.header(name, value);
                    }
                    let answer = ask.send().await;
                    assert_eq!(answer.status, 403, "{path} with {stranger:?}:\n{}", answer.body);
                }
            }
        })
        .await;
    assert_eq!(happened, [""; 0], "a refused write did something");
    let kill = console.ask("POST", &web.path("kill")).header("sec-fetch-site", "same-origin").form(&[]);
    kill.send().await.leads_to();
    assert_eq!(engine.state(&web.id).await, "exited");
}

#[tokio::test]
async fn s014_another_port_of_the_same_host_cannot_write() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.expect_log(REFUSED);
    console.sees(&web.id).await;
    // On plain http in a LAN browsers say nothing but the origin.
    let kill = |origin: &str| {
        console
            .ask("POST", &web.path("kill"))
            .header("host", "192.168.7.7:8080")
            .header("origin", origin)
            .form(&[])
            .send()
    };
    kill("http://192.168.7.7:9999").await.expect(403);
    kill("http://192.168.7.7").await.expect(403);
    kill("https://192.168.7.7:8080").await.expect(403);
    assert_eq!(engine.state(&web.id).await, "running");
    kill("http://192.168.7.7:8080").await.leads_to();
    assert_eq!(engine.state(&web.id).await, "exited");
}

#[tokio::test]
async fn s016_our_own_pages_can_write() {
    let engine = RealEngine::docker28();
    let console = Console::start(&engine.socket)
        .arg("--hosts=box.lan,docker.example")
        .arg("--public-url=https://docker.example/")
        .ready()
        .await;
    let port = console.port;
    for (host, origin) in [
        (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}")),
        (format!("localhost:{port}"), format!("http://localhost:{port}")),
        (format!("LocalHost:{port}"), format!("http://localhost:{port}")),
        (format!("[::1]:{port}"), format!("http://[::1]:{port}")),
        ("[fe80::1]".to_owned(), "http://[fe80::1]".to_owned()),
        ("192.168.1.5".to_owned(), "http://192.168.1.5".to_owned()),
        ("192.168.1.5:80".to_owned(), "http://192.168.1.5".to_owned()),
        ("box.lan".to_owned(), "http://box.lan".to_owned()),
        ("docker.example".to_owned(), "https://docker.example".to_owned()),
        ("127.0.0.1:9000".to_owned(), "https://docker.example".to_owned()),
    ] {
        let ask = console.ask("POST", "/theme").header("host", &host).header("origin", &origin);
        let answer = ask.form(&[("theme", "dark")]).send().await;
        assert_eq!(answer.status, 303, "{origin} on {host}:\n{}", answer.body);
    }
    // Behind TLS a browser says what counts itself, whatever the proxy made of the names.
    let secure = console.ask("POST", "/theme").header("host", "127.0.0.1").header("origin", "https://docker.example");
    secure.header("sec-fetch-site", "same-origin").form(&[]).send().await.expect(303);
    // A script has no page that could trick it.
    console.post("/theme", &[]).await.expect(303);
}

#[tokio::test]
async fn s017_a_refusal_names_the_setting() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    console.expect_log(REFUSED);
    let ask = console.ask("POST", "/theme").header("origin", "https://docker.example").form(&[]);
    let answer = ask.send().await.expect(403);
    let wanted = format!("http://127.0.0.1:{}", console.port);
    contains_all(&answer.body, &["https://docker.example", &wanted, "--public-url", "WHEELHOUSE_PUBLIC_URL"]);
    until("the log says so too", async || {
        let log = console.log();
        ["https://docker.example", wanted.as_str(), "--public-url"].iter().all(|part| log.contains(part)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn s018_dns_rebinding_is_refused() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let volume = engine.volume("data", "").await;
    let console = Console::start(&engine.socket).arg("--hosts=box.lan").ready().await;
    console.sees(&web.id).await;
    let port = console.port;
    for host in ["evil.test", "evil.test:8080", "127.0.0.1.evil.test", "localhost.evil.test", "box.lan.evil.test", "x"]
    {
        for path in reads(&web.id, &volume) {
            let answer = console.ask("GET", &path).header("host", host).send().await;
            assert_eq!(answer.status, 421, "{path} as {host}");
            assert!(!answer.body.contains(&web.name) && !answer.body.contains("/assets/"), "{}", answer.body);
        }
        for path in writes(&web.id, &volume) {
            let ask = console.ask("POST", &path).header("host", host).header("origin", &format!("http://{host}"));
            assert_eq!(ask.form(&[]).send().await.status, 421, "{path} as {host}");
        }
        let stream = console.ask("GET", "/containers/stream").header("host", host).open().await;
        assert_eq!(stream.err(), Some(421), "a stream as {host}");
    }
    assert_eq!(engine.state(&web.id).await, "running");
    contains_all(
        &console.ask("GET", "/").header("host", "nas.lan").send().await.body,
        &["nas.lan", "--hosts", "WHEELHOUSE_HOSTS"],
    );
    for host in [format!("192.168.1.5:{port}"), format!("[::1]:{port}"), "10.0.0.1".into(), "box.lan:80".into()] {
        console.ask("GET", "/containers").header("host", &host).send().await.expect(200);
    }
}

#[tokio::test]
async fn s019_reading_changes_nothing() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "-v /anonymous busybox sleep 1000").await;
    let volume = engine.volume("data", "").await;
    let name = engine.name("new");
    let console = Console::on(&engine).await;
    console.expect_log(REFUSED);
    console.sees(&web.id).await;
    console.sees_volume(&volume).await;
    let happened = engine
        .events_during(async {
            for path in reads(&web.id, &volume) {
                let query = format!(
                    "?start=1&image=busybox&name={name}&action=remove&id={}&force=1&volumes=1&all=1&listed=1",
                    web.id
                );
                for path in [path.clone(), format!("{path}{query}")] {
                    let answer = console.get(&path).await;
                    assert!(answer.status < 500, "{path}: {}", answer.body);
                    console.ask("HEAD", &path).send().await;
                    let ask = console.ask("GET", &path).htmx();
                    assert!(ask.send().await.status < 500, "{path}");
                }
            }
            for path in writes(&web.id, &volume) {
                // What can only be written cannot be read, and has no other methods.
                for method in ["PUT", "DELETE", "PATCH", "TRACE"] {
                    assert_eq!(console.ask(method, &path).send().await.status, 405, "{method} {path}");
                }
            }
        })
        .await;
    // Who looks into a volume has it mounted for that moment.
    let is_look = |event: &&String| event.starts_with("volume mount ") || event.starts_with("volume unmount ");
    let changes: Vec<_> = happened.iter().filter(|event| !is_look(event)).collect();
    assert!(changes.is_empty(), "reading changed something: {changes:?}");
    assert_eq!(console.ask("TRACE", "/").send().await.status, 405);
}

#[tokio::test]
async fn s019_other_sites_may_not_read() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.expect_log("a socket from a page that is not ours was refused");
    console.sees(&web.id).await;
    for method in ["GET", "OPTIONS", "HEAD"] {
        for path in reads(&web.id, "data") {
            let ask = console.ask(method, &path).header("origin", "http://evil.test");
            let ask = ask.header("access-control-request-method", "POST");
            let answer = ask.send().await;
            let allows = answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
            assert!(!allows, "{method} {path}: {:?}", answer.headers);
        }
    }
    // As an image, a script or a stream of another page: no. As a link that somebody follows: yes.
    for mode in ["no-cors", "cors"] {
        let ask = console.ask("GET", "/containers").header("sec-fetch-site", "cross-site");
        let answer = ask.header("sec-fetch-mode", mode).send().await.expect(403);
        assert!(!answer.body.contains(&web.name), "{}", answer.body);
    }
    let link = console.ask("GET", "/containers").header("sec-fetch-site", "cross-site");
    link.header("sec-fetch-mode", "navigate").send().await.expect(200);
}

#[tokio::test]
async fn s020_s022_every_answer_carries_the_headers() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let volume = engine.volume("data", "").await;
    let console = Console::on(&engine).await;
    console.expect_log(REFUSED);
    console.sees(&web.id).await;
    console.sees_volume(&volume).await;
    let page = console.get("/containers").await;
    let assets = [page.attributes("script", "src"), page.attributes("link", "href")].concat();
    assert!(assets.len() >= 4, "{assets:?}");
    let mut answers = Vec::new();
    for path in reads(&web.id, &volume).iter().chain(&assets) {
        answers.push((path.clone(), console.get(path).await));
    }
    let stop = web.path("stop");
    for (what, ask, status) in [
        ("not found", console.ask("GET", "/no/such/page"), 404),
        ("no such asset", console.ask("GET", "/assets/none.css"), 404),
        ("wrong id", console.ask("GET", "/containers/web"), 404),
        ("wrong method", console.ask("DELETE", "/containers"), 405),
        ("too large", console.ask("POST", "/containers").form(&[("image", &"x".repeat(2 << 20))]), 413),
        ("not a form", console.ask("POST", "/containers").header("content-type", "text/plain").body("{}"), 415),
        ("wrong field", console.ask("POST", &stop).form(&[("timeout", "soon")]), 422),
        ("stranger's host", console.ask("GET", "/").header("host", "evil.test"), 421),
        ("stranger's write", console.ask("POST", &stop).header("origin", "http://evil.test"), 403),
        ("a redirect", console.ask("POST", "/theme").form(&[]), 303),
        ("JSON", console.ask("GET", "/containers/web").header("accept", "application/json"), 404),
        ("a toast", console.ask("POST", &stop).htmx().form(&[("timeout", "soon")]), 422),
    ] {
        answers.push((what.to_owned(), ask.send().await.expect(status)));
    }
    for (what, answer) in &answers {
        let csp = answer.header("content-security-policy");
        // What is saved has bytes of others in it: nothing of it may do anything (S031).
        let is_file = answer.headers.contains_key("content-disposition") && csp.starts_with("sandbox");
        let page: &[&str] = if is_file {
            &["sandbox", "default-src 'none'"]
        } else {
            &[
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "connect-src 'self'",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ]
        };
        contains_all(csp, page);
        assert!(!csp.contains("unsafe") && !csp.contains("http"), "{what}: {csp}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {what}");
        }
        assert!(answer.headers.get("server").is_none() && answer.headers.get("x-powered-by").is_none(), "{what}");
        // S022: nothing private stays in the browser, and a fragment is never shown as a page.
        let varies = answer.headers.get_all("vary").iter().filter_map(|vary| vary.to_str().ok()).collect::<Vec<_>>();
        assert!(varies.join(",").to_lowercase().contains("hx-request"), "{what} varies by {varies:?}");
        let keep = answer.header("cache-control");
        if what.starts_with("/assets/") && answer.status == 200 {
            assert!(keep.contains("immutable"), "{what}: {keep}");
        } else {
            assert_eq!(keep, "no-store", "{what}");
        }
    }
    let stream = console.stream("/containers/stream").await;
    assert_eq!(stream.headers.get("cache-control").and_then(|keep| keep.to_str().ok()), Some("no-store"));
    assert!(stream.headers.contains_key("content-security-policy"));
}

#[tokio::test]
async fn s022_a_forms_address_typed_by_hand_is_a_whole_page() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    for verb in ["start", "stop", "restart", "kill", "pause", "unpause", "rename", "remove"] {
        let page = console.get(&web.path(verb)).await.expect(200);
        assert!(page.has("html > head > title") && page.has("nav#nav") && page.has("form[method=post]"), "{verb}");
    }
}

#[test]
fn s021_templates_hold_no_code() {
    let templates = sources("templates", "html");
    assert!(templates.len() > 20, "the templates are not where this looks for them");
    for (path, text) in &templates {
        let text = text.to_lowercase();
        for word in
            ["hx-on", "js:", "javascript:", "hx-vars", "hx-vals", "onclick", "onload", "onerror", " style=", "<style"]
        {
            assert!(!text.contains(word), "{path} holds {word}");
        }
        for script in text.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap_or_default();
            assert!(tag.contains("src=\"/assets/") && script[tag.len()..].starts_with("></script>"), "{path}: {tag}");
        }
        // Only what a template of ours has drawn goes out as it is.
        for safe in text.match_indices("|safe").map(|(at, _)| &text[..at]) {
            let name = safe.rsplit("{{").next().unwrap_or_default().trim();
            let drawn = [
                "chips",
                "drawing",
                "map",
                "network",
                "ports",
                "chrome.",
                "count",
                "events",
                "head",
                "hidden",
                "overview",
                "row",
                "self.line(",
                "summary",
                "declared",
                "facts",
                "found",
                "table",
                "tree",
                "card",
                "frame",
                "tabs",
                "tally",
                "quiet",
                "now",
                "past",
                "drawn",
                "jobs",
            ];
            // Of a line of a log the pen has escaped every letter (web/logs/draw.rs, S026).
            if path.ends_with("logs/_line.html") && name == "text" {
                continue;
            }
            assert!(drawn.iter().any(|ours| name.starts_with(ours)), "{path} prints {name} unescaped");
        }
    }
    for (path, text) in sources("src/web", "rs") {
        assert!(!text.contains("PreEscaped") && !text.contains("MarkupDisplay"), "{path}");
    }
    let base = &templates.iter().find(|(path, _)| path.ends_with("base.html")).expect("it is there").1;
    contains_all(
        base,
        &["htmx-config", "\"includeIndicatorCSS\":false", "\"history\":false", "\"extensions\":\"sse\""],
    );
}

/// What stands between a console and its engine and writes down what is asked.
struct Spy {
    socket: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Spy {
    fn on(engine: &RealEngine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("spy.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (real, notes) = (engine.socket.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Self::between(client, real.clone(), notes.clone()));
            }
        });
        Self { socket, asked, _folder: folder }
    }

    async fn between(client: UnixStream, real: PathBuf, notes: Arc<Mutex<Vec<String>>>) {
        let Ok(engine) = UnixStream::connect(&real).await else { return };
        let ((mut from_client, mut to_client), (mut from_engine, mut to_engine)) =
            (client.into_split(), engine.into_split());
        let back = tokio::spawn(async move { tokio::io::copy(&mut from_engine, &mut to_client).await });
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            let text = String::from_utf8_lossy(&buffer[..read]);
            let lines = text.lines().filter_map(|line| line.strip_suffix(" HTTP/1.1"));
            notes.lock().expect("nobody panics with it").extend(lines.map(str::to_owned));
            if to_engine.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        drop(to_engine);
        let _ = back.await;
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

#[tokio::test]
async fn s033_what_is_no_id_never_reaches_the_engine() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let victim = engine.volume("victim", "").await;
    let spy = Spy::on(&engine);
    let console = Console::start(&spy.socket).ready().await;
    console.sees(&web.id).await;
    let id = web.id.as_str();
    let no_ids = [
        format!("..%2Fvolumes%2F{victim}"),
        format!("%2e%2e%2fvolumes%2f{victim}"),
        format!("%252e%252e%252fvolumes%252f{victim}"),
        "%252e%252e".to_owned(),
        "x%2F..%2F..%2Fimages%2Fa".to_owned(),
        "a%2Fexport%23".to_owned(),
        "a%3Fforce=1".to_owned(),
        format!("{id}%2Fexport%23"),
        format!("{id}%3Fforce=1"),
        format!("{id}%00"),
        format!("{id}%0d%0a"),
        format!("%20{id}"),
        "%ff%fe".to_owned(),
        "..".to_owned(),
        "%2e%2e".to_owned(),
        ".".to_owned(),
        "-rf".to_owned(),
        String::new(),
    ];
    // These are fine names of volumes, and no ids of containers.
    let names = [id[..63].to_owned(), format!("{id}0"), id.to_uppercase(), id[..12].to_owned(), web.name.clone()];
    let fields = [("force", "1"), ("volumes", "1"), ("name", "x"), ("signal", "KILL")];
    let before = spy.asked().len();
    for route in
        Route::all().iter().filter(|route| route.path.contains("{id}") || route.path.starts_with("/volumes/{name}"))
    {
        let names = names.iter().filter(|_| route.path.contains("{id}"));
        for bad in no_ids.iter().chain(names) {
            for path in route.paths(bad, bad, bad) {
                // An empty one may make it the address of something else, which takes no such request.
                // Without accounts nobody manages people.
                let is_about_people = ["/people/", "/me/"].iter().any(|part| route.path.starts_with(part));
                let refusal = |status| {
                    matches!(status, 400 | 404) || bad.is_empty() && status == 405 || is_about_people && status == 403
                };
                if route.get && !(bad.is_empty() && ["/volumes/", "/containers/", "/jobs/"].contains(&path.as_str())) {
                    let status = console.ask("GET", &path).send().await.status;
                    assert!(refusal(status), "GET {path}: {status}");
                }
                let status = console.post(&path, &fields).await.status;
                assert!(refusal(status) || !route.post && status == 405, "POST {path}: {status}");
            }
        }
    }
    for bad in no_ids.iter().chain(&names).map(|bad| bad.replace("%2F", "/").replace("%2f", "/").replace("%2e", ".")) {
        console.post("/containers/bulk", &[("action", "remove"), ("force", "1"), ("id", &bad)]).await.expect(422);
        let confirm = console.get(&format!("/containers/confirm?action=remove&id={}", bad.replace('%', "%25"))).await;
        assert!(matches!(confirm.status, 404 | 422), "{bad}: {}", confirm.status);
    }
    for bad in ["../containers/x", "a?force=1", "..", "a b"] {
        console.post("/volumes/prune", &[("listed", "1"), ("name", bad)]).await.expect(422);
    }
    // Only what it asks by itself.
    let background = [
        "/events",
        "/containers/json",
        "/images/json",
        "/volumes",
        "/networks",
        "/info",
        "/version",
        "/_ping",
        "/system/df",
    ];
    let asked = spy.asked().split_off(before);
    let bad: Vec<_> = asked
        .iter()
        .filter(|line| {
            let path = line.split_once(' ').map_or("", |(_, path)| path).split('?').next().unwrap_or_default();
            let path = path.strip_prefix("/v1.").and_then(|path| path.find('/').map(|at| &path[at..])).unwrap_or(path);
            // It keeps the ends of logs, of whatever ends.
            let is_end = path.ends_with("/logs") || path.ends_with("/json");
            let is_of_others = path.split('/').nth(2).is_some_and(|of| of != id && !names.iter().any(|bad| bad == of))
                && path.split('/').nth(2).is_some_and(|of| of.len() == 64);
            !line.starts_with("GET ") || !(background.contains(&path) || is_end && is_of_others)
        })
        .collect();
    assert!(bad.is_empty(), "the engine was asked {bad:?}");
    assert_eq!(engine.state(id).await, "running");
    assert!(engine.inspect_volume(&victim).await.is_some());
    // And a real id is asked for by that id alone.
    console.post(&web.path("kill"), &[]).await.leads_to();
    let kill = spy.asked().into_iter().find(|line| line.contains("/kill")).expect("it was asked");
    assert!(kill.contains(&format!("/containers/{id}/kill")), "{kill}");
}

#[tokio::test]
async fn s034_a_name_cannot_pose_as_an_id() {
    let engine = RealEngine::docker28();
    let shown = engine.run("shown", "busybox sleep 1000").await;
    let poser = engine.docker(&["run", "-d", "--name", &shown.id[..12], "busybox", "sleep", "1000"]).await;
    engine.goes_too("container", &poser);
    let console = Console::on(&engine).await;
    console.sees(&shown.id).await;
    console.sees(&poser).await;
    let list = console.get(&format!("/containers?q={}", shown.id)).await;
    let stop = list.attributes(&format!("{} [formaction]", shown.row()), "formaction");
    let stop = stop.iter().find(|path| path.ends_with("/stop")).expect("a button");
    console.post(stop, &[("timeout", "0")]).await.leads_to();
    assert_eq!(engine.state(&shown.id).await, "exited");
    assert_eq!(engine.inspect(&poser).await["State"]["Running"], Value::Bool(true));
    // In bulk and by removal, too.
    console.post("/containers/bulk", &[("action", "remove"), ("id", &shown.id)]).await.leads_to();
    assert_eq!(engine.inspect(&poser).await["State"]["Running"], Value::Bool(true));
}

#[tokio::test]
async fn s034_a_new_container_of_the_same_name_is_not_the_old_one() {
    let engine = RealEngine::docker28();
    let old = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&old.id).await;
    let page = console.get(&old.path("")).await.expect(200);
    let stop = page.attributes("[formaction]", "formaction");
    let stop = stop.iter().find(|path| path.ends_with("/stop")).expect("a button");
    engine.docker(&["rm", "-f", &old.id]).await;
    let new = engine.run("web", "busybox sleep 1000").await;
    let answer = console.post(stop, &[("timeout", "0")]).await.expect(404);
    contains_all(&answer.text("main"), &["not there any more", &old.id[..12]]);
    assert_eq!(engine.state(&new.id).await, "running");
}

#[tokio::test]
async fn s032_nobody_writes_our_log_or_headers_for_us() {
    let engine = RealEngine::docker28();
    let forged = "x\r\nFORGED line\r\nset-cookie: a=b\u{1b}[2J";
    for format in ["text", "json"] {
        let console = Console::start(&engine.socket).arg("--log-format").arg(format).ready().await;
        console.expect_log(REFUSED);
        let name = engine.name(format);
        let fields = [("image", "busybox"), ("name", &*name), ("label-name", "who"), ("label-value", forged)];
        let page = console.post("/containers", &fields).await.leads_to();
        assert!(page.starts_with("/containers/"), "{page}");
        for back in [forged, "//evil.test", "/\\evil.test", "https://evil.test", "javascript:alert(1)", "/a\u{7f}b"] {
            let answer = console.post("/theme", &[("theme", "dark"), ("back", back)]).await;
            assert_eq!(answer.leads_to(), "/", "back to {back:?}");
        }
        let mut raw = TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens");
        let ask = "POST /theme HTTP/1.1\r\nhost: localhost\r\norigin: http://a\u{9b}[2J\u{202e}FORGED\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        raw.write_all(ask.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        raw.read_to_end(&mut answer).await.expect("it answers");
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
        until("the log has both", async || {
            let log = console.log();
            (log.contains("created") && log.contains(REFUSED)).then_some(())
        })
        .await;
        for line in console.log().lines().filter(|line| !line.starts_with("Wheelhouse listens")) {
            let controls: Vec<_> = line.chars().filter(|c| c.is_control() || *c == '\u{202e}').collect();
            assert!(controls.is_empty(), "{controls:?} in the log: {line:?}");
            assert!(!line.starts_with("FORGED"), "{line}");
            if format == "json" {
                serde_json::from_str::<Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"));
            }
        }
    }
}

#[tokio::test]
async fn s032_a_networks_name_breaks_no_header() {
    let engine = RealEngine::docker28();
    let network = engine.network(&engine.name("a\r\nset-cookie: b=c")).await;
    let web = engine.create("web", &format!("--network {network} busybox sleep 1000")).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    for path in ["/containers", &web.path(""), &web.path("inspect"), &web.path("inspect.json"), &web.path("remove")] {
        let answer = console.get(path).await.expect(200);
        assert!(!format!("{:?}", answer.headers).contains("b=c"), "{path}: {:?}", answer.headers);
    }
    let started = console.ask("POST", &web.path("start")).htmx().form(&[]).send().await.expect(200);
    assert!(!format!("{:?}", started.headers).contains("b=c"), "{:?}", started.headers);
}

#[tokio::test]
async fn s015_nobody_upgrades_to_a_socket() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let own = format!("http://127.0.0.1:{}", console.port);
    // There are no sockets in this console yet: nothing answers 101, whoever asks. The live connections are plain reads.
    for path in ["/containers/stream", "/volumes/stream", "/stream", "/events/stream", "/containers"] {
        for origin in [own.as_str(), "http://evil.test", "null", "http://127.0.0.1:1"] {
            let ask = console
                .ask("GET", path)
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
                .header("origin", origin)
                .header("sec-fetch-site", if origin == own { "same-origin" } else { "cross-site" })
                .header("sec-fetch-mode", "websocket");
            let status = ask.open().await.map_or_else(|status| status, |_| 200);
            let wanted = if origin == own { 200 } else { 403 };
            assert_eq!(status, wanted, "{path} for {origin}");
        }
    }
}

#[tokio::test]
async fn nobody_prunes_blindly() {
    let engine = RealEngine::docker28();
    let spy = proxy::FaultProxy::before(&engine.socket);
    let console = Console::start(spy.socket()).ready().await;
    let before = spy.writes();
    for path in ["/images/prune", "/volumes/prune", "/networks/prune", "/engine/prune"] {
        for fields in [&[][..], &[("all", "1")], &[("all", "1"), ("volumes", "1")]] {
            let answer = console.post(path, fields).await.expect(422);
            contains_all(&answer.said(), &["Nothing was removed.", &format!("as GET {path} lists it")]);
            assert!(answer.has(&format!("main a[href='{path}']")), "{path}");
        }
    }
    assert_eq!(spy.writes(), before);
}

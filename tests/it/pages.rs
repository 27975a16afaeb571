//! The overview, the events, inspection, health, errors in each form, and the binary's own words.

use std::path::Path;

use serde_json::Value;

use crate::support::*;

#[tokio::test]
async fn the_overview_says_what_is_so() {
    let engine = RealEngine::docker28();
    let failed = engine.run("failed", "busybox sh -c 'exit 3'").await;
    let console = Console::on(&engine).await;
    console.sees_state(&failed.id, "exited").await;
    let page = console.get("/").await.expect(200);
    let facts = page.text("#overview .facts");
    let version = engine.docker(&["version", "-f", "{{.Server.Version}}"]).await;
    let host = engine.docker(&["info", "-f", "{{.Name}}"]).await;
    contains_all(&facts, &[&host, version.split('+').next().unwrap_or_default(), "API 1.", "CPU"]);
    assert!(page.commands().contains(&"docker info".to_owned()));
    let tiles = page.attributes("a.tile", "href");
    for path in ["/containers?show=running", "/containers?show=stopped", "/containers?show=attention", "/volumes"] {
        assert!(tiles.contains(&path.to_owned()), "{path} in {tiles:?}");
        console.get(path).await.expect(200);
    }
    // Needs attention, and why; behind the twentieth there is a link to all.
    let list = console.get(&format!("/containers?show=attention&q={}", failed.id)).await;
    assert!(list.has(&failed.row()), "it failed and nobody asked for it");
    let needs = format!("#needs-{}", &failed.id[..12]);
    if page.has(&needs) {
        contains_all(&page.text(&needs), &[&failed.name, "exited", "3"]);
        assert!(page.has(&format!("{needs} a[href='{}']", failed.path(""))));
    } else {
        assert!(page.has("#overview a[href='/containers?show=attention']"));
    }
    assert!(page.texts("#overview .tl li").len() <= 12);
    for command in ["docker run", "docker ps -a", "docker container pause", "docker volume create", "docker volume rm"]
    {
        assert!(page.texts("#overview code").contains(&command.to_owned()), "{command} is taught");
    }
}

#[tokio::test]
async fn a_container_that_was_stopped_needs_no_attention() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    console.post(&web.path("stop"), &[("timeout", "0")]).await.leads_to();
    assert_eq!(engine.inspect(&web.id).await["State"]["ExitCode"], Value::from(137));
    let list = console.get(&format!("/containers?show=attention&q={}", web.id)).await;
    assert!(!list.has(&web.row()), "somebody asked for it");
}

#[tokio::test]
async fn events_are_told_in_words() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = engine.run("web", "busybox sleep 1000").await;
    engine.docker(&["pause", &web.id]).await;
    engine.docker(&["unpause", &web.id]).await;
    engine.docker(&["kill", "-s", "KILL", &web.id]).await;
    console.sees_state(&web.id, "exited").await;
    let page = until("the last event is there", async || {
        let page = console.get("/events").await.expect(200);
        page.text("#events").contains(&format!("{} ended with 137", web.name)).then_some(page)
    })
    .await;
    assert!(page.has(&format!("#events a[href='{}']", web.path(""))), "it leads to its container");
    assert_eq!(page.commands()[0], "docker events");
    // Others keep this engine busy: what is older may be off that page, but not off the container's own.
    let past = console.get(&web.path("")).await.texts("#detail .tl").join(" ");
    for words in ["created", "started", "paused", "unpaused", "sent signal 9"] {
        contains_all(&past, &[&format!("it was {words}")]);
    }
    contains_all(&past, &["it ended with 137"]);
    let volume = engine.volume("data", "").await;
    until("the volume's event is there", async || {
        let page = console.get("/events").await;
        let link = page.has(&format!("#events a[href='/volumes/{volume}']"));
        (link && page.text("#events").contains(&format!("volume {volume} was created"))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn everything_is_there_to_inspect() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "-l team=shop -e 'ODD=\"<x>\"' busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let page = console.get(&web.path("inspect")).await.expect(200);
    assert_eq!(page.commands()[0], format!("docker inspect {}", web.name));
    let branches = page.texts(".tree > details > summary .k");
    for branch in ["State", "Config", "HostConfig", "NetworkSettings"] {
        assert!(branches.contains(&branch.to_owned()), "{branch} in {branches:?}");
    }
    contains_all(&page.text(".tree"), &["team", "\"shop\"", "ODD", &web.id]);
    // Values that hold secrets as a rule are masked until somebody asks for them, in the page and in the file.
    let masked: Value = serde_json::from_str(&page.lines_of("pre.raw")).expect("JSON");
    assert_eq!(masked["Config"]["Env"][0], "ODD=‹hidden›");
    assert!(!console.get(&web.path("inspect.json")).await.expect(200).body.contains("<x>"));
    let page = console.get(&page.attribute("main a[href$='reveal=1']", "href").expect("a way to see them")).await;
    assert!(page.has("main a[href$='inspect.json?reveal=1']"));
    let shown: Value = serde_json::from_str(&page.lines_of("pre.raw")).expect("JSON");
    let real = engine.inspect(&web.id).await;
    for key in ["Id", "Config", "HostConfig", "Mounts", "Name"] {
        assert_eq!(shown[key], real[key], "{key}");
    }
    let file = console.get(&web.path("inspect.json")).await.expect(200);
    assert_eq!(file.json()["Id"], Value::String(web.id.clone()));
    let name = format!("container-{}.json", &web.id[..12]);
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}"));
}

#[tokio::test]
async fn healthz_is_about_the_process_and_readyz_about_the_engine() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    console.get("/healthz").await.expect(200);
    console.get("/readyz").await.expect(200);
    let nowhere = Console::start(Path::new("/no/such/engine.sock")).listening().await;
    nowhere.expect_log("engine");
    nowhere.get("/healthz").await.expect(200);
    let unready = until("it knows why", async || {
        let answer = nowhere.get("/readyz").await.expect(503);
        answer.body.contains("/no/such/engine.sock").then_some(answer)
    })
    .await;
    contains_all(&unready.body, &["not ready"]);
    for path in ["/", "/containers", "/volumes", "/events", "/jobs", "/containers/new", "/volumes/new"] {
        let page = nowhere.get(path).await.expect(200);
        contains_all(&page.text("#banner"), &["/no/such/engine.sock"]);
    }
    let create = nowhere.post("/containers", &[("image", "busybox")]).await;
    assert!(create.status >= 500, "{}", create.status);
}

#[tokio::test]
async fn an_error_is_a_page_a_toast_or_json() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    for (method, path, status) in [
        ("GET", "/no/such/page".to_owned(), 404),
        ("GET", format!("/containers/{}", "0".repeat(64)), 404),
        ("GET", "/containers/web".to_owned(), 404),
        ("GET", "/volumes/no-such-volume".to_owned(), 404),
        ("GET", "/jobs/999999".to_owned(), 404),
        ("POST", format!("/containers/{}/stop", "0".repeat(64)), 404),
        ("POST", "/volumes/no-such-volume/remove".to_owned(), 404),
        ("DELETE", "/containers".to_owned(), 405),
        ("POST", "/containers/bulk".to_owned(), 422),
    ] {
        let page = console.ask(method, &path).send().await.expect(status);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(
            page.has("nav#nav") && !page.text("main h1").is_empty() && page.has("main a"),
            "{path} says the way on"
        );
        let toast = console.ask(method, &path).htmx().send().await.expect(status);
        contains_all(&toast.body, &["<hx-partial", "toast bad"]);
        let json = console.ask(method, &path).header("accept", "application/json").send().await.expect(status);
        assert_eq!(json.header("content-type"), "application/json", "{path}");
        assert!(json.json()["error"].as_str().is_some_and(|error| !error.is_empty()), "{}", json.body);
    }
}

#[tokio::test]
async fn pages_are_whole_and_say_where_they_are() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    for (path, title, current) in [
        ("/".to_owned(), "Overview", "/"),
        ("/containers".to_owned(), "Containers", "/containers"),
        ("/containers/new".to_owned(), "New container", "/containers"),
        (web.path(""), &*web.name, "/containers"),
        ("/volumes".to_owned(), "Volumes", "/volumes"),
        ("/volumes/new".to_owned(), "New volume", "/volumes"),
        ("/events".to_owned(), "Events", "/events"),
        ("/jobs".to_owned(), "Jobs", "/jobs"),
    ] {
        let page = console.get(&path).await.expect(200);
        assert_eq!(page.text("title"), format!("{title} · Wheelhouse"));
        assert_eq!(page.texts("h1").len(), 1, "one heading on {path}");
        assert_eq!(page.attribute("#nav [aria-current=page]", "href").as_deref(), Some(current), "{path}");
        assert!(page.has("html[lang=en] meta[name=viewport]"), "{path}");
        let ids = page.attributes("[id]", "id");
        let mut once = ids.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "an id is there twice on {path}: {ids:?}");
        for asset in page.attributes("[src], link[href]", "src").iter().chain(&page.attributes("link", "href")) {
            assert!(asset.starts_with("/assets/"), "{path} loads {asset}");
        }
    }
    let dark = console.post("/theme", &[("theme", "dark"), ("back", "/volumes")]).await;
    let cookie = dark.header("set-cookie").to_owned();
    assert_eq!(dark.leads_to(), "/volumes");
    contains_all(&cookie, &["theme=dark", "SameSite=Strict", "HttpOnly"]);
    let page = console.ask("GET", "/").header("cookie", cookie.split(';').next().unwrap_or_default()).send().await;
    assert_eq!(page.attribute("html", "data-theme").as_deref(), Some("dark"));
}

#[tokio::test]
async fn assets_are_packed_and_kept() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let page = console.get("/").await;
    let assets = [page.attributes("script", "src"), page.attributes("link", "href")].concat();
    let mut wire = 0;
    for asset in &assets {
        for encoding in ["br", "gzip"] {
            let packed = console.ask("GET", asset).header("accept-encoding", encoding).send().await.expect(200);
            assert_eq!(packed.header("content-encoding"), encoding, "{asset}");
            if encoding == "br" {
                wire += packed.header("content-length").parse::<usize>().expect("a length");
            }
        }
        let plain = console.get(asset).await.expect(200);
        assert_eq!(plain.header("content-encoding"), "", "{asset}");
    }
    let packed = console.ask("GET", "/").header("accept-encoding", "gzip").send().await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(wire < 90_000, "{wire} bytes of assets for the first page");
}

/// Runs the binary to its end; what it says, and whether it is content.
fn says(command: &mut std::process::Command) -> (bool, String) {
    let output = command.output().expect("the binary runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn help_and_version() {
    let (fine, help) = says(Console::command().arg("--help"));
    assert!(fine);
    for (flag, variable) in [
        ("--listen", "WHEELHOUSE_LISTEN"),
        ("--engine", "DOCKER_HOST"),
        ("--data", "WHEELHOUSE_DATA"),
        ("--hosts", "WHEELHOUSE_HOSTS"),
        ("--public-url", "WHEELHOUSE_PUBLIC_URL"),
        ("--accounts", "WHEELHOUSE_ACCOUNTS"),
        ("--log-format", "WHEELHOUSE_LOG_FORMAT"),
    ] {
        contains_all(&help, &[flag, variable]);
    }
    contains_all(&help, &["127.0.0.1:9000", "unix:///var/run/docker.sock", "healthcheck"]);
    let (fine, version) = says(Console::command().arg("--version"));
    assert!(fine);
    assert_eq!(version.trim(), concat!("wheelhouse ", env!("CARGO_PKG_VERSION")));
    for wrong in [&["--no-such-flag"][..], &["--listen", "here"], &["--engine", "ftp://x"], &["no-such-command"]] {
        let (fine, why) = says(Console::command().args(wrong));
        assert!(!fine && why.contains("error"), "{wrong:?}: {why}");
    }
}

#[test]
fn it_refuses_to_be_open_to_all_without_accounts() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let (fine, why) = says(Console::command().args(["--accounts", "off", "--listen", address]));
        assert!(!fine, "{address}");
        contains_all(&why, &["refusing", address, "--accounts off", "root"]);
        assert!(!why.contains("panicked"), "{why}");
    }
    let (fine, why) = says(Console::command().args(["--public-url", "ftp://x/"]));
    assert!(!fine && why.contains("--public-url"), "{why}");
}

#[tokio::test]
async fn settings_come_from_the_environment_too() {
    let engine = RealEngine::docker28();
    let console = Console::bare()
        .env("WHEELHOUSE_LISTEN", "127.0.0.1:0")
        .env("WHEELHOUSE_ACCOUNTS", "off")
        .env("DOCKER_HOST", &format!("unix://{}", engine.socket.display()))
        .env("WHEELHOUSE_HOSTS", "box.lan,nas.lan")
        .env("WHEELHOUSE_PUBLIC_URL", "https://docker.example")
        .env("WHEELHOUSE_MAX_STREAMS_PER_CLIENT", "1")
        .env("WHEELHOUSE_LOG_FORMAT", "json")
        .ready()
        .await;
    for host in ["box.lan", "nas.lan:80", "docker.example"] {
        console.ask("GET", "/").header("host", host).send().await.expect(200);
    }
    let _stream = console.stream("/stream").await;
    console.get("/stream").await.expect(429);
    let write =
        console.ask("POST", "/theme").header("host", "docker.example").header("origin", "https://docker.example");
    write.form(&[]).send().await.expect(303);
    let line = until("the log begins", async || {
        console.log().lines().find(|line| !line.starts_with("Wheelhouse listens")).map(str::to_owned)
    })
    .await;
    serde_json::from_str::<Value>(&line).expect("JSON");
}

#[tokio::test]
async fn healthcheck_asks_the_one_that_listens() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let address = format!("127.0.0.1:{}", console.port);
    let check = |address: String| {
        tokio::task::spawn_blocking(move || {
            let flag = says(Console::command().args(["healthcheck", "--listen", &address])).0;
            let variable = says(Console::command().arg("healthcheck").env("WHEELHOUSE_LISTEN", &address)).0;
            (flag, variable)
        })
    };
    assert_eq!(check(address.clone()).await.expect("no panic"), (true, true));
    let everywhere = address.replace("127.0.0.1", "0.0.0.0");
    assert_eq!(check(everywhere).await.expect("no panic"), (true, true), "where it listens to all, too");
    drop(console);
    assert_eq!(check(address).await.expect("no panic"), (false, false));
}

#[tokio::test]
async fn it_ends_when_it_is_told_to() {
    let engine = RealEngine::docker28();
    let mut console = Console::on(&engine).await;
    // Its own connections end in no order.
    console.expect_log("no engine");
    let mut streams = vec![console.stream("/stream").await, console.stream("/containers/stream").await];
    assert!(console.terminate().await, "it ended well");
    for stream in &mut streams {
        while stream.next().await.is_some() {}
    }
}

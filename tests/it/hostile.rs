//! Foreign text: whatever stands in labels, variables, names of networks or the engine's own words is shown and never
//! obeyed. S023, S024, S025, S028.

use serde_json::json;

use crate::support::{console::css, *};

/// Fails if anything of a hostile text has become a part of the page.
#[track_caller]
fn is_harmless(what: &str, body: &str) {
    let page = scraper::Html::parse_document(body);
    for selector in
        ["img", "[onerror]", "[onload]", "[onclick]", "[style]", "b[hx-get]", "iframe", "script:not([src])", "[src=x]"]
    {
        let found = page.select(&css(selector)).next().map(|element| element.html());
        assert_eq!(found, None, "{what} has a {selector}");
    }
    for element in page.select(&css("*")) {
        for (name, value) in element.value().attrs() {
            let is_ours = !name.starts_with("on")
                && (!name.starts_with("hx-")
                    || matches!(element.attr("id"), Some("stream"))
                    || element.value().name() == "hx-partial");
            assert!(is_ours, "{what} has {name}={value}");
            let leads = matches!(name, "href" | "src" | "action" | "formaction");
            let fine = value.starts_with('/') && !value.starts_with("//")
                || value.starts_with('#')
                || value.starts_with("http://")
                || value.starts_with("https://");
            assert!(!leads || fine, "{what} leads to {value}");
        }
    }
}

/// Fails if anything that is shown hides or turns around what stands beside it. What a form sends back has to be exact:
/// the values of its fields are no matter of this.
#[track_caller]
fn is_visible(what: &str, body: &str) {
    is_harmless(what, body);
    let page = scraper::Html::parse_document(body);
    // What stands in a field of many lines is its value.
    let mut shown: String = page
        .tree
        .nodes()
        .filter(|node| {
            node.parent().and_then(|parent| parent.value().as_element()).is_none_or(|it| it.name() != "textarea")
        })
        .filter_map(|node| node.value().as_text().map(|text| text.to_string()))
        .collect();
    for element in page.select(&css("*")) {
        shown.extend(element.value().attrs().filter(|(name, _)| *name != "value").map(|(_, value)| value));
    }
    let is_hidden = |c: &char| c.is_control() && !matches!(c, '\n' | '\t') || *c == '\u{202e}';
    let hidden: Vec<char> = shown.chars().filter(is_hidden).collect();
    assert!(hidden.is_empty(), "{what} shows {hidden:?}");
}

/// Every page about a container.
fn pages(made: &Made) -> Vec<String> {
    let verbs = ["start", "stop", "restart", "kill", "pause", "unpause", "rename", "remove"];
    let mut pages: Vec<String> = verbs.iter().map(|verb| made.path(verb)).collect();
    pages.extend([
        format!("/containers?q={}", made.id),
        made.path(""),
        format!("{}?reveal=1", made.path("")),
        made.path("inspect"),
        made.path("inspect?reveal=1"),
        format!("/containers/confirm?action=remove&id={}", made.id),
        format!("/containers/confirm?action=kill&id={}", made.id),
        "/".to_owned(),
        "/events".to_owned(),
    ]);
    pages
}

#[tokio::test]
async fn s023_labels_variables_commands_and_health_are_text() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let request = json!({
        "Image": "busybox",
        "Cmd": ["sh", "-c", "sleep 1000", PAY],
        "Hostname": "h<b>",
        "Env": [format!("EVIL{PAY}={PAY}"), format!("WHAT={PAY}")],
        "Labels": {
            (format!("{PAY}\r\nnext")): format!("{PAY}\r\nline"),
            "com.docker.compose.project": PAY,
            "": "without a name",
        },
        "Healthcheck": { "Test": ["CMD-SHELL", "printf '%s' \"$WHAT\""], "Interval": 1_000_000_000 },
    });
    let evil = engine.create_by_api("evil", &request).await;
    engine.docker(&["start", &evil.id]).await;
    console.sees_state(&evil.id, "running").await;
    until("a health check has spoken", async || {
        console.get(&evil.path("")).await.text("#detail").contains("passed").then_some(())
    })
    .await;
    for path in pages(&evil) {
        is_visible(&path, &console.get(&path).await.expect(200).body);
    }
    let detail = console.get(&format!("{}?reveal=1", evil.path(""))).await;
    for part in ["#labels", "#env", ".tl", "#detail .title"] {
        contains_all(&detail.texts(part).join(" "), &["<img src=x onerror=window.__pwn=1>", "⟨U+202E⟩"]);
    }
    contains_all(&detail.text("#labels"), &["␛]52;c;aGk=␇"]);
    contains_all(&detail.text("#detail"), &["h<b>"]);
    let list = console.get(&format!("/containers?q={}", evil.id)).await;
    contains_all(&list.text(&evil.row()), &["⟨U+202E⟩", "<img"]);
    contains_all(&list.text("tr.group"), &["⟨U+202E⟩", "<img"]);
    // What is sent live is drawn by the same hand.
    for path in [format!("/containers/stream?q={}", evil.id), format!("{}/stream", evil.path(""))] {
        let mut stream = console.stream(&path).await;
        let message = stream.until("the hostile text", |text| text.contains("⟨U+202E⟩")).await;
        is_visible(&path, &message.data);
        let lines = message.data.lines().filter(|line| line.starts_with("event:") || line.starts_with("id:")).count();
        assert_eq!(lines, 0, "{}", message.data);
    }
    let pause = console.ask("POST", &evil.path("pause")).htmx().form(&[]).send().await.expect(200);
    is_visible("a toast", &pause.body);
    // As JSON it is a file of its own kind, which no browser takes for a page.
    let raw = console.get(&evil.path("inspect.json")).await.expect(200);
    assert_eq!((raw.header("content-type"), raw.header("x-content-type-options")), ("application/json", "nosniff"));
    assert!(raw.header("content-disposition").starts_with("attachment"));
    let said = raw.json()["Config"]["Labels"].to_string();
    contains_all(&said, &["onerror"]);
}

#[tokio::test]
async fn s023_a_hostile_host_name_that_never_ran_is_text() {
    let engine = RealEngine::docker28();
    let name = engine.name("evil");
    let id = engine
        .docker(&[
            "create",
            "--name",
            &name,
            "--hostname",
            PAY,
            "--workdir",
            &format!("/{PAY}"),
            "--entrypoint",
            PAY,
            "-u",
            PAY,
            "busybox",
            PAY,
        ])
        .await;
    let evil = Made { id, name };
    let console = Console::on(&engine).await;
    console.sees(&evil.id).await;
    for path in pages(&evil) {
        is_visible(&path, &console.get(&path).await.expect(200).body);
    }
    contains_all(&console.get(&evil.path("")).await.text("#conf + dl, #detail dl"), &["⟨U+202E⟩"]);
}

#[tokio::test]
async fn s023_what_comes_in_the_address_is_text() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let pay: String = url::form_urlencoded::byte_serialize(format!("{PAY}\r\nx").as_bytes()).collect();
    for path in [
        "/containers?q=PAY",
        "/containers?label=PAY",
        "/containers?label=a&label=PAY",
        "/containers?network=PAY",
        "/containers?volume=PAY",
        "/containers?image=PAY",
        "/containers?state=PAY",
        "/containers?sort=PAY&show=PAY&group=PAY&shut=PAY&page=PAY",
        "/volumes?q=PAY",
        "/volumes?show=PAY&done=PAY",
        "/images?q=PAY&show=PAY&sort=PAY",
        "/images/PAY",
        "/images/pull?reference=PAY&platform=PAY",
        "/images/prune?older=PAY",
        "/images/search?term=PAY",
        "/networks?q=PAY&driver=PAY&sort=PAY&show=PAY",
        "/networks/PAY",
        "/networks/new?name=PAY&driver=PAY&subnet=PAY&gateway=PAY&ip-range=PAY&option-name=PAY&option-value=PAY&label-name=PAY&label-value=PAY",
        "/networks/connect?network=PAY&container=PAY&alias=PAY&ip=PAY",
        "/networks/map?stack=PAY",
        "/networks/ports?q=PAY&host=PAY",
        "/build?text=PAY&tag=PAY&arg=PAY&address=PAY&dockerfile=PAY&target=PAY&platform=PAY",
        "/registries/PAY/remove",
        "/engine/disk?of=PAY&q=PAY",
        "/engine/prune?label=PAY&until=PAY",
        "/events/search?type=PAY&action=PAY&of=PAY&since=PAY&until=PAY&q=PAY",
        "/jobs?q=PAY&show=PAY",
        "/go?q=PAY",
        "/volumes/new?name=PAY&driver=PAY&option-name=PAY&option-value=PAY&label-name=PAY&label-value=PAY",
        "/containers/new?image=PAY&name=PAY&command=PAY&env-name=PAY&env-value=PAY&port-host=PAY&mount-source=PAY&memory=PAY&network=PAY",
        "/no/such/page?PAY",
        "/containers/confirm?action=PAY&id=PAY",
        "/containers/PAY",
        "/volumes/PAY",
        "/assets/PAY",
        "/jobs/PAY",
        "/?back=PAY",
    ] {
        let path = path.replace("PAY", &pay);
        is_harmless(&path, &console.get(&path).await.body);
    }
    // A field of a form keeps what was typed exactly; what is shown beside it is made visible.
    let page = console.get(&format!("/containers?label={pay}")).await.expect(200);
    contains_all(&page.text(".chips .chip[href] span"), &["⟨U+202E⟩", "␛"]);
    contains_all(&page.commands()[0], &["⟨U+202E⟩"]);
    let form =
        [("image", PAY), ("name", PAY), ("memory", PAY), ("env-name", PAY), ("env-value", PAY), ("mount-target", PAY)];
    let page = console.post("/containers", &form).await.expect(422);
    is_harmless("the form that comes back", &page.body);
    contains_all(&page.text("#errors"), &["⟨U+202E⟩"]);
    for (name, fields) in [
        ("/volumes", &[("name", PAY), ("driver", PAY)][..]),
        ("/containers/bulk", &[("action", "stop"), ("id", PAY)]),
        ("/volumes/prune", &[("listed", "1"), ("name", PAY)]),
        ("/images/pull", &[("reference", PAY), ("platform", PAY)]),
        ("/images/prune", &[("listed", "1"), ("image", PAY)]),
        ("/networks", &[("name", PAY), ("driver", PAY), ("subnet", PAY), ("option-name", PAY), ("label-name", PAY)]),
        ("/networks/prune", &[("listed", "1"), ("id", PAY)]),
        (
            "/build",
            &[("text", PAY), ("tag", PAY), ("arg", PAY), ("dockerfile", PAY), ("platform", PAY), ("target", PAY)],
        ),
        ("/registries", &[("host", PAY), ("user", PAY), ("secret", PAY)]),
    ] {
        is_harmless(name, &console.post(name, fields).await.expect(422).body);
        is_visible(name, &console.ask("POST", name).htmx().form(fields).send().await.body);
    }
    let json = console.ask("GET", "/no/such/page").header("accept", "application/json").send().await.expect(404);
    assert_eq!(json.header("content-type"), "application/json");
}

#[tokio::test]
async fn s024_names_of_networks_are_text() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let names =
        [PAY.to_owned(), "a\r\nb".to_owned(), "..".to_owned(), "../containers/x".to_owned(), "a b&c=d".to_owned()];
    let mut made = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let name = format!("{name}{}", engine.name("net"));
        let id = engine.network(&name).await;
        let web = engine.run(&format!("web{number}"), &format!("--network {id} busybox sleep 1000")).await;
        console.sees_state(&web.id, "running").await;
        made.push((name, web, id));
    }
    for (name, web, id) in &made {
        let of_network = [
            "/networks".to_owned(),
            format!("/networks?q={id}"),
            format!("/networks/{id}"),
            format!("/networks/{id}/remove"),
            format!("/networks/connect?network={id}"),
            format!("/networks/connect?container={}", web.id),
            format!("/networks/disconnect?network={id}&container={}", web.id),
            "/networks/map?all=1".to_owned(),
            "/networks/ports".to_owned(),
            "/networks/prune?all=1".to_owned(),
            "/engine/prune?all=1".to_owned(),
            "/events/search?type=network".to_owned(),
            format!("/go?q={}", engine.name("")),
        ];
        for path in pages(web).into_iter().chain(of_network) {
            is_visible(&path, &console.get(&path).await.expect(200).body);
        }
        // Filtered by that name it is found, and the form that lists all names is well.
        let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let page = console.get(&format!("/containers?network={encoded}")).await.expect(200);
        is_harmless("the filter", &page.body);
        assert_eq!(page.attributes("tr[data-name]", "data-name"), std::slice::from_ref(&web.name), "{name:?}");
        is_harmless("the form", &console.get("/containers/new").await.expect(200).body);
    }
    // Whatever it is called, one word that all have finds them.
    let found = console.get(&format!("/networks?q={}", engine.name(""))).await.expect(200);
    is_visible("what is found", &found.body);
    for (_, web, _) in &made {
        console.post(&web.path("stop"), &[("timeout", "0")]).await.leads_to();
        assert_eq!(engine.state(&web.id).await, "exited");
    }
}

#[tokio::test]
async fn s023_images_and_what_builds_and_events_say_are_text() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let of = engine.create("of", "--network none busybox true").await;
    let name = engine.name("evil");
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("container", &*of.id), ("repo", &name), ("tag", "1"), ("author", PAY), ("comment", PAY)])
        .finish();
    let config = json!({
        "Labels": { (PAY): PAY, "site": PAY },
        "Env": [format!("EVIL={PAY}")],
        "Cmd": [PAY],
        "Entrypoint": [PAY],
        "User": PAY,
        "WorkingDir": format!("/{PAY}"),
        "ExposedPorts": { "80/tcp": {} },
    });
    let (status, made) =
        proxy::ask_engine(&engine.socket, "POST", &format!("/v1.41/commit?{query}"), Some(config)).await;
    assert_eq!(status, 201, "{made}");
    let id = made["Id"].as_str().expect("an id").trim_start_matches("sha256:").to_owned();
    until("the image is seen", async || (console.get(&format!("/images/{id}")).await.status == 200).then_some(()))
        .await;
    for path in [
        format!("/images/{id}"),
        format!("/images/{id}?reveal=1"),
        format!("/images/{id}/tag"),
        format!("/images/{id}/push"),
        format!("/images/{id}/remove"),
        format!("/images/save?id={id}"),
        format!("/images?q={id}"),
        "/images?q=onerror".to_owned(),
        "/images/prune?all=1".to_owned(),
        format!("/containers/new?image={name}:1"),
        format!("/go?q={}", engine.name("")),
        format!("/events/search?q={name}"),
        "/events/search?type=image".to_owned(),
    ] {
        is_visible(&path, &console.get(&path).await.expect(200).body);
    }
    let detail = console.get(&format!("/images/{id}?reveal=1")).await.expect(200);
    contains_all(&detail.text("main"), &["<img src=x onerror=window.__pwn=1>", "⟨U+202E⟩", "␛]52;c;aGk=␇"]);

    let arg = format!("EVIL={PAY}");
    let text = "FROM busybox:latest\nARG EVIL\nRUN echo \"$EVIL\"; echo \"$EVIL\" >&2; exit 3\n";
    let begun = console.post("/build", &[("text", text), ("tag", &format!("{name}:2")), ("arg", &arg)]).await;
    let path = begun.header("location").to_owned();
    let job = console.job_of(&begun).await;
    is_visible("the build", &job.body);
    contains_all(&job.text("#job .steps"), &["<img src=x onerror=window.__pwn=1>", "⟨U+202E⟩"]);
    is_visible("the jobs", &console.get("/jobs").await.expect(200).body);
    let live =
        console.stream(&format!("{path}/stream")).await.until("the job", |data| data.contains("id=\"job\"")).await;
    is_visible("the live build", &live.data);
    engine.docker(&["rmi", "-f", &format!("{name}:1")]).await;
    is_visible("the events", &console.get(&format!("/events/search?q={name}")).await.expect(200).body);
}

#[tokio::test]
async fn s025_the_engines_words_about_images_networks_and_builds_are_text() {
    let engine = RealEngine::docker28();
    let tag = format!("{}:1", engine.name("evil"));
    engine.docker(&["tag", "busybox:latest", &tag]).await;
    let network = engine.network(&engine.name("net")).await;
    let spy = proxy::FaultProxy::before(&engine.socket);
    let console = Console::start(spy.socket()).ready().await;
    console.expect_log("");
    console.sees_network(&network).await;
    let image = engine.docker(&["image", "inspect", "-f", "{{.Id}}", &tag]).await.replace("sha256:", "");
    let words = json!({ "message": PAY }).to_string();
    for asked in [
        format!("/images/{image}/json"),
        format!("/images/{image}/history"),
        format!("/images/{tag}"),
        format!("/images/{}/push", tag.trim_end_matches(":1")),
        format!("/networks/{network}"),
        format!("/networks/{network}/connect"),
        "/networks/create".to_owned(),
        "/images/create".to_owned(),
        "/images/search".to_owned(),
        "/system/df".to_owned(),
        "/build".to_owned(),
        "/auth".to_owned(),
    ] {
        spy.answer(&asked, 500, words.clone());
    }
    for path in [format!("/images/{image}"), format!("/networks/{network}"), "/images/search?term=web".to_owned()] {
        is_visible(&path, &console.get(&path).await.body);
    }
    let registry = [("host", "registry.example"), ("user", "ada"), ("secret", "quiet anvil")];
    let fresh = engine.name("fresh");
    for (path, fields) in [
        ("/networks", &[("name", &*fresh)][..]),
        ("/images/pull", &[("reference", &tag)]),
        ("/build", &[("text", "FROM busybox")]),
        ("/registries", &registry),
        ("/engine/disk/measure", &[]),
        ("/images/measure", &[]),
        (&format!("/networks/{network}/remove"), &[]),
        (&format!("/images/{image}/push"), &[("tag", &tag)]),
        (&format!("/images/{image}/remove"), &[("tag", &tag)]),
    ] {
        let answer = console.post(path, fields).await;
        is_visible(path, &answer.body);
        if answer.header("location").starts_with("/jobs/") {
            let job = console.job_of(&answer).await;
            is_visible(&format!("the job of {path}"), &job.body);
            contains_all(&job.text("#job"), &["<img src=x", "⟨U+202E⟩"]);
        }
        is_visible(path, &console.ask("POST", path).htmx().form(fields).send().await.body);
    }
    for path in ["/engine/disk", "/images", "/networks", "/registries", "/jobs"] {
        let failed = until("it has been tried", async || {
            let page = console.get(path).await.expect(200);
            (!page.text("main").contains("Measuring since")).then_some(page)
        })
        .await;
        is_visible(path, &failed.body);
    }
    spy.heal();
    engine.docker(&["rmi", "-f", &tag]).await;
}

#[tokio::test]
async fn s025_the_engines_own_words_are_text() {
    let engine = RealEngine::docker28();
    let name = engine.name("evil");
    let id = engine.docker(&["create", "--name", &name, "busybox", PAY]).await;
    let evil = Made { id, name };
    let console = Console::on(&engine).await;
    console.sees(&evil.id).await;
    let page = console.post(&evil.path("start"), &[]).await;
    assert!(page.status >= 400, "{}", page.status);
    is_visible("the page", &page.body);
    assert!(page.has("main details:not([open]) pre"), "the engine's words are folded:\n{}", page.text("main"));
    contains_all(&page.text("main details pre"), &["<img src=x", "⟨U+202E⟩"]);
    let toast = console.ask("POST", &evil.path("start")).htmx().form(&[]).send().await;
    is_visible("the toast", &toast.body);
    contains_all(&toast.body, &["⟨U+202E⟩"]);
    let bulk = console.post("/containers/bulk", &[("action", "start"), ("id", &evil.id)]).await;
    is_visible("the answer for many", &bulk.body);
    is_visible("the job", &console.job_of(&bulk).await.body);
    is_visible("the jobs", &console.get("/jobs").await.expect(200).body);
    let json = console.ask("POST", &evil.path("start")).header("accept", "application/json").form(&[]).send().await;
    assert_eq!(json.header("content-type"), "application/json");
    contains_all(json.json()["engine"].as_str().unwrap_or_default(), &["<img src=x"]);
    // It is kept in the container, too.
    let detail = console.get(&evil.path("")).await.expect(200);
    is_visible("its page", &detail.body);
    contains_all(&detail.text("#detail"), &["could not be started", "⟨U+202E⟩"]);
}

/// A registry inside the engine's own network that answers every question for an image with these words.
fn hostile_registry(engine: &RealEngine, words: &'static str) -> u16 {
    use std::io::{BufRead as _, BufReader, Write as _};

    let folder = engine.socket.parent().expect("a folder");
    let pid = std::fs::read_to_string(folder.join("pid")).expect("the engine's pid");
    let space = std::fs::File::open(format!("/proc/{}/ns/net", pid.trim())).expect("its network");
    let (tell, told) = std::sync::mpsc::channel();
    // A network is entered by one thread alone; the sockets that it opens belong there.
    std::thread::spawn(move || {
        let kind = Some(rustix::thread::LinkNameSpaceType::Network);
        rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&space), kind).expect("root may enter");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        tell.send(listener.local_addr().expect("an address").port()).expect("somebody waits");
        for mut stream in listener.incoming().flatten() {
            let mut request = String::new();
            let mut lines = BufReader::new(stream.try_clone().expect("a handle"));
            let _ = lines.read_line(&mut request);
            let (status, body) = if request.contains(" /v2/ ") {
                ("200 OK", "{}".to_owned())
            } else {
                ("400 Bad Request", json!({"errors": [{"code": "UNKNOWN", "message": words}]}).to_string())
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n");
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    told.recv().expect("it listens")
}

#[tokio::test]
async fn s025_a_registrys_words_are_text() {
    let engine = RealEngine::docker28();
    let image = format!("localhost:{}/evil:1", hostile_registry(&engine, PAY));
    let console = Console::on(&engine).await;
    let name = engine.name("evil");
    let job = console.post("/containers", &[("image", &image), ("name", &name), ("start", "1")]).await.leads_to();
    let page = until("the job has ended", async || {
        let page = console.get(&job).await.expect(200);
        page.has("[data-job=ended]").then_some(page)
    })
    .await;
    is_visible("the job", &page.body);
    contains_all(&page.text("#job"), &["Nothing was created", "<img src=x", "⟨U+202E⟩"]);
    is_visible("the jobs", &console.get("/jobs").await.expect(200).body);
    let stream =
        console.stream(&format!("{job}/stream")).await.until("the job", |data| data.contains("id=\"job\"")).await;
    is_visible("the live job", &stream.data);
    assert!(!engine.exists(&name).await);
}

#[tokio::test]
async fn s028_labels_are_no_links_to_code() {
    let engine = RealEngine::docker28();
    let line = "-l org.opencontainers.image.url=javascript:alert(1) -l 'org.opencontainers.image.source=data:text/html,<script>alert(1)</script>' \
                -l 'org.opencontainers.image.documentation= jAvaScript:alert(1)' -l 'plain=vbscript:x' busybox";
    let web = engine.create("web", &line.replace("(1)", "\\(1\\)")).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    for path in pages(&web) {
        let page = console.get(&path).await.expect(200);
        is_harmless(&path, &page.body);
        for href in page.attributes("a", "href") {
            let plain = href.trim().to_lowercase();
            assert!(!plain.starts_with("javascript") && !plain.starts_with("data:"), "{path}: {href}");
        }
    }
    contains_all(&console.get(&web.path("")).await.text("#labels"), &["jAvaScript:alert", "data:text/html,<script>"]);
}

//! Building images, on each engine, with its own builder; what is wrong, what breaks, who may.

use crate::support::*;

fn engines() -> [RealEngine; 3] {
    [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()]
}

async fn ended(console: &Console, job: &str) -> serde_json::Value {
    until("the build has ended", async || {
        let told = console.ask("GET", job).header("accept", "application/json").send().await.expect(200).json();
        (told["stage"] != "running").then_some(told)
    })
    .await
}

fn state(told: &serde_json::Value, word: &str) -> String {
    let steps = told["steps"].as_array().expect("steps");
    let found = steps.iter().find(|step| step["name"].as_str().is_some_and(|name| name.contains(word)));
    found.unwrap_or_else(|| panic!("no step with {word}: {told}"))["state"].as_str().expect("a word").to_owned()
}

#[tokio::test]
async fn a_dockerfile_is_built_by_steps_and_then_runs() {
    for engine in engines() {
        let console = Console::on(&engine).await;
        let tag = format!("{}:1", engine.name("built"));
        let mark = engine.name("mark");
        let text = format!(
            "FROM busybox:latest\nARG WHO=nobody\nRUN echo {mark} $WHO && echo to-stderr >&2\nRUN echo again\n"
        );
        let form = [("tag", &*tag), ("text", &*text), ("arg", "WHO=the team"), ("pull", "")];
        let shown = console.get(&format!("/build?tag={tag}&arg=WHO%3Dthe+team")).await.expect(200);
        assert_eq!(shown.commands()[0], format!("docker build -t {tag} --build-arg 'WHO=the team' -"));
        let job = console.post("/build", &form).await.leads_to();
        let told = ended(&console, &job).await;
        assert_eq!((&told["stage"], &told["image"]), (&"done".into(), &tag.as_str().into()), "{told}");
        assert_eq!(state(&told, "echo again"), "done", "{told}");
        let names: Vec<&str> =
            told["steps"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
        let place = |word: &str| names.iter().position(|name| name.contains(word));
        assert!(place("FROM") < place("to-stderr") && place("to-stderr") < place("echo again"), "{names:?}");
        assert!(told.to_string().contains(&format!("{mark} the team")), "{told}");
        let page = console.get(&job).await.expect(200);
        contains_all(&page.text("#job"), &["done in", "Run it", &mark]);
        let run = page.attribute("#job .acts a.primary", "href").expect("a way to run it");
        contains_all(&console.get(&run).await.expect(200).body, &[&tag]);
        // The same again does nothing anew, as long as nobody empties the engine's cache between; to be done anew, it is.
        until("it comes from the cache", async || {
            let told = ended(&console, &console.post("/build", &form).await.leads_to()).await;
            (state(&told, "echo again") == "cached").then_some(())
        })
        .await;
        let anew = [form.as_slice(), &[("nocache", "1")]].concat();
        let told = ended(&console, &console.post("/build", &anew).await.leads_to()).await;
        assert_eq!(state(&told, "echo again"), "done", "{told}");
        engine.docker(&["rmi", "-f", &tag]).await;
    }
}

#[tokio::test]
async fn s080_a_build_that_ends_badly_has_failed_and_says_at_which_step() {
    for engine in engines() {
        let console = Console::on(&engine).await;
        let text = "FROM busybox:latest\nRUN echo before\nRUN echo the-reason >&2; exit 3\n";
        let told = ended(&console, &console.post("/build", &[("text", text)]).await.leads_to()).await;
        assert_eq!((&told["stage"], &told["image"]), (&"failed".into(), &serde_json::Value::Null), "{told}");
        assert_eq!(state(&told, "exit 3"), "failed", "{told}");
        assert!(told.to_string().contains("the-reason"), "{told}");
        // What is no Dockerfile.
        let told = ended(&console, &console.post("/build", &[("text", "FORM busybox")]).await.leads_to()).await;
        assert_eq!(told["stage"], "failed", "{told}");
        assert!(told["why"].as_str().is_some_and(|why| !why.is_empty()), "{told}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_nothing_is_lost() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let wrong = console
        .post("/build", &[("text", "FROM x # mine"), ("tag", "UPPER:1"), ("arg", "no value"), ("dockerfile", "../x")])
        .await
        .expect(422);
    contains_all(&wrong.said(), &["Nothing was built.", "UPPER:1", "NAME=value", "A path within what is built"]);
    assert!(wrong.body.contains("FROM x # mine"));
    contains_all(&console.post("/build", &[("text", " ")]).await.expect(422).said(), &["begins with FROM"]);
    let wrong = console.post("/build", &[("address", "file:///etc")]).await.expect(422);
    contains_all(&wrong.said(), &["that the engine can fetch"]);
}

/// A form with files, as browsers send it.
fn multipart(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend_from_slice(
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--B--\r\n");
    body
}

async fn upload(console: &Console, parts: &[(&str, Option<&str>, &[u8])]) -> Answer {
    let ask = console.ask("POST", "/build/upload").header("content-type", "multipart/form-data; boundary=B");
    ask.body(multipart(parts)).send().await
}

#[tokio::test]
async fn a_folder_and_a_tar_are_built_of() {
    for engine in engines() {
        let console = Console::on(&engine).await;
        let tag = format!("{}:1", engine.name("folder"));
        let dockerfile = b"FROM busybox:latest\nCOPY . /all\nRUN cat /all/sub/file && sh /all/run.sh && ls -R /all\n";
        // Of its own, so that no step was done before.
        let inside = format!("what is inside of {tag}\n");
        let files: [(&str, Option<&str>, &[u8]); 8] = [
            ("tag", None, tag.as_bytes()),
            ("dockerfile", None, b"docker/Dockerfile"),
            ("context", Some("project/docker/Dockerfile"), dockerfile),
            ("context", Some("project/sub/file"), inside.as_bytes()),
            ("context", Some("project/secrets/token"), b"not for the engine"),
            ("context", Some("project/sub/debug.log"), b"nor this"),
            ("context", Some("project/.dockerignore"), b"# no\nsecrets\n**/*.log\ndocker\n"),
            ("context", Some("project/run.sh"), b"echo it runs\n"),
        ];
        let told = ended(&console, &upload(&console, &files).await.leads_to()).await;
        assert_eq!(told["stage"], "done", "{told}");
        assert!(told.to_string().contains("what is inside") && told.to_string().contains("it runs"), "{told}");
        assert!(!told.to_string().contains("token") && !told.to_string().contains("debug.log"), "{told}");
        let mut tar = tar::Builder::new(Vec::new());
        let other = format!("from the tar of {tag}\n");
        for (name, bytes) in
            [("Dockerfile", &b"FROM busybox:latest\nCOPY f /f\nRUN cat /f\n"[..]), ("f", other.as_bytes())]
        {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, bytes).expect("a tar");
        }
        let tar = tar.into_inner().expect("a tar");
        let told = ended(
            &console,
            &upload(&console, &[("tag", None, tag.as_bytes()), ("context", Some("c.tar"), &tar)]).await.leads_to(),
        )
        .await;
        assert_eq!(told["stage"], "done", "{told}");
        assert!(told.to_string().contains("from the tar of"), "{told}");
        upload(&console, &[("context", Some("p/../../etc"), b"x")]).await.expect(422);
        contains_all(&upload(&console, &[("tag", None, b"x")]).await.expect(422).said(), &["Choose a folder"]);
        engine.docker(&["rmi", "-f", &tag]).await;
    }
}

#[tokio::test]
async fn s036_s044_only_administrators_build_and_values_are_not_written_down() {
    let engine = RealEngine::docker28();
    let spy = proxy::FaultProxy::before(&engine.socket);
    let console = Console::administered(spy.socket()).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    console.by(&ops, "GET", "/build").send().await.expect(403);
    console.by(&ops, "POST", "/build").form(&[("text", "FROM busybox")]).send().await.expect(403);
    assert_eq!(spy.count("/build"), 0);
    let form = [("text", "FROM busybox:latest\nARG KEY\n"), ("arg", "KEY=hush-hush")];
    let job = console.by(&admin, "POST", "/build").form(&form).send().await.leads_to();
    until("it has ended", async || {
        let page = console.by(&admin, "GET", &job).send().await.expect(200);
        page.has("#job[data-job='ended']").then_some(())
    })
    .await;
    assert_eq!(spy.count("/build"), 1);
    for path in ["/audit.jsonl", "/activity"] {
        assert!(!console.by(&admin, "GET", path).send().await.body.contains("hush-hush"), "{path}");
    }
    let vic = console.hire(&admin, "vic", "viewer", "").await;
    let seen = console.by(&vic, "GET", &job).send().await.body;
    assert!(!seen.contains("hush-hush") && !seen.contains("FROM"), "{seen}");
}

#[tokio::test]
async fn a_build_can_be_cancelled() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let mark = engine.name("slow");
    let text = format!("FROM busybox:latest\nRUN echo {mark}; sleep 600\n");
    let job = console.post("/build", &[("text", &text)]).await.leads_to();
    until("it runs", async || console.get(&job).await.text("#job").contains(&mark).then_some(())).await;
    console.post(&format!("{job}/cancel"), &[]).await.expect(303);
    assert_eq!(ended(&console, &job).await["stage"], "cancelled");
}

/// A base image in the registry with a password beside this engine, sent there by the console; not here any more.
async fn private_base(console: &Console, engine: &RealEngine, name: &str) -> String {
    let base = format!("{}/{}:1", registry::PRIVATE, engine.name(name));
    engine.docker(&["tag", "busybox:latest", &base]).await;
    let id = engine.docker(&["image", "inspect", "-f", "{{.Id}}", &base]).await;
    let id = id.trim_start_matches("sha256:");
    let told = until("the tag is seen", async || {
        let answer = console.post(&format!("/images/{id}/push"), &[("tag", &base)]).await;
        (answer.status == 303).then_some(answer)
    })
    .await;
    let told = ended(console, &told.leads_to()).await;
    assert_eq!(told["stage"], "done", "{told}");
    engine.docker(&["rmi", &base]).await;
    base
}

async fn sign_in(console: &Console, host: &str) {
    let (user, secret) = registry::ADA;
    console
        .post("/registries", &[("host", host), ("user", user), ("secret", secret), ("untried", "1")])
        .await
        .expect(303);
}

#[tokio::test]
async fn s045_a_private_base_image_is_fetched_by_who_is_signed_in_and_by_nobody_else() {
    for engine in engines() {
        let spy = proxy::FaultProxy::before(&engine.socket);
        let console = Console::start(spy.socket()).ready().await;
        sign_in(&console, registry::PRIVATE).await;
        let base = private_base(&console, &engine, "base").await;
        let tag = format!("{}:1", engine.name("private"));
        let text = format!("FROM {base}\nRUN echo {tag} > /made\n");
        let form = [("tag", &*tag), ("text", &*text), ("pull", "1")];
        // podman fails where somebody else removes an image while it looks for one that would do ("layer not known").
        let told = until("it is built", async || {
            let told = ended(&console, &console.post("/build", &form).await.leads_to()).await;
            (!told.to_string().contains("layer not known")).then_some(told)
        })
        .await;
        assert_eq!(told["stage"], "done", "{told}");
        assert!(!told.to_string().contains(registry::ADA.1));

        // Somewhere else nobody is told of it, even who asks.
        let other = registry::Host::that_asks(&engine).await;
        let (named, text) = (format!("127.0.0.1:{}", other.port), "not in this one");
        let text = format!("# {text}\nFROM {named}/{}:1\n", engine.name("elsewhere"));
        let told = ended(&console, &console.post("/build", &[("text", &*text)]).await.leads_to()).await;
        assert_eq!(told["stage"], "failed", "{told}");
        // podman speaks TLS to it, which is no request at all.
        assert!(engine.is_podman() || !other.asked().is_empty(), "{told}");
        assert!(other.asked().iter().all(|asked| asked.ends_with("|-")), "{:?}", other.asked());

        // Signed out, it is fetched no more; the engine says so at its step.
        console.post(&format!("/registries/{}/remove", registry::PRIVATE.replace(':', "%3A")), &[]).await.expect(303);
        engine.docker(&["rmi", "-f", &tag]).await;
        let _ = engine.try_docker(&["rmi", "-f", &base]).await;
        let text = format!("FROM {base}\nRUN echo {tag} again\n");
        let told = ended(&console, &console.post("/build", &[("text", &*text), ("pull", "1")]).await.leads_to()).await;
        assert_eq!(told["stage"], "failed", "{told}");
        let says = told.to_string().to_lowercase();
        assert!(says.contains("auth"), "{told}");
        assert!(!console.log().contains(registry::ADA.1));
        // Docker's builder asks for it on its session: nothing of it is in the request; podman's is told beforehand.
        let heads = spy.heads("/build");
        let told = heads.iter().filter(|head| head.contains("x-registry-config")).count();
        assert_eq!(told, if engine.is_podman() { 2 } else { 0 }, "{heads:?}");
    }
}

#[tokio::test]
async fn what_podman_does_not_fetch_is_not_offered() {
    let console = Console::on(&RealEngine::podman4()).await;
    let page = console.get("/build").await.expect(200);
    assert!(!page.has("[name=address]") && page.text("main").contains("podman fetches nothing"));
    let page =
        console.post("/build", &[("address", "https://example.test/x.git"), ("text", "FROM mine")]).await.expect(501);
    contains_all(&page.said(), &["Nothing was built.", "Upload the folder"]);
    assert!(page.body.contains("FROM mine"));
}

#[tokio::test]
async fn s046_what_lies_at_an_inner_address_is_not_shown() {
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let console = Console::administered(&engine.socket).await;
        let admin = console.admin().await;
        let ops = console.hire(&admin, "ops", "operator", "").await;
        let inner = registry::Host::start(&engine, "return 200 'the-inner-page of-an-inner-host';").await;
        // Who is no administrator has nothing fetched, and learns nothing of what listens.
        let build =
            async |who, address: &str| console.by(who, "POST", "/build").form(&[("address", address)]).send().await;
        let open = build(&ops, &format!("http://127.0.0.1:{}/x.tar", inner.port)).await.expect(403);
        let shut = build(&ops, "http://127.0.0.1:1/x.tar").await.expect(403);
        assert_eq!(open.said(), shut.said());
        assert!(inner.asked().is_empty());
        for address in [
            format!("http://127.0.0.1:{}/x.tar", inner.port),
            format!("http://127.0.0.1:{}/Dockerfile", inner.port),
            format!("http://127.0.0.1:{}/project.git", inner.port),
        ] {
            let job = build(&admin, &address).await.leads_to();
            let page = until("the build has ended", async || {
                let page = console.by(&admin, "GET", &job).send().await.expect(200);
                page.has("#job[data-job='ended']").then_some(page)
            })
            .await;
            contains_all(&page.text("#job"), &["failed"]);
            let body = page.body.to_lowercase();
            assert!(!body.contains("the-inner-page") && !body.contains("of-an-inner-host"), "{}", page.text("#job"));
        }
        assert!(!inner.asked().is_empty());
    }
}

#[tokio::test]
async fn s081_a_full_disk_for_uploads_says_which_and_what_streams_goes_on() {
    let engine = RealEngine::docker28();
    let (data, disk) = (tempfile::tempdir().expect("a folder"), disk::Disk::new());
    std::os::unix::fs::symlink(disk.path(), data.path().join("files")).expect("a link");
    let console = Console::start(&engine.socket).data_in(data.path()).ready().await;
    let tag = format!("{}:1", engine.name("full"));
    engine.goes_too("image", &tag);
    let large = vec![7_u8; 3 << 20];
    let files: [(&str, Option<&str>, &[u8]); 3] = [
        ("tag", None, tag.as_bytes()),
        ("context", Some("p/Dockerfile"), b"FROM busybox:latest\nCOPY large /large\n"),
        ("context", Some("p/large"), &large),
    ];
    for context in [&files[..], &[("tag", None, tag.as_bytes()), ("context", Some("c.tar"), &large)]] {
        let answer = upload(&console, context).await.expect(507);
        contains_all(&answer.said(), &["full", "files/uploads"]);
    }
    // Nothing is left of it, and a list is read as before.
    assert!(std::fs::read_dir(disk.path().join("uploads")).expect("a folder").next().is_none());
    console.get("/images").await.expect(200);
    // What goes straight to the engine needs none of that disk.
    disk.fill();
    let tar = tempfile::NamedTempFile::new().expect("a file");
    let path = tar.path().to_str().expect("its path");
    engine.docker(&["save", "-o", path, "busybox:latest"]).await;
    let origin = console.origin();
    let mut curl = tokio::process::Command::new("curl");
    curl.args(["-sS", "-o", "/dev/null", "-w", "%{redirect_url}", "-H", &format!("Origin: {origin}"), "-F"]);
    let sent = curl.arg(format!("file=@{path}")).arg(format!("{origin}/images/load")).output().await.expect("curl");
    let job = String::from_utf8(sent.stdout).expect("text");
    let told = ended(&console, job.strip_prefix(&origin).unwrap_or_else(|| panic!("no job: {job}"))).await;
    assert_eq!(told["stage"], "done", "{told}");
    disk.free();
    let told = ended(
        &console,
        &upload(
            &console,
            &[("tag", None, tag.as_bytes()), ("context", Some("p/Dockerfile"), b"FROM busybox:latest\n")],
        )
        .await
        .leads_to(),
    )
    .await;
    assert_eq!(told["stage"], "done", "{told}");
}

#[tokio::test]
async fn the_command_that_is_shown_builds_the_same() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let (tag, twin) = (format!("{}:1", engine.name("shown")), format!("{}:1", engine.name("typed")));
    engine.goes_too("image", &tag);
    engine.goes_too("image", &twin);
    let dockerfile = "FROM busybox\nARG WHO\nENV FOR=$WHO\nRUN echo \"for $WHO\" > /who\nCMD [\"cat\", \"/who\"]\n";
    let form = [("tag", &*tag), ("text", dockerfile), ("arg", "WHO=the team"), ("pull", "")];
    let answer = console.ask("POST", "/build").header("accept", "application/json").form(&form).send().await.json();
    let told = ended(&console, answer["location"].as_str().expect("a job")).await;
    assert_eq!(told["stage"], "done", "{told}");
    let page = console.get(&format!("/build?tag={tag}&arg=WHO%3Dthe+team")).await;
    let command = page.commands()[0].replace(&tag, &twin);
    // A Dockerfile alone comes from stdin. With the classic builder, which docker has without a plugin.
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), dockerfile).expect("written");
    engine.shell(&format!("DOCKER_BUILDKIT=0 {command} < '{}'", file.path().display())).await;
    let config = async |image: &str| {
        let all = engine.docker(&["image", "inspect", image]).await;
        let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
        let config = &all[0]["Config"];
        (config["Env"].clone(), config["Cmd"].clone(), engine.docker(&["run", "--rm", image]).await)
    };
    assert_eq!(config(&tag).await, config(&twin).await, "{command}");
}

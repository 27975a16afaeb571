//! Making a container by the form: what the engine then has, what is wrong is told at its field, and the command that is
//! shown does the same.

use serde_json::{Value, json};

use crate::support::*;

/// The fields of a form.
type Form<'a> = &'a [(&'a str, &'a str)];

/// Creates it by the form and reads it back from the engine.
async fn created(console: &Console, engine: &RealEngine, name: &str, form: Form<'_>) -> (Made, Value) {
    let full = engine.name(name);
    let mut fields = vec![("name", full.as_str())];
    if !form.iter().any(|(field, _)| *field == "image") {
        fields.push(("image", "busybox"));
    }
    fields.extend_from_slice(form);
    let page = console.post("/containers", &fields).await;
    assert_eq!(page.status, 303, "{form:?}:\n{}", page.texts("#errors, main").join("\n"));
    let made = engine.made(name).await;
    assert_eq!(page.leads_to(), made.path(""));
    let mut has = engine.inspect(&made.id).await;
    sort(&mut has);
    (made, has)
}

/// Some lists come in another order each time.
fn sort(has: &mut Value) {
    for list in ["/Config/Env", "/HostConfig/Binds"] {
        if let Some(list) = has.pointer_mut(list).and_then(Value::as_array_mut) {
            list.sort_by_key(ToString::to_string);
        }
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_field_reaches_the_engine() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let data = engine.volume("data", "").await;
    let network = engine.name("net");
    engine.network(&network).await;
    let bind = format!("{data}:/srv:ro");
    let table: &[(Form, &[(&str, Value)])] = &[
        (&[("image", "web:1")], &[("/Config/Image", json!("web:1")), ("/State/Status", json!("created"))]),
        (&[("command", "sh -c 'echo \"a  b\"' x")], &[("/Config/Cmd", json!(["sh", "-c", "echo \"a  b\"", "x"]))]),
        (
            &[("entrypoint", "/bin/sh"), ("command", "-c ls")],
            &[("/Config/Entrypoint", json!(["/bin/sh"])), ("/Config/Cmd", json!(["-c", "ls"]))],
        ),
        (&[("tty", "1"), ("interactive", "1")], &[("/Config/Tty", json!(true)), ("/Config/OpenStdin", json!(true))]),
        (&[("tty", "0")], &[("/Config/Tty", json!(false))]),
        (
            &[
                ("env-name", "A"),
                ("env-value", "x y"),
                ("env-name", ""),
                ("env-value", ""),
                ("env-name", "B"),
                ("env-value", "="),
            ],
            &[("/Config/Env", json!(["A=x y", "B=="]))],
        ),
        (
            &[("env-file", "# a comment\nC=1\r\n\n  D=\"quoted\"\nE=\n")],
            &[("/Config/Env", json!(["C=1", "D=\"quoted\"", "E="]))],
        ),
        (
            &[("label-name", "team"), ("label-value", "shop & co"), ("label-name", "empty"), ("label-value", "")],
            &[("/Config/Labels", json!({"team": "shop & co", "empty": ""}))],
        ),
        (
            &[
                ("port-address", "127.0.0.1"),
                ("port-host", "18080"),
                ("port-container", "80"),
                ("port-protocol", "tcp"),
            ],
            &[("/HostConfig/PortBindings", json!({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]}))],
        ),
        (
            &[
                ("port-address", ""),
                ("port-host", "18000-18001"),
                ("port-container", "80-81"),
                ("port-protocol", "udp"),
            ],
            &[(
                "/HostConfig/PortBindings",
                json!({"80/udp": [{"HostIp": "", "HostPort": "18000"}], "81/udp": [{"HostIp": "", "HostPort": "18001"}]}),
            )],
        ),
        (
            &[
                ("port-address", "::1"),
                ("port-host", ""),
                ("port-container", "53"),
                ("port-protocol", "tcp"),
                ("port-address", ""),
                ("port-host", ""),
                ("port-container", ""),
                ("port-protocol", "udp"),
            ],
            &[("/HostConfig/PortBindings", json!({"53/tcp": [{"HostIp": "::1", "HostPort": ""}]}))],
        ),
        (&[("publish-all", "1")], &[("/HostConfig/PublishAllPorts", json!(true))]),
        (
            &[("mount-type", "volume"), ("mount-source", &data), ("mount-target", "/srv"), ("mount-mode", "ro")],
            &[("/HostConfig/Binds", json!([bind])), ("/Mounts/0/RW", json!(false)), ("/Mounts/0/Name", json!(data))],
        ),
        (
            &[("mount-type", "bind"), ("mount-source", "/etc"), ("mount-target", "/host"), ("mount-mode", "rw")],
            &[("/HostConfig/Binds", json!(["/etc:/host"])), ("/Mounts/0/Type", json!("bind"))],
        ),
        (
            &[("mount-type", "tmpfs"), ("mount-source", ""), ("mount-target", "/fast"), ("mount-mode", "rw")],
            &[("/HostConfig/Tmpfs", json!({"/fast": ""}))],
        ),
        (
            &[("mount-type", "volume"), ("mount-source", ""), ("mount-target", "/own"), ("mount-mode", "rw")],
            &[("/Config/Volumes", json!({"/own": {}})), ("/Mounts/0/Destination", json!("/own"))],
        ),
        (
            &[("network", &network), ("network-alias", "one two")],
            &[
                ("/HostConfig/NetworkMode", json!(network)),
                (&format!("/NetworkSettings/Networks/{network}/Aliases/0"), json!("one")),
                (&format!("/NetworkSettings/Networks/{network}/Aliases/1"), json!("two")),
            ],
        ),
        (&[("network", "none")], &[("/HostConfig/NetworkMode", json!("none"))]),
        (
            &[("restart", "on-failure:3")],
            &[("/HostConfig/RestartPolicy", json!({"Name": "on-failure", "MaximumRetryCount": 3}))],
        ),
        (&[("restart", "unless-stopped")], &[("/HostConfig/RestartPolicy/Name", json!("unless-stopped"))]),
        (&[("restart", "no")], &[("/HostConfig/RestartPolicy/Name", json!("no"))]),
        (&[("memory", "64m")], &[("/HostConfig/Memory", json!(64 << 20))]),
        (&[("cpus", "1.5")], &[("/HostConfig/NanoCpus", json!(1_500_000_000))]),
        (&[("pids-limit", "50")], &[("/HostConfig/PidsLimit", json!(50))]),
        (&[("user", "1000:1000")], &[("/Config/User", json!("1000:1000"))]),
        (&[("workdir", "/tmp")], &[("/Config/WorkingDir", json!("/tmp"))]),
        (&[("hostname", "inside")], &[("/Config/Hostname", json!("inside"))]),
        (&[("rm", "1")], &[("/HostConfig/AutoRemove", json!(true))]),
        (&[("privileged", "1")], &[("/HostConfig/Privileged", json!(true))]),
        (
            &[("cap-add", "NET_ADMIN, SYS_TIME"), ("cap-drop", "ALL")],
            &[
                ("/HostConfig/CapAdd", json!(["CAP_NET_ADMIN", "CAP_SYS_TIME"])),
                ("/HostConfig/CapDrop", json!(["ALL"])),
            ],
        ),
        (&[("init", "1")], &[("/HostConfig/Init", json!(true))]),
        (&[("read-only", "1")], &[("/HostConfig/ReadonlyRootfs", json!(true))]),
        (&[("security-opt", "no-new-privileges")], &[("/HostConfig/SecurityOpt", json!(["no-new-privileges"]))]),
        // Further fields are rows of the same table.
        (&[("shm-size", "128m")], &[("/HostConfig/ShmSize", json!(128 << 20))]),
        (&[("ulimit", "nofile=1024:2048")], &[("/HostConfig/Ulimits/0/Hard", json!(2048))]),
        (&[("dns", "1.1.1.1 9.9.9.9")], &[("/HostConfig/Dns", json!(["1.1.1.1", "9.9.9.9"]))]),
        (
            &[("add-host", "db:10.0.0.1\nweb:10.0.0.2")],
            &[("/HostConfig/ExtraHosts", json!(["db:10.0.0.1", "web:10.0.0.2"]))],
        ),
        (
            &[("health-cmd", "true"), ("health-interval", "5s"), ("health-retries", "2")],
            &[
                ("/Config/Healthcheck/Test", json!(["CMD-SHELL", "true"])),
                ("/Config/Healthcheck/Interval", json!(5_000_000_000_u64)),
            ],
        ),
        (
            &[("stop-signal", "SIGINT"), ("stop-timeout", "3")],
            &[("/Config/StopSignal", json!("SIGINT")), ("/Config/StopTimeout", json!(3))],
        ),
        (&[("log-driver", "none")], &[("/HostConfig/LogConfig/Type", json!("none"))]),
    ];
    let cases = table.iter().enumerate().map(|(number, (form, wanted))| {
        let (console, engine) = (&console, &engine);
        async move {
            let (_, has) = created(console, engine, &format!("f{number}"), form).await;
            for (place, value) in *wanted {
                assert_eq!(has.pointer(place), Some(value), "{place} of {form:?}");
            }
        }
    });
    for case in cases {
        case.await;
    }
}

#[tokio::test]
async fn create_leaves_it_and_run_starts_it() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let (made, _) = created(&console, &engine, "left", &[("command", "sleep 1000"), ("start", "0")]).await;
    assert_eq!(engine.state(&made.id).await, "created");
    let (made, _) = created(&console, &engine, "run", &[("command", "sleep 1000"), ("start", "1")]).await;
    assert_eq!(engine.state(&made.id).await, "running");
    // The page that it leads to knows it already.
    contains_all(&console.get(&made.path("")).await.expect(200).text("#detail"), &[&made.name, "Running"]);
    // Without a name, the engine gives one.
    let page = console.post("/containers", &[("image", "busybox")]).await.leads_to();
    let id = page.trim_start_matches("/containers/");
    engine.goes_too("container", id);
    assert_eq!(engine.state(id).await, "created");
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field_and_nothing_is_lost() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let name = engine.name("never");
    let form = [
        ("image", "Busy Box"),
        ("name", "a b"),
        ("command", "sh -c 'open"),
        ("memory", "much"),
        ("cpus", "many"),
        ("restart", "sometimes"),
        ("env-name", ""),
        ("env-value", "lonely"),
        ("env-name", "KEPT"),
        ("env-value", "<value> & \"more\""),
        ("port-address", ""),
        ("port-host", "99999"),
        ("port-container", "80"),
        ("port-protocol", "udp"),
        ("mount-type", "bind"),
        ("mount-source", "relative"),
        ("mount-target", "/x"),
        ("mount-mode", "ro"),
        ("tty", "1"),
        ("user", "1000"),
        ("cap-add", "NET_ADMIN"),
    ];
    let page = console.post("/containers", &form).await.expect(422);
    let summary = page.attributes("#errors a", "href");
    for place in ["image", "name", "command", "memory", "cpus", "restart", "env-0", "port-0", "mount-0"] {
        let id = format!("#f-{place}");
        assert!(summary.contains(&id), "{place} is in {summary:?}");
        assert!(page.has(&format!("[id='f-{place}']")), "the link to {id} leads somewhere");
        let wrong = format!("[id='f-{place}'][aria-invalid], [id='f-{place}'] [aria-invalid]");
        assert!(page.has(&wrong), "{place} is marked");
    }
    assert_eq!(summary.len(), 9, "{summary:?}");
    for (field, value) in [
        ("image", "Busy Box"),
        ("name", "a b"),
        ("command", "sh -c 'open"),
        ("memory", "much"),
        ("user", "1000"),
        ("env-value", "lonely"),
        ("port-host", "99999"),
        ("mount-source", "relative"),
        ("cap-add", "NET_ADMIN"),
    ] {
        assert_eq!(page.attribute(&format!("#create [name={field}]"), "value").as_deref(), Some(value), "{field}");
    }
    assert!(page.attributes("[name=env-value]", "value").contains(&"<value> & \"more\"".to_owned()));
    assert!(page.has("[name=tty][checked]"));
    assert_eq!(page.text("#f-port-0 option[selected]"), "udp");
    assert_eq!(page.text("#f-mount-0 option[selected]"), "bind");
    assert!(page.has("#f-mount-0 option[value=ro][selected]"));
    let toast = console.ask("POST", "/containers").htmx().form(&form).send().await.expect(422);
    contains_all(&toast.body, &["<hx-partial", "Nothing was created"]);
    // What only the engine can know.
    for (form, words) in [
        (
            &[("image", "busybox"), ("name", &*name), ("network", "no-such-network"), ("start", "1")][..],
            "no-such-network",
        ),
        (&[("image", "busybox"), ("name", &*name), ("memory", "1k")], "memory"),
    ] {
        let page = console.post("/containers", form).await;
        assert!((400..500).contains(&page.status), "{form:?}: {}", page.status);
        contains_all(&page.text("main").to_lowercase(), &[words]);
    }
}

#[tokio::test]
async fn a_taken_name_or_port_is_told_before_the_engine_is_asked() {
    let engine = RealEngine::docker28();
    let owner = engine.run("owner", "-p 80 web:1").await;
    let console = Console::on(&engine).await;
    console.sees_state(&owner.id, "running").await;
    let page = console.post("/containers", &[("image", "busybox"), ("name", &owner.name)]).await.expect(409);
    contains_all(&page.text("#errors"), &["Name", &owner.name, "already", "running"]);
    assert_eq!(page.attribute("#f-name", "value"), Some(owner.name.clone()));
    let port = engine.docker(&["port", &owner.id, "80/tcp"]).await;
    let port = port.lines().next().and_then(|line| line.rsplit_once(':')).expect("a port").1.to_owned();
    let name = engine.name("second");
    let form = [
        ("image", "web:1"),
        ("name", &*name),
        ("port-address", ""),
        ("port-host", &port),
        ("port-container", "80"),
        ("port-protocol", "tcp"),
        ("start", "1"),
    ];
    let page = console.post("/containers", &form).await.expect(409);
    contains_all(&page.text("#f-port-0"), &[&port, &owner.name]);
    assert!(!engine.exists(&name).await, "nothing was created");
}

#[tokio::test]
async fn one_that_cannot_start_is_kept_and_says_why() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let name = engine.name("broken");
    let form = [("image", "busybox"), ("name", &*name), ("command", "/no/such/program"), ("start", "1")];
    let page = console.post("/containers", &form).await;
    assert!((400..600).contains(&page.status), "{}", page.status);
    let made = engine.made("broken").await;
    contains_all(&page.text("main"), &[&name, "created", "did not start", "/no/such/program"]);
    assert!(page.has(&format!("main a[href='{}']", made.path(""))), "its page is linked");
    assert_eq!(engine.state(&made.id).await, "created");
    let detail = console.get(&made.path("")).await.expect(200);
    contains_all(&detail.text("#detail"), &["could not be started", "/no/such/program"]);
    let list = console.get(&format!("/containers?q={}", made.id)).await;
    assert_eq!(list.attribute(&made.row(), "data-state").as_deref(), Some("created"));
}

#[tokio::test]
async fn a_missing_image_is_a_job_that_says_how_it_ended() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let name = engine.name("unborn");
    let form = [("image", "localhost:1/none:1"), ("name", &*name), ("start", "1")];
    let answer = console.post("/containers", &form).await.expect(303);
    let page = console.job_of(&answer).await;
    contains_all(&page.text("main"), &["localhost:1/none:1", "failed"]);
    assert!(!page.text("#job .say").is_empty(), "it says why");
    assert!(page.commands()[0].starts_with("docker run"), "{:?}", page.commands());
    contains_all(&console.get("/jobs").await.text("main"), &["localhost:1/none:1", "failed"]);
    assert!(!engine.exists(&name).await);
    console.get("/jobs/999999").await.expect(404);
}

#[tokio::test]
async fn the_form_is_filled_in_from_the_address_and_grows_without_javascript() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let page = console.get("/containers/new?image=busybox&env-name=A&env-value=1&tty=1&memory=64m").await.expect(200);
    assert_eq!(page.attribute("#f-image", "value").as_deref(), Some("busybox"));
    assert!(page.has("[name=tty][checked]"));
    contains_all(&page.text("#run-line"), &["docker run", "-e A=1", "-m 64m", "busybox"]);
    assert!(!page.has("#errors"), "an empty form is no error");
    let rows = |page: &Answer| page.attributes("[name=env-name]", "value").len();
    let filled = [("image", "busybox"), ("env-name", "A"), ("env-value", "1"), ("then", "more")];
    let page = console.post("/containers/draft", &filled).await.expect(200);
    assert_eq!(rows(&page), 2, "one more row to fill in");
    let pasted = [("image", "busybox"), ("env-file", "X=1\n#no\nY=2"), ("then", "env-file")];
    let page = console.post("/containers/draft", &pasted).await.expect(200);
    assert_eq!(page.attributes("[name=env-name]", "value")[..2], ["X", "Y"]);
    assert_eq!(page.text("#f-env-file"), "");
    contains_all(&page.text("#run-line"), &["-e X=1", "-e Y=2"]);
    let danger = console.get("/containers/new?image=busybox&privileged=1").await;
    assert!(!danger.text("#dangers").is_empty(), "what is dangerous is said");
    // Every label has its field: nobody has to guess.
    let empty = console.get("/containers/new").await;
    for field in empty.attributes("label[for]", "for") {
        assert!(empty.has(&format!("[id='{field}']")), "the label of {field}");
    }
}

/// What differs by itself between two containers made alike.
pub fn comparable(mut has: Value) -> Value {
    let id = has["Id"].as_str().unwrap_or_default().to_owned();
    let short = id.get(..12).unwrap_or_default().to_owned();
    if has["Config"]["Hostname"] == short.as_str() {
        has["Config"]["Hostname"] = Value::Null;
    }
    sort(&mut has);
    empty_is_nothing(json!({ "Config": has["Config"], "HostConfig": has["HostConfig"] }))
}

/// The docker command sends `[]` where the console sends nothing: the same to the engine.
fn empty_is_nothing(value: Value) -> Value {
    match value {
        Value::Array(list) if list.is_empty() => Value::Null,
        Value::Object(map) if map.is_empty() => Value::Null,
        Value::Array(list) => list.into_iter().map(empty_is_nothing).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, empty_is_nothing(value))).collect(),
        plain => plain,
    }
}

#[tokio::test]
async fn the_command_that_is_shown_does_the_same() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let data = engine.volume("data", "").await;
    let forms: &[Form] = &[
        &[("command", "sleep 1000")],
        &[("command", "sh -c 'echo \"$HOME\" it'\\''s; sleep 1000'"), ("tty", "1"), ("interactive", "1")],
        &[
            ("image", "web:1"),
            ("env-name", "A"),
            ("env-value", "x 'y' \"z\" $HOME `id` \\"),
            ("env-name", "B"),
            ("env-value", ""),
            ("label-name", "a.b"),
            ("label-value", "!c"),
            ("restart", "on-failure:2"),
            ("memory", "64m"),
            ("cpus", ".5"),
            ("user", "0"),
            ("workdir", "/tmp"),
            ("hostname", "inside"),
            ("init", "1"),
            ("read-only", "1"),
            ("cap-add", "NET_ADMIN"),
            ("cap-drop", "MKNOD CHOWN"),
            ("security-opt", "no-new-privileges"),
        ],
        &[
            ("mount-type", "volume"),
            ("mount-source", &data),
            ("mount-target", "/srv"),
            ("mount-mode", "ro"),
            ("mount-type", "bind"),
            ("mount-source", "/etc"),
            ("mount-target", "/host"),
            ("mount-mode", "ro"),
            ("mount-type", "tmpfs"),
            ("mount-source", ""),
            ("mount-target", "/t"),
            ("mount-mode", "rw"),
            ("port-address", "127.0.0.1"),
            ("port-host", ""),
            ("port-container", "80"),
            ("port-protocol", "tcp"),
            ("port-address", ""),
            ("port-host", ""),
            ("port-container", "53"),
            ("port-protocol", "udp"),
            ("command", "sleep 1000"),
        ],
        &[
            ("network", "none"),
            ("privileged", "1"),
            ("pids-limit", "50"),
            ("shm-size", "1m"),
            ("ulimit", "nofile=99"),
            ("dns", "1.1.1.1"),
            ("add-host", "db:10.0.0.1"),
            ("health-cmd", "exit 0"),
            ("health-interval", "1m"),
            ("stop-signal", "SIGINT"),
            ("command", "sleep 1000"),
        ],
        &[
            ("entrypoint", "/bin/sleep"),
            ("command", "1000"),
            ("rm", "1"),
            ("network-alias", ""),
            ("log-driver", "local"),
        ],
    ];
    for (number, form) in forms.iter().enumerate() {
        let name = engine.name("twin");
        let mut fields = vec![("name", name.as_str())];
        if !form.iter().any(|(field, _)| *field == "image") {
            fields.push(("image", "busybox"));
        }
        fields.extend_from_slice(form);
        let shown = console.post("/containers/draft", &fields).await.expect(200).lines_of("#run-line");
        fields.push(("start", "1"));
        console.post("/containers", &fields).await.leads_to();
        let ours = comparable(engine.inspect(&name).await);
        engine.docker(&["rm", "-fv", &name]).await;
        until("the name is free", async || (!engine.exists(&name).await).then_some(())).await;
        // Typed into a real shell, as it stands there.
        engine.shell(&shown).await;
        let theirs = comparable(engine.inspect(&name).await);
        engine.docker(&["rm", "-fv", &name]).await;
        assert_eq!(ours, theirs, "form {number}:\n{shown}");
        until("the console knows that the name is free", async || {
            (!console.get(&format!("/containers?q={name}")).await.body.contains("id=\"container-")).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_pasted_line_fills_in_the_form_that_makes_the_same() {
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let console = Console::on(&engine).await;
        let name = engine.name("pasted");
        let flags = format!(
            "--name {name} -e 'A=b c' -e EMPTY= -e 'TWO=x\ny' -l team=shop -p 127.0.0.1::80/tcp -v /data:/d:ro --mount type=tmpfs,dst=/m,tmpfs-size=1m \
             --tmpfs /t --restart on-failure:3 -m 64m --init --network none --ulimit nofile=64:128 --entrypoint '' --cidfile /tmp/x \
             busybox sh -c 'echo \"$A\"; # it'"
        );
        let line = format!("$ sudo docker run \\\n  -d {flags}");
        let page = console.post("/containers/new/line", &[("line", &line)]).await.expect(200);
        contains_all(&page.text("#pasted"), &["Run", "--cidfile /tmp/x is left out"]);
        assert!(!page.has("#paste[open]"), "there is nothing left to do in the box");
        assert!(page.has("textarea[name=mount]") && page.has("textarea[name=env]"));
        let data = console.ask("POST", "/containers/new/line").header("accept", "application/json");
        let data = data.form(&[("line", &line)]).send().await.expect(200).json();
        assert_eq!((&data["start"], &data["fields"]), (&true.into(), &serde_json::json!({})), "{data}");
        // Pressed unchanged, it makes what docker makes of the line.
        let form = data["form"].as_array().expect("fields").iter();
        let form: Vec<(&str, &str)> =
            form.map(|it| (it["name"].as_str().expect("a name"), it["value"].as_str().expect("a value"))).collect();
        let form = [form, vec![("start", "0")]].concat();
        let ours = engine
            .inspect(console.post("/containers", &form).await.leads_to().trim_start_matches("/containers/"))
            .await;
        engine.docker(&["rm", "-f", &name]).await;
        let theirs = engine.shell(&format!("docker create {}", flags.replace("--cidfile /tmp/x", ""))).await;
        let theirs = engine.inspect(&theirs).await;
        for part in ["Config", "HostConfig"] {
            let same = |it: &serde_json::Value| {
                let mut it = it[part].as_object().expect("fields").clone();
                // The engine names a container by its id where nobody else does; what the docker command listens to is no
                // part of it; nothing may be said in several ways; and docker shuffles variables.
                if let Some(env) = it.get_mut("Env").and_then(|env| env.as_array_mut()) {
                    env.sort_by_key(ToString::to_string);
                }
                it.retain(|name, value| {
                    let is_nothing = ["null", "[]", "{}", "0", "false", "\"\""].contains(&value.to_string().as_str());
                    name != "Hostname" && !name.starts_with("Attach") && !is_nothing
                });
                it
            };
            assert_eq!(same(&ours), same(&theirs), "{part}");
        }
        engine.docker(&["rm", "-f", &name]).await;
    }
}

#[tokio::test]
async fn what_cannot_be_read_of_a_line_is_pointed_at() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    for (line, word, says) in [
        ("docker run --memry 1g busybox", "--memry", "no flag"),
        ("docker run -m lots busybox", "lots", "512m"),
        ("docker run busybox | tee x", "|", "shell"),
        ("docker ps", "ps", "docker run"),
        ("docker run -e 'A=b busybox", "'A=b busybox", "partner"),
        ("docker run --env-file .env busybox", ".env", "variables"),
    ] {
        let page = console.post("/containers/new/line", &[("line", line)]).await;
        assert!(page.status == 422 || page.status == 200, "{line}");
        assert_eq!(page.text("#f-line-error mark"), word, "{line}");
        assert!(page.text("#f-line-error").to_lowercase().contains(&says.to_lowercase()), "{line}: {}", page.said());
        assert_eq!(page.text("#f-line"), line, "what was pasted is kept");
    }
    console.post("/containers/new/line", &[("line", " ")]).await.expect(422);
    let long = format!("docker run busybox {}", "a".repeat(200_000));
    contains_all(&console.post("/containers/new/line", &[("line", &long)]).await.expect(422).said(), &["too long"]);
    let hostile = "docker run --name '<img src=x>' busybox \"$(touch /tmp/x)\" '</textarea><script>'";
    let page = console.post("/containers/new/line", &[("line", hostile)]).await;
    assert!(!page.body.contains("<img src=x>") && !page.body.contains("</textarea><script>"));
}

#[tokio::test]
async fn s047_what_a_line_leaves_to_a_shell_is_asked_for() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let line = "docker run -v \"$PWD\":/app -v $PWD/x:/x -u $(id -u) -e T=$TAG busybox";
    let page = console.post("/containers/new/line", &[("line", line)]).await.expect(200);
    assert_eq!(page.attributes("#paste[open] [name=shell-name]", "value"), ["$PWD", "$(id -u)", "$TAG"]);
    let answer = |folder: &'static str| {
        let pairs = [("$PWD", folder), ("$(id -u)", "1000"), ("$TAG", "a b")];
        let told = pairs.into_iter().flat_map(|(name, value)| [("shell-name", name), ("shell-value", value)]);
        [("line", line)].into_iter().chain(told).collect::<Vec<_>>()
    };
    let wrong = console.post("/containers/new/line", &answer("here")).await.expect(422);
    contains_all(&wrong.text("#paste"), &["A path that starts with /"]);
    let page = console.post("/containers/new/line", &answer("/srv/my shop")).await.expect(200);
    let command = page.text("#run-line");
    contains_all(&command, &["-v '/srv/my shop:/app'", "-v '/srv/my shop/x:/x'", "-u 1000", "-e 'T=a b'"]);
    // By the address, too, and without JavaScript.
    let page = console.get("/containers/new?line=docker+run+-p+80:80+nginx").await.expect(200);
    assert_eq!(page.attribute("[name=port-container]", "value").as_deref(), Some("80"));
}

#[tokio::test]
async fn a_line_that_docker_refuses_is_refused_though_the_form_could_be_filled_in() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    for (line, word) in [
        ("docker run --pull=foo busybox", "--pull=foo"),
        ("docker run --pids-limit x --pids-limit 9 busybox", "x"),
        ("docker run --label= busybox", "--label="),
        ("docker run --kernel-memory=lots busybox", "--kernel-memory=lots"),
        ("docker run --cpu-count 2 busybox", "2"),
        ("docker run --network name=host,alias=a busybox", "name=host,alias=a"),
        ("docker run --mount type=foo,dst=/x busybox", "type=foo,dst=/x"),
        ("docker run --isolation=x busybox", "--isolation=x"),
    ] {
        let page = console.post("/containers/new/line", &[("line", line)]).await.expect(422);
        assert_eq!(page.text("pre.pointed mark"), word, "{line}");
        assert_eq!(page.attribute("[name=image]", "value").as_deref(), Some("busybox"), "the form goes on from it");
        let ask = console.ask("POST", "/containers/new/line").header("accept", "application/json");
        let told = ask.form(&[("line", line)]).send().await.expect(422).json();
        contains_all(told["fields"]["line"].as_str().unwrap_or_default(), &[word]);
        assert!(
            engine.try_docker(&line.split(' ').skip(1).collect::<Vec<_>>()).await.is_err(),
            "{line}: as docker does"
        );
    }
    for line in ["docker run --restart=on-failure: busybox", "docker run -c 0x10 --pids-limit 1_0 busybox"] {
        console.post("/containers/new/line", &[("line", line)]).await.expect(200);
    }
}

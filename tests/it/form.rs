//! The form of `docker run`: what is said beside its fields, what it offers, and how a field is found. None of it stops
//! anybody, and nothing that was typed is lost.

use std::collections::BTreeSet;

use serde_json::json;
use wheelhouse::command::{FLAGS, Kind};

use crate::support::{proxy, *};

/// What stands at a place of the form.
fn said(page: &Answer, place: &str) -> String {
    page.text(&format!("[id='r-{place}']"))
}

#[tokio::test]
async fn what_is_risky_is_said_beside_its_field_and_stops_nobody() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let bind = "mount-type=bind&mount-source=/var/run/docker.sock&mount-target=/s";
    for (query, place, kind, words) in [
        ("privileged=1".to_owned(), "privileged", "danger", &["Risk", "every right"][..]),
        (format!("mount-type=volume&mount-source=&mount-target=/a&{bind}"), "mount-1", "danger", &["whole host"]),
        ("volume=/var/run/docker.sock:/s".into(), "volume", "danger", &["whole host"]),
        ("mount=type=bind,src=/,dst=/h".into(), "mount", "danger", &["whole host"]),
        ("pid=host".into(), "pid", "danger", &["every process"]),
        ("network=host".into(), "network", "danger", &["reach every service"]),
        ("ipc=host".into(), "ipc", "danger", &["shared memory"]),
        ("uts=host".into(), "uts", "danger", &["rename the host"]),
        ("userns=host".into(), "userns", "danger", &["root on the host"]),
        ("cgroupns=host".into(), "cgroupns", "danger", &["control groups"]),
        ("cap-add=SYS_ADMIN".into(), "cap-add", "danger", &["get out"]),
        ("image=busybox".into(), "image", "hint", &["Note", "busybox:latest", "name a version"]),
        ("image=busybox:latest".into(), "image", "hint", &[":latest"]),
        (String::new(), "restart", "hint", &["Note", "stays down"]),
        ("port-host=1&port-container=1&port-host=9&port-container=9".into(), "port-1", "hint", &["127.0.0.1"]),
        ("publish=8080:80".into(), "publish", "hint", &["127.0.0.1"]),
        ("publish-all=1".into(), "publish-all", "hint", &["127.0.0.1"]),
        ("env-name=A&env-value=1&env-name=B&env-value=$HOME".into(), "env-1", "doubt", &["Check", "$HOME stays"]),
        ("env=TZ".into(), "env", "doubt", &["takes TZ away"]),
        ("workdir=$PWD".into(), "workdir", "doubt", &["$PWD stays"]),
    ] {
        let page = console.get(&format!("/containers/new?{query}")).await.expect(200);
        assert!(page.has(&format!("[id='r-{place}'] > .{kind}")), "{kind} at {place} of {query}");
        contains_all(&said(&page, place), words);
        assert!(page.has(&format!("[aria-describedby~='r-{place}']")), "{place} is described by it");
        assert!(!page.has("details:not([open]) .danger, details:not([open]) .doubt"), "{query}: it is in sight");
        assert!(!page.has("#errors, [aria-invalid]"), "it is no error");
    }
    let quiet = "image=busybox:1.36&restart=always&port-address=127.0.0.1&port-host=1&port-container=1&cap-add=CHOWN";
    let quiet = console.get(&format!("/containers/new?{quiet}")).await.expect(200);
    assert!(!quiet.has(".remarks > :is(.danger, .doubt, .hint)"), "{:?}", quiet.texts(".remarks > li"));
    // And made all the same; scripts are told, too.
    let name = engine.name("risky");
    let form = [("image", "busybox"), ("name", &*name), ("privileged", "1"), ("pid", "host")];
    let draft = console.ask("POST", "/containers/draft").header("accept", "application/json");
    let draft = draft.form(&form).send().await.expect(200).json();
    let told: Vec<_> =
        draft["remarks"].as_array().expect("a list").iter().map(|it| (&it["field"], &it["kind"])).collect();
    for pair in [("privileged", "danger"), ("pid", "danger"), ("image", "hint"), ("restart", "hint")] {
        assert!(
            told.iter().any(|(field, kind)| (field.as_str(), kind.as_str()) == (Some(pair.0), Some(pair.1))),
            "{told:?}"
        );
    }
    console.post("/containers", &form).await.expect(303);
    assert!(engine.exists(&name).await);
}

#[tokio::test]
async fn s023_what_is_said_of_hostile_words_is_text() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let hostile = "$x<img src=x onerror=alert(1)>\u{202e}";
    let form = [
        ("image", "<b>x"),
        ("workdir", hostile),
        ("network", "<script>alert(1)</script>"),
        ("volume", "~<b>:/x"),
        ("env", hostile),
        ("field", "\"><script>alert(1)</script>"),
        ("then", "find"),
    ];
    let page = console.post("/containers/draft", &form).await.expect(200);
    assert!(!page.body.contains("<img src=x") && !page.body.contains("<script>alert") && !page.body.contains("<b>x"));
    contains_all(&said(&page, "network"), &["There is no network <script>alert(1)</script>"]);
    assert!(!page.has("#r-network button"), "what is no name is not offered to be made");
}

#[tokio::test]
async fn a_field_is_found_by_flag_and_word_and_nothing_is_lost() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let shown = |page: &Answer| {
        let names = page.attributes("#create [data-find]:not([hidden]) [name]", "name");
        names.into_iter().collect::<BTreeSet<_>>()
    };
    let all = shown(&console.get("/containers/new").await.expect(200));
    for (query, found, not) in [
        ("--shm-size", &["shm-size"][..], &["memory", "image", "env-name"][..]),
        ("--shm-size=1g", &["shm-size"], &["memory"]),
        ("-p 8080:80", &["port-host", "publish"], &["pid", "pids-limit", "memory"]),
        ("-m", &["memory"], &["memory-swap", "mount-source"]),
        ("-it", &["interactive", "tty"], &["memory"]),
        ("--mem", &["memory", "memory-swap", "memory-reservation"], &["shm-size"]),
        ("--net", &["network", "network-alias"], &["memory"]),
        ("--mount", &["mount", "mount-source"], &["memory"]),
        ("MEMORY", &["memory", "shm-size", "mount-type"], &["name", "dns"]),
        ("memory  swap", &["memory-swap", "memory-swappiness"], &["dns"]),
        ("image", &["image", "no-healthcheck"], &["ulimit"]),
        ("--env-file", &["env-file"], &["memory"]),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let page = console.get(&format!("/containers/new?memory=64m&field={query}")).await.expect(200);
        let names = shown(&page);
        for name in found {
            assert!(names.contains(*name), "{query} finds {name}, not only {names:?}");
            assert!(
                !page.has(&format!("details:not([open]) [name='{name}']")) || *name == "publish",
                "{query}: {name} is in sight"
            );
        }
        assert!(not.iter().all(|name| !names.contains(*name)), "{query}: {names:?}");
        assert_eq!(page.attribute("[name=memory]", "value").as_deref(), Some("64m"), "{query} loses nothing");
        contains_all(&page.text("#run-line"), &["-m 64m"]);
    }
    // Nothing of that kind: it says so, and leads back; with what was typed.
    let typed = [("image", "busybox"), ("name", "kept"), ("env-name", "A"), ("env-value", "b"), ("tty", "1")];
    let page = console.post("/containers/draft", &[&typed[..], &[("field", "xyzzy"), ("then", "find")]].concat()).await;
    contains_all(&page.text("#sought"), &["no field for “xyzzy”", "Show all fields"]);
    assert_eq!(shown(&page), BTreeSet::new());
    let page =
        console.post("/containers/draft", &[&typed[..], &[("field", "xyzzy"), ("then", "clear")]].concat()).await;
    assert_eq!(shown(&page), all);
    assert_eq!(page.attribute("#f-name", "value").as_deref(), Some("kept"));
    contains_all(&page.text("#run-line"), &["-t", "-e A=b", "--name kept"]);
    // Flags of the docker command itself are told of.
    let page = console.get("/containers/new?field=--detach-keys").await.expect(200);
    contains_all(&page.text("#elsewhere:not([hidden]) p:not([hidden])"), &["--detach-keys", "attached"]);
    // Enter where a field is looked for, without scripts, makes nothing.
    let name = engine.name("none");
    let form = [("image", "busybox"), ("name", &*name), ("field", "memory"), ("then", "enter")];
    let page = console.post("/containers", &form).await.expect(200);
    assert!(page.has("#sought button") && !engine.exists(&name).await);
    console.post("/containers", &[("image", "busybox"), ("name", &*name), ("then", "enter")]).await.expect(303);
    assert_eq!(engine.state(&name).await, "created");
}

#[tokio::test]
async fn what_holds_something_is_in_sight() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    // What nobody has filled in, or only what a line says first, may be folded.
    for flag in FLAGS.iter().filter(|flag| !flag.client) {
        let value = if flag.kind == Kind::Switch { "1" } else { flag.placeholder };
        let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair(flag.long, value).finish();
        let page = console.get(&format!("/containers/new?{pair}")).await.expect(200);
        let field = format!("[name='{}']", flag.long);
        assert!(page.has(&field), "--{} has a field", flag.long);
        assert!(!page.has(&format!("details:not([open]) {field}, [hidden] {field}")), "--{} is in sight", flag.long);
    }
    // After a pasted line, and with something wrong.
    let line = "docker run --shm-size much --sysctl a=b --health-cmd true --dns-search x --tmpfs /t:size=1m --domainname d \
                --expose 80 --mount type=tmpfs,dst=/m -e 'A=b\nc' --gpus all busybox";
    let page = console.post("/containers/new/line", &[("line", line)]).await.expect(422);
    for flag in
        ["shm-size", "sysctl", "health-cmd", "dns-search", "tmpfs", "domainname", "expose", "mount", "env", "gpus"]
    {
        assert!(!page.has(&format!("details:not([open]) [name='{flag}']")), "--{flag} is in sight");
    }
    contains_all(&said(&page, "shm-size"), &["much"]);
}

#[tokio::test]
async fn every_flag_of_docker_run_is_in_the_form_and_no_other() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let help = engine.docker(&["run", "--help"]).await;
    let mut theirs = BTreeSet::new();
    for line in help.lines().map(str::trim_start).filter(|line| line.starts_with('-')) {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let (letter, long) = match first.strip_suffix(',') {
            Some(letter) => (letter.chars().nth(1), words.next().unwrap_or_default()),
            None => (None, first),
        };
        // A line of help may begin with a number.
        if !long.starts_with("--") {
            continue;
        }
        theirs.insert((long.trim_start_matches('-').to_owned(), letter));
    }
    assert!(theirs.len() > 95, "{}", theirs.len());
    // Said by the form's own buttons, and by the page.
    assert!(theirs.remove(&("detach".to_owned(), Some('d'))) && theirs.remove(&("help".to_owned(), None)));
    let ours: BTreeSet<_> = FLAGS.iter().map(|flag| (flag.long.to_owned(), flag.short)).collect();
    assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), Vec::<&_>::new(), "docker has these");
    // The help of some engines leaves out what only engines on Windows know.
    let windows = ["cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops", "isolation", "kernel-memory"];
    let more = ours.difference(&theirs).filter(|(long, _)| !windows.contains(&long.as_str()));
    assert_eq!(more.collect::<Vec<_>>(), Vec::<&_>::new(), "docker does not have these");
    // Each with its flag and a line of help, or with why it is none of the form's.
    let page = console.get("/containers/new").await.expect(200);
    let shown = page.text("#create");
    for flag in FLAGS {
        assert!(shown.contains(&format!("--{}", flag.long)), "--{} is shown", flag.long);
        let is_row = ["env", "label", "publish", "mount", "volume", "tmpfs", "env-file"].contains(&flag.long);
        assert!(is_row || shown.contains(flag.help), "--{} is explained", flag.long);
    }
}

#[tokio::test]
async fn an_unknown_network_is_told_and_can_be_made_with_nothing_lost() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let (net, name) = (engine.name("later"), engine.name("joins"));
        let typed =
            [("image", "busybox"), ("name", &*name), ("network", &*net), ("env-name", "A"), ("env-value", "b c")];
        let page = console.post("/containers/draft", &[&typed[..], &[("then", "more")]].concat()).await.expect(200);
        contains_all(
            &said(&page, "network"),
            &["Check", &format!("no network {net}"), &format!("docker network create {net}")],
        );
        assert_eq!(page.attribute("#r-network a", "href"), Some(format!("/networks/new?name={net}")));
        // Nothing is sent to the engine that it would only stumble over.
        let page = console.post("/containers", &[&typed[..], &[("start", "1")]].concat()).await.expect(409);
        contains_all(&page.text("#errors"), &["Networks", &net]);
        assert!(page.has("#f-network[aria-invalid]") && !engine.exists(&name).await);
        let button = page.attribute("#r-network button[name=make]", "value");
        assert_eq!(button.as_deref(), Some(&*net));
        let page =
            console.post("/containers/new/network", &[&typed[..], &[("make", &*net)]].concat()).await.expect(200);
        engine.goes_too("network", &net);
        contains_all(&page.text("#done"), &[&net]);
        assert!(!page.has("#r-network > :not(.image)"), "{}", said(&page, "network"));
        assert_eq!(page.attribute("[name=env-value]", "value").as_deref(), Some("b c"), "nothing is lost");
        engine.docker(&["network", "inspect", &net]).await;
        // Again, and it says that it is there; a name that is none is not made.
        let again = console.post("/containers/new/network", &[&typed[..], &[("make", &*net)]].concat()).await;
        assert!((400..500).contains(&again.status), "{}", again.status);
        contains_all(&said(&again, "network"), &[&net, "not made"]);
        console.post("/containers/new/network", &[("make", "a b/../c")]).await.expect(422);
        console.post("/containers", &typed).await.expect(303);
        assert!(engine.exists(&name).await);
    }
}

#[tokio::test]
async fn a_volume_that_is_not_there_yet_is_told() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let there = engine.volume("there", "").await;
    console.sees_volume(&there).await;
    let new = engine.name("newvol");
    let query = format!(
        "mount-type=volume&mount-source={there}&mount-target=/a&mount-mode=rw&mount-type=volume&mount-source={new}&mount-target=/b&mount-mode=ro&mount=type=volume,src={new},dst=/c"
    );
    let page = console.get(&format!("/containers/new?image=busybox:1&{query}")).await.expect(200);
    assert_eq!(said(&page, "mount-0"), "");
    contains_all(&said(&page, "mount-1"), &["Note", &new, "made with the container"]);
    contains_all(&said(&page, "mount"), &[&new]);
}

#[tokio::test]
async fn a_taken_name_or_port_is_told_while_it_is_typed_with_a_free_one() {
    let engine = RealEngine::docker28();
    let owner = engine.run("owner", "-p 80 web:1").await;
    let console = Console::on(&engine).await;
    console.sees_state(&owner.id, "running").await;
    let port = engine.docker(&["port", &owner.id, "80/tcp"]).await;
    let port = port.lines().next().and_then(|line| line.rsplit_once(':')).expect("a port").1.to_owned();
    let typed = [
        ("image", "web:1"),
        ("name", &*owner.name),
        ("port-address", ""),
        ("port-host", ""),
        ("port-container", "81"),
        ("port-protocol", "tcp"),
        ("port-address", ""),
        ("port-host", &*port),
        ("port-container", "80"),
        ("port-protocol", "tcp"),
    ];
    let page = console.ask("POST", "/containers/draft").htmx().form(&typed).send().await.expect(200);
    contains_all(&said(&page, "name"), &["Check", &owner.name, "running", &format!("Use {}-2", owner.name)]);
    assert_eq!(page.attribute("#r-name a", "href"), Some(owner.path("")));
    contains_all(&said(&page, "port-1"), &["Check", &port, &owner.name, "no container has", "Use"]);
    assert_eq!(page.attribute("#r-port-1 a", "href"), Some(owner.path("")));
    assert!(!page.has("#r-port-0 .doubt"));
    // What is offered, taken, without scripts.
    let offer = page.attribute("#r-port-1 button", "value").expect("an offer");
    let page = console.post("/containers/draft", &[&typed[..], &[("then", &offer)]].concat()).await.expect(200);
    let free = &page.attributes("[name=port-host]", "value")[1];
    assert!(offer.ends_with(free.as_str()) && *free != port, "{offer} {free}");
    assert!(!page.has("#r-port-1 .doubt") && page.has("#r-name .doubt"));
    let page = console
        .post("/containers/draft", &[&typed[..], &[("then", &format!("set name 0 {}-2", owner.name))]].concat())
        .await;
    assert_eq!(page.attribute("#f-name", "value"), Some(format!("{}-2", owner.name)));
    // Sent all the same, each is told where it is, with who has it.
    let page = console.post("/containers", &[&typed[..], &[("start", "1")]].concat()).await.expect(409);
    assert!(page.has(&format!("#r-name .error a[href='{}']", owner.path(""))));
    assert!(page.has(&format!("#r-port-1 .error a[href='{}']", owner.path(""))));
    // A flag as docker writes it, too.
    let page = console.get(&format!("/containers/new?publish={port}:80")).await.expect(200);
    contains_all(&said(&page, "publish"), &[&port, &owner.name]);
}

#[tokio::test]
async fn s041_s042_who_looks_after_a_part_is_told_of_no_others() {
    let engine = RealEngine::docker28();
    let owner = engine.run("hidden", "-p 80 web:1").await;
    let volume = engine.volume("theirs", "").await;
    let network = engine.name("theirs");
    engine.network(&network).await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let key = engine.name("part");
    let ops = console.hire(&admin, "ops", "operator", &format!("label:{key}")).await;
    console.sees_as(&admin, &owner.id).await;
    let port = engine.docker(&["port", &owner.id, "80/tcp"]).await;
    let port = port.lines().next().and_then(|line| line.rsplit_once(':')).expect("a port").1.to_owned();
    let own = engine.name("own");
    let form = [
        ("image", "web:1"),
        ("name", &*owner.name),
        ("label-name", &*key),
        ("label-value", ""),
        ("port-address", ""),
        ("port-host", &*port),
        ("port-container", "80"),
        ("port-protocol", "tcp"),
        ("mount-type", "volume"),
        ("mount-source", &*volume),
        ("mount-target", "/d"),
        ("mount-mode", "rw"),
        ("network", &*network),
    ];
    let draft = console.by(&ops, "POST", "/containers/draft").form(&[&form[..], &[("then", "more")]].concat());
    let draft = draft.send().await.expect(200);
    contains_all(&said(&draft, "name"), &["in use"]);
    contains_all(&said(&draft, "port-0"), &[&format!("Port {port} of this host is in use.")]);
    contains_all(&said(&draft, "mount-0"), &["among what you look after"]);
    contains_all(&said(&draft, "network"), &["among what you look after"]);
    let sent = console.by(&ops, "POST", "/containers").form(&[&form[..], &[("start", "1")]].concat());
    let sent = sent.send().await.expect(409);
    for page in [&draft, &sent] {
        assert!(!page.body.contains(&owner.id) && !page.has("#r-name a, #r-port-0 a"), "it is not said who");
        assert!(!page.text("#r-port-0").contains(&owner.name));
    }
    // A network that they make is theirs to join.
    let made = console.by(&ops, "POST", "/containers/new/network").form(&[
        ("image", "busybox"),
        ("make", &*own),
        ("network", &*own),
    ]);
    contains_all(&made.send().await.expect(200).text("#done"), &[&own]);
    engine.goes_too("network", &own);
    let name = engine.name("joins");
    let form = [("image", "busybox"), ("name", &*name), ("network", &*own)];
    console.by(&ops, "POST", "/containers").form(&form).send().await.expect(303);
    assert!(engine.exists(&name).await);
}

#[tokio::test]
async fn s044_what_the_image_says_stands_beside_the_fields_without_its_secrets() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let base = engine.create("base", "busybox").await;
    let image = format!("{}:1", engine.name("says"));
    let changes = [
        "ENTRYPOINT [\"/bin/sh\", \"-c\"]",
        "CMD [\"sleep 7\"]",
        "USER 1234",
        "WORKDIR /srv/app",
        "ENV TOKEN=hunter2",
        "EXPOSE 8080/tcp",
        "VOLUME /keeps",
        "STOPSIGNAL SIGINT",
        "LABEL team=red",
    ];
    let mut words: Vec<&str> = vec!["commit"];
    changes.iter().for_each(|change| words.extend(["-c", change]));
    words.extend([base.id.as_str(), image.as_str()]);
    engine.docker(&words).await;
    engine.goes_too("image", &image);
    until("the console knows the image", async || {
        console.get(&format!("/containers/new?image={image}")).await.has("#r-command .image").then_some(())
    })
    .await;
    let page = console.get(&format!("/containers/new?image={image}")).await.expect(200);
    for (place, words) in [
        ("entrypoint", "/bin/sh -c"),
        ("command", "'sleep 7'"),
        ("user", "1234"),
        ("workdir", "/srv/app"),
        ("rows-env", "TOKEN=‹hidden›"),
        ("rows-publish", "8080/tcp"),
        ("rows-mount", "/keeps"),
        ("stop-signal", "SIGINT"),
        ("rows-label", "team=red"),
    ] {
        contains_all(&said(&page, place), &["Image", words]);
    }
    assert!(!page.body.contains("hunter2"));
    assert_eq!(page.attribute("#f-command", "value").as_deref(), Some(""), "nothing of it is copied");
    assert_eq!(page.text("#run-line"), format!("docker run -d {image}"));
}

#[tokio::test]
async fn s042_a_network_that_others_have_by_the_same_name_is_not_joined() {
    // Older engines give a name twice.
    let engine = RealEngine::docker20();
    let (key, name, made) = (engine.name("part"), engine.name("twice"), engine.name("joins"));
    let mut ids = Vec::new();
    for labels in [json!({}), json!({ &*key: "" })] {
        let body = json!({"Name": name, "CheckDuplicate": false, "Labels": labels});
        let (status, answer) = proxy::ask_engine(&engine.socket, "POST", "/networks/create", Some(body)).await;
        assert_eq!(status, 201, "{answer}");
        let id = answer["Id"].as_str().expect("an id").to_owned();
        engine.goes_too("network", &id);
        ids.push(id);
    }
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", &format!("label:{key}")).await;
    until("the console sees both", async || {
        let page = console.by(&admin, "GET", &format!("/networks?q={name}")).send().await;
        ids.iter().all(|id| page.body.contains(id)).then_some(())
    })
    .await;
    let form = [("image", "busybox"), ("name", &*made), ("network", &*name)];
    let page = console.by(&ops, "POST", "/containers").form(&form).send().await.expect(403);
    contains_all(&page.text("#errors"), &["not among what you look after"]);
    assert!(!engine.exists(&made).await);
}

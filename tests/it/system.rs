//! The engine itself: what it is, what is known against it, what the disk is used for, and pruning all of it; its events
//! over a month.
//!
//! Others use the same engines: nothing here prunes what it did not make itself.

use serde_json::Value;

use crate::support::{proxy::FaultProxy, *};

/// An image of this test's own with these names, none for a dangling one: made of a file that nothing else has.
async fn image(engine: &RealEngine, names: &[&str], label: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("x"), engine.name(label)).expect("a file");
    let file = folder.path().join("x.tar");
    engine.shell(&format!("tar -C {} -cf {} x", folder.path().display(), file.display())).await;
    let change = format!("LABEL test={}", engine.name(label));
    let said = engine.docker(&["import", "--change", &change, &file.display().to_string()]).await;
    // Podman says it twice.
    let id = said.lines().last().unwrap_or_default().trim().rsplit(' ').next().unwrap_or_default().to_owned();
    for name in names {
        engine.docker(&["tag", &id, name]).await;
        engine.goes_too("image", name);
    }
    engine.goes_too("image", &id);
    id
}

async fn measured(console: &Console) -> Value {
    assert_eq!(console.post("/engine/disk/measure", &[]).await.leads_to(), "/engine/disk");
    until("the disk is measured", async || {
        let disk = console.ask("GET", "/engine/disk").header("accept", "application/json").send().await.json();
        (disk["measuring"] == false && !disk["measured"].is_null()).then_some(disk)
    })
    .await
}

#[tokio::test]
async fn it_says_what_it_is_and_what_that_means_on_every_engine() {
    for (engine, title, api) in [
        (RealEngine::docker28(), "Docker 28.5", "1.24 to 1.51"),
        (RealEngine::docker20(), "Docker 20.10", "1.12 to 1.41"),
        (RealEngine::podman4(), "Podman 4.3", "1.24 to 1.41"),
    ] {
        let console = Console::on(&engine).await;
        let page = console.get("/engine").await.expect(200);
        let text = page.text("main");
        contains_all(
            &text,
            &[title, api, "cgroupfs", "runc", "Seccomp", "Registries", "kernel", "local", "only the kernel"],
        );
        assert_eq!(page.commands()[..2], ["docker version", "docker info"]);
        // The commands that are shown tell the same.
        let told = engine.docker(&["version", "-f", "{{.Server.Version}}"]).await;
        assert!(text.contains(&told), "{told}");
        let kernel = engine.docker(&["info", "-f", "{{.KernelVersion}}"]).await;
        assert!(text.contains(&kernel), "{kernel}");
        let json = console.ask("GET", "/engine").header("accept", "application/json").send().await.expect(200).json();
        assert_eq!(json["version"], Value::String(told));
        assert_eq!(json["cgroup_driver"], "cgroupfs");
        assert_eq!(page.attribute("#nav [aria-current=page]", "href").as_deref(), Some("/engine"));
    }
}

#[tokio::test]
async fn s090_known_holes_are_told_offline_and_can_be_put_away() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let page = console.get("/engine").await.expect(200);
    let notices = page.text("#notices");
    contains_all(
        &notices,
        &["Docker Engine 28.5.2", "29.5.1", "CVE-2026-41567", "runc 1.1.5", "CVE-2024-21626", "CVE-2025-31133"],
    );
    assert!(!notices.contains("CVE-2024-41110"), "what 28.5 has mended is none of its holes");
    let sources = page.attributes("#notices .list a", "href");
    assert!(sources.len() > 5 && sources.iter().all(|source| source.starts_with("https://")), "{sources:?}");
    // On the overview until somebody has read it; on the engine's page always.
    let overview = console.get("/").await;
    contains_all(&overview.text("#notices"), &["known holes", "28.5.2"]);
    let key = overview.attribute("#notices [name=key]", "value").expect("a key");
    let away = console.post("/engine/notices", &[("key", &key), ("back", "/")]).await;
    assert_eq!(away.leads_to(), "/");
    let cookie = away.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let with = async |path: &str, cookie: &str| console.ask("GET", path).header("cookie", cookie).send().await;
    assert!(!with("/", &cookie).await.has("#notices"));
    assert!(with("/engine", &cookie).await.has("#notices"));
    assert!(with("/", "notices=0").await.has("#notices"), "others are news");
    // Podman's own holes are others.
    let engine = RealEngine::podman4();
    let console = Console::on(&engine).await;
    let notices = console.get("/engine").await.text("#notices");
    contains_all(&notices, &["Podman 4.3.1", "CVE-2024-1753", "runc 1.1.5"]);
    assert!(!notices.contains("Docker Engine"));
}

#[tokio::test]
async fn s090_a_port_that_is_open_to_the_network_is_flagged() {
    let engine = RealEngine::docker28();
    // The engine's own socket, offered on a port as `-H tcp://` would.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let socket = engine.socket.clone();
    let relay = tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let socket = socket.clone();
            tokio::spawn(async move {
                let mut to = tokio::net::UnixStream::connect(socket).await.expect("the engine");
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    let console = Console::bare().arg("--listen=127.0.0.1:0").arg("--accounts=off").arg("--data=.");
    let console = console.arg(&format!("--engine=tcp://{address}")).ready().await;
    contains_all(
        &console.get("/engine").await.text("#notices"),
        &[&address.to_string(), "open to the network", "root"],
    );
    contains_all(&console.get("/").await.text("#notices"), &["open to the network"]);
    relay.abort();
}

#[tokio::test]
async fn disk_use_is_measured_when_asked_for_and_drawn() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let volume = engine.volume("full", "").await;
        let fill = format!(
            "-v {volume}:/srv busybox sh -c 'head -c 3000000 /dev/zero > /srv/x; head -c 2000000 /dev/zero > /x; sleep 1000'"
        );
        let web = engine.run("web", &fill).await;
        let proxy = FaultProxy::before(&engine.socket);
        let console = Console::start(proxy.socket()).ready().await;
        console.sees_state(&web.id, "running").await;
        let before = console.get("/engine/disk").await.expect(200);
        contains_all(&before.text("main"), &["It has not been measured", "docker system df -v"]);
        assert_eq!(proxy.count("/system/df"), 0, "nobody asked for it");
        let mut stream = console.stream("/engine/disk/stream").await;
        // Slow as a real disk: everybody sees that it is being measured, and it is asked for once.
        proxy.faults(|faults| faults.held = Some("/system/df"));
        console.post("/engine/disk/measure", &[]).await.leads_to();
        console.post("/engine/disk/measure", &[]).await.leads_to();
        stream.until("that it measures", |data| data.contains("Measuring since")).await;
        contains_all(&console.get("/engine/disk").await.text("#disk"), &["Measuring since"]);
        proxy.heal();
        let is_there =
            |data: &str| data.contains("<svg") && data.contains("can be freed") || data.contains("Can be freed");
        let mut times = 1;
        // An engine may not get to its end while others make and remove what it walks through: then it says so.
        while !is_there(&stream.until("its end", |data| is_there(data) || data.contains("Measuring failed")).await.data)
        {
            assert!(times < 20, "it never gets to its end");
            times += 1;
            console.post("/engine/disk/measure", &[]).await.leads_to();
        }
        assert_eq!(proxy.count("/system/df"), times, "two who asked, one measuring");
        let page = console.get(&format!("/engine/disk?of=volumes&q={volume}")).await.expect(200);
        contains_all(&page.text("#disk .each"), &[&volume, "2.86 MiB", "1 container"]);
        assert!(page.has(&format!("a[href='/volumes/{volume}']")));
        let page = console.get(&format!("/engine/disk?of=containers&q={}", web.name)).await.expect(200);
        contains_all(&page.text("#disk .each"), &[&web.name, "running"]);
        assert!(page.has(&format!("a[href='{}']", web.path("remove"))), "a row leads to what frees it");
        let page = console.get("/engine/disk?of=images&q=busybox").await.expect(200);
        assert!(!page.text("#disk .each").contains("None that fits"), "by any of its names");
        for kind in ["images", "containers", "volumes", "cache"] {
            assert!(page.has(&format!("tr[data-kind={kind}]")), "{kind}");
        }
        let picture = page.attribute("figure.disk", "aria-label").expect("the picture says what it shows");
        contains_all(&picture, &["Images", "Containers", "Local volumes", "Build cache", "unused"]);
        // What docker itself says.
        let disk = console.ask("GET", "/engine/disk").header("accept", "application/json").send().await.json();
        let ours =
            disk["volumes"].as_array().and_then(|all| all.iter().find(|found| found["name"] == *volume)).cloned();
        assert_eq!(
            ours.map(|found| (found["size"].as_u64(), found["containers"].as_u64())),
            Some((Some(3_000_000), Some(1)))
        );
        // The volumes' own page has them, too.
        contains_all(&console.get(&format!("/volumes?q={volume}")).await.text("main"), &["2.86 MiB"]);
    }
}

#[tokio::test]
async fn measuring_that_fails_says_why() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    proxy.faults(|faults| faults.closed = Some("/system/df"));
    console.post("/engine/disk/measure", &[]).await.leads_to();
    until("it says that it failed", async || {
        console.get("/engine/disk").await.text("#disk").contains("Measuring failed").then_some(())
    })
    .await;
    proxy.heal();
    measured(&console).await;
}

#[tokio::test]
async fn pruning_lists_exactly_what_goes_acts_on_it_and_says_what_came_of_it() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let prefix = engine.name("");
        let (one, two) = (format!("{prefix}one:1"), format!("{prefix}two:1"));
        let dangling = image(&engine, &[], "dangling").await;
        let tagged = image(&engine, &[&one, &two], "tagged").await;
        let net = engine.name("net");
        let net_id = engine.docker(&["network", "create", &net]).await;
        engine.goes_too("network", &net_id);
        let held = engine.name("held");
        let held_id = engine.docker(&["network", "create", &held]).await;
        engine.goes_too("network", &held_id);
        let stopped = engine.create("stopped", "-v /data busybox").await;
        let anonymous = engine.mounts(&stopped.id).await.remove(0).0;
        engine.goes_too("volume", &anonymous);
        let named = engine.volume("named", "").await;
        let running = engine.run("running", "busybox sleep 1000").await;
        let late = engine.create("late", "busybox sleep 1000").await;
        let console = Console::on(&engine).await;
        for id in [&stopped.id, &running.id, &late.id] {
            console.sees(id).await;
        }
        console.sees_volume(&anonymous).await;
        console.sees_volume(&named).await;
        measured(&console).await;

        let plain = console.get("/engine/prune").await.expect(200);
        assert_eq!(plain.commands(), ["docker system prune"]);
        let listed = plain.attributes("input[name=thing]", "value");
        let has = |list: &[String], thing: &str| list.iter().any(|listed| listed.starts_with(thing));
        let bare = |id: &str| id.trim_start_matches("sha256:").to_owned();
        assert!(
            has(&listed, &format!("container:{}", stopped.id)) && !has(&listed, &format!("container:{}", running.id))
        );
        assert!(has(&listed, &format!("network:{net_id}")), "{listed:?}");
        assert!(has(&listed, &format!("image:sha256:{}", bare(&dangling))), "{listed:?}");
        assert!(
            !has(&listed, &format!("image:sha256:{}", bare(&tagged)))
                && !listed.iter().any(|thing| thing.starts_with("volume:"))
        );
        let all = console.get("/engine/prune?all=1&volumes=1").await.expect(200);
        assert_eq!(all.commands(), ["docker system prune -a --volumes"]);
        let listed = all.attributes("input[name=thing]", "value");
        // Without its container, the volume is unused: it is listed, and so is each name of the image.
        assert!(has(&listed, &format!("volume:{anonymous}")) && !has(&listed, &format!("volume:{named}")));
        for name in [&one, &two] {
            assert!(
                listed.iter().any(|thing| thing.starts_with("image:") && thing.ends_with(name.as_str())),
                "{name}: {listed:?}"
            );
        }
        let busybox = listed.iter().any(|thing| thing.starts_with("image:") && thing.contains("busybox"));
        assert!(!busybox, "a container runs it");
        let order: Vec<&str> = listed.iter().filter_map(|thing| thing.split(':').next()).collect();
        let rank =
            |kind: &str| ["container", "network", "volume", "image", "cache"].iter().position(|known| *known == kind);
        assert!(order.is_sorted_by_key(|kind| rank(kind)), "{order:?}");
        contains_all(&all.text("#confirm"), &[&stopped.name, &net, "What goes, in this order", "It frees about"]);

        // Meanwhile somebody starts one of the list, and comes to use a network of it.
        engine.docker(&["start", &late.id]).await;
        engine.run("user", &format!("--network {held} busybox sleep 1000")).await;
        let ours = |thing: &&String| {
            [&stopped.id, &late.id, &net_id, &held_id, &anonymous, &bare(&dangling), &bare(&tagged)]
                .iter()
                .any(|id| thing.contains(id.as_str()))
        };
        let chosen: Vec<String> = listed.iter().filter(ours).cloned().collect();
        assert!(chosen.len() >= 8, "{chosen:?}");
        let mut form = vec![("listed", "1"), ("all", "1"), ("volumes", "1")];
        form.extend(chosen.iter().map(|thing| ("thing", thing.as_str())));
        let result = console.post("/engine/prune", &form).await.expect(303);
        let job = console.job_of(&result).await;
        contains_all(&job.text("main"), &[&stopped.name, &net, "removed", &late.name, "not done", &held]);
        assert_eq!(job.commands()[0], "docker system prune -a --volumes");
        assert!(!engine.exists(&stopped.id).await && engine.exists(&late.id).await && engine.exists(&running.id).await);
        assert!(engine.inspect_volume(&anonymous).await.is_none() && engine.inspect_volume(&named).await.is_some());
        assert!(engine.try_docker(&["network", "inspect", &net_id]).await.is_err());
        assert!(engine.try_docker(&["network", "inspect", &held_id]).await.is_ok(), "somebody is on it");
        assert!(engine.try_docker(&["image", "inspect", &dangling]).await.is_err());
        assert!(engine.try_docker(&["image", "inspect", &tagged]).await.is_err());
        assert!(engine.try_docker(&["image", "inspect", "busybox"]).await.is_ok(), "nothing that was not listed goes");
        // An empty list is one, too; nonsense is none.
        let empty = console.post("/engine/prune", &[("listed", "1"), ("all", "1")]).await.expect(303);
        contains_all(&console.job_of(&empty).await.text("main"), &["Prune 0 things", "done"]);
        console.post("/engine/prune", &[("thing", "image:../x")]).await.expect(422);
        // And without a list nothing goes at all.
        let blind = console.post("/engine/prune", &[("all", "1"), ("volumes", "1")]).await.expect(422);
        contains_all(&blind.text("main"), &["Nothing was removed", "one by one"]);
    }
}

#[tokio::test]
async fn an_image_that_got_a_name_meanwhile_stays() {
    let engine = RealEngine::docker28();
    let id = image(&engine, &[], "named-late").await;
    let other = image(&engine, &[], "other").await;
    let moved = format!("{}:1", engine.name("moved"));
    engine.docker(&["tag", &other, &moved]).await;
    engine.goes_too("image", &moved);
    let console = Console::on(&engine).await;
    let thing = format!("image:{id}");
    let gone = format!("image:{other} {moved}");
    assert!(console.get("/engine/prune").await.attributes("input[name=thing]", "value").contains(&thing));
    let late = format!("{}:1", engine.name("late"));
    engine.docker(&["tag", &id, &late]).await;
    engine.goes_too("image", &late);
    engine.docker(&["tag", &id, &moved]).await;
    let result = console.post("/engine/prune", &[("listed", "1"), ("thing", &thing), ("thing", &gone)]).await;
    let job = console.job_of(&result).await;
    contains_all(&job.text("main"), &["2 of 2 stayed", &late, "means another image now"]);
    assert!(engine.try_docker(&["image", "inspect", &moved]).await.is_ok());
    engine.docker(&["rmi", "-f", &id, &other]).await;
}

#[tokio::test]
async fn filters_of_a_prune_and_what_is_wrong_with_them() {
    let engine = RealEngine::docker28();
    let red = engine.create("red", "--label team=red busybox").await;
    let blue = engine.create("blue", "--label team=blue busybox").await;
    let console = Console::on(&engine).await;
    console.sees(&red.id).await;
    console.sees(&blue.id).await;
    let listed = async |query: &str| {
        let page = console.get(&format!("/engine/prune?{query}")).await.expect(200);
        let things = page.attributes("input[name=thing]", "value");
        let has = |made: &Made| things.contains(&format!("container:{}", made.id));
        ((has(&red), has(&blue)), page.commands()[0].clone())
    };
    assert_eq!(
        listed("label=team%3Dred").await,
        ((true, false), "docker system prune --filter label=team=red".to_owned())
    );
    assert_eq!(listed("label=team!%3Dred").await.1, "docker system prune --filter 'label!=team=red'");
    assert_eq!(listed("label=team!%3Dred").await.0, (false, true));
    assert_eq!(listed("until=1h").await, ((false, false), "docker system prune --filter until=1h".to_owned()));
    assert_eq!(listed("until=0s").await.0, (true, true));
    let page = console.get("/engine/prune?label=team%3Dred").await;
    contains_all(&page.text("#confirm"), &["The build cache stays", "no labels"]);
    let wrong = console.get("/engine/prune?until=soon&volumes=1&label=%3Dx").await.expect(422);
    for field in ["until", "label", "volumes"] {
        assert!(wrong.has(&format!("[name={field}][aria-invalid]")), "{field}: {}", wrong.said());
    }
    assert_eq!(wrong.attribute("[name=until]", "value").as_deref(), Some("soon"), "what was typed is kept");
    assert!(!wrong.has("form[method=post][action='/engine/prune']"), "there is nothing to press");
}

#[tokio::test]
async fn the_build_cache_goes_leaf_by_leaf() {
    let engine = RealEngine::docker28();
    let folder = tempfile::tempdir().expect("a folder");
    let mark = engine.name("cache");
    std::fs::write(
        folder.path().join("Dockerfile"),
        format!("FROM busybox\nRUN echo {mark} > /a\nRUN echo {mark} > /b\n"),
    )
    .expect("a file");
    let build = format!("DOCKER_BUILDKIT=1 docker build -q --network none {}", folder.path().display());
    let Ok(built) = engine.try_docker(&["buildx", "version"]).await else {
        println!("skipped: there is no buildx");
        return;
    };
    drop(built);
    let id = engine.shell(&build).await;
    engine.docker(&["rmi", "-f", &id]).await;
    let console = Console::on(&engine).await;
    let plan = console.ask("GET", "/engine/prune?all=1").header("accept", "application/json").send().await.json();
    let steps: Vec<String> = plan["goes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|goes| goes["kind"] == "cache" && goes["about"].as_str().is_some_and(|about| about.contains(&mark)))
        .filter_map(|goes| goes["thing"].as_str().map(str::to_owned))
        .collect();
    assert!(steps.len() >= 2, "{plan}");
    let mut form = vec![("listed", "1"), ("all", "1")];
    form.extend(steps.iter().map(|thing| ("thing", thing.as_str())));
    let result = console.post("/engine/prune", &form).await.expect(303);
    let job = console.job_of(&result).await;
    assert!(!job.has("#job.bad"), "{}", job.said());
    let left = engine.docker(&["buildx", "du", "--verbose"]).await;
    assert!(!left.contains(&mark), "{left}");
}

#[tokio::test]
async fn s041_s044_limits_and_secrets_hold_here_too() {
    let engine = RealEngine::docker28();
    let red = engine.create("red", "--label team=red -e A=hunter2 busybox echo hunter2").await;
    let blue = engine.create("blue", "--label team=blue --label token=hunter2 busybox").await;
    let red_data = engine.volume("red-data", "--label team=red").await;
    let blue_data = engine.volume("blue-data", "--label team=blue").await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "label:team=red").await;
    let vera = console.hire(&admin, "vera", "viewer", "").await;
    console.sees_as(&admin, &red.id).await;
    console.sees_as(&admin, &blue.id).await;
    console.by(&admin, "POST", "/engine/disk/measure").form(&[]).send().await.leads_to();
    until("the disk is measured", async || {
        console.by(&admin, "GET", "/engine/disk").send().await.has("figure.disk").then_some(())
    })
    .await;
    let get = async |who: &Person, path: &str| console.by(who, "GET", path).send().await.expect(200);
    for of in ["containers", "volumes", "images", "cache"] {
        let seen = get(&ann, &format!("/engine/disk?of={of}")).await.body;
        assert!(!seen.contains(&blue.name) && !seen.contains(&blue_data), "{of}");
        let at = seen.find("busybox:latest").map(|at| seen.get(at.saturating_sub(200)..at + 60));
        assert_eq!(at, None, "{of}: images are nobody's");
    }
    contains_all(&get(&ann, "/engine/disk?of=containers").await.text("#disk"), &[&red.name, "label:team=red"]);
    contains_all(&get(&ann, "/engine/disk?of=volumes").await.text("#disk"), &[&red_data]);
    let plan = get(&ann, "/engine/prune?all=1&volumes=1").await;
    assert!(plan.body.contains(&red.id) && !plan.body.contains(&blue.id), "{}", plan.said());
    assert!(
        plan.attributes("input[name=thing]", "value")
            .iter()
            .all(|thing| !thing.starts_with("image:") && !thing.starts_with("network:"))
    );
    // What is not listed cannot be sent in, either.
    let others = [format!("container:{}", blue.id)];
    let asked = console.by(&ann, "POST", "/engine/prune").form(&[("listed", "1"), ("thing", &others[0])]).send().await;
    let job = asked.leads_to();
    until("the job has ended", async || get(&ann, &job).await.has("#job[data-job=ended]").then_some(())).await;
    assert!(engine.exists(&blue.id).await);
    let image = engine.docker(&["image", "inspect", "-f", "{{.Id}}", "busybox"]).await;
    console
        .by(&ann, "POST", "/engine/prune")
        .form(&[("listed", "1"), ("thing", &format!("image:{image} busybox:latest"))])
        .send()
        .await
        .expect(403);
    // Who only looks is told nothing that may be a secret, nor what is known against the engine; and removes nothing.
    for path in
        ["/engine", "/engine/disk?of=containers", "/engine/disk?of=cache", "/events/search", "/events.jsonl", "/jobs"]
    {
        let seen = get(&vera, path).await.body;
        assert!(!seen.contains("hunter2"), "{path}");
    }
    assert!(!get(&vera, "/engine").await.has("#notices") && !get(&vera, "/").await.has("#notices"));
    assert!(get(&admin, "/engine").await.has("#notices"));
    console.by(&vera, "GET", "/engine/prune").send().await.expect(403);
    console.by(&vera, "POST", "/engine/disk/measure").form(&[]).send().await.expect(403);
    // Nor can it be guessed by searching.
    engine.docker(&["start", &blue.id]).await;
    let finds = async |who: &Person, q: &str| {
        let found = console
            .by(who, "GET", &format!("/events/search?q={q}"))
            .header("accept", "application/json")
            .send()
            .await
            .json();
        found["items"].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == *blue.id))
    };
    until("an administrator finds it", async || finds(&admin, "hunter2").await.then_some(())).await;
    assert!(!finds(&vera, "hunter2").await, "a viewer does not find what they are not shown");
    assert!(finds(&vera, &blue.name).await);
    assert!(!finds(&ann, &blue.name).await, "nor somebody who does not see it");
}

#[tokio::test]
async fn events_are_kept_over_a_restart_and_what_was_missed_is_asked_for() {
    for engine in [RealEngine::docker28(), RealEngine::podman4()] {
        let data = tempfile::tempdir().expect("a folder");
        let start = || Console::start(&engine.socket).data_in(data.path());
        let console = start().ready().await;
        let first = engine.create("first", "--label note=first busybox").await;
        let search = async |console: &Console, query: &str| {
            let found = console
                .ask("GET", &format!("/events/search?{query}"))
                .header("accept", "application/json")
                .send()
                .await;
            found.expect(200).json()["items"].as_array().cloned().unwrap_or_default()
        };
        let created = |items: &[Value], made: &Made| {
            items.iter().filter(|item| item["id"] == *made.id && item["action"] == "create").count()
        };
        until("it is kept", async || {
            (created(&search(&console, "type=container&action=create").await, &first) == 1).then_some(())
        })
        .await;
        drop(console);
        // Nobody listens now.
        let missed = engine.create("missed", "busybox").await;
        let console = start().ready().await;
        until("what was missed is there", async || {
            (created(&search(&console, "action=create").await, &missed) == 1).then_some(())
        })
        .await;
        let items = search(&console, "action=create").await;
        assert_eq!((created(&items, &first), created(&items, &missed)), (1, 1), "each is kept once");
        for (query, finds) in [
            (format!("of={}", first.name), true),
            (format!("of={}", &first.id[..12]), true),
            ("q=note%3Dfirst".to_owned(), true),
            ("type=volume".to_owned(), false),
            ("action=destroy".to_owned(), false),
            ("until=1h".to_owned(), false),
            ("since=1h".to_owned(), true),
        ] {
            assert_eq!(created(&search(&console, &query).await, &first) == 1, finds, "{query}");
        }
        let page = console.get(&format!("/events/search?of={}", first.name)).await.expect(200);
        contains_all(&page.text("main"), &[&first.name, "was created", "Kept since"]);
        assert!(page.has(&format!("main a[href='{}']", first.path(""))));
        let wrong = console.get("/events/search?since=whenever").await.expect(422);
        assert!(wrong.has("[name=since][aria-invalid]"));
        // As a file: each line is an event, and the same filters hold.
        let file = console.get(&format!("/events.jsonl?of={}", first.name)).await.expect(200);
        assert!(file.header("content-disposition").contains("events.jsonl"));
        let lines: Vec<Value> = file.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| line["id"] == *first.id), "{}", file.body);
    }
}

#[tokio::test]
async fn many_events_are_paged_and_none_is_twice() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let made = engine.create("many", "busybox").await;
    for n in 0..130 {
        engine.docker(&["rename", &made.id, &engine.name(&format!("many{n}"))]).await;
    }
    let search = async |path: &str| console.ask("GET", path).header("accept", "application/json").send().await.json();
    let first = format!("/events/search?action=rename&of={}", made.id);
    let page = until("all are kept", async || {
        let page = search(&first).await;
        let older = page["older"].as_str().map(str::to_owned)?;
        let rest = search(&older).await["items"].as_array().map_or(0, Vec::len);
        (rest == 30).then_some((page, older))
    })
    .await;
    let (page, older) = page;
    let all: Vec<Value> = [page["items"].clone(), search(&older).await["items"].clone()]
        .iter()
        .flat_map(|items| items.as_array().cloned().unwrap_or_default())
        .collect();
    let mut times: Vec<String> = all.iter().map(|item| item["at"].to_string()).collect();
    assert_eq!(times.len(), 130);
    times.dedup();
    assert_eq!(times.len(), 130);
    let lines = console.get(&format!("/events.jsonl?action=rename&of={}", made.id)).await.body.lines().count();
    assert_eq!(lines, 130);
    let plain = console.get(&first).await.expect(200);
    assert!(plain.has(".pager a[rel=next]") && plain.texts(".tl li").len() == 100);
}

#[tokio::test]
async fn s081_a_full_disk_is_said_and_ends_nothing() {
    let engine = RealEngine::docker28();
    let data = tempfile::tempdir().expect("a folder");
    // A file where the folder should be: nobody, root included, can write below it.
    std::fs::write(data.path().join("events"), "").expect("a file");
    let console = Console::start(&engine.socket).data_in(data.path()).ready().await;
    console.expect_log("events cannot be written down");
    engine.create("unkept", "busybox").await;
    until("the page says so", async || {
        console
            .get("/events/search")
            .await
            .expect(200)
            .text("main")
            .contains("Events are not written down")
            .then_some(())
    })
    .await;
    std::fs::remove_file(data.path().join("events")).expect("it goes");
    let again = engine.create("kept", "busybox").await;
    until("they are written again", async || {
        let page = console.get(&format!("/events/search?of={}", again.name)).await.text("main");
        (page.contains("was created") && !page.contains("not written down")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn none_are_kept_where_nobody_wants_them() {
    let engine = RealEngine::docker28();
    let console = Console::start(&engine.socket).arg("--keep-events=0").ready().await;
    let refused = console.get("/events/search").await.expect(501);
    contains_all(&refused.text("main"), &["keeps no events", "--keep-events 0"]);
    assert!(!console.data().join("events").exists());
}

#[tokio::test]
async fn s043_what_the_console_stands_on_is_in_no_plan() {
    // It does not run in a container here: what it must not take is what is in use, whoever sees it.
    let engine = RealEngine::docker28();
    let network = engine.name("net");
    let id = engine.docker(&["network", "create", &network]).await;
    engine.goes_too("network", &id);
    let blue = engine.create("blue", &format!("--label team=blue --network {network} -v /data busybox")).await;
    let volume = engine.mounts(&blue.id).await.remove(0).0;
    let console = Console::on(&engine).await;
    console.sees(&blue.id).await;
    // By this filter the container stays: so does what it has, though it does not run.
    let page = console.get("/engine/prune?volumes=1&all=1&label=team!%3Dblue").await.expect(200);
    let things = page.attributes("input[name=thing]", "value");
    assert!(
        !things.iter().any(|thing| thing.contains(&blue.id) || thing.contains(&id) || thing.contains(&volume)),
        "{things:?}"
    );
}

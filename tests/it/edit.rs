//! Changing a container without losing it.

use serde_json::Value;

use crate::support::{
    Answer, Console, Made, RealEngine, contains_all,
    proxy::{FaultProxy, ask_engine},
    until,
};

/// The fields of a form as a browser would send them.
fn fields(page: &Answer, form: &str) -> Vec<(String, String)> {
    page.sent(form)
}

fn with(mut fields: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    fields.retain(|(key, _)| key != name);
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

async fn post(console: &Console, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    console.post(path, &fields).await
}

/// The form of a container, with this field otherwise, up to the page that says what changes.
async fn planned(console: &Console, web: &Made, name: &str, value: &str) -> Answer {
    let form = console.get(&web.path("edit")).await.expect(200);
    let fields = with(fields(&form, "#create"), name, value);
    post(console, &web.path("edit"), &fields).await.expect(200)
}

async fn replaced(console: &Console, web: &Made, plan: &Answer, watch: &str) -> Answer {
    let fields = with(fields(plan, "form.confirm"), "watch", watch);
    let answer = post(console, &web.path("replace"), &fields).await;
    console.job_of(&answer).await
}

async fn named(engine: &RealEngine, name: &str) -> Value {
    engine.inspect(name).await
}

#[tokio::test]
async fn it_is_made_anew_and_keeps_what_it_had() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let net = engine.name("net");
        let subnet = if engine.is_podman() { "10.213.9.0/24" } else { "10.213.7.0/24" };
        let network = engine.docker(&["network", "create", "--subnet", subnet, &net]).await;
        engine.goes_too("network", &network);
        let second = engine.network(&engine.name("second")).await;
        let volume = engine.volume("data", "").await;
        let address = if engine.is_podman() { String::new() } else { "--ip 10.213.7.9 --network-alias db ".to_owned() };
        let line = format!(
            "--network {net} {address}-v {volume}:/srv -v /anonymous -e TOKEN=hunter2 -e MODE=mine -l a=b -p 127.0.0.1::80 --restart unless-stopped web:1"
        );
        let web = engine.run("web", &line).await;
        engine.docker(&["network", "connect", "--alias", "other", &second, &web.name]).await;
        engine
            .docker(&[
                "exec",
                &web.name,
                "sh",
                "-c",
                "echo kept > /srv/x; echo kept > /anonymous/x; echo kept > /data/x",
            ])
            .await;
        console.sees_state(&web.id, "running").await;
        let mut had = engine.mounts(&web.id).await;
        had.sort();
        let form = console.get(&web.path("edit")).await.expect(200);
        assert!(!form.body.contains("hunter2"), "S044: what is hidden stays so");
        contains_all(&form.text("h1"), &["Edit"]);
        let sent = with(fields(&form, "#create"), "memory", "64m");
        let sent = with(sent, "hostname", "inside");
        let plan = post(&console, &web.path("edit"), &sent).await.expect(200);
        contains_all(&plan.text("table.differs"), &["--memory", "64m", "--hostname", "inside"]);
        assert_eq!(plan.texts("table.differs tbody tr").len(), 2, "{}", plan.text("table.differs"));
        assert_eq!(engine.inspect(&web.id).await["Config"]["Hostname"], web.id[..12], "nothing is done yet");
        let job = replaced(&console, &web, &plan, "1").await;
        contains_all(&job.text("main"), &["done in", "docker rename", "docker start"]);
        assert!(!job.body.contains("hunter2"));
        assert!(!engine.exists(&web.id).await, "the old one is gone");
        let now = named(&engine, &web.name).await;
        assert_eq!(now["State"]["Running"], true);
        assert_eq!(now["Config"]["Hostname"], "inside");
        assert_eq!(now["HostConfig"]["Memory"], 64 << 20);
        let env: Vec<&str> = now["Config"]["Env"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(env.contains(&"TOKEN=hunter2") && env.contains(&"MODE=mine"), "{env:?}");
        let read = engine.docker(&["exec", &web.name, "cat", "/srv/x", "/anonymous/x", "/data/x"]).await;
        assert_eq!(read, "kept\nkept\nkept", "volumes stay, those without a name too");
        let networks = now["NetworkSettings"]["Networks"].as_object().cloned().unwrap_or_default();
        assert_eq!(networks.len(), 2, "{networks:?}");
        if !engine.is_podman() {
            assert_eq!(networks[&net]["IPAddress"], "10.213.7.9");
            assert!(
                networks[&net]["Aliases"].to_string().contains("\"db\"")
                    && !networks[&net]["Aliases"].to_string().contains(&web.id[..12])
            );
        }
        // Once more: what was kept is kept again.
        let again = Made { id: now["Id"].as_str().expect("an id").to_owned(), name: web.name.clone() };
        console.sees_state(&again.id, "running").await;
        let plan = planned(&console, &again, "hostname", "").await;
        replaced(&console, &again, &plan, "0").await;
        assert_eq!(engine.docker(&["exec", &web.name, "cat", "/anonymous/x", "/data/x"]).await, "kept\nkept");
        let mut mounts = engine.mounts(&web.name).await;
        mounts.sort();
        assert_eq!(mounts, had, "the very volumes");
    }
}

#[tokio::test]
async fn s085_what_does_not_run_is_put_back() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let web = engine.run("web", "-e A=1 busybox sh -c 'echo hello; sleep 1000'").await;
        console.sees_state(&web.id, "running").await;
        // It ends at once, and says why.
        let plan = planned(&console, &web, "command", "sh -c 'echo no such file >&2; exit 3'").await;
        let job = replaced(&console, &web, &plan, "5").await;
        contains_all(&job.text("main"), &["failed after", "exit code 3", "no such file", "runs as before"]);
        let now = named(&engine, &web.name).await;
        assert_eq!((now["Id"].as_str(), &now["State"]["Running"]), (Some(web.id.as_str()), &Value::Bool(true)));
        // It cannot even be started.
        let plan = planned(&console, &web, "entrypoint", "/no/such/program").await;
        let job = replaced(&console, &web, &plan, "5").await;
        contains_all(&job.text("main"), &["failed after", "runs as before"]);
        assert_eq!(named(&engine, &web.name).await["State"]["Running"], true);
        // There is no such image.
        let plan = planned(&console, &web, "image", "localhost:1/none:1").await;
        let job = replaced(&console, &web, &plan, "5").await;
        contains_all(&job.text("main"), &["failed after"]);
        assert_eq!(named(&engine, &web.name).await["Id"], web.id.as_str());
        // A stopped one stays stopped.
        engine.docker(&["stop", "-t", "0", &web.id]).await;
        console.sees_state(&web.id, "exited").await;
        let plan = planned(&console, &web, "hostname", "inside").await;
        let job = replaced(&console, &web, &plan, "5").await;
        contains_all(&job.text("main"), &["done in"]);
        let now = named(&engine, &web.name).await;
        assert_eq!(
            (&now["State"]["Running"], &now["Config"]["Hostname"]),
            (&Value::Bool(false), &Value::from("inside"))
        );
        let left = engine.docker(&["ps", "-aq", "--filter", &format!("name={}", web.name)]).await;
        assert_eq!(left.lines().count(), 1, "nothing is left of the tries");
    }
}

#[tokio::test]
async fn s085_a_console_that_is_killed_meanwhile_puts_it_back() {
    let engine = RealEngine::docker28();
    let data = tempfile::tempdir().expect("a folder");
    let each = [
        ("/containers/create", "create"),
        ("/containers/*/rename", "rename"),
        ("/containers/*/stop", "stop"),
        ("/containers/*/start", "start"),
        ("", "inspect"),
    ];
    for (held, step) in each {
        let proxy = FaultProxy::before(&engine.socket);
        let start = || Console::start(proxy.socket()).data_in(data.path());
        let console = start().ready().await;
        let web = engine.run("web", "-v /data busybox sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'").await;
        console.sees_state(&web.id, "running").await;
        let plan = planned(&console, &web, "hostname", "inside").await;
        let sent = with(fields(&plan, "form.confirm"), "watch", "300");
        if !held.is_empty() {
            proxy.faults(|faults| faults.held = Some(held));
        }
        let job = post(&console, &web.path("replace"), &sent).await.leads_to();
        until("it has come there", async || {
            let page = console.get(&job).await.expect(200);
            page.texts("main code").iter().any(|it| it.starts_with(&format!("docker {step}"))).then_some(())
        })
        .await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        // SIGKILL, in the middle.
        drop(console);
        proxy.heal();
        let console = start().ready().await;
        console.expect_log("a container was being made anew when the console ended");
        until("it is put back", async || {
            let now = engine.try_docker(&["inspect", "-f", "{{.Id}} {{.State.Running}}", &web.name]).await.ok()?;
            (now == format!("{} true", web.id)).then_some(())
        })
        .await;
        let page = until("it says so", async || {
            let page = console.get(&job).await.expect(200);
            page.said().contains("runs as before").then_some(page)
        })
        .await;
        contains_all(&page.text("main"), &["interrupted"]);
        let left = engine.docker(&["ps", "-aq", "--filter", &format!("name={}", web.name)]).await;
        assert_eq!(left.lines().count(), 1, "{held}: nothing is left of the try");
        assert_eq!(std::fs::read_dir(data.path().join("replacing")).expect("a folder").count(), 0, "{held}");
        engine.docker(&["rm", "-f", "-v", &web.id]).await;
    }
}

#[tokio::test]
async fn s085_a_console_that_is_killed_at_the_end_clears_away() {
    let engine = RealEngine::docker28();
    let data = tempfile::tempdir().expect("a folder");
    let proxy = FaultProxy::before(&engine.socket);
    let start = || Console::start(proxy.socket()).data_in(data.path());
    let console = start().ready().await;
    let web = engine.run("web", "busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    let plan = planned(&console, &web, "hostname", "inside").await;
    proxy.faults(|faults| faults.held = Some("/containers/*?force"));
    let job = post(&console, &web.path("replace"), &with(fields(&plan, "form.confirm"), "watch", "0")).await.leads_to();
    until("the old one is about to go", async || console.get(&job).await.said().contains("docker rm ").then_some(()))
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    drop(console);
    proxy.heal();
    let console = start().ready().await;
    until("the old one is gone", async || (!engine.exists(&web.id).await).then_some(())).await;
    let now = named(&engine, &web.name).await;
    assert_eq!(
        (&now["Config"]["Hostname"], &now["State"]["Running"]),
        (&Value::from("inside"), &Value::Bool(true)),
        "the new one has shown that it runs, and stays"
    );
    until("nothing is under way", async || {
        (std::fs::read_dir(data.path().join("replacing")).expect("a folder").count() == 0).then_some(())
    })
    .await;
    drop(console);
}

#[tokio::test]
async fn another_name_is_given() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let web = engine.run("web", "busybox sleep 1000").await;
        console.sees_state(&web.id, "running").await;
        // With something else: anew, under the new name.
        let form = console.get(&web.path("edit")).await.expect(200);
        let next = engine.name("next");
        let sent = with(with(fields(&form, "#create"), "hostname", "inside"), "name", &next);
        let plan = post(&console, &web.path("edit"), &sent).await.expect(200);
        contains_all(&plan.text("table.differs"), &["--name", &next, "--hostname"]);
        assert!(!plan.has("#in-place"));
        let job = replaced(&console, &web, &plan, "0").await;
        contains_all(&job.text("main"), &["done in", &format!("docker start {next}")]);
        let now = engine.made("next").await;
        assert!(!engine.exists(&web.name).await && !engine.exists(&web.id).await);
        assert_eq!(named(&engine, &next).await["Config"]["Hostname"], "inside");
        // Alone: it stays the very container.
        console.sees_state(&now.id, "running").await;
        let last = engine.name("last");
        let plan = planned(&console, &now, "name", &last).await;
        contains_all(&plan.text("#in-place-line"), &["docker rename", &next, &last]);
        post(&console, &now.path("rename"), &fields(&plan, "#in-place")).await;
        assert_eq!(engine.made("last").await.id, now.id);
        // Without one it keeps the one that it has; what goes wrong gives it back.
        let now = engine.made("last").await;
        until("the name is known", async || console.get(&now.path("edit")).await.said().contains(&last).then_some(()))
            .await;
        contains_all(&planned(&console, &now, "name", "").await.text("main"), &["Nothing changes"]);
        let form = console.get(&now.path("edit")).await.expect(200);
        let sent = with(with(fields(&form, "#create"), "command", "false"), "name", &engine.name("never"));
        let plan = post(&console, &now.path("edit"), &sent).await.expect(200);
        let job = replaced(&console, &now, &plan, "5").await;
        contains_all(&job.text("main"), &["failed after", &format!("{last} runs as before")]);
        let had = engine.made("last").await;
        assert_eq!(had.id, now.id);
    }
}

#[tokio::test]
async fn a_cancelled_one_is_put_back() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = engine.run("web", "busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    let plan = planned(&console, &web, "hostname", "inside").await;
    let sent = with(fields(&plan, "form.confirm"), "watch", "300");
    let job = post(&console, &web.path("replace"), &sent).await.leads_to();
    until("it is watched", async || console.get(&job).await.said().contains("does it run?").then_some(())).await;
    console.post(&format!("{job}/cancel"), &[]).await;
    until("it is put back", async || {
        let now = engine.try_docker(&["inspect", "-f", "{{.Id}} {{.State.Running}}", &web.name]).await.ok()?;
        (now == format!("{} true", web.id)).then_some(())
    })
    .await;
    contains_all(&console.get(&job).await.text("main"), &["cancelled"]);
}

/// The engine goes on ending what it was asked to end, whoever asked it.
#[tokio::test]
async fn one_that_is_cancelled_while_the_old_one_ends_runs_again_with_who_has_its_network() {
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let console = Console::on(&engine).await;
        // It does not hear SIGTERM.
        let web = engine.run("web", "--stop-timeout 4 busybox sleep 1000").await;
        let line = format!("--network container:{} --stop-timeout 0 busybox sleep 1000", web.name);
        let sharer = engine.run("sharer", &line).await;
        console.sees_state(&web.id, "running").await;
        console.sees_state(&sharer.id, "running").await;
        let plan = planned(&console, &web, "hostname", "inside").await;
        let job = post(&console, &web.path("replace"), &fields(&plan, "form.confirm")).await.leads_to();
        until("it ends", async || console.get(&job).await.said().contains("docker stop").then_some(())).await;
        console.post(&format!("{job}/cancel"), &[]).await;
        until("it is put back", async || console.get(&job).await.said().contains("runs as before").then_some(())).await;
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        assert_eq!((engine.state(&web.id).await, engine.made("web").await.id), ("running".to_owned(), web.id.clone()));
        contains_all(&console.get(&job).await.text("main"), &[&format!("docker restart {}", sharer.name)]);
        let interfaces = engine.docker(&["exec", &sharer.name, "ls", "/sys/class/net"]).await;
        assert!(interfaces.contains("eth0"), "{interfaces}");
    }
}

#[tokio::test]
async fn a_newer_image_brings_its_own_defaults() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let Ok(known) = std::env::var("WHEELHOUSE_TEST_REGISTRY") else { return };
        let registry = known.split('/').next().unwrap_or_default();
        let image = format!("{registry}/{}:1", engine.name("app"));
        engine.goes_too("image", &image);
        let build = async |mode: &str| {
            let made = engine.create(&format!("of-{mode}"), "busybox").await;
            // By the API: what the docker command sends, podman does not read.
            let changes = format!("ENV MODE={mode}\nCMD [\"sleep\", \"1000\"]");
            let (repo, tag) = image.rsplit_once(':').expect("a tag");
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("container", made.id.as_str()), ("repo", repo), ("tag", tag), ("changes", &changes)])
                .finish();
            let path = format!("/v1.41/commit?{query}");
            let (status, said) = ask_engine(&engine.socket, "POST", &path, Some(serde_json::json!({}))).await;
            assert_eq!(status, 201, "{said}");
            engine.docker(&["push", &image]).await;
        };
        build("first").await;
        let web = engine.run("web", &format!("-e OWN=1 {image}")).await;
        console.sees_state(&web.id, "running").await;
        contains_all(&console.get(&web.path("renew")).await.expect(200).text("main"), &[&image, "docker pull"]);
        // There is none.
        let job = console.job_of(&console.post(&web.path("renew"), &[("watch", "0")]).await).await;
        contains_all(&job.text("main"), &["done in", "newest", "nothing was changed"]);
        assert!(engine.exists(&web.id).await);
        // There is one.
        build("second").await;
        let job = console.job_of(&console.post(&web.path("renew"), &[("watch", "0")]).await).await;
        contains_all(&job.text("main"), &["done in", "docker pull"]);
        let now = named(&engine, &web.name).await;
        assert_ne!(now["Id"], web.id.as_str());
        let env = now["Config"]["Env"].to_string();
        assert!(env.contains("MODE=second") && env.contains("OWN=1") && !env.contains("MODE=first"), "{env}");
    }
}

#[tokio::test]
async fn what_can_be_changed_in_place_is() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = engine.run("web", "--memory 32m busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    let plan = planned(&console, &web, "restart", "unless-stopped").await;
    contains_all(&plan.text("main"), &["can do this in place", "docker update --restart unless-stopped"]);
    post(&console, &web.path("update"), &fields(&plan, "#in-place")).await;
    let now = engine.inspect(&web.id).await;
    assert_eq!(now["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
    // What docker calls none, and the swap that an engine adds by itself only when it creates.
    console.sees(&web.id).await;
    let plan = planned(&console, &web, "restart", "").await;
    contains_all(&plan.text("#in-place-line"), &["docker update --restart no"]);
    let plan = planned(&console, &web, "memory", "256m").await;
    contains_all(&plan.text("#in-place-line"), &["docker update --memory 256m --memory-swap 512m"]);
    post(&console, &web.path("update"), &fields(&plan, "#in-place")).await;
    let now = engine.inspect(&web.id).await;
    assert_eq!(
        (&now["HostConfig"]["Memory"], &now["HostConfig"]["MemorySwap"]),
        (&(256 << 20).into(), &(512 << 20).into())
    );
    // A limit cannot be taken away in place.
    console.sees(&web.id).await;
    let plan = planned(&console, &web, "memory", "").await;
    assert!(!plan.has("#in-place"));
    // Nothing is nothing.
    let form = console.get(&web.path("edit")).await.expect(200);
    let plan = post(&console, &web.path("edit"), &fields(&form, "#create")).await.expect(200);
    contains_all(&plan.text("main"), &["Nothing changes"]);
}

#[tokio::test]
async fn what_could_not_be_kept_is_refused() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let gone = engine.run("gone", "--rm busybox sleep 1000").await;
    let other = engine.run("other", "busybox sleep 1000").await;
    console.sees_state(&gone.id, "running").await;
    console.sees_state(&other.id, "running").await;
    let plan = planned(&console, &gone, "hostname", "inside").await;
    contains_all(&plan.text("main"), &["cannot be made anew", "--rm"]);
    let answer = post(&console, &gone.path("replace"), &fields(&plan, "form.confirm")).await.expect(409);
    contains_all(&answer.said(), &["--rm"]);
    engine.docker(&["pause", &other.id]).await;
    console.sees_state(&other.id, "paused").await;
    let plan = planned(&console, &other, "hostname", "inside").await;
    let answer = post(&console, &other.path("replace"), &fields(&plan, "form.confirm")).await.expect(409);
    contains_all(&answer.said(), &["paused"]);
    engine.docker(&["unpause", &other.id]).await;
    console.sees_state(&other.id, "running").await;
    // A name that another has, at its field.
    let form = console.get(&other.path("edit")).await.expect(200);
    let answer =
        post(&console, &other.path("edit"), &with(fields(&form, "#create"), "name", &gone.name)).await.expect(409);
    assert!(answer.has("#f-name[aria-invalid]"));
    // A time that is none.
    let plan = planned(&console, &other, "hostname", "inside").await;
    let answer =
        post(&console, &other.path("replace"), &with(fields(&plan, "form.confirm"), "watch", "soon")).await.expect(422);
    assert!(answer.has("#f-watch[aria-invalid]") && answer.has("[name=hostname][value=inside]"), "nothing is lost");
}

#[tokio::test]
async fn a_duplicate_is_like_it_under_another_name() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = engine.run("web", "-e TOKEN=hunter2 -e 'A=two\nlines' -l x=y -m 64m busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    let form = console.get(&format!("/containers/new?from={}", web.id)).await.expect(200);
    assert!(!form.body.contains("hunter2") && form.attribute("[name=name]", "value").unwrap_or_default().is_empty());
    let sent = with(fields(&form, "#create"), "name", &engine.name("twin"));
    let answer = post(&console, "/containers", &sent).await;
    answer.leads_to();
    let twin = engine.made("twin").await;
    let (first, second) = (engine.inspect(&web.id).await, engine.inspect(&twin.id).await);
    let env = |has: &Value| {
        let mut env: Vec<String> =
            has["Config"]["Env"].as_array().into_iter().flatten().map(ToString::to_string).collect();
        env.sort();
        env
    };
    assert_eq!(env(&first), env(&second));
    assert_eq!(first["Config"]["Labels"], second["Config"]["Labels"]);
    assert_eq!(first["HostConfig"]["Memory"], second["HostConfig"]["Memory"]);
    console.get("/containers/new?from=../x").await.expect(404);
}

#[tokio::test]
async fn who_has_its_network_is_made_anew_with_it() {
    // podman lists no container with whose network it has.
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let console = Console::on(&engine).await;
        let vpn = engine.run("vpn", "busybox sleep 1000").await;
        let client =
            engine.run("client", &format!("--network container:{} -v /data -e A=1 busybox sleep 1000", vpn.name)).await;
        let other = engine.run("other", &format!("--network container:{} busybox sleep 1000", vpn.name)).await;
        for made in [&vpn, &client, &other] {
            console.sees_state(&made.id, "running").await;
        }
        engine.docker(&["exec", &client.name, "sh", "-c", "echo kept > /data/x"]).await;
        let plan = planned(&console, &vpn, "env-name", "B").await;
        contains_all(&plan.text("form.confirm"), &[&client.name, &other.name, "has its network"]);
        // All are ticked; one is left out.
        let mut sent = with(fields(&plan, "form.confirm"), "watch", "0");
        assert_eq!(sent.iter().filter(|(name, _)| name == "follow").count(), 2);
        sent.retain(|(_, value)| *value != other.id);
        let job = console.job_of(&post(&console, &vpn.path("replace"), &sent).await).await;
        contains_all(&job.text("main"), &["done in", &format!("docker start {}", client.name)]);
        let (now, follower) = (engine.made("vpn").await, engine.made("client").await);
        assert!(now.id != vpn.id && follower.id != client.id);
        let has = engine.inspect(&follower.id).await;
        assert_eq!(has["HostConfig"]["NetworkMode"], format!("container:{}", now.id));
        assert_eq!(has["State"]["Running"], true);
        assert_eq!(engine.docker(&["exec", &client.name, "cat", "/data/x"]).await, "kept");
        let seen = async |name: &str| engine.docker(&["exec", name, "hostname"]).await;
        assert_eq!(seen(&client.name).await, seen(&vpn.name).await, "one network, one name");
        assert_eq!(engine.made("other").await.id, other.id, "who was not ticked stays");
    }
}

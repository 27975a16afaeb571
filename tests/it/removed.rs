//! What was removed comes back, as created.

use crate::{
    create::comparable,
    support::{Console, RealEngine, contains_all, until},
};

#[tokio::test]
async fn a_removal_is_undone_on_every_engine() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let data = tempfile::tempdir().expect("a folder");
        let console = Console::start(&engine.socket).data_in(data.path()).ready().await;
        let volume = engine.volume("data", "").await;
        let line =
            format!("-v {volume}:/srv -v /anonymous -e TOKEN=hunter2 -l a=b -m 64m --restart unless-stopped web:1");
        let web = engine.run("web", &line).await;
        engine.docker(&["exec", &web.name, "sh", "-c", "echo kept > /srv/x; echo kept > /anonymous/x"]).await;
        console.sees_state(&web.id, "running").await;
        let before = engine.inspect(&web.id).await;
        let mut had = engine.mounts(&web.id).await;
        had.sort();
        // The message right after it offers to undo it.
        let answer =
            console.ask("POST", &web.path("remove")).header("hx-request", "true").form(&[("force", "1")]).send().await;
        contains_all(&answer.expect(200).said(), &["was removed", "Undo", "What comes back"]);
        assert!(!engine.exists(&web.id).await);
        // A restart forgets nothing, and nobody else reads it.
        drop(console);
        for entry in std::fs::read_dir(data.path().join("removed")).expect("a folder") {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &entry.expect("an entry").metadata().expect("a file").permissions(),
            );
            assert_eq!(mode & 0o077, 0);
        }
        let console = Console::start(&engine.socket).data_in(data.path()).ready().await;
        let page = console.get("/containers/removed").await.expect(200);
        let card = format!("[data-removed='{}']", web.id);
        contains_all(&page.text(&card), &[&web.name, "web:1", "docker create", "does not come back", "start it"]);
        assert!(!page.body.contains("hunter2"), "S044");
        console.post(&format!("/containers/removed/{}/restore", web.id), &[]).await.leads_to();
        let again = engine.made("web").await;
        assert_eq!(engine.state(&again.id).await, "created", "{}", engine.socket.display());
        let after = engine.inspect(&again.id).await;
        let env = |has: &serde_json::Value| has["Config"]["Env"].to_string().contains("TOKEN=hunter2");
        assert!(env(&before) && env(&after));
        if !engine.is_podman() {
            let plain = |has: serde_json::Value| {
                let mut has = comparable(has);
                has["HostConfig"]["Binds"] = serde_json::Value::Null;
                has["Config"]["Volumes"] = serde_json::Value::Null;
                for stream in ["AttachStdout", "AttachStderr"] {
                    has["Config"][stream] = serde_json::Value::Null;
                }
                has
            };
            assert_eq!(plain(before), plain(after));
        }
        let mut has = engine.mounts(&again.id).await;
        has.sort();
        assert_eq!(has, had, "the very volumes");
        assert!(!console.get("/containers/removed").await.has(&card), "it is there again");
        engine.docker(&["rm", "-f", "-v", &again.id]).await;
    }
}

#[tokio::test]
async fn what_cannot_come_back_is_told() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let web = engine.create("web", "-v /anonymous busybox sleep 1000").await;
    console.sees(&web.id).await;
    console.post(&web.path("remove"), &[("volumes", "1")]).await.leads_to();
    until("its volume is known to be gone", async || {
        let page = console.get("/containers/removed").await.expect(200);
        page.said().contains("its volume without a name was removed too").then_some(())
    })
    .await;
    // Another has its name by now.
    let other = engine.create("web", "busybox").await;
    console.sees(&other.id).await;
    let restore = format!("/containers/removed/{}/restore", web.id);
    let answer = console.post(&restore, &[]).await.expect(409);
    contains_all(&answer.said(), &["was not made again", "has its name by now", &other.name]);
    // It can be forgotten.
    console.post(&format!("/containers/removed/{}/forget", web.id), &[]).await.leads_to();
    console.post(&restore, &[]).await.expect(404);
}

#[tokio::test]
async fn s041_what_was_removed_belongs_to_its_team() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "label:team=red").await;
    let vic = console.hire(&admin, "vic", "viewer", "").await;
    let (red, blue) = (
        engine.create("red", "-l team=red -e TOKEN=hunter2 busybox").await,
        engine.create("blue", "-l team=blue busybox").await,
    );
    for made in [&red, &blue] {
        console.sees_as(&admin, &made.id).await;
        console.by(&admin, "POST", &made.path("remove")).send().await.expect(303);
    }
    let page = console.by(&ann, "GET", "/containers/removed").send().await.expect(200);
    assert!(page.said().contains(&red.name) && !page.said().contains(&blue.name) && !page.body.contains("hunter2"));
    console.by(&ann, "POST", &format!("/containers/removed/{}/restore", blue.id)).send().await.expect(404);
    console.by(&vic, "GET", "/containers/removed").send().await.expect(403);
    console.by(&ann, "POST", &format!("/containers/removed/{}/restore", red.id)).send().await.expect(303);
    assert!(engine.exists(&red.name).await);
}

#[tokio::test]
async fn many_that_were_removed_are_offered_back() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let (one, two) = (engine.create("one", "busybox").await, engine.run("two", "busybox sleep 1000").await);
    console.sees(&one.id).await;
    console.sees_state(&two.id, "running").await;
    let ask = async |action: &str, more: &[(&str, &str)]| {
        let mut fields = vec![("action", action), ("id", one.id.as_str()), ("id", two.id.as_str())];
        fields.extend_from_slice(more);
        console.ask("POST", "/containers/bulk").header("hx-request", "true").form(&fields).send().await.expect(200)
    };
    assert!(!ask("start", &[]).await.said().contains("Undo"), "only what was removed");
    let answer = ask("remove", &[("force", "1")]).await;
    contains_all(&answer.said(), &["2 containers", "Undo"]);
    assert!(answer.has("a[href='/containers/removed']"));
    let page = console.get("/containers/removed").await;
    contains_all(&page.text("main"), &[&one.name, &two.name]);
}

#[tokio::test]
async fn what_goes_when_it_ends_is_kept_too() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let web = engine.run("web", "--rm --stop-timeout 0 -e A=1 busybox sleep 1000").await;
        console.sees_state(&web.id, "running").await;
        contains_all(&console.get(&web.path("kill")).await.expect(200).text("main"), &["--rm", "it is removed"]);
        let answer = console.ask("POST", &web.path("stop")).header("hx-request", "true").form(&[]).send().await;
        contains_all(&answer.expect(200).said(), &["is gone", "--rm", "Undo"]);
        assert!(!engine.exists(&web.id).await);
        let page = console.get("/containers/removed").await.expect(200);
        contains_all(&page.text(&format!("[data-removed='{}']", web.id)), &[&web.name, "docker create"]);
    }
}

/// What was made anew has its volumes without a name by the names that the engine calls them by: -v of docker leaves those.
#[tokio::test]
async fn volumes_without_a_name_go_with_who_was_made_anew() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let volume = "0123456789abcdef".repeat(4);
    engine.goes_too("volume", &volume);
    let web = engine.create("web", &format!("-v {volume}:/data busybox true")).await;
    console.sees(&web.id).await;
    let answer =
        console.ask("POST", &web.path("remove")).header("hx-request", "true").form(&[("volumes", "1")]).send().await;
    contains_all(&answer.expect(200).said(), &["was removed", &format!("docker volume rm {volume}")]);
    assert!(engine.try_docker(&["volume", "inspect", &volume]).await.is_err());
}

//! Volumes: the list, one of them, making, removing and pruning.
//!
//! Others use the same engine, so nothing here prunes what it did not make itself.

use serde_json::{Value, json};

use crate::support::*;

fn row(name: &str) -> String {
    format!("tr[data-name='{name}']")
}

#[tokio::test]
async fn a_row_says_who_uses_it() {
    let engine = RealEngine::docker28();
    let used = engine.volume("used", "").await;
    let free = engine.volume("free", "--label team=shop").await;
    let stopped = engine.create("stopped", &format!("-v {used}:/srv web:1")).await;
    let running = engine.run("running", &format!("-v {used}:/srv busybox sleep 1000")).await;
    let anonymous = engine.mounts(&stopped.id).await.into_iter().find(|(_, path)| path == "/data").expect("a volume").0;
    let console = Console::on(&engine).await;
    console.sees_volume(&used).await;
    console.sees_state(&running.id, "running").await;
    let page = console.get(&format!("/volumes?q={used}")).await.expect(200);
    contains_all(
        &page.text(&row(&used)),
        &[&used, "named", "local", &stopped.name, "created", &running.name, "running"],
    );
    for user in [&stopped, &running] {
        assert!(page.has(&format!("{} a[href='{}']", row(&used), user.path(""))), "{} is linked", user.name);
    }
    contains_all(&console.get(&format!("/volumes?q={free}")).await.text(&row(&free)), &["nobody"]);
    let page = console.get(&format!("/volumes?q={anonymous}")).await;
    contains_all(&page.text(&row(&anonymous)), &["anonymous", &stopped.name]);
    for (show, there, not_there) in [
        ("used", vec![&used, &anonymous], vec![&free]),
        ("unused", vec![&free], vec![&used]),
        ("anonymous", vec![&anonymous], vec![&used, &free]),
    ] {
        let has = async |name: &str| console.get(&format!("/volumes?show={show}&q={name}")).await.has(&row(name));
        for name in there {
            assert!(has(name).await, "{name} is {show}");
        }
        for name in not_there {
            assert!(!has(name).await, "{name} is not {show}");
        }
    }
    assert!(console.get("/volumes?q=team%3Dshop").await.has(&row(&free)), "labels are searched");
    for (query, command) in [
        ("", "docker volume ls"),
        ("?show=unused", "docker volume ls --filter dangling=true"),
        ("?show=used", "docker volume ls --filter dangling=false"),
    ] {
        assert_eq!(console.get(&format!("/volumes{query}")).await.commands()[0], command);
    }
    let one = console.get(&format!("/volumes/{used}")).await.expect(200);
    contains_all(
        &one.text("main"),
        &[&used, "named", "local", &stopped.name, &running.name, "/srv", "cannot be removed"],
    );
    assert_eq!(one.commands()[0], format!("docker volume inspect {used}"));
    let raw = console.get(&format!("/volumes/{used}/inspect.json")).await.expect(200);
    assert_eq!(raw.json()["Name"], Value::String(used.clone()));
    let size = console.get(&format!("/volumes/{free}")).await.text("main");
    contains_all(&size, &["not measured", "team=shop", "Nobody"]);
}

#[tokio::test]
async fn sizes_are_asked_for_and_never_in_the_way() {
    let engine = RealEngine::docker28();
    let volume = engine.volume("full", "").await;
    let fill = format!("-v {volume}:/srv busybox sh -c 'head -c 3000000 /dev/zero > /srv/x; sleep 1000'");
    let web = engine.run("web", &fill).await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let list = format!("/volumes?q={volume}");
    let page = console.get(&list).await;
    assert!(page.has("#head button[formaction='/volumes/measure']"), "it is asked for by a button");
    assert_eq!(console.post("/volumes/measure", &[("back", &list)]).await.leads_to(), list);
    let row = until("it is measured", async || {
        let row = console.get(&list).await.text(&row(&volume));
        row.contains("MiB").then_some(row)
    })
    .await;
    contains_all(&row, &["2.86 MiB"]);
    contains_all(&console.get(&format!("/volumes/{volume}")).await.text("main"), &["2.86 MiB"]);
}

#[tokio::test]
async fn making_one_with_options_and_labels() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let name = engine.name("tmp");
    let form = [
        ("name", &*name),
        ("driver", "local"),
        ("option-name", "type"),
        ("option-value", "tmpfs"),
        ("option-name", "device"),
        ("option-value", "tmpfs"),
        ("option-name", ""),
        ("option-value", ""),
        ("label-name", "team"),
        ("label-value", "shop & co"),
    ];
    // With the fields in the address it is the form as it stands, with its command.
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let draft = console.get(&format!("/volumes/new?{query}")).await.expect(200);
    let shown = draft.commands()[0].clone();
    assert_eq!(shown, format!("docker volume create -o type=tmpfs -o device=tmpfs --label 'team=shop & co' {name}"));
    assert_eq!(console.post("/volumes", &form).await.leads_to(), format!("/volumes/{name}"));
    let ours = engine.inspect_volume(&name).await.expect("it was created");
    assert_eq!(ours["Options"], json!({"type": "tmpfs", "device": "tmpfs"}));
    assert_eq!(ours["Labels"], json!({"team": "shop & co"}));
    contains_all(
        &console.get(&format!("/volumes/{name}")).await.expect(200).text("main"),
        &["type=tmpfs", "team=shop & co"],
    );
    // The command that was shown makes the same.
    engine.docker(&["volume", "rm", &name]).await;
    engine.shell(&shown).await;
    let theirs = engine.inspect_volume(&name).await.expect("it was created");
    assert_eq!(
        (&theirs["Options"], &theirs["Labels"], &theirs["Driver"]),
        (&ours["Options"], &ours["Labels"], &ours["Driver"])
    );
    // Without a name it is an anonymous one.
    let page = console.post("/volumes", &[]).await.leads_to();
    let made = page.trim_start_matches("/volumes/");
    engine.goes_too("volume", made);
    assert_eq!(made.len(), 64, "{page}");
    contains_all(&console.get(&page).await.text("main"), &["anonymous"]);
}

#[tokio::test]
async fn a_form_that_is_wrong_comes_back_whole() {
    let engine = RealEngine::docker28();
    let taken = engine.volume("taken", "").await;
    let console = Console::on(&engine).await;
    console.sees_volume(&taken).await;
    let form = [
        ("name", "../x"),
        ("driver", "local"),
        ("option-name", ""),
        ("option-value", "lonely"),
        ("label-name", "kept"),
        ("label-value", "\"yes\""),
    ];
    let page = console.post("/volumes", &form).await.expect(422);
    let places = page.attributes("#errors a", "href");
    assert_eq!(places, ["#f-name", "#f-option"], "{}", page.text("#errors"));
    assert!(page.has("#f-name[aria-invalid]"));
    assert_eq!(page.attribute("#f-name", "value").as_deref(), Some("../x"));
    assert!(page.attributes("[name=label-value]", "value").contains(&"\"yes\"".to_owned()));
    let values = page.attributes("[name=option-value]", "value");
    assert!(values.contains(&"lonely".to_owned()), "what was typed is kept: {values:?}");
    let page = console.post("/volumes", &[("name", &taken)]).await.expect(409);
    contains_all(&page.text("#errors"), &[&taken, "already"]);
    let name = engine.name("odd");
    let page = console.post("/volumes", &[("name", &name), ("driver", "no-such-driver")]).await;
    assert!((400..500).contains(&page.status), "{}", page.status);
    contains_all(&page.text("#errors"), &["Driver", "no-such-driver"]);
    assert_eq!(page.attribute("#f-driver", "value").as_deref(), Some("no-such-driver"));
    assert!(engine.inspect_volume(&name).await.is_none());
}

#[tokio::test]
async fn removing_one() {
    let engine = RealEngine::docker28();
    let (one, two) = (engine.volume("one", "").await, engine.volume("two", "").await);
    let console = Console::on(&engine).await;
    console.sees_volume(&one).await;
    console.sees_volume(&two).await;
    let form = console.get(&format!("/volumes/{one}/remove")).await.expect(200);
    contains_all(&form.text("#confirm"), &[&one, "gone for good"]);
    assert_eq!(form.commands(), [format!("docker volume rm {one}")]);
    let action = form.attribute("#confirm form", "action").expect("a form");
    let to = console.post(&action, &[("back", &format!("/volumes/{one}"))]).await.leads_to();
    assert_eq!(to, "/volumes", "not back to what is gone");
    assert!(engine.inspect_volume(&one).await.is_none());
    assert!(!console.get(&format!("/volumes?q={one}")).await.has(&row(&one)), "the list knows at once");
    let ask = console.ask("POST", &format!("/volumes/{two}/remove")).htmx();
    contains_all(&ask.form(&[]).send().await.expect(200).body, &["<hx-partial", &format!("docker volume rm {two}")]);
    for path in ["", "/remove", "/inspect.json"] {
        console.get(&format!("/volumes/{one}{path}")).await.expect(404);
    }
    console.post(&action, &[]).await.expect(404);
}

#[tokio::test]
async fn s079_a_refusal_names_and_links_what_blocks_it() {
    let engine = RealEngine::docker28();
    let volume = engine.volume("used", "").await;
    let stopped = engine.create("stopped", &format!("-v {volume}:/srv busybox")).await;
    let running = engine.run("running", &format!("-v {volume}:/srv busybox sleep 1000")).await;
    let console = Console::on(&engine).await;
    console.sees(&stopped.id).await;
    console.sees_state(&running.id, "running").await;
    let form = console.get(&format!("/volumes/{volume}/remove")).await.expect(200);
    contains_all(&form.text("#confirm"), &[&stopped.name, &running.name]);
    let refusal = console.post(&format!("/volumes/{volume}/remove"), &[]).await.expect(409);
    contains_all(&refusal.text("main"), &[&volume, &stopped.name, "created", &running.name, "running"]);
    for user in [&stopped, &running] {
        assert!(refusal.has(&format!("main a[href='{}']", user.path(""))), "{} is linked", user.name);
        assert!(refusal.has(&format!("main a[href='{}']", user.path("remove"))), "so is its removal");
    }
    let toast = console.ask("POST", &format!("/volumes/{volume}/remove")).htmx().form(&[]).send().await.expect(409);
    contains_all(&toast.body, &["<hx-partial", &stopped.path("")]);
    assert!(engine.inspect_volume(&volume).await.is_some());
}

#[tokio::test]
async fn pruning_shows_its_list_acts_on_it_and_says_what_came_of_it() {
    let engine = RealEngine::docker28();
    let (goes, busy) = (engine.volume("goes", "").await, engine.volume("busy", "").await);
    let (other, held) = (engine.volume("other", "").await, engine.volume("held", "").await);
    let holder = engine.create("holder", &format!("-v {held}:/srv web:1")).await;
    let anonymous = an_anonymous_one(&engine).await;
    let console = Console::on(&engine).await;
    for volume in [&goes, &busy, &other, &held, &anonymous] {
        console.sees_volume(volume).await;
    }
    console.sees(&holder.id).await;
    // Before: exactly what would go.
    let plain = console.get("/volumes/prune").await.expect(200);
    assert_eq!(plain.commands(), ["docker volume prune"]);
    let listed = plain.attributes("input[name=name]", "value");
    assert!(listed.contains(&anonymous) && !listed.contains(&goes), "anonymous ones alone: {listed:?}");
    contains_all(&plain.text("main"), &[&anonymous, &goes, "What stays"]);
    let all = console.get("/volumes/prune?all=1").await.expect(200);
    assert_eq!(all.commands(), ["docker volume prune -a"]);
    let listed = all.attributes("input[name=name]", "value");
    for volume in [&goes, &busy, &other, &anonymous] {
        assert!(listed.contains(volume), "{volume} would go");
    }
    assert!(!listed.contains(&held), "what a stopped container holds stays");
    assert!(all.attribute("input[name=listed]", "value").is_some());
    // An empty list is one, too.
    console.post("/volumes/prune", &[("all", "0"), ("listed", "1")]).await.leads_to();
    assert!(engine.inspect_volume(&anonymous).await.is_some(), "nothing that was not listed goes");
    // Meanwhile somebody comes to use one of the list.
    engine.create("late", &format!("-v {busy}:/srv busybox")).await;
    let list = [("all", "1"), ("listed", "1"), ("name", &*goes), ("name", &*busy), ("name", &*anonymous)];
    let result = console.post("/volumes/prune", &list).await;
    if result.status != 303 {
        assert_eq!(result.status, 409, "{}", result.said());
        contains_all(&result.text("main"), &["1 of 3", &busy, "in use"]);
    }
    let job = console.job_of(&result).await;
    contains_all(&job.text("main"), &[&goes, &busy, &anonymous, "removed", "in use", "3 of 3 done"]);
    assert_eq!(job.commands()[0], "docker volume prune -a");
    assert!(engine.inspect_volume(&goes).await.is_none());
    assert!(engine.inspect_volume(&anonymous).await.is_none());
    assert!(engine.inspect_volume(&busy).await.is_some(), "it is used now");
    assert!(engine.inspect_volume(&other).await.is_some(), "it was not in the list");
    // What has gone already is no failure.
    let list = [("all", "1"), ("listed", "1"), ("name", &*goes), ("name", &*other)];
    let result = console.post("/volumes/prune", &list).await.expect(303);
    let job = console.job_of(&result).await;
    contains_all(&job.text("main"), &[&goes, &other, "2 of 2 done"]);
    assert!(!job.has("#job.bad"), "{}", job.said());
    assert!(engine.inspect_volume(&other).await.is_none());
}

/// An unused volume without a name.
async fn an_anonymous_one(engine: &RealEngine) -> String {
    let name = engine.docker(&["volume", "create"]).await;
    engine.goes_too("volume", &name);
    name
}

#[tokio::test]
async fn a_volume_that_is_really_a_folder_of_the_host_says_so() {
    let engine = RealEngine::docker28();
    let volume = engine.volume("host", "-o type=none -o o=bind -o device=/etc").await;
    let console = Console::on(&engine).await;
    console.sees_volume(&volume).await;
    contains_all(&console.get(&format!("/volumes?q={volume}")).await.text(&row(&volume)), &["host path /etc"]);
    contains_all(&console.get(&format!("/volumes/{volume}")).await.text("main"), &["host path /etc"]);
}

#[tokio::test]
async fn an_odd_address_is_no_error() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    for query in ["page=0", "page=18446744073709551615", "page=-1", "show=none", "q=%00", "show=unused&page=2&q=x"] {
        console.get(&format!("/volumes?{query}")).await.expect(200);
    }
}

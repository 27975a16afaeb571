//! The audit and the activity: what people do is written down before it is done (S044, S049, S081).

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Console, PASSWORD, Person, RealEngine, contains_all, disk, proxy::FaultProxy, until};

/// The audit, as JSON lines, oldest first.
async fn lines(console: &Console, admin: &Person) -> Vec<Value> {
    let text = console.by(admin, "GET", "/audit.jsonl").send().await.expect(200).body;
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn s049_what_people_do_is_one_line_each() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::administered(&engine.socket).await;
    console.expect_log("");
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "").await;
    let vic = console.hire(&admin, "vic", "viewer", "").await;
    console.sees_as(&ann, &web.id).await;
    console.by(&ann, "POST", &web.path("pause")).send().await.expect(303);
    let taken = [("name", web.name.as_str())];
    console.by(&ann, "POST", &web.path("rename")).form(&taken).send().await.expect(400);
    console.by(&vic, "POST", &web.path("unpause")).send().await.expect(403);
    console.by(&admin, "GET", &format!("{}?reveal=1", web.path(""))).send().await.expect(200);
    let fields = [("action", "unpause"), ("id", web.id.as_str())];
    console.by(&ann, "POST", "/containers/bulk").form(&fields).send().await.expect(303);
    let name = engine.name("made");
    let secret = [
        ("name", name.as_str()),
        ("image", "busybox"),
        ("command", "echo hunter2"),
        ("env-name", "TOKEN"),
        ("env-value", "hunter2"),
    ];
    let made = console.by(&admin, "POST", "/containers").form(&secret).send().await.expect(303);
    engine.goes_too("container", &name);
    let made = made.header("location").rsplit('/').next().unwrap_or_default().to_owned();
    let volume = engine.name("cifs");
    let options = [("name", volume.as_str()), ("option-name", "o"), ("option-value", "password=hunter2")];
    console.by(&admin, "POST", "/volumes").form(&options).send().await;
    engine.goes_too("volume", &volume);
    let found = until("all of it has ended", async || {
        let lines = lines(&console, &admin).await;
        let known = |action: &&str| lines.iter().any(|line| line["action"] == **action);
        ["container.unpause", "container.create", "volume.create"].iter().all(known).then_some(lines)
    })
    .await;
    // In order, without a hole.
    assert!(found.iter().enumerate().all(|(at, line)| line["seq"] == at + 1));
    let of = |action: &str| found.iter().filter(|line| line["action"] == action).collect::<Vec<_>>();
    let pause = of("container.pause");
    assert_eq!(pause[0]["who"], "ann");
    assert_eq!(pause[0]["object"], web.id.as_str());
    assert_eq!(pause[0]["name"], web.name.as_str());
    assert_eq!(pause[0]["command"], format!("docker pause {}", web.name));
    assert_eq!(pause[0]["address"], "127.0.0.1");
    // Once, and why where it did not work.
    let rename = of("container.rename");
    assert_eq!((pause.len(), rename.len()), (1, 1));
    assert_eq!((&pause[0]["outcome"], &rename[0]["outcome"]), (&"done".into(), &"failed".into()));
    assert!(rename[0]["why"].as_str().is_some_and(|why| !why.is_empty()), "{}", rename[0]);
    let refused = of("refused");
    assert!(refused.iter().any(|line| line["who"] == "vic" && line["object"] == web.path("unpause")), "{refused:?}");
    assert!(of("reveal").iter().any(|line| line["who"] == "admin"));
    assert_eq!(of("container.unpause")[0]["object"], web.id.as_str());
    assert_eq!(of("container.create")[0]["object"], made.as_str());
    assert_eq!(of("sign-in").len(), 3);
    assert!(!found.iter().any(|line| line.to_string().contains("\"TOKEN=hunter2")), "{found:?}");
    let whole = format!("{found:?}");
    assert!(!whole.contains("password=hunter2") && !whole.contains("TOKEN=hunter2"), "{whole}");
    // On the page, by filter, and as a spreadsheet.
    let page = console.by(&admin, "GET", "/audit?who=ann&action=container").send().await.expect(200);
    contains_all(&page.said(), &["ann", "container.pause", &web.name, "docker pause"]);
    assert!(!page.said().contains("sign-in"));
    let page = console.by(&admin, "GET", "/audit?outcome=refused").send().await.expect(200);
    contains_all(&page.said(), &["vic", "refused"]);
    let csv = console.by(&admin, "GET", "/audit.csv").send().await.expect(200);
    assert_eq!(csv.body.lines().count(), found.len() + 1);
    // For everybody: as commands; without what a viewer may not see.
    let activity = console.by(&ann, "GET", "/activity").send().await.expect(200);
    contains_all(&activity.said(), &["ann", &format!("docker pause {}", web.name), "docker create"]);
    let script = console.by(&vic, "GET", "/activity.sh").send().await.expect(200).body;
    contains_all(&script, &["#!/bin/sh", &format!("\ndocker pause {}", web.name), &name]);
    assert!(!script.contains("hunter2"), "{script}");
    let syntax = Command::new("sh").args(["-n", "-c", &script]).status().expect("a shell");
    assert!(syntax.success(), "{script}");
    // The chain is whole, says the page and the command.
    contains_all(&console.by(&admin, "GET", "/audit/verify").send().await.said(), &["The chain is whole"]);
    let verify = |data: &std::path::Path| {
        let output = Console::command().args(["audit", "verify", "--data"]).arg(data).output().expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (whole, said) = verify(console.data());
    assert!(whole && said.contains("whole"), "{said}");
    // Somebody with an editor is found out.
    let change = "c.execute('DROP TRIGGER audit_stays'); \
                  c.execute(\"UPDATE audit SET entry = replace(entry, '127.0.0.1', '127.0.0.2') WHERE seq = 5\")";
    let python = format!(
        "import sqlite3; c = sqlite3.connect('{}/wheelhouse.db'); {change}; c.commit()",
        console.data().display()
    );
    assert!(Command::new("python3").args(["-c", &python]).status().expect("python3").success());
    let (whole, said) = verify(console.data());
    assert!(!whole && said.contains("broken at entry"), "{said}");
}

/// Who tries it, what it is called, where it is sent, with which fields.
type Try<'a> = (&'a Person, &'a str, &'a str, &'a [(&'a str, &'a str)]);

#[tokio::test]
async fn s049_what_a_role_does_not_allow_is_told_as_refused() {
    let engine = RealEngine::docker28();
    let prey = engine.run("prey", "busybox sleep 1000").await;
    let mine = engine.run("mine", "--label team=red busybox sleep 1000").await;
    let console = Console::administered(&engine.socket).await;
    console.expect_log("");
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    let red = console.hire(&admin, "red", "operator", "label:team=red").await;
    console.sees_as(&red, &mine.id).await;
    let image = engine.docker(&["inspect", "-f", "{{.Image}}", &mine.id]).await.trim().to_owned();
    let (replace, tag) = (mine.path("replace"), format!("/images/{image}/tag"));
    let pid = format!("container:{}", prey.id);
    let name = engine.name("never");
    let tried: [Try<'_>; 12] = [
        (&ops, "container.create", "/containers", &[("image", "busybox"), ("privileged", "1")]),
        (&ops, "container.run", "/containers", &[("image", "busybox"), ("start", "1"), ("volume", "/:/host")]),
        (&ops, "container.create", "/containers", &[("image", "busybox"), ("pid", &pid)]),
        (&ops, "container.create", "/containers", &[("image", "none.example/x"), ("privileged", "1")]),
        (&red, "container.create", "/containers", &[("image", "busybox"), ("label", "team=blue")]),
        (&red, "container.create", "/containers", &[("image", "busybox"), ("volume", "of-others:/x")]),
        (&ops, "container.replace", &replace, &[("image", "busybox"), ("privileged", "1")]),
        (&ops, "volume.create", "/volumes", &[("name", &name), ("option-name", "device"), ("option-value", "/")]),
        (&ops, "network.create", "/networks", &[("name", &name), ("driver", "macvlan")]),
        (&red, "image.tag", &tag, &[("reference", "busybox:mine")]),
        (&ops, "image.pull", "/images/pull", &[("reference", "none.example/x")]),
        (&ops, "container.create", "/containers", &[("image", "none.example/x")]),
    ];
    let mut before = lines(&console, &admin).await.len();
    for (who, action, path, fields) in tried {
        console.by(who, "POST", path).form(fields).send().await.expect(403);
        let written = lines(&console, &admin).await;
        let told = &written[before..];
        assert_eq!(told.len(), 1, "{path} {fields:?}: {told:?}");
        assert_eq!((&told[0]["action"], &told[0]["outcome"]), (&action.into(), &"refused".into()), "{}", told[0]);
        assert!(told[0]["command"].as_str().is_some_and(|line| line.starts_with("docker ")), "{}", told[0]);
        assert!(told[0]["why"].as_str().is_some_and(|why| !why.is_empty()), "{}", told[0]);
        before = written.len();
    }
    // What the engine itself does not take is another matter.
    let taken = [("image", "busybox"), ("name", &*mine.name)];
    console.by(&ops, "POST", "/containers").form(&taken).send().await.expect(409);
    let refused = console.by(&admin, "GET", "/audit?outcome=refused&action=container").send().await.expect(200);
    contains_all(&refused.said(), &["--privileged", "-v /:/host", "--pid", "team=blue"]);
    // What is taken away is what is shown.
    let files = refused.attributes("a[download]", "href");
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let text = console.by(&admin, "GET", &file).send().await.expect(200).body;
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("seq,")).collect();
        assert_eq!(lines.len(), 8, "{file}: {text}");
        assert!(lines.iter().all(|line| line.contains("refused") && line.contains("container.")), "{file}: {text}");
    }
    // A filter that cannot be read does not stand for everything, nor for nothing.
    for path in ["/audit?from=nonsense", "/audit.csv?to=nonsense", "/audit.jsonl?outcome=nonsense"] {
        let told = console.by(&admin, "GET", path).send().await.expect(422);
        contains_all(&told.said(), &["cannot"]);
    }
    assert!(console.by(&admin, "GET", "/audit?from=nonsense").send().await.has(".filters .error"));
}

#[tokio::test]
async fn s049_what_becomes_of_accounts_is_told_and_nothing_widens_unasked() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    console.expect_log("");
    let admin = console.admin().await;
    let tom = console.hire(&admin, "tom", "operator", "label:team=red").await;
    let account = async || {
        let answer = console.by(&admin, "GET", "/people").header("accept", "application/json").send().await.json();
        let all = answer["items"].as_array().expect("people").clone();
        all.into_iter().find(|one| one["name"] == "tom").expect("tom")
    };
    let path = format!("/people/{}", account().await["id"]);
    let send = async |body: Value| {
        let ask = console.by(&admin, "POST", &path).header("content-type", "application/json");
        ask.header("accept", "application/json").body(body.to_string()).send().await.expect(204)
    };
    let is = |account: &Value| (account["role"].clone(), account["scope"].clone(), account["enabled"].clone());
    send(json!({ "enabled": false })).await;
    assert_eq!(is(&account().await), (json!("operator"), json!(["label:team=red"]), json!(false)));
    send(json!({ "role": "viewer" })).await;
    assert_eq!(is(&account().await), (json!("viewer"), json!(["label:team=red"]), json!(false)));
    send(json!({ "enabled": true })).await;
    // As the form sends it: a box that is not ticked is a no, an empty limit is none.
    let form = [("role", "viewer"), ("scope", "label:team=red"), ("enabled", "0")];
    console.by(&admin, "POST", &path).form(&form).send().await.expect(303);
    assert_eq!(account().await["enabled"], false);
    send(json!({ "scope": "" })).await;
    assert_eq!(account().await["scope"], json!([]));
    drop(tom);
    let lines = lines(&console, &admin).await;
    let of = |action: &str| lines.iter().filter(|line| line["action"] == action).collect::<Vec<_>>();
    let made = of("account.create").into_iter().find(|line| line["name"] == "tom").expect("its making");
    assert_eq!(made["object"].as_str(), path.strip_prefix("/people/"), "{made}");
    assert_eq!(made["why"], "operator, limited to label:team=red");
    let changed = of("account.update");
    let red = "limited to label:team=red";
    assert_eq!(changed[0]["why"], format!("from operator, {red} to operator, {red}, switched off"));
    assert_eq!(changed[1]["why"], format!("from operator, {red}, switched off to viewer, {red}, switched off"));
    assert_eq!(changed[4]["why"], format!("from viewer, {red}, switched off to viewer, no limit, switched off"));
}

#[tokio::test]
async fn s049_s032_foreign_text_does_not_break_a_line() {
    let console = Console::administered(&RealEngine::docker28().socket).await;
    console.expect_log("not signed in");
    let admin = console.admin().await;
    let name = "a\nlevel=INFO admin ok\u{1b}[2J";
    console.sign_in(name, PASSWORD).await.expect(401);
    let log = console.log();
    assert!(!log.contains('\u{1b}') && !log.contains("\nlevel=INFO"), "{log}");
    let lines = lines(&console, &admin).await;
    assert!(lines.iter().any(|line| line["who"] == name && line["outcome"] == "refused"), "{lines:?}");
    let page = console.by(&admin, "GET", "/audit?outcome=refused").send().await.expect(200);
    assert!(!page.body.contains('\u{1b}'));
    contains_all(&page.body, &["␛"]);
}

#[tokio::test]
async fn s081_what_cannot_be_written_down_is_not_done() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let web = engine.run("web", "busybox sleep 1000").await;
    let disk = disk::Disk::new();
    let console = Console::with_people(spy.socket()).administered().data_in(disk.path()).ready().await;
    console.expect_log("");
    let admin = console.admin().await;
    console.sees_as(&admin, &web.id).await;
    disk.fill();
    let before = spy.writes();
    // Looking works, signing in works, nothing is done.
    let again = console.admin().await;
    console.by(&again, "GET", "/containers").send().await.expect(200);
    for (path, fields) in [
        (web.path("stop"), vec![("timeout", "0")]),
        ("/containers/bulk".to_owned(), vec![("action", "stop"), ("id", web.id.as_str())]),
        ("/containers".to_owned(), vec![("image", "busybox")]),
        ("/volumes".to_owned(), vec![("name", "nothing")]),
        ("/people".to_owned(), vec![("name", "eve"), ("role", "admin")]),
    ] {
        let answer = console.by(&again, "POST", &path).form(&fields).send().await.expect(507);
        contains_all(&answer.said(), &["full", &disk.path().display().to_string()]);
    }
    let reveal = format!("{}?reveal=1", web.path(""));
    console.by(&again, "GET", &reveal).send().await.expect(507);
    assert_eq!(spy.writes(), before);
    assert_eq!(engine.state(&web.id).await, "running");
    // Room again: it goes on without anybody's help.
    disk.free();
    console.by(&again, "POST", &web.path("stop")).form(&[("timeout", "0")]).send().await.expect(303);
    assert!(!console.log().contains("panicked"));
}

#[tokio::test]
async fn s044_a_viewer_finds_no_secret_anywhere() {
    let engine = RealEngine::docker28();
    let line = "-e SECRET=hunter2 --label token=hunter2 --health-cmd 'echo hunter2' --health-interval 1s busybox sh -c 'sleep 1000; echo hunter2'";
    let web = engine.run("web", line).await;
    engine.docker(&["exec", &web.id, "echo", "hunter2"]).await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let vic = console.hire(&admin, "vic", "viewer", "").await;
    let token = console.token(&admin, &[("name", "look"), ("role", "viewer"), ("days", "1")]).await;
    console.sees_as(&vic, &web.id).await;
    until("its health was checked", async || {
        engine.docker(&["inspect", "-f", "{{json .State.Health.Log}}", &web.id]).await.contains("hunter2").then_some(())
    })
    .await;
    let mut stream = console.by(&vic, "GET", &web.path("stream")).open().await.expect("a stream");
    let mut looked = 0;
    for route in wheelhouse::web::routes().list().iter().filter(|route| route.method == "GET") {
        let path = route.path.replace("{id}", &web.id).replace("{verb}", "stop").replace("{name}", "none");
        if path.contains("stream") {
            continue;
        }
        for who in [&vic, &token] {
            for accept in ["text/html", "application/json"] {
                for query in ["", "?reveal=1"] {
                    let answer =
                        console.by(who, "GET", &format!("{path}{query}")).header("accept", accept).send().await;
                    assert!(!answer.body.contains("hunter2"), "{path}{query} as {accept}:\n{}", answer.body);
                    looked += 1;
                }
            }
        }
    }
    assert!(looked > 100, "{looked}");
    // The search is no oracle.
    for query in ["q=hunter2", "label=token%3Dhunter2"] {
        let page = console.by(&vic, "GET", &format!("/containers?{query}")).send().await.expect(200);
        assert!(!page.body.contains(&web.id), "{query}");
    }
    let first = stream.next().await.expect("a message");
    assert!(!first.data.contains("hunter2"));
    // The administrator sees it, when he asks, and that is written down.
    let page = console.by(&admin, "GET", &web.path("")).send().await.expect(200);
    assert!(!page.body.contains("SECRET</code></th><td><code>hunter2"), "{}", page.body);
    let revealed = console.by(&admin, "GET", &format!("{}?reveal=1", web.path(""))).send().await.expect(200);
    assert!(revealed.body.contains("<code>hunter2</code>"), "{}", revealed.said());
    assert!(
        lines(&console, &admin).await.iter().any(|line| line["action"] == "reveal" && line["object"] == web.path(""))
    );
}

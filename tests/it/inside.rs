//! What is inside a container, besides logs, terminals and files: processes, changes, health, history; and what can be
//! taken out of it, as an image or as a tar (S031, S040, S041, S044, S077).

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::support::{Console, Made, PAY, RealEngine, contains_all, until};

/// The three engines.
fn engines() -> [RealEngine; 3] {
    [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()]
}

/// A page below a container's, as JSON.
async fn json(console: &Console, made: &Made, below: &str) -> Value {
    let answer = console.ask("GET", &made.path(below)).header("accept", "application/json").send().await;
    answer.expect(200).json()
}

/// A column of the processes.
fn column(told: &Value, names: &[&str]) -> Vec<String> {
    let columns = told["columns"].as_array().expect("columns");
    let at = columns.iter().position(|name| names.contains(&name.as_str().unwrap_or_default())).expect("a column");
    let rows = told["processes"].as_array().expect("processes");
    rows.iter().map(|row| row[at].as_str().unwrap_or_default().to_owned()).collect()
}

const TREE: &str = "busybox sh -c 'sleep 1001 & sh -c \"sleep 1002 & sleep 1003; true\" & wait'";

#[tokio::test]
async fn processes_on_every_engine() {
    for engine in engines() {
        let web = engine.run("tree", TREE).await;
        let console = Console::on(&engine).await;
        console.sees(&web.id).await;
        let told = until("all have started", async || {
            let told = json(&console, &web, "processes?sort=pid").await;
            (told["total"].as_u64() >= Some(5)).then_some(told)
        })
        .await;
        let commands = column(&told, &["CMD", "COMMAND"]);
        for sleep in ["sleep 1001", "sleep 1002", "sleep 1003"] {
            assert!(commands.iter().any(|command| command == sleep), "{told}");
        }
        let pids: Vec<u64> = column(&told, &["PID"]).iter().map(|pid| pid.parse().expect("a number")).collect();
        assert!(pids.is_sorted(), "{pids:?}");
        let other = json(&console, &web, "processes?sort=-command").await;
        let mut sorted = column(&other, &["CMD", "COMMAND"]);
        sorted.reverse();
        assert!(sorted.first() <= sorted.last() && sorted[0].starts_with("sh"), "{sorted:?}");
        // As a tree, each stands after the one that started it.
        let tree = json(&console, &web, "processes?tree=1").await;
        let (pids, parents) = (column(&tree, &["PID"]), column(&tree, &["PPID"]));
        for (at, parent) in parents.iter().enumerate() {
            let place = pids.iter().position(|pid| pid == parent);
            assert!(place.is_none_or(|place| place < at), "{tree}");
        }
        for columns in ["full", "usage", "state"] {
            let page = console.get(&web.path(&format!("processes?columns={columns}&sort=-cpu"))).await.expect(200);
            contains_all(&page.said(), &["sleep 1001", "5 processes"]);
            assert!(page.has("th[aria-sort=descending]"), "{}", page.body);
            assert!(page.commands()[0].starts_with(&format!("docker top {} ", web.name)), "{:?}", page.commands());
        }
        // Only what is on our list goes to the engine's `ps`.
        let wrong = web.path("processes?columns=-eo+pid,args");
        console.ask("GET", &wrong).header("accept", "application/json").send().await.expect(422);
        contains_all(&console.get(&wrong).await.expect(200).said(), &["sleep 1001"]);
    }
}

#[tokio::test]
async fn processes_live_and_only_what_changed() {
    let engine = RealEngine::docker28();
    let spy = crate::support::proxy::FaultProxy::before(&engine.socket);
    let web = engine.run("live", "busybox sleep 1000").await;
    let console = Console::start(spy.socket()).ready().await;
    console.sees(&web.id).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(console.stream(&web.path("processes/stream")).await);
    }
    for stream in &mut streams {
        stream.until("its process", |data| data.contains("sleep 1000")).await;
    }
    engine.docker(&["exec", "-d", &web.id, "sleep", "1234"]).await;
    for stream in &mut streams {
        stream.until("the new one", |data| data.contains("sleep 1234")).await;
    }
    // However many look, the engine is asked once in a while.
    let top = format!("/containers/{}/top", web.id);
    let before = spy.count(&top);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let asked = spy.count(&top) - before;
    assert!((1..=4).contains(&asked), "{asked} calls in five seconds");
    engine.docker(&["rm", "-f", &web.id]).await;
    streams[0].until("its end", |data| data.contains("removed")).await;
    drop(streams);
    let quiet = until("nobody looks any more", async || {
        let before = spy.count(&top);
        tokio::time::sleep(Duration::from_secs(3)).await;
        (spy.count(&top) == before).then_some(())
    });
    quiet.await;
}

#[tokio::test]
async fn s077_each_page_says_what_it_is_for_a_state() {
    let engine = RealEngine::docker28();
    let created = engine.create("created", "busybox sleep 1000").await;
    let exited = engine.run("exited", "busybox sh -c 'exit 3'").await;
    let looping = engine.run("looping", "--restart always busybox sh -c 'exit 3'").await;
    let paused = engine.run("paused", "busybox sleep 1000").await;
    engine.docker(&["pause", &paused.id]).await;
    let console = Console::on(&engine).await;
    console.sees_state(&created.id, "created").await;
    console.sees_state(&exited.id, "exited").await;
    console.sees_state(&paused.id, "paused").await;
    console.sees_state(&looping.id, "restarting").await;
    for (made, below, words) in [
        (&created, "processes", "never started"),
        (&created, "changes", "never started"),
        (&created, "health", "It is not checked"),
        (&created, "history", "created"),
        (&exited, "processes", "Nothing runs in it any more"),
        (&exited, "changes", "copy on write"),
        (&exited, "history", "ended with 3"),
        (&paused, "processes", "It is paused"),
        (&paused, "processes", "sleep 1000"),
        (&paused, "history", "paused"),
    ] {
        let page = console.get(&made.path(below)).await.expect(200);
        assert!(page.said().contains(words), "{} {below}: {words} is not in:\n{}", made.name, page.said());
    }
    for below in ["processes", "changes", "health", "history", "commit", "export"] {
        let page = console.get(&looping.path(below)).await;
        assert_eq!(page.status, 200, "{below}: {}", page.said());
    }
    until("it is between two runs", async || {
        let page = console.get(&looping.path("processes")).await.expect(200);
        page.said().contains("between two runs").then_some(())
    })
    .await;
    console.get(&format!("/containers/{}/processes", "f".repeat(64))).await.expect(404);
}

#[tokio::test]
async fn changes_on_every_engine() {
    for engine in engines() {
        let program = "touch /tmp/new; rm /bin/yes; echo x >> /etc/passwd; mkdir -p /srv/a; touch /srv/a/b";
        let web = engine.run("changes", &format!("-v /data busybox sh -c '{program}; sleep 1000'")).await;
        let console = Console::on(&engine).await;
        console.sees(&web.id).await;
        let told = until("all is written", async || {
            let told = json(&console, &web, "changes").await;
            told.to_string().contains("/srv/a/b").then_some(told)
        })
        .await;
        let kind = |path: &str| {
            let items = told["items"].as_array().expect("a list");
            items
                .iter()
                .find(|item| item["path"] == path)
                .map(|item| item["kind"].as_str().unwrap_or_default().to_owned())
        };
        for (path, is) in [
            ("/tmp/new", "added"),
            ("/bin/yes", "deleted"),
            ("/etc/passwd", "changed"),
            ("/etc", "changed"),
            ("/srv/a/b", "added"),
        ] {
            assert_eq!(kind(path).as_deref(), Some(is), "{path}: {told}");
        }
        let page = console.get(&web.path("changes")).await.expect(200);
        contains_all(&page.said(), &["etc/", "passwd", "yes", "/data", "volume"]);
        assert_eq!(page.commands()[0], format!("docker diff {}", web.name));
        let page = console.get(&web.path("changes?kind=deleted")).await.expect(200);
        assert!(page.said().contains("yes") && !page.said().contains("passwd"), "{}", page.said());
        assert_eq!(page.commands()[0], format!("docker diff {} | grep '^D'", web.name));
        let page = console.get(&web.path("changes?path=/srv&q=B")).await.expect(200);
        assert!(page.has(".diff .leaf") && !page.said().contains("passwd"), "{}", page.said());
        // A file leads to itself among the files.
        let page = console.get(&web.path("changes?path=/etc")).await.expect(200);
        let file = page.attribute(".diff .leaf a", "href").expect("a link to the file");
        contains_all(&console.get(&file).await.expect(200).said(), &["passwd", "root:x:0:0"]);
        // Stopped, too.
        engine.docker(&["kill", &web.id]).await;
        console.sees_state(&web.id, "exited").await;
        contains_all(&console.get(&web.path("changes")).await.expect(200).said(), &["passwd"]);
    }
}

#[tokio::test]
async fn s031_names_of_files_break_nothing() {
    let engine = RealEngine::docker28();
    let name = PAY.replace('/', "_");
    let web = engine.run("names", "busybox sleep 1000").await;
    engine.docker(&["exec", &web.id, "touch", &format!("/tmp/{name}"), "/tmp/a\nb", "/tmp/-rf"]).await;
    engine.docker(&["exec", &web.id, "mkdir", "-p", "/tmp/<i>x/sub\rfolder"]).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let page = console.get(&web.path("changes")).await.expect(200);
    contains_all(&page.said(), &["a␊b", "␛]52", "⟨U+202E⟩", "<i>x/", "sub␍folder"]);
    for bad in ["\u{1b}", "\u{202e}", "<img src=x", "<i>x"] {
        assert!(!page.body.contains(bad), "{bad:?}");
    }
    // Each folder's own page is found by its link.
    for link in page.attributes(".diff .in a", "href") {
        console.get(&link).await.expect(200);
    }
    let page = console.get(&web.path("changes?path=/tmp/%3Ci%3Ex")).await.expect(200);
    assert!(!page.body.contains("<i>x"), "{}", page.body);
}

#[tokio::test]
async fn a_hundred_thousand_changes_make_no_large_page() {
    let engine = RealEngine::docker28();
    let many = "mkdir /many; cd /many; awk \"BEGIN { for (i = 0; i < 100000; i++) print i }\" | xargs touch; touch /done; sleep 1000";
    let web = engine.run("many", &format!("busybox sh -c '{many}'")).await;
    timeout(Duration::from_mins(2), async {
        while engine.try_docker(&["exec", &web.id, "ls", "/done"]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await
    .expect("they are written");
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let before = console.memory();
    for below in ["changes", "changes?path=/many", "changes?path=/many&page=300", "changes?q=9999"] {
        let page = console.get(&web.path(below)).await.expect(200);
        assert!(page.body.len() < 400_000, "{below}: {} bytes", page.body.len());
    }
    let page = console.get(&web.path("changes?path=/many&page=2")).await.expect(200);
    contains_all(&page.said(), &["301–600 of 100000"]);
    let told = json(&console, &web, "changes?page=101").await;
    assert_eq!(told["total"], 100_002, "/many, /done and the files");
    assert_eq!(told["items"].as_array().map(Vec::len), Some(2));
    let grown = console.memory().saturating_sub(before);
    assert!(grown < 150_000, "{grown} KiB more");
}

#[tokio::test]
async fn history_says_what_happened_and_by_whom() {
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let web = engine.run("past", "busybox sh -c 'trap \"exit 7\" TERM; while :; do sleep 0.1; done'").await;
        let console = Console::administered(&engine.socket).await;
        let admin = console.admin().await;
        let ann = console.hire(&admin, "ann", "operator", "").await;
        let vic = console.hire(&admin, "vic", "viewer", "").await;
        console.sees_as(&ann, &web.id).await;
        let mut stream = console.by(&vic, "GET", &web.path("history/stream")).open().await.expect("a stream");
        stream.next().await.expect("its beginning");
        console.by(&ann, "POST", &web.path("stop")).send().await.expect(303);
        let heard = stream.until("its end", |data| data.contains("ended with 7")).await;
        assert!(heard.data.contains("id=\"past\""), "{}", heard.data);
        engine.docker(&["start", &web.id]).await;
        let page = until("the start is known", async || {
            let page = console.by(&vic, "GET", &web.path("history")).send().await.expect(200);
            (page.said().matches("started").count() >= 2).then_some(page)
        })
        .await;
        let stop = format!("docker stop {}", web.name);
        contains_all(&page.said(), &["ended with 7", "It had run for", "by ann", &stop, "created"]);
        let told = console.by(&vic, "GET", &web.path("history")).header("accept", "application/json").send().await;
        let told = told.expect(200).json();
        let items = told["items"].as_array().expect("a list");
        let died = items.iter().find(|item| item["action"] == "die").expect("it ended");
        assert_eq!((&died["exit_code"], &died["who"]), (&7.into(), &"ann".into()), "{told}");
        assert!(died["lasted"].is_i64(), "{died}");
        let newest = items.iter().find(|item| item["action"] == "start").expect("it was started");
        assert_eq!(newest["who"], Value::Null, "the terminal has no name: {told}");
        // Each once, whoever told it.
        let mut keys: Vec<String> = items.iter().map(|item| format!("{} {}", item["at"], item["action"])).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all, "{told}");
        let page = console.by(&vic, "GET", &web.path("history?show=people")).send().await.expect(200);
        assert!(!page.said().contains("created") && page.said().contains("by ann"), "{}", page.said());
    }
}

#[tokio::test]
async fn history_goes_on_by_itself_on_podman() {
    let engine = RealEngine::podman4();
    let web = engine.run("past", "busybox sh -c 'until [ -e /end ]; do sleep 0.1; done; exit 7'").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let mut stream = console.stream(&web.path("history/stream")).await;
    stream.next().await.expect("its beginning");
    engine.docker(&["exec", &web.id, "touch", "/end"]).await;
    stream.until("its end", |data| data.contains("ended with 7")).await;
}

#[tokio::test]
async fn health_shows_each_check() {
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let check =
            "--health-cmd 'echo line one; echo line two; test ! -e /sick' --health-interval 1s --health-retries 2";
        let web = engine.run("health", &format!("{check} busybox sleep 1000")).await;
        let console = Console::on(&engine).await;
        console.sees(&web.id).await;
        let mut stream = console.stream(&web.path("health/stream")).await;
        stream.until("it passes", |data| data.contains("Its last check passed")).await;
        engine.docker(&["exec", &web.id, "touch", "/sick"]).await;
        stream.until("it fails", |data| data.contains("failed with 1")).await;
        let page = until("it is unhealthy", async || {
            let page = console.get(&web.path("health")).await.expect(200);
            page.said().contains("It goes on running").then_some(page)
        })
        .await;
        let test = "echo line one; echo line two; test ! -e /sick";
        contains_all(&page.said(), &["unhealthy", "line two", test, "2 failures in a row", "Every1 s", "took "]);
        // More than the engine keeps.
        let told = until("there are more than five", async || {
            let told = json(&console, &web, "health").await;
            (told["checks"].as_array().map(Vec::len) > Some(6)).then_some(told)
        })
        .await;
        assert_eq!(told["interval"], 1.0);
        assert_eq!(told["checks"][0]["output"], "line one\nline two\n");
        let times: Vec<&str> =
            told["checks"].as_array().expect("a list").iter().filter_map(|check| check["at"].as_str()).collect();
        assert!(times.is_sorted_by(|a, b| a > b), "{times:?}");
    }
    let engine = RealEngine::podman4();
    let web = engine.run("plain", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let page = console.get(&web.path("health")).await.expect(200);
    contains_all(&page.said(), &["It is not checked", "--health-cmd", "make it again"]);
}

#[tokio::test]
async fn s044_a_viewer_sees_no_command_line_of_a_process() {
    for engine in [RealEngine::docker28(), RealEngine::podman4()] {
        let line = "--health-cmd 'echo hunter2' busybox sh -c 'sleep 1000; echo hunter2'";
        let web = engine.run("secret", line).await;
        let console = Console::administered(&engine.socket).await;
        let admin = console.admin().await;
        let vic = console.hire(&admin, "vic", "viewer", "").await;
        console.sees_as(&vic, &web.id).await;
        // The administrator has it in memory, and the viewer gets none of that.
        let page = console.by(&admin, "GET", &web.path("processes")).send().await.expect(200);
        contains_all(&page.said(), &["hunter2"]);
        for below in ["processes", "processes?columns=usage", "processes?columns=state&tree=1", "health", "history"] {
            for accept in ["text/html", "application/json"] {
                let answer =
                    console.by(&vic, "GET", &web.path(below)).header("accept", accept).send().await.expect(200);
                assert!(!answer.body.contains("hunter2"), "{below}: {}", answer.body);
            }
        }
        let page = console.by(&vic, "GET", &web.path("processes")).send().await.expect(200);
        contains_all(&page.said(), &["sleep", "command lines may hold secrets", ",comm"]);
        for below in ["processes/stream", "health/stream", "history/stream"] {
            let mut stream = console.by(&vic, "GET", &web.path(below)).open().await.expect("a stream");
            let first = stream.next().await.expect("a message");
            assert!(!first.data.contains("hunter2"), "{below}: {}", first.data);
        }
        for below in ["commit", "export", "export.tar"] {
            console.by(&vic, "GET", &web.path(below)).send().await.expect(403);
        }
    }
}

#[tokio::test]
async fn s041_what_is_inside_belongs_to_its_team() {
    let engine = RealEngine::docker28();
    let red = engine.run("red", "--label team=red busybox sleep 1000").await;
    let blue = engine.run("blue", "--label team=blue busybox sleep 1000").await;
    let console = Console::administered(&engine.socket).await;
    console.expect_log("");
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "label:team=red").await;
    console.sees_as(&ann, &red.id).await;
    console.sees_as(&admin, &blue.id).await;
    let nobodys = Made { id: "f".repeat(64), name: String::new() };
    for below in ["processes", "changes", "health", "history", "commit", "export", "export.tar"] {
        console.by(&ann, "GET", &red.path(below)).send().await.expect(200);
        let theirs = console.by(&ann, "GET", &blue.path(below)).send().await.expect(404);
        let none = console.by(&ann, "GET", &nobodys.path(below)).send().await.expect(404);
        assert_eq!(
            theirs.said().replace(&blue.id[..12], ""),
            none.said().replace(&nobodys.id[..12], ""),
            "{below} tells that there is one"
        );
    }
    let fields = [("reference", "x/y:1")];
    console.by(&ann, "POST", &blue.path("commit")).form(&fields).send().await.expect(404);
    // Nobody says by an image where things belong.
    let label = [("reference", "x/y:1"), ("change-instruction", "LABEL"), ("change-value", "team=blue")];
    let refused = console.by(&ann, "POST", &red.path("commit")).form(&label).send().await.expect(403);
    contains_all(&refused.said(), &["LABEL"]);
}

#[tokio::test]
async fn s040_who_would_be_root_on_the_host_takes_nothing_out() {
    let engine = RealEngine::docker28();
    let root = engine.run("root", "--privileged busybox sleep 1000").await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    console.sees_as(&ops, &root.id).await;
    let refused = console.by(&ops, "GET", &root.path("export.tar")).send().await.expect(403);
    contains_all(&refused.said(), &["root on the host"]);
    let fields = [("reference", "x/y:1")];
    let refused = console.by(&ops, "POST", &root.path("commit")).form(&fields).send().await.expect(403);
    contains_all(&refused.said(), &["root on the host"]);
    // Both are written down.
    let audit = console.by(&admin, "GET", "/audit.jsonl").send().await.expect(200).body;
    for action in ["container.export", "container.commit"] {
        assert!(audit.lines().any(|line| line.contains(action) && line.contains("refused")), "{action}: {audit}");
    }
}

#[tokio::test]
async fn commit_on_every_engine() {
    for engine in engines() {
        let web = engine.run("kept", "-e TOKEN=hunter2 -v /data busybox sh -c 'echo kept > /kept; sleep 1000'").await;
        let console = Console::administered(&engine.socket).await;
        console.expect_log("");
        let admin = console.admin().await;
        let vic = console.hire(&admin, "vic", "viewer", "").await;
        console.sees_as(&admin, &web.id).await;
        let page =
            console.by(&admin, "GET", &web.path("commit?reference=a/b:1&comment=it%27s")).send().await.expect(200);
        contains_all(&page.said(), &["TOKEN looks secret", "/data", "frozen while"]);
        assert_eq!(page.text("#run-line"), format!("docker commit -m \"it's\" {} a/b:1", web.name));
        // What is wrong is told at its field, and nothing that was typed is lost.
        let wrong =
            [("reference", "No Good"), ("comment", "mine"), ("change-instruction", "RUN"), ("change-value", "id")];
        let page = console.by(&admin, "POST", &web.path("commit")).form(&wrong).send().await.expect(422);
        assert_eq!(page.attribute("#f-comment", "value").as_deref(), Some("mine"));
        assert_eq!(page.attribute("#f-reference", "aria-invalid").as_deref(), Some("true"));
        contains_all(&page.said(), &["2 fields need another look", "is none of CMD"]);
        let reference = format!("{}:1", engine.name("image"));
        let fields = [
            ("reference", reference.as_str()),
            ("comment", "a state to keep"),
            ("author", "Ada"),
            ("change-instruction", "CMD"),
            ("change-value", r#"["cat", "/kept"]"#),
            ("change-instruction", "ENV"),
            ("change-value", "OTHER=hunter3"),
        ];
        let job = console.by(&admin, "POST", &web.path("commit")).form(&fields).send().await.leads_to();
        let page = until("the image is made", async || {
            let page = console.by(&admin, "GET", &job).send().await.expect(200);
            page.has("[data-job=ended]").then_some(page)
        })
        .await;
        engine.goes_too("image", &reference);
        contains_all(&page.said(), &["done in", &format!("{reference} is the image ")]);
        assert!(!page.body.contains("hunter3"), "{}", page.said());
        let format = "{{json .Config.Env}} {{.Author}} {{.Comment}}";
        let told = engine.docker(&["image", "inspect", "-f", format, &reference]).await;
        contains_all(&told, &["TOKEN=hunter2", "OTHER=hunter3", "Ada", "a state to keep"]);
        assert_eq!(engine.docker(&["run", "--rm", "--network", "none", &reference]).await, "kept");
        // Its name is taken from then on.
        let again = console.by(&admin, "POST", &web.path("commit")).form(&fields).send().await.expect(422);
        contains_all(&again.said(), &["is an image already"]);
        let replace: Vec<_> = fields.into_iter().chain([("replace", "1")]).collect();
        console.by(&admin, "POST", &web.path("commit")).form(&replace).send().await.leads_to();
        let ops = console.hire(&admin, "ops", "operator", "").await;
        let refused = console.by(&ops, "POST", &web.path("commit")).form(&replace).send().await.expect(422);
        contains_all(&refused.said(), &["only an administrator"]);
        // Who made it is known, without the values of variables; to a viewer, without all that was said.
        let audit = until("it is written down", async || {
            let audit = console.by(&admin, "GET", "/audit.jsonl").send().await.expect(200).body;
            audit.lines().any(|line| line.contains("container.commit") && line.contains("\"done\"")).then_some(audit)
        })
        .await;
        assert!(!audit.contains("hunter"), "{audit}");
        let activity = console.by(&vic, "GET", "/activity").send().await.expect(200);
        contains_all(&activity.said(), &[&format!("docker commit {} {reference}", web.name)]);
        let job = console.by(&vic, "GET", &job).send().await.expect(200);
        assert!(!job.body.contains("hunter") && !job.body.contains("a state to keep"), "{}", job.said());
    }
}

#[tokio::test]
async fn export_on_every_engine() {
    for engine in engines() {
        let web =
            engine.run("export", "-v /data busybox sh -c 'echo kept > /kept; echo no > /data/not; sleep 1000'").await;
        let console = Console::on(&engine).await;
        console.sees(&web.id).await;
        let page = console.get(&web.path("export")).await.expect(200);
        contains_all(&page.said(), &["/data", "docker import"]);
        assert_eq!(page.commands()[0], format!("docker export -o {0}.tar {0}", web.name));
        let answer = console.get(&web.path("export.tar")).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/x-tar");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").starts_with("sandbox"), "{:?}", answer.headers);
        let disposition = answer.header("content-disposition");
        assert!(disposition.starts_with("attachment; filename=\"") && disposition.contains(&web.name), "{disposition}");
        assert!(answer.header("content-encoding").is_empty(), "{:?}", answer.headers);
        assert!(answer.body.contains("kept") && !answer.body.contains("data/not"));
        let job = until("the job has ended", async || {
            let jobs = console.ask("GET", "/jobs").header("accept", "application/json").send().await.json();
            let job = jobs["items"][0].clone();
            (job["stage"] == "done").then_some(job)
        })
        .await;
        assert!(job["moved"].as_u64() > Some(1_000_000), "{job}");
        assert_eq!(job["command"], format!("docker export -o {0}.tar {0}", web.name));
        // Stopped, too.
        engine.docker(&["kill", &web.id]).await;
        console.sees_state(&web.id, "exited").await;
        assert!(console.get(&web.path("export.tar")).await.expect(200).body.contains("kept"));
    }
}

#[tokio::test]
async fn s051_a_download_that_nobody_takes_ends_and_holds_nothing_up() {
    use http_body_util::{BodyExt, Empty};
    let engine = RealEngine::docker28();
    let large = "dd if=/dev/urandom of=/large bs=1M count=64 2>/dev/null; touch /done; sleep 1000";
    let web = engine.run("large", &format!("busybox sh -c '{large}'")).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    until("it is written", async || engine.try_docker(&["exec", &web.id, "ls", "/done"]).await.ok()).await;
    let before = console.memory();
    let open = async || {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", console.port)).await.expect("it listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(socket)).await.expect("HTTP");
        tokio::spawn(connection);
        let request = hyper::Request::get(web.path("export.tar")).header("host", format!("127.0.0.1:{}", console.port));
        let request = request.body(Empty::<bytes::Bytes>::new()).expect("a request");
        let mut response = sender.send_request(request).await.expect("an answer");
        assert_eq!(response.status(), 200);
        response.body_mut().frame().await.expect("a first piece").expect("whole");
        (sender, response)
    };
    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(open().await);
    }
    // There is no fifth place; and the container answers all the same.
    console.get(&web.path("export.tar")).await.expect(409);
    engine.docker(&["exec", &web.id, "true"]).await;
    let grown = console.memory().saturating_sub(before);
    assert!(grown < 30_000, "{grown} KiB more");
    let jobs = timeout(Duration::from_secs(40), async {
        loop {
            let jobs = console.ask("GET", "/jobs").header("accept", "application/json").send().await.json();
            let items = jobs["items"].as_array().cloned().unwrap_or_default();
            if items.iter().filter(|job| job["stage"] == "failed").count() == 4 {
                return items;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await
    .expect("they end by themselves");
    assert!(jobs[0]["why"].as_str().is_some_and(|why| why.contains("10 s")), "{jobs:?}");
    // What was taken of it says that it is not whole.
    let (_sender, response) = stalled.remove(0);
    assert!(response.into_body().collect().await.is_err(), "a half was taken for the whole");
    drop(stalled);
    // Cancelled, it ends at once; and a place is free again.
    let (_sender, response) = open().await;
    let jobs = console.ask("GET", "/jobs").header("accept", "application/json").send().await.json();
    console.post(&format!("/jobs/{}/cancel", jobs["items"][0]["id"]), &[]).await.leads_to();
    assert!(response.into_body().collect().await.is_err(), "a half was taken for the whole");
}

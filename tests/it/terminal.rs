//! Terminals: `/containers/{id}/terminal`, `/containers/{id}/attach`, `/terminals`.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::support::{proxy::FaultProxy, *};

const IDLE: &str = "busybox sh -c 'trap \"exit 0\" TERM; while :; do sleep 1 & wait; done'";
const REFUSED: &str = "a socket from a page that is not ours was refused";

/// Whether anything was run in a container, or attached to.
fn goes_in(spy: &FaultProxy) -> bool {
    spy.writes().iter().any(|line| line.ends_with("/exec") || line.contains("/exec/") || line.contains("/attach"))
}

/// The command lines of what runs in it.
async fn inside(engine: &RealEngine, container: &Made) -> String {
    engine.try_docker(&["top", &container.id]).await.unwrap_or_default()
}

/// Waits until nothing of this runs in it any more.
async fn is_gone(engine: &RealEngine, container: &Made, words: &[&str]) {
    until(&format!("none of {words:?} is left"), async || {
        let all = inside(engine, container).await;
        words.iter().all(|word| !all.contains(word)).then_some(())
    })
    .await;
}

/// A shell, `vi` of its output by lines, its exit code: on this engine.
async fn a_shell_works(engine: &RealEngine) {
    let web = engine.run("web", &format!("-e GREETING=hello -w /tmp {IDLE}")).await;
    let console = Console::on(engine).await;
    console.sees(&web.id).await;
    let mut shell = console.terminal(&web, &[]).await;
    assert_eq!(shell.command, format!("docker exec -it {} ash", web.name));
    shell.line("echo $GREETING $((6*7)); pwd", "hello 42\r\n/tmp").await;
    // It has a terminal of the size that its page has.
    shell.asks("stty size", "30 100").await;
    shell.tell(&json!({ "size": [123, 45] })).await;
    shell.asks("stty size", "45 123").await;
    // Bytes that look like a frame's header are bytes (bollard's trap).
    shell.line(r"printf '\001\000\000\000\000\000\000\005XYZ\n'", "\u{1}\0\0\0\0\0\0\u{5}XYZ").await;
    shell.types("exit 3\r").await;
    let (code, _) = shell.ends().await;
    let ended = shell.ended.clone().expect("it says how it ended");
    assert_eq!((code, &ended["code"], &ended["exited"]), (1000, &json!(3), &json!(true)), "{ended}");
    contains_all(ended["ended"].as_str().expect("words"), &["exit code 3"]);
    // Another command, as somebody else, somewhere else.
    let fields = [("command", "sh -c 'id -u; pwd; echo \"two  words\"'"), ("user", "1000"), ("workdir", "/etc")];
    let mut other = console.terminal(&web, &fields).await;
    let line = format!(r#"docker exec -it -u 1000 -w /etc {} sh -c 'id -u; pwd; echo "two  words"'"#, web.name);
    assert_eq!(other.command, line);
    other.until("1000\r\n/etc\r\ntwo  words").await;
    other.ends().await;
    assert_eq!(other.ended.as_ref().expect("it ended")["code"], 0);
    // What is not there says so.
    let mut nothing = console.terminal(&web, &[("command", "no-such-program")]).await;
    nothing.ends().await;
    let ended = nothing.ended.expect("it ended");
    assert!(ended["code"].is_null() || ended["code"].as_i64() >= Some(126), "{ended}\n{}", nothing.said);
}

#[tokio::test]
async fn a_shell_works_on_docker28() {
    a_shell_works(&RealEngine::docker28()).await;
}

#[tokio::test]
async fn a_shell_works_on_docker20() {
    a_shell_works(&RealEngine::docker20()).await;
}

#[tokio::test]
async fn a_shell_works_on_podman() {
    a_shell_works(&RealEngine::podman4()).await;
}

/// Closing it ends all that it started, however that hides, and nothing else.
async fn nothing_is_left(engine: &RealEngine) {
    let web = engine.run("web", IDLE).await;
    let console = Console::on(engine).await;
    console.sees(&web.id).await;
    engine.docker(&["exec", "-d", &web.id, "sleep", "4444"]).await;
    let mut other = console.terminal(&web, &[]).await;
    other.types("sleep 5555 &\r").await;
    let mut shell = console.terminal(&web, &[]).await;
    shell.types("sleep 1111 & sleep 1112 &\r").await;
    shell.types("sh -c 'trap \"\" HUP INT TERM; sleep 1113; sleep 1116' &\r").await;
    shell.types("(trap \"\" HUP; exec sleep 1114) >/dev/null 2>&1 &\r").await;
    shell.types("setsid sleep 1119 >/dev/null 2>&1 &\r").await;
    shell.types("env -i /bin/sleep 1117 &\r").await;
    shell.types("sleep 1115\r").await;
    let words = ["1111", "1112", "1113", "1114", "1115", "1117", "1119"];
    until("all of it runs", async || {
        let all = inside(engine, &web).await;
        words.iter().chain(&["4444", "5555"]).all(|word| all.contains(word)).then_some(())
    })
    .await;
    let begun = Instant::now();
    shell.closes(1000).await;
    is_gone(engine, &web, &words).await;
    is_gone(engine, &web, &["1116"]).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let all = inside(engine, &web).await;
    assert!(all.contains("4444") && all.contains("5555"), "others were ended, too:\n{all}");
    // A page that goes away, as a closed tab: a moment later.
    other.closes(1001).await;
    is_gone(engine, &web, &["5555"]).await;
    assert!(inside(engine, &web).await.contains("4444"));
}

#[tokio::test]
async fn s065_no_shell_is_left_behind_on_docker28() {
    nothing_is_left(&RealEngine::docker28()).await;
}

#[tokio::test]
async fn s065_no_shell_is_left_behind_on_docker20() {
    nothing_is_left(&RealEngine::docker20()).await;
}

#[tokio::test]
async fn s065_no_shell_is_left_behind_on_podman() {
    nothing_is_left(&RealEngine::podman4()).await;
}

#[tokio::test]
async fn s065_a_console_that_was_killed_ends_at_its_start_what_it_has_left() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let folder = tempfile::tempdir().expect("a folder");
    let console = Console::start(&engine.socket).data_in(folder.path()).ready().await;
    console.sees(&web.id).await;
    let mut shell = console.terminal(&web, &[]).await;
    shell.types("(trap '' HUP; sleep 1119) & sleep 1120\r").await;
    until("they run", async || {
        let all = inside(&engine, &web).await;
        (all.contains("1119") && all.contains("1120")).then_some(())
    })
    .await;
    engine.docker(&["exec", "-d", &web.id, "sleep", "1121"]).await;
    // Without a word, as by SIGKILL: nothing of it could be ended.
    drop(console);
    assert!(inside(&engine, &web).await.contains("1119"), "it was killed, and ended it all the same");
    let _console = Console::start(&engine.socket).data_in(folder.path()).ready().await;
    is_gone(&engine, &web, &["1119", "1120"]).await;
    assert!(inside(&engine, &web).await.contains("1121"), "what others run goes on");
    until("it is forgotten", async || {
        let text = std::fs::read_to_string(folder.path().join("terminals.json")).ok()?;
        (text == "{}").then_some(())
    })
    .await;
}

#[tokio::test]
async fn s065_a_line_that_drops_finds_the_same_shell_and_one_that_stays_away_does_not() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let mut shell = console.terminal(&web, &[]).await;
    shell.line("X=kept; echo ready", "ready").await;
    let (number, token, at) = (shell.number, shell.token.clone(), shell.at);
    shell.types("sleep 1; echo while-away\r").await;
    sleep(Duration::from_millis(200)).await;
    drop(shell);
    sleep(Duration::from_secs(2)).await;
    let list = console.ask("GET", "/terminals").header("accept", "application/json").send().await.json();
    let item =
        list["items"].as_array().expect("a list").iter().find(|item| item["number"] == number).expect("it lives");
    assert_eq!(item["watched"], false);
    // By what is no token, nobody gets in.
    for wrong in ["", "x", &token[1..], &token.to_uppercase()] {
        let mut stranger =
            Terminal::back(wrong, 0, console.socket_of(None, &web).open().await.expect("a socket")).await;
        assert_eq!(stranger.ends().await.0, 4404, "{wrong}");
    }
    let mut back = Terminal::back(&token, at, console.socket_of(None, &web).open().await.expect("a socket")).await;
    back.until("while-away").await;
    back.line("echo $X", "kept").await;
    // From another page the one before is left, and told so.
    let mut second = Terminal::back(&token, 0, console.socket_of(None, &web).open().await.expect("a socket")).await;
    assert_eq!(back.ends().await.0, 4001);
    second.until("ready").await;
    second.line("echo again $X", "again kept").await;
    second.types("sleep 1118 &\r").await;
    until("it runs", async || inside(&engine, &web).await.contains("1118").then_some(())).await;
    let begun = Instant::now();
    drop(second);
    sleep(Duration::from_secs(50)).await;
    assert!(inside(&engine, &web).await.contains("1118"), "it did not wait for a minute");
    while inside(&engine, &web).await.contains("1118") {
        assert!(begun.elapsed() < Duration::from_secs(75), "it is still there");
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn s006_sockets_and_forms_let_in_who_may() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let web = engine.run("web", &format!("-i {IDLE}")).await;
    let console = Console::administered(spy.socket()).await;
    let admin = console.admin().await;
    let vic = console.hire(&admin, "vic", "viewer", "").await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    console.sees_as(&admin, &web.id).await;
    for route in wheelhouse::web::routes().list().iter().filter(|route| route.is_socket) {
        let path = route.path.replace("{id}", &web.id);
        let ask = || Upgrade::of(&console, &path).header("origin", &console.origin());
        assert_eq!(ask().open().await.err(), Some(401), "{path}");
        assert_eq!(ask().header("cookie", "wheelhouse=x").open().await.err(), Some(401), "{path}");
        assert_eq!(ask().by(&vic).open().await.err(), Some(403), "{path}");
    }
    for path in ["terminal", "attach"] {
        console.asks_terminal(Some(&vic), &web.path(path), &[]).await.expect(403);
        assert_eq!(console.asks_terminal(None, &web.path(path), &[]).await.status, 401);
    }
    assert!(!goes_in(&spy), "{:?}", spy.writes());
    // The token of somebody else's is worth nothing.
    let mut shell = console.terminal_of(Some(&ops), &web, "terminal", &[]).await;
    shell.line("echo mine", "mine").await;
    let socket = console.socket_of(Some(&admin), &web).open().await.expect("a socket");
    let mut thief = Terminal::back(&shell.token, 0, socket).await;
    assert_eq!(thief.ends().await.0, 4404);
    shell.line("echo still", "still").await;
}

#[tokio::test]
async fn s015_a_socket_comes_from_a_page_of_ours() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let console = Console::administered(&engine.socket).await;
    console.expect_log(REFUSED);
    let admin = console.admin().await;
    console.sees_as(&admin, &web.id).await;
    let token = console.token(&admin, &[("name", "t"), ("role", "operator"), ("days", "1")]).await;
    let port = console.port;
    for route in wheelhouse::web::routes().list().iter().filter(|route| route.is_socket) {
        let path = route.path.replace("{id}", &web.id);
        let ask = || Upgrade::of(&console, &path).by(&admin);
        for origin in [
            "http://evil.test".to_owned(),
            "null".to_owned(),
            String::new(),
            format!("https://127.0.0.1:{port}"),
            format!("http://127.0.0.1:{}", port ^ 1),
            "http://127.0.0.1".to_owned(),
            format!("http://127.0.0.1:{port}.evil.test"),
            format!("http://evil.127.0.0.1:{port}"),
            format!("http://127.0.0.1:{port}@evil.test"),
            format!("http://localhost:{port}"),
            format!("ws://127.0.0.1:{port}"),
        ] {
            let status = ask().header("origin", &origin).open().await.err();
            assert_eq!(status, Some(403), "{path} from {origin}");
            let also = ask().header("origin", &origin).header("sec-fetch-site", "same-origin").open().await.err();
            assert_eq!(also, Some(403), "{path} from {origin}, with a word of the browser's");
        }
        assert_eq!(ask().open().await.err(), Some(403), "{path} without an origin, with a cookie");
        assert!(ask().header("origin", &console.origin()).open().await.is_ok());
        let localhost = ask().header("host", &format!("localhost:{port}"));
        assert!(localhost.header("origin", &format!("http://localhost:{port}")).open().await.is_ok());
        // A script has no page that could be tricked.
        assert!(Upgrade::of(&console, &path).by(&token).open().await.is_ok());
        let strange = Upgrade::of(&console, &path).by(&admin).header("host", "evil.test");
        assert_eq!(strange.header("origin", "http://evil.test").open().await.err(), Some(421));
    }
}

#[tokio::test]
async fn s010_it_ends_with_the_right_to_it() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    console.sees_as(&admin, &web.id).await;
    for (round, deed) in ["role", "logout"].into_iter().enumerate() {
        let name = format!("ops{round}");
        let ops = console.hire(&admin, &name, "operator", "").await;
        let mut shell = console.terminal_of(Some(&ops), &web, "terminal", &[]).await;
        shell.types("sleep 2222 & sleep 2223\r").await;
        let mut away = console.terminal_of(Some(&ops), &web, "terminal", &[]).await;
        away.types("sleep 2224\r").await;
        until("they run", async || {
            let all = inside(&engine, &web).await;
            ["2222", "2223", "2224"].iter().all(|word| all.contains(word)).then_some(())
        })
        .await;
        // Nobody looks at this one, which does not help it.
        drop(away);
        let begun = Instant::now();
        if deed == "role" {
            let people = console.by(&admin, "GET", "/people").header("accept", "application/json").send().await.json();
            let all = people["items"].as_array().cloned().unwrap_or_default();
            let id = all.iter().find(|one| one["name"] == name.as_str()).expect("there")["id"].clone();
            let path = format!("/people/{id}");
            let answer = console.by(&admin, "POST", &path).form(&[("role", "viewer"), ("enabled", "1")]).send().await;
            assert!(answer.status < 400, "{}", answer.said());
        } else {
            console.by(&ops, "POST", "/logout").send().await;
        }
        assert_eq!(shell.ends().await.0, 4403);
        is_gone(&engine, &web, &["2222", "2223", "2224"]).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{deed}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn s039_an_exec_has_only_what_it_needs_and_operators_are_who_the_container_is() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let (plain, own) = (engine.run("plain", IDLE).await, engine.run("own", &format!("-u 1000 {IDLE}")).await);
    let console = Console::administered(spy.socket()).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    console.sees_as(&ops, &plain.id).await;
    console.sees_as(&ops, &own.id).await;
    for user in ["0", "root", "0:0", "root:root", "1000:0", "nobody"] {
        let answer = console.asks_terminal(Some(&ops), &own.path("terminal"), &[("user", user)]).await.expect(403);
        contains_all(&answer.body, &["runs as 1000", "by number"]);
    }
    assert!(!goes_in(&spy), "{:?}", spy.writes());
    let page = console.by(&ops, "GET", &own.path("terminal")).send().await.expect(200);
    contains_all(&page.said(), &["1000, or another by number"]);
    for (person, container, user, is) in [
        (&ops, &own, "33", "33"),
        (&ops, &own, "1000:1000", "1000"),
        (&ops, &plain, "root", "0"),
        (&admin, &own, "root", "0"),
    ] {
        let fields =
            [("command", "sh -c 'id -u'"), ("user", user), ("privileged", "1"), ("Privileged", "true"), ("env", "A=b")];
        let mut shell = console.terminal_of(Some(person), container, "terminal", &fields).await;
        shell.until(is).await;
        shell.ends().await;
    }
    let bodies = [spy.sent(&own.path("exec")), spy.sent(&plain.path("exec"))].concat();
    let mut marks = std::collections::BTreeSet::new();
    for body in bodies.iter().filter(|body| body.contains("\"Cmd\"")) {
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let known = ["Cmd", "Tty", "AttachStdin", "AttachStdout", "AttachStderr", "User", "WorkingDir", "Env"];
        let fields = body.as_object().expect("an object");
        assert!(fields.keys().all(|key| known.contains(&key.as_str())), "{body}");
        for variable in body["Env"].as_array().expect("a list") {
            let mark = variable.as_str().expect("a text");
            assert!(mark.starts_with("WHEELHOUSE_EXEC=") && mark.len() == 48, "{mark}");
            assert!(marks.insert(mark.to_owned()), "{mark} twice");
        }
    }
    assert_eq!(marks.len(), 4);
}

#[tokio::test]
async fn s040_inside_what_is_root_on_the_host_only_an_administrator_goes() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("docker.sock");
    std::os::unix::fs::symlink(&engine.socket, &link).expect("a link");
    let socket = engine.run("socket", &format!("-i -v {}:/var/run/docker.sock {IDLE}", link.display())).await;
    // A file of the host is no socket, and no power.
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("a file");
    let plain = engine.run("plain", &format!("-i -v {}:/srv/file {IDLE}", file.display())).await;
    // Whatever it is called.
    let other = folder.path().join("anything");
    let _listens = std::os::unix::net::UnixListener::bind(&other).expect("a socket");
    let renamed = engine.run("renamed", &format!("-i -v {}:/srv/thing {IDLE}", other.display())).await;
    let host = engine.run("host", &format!("-i -v /:/h:ro {IDLE}")).await;
    let privileged = engine.run("privileged", &format!("-i --privileged {IDLE}")).await;
    let console = Console::administered(spy.socket()).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    for container in [&socket, &renamed, &host, &privileged] {
        console.sees_as(&ops, &container.id).await;
        for kind in ["terminal", "attach"] {
            let answer = console.asks_terminal(Some(&ops), &container.path(kind), &[("write", "1")]).await.expect(403);
            contains_all(&answer.body, &["root on the host", "administrator"]);
            console.by(&ops, "GET", &container.path(kind)).send().await.expect(403);
        }
    }
    assert!(!goes_in(&spy), "{:?}", spy.writes());
    console.sees_as(&ops, &plain.id).await;
    let mut shell = console.terminal_of(Some(&ops), &plain, "terminal", &[]).await;
    shell.line("cat /srv/file; echo =", "x=").await;
    let mut shell = console.terminal_of(Some(&admin), &privileged, "terminal", &[]).await;
    shell.line("echo in", "in").await;
}

#[tokio::test]
async fn s041_what_is_out_of_reach_is_not_there() {
    let engine = RealEngine::docker28();
    let red = engine.run("red", &format!("--label team=red {IDLE}")).await;
    let blue = engine.run("blue", &format!("-i --label team=blue {IDLE}")).await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "label:team=red").await;
    console.sees_as(&ann, &red.id).await;
    console.sees_as(&admin, &blue.id).await;
    for kind in ["terminal", "attach"] {
        console.asks_terminal(Some(&ann), &blue.path(kind), &[]).await.expect(404);
    }
    assert_eq!(console.socket_of(Some(&ann), &blue).open().await.err(), Some(404));
    // Of others' terminals she hears nothing, and ends none.
    let mut shell = console.terminal_of(Some(&admin), &red, "terminal", &[]).await;
    shell.line("echo up", "up").await;
    let list = console.by(&ann, "GET", "/terminals").send().await.expect(200);
    assert!(!list.has("[data-terminal]"), "{}", list.said());
    console.by(&ann, "POST", &format!("/terminals/{}/end", shell.number)).send().await.expect(404);
    let mut own = console.terminal_of(Some(&ann), &red, "terminal", &[]).await;
    own.types("sleep 3331\r").await;
    until("it runs", async || inside(&engine, &red).await.contains("3331").then_some(())).await;
    // An administrator sees all, and ends any.
    let list = console.by(&admin, "GET", "/terminals").send().await.expect(200);
    assert_eq!(list.attributes("[data-terminal]", "data-terminal").len(), 2, "{}", list.said());
    contains_all(&list.said(), &["ann", &red.name]);
    console.by(&admin, "POST", &format!("/terminals/{}/end", own.number)).send().await.leads_to();
    assert!(!inside(&engine, &red).await.contains("3331"), "answered before it had ended");
    own.ends().await;
    assert!(own.ended.expect("told")["ended"].as_str().expect("words").contains("Admin ended it"));
    shell.line("echo still", "still").await;
}

#[tokio::test]
async fn a_terminal_whose_container_is_stopped_says_so() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let web = engine.run("web", IDLE).await;
        let console = Console::on(&engine).await;
        console.sees(&web.id).await;
        let mut shell = console.terminal(&web, &[]).await;
        shell.line("echo up", "up").await;
        engine.docker(&["stop", "-t", "0", &web.id]).await;
        shell.ends().await;
        let ended = shell.ended.expect("it says how it ended");
        assert_eq!(ended["ended"], "The container ended, and all that ran in it.", "{ended}");
        // Nothing more can be run in it, and nothing is open here any more.
        until("it is told", async || {
            let asked = console.ask("GET", &web.path("terminal")).header("accept", "application/json");
            let says = asked.send().await.expect(200).json();
            (says["blocked"] == true && says["watched"] == 0).then_some(())
        })
        .await;
    }
}

/// Whether its container can be stopped at once, whatever is printed in it.
async fn stops_at_once(engine: &RealEngine, container: &Made) {
    let begun = Instant::now();
    engine.docker(&["stop", "-t", "1", &container.id]).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn s059_a_stalled_terminal_does_not_hold_the_container() {
    let engine = RealEngine::docker28();
    for how in ["reads nothing", "says nothing", "is gone"] {
        let web = engine.run(&how.replace(' ', "-"), IDLE).await;
        let console = Console::on(&engine).await;
        console.sees(&web.id).await;
        let mut shell = console.terminal(&web, &[("command", "yes")]).await;
        shell.until("y\r\ny\r\n").await;
        let before = console.memory();
        let held = match how {
            // The page stands still: the bytes stay in the socket.
            "reads nothing" => Some(shell),
            // It reads, and never says so.
            "says nothing" => {
                shell.stalls();
                while shell.reads(Duration::from_millis(500)).await {}
                Some(shell)
            }
            _ => {
                drop(shell);
                None
            }
        };
        sleep(Duration::from_secs(3)).await;
        assert!(console.memory() < before + 10_000, "{how}: {} KiB from {before}", console.memory());
        stops_at_once(&engine, &web).await;
        if let Some(mut shell) = held {
            // Who reads again is told that something is left out, and how it ended.
            let reads = async {
                while shell.closed.is_none() {
                    shell.reads(Duration::from_secs(5)).await;
                    let at = shell.at;
                    shell.tell(&json!({ "at": at })).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), reads).await.expect("it ends");
            assert!(shell.skipped > 0, "{how}");
            assert!(shell.ended.is_some(), "{how}");
        }
    }
}

#[tokio::test]
async fn what_is_read_in_time_comes_whole() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let mut shell = console.terminal(&web, &[("command", "seq 1 400000")]).await;
    let (code, _) = shell.ends().await;
    assert_eq!((code, shell.skipped), (1000, 0));
    let lines: Vec<&str> = shell.said.lines().collect();
    assert_eq!((lines.len(), lines.last()), (400_000, Some(&"400000")));
}

#[tokio::test]
async fn s060_attach_is_a_thing_of_its_own_and_stalls_nobody() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let loud = engine.run("loud", "-it busybox sh -c 'i=0; while :; do i=$((i+1)); echo line $i; done'").await;
    let deaf = engine.run("deaf", IDLE).await;
    let plain = engine.run("plain", "-i busybox sh -c 'while read l; do echo got $l; echo oops >&2; done'").await;
    let tty = engine.run("tty", "-it busybox sh").await;
    let console = Console::start(spy.socket()).ready().await;
    for made in [&loud, &deaf, &plain, &tty] {
        console.sees(&made.id).await;
        // No page attaches by itself.
        for tab in ["", "terminal", "attach", "inspect"] {
            console.get(&made.path(tab)).await.expect(200);
        }
    }
    assert!(!goes_in(&spy), "{:?}", spy.writes());
    let page = console.get(&tty.path("attach")).await;
    contains_all(&page.said(), &["^C ends it, and with it the container", "Leaving here leaves it running"]);
    contains_all(&page.commands().join("\n"), &["docker attach --no-stdin --sig-proxy=false"]);
    contains_all(&console.get(&deaf.path("attach")).await.said(), &["neither -i nor -t"]);
    console.asks_terminal(None, &deaf.path("attach"), &[]).await.expect(400);
    // Without a terminal: lines, out of the engine's frames.
    let mut lines = console.terminal_of(None, &plain, "attach", &[("write", "1")]).await;
    lines.types("hello\n").await;
    // They may come in either order: they are two streams.
    lines.until("got hello\n").await;
    lines.until("oops\n").await;
    // Read-only, nothing arrives; with the box ticked, it does.
    let mut looks = console.terminal_of(None, &tty, "attach", &[]).await;
    looks.types("echo $((40+2))\r").await;
    let mut types = console.terminal_of(None, &tty, "attach", &[("write", "1")]).await;
    types.types("echo $((50+5))\r").await;
    types.until("\n55").await;
    looks.until("\n55").await;
    assert!(!looks.said.contains("42"), "{}", looks.said);
    // Leaving leaves it running.
    looks.closes(1000).await;
    types.closes(1000).await;
    lines.closes(1000).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        (engine.state(&tty.id).await, engine.state(&plain.id).await),
        ("running".to_owned(), "running".to_owned())
    );
    // With a page that stands still the container goes on at its pace.
    let pace = async || {
        let count = async || {
            let last = engine.docker(&["logs", "--tail", "1", &loud.id]).await;
            last.trim().rsplit(' ').next().and_then(|count| count.parse::<f64>().ok()).unwrap_or_default()
        };
        let (before, begun) = (count().await, Instant::now());
        sleep(Duration::from_secs(3)).await;
        (count().await - before) / begun.elapsed().as_secs_f64()
    };
    let free = pace().await;
    let mut stalled = console.terminal_of(None, &loud, "attach", &[]).await;
    stalled.until("line ").await;
    sleep(Duration::from_secs(2)).await;
    let held = pace().await;
    assert!(held > free / 2.0, "{held} lines a second of {free}");
    // ^C is its own.
    let mut ends = console.terminal_of(None, &tty, "attach", &[("write", "1")]).await;
    ends.types("exit 5\r").await;
    ends.ends().await;
    contains_all(
        ends.ended.expect("told")["ended"].as_str().expect("words"),
        &["The container ended with exit code 5"],
    );
}

#[tokio::test]
async fn s066_input_is_bounded() {
    const PASTE: usize = 10 << 20;
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let web = engine.run("web", IDLE).await;
    let console = Console::start(spy.socket()).ready().await;
    console.sees(&web.id).await;
    // Ten megabytes, into a program that is slow to begin.
    let fields = [("command", "sh -c 'stty raw -echo; echo go; sleep 2; head -c 10485760 | md5sum; echo done'")];
    let mut shell = console.terminal(&web, &fields).await;
    shell.until("go").await;
    let before = console.memory();
    let paste: Vec<u8> = (0..PASTE).map(|at| b"abcdefghijklmnopqrstuvwxyz\n"[at % 27]).collect();
    let mut sent = 0;
    let mut most = 0;
    for piece in paste.chunks(16 << 10) {
        // As a page does: not further ahead than the program has taken.
        while sent - shell.took > 128 << 10 {
            shell.reads(Duration::from_secs(10)).await;
        }
        shell.sends(piece.to_vec()).await;
        sent += piece.len() as u64;
        most = most.max(console.memory());
    }
    let expected = engine
        .shell(
            "printf '' | md5sum >/dev/null; yes abcdefghijklmnopqrstuvwxyz | head -c 10485760 | md5sum | cut -d' ' -f1",
        )
        .await;
    shell.until("done").await;
    contains_all(&shell.said, &[expected.trim()]);
    assert!(most < before + 10_000, "{most} KiB from {before}");
    // What is larger than a message may be closes the line, and not the shell.
    let mut shell = console.terminal(&web, &[]).await;
    shell.line("echo $((1+1))", "2").await;
    shell.sends(vec![b'x'; 1 << 20]).await;
    assert_eq!(shell.ends().await.0, 1009);
    let mut again =
        Terminal::back(&shell.token, shell.at, console.socket_of(None, &web).open().await.expect("a socket")).await;
    again.line("echo $((2+2))", "4").await;
    for nonsense in [json!({ "what": 1 }), json!([1]), json!({ "size": "large" })] {
        again.tell(&nonsense).await;
        assert_eq!(again.ends().await.0, 1008, "{nonsense}");
        let socket = console.socket_of(None, &web).open().await.expect("a socket");
        again = Terminal::back(&again.token, again.at, socket).await;
    }
    // Sizes that are none are ignored, and many are few.
    again.line("echo $((3+3))", "6").await;
    let before = spy.count("/exec");
    for size in [[0, 0], [65_536, 1], [1, 1_001], [1_001, 1]] {
        again.tell(&json!({ "size": size })).await;
    }
    for step in 0..1_000 {
        again.tell(&json!({ "size": [80 + step % 50, 24] })).await;
    }
    again.tell(&json!({ "size": [77, 33] })).await;
    again.asks("stty size", "33 77").await;
    let calls = spy.count("/exec") - before;
    assert!(calls < 60, "{calls} calls for a thousand sizes");
}

#[tokio::test]
async fn s077_what_cannot_be_entered_says_why() {
    let engine = RealEngine::docker28();
    let looping = engine.run("looping", "--restart always busybox sh -c 'exit 3'").await;
    let paused = engine.run("paused", IDLE).await;
    engine.docker(&["pause", &paused.id]).await;
    let created = engine.create("created", IDLE).await;
    let console = Console::on(&engine).await;
    for (container, state, words) in [
        (&looping, "restarting", ["It is restarting", "Its log says why"]),
        (&paused, "paused", ["It is paused", "Unpause it"]),
        (&created, "created", ["It does not run", "Start it"]),
    ] {
        console.sees_state(&container.id, state).await;
        until("the page and the form say why", async || {
            let page = console.get(&container.path("terminal")).await.expect(200);
            let answer = console.asks_terminal(None, &container.path("terminal"), &[]).await;
            // A container that restarts is up for a moment now and then.
            let says = |text: &str| words.iter().all(|word| text.contains(word));
            (says(&page.said()) && answer.status == 409 && says(&answer.body)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_image_without_a_shell_says_what_to_do() {
    let engine = RealEngine::docker28();
    let bare = engine.name("bare");
    engine.goes_too("image", &bare);
    // Of busybox its one program, without a shell under its name.
    let line = format!(
        "id=$(docker create busybox) && docker cp $id:/bin/busybox /tmp/{bare} && docker rm $id >/dev/null \
         && tar -C /tmp --transform 's/.*/cat/' -c {bare} | docker import - {bare} && rm /tmp/{bare}"
    );
    engine.shell(&line).await;
    let web = engine.run("bare-box", &format!("-i {bare} /cat")).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let answer = console.asks_terminal(None, &web.path("terminal"), &[]).await.expect(422);
    contains_all(&answer.body, &["has no shell", "distroless", "--pid container:"]);
    // A command that it has runs; what closing cannot end there is hung up on, and said.
    let mut shell = console.terminal(&web, &[("command", "/cat -n")]).await;
    shell.types("hello\r").await;
    shell.until("1\thello").await;
    shell.closes(1000).await;
    is_gone(&engine, &web, &["cat -n"]).await;
}

#[tokio::test]
async fn s086_the_console_ends_and_no_shell_stays() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let mut console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let mut shells = Vec::new();
    for number in 0..3 {
        let mut shell = console.terminal(&web, &[]).await;
        shell.types(&format!("sleep 777{number} & sleep 778{number}\r")).await;
        shells.push(shell);
    }
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(console.stream("/containers/stream").await);
    }
    until("they run", async || {
        let all = inside(&engine, &web).await;
        (0..3).all(|number| all.contains(&format!("778{number}"))).then_some(())
    })
    .await;
    let begun = Instant::now();
    assert!(console.terminate().await);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let all = inside(&engine, &web).await;
    assert!(!all.contains("777") && !all.contains("778"), "{all}");
    for mut shell in shells {
        // Nothing is sent to who has gone: that would cut off what it has said.
        shell.stalls();
        assert_eq!(shell.ends().await.0, 1012);
    }
}

#[tokio::test]
async fn it_is_written_down_and_what_is_typed_is_not() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    console.sees_as(&ops, &web.id).await;
    let fields = [("command", "sh -c 'echo secret-argument; read line; exit 4'")];
    let mut shell = console.terminal_of(Some(&ops), &web, "terminal", &fields).await;
    shell.until("secret-argument").await;
    let audit = async || {
        let answer = console.by(&admin, "GET", "/audit.jsonl").send().await.expect(200);
        answer
            .body
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
            .collect::<Vec<_>>()
    };
    let open = until("its beginning is written down", async || {
        audit().await.into_iter().find(|line| line["action"] == "terminal.open")
    })
    .await;
    assert_eq!((&open["who"], &open["outcome"], &open["object"]), (&json!("ops"), &json!("done"), &json!(web.id)));
    contains_all(open["command"].as_str().expect("a command"), &["docker exec -it", &web.name]);
    shell.types("typed-secret\r").await;
    shell.ends().await;
    let all = audit().await;
    let end = all.iter().find(|line| line["action"] == "terminal.end").expect("its end is written down");
    contains_all(end["why"].as_str().expect("words"), &["after", "exit code 4", "its program ended"]);
    assert!(!all.iter().any(|line| line.to_string().contains("typed-secret")));
    // Who sees no secrets sees none of its arguments.
    let vic = console.hire(&admin, "vic", "viewer", "").await;
    let activity = console.by(&vic, "GET", "/activity").send().await.expect(200);
    assert!(
        activity.body.contains("docker exec -it") && !activity.body.contains("secret-argument"),
        "{}",
        activity.said()
    );
}

#[tokio::test]
async fn an_idle_terminal_is_closed() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", IDLE).await;
    let console = Console::start(&engine.socket).arg("--terminal-idle=3s").ready().await;
    console.sees(&web.id).await;
    let mut shell = console.terminal(&web, &[]).await;
    for _ in 0..4 {
        sleep(Duration::from_secs(1)).await;
        shell.line("echo $((1+1))", "2").await;
    }
    shell.ends().await;
    contains_all(shell.ended.expect("told")["ended"].as_str().expect("words"), &["Nobody typed anything for too long"]);
}

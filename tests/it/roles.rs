//! Who may do what: every route of the router, asked by everybody, against the one table; with a spy at the engine's
//! socket that proves that a refusal made no call (S003 to S006, S035).

use std::collections::BTreeSet;

use wheelhouse::{
    team::{Right, Role},
    web::{Route, routes},
};

use crate::support::{Answer, Console, Person, RealEngine, contains_all, proxy::FaultProxy};

/// Who walks.
struct Walker {
    name: &'static str,
    person: Option<Person>,
    role: Option<Role>,
}

impl Walker {
    /// Whether they may come in there: the table, said again in a few lines. What is one's own, a token does not manage.
    fn may(&self, route: &Route) -> bool {
        let is_token = self.person.as_ref().is_some_and(|person| person.header().0 == "authorization");
        let manages = route.right == Some(Right::Own) && route.method == "POST";
        !(is_token && manages) && route.right.is_none_or(|right| self.role.is_some_and(|role| role.may(right)))
    }
}

/// The path of a route, with things that are there in the place of its parameters.
fn path(route: &Route, container: &str, volume: &str) -> String {
    let path = match route.path {
        "/assets/{name}" => "/assets/none.css".to_owned(),
        path if path.starts_with("/volumes/") => path.replace("{name}", volume),
        path if path.starts_with("/containers/") => path.replace("{id}", container),
        path if path.starts_with("/networks/") => path.replace("{id}", container),
        path => path.replace("{id}", "999999"),
    };
    path.replace("{verb}", "pause")
}

/// How often the engine was asked about this container alone.
fn calls(spy: &FaultProxy, id: &str) -> usize {
    spy.count(&format!("/containers/{id}"))
}

async fn ask(console: &Console, walker: &Walker, route: &Route, path: &str) -> Answer {
    let ask = match &walker.person {
        Some(person) => console.by(person, route.method, path),
        None => console.ask(route.method, path).header("origin", &console.origin()),
    };
    let ask = ask.header("accept", "application/json");
    if path.contains("stream") {
        // Streams have no end: what counts is whether they begin.
        if ask.clone().open().await.is_ok() {
            let mut begun = console.get("/healthz").await;
            begun.status = 200;
            return begun;
        }
    }
    ask.send().await
}

#[tokio::test]
async fn s005_every_route_asks_for_its_right_and_a_refusal_makes_no_call() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let container = engine.run("red", "--label team=red busybox sleep 1000").await;
    let volume = engine.volume("walk", "").await;
    let console = Console::administered(spy.socket()).await;
    console.expect_log("");
    let admin = console.admin().await;
    let walkers = [
        Walker { name: "nobody", person: None, role: None },
        Walker {
            name: "viewer",
            person: Some(console.hire(&admin, "vic", "viewer", "").await),
            role: Some(Role::Viewer),
        },
        Walker {
            name: "scoped operator",
            person: Some(console.hire(&admin, "sam", "operator", "label:team=blue").await),
            role: Some(Role::Operator),
        },
        Walker {
            name: "operator",
            person: Some(console.hire(&admin, "ops", "operator", "").await),
            role: Some(Role::Operator),
        },
        Walker {
            name: "viewer's token of an admin",
            person: Some(console.token(&admin, &[("name", "v"), ("role", "viewer"), ("days", "7")]).await),
            role: Some(Role::Viewer),
        },
        Walker { name: "admin", person: Some(console.admin().await), role: Some(Role::Admin) },
    ];
    console.sees_as(&admin, &container.id).await;
    let all = routes();
    let mut walked = 0;
    for walker in &walkers {
        for route in all.list() {
            // What would end the walk: signing out, and one's own sessions.
            if matches!(route.path, "/logout" | "/me/sessions/end-others") && walker.person.is_some() {
                continue;
            }
            // Whoever asks here has yet to show who they are.
            if matches!(route.path, "/login" | "/login/code" | "/setup") {
                continue;
            }
            let path = path(route, &container.id, &volume);
            let (writes, sent) = (spy.writes(), calls(&spy, &container.id));
            let answer = ask(&console, walker, route, &path).await;
            let words = format!("{} {} by {}: {}", route.method, path, walker.name, answer.status);
            assert!(answer.status < 500 || answer.status == 502, "{words}\n{}", answer.said());
            walked += 1;
            if walker.may(route) {
                assert!(
                    !matches!(answer.status, 401) && !answer.body.contains("You may not do that"),
                    "{words}, and should be let in\n{}",
                    answer.said()
                );
            } else {
                let expected = if walker.role.is_none() { 401 } else { 403 };
                assert_eq!(answer.status, expected, "{words}\n{}", answer.said());
                assert_eq!(spy.writes(), writes, "{words}, and the engine was called");
                // A stream that was let go may draw once more meanwhile: then it is asked again.
                let mut quiet = calls(&spy, &container.id) == sent;
                for _ in 0..5 {
                    let before = calls(&spy, &container.id);
                    if quiet {
                        break;
                    }
                    ask(&console, walker, route, &path).await;
                    quiet = calls(&spy, &container.id) == before;
                }
                assert!(quiet, "{words}, and the engine was asked");
            }
        }
    }
    assert!(walked > 250, "{walked}");
}

#[test]
fn s003_few_routes_are_open_to_strangers() {
    let all = routes();
    let open: BTreeSet<&str> =
        all.list().iter().filter(|route| route.right.is_none()).map(|route| route.path).collect();
    let known = [
        "/assets/{name}",
        "/healthz",
        "/login",
        "/login/code",
        "/login/oidc",
        "/login/oidc/callback",
        "/logout",
        "/readyz",
        "/setup",
        "/theme",
    ];
    assert_eq!(open, BTreeSet::from(known));
    // What changes something of the engine is never a viewer's.
    let viewers = all.list().iter().filter(|route| route.method == "POST" && route.right == Some(Right::Look));
    assert_eq!(viewers.map(|route| route.path).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[tokio::test]
async fn s003_s004_strangers_get_nothing_by_any_spelling() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let container = engine.run("prey", "busybox sleep 1000").await;
    let console = Console::administered(spy.socket()).await;
    for other in ["/debug", "/debug/pprof", "/metrics", "/openapi.json", "/.git/HEAD", "/app.js.map", "/server-status"]
    {
        let answer = console.ask("GET", other).header("accept", "text/html").send().await;
        assert!(matches!(answer.status, 303 | 401 | 404), "{other}: {}", answer.status);
    }
    let (writes, sent) = (spy.writes(), calls(&spy, &container.id));
    let all = routes();
    for route in all.list().iter().filter(|route| route.right.is_some()) {
        let path = path(route, &container.id, "x");
        let tricks = [
            format!("{path}.js"),
            format!("{path}/.css"),
            format!("/{path}"),
            format!("/.{path}"),
            format!("/static/..%2f{}", &path[1..]),
            format!("/assets/..%2f{}", &path[1..]),
            format!("{path}%00"),
            format!("{path};a=b"),
            path.to_uppercase(),
            format!("{path}?.css"),
            format!("{path}%2f..%2f..%2fassets/app.css"),
        ];
        for trick in tricks {
            let answer = console
                .ask(route.method, &trick)
                .header("accept", "text/html")
                .header("origin", &console.origin())
                .send()
                .await;
            assert!(
                !(200..300).contains(&answer.status),
                "{} {trick}: {}\n{}",
                route.method,
                answer.status,
                answer.said()
            );
        }
    }
    assert_eq!((spy.writes(), calls(&spy, &container.id)), (writes, sent));
}

#[tokio::test]
async fn a_read_only_installation_changes_nothing() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let container = engine.run("prey", "busybox sleep 1000").await;
    let console = Console::with_people(spy.socket()).administered().arg("--read-only").ready().await;
    let admin = console.admin().await;
    console.sees_as(&admin, &container.id).await;
    let writes = spy.writes();
    let all = routes();
    let mut asked = 0;
    for route in all.list().iter().filter(|route| route.right.is_some_and(Right::changes_engine)) {
        let path = path(route, &container.id, "x");
        let answer = console.by(&admin, route.method, &path).send().await.expect(403);
        contains_all(&answer.said(), &["read-only"]);
        asked += 1;
    }
    assert!(asked > 10, "{asked}");
    assert_eq!(spy.writes(), writes);
    let page = console.by(&admin, "GET", &format!("/containers/{}", container.id)).send().await.expect(200);
    assert!(!page.has("main button[formaction]"), "{}", page.body);
    // People are managed all the same.
    console.hire(&admin, "ann", "viewer", "").await;
}

#[tokio::test]
async fn s041_teams_do_not_see_each_other() {
    let engine = RealEngine::docker28();
    let red = engine.run("red", "--label team=red busybox sleep 1000").await;
    let blue = engine.run("blue", "--label team=blue busybox sleep 1000").await;
    let console = Console::administered(&engine.socket).await;
    console.expect_log("");
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "label:team=red").await;
    console.sees_as(&ann, &red.id).await;
    console.sees_as(&admin, &blue.id).await;
    let nobodys = "f".repeat(64);
    let mut stream = console.by(&ann, "GET", "/containers/stream").open().await.expect("a stream");
    let mut events = console.by(&ann, "GET", "/events/stream").open().await.expect("a stream");
    for path in ["/", "/containers", "/containers?q=blue", "/events", "/activity", "/jobs"] {
        let page = console.by(&ann, "GET", path).send().await.expect(200);
        assert!(!page.body.contains(&blue.id), "{path}");
        assert!(!page.body.contains(&blue.name), "{path}");
    }
    let all = routes();
    for route in all.list().iter().filter(|route| route.path.starts_with("/containers/{id}")) {
        let ask = async |id: &str| {
            let path = route.path.replace("{id}", id).replace("{verb}", "pause");
            if path.ends_with("stream") {
                return (0, String::new());
            }
            let answer = console.by(&ann, route.method, &path).send().await;
            (answer.status, answer.said().replace(id, "ID").replace(&id[..12], "ID"))
        };
        assert_eq!(ask(&blue.id).await, ask(&nobodys).await, "{} {}", route.method, route.path);
    }
    // What happens to the other's is not told, what happens to one's own is.
    engine.docker(&["restart", "-t", "0", &blue.id]).await;
    engine.docker(&["restart", "-t", "0", &red.id]).await;
    for stream in [&mut stream, &mut events] {
        let told = stream.until("the own one", |text| text.contains(&red.name) || text.contains(&red.id[..12])).await;
        assert!(!told.data.contains(&blue.id) && !told.data.contains(&blue.name), "{}", told.data);
    }
}

#[tokio::test]
async fn s036_s038_an_operator_never_becomes_root() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let prey = engine.run("prey", "busybox sleep 1000").await;
    let rooted = engine.volume("rooted", "-o type=none -o o=bind -o device=/").await;
    let console = Console::administered(spy.socket()).await;
    console.expect_log("");
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    let token = console.token(&ops, &[("name", "t"), ("role", "operator"), ("days", "1")]).await;
    let other = format!("container:{}", prey.id);
    let (mount, from) = (format!("{rooted}:/x"), prey.name.clone());
    let forbidden: Vec<(&str, &str)> = vec![
        ("privileged", "1"),
        ("cap-add", "SYS_ADMIN"),
        ("device", "/dev/null"),
        ("device", "/dev/mem:/dev/mem:rwm"),
        ("gpus", "all"),
        ("device-cgroup-rule", "a *:* rwm"),
        ("device-read-bps", "/dev/sda:1mb"),
        ("pid", "host"),
        ("pid", &other),
        ("ipc", "host"),
        ("ipc", &other),
        ("uts", "host"),
        ("userns", "host"),
        ("cgroupns", "host"),
        ("network", "host"),
        ("network", &other),
        ("security-opt", "seccomp=unconfined"),
        ("security-opt", "systempaths=unconfined"),
        ("security-opt", "label=disable"),
        ("sysctl", "net.ipv4.ip_forward=1"),
        ("volume", "/:/host"),
        ("volume", "/var/run/docker.sock:/s"),
        ("volume", &mount),
        ("mount", "type=bind,source=/etc,target=/etc2"),
        (
            "mount",
            "type=volume,target=/x,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/",
        ),
        ("volumes-from", &from),
        ("volume-driver", "other"),
        ("runtime", "other"),
        ("cgroup-parent", "/"),
        ("group-add", "docker"),
        ("ulimit", "nofile=1000000"),
        ("oom-score-adj", "-1000"),
        ("storage-opt", "size=1G"),
        ("annotation", "a=b"),
        ("log-driver", "syslog"),
    ];
    let before = spy.writes();
    for (flag, value) in &forbidden {
        for start in ["0", "1"] {
            let fields = [("image", "busybox"), ("start", start), (flag, value)];
            let answer = console.by(&ops, "POST", "/containers").form(&fields).send().await;
            assert_eq!(answer.status, 403, "--{flag} {value}:\n{}", answer.said());
            let json = serde_json::json!({ "image": "busybox", "start": start, *flag: value }).to_string();
            let ask = console.by(&token, "POST", "/containers").header("content-type", "application/json");
            let answer = ask.header("accept", "application/json").body(json).send().await;
            assert_eq!(answer.status, 403, "--{flag} {value} in JSON:\n{}", answer.said());
        }
    }
    // By other spellings of the same: what is no field of ours is not there.
    for body in [
        r#"{"image":"busybox","hostconfig":{"privileged":true}}"#,
        r#"{"image":"busybox","HostConfig":{"Privileged":true},"HostConfig":{}}"#,
        r#"{"image":"busybox","privileged":"","privileged":"1"}"#,
        r#"{"image":"busybox","privileged":["","1"]}"#,
        r#"{"image":"busybox","PRIVILEGED":true,"Privileged":true}"#,
    ] {
        let ask = console.by(&token, "POST", "/containers").header("content-type", "application/json");
        let answer = ask.header("accept", "application/json").body(body).send().await;
        if answer.status == 201 {
            let id = answer.header("location").rsplit('/').next().unwrap_or_default().to_owned();
            engine.goes_too("container", &id);
            assert_eq!(engine.inspect(&id).await["HostConfig"]["Privileged"], false, "{body}");
        }
    }
    for body in spy.sent("/containers/create") {
        assert!(!body.to_lowercase().replace(' ', "").contains("\"privileged\":true"), "{body}");
    }
    let made = spy.writes().len() - before.len();
    assert!(made <= 3, "{:?}", &spy.writes()[before.len()..]);
    // Without any of it, an operator makes what operators make.
    let name = engine.name("fine");
    engine.goes_too("container", &name);
    console.by(&ops, "POST", "/containers").form(&[("image", "busybox"), ("name", &name)]).send().await.expect(303);
}

#[tokio::test]
async fn s037_s046_nor_by_a_volume_or_a_pull() {
    let spy = FaultProxy::before(&RealEngine::docker28().socket);
    let console = Console::administered(spy.socket()).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    let before = spy.writes();
    let volume = [
        ("name", "x"),
        ("option-name", "device"),
        ("option-value", "/"),
        ("option-name", "o"),
        ("option-value", "bind"),
    ];
    console.by(&ops, "POST", "/volumes").form(&volume).send().await.expect(403);
    let mut told = BTreeSet::new();
    for image in ["127.0.0.1:22/x", "127.0.0.1:1/x", "[::1]:80/x", "169.254.169.254/x", "10.0.0.1.nip.io/x"] {
        let answer = console.by(&ops, "POST", "/containers").form(&[("image", image)]).send().await;
        // What is no reference at all is no pull either.
        assert!(matches!(answer.status, 403 | 422), "{image}: {}", answer.said());
        if answer.status == 403 {
            told.insert(answer.text("main .errors").replace(image, "IMAGE"));
        }
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(spy.writes(), before);
}

#[tokio::test]
async fn s013_s016_a_cookie_counts_from_our_own_pages_only() {
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let prey = engine.run("prey", "busybox sleep 1000").await;
    let console = Console::administered(spy.socket()).await;
    console.expect_log("a write from a page that is not ours");
    let admin = console.admin().await;
    let (cookie, own) = (admin.header().1.to_owned(), console.origin());
    let port = console.port;
    let before = spy.writes();
    let all = routes();
    for route in all.list().iter().filter(|route| route.method == "POST") {
        let path = path(route, &prey.id, "x");
        for (header, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "http://evil.test"),
            ("origin", &*format!("http://127.0.0.1:{}", port ^ 1)),
            ("origin", &*format!("https://127.0.0.1:{port}")),
            ("origin", "null"),
            ("referer", "http://evil.test/"),
            ("x-neither", "x"),
        ] {
            let ask = console.ask("POST", &path).header("cookie", &cookie).header(header, value);
            let answer = ask.send().await;
            assert_eq!(answer.status, 403, "{path} with {header}: {value}:\n{}", answer.said());
        }
    }
    assert_eq!(spy.writes(), before);
    assert_eq!(engine.state(&prey.id).await, "running");
    // From here it works, by whichever of our names.
    for (host, origin) in [
        (format!("127.0.0.1:{port}"), own.clone()),
        (format!("localhost:{port}"), format!("http://localhost:{port}")),
        (format!("LOCALHOST:{port}"), format!("http://localhost:{port}")),
        (format!("[::1]:{port}"), format!("http://[::1]:{port}")),
    ] {
        let ask = console.ask("POST", &prey.path("pause")).header("host", &host).header("cookie", &cookie);
        ask.header("origin", &origin).send().await.expect(303);
        let ask = console.ask("POST", &prey.path("unpause")).header("host", &host).header("cookie", &cookie);
        ask.header("referer", &format!("{origin}/containers")).send().await.expect(303);
    }
}

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

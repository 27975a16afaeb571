//! Scripts: with a token, the same addresses and fields as pages and forms have, answered in JSON with true statuses.

use serde_json::{Value, json};

use crate::support::{Answer, Console, Person, RealEngine, contains_all, until};

const JSON: &str = "application/json";

async fn get(console: &Console, who: &Person, path: &str) -> Answer {
    console.by(who, "GET", path).header("accept", JSON).send().await
}

async fn post(console: &Console, who: &Person, path: &str, fields: &Value) -> Answer {
    let ask = console.by(who, "POST", path).header("accept", JSON).header("content-type", JSON);
    ask.body(fields.to_string()).send().await
}

/// A console with an administrator's token.
async fn administered(engine: &RealEngine) -> (Console, Person, Person) {
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let token = console.token(&admin, &[("name", "script"), ("role", "admin"), ("days", "7")]).await;
    (console, admin, token)
}

#[tokio::test]
async fn every_list_and_every_detail_is_json_for_who_asks() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "-e DB_PASSWORD=hunter2 busybox sleep 1000").await;
    let volume = engine.volume("data", "").await;
    let (console, _, token) = administered(&engine).await;
    console.sees_as(&token, &web.id).await;
    for list in ["/containers", "/volumes", "/events", "/jobs", "/people"] {
        let answer = get(&console, &token, list).await.expect(200);
        assert_eq!(answer.header("content-type"), JSON, "{list}");
        assert!(answer.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap_or("").contains("accept")));
        let data = answer.json();
        assert!(data["items"].is_array() && data["total"].is_u64() && data["pages"].is_u64(), "{list}: {data}");
    }
    for newest in ["/activity", "/audit"] {
        assert!(get(&console, &token, newest).await.expect(200).json()["items"].is_array(), "{newest}");
    }
    let found = get(&console, &token, &format!("/containers?q={}", web.id)).await.json();
    assert_eq!((found["total"].as_u64(), &found["items"][0]["id"]), (Some(1), &json!(web.id)));
    let shown = get(&console, &token, &web.path("")).await.expect(200);
    assert_eq!(shown.json()["state"], "running");
    assert!(!shown.body.contains("hunter2"), "{}", shown.body);
    let revealed = get(&console, &token, &format!("{}?reveal=1", web.path(""))).await.expect(200);
    assert!(revealed.body.contains("hunter2"), "{}", revealed.body);
    assert_eq!(get(&console, &token, &web.path("inspect")).await.expect(200).json()["Id"], json!(web.id));
    assert_eq!(get(&console, &token, &format!("/volumes/{volume}")).await.expect(200).json()["name"], json!(volume));
    assert_eq!(get(&console, &token, "/").await.expect(200).json()["live"], true);
    assert_eq!(get(&console, &token, "/me").await.expect(200).json()["name"], "admin");
    assert_eq!(get(&console, &token, "/people/1").await.expect(200).json()["role"], "admin");
    assert_eq!(get(&console, &token, "/audit/verify").await.expect(200).json()["whole"], true);
    // What would be done is told before it is.
    let plan = get(&console, &token, &web.path("remove?force=1")).await.expect(200).json();
    contains_all(plan["command"].as_str().unwrap_or_default(), &["docker rm", "-f", &web.name]);
    // Pages are still pages, to browsers and to who does not mind.
    for accept in ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8"] {
        let page = console.by(&token, "GET", "/containers").header("accept", accept).send().await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"), "{accept}");
    }
    // A filter that is mistyped does not list everything.
    for (query, field) in [("state=runing", "state"), ("stat=running", "stat"), ("page=0", "page")] {
        let answer = get(&console, &token, &format!("/containers?{query}")).await.expect(422);
        assert!(answer.json()["fields"][field].is_string(), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_life_in_json() {
    let engine = RealEngine::docker28();
    let (console, _, token) = administered(&engine).await;
    let name = engine.name("script");
    let wrong = json!({ "image": "busybox", "name": "-", "memory": "much" });
    let refused = post(&console, &token, "/containers", &wrong).await.expect(422).json();
    assert!(refused["fields"]["name"].is_string() && refused["fields"]["memory"].is_string(), "{refused}");
    let draft = post(&console, &token, "/containers/draft", &json!({ "image": "busybox", "rm": true })).await;
    contains_all(draft.expect(200).json()["command"].as_str().unwrap_or_default(), &["docker run", "--rm", "busybox"]);

    let new =
        json!({ "image": "busybox", "name": name, "command": "sleep 1000", "env": ["A=1", "B=2"], "start": true });
    let made = post(&console, &token, "/containers", &new).await.expect(201);
    let container = engine.made("script").await;
    assert_eq!(made.header("location"), container.path(""));
    assert_eq!(made.json()["id"], json!(container.id));
    let taken = post(&console, &token, "/containers", &new).await.expect(409).json();
    assert!(taken["fields"]["name"].is_string(), "{taken}");
    console.sees_as(&token, &container.id).await;

    for (verb, fields, state) in [
        ("pause", json!({}), "paused"),
        ("unpause", json!({}), "running"),
        ("restart", json!({ "timeout": 0 }), "running"),
        ("kill", json!({ "signal": "KILL" }), "exited"),
        ("start", json!({}), "running"),
        ("stop", json!({ "timeout": 0 }), "exited"),
        ("stop", json!({}), "exited"),
    ] {
        let done = post(&console, &token, &container.path(verb), &fields).await.expect(200).json();
        contains_all(done["command"].as_str().unwrap_or_default(), &["docker", verb, &name]);
        assert_eq!(engine.state(&container.id).await, state, "{verb}");
    }
    let wrong = post(&console, &token, &container.path("stop"), &json!({ "timeout": -1 })).await.expect(422).json();
    assert!(wrong["fields"]["timeout"].is_string(), "{wrong}");
    let conflict = post(&console, &token, &container.path("pause"), &json!({})).await.expect(409).json();
    assert!(conflict["engine"].is_string() && !conflict["next"].is_null(), "{conflict}");
    let all = json!({ "action": "start", "id": [container.id] });
    post(&console, &token, "/containers/bulk", &all).await.expect(200);
    let removed = post(&console, &token, &container.path("remove"), &json!({ "force": true })).await.expect(200);
    contains_all(removed.json()["done"].as_str().unwrap_or_default(), &[&name, "removed"]);
    get(&console, &token, &container.path("")).await.expect(404);
    post(&console, &token, &container.path("start"), &json!({})).await.expect(404);
}

#[tokio::test]
async fn volumes_and_jobs_in_json() {
    let engine = RealEngine::docker28();
    let (console, _, token) = administered(&engine).await;
    let name = engine.name("data");
    engine.goes_too("volume", &name);
    let new = json!({ "name": name, "label": ["team=red"] });
    let made = post(&console, &token, "/volumes", &new).await.expect(201);
    assert_eq!((made.header("location"), &made.json()["id"]), (format!("/volumes/{name}").as_str(), &json!(name)));
    post(&console, &token, "/volumes", &new).await.expect(409);
    post(&console, &token, "/volumes", &json!({ "name": "../x" })).await.expect(422);
    let begun = post(&console, &token, "/volumes/prune", &json!({ "name": [name] })).await.expect(202);
    let job = begun.header("location").to_owned();
    assert_eq!(begun.json()["location"], json!(job));
    let ended = until("the job ends", async || {
        let job = get(&console, &token, &job).await.expect(200).json();
        (!job["ended"].is_null()).then_some(job)
    })
    .await;
    assert_eq!((&ended["stage"], &ended["parts"][0]["name"]), (&json!("done"), &json!(name)));
    get(&console, &token, &format!("/volumes/{name}")).await.expect(404);
    // An image that nobody has: a job, which can be cancelled.
    let new = json!({ "image": "localhost:1/none:1", "name": engine.name("none") });
    let begun = post(&console, &token, "/containers", &new).await.expect(202);
    let path = begun.header("location").to_owned();
    let cancelled = post(&console, &token, &format!("{path}/cancel"), &json!({})).await;
    assert!(matches!(cancelled.status, 204), "{}", cancelled.body);
    assert_eq!(cancelled.body, "");
    get(&console, &token, "/jobs/999999").await.expect(404);
}

#[tokio::test]
async fn s038_a_body_is_what_it_seems_to_be() {
    let engine = RealEngine::docker28();
    let (console, _, token) = administered(&engine).await;
    let send = async |kind: &str, body: String| {
        let ask = console.by(&token, "POST", "/volumes").header("accept", JSON).header("content-type", kind);
        ask.body(body).send().await
    };
    let happened = engine
        .events_during(async {
            for (body, status, word) in [
                (r#"{"name":"a","name":"b"}"#, 422, "name"),
                (r#"{"label":{"a":"b"}}"#, 422, "label"),
                (r#"{"label":[["a"]]}"#, 422, "label"),
                (r#"{"nmae":"a"}"#, 422, "nmae"),
                (r#"["name"]"#, 422, "object"),
                (r#"{"name":"#, 400, "JSON"),
                ("name=x", 400, "JSON"),
            ] {
                let answer = send(JSON, body.to_owned()).await.expect(status);
                assert!(answer.body.contains(word), "{body}: {}", answer.body);
            }
            send("text/plain", "name=x".to_owned()).await.expect(415);
            send(JSON, format!(r#"{{"name":"{}"}}"#, "x".repeat(1 << 20))).await.expect(413);
            let many: Vec<u32> = (0..5_000).collect();
            send(JSON, json!({ "label": many }).to_string()).await.expect(413);
        })
        .await;
    assert_eq!(happened, [""; 0]);
}

#[tokio::test]
async fn s012_s041_a_token_does_no_more_than_it_may() {
    let engine = RealEngine::docker28();
    let red = engine.run("red", "--label team=red busybox sleep 1000").await;
    let blue = engine.run("blue", "--label team=blue busybox sleep 1000").await;
    let (console, admin, token) = administered(&engine).await;
    console.sees_as(&token, &blue.id).await;
    let viewer = console.token(&admin, &[("name", "looks"), ("role", "viewer")]).await;
    let limits = [("name", "red"), ("role", "operator"), ("scope", "label:team=red")];
    let scoped = console.token(&admin, &limits).await;

    post(&console, &viewer, &red.path("stop"), &json!({})).await.expect(403);
    get(&console, &viewer, "/audit").await.expect(403);
    get(&console, &viewer, &red.path("")).await.expect(200);
    let seen = get(&console, &scoped, "/containers").await.expect(200);
    assert!(seen.body.contains(&red.id) && !seen.body.contains(&blue.id), "{}", seen.body);
    let nobodys = "f".repeat(64);
    for verb in ["", "stop", "remove"] {
        let ask = async |id: &str| {
            let path = format!("/containers/{id}{}{verb}", if verb.is_empty() { "" } else { "/" });
            let answer = if verb.is_empty() {
                get(&console, &scoped, &path).await
            } else {
                post(&console, &scoped, &path, &json!({})).await
            };
            (answer.status, answer.body.replace(id, "ID").replace(&id[..12], "ID"))
        };
        assert_eq!(ask(&blue.id).await, ask(&nobodys).await, "{verb}");
    }
    let root = json!({ "image": "busybox", "name": engine.name("root"), "privileged": true });
    post(&console, &scoped, "/containers", &root).await.expect(403);
    post(&console, &scoped, &red.path("stop"), &json!({ "timeout": 0 })).await.expect(200);
    assert_eq!(engine.state(&red.id).await, "exited");

    // A token that leaked does not make itself a longer life.
    for (path, fields) in [
        ("/me/tokens", json!({ "name": "more", "role": "viewer" })),
        ("/me/password", json!({ "old": "x", "password": "y" })),
        ("/me/sessions/end-others", json!({})),
    ] {
        contains_all(&post(&console, &token, path, &fields).await.expect(403).body, &["token does not manage tokens"]);
    }
    // In an address it is no way in.
    let given = token.header().1.trim_start_matches("Bearer ").to_owned();
    for path in ["/containers", "/openapi.json", "/containers/stream", "/"] {
        let answer =
            console.ask("GET", &format!("{path}?token={given}")).header("accept", JSON).send().await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{path}");
    }
    // What is revoked is over at once.
    let me = get(&console, &admin, "/me").await.expect(200).json();
    let tokens = me["tokens"].as_array().cloned().unwrap_or_default();
    let id = tokens.iter().find(|token| token["name"] == "looks").map(|token| token["id"].clone()).unwrap_or_default();
    post(&console, &admin, &format!("/me/tokens/{id}/revoke"), &json!({})).await.expect(204);
    get(&console, &viewer, "/containers").await.expect(401);
    get(&console, &Person::with_token("wheelhouse_none"), "/containers").await.expect(401);
}

#[tokio::test]
async fn a_person_makes_tokens_and_accounts_in_json_too() {
    let engine = RealEngine::docker28();
    let (console, admin, token) = administered(&engine).await;
    let made = post(&console, &admin, "/me/tokens", &json!({ "name": "ci", "role": "viewer", "days": 1 })).await;
    let made = made.expect(201).json();
    let viewer = Person::with_token(made["token"].as_str().unwrap_or_default());
    get(&console, &viewer, "/containers").await.expect(200);
    let wrong = post(&console, &admin, "/me/tokens", &json!({ "name": "x", "days": 0 })).await.expect(422).json();
    assert!(wrong["fields"]["days"].is_string(), "{wrong}");

    let hired = post(&console, &token, "/people", &json!({ "name": "ann", "role": "viewer" })).await.expect(201);
    let (path, ann) = (hired.header("location").to_owned(), hired.json());
    contains_all(ann["link"]["url"].as_str().unwrap_or_default(), &["/setup?token="]);
    let again = post(&console, &token, "/people", &json!({ "name": "ann", "role": "viewer" })).await.expect(422);
    assert!(again.json()["fields"]["name"].is_string());
    post(&console, &token, &path, &json!({ "role": "operator", "scope": ["label:team=red"] })).await.expect(204);
    assert_eq!(get(&console, &token, &path).await.json()["scope"], json!(["label:team=red"]));
    post(&console, &token, &format!("{path}/remove"), &json!({})).await.expect(204);
    get(&console, &token, &path).await.expect(404);
    post(&console, &token, "/people/1/remove", &json!({})).await.expect(409);
}

#[tokio::test]
async fn the_description_tells_what_there_is() {
    let engine = RealEngine::docker28();
    let (console, admin, token) = administered(&engine).await;
    console.ask("GET", "/openapi.json").header("accept", JSON).send().await.expect(401);
    let described = get(&console, &token, "/openapi.json").await.expect(200).json();
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(described["servers"][0]["url"], json!(console.origin()));
    let paths = described["paths"].as_object().cloned().unwrap_or_default();
    for (path, operations) in &paths {
        let Some(read) = operations.get("get") else { continue };
        if !path.contains('{') && read["parameters"].as_array().is_none_or(Vec::is_empty) {
            let answer = get(&console, &token, path).await.expect(200);
            assert_eq!(answer.header("content-type"), JSON, "{path}");
        }
    }
    let create = &described["paths"]["/containers"]["post"];
    let fields =
        create["requestBody"]["content"][JSON]["schema"]["properties"].as_object().map_or(0, serde_json::Map::len);
    assert!(fields > 100, "{fields}");
    let page = console.by(&admin, "GET", "/api").send().await.expect(200);
    for (path, operations) in &paths {
        for method in operations.as_object().into_iter().flat_map(|all| all.keys()) {
            contains_all(&page.text("main"), &[&format!("{} {path}", method.to_uppercase())]);
        }
    }
}

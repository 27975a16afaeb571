//! Registries: signing in, to a real one that asks for a password; and that what was saved goes nowhere else (S045).

use std::{fs, path::Path};

use crate::support::{proxy::FaultProxy, *};

const SECRET: &str = "open sesame";
const HOST: &str = "127.0.0.1:5001";

/// An image of the registry with a password that `make test` starts on docker28, and one of the registry without.
fn images() -> (String, String) {
    let named = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"));
    (named("WHEELHOUSE_TEST_PRIVATE"), named("WHEELHOUSE_TEST_REGISTRY"))
}

async fn save(console: &Console, who: &Person, fields: &[(&str, &str)]) -> Answer {
    console.by(who, "POST", "/registries").form(fields).send().await
}

/// Runs a container of this image; answers with how that ended, as its job's page says.
async fn run(console: &Console, who: &Person, name: &str, image: &str) -> String {
    let fields = [("image", image), ("name", name), ("command", "sleep 1000"), ("network", "none"), ("start", "1")];
    let answer = console.by(who, "POST", "/containers").form(&fields).send().await;
    if answer.status != 303 {
        return answer.said();
    }
    let job = answer.leads_to();
    until("the job has ended", async || {
        let page = console.by(who, "GET", &job).send().await.expect(200);
        page.has("#job[data-job='ended']").then(|| page.text("#job"))
    })
    .await
}

/// Whether these bytes stand in a file of this folder.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    })
}

#[tokio::test]
async fn s045_what_is_saved_opens_its_registry_and_is_told_to_nobody() {
    let (private, open) = images();
    let engine = RealEngine::docker28();
    let spy = FaultProxy::before(&engine.socket);
    let console = Console::administered(spy.socket()).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;

    // Without a word, the registry does not give it out; operators may not even ask.
    let says = run(&console, &admin, &engine.name("no"), &private).await;
    assert!(says.contains("no basic auth credentials") || says.contains("unauthorized"), "{says}");
    console.by(&ops, "GET", "/registries").send().await.expect(403);
    save(&console, &ops, &[("host", HOST), ("user", "ada"), ("secret", SECRET)]).await.expect(403);

    // What is wrong is said at its field, and is not saved; what was typed as a password does not come back.
    let wrong =
        save(&console, &admin, &[("host", HOST), ("user", "ada"), ("secret", "sesame, open")]).await.expect(422);
    contains_all(&wrong.said(), &["Nothing was saved.", "does not take this name with this password"]);
    assert_eq!(wrong.attribute("#f-user", "value").as_deref(), Some("ada"));
    assert!(!wrong.body.contains("sesame, open"), "{}", wrong.body);
    let wrong = save(&console, &admin, &[("host", "one"), ("user", ""), ("secret", "")]).await.expect(422);
    contains_all(&wrong.said(), &["A registry is a host with a dot or a port", "The name that you have there."]);
    let dead =
        save(&console, &admin, &[("host", "127.0.0.1:1"), ("user", "ada"), ("secret", SECRET)]).await.expect(422);
    contains_all(&dead.said(), &["could not be signed in to", "Save it without signing in now"]);

    // Saved, for administrators alone at first.
    save(&console, &admin, &[("host", &format!("http://{HOST}/")), ("user", "ada"), ("secret", SECRET)])
        .await
        .expect(303);
    let page = console.by(&admin, "GET", "/registries").send().await.expect(200);
    let row = format!("tr[data-name='{HOST}']");
    contains_all(&page.text(&row), &[HOST, "plain HTTP", "ada", "administrators", "by admin"]);
    contains_all(&page.text("tr[data-name='docker.io']"), &["Docker Hub", "HTTPS", "nobody", "operators, too"]);
    console.by(&admin, "POST", &format!("/registries/{}/check", HOST.replace(':', "%3A"))).send().await.expect(303);
    contains_all(&run(&console, &admin, &engine.name("mine"), &private).await, &["done in"]);
    engine.docker(&["rm", "-f", &engine.made("mine").await.id]).await;
    engine.docker(&["rmi", &private]).await;
    let says = run(&console, &ops, &engine.name("theirs"), &private).await;
    assert!(says.contains("lets you pull from docker.io only"), "{says}");
    save(&console, &admin, &[("host", HOST), ("user", "ada"), ("secret", SECRET), ("shared", "1")]).await.expect(303);
    contains_all(&run(&console, &ops, &engine.name("theirs"), &private).await, &["done in"]);
    engine.docker(&["rm", "-f", &engine.made("theirs").await.id]).await;
    engine.docker(&["rmi", &private]).await;

    // It went with the pulls from that registry, and with no other: what is said there is an empty object.
    let signed = |path: &str| {
        spy.heads(path)
            .iter()
            .filter(|head| head.contains("x-registry-auth:") && !head.contains("x-registry-auth: e30="))
            .count()
    };
    let asked = |image: &str| {
        format!(
            "/images/create?fromImage={}",
            image.rsplit_once(':').expect("a tag").0.replace(':', "%3A").replace('/', "%2F")
        )
    };
    assert_eq!(signed(&asked(&private)), 2, "{:?}", spy.seen());
    let _ = engine.try_docker(&["rmi", "-f", &open]).await;
    run(&console, &admin, &engine.name("open"), &open).await;
    assert!(spy.count(&asked(&open)) > 0, "{:?}", spy.seen());
    assert_eq!(signed(&asked(&open)), 0);

    // Nobody is told, and nothing of it lies about.
    let list = console.by(&admin, "GET", "/registries").header("accept", "application/json").send().await.expect(200);
    assert_eq!(list.json()["items"][1]["user"], "ada");
    for path in ["/registries", "/audit.jsonl", "/activity", "/jobs"] {
        let said = console.by(&admin, "GET", path).send().await.body;
        assert!(!said.contains(SECRET) && !said.contains("open+sesame"), "{path}");
    }
    assert!(!holds(console.data(), SECRET), "it is sealed");
    assert!(!console.log().contains(SECRET));

    // Signed out, it is gone.
    console.by(&admin, "POST", &format!("/registries/{}/remove", HOST.replace(':', "%3A"))).send().await.expect(303);
    let says = run(&console, &admin, &engine.name("again"), &private).await;
    assert!(says.contains("no basic auth credentials") || says.contains("unauthorized"), "{says}");
    console.by(&admin, "POST", &format!("/registries/{}/check", HOST.replace(':', "%3A"))).send().await.expect(404);
}

#[tokio::test]
async fn s045_a_lost_key_is_said_and_opens_nothing() {
    let engine = RealEngine::docker28();
    let folder = tempfile::tempdir().expect("a folder");
    let console = Console::start(&engine.socket).data_in(folder.path()).ready().await;
    let fields = [("host", "registry.invalid:5000"), ("user", "ada"), ("secret", SECRET), ("untried", "1")];
    console.post("/registries", &fields).await.expect(303);
    console.end().await;
    fs::remove_file(folder.path().join("registries.key")).expect("it was there");
    let console = Console::start(&engine.socket).data_in(folder.path()).ready().await;
    contains_all(&console.get("/registries").await.expect(200).said(), &["cannot be read any more"]);
    let answer = console.post("/registries/registry.invalid%3A5000/check", &[]).await.expect(409);
    contains_all(&answer.said(), &["registries.key", "Save it anew"]);
}

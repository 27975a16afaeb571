//! Registries: signing in, to a real one that asks for a password; and that what was saved goes nowhere else (S045).

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{
    proxy::FaultProxy,
    registry::{ADA, Host, PRIVATE},
    *,
};

const SECRET: &str = ADA.1;
const HOST: &str = PRIVATE;
/// The registry without a password, beside each engine.
const OPEN: &str = "localhost:5000";

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

/// What a job has come to.
async fn ended(console: &Console, who: &Person, job: &str) -> Value {
    until("the job has ended", async || {
        let told = console.by(who, "GET", job).header("accept", "application/json").send().await.expect(200).json();
        (told["stage"] != "running").then_some(told)
    })
    .await
}

/// What came of a form that begins a job.
async fn does(console: &Console, who: &Person, path: &str, fields: &[(&str, &str)]) -> Value {
    let job = console.by(who, "POST", path).form(fields).send().await.leads_to();
    ended(console, who, &job).await
}

/// Sends busybox there by docker itself, and lets go of that name.
async fn stock(engine: &RealEngine, reference: &str) {
    engine.docker(&["tag", "busybox:latest", reference]).await;
    engine.docker(&["push", "-q", reference]).await;
    engine.docker(&["rmi", reference]).await;
}

/// As a path has it.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_push_needs_the_login_that_is_saved() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::administered(&engine.socket).await;
        let admin = console.admin().await;
        let sent = format!("{HOST}/{}:1", engine.name("sent"));
        engine.docker(&["tag", "busybox:latest", &sent]).await;
        engine.goes_too("image", &sent);
        let id = engine.docker(&["image", "inspect", "-f", "{{.Id}}", &sent]).await;
        let path = format!("/images/{}/push", id.trim_start_matches("sha256:"));
        let push = async || {
            until("the tag is seen", async || {
                let answer = console.by(&admin, "POST", &path).form(&[("tag", &sent)]).send().await;
                (answer.status == 303).then(|| answer.leads_to())
            })
            .await
        };
        let told = ended(&console, &admin, &push().await).await;
        assert_eq!(told["stage"], "failed", "{told}");
        assert!(told.to_string().contains("auth"), "{told}");
        let fields = [("host", HOST), ("user", ADA.0), ("secret", SECRET), ("untried", "1")];
        save(&console, &admin, &fields).await.expect(303);
        let told = ended(&console, &admin, &push().await).await;
        assert_eq!(told["stage"], "done", "{told}");
        assert!(!told.to_string().contains(SECRET));
    }
}

#[tokio::test]
async fn all_tags_of_a_repository_are_pulled_at_once() {
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let console = Console::administered(&engine.socket).await;
        let admin = console.admin().await;
        let name = format!("{OPEN}/{}", engine.name("many"));
        let tags = ["1", "two", "3.0-x"].map(|tag| format!("{name}:{tag}"));
        for tag in &tags {
            stock(&engine, tag).await;
            engine.goes_too("image", tag);
        }
        let told = does(&console, &admin, "/images/pull", &[("reference", &name), ("all", "1")]).await;
        assert_eq!(
            (&told["stage"], &told["command"]),
            (&"done".into(), &format!("docker pull -a {name}").into()),
            "{told}"
        );
        for tag in &tags {
            engine.docker(&["image", "inspect", tag]).await;
        }
    }
    // What podman cannot do is not offered, and refused at its field.
    let engine = RealEngine::podman4();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let form = console.by(&admin, "GET", "/images/pull").send().await.expect(200);
    assert!(!form.has("[name=all]"));
    let fields = [("reference", "localhost:5000/demo"), ("all", "1")];
    let refused = console.by(&admin, "POST", "/images/pull").form(&fields).send().await.expect(501);
    contains_all(&refused.said(), &["Podman pulls one tag at a time"]);
}

#[tokio::test]
async fn an_image_is_pulled_for_another_machine_or_says_that_there_is_none() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let name = format!("{OPEN}/{}", engine.name("platforms"));
    // One for each of two machines, by the console itself; and a list of both, as `docker manifest push` writes it.
    let mut list = Vec::new();
    for machine in ["amd64", "arm64"] {
        let tag = format!("{name}:{machine}");
        let platform = format!("linux/{machine}");
        let text = format!("FROM scratch\n# {tag}\nCOPY Dockerfile /made\n");
        let form = [("tag", tag.as_str()), ("platform", &platform), ("text", &text)];
        let told = does(&console, &admin, "/build", &form).await;
        assert_eq!(told["stage"], "done", "{told}");
        engine.docker(&["push", "-q", &tag]).await;
        let told: Value = serde_json::from_str(&engine.docker(&["image", "inspect", &tag]).await).expect("JSON");
        assert_eq!(told[0]["Architecture"], machine);
        let digests = told[0]["RepoDigests"].as_array().expect("a list").iter().filter_map(Value::as_str);
        let digest =
            digests.filter_map(|it| it.split_once('@')).find(|(of, _)| *of == name).expect("a digest").1.to_owned();
        let path = format!("/v2/{}/manifests/{digest}", engine.name("platforms"));
        let kind = "application/vnd.docker.distribution.manifest.v2+json";
        let size = engine
            .inside(&["curl", "-sSf", "-H", &format!("Accept: {kind}"), &format!("http://{OPEN}{path}")])
            .await
            .len();
        list.push(json!({"mediaType": kind, "size": size, "digest": digest,
            "platform": {"architecture": machine, "os": "linux"}}));
        engine.docker(&["rmi", &tag]).await;
    }
    let kind = "application/vnd.docker.distribution.manifest.list.v2+json";
    let list = json!({"schemaVersion": 2, "mediaType": kind, "manifests": list}).to_string();
    let to = format!("http://{OPEN}/v2/{}/manifests/1", engine.name("platforms"));
    engine.inside(&["curl", "-sSf", "-X", "PUT", "-H", &format!("Content-Type: {kind}"), "-d", &list, &to]).await;

    let image = format!("{name}:1");
    engine.goes_too("image", &image);
    for machine in ["arm64", "amd64"] {
        let platform = format!("linux/{machine}");
        let told = does(&console, &admin, "/images/pull", &[("reference", &image), ("platform", &platform)]).await;
        assert_eq!(told["stage"], "done", "{told}");
        let is = engine.docker(&["image", "inspect", "-f", "{{.Architecture}} {{.Id}}", &image]).await;
        let (is, id) = is.split_once(' ').expect("both");
        assert_eq!(is, machine);
        // The next one takes its name.
        engine.goes_too("image", id);
    }
    let told = does(&console, &admin, "/images/pull", &[("reference", &image), ("platform", "linux/s390x")]).await;
    assert_eq!(told["stage"], "failed", "{told}");
    assert!(told["why"].as_str().is_some_and(|why| why.contains("linux/s390x")), "{told}");
}

#[tokio::test]
async fn two_people_who_pull_the_same_share_one_job() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::with_people(proxy.socket()).administered().arg("--registries").arg(OPEN).ready().await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    let image = format!("{OPEN}/{}:1", engine.name("shared"));
    stock(&engine, &image).await;
    engine.goes_too("image", &image);
    proxy.faults(|faults| faults.held = Some("/images/create"));
    let pull =
        async |who| console.by(who, "POST", "/images/pull").form(&[("reference", &image)]).send().await.leads_to();
    let (one, two) = (pull(&ops).await, pull(&admin).await);
    assert_eq!(one, two);
    proxy.heal();
    for who in [&ops, &admin] {
        assert_eq!(ended(&console, who, &one).await["stage"], "done");
    }
    assert_eq!(proxy.count("/images/create"), 1);
    // Both asked for it, and that is written down of both.
    let audit = console.by(&admin, "GET", "/audit.jsonl").send().await.expect(200).body;
    let asked = |who: &str| audit.lines().filter(|line| line.contains("image.pull") && line.contains(who)).count();
    assert!(asked("\"ops\"") > 0 && asked("\"admin\"") > 0, "{audit}");
}

#[tokio::test]
async fn s045_a_registry_that_sends_elsewhere_does_not_have_its_login_sent_there() {
    for engine in [RealEngine::docker28(), RealEngine::docker20()] {
        let console = Console::administered(&engine.socket).await;
        let admin = console.admin().await;
        let other = Host::that_asks(&engine).await;
        // As registries do whose layers lie in a cloud: what is large comes from another host.
        let answer = format!(
            "proxy_set_header Host $http_host; proxy_pass http://{HOST}; client_max_body_size 0;\n\
             if ($request ~ \"^GET .*/blobs/\") {{ return 307 http://localhost:{}$request_uri; }}",
            other.port
        );
        let one = Host::start(&engine, &answer).await;
        let host = format!("127.0.0.1:{}", one.port);
        let image = format!("{host}/{}:1", engine.name("moved"));
        let fields = [("host", host.as_str()), ("user", ADA.0), ("secret", SECRET)];
        save(&console, &admin, &fields).await.expect(303);
        engine.docker(&["tag", "busybox:latest", &image]).await;
        engine.goes_too("image", &image);
        let id = engine.docker(&["image", "inspect", "-f", "{{.Id}}", &image]).await;
        let push = format!("/images/{}/push", id.trim_start_matches("sha256:"));
        let told = until("the tag is seen", async || {
            let told = console.by(&admin, "POST", &push).form(&[("tag", &image)]).send().await;
            (told.status == 303).then(|| told.leads_to())
        })
        .await;
        assert_eq!(ended(&console, &admin, &told).await["stage"], "done");

        // The test login, the search, the question for what is newer, and a pull.
        console.by(&admin, "POST", &format!("/registries/{}/check", encoded(&host))).send().await.expect(303);
        console.by(&admin, "GET", &format!("/images/search?term={}", encoded(&format!("{host}/web")))).send().await;
        let told = until("it is known that it came from there", async || {
            let told = console.by(&admin, "POST", "/images/check").form(&[("tag", &image)]).send().await;
            (told.status == 303).then(|| told.leads_to())
        })
        .await;
        assert_eq!(ended(&console, &admin, &told).await["stage"], "done");
        // Of an image that is not here, so that layers have to come; the other host has none.
        let gone = format!("{host}/{}:1", engine.name("gone"));
        let text = format!("FROM busybox:latest\nRUN echo {gone} > /made\n");
        assert_eq!(does(&console, &admin, "/build", &[("text", &text), ("tag", &gone)]).await["stage"], "done");
        let id = engine.docker(&["image", "inspect", "-f", "{{.Id}}", &gone]).await;
        let push = format!("/images/{}/push", id.trim_start_matches("sha256:"));
        let told = until("the tag is seen", async || {
            let told = console.by(&admin, "POST", &push).form(&[("tag", &gone)]).send().await;
            (told.status == 303).then(|| told.leads_to())
        })
        .await;
        assert_eq!(ended(&console, &admin, &told).await["stage"], "done");
        engine.docker(&["rmi", "-f", &gone]).await;
        let told = does(&console, &admin, "/images/pull", &[("reference", &gone)]).await;
        assert_eq!(told["stage"], "failed", "{told}");

        assert!(one.asked().iter().any(|asked| !asked.ends_with("|-")), "it was signed in to");
        assert!(!other.asked().is_empty(), "it was sent there");
        assert!(other.asked().iter().all(|asked| asked.ends_with("|-")), "{:?}", other.asked());
    }
}

#[tokio::test]
async fn s046_what_a_host_answers_to_a_test_login_is_not_shown() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ops = console.hire(&admin, "ops", "operator", "").await;
    for status in ["200", "401", "403", "500"] {
        let inner = Host::start(&engine, &format!("return {status} 'the-inner-page of an inner host';")).await;
        let host = format!("127.0.0.1:{}", inner.port);
        let fields = [("host", host.as_str()), ("user", "a"), ("secret", "b")];
        let answer = save(&console, &admin, &fields).await;
        assert!(!answer.body.contains("the-inner-page"), "{status}: {}", answer.said());
        assert!(!inner.asked().is_empty());
        // Who is no administrator has nobody asked, whatever listens there.
        let before = inner.asked().len();
        let open = save(&console, &ops, &fields).await.expect(403);
        let shut = save(&console, &ops, &[("host", "127.0.0.1:1"), ("user", "a"), ("secret", "b")]).await.expect(403);
        assert_eq!((open.said(), inner.asked().len()), (shut.said(), before));
    }
}

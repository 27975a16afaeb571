//! Going somewhere by typing: what is called so, and where a docker command leads. Nothing is done on the way.

use serde_json::Value;

use crate::support::{proxy::FaultProxy, *};

/// `/go` of this text.
fn go(text: &str) -> String {
    let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    format!("/go?q={query}")
}

/// The same for a script.
async fn asked(console: &Console, text: &str) -> Value {
    console.ask("GET", &go(text)).header("accept", "application/json").send().await.expect(200).json()
}

/// The paths of what was found.
fn paths(found: &Value) -> Vec<String> {
    found["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["path"].as_str().expect("a path").to_owned())
        .collect()
}

/// Where a line leads.
async fn leads(console: &Console, text: &str) -> String {
    console.get(&go(text)).await.leads_to()
}

#[tokio::test]
async fn s019_a_docker_command_leads_to_its_form_and_does_nothing() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let proxy = FaultProxy::before(&engine.socket);
        let (web, db) = (engine.run("web", "busybox sleep 1000").await, engine.create("db", "busybox true").await);
        let (volume, network) = (engine.volume("data", "").await, engine.network(&engine.name("net")).await);
        let console = Console::start(proxy.socket()).ready().await;
        console.sees_state(&web.id, "running").await;
        console.sees(&db.id).await;
        console.sees_volume(&volume).await;
        let (name, id, other) = (&web.name, &web.id, &db.id);
        let writes = proxy.writes();
        for (line, to) in [
            (format!("stop {name}"), format!("/containers/{id}/stop")),
            (format!("docker stop -t 30 {name}"), format!("/containers/{id}/stop?timeout=30")),
            (format!("docker rm -f {name}"), format!("/containers/{id}/remove?force=1")),
            (format!("$ sudo docker container rm {name} -v"), format!("/containers/{id}/remove?volumes=1")),
            (format!("docker rm {name} {}", db.name), format!("/containers/confirm?action=remove&id={id}&id={other}")),
            (format!("podman kill -s SIGHUP {name}"), format!("/containers/{id}/kill?signal=HUP")),
            (format!("kill -s RTMIN+3 {name}"), format!("/containers/{id}/kill?other=RTMIN%2B3")),
            (format!("docker rename {name} shop"), format!("/containers/{id}/rename?name=shop")),
            (format!("docker pause {}", &id[..12]), format!("/containers/{id}/pause")),
            (format!("logs -f -n 100 --since 10m {name}"), format!("/containers/{id}/logs?n=100&since=10m")),
            (
                format!("docker exec -it -u root {name} sh -c 'ls /'"),
                format!("/containers/{id}/terminal?command=sh+-c+%27ls+%2F%27&user=root"),
            ),
            (format!("docker attach {name}"), format!("/containers/{id}/attach")),
            (format!("docker top {name}"), format!("/containers/{id}/processes")),
            (format!("docker stats {name}"), format!("/containers/{id}/stats")),
            (format!("docker diff {name}"), format!("/containers/{id}/changes")),
            (format!("docker cp {name}:/etc/hosts ."), format!("/containers/{id}/files?path=/etc/hosts")),
            (format!("docker update -m 64m {name}"), format!("/containers/{id}/update?memory=64m")),
            (format!("docker commit -m hi {name} a:1"), format!("/containers/{id}/commit?reference=a%3A1&comment=hi")),
            (format!("docker export {name} -o x.tar"), format!("/containers/{id}/export")),
            (format!("docker inspect {name}"), format!("/containers/{id}/inspect")),
            (format!("docker port {name}"), format!("/containers/{id}")),
            (format!("docker volume rm {volume}"), format!("/volumes/{volume}/remove")),
            (
                format!("docker network connect --alias x {} {name}", engine.name("net")),
                format!("/networks/connect?network={network}&container={id}&alias=x"),
            ),
            ("docker ps -a --filter status=exited".to_owned(), "/containers?state=exited".to_owned()),
            ("docker ps".to_owned(), "/containers?show=running".to_owned()),
            ("docker volume ls -f dangling=true".to_owned(), "/volumes?show=unused".to_owned()),
            (
                "docker pull --platform linux/arm64 nginx:1".to_owned(),
                "/images/pull?reference=nginx%3A1&platform=linux%2Farm64".to_owned(),
            ),
            (
                "docker volume create -o type=tmpfs data".to_owned(),
                "/volumes/new?name=data&option-name=type&option-value=tmpfs".to_owned(),
            ),
            ("docker system prune -a --volumes".to_owned(), "/engine/prune?all=1&volumes=1".to_owned()),
            ("docker run -d nginx".to_owned(), "/containers/new?line=docker+run+-d+nginx".to_owned()),
            ("docker system df".to_owned(), "/engine/disk".to_owned()),
        ] {
            let landed = leads(&console, &line).await;
            assert_eq!(landed, to, "{line}");
            assert!(console.get(&landed).await.status < 400, "{line}: {landed} is there");
        }
        let form = console.get(&leads(&console, &format!("docker rm -fv {name}")).await).await;
        for box_ in ["force", "volumes"] {
            assert!(form.has(&format!("#confirm input[name={box_}][checked]")), "-{box_} is ticked");
        }
        assert_eq!(form.commands()[0], format!("docker rm -fv {name}"));
        let rename = console.get(&leads(&console, &format!("rename {name} shop")).await).await;
        assert_eq!(rename.attribute("#name", "value").as_deref(), Some("shop"));
        assert_eq!(proxy.writes(), writes, "the engine was asked to do nothing");
        assert_eq!(engine.state(id).await, "running");
    }
}

#[tokio::test]
async fn what_comes_near_is_offered_the_likeliest_first() {
    let engine = RealEngine::docker28();
    let web = engine.run("shop-web", "busybox sleep 1000").await;
    let second = engine.create("shop-web-2", "busybox true").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    console.sees(&second.id).await;
    // A name wins over names that begin with it.
    assert_eq!(leads(&console, &format!("stop {}", web.name)).await, web.path("stop"));
    let near = &web.name[..web.name.len() - 2];
    let page = console.get(&go(&format!("stop {near}"))).await.expect(200);
    let links = page.attributes("#found a", "href");
    assert_eq!(links, [web.path("stop"), second.path("stop")], "what can be stopped comes first");
    contains_all(
        &page.text("#found"),
        &["No container here is called", near, "docker stop", &web.name, "running", "created"],
    );
    let page = console.get(&go(&format!("docker stop --now {}", web.name))).await.expect(200);
    contains_all(&page.text("#found"), &["docker stop has no flag --now", &web.name]);
    let page = console.get(&go("docker stop nothing-is-called-so")).await.expect(200);
    contains_all(&page.text("#found"), &["No container here is called “nothing-is-called-so”."]);
    assert!(!page.has("#found a"), "nothing is offered");
    for (line, says) in [
        ("docker swarm init", "no pages for swarms"),
        ("docker compose up", "runs no compose files"),
        ("docker frobnicate", "has no command “frobnicate”"),
    ] {
        contains_all(&console.get(&go(line)).await.expect(200).text("#found"), &[says]);
    }
    let page = console.get(&go("docker sta")).await.expect(200);
    contains_all(&page.text("#found"), &["start", "stats", "CONTAINER"]);
    // What is called so is found along with a command that may be meant.
    let found = asked(&console, near).await;
    assert_eq!(found["is_command"], false);
    assert!(paths(&found).contains(&web.path("")) && paths(&found).contains(&second.path("")), "{found}");
}

#[tokio::test]
async fn all_kinds_are_found_and_pages_and_jobs_too() {
    let engine = RealEngine::docker28();
    let word = engine.name("kinds");
    let web = engine.run("kinds", "busybox sleep 1000").await;
    let volume = engine.volume("kinds", "").await;
    let network = engine.network(&word).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    console.sees_volume(&volume).await;
    console.sees_network(&network).await;
    let bulk = [("action", "stop"), ("timeout", "0"), ("id", &*web.id)];
    assert!(console.post("/containers/bulk", &bulk).await.status < 400);
    let found = asked(&console, &word).await;
    let kinds: Vec<&str> =
        found["items"].as_array().expect("a list").iter().map(|item| item["kind"].as_str().expect("a word")).collect();
    assert_eq!(kinds, ["containers", "volumes", "networks", "jobs"], "{found}");
    assert_eq!(found["path"], Value::Null, "it is not clear which");
    // A command is a command, whatever jobs there were of the same one.
    assert_eq!(leads(&console, &format!("stop -t 0 {}", web.name)).await, web.path("stop?timeout=0"));
    let found = asked(&console, "logs").await;
    assert_eq!(
        (&found["items"][0]["path"], &found["is_command"]),
        (&Value::from("/logs"), &Value::from(true)),
        "{found}"
    );
    assert_eq!(leads(&console, "who reaches whom").await, "/networks/map");
    assert_eq!(leads(&console, &web.id[..12]).await, format!("/containers?q={}", &web.id[..12]));
    let page = console.get("/go").await.expect(200);
    contains_all(&page.text("main details"), &["network connect", "NETWORK CONTAINER"]);
    contains_all(&page.text("main"), &["stop web", "Containers", "Volumes", "does nothing by itself"]);
    let part = console.get(&go(&word).replacen("/go?", "/go/found?", 1)).await.expect(200);
    assert!(part.has("#found a[data-hit]") && !part.has("nav"), "a part of a page");
}

#[tokio::test]
async fn s041_who_may_not_is_told_and_what_is_hidden_is_never_named() {
    let engine = RealEngine::docker28();
    let label = "--label com.docker.compose.project";
    let mine = engine.run("mine", &format!("{label}=red busybox sleep 1000")).await;
    let theirs = engine.run("theirs", &format!("{label}=blue busybox sleep 1000")).await;
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let viewer = console.hire(&admin, "vic", "viewer", "").await;
    let limited = console.hire(&admin, "ops", "operator", "stack:red").await;
    console.sees_as(&admin, &theirs.id).await;
    console.sees_as(&admin, &mine.id).await;
    let page = console.by(&viewer, "GET", &go(&format!("docker rm -f {}", theirs.name))).send().await.expect(200);
    contains_all(&page.text("#found"), &["You may not do that.", "You are viewer. It takes operator"]);
    assert!(!page.has("#found a"), "it is not offered");
    assert_eq!(
        console.by(&viewer, "GET", &go(&format!("logs {}", theirs.name))).send().await.leads_to(),
        theirs.path("logs")
    );
    assert_eq!(
        console.by(&limited, "GET", &go(&format!("stop {}", mine.name))).send().await.leads_to(),
        mine.path("stop")
    );
    let all = engine.name("");
    let queries = [theirs.name.clone(), theirs.id[..12].to_owned(), all.clone()];
    for word in &queries {
        for text in [
            word.clone(),
            format!("stop {word}"),
            format!("docker rm -f {word}"),
            format!("docker inspect {word}"),
            format!("logs {word}"),
        ] {
            for path in [go(&text), go(&text).replacen("/go?", "/go/found?", 1)] {
                let answer = console.by(&limited, "GET", &path).send().await;
                assert!(!answer.header("location").contains(&theirs.id), "S041: {text}");
                let said = answer.attributes("main a, #found a", "href").join(" ");
                assert!(!said.contains(&*theirs.id), "S041: {text}: {said}");
            }
        }
    }
    let nobody = console.get(&go("stop web")).await;
    assert!(matches!(nobody.status, 303 | 401), "strangers sign in first");
}

#[tokio::test]
async fn s023_what_is_typed_is_text_and_too_much_of_it_is_refused() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    let writes = proxy.writes();
    for text in [
        "<img src=x onerror=alert(1)>",
        "docker stop <script>alert(1)</script>",
        "docker <b>",
        "stop \"'><svg onload=x>",
        "a\u{202e}b",
        "docker run '$(reboot)",
        "docker rm -- ../../volumes/x",
        "docker volume rm ../../containers/x",
        "docker logout ../../x?y#z",
        "docker stop --\"><b>",
        "\0",
        "%ff",
        "|",
        "'",
    ] {
        for path in [go(text), go(text).replacen("/go?", "/go/found?", 1)] {
            let page = console.get(&path).await;
            assert!(page.status < 400, "{text}: {}", page.status);
            assert!(
                !page.has("main img, main script, main svg[onload], main b b, #found img, #found script"),
                "{text}"
            );
        }
    }
    // S033: a name that leads elsewhere is one part of a path, or none.
    let out = leads(&console, "docker logout ../../x?y#z").await;
    assert!(out.starts_with("/registries/..%2F..%2Fx%3Fy%23z/"), "{out}");
    for length in [20_000, 60_000] {
        for start in ["", "docker run ", "stop "] {
            let began = std::time::Instant::now();
            let answer = console.get(&format!("/go?q={start}{}", "x".repeat(length)).replace(' ', "+")).await;
            assert!(matches!(answer.status, 414 | 422 | 431), "{length}: {}", answer.status);
            assert!(began.elapsed().as_secs() < 5);
        }
    }
    assert_eq!(proxy.writes(), writes);
}

#[tokio::test]
async fn of_an_image_goes_what_was_named() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let tag = format!("localhost/{}:2", engine.name("named"));
        engine.docker(&["tag", "busybox:latest", &tag]).await;
        engine.goes_too("image", &tag);
        let id = engine.docker(&["image", "inspect", "-f", "{{.Id}}", &tag]).await.replace("sha256:", "");
        let console = Console::on(&engine).await;
        let of_it = format!("/images?q={}", engine.name("named"));
        until("it is seen", async || console.get(&of_it).await.body.contains(&tag).then_some(())).await;
        let query: String = url::form_urlencoded::byte_serialize(tag.as_bytes()).collect();
        for (line, page) in [("docker rmi -f", "remove?force=1&"), ("docker push", "push?")] {
            let to = leads(&console, &format!("{line} {tag}")).await;
            assert_eq!(to, format!("/images/{id}/{page}tag={query}"));
            let form = console.get(&to).await.expect(200);
            assert_eq!(form.attributes("[name=tag][checked]", "value"), std::slice::from_ref(&tag), "{to}");
            assert!(form.commands()[0].ends_with(&tag), "{:?}", form.commands());
        }
        assert_eq!(
            leads(&console, &format!("docker tag {tag} a:1")).await,
            format!("/images/{id}/tag?reference=a%3A1")
        );
        assert_eq!(leads(&console, &format!("docker save {tag} -o x.tar")).await, format!("/images/save?id={id}"));
        assert_eq!(leads(&console, &format!("docker history {tag}")).await, format!("/images/{id}"));
        engine.docker(&["image", "inspect", &tag]).await;
    }
}

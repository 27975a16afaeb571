//! Containers: the list, one of them, and what can be done to them, as scripts and browsers without JavaScript do it.

use serde_json::Value;

use crate::support::*;

/// The ids of the rows that a page shows, in order.
fn rows(page: &Answer) -> Vec<String> {
    let ids = page.attributes("tr[id^='container-']", "id");
    ids.iter().map(|id| id.trim_start_matches("container-").to_owned()).collect()
}

/// The names of the rows that a page shows, in order, without the test's own prefix.
fn names(page: &Answer, engine: &RealEngine) -> Vec<String> {
    let names = page.attributes("tr[id^='container-']", "data-name");
    names.iter().map(|name| name.trim_start_matches(&engine.name("")).to_owned()).collect()
}

/// A label that all containers of a test carry, so that it sees them alone.
fn suite(engine: &RealEngine) -> String {
    format!("suite={}", engine.name("x"))
}

#[tokio::test]
async fn a_row_says_what_docker_ps_says() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "-l kind=demo busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let page = console.get("/containers").await.expect(200);
    let page = if page.has(&web.row()) { page } else { console.get(&format!("/containers?q={}", web.name)).await };
    let row = web.row();
    assert_eq!(web.id.len(), 64);
    assert_eq!(page.attribute(&row, "data-name"), Some(web.name.clone()));
    assert_eq!(page.attribute(&row, "data-state").as_deref(), Some("running"));
    contains_all(&page.text(&row), &[&web.name, "busybox", "sleep 1000", "running"]);
    assert!(page.has(&format!("{row} a[href='{}']", web.path(""))), "it leads to its page");
    engine.docker(&["pause", &web.id]).await;
    console.sees_state(&web.id, "paused").await;
    engine.docker(&["unpause", &web.id]).await;
    engine.docker(&["kill", &web.id]).await;
    console.sees_state(&web.id, "exited").await;
    let page = console.get(&format!("/containers?q={}", web.id)).await;
    contains_all(&page.text(&row), &["exited", "137"]);
    engine.docker(&["rm", &web.id]).await;
    console.misses(&web.id).await;
}

#[tokio::test]
async fn every_button_has_its_docker_command() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let page = console.get(&format!("/containers?q={}", web.id)).await;
    let all = page.html();
    let buttons = console::css(&format!("{0} td .acts [title], {0} td .menu button, {0} td .menu a", web.row()));
    let mut count = 0;
    for button in all.select(&buttons) {
        let shown = button.attr("title").unwrap_or_default().to_owned() + &button.text().collect::<String>();
        // How long to wait is a choice of the command before it.
        if !shown.contains("-t SECONDS") {
            contains_all(&shown, &["docker ", &web.name]);
        }
        count += 1;
    }
    assert!(count >= 6, "{count} buttons in: {}", page.text(&web.row()));
    // A page of each verb says its command and what it does.
    for (verb, command) in [
        ("stop", "docker stop"),
        ("restart", "docker restart"),
        ("kill", "docker kill"),
        ("pause", "docker pause"),
        ("rename", "docker rename"),
        ("remove", "docker rm"),
    ] {
        let form = console.get(&web.path(verb)).await.expect(200);
        assert!(form.commands().iter().any(|shown| shown.starts_with(command)), "{verb}: {:?}", form.commands());
        assert!(!form.text("#confirm .why").is_empty(), "{verb} is explained");
    }
    let detail = console.get(&web.path("")).await;
    assert!(detail.commands().iter().any(|shown| shown.contains(&web.name)), "{:?}", detail.commands());
    let kill = console.get(&web.path("kill")).await;
    let signals = kill.attributes("input[name=signal]", "value");
    assert!(signals.contains(&"KILL".to_owned()) && signals.contains(&"TERM".to_owned()), "{signals:?}");
    assert!(kill.texts("#confirm .help").iter().filter(|help| !help.is_empty()).count() >= signals.len());
}

#[tokio::test]
async fn filters_and_search_find_what_docker_finds() {
    let engine = RealEngine::docker28();
    let suite = suite(&engine);
    let network = engine.network(&engine.name("net")).await;
    let volume = engine.volume("data", "").await;
    let line = |rest: &str| format!("-l {suite} {rest}");
    let up = engine.run("up", &line("-l color=red -l empty= busybox sleep 1000")).await;
    let down = engine.run("down", &line("-l color=blue busybox true")).await;
    let new = engine.create("new", &line(&format!("--network {network} -v {volume}:/srv/data web:1"))).await;
    let well = engine.run("well", &line("--health-cmd true --health-interval 1s -p 80 web:1")).await;
    let console = Console::on(&engine).await;
    console.sees_state(&down.id, "exited").await;
    console.sees(&well.id).await;
    let net = engine.name("net");
    let port = engine.docker(&["port", &well.id, "80/tcp"]).await;
    let port = port.lines().next().and_then(|line| line.rsplit_once(':')).expect("a port").1.to_owned();
    until("it is healthy", async || {
        let health = engine.inspect(&well.id).await["State"]["Health"]["Status"] == "healthy";
        let page = console.get(&format!("/containers?health=healthy&label={suite}")).await;
        (health && !rows(&page).is_empty()).then_some(())
    })
    .await;
    let all = [&down, &new, &up, &well];
    let expect = |wanted: &[&Made]| wanted.iter().map(|made| made.id.clone()).collect::<Vec<_>>();
    for (query, wanted) in [
        (String::new(), expect(&all)),
        ("show=running".into(), expect(&[&up, &well])),
        ("show=stopped".into(), expect(&[&down, &new])),
        ("state=exited".into(), expect(&[&down])),
        ("state=created".into(), expect(&[&new])),
        ("state=running".into(), expect(&[&up, &well])),
        ("health=healthy".into(), expect(&[&well])),
        ("label=color".into(), expect(&[&down, &up])),
        ("label=color%3Dred".into(), expect(&[&up])),
        ("label=empty%3D".into(), expect(&[&up])),
        ("image=web:1".into(), expect(&[&new, &well])),
        (format!("network={net}"), expect(&[&new])),
        (format!("volume={volume}"), expect(&[&new])),
        ("volume=/srv/data".into(), expect(&[&new])),
        ("q=RED".into(), expect(&[&up])),
        (format!("q={}", up.name.to_uppercase()), expect(&[&up])),
        (format!("q={}", &up.id[..12]), expect(&[&up])),
        ("q=color%3Dblue".into(), expect(&[&down])),
        ("q=web:1".into(), expect(&[&new, &well])),
        (format!("q=%3A{port}"), expect(&[&well])),
        ("state=running&image=web:1".into(), expect(&[&well])),
        ("q=nothing-is-called-so".into(), vec![]),
    ] {
        let page = console.get(&format!("/containers?group=none&label={suite}&{query}")).await.expect(200);
        assert_eq!(rows(&page), wanted, "{query}");
        // The title is a docker command, which finds the same where docker has words for it.
        let title = page.commands()[0].clone();
        assert!(title.starts_with("docker ps"), "{title}");
        if !title.contains('|') && !query.contains("health") {
            let mut words = shell_words::split(&title).expect("a line");
            words.extend(["-q".into(), "--no-trunc".into()]);
            let found = engine.docker(&words[1..]).await;
            let mut found: Vec<_> = found.lines().map(str::to_owned).collect();
            let mut wanted = wanted.clone();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{title}");
        }
    }
}

#[tokio::test]
async fn what_is_hidden_is_counted() {
    let engine = RealEngine::docker28();
    let up = engine.run("up", "busybox sleep 1000").await;
    let down = engine.create("down", "busybox").await;
    let console = Console::on(&engine).await;
    console.sees(&up.id).await;
    console.sees(&down.id).await;
    let number = |text: &str| text.split_whitespace().rev().find_map(|word| word.parse::<usize>().ok());
    for query in ["show=running", "show=stopped", &format!("q={}", up.id)] {
        let page = console.get(&format!("/containers?{query}")).await.expect(200);
        let chips = page.texts("#chips a");
        let all = number(&chips[0]).expect("a number");
        let shown = if query.starts_with("show") {
            number(&page.text("#chips [aria-current]")).expect("a number")
        } else {
            rows(&page).len()
        };
        let hidden = page.text("#hidden");
        let says = hidden.split_whitespace().next().and_then(|word| word.parse().ok());
        assert_eq!(says, Some(all - shown), "{query}: {hidden} beside {chips:?}");
        assert!(page.has("#hidden a[href='/containers']"), "{hidden}");
    }
    let page = console.get("/containers").await;
    assert_eq!(page.text("#hidden"), "", "nothing is hidden when all are shown");
    assert_eq!(page.texts("#chips a").len(), 4);
}

#[tokio::test]
async fn it_can_be_sorted_and_comes_in_pages() {
    let engine = RealEngine::docker28();
    let suite = suite(&engine);
    // A few at a time: the engine makes many more slowly than one.
    let numbers: Vec<usize> = (1..=55).collect();
    for some in numbers.chunks(8) {
        let line = format!("-l {suite} busybox");
        let made = some.iter().map(|number| {
            let (engine, line) = (&engine, &line);
            async move { engine.create(&format!("n-{number}"), line).await }
        });
        futures_util::future::join_all(made).await;
    }
    let console = Console::on(&engine).await;
    let base = format!("/containers?label={suite}");
    let first = until("all are there", async || {
        let page = console.get(&base).await;
        page.body.contains("1–50 of 55").then_some(page)
    })
    .await;
    let names_of_first = names(&first, &engine);
    assert_eq!(names_of_first.len(), 50);
    assert_eq!(names_of_first[..11].join(" "), "n-1 n-2 n-3 n-4 n-5 n-6 n-7 n-8 n-9 n-10 n-11");
    assert!(first.body.len() < 300_000, "{} bytes", first.body.len());
    let next = first.attribute(".pager a[rel=next]", "href").expect("a second page");
    let second = console.get(&next).await.expect(200);
    assert_eq!(names(&second, &engine), ["n-51", "n-52", "n-53", "n-54", "n-55"]);
    assert!(second.has(".pager a[rel=prev]") && !second.has(".pager a[rel=next]"));
    let backwards = console.get(&format!("{base}&sort=-name")).await;
    assert_eq!(names(&backwards, &engine)[..2], ["n-55", "n-54"]);
    let newest = console.get(&format!("{base}&sort=created")).await;
    let newest = names(&newest, &engine);
    let place = |name: &str| newest.iter().position(|other| other == name).unwrap_or(usize::MAX);
    assert!(place("n-55") < place("n-1"), "{newest:?}");
    // A page that is not there is no error.
    console.get(&format!("{base}&page=9")).await.expect(200);
    console.get(&format!("{base}&page=18446744073709551615")).await.expect(200);
    console.get(&format!("{base}&page=-1&sort=no&show=no&state=no")).await.expect(200);
}

#[tokio::test]
async fn stacks_are_groups_that_fold() {
    let engine = RealEngine::docker28();
    let (suite, shop) = (suite(&engine), engine.name("shop"));
    let member = format!("-l {suite} -l com.docker.compose.project={shop}");
    let web = engine.run("web", &format!("{member} busybox sleep 1000")).await;
    let db = engine.create("db", &format!("{member} busybox")).await;
    let alone = engine.create("alone", &format!("-l {suite} busybox")).await;
    let console = Console::on(&engine).await;
    for made in [&web, &db, &alone] {
        console.sees(&made.id).await;
    }
    let page = console.get(&format!("/containers?label={suite}")).await;
    let headings = page.texts("tr.group");
    assert_eq!(headings.len(), 2, "{headings:?}");
    contains_all(&headings[0], &[&shop, "2 containers", "1 running"]);
    assert_eq!(rows(&page), [db.id.clone(), web.id.clone(), alone.id.clone()], "stacks come first");
    assert_eq!(page.attributes("tr.group th a", "href"), [format!("/logs?stack={shop}")]);
    let fold = page.attribute("tr.group a", "href").expect("a way to fold it");
    let folded = console.get(&fold).await.expect(200);
    assert_eq!(rows(&folded), std::slice::from_ref(&alone.id));
    contains_all(&folded.texts("tr.group")[0], &[&shop, "2 containers"]);
    let open = folded.attribute("tr.group a", "href").expect("a way to open it");
    assert_eq!(rows(&console.get(&open).await).len(), 3);
    let flat = console.get(&format!("/containers?group=none&label={suite}")).await;
    assert!(!flat.has("tr.group"));
    assert_eq!(rows(&flat).len(), 3);
}

#[tokio::test]
async fn ports_are_links_to_the_host_that_the_browser_used() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "-p 80 -p 127.0.0.1::53/udp web:1").await;
    let console = Console::start(&engine.socket).arg("--hosts=box.lan").ready().await;
    console.sees_state(&web.id, "running").await;
    let port = engine.docker(&["port", &web.id, "80/tcp"]).await;
    let port = port.lines().next().and_then(|line| line.rsplit_once(':')).expect("a port").1.to_owned();
    for (host, link) in [("box.lan:9000", "box.lan"), ("10.1.2.3", "10.1.2.3"), ("[::1]:9000", "[::1]")] {
        for path in [format!("/containers?q={}", web.id), web.path("")] {
            let page = console.ask("GET", &path).header("host", host).send().await.expect(200);
            let links = page.attributes("a.port", "href");
            assert_eq!(links, [format!("http://{link}:{port}/")], "{path} as {host}");
            contains_all(&page.texts(".port").join(" "), &[&format!("{port} → 80"), "/udp"]);
        }
    }
}

#[tokio::test]
async fn a_life_by_plain_forms() {
    let engine = RealEngine::docker28();
    let web = engine.create("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let back = format!("/containers?q={}", engine.name("web"));
    for (verb, fields, state) in [
        ("start", &[][..], "running"),
        ("start", &[], "running"),
        ("pause", &[], "paused"),
        ("pause", &[], "paused"),
        ("unpause", &[], "running"),
        ("unpause", &[], "running"),
        ("restart", &[("timeout", "0")], "running"),
        ("stop", &[("timeout", "0")], "exited"),
        ("stop", &[], "exited"),
        ("start", &[], "running"),
        ("kill", &[], "exited"),
    ] {
        let fields = [fields, &[("back", back.as_str())]].concat();
        let to = console.post(&web.path(verb), &fields).await.leads_to();
        assert_eq!(to, back, "after {verb}");
        assert_eq!(engine.state(&web.id).await, state, "after {verb}");
        // The page that it leads to says so; the engine's list may lag behind its own answer by a moment.
        until("the row says so", async || {
            let row = console.get(&to).await.attribute(&web.row(), "data-state");
            (row.as_deref() == Some(state)).then_some(())
        })
        .await;
    }
    let new = engine.name("shop");
    console.post(&web.path("rename"), &[("name", &new)]).await.leads_to();
    assert_eq!(engine.inspect(&web.id).await["Name"], Value::String(format!("/{new}")));
    // From its own page, which is gone then.
    let to = console.post(&web.path("remove"), &[("back", &web.path(""))]).await.leads_to();
    assert_eq!(to, "/containers");
    assert!(!engine.exists(&web.id).await);
    let gone = console.get(&web.path("")).await.expect(404);
    assert!(gone.has("main a[href='/containers']"));
}

#[tokio::test]
async fn s075_refusals_have_their_status_and_a_way_on() {
    let engine = RealEngine::docker28();
    let up = engine.run("up", "busybox sleep 1000").await;
    let down = engine.create("down", "busybox").await;
    let console = Console::on(&engine).await;
    console.sees(&up.id).await;
    console.sees(&down.id).await;
    let nobody = format!("/containers/{}", "0".repeat(64));
    for verb in ["start", "stop", "restart", "kill", "pause", "unpause", "remove"] {
        let answer = console.post(&format!("{nobody}/{verb}"), &[]).await.expect(404);
        contains_all(&answer.text("main"), &["not there any more", "000000000000"]);
    }
    console.post(&format!("{nobody}/rename"), &[("name", "nobody")]).await.expect(404);
    console.get(&nobody).await.expect(404);
    console.get(&format!("{nobody}/remove")).await.expect(404);
    console.get(&format!("{nobody}/inspect")).await.expect(404);
    console.get(&format!("{nobody}/inspect.json")).await.expect(404);
    let start = down.path("start");
    for verb in ["kill", "pause"] {
        let answer = console.post(&down.path(verb), &[]).await.expect(409);
        contains_all(&answer.text("main"), &[&down.name, "not running"]);
        assert!(answer.has(&format!("main button[formaction='{start}']")), "Start is offered:\n{}", answer.body);
    }
    let answer = console.post(&up.path("remove"), &[]).await.expect(409);
    contains_all(&answer.text("main"), &[&up.name, "running", "-f"]);
    assert!(answer.has(&format!("main button[formaction='{}']", up.path("stop"))));
    assert!(answer.has(&format!("main a[href='{}?force=1']", up.path("remove"))));
    assert_eq!(engine.state(&up.id).await, "running");
    for (verb, field, bad) in [
        ("stop", "timeout", "soon"),
        ("stop", "timeout", "-1"),
        ("restart", "timeout", "999999"),
        ("kill", "other", "no signal"),
        ("kill", "signal", "65"),
        ("rename", "name", "a b"),
        ("rename", "name", ""),
        ("rename", "name", "../x"),
    ] {
        let answer = console.post(&up.path(verb), &[(field, bad)]).await.expect(422);
        assert!(answer.has("#confirm .error"), "{verb} {field}={bad}:\n{}", answer.body);
        if field != "signal" {
            let kept = answer.attribute(&format!("#confirm [name={field}]"), "value");
            assert_eq!(kept.as_deref(), Some(bad), "what was typed is kept");
        }
    }
    // A signal that the engine does not know.
    let answer = console.post(&up.path("kill"), &[("signal", "NOSUCH")]).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert_eq!(engine.state(&up.id).await, "running");
}

#[tokio::test]
async fn s079_a_taken_name_tells_whose_it_is() {
    let engine = RealEngine::docker28();
    let owner = engine.create("owner", "busybox").await;
    let other = engine.create("other", "busybox").await;
    let console = Console::on(&engine).await;
    console.sees(&owner.id).await;
    console.sees(&other.id).await;
    let answer = console.post(&other.path("rename"), &[("name", &owner.name)]).await.expect(409);
    contains_all(&answer.text("main"), &[&owner.name, "already"]);
    assert!(answer.has(&format!("main a[href='{}']", owner.path(""))), "it is linked:\n{}", answer.body);
    let create = [("image", "busybox"), ("name", owner.name.as_str())];
    let answer = console.post("/containers", &create).await.expect(409);
    contains_all(&answer.text("main"), &[&owner.name, "already"]);
    assert!(answer.has(&format!("main a[href='{}']", owner.path(""))), "it is linked:\n{}", answer.text("#errors"));
}

#[tokio::test]
async fn htmx_gets_a_toast_with_the_true_status() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let ask = |verb: &str| console.ask("POST", &web.path(verb)).htmx();
    let done = ask("pause").form(&[("back", "/containers?q=x")]).send().await.expect(200);
    assert!(done.body.starts_with("<hx-partial hx-target=\"#toasts\""), "{}", done.body);
    contains_all(&done.body, &[&web.name, &format!("docker pause {}", web.name), "toast ok"]);
    assert_eq!(done.header("x-after"), "/containers?q=x");
    let already = ask("pause").form(&[]).send().await.expect(200);
    contains_all(&already.body, &["already paused"]);
    ask("unpause").form(&[]).send().await.expect(200);
    for (verb, fields, status) in
        [("remove", &[][..], 409), ("rename", &[("name", "a b")], 422), ("stop", &[("timeout", "x")], 422)]
    {
        let refused = ask(verb).form(fields).send().await.expect(status);
        contains_all(&refused.body, &["<hx-partial", "toast bad"]);
        assert!(!refused.body.contains("<html"), "{}", refused.body);
    }
    let gone = console.ask("POST", &format!("/containers/{}/stop", "0".repeat(64))).htmx().form(&[]);
    contains_all(&gone.send().await.expect(404).body, &["<hx-partial", "not there any more"]);
    let removed = ask("remove").form(&[("force", "1"), ("back", &web.path(""))]).send().await.expect(200);
    assert_eq!(removed.header("x-after"), "/containers", "the page of what is gone is left");
}

#[tokio::test]
async fn many_at_once_with_one_result_each() {
    let engine = RealEngine::docker28();
    let ups = [engine.run("a", "busybox sleep 1000").await, engine.run("b", "busybox sleep 1000").await];
    let down = engine.create("down", "busybox").await;
    let console = Console::on(&engine).await;
    for made in ups.iter().chain([&down]) {
        console.sees(&made.id).await;
    }
    let ids = [("id", ups[0].id.as_str()), ("id", &ups[1].id), ("id", &ups[1].id)];
    let bulk = |action: &'static str, more: &[(&'static str, &str)]| {
        let fields: Vec<(&str, &str)> = [&[("action", action)], &ids[..], more].concat();
        console.ask("POST", "/containers/bulk").form(&fields)
    };
    assert_eq!(bulk("pause", &[("back", "/containers?q=a")]).send().await.leads_to(), "/containers?q=a");
    assert_eq!(engine.state(&ups[0].id).await, "paused");
    let toast = bulk("unpause", &[]).htmx().send().await.expect(200);
    contains_all(&toast.body, &["2 containers", "docker unpause", &ups[0].name, &ups[1].name]);
    assert_eq!(engine.state(&ups[1].id).await, "running");
    // One of three fails: the others are done, and it is named with its reason and a page of all.
    let failed = bulk("kill", &[("id", &down.id)]).send().await;
    // An engine that is busy has its page of the job shown instead.
    if failed.status != 303 {
        assert_eq!(failed.status, 409, "{}", failed.said());
        contains_all(&failed.text("main"), &["1 of 3", &down.name, "not"]);
    }
    let job = console.job_of(&failed).await;
    contains_all(&job.text("main"), &[&ups[0].name, &ups[1].name, &down.name, "3 of 3 done"]);
    assert!(job.commands()[0].starts_with("docker kill "), "{:?}", job.commands());
    for made in &ups {
        assert_eq!(engine.state(&made.id).await, "exited");
    }
    // The form that asks first, and what it sends.
    let query = format!("action=remove&id={}&id={}&id={}", ups[0].id, ups[1].id, down.id);
    let form = console.get(&format!("/containers/confirm?{query}")).await.expect(200);
    contains_all(&form.text("#confirm"), &[&ups[0].name, &ups[1].name, &down.name, &down.id[..12]]);
    assert_eq!(form.attributes("#confirm input[name=id]", "value").len(), 3);
    assert_eq!(form.attribute("#confirm form", "action").as_deref(), Some("/containers/bulk"));
    bulk("remove", &[("id", &down.id)]).send().await.leads_to();
    for made in ups.iter().chain([&down]) {
        until("it is removed", async || (!engine.exists(&made.id).await).then_some(())).await;
    }
    for bad in [
        &[("action", "remove")][..],
        &[("action", "rename"), ids[0]],
        &[("action", "explode"), ids[0]],
        &[ids[0]],
        &[("action", "stop"), ("id", "web")],
        &[("action", "stop"), ("timeout", "x"), ids[0]],
    ] {
        console.post("/containers/bulk", bad).await.expect(422);
    }
}

#[tokio::test]
async fn removing_tells_what_goes_and_what_stays() {
    let engine = RealEngine::docker28();
    let named = engine.volume("named", "").await;
    let line = format!("-v {named}:/named web:1");
    let (with, without) = (engine.create("with", &line).await, engine.create("without", &line).await);
    let console = Console::on(&engine).await;
    console.sees(&with.id).await;
    console.sees(&without.id).await;
    let anonymous = |mounts: Vec<(String, String)>| {
        mounts.into_iter().find(|(_, path)| path == "/data").expect("the image's own volume").0
    };
    let goes = anonymous(engine.mounts(&with.id).await);
    let stays = anonymous(engine.mounts(&without.id).await);
    engine.goes_too("volume", &stays);
    let form = console.get(&with.path("remove")).await.expect(200);
    contains_all(&form.text("#confirm"), &[&with.name, &goes[..12], "anonymous", &named, "-f", "-v", "-l"]);
    for (fields, command) in [("volumes=1", "docker rm -v"), ("force=1&volumes=1", "docker rm -fv")] {
        let form = console.get(&format!("{}?{fields}", with.path("remove"))).await;
        assert_eq!(form.commands(), [format!("{command} {}", with.name)]);
    }
    console.post(&with.path("remove"), &[("volumes", "1")]).await.leads_to();
    assert!(!engine.exists(&with.id).await);
    assert!(engine.inspect_volume(&goes).await.is_none(), "the anonymous volume went");
    console.post(&without.path("remove"), &[]).await.leads_to();
    assert!(engine.inspect_volume(&stays).await.is_some(), "without -v it stays");
    assert!(engine.inspect_volume(&named).await.is_some(), "a named one always stays");
    let up = engine.run("up", "busybox sleep 1000").await;
    console.sees(&up.id).await;
    console.post(&up.path("remove"), &[("force", "1")]).await.leads_to();
    assert!(!engine.exists(&up.id).await);
}

#[tokio::test]
async fn removing_a_link_keeps_the_container() {
    let engine = RealEngine::docker28();
    let db = engine.run("db", "busybox sleep 1000").await;
    let web = engine.run("web", &format!("--link {}:store busybox sleep 1000", db.name)).await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    let form = console.get(&web.path("remove")).await.expect(200);
    contains_all(&form.text("#confirm"), &["store"]);
    console.post(&web.path("remove"), &[("link", "1")]).await.leads_to();
    assert_eq!(engine.state(&web.id).await, "running");
    assert_eq!(engine.inspect(&web.id).await["HostConfig"]["Links"], Value::Null, "the link is gone");
}

#[tokio::test]
async fn signals_arrive() {
    let engine = RealEngine::docker28();
    let trap = "busybox sh -c 'trap \"exit 7\" USR1; trap \"exit 8\" TERM; touch /ready; while :; do sleep 0.05; done'";
    let console = Console::on(&engine).await;
    for (verb, fields, code) in [
        ("kill", &[("signal", "USR1")][..], 7),
        ("kill", &[("signal", "KILL"), ("other", "sigusr1")], 7),
        ("kill", &[("signal", "10")], 7),
        ("stop", &[], 8),
        ("kill", &[], 137),
    ] {
        let name = format!("{verb}-{}", fields.iter().map(|(_, value)| *value).collect::<Vec<_>>().join("-"));
        let web = engine.run(&name, trap).await;
        until("it listens to signals", async || engine.try_docker(&["exec", &web.id, "ls", "/ready"]).await.ok()).await;
        console.sees(&web.id).await;
        console.post(&web.path(verb), fields).await.leads_to();
        until("it ended", async || (engine.state(&web.id).await == "exited").then_some(())).await;
        assert_eq!(engine.inspect(&web.id).await["State"]["ExitCode"], Value::from(code), "{name}");
    }
}

#[tokio::test]
async fn the_page_of_one_says_what_it_is_and_why() {
    let engine = RealEngine::docker28();
    let volume = engine.volume("data", "").await;
    let line = format!(
        "--restart on-failure:3 -m 64m --cpus 0.5 --pids-limit 50 -u 1000 -w /tmp -h inside -l team=shop -e PASSWORD=topsecret \
         -v {volume}:/srv -v /etc:/host:ro --cap-add NET_ADMIN --health-cmd 'echo fine' --health-interval 1s busybox sleep 1000"
    );
    let web = engine.run("web", &line).await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let page = until("a check has passed", async || {
        let page = console.get(&web.path("")).await;
        page.body.contains("fine").then_some(page)
    })
    .await;
    assert_eq!(page.attribute("#detail", "data-name"), Some(web.name.clone()));
    assert_eq!(page.attribute("#detail", "data-state").as_deref(), Some("running"));
    contains_all(
        &page.text("#detail"),
        &[
            "Running",
            "healthy",
            "passed",
            "sleep 1000",
            "on-failure",
            "64.0 MiB",
            "0.50 CPUs",
            "50 processes",
            "1000",
            "/tmp",
            "inside",
            "team",
            "shop",
            &volume,
            "/srv",
            "/etc",
            "read-only",
            "bridge",
            "NET_ADMIN",
            "PASSWORD",
            &web.id[..12],
        ],
    );
    assert!(page.has(&format!("#detail a[href='/volumes/{volume}']")));
    contains_all(&page.text("#detail .life .here"), &["running"]);
    // Values are hidden until somebody asks for them.
    assert!(!page.body.contains("topsecret"), "the page shows a secret");
    let reveal = page.attribute("#env a", "href").expect("a way to see them");
    contains_all(&console.get(&reveal).await.text("#env"), &["PASSWORD", "topsecret"]);
}

#[tokio::test]
async fn exit_codes_are_explained_with_who_did_it() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    for (line, code, words) in [
        ("busybox true", 0, "without an error"),
        ("busybox sh -c 'exit 1'", 1, "own word"),
        ("busybox sh -c 'exit 42'", 42, "own word"),
        ("busybox sh -c 'sh -c \"kill -11 \\$\\$\"; exit $?'", 139, "SIGSEGV"),
    ] {
        let web = engine.run(&format!("c{code}"), line).await;
        console.sees_state(&web.id, "exited").await;
        let page = console.get(&web.path("")).await;
        contains_all(&page.text("#detail"), &[&format!("Exited with {code}"), &format!("{code} "), words]);
    }
    let web = engine.run("web", "busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    console.post(&web.path("kill"), &[]).await.leads_to();
    console.sees_state(&web.id, "exited").await;
    let page = console.get(&web.path("")).await;
    contains_all(&page.text("#detail"), &["Exited with 137", "SIGKILL", "Kill in this console"]);
    let web = engine.run("other", "busybox sleep 1000").await;
    console.sees_state(&web.id, "running").await;
    engine.docker(&["kill", &web.id]).await;
    console.sees_state(&web.id, "exited").await;
    until("the event is here", async || {
        console.get(&web.path("")).await.text("#detail").contains("through the engine").then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_all_works_without_javascript() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees(&web.id).await;
    // From the list by a link to the form, from the form by its button, and back.
    let list_path = format!("/containers?q={}", web.id);
    let list = console.get(&list_path).await;
    assert!(list.has("form#act[method=post]"), "buttons belong to a form");
    assert_eq!(list.attribute("form#act input[name=back]", "value"), Some(list_path.clone()));
    let link = list.attributes(&format!("{} a[href]", web.row()), "href");
    let link = link.iter().find(|href| href.contains("/remove?")).expect("a link to the form");
    let form = console.get(link).await.expect(200);
    let action = form.attribute("#confirm form[method=post]", "action").expect("a form");
    let hidden = form.attributes("#confirm input[type=hidden]", "name");
    assert!(hidden.contains(&"back".to_owned()), "{hidden:?}");
    let back = form.attribute("#confirm input[name=back]", "value").expect("where to go back to");
    assert_eq!(back, list_path, "the list, as it was filtered");
    let refused = console.post(&action, &[("back", &back)]).await.expect(409);
    assert!(refused.has("html main h1") && refused.has("form#act"), "an error is a page with its buttons");
    let force = refused.attribute("main a[href$='force=1']", "href").expect("a way on");
    let form = console.get(&force).await.expect(200);
    assert!(form.has("#confirm input[name=force][checked]"));
    let to = console.post(&action, &[("force", "1"), ("back", &back)]).await.leads_to();
    console.get(&to).await.expect(200);
    assert!(!engine.exists(&web.id).await);
}

#[tokio::test]
async fn a_page_is_of_the_engine_that_it_shows_whichever_that_is() {
    for engine in [RealEngine::docker20(), RealEngine::podman4()] {
        let web = engine.run("web", "-p 80 -l a=b web:1").await;
        let console = Console::on(&engine).await;
        console.sees_state(&web.id, "running").await;
        let list = console.get(&format!("/containers?q={}", web.id)).await;
        contains_all(&list.text(&web.row()), &[&web.name, "web:1", "httpd -f -p 80", "→ 80"]);
        for path in
            [web.path(""), web.path("inspect"), web.path("remove"), "/".into(), "/volumes".into(), "/events".into()]
        {
            console.get(&path).await.expect(200);
        }
        console.post(&web.path("stop"), &[("timeout", "1")]).await.leads_to();
        assert_eq!(engine.state(&web.id).await, "exited");
        console.post(&web.path("remove"), &[("volumes", "1")]).await.leads_to();
        assert!(!engine.exists(&web.id).await);
    }
}

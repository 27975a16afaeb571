//! Long work: a pull as it happens, cancelled, or ending badly (S080).

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use crate::support::{Answer, Console, RealEngine, contains_all, proxy::FaultProxy, until};

/// One at a time: they all pull the same image.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The image of the registry that `make test` starts on docker28, not yet here; none where there is no registry.
///
/// The engine is dropped before the guard: what its containers hold of the image would not be pulled again.
async fn missing_image() -> Option<(MutexGuard<'static, ()>, RealEngine, String)> {
    let Ok(image) = std::env::var("WHEELHOUSE_TEST_REGISTRY") else {
        println!("skipped: WHEELHOUSE_TEST_REGISTRY is not set (scripts/engines.sh registry docker28)");
        return None;
    };
    let alone = ALONE.lock().await;
    let engine = RealEngine::docker28();
    let _ = engine.try_docker(&["rmi", "-f", &image]).await;
    Some((alone, engine, image))
}

/// Sends the form for `docker run` and answers with the page of the job that it leads to.
async fn run(console: &Console, name: &str, image: &str) -> String {
    let fields = [("image", image), ("name", name), ("command", "sleep 1000"), ("network", "none"), ("start", "1")];
    let job = console.post("/containers", &fields).await.leads_to();
    assert!(job.strip_prefix("/jobs/").is_some_and(|number| number.parse::<u64>().is_ok()), "{job}");
    job
}

/// The job's page once it has ended.
async fn ended(console: &Console, job: &str) -> Answer {
    until(&format!("{job} has ended"), async || {
        let page = console.get(job).await.expect(200);
        page.has("#job[data-job='ended']").then_some(page)
    })
    .await
}

#[tokio::test]
async fn a_missing_image_is_pulled_as_a_job_and_then_runs() {
    let Some((_alone, engine, image)) = missing_image().await else { return };
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    // The pull waits until its page is open, so that there is something to follow.
    proxy.faults(|faults| faults.held = Some("/images/create"));
    let name = engine.name("pulled");
    let job = run(&console, &name, &image).await;
    let page = console.get(&job).await.expect(200);
    contains_all(&page.text("main"), &["Run", &name, "working", "it goes on when you leave this page", "Cancel"]);
    assert!(
        page.commands().iter().any(|line| line.starts_with("docker run ") && line.contains(&image)),
        "{:?}",
        page.commands()
    );
    assert!(console.get("/jobs").await.text("main").contains(&name));
    let mut stream = console.stream(&format!("{job}/stream")).await;
    stream.until("the job", |data| data.contains("data-job=\"running\"")).await;
    proxy.heal();
    let layers = stream.until("its layers", |data| data.contains("class=\"layers\"")).await;
    contains_all(&layers.data, &["layers are here", "<progress"]);
    let end = stream.until("its end", |data| data.contains("data-job=\"ended\"")).await;
    let made = engine.made("pulled").await;
    contains_all(&end.data, &["done in", &format!("data-goto=\"/containers/{}\"", made.id), "Open the container"]);
    assert!(!end.data.contains("Cancel"), "{}", end.data);
    assert_eq!(engine.state(&made.id).await, "running");
    console.sees_state(&made.id, "running").await;

    let page = ended(&console, &job).await;
    contains_all(&page.text("#job"), &["done in", "5 of 5 layers are here", "Open the container"]);

    // Now that it is here, there is nothing to wait for.
    let again = [("image", image.as_str()), ("name", &engine.name("again")), ("command", "sleep 1000"), ("start", "1")];
    let path = console.post("/containers", &again).await.leads_to();
    assert_eq!(path, engine.made("again").await.path(""));
}

#[tokio::test]
async fn a_cancelled_job_ends_and_makes_nothing() {
    let Some((_alone, engine, image)) = missing_image().await else { return };
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    proxy.faults(|faults| faults.held = Some("/images/create"));
    let name = engine.name("cancelled");
    let job = run(&console, &name, &image).await;
    let mut stream = console.stream(&format!("{job}/stream")).await;
    stream.until("the job", |data| data.contains("data-job=\"running\"")).await;
    let back = console.post(&format!("{job}/cancel"), &[]).await.leads_to();
    assert_eq!(back, job);
    let end = stream.until("its end", |data| data.contains("data-job=\"ended\"")).await;
    contains_all(&end.data, &["cancelled after"]);
    contains_all(&console.get(&job).await.expect(200).text("#job"), &["cancelled after"]);
    // The engine is told by the end of the connection.
    until("the pull's connection is closed", async || (proxy.connections() <= 1).then_some(())).await;
    proxy.heal();
    assert!(!engine.exists(&name).await);
    // To cancel what has ended changes nothing; what never was is not found.
    console.post(&format!("{job}/cancel"), &[]).await.leads_to();
    contains_all(&console.get(&job).await.text("#job"), &["cancelled after"]);
    console.get("/jobs/999999").await.expect(404);
    console.post("/jobs/999999/cancel", &[]).await.expect(404);
    console.get("/jobs/x").await.expect(404);
}

#[tokio::test]
async fn a_job_goes_on_without_anybody_watching() {
    let Some((_alone, engine, image)) = missing_image().await else { return };
    let console = Console::on(&engine).await;
    let job = run(&console, &engine.name("alone"), &image).await;
    let mut stream = console.stream(&format!("{job}/stream")).await;
    stream.next().await.expect("the job");
    drop(stream);
    contains_all(&ended(&console, &job).await.text("#job"), &["done in"]);
    assert_eq!(engine.state(&engine.made("alone").await.id).await, "running");
}

#[tokio::test]
async fn s080_a_pull_that_ends_badly_has_failed_and_says_why() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let mut wrong = vec![("localhost:1/x:1".to_owned(), "connection refused")];
    if let Ok(image) = std::env::var("WHEELHOUSE_TEST_REGISTRY") {
        let name = image.rsplit_once(':').map_or(image.as_str(), |(name, _)| name);
        wrong.push((format!("{name}:none"), "not found"));
        wrong.push((format!("{name}-none:1"), "not found"));
    }
    for (at, (image, reason)) in wrong.iter().enumerate() {
        let name = engine.name(&format!("bad{at}"));
        let job = run(&console, &name, image).await;
        let page = ended(&console, &job).await;
        let text = page.text("#job");
        println!("{image}: {text}");
        assert!(text.to_lowercase().contains(reason), "{image}: {text}");
        assert!(text.starts_with("failed after") && !text.contains("done in"), "{image}: {text}");
        assert!(!page.has("[data-goto]"), "{}", page.body);
        assert!(!engine.exists(&name).await, "nothing is made of {image}");
        assert!(console.get("/jobs").await.text("main").contains("failed after"));
    }
}

#[tokio::test]
async fn s080_a_pull_that_breaks_off_has_failed() {
    let Some((_alone, engine, image)) = missing_image().await else { return };
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    // In the middle of the head, of the first line, and of the layers.
    for (at, bytes) in [30, 250, 1_500].into_iter().enumerate() {
        let _ = engine.try_docker(&["rmi", "-f", &image]).await;
        proxy.faults(|faults| (faults.only, faults.cut_after) = (Some("/images/create"), Some(bytes)));
        let name = engine.name(&format!("cut{at}"));
        let job = run(&console, &name, &image).await;
        let text = ended(&console, &job).await.text("#job");
        println!("cut after {bytes} bytes: {text}");
        proxy.heal();
        // Layers that somebody else's container still holds are not pulled again: then it may be there before the cut.
        if text.starts_with("done in") {
            assert!(engine.exists(&name).await, "done, and nothing is there: {text}");
            continue;
        }
        assert!(text.starts_with("failed after"), "{text}");
        assert!(text.contains("The connection to the engine broke"), "{text}");
        assert!(!engine.exists(&name).await);
    }
    // A silent engine does not keep a job for ever from being cancelled.
    proxy.faults(|faults| (faults.only, faults.stall_after) = (Some("/images/create"), Some(10)));
    let job = run(&console, &engine.name("stalled"), &image).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    console.post(&format!("{job}/cancel"), &[]).await.leads_to();
    contains_all(&ended(&console, &job).await.text("#job"), &["cancelled after"]);
}

#[tokio::test]
async fn s080_s085_a_killed_console_leaves_its_jobs_as_interrupted_never_as_done() {
    let Some((_alone, engine, image)) = missing_image().await else { return };
    let data = tempfile::tempdir().expect("a folder");
    let proxy = FaultProxy::before(&engine.socket);
    let start = || Console::start(proxy.socket()).data_in(data.path());
    let console = start().ready().await;
    let stopped = engine.create("stopped", "busybox").await;
    console.sees(&stopped.id).await;
    // One that ends well, one that fails, and one that works when the console is killed.
    let thing = format!("container:{}", stopped.id);
    let done = console.post("/engine/prune", &[("listed", "1"), ("thing", &thing)]).await.leads_to();
    contains_all(&ended(&console, &done).await.text("#job"), &["done in"]);
    let failed = console.post("/containers", &[("image", "localhost:1/x:1"), ("network", "none")]).await.leads_to();
    let why = ended(&console, &failed).await.text("#job");
    proxy.faults(|faults| faults.held = Some("/images/create"));
    let fields =
        [("image", &*image), ("name", &engine.name("killed")), ("env-name", "TOKEN"), ("env-value", "hunter2")];
    let working = console
        .post("/containers", &[&fields[..], &[("command", "sleep 1000"), ("network", "none"), ("start", "1")]].concat())
        .await
        .leads_to();
    contains_all(&console.get(&working).await.text("#job"), &["working"]);
    contains_all(&console.get("/").await.text("#working"), &["1 job"]);
    // SIGKILL, in the middle.
    drop(console);
    proxy.heal();
    let console = start().ready().await;
    let page = console.get(&working).await.expect(200);
    contains_all(&page.text("main"), &["interrupted", "The console ended while it worked", &engine.name("killed")]);
    assert!(!page.has("#job form, #job button[formaction$=cancel]") && page.has("#job[data-job=ended]"));
    let json = console.ask("GET", &working).header("accept", "application/json").send().await.json();
    assert_eq!((&json["stage"], json["ended"].is_null()), (&"interrupted".into(), false));
    // The others are as they ended.
    contains_all(&console.get(&done).await.text("main"), &["done in", &stopped.name, "removed", "docker system prune"]);
    assert_eq!(console.get(&failed).await.text("#job"), why);
    let list = console.get("/jobs").await;
    contains_all(&list.text("main"), &["interrupted", "failed after", "done in", "All 3", "Not done 2", "Done 1"]);
    assert_eq!(console.get("/jobs?show=failed").await.texts("[data-job]").len(), 2);
    assert_eq!(console.get(&format!("/jobs?q={}", engine.name("killed"))).await.texts("[data-job]").len(), 1);
    assert!(!console.get("/").await.text("#working").contains("job"), "nothing works any more");
    // No number is given out twice, and no value of a variable is on the disk.
    let next = console.post("/engine/prune", &[("listed", "1")]).await.leads_to();
    assert!(![&done, &failed, &working].contains(&&next), "{next}");
    for entry in std::fs::read_dir(data.path().join("jobs")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a text");
        assert!(!text.contains("hunter2") && (text.contains("TOKEN") || !text.contains("killed")), "{text}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("a file").permissions());
        assert_eq!(mode & 0o077, 0, "nobody else reads it");
    }
    // A third console finds it as the second did: it stays interrupted.
    drop(console);
    let console = start().ready().await;
    contains_all(&console.get(&working).await.expect(200).text("main"), &["interrupted"]);
}

#[tokio::test]
async fn s081_jobs_that_cannot_be_written_down_go_on_and_say_so() {
    let engine = RealEngine::docker28();
    let data = tempfile::tempdir().expect("a folder");
    std::fs::write(data.path().join("jobs"), "").expect("a file");
    let console = Console::start(&engine.socket).data_in(data.path()).ready().await;
    console.expect_log("jobs cannot be written down");
    let stopped = engine.create("stopped", "busybox").await;
    console.sees(&stopped.id).await;
    let thing = format!("container:{}", stopped.id);
    let job = console.post("/engine/prune", &[("listed", "1"), ("thing", &thing)]).await.leads_to();
    contains_all(&ended(&console, &job).await.text("#job"), &["done in"]);
    assert!(!engine.exists(&stopped.id).await);
    contains_all(&console.get("/jobs").await.text("main"), &["Jobs are not written down", "done in"]);
    std::fs::remove_file(data.path().join("jobs")).expect("it goes");
    let job = console.post("/engine/prune", &[("listed", "1")]).await.leads_to();
    ended(&console, &job).await;
    until("it is written again", async || {
        (!console.get("/jobs").await.text("main").contains("not written down")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn jobs_say_who_began_them_and_the_list_lives() {
    let engine = RealEngine::docker28();
    let console = Console::administered(&engine.socket).await;
    let admin = console.admin().await;
    let ann = console.hire(&admin, "ann", "operator", "").await;
    let mut stream = console.by(&admin, "GET", "/jobs/stream").open().await.expect("a stream");
    let stopped = engine.create("stopped", "busybox").await;
    console.sees_as(&ann, &stopped.id).await;
    let form = [("listed", "1"), ("thing", &*format!("container:{}", stopped.id))];
    let job = console.by(&ann, "POST", "/engine/prune").form(&form).send().await.leads_to();
    stream.until("the job of ann", |data| data.contains("ann") && data.contains("Prune 1 thing")).await;
    let page = until("it has ended", async || {
        let page = console.by(&admin, "GET", &job).send().await.expect(200);
        page.has("#job[data-job=ended]").then_some(page)
    })
    .await;
    contains_all(&page.text("main"), &["by ann", "docker system prune"]);
    let list = console.by(&admin, "GET", "/jobs?q=ann").header("accept", "application/json").send().await.json();
    assert_eq!(list["items"][0]["by"], "ann");
}

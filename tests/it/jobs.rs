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

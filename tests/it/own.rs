//! Smoke.
use crate::support::*;

#[tokio::test]
async fn smoke() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    console.post(&web.path("stop"), &[("timeout", "0")]).await.leads_to();
    assert_eq!(engine.state(&web.id).await, "exited");
    let events = engine
        .events_during(async {
            engine.docker(&["start", &web.id]).await;
        })
        .await;
    assert!(events.iter().any(|e| e.starts_with("container start")), "{events:?}");
    let mut stream = console.stream("/containers/stream").await;
    stream.until("it", |text| text.contains(&web.id)).await;
}

//! S043: a console that runs as a container of the engine it shows does not cut off the branch that it sits on.

use crate::support::*;

/// The console as a container, asked from inside, as its network is the engine's own.
struct Own<'a> {
    engine: &'a RealEngine,
    container: Made,
}

impl<'a> Own<'a> {
    async fn start(engine: &'a RealEngine, volume: &str) -> Self {
        // The binary under test and what it is linked to, from this machine, which is the engine's too.
        let folders = ["/lib", "/lib64", "/usr/lib"].into_iter().filter(|path| std::path::Path::new(path).is_dir());
        let libraries: Vec<String> = folders.map(|path| format!("-v {path}:{path}:ro")).collect();
        let libraries = libraries.join(" ");
        let line = format!(
            "{libraries} -v {}:/wheelhouse:ro -v {}:/engine.sock -v {volume}:/kept busybox \
             /wheelhouse --engine unix:///engine.sock --data /kept --accounts off",
            Console::BINARY,
            engine.socket.display()
        );
        let own = Self { engine, container: engine.run("own", &line).await };
        until("it is ready", async || own.get("/readyz").await.contains("ready").then_some(())).await;
        until("it sees itself", async || own.get(&own.container.path("")).await.contains("this console").then_some(()))
            .await;
        own
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("http://127.0.0.1:9000{path}");
        let ask = self.engine.try_docker(&["exec", &self.container.id, "wget", "-q", "-O", "-", &url]).await;
        ask.unwrap_or_default()
    }

    /// The status of a write.
    async fn post(&self, path: &str, fields: &str) -> String {
        let url = format!("http://127.0.0.1:9000{path}");
        let line = format!("wget -S -O /dev/null --post-data='{fields}' '{url}' 2>&1; true");
        let said = self.engine.docker(&["exec", &self.container.id, "sh", "-c", &line]).await;
        said.split_whitespace().skip_while(|word| !word.starts_with("HTTP/1")).nth(1).unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn s043_the_console_protects_itself() {
    let engine = RealEngine::docker28();
    let volume = engine.volume("kept", "").await;
    let bystander = engine.run("bystander", "busybox sleep 1000").await;
    let own = Own::start(&engine, &volume).await;
    let me = &own.container;
    for verb in ["stop", "restart", "kill", "pause", "remove"] {
        assert_eq!(own.post(&me.path(verb), "force=1&timeout=0&volumes=1").await, "409", "{verb}");
        assert_eq!(engine.state(&me.id).await, "running", "after {verb}");
    }
    assert_eq!(own.post(&me.path("rename"), "name=other").await, "409");
    let bulk = format!("action=kill&id={}&id={}", me.id, bystander.id);
    // A busy engine has the page of the job shown before it has ended: 303.
    let status = own.post("/containers/bulk", &bulk).await;
    assert!(matches!(&*status, "409" | "303"), "{status}");
    until("the others are done", async || (engine.state(&bystander.id).await == "exited").then_some(())).await;
    assert_eq!(engine.state(&me.id).await, "running");
    let remove = format!("action=remove&force=1&id={}", me.id);
    let status = own.post("/containers/bulk", &remove).await;
    assert!(matches!(&*status, "409" | "303"), "{status}");
    contains_all(&own.get(&me.path("")).await, &["this console"]);
    // Nor does it offer what it would refuse, and it says why.
    let page = own.get(&me.path("")).await;
    contains_all(&page, &["this console", "cut itself off"]);
    for verb in ["stop", "kill", "remove"] {
        assert!(!page.contains(&format!("\"{}\"", me.path(verb))), "{verb} is not offered");
    }
    // The volume that it keeps its own things in.
    assert_eq!(own.post(&format!("/volumes/{volume}/remove"), "").await, "409");
    assert_eq!(own.post("/volumes/prune", &format!("listed=1&all=1&name={volume}")).await, "409");
    assert!(engine.inspect_volume(&volume).await.is_some());
    let volumes = own.get(&format!("/volumes?q={volume}")).await;
    contains_all(&volumes, &["own"]);
    assert!(!volumes.contains(&format!("/volumes/{volume}/remove")), "its removal is not offered");
    contains_all(&own.get("/healthz").await, &["ok"]);
}

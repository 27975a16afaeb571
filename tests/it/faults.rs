//! What happens to the console when something happens to the engine: dead, frozen, slow, too old, half an answer, lost
//! events, busy with somebody else.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::support::{
    Answer, Console, Made, RealEngine, contains_all,
    proxy::{FaultProxy, ask_engine, without_version},
    until,
};

/// How soon the console has to be right again once the fault is gone.
const HEALS: Duration = Duration::from_secs(5);

/// Pages of what else an engine has.
const OTHERS: &[&str] = &[
    "/images/load",
    "/images/import",
    "/networks",
    "/networks/new",
    "/networks/map",
    "/networks/ports",
    "/networks/prune",
    "/build",
    "/registries",
    "/engine",
    "/engine/disk",
    "/events/search",
    "/go?q=nothing-has-this",
];

/// Waits until the console has its engine again, and fails if that takes longer than it may.
async fn heals(console: &Console) {
    let begun = Instant::now();
    until("the console has its engine again", async || (console.get("/readyz").await.status == 200).then_some(()))
        .await;
    assert!(begun.elapsed() < HEALS, "it took {:?} to heal", begun.elapsed());
    assert!(!console.get("/").await.expect(200).has("#banner [role=alert]"));
}

/// Waits until its pages say this of the engine.
async fn says(console: &Console, words: &str) -> Answer {
    until(&format!("the page says “{words}”"), async || {
        let page = console.get("/").await.expect(200);
        page.text("#banner").contains(words).then_some(page)
    })
    .await
}

/// A daemon of this test's own, to be killed and frozen: without a network, beside all others.
struct OwnEngine {
    folder: TempDir,
    programs: PathBuf,
    child: Child,
}

impl OwnEngine {
    async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("wh-own-").tempdir().expect("a folder");
        let shared = RealEngine::docker28().socket.clone();
        let programs = shared.parent().expect("a folder").join("bin");
        fs::write(folder.path().join("daemon.json"), "{}").expect("it can be written");
        let child = Self::spawn(folder.path(), &programs);
        let engine = Self { folder, programs, child };
        engine.answers().await;
        engine
    }

    fn spawn(folder: &Path, programs: &Path) -> Child {
        let log = || fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let of = |name: &str| folder.join(name).display().to_string();
        let name = format!("wh-{}", folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase());
        Command::new(programs.join("dockerd"))
            .args(["--config-file", &of("daemon.json"), "--data-root", &of("data"), "--exec-root", &of("exec")])
            .args(["--pidfile", &of("pid"), "-H", &format!("unix://{}", of("engine.sock"))])
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--live-restore", "--shutdown-timeout=2"])
            // Should the machine have a containerd, nobody else's containers are there.
            .args(["--containerd-namespace", &name, "--containerd-plugins-namespace", &format!("{name}-plugins")])
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .process_group(0)
            .spawn()
            .expect("dockerd starts")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    async fn answers(&self) {
        let socket = self.socket();
        let end = Instant::now() + Duration::from_secs(40);
        while !timeout(Duration::from_secs(1), async { tokio::net::UnixStream::connect(&socket).await.is_ok() })
            .await
            .unwrap_or(false)
        {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "dockerd does not start:\n{log}");
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(ask_engine(&socket, "GET", "/_ping", None).await.0, 200);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal);
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    async fn again(&mut self) {
        let _ = fs::remove_file(self.folder.path().join("pid"));
        self.child = Self::spawn(self.folder.path(), &self.programs);
        self.answers().await;
    }

    /// The busybox of the shared engine, here too.
    async fn takes_busybox(&self) {
        let from = RealEngine::docker28();
        let file = self.folder.path().join("busybox.tar").display().to_string();
        from.docker(&["save", "-o", &file, "busybox:latest"]).await;
        let host = format!("unix://{}", self.socket().display());
        let mut load = tokio::process::Command::new("docker");
        load.args(["-H", &host, "load", "-q", "-i", &file]).stdin(Stdio::null()).kill_on_drop(true);
        let loaded = timeout(Duration::from_mins(1), load.output()).await.expect("in time").expect("docker runs");
        assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::CONT);
        self.signal(rustix::process::Signal::TERM);
        let end = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.kill();
        // What a killed or live-restoring daemon leaves behind: its containerd, shims and containers. They all name our
        // folder.
        let folder = self.folder.path().display().to_string();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            let is_ours = line.contains(&folder) && (name.starts_with("containerd"));
            let pid = process.file_name().to_string_lossy().parse().ok().and_then(rustix::process::Pid::from_raw);
            if let (true, Some(pid)) = (is_ours, pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        for mount in mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|at| at.contains(&folder)) {
            let _ = Command::new("timeout").args(["10", "umount", "-l", mount]).stdin(Stdio::null()).status();
        }
    }
}

/// A container by the engine's own API: quick.
async fn quick(socket: &Path, name: &str, words: &[&str], more: Value) -> Made {
    let mut body = json!({"Image": "busybox", "Cmd": words, "HostConfig": {"NetworkMode": "none"}});
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    let (status, answer) =
        ask_engine(socket, "POST", &format!("/v1.41/containers/create?name={name}"), Some(body)).await;
    assert_eq!(status, 201, "{answer}");
    Made { id: answer["Id"].as_str().expect("an id").to_owned(), name: name.to_owned() }
}

async fn removed(socket: &Path, id: &str) {
    let (status, answer) = ask_engine(socket, "DELETE", &format!("/v1.41/containers/{id}?force=1"), None).await;
    assert_eq!(status, 204, "{answer}");
}

/// The ids of all rows of a list, all its pages turned.
async fn listed(console: &Console, query: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for page in 1..100 {
        let page = console.get(&format!("/containers?group=none&q={query}&page={page}")).await.expect(200);
        let rows = page.attributes("tr[data-state]", "id");
        let before = all.len();
        all.extend(rows.into_iter().map(|id| id.trim_start_matches("container-").to_owned()));
        if all.len() == before {
            break;
        }
    }
    all
}

#[tokio::test]
async fn s067_what_is_wrong_with_the_socket_is_told_apart() {
    let engine = RealEngine::docker28();
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let (directory, file) = (folder.path().join("directory"), folder.path().join("file"));
    fs::create_dir(&directory).expect("a directory");
    fs::write(&file, "").expect("a file");
    let refused = FaultProxy::before(&engine.socket);
    refused.refuse();
    let cases = [
        (folder.path().join("missing"), "There is no socket at", "systemctl start docker"),
        (directory.clone(), "is a directory, not a socket", "rmdir"),
        (file, "is a file, not a socket", ""),
        (refused.socket().to_owned(), "Nothing listens at", "systemctl start docker"),
    ];
    let mut texts = BTreeSet::new();
    for (socket, words, command) in cases {
        let begun = Instant::now();
        let console = Console::start(&socket).listening().await;
        console.expect_log("no engine");
        console.get("/healthz").await.expect(200);
        let page = says(&console, words).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "up with the reason after {:?}", begun.elapsed());
        assert!(page.text("#banner").contains(&socket.display().to_string()), "{}", page.text("#banner"));
        assert!(command.is_empty() || page.texts("#banner [data-command]").iter().any(|text| text.contains(command)));
        assert!(console.get("/readyz").await.expect(503).body.contains(&socket.display().to_string()));
        for path in
            ["/containers", "/volumes", "/events", "/jobs", "/containers/new", "/volumes/new"].iter().chain(OTHERS)
        {
            assert!(console.get(path).await.expect(200).has("#banner [role=alert]"), "{path}");
        }
        assert!(texts.insert(page.text("#banner b")), "{texts:?}");
    }
    println!("{texts:#?}");
}

#[tokio::test]
async fn s067_a_socket_of_another_group_says_which_group() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can start the console as somebody else");
        return;
    }
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    fs::set_permissions(proxy.socket(), fs::Permissions::from_mode(0o660)).expect("it is ours");
    // The binary may lie where only root can go.
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
    let binary = folder.path().join("wheelhouse");
    fs::copy(Console::BINARY, &binary).expect("a copy");
    let mut child = Command::new(&binary)
        .args(["--listen", "127.0.0.1:0", "--accounts", "off", "--engine", &proxy.url(), "--data"])
        .arg(folder.path().join("data"))
        .env_clear()
        .uid(65_534)
        .gid(65_534)
        .stdin(Stdio::null())
        .stdout(fs::File::create(folder.path().join("out")).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let port = until("it listens", async || {
        let said = fs::read_to_string(folder.path().join("out")).unwrap_or_default();
        said.trim().trim_end_matches('/').rsplit_once(':')?.1.parse::<u16>().ok()
    })
    .await;
    let asked = async |path: &str| {
        let mut curl = tokio::process::Command::new("curl");
        curl.args(["-s", "--max-time", "5", &format!("http://127.0.0.1:{port}{path}")]).kill_on_drop(true);
        String::from_utf8_lossy(&curl.output().await.expect("curl runs").stdout).into_owned()
    };
    let page =
        until("it says why", async || Some(asked("/").await).filter(|page| page.contains("No permission"))).await;
    contains_all(&page, &["it belongs to group 0", "this process is user 65534", "--group-add 0"]);
    contains_all(&asked("/readyz").await, &["no permission to open", "user 65534"]);
    // It heals when it is let in.
    let begun = Instant::now();
    fs::set_permissions(proxy.socket(), fs::Permissions::from_mode(0o666)).expect("it is ours");
    until("it is let in", async || asked("/readyz").await.contains("ready\n").then_some(())).await;
    assert!(begun.elapsed() < HEALS);
    let _ = child.kill();
    let _ = child.wait();
}

#[tokio::test]
async fn s067_an_engine_that_comes_late_is_found_without_a_restart_or_a_reload() {
    let engine = RealEngine::docker28();
    let web = engine.create("late", "--network none busybox true").await;
    let proxy = FaultProxy::shut(&engine.socket);
    let console = Console::start(proxy.socket()).listening().await;
    console.expect_log("no engine");
    says(&console, "There is no socket at").await;
    let mut stream = console.stream(&format!("/containers/stream?q={}", web.id)).await;
    stream.until("what is wrong", |data| data.contains("There is no socket at")).await;
    proxy.open();
    let begun = Instant::now();
    stream.until("the container, in the open page", |data| data.contains(&format!("container-{}", web.id))).await;
    assert!(begun.elapsed() < HEALS, "{:?}", begun.elapsed());
    heals(&console).await;
    // And gone again, and there again.
    proxy.remove();
    stream.until("it is gone", |data| data.contains("There is no socket at")).await;
    assert!(listed(&console, &web.id).await.contains(&web.id), "what was known stays");
    proxy.open();
    heals(&console).await;
}

#[tokio::test]
async fn s068_a_killed_engine_is_told_apart_from_stopped_containers() {
    let mut engine = OwnEngine::start().await;
    engine.takes_busybox().await;
    let web = quick(&engine.socket(), "web", &["sleep", "1000"], json!({})).await;
    let start = format!("/v1.41/containers/{}/start", web.id);
    assert_eq!(ask_engine(&engine.socket(), "POST", &start, None).await.0, 204);
    let console = Console::start(&engine.socket()).ready().await;
    console.expect_log("no engine");
    console.sees_state(&web.id, "running").await;
    let mut stream = console.stream("/containers/stream").await;
    stream.until("the page", |data| data.contains(&web.id)).await;

    engine.kill();
    let begun = Instant::now();
    let lost = stream.until("that it is lost", |data| data.contains("role=\"alert\"")).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(!lost.data.contains("data-state=\"exited\""), "{}", lost.data);
    let page = console.get("/containers").await.expect(200);
    assert_eq!(page.attribute(&web.row(), "data-state").as_deref(), Some("running"), "live-restore: it goes on");
    assert!(page.text("#banner").contains("What you see is from"), "{}", page.text("#banner"));
    says(&console, "Nothing listens at").await;
    let refused = console.post(&web.path("stop"), &[]).await;
    assert!(matches!(refused.status, 502 | 504), "{}", refused.status);
    contains_all(&refused.text("main section"), &["web was not stopped", "Nothing listens at"]);

    engine.again().await;
    heals(&console).await;
    console.sees_state(&web.id, "running").await;
    assert!(!console.get("/containers").await.has(&format!("{}[data-pending]", web.row())));
    // Not one reload: the page that was open all the time is right again, and follows.
    removed(&engine.socket(), &web.id).await;
    stream.until("the list without it", |data| data.contains("id=\"list\"") && !data.contains(&web.id)).await;
}

/// What a console on this port answers; nothing while it does not.
async fn asked(port: u16, path: &str) -> String {
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    };
    timeout(Duration::from_secs(5), ask).await.ok().flatten().unwrap_or_default()
}

#[tokio::test]
async fn s072_a_dead_socket_file_is_mounted_anew_without_a_human() {
    let mut engine = OwnEngine::start().await;
    engine.takes_busybox().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    // The binary under test and what it is linked to, from this machine, which is the engine's too.
    let folders = ["/lib", "/lib64", "/usr/lib"].into_iter().filter(|path| Path::new(path).is_dir());
    let mut binds: Vec<String> = folders.map(|path| format!("{path}:{path}:ro")).collect();
    binds.push(format!("{}:/wheelhouse:ro", Console::BINARY));
    binds.push(format!("{}:/engine.sock", engine.socket().display()));
    let listen = format!("127.0.0.1:{port}");
    let words =
        ["/wheelhouse", "--engine", "unix:///engine.sock", "--listen", &listen, "--data", "/data", "--accounts", "off"];
    let host = json!({"NetworkMode": "host", "RestartPolicy": {"Name": "always"}, "Binds": binds});
    let console = quick(&engine.socket(), "console", &words, json!({"HostConfig": host})).await;
    let start = format!("/v1.41/containers/{}/start", console.id);
    assert_eq!(ask_engine(&engine.socket(), "POST", &start, None).await.0, 204);
    until("it is ready", async || asked(port, "/readyz").await.contains("ready\n").then_some(())).await;

    engine.kill();
    engine.again().await;
    let begun = Instant::now();
    let sees = async || {
        let ready = asked(port, "/readyz").await.starts_with("HTTP/1.1 200");
        (ready && asked(port, "/containers").await.contains(&console.id)).then_some(())
    };
    while sees().await.is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "blind for a minute: {}", asked(port, "/readyz").await);
        sleep(Duration::from_millis(250)).await;
    }
    println!("a console with the dead socket file was right again after {:?}", begun.elapsed());
    removed(&engine.socket(), &console.id).await;
}

#[tokio::test]
async fn s069_a_frozen_engine_freezes_no_page() {
    let engine = OwnEngine::start().await;
    engine.takes_busybox().await;
    let web = quick(&engine.socket(), "web", &["sleep", "1000"], json!({})).await;
    let proxy = FaultProxy::before(engine.socket());
    let console = Console::start(proxy.socket()).ready().await;
    console.expect_log("");
    console.sees(&web.id).await;
    let paths = [
        "/",
        "/containers",
        "/containers/new",
        "/volumes",
        "/volumes/new",
        "/volumes/prune",
        "/images",
        "/images/pull",
        "/images/prune",
        "/events",
        "/jobs",
        "/readyz",
        "/healthz",
        &web.path(""),
        &web.path("inspect"),
        &web.path("remove"),
        &web.path("kill"),
    ];
    let paths: Vec<String> = paths.iter().chain(OTHERS).map(|path| (*path).to_owned()).collect();
    proxy.most_connections();
    engine.signal(rustix::process::Signal::STOP);
    let frozen = Instant::now();
    let mut slowest = Duration::ZERO;
    let mut rounds = 0;
    while frozen.elapsed() < Duration::from_secs(14) {
        // Six people, each on every page.
        let pages = (0..6).flat_map(|_| &paths).map(async |path| {
            let begun = Instant::now();
            let page = console.get(path).await;
            (path, begun, begun.elapsed(), page)
        });
        for (path, begun, took, page) in join_all(pages).await {
            assert!(took < Duration::from_secs(12), "{path} took {took:?}");
            slowest = slowest.max(took);
            let has_data = matches!(path.as_str(), "/containers");
            assert!(!has_data || page.has(&web.row()), "{path} has lost the data");
            // A ping every five seconds has three to be answered.
            if begun - frozen > Duration::from_secs(9) && !path.ends_with('z') {
                let banner = page.text("#banner");
                contains_all(&banner, &["Docker does not answer", "What you see is from"]);
            }
        }
        rounds += 1;
        sleep(Duration::from_millis(200)).await;
    }
    let most = proxy.most_connections();
    println!(
        "frozen for {:?}: {rounds} rounds, the slowest page {slowest:?}, {most} sockets at most",
        frozen.elapsed()
    );
    assert!(most <= 40, "{most} sockets to the engine");
    console.get("/readyz").await.expect(503);
    engine.signal(rustix::process::Signal::CONT);
    heals(&console).await;
    until("the sockets are given back", async || (proxy.connections() <= 3).then_some(())).await;
    removed(&engine.socket(), &web.id).await;
    console.misses(&web.id).await;
}

#[tokio::test]
async fn s070_an_answer_that_stops_half_way_ends_at_the_deadline() {
    let engine = RealEngine::docker28();
    let web = engine.create("half", "--network none busybox true").await;
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    console.expect_log("");
    console.sees(&web.id).await;
    let files = console.open_files();
    let threads = || fs::read_dir(format!("/proc/{}/task", console.pid())).map_or(0, Iterator::count);
    let threads_before = threads();
    let inspect = format!("/containers/{}", web.id);
    let only: &'static str = inspect.leak();
    proxy.faults(|faults| (faults.only, faults.stall_after) = (Some(only), Some(100)));
    let tries = (0..100).map(async |at: usize| {
        sleep(Duration::from_millis(at as u64 * 5)).await;
        let begun = Instant::now();
        let page = console.get(&web.path(if at.is_multiple_of(2) { "inspect" } else { "inspect.json" })).await;
        (page, begun.elapsed())
    });
    let mut slowest = Duration::ZERO;
    for (page, took) in join_all(tries).await {
        assert!(took < Duration::from_secs(12), "{took:?}");
        slowest = slowest.max(took);
        let page = page.expect(504);
        contains_all(&page.text("main section"), &["Docker does not answer", "within 5 s"]);
    }
    println!("100 half answers: the slowest error after {slowest:?}");
    until("the connections are closed", async || (proxy.connections() <= 2).then_some(())).await;
    let calm = async || (console.open_files() <= files + 4).then_some(());
    until("no socket is left over", calm).await;
    assert!(threads() <= threads_before + 2, "{} threads, {threads_before} before", threads());
    // Everything else went on meanwhile, and this does again.
    console.get("/readyz").await.expect(200);
    proxy.heal();
    console.get(&web.path("inspect")).await.expect(200);

    // Half of the list itself.
    proxy.faults(|faults| (faults.only, faults.stall_after) = (Some("/containers/json"), Some(2)));
    proxy.cut();
    says(&console, "Docker does not answer").await;
    proxy.heal();
    heals(&console).await;
}

#[tokio::test]
async fn s071_a_slow_engine_does_not_slow_the_list() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let list: Vec<Value> = (0..500)
        .map(|at| json!({"Id": format!("{at:064x}"), "Names": [format!("/slow-{at:03}")], "Image": "busybox", "State": "running",
            "Status": "Up 2 hours", "Created": 1_700_000_000, "Command": "sleep 1000", "Labels": {"at": at.to_string()}}))
        .collect();
    proxy.answer("/containers/json", 200, json!(list).to_string());
    proxy.answer("/volumes", 200, r#"{"Volumes":[]}"#);
    proxy.faults(|faults| faults.delay = Duration::from_millis(300));
    let console = Console::start(proxy.socket()).ready().await;
    for path in [
        "/containers",
        "/containers?page=5",
        "/containers?show=running&sort=-since",
        "/",
        "/volumes",
        "/containers/new",
    ] {
        // Others work with the engine, too: what their events cost is not this page's. The best of three.
        let mut best = (Duration::MAX, usize::MAX);
        for _ in 0..3 {
            let (calls, begun) = (proxy.seen().len(), Instant::now());
            let page = console.get(path).await.expect(200);
            best = (best.0.min(begun.elapsed()), best.1.min(proxy.seen().len() - calls));
            assert!(path != "/containers" || page.attributes("tr[data-state]", "id").len() == 50);
        }
        println!("{path}: {:?}, {} calls", best.0, best.1);
        assert!(best.0 < Duration::from_secs(1), "{path}: {:?}", best.0);
        assert!(best.1 <= 3, "{path}: {} calls", best.1);
    }
}

fn version(min: &str, max: &str, of: &str) -> String {
    json!({"Version": of, "ApiVersion": max, "MinAPIVersion": min, "Components": []}).to_string()
}

/// Waits until the console speaks this version to the engine.
async fn speaks(proxy: &FaultProxy, version: &str) {
    let before = proxy.seen().len();
    let prefix = format!("/v{version}/");
    until(&format!("the console speaks {version}"), async || {
        let seen = proxy.seen();
        let new = seen.get(before..).unwrap_or_default();
        new.iter()
            .any(|(_, path)| path.starts_with(&prefix) && without_version(path).starts_with("/containers/json"))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn s073_speaks_what_the_engine_speaks_or_says_that_it_cannot() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    proxy.faults(|faults| faults.any_version = true);
    proxy.answer("/version", 200, version("1.60", "1.70", "40.0.0"));
    let console = Console::start(proxy.socket()).listening().await;
    console.expect_log("no engine");
    let words = ["API 1.60 to 1.70", "this console speaks 1.41 to 1.53"];
    contains_all(&says(&console, "API 1.60").await.text("#banner"), &words);
    contains_all(&console.get("/readyz").await.expect(503).body, &words);
    contains_all(&console.get("/containers").await.expect(200).text("#banner"), &words);
    assert_eq!(proxy.count("/containers"), 0, "nothing is asked of an engine that is too new");

    // Another engine in its place, under the running console.
    proxy.answer("/version", 200, version("1.44", "1.53", "29.0.0"));
    speaks(&proxy, "1.53").await;
    heals(&console).await;
    assert!(console.get("/").await.text("#foot").contains("29.0.0"));

    // Upgraded again, as an upgrade is: the connections break and another version answers.
    proxy.answer("/version", 200, version("1.44", "1.99", "50.0.0"));
    proxy.cut();
    until("the new engine is known", async || console.get("/").await.text("#foot").contains("50.0.0").then_some(()))
        .await;
    speaks_still(&proxy, &console, "1.53").await;
    proxy.answer("/version", 200, version("1.24", "1.47", "27.0.0"));
    proxy.cut();
    speaks(&proxy, "1.47").await;

    // Too old, and no engine at all.
    proxy.answer("/version", 200, version("1.12", "1.39", "18.0.0"));
    proxy.cut();
    contains_all(
        &says(&console, "API 1.12").await.text("#banner"),
        &["API 1.12 to 1.39", "this console speaks 1.41 to 1.53"],
    );
    proxy.answer("/version", 200, "{}");
    says(&console, "not a container engine").await;
    proxy.answer("/version", 404, r#"{"message":"page not found"}"#);
    says(&console, "age not found").await;
    proxy.heal();
    heals(&console).await;
}

async fn speaks_still(proxy: &FaultProxy, console: &Console, version: &str) {
    let before = proxy.seen().len();
    console.get("/containers/new?image=busybox").await.expect(200);
    until("something is asked", async || (proxy.seen().len() > before).then_some(())).await;
    let prefix = format!("/v{version}/");
    assert!(proxy.seen()[before..].iter().all(|(_, path)| path.starts_with(&prefix)), "{:?}", &proxy.seen()[before..]);
}

#[tokio::test]
async fn s074_what_happened_while_no_event_came_is_known_afterwards() {
    let engine = RealEngine::docker28();
    let old = [
        engine.create("old1", "--network none busybox true").await,
        engine.create("old2", "--network none busybox true").await,
    ];
    // Two ways to be without events: they come late, or their connection is gone.
    let (held, closed) = (FaultProxy::before(&engine.socket), FaultProxy::before(&engine.socket));
    let consoles = [Console::start(held.socket()).ready().await, Console::start(closed.socket()).ready().await];
    consoles.iter().for_each(|console| console.expect_log("no engine"));
    held.faults(|faults| faults.held = Some("/events"));
    closed.faults(|faults| faults.closed = Some("/events"));
    let begun = Instant::now();
    let made: Vec<Made> = stream::iter(0..60)
        .map(async |at| quick(&engine.socket, &engine.name(&format!("new{at}")), &["true"], json!({})).await)
        .buffered(4)
        .collect()
        .await;
    let gone = made.iter().take(45).chain(&old[..1]);
    stream::iter(gone).map(async |made| removed(&engine.socket, &made.id).await).buffered(4).collect::<()>().await;
    let truth: BTreeSet<String> = engine
        .docker(&["ps", "-aq", "--no-trunc", "--filter", &format!("name={}", engine.name(""))])
        .await
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(truth.len(), 16);
    sleep(Duration::from_secs(10).saturating_sub(begun.elapsed())).await;
    held.heal();
    closed.heal();
    let healed = Instant::now();
    for console in &consoles {
        until("the page agrees with docker ps -a", async || {
            (listed(console, &engine.name("")).await == truth).then_some(())
        })
        .await;
        println!("agrees {:?} after events came again", healed.elapsed());
        assert!(healed.elapsed() < HEALS, "{:?}", healed.elapsed());
    }
}

/// Verb, container, fields, status, words.
type Row<'a> = (&'a str, &'a Made, &'a [(&'a str, &'a str)], u16, &'a [&'a str]);

#[tokio::test]
async fn s075_what_the_engine_answers_is_told_in_words() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let up = "--network none busybox sleep 1000";
    let running = engine.run("running", up).await;
    let paused = engine.run("paused", up).await;
    let exited = engine.run("exited", "--network none busybox true").await;
    let created = engine.create("created", up).await;
    let gone = engine.create("gone", up).await;
    engine.docker(&["pause", &paused.id]).await;
    engine.docker(&["rm", &gone.id]).await;
    console.misses(&gone.id).await;
    for (made, state) in [(&running, "running"), (&paused, "paused"), (&exited, "exited"), (&created, "created")] {
        console.sees_state(&made.id, state).await;
    }
    let taken = [("name", running.name.as_str())];
    let table: &[Row<'_>] = &[
        // What is so already is no error.
        ("start", &running, &[], 200, &["was already running"]),
        ("stop", &exited, &[], 200, &["was already stopped"]),
        ("stop", &created, &[], 200, &["was already stopped"]),
        ("pause", &paused, &[], 200, &["was already paused"]),
        ("unpause", &running, &[], 200, &["was not paused"]),
        // What does not go says why, and what to do.
        ("kill", &exited, &[], 409, &["was not killed", "It is not running"]),
        ("kill", &created, &[], 409, &["was not killed", "It is not running"]),
        ("pause", &exited, &[], 409, &["was not paused", "It is not running", "Start"]),
        ("pause", &created, &[], 409, &["was not paused", "It is not running"]),
        ("start", &paused, &[], 409, &["was not started", "It is paused", "Unpause it first"]),
        ("remove", &running, &[], 409, &["was not removed", "It is running", "Stop it first", "by force (-f)"]),
        ("remove", &paused, &[], 409, &["was not removed", "It is paused", "by force (-f)"]),
        (
            "rename",
            &created,
            &taken,
            409,
            &["was not renamed", "Another container has that name already", &running.name],
        ),
        // What cannot be asked for is not asked.
        ("stop", &running, &[("timeout", "-1")], 422, &["-1", "whole seconds from 0 to 3600"]),
        ("stop", &running, &[("timeout", "1e9")], 422, &["whole seconds"]),
        ("kill", &running, &[("signal", "NOPE;rm")], 422, &["is no signal"]),
        ("rename", &running, &[("name", "a/b")], 422, &[]),
        ("kill", &running, &[("signal", "FROB")], 400, &["was not killed", "FROB"]),
        // What is gone is gone.
        ("start", &gone, &[], 404, &["This container is not there any more"]),
        ("stop", &gone, &[], 404, &["not there any more"]),
        ("remove", &gone, &[("force", "1")], 404, &["not there any more"]),
    ];
    for (verb, made, fields, status, words) in table {
        let answer = console.ask("POST", &made.path(verb)).htmx().form(fields).send().await;
        let said = answer.texts(".toast").join(" ");
        println!("{verb:8} {:22} {} {said}", made.name, answer.status);
        let answer = answer.expect(*status);
        assert!(answer.has(if *status == 200 { ".toast.ok" } else { ".toast.bad" }), "{verb}: {}", answer.body);
        contains_all(&said, words);
        // The same without htmx: back to the list, or a page of that status.
        let plain = console.post(&made.path(verb), fields).await.expect(if *status == 200 { 303 } else { *status });
        if !matches!(*status, 200 | 422) {
            contains_all(&plain.text("main"), words);
        }
    }
    for (made, state) in [(&running, "running"), (&paused, "paused"), (&exited, "exited"), (&created, "created")] {
        assert_eq!(engine.state(&made.id).await, state);
    }
    // A double click, twice.
    let path = running.path("remove");
    let clicks = (0..4).map(|_| console.ask("POST", &path).htmx().form(&[("force", "1")]).send());
    for click in join_all(clicks).await {
        println!("remove at once: {} {}", click.status, click.texts(".toast").join(" "));
        assert!(click.status == 200 || click.status == 404, "{}: {}", click.status, click.body);
    }
    console.misses(&running.id).await;
    assert!(!engine.exists(&running.id).await);
}

#[tokio::test]
async fn s076_a_slow_stop_is_seen_by_everybody_and_is_no_error() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    // The first process of a container ignores what it has no handler for.
    let slow = engine.run("slow", "--network none busybox sleep 1000").await;
    let left = engine.run("left", "--network none busybox sleep 1000").await;
    console.sees_state(&slow.id, "running").await;
    console.sees_state(&left.id, "running").await;
    let mut stream = console.stream(&format!("/containers/stream?q={}", engine.name(""))).await;
    stream.until("the page", |data| data.contains(&slow.id)).await;
    let begun = Instant::now();
    let stop = console.ask("POST", &slow.path("stop")).htmx().form(&[("timeout", "8")]);
    let stop = tokio::spawn(stop.send());
    let give_up = console.ask("POST", &left.path("stop")).form(&[("timeout", "6")]);
    let give_up = tokio::spawn(give_up.send());
    let is_stopping =
        |data: &str| data.contains(&slow.id) && data.contains("data-pending=\"stop\"") && data.contains("stopping");
    stream.until("stopping, in the other tab", is_stopping).await;
    console.sees(&left.id).await;
    until("the second is stopping, too", async || {
        console
            .get(&format!("/containers?q={}", left.id))
            .await
            .has(&format!("{}[data-pending=stop]", left.row()))
            .then_some(())
    })
    .await;
    give_up.abort();
    // Reloaded again and again, until it says how it ended.
    let mut seen = Vec::new();
    while !stop.is_finished() {
        let page = console.get(&format!("/containers?q={}", slow.id)).await.expect(200);
        let state = page.attribute(&slow.row(), "data-state").expect("the row is there");
        if begun.elapsed() < Duration::from_secs(7) {
            assert!(page.has(&format!("{}[data-pending=stop]", slow.row())), "after {:?}", begun.elapsed());
            assert_eq!(state, "running");
            seen.push(page.text(&format!("{} .st", slow.row())));
            assert!(console.get(&slow.path("")).await.expect(200).text("main").contains("stopping"));
        }
        sleep(Duration::from_millis(500)).await;
    }
    println!("{seen:?}");
    assert!(seen.iter().any(|text| text.contains("5 s")), "it counts the seconds: {seen:?}");
    let answer = stop.await.expect("an answer").expect(200);
    contains_all(&answer.text(".toast.ok"), &["was stopped", "docker stop -t 8"]);
    assert!(begun.elapsed() >= Duration::from_secs(8), "{:?}", begun.elapsed());
    console.sees_state(&slow.id, "exited").await;
    assert!(!console.get("/containers").await.has(&format!("{}[data-pending]", slow.row())));
    // Who gave up has stopped it all the same.
    console.sees_state(&left.id, "exited").await;
    assert_eq!(engine.state(&left.id).await, "exited");
    assert!(!console.get("/containers").await.has(&format!("{}[data-pending]", left.row())));
}

#[tokio::test]
async fn s077_a_restart_loop_is_seen_and_can_be_ended() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let looping = engine.run("loop", "--network none --restart always busybox sh -c 'exit 3'").await;
    let row = until("the row says so", async || {
        let page = console.get(&format!("/containers?show=attention&q={}", looping.id)).await.expect(200);
        (page.attribute(&looping.row(), "data-state").as_deref() == Some("restarting")).then_some(page)
    })
    .await;
    let text = row.text(&looping.row());
    println!("{text}");
    contains_all(&text, &["restarting, 3"]);
    assert!(row.has(&format!("{} [formaction$='/stop']", looping.row())), "Stop is offered");
    assert!(!row.has(&format!("{} [formaction$='/pause']", looping.row())));
    contains_all(&console.get(&looping.path("")).await.expect(200).text("main"), &["restarting"]);
    console.post(&looping.path("stop"), &[("timeout", "1")]).await.expect(303);
    console.sees_state(&looping.id, "exited").await;
    assert_eq!(engine.state(&looping.id).await, "exited");
}

#[tokio::test]
async fn s077_every_state_has_its_row_even_one_that_nobody_knows() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let states: [(&str, &[&str]); 9] = [
        ("created", &["start", "restart", "rename", "remove"]),
        ("running", &["stop", "restart", "pause", "kill", "rename", "remove"]),
        ("paused", &["unpause", "stop", "restart", "kill", "rename", "remove"]),
        ("restarting", &["stop", "restart", "kill", "rename", "remove"]),
        ("removing", &[]),
        ("exited", &["start", "restart", "rename", "remove"]),
        ("dead", &["remove"]),
        ("levitating", &["start", "stop", "restart", "kill", "remove"]),
        ("<b>odd</b>", &["start", "stop", "restart", "kill", "remove"]),
    ];
    let list: Vec<Value> = states
        .iter()
        .enumerate()
        .map(|(at, (state, _))| {
            json!({"Id": format!("{at:064x}"), "Names": [format!("/state-{at}")], "Image": null, "State": state,
            "Status": "?", "Ports": null, "Labels": null, "Mounts": null, "HostConfig": null, "NetworkSettings": null})
        })
        .collect();
    proxy.answer("/containers/json", 200, json!(list).to_string());
    let console = Console::start(proxy.socket()).ready().await;
    let page = console.get("/containers").await.expect(200);
    for (at, (state, verbs)) in states.iter().enumerate() {
        let row = format!("[id='container-{at:064x}']");
        assert_eq!(page.attribute(&row, "data-state").as_deref(), Some(*state));
        assert!(page.text(&row).contains(state), "{}", page.text(&row));
        let offered =
            |attribute| page.attributes(&format!("{row} .acts [{attribute}], {row} .menu [{attribute}]"), attribute);
        let offered = [offered("formaction"), offered("href")].concat();
        let offered: BTreeSet<&str> = offered
            .iter()
            .filter_map(|path| path.strip_prefix("/containers/")?.split_once('/'))
            .map(|(_, verb)| verb.split('?').next().unwrap_or_default())
            .collect();
        assert_eq!(offered, verbs.iter().copied().collect(), "{state}");
    }
    for path in [
        "/",
        "/containers?show=attention",
        "/containers?show=running",
        "/containers?show=stopped",
        "/containers?state=levitating",
    ] {
        console.get(path).await.expect(200);
    }
    console.stream("/containers/stream").await.until("all", |data| data.contains("levitating")).await;
}

#[tokio::test]
async fn s084_two_people_at_one_container_end_in_one_truth() {
    let engine = RealEngine::docker28();
    let consoles = [Console::on(&engine).await, Console::on(&engine).await];
    let web = engine.run("shared", "--network none busybox sleep 1000").await;
    for console in &consoles {
        console.sees(&web.id).await;
    }
    let pairs = [("stop", "start"), ("stop", "stop"), ("start", "start"), ("kill", "stop"), ("start", "restart")];
    for (first, second) in pairs.into_iter().cycle().take(20) {
        let does =
            |console: &Console, verb: &str| console.ask("POST", &web.path(verb)).form(&[("timeout", "0")]).send();
        let (one, two) = tokio::join!(does(&consoles[0], first), does(&consoles[1], second));
        for (verb, answer) in [(first, one), (second, two)] {
            assert!(answer.status < 500, "{first} and {second}: {verb} is {}\n{}", answer.status, answer.text("main"));
        }
    }
    let begun = Instant::now();
    let agree = async || {
        let truth = engine.state(&web.id).await;
        for console in &consoles {
            let page = console.get(&format!("/containers?q={}", web.id)).await;
            if page.attribute(&web.row(), "data-state").as_deref() != Some(&truth) {
                return None;
            }
        }
        Some(truth)
    };
    println!("both pages agree: {}, {:?}", until("both pages agree", agree).await, begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let path = web.path("remove");
    let removes =
        consoles.iter().flat_map(|console| [console, console]).map(|console| console.post(&path, &[("force", "1")]));
    for answer in join_all(removes).await {
        assert!(matches!(answer.status, 303 | 404), "{}\n{}", answer.status, answer.body);
    }
    for console in &consoles {
        console.misses(&web.id).await;
    }
    assert!(!engine.exists(&web.id).await);
}

#[tokio::test]
async fn s086_ends_well_and_soon_with_fifty_open_pages() {
    let engine = RealEngine::docker28();
    let mut console = Console::on(&engine).await;
    let mut streams = Vec::new();
    for path in
        ["/containers/stream", "/volumes/stream", "/stream", "/events/stream", "/containers/stream?show=running"]
            .repeat(10)
    {
        let mut stream = console.ask("GET", path).open().await.unwrap_or_else(|status| panic!("{path}: {status}"));
        stream.next().await.expect("a message");
        streams.push(stream);
    }
    let begun = Instant::now();
    assert!(console.terminate().await, "it ends with 0");
    println!("ended {:?} after SIGTERM with 50 streams", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    for mut stream in streams {
        while stream.next().await.is_some() {}
    }
}

#[tokio::test]
async fn s087_an_open_page_hears_that_it_lives_and_when_the_engine_does_not() {
    let engine = RealEngine::docker28();
    let proxy = FaultProxy::before(&engine.socket);
    let console = Console::start(proxy.socket()).ready().await;
    console.expect_log("no engine");
    for path in ["/containers/stream", "/volumes/stream"] {
        let mut stream = console.stream(path).await;
        stream.next().await.expect("the page");
        let (begun, mut last, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
        let mut pulses = 0;
        while begun.elapsed() < Duration::from_secs(if pulses < 2 { 9 } else { 0 }) {
            let message =
                timeout(Duration::from_secs(6), stream.next()).await.expect("within 6 s").expect("it goes on");
            longest = longest.max(last.elapsed());
            last = Instant::now();
            if message.event == "pulse" {
                assert_eq!(message.data.trim(), "live");
                pulses += 1;
            }
        }
        println!("{path}: {pulses} pulses, the longest silence {longest:?}");
        assert!(pulses >= 1 && longest < Duration::from_secs(5), "{longest:?}");
        proxy.refuse();
        stream.until("the banner", |data| data.contains("role=\"alert\"")).await;
        stream.until("a pulse that says so", |data| data.trim() == "down").await;
        proxy.open();
        stream.until("a pulse that says so", |data| data.trim() == "live").await;
    }
}

#[tokio::test]
async fn s058_stalled_viewers_do_not_slow_the_engine() {
    const BATCH: usize = 100;
    let engine = OwnEngine::start().await;
    // How long one takes, on average, in the best of some batches: whatever else this machine does is not the console's.
    let create = async |from: usize, batches: usize| {
        let mut best = Duration::MAX;
        for batch in 0..batches {
            let begun = Instant::now();
            for at in 0..BATCH {
                let body = json!({"Name": format!("storm-{}", from + batch * BATCH + at)});
                let (status, answer) = ask_engine(&engine.socket(), "POST", "/v1.41/volumes/create", Some(body)).await;
                assert_eq!(status, 201, "{answer}");
            }
            best = best.min(begun.elapsed() / 100);
        }
        best
    };
    create(0, 1).await;
    let before = create(100, 3).await;
    let console = Console::start(&engine.socket()).ready().await;
    // They never read.
    let mut stalled = Vec::new();
    for path in
        ["/volumes/stream", "/containers/stream", "/stream", "/events/stream", "/volumes/stream?q=storm"].repeat(10)
    {
        stalled.push(console.ask("GET", path).open().await.unwrap_or_else(|status| panic!("{path}: {status}")));
    }
    let during = create(400, 10).await;
    let begun = Instant::now();
    until("the page has all volumes", async || {
        let count = console.get("/volumes").await.expect(200).text("#count-volumes");
        (count.replace(',', "") == "1400").then_some(())
    })
    .await;
    let caught_up = begun.elapsed();
    drop(stalled);
    let memory = console.memory();
    drop(console);
    let after = create(1_400, 3).await;
    println!(
        "a volume is made in {before:?} without, {during:?} with 50 stalled viewers, {after:?} without; \
         the page knows all {caught_up:?} later; {memory} KiB"
    );
    assert!(
        during < before.max(after) * 2 + Duration::from_millis(1),
        "{during:?} with, {before:?} and {after:?} without"
    );
    assert!(caught_up < HEALS, "{caught_up:?}");
}

//! A proxy between the console and a real engine, at which every fault is made: dead, frozen, slow, half an answer,
//! lost events, answers of our own. It also sees what the console asks, and how often.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::Runtime,
    sync::watch,
    task::JoinHandle,
};

/// What the proxy does wrong.
#[derive(Clone, Default)]
pub struct Faults {
    /// Takes connections and requests, and lets no byte of an answer through: a stopped daemon.
    pub frozen: bool,
    /// The same, for requests whose path begins like this: `/events`.
    pub held: Option<&'static str>,
    /// Closes the connections of requests whose path begins like this.
    pub closed: Option<&'static str>,
    /// Requests whose path begins otherwise are spared the faults that follow.
    pub only: Option<&'static str>,
    /// How long each answer takes to begin.
    pub delay: Duration,
    /// Closes the connection after so many bytes of the answer, head included.
    pub cut_after: Option<usize>,
    /// Lets the head and so many bytes of the body through, then is silent.
    pub stall_after: Option<usize>,
    /// Paths, without version and query, that we answer ourselves: status and JSON.
    pub canned: HashMap<String, (u16, String)>,
    /// Has the engine close each connection after its answer: for a client that asks for more than one thing on one, as
    /// the docker command does, of which only the first would be seen.
    pub one_each: bool,
    /// Takes the version off each path before the engine sees it: for an engine that is said to be another.
    pub any_version: bool,
}

/// Whether a path begins like this, where `*` is any one part of it: `/containers/*/start`.
fn begins_like(path: &str, pattern: &str) -> bool {
    let mut rest = path;
    pattern.split('*').enumerate().all(|(place, part)| {
        if place > 0 {
            rest = rest.trim_start_matches(|letter| !matches!(letter, '/' | '?'));
        }
        rest.strip_prefix(part).map(|after| rest = after).is_some()
    })
}

impl Faults {
    fn holds(&self, path: &str) -> bool {
        self.frozen || self.held.is_some_and(|held| begins_like(path, held))
    }

    fn closes(&self, path: &str) -> bool {
        self.closed.is_some_and(|closed| begins_like(path, closed))
    }

    fn spares(&self, path: &str) -> bool {
        self.only.is_some_and(|only| !begins_like(path, only))
    }
}

struct Shared {
    engine: PathBuf,
    faults: watch::Sender<Faults>,
    /// Counts up to close what is open.
    cuts: watch::Sender<u64>,
    seen: Mutex<Vec<(String, String)>>,
    /// What was sent with each of them, in the same order.
    bodies: Mutex<Vec<Vec<u8>>>,
    /// And the headers before it.
    heads: Mutex<Vec<String>>,
    open: AtomicUsize,
    most: AtomicUsize,
}

/// The proxy. It has a runtime of its own, so that tests need none.
pub struct FaultProxy {
    shared: Arc<Shared>,
    socket: PathBuf,
    listener: Mutex<Option<JoinHandle<()>>>,
    runtime: Option<Runtime>,
    _folder: TempDir,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultProxy {
    /// Before the engine of this socket, without faults.
    pub fn before(engine: impl AsRef<Path>) -> Self {
        let proxy = Self::shut(engine);
        proxy.open();
        proxy
    }

    /// Before the engine of this socket, not listening yet: there is not even a file.
    pub fn shut(engine: impl AsRef<Path>) -> Self {
        let folder = tempfile::Builder::new().prefix("wh-proxy-").tempdir().expect("the proxy works");
        // Consoles of other users are to reach it, too.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the proxy works");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("the proxy works");
        Self {
            shared: Arc::new(Shared {
                engine: engine.as_ref().to_owned(),
                faults: watch::Sender::default(),
                cuts: watch::Sender::default(),
                seen: Mutex::default(),
                bodies: Mutex::default(),
                heads: Mutex::default(),
                open: AtomicUsize::new(0),
                most: AtomicUsize::new(0),
            }),
            socket: folder.path().join("engine.sock"),
            listener: Mutex::default(),
            runtime: Some(runtime),
            _folder: folder,
        }
    }

    /// The socket for the console.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The console's `--engine`.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Listens, if it does not.
    pub fn open(&self) {
        let mut listener = lock(&self.listener);
        if listener.is_some() {
            return;
        }
        let _ = fs::remove_file(&self.socket);
        let runtime = self.runtime.as_ref().expect("the proxy works");
        let _inside = runtime.enter();
        let bound = UnixListener::bind(&self.socket).expect("the proxy works");
        fs::set_permissions(&self.socket, fs::Permissions::from_mode(0o666)).expect("the proxy works");
        *listener = Some(runtime.spawn(listen(bound, self.shared.clone())));
    }

    /// Refuses connections and closes the open ones; the socket's file stays: an engine that was killed.
    pub fn refuse(&self) {
        if let Some(listener) = lock(&self.listener).take() {
            listener.abort();
            self.wait_until("the listener is closed", || listener.is_finished());
        }
        self.cut();
    }

    /// The same, and the file goes, too.
    pub fn remove(&self) {
        self.refuse();
        let _ = fs::remove_file(&self.socket);
    }

    /// Closes all open connections, and goes on listening.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Changes what it does wrong, from now on and for open connections.
    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        self.shared.faults.send_modify(change);
    }

    /// Nothing is wrong any more.
    pub fn heal(&self) {
        self.shared.faults.send_replace(Faults::default());
    }

    /// Answers this path (without version and query) with this JSON from now on.
    pub fn answer(&self, path: &str, status: u16, json: impl Into<String>) {
        let json = json.into();
        self.faults(|faults| {
            faults.canned.insert(path.to_owned(), (status, json));
        });
    }

    /// Every request so far, as method and whole path.
    pub fn seen(&self) -> Vec<(String, String)> {
        lock(&self.shared.seen).clone()
    }

    /// Every request so far that may have changed something, as method and path without its version.
    pub fn writes(&self) -> Vec<String> {
        let seen = self.seen().into_iter().filter(|(method, _)| !matches!(method.as_str(), "GET" | "HEAD"));
        seen.map(|(method, path)| format!("{method} {}", without_version(&path))).collect()
    }

    /// What was sent so far to paths that, without version, begin like this.
    pub fn sent(&self, path: &str) -> Vec<String> {
        let (seen, bodies) = (lock(&self.shared.seen), lock(&self.shared.bodies));
        let sent = seen.iter().zip(bodies.iter()).filter(|((_, seen), _)| without_version(seen).starts_with(path));
        sent.map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect()
    }

    /// The headers of what was asked so far of paths that, without version, begin like this.
    pub fn heads(&self, path: &str) -> Vec<String> {
        let (seen, heads) = (lock(&self.shared.seen), lock(&self.shared.heads));
        let asked = seen.iter().zip(heads.iter()).filter(|((_, seen), _)| without_version(seen).starts_with(path));
        asked.map(|(_, head)| head.to_ascii_lowercase()).collect()
    }

    /// How many requests there were so far whose path, without version, begins like this.
    pub fn count(&self, path: &str) -> usize {
        lock(&self.shared.seen).iter().filter(|(_, seen)| without_version(seen).starts_with(path)).count()
    }

    /// How many connections are open now.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many were open at once, at most, since the last time this was asked.
    pub fn most_connections(&self) -> usize {
        self.shared.most.swap(self.connections(), Ordering::SeqCst)
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let until = std::time::Instant::now() + Duration::from_secs(5);
        while !done() {
            assert!(std::time::Instant::now() < until, "not within 5 s: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Asks an engine itself, past the console and past every proxy: the truth, and quicker than a docker command.
pub async fn ask_engine(engine: &Path, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let ask = async {
        let stream = UnixStream::connect(engine).await.expect("the engine listens");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("the engine speaks");
        tokio::spawn(connection);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder().method(method).uri(path).header("host", "engine");
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)));
        let response = sender.send_request(request.expect("a request")).await.expect("the engine answers");
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.expect("a whole answer").to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    };
    let limit = Duration::from_mins(1);
    tokio::time::timeout(limit, ask).await.unwrap_or_else(|_| panic!("{method} {path} takes too long"))
}

async fn listen(listener: UnixListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
            shared.most.fetch_max(open, Ordering::SeqCst);
            let mut cuts = shared.cuts.subscribe();
            tokio::select! {
                _ = serve(client, &shared) => {}
                _ = cuts.changed() => {}
            }
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// `/v1.51/containers/json?all=1` without its version.
pub fn without_version(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/v") else { return path };
    match rest.find('/') {
        Some(end) if rest[..end].bytes().all(|b| b.is_ascii_digit() || b == b'.') => &rest[end..],
        _ => path,
    }
}

/// One connection, which is one request: the console opens one for each.
async fn serve(mut client: UnixStream, shared: &Shared) -> io::Result<()> {
    let mut head = Vec::new();
    let end = loop {
        if let Some(at) = find(&head, b"\r\n\r\n") {
            break at;
        }
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&head[..end]).into_owned();
    let mut words = text.split(' ');
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let place = {
        let (mut seen, mut bodies) = (lock(&shared.seen), lock(&shared.bodies));
        seen.push((method.clone(), path.clone()));
        bodies.push(head[end + 4..].to_vec());
        lock(&shared.heads).push(text.clone());
        bodies.len() - 1
    };
    let bare = without_version(&path);
    let plain = bare.split('?').next().unwrap_or_default().to_owned();
    let faults = shared.faults.borrow().clone();
    if faults.closes(bare) {
        return Ok(());
    }
    let (mut from_client, to_client) = client.into_split();
    let mut gate =
        Gate { faults: shared.faults.subscribe(), to: to_client, path: bare.to_owned(), sent: 0, body: None };
    if let Some((status, json)) = faults.canned.get(&plain) {
        let answer = format!(
            "HTTP/1.1 {status} Canned\r\nContent-Type: application/json\r\nApi-Version: 1.51\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{json}",
            json.len()
        );
        tokio::select! {
            sent = gate.send(answer.as_bytes()) => sent?,
            () = gone(&mut from_client) => {}
        }
        return Ok(());
    }
    let mut engine = UnixStream::connect(&shared.engine).await?;
    if faults.any_version {
        let rest = head.split_off(method.len() + 1 + path.len());
        head = format!("{method} {bare}").into_bytes();
        head.extend(rest);
    }
    if faults.one_each && !text.to_ascii_lowercase().contains("\r\nconnection:") {
        let line = find(&head, b"\r\n").map_or(0, |at| at + 2);
        let rest = head.split_off(line);
        head.extend(b"Connection: close\r\n");
        head.extend(rest);
    }
    engine.write_all(&head).await?;
    let (mut from_engine, mut to_engine) = engine.into_split();
    let answers = async {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = from_engine.read(&mut buffer).await?;
            if read == 0 {
                return Ok::<(), io::Error>(());
            }
            gate.send(&buffer[..read]).await?;
        }
    };
    let requests = async {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match from_client.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(read) => {
                    lock(&shared.bodies)[place].extend_from_slice(&buffer[..read]);
                    if to_engine.write_all(&buffer[..read]).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    // The console never half-closes: its end is the end of the request, as it is for a real engine.
    let mut now = shared.faults.subscribe();
    tokio::select! {
        ended = answers => ended,
        () = requests => Ok(()),
        _ = now.wait_for(|faults| faults.closes(bare)) => Ok(()),
    }
}

async fn gone(client: &mut OwnedReadHalf) {
    let mut rest = [0; 1024];
    while client.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The way back to the console: here the faults are.
struct Gate {
    faults: watch::Receiver<Faults>,
    to: OwnedWriteHalf,
    path: String,
    sent: usize,
    /// Where the body of the answer begins, once its head has been sent.
    body: Option<usize>,
}

impl Gate {
    async fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let delay = {
            let faults = self.faults.borrow();
            if self.sent > 0 || faults.spares(&self.path) { Duration::ZERO } else { faults.delay }
        };
        tokio::time::sleep(delay).await;
        let (cut_after, stall_after) = match self.faults.wait_for(|faults| !faults.holds(&self.path)).await {
            Ok(faults) if faults.spares(&self.path) => (None, None),
            Ok(faults) => (faults.cut_after, faults.stall_after),
            Err(_) => return Err(io::ErrorKind::ConnectionReset.into()),
        };
        if self.body.is_none() {
            self.body = find(bytes, b"\r\n\r\n").map(|at| self.sent + at + 4);
        }
        let stall = stall_after.zip(self.body).map(|(after, body)| after + body);
        if let Some(most) = cut_after.or(stall) {
            bytes = &bytes[..bytes.len().min(most.saturating_sub(self.sent))];
        }
        self.to.write_all(bytes).await?;
        self.sent += bytes.len();
        match (cut_after, stall) {
            (Some(most), _) if self.sent >= most => Err(io::ErrorKind::ConnectionReset.into()),
            (None, Some(most)) if self.sent >= most => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

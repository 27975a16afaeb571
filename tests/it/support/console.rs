//! The console as its user has it: the real binary, in a process of its own, spoken to over HTTP.

use std::{
    io::{BufRead, BufReader, Read},
    net::IpAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use scraper::{Html, Selector};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpSocket,
    time::timeout,
};
use url::form_urlencoded::Serializer;

use super::{
    engine::RealEngine,
    tls,
    words::{PATIENCE, until},
};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_mins(1);

/// A running console. It ends with the test, and fails it if its log holds a panic, an error or a warning that the
/// test did not say to expect.
pub struct Console {
    child: Child,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    log: Arc<Mutex<String>>,
    expected: Mutex<Vec<String>>,
    is_tls: bool,
    /// How it was started; none when it is to be started so again.
    start: Option<Start>,
}

/// How to start a console.
pub struct Start {
    command: Command,
    data: tempfile::TempDir,
}

impl Start {
    /// With this flag or word.
    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    /// With this variable in its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Where it keeps its data.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// With its data in this folder, which the test looks after.
    pub fn data_in(self, folder: &Path) -> Self {
        let settings = self.command.get_args().map(std::ffi::OsStr::to_owned).collect::<Vec<_>>();
        let at = settings.iter().position(|word| word == "--data").expect("it has one") + 1;
        let mut command = Console::command();
        command
            .args(settings.iter().enumerate().map(|(place, word)| if place == at { folder.as_os_str() } else { word }));
        Self { command, ..self }
    }

    /// Starts it and waits until it listens.
    pub async fn listening(mut self) -> Console {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stdout = follow(child.stdout.take().expect("it has an output"), log.clone());
        let _ = follow(child.stderr.take().expect("it has a log"), log.clone());
        let first = tokio::task::spawn_blocking(move || stdout.recv_timeout(PATIENCE)).await.expect("a thread");
        let address = first.unwrap_or_default();
        let address = address.strip_prefix("Wheelhouse listens on ").unwrap_or_default();
        let port = address.trim_end_matches('/').rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let is_tls = address.starts_with("https://");
        let console =
            Console { child, port: port.unwrap_or(0), log, expected: Mutex::default(), is_tls, start: Some(self) };
        assert!(console.port > 0, "it did not say where it listens:\n{}", console.log());
        console
    }

    /// Starts it and waits until it has seen the engine.
    pub async fn ready(self) -> Console {
        let console = self.listening().await;
        until("the console has seen the engine", async || (console.get("/readyz").await.status == 200).then_some(()))
            .await;
        console
    }
}

/// Keeps what a process writes; hands out its first line.
fn follow(output: impl Read + Send + 'static, log: Arc<Mutex<String>>) -> mpsc::Receiver<String> {
    let (first, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            let mut log = log.lock().expect("nobody panics with the log");
            log.push_str(&line);
            log.push('\n');
            let _ = first.send(line);
        }
    });
    receiver
}

impl Console {
    /// The binary under test.
    pub const BINARY: &str = env!("CARGO_BIN_EXE_wheelhouse");

    /// On this engine, ready.
    pub async fn on(engine: &RealEngine) -> Self {
        Self::start(&engine.socket).ready().await
    }

    /// On this socket, whatever is behind it; with more settings, if the test has some.
    pub fn start(socket: &Path) -> Start {
        Self::with_people(socket).arg("--accounts=off")
    }

    /// The same, where people sign in.
    pub fn with_people(socket: &Path) -> Start {
        let data = tempfile::tempdir().expect("a folder");
        let mut command = Self::command();
        command.args(["--listen", "127.0.0.1:0", "--engine", &format!("unix://{}", socket.display())]);
        command.arg("--data").arg(data.path());
        // Tests count what the engine is asked: what is read by itself once a minute has tests of its own.
        command.env("WHEELHOUSE_STATS_HISTORY", "false");
        Start { command, data }
    }

    /// With no setting at all but what the test then says.
    pub fn bare() -> Start {
        let data = tempfile::tempdir().expect("a folder");
        let mut command = Self::command();
        command.current_dir(data.path());
        Start { command, data }
    }

    /// The binary, with nothing of this machine's settings.
    pub fn command() -> Command {
        let mut command = Command::new(Self::BINARY);
        let settings = std::env::vars().map(|(name, _)| name);
        for name in settings.filter(|name| name.starts_with("WHEELHOUSE_") || name.starts_with("DOCKER_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Everything that it has written.
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics with the log").clone()
    }

    /// Says that warnings and errors with these words are part of the story; "" takes all of them.
    pub fn expect_log(&self, words: &str) {
        self.expected.lock().expect("nobody panics with it").push(words.to_owned());
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it runs");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Sockets and files that it holds.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).map_or(0, Iterator::count)
    }

    /// Ends it as an init system does and says whether it ended well.
    pub async fn terminate(&mut self) -> bool {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it can be told");
        let child = Mutex::new(&mut self.child);
        let status = until("the console ends", async || child.lock().ok()?.try_wait().ok()?).await;
        status.success()
    }

    /// Ends it. What it kept is there when it is started again.
    pub async fn end(mut self) -> Start {
        self.terminate().await;
        self.start.take().expect("it was started")
    }

    /// Where it keeps what is its own.
    pub fn data(&self) -> &Path {
        self.start.as_ref().expect("it was started").data.path()
    }

    /// Where it is, as browsers say it in `Origin`.
    pub fn origin(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.is_tls { "https" } else { "http" }, self.port)
    }

    /// `GET` as a browser's address line does.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send().await
    }

    /// `POST` as a plain form does.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask("POST", path).form(fields).send().await
    }

    /// A request to be made.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        Ask { is_tls: self.is_tls, ..Ask::to(self.port, method, path) }
    }

    /// A live connection.
    pub async fn stream(&self, path: &str) -> Stream {
        self.ask("GET", path).open().await.expect("a stream")
    }

    /// The page of the job that did what was asked, when it has ended: the answer leads there, or links it.
    pub async fn job_of(&self, answer: &Answer) -> Answer {
        let linked = answer.attribute("main a[href^='/jobs/']", "href");
        let path = linked.unwrap_or_else(|| answer.header("location").to_owned());
        assert!(path.starts_with("/jobs/"), "no job in:\n{}", answer.said());
        until("the job ends", async || {
            let page = self.get(&path).await.expect(200);
            page.has("[data-job=ended]").then_some(page)
        })
        .await
    }

    /// Waits until its list has this container.
    pub async fn sees(&self, id: &str) {
        self.sees_that(id, |_| true).await;
    }

    /// Waits until its list has this container in this state.
    pub async fn sees_state(&self, id: &str, state: &str) {
        self.sees_that(id, |is| is == state).await;
    }

    async fn sees_that(&self, id: &str, is: impl Fn(&str) -> bool) {
        let row = format!("[id='container-{id}']");
        until("the console's list shows it", async || {
            let page = self.get(&format!("/containers?q={id}")).await;
            page.attribute(&row, "data-state").filter(|state| is(state))
        })
        .await;
    }

    /// Waits until its list does not have this container any more.
    pub async fn misses(&self, id: &str) {
        let row = format!("[id='container-{id}']");
        until("the console's list forgets it", async || {
            (!self.get(&format!("/containers?q={id}")).await.has(&row)).then_some(())
        })
        .await;
    }

    /// Waits until its list has the network of this id.
    pub async fn sees_network(&self, id: &str) {
        until("the console's list shows the network", async || {
            self.get(&format!("/networks?q={id}")).await.has(&format!("[id='network-{id}']")).then_some(())
        })
        .await;
    }

    /// Waits until its list has this volume.
    pub async fn sees_volume(&self, name: &str) {
        until("the console's list shows the volume", async || {
            self.get(&format!("/volumes?q={name}")).await.has(&format!("[data-name='{name}']")).then_some(())
        })
        .await;
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the console's log:\n{}", self.log());
            return;
        }
        let expected = self.expected.lock().expect("nobody panics with it").clone();
        let log = self.log();
        let bad = log.lines().find(|line| {
            let head: String = line.chars().take(80).collect();
            let complains = head.contains("WARN") || head.contains("ERROR");
            // Tests at the same time keep an engine busy: that is not the console's fault.
            let busy = line.contains("the engine does not answer");
            line.contains("panicked at") || complains && !busy && !expected.iter().any(|words| line.contains(words))
        });
        assert!(bad.is_none(), "the console logged what no test expects:\n{log}");
    }
}

/// A request to be made.
#[derive(Clone)]
pub struct Ask {
    port: u16,
    is_tls: bool,
    from: IpAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Ask {
    /// To whatever listens at this port.
    pub fn to(port: u16, method: &str, path: &str) -> Self {
        let headers = vec![("host".to_owned(), format!("127.0.0.1:{port}"))];
        Self {
            port,
            is_tls: false,
            from: IpAddr::from([127, 0, 0, 1]),
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: Bytes::new(),
        }
    }

    /// With this header, in place of one of the same name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(old, _)| old != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As htmx asks.
    pub fn htmx(self) -> Self {
        self.header("hx-request", "true")
    }

    /// With these fields, as a form sends them.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let text = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(text)
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// By another port, where a proxy listens.
    pub fn through(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Over TLS, with whatever certificate.
    pub fn over_tls(mut self) -> Self {
        self.is_tls = true;
        self
    }

    /// Over plain HTTP, whatever the console speaks.
    pub fn plain(mut self) -> Self {
        self.is_tls = false;
        self
    }

    /// From this address of this machine.
    pub fn from(mut self, address: [u8; 4]) -> Self {
        self.from = address.into();
        self
    }

    async fn response(self) -> Result<hyper::Response<Incoming>, String> {
        let words = format!("{} {}", self.method, self.path);
        let ask = async {
            let socket = TcpSocket::new_v4().map_err(|why| why.to_string())?;
            socket.bind((self.from, 0).into()).map_err(|why| why.to_string())?;
            let stream = socket.connect(([127, 0, 0, 1], self.port).into()).await.map_err(|why| why.to_string())?;
            let mut sender = if self.is_tls {
                talk(tls::connect(stream, &["http/1.1"]).await.map_err(|why| why.to_string())?).await?
            } else {
                talk(stream).await?
            };
            let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            let request = request.body(Full::new(self.body)).map_err(|why| why.to_string())?;
            sender.send_request(request).await.map_err(|why| why.to_string())
        };
        timeout(ANSWER, ask).await.unwrap_or_else(|_| panic!("no answer to {words}"))
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answer {
        let words = format!("{} {}", self.method, self.path);
        let response = self.response().await.unwrap_or_else(|why| panic!("{words}: {why}"));
        let (parts, body) = response.into_parts();
        let body = timeout(ANSWER, body.collect()).await.unwrap_or_else(|_| panic!("the answer to {words} never ends"));
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Answer {
            words,
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Sends it and reads the answer as it comes; the status where it is not a stream of events.
    pub async fn open(self) -> Result<Stream, u16> {
        let response = self.response().await.expect("an answer");
        let status = response.status().as_u16();
        let is_stream = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
        if status != 200 || !is_stream {
            return Err(status);
        }
        let headers = response.headers().clone();
        Ok(Stream { headers, body: response.into_body(), read: BytesMut::new() })
    }
}

async fn talk<I>(io: I) -> Result<http1::SendRequest<Full<Bytes>>, String>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(|why| why.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}

/// What came back.
pub struct Answer {
    words: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// All of the body.
    pub body: String,
}

impl Answer {
    /// Fails, with the page, unless this is the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}:\n{}", self.words, self.said());
        self
    }

    /// What a person reads of it.
    pub fn said(&self) -> String {
        let main = self.texts("main").join("\n");
        if main.is_empty() { self.body.chars().take(3_000).collect() } else { main }
    }

    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where a 303 leads; fails for anything else.
    #[track_caller]
    pub fn leads_to(&self) -> String {
        assert_eq!(self.status, 303, "{}:\n{}", self.words, self.said());
        self.header("location").to_owned()
    }

    /// The page.
    pub fn html(&self) -> Html {
        Html::parse_document(&self.body)
    }

    /// Whether something on the page is that.
    pub fn has(&self, selector: &str) -> bool {
        self.html().select(&css(selector)).next().is_some()
    }

    /// The texts of all that are that, each with its white space made plain.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.html().select(&css(selector)).map(|element| plain(&element.text().collect::<String>())).collect()
    }

    /// The text of the first that is that.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let texts = self.texts(selector);
        texts.into_iter().next().unwrap_or_else(|| panic!("no {selector} in {}:\n{}", self.words, self.said()))
    }

    /// The text of the first that is that, with its lines as they are.
    #[track_caller]
    pub fn lines_of(&self, selector: &str) -> String {
        let html = self.html();
        let element = html.select(&css(selector)).next();
        element.unwrap_or_else(|| panic!("no {selector} in:\n{}", self.said())).text().collect()
    }

    /// An attribute of the first that is that.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.html().select(&css(selector)).next().and_then(|element| element.attr(name)).map(str::to_owned)
    }

    /// An attribute of all that are that and have it.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        self.html().select(&css(selector)).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
    }

    /// What a browser would send of a form, but for its buttons.
    pub fn sent(&self, form: &str) -> Vec<(String, String)> {
        let html = self.html();
        let form =
            html.select(&css(form)).next().unwrap_or_else(|| panic!("no {form} in {}:\n{}", self.words, self.said()));
        let mut sent = Vec::new();
        for element in form.select(&css("input[name], textarea[name], select[name]")) {
            let attribute = |name: &str| element.attr(name).unwrap_or_default().to_owned();
            let value = match element.value().name() {
                "textarea" => element.text().collect(),
                "select" => {
                    let chosen = element.select(&css("option[selected]")).next();
                    let option = chosen.or_else(|| element.select(&css("option")).next());
                    option.map_or_else(String::new, |option| {
                        option
                            .attr("value")
                            .map_or_else(|| option.text().collect::<String>().trim().to_owned(), str::to_owned)
                    })
                }
                _ if matches!(element.attr("type"), Some("checkbox" | "radio")) => {
                    if element.attr("checked").is_none() {
                        continue;
                    }
                    element.attr("value").unwrap_or("on").to_owned()
                }
                _ => attribute("value"),
            };
            sent.push((attribute("name"), value));
        }
        sent
    }

    /// The docker commands that it shows.
    pub fn commands(&self) -> Vec<String> {
        self.texts("[data-command]")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{}: {why}:\n{}", self.words, self.body))
    }
}

/// A selector of CSS.
pub fn css(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|why| panic!("{selector}: {why}"))
}

/// A text with each run of white space made one space.
pub fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A live connection.
pub struct Stream {
    /// The headers that it began with.
    pub headers: HeaderMap,
    body: Incoming,
    read: BytesMut,
}

/// A message of a live connection.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// What it is about: `pulse`, or empty for parts of the page.
    pub event: String,
    /// The state of the page that it leads to.
    pub id: String,
    /// Its text.
    pub data: String,
}

impl Stream {
    /// The next message, pulses included; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let text = self.read.split_to(end + 2);
                return Some(Message::parse(&String::from_utf8_lossy(&text)));
            }
            let frame = timeout(ANSWER, self.body.frame()).await.expect("a stream says that it lives")?;
            match frame.ok()?.into_data() {
                Ok(data) => self.read.extend_from_slice(&data),
                Err(_) => return None,
            }
        }
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }

    /// The first message whose text is as wanted.
    pub async fn until(&mut self, what: &str, is: impl Fn(&str) -> bool) -> Message {
        let wait = async {
            while let Some(message) = self.next().await {
                if is(&message.data) {
                    return Some(message);
                }
            }
            None
        };
        let message = timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("the stream never said: {what}"));
        message.unwrap_or_else(|| panic!("the stream ended before it said: {what}"))
    }
}

impl Message {
    fn parse(text: &str) -> Self {
        let mut message = Self::default();
        for line in text.lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("event", event) => event.clone_into(&mut message.event),
                ("id", id) => id.clone_into(&mut message.id),
                ("data", data) => {
                    message.data.push_str(data);
                    message.data.push('\n');
                }
                _ => {}
            }
        }
        message
    }
}

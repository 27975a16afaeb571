//! A terminal of the console, as its page has it: opened by a form, then a WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
        protocol::{WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{Answer, Console, Made, Person, words::PATIENCE};

/// An upgrade that is being asked for.
pub struct Upgrade {
    port: u16,
    path: String,
    headers: Vec<(String, String)>,
}

impl Upgrade {
    /// Of this path, with no header but what an upgrade needs.
    pub fn of(console: &Console, path: &str) -> Self {
        Self { port: console.port, path: path.to_owned(), headers: Vec::new() }
    }

    /// With this header, besides those that are there.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As this person.
    pub fn by(self, person: &Person) -> Self {
        let (name, value) = person.header();
        self.header(name, value)
    }

    /// By another port, where something stands in between.
    pub fn through(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The connection, or the status that it is refused with.
    pub async fn open(self) -> Result<WebSocketStream<TcpStream>, u16> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("it listens");
        stream.set_nodelay(true).expect("set");
        let url = format!("ws://127.0.0.1:{}{}", self.port, self.path);
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in self.headers {
            let value = HeaderValue::from_str(&value).expect("a value");
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            if name == "host" {
                request.headers_mut().insert(name, value);
            } else {
                request.headers_mut().append(name, value);
            }
        }
        // What a page sends may be larger than what the console takes: that is tested.
        let config = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
        match timeout(PATIENCE, client_async_with_config(request, stream, Some(config))).await.expect("an answer") {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{}: {error}", self.path),
        }
    }
}

/// A terminal that is open, and what it has said.
pub struct Terminal {
    socket: WebSocketStream<TcpStream>,
    /// What only its owner knows.
    pub token: String,
    /// What it is called in lists.
    pub number: u64,
    /// The docker command that does the same.
    pub command: String,
    /// What it has said.
    pub said: String,
    /// How many bytes that was, with those that were left out.
    pub at: u64,
    /// How many bytes were left out.
    pub skipped: u64,
    /// How much of the input was taken.
    pub took: u64,
    /// How it ended.
    pub ended: Option<Value>,
    /// The code and reason that the connection was closed with.
    pub closed: Option<(u16, String)>,
    reads: bool,
}

impl Console {
    /// The answer to the form that opens a terminal, as its page sends it.
    pub async fn asks_terminal(&self, person: Option<&Person>, path: &str, fields: &[(&str, &str)]) -> Answer {
        let ask = match person {
            Some(person) => self.by(person, "POST", path),
            None => self.ask("POST", path),
        };
        ask.header("accept", "application/json").form(fields).send().await
    }

    /// A terminal in this container.
    pub async fn terminal(&self, container: &Made, fields: &[(&str, &str)]) -> Terminal {
        self.terminal_of(None, container, "terminal", fields).await
    }

    /// A terminal of this person's: `terminal` or `attach`.
    pub async fn terminal_of(
        &self,
        person: Option<&Person>,
        container: &Made,
        kind: &str,
        fields: &[(&str, &str)],
    ) -> Terminal {
        let opened = self.asks_terminal(person, &container.path(kind), fields).await.expect(201).json();
        let token = opened["token"].as_str().expect("a token").to_owned();
        let socket = self.socket_of(person, container).open().await.expect("a socket");
        let mut terminal = Terminal::on(socket, &token, 0);
        terminal.number = opened["number"].as_u64().expect("a number");
        opened["command"].as_str().expect("a command").clone_into(&mut terminal.command);
        terminal.tell(&json!({ "token": terminal.token, "at": 0, "size": [100, 30] })).await;
        terminal
    }

    /// The live connection of the terminals of this container, as a page of ours asks for it.
    pub fn socket_of(&self, person: Option<&Person>, container: &Made) -> Upgrade {
        let upgrade = Upgrade::of(self, &container.path("terminal/socket")).header("origin", &self.origin());
        match person {
            Some(person) => upgrade.by(person),
            None => upgrade,
        }
    }
}

impl Terminal {
    /// Sends a message of a page's.
    pub async fn tell(&mut self, message: &Value) {
        let _ = self.socket.send(Message::text(message.to_string())).await;
    }

    /// Types this.
    pub async fn types(&mut self, text: &str) {
        self.sends(text.as_bytes().to_vec()).await;
    }

    /// Sends these bytes as one message.
    pub async fn sends(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::binary(bytes)).await;
    }

    /// Does not say any more what it has read, as a page that stands still.
    pub fn stalls(&mut self) {
        self.reads = false;
    }

    /// Reads one message; whether there was one.
    pub async fn reads(&mut self, patience: Duration) -> bool {
        match timeout(patience, self.socket.next()).await {
            Err(_) => false,
            Ok(Some(Ok(Message::Binary(bytes)))) => {
                self.at += bytes.len() as u64;
                self.said.push_str(&String::from_utf8_lossy(&bytes));
                if self.reads {
                    self.tell(&json!({ "at": self.at })).await;
                }
                true
            }
            Ok(Some(Ok(Message::Text(text)))) => {
                let value: Value = serde_json::from_str(&text).expect("JSON");
                if let Some(skipped) = value["skipped"].as_u64() {
                    self.skipped += skipped;
                    self.at = value["at"].as_u64().expect("where it goes on");
                }
                if let Some(took) = value["took"].as_u64() {
                    self.took = took;
                }
                if value["ended"].is_string() {
                    self.ended = Some(value);
                }
                true
            }
            Ok(Some(Ok(Message::Close(frame)))) => {
                let frame = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                self.closed = Some(frame.unwrap_or((u16::from(CloseCode::Status), String::new())));
                true
            }
            Ok(Some(Ok(_))) => true,
            Ok(Some(Err(_)) | None) => {
                self.closed.get_or_insert((1006, String::new()));
                false
            }
        }
    }

    /// Reads until it has said this.
    pub async fn until(&mut self, words: &str) -> &str {
        let wait = async {
            while !self.said.contains(words) && self.closed.is_none() {
                self.reads(PATIENCE).await;
            }
        };
        let _ = timeout(PATIENCE, wait).await;
        assert!(
            self.said.contains(words),
            "it never said “{words}”; {:?} {:?}:\n{}",
            self.ended,
            self.closed,
            self.said
        );
        &self.said
    }

    /// Types a line, and reads until this stands at the beginning of one of its own.
    pub async fn line(&mut self, line: &str, answer: &str) {
        self.said.clear();
        self.types(&format!("{line}\r")).await;
        self.until(&format!("\n{answer}")).await;
    }

    /// Types a line again and again, until this is said.
    pub async fn asks(&mut self, line: &str, answer: &str) {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.said.clear();
            self.types(&format!("{line}\r")).await;
            while self.reads(Duration::from_millis(300)).await {
                if self.said.contains(answer) {
                    return;
                }
            }
            assert!(tokio::time::Instant::now() < end, "{line} never said “{answer}”:\n{}", self.said);
        }
    }

    /// Reads until it has ended and its connection is closed.
    pub async fn ends(&mut self) -> (u16, String) {
        let wait = async {
            while self.closed.is_none() {
                self.reads(PATIENCE).await;
            }
        };
        timeout(PATIENCE * 2, wait).await.expect("it ends");
        self.closed.clone().expect("closed")
    }

    /// Closes it as its page does: for good (1000), or since the page goes (1001).
    pub async fn closes(mut self, code: u16) {
        use tokio_tungstenite::tungstenite::protocol::CloseFrame;
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        let _ = self.socket.close(Some(frame)).await;
        while self.reads(Duration::from_secs(2)).await {}
    }

    /// Somebody comes with this token, by a new line, and has so much of it.
    pub async fn back(token: &str, at: u64, socket: WebSocketStream<TcpStream>) -> Self {
        let mut terminal = Self::on(socket, token, at);
        terminal.tell(&json!({ "token": token, "at": at, "size": [100, 30] })).await;
        terminal
    }

    fn on(socket: WebSocketStream<TcpStream>, token: &str, at: u64) -> Self {
        Self {
            socket,
            token: token.to_owned(),
            number: 0,
            command: String::new(),
            said: String::new(),
            at,
            skipped: 0,
            took: 0,
            ended: None,
            closed: None,
            reads: true,
        }
    }
}

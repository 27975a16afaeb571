//! What goes over the connection between a terminal and the page that shows it: bytes as they are, and around them small
//! messages of JSON. The first is the page's: which terminal, and how much of it the page has.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::{
    engine::ContainerId,
    team::Who,
    web::{
        Shells,
        shell::{End, Ended, Kind, LINGER, RELOAD, Viewer},
        socket::Connected,
    },
};

/// How long the page may take to say which terminal it wants.
const HELLO: Duration = Duration::from_secs(10);
/// How often both say that they are there: more often than any proxy on the way gives up (nginx: 60 s).
const PULSE: Duration = Duration::from_secs(10);
/// After how much silence nobody is there any more.
const SILENCE: Duration = Duration::from_secs(25);
/// The largest message of a page, in bytes.
const MESSAGE: usize = 64 << 10;
/// What is sent at once, in bytes.
const CHUNK: usize = 32 << 10;
/// What may be on its way to a page that has not said that it has read it, in bytes.
const WINDOW: u64 = 256 << 10;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a page says.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Said {
    /// Which terminal it wants.
    token: Option<String>,
    /// How much of it the page has, in bytes; in later messages, how much it has drawn.
    at: Option<u64>,
    /// How large it is: columns, rows.
    size: Option<(u64, u64)>,
    /// That it is there.
    pulse: Option<u8>,
    /// That another page of the console comes next: that one may lead back.
    keep: bool,
}

/// How somebody leaves a terminal.
enum Leaving {
    /// For good.
    Closed,
    /// Perhaps to come back at once, as when a page is loaded anew.
    Away,
    /// The line dropped: when it was last heard of.
    Dropped(Instant),
    /// They were sent away, with this code and why.
    Sent(u16, &'static str),
    /// The terminal has ended.
    Ended(Ended),
}

/// Connects a page with the terminal that it asks for.
pub async fn talk(connected: Connected, shells: Arc<Shells>, who: Who, container: ContainerId) {
    let Connected { socket, lease, .. } = &mut { connected };
    let (mut sink, mut stream) = socket.split();
    let Ok(Some(Ok(Message::Text(hello)))) = timeout(HELLO, stream.next()).await else {
        return goodbye(&mut sink, 1008, "the first message says which terminal").await;
    };
    let Ok(Said { token: Some(token), at, size, .. }) = serde_json::from_str(&hello) else {
        return goodbye(&mut sink, 1008, "the first message says which terminal").await;
    };
    let Some(shell) = shells.find(&token, &who).filter(|shell| shell.container == container) else {
        return goodbye(&mut sink, 4404, "there is no such terminal any more").await;
    };
    let viewer = shell.watch(lease.renewed());
    if let Some((columns, rows)) = size {
        viewer.resize(columns, rows);
    }
    let at = at.unwrap_or_default();
    viewer.reads_from(at);
    let (heard, read) = (watch::Sender::new(Instant::now()), watch::Sender::new(at));
    let leaving = tokio::select! {
        leaving = send(&mut sink, &viewer, at, read.subscribe()) => leaving,
        leaving = receive(&mut stream, &viewer, &heard, &read) => leaving,
        () = viewer.replaced() => Leaving::Sent(4001, "it is looked at from elsewhere"),
    };
    let now = Instant::now();
    match leaving {
        Leaving::Closed => {
            shell.end(End::Closed);
            viewer.leave(now);
            goodbye(&mut sink, 1000, "closed").await;
        }
        Leaving::Away => viewer.leave(now + RELOAD),
        Leaving::Dropped(last) => viewer.leave(last + LINGER),
        Leaving::Sent(code, why) => {
            viewer.leave(now + LINGER);
            goodbye(&mut sink, code, why).await;
        }
        Leaving::Ended(ended) => {
            viewer.leave(now);
            let code = match ended.why {
                End::Forbidden => 4403,
                End::Shutdown => 1012,
                _ => 1000,
            };
            let _ = timeout(GOODBYE, sink.send(text(&told(&ended, shell.kind)))).await;
            goodbye(&mut sink, code, "the terminal has ended").await;
        }
    }
    // What is closed with something unread is cut off, and the page would not hear the end: it has a moment to say goodbye.
    let _ = timeout(GOODBYE, async { while let Some(Ok(_)) = stream.next().await {} }).await;
}

/// Sends what the terminal says, as fast as the page reads it.
async fn send(
    sink: &mut SplitSink<&mut WebSocket, Message>,
    viewer: &Viewer,
    mut at: u64,
    mut read: watch::Receiver<u64>,
) -> Leaving {
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = viewer.ended();
    tokio::pin!(ended);
    // Input is told of in bytes since this connection began.
    let mut takes = viewer.takes();
    let before = *takes.borrow_and_update();
    let mut over = None;
    loop {
        let may_send = at.saturating_sub(*read.borrow_and_update()) < WINDOW;
        let message = tokio::select! {
            biased;
            piece = viewer.next(at, CHUNK), if may_send => {
                if piece.skipped > 0 && sink.send(text(&json!({ "skipped": piece.skipped, "at": piece.end - piece.bytes.len() as u64 }))).await.is_err() {
                    return Leaving::Dropped(Instant::now());
                }
                at = piece.end;
                Message::Binary(piece.bytes.into())
            }
            how = &mut ended, if over.is_none() => {
                over = Some(how);
                continue;
            }
            _ = pulse.tick() => {
                if sink.send(Message::Ping(bytes::Bytes::new())).await.is_err() {
                    return Leaving::Dropped(Instant::now());
                }
                text(&json!({ "pulse": 1 }))
            }
            // What is left is sent first.
            () = std::future::ready(()), if over.is_some() && viewer.is_all(at) => {
                return over.map_or(Leaving::Closed, Leaving::Ended);
            }
            Ok(()) = takes.changed() => {
                let took = *takes.borrow_and_update() - before;
                text(&json!({ "took": took }))
            }
            changed = read.changed(), if !may_send => {
                if changed.is_err() {
                    return Leaving::Dropped(Instant::now());
                }
                continue;
            }
        };
        if sink.send(message).await.is_err() {
            return Leaving::Dropped(Instant::now());
        }
    }
}

/// Takes what the page says.
async fn receive(
    stream: &mut SplitStream<&mut WebSocket>,
    viewer: &Viewer,
    heard: &watch::Sender<Instant>,
    read: &watch::Sender<u64>,
) -> Leaving {
    let mut comes_back = false;
    let takes_input = !matches!(viewer.shell.kind, Kind::Attach { is_read_only: true });
    loop {
        let last = *heard.borrow();
        let Ok(message) = timeout(SILENCE, stream.next()).await else { return Leaving::Dropped(last) };
        heard.send_replace(Instant::now());
        match message {
            Some(Ok(Message::Binary(bytes))) if bytes.len() > MESSAGE => {
                return Leaving::Sent(1009, "a message may have 64 KiB");
            }
            Some(Ok(Message::Binary(bytes))) if takes_input => viewer.tell(bytes).await,
            Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(said))) => {
                let said = if said.len() > MESSAGE { None } else { serde_json::from_str::<Said>(&said).ok() };
                let Some(said) = said else { return Leaving::Sent(1008, "that is no message of a terminal’s page") };
                comes_back |= said.keep;
                if let Some(at) = said.at {
                    viewer.has_read(at);
                    read.send_replace(at);
                }
                if let Some((columns, rows)) = said.size.filter(|_| takes_input) {
                    viewer.resize(columns, rows);
                }
            }
            Some(Ok(Message::Close(Some(CloseFrame { code: 1000, .. })))) => return Leaving::Closed,
            Some(Ok(Message::Close(_))) if comes_back => return Leaving::Dropped(Instant::now()),
            Some(Ok(Message::Close(_))) => return Leaving::Away,
            Some(Err(error)) if error.to_string().to_lowercase().contains("too long") => {
                return Leaving::Sent(1009, "a message may have 64 KiB");
            }
            Some(Err(_)) | None => return Leaving::Dropped(Instant::now()),
        }
    }
}

/// How it ended, in words.
fn told(ended: &Ended, kind: Kind) -> Value {
    let Ended { why, code, left } = ended;
    let program = if kind == Kind::Exec { "It" } else { "The container" };
    let says = match (why, code) {
        (End::Exited, Some(code)) => format!("{program} ended with exit code {code}{}.", meaning(*code)),
        (End::Exited, None) if kind == Kind::Exec => "It ended.".to_owned(),
        (End::Exited, None) => "The connection to the container’s process ended.".to_owned(),
        (why, _) => {
            let words = why.words();
            let mut letters = words.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
                + "."
        }
    };
    json!({ "ended": says, "code": code, "exited": *why == End::Exited, "left": left })
}

/// What an exit code means, where a terminal's command has one that says more than its number.
fn meaning(code: i64) -> &'static str {
    match code {
        0 => ": all went well",
        126 => ": it is there, but cannot be run as a program",
        127 => ": there is no such command",
        129 => ": its terminal was closed (SIGHUP)",
        130 => ": ^C ended it (SIGINT)",
        137 => ": it was killed (SIGKILL), by somebody or for want of memory",
        143 => ": it was asked to end (SIGTERM)",
        _ => "",
    }
}

fn text(value: &Value) -> Message {
    Message::Text(value.to_string().into())
}

async fn goodbye(sink: &mut SplitSink<&mut WebSocket, Message>, code: u16, reason: &'static str) {
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let _ = timeout(GOODBYE, async {
        let _ = sink.send(close).await;
        let _ = sink.close().await;
    })
    .await;
}

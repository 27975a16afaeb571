//! One reading of a container's log, from somewhere to somewhere, or on and on.
//!
//! The engine reads forward only. `tail` seeks backwards in its files, which costs next to nothing; `since` decodes
//! everything from the beginning.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, header::CONTENT_TYPE};

use super::{
    frames::{Broken, Decoder, Long},
    line::Line,
};
use crate::engine::{ContainerId, Engine, Error, Outage, wire};

/// How long the engine may think before the next bytes of a log that is not followed.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest refusal that is read.
const REFUSAL: usize = 64 << 10;
/// A little earlier than asked: podman rounds times.
const EARLIER: i64 = 1_000;

/// What is asked of the engine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ask {
    /// Entries from the end; all of them, where nothing is said.
    pub tail: Option<u64>,
    /// Not before this, in nanoseconds since the epoch.
    pub since: Option<i64>,
    /// Whether what is yet to come is asked for, too.
    pub follow: bool,
    /// What becomes of lines that are too long.
    pub long: Long,
}

impl Ask {
    pub(super) fn tail(entries: u64) -> Self {
        Self { tail: Some(entries), ..Self::default() }
    }

    fn path(self, id: &ContainerId) -> String {
        let tail = self.tail.map(|tail| format!("&tail={tail}")).unwrap_or_default();
        let since = self
            .since
            .map(|since| (since - EARLIER).max(1))
            .map(|since| format!("&since={}.{:09}", since / 1_000_000_000, since % 1_000_000_000));
        let follow = if self.follow { "&follow=1" } else { "" };
        format!("/containers/{id}/logs?stdout=1&stderr=1&timestamps=1{tail}{}{follow}", since.unwrap_or_default())
    }
}

/// A log that is being read. Dropping it ends it, at the engine, too.
pub(super) struct Reading {
    body: Incoming,
    decoder: Decoder,
    follows: bool,
    has_ended: bool,
}

impl Reading {
    /// Whole, whatever the hand reaches: that is looked at before.
    pub(super) async fn open(engine: &Engine, id: &ContainerId, ask: Ask) -> Result<Self, Error> {
        Ok(Self::open_as(engine, id, ask).await?.0)
    }

    /// The same, and whether it is a terminal's.
    pub(super) async fn open_as(engine: &Engine, id: &ContainerId, ask: Ask) -> Result<(Self, bool), Error> {
        engine.reachable()?;
        // Both at once: the log of a container that is just being removed is open before anything is asked of it.
        let path = ask.path(id);
        let containers = engine.containers();
        let (detail, response) = tokio::join!(containers.whole(id), engine.wire.open_within(&path, PAUSE));
        let response = response?;
        let (is_terminal, driver) = match detail {
            Ok(detail) => (detail.tty, detail.log_driver.clone()),
            // It is gone meanwhile, and its log is open: what is told of its kind has to do.
            Err(error) if response.status().is_success() && response.headers().contains_key(CONTENT_TYPE) => {
                tracing::debug!(container = id.short(), error = error.to_string(), "a log is read without more");
                (false, String::new())
            }
            Err(error) => return Err(error),
        };
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // From API 1.42 on; before that, and on podman, a terminal's log is bare text.
        let is_bare = is_terminal && kind != "application/vnd.docker.multiplexed-stream";
        if !status.is_success() {
            let body = Limited::new(response.into_body(), REFUSAL).collect();
            let bytes = wire::deadline("logs", wire::READ, body).await?;
            let bytes = bytes.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let words = wire::message(&bytes);
            return Err(match Error::from_status(status.as_u16(), words) {
                error if !is_unreadable(&error) => error,
                error => Error::Unreadable { driver, words: error.to_string() },
            });
        }
        let reading = Self {
            body: response.into_body(),
            decoder: Decoder::new(is_bare, ask.long),
            follows: ask.follow,
            has_ended: false,
        };
        Ok((reading, is_terminal))
    }

    /// The next lines; none at the end of the log. Lines of what has begun and not ended come with
    /// [`Self::open_lines`].
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Line>>, Error> {
        if self.has_ended {
            return Ok(None);
        }
        let frame = self.body.frame();
        let frame = if self.follows { frame.await } else { wire::deadline("logs", PAUSE, frame).await? };
        let mut lines = Vec::new();
        match frame {
            Some(Ok(frame)) => {
                let chunk: Bytes = frame.into_data().unwrap_or_default();
                self.decoder.push(&chunk, &mut lines).map_err(|broken| match broken {
                    Broken::NoFrames => {
                        Error::Engine { status: 502, message: "unexpected bytes in the log".to_owned() }
                    }
                    Broken::Said(message) => Error::Engine { status: 502, message },
                })?;
            }
            // An engine that dies leaves a body that is not whole; a container that ends does not (S068).
            Some(Err(_)) => return Err(Error::Unreachable(Outage::Broken)),
            None => {
                self.has_ended = true;
                self.decoder.end(&mut lines);
            }
        }
        Ok(Some(lines))
    }

    /// What has begun and not ended.
    pub(super) fn open_lines(&self) -> impl Iterator<Item = Line> {
        self.decoder.open()
    }

    /// How many entries were read.
    pub(super) fn entries(&self) -> u64 {
        self.decoder.entries()
    }
}

/// Whether the engine says that this log driver cannot be read. Source: moby, `daemon/logs.go`, `logger.ErrReadLogsNotSupported`.
fn is_unreadable(error: &Error) -> bool {
    let words = error.to_string();
    matches!(error, Error::Unsupported(_))
        || words.contains("does not support reading")
        || words.contains("logging driver")
}

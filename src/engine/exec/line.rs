//! The connection to a process: what it says, what it is told, and what else can be done about it.

use std::{io, time::Duration};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use super::frames::Frames;
use crate::engine::{ContainerId, Detail, Engine, Error, State, wire::READ};

/// A connection to a process in a container.
pub struct Line {
    /// What it says.
    pub reader: Reader,
    /// What it is told.
    pub writer: Writer,
    /// The process.
    pub remote: Remote,
    /// The size that its terminal was asked to have: columns, rows.
    pub size: Option<(u16, u16)>,
}

/// What a process says.
pub struct Reader {
    stream: ReadHalf<TokioIo<Upgraded>>,
    /// Where it has no terminal, what it says comes in frames.
    frames: Option<Frames>,
}

/// What a process is told.
pub struct Writer(WriteHalf<TokioIo<Upgraded>>);

/// A process in a container.
pub struct Remote {
    pub(super) engine: Engine,
    pub(super) container: ContainerId,
    pub(super) of: Of,
}

/// Which process it is.
pub(super) enum Of {
    /// One that we have run.
    Exec { id: String, mark: String, user: Option<String>, is_root: bool },
    /// The container's own.
    Attach { has_tty: bool },
}

impl Line {
    pub(super) fn new(stream: Upgraded, remote: Remote, has_tty: bool) -> Self {
        let (reader, writer) = tokio::io::split(TokioIo::new(stream));
        let frames = (!has_tty).then(Frames::default);
        Self { reader: Reader { stream: reader, frames }, writer: Writer(writer), remote, size: None }
    }
}

impl Reader {
    /// What it says next, in `buffer` at most; none when it has ended.
    pub async fn next(&mut self, buffer: &mut [u8]) -> Option<Vec<u8>> {
        loop {
            let count = self.stream.read(buffer).await.ok().filter(|count| *count > 0)?;
            let said = buffer.get(..count).unwrap_or_default();
            let said = self.frames.as_mut().map_or_else(|| said.to_vec(), |frames| frames.content(said));
            if !said.is_empty() {
                return Some(said);
            }
        }
    }
}

impl Writer {
    /// Tells it this.
    pub async fn tell(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }
}

impl Remote {
    /// Whether it has a terminal: without, it gets lines, and its own say nothing of carriage returns.
    pub fn has_tty(&self) -> bool {
        !matches!(self.of, Of::Attach { has_tty: false })
    }

    /// Makes its terminal this large: columns, rows. A process that has ended has none, which is no matter.
    pub async fn resize(&self, (columns, rows): (u16, u16)) {
        let path = match &self.of {
            Of::Exec { id, .. } => format!("/exec/{id}/resize?h={rows}&w={columns}"),
            Of::Attach { has_tty: true } => format!("/containers/{}/resize?h={rows}&w={columns}", self.container),
            Of::Attach { has_tty: false } => return,
        };
        if let Err(error) = self.engine.wire.post(&path, &serde_json::json!({}), READ).await {
            tracing::debug!(error = error.to_string(), "a terminal keeps its size");
        }
    }

    /// What it has ended with; none where that cannot be learnt.
    pub async fn exit_code(&self) -> Option<i64> {
        match &self.of {
            Of::Exec { id, .. } => self.engine.exit_code(id).await,
            Of::Attach { .. } => Some(self.after(20).await.ok()??.exit_code),
        }
    }

    /// Whether its container has ended, or is gone: what ends one may be heard of before that is.
    pub async fn is_container_over(&self) -> bool {
        matches!(self.after(10).await, Ok(Some(_)) | Err(Error::NotFound(_)))
    }

    /// The container when it does not run any more; none where it still does after so many tenths of a second.
    async fn after(&self, tenths: u32) -> Result<Option<Detail>, Error> {
        // What was asked a moment ago is not asked again.
        let path = format!("/containers/{}/json", self.container);
        for _ in 0..tenths {
            let detail = Detail::read(self.engine.wire.get(&path).await?)?;
            if detail.state != State::Running {
                return Ok(Some(detail));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(None)
    }
}

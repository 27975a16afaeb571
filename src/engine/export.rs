//! A tar out of the engine, handed on as it comes: all files of a container, or saved images. Whoever does not take it
//! must not hold up the engine.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    ContainerId, Engine, Error, Outage,
    containers::Containers,
    jobs::{Job, Stage, Work},
    wire::{ACT, message},
};

/// How long nobody has to take anything for the export to be given up.
const STALL: Duration = Duration::from_secs(10);
/// How long the engine may send nothing: it walks large folders.
const SILENCE: Duration = Duration::from_mins(1);
/// Pieces that wait for who takes them.
const AHEAD: usize = 4;
/// Exports at once.
const AT_ONCE: usize = 4;
/// How often the job says how far it is.
const SAY: Duration = Duration::from_millis(250);
/// The longest refusal that is read.
const WORDS: usize = 64 << 10;

/// The places for exports.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// A piece of the tar, or its end: what ends without is broken off.
enum Piece {
    Bytes(Bytes),
    End,
}

/// A tar on its way, which is a job, too. Dropped, it is broken off.
pub struct Export {
    /// The job that says how far it is, and that can be cancelled.
    pub job: Job,
    pieces: mpsc::Receiver<Piece>,
}

impl Export {
    /// The next bytes; none at the end.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        match self.pieces.recv().await {
            Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Piece::End) => None,
            // So that nobody takes a half for the whole.
            None => Some(Err(io::Error::other("the export was broken off"))),
        }
    }
}

impl Containers<'_> {
    /// Begins to export all files of a container.
    ///
    /// # Errors
    /// What [`Engine`] says of who may not go into it; [`Error::Conflict`] where too many exports go on.
    pub async fn export(&self, id: &ContainerId, command: String) -> Result<Export, Error> {
        let engine: &Engine = self.0;
        engine.enters(id).await?;
        let name = engine.live.picture().containers.get(id).map_or_else(|| id.short().to_owned(), |c| c.name.clone());
        engine.export(&format!("/containers/{id}/export"), ACT, "export", format!("Export {name}"), command).await
    }
}

impl Engine {
    /// Begins to hand on the tar at this path, which is to begin within `limit`.
    pub(super) async fn export(
        &self,
        path: &str,
        limit: Duration,
        kind: &'static str,
        title: String,
        command: String,
    ) -> Result<Export, Error> {
        let engine = self;
        engine.reachable()?;
        let place = engine.exports.0.clone().try_acquire_owned().map_err(|_| {
            Error::Conflict(format!("{AT_ONCE} exports go on already: wait until one of them has ended"))
        })?;
        let response = engine.wire.open_within(path, limit).await;
        let response = response.map_err(|error| engine.told(error))?;
        let status = response.status();
        if !status.is_success() {
            let words = Limited::new(response.into_body(), WORDS).collect().await;
            let words = words.map(|body| message(&body.to_bytes())).unwrap_or_default();
            return Err(engine.told(Error::from_status(status.as_u16(), words)));
        }
        let (sender, pieces) = mpsc::channel(AHEAD);
        let job = engine
            .jobs()
            .start(kind, title, command, Vec::new(), move |_, job| pump(response.into_body(), sender, job, place));
        Ok(Export { job, pieces })
    }
}

/// Hands on what comes, until it ends or nobody takes it.
async fn pump(mut body: Incoming, sender: mpsc::Sender<Piece>, job: Arc<Work>, _place: OwnedSemaphorePermit) -> Stage {
    let failed = |error| Stage::Failed { error, container: None };
    let (mut bytes, mut said) = (0_u64, Instant::now());
    loop {
        let frame = tokio::select! {
            frame = tokio::time::timeout(SILENCE, body.frame()) => frame,
            () = sender.closed() => return Stage::Cancelled,
        };
        let piece = match frame {
            Err(_) => {
                return failed(Error::TimedOut { what: "the tar".to_owned(), deadline: SILENCE });
            }
            Ok(Some(Err(_))) => return failed(Error::Unreachable(Outage::Broken)),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Piece::Bytes(data),
                Err(_) => continue,
            },
            Ok(None) => Piece::End,
        };
        let is_end = matches!(piece, Piece::End);
        if let Piece::Bytes(data) = &piece {
            bytes += data.len() as u64;
        }
        match tokio::time::timeout(STALL, sender.send(piece)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Stage::Cancelled,
            Err(_) => {
                job.moved(bytes);
                let why = format!("nobody took anything of it for {} s", STALL.as_secs());
                return failed(Error::Conflict(why));
            }
        }
        if is_end || said.elapsed() > SAY {
            said = Instant::now();
            job.moved(bytes);
        }
        if is_end {
            return Stage::Done { container: None };
        }
    }
}

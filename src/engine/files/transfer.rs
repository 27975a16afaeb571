//! Downloads: what the engine sends goes on to a client who may be slow, may stop, may go. Whoever stops takes nothing
//! from others: after ten seconds the engine's side is cut (S051).

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{desk::Claim, entry::Kind, helper::Helper, untar::Untar};
use crate::engine::{Error, Outage};

/// How long a client may take nothing.
const STALL: Duration = Duration::from_secs(10);
/// How long the engine may send nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// After this long a client has to have been faster than [`SLOW`], on the whole.
const GRACE: Duration = Duration::from_mins(1);
/// Bytes a second that are too few: the engine keeps everybody from the container meanwhile.
const SLOW: u64 = 32 << 10;
/// The largest piece.
const PIECE: usize = 128 << 10;
/// Pieces that wait for the client.
const WAITING: usize = 4;

/// In which form something is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bytes of a file.
    Plain,
    /// As the engine tells it.
    Tar,
    /// The same, compressed.
    TarGz,
    /// For who has no tar.
    Zip,
}

impl Form {
    /// What the name of the file ends with.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Tar => ".tar",
            Self::TarGz => ".tar.gz",
            Self::Zip => ".zip",
        }
    }
}

/// Something that is being downloaded. Dropped, the engine's side ends too.
pub struct Download {
    /// What it is called.
    pub name: String,
    /// How many bytes there will be, where that is known.
    pub size: Option<u64>,
    pieces: mpsc::Receiver<Result<Bytes, Error>>,
    end: Option<oneshot::Receiver<Result<u64, String>>>,
}

impl Download {
    /// The next piece.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        self.pieces.recv().await
    }

    /// To wait for its end: how many bytes it was, or why it did not go well. Can be taken once.
    pub fn end(&mut self) -> impl Future<Output = Result<u64, String>> + Send + use<> {
        let end = self.end.take();
        async move {
            match end {
                Some(end) => end.await.unwrap_or_else(|_| Err("it broke off".to_owned())),
                None => Ok(0),
            }
        }
    }
}

/// Why it does not go on.
enum Stop {
    /// The client takes nothing.
    Stalled,
    /// The client takes too little.
    Slow,
    /// The client is gone.
    Gone,
    /// The engine does not send.
    Broken(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl Stop {
    fn words(&self, sent: u64) -> String {
        match self {
            Self::Stalled => format!("download stalled, cancelled: nothing was taken for {} s", STALL.as_secs()),
            Self::Slow => format!("download too slow, cancelled: less than {} KiB a second", SLOW >> 10),
            Self::Gone => format!("broken off by who downloaded, after {sent} bytes"),
            Self::Broken(error) => error.to_string(),
        }
    }
}

/// The client's end.
struct Sink {
    pieces: mpsc::Sender<Result<Bytes, Error>>,
    sent: u64,
    began: Instant,
    /// Whether somebody has to wait for the end.
    in_the_way: bool,
}

impl Sink {
    async fn send(&mut self, mut bytes: Bytes) -> Result<(), Stop> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(PIECE.min(bytes.len()));
            let count = piece.len() as u64;
            match tokio::time::timeout(STALL, self.pieces.send(Ok(piece))).await {
                Err(_) => return Err(Stop::Stalled),
                Ok(Err(_)) => return Err(Stop::Gone),
                Ok(Ok(())) => self.sent += count,
            }
            let elapsed = self.began.elapsed();
            if self.in_the_way && elapsed > GRACE && self.sent / elapsed.as_secs().max(1) < SLOW {
                return Err(Stop::Slow);
            }
        }
        Ok(())
    }

    /// Whatever the engine does next, unless the client goes.
    async fn next<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Stop> {
        tokio::select! {
            () = self.pieces.closed() => Err(Stop::Gone),
            done = work => done.map_err(Stop::Broken),
        }
    }
}

/// Starts to send; `helper` lives as long as that takes.
pub(super) fn start(source: Source, name: String, size: Option<u64>, claim: Claim, helper: Option<Helper>) -> Download {
    let (pieces, receiver) = mpsc::channel(WAITING);
    let (ended, end) = oneshot::channel();
    let mut sink = Sink { pieces, sent: 0, began: Instant::now(), in_the_way: helper.is_none() };
    tokio::spawn(async move {
        let result = match source {
            Source::Plain(tar) => plain(tar, &mut sink).await,
            Source::Tar(body) => tar(body, &mut sink, None).await,
            Source::TarGz(body) => tar(body, &mut sink, Some(GzEncoder::new(Vec::new(), Compression::fast()))).await,
            Source::Zip(tar) => {
                let (back, result) = zip(tar, sink).await;
                sink = back;
                result
            }
        };
        let told = match result {
            Ok(()) => Ok(sink.sent),
            Err(stop) => {
                let words = stop.words(sink.sent);
                tracing::info!(what = words, "a download did not end well");
                claim.failed(&words);
                // The connection ends without its end: nobody takes the part for the whole.
                let _ = sink.pieces.try_send(Err(Error::Unreachable(Outage::Broken)));
                Err(words)
            }
        };
        let _ = ended.send(told);
        drop(claim);
        drop(helper);
    });
    Download { name, size, pieces: receiver, end: Some(end) }
}

/// What is sent.
pub(super) enum Source {
    /// The content of the entry that was just read.
    Plain(Untar),
    /// An archive as it comes.
    Tar(Incoming),
    /// The same, compressed.
    TarGz(Incoming),
    /// An archive, made another.
    Zip(Untar),
}

async fn plain(mut tar: Untar, sink: &mut Sink) -> Result<(), Stop> {
    while let Some(bytes) = sink.next(tar.chunk()).await? {
        sink.send(bytes).await?;
    }
    Ok(())
}

fn broken() -> Error {
    Error::Unreachable(Outage::Broken)
}

async fn tar(mut body: Incoming, sink: &mut Sink, mut gzip: Option<GzEncoder<Vec<u8>>>) -> Result<(), Stop> {
    let silent = |_| Error::TimedOut { what: "GET archive".to_owned(), deadline: SILENCE };
    loop {
        let frame = sink.next(async { tokio::time::timeout(SILENCE, body.frame()).await.map_err(silent) }).await?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| broken())?.into_data() else { continue };
        match &mut gzip {
            None => sink.send(data).await?,
            Some(gzip) => {
                gzip.write_all(&data).map_err(|_| broken())?;
                let ready = std::mem::take(gzip.get_mut());
                sink.send(ready.into()).await?;
            }
        }
    }
    if let Some(gzip) = gzip {
        sink.send(gzip.finish().map_err(|_| broken())?.into()).await?;
    }
    Ok(())
}

/// The zip writes as programs do that wait: on a thread of its own.
struct Blocking {
    sink: Sink,
    runtime: Handle,
    buffer: BytesMut,
    stop: Option<Stop>,
}

impl Blocking {
    fn empty(&mut self) -> io::Result<()> {
        let bytes = self.buffer.split().freeze();
        self.runtime.block_on(self.sink.send(bytes)).map_err(|stop| {
            self.stop = Some(stop);
            io::Error::other("the client takes no more")
        })
    }
}

impl Write for Blocking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.empty()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn zip(tar: Untar, sink: Sink) -> (Sink, Result<(), Stop>) {
    let spare = Sink { pieces: sink.pieces.clone(), sent: 0, began: sink.began, in_the_way: sink.in_the_way };
    let runtime = Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let mut out = Blocking { sink, runtime: runtime.clone(), buffer: BytesMut::new(), stop: None };
        let result = pack(tar, &mut out, &runtime);
        let result = match (result, out.stop.take()) {
            (_, Some(stop)) => Err(stop),
            (Err(Packing::Engine(stop)), None) => Err(stop),
            (Err(Packing::Zip(why)), None) => {
                Err(Stop::Broken(Error::Engine { status: 500, message: format!("the zip could not be made: {why}") }))
            }
            (Ok(()), None) => out.empty().map_err(|_| out.stop.take().unwrap_or(Stop::Gone)),
        };
        (out.sink, result)
    });
    work.await.unwrap_or((spare, Err(Stop::Broken(broken()))))
}

enum Packing {
    Engine(Stop),
    Zip(String),
}

impl From<zip::result::ZipError> for Packing {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Zip(error.to_string())
    }
}

impl From<io::Error> for Packing {
    fn from(error: io::Error) -> Self {
        Self::Zip(error.to_string())
    }
}

/// Files, folders and links; pipes, sockets and devices are left out: there is no content in them.
fn pack(mut tar: Untar, out: &mut Blocking, runtime: &Handle) -> Result<(), Packing> {
    let gone = out.sink.pieces.clone();
    let mut zip = ZipWriter::new_stream(out);
    loop {
        let next = runtime.block_on(async {
            tokio::select! {
                () = gone.closed() => Err(Stop::Gone),
                next = tar.next() => next.map_err(Stop::Broken),
            }
        });
        let Some(member) = next.map_err(Packing::Engine)? else { break };
        let path = inside(&member.path);
        if path.is_empty() {
            continue;
        }
        let entry = &member.entry;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(entry.size > u64::from(u32::MAX / 2))
            .unix_permissions(entry.mode & 0o777)
            .last_modified_time(time(entry.modified));
        match entry.kind {
            Kind::Folder => zip.add_directory(format!("{path}/"), options)?,
            Kind::Link => zip.add_symlink(path, entry.target.as_deref().unwrap_or_default(), options)?,
            Kind::File => {
                zip.start_file(path, options)?;
                loop {
                    let chunk = runtime.block_on(async {
                        tokio::select! {
                            () = gone.closed() => Err(Stop::Gone),
                            chunk = tar.chunk() => chunk.map_err(Stop::Broken),
                        }
                    });
                    let Some(chunk) = chunk.map_err(Packing::Engine)? else { break };
                    zip.write_all(&chunk)?;
                }
            }
            Kind::Pipe | Kind::Socket | Kind::Device | Kind::Other => {}
        }
    }
    zip.finish()?;
    Ok(())
}

/// A name that leads nowhere but into the folder that it is unpacked in, whatever unpacks it.
fn inside(path: &[Vec<u8>]) -> String {
    let part = |part: &Vec<u8>| {
        let text = String::from_utf8_lossy(part);
        let text: String = text.chars().map(|c| if c.is_control() || c == '\\' { '_' } else { c }).collect();
        if text == ".." { "__".to_owned() } else { text }
    };
    path.iter().map(part).collect::<Vec<_>>().join("/")
}

fn time(at: Option<jiff::Timestamp>) -> DateTime {
    let Some(at) = at else { return DateTime::default() };
    let at = jiff::tz::Offset::UTC.to_datetime(at);
    let small = |number: i8| u8::try_from(number).unwrap_or(0);
    DateTime::from_date_and_time(
        u16::try_from(at.year()).unwrap_or(1980),
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
    )
    .unwrap_or_default()
}

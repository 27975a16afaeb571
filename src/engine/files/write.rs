//! Changing files: uploading, saving, making folders, renaming, removing, restoring.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body_util::{Full, StreamBody};
use hyper::{
    Request,
    body::{Body, Frame},
    header::CONTENT_TYPE,
};
use tar::{EntryType, Header};

use super::{
    Content, FileName, FilePath, Files, Hand, Spool, call, digest,
    entry::{Entry, Kind},
    exec,
    helper::Wanted,
    not_a,
};
use crate::engine::{Error, wire::deadline};

/// How long a command that changes something may take.
const CHANGE: Duration = Duration::from_mins(5);
/// How long writing may take, besides a second for each [`SPEED`] bytes.
const WRITE: Duration = Duration::from_mins(1);
/// Bytes a second that any engine takes.
const SPEED: u64 = 1 << 20;
/// How many things are counted before a folder is removed.
const COUNTED: u32 = 100_000;

/// What came of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is there.
    Done,
    /// There is something of that name already; nothing was done.
    Exists(Kind),
}

/// What came of saving.
#[derive(Debug, Clone)]
pub enum Saved {
    /// It is saved.
    Done,
    /// It has been changed meanwhile: to this. Nothing was done.
    Changed(Content),
}

/// What goes with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// How many files, folders and others, itself included; none where that is not known.
    pub count: Option<u32>,
    /// Whether there are more.
    pub is_more: bool,
}

/// The header of one entry, of a tar that goes to the engine.
fn header(name: &str, entry: &Entry, kind: EntryType, size: u64) -> Result<Vec<u8>, Error> {
    let unwritable = |error: io::Error| Error::Invalid(format!("that name cannot be written: {error}"));
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(entry.mode);
    header.set_uid(entry.uid);
    header.set_gid(entry.gid);
    header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0));
    header.set_size(size);
    let mut tar = tar::Builder::new(Vec::new());
    // Writes an extension before it where the name is long.
    tar.append_data(&mut header, name, io::empty()).map_err(unwritable)?;
    Ok(std::mem::take(tar.get_mut()))
}

/// What stands at the end: the last block filled, and two of zeros.
fn trailer(size: u64) -> Bytes {
    let fill = usize::try_from((512 - size % 512) % 512).unwrap_or(0);
    Bytes::from(vec![0; fill + 1024])
}

impl Files<'_> {
    /// Whom something new in a folder belongs to, and its mode: of what it replaces, else as its folder.
    async fn like(&self, hand: &Hand, folder: &FilePath, name: &str, old: Option<Kind>) -> Result<Entry, Error> {
        if old == Some(Kind::File) {
            return self.first(hand, &folder.join(name)).await.map(|(_, entry)| entry);
        }
        let (_, folder) = self.first(hand, folder).await?;
        Ok(Entry { mode: 0o644, ..folder })
    }

    async fn stands(&self, hand: &Hand, path: &FilePath) -> Result<Option<Kind>, Error> {
        match self.find(hand, path).await {
            Ok(found) => Ok(Some(found.kind)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn folder(&self, hand: &Hand, path: &FilePath) -> Result<(), Error> {
        let found = self.find(hand, path).await?;
        // Outside of volumes a link to a folder is as good as the folder, to the engine too.
        let is_link = found.kind == Kind::Link && hand.base.is_empty();
        if found.kind == Kind::Folder || is_link { Ok(()) } else { Err(not_a(found.kind, path, "folder")) }
    }

    /// Sends a tar to be unpacked in a folder by the engine.
    async fn send<B>(&self, hand: &Hand, folder: &FilePath, body: B, size: u64) -> Result<(), Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        hand.archives(folder)?;
        let path = format!("{}&noOverwriteDirNonDir=1", call::archive(&hand.id, &hand.at(folder)));
        let request = Request::put(path).header(CONTENT_TYPE, "application/x-tar").body(body);
        let request = request.map_err(|error| Error::Invalid(error.to_string()))?;
        let limit = WRITE + Duration::from_secs(size / SPEED);
        let sent = async { call::whole(self.engine.wire.send(request).await?).await };
        deadline("PUT /containers/{id}/archive", limit, sent).await??;
        Ok(())
    }

    async fn put_small(
        &self,
        hand: &Hand,
        folder: &FilePath,
        name: &str,
        like: &Entry,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let size = bytes.len() as u64;
        let mut tar = BytesMut::from(header(name, like, EntryType::Regular, size)?.as_slice());
        tar.extend_from_slice(bytes);
        tar.extend_from_slice(&trailer(size));
        self.send(hand, folder, Full::new(tar.freeze()), size).await
    }

    /// Puts what was uploaded into a folder under this name: as one file of a tar that is made here (S050). What it
    /// replaces keeps its owner and mode; what is new belongs to whom the folder does.
    ///
    /// # Errors
    /// As [`Files::look`]; where the engine does not take it.
    pub async fn put(&self, folder: &FilePath, name: &FileName, spool: Spool, replace: bool) -> Result<Put, Error> {
        let hand = self.open(Wanted { writes: true, runs: false }).await?;
        hand.archives(folder)?;
        self.folder(&hand, folder).await?;
        let old = self.stands(&hand, &folder.join(name.as_str())).await?;
        match old {
            Some(Kind::File) if replace => {}
            Some(kind) => return Ok(Put::Exists(kind)),
            None => {}
        }
        let like = self.like(&hand, folder, name.as_str(), old).await?;
        let head = header(name.as_str(), &like, EntryType::Regular, spool.size)?;
        let _claim = self.engine.files.claim(self.place, format!("The upload of {name}"))?;
        let size = spool.size;
        let around = |bytes: Bytes| stream::iter([Ok(Frame::data(bytes))]);
        let body = StreamBody::new(around(head.into()).chain(spool.frames().await?).chain(around(trailer(size))));
        self.send(&hand, folder, body, size).await?;
        Ok(Put::Done)
    }

    /// Saves a text over a file that was read before, if it is still what `loaded` is the digest of, whatever it is
    /// with none. Owner and mode stay.
    ///
    /// # Errors
    /// As [`Files::read`].
    pub async fn save(&self, path: &FilePath, text: &str, loaded: Option<&str>) -> Result<Saved, Error> {
        let hand = self.open(Wanted { writes: true, runs: false }).await?;
        let now = self.whole(&hand, path).await?;
        if loaded.is_some_and(|loaded| loaded != digest(&now.bytes)) {
            return Ok(Saved::Changed(now));
        }
        self.put_small(&hand, &path.parent(), path.name(), &now.entry, text.as_bytes()).await?;
        Ok(Saved::Done)
    }

    /// Makes a folder; it belongs to whom the folder does that it is in.
    ///
    /// # Errors
    /// [`Error::Conflict`] where there is something of that name.
    pub async fn make_folder(&self, folder: &FilePath, name: &FileName) -> Result<(), Error> {
        let hand = self.open(Wanted { writes: true, runs: false }).await?;
        self.folder(&hand, folder).await?;
        let path = folder.join(name.as_str());
        if let Some(kind) = self.stands(&hand, &path).await? {
            return Err(Error::Conflict(format!("there is a {} called {name} already", kind.word())));
        }
        if hand.reads_inside(folder) {
            return self.command(&hand, &["mkdir", "--", path.as_str()]).await;
        }
        hand.archives(folder)?;
        let like = self.like(&hand, folder, name.as_str(), None).await?;
        let mut tar = header(name.as_str(), &Entry { mode: 0o755, ..like }, EntryType::Directory, 0)?;
        tar.extend_from_slice(&trailer(0));
        self.send(&hand, folder, Full::new(Bytes::from(tar)), 0).await
    }

    /// Where a command runs; the engine alone neither renames nor removes.
    async fn commands(&self) -> Result<Hand, Error> {
        let hand = self.open(Wanted { writes: true, runs: true }).await?;
        if hand.runs {
            return Ok(hand);
        }
        Err(match self.place {
            super::Place::Container(_) => Error::Conflict(
                "the engine renames and removes nothing in a container that does not run: start it first".to_owned(),
            ),
            super::Place::Volume(_) => Error::Unsupported(
                "that takes a small container with a shell, and no image on this engine has one: docker pull busybox"
                    .to_owned(),
            ),
        })
    }

    async fn command(&self, hand: &Hand, argv: &[&str]) -> Result<(), Error> {
        let ran = exec::run(self.engine, &hand.id, argv, 4_096, CHANGE).await?;
        if ran.code == 0 {
            return Ok(());
        }
        let tool = argv.first().copied().unwrap_or_default();
        if ran.is_missing() {
            return Err(Error::Unsupported(format!("there is no {tool} in the container to do it with")));
        }
        let why = if ran.complaint.is_empty() { format!("it ended with {}", ran.code) } else { ran.complaint };
        Err(Error::Conflict(format!("{tool}: {}", why.trim_start_matches(&format!("{tool}: ")))))
    }

    /// Gives something another name in its folder.
    ///
    /// # Errors
    /// [`Error::Conflict`] where there is something of that name, or the container does not run.
    pub async fn rename(&self, path: &FilePath, name: &FileName) -> Result<(), Error> {
        let hand = self.commands().await?;
        self.find(&hand, path).await?;
        let new = path.parent().join(name.as_str());
        if let Some(kind) = self.stands(&hand, &new).await? {
            return Err(Error::Conflict(format!("there is a {} called {name} already", kind.word())));
        }
        self.command(&hand, &["mv", "--", &hand.at(path), &hand.at(&new)]).await
    }

    /// How much goes with something that is to be removed, as far as can be counted.
    ///
    /// # Errors
    /// As [`Files::look`].
    pub async fn weigh(&self, path: &FilePath) -> Result<(Entry, Weight), Error> {
        let hand = self.open(Wanted { writes: false, runs: true }).await?;
        let found = self.find(&hand, path).await?;
        let entry = if hand.reads_inside(&path.parent()) {
            self.entry_in_memory(&hand, path).await?
        } else {
            self.first(&hand, path).await?.1
        };
        if found.kind != Kind::Folder {
            return Ok((entry, Weight { count: Some(1), is_more: false }));
        }
        let none = Weight { count: None, is_more: false };
        if !hand.runs {
            return Ok((entry, none));
        }
        // Not names but their ends are counted.
        let script = r#"find "$1" -print0 2>/dev/null | tr -cd '\000' | head -c "$2" | wc -c"#;
        let most = (COUNTED + 1).to_string();
        let argv = ["/bin/sh", "-c", script, "sh", &hand.at(path), &most];
        let ran = exec::run(self.engine, &hand.id, &argv, 64, Duration::from_secs(10)).await?;
        let count: Option<u32> = String::from_utf8_lossy(&ran.out).trim().parse().ok().filter(|count| *count > 0);
        let weight = count.map_or(none, |count| Weight { count: Some(count.min(COUNTED)), is_more: count > COUNTED });
        Ok((entry, weight))
    }

    /// Removes something, and all that is in it. Links in it go, where they lead stays.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the container does not run.
    pub async fn remove(&self, path: &FilePath) -> Result<(), Error> {
        if path.is_root() {
            return Err(Error::Invalid("the root is not removed".to_owned()));
        }
        let hand = self.commands().await?;
        let found = self.find(&hand, path).await?;
        let argv: &[&str] = if found.kind == Kind::Folder { &["rm", "-rf", "--"] } else { &["rm", "-f", "--"] };
        let at = hand.at(path);
        let argv: Vec<&str> = argv.iter().copied().chain([at.as_str()]).collect();
        self.command(&hand, &argv).await
    }
}

impl Files<'_> {
    /// Puts what is in a tar, as it is or compressed with gzip, over what is in a volume. It goes through the hands of
    /// this console: what comes to the engine is a tar that is made here, of files, folders and links whose names lead
    /// nowhere else (S050). Answers how many entries there were.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no tar, or holds what does not go.
    pub async fn restore(&self, mut spool: Spool) -> Result<u64, Error> {
        let hand = self.open(Wanted { writes: true, runs: false }).await?;
        if hand.base.is_empty() {
            return Err(Error::Invalid("a container is not restored from a tar".to_owned()));
        }
        let _claim = self.engine.files.claim(self.place, "The restore".to_owned())?;
        spool.rewind().await?;
        let size = spool.size.saturating_mul(8);
        let file = spool.file.try_clone().await.map_err(|error| Error::Invalid(error.to_string()))?.into_std().await;
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, io::Error>>(4);
        let packing = tokio::task::spawn_blocking(move || {
            let result = repack(file, &sender);
            if result.is_err() {
                // The engine must not take a part for the whole.
                let _ = sender.blocking_send(Err(io::Error::other("it broke off")));
            }
            result
        });
        let body =
            StreamBody::new(stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver))));
        let sent = self.send(&hand, &FilePath::root(), body, size).await;
        let packed = packing.await.map_err(|error| Error::Invalid(error.to_string()))?;
        drop(spool);
        match (packed, sent) {
            (Ok(count), Ok(())) => Ok(count),
            // The reader's words say more than that the connection broke.
            (Err(why), _) if why.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::Invalid(format!("the backup cannot be read: {why}")))
            }
            (_, Err(error)) => Err(error),
            (Err(_), Ok(())) => Err(Error::Invalid("the backup cannot be read".to_owned())),
        }
    }
}

/// The most entries of a backup.
const RESTORED: u64 = 10_000_000;
/// How many times larger than it came a backup may get, so that no small one fills a disk.
const SWELLS: u64 = 1_100;

/// Where a tar goes, piece by piece.
struct Outlet<'a> {
    pieces: &'a tokio::sync::mpsc::Sender<Result<Frame<Bytes>, io::Error>>,
    buffer: BytesMut,
}

impl io::Write for Outlet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= 128 << 10 {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = self.buffer.split().freeze();
        let sent = self.pieces.blocking_send(Ok(Frame::data(piece)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Reads a tar and writes another, of what may be in one.
fn repack(
    mut file: std::fs::File,
    pieces: &tokio::sync::mpsc::Sender<Result<Frame<Bytes>, io::Error>>,
) -> Result<u64, io::Error> {
    use std::io::{Read, Seek, Write};
    let size = file.metadata()?.len();
    let mut magic = [0; 2];
    let is_compressed = file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    file.rewind()?;
    let reader: Box<dyn Read> = if is_compressed {
        Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(64 << 10, file)))
    } else {
        Box::new(io::BufReader::with_capacity(64 << 10, file))
    };
    let most = size.saturating_mul(SWELLS).max(1 << 30);
    let mut archive = tar::Archive::new(reader.take(most));
    let mut out = tar::Builder::new(Outlet { pieces, buffer: BytesMut::new() });
    let mut count = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let path = entry.path()?.into_owned();
        let Some(path) = inside(&path)? else { continue };
        let mut header = entry.header().clone();
        if kind.is_file() || kind.is_contiguous() || kind.is_dir() || kind.is_fifo() {
            header.set_size(if kind.is_file() || kind.is_contiguous() { entry.size() } else { 0 });
            out.append_data(&mut header, &path, &mut entry)?;
        } else if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name()?.ok_or_else(|| io::Error::other("a link that leads nowhere"))?.into_owned();
            // A second name of a file is a path of the same tar; a link is a text that is followed by nobody here.
            let target = if kind.is_hard_link() {
                inside(&target)?.ok_or_else(|| io::Error::other("a second name of the root"))?
            } else {
                target
            };
            header.set_size(0);
            out.append_link(&mut header, &path, &target)?;
        } else {
            // Devices would be doors to the host.
            continue;
        }
        count += 1;
        if count > RESTORED {
            return Err(io::Error::other("there is too much in it"));
        }
    }
    out.finish()?;
    out.get_mut().flush()?;
    Ok(count)
}

/// A path below the root, whatever it was; none for the root itself.
fn inside(path: &std::path::Path) -> Result<Option<std::path::PathBuf>, io::Error> {
    use std::path::Component;
    let mut clean = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::Error::other(format!("{} leads upwards", path.display())));
            }
        }
    }
    Ok((!clean.as_os_str().is_empty()).then_some(clean))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            name: String::new(),
            is_exact: true,
            kind: Kind::File,
            size: 0,
            mode: 0o640,
            uid: 1000,
            gid: 1001,
            user: String::new(),
            group: String::new(),
            modified: None,
            target: None,
        }
    }

    #[test]
    fn s050_what_goes_in_is_a_plain_tar_of_one_file() {
        for name in ["x.tar.xz", "ä\nö", &"n".repeat(255)] {
            let mut bytes = header(name, &entry(), EntryType::Regular, 5).unwrap();
            assert_eq!(bytes.get(257..262), Some(&b"ustar"[..]));
            bytes.extend_from_slice(b"hello");
            bytes.extend_from_slice(&trailer(5));
            assert_eq!(bytes.len() % 512, 0);
            let mut tar = tar::Archive::new(&bytes[..]);
            let all: Vec<_> = tar.entries().unwrap().map(Result::unwrap).collect();
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].path_bytes(), name.as_bytes());
            assert_eq!((all[0].header().uid().unwrap(), all[0].header().mode().unwrap()), (1000, 0o640));
        }
    }
}

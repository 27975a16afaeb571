//! What the files of one engine have in common, whoever works with them: where uploads are kept until they are whole,
//! which transfers are under way, which helpers there are.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use futures_util::{Stream, stream};
use hyper::body::Frame;
use jiff::Timestamp;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::Place;
use crate::engine::{ContainerId, Error};

/// Uploads that are kept at once.
const UPLOADS: usize = 8;
/// Transfers at once, on the whole engine.
const TRANSFERS: usize = 16;
/// How much of an upload is read at once.
const PIECE: usize = 128 << 10;
/// Transfers that ended badly and are remembered for who looks.
const REMEMBERED: usize = 50;

/// The settings.
#[derive(Debug)]
struct Settings {
    folder: PathBuf,
    largest: u64,
    installation: String,
}

/// The common part.
pub(in crate::engine) struct Desk {
    settings: OnceLock<Settings>,
    transfers: Mutex<HashMap<Place, String>>,
    failed: Mutex<VecDeque<Failed>>,
    image: Mutex<Option<String>>,
    helpers: Mutex<HashSet<ContainerId>>,
    uploads: Arc<Semaphore>,
    next: AtomicU64,
}

/// A transfer that ended badly.
#[derive(Debug, Clone)]
pub struct Failed {
    /// With whose files.
    pub place: Place,
    /// What it was, and how it ended.
    pub says: String,
    /// When.
    pub at: Timestamp,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is written at this path did not go there.
fn ours(path: &Path, error: &io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let why = if full { "the disk of this console is full".to_owned() } else { error.to_string() };
    let folder = path.parent().unwrap_or(path).display();
    Error::Engine { status: 507, message: format!("the upload could not be kept in {folder}: {why}") }
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            settings: OnceLock::new(),
            transfers: Mutex::default(),
            failed: Mutex::default(),
            image: Mutex::default(),
            helpers: Mutex::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            next: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Desk {
    /// Keeps uploads in this folder, each of so many bytes at most. What was left there goes.
    pub(in crate::engine) fn open(&self, folder: &Path, largest: u64) -> io::Result<()> {
        let uploads = folder.join("uploads");
        let _ = fs::remove_dir_all(&uploads);
        fs::create_dir_all(&uploads)?;
        let name = folder.join("installation");
        let known = fs::read_to_string(&name).unwrap_or_default();
        let known = known.trim();
        let installation = if known.len() == 32 && known.bytes().all(|b| b.is_ascii_hexdigit()) {
            known.to_owned()
        } else {
            let mut word = [0_u8; 16];
            getrandom::fill(&mut word).map_err(io::Error::other)?;
            let word = HEXLOWER.encode(&word);
            fs::write(&name, &word)?;
            word
        };
        let _ = self.settings.set(Settings { folder: uploads, largest, installation });
        Ok(())
    }

    pub(super) fn installation(&self) -> &str {
        self.settings.get().map_or("", |settings| &settings.installation)
    }

    pub(super) fn largest(&self) -> u64 {
        self.settings.get().map_or(0, |settings| settings.largest)
    }

    pub(super) fn image(&self) -> Option<String> {
        lock(&self.image).clone()
    }

    pub(super) fn set_image(&self, image: &str) {
        *lock(&self.image) = Some(image.to_owned());
    }

    pub(super) fn made(&self, id: &ContainerId) {
        lock(&self.helpers).insert(id.clone());
    }

    pub(super) fn removed(&self, id: &ContainerId) {
        lock(&self.helpers).remove(id);
    }

    pub(super) fn helpers(&self) -> Vec<ContainerId> {
        lock(&self.helpers).iter().cloned().collect()
    }

    /// Takes the place for one transfer: an engine lets nobody else at a container's files meanwhile (S051).
    pub(super) fn claim(self: &Arc<Self>, place: &Place, what: String) -> Result<Claim, Error> {
        let mut transfers = lock(&self.transfers);
        if let Some(other) = transfers.get(place) {
            return Err(busy(other));
        }
        if transfers.len() >= TRANSFERS {
            return Err(Error::Conflict(format!("{TRANSFERS} transfers are under way: wait for one to end")));
        }
        transfers.insert(place.clone(), what.clone());
        Ok(Claim { desk: self.clone(), place: place.clone(), what })
    }

    /// Refuses while a transfer is under way: the engine would not answer.
    pub(super) fn is_free(&self, place: &Place) -> Result<(), Error> {
        lock(&self.transfers).get(place).map_or(Ok(()), |other| Err(busy(other)))
    }

    /// Transfers with these files that ended badly, newest first.
    pub(super) fn failed(&self, place: &Place) -> Vec<Failed> {
        lock(&self.failed).iter().rev().filter(|failed| failed.place == *place).cloned().collect()
    }

    /// A file for what is uploaded.
    pub(super) async fn spool(self: &Arc<Self>) -> Result<Spool, Error> {
        let Some(settings) = self.settings.get() else {
            return Err(Error::Unsupported("this console has no folder for uploads".to_owned()));
        };
        let place = self.uploads.clone().try_acquire_owned();
        let place =
            place.map_err(|_| Error::Conflict(format!("{UPLOADS} uploads are under way: wait for one to end")))?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = settings.folder.join(format!("{number}.part"));
        let file = File::options().read(true).write(true).create_new(true).open(&path).await;
        let file = file.map_err(|error| ours(&path, &error))?;
        Ok(Spool { file, path, size: 0, largest: settings.largest, _place: place })
    }
}

fn busy(other: &str) -> Error {
    Error::Conflict(format!(
        "{other} is under way. Until it ends the engine lets nobody else at these files: wait for it, or cancel it"
    ))
}

/// The place of a transfer; dropped, the next may begin.
pub(super) struct Claim {
    desk: Arc<Desk>,
    place: Place,
    what: String,
}

impl Claim {
    /// Remembers that it ended badly.
    pub(super) fn failed(&self, how: &str) {
        let mut failed = lock(&self.desk.failed);
        let says = format!("{}: {how}", self.what);
        failed.push_back(Failed { place: self.place.clone(), says, at: Timestamp::now() });
        if failed.len() > REMEMBERED {
            failed.pop_front();
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.desk.transfers).remove(&self.place);
    }
}

/// What is being uploaded, on this console's disk until it is whole (S052); dropped, it is gone.
pub struct Spool {
    pub(super) file: File,
    path: PathBuf,
    /// How many bytes there are.
    pub size: u64,
    largest: u64,
    _place: OwnedSemaphorePermit,
}

impl Spool {
    /// Adds these bytes; answers no where they are too many.
    ///
    /// # Errors
    /// Where the disk does not take them.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        self.size += bytes.len() as u64;
        if self.size > self.largest {
            return Ok(false);
        }
        self.file.write_all(bytes).await.map_err(|error| ours(&self.path, &error))?;
        Ok(true)
    }

    /// Copies a part of it; answers no where that is too much.
    pub(in crate::engine) async fn copy(&mut self, part: std::ops::Range<u64>, to: &mut Self) -> Result<bool, Error> {
        let read = |error: io::Error| ours(&self.path, &error);
        self.file.seek(io::SeekFrom::Start(part.start)).await.map_err(read)?;
        let mut rest = (&mut self.file).take(part.end - part.start);
        let mut piece = BytesMut::with_capacity(PIECE);
        while rest.read_buf(&mut piece).await.map_err(|error| ours(&self.path, &error))? > 0 {
            if !to.add(&piece).await? {
                return Ok(false);
            }
            piece.clear();
        }
        Ok(true)
    }

    /// To its beginning, with everything written.
    pub(in crate::engine) async fn rewind(&mut self) -> Result<(), Error> {
        self.file.flush().await.map_err(|error| ours(&self.path, &error))?;
        self.file.rewind().await.map(|_| ()).map_err(|error| ours(&self.path, &error))
    }
}

impl Spool {
    /// Reads on, from where it stands; 0 at the end.
    pub(in crate::engine) async fn read(&mut self, piece: &mut BytesMut) -> io::Result<usize> {
        self.file.read_buf(piece).await
    }

    /// All of it, on its way to the engine; what is shorter than it was is broken off.
    pub(in crate::engine) async fn frames(
        mut self,
    ) -> Result<impl Stream<Item = io::Result<Frame<Bytes>>> + Send + Sync + 'static, Error> {
        self.rewind().await?;
        let rest = self.size;
        Ok(stream::try_unfold((self, rest), async |(mut spool, rest)| {
            if rest == 0 {
                return Ok(None);
            }
            let mut piece = BytesMut::with_capacity(PIECE);
            match (&mut spool.file).take(rest).read_buf(&mut piece).await? {
                0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                count => Ok(Some((Frame::data(piece.freeze()), (spool, rest - count as u64)))),
            }
        }))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

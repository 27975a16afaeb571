//! Reads the tar that the engine sends, as it comes: nothing is kept but the header that is being read, nothing is
//! ever unpacked (S053). The formats of headers are the `tar` crate's business.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use tar::{EntryType, Header, PaxExtensions};

use super::entry::{Entry, Kind};
use crate::engine::{Error, Outage, wire::deadline};

const BLOCK: usize = 512;
/// The largest name or extension of a header.
const LONG: u64 = 1 << 20;
/// How long the engine may be silent in the middle.
const SILENCE: Duration = Duration::from_secs(30);

/// A tar that is being read.
pub(super) struct Untar {
    body: Incoming,
    buffer: BytesMut,
    /// Bytes of the present entry that have not been read.
    rest: u64,
    /// Bytes after it that fill its last block.
    padding: u64,
    /// Bytes that have been read in all.
    pub read: u64,
}

/// An entry of a tar.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The parts of its path.
    pub path: Vec<Vec<u8>>,
    /// What it is, with its own name.
    pub entry: Entry,
}

/// What headers before the header say of the entry.
#[derive(Default)]
struct Long {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    mtime: Option<i64>,
    uid: Option<u64>,
    gid: Option<u64>,
}

fn broken() -> Error {
    Error::Unreachable(Outage::Broken)
}

fn unreadable() -> Error {
    Error::Engine { status: 502, message: "the engine sent an archive that cannot be read".to_owned() }
}

impl Untar {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, buffer: BytesMut::new(), rest: 0, padding: 0, read: 0 }
    }

    /// The next piece of the body; none at its end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = deadline("GET archive", SILENCE, self.body.frame()).await?;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(broken()),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        self.read += data.len() as u64;
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// So many bytes; none where the body ends before the first.
    async fn take(&mut self, count: usize) -> Result<Option<Bytes>, Error> {
        while self.buffer.len() < count {
            match self.piece().await? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(broken()),
            }
        }
        Ok(Some(self.buffer.split_to(count).freeze()))
    }

    async fn skip(&mut self, mut count: u64) -> Result<(), Error> {
        while count > 0 {
            if self.buffer.is_empty() {
                let piece = self.piece().await?.ok_or_else(broken)?;
                self.buffer.extend_from_slice(&piece);
            }
            let here = usize::try_from(count).unwrap_or(usize::MAX).min(self.buffer.len());
            self.buffer.advance(here);
            count -= here as u64;
        }
        Ok(())
    }

    /// The next bytes of the present entry; none at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self.rest == 0 {
            return Ok(None);
        }
        if self.buffer.is_empty() {
            let mut piece = self.piece().await?.ok_or_else(broken)?;
            // What is this entry's goes on as it came.
            if self.rest >= piece.len() as u64 {
                self.rest -= piece.len() as u64;
                return Ok(Some(piece));
            }
            let here = piece.split_to(usize::try_from(self.rest).unwrap_or(usize::MAX));
            self.buffer.extend_from_slice(&piece);
            self.rest = 0;
            return Ok(Some(here));
        }
        let here = usize::try_from(self.rest).unwrap_or(usize::MAX).min(self.buffer.len());
        self.rest -= here as u64;
        Ok(Some(self.buffer.split_to(here).freeze()))
    }

    async fn extension(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > LONG {
            return Err(unreadable());
        }
        let count = usize::try_from(size).map_err(|_| unreadable())?;
        let bytes = self.take(count).await?.unwrap_or_default();
        self.skip(padding(size)).await?;
        Ok(bytes.to_vec())
    }

    /// The next entry, whatever is left of the present one passed over; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Member>, Error> {
        self.skip(self.rest + self.padding).await?;
        (self.rest, self.padding) = (0, 0);
        let mut long = Long::default();
        loop {
            let Some(block) = self.take(BLOCK).await? else { return Ok(None) };
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let mut header = Header::new_old();
            header.as_mut_bytes().copy_from_slice(&block);
            let size = header.entry_size().map_err(|_| unreadable())?;
            match header.entry_type() {
                EntryType::GNULongName => long.path = Some(text(self.extension(size).await?)),
                EntryType::GNULongLink => long.link = Some(text(self.extension(size).await?)),
                EntryType::XHeader => long.extend(&self.extension(size).await?),
                EntryType::XGlobalHeader => drop(self.extension(size).await?),
                kind => {
                    let has_bytes = kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse();
                    let size = if has_bytes { long.size.unwrap_or(size) } else { 0 };
                    (self.rest, self.padding) = (size, padding(size));
                    return Ok(Some(member(&header, long, size)));
                }
            }
        }
    }
}

fn padding(size: u64) -> u64 {
    let block = BLOCK as u64;
    (block - size % block) % block
}

/// A name of GNU's kind ends with a NUL.
fn text(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

impl Long {
    /// What the extension of POSIX says.
    fn extend(&mut self, bytes: &[u8]) {
        for extension in PaxExtensions::new(bytes).filter_map(Result::ok) {
            let value = extension.value_bytes();
            let words = std::str::from_utf8(value).unwrap_or_default();
            match extension.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = words.parse().ok(),
                b"uid" => self.uid = words.parse().ok(),
                b"gid" => self.gid = words.parse().ok(),
                b"mtime" => self.mtime = words.split('.').next().and_then(|seconds| seconds.parse().ok()),
                _ => {}
            }
        }
    }
}

fn member(header: &Header, long: Long, size: u64) -> Member {
    let kind = match header.entry_type() {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_symlink() => Kind::Link,
        kind if kind.is_fifo() => Kind::Pipe,
        kind if kind.is_character_special() || kind.is_block_special() => Kind::Device,
        // A second name of a file that came before.
        kind if kind.is_hard_link() || kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() => Kind::File,
        _ => Kind::Other,
    };
    let path = long.path.unwrap_or_else(|| header.path_bytes().into_owned());
    let path: Vec<Vec<u8>> =
        path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).map(<[u8]>::to_vec).collect();
    let link = long.link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
    let link = link.map(|link| String::from_utf8_lossy(&link).into_owned());
    let name = path.last().cloned().unwrap_or_default();
    let mtime = long.mtime.or_else(|| header.mtime().ok().and_then(|seconds| i64::try_from(seconds).ok()));
    let word = |name: Option<&[u8]>| name.map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
    let entry = Entry {
        is_exact: std::str::from_utf8(&name).is_ok(),
        name: String::from_utf8_lossy(&name).into_owned(),
        kind,
        size,
        mode: header.mode().unwrap_or_default() & 0o7777,
        uid: long.uid.or_else(|| header.uid().ok()).unwrap_or_default(),
        gid: long.gid.or_else(|| header.gid().ok()).unwrap_or_default(),
        // The names of the host's people, where the engine puts any in: not the container's.
        user: word(None),
        group: word(None),
        modified: mtime.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        target: link.filter(|_| kind == Kind::Link),
    };
    Member { path, entry }
}

//! Files of containers and volumes: listing, reading, downloading, uploading, changing.
//!
//! Nothing is ever unpacked here: the engine's tar is read as it comes, and what goes in is a tar that is made here,
//! uncompressed, of one entry (S050, S053). A folder of a running container is listed by `find` and `stat` inside, as
//! root, which is who `docker cp` is; without them, or when it does not run, out of the engine's archive, which holds
//! the contents too: as far as is bearable. A volume has a [`helper`] for as long as it is looked at.

mod call;
mod desk;
mod entry;
mod exec;
pub(crate) mod helper;
mod list;
mod memory;
mod path;
mod transfer;
mod untar;
mod write;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub(super) use self::{call::is_socket, desk::Desk};
pub use self::{
    desk::{Failed, Spool},
    entry::{Entry, Found, Kind, Listing, Means, Partial, mode_words},
    path::{FileName, FilePath, InvalidPath},
    transfer::{Download, Form},
    write::{Put, Saved, Weight},
};
use self::{
    helper::{Helper, Wanted},
    list::Tried,
    memory::Mounts,
    transfer::Source,
    untar::Untar,
};
use super::{ContainerId, Engine, Error, Secrets, State, Volume, VolumeName};

/// How long the beginning of a file may take.
const READING: Duration = Duration::from_secs(10);
/// The largest file that is edited, in bytes.
pub const EDITABLE: usize = 512 << 10;

/// Whose files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A container's.
    Container(ContainerId),
    /// A volume's.
    Volume(VolumeName),
}

/// Files of a place.
pub struct Files<'a> {
    engine: &'a Engine,
    place: &'a Place,
}

impl Engine {
    /// The files of a container or a volume.
    pub fn files<'a>(&'a self, place: &'a Place) -> Files<'a> {
        Files { engine: self, place }
    }

    /// Keeps uploads in this folder, each of so many bytes at most. What was left there goes.
    ///
    /// # Errors
    /// Where the folder cannot be used.
    pub fn keep_uploads(&self, folder: &std::path::Path, largest: u64) -> std::io::Result<()> {
        self.files.open(folder, largest)
    }

    /// How many bytes an upload may have.
    pub fn largest_upload(&self) -> u64 {
        self.files.largest()
    }

    /// A place on this console's disk for what is being uploaded.
    ///
    /// # Errors
    /// [`Error::Conflict`] where many are under way.
    pub async fn spool(&self) -> Result<Spool, Error> {
        self.reach.may_operate()?;
        self.files.spool().await
    }

    /// Refuses a volume into which this hand may not go: outside of the scope, a folder of the host (S037), this
    /// console's own.
    async fn enters_volume(&self, name: &VolumeName) -> Result<(), Error> {
        self.reaches_volume(name)?;
        if self.reach.secrets < Secrets::Masked {
            return Err(Error::Forbidden("It lets you look at things, not into them.".to_owned()));
        }
        self.live.picture().guard_volume(name)?;
        self.reachable()?;
        // As it is now: the picture's options are masked.
        let volume: Volume = self.wire.get(&format!("/volumes/{name}")).await?;
        match volume.host_path() {
            Some(path) if !self.reach.root => Err(Error::Forbidden(format!(
                "The volume {name} is really the host’s {path}, so only an administrator may go in."
            ))),
            _ => Ok(()),
        }
    }
}

/// A way in, for one request.
struct Hand {
    id: ContainerId,
    /// What stands before each path.
    base: &'static str,
    helper: Option<Helper>,
    /// Whether commands can be run.
    runs: bool,
    state: State,
    /// What is mounted, where the archive does not show it all.
    mounts: Mounts,
}

impl Hand {
    fn at(&self, path: &FilePath) -> String {
        path.below(self.base)
    }

    /// Whether only commands inside see what is in this folder, and there are some.
    fn reads_inside(&self, folder: &FilePath) -> bool {
        self.runs && self.mounts.hold(folder)
    }

    /// Refuses what the engine would read or write beneath the memory that is mounted over it.
    fn archives(&self, folder: &FilePath) -> Result<(), Error> {
        if !self.mounts.hold(folder) {
            return Ok(());
        }
        Err(Error::Unsupported(format!(
            "what is in {folder} is in the container's memory, which the engine neither reads nor writes from outside, nor \
             does docker cp: a command inside does, in a terminal"
        )))
    }
}

/// The beginning of a file.
#[derive(Debug, Clone)]
pub struct Content {
    /// What it is.
    pub entry: Entry,
    /// The bytes of its beginning, or all.
    pub bytes: Bytes,
    /// Whether that is all of it.
    pub is_whole: bool,
}

impl Content {
    /// The text that it is; none for what is none.
    pub fn text(&self) -> Option<&str> {
        // A letter may be cut in two at the end of a beginning.
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(error) if !self.is_whole && error.error_len().is_none() => {
                std::str::from_utf8(self.bytes.get(..error.valid_up_to())?).ok()?
            }
            Err(_) => return None,
        };
        (!text.contains('\0')).then_some(text)
    }

    /// What tells this content from any other.
    pub fn digest(&self) -> String {
        digest(&self.bytes)
    }
}

/// What tells these bytes from any other.
pub(super) fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn not_a(kind: Kind, path: &FilePath, wanted: &str) -> Error {
    Error::Invalid(format!("{path} is a {}, not a {wanted}", kind.word()))
}

impl Files<'_> {
    async fn open(&self, wanted: Wanted) -> Result<Hand, Error> {
        if wanted.writes {
            self.engine.reach.may_operate()?;
        }
        match self.place {
            Place::Container(id) => {
                self.engine.files.is_free(self.place)?;
                self.engine.reachable()?;
                let detail = self.engine.enters(id).await?;
                let runs = detail.state == State::Running;
                // podman's archive is taken inside.
                let mounts =
                    if self.engine.live.picture().is_podman() { Mounts::default() } else { Mounts::of(&detail.raw) };
                Ok(Hand { id: id.clone(), base: "", helper: None, runs, state: detail.state.clone(), mounts })
            }
            Place::Volume(name) => {
                self.engine.enters_volume(name).await?;
                let helper = helper::make(self.engine, name, wanted).await?;
                let runs = helper.runs;
                let state = if runs { State::Running } else { State::Created };
                let mounts = Mounts::default();
                Ok(Hand { id: helper.id.clone(), base: helper::VOLUME, helper: Some(helper), runs, state, mounts })
            }
        }
    }

    /// In a volume no link is followed: it would lead into the helper.
    async fn find(&self, hand: &Hand, path: &FilePath) -> Result<Found, Error> {
        if !hand.base.is_empty() {
            let steps = path.steps();
            let on_the_way = steps.get(1..steps.len().saturating_sub(1)).unwrap_or_default();
            for step in on_the_way {
                let found = call::stat(self.engine, &hand.id, &hand.at(step)).await?;
                if found.kind != Kind::Folder {
                    return Err(not_a(found.kind, step, "folder"));
                }
            }
        }
        if hand.reads_inside(&path.parent()) {
            return Ok(self.entry_in_memory(hand, path).await?.into());
        }
        let found = call::stat(self.engine, &hand.id, &hand.at(path)).await.map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound(format!("there is no {path} there")),
            other => other,
        })?;
        // Where a link of a volume leads in the helper says nothing.
        let target = found.target.filter(|_| hand.base.is_empty());
        Ok(Found { target, ..found })
    }

    /// What stands at a path, and what is in it if it is a folder, else its beginning of so many bytes.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nothing does, [`Error::Forbidden`] for who may not go in.
    pub async fn look(&self, path: &FilePath, most: usize) -> Result<Looked, Error> {
        let hand = self.open(Wanted { writes: false, runs: true }).await?;
        let found = self.find(&hand, path).await?;
        let inside = match found.kind {
            Kind::Folder => Inside::Folder(self.list(&hand, path).await?),
            Kind::File => Inside::File(self.begin(&hand, path, most).await?),
            // Reading a pipe would wait for who writes.
            _ => Inside::Nothing,
        };
        let folder = if found.kind == Kind::Folder { path.clone() } else { path.parent() };
        let is_in_memory = hand.mounts.hold(&folder);
        Ok(Looked { found, inside, state: hand.state.clone(), runs: hand.runs, is_in_memory })
    }

    async fn list(&self, hand: &Hand, path: &FilePath) -> Result<Listing, Error> {
        let at = hand.at(path);
        if hand.runs
            && let Tried::Listed(listing) = list::by_tools(self.engine, &hand.id, &at).await?
        {
            return Ok(listing);
        }
        list::by_archive(self.engine, &hand.id, &at).await
    }

    /// What only commands inside see.
    async fn entry_in_memory(&self, hand: &Hand, path: &FilePath) -> Result<Entry, Error> {
        let entries = match list::by_tools(self.engine, &hand.id, path.parent().as_str()).await? {
            Tried::Listed(listing) => listing.entries,
            Tried::NoTools => hand.archives(&path.parent()).map(|()| Vec::new())?,
        };
        let found = entries.into_iter().find(|entry| entry.name == path.name() && entry.is_exact);
        found.ok_or_else(|| Error::NotFound(format!("there is no {path} there")))
    }

    /// The beginning of a file that only commands inside see.
    async fn begin_in_memory(&self, hand: &Hand, path: &FilePath, most: usize) -> Result<Content, Error> {
        // Some of the kernel's files wait for something to happen.
        if Mounts::are_of_kernel(path) {
            hand.archives(&path.parent())?;
        }
        let entry = self.entry_in_memory(hand, path).await?;
        let wanted = (most + 1).to_string();
        let argv = ["head", "-c", &wanted, "--", path.as_str()];
        let ran = exec::run(self.engine, &hand.id, &argv, most + 1, READING).await?;
        if ran.code != 0 {
            return Err(Error::Denied(format!("{path} cannot be read, not even by root inside: {}", ran.complaint)));
        }
        let mut bytes = Bytes::from(ran.out);
        let is_whole = bytes.len() <= most;
        bytes.truncate(most);
        Ok(Content { entry, bytes, is_whole })
    }

    /// The first entry of an archive: of a file, its header; its content follows.
    async fn first(&self, hand: &Hand, path: &FilePath) -> Result<(Untar, Entry), Error> {
        hand.archives(&path.parent())?;
        let mut tar = Untar::new(call::open(self.engine, &hand.id, &hand.at(path)).await?);
        let first = tar.next().await?;
        let member = first.ok_or_else(|| Error::NotFound(format!("there is no {path} there")))?;
        Ok((tar, member.entry))
    }

    async fn begin(&self, hand: &Hand, path: &FilePath, most: usize) -> Result<Content, Error> {
        if hand.reads_inside(&path.parent()) {
            return self.begin_in_memory(hand, path, most).await;
        }
        let work = async {
            let (mut tar, entry) = self.first(hand, path).await?;
            let mut bytes = BytesMut::new();
            while bytes.len() < most {
                let Some(chunk) = tar.chunk().await? else { break };
                bytes.extend_from_slice(&chunk);
            }
            bytes.truncate(most);
            let is_whole = bytes.len() as u64 >= entry.size;
            Ok(Content { entry, bytes: bytes.freeze(), is_whole })
        };
        super::wire::deadline("GET archive", READING, work).await?
    }

    /// The whole of a small file, to be edited.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no file, or a large one.
    pub async fn read(&self, path: &FilePath) -> Result<Content, Error> {
        let hand = self.open(Wanted { writes: false, runs: false }).await?;
        self.whole(&hand, path).await
    }

    async fn whole(&self, hand: &Hand, path: &FilePath) -> Result<Content, Error> {
        let found = self.find(hand, path).await?;
        if found.kind != Kind::File {
            return Err(not_a(found.kind, path, "file"));
        }
        let content = self.begin(hand, path, EDITABLE + 1).await?;
        if content.bytes.len() > EDITABLE {
            return Err(Error::Invalid(format!(
                "{path} is larger than {} KiB: too large to edit here",
                EDITABLE >> 10
            )));
        }
        Ok(content)
    }

    /// Downloads a file or a folder. `name` is what the place is called.
    ///
    /// # Errors
    /// As [`Files::look`]; [`Error::Conflict`] while another transfer is under way.
    pub async fn download(&self, path: &FilePath, form: Form, name: &str) -> Result<Download, Error> {
        let hand = self.open(Wanted { writes: false, runs: false }).await?;
        let found = self.find(&hand, path).await?;
        let (is_file, of) = (found.kind == Kind::File, path.parent());
        if form == Form::Plain && !is_file {
            return Err(not_a(found.kind, path, "file"));
        }
        if !is_file && found.kind != Kind::Folder {
            return Err(not_a(found.kind, path, "file or a folder"));
        }
        hand.archives(if is_file { &of } else { path })?;
        let base = if path.is_root() { name } else { path.name() };
        let what = format!("The download of {base}");
        let claim = self.engine.files.claim(self.place, what)?;
        // The contents of a volume stand in its archive as in one that tar makes of its folder.
        let at = hand.at(path);
        let at = if path.is_root() && !hand.base.is_empty() { format!("{at}/.") } else { at };
        let (source, size) = match form {
            Form::Plain => {
                let (tar, entry) = self.first(&hand, path).await?;
                (Source::Plain(tar), Some(entry.size))
            }
            Form::Tar => (Source::Tar(call::open(self.engine, &hand.id, &at).await?), None),
            Form::TarGz => (Source::TarGz(call::open(self.engine, &hand.id, &at).await?), None),
            Form::Zip => (Source::Zip(Untar::new(call::open(self.engine, &hand.id, &at).await?)), None),
        };
        let name = format!("{base}{}", form.ending());
        Ok(transfer::start(source, name, size, claim, hand.helper))
    }

    /// Transfers with these files that ended badly, newest first.
    pub fn failed(&self) -> Vec<Failed> {
        self.engine.files.failed(self.place)
    }
}

/// What stands at a path.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What it is.
    pub found: Found,
    /// What is in it.
    pub inside: Inside,
    /// The state of whose it is; running for a volume that can be changed.
    pub state: State,
    /// Whether commands can be run there, which renaming and removing takes.
    pub runs: bool,
    /// Whether it is in memory, where the engine itself takes nothing out and puts nothing in.
    pub is_in_memory: bool,
}

/// What is in something.
#[derive(Debug, Clone)]
pub enum Inside {
    /// A folder's entries.
    Folder(Listing),
    /// A file's beginning.
    File(Content),
    /// Nothing that is read.
    Nothing,
}

impl Desk {
    /// Kept by the engine.
    pub(super) fn shared() -> Arc<Self> {
        Arc::default()
    }
}

impl Looked {
    /// When it was changed last.
    pub fn modified(&self) -> Option<Timestamp> {
        self.found.modified
    }
}

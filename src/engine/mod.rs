//! Docker in our words. No HTTP of ours, no HTML. The only place that names bollard.

mod address;
mod build;
mod changes;
mod commit;
mod containers;
pub mod endpoints;
mod error;
mod events;
mod exec;
mod export;
pub(crate) mod files;
mod fresh;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod ids;
mod images;
mod jobs;
mod kept_jobs;
mod live;
mod logs;
mod meter;
mod networks;
mod notes;
mod own;
mod past;
mod picture;
mod private;
mod processes;
mod reach;
mod registries;
mod removed;
mod replace;
pub mod spec;
mod stats;
mod system;
mod volumes;
mod wire;
mod work;

use std::sync::Arc;

use bollard::{BollardRequest, ClientVersion, Docker};

pub(crate) use self::wire::encoded;
pub use self::{
    address::Address,
    build::{Build, Context as BuildContext, DOCKERFILE, Folder as BuildFolder, is_address},
    changes::{FileChange, Kind as ChangeKind},
    commit::{Commit, INSTRUCTIONS},
    containers::*,
    error::{Error, Outage},
    events::{Event, EventCursor, EventFilter, FoundEvents, KeepEvents, KeptEvent},
    exec::{Command, Execs, Left, Line, Reader, Remote, Writer},
    export::Export,
    files::{
        Content, Download, EDITABLE, Entry as FileEntry, Failed as FailedTransfer, FileName, FilePath, Files, Form,
        Found as FoundFile, Inside, InvalidPath, Kind as FileKind, Listing, Looked, Means, Partial, Place as FilePlace,
        Put, Saved, Spool, Weight, mode_words,
    },
    ids::{ContainerId, ImageId, InvalidName, NetworkId, VolumeName, is_hex64 as is_id},
    images::{
        Declared, Found as FoundImage, Freshness, Gone, Image, ImageDetail, Images, Incoming as IncomingImages,
        Layer as ImageLayer, Source as ImageSource, Wanted, split_reference,
    },
    jobs::{Changes, Job, JobId, Jobs, Layer, Part, Progress, Stage, Step, StepState},
    logs::{
        Cursor, Filter, Follow, Found, InvalidCursor, InvalidSearch, Keep, KeptLog, Level, Line as LogLine, Logs,
        LongSearch, Mark, MarkKind, Matcher, News, Out, Painted, Painter, Place, Scan, Search, Style, Window, plain,
    },
    meter::Meter,
    networks::{Attachment, Joining, Network, Networks, NewNetwork, Range as NetworkRange, Subnet},
    own::Own,
    picture::{Link, Picture},
    processes::{Columns, Processes},
    reach::{
        HIDDEN, Holder, InvalidScope, Reach, Scope, Secrets, Watch, masked_network_options, masked_options,
        root_on_host,
    },
    registries::{Credentials, HUB, Keyring, Registries, Registry},
    removed::{KEPT_DAYS, Removed, Restored},
    replace::{Replacement, not_anew},
    stats::{Figures, Measure, Point, Range, Usage, Watcher},
    system::{
        Advisory, Disk, DiskUsage, EnginePart, Goes, IndexSettings, Info, Label, Plan, Plugins, RegistrySettings,
        Release, Runtime, Sum, Thing, UsedCache, UsedContainer, UsedImage, UsedVolume, Version, What, Wish,
    },
    volumes::{NewVolume, Sizes, Volume, Volumes},
};
use self::{containers::Details, live::Live, wire::Wire};

/// bollard's own timeout, above every deadline of ours.
const BOLLARD_TIMEOUT: u64 = 2 * 3_600;

/// How long what the engine says of itself is good for.
const FACTS: std::time::Duration = std::time::Duration::from_secs(5);

/// One engine, as far as the hand goes that holds it: see [`Reach`]. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    wire: Arc<Wire>,
    docker: Docker,
    live: Arc<Live>,
    jobs: Arc<jobs::Shelf>,
    sampler: Arc<stats::Sampler>,
    details: Arc<Details>,
    facts: Arc<fresh::Fresh<(), Info>>,
    files: Arc<files::Desk>,
    told: Arc<processes::Told>,
    walked: Arc<changes::Walked>,
    remembered: Arc<past::Remembered>,
    exports: export::Places,
    replacing: Arc<replace::Journal>,
    removed: Arc<removed::Bin>,
    kept_events: Arc<events::Keeping>,
    feeds: Arc<logs::Feeds>,
    shelf: Arc<logs::Shelf>,
    ledger: Arc<exec::Ledger>,
    keyring: Arc<std::sync::OnceLock<Arc<dyn Keyring>>>,
    keeping: tokio::task::AbortHandle,
    reach: Arc<Reach>,
    /// For whom it works, where people sign in: jobs carry the name.
    by: Option<Arc<str>>,
    views: Arc<reach::Views>,
}

impl Engine {
    /// Starts to keep a picture of the engine at this address. Answers at once: whether there is an engine is part
    /// of the picture. Needs a tokio runtime. The hand that gets it reaches everything.
    pub fn connect(address: Address) -> Result<Self, Error> {
        let wire = Arc::new(Wire::new(address));
        let transport = wire.clone();
        let send = move |request: BollardRequest| {
            let wire = transport.clone();
            async move { wire.send(request).await.map_err(Into::into) }
        };
        // The version is ours to negotiate: the wire writes it into each path.
        let version = ClientVersion { major_version: 1, minor_version: 53 };
        let docker = Docker::connect_with_custom_transport(send, Some("http://engine"), BOLLARD_TIMEOUT, &version)?;
        let kept_events = Arc::new(events::Keeping::default());
        let live = Arc::new(Live::new(wire.clone(), kept_events.clone()));
        let keeper = live.clone();
        let keeping = tokio::spawn(async move { keeper.keep().await }).abort_handle();
        Ok(Self {
            wire,
            docker,
            live,
            jobs: Arc::default(),
            sampler: Arc::default(),
            details: Arc::default(),
            facts: Arc::new(fresh::Fresh::new(FACTS)),
            files: files::Desk::shared(),
            told: Arc::default(),
            walked: Arc::default(),
            remembered: Arc::default(),
            exports: export::Places::default(),
            replacing: Arc::default(),
            removed: Arc::default(),
            kept_events,
            feeds: Arc::default(),
            shelf: Arc::default(),
            ledger: Arc::default(),
            keyring: Arc::default(),
            keeping,
            reach: Arc::new(Reach::everything()),
            by: None,
            views: Arc::default(),
        })
    }

    /// Stops to keep the picture, for the end of the program: what breaks then is no news.
    pub fn close(&self) {
        self.live.close();
        self.keeping.abort();
        self.save_history();
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        self.wire.address()
    }

    /// What has been asked of it, and what it has told, in numbers.
    pub fn meter(&self) -> &Meter {
        self.wire.meter()
    }

    /// Fails at once while the engine is away, where a call would wait for its deadline.
    fn reachable(&self) -> Result<(), Error> {
        match &self.live.picture().link {
            Link::Down { why, .. } if *why != Outage::Connecting => Err(Error::Unreachable(why.clone())),
            _ => Ok(()),
        }
    }

    /// The last events of a container, newest first.
    pub fn history(&self, id: &ContainerId) -> Vec<Arc<Event>> {
        if self.reaches_container(id).is_err() {
            return Vec::new();
        }
        self.live.history(id).iter().map(|event| self.reach.event(event)).collect()
    }

    /// Its containers.
    pub fn containers(&self) -> Containers<'_> {
        Containers(self)
    }

    /// Its logs.
    pub fn logs(&self) -> Logs<'_> {
        Logs(self)
    }

    /// Its images.
    pub fn images(&self) -> Images<'_> {
        Images(self)
    }

    /// The registries that it speaks to.
    pub fn registries(&self) -> Registries<'_> {
        Registries(self)
    }

    /// Its volumes.
    pub fn volumes(&self) -> Volumes<'_> {
        Volumes(self)
    }

    /// Its networks.
    pub fn networks(&self) -> Networks<'_> {
        Networks(self)
    }

    /// Commands inside its containers.
    pub fn execs(&self) -> Execs<'_> {
        Execs(self)
    }

    /// Our long work with it.
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs(self)
    }
}

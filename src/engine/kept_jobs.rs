//! Jobs outlive the console: each is a file in the data folder, written when it begins, while it works, and when it ends.
//!
//! What had not ended when the console did is *interrupted*: never done, for nobody saw it end (S080, S085). A job stays
//! for a week after its end, and there are [`MOST`] at most. Values of variables are not in the files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ContainerId, Engine, Error, Reach, Scope,
    jobs::{JobId, Layer, Part, Progress, Stage, Step, Work},
    private,
};

/// How long a job stays after its end.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many stay at most.
pub(super) const MOST: usize = 1_000;
/// Lines of one that are written down, and how long each may be, in letters.
const LINES: (usize, usize) = (400, 2_000);
/// How often one that works is written down.
const AGAIN: Duration = Duration::from_secs(2);
/// The largest file that is read.
const LARGEST: u64 = 8 << 20;

/// The folder of the files.
#[derive(Debug, Default)]
pub(super) struct Files {
    folder: Mutex<Option<PathBuf>>,
    /// Why they could not be written the last time.
    trouble: Mutex<Option<String>>,
}

/// A job as it stands in its file.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: JobId,
    /// When it was written.
    at: Timestamp,
    kind: String,
    title: String,
    command: String,
    by: Option<String>,
    scope: Vec<String>,
    began: Timestamp,
    ended: Option<Timestamp>,
    stage: KeptStage,
    layers: Vec<Layer>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    runs: Option<String>,
    #[serde(default)]
    image: Option<String>,
    parts: Vec<KeptPart>,
    freed: u64,
    moved: u64,
    lines: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptStage {
    Running,
    Done { container: Option<String> },
    Failed { error: Error, container: Option<String> },
    Cancelled,
    Interrupted,
}

#[derive(Serialize, Deserialize)]
struct KeptPart {
    name: String,
    container: Option<String>,
    result: Option<Result<String, Error>>,
}

fn id(text: Option<String>) -> Option<ContainerId> {
    text.and_then(|text| text.parse().ok())
}

impl Kept {
    fn of(work: &Work) -> Self {
        // As an administrator sees it who has not asked for values.
        let progress = Reach::admin().progress(work.progress());
        let text = |id: &Option<ContainerId>| id.as_ref().map(ToString::to_string);
        let skipped = progress.lines.len().saturating_sub(LINES.0);
        let part = |part: &Part| KeptPart {
            name: part.name.clone(),
            container: text(&part.container),
            result: part.result.clone(),
        };
        Self {
            id: work.id(),
            at: Timestamp::now(),
            stage: match &progress.stage {
                Stage::Running => KeptStage::Running,
                Stage::Done { container } => KeptStage::Done { container: text(container) },
                Stage::Failed { error, container } => {
                    KeptStage::Failed { error: error.clone(), container: text(container) }
                }
                Stage::Cancelled => KeptStage::Cancelled,
                Stage::Interrupted => KeptStage::Interrupted,
            },
            parts: progress.parts.iter().map(part).collect(),
            lines: progress.lines.iter().skip(skipped).map(|line| line.chars().take(LINES.1).collect()).collect(),
            kind: progress.kind.into_owned(),
            title: progress.title,
            command: progress.command,
            by: progress.by,
            scope: work.scope().iter().map(ToString::to_string).collect(),
            began: progress.began,
            ended: progress.ended,
            layers: progress.layers,
            steps: progress.steps,
            runs: progress.runs,
            image: progress.image.as_ref().map(ToString::to_string),
            freed: progress.freed,
            moved: progress.moved,
        }
    }

    /// The same as it is now; one that had not ended has been interrupted.
    fn into_work(self) -> Option<Work> {
        let scope = self.scope.iter().map(|part| part.parse::<Scope>().ok()).collect::<Option<Vec<_>>>()?;
        let (stage, ended) = match (self.stage, self.ended) {
            (KeptStage::Done { container }, Some(ended)) => (Stage::Done { container: id(container) }, ended),
            (KeptStage::Failed { error, container }, Some(ended)) => {
                (Stage::Failed { error, container: id(container) }, ended)
            }
            (KeptStage::Cancelled, Some(ended)) => (Stage::Cancelled, ended),
            // When it was last seen to work.
            (_, ended) => (Stage::Interrupted, ended.unwrap_or(self.at)),
        };
        let part = |part: KeptPart| Part { name: part.name, container: id(part.container), result: part.result };
        let progress = Progress {
            kind: self.kind.into(),
            title: self.title,
            command: self.command,
            by: self.by,
            began: self.began,
            ended: Some(ended),
            stage,
            layers: self.layers,
            steps: self.steps,
            runs: self.runs,
            parts: self.parts.into_iter().map(part).collect(),
            freed: self.freed,
            moved: self.moved,
            image: self.image.and_then(|id| id.parse().ok()),
            lines: self.lines.into(),
            version: 0,
        };
        Some(Work::ended_before(self.id, progress, scope))
    }
}

impl Files {
    fn path(folder: &Path, id: JobId) -> PathBuf {
        folder.join(format!("{id}.json"))
    }

    fn folder(&self) -> Option<PathBuf> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why jobs are not written down, if they are to be and cannot.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how a write went; a change of that is said once.
    fn note(&self, result: io::Result<()>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => {
                if trouble.take().is_some() {
                    tracing::info!("jobs are written down again");
                }
            }
            Err(error) => {
                let folder = self.folder().unwrap_or_default().display().to_string();
                let why = format!("{folder}: {error}");
                if trouble.replace(why.clone()).is_none() {
                    tracing::warn!(why, "jobs cannot be written down: a restart will forget them");
                }
            }
        }
    }

    /// Writes one down. It waits for the disk.
    pub(super) fn write(&self, work: &Work) {
        let Some(folder) = self.folder() else { return };
        let write = || {
            private::folder(&folder)?;
            private::write(&Self::path(&folder, work.id()), &serde_json::to_vec(&Kept::of(work))?)
        };
        self.note(write());
    }

    /// Drops those that are forgotten. The newest number stays, so that none is given out twice.
    pub(super) fn forget(&self, ids: &[JobId]) {
        let Some(folder) = self.folder() else { return };
        for id in ids {
            let _ = fs::remove_file(Self::path(&folder, *id));
        }
    }

    /// What an earlier console has written, in its order.
    fn read(folder: &Path) -> io::Result<Vec<Work>> {
        private::folder(folder)?;
        let mut found = Vec::new();
        for path in private::records(folder)? {
            if !fs::symlink_metadata(&path).is_ok_and(|about| about.is_file() && about.len() <= LARGEST) {
                continue;
            }
            let kept = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
            if let Some(work) = kept.and_then(Kept::into_work) {
                found.push(work);
            } else {
                tracing::warn!(file = path.display().to_string(), "a job that cannot be read is not shown");
            }
        }
        found.sort_by_key(Work::id);
        Ok(found)
    }
}

impl Engine {
    /// From now on jobs are written down in this folder; those of an earlier console are there again.
    pub fn keep_jobs(&self, folder: PathBuf) {
        let found = Files::read(&folder);
        *self.jobs.files.folder.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder);
        match found {
            Ok(found) => {
                for work in found {
                    let work = Arc::new(work);
                    if matches!(work.progress().stage, Stage::Interrupted) {
                        self.jobs.files.write(&work);
                    }
                    self.jobs.adopt(work);
                }
            }
            Err(error) => self.jobs.files.note(Err(error)),
        }
        self.jobs.tidy();
    }

    /// Writes a job down until it has ended.
    pub(super) async fn keep_job(&self, work: Arc<Work>) {
        let mut watch = work.watch();
        while watch.borrow_and_update().ended.is_none() {
            if watch.changed().await.is_err() {
                return;
            }
            // What comes at once is written at once.
            let _ = tokio::time::timeout(AGAIN, watch.wait_for(|progress| progress.ended.is_some())).await;
            let (shelf, this) = (self.jobs.clone(), work.clone());
            let _ = tokio::task::spawn_blocking(move || shelf.files.write(&this)).await;
        }
    }
}

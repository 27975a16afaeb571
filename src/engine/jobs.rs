//! Long work: it shows its progress, can be cancelled, and outlives the tab that started it.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::{
    ContainerId, Engine, Error, ImageId, Reach, Scope,
    kept_jobs::{Files, KEPT, MOST},
};

/// How many lines and layers of one job are kept.
const LINES: usize = 1_000;

/// A job's number, as in `/jobs/7`.
pub type JobId = u64;

/// A long piece of work, as far as the hand goes that holds it. Cheap to clone.
#[derive(Clone)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    work: Arc<Work>,
    reach: Arc<Reach>,
}

/// The work itself, whoever looks.
#[derive(Debug)]
pub(super) struct Work {
    id: JobId,
    state: watch::Sender<Progress>,
    cancel: Notify,
    /// Tells it from others, where somebody who asks for the same joins it.
    key: Option<String>,
    /// What they see who started it.
    scope: Vec<Scope>,
}

/// Follows a job.
pub struct Changes {
    changes: watch::Receiver<Progress>,
    reach: Arc<Reach>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id).field("progress", &self.progress()).finish_non_exhaustive()
    }
}

impl Changes {
    /// Waits for a change that was not taken from here yet.
    pub async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        self.changes.changed().await
    }

    /// How far it is.
    pub fn progress(&mut self) -> Progress {
        let progress = self.changes.borrow_and_update().clone();
        self.reach.progress(progress)
    }
}

/// How far a job is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Its kind: run, stop, commit, export, ...
    pub kind: Cow<'static, str>,
    /// What it does, in words.
    pub title: String,
    /// The docker command that does the same.
    pub command: String,
    /// Who began it, where people sign in.
    pub by: Option<String>,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Where it stands.
    pub stage: Stage,
    /// The layers of an image on its way.
    pub layers: Vec<Layer>,
    /// The steps of a build.
    pub steps: Vec<Step>,
    /// What the image that was built is run by.
    pub runs: Option<String>,
    /// The parts of work on many.
    pub parts: Vec<Part>,
    /// Bytes that it has freed, where sizes were known.
    pub freed: u64,
    /// Bytes that it has sent, or taken, so far.
    pub moved: u64,
    /// The image that came of it.
    pub image: Option<ImageId>,
    /// What was said on the way.
    pub lines: VecDeque<String>,
    /// Grows with each change.
    pub version: u64,
}

/// Where a job stands.
#[derive(Debug, Clone)]
pub enum Stage {
    /// It works.
    Running,
    /// It did what was asked.
    Done {
        /// The container that came of it.
        container: Option<ContainerId>,
    },
    /// It did not.
    Failed {
        /// Why.
        error: Error,
        /// The container that there is all the same.
        container: Option<ContainerId>,
    },
    /// Somebody cancelled it.
    Cancelled,
    /// The console ended while it worked: what came of it, nobody saw.
    Interrupted,
}

/// A layer of an image on its way here, or to a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its short id.
    pub id: String,
    /// What the engine says of it: Downloading, Extracting, Pull complete, ...
    pub status: String,
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all; 0 where not known.
    pub total: u64,
}

impl Layer {
    /// Whether it is here.
    pub fn is_complete(&self) -> bool {
        let done =
            ["Pull complete", "Already exists", "Download complete", "Pushed", "Layer already exists", "Mounted from"];
        done.iter().any(|word| self.status.starts_with(word))
    }
}

/// How many lines of a step are kept: the newest.
const STEP_LINES: usize = 300;
/// How many steps of a build are kept.
const STEPS: usize = 500;

/// A step of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it does, in the Dockerfile's words.
    pub name: String,
    /// How it stands.
    pub state: StepState,
    /// How long it took, in milliseconds, once that is known.
    pub took: Option<u64>,
    /// What it has written: the newest lines.
    pub lines: VecDeque<String>,
}

/// How a step of a build stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It runs.
    Running,
    /// It was done before, and is not done again.
    Cached,
    /// It is done.
    Done,
    /// It went wrong.
    Failed,
}

impl StepState {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Cached => "cached",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Step {
    /// Adds a line.
    pub(super) fn write(&mut self, line: String) {
        self.lines.push_back(line);
        if self.lines.len() > STEP_LINES {
            self.lines.pop_front();
        }
    }
}

/// One of many things that a job works on.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The container it is, if it is one.
    pub container: Option<ContainerId>,
    /// How it ended; none while it waits or works.
    pub result: Option<Result<String, Error>>,
}

impl Job {
    /// As it stands now.
    pub fn progress(&self) -> Progress {
        self.reach.progress(self.work.progress())
    }

    /// To follow it.
    pub fn watch(&self) -> Changes {
        Changes { changes: self.work.state.subscribe(), reach: self.reach.clone() }
    }

    /// Ends it before its time. What the engine has done by then stays done.
    pub fn cancel(&self) -> Result<(), Error> {
        self.reach.may_operate()?;
        self.work.cancel.notify_one();
        Ok(())
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Progress {
        let mut watch = self.work.state.subscribe();
        let _ = watch.wait_for(|progress| progress.ended.is_some()).await;
        self.progress()
    }
}

impl Work {
    /// One that an earlier console has written down.
    pub(super) fn ended_before(id: JobId, progress: Progress, scope: Vec<Scope>) -> Self {
        Self { id, state: watch::Sender::new(progress), cancel: Notify::new(), key: None, scope }
    }

    /// One that nobody has written down.
    pub(super) fn unheard(id: JobId) -> Self {
        let progress =
            Progress { stage: Stage::Interrupted, ended: Some(Timestamp::now()), ..Progress::new("replace") };
        Self::ended_before(id, progress, Vec::new())
    }

    pub(super) fn id(&self) -> JobId {
        self.id
    }

    pub(super) fn scope(&self) -> &[Scope] {
        &self.scope
    }

    pub(super) fn watch(&self) -> watch::Receiver<Progress> {
        self.state.subscribe()
    }

    pub(super) fn progress(&self) -> Progress {
        self.state.borrow().clone()
    }

    pub(super) fn say(&self, line: &str) {
        if !line.is_empty() {
            self.change(|progress| {
                progress.lines.push_back(line.to_owned());
                if progress.lines.len() > LINES {
                    progress.lines.pop_front();
                }
            });
        }
    }

    pub(super) fn step(&self, place: usize, step: Step) {
        self.change(|progress| {
            if progress.steps.len() <= place && place < STEPS {
                progress.steps.resize(place + 1, Step::default());
            }
            if let Some(slot) = progress.steps.get_mut(place) {
                *slot = step;
            }
        });
    }

    /// Says what the image that was built is run by.
    pub(super) fn makes(&self, reference: Option<String>) {
        self.change(|progress| progress.runs = reference);
    }

    pub(super) fn layer(&self, place: usize, layer: Layer) {
        self.change(|progress| {
            if progress.layers.len() <= place && place < LINES {
                progress.layers.resize(place + 1, Layer::default());
            }
            if let Some(slot) = progress.layers.get_mut(place) {
                // Only Downloading and Extracting carry sizes; what is complete keeps the ones it had.
                let total = if layer.total == 0 { slot.total } else { layer.total };
                let done = if layer.is_complete() { total } else { layer.done };
                *slot = Layer { done, total, ..layer };
            }
        });
    }

    pub(super) fn part(&self, place: usize, result: Result<String, Error>) {
        self.change(|progress| {
            if let Some(part) = progress.parts.get_mut(place) {
                part.result = Some(result);
            }
        });
    }

    pub(super) fn freed(&self, bytes: u64) {
        self.change(|progress| progress.freed += bytes);
    }

    pub(super) fn made(&self, image: Option<ImageId>) {
        self.change(|progress| progress.image = image);
    }

    pub(super) fn moved(&self, bytes: u64) {
        self.change(|progress| progress.moved = bytes);
    }

    fn end(&self, stage: Stage) {
        self.change(|progress| {
            progress.stage = stage;
            progress.ended = Some(Timestamp::now());
        });
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        self.state.send_modify(|progress| {
            change(progress);
            progress.version += 1;
        });
    }
}

impl Progress {
    fn new(kind: &'static str) -> Self {
        Self {
            kind: kind.into(),
            title: String::new(),
            command: String::new(),
            by: None,
            began: Timestamp::now(),
            ended: None,
            stage: Stage::Running,
            layers: Vec::new(),
            steps: Vec::new(),
            runs: None,
            parts: Vec::new(),
            freed: 0,
            moved: 0,
            image: None,
            lines: VecDeque::new(),
            version: 0,
        }
    }

    /// How many parts failed.
    pub fn failures(&self) -> usize {
        self.parts.iter().filter(|part| matches!(part.result, Some(Err(_)))).count()
    }
}

/// All jobs of one engine, newest last.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    jobs: Mutex<(JobId, VecDeque<Arc<Work>>)>,
    /// Where they are written down.
    pub(super) files: Files,
}

impl Shelf {
    fn jobs(&self) -> MutexGuard<'_, (JobId, VecDeque<Arc<Work>>)> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of them, whoever may see it.
    pub(super) fn work(&self, id: JobId) -> Option<Arc<Work>> {
        self.jobs().1.iter().find(|work| work.id == id).cloned()
    }

    /// Takes in a job of an earlier console.
    pub(super) fn adopt(&self, work: Arc<Work>) {
        let mut jobs = self.jobs();
        jobs.0 = jobs.0.max(work.id);
        // Those that have begun here meanwhile are newer.
        let place = jobs.1.iter().position(|other| other.id > work.id).unwrap_or(jobs.1.len());
        jobs.1.insert(place, work);
    }

    /// Forgets what ended a week ago, and the oldest where there are too many. The newest stays.
    pub(super) fn tidy(&self) {
        let mut forgotten = Vec::new();
        let mut jobs = self.jobs();
        let (now, newest) = (Timestamp::now(), jobs.0);
        let mut more = jobs.1.len().saturating_sub(MOST);
        jobs.1.retain(|work| {
            let ended = work.state.borrow().ended;
            let is_old = ended.is_some_and(|ended| now.duration_since(ended) > KEPT || more > 0) && work.id != newest;
            if is_old {
                more = more.saturating_sub(1);
                forgotten.push(work.id);
            }
            !is_old
        });
        drop(jobs);
        self.files.forget(&forgotten);
    }

    /// What they see who started those that have not ended.
    fn working(&self) -> Vec<Vec<Scope>> {
        let jobs = self.jobs();
        let working = jobs.1.iter().filter(|work| work.state.borrow().ended.is_none());
        working.map(|work| work.scope.clone()).collect()
    }
}

/// The jobs of one engine.
pub struct Jobs<'a>(pub(super) &'a Engine);

impl Jobs<'_> {
    /// All that are kept, newest first: those of people who see the same.
    pub fn list(&self) -> Vec<Job> {
        self.0.jobs.tidy();
        let shelf = self.0.jobs.jobs();
        let ours = shelf.1.iter().rev().filter(|work| self.0.reach.takes_work_of(&work.scope));
        ours.map(|work| self.handle(work)).collect()
    }

    fn handle(&self, work: &Arc<Work>) -> Job {
        Job { id: work.id, work: work.clone(), reach: self.0.reach.clone() }
    }

    /// One of them.
    pub fn get(&self, id: JobId) -> Result<Job, Error> {
        self.list()
            .into_iter()
            .find(|job| job.id == id)
            .ok_or_else(|| Error::NotFound(format!("there is no job {id}; ended jobs are forgotten after a week")))
    }

    /// How many there are that have not ended, whoever started them.
    pub fn running(&self) -> usize {
        self.0.jobs.working().len()
    }

    /// Why jobs are not written down, if they are to be and cannot: a restart will forget them.
    pub fn trouble(&self) -> Option<String> {
        self.0.jobs.files.trouble()
    }

    /// Starts a job of this kind, a word to count it by. `work` gets the job to report to; it is dropped where it stands when the job is cancelled.
    pub(super) fn start<W>(
        &self,
        kind: &'static str,
        title: String,
        command: String,
        parts: Vec<Part>,
        work: impl FnOnce(Engine, Arc<Work>) -> W,
    ) -> Job
    where
        W: Future<Output = Stage> + Send + 'static,
    {
        self.start_or_join(None, kind, title, command, parts, work).0
    }

    /// The same, but who asks for what goes on already, by its key, gets that job, and `true`.
    pub(super) fn start_or_join<W>(
        &self,
        key: Option<String>,
        kind: &'static str,
        title: String,
        command: String,
        parts: Vec<Part>,
        work: impl FnOnce(Engine, Arc<Work>) -> W,
    ) -> (Job, bool)
    where
        W: Future<Output = Stage> + Send + 'static,
    {
        let by = self.0.by.as_ref().map(ToString::to_string);
        let progress = Progress { title, command, by, parts, ..Progress::new(kind) };
        let job = {
            let mut shelf = self.0.jobs.jobs();
            let is_same = |job: &&Arc<Work>| {
                key.is_some()
                    && job.key == key
                    && job.state.borrow().ended.is_none()
                    && self.0.reach.takes_work_of(&job.scope)
            };
            if let Some(job) = shelf.1.iter().find(is_same) {
                return (self.handle(job), true);
            }
            shelf.0 += 1;
            let job = Arc::new(Work {
                id: shelf.0,
                key,
                state: watch::Sender::new(progress),
                cancel: Notify::new(),
                scope: self.0.reach.scope.clone(),
            });
            shelf.1.push_back(job.clone());
            job
        };
        self.0.jobs.tidy();
        // Before anything is done: a console that ends in the next moment leaves it as interrupted, not as unheard of.
        self.0.jobs.files.write(&job);
        self.0.live.set_working(self.0.jobs.working());
        let (keeper, kept) = (self.0.clone(), job.clone());
        tokio::spawn(async move { keeper.keep_job(kept).await });
        // A fault of ours ends it too: else its page would say for ever that it works.
        let work = AssertUnwindSafe(work(self.0.clone(), job.clone())).catch_unwind();
        let (running, wire, engine) = (job.clone(), self.0.wire.clone(), self.0.clone());
        tokio::spawn(async move {
            let stage = tokio::select! {
                stage = work => stage.unwrap_or_else(|_| Stage::Failed {
                    error: Error::Engine { status: 500, message: "something went wrong inside this console".to_owned() },
                    container: None,
                }),
                () = running.cancel.notified() => Stage::Cancelled,
            };
            // Whoever sees that it has ended finds it counted.
            wire.meter().job(kind, &stage);
            running.end(stage);
            engine.live.set_working(engine.jobs.working());
        });
        (self.handle(&job), false)
    }
}

//! A container is made anew in place of itself, and is never lost: the old one is kept until the new one has shown that
//! it runs. Whatever goes wrong before that, the end of this console included (S085), ends with the old one as it was.
//!
//! While it lasts, the new one has the old one's name (whatever its own will be) with `.new-` and the start of the old id
//! behind it, and the old one, once it has given its name up, `.old-` and that. What is under way stands in a file until
//! it has ended either way.

use std::{
    fs, io,
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    Action, ContainerId, Engine, Error, Filter, ImageId, Place, Wanted,
    containers::{Detail, State, Verb},
    jobs::{Job, JobId, Jobs, Stage, Step, StepState, Work},
    logs::plain,
    private,
    spec::Spec,
};

/// How often a new container is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long a health check has to come to a result at most.
const HEALTH: Duration = Duration::from_mins(10);
/// Lines of its log that tell why it did not run.
const LINES: usize = 20;

/// How a container is to be made anew.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// Which.
    pub old: ContainerId,
    /// What comes in its place; without a name, under the same.
    pub spec: Spec,
    /// Whether its image is fetched first, even if there is one.
    pub pull: bool,
    /// Whether nothing is to be done if the image is the one that it has.
    pub only_newer: bool,
    /// How long the new one has to stay up, where no health check says that it is well.
    pub watch: Duration,
    /// Who has its network (`--network container:…`), and has none without it: made anew after it, with that of the new
    /// one.
    pub followers: Vec<Replacement>,
}

/// Why a container cannot be made anew: it could not be kept meanwhile.
pub fn not_anew(auto_remove: bool, state: &State) -> Option<&'static str> {
    if auto_remove {
        Some("it is removed when it ends (--rm), and could not be kept while the new one is tried.")
    } else if *state == State::Paused {
        Some("it is paused. Unpause it first: a frozen program cannot end.")
    } else {
        None
    }
}

/// What is under way, as it stands in its file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    job: JobId,
    name: String,
    old: String,
    new: Option<String>,
    was_running: bool,
    /// The old one may have been asked to end: the engine goes on with that, whoever asked it.
    #[serde(default)]
    is_ending: bool,
    /// Who runs and has its network: cut off from it whenever the old one ends.
    #[serde(default)]
    sharers: Vec<String>,
    /// The new one has shown that it runs: there is no way back any more, and none is needed.
    #[serde(default)]
    has_shown: bool,
}

impl Note {
    fn short(&self) -> &str {
        self.old.get(..12).unwrap_or(&self.old)
    }

    fn new_name(&self) -> String {
        format!("{}.new-{}", self.name, self.short())
    }

    fn old_name(&self) -> String {
        format!("{}.old-{}", self.name, self.short())
    }
}

/// Where it is written down what is under way.
#[derive(Debug, Default)]
pub(super) struct Journal(OnceLock<PathBuf>);

impl Journal {
    fn path(&self, note: &Note) -> Option<PathBuf> {
        self.0.get().map(|folder| folder.join(format!("{}.json", note.old)))
    }

    fn write(&self, note: &Note) -> Result<(), Error> {
        let Some(path) = self.path(note) else { return Ok(()) };
        let write = || private::write_through(&path, &serde_json::to_vec(note)?);
        write().map_err(|error: io::Error| Error::Engine {
            status: 507,
            message: format!(
                "what is about to be done cannot be written down ({error}), so that a crash could not be mended"
            ),
        })
    }

    fn forget(&self, note: &Note) {
        if let Some(path) = self.path(note) {
            let _ = fs::remove_file(path);
        }
    }

    fn read(&self) -> Vec<Note> {
        let files = self.0.get().and_then(|folder| private::records(folder).ok());
        let texts = files.into_iter().flatten().filter_map(|path| fs::read(path).ok());
        texts.filter_map(|text| serde_json::from_slice(&text).ok()).collect()
    }
}

/// The steps of a job, as they are done.
struct Board<'a> {
    job: &'a Work,
    count: usize,
}

impl Board<'_> {
    /// Does one, which is told as this docker command.
    async fn step<T>(&mut self, command: String, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let (place, began) = (self.count, Instant::now());
        self.count += 1;
        let step = Step { name: command, state: StepState::Running, ..Step::default() };
        self.job.step(place, step.clone());
        let result = work.await;
        let took = u64::try_from(began.elapsed().as_millis()).ok();
        let state = if result.is_ok() { StepState::Done } else { StepState::Failed };
        let mut step = Step { state, took, ..step };
        if let Err(error) = &result {
            error.to_string().lines().for_each(|line| step.write(line.to_owned()));
        }
        self.job.step(place, step);
        result
    }
}

impl Jobs<'_> {
    /// Makes a container anew.
    ///
    /// # Errors
    /// [`Error::Conflict`] for one that could not be kept, it or a follower: it is removed when it ends, or is paused;
    /// those of [`super::Containers::create`] for what may not be made.
    pub async fn replace(&self, mut wanted: Replacement, command: String) -> Result<Job, Error> {
        let note = self.prepare(&mut wanted).await?;
        let mut followers = Vec::new();
        for follower in &mut wanted.followers {
            followers.push(self.prepare(follower).await?);
        }
        let title = format!("Make {} anew", note.name);
        let key = Some(format!("replace {}", wanted.old));
        let work = move |engine: Engine, job: std::sync::Arc<Work>| async move {
            let of_job = |note| Note { job: job.id(), ..note };
            let (note, followers) = (of_job(note), followers.into_iter().map(of_job).collect());
            // It goes on to its end when the job is cancelled: back, then.
            let (stays, leaves) = oneshot::channel();
            let end =
                tokio::spawn(async move { Box::pin(engine.replace(&job, wanted, note, followers, leaves)).await })
                    .await;
            drop(stays);
            end.unwrap_or_else(|error| Stage::Failed {
                error: Error::Engine { status: 500, message: error.to_string() },
                container: None,
            })
        };
        Ok(self.start_or_join(key, "replace", title, command, Vec::new(), work).0)
    }

    /// Whether it may be made anew, and could be kept meanwhile; what is written down of it.
    async fn prepare(&self, wanted: &mut Replacement) -> Result<Note, Error> {
        let engine = self.0;
        engine.reach.may_operate()?;
        engine.reaches_container(&wanted.old)?;
        let picture = engine.live.picture();
        picture.guard_container(&wanted.old, Verb::Remove)?;
        let Some(old) = picture.containers.get(&wanted.old) else {
            return Err(Error::NotFound("this container is not there any more".to_owned()));
        };
        let detail = engine.containers().whole(&wanted.old).await?;
        if let Some(why) = not_anew(detail.auto_remove, &old.state) {
            return Err(Error::Conflict(format!("{}: {why}", old.name)));
        }
        wanted.spec = engine.containers().admit(&wanted.spec).await?;
        engine.reach.may_pull(&wanted.spec.image)?;
        let sharers = picture.sharers_of(old).filter(|other| other.state.is_up());
        Ok(Note {
            job: 0,
            name: old.name.clone(),
            old: wanted.old.to_string(),
            new: None,
            is_ending: false,
            sharers: sharers.map(|other| other.id.to_string()).collect(),
            has_shown: false,
            was_running: matches!(old.state, State::Running | State::Restarting),
        })
    }
}

impl Engine {
    async fn replace(
        &self,
        job: &Work,
        wanted: Replacement,
        note: Note,
        followers: Vec<Note>,
        leaves: oneshot::Receiver<()>,
    ) -> Stage {
        let mut board = Board { job, count: 0 };
        let leaves = leaves.map(drop).shared();
        let container = match self.exchange(&mut board, &wanted, note, leaves.clone()).await {
            Ok(container) => container,
            Err(error) => return Stage::Failed { error: self.told(error), container: Some(wanted.old) },
        };
        // Where it is the newest already, nobody has lost anything.
        let followers = wanted.followers.into_iter().zip(followers).filter(|_| container != wanted.old);
        for (mut follower, note) in followers {
            let name = note.name.clone();
            follower.spec.host_config.network_mode = format!("container:{container}");
            if let Err(error) = self.exchange(&mut board, &follower, note, leaves.clone()).await {
                job.say(&format!("{name} was not made anew, and has no network: {}", self.told(error)));
            }
        }
        Stage::Done { container: Some(container) }
    }

    /// One for the other, or the old one as it was. Which one is there then.
    async fn exchange(
        &self,
        board: &mut Board<'_>,
        wanted: &Replacement,
        mut note: Note,
        leaves: impl Future<Output = ()>,
    ) -> Result<ContainerId, Error> {
        let result = tokio::select! {
            result = self.forth(board, wanted, &mut note) => result,
            () = leaves => Err(Error::Conflict("It was cancelled.".to_owned())),
        };
        match &result {
            Ok(_) if note.has_shown => self.clear_away(board, &note).await,
            Ok(_) => {}
            Err(_) => self.back(board, &note).await,
        }
        result
    }

    /// Step by step to the new one.
    async fn forth(&self, board: &mut Board<'_>, wanted: &Replacement, note: &mut Note) -> Result<ContainerId, Error> {
        let (containers, id) = (self.containers(), &wanted.old);
        let reference = &wanted.spec.image;
        if wanted.pull || !self.images().has(reference).await? {
            let image = Wanted { platform: wanted.spec.platform.clone(), ..Wanted::plain(reference) };
            let job = board.job;
            board.step(format!("docker pull {reference}"), self.images().pull(job, &image)).await?;
            self.live.read_back_images().await;
        }
        let before = containers.whole(id).await?;
        let had = before.raw.get("Image").and_then(Value::as_str).and_then(|id| id.parse::<ImageId>().ok());
        let is_same = self.live.picture().image_of(reference).is_some_and(|image| Some(&image.id) == had.as_ref());
        if wanted.only_newer && is_same {
            board.job.say(&format!("{} has the newest {reference} already: nothing was changed.", note.name));
            return Ok(id.clone());
        }
        self.replacing.write(note)?;
        let spec = Spec { name: Some(note.new_name()), ..wanted.spec.clone() };
        let create = format!("docker create --name {} … {reference}", note.new_name());
        let made = board.step(create, Box::pin(containers.create(&spec))).await?;
        made.warnings.iter().for_each(|warning| board.job.say(warning));
        let new = made.id;
        note.new = Some(new.to_string());
        self.replacing.write(note)?;
        let rename = |name: String| Action::Rename { name };
        let words = format!("docker rename {} {}", note.name, note.old_name());
        board.step(words, containers.act(id, rename(note.old_name()))).await?;
        if note.was_running {
            note.is_ending = true;
            self.replacing.write(note)?;
            let stop = containers.act(id, Action::Stop { timeout: None });
            board.step(format!("docker stop {}", note.old_name()), stop).await?;
        }
        let name = wanted.spec.name.clone().unwrap_or_else(|| note.name.clone());
        let words = format!("docker rename {} {name}", note.new_name());
        board.step(words, containers.act(&new, rename(name.clone()))).await?;
        if note.was_running {
            let start = containers.act(&new, Action::Start);
            board.step(format!("docker start {name}"), start).await?;
            board.step(format!("docker inspect {name}  # does it run?"), self.stays_up(&new, wanted.watch)).await?;
        }
        self.replacing.write(&Note { has_shown: true, ..note.clone() })?;
        note.has_shown = true;
        Ok(new)
    }

    /// Removes the old one, once the new one has shown that it runs.
    async fn clear_away(&self, board: &mut Board<'_>, note: &Note) {
        let remove = Action::Remove { force: true, volumes: false, link: false };
        let old = note.old.parse().ok();
        // Not by `act`: that would keep it among what was removed, and what it was is there.
        if let Some(old) = &old {
            self.keep_end(old).await;
        }
        let containers = self.containers();
        let words = format!("docker rm {}", note.old_name());
        let removed = board.step(words, Box::pin(containers.call(&note.old, &remove))).await;
        if let Some(old) = &old {
            self.live.end(old).await;
        }
        if let Err(error) = removed {
            board.job.say(&format!("{} is still there, and can be removed: {error}", note.old_name()));
        }
        self.replacing.forget(note);
    }

    /// Waits until a new container has shown that it runs: its health check says so, or it has stayed up for so long.
    async fn stays_up(&self, id: &ContainerId, watch: Duration) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            let raw: Value = self.wire.get(&format!("/containers/{id}/json")).await?;
            let detail = Detail::read(raw)?;
            let health =
                detail.raw.pointer("/State/Health/Status").and_then(Value::as_str).unwrap_or_default().to_owned();
            let has_check = matches!(health.as_str(), "starting" | "healthy" | "unhealthy");
            let why = match detail.state {
                State::Running if detail.restarts == 0 && health != "unhealthy" => None,
                State::Running if health == "unhealthy" => {
                    Some("Its health check says that it is unhealthy.".to_owned())
                }
                _ => Some(format!("It did not stay up: it ended with exit code {}.", detail.exit_code)),
            };
            if let Some(why) = why {
                return Err(Error::Conflict(format!("{why}{}", self.last_words(id).await)));
            }
            if health == "healthy" || !has_check && began.elapsed() >= watch {
                return Ok(());
            }
            if began.elapsed() > HEALTH.max(watch) {
                return Err(Error::Conflict("Its health check came to no result within ten minutes.".to_owned()));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The end of its log: it goes with the container.
    async fn last_words(&self, id: &ContainerId) -> String {
        let window = self.logs().window(std::slice::from_ref(id), Place::End, LINES, &Filter::default()).await;
        let lines = window.map(|window| window.lines).unwrap_or_default();
        let text = lines.iter().map(|found| plain(&found.line.text).chars().take(500).collect::<String>());
        let text: Vec<String> = text.collect();
        if text.is_empty() { String::new() } else { format!(" It wrote:\n{}", text.join("\n")) }
    }

    /// Back to the old one, for as long as it takes: an engine that is away is waited for.
    async fn back(&self, board: &mut Board<'_>, note: &Note) {
        loop {
            match self.put_back(board, note).await {
                Ok(words) => {
                    board.job.say(&words);
                    break;
                }
                Err(error) if error.is_outage() => {
                    let mut picture = self.live.watch();
                    let _ = picture.wait_for(|picture| picture.link.is_live()).await;
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => {
                    board.job.say(&format!("{} could not be put back: {error}", note.name));
                    tracing::error!(name = note.name, error = error.to_string(), "a container could not be put back");
                    break;
                }
            }
        }
        self.replacing.forget(note);
    }

    /// Looks at what there is, and does what is missing: it may have been begun before.
    async fn put_back(&self, board: &mut Board<'_>, note: &Note) -> Result<String, Error> {
        let containers = self.containers();
        let find = async |name: &str| match self.wire.get::<Value>(&format!("/containers/{name}/json")).await {
            Ok(raw) => Detail::read(raw).map(Some),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        };
        let name_of = |detail: &Detail| {
            detail.raw.get("Name").and_then(Value::as_str).unwrap_or_default().trim_start_matches('/').to_owned()
        };
        let Some(old) = find(&note.old).await? else {
            return Ok(format!("The old {} is not there any more: nothing could be put back.", note.name));
        };
        let new = match &note.new {
            Some(new) => find(new).await?,
            None => find(&note.new_name()).await?,
        };
        if let Some(new) = new {
            let id = new.raw.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned();
            // With the volumes that were made for it alone: those of the old one have a name by now.
            let remove = Action::Remove { force: true, volumes: true, link: false };
            let done =
                board.step(format!("docker rm -f -v {}", name_of(&new)), Box::pin(containers.call(&id, &remove))).await;
            if !matches!(done, Err(Error::NotFound(_))) {
                done?;
            }
            if let Ok(id) = id.parse() {
                let _ = self.live.read_back(&[id]).await;
            }
        }
        let mut had = name_of(&old);
        if had != note.name {
            let rename = Action::Rename { name: note.name.clone() };
            board
                .step(format!("docker rename {had} {}", note.name), Box::pin(containers.call(&note.old, &rename)))
                .await?;
            had.clone_from(&note.name);
        }
        let mut words = format!("{} is there as before.", note.name);
        if note.was_running {
            words = format!("{} runs as before.", note.name);
            if note.is_ending && old.state == State::Running {
                // Started now, it would be ended by what was asked before: that has to come to its end first.
                let stop = Action::Stop { timeout: None };
                board.step(format!("docker stop {had}"), Box::pin(containers.call(&note.old, &stop))).await?;
            }
            if note.is_ending || old.state != State::Running {
                board.step(format!("docker start {had}"), Box::pin(containers.call(&note.old, &Action::Start))).await?;
                words.push_str(&self.join_again(board, note).await);
            }
        }
        if let Ok(id) = note.old.parse() {
            self.live.end(&id).await;
        }
        Ok(words)
    }

    /// Starts those again that have the network of one that has ended meanwhile, and are cut off from it. What became of
    /// them.
    async fn join_again(&self, board: &mut Board<'_>, note: &Note) -> String {
        let mut told = Vec::new();
        for sharer in &note.sharers {
            let Ok(id) = sharer.parse::<ContainerId>() else { continue };
            let Some(name) = self.live.picture().containers.get(&id).map(|sharer| sharer.name.clone()) else {
                continue;
            };
            let restart = Action::Restart { timeout: None };
            let done =
                board.step(format!("docker restart {name}"), Box::pin(self.containers().call(sharer, &restart))).await;
            self.live.end(&id).await;
            told.push(match done {
                Ok(_) => format!(" {name}, which has its network, was started again with it."),
                Err(error) => format!(" {name}, which has its network, could not be started again with it: {error}"),
            });
        }
        told.concat()
    }

    /// From now on it is written down in this folder what is under way; what an earlier console has left half done is put
    /// back as soon as there is an engine.
    ///
    /// # Errors
    /// What the folder's making says.
    pub fn keep_replacements(&self, folder: PathBuf) -> io::Result<()> {
        private::folder(&folder)?;
        let _ = self.replacing.0.set(folder);
        for note in self.replacing.read() {
            let engine = self.clone();
            tokio::spawn(async move {
                let mut picture = engine.live.watch();
                let _ = picture.wait_for(|picture| picture.link.is_live()).await;
                drop(picture);
                let job = engine.jobs.work(note.job);
                let job = job.unwrap_or_else(|| std::sync::Arc::new(Work::unheard(note.job)));
                let mut board = Board { count: job.progress().steps.len(), job: &job };
                tracing::warn!(name = note.name, "a container was being made anew when the console ended");
                if note.has_shown {
                    engine.clear_away(&mut board, &note).await;
                } else {
                    engine.back(&mut board, &note).await;
                }
                engine.jobs.files.write(&job);
            });
        }
        Ok(())
    }
}

//! What can be done to a container that exists.

use std::time::Duration;

use bollard::query_parameters::{
    KillContainerOptions, RemoveContainerOptions, RenameContainerOptions, RestartContainerOptions,
    StartContainerOptions, StopContainerOptions,
};

use super::{Containers, Signal, Verb};
use crate::engine::{ContainerId, Error, VolumeName, ids::is_hex64, wire::ACT};

/// How long the engine waits before it kills, where nothing is said. Source: moby, `container.DefaultStopTimeout`.
const STOP_TIMEOUT: u32 = 10;
/// Longest wait that may be asked for: an hour. Never negative, which would be for ever (S076).
pub const LONGEST_WAIT: u32 = 3_600;

/// Something to do to a container, with what has to be said for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Run it.
    Start,
    /// Ask it to end, wait `timeout` seconds (the container's own wait, or ten, where none is said), then kill it.
    Stop {
        /// Seconds to wait.
        timeout: Option<u32>,
    },
    /// Stop it, then start it.
    Restart {
        /// Seconds to wait.
        timeout: Option<u32>,
    },
    /// Send it a signal.
    Kill {
        /// Which.
        signal: Signal,
    },
    /// Freeze it.
    Pause,
    /// Let it go on.
    Unpause,
    /// Call it otherwise.
    Rename {
        /// The new name.
        name: String,
    },
    /// Take it away.
    Remove {
        /// Kill it first if it runs.
        force: bool,
        /// Its anonymous volumes too.
        volumes: bool,
        /// Only the link of this name, not the container.
        link: bool,
    },
}

/// How an action ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was done.
    Now,
    /// It was so already: the engine's 304.
    Already,
    /// Somebody else is at it: it is being removed.
    UnderWay,
}

impl Action {
    /// Its verb.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Start => Verb::Start,
            Self::Stop { .. } => Verb::Stop,
            Self::Restart { .. } => Verb::Restart,
            Self::Kill { .. } => Verb::Kill,
            Self::Pause => Verb::Pause,
            Self::Unpause => Verb::Unpause,
            Self::Rename { .. } => Verb::Rename,
            Self::Remove { .. } => Verb::Remove,
        }
    }

    /// How long it may take: its own wait where it has one, and time for the engine on top.
    fn limit(&self) -> Duration {
        match self {
            // The container may carry a longer wait of its own than is said here.
            Self::Stop { timeout: None } | Self::Restart { timeout: None } => ACT * 10,
            Self::Stop { timeout } | Self::Restart { timeout } => {
                ACT + Duration::from_secs(u64::from(timeout.unwrap_or(STOP_TIMEOUT).min(LONGEST_WAIT)))
            }
            Self::Remove { .. } => ACT * 4,
            _ => ACT,
        }
    }
}

impl Containers<'_> {
    /// Does something to a container, says so to everybody while it lasts, and reads its state back. It goes on to
    /// its end when the caller goes away.
    pub async fn act(&self, id: &ContainerId, action: Action) -> Result<Done, Error> {
        let (engine, id) = (self.0.clone(), id.clone());
        engine.reach.may_operate()?;
        engine.reaches_container(&id)?;
        engine.live.picture().guard_container(&id, action.verb())?;
        engine.reachable()?;
        let asker = engine.clone();
        let work = async move {
            engine.live.begin(&id, action.verb());
            let removes = matches!(action, Action::Remove { link: false, .. });
            let mut goes = None;
            if removes || engine.containers().goes_when_it_ends(&id, &action).await {
                engine.keep_end(&id).await;
                goes = engine.containers().about_to_go(&id).await;
            }
            let bound = match action {
                Action::Remove { volumes: true, link: false, .. } => engine.containers().bound_by_name(&id).await,
                _ => Vec::new(),
            };
            let result = match action {
                Action::Remove { link: true, .. } => engine.containers().unlink(&id).await,
                _ => engine.containers().call(id.as_str(), &action).await,
            };
            if action.verb() == Verb::Start {
                engine.live.started(&id, !matches!(&result, Err(error) if !error.is_outage()));
            }
            engine.live.end(&id).await;
            if result.is_ok() {
                for volume in bound {
                    // Somebody else's by now, or gone: that is no fault of this removal.
                    let _ = engine.volumes().remove(&volume).await;
                }
            }
            if let (Ok(_), Some(removed)) = (&result, goes)
                && (removes || engine.containers().is_gone(&id).await)
            {
                engine.removed.put(removed);
            }
            result
        };
        let done = tokio::spawn(work).await;
        let done = done.map_err(|error| Error::Engine { status: 500, message: error.to_string() })?;
        done.map_err(|error| asker.told(error))
    }

    /// Whether it would be gone after this, though nobody says so: what was made with `--rm` goes when it ends.
    async fn goes_when_it_ends(&self, id: &ContainerId, action: &Action) -> bool {
        matches!(action, Action::Stop { .. } | Action::Kill { .. })
            && self.get(id).await.is_ok_and(|detail| detail.auto_remove)
    }

    /// Whether it is not there any more, a moment from now: the engine removes after it has told of the end.
    async fn is_gone(&self, id: &ContainerId) -> bool {
        for _ in 0..20 {
            if matches!(
                self.0.wire.get::<serde_json::Value>(&format!("/containers/{id}/json")).await,
                Err(Error::NotFound(_))
            ) {
                self.0.live.end(id).await;
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }

    /// Its volumes without a name of their own that it was given by the name which the engine calls them by: so they stay
    /// with who is made anew, and so `-v` leaves them.
    pub async fn bound_by_name(&self, id: &ContainerId) -> Vec<VolumeName> {
        let Ok(detail) = self.get(id).await else { return Vec::new() };
        let binds = detail.raw.pointer("/HostConfig/Binds").and_then(serde_json::Value::as_array);
        let binds = binds.into_iter().flatten().filter_map(|bind| bind.as_str()?.split_once(':'));
        binds.filter(|(name, _)| is_hex64(name)).filter_map(|(name, _)| name.parse().ok()).collect()
    }

    /// Removes the links of a container, each by the only name that the engine takes for it: `web/alias`.
    async fn unlink(&self, id: &ContainerId) -> Result<Done, Error> {
        let links = self.get(id).await?.links.clone();
        if links.is_empty() {
            return Err(Error::Conflict("it has no link of the default bridge".to_owned()));
        }
        for link in links {
            // Two names of the strict grammar, or it does not become part of a path (S033).
            let fits = |part: &str| {
                part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) && !part.starts_with('.')
            };
            if !link.split_once('/').is_some_and(|(name, alias)| fits(name) && fits(alias)) {
                return Err(Error::Invalid(format!("“{link}” is no link")));
            }
            self.call(&link, &Action::Remove { force: false, volumes: false, link: true }).await?;
        }
        Ok(Done::Now)
    }

    pub(in crate::engine) async fn call(&self, id: &str, action: &Action) -> Result<Done, Error> {
        let (docker, wire) = (&self.0.docker, &self.0.wire);
        let what = format!("{} of container {}", action.verb().word(), id.get(..12).unwrap_or(id));
        let seconds = |timeout: &Option<u32>| timeout.map(|t| i32::try_from(t.min(LONGEST_WAIT)).unwrap_or(i32::MAX));
        let limit = action.limit();
        let result = match action {
            Action::Start => wire.typed(&what, limit, docker.start_container(id, None::<StartContainerOptions>)).await,
            Action::Stop { timeout } => {
                let options = StopContainerOptions { t: seconds(timeout), ..StopContainerOptions::default() };
                wire.typed(&what, limit, docker.stop_container(id, Some(options))).await
            }
            Action::Restart { timeout } => {
                let options = RestartContainerOptions { t: seconds(timeout), ..RestartContainerOptions::default() };
                wire.typed(&what, limit, docker.restart_container(id, Some(options))).await
            }
            Action::Kill { signal } => {
                let options = KillContainerOptions { signal: signal.as_str().to_owned() };
                wire.typed(&what, limit, docker.kill_container(id, Some(options))).await
            }
            Action::Pause => wire.typed(&what, limit, docker.pause_container(id)).await,
            Action::Unpause => wire.typed(&what, limit, docker.unpause_container(id)).await,
            Action::Rename { name } => {
                let options = RenameContainerOptions { name: name.clone() };
                wire.typed(&what, limit, docker.rename_container(id, options)).await
            }
            Action::Remove { force, volumes, link } => {
                let options = RemoveContainerOptions { force: *force, v: *volumes, link: *link };
                wire.typed(&what, limit, docker.remove_container(id, Some(options))).await
            }
        };
        outcome(action, result)
    }
}

/// What the engine's answer means: the wished state is no error, however it came about (S075).
fn outcome(action: &Action, result: Result<(u16, ()), Error>) -> Result<Done, Error> {
    match (action, result) {
        (_, Ok((304, ()))) => Ok(Done::Already),
        (_, Ok(_)) => Ok(Done::Now),
        // Two people pressed Remove. Source: moby, `daemon/delete.go`: "removal of container %s is already in progress".
        (Action::Remove { .. }, Err(Error::Conflict(words))) if words.contains("already in progress") => {
            Ok(Done::UnderWay)
        }
        (Action::Pause, Err(Error::Conflict(words) | Error::Engine { message: words, .. }))
            if words.contains("already paused") =>
        {
            Ok(Done::Already)
        }
        (Action::Unpause, Err(Error::Conflict(words) | Error::Engine { message: words, .. }))
            if words.contains("is not paused") =>
        {
            Ok(Done::Already)
        }
        (_, Err(error)) => Err(error),
    }
}

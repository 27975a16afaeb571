//! The steps of a build, as they stand: of both builders, in the same form.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::trace;
use crate::engine::{
    Error,
    jobs::{Step, StepState, Work},
    plain,
};

/// A message of the engine's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    id: String,
    stream: String,
    status: String,
    aux: Value,
    error: String,
}

/// What a build has come to.
#[derive(Debug, Default)]
pub(super) struct Board {
    steps: Vec<Step>,
    /// Where each of BuildKit's is.
    places: HashMap<String, usize>,
    /// What has not come to its line end yet, by step.
    open: HashMap<usize, String>,
    /// The image that came of it.
    pub(super) image: Option<String>,
    /// When the step that runs began, of the builder that tells no times.
    since: Option<std::time::Instant>,
}

impl Board {
    /// Takes what the engine says next.
    ///
    /// # Errors
    /// What it says that went wrong: the build has ended.
    pub(super) fn take(&mut self, job: &Work, message: &Message) -> Result<(), Error> {
        if !message.error.is_empty() {
            self.fail(job);
            return Err(Error::Engine { status: 500, message: message.error.clone() });
        }
        if message.id == "moby.buildkit.trace" {
            if let Some(status) = message.aux.as_str().and_then(trace::read) {
                self.traced(job, status);
            }
            return Ok(());
        }
        if let Some(id) = message.aux.get("ID").and_then(Value::as_str) {
            self.image = Some(id.to_owned());
        }
        if !message.stream.is_empty() {
            self.said(job, &message.stream);
        } else if !message.status.is_empty() {
            // A base image on its way.
            self.write(job, self.steps.len().saturating_sub(1), &format!("{} {}\n", message.id, message.status));
        }
        Ok(())
    }

    fn traced(&mut self, job: &Work, status: trace::Status) {
        for vertex in status.vertexes {
            let place = *self.places.entry(vertex.digest).or_insert(self.steps.len());
            if place == self.steps.len() {
                self.steps.push(Step { name: vertex.name.clone(), ..Step::default() });
            }
            let Some(step) = self.steps.get_mut(place) else { continue };
            step.state = match (vertex.completed, vertex.started) {
                _ if !vertex.error.is_empty() => StepState::Failed,
                _ if vertex.cached => StepState::Cached,
                (Some(_), _) => StepState::Done,
                (None, Some(_)) => StepState::Running,
                (None, None) => step.state,
            };
            if let (Some(from), Some(to)) = (vertex.started, vertex.completed) {
                step.took = u64::try_from(to.ms() - from.ms()).ok();
            }
            job.step(place, step.clone());
        }
        for written in status.logs {
            if let Some(place) = self.places.get(&written.vertex).copied() {
                self.write(job, place, &String::from_utf8_lossy(&written.text));
            }
        }
    }

    /// The classic builder says a step in a line, and then what it writes. Docker: `Step 1/3 : FROM x`, ` ---> Using
    /// cache`; podman: `STEP 1/3: FROM x`, `--> Using cache 0a1b`.
    fn said(&mut self, job: &Work, text: &str) {
        let line = text.trim_end();
        let is_step = line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("step ")) && line.contains('/');
        if is_step {
            self.end(job);
            let name = line.split_once(':').map_or(line, |(_, name)| name.trim());
            let number = line.get(5..).and_then(|rest| rest.split([':', ' ']).next()).unwrap_or_default();
            self.steps.push(Step { name: format!("[{number}] {name}"), state: StepState::Running, ..Step::default() });
            self.since = Some(std::time::Instant::now());
            if let Some(step) = self.steps.last() {
                job.step(self.steps.len() - 1, step.clone());
            }
        } else if line.contains("Using cache") {
            let place = self.steps.len().saturating_sub(1);
            if let Some(step) = self.steps.last_mut() {
                step.state = StepState::Cached;
                job.step(place, step.clone());
            }
        } else if self.steps.is_empty() {
            job.say(&plain(line.as_bytes()));
        } else {
            self.write(job, self.steps.len() - 1, text);
        }
    }

    /// What a step writes, in lines.
    fn write(&mut self, job: &Work, place: usize, text: &str) {
        let open = self.open.entry(place).or_default();
        open.push_str(text);
        let Some(step) = self.steps.get_mut(place) else { return };
        let whole = open.rfind('\n').map_or(0, |at| at + 1);
        // What never ends its line is shown all the same.
        let whole = if whole == 0 && open.len() > 8_000 { open.len() } else { whole };
        let lines: String = open.drain(..whole).collect();
        for line in lines.lines() {
            // A line that was written over shows what was written last.
            let last = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
            step.write(plain(last.as_bytes()).chars().take(2_000).collect());
        }
        job.step(place, step.clone());
    }

    /// The step that runs has ended.
    fn end(&mut self, job: &Work) {
        let took = self.since.take().and_then(|since| u64::try_from(since.elapsed().as_millis()).ok());
        let place = self.steps.len().saturating_sub(1);
        if let Some(step) = self.steps.last_mut().filter(|step| step.state != StepState::Waiting) {
            if step.state == StepState::Running {
                step.state = StepState::Done;
            }
            step.took = took.or(step.took);
            job.step(place, step.clone());
        }
    }

    /// The whole has ended well.
    pub(super) fn done(&mut self, job: &Work) {
        if self.places.is_empty() {
            self.end(job);
        }
    }

    fn fail(&mut self, job: &Work) {
        for (place, step) in self.steps.iter_mut().enumerate() {
            if step.state == StepState::Running {
                step.state = StepState::Failed;
                job.step(place, step.clone());
            }
        }
    }
}

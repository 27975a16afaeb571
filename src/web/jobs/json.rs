//! Jobs as scripts see them.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Says, list::Show};
use crate::{
    engine::{self, JobId, Picture, Progress, Stage},
    web::{
        Error,
        doc::{Doc, Field},
    },
};

/// A long piece of work.
#[derive(Serialize, ToSchema)]
pub struct Job {
    /// Its number.
    #[schema(value_type = u64)]
    id: JobId,
    /// What it does.
    title: String,
    /// The docker command that does the same.
    command: String,
    /// running, done, failed, cancelled, or interrupted: the console ended while it worked.
    stage: &'static str,
    /// Who began it, where people sign in.
    by: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    began: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// Why it failed.
    why: Option<String>,
    /// The container that came of it.
    container: Option<String>,
    /// Bytes that it has freed, where sizes were known.
    freed: u64,
    /// Bytes that it has sent, or taken, so far.
    moved: u64,
    /// The parts of work on many.
    parts: Vec<JobPart>,
    /// The layers of a pull.
    layers: Vec<JobLayer>,
    /// The steps of a build.
    steps: Vec<JobStep>,
    /// The image that came of it: a name, or its id.
    image: Option<String>,
    /// What was said on the way.
    lines: Vec<String>,
}

/// A step of a build.
#[derive(Serialize, ToSchema)]
struct JobStep {
    /// What it does, in the Dockerfile's words.
    name: String,
    /// waiting, running, cached, done or failed.
    state: &'static str,
    /// Milliseconds that it took, once that is known.
    took: Option<u64>,
    /// What it has written: the newest lines.
    lines: Vec<String>,
}

/// One of many things that a job works on.
#[derive(Serialize, ToSchema)]
struct JobPart {
    name: String,
    /// The container it is, if it is one.
    container: Option<String>,
    /// What was done; none while it waits or works, or where it failed.
    done: Option<String>,
    /// Why it failed.
    why: Option<String>,
}

/// A layer of an image on its way here.
#[derive(Serialize, ToSchema)]
struct JobLayer {
    id: String,
    status: String,
    /// Bytes so far.
    done: u64,
    /// Bytes in all; 0 where not known.
    total: u64,
}

impl Job {
    /// As far as it is now.
    pub fn new(id: JobId, p: &Progress, picture: &Picture) -> Self {
        let says = Says::of(p, picture);
        let part = |part: &engine::Part| JobPart {
            name: part.name.clone(),
            container: part.container.as_ref().map(ToString::to_string),
            done: part.result.as_ref().and_then(|result| result.as_ref().ok().cloned()),
            why: part
                .result
                .as_ref()
                .and_then(|result| result.as_ref().err())
                .map(|error| Error::from(error.clone()).reason().to_owned()),
        };
        let step = |step: &engine::Step| JobStep {
            name: step.name.clone(),
            state: step.state.word(),
            took: step.took,
            lines: step.lines.iter().cloned().collect(),
        };
        let layer = |layer: &engine::Layer| JobLayer {
            id: layer.id.clone(),
            status: layer.status.clone(),
            done: layer.done,
            total: layer.total,
        };
        Self {
            id,
            title: p.title.clone(),
            command: p.command.clone(),
            stage: match p.stage {
                Stage::Running => "running",
                Stage::Done { .. } => "done",
                Stage::Failed { .. } => "failed",
                Stage::Cancelled => "cancelled",
                Stage::Interrupted => "interrupted",
            },
            by: p.by.clone(),
            began: p.began,
            ended: p.ended,
            why: says.error.map(|error| error.line()),
            container: says.container.map(|id| id.to_string()),
            freed: p.freed,
            moved: p.moved,
            parts: p.parts.iter().map(part).collect(),
            layers: p.layers.iter().map(layer).collect(),
            steps: super::in_order(&p.steps).into_iter().map(|(_, it)| step(it)).collect(),
            image: p.runs.clone().or_else(|| p.image.as_ref().map(ToString::to_string)),
            lines: p.lines.iter().cloned().collect(),
        }
    }
}

fn place() -> Field {
    Field::number("id", "The job's number.", 1, i64::MAX)
}

/// What scripts are told of `GET /jobs`.
pub fn list_doc() -> Doc {
    Doc::new("List jobs, newest first, 50 to a page")
        .query([
            Field::one_of("show", "Only those.", Show::EACH.into_iter().map(|(_, word, _)| word)),
            Field::text("q", "Only those whose title, command or beginner hold this.", "busybox"),
            Field::page(),
        ])
        .lists::<Job>("A page of the list.")
}

/// What scripts are told of `GET /jobs/{id}`.
pub fn doc() -> Doc {
    Doc::new("Show how far a job is").place(place()).gives::<Job>(200, "The job. It has ended when `ended` is set.")
}

/// What scripts are told of `POST /jobs/{id}/cancel`.
pub fn cancel_doc() -> Doc {
    Doc::new("Cancel a job")
        .about("What the engine has done by then stays done.")
        .place(place())
        .body([])
        .gives_nothing()
}

//! Long work: how far it is, and a way to end it. It goes on when its page is closed.

pub mod json;
mod list;

pub use self::list::finds;

use std::collections::BTreeMap;

use crate::web::filters;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use super::{
    Error, Routes,
    asker::Can,
    chrome::Chrome,
    containers::words,
    deed::Deed,
    extract::{Fields, Id, Page},
    html::{bytes, html, span},
    stream::{Fragments, Live, Part},
};
use crate::{
    engine::{ContainerId, Job, JobId, Layer, Picture, Progress, Stage, Step, StepState},
    team::Right,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/jobs", Right::Look, list::page)
        .doc(json::list_doc())
        .get("/jobs/stream", Right::Look, list::stream)
        .get("/jobs/{id}", Right::Look, page)
        .doc(json::doc())
        .get("/jobs/{id}/stream", Right::Look, stream)
        .post("/jobs/{id}/cancel", Right::Remove, cancel)
        .doc(json::cancel_doc())
}

#[derive(Template)]
#[template(path = "jobs/_job.html")]
struct JobCard<'a> {
    id: JobId,
    can: Can,
    p: &'a Progress,
    says: Says,
    done: u64,
    total: u64,
    here: usize,
    parts_done: usize,
    failed: usize,
    /// With the place that each came at.
    steps: Vec<(usize, &'a Step)>,
}

/// The steps of a build as a person counts them: BuildKit tells those of a stage in no order, `[3/3]` before `[1/3]`.
/// Each stage's change places among themselves.
fn in_order(steps: &[Step]) -> Vec<(usize, &Step)> {
    let place = |name: &str| {
        let counted = name.strip_prefix('[')?.split_once(']')?.0.split_once('/')?.0;
        let (stage, number) = counted.rsplit_once(' ').unwrap_or(("", counted));
        Some((stage.to_owned(), number.parse::<u32>().ok()?))
    };
    let mut stages: BTreeMap<String, Vec<(u32, usize, &Step)>> = BTreeMap::new();
    let mut all: Vec<(usize, &Step)> = steps.iter().enumerate().collect();
    for (at, step) in &all {
        if let Some((stage, number)) = place(&step.name) {
            stages.entry(stage).or_default().push((number, *at, step));
        }
    }
    for of_stage in stages.into_values() {
        let places: Vec<usize> = of_stage.iter().map(|(_, at, _)| *at).collect();
        let mut sorted = of_stage;
        sorted.sort_by_key(|(number, at, _)| (*number, *at));
        for (place, (_, at, step)) in places.into_iter().zip(sorted) {
            if let Some(slot) = all.get_mut(place) {
                *slot = (at, step);
            }
        }
    }
    // What it gets ready comes first, whenever it tells of it.
    all.sort_by_key(|(_, step)| !step.name.starts_with("[internal]"));
    all
}

/// How a job stands, in shape, word and colour.
struct Says {
    class: &'static str,
    icon: &'static str,
    text: String,
    error: Option<Error>,
    words: Option<String>,
    container: Option<ContainerId>,
}

impl Says {
    fn of(progress: &Progress, picture: &Picture) -> Self {
        let took = span(progress.ended.unwrap_or_else(Timestamp::now).duration_since(progress.began));
        let took = if took == "just now" {
            format!("{} s", progress.ended.unwrap_or_else(Timestamp::now).duration_since(progress.began).as_secs())
        } else {
            took
        };
        let plain = |class, icon, text| Self { class, icon, text, error: None, words: None, container: None };
        match &progress.stage {
            Stage::Running => plain("pending", "restarting", "working…".to_owned()),
            Stage::Done { container } => {
                Self { container: container.clone(), ..plain("running", "check", format!("done in {took}")) }
            }
            Stage::Failed { error, container } => Self {
                error: Some(Self::tell(error.clone(), progress, container.is_some(), picture)),
                words: Some(error.to_string()),
                container: container.clone(),
                ..plain("failed", "failed", format!("failed after {took}"))
            },
            Stage::Cancelled => plain("exited", "exited", format!("cancelled after {took}")),
            Stage::Interrupted => plain("unhealthy", "unhealthy", "interrupted".to_owned()),
        }
    }
}

impl Says {
    fn is_interrupted(&self) -> bool {
        self.text == "interrupted"
    }

    /// What a failure left behind.
    fn tell(error: crate::engine::Error, progress: &Progress, is_made: bool, picture: &Picture) -> Error {
        let told = words::told(error, picture);
        match (progress.parts.len(), is_made) {
            (all, _) if progress.kind == "prune" => {
                told.what(format!("{} of {all} stayed. The first:", progress.failures()))
            }
            (0, false) if progress.kind == "commit" => told.what("No image was made."),
            (0, false) if progress.kind == "build" => told.what("The image was not built."),
            (0, false) if progress.kind == "export" => told.what("The export was broken off."),
            (0, false) if progress.kind == "pull" => told.what("The image was not pulled, or not all of it."),
            (0, false) if progress.kind == "push" => told.what("The image was not pushed, or not all of it."),
            (0, false) if progress.kind == "save" => told.what("What was saved is not whole: it was broken off."),
            (0, false) if progress.kind == "load" => told.what("Nothing was loaded, or not all of it."),
            (0, false) if progress.kind == "import" => told.what("Nothing was imported."),
            (0, _) if progress.kind == "replace" => told.what("It was not made anew."),
            (0, true) => told.what("It was created, but did not start."),
            (0, false) => told.what("Nothing was created."),
            (all, _) => told.what(format!("{} of {all} went wrong.", progress.failures())),
        }
    }
}

impl<'a> JobCard<'a> {
    fn new(id: JobId, p: &'a Progress, picture: &Picture, can: Can) -> Self {
        let sum = |of: fn(&Layer) -> u64| p.layers.iter().map(of).sum();
        Self {
            id,
            can,
            says: Says::of(p, picture),
            done: sum(|layer| layer.done),
            total: sum(|layer| layer.total),
            here: p.layers.iter().filter(|layer| layer.is_complete()).count(),
            parts_done: p.parts.iter().filter(|part| part.result.is_some()).count(),
            failed: p.failures(),
            steps: in_order(&p.steps),
            p,
        }
    }

    /// How a step of a build stands: class, icon, word.
    fn step_mark(&self, step: &Step) -> (&'static str, &'static str, &'static str) {
        let (class, icon) = match step.state {
            // What nobody waits for any more.
            StepState::Waiting if self.p.ended.is_some() => return ("exited", "exited", "not begun"),
            StepState::Running if self.p.ended.is_some() => return ("exited", "exited", "broken off"),
            StepState::Waiting => ("created", "created"),
            StepState::Running => ("pending", "restarting"),
            StepState::Cached => ("exited", "check"),
            StepState::Done => ("running", "check"),
            StepState::Failed => ("failed", "failed"),
        };
        (class, icon, step.state.word())
    }

    /// What runs or ran last, and what went wrong, is shown unfolded.
    fn is_open(&self, step: &Step) -> bool {
        matches!(step.state, StepState::Running | StepState::Failed)
    }

    /// How long a step took, for a person; none where that is not known.
    fn took(&self, step: &Step) -> Option<String> {
        let (seconds, tenths) = (step.took? / 1_000, step.took? % 1_000 / 100);
        Some(if seconds < 60 {
            format!("{seconds}.{tenths} s")
        } else {
            format!("{} min {} s", seconds / 60, seconds % 60)
        })
    }

    fn why(&self, error: &crate::engine::Error) -> String {
        Error::from(error.clone()).reason().to_owned()
    }

    fn amount(&self, layer: &Layer) -> String {
        match (layer.is_complete(), layer.total) {
            (true, 0) => layer.status.to_lowercase(),
            (true, total) => format!("{}, {}", bytes(total), layer.status.to_lowercase()),
            (false, 0) => layer.status.to_lowercase(),
            (false, total) => format!("{} of {}, {}", bytes(layer.done), bytes(total), layer.status.to_lowercase()),
        }
    }
}

#[derive(Template)]
#[template(path = "jobs/page.html")]
struct JobPage<'a> {
    chrome: Chrome,
    title: &'a str,
    command: &'a str,
    by: Option<&'a str>,
    began: Timestamp,
    now: Timestamp,
    card: JobCard<'a>,
}

fn find(page: &Page, id: JobId) -> Result<Job, Error> {
    page.engine.jobs().get(id).map_err(|why| Error::not_found("There is no such job.", &format!("{why}.")))
}

/// `GET /jobs/{id}`
async fn page(Id(id): Id<JobId>, page: Page) -> Result<Response, Error> {
    let progress = find(&page, id)?.progress();
    let data = || json::Job::new(id, &progress, &page.picture);
    page.show(data, || {
        html(&JobPage {
            chrome: Chrome::new(&page, progress.title.clone()).live(&page, &format!("/jobs/{id}/stream")),
            title: &progress.title,
            command: &progress.command,
            by: progress.by.as_deref(),
            began: progress.began,
            now: Timestamp::now(),
            card: JobCard::new(id, &progress, &page.picture, page.can()),
        })
    })
}

/// `GET /jobs/{id}/stream`
async fn stream(Id(id): Id<JobId>, live: Live) -> Result<Response, Error> {
    let job = find(live.page(), id)?;
    let (changes, engine, can) = (job.watch(), live.page().engine.clone(), live.page().can());
    Ok(live.follow_job(changes, move |progress| {
        let drawn = html(&JobCard::new(id, progress, &engine.picture(), can));
        Ok(Fragments { rest: vec![Part { id: "job".into(), html: drawn?.0 }], ..Fragments::default() })
    }))
}

/// `POST /jobs/{id}/cancel`
async fn cancel(Id(id): Id<JobId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let job = find(&page, id)?;
    let deed = Deed::new("job.cancel", "job", id.to_string(), job.progress().title, "");
    let cancelled = job.clone();
    page.does(deed, async move { cancelled.cancel() }).await??;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), job.ended()).await;
    if page.is_htmx {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(page.quiet(fields.back(&format!("/jobs/{id}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_up_stage_by_stage() {
        let names = [
            "[3/3] RUN",
            "[build 2/2] RUN",
            "[2/3] COPY",
            "[build 1/2] FROM",
            "[1/3] FROM",
            "[a/b]",
            "[internal] load",
        ];
        let steps: Vec<Step> = names.iter().map(|name| Step { name: (*name).to_owned(), ..Step::default() }).collect();
        let told: Vec<(usize, &str)> = in_order(&steps).into_iter().map(|(at, step)| (at, &*step.name)).collect();
        let expected = [
            (6, "[internal] load"),
            (4, "[1/3] FROM"),
            (3, "[build 1/2] FROM"),
            (2, "[2/3] COPY"),
            (1, "[build 2/2] RUN"),
            (0, "[3/3] RUN"),
            (5, "[a/b]"),
        ];
        assert_eq!(told, expected);
    }
}

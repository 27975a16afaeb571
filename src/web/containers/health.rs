//! How a container is checked, and what each check said.

use std::time::Duration;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    docs,
    frame::{self, Frame, Tab, find, head},
};
use crate::{
    command::{echo, words::join},
    engine::{Check, Container, ContainerId, Detail, Health, Healthcheck, State},
    team::Right,
    web::{
        Error, Routes,
        chrome::Chrome,
        doc::Doc,
        extract::{Id, Page},
        html::{count, html},
        stream::{Fragments, Live, Part},
    },
};

/// How often who looks is shown it anew: checks go on without a word in the engine's list.
const ROUND: Duration = Duration::from_secs(5);
/// Lines and letters of an output that are shown unfolded.
const SHORT: (usize, usize) = (3, 240);

pub(super) fn routes() -> Routes {
    Routes::new().get("/containers/{id}/health", Right::Look, page).doc(doc()).get(
        "/containers/{id}/health/stream",
        Right::Look,
        stream,
    )
}

/// A check on the page.
struct Line<'a> {
    at: Option<Timestamp>,
    class: &'static str,
    icon: &'static str,
    says: String,
    took: String,
    output: &'a str,
    is_long: bool,
    first: &'a str,
}

impl<'a> Line<'a> {
    fn new(check: &'a Check) -> Self {
        let output = check.output.trim_end();
        let (class, icon) = if check.exit_code == 0 { ("running", "check") } else { ("failed", "failed") };
        let took = check.at.zip(check.ended).map(|(began, ended)| ended.duration_since(began));
        Self {
            at: check.at,
            class,
            icon,
            says: says(check.exit_code),
            took: took.map(|took| length(took.unsigned_abs())).unwrap_or_default(),
            output,
            is_long: output.lines().count() > SHORT.0 || output.len() > SHORT.1,
            first: output.lines().next().unwrap_or_default(),
        }
    }
}

/// What a check's exit code says. Sources: the Dockerfile reference, "HEALTHCHECK"; moby, `daemon/health.go`, for -1.
fn says(code: i64) -> String {
    match code {
        0 => "passed".to_owned(),
        1 => "failed with 1".to_owned(),
        -1 => "failed: it took too long, or could not be run".to_owned(),
        126 => "failed with 126: the command cannot be run".to_owned(),
        127 => "failed with 127: there is no such command in the image".to_owned(),
        code => format!("failed with {code}"),
    }
}

/// A length in the unit that suits it: `120 ms`, `1.5 s`, `30 s`, `2 min`.
fn length(of: Duration) -> String {
    match of.as_millis() {
        millis @ ..1_000 => format!("{millis} ms"),
        millis @ 1_000..10_000 if millis % 1_000 != 0 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        millis @ ..120_000 => format!("{} s", millis / 1_000),
        millis @ ..7_200_000 => format!("{} min", millis / 60_000),
        millis => format!("{} h", millis / 3_600_000),
    }
}

#[derive(Template)]
#[template(path = "containers/_health.html")]
struct Now<'a> {
    c: &'a Container,
    d: &'a Detail,
    check: Option<&'a Healthcheck>,
    /// In shape, word and colour.
    mark: (&'static str, &'static str, &'static str),
    say: String,
    test: String,
    is_shell: bool,
    lines: Vec<Line<'a>>,
    next: Option<Timestamp>,
    can_create: bool,
}

impl<'a> Now<'a> {
    fn new(page: &Page, c: &'a Container, d: &'a Detail) -> Self {
        let check = d.healthcheck.as_ref();
        let last = d.checks.last();
        let next = match (check, last.and_then(|last| last.ended), &c.state) {
            (Some(check), Some(ended), State::Running) => {
                SignedDuration::try_from(check.interval).ok().map(|interval| ended + interval)
            }
            _ => None,
        };
        let mark = match c.health {
            _ if c.state != State::Running => ("exited", "exited", "not checked"),
            Some(Health::Healthy) => ("running", "check", "healthy"),
            Some(Health::Unhealthy) => ("unhealthy", "unhealthy", "unhealthy"),
            Some(Health::Starting) => ("pending", "restarting", "starting"),
            _ => ("unknown", "unknown", "not checked yet"),
        };
        Self {
            say: say(c, d),
            test: check.map(test).unwrap_or_default(),
            is_shell: check.is_some_and(|check| check.test.first().is_some_and(|kind| kind == "CMD-SHELL")),
            lines: d.checks.iter().rev().map(Line::new).collect(),
            can_create: page.can().create,
            next,
            check,
            mark,
            c,
            d,
        }
    }
}

impl Now<'_> {
    fn length(&self, of: &Duration) -> String {
        length(*of)
    }
}

/// How it stands, in a sentence.
fn say(c: &Container, d: &Detail) -> String {
    let Some(check) = &d.healthcheck else { return String::new() };
    match (&c.state, c.health) {
        (State::Running, Some(Health::Starting)) => format!(
            "It has just been started: the first check that passes makes it healthy, {} in a row that fail make it unhealthy.",
            check.retries
        ),
        (State::Running, Some(Health::Unhealthy)) => format!(
            "The last {} failed. It goes on running: docker itself does nothing about it. The first check that passes makes it healthy again.",
            count(d.failing.max(check.retries), "check")
        ),
        (State::Running, _) if d.failing > 0 => {
            format!("The last {} failed; {} in a row make it unhealthy.", count(d.failing, "check"), check.retries)
        }
        (State::Running, Some(Health::Healthy)) => "Its last check passed.".to_owned(),
        (State::Running, _) => "No check has ended yet.".to_owned(),
        (State::Paused, _) => "It is paused: nothing can be run in it, so it is not checked.".to_owned(),
        (State::Restarting, _) => "It is between two runs. Checks begin anew with the next one.".to_owned(),
        (State::Created, _) => "It was never started. Checks begin when it is.".to_owned(),
        (State::Exited, _) => {
            "It does not run, so it is not checked. These are the last checks of its last run.".to_owned()
        }
        _ => "It does not run, so it is not checked.".to_owned(),
    }
}

/// What is run, as one would type it inside.
fn test(check: &Healthcheck) -> String {
    match check.test.split_first() {
        Some((kind, rest)) if kind == "CMD" => join(rest.to_vec()),
        Some((kind, rest)) if kind == "CMD-SHELL" => rest.join(" "),
        _ => check.test.join(" "),
    }
}

#[derive(Template)]
#[template(path = "containers/health.html")]
struct HealthPage<'a> {
    chrome: Chrome,
    frame: Frame<'a>,
    now: Now<'a>,
}

/// `GET /containers/{id}/health`
async fn page(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let detail = page.engine.containers().get(&id).await?;
    page.show(
        || Report::new(&container, &detail),
        || {
            let command = echo::inspect_part(&container.name, "{{json .State.Health}}");
            html(&HealthPage {
                chrome: Chrome::new(&page, format!("{}: health", container.name))
                    .live(&page, &format!("/containers/{id}/health/stream")),
                frame: Frame::new(&page, &container, Tab::Health, command),
                now: Now::new(&page, &container, &detail),
            })
        },
    )
}

/// `GET /containers/{id}/health/stream`
async fn stream(Id(id): Id<ContainerId>, live: Live) -> Response {
    live.follow_every(ROUND, move |page| {
        let id = id.clone();
        async move {
            let Some(container) = page.picture.containers.get(&id) else {
                return Ok(Fragments { rest: vec![frame::head(None)?], ..Fragments::default() });
            };
            let detail = page.engine.containers().get(&id).await?;
            let now = html(&Now::new(&page, container, &detail))?.0;
            let rest = vec![head(Some(container))?, Part { id: "health-now".into(), html: now }];
            Ok(Fragments { rest, ..Fragments::default() })
        }
    })
}

/// How a container is checked, and what came of it.
#[derive(Serialize, ToSchema)]
struct Report {
    /// starting, healthy or unhealthy, while it runs.
    health: Option<&'static str>,
    /// How many checks failed in a row.
    failing: u64,
    /// How it stands, in a sentence; empty where it is not checked.
    says: String,
    /// What is run, word by word; none where it is not checked.
    test: Option<Vec<String>>,
    /// From the end of one check to the beginning of the next, in seconds.
    interval: Option<f64>,
    /// How long one may take, in seconds.
    timeout: Option<f64>,
    /// How long failures do not count after a start, in seconds.
    start_period: Option<f64>,
    /// How many failures in a row make it unhealthy.
    retries: Option<u64>,
    /// The last checks, newest first.
    checks: Vec<Checked>,
}

/// One health check.
#[derive(Serialize, ToSchema)]
struct Checked {
    /// When it began.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// 0 is healthy.
    exit_code: i64,
    /// What it printed.
    output: String,
}

impl Report {
    fn new(c: &Container, d: &Detail) -> Self {
        let check = d.healthcheck.as_ref();
        let seconds = |of: fn(&Healthcheck) -> Duration| check.map(|check| of(check).as_secs_f64());
        let checked = |check: &Check| Checked {
            at: check.at,
            ended: check.ended,
            exit_code: check.exit_code,
            output: check.output.clone(),
        };
        Self {
            health: c.health.map(Health::word),
            failing: d.failing,
            says: say(c, d),
            test: check.map(|check| check.test.clone()),
            interval: seconds(|check| check.interval),
            timeout: seconds(|check| check.timeout),
            start_period: seconds(|check| check.start_period),
            retries: check.map(|check| check.retries),
            checks: d.checks.iter().rev().map(checked).collect(),
        }
    }
}

fn doc() -> Doc {
    Doc::new("Show a container’s health checks")
        .about("How it is checked, and what each check printed: the five that the engine keeps, and those before that were seen here.")
        .place(docs::id())
        .gives::<Report>(200, "The checks.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_the_unit_that_suits_them() {
        let told = [44, 1_000, 1_530, 30_000, 150_000, 7_200_000].map(|millis| length(Duration::from_millis(millis)));
        assert_eq!(told, ["44 ms", "1 s", "1.5 s", "30 s", "2 min", "2 h"]);
    }

    #[test]
    fn what_is_run_is_told_as_it_is_typed() {
        let of = |words: &[&str]| {
            test(&Healthcheck { test: words.iter().map(|word| (*word).to_owned()).collect(), ..Healthcheck::default() })
        };
        assert_eq!(of(&["CMD-SHELL", "curl -f http://localhost || exit 1"]), "curl -f http://localhost || exit 1");
        assert_eq!(of(&["CMD", "wget", "a b"]), "wget 'a b'");
    }
}

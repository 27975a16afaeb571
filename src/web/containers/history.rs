//! What happened to a container as a time line: what the engine said, and who of the team had asked for it.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    docs,
    frame::{self, Frame, Tab, find, head},
    words,
};
use crate::{
    command::echo,
    engine::{Container, ContainerId, Event, Secrets},
    team::{Filter, Outcome, Recorded, Right},
    web::{
        Error, Routes, address,
        answer::List,
        chrome::Chrome,
        doc::{Doc, Field},
        extract::{Fields, Id, Page, Query},
        html::{html, span},
        stream::{Fragments, Live, Part},
    },
};

/// What people did that is looked at.
const DEEDS: usize = 200;
/// Lines on a page.
const LINES: usize = 100;
/// How long after somebody asked for something what the engine says of it counts as theirs.
const THEIRS: SignedDuration = SignedDuration::from_secs(120);
/// How far apart the engine tells of what is one.
const BESIDE: SignedDuration = SignedDuration::from_millis(500);
/// How far the clocks of engine and console may differ besides what is known.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

pub(super) fn routes() -> Routes {
    Routes::new().get("/containers/{id}/history", Right::Look, page).doc(doc()).get(
        "/containers/{id}/history/stream",
        Right::Look,
        stream,
    )
}

/// Which lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Show {
    #[default]
    All,
    Life,
    Health,
    People,
}

impl Show {
    const EACH: [(Self, &'static str, &'static str); 4] = [
        (Self::All, "all", "All"),
        (Self::Life, "life", "Starts and ends"),
        (Self::Health, "health", "Health"),
        (Self::People, "people", "By people here"),
    ];

    fn takes(self, line: &Line) -> bool {
        match self {
            Self::All => true,
            Self::Life => matches!(
                line.action.as_str(),
                "create" | "start" | "die" | "stop" | "kill" | "restart" | "pause" | "unpause" | "oom" | "destroy"
            ),
            Self::Health => line.action == "health_status",
            Self::People => line.who.is_some(),
        }
    }
}

/// What is shown: the address, parsed.
#[derive(Debug, Clone, Copy, Default)]
struct View {
    show: Show,
    page: usize,
}

impl View {
    fn parse(query: &Fields) -> Self {
        Self { show: address::choice(query, "show", &Show::EACH), page: query.page() }
    }

    fn path(self, id: &ContainerId, below: &str) -> String {
        let (show, page) = (address::word(self.show, &Show::EACH), address::page(self.page));
        address::address(&format!("/containers/{id}/history{below}"), [("show", show), ("page", &page)])
    }
}

/// A line of the time line.
#[derive(Debug, Clone)]
struct Line {
    at: Timestamp,
    /// What, in the engine's word, or in the audit's: `die`, `container.stop`.
    action: String,
    /// In shape, word and colour.
    mark: (&'static str, &'static str, String),
    /// What that means, and how long something had lasted.
    says: Vec<String>,
    exit_code: Option<i64>,
    lasted: Option<SignedDuration>,
    who: Option<String>,
    command: Option<String>,
}

/// Signals by their numbers. Source: signal(7), for x86 and ARM.
fn signal(number: &str) -> String {
    let name = match number.parse::<u8>() {
        Ok(1) => "SIGHUP",
        Ok(2) => "SIGINT",
        Ok(3) => "SIGQUIT",
        Ok(6) => "SIGABRT",
        Ok(9) => "SIGKILL",
        Ok(10) => "SIGUSR1",
        Ok(12) => "SIGUSR2",
        Ok(15) => "SIGTERM",
        Ok(18) => "SIGCONT",
        Ok(19) => "SIGSTOP",
        Ok(28) => "SIGWINCH",
        Ok(number) => return format!("signal {number}"),
        Err(_) => return number.to_owned(),
    };
    name.to_owned()
}

/// An event in shape, word and colour.
fn mark(event: &Event) -> (&'static str, &'static str, String) {
    let (class, icon, text) = match event.action.as_str() {
        "create" => ("created", "created", "created"),
        "start" => ("running", "running", "started"),
        "die" => match event.exit_code() {
            Some(0) => ("exited", "exited", "ended with 0"),
            Some(code) => return ("failed", "failed", format!("ended with {code}")),
            None => ("exited", "exited", "ended"),
        },
        "stop" => ("exited", "exited", "stopped"),
        "kill" => {
            let number = event.attributes.get("signal").map(|number| signal(number));
            return ("removing", "close", format!("sent {}", number.as_deref().unwrap_or("a signal")));
        }
        "restart" => ("running", "restarting", "restarted"),
        "pause" => ("paused", "paused", "paused"),
        "unpause" => ("running", "running", "unpaused"),
        "rename" => ("created", "copy", "renamed"),
        "destroy" => ("removing", "removing", "removed"),
        "oom" => ("failed", "failed", "out of memory"),
        "update" => ("created", "check", "limits changed"),
        "commit" => ("created", "copy", "made an image of"),
        "health_status" => match event.detail.as_deref() {
            Some("healthy") => ("running", "check", "healthy"),
            Some("unhealthy") => ("unhealthy", "unhealthy", "unhealthy"),
            _ => ("unknown", "unknown", "health changed"),
        },
        other => return ("unknown", "unknown", other.replace(['_', '-'], " ")),
    };
    (class, icon, text.to_owned())
}

/// How long something took, to the second where it was short.
fn length(of: SignedDuration) -> String {
    match span(of) {
        just if just == "just now" => format!("{} s", of.as_secs().max(0)),
        span => span,
    }
}

/// The events of a verb, in the order in which they come.
fn events_of(action: &str) -> &'static [&'static str] {
    match action.strip_prefix("container.").unwrap_or_default() {
        "create" => &["create"],
        "run" => &["create", "start"],
        "start" => &["start"],
        "stop" => &["kill", "die", "stop"],
        "restart" => &["kill", "die", "stop", "start", "restart"],
        "kill" => &["kill", "die"],
        "pause" => &["pause"],
        "unpause" => &["unpause"],
        "rename" => &["rename"],
        "remove" => &["kill", "die", "destroy"],
        "update" => &["update"],
        "commit" => &["commit"],
        _ => &[],
    }
}

/// The events in lines, oldest first, each with how long what it ends had lasted.
fn of_events(events: &[Arc<Event>]) -> Vec<Line> {
    let (mut started, mut paused, mut out_of_memory) = (None::<Timestamp>, None::<Timestamp>, false);
    let line = |event: &Arc<Event>| {
        let mut says = Vec::new();
        let lasted = match event.action.as_str() {
            "die" => started.take(),
            "unpause" => paused.take(),
            _ => None,
        };
        let lasted = lasted.map(|since| event.at.duration_since(since));
        match event.action.as_str() {
            "start" => (started, out_of_memory) = (Some(event.at), false),
            "pause" => paused = Some(event.at),
            "oom" => out_of_memory = true,
            "rename" => says.extend(
                event.attributes.get("oldName").map(|old| format!("It was called {}.", old.trim_start_matches('/'))),
            ),
            _ => {}
        }
        if let Some(lasted) = lasted {
            let what = if event.action == "die" { "It had run for" } else { "It had been paused for" };
            says.push(format!("{what} {}.", length(lasted)));
        }
        says.extend(event.exit_code().map(|code| words::exit_code(code, out_of_memory)));
        Line {
            at: event.at,
            action: event.action.clone(),
            mark: mark(event),
            says,
            exit_code: event.exit_code(),
            lasted,
            who: None,
            command: None,
        }
    };
    events.iter().rev().map(line).collect()
}

/// Says of each line who had asked for it, and adds what people did that the engine said nothing of.
fn with_deeds(mut lines: Vec<Line>, deeds: &[Recorded], skew: SignedDuration, hides: bool) -> Vec<Line> {
    let mut silent = Vec::new();
    for Recorded { entry, .. } in deeds.iter().rev() {
        let at = entry.at + skew;
        let command = if hides && !entry.public.is_empty() { &entry.public } else { &entry.command };
        let who = if entry.who.is_empty() { "somebody in this console".to_owned() } else { entry.who.clone() };
        let mut is_told = false;
        if entry.outcome == Outcome::Done {
            let actions = events_of(&entry.action);
            let is_theirs = |line: &Line| {
                actions.contains(&line.action.as_str())
                    && line.who.is_none()
                    && line.at >= at - SLACK
                    && line.at <= at + THEIRS
            };
            // Up to the one that says that it is over; where there is none, the first one.
            let of =
                |action: Option<&&str>| lines.iter().find(|line| is_theirs(line) && action == Some(&&*line.action));
            // The engine may tell of the end a moment before what belongs to it.
            let end = of(actions.last()).or_else(|| of(actions.first())).map(|line| line.at + BESIDE);
            for line in lines.iter_mut().filter(|line| is_theirs(line) && end.is_some_and(|end| line.at <= end)) {
                line.who = Some(who.clone());
                // Where one deed makes many events, its command stands at the first.
                line.command = (!is_told).then(|| command.clone());
                is_told = true;
            }
        }
        if !is_told {
            let (class, icon, word) = match entry.outcome {
                Outcome::Done => ("created", "check", ""),
                Outcome::Failed => ("failed", "failed", ", which failed"),
                Outcome::Refused => ("failed", "dead", ", which was refused"),
                Outcome::Unknown => ("unknown", "unknown", ", and how it ended is not known"),
            };
            let verb = entry.action.strip_prefix("container.").unwrap_or(&entry.action);
            silent.push(Line {
                at,
                action: entry.action.clone(),
                mark: (class, icon, format!("asked to {verb}{word}")),
                // What the engine says of a failure may hold what a reader may not see.
                says: if hides || entry.why.is_empty() { Vec::new() } else { vec![entry.why.clone()] },
                exit_code: None,
                lasted: None,
                who: Some(who),
                command: Some(command.clone()),
            });
        }
    }
    lines.extend(silent);
    lines.sort_by_key(|line| std::cmp::Reverse(line.at));
    lines
}

/// The whole time line, newest first.
async fn lines(page: &Page, id: &ContainerId) -> Result<Vec<Line>, Error> {
    let events = page.engine.containers().past(id).await?;
    let filter = Filter { id: id.to_string(), commands: true, ..Filter::default() };
    let found = page.asker.team.audit(filter, DEEDS).await?;
    let hides = page.engine.reach().secrets == Secrets::Hidden;
    Ok(with_deeds(of_events(&events), &found.entries, page.picture.now().duration_since(Timestamp::now()), hides))
}

/// A day of the time line.
struct Day {
    name: String,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "containers/_history.html")]
struct Past {
    days: Vec<Day>,
    total: usize,
    is_filtered: bool,
    all: String,
    previous: Option<String>,
    next: Option<String>,
}

impl Past {
    fn new(all: &[Line], view: View, id: &ContainerId) -> Self {
        let fitting: Vec<&Line> = all.iter().filter(|line| view.show.takes(line)).collect();
        let skip = (view.page - 1).saturating_mul(LINES);
        let mut days: Vec<Day> = Vec::new();
        for line in fitting.iter().skip(skip).take(LINES) {
            let name = line.at.strftime("%A, %-d %B %Y").to_string();
            match days.last_mut() {
                Some(day) if day.name == name => day.lines.push((*line).clone()),
                _ => days.push(Day { name, lines: vec![(*line).clone()] }),
            }
        }
        let turn = |page: usize| Some(View { page, ..view }.path(id, ""));
        Self {
            days,
            total: fitting.len(),
            is_filtered: view.show != Show::All && !all.is_empty(),
            all: View { show: Show::All, page: 1 }.path(id, ""),
            previous: turn(view.page.saturating_sub(1)).filter(|_| view.page > 1),
            next: turn(view.page + 1).filter(|_| skip + LINES < fitting.len()),
        }
    }
}

#[derive(Template)]
#[template(path = "containers/history.html")]
struct HistoryPage<'a> {
    chrome: Chrome,
    frame: Frame<'a>,
    chips: Vec<(String, String, bool)>,
    past: Past,
}

/// `GET /containers/{id}/history`
async fn page(Id(id): Id<ContainerId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    let container = find(&page, &id)?;
    let all = lines(&page, &id).await?;
    page.show(
        || data(&all, view),
        || {
            let frame = Frame::new(&page, &container, Tab::History, command(&container));
            let chip = |(show, _, label): (Show, &str, &str)| {
                let count = all.iter().filter(|line| show.takes(line)).count();
                (View { show, page: 1 }.path(&id, ""), format!("{label} {count}"), show == view.show)
            };
            html(&HistoryPage {
                chrome: Chrome::new(&page, format!("{}: history", container.name))
                    .live(&page, &view.path(&id, "/stream")),
                frame,
                chips: Show::EACH.into_iter().map(chip).collect(),
                past: Past::new(&all, view, &id),
            })
        },
    )
}

fn command(container: &Container) -> String {
    echo::events(Some("24h"), None, &[("container", &container.name)])
}

/// `GET /containers/{id}/history/stream`
async fn stream(Id(id): Id<ContainerId>, live: Live, Query(query): Query) -> Response {
    let view = View::parse(&query);
    live.follow(move |page| {
        let id = id.clone();
        async move {
            let Some(container) = page.picture.containers.get(&id) else {
                return Ok(Fragments { rest: vec![frame::head(None)?], ..Fragments::default() });
            };
            let past = Past::new(&lines(&page, &id).await?, view, &id);
            let rest = vec![head(Some(container))?, Part { id: "past".into(), html: html(&past)?.0 }];
            Ok(Fragments { rest, ..Fragments::default() })
        }
    })
}

/// Something that happened to a container.
#[derive(Serialize, ToSchema)]
struct Happening {
    /// When, by the engine's clock.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What, in the engine's word; what somebody did that the engine said nothing of, in the audit's.
    action: String,
    /// The same in words.
    says: String,
    /// What its main process ended with.
    exit_code: Option<i64>,
    /// How long what ended had lasted, in seconds.
    lasted: Option<i64>,
    /// Who of the team had asked for it, where that is known.
    who: Option<String>,
    /// The docker command that does the same.
    command: Option<String>,
}

fn data(all: &[Line], view: View) -> List<Happening> {
    let fitting: Vec<&Line> = all.iter().filter(|line| view.show.takes(line)).collect();
    let happening = |line: &&Line| Happening {
        at: line.at,
        action: line.action.clone(),
        says: std::iter::once(&line.mark.2).chain(&line.says).cloned().collect::<Vec<_>>().join(". "),
        exit_code: line.exit_code,
        lasted: line.lasted.map(|lasted| lasted.as_secs()),
        who: line.who.clone(),
        command: line.command.clone(),
    };
    List {
        items: fitting.iter().skip((view.page - 1).saturating_mul(LINES)).take(LINES).map(happening).collect(),
        total: fitting.len(),
        page: view.page,
        pages: fitting.len().div_ceil(LINES).max(1),
    }
}

fn doc() -> Doc {
    Doc::new("List what happened to a container, newest first")
        .about("What the engine said and still remembers, and who of the team had asked for it.")
        .place(docs::id())
        .query([Field::one_of("show", "Only those.", Show::EACH.into_iter().map(|(_, word, _)| word)), Field::page()])
        .lists::<Happening>("What happened, 100 to a page.")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, net::IpAddr};

    use super::*;
    use crate::team::{Entry, Subject, Who};

    fn event(seconds: i64, action: &str, code: Option<&str>) -> Arc<Event> {
        Arc::new(Event {
            kind: "container".into(),
            action: action.into(),
            detail: None,
            id: String::new(),
            name: "web".into(),
            attributes: code
                .map(|code| ("exitCode".to_owned(), code.to_owned()))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds),
        })
    }

    fn deed(seconds: i64, action: &str, outcome: Outcome) -> Recorded {
        let who = Who { name: "ann".into(), ..Who::alone(IpAddr::from([127, 0, 0, 1])) };
        let subject = Subject { kind: "container", id: "a".repeat(64), name: "web".into() };
        let entry =
            Entry::new(&who, action, subject, outcome).command("docker x web -e T=hunter2", Some("docker x web"));
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        Recorded { seq: seconds, entry: Entry { at, ..entry.why("because hunter2") }, hash: [0; 32] }
    }

    #[test]
    fn what_somebody_asked_for_carries_their_name() {
        let events = [
            event(8_000, "start", None),
            event(7_305, "stop", None),
            event(7_304, "die", Some("137")),
            event(7_300, "kill", None),
            event(100, "start", None),
        ];
        let deeds = [deed(7_290, "container.pause", Outcome::Failed), deed(7_299, "container.stop", Outcome::Done)];
        let lines = with_deeds(of_events(&events), &deeds, SignedDuration::ZERO, false);
        let told: Vec<_> = lines.iter().map(|line| (line.action.as_str(), line.who.as_deref())).collect();
        let ann = Some("ann");
        assert_eq!(
            told,
            [("start", None), ("stop", ann), ("die", ann), ("kill", ann), ("container.pause", ann), ("start", None)]
        );
        let died = &lines[2];
        assert_eq!(died.exit_code, Some(137));
        assert_eq!(died.lasted, Some(SignedDuration::from_secs(7_204)));
        assert!(died.says[0].contains("2 h") && died.says[1].contains("SIGKILL"), "{:?}", died.says);
        // The command once; and nothing of it for who sees no secrets.
        assert_eq!(lines.iter().filter(|line| line.command.is_some()).count(), 2);
        let hidden = with_deeds(of_events(&events), &deeds, SignedDuration::ZERO, true);
        assert!(!format!("{hidden:?}").contains("hunter2"));
    }
}

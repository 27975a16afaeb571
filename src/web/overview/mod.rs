//! The first page: what needs attention and why, what there is, what just happened; on an empty engine, where to begin.

pub mod json;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{
    Error, Routes,
    asker::Can,
    chrome::Chrome,
    containers::{StateMark, words},
    extract::Page,
    html::html,
    stream::{Fragments, Live, Part},
    system::Notices,
};
use crate::{
    engine::{self, Container, Event, Info, Picture, State, Verb},
    team::Right,
};

/// Containers that need attention and are named here.
const NAMED: usize = 20;
/// Events that are shown.
const EVENTS: usize = 12;

pub(super) fn routes() -> Routes {
    Routes::new().get("/", Right::Look, page).doc(json::doc()).get("/stream", Right::Look, stream)
}

/// A container that needs attention: why, and the first thing to do.
struct Needy<'a> {
    c: &'a Container,
    mark: StateMark,
    why: String,
    first: Option<Verb>,
}

/// A number that leads to what it counts.
struct Tile {
    path: &'static str,
    number: usize,
    label: &'static str,
    sub: String,
}

/// A command of the course, and the button that does it.
struct Lesson {
    command: &'static str,
    says: &'static str,
    label: &'static str,
    path: &'static str,
}

/// The commands that a beginner has met, in the order of a container's life.
const LESSONS: [Lesson; 10] = [
    Lesson {
        command: "docker run",
        says: "Pulls the image if it is missing, makes a container from it, and starts it.",
        label: "Run hello-world",
        path: "/containers/new?image=hello-world",
    },
    Lesson {
        command: "docker create",
        says: "Makes a container and leaves it in the state created.",
        label: "Create one",
        path: "/containers/new",
    },
    Lesson {
        command: "docker container ls",
        says: "Lists the containers that run.",
        label: "Show the running",
        path: "/containers?show=running",
    },
    Lesson {
        command: "docker ps -a",
        says: "Lists all of them, stopped ones too.",
        label: "Show all",
        path: "/containers",
    },
    Lesson {
        command: "docker container kill",
        says: "Ends one at once, with a signal.",
        label: "Pick one",
        path: "/containers?show=running",
    },
    Lesson {
        command: "docker container pause",
        says: "Freezes every process of one; unpause lets them go on.",
        label: "Pick one",
        path: "/containers?show=running",
    },
    Lesson {
        command: "docker container start",
        says: "Starts one that was created or has exited.",
        label: "Pick one",
        path: "/containers?show=stopped",
    },
    Lesson {
        command: "docker container rm",
        says: "Removes one: -f even if it runs, -v with its anonymous volumes.",
        label: "Pick one",
        path: "/containers?show=stopped",
    },
    Lesson {
        command: "docker volume create",
        says: "Makes a volume, which keeps data outside of containers.",
        label: "Create a volume",
        path: "/volumes/new",
    },
    Lesson {
        command: "docker volume rm",
        says: "Removes a volume that no container has.",
        label: "Pick one",
        path: "/volumes?show=unused",
    },
];

#[derive(Template)]
#[template(path = "overview/_overview.html")]
struct Overview<'a> {
    needy: Vec<Needy<'a>>,
    more: usize,
    tiles: Vec<Tile>,
    events: Vec<(&'a Event, String, String)>,
    usage: Vec<Usage<'a>>,
    info: Option<&'a Info>,
    lessons: &'static [Lesson],
    can: Can,
    limits: &'a [String],
    is_empty: bool,
    is_known: bool,
    /// What is known against the engine, where this reader has not put it away.
    notices: Option<Notices>,
    now: Timestamp,
}

/// A container among those that use most.
struct Usage<'a> {
    c: &'a Container,
    memory: u64,
    /// What a full bar is.
    limit: u64,
    /// From where on it comes near its own limit; none where it has none.
    high: Option<u64>,
    cpu: String,
}

impl<'a> Usage<'a> {
    /// Those that use most. A bar is full at the container's own limit; where it has none, at what the first uses.
    fn all(picture: &'a Picture) -> Vec<Self> {
        let host = picture.info.as_ref().map_or(u64::MAX, |info| info.mem_total);
        let most = picture.usage.first().map_or(1, |first| first.memory);
        let bar = |usage: &'a engine::Usage| {
            let own_limit = Some(usage.limit).filter(|limit| *limit > 0 && *limit < host);
            Some(Self {
                c: picture.containers.get(&usage.id)?.as_ref(),
                memory: usage.memory,
                limit: own_limit.unwrap_or(most).max(1),
                high: own_limit.map(|limit| limit / 10 * 9),
                cpu: usage.cpu_percent.map(|percent| format!("{percent:.1} %")).unwrap_or_default(),
            })
        };
        picture.usage.iter().filter_map(bar).collect()
    }
}

#[derive(Template)]
#[template(path = "overview/page.html")]
struct OverviewPage<'a> {
    chrome: Chrome,
    overview: Overview<'a>,
}

impl<'a> Overview<'a> {
    fn new(page: &'a Page) -> Self {
        let picture = &page.picture;
        let containers = || picture.containers.values();
        let mut needy: Vec<Needy<'a>> = containers()
            .filter_map(|c| {
                let (why, first) = words::attention(c)?;
                let first =
                    Some(first).filter(|verb| page.can().act(*verb) && picture.guard_container(&c.id, *verb).is_ok());
                Some(Needy { mark: StateMark::of(c), why, first, c })
            })
            .collect();
        needy.sort_by(|a, b| a.c.attention().cmp(&b.c.attention()).then_with(|| b.c.since.cmp(&a.c.since)));
        let more = needy.len().saturating_sub(NAMED);
        needy.truncate(NAMED);
        let number = |state: &State| containers().filter(|c| c.state == *state).count();
        let up = containers().filter(|c| c.state.is_up()).count();
        let used = picture.users_of_volumes();
        let unused = picture.volumes.values().filter(|volume| !used.contains_key(volume.name.as_str())).count();
        let tiles = vec![
            Tile {
                path: "/containers?show=running",
                number: up,
                label: "running",
                sub: match number(&State::Paused) {
                    0 => String::new(),
                    n => format!("{n} of them paused"),
                },
            },
            Tile {
                path: "/containers?show=stopped",
                number: picture.containers.len() - up,
                label: "stopped",
                sub: match number(&State::Created) {
                    0 => String::new(),
                    n => format!("{n} never started"),
                },
            },
            Tile {
                path: "/containers?show=attention",
                number: needy.len() + more,
                label: "need attention",
                sub: String::new(),
            },
            Tile { path: "/volumes", number: picture.volumes.len(), label: "volumes", sub: format!("{unused} unused") },
        ];
        let events = picture
            .events
            .iter()
            .rev()
            .filter(|event| !matches!(event.action.as_str(), "mount" | "unmount" | "connect" | "disconnect"));
        Self {
            needy,
            more,
            tiles,
            events: events
                .take(EVENTS)
                .map(|event| (event.as_ref(), words::subject(event, picture), words::event(event)))
                .collect(),
            usage: Usage::all(picture),
            info: picture.info.as_deref(),
            lessons: &LESSONS,
            can: page.can(),
            limits: &page.asker.who.scope,
            is_empty: picture.containers.is_empty() && picture.info.is_some(),
            is_known: picture.info.is_some(),
            notices: Some(Notices::of(page, picture.info.as_deref())).filter(|notices| notices.is_news(page)),
            now: picture.now(),
        }
    }
}

/// `GET /`
async fn page(page: Page) -> Result<Response, Error> {
    page.engine.watch_usage();
    page.show(
        || json::Overview::new(&Overview::new(&page), &page.picture),
        || {
            html(&OverviewPage {
                chrome: Chrome::new(&page, "Overview").live(&page, "/stream"),
                overview: Overview::new(&page),
            })
        },
    )
}

/// `GET /stream`
async fn stream(live: Live) -> Response {
    let watcher = live.page().engine.watch_usage();
    live.follow(move |page| {
        let _ = &watcher;
        let drawn = html(&Overview::new(&page));
        async { Ok(Fragments { rest: vec![Part { id: "overview".into(), html: drawn?.0 }], ..Fragments::default() }) }
    })
}

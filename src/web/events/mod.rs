//! What the engine says of itself, newest first.

pub mod json;
mod search;

use crate::web::filters;
use askama::Template;
use axum::response::Response;

use super::{
    Error, Routes,
    answer::List,
    chrome::Chrome,
    containers::words,
    extract::Page,
    html::html,
    stream::{Fragments, Live, Part},
};
use crate::{
    command::echo,
    engine::{Event, Picture},
    team::Right,
};

/// Events that are shown.
const EVENTS: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/events", Right::Look, page)
        .doc(json::doc())
        .get("/events/stream", Right::Look, stream)
        .get("/events/search", Right::Look, search::page)
        .doc(json::search_doc())
        .get("/events.jsonl", Right::Look, search::jsonl)
}

#[derive(Template)]
#[template(path = "events/_events.html")]
struct Events<'a> {
    events: Vec<Line<'a>>,
}

struct Line<'a> {
    event: &'a Event,
    subject: String,
    words: String,
    path: Option<String>,
}

#[derive(Template)]
#[template(path = "events/page.html")]
struct EventsPage<'a> {
    chrome: Chrome,
    command: String,
    events: Events<'a>,
}

impl<'a> Events<'a> {
    fn new(picture: &'a Picture) -> Self {
        let line = |event: &'a Event| Line {
            subject: words::subject(event, picture),
            words: words::event(event),
            path: path(event, picture),
            event,
        };
        Self { events: newest(picture).map(line).collect() }
    }
}

/// Those that are shown, newest first.
fn newest(picture: &Picture) -> impl Iterator<Item = &Event> {
    picture.events.iter().rev().take(EVENTS).map(AsRef::as_ref)
}

/// Where its subject is, if it is still there.
fn path(event: &Event, picture: &Picture) -> Option<String> {
    match event.kind.as_str() {
        "container" => {
            event.id.parse().ok().filter(|id| picture.containers.contains_key(id)).map(|id| format!("/containers/{id}"))
        }
        "volume" => event
            .id
            .parse()
            .ok()
            .filter(|name| picture.volumes.contains_key(name))
            .map(|name| format!("/volumes/{name}")),
        _ => None,
    }
}

/// `GET /events`
async fn page(page: Page) -> Result<Response, Error> {
    let picture = &page.picture;
    let data = || List::from(newest(picture).map(|event| json::Event::new(event, picture)).collect::<Vec<_>>());
    page.show(data, || {
        html(&EventsPage {
            chrome: Chrome::new(&page, "Events").live(&page, "/events/stream"),
            command: echo::events(None, None, &[]),
            events: Events::new(picture),
        })
    })
}

/// `GET /events/stream`
async fn stream(live: Live) -> Response {
    live.follow(|page| {
        let drawn = html(&Events::new(&page.picture));
        async { Ok(Fragments { rest: vec![Part { id: "events".into(), html: drawn?.0 }], ..Fragments::default() }) }
    })
}

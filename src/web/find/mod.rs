//! Finding: what is called so, of all that the engine has. Where only one kind of thing is, its list shows it.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded;

use super::{
    Error, Routes,
    chrome::Chrome,
    containers::{self, StateMark},
    extract::{Page, Query},
    html::{bytes, count, html},
    images, networks,
    order::natural,
    volumes,
};
use crate::{
    engine::{Container, Image, Network, Volume},
    team::Right,
};

/// How many of a kind are shown; their list has the others.
const SHOWN: usize = 8;

pub(super) fn routes() -> Routes {
    Routes::new().get("/find", Right::Look, page)
}

/// Something that was found.
struct Hit {
    name: String,
    path: String,
    about: String,
    mark: Option<StateMark>,
}

/// What was found of a kind.
struct Kind {
    word: &'static str,
    label: &'static str,
    /// Its list, with the same search.
    list: String,
    total: usize,
    hits: Vec<Hit>,
}

impl Kind {
    fn new<'a, T: 'a>(
        (word, label): (&'static str, &'static str),
        text: &str,
        all: impl Iterator<Item = &'a Arc<T>>,
        finds: fn(&T, &str) -> bool,
        hit: fn(&T) -> Hit,
    ) -> Self {
        let lower = text.to_lowercase();
        let mut hits: Vec<Hit> = all.filter(|it| finds(it, &lower)).map(|it| hit(it)).collect();
        // What is called so comes before what only has to do with it.
        hits.sort_by(|a, b| {
            let is_named = |hit: &Hit| hit.name.to_lowercase().contains(&lower);
            is_named(b).cmp(&is_named(a)).then_with(|| natural(&a.name, &b.name)).then_with(|| a.path.cmp(&b.path))
        });
        let total = hits.len();
        hits.truncate(SHOWN);
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
        Self { word, label, list: format!("/{word}?{query}"), total, hits }
    }
}

fn container(it: &Container) -> Hit {
    let mark = Some(StateMark::of(it));
    Hit { name: it.name.clone(), path: format!("/containers/{}", it.id), about: it.image.clone(), mark }
}

fn image(it: &Image) -> Hit {
    let about = match it.tags.len() {
        0 => format!("dangling, {}", bytes(it.size)),
        1 => bytes(it.size),
        tags => format!("and {}, {}", count(tags - 1, "more tag"), bytes(it.size)),
    };
    Hit { name: it.name().to_owned(), path: format!("/images/{}", it.id), about, mark: None }
}

fn volume(it: &Volume) -> Hit {
    Hit { name: it.name.to_string(), path: format!("/volumes/{}", it.name), about: it.driver.clone(), mark: None }
}

fn network(it: &Network) -> Hit {
    let ranges = it.ranges.iter().map(|range| range.subnet.as_str());
    let about = [it.driver.as_str()].into_iter().chain(ranges).collect::<Vec<_>>().join(", ");
    Hit { name: it.name.clone(), path: format!("/networks/{}", it.id), about, mark: None }
}

#[derive(Template)]
#[template(path = "find/page.html")]
struct FindPage<'a> {
    chrome: Chrome,
    text: &'a str,
    kinds: Vec<Kind>,
    is_live: bool,
}

/// `GET /find?q=`
async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let text = query.text("q").unwrap_or_default();
    if text.is_empty() {
        return Ok(Redirect::to("/containers").into_response());
    }
    let picture = &page.picture;
    let kinds = [
        Kind::new(("containers", "Containers"), text, picture.containers.values(), containers::finds, container),
        Kind::new(("images", "Images"), text, picture.images.values(), images::finds, image),
        Kind::new(("volumes", "Volumes"), text, picture.volumes.values(), volumes::finds, volume),
        Kind::new(("networks", "Networks"), text, picture.networks.values(), networks::finds, network),
    ];
    let kinds: Vec<Kind> = kinds.into_iter().filter(|kind| kind.total > 0).collect();
    if let [only] = kinds.as_slice() {
        return Ok(Redirect::to(&only.list).into_response());
    }
    let chrome = Chrome::new(&page, format!("Find {text}"));
    Ok(html(&FindPage { chrome, text, kinds, is_live: picture.link.is_live() })?.into_response())
}

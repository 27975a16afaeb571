//! The list of images, and the same live.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{
    json,
    view::{ROWS, Show, Users, View, has_newer},
};
use crate::{
    command::echo,
    engine::{Container, Image, Sizes},
    team::Right,
    web::{
        Error,
        answer::List,
        asker::Can,
        chrome::Chrome,
        extract::{Fields, Page, Query},
        html::{bytes, html},
        stream::{Fragments, Live},
    },
};

/// Names and users that a row tells.
const NAMED: usize = 3;

/// A row of the list.
#[derive(Template)]
#[template(path = "images/_row.html")]
struct Row<'a> {
    i: &'a Image,
    users: Vec<&'a Arc<Container>>,
    more: usize,
    shared: Option<String>,
    is_newer: bool,
    can: Can,
    keeps: bool,
    now: Timestamp,
}

impl<'a> Row<'a> {
    fn new(i: &'a Image, users: &Users<'a>, page: &'a Page) -> Self {
        let all = users.get(&i.id).map(Vec::as_slice).unwrap_or_default();
        Self {
            i,
            users: all.iter().take(NAMED).copied().collect(),
            more: all.len().saturating_sub(NAMED),
            shared: page.picture.shared.bytes.get(i.id.as_str()).map(|shared| bytes(*shared)),
            is_newer: has_newer(i, &page.picture),
            can: page.can(),
            keeps: keeps(page),
            now: page.picture.now(),
        }
    }

    fn id(&self) -> String {
        format!("image-{}", self.i.id)
    }

    fn other_tags(&self) -> impl Iterator<Item = &String> {
        self.i.tags.iter().skip(1).take(NAMED)
    }

    fn more_tags(&self) -> usize {
        self.i.tags.len().saturating_sub(NAMED + 1)
    }
}

/// Whether who asks may change what is everybody's: see `Reach::may_keep_images`.
pub(super) fn keeps(page: &Page) -> bool {
    page.may(Right::Remove) && !page.engine.reach().is_scoped()
}

#[derive(Template)]
#[template(path = "images/_table.html")]
struct Table<'a> {
    view: &'a View,
    rows: Vec<Row<'a>>,
    first: usize,
    last: usize,
    total: usize,
    is_empty: bool,
    is_known: bool,
    can: Can,
    limits: &'a [String],
}

impl Table<'_> {
    /// Where a column's heading leads: sorted by it, or the other way round.
    fn sort(&self, by: &'static str) -> String {
        self.view.with(|view| {
            view.descending = view.sort == by && !view.descending;
            view.sort = by;
        })
    }

    fn arrow(&self, by: &str) -> &'static str {
        match (self.view.sort == by, self.view.descending) {
            (false, _) => "",
            (true, false) => " ↑",
            (true, true) => " ↓",
        }
    }

    /// For who cannot see the arrow.
    fn aria_sort(&self, by: &str) -> &'static str {
        match (self.view.sort == by, self.view.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }

    fn turn(&self, forward: bool) -> String {
        let page = if forward { self.view.page + 1 } else { self.view.page.saturating_sub(1) };
        self.view.with(|view| view.page = page)
    }
}

#[derive(Template)]
#[template(path = "images/_head.html")]
struct Head<'a> {
    chips: Vec<(String, String, bool)>,
    shared: &'a Sizes,
    total: String,
    can: Can,
    asks: bool,
    asked: Option<Timestamp>,
    now: Timestamp,
}

#[derive(Template)]
#[template(path = "images/list.html")]
struct ListPage<'a> {
    chrome: Chrome,
    command: String,
    note: Option<&'static str>,
    search: &'a str,
    /// What a search keeps of the view.
    kept: Vec<(&'static str, String)>,
    can: Can,
    keeps: bool,
    loads: bool,
    head: Head<'a>,
    table: Table<'a>,
}

fn data(page: &Page, view: &View) -> List<json::Image> {
    let users = page.picture.users_of_images();
    let found = view.found(&page.picture, &users);
    let on_page = found.iter().skip((view.page - 1).saturating_mul(ROWS)).take(ROWS);
    List {
        items: on_page.map(|image| json::Image::new(image, &users, &page.picture)).collect(),
        total: found.len(),
        page: view.page,
        pages: found.len().div_ceil(ROWS).max(1),
    }
}

fn draw<'a>(page: &'a Page, view: &'a View) -> (Head<'a>, Table<'a>) {
    let picture = &page.picture;
    let users = picture.users_of_images();
    let chip = |(show, _, label): (Show, &str, &str)| {
        let takes = |image: &&Arc<Image>| show.takes(image, users.contains_key(&image.id), picture);
        let number = picture.images.values().filter(takes).count();
        (view.with(|view| view.show = show), format!("{label} {number}"), show == view.show)
    };
    // What nobody has asked for is not known to be so.
    let shown = |(show, ..): &(Show, &str, &str)| *show != Show::Newer || !picture.newer.is_empty();
    let total: u64 = picture.images.values().map(|image| image.size).sum();
    let head = Head {
        chips: Show::EACH.into_iter().filter(shown).map(chip).collect(),
        shared: &picture.shared,
        total: bytes(total),
        can: page.can(),
        asks: !picture.is_podman(),
        asked: picture.newer.values().map(|said| said.at).max(),
        now: Timestamp::now(),
    };
    let found = view.found(picture, &users);
    let (total, skip) = (found.len(), (view.page - 1).saturating_mul(ROWS));
    let rows: Vec<_> = found.into_iter().skip(skip).take(ROWS).map(|image| Row::new(image, &users, page)).collect();
    let table = Table {
        view,
        first: (skip + 1).min(total),
        last: skip + rows.len(),
        total,
        is_empty: picture.images.is_empty(),
        is_known: picture.info.is_some(),
        can: page.can(),
        limits: &page.asker.who.scope,
        rows,
    };
    (head, table)
}

/// `GET /images`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    page.show(
        || data(&page, &view),
        || {
            let (head, table) = draw(&page, &view);
            let (command, note) = view.command();
            html(&ListPage {
                chrome: Chrome::new(&page, "Images").live(&page, &view.path("/images/stream")),
                command,
                note,
                search: &view.search,
                kept: view.kept(),
                can: page.can(),
                keeps: keeps(&page),
                loads: keeps(&page) && page.may(Right::Root),
                head,
                table,
            })
        },
    )
}

/// `GET /images/stream`
pub async fn stream(live: Live, Query(query): Query) -> Response {
    let view = View::parse(&query);
    live.follow(move |page| {
        let fragments = fragments(&page, &view);
        async { fragments }
    })
}

fn fragments(page: &Page, view: &View) -> Result<Fragments, Error> {
    let (head, table) = draw(page, view);
    Fragments::of_list(&table.rows, Row::id, &table, &head)
}

/// `POST /images/measure`: has the engine measure, in the background.
pub async fn measure(page: Page, fields: Fields) -> Result<Response, Error> {
    page.engine.images().measure()?;
    page.done("Measuring… The engine compares the layers of all images.", &echo::system_df(), fields.back("/images"))
}

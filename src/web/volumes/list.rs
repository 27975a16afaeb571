//! The volumes, and one of them: how much it holds and who uses it, running or stopped.

use std::{collections::HashMap, sync::Arc};

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;

use super::{frame::VolumeTabs, json};
use crate::{
    command::echo,
    engine::{Container, Mount, Sizes, Volume, VolumeName},
    web::{
        Error, address,
        answer::List,
        asker::Can,
        attachment::attachment,
        chrome::Chrome,
        containers::StateMark,
        error::Step,
        extract::{Fields, Id, Page, Query},
        html::{bytes, count, html, tree},
        order::natural,
        stream::{Fragments, Live},
    },
};

/// Rows on a page.
const ROWS: usize = 50;
/// Users that a row names.
const NAMED: usize = 3;

/// Which volumes, by their use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Show {
    #[default]
    All,
    Used,
    Unused,
    Anonymous,
}

impl Show {
    pub(super) const EACH: [(Self, &'static str, &'static str); 4] = [
        (Self::All, "all", "All"),
        (Self::Used, "used", "In use"),
        (Self::Unused, "unused", "Unused"),
        (Self::Anonymous, "anonymous", "Anonymous"),
    ];

    fn takes(self, volume: &Volume, used: bool) -> bool {
        match self {
            Self::All => true,
            Self::Used => used,
            Self::Unused => !used,
            Self::Anonymous => volume.is_anonymous(),
        }
    }
}

struct View {
    show: Show,
    search: String,
    page: usize,
}

impl View {
    fn parse(query: &Fields) -> Self {
        Self {
            show: address::choice(query, "show", &Show::EACH),
            search: query.text("q").unwrap_or_default().to_lowercase(),
            page: query.page(),
        }
    }

    fn path(&self, base: &str, show: Show, page: usize) -> String {
        let show = address::word(show, &Show::EACH);
        address::address(base, [("show", show), ("q", &self.search), ("page", &address::page(page))])
    }

    fn command(&self) -> String {
        let command = match self.show {
            Show::Used => echo::volume_ls(&[("dangling", "false")]),
            Show::Unused => echo::volume_ls(&[("dangling", "true")]),
            Show::All | Show::Anonymous => echo::volume_ls(&[]),
        };
        if self.search.is_empty() {
            command
        } else {
            format!("{command} | grep -i -- {}", crate::command::words::join([self.search.clone()]))
        }
    }
}

type Users<'a> = HashMap<&'a str, Vec<&'a Arc<Container>>>;

/// A row of the list.
#[derive(Template)]
#[template(path = "volumes/_row.html")]
struct Row<'a> {
    v: &'a Volume,
    users: Vec<&'a Arc<Container>>,
    more: usize,
    size: Option<String>,
    is_own: bool,
    can: Can,
    now: Timestamp,
}

impl<'a> Row<'a> {
    fn new(v: &'a Volume, users: &Users<'a>, page: &'a Page) -> Self {
        let all = users.get(v.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        Self {
            v,
            users: all.iter().take(NAMED).copied().collect(),
            more: all.len().saturating_sub(NAMED),
            size: page.picture.sizes.bytes.get(v.name.as_str()).map(|size| bytes(*size)),
            is_own: page.picture.own.volumes.contains(&v.name),
            can: page.can(),
            now: page.picture.now(),
        }
    }

    fn id(&self) -> String {
        format!("volume-{}", self.v.name)
    }
}

#[derive(Template)]
#[template(path = "volumes/_table.html")]
struct Table<'a> {
    rows: Vec<Row<'a>>,
    first: usize,
    last: usize,
    total: usize,
    previous: Option<String>,
    next: Option<String>,
    is_empty: bool,
    is_known: bool,
    can: Can,
    limits: &'a [String],
}

#[derive(Template)]
#[template(path = "volumes/_head.html")]
struct Head<'a> {
    chips: Vec<(String, String, bool)>,
    sizes: &'a Sizes,
    can: Can,
    now: Timestamp,
}

#[derive(Template)]
#[template(path = "volumes/list.html")]
struct ListPage<'a> {
    chrome: Chrome,
    command: String,
    search: &'a str,
    can: Can,
    head: Head<'a>,
    table: Table<'a>,
}

/// Text search over name, driver and labels; `text` is in lower case.
pub fn finds(volume: &Volume, text: &str) -> bool {
    let has = |field: &str| field.to_lowercase().contains(text);
    text.is_empty()
        || has(volume.name.as_str())
        || has(&volume.driver)
        || volume.labels.iter().any(|(key, value)| has(&format!("{key}={value}")))
}

/// All that a view takes, in its order.
fn found<'a>(page: &'a Page, view: &View, users: &Users<'a>) -> Vec<&'a Arc<Volume>> {
    let used = |volume: &Volume| users.contains_key(volume.name.as_str());
    let fits = |volume: &&Arc<Volume>| view.show.takes(volume, used(volume)) && finds(volume, &view.search);
    let mut found: Vec<_> = page.picture.volumes.values().filter(fits).collect();
    // Names that somebody gave come first.
    found.sort_by(|a, b| {
        a.is_anonymous().cmp(&b.is_anonymous()).then_with(|| natural(a.name.as_str(), b.name.as_str()))
    });
    found
}

fn data(page: &Page, view: &View) -> List<json::Volume> {
    let users = page.picture.users_of_volumes();
    let found = found(page, view, &users);
    let of = |volume: &Volume| users.get(volume.name.as_str()).map(Vec::as_slice).unwrap_or_default();
    let on_page = found.iter().skip((view.page - 1).saturating_mul(ROWS)).take(ROWS);
    List {
        items: on_page.map(|volume| json::Volume::new(volume, of(volume), &page.picture)).collect(),
        total: found.len(),
        page: view.page,
        pages: found.len().div_ceil(ROWS).max(1),
    }
}

fn draw<'a>(page: &'a Page, view: &View) -> (Head<'a>, Table<'a>) {
    let users = page.picture.users_of_volumes();
    let chip = |(show, _, label): (Show, &str, &str)| {
        let takes = |volume: &&Arc<Volume>| show.takes(volume, users.contains_key(volume.name.as_str()));
        let number = page.picture.volumes.values().filter(takes).count();
        (view.path("/volumes", show, 1), format!("{label} {number}"), show == view.show)
    };
    let head = Head {
        chips: Show::EACH.into_iter().map(chip).collect(),
        sizes: &page.picture.sizes,
        can: page.can(),
        now: Timestamp::now(),
    };
    let found = found(page, view, &users);
    let (total, skip) = (found.len(), (view.page - 1).saturating_mul(ROWS));
    let rows: Vec<_> = found.into_iter().skip(skip).take(ROWS).map(|volume| Row::new(volume, &users, page)).collect();
    let table = Table {
        first: (skip + 1).min(total),
        last: skip + rows.len(),
        total,
        previous: (view.page > 1).then(|| view.path("/volumes", view.show, view.page - 1)),
        next: (skip + rows.len() < total).then(|| view.path("/volumes", view.show, view.page + 1)),
        is_empty: page.picture.volumes.is_empty(),
        is_known: page.picture.info.is_some(),
        can: page.can(),
        limits: &page.asker.who.scope,
        rows,
    };
    (head, table)
}

/// `GET /volumes`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    page.show(
        || data(&page, &view),
        || {
            let (head, table) = draw(&page, &view);
            html(&ListPage {
                chrome: Chrome::new(&page, "Volumes").live(&page, &view.path("/volumes/stream", view.show, view.page)),
                command: view.command(),
                search: &view.search,
                can: page.can(),
                head,
                table,
            })
        },
    )
}

/// `GET /volumes/stream`
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

#[derive(Template)]
#[template(path = "volumes/detail.html")]
struct DetailPage<'a> {
    chrome: Chrome,
    v: &'a Volume,
    users: Vec<(&'a Arc<Container>, StateMark, Vec<&'a Mount>)>,
    size: Option<String>,
    is_own: bool,
    can: Can,
    command: String,
    tabs: VolumeTabs<'a>,
    /// What was said to the driver: the picture has it without its secrets.
    options: Vec<(String, String)>,
    tree: String,
    may_reveal: bool,
    is_revealed: bool,
    now: Timestamp,
}

pub(super) fn gone(name: &VolumeName) -> Error {
    Error::not_found(
        "There is no such volume.",
        &format!("Nothing is called {name}. It may have been removed, here or elsewhere."),
    )
    .next(Step::link("All volumes", "/volumes"))
}

/// A volume of this page's picture.
pub fn find(page: &Page, name: &VolumeName) -> Result<Arc<Volume>, Error> {
    page.picture.volumes.get(name).cloned().ok_or_else(|| gone(name))
}

/// `GET /volumes/{name}`, with `?reveal=1` with its values.
pub async fn detail(Id(name): Id<VolumeName>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let volume = find(&page, &name)?;
    let raw = page.engine.volumes().inspect(&name).await?;
    let users = page.picture.users_of_volumes().remove(name.as_str()).unwrap_or_default();
    let is_here = |mount: &&Mount| mount.kind == "volume" && mount.source == name.as_str();
    page.show(
        || json::VolumeDetail { volume: json::Volume::new(&volume, &users, &page.picture), inspect: raw.clone() },
        || {
            html(&DetailPage {
                chrome: Chrome::new(&page, name.to_string()),
                users: users
                    .iter()
                    .map(|&user| (user, StateMark::of(user), user.mounts.iter().filter(is_here).collect()))
                    .collect(),
                size: page.picture.sizes.bytes.get(name.as_str()).map(|size| bytes(*size)),
                is_own: page.picture.own.volumes.contains(&name),
                can: page.can(),
                command: echo::volume_inspect(&[name.as_str()]),
                tabs: VolumeTabs::new(&page, &name, "Summary"),
                options: texts(&raw, "Options"),
                tree: tree(&raw),
                may_reveal: page.may_reveal(),
                is_revealed: page.is_revealed(),
                now: page.picture.now(),
                v: &volume,
            })
        },
    )
}

/// The names and texts of a part of the engine's answer.
fn texts(raw: &Value, part: &str) -> Vec<(String, String)> {
    let pair = |(key, value): (&String, &Value)| (key.clone(), value.as_str().unwrap_or_default().to_owned());
    raw.get(part).and_then(Value::as_object).into_iter().flatten().map(pair).collect()
}

/// `GET /volumes/{name}/inspect.json`
pub async fn raw(Id(name): Id<VolumeName>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let raw = page.engine.volumes().inspect(&name).await?;
    let json = serde_json::to_string_pretty(&raw).unwrap_or_default();
    Ok(attachment("application/json", &format!("volume-{name}.json"), None, json))
}

/// How many, for a sentence.
pub(super) fn volumes(number: usize) -> String {
    count(number, "volume")
}

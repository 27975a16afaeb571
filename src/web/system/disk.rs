//! `/engine/disk`: what the disk is used for, as a picture and as a table, and what of it can be freed where.

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{TABS, json};
use crate::{
    command::echo,
    engine::{Disk, DiskUsage, ImageId, Picture, Sum, What},
    web::{
        Error, address,
        asker::Can,
        chrome::Chrome,
        doc::Field,
        extract::{Fields, Page, Query},
        html::{bytes, count, html},
        stream::{Fragments, Live, Part},
    },
};

/// Rows on a page.
const ROWS: usize = 50;
/// How wide the picture is drawn; it is stretched to the room that there is.
const WIDTH: u64 = 1_000;

/// What is looked at closer.
struct View {
    what: What,
    search: String,
    page: usize,
}

/// What the address takes.
pub fn fields() -> [Field; 3] {
    [
        Field::one_of("of", "What the page looks at closer; the answer has all.", What::EACH.map(What::word)),
        Field::text("q", "What the page's rows are searched for; the answer has all.", "busybox"),
        Field::page(),
    ]
}

impl View {
    fn parse(query: &Fields) -> Self {
        let what = query.get("of").and_then(|word| What::EACH.into_iter().find(|what| what.word() == word));
        Self {
            what: what.unwrap_or(What::Images),
            search: query.text("q").unwrap_or_default().to_lowercase(),
            page: query.page(),
        }
    }

    fn path(&self, base: &str, what: What, page: usize) -> String {
        address::address(base, [("of", what.word()), ("q", &self.search), ("page", &address::page(page))])
    }
}

/// A line of the picture and of the table below it.
struct Bar {
    sum: Sum,
    path: String,
    is_current: bool,
    /// How wide its two parts are drawn.
    used: u64,
    free: u64,
    percent: u64,
    /// Where what nothing uses can be removed.
    frees: Option<&'static str>,
}

impl Bar {
    fn all(usage: &DiskUsage, view: &View, can: Can) -> Vec<Self> {
        let sums = usage.sums();
        let most = sums.iter().map(|sum| sum.size).max().unwrap_or(0).max(1);
        // In parts of the widest: sizes of disks times a thousand are no number of 64 bits.
        let wide = |size: u64| u64::try_from(u128::from(size) * u128::from(WIDTH) / u128::from(most)).unwrap_or(WIDTH);
        let bar = |sum: Sum| Self {
            path: view.path("/engine/disk", sum.what, 1),
            is_current: sum.what == view.what,
            used: wide(sum.size - sum.free),
            free: wide(sum.free),
            percent: u64::try_from(u128::from(sum.free) * 100 / u128::from(sum.size.max(1))).unwrap_or_default(),
            frees: (can.remove && sum.free > 0).then_some(match sum.what {
                What::Volumes => "/volumes/prune?all=1",
                What::Images => "/images/prune?all=1",
                What::Cache => "/engine/prune?all=1",
                What::Containers => "/engine/prune",
            }),
            sum,
        };
        sums.into_iter().map(bar).collect()
    }
}

/// One of the things that take room.
struct Row {
    name: String,
    /// What else it is found by.
    also: String,
    /// Where it is.
    path: Option<String>,
    about: String,
    users: String,
    size: u64,
    /// Where it can be removed.
    frees: Option<String>,
}

fn rows(usage: &DiskUsage, view: &View, picture: &Picture, can: Can) -> Vec<Row> {
    let by = |users: u64| match users {
        0 => "nobody".to_owned(),
        1 => "1 container".to_owned(),
        users => format!("{users} containers"),
    };
    let prune = || can.remove.then(|| "/engine/prune?all=1".to_owned());
    let mut rows: Vec<Row> = match view.what {
        What::Images => usage
            .images
            .iter()
            .map(|image| {
                let here = image.id.parse::<ImageId>().ok().filter(|id| picture.images.contains_key(id));
                let shared = match image.shared {
                    0 => None,
                    shared => Some(format!("{} shared with others", bytes(shared))),
                };
                let names = match image.names.len() {
                    0 => Some("dangling".to_owned()),
                    1 => None,
                    names => Some(format!("and {} more", count(names - 1, "name"))),
                };
                Row {
                    name: image
                        .names
                        .first()
                        .map_or(image.id.get(7..19).unwrap_or_default(), String::as_str)
                        .to_owned(),
                    also: image.names.join(" "),
                    path: here.as_ref().map(|id| format!("/images/{id}")),
                    about: names.into_iter().chain(shared).collect::<Vec<_>>().join("; "),
                    users: by(image.users),
                    size: image.size,
                    frees: here.filter(|_| can.remove && image.users == 0).map(|id| format!("/images/{id}/remove")),
                }
            })
            .collect(),
        What::Containers => usage
            .containers
            .iter()
            .map(|container| Row {
                name: container.name.clone(),
                also: String::new(),
                path: picture.containers.contains_key(&container.id).then(|| format!("/containers/{}", container.id)),
                about: format!("from {}", container.image),
                users: if container.is_up { "running" } else { "stopped" }.to_owned(),
                size: container.size,
                frees: (can.remove && picture.containers.contains_key(&container.id))
                    .then(|| format!("/containers/{}/remove", container.id)),
            })
            .collect(),
        What::Volumes => usage
            .volumes
            .iter()
            .map(|volume| Row {
                name: volume.name.to_string(),
                also: String::new(),
                path: picture.volumes.contains_key(&volume.name).then(|| format!("/volumes/{}", volume.name)),
                about: if volume.size.is_none() { "its driver does not tell".to_owned() } else { String::new() },
                users: by(volume.users),
                size: volume.size.unwrap_or_default(),
                frees: (can.remove && volume.users == 0 && picture.volumes.contains_key(&volume.name))
                    .then(|| format!("/volumes/{}/remove", volume.name)),
            })
            .collect(),
        What::Cache => usage
            .cache
            .iter()
            .map(|step| Row {
                name: step.id.clone(),
                also: String::new(),
                path: None,
                about: format!("{} {}", step.kind, step.about),
                users: match (step.in_use, step.shared) {
                    (true, _) => "a build",
                    (false, true) => "an image as well",
                    (false, false) => "nobody",
                }
                .to_owned(),
                size: step.size,
                frees: prune().filter(|_| !step.in_use),
            })
            .collect(),
    };
    let finds = |text: &String| text.to_lowercase().contains(&view.search);
    rows.retain(|row| view.search.is_empty() || [&row.name, &row.also, &row.about].into_iter().any(&finds));
    rows.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
    rows
}

#[derive(Template)]
#[template(path = "system/_disk.html")]
struct Drawn<'a> {
    disk: &'a Disk,
    bars: Vec<Bar>,
    size: u64,
    free: u64,
    is_partial: bool,
    limits: &'a [String],
    view: &'a View,
    rows: Vec<Row>,
    first: usize,
    last: usize,
    total: usize,
    previous: Option<String>,
    next: Option<String>,
    can: Can,
    now: Timestamp,
}

impl<'a> Drawn<'a> {
    fn new(page: &'a Page, view: &'a View) -> Self {
        let (disk, can) = (&page.picture.disk, page.can());
        let usage = disk.usage.as_deref();
        let bars = usage.map(|usage| Bar::all(usage, view, can)).unwrap_or_default();
        let mut rows = usage.map(|usage| rows(usage, view, &page.picture, can)).unwrap_or_default();
        let (total, skip) = (rows.len(), (view.page - 1).saturating_mul(ROWS));
        rows = rows.into_iter().skip(skip).take(ROWS).collect();
        Self {
            size: bars.iter().map(|bar| bar.sum.size).sum(),
            free: bars.iter().map(|bar| bar.sum.free).sum(),
            is_partial: usage.is_some_and(|usage| usage.is_partial),
            limits: &page.asker.who.scope,
            first: (skip + 1).min(total),
            last: skip + rows.len(),
            previous: (view.page > 1).then(|| view.path("/engine/disk", view.what, view.page - 1)),
            next: (skip + rows.len() < total).then(|| view.path("/engine/disk", view.what, view.page + 1)),
            now: Timestamp::now(),
            total,
            rows,
            bars,
            disk,
            view,
            can,
        }
    }

    /// What the picture says, for who does not see it.
    fn says(&self) -> String {
        let bar = |bar: &Bar| {
            format!("{} {}, {} of it unused", bar.sum.what.label(), bytes(bar.sum.size), bytes(bar.sum.free))
        };
        format!("Disk use: {}", self.bars.iter().map(bar).collect::<Vec<_>>().join("; "))
    }
}

#[derive(Template)]
#[template(path = "system/disk.html")]
struct DiskPage<'a> {
    chrome: Chrome,
    tabs: [(&'static str, &'static str); 2],
    command: String,
    can: Can,
    drawn: Drawn<'a>,
}

/// `GET /engine/disk`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    page.show(
        || json::Disk::new(&page.picture),
        || {
            html(&DiskPage {
                chrome: Chrome::new(&page, "Disk use")
                    .live(&page, &view.path("/engine/disk/stream", view.what, view.page)),
                tabs: TABS,
                command: echo::system_df(),
                can: page.can(),
                drawn: Drawn::new(&page, &view),
            })
        },
    )
}

/// `GET /engine/disk/stream`
pub async fn stream(live: Live, Query(query): Query) -> Response {
    let view = View::parse(&query);
    live.follow(move |page| {
        let drawn = html(&Drawn::new(&page, &view));
        async { Ok(Fragments { rest: vec![Part { id: "disk".into(), html: drawn?.0 }], ..Fragments::default() }) }
    })
}

/// `POST /engine/disk/measure`: has the engine measure, in the background.
pub async fn measure(page: Page, fields: Fields) -> Result<Response, Error> {
    page.engine.measure_disk()?;
    let says = "Measuring… The engine walks through every file of every container and volume.";
    page.done(says, &echo::system_df(), fields.back("/engine/disk"))
}

//! What a container uses: now, and over time. Charts drawn by the server, which scripts make live.

mod chart;
mod docs;
pub mod json;
pub mod words;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use self::{
    chart::{Chart, Row},
    json::Cells,
};
use super::frame::{Frame, Tab, find, head};
use crate::{
    command::echo,
    engine::{Container, ContainerId, Detail, Engine, Figures, Point, Range},
    team::Right,
    web::{
        Error, Routes,
        chrome::Chrome,
        extract::{Fields, Id, Page, Query},
        html::html,
        stream::{Aside, Fragments, Live, Part},
    },
};

pub(super) fn routes() -> Routes {
    Routes::new().get("/containers/{id}/stats", Right::Look, page).doc(docs::stats()).get(
        "/containers/{id}/stats/stream",
        Right::Look,
        stream,
    )
}

/// The ranges, by their words in the address.
const RANGES: [(Range, &str, &str); 3] =
    [(Range::Recent, "15m", "15 minutes"), (Range::Day, "day", "Day"), (Range::Month, "month", "Month")];

fn range(query: &Fields) -> (Range, &'static str) {
    let asked = query.text("range").and_then(|word| RANGES.into_iter().find(|(_, name, _)| *name == word));
    asked.map_or((Range::Recent, "15m"), |(range, word, _)| (range, word))
}

/// What it may use at most, as lines in charts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Limits {
    /// Per cent of one CPU.
    cpu: Option<f64>,
    /// Bytes.
    memory: Option<u64>,
    /// Processes and threads.
    pids: Option<u64>,
}

impl Limits {
    /// What counts now comes with the figures; what was asked for, where it does not run.
    fn of(detail: &Detail, figures: Option<&Figures>, host: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "billionths of a CPU as per cent")]
        let cpu = detail.limits.nano_cpus.map(|nano| nano as f64 / 1e7);
        // Without a limit of its own the engine tells what the host has.
        let own = |limit: u64| host.is_none_or(|host| limit < host);
        let counts = figures.and_then(|figures| figures.memory_limit).filter(|limit| own(*limit));
        Self {
            cpu,
            memory: if figures.is_some() { counts } else { detail.limits.memory },
            pids: figures.and_then(|figures| figures.pids_limit).or(detail.limits.pids),
        }
    }
}

#[derive(Template)]
#[template(path = "containers/stats.html")]
struct StatsPage<'a> {
    chrome: Chrome,
    c: &'a Container,
    frame: Frame<'a>,
    charts: Vec<Chart>,
    table: Vec<Row>,
    ranges: Vec<(String, &'static str, bool)>,
    range: &'static str,
    /// Why there are no figures now.
    none: Option<String>,
    /// What is to be known of this range.
    about: &'static str,
    may_update: bool,
    span: i64,
    join: i64,
}

/// Everything that is known of it.
struct Known {
    figures: Option<Arc<Figures>>,
    points: Vec<Point>,
    limits: Limits,
    range: Range,
    now: i64,
}

async fn known(page: &Page, id: &ContainerId, range: Range) -> Result<Known, Error> {
    let figures = page.engine.figures_now(id).await?;
    let points = page.engine.usage_of(id, range).await?;
    let detail = page.engine.containers().get(id).await?;
    let host = page.picture.info.as_ref().map(|info| info.mem_total);
    let limits = Limits::of(&detail, figures.as_deref(), host);
    Ok(Known { figures, points, limits, range, now: Timestamp::now().as_second() })
}

/// `GET /containers/{id}/stats`
async fn page(Id(id): Id<ContainerId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let container = find(&page, &id)?;
    let (range, word) = range(&query);
    let known = known(&page, &id, range).await?;
    page.show(|| json::Use::new(&known, word), || draw(&page, &container, &known, word))
}

fn draw(page: &Page, c: &Container, known: &Known, word: &'static str) -> Result<axum::response::Html<String>, Error> {
    let frame = Frame::new(page, c, Tab::Stats, echo::stats(&[&c.name]));
    let path = format!("/containers/{}/stats", c.id);
    html(&StatsPage {
        chrome: Chrome::new(page, format!("{}: stats", c.name)).live(page, &format!("{path}/stream")),
        frame,
        charts: Chart::all(known),
        table: Row::all(known),
        ranges: RANGES.map(|(_, word_of, label)| (format!("{path}?range={word_of}"), label, word_of == word)).into(),
        range: word,
        none: known.figures.is_none().then(|| words::none(c, &page.picture)),
        about: words::about(known.range, page.engine.keeps_history()),
        may_update: page.can().enter,
        span: known.range.length(),
        join: known.range.join(),
        c,
    })
}

/// What the rows of a list use: looked at as long as they are shown, and told as it changes. Of `all`, where the list is
/// sorted by it.
pub fn of_rows(engine: &Engine, all: bool) -> Aside {
    let engine = engine.clone();
    let mut watcher = engine.watch_rows();
    let mut told: HashMap<ContainerId, Cells> = HashMap::new();
    Aside {
        at: watcher.beats(),
        tell: Box::new(move |has| {
            let id = |part: &Part| part.id.strip_prefix("container-").and_then(|id| id.parse().ok());
            let rows: Vec<ContainerId> = has.rows.iter().filter_map(id).collect();
            let mut new: BTreeMap<&str, Option<Cells>> = BTreeMap::new();
            let known: HashSet<&ContainerId> = rows.iter().collect();
            told.retain(|id, _| known.contains(id));
            for id in &rows {
                match engine.figures(id).map(|figures| Cells::from(figures.as_ref())) {
                    Some(cells) if told.get(id) != Some(&cells) => {
                        told.insert(id.clone(), cells.clone());
                        new.insert(id.as_str(), Some(cells));
                    }
                    None if told.remove(id).is_some() => drop(new.insert(id.as_str(), None)),
                    _ => {}
                }
            }
            let json = (!new.is_empty()).then(|| serde_json::to_string(&new).ok()).flatten();
            watcher.look_at(rows, all);
            Some(("use", json?))
        }),
    }
}

/// `GET /containers/{id}/stats/stream`: the head of the page, and each new reading as an event `use`.
async fn stream(Id(id): Id<ContainerId>, live: Live) -> Result<Response, Error> {
    let page = live.page();
    let engine = page.engine.clone();
    let host = page.picture.info.as_ref().map(|info| info.mem_total);
    let watcher = engine.watch_stats(&id)?;
    let of = id.clone();
    let mut told: Option<Option<Arc<Figures>>> = None;
    let aside = Aside {
        at: watcher.beats(),
        tell: Box::new(move |_| {
            let _ = &watcher;
            let figures = engine.figures(&of);
            let same = |told: &Option<Arc<Figures>>| match (told, &figures) {
                (Some(told), Some(figures)) => Arc::ptr_eq(told, figures),
                (told, figures) => told.is_none() && figures.is_none(),
            };
            if told.as_ref().is_some_and(same) {
                return None;
            }
            told = Some(figures.clone());
            let reading = json::Reading::new(figures.as_deref(), host);
            Some(("use", serde_json::to_string(&reading).ok()?))
        }),
    };
    Ok(live.follow_telling(aside, move |page| {
        let id = id.clone();
        async move {
            let part = head(page.picture.containers.get(&id).map(Arc::as_ref))?;
            Ok(Fragments { rest: vec![part], ..Fragments::default() })
        }
    }))
}

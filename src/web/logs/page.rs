//! The page of a log. It works by itself: the last lines, links to older ones, forms to search and to download.

use std::collections::BTreeMap;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{
    asked::{Asked, Source},
    draw::Pen,
    json::{Chosen, Failed, Texts, failed},
    lines::command,
};
use crate::{
    engine::{Container, ContainerId, Cursor, KeptLog, Level, Out, Place, Window},
    web::{
        Error, address,
        chrome::Chrome,
        containers::frame::{Frame, Tab, find},
        extract::{Fields, Id, Page, Query},
        html::html,
    },
};

/// The log: what one presses, and the lines.
#[derive(Template)]
#[template(path = "containers/logs/page.html")]
struct LogsPage<'a> {
    chrome: Chrome,
    /// What stands around one container's page; none for several.
    frame: Option<Frame<'a>>,
    title: String,
    command: String,
    /// Where this page is, without a query.
    path: String,
    /// Whose logs, as a query.
    query: String,
    sources: &'a [Source],
    rows: Vec<String>,
    failed: Vec<Failed>,
    /// When the container was removed whose log this is; none where it is there.
    removed: Option<Timestamp>,
    now: Timestamp,
    /// Where the links to older and newer lines lead.
    older: Option<String>,
    newer: Option<String>,
    /// What comes begins behind this.
    last: Option<Cursor>,
    form: Form,
    /// What the page was asked for, for forms that keep it.
    asked: Vec<(String, String)>,
}

/// What the forms hold.
struct Form {
    text: String,
    is_regex: bool,
    has_case: bool,
    is_not: bool,
    context: usize,
    out: &'static str,
    levels: Vec<&'static str>,
    since: String,
    until: String,
}

impl Form {
    fn new(asked: &Asked, fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let wanted = asked.wanted.as_ref();
        Self {
            text: text("q"),
            is_regex: wanted.is_some_and(|wanted| wanted.is_regex),
            has_case: wanted.is_some_and(|wanted| wanted.has_case),
            is_not: wanted.is_some_and(|wanted| wanted.is_not),
            context: asked.context,
            out: match asked.filter.out {
                Some(Out::Stdout) => "stdout",
                Some(Out::Stderr) => "stderr",
                None => "",
            },
            levels: asked.filter.levels.iter().map(|level| level.word()).collect(),
            since: text("since"),
            until: text("until"),
        }
    }

    /// Whether it leaves anything out.
    fn is_set(&self) -> bool {
        let texts = [&self.text, &self.since, &self.until];
        !self.levels.is_empty() || !self.out.is_empty() || texts.iter().any(|text| !text.is_empty())
    }

    /// Whether a level is ticked.
    fn has_level(&self, level: &str) -> bool {
        self.levels.contains(&level)
    }
}

/// `GET /containers/{id}/logs`
pub async fn one(Id(id): Id<ContainerId>, page: Page, Query(fields): Query) -> Result<Response, Error> {
    if !page.picture.containers.contains_key(&id) && page.engine.logs().kept_of(&id).is_some() {
        return kept(&id, &page, &fields).await;
    }
    let container = find(&page, &id)?;
    let asked = Asked::of_one(&page, &id, &fields).await?;
    let window = read(&page, &asked).await?;
    let command = command(&asked, false);
    page.show(
        || Texts::new(&asked, &window, command.clone()),
        || {
            let frame = Frame::new(&page, &container, Tab::Logs, command.clone());
            // The log's own connection is the only one: the script keeps the head true as well.
            let chrome = Chrome::new(&page, format!("{}: logs", container.name));
            let path = format!("/containers/{id}/logs");
            html(&LogsPage::new(chrome, Some(frame), &asked, &window, &fields, path, command.clone()))
        },
    )
}

/// The same of one that was removed.
async fn kept(id: &ContainerId, page: &Page, fields: &Fields) -> Result<Response, Error> {
    let asked = Asked::of_one(page, id, fields).await?;
    let window = read(page, &asked).await?;
    page.show(
        || Texts::new(&asked, &window, String::new()),
        || {
            let chrome = Chrome::new(page, "The log of a container that was removed");
            html(&LogsPage::new(chrome, None, &asked, &window, fields, format!("/containers/{id}/logs"), String::new()))
        },
    )
}

/// The page that asks whose logs to show.
#[derive(Template)]
#[template(path = "containers/logs/choose.html")]
struct ChoosePage<'a> {
    chrome: Chrome,
    containers: Vec<&'a Container>,
    stacks: Vec<(String, usize)>,
    kept: Vec<KeptLog>,
    /// For how long, in words; none where nothing is kept.
    kept_for: Option<String>,
    now: Timestamp,
}

fn choose(page: &Page) -> Result<Response, Error> {
    let mut containers: Vec<&Container> = page.picture.containers.values().map(AsRef::as_ref).collect();
    containers.sort_by_key(|container| (!container.state.is_up(), container.name.clone()));
    let mut stacks: BTreeMap<String, usize> = BTreeMap::new();
    for stack in containers.iter().filter_map(|container| container.stack()) {
        *stacks.entry(stack.to_owned()).or_default() += 1;
    }
    let logs = page.engine.logs();
    let kept = logs.kept();
    page.show(
        || Chosen::new(&containers, &stacks, &kept),
        || {
            html(&ChoosePage {
                chrome: Chrome::new(page, "Logs"),
                stacks: stacks.clone().into_iter().collect(),
                kept: kept.clone(),
                kept_for: logs.kept_for().map(crate::web::html::span),
                now: page.picture.now(),
                containers: containers.clone(),
            })
        },
    )
}

/// `GET /logs`
pub async fn several(page: Page, Query(fields): Query) -> Result<Response, Error> {
    if ["c", "id", "stack"].iter().all(|name| fields.text(name).is_none()) {
        return choose(&page);
    }
    let asked = Asked::of_query(&page, &fields).await?;
    let window = read(&page, &asked).await?;
    let command = command(&asked, false);
    page.show(
        || Texts::new(&asked, &window, command.clone()),
        || {
            let chrome = Chrome::new(&page, "Logs");
            html(&LogsPage::new(chrome, None, &asked, &window, &fields, "/logs".to_owned(), command.clone()))
        },
    )
}

/// The lines that the page shows: those with what is searched for and those around them, where something is.
async fn read(page: &Page, asked: &Asked) -> Result<Window, Error> {
    let mut filter = asked.filter.clone();
    if let Some(wanted) = &asked.wanted {
        (filter.matcher, filter.context) = (Some(wanted.matcher.clone()), asked.context);
    }
    Ok(page.engine.logs().window(&asked.ids(), asked.place, asked.count, &filter).await?)
}

impl<'a> LogsPage<'a> {
    fn new(
        chrome: Chrome,
        frame: Option<Frame<'a>>,
        asked: &'a Asked,
        window: &Window,
        fields: &Fields,
        path: String,
        command: String,
    ) -> Self {
        let here = match asked.place {
            Place::Around(cursor) => Some(cursor),
            _ => None,
        };
        let wanted = asked.wanted.as_ref().map(|wanted| &wanted.matcher);
        let mut pen = Pen::new(&asked.sources).marking(wanted).at(here);
        let rows = window.lines.iter().map(|found| pen.draw(found).html).collect();
        let link = |name: &str, cursor: Cursor| {
            let kept = fields.0.iter().filter(|(name, _)| !PLACES.contains(&name.as_str()));
            let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
            address::address(&path, kept.chain([(name, cursor.to_string().as_str())]))
        };
        let [first, last] = [window.lines.first(), window.lines.last()].map(|found| found.map(|found| found.cursor));
        let title = match (&asked.stack, asked.sources.as_slice()) {
            (Some(stack), _) => format!("Logs of the stack {stack}"),
            (None, [one]) => format!("Log of {}", one.name),
            (None, several) => format!("Logs of {} containers", several.len()),
        };
        Self {
            chrome,
            frame,
            title,
            command,
            query: asked.query(),
            sources: &asked.sources,
            rows,
            failed: failed(window),
            removed: asked.sources.first().filter(|_| asked.sources.len() == 1).and_then(|source| source.removed),
            now: Timestamp::now(),
            older: first.filter(|_| window.older).map(|cursor| link("before", cursor)),
            newer: last.filter(|_| window.newer).map(|cursor| link("after", cursor)),
            last: window.end.or(last),
            form: Form::new(asked, fields),
            path,
            asked: fields.0.iter().filter(|(_, value)| !value.is_empty()).cloned().collect(),
        }
    }

    /// What a form keeps of what the page was asked for: all that it does not ask for itself.
    fn kept(&self, form: &str) -> Vec<(&str, &str)> {
        let own: &[&str] = match form {
            "search" => &["q", "regex", "case", "not", "context"],
            "filter" => &["level", "out", "since", "until"],
            _ => &["timestamps", "gz"],
        };
        let is_kept = |name: &str| !PLACES.contains(&name) && !own.contains(&name);
        let kept = self.asked.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(name, _)| is_kept(name) && !matches!(*name, "c" | "id" | "back" | "stack" | "n"));
        let several = self.frame.is_none() || form == "download";
        let sources = self.sources.iter().filter(|_| several).map(|source| ("c", source.id.as_str()));
        sources.chain(kept).collect()
    }

    /// Whose log could not be read.
    fn name(&self, failed: &Failed) -> &str {
        self.sources.get(usize::from(failed.c)).map_or("", |source| source.name.as_str())
    }

    /// All levels, for the form.
    fn levels(&self) -> [&'static str; 5] {
        Level::EACH.map(Level::word)
    }
}

/// The fields that say where one looks.
const PLACES: [&str; 4] = ["before", "after", "around", "at"];

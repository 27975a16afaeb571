//! The list's page, and the same live.

use crate::web::filters;
use askama::Template;
use axum::response::Response;

use super::{
    json,
    row::Row,
    stats,
    view::{Line, Listing, Show, Stack, Uses, View},
};
use crate::{
    engine::{Attention, Picture},
    web::{
        Error,
        asker::Can,
        chrome::Chrome,
        extract::{Page, Query},
        html::html,
        stream::{Fragments, Live, Part},
    },
};

/// Counts over everything, whatever the filters.
#[derive(Template)]
#[template(path = "containers/_chips.html")]
struct Chips {
    chips: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "containers/_hidden.html")]
struct Hidden {
    hidden: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "containers/_table.html")]
struct Table<'a> {
    view: &'a View,
    listing: &'a Listing<'a>,
    /// Of each row; none in a live update.
    uses: Option<&'a Uses>,
    page: &'a Page,
    now: jiff::Timestamp,
    is_empty: bool,
    is_known: bool,
    can: Can,
    limits: &'a [String],
    back: String,
}

#[derive(Template)]
#[template(path = "containers/_stack.html")]
struct StackRow<'a> {
    stack: &'a Stack,
    can: Can,
}

#[derive(Template)]
#[template(path = "containers/list.html")]
struct ListPage<'a> {
    chrome: Chrome,
    view: &'a View,
    command: String,
    note: Option<&'static str>,
    chips: Chips,
    hidden: Hidden,
    table: Table<'a>,
    active: Vec<(String, String)>,
    networks: Vec<&'a str>,
    volumes: Vec<&'a str>,
    states: Vec<&'static str>,
    is_empty: bool,
    can: Can,
}

impl<'a> Table<'a> {
    fn new(page: &'a Page, view: &'a View, listing: &'a Listing<'a>, uses: Option<&'a Uses>) -> Self {
        let picture = &page.picture;
        let is_empty = picture.containers.is_empty();
        Self {
            view,
            listing,
            uses,
            page,
            now: picture.now(),
            is_empty,
            is_known: picture.info.is_some(),
            can: page.can(),
            limits: &page.asker.who.scope,
            back: view.back(),
        }
    }

    /// Where a column's heading leads: sorted by it, or the other way round.
    fn sort(&self, by: &str) -> String {
        self.view.with(|view| {
            view.descending = view.sort == by && !view.descending;
            by.clone_into(&mut view.sort);
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

    fn line(&self, line: &Line<'_>) -> String {
        let drawn = match line {
            Line::Stack(stack) => html(&StackRow { stack, can: self.can }),
            Line::Container(container) => {
                let row = Row::new(container, self.page, self.now, &self.back);
                html(&if let Some(uses) = self.uses { row.using(uses) } else { row })
            }
        };
        drawn.map(|html| html.0).unwrap_or_default()
    }
}

impl ListPage<'_> {
    fn is_sorted(&self, by: &str) -> bool {
        by.trim_start_matches('-') == self.view.sort && by.starts_with('-') == self.view.descending
    }
}

impl Chips {
    fn new(view: &View, picture: &Picture) -> Self {
        let chip = |(show, _, label): (Show, &str, &str)| {
            let number = picture.containers.values().filter(|container| show.takes(container)).count();
            (view.with(|view| view.show = show), format!("{label} {number}"), show == view.show)
        };
        Self { chips: Show::EACH.into_iter().map(chip).collect() }
    }
}

impl Hidden {
    fn new(view: &View, picture: &Picture, listing: &Listing<'_>) -> Self {
        let hidden = picture.containers.len() - listing.matching;
        let says = match view.show {
            _ if hidden == 0 => None,
            Show::Running if !view.is_filtered() => {
                Some(format!("{} hidden, which `docker ps` alone does not list either.", are(hidden, "stopped")))
            }
            Show::All => Some(format!("{} hidden by the filters.", are(hidden, "container"))),
            _ => Some(format!("{} hidden.", are(hidden, "container"))),
        };
        Self { hidden: says.map(|says| (says, "/containers".to_owned())) }
    }
}

fn are(number: usize, what: &str) -> String {
    let plural = if what == "container" && number != 1 { "s" } else { "" };
    format!("{number} {what}{plural} {}", if number == 1 { "is" } else { "are" })
}

impl<'a> ListPage<'a> {
    fn new(page: &'a Page, view: &'a View, listing: &'a Listing<'a>, uses: &'a Uses) -> Self {
        let picture = &page.picture;
        let (command, note) = view.command();
        let mut networks: Vec<&str> =
            picture.containers.values().flat_map(|c| c.networks.iter().map(|at| at.network.as_str())).collect();
        networks.sort_unstable();
        networks.dedup();
        let active = view.filters.iter().map(|(name, value)| {
            let without = view.with(|view| view.filters.retain(|(n, v)| (n, v) != (name, value)));
            (format!("{name}: {value}"), without)
        });
        let search = (!view.search.is_empty())
            .then(|| (format!("search: {}", view.search), view.with(|view| view.search.clear())));
        let stream = view.path().replacen("/containers", "/containers/stream", 1);
        Self {
            chrome: Chrome::new(page, "Containers").live(page, &stream),
            command,
            note,
            chips: Chips::new(view, picture),
            hidden: Hidden::new(view, picture, listing),
            table: Table::new(page, view, listing, Some(uses)),
            active: search.into_iter().chain(active).collect(),
            networks,
            volumes: picture
                .volumes
                .values()
                .filter(|volume| !volume.is_anonymous())
                .map(|volume| volume.name.as_str())
                .collect(),
            states: vec!["created", "running", "paused", "restarting", "removing", "exited", "dead"],
            is_empty: picture.containers.is_empty(),
            can: page.can(),
            view,
        }
    }
}

/// `GET /containers`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    if view.is_by_use() {
        page.engine.look_at_all();
    }
    let uses = page.engine.all_figures();
    let listing = view.list(&page.picture, &uses);
    page.show(|| json::list(&view, &listing, &page), || html(&ListPage::new(&page, &view, &listing, &uses)))
}

/// `GET /containers/stream`: the same view, live; what its rows use as an event `use`.
pub async fn stream(live: Live, Query(query): Query) -> Response {
    let view = View::parse(&query);
    let aside = stats::of_rows(&live.page().engine, view.is_by_use());
    live.follow_telling(aside, move |page| {
        let fragments = fragments(&page, &view);
        async { fragments }
    })
}

fn fragments(page: &Page, view: &View) -> Result<Fragments, Error> {
    let uses = if view.is_by_use() { page.engine.all_figures() } else { Uses::new() };
    let listing = view.list(&page.picture, &uses);
    let (now, back) = (page.picture.now(), view.back());
    let mut rows = Vec::new();
    for line in &listing.lines {
        rows.push(match line {
            Line::Stack(stack) => Part { id: stack.id(), html: html(&StackRow { stack, can: page.can() })?.0 },
            Line::Container(container) => Part {
                id: format!("container-{}", container.id),
                html: html(&Row::new(container, page, now, &back))?.0,
            },
        });
    }
    let table = Table::new(page, view, &listing, None);
    let rest = vec![
        Part { id: "chips".into(), html: html(&Chips::new(view, &page.picture))?.0 },
        Part { id: "hidden".into(), html: html(&Hidden::new(view, &page.picture, &listing))?.0 },
    ];
    Ok(Fragments { rows, list: Some(Part { id: "list".into(), html: html(&table)?.0 }), rest })
}

impl Attention {
    /// What it is, in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::OutOfMemory => "out of memory",
            Self::Dead => "dead",
            Self::RestartLoop => "restarting in a loop",
            Self::Unhealthy => "unhealthy",
            Self::Failed => "failed",
        }
    }
}

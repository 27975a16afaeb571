//! The list of networks.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::json;
use crate::{
    command::{echo, words},
    engine::{Container, Network, NetworkId},
    web::{
        Error, address,
        answer::List,
        asker::Can,
        chrome::Chrome,
        extract::{Fields, Page, Query},
        html::html,
        order::natural,
        stream::{Fragments, Live},
    },
};

/// Rows on a page.
const ROWS: usize = 50;
/// What can be sorted by; the first is how it is otherwise.
pub(super) const SORTS: [&str; 4] = ["name", "driver", "members", "created"];

/// Which networks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Show {
    #[default]
    All,
    Used,
    Unused,
    Internal,
    Predefined,
}

impl Show {
    pub(super) const EACH: [(Self, &'static str, &'static str); 5] = [
        (Self::All, "all", "All"),
        (Self::Used, "used", "In use"),
        (Self::Unused, "unused", "Unused"),
        (Self::Internal, "internal", "Internal"),
        (Self::Predefined, "predefined", "Predefined"),
    ];

    fn takes(self, network: &Network, is_used: bool) -> bool {
        match self {
            Self::All => true,
            Self::Used => is_used,
            Self::Unused => !is_used && !network.is_predefined(),
            Self::Internal => network.internal,
            Self::Predefined => network.is_predefined(),
        }
    }
}

#[derive(Clone)]
struct View {
    show: Show,
    search: String,
    driver: String,
    sort: &'static str,
    descending: bool,
    page: usize,
}

/// Text search over name, id, driver, addresses and labels; `text` is in lower case.
pub fn finds(network: &Network, text: &str) -> bool {
    let has = |field: &str| field.to_lowercase().contains(text);
    text.is_empty()
        || has(&network.name)
        || network.id.as_str().starts_with(text)
        || has(&network.driver)
        || network.ranges.iter().any(|range| has(&range.subnet))
        || network.labels.iter().any(|(key, value)| has(&format!("{key}={value}")))
}

impl View {
    fn parse(query: &Fields) -> Self {
        let (sort, descending) = address::sort(query, &SORTS, SORTS[0]);
        Self {
            show: address::choice(query, "show", &Show::EACH),
            search: query.text("q").unwrap_or_default().to_lowercase(),
            driver: query.text("driver").unwrap_or_default().to_owned(),
            sort,
            descending,
            page: query.page(),
        }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut view = Self { page: 1, ..self.clone() };
        change(&mut view);
        view.path("/networks")
    }

    fn path(&self, base: &str) -> String {
        address::address(
            base,
            [
                ("show", address::word(self.show, &Show::EACH)),
                ("q", &self.search),
                ("driver", &self.driver),
                ("sort", &address::sort_word((self.sort, self.descending), SORTS[0])),
                ("page", &address::page(self.page)),
            ],
        )
    }

    fn command(&self) -> String {
        let show = match self.show {
            Show::Unused => Some(("dangling", "true")),
            Show::Used => Some(("dangling", "false")),
            Show::Predefined => Some(("type", "builtin")),
            Show::All | Show::Internal => None,
        };
        let driver = (!self.driver.is_empty()).then_some(("driver", self.driver.as_str()));
        let command = echo::network_ls(&show.into_iter().chain(driver).collect::<Vec<_>>());
        if self.search.is_empty() {
            command
        } else {
            format!("{command} | grep -i -- {}", words::join([self.search.clone()]))
        }
    }

    fn takes(&self, network: &Network) -> bool {
        (self.driver.is_empty() || network.driver == self.driver) && finds(network, &self.search)
    }

    /// Where a column's heading leads: sorted by it, or the other way round.
    fn sort(&self, by: &'static str) -> String {
        self.with(|view| (view.descending, view.sort) = (view.sort == by && !view.descending, by))
    }

    fn aria_sort(&self, by: &str) -> &'static str {
        match (self.sort == by, self.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }

    fn arrow(&self, by: &str) -> &'static str {
        match (self.sort == by, self.descending) {
            (false, _) => "",
            (true, false) => " ↑",
            (true, true) => " ↓",
        }
    }
}

type Members<'a> = HashMap<&'a NetworkId, Vec<&'a Arc<Container>>>;

fn of<'m, 'a>(members: &'m Members<'a>, network: &Network) -> &'m [&'a Arc<Container>] {
    members.get(&network.id).map(Vec::as_slice).unwrap_or_default()
}

/// A row of the list.
#[derive(Template)]
#[template(path = "networks/_row.html")]
struct Row<'a> {
    n: &'a Network,
    running: usize,
    stopped: usize,
    can: Can,
    now: Timestamp,
}

impl<'a> Row<'a> {
    fn new(n: &'a Network, members: &Members<'_>, page: &Page) -> Self {
        let members = of(members, n);
        let running = members.iter().filter(|member| member.state.is_up()).count();
        Self { n, running, stopped: members.len() - running, can: page.can(), now: page.picture.now() }
    }

    fn id(&self) -> String {
        format!("network-{}", self.n.id)
    }
}

#[derive(Template)]
#[template(path = "networks/_table.html")]
struct Table<'a> {
    view: &'a View,
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
#[template(
    source = r#"<div id="head"><nav class="chips" aria-label="Show">{% for (path, label, current) in chips %}<a class="chip" href="{{ path|typed }}"{% if *current %} aria-current="true"{% endif %}>{{ label }}</a>{% endfor %}</nav></div>"#,
    ext = "html"
)]
struct Head {
    chips: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "networks/list.html")]
struct ListPage<'a> {
    chrome: Chrome,
    command: String,
    view: &'a View,
    /// What it can be narrowed by, and what it is.
    active: Vec<(String, String)>,
    drivers: Vec<&'a str>,
    can: Can,
    head: Head,
    table: Table<'a>,
}

/// All that a view takes, in its order.
fn found<'a>(page: &'a Page, view: &View, members: &Members<'_>) -> Vec<&'a Arc<Network>> {
    let number = |network: &Network| of(members, network).len();
    let fits = |network: &&Arc<Network>| view.show.takes(network, number(network) > 0) && view.takes(network);
    let mut found: Vec<_> = page.picture.networks.values().filter(fits).collect();
    found.sort_by(|a, b| {
        let order = match view.sort {
            "driver" => natural(&a.driver, &b.driver),
            "members" => number(b).cmp(&number(a)),
            "created" => b.created.cmp(&a.created),
            _ => Ordering::Equal,
        };
        let order = order.then_with(|| natural(&a.name, &b.name)).then_with(|| a.id.cmp(&b.id));
        if view.descending { order.reverse() } else { order }
    });
    found
}

fn data(page: &Page, view: &View) -> List<json::Network> {
    let members = page.picture.members_of_networks();
    let found = found(page, view, &members);
    let on_page = found.iter().skip((view.page - 1).saturating_mul(ROWS)).take(ROWS);
    List {
        items: on_page.map(|network| json::Network::new(network, of(&members, network), &page.picture)).collect(),
        total: found.len(),
        page: view.page,
        pages: found.len().div_ceil(ROWS).max(1),
    }
}

fn draw<'a>(page: &'a Page, view: &'a View) -> (Head, Table<'a>) {
    let members = page.picture.members_of_networks();
    let chip = |(show, _, label): (Show, &str, &str)| {
        let takes = |network: &&Arc<Network>| show.takes(network, !of(&members, network).is_empty());
        let number = page.picture.networks.values().filter(takes).count();
        (view.with(|view| view.show = show), format!("{label} {number}"), show == view.show)
    };
    let head = Head { chips: Show::EACH.into_iter().map(chip).collect() };
    let found = found(page, view, &members);
    let (total, skip) = (found.len(), (view.page - 1).saturating_mul(ROWS));
    let rows: Vec<_> =
        found.into_iter().skip(skip).take(ROWS).map(|network| Row::new(network, &members, page)).collect();
    let turned = |page: usize| view.with(|view| view.page = page);
    let table = Table {
        first: (skip + 1).min(total),
        last: skip + rows.len(),
        total,
        previous: (view.page > 1).then(|| turned(view.page - 1)),
        next: (skip + rows.len() < total).then(|| turned(view.page + 1)),
        is_empty: page.picture.networks.is_empty(),
        is_known: page.picture.info.is_some(),
        can: page.can(),
        limits: &page.asker.who.scope,
        view,
        rows,
    };
    (head, table)
}

/// `GET /networks`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    page.show(
        || data(&page, &view),
        || {
            let (head, table) = draw(&page, &view);
            let mut drivers: Vec<&str> = page.picture.networks.values().map(|network| &*network.driver).collect();
            drivers.sort_unstable();
            drivers.dedup();
            let search = (!view.search.is_empty())
                .then(|| (format!("search: {}", view.search), view.with(|v| v.search.clear())));
            let driver = (!view.driver.is_empty())
                .then(|| (format!("driver: {}", view.driver), view.with(|v| v.driver.clear())));
            html(&ListPage {
                chrome: Chrome::new(&page, "Networks").live(&page, &view.path("/networks/stream")),
                command: view.command(),
                active: search.into_iter().chain(driver).collect(),
                drivers,
                can: page.can(),
                view: &view,
                head,
                table,
            })
        },
    )
}

/// `GET /networks/stream`
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

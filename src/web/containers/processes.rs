//! Who runs inside, live: as `docker top` tells, sorted and as a tree.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    docs,
    frame::{self, Frame, Tab, find, head},
    quiet::Quiet,
};
use crate::{
    command::echo,
    engine::{Columns, Container, ContainerId, Processes, State},
    team::Right,
    web::{
        Error, Routes, address,
        chrome::Chrome,
        doc::{Doc, Field},
        extract::{Fields, Id, Page, Query},
        html::html,
        order::natural,
        stream::{Fragments, Live, Part},
    },
};

/// How often who looks is shown them anew.
const ROUND: Duration = Duration::from_millis(2_500);
/// Processes on a page.
const ROWS: usize = 200;
/// How deep a tree is drawn.
const DEPTH: usize = 12;

/// What `ps` calls its columns, what addresses call them, and what they say.
const TITLES: &[(&str, &str, &str)] = &[
    ("PID", "pid", "The process’s number"),
    ("PPID", "ppid", "The number of the process that started it"),
    ("UID", "user", "Who it runs as"),
    ("USER", "user", "Who it runs as"),
    ("C", "cpu", "Per cent of a CPU over its life"),
    ("%CPU", "cpu", "Per cent of a CPU over its life"),
    ("%MEM", "mem", "Per cent of the host’s memory"),
    ("VSZ", "vsz", "Memory that it has reserved, in KiB"),
    ("RSS", "rss", "Memory that it holds, in KiB"),
    ("STAT", "stat", "R runs, S sleeps, D waits for a disk, T is stopped, Z has ended and waits to be noticed"),
    ("STATE", "stat", "R runs, S sleeps, D waits for a disk, T is stopped, Z has ended and waits to be noticed"),
    ("STIME", "start", "When it began"),
    ("START", "start", "When it began"),
    ("ELAPSED", "elapsed", "How long ago it began"),
    ("TIME", "time", "CPU time that it has used"),
    ("TTY", "tty", "Its terminal"),
    ("TT", "tty", "Its terminal"),
    ("NLWP", "threads", "Its threads"),
    ("NI", "nice", "How nice it is to others: 19 waits for all of them"),
    ("CMD", "command", "What runs"),
    ("COMMAND", "command", "What runs"),
];
/// By what they can be sorted.
const SORTS: &[&str] = &[
    "pid", "ppid", "user", "cpu", "mem", "vsz", "rss", "stat", "start", "elapsed", "time", "tty", "threads", "nice",
    "command",
];

pub(super) fn routes() -> Routes {
    Routes::new().get("/containers/{id}/processes", Right::Look, page).doc(doc()).get(
        "/containers/{id}/processes/stream",
        Right::Look,
        stream,
    )
}

fn key(title: &str) -> &'static str {
    TITLES.iter().find(|(known, ..)| *known == title).map_or("", |(_, key, _)| key)
}

/// What is shown: the address, parsed.
#[derive(Debug, Clone, Default)]
struct View {
    columns: Columns,
    sort: &'static str,
    descending: bool,
    tree: bool,
    page: usize,
}

impl View {
    fn parse(query: &Fields) -> Self {
        let columns = query.get("columns").and_then(|word| Columns::EACH.into_iter().find(|each| each.word() == word));
        let (sort, descending) = address::sort(query, SORTS, "");
        Self { columns: columns.unwrap_or_default(), sort, descending, tree: query.is_set("tree"), page: query.page() }
    }

    fn path(&self, id: &ContainerId, below: &str) -> String {
        address::address(
            &format!("/containers/{id}/processes{below}"),
            [
                ("columns", if self.columns == Columns::default() { "" } else { self.columns.word() }),
                ("sort", &address::sort_word((self.sort, self.descending), "")),
                ("tree", address::tick(self.tree)),
                ("page", &address::page(self.page)),
            ],
        )
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut view = Self { page: 1, ..self.clone() };
        change(&mut view);
        view
    }
}

/// `1-02:03:04`, `00:01`, or Podman's `1h2m3s`, in seconds.
fn seconds(text: &str) -> Option<u64> {
    if let Some(units) = text.strip_suffix('s') {
        let (mut all, mut number) = (0, 0_u64);
        for letter in units.chars() {
            match (letter, letter.to_digit(10)) {
                (_, Some(digit)) => number = number.saturating_mul(10).saturating_add(digit.into()),
                ('h', _) => (all, number) = (all + number * 3_600, 0),
                ('m', _) => (all, number) = (all + number * 60, 0),
                _ => return None,
            }
        }
        return Some(all + number);
    }
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    let parts = rest.split(':').try_fold(0_u64, |all, part| Some(all * 60 + part.parse::<u64>().ok()?))?;
    Some(days.parse::<u64>().ok()?.saturating_mul(86_400) + parts)
}

fn order(by: &str, a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok();
    match by {
        "time" | "elapsed" => seconds(a).cmp(&seconds(b)),
        "user" | "command" | "tty" | "stat" | "start" => natural(a, b),
        _ => number(a).partial_cmp(&number(b)).unwrap_or_else(|| natural(a, b)),
    }
}

/// A process on the page.
struct Process<'a> {
    cells: &'a [String],
    depth: usize,
}

/// Those of a view, in its order.
fn arranged<'a>(told: &'a Processes, view: &View) -> Vec<Process<'a>> {
    let place = |wanted: &str| told.titles.iter().position(|title| key(title) == wanted);
    let mut rows: Vec<&Vec<String>> = told.rows.iter().collect();
    if let Some(at) = place(view.sort) {
        let cell = |row: &&Vec<String>| row.get(at).cloned().unwrap_or_default();
        rows.sort_by(|a, b| {
            let order = order(view.sort, &cell(a), &cell(b));
            if view.descending { order.reverse() } else { order }
        });
    }
    let (Some(pid), Some(ppid), true) = (place("pid"), place("ppid"), view.tree) else {
        return rows.into_iter().map(|cells| Process { cells, depth: 0 }).collect();
    };
    let cell = |row: &'a Vec<String>, at: usize| row.get(at).map(String::as_str).unwrap_or_default();
    let all: HashSet<&str> = rows.iter().map(|row| cell(row, pid)).collect();
    let mut children: HashMap<&str, Vec<&'a Vec<String>>> = HashMap::new();
    let mut stack = Vec::new();
    for row in rows.into_iter().rev() {
        let parent = cell(row, ppid);
        if all.contains(parent) && parent != cell(row, pid) {
            children.entry(parent).or_default().push(row);
        } else {
            stack.push((row, 0));
        }
    }
    let mut found = Vec::with_capacity(told.rows.len());
    while let Some((cells, depth)) = stack.pop() {
        found.push(Process { cells, depth: usize::min(depth, DEPTH) });
        // Taken out: whoever is twice among the parents is drawn once.
        let below = children.remove(cell(cells, pid)).unwrap_or_default();
        stack.extend(below.into_iter().map(|child| (child, depth + 1)));
    }
    found
}

/// A row.
#[derive(Template)]
#[template(path = "containers/_process.html")]
struct Row<'a> {
    id: String,
    /// Each with its title, its width, and whether it is a number.
    cells: Vec<(&'a str, &'a str, bool)>,
    command: &'a str,
    branch: String,
}

impl<'a> Row<'a> {
    fn new(process: &Process<'a>, titles: &'a [String]) -> Self {
        let named = || process.cells.iter().zip(titles);
        let pid = named().find(|(_, title)| *title == "PID").map(|(cell, _)| cell.as_str()).unwrap_or_default();
        // It becomes an element's id.
        let pid: String = pid.chars().filter(char::is_ascii_digit).collect();
        let is_command = |title: &str| key(title) == "command";
        let cells = named().filter(|(_, title)| !is_command(title));
        Self {
            id: format!("process-{pid}"),
            cells: cells.map(|(cell, title)| (title.as_str(), cell.as_str(), is_number(title))).collect(),
            command: named().find(|(_, title)| is_command(title)).map(|(cell, _)| cell.as_str()).unwrap_or_default(),
            branch: if process.depth == 0 {
                String::new()
            } else {
                format!("{}└ ", "\u{a0}\u{a0}".repeat(process.depth - 1))
            },
        }
    }
}

fn is_number(title: &str) -> bool {
    !matches!(key(title), "user" | "tty" | "stat" | "start" | "command" | "")
}

/// A column's heading.
struct Heading<'a> {
    title: &'a str,
    about: &'static str,
    /// Where it leads; none where nothing can be sorted by it.
    path: Option<String>,
    arrow: &'static str,
    aria: &'static str,
    class: &'static str,
}

impl<'a> Heading<'a> {
    fn new(title: &'a str, view: &View, id: &ContainerId) -> Self {
        let by = key(title);
        let is = !by.is_empty() && by == view.sort;
        let path = (!by.is_empty()).then(|| {
            let turned = view.with(|view| {
                // What is much comes first.
                view.descending = if is { !view.descending } else { is_number(title) && !matches!(by, "pid" | "ppid") };
                view.sort = by;
            });
            turned.path(id, "")
        });
        let (arrow, aria) = match (is, view.descending) {
            (false, _) => ("", "none"),
            (true, false) => (" ↑", "ascending"),
            (true, true) => (" ↓", "descending"),
        };
        let class = match by {
            "command" => "",
            "user" | "start" => "s",
            _ if is_number(title) => "xs num",
            _ => "xs",
        };
        let about = TITLES.iter().find(|(known, ..)| *known == title).map_or("", |(_, _, about)| about);
        Self { title, about, path, arrow, aria, class }
    }
}

#[derive(Template)]
#[template(path = "containers/_processes.html")]
struct Table<'a> {
    headings: Vec<Heading<'a>>,
    rows: Vec<Row<'a>>,
}

/// How many there are, and a way to the others.
#[derive(Template)]
#[template(
    source = r#"<div id="tally">{% if total > 0 %}<p class="sub">{{ crate::web::html::count(total, "process").replace("processs", "processes") }}{% if pages > 1 %}, {{ first }}–{{ last }} shown{% endif %}</p>{% if pages > 1 %}<nav class="pager" aria-label="Pages">{% if let Some(path) = previous.as_ref() %}<a class="btn" href="{{ path }}" rel="prev">Previous</a>{% endif %}{% if let Some(path) = next.as_ref() %}<a class="btn" href="{{ path }}" rel="next">Next</a>{% endif %}</nav>{% endif %}{% endif %}</div>"#,
    ext = "html"
)]
struct Tally {
    total: usize,
    pages: usize,
    first: usize,
    last: usize,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "containers/processes.html")]
struct ProcessesPage<'a> {
    chrome: Chrome,
    frame: Frame<'a>,
    /// The columns to choose from, and the tree: `(path, label, is here)`.
    choices: Vec<(String, &'static str, bool)>,
    tree: Option<(String, bool)>,
    note: &'static str,
    quiet: &'a Quiet,
    table: Table<'a>,
    tally: Tally,
}

/// What is told of them; or why there is nothing to tell.
async fn told(page: &Page, c: &Container, view: &View) -> Result<(std::sync::Arc<Processes>, Quiet), Error> {
    let none = || Processes { asked: "", titles: Vec::new(), rows: Vec::new(), total: 0 }.into();
    let words = match &c.state {
        State::Running => Quiet::default(),
        State::Paused => Quiet::note(
            "It is paused: these processes are frozen where they were. They use no CPU until it is unpaused.",
        ),
        State::Restarting => {
            return Ok((
                none(),
                Quiet::new(
                    "It is between two runs",
                    "Its main process has ended, and its restart policy is about to start it again: until then nothing runs in it. This page shows what runs as soon as something does.",
                ),
            ));
        }
        State::Created => {
            return Ok((
                none(),
                Quiet::new(
                    "Nothing runs in it yet",
                    "It was created and never started. A container is its processes: as soon as it is started, they stand here.",
                ),
            ));
        }
        State::Exited => {
            return Ok((
                none(),
                Quiet::new(
                    "Nothing runs in it any more",
                    "When the main process of a container ends, all others in it are ended too. What they printed is in its log, and their files are still there.",
                ),
            ));
        }
        State::Dead | State::Removing | State::Unknown(_) => {
            return Ok((none(), Quiet::new("Nothing runs in it", c.state.meaning())));
        }
    };
    match page.engine.containers().processes(&c.id, view.columns).await {
        Ok(told) => Ok((told, words)),
        Err(error) if error.is_outage() => Err(error.into()),
        Err(error) => {
            let told = Error::from(error);
            Ok((none(), Quiet::new("The engine does not tell what runs in it", told.reason())))
        }
    }
}

fn draw<'a>(told: &'a Processes, view: &View, id: &ContainerId) -> (Table<'a>, Tally) {
    let all = arranged(told, view);
    let skip = (view.page - 1).saturating_mul(ROWS);
    let rows: Vec<Row<'_>> = all.iter().skip(skip).take(ROWS).map(|process| Row::new(process, &told.titles)).collect();
    let turn = |page: usize| Some(View { page, ..view.clone() }.path(id, ""));
    let tally = Tally {
        total: told.total,
        pages: all.len().div_ceil(ROWS),
        first: (skip + 1).min(all.len()),
        last: skip + rows.len(),
        previous: turn(view.page.saturating_sub(1)).filter(|_| view.page > 1),
        next: turn(view.page + 1).filter(|_| skip + rows.len() < all.len()),
    };
    (Table { headings: told.titles.iter().map(|title| Heading::new(title, view, id)).collect(), rows }, tally)
}

/// `GET /containers/{id}/processes`
async fn page(Id(id): Id<ContainerId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    let container = find(&page, &id)?;
    let (told, quiet) = told(&page, &container, &view).await?;
    page.show(
        || ProcessList::new(&container, &told, &view, &quiet),
        || {
            let hides = page.engine.reach().secrets == crate::engine::Secrets::Hidden;
            let on_podman = page.picture.is_podman();
            let command = echo::top(&container.name, view.columns.asks(on_podman, hides));
            let (table, tally) = draw(&told, &view, &id);
            let labels = ["Who started whom", "What they use", "How they stand"];
            let choice = |(columns, label): (Columns, &'static str)| {
                let path = view.with(|view| (view.columns, view.sort) = (columns, "")).path(&id, "");
                (path, label, columns == view.columns)
            };
            let frame = Frame::new(&page, &container, Tab::Processes, command);
            html(&ProcessesPage {
                chrome: Chrome::new(&page, format!("{}: processes", container.name))
                    .live(&page, &view.path(&id, "/stream")),
                frame,
                choices: Columns::EACH.into_iter().zip(labels).map(choice).collect(),
                tree: (view.columns != Columns::Usage).then(|| (view.with(|other| other.tree = !view.tree).path(&id, ""), view.tree)),
                note: match (on_podman, hides) {
                    (_, true) => "You see the programs’ names: command lines may hold secrets.",
                    (true, _) => "The numbers are those inside of the container.",
                    (false, _) => "The numbers are the host’s: inside of the container they are others, and its main process is 1.",
                },
                quiet: &quiet,
                table,
                tally,
            })
        },
    )
}

/// `GET /containers/{id}/processes/stream`
async fn stream(Id(id): Id<ContainerId>, live: Live, Query(query): Query) -> Response {
    let view = View::parse(&query);
    live.follow_every(ROUND, move |page| {
        let (id, view) = (id.clone(), view.clone());
        async move {
            let Some(container) = page.picture.containers.get(&id) else {
                return Ok(Fragments { rest: vec![frame::head(None)?], ..Fragments::default() });
            };
            let (told, quiet) = told(&page, container, &view).await?;
            let (table, tally) = draw(&told, &view, &id);
            let rows = table.rows.iter().map(|row| Ok(Part { id: row.id.clone(), html: html(row)?.0 }));
            Ok(Fragments {
                rows: rows.collect::<Result<_, Error>>()?,
                list: Some(Part { id: "list".into(), html: html(&table)?.0 }),
                rest: vec![head(Some(container))?, quiet.part()?, Part { id: "tally".into(), html: html(&tally)?.0 }],
            })
        }
    })
}

/// Who runs in a container.
#[derive(Serialize, ToSchema)]
struct ProcessList {
    /// Its state.
    state: String,
    /// Why there is nothing, or what to know of it.
    says: String,
    /// What `docker top` was asked for.
    asked: &'static str,
    /// The columns, as the engine names them.
    columns: Vec<String>,
    /// A process each, a cell for each column.
    processes: Vec<Vec<String>>,
    /// How many there are on all pages.
    total: usize,
    /// Which page this is, from 1.
    page: usize,
    /// How many pages there are.
    pages: usize,
}

impl ProcessList {
    fn new(c: &Container, told: &Processes, view: &View, quiet: &Quiet) -> Self {
        let all = arranged(told, view);
        let on_page = all.iter().skip((view.page - 1).saturating_mul(ROWS)).take(ROWS);
        Self {
            state: c.state.to_string(),
            says: quiet.words(),
            asked: told.asked,
            columns: told.titles.clone(),
            processes: on_page.map(|process| process.cells.to_vec()).collect(),
            total: told.total,
            page: view.page,
            pages: all.len().div_ceil(ROWS).max(1),
        }
    }
}

fn doc() -> Doc {
    Doc::new("List the processes of a container")
        .about("The same as `docker top`. Who sees no secrets is told the programs’ names in place of their command lines.")
        .place(docs::id())
        .query([
            Field::one_of("columns", "Which columns.", Columns::EACH.into_iter().map(Columns::word)),
            Field::sort(SORTS),
            Field::switch("tree", "Each after the process that started it."),
            Field::page(),
        ])
        .gives::<ProcessList>(200, "The processes, 200 to a page; none while it does not run.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rows: &[[&str; 4]]) -> Processes {
        let titles = ["PID", "PPID", "TIME", "CMD"].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        Processes { asked: "-ef", titles, total: rows.len(), rows }
    }

    fn pids(told: &Processes, query: &str) -> Vec<String> {
        let view = View::parse(&Fields::parse(query.as_bytes()));
        arranged(told, &view)
            .iter()
            .map(|process| format!("{}{}", "-".repeat(process.depth), process.cells[0]))
            .collect()
    }

    #[test]
    fn processes_are_sorted_and_stand_below_their_parents() {
        let told = told(&[
            ["30", "10", "1-00:00:00", "c"],
            ["10", "1", "00:00:09", "a"],
            ["9", "10", "10:00:00", "b"],
            ["31", "30", "00:01", "d"],
        ]);
        assert_eq!(pids(&told, ""), ["30", "10", "9", "31"]);
        assert_eq!(pids(&told, "sort=pid"), ["9", "10", "30", "31"]);
        assert_eq!(pids(&told, "sort=-time"), ["30", "9", "10", "31"]);
        assert_eq!(pids(&told, "sort=nonsense"), ["30", "10", "9", "31"]);
        assert_eq!(pids(&told, "tree=1&sort=pid"), ["10", "-9", "-30", "--31"]);
        assert_eq!((seconds("1h2m3s"), seconds("01:02"), seconds("x")), (Some(3_723), Some(62), None));
    }

    #[test]
    fn whoever_is_their_own_parent_is_drawn_once() {
        let told = told(&[["1", "1", "00:00", "a"], ["2", "3", "00:00", "b"], ["3", "2", "00:00", "c"]]);
        assert_eq!(pids(&told, "tree=1"), ["1"]);
    }
}

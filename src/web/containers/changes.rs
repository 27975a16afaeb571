//! What a container has changed of its image's files, as a tree: as `docker diff` tells.

use std::{collections::BTreeMap, sync::Arc};

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    docs,
    frame::{Frame, Tab, can, find},
    quiet::Quiet,
};
use crate::{
    command::{echo, words::join},
    engine::{ChangeKind, Container, ContainerId, FileChange, Mount, State},
    team::Right,
    web::{
        Error, Routes, address,
        answer::List,
        asker::Can,
        chrome::Chrome,
        doc::{Doc, Field},
        extract::{Fields, Id, Page, Query},
        files::in_container,
        html::html,
        order::natural,
    },
};

/// Files and folders that are drawn on one page, at most.
const DRAWN: usize = 1_000;
/// Of one folder that is not the one that is looked at.
const OF_FOLDER: usize = 60;
/// Of the folder that is looked at: a page of it.
const OF_PAGE: usize = 300;
/// Up to how many all folders are open from the start.
const OPEN: usize = 60;
/// How deep folders are drawn into each other.
const DEPTH: usize = 16;
/// Up to how many things are in a folder for it to be open from the start, if it is none within another.
const FEW: usize = 12;
/// For scripts: changes on a page.
const ITEMS: usize = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new().get("/containers/{id}/changes", Right::Look, page).doc(doc())
}

/// What is shown: the address, parsed.
#[derive(Debug, Clone, Default)]
struct View {
    kind: Option<ChangeKind>,
    search: String,
    /// The folder that is looked at; empty for `/`.
    folder: String,
    page: usize,
}

impl View {
    fn parse(query: &Fields) -> Self {
        let kind = query.get("kind").and_then(|word| ChangeKind::EACH.into_iter().find(|kind| kind.word() == word));
        let folder = query.get("path").unwrap_or_default().trim_end_matches('/');
        Self {
            kind,
            search: query.text("q").unwrap_or_default().to_owned(),
            folder: if folder.starts_with('/') { folder.to_owned() } else { String::new() },
            page: query.page(),
        }
    }

    fn path(&self, id: &ContainerId) -> String {
        let kind = self.kind.map_or("", ChangeKind::word);
        address::address(
            &format!("/containers/{id}/changes"),
            [("kind", kind), ("q", &self.search), ("path", &self.folder), ("page", &address::page(self.page))],
        )
    }

    fn takes(&self, change: &FileChange) -> bool {
        let in_folder =
            || change.path.strip_prefix(&*self.folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.kind.is_none_or(|kind| kind == change.kind)
            && in_folder()
            && (self.search.is_empty() || change.path.to_lowercase().contains(&self.search.to_lowercase()))
    }
}

/// A file or a folder, with what is in it.
#[derive(Debug, Default)]
struct Node<'a> {
    /// What became of it; none for a folder that only leads to what changed.
    kind: Option<ChangeKind>,
    inside: BTreeMap<&'a str, Node<'a>>,
    /// How many in it were added, changed and deleted.
    counts: [usize; 3],
}

impl<'a> Node<'a> {
    /// All of these, below the folder.
    fn of(changes: impl Iterator<Item = &'a FileChange>, folder: &str) -> Self {
        let mut root = Self::default();
        for FileChange { path, kind } in changes {
            let below = path.get(folder.len()..).unwrap_or_default();
            let mut node = &mut root;
            for name in below.split('/').filter(|name| !name.is_empty()) {
                if let Some(count) = node.counts.get_mut(*kind as usize) {
                    *count += 1;
                }
                node = node.inside.entry(name).or_default();
            }
            node.kind = Some(*kind);
        }
        root
    }
}

/// A name on one line: a line end in it is seen, too.
fn shown(name: &str) -> String {
    name.replace('\n', "\u{240a}").replace('\t', "\u{2409}")
}

/// A line of the tree, in the order in which it is drawn.
enum Line {
    /// A folder that unfolds.
    Opens {
        name: String,
        kind: Option<ChangeKind>,
        counts: Vec<(char, usize)>,
        is_open: bool,
        path: String,
        files: Option<String>,
    },
    /// Its end.
    Closes,
    /// A file, or a folder with nothing in it.
    Leaf {
        name: String,
        kind: ChangeKind,
        /// Where it is looked at, if it is there and by somebody who may.
        file: Option<String>,
    },
    /// What of a folder is on a page of its own.
    More { path: String, says: String },
}

/// Draws trees until there is enough on the page.
struct Drawer<'a> {
    id: &'a ContainerId,
    /// Whether it leads to the files.
    reads: bool,
    view: &'a View,
    left: usize,
    is_open: bool,
    lines: Vec<Line>,
}

impl Drawer<'_> {
    fn draw(&mut self, node: &Node<'_>, folder: &str, skip: usize, most: usize, depth: usize) {
        let mut inside: Vec<_> = node.inside.iter().collect();
        // Folders first, as in a file manager; then as people count.
        inside.sort_by(|(a, one), (b, other)| {
            one.inside.is_empty().cmp(&other.inside.is_empty()).then_with(|| natural(a, b))
        });
        let mut drawn = 0;
        for (name, node) in inside.iter().skip(skip).take(most) {
            if self.left == 0 {
                break;
            }
            (self.left, drawn) = (self.left - 1, drawn + 1);
            let path = format!("{folder}/{name}");
            if node.inside.is_empty() {
                if let Some(kind) = node.kind {
                    let file = (self.reads && kind != ChangeKind::Deleted).then(|| in_container(self.id, &path));
                    self.lines.push(Line::Leaf { name: shown(name), kind, file });
                }
                continue;
            }
            let letters = ChangeKind::EACH.map(ChangeKind::letter);
            let counts = letters.into_iter().zip(node.counts).filter(|(_, count)| *count > 0).collect();
            self.lines.push(Line::Opens {
                name: shown(name),
                kind: node.kind,
                counts,
                is_open: self.is_open || depth == 0 && node.inside.len() <= FEW,
                path: View { folder: path.clone(), page: 1, ..self.view.clone() }.path(self.id),
                files: self.reads.then(|| in_container(self.id, &path)),
            });
            // The last of the room is for the folders beside it.
            let most = if depth < DEPTH { OF_FOLDER.min(self.left / 2) } else { 0 };
            self.draw(node, &path, 0, most, depth + 1);
            self.lines.push(Line::Closes);
        }
        let left = inside.len().saturating_sub(skip + drawn);
        if left > 0 && skip == 0 && most < OF_PAGE {
            self.lines.push(Line::More {
                path: View { folder: folder.to_owned(), page: 1, ..self.view.clone() }.path(self.id),
                says: format!("{left} more: show all of this folder"),
            });
        }
    }
}

#[derive(Template)]
#[template(path = "containers/changes.html")]
struct ChangesPage<'a> {
    chrome: Chrome,
    c: &'a Container,
    frame: Frame<'a>,
    can: Can,
    quiet: Quiet,
    /// `(path, label, is here)`
    chips: Vec<(String, String, bool)>,
    view: &'a View,
    total: usize,
    found: usize,
    all: String,
    /// The folders down to the one that is looked at.
    crumbs: Vec<(String, String)>,
    lines: Vec<Line>,
    pages: usize,
    first: usize,
    last: usize,
    here: usize,
    previous: Option<String>,
    next: Option<String>,
    again: String,
    volumes: Vec<&'a Mount>,
}

/// `GET /containers/{id}/changes`
async fn page(Id(id): Id<ContainerId>, page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    let container = find(&page, &id)?;
    let changes = page.engine.containers().changes(&id).await?;
    page.show(|| data(&changes, &view), || html(&draw(&page, &container, &view, &changes)))
}

fn draw<'a>(page: &Page, c: &'a Container, view: &'a View, changes: &[FileChange]) -> ChangesPage<'a> {
    let id = &c.id;
    let chip = |kind: Option<ChangeKind>| {
        let of = View { kind, page: 1, ..view.clone() };
        let count = changes.iter().filter(|change| of.takes(change)).count();
        let label = kind.map_or_else(|| "All".to_owned(), |kind| format!("{} {}", kind.letter(), kind.word()));
        (of.path(id), format!("{label} {count}"), view.kind == kind)
    };
    let found: Vec<&FileChange> = changes.iter().filter(|change| view.takes(change)).collect();
    let tree = Node::of(found.iter().copied(), &view.folder);
    let skip = (view.page - 1).saturating_mul(OF_PAGE);
    let can = can(page, c);
    let mut drawer = Drawer { id, reads: can.read, view, left: DRAWN, is_open: found.len() <= OPEN, lines: Vec::new() };
    drawer.draw(&tree, &view.folder, skip, OF_PAGE, 0);
    let lines = drawer.lines;
    let here = tree.inside.len();
    let turn = |page: usize| Some(View { page, ..view.clone() }.path(id));
    let mut crumbs = vec![("/".to_owned(), View { folder: String::new(), page: 1, ..view.clone() }.path(id))];
    let mut folder = String::new();
    for name in view.folder.split('/').filter(|name| !name.is_empty()) {
        folder = format!("{folder}/{name}");
        crumbs.push((shown(name), View { folder: folder.clone(), page: 1, ..view.clone() }.path(id)));
    }
    let quiet = match (changes.is_empty(), &c.state) {
        (false, _) => Quiet::default(),
        (true, State::Created) => Quiet::new(
            "It has changed nothing yet",
            "It was never started. A container shares the files of its image with all others of that image; what it writes goes into a layer of its own, on top (copy on write), and stands here.",
        ),
        (true, _) => Quiet::new(
            "It has changed nothing of its image",
            "A container shares the files of its image with all others of that image; what it writes goes into a layer of its own, on top (copy on write), and stands here. That layer goes when the container is removed.",
        ),
    };
    ChangesPage {
        chrome: {
            let frame = Frame::new(page, c, Tab::Changes, String::new());
            frame.chrome(page)
        },
        frame: Frame::new(page, c, Tab::Changes, command(c, view)),
        can,
        quiet,
        chips: std::iter::once(None).chain(ChangeKind::EACH.map(Some)).map(chip).collect(),
        total: changes.len(),
        found: found.len(),
        all: View::default().path(id),
        crumbs,
        pages: here.div_ceil(OF_PAGE),
        first: (skip + 1).min(here),
        last: (skip + OF_PAGE).min(here),
        here,
        previous: turn(view.page.saturating_sub(1)).filter(|_| view.page > 1),
        next: turn(view.page + 1).filter(|_| skip + OF_PAGE < here),
        lines,
        again: view.path(id),
        volumes: c.mounts.iter().collect(),
        view,
        c,
    }
}

/// The docker command of exactly this view.
fn command(c: &Container, view: &View) -> String {
    let mut command = echo::diff(&c.name);
    if let Some(kind) = view.kind {
        command = format!("{command} | grep '^{}'", kind.letter());
    }
    for (flags, text) in [("-F", &view.folder), ("-iF", &view.search)] {
        if !text.is_empty() {
            command = format!("{command} | grep {flags} -- {}", join([text.clone()]));
        }
    }
    command
}

/// A file or folder that is another than in the image.
#[derive(Serialize, ToSchema)]
struct Difference {
    /// Where it is, from `/` on.
    path: String,
    /// added, changed or deleted.
    kind: &'static str,
}

fn data(changes: &Arc<Vec<FileChange>>, view: &View) -> List<Difference> {
    let found: Vec<&FileChange> = changes.iter().filter(|change| view.takes(change)).collect();
    let on_page = found.iter().skip((view.page - 1).saturating_mul(ITEMS)).take(ITEMS);
    List {
        items: on_page.map(|change| Difference { path: change.path.to_string(), kind: change.kind.word() }).collect(),
        total: found.len(),
        page: view.page,
        pages: found.len().div_ceil(ITEMS).max(1),
    }
}

fn doc() -> Doc {
    Doc::new("List what a container has changed of its image’s files")
        .about("The same as `docker diff`. What lies in volumes is not in it.")
        .place(docs::id())
        .query([
            Field::one_of("kind", "Only those.", ChangeKind::EACH.into_iter().map(ChangeKind::word)),
            Field::text("path", "Only what is in this folder, the folder included.", "/etc"),
            Field::text("q", "Only those whose path holds this.", "passwd"),
            Field::page(),
        ])
        .lists::<Difference>("The changes, 1,000 to a page, in the order of their paths.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(count: usize) -> Vec<FileChange> {
        let change = |path: String, kind| FileChange { path: path.into(), kind };
        let mut all =
            vec![change("/etc".into(), ChangeKind::Changed), change("/etc/group".into(), ChangeKind::Deleted)];
        all.push(change("/srv".into(), ChangeKind::Added));
        all.extend((0..count).map(|n| change(format!("/srv/{n}"), ChangeKind::Added)));
        all
    }

    fn drawn(changes: &[FileChange], query: &str) -> Vec<Line> {
        let id = "a".repeat(64).parse().unwrap();
        let view = View::parse(&Fields::parse(query.as_bytes()));
        let tree = Node::of(changes.iter().filter(|change| view.takes(change)), &view.folder);
        let mut drawer = Drawer { id: &id, reads: false, view: &view, left: DRAWN, is_open: false, lines: Vec::new() };
        drawer.draw(&tree, &view.folder, (view.page - 1) * OF_PAGE, OF_PAGE, 0);
        drawer.lines
    }

    #[test]
    fn many_changes_make_no_large_page() {
        let changes = changes(100_000);
        for query in ["", "path=/srv", "path=/srv&page=200", "kind=added", "q=9"] {
            let lines = drawn(&changes, query);
            assert!(!lines.is_empty() && lines.len() <= DRAWN, "{query}: {}", lines.len());
        }
        let more = |query: &str| drawn(&changes, query).iter().any(|line| matches!(line, Line::More { .. }));
        assert!(more("") && !more("path=/srv"));
        let counts = drawn(&changes, "").into_iter().find_map(|line| match line {
            Line::Opens { name, counts, kind, .. } if name == "srv" => Some((counts, kind)),
            _ => None,
        });
        assert_eq!(counts, Some((vec![('A', 100_000)], Some(ChangeKind::Added))));
    }

    #[test]
    fn a_folder_is_not_one_that_begins_alike() {
        let view = View::parse(&Fields::parse(b"path=/etc/"));
        let takes = |path: &str| view.takes(&FileChange { path: path.into(), kind: ChangeKind::Added });
        assert!(takes("/etc") && takes("/etc/x") && !takes("/etcetera") && !takes("/srv/etc"));
        assert_eq!(drawn(&changes(3), "q=nothing").len(), 0);
    }
}

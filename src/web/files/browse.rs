//! Looking at what is there: a folder, the beginning of a file, what a link says.

use std::cmp::Ordering;

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{Spot, Target, head::Head, json, path_of};
use crate::web::filters;
use crate::{
    command::echo,
    engine::{
        Content, EDITABLE, FailedTransfer, FileEntry, FileKind, FilePath, FilePlace, Inside, Listing, Looked, Means,
        Partial, State,
    },
    team::Right,
    web::{
        Error, address,
        chrome::Chrome,
        error::Step,
        extract::{Fields, Page, Query},
        html::{bytes, count, html},
    },
};

/// How many bytes of a file are shown at first, and with more.
const SHOWN: [usize; 2] = [256 << 10, 1 << 20];
/// How many lines of it.
const LINES: [usize; 2] = [5_000, 50_000];
/// How many entries stand on a page.
const ROWS: usize = 500;
/// How many bytes are shown of what is no text.
const HEX: usize = 1_024;

/// By what a folder is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Name,
    Size,
    Modified,
}

impl By {
    pub const EACH: [(Self, &'static str, &'static str); 3] =
        [(Self::Name, "name", "Name"), (Self::Size, "size", "Size"), (Self::Modified, "modified", "Changed")];

    fn compare(self, a: &FileEntry, b: &FileEntry) -> Ordering {
        match self {
            Self::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()).then_with(|| a.name.cmp(&b.name)),
            Self::Size => a.size.cmp(&b.size).then_with(|| a.name.cmp(&b.name)),
            Self::Modified => a.modified.cmp(&b.modified).then_with(|| a.name.cmp(&b.name)),
        }
    }
}

/// Which entries are wanted, in which order.
pub struct Want {
    search: String,
    by: By,
    is_reversed: bool,
    page: usize,
}

impl Want {
    fn of(query: &Fields) -> Self {
        let sort = query.text("sort").unwrap_or("name");
        let (word, is_reversed) = sort.strip_prefix('-').map_or((sort, false), |word| (word, true));
        let by = By::EACH.into_iter().find(|(_, name, _)| *name == word).map_or(By::Name, |(by, ..)| by);
        Self { search: query.text("q").unwrap_or_default().to_owned(), by, is_reversed, page: query.page() }
    }

    /// Folders first, whatever else.
    pub fn pick(&self, entries: &[FileEntry]) -> Vec<FileEntry> {
        let wanted = self.search.to_lowercase();
        let mut picked: Vec<FileEntry> =
            entries.iter().filter(|entry| entry.name.to_lowercase().contains(&wanted)).cloned().collect();
        picked.sort_by(|a, b| {
            let order = self.by.compare(a, b);
            let order = if self.is_reversed { order.reverse() } else { order };
            (a.kind != FileKind::Folder).cmp(&(b.kind != FileKind::Folder)).then(order)
        });
        picked
    }
}

/// A step on the way to where we are.
pub struct Crumb {
    pub name: String,
    pub path: String,
}

/// Where we are, and what can be done there.
pub struct Here {
    pub base: String,
    pub path: FilePath,
    pub crumbs: Vec<Crumb>,
    /// Where to download it: as it is, as a tar and as a zip.
    pub file: String,
    pub tar: String,
    pub zip: String,
    pub rename: String,
    pub remove: String,
    pub edit: String,
    pub parent: String,
    /// This path itself.
    pub here: String,
    pub can_write: bool,
    /// Whether it is in the container's memory: commands inside alone read and write there.
    pub is_in_memory: bool,
    /// Whether names can be changed: that takes something that runs.
    pub can_rename: bool,
    pub is_volume: bool,
    pub failed: Vec<FailedTransfer>,
}

impl Here {
    fn new(page: &Page, spot: &Spot, path: &FilePath, looked: &Looked) -> Self {
        let crumb = |step: &FilePath| Crumb {
            name: if step.is_root() { "/".to_owned() } else { step.name().to_owned() },
            path: spot.href("", step),
        };
        let as_form = |form: &str| format!("{}&as={form}", spot.href("download", path));
        Self {
            base: spot.base.clone(),
            crumbs: path.steps().iter().map(crumb).collect(),
            file: spot.href("download", path),
            tar: as_form("tar"),
            zip: as_form("zip"),
            rename: spot.href("rename", path),
            remove: spot.href("remove", path),
            edit: spot.href("edit", path),
            parent: spot.href("", &path.parent()),
            here: spot.href("", path),
            can_write: page.may(Right::Enter) && !looked.is_in_memory,
            is_in_memory: looked.is_in_memory,
            can_rename: page.may(Right::Enter) && looked.runs,
            is_volume: matches!(spot.place, FilePlace::Volume(_)),
            failed: page.engine.files(&spot.place).failed().into_iter().take(3).collect(),
            path: path.clone(),
        }
    }
}

/// A line of a folder.
pub struct Row {
    pub entry: FileEntry,
    pub path: Option<String>,
    pub is_folder: bool,
    pub icon: &'static str,
    pub size: String,
    /// Where it can be downloaded.
    pub download: Option<String>,
    pub rename: Option<String>,
    pub remove: Option<String>,
}

fn icon(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Folder => "folder",
        FileKind::File => "file",
        FileKind::Link => "link",
        FileKind::Pipe | FileKind::Socket | FileKind::Device | FileKind::Other => "special",
    }
}

impl Row {
    fn new(spot: &Spot, here: &Here, entry: FileEntry) -> Self {
        let path = entry.is_exact.then(|| here.path.join(&entry.name));
        let has_bytes = matches!(entry.kind, FileKind::File | FileKind::Folder) && !here.is_in_memory;
        let to = |what: &str, wanted: bool| path.as_ref().filter(|_| wanted).map(|path| spot.href(what, path));
        let is_folder = entry.kind == FileKind::Folder;
        let download = to("download", has_bytes).map(|to| if is_folder { format!("{to}&as=tar") } else { to });
        Self {
            path: to("", true),
            is_folder,
            icon: icon(entry.kind),
            size: if entry.kind == FileKind::File { bytes(entry.size) } else { String::new() },
            download,
            rename: to("rename", here.can_rename),
            remove: to("remove", here.can_rename),
            entry,
        }
    }
}

/// A heading of the table.
pub struct Sort {
    pub label: &'static str,
    pub path: String,
    pub state: &'static str,
    pub word: &'static str,
}

#[derive(Template)]
#[template(path = "files/folder.html")]
struct FolderPage {
    chrome: Chrome,
    head: String,
    here: Here,
    rows: Vec<Row>,
    sorts: Vec<Sort>,
    search: String,
    /// How many there are, as far as they were read.
    known: usize,
    shown: String,
    partial: Option<String>,
    note: Option<&'static str>,
    still: Option<String>,
    upload: String,
    folder: String,
    largest: String,
    largest_bytes: u64,
    danger: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    now: Timestamp,
    upload_command: String,
}

#[derive(Template)]
#[template(path = "files/file.html")]
struct FilePage {
    chrome: Chrome,
    head: String,
    here: Here,
    entry: FileEntry,
    size: String,
    /// Its text, and the numbers of the lines.
    text: Option<(String, String)>,
    hex: String,
    /// What is shown of it, where that is not all.
    cut: Option<String>,
    more: Option<String>,
    may_edit: bool,
    now: Timestamp,
}

#[derive(Template)]
#[template(path = "files/other.html")]
struct OtherPage {
    chrome: Chrome,
    head: String,
    here: Here,
    word: &'static str,
    mode: String,
    target: Option<(String, Option<String>)>,
    says: &'static str,
}

/// The command that shows the same.
fn command(spot: &Spot, path: &FilePath, looked: &Looked) -> String {
    let at = path.as_str();
    match (&spot.place, &looked.inside) {
        (FilePlace::Container(_), Inside::Folder(listing)) if listing.means == Means::Tools => {
            echo::exec_root(&spot.name, &["ls", "-la", at])
        }
        (FilePlace::Container(_), _) => echo::cp_from(&spot.name, at),
        (FilePlace::Volume(_), Inside::Folder(_)) => {
            echo::volume_run(&spot.name, false, &["ls", "-la", &in_volume(path)])
        }
        (FilePlace::Volume(_), _) => echo::volume_run(&spot.name, false, &["cat", &in_volume(path)]),
    }
}

/// Where a path of a volume is in a container that has the volume at /volume.
pub fn in_volume(path: &FilePath) -> String {
    if path.is_root() { "/volume".to_owned() } else { format!("/volume{path}") }
}

/// `GET /containers/{id}/files?path=/etc`, `GET /volumes/{name}/files?path=/`
pub async fn page(Target(place): Target, page: Page, Query(query): Query) -> Result<Response, Error> {
    let path = path_of(query.get("path"))?;
    let spot = Spot::new(&page, place)?;
    let more = usize::from(query.is_set("more"));
    let most = SHOWN.get(more).copied().unwrap_or_default();
    let looked = page.engine.files(&spot.place).look(&path, most).await;
    let looked = looked.map_err(|error| explain(error, &spot, &path))?;
    let want = Want::of(&query);
    let here = Here::new(&page, &spot, &path, &looked);
    let data = || json::Look::new(&path, &looked, &want);
    page.show(data, || {
        let Head { chrome, html: head } = Head::new(&page, &spot, command(&spot, &path, &looked))?;
        match &looked.inside {
            Inside::Folder(listing) => html(&folder(&page, &spot, here, listing, &looked, &want, (chrome, head))),
            Inside::File(content) => html(&file(&page, &spot, here, content, more, (chrome, head))),
            Inside::Nothing => html(&other(&spot, here, &looked, (chrome, head))),
        }
    })
}

/// What went wrong, and where to go from there.
pub fn explain(error: crate::engine::Error, spot: &Spot, path: &FilePath) -> Error {
    let is_missing = matches!(error, crate::engine::Error::NotFound(_));
    let told = Error::from(error);
    if !is_missing || path.is_root() {
        return told;
    }
    told.what(format!("There is no {path}."))
        .why("It may have been removed or renamed, or the address is mistyped.")
        .next(Step::link("The folder that it would be in", spot.href("", &path.parent())))
        .next(Step::link("The root", spot.href("", &FilePath::root())))
}

fn partial(listing: &Listing) -> Option<String> {
    let known = listing.entries.len();
    listing.partial.map(|why| match why {
        Partial::Many => format!("Showing the first {known} that were found: there are more than are read at once."),
        Partial::Heavy => format!(
            "Showing the first {known} that were found. Without tools inside that run, the engine sends the contents of \
             everything along, and that was too much: what comes after is not shown."
        ),
    })
}

fn folder(
    page: &Page,
    spot: &Spot,
    here: Here,
    listing: &Listing,
    looked: &Looked,
    want: &Want,
    (chrome, head): (Chrome, String),
) -> FolderPage {
    let picked = want.pick(&listing.entries);
    let first = (want.page - 1).saturating_mul(ROWS).min(picked.len().saturating_sub(1) / ROWS * ROWS);
    let last = (first + ROWS).min(picked.len());
    let at = |sort: &str, number: usize| {
        let page = address::page(number);
        let parts = [("path", here.path.as_str()), ("q", &want.search), ("sort", sort), ("page", &page)];
        address::address(&spot.base, parts)
    };
    let word = |by: By| By::EACH.into_iter().find(|(each, ..)| *each == by).map_or("name", |(_, word, _)| word);
    let sorted = format!("{}{}", if want.is_reversed { "-" } else { "" }, word(want.by));
    let sorts = By::EACH
        .into_iter()
        .map(|(by, word, label)| {
            let is_here = by == want.by;
            let reverse = is_here && !want.is_reversed;
            let (state, says) = match (is_here, want.is_reversed) {
                (false, _) => ("none", ""),
                (true, false) => ("ascending", " ↑"),
                (true, true) => ("descending", " ↓"),
            };
            Sort { label, path: at(&format!("{}{word}", if reverse { "-" } else { "" }), 1), state, word: says }
        })
        .collect();
    let total = picked.len();
    let number = first / ROWS + 1;
    let still = still(&spot.place, &looked.state, looked.runs);
    let note = (listing.means == Means::Archive && looked.runs).then_some(
        "This container has no tools of its own to list with: what is here was read out of the engine’s archive.",
    );
    FolderPage {
        rows: picked.into_iter().skip(first).take(ROWS).map(|entry| Row::new(spot, &here, entry)).collect(),
        sorts,
        search: want.search.clone(),
        known: listing.entries.len(),
        shown: if total > ROWS {
            format!("{}–{last} of {}", first + 1, count(total, "entry").replace("entrys", "entries"))
        } else {
            String::new()
        },
        partial: partial(listing),
        note,
        still,
        upload: spot.href("upload", &here.path),
        folder: spot.href("folder", &here.path),
        largest: bytes(page.engine.largest_upload()),
        largest_bytes: page.engine.largest_upload(),
        danger: danger(page),
        previous: (number > 1).then(|| at(&sorted, number - 1)),
        next: (last < total).then(|| at(&sorted, number + 1)),
        now: page.picture.now(),
        upload_command: upload_command(spot, "FILE", &here.path),
        here,
        chrome,
        head,
    }
}

/// The command that puts a file there.
pub fn upload_command(spot: &Spot, name: &str, folder: &FilePath) -> String {
    match spot.place {
        FilePlace::Container(_) => echo::cp_to(&spot.name, name, folder.as_str()),
        FilePlace::Volume(_) => {
            let to = if folder.is_root() { format!("/volume/{name}") } else { format!("/volume{folder}/{name}") };
            let run = echo::volume_run(&spot.name, true, &["sh", "-c", "cat > \"$0\"", &to]);
            format!("{} < {}", run.replacen("--rm", "--rm -i", 1), shown(name))
        }
    }
}

fn shown(name: &str) -> String {
    crate::command::words::quote(name)
}

/// Why names cannot be changed here now.
fn still(place: &FilePlace, state: &State, runs: bool) -> Option<String> {
    match place {
        FilePlace::Container(_) if !runs => Some(format!(
            "It is {state}: what is here can be read, uploaded and edited, but the engine renames and removes nothing in a \
             container that does not run."
        )),
        FilePlace::Volume(_) if !runs => Some(
            "No image on this engine has a shell to look through: what is here was read out of the engine’s archive, and \
             nothing can be renamed or removed. docker pull busybox helps."
                .to_owned(),
        ),
        _ => None,
    }
}

/// What is dangerous about uploading to this engine (S050).
fn danger(page: &Page) -> Option<String> {
    if page.picture.is_podman() {
        return None;
    }
    let version = page.picture.info.as_ref()?.version.version.clone();
    is_before(&version, [29, 5, 1]).then(|| {
        format!(
            "This engine is {version}. Before 29.5.1 an archive that was uploaded compressed could run programs of the \
             container on the host (CVE-2026-41567). What goes up here is never compressed and holds one file; still, \
             update the engine."
        )
    })
}

/// Whether a version comes before another.
fn is_before(version: &str, than: [u32; 3]) -> bool {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = [(); 3].map(|()| numbers.next().unwrap_or(0));
    version < than
}

fn file(
    page: &Page,
    spot: &Spot,
    here: Here,
    content: &Content,
    more: usize,
    (chrome, head): (Chrome, String),
) -> FilePage {
    let most = LINES.get(more).copied().unwrap_or_default();
    let text = content.text().map(|text| {
        let lines = text.lines().count();
        let text: String = text.split_inclusive('\n').take(most).collect();
        let numbers = (1..=lines.min(most)).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
        (text, numbers, lines)
    });
    let is_cut = !content.is_whole || text.as_ref().is_some_and(|(.., lines)| *lines > most);
    let cut = is_cut.then(|| match &text {
        Some((text, ..)) => format!("The first {} of {} are shown.", bytes(text.len()), bytes(content.entry.size)),
        None => {
            format!("The first {} of {} are shown.", bytes(content.bytes.len().min(HEX)), bytes(content.entry.size))
        }
    });
    let is_text = text.is_some();
    FilePage {
        size: bytes(content.entry.size),
        hex: if is_text {
            String::new()
        } else {
            hex(content.bytes.get(..HEX.min(content.bytes.len())).unwrap_or_default())
        },
        text: text.map(|(text, numbers, _)| (text, numbers)),
        more: (is_cut && is_text && more == 0).then(|| format!("{}&more=1", spot.href("", &here.path))),
        may_edit: here.can_write && is_text && content.entry.size <= EDITABLE as u64,
        cut,
        entry: content.entry.clone(),
        now: page.picture.now(),
        here,
        chrome,
        head,
    }
}

/// Bytes as `hexdump -C` shows them.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (line, chunk) in bytes.chunks(16).enumerate() {
        let _ = write!(out, "{:08x} ", line * 16);
        for place in 0..16 {
            let _ = match chunk.get(place) {
                Some(byte) => write!(out, " {byte:02x}"),
                None => write!(out, "   "),
            };
        }
        let text: String =
            chunk.iter().map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' }).collect();
        let _ = writeln!(out, "  |{text}|");
    }
    out
}

fn other(spot: &Spot, here: Here, looked: &Looked, (chrome, head): (Chrome, String)) -> OtherPage {
    let found = &looked.found;
    let target = found.target.clone().map(|target| {
        let to = target.parse::<FilePath>().ok().map(|path| spot.href("", &path));
        (target, to)
    });
    let says = match found.kind {
        FileKind::Link if here.is_volume => {
            "A link. In a volume links are not followed: where it leads is known only in the container that uses the volume."
        }
        FileKind::Link => "A link: it stands for another path. It is not followed until you say so.",
        FileKind::Pipe => "A pipe: whoever reads it waits for who writes, so it is not read here.",
        FileKind::Socket => "A socket: programs talk through it, and there is nothing in it to read.",
        FileKind::Device => "A device: it is not read here.",
        FileKind::File | FileKind::Folder | FileKind::Other => "Something that has no content to show.",
    };
    OtherPage {
        word: found.kind.word(),
        mode: crate::engine::mode_words(found.kind, found.mode),
        target,
        says,
        here,
        chrome,
        head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s050_engines_before_the_mended_one_are_known() {
        for old in ["28.5.2+dfsg4", "20.10.24", "29.5.0", "29.5.0-rc.1", ""] {
            assert!(is_before(old, [29, 5, 1]), "{old}");
        }
        for new in ["29.5.1", "29.10.0", "30.0"] {
            assert!(!is_before(new, [29, 5, 1]), "{new}");
        }
    }

    #[test]
    fn bytes_are_shown_as_hexdump_does() {
        assert_eq!(hex(b"\x7fELF\0abc"), "00000000  7f 45 4c 46 00 61 62 63                          |.ELF.abc|\n");
    }
}

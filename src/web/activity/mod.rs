//! What people did here, as docker commands: to be read, and to be copied as a shell script. For everybody; what a
//! reader may not see is not in it.

pub mod json;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{
    Error, Routes,
    answer::Newest,
    attachment::attachment,
    audit::mark,
    chrome::Chrome,
    extract::{Page, Query},
    html::html,
};
use crate::{
    engine::Secrets,
    team::{Filter, Recorded, Right},
};

/// Deeds on a page, and in a script.
const DEEDS: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::new().get("/activity", Right::Look, page).doc(json::doc()).get("/activity.sh", Right::Look, script)
}

/// Something that somebody did.
struct Line {
    at: Timestamp,
    who: String,
    command: String,
    mark: (&'static str, &'static str, &'static str),
    why: String,
    path: Option<String>,
    name: String,
}

#[derive(Template)]
#[template(path = "activity/page.html")]
struct ActivityPage<'a> {
    chrome: Chrome,
    lines: &'a [Line],
    /// Whether anybody who signed in is among them.
    has_names: bool,
    script: String,
    older: Option<&'a str>,
    now: Timestamp,
}

/// Whether the reader may know of it: their own deeds, and those to what they see.
fn is_seen(page: &Page, deed: &Recorded) -> bool {
    let scope = &page.asker.who.scope;
    let seen = || match deed.entry.kind.as_str() {
        "container" => deed.entry.object.parse().is_ok_and(|id| page.picture.containers.contains_key(&id)),
        "image" => deed.entry.object.parse().is_ok_and(|id| page.picture.images.contains_key(&id)),
        "volume" => deed.entry.object.parse().is_ok_and(|name| page.picture.volumes.contains_key(&name)),
        _ => false,
    };
    scope.is_empty() || deed.entry.who == page.asker.who.name || seen()
}

impl Line {
    fn new(page: &Page, deed: &Recorded) -> Self {
        let entry = &deed.entry;
        let hides = page.asker.reach().secrets == Secrets::Hidden;
        let command = if hides && !entry.public.is_empty() { &entry.public } else { &entry.command };
        let path = match entry.kind.as_str() {
            "container" => entry
                .object
                .parse()
                .ok()
                .filter(|id| page.picture.containers.contains_key(id))
                .map(|id| format!("/containers/{id}")),
            "image" => entry
                .object
                .parse()
                .ok()
                .filter(|id| page.picture.images.contains_key(id))
                .map(|id| format!("/images/{id}")),
            "volume" => entry
                .object
                .parse()
                .ok()
                .filter(|name| page.picture.volumes.contains_key(name))
                .map(|name| format!("/volumes/{name}")),
            _ => None,
        };
        // What the engine says of a failure may hold what a reader may not see.
        let why = if hides { String::new() } else { entry.why.clone() };
        Self {
            at: entry.at,
            who: entry.who.clone(),
            command: command.clone(),
            mark: mark(deed),
            why,
            path,
            name: entry.name.clone(),
        }
    }
}

async fn lines(page: &Page, before: Option<i64>) -> Result<(Vec<Line>, Option<i64>), Error> {
    let filter = Filter { commands: true, before, ..Filter::default() };
    let found = page.asker.team.audit(filter, DEEDS).await?;
    let older = found.entries.last().filter(|_| found.more).map(|last| last.seq);
    let seen = found.entries.iter().filter(|deed| is_seen(page, deed));
    Ok((seen.map(|deed| Line::new(page, deed)).collect(), older))
}

/// What was done, oldest first, as a script: what failed stands in it as a comment.
fn script_of(lines: &[Line]) -> String {
    use std::fmt::Write as _;
    let mut script = String::from("#!/bin/sh\n# What was done here, as docker commands. Read it before you run it.\n");
    for line in lines.iter().rev() {
        let off = if line.mark.2 == "done" { "" } else { "# " };
        let who = if line.who.is_empty() { String::new() } else { format!(" {}", line.who) };
        let _ = writeln!(script, "\n# {}{who}: {}", line.at.strftime("%Y-%m-%d %H:%M:%S UTC"), line.mark.2);
        for (at, part) in line.command.lines().enumerate() {
            let _ = writeln!(script, "{off}{}{part}", if at > 0 && !off.is_empty() { "  " } else { "" });
        }
    }
    script
}

/// `GET /activity`
async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (lines, older) = lines(&page, query.text("before").and_then(|before| before.parse().ok())).await?;
    let older = older.map(|seq| format!("/activity?before={seq}"));
    page.show(
        || Newest { items: lines.iter().map(json::Deed::new).collect(), older: older.clone() },
        || {
            html(&ActivityPage {
                chrome: Chrome::new(&page, "Activity"),
                script: script_of(&lines),
                has_names: lines.iter().any(|line| !line.who.is_empty()),
                lines: &lines,
                older: older.as_deref(),
                now: Timestamp::now(),
            })
        },
    )
}

/// `GET /activity.sh`
async fn script(page: Page) -> Result<Response, Error> {
    let (lines, _) = lines(&page, None).await?;
    Ok(attachment("text/x-shellscript; charset=utf-8", "activity.sh", None, script_of(&lines)))
}

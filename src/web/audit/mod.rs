//! The audit: who did what, from where, and what came of it. Filters in the address, and files to take away.

pub mod json;

use crate::web::filters;
use askama::Template;
use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::stream;
use jiff::Timestamp;

use super::{
    Error, Routes, address,
    answer::Newest,
    attachment::attachment,
    chrome::Chrome,
    extract::{Fields, Page, Query},
    html::html,
};
use crate::team::{Entry, Filter, Outcome, Recorded, Right, Team, Verdict};

/// Entries on a page.
const ENTRIES: usize = 100;
/// Entries that an export reads at once.
const BATCH: usize = 500;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/audit", Right::Audit, page)
        .doc(json::doc())
        .get("/audit/verify", Right::Audit, verify)
        .doc(json::verify_doc())
        .get("/audit.jsonl", Right::Audit, jsonl)
        .get("/audit.csv", Right::Audit, csv)
}

/// What the address asks for.
fn filter(query: &Fields) -> Filter {
    let text = |name| query.text(name).unwrap_or_default().to_owned();
    Filter {
        who: text("who"),
        action: text("action"),
        object: text("object"),
        outcome: serde_json::from_value(text("outcome").into()).ok(),
        from: text("from"),
        to: text("to"),
        text: text("q"),
        id: String::new(),
        commands: false,
        before: query.text("before").and_then(|before| before.parse().ok()),
    }
}

/// How an entry ended, in shape, word and colour.
pub(super) fn mark(entry: &Recorded) -> (&'static str, &'static str, &'static str) {
    match entry.entry.outcome {
        Outcome::Unknown => ("unknown", "unknown", "unknown"),
        Outcome::Done => ("running", "check", "done"),
        Outcome::Failed => ("failed", "failed", "failed"),
        Outcome::Refused => ("failed", "dead", "refused"),
    }
}

#[derive(Template)]
#[template(path = "audit/page.html")]
struct AuditPage<'a> {
    chrome: Chrome,
    filter: &'a Filter,
    outcome: &'a str,
    entries: &'a [Recorded],
    /// What is being done now: on the first page.
    going_on: Vec<Entry>,
    older: Option<&'a str>,
    /// The same from the newest on.
    newest: String,
    is_older: bool,
    is_filtered: bool,
    names: Vec<String>,
    now: Timestamp,
}

impl AuditPage<'_> {
    fn mark(&self, entry: &Recorded) -> (&'static str, &'static str, &'static str) {
        mark(entry)
    }

    fn is_outcome(&self, word: &str) -> bool {
        self.outcome == word
    }

    fn actions(&self) -> [&'static str; 9] {
        ["container", "volume", "job", "account", "session", "token", "sign-in", "refused", "reveal"]
    }
}

/// `GET /audit`
async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let filter = filter(&query);
    let found = page.asker.team.audit(filter.clone(), ENTRIES).await?;
    let asked = || query.0.iter().filter(|(name, value)| name != "before" && !value.is_empty());
    let path = |before: Option<i64>| {
        let before = before.map(|before| before.to_string()).unwrap_or_default();
        let asked = asked().map(|(name, value)| (name.as_str(), value.as_str()));
        address::address("/audit", asked.chain([("before", before.as_str())]))
    };
    let older = found.entries.last().filter(|_| found.more).map(|last| path(Some(last.seq)));
    let (is_older, is_filtered) = (filter.before.is_some(), asked().next().is_some());
    let going_on = if is_older || is_filtered { Vec::new() } else { page.asker.team.intents().await? };
    page.show(
        || Newest { items: found.entries.iter().map(json::AuditEntry::new).collect(), older: older.clone() },
        || {
            html(&AuditPage {
                chrome: Chrome::new(&page, "Audit"),
                outcome: query.text("outcome").unwrap_or_default(),
                entries: &found.entries,
                going_on,
                older: older.as_deref(),
                newest: path(None),
                is_older,
                is_filtered,
                names: page.asker.team.accounts().iter().map(|account| account.name.clone()).collect(),
                filter: &filter,
                now: Timestamp::now(),
            })
        },
    )
}

#[derive(Template)]
#[template(path = "audit/verify.html")]
struct VerifyPage {
    chrome: Chrome,
    whole: Option<(i64, String)>,
    broken: Option<(i64, &'static str)>,
}

/// `GET /audit/verify`
async fn verify(page: Page) -> Result<Response, Error> {
    let verdict = page.asker.team.verify_audit().await?;
    page.show(
        || json::Chain::new(&verdict),
        || {
            let (whole, broken) = match &verdict {
                Verdict::Whole(seal) => (Some((seal.count, data_encoding::HEXLOWER.encode(&seal.hash))), None),
                Verdict::Broken { seq, why } => (None, Some((*seq, *why))),
            };
            html(&VerifyPage { chrome: Chrome::new(&page, "Audit: verify"), whole, broken })
        },
    )
}

/// The whole audit as it was written, in batches: it may be larger than memory.
fn export(team: Team, head: &'static str, line: fn(&Recorded) -> String) -> Body {
    let lines = stream::try_unfold((team, Some(1), head), move |(team, next, head)| async move {
        let Some(next) = next else { return Ok(None) };
        let entries = team.audit_from(next, BATCH).await.map_err(std::io::Error::other)?;
        let last = entries.last().map(|last| last.seq + 1).filter(|_| entries.len() == BATCH);
        let text: String = std::iter::once(head.to_owned()).chain(entries.iter().map(line)).collect();
        Ok::<_, std::io::Error>(Some((Bytes::from(text), (team, last, ""))))
    });
    Body::from_stream(lines)
}

/// `GET /audit.jsonl`: an entry a line, with its number and hash.
async fn jsonl(page: Page) -> Response {
    attachment("application/jsonl", "audit.jsonl", None, export(page.asker.team.clone(), "", json_line))
}

pub(super) fn json_line(entry: &Recorded) -> String {
    let mut line = serde_json::to_value(&entry.entry).unwrap_or_default();
    if let Some(line) = line.as_object_mut() {
        line.insert("seq".to_owned(), entry.seq.into());
        line.insert("hash".to_owned(), data_encoding::HEXLOWER.encode(&entry.hash).into());
    }
    format!("{line}\n")
}

/// `GET /audit.csv` (RFC 4180).
async fn csv(page: Page) -> Response {
    const HEAD: &str = "seq,at,who,via,address,action,kind,object,name,command,outcome,why,hash\r\n";
    attachment("text/csv; charset=utf-8", "audit.csv", None, export(page.asker.team.clone(), HEAD, csv_line))
}

pub(super) fn csv_line(recorded: &Recorded) -> String {
    let entry = &recorded.entry;
    let outcome = serde_json::to_value(entry.outcome).ok().and_then(|word| word.as_str().map(str::to_owned));
    let cells = [
        recorded.seq.to_string(),
        entry.at.to_string(),
        entry.who.clone(),
        entry.via.clone(),
        entry.address.clone(),
        entry.action.clone(),
        entry.kind.clone(),
        entry.object.clone(),
        entry.name.clone(),
        entry.command.clone(),
        outcome.unwrap_or_default(),
        entry.why.clone(),
        data_encoding::HEXLOWER.encode(&recorded.hash),
    ];
    cells.map(|cell| csv_cell(&cell)).join(",") + "\r\n"
}

/// Quoted, and so that no spreadsheet takes foreign text for a formula (OWASP, CSV injection): some look past blanks, and
/// take the wide forms of the signs.
fn csv_cell(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let guard = if is_formula || text.starts_with(['\t', '\r', '\n']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_formulas() {
        assert_eq!(csv_cell("a\"b,c\nd"), "\"a\"\"b,c\nd\"");
        for formula in ["=1+1", " =1+1", "\n@x", "\u{a0}-1", "＋1"] {
            assert_eq!(csv_cell(formula), format!("\"'{formula}\""));
        }
    }
}

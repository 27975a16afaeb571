//! The audit: who did what, from where, and what came of it. Filters in the address, and files to take away.

pub mod json;

use crate::web::filters;
use askama::Template;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
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
    moment::moment,
};
use crate::team::{Entry, Filter, Found, Outcome, Recorded, Right, Verdict};

/// Entries on a page.
const ENTRIES: usize = 100;
/// Entries that an export reads at once.
const BATCH: usize = 500;
/// What happened where a filter cannot be read.
const NOT_SOUGHT: &str = "That cannot be searched for.";

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/audit", Right::Audit, page)
        .doc(json::doc())
        .get("/audit/verify", Right::Audit, verify)
        .doc(json::verify_doc())
        .get("/audit.jsonl", Right::Audit, jsonl)
        .get("/audit.csv", Right::Audit, csv)
}

/// What is wrong with which field.
type Wrong = Vec<(&'static str, String)>;

/// What the address asks for, and what is wrong with that: what cannot be read must not stand for everything.
fn filter(query: &Fields, now: Timestamp) -> (Filter, Wrong) {
    let mut wrong = Wrong::new();
    let mut read = |field: &'static str, why: &dyn Fn(&str) -> Result<String, String>| {
        let read = query.text(field).map_or_else(|| Ok(String::new()), why);
        read.unwrap_or_else(|why| {
            wrong.push((field, why));
            String::new()
        })
    };
    let (from, to) = (read("from", &|text| beginning(text, now)), read("to", &|text| beginning(text, now)));
    let is_outcome = |text: &str| outcome(text).map(|_| text.to_owned());
    let ended = read("outcome", &|text| is_outcome(text).ok_or_else(|| format!("“{text}” is no way to end.")));
    let text = |name| query.text(name).unwrap_or_default().to_owned();
    let filter = Filter {
        who: text("who"),
        action: text("action"),
        object: text("object"),
        outcome: outcome(&ended),
        from,
        to,
        text: text("q"),
        id: String::new(),
        commands: false,
        before: query.text("before").and_then(|before| before.parse().ok()),
    };
    (filter, wrong)
}

fn outcome(word: &str) -> Option<Outcome> {
    serde_json::from_value(word.into()).ok()
}

/// A day, the beginning of a time, or any moment, as the beginning of a time in UTC, which is what entries begin with.
fn beginning(text: &str, now: Timestamp) -> Result<String, String> {
    let is_beginning = ["0001-01-01T00:00:00Z", "0000-10-10T00:00:00Z"].iter().any(|whole| {
        let rest = whole.get(text.len()..).filter(|rest| !rest.is_empty());
        rest.is_some_and(|rest| format!("{text}{rest}").parse::<Timestamp>().is_ok())
    });
    if text.len() >= 4 && is_beginning {
        return Ok(text.to_owned());
    }
    let at = moment(text, now).ok().and_then(|nanos| Timestamp::from_nanosecond(i128::from(nanos)).ok());
    at.map(|at| at.to_string().trim_end_matches('Z').to_owned()).ok_or_else(|| {
        "A day is expected, as 2026-01-31, the beginning of a time, as 2026-01-31T12, or an age, as 10m or 2h."
            .to_owned()
    })
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
    query: &'a Fields,
    wrong: &'a Wrong,
    entries: &'a [Recorded],
    /// What is being done now: on the first page.
    going_on: Vec<Entry>,
    older: Option<&'a str>,
    /// The same from the newest on.
    newest: String,
    /// All of the same, to take away.
    csv: String,
    jsonl: String,
    is_older: bool,
    is_filtered: bool,
    names: Vec<String>,
    now: Timestamp,
}

impl AuditPage<'_> {
    fn mark(&self, entry: &Recorded) -> (&'static str, &'static str, &'static str) {
        mark(entry)
    }

    fn of(&self, field: &str) -> &str {
        self.query.text(field).unwrap_or_default()
    }

    fn error_of(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }

    fn actions(&self) -> [&'static str; 9] {
        ["container", "volume", "job", "account", "session", "token", "sign-in", "refused", "reveal"]
    }
}

/// `GET /audit`
async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let now = Timestamp::now();
    let (filter, wrong) = filter(&query, now);
    let is_wrong = !wrong.is_empty();
    let found = if is_wrong { Found::default() } else { page.asker.team.audit(filter.clone(), ENTRIES).await? };
    let asked = || query.0.iter().filter(|(name, value)| name != "before" && !value.trim().is_empty());
    let path = |base: &str, before: Option<i64>| {
        let before = before.map(|before| before.to_string()).unwrap_or_default();
        let asked = asked().map(|(name, value)| (name.as_str(), value.as_str()));
        address::address(base, asked.chain([("before", before.as_str())]))
    };
    let older = found.entries.last().filter(|_| found.more).map(|last| path("/audit", Some(last.seq)));
    let (is_older, is_filtered) = (filter.before.is_some(), asked().next().is_some());
    let going_on = if is_older || is_filtered { Vec::new() } else { page.asker.team.intents().await? };
    let draw = || {
        html(&AuditPage {
            chrome: Chrome::new(&page, "Audit"),
            entries: &found.entries,
            going_on,
            older: older.as_deref(),
            newest: path("/audit", None),
            csv: path("/audit.csv", None),
            jsonl: path("/audit.jsonl", None),
            is_older,
            is_filtered,
            names: page.asker.team.accounts().iter().map(|account| account.name.clone()).collect(),
            query: &query,
            wrong: &wrong,
            now,
        })
    };
    if is_wrong {
        return page.wrong(StatusCode::UNPROCESSABLE_ENTITY, NOT_SOUGHT, wrong.clone(), draw);
    }
    page.show(
        || Newest { items: found.entries.iter().map(json::AuditEntry::new).collect(), older: older.clone() },
        draw,
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

/// What fits of the audit as it was written, in batches: it may be larger than memory.
fn export(page: &Page, query: &Fields, head: &'static str, line: fn(&Recorded) -> String) -> Result<Body, Error> {
    let (filter, wrong) = filter(query, Timestamp::now());
    if !wrong.is_empty() {
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, NOT_SOUGHT, wrong));
    }
    let begin = (page.asker.team.clone(), Some(1), head);
    let lines = stream::try_unfold(begin, move |(team, next, head)| {
        let filter = filter.clone();
        async move {
            let Some(next) = next else { return Ok(None) };
            let entries = team.audit_from(filter, next, BATCH).await.map_err(std::io::Error::other)?;
            let next = entries.last().map(|last| last.seq + 1);
            let text: String = std::iter::once(head.to_owned()).chain(entries.iter().map(line)).collect();
            Ok::<_, std::io::Error>(Some((Bytes::from(text), (team, next, ""))))
        }
    });
    Ok(Body::from_stream(lines))
}

/// `GET /audit.jsonl`: an entry a line, with its number and hash.
async fn jsonl(page: Page, Query(query): Query) -> Result<Response, Error> {
    Ok(attachment("application/jsonl", "audit.jsonl", None, export(&page, &query, "", json_line)?))
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
async fn csv(page: Page, Query(query): Query) -> Result<Response, Error> {
    const HEAD: &str = "seq,at,who,via,address,action,kind,object,name,command,outcome,why,hash\r\n";
    Ok(attachment("text/csv; charset=utf-8", "audit.csv", None, export(&page, &query, HEAD, csv_line)?))
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
    fn a_filter_that_cannot_be_read_is_told_at_its_field() {
        let now: Timestamp = "2026-02-03T04:05:06Z".parse().unwrap();
        let from = |text: &str| beginning(text, now).unwrap_or_default();
        for fine in ["2026", "2026-1", "2026-11", "2026-11-3", "2026-11-24", "2026-11-24T10", "2026-11-24T10:05:3"] {
            assert_eq!(from(fine), fine);
        }
        assert_eq!(from("2026-11-24T10:05:30+01:00"), "2026-11-24T09:05:30");
        assert_eq!(from("2h"), "2026-02-03T02:05:06");
        for none in ["nonsense", "2026-13", "2026-11-32", "2026-11-24 or so", "-1", "é"] {
            assert_eq!(from(none), "", "{none}");
        }
        let (_, wrong) = filter(&Fields::parse(b"from=x&to=2026&outcome=asked"), now);
        assert_eq!(wrong.into_iter().map(|(field, _)| field).collect::<Vec<_>>(), ["from", "outcome"]);
    }

    #[test]
    fn cells_are_no_formulas() {
        assert_eq!(csv_cell("a\"b,c\nd"), "\"a\"\"b,c\nd\"");
        for formula in ["=1+1", " =1+1", "\n@x", "\u{a0}-1", "＋1"] {
            assert_eq!(csv_cell(formula), format!("\"'{formula}\""));
        }
    }
}

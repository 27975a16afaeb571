//! The audit: who did what from where, and what came of it. Only added to.
//!
//! What is done is written down twice: before, and when it has ended. An action that cannot be written down is not
//! done. Each entry's hash covers its text and the hash before it, so that a changed, missing or moved entry breaks
//! the chain. Who can write the file can also make a new chain: the head, which the log tells at each start and
//! `wheelhouse audit verify` prints, kept elsewhere, shows that.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Error, Team, Via, Who, secret::Hash};

/// Entries that one reading gives at most.
const MOST: usize = 10_000;

/// What an action is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// `container`, `volume`, `account`, ...
    pub kind: &'static str,
    /// The full id.
    pub id: String,
    /// The name that it had.
    pub name: String,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is about to be done.
    Asked,
    /// It was done.
    Done,
    /// It did not work.
    Failed,
    /// It was not allowed.
    Refused,
}

/// An entry, as it is written down. What is empty is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in UTC.
    pub at: Timestamp,
    /// The account's name; empty for nobody.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// `session 7`, `token deploy`, `alone`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub via: String,
    /// The client's address.
    pub address: String,
    /// What, as `container.stop`.
    pub action: String,
    /// What kind of thing it was done to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its full id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The docker command that does the same. Values of variables are not in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// The same for who sees no secrets, where that is another.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub public: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, or anything else to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The entry that said that it was about to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<i64>,
}

impl Entry {
    /// That `who` does `action` to `subject`.
    pub fn new(who: &Who, action: impl Into<String>, subject: Subject, outcome: Outcome) -> Self {
        let via = match &who.via {
            Via::Nothing => String::new(),
            Via::Alone => "alone".to_owned(),
            Via::Session(id, _) => format!("session {id}"),
            Via::Token(_, _, name) => format!("token {name}"),
        };
        Self {
            at: Timestamp::now(),
            who: who.name.clone(),
            via,
            address: who.address.to_string(),
            action: action.into(),
            kind: subject.kind.to_owned(),
            object: subject.id,
            name: subject.name,
            command: String::new(),
            public: String::new(),
            outcome,
            why: String::new(),
            of: None,
        }
    }

    /// With the docker command, and the one for who sees no secrets.
    #[must_use]
    pub fn command(self, command: &str, public: Option<&str>) -> Self {
        let public = public.filter(|public| *public != command).unwrap_or_default().to_owned();
        Self { command: command.to_owned(), public, ..self }
    }

    /// With something to say.
    #[must_use]
    pub fn why(self, why: impl Into<String>) -> Self {
        let why: String = why.into();
        Self { why: why.chars().take(1_000).collect(), ..self }
    }
}

/// An entry that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number; 1 is the first.
    pub seq: i64,
    /// What it says.
    pub entry: Entry,
    /// Its hash, over itself and all before it.
    pub hash: Hash,
    /// How it ended, where it is one that says what is about to be done: none while it goes on, or when the console
    /// ended in the middle.
    pub end: Option<(Outcome, String)>,
}

/// What to look for. What is empty is not looked at.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Exactly this name.
    pub who: String,
    /// This action, or all that begin with it and a dot.
    pub action: String,
    /// This id, or a part of the name.
    pub object: String,
    /// This outcome.
    pub outcome: Option<Outcome>,
    /// From then on, as `2026-11-24` or a longer beginning of a time.
    pub from: String,
    /// Up to then, included.
    pub to: String,
    /// Anywhere in the entry.
    pub text: String,
    /// Only what people did to the engine: what has a docker command.
    pub commands: bool,
    /// Entries before this one.
    pub before: Option<i64>,
}

/// What was found, newest first.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The entries.
    pub entries: Vec<Recorded>,
    /// Whether there are more, older ones.
    pub more: bool,
}

/// The head of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// How many entries there are.
    pub count: i64,
    /// The last one's hash.
    pub hash: Hash,
}

/// What became of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Each entry follows from the one before.
    Whole(Seal),
    /// It breaks.
    Broken {
        /// The first entry that does not fit.
        seq: i64,
        /// What is wrong with it.
        why: &'static str,
    },
}

fn chain(before: &Hash, seq: i64, text: &str) -> Hash {
    Sha256::new().chain_update(before).chain_update(seq.to_be_bytes()).chain_update(text.as_bytes()).finalize().into()
}

fn head(connection: &Connection) -> rusqlite::Result<Seal> {
    let last = connection
        .query_row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (count, hash) = last.unwrap_or_default();
    Ok(Seal { count, hash })
}

/// Adds an entry; answers with its number. The head is kept as a fact too: a chain that lost its end is seen.
pub(super) fn add(connection: &Connection, entry: &Entry) -> rusqlite::Result<i64> {
    let text = serde_json::to_string(entry).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let Seal { count, hash } = head(connection)?;
    let seq = count + 1;
    let hash = chain(&hash, seq, &text);
    connection.execute("INSERT INTO audit (seq, entry, hash) VALUES (?, ?, ?)", params![seq, text, hash])?;
    connection.execute(
        "INSERT INTO fact (name, value) VALUES ('audit', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        [format!("{seq} {}", data_encoding::HEXLOWER.encode(&hash))],
    )?;
    Ok(seq)
}

/// Walks the whole chain.
pub(super) fn verify(connection: &Connection) -> rusqlite::Result<Verdict> {
    let mut seal = Seal { count: 0, hash: Hash::default() };
    let mut query = connection.prepare("SELECT seq, entry, hash FROM audit ORDER BY seq")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, text, hash) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?);
        let broken = |why| Ok(Verdict::Broken { seq, why });
        if seq != seal.count + 1 {
            return broken("an entry before it is missing");
        }
        let expected = chain(&seal.hash, seq, &text);
        if expected.as_slice() != hash {
            return broken("it, or the order of entries, was changed");
        }
        seal = Seal { count: seq, hash: expected };
    }
    let fact: Option<String> =
        connection.query_row("SELECT value FROM fact WHERE name = 'audit'", [], |row| row.get(0)).optional()?;
    let kept = format!("{} {}", seal.count, data_encoding::HEXLOWER.encode(&seal.hash));
    if fact.is_some_and(|fact| fact != kept) || (seal.count == 0 && connection_has_accounts(connection)?) {
        return Ok(Verdict::Broken { seq: seal.count + 1, why: "entries at the end are missing" });
    }
    Ok(Verdict::Whole(seal))
}

fn connection_has_accounts(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM account)", [], |row| row.get(0))
}

fn find(connection: &Connection, filter: &Filter, most: usize) -> rusqlite::Result<Found> {
    let most = most.min(MOST);
    let mut conditions = vec!["of_none.opens IS NULL".to_owned()];
    let mut values: Vec<String> = Vec::new();
    let mut add = |condition: &str, value: &str| {
        if !value.is_empty() {
            values.push(value.to_owned());
            conditions.push(condition.replace('?', &format!("?{}", values.len())));
        }
    };
    add("of_none.who = ? COLLATE NOCASE", &filter.who);
    add("(of_none.action = ? OR of_none.action LIKE ? || '.%')", &filter.action);
    add("(of_none.object = ? OR instr(lower(of_none.entry ->> 'name'), lower(?)) > 0)", &filter.object);
    add("substr(of_none.at, 1, length(?)) >= ?", &filter.from);
    add("substr(of_none.at, 1, length(?)) <= ?", &filter.to);
    add("instr(lower(of_none.entry), lower(?)) > 0", &filter.text);
    if let Some(outcome) = filter.outcome {
        let word = serde_json::to_value(outcome).ok().and_then(|word| word.as_str().map(str::to_owned));
        add("coalesce(ended.outcome, of_none.outcome) = ?", &word.unwrap_or_default());
    }
    if filter.commands {
        conditions.push("of_none.entry ->> 'command' <> ''".to_owned());
    }
    if let Some(before) = filter.before {
        conditions.push(format!("of_none.seq < {before}"));
    }
    let sql = format!(
        "SELECT of_none.seq, of_none.entry, of_none.hash, ended.outcome, ended.entry ->> 'why' FROM audit of_none \
         LEFT JOIN audit ended ON ended.opens = of_none.seq WHERE {} ORDER BY of_none.seq DESC LIMIT {}",
        conditions.join(" AND "),
        most + 1
    );
    let mut query = connection.prepare(&sql)?;
    let mut entries = query
        .query_map(params_from_iter(values), |row| {
            let word: Option<String> = row.get(3)?;
            let end = word.and_then(|word| serde_json::from_value(word.into()).ok());
            let why: Option<String> = row.get(4)?;
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, end.map(|end| (end, why.unwrap_or_default()))))
        })?
        .filter_map(|row| {
            row.map(|(seq, text, hash, end)| {
                // An entry that is no entry breaks the chain; here it is passed over.
                serde_json::from_str(&text).ok().map(|entry| Recorded { seq, entry, hash, end })
            })
            .transpose()
        })
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = entries.len() > most;
    entries.truncate(most);
    Ok(Found { entries, more })
}

/// Entries in the order of the chain, from one on: what is exported, as it was written.
fn slice(connection: &Connection, from: i64, most: usize) -> rusqlite::Result<Vec<Recorded>> {
    let mut query = connection.prepare("SELECT seq, entry, hash FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?")?;
    let rows = query.query_map(params![from, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
    })?;
    let read = |(seq, text, hash): (i64, String, Hash)| {
        serde_json::from_str(&text).ok().map(|entry| Recorded { seq, entry, hash, end: None })
    };
    rows.filter_map(|row| row.map(read).transpose()).collect()
}

impl Team {
    /// Writes an entry; answers with its number. What it speaks of is done only when this went well.
    pub async fn record(&self, entry: Entry) -> Result<i64, Error> {
        self.store().write(move |connection| add(connection, &entry)).await
    }

    /// Writes how what `seq` said ended. It has ended by now: a failure to write it can only be told to the log.
    pub async fn ended(&self, seq: i64, entry: Entry) {
        let entry =
            Entry { of: Some(seq), at: Timestamp::now(), command: String::new(), public: String::new(), ..entry };
        let (action, outcome) = (entry.action.clone(), entry.outcome);
        if let Err(error) = self.record(entry).await {
            tracing::error!(action, ?outcome, seq, error = error.to_string(), "the audit could not be written");
        }
    }

    /// Writes down what is no action on the engine, as a sign-in or a refusal: it is not held up by a full disk.
    pub async fn note(&self, entry: Entry) {
        let (action, who) = (entry.action.clone(), entry.who.clone());
        if let Err(error) = self.record(entry).await {
            tracing::error!(action, who, error = error.to_string(), "the audit could not be written");
        }
    }

    /// The newest entries that fit, `most` of them.
    pub async fn audit(&self, filter: Filter, most: usize) -> Result<Found, Error> {
        self.store().read(move |connection| find(connection, &filter, most)).await
    }

    /// Entries as they were written, oldest first, from a number on.
    pub async fn audit_from(&self, seq: i64, most: usize) -> Result<Vec<Recorded>, Error> {
        self.store().read(move |connection| slice(connection, seq, most)).await
    }

    /// Walks the chain.
    pub async fn verify_audit(&self) -> Result<Verdict, Error> {
        self.store().read(verify).await
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::team::store::Store;

    fn entry(action: &str, name: &str) -> Entry {
        let who = Who { name: "ann".into(), ..Who::alone(IpAddr::from([127, 0, 0, 1])) };
        Entry::new(&who, action, Subject { kind: "container", id: "a".repeat(64), name: name.into() }, Outcome::Asked)
    }

    #[test]
    fn the_chain_shows_each_change() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = |sql: &str| store.write_now(|c| c.execute_batch(sql)).map_err(|error| error.to_string());
        for number in 0..5 {
            store.write_now(|c| add(c, &entry("container.stop", &format!("web{number}")))).unwrap();
        }
        let whole = store.write_now(verify).unwrap();
        assert!(matches!(whole, Verdict::Whole(Seal { count: 5, .. })), "{whole:?}");
        assert!(work("UPDATE audit SET entry = '{}' WHERE seq = 2").unwrap_err().contains("only added to"));
        assert!(work("DELETE FROM audit WHERE seq = 5").unwrap_err().contains("only added to"));
        // Who removes the triggers is found out.
        work("DROP TRIGGER audit_stays; DROP TRIGGER audit_keeps").unwrap();
        for (change, at) in [
            ("UPDATE audit SET entry = replace(entry, 'web1', 'web9') WHERE seq = 2", 2),
            ("DELETE FROM audit WHERE seq = 3", 4),
            ("DELETE FROM audit WHERE seq = 5", 5),
            ("DELETE FROM audit WHERE seq = 1", 2),
            ("UPDATE audit SET seq = 9 WHERE seq = 5", 9),
        ] {
            work("SAVEPOINT before_it").unwrap();
            let verdict = store
                .write_now(|c| {
                    c.execute_batch(change)?;
                    let verdict = verify(c)?;
                    // Undone by an error, so that each change starts from the whole chain.
                    Err::<(), _>(rusqlite::Error::InvalidParameterName(format!("{verdict:?}")))
                })
                .unwrap_err()
                .to_string();
            assert!(verdict.contains(&format!("Broken {{ seq: {at},")), "{change}: {verdict}");
        }
    }

    #[test]
    fn entries_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let add = |entry: Entry| store.write_now(|c| add(c, &entry)).unwrap();
        let first = add(entry("container.stop", "web").command("docker stop web", None));
        add(Entry { of: Some(first), outcome: Outcome::Failed, why: "gone".into(), ..entry("container.stop", "web") });
        add(Entry { outcome: Outcome::Done, ..entry("sign-in", "") });
        let find = |filter: Filter| store.write_now(|c| find(c, &filter, 10)).unwrap().entries;
        let all = find(Filter::default());
        assert_eq!(all.iter().map(|found| found.seq).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(all[1].end, Some((Outcome::Failed, "gone".into())));
        assert_eq!(find(Filter { commands: true, ..Filter::default() }).len(), 1);
        assert_eq!(find(Filter { action: "container".into(), ..Filter::default() }).len(), 1);
        assert_eq!(find(Filter { outcome: Some(Outcome::Failed), ..Filter::default() }).len(), 1);
        assert_eq!(find(Filter { who: "ANN".into(), ..Filter::default() }).len(), 2);
        assert_eq!(find(Filter { who: "bob".into(), ..Filter::default() }).len(), 0);
        assert_eq!(find(Filter { object: "WE".into(), ..Filter::default() }).len(), 1);
        assert_eq!(find(Filter { from: "2000".into(), to: "2999-01".into(), ..Filter::default() }).len(), 2);
        assert_eq!(find(Filter { to: "2001-01-01".into(), ..Filter::default() }).len(), 0);
        assert_eq!(find(Filter { before: Some(3), ..Filter::default() }).len(), 1);
    }
}

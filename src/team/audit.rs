//! The audit: who did what from where, and what came of it. Only added to.
//!
//! What is about to be done is written down as an intent; what cannot be is not done. When it has ended, the intent
//! becomes one entry of the chain. Each entry's hash covers its text and the hash before it, so that a changed,
//! missing or moved entry breaks the chain. Who can write the file can also make a new chain: the head, which the log
//! tells at each start and `wheelhouse audit verify` prints, kept elsewhere, shows that.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Error, Team, Via, Who, secret::Hash};

/// Entries that one reading gives at most.
const MOST: usize = 10_000;
/// How soon what could not be written is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

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

impl Subject {
    /// A page of this console; what is too long for an address of ours is cut.
    pub fn page(path: &str) -> Self {
        Self { kind: "page", id: path.chars().take(200).collect(), name: String::new() }
    }
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It did not work.
    Failed,
    /// It was not allowed.
    Refused,
    /// It was begun, and the console ended before it did.
    Unknown,
}

/// An entry, as it is written down. What is empty is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was asked for, in UTC.
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
    /// Exactly this id.
    pub id: String,
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

/// What fits, as a condition and its values.
fn fitting(filter: &Filter) -> (String, Vec<String>) {
    let mut conditions = vec!["TRUE".to_owned()];
    let mut values: Vec<String> = Vec::new();
    let mut add = |condition: &str, value: &str| {
        if !value.is_empty() {
            values.push(value.to_owned());
            conditions.push(condition.replace('?', &format!("?{}", values.len())));
        }
    };
    add("who = ? COLLATE NOCASE", &filter.who);
    add("(action = ? OR action LIKE ? || '.%')", &filter.action);
    add("(object = ? OR instr(lower(entry ->> 'name'), lower(?)) > 0)", &filter.object);
    add("object = ?", &filter.id);
    add("substr(at, 1, length(?)) >= ?", &filter.from);
    add("substr(at, 1, length(?)) <= ?", &filter.to);
    add("instr(lower(entry), lower(?)) > 0", &filter.text);
    if let Some(outcome) = filter.outcome {
        let word = serde_json::to_value(outcome).ok().and_then(|word| word.as_str().map(str::to_owned));
        add("outcome = ?", &word.unwrap_or_default());
    }
    if filter.commands {
        conditions.push("entry ->> 'command' <> ''".to_owned());
    }
    if let Some(before) = filter.before {
        conditions.push(format!("seq < {before}"));
    }
    (conditions.join(" AND "), values)
}

fn find(connection: &Connection, filter: &Filter, most: usize) -> rusqlite::Result<Found> {
    let most = most.min(MOST);
    let (fits, values) = fitting(filter);
    let sql = format!("SELECT seq, entry, hash FROM audit WHERE {fits} ORDER BY seq DESC LIMIT {}", most + 1);
    let mut query = connection.prepare(&sql)?;
    let rows = query.query_map(params_from_iter(values), recorded)?;
    let mut entries = rows.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<_>>>()?;
    let more = entries.len() > most;
    entries.truncate(most);
    Ok(Found { entries, more })
}

/// Entries that fit in the order of the chain, from one on: what is exported, as it was written.
fn slice(connection: &Connection, filter: &Filter, from: i64, most: usize) -> rusqlite::Result<Vec<Recorded>> {
    let (fits, values) = fitting(filter);
    let sql = format!("SELECT seq, entry, hash FROM audit WHERE {fits} AND seq >= {from} ORDER BY seq LIMIT {most}");
    let mut query = connection.prepare(&sql)?;
    let rows = query.query_map(params_from_iter(values), recorded)?;
    rows.filter_map(Result::transpose).collect()
}

/// An entry out of its row; none where the text is no entry: that breaks the chain, and is passed over here.
fn recorded(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Recorded>> {
    let (seq, text, hash) = (row.get(0)?, row.get::<_, String>(1)?, row.get(2)?);
    Ok(serde_json::from_str(&text).ok().map(|entry| Recorded { seq, entry, hash }))
}

/// Writes down what is about to be done; answers with the intent's number.
fn intend(connection: &Connection, entry: &Entry) -> rusqlite::Result<i64> {
    let text = serde_json::to_string(entry).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.execute("INSERT INTO intent (entry) VALUES (?)", [text])?;
    Ok(connection.last_insert_rowid())
}

/// An intent becomes an entry.
fn conclude(connection: &Connection, intent: i64, entry: &Entry) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM intent WHERE id = ?", [intent])?;
    add(connection, entry).map(|_| ())
}

fn intents(connection: &Connection) -> rusqlite::Result<Vec<(i64, Entry)>> {
    let mut query = connection.prepare("SELECT id, entry FROM intent ORDER BY id")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let read = |(id, text): (i64, String)| serde_json::from_str(&text).ok().map(|entry| (id, entry));
    rows.filter_map(|row| row.map(read).transpose()).collect()
}

/// Writes down what a console that ended in the middle has left: what came of it, nobody knows.
fn adopt(connection: &Connection) -> rusqlite::Result<()> {
    intents(connection)?.into_iter().try_for_each(|(intent, entry)| {
        let entry = Entry { outcome: Outcome::Unknown, ..entry }.why("the console ended before it did");
        conclude(connection, intent, &entry)
    })
}

impl Team {
    /// Writes an entry; answers with its number. What it speaks of is done only when this went well.
    pub async fn record(&self, entry: Entry) -> Result<i64, Error> {
        self.store().write(move |connection| add(connection, &entry)).await
    }

    /// Writes down what is about to be done, all of it or nothing. It is done only when this went well.
    pub async fn intend(&self, entries: Vec<Entry>) -> Result<Vec<i64>, Error> {
        self.store().write(move |connection| entries.iter().map(|entry| intend(connection, entry)).collect()).await
    }

    /// Writes down how intents ended. They have ended by now: where the disk has no room, it is tried until it has,
    /// and nobody waits for that.
    pub async fn conclude(&self, ends: Vec<(i64, Entry)>) {
        let ends = Arc::new(ends);
        let Err(error) = self.try_to_conclude(ends.clone()).await else { return };
        tracing::error!(error = error.to_string(), "the audit could not be written; it is tried again");
        let team = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(AGAIN).await;
                if team.try_to_conclude(ends.clone()).await.is_ok() {
                    return;
                }
            }
        });
    }

    async fn try_to_conclude(&self, ends: Arc<Vec<(i64, Entry)>>) -> Result<(), Error> {
        let write = move |connection: &Connection| {
            ends.iter().try_for_each(|(intent, entry)| conclude(connection, *intent, entry))
        };
        self.store().write(write).await
    }

    /// Takes over what a console before this one has left in the middle. Only for the one that serves.
    pub async fn adopt_intents(&self) -> Result<(), Error> {
        self.store().write(adopt).await
    }

    /// What is being done now.
    pub async fn intents(&self) -> Result<Vec<Entry>, Error> {
        let intents = self.store().read(intents).await?;
        Ok(intents.into_iter().map(|(_, entry)| entry).collect())
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

    /// Entries that fit as they were written, oldest first, from a number on.
    pub async fn audit_from(&self, filter: Filter, seq: i64, most: usize) -> Result<Vec<Recorded>, Error> {
        self.store().read(move |connection| slice(connection, &filter, seq, most)).await
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
        Entry::new(&who, action, Subject { kind: "container", id: "a".repeat(64), name: name.into() }, Outcome::Done)
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
        let find = |filter: Filter| store.write_now(|c| find(c, &filter, 10)).unwrap().entries;
        let stop = Entry { outcome: Outcome::Failed, ..entry("container.stop", "web") };
        let stop = stop.why("gone").command("docker stop web", None);
        store.write_now(|c| add(c, &stop)).unwrap();
        let intent = store.write_now(|c| intend(c, &entry("container.kill", "web"))).unwrap();
        assert_eq!(find(Filter::default()).len(), 1);
        store.write_now(|c| conclude(c, intent, &entry("sign-in", ""))).unwrap();
        let all = find(Filter::default());
        assert_eq!(all.iter().map(|found| found.seq).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(all[1].entry, stop);
        let count = |filter: Filter| find(filter).len();
        assert_eq!(count(Filter { commands: true, ..Filter::default() }), 1);
        assert_eq!(count(Filter { action: "container".into(), ..Filter::default() }), 1);
        assert_eq!(count(Filter { action: "contain".into(), ..Filter::default() }), 0);
        assert_eq!(count(Filter { outcome: Some(Outcome::Failed), ..Filter::default() }), 1);
        assert_eq!(count(Filter { who: "ANN".into(), ..Filter::default() }), 2);
        assert_eq!(count(Filter { who: "bob".into(), ..Filter::default() }), 0);
        assert_eq!(count(Filter { object: "WE".into(), ..Filter::default() }), 1);
        assert_eq!(count(Filter { id: "a".repeat(64), ..Filter::default() }), 2);
        assert_eq!(count(Filter { id: "web".into(), ..Filter::default() }), 0);
        assert_eq!(count(Filter { from: "2000".into(), to: "2999-01".into(), ..Filter::default() }), 2);
        assert_eq!(count(Filter { to: "2001-01-01".into(), ..Filter::default() }), 0);
        assert_eq!(count(Filter { before: Some(2), ..Filter::default() }), 1);
        // What is exported is what is found, the other way round.
        let exported = |filter: Filter, from| store.write_now(|c| slice(c, &filter, from, 10)).unwrap();
        assert_eq!(exported(Filter::default(), 1), all.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(exported(Filter { outcome: Some(Outcome::Failed), ..Filter::default() }, 1), [all[1].clone()]);
        assert_eq!(exported(Filter { outcome: Some(Outcome::Failed), ..Filter::default() }, 2), []);
        // What was left in the middle: once.
        store.write_now(|c| intend(c, &entry("volume.remove", "data"))).unwrap();
        store.write_now(adopt).unwrap();
        store.write_now(adopt).unwrap();
        let left = find(Filter { outcome: Some(Outcome::Unknown), ..Filter::default() });
        assert_eq!(left.iter().map(|found| found.entry.name.as_str()).collect::<Vec<_>>(), ["data"]);
    }
}

//! The database: SQLite in one file, migrated forward by itself. What cannot be trusted is not opened.
//!
//! Migrations of our own: the crates for them lag behind rusqlite and pin older ones, and `user_version` with a list
//! of texts is all that they would do.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::Error;

/// Each takes the database from the version that is its place to the next.
const SCHEMA: [&str; 3] = [include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];
/// Says that a file is ours: `WHEL`.
const APPLICATION: i32 = 0x5748_454c;
/// How long another process, `wheelhouse admin reset`, is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// The database. Cheap to clone; one writer at a time, which is enough for people.
#[derive(Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
    folder: PathBuf,
}

impl Store {
    /// Opens the database in this folder; makes both where there was never one.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let (file, mark) = (folder.join("wheelhouse.db"), folder.join("installed"));
        make_folder(folder)?;
        let size = fs::metadata(&file).map_or(0, |file| file.len());
        let is_known = mark.exists() || file.exists();
        if is_known && size == 0 {
            // A fresh database would open the set-up to whoever comes first.
            return Err(Error::Damaged(format!(
                "{} is empty or gone, but this console was set up before. Put it back from a backup; or, to begin anew without accounts, \
                 tokens and audit, remove the folder {}",
                file.display(),
                folder.display()
            )));
        }
        let damaged = |why: String| {
            Error::Damaged(format!(
                "{} is damaged or not ours: {why}. Put it back from a backup; this console does not start with it",
                file.display()
            ))
        };
        let mut connection = Connection::open_with_flags(
            &file,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|error| Error::Storage { folder: folder.to_owned(), why: error.to_string() })?;
        prepare(&mut connection, is_known).map_err(|why| match why {
            Refusal::Sql(error) if is_of_the_disk(&error) => {
                Error::Storage { folder: folder.to_owned(), why: error.to_string() }
            }
            Refusal::Sql(error) => damaged(error.to_string()),
            Refusal::Said(why) => damaged(why),
        })?;
        let storage = |error: std::io::Error| Error::Storage { folder: folder.to_owned(), why: error.to_string() };
        if !mark.exists() {
            fs::write(&mark, "This folder belongs to a console that was set up. See wheelhouse.db.\n")
                .map_err(storage)?;
        }
        Ok(Self { connection: Arc::new(Mutex::new(connection)), folder: folder.to_owned() })
    }

    /// Works with the database, in one transaction: all of it or nothing.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let store = self.clone();
        let worked = tokio::task::spawn_blocking(move || store.write_now(work)).await;
        worked.unwrap_or_else(|error| Err(Error::Storage { folder: self.folder.clone(), why: error.to_string() }))
    }

    /// The same, for who may wait.
    pub fn write_now<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let done = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })();
        done.map_err(|error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::Full(self.folder.clone()),
            _ => Error::Storage { folder: self.folder.clone(), why: error.to_string() },
        })
    }

    /// A file beside it that cannot be used.
    pub fn broken(&self, error: &std::io::Error) -> Error {
        Error::Storage { folder: self.folder.clone(), why: error.to_string() }
    }

    /// Reads, from a connection of its own: readers and the writer do not wait for each other.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (file, folder) = (self.folder.join("wheelhouse.db"), self.folder.clone());
        let read = tokio::task::spawn_blocking(move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(file, flags)?;
            connection.busy_timeout(BUSY)?;
            work(&connection)
        });
        let storage = |why: String| Error::Storage { folder, why };
        match read.await {
            Ok(read) => read.map_err(|error| storage(error.to_string())),
            Err(error) => Err(storage(error.to_string())),
        }
    }
}

/// Its owner's only: it holds secrets.
fn make_folder(folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Error::Storage { folder: folder.to_owned(), why: error.to_string() })
}

enum Refusal {
    Sql(rusqlite::Error),
    Said(String),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Whether it is the disk's fault, not the file's.
fn is_of_the_disk(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::PermissionDenied
        )
    )
}

fn prepare(connection: &mut Connection, is_known: bool) -> Result<(), Refusal> {
    connection.busy_timeout(BUSY)?;
    let number = |connection: &Connection, pragma: &str| {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i32>(0))
    };
    let version = number(connection, "user_version")?;
    if is_known && (number(connection, "application_id")? != APPLICATION || version == 0) {
        return Err(Refusal::Said("it is another program’s".to_owned()));
    }
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > SCHEMA.len() {
        return Err(Refusal::Said(format!("it was written by a newer version of this console (schema {version})")));
    }
    if is_known {
        let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if check != "ok" {
            return Err(Refusal::Said(check));
        }
    }
    // Each entry of the audit is on the disk before what it speaks of is done.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    for (at, migration) in SCHEMA.iter().enumerate().skip(version) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", i32::try_from(at + 1).unwrap_or(i32::MAX))?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s002_what_cannot_be_trusted_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let open = || Store::open(&path).map(|_| ()).map_err(|error| error.to_string());
        open().unwrap();
        open().unwrap();
        let file = path.join("wheelhouse.db");
        let good = fs::read(&file).unwrap();
        for bad in [&b""[..], b"not a database at all", &good[..good.len() / 2]] {
            fs::write(&file, bad).unwrap();
            for other in ["wheelhouse.db-wal", "wheelhouse.db-shm"] {
                let _ = fs::remove_file(path.join(other));
            }
            let why = open().unwrap_err();
            assert!(why.contains("wheelhouse.db"), "{why}");
        }
        fs::remove_file(&file).unwrap();
        assert!(open().unwrap_err().contains("set up before"));
        fs::write(&file, &good).unwrap();
        open().unwrap();
    }
}

//! The team: what is known of everybody, in memory and in the database.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use jiff::SignedDuration;
use tokio::sync::{Semaphore, watch};

use super::{
    Account, AccountId, Error, Login, Session, SessionId, Token, accounts, login::Half, passwords, registries,
    secret::Hash, sessions, store::Store, throttle::Throttle, tokens, vault::Vault,
};

/// How many passwords are hashed at once: each takes 19 MiB and a core.
const HASHING: usize = 2;

/// How long a session lasts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Without being used. A live page uses it.
    pub idle: SignedDuration,
    /// In all.
    pub whole: SignedDuration,
}

/// The team. Cheap to clone.
#[derive(Clone)]
pub struct Team(Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    known: RwLock<Known>,
    /// One reading at a time: an older one must not come after a newer.
    reloading: tokio::sync::Mutex<()>,
    /// Grows with each change of who may what: open streams look again (S010).
    changed: watch::Sender<u64>,
    pub(super) throttle: Throttle,
    pub(super) vault: Vault,
    hashing: Semaphore,
    pub(super) limits: Limits,
    /// The hash of the link that makes the first administrator.
    pub(super) first: Mutex<Option<Hash>>,
    /// Who has given the password, and not yet the code.
    pub(super) halves: Mutex<HashMap<Hash, Half>>,
}

/// What is kept in memory.
#[derive(Default)]
pub(super) struct Known {
    pub initialised: bool,
    pub accounts: BTreeMap<AccountId, Arc<Account>>,
    pub sessions: HashMap<Hash, Session>,
    pub tokens: HashMap<Hash, Token>,
    pub last_session: SessionId,
    pub logins: BTreeMap<String, Login>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Team {
    /// The team that is kept in this folder. One that cannot be trusted is refused.
    pub fn open(folder: &Path, limits: Limits) -> Result<Self, Error> {
        let store = Store::open(folder)?;
        let mut known = store.write_now(load)?;
        known.sessions = store.write_now(sessions::all)?.into_iter().collect();
        known.last_session = known.sessions.values().map(|session| session.id).max().unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            store,
            known: RwLock::new(known),
            reloading: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(0),
            throttle: Throttle::new(),
            vault: Vault::new(folder),
            hashing: Semaphore::new(HASHING),
            limits,
            first: Mutex::default(),
            halves: Mutex::default(),
        })))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known without telling anybody: it is no change of who may what.
    pub(super) fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let done = change(&mut self.known_mut());
        self.0.changed.send_modify(|version| *version += 1);
        done
    }

    /// Reads accounts and tokens anew. Sessions are ended where they are to end: there may be some that the disk had
    /// no room for.
    pub(super) async fn reload(&self) -> Result<(), Error> {
        let _turn = self.0.reloading.lock().await;
        let Known { initialised, accounts, tokens, logins, .. } = self.store().write(load).await?;
        self.change(|known| {
            known.sessions.retain(|_, session| accounts.contains_key(&session.account));
            (known.initialised, known.accounts, known.tokens, known.logins) = (initialised, accounts, tokens, logins);
        });
        Ok(())
    }

    /// Whether there was ever an administrator.
    pub fn is_initialised(&self) -> bool {
        self.known().initialised
    }

    /// Whether somebody could sign in and administer.
    pub fn has_admin(&self) -> bool {
        self.known().accounts.values().any(|account| account.administers())
    }

    /// To hear of changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    pub(super) async fn hashed(&self, password: &str) -> Result<String, Error> {
        let _place = self.0.hashing.acquire().await;
        let password = password.to_owned();
        tokio::task::spawn_blocking(move || passwords::hash(&password)).await.unwrap_or(Err(Error::Wrong))
    }

    pub(super) async fn fits(&self, password: &str, kept: &str) -> bool {
        let _place = self.0.hashing.acquire().await;
        let (password, kept) = (password.to_owned(), kept.to_owned());
        tokio::task::spawn_blocking(move || passwords::verify(&password, &kept)).await.unwrap_or(false)
    }
}

/// Everything but the sessions, which change in memory first.
fn load(connection: &rusqlite::Connection) -> rusqlite::Result<Known> {
    let initialised =
        connection.query_row("SELECT EXISTS (SELECT 1 FROM fact WHERE name = 'initialised')", [], |row| row.get(0))?;
    Ok(Known {
        initialised,
        accounts: accounts::all(connection)?.into_iter().map(|account| (account.id, Arc::new(account))).collect(),
        tokens: tokens::all(connection)?.into_iter().collect(),
        logins: registries::all(connection)?,
        ..Known::default()
    })
}

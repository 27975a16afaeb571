//! The terminals that are open: who has which, how many at most, and their end with the console's.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq;

use super::shell::{End, LINGER, Opening, Shell};
use crate::{
    engine::{ContainerId, Line},
    team::Who,
};

/// How many one person may have open.
const EACH: usize = 16;
/// How many there may be.
const ALL: usize = 128;
/// How many forms are remembered.
const REMEMBERED: usize = 500;

/// What somebody asked for last in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The command, as typed.
    pub command: String,
    /// As whom.
    pub user: String,
    /// Where.
    pub workdir: String,
}

/// All terminals.
pub struct Shells {
    open: Mutex<HashMap<u64, Arc<Shell>>>,
    next: AtomicU64,
    asked: Mutex<VecDeque<((String, ContainerId), Asked)>>,
    /// How long one may be without input.
    pub idle: Duration,
}

impl Shells {
    /// None yet.
    pub fn new(idle: Duration) -> Self {
        Self { open: Mutex::default(), next: AtomicU64::new(1), asked: Mutex::default(), idle }
    }

    /// Whether this person may have one more.
    pub fn has_room(&self, who: &Who) -> bool {
        let open = self.all();
        open.len() < ALL && open.iter().filter(|shell| is_same(&shell.who, who)).count() < EACH
    }

    /// Has one live.
    pub fn begin(self: &Arc<Self>, opening: Opening, line: Line) -> Option<Arc<Shell>> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).ok()?;
        let token = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let shell = Shell::begin(opening, line, number, token);
        self.lock().insert(number, shell.clone());
        let (shells, mortal) = (self.clone(), shell.clone());
        tokio::spawn(async move {
            mortal.gone().await;
            // Who comes back too late is told how it ended.
            tokio::time::sleep(LINGER).await;
            shells.lock().remove(&mortal.number);
        });
        Some(shell)
    }

    /// The one of this token, if it is this person's.
    pub fn find(&self, token: &str, who: &Who) -> Option<Arc<Shell>> {
        let is = |shell: &&Arc<Shell>| bool::from(shell.token.as_bytes().ct_eq(token.as_bytes()));
        self.lock().values().find(is).filter(|shell| is_same(&shell.who, who)).cloned()
    }

    /// The one of this number.
    pub fn of_number(&self, number: u64) -> Option<Arc<Shell>> {
        self.lock().get(&number).filter(|shell| shell.ended().is_none()).cloned()
    }

    /// Those that have not ended, oldest first.
    pub fn all(&self) -> Vec<Arc<Shell>> {
        let mut all: Vec<_> = self.lock().values().filter(|shell| shell.ended().is_none()).cloned().collect();
        all.sort_by_key(|shell| shell.number);
        all
    }

    /// Ends all of them; answers when nothing of them is left.
    pub async fn end(&self) {
        let all = self.all();
        all.iter().for_each(|shell| shell.end(End::Shutdown));
        futures_util::future::join_all(all.iter().map(|shell| shell.gone())).await;
    }

    /// What this person asked for last in this container.
    pub fn remembered(&self, who: &Who, container: &ContainerId) -> Asked {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |key: &(String, ContainerId)| key.0 == who.name && key.1 == *container;
        asked.iter().find(|(key, _)| is(key)).map(|(_, asked)| asked.clone()).unwrap_or_default()
    }

    /// Remembers it.
    pub fn remember(&self, who: &Who, container: &ContainerId, what: Asked) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (who.name.clone(), container.clone());
        asked.retain(|(known, _)| *known != key);
        asked.push_front((key, what));
        asked.truncate(REMEMBERED);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Shell>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether two who asked are one person, by whichever session.
pub fn is_same(one: &Who, other: &Who) -> bool {
    one.account == other.account && one.name == other.name
}

//! Which of our processes run in containers, in a file: a console that was killed ends, when it starts again, what it
//! has left behind (S065).

use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{Left, Remote, line::Of};
use crate::engine::{ContainerId, Engine, Link};

/// A process of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) container: String,
    pub(super) exec: String,
    pub(super) user: Option<String>,
    pub(super) is_root: bool,
}

/// Those that are open, by their marks.
#[derive(Debug, Default)]
pub(in crate::engine) struct Ledger {
    file: OnceLock<PathBuf>,
    open: Mutex<HashMap<String, Entry>>,
}

impl Ledger {
    fn open(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, mark: &str, entry: Entry) {
        let mut open = self.open();
        open.insert(mark.to_owned(), entry);
        self.write(&open);
    }

    pub(super) fn forget(&self, mark: &str) {
        let mut open = self.open();
        if open.remove(mark).is_some() {
            self.write(&open);
        }
    }

    /// Terminals are few, and are opened by people: the file is written anew each time, and never half.
    fn write(&self, open: &HashMap<String, Entry>) {
        let Some(file) = self.file.get() else { return };
        let next = file.with_extension("next");
        let text = serde_json::to_vec(open).unwrap_or_default();
        if let Err(error) = fs::write(&next, text).and_then(|()| fs::rename(&next, file)) {
            tracing::warn!(error = error.to_string(), file = %file.display(), "open terminals cannot be written down");
        }
    }

    /// What an earlier run has left open, which becomes ours to end.
    fn adopt(&self, file: PathBuf) -> HashMap<String, Entry> {
        let left = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
            Err(error) => {
                tracing::warn!(error = error.to_string(), file = %file.display(), "open terminals cannot be read");
                HashMap::new()
            }
        };
        let mut open = self.open();
        open.extend(left.clone());
        // Only the first one counts: there is one folder.
        let _ = self.file.set(file);
        left
    }
}

impl Engine {
    /// From now on, writes down in this file what runs in terminals; ends what an earlier run has left, once there is an
    /// engine.
    pub async fn keep_terminals(&self, file: PathBuf) {
        let left = self.ledger.adopt(file);
        let mut picture = self.live.watch();
        if left.is_empty() || picture.wait_for(|picture| matches!(picture.link, Link::Live)).await.is_err() {
            return;
        }
        for (mark, Entry { container, exec, user, is_root }) in left {
            let Ok(container) = container.parse::<ContainerId>() else { continue };
            let is_up = self.live.picture().containers.get(&container).is_some_and(|found| found.state.is_up());
            let of = Of::Exec { id: exec, mark: mark.clone(), user, is_root };
            // What ran in a container has ended with it. A sweep forgets what it has swept.
            if !is_up {
                self.ledger.forget(&mark);
                continue;
            }
            let short = container.short().to_owned();
            match (Remote { engine: self.clone(), container, of }).sweep().await {
                Left::Nothing => tracing::info!(container = short, "ended a terminal that was left"),
                Left::Perhaps => tracing::warn!(container = short, "a terminal that was left may still run"),
            }
        }
    }
}

//! What a container has changed of its image's files: `GET /containers/{id}/changes`.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{ContainerId, Engine, Error, containers::Containers, fresh::Fresh};

/// How long an answer is good: turning a page of it does not walk the files again.
const LIFE: Duration = Duration::from_secs(5);
/// How long the engine may take to walk the files.
const WALK: Duration = Duration::from_mins(1);
/// How many walks the engine is asked for at once.
const AT_ONCE: usize = 2;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is new.
    Added,
    /// It is another than in the image.
    Changed,
    /// It is gone.
    Deleted,
}

impl Kind {
    /// All, in the order of their letters.
    pub const EACH: [Self; 3] = [Self::Added, Self::Changed, Self::Deleted];

    /// As `docker diff` writes it.
    pub fn letter(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Changed => 'C',
            Self::Deleted => 'D',
        }
    }

    /// The same as a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// A file or folder that is another than in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Where it is, from `/` on: foreign text.
    pub path: Box<str>,
    /// What became of it.
    pub kind: Kind,
}

/// Source: moby, `pkg/archive/changes.go`, `ChangeType`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    path: Box<str>,
    #[serde(default)]
    kind: u8,
}

/// What was told lately.
#[derive(Debug)]
pub(super) struct Walked {
    told: Fresh<ContainerId, Vec<FileChange>>,
    walks: Semaphore,
}

impl Default for Walked {
    fn default() -> Self {
        Self { told: Fresh::new(LIFE), walks: Semaphore::new(AT_ONCE) }
    }
}

impl Containers<'_> {
    /// What is another than in its image, in the order of paths; some seconds ago at most. What lies in volumes is not
    /// in it.
    pub async fn changes(&self, id: &ContainerId) -> Result<Arc<Vec<FileChange>>, Error> {
        let engine: &Engine = self.0;
        engine.reaches_container(id)?;
        engine.reachable()?;
        let ask = async {
            let _walk = engine.walked.walks.acquire().await.map_err(|_| Error::Conflict("it ends".to_owned()))?;
            let lines: Option<Vec<Line>> = engine.wire.get_within(&format!("/containers/{id}/changes"), WALK).await?;
            let change = |Line { path, kind }: Line| {
                let kind = match kind {
                    1 => Kind::Added,
                    2 => Kind::Deleted,
                    _ => Kind::Changed,
                };
                FileChange { path, kind }
            };
            let mut changes: Vec<FileChange> = lines.unwrap_or_default().into_iter().map(change).collect();
            // Folder before what is in it: a slash is the least of all letters.
            changes.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
            Ok(changes)
        };
        engine.walked.told.get(id.clone(), ask).await.map_err(|error| engine.told(error))
    }
}

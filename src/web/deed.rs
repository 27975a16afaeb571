//! What somebody does to the engine: written into the audit before it is done, and again with what came of it. What
//! cannot be written down is not done.

use super::{Error, extract::Page};
use crate::team::{Entry, Outcome, Subject};

/// Something to be done.
pub struct Deed {
    /// What, as `container.stop`.
    pub action: String,
    /// To what.
    pub subject: Subject,
    /// The docker command that does the same, without values of variables.
    pub command: String,
    /// The same for who sees no secrets, where that is another.
    pub public: Option<String>,
}

impl Deed {
    /// To a thing of this kind, id and name.
    pub fn new(action: impl Into<String>, kind: &'static str, id: impl Into<String>, name: impl Into<String>, command: &str) -> Self {
        let subject = Subject { kind, id: id.into(), name: name.into() };
        Self { action: action.into(), subject, command: command.to_owned(), public: None }
    }
}

/// A deed that is written down as about to be done.
pub struct Asked {
    seq: i64,
    entry: Entry,
    page: Page,
}

impl Asked {
    /// Writes what came of it.
    pub async fn ended<T, E: std::fmt::Display>(self, result: &Result<T, E>) {
        let Self { seq, entry, page } = self;
        let entry = match result {
            Ok(_) => Entry { outcome: Outcome::Done, ..entry },
            Err(error) => Entry { outcome: Outcome::Failed, ..entry }.why(error.to_string()),
        };
        page.asker.team.ended(seq, entry).await;
    }
}

impl Page {
    /// Writes down that somebody is about to do this. An error means that it must not be done.
    pub async fn asks(&self, deed: Deed) -> Result<Asked, Error> {
        let Deed { action, subject, command, public } = deed;
        let entry = Entry::new(&self.asker.who, action, subject, Outcome::Asked).command(&command, public.as_deref());
        let seq = self.asker.team.record(entry.clone()).await?;
        Ok(Asked { seq, entry, page: self.clone() })
    }

    /// Writes it down, does it, and writes down how it ended; to the end, even if who asked does not wait for it.
    pub async fn does<T, E>(
        &self,
        deed: Deed,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<Result<T, E>, Error>
    where
        T: Send + Sync + 'static,
        E: std::fmt::Display + Send + Sync + 'static,
    {
        let asked = self.asks(deed).await?;
        let done = tokio::spawn(async move {
            let result = work.await;
            asked.ended(&result).await;
            result
        });
        done.await.map_err(|_| Error::ours())
    }

    /// Writes down something about people that has been done.
    pub async fn notes(&self, action: &str, subject: Subject, why: &str) {
        self.asker.team.note(Entry::new(&self.asker.who, action, subject, Outcome::Done).why(why)).await;
    }
}

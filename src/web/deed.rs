//! What somebody does to the engine: written into the audit before it is done, and again with what came of it. What
//! cannot be written down is not done.

use std::fmt::Display;

use super::{Error, extract::Page};
use crate::{
    engine::{self, ContainerId, Job, Part, Stage},
    team::{self, Entry, Outcome, Subject, Team},
};

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
    /// Anything else to say.
    pub why: String,
}

impl Deed {
    /// To a thing of this kind, id and name.
    pub fn new(
        action: impl Into<String>,
        kind: &'static str,
        id: impl Into<String>,
        name: impl Into<String>,
        command: &str,
    ) -> Self {
        let subject = Subject { kind, id: id.into(), name: name.into() };
        Self { action: action.into(), subject, command: command.to_owned(), public: None, why: String::new() }
    }
}

/// Deeds that are written down as about to be done.
pub struct Asked {
    entries: Vec<(i64, Entry)>,
    team: Team,
}

/// What came of a deed.
#[derive(Default)]
pub struct Came {
    /// What was made, where that was not known before.
    pub made: Option<Subject>,
    /// How it ended otherwise, and why; none where it was done.
    fault: Option<(Outcome, String)>,
}

/// Why a deed came to nothing.
pub trait Fault: Display {
    /// Whether who asked was not allowed it.
    fn is_refusal(&self) -> bool;
}

impl Fault for engine::Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Forbidden(_))
    }
}

impl Fault for team::Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Wrong)
    }
}

impl Came {
    fn of<T, E: Fault>(result: &Result<T, E>) -> Self {
        result.as_ref().err().map_or_else(Self::default, Self::to_nothing)
    }

    /// It was not done.
    pub fn to_nothing(error: &impl Fault) -> Self {
        let outcome = if error.is_refusal() { Outcome::Refused } else { Outcome::Failed };
        Self { made: None, fault: Some((outcome, error.to_string())) }
    }

    /// It did not work, for other reasons than that it was refused.
    pub fn failed(why: impl Into<String>) -> Self {
        Self { made: None, fault: Some((Outcome::Failed, why.into())) }
    }

    /// A container came of it.
    #[must_use]
    pub fn container(self, id: &ContainerId, name: &str) -> Self {
        Self { made: Some(Subject { kind: "container", id: id.to_string(), name: name.to_owned() }), ..self }
    }
}

impl Asked {
    /// Writes what came of the one.
    pub async fn ended(self, came: Came) {
        self.all_ended(vec![came]).await;
    }

    /// Writes what came of each, in their order.
    async fn all_ended(self, came: Vec<Came>) {
        let end = |((seq, entry), Came { made, fault }): ((i64, Entry), Came)| {
            let mut entry = match fault {
                Some((outcome, why)) => Entry { outcome, ..entry }.why(why),
                None => Entry { outcome: Outcome::Done, ..entry },
            };
            if let Some(Subject { id, name, .. }) = made {
                entry.object = id;
                entry.name = if name.is_empty() { entry.name } else { name };
            }
            (seq, entry)
        };
        let ends = self.entries.into_iter().zip(came).map(end).collect();
        self.team.conclude(ends).await;
    }

    /// Writes what comes of each when this job has ended.
    pub fn follow(self, job: Job) {
        tokio::spawn(async move {
            let progress = job.ended().await;
            let cancelled = || Came::failed("it was cancelled");
            let came = if progress.parts.is_empty() {
                let (came, container) = match &progress.stage {
                    Stage::Done { container } => (Came::default(), container.as_ref()),
                    Stage::Failed { error, container } => (Came::to_nothing(error), container.as_ref()),
                    Stage::Running | Stage::Cancelled | Stage::Interrupted => (cancelled(), None),
                };
                vec![match container {
                    Some(id) => came.container(id, ""),
                    None => came,
                }]
            } else {
                progress.parts.iter().map(|part: &Part| part.result.as_ref().map_or_else(cancelled, Came::of)).collect()
            };
            self.all_ended(came).await;
        });
    }
}

impl Page {
    /// Writes down that somebody is about to do these. An error means that none of them must be done.
    pub async fn asks_all(&self, deeds: Vec<Deed>) -> Result<Asked, Error> {
        let entry = |Deed { action, subject, command, public, why }: Deed| {
            Entry::new(&self.asker.who, action, subject, Outcome::Unknown).command(&command, public.as_deref()).why(why)
        };
        let entries: Vec<Entry> = deeds.into_iter().map(entry).collect();
        let team = self.asker.team.clone();
        let numbers = team.intend(entries.clone()).await?;
        Ok(Asked { entries: numbers.into_iter().zip(entries).collect(), team })
    }

    /// Writes down that somebody is about to do this. An error means that it must not be done.
    pub async fn asks(&self, deed: Deed) -> Result<Asked, Error> {
        self.asks_all(vec![deed]).await
    }

    /// Writes it down, does it, and writes down how it ended; to the end, even if who asked does not wait for it.
    pub fn does<T, E>(
        &self,
        deed: Deed,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> impl Future<Output = Result<Result<T, E>, Error>> + Send
    where
        T: Send + Sync + 'static,
        E: Fault + Send + Sync + 'static,
    {
        self.makes(deed, work, |_| None)
    }

    /// The same for what makes something that is not known before: `made` says what.
    pub fn makes<T, E>(
        &self,
        deed: Deed,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
        made: fn(&T) -> Option<Subject>,
    ) -> impl Future<Output = Result<Result<T, E>, Error>> + Send
    where
        T: Send + Sync + 'static,
        E: Fault + Send + Sync + 'static,
    {
        // Work on the engine is a large future: it is kept once, not in each that waits for it.
        let work = Box::pin(work);
        async move {
            let asked = self.asks(deed).await?;
            let done = tokio::spawn(async move {
                let result = work.await;
                asked.ended(Came { made: result.as_ref().ok().and_then(made), ..Came::of(&result) }).await;
                result
            });
            done.await.map_err(|_| Error::ours())
        }
    }

    /// Writes down something about people that has been done.
    pub async fn notes(&self, action: &str, subject: Subject, why: &str) {
        self.asker.team.note(Entry::new(&self.asker.who, action, subject, Outcome::Done).why(why)).await;
    }
}

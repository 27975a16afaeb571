//! A container's files, kept as an image: `POST /commit`.

use std::time::Duration;

use bollard::{models::ContainerConfig, query_parameters::CommitContainerOptions};

use super::{
    ContainerId, Engine, Error,
    images::split_reference,
    jobs::{Job, Jobs, Stage},
};

/// How long it may take: the engine reads and writes all that the container has changed.
const LIMIT: Duration = Duration::from_hours(1);

/// The instructions of a Dockerfile that can be said of what is kept. Source: docker/cli,
/// `docs/reference/commandline/container_commit.md`, without EXPOSE's and HEALTHCHECK's neighbours that it does not list.
pub const INSTRUCTIONS: [&str; 9] =
    ["CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "ONBUILD", "USER", "VOLUME", "WORKDIR"];

/// What an image is made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// What it is called.
    pub reference: String,
    /// What is said about it.
    pub comment: String,
    /// Who made it.
    pub author: String,
    /// Whether the container is frozen meanwhile.
    pub pause: bool,
    /// Whether it may take the name of an image that is there.
    pub replace: bool,
    /// One of [`INSTRUCTIONS`] each, and what it says.
    pub changes: Vec<(&'static str, String)>,
}

impl Jobs<'_> {
    /// Keeps a container as an image.
    ///
    /// # Errors
    /// What [`Engine`] says of who may not go into it. [`Error::Conflict`] where the name is taken and must not be;
    /// [`Error::Forbidden`] where who asks may not take it, nor say where things belong.
    pub async fn commit(&self, id: &ContainerId, what: Commit, command: String) -> Result<Job, Error> {
        let engine: &Engine = self.0;
        engine.reach.may_operate()?;
        engine.enters(id).await?;
        // What an image says of labels, what is made of it has: nobody says by that where a thing belongs (S042).
        if engine.reach.is_scoped() && what.changes.iter().any(|(word, _)| matches!(*word, "LABEL" | "ONBUILD")) {
            return Err(Error::Forbidden(
                "LABEL and ONBUILD would say where what is made of the image belongs, which you may not.".to_owned(),
            ));
        }
        if engine.images().has(&what.reference).await? {
            // Others run what they know by that name.
            if !engine.reach.root {
                return Err(Error::Conflict(format!(
                    "{} is an image already: only an administrator may give its name to another",
                    what.reference
                )));
            }
            if !what.replace {
                return Err(Error::Conflict(format!("{} is an image already", what.reference)));
            }
        }
        let name = engine.live.picture().containers.get(id).map_or_else(|| id.short().to_owned(), |c| c.name.clone());
        let title = format!("Commit {name} to {}", what.reference);
        let id = id.clone();
        Ok(self.start("commit", title, command, Vec::new(), move |engine, job| async move {
            if what.pause {
                job.say("The container is frozen while its files are read, if it runs.");
            }
            job.say("To cancel ends the waiting: what the engine has begun, it goes on with, and the image may come all the same.");
            match Box::pin(engine.make_image(&id, &what)).await {
                Ok(image) => {
                    job.say(&format!("{} is the image {image}.", what.reference));
                    Stage::Done { container: None }
                }
                Err(error) => Stage::Failed { error, container: None },
            }
        }))
    }
}

impl Engine {
    async fn make_image(&self, id: &ContainerId, what: &Commit) -> Result<String, Error> {
        let (repo, tag) = split_reference(&what.reference);
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let changes: Vec<String> = what.changes.iter().map(|(word, value)| format!("{word} {value}")).collect();
        let options = CommitContainerOptions {
            container: Some(id.to_string()),
            repo: Some(repo.to_owned()),
            tag: Some(tag.to_owned()),
            comment: some(&what.comment),
            author: some(&what.author),
            pause: what.pause,
            changes: some(&changes.join("\n")),
        };
        let call = self.docker.commit_container(options, ContainerConfig::default());
        let made = Box::pin(self.wire.typed("commit", LIMIT, call)).await.map_err(|error| self.told(error))?;
        Ok(made.1.id)
    }
}

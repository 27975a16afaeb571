//! The long work itself: running a container whose image is missing, and one action on many containers.

use futures_util::{StreamExt, stream};

use super::{
    Action, ContainerId, Engine, Error, NetworkId, VolumeName, Wanted,
    containers::Done,
    jobs::{Job, Jobs, Part, Progress, Stage, Work},
    spec::Spec,
};

/// How many are worked on at the same time.
const AT_ONCE: usize = 8;

impl Jobs<'_> {
    /// Pulls the image, creates the container and, if `start`, starts it.
    pub async fn run(&self, spec: Spec, start: bool, command: String) -> Result<Job, Error> {
        // Before anything is pulled for what may not be made.
        let spec = self.0.containers().admit(&spec).await?;
        self.0.reach.may_pull(&spec.image)?;
        let wanted = Wanted { platform: spec.platform.clone(), ..Wanted::plain(&spec.image) };
        let title = format!("{} {}", if start { "Run" } else { "Create" }, spec.name.as_deref().unwrap_or(&spec.image));
        let job = self.start(
            if start { "run" } else { "create" },
            title,
            command,
            Vec::new(),
            move |engine, job| async move {
                job.say(&format!("The engine does not have {}: pulling it.", spec.image));
                if let Err(error) = engine.images().pull(&job, &wanted).await {
                    return Stage::Failed { error, container: None };
                }
                // From here on a cancelled job would leave half of it: what follows is quick, and goes on to its end.
                let finish = tokio::spawn(async move { engine.create_and_start(&job, &spec, start).await });
                finish.await.unwrap_or_else(|error| Stage::Failed {
                    error: Error::Engine { status: 500, message: error.to_string() },
                    container: None,
                })
            },
        );
        Ok(job)
    }

    /// Does one thing to many containers, some at a time. Each has its own result.
    pub fn act_on_many(&self, ids: Vec<ContainerId>, action: Action, command: String) -> Result<Job, Error> {
        self.0.reach.may_operate()?;
        let picture = self.0.picture();
        let parts: Vec<Part> = ids
            .iter()
            .map(|id| Part {
                name: picture
                    .containers
                    .get(id)
                    .map_or_else(|| id.short().to_owned(), |container| container.name.clone()),
                container: Some(id.clone()),
                result: None,
            })
            .collect();
        let title =
            format!("{} {} container{}", action.verb().label(), ids.len(), if ids.len() == 1 { "" } else { "s" });
        let job = self.start(action.verb().word(), title, command, parts, move |engine, job| async move {
            let work = ids.into_iter().enumerate().map(|(place, id)| {
                let (engine, job, action) = (engine.clone(), job.clone(), action.clone());
                async move {
                    let verb = action.verb();
                    let result = engine.containers().act(&id, action).await.map(|done| match done {
                        Done::Now => verb.done().to_owned(),
                        Done::Already => format!("was already {}", verb.done()),
                        Done::UnderWay => "is being removed already".to_owned(),
                    });
                    job.part(place, result);
                }
            });
            stream::iter(work).buffer_unordered(AT_ONCE).collect::<()>().await;
            Stage::of_parts(job.progress())
        });
        Ok(job)
    }
}

impl Jobs<'_> {
    /// Removes just these volumes. What is gone already is as wished; what somebody uses stays, and says by whom.
    pub fn remove_volumes(&self, names: Vec<VolumeName>, command: String) -> Result<Job, Error> {
        self.0.reach.may_operate()?;
        let sizes = self.0.picture().sizes.bytes.clone();
        let part = |name: &VolumeName| Part { name: name.to_string(), container: None, result: None };
        let parts = names.iter().map(part).collect();
        let title = format!("Remove {} volume{}", names.len(), if names.len() == 1 { "" } else { "s" });
        let job = self.start("remove_volumes", title, command, parts, move |engine, job| async move {
            let work = names.into_iter().enumerate().map(|(place, name)| {
                let (engine, job, size) = (engine.clone(), job.clone(), sizes.get(name.as_str()).copied());
                async move {
                    let result = match engine.volumes().delete(&name).await {
                        Ok(()) => Ok("removed".to_owned()),
                        Err(Error::NotFound(_)) => Ok("was removed already".to_owned()),
                        Err(error) => Err(error),
                    };
                    if result.is_ok() {
                        job.freed(size.unwrap_or_default());
                    }
                    job.part(place, result);
                }
            });
            stream::iter(work).buffer_unordered(AT_ONCE).collect::<()>().await;
            engine.live.read_back_volumes().await;
            Stage::of_parts(job.progress())
        });
        Ok(job)
    }
}

impl Jobs<'_> {
    /// Removes just these networks. What is gone already is as wished; one that somebody has joined meanwhile stays, and
    /// so does, unless `stopped` says otherwise, one that a stopped container has.
    pub fn remove_networks(&self, ids: Vec<NetworkId>, stopped: bool, command: String) -> Result<Job, Error> {
        self.0.reach.may_operate()?;
        let picture = self.0.picture();
        let name =
            |id: &NetworkId| picture.networks.get(id).map_or_else(|| id.short().to_owned(), |found| found.name.clone());
        let parts = ids.iter().map(|id| Part { name: name(id), container: None, result: None }).collect();
        let title = format!("Remove {} network{}", ids.len(), if ids.len() == 1 { "" } else { "s" });
        let job = self.start("remove_networks", title, command, parts, move |engine, job| async move {
            let work = ids.into_iter().enumerate().map(|(place, id)| {
                let (engine, job) = (engine.clone(), job.clone());
                async move {
                    let result = match engine.networks().delete(&id, !stopped).await {
                        Ok(()) => Ok("removed".to_owned()),
                        Err(Error::NotFound(_)) => Ok("was removed already".to_owned()),
                        Err(error) => Err(error),
                    };
                    job.part(place, result);
                }
            });
            stream::iter(work).buffer_unordered(AT_ONCE).collect::<()>().await;
            engine.live.read_back_networks().await;
            Stage::of_parts(job.progress())
        });
        Ok(job)
    }
}

impl Stage {
    /// How work on many ended: as its first failure, if any failed.
    pub(super) fn of_parts(progress: Progress) -> Self {
        match progress.parts.into_iter().find_map(|part| part.result?.err()) {
            Some(error) => Self::Failed { error, container: None },
            None => Self::Done { container: None },
        }
    }
}

impl Engine {
    async fn create_and_start(&self, job: &Work, spec: &Spec, start: bool) -> Stage {
        let created = match self.containers().create(spec).await {
            Ok(created) => created,
            Err(error) => {
                return Stage::Failed { error, container: None };
            }
        };
        created.warnings.iter().for_each(|warning| job.say(warning));
        let container = Some(created.id.clone());
        if !start {
            return Stage::Done { container };
        }
        match self.containers().start_new(&created.id).await {
            Ok(()) => Stage::Done { container },
            Err(error) => Stage::Failed { error, container },
        }
    }
}

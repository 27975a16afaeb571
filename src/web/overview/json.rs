//! The overview as scripts see it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Overview as Drawn;
use crate::{
    engine::{Link, Picture, State},
    web::{doc::Doc, events::json::Event},
};

/// What there is, and what needs attention.
#[derive(Serialize, ToSchema)]
pub struct Overview {
    /// Whether the engine answers.
    live: bool,
    /// Why it does not.
    outage: Option<String>,
    /// What the engine is, if it ever answered.
    engine: Option<EngineFacts>,
    /// How many containers there are.
    containers: Counts,
    /// How many volumes there are.
    volumes: usize,
    /// The first twenty that need attention.
    attention: Vec<Needy>,
    /// Who uses most memory, while somebody looks at this page.
    usage: Vec<Usage>,
    /// What just happened.
    events: Vec<Event>,
}

/// What an engine is.
#[derive(Serialize, ToSchema)]
struct EngineFacts {
    /// The host's name.
    host: String,
    /// Docker or Podman, and which version.
    version: String,
    /// The newest API that it speaks.
    api: String,
    system: String,
    kernel: String,
    architecture: String,
    cpus: u64,
    /// Bytes.
    memory: u64,
    storage_driver: String,
    images: u64,
    /// What the engine warns of.
    warnings: Vec<String>,
}

/// Counts over all containers.
#[derive(Serialize, ToSchema)]
struct Counts {
    total: usize,
    /// Paused and restarting ones included.
    running: usize,
    paused: usize,
    created: usize,
    attention: usize,
}

/// A container that needs attention.
#[derive(Serialize, ToSchema)]
struct Needy {
    id: String,
    name: String,
    why: String,
    /// The first thing to do.
    first: Option<&'static str>,
}

/// What a container uses.
#[derive(Serialize, ToSchema)]
struct Usage {
    id: String,
    name: String,
    /// Bytes.
    memory: u64,
    /// Per cent of one CPU.
    cpu_percent: Option<f64>,
}

impl Overview {
    /// As it is drawn.
    pub(super) fn new(drawn: &Drawn<'_>, picture: &Picture) -> Self {
        let number = |is: &dyn Fn(&State) -> bool| picture.containers.values().filter(|c| is(&c.state)).count();
        let usage = picture.usage.iter().filter_map(|usage| {
            Some(Usage {
                name: picture.containers.get(&usage.id)?.name.clone(),
                id: usage.id.to_string(),
                memory: usage.memory,
                cpu_percent: usage.cpu_percent,
            })
        });
        let needy = drawn.needy.iter().map(|needy| Needy {
            id: needy.c.id.to_string(),
            name: needy.c.name.clone(),
            why: needy.why.clone(),
            first: needy.first.map(crate::engine::Verb::word),
        });
        let facts = picture.info.as_ref().map(|info| EngineFacts {
            host: info.name.clone(),
            version: info.version.title(),
            api: info.version.api().to_owned(),
            system: info.operating_system.clone(),
            kernel: info.kernel_version.clone(),
            architecture: info.architecture.clone(),
            cpus: info.cpus,
            memory: info.mem_total,
            storage_driver: info.driver.clone(),
            images: info.images,
            warnings: info.warnings.clone(),
        });
        Self {
            live: picture.link.is_live(),
            outage: match &picture.link {
                Link::Live => None,
                Link::Down { why, .. } => Some(why.to_string()),
            },
            engine: facts,
            containers: Counts {
                total: picture.containers.len(),
                running: number(&State::is_up),
                paused: number(&|state| *state == State::Paused),
                created: number(&|state| *state == State::Created),
                attention: drawn.needy.len() + drawn.more,
            },
            volumes: picture.volumes.len(),
            attention: needy.collect(),
            usage: usage.collect(),
            events: drawn.events.iter().map(|(event, ..)| Event::new(event, picture)).collect(),
        }
    }
}

/// What scripts are told of `GET /`.
pub fn doc() -> Doc {
    Doc::new("Show what there is, and what needs attention").gives::<Overview>(200, "The overview.")
}

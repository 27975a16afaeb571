//! The engine as scripts see it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{notices::Notices, warnings::Warning};
use crate::{
    engine::{self, DiskUsage, Info, Picture},
    web::extract::Page,
};

/// What the engine is.
#[derive(Serialize, ToSchema)]
pub struct Engine {
    /// Docker or Podman, and which version.
    title: String,
    version: String,
    /// The newest API that it speaks.
    api: String,
    /// The oldest.
    api_oldest: String,
    /// What this console speaks with it.
    api_spoken: String,
    /// What it consists of, with versions.
    components: BTreeMap<String, String>,
    host: String,
    system: String,
    kernel: String,
    architecture: String,
    cpus: u64,
    /// Bytes.
    memory: u64,
    storage_driver: String,
    data: String,
    cgroup_driver: String,
    cgroup_version: String,
    default_runtime: String,
    runtimes: Vec<String>,
    security_options: Vec<String>,
    logging_driver: String,
    live_restore: bool,
    swarm: String,
    /// Networks and registries that are spoken to without encryption.
    insecure_registries: Vec<String>,
    registries: Vec<String>,
    volume_drivers: Vec<String>,
    network_drivers: Vec<String>,
    log_drivers: Vec<String>,
    /// Containers that the token sees.
    containers: usize,
    images: u64,
    /// Volumes that the token sees.
    volumes: usize,
    /// What it warns of.
    warnings: Vec<EngineWarning>,
    /// What is known against it: for administrators.
    notices: Vec<Notice>,
    /// Whether everybody on the network reaches it: for administrators.
    open_to_network: bool,
}

/// A warning of the engine.
#[derive(Serialize, ToSchema)]
struct EngineWarning {
    /// The engine's words.
    warning: String,
    /// What it means.
    means: &'static str,
    /// What to do.
    advice: &'static str,
}

/// A known hole.
#[derive(Serialize, ToSchema)]
struct Notice {
    ids: Vec<&'static str>,
    /// Which part has it.
    part: &'static str,
    /// In which version.
    version: String,
    about: &'static str,
    /// The versions that end it.
    fixed: Vec<&'static str>,
    source: &'static str,
}

impl Engine {
    /// As far as this reader sees.
    pub fn new(page: &Page, info: &Info, notices: &Notices, warnings: &[Warning<'_>]) -> Self {
        let notice = |hole: &super::notices::Hole| {
            let version = hole.version.clone();
            let of = move |advisory: &&'static engine::Advisory| Notice {
                ids: advisory.ids.to_vec(),
                part: advisory.part.name(),
                version: version.clone(),
                about: advisory.about,
                fixed: advisory.fixed.to_vec(),
                source: advisory.source,
            };
            hole.advisories.iter().map(of).collect::<Vec<_>>()
        };
        let version = &info.version;
        Self {
            title: version.title(),
            version: version.version.clone(),
            api: version.api().to_owned(),
            api_oldest: version.oldest_api().to_owned(),
            api_spoken: version.spoken_api(),
            components: version.components.iter().map(|part| (part.name.clone(), part.version().to_owned())).collect(),
            host: info.name.clone(),
            system: info.operating_system.clone(),
            kernel: info.kernel_version.clone(),
            architecture: info.architecture.clone(),
            cpus: info.cpus,
            memory: info.mem_total,
            storage_driver: info.driver.clone(),
            data: info.docker_root_dir.clone(),
            cgroup_driver: info.cgroup_driver.clone(),
            cgroup_version: info.cgroup_version.clone(),
            default_runtime: info.default_runtime.clone(),
            runtimes: info.runtimes.keys().cloned().collect(),
            security_options: info.security_options.clone(),
            logging_driver: info.logging_driver.clone(),
            live_restore: info.live_restore,
            swarm: info.swarm().to_owned(),
            insecure_registries: info.registries.insecure.clone(),
            registries: info.registries.known.keys().cloned().collect(),
            volume_drivers: info.plugins.volume.clone(),
            network_drivers: info.plugins.network.clone(),
            log_drivers: info.plugins.log.clone(),
            containers: page.picture.containers.len(),
            images: info.images,
            volumes: page.picture.volumes.len(),
            warnings: warnings
                .iter()
                .map(|warning| EngineWarning {
                    warning: warning.words.to_owned(),
                    means: warning.means,
                    advice: warning.advice,
                })
                .collect(),
            notices: notices.holes.iter().flat_map(notice).collect(),
            open_to_network: notices.open.is_some(),
        }
    }
}

/// What the disk is used for.
#[derive(Serialize, ToSchema)]
pub struct Disk {
    /// Whether the engine is measuring now.
    measuring: bool,
    /// When the last measuring ended; none if it never was measured.
    #[schema(value_type = Option<String>, format = DateTime)]
    measured: Option<Timestamp>,
    /// Why the last measuring failed.
    failed: Option<String>,
    /// By kind, as `docker system df` does; empty before it was measured.
    sums: Vec<DiskSum>,
    images: Vec<DiskImage>,
    containers: Vec<DiskContainer>,
    volumes: Vec<DiskVolume>,
    cache: Vec<DiskStep>,
}

/// A line of `docker system df`.
#[derive(Serialize, ToSchema)]
struct DiskSum {
    /// images, containers, volumes or cache.
    kind: &'static str,
    total: usize,
    active: usize,
    /// Bytes.
    size: u64,
    /// Bytes that nothing uses.
    reclaimable: u64,
}

#[derive(Serialize, ToSchema)]
struct DiskImage {
    id: String,
    names: Vec<String>,
    /// Bytes.
    size: u64,
    /// Bytes that other images have, too.
    shared: u64,
    /// Containers that come from it.
    containers: u64,
}

#[derive(Serialize, ToSchema)]
struct DiskContainer {
    id: String,
    name: String,
    /// Bytes that it wrote beside its image.
    size: u64,
    up: bool,
}

#[derive(Serialize, ToSchema)]
struct DiskVolume {
    name: String,
    /// Bytes, where the driver tells.
    size: Option<u64>,
    /// Containers that have it.
    containers: u64,
}

/// A step of a build that is kept.
#[derive(Serialize, ToSchema)]
struct DiskStep {
    id: String,
    kind: String,
    about: String,
    /// Bytes.
    size: u64,
    in_use: bool,
    shared: bool,
}

impl Disk {
    /// As of this picture.
    pub fn new(picture: &Picture) -> Self {
        let disk = &picture.disk;
        let nothing = DiskUsage::default();
        let usage = disk.usage.as_deref().unwrap_or(&nothing);
        let sums = if disk.usage.is_some() { usage.sums() } else { Vec::new() };
        Self {
            measuring: disk.running.is_some(),
            measured: disk.measured,
            failed: disk.failed.clone(),
            sums: sums
                .iter()
                .map(|sum| DiskSum {
                    kind: sum.what.word(),
                    total: sum.total,
                    active: sum.active,
                    size: sum.size,
                    reclaimable: sum.free,
                })
                .collect(),
            images: usage
                .images
                .iter()
                .map(|image| DiskImage {
                    id: image.id.clone(),
                    names: image.names.clone(),
                    size: image.size,
                    shared: image.shared,
                    containers: image.users,
                })
                .collect(),
            containers: usage
                .containers
                .iter()
                .map(|container| DiskContainer {
                    id: container.id.to_string(),
                    name: container.name.clone(),
                    size: container.size,
                    up: container.is_up,
                })
                .collect(),
            volumes: usage
                .volumes
                .iter()
                .map(|volume| DiskVolume { name: volume.name.to_string(), size: volume.size, containers: volume.users })
                .collect(),
            cache: usage
                .cache
                .iter()
                .map(|step| DiskStep {
                    id: step.id.clone(),
                    kind: step.kind.clone(),
                    about: step.about.clone(),
                    size: step.size,
                    in_use: step.in_use,
                    shared: step.shared,
                })
                .collect(),
        }
    }
}

/// What a prune would remove.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemPlan)]
pub struct Plan {
    /// The docker command that does the same.
    pub command: String,
    /// What would go, in this order.
    pub goes: Vec<Goes>,
    /// How many more there are than one prune takes.
    pub more: usize,
    /// Bytes that it would free, as far as sizes are known.
    pub frees: u64,
}

/// Something that would go.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemPlanItem)]
pub struct Goes {
    /// What to send as `thing`.
    thing: String,
    /// container, network, volume, image or cache.
    kind: &'static str,
    name: String,
    about: String,
    /// Bytes, where known.
    frees: Option<u64>,
}

impl Plan {
    /// Of this plan.
    pub fn new(command: String, plan: &engine::Plan) -> Self {
        let goes = |goes: &engine::Goes| Goes {
            thing: goes.thing.to_string(),
            kind: goes.thing.kind(),
            name: goes.name.clone(),
            about: goes.about.clone(),
            frees: goes.frees,
        };
        Self { command, goes: plan.goes.iter().map(goes).collect(), more: plan.more, frees: plan.frees() }
    }
}

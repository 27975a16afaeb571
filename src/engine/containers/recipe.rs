//! What an existing container was made from: the request that makes it again.
//!
//! The engine tells a container as it is, with everything that its image said and that the engine chose by itself. What
//! they add is taken out again, so that what is left is what somebody asked for: a container that is made from that of
//! a newer image has the newer image's defaults.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Containers, Detail, or_default};
use crate::engine::{
    ContainerId, Error, ImageId, Picture, is_id,
    spec::{Endpoint, Healthcheck, HostConfig, IpamConfig, Keys, NetworkingConfig, Spec},
};

/// Bytes of `/dev/shm` where nobody says otherwise: Docker's, and podman's.
const SHM: [i64; 2] = [64 << 20, 65_536_000];
/// Variables that podman sets by itself. Source: podman 4.3, `pkg/specgen/generate/container.go`, and a container without any.
const PODMAN_ENV: [&str; 4] = [
    "HOME=/root",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM=xterm",
    "container=podman",
];

/// What an existing container was made from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recipe {
    /// What was asked for: what its image and the engine add by themselves is not in it.
    pub spec: Spec,
    /// The image that it was made of, by its id: its reference may lead to another one by now.
    pub image: String,
    /// Its volumes without a name of their own: where each is mounted, and what the engine calls it.
    pub anonymous: BTreeMap<String, String>,
    /// Whether what its image says could be taken out: not if that image is gone.
    pub is_whole: bool,
}

impl Recipe {
    /// Lets a container that is made in place of this one have the very volumes without a name that this one has: where
    /// it asks for one there, or its image does and nothing else is mounted.
    pub fn keep_volumes(&self, spec: &mut Spec) {
        for (target, volume) in &self.anonymous {
            let is_asked_for = spec.volumes.0.remove(target);
            let host = &mut spec.host_config;
            if let Some(mount) = host.mounts.iter_mut().find(|mount| mount.target == *target) {
                if mount.r#type == "volume" && mount.source.is_empty() {
                    mount.source.clone_from(volume);
                }
                continue;
            }
            let says = |bind: &String| bind.split(':').nth(1) == Some(target);
            let is_taken = host.binds.iter().any(says) || host.tmpfs.contains_key(target);
            let was_asked_for = self.spec.volumes.0.contains(target);
            if !is_taken && (is_asked_for || !was_asked_for) {
                host.binds.push(format!("{volume}:{target}"));
            }
        }
    }

    fn read(id: &ContainerId, raw: &Value, image: Option<&Spec>, picture: &Picture) -> Result<Self, Error> {
        let unreadable = |error: serde_json::Error| Error::Engine {
            status: 502,
            message: format!("unexpected answer to inspect: {error}"),
        };
        let told = Told::deserialize(raw).map_err(unreadable)?;
        let mut asked = told.config.clone();
        if let Value::Object(asked) = &mut asked {
            asked.insert("HostConfig".to_owned(), without_nulls(told.host_config));
        }
        let mut spec: Spec = serde_json::from_value(asked).map_err(unreadable)?;
        spec.name = Some(told.name.trim_start_matches('/').to_owned()).filter(|name| !name.is_empty());
        let anonymous = told.mounts.into_iter().filter(|mount| mount.kind == "volume" && is_id(&mount.name));
        let anonymous: BTreeMap<_, _> = anonymous.map(|mount| (mount.destination, mount.name)).collect();
        // One that was kept when its container was made anew stands among the others, by the name that it was given.
        let is_kept = |bind: &String| {
            let mut parts = bind.split(':');
            let source = parts.next();
            parts.next().is_some_and(|target| anonymous.get(target).map(String::as_str) == source)
        };
        let (kept, binds) = std::mem::take(&mut spec.host_config.binds).into_iter().partition(is_kept);
        spec.host_config.binds = binds;
        let targets =
            |binds: Vec<String>| binds.into_iter().filter_map(|bind| bind.split(':').nth(1).map(str::to_owned));
        spec.volumes.0.extend(targets(kept));
        let mac = told.config.get("MacAddress").and_then(Value::as_str).unwrap_or_default();
        let is_podman = picture.is_podman();
        if is_podman {
            plain_podman(&mut spec, id);
        }
        engine_adds_nothing(&mut spec, id, picture);
        networks(&mut spec, told.network_settings.networks, mac, id);
        if let Some(image) = image {
            image_adds_nothing(&mut spec, image);
        }
        let image_id = told.image.parse::<ImageId>().map_or(told.image, |id| id.to_string());
        Ok(Self { spec, image: image_id, anonymous, is_whole: image.is_some() })
    }
}

/// The part of an inspection that tells what was asked for.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Told {
    name: String,
    image: String,
    config: Value,
    host_config: Value,
    #[serde(deserialize_with = "or_default")]
    mounts: Vec<Mounted>,
    #[serde(deserialize_with = "or_default")]
    network_settings: Networks,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Mounted {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(deserialize_with = "or_default")]
    name: String,
    destination: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Networks {
    #[serde(deserialize_with = "or_default")]
    networks: BTreeMap<String, Endpoint>,
}

/// The engine writes `null` where a port is published nowhere, and podman where there are no options.
fn without_nulls(mut host: Value) -> Value {
    if let Some(Value::Object(ports)) = host.get_mut("PortBindings") {
        ports.values_mut().filter(|places| places.is_null()).for_each(|places| *places = Value::Array(Vec::new()));
    }
    host
}

/// What podman tells otherwise than Docker does.
fn plain_podman(spec: &mut Spec, id: &ContainerId) {
    let hostname = format!("HOSTNAME={}", id.short());
    spec.env.retain(|variable| !PODMAN_ENV.contains(&variable.as_str()) && *variable != hostname);
    spec.stop_timeout = spec.stop_timeout.filter(|seconds| !matches!(seconds, 0 | 10));
    if spec.working_dir == "/" {
        spec.working_dir.clear();
    }
    if matches!(spec.stop_signal.as_str(), "15" | "SIGTERM") {
        spec.stop_signal.clear();
    }
    let host = &mut spec.host_config;
    for mode in [&mut host.pid_mode, &mut host.uts_mode, &mut host.ipc_mode, &mut host.userns_mode] {
        if matches!(mode.as_str(), "private" | "shareable") {
            mode.clear();
        }
    }
    // It sets two by itself, to what the host has.
    host.ulimits
        .retain(|limit| limit.soft != limit.hard || !matches!(limit.name.as_str(), "RLIMIT_NOFILE" | "RLIMIT_NPROC"));
    for limit in &mut host.ulimits {
        limit.name = limit.name.trim_start_matches("RLIMIT_").to_ascii_lowercase();
    }
    host.memory_swappiness = host.memory_swappiness.filter(|percent| *percent > 0 || host.memory > 0);
    if host.pids_limit == 2048 {
        host.pids_limit = 0;
    }
    if host.network_mode.starts_with("slirp4netns") {
        host.network_mode.clear();
    }
    if host.nano_cpus != 0 {
        (host.cpu_period, host.cpu_quota) = (0, 0);
    }
    for options in host.tmpfs.values_mut() {
        let added = ["rw", "rprivate", "nosuid", "nodev", "tmpcopyup"];
        *options = options.split(',').filter(|option| !added.contains(option)).collect::<Vec<_>>().join(",");
    }
    // name:/path:rw,rprivate,nosuid,...
    let own =
        |option: &&str| matches!(*option, "ro" | "z" | "Z" | "U" | "O" | "shared" | "slave" | "rshared" | "rslave");
    let binds = std::mem::take(&mut host.binds).into_iter().filter_map(|bind| {
        let mut parts = bind.splitn(3, ':');
        let (source, target) = (parts.next()?, parts.next()?);
        let options: Vec<&str> = parts.next().unwrap_or_default().split(',').filter(own).collect();
        let options = if options.is_empty() { String::new() } else { format!(":{}", options.join(",")) };
        Some(format!("{source}:{target}{options}"))
    });
    host.binds = binds.collect();
}

/// Takes out what the engine chose where nothing was said. Sources: moby 28, `daemon/container_operations.go`,
/// `daemon/daemon_unix.go` (`adaptContainerSettings`), `daemon/create.go`; and containers for which nothing was said.
fn engine_adds_nothing(spec: &mut Spec, id: &ContainerId, picture: &Picture) {
    let info = picture.info.as_deref().cloned().unwrap_or_default();
    let host = &mut spec.host_config;
    let shares_network = host.network_mode.starts_with("container:");
    let has_hosts_name = host.network_mode == "host" && spec.hostname == info.name;
    if spec.hostname == id.short() || shares_network || has_hosts_name {
        spec.hostname.clear();
    }
    // Fences that fall with others are told with them.
    if host.privileged || host.pid_mode == "host" || host.ipc_mode == "host" {
        host.security_opt.retain(|option| option != "label=disable");
    }
    if host.privileged {
        (host.masked_paths, host.readonly_paths) = (None, None);
    }
    // The usual lists; an empty one is what somebody asked for.
    host.masked_paths = host.masked_paths.take().filter(Vec::is_empty);
    host.readonly_paths = host.readonly_paths.take().filter(Vec::is_empty);
    let log = &mut host.log_config;
    if log.config.is_empty() && log.r#type == or(&info.logging_driver, "json-file") {
        log.r#type.clear();
    }
    if host.runtime == or(&info.default_runtime, "runc") || host.runtime == "oci" {
        host.runtime.clear();
    }
    if SHM.contains(&host.shm_size) {
        host.shm_size = 0;
    }
    if host.ipc_mode == "private" {
        host.ipc_mode.clear();
    }
    let usual = if info.cgroup_version == "2" && !host.privileged { "private" } else { "host" };
    if host.cgroupns_mode == usual {
        host.cgroupns_mode.clear();
    }
    if host.restart_policy.name == "no" {
        host.restart_policy.name.clear();
    }
    if host.memory > 0 && host.memory_swap == host.memory.saturating_mul(2) {
        host.memory_swap = 0;
    }
    host.memory_swappiness = host.memory_swappiness.filter(|percent| *percent >= 0);
    if host.pids_limit < 0 {
        host.pids_limit = 0;
    }
    host.links = host.links.iter().map(|link| plain_link(link)).collect();
    if matches!(host.isolation.as_str(), "default") {
        host.isolation.clear();
    }
}

fn or<'a>(known: &'a str, usual: &'a str) -> &'a str {
    if known.is_empty() { usual } else { known }
}

/// `/db:/web/database` as it was asked for: `db:database`.
fn plain_link(link: &str) -> String {
    match link.split_once(':') {
        Some((other, alias)) => {
            format!("{}:{}", other.trim_start_matches('/'), alias.rsplit('/').next().unwrap_or(alias))
        }
        None => link.to_owned(),
    }
}

/// The networks as they were asked for: no address and no name that the engine gave.
fn networks(spec: &mut Spec, told: BTreeMap<String, Endpoint>, mac: &str, id: &ContainerId) {
    let host: &mut HostConfig = &mut spec.host_config;
    let mut mode = std::mem::take(&mut host.network_mode);
    // podman says bridge of every network that is one.
    if mode == "bridge"
        && let Some(name) = told.keys().next().filter(|_| !told.contains_key("bridge") && !told.contains_key("podman"))
    {
        mode.clone_from(name);
    }
    let is_usual = matches!(mode.as_str(), "" | "default" | "bridge");
    let is_of_engine = matches!(mode.as_str(), "host" | "none") || mode.starts_with("container:");
    let mut endpoints = BTreeMap::new();
    for (name, mut endpoint) in told {
        endpoint.aliases.retain(|alias| alias != id.short() && alias != id.as_str());
        endpoint.ipam_config = endpoint.ipam_config.filter(|addresses| *addresses != IpamConfig::default());
        let is_first = name == mode || is_usual && matches!(name.as_str(), "bridge" | "podman");
        // What a running container has may be the engine's choice; what was asked for stands in its configuration.
        endpoint.mac_address = if is_first { mac.to_owned() } else { String::new() };
        // The first network of all, by the name that it is asked for with.
        let name = if is_usual && is_first { "default".to_owned() } else { name };
        endpoints.insert(name, endpoint);
    }
    let is_plain = endpoints.len() <= 1 && endpoints.values().all(|endpoint| *endpoint == Endpoint::default());
    if is_of_engine || is_plain {
        endpoints.clear();
    }
    host.network_mode = match mode.as_str() {
        _ if !is_usual => mode,
        _ if endpoints.is_empty() => String::new(),
        _ => "default".to_owned(),
    };
    spec.networking_config = NetworkingConfig { endpoints_config: endpoints };
}

/// Takes out what the image says.
fn image_adds_nothing(spec: &mut Spec, image: &Spec) {
    command(spec, image);
    // Without a value: the variable that the image has, taken away.
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    let has = |variable: &String| spec.env.iter().any(|own| name(own) == name(variable));
    let away: Vec<String> = image.env.iter().filter(|variable| !has(variable)).map(|variable| name(variable)).collect();
    spec.env.retain(|variable| !image.env.contains(variable));
    spec.env.extend(away);
    let published: Vec<String> = spec.host_config.port_bindings.keys().cloned().collect();
    let Keys(ports) = &mut spec.exposed_ports;
    ports.retain(|port| !image.exposed_ports.0.contains(port));
    ports.extend(published);
    spec.volumes.0.retain(|path| !image.volumes.0.contains(path));
    for (own, image) in [
        (&mut spec.working_dir, &image.working_dir),
        (&mut spec.user, &image.user),
        (&mut spec.stop_signal, &image.stop_signal),
    ] {
        if own == image {
            own.clear();
        }
    }
    spec.labels.retain(|key, value| image.labels.get(key) != Some(value));
    spec.healthcheck = spec.healthcheck.take().map(|check| check_less(check, image.healthcheck.as_ref()));
    spec.healthcheck = spec.healthcheck.take().filter(|check| *check != Healthcheck::default());
}

/// An entrypoint of its own has done away with the image's command. Source: moby, `daemon/commit.go`, `merge`.
fn command(spec: &mut Spec, image: &Spec) {
    if spec.entrypoint != image.entrypoint {
        if spec.entrypoint.is_empty() {
            spec.entrypoint = vec![String::new()];
        }
        return;
    }
    if spec.cmd == image.cmd {
        spec.cmd.clear();
    } else if spec.cmd.is_empty() {
        // Only who names the entrypoint anew gets rid of the command.
        return;
    }
    spec.entrypoint.clear();
}

/// What of a health check is not the image's: the engine fills in what is left out, one by one.
fn check_less(mut check: Healthcheck, image: Option<&Healthcheck>) -> Healthcheck {
    let Some(image) = image else { return check };
    if check.test == image.test {
        check.test.clear();
    }
    for (own, image) in [
        (&mut check.interval, image.interval),
        (&mut check.timeout, image.timeout),
        (&mut check.start_period, image.start_period),
        (&mut check.start_interval, image.start_interval),
        (&mut check.retries, image.retries),
    ] {
        if *own == image {
            *own = 0;
        }
    }
    check
}

impl Containers<'_> {
    /// What a container was made from, as far as this reach goes: what may be a secret is masked.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who may only look.
    pub async fn recipe(&self, id: &ContainerId) -> Result<Recipe, Error> {
        self.0.reach.may_operate()?;
        self.0.reaches_container(id)?;
        let mut recipe = self.recipe_of(id).await.map_err(|error| self.0.told(error))?;
        self.0.reach.spec(&mut recipe.spec);
        Ok(recipe)
    }

    /// Puts the secrets of a container back into a request that was filled in from its masked recipe: what still reads
    /// as hidden is what it was.
    ///
    /// # Errors
    /// Those of [`Containers::recipe`].
    pub async fn unmask(&self, id: &ContainerId, spec: &mut Spec) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        self.0.reaches_container(id)?;
        let known = self.recipe_of(id).await.map_err(|error| self.0.told(error))?;
        crate::engine::reach::unmask(spec, &known.spec);
        Ok(())
    }

    /// The same, for the console's own work.
    pub(in crate::engine) async fn recipe_of(&self, id: &ContainerId) -> Result<Recipe, Error> {
        let detail: std::sync::Arc<Detail> = self.whole(id).await?;
        let image = detail.raw.get("Image").and_then(Value::as_str).unwrap_or_default();
        let image = match self.0.wire.get::<Value>(&format!("/images/{image}/json")).await {
            Ok(found) => found.get("Config").map(|config| Spec::deserialize(config).unwrap_or_default()),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        Recipe::read(id, &detail.raw, image.as_ref(), &self.0.live.picture())
    }
}

//! A request, as a file for `docker compose`: one service, and the networks and volumes that are there already.
//! Source of the names: <https://docs.docker.com/reference/compose-file/services/>

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    flags::is_made_by_user,
    write::{device, gpus_plain, published, recursion, size, time},
};
use crate::engine::spec::{DeviceRate, Endpoint, Healthcheck, HostConfig, Mount, Spec};

/// A compose file, and what of the request it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposeFile {
    /// The file.
    pub text: String,
    /// Sentences on what it says otherwise, or not at all.
    pub unsaid: Vec<String>,
}

/// Keys and values in the order in which people write them; what says nothing is left out.
#[derive(Default)]
struct Map(Vec<(String, Part)>);

enum Part {
    Value(Value),
    Map(Map),
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(key, part)| (key, part)))
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(to),
            Self::Map(map) => map.serialize(to),
        }
    }
}

impl Map {
    /// Whatever it is.
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.push((key.to_owned(), Part::Value(dollars(value.into()))));
    }

    /// Unless it says nothing.
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        let is_nothing = match &value {
            Value::Null => true,
            Value::Bool(is) => !is,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(all) => all.is_empty(),
            Value::Object(map) => map.is_empty(),
        };
        if !is_nothing {
            self.set(key, value);
        }
    }

    fn map(&mut self, key: &str, map: Self) {
        if !map.0.is_empty() {
            self.0.push((key.to_owned(), Part::Map(map)));
        }
    }
}

/// A dollar is itself only when there are two: compose puts variables in its place.
fn dollars(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('$', "$$")),
        Value::Array(all) => all.into_iter().map(dollars).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, dollars(value))).collect(),
        value => value,
    }
}

fn object(map: &BTreeMap<String, String>) -> Value {
    map.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect()
}

impl ComposeFile {
    /// The file that makes this container. Values are as they are: no variable of compose is in it.
    pub fn of(spec: &Spec) -> Self {
        let name = spec.name.as_deref().unwrap_or("container");
        let mut unsaid = Vec::new();
        let mut service = Map::default();
        basics(&mut service, spec, &mut unsaid);
        places(&mut service, spec, &mut unsaid);
        networks(&mut service, spec, &mut unsaid);
        resources(&mut service, &spec.host_config, &mut unsaid);
        security(&mut service, &spec.host_config);
        let mut services = Map::default();
        services.map(&service_name(name), service);
        let mut file = Map::default();
        file.map("services", services);
        file.map(
            "networks",
            external(
                spec.networking_config
                    .endpoints_config
                    .keys()
                    .chain([&spec.host_config.network_mode])
                    .filter(|name| is_made_by_user(name)),
            ),
        );
        let binds = spec.host_config.binds.iter().filter_map(|bind| bind.split_once(':')).map(|(source, _)| source);
        let mounts =
            spec.host_config.mounts.iter().filter(|mount| mount.r#type == "volume").map(|it| it.source.as_str());
        let named = binds.chain(mounts).filter(|source| !source.is_empty() && !source.starts_with('/'));
        file.map("volumes", external(named.map(str::to_owned).collect::<Vec<_>>().iter()));
        let text = serde_saphyr::to_string(&file).unwrap_or_default();
        Self { text, unsaid }
    }
}

/// A service's name has small letters, digits, `.`, `_` and `-`.
fn service_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(plain).collect()
}

/// What is there already: compose neither makes nor removes it.
fn external<'a>(names: impl Iterator<Item = &'a String>) -> Map {
    let mut names: Vec<&String> = names.collect();
    names.sort();
    names.dedup();
    let mut map = Map::default();
    for name in names {
        map.set(name, json!({ "external": true }));
    }
    map
}

fn basics(service: &mut Map, spec: &Spec, unsaid: &mut Vec<String>) {
    let host = &spec.host_config;
    service.set("image", spec.image.clone());
    service.put("container_name", spec.name.clone());
    service.put("platform", spec.platform.clone());
    match spec.entrypoint.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {}
        [""] => service.set("entrypoint", Value::Array(Vec::new())),
        words => service.set("entrypoint", words.to_vec()),
    }
    service.put("command", spec.cmd.clone());
    service.put("hostname", spec.hostname.clone());
    service.put("domainname", spec.domainname.clone());
    service.put("user", spec.user.clone());
    service.put("group_add", host.group_add.clone());
    service.put("working_dir", spec.working_dir.clone());
    service.put("stdin_open", spec.open_stdin);
    service.put("tty", spec.tty);
    if let Some(init) = host.init {
        service.set("init", init);
    }
    let policy = &host.restart_policy;
    let tries = if policy.maximum_retry_count > 0 { format!(":{}", policy.maximum_retry_count) } else { String::new() };
    service.put("restart", format!("{}{tries}", policy.name));
    let (said, taken): (Vec<&String>, Vec<&String>) = spec.env.iter().partition(|variable| variable.contains('='));
    service.put("environment", said.into_iter().cloned().collect::<Vec<_>>());
    if !taken.is_empty() {
        unsaid.push("A compose file cannot take variables of the image away, only give them other values.".to_owned());
    }
    if host.auto_remove {
        unsaid.push("Compose removes a container with docker compose down, not when it ends (--rm).".to_owned());
    }
    service.put("labels", object(&spec.labels));
    service.put("annotations", object(&host.annotations));
    let ports = host.port_bindings.iter().flat_map(|(port, places)| places.iter().map(move |at| published(port, at)));
    service.put("ports", ports.collect::<Vec<_>>());
    let exposed = spec.exposed_ports.0.iter().filter(|port| !host.port_bindings.contains_key(*port));
    service.put("expose", exposed.cloned().collect::<Vec<_>>());
    if host.publish_all_ports {
        unsaid.push("A compose file names each port: it has nothing like --publish-all.".to_owned());
    }
    if let Some(check) = &spec.healthcheck {
        service.map("healthcheck", health(check));
    }
    service.put("stop_signal", spec.stop_signal.clone());
    match spec.stop_timeout {
        Some(seconds @ 0..) => service.set("stop_grace_period", format!("{seconds}s")),
        Some(_) => unsaid.push(
            "A compose file cannot say that stopping may take as long as it will (--stop-timeout -1).".to_owned(),
        ),
        None => {}
    }
    let mut logging = Map::default();
    logging.put("driver", host.log_config.r#type.clone());
    logging.put("options", object(&host.log_config.config));
    service.map("logging", logging);
}

fn health(check: &Healthcheck) -> Map {
    let mut map = Map::default();
    if check.test == ["NONE"] {
        map.set("disable", true);
        return map;
    }
    map.put("test", check.test.clone());
    map.put("interval", time(check.interval));
    map.put("timeout", time(check.timeout));
    map.put("retries", check.retries);
    map.put("start_period", time(check.start_period));
    map.put("start_interval", time(check.start_interval));
    map
}

fn places(service: &mut Map, spec: &Spec, unsaid: &mut Vec<String>) {
    let host = &spec.host_config;
    let short = host.binds.iter().chain(&spec.volumes.0).map(|place| Value::String(place.clone()));
    service.put("volumes", short.chain(host.mounts.iter().map(long)).collect::<Vec<_>>());
    if host.mounts.iter().any(|it| {
        it.volume_options.as_ref().is_some_and(|said| !said.driver_config.name.is_empty() || !said.labels.is_empty())
    }) {
        unsaid.push(
            "What a new volume would be made with stands at the volume in a compose file; this one is there."
                .to_owned(),
        );
    }
    if host.volumes_from.iter().any(|other| other.ends_with(":ro")) {
        // Seen of compose 2.40: the file may say it, and the request does not.
        unsaid.push("Compose takes the volumes of another container as they are there, read-only or not (--volumes-from NAME:ro).".to_owned());
    }
    service.put("volumes_from", host.volumes_from.iter().map(|other| format!("container:{other}")).collect::<Vec<_>>());
    let tmpfs = host
        .tmpfs
        .iter()
        .map(|(path, options)| if options.is_empty() { path.clone() } else { format!("{path}:{options}") });
    service.put("tmpfs", tmpfs.collect::<Vec<_>>());
    if !host.volume_driver.is_empty() {
        unsaid.push("A compose file says the driver at each volume, not for all of them (--volume-driver).".to_owned());
    }
}

fn long(mount: &Mount) -> Value {
    let mut map = serde_json::Map::new();
    let mut say = |key: &str, value: Value| {
        let is_nothing =
            matches!(&value, Value::Object(map) if map.is_empty()) || value == json!("") || value == json!(false);
        if !is_nothing {
            map.insert(key.to_owned(), value);
        }
    };
    let some = |pairs: Vec<(&str, Value)>| -> Value {
        let is_said = |value: &Value| !matches!(value, Value::Bool(false)) && *value != json!("") && *value != json!(0);
        pairs.into_iter().filter(|(_, value)| is_said(value)).map(|(key, value)| (key.to_owned(), value)).collect()
    };
    say("type", json!(mount.r#type));
    say("source", json!(mount.source));
    say("target", json!(mount.target));
    say("read_only", json!(mount.read_only));
    say("consistency", json!(mount.consistency));
    if let Some(options) = &mount.bind_options {
        say("bind", some(vec![("propagation", json!(options.propagation)), ("recursive", json!(recursion(options)))]));
    }
    if let Some(options) = &mount.volume_options {
        say("volume", some(vec![("nocopy", json!(options.no_copy)), ("subpath", json!(options.subpath))]));
    }
    if let Some(options) = &mount.tmpfs_options {
        say("tmpfs", some(vec![("size", json!(options.size_bytes)), ("mode", json!(options.mode))]));
    }
    if let Some(options) = &mount.image_options {
        say("image", some(vec![("subpath", json!(options.subpath))]));
    }
    Value::Object(map)
}

fn networks(service: &mut Map, spec: &Spec, unsaid: &mut Vec<String>) {
    let host = &spec.host_config;
    let endpoints = &spec.networking_config.endpoints_config;
    let mode = host.network_mode.as_str();
    let first = endpoints.get(mode);
    if is_made_by_user(mode) {
        let mut joined = Map::default();
        let names = endpoints.keys().map(String::as_str).filter(|name| *name != mode);
        for name in [mode].into_iter().chain(names) {
            let plain = Endpoint::default();
            let map = endpoint(endpoints.get(name).unwrap_or(&plain));
            joined.0.push((name.to_owned(), if map.0.is_empty() { Part::Value(json!({})) } else { Part::Map(map) }));
        }
        service.map("networks", joined);
    } else {
        // Without a word, compose makes a network of its own.
        service.set("network_mode", if matches!(mode, "" | "default") { "bridge" } else { mode });
        let mac = first.map(|at| at.mac_address.clone()).unwrap_or_default();
        if !mac.is_empty() {
            // Seen of compose 2.40, of engines that take the address for each network.
            unsaid.push(
                "Compose may pass a hardware address on only to networks that somebody made (--mac-address)."
                    .to_owned(),
            );
        }
        service.put("mac_address", mac);
    }
    let links = first.filter(|_| is_made_by_user(mode)).map_or(&host.links, |at| &at.links);
    service.put("external_links", links.clone());
    service.put("dns", host.dns.clone());
    service.put("dns_opt", host.dns_options.clone());
    service.put("dns_search", host.dns_search.clone());
    service.put("extra_hosts", host.extra_hosts.clone());
}

fn endpoint(at: &Endpoint) -> Map {
    let mut map = Map::default();
    map.put("aliases", at.aliases.clone());
    if let Some(addresses) = &at.ipam_config {
        map.put("ipv4_address", addresses.ipv4_address.clone());
        map.put("ipv6_address", addresses.ipv6_address.clone());
        map.put("link_local_ips", addresses.link_local_ips.clone());
    }
    map.put("mac_address", at.mac_address.clone());
    map.put("driver_opts", object(&at.driver_opts));
    map.put("gw_priority", at.gw_priority);
    map
}

fn resources(service: &mut Map, host: &HostConfig, unsaid: &mut Vec<String>) {
    let bytes = |value: i64| if value == 0 { String::new() } else { size(value) };
    service.put("mem_limit", bytes(host.memory));
    service.put("mem_reservation", bytes(host.memory_reservation));
    match host.memory_swap {
        -1 => service.set("memswap_limit", -1),
        value => service.put("memswap_limit", bytes(value)),
    }
    if let Some(percent) = host.memory_swappiness {
        service.set("mem_swappiness", percent);
        if percent == 0 {
            unsaid.push("Compose takes a swappiness of 0 for none that is said (--memory-swappiness 0).".to_owned());
        }
    }
    service.put("shm_size", bytes(host.shm_size));
    service.put("oom_kill_disable", host.oom_kill_disable);
    service.put("oom_score_adj", host.oom_score_adj);
    if host.nano_cpus != 0 {
        service.set("cpus", super::write::processors(host.nano_cpus));
    }
    service.put("cpu_shares", host.cpu_shares);
    service.put("cpu_period", host.cpu_period);
    service.put("cpu_quota", host.cpu_quota);
    service.put("cpu_rt_period", host.cpu_realtime_period);
    service.put("cpu_rt_runtime", host.cpu_realtime_runtime);
    service.put("cpuset", host.cpuset_cpus.clone());
    if !host.cpuset_mems.is_empty() {
        unsaid.push("A compose file says nothing of memory nodes (--cpuset-mems).".to_owned());
    }
    service.put("pids_limit", host.pids_limit);
    let ulimits = host.ulimits.iter().map(|it| (it.name.clone(), json!({ "soft": it.soft, "hard": it.hard })));
    service.put("ulimits", Value::Object(ulimits.collect()));
    let mut disk = Map::default();
    disk.put("weight", host.blkio_weight);
    let weights = host.blkio_weight_device.iter().map(|it| json!({ "path": it.path, "weight": it.weight }));
    disk.put("weight_device", weights.collect::<Vec<_>>());
    let rates =
        |all: &[DeviceRate]| all.iter().map(|it| json!({ "path": it.path, "rate": it.rate })).collect::<Vec<_>>();
    disk.put("device_read_bps", rates(&host.blkio_device_read_bps));
    disk.put("device_write_bps", rates(&host.blkio_device_write_bps));
    disk.put("device_read_iops", rates(&host.blkio_device_read_iops));
    disk.put("device_write_iops", rates(&host.blkio_device_write_iops));
    service.map("blkio_config", disk);
}

fn security(service: &mut Map, host: &HostConfig) {
    service.put("privileged", host.privileged);
    service.put("read_only", host.readonly_rootfs);
    service.put("cap_add", host.cap_add.clone());
    service.put("cap_drop", host.cap_drop.clone());
    let open = host.masked_paths.as_ref().is_some_and(Vec::is_empty).then(|| "systempaths=unconfined".to_owned());
    service.put("security_opt", host.security_opt.iter().cloned().chain(open).collect::<Vec<_>>());
    let by_name =
        host.device_requests.iter().filter(|request| request.driver == "cdi").flat_map(|it| it.device_ids.clone());
    service.put("devices", host.devices.iter().map(device).chain(by_name).collect::<Vec<_>>());
    let gpus: Vec<Value> =
        host.device_requests.iter().filter(|request| request.driver != "cdi").map(gpus_plain).collect();
    service.put("gpus", gpus);
    service.put("device_cgroup_rules", host.device_cgroup_rules.clone());
    service.put("pid", host.pid_mode.clone());
    service.put("ipc", host.ipc_mode.clone());
    service.put("uts", host.uts_mode.clone());
    service.put("userns_mode", host.userns_mode.clone());
    service.put("cgroup", host.cgroupns_mode.clone());
    service.put("cgroup_parent", host.cgroup_parent.clone());
    service.put("sysctls", object(&host.sysctls));
    service.put("storage_opt", object(&host.storage_opt));
    service.put("runtime", host.runtime.clone());
    service.put("isolation", host.isolation.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::RunLine;

    fn file(line: &str) -> ComposeFile {
        let (_, _, spec) = RunLine::check(line).expect("a line");
        ComposeFile::of(&spec)
    }

    #[test]
    fn a_line_as_a_file() {
        let made = file(
            "docker run --name Web -p 127.0.0.1:8080:80/udp -v data:/d -v /etc:/e:ro -e 'A=$x\"yes' -e B=no --restart on-failure:3 \
             --network shop --network-alias q -m 64m --health-cmd 'true && x' nginx:1 -g 'daemon off;'",
        );
        assert_eq!(
            made.text,
            "services:\n  web:\n    image: nginx:1\n    container_name: Web\n    command:\n    - -g\n    - daemon off;\n    restart: on-failure:3\n    environment:\n    - A=$$x\"yes\n    - B=no\n    ports:\n    - 127.0.0.1:8080:80/udp\n    healthcheck:\n      test:\n      - CMD-SHELL\n      - true && x\n    volumes:\n    - data:/d\n    - /etc:/e:ro\n    networks:\n      shop:\n        aliases:\n        - q\n    mem_limit: 64m\nnetworks:\n  shop:\n    external: true\nvolumes:\n  data:\n    external: true\n"
        );
        assert_eq!(made.unsaid, [""; 0]);
    }

    #[test]
    fn what_a_file_cannot_say_is_told() {
        let made = file("docker run --rm -P -e A --cpuset-mems 0 busybox");
        assert_eq!(made.unsaid.len(), 4, "{:?}", made.unsaid);
    }
}

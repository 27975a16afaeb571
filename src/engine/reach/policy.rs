//! What a container may be made from by who has no power over the host (S036).
//!
//! An allow-list: the request is copied field by field, what is harmless only, and compared with what was asked. So a
//! field that somebody adds to [`Spec`] is forbidden until it is named here.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::engine::{
    Error, VolumeName,
    spec::{Endpoint, HostConfig, Keys, LogConfig, Mount, NetworkingConfig, Spec, VolumeOptions},
};

/// Which flag of `docker run` writes which field of the request.
const FLAGS: [(&str, &str); 42] = [
    ("Annotations", "--annotation"),
    ("Binds", "-v"),
    ("BlkioDeviceReadBps", "--device-read-bps"),
    ("BlkioDeviceReadIOps", "--device-read-iops"),
    ("BlkioDeviceWriteBps", "--device-write-bps"),
    ("BlkioDeviceWriteIOps", "--device-write-iops"),
    ("BlkioWeight", "--blkio-weight"),
    ("BlkioWeightDevice", "--blkio-weight-device"),
    ("CapAdd", "--cap-add"),
    ("CgroupParent", "--cgroup-parent"),
    ("CgroupnsMode", "--cgroupns"),
    ("CpuRealtimePeriod", "--cpu-rt-period"),
    ("CpuRealtimeRuntime", "--cpu-rt-runtime"),
    ("DeviceCgroupRules", "--device-cgroup-rule"),
    ("DeviceRequests", "--gpus"),
    ("Devices", "--device"),
    ("GroupAdd", "--group-add"),
    ("IpcMode", "--ipc"),
    ("Isolation", "--isolation"),
    ("Links", "--link"),
    ("LogConfig", "--log-driver, --log-opt"),
    ("MaskedPaths", "--security-opt systempaths=unconfined"),
    ("Mounts", "--mount"),
    ("NetworkMode", "--network"),
    ("NetworkingConfig", "--network"),
    ("OomKillDisable", "--oom-kill-disable"),
    ("OomScoreAdj", "--oom-score-adj"),
    ("PidMode", "--pid"),
    ("Privileged", "--privileged"),
    ("ReadonlyPaths", "--security-opt systempaths=unconfined"),
    ("Runtime", "--runtime"),
    ("SecurityOpt", "--security-opt"),
    ("StorageOpt", "--storage-opt"),
    ("Sysctls", "--sysctl"),
    ("Tmpfs", "--tmpfs"),
    ("UTSMode", "--uts"),
    ("Ulimits", "--ulimit"),
    ("UsernsMode", "--userns"),
    ("VolumeDriver", "--volume-driver"),
    ("Volumes", "-v"),
    ("VolumesFrom", "--volumes-from"),
    ("Image", "the image"),
];
/// Fields whose values are named in a refusal: short, and no secrets.
const NAMED: [&str; 12] = [
    "Binds",
    "CapAdd",
    "CgroupParent",
    "CgroupnsMode",
    "IpcMode",
    "NetworkMode",
    "PidMode",
    "Runtime",
    "SecurityOpt",
    "UTSMode",
    "UsernsMode",
    "VolumesFrom",
];

/// Refuses what is not on the list, and names it in the words of `docker run`.
pub(super) fn check(spec: &Spec) -> Result<(), Error> {
    let allowed = allowed(spec);
    if allowed == *spec {
        return Ok(());
    }
    let flags = differences(spec, &allowed).into_iter().collect::<Vec<_>>().join(", ");
    Err(Error::Forbidden(format!(
        "It does not let you make a container with {flags}: who is inside could get power over the host, or into what is not yours."
    )))
}

/// What of a request anybody may ask for who may make containers. Each field is named: what is not named is not there.
fn allowed(spec: &Spec) -> Spec {
    let host = &spec.host_config;
    Spec {
        name: spec.name.clone(),
        platform: spec.platform.clone(),
        hostname: spec.hostname.clone(),
        domainname: spec.domainname.clone(),
        user: spec.user.clone(),
        exposed_ports: spec.exposed_ports.clone(),
        tty: spec.tty,
        open_stdin: spec.open_stdin,
        env: spec.env.clone(),
        cmd: spec.cmd.clone(),
        healthcheck: spec.healthcheck.clone(),
        image: spec.image.clone(),
        volumes: Keys(spec.volumes.0.iter().filter(|path| is_target(path)).cloned().collect()),
        working_dir: spec.working_dir.clone(),
        entrypoint: spec.entrypoint.clone(),
        labels: spec.labels.clone(),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: spec.stop_timeout,
        host_config: HostConfig {
            binds: only(&host.binds, is_volume),
            log_config: log(&host.log_config),
            network_mode: one(&host.network_mode, is_network),
            port_bindings: host.port_bindings.clone(),
            restart_policy: host.restart_policy.clone(),
            auto_remove: host.auto_remove,
            cap_drop: host.cap_drop.clone(),
            cgroupns_mode: one(&host.cgroupns_mode, |mode| mode == "private"),
            dns: host.dns.clone(),
            dns_options: host.dns_options.clone(),
            dns_search: host.dns_search.clone(),
            extra_hosts: host.extra_hosts.clone(),
            ipc_mode: one(&host.ipc_mode, |mode| matches!(mode, "none" | "private" | "shareable")),
            publish_all_ports: host.publish_all_ports,
            readonly_rootfs: host.readonly_rootfs,
            tmpfs: host.tmpfs.iter().filter(|(path, _)| is_target(path)).map(|(a, b)| (a.clone(), b.clone())).collect(),
            shm_size: host.shm_size,
            cpu_shares: host.cpu_shares,
            memory: host.memory,
            nano_cpus: host.nano_cpus,
            cpu_period: host.cpu_period,
            cpu_quota: host.cpu_quota,
            cpuset_cpus: host.cpuset_cpus.clone(),
            cpuset_mems: host.cpuset_mems.clone(),
            memory_reservation: host.memory_reservation,
            memory_swap: host.memory_swap,
            memory_swappiness: host.memory_swappiness,
            init: host.init,
            pids_limit: host.pids_limit,
            mounts: host.mounts.iter().filter_map(mount).collect(),
            ..HostConfig::default()
        },
        networking_config: networks(&spec.networking_config),
    }
}

fn only(list: &[String], is_harmless: impl Fn(&str) -> bool) -> Vec<String> {
    list.iter().filter(|text| is_harmless(text)).cloned().collect()
}

fn one(text: &str, is_harmless: impl Fn(&str) -> bool) -> String {
    if is_harmless(text) { text.to_owned() } else { String::new() }
}

/// A path inside the container.
fn is_target(path: &str) -> bool {
    path.starts_with('/')
}

/// `volume:/path` or `volume:/path:ro`; anything else before the first colon is a path of the host.
fn is_volume(bind: &str) -> bool {
    let mut parts = bind.splitn(3, ':');
    let is_named = parts.next().is_some_and(|source| source.parse::<VolumeName>().is_ok());
    let has_target = parts.next().is_some_and(is_target);
    is_named
        && has_target
        && parts.next().is_none_or(|options| options.split(',').all(|o| matches!(o, "ro" | "rw" | "nocopy")))
}

/// A network by its name. Others' and the host's have a colon or a word of their own; podman's `ns:/path` a slash.
/// Source: podman-run(1), `--network`, for those that reach the host's own network.
fn is_network(name: &str) -> bool {
    !matches!(name, "host" | "pasta" | "slirp4netns") && !name.contains([':', '/'])
}

/// The engine's own drivers without options: those of others send what is logged to wherever they are told.
fn log(log: &LogConfig) -> LogConfig {
    LogConfig {
        r#type: one(&log.r#type, |kind| matches!(kind, "none" | "local" | "json-file")),
        ..LogConfig::default()
    }
}

fn mount(mount: &Mount) -> Option<Mount> {
    let harmless = Mount {
        r#type: mount.r#type.clone(),
        source: mount.source.clone(),
        target: mount.target.clone(),
        read_only: mount.read_only,
        consistency: mount.consistency.clone(),
        ..Mount::default()
    };
    // Exactly these words: what the engine would read in other ways is not for us to guess (S038).
    match mount.r#type.as_str() {
        "volume" if mount.source.is_empty() || mount.source.parse::<VolumeName>().is_ok() => {
            let of_volume = |options: &VolumeOptions| VolumeOptions {
                no_copy: options.no_copy,
                subpath: options.subpath.clone(),
                ..VolumeOptions::default()
            };
            Some(Mount { volume_options: mount.volume_options.as_ref().map(of_volume), ..harmless })
        }
        "tmpfs" => Some(Mount { tmpfs_options: mount.tmpfs_options.clone(), source: String::new(), ..harmless }),
        "image" => Some(Mount { image_options: mount.image_options.clone(), ..harmless }),
        _ => None,
    }
}

/// Networks, with names and addresses on them; no links, which hand out the variables of others, and no options of
/// drivers, which set kernel settings. Source: moby, `com.docker.network.endpoint.sysctls`.
fn networks(all: &NetworkingConfig) -> NetworkingConfig {
    let endpoint = |endpoint: &Endpoint| Endpoint {
        ipam_config: endpoint.ipam_config.clone(),
        aliases: endpoint.aliases.clone(),
        mac_address: endpoint.mac_address.clone(),
        gw_priority: endpoint.gw_priority,
        ..Endpoint::default()
    };
    let named = all.endpoints_config.iter().filter(|(name, _)| is_network(name));
    NetworkingConfig { endpoints_config: named.map(|(name, found)| (name.clone(), endpoint(found))).collect() }
}

/// The flags by which two requests differ.
fn differences(asked: &Spec, allowed: &Spec) -> BTreeSet<String> {
    let value = |spec: &Spec| serde_json::to_value(spec).unwrap_or_default();
    let (asked, allowed) = (value(asked), value(allowed));
    let mut flags = BTreeSet::new();
    for (of, key) in [(&asked, None), (&asked, Some("HostConfig"))] {
        let part =
            |value: &Value| key.map_or_else(|| Some(value.clone()), |key| value.get(key).cloned()).unwrap_or_default();
        let (here, there) = (part(of), part(&allowed));
        for (field, value) in here.as_object().into_iter().flatten().filter(|(field, _)| *field != "HostConfig") {
            let left = there.get(field);
            if left != Some(value) {
                flags.insert(flag(field, value, left));
            }
        }
    }
    flags
}

fn flag(field: &str, asked: &Value, allowed: Option<&Value>) -> String {
    let flag = FLAGS.iter().find(|(name, _)| *name == field).map_or(field, |(_, flag)| *flag);
    let is_left = |value: &Value| allowed.and_then(Value::as_array).is_some_and(|left| left.contains(value));
    let values: Vec<&str> = match asked {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter(|value| !is_left(value)).filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if values.is_empty() || !NAMED.contains(&field) {
        return flag.to_owned();
    }
    let named = values.iter().map(|value| format!("{flag} {}", value.chars().take(80).collect::<String>()));
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is wrong with a request that is otherwise harmless.
    fn refused(part: &Value) -> Option<String> {
        let mut request = json!({"Image": "busybox", "HostConfig": {"Memory": 1}});
        for (key, value) in part.as_object().unwrap() {
            match key.as_str() {
                "Image" | "Volumes" | "NetworkingConfig" | "Labels" | "Env" | "Healthcheck" => {
                    request[key] = value.clone();
                }
                _ => request["HostConfig"][key] = value.clone(),
            }
        }
        let spec: Spec = serde_json::from_value(request).unwrap();
        check(&spec).err().map(|error| error.to_string())
    }

    #[test]
    fn s036_every_field_that_gives_power_over_the_host_is_refused() {
        let mount = |mount: Value| json!({ "Mounts": [mount] });
        for (part, flag) in [
            (json!({"Privileged": true}), "--privileged"),
            (json!({"CapAdd": ["SYS_MODULE"]}), "--cap-add SYS_MODULE"),
            (json!({"Devices": [{"PathOnHost": "/dev/sda"}]}), "--device"),
            (json!({"DeviceRequests": [{"Driver": "nvidia"}]}), "--gpus"),
            (json!({"DeviceCgroupRules": ["c 1:1 rwm"]}), "--device-cgroup-rule"),
            (json!({"PidMode": "host"}), "--pid host"),
            (json!({"PidMode": "container:x"}), "--pid container:x"),
            (json!({"IpcMode": "host"}), "--ipc host"),
            (json!({"IpcMode": "container:x"}), "--ipc container:x"),
            (json!({"UTSMode": "host"}), "--uts host"),
            (json!({"UsernsMode": "host"}), "--userns host"),
            (json!({"CgroupnsMode": "host"}), "--cgroupns host"),
            (json!({"NetworkMode": "host"}), "--network host"),
            (json!({"NetworkMode": "container:x"}), "--network container:x"),
            (json!({"NetworkMode": "ns:/proc/1/ns/net"}), "--network ns:"),
            (json!({"NetworkingConfig": {"EndpointsConfig": {"host": {}}}}), "--network"),
            (json!({"NetworkingConfig": {"EndpointsConfig": {"a": {"DriverOpts": {"x": "y"}}}}}), "--network"),
            (json!({"NetworkingConfig": {"EndpointsConfig": {"a": {"Links": ["x:y"]}}}}), "--network"),
            (json!({"SecurityOpt": ["apparmor=unconfined"]}), "--security-opt apparmor=unconfined"),
            (json!({"Sysctls": {"kernel.x": "1"}}), "--sysctl"),
            (json!({"Binds": ["data:/d", "/:/h"]}), "-v /:/h"),
            (json!({"Binds": ["../x:/h"]}), "-v ../x:/h"),
            (json!({"Binds": ["/h"]}), "-v /h"),
            (json!({"Binds": ["data:/d:shared"]}), "-v data:/d:shared"),
            (mount(json!({"Type": "bind", "Source": "/", "Target": "/h"})), "--mount"),
            (mount(json!({"Type": "Bind", "Source": "/", "Target": "/h"})), "--mount"),
            (mount(json!({"Source": "/", "Target": "/h"})), "--mount"),
            (mount(json!({"Type": "npipe", "Source": "x", "Target": "/h"})), "--mount"),
            (mount(json!({"Type": "volume", "Source": "/", "Target": "/h"})), "--mount"),
            (mount(json!({"Type": "volume", "Target": "/h", "BindOptions": {"Propagation": "shared"}})), "--mount"),
            (
                mount(
                    json!({"Type": "volume", "Target": "/h", "VolumeOptions": {"DriverConfig": {"Options": {"device": "/"}}}}),
                ),
                "--mount",
            ),
            (
                mount(json!({"Type": "volume", "Target": "/h", "VolumeOptions": {"DriverConfig": {"Name": "x"}}})),
                "--mount",
            ),
            (mount(json!({"Type": "volume", "Target": "/h", "VolumeOptions": {"Labels": {"team": "red"}}})), "--mount"),
            (json!({"VolumesFrom": ["db"]}), "--volumes-from db"),
            (json!({"VolumeDriver": "local"}), "--volume-driver"),
            (json!({"Runtime": "runc"}), "--runtime runc"),
            (json!({"CgroupParent": "/x"}), "--cgroup-parent /x"),
            (json!({"MaskedPaths": []}), "systempaths=unconfined"),
            (json!({"ReadonlyPaths": []}), "systempaths=unconfined"),
            (json!({"GroupAdd": ["docker"]}), "--group-add"),
            (json!({"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 1}]}), "--ulimit"),
            (json!({"OomScoreAdj": -1000}), "--oom-score-adj"),
            (json!({"OomKillDisable": true}), "--oom-kill-disable"),
            (json!({"StorageOpt": {"size": "1G"}}), "--storage-opt"),
            (json!({"Annotations": {"a": "b"}}), "--annotation"),
            (json!({"Links": ["db:db"]}), "--link"),
            (json!({"LogConfig": {"Type": "syslog"}}), "--log-driver"),
            (json!({"LogConfig": {"Type": "json-file", "Config": {"env": "x"}}}), "--log-opt"),
            (json!({"Isolation": "process"}), "--isolation"),
            (json!({"BlkioWeight": 10}), "--blkio-weight"),
            (json!({"CpuRealtimeRuntime": 10}), "--cpu-rt-runtime"),
        ] {
            let why = refused(&part).unwrap_or_else(|| panic!("{part} is let through"));
            assert!(why.contains(flag), "{part}: {why}");
        }
    }

    #[test]
    fn what_is_harmless_is_let_through() {
        for part in [
            json!({"Binds": ["data:/d", "data:/e:ro"], "Memory": 5, "PidsLimit": 5, "NanoCpus": 5, "Init": true}),
            json!({"NetworkMode": "shop", "PortBindings": {"80/tcp": [{"HostPort": "80"}]}, "PublishAllPorts": true}),
            json!({"NetworkMode": "none", "LogConfig": {"Type": "none"}, "CapDrop": ["ALL"], "ReadonlyRootfs": true}),
            json!({"IpcMode": "private", "CgroupnsMode": "private", "Tmpfs": {"/t": "size=1m"}, "ShmSize": 5}),
            json!({"Mounts": [{"Type": "volume", "Source": "data", "Target": "/d", "VolumeOptions": {"NoCopy": true}}]}),
            json!({"Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 5}}], "AutoRemove": true}),
            json!({"RestartPolicy": {"Name": "always"}, "Dns": ["9.9.9.9"], "ExtraHosts": ["a:1.1.1.1"]}),
            json!({"Env": ["A=b"], "Labels": {"a": "b"}, "Volumes": {"/d": {}}, "Healthcheck": {"Test": ["NONE"]}}),
            json!({"NetworkingConfig": {"EndpointsConfig": {"shop": {"Aliases": ["web"], "IPAMConfig": {"IPv4Address": "1.1.1.1"}}}}}),
        ] {
            assert_eq!(refused(&part), None, "{part}");
        }
    }

    #[test]
    fn s038_keys_in_other_cases_and_the_last_of_two_say_nothing() {
        let spec: Spec =
            serde_json::from_str(r#"{"Image":"x","hostconfig":{"privileged":true},"HostConfig":{"privileged":true}}"#)
                .unwrap();
        assert_eq!(check(&spec).map(|()| serde_json::to_string(&spec).unwrap()).unwrap(), r#"{"Image":"x"}"#);
        assert!(serde_json::from_str::<Spec>(r#"{"HostConfig":{},"HostConfig":{"Privileged":true}}"#).is_err());
    }
}

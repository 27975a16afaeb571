//! The engine's own JSON, without what may be a secret.
//!
//! For who only looks, what is shown is what stands on the lists below; a field that they do not name, because a newer
//! engine has it, is not shown. Paths have slashes; `*` is any key or place, `**` all that lies below.
//! Source: <https://docs.docker.com/reference/api/engine/version/v1.51/>, `ContainerInspect` and `VolumeInspect`.

use serde_json::Value;

use super::{HIDDEN, Reach, Secrets, options};
use crate::engine::Picture;

/// What is known to be harmless of a container.
pub(super) const CONTAINER: &str = "
    Id Created Name Image Driver Platform RestartCount ResolvConfPath HostnamePath HostsPath LogPath MountLabel ProcessLabel
    AppArmorProfile SizeRw SizeRootFs ExecIDs/* ImageManifestDescriptor/mediaType ImageManifestDescriptor/digest
    ImageManifestDescriptor/size ImageManifestDescriptor/platform/*
    State/Status State/Running State/Paused State/Restarting State/OOMKilled State/Dead State/Pid State/ExitCode
    State/StartedAt State/FinishedAt State/Health/Status State/Health/FailingStreak State/Health/Log/*/Start
    State/Health/Log/*/End State/Health/Log/*/ExitCode
    HostConfig/Binds/* HostConfig/ContainerIDFile HostConfig/LogConfig/Type HostConfig/NetworkMode
    HostConfig/PortBindings/*/*/* HostConfig/RestartPolicy/* HostConfig/AutoRemove HostConfig/VolumeDriver
    HostConfig/VolumesFrom/* HostConfig/ConsoleSize/* HostConfig/CapAdd/* HostConfig/CapDrop/* HostConfig/CgroupnsMode
    HostConfig/Dns/* HostConfig/DnsOptions/* HostConfig/DnsSearch/* HostConfig/ExtraHosts/* HostConfig/GroupAdd/*
    HostConfig/IpcMode HostConfig/Cgroup HostConfig/Links/* HostConfig/OomScoreAdj HostConfig/PidMode
    HostConfig/Privileged HostConfig/PublishAllPorts HostConfig/ReadonlyRootfs HostConfig/UTSMode HostConfig/UsernsMode
    HostConfig/ShmSize HostConfig/Runtime HostConfig/Isolation HostConfig/CpuShares HostConfig/Memory HostConfig/NanoCpus
    HostConfig/CgroupParent HostConfig/BlkioWeight HostConfig/CpuPeriod HostConfig/CpuQuota HostConfig/CpuRealtimePeriod
    HostConfig/CpuRealtimeRuntime HostConfig/CpusetCpus HostConfig/CpusetMems HostConfig/Devices/*/*
    HostConfig/MemoryReservation HostConfig/MemorySwap HostConfig/MemorySwappiness HostConfig/OomKillDisable
    HostConfig/PidsLimit HostConfig/Ulimits/*/* HostConfig/CpuCount HostConfig/CpuPercent HostConfig/IOMaximumIOps
    HostConfig/IOMaximumBandwidth HostConfig/MaskedPaths/* HostConfig/ReadonlyPaths/* HostConfig/Init HostConfig/Tmpfs/*
    HostConfig/Mounts/*/Type HostConfig/Mounts/*/Source HostConfig/Mounts/*/Target HostConfig/Mounts/*/ReadOnly
    GraphDriver/Name Mounts/*/Type Mounts/*/Name Mounts/*/Source Mounts/*/Destination Mounts/*/Driver Mounts/*/Mode
    Mounts/*/RW Mounts/*/Propagation
    Config/Hostname Config/Domainname Config/User Config/AttachStdin Config/AttachStdout Config/AttachStderr Config/Tty
    Config/OpenStdin Config/StdinOnce Config/Image Config/WorkingDir Config/NetworkDisabled Config/MacAddress
    Config/StopSignal Config/StopTimeout Config/Healthcheck/Interval Config/Healthcheck/Timeout
    Config/Healthcheck/StartPeriod Config/Healthcheck/StartInterval Config/Healthcheck/Retries
    Config/ExposedPorts/** Config/Volumes/**
    NetworkSettings/Bridge NetworkSettings/SandboxID NetworkSettings/SandboxKey NetworkSettings/HairpinMode
    NetworkSettings/EndpointID NetworkSettings/Gateway NetworkSettings/IPAddress NetworkSettings/IPPrefixLen
    NetworkSettings/IPv6Gateway NetworkSettings/GlobalIPv6Address NetworkSettings/GlobalIPv6PrefixLen
    NetworkSettings/MacAddress NetworkSettings/Ports/*/*/* NetworkSettings/Networks/*/IPAMConfig/**
    NetworkSettings/Networks/*/Links/* NetworkSettings/Networks/*/Aliases/* NetworkSettings/Networks/*/DNSNames/*
    NetworkSettings/Networks/*/MacAddress NetworkSettings/Networks/*/GwPriority NetworkSettings/Networks/*/NetworkID
    NetworkSettings/Networks/*/EndpointID NetworkSettings/Networks/*/Gateway NetworkSettings/Networks/*/IPAddress
    NetworkSettings/Networks/*/IPPrefixLen NetworkSettings/Networks/*/IPv6Gateway
    NetworkSettings/Networks/*/GlobalIPv6Address NetworkSettings/Networks/*/GlobalIPv6PrefixLen
";
/// What is known to be harmless of an image. Who wrote it and how it was made may hold secrets.
pub(super) const IMAGE: &str = "
    Id RepoTags/* RepoDigests/* Parent Created DockerVersion Architecture Variant Os OsVersion Size VirtualSize Digest
    NamesHistory/* User ManifestType GraphDriver/Name RootFS/Type RootFS/Layers/* Metadata/LastTagTime
    Descriptor/mediaType Descriptor/digest Descriptor/size
    Config/User Config/WorkingDir Config/StopSignal Config/ExposedPorts/** Config/Volumes/** Config/Image
    Config/Hostname Config/Domainname Config/AttachStdin Config/AttachStdout Config/AttachStderr Config/Tty
    Config/OpenStdin Config/StdinOnce Config/ArgsEscaped
    Config/Healthcheck/Interval Config/Healthcheck/Timeout Config/Healthcheck/StartPeriod
    Config/Healthcheck/StartInterval Config/Healthcheck/Retries
";
/// What is known to be harmless of a volume.
pub(super) const VOLUME: &str = "Name Driver Mountpoint CreatedAt Scope UsageData/*";

/// What is known to be harmless of a network.
pub(super) const NETWORK: &str = "
    Name Id Created Scope Driver EnableIPv4 EnableIPv6 Internal Attachable Ingress ConfigOnly ConfigFrom/* IPAM/Driver
    IPAM/Config/*/* Containers/*/*
";

/// A container's JSON, as far as this reach goes.
pub(super) fn container(reach: &Reach, raw: Value) -> Value {
    let masked = |path: &[&str], value: &Value| match (path, value) {
        (["Config", "Env", _], Value::String(pair)) => {
            Some(pair.split_once('=').map_or_else(|| pair.clone(), |(name, _)| format!("{name}={HIDDEN}")))
        }
        (["HostConfig", "LogConfig", "Config", _], _) => Some(HIDDEN.to_owned()),
        (["HostConfig", "Mounts", _, "VolumeOptions", "DriverConfig", "Options", key], value) => {
            Some(option(key, value))
        }
        _ => None,
    };
    let labels = |path: &[&str]| match path {
        ["Config", "Labels", key] => Some((*key).to_owned()),
        _ => None,
    };
    told(reach, raw, CONTAINER, &masked, &labels)
}

/// An image's JSON, as far as this reach goes.
pub(in crate::engine) fn image(reach: &Reach, raw: Value) -> Value {
    let masked = |path: &[&str], value: &Value| match (path, value) {
        (["Config" | "ContainerConfig", "Env", _], Value::String(pair)) => {
            Some(pair.split_once('=').map_or_else(|| pair.clone(), |(name, _)| format!("{name}={HIDDEN}")))
        }
        _ => None,
    };
    let labels = |path: &[&str]| match path {
        ["Config" | "ContainerConfig", "Labels", key] | ["Labels", key] => Some((*key).to_owned()),
        _ => None,
    };
    told(reach, raw, IMAGE, &masked, &labels)
}

/// A volume's JSON, as far as this reach goes.
pub(in crate::engine) fn volume(reach: &Reach, raw: Value) -> Value {
    let masked = |path: &[&str], value: &Value| match path {
        ["Options", key] => Some(option(key, value)),
        _ => None,
    };
    let labels = |path: &[&str]| match path {
        ["Labels", key] => Some((*key).to_owned()),
        _ => None,
    };
    told(reach, raw, VOLUME, &masked, &labels)
}

/// A network's JSON, as far as this reach goes; of its members those that `picture` has.
pub(in crate::engine) fn network(reach: &Reach, mut raw: Value, picture: &Picture) -> Value {
    if reach.is_scoped()
        && let Some(raw) = raw.as_object_mut()
    {
        let is_seen = |id: &String| id.parse().is_ok_and(|id| picture.containers.contains_key(&id));
        if let Some(members) = raw.get_mut("Containers").and_then(Value::as_object_mut) {
            members.retain(|id, _| is_seen(id));
        }
        raw.retain(|key, _| !matches!(key.as_str(), "Peers" | "Services" | "Status"));
    }
    let masked = |path: &[&str], value: &Value| match path {
        ["Options", key] => Some(options::of_network(key, value.as_str().unwrap_or(HIDDEN))),
        _ => None,
    };
    let labels = |path: &[&str]| match path {
        ["Labels", key] => Some((*key).to_owned()),
        _ => None,
    };
    told(reach, raw, NETWORK, &masked, &labels)
}

fn option(key: &str, value: &Value) -> String {
    options::option(key, value.as_str().unwrap_or(HIDDEN))
}

type Mask<'a> = dyn Fn(&[&str], &Value) -> Option<String> + 'a;
type Label<'a> = dyn Fn(&[&str]) -> Option<String> + 'a;

fn told(reach: &Reach, raw: Value, harmless: &str, masked: &Mask<'_>, label: &Label<'_>) -> Value {
    if reach.secrets == Secrets::Shown {
        return raw;
    }
    let harmless = paths(harmless);
    let leaf = |path: &[&str], value: &Value| {
        if let Some(text) = masked(path, value) {
            return Value::String(text);
        }
        if !reach.hides() {
            return value.clone();
        }
        match (label(path), value) {
            (Some(key), Value::String(value)) => Value::String(reach.label(&key, value)),
            _ if harmless.iter().any(|allowed| fits(allowed, path)) => value.clone(),
            _ => Value::String(HIDDEN.to_owned()),
        }
    };
    walk(&mut Vec::new(), &raw, &leaf)
}

fn paths(list: &str) -> Vec<Vec<&str>> {
    list.split_whitespace().map(|path| path.split('/').collect()).collect()
}

/// Whether a path is on a list.
#[cfg(any(test, fuzzing))]
pub(super) fn is_among(list: &str, path: &[&str]) -> bool {
    paths(list).iter().any(|allowed| fits(allowed, path))
}

/// Whether a path is one that this pattern allows.
fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        (["**"], _) | ([], []) => true,
        ([wanted, pattern @ ..], [key, path @ ..]) => (*wanted == "*" || wanted == key) && fits(pattern, path),
        _ => false,
    }
}

/// The same tree with each value that is told replaced by what `leaf` makes of it. What is empty tells nothing.
fn walk<'a>(path: &mut Vec<&'a str>, value: &'a Value, leaf: &dyn Fn(&[&str], &Value) -> Value) -> Value {
    let mut below = |key: &'a str, value: &'a Value| {
        path.push(key);
        let told = walk(path, value, leaf);
        path.pop();
        told
    };
    match value {
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), below(key, value))).collect()),
        Value::Array(list) => Value::Array(list.iter().map(|value| below("*", value)).collect()),
        Value::Null => Value::Null,
        Value::String(text) if text.is_empty() => value.clone(),
        _ => leaf(path, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inspect() -> Value {
        json!({
            "Id": "0a", "Path": "sh", "Args": ["-c", "hunter2"], "New": {"hunter": "hunter2", "n": 5}, "Name": "/web",
            "State": {"Status": "exited", "ExitCode": 3, "Error": "exec: hunter2", "Health": {"Log": [{"Output": "hunter2", "ExitCode": 0}]}},
            "Config": {"Env": ["SECRET=hunter2", "EMPTY"], "Cmd": ["hunter2"], "Labels": {"token": "hunter2", "team": "red"},
                       "Healthcheck": {"Test": ["CMD", "hunter2"], "Interval": 5}, "ExposedPorts": {"80/tcp": {}}},
            "HostConfig": {"Privileged": true, "LogConfig": {"Type": "syslog", "Config": {"tag": "hunter2"}}, "Dns": null,
                           "Annotations": {"a": "hunter2"},
                           "Mounts": [{"Type": "volume", "VolumeOptions": {"DriverConfig": {"Options": {"o": "password=hunter2"}}}}]},
        })
    }

    #[test]
    fn s044_what_is_not_known_to_be_harmless_is_hidden() {
        let reach = Reach::viewer(vec!["label:team=red".parse().unwrap()]);
        let told = container(&reach, inspect());
        assert!(!told.to_string().contains("hunter2"), "{told}");
        assert_eq!(told["Config"]["Env"], json!(["SECRET=‹hidden›", "EMPTY"]));
        assert_eq!(told["Config"]["Labels"], json!({"token": HIDDEN, "team": "red"}));
        assert_eq!(told["New"], json!({"hunter": HIDDEN, "n": HIDDEN}));
        assert_eq!(told["State"]["ExitCode"], 3);
        assert_eq!(told["HostConfig"]["Privileged"], true);
        assert_eq!(told["Config"]["ExposedPorts"], json!({"80/tcp": {}}));
        let told = volume(
            &reach,
            json!({"Name": "v", "Options": {"o": "password=hunter2"}, "Status": {"key": "hunter2"}, "Labels": {"x": "hunter2"}}),
        );
        assert!(!told.to_string().contains("hunter2") && told["Name"] == "v", "{told}");
    }

    #[test]
    fn s044_what_holds_secrets_as_a_rule_is_masked() {
        let told = container(&Reach::admin(), inspect());
        assert_eq!(told["Config"]["Env"][0], "SECRET=‹hidden›");
        assert_eq!(told["HostConfig"]["LogConfig"]["Config"]["tag"], HIDDEN);
        assert_eq!(
            told["HostConfig"]["Mounts"][0]["VolumeOptions"]["DriverConfig"]["Options"]["o"],
            "password=‹hidden›"
        );
        assert_eq!(told["Args"], json!(["-c", "hunter2"]));
        assert_eq!(container(&Reach::everything(), inspect()), inspect());
    }
}

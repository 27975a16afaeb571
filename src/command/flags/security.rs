//! Who the program is, what it may do, and what of the host it gets to see.

use std::collections::BTreeSet;

use super::values::{Parsed, fields, setting, shown, switch};
use super::{Applied, Flag, add, insert, push, put, text};
use crate::engine::spec::{Device, DeviceRequest, Spec};

pub(super) const FLAGS: &[Flag] = &[
    Flag::value("user", "User", "1000:1000", |spec, value| text(&mut spec.user, value))
        .short('u')
        .help("The user, and after a colon the group, that the program runs as, by name or number."),
    Flag::list("group-add", "More groups", "video", |spec, value| add(&mut spec.host_config.group_add, value))
        .help("Groups of the program beside its own, by name or number."),
    Flag::switch("read-only", "Read-only", |spec, value| put(&mut spec.host_config.readonly_rootfs, switch(value)))
        .help("The program can write only to volumes and to file systems in memory."),
    Flag::switch("privileged", "Privileged", |spec, value| put(&mut spec.host_config.privileged, switch(value)))
        .danger("A privileged container has every right on the host, as if it ran there as root.")
        .help("Gives every right and every device. Only for programs that manage the host itself."),
    Flag::list("cap-add", "Rights to add", "NET_ADMIN", |spec, value| capability(&mut spec.host_config.cap_add, value))
        .danger_if(is_mighty, "With this right, a program in the container can get out of it, or change the host.")
        .help("Single rights of root, such as NET_ADMIN to set up networks."),
    Flag::list("cap-drop", "Rights to drop", "ALL", |spec, value| capability(&mut spec.host_config.cap_drop, value))
        .help("Rights of root that the program does without; ALL is the safest."),
    Flag::list("security-opt", "Security options", "no-new-privileges", security_opt)
        .danger_if(
            |value| value.contains("unconfined") || value.ends_with("disable"),
            "This takes away a fence between the container and the host.",
        )
        .help("Settings of the host's security modules. no-new-privileges keeps programs from gaining rights."),
    // Before the devices, some of which end up in the same list.
    Flag::list("gpus", "Graphics processors", "all", |spec, value| {
        push(&mut spec.host_config.device_requests, gpus(value))
    })
    .choices(&["all"])
    .help("Graphics processors to use: all, a number, or device= and their ids."),
    Flag::list("device", "Devices", "/dev/ttyUSB0", device)
        .danger("The program gets at the hardware itself; with a disk, at everything on it.")
        .help("Devices of the host: path, or path:path inside, and after another colon letters of rwm."),
    Flag::list("device-cgroup-rule", "Device rules", "c 42:* rmw", |spec, value| {
        push(&mut spec.host_config.device_cgroup_rules, device_rule(value))
    })
    .danger("The program gets at every device that the rule covers.")
    .help("Which kinds of devices may be used: type, major:minor, letters of rwm."),
    Flag::value("pid", "Process namespace", "host", |spec, value| {
        put(&mut spec.host_config.pid_mode, mode("process namespace", &["host"], true, value))
    })
    .choices(&["host"])
    .danger_if(is_host, "The program sees every process of the host, and as root can end them.")
    .help("Whose processes it sees: its own, the host's, or those of container:name."),
    Flag::value("ipc", "Shared memory namespace", "private", |spec, value| {
        let modes = &["none", "private", "shareable", "host"];
        put(&mut spec.host_config.ipc_mode, mode("shared memory namespace", modes, true, value))
    })
    .choices(&["private", "shareable", "host", "none"])
    .danger_if(is_host, "The program can read and change the shared memory of the host's programs.")
    .help("With whom it shares memory between processes."),
    Flag::value("uts", "Host name namespace", "host", |spec, value| {
        put(&mut spec.host_config.uts_mode, mode("host name namespace", &["host"], false, value))
    })
    .choices(&["host"])
    .danger_if(is_host, "As root, the program can rename the host.")
    .help("Whether it has the host's name instead of its own."),
    Flag::value("userns", "User namespace", "host", |spec, value| {
        put(&mut spec.host_config.userns_mode, mode("user namespace", &["host"], false, value))
    })
    .choices(&["host"])
    .danger_if(is_host, "Root in the container is root on the host, even if the engine keeps them apart.")
    .help("On an engine that maps users, whether this container goes without."),
    Flag::value("cgroupns", "Control group namespace", "private", |spec, value| {
        let modes = &["host", "private"];
        put(&mut spec.host_config.cgroupns_mode, mode("control group namespace", modes, false, value))
    })
    .choices(&["private", "host"])
    .danger_if(is_host, "The program sees the control groups of the whole host.")
    .help("Whose control groups it sees."),
    Flag::list("sysctl", "Kernel settings", "net.core.somaxconn=1024", |spec, value| {
        insert(&mut spec.host_config.sysctls, sysctl(value))
    })
    .help("Settings of the kernel for this container: those of net., fs.mqueue. and some of kernel."),
    Flag::switch("use-api-socket", "Engine's socket", |_, _| {
        Err("this hands on the login of the docker command, which the console does not have; mount the socket with -v"
            .to_owned())
    })
    .danger("A program that reaches the engine can take over the whole host.")
    .client()
    .help("Mounts the engine's socket and the login of the docker command."),
];

/// Rights that the engine does not give by itself. Source: moby, `oci/caps/defaults.go`.
fn is_mighty(value: &str) -> bool {
    const GIVEN: [&str; 14] = [
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
    ];
    let upper = value.trim().to_ascii_uppercase();
    !GIVEN.contains(&upper.strip_prefix("CAP_").unwrap_or(&upper))
}

fn is_host(value: &str) -> bool {
    value == "host"
}

fn mode(what: &str, modes: &[&str], shared: bool, value: &str) -> Parsed<String> {
    let other = value.strip_prefix("container:").is_some_and(|other| !other.is_empty());
    if value.is_empty() || modes.contains(&value) || (shared && other) {
        return Ok(value.to_owned());
    }
    let another = if shared { " or container:name" } else { "" };
    Err(format!("the {what} is {}{another}, not {value}", modes.join(", ")))
}

/// `net_admin` is `CAP_NET_ADMIN`, once is enough, and the order is that of the alphabet.
fn capability(list: &mut Vec<String>, value: &str) -> Applied {
    let upper = value.trim().to_ascii_uppercase();
    let name = if upper == "ALL" || upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") };
    if value.trim().is_empty() {
        return Err("a right has a name, such as NET_ADMIN".to_owned());
    }
    if let Err(place) = list.binary_search(&name) {
        list.insert(place, name);
    }
    Ok(())
}

/// `name=value`, `name:value`, or `no-new-privileges` alone. What the docker command does itself is done here.
fn security_opt(spec: &mut Spec, value: &str) -> Applied {
    let (name, setting) = value.split_once('=').or_else(|| value.split_once(':')).unwrap_or((value, ""));
    match (name, setting) {
        (name, "") if name != "no-new-privileges" => {
            return Err(format!("name=value is needed, such as apparmor=unconfined, not {}", shown(value)));
        }
        _ if value == "systempaths=unconfined" => {
            let host = &mut spec.host_config;
            (host.masked_paths, host.readonly_paths) = (Some(Vec::new()), Some(Vec::new()));
            return Ok(());
        }
        ("no-new-privileges", _) | ("seccomp", "unconfined" | "builtin") => {}
        ("seccomp", _) => {
            return Err(
                "the profile is a file on the computer where docker is typed, which the console cannot read".to_owned()
            );
        }
        _ => {}
    }
    add(&mut spec.host_config.security_opt, value)
}

/// Kernel settings that belong to a container alone. Source: docker/cli, `opts.ValidateSysctl`.
fn sysctl(value: &str) -> Parsed<(String, String)> {
    const NAMES: [&str; 8] = ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"];
    if !value.contains('=') {
        return Err(format!("name=value is needed, such as net.core.somaxconn=1024, not {}", shown(value)));
    }
    let (name, setting) = setting(value)?;
    let own = name.starts_with("net.") || name.starts_with("fs.mqueue.");
    if own || name.strip_prefix("kernel.").is_some_and(|name| NAMES.contains(&name)) {
        Ok((name, setting))
    } else {
        Err(format!(
            "{name} is a setting of the whole host; a container has those of net., fs.mqueue. and some of kernel."
        ))
    }
}

/// `/dev/sda`, `/dev/sda:/dev/xvda`, `/dev/sda:r`, `/dev/sda:/dev/xvda:rw`, or a name of the device interface.
fn device(spec: &mut Spec, value: &str) -> Applied {
    let host = &mut spec.host_config;
    if is_device_name(value) {
        return match host.device_requests.iter_mut().find(|request| request.driver == "cdi") {
            Some(request) => add(&mut request.device_ids, value),
            None => push(
                &mut host.device_requests,
                Ok(DeviceRequest {
                    driver: "cdi".to_owned(),
                    device_ids: vec![value.to_owned()],
                    ..DeviceRequest::default()
                }),
            ),
        };
    }
    let parts: Vec<&str> = value.split(':').collect();
    let (outside, inside, rights) = match parts.as_slice() {
        [outside] => (*outside, *outside, "rwm"),
        [outside, rights] if are_rights(rights) => (*outside, *outside, *rights),
        [outside, inside] => (*outside, *inside, "rwm"),
        [outside, inside, rights] if are_rights(rights) => (*outside, *inside, *rights),
        [_, _, rights] => {
            return Err(format!("the rights are letters of rwm, each once, not {}", shown(rights)));
        }
        _ => return Err(format!("there are too many colons in {value}")),
    };
    if outside.is_empty() || !inside.starts_with('/') {
        return Err(format!("a device is a path that begins with /, such as /dev/ttyUSB0, not {}", shown(value)));
    }
    push(
        &mut host.devices,
        Ok(Device {
            path_on_host: outside.to_owned(),
            path_in_container: inside.to_owned(),
            cgroup_permissions: rights.to_owned(),
        }),
    )
}

/// `vendor.com/class=name`, of the Container Device Interface.
fn is_device_name(value: &str) -> bool {
    let Some((kind, name)) = value.split_once('=') else {
        return false;
    };
    let Some((vendor, class)) = kind.split_once('/') else {
        return false;
    };
    let word = |text: &str, extra: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    word(vendor, "_-.") && word(class, "_-") && word(name, "_-.:")
}

fn are_rights(text: &str) -> bool {
    !text.is_empty() && text.char_indices().all(|(at, c)| "rwm".contains(c) && text.rfind(c) == Some(at))
}

/// `c 42:* rmw`: type, major and minor number, rights.
fn device_rule(value: &str) -> Parsed<String> {
    let number = |text: &str| text == "*" || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let rights = |text: &str| (1..=3).contains(&text.len()) && text.chars().all(|c| "rwm".contains(c));
    let parts: Vec<&str> = value.split(' ').collect();
    let good = match parts.as_slice() {
        ["a" | "c" | "b", numbers, letters] => {
            rights(letters) && numbers.split_once(':').is_some_and(|(major, minor)| number(major) && number(minor))
        }
        _ => false,
    };
    if good { Ok(value.to_owned()) } else { Err(format!("a rule is such as c 42:* rmw, not {}", shown(value))) }
}

/// `all`, `2`, `device=0`, `"device=0,1",capabilities=utility`.
fn gpus(value: &str) -> Parsed<DeviceRequest> {
    let count = |text: &str| match text {
        "all" => Ok(-1),
        text => text.parse().map_err(|_| format!("all, a number or device=id is needed, not {}", shown(text))),
    };
    let listed = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut request = DeviceRequest { capabilities: vec![vec!["gpu".to_owned()]], ..DeviceRequest::default() };
    let mut counted = None;
    let mut seen = BTreeSet::new();
    for field in fields(value)? {
        if !seen.insert(field.split_once('=').map_or("count", |(key, _)| key).to_owned()) {
            return Err(format!("{field} is one too many of its kind"));
        }
        match field.split_once('=') {
            None => counted = Some(count(&field)?),
            Some(("count", number)) => counted = Some(count(number)?),
            Some(("driver", driver)) => text(&mut request.driver, driver)?,
            Some(("device", ids)) => request.device_ids = listed(ids),
            Some(("capabilities", names)) => {
                request.capabilities = vec![listed(names).into_iter().chain(["gpu".to_owned()]).collect()];
            }
            Some(("options", options)) => {
                request.options = fields(options)?.iter().map(|option| setting(option)).collect::<Parsed<_>>()?;
            }
            Some((other, _)) => {
                return Err(format!(
                    "this takes count, device, driver, capabilities and options, not {}",
                    shown(other)
                ));
            }
        }
    }
    request.count = counted.unwrap_or(i64::from(request.device_ids.is_empty()));
    Ok(request)
}

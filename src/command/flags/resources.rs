//! When it is started again, and how much of the host it may use.

use super::values::{Parsed, bytes, integer, integer_in, nano_cpus, number, shown, switch};
use super::{Applied, Flag, push, put, text};
use crate::engine::spec::{DeviceRate, DeviceWeight, RestartPolicy, Ulimit};

pub(super) const FLAGS: &[Flag] = &[
    Flag::value("restart", "Restart policy", "unless-stopped", |spec, value| {
        put(&mut spec.host_config.restart_policy, restart_policy(value))
    })
    .choices(&["no", "unless-stopped", "always", "on-failure", "on-failure:5"])
    .help(
        "Whether the engine starts it again: never, after it ended or the host restarted unless you stopped it, \
         always, or only after an error, with a number of tries.",
    ),
    Flag::value("memory", "Memory limit", "512m", |spec, value| put(&mut spec.host_config.memory, bytes(value)))
        .short('m')
        .help("How much memory it can use before it is ended. Units are b, k, m, g."),
    Flag::value("memory-reservation", "Memory reservation", "256m", |spec, value| {
        put(&mut spec.host_config.memory_reservation, bytes(value))
    })
    .help("How far it is pushed back when the host runs short of memory. Less than the limit."),
    Flag::value("memory-swap", "Memory and swap limit", "1g", |spec, value| {
        put(&mut spec.host_config.memory_swap, if value == "-1" { Ok(-1) } else { bytes(value) })
    })
    .help("Memory and swap together; -1 is without limit. The same as the memory limit means no swap."),
    Flag::value("memory-swappiness", "Swappiness", "60", |spec, value| {
        let range = if value == "-1" { -1..=-1 } else { 0..=100 };
        put(&mut spec.host_config.memory_swappiness, integer_in(value, range).map(|n| (n >= 0).then_some(n)))
    })
    .help("How readily its memory is swapped out, 0 to 100."),
    Flag::value("shm-size", "Shared memory", "64m", |spec, value| put(&mut spec.host_config.shm_size, bytes(value)))
        .help("The size of /dev/shm. Browsers and databases may need more than the usual 64m."),
    Flag::switch("oom-kill-disable", "Never end for memory", |spec, value| {
        put(&mut spec.host_config.oom_kill_disable, switch(value))
    })
    .danger("Without a memory limit, it can use up the host's memory and bring other programs down.")
    .help("Keeps the kernel from ending it when memory is out. Only sensible with a memory limit."),
    Flag::value("oom-score-adj", "Out-of-memory score", "-500", |spec, value| {
        put(&mut spec.host_config.oom_score_adj, integer(value))
    })
    .help("Which programs the kernel ends first when memory is out: -1000 is last, 1000 first."),
    Flag::value("cpus", "Processors", "1.5", |spec, value| put(&mut spec.host_config.nano_cpus, nano_cpus(value)))
        .help("How much of the processors it can use: 0.5 is half of one."),
    Flag::value("cpu-shares", "Processor shares", "512", |spec, value| {
        put(&mut spec.host_config.cpu_shares, integer(value))
    })
    .short('c')
    .help("Its weight against other containers when all want the processor; the usual is 1024."),
    Flag::value("cpu-period", "Processor period", "100000", |spec, value| {
        put(&mut spec.host_config.cpu_period, integer(value))
    })
    .help("Microseconds that the quota is counted in. \"Processors\" is the simpler way."),
    Flag::value("cpu-quota", "Processor quota", "50000", |spec, value| {
        put(&mut spec.host_config.cpu_quota, integer(value))
    })
    .help("Microseconds of processor in each period. \"Processors\" is the simpler way."),
    Flag::value("cpu-rt-period", "Real-time period", "1000000", |spec, value| {
        put(&mut spec.host_config.cpu_realtime_period, integer(value))
    })
    .help("Microseconds, for real-time scheduling."),
    Flag::value("cpu-rt-runtime", "Real-time runtime", "950000", |spec, value| {
        put(&mut spec.host_config.cpu_realtime_runtime, integer(value))
    })
    .help("Microseconds, for real-time scheduling."),
    Flag::value("cpuset-cpus", "Run on processors", "0-3", |spec, value| {
        text(&mut spec.host_config.cpuset_cpus, value)
    })
    .help("The processors to run on, by number: 0-3 or 0,2."),
    Flag::value("cpuset-mems", "Memory nodes", "0,1", |spec, value| text(&mut spec.host_config.cpuset_mems, value))
        .help("The memory nodes to use, on hosts that have several."),
    Flag::value("pids-limit", "Processes", "200", |spec, value| put(&mut spec.host_config.pids_limit, integer(value)))
        .help("How many processes and threads it may have; -1 is without limit."),
    Flag::list("ulimit", "Process limits", "nofile=65536:65536", |spec, value| {
        ulimit(&mut spec.host_config.ulimits, value)
    })
    .help("Limits of the program, name=soft:hard; nofile is the number of open files, -1 is without limit."),
    Flag::value("blkio-weight", "Disk weight", "500", |spec, value| {
        let weight = integer_in(value, 0..=i64::from(u16::MAX));
        put(&mut spec.host_config.blkio_weight, weight.map(|weight| u16::try_from(weight).unwrap_or_default()))
    })
    .help("Its weight against other containers when all want the disk, 10 to 1000."),
    Flag::list("blkio-weight-device", "Weight on one disk", "/dev/sda:500", |spec, value| {
        push(&mut spec.host_config.blkio_weight_device, device_weight(value))
    })
    .help("The same for one disk, path:weight."),
    Flag::list("device-read-bps", "Read rate", "/dev/sda:10mb", |spec, value| {
        push(&mut spec.host_config.blkio_device_read_bps, bytes_rate(value))
    })
    .help("Bytes that it can read from a disk in a second, path:rate."),
    Flag::list("device-write-bps", "Write rate", "/dev/sda:10mb", |spec, value| {
        push(&mut spec.host_config.blkio_device_write_bps, bytes_rate(value))
    })
    .help("Bytes that it can write to a disk in a second, path:rate."),
    Flag::list("device-read-iops", "Reads a second", "/dev/sda:1000", |spec, value| {
        push(&mut spec.host_config.blkio_device_read_iops, count_rate(value))
    })
    .help("How often it can read from a disk in a second, path:count."),
    Flag::list("device-write-iops", "Writes a second", "/dev/sda:1000", |spec, value| {
        push(&mut spec.host_config.blkio_device_write_iops, count_rate(value))
    })
    .help("How often it can write to a disk in a second, path:count."),
];

/// `on-failure:5`. The rules are the engine's own, which refuses the rest later.
fn restart_policy(value: &str) -> Parsed<RestartPolicy> {
    let (name, tries) = value.split_once(':').map_or((value, None), |(name, tries)| (name, Some(tries)));
    if !matches!(name, "" | "no" | "always" | "unless-stopped" | "on-failure") || (name.is_empty() && tries.is_some()) {
        return Err(format!("a restart policy is no, always, unless-stopped or on-failure, not {}", shown(value)));
    }
    let tries = tries.filter(|tries| !tries.is_empty()).map(|tries| number(tries, 0..=i64::MAX)).transpose()?;
    if tries.is_some_and(|tries| tries > 0) && name != "on-failure" {
        return Err(format!("only on-failure takes a number of tries, {name} does not"));
    }
    // "no" is what an engine does when nothing is said.
    let name = if name == "no" { "" } else { name };
    Ok(RestartPolicy { name: name.to_owned(), maximum_retry_count: tries.unwrap_or_default() })
}

/// `nofile=1024:2048`; a name given again replaces the former, and the list is in order of names.
fn ulimit(limits: &mut Vec<Ulimit>, value: &str) -> Applied {
    const NAMES: [&str; 15] = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let (name, numbers) = value
        .split_once('=')
        .ok_or_else(|| format!("name=soft:hard is needed, such as nofile=1024:2048, not {}", shown(value)))?;
    if !NAMES.contains(&name) {
        return Err(format!("there is no limit called {}; there are {}", shown(name), NAMES.join(", ")));
    }
    let (soft, hard) = numbers.split_once(':').unwrap_or((numbers, numbers));
    let (soft, hard) = (number(soft, -1..=i64::MAX)?, number(hard, -1..=i64::MAX)?);
    if hard != -1 && (soft > hard || soft == -1) {
        return Err("the first number, which counts, cannot be above the second, which it may be raised to".to_owned());
    }
    let place = limits.binary_search_by(|limit| limit.name.as_str().cmp(name));
    let limit = Ulimit { name: name.to_owned(), soft, hard };
    match place {
        Ok(same) => limits.splice(same..=same, [limit]).for_each(drop),
        Err(gap) => limits.insert(gap, limit),
    }
    Ok(())
}

fn device_and<T>(value: &str, read: impl Fn(&str) -> Parsed<T>) -> Parsed<(String, T)> {
    match value.split_once(':') {
        Some((path, limit)) if path.starts_with("/dev/") => Ok((path.to_owned(), read(limit)?)),
        _ => Err(format!("a device and a number are needed, such as /dev/sda:500, not {}", shown(value))),
    }
}

fn device_weight(value: &str) -> Parsed<DeviceWeight> {
    let (path, weight) = device_and(value, |weight| if weight == "0" { Ok(0) } else { number(weight, 10..=1000) })?;
    Ok(DeviceWeight { path, weight })
}

fn bytes_rate(value: &str) -> Parsed<DeviceRate> {
    let (path, rate) = device_and(value, bytes)?;
    Ok(DeviceRate { path, rate: rate.unsigned_abs() })
}

fn count_rate(value: &str) -> Parsed<DeviceRate> {
    let (path, rate) = device_and(value, |rate| number(rate, 0..=u64::MAX))?;
    Ok(DeviceRate { path, rate })
}

//! What the engine tells of one container's use, read forgivingly, and docker's own sums over it.
//!
//! Source of the sums: docker/cli, `cli/command/container/stats_helpers.go`. What an engine does not tell is none, never
//! zero.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Deserialize;

use crate::engine::containers::or_default;

/// Between two readings whose difference still says what it used in between, in seconds.
const SPAN: f64 = 300.0;

/// `GET /containers/{id}/stats?stream=false&one-shot=true`.
#[derive(Deserialize)]
pub(in crate::engine) struct Stats {
    #[serde(default, deserialize_with = "or_default")]
    read: String,
    #[serde(default, deserialize_with = "or_default")]
    cpu_stats: Cpu,
    #[serde(default, deserialize_with = "or_default")]
    pub(in crate::engine) memory_stats: Memory,
    #[serde(default)]
    networks: Option<BTreeMap<String, Network>>,
    #[serde(default, deserialize_with = "or_default")]
    blkio_stats: Disk,
    #[serde(default, deserialize_with = "or_default")]
    pids_stats: Pids,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cpu {
    #[serde(deserialize_with = "or_default")]
    cpu_usage: CpuUsage,
    system_cpu_usage: Option<u64>,
    online_cpus: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    percpu_usage: Vec<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::engine) struct Memory {
    usage: Option<u64>,
    limit: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    stats: HashMap<String, u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Network {
    #[serde(deserialize_with = "or_default")]
    rx_bytes: u64,
    #[serde(deserialize_with = "or_default")]
    tx_bytes: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disk {
    io_service_bytes_recursive: Option<Vec<Moved>>,
}

#[derive(Deserialize)]
struct Moved {
    #[serde(default, deserialize_with = "or_default")]
    op: String,
    #[serde(default, deserialize_with = "or_default")]
    value: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pids {
    current: Option<u64>,
    limit: Option<u64>,
}

impl Memory {
    /// Without the page cache that the kernel takes back when it needs room: what cgroup v1 calls
    /// `total_inactive_file` and v2 `inactive_file`. Source: `calculateMemUsageUnixNoCache`.
    pub(in crate::engine) fn used(&self) -> Option<u64> {
        let usage = self.usage?;
        let cache = self.stats.get("total_inactive_file").or_else(|| self.stats.get("inactive_file"));
        // A cache above the usage is of another moment.
        Some(cache.filter(|cache| **cache < usage).map_or(usage, |cache| usage - cache))
    }
}

/// Counters as of one moment: each grows from the start of the container.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counters {
    /// By the engine's clock.
    at: Timestamp,
    /// Nanoseconds of processor that it used, and that the whole machine did or could have used.
    cpu: Option<(u64, Option<u64>)>,
    cpus: u32,
    memory: Option<u64>,
    memory_limit: Option<u64>,
    /// Bytes received and sent, over all of its networks.
    network: Option<(u64, u64)>,
    /// Bytes read from and written to disks.
    disk: Option<(u64, u64)>,
    pids: Option<u64>,
    pids_limit: Option<u64>,
}

impl Counters {
    /// None of a container that did not run when it was read: its time is the zero of the engine (S082).
    pub(super) fn read(stats: Stats, of_podman: bool) -> Option<Self> {
        let at: Timestamp = stats.read.parse().ok().filter(|at: &Timestamp| at.as_second() > 0)?;
        let Stats { cpu_stats: cpu, memory_stats: memory, networks, blkio_stats: disk, pids_stats: pids, .. } = stats;
        let cpus = cpu.online_cpus.filter(|cpus| *cpus > 0);
        let counted = u32::try_from(cpu.cpu_usage.percpu_usage.len()).unwrap_or_default();
        // podman 4 writes the processor's own time in a way of its own: the clock is right on every engine.
        let system = cpu.system_cpu_usage.filter(|_| !of_podman);
        let moved = match disk.io_service_bytes_recursive {
            // A container that has moved nothing has no list; podman has none on hosts that do not count.
            None if of_podman => None,
            list => Some(list.unwrap_or_default().iter().fold((0_u64, 0_u64), |(read, written), moved| {
                match moved.op.to_ascii_lowercase().as_str() {
                    "read" => (read.saturating_add(moved.value), written),
                    "write" => (read, written.saturating_add(moved.value)),
                    _ => (read, written),
                }
            })),
        };
        let carried = |networks: BTreeMap<String, Network>| {
            networks.values().fold((0_u64, 0_u64), |(received, sent), of| {
                (received.saturating_add(of.rx_bytes), sent.saturating_add(of.tx_bytes))
            })
        };
        Some(Self {
            at,
            cpu: cpu.cpu_usage.total_usage.map(|used| (used, system)),
            cpus: cpus.unwrap_or(counted).max(1),
            memory: memory.used(),
            memory_limit: memory.limit.filter(|limit| *limit > 0),
            network: networks.filter(|networks| !networks.is_empty()).map(carried),
            disk: moved,
            pids: pids.current,
            // No limit is the largest number of 64 bits on some engines.
            pids_limit: pids.limit.filter(|limit| *limit > 0 && *limit < u64::from(u32::MAX)),
        })
    }

    /// What was used between `before` and this.
    pub(super) fn since(&self, before: Option<&Self>) -> Figures {
        let before = before.filter(|before| before.at < self.at);
        let seconds = before.map_or(f64::INFINITY, |before| self.at.duration_since(before.at).as_secs_f64());
        let before = before.filter(|_| seconds <= SPAN);
        // A counter that went back began anew: the container was started again in between.
        let rate = |of: fn(&Self) -> Option<u64>| {
            let grown = of(self)?.checked_sub(of(before?)?)?;
            Some(float(grown) / seconds)
        };
        Figures {
            cpu: before.and_then(|before| self.cpu_percent(before, seconds)),
            cpus: self.cpus,
            memory: self.memory,
            memory_limit: self.memory_limit,
            received: rate(|at| at.network.map(|network| network.0)),
            sent: rate(|at| at.network.map(|network| network.1)),
            read: rate(|at| at.disk.map(|disk| disk.0)),
            written: rate(|at| at.disk.map(|disk| disk.1)),
            network: self.network,
            disk: self.disk,
            pids: self.pids,
            pids_limit: self.pids_limit,
        }
    }

    /// Source: `calculateCPUPercentUnix`. Where the engine does not tell what the machine had, its clock does.
    fn cpu_percent(&self, before: &Self, seconds: f64) -> Option<f64> {
        let ((used, system), (used_before, system_before)) = (self.cpu?, before.cpu?);
        let used = float(used.checked_sub(used_before)?);
        let machine = system.zip(system_before).and_then(|(now, then)| now.checked_sub(then)).filter(|all| *all > 0);
        Some(match machine {
            Some(all) => used / float(all) * f64::from(self.cpus) * 100.0,
            None => used / (seconds * 1e9) * 100.0,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

/// What a container uses now. What the engine does not tell is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Per cent of one CPU; none until there are two readings.
    pub cpu: Option<f64>,
    /// CPUs that the machine has.
    pub cpus: u32,
    /// Memory in bytes, without the page cache that the kernel can take back.
    pub memory: Option<u64>,
    /// Memory in bytes that it may use: all that the host has, where it has no limit of its own.
    pub memory_limit: Option<u64>,
    /// Bytes a second that it receives from its networks.
    pub received: Option<f64>,
    /// Bytes a second that it sends.
    pub sent: Option<f64>,
    /// Bytes a second that it reads from disks.
    pub read: Option<f64>,
    /// Bytes a second that it writes.
    pub written: Option<f64>,
    /// Bytes received and sent since it started.
    pub network: Option<(u64, u64)>,
    /// Bytes read and written since it started.
    pub disk: Option<(u64, u64)>,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// How many of them it may have; none is no limit.
    pub pids_limit: Option<u64>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// As engine 28.5 tells it on cgroup v1, and as engines tell it on v2.
    fn told(second: u32, cpu: u64, system: u64, memory: &Value, disk: &Value) -> Value {
        json!({
            "read": format!("2026-11-25T02:36:{second:02}.5Z"), "pids_stats": {"current": 3, "limit": 50},
            "blkio_stats": {"io_service_bytes_recursive": disk},
            "cpu_stats": {"cpu_usage": {"total_usage": cpu, "percpu_usage": [1, 2]}, "system_cpu_usage": system, "online_cpus": 2},
            "memory_stats": memory,
            "networks": {"eth0": {"rx_bytes": 700 + u64::from(second), "tx_bytes": 100}, "eth1": {"rx_bytes": 36, "tx_bytes": 26}},
        })
    }

    fn counters(value: Value) -> Counters {
        Counters::read(serde_json::from_value(value).unwrap(), false).unwrap()
    }

    #[test]
    fn docker_stats_own_sums() {
        let v1 = json!({"usage": 5_742_592, "limit": 67_108_864, "stats": {"inactive_file": 9, "total_inactive_file": 5_242_880}});
        let before = counters(told(10, 1_000_000_000, 50_000_000_000, &v1, &json!([])));
        let now = counters(told(
            12,
            2_020_000_000,
            54_000_000_000,
            &v1,
            &json!([{"op": "Read", "value": 4096}, {"op": "write", "value": 9000}, {"op": "Total", "value": 13_096}]),
        ));
        let figures = now.since(Some(&before));
        // What `docker stats` showed of it: 488KiB / 64MiB, 51 % of one CPU.
        assert_eq!((figures.memory, figures.memory_limit), (Some(499_712), Some(67_108_864)));
        assert!((figures.cpu.unwrap() - 51.0).abs() < 1e-9);
        assert_eq!((figures.received, figures.sent, figures.network), (Some(1.0), Some(0.0), Some((748, 126))));
        assert_eq!((figures.read, figures.written, figures.disk), (Some(2048.0), Some(4500.0), Some((4096, 9000))));
        assert_eq!((figures.pids, figures.pids_limit), (Some(3), Some(50)));
    }

    #[test]
    fn cgroup_v2_has_a_name_of_its_own_for_the_cache() {
        let v2 =
            json!({"usage": 10_000, "limit": 20_000, "stats": {"anon": 3000, "inactive_file": 6000, "file": 7000}});
        assert_eq!(counters(told(1, 1, 1, &v2, &Value::Null)).since(None).memory, Some(4000));
        let later = json!({"usage": 10_000, "stats": {"inactive_file": 16_000}});
        assert_eq!(counters(told(1, 1, 1, &later, &Value::Null)).since(None).memory, Some(10_000));
    }

    #[test]
    fn what_is_not_told_is_none_and_never_zero() {
        let podman = json!({"read": "2026-11-25T02:37:00Z", "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000_000_u64}, "system_cpu_usage": 7},
            "memory_stats": {"usage": 7_475_200, "limit": 67_108_864}, "blkio_stats": {"io_service_bytes_recursive": null}, "pids_stats": null});
        let read = |value: Value| Counters::read(serde_json::from_value(value).unwrap(), true).unwrap();
        let before = read(podman.clone());
        let mut now = podman;
        now["read"] = json!("2026-11-25T02:37:02Z");
        now["cpu_stats"]["cpu_usage"]["total_usage"] = json!(6_000_000_000_u64);
        let figures = read(now).since(Some(&before));
        assert_eq!((figures.cpu, figures.memory), (Some(50.0), Some(7_475_200)));
        assert_eq!((figures.received, figures.read, figures.pids, figures.pids_limit), (None, None, None, None));
        let first = before.since(None);
        assert_eq!((first.cpu, first.received), (None, None));
    }

    #[test]
    fn s082_a_stopped_container_tells_nothing() {
        let stopped =
            json!({"read": "0001-01-01T00:00:00Z", "cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}});
        assert_eq!(Counters::read(serde_json::from_value(stopped).unwrap(), false), None);
        let none = |value: Value| Counters::read(serde_json::from_value(value).unwrap(), false);
        assert_eq!(none(json!({})), None);
    }

    #[test]
    fn a_container_that_was_started_again_has_no_rate() {
        let memory = json!({"usage": 1});
        let before = counters(told(10, 9_000_000_000, 50_000_000_000, &memory, &json!([{"op": "read", "value": 50}])));
        let figures = counters(told(12, 1_000_000, 54_000_000_000, &memory, &json!([]))).since(Some(&before));
        assert_eq!((figures.cpu, figures.read, figures.disk), (None, None, Some((0, 0))));
    }
}

//! What this process takes of its machine, under the names that every Prometheus client library uses. Source:
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>; proc(5) for where it stands.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::DescriptorEncoder,
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
};

use super::metrics::tell;

/// Read anew each time. What cannot be read is left out.
#[derive(Debug)]
pub(super) struct Process;

/// The fields of `/proc/self/stat` that are told.
#[derive(Debug, PartialEq)]
struct Stat {
    /// Seconds of CPU, in all.
    cpu: f64,
    threads: u64,
    /// Seconds from the machine's start to ours.
    began: f64,
    /// Bytes.
    address_space: u64,
    resident: u64,
}

impl Stat {
    fn parse(text: &str, ticks: u64, page: u64) -> Option<Self> {
        // The second field is the name in brackets, in which anything may stand.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        #[expect(clippy::cast_precision_loss, reason = "exact for some million years")]
        let seconds = |count: u64| count as f64 / ticks.max(1) as f64;
        Some(Self {
            cpu: seconds(field(14)? + field(15)?),
            threads: field(20)?,
            began: seconds(field(22)?),
            address_space: field(23)?,
            resident: field(24)? * page,
        })
    }
}

/// When the machine started, in seconds since the epoch.
fn booted() -> Option<f64> {
    fs::read_to_string("/proc/stat").ok()?.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

impl Collector for Process {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let (seconds, bytes) = (Some(&Unit::Seconds), Some(&Unit::Bytes));
        let to = &mut to;
        let page = u64::try_from(page_size()).unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").ok();
        if let Some(stat) = stat.and_then(|text| Stat::parse(&text, clock_ticks_per_second(), page)) {
            let Stat { cpu, threads, began, address_space, resident } = stat;
            tell(
                to,
                "process_cpu",
                "CPU time of this process and of the kernel for it",
                seconds,
                &ConstCounter::new(cpu),
            )?;
            if let Some(booted) = booted() {
                let began = ConstGauge::new(booted + began);
                tell(to, "process_start_time", "When this process started, since the epoch", seconds, &began)?;
            }
            let gauge = ConstGauge::new;
            tell(to, "process_resident_memory", "Memory that this process holds", bytes, &gauge(resident))?;
            tell(to, "process_virtual_memory", "Address space of this process", bytes, &gauge(address_space))?;
            tell(to, "process_threads", "Threads of this process", None, &gauge(threads))?;
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // Without the one that lists them.
            let open = ConstGauge::new(files.count().saturating_sub(1));
            tell(to, "process_open_fds", "Files and sockets that this process has open", None, &open)?;
        }
        match getrlimit(Resource::Nofile).current {
            Some(most) => tell(to, "process_max_fds", "How many it may have open", None, &ConstGauge::new(most)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_shift_the_fields() {
        let text =
            "42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 7 0 1234 8192 3 18446744073709551615 1";
        let stat = Stat { cpu: 2.0, threads: 7, began: 12.34, address_space: 8192, resident: 12_288 };
        assert_eq!(Stat::parse(text, 100, 4096), Some(stat));
        assert_eq!(Stat::parse("42 (a) S 1", 100, 4096), None);
        assert_eq!(Stat::parse("", 100, 4096), None);
    }
}

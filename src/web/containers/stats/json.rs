//! What a container uses, as scripts see it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Known, chart, words};
use crate::engine::{Figures, Measure, Point};

/// What a container uses, now and over time. What is not known is null.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerUse)]
pub struct Use {
    /// What it uses now; null where it does not run, or the engine does not tell.
    now: Option<Now>,
    /// What it may use at most.
    limits: Most,
    /// 15m, day or month.
    range: &'static str,
    /// Points over that time, in their order.
    points: Series,
    /// The highest of them.
    peak: Summary,
    /// What 95 of 100 of them do not exceed.
    p95: Summary,
}

/// What a container uses now, as `docker stats` counts it.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerUseNow)]
pub struct Now {
    /// Per cent of one CPU, since the last reading.
    cpu_percent: Option<f64>,
    /// Bytes, without the page cache that the kernel can take back.
    memory: Option<u64>,
    /// Bytes that there are for it.
    memory_limit: Option<u64>,
    /// Bytes received since it started.
    received: Option<u64>,
    /// Bytes sent since it started.
    sent: Option<u64>,
    /// Bytes received in a second.
    received_per_second: Option<f64>,
    /// Bytes sent in a second.
    sent_per_second: Option<f64>,
    /// Bytes read from disks since it started.
    read: Option<u64>,
    /// Bytes written since it started.
    written: Option<u64>,
    /// Bytes read in a second.
    read_per_second: Option<f64>,
    /// Bytes written in a second.
    written_per_second: Option<f64>,
    /// Processes and threads.
    pids: Option<u64>,
    /// How many of them there may be; null is no limit.
    pids_limit: Option<u64>,
}

/// What a container may use at most; null is no limit.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerUseLimits)]
struct Most {
    /// Per cent of one CPU.
    cpu_percent: Option<f64>,
    /// Bytes.
    memory: Option<u64>,
    /// Processes and threads.
    pids: Option<u64>,
}

/// Points, a list for each thing that is measured: all are as long as `at`, and null is a gap.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerUsePoints)]
struct Series {
    /// Seconds since the epoch at which each was read, or its time begins.
    at: Vec<i64>,
    /// Per cent of one CPU, on average.
    cpu: Vec<Option<f64>>,
    /// The same, the highest.
    cpu_peak: Vec<Option<f64>>,
    /// Bytes, the most.
    memory: Vec<Option<f64>>,
    /// Bytes received in a second, on average.
    received: Vec<Option<f64>>,
    /// Bytes sent in a second, on average.
    sent: Vec<Option<f64>>,
    /// Bytes read in a second, on average.
    read: Vec<Option<f64>>,
    /// Bytes written in a second, on average.
    written: Vec<Option<f64>>,
    /// Processes and threads, the most.
    pids: Vec<Option<f64>>,
}

/// One number for each thing that is measured.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerUseSummary)]
struct Summary {
    /// Per cent of one CPU.
    cpu: Option<f64>,
    /// Bytes.
    memory: Option<f64>,
    /// Bytes in a second.
    received: Option<f64>,
    /// Bytes in a second.
    sent: Option<f64>,
    /// Bytes in a second.
    read: Option<f64>,
    /// Bytes in a second.
    written: Option<f64>,
    /// Processes and threads.
    pids: Option<f64>,
}

/// Four digits after the point are enough for all of them.
fn short(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

impl Series {
    fn new(points: &[Point]) -> Self {
        let of = |measure| points.iter().map(|point| point.get(measure).map(short)).collect();
        Self {
            at: points.iter().map(|point| point.at).collect(),
            cpu: of(Measure::Cpu),
            cpu_peak: of(Measure::CpuPeak),
            memory: of(Measure::Memory),
            received: of(Measure::Received),
            sent: of(Measure::Sent),
            read: of(Measure::Read),
            written: of(Measure::Written),
            pids: of(Measure::Pids),
        }
    }
}

impl Summary {
    fn new(points: &[Point], pick: fn(chart::Sums) -> f64) -> Self {
        let of = |measure, peak| chart::sums(points, measure, peak).map(pick).map(short);
        Self {
            cpu: of(Measure::Cpu, Measure::CpuPeak),
            memory: of(Measure::Memory, Measure::Memory),
            received: of(Measure::Received, Measure::Received),
            sent: of(Measure::Sent, Measure::Sent),
            read: of(Measure::Read, Measure::Read),
            written: of(Measure::Written, Measure::Written),
            pids: of(Measure::Pids, Measure::Pids),
        }
    }
}

impl From<&Figures> for Now {
    fn from(of: &Figures) -> Self {
        Self {
            cpu_percent: of.cpu.map(short),
            memory: of.memory,
            memory_limit: of.memory_limit,
            received: of.network.map(|network| network.0),
            sent: of.network.map(|network| network.1),
            received_per_second: of.received.map(short),
            sent_per_second: of.sent.map(short),
            read: of.disk.map(|disk| disk.0),
            written: of.disk.map(|disk| disk.1),
            read_per_second: of.read.map(short),
            written_per_second: of.written.map(short),
            pids: of.pids,
            pids_limit: of.pids_limit,
        }
    }
}

impl Use {
    pub(super) fn new(known: &Known, range: &'static str) -> Self {
        let limits = known.limits;
        Self {
            now: known.figures.as_deref().map(Now::from),
            limits: Most { cpu_percent: limits.cpu, memory: limits.memory, pids: limits.pids },
            range,
            points: Series::new(&known.points),
            peak: Summary::new(&known.points, |sums| sums.peak),
            p95: Summary::new(&known.points, |sums| sums.p95),
        }
    }
}

/// A new reading, for a page that is open.
#[derive(Serialize)]
pub struct Reading {
    at: i64,
    /// In the order of the page's lines; null is a gap.
    values: Vec<Option<f64>>,
    /// For each chart: what is so now, and what stands beside it.
    words: Vec<(&'static str, (String, String))>,
    /// The limits of memory and processes, as they count now.
    memory_limit: Option<u64>,
    pids_limit: Option<u64>,
}

impl Reading {
    pub(super) fn new(figures: Option<&Figures>, host: Option<u64>) -> Self {
        let at = jiff::Timestamp::now().as_second();
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let whole = |value: Option<u64>| value.map(|value| value as f64);
        let of = figures.cloned().unwrap_or_default();
        let own = |limit: &u64| host.is_none_or(|host| *limit < host);
        Self {
            at,
            values: [of.cpu, whole(of.memory), of.received, of.sent, of.read, of.written, whole(of.pids)]
                .map(|value| value.map(short))
                .into(),
            words: ["cpu", "memory", "network", "disk", "pids"].map(|key| (key, chart::now(key, figures))).into(),
            memory_limit: of.memory_limit.filter(own),
            pids_limit: of.pids_limit,
        }
    }
}

/// What one container uses now, in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerUseInList)]
pub struct InList {
    /// Per cent of one CPU.
    cpu_percent: Option<f64>,
    /// Bytes, without the page cache that the kernel can take back.
    memory: Option<u64>,
    /// Bytes that there are for it.
    memory_limit: Option<u64>,
}

impl From<&Figures> for InList {
    fn from(of: &Figures) -> Self {
        Self { cpu_percent: of.cpu.map(short), memory: of.memory, memory_limit: of.memory_limit }
    }
}

/// The two cells of a row: CPU in words, memory in words, and how full each bar is, in per cent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cells {
    /// CPU.
    pub cpu: String,
    /// Memory.
    pub memory: String,
    /// How much of the host's CPUs.
    pub cpu_share: u8,
    /// How much of the memory that there is for it.
    pub memory_share: u8,
    /// The whole of it, for who hovers.
    pub title: String,
}

impl From<&Figures> for Cells {
    fn from(of: &Figures) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "per cent, within bounds")]
        let share =
            |part: f64, whole: f64| if whole > 0.0 { (part / whole * 100.0).clamp(0.0, 100.0) as u8 } else { 0 };
        #[expect(clippy::cast_precision_loss, reason = "per cent are shown")]
        let float = |value: Option<u64>| value.unwrap_or_default() as f64;
        Self {
            cpu: of.cpu.map(words::percent).unwrap_or_default(),
            memory: of.memory.map(crate::web::html::bytes).unwrap_or_default(),
            cpu_share: share(of.cpu.unwrap_or_default(), f64::from(of.cpus) * 100.0),
            memory_share: share(float(of.memory), float(of.memory_limit)),
            title: words::memory(of).unwrap_or_default(),
        }
    }
}

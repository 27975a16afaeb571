//! Who uses most: one sampler for everybody, and only while somebody looks (S064).

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::{ContainerId, Engine, containers::or_default};

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(5);
/// How long a page without a live connection counts as looking.
const LOOK: Duration = Duration::from_secs(20);
/// Containers asked at the same time.
const AT_ONCE: usize = 4;
/// Containers asked in one round at most.
const ASKED: usize = 200;
/// How many are shown.
const SHOWN: usize = 8;

/// What a container uses now.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// Whose it is.
    pub id: ContainerId,
    /// Memory in bytes, without the page cache that the kernel can take back: as `docker stats` shows it.
    pub memory: u64,
    /// Memory that it may use, in bytes.
    pub limit: u64,
    /// Per cent of one CPU; none until there are two samples.
    pub cpu_percent: Option<f64>,
}

#[derive(Deserialize)]
pub(super) struct Stats {
    #[serde(default, deserialize_with = "or_default")]
    cpu_stats: Cpu,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) memory_stats: Memory,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cpu {
    cpu_usage: CpuUsage,
    system_cpu_usage: u64,
    online_cpus: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    usage: u64,
    limit: u64,
    #[serde(deserialize_with = "or_default")]
    stats: HashMap<String, u64>,
}

impl Memory {
    /// Source: docker/cli, `cli/command/container/stats_helpers.go`, `calculateMemUsageUnixNoCache`.
    pub(super) fn used(&self) -> u64 {
        let cache = self.stats.get("total_inactive_file").or_else(|| self.stats.get("inactive_file"));
        self.usage.saturating_sub(cache.copied().unwrap_or_default())
    }
}

/// The one sampler.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    watchers: AtomicUsize,
    looked: Mutex<Option<Instant>>,
    running: AtomicBool,
}

/// Somebody who looks; stops looking when dropped.
pub struct Watcher(Engine);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.sampler.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Engine {
    /// Says that somebody looks at who uses most. The answer comes with the picture.
    pub fn watch_usage(&self) -> Watcher {
        let sampler = &self.sampler;
        sampler.watchers.fetch_add(1, Ordering::Relaxed);
        *sampler.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if !sampler.running.swap(true, Ordering::AcqRel) {
            let engine = self.clone();
            tokio::spawn(async move {
                engine.sample().await;
                engine.sampler.running.store(false, Ordering::Release);
            });
        }
        Watcher(self.clone())
    }

    async fn sample(&self) {
        let mut before: HashMap<ContainerId, (u64, u64)> = HashMap::new();
        while self.is_watched() {
            let running: Vec<ContainerId> = self
                .live
                .picture()
                .containers
                .values()
                .filter(|c| c.state.is_up())
                .map(|c| c.id.clone())
                .take(ASKED)
                .collect();
            let work = running.into_iter().map(|id| async move {
                let path = format!("/containers/{id}/stats?stream=false&one-shot=true");
                self.wire.get::<Stats>(&path).await.ok().map(|stats| (id, stats))
            });
            let sampled: Vec<_> =
                stream::iter(work).buffer_unordered(AT_ONCE).filter_map(async |found| found).collect().await;
            let mut usage: Vec<Usage> = sampled
                .into_iter()
                .map(|(id, Stats { cpu_stats: cpu, memory_stats: memory })| {
                    let now = (cpu.cpu_usage.total_usage, cpu.system_cpu_usage);
                    let cpu_percent =
                        before.insert(id.clone(), now).and_then(|then| percent(then, now, cpu.online_cpus));
                    Usage { memory: memory.used(), limit: memory.limit, cpu_percent, id }
                })
                .collect();
            usage.sort_by(|a, b| b.memory.cmp(&a.memory).then_with(|| a.id.cmp(&b.id)));
            usage.truncate(SHOWN);
            self.live.set_usage(usage);
            tokio::time::sleep(ROUND).await;
        }
        self.live.set_usage(Vec::new());
    }

    fn is_watched(&self) -> bool {
        let looked = *self.sampler.looked.lock().unwrap_or_else(PoisonError::into_inner);
        self.sampler.watchers.load(Ordering::Relaxed) > 0 || looked.is_some_and(|at| at.elapsed() < LOOK)
    }
}

/// Source: docker/cli, `cli/command/container/stats_helpers.go`, `calculateCPUPercentUnix`.
fn percent(then: (u64, u64), now: (u64, u64), cpus: u32) -> Option<f64> {
    let (used, all) = (now.0.checked_sub(then.0)?, now.1.checked_sub(then.1)?);
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let share = (all > 0).then(|| used as f64 / all as f64)?;
    Some(share * f64::from(cpus.max(1)) * 100.0)
}

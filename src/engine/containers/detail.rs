//! Everything about one container: `GET /containers/{id}/json`, read forgivingly.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Container, Containers, State, or_default};
use crate::engine::{ContainerId, Error};

/// A container in detail. Zero times of the engine (`0001-01-01`) are `None` (S082).
#[derive(Debug, Clone)]
pub struct Detail {
    /// When its last run began.
    pub started: Option<Timestamp>,
    /// When its last run ended.
    pub finished: Option<Timestamp>,
    /// Its state.
    pub state: State,
    /// The exit code of its last run.
    pub exit_code: i64,
    /// Whether the kernel ended it for want of memory.
    pub out_of_memory: bool,
    /// Why it could not be started, in the engine's words.
    pub error: Option<String>,
    /// How often its restart policy started it again.
    pub restarts: u64,
    /// What runs, word by word: entrypoint, then command.
    pub command: Vec<String>,
    /// Its environment.
    pub env: Vec<EnvVar>,
    /// Who it runs as; empty for the image's user, root as a rule.
    pub user: String,
    /// Where it runs.
    pub workdir: String,
    /// Its name for itself.
    pub hostname: String,
    /// Whether it has a terminal.
    pub tty: bool,
    /// The signal that asks it to end.
    pub stop_signal: Option<String>,
    /// When it is started again by itself: the policy and, for on-failure, how often at most.
    pub restart_policy: (String, u64),
    /// Whether it is removed when it ends.
    pub auto_remove: bool,
    /// Whether it may do everything on the host.
    pub privileged: bool,
    /// Whether its own file system is read-only.
    pub read_only: bool,
    /// Capabilities added and taken.
    pub capabilities: (Vec<String>, Vec<String>),
    /// How its networks see it.
    pub endpoints: Vec<Endpoint>,
    /// What it may use.
    pub limits: Limits,
    /// The last health checks, newest last: the five that the engine keeps, and those before that were seen here.
    pub checks: Vec<Check>,
    /// How it is checked; none where it is not.
    pub healthcheck: Option<Healthcheck>,
    /// How many checks failed in a row.
    pub failing: u64,
    /// Its links of the default bridge, as `docker rm -l` takes them: `web/alias`.
    pub links: Vec<String>,
    /// Where its log goes.
    pub log_driver: String,
    /// Everything as the engine tells it.
    pub raw: Value,
}

/// A variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A container's place in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The network's name.
    pub network: String,
    /// Its address there, while it runs.
    pub address: String,
    /// Further names there.
    pub aliases: Vec<String>,
    /// Its hardware address there.
    pub mac: String,
}

/// What a container may use at most. `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

/// How a container is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// What is run, word by word: `CMD-SHELL` and a line for the shell, or `CMD` and words.
    pub test: Vec<String>,
    /// From the end of one to the beginning of the next.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// How long failures do not count, from its start.
    pub start_period: Duration,
    /// How many failures in a row make it unhealthy.
    pub retries: u64,
}

/// One health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// When it began.
    pub at: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What its command exited with; 0 is healthy.
    pub exit_code: i64,
    /// What it printed: foreign text.
    pub output: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: InState,
    #[serde(default, deserialize_with = "or_default")]
    restart_count: u64,
    #[serde(default, deserialize_with = "or_default")]
    path: String,
    #[serde(default, deserialize_with = "or_default")]
    args: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    config: Config,
    #[serde(default, deserialize_with = "or_default")]
    host_config: Host,
    #[serde(default, deserialize_with = "or_default")]
    network_settings: Networks,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InState {
    status: State,
    #[serde(default, deserialize_with = "or_default")]
    exit_code: i64,
    #[serde(default, rename = "OOMKilled", deserialize_with = "or_default")]
    oom_killed: bool,
    #[serde(default, deserialize_with = "or_default")]
    error: String,
    #[serde(default, deserialize_with = "or_default")]
    started_at: String,
    #[serde(default, deserialize_with = "or_default")]
    finished_at: String,
    #[serde(default, deserialize_with = "or_default")]
    health: HealthLog,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HealthLog {
    #[serde(deserialize_with = "or_default")]
    failing_streak: u64,
    #[serde(deserialize_with = "or_default")]
    log: Vec<InCheck>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InCheck {
    start: String,
    end: String,
    exit_code: i64,
    output: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    #[serde(deserialize_with = "or_default")]
    env: Vec<String>,
    user: String,
    working_dir: String,
    hostname: String,
    tty: bool,
    stop_signal: Option<String>,
    healthcheck: Option<InHealthcheck>,
}

/// Times in nanoseconds; 0 is the engine's own default.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InHealthcheck {
    #[serde(deserialize_with = "or_default")]
    test: Vec<String>,
    interval: u64,
    timeout: u64,
    start_period: u64,
    retries: u64,
}

impl InHealthcheck {
    /// Source of the defaults: the `docker run` reference, "Healthchecks".
    fn read(self) -> Option<Healthcheck> {
        let time = |nanos: u64, seconds: u64| {
            if nanos == 0 { Duration::from_secs(seconds) } else { Duration::from_nanos(nanos) }
        };
        let is_none = self.test.is_empty() || self.test.first().is_some_and(|word| word == "NONE");
        (!is_none).then(|| Healthcheck {
            interval: time(self.interval, 30),
            timeout: time(self.timeout, 30),
            start_period: time(self.start_period, 0),
            retries: if self.retries == 0 { 3 } else { self.retries },
            test: self.test,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Host {
    #[serde(deserialize_with = "or_default")]
    restart_policy: Policy,
    auto_remove: bool,
    privileged: bool,
    readonly_rootfs: bool,
    #[serde(deserialize_with = "or_default")]
    cap_add: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    cap_drop: Vec<String>,
    memory: i64,
    nano_cpus: i64,
    cpu_quota: i64,
    cpu_period: i64,
    pids_limit: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    links: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    log_config: LogConfig,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policy {
    name: String,
    maximum_retry_count: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LogConfig {
    #[serde(rename = "Type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Networks {
    #[serde(deserialize_with = "or_default")]
    networks: BTreeMap<String, InEndpoint>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InEndpoint {
    #[serde(rename = "IPAddress", deserialize_with = "or_default")]
    address: String,
    #[serde(rename = "Aliases", deserialize_with = "or_default")]
    aliases: Vec<String>,
    #[serde(rename = "MacAddress", deserialize_with = "or_default")]
    mac: String,
}

/// How long an answer is taken for true while the list says that nothing has changed: health checks go on without a
/// word in the list.
const FRESH: Duration = Duration::from_secs(5);
/// How many answers are kept.
const KEPT: usize = 64;
/// How many health checks of a container are kept beside the engine's own five, for who looks at them.
const CHECKS: usize = 60;

/// The answers that are kept: many who watch one container cost the engine what one does.
#[derive(Debug, Default)]
pub(in crate::engine) struct Details(Mutex<HashMap<ContainerId, Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    of: Arc<Container>,
    at: Instant,
    detail: Arc<Detail>,
}

impl Details {
    /// What is kept of this container.
    pub(in crate::engine) fn known(&self, id: &ContainerId) -> Option<Arc<Detail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).map(|kept| kept.detail.clone())
    }

    /// What is kept of this container is not so any more.
    pub(in crate::engine) fn forget(&self, id: &ContainerId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Containers<'_> {
    /// Everything about one container, as far as this reach goes. While the engine is away: as it was last seen, if it
    /// was.
    pub async fn get(&self, id: &ContainerId) -> Result<Arc<Detail>, Error> {
        self.0.reaches_container(id)?;
        // What is kept is whole, and each reach is told its part of it.
        let whole = self.whole(id).await.map_err(|error| self.0.told(error))?;
        Ok(self.0.reach.detail(&whole))
    }

    pub(in crate::engine) async fn whole(&self, id: &ContainerId) -> Result<Arc<Detail>, Error> {
        let picture = self.0.live.picture();
        let listed = picture.containers.get(id);
        let kept = self.0.details.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let is_true =
            |kept: &Kept| listed.is_some_and(|listed| Arc::ptr_eq(listed, &kept.of)) && kept.at.elapsed() < FRESH;
        if let Some(kept) = &kept
            && (is_true(kept) || !picture.link.is_live())
        {
            return Ok(kept.detail.clone());
        }
        self.0.reachable()?;
        let raw = match (self.0.wire.get(&format!("/containers/{id}/json")).await, kept) {
            (Err(error), Some(kept)) if error.is_outage() => return Ok(kept.detail),
            (raw, _) => raw?,
        };
        let mut detail = Detail::read(raw)?;
        if let Some(kept) = self.0.details.0.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            detail.checks = joined(&kept.detail.checks, detail.checks);
        }
        let detail = Arc::new(detail);
        if let Some(listed) = listed {
            let kept = Kept { of: listed.clone(), at: Instant::now(), detail: detail.clone() };
            let mut all = self.0.details.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(id.clone(), kept);
            if all.len() > KEPT
                && let Some(oldest) = all.iter().min_by_key(|(_, kept)| kept.at).map(|(id, _)| id.clone())
            {
                all.remove(&oldest);
            }
        }
        Ok(detail)
    }
}

/// The checks that were known, and those of them that are new.
fn joined(known: &[Check], told: Vec<Check>) -> Vec<Check> {
    let Some(first) = told.first().and_then(|check| check.at) else { return told };
    let before: Vec<Check> = known.iter().filter(|check| check.at.is_some_and(|at| at < first)).cloned().collect();
    let skip = (before.len() + told.len()).saturating_sub(CHECKS);
    before.into_iter().chain(told).skip(skip).collect()
}

/// The engine's time, or none for its zero: `0001-01-01T00:00:00Z`.
fn time(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().filter(|at| at.as_second() > 0)
}

fn limit(value: i64) -> Option<u64> {
    u64::try_from(value).ok().filter(|value| *value > 0)
}

impl Detail {
    pub(in crate::engine) fn read(raw: Value) -> Result<Self, Error> {
        let found: Inspected = Inspected::deserialize(&raw).map_err(|error| Error::Engine {
            status: 502,
            message: format!("unexpected answer to inspect: {error}"),
        })?;
        let Inspected { state, restart_count, path, args, config, host_config: host, network_settings } = found;
        let quota = limit(host.cpu_quota).map(|quota| {
            let period = limit(host.cpu_period).unwrap_or(100_000);
            quota.saturating_mul(1_000_000_000) / period
        });
        let checks = state.health.log.into_iter().map(|check| Check {
            at: time(&check.start),
            ended: time(&check.end),
            exit_code: check.exit_code,
            output: check.output,
        });
        let endpoints = network_settings.networks.into_iter().map(|(network, endpoint)| Endpoint {
            network,
            address: endpoint.address,
            aliases: endpoint.aliases,
            mac: endpoint.mac,
        });
        Ok(Self {
            started: time(&state.started_at),
            finished: time(&state.finished_at),
            state: state.status,
            exit_code: state.exit_code,
            out_of_memory: state.oom_killed,
            error: Some(state.error).filter(|error| !error.is_empty()),
            restarts: restart_count,
            command: std::iter::once(path).chain(args).filter(|word| !word.is_empty()).collect(),
            env: config.env.iter().map(|pair| EnvVar::parse(pair)).collect(),
            user: config.user,
            workdir: config.working_dir,
            hostname: config.hostname,
            tty: config.tty,
            stop_signal: config.stop_signal.filter(|signal| !signal.is_empty()),
            restart_policy: (host.restart_policy.name, host.restart_policy.maximum_retry_count),
            auto_remove: host.auto_remove,
            privileged: host.privileged,
            read_only: host.readonly_rootfs,
            capabilities: (host.cap_add, host.cap_drop),
            endpoints: endpoints.collect(),
            limits: Limits {
                memory: limit(host.memory),
                nano_cpus: limit(host.nano_cpus).or(quota),
                pids: host.pids_limit.and_then(limit),
            },
            checks: checks.collect(),
            healthcheck: config.healthcheck.and_then(InHealthcheck::read),
            failing: state.health.failing_streak,
            links: host
                .links
                .iter()
                .filter_map(|link| Some(link.split_once(':')?.1.trim_start_matches('/').to_owned()))
                .collect(),
            log_driver: host.log_config.kind,
            raw,
        })
    }
}

impl Detail {
    /// Whether its process takes input: it was made with -i.
    pub fn takes_input(&self) -> bool {
        self.raw.pointer("/Config/OpenStdin").and_then(Value::as_bool).unwrap_or_default()
    }
}

impl EnvVar {
    fn parse(pair: &str) -> Self {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self { name: name.to_owned(), value: value.to_owned() }
    }

    /// Whether its name sounds as if its value were a secret.
    pub fn looks_secret(&self) -> bool {
        let name = self.name.to_ascii_uppercase();
        ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH", "PRIVATE"].iter().any(|word| name.contains(word))
    }
}

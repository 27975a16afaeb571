//! What this console asks of the engine and hears from it, counted.
//!
//! Every label is a word out of `words` or a path out of `endpoints`: ids, names and commands never become one, so that there are as many
//! series with ten thousand containers as with one, and none of them tells a name.

mod words;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use hyper::Request;
use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{Error, Event, Stage, endpoints};

/// Bounds of the times of calls, in seconds: a list takes milliseconds, a stop may take its ten seconds and more.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    endpoint: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    endpoint: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Happened {
    r#type: &'static str,
    action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Worked {
    kind: &'static str,
    outcome: &'static str,
}

/// Which events were there before: a new connection is told some of them again.
#[derive(Debug, Default)]
struct Heard {
    /// Up to when this connection tells what is known.
    known: Option<Timestamp>,
    newest: Option<Timestamp>,
}

/// The counters of one engine.
#[derive(Debug)]
pub struct Meter {
    calls: Family<Asked, Counter>,
    times: Family<Endpoint, Histogram>,
    events: Family<Happened, Counter>,
    jobs: Family<Worked, Counter>,
    heard: Mutex<Heard>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            times: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            events: Family::default(),
            jobs: Family::default(),
            heard: Mutex::default(),
        }
    }
}

impl Meter {
    /// Puts them where they are read.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("engine_requests", "Calls to the engine, by what they came to", self.calls.clone());
        registry.register_with_unit(
            "engine_request_duration",
            "How long calls to the engine took; those whose answer is a stream, to its beginning",
            Unit::Seconds,
            self.times.clone(),
        );
        registry.register(
            "engine_events",
            "Events that the engine told since this console started",
            self.events.clone(),
        );
        registry.register("jobs", "Jobs that ended, by how", self.jobs.clone());
    }

    /// A call sets out.
    pub(super) fn call<B>(self: &Arc<Self>, request: &Request<B>) -> Call {
        Call {
            meter: self.clone(),
            method: words::method(request.method()),
            endpoint: endpoints::find(request.method().as_str(), request.uri().path())
                .map_or(words::OTHER, |endpoint| endpoint.path),
            began: Instant::now(),
            outcome: "cancelled",
        }
    }

    /// A connection begins to tell events; `now` is the engine's clock.
    pub(super) fn listens(&self, now: Timestamp) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.known = Some(*heard.newest.get_or_insert(now));
    }

    /// The engine told an event.
    pub(super) fn event(&self, event: &Event) {
        {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.known.is_some_and(|known| event.at <= known) {
                return;
            }
            heard.newest = heard.newest.max(Some(event.at));
        }
        let labels = Happened { r#type: words::kind(&event.kind), action: words::action(&event.action) };
        self.events.get_or_create(&labels).inc();
    }

    /// A job ended.
    pub(super) fn job(&self, kind: &'static str, stage: &Stage) {
        let outcome = match stage {
            // One that was interrupted is of an earlier run.
            Stage::Running | Stage::Interrupted => return,
            Stage::Done { .. } => "done",
            Stage::Failed { .. } => "failed",
            Stage::Cancelled => "cancelled",
        };
        self.jobs.get_or_create(&Worked { kind, outcome }).inc();
    }
}

/// A call that is under way. It is counted when it is dropped: as cancelled, where nobody has said how it ended.
#[derive(Debug)]
pub(super) struct Call {
    meter: Arc<Meter>,
    method: &'static str,
    endpoint: &'static str,
    began: Instant,
    outcome: &'static str,
}

impl Call {
    /// It ended: with this status, where nothing else went wrong.
    pub(super) fn end<T>(mut self, result: &Result<T, Error>, status: u16) {
        self.outcome = match result {
            Ok(_) => of_status(status),
            Err(error) => of_error(error),
        };
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Self { meter, method, endpoint, began, outcome } = self;
        meter.calls.get_or_create(&Asked { method, endpoint, outcome }).inc();
        meter.times.get_or_create(&Endpoint { endpoint }).observe(began.elapsed().as_secs_f64());
    }
}

fn of_status(status: u16) -> &'static str {
    match status {
        404 => "not_found",
        409 => "conflict",
        400..=499 | 501 => "refused",
        500.. => "failed",
        _ => "ok",
    }
}

fn of_error(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "not_found",
        Error::Conflict(_) => "conflict",
        Error::Invalid(_) | Error::Denied(_) | Error::Unsupported(_) | Error::Unreadable { .. } => "refused",
        Error::Forbidden(_) | Error::OwnContainer(_) => "refused",
        Error::Engine { status, .. } => of_status((*status).max(400)),
        Error::Unreachable(_) => "unreachable",
        Error::TimedOut { .. } => "timed_out",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;

    use super::*;

    /// What is written, without the help.
    fn told(meter: &Meter) -> Vec<String> {
        let (mut registry, mut text) = (Registry::default(), String::new());
        meter.register(&mut registry);
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a text");
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn what_is_told_again_is_not_counted_again() {
        let (meter, start) = (Meter::default(), Timestamp::UNIX_EPOCH);
        let event = |millis: i64| Event {
            kind: "container".into(),
            action: "die".into(),
            detail: None,
            id: String::new(),
            name: String::new(),
            attributes: BTreeMap::new(),
            at: start + SignedDuration::from_millis(millis),
        };
        let tell = |events: &[i64]| events.iter().for_each(|millis| meter.event(&event(*millis)));
        meter.listens(start);
        // The first is from before this console; the last two come in the wrong order, as they may.
        tell(&[-5_000, 10, 30, 20]);
        assert_eq!(told(&meter), [r#"engine_events_total{type="container",action="die"} 3"#]);
        // The connection breaks; the next one begins a little before.
        meter.listens(start + SignedDuration::from_secs(60));
        tell(&[10, 30, 20, 31, 70_000]);
        assert_eq!(told(&meter), [r#"engine_events_total{type="container",action="die"} 5"#]);
    }

    #[test]
    fn a_call_counts_as_what_came_of_it() {
        let meter = Arc::new(Meter::default());
        let call = || meter.call(&Request::post("/containers/abc/stop?t=5").body(()).expect("a request"));
        let late = Error::TimedOut { what: String::new(), deadline: std::time::Duration::ZERO };
        call().end(&Ok(()), 304);
        call().end(&Ok(()), 204);
        call().end::<()>(&Err(Error::NotFound(String::new())), 404);
        call().end::<()>(&Err(late), 200);
        // Nobody waits for it any more.
        drop(call());
        let mut calls = told(&meter);
        calls.retain(|line| line.starts_with("engine_requests_total"));
        calls.sort();
        let line = |outcome: &str, count: u32| {
            let labels = format!(r#"method="POST",endpoint="/containers/{{id}}/stop",outcome="{outcome}""#);
            format!("engine_requests_total{{{labels}}} {count}")
        };
        assert_eq!(calls, [line("cancelled", 1), line("not_found", 1), line("ok", 2), line("timed_out", 1)]);
        let count = r#"engine_request_duration_seconds_count{endpoint="/containers/{id}/stop"} 5"#;
        assert!(told(&meter).iter().any(|line| line == count));
    }
}

//! Numbers for Prometheus: what was asked of this console is counted here, what it asks of the engine in
//! `engine/meter`, and what there is now is read when somebody asks. No label holds a path, a name or an id.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Router,
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric, prometheus_text, text},
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use tower_http::compression::CompressionLayer;

use super::{Asker, Error, Streams, health, process::Process};
use crate::engine::{Attention, Engine, State as Stands};

/// Bounds of the times of answers, in seconds: pages take milliseconds, what waits for the engine may take its minute.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0, 60.0];
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// All the numbers.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter>,
    times: Family<Route, Histogram>,
}

impl Metrics {
    /// Of this engine, as a whole, and of these live connections.
    pub fn new(engine: Engine, streams: Arc<Streams>) -> Self {
        let mut registry = Registry::default();
        let requests = Family::<Asked, Counter>::default();
        let times: Family<Route, Histogram> = Family::new_with_constructor(|| Histogram::new(SECONDS));
        let ours = registry.sub_registry_with_prefix("wheelhouse");
        ours.register("build", "What is running", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        ours.register("http_requests", "Requests that were answered, by the route that took them", requests.clone());
        ours.register_with_unit(
            "http_request_duration",
            "How long requests took to the beginning of their answers",
            Unit::Seconds,
            times.clone(),
        );
        engine.meter().register(ours);
        ours.register_collector(Box::new(Now { engine, streams }));
        registry.register_collector(Box::new(Process));
        Self { registry, requests, times }
    }

    fn count(&self, method: &Method, route: String, status: StatusCode, took: Duration) {
        self.times.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Asked { method: word(method), route, status: status.as_u16() }).inc();
    }

    /// As `OpenMetrics`; in the older format for who asks for text and does not name that.
    fn answer(&self, headers: &HeaderMap) -> Response {
        let takes = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let is_older = takes.contains("text/plain") && !takes.contains("application/openmetrics-text");
        let mut body = String::new();
        let (kind, drawn) = if is_older {
            (PROMETHEUS, prometheus_text::encode(&mut body, &self.registry))
        } else {
            (OPENMETRICS, text::encode(&mut body, &self.registry))
        };
        match drawn {
            Ok(()) => ([(CONTENT_TYPE, kind)], body).into_response(),
            Err(_) => Error::ours().into_response(),
        }
    }
}

/// Anybody may send any word as a method.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Counts what is asked, around everything.
pub(super) async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    metrics.count(&method, route, response.status(), began.elapsed());
    response
}

/// `GET /metrics`
pub(super) async fn page(
    State(metrics): State<Arc<Metrics>>,
    Extension(asker): Extension<Arc<Asker>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if asker.reach().is_scoped() {
        return Err(Error::new(
            StatusCode::FORBIDDEN,
            "These numbers are about everything here.",
            "What you see is limited to a part, and they tell of the rest, too. It takes a viewer without limits.",
        ));
    }
    Ok(metrics.answer(&headers))
}

/// What there is at the address of the metrics alone: for a network that only the scraper reaches.
pub(super) fn alone(metrics: Arc<Metrics>) -> Router {
    let page = async |State(metrics): State<Arc<Metrics>>, headers: HeaderMap| metrics.answer(&headers);
    Router::new()
        .route("/metrics", get(page))
        .route("/healthz", get(health::healthz))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(metrics.clone(), count))
        .with_state(metrics)
}

/// What there is now.
struct Now {
    engine: Engine,
    streams: Arc<Streams>,
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Now").field("engine", self.engine.address()).finish_non_exhaustive()
    }
}

impl Collector for Now {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let picture = self.engine.picture();
        gauge(&mut to, "streams", "Live connections that are open", self.streams.count())?;
        gauge(&mut to, "jobs_running", "Jobs that have not ended", self.engine.jobs().running())?;
        gauge(&mut to, "engine_up", "Whether the engine answers", u32::from(picture.link.is_live()))?;
        // What is not known to be true is not told: a graph has a gap there, not a line.
        if !picture.link.is_live() {
            return Ok(());
        }
        gauge(&mut to, "volumes", "Volumes that the engine has", picture.volumes.len())?;
        let containers = || picture.containers.values();
        let unknown = containers().filter(|found| matches!(found.state, Stands::Unknown(_))).count();
        let states = Stands::ALL.iter().map(|state| (state.word(), containers().filter(|c| c.state == *state).count()));
        let states = states.chain([("unknown", unknown)]);
        gauges(&mut to, "containers", "Containers that the engine has, by state", "state", states)?;
        let reasons = Attention::ALL
            .iter()
            .map(|reason| (reason.key(), containers().filter(|c| c.attention() == Some(*reason)).count()));
        gauges(&mut to, "containers_attention", "Containers that need attention, by why", "reason", reasons)
    }
}

fn gauge(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
    tell(to, name, help, None, &ConstGauge::new(value))
}

/// Tells a number that is read now. What is registered gets the full stop after its help by itself.
pub(super) fn tell(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(to.encode_descriptor(name, &format!("{help}."), unit, metric.metric_type())?)
}

/// One for each value of a label.
fn gauges<'a>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &'static str,
    values: impl Iterator<Item = (&'a str, usize)>,
) -> fmt::Result {
    let kind = ConstGauge::new(0).metric_type();
    let mut family = to.encode_descriptor(name, &format!("{help}."), None, kind)?;
    for (word, value) in values {
        ConstGauge::new(value).encode(family.encode_family(&[(label, word)])?)?;
    }
    Ok(())
}

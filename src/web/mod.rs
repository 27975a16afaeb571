//! How it looks: pages, fragments and forms over the engine. `SECTIONS` is the one list that navigation and routes
//! follow; the layers below stand around every request.

mod accept;
mod activity;
mod address;
mod answer;
mod api;
mod asker;
mod assets;
mod attachment;
mod audit;
mod build;
mod check;
mod chrome;
mod client;
mod containers;
mod cookie;
mod deed;
mod doc;
mod error;
mod events;
mod extract;
mod fields;
mod files;
mod filters;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod go;
mod health;
pub mod html;
mod images;
mod jobs;
mod logs;
mod metrics;
mod moment;
mod networks;
mod order;
mod overview;
mod people;
mod prefix;
mod process;
mod registries;
mod routes;
mod screen;
mod security;
mod serve;
mod session;
mod shell;
mod shells;
mod socket;
mod stream;
mod system;
mod terminals;
mod theme;
mod volumes;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRef,
    http::{Extensions, HeaderMap, StatusCode, Version, header::CONTENT_DISPOSITION},
    middleware,
};
use tower::util::option_layer;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, DefaultPredicate, Predicate},
};

use self::prefix::Prefix;
pub use self::{
    asker::{Asker, Rules},
    assets::asset,
    client::Client,
    error::Error,
    metrics::Metrics,
    routes::{Route, Routes},
    security::Guards,
    serve::{Listeners, raise_file_limit, serve},
    shells::Shells,
    stream::Streams,
    wire::Wire,
};
use crate::{
    engine::{Engine, Picture},
    team::{Right, Team},
};

/// The largest body of a request: forms are small, uploads get a limit of their own.
const BODY: usize = 1 << 20;

/// A part of the console: its place in the navigation, and its routes.
pub struct Section {
    /// Where it starts.
    pub path: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// The heading that it stands under in the navigation; none at the top.
    pub group: Option<&'static str>,
    /// What to count beside the name.
    pub count: Option<fn(&Picture) -> usize>,
    /// Who sees it in the navigation.
    pub right: Right,
    /// Its routes, with full paths.
    routes: fn() -> Routes,
}

/// All parts of the console, in the order of the navigation.
pub static SECTIONS: &[Section] = &[
    Section { path: "/", label: "Overview", group: None, count: None, right: Right::Look, routes: overview::routes },
    Section {
        path: "/containers",
        label: "Containers",
        group: None,
        count: Some(|picture| picture.containers.len()),
        right: Right::Look,
        routes: containers::routes,
    },
    Section { path: "/logs", label: "Logs", group: None, count: None, right: Right::Look, routes: logs::routes },
    Section {
        path: "/images",
        label: "Images",
        group: None,
        count: Some(|picture| picture.images.len()),
        right: Right::Look,
        routes: images::routes,
    },
    Section {
        path: "/volumes",
        label: "Volumes",
        group: None,
        count: Some(|picture| picture.volumes.len()),
        right: Right::Look,
        routes: volumes::routes,
    },
    Section {
        path: "/networks",
        label: "Networks",
        group: None,
        count: Some(|picture| picture.networks.len()),
        right: Right::Look,
        routes: networks::routes,
    },
    Section { path: "/build", label: "Build", group: None, count: None, right: Right::Build, routes: build::routes },
    Section {
        path: "/registries",
        label: "Registries",
        group: None,
        count: None,
        right: Right::Registries,
        routes: registries::routes,
    },
    Section {
        path: "/engine",
        label: "Engine",
        group: Some("Engine"),
        count: None,
        right: Right::Look,
        routes: system::routes,
    },
    Section {
        path: "/events",
        label: "Events",
        group: Some("Engine"),
        count: None,
        right: Right::Look,
        routes: events::routes,
    },
    Section {
        path: "/jobs",
        label: "Jobs",
        group: Some("Engine"),
        count: None,
        right: Right::Look,
        routes: jobs::routes,
    },
    Section {
        path: "/terminals",
        label: "Terminals",
        group: Some("Engine"),
        count: None,
        right: Right::Enter,
        routes: terminals::routes,
    },
    Section {
        path: "/activity",
        label: "Activity",
        group: Some("Team"),
        count: None,
        right: Right::Look,
        routes: activity::routes,
    },
    Section {
        path: "/people",
        label: "People",
        group: Some("Team"),
        count: None,
        right: Right::People,
        routes: people::routes,
    },
    Section {
        path: "/audit",
        label: "Audit",
        group: Some("Team"),
        count: None,
        right: Right::Audit,
        routes: audit::routes,
    },
    Section {
        path: "/api",
        label: "For scripts",
        group: Some("Team"),
        count: None,
        right: Right::Look,
        routes: api::routes,
    },
];

/// What handlers work with; each takes the part that it needs.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The engine.
    pub engine: Engine,
    /// The live connections.
    pub streams: Arc<Streams>,
    /// Who may ask.
    pub guards: Arc<Guards>,
    /// Whether it is encrypted.
    pub wire: Wire,
    /// The people.
    pub team: Team,
    /// What the settings say about them.
    pub rules: Arc<Rules>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The open terminals.
    pub shells: Arc<Shells>,
}

/// All routes, each with the right that it asks for.
pub fn routes() -> Routes {
    let routes = Routes::new()
        .open_get("/healthz", health::healthz)
        .open_get("/readyz", health::readyz)
        .get("/metrics", Right::Look, metrics::page)
        .open_get("/assets/{name}", assets::serve)
        .open_post("/theme", theme::set)
        .and(go::routes())
        .and(session::routes());
    SECTIONS.iter().fold(routes, |routes, section| routes.and((section.routes)()))
}

/// Whether it is read here: what is saved goes as fast as it comes.
fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(CONTENT_DISPOSITION)
}

/// The whole console. Layers, outermost first: everything is counted; compression; paths as they are outside; headers on everything; who is
/// asking; errors drawn; a panic becomes an error; is the Host ours; is it encrypted; does a write come from ourselves; each
/// route then looks whether the body is small enough.
fn router(state: AppState, prefix: Option<Prefix>) -> Router {
    routes()
        .into_router(&state)
        .fallback(async || {
            Error::not_found(
                "There is no such page.",
                "The address may be mistyped, or from another version of this console.",
            )
        })
        .method_not_allowed_fallback(async || Error::method_not_allowed())
        .layer(middleware::from_fn_with_state(state.clone(), security::same_origin))
        .layer(middleware::from_fn_with_state(state.clone(), wire::encrypted))
        .layer(middleware::from_fn_with_state(state.clone(), security::known_host))
        .layer(CatchPanicLayer::custom(error::caught))
        .layer(middleware::from_fn_with_state(state.clone(), error::draw))
        .layer(middleware::from_fn_with_state(state.clone(), asker::identify))
        .layer(middleware::from_fn_with_state(state.clone(), security::headers))
        .layer(option_layer(prefix.map(|prefix| middleware::map_response_with_state(prefix, prefix::put))))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_page)))
        .layer(middleware::from_fn_with_state(state.clone(), metrics::count))
        .with_state(state)
}

//! How it looks: pages, fragments and forms over the engine. `SECTIONS` is the one list that navigation and routes
//! follow; the layers below stand around every request.

mod assets;
mod chrome;
mod client;
mod containers;
mod error;
mod events;
mod extract;
mod filters;
mod health;
pub mod html;
mod jobs;
mod order;
mod overview;
mod prefix;
mod security;
mod serve;
mod stream;
mod theme;
mod volumes;
mod wire;

use std::sync::Arc;

use axum::{Router, extract::FromRef, middleware, routing::get};
use tower::util::option_layer;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer};

use self::prefix::Prefix;
pub use self::{
    assets::asset,
    client::Client,
    error::Error,
    security::Guards,
    serve::{raise_file_limit, serve},
    stream::Streams,
    wire::Wire,
};
use crate::engine::{Engine, Picture};

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
    /// Its routes, with full paths.
    routes: fn() -> Router<AppState>,
}

/// All parts of the console, in the order of the navigation.
pub static SECTIONS: &[Section] = &[
    Section { path: "/", label: "Overview", group: None, count: None, routes: overview::routes },
    Section {
        path: "/containers",
        label: "Containers",
        group: None,
        count: Some(|picture| picture.containers.len()),
        routes: containers::routes,
    },
    Section {
        path: "/volumes",
        label: "Volumes",
        group: None,
        count: Some(|picture| picture.volumes.len()),
        routes: volumes::routes,
    },
    Section { path: "/events", label: "Events", group: Some("Engine"), count: None, routes: events::routes },
    Section { path: "/jobs", label: "Jobs", group: Some("Engine"), count: None, routes: jobs::routes },
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
}

/// The whole console. Layers, outermost first: compression; paths as they are outside; headers on everything; errors
/// drawn; a panic becomes an error; is the Host ours; is it encrypted; does a write come from ourselves; is the body
/// small enough.
fn router(state: AppState, prefix: Option<Prefix>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/assets/{name}", get(assets::serve))
        .route("/theme", axum::routing::post(theme::set));
    for section in SECTIONS {
        router = router.merge((section.routes)());
    }
    router
        .fallback(async || {
            Error::not_found(
                "There is no such page.",
                "The address may be mistyped, or from another version of this console.",
            )
        })
        .method_not_allowed_fallback(async || Error::method_not_allowed())
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(middleware::from_fn_with_state(state.clone(), security::same_origin))
        .layer(middleware::from_fn_with_state(state.clone(), wire::encrypted))
        .layer(middleware::from_fn_with_state(state.clone(), security::known_host))
        .layer(CatchPanicLayer::custom(error::caught))
        .layer(middleware::from_fn_with_state(state.clone(), error::draw))
        .layer(middleware::from_fn_with_state(state.clone(), security::headers))
        .layer(option_layer(prefix.map(|prefix| middleware::map_response_with_state(prefix, prefix::put))))
        .layer(CompressionLayer::new())
        .with_state(state)
}

//! Routes, each with the right that it asks for. A route without one cannot be made by mistake: that it is open to
//! everybody has to be said.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    handler::Handler,
    middleware::{self, Next},
    routing::{MethodFilter, MethodRouter, get, on, post},
};

use tower_http::limit::RequestBodyLimitLayer;

use super::{AppState, asker, check, doc::Doc, socket};
use crate::team::Right;

/// A route as it is listed: for the table, for tests, for the description of the API.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// With its parameters, as `/containers/{id}`.
    pub path: &'static str,
    /// What it asks for; none for the few that are open to everybody.
    pub right: Option<Right>,
    /// Whether it is a live connection both ways.
    pub is_socket: bool,
    /// What scripts are told of it: several, where it stands for several.
    pub(super) docs: Vec<Arc<Doc>>,
    /// How many bytes its body may have; what takes files counts them itself.
    body: usize,
}

/// Routes that are being put together.
#[derive(Default)]
pub struct Routes {
    list: Vec<Route>,
    /// What each of the list does, in its order.
    handlers: Vec<MethodRouter<AppState>>,
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `GET path`, for who has this right.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, right: Right, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add("GET", path, Some(right), get(handler))
    }

    /// `POST path`, for who has this right.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, right: Right, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add("POST", path, Some(right), post(handler))
    }

    /// `GET path`, for everybody, strangers included.
    #[must_use]
    pub fn open_get<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add("GET", path, None, get(handler))
    }

    /// `POST path`, for everybody, strangers included.
    #[must_use]
    pub fn open_post<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add("POST", path, None, post(handler))
    }

    /// A live connection both ways at `path`, for who has this right and comes from a page of ours: `GET` and, in HTTP/2,
    /// `CONNECT`.
    #[must_use]
    pub fn socket<H, T>(self, path: &'static str, right: Right, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let mut routes = self.add("GET", path, Some(right), on(MethodFilter::GET.or(MethodFilter::CONNECT), handler));
        if let Some(route) = routes.list.last_mut() {
            route.is_socket = true;
        }
        routes
    }

    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        right: Option<Right>,
        route: MethodRouter<AppState>,
    ) -> Self {
        self.list.push(Route { method, path, right, is_socket: false, docs: Vec::new(), body: super::BODY });
        self.handlers.push(route);
        self
    }

    /// What scripts are told of the route before.
    #[must_use]
    pub(super) fn doc(self, doc: Doc) -> Self {
        self.docs([doc])
    }

    /// The same, where it stands for several.
    #[must_use]
    pub(super) fn docs(mut self, docs: impl IntoIterator<Item = Doc>) -> Self {
        if let Some(route) = self.list.last_mut() {
            route.docs.extend(docs.into_iter().map(Arc::new));
        }
        self
    }

    /// The route before takes a body of so many bytes, more than a form has.
    #[must_use]
    pub(super) fn takes(mut self, bytes: usize) -> Self {
        if let Some(route) = self.list.last_mut() {
            route.body = bytes;
        }
        self
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.list.extend(others.list);
        self.handlers.extend(others.handlers);
        self
    }

    /// All of them, as they are listed.
    pub fn list(&self) -> &[Route] {
        &self.list
    }

    /// Each with its gate, and within that what is held to its description.
    pub(super) fn into_router(self, state: &AppState) -> Router<AppState> {
        self.list.into_iter().zip(self.handlers).fold(Router::new(), |router, (route, handler)| {
            let docs: Arc<[Arc<Doc>]> = route.docs.into();
            let handler = if docs.is_empty() {
                handler
            } else {
                handler.route_layer(middleware::from_fn(move |request: Request, next: Next| {
                    check::address(docs.clone(), request, next)
                }))
            };
            let handler = if route.is_socket {
                handler.route_layer(middleware::from_fn_with_state(state.clone(), socket::from_us))
            } else {
                handler
            };
            let handler = match route.right {
                Some(right) => handler.route_layer(middleware::from_fn(move |request: Request, next: Next| {
                    asker::gate(right, request, next)
                })),
                None => handler,
            };
            // axum has a limit of its own besides: ours is the one that counts.
            let handler = handler.route_layer(DefaultBodyLimit::disable());
            let handler = handler.route_layer(RequestBodyLimitLayer::new(route.body));
            router.route(route.path, handler)
        })
    }
}

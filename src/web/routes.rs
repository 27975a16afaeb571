//! Routes, each with the right that it asks for. A route without one cannot be made by mistake: that it is open to
//! everybody has to be said.

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    middleware::{self, Next},
    routing::{MethodRouter, get, post},
};

use super::{AppState, asker};
use crate::team::Right;

/// A route as it is listed: for the table, for tests, for the description of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// With its parameters, as `/containers/{id}`.
    pub path: &'static str,
    /// What it asks for; none for the few that are open to everybody.
    pub right: Option<Right>,
}

/// Routes that are being put together.
#[derive(Default)]
pub struct Routes {
    router: Router<AppState>,
    list: Vec<Route>,
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

    fn add(mut self, method: &'static str, path: &'static str, right: Option<Right>, route: MethodRouter<AppState>) -> Self {
        let route = match right {
            Some(right) => {
                route.route_layer(middleware::from_fn(move |request: Request, next: Next| asker::gate(right, request, next)))
            }
            None => route,
        };
        self.list.push(Route { method, path, right });
        Self { router: self.router.route(path, route), list: self.list }
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.list.extend(others.list);
        Self { router: self.router.merge(others.router), list: self.list }
    }

    /// All of them, as they are listed.
    pub fn list(&self) -> &[Route] {
        &self.list
    }

    pub(super) fn into_router(self) -> Router<AppState> {
        self.router
    }
}

//! For scripts: a page that tells them everything, and the same as an OpenAPI description.

mod openapi;
mod page;

use std::sync::LazyLock;

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use utoipa::openapi::{OpenApi, Server};

use super::{Error, Routes, extract::Page};
use crate::team::Right;

pub(super) fn routes() -> Routes {
    Routes::new().get("/api", Right::Look, page::page).get("/openapi.json", Right::Look, description)
}

static DESCRIPTION: LazyLock<OpenApi> = LazyLock::new(|| openapi::describe(super::routes().list()));

/// `GET /openapi.json`
async fn description(page: Page) -> Result<Response, Error> {
    let mut described = DESCRIPTION.clone();
    described.servers = Some(vec![Server::new(page.whole(""))]);
    let text = described.to_json().map_err(|_| Error::ours())?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

#[cfg(test)]
mod tests {
    /// What is not for scripts, and why.
    const NOT_FOR_SCRIPTS: &[(&str, &str)] = &[
        ("GET /healthz", "for orchestrators, open to all"),
        ("GET /readyz", "for orchestrators, open to all"),
        ("GET /assets/{name}", "a file"),
        ("POST /theme", "a browser's"),
        ("GET /go/found", "a part of a page: /go has the same"),
        ("GET /login", "people sign in; scripts have tokens"),
        ("POST /login", "people sign in; scripts have tokens"),
        ("POST /login/code", "people sign in; scripts have tokens"),
        ("GET /login/oidc", "people sign in; scripts have tokens"),
        ("GET /login/oidc/callback", "people sign in; scripts have tokens"),
        ("POST /logout", "people sign out; tokens are revoked"),
        ("GET /setup", "a one-time link for people"),
        ("POST /setup", "a one-time link for people"),
        ("GET /me/second-factor", "has a picture for a person's phone"),
        ("POST /me/second-factor", "has a picture for a person's phone"),
        ("POST /me/second-factor/remove", "a person's"),
        ("GET /stream", "a live page"),
        ("GET /containers/stream", "a live page"),
        ("POST /containers/new/network", "goes on with a page's form: scripts have POST /networks"),
        ("GET /containers/{id}/stream", "a live page"),
        ("GET /containers/{id}/head/stream", "a live page"),
        ("GET /logs/stream", "a live page: /logs has the lines"),
        ("GET /logs/search", "a live page: /logs and /logs/download search, too"),
        ("GET /containers/{id}/stats/stream", "a live page"),
        ("GET /containers/{id}/terminal", "a page with a terminal: scripts have docker exec"),
        ("POST /containers/{id}/terminal", "opens a terminal for that page"),
        ("GET /containers/{id}/attach", "a page with a terminal: scripts have docker attach"),
        ("POST /containers/{id}/attach", "opens a terminal for that page"),
        ("GET /containers/{id}/terminal/socket", "the live connection of a terminal"),
        ("GET /containers/{id}/health/stream", "a live page"),
        ("GET /containers/{id}/history/stream", "a live page"),
        ("GET /containers/{id}/processes/stream", "a live page"),
        ("GET /images/stream", "a live page"),
        ("GET /images/save", "a form: /images/save.tar has the file"),
        ("GET /images/load", "a form"),
        ("POST /images/load", "a file, as multipart/form-data"),
        ("GET /images/import", "a form"),
        ("POST /images/import", "a file, as multipart/form-data"),
        ("GET /volumes/stream", "a live page"),
        ("GET /networks/stream", "a live page"),
        ("GET /networks/{id}/stream", "a live page"),
        ("GET /networks/map/stream", "a live page"),
        ("GET /networks/ports/stream", "a live page"),
        ("GET /events/stream", "a live page"),
        ("GET /engine/disk/stream", "a live page"),
        ("POST /engine/notices", "what a browser has put away"),
        ("GET /jobs/stream", "a live page"),
        ("GET /jobs/{id}/stream", "a live page"),
        ("GET /containers/{id}/inspect.json", "a file: /containers/{id}/inspect has the same"),
        ("GET /containers/{id}/files/download", "a file"),
        ("POST /build/upload", "a folder or a tar, as multipart/form-data"),
        ("POST /containers/{id}/files/upload", "a file, as multipart/form-data"),
        ("GET /containers/{id}/files/edit", "a form: GET /containers/{id}/files has the text"),
        ("GET /containers/{id}/files/rename", "a form"),
        ("GET /volumes/{name}/files/download", "a file"),
        ("POST /volumes/{name}/files/upload", "a file, as multipart/form-data"),
        ("GET /volumes/{name}/files/edit", "a form: GET /volumes/{name}/files has the text"),
        ("GET /volumes/{name}/files/rename", "a form"),
        ("GET /volumes/{name}/backup", "a file"),
        ("GET /volumes/{name}/restore", "a form"),
        ("POST /volumes/{name}/restore", "a file, as multipart/form-data"),
        ("GET /metrics", "for Prometheus, in its own format"),
        ("GET /api", "this page"),
        ("GET /openapi.json", "the description itself"),
    ];
    const FILES: &[&str] = &[
        "GET /activity.sh",
        "GET /audit.jsonl",
        "GET /audit.csv",
        "GET /events.jsonl",
        "GET /containers/{id}/export.tar",
        "GET /containers/{id}/compose.yaml",
        "GET /logs/download",
        "GET /images/save.tar",
    ];

    #[test]
    fn every_route_is_told_to_scripts_or_named_as_none_of_theirs() {
        let routes = crate::web::routes();
        let name = |route: &crate::web::Route| format!("{} {}", route.method, route.path);
        let silent: Vec<String> = routes.list().iter().filter(|route| route.docs.is_empty()).map(name).collect();
        let named = || NOT_FOR_SCRIPTS.iter().map(|(route, _)| *route).chain(FILES.iter().copied());
        let forgotten: Vec<_> = silent.iter().filter(|route| !named().any(|known| known == **route)).collect();
        assert!(forgotten.is_empty(), "say what they do, with .doc(...) in their routes(): {forgotten:#?}");
        let gone: Vec<_> = named().filter(|known| !silent.iter().any(|route| route == known)).collect();
        assert!(gone.is_empty(), "no such routes, or they are told of: {gone:#?}");
    }
}

//! The gateway to the engine: every endpoint that this console calls. The wire sends nothing else, whatever a handler,
//! a crate or an address may come up with (S035).

/// Who may have it called, at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The console itself, for the picture that everybody's pages are drawn from, and who looks at it.
    Viewer,
    /// Who runs the life cycle.
    Operator,
}

/// An endpoint of the engine's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET`, `HEAD`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Its path without version and query; what varies stands in braces.
    pub path: &'static str,
    /// For whom.
    pub caller: Caller,
}

const fn look(path: &'static str) -> Endpoint {
    Endpoint { method: "GET", path, caller: Caller::Viewer }
}

const fn act(method: &'static str, path: &'static str) -> Endpoint {
    Endpoint { method, path, caller: Caller::Operator }
}

/// All of them; fixed paths before those that vary. Source of the paths:
/// <https://docs.docker.com/reference/api/engine/version/v1.51/>
pub const ENDPOINTS: &[Endpoint] = &[
    look("/_ping"),
    look("/version"),
    look("/info"),
    look("/events"),
    look("/containers/json"),
    look("/containers/{id}/json"),
    look("/containers/{id}/stats"),
    look("/containers/{id}/logs"),
    look("/containers/{id}/top"),
    look("/containers/{id}/changes"),
    look("/images/json"),
    look("/images/{name}/json"),
    look("/images/{name}/history"),
    look("/volumes"),
    look("/volumes/{name}"),
    look("/networks"),
    look("/networks/{id}"),
    act("GET", "/system/df"),
    act("POST", "/containers/create"),
    act("POST", "/containers/{id}/start"),
    act("POST", "/containers/{id}/stop"),
    act("POST", "/containers/{id}/restart"),
    act("POST", "/containers/{id}/kill"),
    act("POST", "/containers/{id}/pause"),
    act("POST", "/containers/{id}/unpause"),
    act("POST", "/containers/{id}/rename"),
    act("POST", "/containers/{id}/update"),
    // podman has that in its own API only.
    act("POST", "/libpod/containers/{id}/update"),
    act("POST", "/containers/{id}/attach"),
    act("POST", "/containers/{id}/resize"),
    act("POST", "/containers/{id}/exec"),
    act("POST", "/exec/{id}/start"),
    act("POST", "/exec/{id}/resize"),
    act("GET", "/exec/{id}/json"),
    act("HEAD", "/containers/{id}/archive"),
    act("GET", "/containers/{id}/archive"),
    act("PUT", "/containers/{id}/archive"),
    act("GET", "/containers/{id}/export"),
    act("POST", "/commit"),
    act("DELETE", "/containers/{id}"),
    // A link of the old kind goes by the name that it gave.
    act("DELETE", "/containers/{name}/{link}"),
    act("GET", "/images/search"),
    act("GET", "/distribution/{name}/json"),
    act("GET", "/images/get"),
    act("POST", "/images/create"),
    act("POST", "/images/load"),
    act("POST", "/images/{name}/tag"),
    act("POST", "/images/{name}/push"),
    act("POST", "/auth"),
    act("POST", "/build"),
    // The builder asks on it how to sign in to a registry; nothing else is answered there.
    act("POST", "/session"),
    act("POST", "/volumes/create"),
    act("DELETE", "/volumes/{name}"),
    act("POST", "/networks/create"),
    act("POST", "/networks/{id}/connect"),
    act("POST", "/networks/{id}/disconnect"),
    act("DELETE", "/networks/{id}"),
    act("DELETE", "/images/{name}"),
    act("POST", "/build/prune"),
];

/// The endpoint that a call goes to; `path` is without version and query. None for what this console does not call.
pub(super) fn find(method: &str, path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.method == method && fits(endpoint.path, path))
}

fn fits(endpoint: &str, path: &str) -> bool {
    let fine = |part: &str| !matches!(&*part.to_ascii_lowercase().replace("%2e", "."), "" | "." | "..");
    // The names of images have slashes in them; no segment leads upwards.
    for of_images in ["/images/", "/distribution/"] {
        if let Some(after) = endpoint.strip_prefix(of_images).and_then(|rest| rest.strip_prefix("{name}")) {
            let name = path.strip_prefix(of_images).and_then(|rest| rest.strip_suffix(after));
            return name.is_some_and(|name| name.split('/').all(fine));
        }
    }
    let same = |(part, asked): (&str, &str)| part == asked || part.starts_with('{') && fine(asked);
    endpoint.split('/').count() == path.split('/').count() && endpoint.split('/').zip(path.split('/')).all(same)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The README's table of endpoints, drawn from the table.
    fn table() -> String {
        let mut rows = String::from("| Endpoint | viewer | operator, admin |\n|---|---|---|\n");
        for Endpoint { method, path, caller } in ENDPOINTS {
            let viewer = if *caller == Caller::Viewer { "yes" } else { "" };
            let _ = writeln!(rows, "| `{method} {path}` | {viewer} | yes |");
        }
        rows
    }

    #[test]
    fn s035_the_readme_has_the_table() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&table()), "put this between the README's endpoints marks:\n{}", table());
    }

    #[test]
    fn s035_nothing_else_is_called() {
        let id = "f".repeat(64);
        let found = |method: &str, path: &str| find(method, path).map(|endpoint| endpoint.path);
        for (method, path, template) in [
            ("GET", "/containers/json", "/containers/json"),
            ("DELETE", &*format!("/containers/{id}"), "/containers/{id}"),
            ("POST", &*format!("/containers/{id}/stop"), "/containers/{id}/stop"),
            ("GET", "/images/a/b/json", "/images/{name}/json"),
            ("GET", "/images/localhost%3A5000/x/push/json", "/images/{name}/json"),
            ("GET", "/images/json", "/images/json"),
            ("DELETE", "/images/a/b%3A1", "/images/{name}"),
            ("GET", "/distribution/a/b/json", "/distribution/{name}/json"),
            ("DELETE", "/volumes/data", "/volumes/{name}"),
            ("DELETE", "/containers/web/store", "/containers/{name}/{link}"),
        ] {
            assert_eq!(found(method, path), Some(template), "{path}");
        }
        for (method, path) in [
            ("POST", "/containers/x/archive"),
            ("GET", "/containers/x/attach/ws"),
            ("GET", "/containers/x/exec"),
            ("PUT", "/containers/x/files"),
            ("GET", "/plugins"),
            ("POST", "/plugins/pull"),
            ("GET", "/swarm"),
            ("GET", "/secrets"),
            ("GET", "/configs"),
            ("GET", "/session"),
            ("POST", "/grpc"),
            ("DELETE", "/containers/../volumes/v"),
            ("GET", "/images/../secrets/json"),
            ("DELETE", "/images/../volumes/v"),
            ("GET", "/distribution/../secrets/json"),
            ("GET", "/volumes/%2e%2E"),
            ("POST", "/containers//stop"),
            ("POST", "/containers/x/stop/now"),
            ("POST", "/containers/json"),
            ("GET", ""),
        ] {
            assert_eq!(found(method, path), None, "{method} {path}");
        }
        // Each is its own: none stands behind one that takes its path.
        for endpoint in ENDPOINTS {
            assert_eq!(find(endpoint.method, endpoint.path), Some(endpoint));
        }
    }
}

//! The words that labels may be.

use hyper::Method;

/// Whatever is in no list.
const OTHER: &str = "other";

/// The paths of the engine's API, fixed parts before those that vary. Source:
/// <https://docs.docker.com/reference/api/engine/version/v1.51/>
const ENDPOINTS: &[&str] = &[
    "/_ping",
    "/version",
    "/info",
    "/events",
    "/auth",
    "/system/df",
    "/containers/json",
    "/containers/create",
    "/containers/prune",
    "/containers/{id}",
    "/containers/{id}/json",
    "/containers/{id}/start",
    "/containers/{id}/stop",
    "/containers/{id}/restart",
    "/containers/{id}/kill",
    "/containers/{id}/pause",
    "/containers/{id}/unpause",
    "/containers/{id}/rename",
    "/containers/{id}/update",
    "/containers/{id}/wait",
    "/containers/{id}/logs",
    "/containers/{id}/stats",
    "/containers/{id}/top",
    "/containers/{id}/changes",
    "/containers/{id}/export",
    "/containers/{id}/archive",
    "/containers/{id}/attach",
    "/containers/{id}/resize",
    "/containers/{id}/exec",
    "/exec/{id}/start",
    "/exec/{id}/resize",
    "/exec/{id}/json",
    "/images/json",
    "/images/create",
    "/images/load",
    "/images/get",
    "/images/search",
    "/images/prune",
    "/images/{name}/json",
    "/images/{name}/history",
    "/images/{name}/push",
    "/images/{name}/tag",
    "/images/{name}/get",
    "/images/{name}",
    "/distribution/{name}/json",
    "/build",
    "/build/prune",
    "/commit",
    "/volumes",
    "/volumes/create",
    "/volumes/prune",
    "/volumes/{name}",
    "/networks",
    "/networks/create",
    "/networks/prune",
    "/networks/{id}",
    "/networks/{id}/connect",
    "/networks/{id}/disconnect",
    "/swarm",
    "/swarm/init",
    "/swarm/join",
    "/swarm/leave",
    "/swarm/update",
    "/swarm/unlock",
    "/swarm/unlockkey",
    "/nodes",
    "/nodes/{id}",
    "/nodes/{id}/update",
    "/services",
    "/services/create",
    "/services/{id}",
    "/services/{id}/update",
    "/services/{id}/logs",
    "/tasks",
    "/tasks/{id}",
    "/tasks/{id}/logs",
    "/secrets",
    "/secrets/create",
    "/secrets/{id}",
    "/secrets/{id}/update",
    "/configs",
    "/configs/create",
    "/configs/{id}",
    "/configs/{id}/update",
    "/plugins",
];

/// The kinds of things that events happen to. Source: moby, `api/types/events`; podman has pods besides.
const KINDS: &[&str] = &[
    "container",
    "image",
    "volume",
    "network",
    "plugin",
    "daemon",
    "service",
    "node",
    "secret",
    "config",
    "builder",
    "pod",
    "system",
];

/// What happens to them, without the details that some carry after a colon. Source: the same, and podman's
/// `libpod/events`.
const ACTIONS: &[&str] = &[
    "archive-path",
    "attach",
    "checkpoint",
    "cleanup",
    "commit",
    "connect",
    "copy",
    "create",
    "delete",
    "destroy",
    "detach",
    "die",
    "disable",
    "disconnect",
    "enable",
    "exec",
    "exec_create",
    "exec_detach",
    "exec_die",
    "exec_died",
    "exec_start",
    "export",
    "extract-to-dir",
    "health_status",
    "import",
    "init",
    "install",
    "kill",
    "load",
    "mount",
    "oom",
    "pause",
    "prune",
    "pull",
    "push",
    "refresh",
    "reload",
    "remove",
    "rename",
    "resize",
    "restart",
    "restore",
    "save",
    "start",
    "stop",
    "sync",
    "tag",
    "top",
    "unmount",
    "unpause",
    "untag",
    "update",
];

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "HEAD"];

fn known(list: &[&'static str], word: &str) -> &'static str {
    list.iter().find(|known| **known == word).copied().unwrap_or(OTHER)
}

pub(super) fn method(method: &Method) -> &'static str {
    known(METHODS, method.as_str())
}

pub(super) fn kind(kind: &str) -> &'static str {
    known(KINDS, kind)
}

pub(super) fn action(action: &str) -> &'static str {
    known(ACTIONS, action)
}

/// The path of a call, with what varies in braces; `path` is without version and query.
pub(super) fn endpoint(path: &str) -> &'static str {
    ENDPOINTS.iter().find(|endpoint| fits(endpoint, path)).copied().unwrap_or(OTHER)
}

fn fits(endpoint: &str, path: &str) -> bool {
    let Some((before, rest)) = endpoint.split_once('{') else { return endpoint == path };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let varies = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    // The names of images have slashes in them.
    let may_be_deep = matches!(before, "/images/" | "/distribution/");
    varies.is_some_and(|part| !part.is_empty() && (may_be_deep || !part.contains('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_in_a_path_is_no_label() {
        let id = "f".repeat(64);
        for (path, template) in [
            ("/_ping", "/_ping"),
            ("/containers/json", "/containers/json"),
            (&format!("/containers/{id}"), "/containers/{id}"),
            (&format!("/containers/{id}/stop"), "/containers/{id}/stop"),
            ("/containers/web%2Falias", "/containers/{id}"),
            ("/images/a/b/json", "/images/{name}/json"),
            ("/images/json/json", "/images/{name}/json"),
            ("/images/localhost%3A5000/x/push/json", "/images/{name}/json"),
            ("/volumes/data", "/volumes/{name}"),
            ("/volumes/json", "/volumes/{name}"),
            ("/containers//stop", OTHER),
            ("/containers/x/stop/now", OTHER),
            ("/volumes/a/b", OTHER),
            ("/v1.51/info", OTHER),
            ("", OTHER),
        ] {
            assert_eq!(endpoint(path), template, "{path}");
        }
        // Each is its own: none stands behind one that takes its path.
        for template in ENDPOINTS {
            assert_eq!(endpoint(template), *template);
        }
    }

    #[test]
    fn unknown_words_are_other() {
        assert_eq!((kind("container"), action("exec_start")), ("container", "exec_start"));
        assert_eq!((kind("hunter2"), action("exec_start: echo hunter2")), (OTHER, OTHER));
        assert_eq!((method(&Method::POST), method(&Method::TRACE)), ("POST", OTHER));
    }
}

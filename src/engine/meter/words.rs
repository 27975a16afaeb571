//! The words that labels may be.

use hyper::Method;

/// Whatever is in no list.
pub(super) const OTHER: &str = "other";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_other() {
        assert_eq!((kind("container"), action("exec_start")), ("container", "exec_start"));
        assert_eq!((kind("hunter2"), action("exec_start: echo hunter2")), (OTHER, OTHER));
        assert_eq!((method(&Method::POST), method(&Method::TRACE)), ("POST", OTHER));
    }
}

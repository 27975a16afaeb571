//! What of a running container the engine's archive does not show: it has the layers and what is mounted from the host or a
//! volume, not the memory that is mounted over them (`--tmpfs`, `/dev`, `/proc`, `/sys`). It would read and write what lies
//! hidden beneath; `docker cp` has the same limit. Commands that run inside see it.

use serde_json::Value;

use super::FilePath;

/// What the kernel and the runtime mount in every container. Source: the OCI runtime specification for Linux,
/// "Default Filesystems".
const ALWAYS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What is mounted in a container, and whether that is memory.
#[derive(Debug, Default)]
pub(super) struct Mounts(Vec<(String, bool)>);

impl Mounts {
    /// Those that the engine's inspection tells of.
    pub(super) fn of(inspected: &Value) -> Self {
        let mut all: Vec<(String, bool)> = ALWAYS.iter().map(|at| ((*at).to_owned(), true)).collect();
        let options = inspected.pointer("/HostConfig/Tmpfs").and_then(Value::as_object);
        all.extend(options.into_iter().flat_map(|all| all.keys()).map(|at| (at.clone(), true)));
        for mount in inspected.get("Mounts").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| mount.get(name).and_then(Value::as_str).unwrap_or_default();
            all.push((text("Destination").to_owned(), text("Type") == "tmpfs"));
        }
        for (at, _) in &mut all {
            at.truncate(at.trim_end_matches('/').len());
        }
        Self(all)
    }

    /// Whether the kernel makes up what is read there.
    pub(super) fn are_of_kernel(path: &FilePath) -> bool {
        path.steps().get(1).is_some_and(|first| matches!(first.as_str(), "/proc" | "/sys"))
    }

    /// Whether what is in this folder is in memory.
    pub(super) fn hold(&self, folder: &FilePath) -> bool {
        let over = self.0.iter().filter(|(at, _)| {
            folder.as_str().strip_prefix(at.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        // The deepest counts: a volume may be mounted below memory, and memory below a volume.
        over.max_by_key(|(at, _)| at.len()).is_some_and(|(_, is_memory)| *is_memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_counts() {
        let mounts = Mounts::of(&serde_json::json!({
            "HostConfig": { "Tmpfs": { "/run/": "" } },
            "Mounts": [
                { "Type": "volume", "Destination": "/run/data" },
                { "Type": "tmpfs", "Destination": "/run/data/cache" },
                { "Type": "bind", "Destination": "/srv" },
            ],
        }));
        let holds = |path: &str| mounts.hold(&path.parse().unwrap());
        for path in ["/run", "/run/x", "/run/data/cache/x", "/proc/1", "/dev/shm"] {
            assert!(holds(path), "{path}");
        }
        for path in ["/", "/runs", "/run/data", "/run/data/x", "/srv", "/process"] {
            assert!(!holds(path), "{path}");
        }
        assert!(!Mounts::default().hold(&FilePath::root()));
    }
}

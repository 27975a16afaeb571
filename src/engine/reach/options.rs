//! The options of a volume's driver: where a password for a file server stands beside what everybody should know.

use std::collections::BTreeMap;

use super::HIDDEN;

/// Words in the option `o` that say nothing secret. Source: mount(8).
const WORDS: [&str; 14] = [
    "bind", "rbind", "ro", "rw", "noexec", "exec", "nosuid", "suid", "nodev", "dev", "soft", "hard", "nolock",
    "noatime",
];
/// Settings whose values are none. Source: mount(8), nfs(5), mount.cifs(8).
pub(super) const SETTINGS: [&str; 12] =
    ["addr", "size", "uid", "gid", "mode", "file_mode", "dir_mode", "nfsvers", "vers", "proto", "port", "type"];

/// The options without what may be a secret. What says that a volume is a folder of the host stays (S037).
pub fn masked(options: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    options.iter().map(|(key, value)| (key.clone(), option(key, value))).collect()
}

/// The options of a network's driver without what may be a secret: the engine's own are none, and neither is which
/// card of the host it stands on. Source: <https://docs.docker.com/engine/network/drivers/>.
pub fn masked_of_network(options: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    options.iter().map(|(key, value)| (key.clone(), of_network(key, value))).collect()
}

/// One of a network.
pub(super) fn of_network(key: &str, value: &str) -> String {
    let is_open = key.starts_with("com.docker.network.")
        || matches!(
            key,
            "parent" | "macvlan_mode" | "ipvlan_mode" | "ipvlan_flag" | "mtu" | "vlan" | "isolate" | "mode"
        );
    if is_open { value.to_owned() } else { HIDDEN.to_owned() }
}

/// One of them.
pub(super) fn option(key: &str, value: &str) -> String {
    match key {
        "o" => value.split(',').map(setting).collect::<Vec<_>>().join(","),
        // A path of the host or of a file server; with a user and a password before an @ in some drivers.
        "device" if value.starts_with(['/', ':']) && !value.contains('@') => value.to_owned(),
        "device" if matches!(value, "tmpfs" | "none") => value.to_owned(),
        key if SETTINGS.contains(&key) => value.to_owned(),
        _ => HIDDEN.to_owned(),
    }
}

/// `rw`, `addr=10.0.0.1`, `password=...`.
fn setting(text: &str) -> String {
    match text.split_once('=') {
        Some((key, _)) if SETTINGS.contains(&key) => text.to_owned(),
        Some((key, _)) => format!("{key}={HIDDEN}"),
        None if text.is_empty() || WORDS.contains(&text) => text.to_owned(),
        None => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s044_a_password_for_a_file_server_is_masked() {
        for (key, value, shown) in [
            ("o", "bind", "bind"),
            (
                "o",
                "addr=10.0.0.1,username=a,password=hunter2,ro",
                "addr=10.0.0.1,username=‹hidden›,password=‹hidden›,ro",
            ),
            ("o", "password=a,hunter2", "password=‹hidden›,‹hidden›"),
            ("device", "/", "/"),
            ("device", ":/export", ":/export"),
            ("device", "//user:hunter2@host/share", HIDDEN),
            ("device", "ftp://host", HIDDEN),
            ("type", "nfs", "nfs"),
            ("token", "hunter2", HIDDEN),
        ] {
            assert_eq!(option(key, value), shown, "{key}={value}");
        }
    }
}

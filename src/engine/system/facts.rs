//! Parts of `GET /info`, and how it is asked for.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use super::{Info, Version};
use crate::engine::{Address, Engine, Error, containers::or_default};

/// How long a page waits for what the engine says of itself now, where it is known what it said before.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// Something that can run containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Runtime {
    /// The program, where it is one on the host.
    #[serde(default, deserialize_with = "or_default")]
    pub path: String,
}

/// What an engine can do, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Plugins {
    /// Drivers of volumes.
    #[serde(default, deserialize_with = "or_default")]
    pub volume: Vec<String>,
    /// Drivers of networks.
    #[serde(default, deserialize_with = "or_default")]
    pub network: Vec<String>,
    /// Drivers of logs.
    #[serde(default, deserialize_with = "or_default")]
    pub log: Vec<String>,
    /// Who is asked whether a call may be made.
    #[serde(default, deserialize_with = "or_default")]
    pub authorization: Vec<String>,
}

/// How an engine talks to registries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RegistrySettings {
    /// Those with settings of their own, by name.
    #[serde(default, rename = "IndexConfigs", deserialize_with = "or_default")]
    pub known: BTreeMap<String, IndexSettings>,
    /// Networks whose registries are spoken to without encryption.
    #[serde(default, rename = "InsecureRegistryCIDRs", deserialize_with = "or_default")]
    pub insecure: Vec<String>,
}

/// A registry with settings of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IndexSettings {
    /// Where its images are looked for first.
    #[serde(default, deserialize_with = "or_default")]
    pub mirrors: Vec<String>,
    /// Whether its certificate has to be good.
    #[serde(default, deserialize_with = "or_default")]
    pub secure: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Swarm {
    #[serde(default, deserialize_with = "or_default")]
    local_node_state: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Firewall {
    #[serde(default, deserialize_with = "or_default")]
    driver: String,
}

impl Info {
    /// Docker's word for its part in a swarm: inactive, active, ...
    pub fn swarm(&self) -> &str {
        &self.swarm.local_node_state
    }

    /// Who filters packets, where it tells: iptables, nftables, ...
    pub fn firewall(&self) -> &str {
        &self.firewall_backend.driver
    }

    /// Whether a security option of this name is on.
    pub fn has_option(&self, name: &str) -> bool {
        self.security_options.iter().any(|option| option.split(',').any(|part| part == format!("name={name}")))
    }
}

/// An address without the name and password that may stand in it.
fn without_password(proxy: &str) -> String {
    let (scheme, rest) = proxy.split_once("://").map_or(("", proxy), |(scheme, rest)| (scheme, rest));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

impl Engine {
    /// What the engine says of itself now. However many ask, it is asked once in a few seconds; what it said last
    /// while it cannot be reached.
    pub async fn info(&self) -> Result<Arc<Info>, Error> {
        let wire = self.wire.clone();
        let fresh = async move {
            let mut info: Info = wire.get("/info").await?;
            info.version = wire.get::<Version>("/version").await?;
            Ok(info.tidied())
        };
        let picture = self.picture();
        let Some(before) = picture.info.clone() else {
            return self.facts.get((), fresh).await.map(|info| self.reach.info(&info));
        };
        // What was so when it last answered, rather than a page that waits with it (S069).
        if !picture.link.is_live() {
            return Ok(before);
        }
        match tokio::time::timeout(PATIENCE, self.facts.get((), fresh)).await {
            Ok(Ok(info)) => Ok(self.reach.info(&info)),
            _ => Ok(before),
        }
    }

    /// Whether whoever is on the way to the engine, or reaches its port, is root on its host.
    pub fn is_open_to_the_network(&self) -> bool {
        matches!(self.address(), Address::Tcp(_))
    }
}

impl Info {
    /// Without what nobody has to see.
    pub(in crate::engine) fn tidied(mut self) -> Self {
        self.http_proxy = without_password(&self.http_proxy);
        self.https_proxy = without_password(&self.https_proxy);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s044_no_password_of_a_proxy_is_told() {
        for (proxy, told) in [
            ("http://ann:hunter2@proxy.lan:3128", "http://proxy.lan:3128"),
            ("ann:hunter@2@proxy.lan", "proxy.lan"),
            ("http://proxy.lan:3128/", "http://proxy.lan:3128/"),
            ("", ""),
        ] {
            assert_eq!(without_password(proxy), told);
        }
    }

    #[test]
    fn lists_that_are_null_are_empty() {
        let info: Info = serde_json::from_str(
            r#"{"Plugins":{"Volume":["local"],"Authorization":null},"RegistryConfig":{"Mirrors":null,"InsecureRegistryCIDRs":["::1/128"]},
                "Runtimes":{"runc":{"path":"runc","status":{}}},"Labels":null,"Warnings":null,"DriverStatus":[["a","b"]],
                "SecurityOptions":["name=seccomp,profile=builtin"],"Swarm":{"LocalNodeState":"inactive"}}"#,
        )
        .unwrap();
        assert_eq!((info.plugins.volume.len(), info.plugins.authorization.len(), info.swarm()), (1, 0, "inactive"));
        assert!(info.has_option("seccomp") && !info.has_option("rootless"));
        assert_eq!(info.driver_status, [("a".to_owned(), "b".to_owned())]);
    }
}

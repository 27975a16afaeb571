//! Registries: what one is called, how the engine speaks to it, and signing in to it. Who holds the secrets is asked
//! for each call, by the host that the call goes to, so that none can be sent elsewhere (S045).

use std::{collections::BTreeMap, fmt, net::IpAddr, str::FromStr, sync::Arc, time::Duration};

use serde::Serialize;

use super::{Engine, Error, InvalidName, RegistrySettings};

/// What a reference without a registry is pulled from.
pub const HUB: &str = "docker.io";
/// What Docker Hub is called where one signs in. Source: moby, `registry/config.go`, `IndexServer`.
const HUB_SERVER: &str = "https://index.docker.io/v1/";
/// How long signing in may take: the engine asks the registry, which may ask others.
const SIGN_IN: Duration = Duration::from_secs(30);

/// A registry: its host, and port where there is one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry(String);

impl Registry {
    /// The registry of a reference, as docker reads it: its first part, if that can be a host.
    /// Source: distribution/reference, `normalize.go`, `splitDockerDomain`.
    pub fn of(reference: &str) -> Self {
        let host = match reference.split_once('/') {
            Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => match first {
                "index.docker.io" => HUB,
                first => first,
            },
            _ => HUB,
        };
        Self(host.to_owned())
    }

    /// Host and port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is Docker Hub.
    pub fn is_hub(&self) -> bool {
        self.0 == HUB
    }

    /// As docker's commands name it: Docker Hub is what none means.
    pub fn named(&self) -> Option<&str> {
        (!self.is_hub()).then_some(&self.0)
    }

    /// Without its port.
    fn host(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &self.0,
        }
    }

    /// As the engine wants it said where one signs in.
    fn server(&self) -> &str {
        if self.is_hub() { HUB_SERVER } else { &self.0 }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Registry {
    type Err = InvalidName;

    /// What people type: with a scheme before it or a slash behind it, too. One word without a dot or a port is no
    /// registry to docker, but a part of an image's name; `localhost` alone is.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(&text);
        let text = text.strip_suffix("/v1/").or_else(|| text.strip_suffix("/v2/")).unwrap_or(text);
        let text = text.trim_end_matches('/');
        if matches!(text, HUB | "index.docker.io" | "hub.docker.com" | "registry-1.docker.io") {
            return Ok(Self(HUB.to_owned()));
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, port)) => {
                address.parse::<std::net::Ipv6Addr>().map_err(|_| InvalidName::Registry)?;
                ("v6", port.strip_prefix(':').filter(|_| !port.is_empty()))
            }
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let is_label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0 && port.len() <= 5));
        let is_told = host.contains('.') || port.is_some() || matches!(host, "localhost" | "v6");
        if is_port && is_told && text.len() <= 255 && host.split('.').all(is_label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::Registry)
        }
    }
}

/// How one signs in to a registry.
#[derive(Clone)]
pub struct Credentials {
    /// Where, and nowhere else.
    pub registry: Registry,
    /// The name there.
    pub user: String,
    /// Its password, or a token.
    pub secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials for {} at {}", self.user, self.registry)
    }
}

/// Who knows how to sign in to registries: asked on behalf of somebody who may do everything, or of somebody else.
pub trait Keyring: Send + Sync {
    /// How to sign in to this one.
    fn login(&self, registry: &Registry, is_admin: bool) -> Option<Credentials>;
    /// The registries that it knows of.
    fn registries(&self) -> Vec<Registry>;
}

impl RegistrySettings {
    /// Whether the engine may speak to it without encryption, or without knowing who answers.
    pub fn is_plain(&self, registry: &Registry) -> bool {
        if let Some(index) = self.known.get(registry.as_str()) {
            return !index.secure;
        }
        let host = registry.host().trim_matches(['[', ']']);
        let address: Option<IpAddr> = if host == "localhost" { "127.0.0.1".parse().ok() } else { host.parse().ok() };
        address.is_some_and(|address| self.insecure.iter().any(|network| contains(network, address)))
    }

    /// The mirrors of Docker Hub that it asks first.
    pub fn mirrors(&self) -> &[String] {
        self.known.get(HUB).map(|hub| hub.mirrors.as_slice()).unwrap_or_default()
    }
}

/// Whether an address is in a network such as `127.0.0.0/8`.
fn contains(network: &str, address: IpAddr) -> bool {
    let Some((base, bits)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
            base.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
            base.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

/// The registries that one engine speaks to.
pub struct Registries<'a>(pub(super) &'a Engine);

/// How one signs in, as the engine wants it said.
#[derive(Serialize)]
pub(super) struct SignIn<'a> {
    username: &'a str,
    password: &'a str,
    serveraddress: &'a str,
}

impl Credentials {
    pub(super) fn said(&self) -> SignIn<'_> {
        SignIn { username: &self.user, password: &self.secret, serveraddress: self.registry.server() }
    }
}

impl Registries<'_> {
    /// Has the engine sign in, and sign out at once: whether that works.
    ///
    /// # Errors
    /// [`Error::Denied`] and [`Error::Invalid`] where the registry says no, [`Error::Engine`] where it does not answer.
    pub async fn check(&self, credentials: &Credentials) -> Result<(), Error> {
        self.0.reach.may_operate()?;
        self.0.reachable()?;
        let asked = self.0.wire.post("/auth", &credentials.said(), SIGN_IN).await;
        asked.map(|_| ()).map_err(|error| self.0.told(error))
    }
}

impl Engine {
    /// From now on, asks this for how to sign in.
    pub fn use_keyring(&self, keyring: impl Keyring + 'static) {
        // Only the first one counts: there is one console.
        let _ = self.keyring.set(Arc::new(keyring));
    }

    /// How to sign in to this registry; none where nothing is known of it.
    pub(super) fn login(&self, registry: &Registry) -> Option<Credentials> {
        self.keyring.get()?.login(registry, self.reach.root)
    }

    /// How to sign in to each of them, by its host: for a builder that has to be told beforehand.
    pub(super) fn logins(&self) -> BTreeMap<String, Credentials> {
        let known = self.keyring.get().map(|keyring| keyring.registries()).unwrap_or_default();
        known.iter().filter_map(|registry| Some((registry.server().to_owned(), self.login(registry)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_read_as_docker_reads_them() {
        let read = |text: &str| text.parse::<Registry>().map(|it| it.to_string()).ok();
        for (typed, is) in [
            ("docker.io", HUB),
            ("https://index.docker.io/v1/", HUB),
            ("hub.docker.com", HUB),
            (" HTTPS://GHCR.io/ ", "ghcr.io"),
            ("localhost:5000", "localhost:5000"),
            ("localhost", "localhost"),
            ("box:5000", "box:5000"),
            ("10.0.0.7:443", "10.0.0.7:443"),
            ("[::1]:5000", "[::1]:5000"),
            ("http://registry.lan:5000/v2/", "registry.lan:5000"),
        ] {
            assert_eq!(read(typed).as_deref(), Some(is), "{typed}");
        }
        for bad in [
            "",
            "nginx",
            "a b.c",
            "-x.y",
            "x..y",
            "x.y:0",
            "x.y:99999",
            "x.y:",
            "x.y/z",
            "x.y@z",
            "../x",
            "[::1",
            "x.y?q",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        for (reference, is) in [
            ("nginx", HUB),
            ("library/nginx", HUB),
            ("index.docker.io/x", HUB),
            ("ghcr.io/a/b:1", "ghcr.io"),
            ("localhost:5000/a@sha256:00", "localhost:5000"),
            ("localhost/a", "localhost"),
        ] {
            assert_eq!(Registry::of(reference).as_str(), is, "{reference}");
        }
    }

    #[test]
    fn plain_ones_are_told_from_the_others() {
        let told = serde_json::json!({
            "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8", "10.1.0.0/16"],
            "IndexConfigs": { "docker.io": { "Secure": true }, "reg.lan:5000": { "Secure": false } },
            "Mirrors": null,
        });
        let settings: RegistrySettings = serde_json::from_value(told).unwrap();
        for (name, is) in [
            ("docker.io", false),
            ("reg.lan:5000", true),
            ("reg.lan:5001", false),
            ("localhost:5000", true),
            ("127.9.9.9:1", true),
            ("[::1]:5000", true),
            ("[::2]:5000", false),
            ("10.1.2.3", true),
            ("10.2.2.3", false),
        ] {
            assert_eq!(settings.is_plain(&name.parse().unwrap()), is, "{name}");
        }
    }
}

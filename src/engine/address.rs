//! Where the engine is: what `DOCKER_HOST` says, parsed once.

use std::{fmt, path::PathBuf, str::FromStr};

/// The address of an engine: a unix socket or a TCP port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `unix:///var/run/docker.sock`
    Unix(PathBuf),
    /// `tcp://host:2375`, kept as `host:port`. Not encrypted: whoever can reach it is root on that host.
    Tcp(String),
}

/// The port that `docker` assumes for `tcp://` without one.
/// Source: docker/cli, `opts/hosts.go`, `defaultHTTPPort`.
const TCP_PORT: u16 = 2375;
/// Where an engine's socket is, where nothing is said.
const DEFAULT: &str = "/var/run/docker.sock";

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // An empty DOCKER_HOST is as none, to `docker` too.
        if text.is_empty() {
            return Ok(Self::Unix(DEFAULT.into()));
        }
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(format!("{text}: a unix socket needs an absolute path, as in unix:///var/run/docker.sock"))
            };
        }
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        if let Some(rest) = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://")) {
            let host = rest.trim_end_matches('/');
            if host.is_empty() || host.contains('/') {
                return Err(format!("{text}: expected tcp://host:port"));
            }
            let bare_v6 = host.ends_with(']');
            let has_port = !bare_v6 && host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            return Ok(Self::Tcp(if has_port { host.to_owned() } else { format!("{host}:{TCP_PORT}") }));
        }
        Err(format!("{text}: expected unix:///path or tcp://host:port (ssh:// and npipe:// are not supported)"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_docker_host_may_hold() {
        let tcp = |host: &str| Ok(Address::Tcp(host.to_owned()));
        assert_eq!("unix:///run/docker.sock".parse(), Ok(Address::Unix("/run/docker.sock".into())));
        assert_eq!("".parse(), Ok(Address::Unix(DEFAULT.into())));
        assert_eq!("tcp://10.0.0.1".parse(), tcp("10.0.0.1:2375"));
        assert_eq!("tcp://[::1]:99/".parse(), tcp("[::1]:99"));
        assert_eq!("tcp://[::1]".parse(), tcp("[::1]:2375"));
        for bad in ["unix://docker.sock", "ssh://me@host", "tcp://"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}

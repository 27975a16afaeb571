//! Every setting, from flag or environment. `main` reads it and hands down what each room needs.

mod oidc;
mod people;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use jiff::SignedDuration;
use url::Url;

pub use self::{oidc::OidcArgs, people::PeopleArgs};
use crate::{engine::Address, tls};

/// A web console for a Docker engine.
#[derive(Debug, Clone, Parser)]
#[command(version, about, long_about = None)]
pub struct Config {
    /// The address and port to listen on
    #[arg(
        long,
        env = "WHEELHOUSE_LISTEN",
        default_value = "127.0.0.1:9000",
        value_name = "ADDRESS:PORT",
        global = true
    )]
    pub listen: SocketAddr,

    /// The engine's address.
    #[arg(
        long,
        help = "The engine: unix:///path/to/socket or tcp://host:port",
        env = "DOCKER_HOST",
        default_value = "unix:///var/run/docker.sock",
        value_name = "URL"
    )]
    pub engine: Address,

    /// Where the console keeps what is its own: accounts, the audit, its certificate
    #[arg(long, env = "WHEELHOUSE_DATA", default_value = "wheelhouse-data", value_name = "FOLDER", global = true)]
    pub data: PathBuf,

    /// Further names that browsers may use for this console, besides IP addresses and localhost
    #[arg(long, env = "WHEELHOUSE_HOSTS", value_delimiter = ',', value_name = "NAME,...")]
    pub hosts: Vec<String>,

    /// The address under which browsers reach this console, if it is behind a proxy
    #[arg(long, env = "WHEELHOUSE_PUBLIC_URL", value_name = "URL", global = true)]
    pub public_url: Option<Url>,

    /// HTTPS: auto is on for any address but this machine's own; off is for behind a proxy
    #[arg(long, env = "WHEELHOUSE_TLS", value_enum, default_value_t = TlsMode::Auto, value_name = "MODE")]
    pub tls: TlsMode,

    /// A certificate (PEM, with those between it and its root) in place of the console's own; read anew when it changes
    #[arg(long, env = "WHEELHOUSE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The key of that certificate (PEM, without a password)
    #[arg(long, env = "WHEELHOUSE_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses and networks, as 10.0.0.0/8
    #[arg(long, env = "WHEELHOUSE_TRUSTED_PROXIES", value_delimiter = ',', value_name = "ADDRESS,...", value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// A second address, plain HTTP, that serves /metrics without a token, for a network that only the scraper reaches
    #[arg(long, env = "WHEELHOUSE_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,

    /// People
    #[command(flatten)]
    pub people: PeopleArgs,

    /// Signing in with the organisation's own provider
    #[command(flatten)]
    pub oidc: OidcArgs,

    /// Whether what containers use is read once a minute while nobody looks, and kept for a month: true or false
    #[arg(long, env = "WHEELHOUSE_STATS_HISTORY", default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub stats_history: bool,

    /// How many live connections may be open at once, in all
    #[arg(long, env = "WHEELHOUSE_MAX_STREAMS", default_value_t = 1024, value_name = "COUNT")]
    pub max_streams: usize,

    /// How many live connections one address may hold
    #[arg(long, env = "WHEELHOUSE_MAX_STREAMS_PER_CLIENT", default_value_t = 256, value_name = "COUNT")]
    pub max_streams_per_client: usize,

    /// How many of its last lines are kept of the log of a container that is removed; 0 keeps none
    #[arg(long, env = "WHEELHOUSE_KEEP_LOG_LINES", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(..=100_000), value_name = "COUNT")]
    pub keep_log_lines: u64,

    /// For how long they are kept
    #[arg(long, env = "WHEELHOUSE_KEEP_LOGS", default_value = "1d", value_parser = people::duration, value_name = "TIME")]
    pub keep_logs: SignedDuration,

    /// For how long events are kept, in 128 MiB of the data folder at most; 0 keeps none
    #[arg(long, env = "WHEELHOUSE_KEEP_EVENTS", default_value = "30d", value_parser = people::duration_or_none, value_name = "TIME")]
    pub keep_events: SignedDuration,

    /// The largest file that can be uploaded, in MiB; it is kept in the data folder until it is whole
    #[arg(long, env = "WHEELHOUSE_MAX_UPLOAD", default_value_t = 1024, value_name = "MIB")]
    pub max_upload: u64,

    /// How to write the log
    #[arg(long, env = "WHEELHOUSE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// How much to log: error, warn, info, debug, trace
    #[arg(long, env = "WHEELHOUSE_LOG", default_value = "info", value_name = "LEVEL")]
    pub log: String,

    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the binary can do besides serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Ask the console that listens on --listen whether it is well; exits with 0 or 1
    Healthcheck,
    /// The way back in, for who has the host
    #[command(subcommand)]
    Admin(Admin),
    /// The audit
    #[command(subcommand)]
    Audit(Audit),
}

/// What can be done about administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Admin {
    /// Print a one-time link with which the administrator --admin, made if need be, chooses a password
    Reset,
}

/// What can be done about the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Audit {
    /// Walk the chain of the audit: exits with 0 if it is whole, with 1 if it was changed
    Verify,
}

/// Whether the console speaks TLS itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsMode {
    /// Wherever others can reach it, or a certificate was given.
    Auto,
    /// Always.
    On,
    /// Never: a proxy does.
    Off,
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from).ok();
    address.or_else(|| text.parse().ok()).ok_or_else(|| "expected an address or a network as 10.0.0.0/8".to_owned())
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// A JSON object a line
    Json,
}

impl Config {
    /// Whether it listens where only this machine reaches it.
    fn is_local(&self) -> bool {
        self.listen.ip().to_canonical().is_loopback()
    }

    /// Whether what goes out unencrypted may be read by others.
    pub fn may_be_overheard(&self) -> bool {
        !self.is_local() || self.tls == TlsMode::Off
    }

    /// Where the certificate comes from, for a console that browsers call by these names; none where it speaks plain
    /// HTTP.
    pub fn certificate(&self, names: Vec<String>) -> Option<tls::Source> {
        let given = self.tls_cert.clone().zip(self.tls_key.clone());
        match (self.tls, given) {
            (TlsMode::Off, _) => None,
            (_, Some((cert, key))) => Some(tls::Source::Given(tls::Files { cert, key })),
            (TlsMode::Auto, None) if self.is_local() => None,
            (_, None) => {
                Some(tls::Source::Own(tls::Own { folder: self.data.join("tls"), names, listen: self.listen.ip() }))
            }
        }
    }

    /// The address to open in a browser, without a slash at its end: as far as it is known here.
    pub fn address(&self, listen: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.as_str().trim_end_matches('/').to_owned();
        }
        let scheme = if self.certificate(Vec::new()).is_some() { "https" } else { "http" };
        if listen.ip().is_unspecified() {
            return format!("{scheme}://localhost:{}", listen.port());
        }
        format!("{scheme}://{listen}")
    }

    /// What is wrong with these settings together, if anything is.
    pub fn check(&self) -> Result<(), String> {
        if !self.is_local() && !self.people.has_accounts() {
            return Err(format!(
                "refusing to listen on {} without accounts: whoever can open this console is root on the host.\n\
                 --accounts off goes with an address of this machine's own, as 127.0.0.1.",
                self.listen
            ));
        }
        if let Some(url) = &self.public_url
            && (!matches!(url.scheme(), "http" | "https") || url.host().is_none())
        {
            return Err(format!("--public-url {url}: expected http://name/ or https://name/"));
        }
        // It is written into attributes of pages as it is.
        if let Some(url) = &self.public_url
            && !url.path().bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
        {
            return Err(format!("--public-url {url}: its path may have letters, digits and - . _ ~ only"));
        }
        self.oidc.check()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use clap::CommandFactory;

    use super::*;

    /// The README's table of settings, drawn from the settings.
    fn table() -> String {
        let mut rows = String::from("| Flag | Environment | Default | What it is |\n|---|---|---|---|\n");
        for setting in Config::command().get_arguments() {
            let Some(env) = setting.get_env() else { continue };
            let flag = setting.get_long().unwrap_or_default();
            let default =
                setting.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(",");
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            let help = setting.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
            let _ = writeln!(rows, "| `--{flag}` | `{}` | {default} | {help} |", env.to_string_lossy());
        }
        rows
    }

    #[test]
    fn the_readme_has_every_setting() {
        let readme = include_str!("../README.md");
        assert!(readme.contains(&table()), "put this between the README's settings marks:\n{}", table());
    }

    #[test]
    fn settings_have_to_fit_together() {
        let config =
            |args: &[&str]| Config::try_parse_from([&["wheelhouse"], args].concat()).map_err(|error| error.to_string());
        let check = |args: &[&str]| config(args).and_then(|config| config.check());
        assert!(check(&[]).is_ok());
        assert!(check(&["--listen", "[::1]:1"]).is_ok());
        assert!(check(&["--listen", "0.0.0.0:9000"]).is_ok());
        assert!(check(&["--accounts", "off"]).is_ok());
        assert!(check(&["--listen", "0.0.0.0:9000", "--accounts", "off"]).is_err());
        assert!(check(&["--session-idle", "90m", "--session-lifetime", "7d"]).is_ok());
        assert!(check(&["--session-idle", "0s"]).is_err());
        assert!(check(&["--session-idle", "soon"]).is_err());
        assert!(check(&["--public-url", "ftp://x"]).is_err());
        assert!(check(&["--public-url", "https://x/a&b/"]).is_err());
        assert!(check(&["--tls-cert", "x"]).is_err());
        assert!(check(&["--trusted-proxies", "10.0.0.1,fd00::/8"]).is_ok());
        assert!(check(&["--trusted-proxies", "proxy"]).is_err());
    }
}

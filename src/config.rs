//! Every setting, from flag or environment. `main` reads it and hands down what each room needs.

mod oidc;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use url::Url;

pub use self::oidc::OidcArgs;
use crate::engine::Address;

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

    /// Where the console keeps what is its own
    #[arg(long, env = "WHEELHOUSE_DATA", default_value = "wheelhouse-data", value_name = "FOLDER")]
    pub data: PathBuf,

    /// Further names that browsers may use for this console, besides IP addresses and localhost
    #[arg(long, env = "WHEELHOUSE_HOSTS", value_delimiter = ',', value_name = "NAME,...")]
    pub hosts: Vec<String>,

    /// The address under which browsers reach this console, if it is behind a proxy
    #[arg(long, env = "WHEELHOUSE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,

    /// Listen on an address that others can reach although there are no accounts: whoever opens the page is root on
    /// the host
    #[arg(long, env = "WHEELHOUSE_LISTEN_WITHOUT_ACCOUNTS", num_args = 0..=1, default_value = "false", default_missing_value = "true")]
    pub listen_without_accounts: bool,

    /// Signing in with the organisation's own provider
    #[command(flatten)]
    pub oidc: OidcArgs,

    /// How many live connections may be open at once, in all
    #[arg(long, env = "WHEELHOUSE_MAX_STREAMS", default_value_t = 1024, value_name = "COUNT")]
    pub max_streams: usize,

    /// How many live connections one address may hold
    #[arg(long, env = "WHEELHOUSE_MAX_STREAMS_PER_CLIENT", default_value_t = 256, value_name = "COUNT")]
    pub max_streams_per_client: usize,

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
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Ask the console that listens on --listen whether it is well; exits with 0 or 1
    Healthcheck,
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
    /// What is wrong with these settings together, if anything is.
    pub fn check(&self) -> Result<(), String> {
        if !self.listen.ip().is_loopback() && !self.listen_without_accounts {
            return Err(format!(
                "refusing to listen on {}: whoever can open this console is root on the host, and there are no accounts yet.\n\
                 Listen on 127.0.0.1, or say --listen-without-accounts if only trusted people can reach that address.",
                self.listen
            ));
        }
        if let Some(url) = &self.public_url
            && (!matches!(url.scheme(), "http" | "https") || url.host().is_none())
        {
            return Err(format!("--public-url {url}: expected http://name/ or https://name/"));
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
    fn listening_to_others_has_to_be_said() {
        let config =
            |args: &[&str]| Config::try_parse_from([&["wheelhouse"], args].concat()).map_err(|error| error.to_string());
        let check = |args: &[&str]| config(args).and_then(|config| config.check());
        assert!(check(&[]).is_ok());
        assert!(check(&["--listen", "[::1]:1"]).is_ok());
        assert!(check(&["--listen", "0.0.0.0:9000"]).is_err());
        assert!(check(&["--listen", "0.0.0.0:9000", "--listen-without-accounts"]).is_ok());
        assert!(check(&["--public-url", "ftp://x"]).is_err());
    }
}

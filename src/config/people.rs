//! The settings about people.

use std::path::PathBuf;

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::oidc::Switch;
use crate::team::Limits;

/// Whether people sign in, who the first is, and how long a session lasts.
#[derive(Debug, Clone, Args)]
pub struct PeopleArgs {
    /// Whether people sign in; off is for one person, on an address of this machine's own only
    #[arg(long, env = "WHEELHOUSE_ACCOUNTS", value_enum, default_value_t = Switch::On, value_name = "on|off")]
    pub accounts: Switch,

    /// The name of the first administrator, and the one that `admin reset` lets back in
    #[arg(long, env = "WHEELHOUSE_ADMIN", default_value = "admin", value_name = "NAME", global = true)]
    pub admin: String,

    /// A file with the first administrator's password, for set-ups without anybody at hand; read once, when there is none
    #[arg(long, env = "WHEELHOUSE_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    pub admin_password_file: Option<PathBuf>,

    /// Nobody changes anything of the engine here, whatever the role
    #[arg(long, env = "WHEELHOUSE_READ_ONLY", num_args = 0..=1, default_value = "false", default_missing_value = "true", value_name = "BOOL")]
    pub read_only: bool,

    /// The registries that operators pull images from; administrators pull from anywhere
    #[arg(
        long,
        env = "WHEELHOUSE_REGISTRIES",
        value_delimiter = ',',
        default_value = "docker.io",
        value_name = "HOST,..."
    )]
    pub registries: Vec<String>,

    /// How many live pages one person may have open at once
    #[arg(long, env = "WHEELHOUSE_MAX_STREAMS_PER_PERSON", default_value_t = 100, value_name = "COUNT")]
    pub max_streams_per_person: usize,

    /// How long a session lasts without being used; an open page uses it
    #[arg(long, env = "WHEELHOUSE_SESSION_IDLE", default_value = "12h", value_parser = duration, value_name = "TIME")]
    pub session_idle: SignedDuration,

    /// How long a session lasts in all
    #[arg(long, env = "WHEELHOUSE_SESSION_LIFETIME", default_value = "30d", value_parser = duration, value_name = "TIME")]
    pub session_lifetime: SignedDuration,

    /// How long a terminal stays open without anybody typing in it
    #[arg(long, env = "WHEELHOUSE_TERMINAL_IDLE", default_value = "8h", value_parser = duration, value_name = "TIME")]
    pub terminal_idle: SignedDuration,
}

/// `90m`, `12h`, `30d`.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let span = text.parse::<Span>().map_err(|_| "expected a time as 90m, 12h or 30d".to_owned())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())?;
    if duration.is_positive() { Ok(duration) } else { Err("expected a time that is not over at once".to_owned()) }
}

/// The same, or `0` for no time at all.
pub(super) fn duration_or_none(text: &str) -> Result<SignedDuration, String> {
    if text == "0" { Ok(SignedDuration::ZERO) } else { duration(text) }
}

impl PeopleArgs {
    /// Whether people sign in.
    pub fn has_accounts(&self) -> bool {
        self.accounts == Switch::On
    }

    /// How long a session lasts.
    pub fn limits(&self) -> Limits {
        Limits { idle: self.session_idle, whole: self.session_lifetime }
    }

    /// The first administrator's password, if a file has one: without the line's end, and otherwise as it is.
    pub fn admin_password(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.admin_password_file else { return Ok(None) };
        let wrong = |why: &str| format!("--admin-password-file {}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        if password.is_empty() { Err(wrong("it is empty")) } else { Ok(Some(password.to_owned())) }
    }
}

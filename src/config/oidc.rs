//! The settings for signing in with the organisation's own provider.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::Url;

use crate::team::oidc::{Secret, Settings, check_issuer};

/// What a group can give.
const ROLES: [&str; 3] = ["viewer", "operator", "admin"];

/// The settings of an OpenID Connect provider, and whether it is the only way in.
#[derive(Debug, Clone, Args)]
pub struct OidcArgs {
    /// The organisation's OpenID Connect provider, as it names itself: people sign in there
    #[arg(long, env = "WHEELHOUSE_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<Url>,

    /// What this console is called at the provider
    #[arg(long, env = "WHEELHOUSE_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,

    /// A file with the client's secret, as the provider gave it; a public client has none
    #[arg(long, env = "WHEELHOUSE_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub oidc_client_secret_file: Option<PathBuf>,

    /// The client's secret itself: in the environment only, since everybody on the machine can read a command line
    #[arg(
        long,
        env = "WHEELHOUSE_OIDC_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        conflicts_with = "oidc_client_secret_file",
        value_parser = secret
    )]
    pub oidc_client_secret: Option<Secret>,

    /// What to ask the provider for, besides openid
    #[arg(
        long,
        env = "WHEELHOUSE_OIDC_SCOPES",
        value_delimiter = ',',
        default_value = "profile,email",
        value_name = "SCOPE,..."
    )]
    pub oidc_scopes: Vec<String>,

    /// The claim with a person's groups.
    #[arg(
        long,
        help = "The claim with a person's groups; dots lead into it, as in realm_access.roles",
        env = "WHEELHOUSE_OIDC_GROUPS_CLAIM",
        default_value = "groups",
        value_name = "CLAIM"
    )]
    pub oidc_groups_claim: String,

    /// The claim with a person's name
    #[arg(long, env = "WHEELHOUSE_OIDC_NAME_CLAIM", default_value = "preferred_username", value_name = "CLAIM")]
    pub oidc_name_claim: String,

    /// Which group has which role (viewer, operator, admin); the group * is everybody whom the provider lets in
    #[arg(long, env = "WHEELHOUSE_OIDC_ROLES", value_delimiter = ',', value_parser = role, value_name = "GROUP=ROLE,...")]
    pub oidc_roles: Vec<(String, String)>,

    /// Certificates (PEM) of an authority of your own that the provider's is signed by
    #[arg(long, env = "WHEELHOUSE_OIDC_CA", value_name = "FILE")]
    pub oidc_ca: Option<PathBuf>,

    /// What the button says
    #[arg(long, env = "WHEELHOUSE_OIDC_LABEL", default_value = "Sign in with your organisation", value_name = "TEXT")]
    pub oidc_label: String,

    /// Whether one can sign in with a password too
    #[arg(long, env = "WHEELHOUSE_PASSWORD_LOGIN", value_enum, default_value_t = Switch::On, value_name = "on|off")]
    pub password_login: Switch,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is
    On,
    /// It is not
    Off,
}

/// A group and its role: split at the last `=`, since the names of groups have some (`cn=admins`).
fn role(text: &str) -> Result<(String, String), String> {
    let (group, role) = text.rsplit_once('=').ok_or("expected GROUP=ROLE")?;
    let (group, role) = (group.trim(), role.trim());
    if group.is_empty() || !ROLES.contains(&role) {
        return Err(format!("expected a group, and after the last = one of {}", ROLES.join(", ")));
    }
    Ok((group.to_owned(), role.to_owned()))
}

/// Never fails: clap would repeat what it refuses.
#[expect(clippy::unnecessary_wraps, reason = "clap asks for a Result")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text.trim().to_owned()))
}

impl OidcArgs {
    /// What is wrong with these settings together, if anything is.
    pub fn check(&self) -> Result<(), String> {
        let Some(issuer) = &self.oidc_issuer else {
            if self.password_login == Switch::Off {
                return Err("--password-login off: without --oidc-issuer nobody could sign in".to_owned());
            }
            if self.oidc_client_id.is_some() || !self.oidc_roles.is_empty() {
                return Err("--oidc-client-id and --oidc-roles need --oidc-issuer".to_owned());
            }
            return Ok(());
        };
        check_issuer(issuer).map_err(|why| format!("--oidc-issuer {why}"))?;
        if self.oidc_client_id.as_deref().is_none_or(|id| id.trim().is_empty()) {
            return Err("--oidc-issuer needs --oidc-client-id: what this console is called there".to_owned());
        }
        if self.oidc_roles.is_empty() {
            return Err("--oidc-issuer needs --oidc-roles, or nobody who signs in there may do anything here. \
                        '*=viewer' lets everybody look."
                .to_owned());
        }
        Ok(())
    }

    /// Whether one can sign in with a password.
    pub fn takes_passwords(&self) -> bool {
        self.password_login == Switch::On
    }

    /// The provider's settings, its secret read from the file; none where there is no provider.
    pub fn settings(&self) -> Result<Option<Settings>, String> {
        self.check()?;
        let (Some(issuer), Some(client_id)) = (&self.oidc_issuer, &self.oidc_client_id) else { return Ok(None) };
        let client_secret = match &self.oidc_client_secret_file {
            Some(path) => {
                let wrong = |why: &str| format!("--oidc-client-secret-file {}: {why}", path.display());
                let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
                let text = text.trim();
                if text.is_empty() {
                    return Err(wrong("it is empty"));
                }
                Some(Secret::new(text.to_owned()))
            }
            None => self.oidc_client_secret.clone().filter(|secret| !secret.secret().is_empty()),
        };
        Ok(Some(Settings {
            issuer: issuer.clone(),
            client_id: client_id.trim().to_owned(),
            client_secret,
            scopes: self.oidc_scopes.iter().flat_map(|scope| scope.split_whitespace()).map(ToOwned::to_owned).collect(),
            groups_claim: self.oidc_groups_claim.clone(),
            name_claim: self.oidc_name_claim.clone(),
            roles: self.oidc_roles.clone(),
            ca: self.oidc_ca.clone(),
            label: self.oidc_label.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use clap::Parser;

    use crate::config::Config;

    const GOOD: [&str; 6] =
        ["--oidc-issuer", "https://id.example/realms/x", "--oidc-client-id", "wheelhouse", "--oidc-roles", "a=admin"];

    fn config(args: &[&str]) -> Result<Config, String> {
        let config = Config::try_parse_from([&["wheelhouse"], args].concat()).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn a_provider_has_all_it_needs_or_the_console_does_not_start() {
        assert!(config(&GOOD).is_ok());
        let swap = |from: &str, to: &'static str| GOOD.map(|word| if word == from { to } else { word });
        for (from, to) in [
            ("https://id.example/realms/x", "http://id.example/"),
            ("https://id.example/realms/x", "ftp://id.example/"),
            ("https://id.example/realms/x", "https://id.example/?x"),
            ("https://id.example/realms/x", "https://somebody@id.example/"),
            ("wheelhouse", ""),
            ("a=admin", "a=root"),
            ("a=admin", "=admin"),
            ("a=admin", "admin"),
        ] {
            assert!(config(&swap(from, to)).is_err(), "{to}");
        }
        for loopback in ["http://localhost:1/x", "http://127.0.0.1:1", "http://[::1]:1", "http://id.localhost"] {
            assert!(config(&swap("https://id.example/realms/x", loopback)).is_ok(), "{loopback}");
        }
        assert!(config(&GOOD[..4]).is_err());
        assert!(config(&GOOD[2..]).is_err());
        assert!(config(&["--password-login", "off"]).is_err());
        assert!(config(&[&GOOD[..], &["--password-login", "off"]].concat()).is_ok());
    }

    #[test]
    fn groups_and_scopes_are_read_as_people_write_them() {
        let more = ["--oidc-roles", "cn=ops=operator,*=viewer", "--oidc-scopes", "openid profile,groups"];
        let settings = config(&[&GOOD[..], &more].concat()).and_then(|config| config.oidc.settings());
        let settings = settings.expect("it is good").expect("there is a provider");
        let of = |groups: &[&str]| {
            settings.roles_of(&groups.iter().map(ToString::to_string).collect::<Vec<_>>()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(settings.scopes, ["openid", "profile", "groups"]);
        assert_eq!(of(&[]), "viewer");
        assert_eq!(of(&["cn=ops", "a"]), "admin operator viewer");
    }

    #[test]
    fn the_secret_is_read_and_never_shown() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        writeln!(file, "hunter2").expect("it is written");
        let path = file.path().display().to_string();
        let config = config(&[&GOOD[..], &["--oidc-client-secret-file", &path]].concat()).expect("it is good");
        let settings = config.oidc.settings().expect("it is good").expect("there is a provider");
        assert_eq!(settings.client_secret.as_ref().map(|secret| secret.secret().as_str()), Some("hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));

        let config = self::config(&[&GOOD[..], &["--oidc-client-secret", "hunter2"]].concat()).expect("it is good");
        assert!(!format!("{config:?}").contains("hunter2"));
        let missing = self::config(&[&GOOD[..], &["--oidc-client-secret-file", "/no/such"]].concat());
        assert!(missing.and_then(|config| config.oidc.settings()).is_err_and(|why| why.contains("/no/such")));
    }
}

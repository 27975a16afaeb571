//! What has to be known of a provider before anything is asked of it.

use std::path::PathBuf;

use openidconnect::ClientSecret as Secret;
use url::Url;

use super::http::is_loopback;

/// In `roles`, whoever the provider lets in.
pub const EVERYBODY: &str = "*";

/// What has to be known of the provider.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its address, as it names itself; whether it ends in a slash does not matter.
    pub issuer: Url,
    /// What the console is called there.
    pub client_id: String,
    /// The console's secret there; a public client has none. Never shown, by `Debug` either.
    pub client_secret: Option<Secret>,
    /// What is asked for; `openid` always is.
    pub scopes: Vec<String>,
    /// The claim with a person's groups: its name, or the way to it (`realm_access.roles`).
    pub groups_claim: String,
    /// The claim with a person's name.
    pub name_claim: String,
    /// Groups and the role that each gives, in the order of the settings.
    pub roles: Vec<(String, String)>,
    /// Authorities (PEM) to trust besides the public ones, for a provider on the LAN.
    pub ca: Option<PathBuf>,
    /// The button's text.
    pub label: String,
}

impl Settings {
    /// The roles that these groups give, in the order of the settings; which of them is the strongest is the caller's.
    pub fn roles_of<'a>(&'a self, groups: &[String]) -> impl Iterator<Item = &'a str> {
        let gives = move |group: &String| group == EVERYBODY || groups.contains(group);
        self.roles.iter().filter(move |(group, _)| gives(group)).map(|(_, role)| role.as_str())
    }
}

/// Fails with the reason if no provider can have this address. Without TLS anybody on the way could sign in as anybody,
/// so `http` is for this machine only.
pub fn check_issuer(issuer: &Url) -> Result<(), String> {
    match issuer.scheme() {
        "https" => {}
        "http" if is_loopback(issuer) => {}
        "http" => return Err(format!("{issuer}: has to begin with https://; http is for a provider on this machine")),
        _ => return Err(format!("{issuer}: expected https://name/")),
    }
    // OpenID Connect Core 1.0, 1.2: no query and no fragment.
    if issuer.query().is_some() || issuer.fragment().is_some() || !issuer.username().is_empty() {
        return Err(format!(
            "{}: an issuer has no query, fragment or user name",
            issuer.host_str().unwrap_or_default()
        ));
    }
    Ok(())
}

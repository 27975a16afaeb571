//! Signing in with the organisation's own provider: OpenID Connect, authorization code flow with PKCE. This is the
//! protocol; what a person may do here, and the cookie that ties a sign-in to one browser, are the caller's.
//!
//! [`Oidc::begin`] says where to send the browser and what to keep; [`Oidc::finish`] takes what was kept and what came
//! back, and says who it is. What is checked, and where it is asked for: state (RFC 6749, 10.12), issuer (RFC 9207),
//! code and its verifier (RFC 7636, by the provider), the token's signature, `iss`, `aud`, `azp`, `exp`, `nonce` and
//! `at_hash` (OpenID Connect Core 1.0, 3.1.3.7 and 3.1.3.8), the subject of userinfo (5.3.2).

pub(super) mod claims;
mod error;
mod http;
mod provider;
mod settings;
mod token;

use std::fmt;

pub use openidconnect::ClientSecret as Secret;
use openidconnect::{
    AccessToken, AuthorizationCode, CsrfToken, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse, UserInfoClaims,
    core::{CoreAuthenticationFlow, CoreGenderClaim, CoreTokenResponse},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;
use url::Url;

use self::{
    claims::{Further, clean},
    http::Http,
    provider::{Client, Known, Provider},
};
pub use self::{
    error::Error,
    settings::{EVERYBODY, Settings, check_issuer},
};

/// How long a code, a state or an issuer may be, in bytes; the longest codes known (Entra's) have some 1,500.
const LONGEST: usize = 8192;

/// A sign-in that has been begun. To be kept for ten minutes at most, out of reach of scripts and other sites, and only
/// with the browser that began it: whoever holds it, and the code that belongs to it, signs in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    redirect_uri: String,
}

impl Pending {
    /// What the provider's answer will carry as `state`: 256 random bits.
    pub fn state(&self) -> &str {
        &self.state
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// Who somebody is. `issuer` and `subject` together name a person for ever; the name may change, and may be anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider, as it names itself.
    pub issuer: String,
    /// The provider's own number or word for the person.
    pub subject: String,
    /// What the person is called: one line, at most a hundred characters. Foreign text.
    pub name: String,
    /// The groups that the provider puts the person in. Foreign text.
    pub groups: Vec<String>,
}

/// The organisation's provider. Nothing is asked of it until somebody signs in.
#[derive(Debug)]
pub struct Oidc {
    settings: Settings,
    provider: Provider,
}

impl Oidc {
    /// With these settings; fails if they cannot work, whatever the provider says.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        check_issuer(&settings.issuer).map_err(Error::Settings)?;
        let http = Http::new(&settings.issuer, settings.ca.as_deref())?;
        let provider = Provider::new(settings.issuer.to_string(), http);
        Ok(Self { settings, provider })
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Begins a sign-in that comes back to `redirect_uri`: where to send the browser, and what to keep.
    pub async fn begin(&self, redirect_uri: &str) -> Result<(Url, Pending), Error> {
        let known = self.provider.known(None).await?;
        let client = known.client(&self.settings).set_redirect_uri(redirect(redirect_uri)?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new_random_len(32),
                || Nonce::new_random_len(32),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        let pending = Pending {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            redirect_uri: redirect_uri.to_owned(),
        };
        Ok((url, pending))
    }

    /// Ends a sign-in: `query` is what the browser brought back from the provider.
    pub async fn finish(&self, pending: Pending, query: &[(String, String)]) -> Result<Identity, Error> {
        let state = only(query, "state")?.ok_or(Error::Foreign("the answer carries no state"))?;
        if !bool::from(state.as_bytes().ct_eq(pending.state.as_bytes())) {
            return Err(Error::Foreign("the answer belongs to another sign-in, or to another browser's"));
        }
        let mut known = self.provider.known(None).await?;
        // Before its errors are believed (RFC 9207, 2.4).
        match only(query, "iss")? {
            Some(issuer) if issuer != known.issuer() => {
                return Err(Error::Foreign("the answer is from another provider than the question was for"));
            }
            None if known.names_itself() => {
                return Err(Error::Foreign("the answer does not say which provider gave it"));
            }
            _ => {}
        }
        if let Some(code) = only(query, "error")? {
            let words = only(query, "error_description")?.unwrap_or_default();
            return Err(Error::Denied { code: clean(code, 100), words: clean(words, 300) });
        }
        let code = only(query, "code")?.ok_or(Error::Foreign("the answer carries no code"))?;

        let tokens = self.exchange(&known, code, &pending).await?;
        let token = tokens
            .id_token()
            .ok_or_else(|| Error::Provider("it gave no ID token: is “openid” allowed for this client?".to_owned()))?;

        let nonce = Nonce::new(pending.nonce);
        let mut verified = token::verify(&known, &self.settings, token, tokens.access_token(), &nonce);
        if verified.as_ref().is_err_and(token::may_be_a_new_key) {
            known = self.provider.known(Some(&known)).await?;
            verified = token::verify(&known, &self.settings, token, tokens.access_token(), &nonce);
        }
        let subject = verified?.subject().to_string();
        self.identify(&known, subject, token::payload(token)?, tokens.access_token()).await
    }

    /// The tokens for a code.
    async fn exchange(&self, known: &Known, code: &str, pending: &Pending) -> Result<CoreTokenResponse, Error> {
        let client = known.client(&self.settings).set_redirect_uri(redirect(&pending.redirect_uri)?);
        let exchanged = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| Error::Provider("it names no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&self.provider.http)
            .await
            .map_err(Error::from);
        // Not for a code that it refuses: anybody can send one.
        if matches!(exchanged, Err(Error::Unreachable(_) | Error::Provider(_))) {
            self.provider.forget().await;
        }
        exchanged
    }

    /// Name and groups, from the token's claims or else from userinfo.
    async fn identify(
        &self,
        known: &Known,
        subject: String,
        claims: Value,
        access: &AccessToken,
    ) -> Result<Identity, Error> {
        let Settings { groups_claim, name_claim, .. } = &self.settings;
        let (mut groups, mut name) = (claims::groups(&claims, groups_claim), claims::name(&claims, name_claim));
        let mut further = Value::Null;
        if groups.is_none() || name.is_none() {
            further = self.userinfo(&known.client(&self.settings), &subject, access).await?;
            groups = groups.or_else(|| claims::groups(&further, groups_claim));
            name = name.or_else(|| claims::name(&further, name_claim));
        }
        let fallback = || {
            let mut places = [&claims, &further].into_iter();
            places.find_map(|said| ["preferred_username", "email", "name"].iter().find_map(|at| claims::name(said, at)))
        };
        Ok(Identity {
            issuer: known.issuer().to_owned(),
            name: name.or_else(fallback).unwrap_or_else(|| clean(&subject, 100)),
            subject,
            groups: groups.unwrap_or_default(),
        })
    }

    /// What userinfo says of this person; nothing where the provider has no userinfo.
    async fn userinfo(&self, client: &Client, subject: &str, access: &AccessToken) -> Result<Value, Error> {
        // The library would panic on it: it has to fit into a header (RFC 6750, 2.1).
        if !access.secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Provider("its access token has characters that no token has".to_owned()));
        }
        let subject = openidconnect::SubjectIdentifier::new(subject.to_owned());
        let Ok(request) = client.user_info(access.clone(), Some(subject)) else { return Ok(Value::Null) };
        let said: UserInfoClaims<Further, CoreGenderClaim> = request.request_async(&self.provider.http).await?;
        serde_json::to_value(&said).map_err(|_| Error::Provider("what it says of the person cannot be read".to_owned()))
    }

    /// The roles of this person, in the order of the settings: at least one.
    pub fn roles_of(&self, identity: &Identity) -> Result<Vec<&str>, Error> {
        let roles: Vec<&str> = self.settings.roles_of(&identity.groups).collect();
        if roles.is_empty() {
            return Err(Error::NoRole { name: identity.name.clone(), groups: identity.groups.clone() });
        }
        Ok(roles)
    }
}

/// The one value of this name. Twice is never (RFC 6749, 3.1), and which of two would be meant is how attacks begin.
fn only<'query>(query: &'query [(String, String)], name: &str) -> Result<Option<&'query str>, Error> {
    let mut values = query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let first = values.next();
    if values.next().is_some() || first.is_some_and(|value| value.len() > LONGEST) {
        return Err(Error::Foreign("the answer is not one that a provider gives"));
    }
    Ok(first)
}

fn redirect(uri: &str) -> Result<RedirectUrl, Error> {
    RedirectUrl::new(uri.to_owned()).map_err(|error| Error::Settings(format!("the address to come back to: {error}")))
}

//! Signing in with the organisation's own provider: OpenID Connect, authorization code flow with PKCE. This is the
//! protocol; what a person may do here, and the cookie that ties a sign-in to one browser, are the caller's.
//!
//! [`Oidc::begin`] says where to send the browser and what to keep; [`Oidc::finish`] takes what was kept and what came
//! back, and says who it is. What is checked, and where it is asked for: state (RFC 6749, 10.12), issuer (RFC 9207),
//! code and its verifier (RFC 7636, by the provider), the token's signature, `iss`, `aud`, `azp`, `exp`, `nonce` and
//! `at_hash` (OpenID Connect Core 1.0, 3.1.3.7 and 3.1.3.8), the subject of userinfo (5.3.2).

mod claims;
mod error;
mod http;
mod provider;

use std::{collections::HashSet, fmt, path::PathBuf};

use data_encoding::BASE64URL_NOPAD;
pub use openidconnect::ClientSecret as Secret;
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClaimsVerificationError, CsrfToken, IdTokenVerifier, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError,
    TokenResponse, UserInfoClaims,
    core::{CoreAuthenticationFlow, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims, CoreJsonWebKey},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;
use url::Url;

pub use self::error::Error;
use self::{
    claims::{Further, clean},
    http::Http,
    provider::{Client, Known, Provider},
};

/// How long a code, a state or an issuer may be, in bytes; the longest codes known (Entra's) have some 1,500.
const LONGEST: usize = 8192;

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
        "http" if http::is_loopback(issuer) => {}
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

/// A sign-in that has been begun. To be kept where only the console can read it, for ten minutes at most, usable once,
/// and tied to the browser that began it: whoever has it and the code of somebody else signs in as them.
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

        let client = known.client(&self.settings).set_redirect_uri(redirect(&pending.redirect_uri)?);
        let exchanged = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| Error::Provider("it names no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier))
            .request_async(&self.provider.http)
            .await;
        let tokens = match exchanged {
            Ok(tokens) => tokens,
            Err(error) => {
                self.provider.forget().await;
                return Err(error.into());
            }
        };
        let token = tokens
            .id_token()
            .ok_or_else(|| Error::Provider("it gave no ID token: is “openid” allowed for this client?".to_owned()))?;

        let nonce = Nonce::new(pending.nonce);
        let mut verified = self.verify(&known, token, tokens.access_token(), &nonce);
        if verified.as_ref().is_err_and(may_be_a_new_key) {
            known = self.provider.known(Some(&known)).await?;
            verified = self.verify(&known, token, tokens.access_token(), &nonce);
        }
        let subject = verified?.subject().to_string();
        self.identify(&known, subject, payload(token)?, tokens.access_token()).await
    }

    /// The token's claims, if they are the provider's, for us, now and in answer to this question.
    fn verify<'token>(
        &self,
        known: &Known,
        token: &'token CoreIdToken,
        access: &AccessToken,
        nonce: &Nonce,
    ) -> Result<&'token CoreIdTokenClaims, ClaimsVerificationError> {
        use ClaimsVerificationError as Wrong;
        let client = known.client(&self.settings);
        let verifier: IdTokenVerifier<'_, CoreJsonWebKey> =
            client.id_token_verifier().set_allowed_algs(known.algorithms().collect::<HashSet<_>>());
        let claims = token.claims(&verifier, nonce)?;
        if claims.authorized_party().is_some_and(|party| **party != self.settings.client_id) {
            return Err(Wrong::InvalidAudience("it was given to another client (azp)".to_owned()));
        }
        // OpenID Connect Core 1.0, 2: at most 255 ASCII characters.
        if claims.subject().is_empty() || claims.subject().len() > 255 {
            return Err(Wrong::InvalidSubject("it names nobody".to_owned()));
        }
        if let Some(hash) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(Wrong::SignatureVerification)?;
            let key = token.signing_key(&verifier).map_err(Wrong::SignatureVerification)?;
            let ours = AccessTokenHash::from_token(access, algorithm, key);
            if ours.is_ok_and(|ours| ours == *hash) {
                return Ok(claims);
            }
            return Err(Wrong::Other("its at_hash is not that of the access token beside it".to_owned()));
        }
        Ok(claims)
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

/// Whether this is how a token looks whose key is younger than what we know.
fn may_be_a_new_key(error: &ClaimsVerificationError) -> bool {
    use SignatureVerificationError as Wrong;
    matches!(
        error,
        ClaimsVerificationError::SignatureVerification(
            Wrong::NoMatchingKey | Wrong::AmbiguousKeyId(_) | Wrong::CryptoError(_) | Wrong::InvalidKey(_)
        )
    )
}

/// All claims of a token that has been verified, those included that the library has no field for.
fn payload(token: &CoreIdToken) -> Result<Value, Error> {
    let text = token.to_string();
    let claims = text.split('.').nth(1).and_then(|part| BASE64URL_NOPAD.decode(part.as_bytes()).ok());
    let claims = claims.and_then(|json| serde_json::from_slice(&json).ok());
    claims.ok_or_else(|| Error::Token("its claims cannot be read".to_owned()))
}

//! What the provider says of itself, asked for when first needed: one that is down must not keep the console from
//! starting.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use openidconnect::{
    AdditionalProviderMetadata, AuthType, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl,
    ProviderMetadata, TokenUrl, UserInfoUrl,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode,
        CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::timeout};

use super::{
    Error, Settings,
    http::{Fault, Http},
};

/// How long the provider's description and keys are believed, so that a key that it withdraws ends here too.
const BELIEVED: Duration = Duration::from_hours(1);

/// How long asking for them may take in all.
const DISCOVERY: Duration = Duration::from_secs(15);

/// What we read beyond the library's own fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Further {
    /// RFC 9207, 3: whether each answer names its issuer.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Further {}

type Metadata = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The library's client, with what a description gives.
pub(super) type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The provider as it has described itself.
#[derive(Debug)]
pub(super) struct Known {
    metadata: Metadata,
    since: Instant,
}

impl Known {
    /// How the provider names itself; the first half of everybody's identity.
    pub fn issuer(&self) -> &str {
        self.metadata.issuer()
    }

    /// Whether each of its answers has to name it.
    pub fn names_itself(&self) -> bool {
        self.metadata.additional_metadata().authorization_response_iss_parameter_supported
    }

    /// The algorithms that its tokens may be signed with: those that need its private key. A token under our own
    /// secret (HS256) would be worth as much as that secret, and one under none nothing.
    pub fn algorithms(&self) -> impl Iterator<Item = CoreJwsSigningAlgorithm> {
        use CoreJwsSigningAlgorithm as Alg;
        let offered = self.metadata.id_token_signing_alg_values_supported().iter().cloned();
        offered.filter(|alg| !matches!(alg, Alg::None | Alg::HmacSha256 | Alg::HmacSha384 | Alg::HmacSha512))
    }

    /// A client of it.
    pub fn client(&self, settings: &Settings) -> Client {
        let client = CoreClient::from_provider_metadata(
            self.metadata.clone(),
            openidconnect::ClientId::new(settings.client_id.clone()),
            settings.client_secret.clone(),
        );
        // OpenID Connect Discovery 1.0, 3: what is not said is client_secret_basic.
        let methods = self.metadata.token_endpoint_auth_methods_supported();
        let basic = methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        client.set_auth_type(if basic { AuthType::BasicAuth } else { AuthType::RequestBody })
    }
}

#[derive(Debug, Default)]
struct Memory {
    known: Option<Arc<Known>>,
    /// The last time it did not work, for those who waited meanwhile.
    failed: Option<(Instant, Error)>,
}

/// The provider: what is known of it, and how to ask.
#[derive(Debug)]
pub(super) struct Provider {
    issuer: String,
    pub http: Http,
    memory: Mutex<Memory>,
}

impl Provider {
    pub fn new(issuer: String, http: Http) -> Self {
        Self { issuer, http, memory: Mutex::default() }
    }

    /// What the provider says of itself, at most an hour old and not `stale`. However many ask at once, it is asked
    /// once; if that fails, it has failed for all of them.
    pub async fn known(&self, stale: Option<&Arc<Known>>) -> Result<Arc<Known>, Error> {
        let begun = Instant::now();
        let mut memory = self.memory.lock().await;
        let is_good = |known: &&Arc<Known>| {
            known.since.elapsed() < BELIEVED && !stale.is_some_and(|stale| Arc::ptr_eq(stale, known))
        };
        if let Some(known) = memory.known.as_ref().filter(is_good) {
            return Ok(known.clone());
        }
        if let Some((_, error)) = memory.failed.as_ref().filter(|(when, _)| *when > begun) {
            return Err(error.clone());
        }
        let found = timeout(DISCOVERY, self.discover()).await.unwrap_or_else(|_| Err(Fault::TimedOut.into()));
        match found {
            Ok(metadata) => {
                let known = Arc::new(Known { metadata, since: Instant::now() });
                *memory = Memory { known: Some(known.clone()), failed: None };
                Ok(known)
            }
            Err(error) => {
                *memory = Memory { known: None, failed: Some((Instant::now(), error.clone())) };
                Err(error)
            }
        }
    }

    /// Asks again next time: something was not where the provider said that it was.
    pub async fn forget(&self) {
        self.memory.lock().await.known = None;
    }

    async fn discover(&self) -> Result<Metadata, Error> {
        // Issuers are compared letter by letter, and a URL without a path is always written with a slash at its end:
        // both spellings are the same place.
        let other = self.issuer.strip_suffix('/').map_or_else(|| format!("{}/", self.issuer), ToOwned::to_owned);
        let first = self.discover_as(&self.issuer).await;
        let metadata = match first {
            Err(DiscoveryError::Validation(why)) => self.discover_as(&other).await.map_err(|_| Error::Provider(why))?,
            other => other?,
        };
        let endpoints = [
            Some(metadata.authorization_endpoint().url()),
            metadata.token_endpoint().map(TokenUrl::url),
            metadata.userinfo_endpoint().map(UserInfoUrl::url),
        ];
        for endpoint in endpoints.into_iter().flatten() {
            self.http.may_use(endpoint)?;
        }
        if metadata.token_endpoint().is_none() {
            return Err(Error::Provider("it names no token endpoint, which the code flow needs".to_owned()));
        }
        Ok(metadata)
    }

    async fn discover_as(&self, issuer: &str) -> Result<Metadata, DiscoveryError<Fault>> {
        let issuer = IssuerUrl::new(issuer.to_owned()).map_err(DiscoveryError::UrlParse)?;
        Metadata::discover_async(issuer, &self.http).await
    }
}

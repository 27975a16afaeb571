//! How we speak to the provider: the organisation's own TLS roots if it has some, nothing followed, nothing endless.

use std::{error::Error as _, future::Future, io, path::Path, pin::Pin, sync::Arc, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::{Client, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use url::{Host, Url};

use super::{Error, claims::clean};

/// How long one answer may take. A provider that has to wake up needs a few seconds.
const ANSWER: Duration = Duration::from_secs(10);

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(4);

/// How large an answer may be, in bytes. Key sets and descriptions have a few kilobytes.
const LARGEST: usize = 1 << 20;

/// Our side of the conversation. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    /// Whether plain http is fine: the provider is on this machine.
    plain: bool,
}

/// Why there is no answer to be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Transport(String),
    #[error("{0}")]
    Certificate(String),
    #[error("it did not answer within {} s", ANSWER.as_secs())]
    TimedOut,
    #[error("it sent this console on to {0}, which a provider has no reason to do and is not followed")]
    Redirected(String),
    #[error("its answer is larger than {} kB", LARGEST / 1024)]
    TooLarge,
    #[error("it wants to be asked at {0}, where others can read along")]
    Plain(String),
}

impl Http {
    /// For this issuer, with the authorities in `ca` (PEM) trusted besides the public ones.
    pub fn new(issuer: &Url, ca: Option<&Path>) -> Result<Self, Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = ca {
            let wrong = |why: &dyn std::fmt::Display| Error::Settings(format!("--oidc-ca {}: {why}", path.display()));
            let before = roots.len();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
            if roots.len() == before {
                return Err(wrong(&"there is no certificate in it"));
            }
        }
        let ours = |error: &dyn std::fmt::Display| Error::Settings(format!("TLS cannot be set up: {error}"));
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ours(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let plain = issuer.scheme() == "http";
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(!plain)
            // What the provider's address answers is the provider's; where it leads is anybody's.
            .redirect(Policy::none())
            .referer(false)
            .timeout(ANSWER)
            .connect_timeout(CONNECT)
            .user_agent(concat!("wheelhouse/", env!("CARGO_PKG_VERSION")));
        // A proxy from the environment is the way out of many an organisation, but never the way to this machine.
        let client = if plain { client.no_proxy() } else { client };
        Ok(Self { client: client.build().map_err(|error| ours(&error))?, plain })
    }

    /// Whether this address may be used: by TLS, or without when everything stays on this machine.
    pub fn may_use(&self, url: &Url) -> Result<(), Fault> {
        if url.scheme() == "https" || (self.plain && url.scheme() == "http" && is_loopback(url)) {
            return Ok(());
        }
        Err(Fault::Plain(clean(url.as_str(), 200)))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let request = reqwest::Request::try_from(request)?;
        self.may_use(request.url())?;
        let mut answer = self.client.execute(request).await?;
        if answer.status().is_redirection() {
            let to = answer.headers().get(http::header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            // Without its query, which may hold anything.
            let to = to.split(['?', '#']).next().unwrap_or_default();
            return Err(Fault::Redirected(clean(to, 200)));
        }
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        while let Some(chunk) = answer.chunk().await? {
            if response.body().len() + chunk.len() > LARGEST {
                return Err(Fault::TooLarge);
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

impl<'http> AsyncHttpClient<'http> for Http {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Fault>> + Send + 'http>>;

    fn call(&'http self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl From<reqwest::Error> for Fault {
    /// The last link of the chain says most (“connection refused”); the first would repeat the address.
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let mut last = error.to_string();
        let mut link = error.source();
        while let Some(inner) = link {
            // An io::Error hides what it wraps from `source`.
            let wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let tls = wrapped.and_then(|inner| inner.downcast_ref()).or_else(|| inner.downcast_ref::<rustls::Error>());
            if let Some(rustls::Error::InvalidCertificate(why)) = tls {
                return Self::Certificate(why.to_string());
            }
            last = inner.to_string();
            link = inner.source();
        }
        Self::Transport(last)
    }
}

/// Whether a request to this address stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // RFC 6761, 6.3: names under localhost are this machine.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

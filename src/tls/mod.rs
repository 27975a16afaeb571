//! TLS: the certificate that browsers are shown, a given one or our own, kept fresh while the console runs.

mod files;
mod own;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use rustls::{ServerConfig, crypto::CryptoProvider};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub use self::{files::Files, own::Own};
use files::Pair;

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files that somebody else writes, and replaces when he likes.
    Given(Files),
    /// Made here.
    Own(Own),
}

impl Source {
    /// The certificate as it should be shown now.
    fn load(&self) -> anyhow::Result<Pair> {
        match self {
            Self::Given(files) => files.read(),
            Self::Own(own) => own.load(),
        }
    }

    /// How long to wait before looking again.
    fn pause(&self) -> Duration {
        match self {
            Self::Given(_) => Duration::from_secs(3),
            Self::Own(_) => Duration::from_hours(1),
        }
    }
}

/// The ears for TLS. A cheap clone.
#[derive(Clone)]
pub struct Tls {
    shown: watch::Receiver<Shown>,
}

#[derive(Clone)]
struct Shown {
    config: Arc<ServerConfig>,
    fingerprint: String,
}

impl Tls {
    /// Loads the certificate, and follows its source from then on.
    pub fn start(source: Source) -> anyhow::Result<Self> {
        let pair = source.load()?;
        let (sender, shown) = watch::channel(Shown::new(&pair)?);
        tokio::spawn(keep(source, pair, sender));
        Ok(Self { shown })
    }

    /// What takes the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.shown.borrow().config.clone().into()
    }

    /// The SHA-256 of the certificate, as browsers print it.
    pub fn fingerprint(&self) -> String {
        self.shown.borrow().fingerprint.clone()
    }
}

impl Shown {
    fn new(pair: &Pair) -> anyhow::Result<Self> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(pair.chain.clone(), pair.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let leaf = pair.chain.first().context("no certificate")?;
        let hex = data_encoding::HEXUPPER.encode(&Sha256::digest(leaf));
        let bytes: Vec<_> = hex.as_bytes().chunks(2).map(String::from_utf8_lossy).collect();
        Ok(Self { config: Arc::new(config), fingerprint: bytes.join(":") })
    }
}

/// Named wherever it is needed: a second one in the tree would make the default one a panic.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Shows what the source has, as long as anybody looks. What cannot be shown is said once, and the old one stays.
async fn keep(source: Source, mut pair: Pair, sender: watch::Sender<Shown>) {
    let mut said = String::new();
    while !sender.is_closed() {
        tokio::time::sleep(source.pause()).await;
        let next =
            source.load().and_then(|next| if next == pair { Ok(None) } else { Ok(Some((Shown::new(&next)?, next))) });
        match next {
            Ok(None) => {}
            Ok(Some((shown, next))) => {
                tracing::info!(fingerprint = shown.fingerprint, "there is a new certificate");
                pair = next;
                said.clear();
                sender.send_replace(shown);
            }
            Err(error) => {
                let why = format!("{error:#}");
                if why != said {
                    tracing::warn!(why, "the new certificate cannot be shown; the old one stays");
                    said = why;
                }
            }
        }
    }
}

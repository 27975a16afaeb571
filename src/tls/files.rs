//! A certificate and its key in two PEM files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use super::provider;

/// Where they are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate, and those between it and its root.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// What is in them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Files {
    /// Reads them; the error names the file that is to blame.
    pub(super) fn read(&self) -> anyhow::Result<Pair> {
        let (cert, key) = (read(&self.cert)?, read(&self.key)?);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&cert)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{} is not PEM", self.cert.display()))?;
        if chain.is_empty() {
            bail!("there is no certificate in {} (looked for -----BEGIN CERTIFICATE-----)", self.cert.display());
        }
        let key = PrivateKeyDer::from_pem_slice(&key).with_context(|| {
            format!(
                "there is no private key without a password in {} (looked for -----BEGIN PRIVATE KEY-----)",
                self.key.display()
            )
        })?;
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider()).with_context(|| {
            format!(
                "the certificate in {} and the key in {} do not work together",
                self.cert.display(),
                self.key.display()
            )
        })?;
        Ok(Pair { chain, key })
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

//! Random secrets that are handed out once, and what is kept of them.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What is kept of a secret: it has so many bits that a plain hash cannot be turned back.
pub type Hash = [u8; 32];

/// A random secret of 160 bits, as 32 letters and digits that can be read out and typed.
pub fn fresh() -> String {
    BASE32_NOPAD.encode(&bytes::<20>()).to_ascii_lowercase()
}

/// Random bytes. Without a source of randomness nothing here is safe, so a machine without one ends.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(error = error.to_string(), "the system gives no random numbers");
        std::process::abort();
    }
    bytes
}

/// What is kept of `secret`.
pub fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether both are the same, without telling how far.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

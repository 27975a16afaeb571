//! Secrets that have to be read again, sealed: whoever has the database alone has none of them (S045).

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::secret;

/// The key's length in bytes. Source: RFC 8439.
const KEY: usize = 32;

/// Where the key is; made when it is first needed.
#[derive(Debug)]
pub struct Vault {
    file: PathBuf,
}

impl Vault {
    /// With its key in this folder.
    pub fn new(folder: &Path) -> Self {
        Self { file: folder.join("registries.key") }
    }

    /// Closes `text` up, for `place` alone: moved to another, it does not open.
    pub fn seal(&self, place: &str, text: &str) -> io::Result<Vec<u8>> {
        let key = key(self.read_or_make()?)?;
        let nonce: [u8; NONCE_LEN] = secret::bytes();
        let mut sealed = text.as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .map_err(|_| io::Error::other("it cannot be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `place`; none where the key is another one, or is gone.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let key = key(fs::read(&self.file).ok()?.try_into().ok()?).ok()?;
        let mut text = text.to_vec();
        let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut text).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }

    fn read_or_make(&self) -> io::Result<[u8; KEY]> {
        match fs::read(&self.file) {
            Ok(key) => key.try_into().map_err(|_| io::Error::other("the key is damaged")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = secret::bytes();
                let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file)?;
                file.write_all(&key)?;
                file.sync_all()?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }
}

fn key(bytes: [u8; KEY]) -> io::Result<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| io::Error::other("the key is damaged"))?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s045_opens_for_its_place_with_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        assert_eq!(vault.open("a", b"before there is a key"), None);
        let sealed = vault.seal("a", "geheim").unwrap();
        assert_eq!(vault.open("a", &sealed).as_deref(), Some("geheim"));
        assert!(!sealed.windows(6).any(|part| part == b"geheim"));
        assert_ne!(vault.seal("a", "geheim").unwrap(), sealed, "nobody sees that two are the same");
        assert_eq!(vault.open("b", &sealed), None);
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(vault.open("a", &changed), None);
        assert_eq!(vault.open("a", &sealed[..5]), None);
        let other = tempfile::tempdir().unwrap();
        let other = Vault::new(other.path());
        other.seal("a", "x").unwrap();
        assert_eq!(other.open("a", &sealed), None);
    }
}

//! Where images may be pulled from by who has no power over the host (S046): a pull is a request that the engine makes
//! in its own network, and its failures tell what listens there.

use super::Reach;
use crate::engine::{Error, Registry};

impl Reach {
    /// Refuses a pull from elsewhere than the registries that were named, before anything is asked of anybody: what
    /// listens where, and what does not, is not told apart.
    pub(in crate::engine) fn may_pull(&self, reference: &str) -> Result<(), Error> {
        let registry = Registry::of(reference);
        if self.root || self.registries.iter().any(|known| known == registry.as_str()) {
            return Ok(());
        }
        let known = self.registries.join(", ");
        Err(Error::Forbidden(format!(
            "It lets you pull from {known} only. An administrator can pull this image, or name the registry with --registries."
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s046_operators_pull_from_the_registries_that_were_named() {
        let reach = Reach::operator(Vec::new());
        for fine in ["nginx", "library/nginx:1.27", "docker.io/x/y", "index.docker.io/x", "a/b@sha256:00"] {
            assert!(reach.may_pull(fine).is_ok(), "{fine}");
        }
        let told = |reference: &str| reach.may_pull(reference).map_err(|error| error.to_string());
        let refused =
            ["127.0.0.1:22/x", "[::1]:80/x", "169.254.169.254/x", "10.0.0.1.nip.io/x", "localhost/x", "ghcr.io/x"];
        for reference in refused {
            assert_eq!(told(reference), told("127.0.0.1:1/x"), "{reference}");
            assert!(told(reference).is_err());
            assert!(Reach::admin().may_pull(reference).is_ok());
        }
        let wider = Reach { registries: vec!["ghcr.io".to_owned()], ..reach };
        assert!(wider.may_pull("ghcr.io/x").is_ok() && wider.may_pull("nginx").is_err());
    }
}

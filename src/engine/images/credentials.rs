//! What a registry is told about who asks.

use data_encoding::BASE64URL;
use hyper::{header::HeaderValue, http::request::Builder};
use serde::Serialize;

use crate::engine::{Engine, Registry};

/// The header of the engine's API that says who asks one registry.
const ONE: &str = "x-registry-auth";
/// The header that says who asks each registry, for a build.
const ALL: &str = "x-registry-config";

/// Base64url of JSON, which is in no log.
fn header(value: &impl Serialize) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&BASE64URL.encode(&serde_json::to_vec(value).ok()?)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Engine {
    /// A request that leads to the registry of this reference, with what is known of how to sign in there, and nowhere
    /// else (S045); should that registry as a whole send it elsewhere, docker follows, and signs in there, too. Without
    /// any the engine wants an empty object all the same: a push has to say something.
    pub(super) fn signed(&self, reference: &str, request: Builder) -> Builder {
        let known = self.login(&Registry::of(reference));
        let value = known.as_ref().map_or_else(|| header(&serde_json::json!({})), |known| header(&known.said()));
        value.into_iter().fold(request, |request, value| request.header(ONE, value))
    }

    /// A build by a builder that does not ask: it is told of every registry, and tells each its own (S045).
    pub(in crate::engine) fn signed_for_all(&self, request: Builder) -> Builder {
        let known = self.logins();
        let said: std::collections::BTreeMap<_, _> = known.iter().map(|(host, known)| (host, known.said())).collect();
        let value = (!said.is_empty()).then(|| header(&said)).flatten();
        value.into_iter().fold(request, |request, value| request.header(ALL, value))
    }
}

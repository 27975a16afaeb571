//! What a registry is told about who asks.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use hyper::{header::HeaderValue, http::request::Builder};

use crate::engine::Engine;

/// The header of the engine's API that says who asks: base64url of JSON.
const HEADER: &str = "x-registry-auth";

impl Engine {
    /// A request that leads to the registry of this reference, with what is known of how to sign in there, and nowhere
    /// else (S045). Without any the engine wants an empty object all the same: a push has to say something.
    pub(super) fn signed(&self, reference: &str, request: Builder) -> Builder {
        let known = self.signs_in(reference).and_then(|known| serde_json::to_vec(&known).ok());
        let value = URL_SAFE.encode(known.unwrap_or_else(|| b"{}".to_vec()));
        match HeaderValue::from_str(&value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(HEADER, value)
            }
            Err(_) => request,
        }
    }
}

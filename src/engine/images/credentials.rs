//! What a registry is told about who asks.

use std::fmt;

/// Who asks, as the engine hands it on to a registry: the value of `X-Registry-Auth`, base64url of JSON. Whoever makes
/// one makes it for the registry of one reference, and for no other (S045).
#[derive(Clone)]
pub struct Credentials(pub String);

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(‹hidden›)")
    }
}

/// The header of the engine's API that carries them.
const HEADER: &str = "x-registry-auth";

impl Credentials {
    /// Puts them on a request. Without any the engine wants an empty object all the same: a push has to say something.
    pub(super) fn on(of: Option<&Self>, request: hyper::http::request::Builder) -> hyper::http::request::Builder {
        // base64url of `{}`.
        request.header(HEADER, of.map_or("e30=", |credentials| credentials.0.as_str()))
    }
}

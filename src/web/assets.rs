//! `static/`, out of the binary. See `build.rs`.

use axum::{
    extract::Path,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};

struct Asset {
    name: &'static str,
    hashed: &'static str,
    mime: &'static str,
    raw: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The path of an asset, with its hash, below `/assets/`. Used in templates: `{{ asset("app.css") }}`.
pub fn asset(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("missing", |asset| asset.hashed)
}

/// Serves one. A name is a hash of what it holds, so it may be kept for ever.
pub(super) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.hashed == name) else {
        return (StatusCode::NOT_FOUND, "no such asset").into_response();
    };
    let accepts = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (encoding, bytes) = match accepts {
        all if all.contains("br") => (Some("br"), asset.brotli),
        all if all.contains("gzip") => (Some("gzip"), asset.gzip),
        _ => (None, asset.raw),
    };
    let keep =
        [(CONTENT_TYPE, asset.mime), (CACHE_CONTROL, "public, max-age=31536000, immutable"), (VARY, "accept-encoding")];
    let mut response = (keep, bytes).into_response();
    if let Some(encoding) = encoding.and_then(|encoding| encoding.parse().ok()) {
        response.headers_mut().insert(CONTENT_ENCODING, encoding);
    }
    response
}

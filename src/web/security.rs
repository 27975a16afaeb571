//! Who may ask: the Host allow-list, writes from our own pages only, and the headers on every answer.
//!
//! Own code where tower-http has a CSRF layer: that one compares hosts alone and lets a form of another port or
//! scheme through, and its refusal cannot say which setting would let a proxy in (S013 to S017).

use std::{collections::HashSet, net::IpAddr};

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;
use url::Url;

use super::{Asker, Client, Error, Wire};

/// What the settings say about who may ask.
#[derive(Debug, Clone, Default)]
pub struct Guards {
    /// Host names that are ours, in lower case, without port.
    hosts: HashSet<String>,
    /// The origin that a proxy serves us under.
    public_origin: Option<String>,
}

impl Guards {
    /// From `--hosts` and `--public-url`.
    pub fn new(hosts: &[String], public_url: Option<&Url>) -> Self {
        let named = hosts.iter().map(|host| without_port(host.trim()).to_ascii_lowercase());
        let public = public_url.and_then(|url| url.host_str()).map(str::to_ascii_lowercase);
        Self {
            hosts: named.chain(public).filter(|host| !host.is_empty()).collect(),
            public_origin: public_url.map(|url| url.origin().ascii_serialization()),
        }
    }

    /// The names that are ours.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// Whether this Host is one of ours: an address, localhost, or a name that was set. Any other name may be a
    /// stranger's that was pointed at us: DNS rebinding (S018).
    pub(super) fn knows(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || bare.parse::<IpAddr>().is_ok() || self.hosts.contains(&name)
    }

    /// Whether a socket that came with these headers was opened by a page of ours, which is at `own`: by one of exactly that
    /// scheme, host and port, or by what is no browser and carries no cookie (S015).
    pub(super) fn is_own_socket(&self, headers: &HeaderMap, own: String, has_cookie: bool) -> Result<(), Stranger> {
        let said: Vec<_> = headers.get_all(header::ORIGIN).iter().collect();
        let fine = match said.as_slice() {
            [] => !has_cookie && !headers.contains_key("sec-fetch-site"),
            [one] => one.to_str().is_ok_and(|origin| self.is_ours(origin, &own)),
            _ => false,
        };
        let origin = said.first().map(|origin| origin.to_str().unwrap_or("?").to_owned()).unwrap_or_default();
        if fine { Ok(()) } else { Err(Stranger { origin, wanted: self.public_origin.clone().unwrap_or(own) }) }
    }

    /// Whether this origin is `own`, or the one that a proxy serves us under.
    fn is_ours(&self, origin: &str, own: &str) -> bool {
        let parsed = Url::parse(origin).ok().map(|url| url.origin());
        let is = |ours: &str| Url::parse(ours).ok().is_some_and(|ours| parsed.as_ref() == Some(&ours.origin()));
        is(own) || self.public_origin.as_deref().is_some_and(is)
    }

    /// Whether a write that came with these headers comes from a page of ours, which is at `own`.
    /// `has_cookie` says whether it carries what a browser sends along by itself.
    pub(super) fn is_own(&self, headers: &HeaderMap, own: String, has_cookie: bool) -> Result<(), Stranger> {
        let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
        let origin = text(&header::ORIGIN);
        let matches = |origin: &str| self.is_ours(origin, &own);
        let site = text(&HeaderName::from_static("sec-fetch-site"));
        let fine = match (site.as_deref(), origin.as_deref()) {
            // What a browser itself says cannot be forged by a page; it is not said on plain http in a LAN (S014).
            (Some("same-origin"), _) => true,
            // A page behind a proxy that changes names is told apart by its origin.
            (Some(_), Some(origin)) => self.public_origin.is_some() && matches(origin),
            (Some(_), None) => false,
            (None, Some(origin)) => matches(origin),
            // Neither. A text browser names the page that it comes from; scripts and curl have no page that could
            // trick them, unless they carry a cookie as a browser does.
            (None, None) => match text(&header::REFERER) {
                Some(page) => matches(&page),
                None => !has_cookie,
            },
        };
        let wanted = self.public_origin.clone().unwrap_or(own);
        if fine { Ok(()) } else { Err(Stranger { origin: origin.or(site).unwrap_or_default(), wanted }) }
    }
}

/// A write that does not come from a page of ours.
pub(super) struct Stranger {
    /// Where it comes from, as far as it says.
    pub(super) origin: String,
    /// Where it should have come from.
    pub(super) wanted: String,
}

/// The Host of a request: the header, or the authority of HTTP/2 (S016).
pub fn host_of(parts: &Parts) -> Option<String> {
    host(&parts.uri, &parts.headers)
}

pub(super) fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| uri.authority().map(hyper::http::uri::Authority::as_str)).map(str::to_owned)
}

/// `name:80` without the port, `[::1]:80` likewise.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !name.ends_with(':') && port.bytes().all(|b| b.is_ascii_digit()) => {
            if name.contains(':') && !name.ends_with(']') {
                host
            } else {
                name
            }
        }
        _ => host,
    }
}

/// Turns away who calls us by a name that is not ours, before any handler.
pub(super) async fn known_host(
    State(guards): State<Arc<Guards>>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let host = host(request.uri(), request.headers()).unwrap_or_default();
    if guards.knows(&host) { Ok(next.run(request).await) } else { Err(Error::unknown_host(&host)) }
}

/// Turns away writes, and reads by scripts, of other sites' pages.
pub(super) async fn same_origin(
    State(guards): State<Arc<Guards>>,
    Extension(asker): Extension<Arc<Asker>>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let client = asker.client;
    let host = host(request.uri(), request.headers()).unwrap_or_default();
    let own = format!("{}://{host}", if client.is_secure { "https" } else { "http" });
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        if is_foreign_read(request.headers()) {
            return Err(Error::foreign_read());
        }
    } else if let Err(Stranger { origin, wanted }) = guards.is_own(request.headers(), own, asker.has_cookie()) {
        tracing::warn!(origin, wanted, "a write from a page that is not ours was refused; see --public-url");
        if asker.is_known() {
            asker.refused(request.uri().path(), format!("{} came from {origin}", request.method())).await;
        }
        return Err(Error::foreign_write(&origin, &wanted));
    }
    Ok(next.run(request).await)
}

/// A link from elsewhere may lead here; an image, a script or an `EventSource` of another site may not.
fn is_foreign_read(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = matches!(said("sec-fetch-site"), Some("cross-site" | "same-site"));
    foreign && said("sec-fetch-mode") != Some("navigate")
}

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

/// The policy of what is foreign, and only ever saved (S031).
pub(super) const SANDBOX: &str = "sandbox; default-src 'none'";

/// Puts the headers on every answer, errors and assets included (S020, S022).
pub(super) async fn headers(State(wire): State<Wire>, client: Client, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // What is foreign has a stricter one of its own: it may do nothing at all.
    if headers.get(header::CONTENT_SECURITY_POLICY).is_none_or(|own| own != SANDBOX) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    // A file that is only saved may do less than a page.
    let is_file = headers.contains_key(header::CONTENT_DISPOSITION);
    for (name, value) in fixed {
        if !(is_file && name == header::CONTENT_SECURITY_POLICY && headers.contains_key(&name)) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Some(insists) = wire.insists(client) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, insists);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("accept, hx-request"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guards(public: Option<&str>) -> Guards {
        let public = public.and_then(|url| Url::parse(url).ok());
        Guards::new(&["box.lan:9000".into(), " Other ".into()], public.as_ref())
    }

    #[test]
    fn s018_only_our_own_names() {
        let guards = guards(Some("https://docker.example/"));
        for ours in [
            "127.0.0.1:9000",
            "[::1]:9000",
            "[fe80::1]",
            "10.1.2.3",
            "localhost",
            "LOCALHOST:1",
            "box.lan",
            "other:80",
            "docker.example",
        ] {
            assert!(guards.knows(ours), "{ours}");
        }
        for foreign in
            ["", "evil.test", "evil.test:9000", "127.0.0.1.evil.test", "localhost.evil.test", "box.lan.evil.test", "1"]
        {
            assert!(!guards.knows(foreign), "{foreign}");
        }
    }

    #[test]
    fn s015_sockets_come_from_our_own_pages() {
        let ask = |guards: &Guards, origins: &[&str], has_cookie: bool| {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append("origin", origin.parse().unwrap());
            }
            guards.is_own_socket(&headers, "http://10.1.2.3:9000".into(), has_cookie).is_ok()
        };
        let plain = guards(None);
        assert!(ask(&plain, &["http://10.1.2.3:9000"], true));
        assert!(ask(&plain, &[], false) && !ask(&plain, &[], true));
        for origin in [
            "http://10.1.2.3:9999",
            "https://10.1.2.3:9000",
            "http://10.1.2.3",
            "http://evil",
            "null",
            "",
            "http://10.1.2.3:9000.evil",
            "http://evil.10.1.2.3:9000",
            "http://10.1.2.3:9000@evil",
            "http://10.1.2.30:9000",
        ] {
            assert!(!ask(&plain, &[origin], true) && !ask(&plain, &[origin], false), "{origin}");
            assert!(!ask(&plain, &["http://10.1.2.3:9000", origin], true), "{origin} as the second");
        }
        let proxied = guards(Some("https://docker.example/x/"));
        assert!(ask(&proxied, &["https://docker.example"], true));
        assert!(!ask(&proxied, &["http://docker.example"], true));
    }

    #[test]
    fn s013_writes_come_from_our_own_pages() {
        let ask = |guards: &Guards, site: Option<&str>, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value.and_then(|value| value.parse().ok()) {
                    headers.insert(name, value);
                }
            }
            guards.is_own(&headers, "http://10.1.2.3:9000".into(), false).is_ok()
        };
        let plain = guards(None);
        assert!(ask(&plain, None, None));
        assert!(ask(&plain, None, Some("http://10.1.2.3:9000")));
        assert!(ask(&plain, Some("same-origin"), Some("https://name")));
        for origin in [
            "http://10.1.2.3:9999",
            "https://10.1.2.3:9000",
            "http://10.1.2.3",
            "http://evil",
            "null",
            "http://10.1.2.3:9000.evil",
        ] {
            assert!(!ask(&plain, None, Some(origin)), "{origin}");
        }
        for site in ["cross-site", "same-site", "none"] {
            assert!(!ask(&plain, Some(site), Some("http://10.1.2.3:9000")), "{site}");
            assert!(!ask(&plain, Some(site), None), "{site}");
        }
        let proxied = guards(Some("https://docker.example/x/"));
        assert!(ask(&proxied, None, Some("https://docker.example")));
        assert!(ask(&proxied, None, Some("https://docker.example:443")));
        assert!(!ask(&proxied, None, Some("http://docker.example")));
    }
}

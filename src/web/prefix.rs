//! Living below a path: `--public-url https://host/docker/`. Inside, every path is as if there were no prefix; it is
//! taken off what comes in, where the proxy has not done that, and put on what goes out. Nothing else knows of it.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, Uri,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    response::Response,
};
use http_body_util::BodyExt;
use url::Url;

/// Headers that hold a path of ours.
const HEADERS: [HeaderName; 2] = [LOCATION, HeaderName::from_static("x-after")];

/// Attributes that hold one; `data-root` is where scripts learn of the prefix.
const ATTRIBUTES: [&str; 11] = [
    "href",
    "src",
    "action",
    "formaction",
    "hx-get",
    "hx-post",
    "hx-sse:connect",
    "data-stream",
    "data-draft",
    "data-goto",
    "data-root",
];

/// The path that we live below: `/docker`.
#[derive(Debug, Clone)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// From `--public-url`; none where that has no path.
    pub fn of(public_url: Option<&Url>) -> Option<Self> {
        let path = public_url?.path().trim_end_matches('/');
        (!path.is_empty()).then(|| Self(path.into()))
    }

    /// Takes it off an address, if it is there as whole segments: `/dockerx` is not below `/docker`.
    pub fn strip(&self, uri: &mut Uri) {
        let Some(rest) = uri.path_and_query().and_then(|here| here.as_str().strip_prefix(&*self.0)) else { return };
        let rest = match rest.bytes().next() {
            None => "/".to_owned(),
            Some(b'/') => rest.to_owned(),
            Some(b'?') => format!("/{rest}"),
            Some(_) => return,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = rest.parse().ok();
        if let Ok(stripped) = Uri::from_parts(parts) {
            *uri = stripped;
        }
    }

    pub(super) fn put_on_header(&self, headers: &mut HeaderMap, name: &HeaderName) {
        let Some(path) = headers.get(name).and_then(|path| path.to_str().ok()).filter(|path| path.starts_with('/'))
        else {
            return;
        };
        if let Ok(path) = HeaderValue::try_from(format!("{}{path}", self.0)) {
            headers.insert(name, path);
        }
    }

    /// Puts it on every path in an attribute of ours. Foreign text cannot look like one: the escaper leaves it no
    /// quotation mark. Templates are drawn whole and messages are sent whole, so no attribute is cut in two.
    pub(super) fn put_on_html(&self, html: &Bytes) -> Bytes {
        const OPENS: &[u8] = b"=\"/";
        let mut out = Vec::with_capacity(html.len() + html.len() / 16);
        let mut rest = &html[..];
        while let Some(at) = rest.windows(OPENS.len()).position(|three| three == OPENS) {
            let (head, tail) = rest.split_at(at + OPENS.len() - 1);
            out.extend_from_slice(head);
            // `"/>` ends a tag, after a value that looks like the beginning of an attribute.
            let is_path = !tail.starts_with(b"//") && !tail.starts_with(b"/>");
            if is_path && ends_with_attribute(head.strip_suffix(b"=\"").unwrap_or_default()) {
                out.extend_from_slice(self.0.as_bytes());
            }
            rest = tail;
        }
        out.extend_from_slice(rest);
        out.into()
    }
}

fn ends_with_attribute(head: &[u8]) -> bool {
    let before = |name: &str| head.strip_suffix(name.as_bytes()).and_then(<[u8]>::last);
    ATTRIBUTES.iter().any(|name| before(name).is_some_and(u8::is_ascii_whitespace))
}

/// Puts it on an answer.
pub(super) async fn put(State(prefix): State<Prefix>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for name in &HEADERS {
        prefix.put_on_header(headers, name);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/html") && !kind.starts_with("text/event-stream") {
        return response;
    }
    headers.remove(CONTENT_LENGTH);
    response.map(|body| Body::new(body.map_frame(move |frame| frame.map_data(|html| prefix.put_on_html(&html)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix() -> Prefix {
        Prefix("/docker".into())
    }

    #[test]
    fn whole_segments_are_taken_off() {
        let stripped = |uri: &str| {
            let mut uri: Uri = uri.parse().unwrap();
            prefix().strip(&mut uri);
            uri.to_string()
        };
        assert_eq!(stripped("/docker"), "/");
        assert_eq!(stripped("/docker/"), "/");
        assert_eq!(stripped("/docker?a=/docker/b"), "/?a=/docker/b");
        assert_eq!(stripped("/docker/containers?q=a"), "/containers?q=a");
        assert_eq!(stripped("https://x/docker/jobs"), "https://x/jobs");
        assert_eq!(stripped("/docker/docker/x"), "/docker/x");
        for other in ["/", "/dockerx", "/containers", "/x/docker/", "//docker/", "/Docker/"] {
            assert_eq!(stripped(other), other);
        }
    }

    #[test]
    fn paths_in_attributes_get_it() {
        let put = |html: &'static str| String::from_utf8(prefix().put_on_html(&html.into()).to_vec()).unwrap();
        assert_eq!(put(r#"<a href="/x">"#), r#"<a href="/docker/x">"#);
        assert_eq!(put("<form\n action=\"/\">"), "<form\n action=\"/docker/\">");
        assert_eq!(
            put(r#"<b hx-sse:connect="/s" data-goto="/g">"#),
            r#"<b hx-sse:connect="/docker/s" data-goto="/docker/g">"#
        );
        for same in [
            r#"<i href="//x">"#,
            r#"<i value="/x">"#,
            r#"<i xhref="/x">"#,
            r#"<i title=" href="/>"#,
            r##"<i href="#x">"##,
            "href=&quot;/x&quot;",
            "",
        ] {
            assert_eq!(put(same), same);
        }
    }

    #[test]
    fn only_a_path_is_a_prefix() {
        let of = |url: &str| Prefix::of(Url::parse(url).ok().as_ref()).map(|prefix| prefix.0.to_string());
        assert_eq!(of("https://x"), None);
        assert_eq!(of("https://x/"), None);
        assert_eq!(of("https://x/a/b/"), Some("/a/b".to_owned()));
    }
}

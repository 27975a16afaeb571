//! What is on its way to a disk: never a page of ours (S031).

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};

use super::security::SANDBOX;

/// The media type of bytes that nobody has looked into.
pub const BYTES: &str = "application/octet-stream";

/// As a file of this media type and name, to be saved and not shown.
pub fn attachment(kind: &str, name: &str, size: Option<u64>, body: impl Into<Body>) -> Response {
    let headers: [(HeaderName, String); 4] = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, disposition(name)),
        (CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let mut response = (headers, body.into()).into_response();
    if let Some(size) = size {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
    }
    response
}

/// `attachment; filename="a_.txt"; filename*=UTF-8''%C3%A4.txt` (RFC 6266, RFC 8187), in one line whatever the name is.
fn disposition(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).map(|c| if c == '/' { '_' } else { c }).collect();
    let clean = if clean.trim().is_empty() { "file".to_owned() } else { clean };
    let plain = |c: char| c.is_ascii_alphanumeric() || " !#$&+-.^_`|~()[]{}@,=".contains(c);
    let ascii: String = clean.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in clean.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn s031_names_break_out_of_no_header() {
        assert_eq!(disposition("a.txt"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
        assert_eq!(
            disposition("x\"; filename=evil.html"),
            "attachment; filename=\"x__ filename=evil.html\"; filename*=UTF-8''x%22%3B%20filename%3Devil.html"
        );
        assert_eq!(disposition("a\r\nb: c\u{1b}"), "attachment; filename=\"ab_ c\"; filename*=UTF-8''ab%3A%20c");
        assert_eq!(disposition("ä/b"), "attachment; filename=\"__b\"; filename*=UTF-8''%C3%A4_b");
        assert_eq!(disposition("\n"), "attachment; filename=\"file\"; filename*=UTF-8''file");
    }
}

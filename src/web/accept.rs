//! Which form an answer takes: a page, or JSON for who asks for it in `Accept` (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, header::ACCEPT};

/// How welcome a type is: its quality in thousandths, then how exactly it is named.
type Welcome = (u16, u8);

/// Whether JSON is more welcome than a page. Who says nothing, or anything (`*/*`), gets the page.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let ranges: Vec<(String, u16)> = lines.flat_map(|line| line.split(',')).filter_map(range).collect();
    let json = welcome(&ranges, "application", "json");
    json.0 > 0 && json > welcome(&ranges, "text", "html")
}

/// `text/html;level=1;q=0.5`: the type, and how much it is liked.
fn range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().filter(|kind| kind.contains('/'))?.to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some((kind, quality.map_or(1_000, thousandths)))
}

/// `0.5` as 500; what is no quality counts as 1, as if it had not been said.
fn thousandths(text: &str) -> u16 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{rest:0<3}");
    match (whole, digits.get(..3).and_then(|digits| digits.parse().ok())) {
        ("0", Some(thousandths)) => thousandths,
        _ => 1_000,
    }
}

/// What the most exact range that fits says.
fn welcome(ranges: &[(String, u16)], family: &str, kind: &str) -> Welcome {
    let exactness = |range: &str| match range.split_once('/')? {
        ("*", "*") => Some(1),
        (f, "*") if f == family => Some(2),
        (f, k) if f == family && k == kind => Some(3),
        _ => None,
    };
    let fitting = ranges.iter().filter_map(|(range, quality)| Some((exactness(range)?, *quality)));
    fitting.max().map_or((0, 0), |(exactness, quality)| (quality, exactness))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_who_asks_for_it() {
        let wants = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().expect("a header"));
            wants_json(&headers)
        };
        assert!(!wants_json(&HeaderMap::new()));
        for yes in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json, text/plain, */*",
            "text/html;q=0.5, application/json",
            "application/*",
            "text/html;q=0, */*",
        ] {
            assert!(wants(yes), "{yes}");
        }
        for no in [
            "",
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html, application/json",
            "text/html, application/json;q=0.9",
            "application/json;q=0",
            "application/json;q=0.0, */*",
            "application/x-json, json",
            "image/*",
        ] {
            assert!(!wants(no), "{no}");
        }
    }
}

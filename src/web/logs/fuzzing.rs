//! See [`crate::fuzzing`].
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what does not hold panics: that is what they are for"
)]

use bytes::Bytes;

use super::{asked::Source, draw::Pen};
use crate::engine::{Found, LogLine, Matcher, Out, Search};

/// What stands between tags that are ours, with these taken out.
fn without_tags(html: &str) -> String {
    let mut left = String::new();
    for (at, piece) in html.split('<').enumerate() {
        let Some((tag, text)) = piece.split_once('>').filter(|_| at > 0) else {
            assert_eq!(at, 0, "a tag that does not end: {html}");
            left.push_str(piece);
            continue;
        };
        let is_ours = matches!(tag, "mark" | "/mark" | "/span" | "/i")
            || tag.strip_prefix("span class=\"").is_some_and(|rest| {
                rest.strip_suffix('"').is_some_and(|names| {
                    names.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b' ')
                })
            })
            || tag == "i class=\"cr\" title=\"written over what stood here\""
            || tag.strip_prefix("i class=\"cut\" data-more=\"").is_some_and(|rest| {
                let count = rest.strip_suffix("\" title=\"A download has all of it.\"");
                count.is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()))
            });
        assert!(is_ours, "<{tag}>");
        left.push_str(text);
    }
    left
}

/// Lines as they are drawn, the first being searched for: nothing but our own tags, one row each.
pub fn line(data: &[u8]) {
    let sources = [false, true].map(|is_terminal| Source {
        id: "0a".repeat(32).parse().unwrap(),
        name: "web".into(),
        is_terminal,
        removed: None,
    });
    let mut lines = data.split(|byte| *byte == b'\n');
    let wanted = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let search = |is_regex| Matcher::new(Search { text: &wanted, is_regex, ..Search::default() }).ok();
    for matcher in [None, search(false), search(true)] {
        let mut pen = Pen::new(&sources).marking(matcher.as_ref());
        for (at, text) in lines.clone().enumerate() {
            let line = LogLine {
                at: 5,
                out: if at % 3 == 0 { Out::Stderr } else { Out::Stdout },
                text: Bytes::copy_from_slice(text),
                lacks: u64::from(at % 5 == 0),
                is_rest: false,
                goes_on: false,
                is_open: false,
            };
            let found = Found { cursor: format!("5-1-0-{}", at % 2).parse().unwrap(), line };
            let html = pen.draw(&found).html;
            assert!(!html.contains(['\n', '\r', '\u{1b}']), "{html:?}");
            let (_, text) = html.split_once("class=\"tx\">").expect("its text");
            let left = without_tags(text.strip_suffix("</span></li>").expect("its end"));
            assert!(!left.contains(['<', '>', '"', '\'']), "{left}");
            assert!(!left.chars().any(|c| c.is_control() && c != '\t'), "{left:?}");
        }
    }
}

//! What is shown: foreign text on a page, in an event, in a file.

use askama::filters::{Escaper, Html};
use axum::body::Bytes;
use url::Url;

use crate::{
    team::{self, Recorded},
    web::{
        audit, error,
        html::{self, Visible},
        prefix::Prefix,
        stream::{self, Part},
    },
};

fn escaped(escaper: impl Escaper, text: &str) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = escaper.write_escaped_str(&mut out, text);
    out
}

/// Whether somebody looks at it without seeing it, or sees what comes after it in another order.
fn is_invisible(c: char) -> bool {
    // Source: Unicode, DerivedCoreProperties.txt, Default_Ignorable_Code_Point; Bidi_Control is in it; annotations
    // beside. The marks that say whether a sign is drawn in colours stay.
    let ignorable = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    ignorable || (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Text that is escaped: nothing of it is markup, and nothing hides.
pub fn escape(data: &[u8]) {
    const ENTITIES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let text = String::from_utf8_lossy(data);
    let shown = escaped(Visible, &text);
    assert!(!shown.contains(['<', '>', '"', '\'']) && !shown.chars().any(is_invisible), "{shown:?}");
    for (at, _) in shown.match_indices('&') {
        assert!(
            ENTITIES.iter().any(|(entity, _)| shown.get(at..).is_some_and(|rest| rest.starts_with(entity))),
            "{shown}"
        );
    }
    if !text.chars().any(is_invisible) {
        let read = ENTITIES.iter().fold(shown, |shown, (entity, sign)| shown.replace(entity, sign));
        assert_eq!(read, text);
    }
    let words = error::sentence(&text);
    assert!(words.ends_with('.') && words.chars().count() <= 610, "{words}");
    if let Ok(value) = serde_json::from_slice(data) {
        let tags = ["<details open>", "<details>", "</details>", "<summary>", "</summary>", "</div>", "</span>"];
        let mut tree = html::tree(&value);
        for tag in tags {
            tree = tree.replace(tag, "");
        }
        for class in ["<div class=\"leaf\">", "<span class=\"k\">", "<span class=\"sub\">", "<span class=\"lit\">"] {
            tree = tree.replace(class, "");
        }
        let left = tree.replace("<span class=\"str\">", "");
        assert!(!left.contains(['<', '>', '"']) && !left.chars().any(is_invisible), "{left}");
    }
    event(&text);
}

/// A message of a live page, read as a browser reads it: one event, and the part as it was sent.
fn event(html: &str) {
    let part = Part { id: "row-1".to_owned(), html: html.to_owned() };
    let message = stream::message("1-2-3", &[&part]);
    let message = String::from_utf8_lossy(&message).replace("\r\n", "\n").replace('\r', "\n");
    assert!(message.ends_with("\n\n") && message.matches("\n\n").count() == 1, "{message:?}");
    let mut data = Vec::new();
    for line in message.trim_end_matches('\n').split('\n') {
        match line.split_once(':') {
            Some(("data", text)) => data.push(text.strip_prefix(' ').unwrap_or(text)),
            Some(("id", stamp)) => assert_eq!(stamp, " 1-2-3"),
            _ => assert_eq!(line, "data", "a field of its own"),
        }
    }
    let lines = html.replace("\r\n", "\n").replace('\r', "\n");
    let inner = data.get(1..data.len().saturating_sub(1)).unwrap_or_default().join("\n");
    assert_eq!(inner.trim_end_matches('\n'), lines.trim_end_matches('\n'));
}

/// Pages below a prefix, made of lines that each become something on a page: paths in our attributes get it, and
/// nothing else does.
pub fn prefix(data: &[u8]) {
    let Some(prefix) = Prefix::of(Url::parse("https://host/docker/").ok().as_ref()) else { return };
    let text = String::from_utf8_lossy(data);
    let (mut plain, mut expected) = (String::new(), String::new());
    for line in text.split('\n') {
        let mut letters = line.chars();
        let (kind, rest) = (letters.next().unwrap_or(' '), letters.as_str());
        let (shown, typed) = (escaped(Visible, rest), escaped(Html, rest));
        let is_path = rest.starts_with('/') && !rest.starts_with("//");
        let put = if is_path { "/docker" } else { "" };
        let (here, there) = match kind {
            'h' => (format!("<a href=\"{shown}\">"), format!("<a href=\"{put}{shown}\">")),
            'f' => (format!("<form\n action=\"{typed}\">"), format!("<form\n action=\"{put}{typed}\">")),
            's' => {
                let of = |put| format!("<div data-stream=\"{put}{typed}\" title=\"{shown}\"></div>");
                (of(""), of(put))
            }
            'v' => (format!("<input value=\"{typed}\"/>"), format!("<input value=\"{typed}\"/>")),
            't' => (format!("<i title=\"{shown}\">{shown}</i>"), format!("<i title=\"{shown}\">{shown}</i>")),
            'r' => ("<b data-root=\"/\">".to_owned(), "<b data-root=\"/docker/\">".to_owned()),
            _ => (shown.clone(), shown),
        };
        plain += &here;
        expected += &there;
    }
    let put = prefix.put_on_html(&Bytes::from(plain));
    assert_eq!(String::from_utf8_lossy(&put), expected);
    // Of whatever bytes: between those that it puts in, they are as they were.
    let put = prefix.put_on_html(&Bytes::copy_from_slice(data));
    let (put, was) = (String::from_utf8_lossy(&put).replace("/docker", ""), text.replace("/docker", ""));
    assert_eq!(put, was);
}

/// The cells of a line, read as RFC 4180 says.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line.strip_suffix("\r\n")?;
    loop {
        let mut cell = String::new();
        rest = rest.strip_prefix('"')?;
        loop {
            let (text, after) = rest.split_once('"')?;
            cell.push_str(text);
            rest = after;
            let Some(more) = after.strip_prefix('"') else { break };
            cell.push('"');
            rest = more;
        }
        cells.push(cell);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(cells),
        }
    }
}

/// An entry of the audit: in the database, as a line of JSON, and as one of a table in which nothing is a formula.
pub fn audit(data: &[u8]) {
    let Some(entry) = team::fuzzing::read_entry(data) else { return };
    let recorded = Recorded { seq: 7, entry, hash: [7; 32] };
    let line = audit::json_line(&recorded);
    assert!(line.ends_with("}\n") && line.matches('\n').count() == 1 && !line.contains('\r'), "{line}");
    let row = cells(&audit::csv_line(&recorded)).unwrap_or_default();
    assert_eq!(row.len(), 13, "{row:?}");
    let entry = &recorded.entry;
    for (cell, text) in row.iter().skip(2).zip([&entry.who, &entry.via, &entry.address, &entry.action]) {
        assert_eq!(cell.trim_start_matches('\''), text.trim_start_matches('\''));
    }
    for cell in &row {
        // Source: OWASP, CSV injection; spreadsheets look past blanks.
        let first = cell.trim_start().chars().next();
        assert!(!first.is_some_and(|first| "=+-@＝＋－＠".contains(first)), "{cell:?}");
        assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
    }
}

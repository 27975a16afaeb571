//! Figures as people read them.

use crate::{
    engine::{Container, Figures, Picture, Range, State},
    web::html::{bytes, span},
};

/// `12.3 %`
pub fn percent(value: f64) -> String {
    if value >= 99.95 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

/// Bytes out of a sum of their own: `34.2 MiB`.
pub fn size(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three digits are shown")]
    let whole = value.max(0.0).round() as u64;
    bytes(whole)
}

/// `34.2 KiB/s`
pub fn rate(value: f64) -> String {
    format!("{}/s", size(value))
}

/// `12`
pub fn count(value: f64) -> String {
    format!("{:.0}", value.max(0.0))
}

/// How much of all that is.
pub fn share(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let value = part as f64 / whole.max(1) as f64 * 100.0;
    percent(value)
}

/// Memory against what there is: `388 MiB of 512 MiB, 75.8 %`.
pub fn memory(figures: &Figures) -> Option<String> {
    let used = figures.memory?;
    Some(match figures.memory_limit {
        Some(limit) => format!("{} of {}, {}", bytes(used), bytes(limit), share(used, limit)),
        None => bytes(used),
    })
}

/// Two numbers of a kind: `1.2 KiB/s in, 0 B/s out`.
pub fn both(one: Option<f64>, other: Option<f64>, words: (&str, &str)) -> Option<String> {
    Some(format!("{} {}, {} {}", rate(one?), words.0, rate(other?), words.1))
}

/// Why nothing is known now.
pub fn none(container: &Container, picture: &Picture) -> String {
    let name = &container.name;
    let now = picture.now();
    let since = container.since.map(|at| match span(now.duration_since(at)) {
        just if just == "just now" => String::new(),
        span => format!(", for {span}"),
    });
    let since = since.unwrap_or_default();
    if !picture.link.is_live() {
        return "The engine does not answer: what is used now is not known.".to_owned();
    }
    match &container.state {
        State::Created => format!("{name} has never run: it uses nothing yet."),
        State::Exited | State::Dead => {
            format!(
                "{name} does not run (it is {}{since}): it uses nothing. What it used before stays here.",
                container.state
            )
        }
        State::Restarting => format!("{name} is between two of its restarts: it uses nothing now."),
        State::Removing => format!("{name} is being removed."),
        State::Running | State::Paused | State::Unknown(_) => "The engine has not told yet what it uses.".to_owned(),
    }
}

/// What is to be known of a range.
pub fn about(range: Range, keeps: bool) -> &'static str {
    match (range, keeps) {
        (Range::Recent, true) => {
            "Every two seconds while this page is open, once a minute while nobody looks. Gaps are times in which nothing was read."
        }
        (Range::Recent, false) => {
            "Read every two seconds while somebody looks, and not otherwise: this console keeps no history (--stats-history)."
        }
        (Range::Day, true) => {
            "A point a minute: the average of processor, network and disk, the most of memory and processes. Gaps are times in which nothing was read."
        }
        (Range::Month, true) => {
            "A point an hour: the average of processor, network and disk, the most of memory and processes. Gaps are times in which nothing was read."
        }
        (_, false) => {
            "This console keeps no history (--stats-history): there is only what was read in the last hour, while somebody looked."
        }
    }
}

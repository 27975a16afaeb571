//! Charts as the server draws them: lines in an SVG, with their words beside it. Scripts put live ones in their place.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Known, words};
use crate::{
    engine::{Figures, Measure, Point, Range},
    web::html::{bytes, datetime},
};

/// Width and height of the drawing, in its own units.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 120.0;
/// The most points of a line.
const DRAWN: i64 = 180;

/// What is drawn in one chart.
struct Kind {
    key: &'static str,
    title: &'static str,
    /// The lines, each with its word.
    lines: &'static [(Measure, &'static str)],
    /// What tells its peak, where that is another measure.
    peak: &'static [Measure],
    say: fn(f64) -> String,
}

const KINDS: [Kind; 5] = [
    Kind { key: "cpu", title: "CPU", lines: &[(Measure::Cpu, "used")], peak: &[Measure::CpuPeak], say: words::percent },
    Kind {
        key: "memory",
        title: "Memory",
        lines: &[(Measure::Memory, "used")],
        peak: &[Measure::Memory],
        say: words::size,
    },
    Kind {
        key: "network",
        title: "Network",
        lines: &[(Measure::Received, "in"), (Measure::Sent, "out")],
        peak: &[Measure::Received, Measure::Sent],
        say: words::rate,
    },
    Kind {
        key: "disk",
        title: "Disk",
        lines: &[(Measure::Read, "read"), (Measure::Written, "written")],
        peak: &[Measure::Read, Measure::Written],
        say: words::rate,
    },
    Kind {
        key: "pids",
        title: "Processes",
        lines: &[(Measure::Pids, "there")],
        peak: &[Measure::Pids],
        say: words::count,
    },
];

/// A chart, ready to be printed.
pub struct Chart {
    /// Its name in ids and scripts.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What is so now; what it is not known for.
    pub now: String,
    /// What stands small beside it.
    pub beside: String,
    /// Its lines: each path, and its word.
    pub lines: Vec<(String, &'static str)>,
    /// How high the line of the limit is, where there is one.
    pub limit: Option<f64>,
    /// The limit, for scripts.
    pub most: Option<f64>,
    /// The same in words.
    pub limit_words: String,
    /// What the top is.
    pub top: String,
    /// What it says, for who does not see it.
    pub says: String,
    /// For each line: its word, its peak, and its 95th percentile.
    pub sums: Vec<(&'static str, String, String)>,
    /// From when to when it is: for machines.
    pub from: String,
    /// The same.
    pub to: String,
    /// Whether there is nothing to draw.
    pub is_empty: bool,
}

/// The highest, and what 95 of 100 do not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// The highest.
    pub peak: f64,
    /// The 95th percentile.
    pub p95: f64,
}

/// Of these points; none where they tell nothing of it.
pub fn sums(points: &[Point], measure: Measure, peak: Measure) -> Option<Sums> {
    let mut values: Vec<f64> = points.iter().filter_map(|point| point.get(measure)).collect();
    values.sort_unstable_by(f64::total_cmp);
    // The nearest rank.
    let rank = (values.len() * 95).div_ceil(100).saturating_sub(1);
    let highest = points.iter().filter_map(|point| point.get(peak)).fold(f64::NEG_INFINITY, f64::max);
    Some(Sums { p95: *values.get(rank)?, peak: highest.max(*values.last()?) })
}

/// The same points, fewer: several make one.
fn thin(points: &[Point], step: i64) -> Vec<Point> {
    let mut parts: BTreeMap<i64, Vec<Point>> = BTreeMap::new();
    for point in points {
        parts.entry(point.at.div_euclid(step) * step).or_default().push(*point);
    }
    parts.into_iter().map(|(at, of)| Point::together(at, of)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "seconds, and counts of them")]
fn float(number: i64) -> f64 {
    number as f64
}

/// A number that is easy to read at the top of a scale: two digits at most and noughts, in powers of 1024 for bytes.
fn round_up(value: f64, is_bytes: bool) -> f64 {
    if value <= 0.0 {
        return if is_bytes { 1024.0 } else { 1.0 };
    }
    let unit = if is_bytes { 1024_f64.powf(value.log2().div_euclid(10.0)) } else { 1.0 };
    let value = value / unit;
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0]
        .into_iter()
        .find(|step| step * power >= value)
        .unwrap_or(10.0);
    step * power * unit
}

impl Chart {
    pub(super) fn all(known: &Known) -> Vec<Self> {
        let drawn = thin(&known.points, (known.range.length() / DRAWN).max(1));
        KINDS.iter().map(|kind| Self::new(kind, known, &drawn)).collect()
    }

    fn new(kind: &Kind, known: &Known, drawn: &[Point]) -> Self {
        let figures = known.figures.as_deref();
        let limits = &known.limits;
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let most = match kind.key {
            "cpu" => limits.cpu,
            "memory" => limits.memory.map(|bytes| bytes as f64),
            "pids" => limits.pids.map(|pids| pids as f64),
            _ => None,
        };
        let found: Vec<_> = kind
            .lines
            .iter()
            .zip(kind.peak)
            .map(|((measure, word), peak)| (*word, sums(&known.points, *measure, *peak)))
            .collect();
        let highest = found.iter().filter_map(|(_, sums)| Some(sums.as_ref()?.peak)).fold(0.0, f64::max);
        let is_bytes = kind.key != "cpu" && kind.key != "pids";
        let top = round_up(highest.max(most.unwrap_or_default()) * 1.02, is_bytes);
        let from = known.now - known.range.length();
        let path = |measure: Measure| path(drawn, measure, from, top, known.range);
        let lines: Vec<_> = kind.lines.iter().map(|(measure, word)| (path(*measure), *word)).collect();
        let (now, beside) = now(kind.key, figures);
        let say = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), kind.say);
        let limit_words = match (most, matches!(kind.key, "cpu" | "memory" | "pids")) {
            (Some(most), _) => format!("limit {}", (kind.say)(most)),
            (None, true) => "no limit".to_owned(),
            (None, false) => String::new(),
        };
        let sums: Vec<_> = found
            .iter()
            .map(|(word, sums)| (*word, say(sums.map(|sums| sums.peak)), say(sums.map(|sums| sums.p95))))
            .collect();
        let is_empty = lines.iter().all(|(path, _)| path.is_empty());
        let mut says = format!("{}: now {now}.", kind.title);
        for (word, peak, p95) in &sums {
            let of = if sums.len() > 1 { format!(" {word}") } else { String::new() };
            let _ = write!(says, " Peak{of} {peak}, 95 of 100 points at most {p95}.");
        }
        if !limit_words.is_empty() {
            let _ = write!(says, " There is {}{limit_words}.", if most.is_some() { "a " } else { "" });
        }
        let moment = |at: i64| datetime(jiff::Timestamp::from_second(at).unwrap_or_default());
        Self {
            key: kind.key,
            title: kind.title,
            now,
            beside,
            lines,
            limit: most.map(|most| ((1.0 - most / top) * HEIGHT).max(0.5)),
            most,
            limit_words,
            top: (kind.say)(top),
            says,
            sums,
            from: moment(from),
            to: moment(known.now),
            is_empty,
        }
    }
}

/// What is so now, and what is said beside it.
pub fn now(key: &str, figures: Option<&Figures>) -> (String, String) {
    let Some(figures) = figures else { return ("–".to_owned(), String::new()) };
    let total = |of: Option<(u64, u64)>, words: (&str, &str)| {
        of.map(|(one, other)| format!("{} {}, {} {} since it started", bytes(one), words.0, bytes(other), words.1))
    };
    let not_told = || "not told by the engine".to_owned();
    match key {
        "cpu" => (
            figures.cpu.map_or_else(|| "known in a moment".to_owned(), words::percent),
            format!("of one CPU; the host has {}", figures.cpus),
        ),
        "memory" => (
            figures.memory.map_or_else(not_told, bytes),
            figures
                .memory
                .zip(figures.memory_limit)
                .map(|(used, limit)| format!("of {}, {}", bytes(limit), words::share(used, limit)))
                .unwrap_or_default(),
        ),
        "network" => match total(figures.network, ("in", "out")) {
            None => ("not counted".to_owned(), "it has no network of its own".to_owned()),
            Some(total) => (
                words::both(figures.received, figures.sent, ("in", "out"))
                    .unwrap_or_else(|| "known in a moment".to_owned()),
                total,
            ),
        },
        "disk" => match total(figures.disk, ("read", "written")) {
            None => (not_told(), String::new()),
            Some(total) => (
                words::both(figures.read, figures.written, ("read", "written"))
                    .unwrap_or_else(|| "known in a moment".to_owned()),
                total,
            ),
        },
        _ => (
            figures.pids.map_or_else(not_told, |pids| pids.to_string()),
            figures.pids_limit.map(|limit| format!("of {limit} that there may be")).unwrap_or_default(),
        ),
    }
}

/// The line of a measure, broken where nothing was read.
fn path(points: &[Point], measure: Measure, from: i64, top: f64, range: Range) -> String {
    let mut path = String::new();
    let mut last: Option<i64> = None;
    let join = range.join().max(range.length() / DRAWN * 2 + 1);
    for point in points {
        let Some(value) = point.get(measure) else {
            last = None;
            continue;
        };
        let x = (float(point.at - from) / float(range.length()) * WIDTH).clamp(0.0, WIDTH);
        let y = ((1.0 - value / top) * HEIGHT).clamp(0.0, HEIGHT);
        let joined = last.is_some_and(|last| point.at - last <= join);
        // A point by itself is a dot: a line of no length with round ends.
        let _ = if joined { write!(path, "L{x:.1} {y:.1}") } else { write!(path, "M{x:.1} {y:.1}h.1") };
        last = Some(point.at);
    }
    path
}

/// A line of the table: the same for who does not see charts.
pub struct Row {
    /// When, for machines.
    pub at: String,
    /// When, for people.
    pub when: String,
    /// What was used.
    pub cells: Vec<String>,
}

impl Row {
    pub(super) fn all(known: &Known) -> Vec<Self> {
        let (step, format) = match known.range {
            Range::Recent => (60, "%H:%M"),
            Range::Day => (3_600, "%H:%M"),
            Range::Month => (86_400, "%Y-%m-%d"),
        };
        let kinds: Vec<_> =
            KINDS.iter().flat_map(|kind| kind.lines.iter().map(|(measure, _)| (*measure, kind.say))).collect();
        let rows = thin(&known.points, step).into_iter().rev().filter(|point| !point.is_gap()).map(|point| {
            let at = jiff::Timestamp::from_second(point.at).unwrap_or_default();
            let cell =
                |(measure, say): &(Measure, fn(f64) -> String)| point.get(*measure).map_or_else(|| "–".to_owned(), say);
            Self { at: datetime(at), when: at.strftime(format).to_string(), cells: kinds.iter().map(cell).collect() }
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_numbers_that_are_easy_to_read() {
        for (value, top) in [(0.0, 1.0), (0.7, 0.8), (51.0, 60.0), (101.0, 120.0), (250.0, 250.0)] {
            assert!((round_up(value, false) - top).abs() < 1e-9, "{value}");
        }
        let mib = f64::from(1 << 20);
        assert_eq!(
            [40.0 * mib, 64.0 * mib, 512.0].map(|value| words::size(round_up(value, true))),
            ["40.0 MiB", "80.0 MiB", "600 B"]
        );
    }
}

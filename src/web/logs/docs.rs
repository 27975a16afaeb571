//! What scripts are told of the routes of logs.

use super::json::{Rows, Texts, TextsOrChoice};
use crate::web::doc::{Doc, Field};

const ID: &str = "^[0-9a-f]{64}$";
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

fn which() -> [Field; 2] {
    [
        Field::list_like("c", "A container’s full id; several are put into one order by time.", ID),
        Field::text("stack", "Instead: all containers of this stack.", "shop"),
    ]
}

fn place() -> [Field; 5] {
    [
        Field::text("before", "The lines before this one: its k.", ""),
        Field::text("after", "The lines behind this one: its k.", ""),
        Field::text("around", "This line, by its k, with those around it.", ""),
        Field::text("at", "The lines around this moment.", "2026-01-31T12:00:00Z"),
        Field::number("n", "How many lines; 200 if nothing is said.", 1, 2_000),
    ]
}

fn filter() -> [Field; 4] {
    [
        Field::one_of("out", "Only what was written there.", ["stdout", "stderr", "all"]),
        Field::list("level", format!("Only lines that say they are this: {}.", LEVELS.join(", ")), "error"),
        Field::text("since", "Not before this moment, or not older than this.", "10m"),
        Field::text("until", "Not after this moment.", "2026-01-31T12:00:00Z"),
    ]
}

fn search() -> [Field; 5] {
    [
        Field::text(
            "q",
            "Only lines with these words in them, of a line over 256 KiB in its beginning; what stands in quotes is one.",
            "failed",
        ),
        Field::switch("regex", "q is a regular expression."),
        Field::switch("case", "Large letters are others than small ones."),
        Field::switch("not", "Only lines without it."),
        Field::number("context", "How many lines around each to show, with q; they count among n.", 0, 20),
    ]
}

pub fn one() -> Doc {
    Doc::new("Read lines of a container’s log, the last 200 if nothing is said")
        .place(Field::like("id", "The container’s full id.", ID))
        .query(place())
        .query(filter())
        .query(search())
        .gives::<Texts>(200, "Lines, the oldest first.")
        .fails(501)
}

pub fn several() -> Doc {
    Doc::new("Read lines of several logs, by their time")
        .query(which())
        .query(place())
        .query(filter())
        .query(search())
        .about(
            "Without c and stack it answers whose logs there are: containers, stacks, and removed ones that are kept.",
        )
        .gives::<TextsOrChoice>(200, "Lines, the oldest first; or what there is to choose from.")
        .fails(404)
        .fails(501)
        .fails(502)
        .fails(504)
}

pub fn lines() -> Doc {
    Doc::new("Read lines of logs as the page shows them")
        .query(which())
        .query(place())
        .query(filter())
        .gives::<Rows>(200, "Lines, the oldest first, as HTML.")
        .fails(404)
        .fails(501)
        .fails(502)
        .fails(504)
}

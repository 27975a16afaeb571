//! Lines as the page's script has them, and as other scripts do.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    asked::Asked,
    draw::{Drawn, Pen},
};
use crate::{
    engine::{Container, ContainerId, Found, KeptLog, Level, Out, Window},
    web::Error,
};

/// A line, drawn.
#[derive(Debug, Serialize, ToSchema)]
pub struct Row {
    /// Where it stands in the log: goes into before, after and around.
    pub k: String,
    /// Whose it is: its place among the containers that were asked for.
    pub c: u16,
    /// When it was written, by the engine's clock, with nanoseconds.
    pub t: String,
    /// 1 for the standard output, 2 for the standard error.
    pub s: u8,
    /// error, warn, info, debug or trace; empty where it does not say.
    pub l: &'static str,
    /// The line as HTML.
    pub html: String,
}

impl Row {
    /// The next line of a pen's.
    pub fn new(pen: &mut Pen<'_>, found: &Found) -> Self {
        let Drawn { time, level, html } = pen.draw(found);
        Self {
            k: found.cursor.to_string(),
            c: found.cursor.source,
            t: time,
            s: stream(found),
            l: level.map(Level::word).unwrap_or_default(),
            html,
        }
    }
}

fn stream(found: &Found) -> u8 {
    match found.line.out {
        Out::Stdout => 1,
        Out::Stderr => 2,
    }
}

/// Lines, drawn, and whether there are more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rows {
    /// The lines, the oldest first.
    pub lines: Vec<Row>,
    /// Whether there are lines before these.
    pub older: bool,
    /// Whether there are lines behind these.
    pub newer: bool,
    /// Where what comes begins: goes into after, where the lines that are asked for are not the last of the log.
    pub end: Option<String>,
    /// The docker command that shows the same; but for levels, which docker does not know.
    pub command: String,
    /// What could not be read.
    pub failed: Vec<Failed>,
}

/// A log that could not be read, beside others.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failed {
    /// Whose: its place among the containers that were asked for.
    pub c: u16,
    /// What happened, and why.
    pub why: String,
}

/// A line, as text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Text {
    /// Where it stands in the log: goes into before, after and around.
    pub k: String,
    /// The container's full id.
    pub container: String,
    /// When it was written, by the engine's clock, with nanoseconds.
    pub time: String,
    /// stdout or stderr.
    pub stream: &'static str,
    /// error, warn, info, debug or trace; empty where it does not say.
    pub level: &'static str,
    /// What was written, without colours; of a line over 256 KiB its beginning.
    pub text: String,
    /// How many bytes more were written than that; a download has them.
    pub more: u64,
}

/// Lines, as text, and whether there are more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Texts {
    /// The lines, the oldest first.
    pub lines: Vec<Text>,
    /// Whether there are lines before these.
    pub older: bool,
    /// Whether there are lines behind these.
    pub newer: bool,
    /// The docker command that shows the same; but for levels, which docker does not know.
    pub command: String,
    /// What could not be read.
    pub failed: Vec<Failed>,
}

/// What could not be read of a window.
pub fn failed(window: &Window) -> Vec<Failed> {
    let each = window.failed.iter();
    each.map(|(c, error)| Failed { c: *c, why: Error::from(error.clone()).line() }).collect()
}

impl Texts {
    /// A window's lines.
    pub fn new(asked: &Asked, window: &Window, command: String) -> Self {
        let text = |found: &Found| {
            let text = Pen::plain(found);
            Text {
                k: found.cursor.to_string(),
                container: asked
                    .sources
                    .get(usize::from(found.cursor.source))
                    .map(|source| source.id.to_string())
                    .unwrap_or_default(),
                time: super::draw::stamp(found.line.time()),
                stream: if found.line.out == Out::Stdout { "stdout" } else { "stderr" },
                level: Level::of(&text).map(Level::word).unwrap_or_default(),
                text,
                more: found.line.lacks,
            }
        };
        Self {
            lines: window.lines.iter().map(text).collect(),
            older: window.older,
            newer: window.newer,
            command,
            failed: failed(window),
        }
    }
}

/// Whose logs there are to read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Chosen {
    /// Containers, those that run first.
    pub containers: Vec<Named>,
    /// The stacks that they belong to.
    pub stacks: Vec<String>,
    /// Containers that were removed, and whose last lines are kept.
    pub removed: Vec<Named>,
}

/// What an address that may name logs or not answers: for the description.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "each is answered by itself")]
pub enum TextsOrChoice {
    /// Of those that are named.
    Texts(Texts),
    /// Where none is named.
    Choice(Chosen),
}

/// A container.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Chosen {
    /// These.
    pub fn new(containers: &[&Container], stacks: &BTreeMap<String, usize>, kept: &[KeptLog]) -> Self {
        let named = |id: &ContainerId, name: &str| Named { id: id.to_string(), name: name.to_owned() };
        Self {
            containers: containers.iter().map(|found| named(&found.id, &found.name)).collect(),
            stacks: stacks.keys().cloned().collect(),
            removed: kept.iter().map(|found| named(&found.id, &found.name)).collect(),
        }
    }
}

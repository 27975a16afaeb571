//! Logs: a few lines around a place, what comes, what is searched for, all of it; of one container or several.
//!
//! Nothing here holds a log. `frames` makes lines of the engine's bytes, `reading` is one answer of the engine's,
//! `window` finds places, `follow` shares what comes among all who watch, `merge` puts several logs into one order.

mod ansi;
mod filter;
mod follow;
mod frames;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod kept;
mod level;
mod line;
mod merge;
mod reading;
mod scan;
mod window;

use std::collections::{HashSet, VecDeque};

use futures_util::future::join_all;

pub use self::{
    ansi::{Painted, Painter, Style, plain},
    filter::{Filter, InvalidSearch, LongSearch, Matcher, Search},
    follow::{Follow, Mark, MarkKind, News},
    kept::{Keep, KeptLog},
    level::Level,
    line::{Cursor, Found, InvalidCursor, Line, Out},
    scan::Scan,
};
use self::{
    filter::Around,
    merge::merged,
    window::{Log, Point, Slice},
};
pub(super) use self::{follow::Feeds, kept::Shelf};
use super::{ContainerId, Engine, Error};

/// The logs of one engine.
pub struct Logs<'a>(pub(super) &'a Engine);

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the end.
    End,
    /// Before this line.
    Before(Cursor),
    /// Behind this line.
    After(Cursor),
    /// On both sides of this line, and at it.
    Around(Cursor),
    /// On both sides of this moment, in nanoseconds since the epoch.
    At(i64),
}

/// Lines of one log or several, in their order.
#[derive(Debug, Default)]
pub struct Window {
    /// The lines.
    pub lines: Vec<Found>,
    /// Whether there are lines before these.
    pub older: bool,
    /// Whether there are lines behind these.
    pub newer: bool,
    /// The last line of the log, whether it is asked for or not, where it was read to its end.
    pub end: Option<Cursor>,
    /// What could not be read of which container, where others could.
    pub failed: Vec<(u16, Error)>,
}

impl Logs<'_> {
    /// `count` lines at a place, of these containers, by their time.
    pub async fn window(
        &self,
        ids: &[ContainerId],
        place: Place,
        count: usize,
        filter: &Filter,
    ) -> Result<Window, Error> {
        let mut kept = Vec::new();
        for id in ids {
            kept.push(self.reaches(id)?);
        }
        let place = match (place, filter.until) {
            (Place::End, Some(until)) => Place::At(until.saturating_add(1)),
            (place, _) => place,
        };
        let is_end = filter.until.is_some_and(|until| place == Place::At(until.saturating_add(1)));
        let each = ids.iter().zip(kept).zip(0_u16..).map(|((id, kept), source)| async move {
            let log = Log::new(self.0, id, source);
            let (before, point, with, after) = match place {
                Place::End => (count, Point::End, false, 0),
                Place::Before(cursor) => (count, beside(cursor, source), false, 0),
                Place::After(cursor) => (0, beside(cursor, source), false, count),
                Place::Around(cursor) => (count / 2, beside(cursor, source), true, count - count / 2),
                Place::At(at) if is_end => (count, Point::Time(at), true, 0),
                // All of them, where there are none before.
                Place::At(at) => (count / 2, Point::Time(at), true, count),
            };
            if let Some(kept) = kept {
                let found = self.kept_lines(&kept, source).await;
                return (source, found.map(|lines| cut(lines, point, with, before, after, filter)));
            }
            let back = async { if before > 0 { log.back(point, before, filter).await } else { Ok(Slice::default()) } };
            let forth =
                async { if after > 0 { log.forth(point, with, after, filter).await } else { Ok(Slice::default()) } };
            let (back, forth) = tokio::join!(back, forth);
            (source, back.and_then(|back| Ok((back, forth?))))
        });
        let (mut backs, mut forths, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (source, found) in join_all(each).await {
            match found {
                Ok((back, forth)) => {
                    backs.push(back);
                    forths.push(forth);
                }
                Err(error) => failed.push((source, self.0.told(error))),
            }
        }
        if backs.is_empty()
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        let has_more = |slices: &[Slice]| slices.iter().any(|slice| slice.has_more);
        let (mut older, mut newer) = (has_more(&backs), has_more(&forths));
        let (before, after) = match place {
            Place::End | Place::Before(_) => (count, 0),
            Place::At(_) if is_end => (count, 0),
            Place::After(_) => (0, count),
            Place::Around(_) | Place::At(_) => (count / 2, count - count / 2),
        };
        let mut lines = merged(backs.into_iter().map(|slice| slice.lines).collect());
        let mut behind = merged(forths.into_iter().map(|slice| slice.lines).collect());
        if lines.len() > before {
            older = true;
            lines.drain(..lines.len() - before);
        }
        let after = if matches!(place, Place::At(_)) && !is_end { count - lines.len() } else { after };
        if behind.len() > after {
            newer = true;
            behind.truncate(after);
        }
        lines.append(&mut behind);
        older |= matches!(place, Place::After(_));
        newer |= matches!(place, Place::Before(_));
        Ok(Window { lines, older, newer, end: None, failed })
    }
}

impl Logs<'_> {
    /// Refuses who may not read this log; answers with what is kept of it, where its container is gone.
    fn reaches(&self, id: &ContainerId) -> Result<Option<KeptLog>, Error> {
        match self.kept_of(id) {
            Some(kept) => Ok(Some(kept)),
            None => self.0.reaches_container(id).map(|()| None),
        }
    }
}

/// Lines before and behind a place, of a log that is all there.
fn cut(
    lines: VecDeque<Found>,
    point: Point,
    with: bool,
    before: usize,
    after: usize,
    filter: &Filter,
) -> (Slice, Slice) {
    let at = lines.iter().position(|found| point.is_at_or_before(found.cursor)).unwrap_or(lines.len());
    let is_there = lines.get(at).is_some_and(|found| point == Point::Line(found.cursor));
    let (mut back, mut forth) = (Slice::default(), Slice::default());
    let (mut around, mut asked) = (Around::new(filter), HashSet::new());
    for found in &lines {
        around.push(found.cursor, &found.line, |found| {
            asked.insert(found.cursor);
        });
    }
    for (index, found) in lines.into_iter().enumerate().filter(|(_, found)| asked.contains(&found.cursor)) {
        if index < at {
            back.lines.push_back(found);
            if back.lines.len() > before {
                back.lines.pop_front();
                back.has_more = true;
            }
        } else if index > at || with || !is_there {
            if forth.lines.len() < after {
                forth.lines.push_back(found);
            } else {
                forth.has_more = true;
            }
        }
    }
    (back, forth)
}

/// A place of one log in another: lines of the same time stand in the order of their logs.
fn beside(cursor: Cursor, source: u16) -> Point {
    match source.cmp(&cursor.source) {
        std::cmp::Ordering::Equal => Point::Line(cursor),
        std::cmp::Ordering::Less => Point::Time(cursor.at.saturating_add(1)),
        std::cmp::Ordering::Greater => Point::Time(cursor.at),
    }
}

//! A few lines around a place in a log of any size. Nothing is held but those lines.
//!
//! The engine is asked for the last so many entries, and the connection is dropped where enough is read. How many that
//! takes is found by looking at the first line of a few such readings: times grow towards the end.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    filter::{Around, Filter},
    line::{Cursor, Found, Line, Places},
    reading::{Ask, Reading},
};
use crate::engine::{ContainerId, Engine, Error};

/// How many entries are looked back at first.
const FIRST: u64 = 1_000;
/// By how much that grows while the place is further back.
const STEP: u64 = 8;
/// How many entries may be read for nothing before a place, rather than looking for it more closely.
const NEAR: u64 = 10_000;
/// Further back than any log goes.
const FARTHEST: u64 = 1 << 40;
/// How much later than another a line may stand before it in the log: two streams are written by two hands.
const ASKEW: i64 = 1_000_000_000;
/// How long one window may take.
const LIMIT: Duration = Duration::from_secs(12);

/// The most text of one window, in bytes: lines may be long.
const TEXT: usize = 8 << 20;

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// Behind its last line.
    End,
    /// At this line.
    Line(Cursor),
    /// Before the first line of this time or later, in nanoseconds since the epoch.
    Time(i64),
}

/// Whether a line stands before a place.
#[derive(Debug, PartialEq, Eq)]
enum Side {
    Before,
    At,
    After,
}

impl Point {
    fn side(self, cursor: Cursor) -> Side {
        match self {
            Self::End => Side::Before,
            Self::Line(place) if (cursor.at, cursor.sum, cursor.ordinal) == (place.at, place.sum, place.ordinal) => {
                Side::At
            }
            // It is not there any more, or never was.
            Self::Line(place) if cursor.at > place.at.saturating_add(ASKEW) => Side::After,
            Self::Line(_) => Side::Before,
            Self::Time(at) if cursor.at >= at => Side::After,
            Self::Time(_) => Side::Before,
        }
    }

    /// Whether a line stands at a place or behind it, in a log that is all there.
    pub(super) fn is_at_or_before(self, cursor: Cursor) -> bool {
        match self {
            Self::Line(place) => place.at < cursor.at || self.side(cursor) == Side::At,
            _ => self.side(cursor) != Side::Before,
        }
    }

    /// Whether a log whose first line is this has the place before it for certain.
    fn is_behind(self, first: &Line) -> bool {
        match self {
            Self::End => true,
            // As many as there are of one time: which of them is told only by who saw the first.
            Self::Line(place) => first.at < place.at,
            Self::Time(at) => first.at < at,
        }
    }
}

/// Lines, in their order, and whether there are more.
#[derive(Debug, Default)]
pub(super) struct Slice {
    pub(super) lines: VecDeque<Found>,
    pub(super) has_more: bool,
}

/// From how far back to read.
struct Start {
    tail: u64,
    is_all: bool,
}

/// One log, in which places are looked for.
pub(super) struct Log<'a> {
    engine: &'a Engine,
    id: &'a ContainerId,
    source: u16,
    deadline: Instant,
}

impl<'a> Log<'a> {
    pub(super) fn new(engine: &'a Engine, id: &'a ContainerId, source: u16) -> Self {
        Self { engine, id, source, deadline: Instant::now() + LIMIT }
    }

    async fn open(&self, tail: u64) -> Result<Reading, Error> {
        Reading::open(self.engine, self.id, Ask::tail(tail)).await
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn in_time(&self) -> Result<(), Error> {
        if self.is_late() { Err(Error::TimedOut { what: "logs".to_owned(), deadline: LIMIT }) } else { Ok(()) }
    }

    /// The first line of the last `tail` entries; none where there are none.
    async fn first(&self, tail: u64) -> Result<Option<Line>, Error> {
        let mut reading = self.open(tail).await?;
        while let Some(lines) = reading.next().await? {
            if let Some(line) = lines.into_iter().next() {
                return Ok(Some(line.alone()));
            }
        }
        Ok(None)
    }

    /// How far back one has to begin to come upon a place, with not too much before it.
    async fn find(&self, point: Point) -> Result<Start, Error> {
        if point == Point::End {
            return Ok(Start { tail: 0, is_all: false });
        }
        let (mut after, mut tail, mut before) = (0, FIRST, None);
        loop {
            self.in_time()?;
            let first = self.first(tail).await?;
            match &first {
                None => return Ok(Start { tail, is_all: true }),
                Some(line) if point.is_behind(line) => break,
                // The same as from further on: the log begins here.
                first if before == *first || tail >= FARTHEST => return Ok(Start { tail, is_all: true }),
                _ => {}
            }
            before = first;
            (after, tail) = (tail, tail * STEP);
        }
        while tail - after > NEAR {
            self.in_time()?;
            let middle = after + (tail - after) / 2;
            match self.first(middle).await? {
                Some(line) if point.is_behind(&line) => tail = middle,
                _ => after = middle,
            }
        }
        Ok(Start { tail, is_all: false })
    }

    /// At most `count` lines before a place; the last of them.
    pub(super) async fn back(&self, point: Point, count: usize, filter: &Filter) -> Result<Slice, Error> {
        let Start { tail, mut is_all } = self.find(point).await?;
        let mut extra = u64::try_from(count).unwrap_or(FIRST) + 16;
        if filter.reads() {
            extra = extra.max(4_000);
        }
        let (mut begun, mut best) = (None, None::<Slice>);
        loop {
            let pass = self.pass(tail + extra, point, count + 1, filter, best.is_some()).await?;
            let Some(Pass { mut ring, first, entries, is_early, is_full }) = pass else {
                // Out of time: what was found nearer to the place is all that there is to show.
                return Ok(Slice { has_more: true, ..best.unwrap_or_default() });
            };
            is_all |= first.is_none() || begun == first || entries.is_some_and(|entries| entries < tail + extra);
            // It may be the end of a line that began before.
            if !is_all && ring.front().map(|found| found.cursor) == first.as_ref().map(|first| first.cursor) {
                ring.pop_front();
            }
            let has_more = ring.len() > count || is_full;
            while ring.len() > count {
                ring.pop_front();
            }
            // What is before it is not asked for.
            let is_bound = is_early && filter.since.is_some();
            if has_more || is_all || is_bound || tail + extra >= FARTHEST {
                return Ok(Slice { lines: ring, has_more });
            }
            best = Some(Slice { lines: ring, has_more: true });
            begun = first;
            extra = extra.saturating_mul(STEP).min(FARTHEST);
        }
    }

    /// One reading, up to a place: the last `count` lines of it that are asked for. None where the time is over, if
    /// that is allowed.
    async fn pass(
        &self,
        tail: u64,
        point: Point,
        count: usize,
        filter: &Filter,
        may_give_up: bool,
    ) -> Result<Option<Pass>, Error> {
        let mut reading = self.open(tail).await?;
        let mut places = Places::new(self.source);
        let mut around = Around::new(filter);
        let mut bytes = 0;
        let mut pass = Pass { ring: VecDeque::new(), first: None, entries: None, is_early: false, is_full: false };
        while let Some(lines) = reading.next().await? {
            if self.is_late() {
                return if may_give_up { Ok(None) } else { self.in_time().map(|()| None) };
            }
            for line in lines {
                let cursor = places.of(&line);
                let side = point.side(cursor);
                if pass.first.is_none() {
                    pass.is_early = filter.since.is_some_and(|since| line.at < since);
                    pass.first = Some(Found { cursor, line: line.alone() });
                }
                if side != Side::Before {
                    // What stands a little askew after a place that is not there is not before it.
                    if let Point::Line(place) = point
                        && side == Side::After
                    {
                        pass.ring.retain(|found| found.cursor.at < place.at);
                    } else {
                        // What stands before one that is asked for is, too.
                        let shown = |found: Found| pass.ring.extend(Some(found).filter(|found| found.cursor != cursor));
                        around.push(cursor, &line, shown);
                    }
                    return Ok(Some(pass));
                }
                around.push(cursor, &line, |found| {
                    bytes += found.line.text.len();
                    pass.ring.push_back(found);
                });
                pass.is_full |= bytes > TEXT;
                while pass.ring.len() > count || bytes > TEXT {
                    bytes -= pass.ring.pop_front().map_or(bytes, |found| found.line.text.len());
                }
            }
        }
        pass.entries = Some(reading.entries());
        if let Point::Line(place) = point {
            pass.ring.retain(|found| found.cursor.at < place.at);
        }
        Ok(Some(pass))
    }

    /// At most `count` lines behind a place, or from it on where `with` is set; the first of them.
    pub(super) async fn forth(&self, point: Point, with: bool, count: usize, filter: &Filter) -> Result<Slice, Error> {
        if point == Point::End {
            return Ok(Slice::default());
        }
        let Start { tail, is_all } = self.find(point).await?;
        let mut margin = u64::from(!is_all) * 1_000;
        loop {
            self.in_time()?;
            // The log may have grown by more than that meanwhile.
            if let Some(found) = self.read_on(tail + margin, is_all, point, with, count, filter).await? {
                return Ok(found);
            }
            margin *= STEP;
        }
    }

    /// One reading, from before a place. None where it turned out to begin behind it.
    async fn read_on(
        &self,
        tail: u64,
        is_all: bool,
        point: Point,
        with: bool,
        count: usize,
        filter: &Filter,
    ) -> Result<Option<Slice>, Error> {
        let mut reading = self.open(tail).await?;
        let mut places = Places::new(self.source);
        let mut around = Around::new(filter);
        let mut bytes = 0;
        let mut found = Slice::default();
        // Those that stand askew behind a place that turns out not to be there.
        let mut askew: VecDeque<Found> = VecDeque::new();
        let (mut is_past, mut is_first) = (false, !is_all);
        while let Some(lines) = reading.next().await? {
            for line in lines {
                let cursor = places.of(&line);
                if std::mem::take(&mut is_first) {
                    if !point.is_behind(&line) {
                        return Ok(None);
                    }
                    continue;
                }
                if !is_past {
                    match point.side(cursor) {
                        Side::Before => {
                            let is_askew = matches!(point, Point::Line(place) if cursor.at >= place.at);
                            let is_kept = is_askew && askew.len() <= count;
                            if is_kept || filter.context > 0 {
                                around.push(cursor, &line, |found| askew.extend(Some(found).filter(|_| is_kept)));
                            }
                            continue;
                        }
                        Side::At => {
                            is_past = true;
                            askew.clear();
                            around.forget();
                            if !with {
                                around.push(cursor, &line, drop);
                                continue;
                            }
                        }
                        Side::After => {
                            is_past = true;
                            around.forget();
                            found.lines.append(&mut askew);
                        }
                    }
                }
                if filter.until.is_some_and(|until| line.at > until) {
                    return Ok(Some(found));
                }
                around.push(cursor, &line, |next| {
                    bytes += next.line.text.len();
                    found.has_more |= found.lines.len() >= count || bytes > TEXT;
                    if !found.has_more {
                        found.lines.push_back(next);
                    }
                });
                if found.has_more {
                    return Ok(Some(found));
                }
            }
            if self.is_late() {
                found.has_more = true;
                return Ok(Some(found));
            }
        }
        if !is_past {
            found.lines.append(&mut askew);
        }
        Ok(Some(found))
    }
}

/// What one reading came to.
struct Pass {
    ring: VecDeque<Found>,
    /// The first line that was read.
    first: Option<Found>,
    /// How many entries there were, where it was read to the end.
    entries: Option<u64>,
    /// Whether it began before what is asked for.
    is_early: bool,
    /// Whether lines were left out because they are long.
    is_full: bool,
}

//! All of a log, or of several in one order, from some time on: for searches and downloads. It goes through the console
//! and is not held there: a line that is too long to be held comes in pieces.

use std::collections::VecDeque;

use super::{
    Logs,
    filter::Filter,
    frames::Long,
    line::{Found, Line, Places},
    reading::{Ask, Reading},
};
use crate::engine::{ContainerId, Error};

/// How much later than what is asked for a line may stand before the last that is.
const ASKEW: i64 = 1_000_000_000;

/// What is read.
pub struct Scan {
    lanes: Vec<Lane>,
    filter: Filter,
    /// What could not be read of which container, where others could.
    pub failed: Vec<(u16, Error)>,
}

struct Lane {
    reading: Option<Reading>,
    places: Places,
    lines: VecDeque<Found>,
}

impl Logs<'_> {
    /// These logs, by their time: everything that is there now. Of the filter, only its times count.
    pub async fn scan(&self, ids: &[ContainerId], filter: &Filter) -> Result<Scan, Error> {
        let mut kept = Vec::new();
        for id in ids {
            kept.push(self.reaches(id)?);
        }
        let ask = Ask { since: filter.since, long: Long::Pieces, ..Ask::default() };
        let (mut lanes, mut failed) = (Vec::new(), Vec::new());
        for ((id, kept), source) in ids.iter().zip(kept).zip(0_u16..) {
            if let Some(kept) = kept {
                let mut lines = self.kept_lines(&kept, source).await?;
                lines.retain(|found| filter.is_within(&found.line));
                lanes.push(Lane { reading: None, places: Places::new(source), lines });
                continue;
            }
            match Reading::open(self.0, id, ask).await {
                Ok(reading) => {
                    lanes.push(Lane { reading: Some(reading), places: Places::new(source), lines: VecDeque::new() });
                }
                Err(error) => failed.push((source, self.0.told(error))),
            }
        }
        match failed.pop() {
            Some((_, error)) if lanes.is_empty() => Err(error),
            last => {
                failed.extend(last);
                let filter = Filter { since: filter.since, until: filter.until, ..Filter::default() };
                Ok(Scan { lanes, filter, failed })
            }
        }
    }
}

impl Lane {
    /// Reads on; an end of it is an end.
    async fn fill(&mut self, filter: &Filter) -> Result<(), Error> {
        while self.lines.is_empty() {
            let Some(reading) = &mut self.reading else { return Ok(()) };
            let Some(lines) = reading.next().await? else {
                self.reading = None;
                return Ok(());
            };
            self.take(lines, filter);
        }
        Ok(())
    }

    fn take(&mut self, lines: Vec<Line>, filter: &Filter) {
        let is_over = |line: &Line| filter.until.is_some_and(|until| line.at > until.saturating_add(ASKEW));
        for line in lines {
            let cursor = self.places.of(&line);
            if is_over(&line) {
                self.reading = None;
                return;
            }
            if filter.is_within(&line) {
                self.lines.push_back(Found { cursor, line });
            }
        }
    }
}

impl Scan {
    /// The next lines; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>, Error> {
        for lane in &mut self.lanes {
            lane.fill(&self.filter).await?;
        }
        self.lanes.retain(|lane| !lane.lines.is_empty());
        if let [one] = self.lanes.as_mut_slice() {
            return Ok(Some(std::mem::take(&mut one.lines).into()));
        }
        let mut lines = Vec::new();
        // Until one of them has nothing more to compare with.
        while self.lanes.iter().all(|lane| !lane.lines.is_empty()) {
            let key = |lane: &&mut Lane| lane.lines.front().map(|found| (found.cursor.at, found.cursor.source));
            let Some(next) = self.lanes.iter_mut().min_by_key(key).and_then(|lane| lane.lines.pop_front()) else {
                break;
            };
            lines.push(next);
        }
        Ok(Some(lines).filter(|lines| !lines.is_empty()))
    }
}

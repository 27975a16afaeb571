//! A search over all of a log: what is found comes as it is found.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use axum::response::Response;
use bytes::{Bytes, BytesMut};
use serde::Serialize;

use super::{
    asked::{Asked, Wanted},
    draw::{Pen, stamp},
    json::Row,
    stream::Wrong,
};
use crate::{
    engine::{Found, InvalidSearch, LongSearch, Out, Scan},
    web::{
        Error,
        extract::Query,
        stream::{Live, Outbox, event},
    },
};

/// How long a search may take.
const LIMIT: Duration = Duration::from_mins(3);
/// How often it says how far it is.
const PROGRESS: Duration = Duration::from_millis(250);
/// How much is sent at once, in bytes.
const AT_ONCE: usize = 64 << 10;

/// Something that was found.
#[derive(Serialize)]
struct Hit {
    k: String,
    n: usize,
    lines: Vec<Row>,
}

/// How far the search is.
#[derive(Serialize)]
struct Progress {
    scanned: u64,
    hits: usize,
    t: String,
}

/// How it ended.
#[derive(Serialize)]
struct End {
    scanned: u64,
    hits: usize,
    capped: bool,
    /// Whether it was ended for taking too long.
    late: bool,
    ms: u128,
}

/// Something that cannot be searched for.
#[derive(Serialize)]
struct Refused {
    #[serde(flatten)]
    wrong: Wrong,
    /// Where in what was typed, in characters from its beginning.
    at: Option<usize>,
}

/// `GET /logs/search`
pub async fn search(Query(fields): Query, live: Live) -> Result<Response, Error> {
    let text = fields.get("q").unwrap_or_default();
    if let Err(error) = Wanted::new(text, &fields) {
        return Ok(refused(live, &error));
    }
    let asked = Asked::of_query(live.page(), &fields).await?;
    let scan = live.page().engine.logs().scan(&asked.ids(), &asked.filter).await?;
    Ok(live.events(move |outbox| async move {
        let mut searching = Searching::new(outbox, &asked);
        if let Some(last) = searching.run(scan).await {
            searching.put(&last).await;
        }
    }))
}

fn refused(live: Live, error: &InvalidSearch) -> Response {
    let at = match error {
        InvalidSearch::Wrong { at, .. } => *at,
        _ => None,
    };
    let what = match error {
        InvalidSearch::Empty => "Type what to search for.",
        InvalidSearch::Broad | InvalidSearch::Long => "This search is too broad.",
        InvalidSearch::Wrong { .. } => "This is no regular expression.",
    };
    let wrong = Wrong {
        what: what.to_owned(),
        why: super::asked::sentence(error),
        next: "Change it and search again.".to_owned(),
    };
    let message = event("error", None, &Refused { wrong, at });
    live.events(move |outbox| async move {
        if let Some(room) = outbox.room().await {
            room.send(message);
        }
    })
}

/// Something that was found, and what stands around it, as far as it has come.
struct Open {
    n: usize,
    at: usize,
    /// How many lines behind it are still to come.
    left: usize,
    lines: Vec<Found>,
}

/// A search that goes on.
struct Searching<'a> {
    outbox: Outbox,
    asked: &'a Asked,
    begun: Instant,
    scanned: u64,
    hits: usize,
    /// The lines before the one that is looked at.
    before: VecDeque<Found>,
    /// What was found, and how many lines behind it are still to come.
    open: VecDeque<Open>,
    /// Lines that are too long to be held: their beginnings, and how far they are searched.
    long: HashMap<(u16, Out), (Found, LongSearch)>,
    buffer: BytesMut,
}

impl<'a> Searching<'a> {
    fn new(outbox: Outbox, asked: &'a Asked) -> Self {
        Self {
            outbox,
            asked,
            begun: Instant::now(),
            scanned: 0,
            hits: 0,
            before: VecDeque::new(),
            open: VecDeque::new(),
            long: HashMap::new(),
            buffer: BytesMut::new(),
        }
    }

    /// Searches to the end, the last hit or the last minute; answers what is said at the end, if there is anybody.
    async fn run(&mut self, mut scan: Scan) -> Option<Bytes> {
        let mut told = Instant::now();
        let (mut capped, mut late) = (false, false);
        loop {
            let lines = match scan.next().await {
                Ok(Some(lines)) => lines,
                Ok(None) => break,
                Err(error) => return Some(event("error", None, &Wrong::new(&error.into()))),
            };
            let at = lines.last().map(|found| found.line.time());
            for found in lines {
                self.look(found);
                capped = self.hits >= self.asked.most && self.open.is_empty();
                if capped {
                    break;
                }
                if self.buffer.len() >= AT_ONCE && !self.flush().await {
                    return None;
                }
            }
            late = self.begun.elapsed() > LIMIT;
            if capped || late {
                break;
            }
            if told.elapsed() > PROGRESS {
                told = Instant::now();
                let t = at.map(stamp).unwrap_or_default();
                self.buffer.extend_from_slice(&event(
                    "progress",
                    None,
                    &Progress { scanned: self.scanned, hits: self.hits, t },
                ));
            }
            if !self.buffer.is_empty() && !self.flush().await {
                return None;
            }
        }
        while let Some(open) = self.open.pop_front() {
            self.draw(&open);
        }
        let ms = self.begun.elapsed().as_millis();
        let end = End { scanned: self.scanned, hits: self.hits, capped, late, ms };
        self.buffer.extend_from_slice(&event("end", None, &end));
        let last = self.buffer.split().freeze();
        Some(last)
    }

    /// Looks at a line, or at a piece of one.
    fn look(&mut self, found: Found) {
        let Some(wanted) = &self.asked.wanted else { return };
        if !found.line.is_rest && !found.line.goes_on {
            let takes = wanted.matcher.takes(&crate::engine::plain(&found.line.text));
            return self.take(found, takes);
        }
        let of = (found.cursor.source, found.line.out);
        if !found.line.is_rest {
            self.long.insert(of, (found.clone(), LongSearch::default()));
        }
        let Some((begun, search)) = self.long.get_mut(&of) else { return };
        if found.line.is_rest {
            begun.line.lacks += u64::try_from(found.line.text.len()).unwrap_or_default();
        }
        if let Some(takes) = search.push(&wanted.matcher, &found.line)
            && let Some((mut begun, _)) = self.long.remove(&of)
        {
            // From here on it is a line that was cut.
            begun.line.goes_on = false;
            self.take(begun, takes);
        }
    }

    /// A line, and whether what is searched for is in it.
    fn take(&mut self, found: Found, has_it: bool) {
        self.scanned += 1;
        let context = self.asked.context;
        for open in &mut self.open {
            open.lines.push(found.clone());
            open.left -= 1;
        }
        while let Some(open) = self.open.pop_front_if(|open| open.left == 0) {
            self.draw(&open);
        }
        if self.hits < self.asked.most && has_it && self.asked.filter.takes(&found.line) {
            self.hits += 1;
            let lines: Vec<Found> = self.before.iter().cloned().chain(std::iter::once(found.clone())).collect();
            let open = Open { n: self.hits, at: lines.len() - 1, left: context, lines };
            if context == 0 {
                self.draw(&open);
            } else {
                self.open.push_back(open);
            }
        }
        if context > 0 {
            self.before.push_back(found);
            if self.before.len() > context {
                self.before.pop_front();
            }
        }
    }

    fn draw(&mut self, Open { n, at, lines, .. }: &Open) {
        let matcher = self.asked.wanted.as_ref().map(|wanted| &wanted.matcher);
        let mut pen = Pen::new(&self.asked.sources).marking(matcher).short();
        let rows: Vec<Row> = lines.iter().map(|found| Row::new(&mut pen, found)).collect();
        let k = rows.get(*at).map(|row| row.k.clone()).unwrap_or_default();
        self.buffer.extend_from_slice(&event("hit", None, &Hit { k, n: *n, lines: rows }));
    }

    async fn flush(&mut self) -> bool {
        let message = self.buffer.split().freeze();
        self.put(&message).await
    }

    async fn put(&self, message: &Bytes) -> bool {
        match self.outbox.room().await {
            Some(room) => {
                room.send(message.clone());
                true
            }
            None => false,
        }
    }
}

//! A log as a file: all of it, or what is asked for. It goes through, and is not held.

use std::{collections::HashSet, io::Write as _};

use axum::response::Response;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::{
    asked::{Asked, Source},
    draw::stamp,
};
use crate::{
    engine::{Filter, Found, LogLine, Out, Scan},
    web::{
        Error,
        attachment::attachment,
        extract::Query,
        stream::{Live, Outbox},
    },
};

/// How much is sent at once, in bytes.
const AT_ONCE: usize = 64 << 10;

/// Where lines are written: as they are, or compressed.
enum Sink {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Sink {
    fn new(is_gzip: bool) -> Self {
        if is_gzip { Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())) } else { Self::Plain(Vec::new()) }
    }

    /// Writing to memory cannot fail.
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(out) => out.extend_from_slice(bytes),
            Self::Gzip(out) => out.write_all(bytes).unwrap_or_default(),
        }
    }

    /// What is ready to be sent, if it is worth it.
    fn ready(&mut self) -> Option<Bytes> {
        let out = match self {
            Self::Plain(out) => out,
            Self::Gzip(out) => out.get_mut(),
        };
        (out.len() >= AT_ONCE).then(|| std::mem::take(out).into())
    }

    fn end(self) -> Bytes {
        match self {
            Self::Plain(out) => out.into(),
            Self::Gzip(out) => out.finish().unwrap_or_default().into(),
        }
    }
}

/// `GET /logs/download`
pub async fn download(Query(fields): Query, live: Live) -> Result<Response, Error> {
    let asked = Asked::of_query(live.page(), &fields).await?;
    let mut filter = asked.filter.clone();
    filter.matcher = asked.wanted.as_ref().map(|wanted| wanted.matcher.clone());
    let scan = live.page().engine.logs().scan(&asked.ids(), &filter).await?;
    let is_gzip = fields.is_set("gz");
    let has_times = fields.is_set("timestamps");
    let stem = match (&asked.stack, asked.sources.as_slice()) {
        (Some(stack), _) => stack.clone(),
        (None, [one]) => one.name.clone(),
        (None, _) => "logs".to_owned(),
    };
    let name = format!("{stem}.log{}", if is_gzip { ".gz" } else { "" });
    let body = live.file(move |outbox| send(outbox, scan, filter, asked.sources, is_gzip, has_times));
    let kind = if is_gzip { "application/gzip" } else { "text/plain; charset=utf-8" };
    Ok(attachment(kind, &name, None, body))
}

async fn send(outbox: Outbox, mut scan: Scan, filter: Filter, sources: Vec<Source>, is_gzip: bool, has_times: bool) {
    let mut sink = Sink::new(is_gzip);
    let mut taken = Taken::default();
    let mut rows = Rows { sources: &sources, has_times, open: None };
    loop {
        let lines = match scan.next().await {
            Ok(Some(lines)) => lines,
            Ok(None) => break,
            Err(error) => {
                // The file is not whole, and says so at its end.
                rows.end(&mut sink);
                sink.write(format!("[wheelhouse: the log ends here before its end: {error}]\n").as_bytes());
                break;
            }
        };
        for found in lines {
            if taken.takes(&found, |line| filter.takes_text(line)) {
                rows.put(&mut sink, &found);
            }
        }
        if let Some(ready) = sink.ready() {
            let Some(room) = outbox.room().await else { return };
            room.send(ready);
        }
    }
    if let Some(room) = outbox.room().await {
        room.send(sink.end());
    }
}

/// Of which lines that come in pieces the rest is asked for: those whose beginning is.
#[derive(Default)]
struct Taken(HashSet<(u16, Out)>);

impl Taken {
    fn takes(&mut self, Found { cursor, line }: &Found, is_asked: impl FnOnce(&LogLine) -> bool) -> bool {
        let of = (cursor.source, line.out);
        let takes = if line.is_rest { self.0.remove(&of) } else { is_asked(line) };
        if takes && line.goes_on {
            self.0.insert(of);
        }
        takes
    }
}

/// Lines, one a row. One that comes in pieces stays one, unless another stream writes in between: its rest then has a
/// row of its own.
struct Rows<'a> {
    sources: &'a [Source],
    has_times: bool,
    /// Whose line is not at its end.
    open: Option<(u16, Out)>,
}

impl Rows<'_> {
    fn put(&mut self, sink: &mut Sink, Found { cursor, line }: &Found) {
        let of = (cursor.source, line.out);
        if !line.is_rest || self.open != Some(of) {
            self.end(sink);
            self.begin(sink, of.0, line);
        }
        sink.write(&line.text);
        if line.lacks > 0 {
            sink.write(format!("[wheelhouse: {} bytes more were not kept]", line.lacks).as_bytes());
        }
        self.open = Some(of);
        if !line.goes_on {
            self.end(sink);
        }
    }

    fn begin(&self, sink: &mut Sink, source: u16, line: &LogLine) {
        if let Some(source) = self.sources.get(usize::from(source)).filter(|_| self.sources.len() > 1) {
            sink.write(source.name.as_bytes());
            sink.write(b" | ");
        }
        if self.has_times {
            sink.write(stamp(line.time()).as_bytes());
            sink.write(b" ");
        }
    }

    fn end(&mut self, sink: &mut Sink) {
        if self.open.take().is_some() {
            sink.write(b"\n");
        }
    }
}

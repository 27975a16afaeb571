//! A log as a file: all of it, or what is asked for. It goes through, and is not held.

use std::io::Write as _;

use axum::response::Response;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::{
    asked::{Asked, Source},
    draw::stamp,
};
use crate::{
    engine::{Filter, Found, Scan},
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
    loop {
        let lines = match scan.next().await {
            Ok(Some(lines)) => lines,
            Ok(None) => break,
            Err(error) => {
                // The file is not whole, and says so at its end.
                sink.write(format!("[wheelhouse: the log ends here before its end: {error}]\n").as_bytes());
                break;
            }
        };
        for found in lines {
            if filter.takes_text(&found.line) {
                line(&mut sink, &found, &sources, has_times);
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

fn line(sink: &mut Sink, found: &Found, sources: &[Source], has_times: bool) {
    if let Some(source) = sources.get(usize::from(found.cursor.source)).filter(|_| sources.len() > 1) {
        sink.write(source.name.as_bytes());
        sink.write(b" | ");
    }
    if has_times {
        sink.write(stamp(found.line.time()).as_bytes());
        sink.write(b" ");
    }
    sink.write(&found.line.text);
    sink.write(b"\n");
}

//! What comes, as it comes.

use axum::response::Response;
use serde::Serialize;

use super::{
    asked::{Asked, Source},
    draw::{Pen, stamp},
    json::Row,
};
use crate::{
    engine::{Cursor, Follow, Mark, MarkKind, News, Place},
    web::{
        Error,
        extract::Query,
        stream::{Live, Outbox, event},
    },
};

/// Lines that were left out.
#[derive(Serialize)]
struct Skipped {
    /// How many.
    n: u64,
    /// Whose.
    c: u16,
}

/// Something happened to a log.
#[derive(Serialize)]
struct Told {
    kind: &'static str,
    c: u16,
    t: String,
    text: String,
    html: String,
}

/// Something does not work.
#[derive(Serialize)]
pub struct Wrong {
    /// What happened.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub next: String,
}

impl Wrong {
    /// What a person is told of it.
    pub fn new(error: &Error) -> Self {
        Self {
            what: error.what_happened().to_owned(),
            why: error.reason().to_owned(),
            next: error.steps().first().map(|step| step.label.clone()).unwrap_or_default(),
        }
    }
}

/// `GET /logs/stream`
pub async fn follow(Query(fields): Query, live: Live) -> Result<Response, Error> {
    let asked = Asked::of_query(live.page(), &fields).await?;
    // What the browser has by now is more than what its address says.
    let resumed = live.last_event().and_then(|id| id.parse::<Cursor>().ok());
    let after = resumed.or(match asked.place {
        Place::After(cursor) => Some(cursor),
        _ => None,
    });
    let follow = live.page().engine.logs().follow(&asked.ids(), after, asked.filter.clone()).await?;
    Ok(live.events(move |outbox| send(outbox, follow, asked.sources)))
}

async fn send(outbox: Outbox, mut follow: Follow, sources: Vec<Source>) {
    let mut pen = Pen::new(&sources).short();
    let mut queue = Vec::new();
    let mut news = Vec::new().into_iter();
    // Nothing is taken, and nothing drawn, before there is room for it.
    while let Some(room) = outbox.room().await {
        loop {
            if let Some(message) = queue.pop() {
                room.send(message);
                break;
            }
            if let Some(next) = news.next() {
                queue.extend(messages(next, &mut pen, &sources).into_iter().rev());
            } else if let Some(more) = follow.next().await {
                news = more.into_iter();
            } else {
                room.send(event("end", None, &()));
                return;
            }
        }
    }
}

fn messages(news: News, pen: &mut Pen<'_>, sources: &[Source]) -> Vec<bytes::Bytes> {
    match news {
        News::Lines(lines) if lines.is_empty() => Vec::new(),
        News::Lines(lines) => {
            let rows: Vec<Row> = lines.iter().map(|found| Row::new(pen, found)).collect();
            // A line that is not whole is no place to go on behind.
            let last = lines.iter().rev().find(|found| !found.line.is_open).map(|found| found.cursor.to_string());
            vec![event("lines", last.as_deref(), &rows)]
        }
        News::Skipped(c, n) => vec![event("skipped", None, &Skipped { n, c })],
        News::Mark(Mark { kind: MarkKind::Failed(error), .. }) => {
            vec![event("error", None, &Wrong::new(&error.into()))]
        }
        News::Mark(mark) => vec![event("mark", None, &told(&mark, sources))],
    }
}

fn told(mark: &Mark, sources: &[Source]) -> Told {
    let name = sources.get(usize::from(mark.source)).map_or("the container", |source| source.name.as_str());
    let (kind, text) = match &mark.kind {
        MarkKind::Restarted => ("restarted", format!("{name} runs again")),
        MarkKind::Stopped(Some(code)) => ("stopped", format!("{name} ended with exit code {code}")),
        MarkKind::Stopped(None) => ("stopped", format!("{name} ended")),
        MarkKind::Removed => ("removed", format!("{name} was removed")),
        MarkKind::EngineAway => ("engine-away", "The engine is away; this goes on when it is back".to_owned()),
        MarkKind::EngineBack => ("engine-back", "The engine is back".to_owned()),
        MarkKind::Failed(error) => ("failed", error.to_string()),
    };
    let mut html = format!("<li class=\"ln mark {kind}\">");
    let _ = askama::filters::Escaper::write_escaped_str(&crate::web::html::Visible, &mut html, &text);
    html.push_str("</li>");
    Told { kind, c: mark.source, t: stamp(mark.at), text, html }
}

//! A window on a log, for the page's script.

use axum::Json;

use super::{
    asked::Asked,
    draw::Pen,
    json::{Row, Rows, failed},
};
use crate::{
    command::echo::{self, Grep, Kept, Logs},
    engine::{Out, Place},
    web::{
        Error,
        extract::{Page, Query},
    },
};

/// `GET /logs/lines`
pub async fn window(page: Page, Query(fields): Query) -> Result<Json<Rows>, Error> {
    let asked = Asked::of_query(&page, &fields).await?;
    let mut window = page.engine.logs().window(&asked.ids(), asked.place, asked.count, &asked.filter).await?;
    let mut pen = Pen::new(&asked.sources).short();
    let lines = window.lines.iter().map(|found| Row::new(&mut pen, found)).collect();
    let end = window.end.take().map(|end| end.to_string());
    Ok(Json(Rows {
        lines,
        older: window.older,
        newer: window.newer,
        end,
        command: command(&asked, false),
        failed: failed(&window),
    }))
}

/// The docker commands that show the same, one a line; but for levels, which docker does not know.
pub fn command(asked: &Asked, timestamps: bool) -> String {
    let time = |at: i64| jiff::Timestamp::from_nanosecond(i128::from(at)).map(|at| at.to_string()).unwrap_or_default();
    let after = match asked.place {
        Place::After(cursor) => Some(cursor.at),
        Place::At(at) => Some(at),
        _ => None,
    };
    let before = match asked.place {
        Place::Before(cursor) => Some(cursor.at),
        _ => None,
    };
    let since = asked.filter.since.max(after).map(time);
    let until = match (asked.filter.until, before) {
        (Some(until), Some(before)) => Some(until.min(before)),
        (until, before) => until.or(before),
    };
    let until = until.map(time);
    let grep = asked.wanted.as_ref().map(|wanted| Grep {
        parts: &wanted.parts,
        is_regex: wanted.is_regex,
        has_case: wanted.has_case,
        is_not: wanted.is_not,
        context: asked.context,
    });
    let kept = asked.filter.out.map(|out| match out {
        Out::Stdout => Kept::Stdout,
        Out::Stderr => Kept::Stderr,
    });
    let is_end = asked.place == Place::End;
    let what = Logs {
        follow: false,
        timestamps,
        tail: is_end.then(|| u64::try_from(asked.count).unwrap_or_default()),
        since: since.as_deref(),
        until: until.as_deref(),
    };
    let lines: Vec<String> = asked.sources.iter().map(|source| echo::logs_of(&source.name, what, kept, grep)).collect();
    lines.join("\n")
}

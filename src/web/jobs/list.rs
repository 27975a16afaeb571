//! The jobs: what works, by whom, how far it is, and how it ended.

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{Says, json};
use crate::{
    engine::{JobId, Layer, Progress, Stage},
    web::{
        Error, address,
        answer::List,
        asker::Can,
        chrome::Chrome,
        extract::{Fields, Page, Query},
        html::html,
        stream::{Fragments, Live, Part},
    },
};

/// Rows on a page.
const ROWS: usize = 50;
/// How often an open page looks how far they are.
const PERIOD: std::time::Duration = std::time::Duration::from_secs(1);

/// Which jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    #[default]
    All,
    Running,
    Done,
    Failed,
}

impl Show {
    pub const EACH: [(Self, &'static str, &'static str); 4] = [
        (Self::All, "all", "All"),
        (Self::Running, "running", "At work"),
        (Self::Done, "done", "Done"),
        (Self::Failed, "failed", "Not done"),
    ];

    fn takes(self, stage: &Stage) -> bool {
        match self {
            Self::All => true,
            Self::Running => matches!(stage, Stage::Running),
            Self::Done => matches!(stage, Stage::Done { .. }),
            Self::Failed => matches!(stage, Stage::Failed { .. } | Stage::Cancelled | Stage::Interrupted),
        }
    }
}

struct View {
    show: Show,
    search: String,
    page: usize,
}

impl View {
    fn parse(query: &Fields) -> Self {
        Self {
            show: address::choice(query, "show", &Show::EACH),
            search: query.text("q").unwrap_or_default().to_lowercase(),
            page: query.page(),
        }
    }

    fn path(&self, base: &str, show: Show, page: usize) -> String {
        let show = address::word(show, &Show::EACH);
        address::address(base, [("show", show), ("q", &self.search), ("page", &address::page(page))])
    }
}

/// Text search over what it does, its command and who began it; `text` is in lower case.
pub fn finds(job: &Progress, text: &str) -> bool {
    let has = |field: &str| field.to_lowercase().contains(text);
    text.is_empty() || has(&job.title) || has(&job.command) || job.by.as_deref().is_some_and(has)
}

/// A job of the list.
struct Row {
    id: JobId,
    job: Progress,
    says: Says,
}

impl Row {
    /// How far it is, and of how much; none where that is not known.
    fn progress(&self) -> Option<(u64, u64)> {
        let sum = |of: fn(&Layer) -> u64| self.job.layers.iter().map(of).sum::<u64>();
        let parts = || self.job.parts.iter().filter(|part| part.result.is_some()).count();
        match (self.job.parts.len(), sum(|layer| layer.total)) {
            (0, 0) => None,
            (0, total) => Some((sum(|layer| layer.done), total)),
            (all, _) => Some((u64::try_from(parts()).ok()?, u64::try_from(all).ok()?)),
        }
    }
}

#[derive(Template)]
#[template(path = "jobs/_jobs.html")]
struct Jobs {
    chips: Vec<(String, String, bool)>,
    rows: Vec<Row>,
    first: usize,
    last: usize,
    total: usize,
    previous: Option<String>,
    next: Option<String>,
    is_empty: bool,
    /// Why they are not written down.
    trouble: Option<String>,
    can: Can,
    now: Timestamp,
}

impl Jobs {
    fn new(page: &Page, view: &View) -> Self {
        let all: Vec<(JobId, Progress)> =
            page.engine.jobs().list().iter().map(|job| (job.id, job.progress())).collect();
        let chip = |(show, _, label): (Show, &str, &str)| {
            let number = all.iter().filter(|(_, job)| show.takes(&job.stage)).count();
            (view.path("/jobs", show, 1), format!("{label} {number}"), show == view.show)
        };
        let chips = Show::EACH.into_iter().map(chip).collect();
        let is_empty = all.is_empty();
        let fits = |(_, job): &(JobId, Progress)| view.show.takes(&job.stage) && finds(job, &view.search);
        let found: Vec<_> = all.into_iter().filter(fits).collect();
        let (total, skip) = (found.len(), (view.page - 1).saturating_mul(ROWS));
        let on_page = found.into_iter().skip(skip).take(ROWS);
        let rows: Vec<Row> = on_page.map(|(id, job)| Row { id, says: Says::of(&job, &page.picture), job }).collect();
        Self {
            chips,
            first: (skip + 1).min(total),
            last: skip + rows.len(),
            previous: (view.page > 1).then(|| view.path("/jobs", view.show, view.page - 1)),
            next: (skip + rows.len() < total).then(|| view.path("/jobs", view.show, view.page + 1)),
            total,
            rows,
            is_empty,
            trouble: page.engine.jobs().trouble(),
            can: page.can(),
            now: Timestamp::now(),
        }
    }
}

#[derive(Template)]
#[template(path = "jobs/list.html")]
struct ListPage<'a> {
    chrome: Chrome,
    search: &'a str,
    jobs: Jobs,
}

/// `GET /jobs`
pub async fn page(page: Page, Query(query): Query) -> Result<Response, Error> {
    let view = View::parse(&query);
    let jobs = Jobs::new(&page, &view);
    page.show(
        || List {
            items: jobs.rows.iter().map(|row| json::Job::new(row.id, &row.job, &page.picture)).collect(),
            total: jobs.total,
            page: view.page,
            pages: jobs.total.div_ceil(ROWS).max(1),
        },
        || {
            html(&ListPage {
                chrome: Chrome::new(&page, "Jobs").live(&page, &view.path("/jobs/stream", view.show, view.page)),
                search: &view.search,
                jobs: Jobs::new(&page, &view),
            })
        },
    )
}

/// `GET /jobs/stream`
pub async fn stream(live: Live, Query(query): Query) -> Response {
    let view = View::parse(&query);
    live.follow_every(PERIOD, move |page| {
        let drawn = html(&Jobs::new(&page, &view));
        async { Ok(Fragments { rest: vec![Part { id: "jobs".into(), html: drawn?.0 }], ..Fragments::default() }) }
    })
}

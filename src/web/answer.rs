//! What comes back: to people as a page, to scripts the same as JSON. Only what was asked for is made.

use std::collections::BTreeMap;

use axum::{
    Json,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Error,
    error::{Step, Toast},
    extract::{Page, see_other},
    html::html,
};
use crate::engine::{Job, JobId};

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    /// What is on this page of the list.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many pages there are.
    pub pages: usize,
}

/// The newest of what grows without end.
#[derive(Serialize, ToSchema)]
pub struct Newest<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Where the ones before these are; none where there are no more.
    pub older: Option<String>,
}

/// Something was done.
#[derive(Serialize, ToSchema)]
pub struct Done {
    /// What, in a sentence.
    pub done: String,
    /// The docker command that does the same.
    pub command: String,
}

/// Something was made.
#[derive(Serialize, ToSchema)]
pub struct Made {
    /// Its id: of a volume, its name.
    pub id: String,
    /// Where it is on this console.
    pub location: String,
}

/// Something goes on as a job.
#[derive(Serialize, ToSchema)]
pub struct Begun {
    /// The job's number.
    #[schema(value_type = u64)]
    pub job: JobId,
    /// Where it can be followed.
    pub location: String,
    /// What it does.
    pub says: String,
    /// The docker command that does the same.
    pub command: String,
}

/// Something did not work.
#[derive(Serialize, ToSchema)]
pub struct Failure {
    /// What happened.
    pub error: String,
    /// Why.
    pub why: String,
    /// The engine's own words, where it was the engine that refused.
    pub engine: Option<String>,
    /// What is wrong with which field.
    pub fields: BTreeMap<String, String>,
    /// What can be done next.
    pub next: Vec<NextStep>,
}

/// Something to do next.
#[derive(Serialize, ToSchema)]
pub struct NextStep {
    /// What it does.
    pub label: String,
    /// Where.
    pub path: String,
    /// `GET` or `POST`.
    pub method: &'static str,
}

/// Without anything between the items and their list: all of it on one page.
impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self { total: items.len(), items, page: 1, pages: 1 }
    }
}

/// `Location: path`, where it can stand in a header.
fn located(status: StatusCode, path: &str, data: impl Serialize) -> Response {
    let mut response = (status, Json(data)).into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

impl Page {
    /// A page for people, data for scripts.
    pub fn show<T: Serialize>(
        &self,
        data: impl FnOnce() -> T,
        draw: impl FnOnce() -> Result<Html<String>, Error>,
    ) -> Result<Response, Error> {
        if self.wants_json { Ok(Json(data()).into_response()) } else { Ok(draw()?.into_response()) }
    }

    /// Something was done. People who sent a plain form go on to `to`; htmx shows a toast and stays where it is, unless
    /// the page that it is on is gone.
    pub fn done(&self, what: &str, command: &str, to: &str) -> Result<Response, Error> {
        self.done_with(what, command, to, &[])
    }

    /// The same, with what can be done next.
    pub fn done_with(&self, what: &str, command: &str, to: &str, next: &[Step]) -> Result<Response, Error> {
        if self.wants_json {
            return Ok(Json(Done { done: what.to_owned(), command: command.to_owned() }).into_response());
        }
        if !self.is_htmx {
            return Ok(see_other(to));
        }
        let next: Vec<Step> = next.iter().filter(|step| self.may(step.right)).cloned().collect();
        let toast = Toast { ok: true, what, why: "", command, next: &next, words: None };
        let mut response = html(&toast)?.into_response();
        if let Ok(to) = HeaderValue::from_str(to) {
            response.headers_mut().insert(HeaderName::from_static("x-after"), to);
        }
        Ok(response)
    }

    /// Something was made, and is now at `path`. People go there.
    pub fn made<T: Serialize>(&self, path: &str, data: impl FnOnce() -> T) -> Response {
        if self.wants_json { located(StatusCode::CREATED, path, data()) } else { see_other(path) }
    }

    /// Something goes on as a job. People watch it.
    pub fn begun(&self, job: &Job) -> Response {
        let path = format!("/jobs/{}", job.id);
        if !self.wants_json {
            return see_other(&path);
        }
        let progress = job.progress();
        let begun = Begun { job: job.id, location: path.clone(), says: progress.title, command: progress.command };
        located(StatusCode::ACCEPTED, &path, begun)
    }

    /// It is so now, and there is nothing to say of it. People go on to `to`.
    pub fn quiet(&self, to: &str) -> Response {
        if self.wants_json { StatusCode::NO_CONTENT.into_response() } else { see_other(to) }
    }

    /// Something is wrong with these fields: people see their form again, with what they typed.
    pub fn wrong<F: Into<String>, W: Into<String>>(
        &self,
        status: StatusCode,
        what: &str,
        fields: impl IntoIterator<Item = (F, W)>,
        draw: impl FnOnce() -> Result<Html<String>, Error>,
    ) -> Result<Response, Error> {
        if self.wants_json {
            return Err(Error::of_fields(status, what, fields));
        }
        Ok((status, draw()?).into_response())
    }
}

impl Failure {
    /// The answer to who asked for JSON.
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        // Not `Json`: an error of this must not become one again.
        let body = serde_json::to_string(self).unwrap_or_default();
        (status, [(CONTENT_TYPE, "application/json")], body).into_response()
    }
}

//! Uploading: received whole before the engine hears of it (S052), bounded, and written as one file of a tar that is
//! made here (S050).

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
    response::Response,
};

use futures_util::Stream;

use super::{Spot, Target, browse::upload_command, path_of};
use crate::{
    engine::{FileName, FilePath, FilePlace, Put, Spool},
    web::{
        Error,
        error::Step,
        extract::{Page, Query, is_on},
        html::{bytes, count},
    },
};

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(30);
/// How many files go up with one form.
const FILES: usize = 100;
/// The largest field that is no file.
const SMALL: usize = 64;

pub fn too_large(page: &Page) -> Error {
    Error::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "That is too large.",
        format!(
            "A file may have {} at most here. Whoever runs this console can raise --max-upload; docker cp has no limit.",
            bytes(page.engine.largest_upload())
        ),
    )
}

/// Refuses what says itself that it is too large, before it is read (S055).
pub fn refuse_large(page: &Page, headers: &HeaderMap) -> Result<(), Error> {
    let says = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).and_then(|text| text.parse().ok());
    // What stands around the file in a form is small.
    let most = page.engine.largest_upload().saturating_add(64 << 10);
    if says.is_some_and(|says: u64| says > most) { Err(too_large(page)) } else { Ok(()) }
}

pub fn unreadable(error: &MultipartError) -> Error {
    tracing::debug!(error = error.to_string(), "an upload broke off");
    Error::unreadable()
}

/// How much may come without a byte of a file in it: the head of a part is short.
const HEAD: usize = 256 << 10;

/// A body that comes a piece at a time, and ends where a lot of it makes no part: what reads forms keeps in memory what
/// it has not understood yet (S055).
pub struct Paced {
    body: BodyDataStream,
    since: Arc<AtomicUsize>,
    is_given: bool,
}

impl Stream for Paced {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.is_given) {
            // Whoever reads on without a pause would read all that there is.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = ready!(Pin::new(&mut self.body).poll_next(context));
        if let Some(Ok(bytes)) = &next {
            self.is_given = true;
            if self.since.fetch_add(bytes.len(), Ordering::Relaxed) > HEAD {
                return Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other("that is no form")))));
            }
        }
        Poll::Ready(next)
    }
}

/// The parts of a form; whoever takes a piece of one says so at the counter.
pub async fn parts(request: Request) -> Result<(Multipart, Arc<AtomicUsize>), Error> {
    let since = Arc::new(AtomicUsize::new(0));
    let (head, body) = request.into_parts();
    let paced = Paced { body: body.into_data_stream(), since: since.clone(), is_given: false };
    let form = Multipart::from_request(Request::from_parts(head, Body::from_stream(paced)), &()).await;
    let form = form.map_err(|_| {
        Error::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "That cannot be read.",
            "Files are sent as multipart/form-data, with a part called file.",
        )
    })?;
    Ok((form, since))
}

/// Waits for what comes next, not for ever.
pub async fn patient<T>(next: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Error> {
    let slow = |_| Error::new(StatusCode::REQUEST_TIMEOUT, "The upload stopped.", "Nothing came for half a minute.");
    tokio::time::timeout(SILENCE, next).await.map_err(slow)?.map_err(|error| unreadable(&error))
}

/// A small field.
pub async fn small(mut field: Field<'_>) -> Result<String, Error> {
    let mut text = Vec::new();
    while let Some(chunk) = patient(field.chunk()).await? {
        text.extend_from_slice(&chunk);
        if text.len() > SMALL {
            return Err(Error::too_large());
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A file, kept until it is whole.
pub async fn keep(page: &Page, mut field: Field<'_>, since: &AtomicUsize) -> Result<Spool, Error> {
    let mut spool = page.engine.spool().await?;
    while let Some(chunk) = patient(field.chunk()).await? {
        since.store(0, Ordering::Relaxed);
        if !spool.add(&chunk).await? {
            return Err(too_large(page));
        }
    }
    Ok(spool)
}

/// `POST …/files/upload?path=/srv`: a form with files, as `multipart/form-data`.
pub async fn take(Target(place): Target, page: Page, Query(query): Query, request: Request) -> Result<Response, Error> {
    let folder = path_of(query.get("path"))?;
    let spot = Spot::new(&page, place)?;
    refuse_large(&page, request.headers())?;
    let (mut form, since) = parts(request).await?;
    // Kept until all of it is here: what stands after a file is about it, too.
    let (mut replace, mut files, mut whole) = (query.is_set("replace"), Vec::new(), 0);
    while let Some(field) = patient(form.next_field()).await? {
        match field.name() {
            Some("replace") => replace = is_on(&small(field).await?),
            Some("file") if files.len() < FILES => {
                // A field of a form that nothing was chosen for.
                let Some(name) = field.file_name().filter(|name| !name.is_empty()).map(str::to_owned) else { continue };
                let name: FileName = name.parse().map_err(|why: crate::engine::InvalidPath| {
                    let why = format!("“{name}”: {why}.");
                    Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not a name.", [("file", why)])
                })?;
                let spool = keep(&page, field, &since).await?;
                whole += spool.size;
                if whole > page.engine.largest_upload() {
                    return Err(too_large(&page));
                }
                files.push((name, spool));
            }
            _ => {
                let _ = small(field).await?;
            }
        }
    }
    let mut names = Vec::new();
    for (name, spool) in files {
        put(&page, &spot, &folder, &name, spool, replace).await?;
        names.push(name.to_string());
    }
    if names.is_empty() {
        let why = "Choose one or more, then send them.";
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "There is no file in that.", [("file", why)]));
    }
    let says = match names.as_slice() {
        [one] => format!("{one} was uploaded to {folder}."),
        more => format!("{} were uploaded to {folder}.", count(more.len(), "file")),
    };
    let command = upload_command(&spot, names.first().map_or("", String::as_str), &folder);
    page.done(&says, &command, &spot.href("", &folder))
}

async fn put(
    page: &Page,
    spot: &Spot,
    folder: &FilePath,
    name: &FileName,
    spool: Spool,
    replace: bool,
) -> Result<(), Error> {
    let command = upload_command(spot, name.as_str(), folder);
    let what = format!("{}, {}", folder.join(name.as_str()), bytes(spool.size));
    let deed = spot.deed("file.upload", &command, &what);
    let (engine, place) = (page.engine.clone(), spot.place.clone());
    let (to, named): (FilePath, FileName) = (folder.clone(), name.clone());
    let work = async move {
        match engine.files(&place).put(&to, &named, spool, replace).await? {
            Put::Done => Ok(()),
            Put::Exists(kind) => Err(exists(&place, &named, kind)),
        }
    };
    page.does(deed, work).await?.map_err(|error| {
        let told = Error::from(error.clone()).what(format!("{name} was not uploaded."));
        let is_there = matches!(&error, crate::engine::Error::Conflict(why) if why.contains("already"));
        if is_there { told.next(Step::link("The folder", spot.href("", folder))) } else { told }
    })
}

fn exists(_: &FilePlace, name: &FileName, kind: crate::engine::FileKind) -> crate::engine::Error {
    let hint = if kind == crate::engine::FileKind::File { ": say that it is to be replaced" } else { "" };
    crate::engine::Error::Conflict(format!("there is a {} called {name} there already{hint}", kind.word()))
}

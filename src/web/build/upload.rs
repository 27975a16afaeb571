//! `POST /build/upload`: a folder, file by file, or a tar with all of it; received whole before the engine hears of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    extract::{Request, multipart::Field},
    http::StatusCode,
    response::Response,
};

use super::{Draft, EXAMPLE, begin, wrong};
use crate::{
    engine::{BuildContext, BuildFolder as Folder, Spool},
    web::{
        Error,
        extract::{Fields, Page},
        files::upload::{keep, parts, patient, refuse_large, too_large},
    },
};

/// How many files a folder may have.
const FILES: usize = 20_000;
/// The largest field that is no file.
const TEXT: usize = 16 << 10;

/// What was uploaded so far.
enum Upload {
    Nothing,
    Tar(Spool),
    Folder(Folder),
}

pub async fn take(page: Page, request: Request) -> Result<Response, Error> {
    refuse_large(&page, request.headers())?;
    let (mut form, since) = parts(request).await?;
    let (mut fields, mut upload) = (Fields::default(), Upload::Nothing);
    while let Some(field) = patient(form.next_field()).await? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().filter(|name| !name.is_empty()).map(str::to_owned);
        match (name.as_str(), file) {
            ("context", Some(file)) => upload = add(&page, upload, &file, keep(&page, field, &since).await?).await?,
            ("context", None) => {}
            _ => fields.0.push((name, text(field, &since).await?)),
        }
    }
    let mut draft = Draft { is_upload: true, text: EXAMPLE.to_owned(), ..Draft::read(&fields) };
    let context = match upload {
        Upload::Tar(spool) => Some(spool),
        Upload::Folder(folder) => {
            let whole = folder.end(draft.build.dockerfile(), page.engine.spool()).await?;
            Some(whole.ok_or_else(|| too_large(&page))?)
        }
        Upload::Nothing => None,
    };
    let Some(context) = context.filter(|_| draft.errors.is_empty()) else {
        if draft.errors.is_empty() {
            draft.errors.push(("context", "Choose a folder, or a tar of one.".to_owned()));
        }
        return wrong(&page, StatusCode::UNPROCESSABLE_ENTITY, &draft);
    };
    begin(&page, draft.build, BuildContext::Tar(context), ".").await
}

/// Adds a file: the first that is a tar is all of it, others are a folder's.
async fn add(page: &Page, upload: Upload, file: &str, spool: Spool) -> Result<Upload, Error> {
    let is_tar = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"].iter().any(|end| file.ends_with(end));
    let refused =
        |why: String| Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was built.", [("context", why)]);
    let mut folder = match upload {
        Upload::Nothing if is_tar && !file.contains('/') => return Ok(Upload::Tar(spool)),
        Upload::Nothing => Folder::new(page.engine.spool().await?),
        Upload::Folder(folder) => folder,
        Upload::Tar(_) => return Err(refused("One tar, or the files of a folder: not both.".to_owned())),
    };
    if folder.count() >= FILES {
        return Err(refused(format!("{FILES} files at most: make a tar of the folder.")));
    }
    // A browser says a folder's files with the folder's name before them.
    let name = file.split_once('/').map_or(file, |(_, below)| below);
    if name.is_empty() || name.split('/').any(|part| matches!(part, "" | "." | "..")) || name.contains('\0') {
        return Err(refused(format!("“{file}” is no path within a folder.")));
    }
    if !folder.add(name, spool).await? {
        return Err(too_large(page));
    }
    Ok(Upload::Folder(folder))
}

async fn text(mut field: Field<'_>, since: &AtomicUsize) -> Result<String, Error> {
    let mut text = Vec::new();
    while let Some(chunk) = patient(field.chunk()).await? {
        since.store(0, Ordering::Relaxed);
        text.extend_from_slice(&chunk);
        if text.len() > TEXT {
            return Err(Error::too_large());
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

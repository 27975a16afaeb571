//! Putting a volume's backup back.

use std::sync::Arc;

use askama::Template;
use axum::{extract::Request, http::StatusCode, response::Response};

use super::{
    Spot,
    head::Head,
    upload::{keep, parts, patient, refuse_large, small},
};
use crate::web::filters;
use crate::{
    command::echo,
    engine::{Container, FilePath, FilePlace, VolumeName},
    web::{
        Error,
        chrome::Chrome,
        extract::{Id, Page, is_on},
        html::{bytes, html},
    },
};

#[derive(Template)]
#[template(path = "files/restore.html")]
struct RestorePage {
    chrome: Chrome,
    head: String,
    name: VolumeName,
    users: Vec<Arc<Container>>,
    largest: String,
    back: String,
}

fn users(page: &Page, name: &VolumeName) -> Vec<Arc<Container>> {
    page.picture.users_of_volumes().remove(name.as_str()).unwrap_or_default().into_iter().cloned().collect()
}

/// `GET /volumes/{name}/restore`
pub async fn form(Id(name): Id<VolumeName>, page: Page) -> Result<Response, Error> {
    use axum::response::IntoResponse;
    let spot = Spot::new(&page, FilePlace::Volume(name.clone()))?;
    let command = echo::volume_restore(&spot.name, &format!("{name}.tar.gz"));
    let Head { chrome, html: head } = Head::new(&page, &spot, command)?;
    let page = RestorePage {
        users: users(&page, &name),
        largest: bytes(page.engine.largest_upload()),
        back: spot.href("", &FilePath::root()),
        name,
        chrome,
        head,
    };
    Ok(html(&page)?.into_response())
}

/// `POST /volumes/{name}/restore`: a tar, as it is or with gzip, as `multipart/form-data`.
pub async fn take(Id(name): Id<VolumeName>, page: Page, request: Request) -> Result<Response, Error> {
    let spot = Spot::new(&page, FilePlace::Volume(name.clone()))?;
    refuse_large(&page, request.headers())?;
    let (mut form, since) = parts(request).await?;
    let (mut is_sure, mut kept) = (false, None);
    while let Some(field) = patient(form.next_field()).await? {
        match field.name() {
            Some("sure") => is_sure = is_on(&small(field).await?),
            Some("file") if kept.is_none() => kept = Some(keep(&page, field, &since).await?),
            _ => {
                let _ = small(field).await?;
            }
        }
    }
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(spool) = kept.filter(|spool| spool.size > 0) else {
        return Err(Error::of_fields(status, "There is no backup in that.", [("file", "Choose a tar or tar.gz.")]));
    };
    if !is_sure {
        let why = "Say that what is in the volume may be replaced.";
        return Err(Error::of_fields(status, "Nothing was restored.", [("sure", why)]));
    }
    let command = echo::volume_restore(&spot.name, &format!("{name}.tar.gz"));
    let deed = spot.deed("volume.restore", &command, &bytes(spool.size));
    let (engine, place) = (page.engine.clone(), spot.place.clone());
    let restored = page.does(deed, async move { engine.files(&place).restore(spool).await }).await?;
    let restored =
        restored.map_err(|error| Error::from(error).what("The backup was not restored, or not all of it."))?;
    let says = format!("The backup was restored to {name}: {restored} entries.");
    page.done(&says, &command, &spot.href("", &FilePath::root()))
}

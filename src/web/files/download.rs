//! Downloading: a file as it is, a folder as a tar or a zip, a volume as its backup.

use axum::{body::Body, http::StatusCode, response::Response};

use super::{
    Spot, Target,
    browse::{explain, in_volume},
    path_of,
};
use crate::{
    command::echo,
    engine::{Download, FilePath, FilePlace, Form, VolumeName},
    web::{
        Error,
        attachment::{BYTES, attachment},
        deed::{Came, Deed},
        extract::{Id, Page, Query},
    },
};

/// `GET …/files/download?path=/etc&as=tar`
pub async fn send(Target(place): Target, page: Page, Query(query): Query) -> Result<Response, Error> {
    let path = path_of(query.get("path"))?;
    let spot = Spot::new(&page, place)?;
    let form = match query.text("as") {
        None | Some("file") => Form::Plain,
        Some("tar") => Form::Tar,
        Some("tar.gz") => Form::TarGz,
        Some("zip") => Form::Zip,
        Some(_) => {
            let why = "file, tar, tar.gz or zip.";
            return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "There is no such form.", [("as", why)]));
        }
    };
    let command = match spot.place {
        FilePlace::Container(_) => echo::cp_from(&spot.name, path.as_str()),
        FilePlace::Volume(_) => {
            echo::volume_backup(&spot.name, &in_volume(&path), &format!("{}.tar.gz", named(&spot, &path)))
        }
    };
    let deed = spot.deed("file.download", &command, path.as_str());
    begin(&page, &spot, &path, form, deed).await
}

fn named<'a>(spot: &'a Spot, path: &'a FilePath) -> &'a str {
    if path.is_root() { &spot.name } else { path.name() }
}

/// `GET /volumes/{name}/backup`: all of it, as a tar that `restore` takes.
pub async fn backup(Id(name): Id<VolumeName>, page: Page) -> Result<Response, Error> {
    let spot = Spot::new(&page, FilePlace::Volume(name))?;
    let command = echo::volume_backup(&spot.name, "/volume", &format!("{}.tar.gz", spot.name));
    let deed = spot.deed("volume.backup", &command, "");
    begin(&page, &spot, &FilePath::root(), Form::TarGz, deed).await
}

/// Writes it down, and sends it.
async fn begin(page: &Page, spot: &Spot, path: &FilePath, form: Form, deed: Deed) -> Result<Response, Error> {
    let asked = page.asks(deed).await?;
    let download = page.engine.files(&spot.place).download(path, form, &spot.name).await;
    let mut download = match download {
        Ok(download) => download,
        Err(error) => {
            asked.ended(Came::to_nothing(&error)).await;
            return Err(explain(error, spot, path));
        }
    };
    let end = download.end();
    tokio::spawn(async move {
        asked.ended(end.await.map_or_else(Came::failed, |_| Came::default())).await;
    });
    Ok(sent(download))
}

fn sent(download: Download) -> Response {
    let (name, size) = (download.name.clone(), download.size);
    let pieces = futures_util::stream::unfold(download, async |mut download| {
        let piece = download.next().await?;
        Some((piece, download))
    });
    attachment(BYTES, &name, size, Body::from_stream(pieces))
}

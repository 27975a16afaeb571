//! Images as files: saved into a tar, loaded out of one, and made of the files in one. What comes goes straight on, a few
//! pieces at a time.

use std::{collections::BTreeSet, io, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::{
    Request,
    body::Frame,
    header::{CONTENT_TYPE, HeaderValue},
};
use tokio::sync::mpsc;

use super::{Images, follow::follow, path_of, split_reference};
use crate::engine::{
    Engine, Error, Export, ImageId,
    jobs::{Job, Stage},
    wire::encoded,
};

/// How long an engine may prepare a tar: podman writes it to its disk first.
const PREPARE: Duration = Duration::from_mins(10);
/// How long all of what comes may take.
const WHOLE: Duration = Duration::from_hours(6);
/// How long the engine may take nothing of it.
const STALL: Duration = Duration::from_mins(2);
/// Pieces that wait for the engine.
const AHEAD: usize = 4;

/// What is made of what comes.
#[derive(Debug, Clone)]
pub enum Source {
    /// Images that were saved: `docker load`.
    Saved,
    /// The files of one new image: `docker import`.
    Files {
        /// What it is to be called.
        reference: Option<String>,
        /// Instructions of a Dockerfile.
        changes: Vec<String>,
        /// What is said about it.
        message: Option<String>,
        /// Whether it may take the name of another.
        replace: bool,
    },
}

/// A piece of a tar, or its end: what ends without is broken off.
enum Piece {
    Bytes(Bytes),
    End,
}

/// A tar on its way to the engine. Dropped before its end, it is broken off.
pub struct Incoming {
    /// The job that says what becomes of it.
    pub job: Job,
    pieces: mpsc::Sender<Piece>,
}

impl Incoming {
    /// Hands on the next bytes; `false` where the engine takes no more, for a reason that the job tells.
    pub async fn add(&self, bytes: Bytes) -> bool {
        matches!(tokio::time::timeout(STALL, self.pieces.send(Piece::Bytes(bytes))).await, Ok(Ok(())))
    }

    /// That was all.
    pub async fn end(self) -> Job {
        let _ = tokio::time::timeout(STALL, self.pieces.send(Piece::End)).await;
        self.job
    }
}

impl Images<'_> {
    /// Begins to save images into one tar. Those that go by a tag have it in there, too.
    pub async fn save(&self, images: &[(ImageId, Option<String>)], command: String) -> Result<Export, Error> {
        let engine: &Engine = self.0;
        engine.reach.may_operate()?;
        let mut names = Vec::new();
        for (id, tag) in images {
            engine.reaches_image(id)?;
            if let Some(tag) = tag {
                self.is_still(tag, id).await?;
                // Its grammar is looked at, although it does not stand in the path.
                path_of(tag)?;
            }
            names.push(format!("names={}", encoded(tag.as_deref().unwrap_or(id.as_str()))));
        }
        // An image may be in it under several names.
        let distinct = images.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len();
        let title = match images {
            [(id, tag), ..] if distinct == 1 => format!("Save {}", tag.as_deref().unwrap_or(id.short())),
            _ => format!("Save {distinct} images"),
        };
        engine.export(&format!("/images/get?{}", names.join("&")), PREPARE, "save", title, command).await
    }

    /// Begins to take in a tar.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who must not say what images are: a tar says itself what its images are called, and others
    /// run what they know by a name.
    pub async fn take(&self, source: Source, command: String) -> Result<Incoming, Error> {
        let engine: &Engine = self.0;
        engine.reach.may_keep_images()?;
        engine.reachable()?;
        let (kind, title, path) = match &source {
            Source::Saved if !engine.reach.root => {
                return Err(Error::Forbidden(
                    "What is loaded says itself what it is called, and may take the names of images that others run: an \
                     administrator can load it."
                        .to_owned(),
                ));
            }
            Source::Saved => ("load", "Load images".to_owned(), "/images/load?quiet=0".to_owned()),
            Source::Files { reference, changes, message, replace } => {
                let mut path = "/images/create?fromSrc=-".to_owned();
                if let Some(reference) = reference {
                    self.may_name(reference, None, *replace).await?;
                    let (name, tag) = split_reference(reference);
                    path = format!("{path}&repo={}&tag={}", encoded(name), encoded(tag));
                }
                if let Some(message) = message {
                    path = format!("{path}&message={}", encoded(message));
                }
                path = changes.iter().fold(path, |path, change| format!("{path}&changes={}", encoded(change)));
                let title = reference.as_ref().map_or_else(|| "Import".to_owned(), |name| format!("Import {name}"));
                ("import", title, path)
            }
        };
        let name = match source {
            Source::Files { reference, .. } => reference,
            Source::Saved => None,
        };
        let (sender, pieces) = mpsc::channel(AHEAD);
        let job = engine.jobs().start(kind, title, command, Vec::new(), move |engine, job| async move {
            let counting = job.clone();
            let body = stream::unfold((pieces, 0_u64), move |(mut pieces, mut bytes)| {
                let job = counting.clone();
                async move {
                    match pieces.recv().await {
                        Some(Piece::Bytes(data)) => {
                            bytes += data.len() as u64;
                            job.moved(bytes);
                            Some((Ok(Frame::data(data)), (pieces, bytes)))
                        }
                        Some(Piece::End) => None,
                        // So that the engine does not take a half for the whole.
                        None => Some((Err(io::Error::other("broken off")), (pieces, bytes))),
                    }
                }
            });
            match Box::pin(engine.taken(&job, &path, kind, StreamBody::new(body))).await {
                Ok(said) => {
                    engine.live.read_back_images().await;
                    let made = image_in(&engine, &said);
                    job.made(made.clone());
                    // podman 4.3 makes the image, and forgets its name.
                    if let (Some(id), Some(name)) = (made, name)
                        && engine.live.picture().image_of(&name).is_none()
                        && let Err(error) = engine.images().tag(&id, &name, false).await
                    {
                        return Stage::Failed { error, container: None };
                    }
                    Stage::Done { container: None }
                }
                Err(error) => Stage::Failed { error, container: None },
            }
        });
        Ok(Incoming { job, pieces: sender })
    }
}

impl Engine {
    async fn taken<B>(
        &self,
        job: &crate::engine::jobs::Work,
        path: &str,
        what: &str,
        body: B,
    ) -> Result<Vec<String>, Error>
    where
        B: hyper::body::Body<Data = Bytes, Error = io::Error> + Send + 'static,
    {
        let request =
            Request::post(path).header(CONTENT_TYPE, HeaderValue::from_static("application/x-tar")).body(body);
        let request = request.map_err(|error| Error::Invalid(error.to_string()))?;
        let response = self.wire.stream(request, WHOLE).await?;
        let said = follow(job, what, response).await?;
        if said.is_empty() {
            return Err(Error::Invalid("there was no image in it".to_owned()));
        }
        Ok(said)
    }
}

/// The image that the engine says it has made, where it is one.
fn image_in(engine: &Engine, said: &[String]) -> Option<ImageId> {
    let words = said.last()?;
    let name = words.rsplit(' ').next()?;
    let picture = engine.live.picture();
    name.parse().ok().filter(|id| picture.images.contains_key(id)).or_else(|| Some(picture.image_of(name)?.id.clone()))
}

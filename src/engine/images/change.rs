//! Giving images names, taking names away, and removing what nobody wants any more.

use futures_util::{StreamExt, stream};
use http_body_util::Empty;
use hyper::{Request, body::Bytes};
use serde::Deserialize;
use serde_json::Value;

use super::{Images, path_of, split_reference};
use crate::engine::{
    Engine, Error, ImageId,
    jobs::{Job, Jobs, Part, Stage},
    wire::{ACT, encoded},
};

/// How long removing one may take: its layers are files.
const REMOVE: std::time::Duration = std::time::Duration::from_mins(5);
/// How many are removed at the same time.
const AT_ONCE: usize = 4;

/// What became of a removal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone {
    /// Names that are gone.
    pub untagged: usize,
    /// Images and layers that are.
    pub deleted: usize,
}

impl Gone {
    /// In words.
    pub fn says(&self) -> &'static str {
        if self.deleted > 0 { "removed" } else { "untagged; its layers stay, others have them" }
    }
}

impl Images<'_> {
    /// Gives an image another name.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the name is another image's and must not be; [`Error::Forbidden`] where who asks may not
    /// take it: others run what they know by it.
    pub async fn tag(&self, id: &ImageId, reference: &str, replace: bool) -> Result<(), Error> {
        let engine: &Engine = self.0;
        engine.reach.may_keep_images()?;
        engine.reaches_image(id)?;
        engine.reachable()?;
        self.may_name(reference, Some(id), replace).await?;
        let (name, tag) = split_reference(reference);
        let path = format!("/images/{id}/tag?repo={}&tag={}", encoded(name), encoded(tag));
        let done = engine.wire.post(&path, &Value::Null, ACT).await.map_err(|error| engine.told(error));
        engine.live.read_back_images().await;
        done.map(|_| ())
    }

    /// Refuses to give a name that is another image's already.
    pub(super) async fn may_name(&self, reference: &str, to: Option<&ImageId>, replace: bool) -> Result<(), Error> {
        match self.id_of(reference).await? {
            None => Ok(()),
            Some(has) if Some(&has) == to => Ok(()),
            Some(_) if !self.0.reach.root => Err(Error::Conflict(format!(
                "{reference} is another image already: only an administrator may give its name away"
            ))),
            Some(_) if !replace => Err(Error::Conflict(format!("{reference} is another image already"))),
            Some(_) => Ok(()),
        }
    }

    /// The image that a reference means now, if it means one.
    async fn id_of(&self, reference: &str) -> Result<Option<ImageId>, Error> {
        match self.raw(reference).await {
            Ok(raw) => Ok(raw.get("Id").and_then(Value::as_str).and_then(|id| id.parse().ok())),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Refuses what was shown as one image and is another by now (S034).
    pub(super) async fn is_still(&self, tag: &str, id: &ImageId) -> Result<(), Error> {
        match self.id_of(tag).await? {
            None => Err(Error::NotFound(format!("No such image: {tag}"))),
            Some(has) if has == *id => Ok(()),
            Some(has) => Err(Error::Conflict(format!("{tag} is another image by now, {}", has.short()))),
        }
    }

    /// Takes names away from an image; with its last one, the image goes. One without names goes by its id.
    pub async fn remove(&self, id: &ImageId, tags: &[String], force: bool) -> Result<Gone, Error> {
        let result = self.delete(id, tags, force).await;
        self.0.live.read_back_images().await;
        result
    }

    async fn delete(&self, id: &ImageId, tags: &[String], force: bool) -> Result<Gone, Error> {
        let engine: &Engine = self.0;
        engine.reach.may_keep_images()?;
        engine.reaches_image(id)?;
        engine.reachable()?;
        // There, force takes containers along, whatever runs in them.
        let force = force && !engine.live.picture().is_podman();
        let mut gone = Gone::default();
        if tags.is_empty() {
            self.delete_one(id.as_str(), force, &mut gone).await?;
        }
        for tag in tags {
            self.is_still(tag, id).await?;
            self.delete_one(tag, force, &mut gone).await?;
        }
        Ok(gone)
    }

    async fn delete_one(&self, reference: &str, force: bool, gone: &mut Gone) -> Result<(), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Said {
            untagged: Option<String>,
            deleted: Option<String>,
        }
        let path = format!("/images/{}?force={force}", path_of(reference)?);
        let request = Request::delete(path).body(Empty::<Bytes>::new());
        let request = request.map_err(|error| Error::Invalid(error.to_string()))?;
        let answer = self.0.wire.answer(request, REMOVE).await.map_err(|error| self.0.told(error))?;
        let said: Vec<Said> = serde_json::from_slice(&answer).unwrap_or_default();
        gone.untagged += said.iter().filter(|said| said.untagged.is_some()).count();
        gone.deleted += said.iter().filter(|said| said.deleted.is_some()).count();
        Ok(())
    }
}

impl Jobs<'_> {
    /// Removes just these images, each with the tags that it was shown with. What is gone already is as wished; what
    /// somebody uses stays, and says by whom.
    pub fn remove_images(&self, images: Vec<(ImageId, Vec<String>)>, command: String) -> Result<Job, Error> {
        self.0.reach.may_keep_images()?;
        let picture = self.0.picture();
        let part = |(id, tags): &(ImageId, Vec<String>)| Part {
            name: tags.first().cloned().unwrap_or_else(|| id.short().to_owned()),
            container: None,
            result: None,
        };
        let parts = images.iter().map(part).collect();
        let title = format!("Remove {} image{}", images.len(), if images.len() == 1 { "" } else { "s" });
        Ok(self.start("remove_images", title, command, parts, move |engine, job| async move {
            let work = images.into_iter().enumerate().map(|(place, (id, tags))| {
                let (engine, job) = (engine.clone(), job.clone());
                // What others have too is not freed with it.
                let size = picture.images.get(&id).map_or(0, |image| {
                    image.size.saturating_sub(picture.shared.bytes.get(id.as_str()).copied().unwrap_or_default())
                });
                async move {
                    let result = match engine.images().delete(&id, &tags, false).await {
                        Ok(gone) => {
                            job.freed(if gone.deleted > 0 { size } else { 0 });
                            Ok(gone.says().to_owned())
                        }
                        Err(Error::NotFound(_)) => Ok("was removed already".to_owned()),
                        Err(error) => Err(error),
                    };
                    job.part(place, result);
                }
            });
            stream::iter(work).buffer_unordered(AT_ONCE).collect::<()>().await;
            engine.live.read_back_images().await;
            Stage::of_parts(job.progress())
        }))
    }
}

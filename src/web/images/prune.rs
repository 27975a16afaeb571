//! Removing what nobody uses: the exact list before, that list acted on, and the result after.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::{http::StatusCode, response::Response};
use jiff::SignedDuration;

use super::{form::deed, json, view::Users};
use crate::{
    command::{echo, image},
    engine::{Image, ImageId, Picture},
    web::{
        Error,
        chrome::Chrome,
        error::sentence,
        extract::{Fields, Page, Query},
        html::{bytes, count, html},
    },
};

/// How long a prune is waited for before its page is shown instead.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);
/// Ages to choose from, as docker writes them, in hours and in words.
pub(super) const AGES: [(&str, i64, &str); 4] =
    [("any", 0, "any age"), ("24h", 24, "a day"), ("168h", 168, "a week"), ("720h", 720, "30 days")];

#[derive(Template)]
#[template(path = "images/prune.html")]
struct PrunePage {
    chrome: Chrome,
    all: bool,
    age: &'static str,
    ages: [(&'static str, i64, &'static str); 4],
    dangling: usize,
    unused: usize,
    goes: Vec<Row>,
    more: usize,
    stays: Vec<Row>,
    in_use: usize,
    frees: String,
    command: String,
    is_measured: bool,
}

/// An image of the list.
struct Row {
    name: String,
    id: ImageId,
    tags: Vec<String>,
    size: String,
    /// What the form sends: its id, and the tags that it was shown with.
    value: String,
}

impl Row {
    fn new(image: &Arc<Image>) -> Self {
        let words: Vec<&str> =
            std::iter::once(image.id.as_str()).chain(image.tags.iter().map(String::as_str)).collect();
        Self {
            name: image.name().to_owned(),
            id: image.id.clone(),
            tags: image.tags.clone(),
            size: bytes(image.size),
            value: words.join(" "),
        }
    }
}

/// The images that no container was made of, split into what would go and what would stay.
fn split<'a>(
    picture: &'a Picture,
    users: &Users<'a>,
    all: bool,
    hours: i64,
) -> (Vec<&'a Arc<Image>>, Vec<&'a Arc<Image>>) {
    let before = picture.now() - SignedDuration::from_hours(hours);
    let is_old = |image: &Image| hours == 0 || image.created.is_none_or(|created| created < before);
    let free = picture.images.values().filter(|image| !users.contains_key(&image.id));
    free.partition(|image| (all || image.is_dangling()) && is_old(image))
}

fn age(fields: &Fields) -> (&'static str, i64) {
    let said = fields.get("older").unwrap_or("any");
    AGES.into_iter().find(|(word, ..)| *word == said).map_or(("any", 0), |(word, hours, _)| (word, hours))
}

fn command(all: bool, age: &str) -> String {
    echo::image_prune(all, Some(age).filter(|age| *age != "any"))
}

/// `GET /images/prune`: exactly what would go.
pub async fn confirm(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (picture, all, (age, hours)) = (&page.picture, query.is_set("all"), age(&query));
    let users = picture.users_of_images();
    let (goes, stays) = split(picture, &users, all, hours);
    let items = |images: &[&Arc<Image>]| images.iter().map(|image| json::Item::new(image, picture)).collect();
    page.show(
        || json::Plan { command: command(all, age), goes: items(&goes), stays: items(&stays), used_by: Vec::new() },
        || {
            let shared = |image: &Image| picture.shared.bytes.get(image.id.as_str()).copied().unwrap_or_default();
            let frees: u64 = goes.iter().map(|image| image.size.saturating_sub(shared(image))).sum();
            let unused = || goes.iter().chain(&stays);
            html(&PrunePage {
                chrome: Chrome::new(&page, "Prune images"),
                all,
                age,
                ages: AGES,
                dangling: unused().filter(|image| image.is_dangling()).count(),
                unused: unused().count(),
                frees: bytes(frees),
                // As many as one form sends; what is more is there the next time.
                goes: goes.iter().take(MOST).map(|image| Row::new(image)).collect(),
                more: goes.len().saturating_sub(MOST),
                stays: stays.iter().take(100).map(|image| Row::new(image)).collect(),
                in_use: picture.images.len() - unused().count(),
                command: command(all, age),
                is_measured: picture.shared.measured.is_some(),
            })
        },
    )
}

/// How many go with one form.
const MOST: usize = 3_000;

/// `POST /images/prune`: removes the images of the list that was shown, `image` repeated, with the tags that they were shown
/// with, and no other.
pub async fn prune(page: Page, fields: Fields) -> Result<Response, Error> {
    let (all, (age, _)) = (fields.is_set("all"), age(&fields));
    let mut images = Vec::new();
    for said in fields.all("image") {
        let mut words = said.split(' ');
        let id = words.next().unwrap_or_default().parse::<ImageId>().map_err(|why| wrong(&why.to_string()))?;
        let tags: Vec<String> = words.map(str::to_owned).collect();
        tags.iter().try_for_each(|tag| image::check(tag)).map_err(|why| wrong(&why))?;
        images.push((id, tags));
    }
    if images.is_empty() && !fields.is_set("listed") {
        return Err(Error::blind("image", "/images/prune"));
    }
    let told = |(id, tags): &(ImageId, Vec<String>)| {
        let name = tags.first().map_or(id.short(), String::as_str);
        let names: Vec<&str> =
            if tags.is_empty() { vec![id.short()] } else { tags.iter().map(String::as_str).collect() };
        deed("remove", id.as_str(), name, &echo::rmi(&names, false))
    };
    let asked = page.asks_all(images.iter().map(told).collect()).await?;
    let job = page.engine.jobs().remove_images(images, command(all, age))?;
    asked.follow(job.clone());
    let _ = tokio::time::timeout(PATIENCE, job.ended()).await;
    tracing::info!(what = count(job.progress().parts.len(), "image"), "pruned");
    Ok(page.begun(&job))
}

fn wrong(why: &str) -> Error {
    let why = sentence(why);
    Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is not an image.", [("image", why)])
}

//! One image: its layers, what it declares, and who uses it.

use std::sync::Arc;

use crate::web::filters;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

use super::{json, list::keeps, view::has_newer};
use crate::{
    command::{echo, words},
    engine::{Container, Declared, Image, ImageDetail, ImageId},
    web::{
        Error,
        asker::Can,
        attachment::attachment,
        chrome::Chrome,
        containers::StateMark,
        error::Step,
        extract::{Id, Page},
        html::{bytes, html, span, tree},
    },
};

/// What an image declares, as rows of a list of facts: the image's own, whoever runs it.
#[derive(Template)]
#[template(path = "images/_declared.html")]
struct DeclaredFacts {
    rows: Vec<(&'static str, Vec<String>)>,
}

impl DeclaredFacts {
    /// In the words of a Dockerfile.
    fn new(d: &Declared) -> Self {
        let one = |text: &String| if text.is_empty() { Vec::new() } else { vec![text.clone()] };
        let line = |all: &[String]| if all.is_empty() { Vec::new() } else { vec![words::join(all.to_vec())] };
        let env = d.env.iter().map(|var| format!("{}={}", var.name, var.value)).collect();
        let every = |every| span(jiff::SignedDuration::try_from(every).unwrap_or_default());
        let check = d.healthcheck.iter().map(|check| match check.line() {
            none if none == "NONE" => none,
            line => format!("{line} (every {})", every(check.every())),
        });
        let rows = vec![
            ("ENTRYPOINT", line(&d.entrypoint)),
            ("CMD", line(&d.cmd)),
            ("ENV", env),
            ("EXPOSE", d.ports.clone()),
            ("VOLUME", d.volumes.clone()),
            ("USER", one(&d.user)),
            ("WORKDIR", one(&d.workdir)),
            ("HEALTHCHECK", check.collect()),
            ("STOPSIGNAL", one(&d.stop_signal)),
        ];
        Self { rows: rows.into_iter().filter(|(_, values)| !values.is_empty()).collect() }
    }
}

/// A label; where it leads, if it is an address of the web and nothing else.
struct Label<'a> {
    key: &'a str,
    value: &'a str,
    is_link: bool,
}

#[derive(Template)]
#[template(path = "images/detail.html")]
struct DetailPage<'a> {
    chrome: Chrome,
    i: &'a Image,
    d: &'a ImageDetail,
    declared: DeclaredFacts,
    labels: Vec<Label<'a>>,
    users: Vec<(&'a Arc<Container>, StateMark)>,
    shared: Option<String>,
    is_newer: bool,
    can: Can,
    keeps: bool,
    reads: bool,
    asks: bool,
    command: String,
    tree: String,
    may_reveal: bool,
    is_revealed: bool,
    now: Timestamp,
}

pub(super) fn gone(id: &ImageId) -> Error {
    Error::not_found(
        "There is no such image.",
        &format!("Nothing here is {}. It may have been removed, here or elsewhere.", id.short()),
    )
    .next(Step::link("All images", "/images"))
}

/// An image of this page's picture.
pub(super) fn find(page: &Page, id: &ImageId) -> Result<Arc<Image>, Error> {
    page.picture.images.get(id).cloned().ok_or_else(|| gone(id))
}

/// Whether it is an address of the web: whatever else a browser would follow is text.
fn is_link(value: &str) -> bool {
    (value.starts_with("https://") || value.starts_with("http://"))
        && url::Url::parse(value)
            .is_ok_and(|url| url.has_host() && url.username().is_empty() && url.password().is_none())
}

/// `GET /images/{id}`, with `?reveal=1` with its values.
pub async fn detail(Id(id): Id<ImageId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    let image = find(&page, &id)?;
    let detail = page.engine.images().get(&id).await?;
    let users = page.picture.users_of_images();
    let data = || json::ImageDetail {
        image: json::Image::new(&image, &users, &page.picture),
        platform: detail.platform.clone(),
        layers: detail.layers.iter().map(json::Layer::new).collect(),
        inspect: detail.raw.clone(),
    };
    page.show(data, || {
        let labels = image.labels.iter().map(|(key, value)| Label { key, value, is_link: is_link(value) });
        html(&DetailPage {
            chrome: Chrome::new(&page, image.name()),
            declared: DeclaredFacts::new(&detail.declared),
            labels: labels.collect(),
            users: users.get(&id).into_iter().flatten().map(|user| (*user, StateMark::of(user))).collect(),
            shared: page.picture.shared.bytes.get(id.as_str()).map(|shared| bytes(*shared)),
            is_newer: has_newer(&image, &page.picture),
            can: page.can(),
            keeps: keeps(&page),
            reads: page.may(crate::team::Right::Read),
            asks: !page.picture.is_podman(),
            command: echo::image_inspect(&[image.reference()]),
            tree: tree(&detail.raw),
            may_reveal: page.may_reveal(),
            is_revealed: page.is_revealed(),
            now: page.picture.now(),
            i: &image,
            d: &detail,
        })
    })
}

/// `GET /images/{id}/inspect.json`
pub async fn raw(Id(id): Id<ImageId>, page: Page) -> Result<Response, Error> {
    let page = page.revealed().await?;
    find(&page, &id)?;
    let detail = page.engine.images().get(&id).await?;
    let json = serde_json::to_string_pretty(&detail.raw).unwrap_or_default();
    Ok(attachment("application/json", &format!("image-{}.json", id.short()), None, json))
}

#[cfg(test)]
mod tests {
    use super::is_link;

    #[test]
    fn only_addresses_of_the_web_are_links() {
        assert!(is_link("https://example.test/a?b=c") && is_link("http://example.test"));
        for text in
            ["javascript:alert(1)", "data:text/html,x", "https:/x", "https://", "//x", "https://a@b.test/", "HTTPS "]
        {
            assert!(!is_link(text), "{text}");
        }
    }
}

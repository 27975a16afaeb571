//! `/engine/prune`: everything that nothing uses, listed exactly, and that list acted on.

use crate::web::filters;
use askama::Template;
use axum::{http::StatusCode, response::Response};
use jiff::Timestamp;

use super::json;
use crate::{
    command::echo,
    engine::{Goes, Label, Picture, Plan, Thing, Wish},
    web::{
        Error,
        chrome::Chrome,
        deed::Deed,
        extract::{Fields, Page, Query},
        html::{bytes, html},
        moment::moment,
    },
};

/// What is wrong with which field.
type Wrong = Vec<(&'static str, String)>;

/// What a form or an address asks for, and what is wrong with it.
fn read(fields: &Fields, now: Timestamp) -> (Wish, Wrong) {
    let mut wrong = Wrong::new();
    let until = fields.text("until").and_then(|text| match moment(text, now) {
        Ok(nanos) => Timestamp::from_nanosecond(i128::from(nanos)).ok(),
        Err(why) => {
            wrong.push(("until", why));
            None
        }
    });
    let mut labels = Vec::new();
    for text in labels_of(fields) {
        match text.parse::<Label>() {
            Ok(label) => labels.push(label),
            Err(why) => wrong.push(("label", why)),
        }
    }
    let wish = Wish { all: fields.is_set("all"), volumes: fields.is_set("volumes"), until, labels };
    if wish.volumes && fields.text("until").is_some() {
        wrong.push((
            "volumes",
            "Not together with an age: the engine has none for that. Leave one of the two out.".to_owned(),
        ));
    }
    (wish, wrong)
}

/// Labels, a line each or a field each.
fn labels_of(fields: &Fields) -> impl Iterator<Item = &str> {
    fields.all("label").flat_map(str::lines).map(str::trim).filter(|text| !text.is_empty())
}

fn command(fields: &Fields) -> String {
    let labels: Vec<(&str, String)> = labels_of(fields)
        .map(|text| {
            text.split_once("!=")
                .map_or(("label", text.to_owned()), |(name, value)| ("label!", format!("{name}={value}")))
        })
        .collect();
    let filters: Vec<(&str, &str)> = fields
        .text("until")
        .map(|until| ("until", until))
        .into_iter()
        .chain(labels.iter().map(|(kind, text)| (*kind, text.as_str())))
        .collect();
    echo::system_prune(fields.is_set("all"), fields.is_set("volumes"), &filters)
}

/// Things of one kind that would go.
struct Kind<'a> {
    title: &'static str,
    about: &'static str,
    goes: Vec<&'a Goes>,
    frees: u64,
}

/// The kinds, in the order in which they go.
const KINDS: [(&str, &str, &str); 5] = [
    (
        "container",
        "Stopped containers",
        "What they wrote beside their image goes with them, and their logs; their volumes stay.",
    ),
    ("network", "Unused networks", "No container is on them, running or stopped."),
    ("volume", "Anonymous volumes", "What is in them is gone for good."),
    ("image", "Images", "They can be pulled or built again, if what they came from is still there."),
    ("cache", "Build cache", "The next build of the same takes longer."),
];

impl<'a> Kind<'a> {
    fn all(plan: &'a Plan) -> Vec<Self> {
        let kind = |(word, title, about): (&str, &'static str, &'static str)| {
            let goes: Vec<&Goes> = plan.goes.iter().filter(|goes| goes.thing.kind() == word).collect();
            Self { title, about, frees: goes.iter().filter_map(|goes| goes.frees).sum(), goes }
        };
        KINDS.into_iter().map(kind).filter(|kind| !kind.goes.is_empty()).collect()
    }
}

#[derive(Template)]
#[template(path = "system/prune.html")]
struct PrunePage<'a> {
    chrome: Chrome,
    fields: &'a Fields,
    wish: &'a Wish,
    wrong: &'a Wrong,
    plan: &'a Plan,
    kinds: Vec<Kind<'a>>,
    command: String,
    labels: String,
    is_measured: bool,
    is_measuring: bool,
    limits: &'a [String],
}

impl PrunePage<'_> {
    fn error_of(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }

    fn frees(&self) -> String {
        bytes(self.plan.frees())
    }
}

fn draw(
    page: &Page,
    fields: &Fields,
    wish: &Wish,
    wrong: &Wrong,
    plan: &Plan,
) -> Result<axum::response::Html<String>, Error> {
    html(&PrunePage {
        chrome: Chrome::new(page, "Prune"),
        kinds: Kind::all(plan),
        command: command(fields),
        labels: labels_of(fields).collect::<Vec<_>>().join("\n"),
        is_measured: page.picture.disk.measured.is_some(),
        is_measuring: page.picture.disk.running.is_some(),
        limits: &page.asker.who.scope,
        fields,
        wish,
        wrong,
        plan,
    })
}

/// `GET /engine/prune`: exactly what would go.
pub async fn confirm(page: Page, Query(query): Query) -> Result<Response, Error> {
    let (wish, wrong) = read(&query, page.picture.now());
    if !wrong.is_empty() {
        let nothing = Plan::default();
        return page.wrong(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be asked for.", wrong.clone(), || {
            draw(&page, &query, &wish, &wrong, &nothing)
        });
    }
    let plan = page.engine.prune_plan(&wish).await?;
    page.show(|| json::Plan::new(command(&query), &plan), || draw(&page, &query, &wish, &wrong, &plan))
}

/// `POST /engine/prune`: removes what was listed, `thing` repeated, and nothing else.
pub async fn prune(page: Page, fields: Fields) -> Result<Response, Error> {
    let (wish, mut wrong) = read(&fields, page.picture.now());
    let mut listed = Vec::new();
    for text in fields.all("thing") {
        match text.parse::<Thing>() {
            Ok(thing) => listed.push(thing),
            Err(why) => wrong.push(("thing", why)),
        }
    }
    if !wrong.is_empty() {
        return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was removed.", wrong));
    }
    if listed.is_empty() && !fields.is_set("listed") {
        return Err(Error::blind("thing", "/engine/prune"));
    }
    let known = if listed.is_empty() { Vec::new() } else { page.engine.prune_plan(&wish).await?.goes };
    let goes = chosen(listed, known, &page.picture);
    let deed = |goes: &Goes| {
        let (kind, id) = (goes.thing.kind(), goes.thing.id());
        Deed::new(format!("{kind}.remove"), kind, id, goes.name.clone(), &one(goes))
    };
    let asked = page.asks_all(goes.iter().map(deed).collect()).await?;
    let job = page.engine.jobs().prune(goes, command(&fields))?;
    asked.follow(job.clone());
    Ok(page.begun(&job))
}

/// What was listed, in its order, with what is known of it now: what is not unused any more is tried all the same, so
/// that the result says why it stayed.
fn chosen(listed: Vec<Thing>, known: Vec<Goes>, picture: &Picture) -> Vec<Goes> {
    let mut known: std::collections::BTreeMap<String, Goes> =
        known.into_iter().map(|goes| (goes.thing.to_string(), goes)).collect();
    let goes = |thing: Thing| {
        known.remove(&thing.to_string()).unwrap_or_else(|| {
            let name = match &thing {
                Thing::Image { name: Some(name), .. } => Some(name.clone()),
                Thing::Container(id) => picture.containers.get(id).map(|container| container.name.clone()),
                _ => None,
            };
            let short = || thing.id().trim_start_matches("sha256:").chars().take(12).collect();
            let name = name.unwrap_or_else(short);
            Goes { thing, name, about: String::new(), frees: None }
        })
    };
    listed.into_iter().map(goes).collect()
}

/// The docker command that removes just this.
fn one(goes: &Goes) -> String {
    match &goes.thing {
        Thing::Container(_) => echo::rm(&[&goes.name], false, false, false),
        Thing::Network(_) => echo::network_rm(&[&goes.name]),
        Thing::Volume(name) => echo::volume_rm(&[name.as_str()], false),
        Thing::Image { id, name } => echo::rmi(&[name.as_deref().unwrap_or(id)], false),
        Thing::Cache(id) => echo::builder_prune(&[("id", id)]),
    }
}

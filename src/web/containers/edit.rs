//! Changing a container: the form of `docker run`, filled in from what it is; then what would be otherwise; then, as a job,
//! the container made anew in place of itself. What the engine can change in place, it changes in place.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    create::{is_seeking, prepared, sketch},
    docs,
    draft::{Checked, Draft},
    fill::fill,
    form::{Button, Form, Purpose, form},
    frame::find,
    remarks::{InTheWay, Remark, Stops, in_the_way},
    update::is_in_place,
};
use crate::{
    command::{RunLine, Verb, Written, echo, flags},
    engine::{Container, ContainerId, Error as EngineError, Recipe, Replacement, not_anew, spec::Spec},
    team::Right,
    web::{
        Error, Routes,
        answer::Begun,
        chrome::Chrome,
        deed::{Came, Deed},
        doc::{Doc, Field},
        error::sentence,
        extract::{Fields, Id, Page},
        filters,
        html::html,
    },
};

/// How long a new container is watched where nobody says otherwise, in seconds, and at most.
const WATCH: (u64, u64) = (10, 3_600);

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/containers/{id}/edit", Right::Create, page)
        .doc(docs::edit())
        .post("/containers/{id}/edit", Right::Create, plan)
        .doc(doc_plan())
        .post("/containers/{id}/edit/draft", Right::Create, draft)
        .doc(docs::draft().place(docs::id()))
        .post("/containers/{id}/replace", Right::Create, replace)
        .doc(doc_replace())
        .get("/containers/{id}/renew", Right::Create, ask_renew)
        .doc(doc_ask_renew())
        .post("/containers/{id}/renew", Right::Create, renew)
        .doc(doc_renew())
}

/// What is otherwise for one flag.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContainerDifference)]
struct Difference {
    /// The flag's long name; `image` and `command` for those.
    flag: String,
    /// What it says now and would not any more.
    before: Vec<String>,
    /// What it would say.
    after: Vec<String>,
}

impl Difference {
    /// What differs between two lines; the order of flags says nothing.
    fn all(before: &RunLine, after: &RunLine) -> Vec<Self> {
        let each = |line: &RunLine| -> BTreeMap<String, Vec<String>> {
            let mut each: BTreeMap<String, Vec<String>> = BTreeMap::new();
            each.entry("image".to_owned()).or_default().push(line.image.clone());
            if !line.args.is_empty() {
                each.insert("command".to_owned(), vec![crate::command::words::join(&line.args)]);
            }
            for (flag, value) in &line.options {
                each.entry(flag.clone()).or_default().push(value.clone());
            }
            each
        };
        let (before, after) = (each(before), each(after));
        let flags = before.keys().chain(after.keys().filter(|flag| !before.contains_key(*flag)));
        let none = Vec::new();
        let less = |some: &[String], others: &[String]| -> Vec<String> {
            some.iter().filter(|value| !others.contains(value)).cloned().collect()
        };
        flags
            .map(|flag| {
                let (was, is) = (before.get(flag).unwrap_or(&none), after.get(flag).unwrap_or(&none));
                Self { flag: flag.clone(), before: less(was, is), after: less(is, was) }
            })
            .filter(|difference| !difference.before.is_empty() || !difference.after.is_empty())
            .collect()
    }

    /// How the flag stands on the command line.
    fn shown(&self) -> String {
        match self.flag.as_str() {
            "image" => "IMAGE".to_owned(),
            "command" => "COMMAND".to_owned(),
            flag => format!("--{flag}"),
        }
    }
}

/// How the engine does without making the container anew: that goes on running.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerEditInPlace)]
struct InPlace {
    /// The docker command that does it.
    command: String,
    /// Where a form of these fields does it.
    #[serde(skip)]
    path: String,
    #[serde(skip)]
    fields: Vec<(&'static str, String)>,
}

impl InPlace {
    /// For these differences: another name alone, or limits that `docker update` takes.
    fn of(c: &Container, differences: &[Difference], spec: &Spec) -> Option<Self> {
        let to = |difference: &Difference| difference.after.first().cloned();
        if let [it] = differences
            && it.flag == "name"
        {
            let name = to(it)?;
            let (command, path) = (echo::rename(&c.name, &name), format!("/containers/{}/rename", c.id));
            return Some(Self { command, path, fields: vec![("name", name)] });
        }
        let limit = |it: &Difference| {
            let flag = flags::by_long(&it.flag)?;
            let value = to(it);
            // What docker calls nothing: an empty value would leave it as it is.
            let nothing = match flag.long {
                "restart" => "no",
                "pids-limit" => "-1",
                _ => "",
            };
            is_in_place(flag.long, value.as_deref()).then(|| (flag.long, value.unwrap_or_else(|| nothing.to_owned())))
        };
        let fields = differences.iter().map(limit).collect::<Option<Vec<_>>>();
        let mut fields = fields.filter(|fields| !fields.is_empty())?;
        let has = |flag: &str| fields.iter().any(|(long, _)| *long == flag);
        let host = &spec.host_config;
        if has("memory") && !has("memory-swap") && host.memory > 0 && host.memory_swap == 0 {
            // What the engine takes when it creates, and not when it updates. Source: moby, `adaptContainerSettings`.
            fields.push(("memory-swap", crate::command::size(host.memory.saturating_mul(2))));
        }
        let flags: Vec<_> = fields.iter().map(|(flag, value)| (*flag, value.as_str())).collect();
        let (command, path) = (echo::update(&flags, &c.name), format!("/containers/{}/update", c.id));
        Some(Self { command, path, fields })
    }
}

/// What would be changed, and how.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerEdit)]
struct Plan {
    /// What is otherwise.
    differences: Vec<Difference>,
    /// What the engine can do without making it anew; nothing if it cannot.
    in_place: Option<InPlace>,
    /// The line that the container would be made anew with.
    command: String,
    /// What to know before.
    remarks: Vec<String>,
    /// Why it cannot be made anew; nothing if it can.
    refused: Option<String>,
    /// Who has its network, and has none until it is made anew too.
    followers: Vec<Follower>,
}

/// A container that has the network of another (`--network container:…`).
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerFollower)]
struct Follower {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
}

/// Those of a container.
fn followers(page: &Page, c: &Container) -> Vec<Follower> {
    let all = page.picture.sharers_of(c);
    all.map(|other| Follower { id: other.id.to_string(), name: other.name.clone() }).collect()
}

#[derive(Template)]
#[template(path = "containers/edit.html")]
struct PlanPage<'a> {
    chrome: Chrome,
    c: &'a Container,
    plan: &'a Plan,
    fields: Vec<(&'a str, &'a str)>,
    watch: String,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "containers/renew.html")]
struct RenewPage<'a> {
    chrome: Chrome,
    c: &'a Container,
    image: &'a str,
    /// Why there can be no newer one.
    fixed: Option<&'static str>,
    remarks: Vec<String>,
    followers: Vec<Follower>,
    watch: String,
    wrong: Option<&'a str>,
}

fn purpose(c: &Container) -> Purpose {
    Purpose {
        heading: format!("Edit {}", c.name),
        above: vec![
            ("Containers".to_owned(), "/containers".to_owned()),
            (c.name.clone(), format!("/containers/{}", c.id)),
        ],
        action: format!("/containers/{}/edit", c.id),
        draft: format!("/containers/{}/edit/draft", c.id),
        failed: "Nothing was changed",
        buttons: vec![Button { label: "Show what changes", sends: ("show", "1"), title: "Nothing is done yet" }],
        help: "Next, you see what would be otherwise, and how. Nothing is done before you say so. A value that reads ‹hidden› stays what it is.",
        of: Some(c.id.clone()),
        pastes: false,
    }
}

async fn drawn(
    page: &Page,
    c: &Container,
    fields: &Fields,
    checked: &Checked,
    wrong: Option<Vec<(String, Remark)>>,
) -> Result<Html<String>, Error> {
    form(page, &Form { purpose: purpose(c), wrong, ..Form::new(page, fields, checked).await })
}

/// `GET /containers/{id}/edit`
async fn page(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let c = find(&page, &id)?;
    let recipe = page.engine.containers().recipe(&id).await?;
    let fields = fill(&Written::of(&recipe.spec).line);
    let checked = Draft::read(&fields).check();
    let html = if page.wants_json { Html(String::new()) } else { drawn(&page, &c, &fields, &checked, None).await? };
    page.show(|| sketch(&page, &checked, Some(&c.id)), || Ok(html))
}

/// `POST /containers/{id}/edit/draft`: the form as it stands. Changes nothing.
async fn draft(Id(id): Id<ContainerId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let c = find(&page, &id)?;
    let tells = !page.is_htmx && fields.get("then").is_none();
    let fields = prepared(fields);
    let checked = Draft::read(&fields).check();
    let html = drawn(&page, &c, &fields, &checked, tells.then(Vec::new)).await?;
    page.show(|| sketch(&page, &checked, Some(&c.id)), || Ok(html))
}

/// What would come of the form, or the form again with what is wrong.
async fn planned(page: &Page, c: &Container, fields: &Fields) -> Result<Result<(Plan, Recipe, Spec), Response>, Error> {
    let checked = Draft::read(fields).check();
    let found = in_the_way(page, &checked, Some(&c.id)).into_iter();
    let stops = |found: &InTheWay| found.stops == Stops::Creating || c.state.is_up() && found.stops == Stops::Starting;
    let found: Vec<_> = found.filter(stops).map(InTheWay::refused).collect();
    let (Ok(spec), true) = (&checked.spec, found.is_empty()) else {
        let status = if found.is_empty() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
        let errors = checked.errors();
        let html = drawn(page, c, fields, &checked, Some(found)).await?;
        return Ok(Err(page.wrong(status, "Nothing was changed.", errors, || Ok(html))?));
    };
    let recipe = page.engine.containers().recipe(&c.id).await?;
    let mut spec = spec.clone();
    // Without one the engine would give it any: it is this container still.
    spec.name.get_or_insert_with(|| c.name.clone());
    let (before, after) = (Written::of(&recipe.spec).line, Written::of(&spec).line);
    let differences = Difference::all(&before, &after);
    let plan = Plan {
        in_place: InPlace::of(c, &differences, &spec),
        command: after.to_command_multiline(if c.state.is_up() { Verb::Run } else { Verb::Create }),
        remarks: remarks(&recipe),
        refused: not_anew(recipe.spec.host_config.auto_remove, &c.state).map(sentence),
        followers: followers(page, c),
        differences,
    };
    Ok(Ok((plan, recipe, spec)))
}

/// What to know before a container is made anew.
fn remarks(recipe: &Recipe) -> Vec<String> {
    let mut remarks = Vec::new();
    if !recipe.anonymous.is_empty() {
        remarks.push("Its volumes without a name stay with it.".to_owned());
    }
    if !recipe.is_whole {
        remarks.push(
            "Its image is not here any more: what that said cannot be told apart, and stays as it is.".to_owned(),
        );
    }
    remarks.push("What it has written outside of its volumes goes with the old container.".to_owned());
    remarks
}

fn plan_page(
    page: &Page,
    c: &Container,
    fields: &Fields,
    plan: &Plan,
    wrong: Option<&str>,
) -> Result<Html<String>, Error> {
    html(&PlanPage {
        chrome: Chrome::new(page, format!("Edit {}", c.name)),
        plan,
        fields: fields
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !matches!(*name, "watch" | "pull" | "follow" | "show" | "then"))
            .collect(),
        watch: fields.get("watch").map_or_else(|| WATCH.0.to_string(), str::to_owned),
        wrong,
        c,
    })
}

/// `POST /containers/{id}/edit`: what would be otherwise. Changes nothing.
async fn plan(Id(id): Id<ContainerId>, page: Page, fields: Fields) -> Result<Response, Error> {
    if is_seeking(&fields) {
        return draft(Id(id), page, fields).await;
    }
    let c = find(&page, &id)?;
    let plan = match planned(&page, &c, &fields).await? {
        Ok((plan, ..)) => plan,
        Err(response) => return Ok(response),
    };
    let html = plan_page(&page, &c, &fields, &plan, None)?;
    page.show(|| plan, || Ok(html))
}

/// The seconds that a new container is watched.
fn watch(fields: &Fields) -> Result<Duration, String> {
    match fields.text("watch") {
        None => Ok(Duration::from_secs(WATCH.0)),
        Some(text) => match text.parse::<u64>() {
            Ok(seconds) if seconds <= WATCH.1 => Ok(Duration::from_secs(seconds)),
            _ => Err(format!("“{text}” is no time to watch it: whole seconds from 0 to {}.", WATCH.1)),
        },
    }
}

/// `POST /containers/{id}/replace`: makes it anew, as a job.
async fn replace(Id(id): Id<ContainerId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let c = find(&page, &id)?;
    let (plan, recipe, mut spec) = match planned(&page, &c, &fields).await? {
        Ok(planned) => planned,
        Err(response) => return Ok(response),
    };
    let watch = match watch(&fields) {
        Ok(watch) => watch,
        Err(why) => {
            let html = plan_page(&page, &c, &fields, &plan, Some(&why))?;
            let errors = HashMap::from([("watch".to_owned(), why.clone())]);
            return page.wrong(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was changed.", errors, || Ok(html));
        }
    };
    page.engine.containers().unmask(&id, &mut spec).await?;
    recipe.keep_volumes(&mut spec);
    let followers = following(&page, &c, &fields, watch).await?;
    let wanted = Replacement { old: id, spec, pull: fields.is_set("pull"), only_newer: false, watch, followers };
    begin(&page, &c, "container.replace", wanted).await
}

/// Those that are to be made anew with it, as they are.
async fn following(page: &Page, c: &Container, fields: &Fields, watch: Duration) -> Result<Vec<Replacement>, Error> {
    let mut following = Vec::new();
    for follower in followers(page, c).into_iter().filter(|it| fields.all("follow").any(|id| id == it.id)) {
        let Ok(old) = follower.id.parse::<ContainerId>() else { continue };
        let recipe = page.engine.containers().recipe(&old).await?;
        let mut spec = recipe.spec.clone();
        page.engine.containers().unmask(&old, &mut spec).await?;
        recipe.keep_volumes(&mut spec);
        following.push(Replacement { old, spec, pull: false, only_newer: false, watch, followers: Vec::new() });
    }
    Ok(following)
}

/// Begins the job, as a deed.
async fn begin(page: &Page, c: &Arc<Container>, deed: &'static str, wanted: Replacement) -> Result<Response, Error> {
    let line = Written::of(&wanted.spec).line;
    let verb = if c.state.is_up() { Verb::Run } else { Verb::Create };
    let command = line.without_values().to_command(verb);
    // As it could be typed: the old one is kept until the new one runs.
    let kept = format!("{}.old-{}", c.name, c.id.short());
    let around = |run: String| {
        let stop = c.state.is_up().then(|| echo::stop(&[&kept], None));
        let steps =
            [Some(echo::rename(&c.name, &kept)), stop, Some(run), Some(echo::rm(&[&kept], false, false, false))];
        steps.into_iter().flatten().collect::<Vec<_>>().join(" && ")
    };
    let deed = Deed {
        public: Some(around(line.outline().to_command(verb))),
        ..Deed::new(deed, "container", c.id.as_str(), c.name.clone(), &around(command))
    };
    let asked = page.asks(deed).await?;
    match page.engine.jobs().replace(wanted, line.to_outline(verb)).await {
        Ok(job) => {
            asked.follow(job.clone());
            Ok(page.begun(&job))
        }
        Err(error) => {
            asked.ended(Came::to_nothing(&error)).await;
            let told = matches!(error, EngineError::Conflict(_)).then(|| error.to_string());
            let answer = Error::from(error).what(format!("{} was not made anew.", c.name));
            Err(match told {
                Some(why) => answer.why(why),
                None => answer,
            })
        }
    }
}

/// Why an image cannot have become newer under its name.
fn fixed(image: &str) -> Option<&'static str> {
    if image.contains('@') {
        Some("It is pinned to one image by its digest: there can be no newer one. Edit it to say another.")
    } else if image.starts_with("sha256:") || image.bytes().all(|byte| byte.is_ascii_hexdigit()) && image.len() >= 12 {
        Some("It was made of an image by its id, not by a name: there can be no newer one. Edit it to say a name.")
    } else {
        None
    }
}

fn renew_page(
    page: &Page,
    c: &Container,
    recipe: &Recipe,
    fields: &Fields,
    wrong: Option<&str>,
) -> Result<Html<String>, Error> {
    html(&RenewPage {
        chrome: Chrome::new(page, format!("Update the image of {}", c.name)),
        image: &recipe.spec.image,
        fixed: fixed(&recipe.spec.image),
        remarks: remarks(recipe),
        followers: followers(page, c),
        watch: fields.get("watch").map_or_else(|| WATCH.0.to_string(), str::to_owned),
        wrong,
        c,
    })
}

/// What an update of the image would do.
#[derive(Serialize, ToSchema)]
#[schema(as = ContainerRenewal)]
struct Renewal {
    /// The image that is pulled.
    image: String,
    /// Why there can be no newer one.
    fixed: Option<&'static str>,
    /// What to know before.
    remarks: Vec<String>,
    /// Who has its network, and has none until it is made anew too.
    followers: Vec<Follower>,
}

/// `GET /containers/{id}/renew`: asks whether to make it anew of the newest image.
async fn ask_renew(Id(id): Id<ContainerId>, page: Page) -> Result<Response, Error> {
    let c = find(&page, &id)?;
    let recipe = page.engine.containers().recipe(&id).await?;
    let data = || Renewal {
        image: recipe.spec.image.clone(),
        fixed: fixed(&recipe.spec.image),
        remarks: remarks(&recipe),
        followers: followers(&page, &c),
    };
    page.show(data, || renew_page(&page, &c, &recipe, &Fields::default(), None))
}

/// `POST /containers/{id}/renew`
async fn renew(Id(id): Id<ContainerId>, page: Page, fields: Fields) -> Result<Response, Error> {
    let c = find(&page, &id)?;
    let recipe = page.engine.containers().recipe(&id).await?;
    if let Some(why) = fixed(&recipe.spec.image) {
        return Err(Error::from(EngineError::Conflict(why.to_owned()))
            .what(format!("{} was not made anew.", c.name))
            .why(why));
    }
    let watch = match watch(&fields) {
        Ok(watch) => watch,
        Err(why) => {
            let html = renew_page(&page, &c, &recipe, &fields, Some(&why))?;
            let errors = HashMap::from([("watch".to_owned(), why.clone())]);
            return page.wrong(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was changed.", errors, || Ok(html));
        }
    };
    let mut spec = recipe.spec.clone();
    page.engine.containers().unmask(&id, &mut spec).await?;
    recipe.keep_volumes(&mut spec);
    let followers = following(&page, &c, &fields, watch).await?;
    let wanted = Replacement { old: id, spec, pull: true, only_newer: !fields.is_set("anyway"), watch, followers };
    begin(&page, &c, "container.renew", wanted).await
}

fn watch_field() -> Field {
    Field::number(
        "watch",
        "Seconds that the new one has to stay up, where no health check says that it is well; 10, if nothing is said.",
        0,
        3_600,
    )
}

fn follow_field() -> Field {
    Field::list_like("follow", "Ids of containers that have its network, and are made anew after it.", "^[0-9a-f]{64}$")
}

fn doc_plan() -> Doc {
    Doc::new("Say what an edit of a container would change")
        .about("The fields are those of a new container. Nothing is done.")
        .place(docs::id())
        .body(docs::new().into_iter().map(Field::loose))
        .gives::<Plan>(200, "What would be otherwise, and how.")
}

fn doc_replace() -> Doc {
    Doc::new("Make a container anew, otherwise")
        .about("As a job: the old one is kept until the new one has shown that it runs, and comes back if it does not. Volumes stay, those without a name too; a value that reads ‹hidden› stays as it is.")
        .place(docs::id())
        .body([Field::switch("pull", "Pulls the image first, even if there is one."), watch_field(), follow_field()].into_iter().chain(docs::new().into_iter().map(Field::loose)))
        .gives::<Begun>(202, "It goes on as a job.")
}

fn doc_ask_renew() -> Doc {
    Doc::new("Say what an update of a container's image would do")
        .place(docs::id())
        .gives::<Renewal>(200, "What would be done.")
}

fn doc_renew() -> Doc {
    Doc::new("Make a container anew of the newest image")
        .about("Pulls the image under the name that the container was made with. If it is the one that it has, nothing is done.")
        .place(docs::id())
        .body([watch_field(), follow_field(), Field::switch("anyway", "Makes it anew even if there is no newer image.")])
        .gives::<Begun>(202, "It goes on as a job.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_by_flag() {
        let line = |text: &str| RunLine::parse(text).expect("a line").1;
        let before = line("docker run -e A=1 -e B=2 -p 80:80 -m 64m web:1 sh -c ls");
        let after = line("docker run -p 80:80 -e B=2 -e A=3 -e C=4 --memory 128m web:2");
        let told = Difference::all(&before, &after);
        let flags: Vec<&str> = told.iter().map(|difference| difference.flag.as_str()).collect();
        assert_eq!(flags, ["command", "env", "image", "memory"]);
        assert_eq!(
            (told[1].before.as_slice(), told[1].after.as_slice()),
            (["A=1".to_owned()].as_slice(), ["A=3".to_owned(), "C=4".to_owned()].as_slice())
        );
        assert!(Difference::all(&before, &before).is_empty());
    }

    #[test]
    fn an_image_without_a_name_has_no_newer_one() {
        assert!(
            fixed("nginx@sha256:00").is_some()
                && fixed("sha256:64c77da8a239").is_some()
                && fixed("64c77da8a239").is_some()
        );
        assert!(fixed("nginx").is_none() && fixed("registry:5000/a/b:1").is_none() && fixed("deadbeef").is_none());
    }
}

//! What is asked of logs, out of a query; everything is checked before the engine hears of it (S063).

use axum::http::StatusCode;
use jiff::Timestamp;

use crate::{
    engine::{ContainerId, Cursor, Filter, InvalidSearch, Level, Matcher, Out, Picture, Place, Search},
    web::{
        Error,
        extract::{Fields, Page},
        moment::moment,
    },
};

/// The label by which compose says which project a container belongs to.
const STACK: &str = "com.docker.compose.project";
/// The most containers in one view.
const TOGETHER: usize = 64;
/// Lines of a page and of a window.
const LINES: usize = 200;
/// The most lines of a window.
const MOST_LINES: usize = 2_000;
/// The most lines around what is found.
const CONTEXT: usize = 20;
/// How many hits a search stops at, and at the most.
const HITS: usize = 10_000;

/// A container whose log is shown.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// Whether it has a terminal.
    pub is_terminal: bool,
    /// When its container was removed; none for one that is there.
    pub removed: Option<Timestamp>,
}

/// A search.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What has to be in a line: words, or one regular expression.
    pub parts: Vec<String>,
    /// Whether it is a regular expression.
    pub is_regex: bool,
    /// Whether large letters are others than small ones.
    pub has_case: bool,
    /// Whether lines without it are asked for.
    pub is_not: bool,
    /// What finds it.
    pub matcher: Matcher,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose logs.
    pub sources: Vec<Source>,
    /// The stack that they are.
    pub stack: Option<String>,
    /// Which lines.
    pub filter: Filter,
    /// Where.
    pub place: Place,
    /// How many lines.
    pub count: usize,
    /// What is searched for.
    pub wanted: Option<Wanted>,
    /// How many lines around what is found.
    pub context: usize,
    /// How many hits at most.
    pub most: usize,
}

/// What is wrong, by field.
struct Wrong(Vec<(&'static str, String)>);

impl Wrong {
    fn take<T>(&mut self, field: &'static str, value: Result<T, String>) -> Option<T> {
        value.map_err(|why| self.0.push((field, why))).ok()
    }
}

impl Asked {
    /// Of one container, whose page this is.
    pub async fn of_one(page: &Page, id: &ContainerId, fields: &Fields) -> Result<Self, Error> {
        Self::of(page, vec![id.clone()], None, fields).await
    }

    /// Of the containers that the query names, or those of a stack.
    pub async fn of_query(page: &Page, fields: &Fields) -> Result<Self, Error> {
        let stack = fields.text("stack").map(str::to_owned);
        let mut ids = Vec::new();
        // What is ticked in a list comes as `id`.
        for text in fields.all("c").chain(fields.all("id")) {
            let id: ContainerId = text.parse().map_err(|_| {
                let why = "A container’s full id is expected: 64 hex digits.";
                Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be shown.", [("c", why)])
            })?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if let (true, Some(stack)) = (ids.is_empty(), &stack) {
            ids = of_stack(&page.picture, stack);
        }
        if ids.is_empty() {
            let why = stack.as_ref().map_or_else(
                || "Say which: c=ID, once for each container, or stack=NAME.".to_owned(),
                |stack| format!("No container of a stack “{stack}” is there."),
            );
            return Err(Error::not_found("There is no log to show.", &why));
        }
        if ids.len() > TOGETHER {
            let why = format!("{} containers were asked for; {TOGETHER} are shown together at most.", ids.len());
            return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That is too much at once.", [("c", why)]));
        }
        Self::of(page, ids, stack, fields).await
    }

    async fn of(page: &Page, ids: Vec<ContainerId>, stack: Option<String>, fields: &Fields) -> Result<Self, Error> {
        let mut wrong = Wrong(Vec::new());
        let now = page.picture.now();
        let filter = Filter {
            out: fields.text("out").and_then(|word| wrong.take("out", out(word))).flatten(),
            levels: levels(fields, &mut wrong),
            since: fields.text("since").and_then(|text| wrong.take("since", moment(text, now))),
            until: fields.text("until").and_then(|text| wrong.take("until", moment(text, now))),
            matcher: None,
            context: 0,
        };
        let place = place(fields, now, &mut wrong);
        let count = number(fields, "n", LINES, 1, MOST_LINES, &mut wrong);
        let context = number(fields, "context", 0, 0, CONTEXT, &mut wrong);
        let most = number(fields, "max", HITS, 1, HITS, &mut wrong);
        let wanted = fields.get("q").filter(|text| !text.trim().is_empty()).map(|text| Wanted::new(text, fields));
        let wanted = wanted.and_then(|wanted| wrong.take("q", wanted.map_err(|error| sentence(&error))));
        if !wrong.0.is_empty() {
            return Err(Error::of_fields(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be asked of a log.", wrong.0));
        }
        let mut sources = Vec::new();
        for id in ids {
            sources.push(source(page, id).await?);
        }
        Ok(Self { sources, stack, filter, place, count, wanted, context, most })
    }

    /// Their ids.
    pub fn ids(&self) -> Vec<ContainerId> {
        self.sources.iter().map(|source| source.id.clone()).collect()
    }

    /// Whose logs, as a query says it.
    pub fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        match &self.stack {
            Some(stack) => query.append_pair("stack", stack),
            None => query.extend_pairs(self.sources.iter().map(|source| ("c", source.id.as_str()))),
        };
        query.finish()
    }
}

impl Wanted {
    /// What a form says.
    pub fn new(text: &str, fields: &Fields) -> Result<Self, InvalidSearch> {
        let [is_regex, has_case, is_not] = ["regex", "case", "not"].map(|name| fields.is_set(name));
        let search = Search { text, is_regex, has_case, is_not };
        let matcher = Matcher::new(search)?;
        Ok(Self { parts: search.parts(), is_regex, has_case, is_not, matcher })
    }
}

/// The containers of a stack, by their names.
pub fn of_stack(picture: &Picture, stack: &str) -> Vec<ContainerId> {
    let of_it = picture.containers.values().filter(|found| found.labels.get(STACK).is_some_and(|name| name == stack));
    let mut of_it: Vec<_> = of_it.map(|found| (found.name.clone(), found.id.clone())).collect();
    of_it.sort();
    of_it.into_iter().map(|(_, id)| id).collect()
}

async fn source(page: &Page, id: ContainerId) -> Result<Source, Error> {
    let Some(container) = page.picture.containers.get(&id) else {
        if let Some(kept) = page.engine.logs().kept_of(&id) {
            return Ok(Source { id, name: kept.name, is_terminal: kept.is_terminal, removed: kept.removed });
        }
        return Err(crate::engine::Error::NotFound(format!("No such container: {id}")).into());
    };
    let name = container.name.clone();
    let is_terminal = page.engine.containers().get(&id).await?.tty;
    Ok(Source { id, name, is_terminal, removed: None })
}

pub fn sentence(error: &InvalidSearch) -> String {
    match error {
        InvalidSearch::Wrong { why, at: Some(at) } => {
            format!("This is no regular expression, from its character {} on: {why}.", at + 1)
        }
        other => crate::web::error::sentence(&other.to_string()),
    }
}

fn out(word: &str) -> Result<Option<Out>, String> {
    match word {
        "stdout" => Ok(Some(Out::Stdout)),
        "stderr" => Ok(Some(Out::Stderr)),
        "all" | "both" => Ok(None),
        _ => Err("stdout or stderr is expected.".to_owned()),
    }
}

fn levels(fields: &Fields, wrong: &mut Wrong) -> Vec<Level> {
    let words = fields.all("level").flat_map(|level| level.split(',')).map(str::trim).filter(|word| !word.is_empty());
    let mut levels = Vec::new();
    for word in words.take(20) {
        let level = Level::parse(word).ok_or_else(|| "error, warn, info, debug or trace is expected.".to_owned());
        levels.extend(wrong.take("level", level));
    }
    levels
}

fn place(fields: &Fields, now: Timestamp, wrong: &mut Wrong) -> Place {
    let mut cursor = |name: &'static str| {
        let text = fields.text(name)?;
        wrong.take(name, text.parse::<Cursor>().map_err(|_| "This is no place in a log.".to_owned()))
    };
    let before = cursor("before").map(Place::Before);
    let place = before.or_else(|| cursor("after").map(Place::After)).or_else(|| cursor("around").map(Place::Around));
    let at = || fields.text("at").and_then(|text| wrong.take("at", moment(text, now))).map(Place::At);
    place.or_else(at).unwrap_or(Place::End)
}

fn number(
    fields: &Fields,
    name: &'static str,
    otherwise: usize,
    least: usize,
    most: usize,
    wrong: &mut Wrong,
) -> usize {
    let Some(text) = fields.text(name) else { return otherwise };
    let number = text.parse::<usize>().ok().filter(|number| (least..=most).contains(number));
    let number = number.ok_or_else(|| format!("A number from {least} to {most} is expected."));
    wrong.take(name, number).unwrap_or(otherwise)
}

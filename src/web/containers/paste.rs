//! A pasted `docker run` line, as the form that makes the same container. Nothing is made, and nothing of the line is run.

use std::collections::{BTreeMap, HashMap};

use axum::{http::StatusCode, response::Response};

use super::{
    create::{self, Form, form},
    draft::Draft,
    fill::fill,
    json,
};
use crate::{
    command::{LineError, Read, RunLine, Verb, complete, flags, unknowns},
    web::{
        Error,
        error::sentence,
        extract::{Fields, Page},
    },
};

/// The longest line, in bytes.
const LONGEST: usize = 128 << 10;

/// Something that the line leaves to the shell that it was typed in.
pub struct Open {
    /// As it stands in the line: `$PWD`.
    pub text: String,
    /// What was told of it.
    pub value: String,
    /// What that is.
    pub help: &'static str,
    /// What is wrong with what was told.
    pub error: Option<String>,
}

/// The box for a line, and what became of it.
#[derive(Default)]
pub struct Paste {
    /// The line, as it was pasted.
    pub line: String,
    /// What it leaves open.
    pub open: Vec<Open>,
    /// What is wrong with it, each with the line before the word, the word, and the line behind it.
    pub errors: Vec<(String, [String; 3])>,
    /// Flags that say nothing about a container, with the reason.
    pub left_out: Vec<(String, &'static str)>,
    /// Which command it was, when it has been read.
    pub verb: Option<Verb>,
}

impl Paste {
    /// Whether something is to be done in the box.
    pub fn is_unfinished(&self) -> bool {
        self.verb.is_none() && !self.line.is_empty()
    }

    /// Reads the field `line`; what a shell would know stands in `shell-name` and `shell-value`.
    fn read(fields: &Fields) -> (Self, Option<RunLine>) {
        let text = fields.get("line").unwrap_or_default().replace("\r\n", "\n").trim().to_owned();
        let mut paste = Self::default();
        if text.len() > LONGEST {
            let why = format!("A line of more than {} KiB is too long.", LONGEST >> 10);
            paste.errors.push((why, [String::new(), String::new(), String::new()]));
            paste.line = text.chars().take(1_000).collect();
            return (paste, None);
        }
        paste.line.clone_from(&text);
        let told: BTreeMap<String, String> =
            fields.all("shell-name").map(str::to_owned).zip(fields.all("shell-value").map(str::to_owned)).collect();
        // What is wrong whatever is told of it comes first: nobody fills in a line that is refused then.
        if let Err(error) = RunLine::read(&text) {
            paste.points(&text, &error);
            return (paste, None);
        }
        paste.asks(&told);
        if paste.open.iter().any(|open| open.error.is_some() || !told.contains_key(&open.text)) {
            return (paste, None);
        }
        let whole = complete(&text, &told);
        let Read { verb, line, spec } = match RunLine::read(&whole) {
            Ok(read) => read,
            Err(error) => {
                paste.points(&whole, &error);
                return (paste, None);
            }
        };
        // What the form can say of it, too, stands at its field as well.
        for error in spec.err().unwrap_or_default() {
            paste.points(&whole, &error);
        }
        paste.left_out = line.options.iter().filter_map(|(flag, value)| left_out(flag, value)).collect();
        paste.verb = Some(verb);
        (paste, Some(line))
    }

    /// What is wrong with it, for its field.
    fn told(&self) -> HashMap<String, String> {
        let all: Vec<String> = self
            .errors
            .iter()
            .map(|(why, [_, word, _])| if word.is_empty() { why.clone() } else { format!("{word}: {why}") })
            .collect();
        if all.is_empty() { HashMap::new() } else { [("line".to_owned(), all.join(" "))].into() }
    }

    fn asks(&mut self, told: &BTreeMap<String, String>) {
        for unknown in unknowns(&self.line) {
            if self.open.iter().any(|open| open.text == unknown.text) {
                continue;
            }
            let is_path = unknown.is_folder() || unknown.is_home() || unknown.is_above();
            let otherwise = unknown.otherwise().unwrap_or_default().to_owned();
            let value = told.get(&unknown.text).cloned().unwrap_or(otherwise);
            let is_wrong = is_path && told.contains_key(&unknown.text) && !value.starts_with('/');
            self.open.push(Open {
                help: match (unknown.is_folder(), unknown.is_home()) {
                    (true, _) => "The folder that it is typed in: a path on the engine’s host.",
                    (_, true) => "The home of whoever types it: a path on the engine’s host.",
                    _ if unknown.is_above() => {
                        "The folder above the one that it is typed in: a path on the engine’s host."
                    }
                    _ if unknown.otherwise().is_some() => {
                        "What a shell would put here; this is what it puts where it knows none."
                    }
                    _ => "What a shell would put here; left empty, it is nothing, as for a name that no shell knows.",
                },
                error: is_wrong.then(|| "A path that starts with /.".to_owned()),
                text: unknown.text,
                value,
            });
        }
    }

    fn points(&mut self, line: &str, error: &LineError) {
        let part = |from: usize, to: usize| line.get(from..to).unwrap_or_default().to_owned();
        let words = [part(0, error.at.start), part(error.at.start, error.at.end), part(error.at.end, line.len())];
        self.errors.push((sentence(&error.message), words));
    }
}

/// A flag for the docker command on somebody's terminal, and why it is none of the console's.
fn left_out(flag: &str, value: &str) -> Option<(String, &'static str)> {
    let known = flags::by_long(flag).filter(|known| known.client)?;
    let shown = if value == "true" { format!("--{flag}") } else { format!("--{flag} {value}") };
    Some((shown, known.help))
}

/// The page for what was pasted.
pub async fn pasted(page: &Page, fields: &Fields) -> Result<Response, Error> {
    let (paste, line) = Paste::read(fields);
    let Some(line) = line else {
        let is_asked = paste.errors.is_empty() && paste.open.iter().all(|open| open.error.is_none());
        let status = if is_asked && !page.wants_json { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        let told: HashMap<String, String> = match paste.told() {
            told if !told.is_empty() => told,
            _ if paste.open.is_empty() => [("line".to_owned(), "Paste a docker run line.".to_owned())].into(),
            _ => paste.open.iter().map(|open| (open.text.clone(), open.help.to_owned())).collect(),
        };
        let fields = Fields::default();
        let checked = Draft::read(&fields).check();
        let drawn = Form { paste, ..Form::new(page, &fields, &checked).await };
        return page.wrong(status, "The line was not read.", told, || form(page, &drawn));
    };
    let fields = fill(&line);
    let checked = Draft::read(&fields).check();
    if !paste.errors.is_empty() {
        // A person goes on with what could be filled in.
        let told = paste.told();
        let drawn = Form { wrong: Some(Vec::new()), paste, ..Form::new(page, &fields, &checked).await };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return page.wrong(status, "docker would refuse the line.", told, || form(page, &drawn));
    }
    if page.wants_json {
        let data = || json::Pasted {
            sketch: create::sketch(page, &checked, None),
            form: fields
                .0
                .iter()
                .map(|(name, value)| json::Filled { name: name.clone(), value: value.clone() })
                .collect(),
            left_out: paste.left_out.iter().map(|(flag, why)| format!("{flag}: {why}")).collect(),
            start: paste.verb == Some(Verb::Run),
        };
        return page.show(data, || Err(Error::ours()));
    }
    let wrong = checked.spec.is_err().then(Vec::new);
    let drawn = Form { wrong, paste, ..Form::new(page, &fields, &checked).await };
    Ok(axum::response::IntoResponse::into_response(form(page, &drawn)?))
}

/// `POST /containers/new/line`: not by the address, which is remembered and written down: a line may hold secrets.
pub async fn paste(page: Page, fields: Fields) -> Result<Response, Error> {
    pasted(&page, &fields).await
}

//! The form that makes a container, drawn: for a new one, and for one that is changed.
//!
//! It is drawn from the table of `docker run`'s flags: a field is a row of that table, its name the flag's. Some flags
//! have rows of several inputs instead of their own little language: variables, labels, ports and mounts.

use askama::Template;
use axum::response::Html;

use super::{
    draft::{Checked, ROWS, WORDS},
    paste::Paste,
    remarks::{Remark, Remarks, Tone, of_image, remarks},
    seek::Sought,
};
use crate::{
    command::{FLAGS, Flag, Group, Kind, RunLine, Verb, Weight},
    engine::{ContainerId, Declared, ImageId},
    web::{
        Error,
        chrome::Chrome,
        extract::{Fields, Page, is_on},
        filters,
        html::html,
    },
};

/// The flags that the form shows at once; the others stand folded at the end of their part.
const FIRST: [&str; 21] = [
    "name",
    "entrypoint",
    "interactive",
    "tty",
    "rm",
    "workdir",
    "user",
    "hostname",
    "network",
    "network-alias",
    "restart",
    "memory",
    "cpus",
    "privileged",
    "cap-add",
    "cap-drop",
    "init",
    "read-only",
    "publish-all",
    "pids-limit",
    "security-opt",
];

const GROUPS: [Group; 8] = [
    Group::Basics,
    Group::Environment,
    Group::Ports,
    Group::Mounts,
    Group::Network,
    Group::Resources,
    Group::Security,
    Group::Advanced,
];

/// A button that sends the form.
pub(super) struct Button {
    /// What it says.
    pub label: &'static str,
    /// What it sends.
    pub sends: (&'static str, &'static str),
    /// What it does, on hover.
    pub title: &'static str,
}

/// What the form is for.
pub(super) struct Purpose {
    /// Its heading.
    pub heading: String,
    /// The pages above it: a label and a path.
    pub above: Vec<(String, String)>,
    /// Where it is sent.
    pub action: String,
    /// Where it is drawn again from: it takes the same fields, and changes nothing.
    pub draft: String,
    /// What did not happen, where something is wrong: "Nothing was created".
    pub failed: &'static str,
    /// Its buttons. The first is the main one; the last, the mildest, is what Enter in a field presses.
    pub buttons: Vec<Button>,
    /// What they do.
    pub help: &'static str,
    /// The container that it changes: what that has is not in its way.
    pub of: Option<ContainerId>,
    /// Whether a line can be pasted.
    pub pastes: bool,
}

impl Default for Purpose {
    /// A new container.
    fn default() -> Self {
        Self {
            heading: "New container".to_owned(),
            above: vec![("Containers".to_owned(), "/containers".to_owned())],
            action: "/containers".to_owned(),
            draft: "/containers/draft".to_owned(),
            failed: "Nothing was created",
            buttons: vec![
                Button { label: "Run", sends: ("start", "1"), title: "docker run: create it, then start it" },
                Button { label: "Create", sends: ("start", "0"), title: "docker create: make it, do not start it" },
            ],
            help: "Create makes the container and leaves it in the state created. Run also starts it, pulling the \
                   image first if it is missing.",
            of: None,
            pastes: true,
        }
    }
}

/// The form as it stands.
pub(super) struct Form<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// What was sent.
    pub fields: &'a Fields,
    /// The same, read.
    pub checked: &'a Checked,
    /// What is wrong beside what the form knows by itself. Where there is none, it is being filled in, and what is wrong
    /// is not told yet.
    pub wrong: Option<Vec<(String, Remark)>>,
    /// What the image declares, where the engine has it.
    pub declared: Option<(ImageId, Declared)>,
    /// What became of a pasted line.
    pub paste: Paste,
    /// Something that was done meanwhile.
    pub done: Option<String>,
}

impl<'a> Form<'a> {
    /// Of a new container, being filled in.
    pub async fn new(page: &Page, fields: &'a Fields, checked: &'a Checked) -> Self {
        Self {
            purpose: Purpose::default(),
            fields,
            checked,
            wrong: None,
            declared: declared(page, &checked.line).await,
            paste: Paste::default(),
            done: None,
        }
    }
}

/// What the image of the form declares: it is the image's own, and stays there.
async fn declared(page: &Page, line: &RunLine) -> Option<(ImageId, Declared)> {
    if page.wants_json || line.image.is_empty() {
        return None;
    }
    page.engine.images().declared(&line.image).await.ok()?
}

/// A field of the form: a row of the table of flags.
struct Field {
    flag: &'static Flag,
    value: String,
    is_first: bool,
}

impl Field {
    fn is_switch(&self) -> bool {
        self.flag.kind == Kind::Switch
    }

    fn is_list(&self) -> bool {
        self.flag.kind == Kind::List && !WORDS.contains(&self.flag.long)
    }

    fn is_set(&self) -> bool {
        is_on(&self.value)
    }

    /// How it stands on the command line.
    fn shown(&self) -> String {
        match self.flag.short {
            Some(letter) => format!("-{letter}, --{}", self.flag.long),
            None => format!("--{}", self.flag.long),
        }
    }
}

/// A row of several inputs.
struct Cells {
    place: String,
    cells: Vec<String>,
}

impl Cells {
    fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", String::as_str)
    }

    /// The rows that were sent, and an empty one to fill in.
    fn all(fields: &Fields, columns: &[&str], what: &str, said: &Remarks) -> Vec<Self> {
        let columns: Vec<Vec<&str>> = columns.iter().map(|name| fields.all(name).collect()).collect();
        let sent = columns.iter().map(Vec::len).max().unwrap_or_default();
        let cell = |column: &Vec<&str>, at: usize| column.get(at).copied().unwrap_or_default().to_owned();
        let mut rows: Vec<Self> = (0..sent)
            .map(|at| Self {
                place: format!("{what}-{at}"),
                cells: columns.iter().map(|column| cell(column, at)).collect(),
            })
            .collect();
        // A select sends its value in an empty row too; inputs alone say whether a row is in use.
        let is_empty = |row: &Self| {
            !said.is_wrong(&row.place)
                && row.cells.iter().all(|cell| matches!(cell.trim(), "" | "tcp" | "volume" | "rw"))
        };
        if !rows.last().is_some_and(is_empty) {
            rows.push(Self { place: format!("{what}-{}", rows.len()), cells: Vec::new() });
        }
        rows
    }
}

/// A part of the form.
struct Part {
    group: Group,
    fields: Vec<Field>,
}

impl Part {
    fn more(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.is_first)
    }
}

#[derive(Template)]
#[template(path = "containers/create.html")]
struct CreatePage<'a> {
    chrome: Chrome,
    purpose: &'a Purpose,
    image: &'a str,
    command: &'a str,
    parts: Vec<Part>,
    env: Vec<Cells>,
    labels: Vec<Cells>,
    ports: Vec<Cells>,
    mounts: Vec<Cells>,
    env_file: &'a str,
    line: String,
    said: Remarks,
    sought: Sought,
    volumes: Vec<&'a str>,
    networks: Vec<&'a str>,
    declared: Option<ImageId>,
    paste: &'a Paste,
    done: Option<&'a str>,
    /// The container that it was filled in from.
    from: &'a str,
    /// What rows cannot say, as docker writes it.
    whole: Vec<Field>,
}

impl CreatePage<'_> {
    /// What is wrong, for the summary: the place, what it is called, and the remark.
    fn errors(&self) -> Vec<(&str, String, &Remark)> {
        let wrong = self.said.of(|tone| tone == Tone::Wrong);
        wrong.into_iter().map(|(place, remark)| (place, label(place), remark)).collect()
    }

    /// What is risky.
    fn dangers(&self) -> Vec<(&str, String, &Remark)> {
        let risky = self.said.of(|tone| tone == Tone::Said(Weight::Danger));
        risky.into_iter().map(|(place, remark)| (place, label(place), remark)).collect()
    }

    /// Where else something is said.
    fn others(&self) -> Vec<(&str, String)> {
        let others = self.said.of(|tone| matches!(tone, Tone::Said(Weight::Doubt | Weight::Hint)));
        let mut others: Vec<_> = others.into_iter().map(|(place, _)| (place, label(place))).collect();
        others.sort();
        others.dedup();
        others
    }

    /// A field for values of this flag as docker writes them.
    fn whole(&self, flag: &str) -> impl Iterator<Item = &Field> {
        self.whole.iter().filter(move |field| field.flag.long == flag)
    }

    /// Whether a field has to be seen: it is filled in, something is wrong or risky with it, or it is looked for.
    fn holds(&self, field: &Field) -> bool {
        let is_found = self.sought.is_on() && self.sought.has(field.flag);
        !field.value.is_empty() || self.said.calls(field.flag.long) || is_found
    }

    /// Whether a field of these flags has to be seen.
    fn is_whole(&self, flags: &[&str]) -> bool {
        self.whole.iter().any(|field| flags.contains(&field.flag.long) && self.holds(field))
    }

    /// Whether a part has anything of what is looked for.
    fn has_part(&self, part: &Part) -> bool {
        let blocks: &[&str] = match part.group {
            Group::Basics => &["image", "command"],
            Group::Environment => &["rows-env", "env-file", "rows-label"],
            Group::Ports => &["rows-publish"],
            Group::Mounts => &["rows-mount"],
            _ => &[],
        };
        self.sought.has_any(part.fields.iter().map(|field| field.flag))
            || blocks.iter().any(|block| self.sought.has_block(block))
    }

    fn more_open(&self, part: &Part) -> bool {
        part.more().any(|field| self.holds(field))
    }

    fn options(&self, field: &Field) -> Vec<String> {
        let mut options: Vec<String> = field.flag.choices.iter().map(|choice| (*choice).to_owned()).collect();
        if field.flag.long == "network" {
            options.extend(self.networks.iter().map(|network| (*network).to_owned()));
            options.sort();
            options.dedup();
        }
        options
    }
}

/// Draws the form.
pub(super) fn form(page: &Page, form: &Form<'_>) -> Result<Html<String>, Error> {
    let Form { purpose, fields, checked, .. } = form;
    let mut said = remarks(page, checked, purpose.of.as_ref());
    if let Some(wrong) = &form.wrong {
        let known = checked.errors().into_iter().map(|(place, why)| (place, Remark::wrong(&why)));
        known.chain(wrong.iter().cloned()).for_each(|(place, remark)| said.add(place, remark));
    }
    if let Some((id, declared)) = &form.declared {
        of_image(id, declared, &mut said);
    }
    if purpose.of.is_some() {
        said.without_ways_to_make();
    }
    let sought = Sought::new(fields.text("field").unwrap_or_default());
    let field = |flag: &'static Flag| {
        let value = fields.all(flag.long).collect::<Vec<_>>().join("\n");
        Field { flag, value, is_first: FIRST.contains(&flag.long) }
    };
    let parts = GROUPS.into_iter().map(|group| {
        let flags = FLAGS.iter().filter(|flag| flag.group == group && !flag.client && !ROWS.contains(&flag.long));
        let mut fields: Vec<Field> = flags.map(field).collect();
        fields.sort_by_key(|field| (!field.is_first, field.is_switch()));
        Part { group, fields }
    });
    let rows = FLAGS.iter().filter(|flag| ROWS.contains(&flag.long));
    let whole = rows.flat_map(|flag| {
        let field = |value: String| Field { flag, value, is_first: false };
        // A variable and a label may go over several lines: each has a field of its own, and one is there for another.
        match flag.long {
            "env" | "label" => {
                let said = fields.all(flag.long).filter(|value| !value.trim().is_empty());
                said.map(str::to_owned).chain([String::new()]).map(field).collect()
            }
            _ => vec![field(fields.all(flag.long).collect::<Vec<_>>().join("\n"))],
        }
    });
    let mut networks: Vec<&str> =
        page.picture.networks.values().filter(|network| network.is_joinable()).map(|it| it.name.as_str()).collect();
    networks.sort_unstable();
    networks.dedup();
    let volumes = page.picture.volumes.values().filter(|volume| !volume.is_anonymous());
    html(&CreatePage {
        chrome: Chrome::new(page, &purpose.heading),
        purpose,
        from: fields.get("from").unwrap_or_default(),
        image: fields.get("image").unwrap_or_default(),
        command: fields.get("command").unwrap_or_default(),
        parts: parts.collect(),
        env: Cells::all(fields, &["env-name", "env-value"], "env", &said),
        labels: Cells::all(fields, &["label-name", "label-value"], "label", &said),
        ports: Cells::all(fields, &["port-address", "port-host", "port-container", "port-protocol"], "port", &said),
        mounts: Cells::all(fields, &["mount-type", "mount-source", "mount-target", "mount-mode"], "mount", &said),
        env_file: fields.get("env-file").unwrap_or_default(),
        line: shown(&checked.line),
        volumes: volumes.map(|volume| volume.name.as_str()).collect(),
        networks,
        declared: form.declared.as_ref().map(|(id, _)| id.clone()),
        paste: &form.paste,
        done: form.done.as_deref(),
        whole: whole.collect(),
        said,
        sought,
    })
}

/// The line for the panel; a placeholder where there is no image yet.
pub(super) fn shown(line: &RunLine) -> String {
    if line.image.is_empty() {
        return RunLine { image: "IMAGE".to_owned(), ..line.clone() }.to_command_multiline(Verb::Run);
    }
    line.to_command_multiline(Verb::Run)
}

/// What a place in the form is called.
fn label(place: &str) -> String {
    let flag = |name: &str| FLAGS.iter().find(|flag| flag.long == name).map(|flag| flag.label.to_owned());
    let row = |name: &str, row: &str| {
        let number = row.parse::<usize>().map_or(0, |row| row + 1);
        let what = match name {
            "env" => "Variable",
            "label" => "Label",
            "port" => "Port",
            _ => "Mount",
        };
        format!("{what} {number}")
    };
    match place.rsplit_once('-') {
        _ if place == "image" => "Image".to_owned(),
        _ if place == "command" => "Command".to_owned(),
        Some((name @ ("env" | "label" | "port" | "mount"), at)) if at.parse::<usize>().is_ok() => row(name, at),
        _ => flag(place).unwrap_or_else(|| place.to_owned()),
    }
}

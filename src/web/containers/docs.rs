//! What scripts are told of the routes of containers.

use serde_json::Value;

use super::{
    json::{Container, ContainerDetail, Pasted, Plan, Sketch},
    view::{FILTERS, Show},
};
use crate::{
    command::{FLAGS, Kind},
    engine::Verb,
    web::{
        answer::{Begun, Done, Made},
        doc::{Doc, Field},
    },
};

const ID: &str = "^[0-9a-f]{64}$";

pub(super) fn id() -> Field {
    Field::like("id", "The container's full id.", ID)
}

pub(super) fn reveal() -> Field {
    Field::switch("reveal", "Shows values that are hidden otherwise. For administrators; the audit notes it.")
}

pub fn list() -> Doc {
    let filter = |(name, docker): (&'static str, &str)| match name {
        "state" => Field::one_of(
            name,
            "Only those in this state.",
            ["created", "running", "paused", "restarting", "removing", "exited", "dead"],
        ),
        "health" => {
            Field::one_of(name, "Only those whose check says this.", ["starting", "healthy", "unhealthy", "none"])
        }
        _ => Field::list(name, format!("Only those with it, as `docker ps --filter {docker}=…`."), ""),
    };
    Doc::new("List containers, 50 to a page")
        .query([
            Field::one_of("show", "Only those.", Show::EACH.into_iter().map(|(_, word, _)| word)),
            Field::text("q", "Only those whose name, id, image, labels or ports hold this.", "web"),
        ])
        .query(FILTERS.into_iter().map(filter))
        .query([
            Field::sort(&["name", "state", "image", "since", "created", "cpu", "memory"]),
            Field::one_of("group", "none: stacks do not stand together.", ["none"]),
            Field::page(),
        ])
        .lists::<Container>("A page of the list.")
}

pub fn detail() -> Doc {
    Doc::new("Show a container")
        .place(id())
        .query([reveal()])
        .gives::<ContainerDetail>(200, "The container, and everything about it.")
}

pub fn inspect() -> Doc {
    Doc::new("Show everything that the engine tells of a container")
        .about("The same as `docker inspect`, without what may be a secret.")
        .place(id())
        .query([reveal()])
        .gives::<Value>(200, "The engine's own object.")
}

/// What a verb takes.
fn fields(verb: Verb) -> Vec<Field> {
    let timeout =
        || Field::number("timeout", "Seconds to wait before it is killed; ten, if nothing is said.", 0, 3_600);
    match verb {
        Verb::Stop | Verb::Restart => vec![timeout()],
        Verb::Kill => vec![
            Field::text("signal", "A signal by name or number; KILL, if nothing is said.", "HUP"),
            Field::text("other", "The same, and wins over `signal`.", "HUP"),
        ],
        Verb::Rename => {
            vec![Field::like("name", "The new name.", "^[a-zA-Z0-9][a-zA-Z0-9_.-]+$").required()]
        }
        Verb::Remove => vec![
            Field::switch("force", "Kills it first if it runs (-f)."),
            Field::switch("volumes", "Removes its anonymous volumes too (-v)."),
            Field::switch("link", "Removes only its links of the default bridge (-l)."),
        ],
        Verb::Start | Verb::Pause | Verb::Unpause => Vec::new(),
    }
}

fn path(verb: Verb) -> String {
    format!("/containers/{{id}}/{}", verb.word())
}

pub fn act() -> impl Iterator<Item = Doc> {
    Verb::ALL.into_iter().map(|verb| {
        Doc::new(verb.label())
            .about(verb.help())
            .at(path(verb))
            .place(id())
            .body(fields(verb))
            .gives::<Done>(200, "It was done, or was so already.")
    })
}

pub fn confirm() -> impl Iterator<Item = Doc> {
    Verb::ALL.into_iter().map(|verb| {
        Doc::new("Say what it would do")
            .about("The docker command, and which volumes go or stay. Nothing is done.")
            .at(path(verb))
            .place(id())
            .query(fields(verb).into_iter().map(Field::loose))
            .gives::<Plan>(200, "What would be done.")
    })
}

/// The verbs that many can be asked for at once, and to whom.
fn many() -> Vec<Field> {
    let verbs = Verb::ALL.into_iter().filter(|verb| verb.in_bulk()).map(Verb::word);
    let mut all = vec![
        Field::one_of("action", "What to do.", verbs).required(),
        Field::list_like("id", "The containers' full ids.", ID).required(),
    ];
    for field in Verb::ALL.into_iter().filter(|verb| verb.in_bulk()).flat_map(fields) {
        if !all.iter().any(|known| known.name == field.name) {
            all.push(field);
        }
    }
    all
}

pub fn bulk() -> Doc {
    Doc::new("Do one thing to many containers")
        .about("Waits three seconds for the end; what takes longer goes on as a job. Where some fail, the error's `next` leads to the job that says how each ended.")
        .body(many())
        .gives::<Done>(200, "It was done to all of them.")
        .gives::<Begun>(202, "It goes on as a job.")
        .fails(404)
}

pub fn confirm_many() -> Doc {
    Doc::new("Say what one thing would do to many containers")
        .query(many())
        .gives::<Plan>(200, "What would be done.")
        .fails(404)
        .fails(422)
}

/// The rows of the form, for who copies what it sends.
const ROWS: [(&str, &str); 12] = [
    ("env-name", "TZ"),
    ("env-value", "UTC"),
    ("label-name", "team"),
    ("label-value", "red"),
    ("port-address", "127.0.0.1"),
    ("port-host", "8080"),
    ("port-container", "80"),
    ("port-protocol", "tcp"),
    ("mount-type", "volume"),
    ("mount-source", "data"),
    ("mount-target", "/data"),
    ("mount-mode", "rw"),
];

/// What makes a container: a field for each flag of `docker run`.
pub(super) fn new() -> Vec<Field> {
    let flags = FLAGS.iter().filter(|flag| !flag.client).map(|flag| match flag.kind {
        Kind::Switch => Field::switch(flag.long, flag.help),
        Kind::Value => Field::text(flag.long, flag.help, flag.placeholder),
        Kind::List => Field::list(flag.long, flag.help, flag.placeholder),
    });
    [
        Field::text("image", "The image to make it from; it is pulled if it is missing.", "nginx:1.27").required(),
        Field::text("command", "What runs instead of the image's own command, as a shell line.", "sleep 1000"),
        Field::like(
            "from",
            "A container like which it is to be: values that read ‹hidden› are what they are there.",
            ID,
        ),
        Field::text("env-file", "The lines of a file of variables.", "TZ=UTC"),
    ]
    .into_iter()
    .chain(flags)
    .chain(
        ROWS.map(|(name, example)| {
            Field::list(name, "A column of the form's rows; the n-th of each make a row.", example)
        }),
    )
    .collect()
}

pub fn create() -> Doc {
    let start = Field::switch("start", "Starts it, as `docker run -d`; without, as `docker create`.");
    Doc::new("Create or run a container")
        .about("A field for each flag of `docker run`, under its long name. Whoever is no administrator may only ask for what gives no power over the host.")
        .body([start].into_iter().chain(new()))
        .gives::<Made>(201, "It was made, and runs if that was asked for.")
        .gives::<Begun>(202, "The image has to be pulled: it goes on as a job.")
        .fails(404)
}

pub fn edit() -> Doc {
    Doc::new("Show what a container is made from, as the form's line")
        .place(id())
        .gives::<Sketch>(200, "The line that it was made with.")
}

pub fn draft() -> Doc {
    Doc::new("Check a container before it is made")
        .about("Answers with the docker command and with what is wrong. Nothing is made.")
        .body(new().into_iter().map(Field::loose))
        .gives::<Sketch>(200, "The line that it makes.")
}

/// A line, and what its shell would have known.
fn line() -> [Field; 3] {
    [
        Field::text("line", "A line of `docker run` or `docker create`.", "docker run -d -p 8080:80 nginx:1.29"),
        Field::list("shell-name", "What the line leaves to a shell, as it stands there.", "$PWD"),
        Field::list("shell-value", "What that is: the n-th of each belong together.", "/srv/shop"),
    ]
}

pub fn paste() -> Doc {
    Doc::new("Read a docker run line")
        .about("Answers with the form's fields that make the same container. Nothing is made.")
        .body(line().map(Field::loose))
        .gives::<Pasted>(200, "The fields.")
}

pub fn form() -> Doc {
    Doc::new("Check a container, asked for in the address")
        .query(new().into_iter().chain(line()).map(Field::loose))
        .gives::<Sketch>(200, "The line that it makes.")
        .fails(404)
}

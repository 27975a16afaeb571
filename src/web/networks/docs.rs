//! What scripts are told of the routes of networks.

use serde_json::Value;

use super::{
    json::{HostPort, Network, NetworkDetail, Plan, Reaching, Sketch},
    list::{SORTS, Show},
};
use crate::web::{
    answer::{Begun, Done, Made},
    doc::{Doc, Field},
};

/// The grammar of ids: see `NetworkId`.
const ID: &str = "^([0-9a-f]{64}|[0-9a-z]{25})$";
const CONTAINER: &str = "^[0-9a-f]{64}$";

fn id() -> Field {
    Field::like("id", "The network's full id.", ID)
}

fn reveal() -> Field {
    Field::switch("reveal", "Shows options that are hidden otherwise. For administrators; the audit notes it.")
}

fn new() -> [Field; 14] {
    [
        Field::text("name", "Its name.", "shop"),
        Field::text("driver", "The driver that makes it; bridge, if nothing is said.", "bridge"),
        Field::list("subnet", "Its ranges of addresses; the engine chooses where there is none.", "10.1.0.0/16"),
        Field::list("gateway", "The way out of each of them.", "10.1.0.1"),
        Field::list("ip-range", "The part of each that is handed out.", "10.1.5.0/24"),
        Field::switch("ipv6", "With addresses of IPv6."),
        Field::switch("internal", "With no way out."),
        Field::switch("attachable", "Open to containers that are no services."),
        Field::list("option", "What is said to the driver, NAME=value.", "com.docker.network.driver.mtu=1400"),
        Field::list("label", "Its labels, NAME=value.", "team=red"),
        Field::list("option-name", "The form's rows of options: their names.", "mtu"),
        Field::list("option-value", "And their values.", "1400"),
        Field::list("label-name", "The form's rows of labels: their names.", "team"),
        Field::list("label-value", "And their values.", "red"),
    ]
}

pub fn list() -> Doc {
    Doc::new("List networks, 50 to a page")
        .query([
            Field::one_of("show", "Only those.", Show::EACH.into_iter().map(|(_, word, _)| word)),
            Field::text("q", "Only those whose name, id, driver, addresses or labels hold this.", "shop"),
            Field::text("driver", "Only those of this driver.", "bridge"),
            Field::sort(&SORTS),
            Field::page(),
        ])
        .lists::<Network>("A page of the list.")
}

pub fn detail() -> Doc {
    Doc::new("Show a network")
        .place(id())
        .query([reveal()])
        .gives::<NetworkDetail>(200, "The network, and who is on it.")
}

pub fn raw() -> Doc {
    Doc::new("Show everything that the engine tells of a network")
        .place(id())
        .query([reveal()])
        .gives::<Value>(200, "The engine's own object.")
}

pub fn create() -> Doc {
    let [name, rest @ ..] = new();
    Doc::new("Create a network")
        .body([name.required()].into_iter().chain(rest))
        .gives::<Made>(201, "It was made.")
        .fails(404)
}

pub fn form() -> Doc {
    Doc::new("Check a network before it is made")
        .about("Answers with the docker command and with what is wrong. Nothing is made.")
        .query(new())
        .gives::<Sketch>(200, "The line that it makes.")
}

fn pair() -> [Field; 2] {
    [
        Field::like("network", "The network's full id.", ID),
        Field::like("container", "The container's full id.", CONTAINER),
    ]
}

fn joins() -> impl Iterator<Item = Field> {
    let more = [
        Field::list("alias", "Further names that others there know it by.", "db"),
        Field::text("ip", "Its address there; the engine chooses where none is said.", "10.1.0.5"),
        Field::text("ip6", "Its address of IPv6 there.", "fd00:1::5"),
        Field::text("back", "Where people come back to.", "/networks"),
    ];
    pair().into_iter().chain(more)
}

pub fn joining() -> Doc {
    Doc::new("Check how a container would join a network")
        .about("Answers with the docker command and with what is wrong. Nothing is done.")
        .query(joins().map(Field::loose))
        .gives::<Sketch>(200, "The line that it makes.")
        .fails(404)
}

pub fn connect() -> Doc {
    let required =
        |field: Field| if matches!(&*field.name, "network" | "container") { field.required() } else { field };
    Doc::new("Connect a container to a network")
        .body(joins().map(required))
        .gives::<Done>(200, "It is on it.")
        .fails(404)
}

pub fn leaving() -> Doc {
    Doc::new("Say what disconnecting would do")
        .query(pair().map(Field::required))
        .gives::<Sketch>(200, "The line that it makes.")
        .fails(404)
}

pub fn disconnect() -> Doc {
    let force = Field::switch("force", "Even if the container does not answer any more.");
    let back = Field::text("back", "Where people come back to.", "/networks");
    Doc::new("Disconnect a container from a network")
        .body(pair().map(Field::required).into_iter().chain([force, back]))
        .gives::<Done>(200, "It is not on it any more.")
        .fails(404)
}

pub fn remove() -> Doc {
    Doc::new("Remove").place(id()).body([]).gives::<Done>(200, "It was removed.")
}

pub fn confirm_remove() -> Doc {
    Doc::new("Say what removing would do").place(id()).gives::<Plan>(200, "What would go, and who is in the way.")
}

fn all() -> Field {
    Field::switch("all", "Also those that stopped containers have, which then cannot start any more.")
}

pub fn prune() -> Doc {
    Doc::new("Remove unused networks")
        .about("Waits three seconds for the end. Where some stay, the error's `next` leads to the job that says why.")
        .body([
            all(),
            Field::list_like("id", "What goes, as `GET /networks/prune` lists it. Nothing else does.", ID),
            Field::listed(),
        ])
        .gives::<Begun>(202, "A job does it, or has done it by now.")
        .fails(404)
}

pub fn confirm_prune() -> Doc {
    Doc::new("Say what pruning would do").query([all()]).gives::<Plan>(200, "What would go, and what would stay.")
}

pub fn map() -> Doc {
    Doc::new("Say which container reaches which")
        .query([
            Field::switch("all", "Stopped ones, too."),
            Field::text("stack", "Only those of this stack.", "shop"),
            Field::page(),
        ])
        .lists::<Reaching>("A page of the containers, 100 to a page.")
}

pub fn ports() -> Doc {
    Doc::new("List the ports of the host that containers have, or want when they start")
        .query([Field::switch("conflicts", "Only those that more than one wants.")])
        .lists::<HostPort>("All of them.")
}

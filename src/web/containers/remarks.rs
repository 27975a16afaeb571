//! What is said beside the fields of the form: what is wrong, what is risky, what is in the way, what the image says.

use std::{collections::HashMap, sync::Arc};

use super::draft::Checked;
use crate::{
    command::{Weight, container_name, echo, words},
    engine::{Container, ContainerId, Declared, Holder, ImageId, NewNetwork, VolumeName, spec::Spec},
    web::{error::sentence, extract::Page, html::span},
};

/// How many of the image's values stand beside a field.
const SHOWN: usize = 8;

/// How many remarks stand at one place: more are not read.
const MOST: usize = 20;

/// What kind of remark it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tone {
    /// It cannot be sent like this.
    Wrong,
    /// As of [`Weight`].
    Said(Weight),
    /// What the image says, where the field says nothing.
    Image,
}

impl Tone {
    /// Its class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Wrong => "error",
            Self::Said(Weight::Danger) => "danger",
            Self::Said(Weight::Doubt) => "doubt",
            Self::Said(Weight::Hint) => "hint",
            Self::Image => "image",
        }
    }

    /// What it is called: colours are not for everybody.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wrong => "",
            Self::Said(Weight::Danger) => "Risk",
            Self::Said(Weight::Doubt) => "Check",
            Self::Said(Weight::Hint) => "Note",
            Self::Image => "Image",
        }
    }
}

/// Something to press that answers a remark; nothing that was typed is lost.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// What it says.
    pub label: String,
    /// Where the form goes.
    pub to: &'static str,
    /// The button's name and value.
    pub sends: (&'static str, String),
}

/// Something said beside a field.
#[derive(Debug, Clone)]
pub(super) struct Remark {
    /// What kind it is.
    pub tone: Tone,
    /// A sentence, or none where the values say it.
    pub text: String,
    /// Values.
    pub values: Vec<String>,
    /// Where to look: a label and a path.
    pub links: Vec<(String, String)>,
    /// What to press.
    pub offers: Vec<Offer>,
}

impl Remark {
    fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), values: Vec::new(), links: Vec::new(), offers: Vec::new() }
    }

    /// Something that is wrong.
    pub fn wrong(text: &str) -> Self {
        Self::new(Tone::Wrong, sentence(text))
    }

    fn link(mut self, label: impl Into<String>, path: String) -> Self {
        self.links.push((label.into(), path));
        self
    }

    /// Puts a value into the n-th field of a name.
    fn set(mut self, field: &str, nth: usize, value: &str) -> Self {
        let sends = ("then", format!("set {field} {nth} {value}"));
        self.offers.push(Offer { label: format!("Use {value}"), to: "", sends });
        self
    }
}

/// What is said, by the element of the form that it stands at.
#[derive(Debug, Clone, Default)]
pub(super) struct Remarks(HashMap<String, Vec<Remark>>);

impl Remarks {
    /// What stands at an element, what weighs most first.
    pub fn at(&self, place: &str) -> &[Remark] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }

    /// Whether something there is wrong.
    pub fn is_wrong(&self, place: &str) -> bool {
        self.at(place).iter().any(|remark| remark.tone == Tone::Wrong)
    }

    /// Whether something there has to be seen: more than a thought, or the image's own.
    pub fn calls(&self, place: &str) -> bool {
        self.at(place).iter().any(|remark| remark.tone <= Tone::Said(Weight::Doubt))
    }

    /// Each element and what stands there, of these kinds.
    pub fn of(&self, kinds: impl Fn(Tone) -> bool) -> Vec<(&str, &Remark)> {
        let all = self.0.iter().flat_map(|(place, all)| all.iter().map(move |remark| (place.as_str(), remark)));
        let mut all: Vec<_> = all.filter(|(_, remark)| kinds(remark.tone)).collect();
        all.sort_by(|(a, one), (b, other)| (one.tone, a, &one.text).cmp(&(other.tone, b, &other.text)));
        all
    }

    /// Takes out what leads to the form of a new container.
    pub fn without_ways_to_make(&mut self) {
        self.0.values_mut().flatten().for_each(|remark| remark.offers.retain(|offer| offer.to.is_empty()));
    }

    /// Adds one; what is said already is not said again.
    pub fn add(&mut self, place: impl Into<String>, remark: Remark) {
        let all = self.0.entry(place.into()).or_default();
        if all.len() >= MOST && remark.tone != Tone::Wrong {
            return;
        }
        match all.iter_mut().find(|known| !remark.text.is_empty() && known.text == remark.text) {
            Some(known) => known.tone = known.tone.min(remark.tone),
            None => all.push(remark),
        }
        all.sort_by_key(|remark| remark.tone);
    }
}

/// Something in the way of a container, and when it stops it.
pub(super) struct InTheWay {
    /// The element of the form.
    pub place: String,
    /// What is said.
    pub remark: Remark,
    /// Who has it, as far as they may be told of.
    pub owner: Option<Arc<Container>>,
    /// When the engine would refuse.
    pub stops: Stops,
}

impl InTheWay {
    /// As what is wrong with the form.
    pub fn refused(self) -> (String, Remark) {
        (self.place, Remark { tone: Tone::Wrong, ..self.remark })
    }
}

/// When the engine would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stops {
    /// When it is made.
    Creating,
    /// When it is started.
    Starting,
    /// Never.
    Never,
}

/// What is said of a form by itself and by what there is on the engine. `of` is the container that the form changes:
/// what that has is not in its way.
pub(super) fn remarks(page: &Page, checked: &Checked, of: Option<&ContainerId>) -> Remarks {
    let mut all = Remarks::default();
    for (weight, remark) in checked.line.remarks() {
        all.add(checked.place(&remark), Remark::new(Tone::Said(weight), sentence(&remark.message)));
    }
    for InTheWay { place, remark, .. } in in_the_way(page, checked, of) {
        all.add(place, remark);
    }
    all
}

/// Names, ports, networks and volumes that the engine would stumble over, said before it is asked.
pub(super) fn in_the_way(page: &Page, checked: &Checked, of: Option<&ContainerId>) -> Vec<InTheWay> {
    let mut all: Vec<InTheWay> = name(page, checked).into_iter().collect();
    all.extend(ports(page, checked));
    all.extend(networks(page, checked));
    all.extend(volumes(page, checked));
    all.retain(|found| of.is_none() || found.owner.as_ref().map(|owner| &owner.id) != of);
    all
}

fn doubt(text: impl Into<String>) -> Remark {
    Remark::new(Tone::Said(Weight::Doubt), text)
}

/// Who it is, as far as they may be told of.
fn owner(holder: Holder) -> Option<Arc<Container>> {
    match holder {
        Holder::Seen(owner) => Some(owner),
        Holder::Unseen => None,
    }
}

fn path(owner: &Container) -> String {
    format!("/containers/{}", owner.id)
}

fn name(page: &Page, checked: &Checked) -> Option<InTheWay> {
    let name = checked.line.value("name").map(str::trim).filter(|name| container_name(name).is_ok())?;
    let containers = page.engine.containers();
    let owner = owner(containers.named(name)?);
    let mut remark = match &owner {
        Some(owner) => doubt(format!("{name} has that name already ({}). Names are given once.", owner.state))
            .link(format!("Open {name}"), path(owner)),
        None => doubt("That name is in use. Names are given once."),
    };
    if let Some(free) = containers.free_name(name) {
        remark = remark.set("name", 0, &free);
    }
    Some(InTheWay { place: "name".to_owned(), remark, owner, stops: Stops::Creating })
}

fn ports(page: &Page, checked: &Checked) -> Vec<InTheWay> {
    let held = page.engine.containers().held_ports();
    let busy = |(index, spec): (usize, Spec)| {
        let all = &spec.host_config.port_bindings;
        let bindings = all.iter().flat_map(|(inside, all)| all.iter().map(move |binding| (inside, binding)));
        // One of each is enough; a range that one port is taken of is the engine's to look through.
        let (host, port, protocol, holder) = bindings.into_iter().find_map(|(inside, binding)| {
            let protocol = inside.rsplit_once('/').map_or("tcp", |(_, protocol)| protocol);
            let port = binding.host_port.parse::<u16>().ok()?;
            Some((&binding.host_ip, port, protocol, held.holder(&binding.host_ip, port, protocol)?))
        })?;
        let place = checked.place_of("publish", index);
        let owner = owner(holder.clone());
        let mut remark = match &owner {
            Some(owner) => doubt(format!("Port {port} of this host is taken by {}.", owner.name))
                .link(format!("Open {}", owner.name), path(owner)),
            None => doubt(format!("Port {port} of this host is in use.")),
        };
        // A row of its own with one port can be told another; of the rest, people know best.
        let row = place.strip_prefix("port-").and_then(|row| row.parse::<usize>().ok()).filter(|_| all.len() == 1);
        if let Some((row, free)) = row.zip(held.free(host, port, protocol)) {
            remark.text = format!("{} The next that no container has is {free}.", remark.text);
            remark = remark.set("port-host", row, &free.to_string());
        }
        Some(InTheWay { place, remark, owner, stops: Stops::Starting })
    };
    checked.line.each("publish").filter_map(busy).collect()
}

fn networks(page: &Page, checked: &Checked) -> Vec<InTheWay> {
    let networks = page.engine.networks();
    // Before the engine has told of its networks, none is unknown.
    if page.picture.networks.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (index, spec) in checked.line.each("network") {
        for name in spec.networking_config.endpoints_config.keys().filter(|name| is_named(name)) {
            if networks.knows(name) {
                continue;
            }
            let scoped = if page.engine.reach().is_scoped() { " among what you look after" } else { "" };
            let mut remark = doubt(format!("There is no network {name}{scoped}."));
            if NewNetwork::is_name(name) {
                remark.values.push(echo::network_create(name, echo::NewNetwork::default()));
                let label = format!("Make the network {name}");
                remark.offers.push(Offer { label, to: "/containers/new/network", sends: ("make", name.clone()) });
            }
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("name", name).finish();
            remark = remark.link("Make it with options", format!("/networks/new?{query}"));
            all.push(InTheWay {
                place: checked.place_of("network", index),
                remark,
                owner: None,
                stops: Stops::Starting,
            });
        }
    }
    all
}

/// Whether it is a network that somebody made, not one of the engine's modes.
fn is_named(network: &str) -> bool {
    !matches!(network, "" | "default" | "bridge" | "host" | "none") && !network.starts_with("container:")
}

fn volumes(page: &Page, checked: &Checked) -> Vec<InTheWay> {
    let mut all = Vec::new();
    let is_scoped = page.engine.reach().is_scoped();
    for flag in ["volume", "mount"] {
        for (index, spec) in checked.line.each(flag) {
            let binds = spec.host_config.binds.iter().filter_map(|bind| bind.split(':').next());
            let mounts = spec.host_config.mounts.iter().filter(|mount| mount.r#type == "volume");
            let names = binds.chain(mounts.map(|mount| mount.source.as_str()));
            for name in names.filter_map(|name| name.parse::<VolumeName>().ok()) {
                if page.picture.volumes.contains_key(&name) {
                    continue;
                }
                let remark = if is_scoped {
                    let query = url::form_urlencoded::Serializer::new(String::new())
                        .append_pair("name", name.as_str())
                        .finish();
                    doubt(format!("There is no volume {name} among what you look after: make it first."))
                        .link(format!("Make the volume {name}"), format!("/volumes/new?{query}"))
                } else {
                    let text = format!("There is no volume {name} yet: it is made with the container.");
                    Remark::new(Tone::Said(Weight::Hint), text)
                };
                let place = checked.place_of(flag, index);
                all.push(InTheWay { place, remark, owner: None, stops: Stops::Never });
            }
        }
    }
    all
}

/// What the image says, at the fields that would say otherwise.
pub(super) fn of_image(id: &ImageId, declared: &Declared, all: &mut Remarks) {
    let one = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    let line = |all: &[String]| if all.is_empty() { Vec::new() } else { vec![words::join(all)] };
    let pair = |name: &str, value: &str| format!("{name}={value}");
    let check = declared.healthcheck.as_ref();
    let every = check.map(|check| span(jiff::SignedDuration::try_from(check.every()).unwrap_or_default()));
    let says = [
        ("entrypoint", line(&declared.entrypoint)),
        ("command", line(&declared.cmd)),
        ("user", one(&declared.user)),
        ("workdir", one(&declared.workdir)),
        ("stop-signal", one(&declared.stop_signal)),
        ("health-cmd", check.map_or_else(Vec::new, |check| vec![check.line()])),
        ("health-interval", every.into_iter().collect()),
        ("rows-env", declared.env.iter().map(|var| pair(&var.name, &var.value)).collect()),
        ("rows-label", declared.labels.iter().map(|(name, value)| pair(name, value)).collect()),
        ("rows-publish", declared.ports.clone()),
        ("rows-mount", declared.volumes.clone()),
    ];
    for (place, mut values) in says.into_iter().filter(|(_, values)| !values.is_empty()) {
        let mut remark = Remark::new(Tone::Image, "");
        if let Some(more) = values.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            values.truncate(SHOWN);
            remark = remark.link(format!("and {more} more"), format!("/images/{id}"));
        }
        all.add(place, Remark { values, ..remark });
    }
}

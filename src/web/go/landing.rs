//! Where a docker command leads: to the page on which the same is done, with its form filled in. Nothing is done on the
//! way; what has to be confirmed is confirmed there.

mod of_containers;
mod of_others;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Hit,
    find::SHOWN,
    rights,
    target::{Meant, Named, meant},
};
use crate::{
    command::intent::{Ask, Intent, Noun},
    web::{address::address, extract::Page, html::count},
};

/// Where a command leads.
#[derive(Default)]
pub(super) struct Landing {
    /// The likeliest first.
    pub hits: Vec<Hit>,
    /// How many there are that are not shown.
    pub more: usize,
    /// What was left out, or is not there.
    pub notes: Vec<String>,
    /// Whether the first of them is what was meant, all of it.
    pub is_sure: bool,
    /// Why nothing of it may be done.
    pub refusal: Option<String>,
    /// Whether nothing but a command can be meant.
    pub is_plain: bool,
    /// Whether nothing was said but the command: it may be a name, too.
    pub is_bare: bool,
}

impl Landing {
    /// Of a command that leads nowhere.
    pub fn nowhere(why: String) -> Self {
        Self { notes: vec![why], is_plain: true, ..Self::default() }
    }

    /// Of a command.
    pub fn new(page: &Page, intent: &Intent) -> Self {
        let mut way = Way {
            page,
            intent,
            landing: Self { is_plain: intent.is_plain, is_bare: intent.is_bare(), ..Self::default() },
        };
        way.find();
        let mut landing = way.landing;
        landing.notes.splice(0..0, intent.notes.iter().cloned());
        landing.refusal = landing.hits.first().and_then(|hit| rights::refusal(page, &hit.path));
        landing.hits.retain(|hit| rights::may(page, &hit.path));
        landing.more = landing.hits.len().saturating_sub(SHOWN);
        landing.hits.truncate(SHOWN);
        landing.is_sure &= landing.hits.len() == 1 && landing.notes.is_empty();
        landing
    }
}

/// The way there.
struct Way<'a> {
    page: &'a Page,
    intent: &'a Intent,
    landing: Landing,
}

/// What stands in the query of a page.
type Query = Vec<(&'static str, String)>;

impl Way<'_> {
    fn find(&mut self) {
        match self.intent.command.ask {
            Ask::Make => {
                let line = self.intent.line.clone().unwrap_or_default();
                let about = if line.is_empty() { "docker run".to_owned() } else { line.clone() };
                self.sure(Hit::new("New container".to_owned(), address("/containers/new", [("line", line)]), about));
            }
            Ask::Inspect(noun) => self.inspect(noun),
            Ask::Pull | Ask::Push | Ask::Rmi | Ask::Tag | Ask::Save | Ask::History | Ask::Images => self.of_images(),
            Ask::Build | Ask::Load | Ask::Import | Ask::Search | Ask::ImagePrune => self.of_images(),
            Ask::Volumes | Ask::VolumeCreate | Ask::VolumeRemove | Ask::VolumePrune => self.of_volumes(),
            Ask::Networks | Ask::NetworkCreate | Ask::NetworkRemove | Ask::NetworkPrune => self.of_networks(),
            Ask::Connect | Ask::Disconnect => self.of_networks(),
            Ask::Disk | Ask::Engine | Ask::Events | Ask::SystemPrune | Ask::Login | Ask::Logout => self.of_engine(),
            _ => self.of_containers(),
        }
    }

    fn note(&mut self, note: impl Into<String>) {
        self.landing.notes.push(note.into());
    }

    /// The n-th word that is no flag.
    fn word(&self, at: usize) -> Option<&str> {
        self.intent.words.get(at).map(String::as_str)
    }

    /// A flag, for the query of a page.
    fn flag(&self, long: &str) -> String {
        self.intent.flag(long).unwrap_or_default().to_owned()
    }

    /// A switch, for the query of a page.
    fn switch(&self, long: &str) -> String {
        crate::web::address::tick(self.intent.is_set(long)).to_owned()
    }

    /// That is what was meant.
    fn sure(&mut self, hit: Hit) {
        self.landing.hits.push(hit);
        self.landing.is_sure = true;
    }

    /// A page that needs nothing else.
    fn place(&mut self, name: &str, base: &str, query: Query) {
        let about = self.intent.echo(&self.intent.words);
        self.sure(Hit::new(name.to_owned(), address(base, query), about));
    }

    /// Words beyond those that the page takes.
    fn at_most(&mut self, words: usize) {
        if let Some(first) = self.word(words) {
            let first: String = first.chars().take(60).collect();
            self.note(format!("From “{first}” on it is left out: this takes less."));
        }
    }

    /// What of these a word means; all of them where there is none.
    fn meant<I, T: Named>(&mut self, all: &BTreeMap<I, Arc<T>>, word: Option<&str>) -> Meant<T> {
        let Some(word) = word else { return Meant { all: all.values().cloned().collect(), is_sure: false } };
        let found = meant(all.values(), word);
        if !found.is_sure {
            let word: String = word.chars().take(60).collect();
            let near = if found.all.is_empty() { "." } else { "; what comes near:" };
            self.note(format!("No {} here is called “{word}”{near}", T::WORD));
        }
        found
    }

    /// A page of each that the n-th word means.
    fn each<I, T: Named>(&mut self, all: &BTreeMap<I, Arc<T>>, word: Option<&str>, hit: impl Fn(&Self, &T) -> Hit) {
        let found = self.meant(all, word);
        let hits: Vec<Hit> = found.all.iter().map(|it| hit(self, it)).collect();
        self.landing.hits.extend(hits);
        self.landing.is_sure = found.is_sure;
    }

    /// A page of each that each of the words means.
    fn each_of_all<I, T: Named>(&mut self, all: &BTreeMap<I, Arc<T>>, hit: impl Fn(&Self, &T) -> Hit) {
        let intent = self.intent;
        if intent.words.is_empty() {
            return self.each(all, None, hit);
        }
        for word in intent.words.iter().take(SHOWN) {
            self.each(all, Some(word), &hit);
        }
        if intent.words.len() > 1 && self.landing.notes.is_empty() {
            self.note(format!(
                "One after the other: there is no form here for {} at once.",
                count(intent.words.len(), T::WORD)
            ));
        }
    }

    fn inspect(&mut self, noun: Option<Noun>) {
        let said = self.intent.flag("type");
        let noun = noun.or(match said {
            Some("container") => Some(Noun::Container),
            Some("image") => Some(Noun::Image),
            Some("volume") => Some(Noun::Volume),
            Some("network") => Some(Noun::Network),
            _ => None,
        });
        let is = |which: Noun| noun.is_none_or(|noun| noun == which);
        let (picture, word) = (self.page.picture.clone(), self.word(0).map(str::to_owned));
        let word = word.as_deref();
        // Whatever is called so; what only comes near is shown where nothing is.
        let (mut sure, mut near) = (Vec::new(), Vec::new());
        let mut take = |way: &mut Self| {
            let hits = std::mem::take(&mut way.landing.hits);
            if way.landing.is_sure { sure.extend(hits) } else { near.extend(hits) }
        };
        if is(Noun::Container) {
            self.each(&picture.containers, word, |way, it| way.container("Inspect", it, "/inspect", Query::new()));
            take(self);
        }
        if is(Noun::Image) {
            self.each(&picture.images, word, |way, it| way.image("Inspect", it, "", Query::new()));
            take(self);
        }
        if is(Noun::Network) {
            self.each(&picture.networks, word, |way, it| way.network("Inspect", it, ""));
            take(self);
        }
        if is(Noun::Volume) {
            self.each(&picture.volumes, word, |way, it| way.volume("Inspect", it, ""));
            take(self);
        }
        if sure.is_empty() {
            self.landing.hits = near;
            self.landing.notes.truncate(1);
        } else {
            self.landing.notes.clear();
            self.landing.is_sure = sure.len() == 1;
            self.landing.hits = sure;
        }
        self.at_most(1);
    }
}

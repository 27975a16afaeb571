//! Whom a word means, as docker means it: a name, or the beginning of an id. Where neither is, what comes near.

use std::sync::Arc;

use crate::{
    engine::{Container, Image, Network, Volume},
    web::order::natural,
};

/// The fewest letters of an id that mean it.
const LEAST: usize = 3;

/// A thing that a word may mean.
pub(super) trait Named {
    /// What it is, for sentences.
    const WORD: &'static str;
    /// Its id, without the name of its hash; none for what goes by its name alone.
    fn id(&self) -> Option<&str>;
    /// What it is called.
    fn names(&self) -> Vec<&str>;
    /// Whether the word is a name of it, in other words.
    fn is_called(&self, word: &str) -> bool {
        self.names().contains(&word)
    }
}

impl Named for Container {
    const WORD: &'static str = "container";
    fn id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }
    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Named for Image {
    const WORD: &'static str = "image";
    fn id(&self) -> Option<&str> {
        Some(self.id.as_str().trim_start_matches("sha256:"))
    }
    fn names(&self) -> Vec<&str> {
        self.tags.iter().chain(&self.digests).map(String::as_str).collect()
    }
    /// `nginx` is `nginx:latest`, and podman writes `docker.io/library/` before it.
    fn is_called(&self, word: &str) -> bool {
        let bare = |name: &str| {
            let name = name.strip_prefix("docker.io/").unwrap_or(name);
            name.strip_prefix("library/").unwrap_or(name).to_owned()
        };
        let has_tag = word.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let word = bare(&if has_tag { word.to_owned() } else { format!("{word}:latest") });
        self.names().into_iter().any(|name| bare(name) == word)
    }
}

impl Named for Volume {
    const WORD: &'static str = "volume";
    fn id(&self) -> Option<&str> {
        None
    }
    fn names(&self) -> Vec<&str> {
        vec![self.name.as_str()]
    }
}

impl Named for Network {
    const WORD: &'static str = "network";
    fn id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }
    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// Whom a word may mean, the likeliest first.
pub(super) struct Meant<T> {
    pub all: Vec<Arc<T>>,
    /// Whether it is the first, and nobody else.
    pub is_sure: bool,
}

/// How near a word is to a thing; none where it is not at all.
fn near<T: Named>(it: &T, word: &str) -> Option<u8> {
    if it.is_called(word) {
        return Some(0);
    }
    let lower = word.to_lowercase();
    if word.len() >= LEAST && it.id().is_some_and(|id| id.starts_with(word.trim_start_matches("sha256:"))) {
        return Some(1);
    }
    let of_name = |name: &&str| {
        let name = name.to_lowercase();
        let mut letters = name.chars();
        if name.starts_with(&lower) {
            Some(2)
        } else if name.contains(&lower) {
            Some(3)
        } else if word.len() >= LEAST && lower.chars().all(|letter| letters.any(|other| other == letter)) {
            Some(4)
        } else {
            None
        }
    };
    it.names().iter().filter_map(of_name).min()
}

/// Whom of these the word means.
pub(super) fn meant<'a, T: Named + 'a>(all: impl Iterator<Item = &'a Arc<T>>, word: &str) -> Meant<T> {
    let mut found: Vec<(u8, &Arc<T>)> = all.filter_map(|it| Some((near(it.as_ref(), word)?, it))).collect();
    let first_name = |it: &T| it.names().first().map(|name| (*name).to_owned()).unwrap_or_default();
    found.sort_by_cached_key(|(near, it)| (*near, Natural(first_name(it.as_ref()))));
    let nearest = found.first().map_or(u8::MAX, |(near, _)| *near);
    // A name wins over the beginnings of ids (S034), and both over what only comes near.
    let is_sure = nearest <= 1 && found.iter().filter(|(near, _)| *near == nearest).count() == 1;
    let take = if is_sure { 1 } else { found.len() };
    Meant { all: found.into_iter().take(take).map(|(_, it)| it.clone()).collect(), is_sure }
}

/// A name, in the order in which people count.
#[derive(PartialEq, Eq)]
struct Natural(String);

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        natural(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

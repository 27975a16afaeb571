//! What the list of images shows: the address, parsed; the images that fit it; and the docker command of exactly that.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use crate::{
    command::echo,
    engine::{Container, Image, ImageId, Picture},
    web::{address, extract::Fields, order::natural},
};

/// Rows on a page.
pub(super) const ROWS: usize = 50;

/// Who uses what.
pub(super) type Users<'a> = HashMap<&'a ImageId, Vec<&'a Arc<Container>>>;

/// Which images, by their use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Show {
    #[default]
    All,
    Used,
    Unused,
    Dangling,
    Newer,
}

impl Show {
    pub(super) const EACH: [(Self, &'static str, &'static str); 5] = [
        (Self::All, "all", "All"),
        (Self::Used, "used", "In use"),
        (Self::Unused, "unused", "Unused"),
        (Self::Dangling, "dangling", "Dangling"),
        (Self::Newer, "newer", "Newer in the registry"),
    ];

    pub(super) fn takes(self, image: &Image, is_used: bool, picture: &Picture) -> bool {
        match self {
            Self::All => true,
            Self::Used => is_used,
            Self::Unused => !is_used,
            Self::Dangling => image.is_dangling(),
            Self::Newer => has_newer(image, picture),
        }
    }
}

/// Whether a registry has another image by now under a tag of this one.
pub(super) fn has_newer(image: &Image, picture: &Picture) -> bool {
    image.tags.iter().any(|tag| picture.newer.get(tag).is_some_and(|said| said.is_newer_than(image)))
}

/// What can be sorted by.
pub(super) const SORTS: [&str; 3] = ["name", "size", "created"];

/// What to show: the address, parsed.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub show: Show,
    pub search: String,
    pub sort: &'static str,
    pub descending: bool,
    pub page: usize,
}

/// Text search over names, digests, ids and labels; `text` is in lower case.
pub fn finds(image: &Image, text: &str) -> bool {
    let has = |field: &str| field.to_lowercase().contains(text);
    text.is_empty()
        || image.tags.iter().any(|tag| has(tag))
        || image.digests.iter().any(|digest| has(digest))
        || image.id.as_str().starts_with(text.trim_start_matches("sha256:"))
        || image.labels.iter().any(|(key, value)| has(&format!("{key}={value}")))
}

impl View {
    pub(super) fn parse(query: &Fields) -> Self {
        let (sort, descending) = address::sort(query, &SORTS, SORTS[0]);
        Self {
            show: address::choice(query, "show", &Show::EACH),
            search: query.text("q").unwrap_or_default().to_lowercase(),
            sort,
            descending,
            page: query.page(),
        }
    }

    /// Its parts in the address but for the search and the page.
    pub(super) fn kept(&self) -> Vec<(&'static str, String)> {
        let show = address::word(self.show, &Show::EACH).to_owned();
        let sort = address::sort_word((self.sort, self.descending), SORTS[0]);
        [("show", show), ("sort", sort)].into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The address of this view, below `base`.
    pub(super) fn path(&self, base: &str) -> String {
        let here = [("q", self.search.clone()), ("page", address::page(self.page))];
        address::address(base, self.kept().into_iter().chain(here))
    }

    /// The address of another one.
    pub(super) fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { page: 1, ..self.clone() };
        change(&mut other);
        other.path("/images")
    }

    /// All that it takes, in its order.
    pub(super) fn found<'a>(&self, picture: &'a Picture, users: &Users<'a>) -> Vec<&'a Arc<Image>> {
        let takes = |image: &&Arc<Image>| {
            self.show.takes(image, users.contains_key(&image.id), picture) && finds(image, &self.search)
        };
        let mut found: Vec<_> = picture.images.values().filter(takes).collect();
        // Those without a name come last, the newest of them first.
        let by_name = |a: &Image, b: &Image| match a.is_dangling().cmp(&b.is_dangling()) {
            Ordering::Equal if a.is_dangling() => b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)),
            Ordering::Equal => natural(a.name(), b.name()).then_with(|| a.id.cmp(&b.id)),
            order => order,
        };
        found.sort_by(|a, b| {
            let order = match self.sort {
                // What is asked for are the largest, and the newest.
                "size" => b.size.cmp(&a.size).then_with(|| by_name(a, b)),
                "created" => b.created.cmp(&a.created).then_with(|| by_name(a, b)),
                _ => by_name(a, b),
            };
            if self.descending { order.reverse() } else { order }
        });
        found
    }

    /// The docker command that lists the same, and what to say where there is none.
    pub(super) fn command(&self) -> (String, Option<&'static str>) {
        let filters: &[(&str, &str)] = if self.show == Show::Dangling { &[("dangling", "true")] } else { &[] };
        let command = echo::image_ls(filters);
        let note = match self.show {
            Show::Used | Show::Unused => Some("docker has no filter for who uses an image"),
            Show::Newer => Some("docker has no filter for that"),
            _ => None,
        };
        if self.search.is_empty() {
            return (command, note);
        }
        (format!("{command} | grep -i -- {}", crate::command::words::join([self.search.clone()])), note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_were() {
        for path in ["/images", "/images?show=dangling&sort=-size&q=a+b&page=3", "/images?sort=created"] {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(View::parse(&Fields::parse(query.as_bytes())).path("/images"), path);
        }
    }

    #[test]
    fn the_title_is_the_docker_command_of_the_view() {
        let command = |query: &str| View::parse(&Fields::parse(query.as_bytes())).command().0;
        assert_eq!(command(""), "docker image ls");
        assert_eq!(command("show=dangling"), "docker image ls --filter dangling=true");
        assert_eq!(command("q=a b"), "docker image ls | grep -i -- 'a b'");
    }
}

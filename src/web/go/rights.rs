//! What somebody may open. The table of routes says it: what leads nowhere for them is not offered.

use std::sync::LazyLock;

use crate::{
    team::Right,
    web::{Error, extract::Page},
};

/// Every page, as the parts of its path, with its right.
static ROUTES: LazyLock<Vec<(Vec<&'static str>, Right)>> = LazyLock::new(|| {
    let routes = crate::web::routes();
    let pages = routes.list().iter().filter(|route| route.method == "GET");
    pages.filter_map(|route| Some((route.path.split('/').collect(), route.right?))).collect()
});

/// The right that a path asks for; none where nothing is there.
fn of(path: &str) -> Option<Right> {
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let fits = |route: &[&str]| {
        let is_same = |(route, part): (&&str, &&str)| route == part || (route.starts_with('{') && !part.is_empty());
        route.len() == parts.len() && route.iter().zip(&parts).all(is_same)
    };
    // A word wins over a place that any word fits.
    let places = |route: &[&str]| route.iter().filter(|part| part.starts_with('{')).count();
    let fitting = ROUTES.iter().filter(|(route, _)| fits(route));
    fitting.min_by_key(|(route, _)| places(route)).map(|(_, right)| *right)
}

/// Whether who asks may open that.
pub(super) fn may(page: &Page, path: &str) -> bool {
    of(path).is_some_and(|right| page.may(right))
}

/// Why they may not, if they may not.
pub(super) fn refusal(page: &Page, path: &str) -> Option<String> {
    let right = of(path)?;
    let is_for_all = page.asker.rules.is_read_only && right.changes_engine();
    (!page.may(right)).then(|| Error::not_allowed(right, page.asker.role(), is_for_all).reason().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_of_a_page_is_that_of_its_route() {
        let id = "0".repeat(64);
        for (path, right) in [
            ("/".to_owned(), Some(Right::Look)),
            ("/containers".to_owned(), Some(Right::Look)),
            ("/containers/new?line=docker+run+a/b".to_owned(), Some(Right::Create)),
            (format!("/containers/{id}"), Some(Right::Look)),
            (format!("/containers/{id}/logs?n=5"), Some(Right::Look)),
            (format!("/containers/{id}/stop"), Some(Right::Operate)),
            (format!("/containers/{id}/terminal"), Some(Right::Enter)),
            ("/volumes/a/remove".to_owned(), Some(Right::Remove)),
            ("/registries".to_owned(), Some(Right::Registries)),
            ("/nowhere".to_owned(), None),
        ] {
            assert_eq!(of(&path), right, "{path}");
        }
    }
}

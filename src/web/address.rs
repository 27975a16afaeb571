//! Addresses: what somebody looks at stands in the query of its page, so that it can be kept, sent and come back to.

use super::extract::Fields;

/// `base` with these in its query; what is empty goes unsaid.
pub fn address<N: AsRef<str>, V: AsRef<str>>(base: &str, parts: impl IntoIterator<Item = (N, V)>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parts.into_iter().filter(|(_, value)| !value.as_ref().is_empty()));
    let query = query.finish();
    if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
}

/// Whether a box is ticked, as an address says it.
pub fn tick(is_set: bool) -> &'static str {
    if is_set { "1" } else { "" }
}

/// The page of a list, as an address says it; the first goes unsaid.
pub fn page(number: usize) -> String {
    if number > 1 { number.to_string() } else { String::new() }
}

/// One of a few, each with its word in the address and its label; the one that goes unsaid where there is no such word.
pub fn choice<T: Copy + Default>(query: &Fields, name: &str, each: &[(T, &str, &str)]) -> T {
    let chosen = query.get(name).and_then(|said| each.iter().find(|(_, word, _)| *word == said));
    chosen.map(|(it, ..)| *it).unwrap_or_default()
}

/// The word of one of a few; the one that is meant where there is none goes unsaid.
pub fn word<T: Copy + Default + PartialEq>(chosen: T, each: &[(T, &'static str, &str)]) -> &'static str {
    let is_it = |(it, ..): &&(T, &'static str, &str)| *it == chosen && *it != T::default();
    each.iter().find(is_it).map_or("", |(_, word, _)| word)
}

/// What a list is sorted by, and whether from the last to the first: `size`, `-size`.
pub fn sort(query: &Fields, names: &[&'static str], otherwise: &'static str) -> (&'static str, bool) {
    let said = query.text("sort").unwrap_or_default();
    let (by, is_turned) = said.strip_prefix('-').map_or((said, false), |by| (by, true));
    names.iter().find(|name| **name == by).map_or((otherwise, false), |name| (name, is_turned))
}

/// The same, as an address says it.
pub fn sort_word((by, is_turned): (&str, bool), otherwise: &str) -> String {
    if by == otherwise && !is_turned { String::new() } else { format!("{}{by}", if is_turned { "-" } else { "" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: [(u8, &str, &str); 2] = [(0, "all", "All"), (1, "some", "Some")];

    #[test]
    fn an_address_leads_back_to_its_view() {
        for (said, address_of_it) in [
            ("", "/x"),
            ("q=&show=all&sort=name&page=1&all=0", "/x"),
            ("q=a+b%26&show=some&sort=-size&page=3&all=1", "/x?show=some&q=a+b%26&sort=-size&all=1&page=3"),
            ("show=none&sort=-none&page=-1", "/x"),
            ("sort=-name", "/x?sort=-name"),
        ] {
            let query = Fields::parse(said.as_bytes());
            let again = address(
                "/x",
                [
                    ("show", word(choice(&query, "show", &EACH), &EACH)),
                    ("q", query.text("q").unwrap_or_default()),
                    ("sort", &sort_word(sort(&query, &["name", "size"], "name"), "name")),
                    ("all", tick(query.is_set("all"))),
                    ("page", &page(query.page())),
                ],
            );
            assert_eq!(again, address_of_it, "{said}");
        }
    }
}

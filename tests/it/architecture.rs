//! The arrows of the house: who may name whom. `main -> web -> {command, engine}`, `command -> engine::spec`.

use crate::support::words::sources;

/// The code of a file, without its comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Fails with every file of `folder` (but for those in `but`) in whose code one of `words` stands.
fn nobody_names(folder: &str, but: &[&str], words: &[&str]) {
    let guilty: Vec<String> = sources(folder, "rs")
        .into_iter()
        .filter(|(path, _)| !but.iter().any(|allowed| path.starts_with(allowed)))
        .flat_map(|(path, text)| {
            let code = code(&text);
            let named = words.iter().filter(|word| code.contains(**word));
            named.map(|word| format!("{path} names {word}")).collect::<Vec<_>>()
        })
        .collect();
    assert!(guilty.is_empty(), "{}", guilty.join("\n"));
}

#[test]
fn only_the_engine_names_bollard() {
    nobody_names("src", &["src/engine"], &["bollard::", "use bollard"]);
}

#[test]
fn only_the_web_names_axum_and_askama() {
    nobody_names("src", &["src/web"], &["axum::", "use axum", "askama::", "use askama", "tower_http::"]);
}

#[test]
fn only_the_team_names_the_database() {
    nobody_names("src", &["src/team"], &["rusqlite::", "use rusqlite"]);
}

#[test]
fn s047_no_program_is_ever_run() {
    // The words of a shell are tried on a real one, by the tests beside them.
    nobody_names("src", &["src/command/words.rs"], &["process::Command", "Command::new("]);
}

#[test]
fn only_the_team_names_openid() {
    nobody_names("src", &["src/team"], &["openidconnect::", "use openidconnect", "reqwest::", "use reqwest"]);
}

#[test]
fn nothing_points_back() {
    nobody_names("src/engine", &[], &["crate::web", "crate::command", "crate::config"]);
    nobody_names("src/command", &[], &["crate::web", "crate::config"]);
    nobody_names("src/team", &[], &["crate::web", "crate::config", "crate::engine", "crate::command"]);
    nobody_names("src/tls", &[], &["crate::"]);
    nobody_names("src/web", &["src/web/serve.rs"], &["crate::config"]);
}

#[test]
fn commands_know_the_engines_types_only() {
    for (path, text) in sources("src/command", "rs") {
        for named in code(&text).split("engine::").skip(1) {
            assert!(named.starts_with("spec"), "{path} names engine::{}", named.lines().next().unwrap_or_default());
        }
    }
}

#[test]
fn what_all_pages_share_knows_no_page() {
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/web")).expect("a folder");
    let pages: Vec<String> = folders
        .filter_map(|entry| entry.ok().filter(|entry| entry.path().is_dir())?.file_name().into_string().ok())
        .collect();
    for (path, text) in sources("src/web", "rs") {
        let is_shared = path.matches('/').count() == 2 && path != "src/web/mod.rs";
        for page in pages.iter().filter(|_| is_shared) {
            let code = code(&text);
            let knows = code.match_indices(&format!("{page}::")).any(|(at, _)| {
                // Not `openapi::` for `api::`.
                !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            });
            assert!(!knows, "{path} knows {page}");
        }
    }
}

#[test]
fn a_resource_has_one_name_everywhere() {
    for name in ["containers", "volumes", "overview", "events", "jobs"] {
        let has = |path: String| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists();
        assert!(has(format!("src/web/{name}")) && has(format!("templates/{name}")), "{name}");
    }
}

//! The door for fuzzing: for each reader of foreign bytes, what has to hold whatever it is given. Here in builds for
//! tests and for `cargo fuzz` only, which sets `cfg(fuzzing)`.
//!
//! The properties stand in the rooms, beside what they look into; `tests/fuzz/` has a target for each. What was found
//! once is kept in `tests/fuzz/corpus/`, and tested below with everything else.

pub use crate::{command::fuzzing::*, engine::fuzzing::*, team::fuzzing::*, web::fuzzing::*};

/// A `docker run` line: see [`read_line`]. What anybody may make with it is nothing that a person is warned of.
pub fn run_line(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some((line, spec)) = read_line(&text) else { return };
    let dangers: Vec<_> = line.dangers().into_iter().filter(|danger| danger.flag != "oom-kill-disable").collect();
    assert!(!is_for_anybody(&spec) || dangers.is_empty(), "{dangers:?} are for anybody");
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    fn folder(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(name)
    }

    fn stems(of: &str) -> BTreeSet<String> {
        let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        fs::read_dir(folder(of)).unwrap().map(|entry| stem(entry.unwrap().path())).collect()
    }

    /// Each file of a target's corpus. The last one named is the one that failed.
    fn replay(name: &str, target: fn(&[u8])) {
        for entry in fs::read_dir(folder("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
        }
    }

    macro_rules! replayed {
        ($($target:ident)*) => {
            const REPLAYED: &[&str] = &[$(stringify!($target)),*];
            $(
                #[test]
                fn $target() {
                    replay(stringify!($target), super::$target);
                }
            )*
        };
    }
    replayed! {
        answers audit back claims escape events form forwarded guards headers image inspect intent line list log names prefix
        run_line totp view words
    }

    #[test]
    fn every_target_is_replayed() {
        let replayed: BTreeSet<String> = REPLAYED.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(stems("targets"), replayed);
        assert_eq!(stems("corpus"), replayed);
    }
}

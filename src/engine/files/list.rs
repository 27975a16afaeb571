//! Listing a folder: by `find` and `stat` where they are, else out of the engine's archive.

use std::{collections::HashSet, time::Duration};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    call,
    entry::{Entry, Kind, Listing, Means, Partial},
    exec,
    untar::Untar,
};
use crate::engine::{ContainerId, Engine, Error};

/// How many bytes of names are read: some ten thousand names. What is beyond is not looked at (S053).
const NAMES: usize = 128 << 10;
/// How much the commands may say: each name is said thrice.
const SAID: usize = 4 << 20;
/// How long listing may take.
const TIME: Duration = Duration::from_secs(10);
/// How many entries of a folder are taken out of an archive.
const ENTRIES: usize = 5_000;
/// How many bytes of an archive are read for a listing: the contents of all that is in it come along.
const BYTES: u64 = 2 << 30;

/// Says of each entry what it is. What separates them is a word that nobody could know when they gave a file its name,
/// so that a name with a line end in it forges nothing. POSIX sh, GNU or busybox (S047: the path is an argument).
const SCRIPT: &str = r#"
for tool in find head xargs stat; do command -v "$tool" >/dev/null 2>&1 || exit 121; done
find / -maxdepth 0 -print0 >/dev/null 2>&1 && stat -c %f / >/dev/null 2>&1 || exit 121
cd "$1" 2>/dev/null || exit 122
export QUOTING_STYLE=literal LC_ALL=C
find . -mindepth 1 -maxdepth 1 -print0 2>/dev/null | head -c "$3" |
  xargs -0 stat -c "$2:%f:%s:%u:%g:%U:%G:%Y:%n:$2:%N" 2>/dev/null
exit 0
"#;

/// What came of it where there may be no tools.
pub(super) enum Tried {
    /// It is listed.
    Listed(Listing),
    /// There are no tools inside.
    NoTools,
}

/// Lists by what is inside.
pub(super) async fn by_tools(engine: &Engine, id: &ContainerId, path: &str) -> Result<Tried, Error> {
    let mut word = [0_u8; 12];
    getrandom::fill(&mut word)
        .map_err(|error| Error::Engine { status: 500, message: format!("no randomness: {error}") })?;
    let word = HEXLOWER.encode(&word);
    let names = NAMES.to_string();
    let ran = exec::run(engine, id, &["/bin/sh", "-c", SCRIPT, "sh", path, &word, &names], SAID, TIME).await?;
    match ran.code {
        0 => Ok(Tried::Listed(read(&ran.out, &word))),
        122 => Err(Error::Denied(format!("{path} cannot be opened, not even by root inside"))),
        _ => Ok(Tried::NoTools),
    }
}

fn read(said: &[u8], word: &str) -> Listing {
    let text_mark = format!("{word}:");
    let pieces = split(said, text_mark.as_bytes());
    let mut entries = Vec::new();
    let (mut seen, mut bytes) = (HashSet::new(), 0);
    // Each entry is two pieces: its numbers and name, then the name with where it leads.
    for pair in pieces.get(1..).unwrap_or_default().chunks_exact(2) {
        let [facts, link] = pair else { continue };
        let Some((entry, raw)) = entry(facts, link) else { continue };
        // As find said it: with ./ before and a NUL after.
        bytes += raw.len() + 3;
        if seen.insert(raw) {
            entries.push(entry);
        }
    }
    // As many names as are read, or as much as is listened to.
    let partial = (bytes + 512 > NAMES || said.len() >= SAID).then_some(Partial::Many);
    Listing { entries, partial, means: Means::Tools }
}

fn split<'a>(text: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        pieces.push(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + mark.len()..).unwrap_or_default();
    }
    pieces.push(rest);
    pieces
}

/// An entry and its name as the bytes that it is.
fn entry(facts: &[u8], link: &[u8]) -> Option<(Entry, Vec<u8>)> {
    let mut fields = facts.splitn(8, |byte| *byte == b':');
    let mut text = || fields.next().map(|field| String::from_utf8_lossy(field).into_owned());
    let mode = u32::from_str_radix(&text()?, 16).ok()?;
    let size = text()?.parse().ok()?;
    let (uid, gid) = (text()?.parse().ok()?, text()?.parse().ok()?);
    let (user, group) = (text()?, text()?);
    let seconds: i64 = text()?.parse().ok()?;
    let name = fields.next()?.strip_suffix(b":")?;
    let name = name.strip_prefix(b"./").unwrap_or(name);
    let kind = Kind::of_mode(mode);
    let known = |name: String| if name == "UNKNOWN" { String::new() } else { name };
    let target = if kind == Kind::Link { target(name, link) } else { None };
    let entry = Entry {
        is_exact: std::str::from_utf8(name).is_ok(),
        name: String::from_utf8_lossy(name).into_owned(),
        kind,
        size,
        mode: mode & 0o7777,
        uid,
        gid,
        user: known(user),
        group: known(group),
        modified: Timestamp::from_second(seconds).ok(),
        target,
    };
    Some((entry, name.to_vec()))
}

/// Where a link leads, out of `./name -> target`; busybox puts each into quotes.
fn target(name: &[u8], said: &[u8]) -> Option<String> {
    let said = said.strip_suffix(b"\n").unwrap_or(said);
    let plain = [b"./", name, b" -> "].concat();
    let quoted = [b"'./", name, b"' -> '"].concat();
    let target =
        said.strip_prefix(&*plain).or_else(|| said.strip_prefix(&*quoted).and_then(|rest| rest.strip_suffix(b"'")));
    target.map(|target| String::from_utf8_lossy(target).into_owned())
}

/// Lists out of the engine's archive, which holds all that is in the folder, contents and all: as far as is bearable.
pub(super) async fn by_archive(engine: &Engine, id: &ContainerId, path: &str) -> Result<Listing, Error> {
    let body = call::open(engine, id, path).await?;
    let mut tar = Untar::new(body);
    let mut entries: Vec<Entry> = Vec::new();
    let mut partial = None;
    let mut depth = None;
    let end = Instant::now() + TIME;
    loop {
        if entries.len() >= ENTRIES {
            partial = Some(Partial::Many);
            break;
        }
        if tar.read > BYTES {
            partial = Some(Partial::Heavy);
            break;
        }
        let Ok(next) = tokio::time::timeout_at(end, tar.next()).await else {
            partial = Some(Partial::Heavy);
            break;
        };
        let Some(member) = next? else { break };
        let Some(root) = depth else {
            depth = Some(member.path.len());
            continue;
        };
        if member.path.len() == root + 1 {
            entries.push(member.entry);
        }
    }
    Ok(Listing { entries, partial, means: Means::Archive })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s053_names_forge_no_entries() {
        let said = b"W:81a4:5:0:0:root:root:0:./a\nX:81a4:9:0:0:root:root:0:./evil:W:./a\nX:81a4:9:0:0:root:root:0:./evil\n\
            W:a1ff:1:1000:1000:UNKNOWN:UNKNOWN:0:./l:W:'./l' -> '/'\nW:a1ff:1:0:0:root:root:0:./m' -> 'x:W:./m' -> 'x -> /etc\n";
        let listing = read(said, "W");
        let names: Vec<_> =
            listing.entries.iter().map(|entry| (entry.name.as_str(), entry.target.as_deref())).collect();
        assert_eq!(names, [("a\nX:81a4:9:0:0:root:root:0:./evil", None), ("l", Some("/")), ("m' -> 'x", Some("/etc"))]);
        assert_eq!(listing.entries.get(1).map(Entry::owner).as_deref(), Some("1000:1000"));
        assert_eq!(listing.partial, None);
    }
}

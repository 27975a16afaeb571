//! A folder that is uploaded file by file, as the tar that a builder takes; without what its `.dockerignore` names, as
//! `docker build` leaves it out. Source: docs.docker.com/build/concepts/context, "`.dockerignore` files"; the rules of
//! matching: moby/patternmatcher, `MatchesOrParentMatches`.

use std::{collections::BTreeMap, ops::Range};

use bytes::BytesMut;
use globset::{GlobBuilder, GlobMatcher};

use crate::engine::{Error, Spool};

/// The name of the list of what is left out.
const LIST: &str = ".dockerignore";
/// The longest such list that is read, in bytes.
const LONGEST: u64 = 256 << 10;

/// A folder, as far as it has come.
pub struct Folder {
    tar: Spool,
    /// Where in the tar each file is, with its header.
    files: Vec<(String, Range<u64>)>,
    /// The lists among them.
    lists: BTreeMap<String, String>,
}

impl Folder {
    /// An empty one, into this.
    pub fn new(tar: Spool) -> Self {
        Self { tar, files: Vec::new(), lists: BTreeMap::new() }
    }

    /// How many files it has.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Adds a file under its path; answers no where it is too much.
    pub async fn add(&mut self, name: &str, mut file: Spool) -> Result<bool, Error> {
        let begin = self.tar.size;
        let mut header = tar::Header::new_ustar();
        header.set_size(file.size);
        // What is uploaded by a browser comes without its mode: scripts among it are meant to run.
        header.set_mode(0o755);
        let mut tar = tar::Builder::new(Vec::new());
        let written = tar.append_data(&mut header, name, std::io::empty());
        written.map_err(|error| Error::Invalid(format!("{name} cannot be sent: {error}")))?;
        if !self.tar.add(tar.get_ref()).await? {
            return Ok(false);
        }
        std::mem::take(tar.get_mut());
        let is_list = name.ends_with(LIST) && file.size <= LONGEST;
        let mut list = Vec::new();
        let fill = usize::try_from((512 - file.size % 512) % 512).unwrap_or(0);
        file.rewind().await?;
        let mut piece = BytesMut::with_capacity(256 << 10);
        while file.read(&mut piece).await.map_err(|error| broken(&error))? > 0 {
            if is_list {
                list.extend_from_slice(&piece);
            }
            if !self.tar.add(&piece).await? {
                return Ok(false);
            }
            piece.clear();
        }
        if !self.tar.add(&vec![0; fill]).await? {
            return Ok(false);
        }
        self.files.push((name.to_owned(), begin..self.tar.size));
        if is_list {
            self.lists.insert(name.to_owned(), String::from_utf8_lossy(&list).into_owned());
        }
        Ok(true)
    }

    /// All of it, for a build by this Dockerfile. Where a list leaves something out, the rest goes into `fresh`, which is asked
    /// for only then. None where it is too much.
    pub async fn end(
        mut self,
        dockerfile: &str,
        fresh: impl Future<Output = Result<Spool, Error>>,
    ) -> Result<Option<Spool>, Error> {
        let list = self.lists.get(&format!("{dockerfile}{LIST}")).or_else(|| self.lists.get(LIST));
        let Some(ignored) = list.map(|list| Ignored::read(list)) else {
            return Ok(self.tar.add(&[0; 1024]).await?.then_some(self.tar));
        };
        // The builder needs these two, whatever the list says; what becomes of them is the builder's matter.
        let is_needed = |name: &str| name == dockerfile || name.ends_with(LIST);
        let mut fresh = fresh.await?;
        self.tar.rewind().await?;
        for (name, place) in &self.files {
            if (is_needed(name) || !ignored.takes(name)) && !self.tar.copy(place.clone(), &mut fresh).await? {
                return Ok(None);
            }
        }
        Ok(fresh.add(&[0; 1024]).await?.then_some(fresh))
    }
}

fn broken(error: &std::io::Error) -> Error {
    Error::Engine { status: 500, message: format!("what was uploaded cannot be read: {error}") }
}

/// What a list leaves out.
#[derive(Debug)]
struct Ignored(Vec<(GlobMatcher, bool)>);

impl Ignored {
    /// Reads a list. A line that is no pattern leaves nothing out.
    fn read(text: &str) -> Self {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let pattern = |line: &str| {
            let (line, is_back) = line.strip_prefix('!').map_or((line, false), |rest| (rest.trim(), true));
            let parts = line.split('/').filter(|part| !matches!(*part, "" | "."));
            let mut path: Vec<&str> = Vec::new();
            for part in parts {
                if part == ".." {
                    path.pop();
                } else {
                    path.push(part);
                }
            }
            // Braces are letters there.
            let path = path.join("/").replace('{', "[{]").replace('}', "[}]");
            let glob = GlobBuilder::new(&path).literal_separator(true).backslash_escape(true).build().ok()?;
            (!path.is_empty()).then(|| (glob.compile_matcher(), is_back))
        };
        Self(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(pattern).collect())
    }

    /// Whether a path is left out: by itself or with a folder that it is in; the last pattern that speaks of it counts.
    fn takes(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let paths: Vec<&str> = ends.filter_map(|end| path.get(..end)).collect();
        let speaks = |(glob, _): &&(GlobMatcher, bool)| paths.iter().any(|path| glob.is_match(path));
        self.0.iter().rev().find(speaks).is_some_and(|(_, is_back)| !is_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_leaves_out_what_docker_leaves_out() {
        let list = Ignored::read(
            "\u{feff}# no: *\n\nnode_modules\n/dist/\n*/temp*\n*.md\n!README.md\n**/*.log\ndocs/**\n!docs/keep.txt\n./a/../b\nx{1}\n[invalid\nq?\n",
        );
        for (path, is_out) in [
            ("node_modules", true),
            ("node_modules/a/b.js", true),
            ("sub/node_modules/a.js", false),
            ("dist/x", true),
            ("temp", false),
            ("somedir/temporary.txt", true),
            ("somedir/subdir/temporary.txt", false),
            ("a.md", true),
            ("README.md", false),
            ("sub/a.md", false),
            ("x.log", true),
            ("deep/er/x.log", true),
            ("docs/a/b.txt", true),
            ("docs/keep.txt", false),
            ("a", false),
            ("b/c", true),
            ("x{1}", true),
            ("x1", false),
            ("q1", true),
            ("q12", false),
            ("no: *", false),
        ] {
            assert_eq!(list.takes(path), is_out, "{path}");
        }
        assert!(!Ignored::read("").takes("a"));
    }
}

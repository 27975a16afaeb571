//! Paths and names inside containers, parsed before they go anywhere.

use std::{fmt, str::FromStr, sync::Arc};

/// The longest path that Linux takes, in bytes. Source: limits.h, `PATH_MAX`.
const PATH: usize = 4096;
/// The longest name, in bytes. Source: limits.h, `NAME_MAX`.
const NAME: usize = 255;

/// An absolute path inside a container or a volume, without `.`, `..` and double slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FilePath(Arc<str>);

/// The name of one file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

/// Why a text is no path or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// It does not begin with a slash.
    #[error("a path begins with /")]
    Relative,
    /// It leads upwards.
    #[error("a path has no .. in it")]
    Upwards,
    /// It is too long, or has a NUL in it.
    #[error("a path has 4,096 bytes at most, a name 255, and no NUL")]
    Impossible,
    /// It is no name.
    #[error("a name is not empty, has no / in it, and is neither . nor ..")]
    Name,
}

impl FilePath {
    /// The root.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }

    /// Its last part; nothing for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folder that it is in; the root is in itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some(("", _)) | None => Self::root(),
            Some((parent, _)) => Self(parent.into()),
        }
    }

    /// What has this name in it.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        if self.is_root() { Self(format!("/{name}").into()) } else { Self(format!("{}/{name}", self.0).into()) }
    }

    /// The folders on the way to it and itself, the root first.
    pub fn steps(&self) -> Vec<Self> {
        let mut steps = vec![Self::root()];
        for part in self.0.split('/').filter(|part| !part.is_empty()) {
            let next = steps.last().map(|last| last.join(part));
            steps.extend(next);
        }
        steps
    }

    /// The same below this folder of the engine's, itself without a slash at its end.
    pub(super) fn below(&self, base: &str) -> String {
        if self.is_root() && !base.is_empty() { base.to_owned() } else { format!("{base}{}", self.0) }
    }
}

impl FromStr for FilePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        if !text.starts_with('/') {
            return Err(InvalidPath::Relative);
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.contains(&"..") {
            return Err(InvalidPath::Upwards);
        }
        if text.len() > PATH || text.contains('\0') || parts.iter().any(|part| part.len() > NAME) {
            return Err(InvalidPath::Impossible);
        }
        Ok(Self(format!("/{}", parts.join("/")).into()))
    }
}

impl FileName {
    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        if matches!(text, "" | "." | "..") || text.contains('/') {
            return Err(InvalidPath::Name);
        }
        if text.len() > NAME || text.contains('\0') {
            return Err(InvalidPath::Impossible);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s033_paths_are_absolute_and_lead_nowhere_else() {
        let path = |text: &str| text.parse::<FilePath>().map(|path| path.to_string());
        for (text, is) in
            [("/", "/"), ("/a/b", "/a/b"), ("//a/./b//", "/a/b"), ("/..a/b..", "/..a/b.."), ("/a\nb", "/a\nb")]
        {
            assert_eq!(path(text).as_deref(), Ok(is));
        }
        for bad in ["", "a", "/..", "/a/../b", "/a\0b", &"/a".repeat(3_000), &format!("/{}", "a".repeat(256))] {
            assert!(path(bad).is_err(), "{bad}");
        }
        let deep: FilePath = "/a/b".parse().unwrap();
        assert_eq!(deep.parent().parent(), FilePath::root());
        assert_eq!(deep.steps().iter().map(FilePath::as_str).collect::<Vec<_>>(), ["/", "/a", "/a/b"]);
        assert_eq!(
            (deep.below("/volume"), FilePath::root().below("/volume")),
            ("/volume/a/b".into(), "/volume".into())
        );
        assert_eq!(FilePath::root().below(""), "/");
        for bad in ["", ".", "..", "a/b", "a\0", &"a".repeat(256)] {
            assert!(bad.parse::<FileName>().is_err(), "{bad}");
        }
    }
}

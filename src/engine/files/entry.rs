//! What there is in a folder.

use jiff::Timestamp;

/// What something in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file with bytes in it.
    File,
    /// A link to a path, which may lead nowhere.
    Link,
    /// A pipe with a name: whoever reads it waits for who writes.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
    /// Something else.
    Other,
}

impl Kind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::File => "file",
            Self::Link => "link",
            Self::Pipe => "pipe",
            Self::Socket => "socket",
            Self::Device => "device",
            Self::Other => "other",
        }
    }

    /// The letter that `ls -l` puts before the mode.
    pub fn letter(self) -> char {
        match self {
            Self::Folder => 'd',
            Self::File => '-',
            Self::Link => 'l',
            Self::Pipe => 'p',
            Self::Socket => 's',
            Self::Device => 'c',
            Self::Other => '?',
        }
    }

    /// From the kernel's `st_mode`. Source: inode(7).
    pub(super) fn of_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Folder,
            0o100_000 => Self::File,
            0o120_000 => Self::Link,
            0o010_000 => Self::Pipe,
            0o140_000 => Self::Socket,
            0o020_000 | 0o060_000 => Self::Device,
            _ => Self::Other,
        }
    }

    /// From Go's `FileMode`, which the engine tells. Source: <https://pkg.go.dev/io/fs#FileMode>
    pub(super) fn of_go(mode: u32) -> Self {
        let has = |bit: u32| mode & (1 << bit) != 0;
        match () {
            () if has(31) => Self::Folder,
            () if has(27) => Self::Link,
            () if has(25) => Self::Pipe,
            () if has(24) => Self::Socket,
            () if has(26) || has(21) => Self::Device,
            () if has(19) => Self::Other,
            () => Self::File,
        }
    }
}

/// A mode as `ls -l` writes it: `drwxr-xr-x`.
pub fn mode_words(kind: Kind, mode: u32) -> String {
    let mut out = String::with_capacity(10);
    out.push(kind.letter());
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        out.push(if bits & 4 == 0 { '-' } else { 'r' });
        out.push(if bits & 2 == 0 { '-' } else { 'w' });
        out.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; what is not UTF-8 in it is replaced.
    pub name: String,
    /// Whether the name is just what it is called: only then can it be asked for.
    pub is_exact: bool,
    /// What it is.
    pub kind: Kind,
    /// Bytes, as it says itself.
    pub size: u64,
    /// Permissions, the lower twelve bits of the mode.
    pub mode: u32,
    /// Whom it belongs to, by number.
    pub uid: u64,
    /// The group that it belongs to, by number.
    pub gid: u64,
    /// Whom it belongs to, where that has a name there.
    pub user: String,
    /// The group that it belongs to, where that has a name there.
    pub group: String,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
    /// Where a link leads.
    pub target: Option<String>,
}

impl Entry {
    /// Its mode as `ls -l` writes it.
    pub fn mode_words(&self) -> String {
        mode_words(self.kind, self.mode)
    }

    /// Its name on one line.
    pub fn shown_name(&self) -> String {
        self.name.replace('\n', "␊").replace('\t', "␉")
    }

    /// Whom it belongs to, as `root:root`.
    pub fn owner(&self) -> String {
        let or = |name: &str, number: u64| if name.is_empty() { number.to_string() } else { name.to_owned() };
        format!("{}:{}", or(&self.user, self.uid), or(&self.group, self.gid))
    }
}

/// What stands at a path, as far as the engine tells of it without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Bytes, as it says itself.
    pub size: u64,
    /// Permissions.
    pub mode: u32,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
    /// Where a link leads in the end.
    pub target: Option<String>,
}

impl From<Entry> for Found {
    fn from(entry: Entry) -> Self {
        let Entry { kind, size, mode, modified, target, .. } = entry;
        Self { kind, size, mode, modified, target }
    }
}

/// Why a listing is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partial {
    /// There are more than are read.
    Many,
    /// The engine sends the content of everything along, and that took too long or was too much.
    Heavy,
}

/// How a listing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// By `find` and `stat`, inside.
    Tools,
    /// Out of the engine's archive.
    Archive,
}

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What is in it, as it was found.
    pub entries: Vec<Entry>,
    /// Why that is not all.
    pub partial: Option<Partial>,
    /// How it was read.
    pub means: Means,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_written_as_ls_does() {
        assert_eq!(mode_words(Kind::Folder, 0o1777), "drwxrwxrwt");
        assert_eq!(mode_words(Kind::File, 0o4755), "-rwsr-xr-x");
        assert_eq!(mode_words(Kind::File, 0o2640), "-rw-r-S---");
        assert_eq!(mode_words(Kind::Link, 0o777), "lrwxrwxrwx");
    }
}

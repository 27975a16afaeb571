//! What each role may do: the one table, which the README and the page People are drawn from.

use std::{fmt, str::FromStr};

/// How much somebody may do. Each may everything that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, and sees no secrets.
    Viewer,
    /// Runs the life cycle, never gains root.
    Operator,
    /// Does all.
    Admin,
}

/// Something to be allowed. Each route asks for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// To see lists, details, live pages, logs, events, jobs and the activity.
    Look,
    /// To manage what is one's own: password, second factor, sessions, tokens.
    Own,
    /// To start, stop, restart, kill, pause, unpause and rename containers, and to connect them to networks.
    Operate,
    /// To read what is inside containers and volumes: files, whole file systems.
    Read,
    /// To go inside containers: terminals, changes of files, images made of them, their limits.
    Enter,
    /// To make containers, volumes and networks, as far as that does not give root on the host.
    Create,
    /// To remove containers, volumes and networks, and to prune.
    Remove,
    /// To make what gives root on the host: privileged, host paths, devices, host namespaces.
    Root,
    /// To see the values of variables and options.
    Reveal,
    /// To build images: what a Dockerfile says is run, and fetched from anywhere.
    Build,
    /// To sign in to registries, for everybody, and out of them.
    Registries,
    /// To read and export the audit.
    Audit,
    /// To manage people.
    People,
}

impl Role {
    /// All, from the least to the most.
    pub const EACH: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The table: whether this role has that right.
    pub fn may(self, right: Right) -> bool {
        self >= right.least()
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// What it is for.
    pub fn about(self) -> &'static str {
        match self {
            Self::Viewer => "looks at everything, and sees no secrets",
            Self::Operator => {
                "runs, makes and removes containers, volumes and networks, and never becomes root on the host"
            }
            Self::Admin => "does everything; who makes privileged containers is root on the host",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::EACH
            .into_iter()
            .find(|role| role.word() == word)
            .ok_or_else(|| format!("“{word}” is no role: viewer, operator or admin."))
    }
}

impl Right {
    /// All, in the order of the table.
    pub const EACH: [Self; 13] = [
        Self::Look,
        Self::Own,
        Self::Operate,
        Self::Read,
        Self::Enter,
        Self::Create,
        Self::Remove,
        Self::Root,
        Self::Reveal,
        Self::Build,
        Self::Registries,
        Self::Audit,
        Self::People,
    ];

    /// The least role that has it.
    pub fn least(self) -> Role {
        match self {
            Self::Look | Self::Own => Role::Viewer,
            Self::Operate | Self::Read | Self::Enter | Self::Create | Self::Remove => Role::Operator,
            Self::Root | Self::Reveal | Self::Build | Self::Registries | Self::Audit | Self::People => Role::Admin,
        }
    }

    /// Whether it changes something of the engine: nobody has it in a read-only installation.
    pub fn changes_engine(self) -> bool {
        matches!(self, Self::Operate | Self::Enter | Self::Create | Self::Remove | Self::Root | Self::Build)
    }

    /// What it is, for the table.
    pub fn about(self) -> &'static str {
        match self {
            Self::Look => "See containers and their logs, images, volumes, networks, events, jobs and the activity",
            Self::Own => "Manage one’s own password, second factor, sessions and tokens",
            Self::Operate => {
                "Start, stop, restart, kill, pause, unpause and rename containers, connect them to networks"
            }
            Self::Read => {
                "Read and download the files of containers and volumes, save images: not where that is root on the host"
            }
            Self::Enter => {
                "Open terminals in containers, change their files and limits, make images of them: not where that is root on the host"
            }
            Self::Create => {
                "Create and run containers, create volumes and networks, pull, push, tag and import images: nothing that gives root on the host"
            }
            Self::Remove => "Remove containers, images, volumes and networks, prune, cancel jobs",
            Self::Root => {
                "Create what gives root on the host: privileged, host paths, devices, host namespaces; load images under any name"
            }
            Self::Reveal => "See the values of variables and driver options",
            Self::Build => "Build images",
            Self::Registries => "Sign in to registries, for everybody, and out of them",
            Self::Audit => "Read and export the audit",
            Self::People => "Manage people, their roles and their sessions",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The README's table of roles, drawn from the table.
    fn table() -> String {
        let mut rows = String::from("| | viewer | operator | admin |\n|---|---|---|---|\n");
        for right in Right::EACH {
            let cell = |role: Role| if role.may(right) { "yes" } else { "" };
            let [viewer, operator, admin] = Role::EACH.map(cell);
            let _ = writeln!(rows, "| {} | {viewer} | {operator} | {admin} |", right.about());
        }
        rows
    }

    #[test]
    fn the_readme_has_the_table() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&table()), "put this between the README's roles marks:\n{}", table());
    }

    #[test]
    fn a_viewer_changes_nothing() {
        assert!(Right::EACH.into_iter().filter(|right| right.changes_engine()).all(|right| !Role::Viewer.may(right)));
        assert!(Right::EACH.into_iter().all(|right| Role::Admin.may(right)));
    }
}

//! Who runs inside a container: `GET /containers/{id}/top`.

use serde::Deserialize;
use std::{sync::Arc, time::Duration};

use super::{
    ContainerId, Engine, Error,
    containers::{Containers, or_default},
    fresh::Fresh,
    reach::HIDDEN,
    wire::encoded,
};

/// How long an answer is good: many who look cost the engine what one does.
const LIFE: Duration = Duration::from_secs(2);
/// Processes that are kept of an answer.
const MOST: usize = 5_000;

/// Which columns are asked for: ours to choose from. Nothing that somebody typed reaches `ps`, which the engine runs on
/// its host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Columns {
    /// Who started whom.
    #[default]
    Full,
    /// What each uses.
    Usage,
    /// How each stands, and since when.
    State,
}

impl Columns {
    /// All, in their order.
    pub const EACH: [Self; 3] = [Self::Full, Self::Usage, Self::State];

    /// Its word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Usage => "usage",
            Self::State => "state",
        }
    }

    /// What `docker top` is asked for: the program's name alone, in place of its command line, for who must not see
    /// what may be a secret (S044). Podman knows columns by other names, and gives whatever else it is told to the
    /// `ps` inside of the container, if there is one. Source: podman-top(1), "Format descriptors".
    pub fn asks(self, on_podman: bool, hides: bool) -> &'static str {
        match (self, on_podman, hides) {
            (Self::Full, false, false) => "-ef",
            (Self::Full, false, true) => "-eo user,pid,ppid,c,stime,tty,time,comm",
            (Self::Usage, false, false) => "aux",
            (Self::Usage, false, true) => "axo user,pid,pcpu,pmem,vsz,rss,tty,stat,start,time,comm",
            (Self::State, false, false) => "-eo pid,ppid,user,stat,nlwp,ni,pcpu,pmem,rss,etime,args",
            (Self::State, false, true) => "-eo pid,ppid,user,stat,nlwp,ni,pcpu,pmem,rss,etime,comm",
            (Self::Full, true, false) => "user,pid,ppid,pcpu,stime,tty,time,args",
            (Self::Full, true, true) => "user,pid,ppid,pcpu,stime,tty,time,comm",
            (Self::Usage, true, false) => "user,pid,pcpu,vsz,rss,tty,state,stime,time,args",
            (Self::Usage, true, true) => "user,pid,pcpu,vsz,rss,tty,state,stime,time,comm",
            (Self::State, true, false) => "pid,ppid,user,state,nice,pcpu,rss,etime,args",
            (Self::State, true, true) => "pid,ppid,user,state,nice,pcpu,rss,etime,comm",
        }
    }
}

/// The processes of a container, as `ps` tells of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processes {
    /// What was asked for, as `docker top NAME …` takes it.
    pub asked: &'static str,
    /// The columns; the last is the command.
    pub titles: Vec<String>,
    /// A process each, a cell for each column.
    pub rows: Vec<Vec<String>>,
    /// How many there are.
    pub total: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Top {
    #[serde(default, deserialize_with = "or_default")]
    titles: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    processes: Vec<Vec<String>>,
}

/// What was told lately, by container and columns.
#[derive(Debug)]
pub(super) struct Told(Fresh<(ContainerId, &'static str), Processes>);

impl Default for Told {
    fn default() -> Self {
        Self(Fresh::new(LIFE))
    }
}

impl Containers<'_> {
    /// Who runs in this container now, two seconds ago at most.
    pub async fn processes(&self, id: &ContainerId, columns: Columns) -> Result<Arc<Processes>, Error> {
        let engine: &Engine = self.0;
        engine.reaches_container(id)?;
        engine.reachable()?;
        let hides = engine.reach.secrets < super::Secrets::Masked;
        let asked = columns.asks(engine.live.picture().is_podman(), hides);
        let ask = async {
            let args = encoded(asked);
            let top: Top = engine.wire.get(&format!("/containers/{id}/top?ps_args={args}")).await?;
            Ok(Processes::read(top, asked, hides))
        };
        engine.told.0.get((id.clone(), asked), ask).await.map_err(|error| engine.told(error))
    }
}

impl Processes {
    fn read(top: Top, asked: &'static str, hides: bool) -> Self {
        let Top { titles, processes } = top;
        let total = processes.len();
        // A podman that does not know a column hands the words to a `ps` inside, whose lines it does not take apart: then
        // nobody knows what stands in them.
        let is_whole = titles.len() == 1;
        let split = |line: String, cells: usize| -> Vec<String> {
            let mut rest = line.trim();
            let mut found = Vec::new();
            while found.len() + 1 < cells {
                let (word, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                found.push(word.to_owned());
                rest = more.trim_start();
            }
            found.push(if hides { HIDDEN.to_owned() } else { rest.to_owned() });
            found
        };
        let titles: Vec<String> = titles.iter().flat_map(|title| title.split_whitespace()).map(str::to_owned).collect();
        let cells = titles.len();
        let row = |row: Vec<String>| {
            let mut row = if is_whole { split(row.concat(), cells) } else { row };
            row.resize(cells, String::new());
            row.into_iter().zip(&titles).map(|(cell, title)| tidy(cell, title)).collect()
        };
        let rows = processes.into_iter().take(MOST).map(row).collect();
        Self { asked, titles, rows, total }
    }
}

/// Podman's times in the length that `ps` has them in: `2.131543533s` as `2s`, without the zone, which is always UTC.
fn tidy(cell: String, title: &str) -> String {
    match title {
        "ELAPSED" | "TIME" if cell.ends_with('s') => {
            cell.split_once('.').map_or_else(|| cell.clone(), |(whole, _)| format!("{whole}s"))
        }
        "STIME" => cell.strip_suffix(" +0000 UTC").map_or_else(|| cell.clone(), str::to_owned),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s044_nobody_who_must_not_see_a_command_line_asks_for_one() {
        for columns in Columns::EACH {
            for on_podman in [false, true] {
                let (open, hidden) = (columns.asks(on_podman, false), columns.asks(on_podman, true));
                assert!(hidden.ends_with(",comm") && !hidden.contains("args") && !hidden.contains("cmd"), "{hidden}");
                assert!(open != hidden && !open.contains("comm"), "{open}");
            }
        }
    }

    #[test]
    fn what_podman_does_not_take_apart_is_taken_apart_here() {
        let top = || Top {
            titles: vec!["PID   USER     COMMAND".into()],
            processes: vec![vec!["   1 root     sh -c echo  hunter2".into()], vec!["8".into()]],
        };
        let told = Processes::read(top(), "", false);
        assert_eq!(told.titles, ["PID", "USER", "COMMAND"]);
        assert_eq!(told.rows, [["1", "root", "sh -c echo  hunter2"], ["8", "", ""]]);
        assert!(!format!("{:?}", Processes::read(top(), "", true)).contains("hunter2"));
        assert_eq!(tidy("1m2.13s".into(), "ELAPSED"), "1m2s");
        assert_eq!(tidy("2026-11-25 02:29:54 +0000 UTC".into(), "STIME"), "2026-11-25 02:29:54");
    }
}

//! Ending what a terminal has started, all of it and nothing else (S065). The engine has no call for that, and what runs
//! in a terminal goes on when its connection is closed: a second exec looks for it from inside, with what every shell
//! has built in.

use std::time::Duration;

use super::{Command, Remote, line::Of};

/// Finds what carries the mark, and what came of that: children, and whoever is of the same session. A program may have
/// another environment, as `su -` makes it, and a child may have lost its parent. Tells which there are.
///
/// `read` leaves out the zero bytes of `/proc/*/environ`. In `/proc/*/stat` what is before the last `)` is the
/// program's name, which may be anything; after it stand state, parent, group and session. Source: proc(5).
const LOOK: &str = r#"
mark=$1 signal=$2 all=' ' sessions=' ' own=
for p in $3; do [ -e /proc/"$p"/stat ] && all="$all$p "; done
read -r l </proc/1/stat && l=${l##*) } && set -- $l && own=$4
for d in /proc/[0-9]*; do
  while IFS= read -r l || [ -n "$l" ]; do
    case $l in *"$mark"*)
      read -r l <$d/stat && l=${l##*) } && set -- $l && [ "$1" != Z ] || break
      all="$all${d#/proc/} "
      case $4 in 0|1|"$own") ;; *) sessions="$sessions$4 " ;; esac
      break
    esac
    l=
  done <$d/environ
done
more=1
while [ -n "$more" ] && [ "$all" != ' ' ]; do
  more=
  for d in /proc/[0-9]*; do
    p=${d#/proc/}
    case $p in 1|$$) continue ;; esac
    case $all in *" $p "*) continue ;; esac
    read -r l <$d/stat || continue
    l=${l##*) }
    set -- $l
    [ "$1" = Z ] && continue
    case $all in *" $2 "*) all="$all$p "; more=1; continue ;; esac
    case $sessions in *" $4 "*) all="$all$p "; more=1 ;; esac
  done
done
for p in $all; do kill -"$signal" "$p"; [ "$signal" = HUP ] && kill -CONT "$p"; done
echo "left=$all"
"#;

/// How long a program has to end by itself, once it is hung up on.
const GRACE: Duration = Duration::from_millis(400);
/// How often what is left is killed, at most.
const ROUNDS: usize = 5;

/// What is left of a terminal that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// Something may be: the container has no shell to look with, or it could not be ended.
    Perhaps,
}

impl Remote {
    /// Ends everything that it has started. The container's own process is none of ours: it goes on.
    pub async fn sweep(&self) -> Left {
        let Of::Exec { id, mark, user, is_root } = &self.of else { return Left::Nothing };
        let found = self.look(mark, user.as_deref(), "HUP", &[]).await;
        let mut left = found.clone();
        for round in 0..ROUNDS {
            if left.as_ref().is_none_or(Vec::is_empty) {
                break;
            }
            tokio::time::sleep(GRACE).await;
            // What has become somebody else is not theirs to kill. Root in a container, again, cannot see into what others
            // run there without more than it has as a rule: it is told whom they found.
            let whom = if *is_root || round == 0 { user.as_deref() } else { Some("0") };
            left = self.look(mark, whom, "KILL", found.as_deref().unwrap_or_default()).await;
        }
        match left {
            Some(left) if left.is_empty() => Left::Nothing,
            _ if self.engine.exit_code(id).await.is_some() => Left::Nothing,
            _ => Left::Perhaps,
        }
    }

    /// Sends this signal to all of it that this user can see, and to who was found before; answers with whom that was,
    /// or with none where the container has no shell.
    async fn look(&self, mark: &str, user: Option<&str>, signal: &str, known: &[String]) -> Option<Vec<String>> {
        let words = ["/bin/sh", "-c", LOOK, "wheelhouse", mark, signal, &known.join(" ")].map(str::to_owned).to_vec();
        let command = Command { words, user: user.map(str::to_owned), workdir: None };
        let (_, said) = self.engine.asks(&self.container, &command).await.ok()?;
        let left = said.lines().find_map(|line| line.trim().strip_prefix("left="))?;
        Some(left.split_whitespace().map(str::to_owned).collect())
    }
}

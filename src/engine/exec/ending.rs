//! Ending what a terminal has started, all of it and nothing else (S065). The engine has no call for that, and what runs
//! in a terminal goes on when its connection is closed: a second exec looks for it from inside, with what every shell
//! has built in.

use super::{Command, Remote, line::Of};

/// Finds what carries the mark, and what came of that: children, and whoever is of the same session. A program may have
/// another environment, as `su -` makes it, and a child may have lost its parent. Hangs up on all of it, kills what stays,
/// and tells what is left.
///
/// `read` leaves out the zero bytes of `/proc/*/environ`. In `/proc/*/stat` what is before the last `)` is the
/// program's name, which may be anything; after it stand state, parent, group and session. Source: proc(5).
const SWEEP: &str = r#"
mark=$1 all=$2
own=
read -r l </proc/1/stat && l=${l##*) } && set -- $l && own=$4
look() {
  was=$all all=' ' sessions=' '
  for p in $was; do read -r l </proc/"$p"/stat && case ${l##*) } in Z*) ;; *) all="$all$p " ;; esac; done
  for d in /proc/[0-9]*; do
    while IFS= read -r l || [ -n "$l" ]; do
      case $l in *"$mark"*)
        read -r l <$d/stat && l=${l##*) } && set -- $l && [ "$1" != Z ] || break
        case $all in *" ${d#/proc/} "*) ;; *) all="$all${d#/proc/} " ;; esac
        case $4 in 0|1|"$own") ;; *) sessions="$sessions$4 " ;; esac
        break
      esac
      l=
    done <$d/environ
  done
  more=$all
  while [ "${more:- }" != ' ' ]; do
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
}
look
found=$all
for p in $all; do kill -HUP "$p"; kill -CONT "$p"; done
[ "$all" = ' ' ] || sleep 0.3 || sleep 1
for round in 1 2 3; do
  look
  [ "$all" = ' ' ] && break
  for p in $all; do kill -KILL "$p"; done
  sleep 0.1
done
look
echo "found=$found"
echo "left=$all"
"#;

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
        let mut left = self.sweep_as(mark, user.as_deref(), &[]).await;
        // What has become somebody else is not theirs to kill. Root in a container, again, cannot see into what others run
        // there without more than it has as a rule: it is told whom they found.
        if let Some((found, _)) = left.as_ref().filter(|(_, left)| !is_root && !left.is_empty()) {
            left = self.sweep_as(mark, Some("0"), found).await;
        }
        self.engine.ledger.forget(mark);
        match left {
            Some((_, left)) if left.is_empty() => Left::Nothing,
            _ if self.engine.exit_code(id).await.is_some() => Left::Nothing,
            _ => Left::Perhaps,
        }
    }

    /// Ends all of it that this user can see, and who was found before; answers with whom that found and whom it left, or
    /// with none where the container has no shell.
    async fn sweep_as(&self, mark: &str, user: Option<&str>, known: &[String]) -> Option<(Vec<String>, Vec<String>)> {
        let words = ["/bin/sh", "-c", SWEEP, "wheelhouse", mark, &known.join(" ")].map(str::to_owned).to_vec();
        let command = Command { words, user: user.map(str::to_owned), workdir: None };
        let (_, said) = self.engine.asks(&self.container, &command).await.ok()?;
        let list = |name: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(name))?;
            Some(line.split_whitespace().map(str::to_owned).collect())
        };
        Some((list("found=")?, list("left=")?))
    }
}

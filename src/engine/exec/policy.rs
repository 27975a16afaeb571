//! As whom somebody may run something in a container (S039). Privileged nobody may: the field is not sent at all.

use crate::engine::{Detail, Error, Reach};

/// Whether a user in docker's words, `name`, `uid` or `uid:gid`, is root.
pub(super) fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default();
    matches!(name, "" | "root") || name.parse::<u64>() == Ok(0)
}

/// Whether it is a number and not root's, and so is its group, where it has one: a name may stand for anything.
fn is_plain(user: &str) -> bool {
    let fine =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_ok_and(|id| id > 0);
    let (name, group) = user.split_once(':').map_or((user, None), |(name, group)| (name, Some(group)));
    fine(name) && group.is_none_or(fine)
}

/// Refuses a user that this hand may not be. Whoever has power over the host may be anybody; everybody else what the
/// container itself is, or less.
pub(super) fn admits(reach: &Reach, detail: &Detail, user: Option<&str>) -> Result<(), Error> {
    allows(reach.root, &detail.user, user)
}

fn allows(is_admin: bool, own: &str, user: Option<&str>) -> Result<(), Error> {
    let Some(user) = user else { return Ok(()) };
    if is_admin || user == own || is_root(own) || is_plain(user) {
        return Ok(());
    }
    Err(Error::Forbidden(format!(
        "This container runs as {own}, not as root. It lets you be {own} as well, or a user by number, as 1000 or 1000:1000, but \
         not root and not by another name."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s039_nobody_becomes_more_than_the_container_is() {
        for user in [
            "root",
            "0",
            "0:0",
            "00",
            "root:1000",
            "1000:0",
            "1000:root",
            "app",
            "nobody:nogroup",
            "",
            ":0",
            "+0",
            "-1",
            "1000:",
            "1000:+0",
        ] {
            assert!(allows(false, "1000", Some(user)).is_err(), "{user}");
            assert!(allows(true, "1000", Some(user)).is_ok(), "{user}");
        }
        for user in ["1000", "33", "1000:1000"] {
            assert!(allows(false, "1000", Some(user)).is_ok(), "{user}");
        }
        assert!(allows(false, "app", Some("app")).is_ok());
        assert!(allows(false, "app", None).is_ok());
        for own in ["", "0", "root", "0:0", "root:root"] {
            assert!(allows(false, own, Some("nobody")).is_ok(), "{own}");
        }
    }
}

//! Who runs a command: for the log and the audit trail.

use std::sync::OnceLock;

use nix::unistd::{Uid, User};
use store::Act;

use crate::clock;
use crate::printable::is_printable;

static NAME: OnceLock<String> = OnceLock::new();

/// The longest name that is told, in characters.
const CHARACTERS: usize = 100;

/// Finds out who it is, before root becomes somebody else.
pub(crate) fn remember() {
    NAME.get_or_init(found);
}

/// What whoever runs the command does now.
pub(crate) fn act() -> Act {
    Act::command(name(), clock::now())
}

/// The user of the system: `frank`, or `frank as root` where sudo or doas says who is behind it. Whoever is root already can
/// make them say anything.
fn name() -> String {
    NAME.get_or_init(found).clone()
}

fn found() -> String {
    let uid = Uid::current();
    let user = User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name);
    let behind = ["SUDO_USER", "DOAS_USER"].into_iter().find_map(|name| std::env::var(name).ok());
    told(user, behind)
}

fn told(user: String, behind: Option<String>) -> String {
    let behind = behind.map(plain).filter(|name| !name.is_empty() && *name != user);
    behind.map_or_else(|| user.clone(), |behind| format!("{behind} as {user}"))
}

fn plain(name: String) -> String {
    name.chars().filter(|c| is_printable(*c)).take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_behind_the_user_is_named_first() {
        for (behind, expected) in [
            (None, "gatepost"),
            (Some(""), "gatepost"),
            (Some("gatepost"), "gatepost"),
            (Some("frank"), "frank as gatepost"),
            (Some("fr\u{1b}ank\n"), "frank as gatepost"),
        ] {
            assert_eq!(told("gatepost".to_owned(), behind.map(str::to_owned)), expected);
        }
    }
}

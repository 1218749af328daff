//! What is suggested for a command that there isn't: what is meant by the word, before what has similar letters.

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Words of other programs, and ours for them; the first that there is.
const MEANT: &[(&str, &[&str])] = &[
    ("delete", &["remove", "revoke"]),
    ("del", &["remove", "revoke"]),
    ("rm", &["remove", "revoke"]),
    ("drop", &["remove"]),
    ("purge", &["remove", "prune"]),
    ("ls", &["list"]),
    ("new", &["add", "create", "generate"]),
    ("create", &["add", "generate", "enroll"]),
    ("make", &["add", "create", "generate"]),
    ("add", &["create", "enroll"]),
    ("info", &["show", "status"]),
    ("get", &["show", "list"]),
    ("view", &["show"]),
    ("cat", &["show"]),
    ("passwd", &["password"]),
    ("flush", &["retry"]),
    ("requeue", &["retry"]),
    ("resend", &["retry"]),
    ("freeze", &["hold"]),
    ("suspend", &["hold", "disable"]),
    ("block", &["disable"]),
    ("lock", &["disable"]),
    ("unblock", &["enable"]),
    ("unlock", &["enable", "clear"]),
    ("unhold", &["release"]),
    ("resume", &["release", "enable"]),
    ("thaw", &["release"]),
    ("reset", &["clear"]),
    ("start", &["serve"]),
    ("run", &["serve"]),
    ("queues", &["queue"]),
    ("mailq", &["queue"]),
    ("users", &["user"]),
    ("account", &["user"]),
    ("2fa", &["totp"]),
];

/// The error with the suggestion that fits the meaning, where there is one.
pub(crate) fn meant(mut error: Error, root: Command, line: impl IntoIterator<Item = String>) -> Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    if let Some(suggested) = suggestion(&parent(root, typed, line), typed) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![suggested]));
    }
    error
}

/// The command whose subcommand was mistyped.
fn parent(root: Command, typed: &str, line: impl IntoIterator<Item = String>) -> Command {
    let words = line.into_iter().take_while(|word| word != typed);
    words.fold(root, |command, word| command.find_subcommand(word).cloned().unwrap_or(command))
}

fn suggestion(command: &Command, typed: &str) -> Option<String> {
    let (_, meant) = MEANT.iter().find(|(word, _)| *word == typed)?;
    meant.iter().find(|name| command.find_subcommand(name).is_some()).map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::CommandLine;

    fn said(words: &[&str]) -> String {
        let line: Vec<String> = [&["gatepost"], words].concat().into_iter().map(str::to_owned).collect();
        let error = CommandLine::try_parse_from(&line).unwrap_err();
        meant(error, CommandLine::command(), line).to_string()
    }

    #[test]
    fn what_is_meant_is_suggested() {
        for (typed, suggested) in [
            (&["queue", "delete", "x"][..], "'remove'"),
            (&["--config", "x.toml", "queue", "delete"], "'remove'"),
            (&["app-password", "delete"], "'revoke'"),
            (&["user", "create"], "'add'"),
            (&["queue", "flush"], "'retry'"),
            (&["users"], "'user'"),
        ] {
            let said = said(typed);
            assert!(said.contains(suggested) && !said.contains("'release'"), "{typed:?}: {said}");
        }
    }

    #[test]
    fn similar_letters_are_still_suggested() {
        assert!(said(&["queue", "relese"]).contains("'release'"));
    }
}

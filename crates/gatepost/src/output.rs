//! What commands print on stdout: one JSON document with `--json`, aligned tables without.
//!
//! Nothing else writes to stdout. Colours are for terminals alone. A reader that went away (`gatepost queue list | head`) ends the command
//! quietly, as it does for other tools.

use std::io::{self, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;

pub(crate) use self::cell::Cell;
pub(crate) use self::colour::{Look, colour};
pub(crate) use self::format::Format;
pub(crate) use self::harmless::harmless;
pub(crate) use self::listing::Listing;
pub(crate) use self::stdout::{line, raw};
pub(crate) use self::table::{fields, table};

mod stdout;
mod format;
mod harmless;
mod colour;
mod cell;
mod table;
mod listing;

/// How long the last word may take.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Tells on stderr what was left undone, when all the rest is done.
pub(crate) fn warn(warning: &str) {
    eprintln!("{}: {warning}", Look::Doubtful.paint("warning", colour(&io::stderr())));
}

/// Says on stderr why it ends here. Whoever reads that may have stopped reading, and is not waited for for ever.
pub(crate) fn last_word(error: &str) {
    let line = format!("{}: {error}", Look::Bad.paint("error", colour(&io::stderr())));
    let (said, heard) = mpsc::channel();
    std::thread::spawn(move || {
        // There is nobody else to tell.
        let _ = writeln!(io::stderr(), "{line}");
        let _ = said.send(());
    });
    let _ = heard.recv_timeout(LAST_WORD);
}

/// A time as people read it: UTC, whole seconds.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A time that may be absent.
pub(crate) fn time_or(at: Option<Timestamp>, absent: &str) -> String {
    at.map_or_else(|| absent.to_owned(), time)
}

/// A value that may be absent.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// The beginning of a text that may be too long for a table.
pub(crate) fn beginning(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A list that may be empty.
pub(crate) fn list_or(values: &[impl ToString], empty: &str) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    if values.is_empty() { empty.to_owned() } else { values.join(", ") }
}

/// A switch as people read it.
pub(crate) fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_utc_and_whole_seconds() {
        let at = "2026-11-21T12:00:00.5+01:00".parse().unwrap();
        assert_eq!(time(at), "2026-11-21 11:00:00Z");
        assert_eq!(time_or(None, "never"), "never");
    }
}

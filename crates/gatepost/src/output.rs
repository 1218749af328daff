//! What commands print on stdout: one JSON document with `--json`, aligned tables without.
//!
//! Nothing else writes to stdout. Colours are for terminals alone. A reader that went away (`gatepost queue list | head`) ends the command
//! quietly, as it does for other tools.

use std::io::{self, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::printable::is_printable;

pub(crate) use self::colour::{Cell, Look, colour};
pub(crate) use self::listing::Listing;

mod colour;
mod listing;

/// How long the last word may take.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Blanks between two columns.
const PADDING: u16 = 2;

/// `--json`, for every command that lists, shows or creates.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Format {
    /// Print one JSON document instead of text for people
    #[arg(long)]
    json: bool,
}

impl Format {
    /// Prints `value` as JSON, or else what `text` makes of it.
    ///
    /// # Errors
    /// When stdout can't be written.
    pub(crate) fn print<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        let shown = if self.json { serde_json::to_string_pretty(value)? } else { text(value) };
        line(&shown)
    }

    /// Whether people read it, who may be shown a part, rather than programs.
    pub(crate) fn is_for_people(self) -> bool {
        !self.json
    }

    /// Tells people, on stderr, what a program need not be told.
    pub(crate) fn remark(self, remark: &str) {
        if !self.json {
            eprintln!("{remark}");
        }
    }
}

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

/// Rows under a heading, columns aligned, without lines: easy on the eye and on `awk`.
pub(crate) fn table<C: Into<Cell>, const COLUMNS: usize>(
    heading: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [C; COLUMNS]>,
) -> String {
    let rows = rows.into_iter().map(|row| row.map(Into::into));
    aligned([heading_row(heading)].into_iter().chain(rows), colour(&io::stdout()))
}

/// One `name  value` line for each field: what `show` prints.
pub(crate) fn fields<'a, C: Into<Cell>>(fields: impl IntoIterator<Item = (&'a str, C)>) -> String {
    let rows = fields.into_iter().map(|(name, value)| [name.to_owned().into(), value.into()]);
    aligned(rows, colour(&io::stdout()))
}

fn heading_row<const COLUMNS: usize>(heading: [&str; COLUMNS]) -> [Cell; COLUMNS] {
    heading.map(|title| Cell::new(Look::Heading, title))
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

/// Text and a line end.
///
/// # Errors
/// When stdout can't be written.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    raw(format!("{text}\n").as_bytes())
}

/// Octets as they are.
///
/// # Errors
/// When stdout can't be written; a closed pipe is no error.
pub(crate) fn raw(octets: &[u8]) -> anyhow::Result<()> {
    written(octets).map(drop)
}

/// Writes octets; `false` if nobody reads them any more.
fn written(octets: &[u8]) -> anyhow::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(octets).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.context("cannot write to standard output").map(|()| true),
    }
}

fn aligned<const COLUMNS: usize>(rows: impl IntoIterator<Item = [Cell; COLUMNS]>, colour: bool) -> String {
    lines(&cells(rows, colour))
}

fn cells<const COLUMNS: usize>(
    rows: impl IntoIterator<Item = [Cell; COLUMNS]>,
    colour: bool,
) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.force_no_tty().style_text_only();
    if colour {
        table.enforce_styling();
    }
    table.add_rows(rows.into_iter().map(|row| row.map(Cell::harmless)));
    for column in table.column_iter_mut() {
        column.set_padding((0, PADDING));
    }
    table
}

fn lines(table: &comfy_table::Table) -> String {
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Replies of strangers and the like are shown; a terminal must not obey them.
pub(crate) fn harmless(cell: &str) -> String {
    cell.chars().map(|c| if is_printable(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_have_no_trailing_blanks() {
        let rows = || {
            let rows = [["a", "1"], ["longer", "2"]].map(|row| row.map(|text| Cell::new(Look::Plain, text)));
            [heading_row(["NAME", "NUMBER"])].into_iter().chain(rows)
        };
        assert_eq!(aligned(rows(), false), "NAME    NUMBER\na       1\nlonger  2");
        let coloured = "\u{1b}[1mNAME\u{1b}[0m    \u{1b}[1mNUMBER\u{1b}[0m\na       1\nlonger  2";
        assert_eq!(aligned(rows(), true), coloured);
    }

    #[test]
    fn fields_stand_beside_their_names() {
        assert_eq!(fields([("a", "1".to_owned()), ("bcd", "2".to_owned())]), "a    1\nbcd  2");
    }

    #[test]
    fn a_terminal_is_not_told_what_to_do() {
        let shown = fields([("reply", "550 \u{1b}[2J\nx\u{9b}\u{202e}".to_owned())]);
        assert_eq!(shown, "reply  550 \u{fffd}[2J\u{fffd}x\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_time_is_read_in_utc_and_whole_seconds() {
        let at = "2026-11-21T12:00:00.5+01:00".parse().unwrap();
        assert_eq!(time(at), "2026-11-21 11:00:00Z");
        assert_eq!(time_or(None, "never"), "never");
    }
}

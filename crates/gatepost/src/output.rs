//! What commands print on stdout: one JSON document with `--json`, aligned tables without.
//!
//! Nothing else writes to stdout. A reader that went away (`gatepost queue list | head`) ends the command
//! quietly, as it does for other tools.

use std::io::{self, Write as _};

use anyhow::Context as _;
use serde::Serialize;

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
}

/// Rows under a heading, columns aligned, without lines or colour: easy on the eye and on `awk`.
pub(crate) fn table<const COLUMNS: usize>(
    heading: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(heading);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    trim_lines(&table.to_string())
}

/// One `name  value` line for each field: what `show` prints.
pub(crate) fn fields<const FIELDS: usize>(fields: [(&str, String); FIELDS]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.add_rows(fields.map(|(name, value)| [name.to_owned(), value]));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    trim_lines(&table.to_string())
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
    let mut stdout = io::stdout().lock();
    match stdout.write_all(octets).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

fn trim_lines(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

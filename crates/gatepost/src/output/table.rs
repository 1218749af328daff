//! Tables for people: columns aligned, without lines.

use std::io;

use super::cell::Cell;
use super::colour::{Look, colour};

/// Blanks between two columns.
pub(super) const PADDING: u16 = 2;

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

pub(super) fn heading_row<const COLUMNS: usize>(heading: [&str; COLUMNS]) -> [Cell; COLUMNS] {
    heading.map(|title| Cell::new(Look::Heading, title))
}

fn aligned<const COLUMNS: usize>(rows: impl IntoIterator<Item = [Cell; COLUMNS]>, colour: bool) -> String {
    lines(&cells(rows, colour))
}

/// The table, without what would make a terminal obey it.
pub(super) fn cells<const COLUMNS: usize>(
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

/// Its lines, without blanks at their ends.
pub(super) fn lines(table: &comfy_table::Table) -> String {
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
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
}

//! Lists that are printed page by page, so that they may be longer than memory.

use std::io;

use comfy_table::{ColumnConstraint, Width};
use desk::{Listed, Trouble};
use serde::Serialize;
use store::Page;

use super::cell::Cell;
use super::colour::colour;
use super::format::Format;
use super::stdout::written;
use super::table::{PADDING, cells, heading_row, lines};

/// How many of a list are read at a time.
const PAGE: u32 = 500;

/// A list on its way to stdout: one table with one heading, or one JSON array. It has to be ended.
pub(crate) struct Listing<const COLUMNS: usize> {
    format: Format,
    heading: Option<[&'static str; COLUMNS]>,
    /// The width that each column had so far, so that the next page is aligned with the one before.
    widths: [u16; COLUMNS],
    is_empty: bool,
    colour: bool,
}

impl<const COLUMNS: usize> Listing<COLUMNS> {
    pub(crate) fn new(format: Format, heading: [&'static str; COLUMNS]) -> Self {
        let colour = colour(&io::stdout());
        Self { format, heading: Some(heading), widths: [0; COLUMNS], is_empty: true, colour }
    }

    /// Prints all pages: `read` gives the one behind a place.
    ///
    /// # Errors
    /// When one can't be read, or stdout can't be written.
    pub(crate) async fn pages<T: Serialize, P>(
        mut self,
        mut read: impl AsyncFnMut(Page<P>) -> Result<Listed<T, P>, Trouble>,
        row: impl Fn(&T) -> [Cell; COLUMNS],
    ) -> anyhow::Result<()> {
        let mut page = Page::first(PAGE);
        loop {
            let listed = read(page).await?;
            page = Page { after: listed.last, limit: PAGE };
            if !self.page(&listed.items, &row)? || page.after.is_none() {
                return self.end();
            }
        }
    }

    /// Prints a page; `false` if nobody reads on.
    ///
    /// # Errors
    /// When stdout can't be written.
    pub(crate) fn page<T: Serialize>(
        &mut self,
        page: &[T],
        row: impl Fn(&T) -> [Cell; COLUMNS],
    ) -> anyhow::Result<bool> {
        if page.is_empty() {
            return Ok(true);
        }
        let text =
            if self.format.is_for_people() { self.text(page.iter().map(row)) } else { self.json(page)? };
        self.is_empty = false;
        written(text.as_bytes())
    }

    /// Ends the list.
    ///
    /// # Errors
    /// When stdout can't be written.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        let end = match (self.format.is_for_people(), self.is_empty) {
            (false, true) => "[]\n".to_owned(),
            (false, false) => "\n]\n".to_owned(),
            (true, true) => self.text([]),
            (true, false) => return Ok(()),
        };
        written(end.as_bytes()).map(drop)
    }

    /// The page as a part of the array.
    fn json<T: Serialize>(&self, page: &[T]) -> anyhow::Result<String> {
        let array = serde_json::to_string_pretty(page)?;
        let items = array.strip_prefix('[').and_then(|rest| rest.strip_suffix("\n]")).unwrap_or(&array);
        Ok(format!("{}{items}", if self.is_empty { "[" } else { "," }))
    }

    fn text(&mut self, rows: impl IntoIterator<Item = [Cell; COLUMNS]>) -> String {
        let heading = self.heading.take().map(heading_row);
        let mut table = cells(heading.into_iter().chain(rows), self.colour);
        let widths = table.column_max_content_widths();
        for ((column, width), widest) in table.column_iter_mut().zip(&mut self.widths).zip(widths) {
            *width = (*width).max(widest);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*width + PADDING)));
        }
        lines(&table) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(format: Format) -> Listing<2> {
        Listing { colour: false, ..Listing::new(format, ["NAME", "NUMBER"]) }
    }

    fn row(name: &str, number: &str) -> [Cell; 2] {
        [name, number].map(|text| text.to_owned().into())
    }

    #[test]
    fn the_next_page_is_aligned_and_has_no_heading() {
        let mut listing = listing(Format::FOR_PEOPLE);
        assert_eq!(listing.text([row("longer name", "1")]), "NAME         NUMBER\nlonger name  1\n");
        assert_eq!(listing.text([row("a", "2"), row("b", "3")]), "a            2\nb            3\n");
    }

    #[test]
    fn the_pages_are_one_array() {
        let mut listing = listing(Format::JSON);
        let mut all = listing.json(&[1, 2]).unwrap();
        listing.is_empty = false;
        all += &listing.json(&[3]).unwrap();
        all += "\n]\n";
        assert_eq!(all, "[\n  1,\n  2,\n  3\n]\n");
    }
}

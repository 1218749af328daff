//! What stands in one place of a table.

use comfy_table::{Attribute, Color};

use super::colour::Look;
use super::harmless::harmless;

/// A text, and what it means.
#[derive(Debug)]
pub(crate) struct Cell {
    text: String,
    look: Look,
}

impl Cell {
    pub(crate) fn new(look: Look, text: impl Into<String>) -> Cell {
        Cell { text: text.into(), look }
    }

    /// As the table takes it: a reply of a stranger in it is not obeyed by a terminal.
    pub(super) fn harmless(self) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(harmless(&self.text));
        match self.look {
            Look::Plain => cell,
            Look::Heading => cell.add_attribute(Attribute::Bold),
            Look::Good => cell.fg(Color::DarkGreen),
            Look::Doubtful => cell.fg(Color::DarkYellow),
            Look::Bad => cell.fg(Color::DarkRed),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::new(Look::Plain, text)
    }
}

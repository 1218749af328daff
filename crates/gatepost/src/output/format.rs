//! `--json`: one JSON document for programs, or text for people.

use serde::Serialize;

use super::stdout::line;

/// `--json`, for every command that lists, shows or creates.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Format {
    /// Print one JSON document instead of text for people
    #[arg(long)]
    json: bool,
}

impl Format {
    /// Text for people.
    #[cfg(test)]
    pub(super) const FOR_PEOPLE: Self = Self { json: false };

    /// One JSON document.
    #[cfg(test)]
    pub(super) const JSON: Self = Self { json: true };

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

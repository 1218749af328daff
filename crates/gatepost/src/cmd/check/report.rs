//! What `check` has found, how it is printed, and what it means for the exit code.

use std::path::{Path, PathBuf};

use config::ConfigError;
use serde::Serialize;

use crate::finding::Finding;
use crate::output::{self, Format, Look};

/// Everything that was found. docs/check.md tells of its keys.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    configuration: PathBuf,
    /// Whether other servers were asked, too.
    connected: bool,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    /// What is as it should be, and may surprise all the same.
    notes: Vec<String>,
}

impl Report {
    pub(super) fn of(configuration: &Path, connected: bool) -> Report {
        let configuration = configuration.to_owned();
        Report { configuration, connected, errors: Vec::new(), warnings: Vec::new(), notes: Vec::new() }
    }

    /// A configuration that can't be read is all that is told.
    pub(super) fn configuration(&mut self, error: &ConfigError) {
        let key = error.key().map(|key| key.to_owned().into());
        self.errors.push(Finding { key, ..Finding::new("configuration", error.to_string()) });
    }

    /// The value of something that was tried, or else its error is noted.
    pub(super) fn keep<T>(
        &mut self,
        code: &'static str,
        key: &'static str,
        tried: anyhow::Result<T>,
    ) -> Option<T> {
        tried.map_err(|error| self.errors.push(Finding::of_error(code, key, &error))).ok()
    }

    pub(super) fn error(&mut self, error: Finding) {
        self.errors.push(error);
    }

    pub(super) fn warn(&mut self, warnings: impl IntoIterator<Item = Finding>) {
        self.warnings.extend(warnings);
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn print(&self, format: Format) -> anyhow::Result<()> {
        format.print(self, |report| report.text(output::colour(&std::io::stdout())))
    }

    fn text(&self, colour: bool) -> String {
        // Next hosts and backends are quoted there.
        let line = |look: Look, word: &str, text: &str| {
            format!("{}: {}", look.paint(word, colour), output::harmless(text))
        };
        let notes = self.notes.iter().map(|note| line(Look::Plain, "note", note));
        let warnings = self.warnings.iter().map(|warning| line(Look::Doubtful, "warning", &warning.text));
        let errors = self.errors.iter().map(|error| line(Look::Bad, "error", &error.text));
        let lines = notes.chain(warnings).chain(errors).chain(self.all_is_well(colour));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn all_is_well(&self, colour: bool) -> Option<String> {
        let file = output::harmless(&self.configuration.display().to_string());
        match (self.errors.len(), self.warnings.len()) {
            (0, 0) => Some(format!("{file}: {}", Look::Good.paint("all is well", colour))),
            (0, warnings) => Some(format!("{file}: no errors, {}", counted(warnings, "warning"))),
            _ => None,
        }
    }

    /// # Errors
    /// When there is an error, or with `strict` a warning.
    pub(super) fn verdict(&self, strict: bool) -> anyhow::Result<()> {
        if !self.errors.is_empty() {
            let errors = counted(self.errors.len(), "error");
            anyhow::bail!(
                "{errors}: the server, or a part of it, cannot work like this; see what check has printed"
            );
        }
        if strict && !self.warnings.is_empty() {
            anyhow::bail!("{}, which --strict does not allow", counted(self.warnings.len(), "warning"));
        }
        Ok(())
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

//! What is wrong with a configuration file, and where.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Why a configuration file cannot be used; prints as one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read at all.
    #[error("{}: cannot be read: {source}; {}", path.display(), right_file(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file says something wrong.
    #[error("{}:{line}:{column}: {}{message}", path.display(), prefix(key.as_deref()))]
    Faulty {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted in characters, from 1.
        column: usize,
        /// The dotted key, if the fault is of one.
        key: Option<String>,
        /// What is wrong with it, and what would be right.
        message: String,
    },
}

fn prefix(key: Option<&str>) -> String {
    key.map(|key| format!("{key}: ")).unwrap_or_default()
}

fn right_file(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidData => "TOML is UTF-8 text",
        ErrorKind::PermissionDenied => "it is for its owner and the server alone",
        _ => "name an existing file with --config FILE or GATEPOST_CONFIG",
    }
}

impl ConfigError {
    /// The dotted key that is wrong, if one is.
    pub fn key(&self) -> Option<&str> {
        match self {
            ConfigError::Unreadable { .. } => None,
            ConfigError::Faulty { key, .. } => key.as_deref(),
        }
    }

    pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> ConfigError {
        ConfigError::Unreadable { path: path.to_owned(), source }
    }
}

/// Something wrong at an offset of the text, before file, line and column are known.
#[derive(Debug)]
pub(crate) struct Fault {
    at: usize,
    key: Option<String>,
    message: String,
}

impl Fault {
    /// A fault of the value `spanned`; its key is found by where it stands.
    pub(crate) fn at<T>(spanned: &Spanned<T>, message: impl Into<String>) -> Fault {
        Fault { at: spanned.span().start, key: None, message: printable(&message.into()) }
    }

    /// `key` is not there but must be; told at the section that lacks it, or at the top of the file.
    pub(crate) fn missing(section: Option<usize>, key: &str, right: &str) -> Fault {
        Fault { at: section.unwrap_or(0), key: Some(key.to_owned()), message: format!("missing; {right}") }
    }

    /// What the TOML reader found in `text`, in our words.
    pub(crate) fn of_toml<T>(read: Result<T, toml::de::Error>, text: &str) -> Result<T, Fault> {
        read.map_err(|error| {
            let span = error.span().unwrap_or_default();
            let twice = error.message() == "duplicate key";
            Fault {
                at: span.start,
                // The second of two keys is nowhere in the document.
                key: text.get(span).filter(|_| twice).map(printable),
                message: printable(&in_our_words(error.message())),
            }
        })
    }

    pub(crate) fn in_file(self, path: &Path, text: &str) -> ConfigError {
        let (line, column) = position(text, self.at);
        let key = self.key.or_else(|| key_at(text, self.at));
        ConfigError::Faulty { path: path.to_owned(), line, column, key, message: self.message }
    }
}

/// One line, "what is wrong; what would be right".
fn in_our_words(message: &str) -> String {
    let line = message.trim().replace('\n', ", ");
    if let Some((_, unknown)) = line.split_once("unknown field ") {
        return match unknown.split_once(", expected ") {
            Some((unknown, known)) => no_such_key(unknown, known),
            None => "no such key".to_owned(),
        };
    }
    if let Some((wrong, _)) = line.split_once(", expected struct ") {
        return format!("{wrong}; expected a section");
    }
    line.replace("duplicate key", "is written twice; write it once")
        .replace("unknown variant", "no such value")
        .replace("wanted string or table", "not a string; expected one in quotes")
        .replace("expected a sequence", "expected a list in brackets")
        .replace("expected i64", "expected a whole number")
        .replace("expected a boolean", "expected true or false")
        .replacen(", expected ", "; expected ", 1)
}

/// How alike two keys are, from 0 to 1, for one to be taken for the other.
const ALIKE: f64 = 0.85;

/// Names the key that is meant, if one is spelt much like it, and all there are.
fn no_such_key(unknown: &str, known: &str) -> String {
    let known = known.replace("one of ", "");
    let unknown = unknown.trim_matches('`');
    let alike = known.split('`').skip(1).step_by(2).map(|key| (strsim::jaro_winkler(unknown, key), key));
    let meant =
        alike.filter(|(alike, _)| *alike >= ALIKE).max_by(|(one, _), (other, _)| one.total_cmp(other));
    let meant = meant.map_or_else(String::new, |(_, key)| format!(" did you mean `{key}`?"));
    format!("no such key;{meant} the keys here are {known}")
}

/// What stands in the file, so that no terminal obeys it.
fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The dotted key whose name or value stands at the offset.
fn key_at(text: &str, at: usize) -> Option<String> {
    let (document, _) = DeTable::parse_recoverable(text);
    path_in_table(document.get_ref(), at).filter(|path| !path.is_empty()).map(|path| path.join("."))
}

fn path_in_table(table: &DeTable<'_>, at: usize) -> Option<Vec<String>> {
    table.iter().find_map(|(key, value)| {
        let rest = if key.span().contains(&at) {
            path_in(value, at).or(Some(Vec::new()))
        } else {
            path_in(value, at)
        };
        rest.map(|rest| std::iter::once(printable(key.get_ref())).chain(rest).collect())
    })
}

/// Tables written with a header do not enclose their values in the text, so look inside before at the span.
fn path_in(value: &Spanned<DeValue<'_>>, at: usize) -> Option<Vec<String>> {
    let inside = match value.get_ref() {
        DeValue::Table(table) => path_in_table(table, at),
        DeValue::Array(array) => array.iter().find_map(|element| path_in(element, at)),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    };
    inside.or_else(|| value.span().contains(&at).then(Vec::new))
}

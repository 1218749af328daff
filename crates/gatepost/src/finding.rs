//! What a look at the set-up finds: something wrong, or something to look at, with a code that scripts can rely on.

use std::borrow::Cow;

use serde::Serialize;

use crate::error_line;

/// An error or a warning about the set-up. docs/check.md has every code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    /// The key of the configuration that it is about, if it is about one.
    pub(crate) key: Option<Cow<'static, str>>,
    /// What is so, and what to do.
    pub(crate) text: String,
}

impl Finding {
    /// Something about this key.
    pub(crate) fn of_key(code: &'static str, key: &'static str, text: impl Into<String>) -> Finding {
        Finding { key: Some(Cow::Borrowed(key)), ..Finding::new(code, text) }
    }

    /// Something that no key says.
    pub(crate) fn new(code: &'static str, text: impl Into<String>) -> Finding {
        Finding { code, key: None, text: text.into() }
    }

    /// An error, with its causes, about this key.
    pub(crate) fn of_error(code: &'static str, key: &'static str, error: &anyhow::Error) -> Finding {
        Finding::of_key(code, key, error_line::of(error))
    }
}

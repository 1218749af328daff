//! Labels and names: what somebody calls a thing of theirs, an account too. Each is one line, and fits into a list.

use crate::texts::Texts;

/// The field of a form that has one.
pub(crate) const LABEL: &str = "label";

/// The longest label or name, in characters.
pub(crate) const LONGEST: usize = 200;

/// Whether this is one line, and not too long.
pub(crate) fn is_line(text: &str) -> bool {
    text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

/// The label that was typed; or what is wrong with it.
pub(crate) fn read(typed: &str, t: Texts) -> Result<String, &'static str> {
    if typed.is_empty() {
        return Err(t.label_is_missing());
    }
    match is_line(typed) {
        true => Ok(typed.to_owned()),
        false => Err(t.label_is_no_line()),
    }
}

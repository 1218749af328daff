//! Labels: what somebody calls a thing of theirs.

use crate::texts::Texts;

/// The field of a form that has one.
pub(crate) const LABEL: &str = "label";

/// The longest label, in characters: it has to fit into a list.
const LONGEST: usize = 200;

/// The label that was typed; or what is wrong with it.
pub(crate) fn read(typed: &str, t: Texts) -> Result<String, &'static str> {
    if typed.is_empty() {
        return Err(t.label_is_missing());
    }
    if typed.chars().count() > LONGEST || typed.chars().any(char::is_control) {
        return Err(t.label_is_no_line());
    }
    Ok(typed.to_owned())
}

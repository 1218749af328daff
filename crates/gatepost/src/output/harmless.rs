//! Words of strangers, as they may be shown.

use crate::printable::is_printable;

/// Replies of strangers and the like are shown; a terminal must not obey them.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if is_printable(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

//! Which characters are text, and which a terminal or a reader of logs would obey.

/// Neither a control, nor a line separator, nor a mark that makes a terminal show text in another order than it has.
pub(crate) fn is_printable(c: char) -> bool {
    !c.is_control() && !is_formatting(c)
}

fn is_formatting(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_language_is_printable_and_orders_to_a_terminal_are_not() {
        assert!("Ünïcode 日本 עברית 👍🏽 a\u{301}".chars().all(is_printable));
        for c in ['\n', '\u{1b}', '\u{9b}', '\u{2028}', '\u{202e}', '\u{2066}'] {
            assert!(!is_printable(c), "{c:?}");
        }
    }
}

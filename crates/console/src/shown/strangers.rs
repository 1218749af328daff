//! What strangers have written: replies of hosts, labels, addresses.

/// The longest text that is shown, in characters.
const LONGEST: usize = 1_000;

/// The text without what a browser would show as something else than it is: controls, and marks that turn the order of text around. The
/// template escapes it.
pub(crate) fn plain(text: &str) -> String {
    let mut shown: String =
        text.chars().take(LONGEST).map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    !c.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_marks_are_shown_as_such_and_long_texts_are_cut() {
        assert_eq!(plain("a\u{1b}[31m\u{202e}b"), "a\u{fffd}[31m\u{fffd}b");
        assert_eq!(plain("Ünïcode 日本 עברית"), "Ünïcode 日本 עברית");
        assert_eq!(plain(&"x".repeat(1_001)).chars().count(), 1_001);
        assert_eq!(plain(&"x".repeat(1_000)), "x".repeat(1_000));
    }
}

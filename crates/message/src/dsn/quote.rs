//! What others have said, made harmless: whatever it is, it stays text on the lines that it is given.

/// The most octets of a reply that are quoted.
const REPLY: usize = 2048;
/// Where lines of prose and of fields are broken (RFC 5322 section 2.1.1).
const LINE: usize = 76;
/// A word of more octets is cut: there is no line it fits on.
const WORD: usize = 500;
/// The most octets of a Message-ID that is referred to.
const MESSAGE_ID: usize = 250;

/// The most octets that are quoted of each of so many replies: all of them together are bounded, too.
pub(super) fn share(recipients: usize) -> usize {
    (128 * REPLY / recipients.max(1)).clamp(256, REPLY)
}

/// Text of somebody else on one line: neither control characters nor such as change the order in which others are read, nor two
/// blanks in a row; what is longer than `at_most` octets is cut.
pub(super) fn line(text: &str, at_most: usize) -> String {
    let mut quoted = String::with_capacity(text.len().min(at_most));
    for word in text.split_whitespace() {
        if !quoted.is_empty() {
            quoted.push(' ');
        }
        quoted.extend(word.chars().map(|c| if is_harmful(c) { '?' } else { c }));
        if quoted.len() > at_most {
            quoted.truncate(quoted.floor_char_boundary(at_most));
            quoted.push_str("...");
            break;
        }
    }
    quoted
}

/// An address, or the name of an envelope: its blanks are part of it.
pub(super) fn address(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { '?' } else { c }).collect()
}

/// The same in ASCII alone.
pub(super) fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// A control character, or one that is not seen and changes how its neighbours are: those of directions, separators of lines, a soft hyphen.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Whether a Message-ID can be referred to as it is (RFC 5322 section 3.6.4).
pub(super) fn is_message_id(text: &str) -> bool {
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inside.is_some_and(|inside| {
        let is_plain =
            |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>' | b'(' | b')' | b'"');
        inside.len() <= MESSAGE_ID && inside.contains('@') && inside.bytes().all(is_plain)
    })
}

/// Breaks a line of [`line()`] into several, each behind `lead`.
pub(super) fn wrapped(text: &str, lead: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / 8);
    broken(text, LINE.saturating_sub(lead.len())).into_iter().for_each(|line| {
        lines.push_str(lead);
        lines.push_str(&line);
        lines.push_str("\r\n");
    });
    lines
}

/// A field of a delivery status, folded (RFC 5322 section 2.2.3), never right behind its name.
pub(super) fn field(name: &str, value: &str) -> String {
    let lines = broken(value, LINE.saturating_sub(name.len() + 2));
    format!("{name}: {}\r\n", lines.join("\r\n "))
}

/// The words of a text on lines of about so many octets.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()).flat_map(cut) {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A word in pieces of at most [`WORD`] octets.
fn cut(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(rest.floor_char_boundary(WORD))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bnc_03_what_is_quoted_stays_on_its_line() {
        for (said, quoted) in [
            ("550 5.1.1 x\r\nX-Evil: 1", "550 5.1.1 x X-Evil: 1"),
            ("a\u{1b}[31mred\u{7}", "a?[31mred?"),
            ("  two   blanks ", "two blanks"),
            ("</script> über", "</script> über"),
            ("left\u{202e}thgir\u{2028}end", "left?thgir end"),
            ("", ""),
        ] {
            assert_eq!(line(said, 100), quoted);
        }
        assert_eq!(line(&"ü".repeat(100), 99), format!("{}...", "ü".repeat(49)));
    }

    #[test]
    fn however_many_replies_there_are_they_are_bounded() {
        assert_eq!(
            (share(0), share(1), share(128), share(256), share(1_000_000)),
            (2048, 2048, 2048, 1024, 256)
        );
    }

    #[test]
    fn only_a_plain_message_id_is_referred_to() {
        assert!(is_message_id("<1@example.org>"));
        let long = format!("<{}@x>", "x".repeat(250));
        for id in ["1@example.org", "<1@exa mple>", "<1@x>\r\nX: y<a@b>", "<ü@x>", "<>", "<a>", &long] {
            assert!(!is_message_id(id), "{id}");
        }
    }

    #[test]
    fn fields_are_folded_and_long_words_are_cut() {
        assert_eq!(field("A", "b"), "A: b\r\n");
        assert!(field("A", &"x".repeat(90)).starts_with("A: x"));
        let folded =
            field("Diagnostic-Code", &format!("smtp; 550 {} {}", "word ".repeat(40), "x".repeat(3000)));
        assert!(folded.ends_with("\r\n") && !folded.contains("\r\n\r\n"));
        assert!(
            folded.trim_end().split("\r\n").skip(1).all(|line| line.starts_with(' ') && line.len() <= 501)
        );
        assert_eq!(wrapped("a b", "> "), "> a b\r\n");
    }
}

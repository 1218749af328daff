//! Outlines of messages, well-formed and not, cut anywhere.

use proptest::prelude::*;

use super::*;

/// The pieces as they came, content in one piece.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pieces {
    octets: Vec<u8>,
    outline: Vec<String>,
}

impl Pieces {
    fn of(message: &[u8], chunk: usize) -> Self {
        let mut pieces = Self::default();
        let mut parts = Parts::of_message();
        message.chunks(chunk.max(1)).for_each(|octets| parts.feed(octets, &mut pieces));
        parts.finish(&mut pieces);
        pieces
    }

    fn whole(message: &str) -> Self {
        Self::of(message.as_bytes(), message.len())
    }
}

impl Visitor for Pieces {
    fn header(&mut self, part: &Part<'_>) {
        self.octets.extend_from_slice(part.section);
        if part.end == SectionEnd::BlankLine {
            self.octets.extend_from_slice(b"\r\n");
        }
        let kind = match &part.entity.kind {
            Kind::Text => "text",
            Kind::Data => "data",
            Kind::Multipart(_) => "multipart",
            Kind::Message => "message",
        };
        let message = if part.is_message { "message " } else { "" };
        let untouchable = part.untouchable.map(|untouchable| format!(" {untouchable:?}")).unwrap_or_default();
        self.outline.push(format!("{message}{} {kind}{untouchable}", part.index));
    }

    fn content(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
        let text = octets.escape_ascii().to_string();
        match self.outline.last_mut() {
            Some(last) if last.starts_with('=') => last.push_str(&text),
            _ => self.outline.push(format!("={text}")),
        }
    }

    fn delimiter(&mut self, delimiter: &Delimiter<'_>) {
        self.octets.extend_from_slice(delimiter.octets);
        let own = if delimiter.begins_own_part { "own " } else { "" };
        self.outline.push(format!("{own}{}", delimiter.octets.escape_ascii()));
    }
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=a\r\n\r\n";

#[test]
fn a_message_is_cut_into_its_parts() {
    for (message, outline) in [
        ("", &["message 0 text"][..]),
        ("\r\nx\r\n--a\r\n", &["message 0 text", "=x\\r\\n--a\\r\\n"]),
        (
            &format!("{MIXED}--a\r\n\r\none\r\n--a--\r\n"),
            &["message 0 multipart", "own --a\\r\\n", "1 text", "=one", "\\r\\n--a--\\r\\n"],
        ),
        // A preamble, an epilogue, a part without content, one without a header, blank lines.
        (
            &format!("{MIXED}pre\r\n--a\r\nA: b\r\n--a \t\r\nno field\r\n\r\n\r\n--a--\r\n\r\npost"),
            &[
                "message 0 multipart",
                "=pre",
                "own \\r\\n--a\\r\\n",
                "1 text",
                "own --a \\t\\r\\n",
                "2 text",
                "=no field\\r\\n\\r\\n",
                "\\r\\n--a--\\r\\n",
                "=\\r\\npost",
            ],
        ),
        // What looks like a delimiter line.
        (
            &format!("{MIXED}--a\r\n\r\n--\r\n--b\r\n--a x\r\nx--a\r\n -a\r\n--a-\r\n--a"),
            &[
                "message 0 multipart",
                "own --a\\r\\n",
                "1 text",
                "=--\\r\\n--b\\r\\n--a x\\r\\nx--a\\r\\n -a\\r\\n--a-",
                "own \\r\\n--a",
            ],
        ),
        // The delimiter of an outer multipart ends the inner one, also within a header section.
        (
            &format!(
                "{MIXED}--a\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\nx\r\n--a\r\nA: c\r\n--a--"
            ),
            &[
                "message 0 multipart",
                "own --a\\r\\n",
                "1 multipart",
                "own --b\\r\\n",
                "2 message",
                "message 3 text",
                "=x",
                "\\r\\n--a\\r\\n",
                "4 text",
                "--a--",
            ],
        ),
        // The epilogue of an inner multipart; its delimiters do not count any more.
        (
            &format!(
                "{MIXED}--a\r\nContent-Type: multipart/x; boundary=b\r\n\r\n--b--\r\n--b\r\n--a--\r\n--a\r\n"
            ),
            &[
                "message 0 multipart",
                "own --a\\r\\n",
                "1 multipart",
                "--b--\\r\\n",
                "=--b",
                "\\r\\n--a--\\r\\n",
                "=--a\\r\\n",
            ],
        ),
    ] {
        assert_eq!(Pieces::whole(message).outline, outline, "{message:?}");
    }
}

#[test]
fn what_is_protected_is_so_with_all_that_it_has() {
    for (message, outline) in [
        ("DKIM-Signature: x\r\n\r\n", &["message 0 text BodySigned"][..]),
        (
            "DKIM-Signature: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n",
            &["message 0 multipart BodySigned", "own --a\\r\\n", "1 text BodySigned"],
        ),
        (
            "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nDKIM-Signature: of a part\r\n\r\n",
            &["message 0 multipart", "own --a\\r\\n", "1 text"],
        ),
        (
            "Content-Type: message/rfc822\r\n\r\nARC-Message-Signature: x\r\nContent-Type: image/png\r\n\r\n",
            &["message 0 message", "message 1 data BodySigned"],
        ),
        (
            "Content-Type: multipart/signed; boundary=a\r\n\r\n--a\r\nContent-Transfer-Encoding: uuencode\r\n\r\n",
            &["message 0 multipart MultipartSigned", "own --a\\r\\n", "1 text MultipartSigned"],
        ),
        ("Content-Type: multipart/mixed\r\n\r\n--\r\n", &["message 0 multipart NoBoundary", "=--\\r\\n"]),
        ("Content-Transfer-Encoding: x-uue\r\n\r\n", &["message 0 text Uuencoded"]),
    ] {
        assert_eq!(Pieces::whole(message).outline, outline, "{message:?}");
    }
}

#[test]
fn a_header_section_without_end_is_content_that_is_not_touched() {
    for (length, is_header) in [(MAX_SECTION, true), (MAX_SECTION + 1, false)] {
        let field = format!("A: {}\r\n", "b".repeat(length - 7));
        let message = format!("{MIXED}--a\r\n{field}\r\nx\r\n--a--");
        let pieces = Pieces::whole(&message);
        assert_eq!(pieces.octets, message.as_bytes());
        assert_eq!(pieces.outline[2] == "1 text", is_header, "{length}");
        assert_eq!(pieces.outline[2] == "1 text HeaderTooBig", !is_header);
        assert_eq!(pieces.outline.last().unwrap(), "\\r\\n--a--");
        assert_eq!(Pieces::of(message.as_bytes(), 1000), pieces);
    }
}

#[test]
fn parts_have_a_depth_and_a_number_that_are_told_apart() {
    let nested: String = (0..=MAX_DEPTH)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"))
        .collect();
    let outline = Pieces::whole(&nested).outline;
    assert_eq!(outline.iter().filter(|line| line.ends_with("multipart")).count(), MAX_DEPTH);
    assert!(outline.iter().any(|line| line.ends_with("multipart TooDeep")));
    let many = MIXED.to_owned() + &"--a\r\n\r\n".repeat(10_001);
    let outline = Pieces::whole(&many).outline;
    assert!(outline.iter().any(|line| line == "9999 text"));
    assert!(outline.iter().any(|line| line == "10000 text TooManyParts"));
}

proptest! {
    #[test]
    fn together_the_pieces_are_the_message_however_it_is_cut(
        lines in proptest::collection::vec("(--a|--b|--a--|--b-- |--|-|x|é|🦀|A: b|Content-Type: (multipart/mixed; boundary=[ab]|message/rfc822)|)(\r\n){0,2}", 0..24),
        chunk in 1..40usize,
    ) {
        let message = MIXED.to_owned() + &lines.concat();
        let whole = Pieces::whole(&message);
        prop_assert_eq!(String::from_utf8_lossy(&whole.octets), &*message);
        prop_assert_eq!(Pieces::of(message.as_bytes(), chunk), whole);
    }
}

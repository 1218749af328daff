//! Messages that are surveyed and rewritten, and what a reader finds in them before and after.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::mime::{Survey, Surveyed, decoded};

fn survey(message: &[u8], chunk: usize) -> Surveyed {
    let mut survey = Survey::of_message();
    message.chunks(chunk).for_each(|octets| survey.feed(octets));
    survey.finish()
}

/// What leaves for a host, in chunks.
fn rewrite(message: &[u8], target: Target, chunk: usize) -> Result<Vec<u8>, Untouchable> {
    let mut rewriter = Rewriter::new(survey(message, chunk).plan(target)?);
    let mut out = Vec::new();
    message.chunks(chunk).for_each(|octets| rewriter.feed(octets, &mut out));
    rewriter.finish(&mut out);
    Ok(out)
}

fn seven_bit(message: &str) -> String {
    String::from_utf8(rewrite(message.as_bytes(), Target::SevenBit, 100).unwrap()).unwrap()
}

#[test]
fn a_message_without_parts_is_re_encoded_as_its_type_asks_for() {
    for (message, written) in [
        (
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\
             Subject: s\r\n\r\nGrüße\r\n",
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\nSubject: s\r\n\r\nGr=C3=BC=C3=9Fe\r\n",
        ),
        (
            "Subject: s\r\n\r\nGrüße",
            "Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe",
        ),
        (
            "Content-Type: image/svg+xml\r\nMIME-Version: 1.0\r\n\r\né\r\n",
            "Content-Type: image/svg+xml\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n\
             w6kNCg==\r\n",
        ),
        (
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: Base64\r\n\r\nw6\r\né=\r\n",
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\
             \r\nw6=\r\n",
        ),
        (
            "MIME-Version: 1.0\r\nContent-Type: text/x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
             =C3=A9é=\r\n",
            "MIME-Version: 1.0\r\nContent-Type: text/x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
             =C3=A9=C3=A9=\r\n",
        ),
    ] {
        assert_eq!(seven_bit(message), written);
    }
}

const MIXED: &str = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";

#[test]
fn only_parts_that_need_it_change_and_composites_say_so() {
    let message = format!(
        "{MIXED}Content-Transfer-Encoding: 8bit\r\n\r\nPrä\r\n--b\r\nX: y\r\nContent-Type: text/html\r\n\r\n\
         <p>é</p>\r\n\r\n--b \r\nContent-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\nAAAA\r\n--b\r\n\
         é\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\né\r\n--b--\r\nPöst"
    );
    let text = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9";
    let written = format!(
        "{MIXED}Content-Transfer-Encoding: 7bit\r\n\r\nPr??\r\n--b\r\nX: y\r\nContent-Type: text/html\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=A9</p>\r\n\r\n--b \r\n\
         Content-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\nAAAA\r\n--b\r\n{text}\r\n--b\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: s\r\nMIME-Version: 1.0\r\n{text}\r\n--b--\r\nP??st"
    );
    assert_eq!(seven_bit(&message), written);
    assert_eq!(rewrite(message.as_bytes(), Target::EightBit, 100).unwrap(), message.as_bytes());
}

#[test]
fn a_header_section_that_lacks_its_blank_line_gets_one_where_fields_follow() {
    let encoded = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9";
    for (part, written) in [
        ("é".to_owned(), encoded.to_owned()),
        ("X: y\r\né".to_owned(), format!("X: y\r\n{encoded}")),
        (
            "Content-Type: message/rfc822\r\né".to_owned(),
            format!("Content-Type: message/rfc822\r\n\r\nMIME-Version: 1.0\r\n{encoded}"),
        ),
        (
            "Content-Type: message/rfc822\r\n--b\r\né".to_owned(),
            format!("Content-Type: message/rfc822\r\n--b\r\n{encoded}"),
        ),
        (format!("{MIXED}x\r\n--b\r\n\r\né"), format!("{MIXED}x\r\n--b\r\n{encoded}")),
    ] {
        let message = |part: &str| format!("{MIXED}\r\n--b\r\n{part}\r\n--b--\r\n");
        assert_eq!(seven_bit(&message(&part)), message(&written));
    }
}

#[test]
fn the_last_line_end_is_content_unless_a_delimiter_is_missing_behind_it() {
    let picture = "Content-Type: image/png\r\nMIME-Version: 1.0\r\n";
    let encoded = format!("{picture}Content-Transfer-Encoding: base64\r\n");
    for (message, written) in [
        (format!("{picture}\r\né"), format!("{encoded}\r\nw6k=\r\n")),
        (format!("{picture}\r\né\r\n"), format!("{encoded}\r\nw6kNCg==\r\n")),
        (format!("{MIXED}\r\n--b\r\n{picture}\r\né"), format!("{MIXED}\r\n--b\r\n{encoded}\r\nw6k=\r\n")),
        (format!("{MIXED}\r\n--b\r\n{picture}\r\né\r\n"), format!("{MIXED}\r\n--b\r\n{encoded}\r\nw6k=\r\n")),
    ] {
        assert_eq!(seven_bit(&message), written);
    }
}

#[test]
fn a_part_that_a_signature_covers_stays_as_it_is_beside_one_that_changes() {
    let signed = "Content-Type: multipart/signed; boundary=s\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--s\r\n\
                  Content-Transfer-Encoding: 8bit\r\n\r\nplain \r\n--s\r\n\r\nsignature\r\n--s--\r\nepilogue\r\n";
    let message = |text: &str| format!("{MIXED}\r\n--b\r\n{signed}--b\r\n{text}\r\n--b--\r\n");
    let encoded = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9";
    assert_eq!(seven_bit(&message("\r\né")), message(encoded));
}

#[test]
fn long_lines_are_wrapped_or_broken_and_octets_stay_where_the_host_takes_them() {
    let message = format!(
        "{MIXED}\r\n--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\n{}\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\n{}é\r\n--b\r\n\r\né\r\n--b--\r\n",
        "A".repeat(1200),
        "word ".repeat(200),
    );
    let written = String::from_utf8(rewrite(message.as_bytes(), Target::EightBit, 64).unwrap()).unwrap();
    let (picture, rest) = written.split_once("\r\n--b\r\nContent-Type: text/plain").unwrap();
    let (_, picture) = picture.split_once("image/png\r\n\r\n").unwrap();
    assert_eq!(decoded::base64(picture.as_bytes()), [0; 900]);
    let (text, rest) = rest.split_once("\r\n--b").unwrap();
    let text = text.strip_prefix("\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n").unwrap();
    assert_eq!(decoded::quoted_printable(text.as_bytes()), format!("{}é", "word ".repeat(200)).as_bytes());
    assert_eq!(rest, "\r\n\r\né\r\n--b--\r\n");
}

/// What a reader finds: the entities, and the decoded content of those without parts.
#[derive(Debug, Default)]
struct Reading {
    found: Vec<(String, Vec<u8>)>,
    encoding: Option<Encoding>,
    raw: Vec<u8>,
}

impl Reading {
    fn of(message: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut reading = Self::default();
        let mut parts = Parts::of_message();
        parts.feed(message, &mut reading);
        parts.finish(&mut reading);
        reading.end_content();
        reading.found
    }

    fn end_content(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        let content = match self.encoding.take() {
            Some(Encoding::QuotedPrintable) => decoded::quoted_printable(&raw),
            Some(Encoding::Base64) => decode_what_can_be(&raw),
            Some(Encoding::Identity | Encoding::Uuencode) => raw,
            None => return,
        };
        self.found.push(("content".to_owned(), content));
    }
}

impl Visitor for Reading {
    fn header(&mut self, part: &Part<'_>) {
        self.found.push((format!("{:?} {:?}", part.entity.kind, part.untouchable), Vec::new()));
        let is_leaf = matches!(part.entity.kind, Kind::Text | Kind::Data);
        self.encoding = is_leaf.then_some(part.entity.encoding);
    }

    fn content(&mut self, octets: &[u8]) {
        if self.encoding.is_some() {
            self.raw.extend_from_slice(octets);
        }
    }

    fn delimiter(&mut self, delimiter: &Delimiter<'_>) {
        self.end_content();
        let line = delimiter.octets.trim_ascii().to_owned();
        // The end of the message is none, though a re-encoded text may have got the line end that one would have.
        if !line.is_empty() {
            self.found.push(("delimiter".to_owned(), line));
        }
    }
}

fn decode_what_can_be(base64: &[u8]) -> Vec<u8> {
    let alphabet = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
    let text: Vec<u8> = base64.iter().copied().filter(alphabet).collect();
    STANDARD.decode(&text).unwrap_or(text)
}

/// Lines of which messages of all kinds can be made, well-formed and not.
const LINES: &str = "--[ab](--)?|--[ab](--)?|\
    Content-Type: multipart/(mixed|digest|signed); boundary=[ab]|Content-Type: multipart/mixed; boundary=[ab]|\
    Content-Type: (message/rfc822|text/plain|image/png|multipart/mixed)|\
    Content-Transfer-Encoding: (8bit|base64|quoted-printable|uuencode)|DKIM-Signature: x|\
    A: (é|x{1000})|é|x{1000}|[é ]{300}|w6k=|=C3=A=|=|trailing |--[cé]|- -|||||";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_leaves_can_be_sent_and_says_what_came(
        lines in proptest::collection::vec(LINES, 0..24),
        last in "(\r\n)?",
        chunk in 1..200usize,
    ) {
        let message = format!("Content-Type: multipart/mixed; boundary=a\r\n{}{last}", lines.join("\r\n"));
        for target in [Target::EightBit, Target::SevenBit] {
            let Ok(written) = rewrite(message.as_bytes(), target, usize::MAX) else { continue };
            prop_assert_eq!(&rewrite(message.as_bytes(), target, chunk).unwrap(), &written);
            prop_assert!(!has_long_line(body(&written)), "{target:?}: a line is too long");
            prop_assert!(target == Target::EightBit || body(&written).is_ascii(), "not ASCII");
            prop_assert_eq!(Reading::of(&written), Reading::of(message.as_bytes()));
            let plan = survey(message.as_bytes(), chunk).plan(target).unwrap();
            prop_assert!(plan.changes || written == message.as_bytes(), "changed without need");
            prop_assert!(survey(&written, chunk).plan(target).unwrap().leaves.is_empty(), "not done");
        }
    }
}

fn survey_of_octets(message: &[u8], chunk: usize) -> Surveyed {
    let mut survey = Survey::of_message().of_octets();
    message.chunks(chunk).for_each(|octets| survey.feed(octets));
    survey.finish()
}

/// What was sent as `BODY=BINARYMIME`, as it leaves for a host without BINARYMIME.
fn text_of(message: &[u8], target: Target, chunk: usize) -> Vec<u8> {
    let mut rewriter = Rewriter::new(survey_of_octets(message, chunk).plan(target).unwrap());
    let mut out = Vec::new();
    message.chunks(chunk).for_each(|octets| rewriter.feed(octets, &mut out));
    rewriter.finish(&mut out);
    out
}

#[test]
fn what_was_sent_as_binary_becomes_text_and_says_so() {
    let binary = "Content-Transfer-Encoding: binary\r\n";
    for (message, written) in [
        (
            format!(
                "{MIXED}{binary}\r\n--b\r\n{binary}Content-Type: image/png\r\n\r\n\0\n\r\n--b\r\n{binary}\r\né\r\n--b--"
            ),
            format!(
                "{MIXED}Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\
                 \r\nAAo=\r\n--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\né\r\n--b--\r\n"
            ),
        ),
        (
            format!("MIME-Version: 1.0\r\n{binary}\r\na\nb\r\n\0c"),
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=0Ab\r\n=00c=\r\n"
                .to_owned(),
        ),
        ("Subject: s\r\n\r\nplain".to_owned(), "Subject: s\r\n\r\nplain\r\n".to_owned()),
    ] {
        for chunk in [1, 7, 1000] {
            let left = text_of(message.as_bytes(), Target::EightBit, chunk);
            assert_eq!(String::from_utf8(left).unwrap(), written);
        }
    }
}

#[test]
fn a_header_in_utf_8_is_encoded_for_a_host_without_smtputf8_and_what_is_signed_is_not() {
    let message = "DKIM-Signature: v=1; h=from\r\nFrom: a@b\r\nSubject: Grüße\r\n\r\né\r\n";
    let mut rewriter =
        Rewriter::new(survey(message.as_bytes(), 9).plan(Target::EightBit).unwrap().with_ascii_header());
    let mut left = Vec::new();
    message.as_bytes().chunks(5).for_each(|octets| rewriter.feed(octets, &mut left));
    rewriter.finish(&mut left);
    assert_eq!(String::from_utf8(left).unwrap(), message.replace("Grüße", "=?utf-8?q?Gr=C3=BC=C3=9Fe?="));
}

/// A part of what was sent as binary: its fields, and octets that have no delimiter line in them.
fn octets() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let fields = proptest::sample::select(vec![
        "Content-Type: image/png\r\n",
        "Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n",
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n",
        "",
    ]);
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        proptest::sample::select(vec![
            &b"\r\n"[..],
            b"\r",
            b"\n",
            b"\0",
            b"\n--b\n",
            b"\r\n-",
            b".\r\n",
            b" \r\n",
            b"="
        ])
        .prop_map(<[u8]>::to_vec),
        (990..1010usize).prop_map(|length| vec![b'x'; length]),
    ];
    (fields, proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()))
}

proptest! {
    #[test]
    fn what_was_sent_as_binary_says_what_it_said_to_the_octet(
        parts in proptest::collection::vec(octets(), 1..4),
        is_single in any::<bool>(),
        chunk in 1..200usize,
    ) {
        let message = if is_single {
            let (fields, content) = &parts[0];
            [b"Content-Transfer-Encoding: binary\r\n", fields.replace("Content-Transfer-Encoding: binary\r\n", "").as_bytes(), b"\r\n", content].concat()
        } else {
            let parts = parts.iter().map(|(fields, content)| [b"\r\n--b\r\n", fields.as_bytes(), b"\r\n", content].concat());
            let parts: Vec<u8> = parts.flatten().collect();
            [MIXED.as_bytes(), b"\r\n", &parts, b"\r\n--b--"].concat()
        };
        for target in [Target::EightBit, Target::SevenBit] {
            let left = text_of(&message, target, chunk);
            prop_assert_eq!(&left, &text_of(&message, target, usize::MAX));
            prop_assert!(!crate::mime::binary::has_binary_octets(&left), "{}", left.escape_ascii());
            prop_assert!(!has_long_line(&left) && left.ends_with(b"\r\n"), "{}", left.escape_ascii());
            prop_assert!(target == Target::EightBit || left.is_ascii());
            prop_assert!(!String::from_utf8_lossy(&left).contains("Encoding: binary"));
            let contents = |message: &[u8]| -> Vec<Vec<u8>> {
                Reading::of(message).into_iter().filter(|(what, _)| what == "content").map(|(_, octets)| octets).collect()
            };
            let expected: Vec<Vec<u8>> = match is_single {
                true => vec![parts[0].1.clone()],
                false => parts.iter().map(|(_, content)| content.clone()).collect(),
            };
            prop_assert_eq!(contents(&left), expected);
        }
    }
}

/// What stands behind the header section of the message, which is not changed when it leaves.
fn body(message: &[u8]) -> &[u8] {
    let start = message.windows(4).position(|octets| octets == b"\r\n\r\n");
    start.map_or(b"", |start| &message[start..])
}

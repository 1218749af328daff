//! Octets above 127 in header fields, written so that every host and every reader takes them (RFC 2047, RFC 2231).
//!
//! Within an address there is no way to write them but UTF-8 (RFC 6532), so there they stay.

use std::collections::BTreeSet;

use crate::encoded_word::{self, Charset, EncodedWord};
use crate::lexer::{Kind, Token, lex};

/// What a field holds, which says how octets above 127 are written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Text (RFC 5322 section 2.2.1), also what is not known better.
    Text,
    /// Addresses (RFC 5322 section 3.4).
    Addresses,
    /// Message identifiers (RFC 5322 section 3.6.4).
    Identifiers,
    /// A word and parameters (RFC 2045 section 5.1).
    Parameters,
}

const ADDRESSES: [&str; 18] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-From",
    "Resent-Sender",
    "Resent-Reply-To",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Return-Path",
    "Mail-Followup-To",
    "Mail-Reply-To",
    "Disposition-Notification-To",
    "Return-Receipt-To",
    "Errors-To",
];

/// A date has a comment, with the name of the time zone in it, which is encoded as it is among addresses.
const DATES: [&str; 2] = ["Date", "Resent-Date"];

impl Holds {
    /// What the fields of this name hold.
    pub(crate) fn of(name: &str) -> Self {
        let is = |other: &&str| name.eq_ignore_ascii_case(other);
        if ADDRESSES.iter().chain(&DATES).any(is) {
            Self::Addresses
        } else if ["Message-ID", "In-Reply-To", "References", "Resent-Message-ID", "Content-ID"]
            .iter()
            .any(is)
        {
            Self::Identifiers
        } else if ["Content-Type", "Content-Disposition"].iter().any(is) {
            Self::Parameters
        } else {
            Self::Text
        }
    }
}

/// The value in ASCII, but for addresses. `column` is where it begins.
pub(crate) fn encode(value: &str, charset: Charset, holds: Holds, column: usize) -> String {
    match holds {
        Holds::Text => encode_pieces(pieces_of_text(value), charset, column),
        Holds::Addresses => encode_pieces(pieces_of_addresses(value), charset, column),
        Holds::Identifiers => percent_encoded(value, charset),
        Holds::Parameters => encode_parameters(value, charset),
    }
}

/// What stands between two pieces, or is one.
struct Piece<'a> {
    text: std::borrow::Cow<'a, str>,
    kind: PieceKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PieceKind {
    Blank,
    /// It is to be encoded.
    Raw,
    /// The same, in brackets.
    RawComment,
    /// It is encoded already.
    Encoded,
    /// It stays.
    Other,
}

fn pieces_of_text(value: &str) -> Vec<Piece<'_>> {
    cut_at_blanks(value)
        .map(|text| Piece { text: text.into(), kind: kind_of_word(text, !text.is_ascii()) })
        .collect()
}

fn kind_of_word(text: &str, raw: bool) -> PieceKind {
    if text.starts_with(is_blank) {
        PieceKind::Blank
    } else if raw {
        PieceKind::Raw
    } else if EncodedWord::take(text).is_some_and(|word| word.length == text.len()) {
        PieceKind::Encoded
    } else {
        PieceKind::Other
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Words and the blanks between them, in turns.
fn cut_at_blanks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blank = rest.chars().next().map(is_blank)?;
        let end = rest.find(|c| is_blank(c) != blank).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(piece)
    })
}

/// A field of addresses, of which phrases and comments are to be encoded. If it has no tokens, its words are, but
/// for those that may be addresses.
fn pieces_of_addresses(value: &str) -> Vec<Piece<'_>> {
    let Ok(tokens) = lex(value) else {
        let raw = |text: &str| !text.is_ascii() && !text.contains(['@', '<', '>']);
        return cut_at_blanks(value)
            .map(|text| Piece { text: text.into(), kind: kind_of_word(text, raw(text)) })
            .collect();
    };
    let mut inside = false;
    let around = |at: usize| {
        at.checked_sub(1).and_then(|before| tokens.get(before)).into_iter().chain(tokens.get(at + 1))
    };
    let pieces = tokens.iter().enumerate().map(|(at, token)| {
        inside = (inside || token.is('<')) && !token.is('>');
        piece_of_token(token, inside || around(at).any(|beside| beside.is('@')))
    });
    pieces.collect()
}

fn piece_of_token<'a>(token: &Token<'a>, in_address: bool) -> Piece<'a> {
    let raw = !token.text.is_ascii() && !in_address;
    let (text, kind) = match token.kind {
        Kind::Comment if raw => (token.content().into(), PieceKind::RawComment),
        Kind::Quoted if raw => (token.content().into(), PieceKind::Raw),
        Kind::Word | Kind::Blank => (token.text.into(), kind_of_word(token.text, raw)),
        Kind::Comment | Kind::Quoted | Kind::Special(_) => {
            (token.text.into(), if raw { PieceKind::Raw } else { PieceKind::Other })
        }
    };
    Piece { text, kind }
}

/// Raw pieces with nothing but blanks between them are one: between two encoded-words a blank would be none.
fn merge(pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let mut merged: Vec<Piece<'_>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (piece.kind, merged.as_mut_slice()) {
            (PieceKind::Raw, [.., Piece { kind: PieceKind::Raw, text }]) => {
                text.to_mut().push_str(&piece.text)
            }
            (PieceKind::Raw, [.., Piece { kind: PieceKind::Raw, text }, blank])
                if blank.kind == PieceKind::Blank =>
            {
                text.to_mut().push_str(&blank.text.replace("\r\n", ""));
                text.to_mut().push_str(&piece.text);
                merged.pop();
            }
            _ => merged.push(piece),
        }
    }
    merged
}

fn encode_pieces(pieces: Vec<Piece<'_>>, charset: Charset, column: usize) -> String {
    let pieces = merge(pieces);
    let mut line = Line { text: String::new(), column };
    let kind = |at: Option<usize>| at.and_then(|at| pieces.get(at)).map(|piece| piece.kind);
    for (at, piece) in pieces.iter().enumerate() {
        let before = kind(at.checked_sub(1));
        match piece.kind {
            PieceKind::Raw => {
                // Of the blanks between two encoded-words a reader sees none, so those must be within.
                let beside = |one: Option<usize>, two: Option<usize>| {
                    (kind(one), kind(two)) == (Some(PieceKind::Blank), Some(PieceKind::Encoded))
                };
                let lead = if beside(at.checked_sub(1), at.checked_sub(2)) { " " } else { "" };
                let trail = if beside(Some(at + 1), Some(at + 2)) { " " } else { "" };
                line.push_apart(before);
                line.push(&encoded_word::encode(
                    &format!("{lead}{}{trail}", piece.text),
                    charset,
                    line.column,
                ));
            }
            PieceKind::RawComment => {
                line.push_apart(before);
                line.push(&format!("({})", encoded_word::encode(&piece.text, charset, line.column + 1)));
            }
            PieceKind::Blank => line.push(&piece.text),
            PieceKind::Encoded | PieceKind::Other => {
                let follows = matches!(before, Some(PieceKind::Raw | PieceKind::RawComment));
                line.push_apart(before.filter(|_| follows && piece.text != ","));
                line.push(&piece.text);
            }
        }
    }
    line.text
}

/// A field as it is written, and where its last line stands.
struct Line {
    text: String,
    column: usize,
}

impl Line {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column = match text.rfind('\n') {
            Some(end) => text.len() - end - 1,
            None => self.column + text.len(),
        };
    }

    /// An encoded-word has a blank on either side (RFC 2047 section 5).
    fn push_apart(&mut self, before: Option<PieceKind>) {
        if before.is_some_and(|before| before != PieceKind::Blank) {
            self.push(" ");
        }
    }
}

/// The same for identifiers, in which an encoded-word has no place: `%` and two digits for each octet.
fn percent_encoded(value: &str, charset: Charset) -> String {
    value.chars().map(|c| if c.is_ascii() { c.to_string() } else { charset.percent_encode(c) }).collect()
}

/// `value *(";" attribute "=" value)`, of which only the values of attributes have a way to be written (RFC 2231).
fn encode_parameters(value: &str, charset: Charset) -> String {
    let parts = cut_at_semicolons(value);
    let extended: BTreeSet<String> = parts.iter().filter_map(|part| extended_name(part)).collect();
    parts
        .into_iter()
        .filter(|part| part.is_ascii() || !extended.contains(&attribute_name(part)))
        .map(|part| if must_stay(part) { part.to_owned() } else { encode_parameter(part, charset) })
        .collect::<Vec<_>>()
        .join(";")
}

/// Whether an attribute stays as it is. Of a boundary few readers know another form than that in its delimiter lines.
fn must_stay(part: &str) -> bool {
    part.is_ascii() || attribute_name(part) == "boundary"
}

/// The name of an attribute that stands there as RFC 2231 section 4 has it. If it also stands there raw, as in
/// `filename="ü.pdf"; filename*=utf-8''%C3%BC.pdf`, and both were written so, some readers would join the two.
fn extended_name(part: &str) -> Option<String> {
    attribute_name(part).split_once('*').map(|(name, _)| name.to_owned())
}

fn attribute_name(part: &str) -> String {
    part.split('=').next().unwrap_or_default().trim_matches(is_blank).to_ascii_lowercase()
}

/// The parts between semicolons that are not in quotes. A quote without an end is none.
fn cut_at_semicolons(value: &str) -> Vec<&str> {
    let Ok(tokens) = lex(value) else { return value.split(';').collect() };
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for token in tokens {
        if token.is(';') {
            parts.extend(value.get(start..at));
            start = at + 1;
        }
        at += token.text.len();
    }
    parts.extend(value.get(start..));
    parts
}

/// Octets of a segment of a value, so that its line is well below 78.
const SEGMENT: usize = 40;

/// One attribute. One that can't be made of it keeps question marks in the place of what it can't say.
fn encode_parameter(part: &str, charset: Charset) -> String {
    let is_token = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|octet| octet.is_ascii_graphic() && !b"*'%()<>@,;:\\\"/[]?=".contains(&octet))
    };
    let attribute =
        part.split_once('=').map(|(name, value)| (name.trim_matches(is_blank), value.trim_matches(is_blank)));
    match attribute.filter(|(name, _)| is_token(name)) {
        Some((name, value)) => segments(name, &unquoted(value), charset),
        None => part.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect(),
    }
}

fn unquoted(value: &str) -> String {
    match lex(value).ok().as_deref() {
        Some([quoted]) if quoted.kind == Kind::Quoted => quoted.content(),
        _ => value.trim_matches('"').to_owned(),
    }
}

/// `name*=charset''value`, or in segments `name*0*=charset''…; name*1*=…` (RFC 2231 sections 3 and 4).
fn segments(name: &str, value: &str, charset: Charset) -> String {
    let mut segments = vec![String::new()];
    for c in value.chars() {
        let encoded = charset.percent_encode(c);
        match segments.last_mut() {
            Some(last) if last.len() + encoded.len() <= SEGMENT => last.push_str(&encoded),
            _ => segments.push(encoded),
        }
    }
    let charset = charset.name();
    match segments.as_slice() {
        [only] => format!("\r\n {name}*={charset}''{only}"),
        segments => {
            let lead = |number| if number == 0 { format!("{charset}''") } else { String::new() };
            let written = segments
                .iter()
                .enumerate()
                .map(|(number, text)| format!("\r\n {name}*{number}*={}{text}", lead(number)));
            written.collect::<Vec<_>>().join(";")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(name: &str, value: &str) -> String {
        let (charset, text) = Charset::read(value.as_bytes());
        encode(&text, charset, Holds::of(name), name.len() + 1)
    }

    #[test]
    fn text_is_encoded_word_by_word() {
        for (value, written) in [
            (" Grüße aus Köln", " =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus =?utf-8?q?K=C3=B6ln?="),
            (" a ü ö b", " a =?utf-8?q?=C3=BC_=C3=B6?= b"),
            (" ü\r\n ö", " =?utf-8?q?=C3=BC_=C3=B6?="),
            (" =?utf-8?q?a?= ü =?utf-8?q?b?=", " =?utf-8?q?a?= =?utf-8?q?_=C3=BC_?= =?utf-8?q?b?="),
            (" ", " "),
        ] {
            assert_eq!(encoded("Subject", value), written);
        }
    }

    #[test]
    fn phrases_and_comments_are_encoded_and_addresses_are_not() {
        for (value, written) in [
            (" Jörg <a@b>", " =?utf-8?q?J=C3=B6rg?= <a@b>"),
            (
                " \"Müller, Jörg\" <a@b>,\"ö\"<c@d>",
                " =?utf-8?q?M=C3=BCller=2C_J=C3=B6rg?= <a@b>, =?utf-8?q?=C3=B6?= <c@d>",
            ),
            (" a@b (Jörg (x))", " a@b (=?utf-8?q?J=C3=B6rg_=28x=29?=)"),
            (" jörg@b, Ü <ö@ü>", " jörg@b, =?utf-8?q?=C3=9C?= <ö@ü>"),
            (" Gruß: a@b;", " =?utf-8?q?Gru=C3=9F?= : a@b;"),
            (" \"üx <a@b>", " =?utf-8?q?=22=C3=BCx?= <a@b>"),
            (" ü \"x <a@b>", " =?utf-8?q?=C3=BC?= \"x <a@b>"),
        ] {
            assert_eq!(encoded("To", value), written);
        }
    }

    #[test]
    fn the_name_of_a_time_zone_stays_a_comment() {
        assert_eq!(
            encoded("Date", " Sun, 29 Nov 2026 10:00:00 +0100 (Mitteleuropäische Zeit)"),
            " Sun, 29 Nov 2026 10:00:00 +0100 (=?utf-8?q?Mitteleurop=C3=A4ische_Zeit?=)"
        );
    }

    #[test]
    fn file_names_are_encoded_as_parameters() {
        for (value, written) in [
            (
                " attachment; filename=\"Prüfung; 1.pdf\"",
                " attachment;\r\n filename*=utf-8''Pr%C3%BCfung%3B%201.pdf",
            ),
            (" application/pdf; name=ü.pdf; x=y", " application/pdf;\r\n name*=utf-8''%C3%BC.pdf; x=y"),
            (" text/pläin; x", " text/pl?in; x"),
            (" a; filename=\"ü.pdf\"; FILENAME*=utf-8''%C3%BC.pdf", " a; FILENAME*=utf-8''%C3%BC.pdf"),
            (" a; x*0=\"b\"; X=ü ;y", " a; x*0=\"b\";y"),
            (" multipart/mixed; Boundary=a\r\n ü; x=y", " multipart/mixed; Boundary=a\r\n ü; x=y"),
            (" attachment; filename=\"ü.pdf", " attachment;\r\n filename*=utf-8''%C3%BC.pdf"),
        ] {
            assert_eq!(encoded("Content-Disposition", value), written);
        }
        let long = encoded("Content-Type", &format!(" a/b; name=\"{}\"", "ü".repeat(20)));
        assert!(
            long.starts_with(" a/b;\r\n name*0*=utf-8''%C3%BC") && long.contains(";\r\n name*1*=%C3"),
            "{long}"
        );
    }

    #[test]
    fn identifiers_keep_their_form() {
        assert_eq!(encoded("Message-ID", " <ü@x>"), " <%C3%BC@x>");
    }

    #[test]
    fn latin_1_is_said_to_be_that() {
        let (charset, text) = Charset::read(b" B\xfcro");
        assert_eq!(encode(&text, charset, Holds::Text, 8), " =?iso-8859-1?q?B=FCro?=");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_ascii_and_means_the_same(value in "[a-zé ü]{0,60}") {
            let written = encoded("Subject", &value);
            prop_assert!(written.is_ascii());
            prop_assert_eq!(encoded_word::decode(&written.replace("\r\n", "")), value);
        }

        #[test]
        fn any_value_is_encoded(name in "(To|Subject|Message-ID|Content-Type)", value in "([aé@<>(),;:\"\\\\=. ]|\r\n |=\\?u\\?q\\?a\\?=){0,30}") {
            let _ = encoded(&name, &value);
        }
    }
}

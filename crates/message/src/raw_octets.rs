//! Octets above 127 in header fields, written so that every host and every reader takes them (RFC 2047, RFC 2231).
//!
//! Within an address there is no way to write them but UTF-8 (RFC 6532), so there they stay.

use std::borrow::Cow;

use crate::encoded_word::{self, Charset, EncodedWord};
use crate::lexer::{Kind, Token, lex};
use crate::parameters;

/// What a field holds, which says how octets above 127 are written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Text (RFC 5322 section 2.2.1), also what is not known better.
    Text,
    /// Addresses (RFC 5322 section 3.4).
    Addresses,
    /// Message identifiers (RFC 5322 section 3.6.4) and URIs.
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

/// These, and addresses of the web (RFC 2369, RFC 2557).
const IDENTIFIERS: [&str; 12] = [
    "Message-ID",
    "In-Reply-To",
    "References",
    "Resent-Message-ID",
    "Content-ID",
    "Content-Location",
    "List-Help",
    "List-Unsubscribe",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
];

const PARAMETERS: [&str; 2] = ["Content-Type", "Content-Disposition"];

/// A date has a comment, with the name of the time zone in it, which is encoded as it is among addresses.
const DATES: [&str; 2] = ["Date", "Resent-Date"];

impl Holds {
    /// What the fields of this name hold.
    pub(crate) fn of(name: &str) -> Self {
        if holds_addresses(name) || is_one_of(&DATES, name) {
            Self::Addresses
        } else if is_one_of(&IDENTIFIERS, name) {
            Self::Identifiers
        } else if is_one_of(&PARAMETERS, name) {
            Self::Parameters
        } else {
            Self::Text
        }
    }
}

/// Whether addresses stand in the fields of this name (RFC 5322 section 3.6, and some fields that others have added).
#[must_use]
pub fn holds_addresses(name: &str) -> bool {
    is_one_of(&ADDRESSES, name)
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// The value in ASCII, but for addresses. `column` is where it begins.
pub(crate) fn encode(value: &str, charset: Charset, holds: Holds, column: usize) -> String {
    match holds {
        Holds::Text => encode_pieces(pieces_of_text(value), charset, column),
        Holds::Addresses => encode_pieces(pieces_of_addresses(value), charset, column),
        Holds::Identifiers => percent_encoded(value, charset),
        Holds::Parameters => parameters::encode(value, charset),
    }
}

/// What stands between two pieces, or is one.
struct Piece<'a> {
    text: Cow<'a, str>,
    kind: PieceKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PieceKind {
    Blank,
    /// It is to be encoded.
    Raw,
    /// A comment that is to be encoded within its brackets.
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

/// A field of addresses, of which phrases and comments are to be encoded.
fn pieces_of_addresses(value: &str) -> Vec<Piece<'_>> {
    let (tokens, _) = lex(value);
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
    let mut before = None;
    for (at, piece) in pieces.iter().enumerate() {
        let column = line.column;
        let written = match piece.kind {
            PieceKind::Raw => {
                encoded_word::encode(&with_blanks(&pieces, at, &piece.text), charset, column).into()
            }
            PieceKind::RawComment => {
                format!("({})", encoded_word::encode(&piece.text, charset, column + 1)).into()
            }
            PieceKind::Blank | PieceKind::Encoded | PieceKind::Other => Cow::Borrowed(&*piece.text),
        };
        if before.is_some_and(|before| wants_blank(before, piece)) {
            line.push(" ");
        }
        line.push(&written);
        before = Some(piece.kind);
    }
    line.text
}

/// Of the blanks between two encoded-words a reader sees none (RFC 2047 section 6.2), so beside another one they are
/// encoded, too.
fn with_blanks(pieces: &[Piece<'_>], at: usize, text: &str) -> String {
    let kind = |at: Option<usize>| at.and_then(|at| pieces.get(at)).map(|piece| piece.kind);
    let beside = |one, two| (kind(one), kind(two)) == (Some(PieceKind::Blank), Some(PieceKind::Encoded));
    let lead = if beside(at.checked_sub(1), at.checked_sub(2)) { " " } else { "" };
    let trail = if beside(at.checked_add(1), at.checked_add(2)) { " " } else { "" };
    // What is glued to an encoded-word is no part of it, and neither would be read.
    format!("{lead}{}{trail}", encoded_word::decode(text))
}

/// An encoded-word, or a comment with one, has a blank on either side (RFC 2047 section 5).
fn wants_blank(before: PieceKind, piece: &Piece<'_>) -> bool {
    let is_raw = |kind| matches!(kind, PieceKind::Raw | PieceKind::RawComment);
    let apart = before == PieceKind::Blank || piece.kind == PieceKind::Blank || piece.text == ",";
    !apart && (is_raw(before) || is_raw(piece.kind))
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
}

/// The same for identifiers, in which an encoded-word has no place: `%` and two digits for each octet.
fn percent_encoded(value: &str, charset: Charset) -> String {
    value.chars().map(|c| if c.is_ascii() { c.to_string() } else { charset.percent_encode(c) }).collect()
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
            (" =?utf-8?q?a?=ü b", " =?utf-8?q?a=C3=BC?= b"),
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
            (" \"üx <a@b>", " \" =?utf-8?q?=C3=BCx?= <a@b>"),
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

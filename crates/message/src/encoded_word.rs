//! Encoded-words: text beyond ASCII in header fields (RFC 2047).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, UTF_8};

/// The most octets of an encoded-word. RFC 2047 section 2.
const MAX_WORD: usize = 75;

/// The most octets of a line that has an encoded-word. RFC 2047 section 2.
const MAX_LINE: usize = 76;

/// The least room for the first of several words; a line may become a little longer for it.
const LEAST_ROOM: usize = 40;

/// Base64 as it is found in mail: padded, not padded, or with odd bits at its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The charset of octets that stand raw in a header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// They are valid UTF-8.
    Utf8,
    /// They are not, and every octet is a character in this one.
    Latin1,
}

/// `encoded-word = "=?" charset "?" encoding "?" encoded-text "?="`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EncodedWord<'a> {
    charset: &'a str,
    encoding: Coding,
    text: &'a str,
    /// Octets of the whole word.
    pub(crate) length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// RFC 2047 section 4.2.
    Q,
    /// RFC 2047 section 4.1.
    B,
}

impl<'a> EncodedWord<'a> {
    /// Takes the encoded-word at the start of `input`. What is no white space and no question mark passes for its text, as
    /// it does with most readers.
    pub(crate) fn take(input: &'a str) -> Option<Self> {
        let (charset, rest) = take_until_mark(input.strip_prefix("=?")?)?;
        let (encoding, rest) = take_until_mark(rest)?;
        let (text, rest) = take_until_mark(rest)?;
        let coding = match encoding {
            "q" | "Q" => Coding::Q,
            "b" | "B" => Coding::B,
            _ => return None,
        };
        if charset.is_empty() || !rest.starts_with('=') {
            return None;
        }
        let length = charset.len() + encoding.len() + text.len() + "=????=".len();
        // RFC 2231 section 5: a language may follow the charset.
        let charset = charset.split('*').next().unwrap_or(charset);
        Some(Self { charset, encoding: coding, text, length })
    }

    /// What the word says, if that is beyond doubt: sound octets, no more of them than a word may have, and a charset that has
    /// ASCII where ASCII is. In another one, such as UTF-16, a reader that does not know it sees an address in its octets, and
    /// two that do may still disagree about the order of octets.
    pub(crate) fn meaning(&self) -> Option<String> {
        let encoding = self.encoding().filter(|encoding| *encoding == UTF_8 || encoding.is_single_byte())?;
        let sound = self.length <= MAX_WORD && self.text.bytes().all(|octet| octet.is_ascii_graphic());
        let octets = match self.encoding {
            Coding::Q => unquote(self.text).filter(|_| sound)?,
            Coding::B => STANDARD.decode(self.text).ok().filter(|_| sound)?,
        };
        let (text, damaged) = encoding.decode_without_bom_handling(&octets);
        (!damaged).then(|| text.into_owned())
    }

    fn encoding(&self) -> Option<&'static Encoding> {
        Encoding::for_label_no_replacement(self.charset.as_bytes())
    }

    /// The octets as far as they can be read.
    fn octets(&self) -> Option<Vec<u8>> {
        match self.encoding {
            Coding::Q => unquote(self.text),
            Coding::B => LENIENT.decode(self.text).ok(),
        }
    }
}

/// What stands before the next question mark, and what behind it. White space ends the word before that.
fn take_until_mark(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| c == '?' || c.is_whitespace() || c.is_control())?;
    let (before, rest) = text.split_at_checked(end)?;
    Some((before, rest.strip_prefix('?')?))
}

/// The octets of a text in the Q encoding; `None` if an equals sign stands before something else than two digits.
fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'=', [high, low, after @ ..]) => {
                let digit =
                    |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                octets.push(digit(*high)? << 4 | digit(*low)?);
                after
            }
            (b'=', _) => return None,
            (b'_', after) => {
                octets.push(b' ');
                after
            }
            (octet, after) => {
                octets.push(*octet);
                after
            }
        };
    }
    Some(octets)
}

/// The text with all its encoded-words decoded, wherever they stand: in quotes and within other words too, since there
/// are readers for each. What can't be decoded stays.
///
/// White space between two of them is none (RFC 2047 section 6.2), and neighbours of one charset are decoded as one: many
/// programs cut in the middle of a character.
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut run = Run::default();
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let word =
            EncodedWord::take(from).and_then(|word| Some((word.encoding()?, word.octets()?, word.length)));
        let Some((encoding, octets, length)) = word else {
            let (mark, after) = from.split_at_checked(2).unwrap_or((from, ""));
            run.end(&mut decoded);
            decoded.push_str(before);
            decoded.push_str(mark);
            rest = after;
            continue;
        };
        if !(run.is_open() && before.chars().all(char::is_whitespace)) {
            run.end(&mut decoded);
            decoded.push_str(before);
        }
        run.add(encoding, &octets, &mut decoded);
        rest = from.get(length..).unwrap_or_default();
    }
    run.end(&mut decoded);
    decoded.push_str(rest);
    decoded
}

/// Neighbouring encoded-words of one charset.
#[derive(Default)]
struct Run {
    encoding: Option<&'static Encoding>,
    octets: Vec<u8>,
}

impl Run {
    fn is_open(&self) -> bool {
        self.encoding.is_some()
    }

    fn add(&mut self, encoding: &'static Encoding, octets: &[u8], out: &mut String) {
        if self.encoding != Some(encoding) {
            self.end(out);
        }
        self.encoding = Some(encoding);
        self.octets.extend_from_slice(octets);
    }

    fn end(&mut self, out: &mut String) {
        if let Some(encoding) = self.encoding.take() {
            out.push_str(&encoding.decode(&self.octets).0);
            self.octets.clear();
        }
    }
}

/// The text as encoded-words, each whole and short, on lines of their own behind the first, which begins in `column`.
///
/// A text with characters that the charset lacks is written in UTF-8.
pub(crate) fn encode(text: &str, charset: Charset, column: usize) -> String {
    let fits = charset == Charset::Utf8 || text.chars().all(|c| u8::try_from(c).is_ok());
    let charset = if fits { charset } else { Charset::Utf8 };
    let coding = suited(text, charset);
    let overhead = charset.name().len() + "=??q??=".len();
    let mut words = String::with_capacity(text.len() * 2);
    let mut room = MAX_LINE.saturating_sub(column).clamp(LEAST_ROOM, MAX_WORD);
    let mut chunk = Vec::new();
    let mut q_octets = 0;
    for c in text.chars() {
        let before = chunk.len();
        charset.write(c, &mut chunk);
        let added = q_length(chunk.get(before..).unwrap_or_default());
        let length = match coding {
            Coding::Q => q_octets + added,
            Coding::B => b_length(chunk.len()),
        };
        q_octets += added;
        if before > 0 && length + overhead > room {
            let next = chunk.split_off(before);
            write_word(&chunk, charset, coding, &mut words);
            words.push_str("\r\n ");
            (chunk, room, q_octets) = (next, MAX_WORD, added);
        }
    }
    write_word(&chunk, charset, coding, &mut words);
    words
}

impl Charset {
    /// As it is called in mail.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "iso-8859-1",
        }
    }

    /// Text of octets that are in this charset. There is no octet that ISO-8859-1 lacks.
    pub(crate) fn read(octets: &[u8]) -> (Self, std::borrow::Cow<'_, str>) {
        match std::str::from_utf8(octets) {
            Ok(text) => (Self::Utf8, text.into()),
            Err(_) => {
                (Self::Latin1, octets.iter().map(|octet| char::from(*octet)).collect::<String>().into())
            }
        }
    }

    /// Appends the octets of a character.
    fn write(self, c: char, octets: &mut Vec<u8>) {
        match (self, u8::try_from(c)) {
            (Self::Latin1, Ok(octet)) => octets.push(octet),
            (Self::Latin1, Err(_)) | (Self::Utf8, _) => {
                octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }

    /// A character of a text that was read as this charset, as an extended value has it (RFC 2231 section 4).
    pub(crate) fn percent_encode(self, c: char) -> String {
        let mut octets = Vec::new();
        self.write(c, &mut octets);
        octets.iter().map(|octet| percent(*octet)).collect()
    }
}

/// `attribute-char` of RFC 2231 section 7 stays as it is.
fn percent(octet: u8) -> String {
    let plain = octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'!' | b'#' | b'$' | b'&' | b'+' | b'^' | b'`');
    if plain { char::from(octet).to_string() } else { format!("%{octet:02X}") }
}

/// Q is readable as it stands, so it may take twice the room of B.
fn suited(text: &str, charset: Charset) -> Coding {
    let mut octets = Vec::with_capacity(text.len());
    text.chars().for_each(|c| charset.write(c, &mut octets));
    if q_length(&octets) <= b_length(octets.len()) * 2 { Coding::Q } else { Coding::B }
}

fn b_length(octets: usize) -> usize {
    octets.div_ceil(3) * 4
}

fn q_length(octets: &[u8]) -> usize {
    octets.iter().map(|octet| if is_q_plain(*octet) || *octet == b' ' { 1 } else { 3 }).sum()
}

/// What stands for itself in the Q encoding, also within a phrase or a comment: RFC 2047 section 5 (3).
fn is_q_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'!' | b'*' | b'+' | b'-' | b'/')
}

fn write_word(octets: &[u8], charset: Charset, coding: Coding, out: &mut String) {
    out.push_str("=?");
    out.push_str(charset.name());
    match coding {
        Coding::Q => {
            out.push_str("?q?");
            for octet in octets {
                match octet {
                    b' ' => out.push('_'),
                    octet if is_q_plain(*octet) => out.push(char::from(*octet)),
                    octet => out.push_str(&format!("={octet:02X}")),
                }
            }
        }
        Coding::B => {
            out.push_str("?b?");
            out.push_str(&STANDARD.encode(octets));
        }
    }
    out.push_str("?=");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_say_what_they_mean() {
        for (text, meaning) in [
            ("=?utf-8?q?J=C3=B6rg?=", "Jörg"),
            ("=?UTF-8?B?SsO2cmc=?=", "Jörg"),
            ("=?iso-8859-1?Q?J=F6rg_M=fcller?=", "Jörg Müller"),
            ("=?utf-8*de?q?J=C3=B6rg?=", "Jörg"),
            ("=?utf-8?q??=", ""),
            ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
            ("=?utf-8?q?a?=\r\n =?iso-8859-1?q?=E4?=", "aä"),
            ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
            // Cut in the middle of a character, by programs that count octets.
            ("=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "ö"),
            ("=?utf-8?b?w7Y?=", "ö"),
            ("=?utf-8?q?=ff?=", "\u{fffd}"),
            ("=?utf-16?b?/v8AYwBlAG8=?=", "ceo"),
            ("(=?utf-8?q?a?=)", "(a)"),
            ("=?x-none?q?a?=", "=?x-none?q?a?="),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?a b?=", "=?utf-8?q?a b?="),
            ("=?utf-8?q?=4?= c", "=?utf-8?q?=4?= c"),
            ("=?=?utf-8?q?a?=", "=?a"),
            ("=?", "=?"),
            ("plain", "plain"),
        ] {
            assert_eq!(decode(text), meaning, "{text}");
        }
    }

    #[test]
    fn what_is_beyond_doubt_is_told_from_what_is_not() {
        let meaning = |text: &str| EncodedWord::take(text).and_then(|word| word.meaning());
        assert_eq!(meaning("=?utf-8?q?J=C3=B6rg?=").as_deref(), Some("Jörg"));
        for doubtful in [
            "=?utf-8?q?=C3?=",
            "=?utf-8?b?w7Y?=",
            "=?x-none?q?a?=",
            "=?utf-8?q?ö?=",
            "=?iso-2022-kr?q?a?=",
            "=?iso-2022-jp?q?a?=",
            "=?utf-16?b?/v8AYwBlAG8AQABiAGEAbgBrAC4AdABlAHMAdAAsACA=?=",
            "=?utf-16le?b?Y2VvQGJhbmsudGVzdCA=?=",
            "=?gb2312?b?uui0qcg=?=",
            "=?utf-8?q?=C?=",
            "=?utf-8?q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=",
            "a",
        ] {
            assert_eq!(meaning(doubtful), None, "{doubtful}");
        }
    }

    #[test]
    fn latin_1_stays_latin_1_and_the_better_encoding_is_taken() {
        let (charset, text) = Charset::read(b"B\xfcro 3");
        assert_eq!(encode(&text, charset, 9), "=?iso-8859-1?q?B=FCro_3?=");
        let (charset, text) = Charset::read("Дмитрий".as_bytes());
        assert_eq!(encode(&text, charset, 9), "=?utf-8?b?0JTQvNC40YLRgNC40Lk=?=");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_short_whole_and_means_the_same(text in "\\PC{1,200}", column in 0_usize..100) {
            let encoded = encode(&text, Charset::Utf8, column);
            prop_assert_eq!(decode(&encoded), text);
            for word in encoded.split("\r\n ") {
                prop_assert!(word.is_ascii() && word.len() <= MAX_WORD);
                prop_assert!(EncodedWord::take(word).is_some_and(|taken| taken.length == word.len() && taken.meaning().is_some()));
            }
        }

        #[test]
        fn any_text_is_decoded(text in "(=\\?|\\?=|utf-8|\\?q\\?|\\?b\\?|=41|[a ?=_é]){0,30}") {
            let _ = decode(&text);
        }
    }
}

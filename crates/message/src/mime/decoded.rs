//! Strict decoders, for the tests of what is encoded here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Decodes quoted-printable by the rules of RFC 2045 section 6.7; a sign that begins nothing stands for itself.
pub(super) fn quoted_printable(encoded: &[u8]) -> Vec<u8> {
    let mut lines = encoded.split_inclusive(|octet| *octet == b'\n');
    lines.by_ref().flat_map(decode_line).collect()
}

fn decode_line(line: &[u8]) -> Vec<u8> {
    let (text, end) = match line.strip_suffix(b"\r\n") {
        Some(text) => (text, &b"\r\n"[..]),
        None => (line, &b""[..]),
    };
    let text = if line.ends_with(b"\n") && end.is_empty() { text } else { text.trim_ascii_end() };
    match text.strip_suffix(b"=") {
        Some(text) => decode_escapes(text),
        None => [&decode_escapes(text), end].concat(),
    }
}

fn decode_escapes(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'=').unwrap_or_default();
        match from_hex(digits) {
            Some(octet) => {
                octets.push(octet);
                rest = &after[2..];
            }
            None => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    octets
}

fn from_hex(digits: &[u8]) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let [high, low] = *digits else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Decodes base64 in lines of at most 76 octets.
pub(super) fn base64(encoded: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(encoded).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= 76), "a line is too long: {text}");
    STANDARD.decode(text.replace("\r\n", "")).unwrap()
}

//! What of a message comes back in a report about it.

use super::report::Original;
use crate::header::MAX_LINE;

/// The part with its header, without the CRLF of the boundary behind it.
pub(super) fn part(original: &Original<'_>) -> Option<Vec<u8>> {
    match original {
        Original::Nothing => None,
        Original::Header(octets) => Some(header(octets)),
        Original::Whole(octets) => Some(whole(octets)),
    }
}

/// RFC 6522 section 4, or RFC 6533 section 5 for a header in UTF-8.
fn header(octets: &[u8]) -> Vec<u8> {
    let lines = clean(section(octets));
    let kind = match lines.is_ascii() {
        true => "Content-Type: text/rfc822-headers\r\n\r\n",
        false => "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
    };
    [kind.as_bytes(), lines.as_bytes()].concat()
}

/// RFC 6522 section 3, or RFC 6533 section 6 for one whose header is in UTF-8.
fn whole(octets: &[u8]) -> Vec<u8> {
    let is_global = !section(octets).is_ascii();
    let kind = if is_global { "message/global" } else { "message/rfc822" };
    let encoding = if octets.is_ascii() { "" } else { "Content-Transfer-Encoding: 8bit\r\n" };
    [format!("Content-Type: {kind}\r\n{encoding}\r\n").as_bytes(), octets].concat()
}

/// The header section of a message, up to the blank line and at most so long.
fn section(octets: &[u8]) -> &[u8] {
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n").map_or(octets.len(), |at| at + 2);
    let section = octets.get(..end).unwrap_or(octets);
    match section.get(..Original::MAX_OCTETS) {
        None => section,
        Some(start) => {
            let end = start.windows(2).rposition(|two| two == b"\r\n").map_or(0, |at| at + 2);
            start.get(..end).unwrap_or_default()
        }
    }
}

/// Lines as they may travel: what is no UTF-8, or a line end of its own, is replaced, and a line too long for any host is cut.
fn clean(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let text = text.strip_suffix("\r\n").unwrap_or(&text);
    let mut lines = String::with_capacity(text.len() + 2);
    for line in text.split("\r\n") {
        let line = line.get(..line.floor_char_boundary(MAX_LINE)).unwrap_or_default();
        lines.extend(line.chars().map(|c| if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c }));
        lines.push_str("\r\n");
    }
    lines
}

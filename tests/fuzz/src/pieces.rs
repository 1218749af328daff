//! Input cut into pieces, and text with clean line ends.

use bytes::{BufMut, BytesMut};

/// Cuts `input` into pieces of about `step` octets, none of which ends with LF but the last.
///
/// What came with a line in one piece, or did not, is all that a session can know of whether the client has waited for the
/// reply. These cuts keep that as it is.
pub(crate) fn within_lines(input: &[u8], step: usize) -> Vec<&[u8]> {
    let (mut pieces, mut rest) = (Vec::new(), input);
    while !rest.is_empty() {
        let from = step.clamp(1, rest.len());
        let end = (from..rest.len()).find(|end| rest[end - 1] != b'\n').unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// `text` with a CRLF for each CRLF, CR and LF, and at its end: each of them a line end, as a smuggler would have it.
pub(crate) fn clean(text: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len() + 2);
    let mut octets = text.iter().copied().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b'\r' => {
                octets.next_if_eq(&b'\n');
                clean.extend_from_slice(b"\r\n");
            }
            b'\n' => clean.extend_from_slice(b"\r\n"),
            other => clean.push(other),
        }
    }
    if !clean.is_empty() && !clean.ends_with(b"\r\n") {
        clean.extend_from_slice(b"\r\n");
    }
    clean
}

/// Whether every CR and LF is part of a CRLF.
pub(crate) fn is_clean(text: &[u8]) -> bool {
    let is_clean = |at: usize| match text[at] {
        b'\r' => text.get(at + 1) == Some(&b'\n'),
        b'\n' => at > 0 && text[at - 1] == b'\r',
        _ => true,
    };
    (0..text.len()).all(is_clean)
}

/// Clean text as DATA carries it (RFC 5321 section 4.5.2), with its end.
pub(crate) fn stuffed(text: &[u8]) -> BytesMut {
    let mut wire = BytesMut::with_capacity(text.len() + 8);
    let mut behind_line_end = true;
    for (at, octet) in text.iter().enumerate() {
        if behind_line_end && *octet == b'.' {
            wire.put_u8(b'.');
        }
        wire.put_u8(*octet);
        behind_line_end = text[..=at].ends_with(b"\r\n");
    }
    wire.put_slice(if behind_line_end { b".\r\n" } else { b"\r\n.\r\n" });
    wire
}

/// Text of DATA as it was before the client put dots in: behind CRLF, and at the beginning.
pub(crate) fn unstuffed(text: &[u8]) -> Vec<u8> {
    let mut unstuffed = Vec::with_capacity(text.len());
    for (at, octet) in text.iter().enumerate() {
        let begins_line = at == 0 || text[..at].ends_with(b"\r\n");
        if !(begins_line && *octet == b'.') {
            unstuffed.push(*octet);
        }
    }
    unstuffed
}

//! How the text of a message goes on the wire: as lines behind DATA, or octet for octet in one chunk (RFC 3030 section 2).

use bytes::{BufMut, BytesMut};

use super::stuffing::Stuffing;

/// A text under way.
#[derive(Debug)]
pub(super) enum Framing {
    /// Behind DATA, up to the dot.
    Lines(Stuffing),
    /// Behind BDAT, which says how many octets come.
    Chunk {
        /// How many are still to come.
        left: u64,
        /// The last of them, which ends the message: it is written when the end is.
        last: Option<u8>,
    },
}

impl Framing {
    /// The framing of lines, or of a binary text of so many octets.
    pub(super) fn of(binary: Option<u64>) -> Self {
        binary.map_or_else(|| Self::Lines(Stuffing::default()), |left| Self::Chunk { left, last: None })
    }

    /// The command that announces a text of octets, which nothing answers before they have come.
    pub(super) fn announce(&self, out: &mut BytesMut) {
        if let Self::Chunk { left, .. } = self {
            out.put_slice(format!("BDAT {left} LAST\r\n").as_bytes());
        }
    }

    /// Appends a piece of the text. More octets than were announced are never written, as they would be commands to the peer: with too few it
    /// waits in vain, and nothing is taken for the whole message.
    pub(super) fn push(&mut self, text: &[u8], out: &mut BytesMut) {
        match self {
            Self::Lines(stuffing) => stuffing.push(text, out),
            Self::Chunk { left, last } => {
                let Some(rest) = left.checked_sub(text.len() as u64) else {
                    *last = None;
                    return;
                };
                *left = rest;
                match text.split_last() {
                    Some((end, before)) if rest == 0 => {
                        out.put_slice(before);
                        *last = Some(*end);
                    }
                    Some(_) | None => out.put_slice(text),
                }
            }
        }
    }

    /// Appends what ends the text.
    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        match self {
            Self::Lines(stuffing) => stuffing.finish(out),
            Self::Chunk { last, .. } => out.extend(last.take()),
        }
    }
}

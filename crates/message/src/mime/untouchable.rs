//! Why a part of a message may not be re-encoded.

use std::fmt;

/// The reason why something that would have to be re-encoded goes as it came or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untouchable {
    /// The message, or the message within, has a DKIM-Signature or an ARC-Message-Signature. Their hash of the
    /// body is one of the octets that are sent: RFC 6376 section 3.7, RFC 8617 section 4.1.2.
    BodySigned,
    /// It is within multipart/signed. RFC 1847 section 2.1.
    MultipartSigned,
    /// It is within multipart/encrypted. RFC 1847 section 2.2.
    MultipartEncrypted,
    /// A multipart names no boundary, or one that no delimiter line can have.
    NoBoundary,
    /// A multipart has no delimiter line that begins a part, so that all of it would be preamble.
    NoPart,
    /// The content has an encoding from before MIME, which has lines of its own.
    Uuencoded,
    /// The header section of a part is larger than [`MAX_SECTION`](crate::MAX_SECTION).
    HeaderTooBig,
    /// The header section of a part has raw octets or long lines, and keeps some after its repair.
    PartHeader,
    /// The message has more parts than are told apart.
    TooManyParts,
    /// Its parts are nested too deep.
    TooDeep,
}

impl Untouchable {
    /// The reason, for whoever sent the message.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::BodySigned => "a DKIM-Signature covers the body",
            Self::MultipartSigned => "it is within multipart/signed",
            Self::MultipartEncrypted => "it is within multipart/encrypted",
            Self::NoBoundary => "a multipart has no valid boundary",
            Self::NoPart => "a multipart has no part",
            Self::Uuencoded => "it is uuencoded",
            Self::HeaderTooBig => "the header of a part is too big",
            Self::PartHeader => "the header of a part cannot be encoded",
            Self::TooManyParts => "it has too many parts",
            Self::TooDeep => "its parts are nested too deep",
        }
    }
}

impl fmt::Display for Untouchable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Untouchable {}

//! What is to be changed in a message so that the next host can take it.

/// What the next host can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Octets above 127 in the body: it has 8BITMIME (RFC 6152).
    EightBit,
    /// ASCII alone.
    SevenBit,
}

/// A list of the parts to be re-encoded, for a [`Rewriter`](crate::Rewriter).
///
/// It holds a few octets for each of them. What else is to be changed, header sections and the text around
/// parts, is found again by the rewriter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) target: Target,
    pub(super) changes: bool,
    /// The message may have octets that are no lines, and is to be lines when it leaves.
    pub(super) from_binary: bool,
    /// The octets above 127 in the header section of the message itself are to be encoded.
    pub(super) encodes_header: bool,
    /// In the order of their indices.
    pub(super) leaves: Vec<Leaf>,
}

impl Plan {
    /// Whether anything is to be changed. If not, the message can leave as it is, without a rewriter.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        self.changes
    }

    /// Whether the header section of the message is ASCII when it leaves.
    #[must_use]
    pub fn makes_header_ascii(&self) -> bool {
        self.encodes_header
    }

    /// The same plan for a host without SMTPUTF8: octets above 127 in the header section of the message are encoded, too, as far as they
    /// can be ([`Surveyed::header_can_be_ascii`](crate::Surveyed::header_can_be_ascii)).
    #[must_use]
    pub fn with_ascii_header(self) -> Self {
        Self { changes: true, encodes_header: true, ..self }
    }
}

/// A part whose content is to be re-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its place among the entities of the message.
    pub(super) index: u32,
    /// Whether no host without BINARYMIME can take it as it is: a line is too long, or there are octets that are no lines.
    pub(super) is_no_text: bool,
    /// The charset of the Content-Type that is to be added.
    pub(super) charset: Option<&'static str>,
}

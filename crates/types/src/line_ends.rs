//! What becomes of line ends in a text that are none.

/// What becomes of a CR or LF that is no part of a CRLF in the text of a message. RFC 5321 section 2.3.8 forbids both.
///
/// Exhaustive: a third choice would have to be thought through by whoever handles a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BareLineEnds {
    /// The message is refused.
    #[default]
    Refuse,
    /// Each becomes a CRLF.
    Repair,
}

impl BareLineEnds {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Repair];

    /// As it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Repair => "repair",
        }
    }
}

//! What a session waits for, which says how long it may take.

/// What the next input is.
///
/// Exhaustive: each has a deadline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A command outside of a mail transaction.
    Command,
    /// A command inside of one: MAIL was accepted, and the message has not ended.
    Transaction,
    /// A line of an AUTH exchange.
    Exchange,
    /// The text of a message.
    Text,
    /// A chunk that is read only to be refused.
    Refused,
}

impl Phase {
    /// MAIL was accepted, and the message has not ended yet.
    pub fn in_transaction(self) -> bool {
        match self {
            Self::Transaction | Self::Text => true,
            Self::Command | Self::Exchange | Self::Refused => false,
        }
    }

    /// The next input is a command.
    pub fn is_command(self) -> bool {
        match self {
            Self::Command | Self::Transaction => true,
            Self::Exchange | Self::Text | Self::Refused => false,
        }
    }

    /// The next input is octets, and no line.
    pub fn is_octets(self) -> bool {
        match self {
            Self::Text | Self::Refused => true,
            Self::Command | Self::Transaction | Self::Exchange => false,
        }
    }
}

//! Whether senders are checked.

/// Whether MAIL FROM and From must belong to the account (RFC 6409 sections 6.1 and 8.1).
///
/// Exhaustive: who may send in whose name must not be decided by an arm for everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SenderCheck {
    /// Anybody else's address is refused.
    #[default]
    Reject,
    /// Any address is taken.
    Off,
}

impl SenderCheck {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Reject, Self::Off];

    /// The name of it in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Off => "off",
        }
    }
}

//! What the sender of a message wants of TLS on its way (RFC 8689).

/// Whether TLS has to prove more, or less, than the domain of each recipient demands (RFC 8689).
///
/// Exhaustive: RFC 8689 has no third wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsRequired {
    /// Nothing was said: what the domain demands.
    #[default]
    Unsaid,
    /// `REQUIRETLS` of MAIL (section 2): nobody gets the message who has not proved by TLS to be the right host, and does not promise to pass it on
    /// like that.
    Yes,
    /// `TLS-Required: No` in its header (section 3): that it arrives matters more than what the domain demands.
    No,
}

impl TlsRequired {
    /// As it is stored and shown; `None` if nothing was said.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Unsaid => None,
            Self::Yes => Some("yes"),
            Self::No => Some("no"),
        }
    }

    /// Reads a [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Yes, Self::No].into_iter().find(|wish| wish.name() == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_has_a_name_of_its_own() {
        for wish in [TlsRequired::Yes, TlsRequired::No] {
            assert_eq!(TlsRequired::from_name(wish.name().unwrap()), Some(wish));
        }
        assert_eq!((TlsRequired::default().name(), TlsRequired::from_name("YES")), (None, None));
    }
}

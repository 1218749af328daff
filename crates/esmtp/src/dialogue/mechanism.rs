//! The mechanisms of AUTH that we speak as a client.

/// What both sides may speak, the better the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Mechanism {
    /// LOGIN: the name and the password, each after a challenge.
    Login,
    /// PLAIN (RFC 4616).
    Plain,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// SCRAM-SHA-256 bound to the TLS connection (RFC 7677, RFC 9266).
    ScramSha256Plus,
}

impl Mechanism {
    pub(super) fn from_name(name: &str) -> Option<Mechanism> {
        let named = |mechanism: &Mechanism| name.eq_ignore_ascii_case(mechanism.name());
        [Mechanism::ScramSha256Plus, Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login]
            .into_iter()
            .find(named)
    }

    /// Whether the host never sees the password.
    #[must_use]
    pub fn is_scram(self) -> bool {
        matches!(self, Mechanism::ScramSha256 | Mechanism::ScramSha256Plus)
    }

    /// Its name in AUTH.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
        }
    }
}

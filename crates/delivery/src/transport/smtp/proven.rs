//! What TLS has proved of a host.

/// What a handshake proves of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Any certificate will do.
    Nothing,
    /// The certificate is of that name, and of an authority that is known.
    Name,
    /// The certificate is one that TLSA records name.
    Tlsas,
}

impl Proof {
    /// As the log has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Proof::Nothing => "unverified",
            Proof::Name => "verified",
            Proof::Tlsas => "dane",
        }
    }
}

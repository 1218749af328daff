//! What an exchange has to know.

use crate::binding::ChannelBindings;
use crate::nonce::Nonce;

/// What an exchange has to know of the connection that it runs over.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Circumstances<'a> {
    /// The server's name.
    pub hostname: &'a str,
    /// For this exchange alone.
    pub nonce: &'a Nonce,
    /// What a proof can be bound to.
    pub bindings: &'a ChannelBindings,
    /// SCRAM-SHA-256-PLUS is offered, so that a client that says it was not has been lied to.
    pub offers_plus: bool,
}

impl<'a> Circumstances<'a> {
    /// A connection on which SCRAM-SHA-256-PLUS is not offered.
    #[must_use]
    pub const fn new(hostname: &'a str, nonce: &'a Nonce, bindings: &'a ChannelBindings) -> Self {
        Self { hostname, nonce, bindings, offers_plus: false }
    }
}

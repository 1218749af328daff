//! What a listener offers and demands, the same for all of its sessions.

use sasl::Mechanism;

/// The settings of a listener's sessions.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name in the greeting and in the reply to EHLO.
    pub hostname: String,
    /// STARTTLS is offered to a session that is not yet under TLS.
    pub starttls: bool,
    /// AUTH is allowed without TLS. For development alone.
    pub allow_insecure: bool,
    /// The mechanisms that are offered, in this order.
    pub mechanisms: Vec<Mechanism>,
    /// What a client is told that hands in mail without having logged in.
    pub required_message: String,
    /// The largest message, in octets (RFC 1870).
    pub message_size: u64,
    /// The most recipients of a message.
    pub recipients: usize,
    /// Commands before authentication, AUTH not counted; `None` is no limit.
    pub max_unauthenticated_commands: Option<u32>,
    /// Refused logins before the connection is closed.
    pub max_failures: u32,
}

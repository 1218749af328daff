//! What keys are made with.

/// What SCRAM makes keys of a password with.
///
/// Exhaustive: RFC 5802 has no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramParameters {
    /// At least one octet.
    pub salt: Vec<u8>,
    /// RFC 7677 section 4: at least 4096.
    pub iterations: u32,
}

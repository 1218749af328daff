//! What can be wrong with an address.

/// Why a domain, a mailbox or a path was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Nothing is there.
    #[error("there is no address")]
    Empty,
    /// The octets are no text.
    #[error("the address is not UTF-8")]
    NotUtf8,
    /// No angle brackets, or a source route that is none.
    #[error("the path is malformed")]
    Path,
    /// The name before the at sign is missing or has characters that it may not have.
    #[error("the local part is malformed")]
    LocalPart,
    /// A local part is not followed by `@` and a domain.
    #[error("the address has no domain")]
    NoDomain,
    /// Not a domain name, or an internationalised one that has no single meaning.
    #[error("the domain is malformed")]
    Domain,
    /// Square brackets that do not hold an IPv4 address, or `IPv6:` and an IPv6 address.
    #[error("the address literal is malformed")]
    Literal,
    /// A local part of more than [`MAX_LOCAL_PART`](crate::MAX_LOCAL_PART) octets.
    #[error("the local part is too long")]
    LocalPartTooLong,
    /// A domain of more than [`MAX_DOMAIN`](crate::MAX_DOMAIN) octets, or a label of more than 63.
    #[error("the domain is too long")]
    DomainTooLong,
    /// A path of more than [`MAX_PATH`](crate::MAX_PATH) octets.
    #[error("the path is too long")]
    PathTooLong,
}

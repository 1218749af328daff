//! DKIM (RFC 6376, RFC 8463): the keys of a domain, what the DNS says of them, and the signatures that they make.
//!
//! What is signed is what leaves, octet for octet: a message is re-encoded first. It streams by once to be hashed, and again to be
//! sent, so that no more of it is in memory than its header section.

mod new_key;
mod record;
mod author_domains;
mod covered;
mod blank_end;
mod signing_key;
mod signing;

pub use author_domains::{AuthorDomains, author_domains};
pub use new_key::{NewKey, NotMade};
pub use record::key_record;
pub use signing::{NotSigned, Signers, Signing};
pub use signing_key::{NoKey, SigningKey};

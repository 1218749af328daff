//! Asks the DNS: MX, addresses, TXT, TLSA, SRV, PTR, each answer with whether DNSSEC proved it.
//!
//! The only crate that knows hickory. Every name is absolute: there is no search list, and `/etc/hosts` is not read, since mail follows
//! what the DNS says (RFC 5321 section 5.1). An answer has a bounded number of records behind a bounded chain of aliases, and comes
//! within a bounded time. What cannot be had now is told from what does not exist, and both from what somebody has tampered with.
//!
//! What an answer means for mail, this crate does not know.

#![warn(missing_docs)]

mod resolver;
mod upstream;
mod proof;
mod servers;
mod denial;
mod error;
mod answer;
mod addresses;
#[cfg(feature = "fake")]
pub mod fake;

pub use addresses::Families;
pub use answer::{Answer, Mx, Srv, Tlsa};
pub use error::{DnsError, RecordKind, SetupError};
pub use resolver::Resolver;
pub use upstream::Upstream;

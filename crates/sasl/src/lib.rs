//! SASL mechanisms as pure exchanges, and the trait that judges their claims.
//!
//! A mechanism turns what the client sends into a [`Claim`]: who it says it is, and what it offers as proof.
//! Whether that is true is decided elsewhere, by an [`AuthHandler`]. Nothing here looks anything up, hashes,
//! waits or reads a clock, and every exchange is a fresh value that ends with its last step.
#![warn(missing_docs)]
#![warn(clippy::wildcard_enum_match_arm)]

mod mechanism;
mod exchange;
mod plain;
mod login;
mod base64;
mod name;
mod claim;
mod handler;

pub use claim::{Claim, PasswordClaim};
pub use exchange::{Exchange, ExchangeError, Step};
pub use handler::{AuthHandler, Authenticated, Verdict};
pub use mechanism::Mechanism;
pub use name::{MAX_PASSWORD, MAX_USERNAME};

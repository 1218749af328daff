//! SCRAM-SHA-256 (RFC 5802, RFC 7677): each side proves to the other that it knows the password.
//!
//! ```text
//! client-first   n,,n=user,r=CLIENT                   who it is, and its nonce
//! server-first   r=CLIENT+SERVER,s=SALT,i=COUNT       both nonces, and what to make keys of the password with
//! client-final   c=BINDING,r=CLIENT+SERVER,p=PROOF    becomes the claim
//! server-final   v=SIGNATURE                          from whoever judged the claim to be true
//! ```
//! With SCRAM-SHA-256-PLUS, BINDING is something of the TLS connection, so that nobody can stand between the two.

mod attributes;
mod first;
mod last;
mod prepare;
mod parameters;
mod keys;
mod claim;
mod exchange;
mod client;

pub use self::claim::{ScramClaim, ScramFlaw};
pub use self::client::{ClientBinding, ScramClient, ScramClientError, ServerProof};
pub(crate) use self::exchange::{AwaitingFinal, AwaitingFirst, AwaitingSalt};
pub use self::keys::{ScramKeys, ServerSignature};
pub use self::parameters::ScramParameters;

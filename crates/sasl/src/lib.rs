//! SASL mechanisms as pure exchanges, and the trait that judges their claims.
//!
//! A mechanism turns what the client sends into a [`Claim`]: who it says it is, and what it offers as proof.
//! Whether that is true is decided elsewhere, by an [`AuthHandler`]. Nothing here looks anything up, hashes,
//! waits or reads a clock, and every exchange is a fresh value that ends with its last step.
//!
//! Of SCRAM there is the client's side, too ([`ScramClient`]).
#![warn(missing_docs)]
#![warn(clippy::wildcard_enum_match_arm)]

mod nonce;
mod binding;
mod circumstances;
mod exchange;
mod exchange_error;
mod plain;
mod login;
mod cram_md5;
mod scram;
mod oauth;
mod external;
mod gs2;
mod base64;
mod name;
mod claim;
mod refusal;
mod handler;
mod by_password;

pub use binding::ChannelBindings;
pub use by_password::{Passwords, passwords};
pub use circumstances::Circumstances;
pub use claim::{Claim, ExternalClaim, PasswordClaim, TokenClaim};
pub use cram_md5::CramMd5Claim;
pub use exchange::{Exchange, SaltWanted, Step};
pub use exchange_error::ExchangeError;
pub use handler::{AuthHandler, Authenticated, Verdict};
pub use name::{MAX_PASSWORD, MAX_TOKEN, MAX_USERNAME};
pub use nonce::{Nonce, Nonces};
pub use refusal::{BadRefusalReply, OAuthChallenge, Refusal, RefusalReply};
pub use scram::{
    ClientBinding, ScramClaim, ScramClient, ScramClientError, ScramFlaw, ScramKeys, ScramParameters,
    ServerProof, ServerSignature,
};
pub use types::Mechanism;

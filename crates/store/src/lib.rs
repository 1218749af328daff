//! What Gatepost keeps, as traits and rows in mail's words.
//!
//! Nothing here knows SQL, files or a clock: a backend (`store-sqlite`) fills the traits, and passes the tests in
//! `conformance`. Times are parameters, and identifiers are made by whoever has the randomness.

mod account;
mod app_password;
mod error;
mod outcome;
mod spool;
mod submission;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use account::{Account, Accounts, Revision};
pub use app_password::{AppPassword, AppPasswords, LastUse, Scope, UnknownScope};
pub use error::{Corrupt, Error, SpoolError};
pub use outcome::{Outcome, RecipientState, UnknownState};
pub use spool::{Body, Details, Entry, RecipientDetails, Spool, Stats};
pub use submission::{Lease, Leased, Recipient, Submission};

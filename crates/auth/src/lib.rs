//! Decides the claims that SASL mechanisms make.
//!
//! The judge is [`Authenticator`]; what it judges by stands above it: the app password, looked up by a keyed
//! digest, and the account password, hashed with Argon2id or, until its first login, as another server did. Whatever a
//! claim lacks, refusing it costs one run of Argon2, so that a stopwatch learns nothing about accounts.
//!
//! What it does not do: keep anything (that is `store`), speak SMTP, or read the clock.

mod key;
mod key_file;
pub use key_file::{KeyFileError, KeyFileLock};

mod master_key;
pub use master_key::MasterKeys;

mod seal;
pub use seal::SealError;

mod marks;
pub use marks::MarkKey;

mod keyring;
pub use keyring::{Keyring, KeyringError};

pub mod app_password;
pub use app_password::AppPasswordKey;

pub mod totp;

pub mod recovery_code;
pub use recovery_code::RecoveryCodeKey;

pub mod second_factor;
pub use second_factor::SecondFactorOutcome;

mod phc;
pub use phc::Cost;

mod foreign;

mod stored;
pub use stored::{Brought, StoredError};

mod hasher;
pub use hasher::{Checked, HashError, Hasher, PASSWORD_OCTETS};

mod recent;

mod at_revision;

mod attempt;
pub use attempt::{Attempt, Door, Origin};

mod policy;
pub use policy::Policy;

mod gate;
pub use gate::FAMILIAR;

mod outcome;
pub use outcome::{Fault, Matched, Outcome, Reason, Refusal, User};

mod trail;

mod standing;
pub use standing::Standing;

mod judge;
pub use judge::{Authenticator, CredentialStore};

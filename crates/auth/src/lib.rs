//! Decides the claims that SASL mechanisms make.
//!
//! Modules stand in the order in which a login meets them. An attempt comes before the judge, [`Authenticator`]. An app
//! password is found by a keyed digest. Else the gate lets the attempt through to the account password, hashed with
//! Argon2id or, until its first login, as another server did; behind it there may be a second factor. The outcome
//! leaves a trail, and what the login stands for is asked again before the commands that follow. Below all of this lie the keys.
//!
//! Whatever a claim lacks, refusing it costs one run of Argon2, and takes longer than the check of the slowest hash in the
//! store, so that a stopwatch learns nothing about accounts. What was refused a moment ago costs none.
//!
//! What it does not do: keep anything (that is `store`), speak SMTP, or read the clock.

mod attempt;
pub use attempt::{Attempt, Door, Origin, Proof};

mod backend;
pub use backend::Backend;

mod judge;
pub use judge::{Authenticator, CredentialStore};

mod policy;
pub use policy::Policy;

pub mod app_password;
pub use app_password::AppPasswordKey;

pub mod challenge_key;

mod guesses;

mod gate;
pub use gate::FAMILIAR;

mod lately;

mod recent;

mod turns;

mod hasher;
pub use hasher::{HashError, Hasher, PASSWORD_OCTETS};

pub mod new_password;

mod typed;

mod stored;
pub use stored::{Brought, StoredError};

mod phc;
pub use phc::Cost;

mod foreign;

pub mod oauth;

pub mod fetch;

pub mod http;

pub mod second_factor;

pub mod totp;

pub mod recovery_code;
pub use recovery_code::RecoveryCodeKey;

mod outcome;
pub use outcome::{Credential, Fault, Outcome, Reason, Refusal, User};

mod trail;

mod refusal_time;

mod standing;
pub use standing::Standing;

mod names;
pub use names::{Names, Owner};

mod at_revision;

mod keyring;
pub use keyring::{Keyring, KeyringError};

mod marks;
pub use marks::MarkKey;

mod seal;
pub use seal::SealError;

mod master_key;
pub use master_key::MasterKeys;

mod secret_text;
pub use secret_text::read_secret_text;

mod key_file;
pub use key_file::{KeyFileError, KeyFileLock};

mod key;

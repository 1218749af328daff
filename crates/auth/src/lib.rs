//! Decides the claims that SASL mechanisms make.
//!
//! Modules stand in the order in which a login meets them. An attempt is judged by the [`Authenticator`]. An app password is found by
//! a keyed digest. Otherwise the guard counts the attempt, and the account password is checked: hashed with Argon2id or, until its
//! first login, as another server did. There may be a second factor. The outcome goes to the log and the audit trail, and the
//! rights of the session are asked for again before the commands that follow. All of this stands on the keys.
//!
//! Whatever a claim lacks, refusing it costs one run of Argon2, and takes longer than the check of the slowest hash in the
//! store, so that a stopwatch learns nothing about accounts. What was refused a moment ago costs none.
//!
//! What it does not do: keep anything (that is `store`), speak SMTP, or read the clock.

mod login;
pub use login::Authenticator;
pub use login::attempt::{Attempt, Door, Origin, Proof};
pub use login::backend::Backend;
pub use login::counters::Counters;
pub use login::outcome::{Credential, LoginFault, LoginOutcome, LoginRefusal, Reason, User};
pub use login::sign_in::{NotConfirmed, SecondStep, SignIn};
pub use login::ticket::Ticket;

mod policy;
pub use policy::Policy;

pub mod app_password;
pub use app_password::AppPasswordKey;

pub mod challenge_key;

mod guard;
pub use guard::gate::FAMILIAR;

mod password_hash;
pub use password_hash::hasher::{HashError, Hasher};
pub use password_hash::new_password::{self, PASSWORD_OCTETS};
pub use password_hash::phc::Cost;
pub use password_hash::stored::ImportedPassword;
pub use password_hash::stored_error::StoredError;

pub mod second_factor;
pub use second_factor::recovery_code::{self, RecoveryCodeKey};
pub use second_factor::totp;

mod web_session;
pub use web_session::{SessionToken, SessionTokenKey};

mod drawn_letters;

mod api_token;
pub use api_token::{ApiTokenKey, BearerToken};

mod token_check;
pub use token_check::{TokenCheck, check_token};

mod enrolment_link;
pub use enrolment_link::{EnrolmentLink, EnrolmentLinkKey};

mod webhook_secret;
pub use webhook_secret::WebhookSecret;

mod session_rights;
pub use session_rights::SessionRights;

mod names;
pub use names::{Names, Owner};

mod revision_cache;

mod keys;
pub use keys::blind_digest::BlindDigests;
pub use keys::key_file::{KeyFileError, KeyFileLock};
pub use keys::keyring::{Keyring, KeyringError};
pub use keys::master_key::MasterKeys;
pub use keys::seal::{SealError, sealed_under};
pub use keys::sealer::Sealer;
pub use keys::secret_text::read_secret_text;

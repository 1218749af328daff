//! What can be done and asked, a function for each use case, for every face alike.
//!
//! A face (the command line is one) reads what somebody wants, proves that they may, calls a function of the [`Desk`] once, and
//! shows the [`view`] or the [`Trouble`] that comes back. Whoever changes something is told by an [`Act`](store::Act),
//! which comes first and goes down to the audit trail. Functions about one account take it as [`Desk::find`] gives it.
//!
//! What it does not do: say who may do what, print, read files or the configuration (but for the master keys, when a key is first
//! needed), speak HTTP, or read the clock.

#![warn(missing_docs)]

mod desk;
pub use desk::{Desk, Settings};

mod trouble;
pub use trouble::{Missing, Taken, Trouble, Unfit};

mod page;
pub use page::Listed;

mod accounts;
pub use accounts::NewAccount;

mod password;
pub use password::{Chosen, OWN_PASSWORD_CHARACTERS, Strength, fit};

mod scram;
pub use scram::{ScramLack, keep_scram};

mod old_key;
pub use old_key::OldKey;

mod app_passwords;
pub use app_passwords::{AppPasswordLacks, AppPasswordWish};

mod certificates;
pub use certificates::ShownCertificate;

mod second_factor;

mod identities;

mod sending;
pub use sending::LimitsOf;

mod sessions;
pub use sessions::SignedIn;

mod tokens;
pub use tokens::{ShownToken, TokenOwner, TokenWish};

mod webhooks;

mod webhook_deliveries;
pub use webhook_deliveries::{DELIVERIES_KNOWN, DueDelivery};

mod idempotency;
pub use idempotency::REQUESTS_KNOWN;

mod links;
pub use links::{FoundLink, LinkBrowser};

mod devices;

mod invitations;
pub use invitations::{Acceptance, Accepted, INVITATION_LEAST, INVITATION_MOST};

mod clients;
pub use clients::{ClientDiscovery, ClientSettings, SubmissionPort};

mod sign_ins;
pub use sign_ins::SignInFilter;

mod incident;
pub use incident::{Answer, Answered, NotMe};

mod throttles;
pub use throttles::{Nobody, Whom};

mod audit;
pub use audit::audited_name;

mod dkim;

mod domains;

mod dns_in_time;
mod dns_verdict;
mod dns_records;
mod dns_incoming;

mod ledger;

mod queue;
pub use queue::{Expected, HeldInPart, Operated};

mod sealed_secrets;
pub use sealed_secrets::SealedBatches;

pub mod health;
pub use health::Health;

mod master_keys;
pub use master_keys::secrets_by_key;

mod nodes;

pub mod view;

#[cfg(test)]
mod tests;

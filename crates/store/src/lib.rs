//! What Gatepost keeps, as traits and rows in mail's words.
//!
//! Nothing here knows SQL, files or a clock: a backend (`store-sqlite`) fills the traits, and passes the tests in
//! `conformance`. Times are parameters, and identifiers are made by whoever has the randomness.

mod account;
mod act;
mod amounts;
mod api_token;
mod app_password;
mod audit;
mod certificate;
mod challenge_key;
mod delivery;
mod dkim;
mod duplicate;
mod enrolment;
mod error;
mod idempotency;
mod identity;
mod import;
mod ledger;
mod limit;
mod limited_account;
mod loan;
mod login;
mod network;
mod node;
mod outcome;
mod page;
mod queue;
mod sealed;
mod second_factor;
mod sending;
mod sign_in;
mod spool;
mod spool_counters;
mod sts;
mod submission;
mod throttle;
mod tls_result;
mod usage;
mod web_session;
mod webhook;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use account::{
    Account, AccountChange, AccountFilter, AccountState, Accounts, Colours, Departure, LastAdministrator,
    OwnSettings, Preferences, Revision,
};
pub use act::{Act, Actor, Via};
pub use amounts::{Amounts, Share, Windows};
pub use api_token::{ApiToken, ApiTokens};
pub use app_password::{
    AppPassword, AppPasswordPlace, AppPasswords, LastUse, NewAppPassword, Scope, UnknownScope,
};
pub use audit::{
    Action, Audit, AuditEntry, AuditEvent, AuditFilter, AuditPage, AuditPlace, AuditResult, UnknownAction,
};
pub use certificate::{Certificate, CertificatePlace, Certificates};
pub use challenge_key::{ChallengeKey, ChallengeKeys, ChallengeKind, Challenged, UnknownChallengeKind};
pub use delivery::{
    DeliveryKey, Destination, HeldLease, Lease, Leased, NewDelivery, NewReport, Recipient, Recorded,
    Reportable, Telling, Waiting,
};
pub use dkim::{DkimKey, DkimKeyState, DkimKeys};
pub use duplicate::DuplicateKey;
pub use enrolment::{
    AcceptedInvitation, Enrolment, EnrolmentPurpose, EnrolmentState, EnrolmentUse, Enrolments,
    PlannedAppPassword,
};
pub use error::{Corrupt, Error, SpoolError};
pub use idempotency::{KnownRequest, RequestName, StoredAnswer, StoredIdempotency};
pub use identity::{Identities, Identity};
pub use import::{Import, ImportedAppPassword, ImportedSecondFactor};
pub use ledger::{
    Ledger, LedgerAttempt, LedgerFilter, LedgerMessage, LedgerName, LedgerRecipient, LedgerState,
    LedgerTrace, Traffic, TrafficOf,
};
pub use limit::{CommonLimits, Limit, Limits, Window};
pub use limited_account::{LimitedAccount, LimitedFilter};
pub use loan::Loan;
pub use login::{Login, StoredCredential, StoredRights};
pub use network::network_of;
pub use node::{Node, Nodes, Standing};
pub use outcome::{Outcome, RecipientState, UnknownState};
pub use page::Page;
pub use queue::{
    Details, Entry, Operated, Operation, QueueFilter, QueuedBy, RecipientDetails, RecipientFilter, Stats,
};
pub use sealed::{MasterKeyId, Resealed, SealedPlace, SealedSecrets};
pub use second_factor::{NewSecondFactor, STEPS_AHEAD, SecondFactor, SecondFactors};
pub use sending::{
    Correspondent, LimitChange, LimitChanges, NoLimit, OwnLimit, OwnLimits, Sending, Sent, Tally,
};
pub use sign_in::{Incident, NewSignIn, Remedy, Revocation, SignIn, SignInState, SignIns};
pub use spool::{Body, Spool};
pub use spool_counters::SpoolCounters;
pub use sts::{StsPolicies, StsPolicy};
pub use submission::{Deadline, Submission};
pub use throttle::{
    Allowance, Counted, CountedPlace, Counter, LONGEST_WINDOW, Mark, ThrottleFilter, ThrottleKey,
    ThrottleKind, Throttled, Throttles,
};
pub use tls_result::{
    Day, TLS_RESULTS_IN_DETAIL, TlsFailure, TlsFailureKind, TlsPolicy, TlsPolicyKind, TlsResult, TlsResults,
};
pub use usage::{Full, Usage};
pub use web_session::{WebSession, WebSessions};
pub use webhook::{Webhook, WebhookAttempt, WebhookDelivery, WebhookFate, Webhooks};

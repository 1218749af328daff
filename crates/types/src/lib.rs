//! The words everyone shares: mailboxes, paths, domains, identifiers, secrets, and every closed set that more than one crate needs.
//!
//! Every type here is parsed once, at the edge, and is right from then on. Nothing in this crate reads a clock,
//! a socket or a source of randomness; times and random octets come in as parameters.
#![warn(missing_docs)]

mod error;
mod domain;
mod domain_pattern;
mod dkim;
mod local_part;
mod mailbox;
mod path;
mod dsn;
mod original_recipient;
mod recipient;
mod utc_time;
mod web_part;
mod webhook_event;
mod incoming_server;
mod hold;
mod deliver_by;
mod priority;
mod ehlo;
mod id;
mod second_factor_rule;
mod secret;
mod scope;
mod sender_pattern;
mod certificate;
mod session;
mod tls;
mod tls_required;
mod mechanism;
mod signature_algorithm;
mod counter;
mod histogram;
mod line_ends;
mod sender_check;
mod endpoint;

pub use certificate::{BadFingerprint, ClientCertificate, Fingerprint};
pub use counter::{Counter, Tally};
pub use deliver_by::{ByMode, DeliverBy};
pub use dkim::{DkimAlgorithm, DkimKeyName, DkimSelector};
pub use domain::{Domain, MAX_DOMAIN};
pub use domain_pattern::DomainPattern;
pub use dsn::{Handover, Notify, ReportEvent, Ret};
pub use ehlo::EhloName;
pub use endpoint::{BadEndpoint, Endpoint};
pub use error::AddressError;
pub use histogram::{Buckets, Histogram};
pub use hold::Hold;
pub use id::{
    AccountId, ApiTokenId, CredentialId, DkimKeyId, EnrolmentId, IdError, NodeId, QueueId, SessionId,
    SignInId, WebSessionId, WebhookDeliveryId, WebhookId,
};
pub use incoming_server::{BadIncomingServer, IncomingProtocol, IncomingServer};
pub use line_ends::BareLineEnds;
pub use local_part::MAX_LOCAL_PART;
pub use mailbox::{Host, Mailbox};
pub use mechanism::Mechanism;
pub use original_recipient::OriginalRecipient;
pub use path::{ForwardPath, MAX_PATH, ReversePath};
pub use priority::Priority;
pub use recipient::EnvelopeRecipient;
pub use scope::{Scope, UnknownScope};
pub use second_factor_rule::SecondFactorRule;
pub use secret::Secret;
pub use sender_check::SenderCheck;
pub use sender_pattern::SenderPattern;
pub use session::{BodyType, SessionFacts, TlsFacts};
pub use signature_algorithm::SignatureAlgorithm;
pub use tls::{HostTls, ListenTls, TlsVersion};
pub use tls_required::TlsRequired;
pub use utc_time::UtcTime;
pub use web_part::WebPart;
pub use webhook_event::{UnknownWebhookEvent, WebhookEvent};

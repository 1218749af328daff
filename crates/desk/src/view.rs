//! What use cases show of things: the contract of `--json`, one file for each object.

mod secret;

mod user;
pub use user::User;

mod sending;
pub use sending::{LimitedAccount, Sending, Usage};

mod app_password;
pub use app_password::{AppPassword, NewAppPassword};

mod certificate;
pub use certificate::Certificate;

mod second_factor;
pub use second_factor::{Enrolled, RecoveryCodes, SecondFactor};

mod identity;
pub use identity::Identity;

mod session;
pub use session::Session;

mod api_token;
pub use api_token::{ApiToken, NewApiToken};
mod place;
pub use place::{DisputeAnswer, Disputed, Incident, Place};

mod device_link;
pub use device_link::{DeviceLink, NewDeviceLink};

mod invitation;
pub use invitation::{Invitation, NewInvitation};

mod webhook;
pub use webhook::{NewWebhook, Webhook, WebhookDelivery};

mod sign_in;
pub use sign_in::SignIn;

mod lock_out;
pub use lock_out::LockOut;

mod audit_entry;
pub use audit_entry::AuditEntry;

mod master_key;
pub use master_key::{MasterKey, MasterKeyState};

mod node;
pub use node::Node;

mod dns_record;
pub use dns_record::DnsRecord;

mod dkim_key;
pub use dkim_key::DkimKey;

mod mail_domain;
pub use mail_domain::MailDomain;

mod wanted_record;
pub use wanted_record::{DnsVerdict, WantedRecord};

mod light;
pub use light::Light;

mod status;
pub use status::{
    CertificateStatus, DatabaseStatus, DestinationStatus, ListenerStatus, LoginStatus, Status, StoreStatus,
};

mod sent_message;
pub use sent_message::{DoneOperation, FailedAttempt, SentMessage, SentTrace};

mod message;
pub use message::{Message, Stats};

mod recipient;
pub use recipient::{QueuedRecipient, Recipient, SentRecipient};

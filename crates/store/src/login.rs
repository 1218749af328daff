//! What the store has about somebody who has logged in.

use jiff::Timestamp;
use types::{AccountId, CredentialId, Fingerprint, SenderPattern};

use crate::Account;

/// A login, as far as the store knows what it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Login {
    /// To which account.
    pub account: AccountId,
    /// With what; `None` with something that the store has no row for, such as the account password or a token.
    pub with: Option<StoredCredential>,
}

/// A credential that may be revoked or removed while a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoredCredential {
    /// An app password.
    AppPassword(CredentialId),
    /// A client certificate.
    Certificate(Fingerprint),
}

/// What a login is good for, all of it read at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRights {
    /// The account.
    pub account: Account,
    /// Its identities, in the order of their normal forms.
    pub identities: Vec<SenderPattern>,
    /// The senders that the credential is limited to; empty if it is good for all of the account's.
    pub senders: Vec<SenderPattern>,
    /// When the credential expires.
    pub expires_at: Option<Timestamp>,
}

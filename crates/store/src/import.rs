//! What is brought along when somebody moves in from another server.

use jiff::Timestamp;
use types::SenderPattern;

use crate::{Account, AppPassword};

/// An account with all that belongs to it.
#[derive(Debug, Clone)]
pub struct Import {
    /// The account. Its password hash may be one of another server; the first login makes it one of ours.
    pub account: Account,
    /// Its app passwords.
    pub app_passwords: Vec<ImportedAppPassword>,
    /// Its second factor, which is on from the start.
    pub second_factor: Option<ImportedSecondFactor>,
    /// Its further senders.
    pub identities: Vec<SenderPattern>,
}

/// An app password of which only a slow hash is known.
#[derive(Debug, Clone)]
pub struct ImportedAppPassword {
    /// All that is known of every app password.
    pub app_password: AppPassword,
    /// Stands in for the digest, which nobody knows before the password is used: random octets.
    pub digest: [u8; 32],
    /// Finds it, by a part of the password; keyed, also with the account.
    pub selector: [u8; 32],
    /// The hash that the other server kept.
    pub hash: String,
}

/// A second factor.
#[derive(Debug, Clone)]
pub struct ImportedSecondFactor {
    /// The seed, sealed.
    pub seed: Vec<u8>,
    /// When it was made, which is sealed with it.
    pub enrolled_at: Timestamp,
}

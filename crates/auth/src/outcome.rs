//! What came of an attempt, in the words of the log and the audit trail. Clients learn less.

use std::fmt;

use store::{AuditEvent, Throttled};
use types::{AccountId, CredentialId, Mailbox};

use crate::HashError;

/// Who logged in, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Whose account.
    pub account: AccountId,
    /// The address of the account at that time.
    pub address: Mailbox,
    /// The app password, or `None` for the account password.
    pub credential: Option<CredentialId>,
    /// The version of the account at that time.
    pub version: i64,
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It is right.
    Accepted(User),
    /// It is not.
    Refused(Refusal),
    /// It was not judged: there were too many wrong ones.
    Throttled(Throttled),
    /// It could not be judged.
    Unavailable(Fault),
}

impl Outcome {
    /// The reason code: what scripts may rely on.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Outcome::Accepted(_) => "ok",
            Outcome::Refused(refusal) => refusal.reason.code(),
            Outcome::Throttled(_) => "throttled",
            Outcome::Unavailable(Fault::Secret) => "damaged-secret",
            Outcome::Unavailable(Fault::Hash(_) | Fault::Store(_)) => "unavailable",
        }
    }

    /// The credential that matched, as far as one did: the id of an app password, or `password`.
    #[must_use]
    pub fn credential(&self) -> Option<String> {
        match self {
            Outcome::Accepted(user) => Some(credential_name(user.credential)),
            Outcome::Refused(refusal) => refusal.matched.map(|matched| match matched {
                Matched::AppPassword(id) => credential_name(Some(id)),
                Matched::AccountPassword => credential_name(None),
            }),
            Outcome::Throttled(_) | Outcome::Unavailable(_) => None,
        }
    }
}

fn credential_name(app_password: Option<CredentialId>) -> String {
    app_password.map_or_else(|| AuditEvent::PASSWORD.to_owned(), |id| id.to_string())
}

/// Why an attempt was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was wrong.
    pub reason: Reason,
    /// What was right nevertheless.
    pub matched: Option<Matched>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, matched: None }
    }
}

/// A credential that was right, but not good for this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched {
    /// An app password.
    AppPassword(CredentialId),
    /// The account password.
    AccountPassword,
}

/// What was wrong with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user name is no address.
    NotAnAddress,
    /// The client wants to act for another (RFC 4616 section 2).
    ForeignIdentity,
    /// There is no such account.
    UnknownUser,
    /// The account is disabled.
    Disabled,
    /// The account has no password, only app passwords.
    NoPassword,
    /// Neither the account password nor an app password.
    BadPassword,
    /// An app password, but of another account.
    AppPasswordOfAnother,
    /// An app password that has expired.
    Expired,
    /// An app password that is not good for this.
    WrongScope,
    /// An app password that may not be used from there.
    NetworkNotAllowed,
    /// The account password, where two-factor authentication wants an app password.
    NeedsAppPassword,
    /// The account password, without the code that belongs to it.
    NeedsCode,
    /// The account password, with a wrong code.
    BadCode,
}

impl Reason {
    /// The reason as logs and scripts have it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Reason::NotAnAddress => "not-an-address",
            Reason::ForeignIdentity => "foreign-identity",
            Reason::UnknownUser => "unknown-user",
            Reason::Disabled => "disabled",
            Reason::NoPassword => "no-password",
            Reason::BadPassword => "bad-password",
            Reason::AppPasswordOfAnother => "app-password-of-another",
            Reason::Expired => "expired",
            Reason::WrongScope => "wrong-scope",
            Reason::NetworkNotAllowed => "network-not-allowed",
            Reason::NeedsAppPassword => "needs-app-password",
            Reason::NeedsCode => "needs-code",
            Reason::BadCode => "bad-code",
        }
    }
}

/// For people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NotAnAddress => "the user name is not an address",
            Reason::ForeignIdentity => "it asks to act for another account",
            Reason::UnknownUser => "there is no such account",
            Reason::Disabled => "the account is disabled",
            Reason::NoPassword => "the account has no password, only app passwords, and this is none of them",
            Reason::BadPassword => "it is neither the account password nor an app password of the account",
            Reason::AppPasswordOfAnother => "it is an app password of another account",
            Reason::Expired => "the app password has expired",
            Reason::WrongScope => "the app password is not good for this scope",
            Reason::NetworkNotAllowed => "the app password may not be used from this network",
            Reason::NeedsAppPassword => {
                "the account password is right, but with two-factor authentication SMTP needs an app password"
            }
            Reason::NeedsCode => {
                "the account password is right, but the code of the second factor is missing"
            }
            Reason::BadCode => "the account password is right, but the code is wrong or used up",
        })
    }
}

/// Why an attempt could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The seed of the second factor does not open.
    #[error(
        "the seed of the second factor does not open: it was damaged or moved, or its key is not in the key file; put the file \
         right, or switch the second factor off and enroll anew"
    )]
    Secret,
}

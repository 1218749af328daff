//! What is not there.

use types::{DkimKeyName, Fingerprint, Mailbox, SenderPattern};

/// What is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// An account with this address.
    #[error("there is no account {0}")]
    Account(Mailbox),
    /// Such an app password of this account.
    #[error("{account} has no app password {which:?}")]
    AppPassword {
        /// The account.
        account: Mailbox,
        /// Its label or identifier, as it was asked for.
        which: String,
    },
    /// This certificate among those of this account.
    #[error("{account} has no certificate {fingerprint}")]
    Certificate {
        /// The account.
        account: Mailbox,
        /// The certificate.
        fingerprint: Fingerprint,
    },
    /// A session of this account, on the pages.
    #[error("{account} has no session {which}")]
    Session {
        /// The account.
        account: Mailbox,
        /// Its identifier, as it was asked for.
        which: String,
    },
    /// Such an API token of this account.
    #[error("{account} has no API token {which:?}")]
    Token {
        /// The account.
        account: Mailbox,
        /// Its label or identifier, as it was asked for.
        which: String,
    },
    /// A link of this account that waits.
    #[error("{account} has no link {which} that waits")]
    Link {
        /// The account.
        account: Mailbox,
        /// Its identifier, as it was asked for; or what it is for.
        which: String,
    },
    /// A sign-in of this account with this identifier.
    #[error("there is no sign-in {0}")]
    SignIn(String),
    /// A webhook with this identifier, or a delivery of one.
    #[error("there is no webhook {0}, or no such delivery of it")]
    Webhook(String),
    /// This identity of this account.
    #[error("{account} has no identity {sender}")]
    Identity {
        /// The account.
        account: Mailbox,
        /// The identity.
        sender: SenderPattern,
    },
    /// A second factor of this account that is on.
    #[error("two-factor authentication is not on for {0}")]
    SecondFactor(Mailbox),
    /// A second factor of this account that waits for its first code.
    #[error("no second factor is prepared for {0}")]
    PreparedSecondFactor(Mailbox),
    /// A DKIM key of this name.
    #[error("{} has no DKIM key {}", .0.domain(), .0.selector())]
    DkimKey(DkimKeyName),
    /// A message with this identifier, or one that begins so.
    #[error("there is no message {0} in the queue")]
    Message(String),
    /// A message with this identifier or Message-ID, or one that begins so, in the queue or in the ledger.
    #[error("there is no message {0}, neither in the queue nor in the ledger")]
    SentMessage(String),
}

impl Missing {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Missing::Account(_) => "no-account",
            Missing::AppPassword { .. } => "no-app-password",
            Missing::Certificate { .. } => "no-certificate",
            Missing::Session { .. } => "no-session",
            Missing::Webhook(_) => "no-webhook",
            Missing::Token { .. } => "no-token",
            Missing::Link { .. } => "no-link",
            Missing::SignIn(_) => "no-sign-in",
            Missing::Identity { .. } => "no-identity",
            Missing::SecondFactor(_) => "second-factor-off",
            Missing::PreparedSecondFactor(_) => "second-factor-not-prepared",
            Missing::DkimKey(_) => "no-dkim-key",
            Missing::Message(_) | Missing::SentMessage(_) => "no-message",
        }
    }
}

//! What is there already.

use types::{DkimKeyName, Fingerprint, Mailbox, SenderPattern};

/// What is there already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    /// An account with this address.
    #[error("there is an account {0} already")]
    Account(Mailbox),
    /// The certificate, with somebody.
    #[error("that certificate is one of {} already", owner.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string))]
    Certificate {
        /// Whose it is; `None` if they have just been removed.
        owner: Option<Mailbox>,
        /// The certificate.
        fingerprint: Fingerprint,
    },
    /// The identity, with this account.
    #[error("{account} may send as {sender} already")]
    Identity {
        /// The account.
        account: Mailbox,
        /// The identity.
        sender: SenderPattern,
    },
    /// A second factor of this account that is on.
    #[error("two-factor authentication is on for {0} already")]
    SecondFactor(Mailbox),
    /// A DKIM key of this name. A selector is used once: what a verifier has cached of its record would be wrong.
    #[error("{} has a DKIM key {} already; choose another selector", .0.domain(), .0.selector())]
    DkimKey(DkimKeyName),
}

impl Taken {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Taken::Account(_) => "account-exists",
            Taken::Certificate { .. } => "certificate-exists",
            Taken::Identity { .. } => "identity-exists",
            Taken::SecondFactor(_) => "second-factor-on",
            Taken::DkimKey(_) => "dkim-key-exists",
        }
    }
}

//! What a session asks the world outside, and where it goes on with the answer.

use std::time::Duration;

use sasl::{Claim, Mechanism, Refusal, SaltWanted, ScramParameters, ServerSignature, Verdict};
use types::ForwardPath;

use super::transaction::Transaction;
use crate::{Durable, Envelope, Introduction, Rejection, SenderAllowed};

/// A decision that is not the protocol's to make. No input is taken until it is answered.
#[derive(Debug)]
pub enum Question {
    /// What are the SCRAM keys of this user made with?
    Salt(String),
    /// Is this claim true?
    Authenticate(Claim),
    /// Is there room for this client of a trusted proxy, and may it be logged in if the proxy says so? It takes the place of the
    /// one before, whatever the answer.
    Client(Introduction),
    /// May the client send in this name? The envelope has no recipients yet.
    Sender(Envelope),
    /// May the message go to this recipient?
    Recipient(ForwardPath),
    /// Is the message, whose octets came before, safe? This ends its transaction.
    Commit(Envelope),
}

/// The answer to the [`Question`] of the same name.
#[derive(Debug)]
pub enum Answer {
    /// What they are made with; `None` to make it up.
    Salt(Option<ScramParameters>),
    /// What came of the claim.
    Authenticate(Authentication),
    /// There is room, and what came of the login if one was told; or why not, which closes the session.
    Client(Result<Option<Authentication>, Rejection>),
    /// The sender may be used, or why not.
    Sender(Result<SenderAllowed, Rejection>),
    /// The recipient is accepted, or why not.
    Recipient(Result<(), Rejection>),
    /// The message is on stable storage, or why not.
    Commit(Result<Durable, Rejection>),
}

/// What came of a claim, without the user that a [`Verdict`] carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// The client is who it says. With SCRAM it wants a proof of ours in return.
    Accepted(Option<ServerSignature>),
    /// It is not, and learns no more than this.
    Refused(Refusal),
    /// The password is right, but a second factor bars it here.
    NeedsAppPassword,
    /// Nothing was checked; it may be after this time.
    Throttled(Duration),
    /// Nothing could be checked.
    Unavailable,
}

impl<U> From<&Verdict<U>> for Authentication {
    fn from(verdict: &Verdict<U>) -> Self {
        match verdict {
            Verdict::Accepted(proof) => Self::Accepted(proof.signature().cloned()),
            Verdict::Refused(refusal) => Self::Refused(refusal.clone()),
            Verdict::NeedsAppPassword => Self::NeedsAppPassword,
            Verdict::Throttled { retry_after } => Self::Throttled(*retry_after),
            Verdict::Unavailable => Self::Unavailable,
        }
    }
}

/// What the open question is about.
#[derive(Debug)]
pub(super) enum Pending {
    Salt(SaltWanted),
    Authenticate {
        mechanism: Mechanism,
        /// The client has sent nothing behind its claim.
        waits: bool,
    },
    Client(Introduction),
    Sender(Transaction),
    Recipient(Transaction, ForwardPath),
    Commit,
}

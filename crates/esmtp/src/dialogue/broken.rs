//! Why a connection is of no further use. None of it is the fault of a message, so all of it is temporary.

use sasl::ScramClientError;

use super::reply::{Enhanced, Reply};
use super::reply_reader::ReplyError;
use super::stage::Stage;
use super::verdict::Verdict;

/// Why a dialogue cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// What came is no reply.
    #[error("answered {0} with something that is not an SMTP reply: {1}")]
    Malformed(Stage, #[source] ReplyError),
    /// A reply that has no place where it came: before its command, of the wrong kind, or one too many.
    #[error("sent a reply that was not expected, at {0}: {1}")]
    OutOfTurn(Stage, Reply),
    /// The peer does not want us.
    #[error("refused {0}: {1}")]
    Refused(Stage, Reply),
    /// Our login was refused: an operator has to look at the credentials.
    #[error("refused our login: {0}")]
    LoginRefused(Reply),
    /// The peer offers no mechanism that we speak.
    #[error("offers no way to log in that we speak (AUTH PLAIN or LOGIN)")]
    NoMechanism,
    /// The peer, asked to prove that it knows the password, did not, or asked for what nobody should answer.
    #[error("is not to be trusted with our login: {0}")]
    NotMutual(#[source] ScramClientError),
    /// Octets came in the clear after the peer agreed to STARTTLS: somebody may have slipped them in.
    #[error("sent more than its reply to STARTTLS before TLS began")]
    Plaintext,
}

impl Broken {
    /// What this means for recipients without a verdict.
    pub fn to_verdict(&self) -> Verdict {
        match self {
            Broken::Malformed(Stage::FinalReply, _) | Broken::OutOfTurn(Stage::FinalReply, _) => {
                Verdict::Unclear(self.to_reply())
            }
            Broken::Malformed(..)
            | Broken::OutOfTurn(..)
            | Broken::Refused(..)
            | Broken::LoginRefused(_)
            | Broken::NoMechanism
            | Broken::NotMutual(_)
            | Broken::Plaintext => Verdict::Deferred(self.to_reply()),
        }
    }

    /// The reason as the queue shows it: 4yz, with the enhanced code of RFC 3463 that fits.
    pub fn to_reply(&self) -> Reply {
        let enhanced = match self {
            Broken::Malformed(..) | Broken::OutOfTurn(..) => Enhanced(4, 5, 0),
            Broken::Refused(Stage::StartTls, _) | Broken::Plaintext => Enhanced(4, 7, 5),
            Broken::Refused(..) => Enhanced(4, 3, 2),
            Broken::LoginRefused(_) | Broken::NotMutual(_) => Enhanced(4, 7, 8),
            Broken::NoMechanism => Enhanced(4, 7, 4),
        };
        Reply::ours(451, enhanced, format!("the next host {self}"))
    }
}

//! What the judging of an attempt leads to, before it is reported and told.

use sasl::ServerSignature;
use store::Throttled;

use super::outcome::{Credential, LoginFault, LoginRefusal, Reason, User};

/// What an attempt has proved, or why it did not succeed.
pub(super) type Judgement<T> = Result<T, Denial>;

/// What an attempt has proved: who the user is and, with SCRAM, the proof of the server in return.
pub(super) struct Proven {
    pub(super) user: User,
    pub(super) signature: Option<ServerSignature>,
}

impl From<User> for Proven {
    fn from(user: User) -> Self {
        Self { user, signature: None }
    }
}

/// Why an attempt did not succeed.
pub(super) enum Denial {
    Refused(LoginRefusal),
    /// The password is right, and the code of the second factor remains to be shown.
    NeedsCode(Box<User>),
    Throttled(Throttled),
    Unavailable(LoginFault),
}

impl Denial {
    /// A refusal of a credential that is right, but not good for this.
    pub(super) fn of(credential: Credential, reason: Reason) -> Self {
        Denial::Refused(LoginRefusal { reason, matched: Some(credential) })
    }
}

impl<F: Into<LoginFault>> From<F> for Denial {
    fn from(fault: F) -> Self {
        Denial::Unavailable(fault.into())
    }
}

/// A refusal in which nothing was right.
pub(super) fn refused(reason: Reason) -> Denial {
    Denial::Refused(reason.into())
}

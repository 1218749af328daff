//! Who hands a message in: a user that has logged in, or a machine that need not.

use std::fmt;
use std::sync::Arc;

use auth::User;
use types::AccountId;

use crate::no_login::Machine;

/// No account's id.
const NO_ACCOUNT: AccountId = AccountId::from_bytes([0; 16]);

#[derive(Clone)]
pub(crate) enum Submitter {
    User(Arc<User>),
    Machine(Machine),
}

impl Submitter {
    /// The account that the message is kept for.
    pub(crate) fn account(&self) -> AccountId {
        match self {
            Submitter::User(user) => user.account,
            Submitter::Machine(_) => NO_ACCOUNT,
        }
    }

    /// What it logged in with, as the audit trail has it; `None` if it did not.
    pub(crate) fn credential(&self) -> Option<String> {
        match self {
            Submitter::User(user) => Some(user.credential.to_string()),
            Submitter::Machine(_) => None,
        }
    }
}

/// As the queue and the log have it.
impl fmt::Display for Submitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Submitter::User(user) => user.address.fmt(f),
            Submitter::Machine(machine) => machine.fmt(f),
        }
    }
}

//! A password that is being judged.

use store::Account;
use types::Secret;

use super::attempt::Origin;
use super::claimed::Claimed;
use super::guarded_attempt::GuardedAttempt;
use super::outcome::{LoginRefusal, Reason};
use crate::password_hash::recent_checks::Tried;

/// A password that is being judged.
pub(super) struct Guess<'a> {
    pub(super) claimed: &'a Claimed,
    pub(super) password: &'a Secret,
    /// The code of a second factor, if one was typed.
    pub(super) code: Option<Secret>,
    pub(super) origin: &'a Origin,
    pub(super) attempt: GuardedAttempt<'a>,
    /// What was wrong with the password as an app password, if it is one at all.
    pub(super) flaw: Option<LoginRefusal>,
    /// Why the password is refused, if nobody knows the user.
    pub(super) nobody: Reason,
}

impl Guess<'_> {
    /// The password at this account as it is now, or where there is no account to log in to.
    pub(super) fn at(&self, account: Option<&Account>) -> Tried {
        (self.attempt.mark(), account.map(|account| (account.id, account.version)))
    }
}

//! The SCRAM keys that are made of a password when it is set, if SCRAM is offered.
//!
//! Without them SCRAM refuses the password until its next login with PLAIN or LOGIN. That is no reason to take back
//! what was done: it is told, and that is all.

use auth::challenge_key::{self, Password, Scram};
use auth::{Hasher, Keyring, LoginFault};
use jiff::Timestamp;
use store::{Account, Act};
use stores::Accounts;

use crate::{Desk, Trouble};

/// Why SCRAM does not take a password that was set.
#[derive(Debug, thiserror::Error)]
pub enum ScramLack {
    /// It never will: RFC 4013 forbids characters of it.
    #[error("RFC 4013 forbids characters of it")]
    Forbidden,
    /// It will after a login with PLAIN: the account was changed meanwhile.
    #[error("the account was changed meanwhile")]
    Changed,
    /// It will after a login with PLAIN: the keys could not be made now.
    #[error(transparent)]
    NotNow(Box<dyn std::error::Error + Send + Sync>),
}

/// Makes the SCRAM keys of a password of this account and keeps them; says what is lacking.
pub async fn keep_scram(
    store: &Accounts,
    (keyring, hasher): (&Keyring, &Hasher),
    account: &Account,
    password: &Password,
    now: Timestamp,
) -> Option<ScramLack> {
    match challenge_key::keep_scram(store, keyring, hasher, account, password, now).await {
        Ok(Scram::Kept) => None,
        // With a second factor the password is no good for mail.
        Ok(Scram::Unfit) if account.totp => None,
        Ok(Scram::Unfit) => Some(ScramLack::Forbidden),
        Ok(Scram::Changed) => Some(ScramLack::Changed),
        Err(fault) => Some(fault.into()),
    }
}

impl Desk {
    /// Makes them if anybody may want them.
    pub(crate) async fn scram_of(
        &self,
        act: &Act,
        account: &Account,
        password: &Password,
    ) -> Option<ScramLack> {
        if !self.scram_is_wanted() {
            return None;
        }
        match self.scram_means().await {
            Ok(means) => keep_scram(&self.accounts, means, account, password, act.at).await,
            Err(trouble) => Some(ScramLack::NotNow(Box::new(trouble))),
        }
    }

    /// Whether SCRAM is offered, so that passwords need keys for it.
    pub(crate) fn scram_is_wanted(&self) -> bool {
        self.settings.policy.scram
    }

    pub(crate) async fn scram_means(&self) -> Result<(&Keyring, &Hasher), Trouble> {
        Ok((self.keyring().await?, self.hasher().await?))
    }
}

impl From<LoginFault> for ScramLack {
    fn from(fault: LoginFault) -> Self {
        ScramLack::NotNow(Box::new(fault))
    }
}

//! How much an account may send, and where it stands.

use store::{Account, Act, LimitChanges, Limits, Sending as _};

use crate::{Desk, Trouble, view};

impl Desk {
    /// Where the account stands. A server that runs writes that down within a second or so.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn sending_of(&self, account: &Account) -> Result<view::Sending, Trouble> {
        let own = self.accounts.own_limits(account.id).await?;
        let sent = self.accounts.sent(account.id).await?.unwrap_or_default();
        Ok(view::Sending::of(&Limits { common: self.settings.sending, own }, &sent, (self.now)()))
    }

    /// Changes some of the limits that the account has of its own. What changes nothing is not told to the audit trail.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn change_limits(
        &self,
        act: &Act,
        account: &Account,
        changes: &LimitChanges,
    ) -> Result<(), Trouble> {
        let old = self.accounts.own_limits(account.id).await?;
        if changes.of(&old) == old {
            return Ok(());
        }
        Ok(self.accounts.change_own_limits(account.id, changes, act).await?)
    }
}

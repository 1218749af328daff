//! How much an account may send, and where it stands.

use store::{Account, Act, CommonLimits, LimitChanges, LimitedFilter, Limits, Page, Sending as _};

use crate::{Desk, Listed, Trouble, view};

/// Accounts that are looked at by their limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitsOf {
    /// Those that have limits of their own.
    Own,
    /// Those that have used at least so much of one of their limits, in hundredths.
    Used(u32),
}

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

    /// The limits of accounts that have none of their own.
    #[must_use]
    pub fn common_limits(&self) -> CommonLimits {
        self.settings.sending
    }

    /// A page of these accounts with where each stands, in the order of their addresses. The place of an account is its address in normal form.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn limited_accounts(
        &self,
        which: LimitsOf,
        page: Page<String>,
    ) -> Result<Listed<view::LimitedAccount, String>, Trouble> {
        let (common, now) = (self.settings.sending, (self.now)());
        let filter = match which {
            LimitsOf::Own => LimitedFilter::Own,
            LimitsOf::Used(percent) => LimitedFilter::Used { percent, common, now },
        };
        let found = self.accounts.limited_accounts(&filter, page).await?;
        let last = found.last().map(|one| one.address.normal());
        let view = |one: store::LimitedAccount| view::LimitedAccount {
            address: one.address.to_string(),
            sending: view::Sending::of(&Limits { common, own: one.own }, &one.sent, now),
        };
        Ok(Listed { items: found.into_iter().map(view).collect(), last })
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

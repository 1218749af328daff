//! Whom an account may send as besides itself.

use store::{Account, Accounts as _, Act, Identities as _, Identity, Page};
use types::SenderPattern;

use crate::{Desk, Listed, Missing, Taken, Trouble, view};

impl Desk {
    /// Lets an account send as somebody else, too. Says whether somebody has an account with that address.
    ///
    /// # Errors
    /// [`Trouble::OwnAddress`], [`Taken::Identity`].
    pub async fn allow_sender(
        &self,
        act: &Act,
        account: &Account,
        sender: SenderPattern,
    ) -> Result<(view::Identity, bool), Trouble> {
        if sender.normal() == account.address.normal() {
            return Err(Trouble::OwnAddress(account.address.clone()));
        }
        let is_an_account = self.is_an_account(&sender).await?;
        let identity = Identity { sender, created_at: act.at };
        match self.accounts.add_identity(account.id, &identity, act).await {
            Err(store::Error::AlreadyExists) => {
                Err(Taken::Identity { account: account.address.clone(), sender: identity.sender }.into())
            }
            added => Ok(added.map(|()| (view::Identity::of(&identity), is_an_account))?),
        }
    }

    async fn is_an_account(&self, sender: &SenderPattern) -> Result<bool, Trouble> {
        match sender {
            SenderPattern::Address(address) => Ok(self.accounts.by_address(address).await?.is_some()),
            SenderPattern::Domain(_) | SenderPattern::Any => Ok(false),
        }
    }

    /// A page of those whom an account may send as besides itself. The place of one is its normal form.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn senders(
        &self,
        account: &Account,
        page: Page<String>,
    ) -> Result<Listed<view::Identity, String>, Trouble> {
        let identities = self.accounts.identities(account.id, page).await?;
        let last = identities.last().map(|identity| identity.sender.normal());
        Ok(Listed { items: identities.iter().map(view::Identity::of).collect(), last })
    }

    /// No longer lets an account send as somebody else.
    ///
    /// # Errors
    /// [`Missing::Identity`].
    pub async fn forbid_sender(
        &self,
        act: &Act,
        account: &Account,
        sender: &SenderPattern,
    ) -> Result<(), Trouble> {
        match self.accounts.remove_identity(account.id, sender, act).await? {
            true => Ok(()),
            false => {
                Err(Missing::Identity { account: account.address.clone(), sender: sender.clone() }.into())
            }
        }
    }
}

//! Accounts: made, found, listed, changed, removed.

use std::time::Duration;

use auth::challenge_key::Password;
use jiff::Timestamp;
use rand::RngExt as _;
use store::{Account, AccountFilter, Accounts as _, Act, Page};
use types::{AccountId, Mailbox};

use crate::password::Chosen;
use crate::scram::ScramLack;
use crate::{Desk, Listed, Missing, Taken, Trouble, view};

/// An account that is to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The name to log in with, and the address to send as.
    pub address: Mailbox,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is marked as an administrator's.
    pub admin: bool,
    /// Its password; `None` if only app passwords are to be good for it.
    pub password: Option<Chosen>,
}

impl Desk {
    /// The account with this address.
    ///
    /// # Errors
    /// [`Missing::Account`].
    pub async fn find(&self, address: &Mailbox) -> Result<Account, Trouble> {
        let found = self.accounts.by_address(address).await?;
        found.ok_or_else(|| Missing::Account(address.clone()).into())
    }

    /// Sees that nobody has this address, before somebody is asked for more.
    ///
    /// # Errors
    /// [`Taken::Account`].
    pub async fn see_free(&self, address: &Mailbox) -> Result<(), Trouble> {
        match self.accounts.by_address(address).await? {
            Some(_) => Err(Taken::Account(address.clone()).into()),
            None => Ok(()),
        }
    }

    /// Makes an account. Says what SCRAM lacks for its password, if anything.
    ///
    /// # Errors
    /// [`Taken::Account`], [`Trouble::Unfit`], [`Trouble::Weak`].
    pub async fn add_account(
        &self,
        act: &Act,
        new: NewAccount,
    ) -> Result<(view::User, Option<ScramLack>), Trouble> {
        let NewAccount { address, name, admin, password } = new;
        self.see_free(&address).await?;
        let password_hash = match &password {
            Some(password) => {
                password.judge(&address, name.as_deref(), &self.settings.hostname)?;
                Some(self.hasher().await?.hash(password.secret.clone()).await?)
            }
            None => None,
        };
        let id = AccountId::new(unix_ms(act.at), rand::rng().random());
        let account = Account { name, admin, password_hash, ..Account::new(id, address, act.at) };
        self.accounts.add(&account, act).await.map_err(|error| or_taken(error, &account.address))?;
        let lack = match password {
            Some(password) => self.scram_of(act, &account, &Password::Account(password.secret)).await,
            None => None,
        };
        Ok((view::User::of(&account), lack))
    }

    /// A page of the accounts that the filter lets through, in the order of their addresses. The place of an account is its
    /// address in normal form.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn list_accounts(
        &self,
        filter: &AccountFilter,
        page: Page<String>,
    ) -> Result<Listed<view::User, String>, Trouble> {
        let accounts = self.accounts.list(filter, page).await?;
        let last = accounts.last().map(|account| account.address.normal());
        Ok(Listed { items: accounts.iter().map(view::User::of).collect(), last })
    }

    /// All that there is to show of an account.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn show_account(&self, account: &Account) -> Result<view::User, Trouble> {
        let sending = Some(self.sending_of(account).await?);
        Ok(view::User { sending, ..view::User::of(account) })
    }

    /// Gives an account another address.
    ///
    /// # Errors
    /// [`Taken::Account`].
    pub async fn rename_account(&self, act: &Act, account: &Account, new: &Mailbox) -> Result<(), Trouble> {
        self.accounts.rename(account.id, new, act).await.map_err(|error| or_taken(error, new))
    }

    /// Bars an account from logging in, or lets it in again.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn bar_account(&self, act: &Act, account: &Account, disabled: bool) -> Result<(), Trouble> {
        Ok(self.accounts.set_disabled(account.id, disabled, act).await?)
    }

    /// Sets how long messages of an account can be taken back; `None`: as long as the configuration says.
    ///
    /// # Errors
    /// [`Trouble::UndoTooLong`].
    pub async fn choose_undo(
        &self,
        act: &Act,
        account: &Account,
        undo: Option<Duration>,
    ) -> Result<(), Trouble> {
        let most = self.settings.undo_max;
        if undo.is_some_and(|undo| undo > most) {
            return Err(Trouble::UndoTooLong { most });
        }
        Ok(self.accounts.set_undo(account.id, undo, act).await?)
    }

    /// Removes an account and its credentials. What it has in the queue stays there.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn remove_account(&self, act: &Act, account: &Account) -> Result<(), Trouble> {
        Ok(self.accounts.remove(account.id, act).await?)
    }
}

fn or_taken(error: store::Error, address: &Mailbox) -> Trouble {
    match error {
        store::Error::AlreadyExists => Taken::Account(address.clone()).into(),
        error => error.into(),
    }
}

/// Milliseconds since 1970, as identifiers begin with them.
pub(crate) fn unix_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default()
}

//! Accounts: made, found, listed, changed, removed.

use std::collections::HashMap;
use std::time::Duration;

use auth::challenge_key::Password;
use jiff::Timestamp;
use rand::RngExt as _;
use store::{
    Account, AccountChange, AccountFilter, AccountState, Accounts as _, Act, AppPasswords as _, Departure,
    LastAdministrator, OwnSettings, Page, Sending as _, Sent, Window,
};
use types::{AccountId, Mailbox};

use crate::password::Chosen;
use crate::scram::ScramLack;
use crate::{Desk, Listed, Missing, Taken, Trouble, view};

/// How many accounts are read at a time.
const PAGE: u32 = 500;

/// How many accounts are counted for by one statement.
const TOGETHER: usize = 200;

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
        Ok(Listed { items: self.with_figures(&accounts).await?, last })
    }

    /// Accounts as a list shows them, with what is counted of each.
    async fn with_figures(&self, accounts: &[Account]) -> Result<Vec<view::User>, Trouble> {
        let (mut shown, now) = (Vec::with_capacity(accounts.len()), (self.now)());
        for some in accounts.chunks(TOGETHER) {
            let ids: Vec<_> = some.iter().map(|account| account.id).collect();
            let app_passwords: HashMap<_, _> =
                self.accounts.app_password_counts(&ids).await?.into_iter().collect();
            let sent: HashMap<_, _> = self.accounts.sent_by(&ids).await?.into_iter().collect();
            shown.extend(some.iter().map(|account| view::User {
                app_passwords: app_passwords.get(&account.id).copied().unwrap_or_default(),
                sent_today: sent.get(&account.id).map_or(0, |sent| sent_today(sent, now)),
                ..view::User::of(account)
            }));
        }
        Ok(shown)
    }

    /// All that there is to show of an account.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn show_account(&self, account: &Account) -> Result<view::User, Trouble> {
        let mut shown = self.with_figures(std::slice::from_ref(account)).await?;
        let shown = shown.pop().unwrap_or_else(|| view::User::of(account));
        Ok(view::User { sending: Some(self.sending_of(account).await?), ..shown })
    }

    /// Changes what an account is called and may do: what is another than before, all of it or nothing. What changes nothing is not told to the
    /// audit trail.
    ///
    /// # Errors
    /// [`Taken::Account`].
    pub async fn change_account(
        &self,
        act: &Act,
        account: &Account,
        change: AccountChange,
    ) -> Result<(), Trouble> {
        self.let_go(act, account, Departure::Change(change), LastAdministrator::MayGo).await
    }

    /// Changes an account as [`change_account`](Self::change_account) does, bars it from logging in, or removes it; unless it is the last
    /// administrator's, where that is to stay. What the pages have asked before may be another by now: the store sees to it.
    ///
    /// # Errors
    /// [`Trouble::LastAdministrator`], [`Taken::Account`].
    pub async fn let_go(
        &self,
        act: &Act,
        account: &Account,
        departure: Departure,
        last: LastAdministrator,
    ) -> Result<(), Trouble> {
        let departure = match departure {
            Departure::Change(change) => Departure::Change(what_is_new(account, change)),
            other => other,
        };
        if departure == Departure::Change(AccountChange::default()) {
            return Ok(());
        }
        let address = match &departure {
            Departure::Change(AccountChange { address: Some(new), .. }) => new,
            _ => &account.address,
        };
        self.accounts.depart(account.id, &departure, last, act).await.map_err(|error| match error {
            store::Error::LastAdministrator => Trouble::LastAdministrator(account.address.clone()),
            error => or_taken(error, address),
        })
    }

    /// Whether nobody else can administer: there is no other administrator who may log in.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn is_last_administrator(&self, account: &Account) -> Result<bool, Trouble> {
        if !account.admin || account.disabled {
            return Ok(false);
        }
        let (filter, mut page) = (
            AccountFilter { state: Some(AccountState::Admin), ..AccountFilter::default() },
            Page::first(PAGE),
        );
        loop {
            let some = self.accounts.list(&filter, page).await?;
            if some.iter().any(|other| other.id != account.id && !other.disabled) {
                return Ok(false);
            }
            let Some(last) = some.last() else { return Ok(true) };
            page = Page { after: Some(last.address.normal()), limit: PAGE };
        }
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
        self.see_undo(undo)?;
        Ok(self.accounts.set_undo(account.id, undo, act).await?)
    }

    /// Sees that an account may choose that its messages can be taken back for so long.
    ///
    /// # Errors
    /// [`Trouble::UndoTooLong`].
    pub fn see_undo(&self, undo: Option<Duration>) -> Result<(), Trouble> {
        let most = self.settings.undo_max;
        match undo.is_some_and(|undo| undo > most) {
            true => Err(Trouble::UndoTooLong { most }),
            false => Ok(()),
        }
    }

    /// The longest time that an account can choose for its messages to be taken back.
    #[must_use]
    pub fn undo_max(&self) -> Duration {
        self.settings.undo_max
    }

    /// Sets what the owner of an account chooses for it.
    ///
    /// # Errors
    /// [`Trouble::UndoTooLong`], unless it is as long as before.
    pub async fn choose_settings(
        &self,
        act: &Act,
        account: &Account,
        settings: &OwnSettings,
    ) -> Result<(), Trouble> {
        if settings.undo != account.undo {
            self.see_undo(settings.undo)?;
        }
        Ok(self.accounts.set_settings(account.id, settings, act).await?)
    }

    /// Removes an account and its credentials. What it has in the queue stays there.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn remove_account(&self, act: &Act, account: &Account) -> Result<(), Trouble> {
        Ok(self.accounts.remove(account.id, act).await?)
    }
}

/// Messages of its day, if one is running.
fn sent_today(sent: &Sent, now: Timestamp) -> u32 {
    Window::Day.running(sent, now).map_or(0, |day| day.messages)
}

/// What of a change is another than the account is.
fn what_is_new(account: &Account, change: AccountChange) -> AccountChange {
    AccountChange {
        name: change.name.filter(|name| *name != account.name),
        address: change.address.filter(|address| *address != account.address),
        admin: change.admin.filter(|admin| *admin != account.admin),
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

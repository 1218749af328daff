//! Accounts: who may log in.

use std::future::Future;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use types::{AccountId, Mailbox};

use crate::{Act, Error, Import, Login, Page, StoredRights};

/// Someone who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Stays the same when the address changes.
    pub id: AccountId,
    /// The name to log in with, and the address to send as.
    pub address: Mailbox,
    /// What people call the account, if they call it anything.
    pub name: Option<String>,
    /// Whether the account is an administrator's: the pages of administration ask for it.
    pub admin: bool,
    /// Whether the account is barred from logging in, by whatever credential.
    pub disabled: bool,
    /// The PHC string of the account password, or a hash that another server has made of it; `None` if only app
    /// passwords are good for it.
    pub password_hash: Option<String>,
    /// Whether a second factor is on.
    pub totp: bool,
    /// Grows with every change of password, second factor, address or `disabled`, so that what was proved before no
    /// longer holds.
    pub version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When someone last logged in to it.
    pub last_login_at: Option<Timestamp>,
    /// How long a message of the account can be taken back, if it has chosen so itself.
    pub undo: Option<Duration>,
    /// How pages are shown to its owner.
    pub preferences: Preferences,
}

/// How pages are shown to the owner of an account; what is `None` is as the browser, or the server, has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// The language (RFC 5646).
    pub language: Option<String>,
    /// The time zone, by its name in the IANA database.
    pub time_zone: Option<String>,
    /// The colours.
    pub colours: Option<Colours>,
}

/// The colours of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Colours {
    /// Dark letters on light paper.
    Light,
    /// Light letters on dark paper.
    Dark,
}

impl Colours {
    /// Both.
    pub const ALL: [Colours; 2] = [Colours::Light, Colours::Dark];

    /// The colours as they are written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Colours::Light => "light",
            Colours::Dark => "dark",
        }
    }

    /// The colours that are written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Colours::ALL.into_iter().find(|colours| colours.name() == name)
    }
}

/// What the owner of an account chooses for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnSettings {
    /// What people call the account, if they call it anything.
    pub name: Option<String>,
    /// How long a message can be taken back; `None`: as long as the configuration says.
    pub undo: Option<Duration>,
    /// How pages are shown.
    pub preferences: Preferences,
}

impl Account {
    /// A new account that has nothing yet but its address: as it is, nobody can log in to it.
    #[must_use]
    pub fn new(id: AccountId, address: Mailbox, created_at: Timestamp) -> Self {
        Self {
            id,
            address,
            name: None,
            admin: false,
            disabled: false,
            password_hash: None,
            totp: false,
            version: 1,
            created_at,
            last_login_at: None,
            undo: None,
            preferences: Preferences::default(),
        }
    }
}

/// A state of accounts, credentials, identities and limits: equal values are the same state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(pub u64);

/// Which accounts; an empty filter lets all through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountFilter {
    /// With this text in the address or the name. ASCII letters are compared without regard to case.
    pub text: Option<String>,
    /// In this state.
    pub state: Option<AccountState>,
    /// Made before this, and with no login since.
    pub unused_since: Option<Timestamp>,
}

/// What is to be another of an account; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountChange {
    /// What people call it; `Some(None)`: nothing any more.
    pub name: Option<Option<String>>,
    /// The name to log in with, and the address to send as. What was proved before no longer holds then.
    pub address: Option<Mailbox>,
    /// Whether it is an administrator's.
    pub admin: Option<bool>,
}

/// What is done to an account, by which an administrator may be one no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// It is changed.
    Change(AccountChange),
    /// It is barred from logging in.
    Disable,
    /// It is removed.
    Remove,
}

impl Departure {
    /// Whether an account that it is done to administers no longer.
    #[must_use]
    pub fn ends_administration(&self) -> bool {
        match self {
            Departure::Change(change) => change.admin == Some(false),
            Departure::Disable | Departure::Remove => true,
        }
    }
}

/// What becomes of an administrator without whom none could log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastAdministrator {
    /// They may go: whoever does it knows.
    MayGo,
    /// They stay.
    Stays,
}

/// What accounts are looked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountState {
    /// It may log in.
    Enabled,
    /// It may not.
    Disabled,
    /// It may administer others.
    Admin,
    /// It has a second factor.
    SecondFactor,
    /// It has none.
    NoSecondFactor,
}

impl AccountState {
    /// Every state there is.
    pub const ALL: [AccountState; 5] = [
        AccountState::Enabled,
        AccountState::Disabled,
        AccountState::Admin,
        AccountState::SecondFactor,
        AccountState::NoSecondFactor,
    ];

    /// The state as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AccountState::Enabled => "enabled",
            AccountState::Disabled => "disabled",
            AccountState::Admin => "admin",
            AccountState::SecondFactor => "second-factor",
            AccountState::NoSecondFactor => "no-second-factor",
        }
    }

    /// The state that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        AccountState::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// The accounts. Addresses are compared by [`Mailbox::normal`]. Every change goes into the audit trail in the same
/// transaction.
pub trait Accounts: Send + Sync + 'static {
    /// Adds an account without a second factor; [`Error::AlreadyExists`] if its address is taken.
    fn add(&self, account: &Account, act: &Act) -> impl Future<Output = Result<(), Error>> + Send;

    /// Adds an account with its credentials and identities, all of it or nothing; [`Error::AlreadyExists`] if its
    /// address is taken.
    fn import(&self, import: &Import, act: &Act) -> impl Future<Output = Result<(), Error>> + Send;

    /// The account with this address.
    fn by_address(&self, address: &Mailbox) -> impl Future<Output = Result<Option<Account>, Error>> + Send;

    /// The account with this id.
    fn by_id(&self, id: AccountId) -> impl Future<Output = Result<Option<Account>, Error>> + Send;

    /// What a login is good for, in one question; `None` if the account or the credential is gone. Whether it is disabled, has expired
    /// or has changed since the login is for the caller to see.
    fn session_rights(
        &self,
        login: &Login,
    ) -> impl Future<Output = Result<Option<StoredRights>, Error>> + Send;

    /// A page of the accounts that the filter lets through, in the order of their addresses. The place of a page is such an
    /// address, in its normal form.
    fn list(
        &self,
        filter: &AccountFilter,
        page: Page<String>,
    ) -> impl Future<Output = Result<Vec<Account>, Error>> + Send;

    /// The password hashes that don't begin with `prefix`, of up to `at_most` accounts behind this one, in the order of their ids.
    fn hashes_unlike(
        &self,
        prefix: &str,
        after: Option<AccountId>,
        at_most: u32,
    ) -> impl Future<Output = Result<Vec<(AccountId, String)>, Error>> + Send;

    /// Sets the account password to the one behind this PHC string; [`Error::NotFound`] without such an account.
    fn set_password(
        &self,
        id: AccountId,
        hash: &str,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Puts another hash of the same password in the place of `old`; `false` if that is no longer there. The
    /// version stays.
    fn rehash(
        &self,
        id: AccountId,
        old: &str,
        new: &str,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Changes the account, all of it or nothing; [`Error::AlreadyExists`] if its new address is taken. The audit trail has an entry for each thing
    /// that is another, and tells a new address of both.
    fn update_account(
        &self,
        id: AccountId,
        change: &AccountChange,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let departure = Departure::Change(change.clone());
        async move { self.depart(id, &departure, LastAdministrator::MayGo, act).await }
    }

    /// Changes, bars or removes the account as [`update_account`](Accounts::update_account), [`set_disabled`](Accounts::set_disabled) and
    /// [`remove`](Accounts::remove) do; [`Error::LastAdministrator`], and nothing changed, if it is the last administrator's who may log in, and that
    /// one is to stay. Of administrators who do it to each other at once, one is left.
    fn depart(
        &self,
        id: AccountId,
        departure: &Departure,
        last: LastAdministrator,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Gives the account another address, as [`update_account`](Accounts::update_account) does.
    fn rename(
        &self,
        id: AccountId,
        address: &Mailbox,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let change = AccountChange { address: Some(address.clone()), ..AccountChange::default() };
        async move { self.update_account(id, &change, act).await }
    }

    /// Bars the account from logging in, or lets it in again.
    fn set_disabled(
        &self,
        id: AccountId,
        disabled: bool,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Sets how long messages of the account can be taken back; `None`: as long as the configuration says.
    fn set_undo(
        &self,
        id: AccountId,
        undo: Option<Duration>,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Sets what the owner of the account chooses for it. The version stays.
    fn set_settings(
        &self,
        id: AccountId,
        settings: &OwnSettings,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes the account and its credentials. What it has submitted stays in the queue.
    fn remove(&self, id: AccountId, act: &Act) -> impl Future<Output = Result<(), Error>> + Send;

    /// The revision that stands now, which every change of accounts, credentials, identities, limits and DKIM keys moves, and no note. What is read of
    /// them after this call stays right for as long as further calls return the same, whatever other processes do. `None` if to say
    /// so costs as much as to read.
    fn revision(&self) -> impl Future<Output = Option<Revision>> + Send;

    /// Whether something that was confirmed may be missing, so that a name or a password that is not known may be right.
    fn may_lack(&self) -> bool;

    /// Notes a login, and the network it came from as one that the account is familiar with. Written soon, together
    /// with others: logging in never waits for it.
    fn logged_in(&self, id: AccountId, at: Timestamp, network: Option<IpNet>);

    /// Writes what was noted: here, by [`used`](crate::AppPasswords::used) and by [`note`](crate::Audit::note).
    fn flush(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

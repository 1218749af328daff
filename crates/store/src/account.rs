//! Accounts: who may log in.

use std::future::Future;

use jiff::Timestamp;
use types::{AccountId, Mailbox};

use crate::Error;

/// Someone who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Stays the same when the address changes.
    pub id: AccountId,
    /// The name to log in with, and the address to send as.
    pub address: Mailbox,
    /// What people call the account, if they call it anything.
    pub name: Option<String>,
    /// Whether the account may administer others.
    pub admin: bool,
    /// Whether the account is barred from logging in, by whatever credential.
    pub disabled: bool,
    /// The PHC string of the account password, or `None` if only app passwords are good for it.
    pub password_hash: Option<String>,
    /// Grows with every change of password, address or `disabled`, so that what was proved before no longer holds.
    pub version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When someone last logged in to it.
    pub last_login_at: Option<Timestamp>,
}

/// A state of all accounts and app passwords: equal values are the same state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(pub u64);

/// The accounts. Addresses are compared by [`Mailbox::normal`].
pub trait Accounts: Send + Sync + 'static {
    /// Adds an account; [`Error::AlreadyExists`] if its address is taken.
    fn add(&self, account: &Account) -> impl Future<Output = Result<(), Error>> + Send;

    /// The account with this address.
    fn by_address(&self, address: &Mailbox) -> impl Future<Output = Result<Option<Account>, Error>> + Send;

    /// The account with this id.
    fn by_id(&self, id: AccountId) -> impl Future<Output = Result<Option<Account>, Error>> + Send;

    /// All accounts, in the order of their addresses.
    fn list(&self) -> impl Future<Output = Result<Vec<Account>, Error>> + Send;

    /// Sets the account password to the one behind this PHC string; [`Error::NotFound`] without such an account.
    fn set_password(&self, id: AccountId, hash: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Gives the account another address; [`Error::AlreadyExists`] if that is taken.
    fn rename(&self, id: AccountId, address: &Mailbox) -> impl Future<Output = Result<(), Error>> + Send;

    /// Bars the account from logging in, or lets it in again.
    fn set_disabled(&self, id: AccountId, disabled: bool) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes the account and its app passwords. What it has submitted stays in the queue.
    fn remove(&self, id: AccountId) -> impl Future<Output = Result<(), Error>> + Send;

    /// The revision that stands now. What is read from the store after this call stays right for as long as further
    /// calls return the same, whatever other processes do. `None` if to say so costs as much as to read.
    fn revision(&self) -> Option<Revision> {
        None
    }

    /// Notes a login. Written soon, together with others: logging in never waits for it.
    fn logged_in(&self, id: AccountId, at: Timestamp);

    /// Writes what [`logged_in`](Accounts::logged_in) and [`used`](crate::AppPasswords::used) have noted.
    fn flush(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

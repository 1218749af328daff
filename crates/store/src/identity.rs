//! Identities: whom an account may send as besides itself.

use std::future::Future;

use jiff::Timestamp;
use types::{AccountId, SenderPattern};

use crate::{Act, Error, Page};

/// A further sender of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Whom it may send as.
    pub sender: SenderPattern,
    /// Since when.
    pub created_at: Timestamp,
}

/// The identities. Patterns are compared by [`SenderPattern::normal`].
pub trait Identities: Send + Sync + 'static {
    /// Adds one, and writes that into the audit trail with the sender as the credential; [`Error::AlreadyExists`]
    /// if the account has it.
    fn add_identity(
        &self,
        account: AccountId,
        identity: &Identity,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// A page of the identities of an account, in the order of their normal forms, which are their places.
    fn identities(
        &self,
        account: AccountId,
        page: Page<String>,
    ) -> impl Future<Output = Result<Vec<Identity>, Error>> + Send;

    /// A page of the domains of all accounts and identities (A-labels in lower case), in their order, which are their places; of this one
    /// alone, if it is named.
    fn sender_domains(
        &self,
        domain: Option<&str>,
        page: Page<String>,
    ) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// Takes one away, and writes that into the audit trail; `false` if the account does not have it.
    fn remove_identity(
        &self,
        account: AccountId,
        sender: &SenderPattern,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}

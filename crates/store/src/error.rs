//! Why the store could not do what it was asked.

use types::QueueId;

/// Why an operation on accounts or credentials failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address belongs to an account already.
    #[error("an account with this address exists already")]
    AlreadyExists,
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// The account has as many app passwords as it may have.
    #[error("the account has as many app passwords as it may have")]
    TooMany,
    /// The account was changed while something was made for it as it was before.
    #[error("the account was changed meanwhile")]
    Changed,
    /// The account is the last administrator's who may log in, and that was to stay so.
    #[error("the account is the last administrator's")]
    LastAdministrator,
    /// What is stored cannot be read back.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The store is out of order: a fault of ours, never the caller's.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why the spool could not take, change or tell a message.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// No space is left, or a quota or size limit is reached. The spool works again once there is room.
    #[error("no space is left for mail")]
    Full,
    /// The storage does not do what it should: nothing of the operation may be taken as done.
    #[error("the mail storage is failing")]
    Failing(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored for this message cannot be read back; the caller should [quarantine] it.
    ///
    /// [quarantine]: crate::Spool::quarantine
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The message was handed in before, and this is the one that is kept: nothing of the other is. No fault of anybody.
    #[error("the message was accepted before, as {0}")]
    Duplicate(QueueId),
}

/// A stored value that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table} {row}: {column} is damaged")]
pub struct Corrupt {
    table: &'static str,
    row: String,
    column: &'static str,
}

impl Corrupt {
    /// Names the damaged `column` of the `row` (its id, as people write it) of `table`.
    pub fn on(table: &'static str, row: impl Into<String>, column: &'static str) -> Self {
        Self { table, row: row.into(), column }
    }
}

//! Whichever backend Gatepost keeps its accounts and its queue in. There is one, SQLite.
//!
//! Crates that need a store, and not any store, name these types: they are not generic over backends, and none of them names one.

#![warn(missing_docs)]

/// Accounts, credentials, the audit trail.
pub type Accounts = store_sqlite::SqliteAccounts;

/// The queue: messages, and what becomes of them.
pub type Spool = store_sqlite::SqliteSpool;

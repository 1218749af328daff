//! Whichever backend Gatepost keeps its accounts and its queue in. There is one, SQLite.
//!
//! Each kind of store is an enum with a variant for each backend, and fills the traits of `store` by asking the one that it is. Crates that
//! need a store, and not any store, name these types: they are not generic over backends, and none of them names one.
//!
//! Invariant: no other crate depends on a backend, its tests neither.

#![warn(missing_docs)]

#[macro_use]
mod ask_backend;
mod accounts;
mod ledger;
mod spool;
mod store;

pub use accounts::Accounts;
pub use ledger::Ledger;
pub use spool::{Body, Incoming, Spool};
pub use store::{Claimed, Store};
pub use store_sqlite::{BackedUp, BackupError, DiskSpace, Exposed, Integrity, Migrated, Mode, OpenError};

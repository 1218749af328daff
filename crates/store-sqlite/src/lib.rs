//! The SQLite backend of `store`: a directory with `accounts.db`, `queue.db`, `ledger.db` and `spool/`.
//!
//! The databases are apart, so that busy mail never waits for logins, nor for the ledger. All are in WAL mode with
//! `synchronous=FULL`: what a call has confirmed survives the plug. Messages of up to 64 KiB live in `queue.db`; larger
//! ones are files in `spool/`.
//!
//! Invariant: every write transaction begins with `BEGIN IMMEDIATE`. One that begins reading and then writes cannot wait
//! for another writer, whatever its busy timeout.

mod directory;
mod once;
mod connect;
mod schema;
mod watch;
mod wal;
mod commit_mark;
mod losses;
mod store;
mod failure;
mod row;
mod like;
mod pieces;
mod gather;
mod accounts;
mod ledger;
mod spool;
mod integrity;
mod exposure;
mod backup;
mod state;

pub use accounts::SqliteAccounts;
pub use backup::{BackedUp, BackupError};
pub use directory::Mode;
pub use exposure::Exposed;
pub use integrity::Integrity;
pub use ledger::SqliteLedger;
pub use schema::Migrated;
pub use spool::{FileBody, Incoming, SqliteSpool};
pub use state::DiskSpace;
pub use store::{Claimed, OpenError, SqliteStore};

//! What was sent, in whichever backend.

use jiff::Timestamp;
use store::{
    Day, Error, LedgerFilter, LedgerMessage, LedgerName, LedgerTrace, Page, TlsResult, TlsResults, Traffic,
};
use store_sqlite::SqliteLedger;
use types::{AccountId, QueueId};

/// What was sent, and what became of it. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub enum Ledger {
    /// In `ledger.db`.
    Sqlite(SqliteLedger),
}

impl Ledger {
    /// How many notes could not be kept since the ledger was opened, as it could not be written as fast as they came.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        match self {
            Self::Sqlite(ledger) => ledger.dropped(),
        }
    }
}

impl store::Ledger for Ledger {
    ask_backend! {
        async fn flush(&self) -> Result<(), Error>;
        async fn messages(&self, filter: &LedgerFilter, page: Page<QueueId>) -> Result<Vec<LedgerMessage>, Error>;
        async fn sent_with(&self, account: AccountId, since: Timestamp) -> Result<Vec<(String, u64)>, Error>;
        async fn named(&self, name: &LedgerName, at_most: u32) -> Result<Vec<QueueId>, Error>;
        async fn trace(&self, id: QueueId) -> Result<Option<LedgerTrace>, Error>;
        async fn traffic(&self, since: Timestamp) -> Result<Traffic, Error>;
        async fn prune(&self, before: Timestamp) -> Result<bool, Error>;
        fn set_kept(&self, kept: bool);
    }
}

impl TlsResults for Ledger {
    ask_backend! {
        async fn add_tls_results(&self, sessions: &[(Day, TlsResult, u64)]) -> Result<(), Error>;
        async fn unreported_tls_domains(&self, before: Day) -> Result<Vec<(Day, String)>, Error>;
        async fn tls_results(&self, day: Day, domain: &str) -> Result<Vec<(TlsResult, u64)>, Error>;
        async fn claim_tls_report(&self, day: Day, domain: &str) -> Result<bool, Error>;
        async fn prune_tls_results(&self, before: Day) -> Result<(), Error>;
    }
}

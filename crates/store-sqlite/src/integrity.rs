//! Whether a store is whole: its databases, and every message.

use sqlx::SqlitePool;
use store::SpoolError;

use crate::store::SqliteStore;

/// What a look over a whole store has found.
#[derive(Debug, Default)]
pub struct Integrity {
    /// The messages in the queue, whose envelopes and texts were read.
    pub messages: u64,
    /// A sentence for each fault.
    pub faults: Vec<String>,
}

impl SqliteStore {
    /// Has SQLite check the databases, and reads every message. A server may be running.
    ///
    /// # Errors
    /// When the databases can't be read. What is damaged is no error, but told.
    pub async fn integrity(&self) -> Result<Integrity, SpoolError> {
        let accounts = self.accounts().readers().map_err(|error| SpoolError::Failing(Box::new(error)))?;
        let mut faults = of_database("accounts.db", accounts).await;
        faults.extend(of_database("queue.db", self.spool().readers()).await);
        faults.extend(of_database("ledger.db", self.ledger().readers()).await);
        if !faults.is_empty() {
            return Ok(Integrity { messages: 0, faults });
        }
        let verified = self.spool().verify().await?;
        faults.extend(verified.damaged.iter().map(ToString::to_string));
        Ok(Integrity { messages: verified.messages, faults })
    }
}

async fn of_database(name: &str, readers: &SqlitePool) -> Vec<String> {
    let found = match findings(readers).await {
        Ok(found) => found,
        Err(error) => vec![error.to_string()],
    };
    found.iter().map(|found| format!("{name}: {found}")).collect()
}

async fn findings(readers: &SqlitePool) -> Result<Vec<String>, sqlx::Error> {
    let mut found: Vec<String> =
        sqlx::query_scalar("SELECT * FROM pragma_integrity_check").fetch_all(readers).await?;
    found.retain(|found| found != "ok");
    let widowed = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1";
    let widowed: Vec<(String, i64)> = sqlx::query_as(widowed).fetch_all(readers).await?;
    found.extend(
        widowed.iter().map(|(table, rows)| format!("{rows} rows of {table} belong to what is not there")),
    );
    Ok(found)
}

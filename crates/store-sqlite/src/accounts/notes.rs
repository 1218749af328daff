//! Last logins and last uses, gathered in memory and written together a little later.
//!
//! They are for people to read, so losing the last second of them in a crash is no harm; a sync for each login would be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqlitePool;
use store::LastUse;
use tokio::sync::Notify;
use types::{AccountId, CredentialId};

/// How long notes gather.
const GATHER: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Notes {
    pending: Mutex<Pending>,
    noted: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    logins: HashMap<AccountId, Timestamp>,
    uses: HashMap<CredentialId, LastUse>,
}

impl Notes {
    /// Notes that are written to this database until the last holder lets go of them.
    pub(super) fn start(writer: SqlitePool) -> Arc<Self> {
        let notes = Arc::new(Self::default());
        let held = Arc::downgrade(&notes);
        tokio::spawn(async move {
            while let Some(notes) = held.upgrade() {
                // Wakes up now and then to see whether anybody still holds the notes.
                let noted = tokio::time::timeout(GATHER * 60, notes.noted.notified()).await;
                drop(notes);
                if noted.is_ok() {
                    tokio::time::sleep(GATHER).await;
                }
                let Some(notes) = held.upgrade() else { break };
                if let Err(error) = notes.flush(&writer).await {
                    tracing::warn!(event = "store.failing", %error, "last uses of credentials could not be written");
                }
            }
        });
        notes
    }

    pub(super) fn login(&self, id: AccountId, at: Timestamp) {
        self.pending().logins.insert(id, at);
        self.noted.notify_one();
    }

    pub(super) fn credential_use(&self, id: CredentialId, last_use: LastUse) {
        self.pending().uses.insert(id, last_use);
        self.noted.notify_one();
    }

    /// Writes what is noted, in one transaction. What could not be written is forgotten.
    pub(super) async fn flush(&self, writer: &SqlitePool) -> Result<(), sqlx::Error> {
        let Pending { logins, uses } = std::mem::take(&mut *self.pending());
        if logins.is_empty() && uses.is_empty() {
            return Ok(());
        }
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        for (id, at) in logins {
            sqlx::query("UPDATE accounts SET last_login_at = $1 WHERE id = $2")
                .bind(at.as_millisecond())
                .bind(id.as_bytes().to_vec())
                .execute(&mut *transaction)
                .await?;
        }
        for (id, last_use) in uses {
            sqlx::query(
                "UPDATE app_passwords SET last_used_at = $1, last_used_ip = $2, last_mechanism = $3 WHERE id = $4",
            )
            .bind(last_use.at.as_millisecond())
            .bind(last_use.ip.to_string())
            .bind(last_use.mechanism)
            .bind(id.as_bytes().to_vec())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Enters into the trail what may come in any number: what is alike becomes one entry, and entries about failures, and
//! about the successes of an account, are bounded.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};
use store::{AuditEntry, AuditResult};

use super::row::{self, TOGETHER};

/// How many entries about failures may begin within [`TOGETHER`] and say whom, where from and by what.
pub(super) const FAILURES: u32 = 2_000;

/// How many entries about successes of one account may begin within [`TOGETHER`] and say where from and by what.
pub(super) const SUCCESSES: u32 = 200;

/// Writes the entries, each into one that is there if it can be.
pub(in crate::accounts) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    entries: impl IntoIterator<Item = AuditEntry> + Send,
) -> Result<(), sqlx::Error> {
    let mut trail = Trail { transaction, rooms: HashMap::new() };
    for entry in Vec::from_iter(entries) {
        trail.enter(&entry).await?;
    }
    Ok(())
}

struct Trail<'t, 'c> {
    transaction: &'t mut Transaction<'c, Sqlite>,
    /// How many more entries there may be, once that is known: about failures (`None`), or about successes of an account.
    rooms: HashMap<Option<String>, u32>,
}

impl Trail<'_, '_> {
    async fn enter(&mut self, entry: &AuditEntry) -> Result<(), sqlx::Error> {
        if row::merge(self.transaction, entry).await? {
            return Ok(());
        }
        if self.takes_room(entry).await? {
            return row::insert(self.transaction, entry).await;
        }
        let blurred = entry.blurred();
        if row::merge(self.transaction, &blurred).await? {
            return Ok(());
        }
        row::insert(self.transaction, &blurred).await
    }

    /// Whether there is room for another entry like this, which is then taken.
    async fn takes_room(&mut self, entry: &AuditEntry) -> Result<bool, sqlx::Error> {
        let whose = match entry.event.result {
            AuditResult::Failure => None,
            AuditResult::Success => Some(entry.event.account.clone().unwrap_or_default()),
        };
        let room = match self.rooms.get(&whose) {
            Some(room) => *room,
            None => self.count_room(whose.as_deref(), entry.event.at).await?,
        };
        self.rooms.insert(whose, room.saturating_sub(1));
        Ok(room > 0)
    }

    async fn count_room(&mut self, successes_of: Option<&str>, at: Timestamp) -> Result<u32, sqlx::Error> {
        // Not those far ahead, from before the clock was set back.
        let (most, count) = match successes_of {
            None => (
                FAILURES,
                "SELECT count(*) FROM audit WHERE result = 'failure' AND first_at > $1 AND first_at <= $2",
            ),
            Some(_) => (
                SUCCESSES,
                "SELECT count(*) FROM audit WHERE result = 'success' AND first_at > $1 AND first_at <= $2 AND account = $3",
            ),
        };
        let at = at.as_millisecond();
        let count = sqlx::query_scalar(count).bind(at - TOGETHER).bind(at + TOGETHER);
        let count = match successes_of {
            None => count,
            Some(account) => count.bind(account.to_owned()),
        };
        let begun: u32 = count.fetch_one(&mut **self.transaction).await?;
        Ok(most.saturating_sub(begun))
    }
}

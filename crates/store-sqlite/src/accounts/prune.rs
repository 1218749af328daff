//! Forgetting what is old, and times of a clock that was ahead.

use jiff::{SignedDuration, Timestamp};
use store::Error;

use super::database::Database;
use crate::failure::unavailable;

/// How many rows one transaction forgets: a few milliseconds in which logins are not written down.
const PIECE: u32 = 1_000;

impl Database {
    /// Sets times that lie more than a day ahead to now: a clock that was ahead has written them. `update` has both as its parameters.
    pub(super) async fn bring_back(&self, update: &'static str, now: Timestamp) -> Result<(), Error> {
        let update = sqlx::query(update).bind(now.as_millisecond()).bind(far_ahead(now).as_millisecond());
        update.execute(self.writer()?).await.map(drop).map_err(unavailable)
    }

    /// Deletes rows from before a time in pieces; says how many. `piece` deletes as many as its second parameter says.
    pub(super) async fn forget(&self, piece: &'static str, before: Timestamp) -> Result<u64, Error> {
        let mut forgotten = 0;
        loop {
            let piece = sqlx::query(piece).bind(before.as_millisecond()).bind(PIECE);
            let gone = piece.execute(self.writer()?).await.map_err(unavailable)?.rows_affected();
            forgotten += gone;
            if gone < u64::from(PIECE) {
                return Ok(forgotten);
            }
        }
    }
}

/// What is later than this was written by a clock that was ahead.
pub(super) fn far_ahead(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}

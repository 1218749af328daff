//! Which messages were accepted lately, by what they are known by when they are handed in again.
//!
//! The rows are written with the messages themselves, and read once: an index on digests, which come in no order, would cost a page of the
//! WAL for each message. What other writers add is read when it is in the way of ours. A row stays when its message has left the queue.

use std::collections::{HashMap, VecDeque};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use store::DuplicateKey;
use types::QueueId;

use crate::row::octets;

/// How many messages are known at most; then the oldest are forgotten before their time. About 50 MiB.
const AT_MOST: usize = 500_000;

/// How many rows one transaction forgets.
const PIECE: usize = 1_000;

/// The messages that were accepted lately.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashMap<[u8; 16], Known>,
    /// In the order of their numbers, as known by their digests.
    order: VecDeque<(i64, [u8; 16])>,
    /// The highest number that was read or written.
    last: i64,
    is_read: bool,
}

/// A message that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) entry: QueueId,
    number: i64,
    /// In milliseconds since 1970.
    received_at: i64,
}

impl Known {
    fn is_known_to(&self, key: &DuplicateKey) -> bool {
        Timestamp::from_millisecond(self.received_at).is_ok_and(|at| key.is_known_from(at))
    }
}

const NEW: &str =
    "SELECT number, digest, entry, received_at FROM recent_messages WHERE number > $1 ORDER BY number";
/// Its row is there, and if its entry is, somebody has it or may get it still.
const IS_FIRST: &str = "SELECT EXISTS (SELECT 1 FROM recent_messages WHERE number = $1 AND entry = $2) \
     AND NOT EXISTS (SELECT 1 FROM entries WHERE id = $2 AND NOT EXISTS (SELECT 1 FROM recipients \
     WHERE entry = $2 AND (state = 'delivered' OR (state <> 'failed' AND NOT returned))))";

impl Recent {
    /// Reads the rows, unless that was done.
    pub(super) async fn read_once(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if !self.is_read {
            self.read_new(connection).await?;
            self.is_read = true;
        }
        Ok(())
    }

    /// Reads what others have written since; whether there was any.
    pub(super) async fn read_new(&mut self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let before = self.last;
        let mut rows = sqlx::query(NEW).bind(before).fetch(connection);
        // One by one, as there may be very many.
        while let Some(row) = rows.try_next().await? {
            self.last = row.try_get("number")?;
            if let Some((digest, known)) = known(&row) {
                self.add(digest, known);
            }
        }
        Ok(self.last > before)
    }

    /// The message that this is again, if it is.
    pub(super) fn find(&self, key: &DuplicateKey) -> Option<Known> {
        self.known.get(&key.digest).copied().filter(|known| known.is_known_to(key))
    }

    /// The number of the next row.
    pub(super) fn next_number(&self) -> i64 {
        self.last.saturating_add(1)
    }

    /// Notes a message that has been committed under this number.
    pub(super) fn note(&mut self, number: i64, key: &DuplicateKey, entry: QueueId) {
        let received_at = key.received_at.as_millisecond();
        self.add(key.digest, Known { entry, number, received_at });
    }

    fn add(&mut self, digest: [u8; 16], known: Known) {
        self.last = self.last.max(known.number);
        self.order.push_back((known.number, digest));
        self.known.insert(digest, known);
    }

    /// Up to which number rows are too old, a piece of them at a time; the last row is never among them.
    pub(super) fn outdated(&self, key: &DuplicateKey) -> Option<i64> {
        let is_old = |number: i64, digest: &[u8; 16]| {
            self.known.get(digest).is_none_or(|known| known.number != number || !known.is_known_to(key))
        };
        let too_many = self.order.len().saturating_sub(AT_MOST);
        let outdated = self.order.iter().take(PIECE).enumerate();
        let outdated = outdated.take_while(|(place, (number, digest))| {
            *number < self.last && (*place < too_many || is_old(*number, digest))
        });
        outdated.map(|(_, (number, _))| *number).last()
    }

    /// Forgets what has a number up to this.
    pub(super) fn forget_to(&mut self, number: i64) {
        while let Some((first, digest)) = self.order.front().copied()
            && first <= number
        {
            self.order.pop_front();
            if self.known.get(&digest).is_some_and(|known| known.number == first) {
                self.known.remove(&digest);
            }
        }
    }

    /// Forgets one that is not the same any more.
    pub(super) fn forget(&mut self, digest: &[u8; 16]) {
        self.known.remove(digest);
    }
}

/// Whether the same message is this one again: not if it was taken back, nor if it has failed for everybody, which its sender was told or
/// will be.
pub(super) async fn is_first(connection: &mut SqliteConnection, known: Known) -> Result<bool, sqlx::Error> {
    let is_first = sqlx::query_scalar(IS_FIRST).bind(known.number).bind(known.entry.as_bytes().to_vec());
    is_first.fetch_one(connection).await
}

/// A row, unless it is damaged: then a message may be sent twice.
fn known(row: &SqliteRow) -> Option<([u8; 16], Known)> {
    let number = row.try_get("number").ok()?;
    let entry = QueueId::from_bytes(octets(row.try_get("entry").ok()?)?);
    let received_at = row.try_get("received_at").ok()?;
    Some((octets(row.try_get("digest").ok()?)?, Known { entry, number, received_at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8, at: i64) -> DuplicateKey {
        let at = Timestamp::from_second(1_790_000_000 + at).unwrap();
        DuplicateKey { digest: [n; 16], received_at: at, since: at - jiff::SignedDuration::from_secs(10) }
    }

    fn note(recent: &mut Recent, n: u8, at: i64) {
        recent.note(recent.next_number(), &key(n, at), QueueId::from_bytes([n; 16]));
    }

    #[test]
    fn what_is_too_old_is_not_the_same_and_goes_but_for_the_last() {
        let mut recent = Recent::default();
        note(&mut recent, 1, 0);
        note(&mut recent, 2, 5);
        assert!(recent.find(&key(1, 10)).is_some() && recent.find(&key(1, 11)).is_none());
        assert_eq!((recent.outdated(&key(3, 10)), recent.outdated(&key(3, 11))), (None, Some(1)));
        assert_eq!(recent.outdated(&key(3, 100)), Some(1), "the last row stays");
        recent.forget_to(1);
        assert!(recent.find(&key(1, 5)).is_none() && recent.find(&key(2, 5)).is_some());
        assert_eq!(recent.next_number(), 3);
    }

    #[test]
    fn what_a_clock_ahead_has_told_goes_like_what_is_too_old() {
        let mut recent = Recent::default();
        note(&mut recent, 1, 500_000);
        note(&mut recent, 2, 5);
        assert!(recent.find(&key(1, 6)).is_none() && recent.find(&key(2, 6)).is_some());
        assert_eq!(recent.outdated(&key(3, 6)), Some(1));
    }

    #[test]
    fn an_older_row_of_the_same_digest_is_no_loss() {
        let mut recent = Recent::default();
        note(&mut recent, 1, 0);
        note(&mut recent, 1, 20);
        note(&mut recent, 2, 21);
        assert_eq!(recent.outdated(&key(3, 22)), Some(1));
        recent.forget_to(1);
        assert_eq!(recent.find(&key(1, 25)).map(|known| known.number), Some(2));
    }
}

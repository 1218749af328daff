//! Which messages were accepted lately, by what they are known by when they are handed in again.
//!
//! The messages of a transaction are one row, which is written with the messages themselves, and read once: an index on digests, which come in
//! no order, would cost a page of the WAL for each message. What other writers add is read when it is in the way of ours. What is known of a
//! message stays when it has left the queue.

use std::collections::{HashMap, HashSet, VecDeque};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use store::DuplicateKey;
use types::QueueId;

/// How many messages are known at most; then the oldest are forgotten before their time. About 50 MiB.
const AT_MOST: usize = 500_000;

/// How many messages one transaction looks at to forget them, more than one can accept.
const PIECE: usize = 1_000;

/// The messages that were accepted lately.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashMap<[u8; 16], Known>,
    /// The digests in the order of their groups, with their numbers.
    order: VecDeque<(i64, [u8; 16])>,
    /// The highest number that was read or written.
    last: i64,
    is_read: bool,
}

/// A message that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) entry: QueueId,
    /// Of its group.
    number: i64,
    /// In milliseconds since 1970.
    received_at: i64,
}

/// The rows that one transaction changes.
#[derive(Debug, Default)]
pub(super) struct RecentRows {
    /// The number of the new one, and its messages.
    pub(super) new: Option<(i64, Vec<u8>)>,
    /// Up to which number rows are too old.
    pub(super) outdated: Option<i64>,
}

impl Known {
    fn is_known_to(&self, key: &DuplicateKey) -> bool {
        Timestamp::from_millisecond(self.received_at).is_ok_and(|at| key.is_known_from(at))
    }
}

const NEW: &str = "SELECT number, messages FROM recent_groups WHERE number > $1 ORDER BY number";
const GROUP: &str = "SELECT number, messages FROM recent_groups WHERE number = $1";
/// If its entry is there, somebody has it or may get it still.
const IS_LEFT: &str = "SELECT NOT EXISTS (SELECT 1 FROM entries WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM recipients \
     WHERE entry = $1 AND (state = 'delivered' OR (state <> 'failed' AND NOT returned))))";
const CHANGE: &str = "UPDATE recent_groups SET messages = $2 WHERE number = $1";

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
            let number = row.try_get("number")?;
            self.last = number;
            messages(&row)?.for_each(|message| self.add(number, message));
        }
        Ok(self.last > before)
    }

    /// The message that this is again, if it is.
    pub(super) fn find(&self, key: &DuplicateKey) -> Option<Known> {
        self.known.get(&key.digest).copied().filter(|known| known.is_known_to(key))
    }

    /// What a transaction writes that accepts these messages.
    pub(super) fn rows_of<'k>(
        &self,
        accepted: impl Iterator<Item = (&'k DuplicateKey, QueueId)>,
    ) -> RecentRows {
        let (mut packed, mut last) = (Vec::new(), None);
        for (key, entry) in accepted {
            let received_at = key.received_at.as_millisecond();
            Message { digest: key.digest, entry, received_at }.pack(&mut packed);
            last = Some(key);
        }
        let new = last.map(|_| (self.last.saturating_add(1), packed));
        RecentRows { new, outdated: last.and_then(|key| self.outdated(key)) }
    }

    /// Notes what has been committed.
    pub(super) fn note(&mut self, rows: &RecentRows) {
        if let Some((number, packed)) = &rows.new {
            unpacked(packed).for_each(|message| self.add(*number, message));
        }
        rows.outdated.into_iter().for_each(|number| self.forget_to(number));
    }

    fn add(&mut self, number: i64, message: Message) {
        let Message { digest, entry, received_at } = message;
        self.last = self.last.max(number);
        self.order.push_back((number, digest));
        self.known.insert(digest, Known { entry, number, received_at });
    }

    /// Up to which number groups are too old, a piece of them at a time; the last is never among them, and a group goes as a whole.
    fn outdated(&self, key: &DuplicateKey) -> Option<i64> {
        let is_old = |number: i64, digest: &[u8; 16]| {
            self.known.get(digest).is_none_or(|known| known.number != number || !known.is_known_to(key))
        };
        let too_many = self.order.len().saturating_sub(AT_MOST);
        let mut piece = self.order.iter().take(PIECE).enumerate();
        let stays = piece.find(|(place, (number, digest))| {
            *number >= self.last || (*place >= too_many && !is_old(*number, digest))
        });
        let (stays, _) = stays.map(|(_, stays)| stays).or(self.order.get(PIECE - 1))?;
        self.order.front().filter(|(first, _)| first < stays).and(stays.checked_sub(1))
    }

    /// Forgets what has a number up to this.
    fn forget_to(&mut self, number: i64) {
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
    let group = sqlx::query(GROUP).bind(known.number).fetch_optional(&mut *connection).await?;
    let Some(group) = group else { return Ok(false) };
    let is_there = messages(&group)?.any(|message| message.entry == known.entry);
    let is_left = sqlx::query_scalar(IS_LEFT).bind(known.entry.as_bytes().to_vec()).fetch_one(connection);
    Ok(is_there && is_left.await?)
}

/// Has these messages, which are taken back, not known any more. Their groups stay, as one may be the last, whose number another writer must find
/// taken. There is no index by messages, as there would be one to be written for each.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    ids: &HashSet<QueueId>,
) -> Result<(), sqlx::Error> {
    for (number, others) in without(connection, ids).await? {
        sqlx::query(CHANGE).bind(number).bind(others).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The groups that have any of these messages, without them.
async fn without(
    connection: &mut SqliteConnection,
    ids: &HashSet<QueueId>,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    let (mut groups, mut rows) = (Vec::new(), sqlx::query(NEW).bind(0).fetch(connection));
    while !ids.is_empty()
        && let Some(row) = rows.try_next().await?
    {
        if messages(&row)?.any(|message| ids.contains(&message.entry)) {
            let mut others = Vec::new();
            let stays = messages(&row)?.filter(|message| !ids.contains(&message.entry));
            stays.for_each(|other| other.pack(&mut others));
            groups.push((row.try_get("number")?, others));
        }
    }
    Ok(groups)
}

/// A message as it stands in the row of its group.
struct Message {
    digest: [u8; 16],
    entry: QueueId,
    /// In milliseconds since 1970.
    received_at: i64,
}

impl Message {
    fn pack(&self, packed: &mut Vec<u8>) {
        packed.extend_from_slice(&self.digest);
        packed.extend_from_slice(self.entry.as_bytes());
        packed.extend_from_slice(&self.received_at.to_be_bytes());
    }
}

fn messages(row: &SqliteRow) -> Result<impl Iterator<Item = Message>, sqlx::Error> {
    row.try_get("messages").map(unpacked)
}

/// What is damaged is left out: then a message may be sent twice.
fn unpacked(packed: &[u8]) -> impl Iterator<Item = Message> {
    packed.chunks(40).filter_map(|message| {
        let (digest, rest) = message.split_first_chunk()?;
        let (entry, received_at) = rest.split_first_chunk()?;
        let received_at = i64::from_be_bytes(received_at.try_into().ok()?);
        Some(Message { digest: *digest, entry: QueueId::from_bytes(*entry), received_at })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8, at: i64) -> DuplicateKey {
        let at = Timestamp::from_second(1_790_000_000 + at).unwrap();
        DuplicateKey { digest: [n; 16], received_at: at, since: at - jiff::SignedDuration::from_secs(10) }
    }

    fn note(recent: &mut Recent, n: u8, at: i64) {
        let rows = recent.rows_of([(&key(n, at), QueueId::from_bytes([n; 16]))].into_iter());
        recent.note(&RecentRows { outdated: None, ..rows });
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
        let next = recent.rows_of([(&key(3, 6), QueueId::from_bytes([3; 16]))].into_iter());
        assert_eq!(next.new.map(|(number, _)| number), Some(3));
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

    #[test]
    fn a_group_stays_as_long_as_one_of_its_messages_is_known() {
        let mut recent = Recent::default();
        let ids = [1, 2].map(|n| QueueId::from_bytes([n; 16]));
        let rows = recent.rows_of([(&key(1, 0), ids[0]), (&key(2, 5), ids[1])].into_iter());
        recent.note(&rows);
        note(&mut recent, 3, 6);
        assert_eq!((recent.outdated(&key(4, 12)), recent.outdated(&key(4, 16))), (None, Some(1)));
        let found =
            [key(1, 9), key(2, 9)].map(|key| recent.find(&key).map(|known| (known.entry, known.number)));
        assert_eq!(found, ids.map(|id| Some((id, 1))));
    }
}

//! Leasing deliveries that are due.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use store::{Corrupt, Deadline, DeliveryKey, Destination, Lease, Leased, Recipient, Submission};
use types::{
    AccountId, BodyType, ByMode, EnvelopeRecipient, ForwardPath, NodeId, Notify, OriginalRecipient, Priority,
    QueueId, ReportEvent, Ret, ReversePath, TlsRequired,
};

use super::change::{self, Change};
use super::settle::{self, Left};
use super::{outcome, seal, tell};
use crate::row::{Columns, octets, time};

/// Deliveries leased by one statement of a caller, at most.
const AT_MOST: u32 = 4096;

/// Deliveries wanted.
#[derive(Debug)]
pub(super) struct LeaseDue {
    pub(super) owner: NodeId,
    pub(super) now: Timestamp,
    /// So many for each destination.
    pub(super) room: Vec<(Destination, u32)>,
    /// So many for all of them.
    at_most: u32,
}

impl LeaseDue {
    pub(super) fn new(owner: NodeId, now: Timestamp, room: Vec<(Destination, u32)>) -> Self {
        Self { owner, now, room, at_most: AT_MOST }
    }

    /// Wants one alone: the disk is full, and outcomes need the space more.
    pub(super) fn only_one(&mut self) {
        self.at_most = 1;
    }
}

/// A lease that was taken.
struct Taken {
    entry: Vec<u8>,
    destination: Destination,
    token: i64,
}

/// The recipients of a delivery that was never tried.
pub(super) fn new_recipients(submission: &Submission, numbers: &[u32]) -> Vec<Recipient> {
    let to = |number: u32| submission.recipients.get(usize::try_from(number).ok()?).cloned();
    let new = |number: &u32| {
        Some(Recipient { number: *number, to: to(*number)?, attempts: 0, told: false, delay_told: false })
    };
    numbers.iter().filter_map(new).collect()
}

/// Leases what is due. Damaged entries are quarantined instead, so that they stand in nobody's way.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    wanted: &LeaseDue,
) -> Result<Vec<Leased>, sqlx::Error> {
    let taken = take_due(connection, wanted).await?;
    let entries = entries_of(connection, &taken).await?;
    let mut leased = Vec::with_capacity(taken.len());
    for taken in taken {
        let Some(id) = octets(&taken.entry).map(QueueId::from_bytes) else { continue };
        let read = entries.get(&id).map_or_else(|| Err(lost(id)), |entry| entry.read(id, &taken, wanted));
        match read {
            Ok(Some(delivery)) => leased.push(delivery),
            Ok(None) => settle(connection, id, &taken.destination, wanted.now).await?,
            Err(corrupt) => quarantine(connection, id, &corrupt).await?,
        }
    }
    leased.sort_unstable_by(|one: &Leased, other| {
        (one.submission.id, &one.destination).cmp(&(other.submission.id, &other.destination))
    });
    Ok(leased)
}

/// Whoever had the delivery leased before has recorded that the last of its recipients has the message, and did not come to end its lease.
/// A file that the message is in is swept at the next start.
async fn settle(
    connection: &mut SqliteConnection,
    id: QueueId,
    destination: &Destination,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let delivery = DeliveryKey { entry: id, destination: destination.clone() };
    match settle::leave(connection, id, now).await? {
        Left::Message => Ok(()),
        Left::Nothing => outcome::end_lease(connection, &delivery).await,
        Left::Untold => {
            tell::arrange(connection, id, now).await?;
            outcome::end_lease(connection, &delivery).await
        }
    }
}

fn lost(id: QueueId) -> Corrupt {
    Corrupt::on("entries", id.to_string(), "id")
}

async fn quarantine(
    connection: &mut SqliteConnection,
    id: QueueId,
    corrupt: &Corrupt,
) -> Result<(), sqlx::Error> {
    tracing::error!(event = "spool.quarantined", queue.id = %id, error = %corrupt, "a damaged entry is held");
    change::write(connection, &Change::Quarantine(id, format!("held by the queue: {corrupt}"))).await
}

const TAKE: &str = "UPDATE deliveries SET lease_owner = $1, lease_token = lease_token + 1 \
     WHERE destination = $2 AND EXISTS (SELECT 1 FROM nodes WHERE id = $1) AND entry IN \
     (SELECT entry FROM (SELECT entry, due_at, priority FROM deliveries \
     WHERE destination = $2 AND due_at <= $3 AND due_at IS NOT NULL AND lease_owner IS NULL ORDER BY due_at, entry LIMIT $5) AS oldest \
     ORDER BY priority DESC, due_at, entry LIMIT $4) RETURNING entry, lease_token";

/// Of so many of those that wait longest for a destination the most urgent come first: to sort all of them would cost the more the longer the
/// queue is.
const SORTED: u32 = 4096;

/// Takes the leases, destination by destination.
async fn take_due(connection: &mut SqliteConnection, wanted: &LeaseDue) -> Result<Vec<Taken>, sqlx::Error> {
    let (mut taken, mut left) = (Vec::new(), wanted.at_most);
    for (destination, room) in &wanted.room {
        let rows = sqlx::query(TAKE)
            .bind(wanted.owner.as_bytes().to_vec())
            .bind(destination.to_shared())
            .bind(wanted.now.as_millisecond())
            .bind(left.min(*room))
            .bind(SORTED)
            .fetch_all(&mut *connection)
            .await?;
        left = left.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        for row in rows {
            let (entry, token) = (row.try_get("entry")?, row.try_get("lease_token")?);
            taken.push(Taken { entry, destination: destination.clone(), token });
        }
    }
    Ok(taken)
}

/// An entry, read once for all its deliveries.
struct Entry {
    envelope: Result<(Arc<Submission>, u64), Corrupt>,
    returned: bool,
    recipients: Vec<SqliteRow>,
}

async fn entries_of(
    connection: &mut SqliteConnection,
    taken: &[Taken],
) -> Result<HashMap<QueueId, Entry>, sqlx::Error> {
    let mut entries = HashMap::with_capacity(taken.len());
    if taken.is_empty() {
        return Ok(entries);
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT id, account, account_address, reverse_path, eight_bit, binary_body, smtputf8, must_be_rewritten, accepted_at, size, \
         recipients, content_crc, envelope_crc, message_id, credential, session, ip, tls_version, tls_cipher, not_before, \
         ret, envid, deliver_by, by_mode, priority, tls_required, returned FROM entries WHERE id IN (",
    );
    let mut ids = query.separated(", ");
    for taken in taken {
        ids.push_bind(taken.entry.clone());
    }
    query.push(")");
    let rows = query.build().persistent(false).fetch_all(&mut *connection).await?;
    let mut recipients = recipients_of(connection, &rows).await?;
    for row in &rows {
        let Some(id) = octets(row.try_get("id").unwrap_or_default()).map(QueueId::from_bytes) else {
            continue;
        };
        let recipients = recipients.remove(&id).unwrap_or_default();
        let envelope = envelope(row, id, &recipients).map(|(submission, size)| (Arc::new(submission), size));
        entries.insert(id, Entry { envelope, returned: row.try_get("returned")?, recipients });
    }
    Ok(entries)
}

impl Entry {
    /// The delivery, if its entry is what was committed; `None` if nobody waits for it any more.
    fn read(&self, id: QueueId, taken: &Taken, wanted: &LeaseDue) -> Result<Option<Leased>, Corrupt> {
        let (submission, size) = self.envelope.clone()?;
        let recipients = match taken.destination.is_sender() {
            true => with_news(&self.recipients, id)?,
            false => due(&self.recipients, id, &taken.destination, wanted.now)?,
        };
        if recipients.is_empty() {
            return Ok(None);
        }
        let lease = Lease { owner: wanted.owner, token: taken.token };
        Ok(Some(Leased {
            submission,
            destination: taken.destination.clone(),
            recipients,
            size,
            lease,
            returned: self.returned,
            content: None,
        }))
    }
}

/// All recipients of these entries, in the order of their numbers.
pub(super) async fn recipients_of(
    connection: &mut SqliteConnection,
    entries: &[SqliteRow],
) -> Result<HashMap<QueueId, Vec<SqliteRow>>, sqlx::Error> {
    if entries.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT entry, number, forward_path, notify, orcpt, destination, state, attempts, told, delay_told, next_attempt_at, news, \
         EXISTS (SELECT 1 FROM deliveries WHERE deliveries.entry = recipients.entry \
         AND deliveries.destination = recipients.destination) AS has_delivery FROM recipients WHERE entry IN (",
    );
    let mut ids = query.separated(", ");
    for entry in entries {
        ids.push_bind(entry.try_get::<Vec<u8>, _>("id")?);
    }
    query.push(") ORDER BY entry, number");
    Ok(by_entry(query.build().persistent(false).fetch_all(connection).await?))
}

/// Rows by the entry that they are of, each in their order.
pub(super) fn by_entry(rows: Vec<SqliteRow>) -> HashMap<QueueId, Vec<SqliteRow>> {
    let mut found: HashMap<QueueId, Vec<SqliteRow>> = HashMap::new();
    for row in rows {
        if let Some(id) = octets(row.try_get("entry").unwrap_or_default()) {
            found.entry(QueueId::from_bytes(id)).or_default().push(row);
        }
    }
    found
}

/// What never changes of an entry, and the size of its message, if that is what was committed.
pub(super) fn envelope(
    row: &SqliteRow,
    id: QueueId,
    recipients: &[SqliteRow],
) -> Result<(Submission, u64), Corrupt> {
    let columns = Columns::of(row, "entries", id);
    let recipients = recipients.iter().map(|row| recipient(row, id)).collect::<Result<Vec<_>, _>>()?;
    let submission = Submission {
        id,
        account: columns.read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))?,
        account_address: columns.take("account_address")?,
        reverse_path: columns.read("reverse_path", whole(ReversePath::take))?,
        recipients,
        body: body(&columns)?,
        smtputf8: columns.take("smtputf8")?,
        must_be_rewritten: columns.take("must_be_rewritten")?,
        accepted_at: columns.read("accepted_at", time)?,
        not_before: columns.maybe("not_before", time)?,
        deliver_by: deadline(&columns)?,
        priority: columns.read("priority", Priority::new)?,
        tls_required: columns.maybe("tls_required", TlsRequired::from_name)?.unwrap_or_default(),
        held: false,
        message_id: columns.take("message_id")?,
        ret: columns.maybe("ret", Ret::from_name)?,
        envid: columns.take("envid")?,
        credential: columns.take("credential")?,
        session: columns.maybe("session", parsed)?,
        ip: columns.maybe("ip", parsed)?,
        tls_version: columns.take::<Option<String>>("tls_version")?.map(Cow::Owned),
        tls_cipher: columns.take::<Option<String>>("tls_cipher")?.map(Cow::Owned),
        duplicate_key: None,
    };
    let size = columns.read("size", |size: i64| u64::try_from(size).ok())?;
    columns.read("envelope_crc", |crc: u32| {
        let content_crc = columns.take("content_crc").ok()?;
        (crc == seal::of(&submission, size, content_crc)).then_some(())
    })?;
    Ok((submission, size))
}

fn body(columns: &Columns<'_>) -> Result<BodyType, Corrupt> {
    Ok(if columns.take("binary_body")? {
        BodyType::Binary
    } else if columns.take("eight_bit")? {
        BodyType::EightBit
    } else {
        BodyType::SevenBit
    })
}

/// Its time and its mode are there both, or neither.
fn deadline(columns: &Columns<'_>) -> Result<Option<Deadline>, Corrupt> {
    let mode = columns.maybe("by_mode", ByMode::with_trace)?;
    match (columns.maybe("deliver_by", time)?, mode) {
        (Some(at), Some((mode, trace))) => Ok(Some(Deadline { at, mode, trace })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(columns.corrupt("by_mode")),
    }
}

fn recipient(row: &SqliteRow, entry: QueueId) -> Result<EnvelopeRecipient, Corrupt> {
    let columns = Columns::of(row, "recipients", entry);
    // Whom no delivery has would never be tried.
    columns.read("destination", |_: &str| row.try_get("has_delivery").ok().filter(|has: &bool| *has))?;
    let mut recipient = EnvelopeRecipient::new(columns.read("forward_path", whole(ForwardPath::take))?);
    recipient.notify = columns.maybe("notify", Notify::from_text)?;
    recipient.orcpt = columns.maybe("orcpt", OriginalRecipient::from_text)?;
    Ok(recipient)
}

/// The recipients of a delivery that are to be tried now; none if nobody waits of those that it has.
fn due(
    rows: &[SqliteRow],
    entry: QueueId,
    destination: &Destination,
    now: Timestamp,
) -> Result<Vec<Recipient>, Corrupt> {
    let mut due = Vec::with_capacity(rows.len());
    let (mut any_there, mut nobody_waits) = (false, true);
    for (place, row) in (0u32..).zip(rows) {
        let columns = Columns::of(row, "recipients", entry);
        let number = columns.read("number", |number: u32| (number == place).then_some(number))?;
        let waiting = columns.read("state", is_waiting)?;
        let next_attempt_at = columns.maybe("next_attempt_at", time)?;
        let goes_there = columns.take::<&str>("destination")? == destination.as_str();
        any_there |= goes_there;
        nobody_waits &= !(goes_there && waiting);
        if goes_there && waiting && next_attempt_at.is_some_and(|at| at <= now) {
            due.push(known(row, number, entry)?);
        }
    }
    let is_right = !due.is_empty() || (any_there && nobody_waits);
    if is_right { Ok(due) } else { Err(Corrupt::on("deliveries", entry.to_string(), "due_at")) }
}

/// The recipients of whom the sender is to be told something.
fn with_news(rows: &[SqliteRow], entry: QueueId) -> Result<Vec<Recipient>, Corrupt> {
    let mut told = Vec::new();
    for row in rows {
        let columns = Columns::of(row, "recipients", entry);
        if columns.maybe("news", ReportEvent::from_name)?.is_some() {
            told.push(known(row, columns.take("number")?, entry)?);
        }
    }
    Ok(told)
}

/// A recipient, with what was tried and told of it.
fn known(row: &SqliteRow, number: u32, entry: QueueId) -> Result<Recipient, Corrupt> {
    let columns = Columns::of(row, "recipients", entry);
    let (told, delay_told) = (columns.take("told")?, columns.take("delay_told")?);
    Ok(Recipient {
        number,
        to: recipient(row, entry)?,
        attempts: columns.take("attempts")?,
        told,
        delay_told,
    })
}

fn is_waiting(state: &str) -> Option<bool> {
    match state {
        "queued" | "deferred" => Some(true),
        "held" | "delivered" | "failed" => Some(false),
        _ => None,
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// A parser of a path that must be the whole text.
fn whole<T, E>(take: fn(&str) -> Result<(T, &str), E>) -> impl FnOnce(&str) -> Option<T> {
    move |text| take(text).ok().filter(|(_, rest)| rest.is_empty()).map(|(path, _)| path)
}

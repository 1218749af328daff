//! Taking entries that are due.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use store::{Corrupt, Lease, Leased, Recipient, Submission};
use types::{
    AccountId, BodyType, EnvelopeRecipient, ForwardPath, Notify, OriginalRecipient, QueueId, Ret, ReversePath,
};

use super::change::{self, Change};
use super::seal;
use crate::row::{Columns, octets, time};

/// Entries wanted.
#[derive(Debug)]
pub(super) struct LeaseDue {
    pub(super) lease: Lease,
    pub(super) now: Timestamp,
    pub(super) at_most: usize,
}

/// Every recipient of a message that was never tried.
pub(super) fn all_recipients(submission: &Submission) -> Vec<Recipient> {
    let numbered = (0..).zip(&submission.recipients);
    let new = |(number, known): (u32, &EnvelopeRecipient)| Recipient {
        number,
        forward_path: known.path.clone(),
        attempts: 0,
    };
    numbered.map(new).collect()
}

/// Leases what is due. Damaged entries are quarantined instead, so that they stand in nobody's way.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    wanted: &LeaseDue,
) -> Result<Vec<Leased>, sqlx::Error> {
    let entries = take_due(connection, wanted).await?;
    let mut recipients = recipients_of(connection, &entries).await?;
    let mut leased = Vec::with_capacity(entries.len());
    for row in &entries {
        let Some(id) = octets(row.try_get("id").unwrap_or_default()) else { continue };
        let id = QueueId::from_bytes(id);
        match read(row, id, recipients.remove(&id).unwrap_or_default(), wanted) {
            Ok(entry) => leased.push(entry),
            Err(corrupt) => quarantine(connection, id, &corrupt).await?,
        }
    }
    leased.sort_unstable_by_key(|entry| entry.submission.id);
    Ok(leased)
}

async fn quarantine(
    connection: &mut SqliteConnection,
    id: QueueId,
    corrupt: &Corrupt,
) -> Result<(), sqlx::Error> {
    tracing::error!(event = "spool.quarantined", queue.id = %id, error = %corrupt, "a damaged entry is held");
    change::write(connection, &Change::Quarantine(id, format!("held by the queue: {corrupt}"))).await
}

async fn take_due(
    connection: &mut SqliteConnection,
    wanted: &LeaseDue,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    sqlx::query(
        "UPDATE entries SET due_at = $1, lease_owner = $2 WHERE number IN \
         (SELECT number FROM entries WHERE due_at <= $3 AND held = 0 ORDER BY due_at LIMIT $4) \
         RETURNING id, account, account_address, reverse_path, eight_bit, smtputf8, must_be_rewritten, accepted_at, \
         size, recipients, content_crc, envelope_crc, message_id, credential, session, ip, tls_version, tls_cipher, not_before, ret, envid",
    )
    .bind(wanted.lease.until.as_millisecond())
    .bind(Arc::clone(&wanted.lease.owner))
    .bind(wanted.now.as_millisecond())
    .bind(i64::try_from(wanted.at_most).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
}

/// All recipients of these entries, in the order of their numbers.
pub(super) async fn recipients_of(
    connection: &mut SqliteConnection,
    entries: &[SqliteRow],
) -> Result<HashMap<QueueId, Vec<SqliteRow>>, sqlx::Error> {
    let mut found: HashMap<QueueId, Vec<SqliteRow>> = HashMap::with_capacity(entries.len());
    if entries.is_empty() {
        return Ok(found);
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT entry, number, forward_path, notify, orcpt, state, attempts, next_attempt_at FROM recipients \
         WHERE entry IN (",
    );
    let mut ids = query.separated(", ");
    for entry in entries {
        ids.push_bind(entry.try_get::<Vec<u8>, _>("id")?);
    }
    query.push(") ORDER BY entry, number");
    for row in query.build().persistent(false).fetch_all(connection).await? {
        if let Some(id) = octets(row.try_get("entry").unwrap_or_default()) {
            found.entry(QueueId::from_bytes(id)).or_default().push(row);
        }
    }
    Ok(found)
}

/// The entry, if it is what was committed.
fn read(
    row: &SqliteRow,
    id: QueueId,
    recipients: Vec<SqliteRow>,
    wanted: &LeaseDue,
) -> Result<Leased, Corrupt> {
    let (submission, size) = envelope(row, id, &recipients)?;
    let recipients = due(&recipients, &submission, wanted.now)?;
    let (submission, lease) = (Arc::new(submission), wanted.lease.clone());
    Ok(Leased { submission, recipients, size, lease, content: None })
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
        body: if columns.take("eight_bit")? { BodyType::EightBit } else { BodyType::SevenBit },
        smtputf8: columns.take("smtputf8")?,
        must_be_rewritten: columns.take("must_be_rewritten")?,
        accepted_at: columns.read("accepted_at", time)?,
        not_before: columns.maybe("not_before", time)?,
        held: false,
        message_id: columns.take("message_id")?,
        ret: columns.maybe("ret", Ret::from_name)?,
        envid: columns.take("envid")?,
        credential: columns.take("credential")?,
        session: columns.maybe("session", parsed)?,
        ip: columns.maybe("ip", parsed)?,
        tls_version: columns.take::<Option<String>>("tls_version")?.map(Cow::Owned),
        tls_cipher: columns.take::<Option<String>>("tls_cipher")?.map(Cow::Owned),
    };
    let size = columns.read("size", |size: i64| u64::try_from(size).ok())?;
    columns.read("envelope_crc", |crc: u32| {
        let content_crc = columns.take("content_crc").ok()?;
        (crc == seal::of(&submission, size, content_crc)).then_some(())
    })?;
    Ok((submission, size))
}

fn recipient(row: &SqliteRow, entry: QueueId) -> Result<EnvelopeRecipient, Corrupt> {
    let columns = Columns::of(row, "recipients", entry);
    let mut recipient = EnvelopeRecipient::new(forward_path(row, entry)?);
    recipient.notify = columns.maybe("notify", Notify::from_text)?;
    recipient.orcpt = columns.maybe("orcpt", OriginalRecipient::from_text)?;
    Ok(recipient)
}

fn forward_path(row: &SqliteRow, entry: QueueId) -> Result<ForwardPath, Corrupt> {
    Columns::of(row, "recipients", entry).read("forward_path", whole(ForwardPath::take))
}

/// The recipients that are to be tried now.
fn due(rows: &[SqliteRow], submission: &Submission, now: Timestamp) -> Result<Vec<Recipient>, Corrupt> {
    let mut due = Vec::with_capacity(rows.len());
    for (place, row) in (0u32..).zip(rows) {
        let columns = Columns::of(row, "recipients", submission.id);
        let number = columns.read("number", |number: u32| (number == place).then_some(number))?;
        let waiting = columns.read("state", is_waiting)?;
        let next_attempt_at = columns.maybe("next_attempt_at", time)?;
        if waiting && next_attempt_at.is_some_and(|at| at <= now) {
            let forward_path = forward_path(row, submission.id)?;
            due.push(Recipient { number, forward_path, attempts: columns.take("attempts")? });
        }
    }
    if due.is_empty() { Err(Corrupt::on("entries", submission.id.to_string(), "due_at")) } else { Ok(due) }
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

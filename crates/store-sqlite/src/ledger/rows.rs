//! The rows of the ledger, written. Whoever writes them in whatever order: they come to the same.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::note::{Line, MessageLine, OperationLine, RecipientLine};
use crate::pieces::pieces;

const MESSAGES: &str = "INSERT INTO messages (id, account, account_address, credential, session, ip, tls_version, tls_cipher, \
     sender, message_id, size, accepted_at, recipients) ";
const ONCE: &str = " ON CONFLICT (id) DO NOTHING";
const NEW_RECIPIENTS: &str =
    "INSERT INTO recipients (message, number, address, state, attempts, next_attempt_at) ";
/// Nothing that is known of a recipient is older than that it was accepted.
const IF_NEW: &str = " ON CONFLICT (message, number) DO NOTHING";
const RECIPIENTS: &str = "INSERT INTO recipients (message, number, address, state, attempts, next_attempt_at, last_reply, last_host, done_at) ";
/// Attempts only ever grow, and a recipient that has the message keeps it.
const IF_LATER: &str = " ON CONFLICT (message, number) DO UPDATE SET state = excluded.state, \
     attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, \
     last_reply = coalesce(excluded.last_reply, recipients.last_reply), \
     last_host = coalesce(excluded.last_host, recipients.last_host), done_at = coalesce(excluded.done_at, recipients.done_at) \
     WHERE excluded.attempts >= recipients.attempts AND (recipients.state <> 'delivered' OR excluded.state = 'delivered')";
const ATTEMPTS: &str = "INSERT INTO attempts (message, recipient, attempt, at, state, reply, host) ";
const ATTEMPT_ONCE: &str = " ON CONFLICT (message, recipient, attempt) DO NOTHING";
const OPERATIONS: &str = "INSERT INTO operations (message, at, operation, done_by) ";
const OPERATION_ONCE: &str = " ON CONFLICT (message, at, operation) DO NOTHING";

/// A row of a statement.
type Values<'q, 'a> = Separated<'q, Sqlite, &'a str>;

/// Writes what was noted.
pub(super) async fn write(connection: &mut SqliteConnection, lines: &[Line<'_>]) -> Result<(), sqlx::Error> {
    let (mut messages, mut recipients, mut operations) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Message(line) => messages.push(line),
            Line::Recipient(line) => recipients.push(line),
            Line::Operation(line) => operations.push(line),
        }
    }
    insert(connection, MESSAGES, &messages, |row, line| message(row, line), ONCE).await?;
    let new: Vec<_> = messages.iter().flat_map(|line| new_recipients(line)).collect();
    insert(
        connection,
        NEW_RECIPIENTS,
        &new,
        |row, (line, number, address)| {
            new_recipient(row, line, *number, address);
        },
        IF_NEW,
    )
    .await?;
    insert(connection, RECIPIENTS, &recipients, |row, line| recipient(row, line), IF_LATER).await?;
    recipients.retain(|line| line.has_failed && line.at.is_some());
    insert(connection, ATTEMPTS, &recipients, |row, line| attempt(row, line), ATTEMPT_ONCE).await?;
    insert(connection, OPERATIONS, &operations, |row, line| operation(row, line), OPERATION_ONCE).await
}

/// Inserts rows, many with a statement.
async fn insert<T>(
    connection: &mut SqliteConnection,
    into: &'static str,
    rows: &[T],
    values: fn(&mut Values<'_, '_>, &T),
    on_conflict: &'static str,
) -> Result<(), sqlx::Error> {
    for rows in pieces(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(into);
        query.push_values(rows, |mut row, line| values(&mut row, line));
        query.push(on_conflict).build().execute(&mut *connection).await?;
    }
    Ok(())
}

fn message(row: &mut Values<'_, '_>, line: &MessageLine<'_>) {
    row.push_bind(line.id.to_vec())
        .push_bind(line.account.to_vec())
        .push_bind(line.account_address.to_string())
        .push_bind(owned(line.credential.as_deref()))
        .push_bind(line.session.clone())
        .push_bind(line.ip.clone())
        .push_bind(owned(line.tls_version.as_deref()))
        .push_bind(owned(line.tls_cipher.as_deref()))
        .push_bind(line.sender.clone())
        .push_bind(owned(line.message_id.as_deref()))
        .push_bind(i64::try_from(line.size).unwrap_or(i64::MAX))
        .push_bind(line.accepted_at)
        .push_bind(i64::try_from(line.recipients.len()).unwrap_or(i64::MAX));
}

fn new_recipients<'a, 'l>(
    line: &'a MessageLine<'l>,
) -> impl Iterator<Item = (&'a MessageLine<'l>, u32, &'a str)> {
    (0u32..).zip(&line.recipients).map(move |(number, address)| (line, number, address.as_str()))
}

fn new_recipient(row: &mut Values<'_, '_>, line: &MessageLine<'_>, number: u32, address: &str) {
    let (state, next_attempt_at) =
        if line.held { ("held", None) } else { ("queued", Some(line.next_attempt_at)) };
    row.push_bind(line.id.to_vec())
        .push_bind(number)
        .push_bind(address.to_owned())
        .push_bind(state)
        .push_bind(0)
        .push_bind(next_attempt_at);
}

fn recipient(row: &mut Values<'_, '_>, line: &RecipientLine<'_>) {
    let is_done = matches!(&*line.state, "delivered" | "failed");
    row.push_bind(line.message.to_vec())
        .push_bind(line.number)
        .push_bind(line.address.clone())
        .push_bind(line.state.to_string())
        .push_bind(line.attempts)
        .push_bind(line.next_attempt_at)
        .push_bind(owned(line.reply.as_deref()))
        .push_bind(owned(line.host.as_deref()))
        .push_bind(line.at.filter(|_| is_done));
}

fn attempt(row: &mut Values<'_, '_>, line: &RecipientLine<'_>) {
    row.push_bind(line.message.to_vec())
        .push_bind(line.number)
        .push_bind(line.attempts)
        .push_bind(line.at)
        .push_bind(line.state.to_string())
        .push_bind(line.reply.as_deref().unwrap_or_default().to_owned())
        .push_bind(owned(line.host.as_deref()));
}

fn operation(row: &mut Values<'_, '_>, line: &OperationLine<'_>) {
    row.push_bind(line.message.to_vec())
        .push_bind(line.at)
        .push_bind(line.operation.to_string())
        .push_bind(line.done_by.to_string());
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

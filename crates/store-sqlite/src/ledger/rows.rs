//! The rows of the ledger, written. Whoever writes them in whatever order: they come to the same.

use sqlx::SqliteConnection;

use super::note::{Line, MessageLine, OperationLine, RecipientLine};

const MESSAGE: &str = "INSERT INTO messages (id, account, account_address, credential, session, ip, tls_version, tls_cipher, \
     sender, message_id, size, accepted_at, recipients) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
     ON CONFLICT (id) DO NOTHING";
/// Nothing that is known of a recipient is older than that it was accepted.
const NEW_RECIPIENT: &str = "INSERT INTO recipients (message, number, address, state, attempts, next_attempt_at) \
     VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (message, number) DO NOTHING";
/// Attempts only ever grow, and a recipient that has the message keeps it.
const RECIPIENT: &str = "INSERT INTO recipients (message, number, address, state, attempts, next_attempt_at, last_reply, last_host, \
     done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (message, number) DO UPDATE SET state = excluded.state, \
     attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, \
     last_reply = coalesce(excluded.last_reply, recipients.last_reply), \
     last_host = coalesce(excluded.last_host, recipients.last_host), done_at = coalesce(excluded.done_at, recipients.done_at) \
     WHERE excluded.attempts >= recipients.attempts AND (recipients.state <> 'delivered' OR excluded.state = 'delivered')";
const ATTEMPT: &str = "INSERT INTO attempts (message, recipient, attempt, at, state, reply, host) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (message, recipient, attempt) DO NOTHING";
const OPERATION: &str = "INSERT INTO operations (message, at, operation, done_by) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (message, at, operation) DO NOTHING";

/// Writes what was noted.
pub(super) async fn write(connection: &mut SqliteConnection, line: &Line<'_>) -> Result<(), sqlx::Error> {
    match line {
        Line::Message(line) => message(connection, line).await,
        Line::Recipient(line) => recipient(connection, line).await,
        Line::Operation(line) => operation(connection, line).await,
    }
}

async fn message(connection: &mut SqliteConnection, line: &MessageLine<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(MESSAGE)
        .bind(line.id.to_vec())
        .bind(line.account.to_vec())
        .bind(line.account_address.to_string())
        .bind(line.credential.as_deref().map(str::to_owned))
        .bind(line.session.clone())
        .bind(line.ip.clone())
        .bind(line.tls_version.as_deref().map(str::to_owned))
        .bind(line.tls_cipher.as_deref().map(str::to_owned))
        .bind(line.sender.clone())
        .bind(line.message_id.as_deref().map(str::to_owned))
        .bind(i64::try_from(line.size).unwrap_or(i64::MAX))
        .bind(line.accepted_at)
        .bind(i64::try_from(line.recipients.len()).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    let (state, next_attempt_at) =
        if line.held { ("held", None) } else { ("queued", Some(line.next_attempt_at)) };
    for (number, address) in (0u32..).zip(&line.recipients) {
        sqlx::query(NEW_RECIPIENT)
            .bind(line.id.to_vec())
            .bind(number)
            .bind(address.clone())
            .bind(state)
            .bind(next_attempt_at)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn recipient(connection: &mut SqliteConnection, line: &RecipientLine<'_>) -> Result<(), sqlx::Error> {
    let is_done = matches!(&*line.state, "delivered" | "failed");
    sqlx::query(RECIPIENT)
        .bind(line.message.to_vec())
        .bind(line.number)
        .bind(line.address.clone())
        .bind(line.state.to_string())
        .bind(line.attempts)
        .bind(line.next_attempt_at)
        .bind(line.reply.as_deref().map(str::to_owned))
        .bind(line.host.as_deref().map(str::to_owned))
        .bind(line.at.filter(|_| is_done))
        .execute(&mut *connection)
        .await?;
    let (true, Some(at)) = (line.has_failed, line.at) else { return Ok(()) };
    sqlx::query(ATTEMPT)
        .bind(line.message.to_vec())
        .bind(line.number)
        .bind(line.attempts)
        .bind(at)
        .bind(line.state.to_string())
        .bind(line.reply.as_deref().unwrap_or_default().to_owned())
        .bind(line.host.as_deref().map(str::to_owned))
        .execute(connection)
        .await
        .map(drop)
}

async fn operation(connection: &mut SqliteConnection, line: &OperationLine<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(OPERATION)
        .bind(line.message.to_vec())
        .bind(line.at)
        .bind(line.operation.to_string())
        .bind(line.done_by.to_string())
        .execute(connection)
        .await
        .map(drop)
}

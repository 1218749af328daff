//! What accounts have sent and borrowed, as rows.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use store::{Amounts, Corrupt, Error, Limit, Usage, Windows};
use types::AccountId;

use crate::failure::unavailable;
use crate::row::{Columns, time};

/// The row of this account, locked; it begins with nothing. `None` if the account has been removed.
pub(super) async fn lock(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<Option<Usage>, Error> {
    let row = sqlx::query(
        "INSERT INTO sent (account, hour, hour_messages, hour_recipients, day, day_messages, day_recipients, \
         day_new_recipients) SELECT id, 0, 0, 0, 0, 0, 0, 0 FROM accounts WHERE id = $1 \
         ON CONFLICT (account) DO UPDATE SET hour = sent.hour RETURNING *",
    );
    let row = row.bind(id(account)).fetch_optional(connection).await.map_err(unavailable)?;
    Ok(row.map(|row| read(&row, account)).transpose()?)
}

/// Writes the row, which must be locked.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    account: AccountId,
    Usage { windows, used, lent }: &Usage,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE sent SET hour = $2, hour_messages = $3, hour_recipients = $4, day = $5, day_messages = $6, \
         day_recipients = $7, day_new_recipients = $8, lent_hour_messages = $9, lent_hour_recipients = $10, \
         lent_day_messages = $11, lent_day_recipients = $12, lent_day_new_recipients = $13 WHERE account = $1",
    )
    .bind(id(account))
    .bind(windows.hour.as_millisecond())
    .bind(used.messages_per_hour)
    .bind(used.recipients_per_hour)
    .bind(windows.day.as_millisecond())
    .bind(used.messages_per_day)
    .bind(used.recipients_per_day)
    .bind(used.new_recipients_per_day)
    .bind(lent.messages_per_hour)
    .bind(lent.recipients_per_hour)
    .bind(lent.messages_per_day)
    .bind(lent.recipients_per_day)
    .bind(lent.new_recipients_per_day)
    .execute(connection)
    .await
    .map(drop)
}

/// So much of what was lent is lent no longer, and `used` of it was sent. A window that has ended since has nothing of it.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    account: AccountId,
    windows: &Windows,
    used: &Amounts,
    returned: &Amounts,
) -> Result<(), sqlx::Error> {
    let hour = "UPDATE sent SET hour_messages = hour_messages + $3, hour_recipients = hour_recipients + $4, \
                lent_hour_messages = lent_hour_messages - $5, lent_hour_recipients = lent_hour_recipients - $6 \
                WHERE account = $1 AND hour = $2";
    let freed = used.plus(returned);
    sqlx::query(hour)
        .bind(id(account))
        .bind(windows.hour.as_millisecond())
        .bind(used.messages_per_hour)
        .bind(used.recipients_per_hour)
        .bind(freed.messages_per_hour)
        .bind(freed.recipients_per_hour)
        .execute(&mut *connection)
        .await?;
    let day = "UPDATE sent SET day_messages = day_messages + $3, day_recipients = day_recipients + $4, \
               day_new_recipients = day_new_recipients + $5, lent_day_messages = lent_day_messages - $6, \
               lent_day_recipients = lent_day_recipients - $7, lent_day_new_recipients = lent_day_new_recipients - $8 \
               WHERE account = $1 AND day = $2";
    sqlx::query(day)
        .bind(id(account))
        .bind(windows.day.as_millisecond())
        .bind(used.messages_per_day)
        .bind(used.recipients_per_day)
        .bind(used.new_recipients_per_day)
        .bind(freed.messages_per_day)
        .bind(freed.recipients_per_day)
        .bind(freed.new_recipients_per_day)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) fn read(row: &SqliteRow, account: AccountId) -> Result<Usage, Corrupt> {
    let columns = Columns::of(row, "sent", account);
    let at = |column| columns.read(column, time);
    let amounts = |column: fn(Limit) -> &'static str| {
        Ok(Amounts {
            messages_per_hour: columns.take(column(Limit::MessagesPerHour))?,
            messages_per_day: columns.take(column(Limit::MessagesPerDay))?,
            recipients_per_hour: columns.take(column(Limit::RecipientsPerHour))?,
            recipients_per_day: columns.take(column(Limit::RecipientsPerDay))?,
            new_recipients_per_day: columns.take(column(Limit::NewRecipientsPerDay))?,
        })
    };
    Ok(Usage {
        windows: Windows { hour: at("hour")?, day: at("day")? },
        used: amounts(used)?,
        lent: amounts(lent)?,
    })
}

fn used(limit: Limit) -> &'static str {
    match limit {
        Limit::MessagesPerHour => "hour_messages",
        Limit::MessagesPerDay => "day_messages",
        Limit::RecipientsPerHour => "hour_recipients",
        Limit::RecipientsPerDay => "day_recipients",
        Limit::NewRecipientsPerDay => "day_new_recipients",
    }
}

fn lent(limit: Limit) -> &'static str {
    match limit {
        Limit::MessagesPerHour => "lent_hour_messages",
        Limit::MessagesPerDay => "lent_day_messages",
        Limit::RecipientsPerHour => "lent_hour_recipients",
        Limit::RecipientsPerDay => "lent_day_recipients",
        Limit::NewRecipientsPerDay => "lent_day_new_recipients",
    }
}

pub(super) fn id(account: AccountId) -> Vec<u8> {
    account.as_bytes().to_vec()
}

//! What accounts have sent, and may send, as rows.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{
    Act, Action, AuditEvent, Correspondent, Corrupt, Error, LimitChange, LimitChanges, OwnLimit, OwnLimits,
    Sending, Sent, Tally,
};
use types::AccountId;

use super::SqliteAccounts;
use crate::failure::unavailable;
use crate::row::{Columns, octets, time};

/// How no limit is stored.
const UNLIMITED: i64 = -1;

impl Sending for SqliteAccounts {
    async fn own_limits(&self, account: AccountId) -> Result<OwnLimits, Error> {
        let row = sqlx::query("SELECT * FROM sending_limits WHERE account = $1").bind(id(account));
        let row = row.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.map_or(Ok(OwnLimits::default()), |row| own_limits(&row, account))?)
    }

    async fn change_own_limits(
        &self,
        account: AccountId,
        changes: &LimitChanges,
        act: &Act,
    ) -> Result<(), Error> {
        let new = changes.of(&OwnLimits::default());
        let change = sqlx::query(
            "INSERT INTO sending_limits (account, messages_per_hour, messages_per_day, recipients_per_hour, \
             recipients_per_day, new_recipients_per_day) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (account) DO UPDATE SET \
             messages_per_hour = iif($7, $2, messages_per_hour), \
             messages_per_day = iif($8, $3, messages_per_day), \
             recipients_per_hour = iif($9, $4, recipients_per_hour), \
             recipients_per_day = iif($10, $5, recipients_per_day), \
             new_recipients_per_day = iif($11, $6, new_recipients_per_day)",
        )
        .bind(id(account))
        .bind(new.messages_per_hour.map(stored))
        .bind(new.messages_per_day.map(stored))
        .bind(new.recipients_per_hour.map(stored))
        .bind(new.recipients_per_day.map(stored))
        .bind(new.new_recipients_per_day.map(stored))
        .bind(is_set(changes.messages_per_hour))
        .bind(is_set(changes.messages_per_day))
        .bind(is_set(changes.recipients_per_hour))
        .bind(is_set(changes.recipients_per_day))
        .bind(is_set(changes.new_recipients_per_day));
        let event = |normal| vec![AuditEvent::change(Action::UserLimit, normal, act)];
        self.change(account, change, event).await.map(drop)
    }

    async fn sent(&self, account: AccountId) -> Result<Option<Sent>, Error> {
        let row = sqlx::query("SELECT * FROM sent WHERE account = $1").bind(id(account));
        let row = row.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.map(|row| sent(&row, account)).transpose()?)
    }

    async fn strangers(
        &self,
        account: AccountId,
        recipients: &[Correspondent],
    ) -> Result<Vec<Correspondent>, Error> {
        let known = sqlx::query_scalar(
            "SELECT recipient FROM correspondents \
             WHERE account = $1 AND recipient IN (SELECT unhex(value) FROM json_each($2))",
        );
        let mut strangers = recipients.to_vec();
        self.notes.strangers(account, &mut strangers);
        let known = known.bind(id(account)).bind(json(&strangers)).fetch_all(self.database.readers()?).await;
        let known: Vec<Vec<u8>> = known.map_err(unavailable)?;
        let mut known: HashSet<_> = known.iter().filter_map(|known| octets(known)).collect();
        strangers.retain(|stranger| known.insert(*stranger));
        Ok(strangers)
    }

    fn note_sent(&self, account: AccountId, sent: Sent, recipients: &[Correspondent], at: Timestamp) {
        self.notes.sent(account, sent, recipients, at);
    }

    async fn prune_correspondents(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
        self.bring_back("UPDATE correspondents SET at = $1 WHERE at > $2", now).await?;
        self.forget(
            "DELETE FROM correspondents WHERE (account, recipient) IN \
             (SELECT account, recipient FROM correspondents WHERE at < $1 LIMIT $2)",
            before,
        )
        .await
    }
}

/// What is noted of an account.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) sent: Sent,
    pub(super) recipients: HashSet<Correspondent>,
    pub(super) at: Timestamp,
}

/// Writes what is noted of an account. It may have been removed since; then there is nothing to write.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    noted: &Noted,
) -> Result<(), sqlx::Error> {
    write_sent(transaction, account, &noted.sent).await?;
    let recipients: Vec<_> = noted.recipients.iter().copied().collect();
    sqlx::query(
        "INSERT INTO correspondents (account, recipient, at) SELECT a.id, unhex(r.value), $3 \
         FROM accounts a JOIN json_each($2) r WHERE a.id = $1 ON CONFLICT DO UPDATE SET at = excluded.at",
    )
    .bind(id(account))
    .bind(json(&recipients))
    .bind(noted.at.as_millisecond())
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn write_sent(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    Sent { hour, day }: &Sent,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO sent (account, hour, hour_messages, hour_recipients, day, day_messages, \
         day_recipients, day_new_recipients) SELECT id, $2, $3, $4, $5, $6, $7, $8 FROM accounts WHERE id = $1",
    )
    .bind(id(account))
    .bind(hour.since.as_millisecond())
    .bind(hour.messages)
    .bind(hour.recipients)
    .bind(day.since.as_millisecond())
    .bind(day.messages)
    .bind(day.recipients)
    .bind(day.new_recipients)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

fn id(account: AccountId) -> Vec<u8> {
    account.as_bytes().to_vec()
}

/// Any number of correspondents as one parameter.
fn json(correspondents: &[Correspondent]) -> String {
    let all: Vec<_> =
        correspondents.iter().map(|one| format!("\"{:032x}\"", u128::from_be_bytes(*one))).collect();
    format!("[{}]", all.join(","))
}

fn is_set(change: LimitChange) -> bool {
    change != LimitChange::Keep
}

fn stored(limit: OwnLimit) -> i64 {
    match limit {
        OwnLimit::AtMost(limit) => limit.into(),
        OwnLimit::Unlimited => UNLIMITED,
    }
}

fn own_limit(stored: i64) -> Option<OwnLimit> {
    match stored {
        UNLIMITED => Some(OwnLimit::Unlimited),
        limit => u32::try_from(limit).ok().map(OwnLimit::AtMost),
    }
}

fn own_limits(row: &SqliteRow, account: AccountId) -> Result<OwnLimits, Corrupt> {
    let columns = Columns::of(row, "sending_limits", account);
    Ok(OwnLimits {
        messages_per_hour: columns.maybe("messages_per_hour", own_limit)?,
        messages_per_day: columns.maybe("messages_per_day", own_limit)?,
        recipients_per_hour: columns.maybe("recipients_per_hour", own_limit)?,
        recipients_per_day: columns.maybe("recipients_per_day", own_limit)?,
        new_recipients_per_day: columns.maybe("new_recipients_per_day", own_limit)?,
    })
}

fn sent(row: &SqliteRow, account: AccountId) -> Result<Sent, Corrupt> {
    let columns = Columns::of(row, "sent", account);
    Ok(Sent {
        hour: Tally {
            since: columns.read("hour", time)?,
            messages: columns.take("hour_messages")?,
            recipients: columns.take("hour_recipients")?,
            new_recipients: 0,
        },
        day: Tally {
            since: columns.read("day", time)?,
            messages: columns.take("day_messages")?,
            recipients: columns.take("day_recipients")?,
            new_recipients: columns.take("day_new_recipients")?,
        },
    })
}

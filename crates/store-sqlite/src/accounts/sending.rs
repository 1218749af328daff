//! What accounts have sent, and may send, as rows.

mod ledger;
pub(super) mod noted;

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use store::{
    Act, Action, Amounts, AuditEvent, Correspondent, Corrupt, Error, Full, Ledger, LimitChange, LimitChanges,
    Limits, Loan, OwnLimit, OwnLimits, Sending, Sent, Share, Tally,
};
use types::AccountId;

use super::SqliteAccounts;
use crate::failure::unavailable;
use crate::row::{Columns, octets};
use ledger::id;
use noted::json;

/// How many servers a store of this kind can have.
const NODES: u32 = 1;

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
        Ok(row.map(|row| ledger::read(&row, account)).transpose()?.map(|ledger| sent(&ledger)))
    }

    async fn lend(
        &self,
        account: AccountId,
        left: &Share,
        wanted: &Amounts,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Result<Loan, Full>, Error> {
        let mut transaction = self.begin().await?;
        let mut standing = ledger::lock(&mut transaction, account).await?.ok_or(Error::NotFound)?;
        let lent = standing.lend(left, wanted, limits, NODES, now);
        match lent {
            Err(_) => transaction.rollback().await.map_err(unavailable)?,
            Ok(_) => {
                ledger::write(&mut transaction, account, &standing).await.map_err(unavailable)?;
                transaction.commit().await.map_err(unavailable)?;
            }
        }
        Ok(lent)
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

    fn note_sent(&self, account: AccountId, sent: &Share, recipients: &[Correspondent], at: Timestamp) {
        self.notes.sent(account, sent, recipients, at);
    }

    fn give_back(&self, account: AccountId, left: &Share) {
        self.notes.given_back(account, left);
    }

    async fn prune_correspondents(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
        self.database.bring_back("UPDATE correspondents SET at = $1 WHERE at > $2", now).await?;
        self.database
            .forget(
                "DELETE FROM correspondents WHERE (account, recipient) IN \
             (SELECT account, recipient FROM correspondents WHERE at < $1 LIMIT $2)",
                before,
            )
            .await
    }
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

fn sent(Ledger { windows, used, .. }: &Ledger) -> Sent {
    Sent {
        hour: Tally {
            since: windows.hour,
            messages: used.messages_per_hour,
            recipients: used.recipients_per_hour,
            new_recipients: 0,
        },
        day: Tally {
            since: windows.day,
            messages: used.messages_per_day,
            recipients: used.recipients_per_day,
            new_recipients: used.new_recipients_per_day,
        },
    }
}

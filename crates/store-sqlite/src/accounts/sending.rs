//! What accounts have sent, and may send, as rows.

mod correspondents;
mod limited;
mod own;
mod usage;
pub(super) mod noted;

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{QueryBuilder, SqliteConnection};
use store::{
    Act, Action, Amounts, AuditEvent, Correspondent, Error, Full, LimitChanges, LimitedAccount,
    LimitedFilter, Limits, Loan, OwnLimits, Page, Sending, Sent, Share, Tally, Usage,
};
use types::AccountId;

use super::account::row::{self, any_of, normal};
use super::{SqliteAccounts, audit};
use crate::failure::unavailable;
use own::{own_limits, stored};
use usage::id;

/// How many servers a store of this kind can have.
const NODES: u32 = 1;

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
        let mut transaction = self.begin_change().await?;
        let normal = normal(&mut transaction, account).await?;
        let limits = changes.of(&lock_limits(&mut transaction, account).await?);
        write_limits(&mut transaction, account, &limits).await.map_err(unavailable)?;
        audit::enter(&mut transaction, &AuditEvent::change(Action::UserLimit, normal, act)).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn sent(&self, account: AccountId) -> Result<Option<Sent>, Error> {
        let row = sqlx::query("SELECT * FROM sent WHERE account = $1").bind(id(account));
        let row = row.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.map(|row| usage::read(&row, account)).transpose()?.map(|usage| sent(&usage)))
    }

    async fn sent_by(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, Sent)>, Error> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let mut some = QueryBuilder::new("SELECT account AS id, sent.* FROM sent WHERE account IN (");
        any_of(&mut some, accounts);
        some.push(")");
        let rows = some.build().persistent(false).fetch_all(self.database.readers()?).await;
        let read = |row| {
            let account = row::id(row)?;
            Ok((account, sent(&usage::read(row, account)?)))
        };
        rows.map_err(unavailable)?.iter().map(read).collect()
    }

    async fn limited_accounts(
        &self,
        filter: &LimitedFilter,
        page: Page<String>,
    ) -> Result<Vec<LimitedAccount>, Error> {
        let mut query = limited::page_of(filter, page);
        let rows =
            query.build().persistent(false).fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        let found = rows.iter().map(limited::account).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<_> = found.iter().map(|(id, ..)| *id).collect();
        let sent: HashMap<_, _> = self.sent_by(&ids).await?.into_iter().collect();
        let with_sent = |(id, address, own)| LimitedAccount {
            address,
            own,
            sent: sent.get(&id).copied().unwrap_or_default(),
        };
        Ok(found.into_iter().map(with_sent).collect())
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
        let mut standing = usage::lock(&mut transaction, account).await?.ok_or(Error::NotFound)?;
        let lent = standing.lend(left, wanted, limits, NODES, now);
        match lent {
            Err(_) => transaction.rollback().await.map_err(unavailable)?,
            Ok(_) => {
                usage::write(&mut transaction, account, &standing).await.map_err(unavailable)?;
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
        let mut strangers = recipients.to_vec();
        self.notes.strangers(account, &mut strangers);
        let mut known = correspondents::known(self.database.readers()?, account, &strangers)
            .await
            .map_err(unavailable)?;
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

/// The limits of an account's own, whose row is locked; it begins with none.
async fn lock_limits(connection: &mut SqliteConnection, account: AccountId) -> Result<OwnLimits, Error> {
    let lock = "INSERT INTO sending_limits (account) VALUES ($1) \
                ON CONFLICT (account) DO UPDATE SET account = excluded.account RETURNING *";
    let row = sqlx::query(lock).bind(id(account)).fetch_one(connection).await.map_err(unavailable)?;
    Ok(own_limits(&row, account)?)
}

/// Writes the row, which must be locked.
async fn write_limits(
    connection: &mut SqliteConnection,
    account: AccountId,
    limits: &OwnLimits,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE sending_limits SET messages_per_hour = $2, messages_per_day = $3, recipients_per_hour = $4, \
         recipients_per_day = $5, new_recipients_per_day = $6 WHERE account = $1",
    )
    .bind(id(account))
    .bind(limits.messages_per_hour.map(stored))
    .bind(limits.messages_per_day.map(stored))
    .bind(limits.recipients_per_hour.map(stored))
    .bind(limits.recipients_per_day.map(stored))
    .bind(limits.new_recipients_per_day.map(stored))
    .execute(connection)
    .await
    .map(drop)
}

fn sent(Usage { windows, used, .. }: &Usage) -> Sent {
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

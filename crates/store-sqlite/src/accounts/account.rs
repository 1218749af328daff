//! The accounts, and every change of them.

pub(super) mod row;
mod change;

use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};
use store::{
    Account, AccountFilter, AccountState, Accounts, Act, Action, AuditEvent, Colours, Corrupt, Departure,
    Error, Import, LastAdministrator, Login, OwnSettings, Page, Revision, StoredRights,
};
use types::{AccountId, Mailbox};

use super::{SqliteAccounts, audit, challenge_key, import};
use crate::failure::unavailable;
use crate::like;
use crate::row::{Columns, Query};
use row::{account, columns, has_totp, insert, normal, of_write};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM accounts a ", $rest)
    };
}

impl Accounts for SqliteAccounts {
    async fn add(&self, account: &Account, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        insert(&mut transaction, account).await?;
        let event = AuditEvent::change(Action::UserAdd, account.address.normal(), act);
        audit::enter(&mut transaction, &event).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn import(&self, import: &Import, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        import::insert(&mut transaction, import, act.at).await?;
        let event = AuditEvent::change(Action::UserImport, import.account.address.normal(), act);
        audit::enter(&mut transaction, &event).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn by_address(&self, address: &Mailbox) -> Result<Option<Account>, Error> {
        self.one(sqlx::query(select!("WHERE normal = $1")).bind(address.normal())).await
    }

    async fn by_id(&self, id: AccountId) -> Result<Option<Account>, Error> {
        self.one(sqlx::query(select!("WHERE id = $1")).bind(id.as_bytes().to_vec())).await
    }

    async fn session_rights(&self, login: &Login) -> Result<Option<StoredRights>, Error> {
        self.rights_of(login).await
    }

    async fn list(&self, filter: &AccountFilter, page: Page<String>) -> Result<Vec<Account>, Error> {
        let (mut query, readers) = (page_of(filter, page), self.database.readers()?);
        let rows = query.build().persistent(false).fetch_all(readers).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(account(row)?)).collect()
    }

    async fn hashes_unlike(
        &self,
        prefix: &str,
        after: Option<AccountId>,
        at_most: u32,
    ) -> Result<Vec<(AccountId, String)>, Error> {
        let some = sqlx::query(
            "SELECT id, password_hash FROM accounts
             WHERE id > $1 AND substr(password_hash, 1, length($2)) <> $2 ORDER BY id LIMIT $3",
        );
        let some = some.bind(after.map(|id| id.as_bytes().to_vec()).unwrap_or_default());
        let some = some.bind(prefix.to_owned()).bind(at_most);
        let rows = some.fetch_all(self.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(hash(row)?)).collect()
    }

    async fn set_password(&self, id: AccountId, hash: &str, act: &Act) -> Result<(), Error> {
        let update = "UPDATE accounts SET password_hash = $1, version = version + 1 WHERE id = $2";
        let update = sqlx::query(update).bind(hash.to_owned()).bind(id.as_bytes().to_vec());
        let event =
            |normal| vec![AuditEvent::change(Action::PasswordSet, normal, act).about(AuditEvent::PASSWORD)];
        self.change_both(id, update, Some(challenge_key::of_password(id)), event).await.map(drop)
    }

    async fn rehash(&self, id: AccountId, old: &str, new: &str, act: &Act) -> Result<bool, Error> {
        let update =
            sqlx::query("UPDATE accounts SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
                .bind(new.to_owned())
                .bind(id.as_bytes().to_vec())
                .bind(old.to_owned());
        let event = |normal| {
            vec![AuditEvent::change(Action::PasswordRehash, normal, act).about(AuditEvent::PASSWORD)]
        };
        match self.change(id, update, event).await {
            Err(Error::NotFound) => Ok(false),
            changed => changed,
        }
    }

    async fn depart(
        &self,
        id: AccountId,
        departure: &Departure,
        last: LastAdministrator,
        act: &Act,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        if last == LastAdministrator::Stays && departure.ends_administration() {
            change::see_another_administrator(&mut transaction, id).await?;
        }
        match departure {
            Departure::Change(change) => change::update(&mut transaction, id, change, act).await?,
            Departure::Disable => change::bar(&mut transaction, id, true, act).await?,
            Departure::Remove => change::remove(&mut transaction, id, act).await?,
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn set_disabled(&self, id: AccountId, disabled: bool, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        change::bar(&mut transaction, id, disabled, act).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn set_undo(&self, id: AccountId, undo: Option<Duration>, act: &Act) -> Result<(), Error> {
        let update = sqlx::query("UPDATE accounts SET undo_ms = $1 WHERE id = $2");
        let update = update.bind(undo.map(milliseconds));
        let event = |normal| vec![AuditEvent::change(Action::UserUndo, normal, act)];
        self.change(id, update.bind(id.as_bytes().to_vec()), event).await.map(drop)
    }

    async fn set_settings(&self, id: AccountId, settings: &OwnSettings, act: &Act) -> Result<(), Error> {
        let OwnSettings { name, undo, preferences } = settings.clone();
        let update = "UPDATE accounts SET name = $1, undo_ms = $2, language = $3, time_zone = $4, colours = $5 WHERE id = $6";
        let update = sqlx::query(update).bind(name).bind(undo.map(milliseconds));
        let update = update.bind(preferences.language).bind(preferences.time_zone);
        let update = update.bind(preferences.colours.map(Colours::name)).bind(id.as_bytes().to_vec());
        let event = |normal| vec![AuditEvent::change(Action::UserSettings, normal, act)];
        self.change(id, update, event).await.map(drop)
    }

    async fn remove(&self, id: AccountId, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        change::remove(&mut transaction, id, act).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn revision(&self) -> Option<Revision> {
        self.database.revision().await
    }

    fn may_lack(&self) -> bool {
        self.database.losses().are_open()
    }

    fn logged_in(&self, id: AccountId, at: Timestamp, network: Option<IpNet>) {
        self.notes.login(id, at, network);
    }

    async fn flush(&self) -> Result<(), Error> {
        self.notes.flush(&self.database).await
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn page_of(filter: &AccountFilter, page: Page<String>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(select!("WHERE true"));
    if let Some(after) = page.after {
        query.push(" AND normal > ").push_bind(after);
    }
    if let Some(since) = filter.unused_since.map(Timestamp::as_millisecond) {
        query.push(" AND created_at < ").push_bind(since);
        query.push(" AND coalesce(last_login_at, 0) < ").push_bind(since);
    }
    if let Some(text) = &filter.text {
        query.push(" AND (address || ' ' || coalesce(name, ''))");
        like::any_case(&mut query, like::containing(text));
    }
    query.push(match filter.state {
        None => "",
        Some(AccountState::Enabled) => " AND NOT disabled",
        Some(AccountState::Disabled) => " AND disabled",
        Some(AccountState::Admin) => " AND admin",
        Some(AccountState::SecondFactor) => concat!(" AND ", has_totp!()),
        Some(AccountState::NoSecondFactor) => concat!(" AND NOT ", has_totp!()),
    });
    query.push(" ORDER BY normal LIMIT ").push_bind(page.limit);
    query
}

impl SqliteAccounts {
    async fn one(&self, query: Query) -> Result<Option<Account>, Error> {
        let row = query.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.as_ref().map(account).transpose()?)
    }

    /// Changes one account, which must be there, and enters the events into the audit trail; `false`, and nothing
    /// entered, if the query changes nothing.
    pub(super) async fn change(
        &self,
        id: AccountId,
        query: Query,
        events: impl FnOnce(String) -> Vec<AuditEvent>,
    ) -> Result<bool, Error> {
        self.change_both(id, query, None, events).await
    }

    /// Changes one account as [`change`](Self::change) does, and runs `along` with it, which need not change anything.
    async fn change_both(
        &self,
        id: AccountId,
        query: Query,
        along: Option<Query>,
        events: impl FnOnce(String) -> Vec<AuditEvent>,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        let normal = normal(&mut transaction, id).await?;
        let changed = query.execute(&mut *transaction).await.map_err(of_write)?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(along) = along {
            along.execute(&mut *transaction).await.map_err(unavailable)?;
        }
        for event in events(normal) {
            audit::enter(&mut transaction, &event).await?;
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }
}

fn hash(row: &SqliteRow) -> Result<(AccountId, String), Corrupt> {
    let id = row::id(row)?;
    Ok((id, Columns::of(row, "accounts", id).take("password_hash")?))
}

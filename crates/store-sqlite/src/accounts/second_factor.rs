//! Second factors as rows.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{
    Act, Action, AuditEvent, Corrupt, Error, NewSecondFactor, STEPS_AHEAD, SecondFactor, SecondFactors,
};
use types::AccountId;

use super::SqliteAccounts;
use super::account::row::normal;
use super::{audit, challenge_key};
use crate::failure::unavailable;
use crate::row::{Columns, time};

impl SecondFactors for SqliteAccounts {
    async fn enroll(&self, account: AccountId, seed: &[u8], act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        audited(&mut transaction, Action::TotpEnroll, account, act).await?;
        let insert = sqlx::query(
            "INSERT INTO totp (account, seed, enrolled_at, last_step) VALUES ($1, $2, $3, 0) \
             ON CONFLICT (account) DO UPDATE SET seed = excluded.seed, enrolled_at = excluded.enrolled_at \
             WHERE totp.confirmed_at IS NULL",
        );
        let insert = insert.bind(id(account)).bind(seed.to_vec()).bind(act.at.as_millisecond());
        match insert.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() {
            0 => Err(Error::AlreadyExists),
            _ => transaction.commit().await.map_err(unavailable),
        }
    }

    async fn second_factor(&self, account: AccountId) -> Result<Option<SecondFactor>, Error> {
        let row = sqlx::query(
            "SELECT *, (SELECT count(*) FROM recovery_codes c WHERE c.account = t.account) AS codes \
             FROM totp t WHERE account = $1",
        );
        let row =
            row.bind(id(account)).fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.map(|row| second_factor(&row, account)).transpose()?)
    }

    async fn confirm(
        &self,
        account: AccountId,
        enrolled_at: Timestamp,
        step: u64,
        recovery_codes: &[[u8; 32]],
        act: &Act,
    ) -> Result<bool, Error> {
        let Ok(step) = i64::try_from(step) else { return Ok(false) };
        let mut transaction = self.begin_change().await?;
        let update = sqlx::query(
            "UPDATE totp SET confirmed_at = $1, last_step = $2 \
             WHERE account = $3 AND enrolled_at = $4 AND confirmed_at IS NULL AND last_step < $2",
        );
        let update = update.bind(act.at.as_millisecond()).bind(step).bind(id(account));
        let update = update.bind(enrolled_at.as_millisecond()).execute(&mut *transaction);
        if update.await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(false);
        }
        replace_codes(&mut transaction, account, recovery_codes).await.map_err(unavailable)?;
        challenge_key::of_password(account).execute(&mut *transaction).await.map_err(unavailable)?;
        grow_version(&mut transaction, account).await.map_err(unavailable)?;
        audited(&mut transaction, Action::TotpConfirm, account, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn use_step(&self, account: AccountId, step: u64) -> Result<bool, Error> {
        let Ok(step) = i64::try_from(step) else { return Ok(false) };
        let update = sqlx::query(
            "UPDATE totp SET last_step = $1 WHERE account = $2 AND NOT (last_step BETWEEN $1 AND $3) \
             AND confirmed_at IS NOT NULL",
        );
        let ahead = step.saturating_add_unsigned(STEPS_AHEAD);
        let used = update
            .bind(step)
            .bind(id(account))
            .bind(ahead)
            .execute(self.database.writer()?)
            .await
            .map_err(unavailable)?;
        Ok(used.rows_affected() > 0)
    }

    async fn use_recovery_code(
        &self,
        account: AccountId,
        digest: &[u8; 32],
        act: &Act,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        let delete = sqlx::query("DELETE FROM recovery_codes WHERE account = $1 AND digest = $2");
        let delete = delete.bind(id(account)).bind(digest.to_vec()).execute(&mut *transaction);
        if delete.await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(false);
        }
        audited(&mut transaction, Action::RecoveryCodeUse, account, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn replace_recovery_codes(
        &self,
        account: AccountId,
        digests: &[[u8; 32]],
        act: &Act,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        if !is_on(&mut transaction, account).await.map_err(unavailable)? {
            return Ok(false);
        }
        replace_codes(&mut transaction, account, digests).await.map_err(unavailable)?;
        audited(&mut transaction, Action::RecoveryCodes, account, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn disable_second_factor(&self, account: AccountId, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        if !remove(&mut transaction, account, act).await? {
            return Ok(false);
        }
        grow_version(&mut transaction, account).await.map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }
}

/// Removes a second factor with its recovery codes, and tells the audit trail; `false` if there was none.
pub(super) async fn remove(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    act: &Act,
) -> Result<bool, Error> {
    let delete = sqlx::query("DELETE FROM totp WHERE account = $1").bind(id(account));
    if delete.execute(&mut **transaction).await.map_err(unavailable)?.rows_affected() == 0 {
        return Ok(false);
    }
    audited(transaction, Action::TotpDisable, account, act).await?;
    Ok(true)
}

/// Adds a second factor that is on, where there is none, and tells the audit trail.
pub(super) async fn add(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    new: &NewSecondFactor,
    act: &Act,
) -> Result<(), Error> {
    let insert = sqlx::query(
        "INSERT INTO totp (account, seed, enrolled_at, confirmed_at, last_step) VALUES ($1, $2, $3, $4, $5)",
    );
    let insert = insert.bind(id(account)).bind(new.seed.clone()).bind(new.enrolled_at.as_millisecond());
    let insert = insert.bind(act.at.as_millisecond()).bind(i64::try_from(new.step).unwrap_or(i64::MAX));
    insert.execute(&mut **transaction).await.map_err(unavailable)?;
    replace_codes(transaction, account, &new.recovery_codes).await.map_err(unavailable)?;
    audited(transaction, Action::TotpConfirm, account, act).await
}

fn id(account: AccountId) -> Vec<u8> {
    account.as_bytes().to_vec()
}

fn second_factor(row: &SqliteRow, account: AccountId) -> Result<SecondFactor, Corrupt> {
    let columns = Columns::of(row, "totp", account);
    Ok(SecondFactor {
        seed: columns.take("seed")?,
        enrolled_at: columns.read("enrolled_at", time)?,
        confirmed_at: columns.maybe("confirmed_at", time)?,
        last_step: columns.read("last_step", |step: i64| u64::try_from(step).ok())?,
        recovery_codes: columns.take("codes")?,
    })
}

async fn is_on(transaction: &mut Transaction<'_, Sqlite>, account: AccountId) -> Result<bool, sqlx::Error> {
    let on = "SELECT EXISTS (SELECT 1 FROM totp WHERE account = $1 AND confirmed_at IS NOT NULL)";
    sqlx::query_scalar(on).bind(id(account)).fetch_one(&mut **transaction).await
}

async fn replace_codes(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    digests: &[[u8; 32]],
) -> Result<(), sqlx::Error> {
    let delete = sqlx::query("DELETE FROM recovery_codes WHERE account = $1").bind(id(account));
    delete.execute(&mut **transaction).await?;
    for digest in digests {
        let insert = sqlx::query("INSERT INTO recovery_codes (account, digest) VALUES ($1, $2)");
        insert.bind(id(account)).bind(digest.to_vec()).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// What was proved by the password alone, or by the factor that is gone, no longer holds.
async fn grow_version(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
) -> Result<(), sqlx::Error> {
    let update = sqlx::query("UPDATE accounts SET version = version + 1 WHERE id = $1").bind(id(account));
    update.execute(&mut **transaction).await.map(drop)
}

/// Enters a change of this account's into the audit trail.
async fn audited(
    transaction: &mut Transaction<'_, Sqlite>,
    action: Action,
    account: AccountId,
    act: &Act,
) -> Result<(), Error> {
    let normal = normal(transaction, account).await?;
    audit::enter(transaction, &AuditEvent::change(action, normal, act)).await
}

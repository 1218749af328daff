//! An invitation that is accepted: what goes with the password of before, and what comes in its place.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};
use store::{AcceptedInvitation, Act, Action, AuditEvent, Corrupt, Error};
use types::{AccountId, EnrolmentId};

use super::row::INVITATION;
use super::{change, use_up};
use crate::accounts::account::row::normal;
use crate::accounts::{
    api_token, app_password, audit, certificate, challenge_key, second_factor, web_session,
};
use crate::failure::unavailable;
use crate::row::octets;

/// Uses it up and does all that it is for; `false`, and nothing is to be committed, if it is not waiting any more.
pub(super) async fn accept(
    transaction: &mut Transaction<'_, Sqlite>,
    id: EnrolmentId,
    accepted: &AcceptedInvitation,
    act: &Act,
) -> Result<bool, Error> {
    let Some((account, lost_of)) = found(transaction, id).await? else { return Ok(false) };
    let is_used = use_up(transaction, (id, account, INVITATION), &accepted.used, act.at).await;
    if !is_used.map_err(unavailable)? {
        return Ok(false);
    }
    let event = change(transaction, Action::InvitationUse, account, id, act).await?;
    audit::enter(transaction, &event).await?;
    set_password(transaction, account, accepted, act).await?;
    // Said of the account as it was: a second factor that was set up since then is not the one that is lost.
    if lost_of == Some(accepted.version) || accepted.second_factor.is_some() {
        second_factor::remove(transaction, account, act).await?;
    }
    if let Some(factor) = &accepted.second_factor {
        second_factor::add(transaction, account, factor, act).await?;
    }
    web_session::end_all(transaction, account, None, act).await?;
    if accepted.revoke_app_passwords {
        app_password::revoke_all(transaction, account, act).await?;
        api_token::revoke_all(transaction, account, act).await?;
        certificate::remove_all(transaction, account, act).await?;
    }
    Ok(true)
}

/// Whose it is; and of which version of the account the second factor is lost, if it is.
async fn found(
    transaction: &mut Transaction<'_, Sqlite>,
    id: EnrolmentId,
) -> Result<Option<(AccountId, Option<i64>)>, Error> {
    let found =
        sqlx::query("SELECT account, factor_lost, version FROM enrolments WHERE id = $1 AND kind = $2");
    let found = found.bind(id.as_bytes().to_vec()).bind(INVITATION);
    let row = found.fetch_optional(&mut **transaction).await.map_err(unavailable)?;
    Ok(row.as_ref().map(|row| read(row, id)).transpose()?)
}

fn read(row: &SqliteRow, id: EnrolmentId) -> Result<(AccountId, Option<i64>), Corrupt> {
    let corrupt = |column| Corrupt::on("enrolments", id.to_string(), column);
    let account = row.try_get("account").ok().and_then(octets).map(AccountId::from_bytes);
    let account = account.ok_or_else(|| corrupt("account"))?;
    let is_lost: bool = row.try_get("factor_lost").map_err(|_| corrupt("factor_lost"))?;
    let version: i64 = row.try_get("version").map_err(|_| corrupt("version"))?;
    Ok((account, is_lost.then_some(version)))
}

/// Sets the password; the version of the account grows, and so all that was proved by the one of before ends.
async fn set_password(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    accepted: &AcceptedInvitation,
    act: &Act,
) -> Result<(), Error> {
    let update = sqlx::query(
        "UPDATE accounts SET password_hash = $1, version = version + 1 WHERE id = $2 AND version = $3",
    );
    let update = update.bind(accepted.password_hash.clone()).bind(account.as_bytes().to_vec());
    let update = update.bind(accepted.version).execute(&mut **transaction);
    if update.await.map_err(unavailable)?.rows_affected() == 0 {
        return Err(Error::Changed);
    }
    challenge_key::of_password(account).execute(&mut **transaction).await.map_err(unavailable)?;
    let event = AuditEvent::change(Action::PasswordSet, normal(transaction, account).await?, act);
    audit::enter(transaction, &event.about(AuditEvent::PASSWORD)).await
}

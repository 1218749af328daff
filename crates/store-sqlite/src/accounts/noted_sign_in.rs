//! A login that was noted, as a row of the place that it was from.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};
use store::{NewSignIn, SignIn, network_of};
use types::AccountId;

use super::prune::far_ahead;

/// Writes a login that was noted: into the place that it was from, if that is known, or as a new one. The account may have been removed since; then
/// there is nothing to write. It must be written before the account's last login, which says whether it was the first.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    noted: &NewSignIn,
) -> Result<(), sqlx::Error> {
    let network = network_of(noted.ip).to_string();
    let (at, ip) = (noted.at.as_millisecond(), noted.ip.to_canonical().to_string());
    let place = |statement: &'static str| {
        let account = noted.account.as_bytes().to_vec();
        sqlx::query(statement).bind(account).bind(noted.credential.clone()).bind(network.clone())
    };
    let known = noted.at.saturating_sub(SignIn::FAMILIAR).unwrap_or(Timestamp::MIN);
    // A later time stays, unless a clock was far ahead.
    let seen = place(
        "UPDATE sign_ins SET ip = $4, scope = $5, at = CASE WHEN at BETWEEN $6 AND $7 THEN at ELSE $6 END \
         WHERE account = $1 AND credential = $2 AND network = $3 AND state <> 'stranger' AND at >= $8",
    );
    let seen = seen.bind(ip.clone()).bind(noted.scope).bind(at);
    let seen = seen.bind(far_ahead(noted.at).as_millisecond()).bind(known.as_millisecond());
    if seen.execute(&mut **transaction).await?.rows_affected() > 0 {
        return Ok(());
    }
    let old = place(
        "DELETE FROM sign_ins WHERE account = $1 AND credential = $2 AND network = $3 AND state <> 'stranger'",
    );
    old.execute(&mut **transaction).await?;
    make_room(transaction, noted.account).await?;
    let new = place(
        "INSERT INTO sign_ins (id, account, credential, network, ip, scope, first_at, at, state) \
         SELECT $4, id, $2, $3, $5, $6, $7, $7, CASE WHEN last_login_at IS NULL THEN 'known' ELSE 'asked' END \
         FROM accounts WHERE id = $1",
    );
    let new = new.bind(noted.id.as_bytes().to_vec()).bind(ip).bind(noted.scope).bind(at);
    new.execute(&mut **transaction).await.map(drop)
}

/// Leaves room for one more place of an account.
async fn make_room(transaction: &mut Transaction<'_, Sqlite>, account: AccountId) -> Result<(), sqlx::Error> {
    let oldest = "DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE account = $1 \
                  AND state <> 'stranger' ORDER BY at DESC, id LIMIT $2 OFFSET $3)";
    let oldest = sqlx::query(oldest).bind(account.as_bytes().to_vec()).bind(u32::MAX);
    let oldest = oldest.bind(SignIn::OF_ACCOUNT.saturating_sub(1));
    oldest.execute(&mut **transaction).await.map(drop)
}

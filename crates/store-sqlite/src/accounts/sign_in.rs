//! Where accounts are logged in to from, as rows.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{
    Act, Action, AuditEvent, Corrupt, Error, Incident, NewSignIn, Remedy, Revocation, SignIn, SignInState,
    SignIns,
};
use types::{AccountId, Mailbox, SignInId};

use super::account::row::normal;
use super::{SqliteAccounts, app_password, audit, certificate, challenge_key, web_session};
use crate::failure::unavailable;
use crate::row::{Columns, octets, time};

impl SignIns for SqliteAccounts {
    fn note_sign_in(&self, sign_in: NewSignIn) {
        self.notes.sign_in(sign_in);
    }

    async fn unanswered(&self, account: AccountId, at_most: u32) -> Result<Vec<SignIn>, Error> {
        let some =
            "SELECT * FROM sign_ins WHERE account = $1 AND state = 'asked' ORDER BY at DESC, id LIMIT $2";
        let some = sqlx::query(some).bind(account.as_bytes().to_vec()).bind(at_most);
        let rows = some.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(sign_in(row)?)).collect()
    }

    async fn sign_in(&self, account: AccountId, id: SignInId) -> Result<Option<SignIn>, Error> {
        let one = sqlx::query(ONE).bind(id.as_bytes().to_vec()).bind(account.as_bytes().to_vec());
        let row = one.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.as_ref().map(sign_in).transpose()?)
    }

    async fn own_sign_in(&self, account: AccountId, id: SignInId, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let update = "UPDATE sign_ins SET state = 'owner', answered_at = $3 \
                      WHERE id = $1 AND account = $2 AND state = 'asked' RETURNING *";
        let update = sqlx::query(update).bind(id.as_bytes().to_vec()).bind(account.as_bytes().to_vec());
        let update = update.bind(act.at.as_millisecond());
        let row = update.fetch_optional(&mut *transaction).await.map_err(unavailable)?;
        let Some(row) = row else { return Ok(false) };
        let about = sign_in(&row)?.credential;
        enter(&mut transaction, Action::SignInAnswer, account, &about, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn disown_sign_in(
        &self,
        account: AccountId,
        id: SignInId,
        remedy: &Remedy,
        act: &Act,
    ) -> Result<Option<SignIn>, Error> {
        let mut transaction = self.begin_change().await?;
        if let Some(disowned) = disown(&mut transaction, account, id, remedy, act).await? {
            revoke(&mut transaction, account, remedy, act).await?;
            forget_network(&mut transaction, &disowned).await.map_err(unavailable)?;
            enter(&mut transaction, Action::Incident, account, &disowned.credential, act).await?;
            transaction.commit().await.map_err(unavailable)?;
            return Ok(Some(disowned));
        }
        drop(transaction);
        self.sign_in(account, id).await
    }

    async fn incident_held(&self, id: SignInId, held: u64) -> Result<(), Error> {
        let update = sqlx::query("UPDATE sign_ins SET held = $2 WHERE id = $1").bind(id.as_bytes().to_vec());
        let update = update.bind(i64::try_from(held).unwrap_or(i64::MAX)).execute(self.database.writer()?);
        update.await.map(drop).map_err(unavailable)
    }

    async fn incidents(&self, at_most: u32) -> Result<Vec<(SignIn, Mailbox)>, Error> {
        let some = "SELECT s.*, a.address FROM sign_ins s JOIN accounts a ON a.id = s.account \
                    WHERE s.state = 'stranger' AND s.listed AND s.closed_at IS NULL \
                    ORDER BY s.answered_at DESC, s.id LIMIT $1";
        let rows = sqlx::query(some).bind(at_most).fetch_all(self.database.readers()?).await;
        let whose = |row: &SqliteRow| {
            Columns::of(row, "accounts", "?").read("address", |text: &str| Mailbox::parse(text).ok())
        };
        rows.map_err(unavailable)?.iter().map(|row| Ok((sign_in(row)?, whose(row)?))).collect()
    }

    async fn close_incident(&self, id: SignInId, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let update = "UPDATE sign_ins SET closed_at = $2 \
                      WHERE id = $1 AND state = 'stranger' AND listed AND closed_at IS NULL RETURNING *";
        let update = sqlx::query(update).bind(id.as_bytes().to_vec()).bind(act.at.as_millisecond());
        let row = update.fetch_optional(&mut *transaction).await.map_err(unavailable)?;
        let Some(row) = row else { return Ok(false) };
        let closed = sign_in(&row)?;
        enter(&mut transaction, Action::IncidentClose, closed.account, &closed.credential, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn prune_sign_ins(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
        self.database.bring_back("UPDATE sign_ins SET at = $1 WHERE at > $2", now).await?;
        let piece = "DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE at < $1 \
                     AND NOT (state = 'stranger' AND listed AND closed_at IS NULL) LIMIT $2)";
        self.database.forget(piece, before).await
    }
}

const ONE: &str = "SELECT * FROM sign_ins WHERE id = $1 AND account = $2";

/// Marks a sign-in as a stranger's; `None` if it was before, or there is none such.
async fn disown(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    id: SignInId,
    remedy: &Remedy,
    act: &Act,
) -> Result<Option<SignIn>, Error> {
    let update = "UPDATE sign_ins SET state = 'stranger', answered_at = $3, hold = $4, listed = $5, label = $6 \
                  WHERE id = $1 AND account = $2 AND state <> 'stranger' RETURNING *";
    let label = label(transaction, remedy.revocation.as_ref()).await?;
    let update = sqlx::query(update).bind(id.as_bytes().to_vec()).bind(account.as_bytes().to_vec());
    let update = update.bind(act.at.as_millisecond()).bind(remedy.hold).bind(remedy.list).bind(label);
    let row = update.fetch_optional(&mut **transaction).await.map_err(unavailable)?;
    Ok(row.as_ref().map(sign_in).transpose()?)
}

/// What its owner calls what is about to be revoked.
async fn label(
    transaction: &mut Transaction<'_, Sqlite>,
    revocation: Option<&Revocation>,
) -> Result<Option<String>, Error> {
    let label = match revocation {
        Some(Revocation::AppPassword(id)) => {
            sqlx::query_scalar("SELECT label FROM app_passwords WHERE id = $1").bind(id.as_bytes().to_vec())
        }
        Some(Revocation::Certificate(fingerprint)) => {
            let label = sqlx::query_scalar("SELECT label FROM certificates WHERE fingerprint = $1");
            label.bind(fingerprint.as_octets().to_vec())
        }
        Some(Revocation::Password(_)) | None => return Ok(None),
    };
    label.fetch_optional(&mut **transaction).await.map_err(unavailable)
}

async fn revoke(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    remedy: &Remedy,
    act: &Act,
) -> Result<(), Error> {
    match &remedy.revocation {
        Some(Revocation::AppPassword(id)) => {
            app_password::revoke(transaction, account, *id, act).await?;
        }
        Some(Revocation::Certificate(fingerprint)) => {
            certificate::remove(transaction, account, fingerprint, act).await?;
        }
        Some(Revocation::Password(hash)) => set_password(transaction, account, hash, act).await?,
        None => {}
    }
    match remedy.end_sessions {
        true => web_session::end_others(transaction, account, act).await,
        false => Ok(()),
    }
}

async fn set_password(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    hash: &str,
    act: &Act,
) -> Result<(), Error> {
    let update = "UPDATE accounts SET password_hash = $1, version = version + 1 WHERE id = $2";
    let update = sqlx::query(update).bind(hash.to_owned()).bind(account.as_bytes().to_vec());
    update.execute(&mut **transaction).await.map_err(unavailable)?;
    let keys = challenge_key::of_password(account).execute(&mut **transaction);
    keys.await.map_err(unavailable)?;
    enter(transaction, Action::PasswordSet, account, AuditEvent::PASSWORD, act).await
}

/// Whoever is there guesses with all other strangers from now on.
async fn forget_network(
    transaction: &mut Transaction<'_, Sqlite>,
    disowned: &SignIn,
) -> Result<(), sqlx::Error> {
    let forget = sqlx::query("DELETE FROM familiar_networks WHERE account = $1 AND network = $2");
    let forget = forget.bind(disowned.account.as_bytes().to_vec()).bind(disowned.network.to_string());
    forget.execute(&mut **transaction).await.map(drop)
}

async fn enter(
    transaction: &mut Transaction<'_, Sqlite>,
    action: Action,
    account: AccountId,
    about: &str,
    act: &Act,
) -> Result<(), Error> {
    let event = AuditEvent::change(action, normal(transaction, account).await?, act).about(about);
    audit::enter(transaction, &event).await
}

fn sign_in(row: &SqliteRow) -> Result<SignIn, Corrupt> {
    let unknown = Columns::of(row, "sign_ins", "?");
    let id = unknown.read("id", |id: &[u8]| octets(id).map(SignInId::from_bytes))?;
    let columns = Columns::of(row, "sign_ins", id);
    Ok(SignIn {
        id,
        account: columns.read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))?,
        credential: columns.take("credential")?,
        network: columns.read("network", |network: &str| network.parse().ok())?,
        ip: columns.read("ip", |ip: &str| ip.parse().ok())?,
        scope: columns.take("scope")?,
        first_at: columns.read("first_at", time)?,
        at: columns.read("at", time)?,
        state: state(&columns)?,
    })
}

fn state(columns: &Columns<'_>) -> Result<SignInState, Corrupt> {
    match columns.take::<&str>("state")? {
        "known" => Ok(SignInState::Known),
        "asked" => Ok(SignInState::Asked),
        "owner" => Ok(SignInState::Owner),
        "stranger" => Ok(SignInState::Stranger(Incident {
            at: columns.read("answered_at", time)?,
            label: columns.take("label")?,
            hold: columns.take("hold")?,
            held: columns.maybe("held", |held: i64| u64::try_from(held).ok())?,
            listed: columns.take("listed")?,
            closed_at: columns.maybe("closed_at", time)?,
        })),
        _ => Err(columns.corrupt("state")),
    }
}

//! Links to set up devices and accounts, and every change of them.

mod invitation;
mod row;

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};
use store::{
    AcceptedInvitation, Account, Act, Action, AuditEvent, Enrolment, EnrolmentPurpose, EnrolmentUse,
    Enrolments, Error, NewAppPassword,
};
use types::{AccountId, EnrolmentId};

use super::account::row::{account, columns, normal};
use super::prune::far_ahead;
use super::{SqliteAccounts, app_password, audit};
use crate::failure::unavailable;
use row::{DEVICE, INVITATION, enrolment, enrolment_columns, insert, kind_of};

/// What is written of an invitation that takes the second factor away.
const SECOND_FACTOR_LOST: &str = "second-factor-lost";

impl Enrolments for SqliteAccounts {
    async fn keep_enrolment(
        &self,
        enrolment: &Enrolment,
        digest: &[u8; 32],
        at_most: u32,
        act: &Act,
    ) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        see_version(&mut transaction, enrolment.account, enrolment.version).await?;
        let event = match &enrolment.purpose {
            EnrolmentPurpose::Device(_) => {
                see_room(&mut transaction, enrolment, at_most, act.at).await?;
                change(&mut transaction, Action::EnrolmentMake, enrolment.account, enrolment.id, act).await?
            }
            EnrolmentPurpose::Invitation { second_factor_lost } => {
                withdraw_invitations(&mut transaction, enrolment.account, act).await?;
                let event =
                    change(&mut transaction, Action::InvitationMake, enrolment.account, enrolment.id, act);
                AuditEvent {
                    scope: second_factor_lost.then(|| SECOND_FACTOR_LOST.to_owned()),
                    ..event.await?
                }
            }
        };
        insert(&mut transaction, enrolment, digest).await.map_err(unavailable)?;
        audit::enter(&mut transaction, &event).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn enrolment_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(Enrolment, Account)>, Error> {
        let one = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", ",
            enrolment_columns!(),
            " FROM enrolments e JOIN accounts a ON a.id = e.account WHERE e.digest = $1",
        ));
        let row = one.bind(digest.to_vec()).fetch_optional(self.database.readers()?).await;
        let Some(row) = row.map_err(unavailable)? else { return Ok(None) };
        Ok(Some((enrolment(&row)?, account(&row)?)))
    }

    async fn enrolment(&self, account: AccountId, id: EnrolmentId) -> Result<Option<Enrolment>, Error> {
        let one = sqlx::query(concat!(
            "SELECT ",
            enrolment_columns!(),
            " FROM enrolments e WHERE e.account = $1 AND e.id = $2",
        ));
        let one = one.bind(account.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
        let row = one.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.as_ref().map(enrolment).transpose()?)
    }

    async fn open_enrolments(
        &self,
        account: AccountId,
        now: Timestamp,
        at_most: u32,
    ) -> Result<Vec<Enrolment>, Error> {
        let open = sqlx::query(concat!(
            "SELECT ",
            enrolment_columns!(),
            " FROM enrolments e WHERE e.account = $1 AND e.ends_at > $2 AND e.withdrawn_at IS NULL AND e.used_at IS NULL \
             ORDER BY e.made_at DESC, e.id DESC LIMIT $3",
        ));
        let open = open.bind(account.as_bytes().to_vec()).bind(now.as_millisecond()).bind(at_most);
        let rows = open.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(enrolment(row)?)).collect()
    }

    async fn enrolment_opened(&self, id: EnrolmentId, at: Timestamp) -> Result<(), Error> {
        let update = sqlx::query("UPDATE enrolments SET opened_at = $1 WHERE id = $2 AND opened_at IS NULL");
        let update = update.bind(at.as_millisecond()).bind(id.as_bytes().to_vec());
        update.execute(self.database.writer()?).await.map(drop).map_err(unavailable)
    }

    async fn withdraw_enrolment(
        &self,
        account: AccountId,
        id: EnrolmentId,
        act: &Act,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let update = sqlx::query(
            "UPDATE enrolments SET withdrawn_at = $1 \
             WHERE account = $2 AND id = $3 AND withdrawn_at IS NULL AND used_at IS NULL",
        );
        let update = update.bind(act.at.as_millisecond()).bind(account.as_bytes().to_vec());
        let update = update.bind(id.as_bytes().to_vec()).execute(&mut *transaction);
        if update.await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(false);
        }
        let event = change(&mut transaction, Action::EnrolmentWithdraw, account, id, act).await?;
        audit::enter(&mut transaction, &event).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn use_device_link(
        &self,
        id: EnrolmentId,
        used: &EnrolmentUse,
        new: &NewAppPassword,
        at_most: u32,
        act: &Act,
    ) -> Result<bool, Error> {
        let (account, mut transaction) = (new.app_password.account, self.begin_change().await?);
        if !use_up(&mut transaction, (id, account, DEVICE), used, act.at).await.map_err(unavailable)? {
            return Ok(false);
        }
        let event = change(&mut transaction, Action::EnrolmentUse, account, id, act).await?;
        audit::enter(&mut transaction, &event).await?;
        app_password::add(&mut transaction, new, at_most, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn accept_invitation(
        &self,
        id: EnrolmentId,
        accepted: &AcceptedInvitation,
        act: &Act,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        let is_accepted = invitation::accept(&mut transaction, id, accepted, act).await?;
        if is_accepted {
            transaction.commit().await.map_err(unavailable)?;
        }
        Ok(is_accepted)
    }

    async fn prune_enrolments(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
        let old =
            "DELETE FROM enrolments WHERE id IN (SELECT id FROM enrolments WHERE ends_at < $1 LIMIT $2)";
        let old = self.database.forget(old, before).await?;
        // No link ends before it is made: so the index of ends finds the few there are.
        let ahead = "DELETE FROM enrolments WHERE id IN (SELECT id FROM enrolments WHERE ends_at > $1 AND made_at > $1 LIMIT $2)";
        Ok(old + self.database.forget(ahead, far_ahead(now)).await?)
    }
}

/// Sees that the account still has this version.
async fn see_version(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    version: i64,
) -> Result<(), Error> {
    let found = sqlx::query_scalar("SELECT version FROM accounts WHERE id = $1");
    let found = found.bind(account.as_bytes().to_vec()).fetch_optional(&mut **transaction);
    let found: i64 = found.await.map_err(unavailable)?.ok_or(Error::NotFound)?;
    if found == version { Ok(()) } else { Err(Error::Changed) }
}

/// Sees that the account has fewer links for devices than it may, of those that are good at this time.
async fn see_room(
    transaction: &mut Transaction<'_, Sqlite>,
    new: &Enrolment,
    at_most: u32,
    now: Timestamp,
) -> Result<(), Error> {
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM enrolments WHERE account = $1 AND kind = $2 AND version = $3 AND ends_at > $4 \
         AND withdrawn_at IS NULL AND used_at IS NULL",
    );
    let count = count.bind(new.account.as_bytes().to_vec()).bind(kind_of(&new.purpose)).bind(new.version);
    let open: i64 =
        count.bind(now.as_millisecond()).fetch_one(&mut **transaction).await.map_err(unavailable)?;
    if open < i64::from(at_most) { Ok(()) } else { Err(Error::TooMany) }
}

/// Withdraws the invitations of this account that nobody has used: another takes their place.
async fn withdraw_invitations(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    act: &Act,
) -> Result<(), Error> {
    let update = sqlx::query(
        "UPDATE enrolments SET withdrawn_at = $1 \
         WHERE account = $2 AND kind = $3 AND withdrawn_at IS NULL AND used_at IS NULL",
    );
    let update = update.bind(act.at.as_millisecond()).bind(account.as_bytes().to_vec()).bind(INVITATION);
    update.execute(&mut **transaction).await.map(drop).map_err(unavailable)
}

/// Uses up a link of this kind of this account, if it is waiting.
async fn use_up(
    transaction: &mut Transaction<'_, Sqlite>,
    (id, account, kind): (EnrolmentId, AccountId, &'static str),
    used: &EnrolmentUse,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let update = sqlx::query(
        "UPDATE enrolments SET used_at = $1, used_ip = $2, used_agent = $3, used_browser = $4, credential = $5 \
         WHERE id = $6 AND account = $7 AND kind = $8 AND ends_at > $9 AND withdrawn_at IS NULL AND used_at IS NULL \
         AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = enrolments.account AND NOT a.disabled \
         AND (enrolments.kind = $10 OR a.version = enrolments.version))",
    );
    let update = update
        .bind(used.at.as_millisecond())
        .bind(used.ip.to_string())
        .bind(used.agent.clone())
        .bind(used.browser.to_vec())
        .bind(used.credential.map(|id| id.as_bytes().to_vec()))
        .bind(id.as_bytes().to_vec())
        .bind(account.as_bytes().to_vec())
        .bind(kind)
        .bind(now.as_millisecond())
        .bind(INVITATION);
    Ok(update.execute(&mut **transaction).await?.rows_affected() > 0)
}

/// What the audit trail is told of a link.
async fn change(
    transaction: &mut Transaction<'_, Sqlite>,
    action: Action,
    account: AccountId,
    id: EnrolmentId,
    act: &Act,
) -> Result<AuditEvent, Error> {
    Ok(AuditEvent::change(action, normal(transaction, account).await?, act).about(id))
}

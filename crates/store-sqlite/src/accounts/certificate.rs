//! Certificates as rows.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{
    Account, Act, Action, AuditEvent, Certificate, CertificatePlace, Certificates, Corrupt, Error, LastUse,
    Page,
};
use types::{AccountId, Fingerprint};

use super::account::row::{account, columns, normal};
use super::app_password::row::last_use;
use super::{SqliteAccounts, audit};
use crate::failure::{is_taken, unavailable};
use crate::row::{Columns, octets, time};

/// The columns of a certificate, whose table is `c`, under names that do not clash with those of its account.
macro_rules! joined {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", c.fingerprint, c.account, c.label, c.created_at AS added_at, c.expires_at, c.last_used_at, \
             c.last_used_ip, c.last_mechanism FROM certificates c JOIN accounts a ON a.id = c.account WHERE ",
            $condition
        )
    };
}

impl Certificates for SqliteAccounts {
    async fn add_certificate(&self, certificate: &Certificate, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        let normal = normal(&mut transaction, certificate.account).await?;
        insert(&mut transaction, certificate).await?;
        let event = AuditEvent::change(Action::CertificateAdd, normal, act);
        audit::enter(&mut transaction, &event.about(certificate.fingerprint)).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn by_fingerprint(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<(Certificate, Account)>, Error> {
        let one = sqlx::query(joined!("c.fingerprint = $1")).bind(fingerprint.as_octets().to_vec());
        let row = one.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((certificate(&row)?, account(&row)?)))
    }

    async fn certificates(
        &self,
        account: AccountId,
        page: Page<CertificatePlace>,
    ) -> Result<Vec<Certificate>, Error> {
        let some = sqlx::query(joined!(
            "c.account = $1 AND (c.created_at, c.fingerprint) > ($2, $3) ORDER BY c.created_at, c.fingerprint LIMIT $4"
        ));
        let (at, after) = page
            .after
            .map(|(at, print)| (at.as_millisecond(), print.as_octets().to_vec()))
            .unwrap_or((i64::MIN, Vec::new()));
        let some = some.bind(account.as_bytes().to_vec()).bind(at).bind(after).bind(page.limit);
        let rows = some.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(certificate(row)?)).collect()
    }

    async fn remove_certificate(
        &self,
        account: AccountId,
        fingerprint: &Fingerprint,
        act: &Act,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        if !remove(&mut transaction, account, fingerprint, act).await? {
            return Ok(false);
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    fn certificate_used(&self, fingerprint: Fingerprint, last_use: LastUse) {
        self.notes.certificate_use(fingerprint, last_use);
    }
}

/// Removes a certificate, and says so in the trail; `false` if the account has no such certificate.
pub(super) async fn remove(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    fingerprint: &Fingerprint,
    act: &Act,
) -> Result<bool, Error> {
    let delete = sqlx::query("DELETE FROM certificates WHERE account = $1 AND fingerprint = $2");
    let delete = delete.bind(account.as_bytes().to_vec()).bind(fingerprint.as_octets().to_vec());
    if delete.execute(&mut **transaction).await.map_err(unavailable)?.rows_affected() == 0 {
        return Ok(false);
    }
    let normal = normal(transaction, account).await?;
    let event = AuditEvent::change(Action::CertificateRemove, normal, act).about(fingerprint);
    audit::enter(transaction, &event).await?;
    Ok(true)
}

/// Removes every certificate of an account, and says so in the trail.
pub(super) async fn remove_all(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    act: &Act,
) -> Result<(), Error> {
    let all = "SELECT fingerprint FROM certificates WHERE account = $1 ORDER BY created_at, fingerprint";
    let all = sqlx::query_scalar(all).bind(account.as_bytes().to_vec());
    let all: Vec<Vec<u8>> = all.fetch_all(&mut **transaction).await.map_err(unavailable)?;
    for octets in all {
        let octets: [u8; 32] =
            octets.try_into().map_err(|_| Corrupt::on("certificates", "?", "fingerprint"))?;
        remove(transaction, account, &Fingerprint::from_octets(octets), act).await?;
    }
    Ok(())
}

async fn insert(transaction: &mut Transaction<'_, Sqlite>, certificate: &Certificate) -> Result<(), Error> {
    let inserted = sqlx::query(
        "INSERT INTO certificates (fingerprint, account, label, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(certificate.fingerprint.as_octets().to_vec())
    .bind(certificate.account.as_bytes().to_vec())
    .bind(&certificate.label)
    .bind(certificate.created_at.as_millisecond())
    .bind(certificate.expires_at.map(Timestamp::as_millisecond))
    .execute(&mut **transaction)
    .await;
    inserted
        .map(drop)
        .map_err(|error| if is_taken(&error) { Error::AlreadyExists } else { unavailable(error) })
}

fn certificate(row: &SqliteRow) -> Result<Certificate, Corrupt> {
    let unknown = Columns::of(row, "certificates", "?");
    let fingerprint =
        unknown.read("fingerprint", |octets: &[u8]| octets.try_into().ok().map(Fingerprint::from_octets))?;
    let columns = Columns::of(row, "certificates", fingerprint);
    Ok(Certificate {
        fingerprint,
        account: columns.read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))?,
        label: columns.take("label")?,
        created_at: columns.read("added_at", time)?,
        expires_at: columns.maybe("expires_at", time)?,
        last_used: last_use(&columns)?,
    })
}

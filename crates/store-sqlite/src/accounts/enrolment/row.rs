//! Links as their rows: reading one, and adding one.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{Corrupt, Enrolment, EnrolmentPurpose, EnrolmentUse, PlannedAppPassword};
use types::{AccountId, CredentialId, EnrolmentId};

use crate::accounts::app_password::row::{lines, of_lines, spaced, unspaced};
use crate::row::{Columns, octets, time};

/// The kinds as they are stored.
pub(super) const DEVICE: &str = "device";
pub(super) const INVITATION: &str = "invitation";

/// The columns of a link, whose table is `e`, under names that do not clash with those of its account.
macro_rules! enrolment_columns {
    () => {
        "e.id AS enrolment, e.account, e.kind, e.version AS of_version, e.factor_lost, e.label, e.expires_at, \
         e.networks, e.senders, e.made_at, e.made_by, e.ends_at, e.opened_at, e.withdrawn_at, e.used_at, e.used_ip, \
         e.used_agent, e.used_browser, e.credential"
    };
}
pub(super) use enrolment_columns;

pub(super) fn kind_of(purpose: &EnrolmentPurpose) -> &'static str {
    match purpose {
        EnrolmentPurpose::Device(_) => DEVICE,
        EnrolmentPurpose::Invitation { .. } => INVITATION,
    }
}

/// Adds a link that nobody has looked at yet.
pub(super) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    new: &Enrolment,
    digest: &[u8; 32],
) -> Result<(), sqlx::Error> {
    let (planned, factor_lost) = match &new.purpose {
        EnrolmentPurpose::Device(planned) => (planned.clone(), false),
        EnrolmentPurpose::Invitation { second_factor_lost } => {
            (PlannedAppPassword::default(), *second_factor_lost)
        }
    };
    sqlx::query(
        "INSERT INTO enrolments (id, digest, account, kind, version, factor_lost, label, expires_at, networks, senders, \
         made_at, made_by, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(new.id.as_bytes().to_vec())
    .bind(digest.to_vec())
    .bind(new.account.as_bytes().to_vec())
    .bind(kind_of(&new.purpose))
    .bind(new.version)
    .bind(factor_lost)
    .bind(&planned.label)
    .bind(planned.expires_at.map(Timestamp::as_millisecond))
    .bind(spaced(&planned.networks))
    .bind(lines(&planned.senders))
    .bind(new.made_at.as_millisecond())
    .bind(&new.made_by)
    .bind(new.ends_at.as_millisecond())
    .execute(&mut **transaction)
    .await
    .map(drop)
}

pub(super) fn enrolment(row: &SqliteRow) -> Result<Enrolment, Corrupt> {
    let unknown = Columns::of(row, "enrolments", "?");
    let id = unknown.read("enrolment", |id: &[u8]| octets(id).map(EnrolmentId::from_bytes))?;
    let columns = Columns::of(row, "enrolments", id);
    Ok(Enrolment {
        id,
        account: columns.read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))?,
        purpose: purpose(&columns)?,
        version: columns.take("of_version")?,
        made_at: columns.read("made_at", time)?,
        made_by: columns.take("made_by")?,
        ends_at: columns.read("ends_at", time)?,
        opened_at: columns.maybe("opened_at", time)?,
        withdrawn_at: columns.maybe("withdrawn_at", time)?,
        used: used(&columns)?,
    })
}

fn purpose(columns: &Columns<'_>) -> Result<EnrolmentPurpose, Corrupt> {
    match columns.take::<&str>("kind")? {
        DEVICE => Ok(EnrolmentPurpose::Device(PlannedAppPassword {
            label: columns.take("label")?,
            expires_at: columns.maybe("expires_at", time)?,
            networks: columns.read("networks", unspaced)?,
            senders: columns.read("senders", of_lines)?,
        })),
        INVITATION => Ok(EnrolmentPurpose::Invitation { second_factor_lost: columns.take("factor_lost")? }),
        _ => Err(columns.corrupt("kind")),
    }
}

fn used(columns: &Columns<'_>) -> Result<Option<EnrolmentUse>, Corrupt> {
    let Some(at) = columns.maybe("used_at", time)? else { return Ok(None) };
    Ok(Some(EnrolmentUse {
        at,
        ip: columns.read("used_ip", |ip: &str| ip.parse().ok())?,
        agent: columns.take("used_agent")?,
        browser: columns.read("used_browser", |octets: &[u8]| octets.try_into().ok())?,
        credential: columns.maybe("credential", |id: &[u8]| octets(id).map(CredentialId::from_bytes))?,
    }))
}

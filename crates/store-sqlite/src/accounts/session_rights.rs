//! What a login is good for, in one query.

use sqlx::sqlite::SqliteRow;
use store::{Corrupt, Error, Login, StoredCredential, StoredRights};
use types::{AccountId, SenderPattern};

use super::SqliteAccounts;
use super::account::row::{account, columns};
use super::app_password::row::of_lines;
use crate::failure::unavailable;
use crate::row::{Columns, time};

impl SqliteAccounts {
    pub(super) async fn rights_of(&self, login: &Login) -> Result<Option<StoredRights>, Error> {
        let (app_password, certificate) = match login.with {
            None => (None, None),
            Some(StoredCredential::AppPassword(id)) => (Some(id.as_bytes().to_vec()), None),
            Some(StoredCredential::Certificate(print)) => (None, Some(print.as_octets().to_vec())),
        };
        let rows = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", p.senders AS of_credential, coalesce(p.expires_at, c.expires_at) AS credential_expires_at, \
             i.sender FROM accounts a \
             LEFT JOIN app_passwords p ON p.id = $2 AND p.account = a.id \
             LEFT JOIN certificates c ON c.fingerprint = $3 AND c.account = a.id \
             LEFT JOIN identities i ON i.account = a.id \
             WHERE a.id = $1 AND ($2 IS NULL OR p.id IS NOT NULL) AND ($3 IS NULL OR c.fingerprint IS NOT NULL) \
             ORDER BY i.normal"
        ));
        let rows = rows.bind(login.account.as_bytes().to_vec()).bind(app_password).bind(certificate);
        let rows = rows.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        Ok(rights(&rows, login.account)?)
    }
}

/// The rights of rows with an identity each, or of the one row of an account that has none.
fn rights(rows: &[SqliteRow], id: AccountId) -> Result<Option<StoredRights>, Corrupt> {
    let Some(first) = rows.first() else { return Ok(None) };
    let columns = Columns::of(first, "app_passwords", id);
    let identities = rows.iter().filter_map(|row| identity(row, id).transpose()).collect::<Result<_, _>>()?;
    Ok(Some(StoredRights {
        account: account(first)?,
        identities,
        senders: columns.maybe("of_credential", of_lines)?.unwrap_or_default(),
        expires_at: columns.maybe("credential_expires_at", time)?,
    }))
}

fn identity(row: &SqliteRow, id: AccountId) -> Result<Option<SenderPattern>, Corrupt> {
    Columns::of(row, "identities", id).maybe("sender", |text: &str| text.parse().ok())
}

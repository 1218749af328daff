//! Identities as rows.

use sqlx::sqlite::SqliteRow;
use store::{Act, Action, AuditEvent, Corrupt, Error, Identities, Identity, Page};
use types::{AccountId, SenderPattern};

use super::SqliteAccounts;
use crate::failure::unavailable;
use crate::row::{Columns, time};

/// What stands behind the last `@`: all that is no `@` is trimmed from the end, and what is left is skipped.
macro_rules! domain_of_normal {
    () => {
        "substr(normal, length(rtrim(normal, replace(normal, '@', ''))) + 1)"
    };
}

impl Identities for SqliteAccounts {
    async fn add_identity(&self, account: AccountId, identity: &Identity, act: &Act) -> Result<(), Error> {
        let Identity { sender, created_at } = identity;
        let insert = sqlx::query(
            "INSERT INTO identities (account, normal, sender, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(account.as_bytes().to_vec())
        .bind(sender.normal())
        .bind(sender.to_string())
        .bind(created_at.as_millisecond());
        let event = |normal| told(Action::IdentityAdd, normal, sender, act);
        self.change(account, insert, event).await.map(drop)
    }

    async fn identities(&self, account: AccountId, page: Page<String>) -> Result<Vec<Identity>, Error> {
        let some = sqlx::query(
            "SELECT sender, created_at FROM identities WHERE account = $1 AND normal > $2 ORDER BY normal LIMIT $3",
        );
        let some =
            some.bind(account.as_bytes().to_vec()).bind(page.after.unwrap_or_default()).bind(page.limit);
        let rows = some.fetch_all(self.database.readers()?).await;
        rows.map_err(unavailable)?.iter().map(|row| Ok(identity(row, account)?)).collect()
    }

    async fn sender_domains(&self, domain: Option<&str>, page: Page<String>) -> Result<Vec<String>, Error> {
        let some = sqlx::query_scalar(concat!(
            "SELECT domain FROM (SELECT ",
            domain_of_normal!(),
            " AS domain FROM accounts UNION SELECT ",
            domain_of_normal!(),
            " AS domain FROM identities WHERE normal <> '*') AS domains \
             WHERE ($1 IS NULL OR domain = $1) AND domain > $2 ORDER BY domain LIMIT $3"
        ));
        let some = some.bind(domain).bind(page.after.unwrap_or_default()).bind(page.limit);
        some.fetch_all(self.database.readers()?).await.map_err(unavailable)
    }

    async fn remove_identity(
        &self,
        account: AccountId,
        sender: &SenderPattern,
        act: &Act,
    ) -> Result<bool, Error> {
        let delete = sqlx::query("DELETE FROM identities WHERE account = $1 AND normal = $2")
            .bind(account.as_bytes().to_vec())
            .bind(sender.normal());
        self.change(account, delete, |normal| told(Action::IdentityRemove, normal, sender, act)).await
    }
}

fn identity(row: &SqliteRow, account: AccountId) -> Result<Identity, Corrupt> {
    let columns = Columns::of(row, "identities", account);
    Ok(Identity {
        sender: columns.read("sender", |text: &str| text.parse().ok())?,
        created_at: columns.read("created_at", time)?,
    })
}

fn told(action: Action, account: String, sender: &SenderPattern, act: &Act) -> Vec<AuditEvent> {
    vec![AuditEvent::change(action, account, act).about(sender.normal())]
}

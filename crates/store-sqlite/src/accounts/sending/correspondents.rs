//! Whom accounts have sent to, as rows.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};
use store::Correspondent;
use types::AccountId;

use super::usage::id;
use crate::row::octets;

/// How many one statement asks for or writes, at most.
const AT_ONCE: usize = 1000;

/// Those of the recipients that the account has sent to.
pub(super) async fn known(
    readers: &SqlitePool,
    account: AccountId,
    recipients: &[Correspondent],
) -> Result<HashSet<Correspondent>, sqlx::Error> {
    let mut known = HashSet::new();
    for some in recipients.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT recipient FROM correspondents WHERE account = ");
        let mut all = query.push_bind(id(account)).push(" AND recipient IN (").separated(", ");
        for recipient in some {
            all.push_bind(recipient.to_vec());
        }
        query.push(")");
        // Most messages have one recipient; a statement for each other number would be kept for nothing.
        let found = query.build_query_scalar().persistent(some.len() == 1).fetch_all(readers).await?;
        known.extend(found.iter().filter_map(|recipient: &Vec<u8>| octets(recipient)));
    }
    Ok(known)
}

/// Notes that the account has sent to them. It may have been removed since; then there is nothing to write.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    account: AccountId,
    recipients: &[Correspondent],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    for some in recipients.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH noted (recipient) AS (");
        query.push_values(some, |mut row, recipient| {
            row.push_bind(recipient.to_vec());
        });
        query.push(
            ") INSERT INTO correspondents (account, recipient, at) SELECT accounts.id, noted.recipient, ",
        );
        query.push_bind(at.as_millisecond()).push(" FROM accounts, noted WHERE accounts.id = ");
        query.push_bind(id(account));
        query.push(" ON CONFLICT (account, recipient) DO UPDATE SET at = excluded.at");
        query.build().persistent(some.len() == 1).execute(&mut *connection).await?;
    }
    Ok(())
}

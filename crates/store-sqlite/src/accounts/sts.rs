//! Policies of MTA-STS as rows. They are no change of anybody's rights, so the revision stays.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use store::{Corrupt, Error, Page, StsPolicies, StsPolicy};

use super::SqliteAccounts;
use crate::failure::unavailable;
use crate::row::{Columns, Query, text, time};

const ONE: &str =
    "SELECT domain, id, text, fetched_at, expires_at, used_at FROM sts_policies WHERE domain = $1";
const OLD: &str = "SELECT domain, id, text, fetched_at, expires_at, used_at FROM sts_policies \
     WHERE ($1 > fetched_at + 86400000 OR $1 > (fetched_at + expires_at) / 2) \
     AND used_at >= $2 AND domain > $3 ORDER BY domain LIMIT $4";
/// Of two that were fetched at once the newer stays.
const KEEP: &str = "INSERT INTO sts_policies (domain, id, text, fetched_at, expires_at, used_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (domain) DO UPDATE SET id = excluded.id, text = excluded.text, \
     fetched_at = excluded.fetched_at, expires_at = excluded.expires_at, \
     used_at = CASE WHEN sts_policies.used_at > excluded.used_at THEN sts_policies.used_at ELSE excluded.used_at END \
     WHERE excluded.fetched_at >= sts_policies.fetched_at";
const USED: &str = "UPDATE sts_policies SET used_at = $2 WHERE domain = $1 AND used_at < $2";
const DROP: &str = "DELETE FROM sts_policies WHERE domain = $1";
const PRUNE: &str = "DELETE FROM sts_policies WHERE domain IN \
     (SELECT domain FROM sts_policies WHERE expires_at <= $1 LIMIT $2)";

impl StsPolicies for SqliteAccounts {
    async fn sts_policy(&self, domain: &str) -> Result<Option<StsPolicy>, Error> {
        let one = sqlx::query(ONE).bind(domain.to_owned());
        let row = one.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(row.as_ref().map(policy).transpose()?)
    }

    async fn keep_sts_policy(&self, policy: &StsPolicy) -> Result<(), Error> {
        let kept = sqlx::query(KEEP)
            .bind(policy.domain.clone())
            .bind(policy.id.clone())
            .bind(policy.text.clone())
            .bind(policy.fetched_at.as_millisecond())
            .bind(policy.expires_at.as_millisecond())
            .bind(policy.used_at.as_millisecond());
        self.write(kept).await
    }

    async fn sts_policy_used(&self, domain: &str, at: Timestamp) -> Result<(), Error> {
        self.write(sqlx::query(USED).bind(domain.to_owned()).bind(at.as_millisecond())).await
    }

    async fn drop_sts_policy(&self, domain: &str) -> Result<(), Error> {
        self.write(sqlx::query(DROP).bind(domain.to_owned())).await
    }

    async fn sts_policies_to_refresh(
        &self,
        now: Timestamp,
        used_since: Timestamp,
        page: Page<String>,
    ) -> Result<Vec<StsPolicy>, Error> {
        let mut after = page.after.unwrap_or_default();
        loop {
            let old = sqlx::query(OLD)
                .bind(now.as_millisecond())
                .bind(used_since.as_millisecond())
                .bind(after.clone())
                .bind(page.limit);
            let rows = old.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
            let found: Vec<_> = rows.iter().filter_map(undamaged).collect();
            match rows.last().map(|row| text(row, "domain")) {
                Some(last) if found.is_empty() && last > after => after = last,
                _ => return Ok(found),
            }
        }
    }

    async fn prune_sts_policies(&self, now: Timestamp) -> Result<u64, Error> {
        self.database.forget(PRUNE, now).await
    }
}

impl SqliteAccounts {
    async fn write(&self, statement: Query) -> Result<(), Error> {
        statement.execute(self.database.writer()?).await.map(drop).map_err(unavailable)
    }
}

/// The policy, unless it is damaged: the others are to be refreshed all the same.
fn undamaged(row: &SqliteRow) -> Option<StsPolicy> {
    let damaged = |error: &Corrupt| {
        let error: &dyn std::error::Error = error;
        tracing::error!(
            event = "sts.failing",
            error,
            "an MTA-STS policy in the store can't be read, and is not refreshed"
        );
    };
    policy(row).inspect_err(damaged).ok()
}

fn policy(row: &SqliteRow) -> Result<StsPolicy, Corrupt> {
    let columns = Columns::of(row, "sts_policies", text(row, "domain"));
    Ok(StsPolicy {
        domain: columns.take("domain")?,
        id: columns.take("id")?,
        text: columns.take("text")?,
        fetched_at: columns.read("fetched_at", time)?,
        expires_at: columns.read("expires_at", time)?,
        used_at: columns.read("used_at", time)?,
    })
}

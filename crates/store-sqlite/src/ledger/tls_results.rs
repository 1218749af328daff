//! How TLS went with the hosts of other domains, as rows. A row that is damaged is left out: it is for statistics.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use store::{
    Day, Error, TLS_RESULTS_IN_DETAIL, TlsFailure, TlsFailureKind, TlsPolicy, TlsPolicyKind, TlsResult,
    TlsResults,
};

use super::SqliteLedger;
use crate::failure::unavailable;
use crate::row::{Query, text};

const ADD: &str = "INSERT INTO tls_results (day, domain, policy, policy_text, failure, host, ip, sent_from, reason, sessions) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (day, domain, policy, policy_text, failure, host, ip, sent_from, reason) \
     DO UPDATE SET sessions = tls_results.sessions + excluded.sessions";
/// Whether a result is known, or may become so: the domain has not yet as many on that day as are told from each other.
const HAS_ROOM: &str = "SELECT EXISTS (SELECT 1 FROM tls_results WHERE day = $1 AND domain = $2 AND policy = $3 AND policy_text = $4 \
     AND failure = $5 AND host = $6 AND ip = $7 AND sent_from = $8 AND reason = $9) \
     OR (SELECT count(*) FROM (SELECT 1 FROM tls_results WHERE day = $1 AND domain = $2 LIMIT $10)) < $10";
const UNREPORTED: &str = "SELECT DISTINCT day, domain FROM tls_results WHERE day < $1 AND NOT EXISTS \
     (SELECT 1 FROM tls_reports WHERE tls_reports.day = tls_results.day AND tls_reports.domain = tls_results.domain) \
     ORDER BY day, domain";
const OF_DOMAIN: &str = "SELECT domain, policy, policy_text, failure, host, ip, sent_from, reason, sessions FROM tls_results \
     WHERE day = $1 AND domain = $2 ORDER BY policy, policy_text, failure, host, ip, sent_from, reason LIMIT $3";
const CLAIM: &str =
    "INSERT INTO tls_reports (day, domain) VALUES ($1, $2) ON CONFLICT (day, domain) DO NOTHING";
const PRUNE: [&str; 2] = ["DELETE FROM tls_results WHERE day < $1", "DELETE FROM tls_reports WHERE day < $1"];
const ANY_BEFORE: &str = "SELECT EXISTS (SELECT 1 FROM tls_results WHERE day < $1)";

/// Rows of a domain and a day: besides those in detail, one for each kind of policy and of failure.
const AT_MOST: u32 = TLS_RESULTS_IN_DETAIL + 100;

impl TlsResults for SqliteLedger {
    async fn add_tls_results(&self, sessions: &[(Day, TlsResult, u64)]) -> Result<(), Error> {
        let mut transaction = self.database.begin().await.map_err(unavailable)?;
        for (day, result, sessions) in sessions {
            add(&mut transaction, *day, result, *sessions).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn unreported_tls_domains(&self, before: Day) -> Result<Vec<(Day, String)>, Error> {
        let rows =
            sqlx::query(UNREPORTED).bind(before).fetch_all(self.readers()).await.map_err(unavailable)?;
        Ok(rows.iter().filter_map(|row| Some((row.try_get("day").ok()?, text(row, "domain")))).collect())
    }

    async fn tls_results(&self, day: Day, domain: &str) -> Result<Vec<(TlsResult, u64)>, Error> {
        let of_domain = sqlx::query(OF_DOMAIN).bind(day).bind(domain.to_owned()).bind(AT_MOST);
        let rows = of_domain.fetch_all(self.readers()).await.map_err(unavailable)?;
        Ok(rows.iter().filter_map(result).collect())
    }

    async fn claim_tls_report(&self, day: Day, domain: &str) -> Result<bool, Error> {
        let mut transaction = self.database.begin().await.map_err(unavailable)?;
        let claim = sqlx::query(CLAIM).bind(day).bind(domain.to_owned());
        let claimed = claim.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected();
        transaction.commit().await.map_err(unavailable)?;
        Ok(claimed > 0)
    }

    async fn prune_tls_results(&self, before: Day) -> Result<(), Error> {
        // To write is to sync, and nearly always there is nothing.
        let any = sqlx::query_scalar(ANY_BEFORE).bind(before).fetch_one(self.readers()).await;
        if !any.map_err(unavailable)? {
            return Ok(());
        }
        let mut transaction = self.database.begin().await.map_err(unavailable)?;
        for statement in PRUNE {
            sqlx::query(statement).bind(before).execute(&mut *transaction).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)
    }
}

async fn add(
    connection: &mut SqliteConnection,
    day: Day,
    result: &TlsResult,
    sessions: u64,
) -> Result<(), sqlx::Error> {
    let has_room =
        bound(HAS_ROOM, day, result).bind(TLS_RESULTS_IN_DETAIL).fetch_one(&mut *connection).await?;
    let brief = (!has_room.try_get::<bool, _>(0)?).then(|| result.without_details());
    let sessions = i64::try_from(sessions).unwrap_or(i64::MAX);
    bound(ADD, day, brief.as_ref().unwrap_or(result)).bind(sessions).execute(connection).await.map(drop)
}

/// The statement with what a result is told from others by.
fn bound(statement: &'static str, day: Day, result: &TlsResult) -> Query {
    let failure = result.failure.as_ref();
    let of = |part: fn(&TlsFailure) -> &str| failure.map(part).unwrap_or_default().to_owned();
    sqlx::query(statement)
        .bind(day)
        .bind(result.domain.clone())
        .bind(result.policy.kind.name())
        .bind(result.policy.text.clone())
        .bind(of(|failure| failure.kind.name()))
        .bind(of(|failure| &failure.host))
        .bind(of(|failure| &failure.ip))
        .bind(of(|failure| &failure.sent_from))
        .bind(of(|failure| &failure.reason))
}

fn result(row: &SqliteRow) -> Option<(TlsResult, u64)> {
    let kind = TlsPolicyKind::from_name(&text(row, "policy"))?;
    let failure = match text(row, "failure").as_str() {
        "" => None,
        name => Some(TlsFailure {
            kind: TlsFailureKind::from_name(name)?,
            host: text(row, "host"),
            ip: text(row, "ip"),
            sent_from: text(row, "sent_from"),
            reason: text(row, "reason"),
        }),
    };
    let policy = TlsPolicy { kind, text: text(row, "policy_text") };
    let sessions = u64::try_from(row.try_get::<i64, _>("sessions").ok()?).ok()?;
    Some((TlsResult { domain: text(row, "domain"), policy, failure }, sessions))
}

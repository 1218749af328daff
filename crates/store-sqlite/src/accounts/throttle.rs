//! Throttles as rows: one for each counter, and one for each different failure that it has counted.
//!
//! Whoever changes a counter locks its row first, and of several those with the lesser key first: two that lock the same never wait
//! for each other. SQLite has one writer at a time anyway; the statements do not rely on it.

use ipnet::IpNet;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqliteExecutor};
use store::{
    Act, Action, AuditEvent, Corrupt, Counted, CountedPlace, Counter, Error, Mark, Page, ThrottleFilter,
    ThrottleKey, ThrottleKind, Throttled, Throttles,
};
use types::Mailbox;

use super::{SqliteAccounts, audit};
use crate::failure::unavailable;
use crate::row::{Columns, Query, time};

/// So many counters are left where room is made: some 30 MB. Whoever fails on a name that nobody has makes one.
const COUNTERS: i64 = 100_000;

/// How many attempts are counted between one time that room is made and the next, which takes some milliseconds.
const BETWEEN: u64 = 1_000;

impl Throttles for SqliteAccounts {
    async fn throttled(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Throttled>, Error> {
        let mut used_up = Vec::new();
        for counter in counters {
            let counted = read(self.database.readers()?, &counter.key).await?;
            used_up.extend(counted.and_then(|counted| counter.throttled(&counted, now)));
        }
        Ok(Throttled::last(used_up))
    }

    async fn attempt(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Throttled>, Error> {
        if counters.is_empty() {
            return Ok(None);
        }
        let mut counted_before = self.guesses.lock().await;
        let (mut transaction, mut is_new, mut used_up) = (self.begin().await?, false, Vec::new());
        for counter in in_order(counters) {
            let (id, counted) = lock(&mut transaction, counter, now).await?;
            used_up.extend(counter.throttled(&counted, now));
            is_new |= count(&mut transaction, id, &counter.mark).await.map_err(unavailable)?;
        }
        // What is counted already is worth no sync.
        if used_up.is_empty() && is_new {
            if counted_before.is_multiple_of(BETWEEN) {
                make_room(&mut transaction).await.map_err(unavailable)?;
            }
            transaction.commit().await.map_err(unavailable)?;
            *counted_before += 1;
        } else {
            transaction.rollback().await.map_err(unavailable)?;
        }
        Ok(Throttled::last(used_up))
    }

    async fn succeeded(&self, counters: &[Counter], others: &[Counter]) -> Result<(), Error> {
        let _turn = self.guesses.lock().await;
        let mut transaction = self.begin().await?;
        let cleared = in_order(counters).into_iter().map(|counter| (counter, true));
        let mut all: Vec<_> = cleared.chain(others.iter().map(|counter| (counter, false))).collect();
        all.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
        for (counter, is_cleared) in all {
            match is_cleared {
                true => remove(&mut transaction, &counter.key).await.map_err(unavailable)?,
                false => take_back(&mut transaction, counter).await?,
            }
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn withdraw(&self, counters: &[Counter]) -> Result<(), Error> {
        self.succeeded(&[], counters).await
    }

    async fn counted(
        &self,
        filter: &ThrottleFilter,
        page: Page<CountedPlace>,
        now: Timestamp,
    ) -> Result<Vec<Counted>, Error> {
        let mut query = select(filter, page, now);
        let rows = query.build().persistent(false).fetch_all(self.database.readers()?).await;
        gather(&rows.map_err(unavailable)?)
    }

    async fn clear_account(&self, account: &Mailbox, act: &Act) -> Result<u64, Error> {
        let delete = sqlx::query("DELETE FROM throttles WHERE account = $1 AND until > $2");
        let event = AuditEvent::change(Action::ThrottleClear, account.normal(), act);
        self.clear(delete.bind(account.normal()).bind(act.at.as_millisecond()), &event).await
    }

    async fn clear_network(&self, network: &IpNet, act: &Act) -> Result<u64, Error> {
        let delete = sqlx::query("DELETE FROM throttles WHERE network = $1 AND until > $2");
        let event =
            AuditEvent { ip: Some(network.addr()), ..AuditEvent::success(Action::ThrottleClear, act) };
        self.clear(delete.bind(network.to_string()).bind(act.at.as_millisecond()), &event).await
    }

    async fn is_familiar(&self, address: &Mailbox, network: &IpNet, since: Timestamp) -> Result<bool, Error> {
        let familiar = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM accounts a JOIN familiar_networks f ON f.account = a.id \
             WHERE a.normal = $1 AND f.network = $2 AND f.at >= $3)",
        );
        let familiar = familiar.bind(address.normal()).bind(network.to_string()).bind(since.as_millisecond());
        familiar.fetch_one(self.database.readers()?).await.map_err(unavailable)
    }

    async fn prune_throttles(&self, now: Timestamp, familiar_since: Timestamp) -> Result<(), Error> {
        self.database
            .forget(
                "DELETE FROM throttles WHERE id IN (SELECT id FROM throttles WHERE until <= $1 LIMIT $2)",
                now,
            )
            .await?;
        self.database
            .forget(
                "DELETE FROM throttles WHERE id IN (SELECT id FROM throttles WHERE until > $1 LIMIT $2)",
                Counted::latest_end(now),
            )
            .await?;
        self.database.bring_back("UPDATE familiar_networks SET at = $1 WHERE at > $2", now).await?;
        self.database
            .forget(
                "DELETE FROM familiar_networks WHERE (account, network) IN \
             (SELECT account, network FROM familiar_networks WHERE at < $1 LIMIT $2)",
                familiar_since,
            )
            .await
            .map(drop)
    }
}

impl SqliteAccounts {
    async fn clear(&self, delete: Query, event: &AuditEvent) -> Result<u64, Error> {
        let mut transaction = self.begin().await?;
        let cleared = delete.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected();
        if cleared > 0 {
            audit::enter(&mut transaction, event).await?;
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(cleared)
    }
}

/// In the order in which their rows are locked.
fn in_order(counters: &[Counter]) -> Vec<&Counter> {
    let mut ordered: Vec<_> = counters.iter().collect();
    ordered.sort_by(|one, other| one.key.cmp(&other.key));
    ordered
}

/// A statement on the row of this key, which are its first three parameters.
fn on(key: &ThrottleKey, statement: &'static str) -> Query {
    sqlx::query(statement).bind(key.kind.name()).bind(account_of(key)).bind(network_of(key))
}

fn account_of(key: &ThrottleKey) -> String {
    key.account.clone().unwrap_or_default()
}

fn network_of(key: &ThrottleKey) -> String {
    key.network.map(|network| network.to_string()).unwrap_or_default()
}

/// The counter with its marks, whatever its window.
async fn read(connection: impl SqliteExecutor<'_>, key: &ThrottleKey) -> Result<Option<Counted>, Error> {
    let rows = on(
        key,
        "SELECT t.kind, t.account, t.network, t.until, m.account AS mark_account, m.secret AS mark_secret \
         FROM throttles t JOIN throttle_marks m ON m.throttle = t.id \
         WHERE t.kind = $1 AND t.account = $2 AND t.network = $3 ORDER BY m.account, m.secret",
    );
    Ok(gather(&rows.fetch_all(connection).await.map_err(unavailable)?)?.pop())
}

/// Locks the counter, which begins if there is none or its window has passed. Its id, and how it stands.
async fn lock(
    connection: &mut SqliteConnection,
    counter: &Counter,
    now: Timestamp,
) -> Result<(i64, Counted), Error> {
    let (mut id, mut until) = begin(connection, counter, now).await?;
    if !counter.allowance.is_running(until, now) {
        // Another row, so that ids lie in the order in which windows began.
        remove(connection, &counter.key).await.map_err(unavailable)?;
        (id, until) = begin(connection, counter, now).await?;
    }
    let marks =
        "SELECT account AS mark_account, secret AS mark_secret FROM throttle_marks WHERE throttle = $1";
    let rows = sqlx::query(marks).bind(id).fetch_all(connection).await.map_err(unavailable)?;
    let marks = rows.iter().map(|row| mark(row, &account_of(&counter.key))).collect::<Result<_, _>>()?;
    Ok((id, Counted { key: counter.key.clone(), marks, until }))
}

/// A window that begins now, unless there is one. The id of the counter, and when its window ends.
async fn begin(
    connection: &mut SqliteConnection,
    counter: &Counter,
    now: Timestamp,
) -> Result<(i64, Timestamp), Error> {
    let begun = on(
        &counter.key,
        "INSERT INTO throttles (kind, account, network, until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, account, network) DO UPDATE SET until = throttles.until RETURNING id, until",
    );
    let begun = begun.bind(counter.allowance.end(now).as_millisecond());
    let row = begun.fetch_one(connection).await.map_err(unavailable)?;
    let columns = Columns::of(&row, "throttles", account_of(&counter.key));
    Ok((columns.take("id")?, columns.read("until", time)?))
}

/// Counts a failure; whether it is another one than those that are counted already.
async fn count(connection: &mut SqliteConnection, id: i64, mark: &Mark) -> Result<bool, sqlx::Error> {
    let insert =
        "INSERT INTO throttle_marks (throttle, account, secret) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(insert).bind(id).bind(mark.account.to_vec()).bind(mark.secret.to_vec());
    Ok(insert.execute(connection).await?.rows_affected() > 0)
}

/// The oldest make room. Ids lie in the order in which windows began, and there may be any number of gaps between them.
async fn make_room(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let delete =
        "DELETE FROM throttles WHERE id <= (SELECT id FROM throttles ORDER BY id DESC LIMIT 1 OFFSET $1)";
    sqlx::query(delete).bind(COUNTERS).execute(connection).await.map(drop)
}

async fn remove(connection: &mut SqliteConnection, key: &ThrottleKey) -> Result<(), sqlx::Error> {
    let delete = "DELETE FROM throttles WHERE kind = $1 AND account = $2 AND network = $3";
    on(key, delete).execute(connection).await.map(drop)
}

/// Takes the mark out of its counter, whatever its window; the last one takes the counter with it.
async fn take_back(
    connection: &mut SqliteConnection,
    Counter { key, mark, .. }: &Counter,
) -> Result<(), Error> {
    let lock =
        "UPDATE throttles SET until = until WHERE kind = $1 AND account = $2 AND network = $3 RETURNING id";
    let row = on(key, lock).fetch_optional(&mut *connection).await.map_err(unavailable)?;
    let Some(row) = row else { return Ok(()) };
    let id: i64 = Columns::of(&row, "throttles", account_of(key)).take("id")?;
    let taken = "DELETE FROM throttle_marks WHERE throttle = $1 AND account = $2 AND secret = $3";
    let taken = sqlx::query(taken).bind(id).bind(mark.account.to_vec()).bind(mark.secret.to_vec());
    taken.execute(&mut *connection).await.map_err(unavailable)?;
    let empty = "DELETE FROM throttles WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM throttle_marks WHERE throttle = $1)";
    sqlx::query(empty).bind(id).execute(connection).await.map(drop).map_err(unavailable)
}

/// The counters of a page, each with its marks.
fn select(filter: &ThrottleFilter, page: Page<CountedPlace>, now: Timestamp) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "SELECT t.kind, t.account, t.network, t.until, m.account AS mark_account, m.secret AS mark_secret \
         FROM (SELECT * FROM throttles WHERE until <= ",
    );
    query.push_bind(Counted::latest_end(now).as_millisecond());
    if let Some(kind) = filter.kind {
        query.push(" AND kind = ").push_bind(kind.name());
    }
    if let Some(account) = &filter.account {
        query.push(" AND account = ").push_bind(account.clone());
    }
    if let Some(network) = filter.network {
        query.push(" AND network = ").push_bind(network.to_string());
    }
    query.push(" AND until > ").push_bind(now.as_millisecond());
    if let Some((until, key)) = page.after {
        query.push(" AND (until, kind, account, network) > (").push_bind(until.as_millisecond());
        query.push(", ").push_bind(key.kind.name()).push(", ").push_bind(account_of(&key));
        query.push(", ").push_bind(network_of(&key)).push(")");
    }
    query.push(" ORDER BY until, kind, account, network LIMIT ").push_bind(page.limit);
    query.push(
        ") t JOIN throttle_marks m ON m.throttle = t.id \
         ORDER BY t.until, t.kind, t.account, t.network, m.account, m.secret",
    );
    query
}

/// The counters of rows with a mark each, those of one counter behind one another.
fn gather(rows: &[SqliteRow]) -> Result<Vec<Counted>, Error> {
    let mut all: Vec<Counted> = Vec::new();
    for row in rows {
        let (key, until) = counter(row)?;
        let mark = mark(row, &account_of(&key))?;
        match all.last_mut().filter(|last| last.key == key) {
            Some(last) => last.marks.push(mark),
            None => all.push(Counted { key, marks: vec![mark], until }),
        }
    }
    Ok(all)
}

fn counter(row: &SqliteRow) -> Result<(ThrottleKey, Timestamp), Corrupt> {
    let account: String = Columns::of(row, "throttles", "?").take("account")?;
    let columns = Columns::of(row, "throttles", &account);
    let key = ThrottleKey {
        kind: columns.read("kind", ThrottleKind::from_name)?,
        network: columns.read("network", network)?,
        account: Some(account).filter(|account| !account.is_empty()),
    };
    Ok((key, columns.read("until", time)?))
}

/// A network, or none at all.
fn network(text: &str) -> Option<Option<IpNet>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn mark(row: &SqliteRow, account: &str) -> Result<Mark, Corrupt> {
    let columns = Columns::of(row, "throttle_marks", account);
    let half = |octets: &[u8]| octets.try_into().ok();
    Ok(Mark { account: columns.read("mark_account", half)?, secret: columns.read("mark_secret", half)? })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use store::Allowance;

    use super::*;
    use crate::{Mode, SqliteStore};

    /// As many as there may be and ten more, the oldest first, whose ids have gaps, as where transactions were given up.
    const TOO_MANY: &str = "
        WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 100010)
        INSERT INTO throttles SELECT 3 * n, 'password', n || '@example.org', '', 1800000000000 FROM n;
    ";

    #[tokio::test]
    async fn the_oldest_counters_make_room_for_one_more() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path(), Mode::Command).await.unwrap();
        let writer = store.accounts().database.writer().unwrap();
        sqlx::raw_sql(TOO_MANY).execute(writer).await.unwrap();
        let key = ThrottleKey { kind: ThrottleKind::Password, account: None, network: None };
        let allowance = Allowance { failures: 5, accounts: 5, window: SignedDuration::from_mins(1) };
        let counter = Counter { key, allowance, mark: Mark { account: [1; 8], secret: [1; 8] } };
        store.accounts().attempt(&[counter], Timestamp::UNIX_EPOCH).await.unwrap();
        let left: (i64, i64) =
            sqlx::query_as("SELECT count(*), min(id) FROM throttles").fetch_one(writer).await.unwrap();
        assert_eq!(left, (COUNTERS, 3 * 12));
    }
}

//! Throttles as rows.

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Sqlite, SqliteExecutor, Transaction};
use store::{
    Act, Action, AuditEvent, Corrupt, Counted, Counter, Error, LONGEST_WINDOW, Mark, ThrottleKey,
    ThrottleKind, Throttled, Throttles,
};
use types::Mailbox;

use super::{SqliteAccounts, audit};
use crate::failure::unavailable;
use crate::row::{Columns, time};

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// So many counters at most: some 20 MB. Whoever fails on a name that nobody has makes one.
const COUNTERS: i64 = 100_000;

impl Throttles for SqliteAccounts {
    async fn throttled(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Throttled>, Error> {
        let mut used_up = Vec::new();
        for counter in counters {
            let counted = read(self.database.readers()?, counter, now).await?;
            used_up.extend(counted.and_then(|counted| throttled(counter, &counted)));
        }
        Ok(last_to_end(used_up))
    }

    async fn attempt(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Throttled>, Error> {
        if counters.is_empty() {
            return Ok(None);
        }
        let (mut transaction, mut all, mut used_up) = (self.begin().await?, Vec::new(), Vec::new());
        for counter in counters {
            let counted = read(&mut *transaction, counter, now).await?;
            used_up.extend(counted.as_ref().and_then(|counted| throttled(counter, counted)));
            all.push((counter, counted));
        }
        if used_up.is_empty() {
            for (counter, counted) in all {
                count(&mut transaction, counter, counted, now).await.map_err(unavailable)?;
            }
            transaction.commit().await.map_err(unavailable)?;
        }
        Ok(last_to_end(used_up))
    }

    async fn succeeded(&self, counters: &[Counter], others: &[Counter]) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        for counter in counters {
            remove(&mut transaction, &counter.key).await.map_err(unavailable)?;
        }
        for counter in others {
            take_back(&mut transaction, counter).await?;
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn withdraw(&self, counters: &[Counter]) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        for counter in counters {
            take_back(&mut transaction, counter).await?;
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn counted(&self, now: Timestamp) -> Result<Vec<Counted>, Error> {
        let all =
            sqlx::query("SELECT * FROM throttle WHERE until > $1 AND until <= $2 ORDER BY until, rowid");
        let all = all.bind(now.as_millisecond()).bind(latest_end(now).as_millisecond());
        let rows = all.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(counted(row)?)).collect()
    }

    async fn clear_account(&self, account: &Mailbox, act: &Act) -> Result<u64, Error> {
        let delete = sqlx::query("DELETE FROM throttle WHERE account = $1 AND until > $2");
        let event = AuditEvent::change(Action::ThrottleClear, account.normal(), act);
        self.clear(delete.bind(account.normal()).bind(act.at.as_millisecond()), &event).await
    }

    async fn clear_network(&self, network: &IpNet, act: &Act) -> Result<u64, Error> {
        let delete = sqlx::query("DELETE FROM throttle WHERE network = $1 AND until > $2");
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
        self.forget(
            "DELETE FROM throttle WHERE rowid IN (SELECT rowid FROM throttle WHERE until <= $1 LIMIT $2)",
            now,
        )
        .await?;
        self.forget(
            "DELETE FROM throttle WHERE rowid IN (SELECT rowid FROM throttle WHERE until > $1 LIMIT $2)",
            latest_end(now),
        )
        .await?;
        self.bring_back("UPDATE familiar_networks SET at = $1 WHERE at > $2", now).await?;
        self.forget(
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

fn throttled(counter: &Counter, counted: &Counted) -> Option<Throttled> {
    let is_used_up = counter.allowance.is_used_up(&counted.marks);
    is_used_up.then(|| Throttled { key: counted.key.clone(), until: counted.until })
}

fn last_to_end(used_up: Vec<Throttled>) -> Option<Throttled> {
    used_up.into_iter().max_by_key(|throttled| throttled.until)
}

/// A statement on the row of this key, which are its first three parameters.
fn on(key: &ThrottleKey, statement: &'static str) -> Query {
    let account = key.account.clone().unwrap_or_default();
    let network = key.network.map(|network| network.to_string()).unwrap_or_default();
    sqlx::query(statement).bind(key.kind.name()).bind(account).bind(network)
}

/// The counter as it stands, unless its window has passed. One that ends more than two windows from now began
/// before the clock was set back, and nobody shall wait until the clock is there again.
async fn read(
    connection: impl SqliteExecutor<'_>,
    Counter { key, allowance, .. }: &Counter,
    now: Timestamp,
) -> Result<Option<Counted>, Error> {
    let latest = end(end(now, allowance.window), allowance.window);
    let row = on(
        key,
        "SELECT * FROM throttle WHERE kind = $1 AND account = $2 AND network = $3 AND until > $4 AND until <= $5",
    );
    let row = row.bind(now.as_millisecond()).bind(latest.as_millisecond());
    let row = row.fetch_optional(connection).await.map_err(unavailable)?;
    Ok(row.as_ref().map(counted).transpose()?)
}

/// Counts a failure, for the first time or beside others.
async fn count(
    transaction: &mut Transaction<'_, Sqlite>,
    counter: &Counter,
    counted: Option<Counted>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match counted {
        Some(counted) if counted.marks.contains(&counter.mark) => Ok(()),
        Some(mut counted) => {
            counted.marks.push(counter.mark);
            keep(transaction, &counted).await
        }
        None => begin(transaction, counter, now).await,
    }
}

/// When the longest counter ends, if the clock goes back by as much as it lasts.
fn latest_end(now: Timestamp) -> Timestamp {
    end(end(now, LONGEST_WINDOW), LONGEST_WINDOW)
}

fn end(now: Timestamp, window: SignedDuration) -> Timestamp {
    now.checked_add(window).unwrap_or(Timestamp::MAX)
}

/// A new row even where there was one, so that rows lie in the order in which their windows began; the oldest make
/// room.
async fn begin(
    transaction: &mut Transaction<'_, Sqlite>,
    counter: &Counter,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let until = end(now, counter.allowance.window);
    let insert =
        "INSERT OR REPLACE INTO throttle (kind, account, network, until, marks) VALUES ($1, $2, $3, $4, $5)";
    let insert = on(&counter.key, insert).bind(until.as_millisecond()).bind(octets(&[counter.mark]));
    insert.execute(&mut **transaction).await?;
    // No two rows have the same rowid, so this leaves that many at most without counting them.
    let delete = "DELETE FROM throttle WHERE rowid <= (SELECT max(rowid) FROM throttle) - $1";
    sqlx::query(delete).bind(COUNTERS).execute(&mut **transaction).await.map(drop)
}

/// Writes the marks of a counter. When it ends is said once, with the first.
async fn keep(transaction: &mut Transaction<'_, Sqlite>, counted: &Counted) -> Result<(), sqlx::Error> {
    let update = "UPDATE throttle SET marks = $4 WHERE kind = $1 AND account = $2 AND network = $3";
    on(&counted.key, update).bind(octets(&counted.marks)).execute(&mut **transaction).await.map(drop)
}

async fn remove(transaction: &mut Transaction<'_, Sqlite>, key: &ThrottleKey) -> Result<(), sqlx::Error> {
    let delete = "DELETE FROM throttle WHERE kind = $1 AND account = $2 AND network = $3";
    on(key, delete).execute(&mut **transaction).await.map(drop)
}

/// Takes the mark out of its counter, whatever its window; the last one takes the counter with it.
async fn take_back(
    transaction: &mut Transaction<'_, Sqlite>,
    Counter { key, mark, .. }: &Counter,
) -> Result<(), Error> {
    let row = on(key, "SELECT * FROM throttle WHERE kind = $1 AND account = $2 AND network = $3");
    let row = row.fetch_optional(&mut **transaction).await.map_err(unavailable)?;
    let Some(mut counted) = row.as_ref().map(counted).transpose()? else { return Ok(()) };
    counted.marks.retain(|counted| counted != mark);
    if counted.marks.is_empty() {
        return remove(transaction, key).await.map_err(unavailable);
    }
    keep(transaction, &counted).await.map_err(unavailable)
}

fn counted(row: &SqliteRow) -> Result<Counted, Corrupt> {
    let columns = Columns::of(row, "throttle", "?");
    let account: String = columns.take("account")?;
    let columns = Columns::of(row, "throttle", &account);
    let key = ThrottleKey {
        kind: columns.read("kind", kind)?,
        network: columns.read("network", network)?,
        account: Some(account).filter(|account| !account.is_empty()),
    };
    Ok(Counted { key, marks: columns.read("marks", marks)?, until: columns.read("until", time)? })
}

fn kind(name: &str) -> Option<ThrottleKind> {
    ThrottleKind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// A network, or none at all.
fn network(text: &str) -> Option<Option<IpNet>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn octets(marks: &[Mark]) -> Vec<u8> {
    marks.iter().flat_map(|mark| [mark.account, mark.secret]).flatten().collect()
}

fn marks(octets: &[u8]) -> Option<Vec<Mark>> {
    let halves: Vec<[u8; 8]> = octets.chunks(8).map(TryInto::try_into).collect::<Result<_, _>>().ok()?;
    halves
        .chunks(2)
        .map(|halves| match halves {
            [account, secret] => Some(Mark { account: *account, secret: *secret }),
            _ => None,
        })
        .collect()
}

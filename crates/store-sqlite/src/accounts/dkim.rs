//! DKIM keys as rows.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use store::{Act, Action, AuditEvent, Corrupt, DkimKey, DkimKeys, Error, Page};
use types::{DkimAlgorithm, DkimKeyId, DkimKeyName, Domain};

use super::{SqliteAccounts, audit};
use crate::failure::{is_taken, unavailable};
use crate::row::{Columns, Query, octets, time};

/// The columns of a key.
macro_rules! columns {
    () => {
        "id, domain, selector, algorithm, created_at, activated_at, retired_at, public_key, sealed"
    };
}

/// The keys that sign.
macro_rules! active {
    () => {
        "activated_at IS NOT NULL AND retired_at IS NULL"
    };
}

impl DkimKeys for SqliteAccounts {
    async fn add_dkim_key(&self, key: &DkimKey, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        let inserted = insert(key).execute(&mut *transaction).await;
        inserted.map_err(|error| if is_taken(&error) { Error::AlreadyExists } else { unavailable(error) })?;
        audit(&mut transaction, Action::DkimGenerate, &key.name, act).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn dkim_key(&self, name: &DkimKeyName) -> Result<Option<DkimKey>, Error> {
        let one = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM dkim_keys WHERE domain = $1 AND selector = $2"
        ));
        let one = of(one, name).fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        Ok(one.as_ref().map(key).transpose()?)
    }

    async fn dkim_keys(&self, domain: Option<&str>, page: Page<DkimKeyName>) -> Result<Vec<DkimKey>, Error> {
        let some = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM dkim_keys WHERE ($1 IS NULL OR domain = $1) AND (domain, selector) > ($2, $3) \
             ORDER BY domain, selector LIMIT $4"
        ));
        let (after_domain, after_selector) = match &page.after {
            Some(name) => (name.domain(), name.selector().as_str()),
            None => ("", ""),
        };
        let some = some.bind(domain).bind(after_domain).bind(after_selector).bind(page.limit);
        let rows = some.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(key(row)?)).collect()
    }

    async fn any_active_dkim_key(&self) -> Result<bool, Error> {
        let any =
            sqlx::query_scalar(concat!("SELECT EXISTS (SELECT 1 FROM dkim_keys WHERE ", active!(), ")"));
        any.fetch_one(self.database.readers()?).await.map_err(unavailable)
    }

    async fn active_dkim_keys(&self, domains: &[&str]) -> Result<Vec<DkimKey>, Error> {
        if domains.is_empty() {
            return Ok(Vec::new());
        }
        let mut some = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM dkim_keys WHERE domain IN ("));
        let mut all = some.separated(", ");
        for domain in domains {
            all.push_bind(*domain);
        }
        some.push(concat!(") AND ", active!(), " ORDER BY domain, selector"));
        let rows =
            some.build().persistent(false).fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(key(row)?)).collect()
    }

    async fn activate_dkim_key(&self, name: &DkimKeyName, act: &Act) -> Result<Option<DkimKeyName>, Error> {
        let mut transaction = self.begin_change().await?;
        if !exists(&mut transaction, name).await? {
            return Err(Error::NotFound);
        }
        let others = retire_others(name, act.at).fetch_optional(&mut *transaction).await;
        let replaced = others.map_err(unavailable)?.as_ref().map(named).transpose()?;
        let activated = activate(name, act.at).execute(&mut *transaction).await.map_err(unavailable)?;
        if activated.rows_affected() == 0 {
            transaction.rollback().await.map_err(unavailable)?;
            return Ok(None);
        }
        if let Some(replaced) = &replaced {
            audit(&mut transaction, Action::DkimRetire, replaced, act).await?;
        }
        audit(&mut transaction, Action::DkimActivate, name, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(replaced)
    }

    async fn retire_dkim_key(&self, name: &DkimKeyName, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        if !exists(&mut transaction, name).await? {
            return Err(Error::NotFound);
        }
        let retired = retire(name, act.at).execute(&mut *transaction).await.map_err(unavailable)?;
        if retired.rows_affected() == 0 {
            transaction.rollback().await.map_err(unavailable)?;
            return Ok(false);
        }
        audit(&mut transaction, Action::DkimRetire, name, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn wipe_dkim_key(&self, name: &DkimKeyName, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        if !exists(&mut transaction, name).await? {
            return Err(Error::NotFound);
        }
        let wiped = wipe(name).execute(&mut *transaction).await.map_err(unavailable)?;
        if wiped.rows_affected() == 0 {
            transaction.rollback().await.map_err(unavailable)?;
            return Ok(false);
        }
        audit(&mut transaction, Action::DkimWipe, name, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }
}

fn insert(key: &DkimKey) -> Query {
    sqlx::query(concat!(
        "INSERT INTO dkim_keys (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    ))
    .bind(key.id.as_bytes().to_vec())
    .bind(key.name.domain().to_owned())
    .bind(key.name.selector().to_string())
    .bind(key.algorithm.name())
    .bind(key.created_at.as_millisecond())
    .bind(key.activated_at.map(Timestamp::as_millisecond))
    .bind(key.retired_at.map(Timestamp::as_millisecond))
    .bind(key.public_key.clone())
    .bind(key.sealed.clone())
}

/// The statement with the name of a key as its first two parameters.
fn of(statement: Query, name: &DkimKeyName) -> Query {
    statement.bind(name.domain().to_owned()).bind(name.selector().to_string())
}

async fn exists(transaction: &mut Transaction<'_, Sqlite>, name: &DkimKeyName) -> Result<bool, Error> {
    let one = sqlx::query("SELECT 1 FROM dkim_keys WHERE domain = $1 AND selector = $2");
    let found = of(one, name).fetch_optional(&mut **transaction).await.map_err(unavailable)?;
    Ok(found.is_some())
}

fn retire_others(name: &DkimKeyName, at: Timestamp) -> Query {
    let update = sqlx::query(concat!(
        "UPDATE dkim_keys SET retired_at = $3 WHERE domain = $1 AND selector <> $2 AND ",
        active!(),
        " AND algorithm = (SELECT algorithm FROM dkim_keys WHERE domain = $1 AND selector = $2) \
         RETURNING domain, selector"
    ));
    of(update, name).bind(at.as_millisecond())
}

fn activate(name: &DkimKeyName, at: Timestamp) -> Query {
    let update = sqlx::query(concat!(
        "UPDATE dkim_keys SET activated_at = $3, retired_at = NULL WHERE domain = $1 AND selector = $2 AND NOT (",
        active!(),
        ")"
    ));
    of(update, name).bind(at.as_millisecond())
}

fn retire(name: &DkimKeyName, at: Timestamp) -> Query {
    let update = sqlx::query(
        "UPDATE dkim_keys SET retired_at = $3 WHERE domain = $1 AND selector = $2 AND retired_at IS NULL",
    );
    of(update, name).bind(at.as_millisecond())
}

fn wipe(name: &DkimKeyName) -> Query {
    let update = sqlx::query(
        "UPDATE dkim_keys SET sealed = $3 \
         WHERE domain = $1 AND selector = $2 AND retired_at IS NOT NULL AND length(sealed) > 0",
    );
    of(update, name).bind(Vec::<u8>::new())
}

async fn audit(
    transaction: &mut Transaction<'_, Sqlite>,
    action: Action,
    name: &DkimKeyName,
    act: &Act,
) -> Result<(), Error> {
    audit::enter(transaction, &AuditEvent::success(action, act).about(name)).await
}

fn key(row: &SqliteRow) -> Result<DkimKey, Corrupt> {
    let name = named(row)?;
    let columns = Columns::of(row, "dkim_keys", &name);
    Ok(DkimKey {
        id: columns.read("id", |id: &[u8]| octets(id).map(DkimKeyId::from_bytes))?,
        algorithm: columns.read("algorithm", DkimAlgorithm::from_name)?,
        created_at: columns.read("created_at", time)?,
        activated_at: columns.maybe("activated_at", time)?,
        retired_at: columns.maybe("retired_at", time)?,
        public_key: columns.take("public_key")?,
        sealed: columns.take("sealed")?,
        name,
    })
}

fn named(row: &SqliteRow) -> Result<DkimKeyName, Corrupt> {
    let columns = Columns::of(row, "dkim_keys", "?");
    let domain = columns.read("domain", |domain: &str| Domain::parse(domain).ok())?;
    columns.read("selector", |selector: &str| DkimKeyName::new(&domain, selector.parse().ok()?).ok())
}

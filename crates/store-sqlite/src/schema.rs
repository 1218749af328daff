//! The schemas of the databases: which one a database has, and bringing an older one up to date.
//!
//! Opening a database makes the schema of an empty one and changes no other: a command of a new version must not migrate
//! under a running server of the old one. Migrating is a step of its own, which the server and `store migrate` take.

use sqlx::SqliteConnection;
use sqlx::migrate::{Migrate as _, MigrateError, Migrator};

use crate::failure;

/// The schema of the accounts.
pub(crate) static ACCOUNTS: Schema =
    Schema { database: "accounts.db", migrator: sqlx::migrate!("../../migrations/sqlite/accounts") };
/// The schema of the queue.
pub(crate) static QUEUE: Schema =
    Schema { database: "queue.db", migrator: sqlx::migrate!("../../migrations/sqlite/queue") };

/// The schema of the ledger.
pub(crate) static LEDGER: Schema =
    Schema { database: "ledger.db", migrator: sqlx::migrate!("../../migrations/sqlite/ledger") };

/// A schema, as this program knows it.
pub(crate) struct Schema {
    database: &'static str,
    migrator: Migrator,
}

/// What was done to the schema of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The name of its file.
    pub database: &'static str,
    /// The version that it had; 0 if it was empty.
    pub from: i64,
    /// The version that it has now, which may be the same.
    pub to: i64,
}

/// Why a database is not opened or migrated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    /// It has to be migrated first.
    #[error("the schema is older than this program")]
    Older,
    /// It was migrated by a newer version, or belongs to another build.
    #[error("the schema is newer than this program")]
    Newer,
    /// SQLite can't.
    #[error(transparent)]
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for SchemaError {
    fn from(error: sqlx::Error) -> Self {
        Self::from(MigrateError::from(error))
    }
}

impl From<MigrateError> for SchemaError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => Self::Newer,
            error => Self::Database(failure::of_opening(error)),
        }
    }
}

/// What a database has of the schema.
enum Found {
    Nothing,
    /// All up to this version, which is not the last.
    Older(i64),
    All,
    /// Something that this program doesn't know.
    Unknown,
}

impl Schema {
    /// Makes the schema of an empty database; any other must have it.
    pub(crate) async fn require(&self, connection: &mut SqliteConnection) -> Result<(), SchemaError> {
        match self.found(connection).await? {
            Found::All => Ok(()),
            Found::Nothing => Ok(self.migrator.run_direct(None, connection, false).await?),
            Found::Older(_) => Err(SchemaError::Older),
            Found::Unknown => Err(SchemaError::Newer),
        }
    }

    /// Brings the database up to date; each step is done whole or not at all.
    pub(crate) async fn migrate(&self, connection: &mut SqliteConnection) -> Result<Migrated, SchemaError> {
        let from = match self.found(connection).await? {
            Found::Nothing => 0,
            Found::Older(version) => version,
            Found::All => self.version(),
            Found::Unknown => return Err(SchemaError::Newer),
        };
        self.migrator.run_direct(None, connection, false).await?;
        Ok(Migrated { database: self.database, from, to: self.version() })
    }

    fn version(&self) -> i64 {
        self.migrator.iter().last().map_or(0, |migration| migration.version)
    }

    async fn found(&self, connection: &mut SqliteConnection) -> Result<Found, SchemaError> {
        let begun = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = $1)";
        let table = &*self.migrator.table_name;
        if !sqlx::query_scalar(begun).bind(table.to_owned()).fetch_one(&mut *connection).await? {
            return Ok(Found::Nothing);
        }
        let applied = connection.list_applied_migrations(table).await?;
        let mut known = self.migrator.iter();
        let is_known = applied.iter().all(|applied| {
            known
                .next()
                .is_some_and(|known| (known.version, &known.checksum) == (applied.version, &applied.checksum))
        });
        Ok(match applied.last() {
            None => Found::Nothing,
            Some(_) if !is_known => Found::Unknown,
            Some(_) if known.next().is_none() => Found::All,
            Some(last) => Found::Older(last.version),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schema_has_its_migrations_numbered_one_by_one() {
        for schema in [&ACCOUNTS, &QUEUE, &LEDGER] {
            let numbers: Vec<i64> = schema.migrator.iter().map(|migration| migration.version).collect();
            let expected: Vec<i64> = (1..).take(numbers.len()).collect();
            assert_eq!(numbers, expected, "{}", schema.database);
        }
    }
}

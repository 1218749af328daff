//! Statements with their parameters, and columns as values, checked on the way out.

use jiff::Timestamp;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Decode, Row, Sqlite, Type};
use store::Corrupt;

/// A statement with its parameters.
pub(crate) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// A row of a table whose damaged columns can be named.
pub(crate) struct Columns<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    id: String,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r SqliteRow, table: &'static str, id: impl ToString) -> Self {
        Self { row, table, id: id.to_string() }
    }

    /// The column as it is stored.
    pub(crate) fn take<T: Decode<'r, Sqlite> + Type<Sqlite>>(
        &self,
        column: &'static str,
    ) -> Result<T, Corrupt> {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    /// The column as what it means.
    pub(crate) fn read<'t, T: Decode<'r, Sqlite> + Type<Sqlite>, U>(
        &'t self,
        column: &'static str,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, Corrupt> {
        parse(self.take(column)?).ok_or_else(|| self.corrupt(column))
    }

    /// The column as what it means, if it is there.
    pub(crate) fn maybe<T: Decode<'r, Sqlite> + Type<Sqlite>, U>(
        &self,
        column: &'static str,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> Result<Option<U>, Corrupt> {
        match self.take::<Option<T>>(column)? {
            None => Ok(None),
            Some(value) => parse(value).map(Some).ok_or_else(|| self.corrupt(column)),
        }
    }

    pub(crate) fn corrupt(&self, column: &'static str) -> Corrupt {
        Corrupt::on(self.table, self.id.clone(), column)
    }
}

/// A time as it is stored: milliseconds since 1970.
pub(crate) fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

/// The octets of an id.
pub(crate) fn octets(octets: &[u8]) -> Option<[u8; 16]> {
    octets.try_into().ok()
}

/// A column, unless it is damaged or NULL.
pub(crate) fn maybe<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(row: &'r SqliteRow, column: &str) -> Option<T> {
    row.try_get::<Option<T>, _>(column).ok().flatten()
}

/// Text as far as it can be read, unless it is NULL.
pub(crate) fn lossy(row: &SqliteRow, column: &str) -> Option<String> {
    maybe::<&[u8]>(row, column).map(|text| String::from_utf8_lossy(text).into_owned())
}

/// A path as it is shown: without its angle brackets.
pub(crate) fn bare(path: &str) -> String {
    path.trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// Text as far as it can be read.
pub(crate) fn text(row: &SqliteRow, column: &str) -> String {
    lossy(row, column).unwrap_or_default()
}

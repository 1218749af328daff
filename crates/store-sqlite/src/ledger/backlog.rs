//! Notes that wait for their rows: written at once as they are, a few hundred in a row, and made rows of when there is time.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::note::{Line, Piece, unpacked};
use super::rows;

/// The form of notes: JSON, in which earlier versions have written them.
const JSON: i64 = 1;
/// The form of notes: packed.
const PACKED: i64 = 2;

const ADD: &str = "INSERT INTO backlog (form, notes) VALUES ($1, $2)";
const OLDEST: &str = "SELECT number, form, notes FROM backlog ORDER BY number LIMIT 1";
const REMOVE: &str = "DELETE FROM backlog WHERE number = $1";
const PIECES: &str =
    "SELECT coalesce((SELECT max(number) FROM backlog) - (SELECT min(number) FROM backlog) + 1, 0)";
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM backlog)";

/// Adds notes.
pub(super) async fn add(connection: &mut SqliteConnection, pieces: &[Piece]) -> Result<(), sqlx::Error> {
    for piece in pieces {
        sqlx::query(ADD).bind(PACKED).bind(piece.packed().to_vec()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// How many pieces wait, about.
pub(super) async fn pieces(connection: &mut SqliteConnection) -> Result<usize, sqlx::Error> {
    let pieces: i64 = sqlx::query_scalar(PIECES).fetch_one(connection).await?;
    Ok(usize::try_from(pieces).unwrap_or_default())
}

/// Makes rows of the oldest notes, so many pieces of them; whether there are others.
pub(super) async fn shorten(connection: &mut SqliteConnection, at_most: usize) -> Result<bool, sqlx::Error> {
    for _ in 0..at_most {
        let Some(oldest) = sqlx::query(OLDEST).fetch_optional(&mut *connection).await? else {
            return Ok(false);
        };
        rows::write(connection, &lines(&oldest)?).await?;
        sqlx::query(REMOVE).bind(oldest.try_get::<i64, _>("number")?).execute(&mut *connection).await?;
    }
    sqlx::query_scalar(IS_THERE).fetch_one(connection).await
}

/// What is damaged is lost.
fn lines(row: &SqliteRow) -> Result<Vec<Line<'_>>, sqlx::Error> {
    let notes: &[u8] = row.try_get("notes")?;
    Ok(match row.try_get("form")? {
        JSON => serde_json::from_slice(notes).unwrap_or_default(),
        _ => unpacked(notes).collect(),
    })
}

/// Whether any wait.
pub(super) async fn is_there(readers: &SqlitePool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(IS_THERE).fetch_one(readers).await
}

//! Notes that wait for their rows: written at once as text, a few hundred in a row, and made rows of when there is time.

use sqlx::{Row, SqliteConnection, SqlitePool};

use super::note::{Line, Note};
use super::rows;

/// How many notes stand in one row.
const PIECE: usize = 250;

const ADD: &str = "INSERT INTO backlog (notes) VALUES ($1)";
const OLDEST: &str = "SELECT number, notes FROM backlog ORDER BY number LIMIT 1";
const REMOVE: &str = "DELETE FROM backlog WHERE number = $1";
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM backlog)";

/// Adds notes.
pub(super) async fn add(connection: &mut SqliteConnection, notes: &[Note]) -> Result<(), sqlx::Error> {
    for piece in notes.chunks(PIECE) {
        let lines: Vec<Line<'_>> = piece.iter().flat_map(Note::lines).collect();
        let text = serde_json::to_string(&lines).map_err(|error| sqlx::Error::Encode(error.into()))?;
        sqlx::query(ADD).bind(text).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Makes rows of the oldest notes, about so many; whether there are others.
pub(super) async fn shorten(connection: &mut SqliteConnection, at_most: usize) -> Result<bool, sqlx::Error> {
    for _ in 0..at_most.div_ceil(PIECE) {
        let Some(oldest) = sqlx::query(OLDEST).fetch_optional(&mut *connection).await? else {
            return Ok(false);
        };
        let text: String = oldest.try_get("notes")?;
        // What is damaged is lost.
        let lines: Vec<Line<'_>> = serde_json::from_str(&text).unwrap_or_default();
        for line in &lines {
            rows::write(connection, line).await?;
        }
        sqlx::query(REMOVE).bind(oldest.try_get::<i64, _>("number")?).execute(&mut *connection).await?;
    }
    sqlx::query_scalar(IS_THERE).fetch_one(connection).await
}

/// Whether any wait.
pub(super) async fn is_there(readers: &SqlitePool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(IS_THERE).fetch_one(readers).await
}

//! What the server does at its start about what a crash has left.

use std::collections::HashSet;
use std::fs;
use std::io;

use sqlx::SqlitePool;
use store::SpoolError;
use types::QueueId;

use super::file;
use crate::directory::Directory;
use crate::failure;
use crate::losses::Losses;

/// Removes the files of messages that never got their 250; none while rows may be missing that got it.
pub(super) async fn sweep(
    directory: &Directory,
    losses: &Losses,
    readers: &SqlitePool,
) -> Result<(), SpoolError> {
    if losses.are_open() {
        return Ok(());
    }
    let rows =
        sqlx::query_scalar::<_, Vec<u8>>("SELECT id FROM entries WHERE in_file = 1").fetch_all(readers);
    let rows = match rows.await {
        Ok(rows) => rows,
        Err(error) => return Err(failure::of_queue(directory, error).await),
    };
    let known: HashSet<Vec<u8>> = rows.into_iter().collect();
    let spool = directory.spool();
    let swept = tokio::task::spawn_blocking(move || {
        for file in fs::read_dir(spool)? {
            let file = file?;
            if is_orphan(&file.file_name().to_string_lossy(), &known) {
                tracing::info!(event = "spool.swept", file = %file.path().display(), "removing a message that was never accepted");
                file::remove_now(&file.path());
            }
        }
        Ok(())
    });
    swept.await.map_err(io::Error::from).flatten().map_err(failure::of_file)
}

/// Has SQLite look for damage, in the background, as this reads the whole database.
pub(super) fn check(readers: SqlitePool) {
    tokio::spawn(async move {
        let found: Result<String, _> = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&readers).await;
        match found {
            Ok(found) if found == "ok" => {}
            Ok(found) => {
                tracing::error!(
                    event = "spool.damaged",
                    found,
                    "the queue database is damaged; restore it, or remove what is held"
                )
            }
            Err(error) => {
                tracing::error!(event = "spool.failing", %error, "the queue database could not be checked")
            }
        }
    });
}

/// A file that is not named like a message is not ours to remove.
fn is_orphan(name: &str, known: &HashSet<Vec<u8>>) -> bool {
    name.parse::<QueueId>().is_ok_and(|id| !known.contains(&id.as_bytes()[..]))
}

//! Whether the accounts have changed, by whatever process, without asking SQLite.
//!
//! Every commit writes a new header into the wal-index, the file `-shm` that all processes share through the page
//! cache (<https://www.sqlite.org/walformat.html>, "WAL-Index Header"). To read that is a system call of less than a
//! microsecond; any query, even `PRAGMA data_version`, is a trip to another thread and back.
//!
//! It is a form that SQLite may change, so it is believed only as far as it proves itself: the header must be of the
//! known form and change with a commit; and no commit is taken for the last for more than a minute, whatever the header says. Without
//! it everything is read from the database again, which is slower and never wrong.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::SqlitePool;

use crate::wal::{INDEX_CHECKSUM, INDEX_HEADER, is_known_form};

/// How often a header is read that somebody is just writing, before it counts as of another form.
const TRIES: usize = 100;

/// How long a commit is taken for the last at most, should the header ever fail to tell of a change.
const AGE_LIMIT: Duration = Duration::from_secs(60);

/// Spreads the minutes over the commits. Odd, so that no two of them fall together.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A commit, and the minute in which it was looked at: equal values are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastCommit(u64);

/// A look at the wal-index.
#[derive(Debug, Clone)]
pub(super) struct WalIndex {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Never closed: SQLite has POSIX locks on the same file, and a process loses those when it closes any descriptor
    /// of it.
    file: Option<ManuallyDrop<File>>,
    opened: Instant,
    /// Somebody else sees to it that the file is not removed.
    is_watched: bool,
    /// Nothing of it is believed any more.
    lost: AtomicBool,
}

/// Why the wal-index cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it cannot be read")]
    Unreadable(#[from] std::io::Error),
    #[error("its header is not of the form that is known")]
    OtherForm,
    #[error("its header did not change with a commit")]
    Unchanged,
    #[error("it was removed")]
    Removed,
}

impl WalIndex {
    /// Opens the wal-index of a database that has a connection, and tests that its header is of the known form. It is `is_watched` if somebody
    /// else notices that the file is removed; otherwise each look does.
    pub(super) fn open(path: &Path, is_watched: bool) -> Self {
        let (file, unusable) = match File::open(path) {
            Ok(file) => (Some(ManuallyDrop::new(file)), None),
            Err(error) => (None, Some(Unusable::Unreadable(error))),
        };
        let shared = Shared { file, opened: Instant::now(), is_watched, lost: AtomicBool::new(false) };
        let index = Self { shared: Arc::new(shared) };
        if let Some(unusable) = unusable.or_else(|| index.shared.test_form().err()) {
            index.shared.lose(&unusable);
        }
        index
    }

    /// Tests with a commit that changes nothing else. If there is no room for one, there is none for any other either.
    pub(super) async fn test_with(self, writer: &SqlitePool) -> Self {
        let before = self.shared.checksum();
        if commit_nothing(writer).await.is_ok() {
            self.changed_since(before);
        }
        self
    }

    /// A commit was made since the checksum was `before`: it must be another one now.
    fn changed_since(&self, before: Option<u64>) {
        if before.is_some() && self.shared.checksum() == before {
            self.shared.lose(&Unusable::Unchanged);
        }
    }

    /// The last commit. One under way may tear what is read here; then it is neither the old nor the
    /// new one, and nobody will see it again.
    pub(super) fn last_commit(&self) -> Option<LastCommit> {
        Some(last_commit(self.shared.checksum()?, self.shared.opened.elapsed()))
    }
}

fn last_commit(checksum: u64, age: Duration) -> LastCommit {
    let minutes = age.as_secs() / AGE_LIMIT.as_secs();
    LastCommit(checksum.wrapping_add(minutes.wrapping_mul(SPREAD)))
}

impl Shared {
    fn checksum(&self) -> Option<u64> {
        if self.lost.load(Ordering::Relaxed) {
            return None;
        }
        self.read_checksum().inspect_err(|unusable| self.lose(unusable)).ok()
    }

    fn read_checksum(&self) -> Result<u64, Unusable> {
        let file = self.file.as_ref().ok_or(Unusable::Removed)?;
        let mut checksum = [0; 8];
        file.read_exact_at(&mut checksum, INDEX_CHECKSUM as u64)?;
        // Without any connection SQLite removes it, and begins another with the next.
        if !self.is_watched && file.metadata()?.nlink() == 0 {
            return Err(Unusable::Removed);
        }
        Ok(u64::from_ne_bytes(checksum))
    }

    fn test_form(&self) -> Result<(), Unusable> {
        let file = self.file.as_ref().ok_or(Unusable::Removed)?;
        for _ in 0..TRIES {
            let mut headers = [0; 2 * INDEX_HEADER];
            file.read_exact_at(&mut headers, 0)?;
            if is_known_form(&headers) {
                return Ok(());
            }
            std::thread::yield_now();
        }
        Err(Unusable::OtherForm)
    }

    /// Says so once.
    fn lose(&self, unusable: &Unusable) {
        if !self.lost.swap(true, Ordering::Relaxed) {
            let error: &dyn std::error::Error = unusable;
            tracing::warn!(
                event = "store.no-revision",
                error,
                "the wal-index of the accounts does not tell of changes: they are read from the database at every command, which is slower"
            );
        }
    }
}

/// A commit that writes what is there: a number that is nobody's, and that SQLite writes even if it is the same.
async fn commit_nothing(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let number: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(writer).await?;
    let same = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {number}"));
    sqlx::query(same).execute(writer).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::wal::sum;

    /// A header as SQLite writes it, after so many commits.
    fn headers(commits: u32) -> Vec<u8> {
        let words = [3_007_000, 0, commits, 1 | 4096 << 16, 7, 3, 11, 12, 13, 14];
        let one: Vec<u8> = words.into_iter().chain(sum([0, 0], &words)).flat_map(u32::to_ne_bytes).collect();
        one.repeat(2)
    }

    fn index_of(headers: &[u8]) -> (WalIndex, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(headers).unwrap();
        (WalIndex::open(file.path(), false), file)
    }

    #[test]
    fn a_revision_changes_with_a_commit() {
        let (index, file) = index_of(&headers(1));
        let before = index.last_commit();
        assert!(before.is_some());
        assert_eq!(index.last_commit(), before);
        file.as_file().write_all_at(&headers(2), 0).unwrap();
        assert_ne!(index.last_commit(), before);
        assert!(index.last_commit().is_some());
    }

    #[test]
    fn a_header_of_another_form_is_not_believed() {
        let good = headers(1);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(index_of(&bad).0.last_commit(), None, "octet {at}");
        }
        assert_eq!(index_of(&good[..95]).0.last_commit(), None);
        assert_eq!(index_of(&[]).0.last_commit(), None);
        assert_eq!(WalIndex::open(Path::new("/nowhere"), false).last_commit(), None);
    }

    #[test]
    fn a_header_that_stays_through_a_commit_is_not_believed_any_more() {
        let (index, file) = index_of(&headers(1));
        let before = index.shared.checksum();
        file.as_file().write_all_at(&headers(2), 0).unwrap();
        index.changed_since(before);
        assert!(index.last_commit().is_some());
        index.changed_since(index.shared.checksum());
        assert_eq!(index.last_commit(), None);
    }

    #[test]
    fn one_that_is_removed_tells_nothing() {
        let (index, file) = index_of(&headers(1));
        drop(file);
        assert_eq!(index.last_commit(), None);
    }

    #[test]
    fn no_revision_stands_for_more_than_a_minute() {
        let at = |seconds| last_commit(7, Duration::from_secs(seconds));
        assert_eq!(at(0), at(59));
        assert_ne!(at(59), at(60));
        assert_ne!(at(0), at(120));
    }
}

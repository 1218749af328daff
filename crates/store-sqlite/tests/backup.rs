//! A backup is a store, whatever happens to the other one meanwhile.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sample::{ann, at, commit, content, deliver, frank, id, lease, server, text};
use store::{Accounts, Outcome, Spool as _};
use store_sqlite::{BackedUp, BackupError, SqliteSpool, SqliteStore};
use types::QueueId;

/// Messages that come and go: small and large ones, of which every second is delivered at once.
struct Traffic {
    stop: Arc<AtomicBool>,
    /// The message of each number below is committed.
    committed: Arc<AtomicU64>,
    running: tokio::task::JoinHandle<()>,
}

impl Traffic {
    fn start(spool: SqliteSpool) -> Self {
        let (stop, committed) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (stopped, number) = (stop.clone(), committed.clone());
        let running = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let n = number.load(Ordering::Relaxed);
                commit(&spool, id(n), octets(n)).await.unwrap();
                number.store(n + 1, Ordering::Relaxed);
                if n % 2 == 1 {
                    for leased in lease(&spool).await.iter().filter(|leased| leased.submission.id == id(n)) {
                        deliver(&spool, leased).await.unwrap();
                    }
                }
            }
        });
        Self { stop, committed, running }
    }

    async fn until(&self, number: u64) {
        while self.committed.load(Ordering::Relaxed) < number {
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.running.await.unwrap();
    }
}

fn octets(n: u64) -> usize {
    if n.is_multiple_of(3) { 500 } else { 200_000 }
}

async fn queued(backup: &Path) -> BTreeSet<QueueId> {
    let store = server(backup).await;
    let found = store.integrity().await.unwrap();
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    let leased = lease(store.spool()).await;
    for leased in &leased {
        let read = content(store.spool(), leased).await.unwrap();
        assert_eq!(read, text(leased.submission.id, read.len()));
    }
    store.close().await;
    leased.iter().map(|leased| leased.submission.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_all_that_was_accepted_before_and_nothing_in_part() {
    let parent = tempfile::tempdir().unwrap();
    let store = server(&parent.path().join("store")).await;
    store.accounts().add(&ann(), &frank(0)).await.unwrap();
    let traffic = Traffic::start(store.spool().clone());
    for turn in 1..=3 {
        traffic.until(turn * 20).await;
        let before = traffic.committed.load(Ordering::Relaxed);
        let backup = parent.path().join(format!("backup {turn}"));
        let made = SqliteStore::back_up(&parent.path().join("store"), &backup).await.unwrap();
        let queued = queued(&backup).await;
        assert_eq!(made, BackedUp { accounts: 1, messages: u64::try_from(queued.len()).unwrap() });
        // Those with even numbers are never delivered.
        let lost: Vec<_> = (0..before).step_by(2).map(id).filter(|id| !queued.contains(id)).collect();
        assert_eq!(lost, []);
        let copy = server(&backup).await;
        assert!(copy.accounts().by_id(ann().id).await.unwrap().is_some());
        copy.close().await;
        assert_eq!(SqliteStore::exposed(&backup).unwrap(), []);
    }
    traffic.end().await;
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 4, "nothing else is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_and_whose_sender_knows_is_none_of_the_queue() {
    let parent = tempfile::tempdir().unwrap();
    let (from, to) = (parent.path().join("store"), parent.path().join("backup"));
    let store = server(&from).await;
    commit(store.spool(), id(1), 200_000).await.unwrap();
    let failed =
        Outcome::Failed { reply: "550 5.1.1 Unknown".to_owned(), host: None, said_by_host: true, told: true };
    store.spool().record(&lease(store.spool()).await[0], vec![(0, failed)], None, at(2)).await.unwrap();
    commit(store.spool(), id(2), 100).await.unwrap();
    let made = SqliteStore::back_up(&from, &to).await.unwrap();
    assert_eq!(made, BackedUp { accounts: 0, messages: 1 });
    assert_eq!(queued(&to).await, BTreeSet::from([id(2)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_into_no_place_that_is_taken_and_is_not_left_in_part() {
    let parent = tempfile::tempdir().unwrap();
    let (from, to) = (parent.path().join("store"), parent.path().join("backup"));
    let store = server(&from).await;
    commit(store.spool(), id(1), 200_000).await.unwrap();
    fs::create_dir(&to).unwrap();
    SqliteStore::back_up(&from, &to).await.unwrap();
    assert!(matches!(SqliteStore::back_up(&from, &to).await, Err(BackupError::Exists(_))));
    assert_eq!(queued(&to).await.len(), 1);
    // A message that cannot be read, for whatever reason but that it is gone.
    let message = from.join("spool").join(id(1).to_string());
    fs::remove_file(&message).unwrap();
    fs::create_dir(&message).unwrap();
    let made = SqliteStore::back_up(&from, &parent.path().join("another")).await;
    assert!(matches!(made, Err(BackupError::Unwritable(..))), "{made:?}");
    assert!(!parent.path().join("another").exists() && !parent.path().join("another.partial").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_backup_has_left_is_cleared_away_by_the_next_one() {
    let parent = tempfile::tempdir().unwrap();
    let (from, to, left) =
        (parent.path().join("store"), parent.path().join("backup"), parent.path().join("backup.partial"));
    let store = server(&from).await;
    commit(store.spool(), id(1), 200_000).await.unwrap();
    fs::create_dir_all(left.join("spool")).unwrap();
    for name in ["accounts.db", "queue.db", "queue.db-journal", "spool/00000000000000000000000002"] {
        fs::write(left.join(name), "half of it").unwrap();
    }

    // Somebody else's file is nothing that a backup may remove, nor is what another backup is writing.
    fs::write(left.join("letter.txt"), "Dear Ann").unwrap();
    let made = SqliteStore::back_up(&from, &to).await;
    assert!(matches!(&made, Err(BackupError::InTheWay(_, file)) if file.ends_with("letter.txt")), "{made:?}");
    assert!(left.join("queue.db").exists());
    fs::remove_file(left.join("letter.txt")).unwrap();
    let another = fs::File::open(&left).unwrap();
    another.lock().unwrap();
    let made = SqliteStore::back_up(&from, &to).await;
    assert!(matches!(made, Err(BackupError::BeingMade(_))), "{made:?}");
    assert!(left.join("queue.db").exists());
    drop(another);

    SqliteStore::back_up(&from, &to).await.unwrap();
    assert_eq!(queued(&to).await.len(), 1);
    assert_eq!(fs::read_dir(to.join("spool")).unwrap().count(), 1);
    assert!(!left.exists());
}

//! What is written for a message, and what is not written again.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::path::Path;

use jiff::Timestamp;
use sample::{commit, id, lease, server};
use store::{Accounts as _, Node, Nodes as _, Outcome, Spool};
use types::NodeId;

fn written(directory: &Path) -> u64 {
    written_to(directory, "queue")
}

fn written_to(directory: &Path, database: &str) -> u64 {
    std::fs::metadata(directory.join(format!("{database}.db-wal"))).unwrap().len()
}

/// SQLite leaves out what is written over itself, and then nothing has been tried.
#[tokio::test(flavor = "multi_thread")]
async fn to_try_whether_a_store_can_be_written_is_to_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let (id, name, version) = (NodeId::from_bytes([1; 16]), "mail".to_owned(), "1".to_owned());
    let node = Node { id, name, version, started_at: Timestamp::UNIX_EPOCH, newest_key: None };
    store.spool().join(&node).await.unwrap();
    let revision = store.accounts().revision().await;
    let before = ["queue", "accounts"].map(|database| written_to(directory.path(), database));
    store.try_to_write().await.unwrap();
    let after = ["queue", "accounts"].map(|database| written_to(directory.path(), database));
    assert!(before[0] < after[0] && before[1] < after[1], "{before:?} {after:?}");
    assert!(store.spool().nodes().await.unwrap().contains(&node), "and it is as it was");
    assert_eq!(store.accounts().revision().await, revision);
}

/// A queue that waits for a host is leased and deferred again and again, while new mail waits for the same disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_not_written_again_when_it_is_leased_and_deferred() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let spool = store.spool();
    for n in 0..20 {
        commit(spool, id(n), 60_000).await.unwrap();
    }
    let before = written(directory.path());
    let leased = lease(spool).await;
    for entry in &leased {
        let later = Outcome::Deferred {
            reply: "451".into(),
            host: None,
            said_by_host: true,
            next_attempt_at: Timestamp::MAX,
        };
        spool.record(entry, vec![(0, later)], None, Timestamp::UNIX_EPOCH).await.unwrap();
    }
    let octets = written(directory.path()) - before;
    assert_eq!(leased.len(), 20);
    assert!(octets < 20 * 30_000, "{octets} octets");
}

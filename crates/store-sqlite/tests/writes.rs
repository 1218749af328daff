//! What is written for a message, and what is not written again.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::path::Path;

use jiff::Timestamp;
use sample::{commit, id, lease, server};
use store::{Outcome, Spool};

fn written(directory: &Path) -> u64 {
    std::fs::metadata(directory.join("queue.db-wal")).unwrap().len()
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

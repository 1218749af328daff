//! The ledger when mail comes faster than rows are written, after a crash, and with very many messages in it.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::path::Path;
use std::time::{Duration, Instant};

use sample::{at, commit, deliver, frank, id, lease, server};
use sqlx::{ConnectOptions as _, Connection as _};
use store::{Ledger as _, LedgerFilter, LedgerState, Nodes as _, Operation, Page, QueuedBy, Spool as _};
use store_sqlite::{Mode, SqliteStore};
use types::QueueId;

async fn command(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Mode::Command).await.unwrap()
}

async fn states(store: &SqliteStore) -> Vec<(QueueId, LedgerState)> {
    let messages = store.ledger().messages(&LedgerFilter::default(), Page::first(10_000)).await.unwrap();
    messages.into_iter().map(|message| (message.id, message.state)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_faster_than_rows_are_written_waits_and_is_found_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    // Many more than become rows at once.
    let ids: Vec<QueueId> = (1..=3_000).map(id).collect();
    let all = ids.iter().map(|id| commit(store.spool(), *id, 100));
    futures_util::future::try_join_all(all).await.unwrap();
    for leased in lease(store.spool()).await.iter().take(500) {
        deliver(store.spool(), leased).await.unwrap();
    }
    store.close().await;
    drop(store);
    let store = command(directory.path()).await;
    let known = states(&store).await;
    assert_eq!(known.len(), ids.len());
    assert_eq!(known.iter().filter(|(_, state)| *state == LedgerState::Delivered).count(), 500);
    store.close().await;
}

/// What is noted and not written is lost with the process.
async fn crash(store: SqliteStore) {
    store.spool().leave(sample::NODE).await.unwrap();
    drop(store);
}

async fn until_states(store: &SqliteStore, expected: &[(QueueId, LedgerState)]) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let found = states(store).await;
        if found == expected {
            return;
        }
        assert!(Instant::now() < end, "{found:?} is not {expected:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_has_kept_from_it_is_found_again_as_far_as_the_queue_knows() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    commit(store.spool(), id(1), 100).await.unwrap();
    commit(store.spool(), id(2), 100).await.unwrap();
    store.ledger().flush().await.unwrap();
    commit(store.spool(), id(3), 100).await.unwrap();
    let leased = lease(store.spool()).await;
    deliver(store.spool(), &leased[0]).await.unwrap();
    crash(store).await;
    let store = server(directory.path()).await;
    let waiting = LedgerState::Queued;
    until_states(&store, &[(id(3), waiting), (id(2), waiting), (id(1), LedgerState::Delivered)]).await;
    let trace = store.ledger().trace(id(3)).await.unwrap().unwrap();
    assert_eq!((trace.message.account.as_str(), trace.recipients.len()), ("alice@example.org", 1));
    // What an operator has removed was not delivered.
    store.spool().operate(Operation::Remove, vec![id(2)], &frank(5)).await.unwrap();
    store.close().await;
    drop(store);
    let store = server(directory.path()).await;
    let cancelled = LedgerState::Cancelled;
    until_states(&store, &[(id(3), waiting), (id(2), cancelled), (id(1), LedgerState::Delivered)]).await;
    store.close().await;
}

/// Mail goes on, and the next start makes another.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_read_keeps_no_mail_back() {
    let directory = tempfile::tempdir().unwrap();
    server(directory.path()).await.close().await;
    let path = directory.path().join("ledger.db");
    std::fs::write(&path, b"this is no database, and never was one".repeat(1_000)).unwrap();
    let store = server(directory.path()).await;
    commit(store.spool(), id(1), 100).await.unwrap();
    let leased = lease(store.spool()).await;
    deliver(store.spool(), &leased[0]).await.unwrap();
    assert!(store.ledger().messages(&LedgerFilter::default(), Page::first(1)).await.is_err());
    store.close().await;
    drop(store);
    std::fs::remove_file(&path).unwrap();
    let store = server(directory.path()).await;
    commit(store.spool(), id(2), 100).await.unwrap();
    store.ledger().flush().await.unwrap();
    assert_eq!(states(&store).await, [(id(2), LedgerState::Queued)]);
    store.close().await;
}

/// Messages of three accounts, with a hundred credentials, to a thousand recipients.
const MANY: [&str; 2] = [
    "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < $1) \
     INSERT INTO messages (id, account, account_address, credential, sender, message_id, size, accepted_at, recipients) \
     SELECT unhex(printf('%012x%020x', 1790000000000 + n, n)), unhex(printf('%032x', n % 3)), (n % 3) || '@example.org', \
     'c' || (n % 100), 'a@example.org', '<' || n || '@example.org>', 100, 1790000000000 + n, 1 FROM n",
    "INSERT INTO recipients (message, number, address, state, attempts) \
     SELECT id, 0, (accepted_at % 1000) || '@example.net', 'delivered', 1 FROM messages WHERE $1 > 0",
];

/// 50,000 unless more are wanted: a million takes a minute and a half to make.
fn many() -> i64 {
    std::env::var("GATEPOST_LEDGER_MESSAGES").map_or(50_000, |messages| messages.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_out_of_very_many_is_found_at_once_by_whatever_filter() {
    let directory = tempfile::tempdir().unwrap();
    server(directory.path()).await.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(directory.path().join("ledger.db"));
    let mut connection = options.pragma("synchronous", "OFF").connect().await.unwrap();
    for statement in MANY {
        sqlx::query(statement).bind(many()).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let store = command(directory.path()).await;
    let text = |text: &str| Some(text.to_owned());
    let by = |account, address: &str| Some(QueuedBy { account, address: address.to_owned() });
    let (all, page) = (LedgerFilter::default, |after| Page { after, limit: 50 });
    let middle = QueueId::new(1_790_000_000_000 + u64::try_from(many() / 2).unwrap(), [0; 10]);
    for (filter, after) in [
        (all(), None),
        (all(), Some(middle)),
        (
            LedgerFilter { account: by(Some(types::AccountId::from_bytes([0; 16])), ""), ..all() },
            Some(middle),
        ),
        (LedgerFilter { account: by(None, "1@EXAMPLE.org"), ..all() }, Some(middle)),
        (LedgerFilter { credential: text("C7"), ..all() }, Some(middle)),
        (LedgerFilter { recipient: text("7@EXAMPLE.net"), ..all() }, Some(middle)),
        (LedgerFilter { recipient: text("7@example.net"), credential: text("c7"), ..all() }, None),
        (LedgerFilter { message_id: text("<7@example.org>"), ..all() }, None),
        (LedgerFilter { since: Some(at(10)), until: Some(at(20)), ..all() }, None),
    ] {
        let begun = Instant::now();
        let found = store.ledger().messages(&filter, page(after)).await.unwrap();
        let took = begun.elapsed();
        assert!(!found.is_empty(), "{filter:?}");
        assert!(took < Duration::from_millis(100), "{took:?} for {filter:?}");
    }
    store.close().await;
}

//! What must hold however many try at the same time, and after the store was opened anew.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::future::Future;

use jiff::SignedDuration;
use sample::{ann, at, frank, server};
use sqlx::Connection;
use store::{
    Accounts, Allowance, Counter, Error, Mark, Page, SecondFactors, ThrottleFilter, ThrottleKey,
    ThrottleKind, Throttles,
};
use store_sqlite::SqliteAccounts;
use types::AccountId;

const ANN: AccountId = AccountId::from_bytes([1; 16]);

/// How many of fifty at a time were told that it was them.
async fn winners<F>(accounts: &SqliteAccounts, attempt: impl Fn(SqliteAccounts) -> F) -> usize
where
    F: Future<Output = Result<bool, Error>> + Send + 'static,
{
    let attempts: Vec<_> = (0..50).map(|_| tokio::spawn(attempt(accounts.clone()))).collect();
    let mut winners = 0;
    for attempt in attempts {
        winners += usize::from(attempt.await.unwrap().unwrap());
    }
    winners
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_with_the_same_code_one_gets_in() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let accounts = store.accounts();
    accounts.add(&ann(), &frank(0)).await.unwrap();
    accounts.enroll(ANN, b"seed", &frank(1)).await.unwrap();
    let confirm =
        |store: SqliteAccounts| async move { store.confirm(ANN, at(1), 7, &[[1; 32]], &frank(2)).await };
    assert_eq!(winners(accounts, confirm).await, 1);
    let step = |store: SqliteAccounts| async move { store.use_step(ANN, 8).await };
    assert_eq!(winners(accounts, step).await, 1);
    let code = |store: SqliteAccounts| async move { store.use_recovery_code(ANN, &[1; 32], &frank(3)).await };
    assert_eq!(winners(accounts, code).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_used_up_stays_so_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    store.accounts().add(&ann(), &frank(0)).await.unwrap();
    store.accounts().enroll(ANN, b"seed", &frank(1)).await.unwrap();
    assert!(store.accounts().confirm(ANN, at(1), 7, &[[1; 32]], &frank(2)).await.unwrap());
    assert!(store.accounts().use_recovery_code(ANN, &[1; 32], &frank(3)).await.unwrap());
    store.close().await;
    drop(store);
    let store = server(directory.path()).await;
    assert!(!store.accounts().use_step(ANN, 7).await.unwrap());
    assert!(!store.accounts().use_recovery_code(ANN, &[1; 32], &frank(4)).await.unwrap());
    assert!(store.accounts().use_step(ANN, 8).await.unwrap());
}

/// Five failures in a minute.
fn counter(name: &str, secret: u32) -> Counter {
    let secret = u64::from(secret).to_be_bytes();
    Counter {
        key: ThrottleKey { kind: ThrottleKind::Password, account: Some(name.to_owned()), network: None },
        allowance: Allowance { failures: 5, accounts: u32::MAX, window: SignedDuration::from_mins(1) },
        mark: Mark { account: [1; 8], secret },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_a_time_get_no_more_than_the_allowance() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let attempts: Vec<_> = (0..200)
        .map(|n| {
            let accounts = store.accounts().clone();
            tokio::spawn(async move { accounts.attempt(&[counter("ann", n)], at(0)).await })
        })
        .collect();
    let mut let_through = 0;
    for attempt in attempts {
        let_through += usize::from(attempt.await.unwrap().unwrap().is_none());
    }
    assert_eq!(let_through, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_out_outlives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    for n in 0..5 {
        assert!(store.accounts().attempt(&[counter("ann", n)], at(0)).await.unwrap().is_none());
    }
    store.close().await;
    drop(store);
    let store = server(directory.path()).await;
    let throttled = store.accounts().attempt(&[counter("ann", 5)], at(1)).await.unwrap();
    assert_eq!(throttled.unwrap().until, at(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_without_end_make_room_for_one_another() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let url = format!("sqlite:{}", directory.path().join("accounts.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let fill = "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 99990) \
                INSERT INTO throttles SELECT n, 'password', n || '@example.org', '', $1 FROM n";
    sqlx::query(fill).bind(at(60).as_millisecond()).execute(&mut connection).await.unwrap();
    let fill = "INSERT INTO throttle_marks SELECT id, zeroblob(8), zeroblob(8) FROM throttles";
    sqlx::query(fill).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let names: Vec<_> = (0..20).map(|n| counter(&format!("{n}@example.net"), 0)).collect();
    assert!(store.accounts().attempt(&names, at(0)).await.unwrap().is_none());
    let all = ThrottleFilter::default();
    let counted = store.accounts().counted(&all, Page::first(u32::MAX), at(0)).await.unwrap();
    assert_eq!(counted.len(), 100_000);
    let is_there = |name: &str| counted.iter().any(|counted| counted.key.account.as_deref() == Some(name));
    assert!(!is_there("10@example.org") && is_there("11@example.org"), "the oldest ten are gone");
}

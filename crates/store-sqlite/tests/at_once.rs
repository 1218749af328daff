//! What must hold however many try at the same time, and after the store was opened anew.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::future::Future;

use sample::{ann, at, server};
use store::{Accounts, Error, SecondFactors};
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
    accounts.add(&ann()).await.unwrap();
    accounts.enroll(ANN, b"seed", at(1)).await.unwrap();
    let confirm =
        |store: SqliteAccounts| async move { store.confirm(ANN, at(1), 7, &[[1; 32]], at(2)).await };
    assert_eq!(winners(accounts, confirm).await, 1);
    let step = |store: SqliteAccounts| async move { store.use_step(ANN, 8).await };
    assert_eq!(winners(accounts, step).await, 1);
    let code = |store: SqliteAccounts| async move { store.use_recovery_code(ANN, &[1; 32], at(3)).await };
    assert_eq!(winners(accounts, code).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_used_up_stays_so_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    store.accounts().add(&ann()).await.unwrap();
    store.accounts().enroll(ANN, b"seed", at(1)).await.unwrap();
    assert!(store.accounts().confirm(ANN, at(1), 7, &[[1; 32]], at(2)).await.unwrap());
    assert!(store.accounts().use_recovery_code(ANN, &[1; 32], at(3)).await.unwrap());
    store.close().await;
    drop(store);
    let store = server(directory.path()).await;
    assert!(!store.accounts().use_step(ANN, 7).await.unwrap());
    assert!(!store.accounts().use_recovery_code(ANN, &[1; 32], at(4)).await.unwrap());
    assert!(store.accounts().use_step(ANN, 8).await.unwrap());
}

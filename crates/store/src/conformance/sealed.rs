//! What [`SealedSecrets`] promises.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::{account, app_password, at, frank, plain};
use crate::{Accounts, AppPasswords, Resealed, SealedPlace, SealedSecrets, SecondFactors};

fn seed(n: u8) -> SealedPlace {
    SealedPlace::TotpSeed { account: account(n, "alice@example.org").id, enrolled_at: at(i64::from(n)) }
}

/// A root key, and three accounts with a second factor each.
async fn fill<S: Accounts + SealedSecrets + SecondFactors>(store: &S) {
    store.keep_root_key(b"root").await.unwrap();
    for n in [2, 3, 1] {
        let account = account(n, &format!("{n}@example.org"));
        store.add(&account, &frank(0)).await.unwrap();
        store.enroll(account.id, &[n; 3], &frank(i64::from(n))).await.unwrap();
    }
}

pub async fn the_root_key_is_the_first_that_was_kept<S: SealedSecrets>(store: &S) {
    assert_eq!(store.root_key().await.unwrap(), None);
    store.keep_root_key(b"first").await.unwrap();
    store.keep_root_key(b"second").await.unwrap();
    assert_eq!(store.root_key().await.unwrap(), Some(b"first".to_vec()));
}

pub async fn it_is_known_whether_digests_are_keyed_already<S: Accounts + AppPasswords + SealedSecrets>(
    store: &S,
) {
    assert!(!store.any_app_password().await.unwrap());
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    store.create(&plain(&app_password(1, &alice), [1; 32]), 10, &frank(0)).await.unwrap();
    assert!(store.any_app_password().await.unwrap());
}

pub async fn sealed_secrets_come_in_the_order_of_their_places<S: Accounts + SealedSecrets + SecondFactors>(
    store: &S,
) {
    assert_eq!(store.sealed(None, 10).await.unwrap(), []);
    fill(store).await;
    let all = [
        (SealedPlace::RootKey, b"root".to_vec()),
        (seed(1), vec![1; 3]),
        (seed(2), vec![2; 3]),
        (seed(3), vec![3; 3]),
    ];
    assert_eq!(store.sealed(None, 10).await.unwrap(), all);
    assert_eq!(store.sealed(None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.sealed(Some(SealedPlace::RootKey), 1).await.unwrap(), all[1..2]);
    assert_eq!(store.sealed(Some(seed(1)), 10).await.unwrap(), all[2..]);
    assert_eq!(store.sealed(Some(seed(3)), 10).await.unwrap(), []);
    assert_eq!(store.sealed(None, 0).await.unwrap(), []);
}

pub async fn what_has_changed_since_is_not_resealed<S: Accounts + SealedSecrets + SecondFactors>(store: &S) {
    fill(store).await;
    let resealed = |place, old: &[u8], new: &[u8]| Resealed { place, old: old.to_vec(), new: new.to_vec() };
    let another_time = SealedPlace::TotpSeed { account: account(3, "c@example.org").id, enrolled_at: at(9) };
    let secrets = [
        resealed(SealedPlace::RootKey, b"root", b"anew"),
        resealed(seed(1), &[1; 3], b"first"),
        resealed(seed(2), b"another", b"lost"),
        resealed(another_time, &[3; 3], b"lost"),
        resealed(seed(9), &[9; 3], b"lost"),
    ];
    assert_eq!(store.reseal(&secrets).await.unwrap(), 2);
    let now: Vec<_> = store.sealed(None, 10).await.unwrap().into_iter().map(|(_, sealed)| sealed).collect();
    assert_eq!(now, [b"anew".to_vec(), b"first".to_vec(), vec![2; 3], vec![3; 3]]);
}

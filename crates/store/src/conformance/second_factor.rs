//! What [`SecondFactors`] promises.
#![expect(missing_docs, reason = "the names say it")]

use types::AccountId;

use super::sample::{account, at, frank};
use crate::{Accounts, Error, STEPS_AHEAD, SecondFactor, SecondFactors};

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const CODES: [[u8; 32]; 2] = [[1; 32], [2; 32]];

/// Alice, whose second factor is on; step 100 is used up.
async fn with_second_factor<S: Accounts + SecondFactors>(store: &S) {
    store.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    store.enroll(ALICE, b"seed", &frank(1)).await.unwrap();
    assert!(store.confirm(ALICE, at(1), 100, &CODES, &frank(2)).await.unwrap());
}

pub async fn a_second_factor_is_on_once_it_is_confirmed<S: Accounts + SecondFactors>(store: &S) {
    store.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    assert_eq!(store.second_factor(ALICE).await.unwrap(), None);
    store.enroll(ALICE, b"seed", &frank(1)).await.unwrap();
    let mut expected = SecondFactor {
        seed: b"seed".to_vec(),
        enrolled_at: at(1),
        confirmed_at: None,
        last_step: 0,
        recovery_codes: 0,
    };
    assert_eq!(store.second_factor(ALICE).await.unwrap(), Some(expected.clone()));
    assert!(!store.use_step(ALICE, 5).await.unwrap(), "it waits for its first code");
    assert!(store.confirm(ALICE, at(1), 100, &CODES, &frank(2)).await.unwrap());
    (expected.confirmed_at, expected.last_step, expected.recovery_codes) = (Some(at(2)), 100, 2);
    assert_eq!(store.second_factor(ALICE).await.unwrap(), Some(expected));
}

pub async fn what_waits_is_replaced_and_what_is_on_is_not<S: Accounts + SecondFactors>(store: &S) {
    assert!(matches!(store.enroll(ALICE, b"seed", &frank(1)).await, Err(Error::NotFound)));
    store.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    store.enroll(ALICE, b"first", &frank(1)).await.unwrap();
    store.enroll(ALICE, b"second", &frank(2)).await.unwrap();
    assert!(!store.confirm(ALICE, at(1), 100, &CODES, &frank(3)).await.unwrap(), "the first is gone");
    assert!(store.confirm(ALICE, at(2), 100, &CODES, &frank(3)).await.unwrap());
    assert!(!store.confirm(ALICE, at(2), 101, &[], &frank(4)).await.unwrap(), "it is on already");
    assert!(matches!(store.enroll(ALICE, b"third", &frank(5)).await, Err(Error::AlreadyExists)));
    let stands = store.second_factor(ALICE).await.unwrap().unwrap();
    assert_eq!((stands.seed, stands.last_step, stands.recovery_codes), (b"second".to_vec(), 100, 2));
}

pub async fn switching_it_on_or_off_ends_what_was_proved_before<S: Accounts + SecondFactors>(store: &S) {
    let version = async || store.by_id(ALICE).await.unwrap().unwrap().version;
    with_second_factor(store).await;
    assert_eq!(version().await, 2);
    assert!(store.use_step(ALICE, 101).await.unwrap());
    assert!(store.use_recovery_code(ALICE, &CODES[0], &frank(3)).await.unwrap());
    assert_eq!(version().await, 2);
    assert!(store.disable_second_factor(ALICE, &frank(3)).await.unwrap());
    assert_eq!(version().await, 3);
    assert!(!store.disable_second_factor(ALICE, &frank(3)).await.unwrap());
    assert_eq!(version().await, 3);
}

pub async fn a_step_is_used_once_and_those_before_it_never<S: Accounts + SecondFactors>(store: &S) {
    with_second_factor(store).await;
    for (step, is_free) in [(100, false), (99, false), (102, true), (102, false), (101, false), (103, true)] {
        assert_eq!(store.use_step(ALICE, step).await.unwrap(), is_free, "{step}");
    }
    assert!(!store.use_step(AccountId::from_bytes([9; 16]), 200).await.unwrap());
    assert!(!store.use_step(ALICE, u64::MAX).await.unwrap());
}

pub async fn a_step_that_a_clock_ahead_has_used_keeps_nobody_out<S: Accounts + SecondFactors>(store: &S) {
    with_second_factor(store).await;
    let ahead = 10_000_000;
    for (step, is_free) in [
        (ahead, true),
        (ahead - STEPS_AHEAD, false),
        (ahead - STEPS_AHEAD - 1, true),
        (ahead - STEPS_AHEAD - 1, false),
        (ahead - STEPS_AHEAD, true),
    ] {
        assert_eq!(store.use_step(ALICE, step).await.unwrap(), is_free, "{step}");
    }
}

pub async fn a_recovery_code_is_used_once_by_its_owner<S: Accounts + SecondFactors>(store: &S) {
    with_second_factor(store).await;
    let bob = account(2, "bob@example.org");
    store.add(&bob, &frank(0)).await.unwrap();
    assert!(!store.use_recovery_code(bob.id, &CODES[0], &frank(3)).await.unwrap());
    assert!(!store.use_recovery_code(ALICE, &[9; 32], &frank(3)).await.unwrap());
    assert!(store.use_recovery_code(ALICE, &CODES[0], &frank(3)).await.unwrap());
    assert!(!store.use_recovery_code(ALICE, &CODES[0], &frank(3)).await.unwrap());
    assert_eq!(store.second_factor(ALICE).await.unwrap().unwrap().recovery_codes, 1);
}

pub async fn fresh_recovery_codes_replace_those_left<S: Accounts + SecondFactors>(store: &S) {
    with_second_factor(store).await;
    assert!(store.replace_recovery_codes(ALICE, &[[3; 32]; 1], &frank(3)).await.unwrap());
    assert!(!store.use_recovery_code(ALICE, &CODES[0], &frank(4)).await.unwrap());
    assert!(store.use_recovery_code(ALICE, &[3; 32], &frank(4)).await.unwrap());
    let bob = account(2, "bob@example.org");
    store.add(&bob, &frank(0)).await.unwrap();
    store.enroll(bob.id, b"seed", &frank(1)).await.unwrap();
    assert!(!store.replace_recovery_codes(bob.id, &CODES, &frank(3)).await.unwrap(), "it is not on yet");
}

pub async fn without_a_second_factor_its_recovery_codes_are_gone<S: Accounts + SecondFactors>(store: &S) {
    with_second_factor(store).await;
    assert!(store.disable_second_factor(ALICE, &frank(3)).await.unwrap());
    assert_eq!(store.second_factor(ALICE).await.unwrap(), None);
    assert!(!store.use_recovery_code(ALICE, &CODES[0], &frank(4)).await.unwrap());
    store.enroll(ALICE, b"another", &frank(5)).await.unwrap();
    assert_eq!(store.second_factor(ALICE).await.unwrap().unwrap().recovery_codes, 0);
}

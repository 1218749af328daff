//! What the accounts promise however many ask at the same time, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use futures_util::future::join_all;
use jiff::SignedDuration;
use types::AccountId;

use super::sample::{account, at, frank};
use crate::{
    Accounts, Allowance, Counter, Mark, Page, SecondFactors, ThrottleFilter, ThrottleKey, ThrottleKind,
    Throttles,
};

const ALICE: AccountId = AccountId::from_bytes([1; 16]);

/// One guess of many at Alice's password; five may be judged in a minute.
fn guess(secret: u16) -> Counter {
    let key = ThrottleKey {
        kind: ThrottleKind::Password,
        account: Some("alice@example.org".to_owned()),
        network: None,
    };
    let allowance = Allowance { failures: 5, accounts: u32::MAX, window: SignedDuration::from_secs(60) };
    Counter { key, allowance, mark: Mark { account: [1; 8], secret: u64::from(secret).to_be_bytes() } }
}

pub async fn of_many_guesses_as_many_are_judged_as_may_be<T: Throttles>(one: &T, other: &T) {
    let judged = join_all((0..300).map(async |secret| {
        let store = if secret % 2 == 0 { one } else { other };
        usize::from(store.attempt(&[guess(secret)], at(0)).await.unwrap().is_none())
    }));
    assert_eq!(judged.await.into_iter().sum::<usize>(), 5);
    for store in [one, other] {
        assert_eq!(
            store.counted(&ThrottleFilter::default(), Page::first(9), at(0)).await.unwrap()[0].marks.len(),
            5
        );
        assert!(store.throttled(&[guess(2000)], at(59)).await.unwrap().is_some());
    }
}

pub async fn one_code_is_good_once<S: Accounts + SecondFactors>(one: &S, other: &S) {
    one.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    one.enroll(ALICE, b"seed", &frank(1)).await.unwrap();
    assert!(other.confirm(ALICE, at(1), 100, &[[1; 32]], &frank(2)).await.unwrap());
    let steps = join_all((0..40).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        usize::from(store.use_step(ALICE, 101).await.unwrap())
    }));
    assert_eq!(steps.await.into_iter().sum::<usize>(), 1);
    let codes = join_all((0..40).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        usize::from(store.use_recovery_code(ALICE, &[1; 32], &frank(n)).await.unwrap())
    }));
    assert_eq!(codes.await.into_iter().sum::<usize>(), 1);
}

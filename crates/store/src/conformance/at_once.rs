//! What the accounts promise however many ask at the same time, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use futures_util::future::join_all;
use jiff::SignedDuration;
use types::AccountId;

use super::sample::{account, at, frank};
use super::sending::{ONE, limits};
use crate::{
    AccountChange, AccountFilter, AccountState, Accounts, Allowance, Counter, Departure, Error,
    LastAdministrator, Mark, Page, Resealed, SealedPlace, SealedSecrets, SecondFactors, Sending, Share,
    ThrottleFilter, ThrottleKey, ThrottleKind, Throttles,
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

pub async fn of_administrators_who_take_each_other_away_one_is_left<A: Accounts>(one: &A, other: &A) {
    for n in 1..=8 {
        let mut admin = account(n, &format!("admin{n}@example.org"));
        admin.admin = true;
        one.add(&admin, &frank(0)).await.unwrap();
    }
    let gone = join_all((1..=8).map(async |n: u8| {
        let store = if n.is_multiple_of(2) { one } else { other };
        let departure = match n % 3 {
            0 => Departure::Disable,
            1 => Departure::Remove,
            _ => Departure::Change(AccountChange { admin: Some(false), ..AccountChange::default() }),
        };
        let id = AccountId::from_bytes([n; 16]);
        match store.depart(id, &departure, LastAdministrator::Stays, &frank(1)).await {
            Ok(()) => true,
            Err(Error::LastAdministrator) => false,
            Err(other) => panic!("{other}"),
        }
    }));
    assert_eq!(gone.await.into_iter().filter(|gone| *gone).count(), 7);
    let filter = AccountFilter { state: Some(AccountState::Admin), ..AccountFilter::default() };
    let left = other.list(&filter, Page::first(9)).await.unwrap();
    assert_eq!(left.iter().filter(|admin| !admin.disabled).count(), 1);
}

/// The root key, sealed anew.
fn root(old: &[u8], new: &[u8]) -> Resealed {
    Resealed { place: SealedPlace::RootKey, old: old.to_vec(), new: new.to_vec() }
}

/// Under which master key the root key is sealed is which of them seals: if two are activated at once, one is.
pub async fn of_many_that_seal_the_root_key_anew_one_does<S: SealedSecrets>(one: &S, other: &S) {
    one.keep_root_key(b"old").await.unwrap();
    let resealed = join_all((0..40u8).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        (n, store.reseal(&[root(b"old", &[n])]).await.unwrap())
    }));
    let resealed = resealed.await;
    let winners: Vec<u8> = resealed.iter().filter(|(_, number)| *number == 1).map(|(n, _)| *n).collect();
    assert!(winners.len() == 1 && resealed.iter().all(|(_, number)| *number <= 1), "{resealed:?}");
    for store in [one, other] {
        assert_eq!(store.root_key().await.unwrap(), Some(winners.clone()));
    }
}

/// Whoever has stored a secret then reads the root key: either that is sealed anew by then, or who seals everything anew finds the secret.
pub async fn what_is_resealed_is_seen_by_all_at_once<S: Accounts + SealedSecrets + SecondFactors>(
    one: &S,
    other: &S,
) {
    one.keep_root_key(&[0]).await.unwrap();
    one.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    for n in 0..20u8 {
        assert_eq!(other.reseal(&[root(&[n], &[n + 1])]).await.unwrap(), 1);
        assert_eq!(one.root_key().await.unwrap(), Some(vec![n + 1]));
        one.enroll(ALICE, &[n], &frank(i64::from(n))).await.unwrap();
        let seed = SealedPlace::TotpSeed { account: ALICE, enrolled_at: at(i64::from(n)) };
        assert_eq!(other.sealed(Some(SealedPlace::RootKey), 9).await.unwrap(), [(seed, vec![n])]);
    }
}

pub async fn of_a_limit_no_more_is_lent_than_there_is<S: Accounts + Sending>(one: &S, other: &S) {
    one.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    let lent = join_all((0..400).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        let lent = store.lend(ALICE, &Share::default(), &ONE, &limits(300), at(1)).await.unwrap();
        lent.map_or(0, |loan| loan.left().amounts.messages_per_hour)
    }));
    assert_eq!(lent.await.into_iter().sum::<u32>(), 300);
}

/// Two servers note the same of many accounts, in opposite orders, and write it at the same time.
pub async fn notes_in_whatever_order_are_all_written<S: Accounts + Sending>(one: &S, other: &S) {
    let ids: Vec<_> = (1..=20_u8).map(|n| AccountId::from_bytes([n; 16])).collect();
    let mut loans = Vec::new();
    for (n, id) in (1..).zip(&ids) {
        one.add(&account(n, &format!("{n}@example.org")), &frank(0)).await.unwrap();
        loans.push(one.lend(*id, &Share::default(), &ONE, &limits(1000), at(1)).await.unwrap().unwrap());
    }
    for round in 0..10 {
        for (id, loan) in ids.iter().zip(&mut loans) {
            one.logged_in(*id, at(100 + round), None);
            one.note_sent(*id, &loan.take(&ONE), &[], at(100 + round));
        }
        for (id, loan) in ids.iter().zip(&mut loans).rev() {
            other.logged_in(*id, at(200 + round), None);
            other.note_sent(*id, &loan.take(&ONE), &[], at(200 + round));
        }
        let flushed = join_all([one, other].map(S::flush)).await;
        assert!(flushed.iter().all(Result::is_ok), "{flushed:?}");
    }
    for id in ids {
        assert_eq!(one.sent(id).await.unwrap().unwrap().hour.messages, 20);
        assert_eq!(one.by_id(id).await.unwrap().unwrap().last_login_at, Some(at(209)), "the later wins");
    }
}

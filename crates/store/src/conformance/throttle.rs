//! What [`Throttles`] promises.
#![expect(missing_docs, reason = "the names say it")]

use ipnet::IpNet;
use jiff::SignedDuration;

use super::sample::{account, at, frank, mailbox};
use crate::{
    Accounts, Action, Allowance, Audit, AuditFilter, Counted, Counter, Mark, Page, ThrottleFilter,
    ThrottleKey, ThrottleKind, Throttled, Throttles,
};

const ALICE: &str = "alice@example.org";
const OFFICE: &str = "192.0.2.1/32";

fn network(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// Three failures in a minute.
fn of_account(name: &str, secret: u8) -> Counter {
    Counter {
        key: ThrottleKey { kind: ThrottleKind::Password, account: Some(name.to_owned()), network: None },
        allowance: allowance(3, u32::MAX),
        mark: mark(name, secret),
    }
}

/// Ten failures, or two accounts, in a minute.
fn of_network(text: &str, name: &str, secret: u8) -> Counter {
    Counter {
        key: ThrottleKey { kind: ThrottleKind::Network, account: None, network: Some(network(text)) },
        allowance: allowance(10, 2),
        mark: mark(name, secret),
    }
}

fn allowance(failures: u32, accounts: u32) -> Allowance {
    Allowance { failures, accounts, window: SignedDuration::from_secs(60) }
}

fn mark(name: &str, secret: u8) -> Mark {
    Mark { account: [name.as_bytes()[0]; 8], secret: [secret; 8] }
}

async fn counts<T: Throttles>(store: &T, counter: Counter, now: i64) -> bool {
    store.attempt(&[counter], at(now)).await.unwrap().is_none()
}

/// All that is counted.
async fn counted<T: Throttles>(store: &T, now: i64) -> Vec<Counted> {
    store.counted(&ThrottleFilter::default(), Page::first(100), at(now)).await.unwrap()
}

/// How many failures the one counter has that there is.
async fn failures<T: Throttles>(store: &T) -> usize {
    let all = counted(store, -60).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].marks.len()
}

pub async fn a_window_begins_with_its_first_failure<T: Throttles>(store: &T) {
    for (secret, now) in [(1, 0), (2, 30), (3, 59)] {
        assert!(counts(store, of_account(ALICE, secret), now).await);
    }
    let used_up = Throttled { key: of_account(ALICE, 0).key, until: at(60) };
    let fourth = [of_account(ALICE, 4)];
    assert_eq!(store.throttled(&fourth, at(59)).await.unwrap(), Some(used_up.clone()));
    assert_eq!(store.attempt(&fourth, at(59)).await.unwrap(), Some(used_up));
    assert_eq!(store.throttled(&fourth, at(60)).await.unwrap(), None);
    assert!(counts(store, of_account(ALICE, 4), 60).await);
    assert_eq!(failures(store).await, 1, "it has begun anew, and those turned away were not counted");
    assert_eq!(counted(store, 60).await[0].until, at(120));
    assert!(counted(store, 120).await.is_empty());
}

pub async fn a_clock_that_is_set_back_locks_nobody_out<T: Throttles>(store: &T) {
    for secret in [1, 2, 3] {
        assert!(counts(store, of_account(ALICE, secret), 100_000).await);
    }
    assert!(!counts(store, of_account(ALICE, 4), 99_950).await, "by less than a window");
    assert_eq!(store.throttled(&[of_account(ALICE, 4)], at(0)).await.unwrap(), None);
    assert!(counts(store, of_account(ALICE, 4), 0).await);
    assert_eq!(failures(store).await, 1);
    assert_eq!(counted(store, 0).await[0].until, at(60));
}

pub async fn the_same_failure_counts_once<T: Throttles>(store: &T) {
    for _ in 0..10 {
        assert!(counts(store, of_account(ALICE, 1), 0).await);
    }
    assert_eq!(failures(store).await, 1);
}

pub async fn looking_counts_nothing<T: Throttles>(store: &T) {
    for secret in 0..10 {
        assert_eq!(store.throttled(&[of_account(ALICE, secret)], at(0)).await.unwrap(), None);
    }
    assert!(counted(store, -60).await.is_empty());
}

pub async fn a_network_may_try_so_many_accounts<T: Throttles>(store: &T) {
    assert!(counts(store, of_network(OFFICE, "alice", 1), 0).await);
    assert!(counts(store, of_network(OFFICE, "alice", 2), 0).await);
    assert!(counts(store, of_network(OFFICE, "bob", 1), 0).await);
    assert!(!counts(store, of_network(OFFICE, "carol", 1), 0).await);
    assert!(counts(store, of_network("192.0.2.2/32", "carol", 1), 0).await);
}

pub async fn if_one_is_used_up_none_of_them_counts<T: Throttles>(store: &T) {
    for (secret, now) in [(1, 0), (2, 0), (3, 0)] {
        assert!(counts(store, of_account(ALICE, secret), now).await);
    }
    for name in ["bob", "carol"] {
        assert!(counts(store, of_network(OFFICE, name, 1), 10).await);
    }
    let both = [of_network(OFFICE, "dave", 4), of_account(ALICE, 4)];
    let last = Throttled { key: both[0].key.clone(), until: at(70) };
    assert_eq!(store.throttled(&both, at(20)).await.unwrap(), Some(last.clone()));
    assert_eq!(store.attempt(&both, at(20)).await.unwrap(), Some(last));
    let one = [of_network("192.0.2.2/32", "alice", 4), of_account(ALICE, 4)];
    assert!(store.attempt(&one, at(20)).await.unwrap().is_some());
    let counted: Vec<_> = counted(store, 20).await.iter().map(|counted| counted.marks.len()).collect();
    assert_eq!(counted, [3, 2], "those that end first in front, and no third");
}

pub async fn a_success_clears_its_counters_and_no_other<T: Throttles>(store: &T) {
    let right = of_account(ALICE, 9);
    assert!(counts(store, of_account(ALICE, 1), 0).await);
    assert!(counts(store, of_network(OFFICE, "bob", 1), 0).await);
    assert!(store.attempt(std::slice::from_ref(&right), at(1)).await.unwrap().is_none());
    let other = of_account("bob@example.org", 9);
    assert!(counts(store, of_account("bob@example.org", 1), 0).await);
    assert!(counts(store, other.clone(), 0).await);
    store.succeeded(&[right], std::slice::from_ref(&other)).await.unwrap();
    let left = counted(store, 1).await;
    let of_other = left.iter().find(|counted| counted.key == other.key).unwrap();
    assert_eq!(of_other.marks, [mark("bob@example.org", 1)], "it is taken out of the others alone");
    store.succeeded(&[other], &[]).await.unwrap();
    let left = counted(store, 1).await;
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0].key, &*left[0].marks), (&of_network(OFFICE, "bob", 1).key, &[mark("bob", 1)][..]));
}

pub async fn what_was_no_guess_is_taken_back_alone<T: Throttles>(store: &T) {
    for secret in [1, 2, 9] {
        assert!(counts(store, of_account(ALICE, secret), 0).await);
    }
    assert!(!counts(store, of_account(ALICE, 4), 1).await);
    let right = of_account(ALICE, 9);
    for _ in 0..2 {
        store.withdraw(std::slice::from_ref(&right)).await.unwrap();
        let left = counted(store, 1).await;
        assert_eq!((left.len(), &*left[0].marks), (1, &[mark("alice", 1), mark("alice", 2)][..]));
    }
    store
        .withdraw(&[of_account(ALICE, 1), of_account(ALICE, 2), of_network(OFFICE, "bob", 1)])
        .await
        .unwrap();
    assert!(counted(store, 1).await.is_empty());
}

pub async fn keys_that_differ_in_anything_are_others<T: Throttles>(store: &T) {
    let (account, by_network) = (of_account(ALICE, 1), Some(network("2001:db8:1:2::/64")));
    let mut others = vec![account.clone(); 3];
    others[1].key.network = by_network;
    others[2].key.kind = ThrottleKind::Totp;
    for kind in [ThrottleKind::PasswordDay, ThrottleKind::TotpDay] {
        others.push(Counter { key: ThrottleKey { kind, ..account.key.clone() }, ..account.clone() });
    }
    for other in &others {
        assert!(counts(store, other.clone(), 0).await);
    }
    let mut keys: Vec<_> = counted(store, 0).await.into_iter().map(|counted| counted.key).collect();
    let mut expected: Vec<_> = others.into_iter().map(|other| other.key).collect();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
}

pub async fn counters_are_listed_in_pages<T: Throttles>(store: &T) {
    for (n, end) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
        assert!(counts(store, of_account(&format!("{n}@example.org"), 1), end - 60).await);
        assert!(counts(store, of_account(&format!("{n}@example.org"), 2), end - 60).await);
    }
    assert!(counts(store, of_network(OFFICE, "carol", 1), -25).await);
    let (all, mut page, mut seen) = (ThrottleFilter::default(), Page::first(2), Vec::new());
    while let listed = store.counted(&all, page.clone(), at(0)).await.unwrap()
        && let Some(last) = listed.last()
    {
        page.after = Some(last.place());
        seen.extend(listed.into_iter().map(|counted| (counted.until, counted.marks.len())));
    }
    assert_eq!(seen, [(at(10), 2), (at(10), 2), (at(20), 2), (at(30), 2), (at(35), 1)]);
    let (kind, account) = (Some(ThrottleKind::Network), Some("3@example.org".to_owned()));
    for (filter, end) in [
        (ThrottleFilter { kind, ..ThrottleFilter::default() }, 35),
        (ThrottleFilter { account, ..ThrottleFilter::default() }, 20),
        (ThrottleFilter { network: Some(network(OFFICE)), ..ThrottleFilter::default() }, 35),
    ] {
        let listed = store.counted(&filter, Page::first(9), at(0)).await.unwrap();
        assert_eq!(listed.iter().map(|counted| counted.until).collect::<Vec<_>>(), [at(end)]);
    }
}

pub async fn operators_let_an_account_or_a_network_in<T: Throttles + Audit>(store: &T) {
    let mut here = of_account(ALICE, 1);
    here.key.network = Some(network(OFFICE));
    for counter in [of_account(ALICE, 1), here.clone(), of_account("bob@example.org", 1)] {
        assert!(counts(store, counter, 0).await);
    }
    assert_eq!(store.clear_account(&mailbox("ALICE@Example.org"), &frank(1)).await.unwrap(), 2);
    assert_eq!(store.clear_account(&mailbox(ALICE), &frank(1)).await.unwrap(), 0);
    for counter in [here, of_network(OFFICE, "carol", 1), of_network("192.0.2.2/32", "carol", 1)] {
        assert!(counts(store, counter, 1).await);
    }
    assert_eq!(store.clear_network(&network(OFFICE), &frank(2)).await.unwrap(), 2);
    assert_eq!(counted(store, 2).await.len(), 2);
    assert_eq!(
        store.clear_network(&network("192.0.2.2/32"), &frank(61)).await.unwrap(),
        0,
        "it has ended already"
    );
    let filter = AuditFilter { action: Some(Action::ThrottleClear), ..AuditFilter::default() };
    let audited = store.entries(&filter, Page::first(1000)).await.unwrap().entries;
    let told: Vec<_> = audited.iter().map(|entry| (entry.event.account.as_deref(), entry.event.ip)).collect();
    assert_eq!(told, [(None, Some(network(OFFICE).addr())), (Some(ALICE), None)]);
}

pub async fn a_network_is_familiar_for_a_while_to_who_logged_in_there<T: Throttles + Accounts>(store: &T) {
    let (alice, bob) = (account(1, ALICE), account(2, "bob@example.org"));
    store.add(&alice, &frank(0)).await.unwrap();
    store.add(&bob, &frank(0)).await.unwrap();
    store.logged_in(alice.id, at(10), Some(network(OFFICE)));
    store.flush().await.unwrap();
    for (address, from, since, familiar) in [
        ("Alice@EXAMPLE.org", OFFICE, 10, true),
        (ALICE, OFFICE, 11, false),
        (ALICE, "192.0.2.2/32", 0, false),
        ("bob@example.org", OFFICE, 0, false),
        ("nobody@example.org", OFFICE, 0, false),
    ] {
        let told = store.is_familiar(&mailbox(address), &network(from), at(since)).await.unwrap();
        assert_eq!(told, familiar, "{address} {from} {since}");
    }
    store.prune_throttles(at(0), at(10)).await.unwrap();
    assert!(store.is_familiar(&alice.address, &network(OFFICE), at(0)).await.unwrap());
    store.prune_throttles(at(0), at(11)).await.unwrap();
    assert!(!store.is_familiar(&alice.address, &network(OFFICE), at(0)).await.unwrap());
}

pub async fn what_has_ended_is_forgotten<T: Throttles>(store: &T) {
    assert!(counts(store, of_account(ALICE, 1), 0).await);
    assert!(counts(store, of_account("bob@example.org", 1), 1).await);
    store.prune_throttles(at(60), at(0)).await.unwrap();
    let left = counted(store, -60).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].key.account.as_deref(), Some("bob@example.org"));
}

pub async fn what_a_clock_ahead_has_counted_is_forgotten<T: Throttles + Accounts>(store: &T) {
    const YEARS: i64 = 300_000_000;
    let alice = account(1, ALICE);
    store.add(&alice, &frank(0)).await.unwrap();
    assert!(counts(store, of_account(ALICE, 1), YEARS).await);
    store.logged_in(alice.id, at(YEARS), Some(network(OFFICE)));
    store.flush().await.unwrap();
    assert_eq!(counted(store, YEARS).await.len(), 1);
    assert!(counted(store, 0).await.is_empty());
    store.prune_throttles(at(0), at(-100)).await.unwrap();
    assert!(counted(store, YEARS).await.is_empty());
    let is_familiar =
        async |since| store.is_familiar(&alice.address, &network(OFFICE), at(since)).await.unwrap();
    assert!(is_familiar(0).await && !is_familiar(1).await);
}

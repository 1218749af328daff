//! What [`Sending`] promises.
#![expect(missing_docs, reason = "the names say it")]

use types::AccountId;

use super::sample::{account, at, frank};
use crate::{
    Accounts, Action, Audit, AuditFilter, Correspondent, Error, LimitChange, LimitChanges, OwnLimit,
    OwnLimits, Sending, Sent, Tally,
};

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const BOB: AccountId = AccountId::from_bytes([2; 16]);

async fn alice_and_bob<S: Accounts>(store: &S) {
    store.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    store.add(&account(2, "bob@example.org"), &frank(0)).await.unwrap();
}

fn sent(messages: u32) -> Sent {
    let tally =
        |since, recipients, new_recipients| Tally { since: at(since), messages, recipients, new_recipients };
    Sent { hour: tally(3, 5, 0), day: tally(1, 50, 7) }
}

fn correspondents(numbers: std::ops::Range<u32>) -> Vec<Correspondent> {
    numbers.map(|n| u128::from(n).to_be_bytes()).collect()
}

pub async fn limits_of_its_own_are_of_one_account<S: Accounts + Sending + Audit>(store: &S) {
    alice_and_bob(store).await;
    assert_eq!(store.own_limits(ALICE).await.unwrap(), OwnLimits::default());
    let limits = OwnLimits {
        messages_per_hour: Some(OwnLimit::AtMost(0)),
        messages_per_day: Some(OwnLimit::Unlimited),
        recipients_per_hour: None,
        recipients_per_day: Some(OwnLimit::AtMost(u32::MAX)),
        new_recipients_per_day: None,
    };
    store.change_own_limits(ALICE, &to(&limits), &frank(1)).await.unwrap();
    assert_eq!(store.own_limits(ALICE).await.unwrap(), limits);
    assert_eq!(store.own_limits(BOB).await.unwrap(), OwnLimits::default());
    store.change_own_limits(ALICE, &to(&OwnLimits::default()), &frank(2)).await.unwrap();
    assert_eq!(store.own_limits(ALICE).await.unwrap(), OwnLimits::default());
    let nobody = AccountId::from_bytes([9; 16]);
    assert!(matches!(store.change_own_limits(nobody, &to(&limits), &frank(3)).await, Err(Error::NotFound)));
    let filter = AuditFilter { action: Some(Action::UserLimit), ..AuditFilter::default() };
    let told: Vec<_> = store.entries(&filter).await.unwrap().iter().map(|entry| entry.event.at).collect();
    assert_eq!(told, [at(2), at(1)]);
}

pub async fn a_change_of_a_limit_leaves_the_others_alone<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let set = |number| LimitChange::Set(Some(OwnLimit::AtMost(number)));
    let none = LimitChanges::default();
    let of_messages = LimitChanges { messages_per_hour: set(1), ..none };
    let of_recipients =
        LimitChanges { recipients_per_hour: set(2), recipients_per_day: LimitChange::Set(None), ..none };
    let of_new = LimitChanges { new_recipients_per_day: LimitChange::Set(Some(OwnLimit::Unlimited)), ..none };
    for changes in [of_messages, of_recipients, of_new] {
        store.change_own_limits(ALICE, &changes, &frank(1)).await.unwrap();
    }
    let limits = OwnLimits {
        messages_per_hour: Some(OwnLimit::AtMost(1)),
        recipients_per_hour: Some(OwnLimit::AtMost(2)),
        new_recipients_per_day: Some(OwnLimit::Unlimited),
        ..OwnLimits::default()
    };
    assert_eq!(store.own_limits(ALICE).await.unwrap(), limits);
}

/// A change that leaves these limits, whatever there was.
fn to(limits: &OwnLimits) -> LimitChanges {
    LimitChanges {
        messages_per_hour: LimitChange::Set(limits.messages_per_hour),
        messages_per_day: LimitChange::Set(limits.messages_per_day),
        recipients_per_hour: LimitChange::Set(limits.recipients_per_hour),
        recipients_per_day: LimitChange::Set(limits.recipients_per_day),
        new_recipients_per_day: LimitChange::Set(limits.new_recipients_per_day),
    }
}

pub async fn what_was_sent_last_stands<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    assert_eq!(store.sent(ALICE).await.unwrap(), None);
    store.note_sent(ALICE, sent(1), &[], at(1));
    store.note_sent(ALICE, sent(2), &[], at(2));
    store.flush().await.unwrap();
    assert_eq!(store.sent(ALICE).await.unwrap(), Some(sent(2)));
    store.note_sent(ALICE, sent(3), &[], at(3));
    store.flush().await.unwrap();
    assert_eq!(store.sent(ALICE).await.unwrap(), Some(sent(3)));
    assert_eq!(store.sent(BOB).await.unwrap(), None);
}

pub async fn who_was_sent_to_is_no_stranger<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let all = correspondents(0..2500);
    assert_eq!(store.strangers(ALICE, &all).await.unwrap(), all);
    store.note_sent(ALICE, sent(1), &all[..10], at(1));
    store.note_sent(ALICE, sent(2), &all[10..2000], at(1));
    assert_eq!(store.strangers(ALICE, &all).await.unwrap(), all[2000..], "noted is as good as written");
    store.flush().await.unwrap();
    assert_eq!(store.strangers(ALICE, &all).await.unwrap(), all[2000..]);
    assert_eq!(store.strangers(BOB, &all).await.unwrap(), all);
    assert_eq!(store.strangers(ALICE, &[]).await.unwrap(), Vec::<Correspondent>::new());
    assert_eq!(store.strangers(BOB, &[all[0], all[1], all[0]]).await.unwrap(), all[..2], "each once");
}

pub async fn correspondents_are_forgotten_after_the_last_message<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let all = correspondents(0..1500);
    store.note_sent(ALICE, sent(1), &all, at(1));
    store.flush().await.unwrap();
    store.note_sent(ALICE, sent(2), &all[..1], at(2));
    store.flush().await.unwrap();
    assert_eq!(store.prune_correspondents(at(2), at(3)).await.unwrap(), 1499);
    assert_eq!(store.strangers(ALICE, &all).await.unwrap(), all[1..]);
}

pub async fn correspondents_of_a_clock_ahead_are_of_today<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let all = correspondents(0..2);
    store.note_sent(ALICE, sent(1), &all, at(300_000_000));
    store.flush().await.unwrap();
    assert_eq!(store.prune_correspondents(at(2), at(5)).await.unwrap(), 0);
    assert_eq!(store.prune_correspondents(at(5), at(5)).await.unwrap(), 0);
    assert_eq!(store.prune_correspondents(at(6), at(6)).await.unwrap(), 2);
}

pub async fn what_a_removed_account_has_sent_is_nothing_to_write<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    store.note_sent(ALICE, sent(1), &correspondents(0..1), at(1));
    store.note_sent(BOB, sent(2), &correspondents(0..1), at(1));
    store.remove(ALICE, &frank(2)).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.sent(ALICE).await.unwrap(), None);
    assert_eq!(store.sent(BOB).await.unwrap(), Some(sent(2)));
}

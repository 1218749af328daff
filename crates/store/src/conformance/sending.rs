//! What [`Sending`] promises.
#![expect(missing_docs, reason = "the names say it")]

use jiff::SignedDuration;
use types::AccountId;

use super::sample::{account, at, frank};
use crate::{
    Accounts, Action, Amounts, Audit, AuditFilter, CommonLimits, Correspondent, Error, Limit, LimitChange,
    LimitChanges, LimitedFilter, Limits, Loan, OwnLimit, OwnLimits, Page, Sending, Share,
};

const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const BOB: AccountId = AccountId::from_bytes([2; 16]);

async fn alice_and_bob<S: Accounts>(store: &S) {
    store.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    store.add(&account(2, "bob@example.org"), &frank(0)).await.unwrap();
}

/// Limits of `messages` in an hour, and none of anything else.
pub(super) fn limits(messages: u32) -> Limits {
    let common = CommonLimits { messages_per_hour: Some(messages), ..CommonLimits::default() };
    Limits { common, own: OwnLimits::default() }
}

pub(super) const ONE: Amounts = Amounts {
    messages_per_hour: 1,
    messages_per_day: 1,
    recipients_per_hour: 1,
    recipients_per_day: 1,
    new_recipients_per_day: 1,
};

/// Borrows for one message, if there is room.
async fn borrow<S: Sending>(store: &S, account: AccountId, messages: u32, now: i64) -> Option<Loan> {
    let nothing = Share::default();
    store.lend(account, &nothing, &ONE, &limits(messages), at(now)).await.unwrap().ok()
}

/// Sends so many messages, the first of them at this time.
async fn send<S: Sending>(store: &S, account: AccountId, messages: u32, to: &[Correspondent], now: i64) {
    let mut loan = borrow(store, account, u32::MAX, now).await.unwrap();
    for _ in 0..messages {
        let sent = loan.take(&ONE);
        store.note_sent(account, &sent, to, at(now));
    }
    store.give_back(account, &loan.left());
}

/// How many messages were sent in the hour and in the day.
async fn messages<S: Sending>(store: &S, account: AccountId) -> Option<(u32, u32)> {
    store.sent(account).await.unwrap().map(|sent| (sent.hour.messages, sent.day.messages))
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
    let told: Vec<_> = store
        .entries(&filter, Page::first(1000))
        .await
        .unwrap()
        .entries
        .iter()
        .map(|entry| entry.event.at)
        .collect();
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

pub async fn what_is_sent_is_told_and_what_is_lent_is_not<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    assert_eq!(store.sent(ALICE).await.unwrap(), None);
    let mut loan = borrow(store, ALICE, 100, 1).await.unwrap();
    assert_eq!(messages(store, ALICE).await, Some((0, 0)));
    for _ in 0..3 {
        let sent = loan.take(&ONE);
        store.note_sent(ALICE, &sent, &[], at(2));
    }
    store.flush().await.unwrap();
    assert_eq!(messages(store, ALICE).await, Some((3, 3)));
    let sent = loan.take(&Amounts {
        messages_per_hour: 1,
        messages_per_day: 1,
        recipients_per_hour: 9,
        recipients_per_day: 9,
        new_recipients_per_day: 5,
    });
    store.note_sent(ALICE, &sent, &[], at(3));
    store.flush().await.unwrap();
    let sent = store.sent(ALICE).await.unwrap().unwrap();
    assert_eq!((sent.hour.since, sent.hour.messages, sent.hour.recipients), (at(1), 4, 12));
    assert_eq!((sent.day.since, sent.day.messages, sent.day.recipients), (at(1), 4, 12));
    assert_eq!(sent.day.new_recipients, 8);
    assert_eq!(store.sent(BOB).await.unwrap(), None);
}

pub async fn what_is_lent_counts_until_it_is_given_back<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let mut lent = Vec::new();
    while let Some(loan) = borrow(store, ALICE, 20, 1).await {
        lent.push(loan.left());
    }
    assert_eq!(lent.iter().map(|share| share.amounts.messages_per_hour).sum::<u32>(), 20);
    let full = store.lend(ALICE, &Share::default(), &ONE, &limits(20), at(601)).await.unwrap().unwrap_err();
    assert_eq!((full.limit, full.at_most, full.wait.as_secs()), (Limit::MessagesPerHour, 20, 3000));
    assert!(borrow(store, BOB, 20, 1).await.is_some());
    let given_back = lent.pop().unwrap();
    store.give_back(ALICE, &given_back);
    store.flush().await.unwrap();
    let again = borrow(store, ALICE, 20, 2).await.unwrap().left();
    assert_eq!(again.amounts.messages_per_hour, given_back.amounts.messages_per_hour);
    let all = Amounts { messages_per_hour: again.amounts.messages_per_hour, ..ONE };
    let exchanged = store.lend(ALICE, &again, &all, &limits(20), at(3)).await.unwrap();
    assert_eq!(exchanged.unwrap().left().amounts.messages_per_hour, all.messages_per_hour);
    assert!(borrow(store, ALICE, 20, 4).await.is_none());
    let nobody = AccountId::from_bytes([9; 16]);
    let lent = store.lend(nobody, &Share::default(), &ONE, &limits(20), at(4)).await;
    assert!(matches!(lent, Err(Error::NotFound)));
}

pub async fn a_window_is_known_again_however_exact_the_clock_is<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let now = at(0) + SignedDuration::from_nanos(1_234_567);
    let all = Amounts { messages_per_hour: 10, ..ONE };
    let lent = store.lend(ALICE, &Share::default(), &all, &limits(10), now).await.unwrap().unwrap();
    let mut lent = store.lend(ALICE, &lent.left(), &all, &limits(10), now).await.unwrap().unwrap();
    store.note_sent(ALICE, &lent.take(&ONE), &[], now);
    store.give_back(ALICE, &lent.left());
    store.flush().await.unwrap();
    let rest = Amounts { messages_per_hour: 9, ..ONE };
    assert!(store.lend(ALICE, &Share::default(), &rest, &limits(10), now).await.unwrap().is_ok());
}

pub async fn a_window_has_nothing_of_the_one_before<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let mut old = borrow(store, ALICE, 10, 0).await.unwrap();
    let late = old.take(&ONE);
    assert!(borrow(store, ALICE, 5, 3599).await.is_none());
    let mut new = borrow(store, ALICE, 10, 3600).await.unwrap();
    let sent = new.take(&ONE);
    store.note_sent(ALICE, &sent, &[], at(3600));
    store.note_sent(ALICE, &late, &[], at(3600));
    store.give_back(ALICE, &old.left());
    store.flush().await.unwrap();
    assert_eq!(messages(store, ALICE).await, Some((1, 2)), "the day goes on");
    let mut messages = new.left().amounts.messages_per_hour;
    while let Some(loan) = borrow(store, ALICE, 10, 3601).await {
        messages += loan.left().amounts.messages_per_hour;
    }
    assert_eq!(messages, 9);
}

pub async fn who_was_sent_to_is_no_stranger<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let all = correspondents(0..2500);
    assert_eq!(store.strangers(ALICE, &all).await.unwrap(), all);
    send(store, ALICE, 1, &all[..10], 1).await;
    send(store, ALICE, 1, &all[10..2000], 1).await;
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
    send(store, ALICE, 1, &all, 1).await;
    store.flush().await.unwrap();
    send(store, ALICE, 1, &all[..1], 2).await;
    store.flush().await.unwrap();
    assert_eq!(store.prune_correspondents(at(2), at(3)).await.unwrap(), 1499);
    assert_eq!(store.strangers(ALICE, &all).await.unwrap(), all[1..]);
}

pub async fn correspondents_of_a_clock_ahead_are_of_today<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let all = correspondents(0..2);
    send(store, ALICE, 1, &all, 300_000_000).await;
    store.flush().await.unwrap();
    assert_eq!(store.prune_correspondents(at(2), at(5)).await.unwrap(), 0);
    assert_eq!(store.prune_correspondents(at(5), at(5)).await.unwrap(), 0);
    assert_eq!(store.prune_correspondents(at(6), at(6)).await.unwrap(), 2);
}

pub async fn what_a_removed_account_has_sent_is_nothing_to_write<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    send(store, ALICE, 1, &correspondents(0..1), 1).await;
    send(store, BOB, 2, &correspondents(0..1), 1).await;
    store.remove(ALICE, &frank(2)).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.sent(ALICE).await.unwrap(), None);
    assert_eq!(messages(store, BOB).await, Some((2, 2)));
}

pub async fn what_several_have_sent_is_told_at_once<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    send(store, ALICE, 3, &[], 1).await;
    store.flush().await.unwrap();
    let told = store.sent_by(&[ALICE, BOB]).await.unwrap();
    assert_eq!(told, [(ALICE, store.sent(ALICE).await.unwrap().unwrap())]);
    assert_eq!(store.sent_by(&[]).await.unwrap(), []);
}

pub async fn accounts_are_found_by_their_limits_and_what_is_used_of_them<S: Accounts + Sending>(store: &S) {
    alice_and_bob(store).await;
    let own = |limit| OwnLimits { messages_per_hour: limit, ..OwnLimits::default() };
    let found = async |filter: LimitedFilter, page: Page<String>| {
        let found = store.limited_accounts(&filter, page).await.unwrap();
        found.into_iter().map(|one| one.address.to_string()).collect::<Vec<_>>()
    };
    let first = || Page::first(9);
    let used = |percent, messages: Option<u32>, now| LimitedFilter::Used {
        percent,
        common: CommonLimits { messages_per_hour: messages, ..CommonLimits::default() },
        now: at(now),
    };
    assert!(found(LimitedFilter::Own, first()).await.is_empty());
    send(store, ALICE, 8, &[], 1).await;
    send(store, BOB, 4, &[], 1).await;
    store.flush().await.unwrap();
    let (alice, bob) = ("alice@example.org", "bob@example.org");
    assert_eq!(found(used(80, Some(10), 2), first()).await, [alice]);
    assert_eq!(found(used(40, Some(10), 2), first()).await, [alice, bob]);
    assert_eq!(found(used(40, Some(10), 2), Page { after: Some(alice.to_owned()), limit: 1 }).await, [bob]);
    assert!(found(used(81, Some(10), 2), first()).await.is_empty());
    assert!(found(used(80, Some(10), 3601), first()).await.is_empty(), "the hour is over");
    assert!(found(used(1, None, 2), first()).await.is_empty(), "nothing is used of no limit");
    let limit =
        |limit| LimitChanges { messages_per_hour: LimitChange::Set(limit), ..LimitChanges::default() };
    store.change_own_limits(ALICE, &limit(Some(OwnLimit::Unlimited)), &frank(1)).await.unwrap();
    store.change_own_limits(BOB, &limit(Some(OwnLimit::AtMost(4))), &frank(1)).await.unwrap();
    assert_eq!(found(used(100, Some(10), 2), first()).await, [bob]);
    assert_eq!(found(LimitedFilter::Own, first()).await, [alice, bob]);
    let told = store.limited_accounts(&LimitedFilter::Own, Page { after: Some(alice.to_owned()), limit: 9 });
    let told = told.await.unwrap();
    assert_eq!((told[0].own, told[0].sent.hour.messages), (own(Some(OwnLimit::AtMost(4))), 4));
    store.change_own_limits(ALICE, &limit(None), &frank(1)).await.unwrap();
    assert_eq!(found(LimitedFilter::Own, first()).await, [bob]);
}

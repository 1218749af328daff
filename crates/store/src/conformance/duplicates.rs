//! What is kept of a message that is handed in again: nothing, through whichever handle and whatever became of the first.
#![expect(missing_docs, reason = "the names say it")]

use bytes::Bytes;
use futures_util::future::join_all;
use jiff::SignedDuration;
use types::QueueId;

use super::sample::{
    all, at, content, deferred, delivered, destination, failed, frank, id, join, lease, node, operate,
    submission, told,
};
use crate::{DuplicateKey, Leased, NewDelivery, Operation, Outcome, Spool, SpoolError, Submission};

/// What a message is known by that was here as a whole at this time. It is known for ten seconds.
fn key(n: u8, seconds: i64) -> DuplicateKey {
    DuplicateKey {
        digest: [n; 16],
        received_at: at(seconds),
        since: at(seconds) - SignedDuration::from_secs(10),
    }
}

/// A message that is known by its key if it comes again.
fn known(n: u8, key: DuplicateKey) -> Submission {
    Submission { duplicate_key: Some(key), ..submission(n, &["bob@example.net"]) }
}

async fn hand_in<S: Spool>(spool: &S, submission: Submission) -> Result<Vec<Leased>, SpoolError> {
    let mut incoming = spool.open(submission.id);
    // Large enough for a file.
    spool.append(&mut incoming, Bytes::from(vec![submission.id.as_bytes()[0]; 100_000])).await.unwrap();
    let delivery = NewDelivery::of_all(&submission, destination("there"), None);
    spool.commit(submission, incoming, vec![delivery]).await
}

/// The first, of which this was the same again.
async fn first_of<S: Spool>(spool: &S, submission: Submission) -> Option<QueueId> {
    let handed_in = hand_in(spool, submission).await;
    if let Err(SpoolError::Duplicate(first)) = handed_in {
        return Some(first);
    }
    handed_in.unwrap();
    None
}

pub async fn what_is_handed_in_again_is_the_first<S: Spool>(one: &S, other: &S) {
    assert_eq!(first_of(one, known(1, key(7, 0))).await, None);
    assert_eq!(first_of(one, known(2, key(7, 5))).await, Some(id(1)));
    assert_eq!(first_of(other, known(3, key(7, 10))).await, Some(id(1)), "through the other handle, too");
    assert_eq!(first_of(other, known(4, key(8, 10))).await, None, "another message");
    assert_eq!(first_of(one, known(5, key(8, 10))).await, Some(id(4)), "which this handle has not written");
    assert_eq!(first_of(one, submission(6, &["bob@example.net"])).await, None, "nothing is known of it");
    let listed = all(one).await;
    assert_eq!(listed.iter().map(|entry| entry.id).collect::<Vec<_>>(), [id(1), id(4), id(6)]);
    let leased = lease(one, 100).await;
    assert_eq!((leased.len(), content(one, &leased[0]).await), (3, vec![1; 100_000]));
}

pub async fn it_is_known_for_its_time_alone<S: Spool>(one: &S, other: &S) {
    assert_eq!(first_of(one, known(1, key(7, 0))).await, None);
    assert_eq!(first_of(other, known(2, key(7, 11))).await, None);
    assert_eq!(
        first_of(one, known(3, key(7, 21))).await,
        Some(id(2)),
        "from then on the second is the first"
    );
    for (n, seconds) in (4..40).zip((22..).step_by(5)) {
        assert_eq!(first_of(one, known(n, key(n, seconds))).await, None);
        assert_eq!(first_of(other, known(100 + n, key(n, seconds))).await, Some(id(n)));
    }
}

pub async fn of_many_that_come_at_once_one_is_kept<S: Spool>(one: &S, other: &S) {
    let messages = 10;
    let handed_in = join_all((0..60).map(async |n: u8| {
        let spool = if n.is_multiple_of(2) { one } else { other };
        (n % messages, first_of(spool, known(100 + n, key(n % messages, 1))).await.unwrap_or(id(100 + n)))
    }));
    let handed_in = handed_in.await;
    let kept: Vec<QueueId> = all(one).await.into_iter().map(|entry| entry.id).collect();
    assert_eq!(kept.len(), usize::from(messages));
    for message in 0..messages {
        let mut named: Vec<_> = handed_in.iter().filter(|(n, _)| *n == message).map(|(_, id)| *id).collect();
        named.dedup();
        assert!(
            named.len() == 1 && kept.contains(&named[0]),
            "all six were told of one that is kept: {named:?}"
        );
    }
}

pub async fn it_is_known_when_the_first_has_left<S: Spool>(one: &S, other: &S) {
    assert_eq!(first_of(one, known(1, key(7, 0))).await, None);
    let leased = lease(one, 100).await;
    one.record(&leased[0], vec![(0, delivered())], None, at(1)).await.unwrap();
    assert_eq!(first_of(one, known(2, key(7, 2))).await, Some(id(1)));
    assert_eq!(first_of(other, known(3, key(7, 2))).await, Some(id(1)));
    assert!(all(one).await.is_empty());
}

/// Hands in the first to two recipients, of whom this becomes, and then an operator does that.
async fn first_with<S: Spool>(spool: &S, n: u8, outcomes: [Outcome; 2], then: Option<Operation>) {
    let two = submission(n, &["bob@example.net", "carol@example.net"]);
    let first = Submission { duplicate_key: Some(key(n, 0)), ..two };
    assert_eq!(first_of(spool, first).await, None);
    let leased = lease(spool, 100).await;
    spool.record(&leased[0], (0..).zip(outcomes).collect(), None, at(1)).await.unwrap();
    if let Some(operation) = then {
        operate(spool, operation, n, 2).await.unwrap();
    }
}

/// Its sender was told so, or will be, and a 250 would promise what nobody does.
pub async fn what_failed_for_everybody_may_be_handed_in_again<S: Spool>(one: &S, other: &S) {
    let later = || deferred(at(500));
    first_with(one, 1, [told(), told()], None).await;
    first_with(one, 2, [failed(), told()], None).await;
    first_with(one, 3, [later(), told()], Some(Operation::Bounce)).await;
    for n in 1..=3 {
        assert_eq!(first_of(other, known(100 + n, key(n, 5))).await, None, "{n}");
        assert_eq!(first_of(one, known(200 + n, key(n, 6))).await, Some(id(100 + n)), "{n}");
    }
}

/// Whoever has it, or may get it, is not to get it twice.
pub async fn what_failed_in_part_is_known<S: Spool>(one: &S, other: &S) {
    let later = || deferred(at(500));
    first_with(one, 1, [delivered(), told()], None).await;
    first_with(one, 2, [later(), told()], None).await;
    first_with(one, 3, [later(), delivered()], Some(Operation::Bounce)).await;
    for n in 1..=3 {
        assert_eq!(first_of(other, known(100 + n, key(n, 5))).await, Some(id(n)));
    }
}

pub async fn what_is_not_kept_is_not_known<S: Spool>(one: &S, other: &S) {
    assert_eq!(first_of(one, known(1, key(7, 0))).await, None);
    let taken = hand_in(one, known(1, key(8, 0))).await;
    assert!(matches!(taken, Err(SpoolError::Failing(_))), "its id is used already");
    assert_eq!(first_of(one, known(2, key(8, 1))).await, None);
    assert_eq!(first_of(other, known(3, key(8, 1))).await, Some(id(2)));
}

pub async fn what_is_taken_back_may_be_handed_in_again<S: Spool>(one: &S, other: &S) {
    let early = |n, digest| Submission { not_before: Some(at(100)), ..known(n, key(digest, 0)) };
    assert_eq!(first_of(one, early(1, 7)).await, None);
    assert!(operate(other, Operation::Undo, 1, 99).await.is_some());
    assert_eq!(first_of(one, early(2, 7)).await, None);
    operate(one, Operation::Stop, 2, 99).await.unwrap();
    assert_eq!(first_of(other, early(3, 7)).await, None);
    // What an operator removes is not to come back by itself.
    operate(other, Operation::Remove, 3, 99).await.unwrap();
    assert_eq!(first_of(one, early(4, 7)).await, Some(id(3)));
}

pub async fn what_came_behind_one_that_is_taken_back_is_known<S: Spool>(one: &S, other: &S) {
    let early = |n| Submission { not_before: Some(at(100)), ..known(n, key(n, 0)) };
    assert_eq!(first_of(one, known(1, key(1, 0))).await, None);
    assert_eq!(first_of(other, known(2, key(1, 0))).await, Some(id(1)));
    // Of these the other handle knows nothing.
    assert_eq!(first_of(one, early(3)).await, None);
    assert_eq!(first_of(one, known(4, key(4, 0))).await, None);
    operate(one, Operation::Undo, 3, 99).await.unwrap();
    assert_eq!(first_of(other, known(5, key(4, 1))).await, Some(id(4)));
    assert_eq!(first_of(other, known(6, key(3, 1))).await, None);
    assert_eq!(first_of(one, known(7, key(3, 1))).await, Some(id(6)));
}

pub async fn what_a_clock_ahead_has_told_is_not_known_for_longer<S: Spool>(one: &S, other: &S) {
    assert_eq!(first_of(one, known(1, key(7, 500_000))).await, None);
    assert_eq!(first_of(other, known(2, key(7, 0))).await, None);
    assert_eq!(first_of(one, known(3, key(7, 1))).await, Some(id(2)));
    // A clock that steps back a little is no matter.
    assert_eq!(first_of(one, known(4, key(8, 9))).await, None);
    assert_eq!(first_of(other, known(5, key(8, 0))).await, Some(id(4)));
}

pub async fn it_is_taken_back_while_nothing_was_sent<S: Spool>(one: &S, other: &S) {
    let early = |n| Submission { not_before: Some(at(100)), ..submission(n, &["bob@example.net"]) };
    for n in 1..=5 {
        hand_in(one, early(n)).await.unwrap();
    }
    let undone = operate(other, Operation::Undo, 1, 99).await.unwrap();
    assert_eq!((undone.operation, undone.id, undone.by.as_str()), (Operation::Undo, id(1), "frank"));
    assert!(one.show(id(1)).await.unwrap().is_none());
    assert!(operate(one, Operation::Undo, 1, 99).await.is_none(), "it is gone");
    assert!(operate(one, Operation::Undo, 2, 100).await.is_none(), "its time is over");
    operate(one, Operation::Hold, 3, 50).await.unwrap();
    assert!(operate(one, Operation::Undo, 3, 51).await.is_none(), "an operator holds it");
    operate(one, Operation::Retry, 4, 50).await.unwrap();
    join(one, 1).await;
    let leased = one.lease_due(node(1), at(50), vec![(destination("there"), 9)]).await.unwrap();
    assert_eq!(leased.iter().map(|leased| leased.submission.id).collect::<Vec<_>>(), [id(4)]);
    assert!(operate(other, Operation::Undo, 4, 50).await.is_none(), "it is being delivered");
    one.record(&leased[0], vec![(0, deferred(at(60)))], None, at(51)).await.unwrap();
    assert!(operate(other, Operation::Undo, 4, 52).await.is_none(), "it was tried");
    hand_in(one, submission(6, &["bob@example.net"])).await.unwrap();
    assert!(operate(one, Operation::Undo, 6, 6).await.is_none(), "it had no time");
    let done = one.operate(Operation::Undo, vec![id(2), id(5), id(9)], &frank(98)).await.unwrap();
    assert_eq!(done.iter().map(|done| done.id).collect::<Vec<_>>(), [id(2), id(5)]);
    assert_eq!(other.take_operations(9).await.unwrap().len(), 5);
}

pub async fn what_is_stopped_is_gone_for_those_who_do_not_have_it<S: Spool>(one: &S, other: &S) {
    hand_in(one, submission(1, &["bob@example.net", "carol@example.net"])).await.unwrap();
    let leased = lease(one, 100).await;
    let outcomes = vec![(0, delivered()), (1, deferred(at(500)))];
    one.record(&leased[0], outcomes, None, at(101)).await.unwrap();
    assert!(operate(other, Operation::Stop, 1, 200).await.is_some());
    assert!(one.show(id(1)).await.unwrap().is_none() && lease(one, 1000).await.is_empty());
    assert!(operate(one, Operation::Stop, 1, 201).await.is_none());
}

pub async fn what_an_operator_holds_is_not_stopped<S: Spool>(one: &S, other: &S) {
    hand_in(one, submission(1, &["bob@example.net"])).await.unwrap();
    operate(one, Operation::Hold, 1, 2).await.unwrap();
    assert!(operate(other, Operation::Stop, 1, 3).await.is_none());
    assert!(one.show(id(1)).await.unwrap().unwrap().entry.held);
    operate(one, Operation::Release, 1, 4).await.unwrap();
    assert!(operate(other, Operation::Stop, 1, 5).await.is_some());
}

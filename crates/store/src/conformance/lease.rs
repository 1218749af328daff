//! What a lease promises.
#![expect(missing_docs, reason = "the names say it")]

use types::{Priority, QueueId};

use super::sample::{
    at, commit, commit_apart, commit_to, deferred, delivered, destination, id, join, lease, lease_to,
    next_due, node, operate, submission,
};
use crate::{Destination, Leased, NewDelivery, Operation, Page, Recorded, Spool, Submission, Waiting};

fn ids(leased: &[Leased]) -> Vec<QueueId> {
    leased.iter().map(|leased| leased.submission.id).collect()
}

/// The number of the first recipient of each delivery.
fn numbers(leased: &[Leased]) -> Vec<u32> {
    leased.iter().map(|leased| leased.recipients[0].number).collect()
}

pub async fn the_longest_waiting_come_first<S: Spool>(spool: &S) {
    for n in [3, 1, 2] {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    join(spool, 1).await;
    assert_eq!(ids(&lease_to(spool, 1, 10, 2).await), [id(1), id(2)]);
    assert_eq!(ids(&lease(spool, 10).await), [id(3)]);
}

pub async fn the_most_urgent_come_before_those_that_wait_longer<S: Spool>(spool: &S) {
    for (n, number) in [(1, 0), (2, 4), (3, -4), (4, 0), (5, 4)] {
        let priority = Priority::new(number).unwrap();
        commit(spool, Submission { priority, ..submission(n, &["bob@example.net"]) }).await;
    }
    join(spool, 1).await;
    let mut order = Vec::new();
    for _ in 0..5 {
        order.extend(lease_to(spool, 1, 10, 1).await.iter().map(|leased| leased.submission.id.as_bytes()[0]));
    }
    assert_eq!(order, [2, 5, 1, 4, 3]);
}

pub async fn a_delivery_has_one_owner_until_it_is_recorded<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    join(spool, 1).await;
    join(spool, 2).await;
    assert!(lease_to(spool, 1, 0, 10).await.is_empty());
    let leased = lease_to(spool, 1, 1, 10).await;
    let hundred_years = 3_000_000_000;
    for n in [1, 2] {
        let again =
            spool.lease_due(node(n), at(hundred_years), vec![(destination("there"), 10)]).await.unwrap();
        assert!(again.is_empty(), "no time ends a lease");
    }
    assert_eq!(next_due(spool).await, None);
    spool.record(&leased[0], vec![(0, deferred(at(20)))], None, at(2)).await.unwrap();
    let next = lease_to(spool, 2, 20, 10).await;
    assert!(next[0].lease.token > leased[0].lease.token && next[0].lease.owner == node(2));
}

pub async fn destinations_are_leased_apart_and_no_more_than_they_have_room_for<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c"]).await;
    commit_apart(spool, 2, &["a", "b"]).await;
    join(spool, 1).await;
    let waiting = |name, seconds| Waiting { destination: destination(name), due_at: at(seconds) };
    let mut told = spool.waiting(Page::first(100)).await.unwrap();
    told.sort_by(|one, other| one.destination.cmp(&other.destination));
    assert_eq!(told, [waiting("a", 1), waiting("b", 1), waiting("c", 1)]);
    let room = vec![(destination("a"), 1), (destination("b"), 0), (destination("d"), 5)];
    let leased = spool.lease_due(node(1), at(10), room).await.unwrap();
    assert_eq!((ids(&leased), numbers(&leased)), (vec![id(1)], vec![0]));
    let room = vec![(destination("a"), 5), (destination("b"), 5)];
    let leased = spool.lease_due(node(1), at(10), room).await.unwrap();
    assert_eq!((ids(&leased), numbers(&leased)), (vec![id(1), id(2), id(2)], vec![1, 0, 1]));
    assert_eq!(spool.waiting(Page::first(100)).await.unwrap(), [waiting("c", 1)]);
}

pub async fn destinations_are_told_page_by_page<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["b", "d", "a", "c"]).await;
    commit_apart(spool, 2, &["b"]).await;
    let message = submission(3, &["bob@example.net"]);
    let unknown = NewDelivery::of_all(&message, Destination::unknown(), None);
    commit_to(spool, message, vec![unknown]).await;
    let page = async |after: Option<&str>, limit| {
        let told = spool.waiting(Page { after: after.map(destination), limit }).await.unwrap();
        told.iter().map(|waiting| waiting.destination.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((page(None, 3).await, page(None, 100).await), (" a b".to_owned(), " a b c d".to_owned()));
    assert_eq!((page(Some("b"), 1).await, page(Some("bb"), 5).await), ("c".to_owned(), "c d".to_owned()));
    assert_eq!((page(Some("d"), 5).await, page(Some("z"), 5).await), (String::new(), String::new()));
}

pub async fn what_becomes_of_one_delivery_is_nothing_to_the_others<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, deferred(at(100)))], None, at(11)).await.unwrap();
    assert_eq!(spool.waiting(Page::first(100)).await.unwrap()[0].destination, destination("a"));
    let held = spool.held_by(node(1)).await.unwrap();
    assert_eq!((held.len(), &held[0].delivery.destination), (1, &destination("b")));
    spool.record(&leased[1], vec![(1, delivered())], None, at(12)).await.unwrap();
    assert!(lease(spool, 99).await.is_empty());
    let rest = lease(spool, 100).await;
    assert_eq!(numbers(&rest), [0]);
    assert_eq!(spool.record(&rest[0], vec![(0, delivered())], None, at(101)).await.unwrap(), Recorded::Kept);
    assert!(spool.show(id(1)).await.unwrap().is_none());
}

pub async fn a_hold_is_one_of_all_deliveries<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    operate(spool, Operation::Hold, 1, 2).await;
    assert_eq!((next_due(spool).await, lease(spool, 10).await.len()), (None, 0));
    operate(spool, Operation::Release, 1, 20).await;
    assert_eq!((next_due(spool).await, lease(spool, 20).await.len()), (Some(at(20)), 2));
}

pub async fn a_lease_that_is_given_back_is_due_at_once<S: Spool>(spool: &S) {
    for n in [1, 2] {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    let first = lease(spool, 10).await;
    let mut held = spool.held_by(node(1)).await.unwrap();
    held.sort();
    assert_eq!(
        held.iter().map(|held| held.delivery.clone()).collect::<Vec<_>>(),
        [first[0].key(), first[1].key()]
    );
    spool.give_back(node(2), held.clone()).await.unwrap();
    assert_eq!(spool.held_by(node(1)).await.unwrap().len(), 2, "it is not the other's to give back");
    spool.give_back(node(1), vec![held[0].clone()]).await.unwrap();
    assert_eq!(ids(&lease(spool, 10).await), [id(1)]);
    spool.give_back(node(1), vec![held[0].clone()]).await.unwrap();
    assert_eq!(spool.held_by(node(1)).await.unwrap().len(), 2, "the lease is another by now");
    spool.record(&first[0], Vec::new(), None, at(11)).await.unwrap();
    assert_eq!(spool.held_by(node(1)).await.unwrap().len(), 2, "that lease was given back before");
}

pub async fn recipients_go_another_way_if_their_route_has_changed<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c"]).await;
    let leased = lease(spool, 10).await;
    let there = || destination("there");
    for moved in [0, 1] {
        let moved = spool.reroute(&leased[moved], vec![(leased[moved].recipients[0].number, there())]).await;
        assert_eq!(moved.unwrap(), Recorded::Kept);
    }
    assert_eq!(
        spool.waiting(Page::first(100)).await.unwrap(),
        [Waiting { destination: there(), due_at: at(1) }]
    );
    let again = lease(spool, 10).await;
    let together: Vec<_> = again[0].recipients.iter().map(|recipient| recipient.number).collect();
    assert_eq!((again.len(), together), (1, vec![0, 1]));
    // Who comes to a delivery that is being made follows as soon as it is recorded.
    spool.reroute(&leased[2], vec![(2, there())]).await.unwrap();
    assert_eq!(next_due(spool).await, None);
    spool.record(&again[0], vec![(0, delivered()), (1, deferred(at(500)))], None, at(11)).await.unwrap();
    assert_eq!(numbers(&lease(spool, 11).await), [2]);
    assert_eq!(spool.reroute(&leased[0], vec![(0, destination("a"))]).await.unwrap(), Recorded::TakenOver);
}

pub async fn a_delivery_splits_if_its_recipients_go_different_ways<S: Spool>(spool: &S) {
    let submission = submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"]);
    commit(spool, submission).await;
    let leased = lease(spool, 10).await;
    let ways = vec![(0, destination("a")), (1, destination("b")), (2, destination("a"))];
    spool.reroute(&leased[0], ways).await.unwrap();
    let leased = lease(spool, 10).await;
    assert_eq!((numbers(&leased), leased[0].recipients.len()), (vec![0, 1], 2));
    assert!(spool.waiting(Page::first(100)).await.unwrap().is_empty());
}

pub async fn what_a_clock_ahead_has_set_is_brought_forward<S: Spool>(spool: &S) {
    const YEARS: i64 = 300_000_000;
    for n in 1..=4 {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    join(spool, 1).await;
    for (now, next) in [(1, YEARS), (2, 90)] {
        let leased = lease_to(spool, 1, now, 1).await;
        spool.record(&leased[0], vec![(0, deferred(at(next)))], None, at(2)).await.unwrap();
    }
    let leased = lease_to(spool, 1, 3, 1).await;
    assert!(spool.bring_forward(at(100), at(10)).await.unwrap());
    assert_eq!(ids(&lease(spool, 10).await), [id(1), id(4)]);
    assert_eq!(ids(&leased), [id(3)], "which stays leased");
    assert!(!spool.bring_forward(at(100), at(10)).await.unwrap(), "waits of the usual length stay");
    assert_eq!(next_due(spool).await, Some(at(90)));
}

pub async fn what_waits_is_told_with_the_earliest<S: Spool>(spool: &S) {
    assert_eq!(next_due(spool).await, None);
    commit(spool, submission(7, &["bob@example.net"])).await;
    commit(spool, submission(5, &["bob@example.net"])).await;
    assert_eq!(
        spool.waiting(Page::first(100)).await.unwrap(),
        [Waiting { destination: destination("there"), due_at: at(5) }]
    );
}

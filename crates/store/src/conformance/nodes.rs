//! What nodes that deliver from one queue are promised, through two handles to it.
#![expect(missing_docs, reason = "the names say it")]

use std::collections::HashSet;

use futures_util::future::join_all;

use types::{QueueId, ReportEvent};

use super::sample::{
    all, at, commit, commit_apart, commit_to, deferred, delivered, destination, failed, id, join, lease,
    lease_to, master_key, news, next_due, node, report, submission, telling, told,
};
use crate::{Entry, MasterKeyId, NewDelivery, Node, RecipientState, Recorded, Spool, Standing};

fn queued(entries: &[Entry]) -> Vec<QueueId> {
    entries.iter().map(|entry| entry.id).collect()
}

pub async fn who_has_joined_is_on_the_list_until_it_leaves_or_is_buried<S: Spool>(one: &S, other: &S) {
    assert!(one.nodes().await.unwrap().is_empty());
    assert_eq!(one.beat(node(1), master_key(1)).await.unwrap(), Standing::Buried, "who has not joined");
    join(one, 2).await;
    join(other, 1).await;
    join(other, 1).await;
    let listed = other.nodes().await.unwrap();
    assert_eq!(listed.iter().map(|node| node.id).collect::<Vec<_>>(), [node(1), node(2)]);
    assert_eq!((listed[1].name.as_str(), listed[1].version.as_str()), ("node 2", "1.2.3"));
    assert_eq!(listed[1].started_at, at(2));
    assert_eq!(one.beat(node(2), master_key(1)).await.unwrap(), Standing::Stands);
    assert!(other.bury(node(2)).await.unwrap());
    assert!(!one.bury(node(2)).await.unwrap());
    assert_eq!(one.beat(node(2), master_key(1)).await.unwrap(), Standing::Buried);
    one.leave(node(1)).await.unwrap();
    assert!(other.nodes().await.unwrap().is_empty());
}

pub async fn each_node_tells_its_newest_master_key<S: Spool>(one: &S, other: &S) {
    let told = async |spool: &S| -> Vec<_> {
        spool.nodes().await.unwrap().into_iter().map(|node| node.newest_key).collect()
    };
    let silent = Node {
        id: node(3),
        name: String::new(),
        version: String::new(),
        started_at: at(3),
        newest_key: None,
    };
    join(one, 1).await;
    join(other, 2).await;
    one.join(&silent).await.unwrap();
    assert_eq!(told(other).await, [Some(master_key(1)), Some(master_key(1)), None]);
    // What one tells is what everybody sees from then on, and nothing to the others.
    assert_eq!(one.beat(node(1), master_key(2)).await.unwrap(), Standing::Stands);
    assert_eq!(told(other).await, [Some(master_key(2)), Some(master_key(1)), None]);
    let another = MasterKeyId { digest: [9; 8], ..master_key(2) };
    assert_eq!(other.beat(node(2), another).await.unwrap(), Standing::Stands);
    assert_eq!(told(one).await, [Some(master_key(2)), Some(another), None], "of the same number");
    // Who is buried is not on the list again by what it tells.
    assert!(one.bury(node(2)).await.unwrap());
    assert_eq!(other.beat(node(2), master_key(3)).await.unwrap(), Standing::Buried);
    assert_eq!(told(one).await, [Some(master_key(2)), None]);
}

pub async fn two_nodes_never_lease_the_same<S: Spool>(one: &S, other: &S) {
    for n in 0..100 {
        commit_apart(one, n, &["a", "b"]).await;
    }
    join(one, 1).await;
    join(other, 2).await;
    let room = || vec![(destination("a"), 7), (destination("b"), 7)];
    let leased = join_all((0..40).map(async |turn| {
        let (spool, n) = if turn % 2 == 0 { (one, 1) } else { (other, 2) };
        spool.lease_due(node(n), at(1000), room()).await.unwrap()
    }));
    let leased: Vec<_> = leased.await.into_iter().flatten().collect();
    let keys: HashSet<_> = leased.iter().map(|leased| leased.key()).collect();
    assert_eq!((leased.len(), keys.len()), (200, 200));
    assert!(leased.iter().all(|leased| leased.recipients.len() == 1));
    for (n, spool) in [(1, other), (2, one)] {
        let held = spool.held_by(node(n)).await.unwrap();
        let owned = leased.iter().filter(|leased| leased.lease.owner == node(n)).count();
        assert_eq!(held.len(), owned);
    }
}

pub async fn a_buried_node_has_lost_its_leases_and_gets_no_others<S: Spool>(one: &S, other: &S) {
    for n in [1, 2] {
        commit(one, submission(n, &["bob@example.net"])).await;
    }
    join(one, 1).await;
    assert_eq!(lease_to(one, 1, 10, 1).await.len(), 1);
    other.bury(node(1)).await.unwrap();
    assert!(other.held_by(node(1)).await.unwrap().is_empty());
    assert_eq!(next_due(other).await, Some(at(1)), "as long as it has waited before");
    assert!(lease_to(one, 1, 10, 10).await.is_empty());
    let late = submission(3, &["bob@example.net"]);
    let delivery = NewDelivery::of_all(&late, destination("there"), Some(node(1)));
    assert!(commit_to(one, late, vec![delivery]).await.is_empty(), "it is kept, and leased to nobody");
    join(other, 2).await;
    assert_eq!(lease_to(other, 2, 10, 10).await.len(), 3);
}

pub async fn a_late_record_adds_delivered_and_nothing_else<S: Spool>(one: &S, other: &S) {
    let to = ["a@example.net", "b@example.net", "c@example.net", "d@example.net"];
    commit(one, submission(1, &to)).await;
    join(one, 1).await;
    join(other, 2).await;
    let late = lease_to(one, 1, 10, 10).await.remove(0);
    other.bury(node(1)).await.unwrap();
    let present = lease_to(other, 2, 10, 10).await.remove(0);
    let outcomes = vec![(0, delivered()), (1, deferred(at(500))), (2, failed())];
    other.record(&present, outcomes, None, at(11)).await.unwrap();
    // It speaks of the same recipients, and of one whom the other has not tried yet.
    let outcomes = vec![(0, deferred(at(9000))), (1, failed()), (2, delivered()), (3, deferred(at(9000)))];
    assert_eq!(one.record(&late, outcomes, None, at(12)).await.unwrap(), Recorded::TakenOver);
    let shown = other.show(id(1)).await.unwrap().unwrap().recipients;
    let states: Vec<_> = shown.iter().map(|recipient| recipient.state).collect();
    let (delivered, deferred) = (RecipientState::Delivered, RecipientState::Deferred);
    assert_eq!(states, [delivered, deferred, delivered, RecipientState::Queued]);
    assert_eq!(shown[1].next_attempt_at, Some(at(500)));
    assert_eq!((shown[3].attempts, next_due(one).await), (0, Some(at(1))));
}

pub async fn a_late_record_ends_no_lease_of_another<S: Spool>(one: &S, other: &S) {
    commit(one, submission(1, &["a@example.net", "b@example.net"])).await;
    join(one, 1).await;
    join(other, 2).await;
    let late = lease_to(one, 1, 10, 10).await.remove(0);
    // The same node may come back under its name; what it had leased before is not its own for that.
    other.bury(node(1)).await.unwrap();
    join(one, 1).await;
    let present = lease_to(one, 1, 10, 10).await.remove(0);
    for outcomes in [vec![], vec![(0, deferred(at(20)))]] {
        one.record(&late, outcomes, None, at(11)).await.unwrap();
    }
    assert_eq!(one.record(&late, vec![(1, delivered())], None, at(11)).await.unwrap(), Recorded::Kept);
    assert!(lease_to(other, 2, 1000, 10).await.is_empty());
    assert_eq!(other.held_by(node(1)).await.unwrap()[0].token, present.lease.token);
    assert_eq!(one.record(&present, vec![(0, delivered())], None, at(12)).await.unwrap(), Recorded::Kept);
    assert!(other.show(id(1)).await.unwrap().is_none());
}

pub async fn a_late_record_that_all_have_it_is_true<S: Spool>(one: &S, other: &S) {
    commit(one, submission(1, &["a@example.net"])).await;
    join(one, 1).await;
    join(other, 2).await;
    let late = lease_to(one, 1, 10, 10).await.remove(0);
    other.bury(node(1)).await.unwrap();
    let present = lease_to(other, 2, 10, 10).await.remove(0);
    assert_eq!(one.record(&late, vec![(0, delivered())], None, at(11)).await.unwrap(), Recorded::Kept);
    assert!(other.show(id(1)).await.unwrap().is_none());
    let deferred = other.record(&present, vec![(0, deferred(at(20)))], None, at(12)).await.unwrap();
    assert_eq!(deferred, Recorded::TakenOver);
    assert!(other.show(id(1)).await.unwrap().is_none());
    assert!(other.held_by(node(2)).await.unwrap().is_empty());
}

pub async fn nobody_keeps_a_lease_that_was_taken_while_it_was_buried<S: Spool>(one: &S, other: &S) {
    for n in 0..60 {
        commit(one, submission(n, &["bob@example.net"])).await;
    }
    join(one, 1).await;
    let room = || vec![(destination("there"), 3)];
    let leasing = join_all((0..20).map(async |_| one.lease_due(node(1), at(1000), room()).await.unwrap()));
    let (leased, buried) = futures_util::future::join(leasing, other.bury(node(1))).await;
    assert!(buried.unwrap());
    assert!(leased.iter().flatten().count() <= 60);
    assert!(other.held_by(node(1)).await.unwrap().is_empty());
    join(other, 2).await;
    assert_eq!(lease_to(other, 2, 1000, 100).await.len(), 60);
}

pub async fn one_queue_takes_mail_through_both_handles<S: Spool>(one: &S, other: &S) {
    join(one, 1).await;
    join(other, 2).await;
    let leased = join_all((0..40).map(async |n| {
        let (spool, owner) = if n % 2 == 0 { (one, node(1)) } else { (other, node(2)) };
        let submission = submission(n, &["bob@example.net"]);
        let delivery = NewDelivery::of_all(&submission, destination("there"), Some(owner));
        let leased = commit_to(spool, submission, vec![delivery]).await.remove(0);
        assert_eq!(leased.lease.owner, owner);
        spool.record(&leased, vec![(0, delivered())], None, at(100)).await.unwrap()
    }));
    assert!(leased.await.into_iter().all(|recorded| recorded == Recorded::Kept));
    assert_eq!(one.stats().await.unwrap().entries, 0);
}

pub async fn a_late_record_makes_no_report<S: Spool>(one: &S, other: &S) {
    commit(one, submission(1, &["bob@example.net", "carol@example.net"])).await;
    join(one, 1).await;
    join(other, 2).await;
    let late = lease_to(one, 1, 10, 10).await.remove(0);
    other.bury(node(1)).await.unwrap();
    let present = lease_to(other, 2, 10, 10).await.remove(0);
    let outcomes = || vec![(0, delivered()), (1, told())];
    assert_eq!(
        one.record(&late, outcomes(), Some(report(7).into()), at(11)).await.unwrap(),
        Recorded::TakenOver
    );
    assert_eq!(queued(&all(other).await), [id(1)]);
    let recorded = other.record(&present, vec![(1, told())], Some(report(8).into()), at(12)).await.unwrap();
    assert_eq!((recorded, queued(&all(one).await)), (Recorded::Kept, vec![id(8)]));
}

/// That all have it is true, and would never be told otherwise: nobody is left to be tried.
pub async fn a_success_is_told_by_who_records_it_first<S: Spool>(one: &S, other: &S) {
    commit(one, submission(1, &["bob@example.net"])).await;
    join(one, 1).await;
    join(other, 2).await;
    let late = lease_to(one, 1, 10, 10).await.remove(0);
    other.bury(node(1)).await.unwrap();
    let present = lease_to(other, 2, 10, 10).await.remove(0);
    let outcomes = || vec![(0, delivered())];
    let of_success = [(0, ReportEvent::Delivered)];
    let first = one.record(&late, outcomes(), telling(8, &of_success), at(13)).await.unwrap();
    let second = other.record(&present, outcomes(), telling(9, &of_success), at(13)).await.unwrap();
    assert_eq!((first, second), (Recorded::Kept, Recorded::KeptWithoutReport));
    assert_eq!(queued(&all(one).await), [id(8)]);
}

pub async fn a_record_that_is_repeated_makes_no_second_report<S: Spool>(one: &S, other: &S) {
    commit(one, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(one, 10).await.remove(0);
    let outcomes = || vec![(0, told()), (1, deferred(at(500)))];
    assert_eq!(
        one.record(&leased, outcomes(), Some(report(7).into()), at(11)).await.unwrap(),
        Recorded::Kept
    );
    // As after an error that came behind the commit, through whichever handle.
    for (spool, n) in [(one, 7), (other, 7), (other, 8)] {
        let again = spool.record(&leased, outcomes(), Some(report(n).into()), at(12)).await.unwrap();
        assert_eq!(again, Recorded::TakenOver);
    }
    assert_eq!(queued(&all(other).await), [id(1), id(7)]);
    assert_eq!(next_due(other).await, Some(at(7)));
}

pub async fn two_do_not_tell_the_same<S: Spool>(one: &S, other: &S) {
    commit_apart(one, 1, &["a", "b"]).await;
    join(one, 1).await;
    join(other, 2).await;
    for (number, leased) in (0..).zip(lease_to(one, 1, 10, 10).await) {
        one.record(&leased, vec![(number, told())], news(&[(number, ReportEvent::Refused)], 130), at(11))
            .await
            .unwrap();
    }
    let late = lease_to(one, 1, 12, 10).await.remove(0);
    assert!(lease_to(other, 2, 12, 10).await.is_empty());
    other.bury(node(1)).await.unwrap();
    let present = lease_to(other, 2, 13, 10).await.remove(0);
    let both = [(0, ReportEvent::Refused), (1, ReportEvent::Refused)];
    let first = one.record(&late, Vec::new(), telling(8, &both), at(14)).await.unwrap();
    assert_eq!((first, queued(&all(other).await)), (Recorded::TakenOver, vec![id(1)]));
    let second = other.record(&present, Vec::new(), telling(9, &both), at(15)).await.unwrap();
    assert_eq!((second, queued(&all(one).await)), (Recorded::Kept, vec![id(9)]));
    let again = other.record(&present, Vec::new(), telling(7, &both), at(16)).await.unwrap();
    assert_eq!(
        (again, queued(&all(one).await)),
        (Recorded::TakenOver, vec![id(9)]),
        "it is repeated after an error"
    );
}

/// A late record says of somebody that it has the message; whoever has the lease says that it failed.
pub async fn a_report_that_is_not_true_of_everybody_is_not_kept<S: Spool>(one: &S, other: &S) {
    commit(one, submission(1, &["bob@example.net", "carol@example.net"])).await;
    join(one, 1).await;
    join(other, 2).await;
    let late = lease_to(one, 1, 10, 10).await.remove(0);
    other.bury(node(1)).await.unwrap();
    let present = lease_to(other, 2, 10, 10).await.remove(0);
    let outcomes = vec![(0, delivered()), (1, told())];
    let of_late = telling(7, &[(0, ReportEvent::Delivered), (1, ReportEvent::Refused)]);
    assert_eq!(one.record(&late, outcomes, of_late, at(11)).await.unwrap(), Recorded::TakenOver);
    let outcomes = vec![(0, told()), (1, told())];
    let of_present = telling(8, &[(0, ReportEvent::Refused), (1, ReportEvent::Refused)]);
    let recorded = other.record(&present, outcomes, of_present, at(12)).await.unwrap();
    assert_eq!((recorded, queued(&all(one).await)), (Recorded::KeptWithoutReport, vec![id(1)]));
    let news: Vec<_> = one.reportable(id(1)).await.unwrap().iter().map(|one| one.news).collect();
    assert_eq!(
        news,
        [Some(ReportEvent::Delivered), Some(ReportEvent::Refused)],
        "each is told what became of it"
    );
    assert_eq!(lease_to(other, 2, 12, 10).await[0].recipients.len(), 2);
}

//! What a report that is recorded with what it tells promises, and what becomes of a message that nothing is left to be done for.
#![expect(missing_docs, reason = "the names say it")]

use bytes::Bytes;
use types::{QueueId, ReversePath};

use super::sample::{
    all, at, commit, commit_apart, content, deferred, delivered, failed, id, lease, node, operate, report,
    submission, told,
};
use crate::{
    Destination, Entry, NewReport, Operation, Page, QueueFilter, RecipientState, Recorded, Spool, Stats,
    Submission,
};

fn late(n: u8, recipients: &[u32]) -> NewReport {
    NewReport { late: recipients.to_vec(), ..report(n) }
}

fn ids(entries: &[Entry]) -> Vec<QueueId> {
    entries.iter().map(|entry| entry.id).collect()
}

pub async fn a_report_is_committed_with_what_it_tells<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    let outcomes = vec![(0, told()), (1, deferred(at(500)))];
    let recorded = spool.record(&leased[0], outcomes, Some(report(9).into()), at(11)).await.unwrap();
    assert_eq!(recorded, Recorded::Kept);
    let listed = all(spool).await;
    assert_eq!(ids(&listed), [id(1), id(9)]);
    assert_eq!((listed[1].sender.as_str(), listed[1].size), ("", report(9).content.len() as u64));
    let shown = spool.show(id(1)).await.unwrap().unwrap().recipients;
    assert_eq!((shown[0].state, shown[1].state), (RecipientState::Failed, RecipientState::Deferred));
    let waiting = lease(spool, 11).await;
    assert_eq!((waiting.len(), &*waiting[0].submission), (1, &report(9).submission));
    assert_eq!(waiting[0].destination, Destination::unknown());
    assert_eq!(content(spool, &waiting[0]).await, report(9).content);
    spool.record(&waiting[0], vec![(0, delivered())], None, at(12)).await.unwrap();
    assert_eq!(ids(&all(spool).await), [id(1)]);
}

pub async fn a_report_may_be_large<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let leased = lease(spool, 10).await;
    let large = Bytes::from(vec![b'x'; 300_000]);
    let report = NewReport { content: large.clone(), ..report(9) };
    spool.record(&leased[0], vec![(0, told())], Some(report.into()), at(11)).await.unwrap();
    assert!(content(spool, &lease(spool, 11).await[0]).await == large);
}

pub async fn a_success_can_be_told_too<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let leased = lease(spool, 10).await;
    let recorded =
        spool.record(&leased[0], vec![(0, delivered())], Some(report(9).into()), at(11)).await.unwrap();
    assert_eq!((recorded, ids(&all(spool).await)), (Recorded::Kept, vec![id(9)]));
    assert!(spool.show(id(1)).await.unwrap().is_none());
}

pub async fn what_failed_and_was_told_is_settled<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, told())], Some(report(9).into()), at(11)).await.unwrap();
    spool.record(&leased[1], vec![(1, delivered())], None, at(11)).await.unwrap();
    assert_eq!(ids(&all(spool).await), [id(1), id(9)], "one is left");
    spool.record(&leased[2], vec![(2, told())], None, at(12)).await.unwrap();
    assert_eq!(ids(&all(spool).await), [id(9)]);
    let everything = QueueFilter { settled: true, ..QueueFilter::default() };
    let shown = spool.list(&everything, Page::first(10)).await.unwrap();
    assert_eq!(ids(&shown), [id(1), id(9)]);
    let shown = spool.show(id(1)).await.unwrap().unwrap();
    assert_eq!((shown.entry.state, shown.entry.held), (RecipientState::Failed, false));
    let expected = Stats {
        entries: 1,
        octets: report(9).content.len() as u64,
        queued: 1,
        oldest: Some(at(9)),
        ..Stats::default()
    };
    assert_eq!(spool.stats().await.unwrap(), expected);
    for operation in Operation::ALL {
        assert_eq!(operate(spool, operation, 1, 20).await, None, "nothing is left to be done");
    }
    assert_eq!(lease(spool, 100_000).await.len(), 1);
}

pub async fn a_failure_that_nobody_was_told_of_stays_listed<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, failed()), (1, told())], None, at(11)).await.unwrap();
    assert_eq!(ids(&all(spool).await), [id(1)]);
}

pub async fn what_is_settled_is_forgotten_in_time<S: Spool>(spool: &S) {
    for n in [1, 2] {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    for (leased, at) in lease(spool, 10).await.iter().zip([at(100), at(200)]) {
        spool.record(leased, vec![(0, told())], None, at).await.unwrap();
    }
    assert!(!spool.forget_settled(at(100)).await.unwrap());
    assert!(spool.show(id(1)).await.unwrap().is_some());
    assert!(!spool.forget_settled(at(101)).await.unwrap());
    assert!(spool.show(id(1)).await.unwrap().is_none());
    assert!(spool.show(id(2)).await.unwrap().is_some());
}

pub async fn what_failed_from_nobody_is_forgotten_in_time<S: Spool>(spool: &S) {
    let from =
        |n, recipients: &[&str], sender| Submission { reverse_path: sender, ..submission(n, recipients) };
    let (two, nobody) = (["bob@example.net", "carol@example.net"], ReversePath::Null);
    for n in [1, 2, 3, 4] {
        commit(spool, from(n, &two, nobody.clone())).await;
    }
    commit(spool, submission(5, &two)).await;
    let leased = lease(spool, 10).await;
    let outcomes = [
        vec![(0, failed()), (1, delivered())],
        vec![(0, failed()), (1, deferred(at(500)))],
        vec![(0, failed()), (1, failed())],
        vec![(0, failed()), (1, failed())],
        vec![(0, failed()), (1, failed())],
    ];
    for (leased, outcomes) in leased.iter().zip(outcomes) {
        spool.record(leased, outcomes, None, at(11)).await.unwrap();
    }
    operate(spool, Operation::Hold, 3, 12).await.unwrap();
    assert!(!spool.forget_settled(at(1)).await.unwrap());
    assert_eq!(ids(&all(spool).await), [id(1), id(2), id(3), id(4), id(5)], "none is so old");
    assert!(!spool.forget_settled(at(4)).await.unwrap());
    assert_eq!(
        ids(&all(spool).await),
        [id(2), id(3), id(4), id(5)],
        "one waits, one is held, one is not so old"
    );
    assert!(spool.show(id(1)).await.unwrap().is_none());
    assert!(!spool.forget_settled(at(100)).await.unwrap());
    assert_eq!(ids(&all(spool).await), [id(2), id(3), id(5)], "of the last, its sender can be told");
}

pub async fn who_was_told_is_known_when_it_is_tried_again<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"])).await;
    let leased = lease(spool, 10).await;
    assert!(leased[0].recipients.iter().all(|recipient| !recipient.told));
    let outcomes = vec![(0, told()), (1, failed()), (2, deferred(at(9000)))];
    spool.record(&leased[0], outcomes, None, at(11)).await.unwrap();
    operate(spool, Operation::Retry, 1, 20).await.unwrap();
    let again = lease(spool, 20).await;
    let told: Vec<_> = again[0].recipients.iter().map(|recipient| recipient.told).collect();
    assert_eq!(told, [true, false, false]);
    // What is said of it later does not take that back.
    spool.record(&again[0], vec![(0, deferred(at(30)))], None, at(21)).await.unwrap();
    assert!(lease(spool, 30).await[0].recipients[0].told);
}

pub async fn a_delay_is_told_once_of_each_recipient<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c"]).await;
    commit(spool, submission(2, &["dave@example.net", "erwin@example.net"])).await;
    let leased = lease(spool, 10).await;
    assert!(leased.iter().flat_map(|leased| &leased.recipients).all(|recipient| !recipient.delay_told));
    let at_20 = |number| (number, deferred(at(20)));
    for (leased, outcomes, report) in [
        (&leased[0], vec![at_20(0)], Some(late(7, &[0]).into())),
        (&leased[1], vec![at_20(1)], Some(late(8, &[1]).into())),
        (&leased[2], vec![at_20(2)], None),
        (&leased[3], vec![at_20(0), at_20(1)], Some(late(9, &[1]).into())),
    ] {
        assert_eq!(spool.record(leased, outcomes, report, at(11)).await.unwrap(), Recorded::Kept);
    }
    let again = lease(spool, 20).await;
    let told = |n| {
        let of_message = again.iter().filter(|leased| leased.submission.id == id(n));
        let recipients = of_message.flat_map(|leased| &leased.recipients);
        recipients.map(|recipient| recipient.delay_told).collect::<Vec<_>>()
    };
    assert_eq!((told(1), told(2)), (vec![true, true, false], vec![false, true]));
    assert_eq!(told(7), [false]);
}

pub async fn who_has_it_is_recorded_while_others_are_tried<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    assert!(spool.record_delivered(&leased[0], vec![(0, delivered())], None, at(11)).await.unwrap());
    let shown = spool.show(id(1)).await.unwrap().unwrap().recipients;
    assert_eq!((shown[0].state, shown[1].state), (RecipientState::Delivered, RecipientState::Queued));
    assert!(lease(spool, 12).await.is_empty(), "the lease lasts");
    let outcomes = vec![(0, delivered()), (1, delivered())];
    assert_eq!(spool.record(&leased[0], outcomes, None, at(13)).await.unwrap(), Recorded::Kept);
    assert!(spool.show(id(1)).await.unwrap().is_none());
}

pub async fn what_all_were_recorded_to_have_is_not_tried_again<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    commit_apart(spool, 2, &["a", "b"]).await;
    for leased in lease(spool, 10).await.iter().take(2) {
        let all = leased.recipients.iter().map(|recipient| (recipient.number, delivered())).collect();
        spool.record_delivered(leased, all, None, at(11)).await.unwrap();
    }
    // Whoever had the leases is gone before it could record more.
    spool.bury(node(1)).await.unwrap();
    let again = lease(spool, 20).await;
    let again: Vec<_> =
        again.iter().map(|leased| (leased.submission.id, leased.destination.as_str())).collect();
    assert_eq!(again, [(id(2), "b")]);
    assert!(spool.show(id(1)).await.unwrap().is_none());
    assert!(!spool.show(id(2)).await.unwrap().unwrap().entry.held);
    spool.bury(node(1)).await.unwrap();
    assert_eq!(lease(spool, 30).await.len(), 1);
}

pub async fn others_are_not_tried_once_an_operator_says_no<S: Spool>(spool: &S) {
    for (n, operation) in [(1, Operation::Hold), (2, Operation::Bounce), (3, Operation::Remove)] {
        commit(spool, submission(n, &["bob@example.net", "carol@example.net"])).await;
        let leased = lease(spool, 10).await.pop().unwrap();
        assert!(spool.record_delivered(&leased, Vec::new(), None, at(11)).await.unwrap());
        operate(spool, operation, n, 12).await.unwrap();
        assert!(!spool.record_delivered(&leased, vec![(0, delivered())], None, at(13)).await.unwrap());
    }
    let shown = spool.show(id(2)).await.unwrap().unwrap().recipients;
    assert_eq!((shown[0].state, shown[1].state), (RecipientState::Delivered, RecipientState::Queued));
}

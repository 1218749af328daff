//! What a lease promises.
#![expect(missing_docs, reason = "the names say it")]

use types::QueueId;

use super::sample::{at, commit, deferred, lease, submission};
use crate::{Leased, Spool};

fn ids(leased: &[Leased]) -> Vec<QueueId> {
    leased.iter().map(|leased| leased.submission.id).collect()
}

fn id(n: u8) -> QueueId {
    QueueId::from_bytes([n; 16])
}

pub async fn the_longest_waiting_come_first<S: Spool>(spool: &S) {
    for n in [3, 1, 2] {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    let two = spool.lease_due("node", at(10), at(20), 2).await.unwrap();
    assert_eq!(ids(&two), [id(1), id(2)]);
    assert_eq!(ids(&lease(spool, 10).await), [id(3)]);
}

pub async fn an_entry_has_one_owner<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    assert!(spool.lease_due("one", at(0), at(20), 10).await.unwrap().is_empty());
    assert_eq!(spool.lease_due("one", at(1), at(20), 10).await.unwrap().len(), 1);
    assert!(spool.lease_due("two", at(10), at(20), 10).await.unwrap().is_empty());
    assert!(spool.lease_due("one", at(10), at(20), 10).await.unwrap().is_empty());
}

pub async fn a_lease_ends_with_its_time<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    spool.lease_due("one", at(10), at(20), 10).await.unwrap();
    assert_eq!(spool.next_due().await.unwrap(), Some(at(20)));
    let taken_over = spool.lease_due("two", at(20), at(30), 10).await.unwrap();
    assert_eq!(&*taken_over[0].lease.owner, "two");
}

pub async fn released_leases_are_due_at_once<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    commit(spool, submission(2, &["bob@example.net"])).await;
    spool.lease_due("one", at(1), at(1000), 10).await.unwrap();
    spool.lease_due("two", at(2), at(1000), 10).await.unwrap();
    spool.release_leases("one").await.unwrap();
    assert_eq!(ids(&lease(spool, 10).await), [id(1)]);
}

pub async fn what_a_clock_ahead_has_set_is_brought_forward<S: Spool>(spool: &S) {
    const YEARS: i64 = 300_000_000;
    for n in 1..=4 {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    let leased = spool.lease_due("one", at(1), at(100), 1).await.unwrap();
    spool.record(&leased[0], vec![(0, deferred(at(YEARS)))], at(2)).await.unwrap();
    let leased = spool.lease_due("one", at(2), at(100), 1).await.unwrap();
    spool.record(&leased[0], vec![(0, deferred(at(90)))], at(2)).await.unwrap();
    spool.lease_due("one", at(3), at(YEARS), 1).await.unwrap();
    assert!(spool.bring_forward(at(100), at(10)).await.unwrap());
    assert_eq!(ids(&spool.lease_due("two", at(10), at(100), 10).await.unwrap()), [id(1), id(3), id(4)]);
    assert!(
        !spool.bring_forward(at(100), at(10)).await.unwrap(),
        "leases and waits of the usual length stay"
    );
    assert_eq!(spool.next_due().await.unwrap(), Some(at(90)));
}

pub async fn next_due_is_the_earliest<S: Spool>(spool: &S) {
    assert_eq!(spool.next_due().await.unwrap(), None);
    commit(spool, submission(7, &["bob@example.net"])).await;
    commit(spool, submission(5, &["bob@example.net"])).await;
    assert_eq!(spool.next_due().await.unwrap(), Some(at(5)));
}

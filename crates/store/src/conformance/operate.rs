//! What operators are promised.
#![expect(missing_docs, reason = "the names say it")]

use types::QueueId;

use super::sample::{at, commit, deferred, delivered, failed, lease, submission};
use crate::{RecipientState, Spool, Stats};

fn id(n: u8) -> QueueId {
    QueueId::from_bytes([n; 16])
}

pub async fn a_hold_lasts_until_it_is_released<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    assert!(spool.hold(id(1)).await.unwrap());
    assert!(lease(spool, 100).await.is_empty());
    assert_eq!(spool.next_due().await.unwrap(), None);
    assert!(spool.release(id(1), at(200)).await.unwrap());
    assert_eq!(spool.next_due().await.unwrap(), Some(at(200)));
    assert_eq!(lease(spool, 200).await.len(), 1);
}

pub async fn a_hold_outlasts_the_running_attempt<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.hold(id(1)).await.unwrap();
    assert_eq!(spool.next_due().await.unwrap(), None);
    spool.record(&leased[0], vec![(0, deferred(at(20)))], at(11)).await.unwrap();
    assert!(lease(spool, 10_000).await.is_empty());
    assert_eq!(spool.show(id(1)).await.unwrap().unwrap().recipients[0].state, RecipientState::Held);
    spool.release(id(1), at(30)).await.unwrap();
    assert_eq!(lease(spool, 30).await[0].recipients[0].attempts, 1);
}

pub async fn a_retry_is_due_at_once<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"])).await;
    let leased = lease(spool, 10).await;
    let outcomes = vec![(0, delivered()), (1, failed()), (2, deferred(at(5000)))];
    spool.record(&leased[0], outcomes, at(11)).await.unwrap();
    assert!(spool.retry(id(1), at(20)).await.unwrap());
    let again = lease(spool, 20).await;
    assert_eq!(again[0].recipients.iter().map(|recipient| recipient.number).collect::<Vec<_>>(), [1, 2]);
}

pub async fn a_removed_entry_is_gone<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let leased = lease(spool, 10).await;
    assert!(spool.remove(id(1)).await.unwrap());
    assert!(spool.list().await.unwrap().is_empty());
    // The attempt that was under way finds nothing to record, and that is no error.
    spool.record(&leased[0], vec![(0, deferred(at(20)))], at(11)).await.unwrap();
    assert_eq!(spool.stats().await.unwrap(), Stats::default());
}

pub async fn a_quarantine_tells_why<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    commit(spool, submission(2, &["bob@example.net"])).await;
    lease(spool, 10).await;
    spool.quarantine(id(1), "the file is damaged").await.unwrap();
    spool.release_leases("node").await.unwrap();
    assert_eq!(lease(spool, 10).await.len(), 1);
    let shown = spool.show(id(1)).await.unwrap().unwrap();
    assert!(shown.entry.held);
    assert_eq!(shown.recipients[0].last_reply.as_deref(), Some("the file is damaged"));
}

pub async fn nobody_is_told_of_what_is_not_there<S: Spool>(spool: &S) {
    assert!(!spool.hold(id(9)).await.unwrap());
    assert!(!spool.release(id(9), at(0)).await.unwrap());
    assert!(!spool.retry(id(9), at(0)).await.unwrap());
    assert!(!spool.remove(id(9)).await.unwrap());
    assert!(spool.show(id(9)).await.unwrap().is_none());
    spool.quarantine(id(9), "nothing").await.unwrap();
}

pub async fn the_figures_add_up<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, deferred(at(50))), (1, failed())], at(11)).await.unwrap();
    commit(spool, submission(2, &["bob@example.net"])).await;
    commit(spool, submission(3, &["bob@example.net"])).await;
    spool.hold(id(3)).await.unwrap();
    let expected =
        Stats { entries: 3, octets: 75, queued: 1, deferred: 1, held: 1, failed: 1, oldest: Some(at(1)) };
    assert_eq!(spool.stats().await.unwrap(), expected);
}

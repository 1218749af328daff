//! What operators are promised.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::{
    all, at, commit, deferred, delivered, failed, frank, id, lease, next_due, node, operate, submission,
};
use crate::{Operated, Operation, RecipientState, Spool, Stats};

pub async fn a_hold_lasts_until_it_is_released<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    assert!(operate(spool, Operation::Hold, 1, 50).await.is_some());
    assert!(lease(spool, 100).await.is_empty());
    assert_eq!(next_due(spool).await, None);
    assert!(operate(spool, Operation::Release, 1, 200).await.is_some());
    assert_eq!(next_due(spool).await, Some(at(200)));
    assert_eq!(lease(spool, 200).await.len(), 1);
}

pub async fn a_hold_outlasts_the_running_attempt<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let leased = lease(spool, 10).await;
    operate(spool, Operation::Hold, 1, 11).await;
    assert_eq!(next_due(spool).await, None);
    spool.record(&leased[0], vec![(0, deferred(at(20)))], None, at(11)).await.unwrap();
    assert!(lease(spool, 10_000).await.is_empty());
    assert_eq!(spool.show(id(1)).await.unwrap().unwrap().recipients[0].state, RecipientState::Held);
    operate(spool, Operation::Release, 1, 30).await;
    assert_eq!(lease(spool, 30).await[0].recipients[0].attempts, 1);
}

pub async fn a_retry_is_due_at_once<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"])).await;
    let leased = lease(spool, 10).await;
    let outcomes = vec![(0, delivered()), (1, failed()), (2, deferred(at(5000)))];
    spool.record(&leased[0], outcomes, None, at(11)).await.unwrap();
    assert!(operate(spool, Operation::Retry, 1, 20).await.is_some());
    let again = lease(spool, 20).await;
    assert_eq!(again[0].recipients.iter().map(|recipient| recipient.number).collect::<Vec<_>>(), [1, 2]);
}

pub async fn a_removed_entry_is_gone<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let leased = lease(spool, 10).await;
    assert!(operate(spool, Operation::Remove, 1, 10).await.is_some());
    assert!(all(spool).await.is_empty());
    // The attempt that was under way finds nothing to record, and that is no error.
    spool.record(&leased[0], vec![(0, deferred(at(20)))], None, at(11)).await.unwrap();
    assert_eq!(spool.stats().await.unwrap(), Stats::default());
}

pub async fn a_quarantine_tells_why<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    commit(spool, submission(2, &["bob@example.net"])).await;
    lease(spool, 10).await;
    spool.quarantine(id(1), "the file is damaged").await.unwrap();
    spool.bury(node(1)).await.unwrap();
    assert_eq!(lease(spool, 10).await.len(), 1);
    let shown = spool.show(id(1)).await.unwrap().unwrap();
    assert!(shown.entry.held);
    assert_eq!(shown.recipients[0].last_reply.as_deref(), Some("the file is damaged"));
}

pub async fn nobody_is_told_of_what_is_not_there<S: Spool>(spool: &S) {
    for operation in Operation::ALL {
        assert_eq!(operate(spool, operation, 9, 0).await, None);
    }
    assert!(spool.take_operations(10).await.unwrap().is_empty());
    assert!(spool.show(id(9)).await.unwrap().is_none());
    spool.quarantine(id(9), "nothing").await.unwrap();
}

pub async fn what_was_done_is_told_once_and_in_order<S: Spool>(spool: &S) {
    for n in 1..=3 {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    let ids = vec![id(3), id(9), id(1)];
    let held = spool.operate(Operation::Hold, ids, &frank(10)).await.unwrap();
    assert_eq!(held.iter().map(|done| done.id).collect::<Vec<_>>(), [id(3), id(1)]);
    let removed = operate(spool, Operation::Remove, 1, 11).await.unwrap();
    let expected = Operated {
        operation: Operation::Remove,
        by: "frank".to_owned(),
        at: at(11),
        id: id(1),
        account: "alice@example.org".to_owned(),
        message_id: Some("<1@example.org>".to_owned()),
    };
    assert_eq!(removed, expected);
    assert_eq!(spool.take_operations(2).await.unwrap(), held);
    assert_eq!(spool.take_operations(2).await.unwrap(), [expected]);
    assert!(spool.take_operations(2).await.unwrap().is_empty());
}

pub async fn the_figures_add_up<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, deferred(at(50))), (1, failed())], None, at(11)).await.unwrap();
    commit(spool, submission(2, &["bob@example.net"])).await;
    commit(spool, submission(3, &["bob@example.net"])).await;
    operate(spool, Operation::Hold, 3, 11).await;
    let expected =
        Stats { entries: 3, octets: 75, queued: 1, deferred: 1, held: 1, failed: 1, oldest: Some(at(1)) };
    assert_eq!(spool.stats().await.unwrap(), expected);
}

//! What operators are promised.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::{
    all, at, commit, commit_apart, deferred, delivered, failed, frank, id, lease, next_due, node, operate,
    report, submission,
};
use crate::{Operated, Operation, Outcome, RecipientState, Recorded, Spool, Stats};

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

pub async fn a_message_that_is_returned_is_due_and_says_so<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c", "d"]).await;
    let leased = lease(spool, 10).await;
    assert!(leased.iter().all(|leased| !leased.returned));
    spool.record(&leased[0], vec![(0, delivered())], None, at(11)).await.unwrap();
    spool.record(&leased[1], vec![(1, failed())], None, at(11)).await.unwrap();
    spool.record(&leased[2], vec![(2, deferred(at(5000)))], None, at(11)).await.unwrap();
    operate(spool, Operation::Hold, 1, 12).await.unwrap();
    assert!(operate(spool, Operation::Bounce, 1, 20).await.is_some());
    // What failed before, and nobody was told of; what waits; and what an attempt is made for.
    let returned = lease(spool, 20).await;
    assert!(returned.iter().all(|leased| leased.returned));
    let numbers: Vec<_> = returned.iter().map(|leased| leased.recipients[0].number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let late = spool.record(&leased[3], vec![(3, deferred(at(30)))], None, at(21)).await.unwrap();
    assert_eq!(late, Recorded::TakenOver);
    for (leased, number) in returned.iter().zip(numbers) {
        let reply = "returned by an administrator; last: 451 4.3.0 Later".to_owned();
        let outcomes = vec![(number, Outcome::Returned { reply, told: true })];
        let n = u8::try_from(number).unwrap();
        spool.record(leased, outcomes, Some(report(n + 10).into()), at(22)).await.unwrap();
    }
    assert!(all(spool).await.iter().all(|entry| entry.id != id(1)), "nothing is left to be done");
    let shown = spool.show(id(1)).await.unwrap().unwrap().recipients;
    let attempts: Vec<_> = shown.iter().map(|recipient| recipient.attempts).collect();
    assert_eq!((attempts, shown[2].state), (vec![1, 1, 1, 0], RecipientState::Failed));
    assert_eq!(shown[2].last_reply.as_deref(), Some("returned by an administrator; last: 451 4.3.0 Later"));
    assert_eq!(shown[1].last_host.as_deref(), Some("mx.example.net"), "as it was");
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

//! What recording an outcome promises.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::{
    all, at, commit, content, deferred, delivered, failed, lease, next_due, operate, submission,
};
use crate::{Operation, Outcome, RecipientState, Spool};

pub async fn an_entry_that_everybody_has_leaves<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, delivered()), (1, deferred(at(20)))], None, at(11)).await.unwrap();
    assert_eq!(all(spool).await.len(), 1);
    let leased = lease(spool, 20).await;
    spool.record(&leased[0], vec![(1, delivered())], None, at(21)).await.unwrap();
    assert!(all(spool).await.is_empty());
    assert!(spool.show(leased[0].submission.id).await.unwrap().is_none());
    assert_eq!(spool.stats().await.unwrap(), crate::Stats::default());
}

pub async fn a_deferred_recipient_is_tried_again_alone<S: Spool>(spool: &S) {
    let submission = submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"]);
    commit(spool, submission.clone()).await;
    let leased = lease(spool, 10).await;
    let outcomes = vec![(0, delivered()), (1, deferred(at(100))), (2, deferred(at(200)))];
    spool.record(&leased[0], outcomes, None, at(11)).await.unwrap();
    assert_eq!(next_due(spool).await, Some(at(100)));
    assert!(lease(spool, 99).await.is_empty());
    let again = lease(spool, 100).await;
    assert_eq!(*again[0].submission, submission);
    let due: Vec<_> =
        again[0].recipients.iter().map(|recipient| (recipient.number, recipient.attempts)).collect();
    assert_eq!(due, [(1, 1)]);
    assert_eq!(content(spool, &again[0]).await.len(), 25);
    let shown = spool.show(submission.id).await.unwrap().unwrap().recipients;
    assert_eq!(
        (shown[0].state, shown[0].last_host.as_deref()),
        (RecipientState::Delivered, Some("mx.example.net"))
    );
    assert_eq!((shown[1].state, shown[1].attempts), (RecipientState::Deferred, 1));
    assert_eq!(shown[1].last_reply.as_deref(), Some("451 4.3.0 Later"));
    assert_eq!(shown[2].next_attempt_at, Some(at(200)));
}

pub async fn a_failed_recipient_stays_listed<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, delivered()), (1, failed())], None, at(11)).await.unwrap();
    assert_eq!(next_due(spool).await, None);
    assert!(lease(spool, 10_000).await.is_empty());
    let listed = all(spool).await;
    assert_eq!((listed[0].next_attempt_at, listed[0].held), (None, false));
    let shown = spool.show(listed[0].id).await.unwrap().unwrap().recipients;
    assert_eq!(
        (shown[1].state, shown[1].last_reply.as_deref()),
        (RecipientState::Failed, Some("550 5.1.1 Unknown"))
    );
}

pub async fn no_outcome_gives_the_entry_back<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], Vec::new(), None, at(11)).await.unwrap();
    let again = lease(spool, 11).await;
    assert_eq!(again[0].recipients[0].attempts, 0);
}

pub async fn a_held_recipient_waits_while_others_go_on<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"])).await;
    let leased = lease(spool, 10).await;
    let id = leased[0].submission.id;
    let untried = Outcome::Held { reply: None, host: None };
    let tried =
        Outcome::Held { reply: Some("451 what?".to_owned()), host: Some("mx.example.net".to_owned()) };
    spool
        .record(&leased[0], vec![(0, untried), (1, tried), (2, deferred(at(100)))], None, at(11))
        .await
        .unwrap();
    let shown = spool.show(id).await.unwrap().unwrap();
    assert_eq!((shown.entry.held, shown.entry.next_attempt_at), (false, Some(at(100))));
    let states: Vec<_> = shown.recipients.iter().map(|seat| (seat.state, seat.attempts)).collect();
    let held = RecipientState::Held;
    assert_eq!(states, [(held, 0), (held, 1), (RecipientState::Deferred, 1)]);
    assert_eq!(shown.recipients[1].last_reply.as_deref(), Some("451 what?"));
    assert_eq!(spool.stats().await.unwrap().held, 2);
    // A retry hurries the others, and a hold stays.
    operate(spool, Operation::Retry, 1, 20).await;
    let again = lease(spool, 20).await;
    assert_eq!(again[0].recipients.iter().map(|recipient| recipient.number).collect::<Vec<_>>(), [2]);
    spool.record(&again[0], vec![(2, failed())], None, at(21)).await.unwrap();
    let shown = spool.show(id).await.unwrap().unwrap();
    assert_eq!((shown.entry.held, shown.entry.next_attempt_at), (true, None));
    // A release lets go those who were held, and nobody else.
    assert!(operate(spool, Operation::Release, 1, 30).await.is_some());
    let again = lease(spool, 30).await;
    let due: Vec<_> =
        again[0].recipients.iter().map(|recipient| (recipient.number, recipient.attempts)).collect();
    assert_eq!(due, [(0, 0), (1, 1)]);
    let shown = spool.show(id).await.unwrap().unwrap().recipients;
    assert_eq!((shown[0].state, shown[1].state), (RecipientState::Queued, RecipientState::Deferred));
}

pub async fn delivered_is_forever<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    let late: Outcome = deferred(at(50));
    spool.record(&leased[0], vec![(0, delivered()), (1, deferred(at(40)))], None, at(11)).await.unwrap();
    spool.record(&leased[0], vec![(0, late)], None, at(12)).await.unwrap();
    let again = lease(spool, 100).await;
    assert_eq!(again[0].recipients.iter().map(|recipient| recipient.number).collect::<Vec<_>>(), [1]);
}

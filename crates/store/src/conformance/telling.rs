//! What is promised of news that a sender is still to be told: it is told once, with that of others, and in time.
#![expect(missing_docs, reason = "the names say it")]

use types::ReportEvent::{Delivered, Late, Refused, Returned};
use types::{QueueId, ReportEvent};

use super::sample::{
    all, at, commit, commit_apart, deferred, delivered, id, lease, news, next_due, node, operate, report,
    submission, telling, told,
};
use crate::{Leased, NewReport, Operation, Outcome, RecipientState, Recorded, Spool, Telling};

/// The delivery to the sender among others, if it is due.
async fn lease_news<S: Spool>(spool: &S, now: i64) -> Option<Leased> {
    lease(spool, now).await.into_iter().find(|leased| leased.destination.is_sender())
}

fn numbers(leased: &Leased) -> Vec<u32> {
    leased.recipients.iter().map(|recipient| recipient.number).collect()
}

async fn untold<S: Spool>(spool: &S, n: u8) -> Vec<(u32, ReportEvent)> {
    let reportable = spool.reportable(id(n)).await.unwrap();
    reportable.iter().filter_map(|one| Some((one.number, one.news?))).collect()
}

async fn queued<S: Spool>(spool: &S) -> Vec<QueueId> {
    all(spool).await.iter().map(|entry| entry.id).collect()
}

pub async fn news_is_told_together_once_nobody_else_is_tried_before<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c", "d"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, told())], news(&[(0, Refused)], 130), at(11)).await.unwrap();
    spool.record(&leased[1], vec![(1, deferred(at(5000)))], None, at(12)).await.unwrap();
    spool.record(&leased[2], vec![(2, told())], news(&[(2, Refused)], 132), at(12)).await.unwrap();
    assert_eq!((queued(spool).await, next_due(spool).await), (vec![id(1)], Some(at(130))));
    assert!(lease(spool, 13).await.is_empty(), "the last is under way");
    spool.record(&leased[3], vec![(3, delivered())], None, at(14)).await.unwrap();
    let news = lease_news(spool, 14).await.unwrap();
    assert_eq!((numbers(&news), &*news.submission), (vec![0, 2], &*leased[0].submission));
    let of_both = [(0, Refused), (2, Refused)];
    assert_eq!(untold(spool, 1).await, of_both);
    let recorded = spool.record(&news, Vec::new(), telling(9, &of_both), at(15)).await.unwrap();
    assert_eq!((recorded, queued(spool).await), (Recorded::Kept, vec![id(1), id(9)]));
    assert_eq!((untold(spool, 1).await, next_due(spool).await), (vec![], Some(at(9))));
    // The one that is left fails hours later, and is told alone.
    let last = lease(spool, 5000).await.into_iter().find(|leased| leased.submission.id == id(1)).unwrap();
    let of_last = [(1, ReportEvent::GivenUp)];
    spool.record(&last, vec![(1, told())], super::sample::news(&of_last, 5121), at(5001)).await.unwrap();
    let news = lease_news(spool, 5001).await.unwrap();
    assert_eq!(numbers(&news), [1]);
    spool.record(&news, Vec::new(), telling(8, &of_last), at(5002)).await.unwrap();
    assert_eq!(queued(spool).await, [id(8), id(9)], "it is settled");
    assert_eq!(spool.show(id(1)).await.unwrap().unwrap().entry.state, RecipientState::Failed);
}

pub async fn news_does_not_wait_for_somebody_who_is_slow<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, told())], news(&[(0, Refused)], 130), at(11)).await.unwrap();
    assert!(lease_news(spool, 129).await.is_none());
    let news = lease_news(spool, 130).await.unwrap();
    spool.record(&news, Vec::new(), telling(9, &[(0, Refused)]), at(131)).await.unwrap();
    assert_eq!(queued(spool).await, [id(1), id(9)]);
    assert!(!spool.show(id(1)).await.unwrap().unwrap().entry.held);
}

pub async fn what_becomes_news_meanwhile_is_told_next<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, told())], news(&[(0, Refused)], 20), at(11)).await.unwrap();
    let first = lease_news(spool, 20).await.unwrap();
    spool.record(&leased[1], vec![(1, told())], news(&[(1, Refused)], 141), at(21)).await.unwrap();
    assert!(lease_news(spool, 500).await.is_none(), "it is being told");
    spool.record(&first, Vec::new(), telling(9, &[(0, Refused)]), at(22)).await.unwrap();
    assert_eq!(untold(spool, 1).await, [(1, Refused)]);
    let second = lease_news(spool, 22).await.unwrap();
    assert_eq!(numbers(&second), [1]);
    spool.record(&second, Vec::new(), telling(8, &[(1, Refused)]), at(23)).await.unwrap();
    assert_eq!(queued(spool).await, [id(8), id(9)]);
}

pub async fn a_success_is_kept_until_it_is_told<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, delivered())], news(&[(0, Delivered)], 130), at(11)).await.unwrap();
    spool.record(&leased[1], vec![(1, delivered())], None, at(12)).await.unwrap();
    assert_eq!(queued(spool).await, [id(1)]);
    let news = lease_news(spool, 12).await.unwrap();
    let row = spool.reportable(id(1)).await.unwrap().remove(0);
    assert_eq!((row.reply.as_deref(), row.host.as_deref()), (Some("250 2.0.0 Ok"), Some("mx.example.net")));
    assert_eq!((row.said_by_host, row.tried_at, row.may_be_late), (true, Some(at(11)), false));
    spool.record(&news, Vec::new(), telling(9, &[(0, Delivered)]), at(13)).await.unwrap();
    assert_eq!(queued(spool).await, [id(9)]);
    assert!(spool.show(id(1)).await.unwrap().is_none());
}

pub async fn who_is_late_with_others_is_told_with_them<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, deferred(at(900)))], news(&[(0, Late)], 130), at(11)).await.unwrap();
    spool.record(&leased[1], vec![(1, deferred(at(800)))], None, at(11)).await.unwrap();
    spool.record(&leased[2], vec![(2, delivered())], None, at(11)).await.unwrap();
    let may_be_late = async || {
        let reportable = spool.reportable(id(1)).await.unwrap();
        reportable.iter().map(|one| one.may_be_late).collect::<Vec<_>>()
    };
    assert_eq!(may_be_late().await, [true, true, false]);
    let news = lease_news(spool, 12).await.unwrap();
    let report = NewReport { late: vec![0, 1], ..report(9) };
    let telling = Telling { news: vec![(0, Late)], ..report.into() };
    assert_eq!(spool.record(&news, Vec::new(), Some(telling), at(13)).await.unwrap(), Recorded::Kept);
    assert_eq!((may_be_late().await, untold(spool, 1).await), (vec![false; 3], vec![]));
    let again = lease(spool, 900).await;
    assert!(
        again.iter().filter(|leased| leased.submission.id == id(1)).all(|one| one.recipients[0].delay_told)
    );
}

pub async fn who_was_told_of_as_late_with_others_is_not_told_of_again<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, deferred(at(900)))], news(&[(0, Late)], 130), at(11)).await.unwrap();
    let first = lease_news(spool, 130).await.unwrap();
    let report = NewReport { late: vec![0, 1], ..report(9) };
    let telling = Telling { news: vec![(0, Late)], ..report.into() };
    spool.record(&first, Vec::new(), Some(telling), at(131)).await.unwrap();
    // The attempt had begun before.
    spool.record(&leased[1], vec![(1, deferred(at(800)))], news(&[(1, Late)], 260), at(140)).await.unwrap();
    assert_eq!(untold(spool, 1).await, []);
    assert!(lease_news(spool, 300).await.is_none());
}

pub async fn news_is_told_by_the_time_that_was_set_first<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, deferred(at(60)))], news(&[(0, Late)], 130), at(11)).await.unwrap();
    let again = lease(spool, 60).await.remove(0);
    spool.record(&again, vec![(0, deferred(at(900)))], news(&[(0, Late)], 180), at(61)).await.unwrap();
    assert!(lease_news(spool, 129).await.is_none());
    assert!(lease_news(spool, 130).await.is_some());
}

pub async fn what_an_operator_has_tried_again_is_no_news<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    for (number, leased) in (0..).zip(&leased) {
        spool.record(leased, vec![(number, told())], news(&[(number, Refused)], 130), at(11)).await.unwrap();
    }
    let news = lease_news(spool, 11).await.unwrap();
    operate(spool, Operation::Retry, 1, 12).await.unwrap();
    let of_both = telling(9, &[(0, Refused), (1, Refused)]);
    let recorded = spool.record(&news, Vec::new(), of_both, at(13)).await.unwrap();
    assert_eq!((recorded, queued(spool).await), (Recorded::KeptWithoutReport, vec![id(1)]));
    let again = lease(spool, 500).await;
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|leased| !leased.destination.is_sender() && !leased.recipients[0].told));
    for (number, leased) in (0..).zip(&again) {
        spool.record(leased, vec![(number, delivered())], None, at(501)).await.unwrap();
    }
    assert!(queued(spool).await.is_empty());
}

pub async fn an_operator_holds_returns_and_removes_what_is_untold<S: Spool>(spool: &S) {
    for n in [1, 2] {
        commit_apart(spool, n, &["a", "b"]).await;
    }
    for leased in lease(spool, 10).await.iter().filter(|leased| leased.destination.as_str() == "a") {
        spool.record(leased, vec![(0, told())], news(&[(0, Refused)], 130), at(11)).await.unwrap();
    }
    operate(spool, Operation::Hold, 1, 12).await.unwrap();
    operate(spool, Operation::Remove, 2, 12).await.unwrap();
    assert!(lease(spool, 1000).await.is_empty());
    operate(spool, Operation::Release, 1, 1000).await.unwrap();
    assert_eq!(numbers(&lease_news(spool, 1000).await.unwrap()), [0]);
    operate(spool, Operation::Bounce, 1, 1001).await.unwrap();
    assert_eq!(untold(spool, 1).await, []);
    let returned = lease(spool, 1001).await;
    let recipients: Vec<_> =
        returned.iter().map(|leased| (leased.destination.as_str(), leased.returned)).collect();
    assert_eq!(recipients, [("a", true), ("b", true)]);
    for (number, leased) in (0..).zip(&returned) {
        let outcome = Outcome::Returned { reply: "returned".to_owned(), told: true };
        let telling = news(&[(number, Returned)], 1122);
        spool.record(leased, vec![(number, outcome)], telling, at(1002)).await.unwrap();
    }
    assert_eq!(numbers(&lease_news(spool, 1002).await.unwrap()), [0, 1]);
}

pub async fn news_of_those_who_have_it_is_told_though_others_were_never_tried<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    commit(spool, submission(2, &["bob@example.net"])).await;
    for leased in lease(spool, 10).await {
        let telling = news(&[(0, Delivered)], 3600);
        spool.record_delivered(&leased, vec![(0, delivered())], telling, at(11)).await.unwrap();
    }
    // Whoever had the leases dies.
    spool.bury(node(1)).await.unwrap();
    let (mut told, again): (Vec<_>, Vec<_>) =
        lease(spool, 20).await.into_iter().partition(|leased| leased.destination.is_sender());
    assert_eq!((again.len(), numbers(&again[0])), (1, vec![1]));
    spool.record(&again[0], vec![(1, delivered())], news(&[(1, Delivered)], 141), at(21)).await.unwrap();
    told.extend(lease(spool, 21).await);
    told.sort_by_key(|leased| leased.submission.id);
    let told: Vec<_> = told.iter().map(|leased| (leased.submission.id, numbers(leased))).collect();
    assert_eq!(told, [(id(1), vec![0, 1]), (id(2), vec![0])]);
}

pub async fn a_time_that_a_clock_ahead_has_set_keeps_no_news<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b"]).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, told())], news(&[(0, Refused)], 900_000), at(11)).await.unwrap();
    assert!(!spool.bring_forward(at(900_000), at(12)).await.unwrap());
    assert!(spool.bring_forward(at(50_000), at(12)).await.unwrap());
    assert!(!spool.bring_forward(at(50_000), at(12)).await.unwrap());
    assert_eq!(numbers(&lease_news(spool, 12).await.unwrap()), [0]);
}

//! What the ledger knows of mail, whatever has become of it.
#![expect(missing_docs, reason = "the names say it")]

use jiff::Timestamp;
use types::{AccountId, QueueId};

use super::sample::{
    at, commit, deferred, delivered, failed, frank, id, join, lease, lease_to, operate, report, submission,
    told,
};
use crate::{
    Ledger, LedgerFilter, LedgerName, LedgerState, LedgerTrace, Operation, Page, QueuedBy, Spool, Submission,
    Traffic,
};

async fn trace<L: Ledger>(ledger: &L, n: u8) -> Option<LedgerTrace> {
    ledger.flush().await.unwrap();
    ledger.trace(id(n)).await.unwrap()
}

async fn listed<L: Ledger>(ledger: &L, filter: LedgerFilter) -> Vec<QueueId> {
    ledger.flush().await.unwrap();
    let messages = ledger.messages(&filter, Page::first(100)).await.unwrap();
    messages.into_iter().map(|message| message.id).collect()
}

fn states(trace: &LedgerTrace) -> Vec<LedgerState> {
    trace.recipients.iter().map(|recipient| recipient.state).collect()
}

pub async fn what_was_sent_is_known_when_it_has_left<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    _: &S,
    _: &L,
) {
    let mut sent = submission(1, &["bob@example.net", "carol@example.net"]);
    sent.ip = Some("192.0.2.7".parse().unwrap());
    (sent.tls_version, sent.tls_cipher) = (Some("TLSv1.3".into()), Some("TLS_AES_128_GCM_SHA256".into()));
    commit(spool, sent.clone()).await;
    let known = trace(ledger, 1).await.unwrap();
    assert_eq!((known.message.state, known.message.recipients), (LedgerState::Queued, 2));
    assert_eq!(
        (known.message.account.as_str(), known.message.sender.as_str()),
        ("alice@example.org", "alice@example.org")
    );
    assert_eq!(
        (known.message.credential.as_deref(), known.message.ip.as_deref()),
        (Some("password"), Some("192.0.2.7"))
    );
    assert_eq!(known.message.tls.as_deref(), Some("TLSv1.3 TLS_AES_128_GCM_SHA256"));
    assert_eq!((known.message.message_id.as_deref(), known.message.size), (Some("<1@example.org>"), 25));
    assert_eq!(
        (known.message.accepted_at, known.recipients[1].address.as_str()),
        (at(1), "carol@example.net")
    );
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, delivered()), (1, delivered())], None, at(11)).await.unwrap();
    let known = trace(ledger, 1).await.unwrap();
    assert_eq!(
        (known.message.state, states(&known)),
        (LedgerState::Delivered, vec![LedgerState::Delivered; 2])
    );
    let bob = &known.recipients[0];
    assert_eq!((bob.attempts, bob.done_at, bob.next_attempt_at), (1, Some(at(11)), None));
    assert_eq!(
        (bob.last_reply.as_deref(), bob.last_host.as_deref()),
        (Some("250 2.0.0 Ok"), Some("mx.example.net"))
    );
    assert!(known.attempts.is_empty() && known.operations.is_empty());
    assert!(trace(ledger, 2).await.is_none());
}

pub async fn each_failed_attempt_and_each_fate_is_known<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    _: &S,
    other: &L,
) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, delivered()), (1, deferred(at(50)))], None, at(11)).await.unwrap();
    let known = trace(ledger, 1).await.unwrap();
    assert_eq!(
        (known.message.state, known.recipients[1].next_attempt_at),
        (LedgerState::Deferred, Some(at(50)))
    );
    let leased = lease(spool, 50).await;
    spool.record(&leased[0], vec![(1, told())], Some(report(2).into()), at(51)).await.unwrap();
    ledger.flush().await.unwrap();
    let known = trace(other, 1).await.unwrap();
    assert_eq!(states(&known), [LedgerState::Delivered, LedgerState::Failed]);
    let attempts: Vec<_> = known.attempts.iter().map(|one| (one.recipient, one.at, one.state)).collect();
    assert_eq!(attempts, [(1, at(11), LedgerState::Deferred), (1, at(51), LedgerState::Failed)]);
    assert_eq!(known.attempts[1].reply, "550 5.1.1 Unknown");
    assert_eq!((known.recipients[1].attempts, known.recipients[1].done_at), (2, Some(at(51))));
    let report = trace(other, 2).await.unwrap();
    assert_eq!(
        (report.message.sender.as_str(), report.recipients[0].address.as_str()),
        ("", "alice@example.org")
    );
}

pub async fn a_late_record_tells_what_was_delivered_alone<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    _: &S,
    _: &L,
) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.bury(leased[0].lease.owner).await.unwrap();
    spool.record(&leased[0], vec![(0, delivered()), (1, failed())], None, at(11)).await.unwrap();
    let known = trace(ledger, 1).await.unwrap();
    assert_eq!(states(&known), [LedgerState::Delivered, LedgerState::Queued]);
}

pub async fn what_was_done_is_known_whoever_tells_it_first<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    beside: &S,
    other: &L,
) {
    commit(spool, submission(1, &["bob@example.net", "carol@example.net"])).await;
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, delivered()), (1, deferred(at(50)))], None, at(11)).await.unwrap();
    operate(beside, Operation::Hold, 1, 12).await.unwrap();
    operate(beside, Operation::Release, 1, 13).await.unwrap();
    operate(beside, Operation::Stop, 1, 14).await.unwrap();
    // What the first handle has noted comes behind it.
    other.flush().await.unwrap();
    let known = trace(ledger, 1).await.unwrap();
    assert_eq!(states(&known), [LedgerState::Delivered, LedgerState::Cancelled]);
    assert_eq!((known.message.state, known.recipients[1].next_attempt_at), (LedgerState::Cancelled, None));
    let done: Vec<_> =
        known.operations.iter().map(|done| (done.operation, done.by.as_str(), done.at)).collect();
    assert_eq!(
        done,
        [
            (Operation::Hold, "frank", at(12)),
            (Operation::Release, "frank", at(13)),
            (Operation::Stop, "frank", at(14))
        ]
    );
}

/// A message that was accepted in this second by this account with this credential.
fn sent(second: i64, account: u8, credential: &str, to: &str) -> Submission {
    let id = of(second);
    Submission {
        id,
        account: AccountId::from_bytes([account; 16]),
        account_address: format!("{account}@example.org"),
        accepted_at: at(second),
        credential: Some(credential.to_owned()),
        message_id: Some(format!("<{second}.0@Example.org>")),
        ..submission(1, &[to])
    }
}

fn of(second: i64) -> QueueId {
    QueueId::new(u64::try_from(at(second).as_millisecond()).unwrap(), [7; 10])
}

pub async fn the_newest_come_first_in_pages_and_filters_narrow<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    _: &S,
    other: &L,
) {
    for (second, account, credential, to) in [
        (10, 1, "one", "bob@example.net"),
        (20, 2, "two", "Bob@example.net"),
        (30, 1, "two", "carol@example.net"),
        (40, 2, "one", "dave@example.net"),
    ] {
        commit(spool, sent(second, account, credential, to)).await;
    }
    let all = LedgerFilter::default;
    assert_eq!(listed(ledger, all()).await, [of(40), of(30), of(20), of(10)]);
    let page = other.messages(&all(), Page { after: Some(of(40)), limit: 2 }).await.unwrap();
    assert_eq!(page.iter().map(|message| message.id).collect::<Vec<_>>(), [of(30), of(20)]);
    let by = |account: Option<u8>, address: &str| {
        let account = account.map(|account| AccountId::from_bytes([account; 16]));
        Some(QueuedBy { account, address: address.to_owned() })
    };
    let text = |text: &str| Some(text.to_owned());
    let time = |second: i64| -> Option<Timestamp> { Some(at(second)) };
    for (filter, found) in [
        (LedgerFilter { account: by(Some(1), "renamed@example.org"), ..all() }, vec![of(30), of(10)]),
        (LedgerFilter { account: by(None, "2@EXAMPLE.org"), ..all() }, vec![of(40), of(20)]),
        (LedgerFilter { account: by(None, "3@example.org"), ..all() }, vec![]),
        (LedgerFilter { credential: text("TWO"), ..all() }, vec![of(30), of(20)]),
        (LedgerFilter { recipient: text("bob@EXAMPLE.net"), ..all() }, vec![of(20), of(10)]),
        (LedgerFilter { recipient: text("bob@example.net"), credential: text("one"), ..all() }, vec![of(10)]),
        (LedgerFilter { recipient: text("bob@example.net"), until: time(20), ..all() }, vec![of(10)]),
        (LedgerFilter { message_id: text("<30.0@Example.org>"), ..all() }, vec![of(30)]),
        (LedgerFilter { since: time(20), until: time(40), ..all() }, vec![of(30), of(20)]),
    ] {
        assert_eq!(listed(ledger, filter.clone()).await, found, "{filter:?}");
    }
}

pub async fn a_message_is_named_by_the_beginning_of_its_ids<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    _: &S,
    _: &L,
) {
    for second in [10, 11, 20] {
        commit(spool, sent(second, 1, "one", "bob@example.net")).await;
    }
    ledger.flush().await.unwrap();
    for (begun, found) in
        [("<1", vec![of(11), of(10)]), ("<20.0@Example.org>", vec![of(20)]), ("<20.0@example", vec![])]
    {
        let named = ledger.named(&LedgerName::MessageId(begun.to_owned()), 9).await.unwrap();
        assert_eq!(named, found, "{begun}");
    }
    let begun: String = of(11).to_string().chars().take(20).collect();
    let ids = QueueId::beginning_with(&begun).unwrap();
    assert_eq!(ledger.named(&LedgerName::Ids(ids), 9).await.unwrap(), [of(11)]);
    let all = QueueId::beginning_with("0").unwrap();
    assert_eq!(ledger.named(&LedgerName::Ids(all), 2).await.unwrap(), [of(20), of(11)]);
}

pub async fn the_old_is_forgotten_with_all_that_belongs_to_it<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    _: &S,
    _: &L,
) {
    for second in [10, 20] {
        commit(spool, sent(second, 1, "one", "bob@example.net")).await;
    }
    spool.operate(Operation::Hold, vec![of(10)], &frank(30)).await.unwrap();
    ledger.flush().await.unwrap();
    while ledger.prune(at(20)).await.unwrap() {}
    assert_eq!(listed(ledger, LedgerFilter::default()).await, [of(20)]);
    assert!(ledger.trace(of(10)).await.unwrap().is_none());
    let to_bob = LedgerFilter { recipient: Some("bob@example.net".to_owned()), ..LedgerFilter::default() };
    assert_eq!(listed(ledger, to_bob).await, [of(20)]);
    assert!(!ledger.prune(at(20)).await.unwrap());
}

pub async fn where_it_is_not_kept_nothing_is_noted<S: Spool, L: Ledger>(
    spool: &S,
    ledger: &L,
    beside: &S,
    _: &L,
) {
    ledger.set_kept(false);
    commit(spool, submission(1, &["bob@example.net"])).await;
    join(spool, 1).await;
    let leased = lease_to(spool, 1, 10, 9).await;
    assert!(trace(ledger, 1).await.is_none());
    ledger.set_kept(true);
    spool.record(&leased[0], vec![(0, delivered())], None, at(11)).await.unwrap();
    assert!(trace(ledger, 1).await.is_none(), "it is not known whose it was");
    commit(beside, submission(2, &["bob@example.net"])).await;
    assert!(spool.show(id(2)).await.unwrap().is_some());
}

pub async fn what_was_handed_in_is_told_in_figures<S: Spool, L: Ledger>(spool: &S, ledger: &L, _: &S, _: &L) {
    for (second, account) in [(10, 1), (20, 2), (30, 2), (7_200, 1), (7_201, 2)] {
        commit(spool, sent(second, account, "one", "bob@example.net")).await;
    }
    spool.operate(Operation::Remove, vec![of(20)], &frank(40)).await.unwrap();
    ledger.flush().await.unwrap();
    let traffic = ledger.traffic(at(0)).await.unwrap();
    let counts: Vec<_> = traffic.hours.iter().map(|(_, messages)| *messages).collect();
    assert!(counts.iter().sum::<u64>() == 5 && counts.last() == Some(&2), "{:?}", traffic.hours);
    assert!(traffic.hours.iter().all(|(hour, _)| hour.as_second() % 3600 == 0 && *hour <= at(7_201)));
    let recipients =
        |state| traffic.recipients.iter().find(|(one, _)| *one == state).map(|(_, count)| *count);
    assert_eq!((recipients(LedgerState::Queued), recipients(LedgerState::Cancelled)), (Some(4), Some(1)));
    let busiest: Vec<_> =
        traffic.busiest.iter().map(|one| (one.account.as_str(), one.messages, one.recipients)).collect();
    assert_eq!(busiest, [("2@example.org", 3, 3), ("1@example.org", 2, 2)]);
    let late = ledger.traffic(at(7_200)).await.unwrap();
    assert_eq!((late.hours.len(), late.busiest.len()), (1, 2));
    assert_eq!(ledger.traffic(at(9_000)).await.unwrap(), Traffic::default());
}

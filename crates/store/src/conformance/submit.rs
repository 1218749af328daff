//! What a commit promises.
#![expect(missing_docs, reason = "the names say it")]

use bytes::Bytes;
use types::{
    BodyType, ByMode, ForwardPath, Notify, OriginalRecipient, Priority, QueueId, Ret, ReversePath, SessionId,
    TlsRequired,
};

use super::sample::{
    all, at, commit, commit_to, content, deferred, delivered, destination, id, join, lease, mailbox,
    next_due, node, operate, submission,
};
use crate::{
    Deadline, Leased, NewDelivery, Operation, Page, RecipientDetails, RecipientState, Spool, SpoolError,
    Submission,
};

/// The only delivery of a message, leased to the first node from the start.
fn leased_from_the_start(submission: &Submission) -> Vec<NewDelivery> {
    vec![NewDelivery::of_all(submission, destination("there"), Some(node(1)))]
}

async fn commit_octets<S: Spool>(
    spool: &S,
    submission: Submission,
    incoming: S::Incoming,
) -> Result<(), SpoolError> {
    let delivery = NewDelivery::of_all(&submission, destination("there"), None);
    spool.commit(submission, incoming, vec![delivery]).await.map(drop)
}

pub async fn what_is_committed_comes_back_octet_for_octet<S: Spool>(spool: &S) {
    let every_octet: Vec<u8> = (0..=255).collect();
    let mut incoming = spool.open(QueueId::from_bytes([1; 16]));
    for chunk in every_octet.chunks(7) {
        spool.append(&mut incoming, Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    commit_octets(spool, submission(1, &["bob@example.net"]), incoming).await.unwrap();
    let leased = lease(spool, 10).await;
    assert_eq!(leased[0].size, 256);
    assert_eq!(content(spool, &leased[0]).await, every_octet);
}

pub async fn an_empty_message_is_a_message<S: Spool>(spool: &S) {
    let incoming = spool.open(QueueId::from_bytes([1; 16]));
    commit_octets(spool, submission(1, &["bob@example.net"]), incoming).await.unwrap();
    let leased = lease(spool, 10).await;
    assert_eq!((leased[0].size, content(spool, &leased[0]).await), (0, Vec::new()));
}

/// Sizes around those where a backend may change its ways.
pub async fn a_large_message_comes_back_in_chunks<S: Spool>(spool: &S) {
    for (n, size) in (1..).zip([65_535_usize, 65_536, 65_537, 131_072, 131_073, 3_000_001]) {
        let text: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let mut incoming = spool.open(QueueId::from_bytes([n; 16]));
        for chunk in text.chunks(16_384) {
            spool.append(&mut incoming, Bytes::copy_from_slice(chunk)).await.unwrap();
        }
        commit_octets(spool, submission(n, &["bob@example.net"]), incoming).await.unwrap();
        let leased = lease(spool, 100).await;
        assert!(content(spool, &leased[0]).await == text, "{size} octets");
        spool.record(&leased[0], vec![(0, delivered())], None, at(101)).await.unwrap();
    }
}

pub async fn nothing_is_visible_before_the_commit<S: Spool>(spool: &S) {
    let mut incoming = spool.open(QueueId::from_bytes([1; 16]));
    spool.append(&mut incoming, Bytes::from(vec![b'x'; 200_000])).await.unwrap();
    assert!(lease(spool, 100).await.is_empty());
    assert!(all(spool).await.is_empty());
    drop(incoming);
    assert_eq!(next_due(spool).await, None);
    assert_eq!(spool.stats().await.unwrap(), crate::Stats::default());
}

pub async fn an_id_is_used_once<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let mut incoming = spool.open(QueueId::from_bytes([1; 16]));
    spool.append(&mut incoming, Bytes::from_static(b"another")).await.unwrap();
    let again = commit_octets(spool, submission(1, &["carol@example.net"]), incoming).await;
    assert!(matches!(again, Err(SpoolError::Failing(_))));
    let leased = lease(spool, 10).await;
    assert_eq!(content(spool, &leased[0]).await, b"Subject: hello\r\n\r\nhello\r\n");
    assert_eq!(spool.show(QueueId::from_bytes([1; 16])).await.unwrap().unwrap().recipients.len(), 1);
}

pub async fn a_message_can_be_leased_from_the_start<S: Spool>(spool: &S) {
    join(spool, 1).await;
    let mut incoming = spool.open(QueueId::from_bytes([1; 16]));
    spool.append(&mut incoming, Bytes::from_static(b"hello")).await.unwrap();
    let submission = submission(1, &["bob@example.net", "carol@example.net"]);
    let deliveries = leased_from_the_start(&submission);
    let leased = spool.commit(submission.clone(), incoming, deliveries).await.unwrap().remove(0);
    assert_eq!((*leased.submission).clone(), submission);
    assert_eq!((leased.recipients.len(), leased.lease.owner), (2, node(1)));
    assert_eq!((leased.recipients[1].number, leased.recipients[1].attempts), (1, 0));
    assert_eq!(content(spool, &leased).await, b"hello");
    assert!(spool.waiting(Page::first(100)).await.unwrap().is_empty());
    assert!(lease(spool, 10).await.is_empty());
    spool.record(&leased, vec![(0, delivered()), (1, delivered())], None, at(11)).await.unwrap();
    assert!(all(spool).await.is_empty());
    assert!(spool.held_by(node(1)).await.unwrap().is_empty());
}

pub async fn some_deliveries_of_a_message_can_be_leased_from_the_start<S: Spool>(spool: &S) {
    join(spool, 1).await;
    let submission = submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"]);
    let delivery =
        |name, recipients, owner| NewDelivery { destination: destination(name), recipients, owner };
    let deliveries = vec![delivery("one", vec![0, 2], Some(node(1))), delivery("other", vec![1], None)];
    let leased = commit_to(spool, submission, deliveries).await;
    let numbers: Vec<_> = leased[0].recipients.iter().map(|recipient| recipient.number).collect();
    assert_eq!((leased.len(), &leased[0].destination, numbers), (1, &destination("one"), vec![0, 2]));
    let rest = lease(spool, 10).await;
    assert_eq!((rest.len(), rest[0].recipients[0].number, rest[0].lease.token), (1, 1, 1));
    for leased in [&leased[0], &rest[0]] {
        let outcomes = leased.recipients.iter().map(|recipient| (recipient.number, delivered())).collect();
        spool.record(leased, outcomes, None, at(11)).await.unwrap();
    }
    assert!(all(spool).await.is_empty());
}

pub async fn a_held_message_is_not_due<S: Spool>(spool: &S) {
    join(spool, 1).await;
    let mut held = submission(1, &["bob@example.net"]);
    held.held = true;
    let deliveries = leased_from_the_start(&held);
    assert!(commit_to(spool, held.clone(), deliveries).await.is_empty());
    assert!(lease(spool, 100).await.is_empty());
    assert_eq!(next_due(spool).await, None);
    let details = spool.show(held.id).await.unwrap().unwrap();
    assert!(details.entry.held);
    assert_eq!(details.recipients[0].state, RecipientState::Held);
}

pub async fn envelopes_come_back_as_they_were<S: Spool>(spool: &S) {
    let mut first = submission(1, &["\"a b\"@example.net", "bob@[192.0.2.1]", "jürgen@bücher.example"]);
    first.recipients.push(ForwardPath::Postmaster.into());
    (first.reverse_path, first.body, first.smtputf8) = (ReversePath::Null, BodyType::EightBit, true);
    let mut second = submission(2, &["bob@example.net"]);
    (second.must_be_rewritten, second.body) = (true, BodyType::Binary);
    second.reverse_path = ReversePath::Mailbox(mailbox("\"odd > one\"@example.org"));
    commit(spool, first.clone()).await;
    commit(spool, second.clone()).await;
    let leased = lease(spool, 10).await;
    assert_eq!((&*leased[0].submission, &*leased[1].submission), (&first, &second));
    let listed = all(spool).await;
    assert_eq!((listed[0].sender.as_str(), listed[0].recipients), ("", 4));
    assert_eq!((listed[1].sender.as_str(), listed[1].accepted_at), ("\"odd > one\"@example.org", at(2)));
    assert_eq!(listed[1].account, "alice@example.org");
}

pub async fn how_a_message_came_and_what_its_sender_asked_come_back<S: Spool>(spool: &S) {
    let mut known = submission(1, &["bob@example.net", "carol@example.net", "dave@example.net"]);
    known.session = Some(SessionId::new([7; 8]));
    known.ip = Some("2001:db8::1".parse().unwrap());
    (known.tls_version, known.tls_cipher) = (Some("TLSv1.3".into()), Some("TLS_AES_128_GCM_SHA256".into()));
    (known.ret, known.envid) = (Some(Ret::Headers), Some("order 66+7".into()));
    known.recipients[0].notify = Some(Notify::NEVER);
    known.recipients[1].notify = Notify::from_text("SUCCESS,DELAY");
    known.recipients[1].orcpt = OriginalRecipient::from_text("utf-8;jürgen@bücher.example");
    known.recipients[2].orcpt = OriginalRecipient::from_text("rfc822;dave@example.org");
    let asked = |leased: &Leased| leased.recipients.iter().map(|due| due.to.clone()).collect::<Vec<_>>();
    commit(spool, known.clone()).await;
    let leased = lease(spool, 10).await;
    assert_eq!((&*leased[0].submission, asked(&leased[0])), (&known, known.recipients.clone()));
    let shown = spool.show(known.id).await.unwrap().unwrap();
    assert_eq!(
        (shown.entry.ret.as_deref(), shown.entry.envid.as_deref()),
        (Some("HDRS"), Some("order 66+7"))
    );
    let asked_for = |number: usize| {
        let RecipientDetails { notify, orcpt, .. } = &shown.recipients[number];
        (notify.as_deref(), orcpt.as_deref())
    };
    assert_eq!(asked_for(0), (Some("NEVER"), None));
    assert_eq!(asked_for(1), (Some("SUCCESS,DELAY"), Some("utf-8;jürgen@bücher.example")));
    join(spool, 1).await;
    let at_once = Submission { id: id(2), ..known };
    let deliveries = leased_from_the_start(&at_once);
    let leased = commit_to(spool, at_once.clone(), deliveries).await;
    assert_eq!((&*leased[0].submission, asked(&leased[0])), (&at_once, at_once.recipients.clone()));
}

/// Neither a lease from the start, nor the end of a hold, nor a clock that is set back make it leave earlier.
pub async fn a_message_does_not_leave_before_its_time<S: Spool>(spool: &S) {
    let mut later = submission(1, &["bob@example.net"]);
    later.not_before = Some(at(5000));
    join(spool, 1).await;
    let deliveries = leased_from_the_start(&later);
    assert!(commit_to(spool, later, deliveries).await.is_empty());
    operate(spool, Operation::Hold, 1, 2).await;
    operate(spool, Operation::Release, 1, 3).await;
    assert!(!spool.bring_forward(at(1000), at(10)).await.unwrap());
    assert_eq!(next_due(spool).await, Some(at(5000)));
    assert_eq!(all(spool).await[0].next_attempt_at, Some(at(5000)));
    assert!(lease(spool, 4999).await.is_empty());
    let leased = lease(spool, 5000).await;
    assert_eq!((leased.len(), leased[0].submission.not_before), (1, Some(at(5000))));
    // From then on it is like any other.
    spool.record(&leased[0], vec![(0, deferred(at(90_000)))], None, at(5001)).await.unwrap();
    assert!(spool.bring_forward(at(80_000), at(6000)).await.unwrap());
    assert_eq!(lease(spool, 6000).await.len(), 1);
}

pub async fn by_when_and_how_soon_a_message_is_wanted_comes_back<S: Spool>(spool: &S) {
    let by = |mode, trace| Some(Deadline { at: at(600), mode, trace });
    for (n, deliver_by, number) in [(1, by(ByMode::Return, false), -9), (2, by(ByMode::Notify, true), 9)] {
        let wanted = Submission {
            deliver_by,
            priority: Priority::new(number).unwrap(),
            ..submission(n, &["bob@example.net"])
        };
        commit(spool, wanted.clone()).await;
        let leased = lease(spool, 10).await.remove(0);
        assert_eq!((leased.submission.deliver_by, leased.submission.priority.number()), (deliver_by, number));
        let shown = spool.show(wanted.id).await.unwrap().unwrap().entry;
        let mode = deliver_by.map(|deadline| deadline.mode_name());
        assert_eq!((shown.deliver_by, shown.by_mode, shown.priority), (Some(at(600)), mode, number));
    }
}

pub async fn what_its_sender_wants_of_tls_comes_back<S: Spool>(spool: &S) {
    for (n, tls_required) in [(1, TlsRequired::Unsaid), (2, TlsRequired::Yes), (3, TlsRequired::No)] {
        let wanted = Submission { tls_required, ..submission(n, &["bob@example.net"]) };
        commit(spool, wanted.clone()).await;
        assert_eq!(lease(spool, 10).await.remove(0).submission.tls_required, tls_required);
        let shown = spool.show(wanted.id).await.unwrap().unwrap().entry;
        assert_eq!(shown.tls_required.as_deref(), tls_required.name());
    }
}

/// It was accepted after the time that is the latest for anything, so its own time is of the same clock.
pub async fn a_time_that_a_clock_ahead_has_told_is_not_waited_for<S: Spool>(spool: &S) {
    let accepted = |n, accepted_at, not_before| {
        let message = submission(n, &["bob@example.net"]);
        Submission { accepted_at: at(accepted_at), not_before: Some(at(not_before)), ..message }
    };
    commit(spool, accepted(1, 500_000, 500_030)).await;
    // The clock that told this was ahead by less than anything waits, or right.
    commit(spool, accepted(2, 900, 600_000)).await;
    assert!(spool.bring_forward(at(1000), at(10)).await.unwrap());
    let leased = lease(spool, 10).await;
    assert_eq!((leased.len(), leased[0].submission.id), (1, id(1)));
    assert!(!spool.bring_forward(at(1000), at(10)).await.unwrap());
    assert_eq!(next_due(spool).await, Some(at(600_000)));
}

pub async fn a_message_that_was_to_leave_in_the_past_is_due_at_once<S: Spool>(spool: &S) {
    let mut past = submission(1, &["bob@example.net"]);
    past.not_before = Some(at(0));
    join(spool, 1).await;
    let deliveries = leased_from_the_start(&past);
    assert_eq!(commit_to(spool, past, deliveries).await.len(), 1);
}

pub async fn an_operator_need_not_wait_for_a_message_to_leave<S: Spool>(spool: &S) {
    let mut later = submission(1, &["bob@example.net"]);
    later.not_before = Some(at(5000));
    commit(spool, later).await;
    operate(spool, Operation::Retry, 1, 10).await;
    assert_eq!(lease(spool, 10).await.len(), 1);
}

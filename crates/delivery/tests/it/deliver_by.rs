//! By when a message is to be delivered, and what becomes of it otherwise (RFC 2852).

use std::time::Duration;

use delivery::{Route, Routes, Via};
use jiff::{SignedDuration, Timestamp};
use store::RecipientState::{Deferred, Delivered, Failed};
use store::{Deadline, Submission};
use types::{ByMode, DomainPattern, Notify, Priority, QueueId, ReversePath};

use crate::office::{Office, TEXT, now, plain_host};
use crate::peer::{Manners, Peer};

/// The sender's own mail lies in the Maildir, all other goes to the host.
async fn office(manners: Manners) -> (Office, Peer, tempfile::TempDir) {
    let (peer, home) = (Peer::start(manners).await, tempfile::tempdir().unwrap());
    let route = Route {
        domains: vec![DomainPattern::Exactly("example.net".into())],
        senders: Vec::new(),
        way: Via::Maildir(home.path().to_owned()).into(),
    };
    let routes = Routes::new(Via::Relay(plain_host(peer.port)), vec![route]);
    let office = Office::closed(routes).open();
    tokio::task::yield_now().await;
    (office, peer, home)
}

/// A host that offers it.
fn offering(rcpt: &'static str) -> Manners {
    Manners { offers: vec!["PIPELINING", "DSN", "DELIVERBY 30", "MT-PRIORITY"], rcpt, ..Manners::default() }
}

async fn submit(office: &mut Office, seconds: i64, mode: ByMode, trace: bool) -> QueueId {
    let at = now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let wanted = |submission: &mut Submission| {
        submission.deliver_by = Some(Deadline { at, mode, trace });
        submission.priority = Priority::URGENT;
    };
    office.submit_with(&["a@example.org"], TEXT.as_bytes(), wanted).await
}

/// The text of the only report that there is, once there is one.
async fn report(office: &Office) -> String {
    let from_nobody = |submission: &Submission| submission.reverse_path == ReversePath::Null;
    office.until(|spool| !spool.find(from_nobody).is_empty()).await;
    let reports = office.spool.find(from_nobody);
    assert_eq!(reports.len(), 1);
    assert_eq!(
        office.spool.submission(reports[0]).priority,
        Priority::URGENT,
        "as urgent as what it is about"
    );
    office.spool.text(reports[0])
}

fn seconds_since(time: Timestamp) -> i64 {
    now().duration_since(time).as_secs()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_delivered_in_time_is_returned_then() {
    let (mut office, peer, _home) = office(offering("450 4.2.1 come back")).await;
    let begun = now();
    // Of the waits of five and ten minutes the third attempt comes after at most 1012 seconds, and finds more than the 30 left that the host wants.
    let id = submit(&mut office, 1100, ByMode::Return, false).await;
    office.until(|spool| spool.seats(id)[0].state == Failed).await;
    assert!((1100..1103).contains(&seconds_since(begun)), "{}", seconds_since(begun));
    let report = report(&office).await;
    for line in [
        "\nAction: failed\r\n",
        "\nStatus: 5.4.7\r\n",
        "\nDeliver-By-Date: ",
        "the time is over by which its sender",
    ] {
        assert!(report.contains(line), "{line:?} is not in {report}");
    }
    assert!(office.spool.is_settled(id));
    let tried = peer.commands().iter().filter(|command| command.contains("<a@example.org>")).count();
    assert_eq!(tried, 3, "at once, after five minutes and after fifteen, and not when the time was over");
}

#[tokio::test(start_paused = true)]
async fn of_what_is_not_delivered_in_time_its_sender_is_told_once_and_it_is_tried_on() {
    let (mut office, _peer, _home) =
        office(Manners { rcpt: "450 4.2.1 come back", ..Manners::default() }).await;
    let begun = now();
    let id = submit(&mut office, 1000, ByMode::Notify, false).await;
    let told = report(&office).await;
    assert!((1000..1003).contains(&seconds_since(begun)), "{}", seconds_since(begun));
    for line in ["\nAction: delayed\r\n", "\nStatus: 4.4.7\r\n", "\nDeliver-By-Date: "] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    assert_eq!(office.spool.seats(id)[0].state, Deferred);
    assert_eq!(report(&office).await, told, "nothing more is told after four hours");
}

/// RFC 2852 section 4.1.3.
#[tokio::test(start_paused = true)]
async fn who_wants_to_hear_of_no_delay_hears_nothing_of_a_time_that_is_over() {
    let (mut office, _peer, _home) =
        office(Manners { rcpt: "450 4.2.1 come back", ..Manners::default() }).await;
    let at = now().checked_add(SignedDuration::from_secs(1000)).unwrap();
    for notify in ["NEVER", "FAILURE"] {
        let wanted = |submission: &mut Submission| {
            submission.deliver_by = Some(Deadline { at, mode: ByMode::Notify, trace: true });
            submission.recipients[0].notify = Notify::from_text(notify);
        };
        office.submit_with(&["a@example.org"], TEXT.as_bytes(), wanted).await;
    }
    tokio::time::sleep(Duration::from_secs(8 * 3600)).await;
    assert!(office.spool.find(|submission| submission.reverse_path == ReversePath::Null).is_empty());
}

#[tokio::test]
async fn what_is_to_be_returned_goes_to_no_host_that_would_not_do_that() {
    let (mut office, peer, _home) = office(Manners::default()).await;
    let id = submit(&mut office, 1000, ByMode::Return, false).await;
    let report = report(&office).await;
    assert!(report.contains("\nStatus: 5.3.3\r\n") && report.contains("(DELIVERBY)"), "{report}");
    assert!(office.spool.is_settled(id) && !peer.has_seen("MAIL"));
}

#[tokio::test]
async fn its_sender_is_told_when_nobody_sees_to_the_time_any_more() {
    let offers = vec!["PIPELINING", "DSN"];
    let (mut office, _peer, _home) = office(Manners { offers, ..Manners::default() }).await;
    let id = submit(&mut office, 1000, ByMode::Notify, false).await;
    assert_eq!(office.tried(id).await[0].state, Delivered);
    let told = report(&office).await;
    for line in ["\nAction: relayed\r\n", "\nDeliver-By-Date: "] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    // Nobody is told twice, nor who wants to hear nothing.
    let at = now().checked_add(SignedDuration::from_secs(1000)).unwrap();
    let never = |submission: &mut Submission| {
        submission.deliver_by = Some(Deadline { at, mode: ByMode::Notify, trace: false });
        submission.recipients[0].notify = Some(Notify::NEVER);
    };
    let id = office.submit_with(&["b@example.org"], TEXT.as_bytes(), never).await;
    assert_eq!(office.tried(id).await[0].state, Delivered);
    assert_eq!(report(&office).await, told);
}

#[tokio::test]
async fn a_host_that_wants_more_time_than_is_left_is_not_asked() {
    let (mut office, peer, _home) = office(offering("250 2.1.5 fine")).await;
    submit(&mut office, 20, ByMode::Return, false).await;
    let report = report(&office).await;
    assert!(report.contains("\nStatus: 5.4.7\r\n") && report.contains("wants 30 seconds"), "{report}");
    assert!(!peer.has_seen("MAIL"));
}

#[tokio::test]
async fn a_host_is_told_what_is_left_and_a_trace_tells_that_it_was() {
    let (mut office, peer, _home) = office(offering("250 2.1.5 fine")).await;
    let id = submit(&mut office, 1000, ByMode::Return, true).await;
    assert_eq!(office.tried(id).await[0].state, Delivered);
    let mail = peer.commands().into_iter().find(|command| command.starts_with("MAIL")).unwrap();
    assert!(mail.contains(" BY=9") && mail.contains(";RT") && mail.ends_with(" MT-PRIORITY=4"), "{mail}");
    let report = report(&office).await;
    assert!(report.contains("\nAction: relayed\r\n"), "{report}");
}

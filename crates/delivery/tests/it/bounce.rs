//! What the sender of a message is told: which outcomes make a report, to whom, and how often.

use std::time::Duration;

use delivery::{NextHost, Route, Routes, Schedule, Via, Way};
use store::RecipientState::{self, Deferred, Delivered, Failed};
use store::Submission;
use types::{BodyType, DomainPattern, EnvelopeRecipient, Notify, QueueId, Ret, ReversePath};

use crate::needs::{AS_TEXT, BINARY};
use crate::office::{Office, TEXT, now, plain_host};
use crate::peer::{Manners, Peer};
use crate::spool::MemorySpool;

const SENDER: &str = "s@example.net";

/// Mail for the sender's own domain lies in a Maildir, all other goes to the host.
async fn office(manners: Manners, schedule: Schedule) -> (Office, Peer, tempfile::TempDir) {
    let (peer, home) = (Peer::start(manners).await, tempfile::tempdir().unwrap());
    let route = Route {
        domains: vec![DomainPattern::Exactly("example.net".into())],
        senders: Vec::new(),
        way: Way { schedule, ..Via::Maildir(home.path().to_owned()).into() },
    };
    let way = Way { schedule, ..Via::Relay(plain_host(peer.port)).into() };
    let office = Office::closed(Routes::new(way, vec![route])).open();
    tokio::task::yield_now().await;
    (office, peer, home)
}

/// Messages that lie in the Maildir of the sender.
fn letters(home: &tempfile::TempDir) -> Vec<String> {
    let new = home.path().join("new");
    let Ok(entries) = std::fs::read_dir(new) else { return Vec::new() };
    entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

fn states(spool: &MemorySpool, id: QueueId) -> Vec<RecipientState> {
    spool.seats(id).iter().map(|seat| seat.state).collect()
}

/// The reports that are in the queue or were, oldest first, and what became of each.
fn reports(spool: &MemorySpool) -> Vec<(QueueId, RecipientState)> {
    let from_nobody = |submission: &Submission| submission.reverse_path == ReversePath::Null;
    spool.find(from_nobody).into_iter().map(|id| (id, states(spool, id)[0])).collect()
}

/// Waits until so many reports have arrived, and says what is in them.
async fn told(office: &Office, home: &tempfile::TempDir, number: usize) -> Vec<String> {
    office
        .until(|spool| reports(spool).iter().filter(|(_, state)| *state == Delivered).count() == number)
        .await;
    letters(home)
}

fn notify(submission: &mut Submission, text: &str) {
    for recipient in &mut submission.recipients {
        recipient.notify = Notify::from_text(text);
    }
}

#[tokio::test]
async fn whoever_failed_in_one_outcome_is_told_in_one_report() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    let to = ["refused@example.org", "a@example.org", "refused@example.com", "later@example.org"];
    let id = office
        .submit_with(&to, TEXT.as_bytes(), |submission| submission.envid = Some("order 66".into()))
        .await;
    let reports = told(&office, &home, 1).await;
    assert_eq!(states(&office.spool, id), [Failed, Delivered, Failed, Deferred]);
    let report = &reports[0];
    for line in [
        "Return-Path: <>\n",
        "To: s@example.net\n",
        "From: Mail Delivery System <MAILER-DAEMON@client.example>\n",
        "In-Reply-To: <1@example.org>\n",
        "Auto-Submitted: auto-replied\n",
        "Original-Envelope-Id: order 66\n",
        "Final-Recipient: rfc822; refused@example.org\n",
        "Final-Recipient: rfc822; refused@example.com\n",
        "Status: 5.1.1\n",
        "Remote-MTA: dns; [127.0.0.1]\n",
        "Diagnostic-Code: smtp; 550 5.1.1 nobody here\n",
        "\nFrom: s@example.net\nSubject: x\n\n--",
    ] {
        assert!(report.contains(line), "{line:?} is not in {report}");
    }
    assert!(!report.contains("a@example.org") && !report.contains("later@example.org"), "{report}");
    assert!(!report.contains("a line with a dot"), "the text does not come back: {report}");
}

#[tokio::test]
async fn a_text_that_is_refused_is_told_for_all_of_its_recipients() {
    let manners = Manners { text: "554 5.6.0 not this text", ..Manners::default() };
    let (mut office, _peer, home) = office(manners, Schedule::default()).await;
    let full = |submission: &mut Submission| submission.ret = Some(Ret::Full);
    office.submit_with(&["a@example.org", "b@example.org"], TEXT.as_bytes(), full).await;
    let report = &told(&office, &home, 1).await[0];
    assert_eq!(report.matches("\nStatus: 5.6.0\n").count(), 2);
    assert!(
        report.contains("Content-Type: message/rfc822\n") && report.contains("a line with a dot"),
        "{report}"
    );
    // Of what is long only the header comes back.
    let long = format!("Subject: long\r\n\r\n{}", "0123456789\r\n".repeat(6000));
    office.submit_with(&["a@example.org"], long.as_bytes(), full).await;
    let reports = told(&office, &home, 2).await;
    let report = reports.iter().find(|report| report.contains("Subject: long")).unwrap();
    assert!(report.contains("Content-Type: text/rfc822-headers\n") && !report.contains("0123456789\n"));
}

#[tokio::test]
async fn what_comes_back_of_a_binary_message_is_text() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    let whole = |submission: &mut Submission| {
        (submission.body, submission.ret) = (BodyType::Binary, Some(Ret::Full));
    };
    office.submit_with(&["refused@example.org"], BINARY.as_bytes(), whole).await;
    let report = told(&office, &home, 1).await.remove(0);
    assert!(report.contains(&AS_TEXT.replace("\r\n", "\n")), "{report}");
    // Of what can't be made text only the header comes back.
    let signed = format!("DKIM-Signature: h=from; bh=eA==\r\n{BINARY}");
    office.submit_with(&["refused@example.org"], signed.as_bytes(), whole).await;
    let reports = told(&office, &home, 2).await;
    let report = reports.iter().find(|report| report.contains("\nDKIM-Signature: h=from")).unwrap();
    assert!(report.contains("Content-Type: text/rfc822-headers\n") && !report.contains('\0'), "{report}");
}

#[tokio::test]
async fn what_a_host_cannot_take_is_told() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    let utf8 = |submission: &mut Submission| submission.smtputf8 = true;
    let text = format!("To: <ü@example.org>\r\n{TEXT}");
    office.submit_with(&["a@example.org"], text.as_bytes(), utf8).await;
    let report = &told(&office, &home, 1).await[0];
    assert!(report.contains("\nStatus: 5.6.7\n"), "{report}");
    assert!(report.contains("\nDiagnostic-Code: x-gatepost; 550 5.6.7 "), "{report}");
    assert!(report.contains("It can't be sent on as it is:"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn bnc_05_who_is_given_up_is_told() {
    let manners = Manners { rcpt: "450 4.2.1 come back", ..Manners::default() };
    let minute = Duration::from_secs(60);
    let schedule = Schedule { first: minute, max: minute, give_up: 10 * minute, tell_delay: None };
    let (mut office, _peer, home) = office(manners, schedule).await;
    let id = office.submit(&["a@example.org", "refused@example.org"]).await;
    office.until(|spool| states(spool, id) == [Failed, Failed]).await;
    let reports = told(&office, &home, 2).await;
    let given_up = reports.iter().find(|report| report.contains("given up")).unwrap();
    assert!(given_up.contains("\nStatus: 4.2.1\n") && given_up.contains("450 4.2.1 come back"), "{given_up}");
    assert!(!given_up.contains("refused@example.org"), "who was told of is not told of again");
}

#[tokio::test]
async fn who_asks_for_nothing_or_for_other_news_is_told_nothing() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    for asked in ["NEVER", "SUCCESS,DELAY", "DELAY"] {
        let id = office
            .submit_with(&["refused@example.org"], TEXT.as_bytes(), |submission| notify(submission, asked))
            .await;
        office.tried(id).await;
        assert!(office.spool.is_settled(id), "nothing is left to be done");
    }
    let id = office
        .submit_with(&["refused@example.org"], TEXT.as_bytes(), |submission| notify(submission, "FAILURE"))
        .await;
    told(&office, &home, 1).await;
    assert!(office.spool.is_settled(id));
}

#[tokio::test]
async fn bnc_02_nobody_is_told_of_what_came_from_nobody() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    let from_nobody = |submission: &mut Submission| {
        submission.reverse_path = ReversePath::Null;
        notify(submission, "SUCCESS,FAILURE,DELAY");
    };
    let to = ["refused@example.org", "a@example.org"];
    let id = office.submit_with(&to, TEXT.as_bytes(), from_nobody).await;
    office.tried(id).await;
    assert_eq!((reports(&office.spool).len(), letters(&home).len()), (1, 0), "but for the message itself");
    assert!(!office.spool.is_settled(id), "it stays for an operator");
}

/// The sender's own address fails, too.
#[tokio::test]
async fn bnc_02_a_report_that_fails_makes_no_other() {
    let peer = Peer::start(Manners { rcpt: "550 5.1.1 nobody here", ..Manners::default() }).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    let id = office.submit(&["a@example.org"]).await;
    office.until(|spool| matches!(reports(spool).as_slice(), [(_, Failed)])).await;
    let report = reports(&office.spool)[0].0;
    assert!(office.spool.is_settled(id) && !office.spool.is_settled(report));
    assert_eq!(office.spool.seats(report)[0].reply, "550 5.1.1 nobody here");
}

#[tokio::test]
async fn who_was_told_is_not_told_again() {
    let (mut office, peer, home) = office(Manners::default(), Schedule::default()).await;
    let id = office.submit(&["refused@example.org", "later@example.org"]).await;
    told(&office, &home, 1).await;
    office.spool.retry(id, now());
    office.until(|spool| spool.seats(id)[0].attempts == 2).await;
    office.stop().await;
    assert_eq!(reports(&office.spool).len(), 1);
    assert_eq!(peer.commands().iter().filter(|command| command.contains("refused@")).count(), 2);
}

#[tokio::test]
async fn an_outcome_that_could_not_be_recorded_at_once_is_told_once() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    office.spool.failing_records.store(1, std::sync::atomic::Ordering::Relaxed);
    office.submit(&["refused@example.org"]).await;
    told(&office, &home, 1).await;
    assert_eq!(reports(&office.spool).len(), 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_told_of_without_it() {
    let (mut office, _peer, _home) = office(Manners::default(), Schedule::default()).await;
    *office.spool.damaged.lock().unwrap() = Some(0);
    office.submit(&["refused@example.org"]).await;
    office.until(|spool| reports(spool).len() == 1).await;
    let report = office.spool.text(reports(&office.spool)[0].0);
    assert!(report.contains("\r\nStatus: 5.1.1\r\n") && !report.contains("rfc822-headers"), "{report}");
}

#[tokio::test]
async fn a_report_is_the_accounts_whose_message_it_is_about() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    let id = office.submit(&["refused@example.org"]).await;
    told(&office, &home, 1).await;
    let report = office.spool.submission(reports(&office.spool)[0].0);
    let about = office.spool.submission(id);
    assert_eq!((report.account, &*report.account_address), (about.account, SENDER));
    assert_eq!((report.credential.as_deref(), report.session), (None, None));
    let mut sender = EnvelopeRecipient::new(types::ForwardPath::take("<s@example.net>").unwrap().0);
    sender.notify = Some(Notify::NEVER);
    assert_eq!(report.recipients, [sender]);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_told_once_after_four_hours() {
    let manners = Manners { rcpt: "450 4.2.1 come back", ..Manners::default() };
    let (mut office, _peer, home) = office(manners, Schedule::default()).await;
    let (accepted, to) = (now(), ["a@example.org", "b@example.org"]);
    let id = office
        .submit_with(&to, TEXT.as_bytes(), |submission| {
            submission.recipients[1].notify = Notify::from_text("FAILURE");
        })
        .await;
    let quiet = office
        .submit_with(&["a@example.org"], TEXT.as_bytes(), |submission| notify(submission, "NEVER"))
        .await;
    let from_nobody = office
        .submit_with(&["a@example.org"], TEXT.as_bytes(), |submission| {
            submission.reverse_path = ReversePath::Null
        })
        .await;
    let report = &told(&office, &home, 1).await[0];
    let hours = now().duration_since(accepted).as_secs_f64() / 3600.0;
    assert!((4.0..8.0).contains(&hours), "{hours}");
    for line in [
        "\nAction: delayed\n",
        "\nStatus: 4.2.1\n",
        "\nFinal-Recipient: rfc822; a@example.org\n",
        "\nWill-Retry-Until: ",
        "tried again until",
        "450 4.2.1 come back",
    ] {
        assert!(report.contains(line), "{line:?} is not in {report}");
    }
    assert!(!report.contains("b@example.org"), "{report}");
    assert!(!office.spool.is_settled(id));
    // From here on it is known, whatever process delivers.
    let failed = |spool: &MemorySpool| states(spool, id) == [Failed, Failed];
    while !failed(&office.spool) {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    told(&office, &home, 2).await;
    assert_eq!(reports(&office.spool).len(), 3, "two reports, and the message from nobody");
    assert!(office.spool.is_settled(quiet) && !office.spool.is_settled(from_nobody));
}

/// Two routes that are late at the same time: only of the first the sender has asked to hear nothing but the usual.
#[tokio::test(start_paused = true)]
async fn a_delay_at_two_destinations_is_told_in_one_report() {
    let peer = Peer::start(Manners { rcpt: "450 4.2.1 come back", ..Manners::default() }).await;
    let home = tempfile::tempdir().unwrap();
    let by_name = Via::Relay(NextHost { host: "localhost".into(), ..plain_host(peer.port) });
    let route = |domain: &str, via: Via| Route {
        domains: vec![DomainPattern::Exactly(domain.into())],
        senders: Vec::new(),
        way: via.into(),
    };
    let routes =
        vec![route("example.net", Via::Maildir(home.path().to_owned())), route("example.com", by_name)];
    let routes = Routes::new(Via::Relay(plain_host(peer.port)), routes);
    let mut office = Office::closed(routes).open();
    tokio::task::yield_now().await;
    let to = ["a@example.org", "b@example.com"];
    let asked = |submission: &mut Submission| submission.recipients[1].notify = Notify::from_text("DELAY");
    let id = office.submit_with(&to, TEXT.as_bytes(), asked).await;
    let delayed = told(&office, &home, 1).await;
    assert_eq!(states(&office.spool, id), [Deferred, Deferred]);
    for address in to {
        let about = delayed.iter().filter(|report| report.contains(&format!("rfc822; {address}\n")));
        assert_eq!(about.count(), 1, "{address}");
    }
    assert!(delayed.iter().all(|report| report.contains("\nAction: delayed\n")));
}

#[tokio::test(start_paused = true)]
async fn the_status_fits_what_has_happened() {
    let manners = Manners { mail: "530 5.7.0 log in first", ..Manners::default() };
    let (mut office, _peer, home) = office(manners, Schedule::default()).await;
    office.submit(&["a@example.org"]).await;
    let report = &told(&office, &home, 1).await[0];
    assert!(report.contains("\nAction: delayed\nStatus: 4.0.0\n"), "{report}");
    let reports = told(&office, &home, 2).await;
    let given_up = reports.iter().find(|report| report.contains("given up")).unwrap();
    assert!(given_up.contains("\nAction: failed\nStatus: 4.4.7\n"), "{given_up}");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_to_be_told_of_delays_nobody_is() {
    let manners = Manners { rcpt: "450 4.2.1 come back", ..Manners::default() };
    let schedule = Schedule { tell_delay: None, ..Schedule::default() };
    let (mut office, _peer, _home) = office(manners, schedule).await;
    let id = office.submit(&["a@example.org"]).await;
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    assert_eq!((states(&office.spool, id), reports(&office.spool).len()), (vec![Deferred], 0));
}

#[tokio::test]
async fn success_is_told_where_that_was_asked_for() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    let asked = |submission: &mut Submission| notify(submission, "SUCCESS,FAILURE");
    office.submit(&["a@example.org"]).await;
    let id = office.submit_with(&["a@example.org", "refused@example.org"], TEXT.as_bytes(), asked).await;
    let report = &told(&office, &home, 1).await[0];
    for line in [
        "\nAction: relayed\nStatus: 2.0.0\n",
        "\nAction: failed\nStatus: 5.1.1\n",
        "The mail system [127.0.0.1] has it now",
    ] {
        assert!(report.contains(line), "{line:?} is not in {report}");
    }
    assert!(office.spool.is_settled(id));
    office.submit_with(&["b@example.net"], TEXT.as_bytes(), asked).await;
    let reports = told(&office, &home, 2).await;
    let delivered = reports.iter().find(|report| report.contains("\nAction: delivered\n")).unwrap();
    assert!(delivered.contains("Delivered: your message has arrived"), "{delivered}");
}

#[tokio::test]
async fn bnc_04_a_thousand_recipients_are_told_of_in_one_report() {
    let (mut office, peer, home) = office(Manners::default(), Schedule::default()).await;
    let to: Vec<String> = (0..1000)
        .map(|n| if n % 7 == 0 { format!("refused{n}@example.org") } else { format!("u{n}@example.org") })
        .collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let asked = |submission: &mut Submission| notify(submission, "SUCCESS,DELAY,FAILURE");
    let id = office.submit_with(&to, TEXT.as_bytes(), asked).await;
    let report = &told(&office, &home, 1).await[0];
    assert_eq!(report.matches("\nFinal-Recipient: ").count(), 1000);
    assert_eq!(report.matches("\nAction: failed\n").count(), 143);
    assert!(report.len() < 1024 * 1024, "{}", report.len());
    assert_eq!((reports(&office.spool).len(), peer.texts().len()), (1, 10));
    assert!(office.spool.is_settled(id));
}

#[tokio::test]
async fn what_an_operator_returns_is_told_with_what_was_said_last() {
    let (mut office, _peer, home) = office(Manners::default(), Schedule::default()).await;
    let id = office.submit(&["later@example.org", "a@example.org"]).await;
    office.tried(id).await;
    let attempts = office.spool.attempts();
    office.spool.bounce(id, now());
    let report = &told(&office, &home, 1).await[0];
    for line in [
        "\nAction: failed\n",
        "\nStatus: 5.0.0\n",
        "\nFinal-Recipient: rfc822; later@example.org\n",
        "An administrator of this mail system returned it.",
        "450 4.7.1 come again",
    ] {
        assert!(report.contains(line), "{line:?} is not in {report}");
    }
    assert!(!report.contains("a@example.org\n"), "{report}");
    assert!(!report.contains("Last-Attempt-Date"), "none was made: {report}");
    assert!(office.spool.is_settled(id));
    assert!(office.spool.seats(id)[0].reply.starts_with("returned by an administrator; last: 450 "));
    assert_eq!(office.spool.attempts(), attempts + 1, "that of the report");
}

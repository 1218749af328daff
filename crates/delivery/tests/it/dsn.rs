//! What a sender asks about notifications is passed on to a next host with DSN (RFC 3461 section 5.2), and nobody else hears of it.

use delivery::Via;
use store::{RecipientState, Submission};
use types::{Handover, Notify, OriginalRecipient, Ret};

use crate::office::{Office, plain_host};
use crate::peer::{Manners, Peer};

fn asking(submission: &mut Submission) {
    (submission.ret, submission.envid) = (Some(Ret::Full), Some("order 66".into()));
    submission.recipients[0].notify = Notify::from_text("SUCCESS,FAILURE");
    submission.recipients[0].orcpt = OriginalRecipient::from_text("rfc822;all@example.org");
    submission.recipients[1].notify = Some(Notify::NEVER);
}

/// The commands that a host which offers this has heard, but EHLO, and how its recipients were handed over.
async fn handed_over(offers: &[&'static str]) -> (Vec<String>, Vec<Option<Handover>>) {
    let peer = Peer::start(Manners { offers: offers.to_vec(), ..Manners::default() }).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    let id = office.submit_with(&["a@example.org", "b@example.org"], b"Subject: x\r\n\r\n", asking).await;
    let seats = office.tried(id).await;
    assert!(seats.iter().all(|seat| seat.state == RecipientState::Delivered));
    let commands = peer.commands().into_iter().skip(1).collect();
    (commands, seats.iter().map(|seat| seat.handover).collect())
}

#[tokio::test]
async fn a_host_with_dsn_is_told_and_reports() {
    for offers in [&["DSN", "PIPELINING"][..], &["DSN"]] {
        let (commands, handovers) = handed_over(offers).await;
        let told = [
            "MAIL FROM:<s@example.net> RET=FULL ENVID=order+2066",
            "RCPT TO:<a@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;all@example.org",
            "RCPT TO:<b@example.org> NOTIFY=NEVER ORCPT=rfc822;b@example.org",
            "DATA",
        ];
        assert_eq!(commands, told);
        assert_eq!(handovers, [Some(Handover::WithDsn), Some(Handover::WithDsn)]);
    }
}

#[tokio::test]
async fn of_a_host_without_dsn_it_is_ours_to_report() {
    let (commands, handovers) = handed_over(&["PIPELINING"]).await;
    let told = ["MAIL FROM:<s@example.net>", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"];
    assert_eq!(commands, told);
    assert_eq!(handovers, [Some(Handover::WithoutDsn), Some(Handover::WithoutDsn)]);
}

#[tokio::test]
async fn a_message_in_a_maildir_is_delivered_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(Via::Maildir(directory.path().join("box"))).await;
    let id = office.submit(&["a@example.org"]).await;
    assert_eq!(office.tried(id).await[0].handover, Some(Handover::Final));
}

//! What a sender asks about notifications, and whom it is told (RFC 3461 section 5.2).

use types::{DeliverBy, Handover, Notify, OriginalRecipient, Ret};

use super::*;

const WITH: &str = "250-mx\r\n250-DSN\r\n250 PIPELINING\r\n";

fn asked(address: &str, notify: Option<&str>, orcpt: Option<&str>) -> EnvelopeRecipient {
    let mut recipient = recipient(address);
    recipient.notify = notify.map(|notify| Notify::from_text(notify).unwrap());
    recipient.orcpt = orcpt.map(|orcpt| OriginalRecipient::from_text(orcpt).unwrap());
    recipient
}

#[test]
fn what_was_said_is_passed_on_and_nothing_else_but_who_the_recipient_is() {
    let recipients = [
        asked("a@example.org", Some("NEVER"), Some("RFC822;A+b@Example.org")),
        asked("b+x@example.org", Some("DELAY,SUCCESS"), None),
        asked("c@example.org", None, None),
    ];
    let mut envelope = to(recipients.iter().collect());
    assert_eq!(
        said(&mut ready(WITH), &envelope),
        "MAIL FROM:<>\r\n\
         RCPT TO:<a@example.org> NOTIFY=NEVER ORCPT=RFC822;A+2Bb@Example.org\r\n\
         RCPT TO:<b+x@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@example.org\r\n\
         RCPT TO:<c@example.org> ORCPT=rfc822;c@example.org\r\n\
         DATA\r\n"
    );
    (envelope.ret, envelope.envid) = (Some(Ret::Headers), Some("order 66+7"));
    let mail = said(&mut ready(WITH), &envelope);
    assert!(mail.starts_with("MAIL FROM:<> RET=HDRS ENVID=order+2066+2B7\r\n"), "{mail}");
}

/// RFC 2852 section 4.1.4.2.
#[test]
fn a_host_that_knows_nothing_of_the_time_that_was_set_is_asked_to_tell_of_delays() {
    let recipients = [
        asked("a@example.org", Some("NEVER"), None),
        asked("b@example.org", Some("SUCCESS"), None),
        asked("c@example.org", None, None),
    ];
    let mut envelope = to(recipients.iter().collect());
    envelope.deliver_by = DeliverBy::from_value("60;N");
    let asks = |ehlo: &str| {
        let said = said(&mut ready(ehlo), &envelope);
        said.lines()
            .filter_map(|line| line.split(' ').find_map(|word| word.strip_prefix("NOTIFY=")))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(asks(WITH), ["NEVER", "SUCCESS,DELAY", "FAILURE,DELAY"]);
    assert_eq!(asks("250-mx\r\n250-DSN\r\n250-DELIVERBY\r\n250 PIPELINING\r\n"), ["NEVER", "SUCCESS"]);
}

/// RFC 8689 section 5: nobody would hear of a report that is lost.
#[test]
fn a_report_goes_to_a_host_without_requiretls_too() {
    let recipient = asked("a@example.org", None, None);
    let sender = ReversePath::Mailbox(types::Mailbox::parse("s@example.org").unwrap());
    for (reverse_path, goes) in [(&ReversePath::Null, true), (&sender, false)] {
        let mut envelope = Envelope::new(reverse_path, vec![&recipient]);
        envelope.require_tls = true;
        let verdicts = envelope.verdicts(Protocol::Smtp, ready(WITH).capabilities());
        assert_eq!(verdicts[0].is_none(), goes, "{verdicts:?}");
    }
}

#[test]
fn a_host_without_dsn_hears_nothing_of_it() {
    let recipient = asked("a@example.org", Some("SUCCESS"), Some("rfc822;b@example.org"));
    let mut envelope = to(vec![&recipient]);
    (envelope.ret, envelope.envid) = (Some(Ret::Full), Some("x"));
    let without = said(&mut ready("250-mx\r\n250 PIPELINING\r\n"), &envelope);
    assert_eq!(without, "MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n");
}

/// RFC 6533 section 3.
#[test]
fn an_original_recipient_in_utf_8_is_written_as_the_transaction_can_take_it() {
    let ours = recipient("s@b\u{fc}cher.example");
    let another = asked("a@example.org", None, Some("utf-8;\u{fc}@example.org"));
    assert_eq!(
        said(&mut ready(WITH), &to(vec![&ours, &another])),
        "MAIL FROM:<>\r\n\
         RCPT TO:<s@xn--bcher-kva.example> ORCPT=utf-8;s@b\\x{FC}cher.example\r\n\
         RCPT TO:<a@example.org> ORCPT=utf-8;\\x{FC}@example.org\r\n\
         DATA\r\n"
    );
    let utf8 = recipient("\u{fc}@example.org");
    assert_eq!(
        said(&mut ready("250-mx\r\n250-DSN\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n"), &to(vec![&utf8])),
        "MAIL FROM:<> SMTPUTF8\r\nRCPT TO:<\u{fc}@example.org> ORCPT=utf-8;\u{fc}@example.org\r\nDATA\r\n"
    );
    // In ASCII it would be longer than a parameter may be.
    let long = asked("a@example.org", None, Some(&format!("utf-8;{}", "\u{fc}".repeat(200))));
    let mail = said(&mut ready(WITH), &to(vec![&long]));
    assert_eq!(mail, "MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n");
}

#[test]
fn a_time_that_was_set_is_seen_to_by_a_host_that_offers_deliverby_alone() {
    for (offered, has_deadline, expected) in [
        ("DSN\r\n250 DELIVERBY", true, Handover::WithDsn),
        ("PIPELINING\r\n250 DELIVERBY", true, Handover::WithoutDsn),
        ("PIPELINING\r\n250 DSN", true, Handover::WithoutDeliverBy),
        ("PIPELINING\r\n250 DSN", false, Handover::WithDsn),
    ] {
        let dialogue = ready(&format!("250-mx\r\n250-{offered}\r\n"));
        let handover = Protocol::Smtp.handover(dialogue.capabilities(), has_deadline);
        assert_eq!(handover, expected, "{offered}");
    }
}

#[test]
fn whoever_was_told_sees_to_it_from_there_on() {
    for (ehlo, expected) in
        [(WITH, Handover::WithDsn), ("250-mx\r\n250 PIPELINING\r\n", Handover::WithoutDsn)]
    {
        let known = recipient("a@example.org");
        let mut dialogue = ready(ehlo);
        said(&mut dialogue, &to(vec![&known]));
        assert_eq!(dialogue.advance(&mut "250 ok\r\n250 ok\r\n354 go\r\n".into()), Ok(Advance::Body));
        dialogue.end_body();
        match dialogue.advance(&mut "250 taken\r\n".into()) {
            Ok(Advance::Done(verdicts)) => {
                assert!(matches!(&verdicts[..], [Verdict::Delivered(_, handover)] if *handover == expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

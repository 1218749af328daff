use jiff::Timestamp;
use proptest::prelude::*;
use types::{ForwardPath, Mailbox, OriginalRecipient, QueueId, ReportEvent};

use super::*;
use crate::mime::{Rewriter, Survey, Target};

const HARMFUL: [char; 2] = ['\u{1b}', '\u{202e}'];
const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn path(text: &str) -> ForwardPath {
    ForwardPath::take(text).unwrap().0
}

fn refused<'a>(path: &'a ForwardPath, reply: &'a str) -> ReportedRecipient<'a> {
    ReportedRecipient {
        path,
        original: None,
        event: ReportEvent::Refused,
        retry_until: None,
        status: Status(5, 1, 1),
        host: Some("mx.example.net:25"),
        reply: Some(reply),
        said_by_host: true,
        last_attempt_at: Some(NOW),
    }
}

fn report<'a>(
    to: &'a Mailbox,
    recipients: &'a [ReportedRecipient<'a>],
    original: Original<'a>,
) -> Report<'a> {
    Report {
        hostname: "mail.example.org",
        id: QueueId::from_bytes([7; 16]),
        now: NOW,
        to,
        accepted_at: NOW,
        message_id: Some("<1@example.org>"),
        envid: Some("order 66"),
        held_until: None,
        deliver_by: None,
        recipients,
        original,
    }
}

fn text_of(composed: &Composed) -> &str {
    std::str::from_utf8(&composed.content).unwrap()
}

/// Without its last line end.
fn header_of(composed: &Composed) -> &str {
    text_of(composed).split_once("\r\n\r\n").unwrap().0
}

/// Header and content of each part between the boundaries.
fn parts(message: &str) -> Vec<(&str, &str)> {
    let boundary = format!("--=_{}", QueueId::from_bytes([7; 16]));
    let (_, rest) = message.split_once(&format!("\r\n{boundary}\r\n")).unwrap();
    let rest = rest.strip_suffix(&format!("\r\n{boundary}--\r\n")).unwrap();
    rest.split(&format!("\r\n{boundary}\r\n")).map(|part| part.split_once("\r\n\r\n").unwrap()).collect()
}

/// The groups of fields of a delivery status, unfolded.
fn groups(status: &str) -> Vec<Vec<(String, String)>> {
    let group = |group: &str| {
        let unfolded = group.trim_end_matches("\r\n").replace("\r\n ", " ");
        let field = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no field: {line:?}"));
            (name.to_owned(), value.to_owned())
        };
        unfolded.split("\r\n").map(field).collect()
    };
    status.split("\r\n\r\n").map(group).collect()
}

#[test]
fn a_failure_is_told_to_people_and_to_programs() {
    let (alice, bob) = (Mailbox::parse("alice@example.org").unwrap(), path("<bob@example.net>"));
    let original = OriginalRecipient::from_text("rfc822;Bob@example.com").unwrap();
    let recipient =
        ReportedRecipient { original: Some(&original), ..refused(&bob, "550 5.1.1 No such user") };
    let header = b"From: alice@example.org\r\nSubject: hello\r\n\r\nthe text\r\n";
    let composed = report(&alice, &[recipient], Original::Header(header)).compose();
    assert!(!composed.eight_bit && !composed.smtputf8 && !composed.must_be_rewritten);
    let expected = "Date: Fri, 15 Jan 2027 08:00:00 +0000\r
From: Mail Delivery System <MAILER-DAEMON@mail.example.org>\r
To: alice@example.org\r
Subject: Undeliverable: your message could not be delivered\r
Message-ID: <070w3ge1r70w3ge1r70w3ge1r7@mail.example.org>\r
In-Reply-To: <1@example.org>\r
References: <1@example.org>\r
Auto-Submitted: auto-replied\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status;\r
 boundary=\"=_070w3ge1r70w3ge1r70w3ge1r7\"\r
\r
--=_070w3ge1r70w3ge1r70w3ge1r7\r
Content-Type: text/plain; charset=us-ascii\r
\r
This is the mail system of mail.example.org.\r
\r
It is about your message of Fri, 15 Jan 2027 08:00:00 +0000.\r
\r
It could not be delivered to:\r
\r
    bob@example.net\r
\r
The mail system mx.example.net:25 refused it and said:\r
\r
    550 5.1.1 No such user\r
\r
It is not tried again. Please see whether each address is right; then you\r
can send the message once more. If it is right, show this report to those\r
who run the other mail system, or to postmaster@mail.example.org.\r
\r
What follows is for your mail program, and shows which message it was.\r
\r
--=_070w3ge1r70w3ge1r70w3ge1r7\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mail.example.org\r
Original-Envelope-Id: order 66\r
Arrival-Date: Fri, 15 Jan 2027 08:00:00 +0000\r
\r
Original-Recipient: rfc822; Bob@example.com\r
Final-Recipient: rfc822; bob@example.net\r
Action: failed\r
Status: 5.1.1\r
Remote-MTA: dns; mx.example.net:25\r
Diagnostic-Code: smtp; 550 5.1.1 No such user\r
Last-Attempt-Date: Fri, 15 Jan 2027 08:00:00 +0000\r
\r
--=_070w3ge1r70w3ge1r70w3ge1r7\r
Content-Type: text/rfc822-headers\r
\r
From: alice@example.org\r
Subject: hello\r
\r
--=_070w3ge1r70w3ge1r70w3ge1r7--\r
";
    assert_eq!(text_of(&composed), expected);
}

#[test]
fn each_event_has_its_words_and_its_action() {
    let alice = Mailbox::parse("alice@example.org").unwrap();
    let bob = path("<bob@example.net>");
    let later = Timestamp::constant(1_800_400_000, 0);
    for (event, action, words, subject) in [
        (ReportEvent::GivenUp, "failed", "it is given up", "Undeliverable"),
        (ReportEvent::Returned, "failed", "An administrator of this mail system", "Undeliverable"),
        (ReportEvent::Late, "delayed", "tried again until Tue, 19 Jan 2027", "Delayed"),
        (ReportEvent::Delivered, "delivered", "It was delivered to:", "Delivered"),
        (ReportEvent::Relayed, "relayed", "does not tell what becomes of it", "Relayed"),
    ] {
        let recipient = ReportedRecipient {
            event,
            retry_until: (event == ReportEvent::Late).then_some(later),
            ..refused(&bob, "451 4.3.0 Later")
        };
        let composed = report(&alice, &[recipient], Original::Nothing).compose();
        let text = text_of(&composed);
        let parts = parts(text);
        assert_eq!(parts.len(), 2, "nothing comes back of what can't be read");
        assert!(text.contains(&format!("\r\nSubject: {subject}: ")), "{text}");
        assert!(parts[0].1.replace("\r\n", " ").contains(words), "{text}");
        assert!(parts[1].1.contains(&format!("\r\nAction: {action}\r\n")), "{text}");
        assert_eq!(parts[1].1.contains("Will-Retry-Until: Tue, 19 Jan 2027"), event == ReportEvent::Late);
    }
}

#[test]
fn recipients_of_whom_the_same_is_told_stand_together() {
    let alice = Mailbox::parse("alice@example.org").unwrap();
    let paths: Vec<_> = (0..300).map(|n| path(&format!("<u{n}@example.net>"))).collect();
    let long = "word ".repeat(1000);
    let recipients: Vec<_> = paths.iter().map(|path| refused(path, &long)).collect();
    let composed = report(&alice, &recipients, Original::Nothing).compose();
    let parts = parts(text_of(&composed));
    assert_eq!(parts[0].1.matches("refused it").count(), 1);
    assert_eq!(groups(parts[1].1).len(), 301);
    assert!(composed.content.len() < 512 * 1024, "{}", composed.content.len());
}

#[test]
fn what_is_in_utf_8_has_the_types_of_rfc_6533() {
    let sender = Mailbox::parse("jürgen@bücher.example").unwrap();
    let (to, ascii) = (path("<dörte@example.net>"), path("<bob@example.net>"));
    let header = "From: jürgen@bücher.example\r\n\r\n".as_bytes();
    let recipients = [refused(&to, "550 unbekannt: dörte"), refused(&ascii, "550 no")];
    let composed = report(&sender, &recipients, Original::Header(header)).compose();
    assert!(composed.eight_bit && composed.smtputf8);
    let text = text_of(&composed);
    assert!(text.contains("\r\nTo: jürgen@bücher.example\r\n"), "{text}");
    let parts = parts(text);
    assert!(parts[0].0.contains("charset=utf-8") && parts[0].1.contains("unbekannt: dörte"), "{text}");
    assert!(parts[1].0.starts_with("Content-Type: message/global-delivery-status\r\n"), "{text}");
    assert!(parts[1].1.contains("Final-Recipient: utf-8; dörte@example.net\r\n"), "{text}");
    assert!(parts[1].1.contains("Final-Recipient: rfc822; bob@example.net\r\n"), "{text}");
    assert!(parts[2].0.starts_with("Content-Type: message/global-headers\r\n"), "{text}");
    let whole = report(&sender, &recipients, Original::Whole(header)).compose();
    assert!(text_of(&whole).contains("Content-Type: message/global\r\n"));
    // A domain has a form in ASCII.
    let sender = Mailbox::parse("j@bücher.example").unwrap();
    let composed = report(&sender, &recipients, Original::Nothing).compose();
    assert!(text_of(&composed).contains("\r\nTo: j@xn--bcher-kva.example\r\n"));
    assert!(!composed.smtputf8);
}

#[test]
fn a_message_that_comes_back_whole_is_as_it_was() {
    let (alice, bob) = (Mailbox::parse("alice@example.org").unwrap(), path("<bob@example.net>"));
    let message = "Subject: x\r\n\r\nna\u{ef}ve\r\n\r\n--not ours\r\nend".as_bytes();
    let composed = report(&alice, &[refused(&bob, "550 no")], Original::Whole(message)).compose();
    let parts = parts(text_of(&composed));
    assert_eq!(parts[2].0, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit");
    assert_eq!(parts[2].1.as_bytes(), message);
    // RFC 2045 section 6.4.
    assert!(
        header_of(&composed).ends_with("\r\nContent-Transfer-Encoding: 8bit"),
        "{}",
        header_of(&composed)
    );
    let long = [b"Subject: x\r\n\r\n".as_slice(), &[b'x'; 1500], b"\r\n"].concat();
    let composed = report(&alice, &[refused(&bob, "550 no")], Original::Whole(&long)).compose();
    assert!(composed.must_be_rewritten);
    assert!(!header_of(&composed).contains("Content-Transfer-Encoding"), "{}", header_of(&composed));
    let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment; filename=\"é\"\r\n\r\nx\r\n--b--\r\n";
    let composed = report(&alice, &[refused(&bob, "550 no")], Original::Whole(raw.as_bytes())).compose();
    assert!(
        composed.must_be_rewritten,
        "the header of a part is repaired on its way, as in the message itself"
    );
}

/// Else the report would fail where the message did.
#[test]
fn of_a_message_that_not_every_host_can_take_the_header_comes_back() {
    let (alice, bob) = (Mailbox::parse("alice@example.org").unwrap(), path("<bob@example.net>"));
    let dkim = "DKIM-Signature: v=1\r\nSubject: x\r\n\r\nna\u{ef}ve\r\n".to_owned();
    let protected = |kind: &str, text: &str| {
        format!("Content-Type: multipart/{kind}; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n--b--\r\n")
    };
    for message in [
        dkim.clone(),
        protected("signed", "na\u{ef}ve"),
        protected("signed", &"x".repeat(999)),
        protected("encrypted", "na\u{ef}ve"),
        "Content-Transfer-Encoding: uuencode\r\n\r\nna\u{ef}ve\r\n".to_owned(),
        "To: j\u{fc}rgen@example.net\r\n\r\nx\r\n".to_owned(),
    ] {
        let composed =
            report(&alice, &[refused(&bob, "550 no")], Original::Whole(message.as_bytes())).compose();
        let mut survey = Survey::of_message();
        survey.feed(&composed.content);
        let surveyed = survey.finish();
        assert!(surveyed.plan(Target::SevenBit).is_ok(), "{message}");
        let parts = parts(text_of(&composed));
        assert!(parts[2].0.contains("headers"), "{message}");
        assert!(message.starts_with(parts[2].1.trim_end()), "{message}");
    }
    for message in
        [protected("signed", "plain"), dkim.replace('\u{ef}', "i"), protected("mixed", "na\u{ef}ve")]
    {
        let composed =
            report(&alice, &[refused(&bob, "550 no")], Original::Whole(message.as_bytes())).compose();
        assert_eq!(parts(text_of(&composed))[2].1, message);
    }
}

#[test]
fn a_report_in_8_bits_can_be_re_encoded_for_any_host() {
    let (alice, bob) = (Mailbox::parse("alice@example.org").unwrap(), path("<bob@example.net>"));
    let message = "Subject: x\r\n\r\nna\u{ef}ve\r\n".as_bytes();
    let composed = report(&alice, &[refused(&bob, "550 no")], Original::Whole(message)).compose();
    let mut survey = Survey::of_message();
    survey.feed(&composed.content);
    let mut rewriter = Rewriter::new(survey.finish().plan(Target::SevenBit).unwrap());
    let mut arrived = Vec::new();
    rewriter.feed(&composed.content, &mut arrived);
    rewriter.finish(&mut arrived);
    let arrived = String::from_utf8(arrived).unwrap();
    assert!(arrived.is_ascii() && !arrived.contains("Content-Transfer-Encoding: 8bit"), "{arrived}");
}

#[test]
fn the_name_of_an_envelope_is_spelled_as_its_sender_did() {
    let (alice, bob) = (Mailbox::parse("alice@example.org").unwrap(), path("<bob@example.net>"));
    let long = "a b ".repeat(25);
    for (envid, field) in [
        ("a  b", Some("Original-Envelope-Id: a  b\r\n")),
        (&long, Some(&*format!("Original-Envelope-Id: {long}\r\n"))),
        ("a\r\nX: y", Some("Original-Envelope-Id: a??X: y\r\n")),
        ("  ", None),
        ("", None),
    ] {
        let recipients = [refused(&bob, "550 no")];
        let report = Report { envid: Some(envid), ..report(&alice, &recipients, Original::Nothing) };
        let composed = report.compose();
        let status = parts(text_of(&composed))[1].1;
        assert_eq!(status.contains("Original-Envelope-Id"), field.is_some(), "{status}");
        assert!(field.is_none_or(|field| status.contains(field)), "{status}");
    }
}

#[test]
fn of_a_header_without_end_the_beginning_comes_back() {
    let (alice, bob) = (Mailbox::parse("alice@example.org").unwrap(), path("<bob@example.net>"));
    let header = b"X-Long: 0123456789 0123456789\r\n".repeat(10_000);
    let composed = report(&alice, &[refused(&bob, "550 no")], Original::Header(&header)).compose();
    let parts = parts(text_of(&composed));
    assert!(parts[2].1.len() <= Original::MAX_OCTETS && parts[2].1.len() > Original::MAX_OCTETS - 100);
    assert!(parts[2].1.split("\r\n").all(|line| line.is_empty() || line == "X-Long: 0123456789 0123456789"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bnc_03_whatever_others_say_the_report_keeps_its_form(
        reply in "(\\PC|\r\n|\n|\r|\u{0}|\u{1b}|\u{85}|\u{202e}|--=_070w3ge1r70w3ge1r70w3ge1r7|: ){0,60}",
        host in "(\\PC|\r\n){0,40}", envid in "(\\PC|\r\n|\u{0}){0,20}", message_id in "<?(\\PC|\r\n){0,30}@x>?",
        header in prop::collection::vec(any::<u8>(), 0..400), whole: bool, said_by_host: bool,
    ) {
        let (alice, bob) = (Mailbox::parse("alice@example.org").unwrap(), path("<\"b  \\\"c\"@example.net>"));
        let one = ReportedRecipient { host: Some(&host), said_by_host, ..refused(&bob, &reply) };
        let recipients = [one.clone(), ReportedRecipient { event: ReportEvent::Late, retry_until: Some(NOW), ..one }];
        let original = if whole { Original::Whole(b"A: b\r\n\r\nc\r\n") } else { Original::Header(&header) };
        let report =
            Report { envid: Some(&envid), message_id: Some(&message_id), ..report(&alice, &recipients, original) };
        let composed = report.compose();
        let text = text_of(&composed);
        let (top, _) = text.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = top.split("\r\n").filter(|line| !line.starts_with(' ')).map(|line| line.split_once(": ").unwrap().0).collect();
        prop_assert!(names.starts_with(&["Date", "From", "To", "Subject", "Message-ID"]) && names.len() <= 11);
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0'])));
        let parts = parts(text);
        prop_assert_eq!(parts.len(), 3);
        prop_assert!(!parts[0].1.contains(HARMFUL));
        prop_assert!(parts[1].1.is_ascii());
        let groups = groups(parts[1].1);
        prop_assert_eq!(groups.len(), 3);
        for group in &groups[1..] {
            prop_assert_eq!(&group[0], &("Final-Recipient".to_owned(), "rfc822; \"b  \\\"c\"@example.net".to_owned()));
            let known = ["Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date", "Will-Retry-Until"];
            prop_assert!(group.iter().all(|(name, _)| known.contains(&name.as_str())), "{:?}", group);
        }
    }
}

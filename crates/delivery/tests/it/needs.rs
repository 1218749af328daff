//! What a message needs of its next host, and what becomes of it where that is not to be had.

use std::fs;
use std::sync::atomic::Ordering;

use delivery::Via;
use store::RecipientState::{self, Deferred, Delivered, Failed};
use store::Submission;
use types::{BodyType, Notify};

use crate::office::{Office, plain_host};
use crate::peer::{Manners, Peer};

const EIGHT_BIT: &str = "From: s@example.net\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: 8bit\r\n\r\nnaïve\r\n";
const SEVEN_BIT: &str = "From: s@example.net\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\nna=C3=AFve\r\n";

pub(crate) const BINARY: &str = "From: s@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\
    Content-Transfer-Encoding: binary\r\n\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\
    \0\n.\n\r\r\n--b\r\n\r\nplain\r\n--b--";
/// The same for everybody else.
pub(crate) const AS_TEXT: &str = "From: s@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\
    Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    AAouCg0=\r\n--b\r\n\r\nplain\r\n--b--\r\n";

/// Knows no EHLO.
fn old() -> Manners {
    Manners { ehlo: Some("502 5.5.2 what?"), ..Manners::default() }
}

fn offering(offers: &[&'static str]) -> Manners {
    Manners { offers: offers.to_vec(), ..Manners::default() }
}

fn signed(text: &str) -> String {
    format!("DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s; h=from; bh=eA==; b=eA==\r\n{text}")
}

fn eight_bit(submission: &mut Submission) {
    submission.body = BodyType::EightBit;
}

fn binary(submission: &mut Submission) {
    submission.body = BodyType::Binary;
}

fn must_be_rewritten(submission: &mut Submission) {
    submission.must_be_rewritten = true;
}

/// What became of one message, and what its next host has seen.
struct Sent {
    state: RecipientState,
    reply: String,
    readings: u32,
    peer: Peer,
}

impl Sent {
    /// How the message was begun; a report about it comes from `<>`.
    fn mail(&self) -> Option<String> {
        self.peer.commands().into_iter().find(|command| command.starts_with("MAIL FROM:<s@"))
    }
}

async fn send(manners: Manners, text: &str, shape: impl FnOnce(&mut Submission)) -> Sent {
    let peer = Peer::start(manners).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    let id = office.submit_with(&["a@example.org"], text.as_bytes(), shape).await;
    let seat = office.tried(id).await.remove(0);
    let readings = office.spool.readings.load(Ordering::Relaxed);
    Sent { state: seat.state, reply: seat.reply, readings, peer }
}

#[tokio::test]
async fn a_text_that_the_host_can_take_is_read_once_and_sent_as_it_is() {
    let size = EIGHT_BIT.len();
    let sent = send(offering(&["8BITMIME", "SIZE"]), EIGHT_BIT, eight_bit).await;
    assert_eq!((sent.state, sent.readings, sent.peer.texts()), (Delivered, 1, vec![EIGHT_BIT.to_owned()]));
    assert_eq!(sent.mail().unwrap(), format!("MAIL FROM:<s@example.net> SIZE={size} BODY=8BITMIME"));
    let sent = send(offering(&["SIZE"]), SEVEN_BIT, |_| {}).await;
    assert_eq!((sent.state, sent.readings, sent.peer.texts()), (Delivered, 1, vec![SEVEN_BIT.to_owned()]));
}

#[tokio::test]
async fn eight_bit_text_is_re_encoded_for_a_host_without_8bitmime() {
    for manners in [offering(&["PIPELINING", "SIZE"]), old()] {
        let sent = send(manners, EIGHT_BIT, eight_bit).await;
        assert_eq!(
            (sent.state, sent.peer.texts()),
            (Delivered, vec![SEVEN_BIT.to_owned()]),
            "{}",
            sent.reply
        );
        assert_eq!((sent.mail().unwrap().as_str(), sent.readings), ("MAIL FROM:<s@example.net>", 2));
    }
}

#[tokio::test]
async fn a_large_text_is_re_encoded_piece_by_piece() {
    let lines: String = (0..9000).map(|number| format!("naïve line {number} of the text\r\n")).collect();
    let sent = send(offering(&[]), &EIGHT_BIT.replace("naïve\r\n", &lines), eight_bit).await;
    let expected = SEVEN_BIT.replace("na=C3=AFve\r\n", &lines.replace('ï', "=C3=AF"));
    assert_eq!(sent.state, Delivered);
    assert!(sent.peer.texts()[0].replace("=\r\n", "") == expected);
}

/// As older versions stored what a client declared.
#[tokio::test]
async fn ascii_that_was_taken_for_8_bit_text_is_sent_as_it_is() {
    let sent = send(offering(&[]), SEVEN_BIT, eight_bit).await;
    assert_eq!((sent.state, sent.peer.texts()), (Delivered, vec![SEVEN_BIT.to_owned()]));
}

#[tokio::test]
async fn a_long_line_is_broken_for_every_host() {
    let text = SEVEN_BIT.replace("na=C3=AFve", &"x".repeat(2000));
    for manners in [offering(&["8BITMIME", "SIZE"]), offering(&[])] {
        let sent = send(manners, &text, must_be_rewritten).await;
        assert_eq!((sent.state, sent.mail().unwrap().as_str()), (Delivered, "MAIL FROM:<s@example.net>"));
        let arrived = sent.peer.texts().remove(0);
        assert!(arrived.lines().all(|line| line.len() <= 76), "{arrived}");
        assert_eq!(arrived.replace("=\r\n", ""), text);
    }
}

#[tokio::test]
async fn what_a_signature_covers_is_sent_as_it_came_or_not_at_all() {
    let text = signed(EIGHT_BIT);
    let sent = send(Manners::default(), &text, eight_bit).await;
    assert_eq!((sent.state, sent.peer.texts()), (Delivered, vec![text.clone()]));
    let reply = "554 5.6.3 the next host takes no 8-bit text (8BITMIME), and the message cannot be re-encoded: \
                 a DKIM-Signature covers the body";
    for (manners, state) in [(offering(&["PIPELINING"]), Failed), (old(), Deferred)] {
        let sent = send(manners, &text, eight_bit).await;
        assert_eq!((sent.state, sent.reply.as_str(), sent.mail()), (state, reply, None));
    }
    let text = signed(SEVEN_BIT).replace("na=C3=AFve", &"x".repeat(2000));
    let sent = send(Manners::default(), &text, must_be_rewritten).await;
    assert_eq!(sent.state, Failed);
    assert!(sent.reply.starts_with("554 5.6.3 a line of the message is too long, and"), "{}", sent.reply);
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_costs_the_next_one_no_connection() {
    let peer = Peer::start(offering(&["PIPELINING"])).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    for (text, state) in [(signed(EIGHT_BIT), Failed), (EIGHT_BIT.to_owned(), Delivered)] {
        // Nobody is told, as that would be another message.
        let untold = |submission: &mut Submission| {
            eight_bit(submission);
            submission.recipients[0].notify = Some(Notify::NEVER);
        };
        let id = office.submit_with(&["a@example.org"], text.as_bytes(), untold).await;
        assert_eq!(office.tried(id).await[0].state, state);
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_message_that_turns_out_damaged_while_it_is_re_encoded_is_not_ended() {
    for (intact, begun) in [(0, false), (1, true)] {
        let peer = Peer::start(offering(&["PIPELINING"])).await;
        let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
        *office.spool.damaged.lock().unwrap() = Some(intact);
        let id = office.submit_with(&["a@example.org"], EIGHT_BIT.as_bytes(), eight_bit).await;
        office.until(|spool| spool.is_held(id)).await;
        assert!(office.spool.seats(id)[0].reply.contains("damaged"));
        assert_eq!((peer.has_seen("DATA"), peer.texts().len()), (begun, 0));
    }
}

#[tokio::test]
async fn a_maildir_takes_8_bit_text_but_no_long_lines() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(Via::Maildir(directory.path().into())).await;
    let long = EIGHT_BIT.replace("naïve", &"naïve ".repeat(300));
    let table = [
        (EIGHT_BIT.to_owned(), false, Delivered),
        (long.clone(), true, Delivered),
        (signed(&long), true, Failed),
    ];
    for (text, too_long, state) in table {
        let shape = |submission: &mut Submission| {
            (submission.body, submission.must_be_rewritten) = (BodyType::EightBit, too_long);
            // A report would be another letter.
            submission.recipients[0].notify = Some(Notify::NEVER);
        };
        let id = office.submit_with(&["a@example.org"], text.as_bytes(), shape).await;
        assert_eq!(office.tried(id).await[0].state, state);
    }
    let letters = fs::read_dir(directory.path().join("new")).unwrap();
    let mut letters: Vec<_> = letters.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    letters.sort_by_key(String::len);
    assert_eq!(letters.len(), 2);
    assert!(letters[0].ends_with(&EIGHT_BIT.replace("\r\n", "\n")), "{}", letters[0]);
    assert!(letters[1].contains("\nContent-Transfer-Encoding: quoted-printable\n"), "{}", letters[1]);
    assert!(letters[1].lines().all(|line| line.len() <= 76), "{}", letters[1]);
}

#[tokio::test]
async fn what_is_binary_goes_octet_for_octet_to_a_host_that_takes_it() {
    let size = BINARY.len();
    for offers in [
        &["PIPELINING", "SIZE", "CHUNKING", "BINARYMIME"][..],
        &["SIZE", "8BITMIME", "BINARYMIME", "CHUNKING"],
    ] {
        let sent = send(offering(offers), BINARY, binary).await;
        assert_eq!((sent.state, sent.readings, sent.peer.texts()), (Delivered, 1, vec![BINARY.to_owned()]));
        assert_eq!(sent.mail().unwrap(), format!("MAIL FROM:<s@example.net> SIZE={size} BODY=BINARYMIME"));
        assert!(sent.peer.has_seen(&format!("BDAT {size} LAST")) && !sent.peer.has_seen("DATA"));
    }
}

#[tokio::test]
async fn what_is_binary_is_re_encoded_for_every_other_host() {
    let seven_bit = AS_TEXT.replace("8bit", "7bit");
    for (offers, mail, text) in [
        (&["PIPELINING", "8BITMIME", "CHUNKING"][..], " BODY=8BITMIME", AS_TEXT),
        (&["8BITMIME", "BINARYMIME"], " BODY=8BITMIME", AS_TEXT),
        (&["CHUNKING"], "", &seven_bit),
        (&[], "", &seven_bit),
    ] {
        let sent = send(offering(offers), BINARY, binary).await;
        assert_eq!((sent.state, sent.peer.texts()), (Delivered, vec![text.to_owned()]), "{}", sent.reply);
        assert_eq!(sent.mail().unwrap(), format!("MAIL FROM:<s@example.net>{mail}"));
    }
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(Via::Maildir(directory.path().into())).await;
    let id = office.submit_with(&["a@example.org"], BINARY.as_bytes(), binary).await;
    assert_eq!(office.tried(id).await[0].state, Delivered);
    let file = fs::read_dir(directory.path().join("new")).unwrap().next().unwrap().unwrap();
    assert!(fs::read_to_string(file.path()).unwrap().ends_with(&AS_TEXT.replace("\r\n", "\n")));
}

#[tokio::test]
async fn what_is_binary_and_signed_goes_to_hosts_that_take_it_or_nowhere() {
    let text = signed(BINARY);
    let sent = send(offering(&["CHUNKING", "BINARYMIME"]), &text, binary).await;
    assert_eq!((sent.state, sent.peer.texts()), (Delivered, vec![text.clone()]));
    let sent = send(Manners::default(), &text, binary).await;
    let reply = "554 5.6.3 the message is binary, which the next host does not take (BINARYMIME), and the message cannot be \
                 re-encoded: a DKIM-Signature covers the body";
    assert_eq!((sent.state, sent.reply.as_str(), sent.mail()), (Failed, reply, None));
}

/// As it comes in where nothing is repaired.
#[tokio::test]
async fn a_header_in_utf_8_is_encoded_for_a_host_without_smtputf8_if_it_can_be() {
    let utf8 = |submission: &mut Submission| {
        (submission.smtputf8, submission.body) = (true, BodyType::EightBit);
    };
    let text = format!("Subject: Grüße\r\n{EIGHT_BIT}");
    let header = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n";
    for (offers, mail, expected) in [
        (&["8BITMIME", "SMTPUTF8"][..], " BODY=8BITMIME SMTPUTF8", text.clone()),
        (&["8BITMIME"], " BODY=8BITMIME", format!("{header}{EIGHT_BIT}")),
        (&[], "", format!("{header}{SEVEN_BIT}")),
    ] {
        let sent = send(offering(offers), &text, utf8).await;
        assert_eq!((sent.state, sent.peer.texts()), (Delivered, vec![expected]), "{}", sent.reply);
        assert_eq!(sent.mail().unwrap(), format!("MAIL FROM:<s@example.net>{mail}"));
    }
    for text in
        [format!("To: <ü@example.org>\r\n{EIGHT_BIT}"), format!("DKIM-Signature: h=subject\r\n{text}")]
    {
        let sent = send(offering(&["8BITMIME"]), &text, utf8).await;
        assert_eq!((sent.state, sent.mail()), (Failed, None));
        assert!(sent.reply.starts_with("550 5.6.7 "), "{}", sent.reply);
    }
}

#[tokio::test]
async fn an_address_that_needs_smtputf8_keeps_the_message_from_nobody_else() {
    let peer = Peer::start(Manners::default()).await;
    let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
    let id = office.submit(&["jürgen@example.org", "b@example.org", "c@bücher.example"]).await;
    let seats = office.tried(id).await;
    assert_eq!(seats.iter().map(|seat| seat.state).collect::<Vec<_>>(), [Failed, Delivered, Delivered]);
    assert!(seats[0].reply.starts_with("550 5.6.7 "), "{}", seats[0].reply);
    let recipients: Vec<_> =
        peer.commands().into_iter().filter(|command| command.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<b@example.org>", "RCPT TO:<c@xn--bcher-kva.example>"]);
}

/// RFC 4954 section 6, RFC 5321 section 3.2.
#[tokio::test]
async fn what_is_not_about_the_message_is_tried_again() {
    let login = "530 5.7.0 log in first";
    let table = [
        Manners { rcpt: login, ..Manners::default() },
        Manners { data: login, ..Manners::default() },
        Manners { text: login, ..Manners::default() },
        Manners { rcpt: "550 5.1.1 nobody", ..old() },
        Manners { text: "554 5.6.0 not this", ..old() },
    ];
    for manners in table {
        let sent = send(manners, SEVEN_BIT, |_| {}).await;
        assert_eq!(sent.state, Deferred, "{}", sent.reply);
        assert!(sent.reply.starts_with("55") || sent.reply == login, "{}", sent.reply);
    }
}

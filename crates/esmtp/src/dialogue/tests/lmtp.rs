//! LMTP (RFC 2033): the host says of each recipient what became of the message.

use super::*;
use types::Handover;

const LHLO: &str = "250-box.example\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n";
const TAKEN: &str = "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n";

fn played(pieces: &[&str]) -> Played {
    let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
    play_to(Dialogue::of(Protocol::Lmtp, "client.example"), &pieces)
}

/// Each row: what the host says after its greeting, piece by piece, and what becomes of `a` and `b`.
const HOSTS: &[(&str, &[&str], &str)] = &[
    ("both", &[LHLO, TAKEN, "250 a\r\n250 b\r\n"], "delivered-250 delivered-250"),
    ("one after the other", &[LHLO, TAKEN, "250 a\r\n", "250 b\r\n"], "delivered-250 delivered-250"),
    ("one is over quota", &[LHLO, TAKEN, "250 a\r\n452 4.2.2 full\r\n"], "delivered-250 deferred-452"),
    ("one is refused for good", &[LHLO, TAKEN, "552 5.2.2 full\r\n250 b\r\n"], "failed-552 delivered-250"),
    (
        "who is refused at RCPT has no reply after the text",
        &[LHLO, "250 ok\r\n550 5.1.1 nobody\r\n250 ok\r\n354 go\r\n", "250 b\r\n"],
        "failed-550 delivered-250",
    ),
    ("lost before the first reply", &[LHLO, TAKEN], "deferred-451 deferred-451"),
    ("lost between two replies", &[LHLO, TAKEN, "250 a\r\n"], "delivered-250 deferred-451"),
    ("lost within a reply", &[LHLO, TAKEN, "250 a\r\n250 "], "delivered-250 deferred-451"),
    ("it goes away in between", &[LHLO, TAKEN, "250 a\r\n421 bye\r\n"], "delivered-250 deferred-421"),
    ("it goes away at once", &[LHLO, TAKEN, "421 bye\r\n"], "deferred-421 deferred-421"),
    ("nonsense in between", &[LHLO, TAKEN, "250 a\r\nwhat\r\n"], "delivered-250 deferred-451"),
    (
        "nobody is taken, and so says DATA",
        &[LHLO, "250 ok\r\n550 no\r\n550 no\r\n503 nobody\r\n"],
        "failed-550 failed-550",
    ),
    (
        "nobody is taken, and DATA is taken all the same",
        &[LHLO, "250 ok\r\n550 no\r\n550 no\r\n354 go\r\n"],
        "failed-550 failed-550",
    ),
    ("it knows no LHLO", &["500 what\r\n"], "deferred-451 deferred-451"),
];

#[test]
fn what_becomes_of_each_recipient_is_known_of_each() {
    for (name, pieces, expected) in HOSTS {
        let pieces: Vec<&str> = ["220 hi\r\n"].iter().chain(*pieces).copied().collect();
        assert_eq!(played(&pieces).end, *expected, "{name}");
    }
}

#[test]
fn what_is_no_reply_to_the_text_leaves_only_those_unclear_who_have_none_yet() {
    let mut dialogue = Dialogue::of(Protocol::Lmtp, "client.example");
    let recipients = [recipient("a@example.org"), recipient("b@example.org")];
    let mut input = BytesMut::from(format!("220 hi\r\n{LHLO}").as_bytes());
    assert_eq!(dialogue.advance(&mut input).unwrap(), Advance::Ready);
    assert!(dialogue.send(&to(recipients.iter().collect())).is_none());
    input.extend_from_slice(TAKEN.as_bytes());
    assert_eq!(dialogue.advance(&mut input).unwrap(), Advance::Body);
    dialogue.end_body();
    input.extend_from_slice(b"250 a\r\nwhat\r\n");
    let broken = dialogue.advance(&mut input).unwrap_err();
    let verdicts: Vec<_> = dialogue.abandon(&broken.to_verdict()).iter().map(told).collect();
    assert_eq!(verdicts, ["delivered-250", "unclear-451"]);
}

#[test]
fn it_is_greeted_with_lhlo_and_told_nothing_of_notifications() {
    let played = played(&["220 hi\r\n", LHLO, TAKEN, "250 a\r\n250 b\r\n"]);
    assert!(
        played.said.starts_with("LHLO client.example\r\nMAIL FROM:<s@example.net>\r\n"),
        "{}",
        played.said
    );
    assert!(!played.dialogue.capabilities().dsn);
    assert!(played.dialogue.is_ready());
}

#[test]
fn what_it_has_taken_is_delivered_for_good() {
    let capabilities = Capabilities { dsn: true, ..Capabilities::default() };
    assert_eq!(Protocol::Lmtp.handover(&capabilities, true), Handover::Final);
}

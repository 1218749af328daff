//! How a transaction ends before its text: the host hangs up, or nobody is left whom the text would be for.

use super::*;

const LOCKSTEP: [&str; 2] = ["220 hi\r\n", PLAIN_EHLO];
const PIPELINED: [&str; 2] = ["220 hi\r\n", EHLO];

/// RFC 5321 section 3.8: 421 to any command says that the host closes the connection.
#[test]
fn a_host_that_hangs_up_is_sent_nothing_more() {
    for hello in [LOCKSTEP, PIPELINED] {
        for before in [
            &[][..],
            &["250 ok\r\n"],
            &["250 ok\r\n", "250 ok\r\n"],
            &["250 ok\r\n", "250 ok\r\n", "250 ok\r\n"],
        ] {
            // Whoever waits longer than for the 421 is heard here.
            let mut played = play(&[&hello, before, &["421 bye\r\n", "250 too late\r\n"]].concat());
            assert_eq!(played.end, "deferred-421 deferred-421", "{before:?}");
            assert!(!played.dialogue.is_ready(), "{before:?}");
            assert_eq!(played.dialogue.advance(&mut BytesMut::new()), Ok(Advance::Closed), "{before:?}");
        }
    }
}

#[test]
fn a_text_that_nobody_gets_is_not_sent() {
    let recipients = "RCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n";
    let refused = ["250 ok\r\n", "550 no\r\n", "550 no\r\n"];
    // The commands were not given yet: there is no DATA.
    let played = play(&[&LOCKSTEP[..], &refused].concat());
    assert_eq!(played.end, "failed-550 failed-550");
    assert!(played.said.ends_with(recipients), "{}", played.said);
    // They were, and DATA was accepted: a lone dot ends it (RFC 2920 section 3.1).
    let played = play(&[&PIPELINED[..], &refused, &["354 go\r\n", "250 ok\r\n"]].concat());
    assert_eq!(played.end, "failed-550 failed-550");
    assert!(played.said.ends_with(&format!("{recipients}DATA\r\n.\r\n")), "{}", played.said);
}

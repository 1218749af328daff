//! MAIL and RCPT: what they declare, what they may not have, and what of them is in the envelope.

use super::*;
use crate::limits::{ERRORS_IN_A_ROW, RECIPIENTS_TRIED};

/// Plays these commands behind a login; the last line said.
fn last_reply(commands: &str) -> String {
    let outcome = play(under_tls(), format!("{LOGIN}{commands}").as_bytes(), 4000);
    outcome.said.lines().last().unwrap().to_owned()
}

#[test]
fn a_message_may_be_declared_as_large_as_the_limit_and_no_larger() {
    assert_eq!(last_reply("MAIL FROM:<a@example.org> SIZE=999\r\n"), "250 2.1.0 Sender OK");
    assert_eq!(last_reply("MAIL FROM:<a@example.org> SIZE=1000\r\n"), "250 2.1.0 Sender OK");
    assert_eq!(
        last_reply("MAIL FROM:<a@example.org> SIZE=1001\r\n"),
        "552 5.3.4 Message is larger than the limit"
    );
}

/// RFC 6531 section 3.4.
#[test]
fn an_address_beyond_ascii_needs_smtputf8() {
    let refused = "553 5.6.7 A UTF-8 address needs SMTPUTF8 in MAIL";
    assert_eq!(last_reply("MAIL FROM:<é@example.org>\r\n"), refused);
    assert_eq!(last_reply("MAIL FROM:<é@example.org> SMTPUTF8\r\n"), "250 2.1.0 Sender OK");
    assert_eq!(last_reply("MAIL FROM:<a@example.org> SMTPUTF8\r\n"), "250 2.1.0 Sender OK");
    assert_eq!(last_reply("MAIL FROM:<a@example.org>\r\nRCPT TO:<é@example.org>\r\n"), refused);
    for (mail, rcpt) in [("é", "é"), ("a", "é"), ("a", "b")] {
        let commands = format!("MAIL FROM:<{mail}@example.org> SMTPUTF8\r\nRCPT TO:<{rcpt}@example.org>\r\n");
        assert_eq!(last_reply(&commands), "250 2.1.5 Recipient OK", "{commands}");
    }
}

#[test]
fn who_is_asked_about_a_sender_sees_what_mail_declared() {
    let mut session = under_tls();
    let mut input = BytesMut::from(LOGIN);
    input.extend_from_slice(b"MAIL FROM:<a@example.org> SIZE=7 BODY=8BITMIME SMTPUTF8\r\n");
    loop {
        match session.advance(&mut input) {
            Advance::Ask(Question::Sender(ticket)) => {
                let envelope = ticket.envelope();
                assert_eq!(envelope.reverse_path.to_string(), "<a@example.org>");
                assert_eq!(
                    (envelope.declared_size, envelope.body, envelope.smtputf8),
                    (Some(7), BodyType::EightBit, true)
                );
                return;
            }
            Advance::Ask(question) => yes(question, &mut Outcome::default()),
            other @ (Advance::Input(_) | Advance::Keep(_) | Advance::StartTls(_) | Advance::Close) => {
                panic!("{other:?}")
            }
        }
    }
}

#[test]
fn the_same_recipient_twice_gets_one_copy() {
    let twice = "RCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nRCPT TO:<b@example.org>\r\n";
    let input = format!("{LOGIN}MAIL FROM:<a@example.org>\r\n{twice}BDAT 3 LAST\r\na\r\n");
    let outcome = play(under_tls(), input.as_bytes(), 4000);
    assert_eq!(codes(&outcome.said)[4..7], ["250", "250", "250"]);
    assert_eq!(outcome.envelopes[0].recipients.len(), 2);
}

/// RFC 5321 section 4.5.3.1.10: those that were accepted stay so, and the others are no errors, up to as many again.
#[test]
fn recipients_above_the_limit_are_for_another_message_and_at_last_errors() {
    let most = settings().recipients;
    let free = most * RECIPIENTS_TRIED;
    let errors = usize::try_from(ERRORS_IN_A_ROW).unwrap();
    let tried = |times: usize| {
        let recipients =
            (0..times).map(|number| format!("RCPT TO:<{number}@example.org>\r\n")).collect::<String>();
        play(under_tls(), format!("{LOGIN}MAIL FROM:<a@example.org>\r\n{recipients}").as_bytes(), 4000)
    };
    let outcome = tried(free + errors - 1);
    assert!(!outcome.closed);
    assert_eq!(outcome.said.matches("250 2.1.5 ").count(), most);
    assert_eq!(outcome.said.matches("452 4.5.3 ").count(), free - most + errors - 1);
    assert!(tried(free + errors).closed);
}

/// Each row: the commands behind MAIL, and the reply to the last of them.
#[test]
fn a_text_that_nobody_gets_is_refused_for_what_is_missing() {
    let mail = "MAIL FROM:<a@example.org>\r\n";
    assert_eq!(last_reply(&format!("{mail}DATA\r\n")), "503 5.5.1 Send RCPT first");
    assert_eq!(last_reply(&format!("{mail}RCPT TO:<@>\r\nDATA\r\n")), "554 5.5.1 No valid recipients");
    assert_eq!(
        last_reply(&format!("{mail}RCPT TO:<b@example.org>\r\nDATA\r\n")),
        "354 End with <CRLF>.<CRLF>"
    );
    assert_eq!(last_reply("DATA\r\n"), "503 5.5.1 Send MAIL first");
}

/// Those at `refused.example` are refused.
fn yes_but_to_some(question: Question<'_, (), Vec<u8>>, outcome: &mut Outcome) {
    if let Question::Recipient(ticket) = question {
        let refused = ticket.path().to_string().contains("refused");
        ticket.answer(if refused { Err(Rejection::RelayDenied) } else { Ok(()) });
    } else {
        yes(question, outcome);
    }
}

#[test]
fn recipients_that_cannot_be_read_are_refused_recipients() {
    for bad in
        ["RCPT TO:<@>", "RCPT bob", "RCPT TO:<b@example.org> NOTIFY=NEVER", "rcpt\tto:<\u{e9}@example.org>"]
    {
        let input = format!("{LOGIN}MAIL FROM:<a@example.org>\r\n{bad}\r\nBDAT 3 LAST\r\na\r\n");
        let outcome = play(under_tls(), input.as_bytes(), 11);
        assert!(outcome.said.ends_with("554 5.5.1 No valid recipients\r\n"), "{bad}: {}", outcome.said);
    }
    let input = format!("{LOGIN}MAIL FROM:<a@example.org>\r\nMAIL FROM:<@>\r\nBDAT 3 LAST\r\na\r\n");
    let outcome = play(under_tls(), input.as_bytes(), 11);
    assert!(outcome.said.ends_with("503 5.5.1 Send RCPT first\r\n"), "{}", outcome.said);
}

fn play_recipients(recipients: &str) -> Outcome {
    let many = Settings { recipients: 100, ..settings() };
    let input = format!("{LOGIN}{recipients}");
    play_with(with(many), std::iter::once(input.as_bytes()), yes_but_to_some)
}

#[test]
fn twenty_recipients_refused_in_a_row_are_enough() {
    let refused = |times| "RCPT TO:<a@refused.example>\r\n".repeat(times);
    let begin = "MAIL FROM:<a@example.org>\r\n";
    assert!(!play_recipients(&format!("{begin}{}", refused(19))).closed);
    let outcome = play_recipients(&format!("{begin}{}", refused(20)));
    assert!(
        outcome.closed && outcome.said.ends_with("\r\n421 4.7.0 Too many errors\r\n"),
        "{}",
        outcome.said
    );
    let unreadable = format!("{begin}{}RCPT TO:<@>\r\n", refused(19));
    assert!(play_recipients(&unreadable).closed, "one that can't be read is one more");
}

#[test]
fn a_list_may_have_bad_recipients_among_the_good_ones() {
    let list = |transaction: usize| -> String {
        let row = |row| {
            format!(
                "{}RCPT TO:<{transaction}.{row}@example.org>\r\n",
                "RCPT TO:<a@refused.example>\r\n".repeat(9)
            )
        };
        format!("MAIL FROM:<a@example.org>\r\n{}", (0..10).map(row).collect::<String>())
    };
    let sent = |transaction| format!("{}BDAT 3 LAST\r\na\r\n", list(transaction));
    let outcome = play_recipients(&(0..30).map(sent).collect::<String>());
    assert!(!outcome.closed, "{}", outcome.said);
    assert_eq!(outcome.envelopes.len(), 30);
    // Without a message that comes of them, they have an end.
    let dropped: String = (0..30).map(|transaction| format!("{}RSET\r\n", list(transaction))).collect();
    let outcome = play_recipients(&dropped);
    assert!(outcome.closed && outcome.said.ends_with("421 4.7.0 Too many errors\r\n"), "{}", outcome.said);
    let transactions = outcome.said.matches("250 2.1.0").count();
    assert!((11..20).contains(&transactions), "{transactions}");
}

//! What is waited for, for how long, and what it means when nothing good comes of it.

use std::time::Duration;

use super::*;

/// RFC 5321 section 4.5.3.2 has the least for each command; of QUIT nothing depends.
#[test]
fn each_step_is_named_and_waited_for_as_long_as_the_rfc_wants() {
    for (stage, name, seconds) in [
        (Stage::Greeting, "the greeting", 300),
        (Stage::Hello, "EHLO", 300),
        (Stage::StartTls, "STARTTLS", 300),
        (Stage::Login, "AUTH", 300),
        (Stage::Idle, "no command", 300),
        (Stage::Mail, "MAIL", 300),
        (Stage::Recipient, "RCPT", 300),
        (Stage::Data, "DATA", 120),
        (Stage::Body, "the message", 180),
        (Stage::FinalReply, "the end of the message", 600),
        (Stage::Quit, "QUIT", 5),
    ] {
        assert_eq!((stage.to_string().as_str(), stage.patience()), (name, Duration::from_secs(seconds)));
    }
}

#[test]
fn what_is_waited_for_is_known_at_every_moment() {
    let mut dialogue = Dialogue::new("client.example");
    let path = recipient("a@example.org");
    let mut stages = vec![dialogue.stage()];
    let mut hear = |dialogue: &mut Dialogue, reply: &str| {
        dialogue.advance(&mut reply.into()).unwrap();
        stages.push(dialogue.stage());
    };
    hear(&mut dialogue, "220 hi\r\n");
    hear(&mut dialogue, "250-mx\r\n250 AUTH PLAIN\r\n");
    dialogue.log_in(&credentials()).unwrap();
    hear(&mut dialogue, "334 \r\n");
    hear(&mut dialogue, "235 ok\r\n");
    assert!(dialogue.send(&to(vec![&path])).is_none());
    for reply in ["", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"] {
        hear(&mut dialogue, reply);
    }
    dialogue.end_body();
    for reply in ["", "250 taken\r\n"] {
        hear(&mut dialogue, reply);
    }
    dialogue.quit();
    hear(&mut dialogue, "");
    use Stage::{Body, Data, FinalReply, Greeting, Hello, Idle, Login, Mail, Quit, Recipient};
    assert_eq!(
        stages,
        [Greeting, Hello, Idle, Login, Idle, Mail, Recipient, Data, Body, FinalReply, Idle, Quit]
    );
}

/// Everything that goes wrong with a connection is temporary; only who has the whole text may have the message.
#[test]
fn what_is_broken_is_temporary_and_unclear_only_once_the_text_is_sent() {
    let reply = || Reply::ours(500, Enhanced(5, 0, 0), "no");
    for (broken, verdict, told_as) in [
        (
            Broken::Malformed(Stage::FinalReply, ReplyError::NoCode),
            "unclear-451",
            "451 4.5.0 the next host answered the end of the message with something that is not an SMTP reply: the reply does not \
             begin with a code",
        ),
        (
            Broken::OutOfTurn(Stage::FinalReply, reply()),
            "unclear-451",
            "451 4.5.0 the next host sent a reply that was not expected, at the end of the message: 500 5.0.0 no",
        ),
        (
            Broken::OutOfTurn(Stage::Mail, reply()),
            "deferred-451",
            "451 4.5.0 the next host sent a reply that was not expected, at MAIL: 500 5.0.0 no",
        ),
        (
            Broken::Refused(Stage::Greeting, reply()),
            "deferred-451",
            "451 4.3.2 the next host refused the greeting: 500 5.0.0 no",
        ),
        (
            Broken::Refused(Stage::StartTls, reply()),
            "deferred-451",
            "451 4.7.5 the next host refused STARTTLS: 500 5.0.0 no",
        ),
        (
            Broken::LoginRefused(reply()),
            "deferred-451",
            "451 4.7.8 the next host refused our login: 500 5.0.0 no",
        ),
    ] {
        assert_eq!(
            (told(&broken.to_verdict()).as_str(), broken.to_reply().to_string().as_str()),
            (verdict, told_as)
        );
        assert!(broken.to_reply().is_ours(), "{broken}");
    }
}

/// Whether it was the sender, a recipient or the text that was refused is seen of what the reply answers.
#[test]
fn a_verdict_says_which_step_it_answers() {
    let path = recipient("a@example.org");
    let hello = "220 hi\r\n250 mx\r\n";
    for (replies, stage) in [
        (&["550 no\r\n"][..], Stage::Mail),
        (&["250 ok\r\n", "550 no\r\n"], Stage::Recipient),
        (&["250 ok\r\n", "250 ok\r\n", "554 no\r\n"], Stage::Data),
        (&["250 ok\r\n", "250 ok\r\n", "354 go\r\n", "554 no\r\n"], Stage::FinalReply),
    ] {
        let mut dialogue = Dialogue::new("client.example");
        assert_eq!(dialogue.advance(&mut hello.into()).unwrap(), Advance::Ready);
        assert!(dialogue.send(&to(vec![&path])).is_none());
        let mut last = Advance::Input;
        for reply in replies {
            if last == Advance::Body {
                dialogue.end_body();
            }
            last = dialogue.advance(&mut (*reply).into()).unwrap();
        }
        let Advance::Done(verdicts) = last else { panic!("{last:?}") };
        assert_eq!(verdicts[0].reply().stage(), Some(stage));
    }
}

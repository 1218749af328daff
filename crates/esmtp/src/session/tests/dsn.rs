//! The parameters of DSN (RFC 3461), where it is offered and where it is not.

use types::{Notify, Ret};

use super::*;

const MESSAGE: &str = "MAIL FROM:<a@example.org> RET=HDRS ENVID=order+2066\r\n\
    RCPT TO:<b@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B+2Bx@example.org\r\n\
    RCPT TO:<c@example.org>\r\n\
    RCPT TO:<B@Example.org> NOTIFY=NEVER\r\n\
    RCPT TO:<b@example.org> NOTIFY=NEVER\r\n\
    BDAT 3 LAST\r\na\r\n";

fn play_message(session: Session) -> Outcome {
    play(session, format!("{LOGIN}{MESSAGE}").as_bytes(), 13)
}

#[test]
fn what_is_asked_is_in_the_envelope() {
    let envelopes = play_message(with(Settings { dsn: true, recipients: 9, ..settings() })).envelopes;
    assert_eq!((envelopes[0].ret, envelopes[0].envid.as_deref()), (Some(Ret::Headers), Some("order 66")));
    let asked = |number: usize| {
        let recipient = &envelopes[0].recipients[number];
        (recipient.notify, recipient.orcpt.as_ref().map(ToString::to_string))
    };
    // Named again, it is as it was.
    let first = (Notify::from_text("SUCCESS,DELAY"), Some("rfc822;B+x@example.org".to_owned()));
    assert_eq!((asked(0), asked(1)), (first, (None, None)));
    assert_eq!((envelopes[0].recipients.len(), asked(2).0), (3, Some(Notify::NEVER)));
}

#[test]
fn where_dsn_is_not_offered_its_parameters_are_unknown() {
    let outcome = play_message(under_tls());
    assert_eq!(outcome.said.matches("555 5.5.4").count(), 1, "{}", outcome.said);
    assert!(outcome.envelopes.is_empty() && !outcome.said.contains("DSN"));
    let message = MESSAGE.replace(" RET=HDRS ENVID=order+2066", "");
    let outcome = play(under_tls(), format!("{LOGIN}{message}").as_bytes(), 13);
    assert_eq!(outcome.said.matches("555 5.5.4").count(), 3, "{}", outcome.said);
    assert_eq!(outcome.envelopes[0].forward_paths().len(), 1);
}

#[test]
fn each_of_its_parameters_is_unknown_there_though_it_comes_alone() {
    for (mail, rcpt) in
        [(" RET=FULL", ""), (" ENVID=x", ""), ("", " NOTIFY=NEVER"), ("", " ORCPT=rfc822;b@example.org")]
    {
        let input = format!("{LOGIN}MAIL FROM:<a@example.org>{mail}\r\nRCPT TO:<b@example.org>{rcpt}\r\n");
        let outcome = play(under_tls(), input.as_bytes(), 13);
        assert_eq!(outcome.said.matches("555 5.5.4").count(), 1, "{mail}{rcpt}: {}", outcome.said);
    }
}

/// RFC 6533 section 3: without SMTPUTF8 a character beyond ASCII is written by its number.
#[test]
fn an_original_recipient_beyond_ascii_needs_smtputf8_as_an_address_does() {
    let last = |smtputf8: &str, orcpt: &str| {
        let input = format!(
            "{LOGIN}MAIL FROM:<a@example.org>{smtputf8}\r\nRCPT TO:<b@example.org> ORCPT=utf-8;{orcpt}@example.org\r\n"
        );
        let outcome = play(with(Settings { dsn: true, ..settings() }), input.as_bytes(), 13);
        outcome.said.lines().last().unwrap().to_owned()
    };
    assert_eq!(last("", "j\u{fc}rgen"), "553 5.6.7 A UTF-8 address needs SMTPUTF8 in MAIL");
    for (smtputf8, orcpt) in
        [("", r"j\x{FC}rgen"), (" SMTPUTF8", "j\u{fc}rgen"), (" SMTPUTF8", r"j\x{FC}rgen")]
    {
        assert_eq!(last(smtputf8, orcpt), "250 2.1.5 Recipient OK", "{orcpt}");
    }
}

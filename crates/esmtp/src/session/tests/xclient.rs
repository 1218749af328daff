//! XCLIENT: a proxy says who its client is, and the session begins anew.

use sasl::{ChannelBindings, Mechanism};

use super::*;
use crate::Xclient;
use crate::limits::IDLE_COMMANDS;

/// A session with a proxy under TLS that may say all of its client.
fn with_a_proxy() -> Session {
    let mut bindings = ChannelBindings::default();
    bindings.server_end_point = Some(vec![1]);
    let channel = Channel {
        tls: Some(TlsFacts::new("TLSv1.3", "test")),
        bindings,
        client_certificate: true,
        login_is_optional: true,
        xclient: Xclient::WithLogin,
        ..Channel::in_clear(Nonces::new([0; 32]))
    };
    let mechanisms = vec![Mechanism::ScramSha256Plus, Mechanism::External, Mechanism::Plain];
    let settings = Settings { mechanisms, max_unauthenticated_commands: None, ..settings() };
    let mut session = Session::new(Arc::new(settings), channel);
    session.greet(&BytesMut::new());
    session
}

fn last_line(session: &mut Session) -> String {
    str::from_utf8(session.output()).unwrap().lines().last().unwrap().to_owned()
}

#[test]
fn whether_there_is_room_for_the_client_is_asked() {
    let mut session = with_a_proxy();
    session.output().clear();
    let Advance::Ask(Question::Client(ticket)) =
        session.advance(&mut BytesMut::from("XCLIENT ADDR=192.0.2.1\r\n"))
    else {
        panic!("no question")
    };
    assert_eq!(ticket.introduction().address, Some([192, 0, 2, 1].into()));
    ticket.answer(Ok(()));
    assert!(matches!(session.advance(&mut BytesMut::new()), Advance::Input(Phase::Command)));
    assert!(last_line(&mut session).starts_with("220 mail.example.org"), "{session:?}");

    let mut session = with_a_proxy();
    let Advance::Ask(Question::Client(ticket)) = session.advance(&mut BytesMut::from("XCLIENT PORT=1\r\n"))
    else {
        panic!("no question")
    };
    ticket.answer(Err(Rejection::TooManyConnections));
    assert!(matches!(session.advance(&mut BytesMut::new()), Advance::Close));
    assert!(last_line(&mut session).starts_with("421 4.7.0 "), "{session:?}");
}

/// Plays XCLIENT with the login of `user`, and answers as the proxy's word is taken or not.
fn vouch(verdict: Verdict<()>) -> (Session, String) {
    let mut session = with_a_proxy();
    let mut input = BytesMut::from("XCLIENT LOGIN=user\r\n");
    let Advance::Ask(Question::Client(ticket)) = session.advance(&mut input) else { panic!("no question") };
    ticket.answer(Ok(()));
    let Advance::Ask(Question::Vouch(ticket)) = session.advance(&mut input) else { panic!("no question") };
    assert_eq!(ticket.username(), "user");
    ticket.answer(verdict);
    assert!(matches!(session.advance(&mut input), Advance::Input(Phase::Command)));
    let line = last_line(&mut session);
    (session, line)
}

#[test]
fn the_login_that_the_proxy_has_told_is_vouched_for_or_not() {
    let (session, line) = vouch(accepted());
    assert!(session.client().login().is_some() && session.may_send() && line.starts_with("220 "), "{line}");
    for (verdict, reply) in [
        (Verdict::refused(), "550 5.7.0 "),
        (Verdict::NeedsAppPassword, "550 5.7.0 "),
        (Verdict::Unavailable, "454 4.7.0 "),
        (Verdict::Throttled { retry_after: std::time::Duration::from_secs(7) }, "454 4.7.0 "),
    ] {
        let (session, line) = vouch(verdict);
        assert!(
            session.client().login().is_none() && !session.may_send() && line.starts_with(reply),
            "{line}"
        );
    }
}

#[test]
fn what_is_granted_to_the_proxy_is_not_granted_to_its_client() {
    let mechanisms =
        |said: &str| said.lines().filter(|line| line.contains("AUTH")).map(str::to_owned).collect::<Vec<_>>();
    let before = play(with_a_proxy(), b"EHLO proxy.example\r\nMAIL FROM:<a@example.org>\r\n", 100);
    assert_eq!(mechanisms(&before.said), ["250-AUTH SCRAM-SHA-256-PLUS EXTERNAL PLAIN"]);
    assert!(before.said.ends_with("250 2.1.0 Sender OK\r\n"), "{}", before.said);
    let pieces =
        ["XCLIENT NAME=a.example\r\n", "EHLO a.example\r\nMAIL FROM:<a@example.org>\r\n"].map(str::as_bytes);
    let behind = play_pieces(with_a_proxy(), pieces.into_iter());
    assert_eq!(mechanisms(&behind.said), ["250-AUTH PLAIN"]);
    assert!(behind.said.ends_with("530 5.7.0 Authentication required\r\n"), "{}", behind.said);
}

/// It would be said before the greeting (RFC 5321 section 4.3.1).
#[test]
fn what_stands_behind_it_closes_the_session() {
    let outcome = play(with_a_proxy(), b"XCLIENT PORT=1\r\nEHLO a.example\r\n", 100);
    assert!(
        outcome.closed
            && outcome.said.ends_with("554 5.5.0 Protocol synchronisation error: wait for the reply\r\n")
    );
    let unreadable = play(with_a_proxy(), b"XCLIENT PORT=x\r\nNOOP\r\n", 100);
    assert_eq!(
        (codes(&unreadable.said).as_slice(), unreadable.closed),
        (["220", "501", "250"].as_slice(), false)
    );
}

#[test]
fn it_may_not_go_on_for_ever() {
    let times = |often: u32| {
        let lines = (0..often).map(|port| format!("XCLIENT PORT={port}\r\n")).collect::<Vec<_>>();
        play_pieces(with_a_proxy(), lines.iter().map(|line| line.as_bytes()))
    };
    assert!(!times(IDLE_COMMANDS).closed);
    let outcome = times(IDLE_COMMANDS + 1);
    assert!(outcome.closed && outcome.said.ends_with("421 4.7.0 Too many commands that send nothing\r\n"));
}

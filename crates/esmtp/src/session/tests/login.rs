//! AUTH, from the command to the reply.

use base64::{Engine, prelude::BASE64_STANDARD};
use sasl::{Mechanism, ScramParameters};

use super::*;

fn offering(mechanism: Mechanism) -> Session {
    with(Settings { mechanisms: vec![mechanism], ..settings() })
}

/// `n,,n=user,r=abc`.
const SCRAM: &str = "AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9YWJj\r\n";

/// Gives `line`, and has what the session then asks answered by `answer`.
fn ask(session: &mut Session, line: &str, answer: impl FnOnce(Question<'_, (), Vec<u8>>)) {
    let Advance::Ask(question) = session.advance(&mut BytesMut::from(line)) else {
        panic!("{line}: no question")
    };
    answer(question);
}

/// What has been said since this was asked the last time.
fn said(session: &mut Session) -> String {
    String::from_utf8(session.output().split().to_vec()).unwrap()
}

/// The octets of the challenge that was said last.
fn challenge(session: &mut Session) -> String {
    let said = said(session);
    let (_, base64) = said.trim_end().rsplit_once("334 ").unwrap();
    String::from_utf8(BASE64_STANDARD.decode(base64).unwrap()).unwrap()
}

#[test]
fn the_salt_of_a_user_is_asked_for_and_passed_on() {
    let mut session = offering(Mechanism::ScramSha256);
    ask(&mut session, &format!("EHLO a.example\r\n{SCRAM}"), |mut question| {
        // What was said to the commands before may be written while the answer is sought.
        assert!(question.output().ends_with(b"250 HELP\r\n"));
        let Question::Salt(ticket) = question else { panic!("{question:?}") };
        assert_eq!(ticket.username(), "user");
        ticket.answer(Some(ScramParameters { salt: b"pepper".to_vec(), iterations: 5000 }));
    });
    assert!(matches!(session.advance(&mut BytesMut::new()), Advance::Input(Phase::Exchange)));
    let told = challenge(&mut session);
    assert!(told.starts_with("r=abc") && told.ends_with(",s=cGVwcGVy,i=5000"), "{told}");
}

/// What the client has to say once it has been told its salt, with a proof of nothing.
fn scram_proof(session: &mut Session) -> String {
    ask(session, SCRAM, |question| yes(question, &mut Outcome::default()));
    assert!(matches!(session.advance(&mut BytesMut::new()), Advance::Input(Phase::Exchange)));
    let told = challenge(session);
    let nonces = told.split(',').next().unwrap();
    let proof = BASE64_STANDARD.encode([0; 32]);
    BASE64_STANDARD.encode(format!("c=biws,{nonces},p={proof}")) + "\r\n"
}

#[test]
fn a_login_by_scram_without_our_proof_is_none() {
    let mut session = offering(Mechanism::ScramSha256);
    session.advance(&mut BytesMut::from("EHLO a.example\r\n"));
    let proof = scram_proof(&mut session);
    ask(&mut session, &proof, |question| yes(question, &mut Outcome::default()));
    session.advance(&mut BytesMut::new());
    assert_eq!(said(&mut session), "454 4.7.0 Authentication is temporarily unavailable\r\n");
    assert!(session.client().login().is_none() && session.takes_commands());
}

#[test]
fn what_was_sent_before_a_challenge_could_be_read_closes_the_session() {
    let ahead = "NOOP\r\n";
    for (mechanism, line) in [(Mechanism::Login, "AUTH LOGIN\r\n"), (Mechanism::ScramSha256, SCRAM)] {
        let mut session = offering(mechanism);
        session.advance(&mut BytesMut::from("EHLO a.example\r\n"));
        said(&mut session);
        assert!(matches!(
            session.advance(&mut BytesMut::from(format!("{line}{ahead}").as_str())),
            Advance::Close
        ));
        assert!(said(&mut session).starts_with("554 5.5.0 "), "{line}");
    }
    let mut session = offering(Mechanism::ScramSha256);
    session.advance(&mut BytesMut::from("EHLO a.example\r\n"));
    let proof = scram_proof(&mut session);
    assert!(matches!(
        session.advance(&mut BytesMut::from(format!("{proof}{ahead}").as_str())),
        Advance::Close
    ));
    assert!(said(&mut session).starts_with("554 5.5.0 "));
}

/// `user=a^Aauth=Bearer t^A^A`.
const TOKEN: &str = "AUTH XOAUTH2 dXNlcj1hAWF1dGg9QmVhcmVyIHQBAQ==\r\n";

/// RFC 7628 section 3.2.3: the client is told why, and acknowledges it. One that has already sent more does not wait for that.
#[test]
fn a_client_is_told_why_its_token_was_refused_if_it_waits_for_that() {
    let codes_of = |pieces: &[&str]| {
        let pieces = pieces.iter().map(|piece| piece.as_bytes());
        let outcome = play_with(offering(Mechanism::XOAuth2), pieces, no);
        codes(&outcome.said).into_iter().skip(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(codes_of(&["EHLO a.example\r\n", TOKEN]), ["334"]);
    assert_eq!(codes_of(&["EHLO a.example\r\n", TOKEN, "\r\n", "NOOP\r\n"]), ["334", "535", "250"]);
    assert_eq!(codes_of(&["EHLO a.example\r\n", TOKEN, "*\r\n", "NOOP\r\n"]), ["334", "501", "250"]);
    assert_eq!(codes_of(&["EHLO a.example\r\n", &format!("{TOKEN}NOOP\r\n")]), ["535", "250"]);
}

/// RFC 4954 section 4: 12288 octets, more than other lines may have.
#[test]
fn lines_of_an_exchange_may_be_longer_than_commands() {
    let reply_to = |line: &str| {
        let pieces = ["EHLO a.example\r\n", "AUTH PLAIN\r\n", line].map(str::as_bytes);
        let outcome = play_with(under_tls(), pieces.into_iter(), yes);
        outcome.said.lines().last().unwrap().to_owned()
    };
    // A name and a password of one octet, and what is no name.
    assert_eq!(reply_to("AGEAYg==\r\n"), "235 2.7.0 Authentication successful");
    assert_eq!(reply_to(&("A".repeat(12284) + "\r\n")), "501 5.5.2 Malformed authentication response");
    assert_eq!(reply_to(&("A".repeat(16384) + "\r\n")), "500 5.5.6 Authentication line too long");
    let ehlo = "EHLO a.example\r\n";
    let command = |line: String| play(under_tls(), format!("{ehlo}{line}\r\n").as_bytes(), 5000).said;
    assert!(command("NOOP ".to_owned() + &"A".repeat(3000)).ends_with("500 5.5.2 Line too long\r\n"));
    assert!(
        command("AUTH PLAIN ".to_owned() + &"A".repeat(16384))
            .ends_with("500 5.5.6 Authentication line too long\r\n")
    );
    assert!(
        command("AUTH PLAIN ".to_owned() + &"A".repeat(3000))
            .ends_with("501 5.5.2 Malformed authentication response\r\n")
    );
}

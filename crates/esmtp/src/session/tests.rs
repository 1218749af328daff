//! A session as a whole: what it says and keeps, however its input is cut.

use proptest::prelude::*;
use sasl::{Authenticated, Nonces, Verdict};
use types::{BareLineEnds, BodyType, QueueId, TlsFacts};

use super::*;
use crate::{Durable, Envelope, SenderAllowed};

mod first_line;
mod login;
mod xclient;
mod transaction;
mod dsn;
mod too_much;
mod ownership;
mod patience;

fn settings() -> Settings {
    Settings { message_size: 1000, recipients: 3, ..Settings::new("mail.example.org") }
}

/// A message is its octets, and nobody is known by anything.
type Session = super::Session<(), Vec<u8>>;

fn under_tls() -> Session {
    with(settings())
}

fn repairing() -> Session {
    with(Settings { bare_line_ends: BareLineEnds::Repair, ..settings() })
}

fn with(settings: Settings) -> Session {
    let tls = Some(TlsFacts::new("TLSv1.3", "test"));
    let channel = Channel { tls, ..Channel::in_clear(Nonces::new([0; 32])) };
    let mut session = Session::new(Arc::new(settings), channel);
    session.greet(&BytesMut::new());
    session
}

/// What a session led to: every octet it said, and each message that was committed.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    said: String,
    committed: Vec<Vec<u8>>,
    envelopes: Vec<Envelope>,
    closed: bool,
}

/// Plays `input` in pieces of `step` octets, saying yes to every question.
fn play(session: Session, input: &[u8], step: usize) -> Outcome {
    play_pieces(session, input.chunks(step))
}

fn play_pieces<'a>(session: Session, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    play_with(session, pieces, yes)
}

fn play_with<'a>(
    mut session: Session,
    mut pieces: impl Iterator<Item = &'a [u8]>,
    answer: fn(Question<'_, (), Vec<u8>>, &mut Outcome),
) -> Outcome {
    let (mut outcome, mut buffer) = (Outcome::default(), BytesMut::new());
    loop {
        match session.advance(&mut buffer) {
            Advance::Keep(mut kept) => {
                let octets = kept.take_octets();
                assert!(!octets.is_empty(), "nobody is asked to keep nothing");
                kept.message().extend_from_slice(&octets);
                kept.done();
            }
            Advance::Ask(question) => answer(question, &mut outcome),
            Advance::StartTls(_) => panic!("STARTTLS under TLS"),
            Advance::Close => {
                outcome.closed = true;
                break;
            }
            Advance::Input(_) => match pieces.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => break,
            },
        }
    }
    outcome.said = String::from_utf8(session.output().to_vec()).unwrap();
    outcome
}

fn accepted() -> Verdict<()> {
    Verdict::Accepted(Authenticated::new("a".to_owned(), ()))
}

fn yes(question: Question<'_, (), Vec<u8>>, outcome: &mut Outcome) {
    match question {
        Question::Salt(ticket) => ticket.answer(None),
        Question::Judge(ticket) => ticket.into_claim().1.answer(accepted()),
        Question::Client(ticket) => ticket.answer(Ok(())),
        Question::Vouch(ticket) => ticket.answer(accepted()),
        Question::Sender(ticket) => ticket.answer(Ok(SenderAllowed::after_check())),
        Question::Recipient(ticket) => ticket.answer(Ok(())),
        Question::Open(ticket) => ticket.answer(Vec::new()),
        Question::Commit(ticket) => {
            let (message, envelope, ticket) = ticket.into_message();
            outcome.committed.push(message);
            outcome.envelopes.push(envelope);
            ticket.answer(Ok(Durable::after_sync(QueueId::new(0, [0; 10]))));
        }
    }
}

/// Nobody logs in.
fn no(question: Question<'_, (), Vec<u8>>, outcome: &mut Outcome) {
    if let Question::Judge(ticket) = question {
        ticket.into_claim().1.answer(Verdict::Refused(sasl::Refusal::default()));
    } else {
        yes(question, outcome);
    }
}

const LOGIN: &str = "EHLO a.example\r\nAUTH PLAIN AGEAYg==\r\n";
const TO_RECIPIENT: &str = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n";

fn codes(said: &str) -> Vec<&str> {
    said.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(code, _)| code)
        .filter(|code| code.len() == 3)
        .collect()
}

#[test]
fn while_a_question_is_open_no_input_is_taken() {
    let mut session = under_tls();
    let mut input = BytesMut::from("EHLO a.example\r\nAUTH PLAIN AGEAYg==\r\nNOOP\r\n");
    let Advance::Ask(Question::Judge(ticket)) = session.advance(&mut input) else { panic!("no question") };
    assert_eq!(input, "NOOP\r\n");
    ticket.into_claim().1.answer(accepted());
    assert_eq!(session.client().login().map(Login::means), Some("PLAIN"));
    assert!(matches!(session.advance(&mut input), Advance::Input(Phase::Command)) && input.is_empty());
}

#[test]
fn who_may_send_and_what_is_read_next_are_told_at_every_moment() {
    let mut session = under_tls();
    let mut told = |input: &str| {
        let mut input = BytesMut::from(input);
        loop {
            match session.advance(&mut input) {
                Advance::Ask(question) => yes(question, &mut Outcome::default()),
                Advance::Input(_) => return (session.may_send(), session.takes_commands()),
                other @ (Advance::Keep(_) | Advance::StartTls(_) | Advance::Close) => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(told("EHLO a.example\r\nAUTH PLAIN\r\n"), (false, false));
    assert_eq!(told("*\r\n"), (false, true));
    assert_eq!(told("AUTH PLAIN AGEAYg==\r\n"), (true, true));
    assert_eq!(told(&format!("{TO_RECIPIENT}DATA\r\n")), (true, false));
}

#[test]
fn what_is_waited_for_and_who_the_client_is_are_told_at_every_moment() {
    let mut session = under_tls();
    let mut phase = |input: &str| {
        let mut input = BytesMut::from(input);
        loop {
            match session.advance(&mut input) {
                Advance::Ask(question) => yes(question, &mut Outcome::default()),
                Advance::Input(phase) => {
                    let client = session.client();
                    let ehlo = client.ehlo().map(ToString::to_string);
                    return (
                        phase,
                        ehlo,
                        client.extended(),
                        client.login().map(|login| login.identity().to_owned()),
                    );
                }
                other @ (Advance::Keep(_) | Advance::StartTls(_) | Advance::Close) => panic!("{other:?}"),
            }
        }
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(phase(""), (Phase::Command, None, false, None));
    assert_eq!(phase("HELO old.example\r\n"), (Phase::Command, named("old.example"), false, None));
    assert_eq!(phase("EHLO a.example\r\n"), (Phase::Command, named("a.example"), true, None));
    assert_eq!(phase("AUTH PLAIN\r\n").0, Phase::Exchange);
    assert_eq!(phase("AGEAYg==\r\n"), (Phase::Command, named("a.example"), true, named("a")));
    assert_eq!(phase(TO_RECIPIENT).0, Phase::Transaction);
    assert_eq!(phase("DATA\r\n").0, Phase::Text);
    assert_eq!(session.client().user(), Some(&()));
}

#[test]
fn each_phase_is_of_a_transaction_a_command_or_octets() {
    use Phase::{Command, Exchange, Refused, Text, Transaction};
    let all = [Command, Transaction, Exchange, Text, Refused];
    let of = |is: fn(Phase) -> bool| all.into_iter().filter(|phase| is(*phase)).collect::<Vec<_>>();
    assert_eq!(of(Phase::in_transaction), [Transaction, Text]);
    assert_eq!(of(Phase::is_command), [Command, Transaction]);
    assert_eq!(of(Phase::is_octets), [Text, Refused]);
}

#[test]
fn a_client_that_is_turned_away_is_told_why_and_the_session_is_over() {
    let mut session = Session::new(Arc::new(settings()), Channel::in_clear(Nonces::new([0; 32])));
    session.refuse(&Rejection::TooManyConnections);
    assert!(session.output().starts_with(b"421 4.7.0 "), "{session:?}");
    assert!(matches!(session.advance(&mut BytesMut::from("EHLO a.example\r\n")), Advance::Close));
}

#[test]
fn starttls_is_answered_in_clear_before_the_handshake() {
    let mut session = Session::new(Arc::new(settings()), Channel::in_clear(Nonces::new([0; 32])));
    let Advance::StartTls(mut handshake) = session.advance(&mut BytesMut::from("STARTTLS\r\n")) else {
        panic!("no handshake")
    };
    assert!(handshake.output().starts_with(b"220 2.0.0 "));
}

#[test]
fn a_question_that_is_dropped_closes_the_session() {
    let mut session = under_tls();
    let mut input = BytesMut::from("EHLO a.example\r\nAUTH PLAIN AGEAYg==\r\nNOOP\r\n");
    assert!(matches!(session.advance(&mut input), Advance::Ask(Question::Judge(_))));
    assert!(matches!(session.advance(&mut input), Advance::Close));
    assert_eq!(input, "NOOP\r\n");
}

#[test]
fn a_message_in_chunks_ends_with_a_line_end() {
    let input = format!("{LOGIN}{TO_RECIPIENT}BDAT 3\r\na\r\nBDAT 1 LAST\r\nb");
    for step in 1..input.len() {
        assert_eq!(play(under_tls(), input.as_bytes(), step).committed, [b"a\r\nb\r\n"]);
    }
}

#[test]
fn a_refused_text_is_dropped_whole_and_the_session_goes_on() {
    let big = "A".repeat(900) + "\r\n" + &"B".repeat(900) + "\r\n.\n";
    let input =
        format!("{LOGIN}{TO_RECIPIENT}BDAT {} LAST\r\n{big}NOOP\r\nRCPT TO:<b@example.org>\r\n", big.len());
    for step in [1, 7, 4000] {
        let outcome = play(under_tls(), input.as_bytes(), step);
        assert_eq!(codes(&outcome.said), ["220", "250", "235", "250", "250", "552", "250", "503"]);
        assert!(outcome.committed.is_empty());
    }
}

#[test]
fn text_before_354_and_a_challenge_answered_before_it_was_sent_close_the_session() {
    for tail in [format!("{TO_RECIPIENT}DATA\r\nSubject: x\r\n\r\n.\r\n"), String::new()] {
        let input = if tail.is_empty() {
            "EHLO a.example\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\n".to_owned()
        } else {
            format!("{LOGIN}{tail}")
        };
        let outcome = play(under_tls(), input.as_bytes(), input.len());
        assert!(outcome.closed && outcome.said.contains("554 5.5.0"), "{}", outcome.said);
    }
}

/// Plays a message that comes by DATA, whose text waits for its 354.
fn play_data(session: Session, text: &[u8], step: usize) -> Outcome {
    let before = format!("{LOGIN}{TO_RECIPIENT}DATA\r\n");
    play_pieces(session, std::iter::once(before.as_bytes()).chain(text.chunks(step)))
}

/// Plays a message that comes in chunks of `size` octets, the last of them empty.
fn play_chunks(session: Session, text: &[u8], size: usize, step: usize) -> Outcome {
    let chunks =
        text.chunks(size).map(|chunk| [format!("BDAT {}\r\n", chunk.len()).as_bytes(), chunk].concat());
    let chunks = chunks.collect::<Vec<_>>().concat();
    let input = [LOGIN.as_bytes(), TO_RECIPIENT.as_bytes(), &chunks, b"BDAT 0 LAST\r\n"].concat();
    play(session, &input, step)
}

#[test]
fn bare_line_ends_are_repaired_however_the_text_is_cut() {
    let text = b" 10%\r 50%\r100%\r\ndone\r\r\nlf\n\n.\nlast\r.\r\r\r\nx\n.\r\n.\r";
    let repaired = b" 10%\r\n 50%\r\n100%\r\ndone\r\nlf\r\n\r\n.\r\nlast\r\n.\r\nx\r\n.\r\n.\r\n";
    let stuffed = b" 10%\r 50%\r100%\r\ndone\r\r\nlf\n\n.\nlast\r.\r\r\r\nx\n.\r\n..\r\n.\r\n";
    for step in 1..=text.len() {
        let outcome = play_data(repairing(), stuffed, step);
        assert_eq!(outcome.committed, [repaired], "DATA in steps of {step}");
        assert!(outcome.envelopes[0].repaired_line_ends);
        for size in 1..=text.len() {
            let outcome = play_chunks(repairing(), text, size, step);
            assert_eq!(outcome.committed, [repaired], "chunks of {size} in steps of {step}");
        }
    }
}

#[test]
fn a_false_end_ends_nothing_where_it_is_repaired_either() {
    let ends: [&[u8]; 9] = [
        b"\n.\n",
        b"\r.\r",
        b"\r.\n",
        b"\n.\r",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\r\n.\r\r\n",
    ];
    for end in ends {
        let smuggled = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<c@example.org>\r\nBDAT 0 LAST\r\n";
        let text = [b"a".as_slice(), end, smuggled, b".\r\n"].concat();
        for step in 1..=text.len() {
            let outcome = play_data(repairing(), &text, step);
            let [kept] = outcome.committed.as_slice() else {
                panic!("{:?}: {outcome:?}", end.escape_ascii())
            };
            assert!(kept.ends_with(smuggled), "{:?}", end.escape_ascii());
            assert_eq!(outcome.envelopes[0].recipients.len(), 1);
        }
    }
}

#[test]
fn what_needs_no_repair_is_not_told_as_repaired() {
    let outcome = play_data(repairing(), b"a\r\nb\r\n.\r\n", 3);
    assert_eq!(
        (outcome.committed[0].as_slice(), outcome.envelopes[0].repaired_line_ends),
        (b"a\r\nb\r\n".as_slice(), false)
    );
    let refused = play_data(under_tls(), b"a\rb\r\n.\r\n", 3);
    assert!(refused.committed.is_empty() && refused.said.contains("521 5.5.2"), "{}", refused.said);
}

#[test]
fn a_text_that_repair_makes_too_big_is_too_big() {
    for text in ["\n".repeat(501), "a".repeat(998) + "\r\r"] {
        let outcome = play_chunks(repairing(), text.as_bytes(), 1000, 7);
        assert!(outcome.committed.is_empty() && outcome.said.contains("552 5.3.4"), "{}", outcome.said);
    }
    assert_eq!(
        play_chunks(repairing(), "\n".repeat(500).as_bytes(), 1000, 7).committed,
        [b"\r\n".repeat(500)]
    );
}

#[test]
fn long_lines_are_taken_where_the_settings_say_so() {
    let text = "A".repeat(999) + "\r\n.\r\n";
    let takes = Settings { message_size: 2000, long_lines: true, ..settings() };
    assert_eq!(play_data(with(takes.clone()), text.as_bytes(), 100).committed.len(), 1);
    let refuses = Settings { long_lines: false, ..takes };
    assert!(play_data(with(refuses), text.as_bytes(), 100).said.contains("554 5.6.0"));
}

#[test]
fn an_envelope_says_what_the_text_is_not_what_was_declared() {
    for (declared, text, body) in [
        ("8BITMIME", "a\r\n".as_bytes(), BodyType::SevenBit),
        ("7BIT", "å\r\n".as_bytes(), BodyType::EightBit),
        ("8BITMIME", "å\r\n".as_bytes(), BodyType::EightBit),
    ] {
        let before =
            format!("{LOGIN}MAIL FROM:<a@example.org> BODY={declared}\r\nRCPT TO:<b@example.org>\r\n");
        let chunk = format!("BDAT {} LAST\r\n", text.len());
        let input = [before.as_bytes(), chunk.as_bytes(), text].concat();
        assert_eq!(play(under_tls(), &input, 9).envelopes[0].body, body);
    }
}

#[test]
fn what_is_announced_as_binary_is_taken_octet_for_octet_whatever_becomes_of_text() {
    let octets: &[u8] = b"A: b\r\n\r\n\0\n\r.\n\r\n.\r\nno end";
    for bare_line_ends in [BareLineEnds::Refuse, BareLineEnds::Repair] {
        let settings = Settings { binary_mime: true, bare_line_ends, message_size: 100, ..settings() };
        let mail = format!("{LOGIN}MAIL FROM:<a@example.org> BODY=binarymime\r\nRCPT TO:<b@example.org>\r\n");
        let chunks: Vec<u8> =
            [&b"BDAT 11\r\n"[..], &octets[..11], b"BDAT 13 LAST\r\n", &octets[11..]].concat();
        for cut in 1..20 {
            let outcome = play(with(settings.clone()), &[mail.as_bytes(), &chunks].concat(), cut);
            assert_eq!(outcome.committed, [octets], "{}", outcome.said);
            assert_eq!(
                (outcome.envelopes[0].body, outcome.envelopes[0].repaired_line_ends),
                (BodyType::Binary, false)
            );
        }
        let data = play(with(settings.clone()), format!("{mail}DATA\r\nRSET\r\n").as_bytes(), 30);
        assert!(
            data.said.ends_with("503 5.5.1 BODY=BINARYMIME needs BDAT, not DATA\r\n250 2.0.0 OK\r\n"),
            "{}",
            data.said
        );
        let large = [mail.as_bytes(), b"BDAT 101 LAST\r\n", &[0; 101], b"NOOP\r\n"].concat();
        assert!(play(with(settings), &large, 40).said.contains("552 5.3.4 "));
    }
    let refused = play(under_tls(), format!("{LOGIN}MAIL FROM:<> BODY=BINARYMIME\r\n").as_bytes(), 30);
    assert!(
        refused.said.ends_with("501 5.5.4 Bad value of a parameter, or given twice\r\n"),
        "{}",
        refused.said
    );
}

#[test]
fn a_client_that_tries_all_the_mechanisms_it_has_finds_one() {
    let tries = "AUTH CRAM-MD5\r\n".repeat(19);
    let outcome =
        play(under_tls(), format!("EHLO a.example\r\n{tries}AUTH PLAIN AGEAYg==\r\n").as_bytes(), 20);
    assert!(outcome.said.ends_with("235 2.7.0 Authentication successful\r\n"), "{}", outcome.said);
    let outcome = play(under_tls(), format!("EHLO a.example\r\n{tries}AUTH X\r\n").as_bytes(), 20);
    assert!(
        outcome.closed
            && outcome.said.ends_with("504 5.5.4 Mechanism not available\r\n421 4.7.0 Too many errors\r\n")
    );
}

#[test]
fn as_many_messages_are_taken_as_the_settings_say() {
    let few = Settings { messages_per_connection: 2, ..settings() };
    let message = format!("{TO_RECIPIENT}BDAT 3 LAST\r\na\r\n");
    let outcome = play(with(few), format!("{LOGIN}{}", message.repeat(3)).as_bytes(), 50);
    assert!(outcome.closed && outcome.said.contains("421 4.7.0 Too many messages"), "{}", outcome.said);
    assert_eq!(outcome.committed.len(), 2);
    assert!(outcome.said.contains("LIMITS RCPTMAX=3 MAILMAX=2"));
}

proptest! {
    /// Where the input is cut changes nothing, but for the points at which a client has to wait for a reply.
    #[test]
    fn the_cut_of_the_input_does_not_matter(
        commands in proptest::collection::vec(prop_oneof![
            Just("MAIL FROM:<a@example.org>\r\n"), Just("MAIL FROM:<> SIZE=2000\r\n"), Just("RCPT TO:<b@example.org>\r\n"),
            Just("RCPT TO:<x>\r\n"), Just("BDAT 5\r\na\r\nb\r"), Just("BDAT 3 LAST\r\nab\n"), Just("BDAT 4 LAST\r\nab\r\n"),
            Just("BDAT 0 LAST\r\n"), Just("RSET\r\n"), Just("EHLO b.example\r\n"), Just("NOOP\n\r\n"), Just("QUIT x\r\n"),
            Just("\r\n"), Just("VRFY a\r\n"), Just("AUTH PLAIN =\r\n"), Just("STARTTLS\r\n"), Just("VRFY\r\n"),
            Just("MAIL  FROM : a@example.org \r\n"), Just("RCPT\tTO:<>\r\n"), Just("HELO\r\n"), Just("BDAT 3\r\n\r\ra"),
            Just("AUTH  X\r\n"),
        ], 0..24),
        step in 1_usize..40,
    ) {
        let input = format!("{LOGIN}{}", commands.concat());
        for session in [under_tls, repairing] {
            let whole = play(session(), input.as_bytes(), input.len());
            prop_assert_eq!(&play(session(), input.as_bytes(), step), &whole);
        }
    }

    #[test]
    fn a_repaired_text_is_crlf_clean_and_the_same_however_it_comes(
        text in "[a.\r\n]{0,40}", size in 1_usize..20, step in 1_usize..40,
    ) {
        let whole = play_chunks(repairing(), text.as_bytes(), 50, 500);
        prop_assert_eq!(&play_chunks(repairing(), text.as_bytes(), size, step).committed, &whole.committed);
        let kept = String::from_utf8(whole.committed[0].clone()).unwrap();
        prop_assert!(!kept.replace("\r\n", "").contains(['\r', '\n']));
    }

    #[test]
    fn no_input_is_too_strange(input in proptest::collection::vec(any::<u8>(), 0..400), step in 1_usize..50) {
        play(under_tls(), &input, step);
        play(under_tls(), &[LOGIN.as_bytes(), &input].concat(), step);
        play(under_tls(), &[LOGIN.as_bytes(), TO_RECIPIENT.as_bytes(), b"BDAT 50\r\n", &input].concat(), step);
        play_data(repairing(), &input, step);
    }
}

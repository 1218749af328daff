//! Dialogues with next hosts of every kind, most of them hostile.

mod binary;
mod dsn;
mod ends;
mod lmtp;
mod needs;
mod offers;
mod stages;

use super::*;
use types::{BodyType, EnvelopeRecipient, ForwardPath, ReversePath};

const EHLO: &str = "250-mx.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n";
const PLAIN_EHLO: &str = "250 mx.example\r\n";
const TEXT: &[u8] = b"Subject: x\r\n\r\n.hi\r\n";

/// What a dialogue came to: what we said, and what became of the message for `a` and `b`.
struct Played {
    said: String,
    end: String,
    dialogue: Dialogue,
}

/// Plays the peer's octets, one piece whenever we wait, to a client that sends a message to two recipients.
fn play(pieces: &[&str]) -> Played {
    let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
    play_octets(&pieces)
}

fn play_octets(pieces: &[&[u8]]) -> Played {
    play_to(Dialogue::new("client.example"), pieces)
}

fn play_to(dialogue: Dialogue, pieces: &[&[u8]]) -> Played {
    let mut played = Played { said: String::new(), end: String::new(), dialogue };
    let (mut input, mut pieces) = (BytesMut::new(), pieces.iter());
    let recipients = [recipient("a@example.org"), recipient("b@example.org")];
    let reverse_path = ReversePath::take("<s@example.net>").unwrap().0;
    let envelope =
        Envelope { reverse_path: &reverse_path, size: Some(19), ..to(recipients.iter().collect()) };
    loop {
        let advance = played.dialogue.advance(&mut input);
        let output = played.dialogue.output().split();
        match advance {
            Ok(Advance::Input) => {
                played.said += str::from_utf8(&output).unwrap();
                let Some(piece) = pieces.next() else { return played.lost("connection lost") };
                input.extend_from_slice(piece);
                continue;
            }
            Ok(Advance::Ready) => {
                if let Some(verdicts) = played.dialogue.send(&envelope) {
                    return played.ended(&verdicts);
                }
            }
            Ok(Advance::Body) => {
                TEXT.chunks(5).for_each(|chunk| played.dialogue.write_body(chunk));
                played.dialogue.end_body();
            }
            Ok(Advance::Done(verdicts)) => return played.ended(&verdicts),
            Ok(Advance::StartTls | Advance::Closed) => return played.lost("closed"),
            Err(broken) => return played.lost(&broken.to_reply().to_string()),
        }
    }
}

impl Played {
    fn ended(mut self, verdicts: &[Verdict]) -> Played {
        self.end = verdicts.iter().map(told).collect::<Vec<_>>().join(" ");
        self
    }

    /// The connection broke; without a transaction the driver defers everybody.
    fn lost(mut self, why: &str) -> Played {
        let reason = Reply::ours(451, Enhanced(4, 4, 2), why);
        let verdicts = self.dialogue.abandon(&Verdict::Deferred(reason.clone()));
        if verdicts.is_empty() {
            self.ended(&[Verdict::Deferred(reason.clone()), Verdict::Deferred(reason)])
        } else {
            self.ended(&verdicts)
        }
    }
}

fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Delivered(reply, _) => format!("delivered-{}", reply.code()),
        Verdict::Deferred(reply) => format!("deferred-{}", reply.code()),
        Verdict::Unclear(reply) => format!("unclear-{}", reply.code()),
        Verdict::Failed(reply) => format!("failed-{}", reply.code()),
    }
}

fn recipient(address: &str) -> EnvelopeRecipient {
    ForwardPath::take(&format!("<{address}>")).unwrap().0.into()
}

#[test]
fn what_the_host_offers_and_when_a_command_may_be_given_is_known() {
    let mut dialogue = Dialogue::new("client.example");
    let mut input = BytesMut::new();
    for (octets, advance, is_ready, heard) in [
        ("220 h", Advance::Input, false, 0),
        ("\r\n", Advance::Input, false, 1),
        (EHLO, Advance::Ready, true, 2),
    ] {
        input.extend_from_slice(octets.as_bytes());
        assert_eq!(dialogue.advance(&mut input).unwrap(), advance);
        assert_eq!((dialogue.is_ready(), dialogue.heard()), (is_ready, heard), "{octets:?}");
    }
    let offered = dialogue.capabilities();
    assert!(offered.pipelining && offered.eight_bit && !offered.smtputf8, "{offered:?}");
}

#[test]
fn mail_rcpt_and_data_leave_in_one_flight() {
    let played =
        play(&["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "250 2.0.0 taken\r\n"]);
    assert_eq!(played.end, "delivered-250 delivered-250");
    assert_eq!(
        played.said,
        "EHLO client.example\r\nMAIL FROM:<s@example.net> SIZE=19\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n\
         DATA\r\nSubject: x\r\n\r\n..hi\r\n.\r\n"
    );
}

/// Each row: what the peer says, piece by piece, and what becomes of `a` and `b`.
const PEERS: &[(&str, &[&str], &str)] = &[
    // Well-behaved ones.
    (
        "command by command",
        &["220 hi\r\n", PLAIN_EHLO, "250 ok\r\n", "250 ok\r\n", "251 ok\r\n", "354 go\r\n", "250 ok\r\n"],
        "delivered-250 delivered-250",
    ),
    (
        "HELO only",
        &[
            "220 hi\r\n",
            "502 what\r\n",
            "250 hello\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "354 go\r\n",
            "250 ok\r\n",
        ],
        "delivered-250 delivered-250",
    ),
    (
        "replies cut up",
        &[
            "22",
            "0-a\r",
            "\n220 b\r\n",
            "250-mx\r\n250 PIPE",
            "LINING\r\n",
            "250 ok\r\n25",
            "0 ok\r\n250 ok\r\n3",
            "54 go\r\n",
            "2",
            "50 ok\r\n",
        ],
        "delivered-250 delivered-250",
    ),
    (
        "bare LF",
        &["220 hi\n", "250-mx\n250 PIPELINING\n", "250 ok\n250 ok\n250 ok\n354 go\n", "250 ok\n"],
        "delivered-250 delivered-250",
    ),
    // Recipients have different fates.
    (
        "one refused",
        &["220 hi\r\n", EHLO, "250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go\r\n", "250 ok\r\n"],
        "failed-550 delivered-250",
    ),
    (
        "one greylisted",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n450 4.7.1 later\r\n354 go\r\n", "250 ok\r\n"],
        "delivered-250 deferred-450",
    ),
    (
        "both refused, DATA too",
        &["220 hi\r\n", EHLO, "250 ok\r\n550 no\r\n450 no\r\n554 nobody\r\n"],
        "failed-550 deferred-450",
    ),
    (
        "both refused, DATA accepted",
        &["220 hi\r\n", EHLO, "250 ok\r\n550 no\r\n550 no\r\n354 go\r\n", "250 ok\r\n"],
        "failed-550 failed-550",
    ),
    (
        "both refused, lockstep",
        &["220 hi\r\n", PLAIN_EHLO, "250 ok\r\n", "550 no\r\n", "550 no\r\n"],
        "failed-550 failed-550",
    ),
    (
        "too many recipients, the old way",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n552 too many\r\n354 go\r\n", "250 ok\r\n"],
        "delivered-250 deferred-552",
    ),
    // The message as a whole is refused.
    ("MAIL 5yz", &["220 hi\r\n", EHLO, "550 no\r\n503 no\r\n503 no\r\n503 no\r\n"], "failed-550 failed-550"),
    ("MAIL 5yz, lockstep", &["220 hi\r\n", PLAIN_EHLO, "550 no\r\n"], "failed-550 failed-550"),
    (
        "MAIL 4yz",
        &["220 hi\r\n", EHLO, "451 no\r\n503 no\r\n503 no\r\n503 no\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "MAIL wants a login",
        &["220 hi\r\n", EHLO, "530 5.7.0 log in\r\n503 no\r\n503 no\r\n503 no\r\n"],
        "deferred-530 deferred-530",
    ),
    // What asks for a login is about us (RFC 4954 section 6).
    (
        "RCPT wants a login",
        &["220 hi\r\n", EHLO, "250 ok\r\n530 5.7.0 log in\r\n535 no\r\n503 no\r\n"],
        "deferred-530 deferred-535",
    ),
    (
        "DATA wants a login",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n550 no\r\n530 5.7.0 log in\r\n"],
        "deferred-530 failed-550",
    ),
    (
        "the text wants a login",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "530 5.7.0 log in\r\n"],
        "deferred-530 deferred-530",
    ),
    (
        "MAIL refused, RCPT accepted",
        &["220 hi\r\n", EHLO, "550 no\r\n250 ok\r\n250 ok\r\n354 go\r\n", "250 ok\r\n"],
        "failed-550 failed-550",
    ),
    ("DATA 5yz", &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n554 no\r\n"], "failed-554 failed-554"),
    (
        "DATA 4yz",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n451 no\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "text 5yz",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "554 spam\r\n"],
        "failed-554 failed-554",
    ),
    (
        "text 4yz",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "451 disk\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "text 5yz, one refused before",
        &["220 hi\r\n", EHLO, "250 ok\r\n450 no\r\n250 ok\r\n354 go\r\n", "554 spam\r\n"],
        "deferred-450 failed-554",
    ),
    // The peer goes away.
    ("gone at once", &[], "deferred-451 deferred-451"),
    ("greeting 421", &["421 later\r\n"], "deferred-451 deferred-451"),
    ("greeting 554", &["554 no mail here\r\n"], "deferred-451 deferred-451"),
    ("EHLO 421", &["220 hi\r\n", "421 bye\r\n"], "deferred-451 deferred-451"),
    ("EHLO and HELO refused", &["220 hi\r\n", "550 no\r\n", "550 no\r\n"], "deferred-451 deferred-451"),
    ("421 to MAIL", &["220 hi\r\n", EHLO, "421 bye\r\n"], "deferred-421 deferred-421"),
    (
        "421 to the second RCPT",
        &["220 hi\r\n", EHLO, "250 ok\r\n550 no\r\n421 bye\r\n"],
        "failed-550 deferred-421",
    ),
    (
        "421 to DATA",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n421 bye\r\n"],
        "deferred-421 deferred-421",
    ),
    (
        "421 to the text",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "421 bye\r\n"],
        "deferred-421 deferred-421",
    ),
    ("gone after one RCPT", &["220 hi\r\n", EHLO, "250 ok\r\n550 no\r\n"], "failed-550 deferred-451"),
    (
        "gone after the dot",
        &["220 hi\r\n", EHLO, "250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"],
        "failed-550 deferred-451",
    ),
    (
        "half a final reply",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "250-o"],
        "deferred-451 deferred-451",
    ),
    ("unasked 421 before MAIL", &["220 hi\r\n", "250 mx\r\n421 bye\r\n"], "deferred-451 deferred-451"),
    // Lies: replies that are not due.
    (
        "250 to DATA",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n250 taken\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "250 with the 354",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "half a 250 with the 354",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n25", "0 taken\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "one line of a 250 with the 354",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250-\r\n", "250 taken\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "5yz with the 354",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n554 too big\r\n"],
        "deferred-554 deferred-554",
    ),
    (
        "354 to the text",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "354 more\r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "334 to the text",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "334 \r\n"],
        "deferred-451 deferred-451",
    ),
    (
        "354 to MAIL",
        &["220 hi\r\n", EHLO, "354 go\r\n354 go\r\n354 go\r\n354 go\r\n"],
        "deferred-451 deferred-451",
    ),
    ("354 to RCPT", &["220 hi\r\n", EHLO, "250 ok\r\n354 go\r\n"], "deferred-451 deferred-451"),
    (
        "everything before EHLO",
        &["220 hi\r\n250 mx\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"],
        "deferred-451 deferred-451",
    ),
    ("a reply too many after EHLO", &["220 hi\r\n", "250 mx\r\n250 ok\r\n"], "deferred-451 deferred-451"),
    ("354 as a greeting", &["354 go\r\n"], "deferred-451 deferred-451"),
    ("250 as a greeting", &["250 ok\r\n"], "deferred-451 deferred-451"),
    ("334 to EHLO", &["220 hi\r\n", "334 \r\n"], "deferred-451 deferred-451"),
    // No replies at all.
    ("HTTP", &["HTTP/1.1 400 Bad Request\r\n"], "deferred-451 deferred-451"),
    ("SSH", &["SSH-2.0-OpenSSH_9.2\r\n"], "deferred-451 deferred-451"),
    (
        "an enhanced code alone",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "5.7.2\r\n"],
        "deferred-451 deferred-451",
    ),
    ("an empty line", &["220 hi\r\n", EHLO, "\r\n"], "deferred-451 deferred-451"),
    ("code 999", &["220 hi\r\n", EHLO, "999 ok\r\n"], "deferred-451 deferred-451"),
    ("code 000", &["220 hi\r\n", EHLO, "000 ok\r\n"], "deferred-451 deferred-451"),
    ("code 150", &["220 hi\r\n", EHLO, "150 ok\r\n"], "deferred-451 deferred-451"),
    (
        "mixed codes at the end",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "250-ok\r\n550 no\r\n"],
        "deferred-451 deferred-451",
    ),
    ("NUL for a code", &["220 hi\r\n", EHLO, "\0\0\0 ok\r\n"], "deferred-451 deferred-451"),
    (
        "NUL in the text of a reply",
        &["220 hi\r\n", EHLO, "250 o\0k\r\n250 ok\r\n250 ok\r\n354 go\r\n", "250 \0\r\n"],
        "delivered-250 delivered-250",
    ),
    (
        "a stale enhanced code",
        &["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "250 5.7.1 refused\r\n"],
        "delivered-250 delivered-250",
    ),
];

#[test]
fn whatever_the_peer_says_uncertainty_is_temporary() {
    for (name, pieces, end) in PEERS {
        assert_eq!(play(pieces).end, *end, "{name}");
    }
}

#[test]
fn a_peer_cut_at_every_octet_comes_to_the_same() {
    // The lies are about what arrives too early, which cutting mends; and what has no end never comes to one.
    let honest = PEERS.iter().filter(|(_, _, end)| !end.contains("451"));
    for (name, pieces, end) in honest.filter(|(name, ..)| !name.contains("with the 354")) {
        let octets: Vec<String> = pieces.concat().chars().map(String::from).collect();
        let octets: Vec<&str> = octets.iter().map(String::as_str).collect();
        assert_eq!(play(&octets).end, *end, "{name}");
    }
}

#[test]
fn endless_replies_end() {
    let line = b"220-".iter().chain([b'x'; 60_000].iter()).copied().collect::<Vec<u8>>();
    let lines = b"220-x\r\n".repeat(1000);
    for octets in [line.as_slice(), lines.as_slice()] {
        assert_eq!(play_octets(&[octets]).end, "deferred-451 deferred-451");
    }
}

/// RFC 5321 section 3.2: what a host offers is not known that was spoken to with HELO, and why it refuses EHLO neither.
#[test]
fn helo_decides_nothing_for_good() {
    let hello = ["220 hi\r\n", "502 what\r\n", "250 hello\r\n"];
    let table: &[(&[&str], &str)] = &[
        (&["550 no\r\n"], "deferred-550 deferred-550"),
        (&["250 ok\r\n", "550 no\r\n", "550 no\r\n"], "deferred-550 deferred-550"),
        (
            &["250 ok\r\n", "550 no\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"],
            "deferred-550 delivered-250",
        ),
        (&["250 ok\r\n", "250 ok\r\n", "250 ok\r\n", "554 no\r\n"], "deferred-554 deferred-554"),
        (
            &["250 ok\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "554 spam\r\n"],
            "deferred-554 deferred-554",
        ),
    ];
    for (replies, end) in table {
        assert_eq!(play(&[&hello, *replies].concat()).end, *end, "{replies:?}");
    }
    let mut dialogue = Dialogue::new("client.example");
    for reply in hello {
        dialogue.advance(&mut reply.into()).unwrap();
    }
    assert!(!dialogue.capabilities().extended);
    let path = recipient("é@example.org");
    assert_eq!(told(&dialogue.send(&to(vec![&path])).unwrap()[0]), "deferred-550");
}

/// An envelope of ASCII text without a sender.
fn to(recipients: Vec<&EnvelopeRecipient>) -> Envelope<'_> {
    let body = BodyType::SevenBit;
    Envelope { body, size: Some(1), ..Envelope::new(&ReversePath::Null, recipients) }
}

/// What is said to begin a transaction, if anything is.
fn said(dialogue: &mut Dialogue, envelope: &Envelope<'_>) -> String {
    dialogue.output().clear();
    let _ = dialogue.send(envelope);
    String::from_utf8(dialogue.output().to_vec()).unwrap()
}

/// A dialogue whose peer has answered EHLO.
fn ready(ehlo: &str) -> Dialogue {
    let mut dialogue = Dialogue::new("client.example");
    assert_eq!(dialogue.advance(&mut "220 hi\r\n".into()), Ok(Advance::Input));
    assert_eq!(dialogue.advance(&mut ehlo.into()), Ok(Advance::Ready));
    dialogue.output().clear();
    dialogue
}

#[test]
fn the_next_message_follows_without_rset_unless_a_transaction_was_left_open() {
    let next = |pieces: &[&str]| {
        let mut played = play(pieces);
        let path = recipient("c@example.org");
        said(&mut played.dialogue, &to(vec![&path]))
    };
    let clean = next(&["220 hi\r\n", EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", "250 ok\r\n"]);
    assert_eq!(clean, "MAIL FROM:<> SIZE=1\r\nRCPT TO:<c@example.org>\r\nDATA\r\n");
    let left_open = next(&["220 hi\r\n", EHLO, "250 ok\r\n550 no\r\n550 no\r\n554 no\r\n"]);
    assert_eq!(left_open, format!("RSET\r\n{clean}"));
}

#[test]
fn octets_after_the_reply_to_starttls_are_an_attack() {
    let mut dialogue = ready("250-mx\r\n250 STARTTLS\r\n");
    dialogue.start_tls();
    // NO STARTTLS (threat TLS-02): a reply to the EHLO that is yet to come inside TLS.
    let mut input = BytesMut::from("220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n");
    assert_eq!(dialogue.advance(&mut input), Err(Broken::Plaintext));
    let mut dialogue = ready("250-mx\r\n250 STARTTLS\r\n");
    dialogue.start_tls();
    assert_eq!(dialogue.advance(&mut "220 go\r\n2".into()), Err(Broken::Plaintext));
}

#[test]
fn nothing_said_before_tls_is_known_after() {
    let mut dialogue = ready("250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
    dialogue.start_tls();
    assert_eq!(dialogue.advance(&mut "220 go\r\n".into()), Ok(Advance::StartTls));
    let mut dialogue = dialogue.into_tls();
    assert_eq!(dialogue.capabilities(), &Capabilities::default());
    assert_eq!(&dialogue.output()[..], b"EHLO client.example\r\n");
    assert_eq!(dialogue.advance(&mut "250 mx\r\n".into()), Ok(Advance::Ready));
    assert!(matches!(dialogue.log_in(&credentials()), Err(Broken::NoMechanism)));
}

fn credentials() -> Credentials {
    Credentials::new("user", "secret".to_owned().into())
}

/// Plays a login; what we said, and how it ended.
fn log_in(offer: &str, replies: &[&str]) -> (String, Result<Advance, Broken>) {
    let mut dialogue = ready(&format!("250-mx\r\n250 {offer}\r\n"));
    let begun = dialogue.log_in(&credentials()).map(|()| Advance::Input);
    let mut said = String::from_utf8(dialogue.output().split().to_vec()).unwrap();
    let end = replies.iter().fold(begun, |_, reply| {
        let advance = dialogue.advance(&mut BytesMut::from(*reply));
        said += str::from_utf8(&dialogue.output().split()).unwrap();
        advance
    });
    (said, end)
}

#[test]
fn logins() {
    let plain = "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n";
    assert_eq!(log_in("AUTH LOGIN PLAIN", &["235 ok\r\n"]), (plain.into(), Ok(Advance::Ready)));
    let (said, end) = log_in("auth login", &["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 ok\r\n"]);
    assert_eq!((said.as_str(), end), ("AUTH LOGIN\r\ndXNlcg==\r\nc2VjcmV0\r\n", Ok(Advance::Ready)));
    assert_eq!(log_in("AUTH GSSAPI", &[]).1, Err(Broken::NoMechanism));
    assert_eq!(log_in("8BITMIME", &[]).1, Err(Broken::NoMechanism));
    for refusal in ["535 5.7.8 no\r\n", "454 4.7.0 later\r\n", "421 bye\r\n"] {
        assert!(matches!(log_in("AUTH PLAIN", &[refusal]).1, Err(Broken::LoginRefused(_))), "{refusal}");
    }
    // A reply of success that is not 235 is none.
    for lie in ["250 ok\r\n", "354 go\r\n"] {
        assert!(matches!(log_in("AUTH PLAIN", &[lie]).1, Err(Broken::OutOfTurn(Stage::Login, _))), "{lie}");
    }
    // Endless challenges end.
    assert!(matches!(
        log_in("AUTH PLAIN", &["334 \r\n", "334 \r\n"]).1,
        Err(Broken::OutOfTurn(Stage::Login, _))
    ));
}

#[test]
fn a_login_is_not_debugged() {
    let mut dialogue = ready("250-mx\r\n250 AUTH LOGIN\r\n");
    dialogue.log_in(&credentials()).unwrap();
    dialogue.output().clear();
    assert!(!format!("{dialogue:?}").contains("c2VjcmV0"));
}

#[test]
fn quitting() {
    let mut dialogue = ready("250 mx\r\n");
    dialogue.quit();
    assert_eq!(&dialogue.output()[..], b"QUIT\r\n");
    assert_eq!(dialogue.advance(&mut "221 bye\r\n".into()), Ok(Advance::Closed));
}

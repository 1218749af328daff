//! Text that is not made of lines, in one chunk (RFC 3030).

use super::*;

const OFFERS: &str = "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 SIZE\r\n";
const ONE_BY_ONE: &str = "250-mx\r\n250-CHUNKING\r\n250 BINARYMIME\r\n";
const OCTETS: &[u8] = b"A: b\r\n\r\n.\r\n\0\n.\n\r";

/// What is said, in pieces, each the answer to one of the host's, and the end.
fn sent(ehlo: &str, replies: &[&str], octets: &[u8], size: u64) -> (Vec<String>, Option<String>) {
    let mut dialogue = ready(ehlo);
    let recipients = [recipient("a@example.org"), recipient("b@example.org")];
    let envelope = Envelope { body: BodyType::Binary, size: Some(size), ..to(recipients.iter().collect()) };
    assert!(dialogue.send(&envelope).is_none());
    let (mut said, mut input, mut replies) = (Vec::new(), BytesMut::new(), replies.iter());
    loop {
        let advance = dialogue.advance(&mut input).unwrap();
        match advance {
            Advance::Body => {
                octets.chunks(3).for_each(|chunk| dialogue.write_body(chunk));
                said.push(dialogue.output().split().escape_ascii().to_string());
                dialogue.end_body();
            }
            Advance::Input => {
                said.push(dialogue.output().split().escape_ascii().to_string());
                let Some(reply) = replies.next() else { return (said, None) };
                input.extend_from_slice(reply.as_bytes());
            }
            Advance::Done(verdicts) => {
                let end = verdicts.iter().map(told).collect::<Vec<_>>().join(" ");
                return (said, Some(end));
            }
            Advance::Ready | Advance::StartTls | Advance::Closed => panic!("{advance:?}"),
        }
    }
}

#[test]
fn it_goes_octet_for_octet_and_its_last_octet_is_its_end() {
    let mail = "MAIL FROM:<> SIZE=16 BODY=BINARYMIME\\r\\n";
    let (a, b) = ("RCPT TO:<a@example.org>\\r\\n", "RCPT TO:<b@example.org>\\r\\n");
    let (text, end) = ("BDAT 16 LAST\\r\\nA: b\\r\\n\\r\\n.\\r\\n\\x00\\n.\\n", "\\r");
    let (said, came) = sent(OFFERS, &["250 ok\r\n250 ok\r\n250 ok\r\n", "250 taken\r\n"], OCTETS, 16);
    assert_eq!(said, [format!("{mail}{a}{b}"), text.to_owned(), end.to_owned()]);
    assert_eq!(came.as_deref(), Some("delivered-250 delivered-250"));
    let replies = ["250 ok\r\n", "550 no\r\n", "250 ok\r\n", "250 taken\r\n"];
    let (said, came) = sent(ONE_BY_ONE, &replies, OCTETS, 16);
    assert_eq!(said, [&mail.replace(" SIZE=16", ""), a, b, text, end]);
    assert_eq!(came.as_deref(), Some("failed-550 delivered-250"));
}

#[test]
fn nothing_is_announced_to_a_host_that_takes_nobody() {
    for (ehlo, replies) in [
        (OFFERS, &["250 ok\r\n550 no\r\n550 no\r\n"][..]),
        (ONE_BY_ONE, &["250 ok\r\n", "550 no\r\n", "550 no\r\n"]),
        (OFFERS, &["554 no\r\n503 no\r\n503 no\r\n"]),
    ] {
        let (said, came) = sent(ehlo, replies, OCTETS, 16);
        assert!(!said.concat().contains("BDAT") && came.unwrap().contains("failed-55"), "{said:?}");
    }
}

/// It can't happen, as the size is covered by a checksum; if it did, the octets too many would be commands.
#[test]
fn more_or_fewer_octets_than_were_announced_are_no_message() {
    let replies = ["250 ok\r\n250 ok\r\n250 ok\r\n"];
    for size in [15, 17] {
        let (said, came) = sent(OFFERS, &replies, OCTETS, size);
        let (_, chunk) = said.iter().find_map(|said| said.split_once(" LAST\\r\\n")).unwrap();
        assert!(chunk.len() < OCTETS.escape_ascii().count() + 1 && came.is_none(), "{said:?}");
        assert_eq!(said.last().unwrap(), "", "the end was written");
    }
}

#[test]
fn a_refusal_before_the_end_is_about_the_connection() {
    let mut dialogue = ready(OFFERS);
    let path = recipient("a@example.org");
    let envelope = Envelope { body: BodyType::Binary, size: Some(16), ..to(vec![&path]) };
    assert!(dialogue.send(&envelope).is_none());
    let mut input = BytesMut::from("250 ok\r\n250 ok\r\n");
    assert_eq!(dialogue.advance(&mut input).unwrap(), Advance::Body);
    dialogue.write_body(&OCTETS[..5]);
    input.extend_from_slice(b"554 no\r\n");
    let Advance::Done(verdicts) = dialogue.advance(&mut input).unwrap() else { panic!("not done") };
    assert_eq!(told(&verdicts[0]), "deferred-554");
    assert!(!dialogue.is_ready());
}

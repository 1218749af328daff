//! The two framings of a text, there and back: what our own client writes our own server reads as it was meant, and in
//! chunks it is the same.

use bytes::BytesMut;
use esmtp::dialogue::{Advance, Dialogue, Envelope};
use types::{BodyType, ForwardPath, ReversePath};

use crate::pieces::{clean, is_clean, stuffed};
use crate::play::{Circumstances, Event, Play};

/// Under TLS, with optional login; long lines are taken, bare line ends refused.
const REFUSES: Circumstances = Circumstances::new(0b0100_0101, 0);
/// The same, but bare line ends are repaired.
const REPAIRS: Circumstances = Circumstances::new(0b0100_1101, 0);

const TO_RECIPIENT: &[u8] = b"EHLO a.example\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n";

/// The first octet says how the rest, the text, is cut.
pub(crate) fn holds(data: &[u8]) {
    let [step, text @ ..] = data else { return };
    let step = usize::from(*step).max(1 + text.len() / 200);
    let kept = clean(text);
    let has_nul = text.contains(&0);
    let expected = (!has_nul).then_some(kept.as_slice());
    let wire = written(text, step);
    assert_eq!(wire, written(text, usize::MAX), "where the text is cut changes what is written");
    assert_eq!(by_data(REFUSES, &wire, step).as_deref(), expected, "from our client, by DATA");
    assert_eq!(by_chunks(REFUSES, &kept, step).as_deref(), expected, "in chunks");
    let as_it_came = expected.filter(|_| is_clean(text));
    assert_eq!(by_chunks(REFUSES, text, step).as_deref(), as_it_came, "in chunks, bare line ends refused");
    // DATA has a CRLF before its end.
    let text =
        if text.is_empty() || text.ends_with(b"\r\n") { text.to_vec() } else { [text, b"\r\n"].concat() };
    let repaired = by_chunks(REPAIRS, &text, step);
    assert_eq!(repaired, by_data(REPAIRS, &stuffed(&text), step), "repaired, by either framing");
    assert_eq!(repaired.is_none(), has_nul);
    assert!(repaired.is_none_or(|repaired| is_clean(&repaired)));
}

/// What our client puts on the wire for a text, its end included.
fn written(text: &[u8], step: usize) -> Vec<u8> {
    let mut dialogue = Dialogue::new("client.example");
    let mut input = BytesMut::from("220 a\r\n250-a\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    while dialogue.advance(&mut input) != Ok(Advance::Ready) {
        // The reply to EHLO has to come behind it.
    }
    let recipient = ForwardPath::Postmaster.into();
    let mut envelope = Envelope::new(&ReversePath::Null, vec![&recipient]);
    envelope.body = BodyType::EightBit;
    dialogue.send(&envelope);
    input.extend_from_slice(b"250 a\r\n250 a\r\n354 a\r\n");
    assert_eq!(dialogue.advance(&mut input), Ok(Advance::Body));
    dialogue.output().clear();
    text.chunks(step.min(text.len().max(1))).for_each(|piece| dialogue.write_body(piece));
    dialogue.end_body();
    dialogue.output().to_vec()
}

/// What is kept of a text that comes by DATA with its end; behind that the session goes on, or is over.
fn by_data(circumstances: Circumstances, wire: &[u8], step: usize) -> Option<Vec<u8>> {
    let mut play = Play::begin(circumstances);
    play.send(&[TO_RECIPIENT, b"DATA\r\n"].concat(), usize::MAX);
    play.send(wire, step);
    kept(play)
}

fn by_chunks(circumstances: Circumstances, text: &[u8], step: usize) -> Option<Vec<u8>> {
    let mut play = Play::begin(circumstances);
    let mut input = TO_RECIPIENT.to_vec();
    for chunk in text.chunks(step) {
        input.extend_from_slice(format!("BDAT {}\r\n", chunk.len()).as_bytes());
        input.extend_from_slice(chunk);
    }
    input.extend_from_slice(b"BDAT 0 LAST\r\n");
    play.send(&input, step);
    kept(play)
}

fn kept(mut play: Play) -> Option<Vec<u8>> {
    let had_text = play.events.iter().filter(|event| matches!(event, Event::Said(_))).count();
    play.send(b"NOOP\r\n", usize::MAX);
    let said = play.events.iter().filter(|event| matches!(event, Event::Said(_))).count();
    assert!(play.is_over() || said == had_text + 1, "the text has not ended where it should");
    let mut kept = play.events.into_iter().filter_map(|event| match event {
        Event::Kept(_, text) => Some(text),
        _ => None,
    });
    let text = kept.next();
    assert!(kept.next().is_none(), "one text became two messages");
    text
}

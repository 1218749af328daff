//! Bodies that are re-encoded: what left once needs no second time, wherever it was cut, and what a signature covers leaves as it
//! came or not at all.

use message::{Coverage, Header, Plan, Rewriter, Survey, Surveyed, Target};

use crate::header::section;
use crate::pieces::{clean, is_clean};

const TARGETS: [Target; 2] = [Target::EightBit, Target::SevenBit];

/// A message.
pub(crate) fn holds(data: &[u8]) {
    octets_become_text(data);
    let Some((fields, body)) = taken(data) else { return };
    let message = [fields.as_slice(), b"\r\n", &body].concat();
    let surveyed = survey(&message, usize::MAX);
    is_as_the_body_says(&fields, &body, &surveyed);
    for target in TARGETS {
        let plan = surveyed.plan(target);
        for step in [1 + message.len() / 500, 17] {
            assert_eq!(survey(&message, step).plan(target), plan, "in pieces of {step}");
        }
        if let Ok(plan) = plan {
            leaves(&message, &plan, target);
        }
    }
}

/// Behind a header section there may be any octets, if they are sent as binary (RFC 3030).
fn octets_become_text(data: &[u8]) {
    let message = [b"Content-Type: multipart/mixed; boundary=x\r\n\r\n", data].concat();
    let Ok(text) = Rewriter::text_of(&message) else { return };
    assert!(is_clean(&text), "{}", text.escape_ascii());
    let mut survey = Survey::of_message().of_octets();
    survey.feed(&text);
    assert!(!survey.finish().is_binary(), "still binary: {}", text.escape_ascii());
}

/// A message that has a signature, or is one that has one: `multipart/signed`.
pub(crate) fn signed_stays(data: &[u8]) {
    let is_dkim = data.first().is_some_and(|octet| octet % 2 == 0);
    let head: &[u8] = match is_dkim {
        true => b"DKIM-Signature: v=1; a=rsa-sha256; d=x; s=y; h=from; bh=z; b=w\r\n",
        false => b"Content-Type: multipart/signed; boundary=x\r\n",
    };
    let rest = clean(data.get(1..).unwrap_or_default());
    let Some((fields, body)) = taken(&[head, &rest].concat()) else { return };
    let Ok(header) = Header::parse(&fields) else { return };
    assert!(!is_dkim || header.coverage() != Coverage::default());
    // Another Content-Type makes it another message.
    if !is_dkim && header.named("Content-Type").nth(1).is_some() {
        return;
    }
    let message = [fields.as_slice(), b"\r\n", &body].concat();
    for target in TARGETS {
        if let Ok(plan) = survey(&message, usize::MAX).plan(target) {
            let left = rewritten(&message, &plan, usize::MAX);
            assert!(left.ends_with(&body) && left.len() >= message.len(), "{}", left.escape_ascii());
        }
    }
}

/// The header section of a message as it is stored, and its body.
fn taken(data: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let message = clean(data);
    let (gathered, body) = section(&message, true, usize::MAX).ok()?;
    let (fields, _) = gathered.repaired().ok()?;
    Header::parse(&fields).ok()?;
    Some((fields, body))
}

fn survey(message: &[u8], step: usize) -> Surveyed {
    let mut survey = Survey::of_message();
    message.chunks(step.min(message.len().max(1))).for_each(|piece| survey.feed(piece));
    survey.finish()
}

/// On its way in a message is surveyed without its header, and on its way out with it.
fn is_as_the_body_says(fields: &[u8], body: &[u8], of_message: &Surveyed) {
    let header = Header::parse(fields).expect("read before");
    let mut survey = Survey::of_body(&header);
    survey.feed(body);
    let of_body = survey.finish();
    assert_eq!(of_body.must_be_rewritten(), of_message.must_be_rewritten());
    assert_eq!(of_body.eight_bit(), of_message.eight_bit());
    for target in TARGETS {
        assert_eq!(of_body.plan(target), of_message.plan(target));
    }
}

fn leaves(message: &[u8], plan: &Plan, target: Target) {
    let left = rewritten(message, plan, usize::MAX);
    for step in [1 + message.len() / 500, 19] {
        assert_eq!(rewritten(message, plan, step), left, "in pieces of {step}");
    }
    assert!(plan.changes_anything() || left == message);
    let again = survey(&left, usize::MAX);
    assert!(!again.must_be_rewritten(), "rewritten twice: {}", left.escape_ascii());
    let plan = again.plan(target).expect("what was rewritten is not past it");
    assert!(!plan.changes_anything(), "rewritten twice: {}", left.escape_ascii());
    assert_eq!(is_clean(&left), is_clean(message));
}

fn rewritten(message: &[u8], plan: &Plan, step: usize) -> Vec<u8> {
    let (mut rewriter, mut left) = (Rewriter::new(plan.clone()), Vec::new());
    message.chunks(step.min(message.len().max(1))).for_each(|piece| rewriter.feed(piece, &mut left));
    rewriter.finish(&mut left);
    left
}

//! The checksum of an envelope: a flipped bit must not send mail to somebody else.

use store::Submission;
use types::{BodyType, ForwardPath};

/// The CRC-32 of everything about an entry that never changes. What entries from before did not have is left out where
/// there is none.
pub(super) fn of(submission: &Submission, size: u64, content_crc: u32) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(submission.id.as_bytes());
    crc.update(submission.account.as_bytes());
    text(&mut crc, &submission.account_address);
    text(&mut crc, &submission.reverse_path.to_string());
    crc.update(&[body(submission), u8::from(submission.smtputf8)]);
    crc.update(&submission.accepted_at.as_millisecond().to_le_bytes());
    crc.update(&size.to_le_bytes());
    crc.update(&content_crc.to_le_bytes());
    [&submission.message_id, &submission.credential]
        .into_iter()
        .flatten()
        .for_each(|known| text(&mut crc, known));
    submission.forward_paths.iter().map(ForwardPath::to_string).for_each(|path| text(&mut crc, &path));
    crc.finalize()
}

/// What is known of the body, a bit for each fact: the checksums of entries from before `must_be_rewritten` still hold.
fn body(submission: &Submission) -> u8 {
    u8::from(submission.body == BodyType::EightBit) | u8::from(submission.must_be_rewritten) << 1
}

/// Ends with an octet that no path contains, so that what moves from one text to the next is seen.
fn text(crc: &mut crc32fast::Hasher, text: &str) {
    crc.update(text.as_bytes());
    crc.update(&[0]);
}

//! The checksum of an envelope: a flipped bit must not send mail to somebody else.

use std::fmt::{self, Display, Write as _};

use jiff::Timestamp;
use store::Submission;
use types::{BodyType, EnvelopeRecipient, Priority, Ret};

/// The CRC-32 of everything about an entry that never changes. What is not known is left out, so that the checksums of entries
/// from before it was kept still hold.
pub(super) fn of(submission: &Submission, size: u64, content_crc: u32) -> u32 {
    let mut crc = Crc(crc32fast::Hasher::new());
    crc.0.update(submission.id.as_bytes());
    crc.0.update(submission.account.as_bytes());
    text(&mut crc, &submission.account_address);
    text(&mut crc, &submission.reverse_path);
    crc.0.update(&[body(submission), u8::from(submission.smtputf8)]);
    crc.0.update(&submission.accepted_at.as_millisecond().to_le_bytes());
    crc.0.update(&size.to_le_bytes());
    crc.0.update(&content_crc.to_le_bytes());
    [&submission.message_id, &submission.credential]
        .into_iter()
        .flatten()
        .for_each(|known| text(&mut crc, known));
    arrival(&mut crc, submission);
    submission.recipients.iter().for_each(|known| recipient(&mut crc, known));
    crc.0.finalize()
}

/// How it came, when it may leave, and what is asked of all recipients.
fn arrival(crc: &mut Crc, submission: &Submission) {
    named(crc, "session", submission.session);
    named(crc, "ip", submission.ip);
    named(crc, "tls_version", submission.tls_version.as_deref());
    named(crc, "tls_cipher", submission.tls_cipher.as_deref());
    named(crc, "not_before", submission.not_before.map(Timestamp::as_millisecond));
    named(crc, "ret", submission.ret.map(Ret::name));
    named(crc, "envid", submission.envid.as_deref());
    named(crc, "deliver_by", submission.deliver_by.map(|deadline| deadline.at.as_millisecond()));
    named(crc, "by_mode", submission.deliver_by.map(|deadline| deadline.mode_name()));
    named(crc, "tls_required", submission.tls_required.name());
    named(crc, "priority", Some(submission.priority).filter(|priority| *priority != Priority::NORMAL));
}

fn recipient(crc: &mut Crc, recipient: &EnvelopeRecipient) {
    text(crc, &recipient.path);
    named(crc, "notify", recipient.notify);
    named(crc, "orcpt", recipient.orcpt.as_ref());
}

/// What is not always known comes behind its name, or what moves from one column to another would not be seen.
fn named(crc: &mut Crc, name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        text(crc, name);
        text(crc, value);
    }
}

/// What is known of the body, a bit for each fact: the checksums of entries from before one was known still hold.
fn body(submission: &Submission) -> u8 {
    u8::from(submission.body == BodyType::EightBit)
        | u8::from(submission.must_be_rewritten) << 1
        | u8::from(submission.body == BodyType::Binary) << 2
}

/// Ends with an octet that no path contains, so that what moves from one text to the next is seen.
fn text(crc: &mut Crc, text: impl Display) {
    // It takes whatever is written.
    write!(crc, "{text}\0").unwrap_or_default();
}

/// A checksum of what is written to it.
struct Crc(crc32fast::Hasher);

impl fmt::Write for Crc {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

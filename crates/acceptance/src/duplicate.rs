//! What makes a message the same as one that was handed in before: its digest (`submission.deduplicate`).
//!
//! A client whose 250 was lost hands the same octets in again. So it is the same message if all of this is the same: who hands it in, the
//! header as it came but for Date and Received, which some write anew when they try again, the body, and the envelope. What we add does not
//! matter. A message without a Message-ID of its own, or with one that is blank or `<>`, is never the same as another: a program that tells the same
//! twice means it.

use std::fmt;

use auth::BlindDigests;
use esmtp::Envelope;
use message::Header;
use twox_hash::xxhash3_128::Hasher;

use crate::submitter::Submitter;

/// Fields that may change when a message is tried again.
const RENEWED: [&str; 2] = ["Date", "Received"];

/// Makes digests of messages. They are keyed: whoever can have one message sent must not be able to keep another from being sent.
pub(crate) struct Digester {
    key: [u8; 192],
}

/// The digest of a message that is under way.
pub(crate) struct Digest {
    hasher: Hasher,
    octets: u64,
}

impl Digester {
    pub(crate) fn new(blind_digests: &BlindDigests) -> Self {
        Self { key: blind_digests.key_of_messages() }
    }

    /// The digest of a message with this header, which was read and not fixed up yet; `None` if the message is never taken for another.
    pub(crate) fn begin(&self, submitter: &Submitter, header: &Header<'_>) -> Option<Digest> {
        header.message_id().filter(|message_id| message_id != "<>")?;
        let hasher = Hasher::with_seed_and_secret(0, self.key.as_slice()).ok()?;
        let mut digest = Digest { hasher, octets: 0 };
        // The secret of the hasher keys what is longer than 240 octets; with the key before it, everything is.
        digest.part(&self.key);
        digest.part(submitter.account().as_bytes());
        digest.part(submitter.to_string().as_bytes());
        for field in header.fields().filter(|field| !RENEWED.iter().any(|name| field.is(name))) {
            digest.part(field.raw().as_bytes());
        }
        digest.part(&[]);
        Some(digest)
    }
}

impl Digest {
    /// More of the body.
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        self.hasher.write(chunk);
        self.octets = self.octets.saturating_add(chunk.len() as u64);
    }

    /// The whole message, in this envelope. Its parts come with their lengths, the body with its own at the end: no two messages read alike.
    pub(crate) fn finish(mut self, envelope: &Envelope) -> [u8; 16] {
        let body = self.octets;
        envelope.asked().for_each(|part| self.part(part.as_bytes()));
        self.hasher.write(&body.to_le_bytes());
        self.hasher.finish_128().to_le_bytes()
    }

    fn part(&mut self, octets: &[u8]) {
        self.hasher.write(&(octets.len() as u64).to_le_bytes());
        self.hasher.write(octets);
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester(…)")
    }
}

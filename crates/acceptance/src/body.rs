//! The body of a message on its way into the spool, and what it will need to travel on.

use bytes::Bytes;
use esmtp::{Envelope, Rejection};
use message::{Fixed, Repair, Repairs, Survey, Target};
use store::Spool as _;
use stores::Spool;
use types::{BodyType, TlsRequired};

use crate::duplicate::Digest;
use crate::storage::not_stored;

/// What the spool has of a message; dropping it leaves nothing behind.
type Spooled = <Spool as store::Spool>::Incoming;

pub(crate) struct Body {
    spooled: Spooled,
    survey: Survey,
    /// The header section has octets above 127.
    utf8: bool,
    repairs: Repairs,
    message_id: Option<String>,
    /// Its header says `TLS-Required: No`.
    tls_not_required: bool,
    /// What it is known by if it is handed in again, as far as it is here.
    digest: Option<Digest>,
    /// The message is in a name that only the identity `*` allows.
    pub(crate) as_any: bool,
}

/// What is known of a whole message: what it calls itself, and what it needs, which is found out and not believed (RFC 6531 section 3.4, RFC 6152 section 3).
pub(crate) struct Needs {
    /// Its body is re-encoded when it leaves.
    pub(crate) rewrite: bool,
    /// What it calls itself.
    pub(crate) message_id: Option<String>,
    /// What its sender wants of TLS on its way.
    pub(crate) tls_required: TlsRequired,
    /// What it is known by if it is handed in again.
    pub(crate) digest: Option<[u8; 16]>,
    pub(crate) repairs: Repairs,
}

impl Body {
    /// The body behind a header section, which goes into the spool as it travels on; `survey` will see the body.
    ///
    /// # Errors
    /// [`Rejection::StorageFull`] or [`Rejection::StorageFailing`].
    pub(crate) async fn begin(
        spool: &Spool,
        mut spooled: Spooled,
        survey: Survey,
        fixed: Fixed,
        repairs: Repairs,
        digest: Option<Digest>,
        as_any: bool,
    ) -> Result<Body, Rejection> {
        let Fixed { section, message_id, tls_not_required } = fixed;
        let utf8 = !section.is_ascii();
        spool.append(&mut spooled, section.into()).await.map_err(not_stored)?;
        Ok(Body { spooled, survey, utf8, repairs, message_id, tls_not_required, digest, as_any })
    }

    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) async fn append(&mut self, spool: &Spool, chunk: Bytes) -> Result<(), Rejection> {
        self.survey.feed(&chunk);
        self.digest.iter_mut().for_each(|digest| digest.feed(&chunk));
        spool.append(&mut self.spooled, chunk).await.map_err(not_stored)
    }

    /// The text has ended: the envelope learns what the message needs.
    ///
    /// # Errors
    /// [`Rejection::LongLine`] if it has to be re-encoded whichever host takes it, and can't be.
    pub(crate) fn finish(self, envelope: &mut Envelope, repair: bool) -> Result<(Spooled, Needs), Rejection> {
        let digest = self.digest.map(|digest| digest.finish(envelope));
        let surveyed = self.survey.finish();
        // Few hosts take what is binary as it is; what they need is found out when it leaves.
        let is_binary = surveyed.is_binary();
        let has_long_line = surveyed.has_long_line() && !is_binary;
        if has_long_line {
            surveyed.plan(Target::EightBit).map_err(|untouchable| Rejection::LongLine(untouchable.text()))?;
        }
        let eight_bit = self.utf8 || surveyed.eight_bit();
        envelope.body = match (is_binary, eight_bit) {
            (true, _) => BodyType::Binary,
            (false, true) => BodyType::EightBit,
            (false, false) => BodyType::SevenBit,
        };
        envelope.smtputf8 = self.utf8;
        let mut repairs = self.repairs;
        let found = [
            (Repair::LongLine, has_long_line),
            (Repair::PartHeader, repair && surveyed.has_raw_part_header() && !is_binary),
            (Repair::LineEnd, envelope.repaired_line_ends),
        ];
        found.into_iter().filter(|(_, found)| *found).for_each(|(repair, _)| repairs.add(repair));
        // Whoever sends it may have been promised so by rules that held when the session began.
        let rewrite = has_long_line || (repair && surveyed.must_be_rewritten() && !is_binary);
        // RFC 8689 section 4.1: REQUIRETLS comes before the field.
        let tls_required = match (envelope.require_tls, self.tls_not_required) {
            (true, _) => TlsRequired::Yes,
            (false, true) => TlsRequired::No,
            (false, false) => TlsRequired::Unsaid,
        };
        Ok((self.spooled, Needs { rewrite, message_id: self.message_id, tls_required, digest, repairs }))
    }
}

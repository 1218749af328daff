//! What is carried, and what an attempt to carry it came to.

use bytes::Bytes;
use esmtp::dialogue::{Reply, Verdict};
use store::{Leased, Recipient};
use tokio::time::Instant;
use types::{DeliverBy, TlsRequired};

/// A leased delivery, and those of its recipients that one attempt is made for.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) leased: Leased,
    pub(crate) recipients: Vec<Recipient>,
    /// What was left, when the attempt began, of the time that its sender has given it (RFC 2852).
    pub(crate) deliver_by: Option<DeliverBy>,
    /// Since when it waits for an attempt, as far as that is known.
    pub(crate) waits_since: Instant,
}

impl Parcel {
    /// All recipients of a delivery.
    pub(crate) fn new(leased: Leased) -> Parcel {
        let recipients = leased.recipients.clone();
        Parcel { leased, recipients, deliver_by: None, waits_since: Instant::now() }
    }

    /// The recipient of the delivery with this number.
    pub(crate) fn recipient(&self, number: u32) -> Option<&Recipient> {
        self.leased.recipients.iter().find(|recipient| recipient.number == number)
    }

    /// Whether it is for all recipients of its message.
    pub(crate) fn is_whole(&self) -> bool {
        self.leased.recipients.len() == self.leased.submission.recipients.len()
    }

    /// What its sender wants of TLS. A report is not to be lost for want of what nobody would hear of (RFC 8689 section 5): it goes by what the domain
    /// demands.
    pub(crate) fn tls_required(&self) -> TlsRequired {
        match self.leased.submission.tls_required {
            TlsRequired::Yes if !self.may_be_told() => TlsRequired::Unsaid,
            wish => wish,
        }
    }

    /// Whether its sender can be told what becomes of it.
    pub(crate) fn may_be_told(&self) -> bool {
        self.leased.submission.reverse_path.mailbox().is_some()
    }

    /// How much of the message is in memory.
    pub(crate) fn octets(&self) -> usize {
        self.leased.content.as_ref().map_or(0, Bytes::len)
    }
}

/// What an attempt came to.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// For each recipient of the parcel, by its number.
    pub(crate) verdicts: Vec<(u32, Verdict)>,
    /// Who was asked.
    pub(crate) host: Option<String>,
    /// Whether whoever was asked has answered, up to the end.
    pub(crate) answered: bool,
    /// Whether there was no connection over which the message could be sent: none of it is about the message.
    pub(crate) is_unreached: bool,
    /// What TLS has proved of whoever was asked, as the log has it; `None` if nobody was asked by SMTP or LMTP.
    pub(crate) tls: Option<&'static str>,
}

impl Attempt {
    /// Adds what another attempt at the same delivery came to.
    pub(crate) fn extend(&mut self, other: Attempt) {
        self.verdicts.extend(other.verdicts);
        self.host = other.host.or(self.host.take());
        self.answered = other.answered;
        self.is_unreached = other.is_unreached;
        self.tls = other.tls.or(self.tls);
    }

    /// Whether a recipient may be delivered to by another attempt.
    pub(crate) fn is_open(&self) -> bool {
        self.verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Deferred(_)))
    }

    /// These verdicts on the recipients of the parcel, in their order.
    pub(crate) fn new(parcel: &Parcel, host: Option<String>, verdicts: Vec<Verdict>) -> Attempt {
        let numbers = parcel.recipients.iter().map(|recipient| recipient.number);
        Attempt {
            verdicts: numbers.zip(verdicts).collect(),
            host,
            answered: true,
            is_unreached: false,
            tls: None,
        }
    }

    /// The same verdict for every recipient.
    pub(crate) fn all(parcel: &Parcel, host: Option<String>, verdict: &Verdict) -> Attempt {
        Attempt::new(parcel, host, vec![verdict.clone(); parcel.recipients.len()])
    }

    /// Temporary trouble on the way, the same for every recipient.
    pub(crate) fn deferred(parcel: &Parcel, host: Option<String>, reason: &Reply) -> Attempt {
        let attempt = Attempt::all(parcel, host, &Verdict::Deferred(reason.clone()));
        Attempt { answered: false, ..attempt }
    }

    /// No connection over which the message could be sent, for this temporary reason.
    pub(crate) fn unreached(parcel: &Parcel, host: Option<String>, reason: &Reply) -> Attempt {
        Attempt { is_unreached: true, ..Attempt::deferred(parcel, host, reason) }
    }
}

//! The envelope of a message (RFC 5321 section 2.3.1).

use types::{BodyType, DeliverBy, EnvelopeRecipient, ForwardPath, Hold, Priority, Ret, ReversePath};

/// Who sends a message to whom, and what its transport has to be able to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// Where reports about the message go.
    pub reverse_path: ReversePath,
    /// The accepted recipients, each once, in the client's order.
    pub recipients: Vec<EnvelopeRecipient>,
    /// What was declared (RFC 6152, RFC 3030), or once the text has ended, what it is: [`BodyType::EightBit`] if there is an octet above
    /// 127 in it; [`BodyType::Binary`] stays, where [`Settings::binary_mime`](crate::Settings::binary_mime) allows it.
    pub body: BodyType,
    /// The client asked for SMTPUTF8 (RFC 6531 section 3.4).
    pub smtputf8: bool,
    /// The size in octets that the client declared (RFC 1870 section 6).
    pub declared_size: Option<u64>,
    /// What of the message comes back in a notification that it can't be delivered: RET (RFC 3461 section 4.3); `None` leaves it to
    /// the server. Nobody can say it where DSN is not offered.
    pub ret: Option<Ret>,
    /// What the sender calls this envelope in notifications: ENVID, decoded (RFC 3461 section 4.4). As with `ret`.
    pub envid: Option<Box<str>>,
    /// When the message is to leave at the earliest (RFC 4865). As with `ret`, where FUTURERELEASE is not offered.
    pub hold: Option<Hold>,
    /// By when it is to be delivered, and what is to be done otherwise (RFC 2852). As with `ret`, where DELIVERBY is not offered.
    pub deliver_by: Option<DeliverBy>,
    /// Which of the messages that wait comes first (RFC 6710): what was asked, as far as it is granted.
    pub priority: Priority,
    /// Nobody may get it who has not proved by TLS to be the right host: REQUIRETLS (RFC 8689). As with `ret`, where it is not offered.
    pub require_tls: bool,
    /// The text had bare line ends, and they were repaired.
    pub repaired_line_ends: bool,
}

impl Envelope {
    /// An envelope without recipients, of a message that needs nothing special.
    #[must_use]
    pub const fn new(reverse_path: ReversePath) -> Self {
        Self {
            reverse_path,
            recipients: Vec::new(),
            body: BodyType::SevenBit,
            smtputf8: false,
            declared_size: None,
            ret: None,
            envid: None,
            hold: None,
            deliver_by: None,
            priority: Priority::NORMAL,
            require_tls: false,
            repaired_line_ends: false,
        }
    }

    /// Each thing that the client has asked for, as text: the same for two envelopes only if the same was asked. What the message needs of its
    /// transport is not asked but found out.
    pub fn asked(&self) -> impl Iterator<Item = String> {
        // Without `..`: whoever adds a field says whether it is asked.
        let Self {
            reverse_path,
            recipients,
            body: _,
            smtputf8: _,
            declared_size: _,
            ret,
            envid,
            hold,
            deliver_by,
            priority,
            require_tls,
            repaired_line_ends: _,
        } = self;
        let of_message = [
            reverse_path.to_string(),
            ret.map(Ret::name).unwrap_or_default().to_owned(),
            envid.as_deref().unwrap_or_default().to_owned(),
            hold.map(|hold| hold.to_string()).unwrap_or_default(),
            deliver_by.map(|by| by.to_string()).unwrap_or_default(),
            priority.to_string(),
            require_tls.to_string(),
        ];
        of_message.into_iter().chain(recipients.iter().flat_map(EnvelopeRecipient::asked))
    }

    /// Where the message goes, in the order of the recipients.
    pub fn forward_paths(&self) -> impl ExactSizeIterator<Item = &ForwardPath> {
        self.recipients.iter().map(|recipient| &recipient.path)
    }

    /// Whether it goes there.
    #[must_use]
    pub fn goes_to(&self, path: &ForwardPath) -> bool {
        self.forward_paths().any(|known| known == path)
    }
}

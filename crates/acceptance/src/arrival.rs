//! What is known of a message as it arrives: for its Received field, its entry in the queue, and the log.

use std::net::IpAddr;

use auth::User;
use esmtp::Envelope;
use jiff::{SignedDuration, Timestamp};
use message::{Header, Survey, Trace};
use rand::RngExt as _;
use store::{Act, Action, AuditEvent, Deadline, Submission};
use types::{
    BodyType, DeliverBy, EhloName, ForwardPath, Hold, Mailbox, Priority, QueueId, ReversePath, SessionFacts,
    SessionId, TlsFacts,
};

use crate::body::Needs;
use crate::submitter::Submitter;

pub(crate) struct Arrival {
    pub(crate) session: SessionId,
    pub(crate) id: QueueId,
    at: Timestamp,
    tls: Option<TlsFacts>,
    /// The client had said EHLO.
    extended: bool,
    /// `None` to tell nobody.
    client: Option<(EhloName, IpAddr)>,
    /// Only if there is no other: recipients must not learn of each other from a Received field.
    recipient: Option<ForwardPath>,
    pub(crate) reverse_path: ReversePath,
    /// The client asked for SMTPUTF8.
    pub(crate) utf8: bool,
    /// The client has said that the text may be any octets.
    binary: bool,
    priority: Priority,
    ip: IpAddr,
}

/// How long a message may be held before it leaves, in seconds (RFC 4865): a month. It takes room all the time, and lists of the queue have it.
pub const MAX_HOLD: u32 = 30 * 24 * 3600;

/// The least seconds that a message may be given which is to be returned otherwise (RFC 2852): long enough for a second attempt at a host that
/// greylists.
pub const MIN_DELIVER_BY: u32 = 60;

impl Arrival {
    /// A message that arrives at this time. `hides_client` keeps who handed it in out of its Received field.
    pub(crate) fn new(
        at: Timestamp,
        envelope: &Envelope,
        session: &SessionFacts,
        hides_client: bool,
    ) -> Arrival {
        let client = session.ehlo.clone().map(|name| (name, session.peer.ip().to_canonical()));
        let recipient = match envelope.recipients.as_slice() {
            [only] => Some(only.path.clone()),
            _ => None,
        };
        Arrival {
            reverse_path: envelope.reverse_path.clone(),
            ip: session.peer.ip().to_canonical(),
            session: session.id,
            id: QueueId::new(unix_ms(at), rand::rng().random()),
            at,
            tls: session.tls,
            extended: session.extended,
            client: client.filter(|_| !hides_client),
            recipient,
            utf8: envelope.smtputf8,
            binary: envelope.body == BodyType::Binary,
            priority: envelope.priority,
        }
    }

    /// The survey of the body behind this header.
    pub(crate) fn survey(&self, header: &Header<'_>) -> Survey {
        let survey = Survey::of_body(header);
        if self.binary { survey.of_octets() } else { survey }
    }

    pub(crate) fn trace<'a>(&'a self, hostname: &'a str, submitter: &Submitter) -> Trace<'a> {
        Trace {
            hostname,
            queue_id: self.id,
            now: self.at,
            message_id_random: rand::rng().random(),
            tls: self.tls,
            extended: self.extended,
            authenticated: matches!(submitter, Submitter::User(_)),
            utf8: self.utf8,
            recipient: self.recipient.as_ref(),
            priority: self.priority,
            client: self.client.clone(),
        }
    }

    /// Whose message it is, if it does not say so itself.
    pub(crate) fn author(&self) -> Option<&Mailbox> {
        self.reverse_path.mailbox()
    }

    /// The user sent it in a name that only the identity `*` allows.
    pub(crate) fn sent_as_any(&self, user: &User) -> AuditEvent {
        let own = Act::account(&user.address, self.at);
        let act = Act { ip: Some(self.ip), session: Some(self.session.to_string()), ..own };
        AuditEvent {
            tls: self.tls.map(|tls| tls.version.to_owned()),
            ..AuditEvent::change(Action::SendAsAny, user.address.normal(), &act).about(&user.credential)
        }
    }

    pub(crate) fn entry(&self, submitter: &Submitter, envelope: Envelope, needs: &Needs) -> Submission {
        Submission {
            recipients: envelope.recipients,
            body: envelope.body,
            smtputf8: envelope.smtputf8,
            must_be_rewritten: needs.rewrite,
            message_id: needs.message_id.clone(),
            ret: envelope.ret,
            envid: envelope.envid,
            not_before: envelope.hold.and_then(|hold| self.end_of(hold)),
            deliver_by: envelope.deliver_by.and_then(|by| self.deadline(by)),
            priority: envelope.priority,
            tls_required: needs.tls_required,
            credential: submitter.credential(),
            session: Some(self.session),
            ip: Some(self.ip),
            tls_version: self.tls.map(|tls| tls.version.into()),
            tls_cipher: self.tls.map(|tls| tls.cipher.into()),
            ..Submission::new(
                self.id,
                submitter.account(),
                submitter.to_string(),
                envelope.reverse_path,
                self.at,
            )
        }
    }

    /// When a hold ends, if that is later than now.
    fn end_of(&self, hold: Hold) -> Option<Timestamp> {
        let end = match hold {
            Hold::For(seconds) => self.later(seconds.into())?,
            Hold::Until(until) => Timestamp::from_second(until.unix()).ok()?,
        };
        (end > self.at).then_some(end)
    }

    fn deadline(&self, DeliverBy { seconds, mode, trace }: DeliverBy) -> Option<Deadline> {
        Some(Deadline { at: self.later(seconds.into())?, mode, trace })
    }

    fn later(&self, seconds: i64) -> Option<Timestamp> {
        self.at.checked_add(SignedDuration::from_secs(seconds)).ok()
    }
}

/// Milliseconds since 1970, as queue ids begin with them.
fn unix_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default()
}

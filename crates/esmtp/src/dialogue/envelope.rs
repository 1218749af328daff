//! The envelope of a message on its way out: what it needs of the next host, and how it is written for it.
//!
//! SMTPUTF8 is asked for where nothing else will do: for a header in UTF-8, and for a local part, of which only its own
//! host knows another form. A domain has one in ASCII.
//!
//! What the sender asks about notifications is told to hosts that offer DSN, and to no others (RFC 3461 sections 5.2.1 and 5.2.2).

use std::fmt::{self, Display};

use types::{
    BodyType, ByMode, DeliverBy, EnvelopeRecipient, ForwardPath, Mailbox, Notify, OriginalRecipient,
    Priority, Ret, ReversePath,
};

use super::capability::Capabilities;
use super::protocol::Protocol;
use super::reply::{Enhanced, Reply};
use super::verdict::Verdict;
use crate::{orcpt, xtext};

/// A message to be sent: everything but its text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Envelope<'a> {
    /// Where failures are told.
    pub reverse_path: &'a ReversePath,
    /// Where it goes, and what the sender wants to be told; verdicts come in the same order.
    pub recipients: Vec<&'a EnvelopeRecipient>,
    /// Whether the text has octets above 127, or is not made of lines. Whoever drives the dialogue re-encodes the text of a message for a peer
    /// without [8BITMIME](Capabilities::eight_bit), and says `SevenBit` then; and for one that takes [no binary](Capabilities::takes_binary).
    /// What is binary has to have its [`size`](Self::size) known.
    pub body: BodyType,
    /// Whether the header needs RFC 6531. What the paths need is seen of them.
    pub smtputf8: bool,
    /// The octets of the text, for SIZE (RFC 1870) and BDAT; `None` if that is known only when it has been written.
    pub size: Option<u64>,
    /// What of the message the sender wants back in notifications (RFC 3461 section 4.3).
    pub ret: Option<Ret>,
    /// What the sender calls the envelope in notifications, as it is meant (RFC 3461 section 4.4).
    pub envid: Option<&'a str>,
    /// By when it is to be delivered, from now on (RFC 2852).
    pub deliver_by: Option<DeliverBy>,
    /// Which of the messages that wait comes first (RFC 6710).
    pub priority: Priority,
    /// Only hosts may get it that promise to pass it on by proved TLS alone (RFC 8689). Whoever drives the dialogue sees to it that this one has
    /// proved to be the right one.
    pub require_tls: bool,
}

impl<'a> Envelope<'a> {
    /// An envelope of a message that is ASCII alone, whose size is not known, and about which nothing is asked.
    #[must_use]
    pub const fn new(reverse_path: &'a ReversePath, recipients: Vec<&'a EnvelopeRecipient>) -> Self {
        Self {
            reverse_path,
            recipients,
            body: BodyType::SevenBit,
            smtputf8: false,
            size: None,
            ret: None,
            envid: None,
            deliver_by: None,
            priority: Priority::NORMAL,
            require_tls: false,
        }
    }
}

impl Envelope<'_> {
    /// For each recipient whom `peer` cannot be asked to take the message for, the verdict on it.
    pub(super) fn verdicts(&self, protocol: Protocol, peer: &Capabilities) -> Vec<Option<Verdict>> {
        let refusal = self.refusal_of_require_tls(protocol, peer).or(self.refusal_of_deliver_by(peer));
        let verdict = |recipient: &&EnvelopeRecipient| {
            if let Some(reply) = &refusal {
                return Some(Verdict::refusal(reply.clone(), peer));
            }
            let needs = self.needs_smtputf8_for(&recipient.path).filter(|_| !peer.smtputf8)?;
            Some(Verdict::refusal(no_smtputf8(needs), peer))
        };
        self.recipients.iter().map(verdict).collect()
    }

    /// Why `peer` can't be given a message whose sender wants it passed on by proved TLS alone (RFC 8689 section 4.2.1). With LMTP its way ends;
    /// and a report, which nobody would hear of, is not to be lost for want of the promise (section 5).
    fn refusal_of_require_tls(&self, protocol: Protocol, peer: &Capabilities) -> Option<Reply> {
        let is_report = *self.reverse_path == ReversePath::Null;
        let lacks = self.require_tls && protocol == Protocol::Smtp && !peer.require_tls;
        (lacks && !is_report).then(|| {
            let text = "the next host does not promise to pass it on by proved TLS alone (REQUIRETLS), as the sender wants it";
            Reply::ours(550, Enhanced(5, 7, 30), text)
        })
    }

    /// What the sender wants to hear of this recipient, as `peer` is asked for it. Who has set a time is to hear of delays behind a host that knows
    /// nothing of it (RFC 2852 section 4.1.4.2).
    pub(super) fn notify(&self, recipient: &EnvelopeRecipient, peer: &Capabilities) -> Option<Notify> {
        let notify = recipient.notify;
        if self.deliver_by.is_none() || peer.deliver_by.is_some() || notify == Some(Notify::NEVER) {
            return notify;
        }
        Some(Notify { delay: true, ..notify.unwrap_or(Notify::DEFAULT) })
    }

    /// Why `peer` can't be asked to deliver it in time, if it is to be returned otherwise: RFC 2852 section 4.1.4 lets nobody pass it on to a host
    /// that would not see to that.
    fn refusal_of_deliver_by(&self, peer: &Capabilities) -> Option<Reply> {
        let by = self.deliver_by.filter(|by| by.mode == ByMode::Return)?;
        match peer.deliver_by {
            None => Some(Reply::ours(
                550,
                Enhanced(5, 3, 3),
                "the next host does not return what it can't deliver in time (DELIVERBY), as the sender wants it",
            )),
            Some(least) if i64::from(by.seconds) < i64::from(least).max(1) => Some(Reply::ours(
                550,
                Enhanced(5, 4, 7),
                format!(
                    "the next host wants {least} seconds to deliver it, and there are {}",
                    by.seconds.max(0)
                ),
            )),
            Some(_) => None,
        }
    }

    /// What needs SMTPUTF8 if the message goes to this recipient, whoever else it goes to.
    fn needs_smtputf8_for(&self, path: &ForwardPath) -> Option<&'static str> {
        if self.smtputf8 {
            Some("the header of the message")
        } else if needs_smtputf8(self.reverse_path.mailbox()) {
            Some("the address of the sender")
        } else if needs_smtputf8(path.mailbox()) {
            Some("the address of the recipient")
        } else {
            None
        }
    }

    /// Whether MAIL asks `peer` for SMTPUTF8. RFC 6531 section 3.4: not if neither envelope nor header needs it.
    pub(super) fn asks_for_smtputf8(&self, peer: &Capabilities) -> bool {
        peer.smtputf8
            && self.recipients.iter().any(|recipient| self.needs_smtputf8_for(&recipient.path).is_some())
    }

    /// The octets of a text that goes in a chunk, since it is not made of lines.
    pub(super) fn chunk(&self) -> Option<u64> {
        self.size.filter(|size| *size > 0 && self.body == BodyType::Binary)
    }

    /// The parameters of MAIL, each behind a space.
    pub(super) fn parameters(&self, peer: &Capabilities) -> String {
        let mut parameters = String::new();
        if let Some(size) = self.size.filter(|_| peer.size) {
            parameters.push_str(&format!(" SIZE={size}"));
        }
        match self.body {
            BodyType::SevenBit => {}
            BodyType::EightBit => parameters.push_str(" BODY=8BITMIME"),
            BodyType::Binary => parameters.push_str(" BODY=BINARYMIME"),
        }
        if self.asks_for_smtputf8(peer) {
            parameters.push_str(" SMTPUTF8");
        }
        if peer.dsn {
            parameters.push_str(&self.dsn_parameters());
        }
        if let Some(by) = self.deliver_by.filter(|_| peer.deliver_by.is_some()) {
            parameters.push_str(&format!(" BY={by}"));
        }
        // RFC 6710 section 4.2: whichever it is, or the host would give the message one of its own.
        if peer.priority {
            parameters.push_str(&format!(" MT-PRIORITY={}", self.priority));
        }
        if self.require_tls && peer.require_tls {
            parameters.push_str(" REQUIRETLS");
        }
        parameters
    }

    /// What was said when the message came, and nothing else (RFC 3461 section 5.2.1).
    fn dsn_parameters(&self) -> String {
        let ret = self.ret.map(|ret| format!(" RET={}", ret.name()));
        let envid = self.envid.map(|envid| format!(" ENVID={}", xtext::encode(envid)));
        [ret, envid].into_iter().flatten().collect()
    }
}

/// The parameters of RCPT, each behind a space (RFC 3461 section 5.2.1).
///
/// NOTIFY is what was said, but for [`Envelope::notify`]. So is ORCPT; where it was not, it is the recipient, so that what that host or those behind it report names
/// whom the sender has named, wherever the message was forwarded to.
pub(super) fn parameters_for(
    recipient: &EnvelopeRecipient,
    envelope: &Envelope<'_>,
    smtputf8: bool,
    peer: &Capabilities,
) -> String {
    if !peer.dsn {
        return String::new();
    }
    let notify = envelope.notify(recipient, peer).map(|notify| format!(" NOTIFY={notify}"));
    let orcpt = match &recipient.orcpt {
        Some(original) => orcpt::write(original, smtputf8),
        None => orcpt::write(&OriginalRecipient::of(&recipient.path), smtputf8),
    };
    let orcpt = orcpt.map(|orcpt| format!(" ORCPT={orcpt}"));
    [notify, orcpt].into_iter().flatten().collect()
}

fn needs_smtputf8(mailbox: Option<&Mailbox>) -> bool {
    mailbox.is_some_and(|mailbox| !mailbox.local_part().is_ascii())
}

/// RFC 6531 section 3.5.
fn no_smtputf8(needs: &str) -> Reply {
    let text = format!("the next host does not take internationalized mail (SMTPUTF8), which {needs} needs");
    Reply::ours(550, Enhanced(5, 6, 7), text)
}

/// A path as it is written in a transaction with or without SMTPUTF8.
pub(super) struct Written<'a, P> {
    path: &'a P,
    mailbox: Option<&'a Mailbox>,
    utf8: bool,
}

impl<'a> Written<'a, ReversePath> {
    pub(super) fn sender(path: &'a ReversePath, utf8: bool) -> Self {
        Written { path, mailbox: path.mailbox(), utf8 }
    }
}

impl<'a> Written<'a, ForwardPath> {
    pub(super) fn recipient(path: &'a ForwardPath, utf8: bool) -> Self {
        Written { path, mailbox: path.mailbox(), utf8 }
    }
}

impl<P: Display> Display for Written<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mailbox {
            Some(mailbox) if !self.utf8 && !mailbox.host().is_ascii() => {
                write!(f, "<{}>", with_a_labels(mailbox))
            }
            Some(_) | None => self.path.fmt(f),
        }
    }
}

/// The mailbox with its domain as A-labels (RFC 5890 section 2.3.2.1), which every host knows.
fn with_a_labels(mailbox: &Mailbox) -> String {
    let (given, host) = (mailbox.to_string(), mailbox.host());
    let local_part = given.strip_suffix(host.to_string().as_str()).unwrap_or_default();
    format!("{local_part}{}", host.normal())
}

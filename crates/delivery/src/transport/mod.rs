//! The ways in which mail leaves: a parcel goes in, and a verdict for each of its recipients comes out.

mod texts;
mod beginning;
mod outgoing;
mod maildir;
pub(crate) mod smtp;

use std::sync::Arc;

use dns::Resolver;
use esmtp::dialogue::{Enhanced, Kind, Reply, Verdict};
use store::{Spool, SpoolError};
use types::Handover;

use crate::next_host::NextHostError;
use crate::parcel::{Attempt, Parcel};
use crate::resolve::{MailHosts, StsPolicies};
use crate::tls_tally::TlsTally;
use crate::way::Via;
use maildir::{Maildir, MaildirError};
use outgoing::{Outgoing, Takes};
use smtp::{MxRelay, Relay};
pub(crate) use texts::Texts;

/// A way for mail to leave, with all that it takes, such as connections.
#[derive(Debug)]
pub(crate) enum Transport {
    Maildir(Maildir),
    /// LMTP, too.
    Smtp(Box<Relay>),
    Mx(Box<MxRelay>),
    /// Nothing leaves until an operator releases it.
    Hold,
}

/// What a transport is made with besides its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Our name.
    pub(crate) hostname: &'a str,
    /// Who knows the hosts of a domain.
    pub(crate) resolver: &'a Resolver,
    /// What domains demand of those who send them mail.
    pub(crate) sts: &'a Arc<StsPolicies>,
    /// What counts how TLS goes with mail hosts.
    pub(crate) tls_tally: &'a Arc<TlsTally>,
}

impl Transport {
    pub(crate) fn new(via: &Via, surroundings: Surroundings<'_>) -> Result<Transport, NextHostError> {
        let Surroundings { hostname, resolver, sts, tls_tally } = surroundings;
        Ok(match via {
            Via::Maildir(path) => Transport::Maildir(Maildir::new(path, hostname)),
            Via::Relay(next_host) => Transport::Smtp(Box::new(Relay::new(next_host, hostname)?)),
            Via::LmtpSocket(path) => Transport::Smtp(Box::new(Relay::to_socket(path, hostname))),
            Via::Mx(rules) => {
                let hosts = MailHosts::new(resolver.clone(), hostname, rules, sts.clone());
                Transport::Mx(Box::new(MxRelay::new(hosts, hostname, tls_tally.clone())?))
            }
            Via::Hold => Transport::Hold,
        })
    }

    /// Makes an attempt; `None` if nothing leaves this way. An error is the spool's, and says nothing about the recipients.
    pub(crate) async fn carry<S: Spool>(
        &self,
        parcel: &Parcel,
        texts: &Texts<S>,
    ) -> Result<Option<Attempt>, SpoolError> {
        match self {
            Transport::Maildir(maildir) => into_maildir(maildir, parcel, texts).await.map(Some),
            Transport::Smtp(relay) => relay.carry(parcel, texts).await.map(Some),
            Transport::Mx(relay) => relay.carry(parcel, texts).await.map(Some),
            Transport::Hold => Ok(None),
        }
    }

    /// Fetches the policies of domains anew that are old.
    pub(crate) async fn refresh_policies(&self) {
        match self {
            Transport::Mx(relay) => relay.refresh_policies().await,
            Transport::Maildir(_) | Transport::Smtp(_) | Transport::Hold => {}
        }
    }

    /// The fixed host that only an operator can make usable, and what is wrong.
    pub(crate) fn unusable(&self) -> Option<(String, String)> {
        match self {
            Transport::Smtp(relay) => relay.unusable(),
            Transport::Maildir(_) | Transport::Mx(_) | Transport::Hold => None,
        }
    }

    /// Closes the connections that are kept, with QUIT.
    pub(crate) async fn close(&self) {
        match self {
            Transport::Smtp(relay) => relay.close().await,
            Transport::Mx(relay) => relay.close().await,
            Transport::Maildir(_) | Transport::Hold => {}
        }
    }
}

/// A file takes octets of any kind, but whoever reads it may send it on; and what is binary has no lines, which files have of their own.
async fn into_maildir<S: Spool>(
    maildir: &Maildir,
    parcel: &Parcel,
    texts: &Texts<S>,
) -> Result<Attempt, SpoolError> {
    let takes = Takes { eight_bit: true, binary: false, utf8_header: true };
    match outgoing::open(texts, &parcel.leased, takes).await? {
        Ok(Outgoing { text, .. }) => maildir_attempt(parcel, maildir.deliver(parcel, text).await),
        Err(refusal) => Ok(refused(parcel, refusal)),
    }
}

/// A message that can't be handed to the Maildir. Nothing is said by that of whether the Maildir answers.
fn refused(parcel: &Parcel, refusal: Reply) -> Attempt {
    let verdict = match refusal.kind() == Kind::Permanent {
        true => Verdict::Failed(refusal),
        false => Verdict::Deferred(refusal),
    };
    Attempt::all(parcel, None, &verdict)
}

fn maildir_attempt(parcel: &Parcel, delivered: Result<Reply, MaildirError>) -> Result<Attempt, SpoolError> {
    match delivered {
        Ok(reply) => Ok(Attempt::all(parcel, None, &Verdict::Delivered(reply, Handover::Final))),
        // A full disk, a lost mount, a wrong owner: an operator can fix all of them (RFC 3463 section 3.4).
        Err(MaildirError::Io(error)) => {
            let reason =
                Reply::ours(451, Enhanced(4, 3, 0), format!("the Maildir cannot be written: {error}"));
            Ok(Attempt::deferred(parcel, None, &reason))
        }
        Err(MaildirError::Spool(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use store::{Lease, Leased, Submission};
    use types::{AccountId, NodeId, QueueId, ReversePath};

    use super::*;

    #[test]
    fn a_maildir_that_was_not_asked_is_not_one_that_does_not_answer() {
        let (id, account) = (QueueId::new(1, [0; 10]), AccountId::new(1, [0; 10]));
        let leased = Leased {
            submission: Arc::new(Submission::new(id, account, "", ReversePath::Null, Timestamp::UNIX_EPOCH)),
            destination: "there".into(),
            recipients: Vec::new(),
            size: 1,
            lease: Lease { owner: NodeId::from_bytes([1; 16]), token: 1 },
            returned: false,
            content: None,
        };
        let parcel = Parcel::new(leased);
        for (code, class) in [(451, 4), (554, 5)] {
            assert!(
                refused(&parcel, Reply::ours(code, Enhanced(class, 3, 0), "not signed")).answered,
                "{code}"
            );
        }
    }
}

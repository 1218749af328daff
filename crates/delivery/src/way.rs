//! A way for mail to leave, as it is configured, and the text by which the queue knows where it leads.

use std::path::PathBuf;

use store::Destination;

use crate::next_host::NextHost;
use crate::resolve::MxRules;
use crate::schedule::Schedule;

/// Where mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Files in this directory.
    Maildir(PathBuf),
    /// A fixed host.
    Relay(NextHost),
    /// Whoever takes mail in LMTP (RFC 2033) behind this Unix socket.
    LmtpSocket(PathBuf),
    /// The hosts that the DNS names for the domain of each recipient.
    Mx(MxRules),
    /// Nowhere, until an operator releases it.
    Hold,
}

/// Where mail goes, and how hard it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where it goes.
    pub via: Via,
    /// Messages carried at once to one destination.
    pub connections: usize,
    /// When to try again, when to tell the sender, when to give up.
    pub schedule: Schedule,
}

/// Messages carried at once to one destination, unless the configuration says otherwise.
const CONNECTIONS: usize = 20;

impl From<Via> for Way {
    /// With the limits that hold unless the configuration says otherwise.
    fn from(via: Via) -> Way {
        Way { via, connections: CONNECTIONS, schedule: Schedule::default() }
    }
}

impl Via {
    /// The text that the queue keeps of it: a scheme, as in the configuration, and what tells it from others of that scheme. A user's name
    /// at the host is part of it, a password never.
    pub(crate) fn destination(&self) -> Destination {
        match self {
            Via::Maildir(path) => format!("maildir:{}", path.display()).into(),
            Via::Relay(host) => host.url().into(),
            Via::LmtpSocket(path) => format!("lmtp+unix:{}", path.display()).into(),
            Via::Mx(_) => "mx".into(),
            Via::Hold => "hold".into(),
        }
    }
}

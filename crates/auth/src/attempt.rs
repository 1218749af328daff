//! An attempt to log in: what is claimed, what for, and where it comes from.

use std::net::IpAddr;

use ipnet::IpNet;
use sasl::{Mechanism, PasswordClaim};
use store::{Scope, network_of};
use types::{Secret, SessionFacts, SessionId};

/// What somebody wants to get in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Handing in mail.
    Smtp,
    /// The account itself: its passwords and its second factor.
    Master,
}

impl Door {
    /// Every door there is.
    pub const ALL: [Door; 2] = [Door::Smtp, Door::Master];

    /// The door as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Door::Smtp => Scope::Smtp.name(),
            Door::Master => "master",
        }
    }

    /// The scope that an app password needs for it. There is none for the account itself.
    pub(crate) fn scope(self) -> Option<Scope> {
        match self {
            Door::Smtp => Some(Scope::Smtp),
            Door::Master => None,
        }
    }
}

/// What is claimed.
#[derive(Debug)]
pub struct Attempt {
    /// In whose name the client wants to act, if it said so.
    pub authzid: Option<String>,
    /// Who it says it is, as typed.
    pub username: String,
    /// The account password, or an app password.
    pub password: Secret,
    /// The code of a second factor, or a recovery code.
    pub code: Option<Secret>,
    /// What it is for.
    pub door: Door,
}

impl From<PasswordClaim> for Attempt {
    fn from(claim: PasswordClaim) -> Self {
        let PasswordClaim { authzid, username, password, mechanism: _ } = claim;
        Self { authzid, username, password, code: None, door: Door::Smtp }
    }
}

/// Where an attempt comes from, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip: IpAddr,
    /// The version of TLS.
    pub tls: Option<&'static str>,
    /// The SASL mechanism.
    pub mechanism: Option<Mechanism>,
    /// The session; `None` if nobody logs in, and the attempt is only examined.
    pub session: Option<SessionId>,
}

impl Origin {
    pub(crate) fn of(session: &SessionFacts, mechanism: Mechanism) -> Self {
        Self {
            ip: session.peer.ip().to_canonical(),
            tls: session.tls.map(|tls| tls.version),
            mechanism: Some(mechanism),
            session: Some(session.id),
        }
    }

    /// The network that failures are counted by: who has one IPv6 address has a /64 of them.
    pub(crate) fn network(&self) -> IpNet {
        network_of(self.ip)
    }
}

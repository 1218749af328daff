//! An attempt to log in: what is claimed, what for, and where it comes from.

use std::net::IpAddr;

use ipnet::IpNet;
use sasl::{Claim, CramMd5Claim, ScramClaim};
use store::{ChallengeKind, Scope, network_of};
use types::{Secret, SessionFacts, SessionId};

use crate::policy::Policy;

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
    /// In whose name the client wants to act, if it said so apart from who it is.
    pub authzid: Option<String>,
    /// Who it says it is, as typed. A token or a certificate may be left to speak for itself.
    pub username: Option<String>,
    /// Why that should be believed.
    pub proof: Proof,
    /// What it is for.
    pub door: Door,
    /// Whether the password has to be one that answers such challenges, too.
    pub answers: Option<ChallengeKind>,
}

/// What a client offers as proof.
#[derive(Debug)]
pub enum Proof {
    /// The account password, or an app password.
    Password {
        /// It.
        password: Secret,
        /// The code of a second factor, or a recovery code.
        code: Option<Secret>,
    },
    /// What it made of a challenge.
    CramMd5(CramMd5Claim),
    /// A proof that it knows a password.
    Scram(ScramClaim),
    /// An access token.
    Token(Secret),
    /// The certificate it has shown to TLS.
    Certificate,
    /// The word of a trusted proxy that it has authenticated its client (the LOGIN attribute of XCLIENT).
    ProxyLogin,
}

impl Proof {
    /// Whether it shows that somebody knows a password, which might be guessed.
    pub(crate) fn is_guess(&self) -> bool {
        match self {
            Proof::Password { .. } | Proof::CramMd5(_) | Proof::Scram(_) => true,
            Proof::Token(_) | Proof::Certificate | Proof::ProxyLogin => false,
        }
    }
}

impl Attempt {
    /// What a client claims who wants to hand in mail.
    pub(crate) fn of(claim: Claim) -> Self {
        let authzid = claim.authzid().map(str::to_owned);
        let username = claim.username().map(str::to_owned);
        let proof = match claim {
            Claim::Password(claim) => Proof::Password { password: claim.password, code: None },
            Claim::CramMd5(claim) => Proof::CramMd5(claim),
            Claim::Scram(claim) => Proof::Scram(claim),
            Claim::Token(claim) => Proof::Token(claim.token),
            Claim::External(_) => Proof::Certificate,
        };
        Self { authzid, username, proof, door: Door::Smtp, answers: None }
    }

    /// The same with names that have a domain.
    pub(crate) fn completed(self, policy: &Policy) -> Self {
        let complete = |name: Option<String>| name.map(|name| policy.completed(name));
        Self { authzid: complete(self.authzid), username: complete(self.username), ..self }
    }

    /// What a trusted proxy says of its client.
    pub(crate) fn by_proxy(username: &str) -> Self {
        let username = Some(username.to_owned());
        Self { authzid: None, username, proof: Proof::ProxyLogin, door: Door::Smtp, answers: None }
    }
}

/// Where an attempt comes from, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip: IpAddr,
    /// The SASL mechanism, or what else stands in the place of one.
    pub mechanism: Option<&'static str>,
    /// The session; `None` if nobody logs in, and the attempt is only examined.
    pub session: Option<SessionFacts>,
}

impl Origin {
    /// An attempt that is only examined, as if it came from this address.
    #[must_use]
    pub fn examined(ip: IpAddr) -> Self {
        Self { ip: ip.to_canonical(), mechanism: None, session: None }
    }

    pub(crate) fn of(session: &SessionFacts, mechanism: &'static str) -> Self {
        let ip = session.peer.ip().to_canonical();
        Self { ip, mechanism: Some(mechanism), session: Some(session.clone()) }
    }

    /// The network that failures are counted by: who has one IPv6 address has a /64 of them.
    pub(crate) fn network(&self) -> IpNet {
        network_of(self.ip)
    }

    pub(crate) fn session_id(&self) -> Option<SessionId> {
        self.session.as_ref().map(|session| session.id)
    }

    /// What tells the client certificate from others; nothing, if there is none.
    pub(crate) fn shown(&self) -> Secret {
        let certificate = self.session.as_ref().and_then(|session| session.client_certificate.as_ref());
        certificate.map_or_else(|| Secret::new(""), |shown| Secret::new(*shown.fingerprint.as_octets()))
    }

    /// The version of TLS.
    pub(crate) fn tls(&self) -> Option<&'static str> {
        self.session.as_ref()?.tls.map(|tls| tls.version)
    }
}

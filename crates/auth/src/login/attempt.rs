//! An attempt to log in: what is claimed, what for, and where it comes from.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use sasl::{Claim, CramMd5Claim, ScramClaim};
use store::{Act, ChallengeKind, Scope, Via, network_of};
use types::{Mailbox, Secret, SessionFacts, SessionId};

use crate::policy::Policy;

/// What a login opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Handing in mail.
    Smtp,
    /// The account itself: its passwords and its second factor.
    Master,
}

impl Door {
    /// Every door.
    pub const ALL: [Door; 2] = [Door::Smtp, Door::Master];

    /// The name of the door, as commands and the audit trail have it.
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

/// An attempt to log in, before it is judged.
#[derive(Debug)]
pub struct Attempt {
    /// In whose name the client wants to act, if it said so apart from who it is.
    pub authzid: Option<String>,
    /// Who the client says it is, as typed. With a token or a certificate it may leave that out.
    pub username: Option<String>,
    /// What the client offers as proof.
    pub proof: Proof,
    /// What the login is for.
    pub door: Door,
    /// The kind of challenge that the password must have keys for, too; `None` for any password.
    pub answers: Option<ChallengeKind>,
}

/// What a client offers as proof.
#[derive(Debug)]
pub enum Proof {
    /// The account password, or an app password.
    Password {
        /// The password.
        password: Secret,
        /// The code of a second factor, or a recovery code.
        code: Option<Secret>,
    },
    /// The response to a challenge of CRAM-MD5.
    CramMd5(CramMd5Claim),
    /// The proof of SCRAM that the client knows a password.
    Scram(ScramClaim),
    /// An access token.
    Token(Secret),
    /// The certificate that the client has shown to TLS.
    Certificate,
    /// The word of a trusted proxy that it has authenticated its client (the LOGIN attribute of XCLIENT).
    ProxyLogin,
}

impl Proof {
    /// Whether the proof is of a password, which might be guessed.
    pub(crate) fn is_guess(&self) -> bool {
        match self {
            Proof::Password { .. } | Proof::CramMd5(_) | Proof::Scram(_) => true,
            Proof::Token(_) | Proof::Certificate | Proof::ProxyLogin => false,
        }
    }
}

/// The mechanism of those who sign in on a page, as the log and the audit trail have it.
const WEB: &str = "WEB";

impl Attempt {
    /// The attempt of somebody who signs in to the account itself, by the account password, and by a code at once if they have shown one.
    #[must_use]
    pub fn sign_in(username: String, password: Secret, code: Option<Secret>) -> Self {
        let (authzid, proof) = (None, Proof::Password { password, code });
        Self { authzid, username: Some(username), proof, door: Door::Master, answers: None }
    }

    /// The attempt of a client that wants to hand in mail; `None` if nobody here knows how to judge such a claim.
    pub(crate) fn of(claim: Claim) -> Option<Self> {
        let authzid = claim.authzid().map(str::to_owned);
        let username = claim.username().map(str::to_owned);
        let proof = match claim {
            Claim::Password(claim) => Proof::Password { password: claim.password, code: None },
            Claim::CramMd5(claim) => Proof::CramMd5(claim),
            Claim::Scram(claim) => Proof::Scram(claim),
            Claim::Token(claim) => Proof::Token(claim.token),
            Claim::External(_) => Proof::Certificate,
            _ => return None,
        };
        Some(Self { authzid, username, proof, door: Door::Smtp, answers: None })
    }

    /// The attempt with the default domain behind names that have none.
    pub(crate) fn completed(self, policy: &Policy) -> Self {
        let complete = |name: Option<String>| name.map(|name| policy.completed(name));
        Self { authzid: complete(self.authzid), username: complete(self.username), ..self }
    }

    /// The attempt of a client whom a trusted proxy has authenticated.
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
    /// The SASL mechanism, or `XCLIENT`, or `WEB` on a page; `None` if the attempt is only examined.
    pub mechanism: Option<&'static str>,
    /// The session; `None` if nobody logs in, and the attempt is only examined.
    pub session: Option<SessionFacts>,
    /// Who has the attempt examined, and by which means; `None` for a login.
    pub examined_by: Option<Act>,
}

impl Origin {
    /// An attempt that somebody has examined, as if it came from this address.
    #[must_use]
    pub fn examined(ip: IpAddr, by: Act) -> Self {
        Self { ip: ip.to_canonical(), mechanism: None, session: None, examined_by: Some(by) }
    }

    /// An attempt on a page, over this connection.
    #[must_use]
    pub fn web(session: &SessionFacts) -> Self {
        Self::of(session, WEB)
    }

    pub(crate) fn of(session: &SessionFacts, mechanism: &'static str) -> Self {
        let ip = session.peer.ip().to_canonical();
        Self { ip, mechanism: Some(mechanism), session: Some(session.clone()), examined_by: None }
    }

    /// Who makes a change that the attempt brings about: whoever has it examined, or else the server that judges it.
    pub(crate) fn act(&self, now: Timestamp) -> Act {
        self.examined_by.clone().unwrap_or_else(|| Act::server(now))
    }

    /// Who uses up a code in the attempt: whoever has it examined, or else the owner of the account.
    pub(crate) fn act_with_code(&self, account: &Mailbox, now: Timestamp) -> Act {
        let (ip, session) = (Some(self.ip), self.session_id().map(|id| id.to_string()));
        let own = || Act { via: self.via(), ip, session, ..Act::account(account, now) };
        self.examined_by.clone().unwrap_or_else(own)
    }

    /// By which means the attempt is made.
    pub(crate) fn via(&self) -> Via {
        match (&self.examined_by, self.mechanism) {
            (Some(act), _) => act.via,
            (None, Some(WEB)) => Via::Web,
            (None, _) => Via::Server,
        }
    }

    /// The network that failures are counted by: an IPv4 address, or the /64 of an IPv6 address, which is usually one client's.
    pub(crate) fn network(&self) -> IpNet {
        network_of(self.ip)
    }

    pub(crate) fn session_id(&self) -> Option<SessionId> {
        self.session.as_ref().map(|session| session.id)
    }

    /// The fingerprint of the client certificate; empty if the client has shown none.
    pub(crate) fn shown(&self) -> Secret {
        let certificate = self.session.as_ref().and_then(|session| session.client_certificate.as_ref());
        certificate.map_or_else(|| Secret::new(""), |shown| Secret::new(*shown.fingerprint.as_octets()))
    }

    /// The version of TLS, if TLS is used.
    pub(crate) fn tls(&self) -> Option<&'static str> {
        self.session.as_ref()?.tls.map(|tls| tls.version)
    }
}

//! Whom a client says it is, before anybody has looked for that user.

use store::ChallengeKind;
use types::Mailbox;

use super::attempt::Door;
use super::outcome::Reason;

/// Whom a client claims to be.
pub(super) struct Claimed {
    /// As typed.
    pub(super) username: Option<String>,
    /// In whose name it wants to act, if it said so.
    pub(super) authzid: Option<String>,
    /// The address that it means; or why nobody is meant.
    pub(super) name: Result<Mailbox, Reason>,
    /// What it is for.
    pub(super) door: Door,
    /// Which challenges the password has to answer, too.
    pub(super) answers: Option<ChallengeKind>,
}

impl Claimed {
    pub(super) fn of(
        username: Option<String>,
        authzid: Option<String>,
        door: Door,
        answers: Option<ChallengeKind>,
    ) -> Self {
        let name = named(username.as_deref(), authzid.as_deref());
        Self { username, authzid, name, door, answers }
    }

    /// The one form of the name that failures are counted by.
    pub(super) fn text(&self) -> String {
        let typed = || self.username.clone().unwrap_or_default();
        self.name.as_ref().map_or_else(|_| typed(), Mailbox::normal)
    }

    /// Whether this is who the client says it is; it may leave that to its token or certificate.
    pub(super) fn may_be(&self, address: &Mailbox) -> bool {
        self.username.is_none() || self.name.as_ref().is_ok_and(|name| name.normal() == address.normal())
    }

    /// Why it is nobody, if nobody knows it.
    pub(super) fn nobody(&self) -> Reason {
        self.name.as_ref().err().copied().unwrap_or(Reason::UnknownUser)
    }
}

/// Whom the client claims to be. It may say so twice, but not act for another (RFC 4616 section 2).
fn named(username: Option<&str>, authzid: Option<&str>) -> Result<Mailbox, Reason> {
    let name = Mailbox::parse(username.unwrap_or_default()).map_err(|_| Reason::NotAnAddress);
    match authzid {
        None => name,
        Some(other) if Some(other) == username => name,
        Some(other) => match (name, Mailbox::parse(other)) {
            (Ok(name), Ok(other)) if other.normal() == name.normal() => Ok(name),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => Err(Reason::ForeignIdentity),
        },
    }
}

//! Whom a client says it is, before anybody has looked for that user.

use store::ChallengeKind;
use types::Mailbox;

use super::attempt::Door;
use super::outcome::Reason;

/// Whom a client claims to be.
pub(super) struct Claimed {
    /// The user name, as typed.
    pub(super) username: Option<String>,
    /// In whose name the client wants to act, if it said so.
    pub(super) authzid: Option<String>,
    /// The address that the user name stands for, or why it stands for none.
    pub(super) name: Result<Mailbox, Reason>,
    /// What the login is for.
    pub(super) door: Door,
    /// The kind of challenge that the password must have keys for, too.
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

    /// The normal form of the name, by which failures are counted.
    pub(super) fn text(&self) -> String {
        let typed = || self.username.clone().unwrap_or_default();
        self.name.as_ref().map_or_else(|_| typed(), Mailbox::normal)
    }

    /// Whether the client may be the owner of this address: it says so, or names nobody, as it may with a token or a certificate.
    pub(super) fn may_be(&self, address: &Mailbox) -> bool {
        self.username.is_none() || self.name.as_ref().is_ok_and(|name| name.normal() == address.normal())
    }

    /// Why the claim is refused if no backend knows the user.
    pub(super) fn nobody(&self) -> Reason {
        self.name.as_ref().err().copied().unwrap_or(Reason::UnknownUser)
    }
}

/// The address that the client claims. It may be said twice, but nobody may act for another (RFC 4616 section 2).
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

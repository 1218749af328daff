//! In whose name an account may send: the sender policy, for the envelope and for the header.

use auth::User;
use config::SenderCheck;
use esmtp::{Rejection, SenderAllowed};
use message::Header;
use types::{Mailbox, ReversePath};

/// Whether MAIL may name this sender (RFC 6409 section 6.1).
///
/// The null reverse-path is nobody's name, and a disposition notification must have it (RFC 8098 section 3). What
/// people see is the From field, and that is checked in any case.
///
/// # Errors
/// [`Rejection::SenderNotOwned`].
pub(crate) fn may_send(
    check: SenderCheck,
    user: &User,
    path: &ReversePath,
) -> Result<SenderAllowed, Rejection> {
    match (check, path) {
        (SenderCheck::Off, _) | (SenderCheck::Reject, ReversePath::Null) => Ok(SenderAllowed::after_check()),
        (SenderCheck::Reject, ReversePath::Mailbox(mailbox)) if owns(user, mailbox) => {
            Ok(SenderAllowed::after_check())
        }
        (SenderCheck::Reject, ReversePath::Mailbox(_)) => Err(Rejection::SenderNotOwned),
    }
}

/// Whether every author that the header names is the user. A header that does not say clearly who its authors are is
/// taken to name somebody else.
///
/// # Errors
/// [`Rejection::FromNotOwned`], [`Rejection::AuthorsUnclear`].
pub(crate) fn may_write(check: SenderCheck, user: &User, header: &Header<'_>) -> Result<(), Rejection> {
    if check == SenderCheck::Off {
        return Ok(());
    }
    let authors = message::authors(header).map_err(|unclear| Rejection::AuthorsUnclear(unclear.text()))?;
    if authors.iter().all(|author| owns(user, author)) { Ok(()) } else { Err(Rejection::FromNotOwned) }
}

fn owns(user: &User, mailbox: &Mailbox) -> bool {
    user.address.normal() == mailbox.normal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::AccountId;

    fn ann() -> User {
        User {
            account: AccountId::new(0, [0; 10]),
            address: Mailbox::parse("ann@example.org").unwrap(),
            credential: None,
            version: 0,
        }
    }

    fn sends_as(path: &str) -> bool {
        may_send(SenderCheck::Reject, &ann(), &ReversePath::take(path).unwrap().0).is_ok()
    }

    fn writes_as(header: &str) -> bool {
        may_write(SenderCheck::Reject, &ann(), &Header::parse(header.as_bytes()).unwrap()).is_ok()
    }

    #[test]
    fn an_envelope_names_the_user_or_nobody() {
        for own in [
            "<ann@example.org>",
            "<ANN@Example.ORG>",
            "<\"ann\"@example.org>",
            "<@relay.test:ann@example.org>",
            "<>",
        ] {
            assert!(sends_as(own), "{own}");
        }
        for foreign in [
            "<bob@example.org>",
            "<ann@example.com>",
            "<ann+x@example.org>",
            "<\"ann@example.org\"@evil.test>",
        ] {
            assert!(!sends_as(foreign), "{foreign}");
        }
    }

    #[test]
    fn every_author_is_the_user() {
        for own in [
            "From: ann@example.org\r\n\r\n",
            "From: Ann <Ann@Example.org>\r\nSender: ann@example.org\r\n\r\n",
        ] {
            assert!(writes_as(own), "{own}");
        }
        for foreign in [
            "Subject: from nobody\r\n\r\n",
            "From: bob@example.org\r\n\r\n",
            "From: ann@example.org, bob@example.org\r\n\r\n",
            "From: ann@example.org\r\nFrom: bob@example.org\r\n\r\n",
            "From: ann@example.org\r\nSender: bob@example.org\r\n\r\n",
            "From: ann@example.org <bob@example.org>\r\n\r\n",
            "From: all: ann@example.org;\r\n\r\n",
        ] {
            assert!(!writes_as(foreign), "{foreign}");
        }
    }

    #[test]
    fn switched_off_it_lets_anybody_through() {
        let bob = ReversePath::take("<bob@example.org>").unwrap().0;
        assert!(may_send(SenderCheck::Off, &ann(), &bob).is_ok());
        assert!(may_write(SenderCheck::Off, &ann(), &Header::parse(b"\r\n").unwrap()).is_ok());
    }
}

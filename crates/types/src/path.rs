//! The paths of MAIL and RCPT: a mailbox in angle brackets, or one of the two that are none.

use std::fmt;

use crate::{AddressError, Domain, Mailbox};

/// The most octets a path may have, angle brackets and source route included. RFC 5321 section 4.5.3.1.3.
pub const MAX_PATH: usize = 256;

/// Where failures are told: the path of MAIL FROM. RFC 5321 section 4.1.1.2.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: nobody is to be told.
    Null,
    /// The mailbox of the sender.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Takes a reverse-path from the start of `input`, which begins at `<`, and returns what follows its `>`.
    /// A source route is read and dropped (RFC 5321 appendix C).
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong.
    pub fn take(input: &str) -> Result<(Self, &str), AddressError> {
        match input.strip_prefix("<>") {
            Some(rest) => Ok((Self::Null, rest)),
            None => take_path(input).map(|(mailbox, rest)| (Self::Mailbox(mailbox), rest)),
        }
    }

    /// The mailbox, unless the path is null.
    #[must_use]
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }

    /// Whether the path can travel without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.mailbox().is_none_or(Mailbox::is_ascii)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// Whom the message is for: the path of RCPT TO. RFC 5321 section 4.1.1.3.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>` without a domain: whoever runs the server that is asked.
    Postmaster,
    /// The mailbox of the recipient.
    Mailbox(Mailbox),
}

impl ForwardPath {
    /// Takes a forward-path from the start of `input`, which begins at `<`, and returns what follows its `>`.
    /// A source route is read and dropped (RFC 5321 appendix C).
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong.
    pub fn take(input: &str) -> Result<(Self, &str), AddressError> {
        match strip_postmaster(input) {
            Some(rest) => Ok((Self::Postmaster, rest)),
            None => take_path(input).map(|(mailbox, rest)| (Self::Mailbox(mailbox), rest)),
        }
    }

    /// The mailbox, unless it is the bare postmaster.
    #[must_use]
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Postmaster => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }

    /// Whether the path can travel without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.mailbox().is_none_or(Mailbox::is_ascii)
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<Postmaster>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// RFC 5321 section 4.1.1.3: the name is read without regard to case.
fn strip_postmaster(input: &str) -> Option<&str> {
    const POSTMASTER: &str = "<postmaster>";
    let (name, rest) = input.split_at_checked(POSTMASTER.len())?;
    name.eq_ignore_ascii_case(POSTMASTER).then_some(rest)
}

/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`
fn take_path(input: &str) -> Result<(Mailbox, &str), AddressError> {
    let inside = input.strip_prefix('<').ok_or(AddressError::Path)?;
    let (mailbox, rest) = Mailbox::take_before_bracket(skip_route(inside)?)?;
    let rest = rest.strip_prefix('>').ok_or(AddressError::Path)?;
    if input.len().saturating_sub(rest.len()) > MAX_PATH {
        return Err(AddressError::PathTooLong);
    }
    Ok((mailbox, rest))
}

/// `A-d-l = At-domain *( "," At-domain )`, `At-domain = "@" Domain`
fn skip_route(inside: &str) -> Result<&str, AddressError> {
    if !inside.starts_with('@') {
        return Ok(inside);
    }
    let (route, rest) = inside.split_once(':').ok_or(AddressError::Path)?;
    if route.len() > MAX_PATH {
        return Err(AddressError::PathTooLong);
    }
    for hop in route.split(',') {
        Domain::parse(hop.strip_prefix('@').ok_or(AddressError::Path)?)?;
    }
    Ok(rest)
}

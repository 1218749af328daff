//! The paths of MAIL and RCPT: a mailbox in angle brackets, or one of the two that are none.
//!
//! `take` reads them as they are displayed and kept; what clients write instead is read by `take_from_command`.

mod command;

use std::fmt;

use crate::{AddressError, Domain, Mailbox};

/// The most octets a path may have, angle brackets and source route included. RFC 5321 section 4.5.3.1.3.
pub const MAX_PATH: usize = 256;

/// Where failures are told: the path of MAIL FROM. RFC 5321 section 4.1.1.2.
///
/// Exhaustive: the grammar has no third form.
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
///
/// Exhaustive: the grammar has no third form.
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
    let (mailbox, rest) = Mailbox::take(skip_route(inside)?, &['>'])?;
    let rest = rest.strip_prefix('>').ok_or(AddressError::Path)?;
    let octets = input.len().saturating_sub(rest.len());
    within_limit(mailbox, octets).map(|mailbox| (mailbox, rest))
}

/// The mailbox, if its path has no more than [`MAX_PATH`] octets: as it was written, and as it will be. An address literal
/// can be longer in its own form.
fn within_limit(mailbox: Mailbox, octets: usize) -> Result<Mailbox, AddressError> {
    let displayed = mailbox.to_string().len() + "<>".len();
    if octets.max(displayed) > MAX_PATH { Err(AddressError::PathTooLong) } else { Ok(mailbox) }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_taken_and_the_parameters_are_left() {
        let (path, rest) = ReversePath::take("<alice@example.org> SIZE=5").unwrap();
        assert_eq!((path.to_string().as_str(), rest), ("<alice@example.org>", " SIZE=5"));
        let (path, rest) = ReversePath::take("<> BODY=8BITMIME").unwrap();
        assert_eq!((path, rest), (ReversePath::Null, " BODY=8BITMIME"));
        assert_eq!(ReversePath::Null.to_string(), "<>");
    }

    #[test]
    fn brackets_and_at_signs_in_quotes_belong_to_the_name() {
        let (path, rest) = ForwardPath::take("<\"a>b@c\"@example.org>x").unwrap();
        assert_eq!((path.to_string().as_str(), rest), ("<\"a>b@c\"@example.org>", "x"));
    }

    #[test]
    fn source_routes_are_read_and_dropped() {
        for text in ["<@relay.example:alice@example.org>", "<@a.example,@b.example:alice@example.org>"] {
            assert_eq!(ReversePath::take(text).unwrap().0.to_string(), "<alice@example.org>");
        }
        for text in [
            "<@relay.example>",
            "<@a.example,b.example:c@d>",
            "<@:a@b>",
            "<@a b:c@d>",
            "<@a,:c@d>",
            "<@[1.2.3.4]:c@d>",
            "<@a:>",
        ] {
            assert!(ReversePath::take(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_postmaster_needs_no_domain_as_a_recipient() {
        for text in ["<Postmaster>", "<postmaster>", "<POSTMASTER>"] {
            assert_eq!(ForwardPath::take(text), Ok((ForwardPath::Postmaster, "")));
        }
        assert_eq!(ForwardPath::Postmaster.to_string(), "<Postmaster>");
        assert!(ReversePath::take("<Postmaster>").is_err());
        assert!(ForwardPath::take("<postmaster@example.org>").unwrap().0.mailbox().is_some());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "<",
            "a@b",
            " <a@b>",
            "<a@b",
            "< a@b>",
            "<a@b >",
            "<a>",
            "<@>",
            "<<a@b>>",
            "<a@b\r\n>",
            "<é",
            "<a@\u{e9}",
            "<postmastér>",
        ] {
            assert!(ReversePath::take(text).is_err(), "{text}");
            assert!(ForwardPath::take(text).is_err(), "{text}");
        }
        assert_eq!(ForwardPath::take("<>"), Err(AddressError::LocalPart));
    }

    #[test]
    fn a_path_has_at_most_256_octets_with_its_brackets() {
        let name = "a".repeat(64);
        let domain = format!("{0}.{0}.{1}", "b".repeat(63), "c".repeat(256 - 2 - 65 - 128));
        assert!(ForwardPath::take(&format!("<{name}@{domain}>")).is_ok());
        assert_eq!(ForwardPath::take(&format!("<{name}@{domain}c>")), Err(AddressError::PathTooLong));
        assert_eq!(ForwardPath::take(&format!("<@{domain},@{domain}:a@b>")), Err(AddressError::PathTooLong));
        assert_eq!(ForwardPath::take(&format!("<@r:{name}@{domain}>")), Err(AddressError::PathTooLong));
        let long = |octets: usize| format!("<{}@example.org>", "a".repeat(octets - "<@example.org>".len()));
        assert!(ForwardPath::take(&long(256)).is_ok());
        assert_eq!(ForwardPath::take(&long(257)), Err(AddressError::PathTooLong));
        let longer_in_its_own_form = format!("<{}@[IPv6:::ffff:ffff:ffff]>", "a".repeat(230));
        assert_eq!(ForwardPath::take(&longer_in_its_own_form), Err(AddressError::PathTooLong));
    }

    #[test]
    fn a_path_tells_whether_it_needs_smtputf8() {
        assert!(ReversePath::Null.is_ascii() && ForwardPath::Postmaster.is_ascii());
        assert!(ReversePath::take("<a@xn--bcher-kva.example>").unwrap().0.is_ascii());
        assert!(!ReversePath::take("<a@bücher.example>").unwrap().0.is_ascii());
        assert!(!ForwardPath::take("<é@example.org>").unwrap().0.is_ascii());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_displayed_reads_the_same(text in "<?\\PC{0,60}|<[@a-c:,.\"\\\\>\\[\\]]{0,20}>") {
            if let Ok((path, rest)) = ReversePath::take(&text) {
                prop_assert!(text.ends_with(rest));
                let shown = path.to_string();
                prop_assert_eq!(ReversePath::take(&shown), Ok((path, "")));
            }
            if let Ok((path, rest)) = ForwardPath::take(&text) {
                prop_assert!(text.ends_with(rest));
                let shown = path.to_string();
                prop_assert_eq!(ForwardPath::take(&shown), Ok((path, "")));
            }
        }
    }
}

//! Paths as clients write them in MAIL and RCPT: with blanks around and inside of the angle brackets, or without these.
//!
//! RAID controllers, printers and many a how-to send `MAIL FROM: alice@example.org`. That has one meaning: the address is
//! the first word, and what follows it are parameters.

use crate::{AddressError, ForwardPath, Mailbox, ReversePath};

use super::{skip_route, within_limit};

const BLANKS: [char; 2] = [' ', '\t'];

impl ReversePath {
    /// Takes a reverse-path from what stands behind `FROM:`, and returns what follows it.
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong.
    pub fn take_from_command(input: &str) -> Result<(Self, &str), AddressError> {
        let path = input.trim_start_matches(BLANKS);
        match strip_null(path) {
            Some(rest) => Ok((Self::Null, rest)),
            None => take_mailbox(path).map(|(mailbox, rest)| (Self::Mailbox(mailbox), rest)),
        }
    }
}

impl ForwardPath {
    /// Takes a forward-path from what stands behind `TO:`, and returns what follows it.
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong.
    pub fn take_from_command(input: &str) -> Result<(Self, &str), AddressError> {
        let path = input.trim_start_matches(BLANKS);
        match strip_postmaster(path) {
            Some(rest) => Ok((Self::Postmaster, rest)),
            None => take_mailbox(path).map(|(mailbox, rest)| (Self::Mailbox(mailbox), rest)),
        }
    }
}

fn strip_null(path: &str) -> Option<&str> {
    path.strip_prefix('<')?.trim_start_matches(BLANKS).strip_prefix('>')
}

fn strip_postmaster(path: &str) -> Option<&str> {
    let inside = path.strip_prefix('<').map(|inside| inside.trim_start_matches(BLANKS));
    let (name, rest) = inside.unwrap_or(path).split_at_checked("postmaster".len())?;
    let ended = match inside {
        Some(_) => rest.trim_start_matches(BLANKS).strip_prefix('>'),
        None => Some(rest).filter(|rest| rest.is_empty() || rest.starts_with(BLANKS)),
    };
    ended.filter(|_| name.eq_ignore_ascii_case("postmaster"))
}

fn take_mailbox(path: &str) -> Result<(Mailbox, &str), AddressError> {
    match path.strip_prefix('<') {
        Some(inside) => take_in_brackets(inside),
        None => take_word(path).or_else(|error| take_behind_name(path).unwrap_or(Err(error))),
    }
}

/// What some write as in a header field: `Alice <alice@example.org>`. Nothing if there are no brackets, or more.
fn take_behind_name(path: &str) -> Option<Result<(Mailbox, &str), AddressError>> {
    let (name, inside) = path.split_once('<')?;
    let is_name = !name.contains(['@', '>']) && name.matches('"').count() % 2 == 0;
    is_name.then(|| take_in_brackets(inside))
}

/// `[ A-d-l ":" ] Mailbox ">"` with blanks at both ends.
fn take_in_brackets(inside: &str) -> Result<(Mailbox, &str), AddressError> {
    let route = inside.trim_start_matches(BLANKS);
    if route.starts_with('>') {
        return Err(AddressError::Empty);
    }
    let (mailbox, rest) = Mailbox::take_rooted(skip_route(route)?, &['>', ' ', '\t'])?;
    let rest = rest.trim_start_matches(BLANKS).strip_prefix('>').ok_or(AddressError::Path)?;
    let octets = inside.len().saturating_sub(rest.len());
    within_limit(mailbox, octets + "<".len()).map(|mailbox| (mailbox, rest))
}

/// A mailbox up to the first blank.
fn take_word(word: &str) -> Result<(Mailbox, &str), AddressError> {
    if word.is_empty() {
        return Err(AddressError::Empty);
    }
    let (mailbox, rest) = Mailbox::take_rooted(word, &BLANKS)?;
    let octets = word.len().saturating_sub(rest.len());
    within_limit(mailbox, octets + "<>".len()).map(|mailbox| (mailbox, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reverse(input: &str) -> Result<(String, &str), AddressError> {
        ReversePath::take_from_command(input).map(|(path, rest)| (path.to_string(), rest))
    }

    fn forward(input: &str) -> Result<(String, &str), AddressError> {
        ForwardPath::take_from_command(input).map(|(path, rest)| (path.to_string(), rest))
    }

    #[test]
    fn blanks_and_missing_brackets_change_no_address() {
        for (input, rest) in [
            ("<a@example.org> SIZE=5", " SIZE=5"),
            ("  <a@example.org>", ""),
            ("\t<a@example.org>\tSIZE=5", "\tSIZE=5"),
            ("< a@example.org >", ""),
            ("<\ta@example.org \t> SIZE=5", " SIZE=5"),
            ("< @relay.example:a@example.org>", ""),
            ("a@example.org", ""),
            (" a@example.org", ""),
            ("a@example.org SIZE=5  BODY=7BIT", " SIZE=5  BODY=7BIT"),
            ("\"a\"@example.org\tSIZE=5", "\tSIZE=5"),
            ("<a@example.org>x", "x"),
            ("<a@example.org.> SIZE=5", " SIZE=5"),
            ("a@example.org. SIZE=5", " SIZE=5"),
            ("Alice A. <a@example.org> SIZE=5", " SIZE=5"),
            ("\"Alice\" < a@example.org >", ""),
        ] {
            let expected = Ok(("<a@example.org>".to_owned(), rest));
            assert_eq!((reverse(input), forward(input)), (expected.clone(), expected), "{input:?}");
        }
        assert_eq!(forward("\"a b\"@[192.0.2.1] X"), Ok(("<\"a b\"@[192.0.2.1]>".to_owned(), " X")));
    }

    #[test]
    fn nobody_is_written_in_brackets_and_the_postmaster_with_or_without() {
        for input in ["<>", " < >", "<\t> "] {
            assert_eq!(reverse(input), Ok(("<>".to_owned(), if input.ends_with("> ") { " " } else { "" })));
            assert_eq!(forward(input), Err(AddressError::Empty));
        }
        for input in ["<Postmaster>", "postmaster", " POSTMASTER", "< postmaster >"] {
            assert_eq!(forward(input), Ok(("<Postmaster>".to_owned(), "")), "{input:?}");
            assert_eq!(reverse(input), Err(AddressError::NoDomain), "{input:?}");
        }
        assert_eq!(forward("postmaster NOTIFY=NEVER"), Ok(("<Postmaster>".to_owned(), " NOTIFY=NEVER")));
        assert_eq!(forward("postmaster@example.org"), Ok(("<postmaster@example.org>".to_owned(), "")));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_part() {
        use AddressError::{Domain, Empty, LocalPart, NoDomain, Path, PathTooLong};
        let fits = format!("{}@example.org", "a".repeat(242));
        let long = format!("a{fits}");
        for (input, error) in [
            ("", Empty),
            ("  ", Empty),
            ("<", LocalPart),
            ("<@>", Path),
            ("<a>", NoDomain),
            ("a", NoDomain),
            ("<a@b", Path),
            ("<a@b c>", Path),
            ("a@b>", Domain),
            ("<a@b..c>", Domain),
            ("Alice <a@b", Path),
            ("\"Alice <a@b>", LocalPart),
            ("<<a@b>>", LocalPart),
            ("<postmaster", NoDomain),
            ("postmaster>", NoDomain),
            (long.as_str(), PathTooLong),
        ] {
            assert_eq!((reverse(input), forward(input)), (Err(error), Err(error)), "{input:?}");
        }
        assert!(reverse(&fits).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_read_leniently_is_read_the_same_when_it_is_written_properly(
            input in "[ \t]{0,2}<?[ \t]?(\\PC{0,40}|[@a-c:,.\"\\\\>\\[\\] ]{0,20})>?",
        ) {
            if let Ok((path, rest)) = ReversePath::take_from_command(&input) {
                prop_assert!(input.ends_with(rest));
                let shown = path.to_string();
                prop_assert_eq!(ReversePath::take(&shown), Ok((path, "")));
            }
            if let Ok((path, rest)) = ForwardPath::take_from_command(&input) {
                prop_assert!(input.ends_with(rest));
                let shown = path.to_string();
                prop_assert_eq!(ForwardPath::take(&shown), Ok((path, "")));
            }
        }

        #[test]
        fn what_is_read_strictly_is_read_leniently_too(input in "<[@a-c:,.\"\\\\>\\[\\] ]{0,20}>\\PC{0,5}") {
            if let Ok(strict) = ReversePath::take(&input) {
                prop_assert_eq!(ReversePath::take_from_command(&input), Ok(strict));
            }
        }
    }
}

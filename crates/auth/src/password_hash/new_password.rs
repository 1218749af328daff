//! What an account password must be like if somebody chooses it, and passwords that are generated.
//!
//! Imported passwords are not looked at: they are in use already.

use rand::RngExt as _;
use types::{Mailbox, Secret};
use zeroize::Zeroizing;
use zxcvbn::zxcvbn;

/// The longest password that an account may be given, in octets.
pub const PASSWORD_OCTETS: usize = 1024;

/// Characters that it has at least (NIST SP 800-63B section 5.1.1.2).
pub const LEAST_CHARACTERS: usize = 8;

/// How many guesses it withstands at least, as zxcvbn estimates: those of eight characters by chance.
const LEAST_GUESSES: u64 = 100_000_000;

/// Why a password is not good enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// It is too short.
    #[error("the password has fewer than {0} characters; take a longer one, such as a few words")]
    Short(usize),
    /// It is among the first that somebody would try.
    #[error(
        "the password is too easy to guess; take another, such as a few words that don't belong together. {0}"
    )]
    Guessable(String),
}

/// What is wrong with a password that somebody chooses for the account with this address and name, which has to have so many characters.
/// `host` is the name of the server.
///
/// # Errors
/// When it is too short, or too easy to guess for who knows address, name and host.
pub fn see_strong(
    password: &Secret,
    least: usize,
    address: &Mailbox,
    name: Option<&str>,
    host: &str,
) -> Result<(), Weakness> {
    let text = password.declassify_str().unwrap_or_default();
    if text.chars().count() < least {
        return Err(Weakness::Short(least));
    }
    let mut known = known_of(address, name);
    known.extend(host.split('.').chain([host]).map(str::to_owned));
    let found = zxcvbn(text, &known.iter().map(String::as_str).collect::<Vec<_>>());
    if found.guesses() >= LEAST_GUESSES {
        return Ok(());
    }
    Err(Weakness::Guessable(found.feedback().map(ToString::to_string).unwrap_or_default()))
}

/// Words that somebody who guesses at this account tries first.
fn known_of(address: &Mailbox, name: Option<&str>) -> Vec<String> {
    let domain = address.host().to_string();
    let labels = domain.split('.').map(str::to_owned);
    let words = name.unwrap_or_default().split_whitespace().map(str::to_owned);
    let mut known: Vec<String> = labels.chain(words).collect();
    known.extend([address.to_string(), address.local_part().to_string(), domain, "gatepost".to_owned()]);
    known
}

/// Letters and digits that are not taken for one another: 32, 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Groups of five characters: 100 bits of chance.
const GROUPS: usize = 4;
const GROUP: usize = 5;

/// A new password, such as `k7mzp-4xqaw-hb2nd-vye9t`; every character is drawn evenly from a cryptographic generator.
#[must_use]
pub fn generate() -> Secret {
    let mut random = rand::rng();
    let mut password = Zeroizing::new(Vec::with_capacity(GROUPS * (GROUP + 1)));
    for group in 0..GROUPS {
        password.extend((group > 0).then_some(b'-'));
        let characters = (0..GROUP).filter_map(|_| ALPHABET.get(random.random_range(0..ALPHABET.len())));
        password.extend(characters);
    }
    Secret::new(password.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(password: &str) -> Result<(), Weakness> {
        judged_by(LEAST_CHARACTERS, password)
    }

    fn judged_by(least: usize, password: &str) -> Result<(), Weakness> {
        let address = Mailbox::parse("alice.liddell@wonderland.example").unwrap();
        let host = "teaparty.hatter.example";
        see_strong(&Secret::new(password), least, &address, Some("Alice Pleasance"), host)
    }

    #[test]
    fn a_password_has_eight_characters() {
        for short in ["", "x7#qZp!", "\u{e4}\u{f6}\u{fc}\u{df}x7#"] {
            assert_eq!(judged(short), Err(Weakness::Short(8)), "{short}");
        }
        assert_eq!(judged("x7#qZp!w"), Ok(()));
        assert_eq!(judged_by(12, "x7#qZp!w"), Err(Weakness::Short(12)));
        assert_eq!(judged_by(12, "x7#qZp!wk4Lm"), Ok(()));
    }

    #[test]
    fn what_is_tried_first_is_refused_and_it_is_told_why() {
        for (guessable, why) in [
            ("password", "top-10"),
            ("P@ssw0rd", "common"),
            ("qwertyuiop", "common"),
            ("aaaaaaaaaaaa", "Repeats"),
            ("alice.liddell", ""),
            ("wonderland1", ""),
            ("pleasance", ""),
            ("teaparty.hatter.example", ""),
            ("teaparty2026", ""),
            ("gatepost1", ""),
        ] {
            let Err(Weakness::Guessable(told)) = judged(guessable) else { panic!("{guessable} is taken") };
            assert!(told.contains(why) && !told.is_empty(), "{guessable}: {told}");
        }
    }

    #[test]
    fn a_few_words_are_good_and_so_is_the_longest_password() {
        for good in ["correct horse battery staple", "Zug fährt heute rückwärts", &"x7#qZp!w".repeat(128)]
        {
            assert_eq!(judged(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_generated_password_is_good_and_no_two_are_alike() {
        let (one, other) = (generate(), generate());
        let text = one.declassify_str().unwrap();
        assert_eq!((text.len(), text.split('-').count()), (23, 4), "{text}");
        assert!(judged(text).is_ok() && one.declassify() != other.declassify());
    }
}

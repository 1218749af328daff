//! App passwords: sixteen letters made here, shown once, and found again by a keyed digest.
//!
//! They carry 75 bits of chance, so no slow hash is needed: an HMAC under a key that isn't in the store is a
//! single look-up however many there are, and no column gives away any part of the password.

use hmac::{Hmac, Mac as _};
use rand::RngExt as _;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use types::Secret;
use zeroize::Zeroizing;

use crate::keys::key::{Key, Purpose, keyed};

/// Letters in an app password: 26^16 is 75.2 bits.
pub const LETTERS: usize = 16;

/// How many letters stand together when people read it.
const GROUP: usize = 4;

/// An app password in its one form: sixteen letters `a` to `z`, nothing between them.
#[derive(Clone, PartialEq, Eq)]
pub struct AppPassword(Zeroizing<[u8; LETTERS]>);

impl AppPassword {
    /// The letters in one word, as a program wants them.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().copied().map(char::from).collect())
    }

    /// `abcd efgh ijkl mnop`, as people read it.
    #[must_use]
    pub fn grouped(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LETTERS + LETTERS / GROUP));
        for group in self.0.chunks(GROUP) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.extend(group.iter().copied().map(char::from));
        }
        text
    }

    /// The letters as a password to check a hash against.
    pub(crate) fn secret(&self) -> Secret {
        Secret::new(self.0.to_vec())
    }

    /// By what WildDuck finds it: the sum of the octets of its SHA-1, modulo 32, in hexadecimal.
    pub(crate) fn selector_elsewhere(&self) -> String {
        let sum: u32 = Sha1::digest(self.0.as_slice()).iter().map(|octet| u32::from(*octet)).sum();
        format!("{:x}", sum % 32)
    }
}

impl std::fmt::Debug for AppPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppPassword(…)")
    }
}

/// Makes a new app password; every letter is drawn evenly from a cryptographic generator.
#[must_use]
pub fn generate() -> AppPassword {
    let mut letters = Zeroizing::new([0; LETTERS]);
    let mut random = rand::rng();
    letters.iter_mut().for_each(|letter| *letter = random.random_range(b'a'..=b'z'));
    AppPassword(letters)
}

/// What somebody typed, if it can be an app password: white space is ignored, whatever kind a web page or a
/// keyboard put between the groups, and so is case, since phones begin a text with a capital; anything else but sixteen
/// letters is not one.
#[must_use]
pub fn normalise(typed: &Secret) -> Option<AppPassword> {
    let mut letters = Zeroizing::new([0; LETTERS]);
    let mut free = letters.iter_mut();
    for character in typed.declassify_str()?.chars().filter(|character| !character.is_whitespace()) {
        let letter = u8::try_from(character).ok().filter(u8::is_ascii_alphabetic)?;
        *free.next()? = letter.to_ascii_lowercase();
    }
    free.next().is_none().then_some(AppPassword(letters))
}

/// The key of the digests, derived from the root key of the store.
pub struct AppPasswordKey(Hmac<Sha256>);

impl AppPasswordKey {
    pub(crate) fn new(root: &Key) -> Self {
        Self(keyed(root.derive(Purpose::AppPasswordDigest).as_slice()))
    }

    /// HMAC-SHA-256 of the letters: what the store keeps and looks up.
    #[must_use]
    pub fn digest(&self, password: &AppPassword) -> [u8; 32] {
        self.0.clone().chain_update(password.0.as_slice()).finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for AppPasswordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppPasswordKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> AppPasswordKey {
        AppPasswordKey(keyed(&[7; 32]))
    }

    fn typed(text: &str) -> Option<AppPassword> {
        normalise(&Secret::from(text.to_owned()))
    }

    #[test]
    fn both_forms_shown_are_both_taken() {
        let password = generate();
        assert_eq!(typed(&password.declassify()), Some(password.clone()));
        assert_eq!(typed(&password.grouped()), Some(password.clone()));
        assert_eq!(typed(&password.grouped().to_uppercase()), Some(password.clone()));
        assert_eq!(password.grouped().len(), 19);
    }

    #[test]
    fn what_is_not_sixteen_letters_is_none() {
        for text in [
            "",
            " ",
            "abcdefghijklmno",
            "abcdefghijklmnopq",
            "abcd-efgh-ijkl-mnop",
            "abcdefghijklmn0p",
            "abcdefghijklmnoé",
            "abcdefghijklmno\0",
            "abcdefghijklmnoｐ",
        ] {
            assert!(typed(text).is_none(), "{text:?}");
        }
        assert!(normalise(&Secret::from(vec![0xff; 16])).is_none());
    }

    #[test]
    fn debug_shows_no_letter() {
        assert_eq!(format!("{:?} {:?}", generate(), key()), "AppPassword(…) AppPasswordKey(…)");
    }

    proptest! {
        #[test]
        fn white_space_anywhere_changes_nothing(
            letters in "[a-z]{16}",
            gaps in prop::collection::vec("[ \t\r\n\u{a0}\u{2003}]{0,3}", 17),
        ) {
            let spaced: String =
                gaps.iter().map(String::as_str).zip(letters.chars().map(Some).chain([None]))
                    .flat_map(|(gap, letter)| gap.chars().chain(letter)).collect();
            prop_assert_eq!(typed(&spaced), typed(&letters));
            prop_assert!(typed(&letters).is_some());
        }

        #[test]
        fn only_the_same_letters_give_the_same_digest(one in "[a-z]{16}", other in "[a-z]{16}") {
            let digest = |text: &str| key().digest(&typed(text).unwrap());
            prop_assert_eq!(digest(&one) == digest(&other), one == other);
        }

        #[test]
        fn what_is_taken_reads_back_as_it_was_without_its_white_space(text in "\\PC{0,24}") {
            if let Some(password) = typed(&text) {
                let letters: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                prop_assert_eq!(&*password.declassify(), &letters);
            }
        }
    }

    #[test]
    fn the_selector_is_wildducks() {
        for (letters, selector) in [
            ("abcdefghijklmnop", "c"),
            ("qrstuvwxyzabcdef", "16"),
            ("bcdefghijklmnopq", "9"),
            ("cdefghijklmnopqr", "13"),
        ] {
            let password = normalise(&Secret::new(letters)).unwrap();
            assert_eq!(password.selector_elsewhere(), selector, "{letters}");
        }
    }
}

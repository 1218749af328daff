//! Recovery codes: ten codes that stand in for the authenticator app when it is lost, each of them once.
//!
//! The codes are random and have 50 bits, so the store keeps a keyed digest of each, as of app passwords, and no slow hash.

use hmac::{Hmac, Mac as _};
use rand::RngExt as _;
use sha2::Sha256;
use types::{AccountId, Secret};
use zeroize::Zeroizing;

use crate::keys::key::{Key, Purpose, keyed};

/// How many codes an account gets at a time.
pub const CODES: usize = 10;

/// Characters in a code: 32^10 is 50 bits.
pub const CHARACTERS: usize = 10;

/// Characters in a group of a code, as it is shown.
const GROUP: usize = 5;

/// Crockford's base32 in lower case: no `i`, `l`, `o` or `u` to be misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A recovery code in its one form: ten characters of [`ALPHABET`], nothing between them.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<[u8; CHARACTERS]>);

impl RecoveryCode {
    /// The code as it is shown: `xxxxx-xxxxx`.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CHARACTERS + 1));
        for group in self.0.chunks(GROUP) {
            if !text.is_empty() {
                text.push('-');
            }
            text.extend(group.iter().copied().map(char::from));
        }
        text
    }

    fn generate() -> Self {
        let (mut characters, mut random) = (Zeroizing::new([0; CHARACTERS]), rand::rng());
        for character in characters.iter_mut() {
            let digit = random.random_range(0..ALPHABET.len());
            *character = ALPHABET.get(digit).copied().unwrap_or_default();
        }
        Self(characters)
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// Makes ten new codes; every character is drawn evenly from a cryptographic generator.
#[must_use]
pub fn generate() -> [RecoveryCode; CODES] {
    std::array::from_fn(|_| RecoveryCode::generate())
}

/// The recovery code that somebody typed; `None` if it can't be one. White space, dashes and case are ignored, and a letter that looks like a
/// digit is read as that digit, as in Crockford's base32: `O` as `0`, `I` and `L` as `1`.
#[must_use]
pub fn normalise(typed: &Secret) -> Option<RecoveryCode> {
    let mut characters = Zeroizing::new([0; CHARACTERS]);
    let mut free = characters.iter_mut();
    for character in typed.declassify_str()?.chars().filter(|character| !is_gap(*character)) {
        *free.next()? = digit(character)?;
    }
    free.next().is_none().then_some(RecoveryCode(characters))
}

/// White space, or a dash of any length: some programs replace `-` by another dash.
fn is_gap(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The character of the alphabet that was meant.
fn digit(character: char) -> Option<u8> {
    let character = match u8::try_from(character).ok()?.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        character => character,
    };
    ALPHABET.contains(&character).then_some(character)
}

/// The key of the digests of recovery codes, derived from the root key of the store.
pub struct RecoveryCodeKey(Hmac<Sha256>);

impl RecoveryCodeKey {
    pub(crate) fn new(root: &Key) -> Self {
        Self(keyed(root.derive(Purpose::RecoveryCodeDigest).as_slice()))
    }

    /// The digest of what somebody typed, if it can be a recovery code.
    #[must_use]
    pub fn digest(&self, account: AccountId, typed: &Secret) -> Option<[u8; 32]> {
        normalise(typed).map(|code| self.digest_of(account, &code))
    }

    /// The HMAC-SHA-256 of account and code, which the store keeps. Copied to another account, it matches no code there.
    #[must_use]
    pub fn digest_of(&self, account: AccountId, code: &RecoveryCode) -> [u8; 32] {
        let digest = self.0.clone().chain_update(account.as_bytes());
        digest.chain_update(code.0.as_slice()).finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for RecoveryCodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCodeKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const ALICE: AccountId = AccountId::from_bytes([1; 16]);

    fn key() -> RecoveryCodeKey {
        key_of(7)
    }

    fn key_of(root: u8) -> RecoveryCodeKey {
        RecoveryCodeKey::new(&Key::from_octets(&[root; 32]).unwrap())
    }

    fn typed(text: &str) -> Option<RecoveryCode> {
        normalise(&Secret::from(text.to_owned()))
    }

    #[test]
    fn ten_codes_are_made_that_differ_and_read_back() {
        let codes = generate();
        let shown: HashSet<String> = codes.iter().map(|code| code.declassify().to_string()).collect();
        assert_eq!(shown.len(), CODES);
        for code in &codes {
            let shown = code.declassify();
            assert_eq!((shown.len(), shown.find('-')), (11, Some(5)));
            assert_eq!(typed(&shown).as_ref(), Some(code));
        }
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let mut drawn = [0u32; 256];
        for code in (0..3_200).flat_map(|_| generate()) {
            code.0.iter().for_each(|character| drawn[usize::from(*character)] += 1);
        }
        // 10,000 of each are due; the standard deviation is 98.
        for character in ALPHABET {
            let count = drawn[usize::from(*character)];
            assert!((9_300..10_700).contains(&count), "{} {count}", char::from(*character));
        }
        assert_eq!(drawn.iter().filter(|count| **count > 0).count(), ALPHABET.len());
    }

    #[test]
    fn what_is_misread_is_understood() {
        let code = typed("01bcd-fgh1j").unwrap();
        for text in ["01bcdfgh1j", "OLBCD-FGHIJ", " o i b c d – f g h l j ", "01BCD\u{2212}FGH1J\r\n"] {
            assert_eq!(typed(text), Some(code.clone()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_recovery_code_is_none() {
        for text in
            ["", "-", "123456", "01bcd-fgh1", "01bcd-fgh1jk", "01bcd-fghuj", "01bcd_fgh1j", "01bcd-fgh1é"]
        {
            assert!(typed(text).is_none(), "{text:?}");
        }
        assert!(normalise(&Secret::from(vec![0xff; 10])).is_none());
    }

    #[test]
    fn a_digest_is_of_one_account_and_one_key() {
        let code = Secret::new("01bcd-fgh1j");
        let digest = key().digest(ALICE, &code).unwrap();
        assert_eq!(key().digest(ALICE, &Secret::new("OLBCDFGHIJ")), Some(digest));
        assert_ne!(key().digest(AccountId::from_bytes([2; 16]), &code), Some(digest));
        assert_ne!(key_of(8).digest(ALICE, &code), Some(digest));
        assert_eq!(key().digest(ALICE, &Secret::new("123456")), None);
    }

    #[test]
    fn debug_shows_no_character() {
        assert_eq!(
            format!("{:?} {:?}", RecoveryCode::generate(), key()),
            "RecoveryCode(…) RecoveryCodeKey(…)"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_not(text in "\\PC{0,16}") {
            if let Some(code) = typed(&text) {
                prop_assert_eq!(typed(&code.declassify()), Some(code));
            }
        }
    }
}

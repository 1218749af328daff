//! API tokens: what a program shows with each request, made here, shown once, and found again by a keyed digest.
//!
//! They carry 160 bits of chance, so that nobody guesses one.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::drawn_letters::{Alphabet, DrawnLetters, LETTERS, letter};
use crate::keys::key::{Key, Purpose, keyed};

/// What every token begins with.
const PREFIX: &str = "gp_";

/// Letters of the checksum.
const CHECK: usize = 6;

/// The letters of base32 (RFC 4648 section 6), in lower case.
const ALPHABET: &Alphabet = b"abcdefghijklmnopqrstuvwxyz234567";

/// What opens the API: whoever has it may do what its scopes say.
///
/// It is written as `gp_`, 32 letters of base32, and six more, which are the lowest 30 bits of the CRC-32 of all that is before them. So
/// programs that look through repositories for secrets that were left there can tell one from other text.
#[derive(Clone)]
pub struct BearerToken(DrawnLetters);

impl BearerToken {
    /// A new token, of octets from the system itself.
    #[must_use]
    pub fn generate() -> Self {
        Self(DrawnLetters::draw(ALPHABET))
    }

    /// The token as a program shows it.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + LETTERS + CHECK));
        text.push_str(PREFIX);
        text.push_str(&self.0.declassify());
        let check = check_of(&text);
        text.extend(check.map(char::from));
        text
    }

    /// The token that is written so; `None` if none is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.strip_prefix(PREFIX)?.get(..LETTERS)?;
        let token = Self(DrawnLetters::parse(letters, ALPHABET)?);
        (*token.declassify() == text).then_some(token)
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

fn check_of(text: &str) -> [u8; CHECK] {
    let crc = crc32fast::hash(text.as_bytes());
    [25, 20, 15, 10, 5, 0]
        .map(|place| letter(ALPHABET, u8::try_from((crc >> place) & 31).unwrap_or_default()))
}

/// The key of the digests, derived from the root key of the store.
pub struct ApiTokenKey(Hmac<Sha256>);

impl ApiTokenKey {
    pub(crate) fn new(root: &Key) -> Self {
        Self(keyed(root.derive(Purpose::ApiTokenDigest).as_slice()))
    }

    /// HMAC-SHA-256 of the letters that were drawn: what the store keeps and looks up.
    #[must_use]
    pub fn digest(&self, token: &BearerToken) -> [u8; 32] {
        self.0.clone().chain_update(token.0.octets()).finalize().into_bytes().into()
    }
}

impl fmt::Debug for ApiTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiTokenKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(root: u8) -> ApiTokenKey {
        ApiTokenKey::new(&Key::from_octets(&[root; 32]).unwrap())
    }

    #[test]
    fn a_token_reads_back_and_nothing_else_is_one() {
        let token = BearerToken::generate();
        let text = token.declassify();
        assert_eq!(text.len(), 41);
        assert_eq!(BearerToken::parse(&text).unwrap().declassify(), text);
        let (start, check) = text.split_at(35);
        for other in [
            String::new(),
            "gp_".to_owned(),
            start.to_owned(),
            text.to_uppercase(),
            format!("{}a", *text),
            format!(" {}", *text),
            format!("{start}{}", check.chars().map(|c| if c == 'a' { 'b' } else { 'a' }).collect::<String>()),
        ] {
            assert!(BearerToken::parse(&other).is_none(), "{other:?}");
        }
        assert_ne!(BearerToken::generate().declassify(), text);
    }

    /// Computed apart, with Python's zlib: what looks for tokens elsewhere must not be led astray by another version of ours.
    #[test]
    fn the_checksum_is_crc_32() {
        for text in ["gp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa7ftwj4", "gp_abcdefghijklmnopqrstuvwxyz234567ohgw5m"]
        {
            assert_eq!(*BearerToken::parse(text).unwrap().declassify(), text);
        }
    }

    #[test]
    fn a_digest_is_of_one_token_and_one_key() {
        let token = BearerToken::generate();
        assert_eq!(key(7).digest(&token), key(7).digest(&token));
        assert_ne!(key(7).digest(&token), key(8).digest(&token));
        assert_ne!(key(7).digest(&token), key(7).digest(&BearerToken::generate()));
    }

    #[test]
    fn debug_shows_no_letter() {
        assert_eq!(format!("{:?} {:?}", BearerToken::generate(), key(1)), "BearerToken(…) ApiTokenKey(…)");
    }
}

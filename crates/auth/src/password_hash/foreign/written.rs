//! Hashes as other servers write them: `{SCHEME}…`, `{SCHEME.ENCODING}…`, or `$…`, as crypt(3) has it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::digest::Algorithm;
use crate::password_hash::stored_error::StoredError;

/// Padded or not: both are about.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the schemes of Dovecot are.
const SCHEMES: [(&str, Scheme); 21] = [
    ("ARGON2ID", Scheme::Crypt),
    ("ARGON2I", Scheme::Crypt),
    ("BLF-CRYPT", Scheme::Crypt),
    ("SHA512-CRYPT", Scheme::Crypt),
    ("SHA256-CRYPT", Scheme::Crypt),
    ("MD5-CRYPT", Scheme::Crypt),
    ("CRYPT", Scheme::Crypt),
    ("PBKDF2", Scheme::Pbkdf2),
    ("SSHA512", Scheme::Salted(Algorithm::Sha512)),
    ("SSHA256", Scheme::Salted(Algorithm::Sha256)),
    ("SSHA", Scheme::Salted(Algorithm::Sha1)),
    ("SMD5", Scheme::Salted(Algorithm::Md5)),
    ("SHA512", Scheme::Bare(Algorithm::Sha512)),
    ("SHA256", Scheme::Bare(Algorithm::Sha256)),
    ("SHA1", Scheme::Bare(Algorithm::Sha1)),
    ("SHA", Scheme::Bare(Algorithm::Sha1)),
    ("LDAP-MD5", Scheme::Bare(Algorithm::Md5)),
    ("PLAIN-MD5", Scheme::Bare(Algorithm::Md5)),
    ("PLAIN", Scheme::Clear),
    ("CLEARTEXT", Scheme::Clear),
    ("CLEAR", Scheme::Clear),
];

/// What the text after `{SCHEME}` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `$…`, which says by its first characters what it is.
    Crypt,
    Pbkdf2,
    /// A digest of password and salt, and the salt.
    Salted(Algorithm),
    /// A digest of the password alone.
    Bare(Algorithm),
    /// The password itself.
    Clear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Hex,
    Base64,
}

/// A hash as it is written: `{SCHEME}…`, `{SCHEME.ENCODING}…`, or `$…`, as crypt(3) has it.
pub(crate) struct Written<'a> {
    pub(crate) scheme: Scheme,
    encoding: Option<Encoding>,
    pub(crate) rest: &'a str,
}

impl<'a> Written<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, StoredError> {
        if text.starts_with('$') {
            return Ok(Self { scheme: Scheme::Crypt, encoding: None, rest: text });
        }
        let braced = text.strip_prefix('{').and_then(|text| text.split_once('}'));
        let (name, rest) = braced.ok_or(StoredError::Malformed)?;
        Self::of_scheme(name, rest)
    }

    /// What stands in `rest` is of the scheme with this name.
    pub(crate) fn of_scheme(name: &str, rest: &'a str) -> Result<Self, StoredError> {
        let (name, encoding) = match name.split_once('.') {
            Some((name, encoding)) => (name, Some(Encoding::named(encoding)?)),
            None => (name, None),
        };
        let known = SCHEMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, scheme) = known.ok_or(StoredError::UnknownScheme)?;
        Ok(Self { scheme: *scheme, encoding, rest })
    }

    /// The octets that are written; in base64 if it is not said how.
    pub(super) fn decoded(&self) -> Result<Vec<u8>, StoredError> {
        self.encoding.unwrap_or(Encoding::Base64).decode(self.rest)
    }

    /// The octets of a digest. Dovecot tells by its length whether it is written in hex.
    pub(super) fn digest(&self, algorithm: Algorithm) -> Result<Vec<u8>, StoredError> {
        let is_hex = self.rest.len() == 2 * algorithm.octets();
        let guess = if is_hex { Encoding::Hex } else { Encoding::Base64 };
        self.encoding.unwrap_or(guess).decode(self.rest)
    }

    /// The password that stands there in clear.
    pub(crate) fn clear(&self) -> Result<Vec<u8>, StoredError> {
        self.encoding.map_or_else(|| Ok(self.rest.into()), |encoding| encoding.decode(self.rest))
    }
}

impl Encoding {
    fn named(name: &str) -> Result<Self, StoredError> {
        match name.to_ascii_lowercase().as_str() {
            "hex" => Ok(Self::Hex),
            "b64" | "base64" => Ok(Self::Base64),
            _ => Err(StoredError::UnknownScheme),
        }
    }

    fn decode(self, text: &str) -> Result<Vec<u8>, StoredError> {
        let octets = match self {
            Self::Hex => hex(text),
            Self::Base64 => BASE64.decode(text).ok(),
        };
        octets.ok_or(StoredError::Malformed)
    }
}

pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// A number that says what a check costs, and what it may be at most.
pub(super) fn cost(digits: &str, most: u32) -> Result<u32, StoredError> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(StoredError::Malformed);
    }
    // More digits than a number has is too much as well.
    digits.parse().ok().filter(|cost| *cost <= most).ok_or(StoredError::TooCostly)
}

//! Hashes of crypt(3), told apart by their first characters: bcrypt, SHA-crypt, yescrypt, MD5-crypt.

use sha_crypt::{PasswordVerifier as _, ShaCrypt, password_hash};
use yescrypt::{Params, Yescrypt};

use super::md5_crypt::Md5Crypt;
use super::written::cost;
use crate::password_hash::effort::Effort;
use crate::password_hash::new_password::PASSWORD_OCTETS;
use crate::password_hash::stored_error::StoredError;

/// Two seconds of a core.
const MOST_BCRYPT: u32 = 15;

/// Half a second. The least is what makers of such hashes raise lower numbers to.
const MOST_ROUNDS: u32 = 1_000_000;
const LEAST_ROUNDS: u32 = 1_000;
/// Where none are written.
const DEFAULT_ROUNDS: u32 = 5_000;

/// What one check may take of memory, in octets, as for Argon2.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;

pub(crate) enum Crypt {
    Bcrypt(Costly),
    Sha(Costly),
    Yescrypt(Costly),
    Md5(Md5Crypt),
}

/// A hash that says what its check costs.
pub(crate) struct Costly {
    text: String,
    effort: Effort,
}

impl Costly {
    fn new(text: &str, kind: &'static str, work: u64) -> Self {
        Self { text: text.to_owned(), effort: Effort { kind, work } }
    }
}

impl Crypt {
    pub(super) fn parse(text: &str) -> Result<Self, StoredError> {
        let mut fields = text.split('$').skip(1);
        match fields.next() {
            // $2x$ and $2$ are of programs that got it wrong.
            Some("2a" | "2b" | "2y") => bcrypt(text),
            Some("5") => sha(text, fields.collect(), ("sha256-crypt", 43)),
            Some("6") => sha(text, fields.collect(), ("sha512-crypt", 86)),
            Some("1") => Md5Crypt::parse(&fields.collect::<Vec<_>>()).map(Self::Md5),
            Some("y") => yescrypt(text, fields.collect()),
            _ => Err(StoredError::UnknownScheme),
        }
    }

    pub(super) fn effort(&self) -> Effort {
        match self {
            Self::Bcrypt(hash) | Self::Sha(hash) | Self::Yescrypt(hash) => hash.effort,
            Self::Md5(_) => Effort { kind: "md5-crypt", work: 1 },
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> Option<bool> {
        if password.len() > PASSWORD_OCTETS {
            return Some(false);
        }
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, &hash.text).ok(),
            Self::Sha(hash) => answer(ShaCrypt::default().verify_password(password, hash.text.as_str())),
            Self::Yescrypt(hash) => answer(Yescrypt::default().verify_password(password, hash.text.as_str())),
            Self::Md5(hash) => Some(hash.matches(password)),
        }
    }
}

fn answer(verified: password_hash::Result<()>) -> Option<bool> {
    match verified {
        Ok(()) => Some(true),
        Err(password_hash::Error::PasswordInvalid) => Some(false),
        Err(_) => None,
    }
}

/// `$2b$cost$` and 53 characters of salt and hash.
fn bcrypt(text: &str) -> Result<Crypt, StoredError> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| StoredError::Malformed)?;
    match parts.get_cost() {
        0..4 => Err(StoredError::Malformed),
        cost @ 4..=MOST_BCRYPT => Ok(Crypt::Bcrypt(Costly::new(text, "bcrypt", 1 << cost))),
        _ => Err(StoredError::TooCostly),
    }
}

/// `$6$rounds=n$salt$hash`, where the rounds may be missing.
fn sha(text: &str, fields: Vec<&str>, (kind, length): (&'static str, usize)) -> Result<Crypt, StoredError> {
    let (rounds, hash) = match fields.as_slice() {
        [rounds, _, hash] => {
            let rounds = rounds.strip_prefix("rounds=").ok_or(StoredError::Malformed)?;
            (cost(rounds, MOST_ROUNDS)?, hash)
        }
        [_, hash] => (DEFAULT_ROUNDS, hash),
        _ => return Err(StoredError::Malformed),
    };
    let whole = rounds >= LEAST_ROUNDS && hash.len() == length && is_crypt64(hash);
    let costly = || Crypt::Sha(Costly::new(text, kind, u64::from(rounds)));
    whole.then(costly).ok_or(StoredError::Malformed)
}

/// `$y$params$salt$hash`. The parameters are three characters, unless it is one of the forms that nobody uses.
fn yescrypt(text: &str, fields: Vec<&str>) -> Result<Crypt, StoredError> {
    let [params, salt, hash] = fields.as_slice() else { return Err(StoredError::Malformed) };
    if params.len() != 3 || hash.len() != 43 || !is_crypt64(salt) || !is_crypt64(hash) {
        return Err(StoredError::Malformed);
    }
    let params: Params = params.parse().map_err(|_| StoredError::Malformed)?;
    let memory = u64::from(params.r()).saturating_mul(128).saturating_mul(params.n());
    let costly = || Crypt::Yescrypt(Costly::new(text, "yescrypt", memory));
    (memory <= MOST_MEMORY).then(costly).ok_or(StoredError::TooCostly)
}

fn is_crypt64(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'/'))
}

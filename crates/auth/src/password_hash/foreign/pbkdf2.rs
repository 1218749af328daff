//! PBKDF2 (RFC 8018 section 5.2), as Dovecot writes it and as WildDuck does.

use ::pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use super::written::{BASE64, cost, hex};
use crate::password_hash::effort::Effort;
use crate::password_hash::stored_error::StoredError;
use base64::Engine as _;

/// Half a second for a good core, with SHA-1.
const MOST_ROUNDS: u32 = 2_000_000;

/// As long as the longest digest here. Each digest's length more would cost all the rounds again.
const MOST_OUTPUT: usize = 64;
/// Less could be met by chance.
const LEAST_OUTPUT: usize = 16;

#[derive(Clone, Copy)]
enum Prf {
    Sha1,
    Sha256,
    Sha512,
}

pub(crate) struct Pbkdf2 {
    prf: Prf,
    rounds: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Pbkdf2 {
    /// `$1$salt$rounds$output`, where the salt is what its characters are, and the output is in hex.
    pub(super) fn dovecot(text: &str) -> Result<Self, StoredError> {
        let [salt, rounds, output] = fields(text.strip_prefix("$1$").ok_or(StoredError::Malformed)?)?;
        Self::new(Prf::Sha1, rounds, salt.into(), hex(output))
    }

    /// `$pbkdf2-sha512$i=rounds$salt$output` in base64.
    pub(super) fn phc(text: &str) -> Result<Self, StoredError> {
        let (name, rest) = text.trim_start_matches('$').split_once('$').ok_or(StoredError::Malformed)?;
        let prf = match name {
            "pbkdf2-sha1" => Prf::Sha1,
            "pbkdf2-sha256" => Prf::Sha256,
            "pbkdf2-sha512" => Prf::Sha512,
            _ => return Err(StoredError::UnknownScheme),
        };
        let [rounds, salt, output] = fields(rest)?;
        let rounds = rounds.strip_prefix("i=").ok_or(StoredError::Malformed)?;
        let salt = BASE64.decode(salt).map_err(|_| StoredError::Malformed)?;
        Self::new(prf, rounds, salt, BASE64.decode(output).ok())
    }

    fn new(prf: Prf, rounds: &str, salt: Vec<u8>, output: Option<Vec<u8>>) -> Result<Self, StoredError> {
        let rounds = cost(rounds, MOST_ROUNDS)?;
        let output = output.filter(|output| (LEAST_OUTPUT..=MOST_OUTPUT).contains(&output.len()));
        let output = output.filter(|_| rounds > 0).ok_or(StoredError::Malformed)?;
        Ok(Self { prf, rounds, salt, output })
    }

    /// Each digest's length of output costs all the rounds.
    pub(super) fn effort(&self) -> Effort {
        let (kind, octets) = match self.prf {
            Prf::Sha1 => ("pbkdf2-sha1", 20),
            Prf::Sha256 => ("pbkdf2-sha256", 32),
            Prf::Sha512 => ("pbkdf2-sha512", 64),
        };
        let blocks = u64::try_from(self.output.len().div_ceil(octets)).unwrap_or(u64::MAX);
        Effort { kind, work: u64::from(self.rounds).saturating_mul(blocks) }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut output = vec![0; self.output.len()];
        match self.prf {
            Prf::Sha1 => pbkdf2_hmac::<Sha1>(password, &self.salt, self.rounds, &mut output),
            Prf::Sha256 => pbkdf2_hmac::<Sha256>(password, &self.salt, self.rounds, &mut output),
            Prf::Sha512 => pbkdf2_hmac::<Sha512>(password, &self.salt, self.rounds, &mut output),
        }
        output.ct_eq(&self.output).into()
    }
}

/// Three fields with a `$` between.
fn fields(text: &str) -> Result<[&str; 3], StoredError> {
    let fields: Vec<&str> = text.splitn(4, '$').collect();
    fields.try_into().map_err(|_| StoredError::Malformed)
}

//! `$1$salt$hash`: a thousand rounds of MD5, as FreeBSD had it in 1994 and others after. No crate that is kept does it.

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use crate::password_hash::stored_error::StoredError;

const MAGIC: &[u8] = b"$1$";
const ROUNDS: u32 = 1000;
const SALT_OCTETS: usize = 8;
const HASH_CHARACTERS: usize = 22;
const CRYPT64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// In which order the octets of the digest are written, three as four characters, and one as two.
const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
const LAST: usize = 11;

pub(crate) struct Md5Crypt {
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Md5Crypt {
    pub(super) fn parse(fields: &[&str]) -> Result<Self, StoredError> {
        match fields {
            [salt, hash] if salt.len() <= SALT_OCTETS && hash.len() == HASH_CHARACTERS => {
                Ok(Self { salt: (*salt).into(), hash: (*hash).into() })
            }
            _ => Err(StoredError::Malformed),
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        written(self.digest(password)).as_slice().ct_eq(&self.hash).into()
    }

    fn digest(&self, password: &[u8]) -> [u8; 16] {
        (0..ROUNDS).fold(self.first(password), |digest, round| {
            let odd = round % 2 == 1;
            let mut md5 = Md5::new().chain_update(if odd { password } else { &digest });
            if round % 3 != 0 {
                md5.update(&self.salt);
            }
            if round % 7 != 0 {
                md5.update(password);
            }
            md5.chain_update(if odd { &digest } else { password }).finalize().into()
        })
    }

    fn first(&self, password: &[u8]) -> [u8; 16] {
        let around =
            Md5::new().chain_update(password).chain_update(&self.salt).chain_update(password).finalize();
        let mut md5 = Md5::new().chain_update(password).chain_update(MAGIC).chain_update(&self.salt);
        for chunk in password.chunks(around.len()) {
            md5.update(around.get(..chunk.len()).unwrap_or_default());
        }
        let mut bits = password.len();
        while bits > 0 {
            md5.update(if bits % 2 == 1 { &[0] } else { password.get(..1).unwrap_or_default() });
            bits /= 2;
        }
        md5.finalize().into()
    }
}

fn written(digest: [u8; 16]) -> Vec<u8> {
    let octet = |at: usize| usize::from(digest.get(at).copied().unwrap_or_default());
    let mut text = Vec::with_capacity(HASH_CHARACTERS);
    for [high, middle, low] in ORDER {
        write(&mut text, octet(high) << 16 | octet(middle) << 8 | octet(low), 4);
    }
    write(&mut text, octet(LAST), 2);
    text
}

/// The lowest six bits first.
fn write(text: &mut Vec<u8>, bits: usize, characters: usize) {
    let characters = (0..characters).map(|at| bits >> (6 * at) & 0x3f);
    text.extend(characters.filter_map(|at| CRYPT64.get(at)));
}

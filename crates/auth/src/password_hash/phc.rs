//! An Argon2 hash in a PHC string, read with limits, since a row says what its check costs.

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use subtle::ConstantTimeEq as _;

use crate::password_hash::stored_error::StoredError;

/// Octets of salt and of output. RFC 9106 section 3.1 recommends 16 for the salt.
pub(crate) const SALT_OCTETS: usize = 16;
const OUTPUT_OCTETS: usize = 32;

/// What a row may ask for at most: 256 MiB, 16 passes, 16 lanes. Others' imported hashes stay well below.
const MOST: Cost = Cost { memory_kib: 256 * 1024, passes: 16, lanes: 16 };

/// What a hash costs to make and to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes, computed one after the other.
    pub lanes: u32,
}

impl Default for Cost {
    /// 19 MiB, two passes, one lane: what OWASP recommends; 15 ms of one core.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl Cost {
    /// The work of one run, by which costs are compared: KiB that are filled, in all passes together. Lanes are left out,
    /// since a guesser has as many cores.
    pub(crate) fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// How each hash at this cost begins.
    pub(crate) fn prefix(self) -> String {
        let Self { memory_kib, passes, lanes } = self;
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$")
    }

    fn of(params: &Params) -> Self {
        Self { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }
}

/// A hash to check a password against.
pub(crate) struct Phc {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Phc {
    pub(crate) fn parse(text: &str) -> Result<Self, StoredError> {
        let hash = PasswordHash::new(text).map_err(|_| StoredError::Malformed)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else { return Err(StoredError::Malformed) };
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| StoredError::Malformed)?;
        let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from);
        let version = version.map_err(|_| StoredError::Malformed)?;
        let params = Params::try_from(&hash).map_err(|_| StoredError::Malformed)?;
        if params.m_cost() > MOST.memory_kib || params.t_cost() > MOST.passes || params.p_cost() > MOST.lanes
        {
            return Err(StoredError::TooCostly);
        }
        let output = output.as_bytes().to_vec();
        let argon2 = Argon2::new(algorithm, version, params);
        Ok(Self { argon2, salt: salt.as_ref().to_vec(), output })
    }

    /// A hash that no password is known for: what an account that isn't there is checked against.
    pub(crate) fn unknowable(
        cost: Cost,
        salt: [u8; SALT_OCTETS],
        output: [u8; OUTPUT_OCTETS],
    ) -> Option<Self> {
        Some(Self { argon2: argon2id(cost)?, salt: salt.to_vec(), output: output.to_vec() })
    }

    /// The work of a check.
    pub(crate) fn work(&self) -> u64 {
        Cost::of(self.argon2.params()).work()
    }

    /// Whether `password` has this hash. Costs what the hash says, whatever the answer.
    pub(crate) fn matches(&self, password: &[u8], arena: &mut Vec<Block>) -> Option<bool> {
        let mut output = vec![0; self.output.len()];
        run(&self.argon2, password, &self.salt, &mut output, arena)?;
        Some(output.ct_eq(&self.output).into())
    }
}

/// The PHC string of `password`. `None` when the cost is out of Argon2's range.
pub(crate) fn hash(
    cost: Cost,
    password: &[u8],
    salt: [u8; SALT_OCTETS],
    arena: &mut Vec<Block>,
) -> Option<String> {
    let mut output = [0; OUTPUT_OCTETS];
    run(&argon2id(cost)?, password, &salt, &mut output, arena)?;
    Some(format!("{}{}${}", cost.prefix(), BASE64.encode(salt), BASE64.encode(output)))
}

fn argon2id(cost: Cost) -> Option<Argon2<'static>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(OUTPUT_OCTETS)).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// One run of Argon2 in an arena that is grown when it is too small and otherwise used as it is: fresh memory
/// costs a quarter of the time in page faults.
fn run(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    arena: &mut Vec<Block>,
) -> Option<()> {
    let blocks = argon2.params().block_count();
    if arena.len() < blocks {
        arena.resize(blocks, Block::new());
    }
    argon2.hash_password_into_with_memory(password, salt, output, arena.get_mut(..blocks)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

    #[test]
    fn a_hash_matches_its_password_and_no_other() {
        let mut arena = Vec::new();
        let text = hash(CHEAP, b"secret", [3; SALT_OCTETS], &mut arena).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{text}");
        let phc = Phc::parse(&text).unwrap();
        assert_eq!(phc.matches(b"secret", &mut arena), Some(true));
        for wrong in [&b"Secret"[..], b"secret ", b"", b"secre", b"secret\0"] {
            assert_eq!(phc.matches(wrong, &mut arena), Some(false), "{wrong:?}");
        }
    }

    #[test]
    fn an_arena_that_was_used_changes_no_result() {
        let mut arena = Vec::new();
        let big = Cost { memory_kib: 64, ..CHEAP };
        hash(big, b"other", [9; SALT_OCTETS], &mut arena).unwrap();
        let used = hash(CHEAP, b"secret", [3; SALT_OCTETS], &mut arena);
        assert_eq!(used, hash(CHEAP, b"secret", [3; SALT_OCTETS], &mut Vec::new()));
    }

    #[test]
    fn a_hash_made_by_dovecot_matches() {
        let dovecot = "$argon2id$v=19$m=65536,t=3,p=1$QyvXrB9WOoFFPoXXbb0quw\
                       $1ezdBEQQoyBwDictSogJ9KEwqOEJGkV6c/EP+fNdK/Y";
        assert_eq!(Phc::parse(dovecot).unwrap().matches(b"secret", &mut Vec::new()), Some(true));
    }

    #[test]
    fn a_row_cannot_ask_for_a_gigabyte_or_an_hour() {
        for cost in ["m=4194304,t=1,p=1", "m=19456,t=1000,p=1", "m=19456,t=2,p=200"] {
            let text = format!("$argon2id$v=19${cost}$c2FsdHNhbHRzYWx0$1ezdBEQQoyBwDictSogJ9A");
            assert_eq!(Phc::parse(&text).err(), Some(StoredError::TooCostly), "{cost}");
        }
    }

    #[test]
    fn what_is_no_argon2_hash_is_told_so() {
        for text in
            ["", "secret", "$6$salt$hash", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0", "$argon2id$"]
        {
            assert_eq!(Phc::parse(text).err(), Some(StoredError::Malformed), "{text}");
        }
    }
}

//! The salt and the iterations of SCRAM: the same function for every name, so that nobody learns who exists.

use hmac::Mac as _;
use sasl::ScramParameters;
use types::Mailbox;

use crate::keys::key::{Key, Purpose, keyed};

/// PBKDF2's, in SCRAM. RFC 7677 section 4 asks for 4096 at least. It is the client that pays, at every login; ours are
/// sealed besides. Another number makes the keys that were kept worthless.
const ITERATIONS: u32 = 20_000;

/// RFC 5802 section 5.1 names no length; RFC 8018 section 4.1 asks for 8 octets at least.
pub(crate) const SALT_OCTETS: usize = 16;

/// What SCRAM makes keys with for this name. An address is the same in all its spellings.
pub(crate) fn scram_parameters(root: &Key, name: &str) -> ScramParameters {
    let normal = Mailbox::parse(name).map_or_else(|_| name.to_owned(), |address| address.normal());
    let digest = keyed(root.derive(Purpose::ScramSalt).as_slice()).chain_update(normal).finalize();
    let salt = digest.into_bytes().iter().copied().take(SALT_OCTETS).collect();
    ScramParameters { salt, iterations: ITERATIONS }
}

//! What opens the setting up of a device or an account: 160 random bits at the end of a link, which the store knows by a keyed digest alone.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::drawn_letters::{Alphabet, DrawnLetters};
use crate::keys::key::{Key, Purpose, keyed};

/// Crockford's base32 in lower case: no `i`, `l`, `o` or `u` to be misread.
const ALPHABET: &Alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The end of a link: whoever has it gets in.
#[derive(Clone)]
pub struct EnrolmentLink(DrawnLetters);

impl EnrolmentLink {
    /// A new one, of octets from the system itself.
    #[must_use]
    pub fn generate() -> Self {
        Self(DrawnLetters::draw(ALPHABET))
    }

    /// The end of the link as text: 32 characters of base32.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        self.0.declassify()
    }

    /// The end of a link that is written so; `None` if none is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        DrawnLetters::parse(text, ALPHABET).map(Self)
    }
}

impl fmt::Debug for EnrolmentLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentLink(…)")
    }
}

/// The key of the digests, derived from the root key of the store.
pub struct EnrolmentLinkKey(Hmac<Sha256>);

impl EnrolmentLinkKey {
    pub(crate) fn new(root: &Key) -> Self {
        Self(keyed(root.derive(Purpose::EnrolmentLinkDigest).as_slice()))
    }

    /// HMAC-SHA-256 of the end of the link: what the store keeps and looks up.
    #[must_use]
    pub fn digest(&self, link: &EnrolmentLink) -> [u8; 32] {
        self.0.clone().chain_update(link.0.octets()).finalize().into_bytes().into()
    }

    /// What the browser with this cookie is known again by. No link has a blank in it.
    #[must_use]
    pub fn browser(&self, cookie: &str) -> [u8; 32] {
        let digest = self.0.clone().chain_update(b"browser ");
        digest.chain_update(cookie.as_bytes()).finalize().into_bytes().into()
    }
}

impl fmt::Debug for EnrolmentLinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentLinkKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(root: u8) -> EnrolmentLinkKey {
        EnrolmentLinkKey::new(&Key::from_octets(&[root; 32]).unwrap())
    }

    #[test]
    fn a_link_reads_back_and_nothing_else_is_one() {
        let link = EnrolmentLink::generate();
        let text = link.declassify();
        assert_eq!(text.len(), 32);
        assert_eq!(EnrolmentLink::parse(&text).unwrap().declassify(), text);
        assert!(EnrolmentLink::parse(&"o".repeat(32)).is_none(), "an `o` could be misread");
    }

    #[test]
    fn a_digest_is_of_one_link_and_one_key_and_of_no_browser() {
        let link = EnrolmentLink::generate();
        assert_eq!(key(7).digest(&link), key(7).digest(&link));
        assert_ne!(key(7).digest(&link), key(8).digest(&link));
        assert_ne!(key(7).digest(&link), key(7).digest(&EnrolmentLink::generate()));
        assert_ne!(key(7).browser(&link.declassify()), key(7).digest(&link));
        assert_ne!(key(7).browser("one"), key(7).browser("other"));
    }

    #[test]
    fn debug_shows_no_character() {
        let shown = format!("{:?} {:?}", EnrolmentLink::generate(), key(1));
        assert_eq!(shown, "EnrolmentLink(…) EnrolmentLinkKey(…)");
    }
}

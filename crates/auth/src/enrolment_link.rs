//! What opens the setting up of a device or an account: 160 random bits at the end of a link, which the store knows by a keyed digest alone.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::keys::key::{Key, Purpose, keyed, random};

/// Characters at the end of a link: 32^32 is 160 bits.
const CHARACTERS: usize = 32;

/// Crockford's base32 in lower case: no `i`, `l`, `o` or `u` to be misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The end of a link: whoever has it gets in.
#[derive(Clone)]
pub struct EnrolmentLink(Zeroizing<[u8; CHARACTERS]>);

impl EnrolmentLink {
    /// A new one, of octets from the system itself.
    #[must_use]
    pub fn generate() -> Self {
        let octets = Zeroizing::new(random::<CHARACTERS>());
        // Each octet has five bits of one character; 32 divides 256, so that each is as likely as any other.
        let digit = |octet: u8| ALPHABET.get(usize::from(octet & 31)).copied().unwrap_or_default();
        Self(Zeroizing::new(octets.map(digit)))
    }

    /// The end of the link as text: 32 characters of base32.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().copied().map(char::from).collect())
    }

    /// The end of a link that is written so; `None` if none is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let characters: [u8; CHARACTERS] = text.as_bytes().try_into().ok()?;
        let characters = Zeroizing::new(characters);
        characters.iter().all(|character| ALPHABET.contains(character)).then_some(Self(characters))
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
        self.0.clone().chain_update(link.0.as_slice()).finalize().into_bytes().into()
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
        assert_eq!(EnrolmentLink::parse(&text).unwrap().0, link.0);
        for other in
            ["", "x", &format!("{}0", *text), &text.replace(|_| true, "o"), &text.replace(|_| true, "A")]
        {
            assert!(EnrolmentLink::parse(other).is_none(), "{other:?}");
        }
        assert_ne!(EnrolmentLink::generate().declassify(), text);
    }

    #[test]
    fn every_character_is_drawn() {
        let mut seen: Vec<u8> = (0..100).flat_map(|_| *EnrolmentLink::generate().0).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, ALPHABET);
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

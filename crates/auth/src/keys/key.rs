//! Keys of 32 octets, and the keys that are derived from them.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a derived key is for; two purposes never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The digest by which an app password is found.
    AppPasswordDigest,
    /// The digest by which a recovery code is found.
    RecoveryCodeDigest,
    /// The digest by which a browser session is found.
    SessionTokenDigest,
    /// The digest by which an API token is found.
    ApiTokenDigest,
    /// What forms of a browser session carry.
    SessionForms,
    /// The digest by which a link is found that sets up a device or an account.
    EnrolmentLinkDigest,
    /// What tells one failed login from another, and one correspondent from another.
    BlindDigest,
    /// What finds an app password of another server by its first letters.
    Selector,
    /// The salt that SCRAM gives out for a name.
    ScramSalt,
    /// What secrets are sealed with.
    Seal,
    /// What tells a master key from another of the same number.
    MasterKeyDigest,
}

impl Purpose {
    /// The `info` of HKDF (RFC 5869 section 3.2). Changing one makes everything derived with it worthless.
    fn info(self) -> &'static [u8] {
        match self {
            Purpose::AppPasswordDigest => b"gatepost app-password digest 1",
            Purpose::RecoveryCodeDigest => b"gatepost recovery-code digest 1",
            Purpose::SessionTokenDigest => b"gatepost session-token digest 1",
            Purpose::ApiTokenDigest => b"gatepost api-token digest 1",
            Purpose::SessionForms => b"gatepost session forms 1",
            Purpose::EnrolmentLinkDigest => b"gatepost enrolment-link digest 1",
            Purpose::BlindDigest => b"gatepost mark 1",
            Purpose::Selector => b"gatepost app-password selector 1",
            Purpose::ScramSalt => b"gatepost scram salt 1",
            Purpose::Seal => b"gatepost seal 1",
            Purpose::MasterKeyDigest => b"gatepost master key digest 1",
        }
    }
}

/// A key from which others are derived.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A new one.
    pub(crate) fn random() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// The key with these octets, if they are 32.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Zeroizing::new).map(Self)
    }

    /// The octets, to be stored or compared.
    pub(crate) fn declassify(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The key for one purpose. The same key and purpose always give the same.
    pub(crate) fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        // RFC 5869 section 2.3: expanding fails only beyond 255 hash lengths; this is one.
        let expanded =
            Hkdf::<Sha256>::new(None, self.declassify()).expand(purpose.info(), key.as_mut_slice());
        debug_assert!(expanded.is_ok());
        key
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// HMAC-SHA-256 under `key`, ready to take what is to be digested.
#[expect(clippy::expect_used, reason = "RFC 2104 section 3: HMAC takes a key of any length")]
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length")
}

/// Octets from the system itself, not from a generator of ours: a copied virtual machine would repeat what such a
/// one draws.
#[expect(clippy::expect_used, reason = "getrandom(2) does not fail once the system has started")]
pub(crate) fn random<const OCTETS: usize>() -> [u8; OCTETS] {
    let mut octets = [0; OCTETS];
    SysRng.try_fill_bytes(&mut octets).expect("random octets from the system");
    octets
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    #[test]
    fn the_derived_key_of_a_known_key_never_changes() {
        // Else everything digested or sealed in the field would be worthless. Computed apart, with Python's hmac.
        let octets: Vec<u8> = (0..32).collect();
        let key = Key::from_octets(&octets).unwrap();
        for (purpose, derived) in [
            (Purpose::AppPasswordDigest, "rNhTMXT6ccZgh+/mhbBcz8+fQMBUUtw23hBrgwjOWcU="),
            (Purpose::RecoveryCodeDigest, "zzKrpGzRb1CjZ6kPsfKKP+fKUkaKVbZrcZCvkU2VBTA="),
            (Purpose::SessionTokenDigest, "nbw0GabSSZjsmV5OJTa5tzhSJKNGQC28JRuUUPNFssk="),
            (Purpose::ApiTokenDigest, "uL9GFjzR5WsKPydwczMfd3neV1TucbYnLOxDyY/PGpI="),
            (Purpose::SessionForms, "+OKkqhnRMvYr9FTJKUrBHe8KuC4ZhdjpwFh4349TYeE="),
            (Purpose::EnrolmentLinkDigest, "Nsi6Cml4XnRlN6Tc0RiVG8f3Yw/0+ulLFn/NvjKcgRQ="),
            (Purpose::BlindDigest, "3mX40OX3nsrOWPeoQFjM5Qh+wtRrX9uD1y1A47hyXX0="),
            (Purpose::Selector, "yFUsjTGp5t6l5trFuQgukrzjJsMQHKzL7ij2qqtJa6U="),
            (Purpose::ScramSalt, "SUyOdkmmT89vlwJiV36SRRq+UHUMn3c7H+of1OIrgfg="),
            (Purpose::Seal, "ethFpAiKgwl3A5066RDadukguzKQepRw4fGUD9LpY2U="),
            (Purpose::MasterKeyDigest, "XBAnpfKKavHV7GcIh1/RNXBBBL55JODu3R6wGvRem2o="),
        ] {
            assert_eq!(BASE64.encode(*key.derive(purpose)), derived, "{purpose:?}");
        }
    }

    #[test]
    fn a_key_has_32_octets_and_shows_none() {
        assert!(Key::from_octets(&[0; 31]).is_none() && Key::from_octets(&[0; 33]).is_none());
        assert_eq!(format!("{:?}", Key::random()), "Key(…)");
        assert_ne!(Key::random().declassify(), Key::random().declassify());
    }
}

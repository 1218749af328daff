//! The secret of a webhook, and what is signed with it, as <https://www.standardwebhooks.com> has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::Mac as _;
use jiff::Timestamp;
use types::Secret;
use zeroize::Zeroizing;

use crate::keys::key::{keyed, random};

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// Octets of a secret.
const OCTETS: usize = 32;

/// What a receiver knows deliveries by: whoever has it can make them, too.
#[derive(Clone)]
pub struct WebhookSecret(Secret);

impl WebhookSecret {
    /// A new one, of octets from the system itself.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(random::<OCTETS>()))
    }

    /// The one that has these octets.
    #[must_use]
    pub fn of(octets: Secret) -> Self {
        Self(octets)
    }

    /// Its octets, to be sealed.
    #[must_use]
    pub fn octets(&self) -> &Secret {
        &self.0
    }

    /// The secret as a receiver is given it.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(BASE64.encode(self.0.declassify()));
        Zeroizing::new([PREFIX, encoded.as_str()].concat())
    }

    /// The signature of a body that is sent under this identifier at this time.
    #[must_use]
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        let signed = format!("{id}.{}.{body}", at.as_second());
        let digest = keyed(self.0.declassify()).chain_update(signed.as_bytes()).finalize().into_bytes();
        format!("v1,{}", BASE64.encode(digest))
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries, and another; both computed with the one in Python.
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        for (secret, id, second, body, signature) in [
            (
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLBSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                "{\"test\": 2432232314}",
                "v1,7ZfhzVPycx30h5Eir9xwJqcFoOghCm5l42bMJlk8dp8=",
            ),
            (
                "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                "{\"email\":\"test@example.com\",\"username\":\"test_user\"}",
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
        ] {
            let secret = WebhookSecret::of(Secret::new(BASE64.decode(secret).unwrap()));
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(secret.sign(id, at, body), signature);
        }
    }

    #[test]
    fn a_secret_is_shown_in_base64_behind_its_prefix() {
        let secret = WebhookSecret::of(Secret::new([0u8; 24]));
        assert_eq!(*secret.declassify(), format!("whsec_{}", "A".repeat(32)));
        assert_eq!(WebhookSecret::generate().octets().declassify().len(), 32);
        assert_ne!(WebhookSecret::generate().declassify(), WebhookSecret::generate().declassify());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}

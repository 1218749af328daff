//! A second factor: as it is prepared, its recovery codes, and how it stands.

use std::fmt;

use auth::recovery_code::{CODES, RecoveryCode};
use auth::totp::Seed;
use jiff::Timestamp;
use serde::Serialize;
use types::Mailbox;
use zeroize::Zeroizing;

use super::secret;

/// What an authenticator app needs, shown this once.
#[derive(Serialize)]
pub struct Enrolled {
    /// For a QR code.
    #[serde(serialize_with = "secret::shown")]
    pub uri: Zeroizing<String>,
    /// To type instead: the seed in base32.
    #[serde(serialize_with = "secret::shown")]
    pub secret: Zeroizing<String>,
}

/// The recovery codes, shown this once.
#[derive(Serialize)]
pub struct RecoveryCodes {
    /// Each stands in once for the app.
    #[serde(serialize_with = "secret::shown_each")]
    pub recovery_codes: Vec<Zeroizing<String>>,
}

/// How a second factor stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecondFactor {
    /// The account.
    pub address: String,
    /// When it was prepared.
    pub enrolled_at: Option<Timestamp>,
    /// Since when it is on.
    pub confirmed_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

impl Enrolled {
    pub(crate) fn of(seed: &Seed, hostname: &str, address: &Mailbox) -> Self {
        Self { uri: seed.uri(hostname, address), secret: seed.base32() }
    }
}

impl RecoveryCodes {
    pub(crate) fn of(codes: &[RecoveryCode; CODES]) -> Self {
        Self { recovery_codes: codes.iter().map(RecoveryCode::declassify).collect() }
    }
}

impl SecondFactor {
    pub(crate) fn of(address: &Mailbox, found: Option<&store::SecondFactor>) -> Self {
        Self {
            address: address.to_string(),
            enrolled_at: found.map(|factor| factor.enrolled_at),
            confirmed_at: found.and_then(|factor| factor.confirmed_at),
            recovery_codes: found.map_or(0, |factor| factor.recovery_codes),
        }
    }
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolled(…)")
    }
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCodes(…)")
    }
}

#[cfg(test)]
mod tests {
    use types::Secret;

    use super::*;

    #[test]
    fn the_json_of_a_new_second_factor_has_the_promised_keys() {
        let seed = Seed::from_octets(Secret::new("12345678901234567890")).unwrap();
        let enrolled = Enrolled::of(&seed, "mail.example.org", &Mailbox::parse("alice@example.org").unwrap());
        assert_eq!(
            serde_json::to_value(enrolled).unwrap(),
            serde_json::json!({
                "uri": "otpauth://totp/mail.example.org:alice%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=mail.example.org",
                "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            })
        );
    }

    #[test]
    fn the_json_of_recovery_codes_is_a_list_of_them() {
        let codes = RecoveryCodes { recovery_codes: vec![Zeroizing::new("abcd-efgh".to_owned())] };
        assert_eq!(
            serde_json::to_value(codes).unwrap(),
            serde_json::json!({"recovery_codes": ["abcd-efgh"]})
        );
    }
}

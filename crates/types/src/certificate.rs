//! A client's certificate, and how it is known again.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

/// A certificate that a client has shown, and whose private key it has (RFC 8446 section 4.4.3). Nothing else is proved
/// by it: who signed it was not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// The whole of it, DER.
    pub der: Vec<u8>,
    /// From when on it is valid.
    pub not_before: SystemTime,
    /// Until when.
    pub not_after: SystemTime,
}

impl ClientCertificate {
    /// A certificate in DER, known by `fingerprint`, and when it is valid.
    #[must_use]
    pub const fn new(
        fingerprint: Fingerprint,
        der: Vec<u8>,
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Self {
        Self { fingerprint, der, not_before, not_after }
    }
}

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// Not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint: write the 64 hexadecimal digits of its SHA-256, with or without colons")]
pub struct BadFingerprint;

impl Fingerprint {
    /// The fingerprint with these octets.
    #[must_use]
    pub const fn from_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// Its octets.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02X}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let separated = text.contains(':');
        let digits: Vec<u32> = text
            .chars()
            .filter(|character| *character != ':')
            .map(|character| character.to_digit(16).ok_or(BadFingerprint))
            .collect::<Result<_, _>>()?;
        let pairs = digits.chunks(2).map(|pair| pair.iter().fold(0, |value, digit| value * 16 + digit));
        let octets: Vec<u8> = pairs.filter_map(|octet| u8::try_from(octet).ok()).collect();
        let fingerprint = octets.try_into().map(Self).map_err(|_| BadFingerprint)?;
        let colons_fit = !separated || text.split(':').all(|pair| pair.len() == 2);
        if colons_fit && digits.len() == 64 { Ok(fingerprint) } else { Err(BadFingerprint) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_with_and_without_colons() {
        let fingerprint = Fingerprint::from_octets({
            let mut octets = [0; 32];
            octets.iter_mut().zip((0..).step_by(7)).for_each(|(octet, value)| *octet = value);
            octets
        });
        let shown = fingerprint.to_string();
        assert!(shown.starts_with("00:07:0E:15:"), "{shown}");
        for written in [shown.clone(), shown.to_lowercase(), shown.replace(':', "")] {
            assert_eq!(written.parse(), Ok(fingerprint));
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_none() {
        let right = "AB".repeat(32);
        for wrong in [
            "",
            right.trim_end_matches('B'),
            &"AB".repeat(31),
            &format!("{right}A"),
            &format!("{right}AB"),
            &right.replacen('A', "g", 1),
            &right.replacen('A', ":", 1),
            &format!("A:B{}", "AB".repeat(31)),
            &format!("{right}:"),
            &right.replacen("AB", "é", 1),
        ] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(BadFingerprint), "{wrong}");
        }
    }
}

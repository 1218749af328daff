//! The algorithms that tokens may be signed by (RFC 7518 section 3.1, RFC 8037), all of them with a key that the issuer alone
//! has.

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve};

/// How a provider signs. HMAC is not here: who can check such a token could also make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl SignatureAlgorithm {
    /// As `alg` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(crate) fn meant(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Ps256 => Algorithm::PS256,
            Self::Ps384 => Algorithm::PS384,
            Self::Ps512 => Algorithm::PS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }

    /// Whether a key of this kind signs by it.
    pub(crate) fn fits(self, key: &AlgorithmParameters) -> bool {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                matches!(key, AlgorithmParameters::RSA(_))
            }
            Self::Es256 => has_curve(key, &EllipticCurve::P256),
            Self::Es384 => has_curve(key, &EllipticCurve::P384),
            Self::EdDsa => {
                matches!(key, AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519)
            }
        }
    }
}

fn has_curve(key: &AlgorithmParameters, curve: &EllipticCurve) -> bool {
    matches!(key, AlgorithmParameters::EllipticCurve(point) if point.curve == *curve)
}

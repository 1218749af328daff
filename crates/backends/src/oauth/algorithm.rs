//! Algorithms of signatures, as jsonwebtoken has them (RFC 7518 section 3.1, RFC 8037).

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve};
use types::SignatureAlgorithm;

/// The same algorithm, in the words of jsonwebtoken.
pub(crate) fn in_jwt(algorithm: SignatureAlgorithm) -> Algorithm {
    match algorithm {
        SignatureAlgorithm::Rs256 => Algorithm::RS256,
        SignatureAlgorithm::Rs384 => Algorithm::RS384,
        SignatureAlgorithm::Rs512 => Algorithm::RS512,
        SignatureAlgorithm::Ps256 => Algorithm::PS256,
        SignatureAlgorithm::Ps384 => Algorithm::PS384,
        SignatureAlgorithm::Ps512 => Algorithm::PS512,
        SignatureAlgorithm::Es256 => Algorithm::ES256,
        SignatureAlgorithm::Es384 => Algorithm::ES384,
        SignatureAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// Whether a key of this kind signs by the algorithm.
pub(crate) fn signs_by(key: &AlgorithmParameters, algorithm: SignatureAlgorithm) -> bool {
    match algorithm {
        SignatureAlgorithm::Rs256
        | SignatureAlgorithm::Rs384
        | SignatureAlgorithm::Rs512
        | SignatureAlgorithm::Ps256
        | SignatureAlgorithm::Ps384
        | SignatureAlgorithm::Ps512 => matches!(key, AlgorithmParameters::RSA(_)),
        SignatureAlgorithm::Es256 => has_curve(key, &EllipticCurve::P256),
        SignatureAlgorithm::Es384 => has_curve(key, &EllipticCurve::P384),
        SignatureAlgorithm::EdDsa => {
            matches!(key, AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519)
        }
    }
}

fn has_curve(key: &AlgorithmParameters, curve: &EllipticCurve) -> bool {
    matches!(key, AlgorithmParameters::EllipticCurve(point) if point.curve == *curve)
}

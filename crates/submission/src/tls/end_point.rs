//! `tls-server-end-point` (RFC 5929 section 4): a login is bound to the server's certificate, by a hash of it.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::signature_algorithm::{RsaSsaPssParams, SignatureAlgorithm};
use x509_parser::x509::AlgorithmIdentifier;

type Hash = fn(&[u8]) -> Vec<u8>;

/// The certificate's hash, by the function its signature is made with, or a better one in place of MD5 and SHA-1
/// (RFC 5929 section 4.1). None where there is no such function, as with Ed25519: the standard leaves that open, and a
/// client could only guess what we have chosen.
pub(crate) fn binding(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    hash_of(&parsed.signature_algorithm).map(|hash| hash(certificate))
}

fn hash_of(signature: &AlgorithmIdentifier<'_>) -> Option<Hash> {
    match SignatureAlgorithm::try_from(signature).ok()? {
        SignatureAlgorithm::RSASSA_PSS(params) => of_pss(&params),
        _ => of_signature(&signature.algorithm.to_id_string()),
    }
}

/// RFC 8017, RFC 5758.
fn of_signature(name: &str) -> Option<Hash> {
    match name {
        // md5WithRSAEncryption, sha1WithRSAEncryption, ecdsa-with-SHA1
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => Some(hash::<Sha256>),
        // sha224WithRSAEncryption, ecdsa-with-SHA224, and so on
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => Some(hash::<Sha224>),
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => Some(hash::<Sha256>),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(hash::<Sha384>),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(hash::<Sha512>),
        _ => None,
    }
}

/// Two functions may be in it, which are one with every authority that follows RFC 8017's advice.
fn of_pss(params: &RsaSsaPssParams<'_>) -> Option<Hash> {
    let (message, mask) = (params.hash_algorithm_oid(), params.mask_gen_algorithm().ok()?.hash);
    if *message != mask {
        return None;
    }
    match message.to_id_string().as_str() {
        "1.3.14.3.2.26" => Some(hash::<Sha256>),
        "2.16.840.1.101.3.4.2.4" => Some(hash::<Sha224>),
        "2.16.840.1.101.3.4.2.1" => Some(hash::<Sha256>),
        "2.16.840.1.101.3.4.2.2" => Some(hash::<Sha384>),
        "2.16.840.1.101.3.4.2.3" => Some(hash::<Sha512>),
        _ => None,
    }
}

fn hash<H: Digest>(octets: &[u8]) -> Vec<u8> {
    H::digest(octets).to_vec()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn signed(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        CertificateParams::default().self_signed(&key).unwrap().der().to_vec()
    }

    /// The name of the algorithm stands in a certificate twice (RFC 5280 section 4.1.1.2).
    fn renamed(certificate: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut renamed = certificate.to_vec();
        let places: Vec<_> =
            certificate.windows(from.len()).enumerate().filter(|(_, seen)| *seen == from).collect();
        assert_eq!(places.len(), 2);
        for (place, _) in places {
            renamed[place..place + to.len()].copy_from_slice(to);
        }
        renamed
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (algorithm, hash) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, hash::<Sha256> as Hash),
            (&rcgen::PKCS_ECDSA_P384_SHA384, hash::<Sha384>),
            (&rcgen::PKCS_ECDSA_P521_SHA512, hash::<Sha512>),
            (&rcgen::PKCS_RSA_SHA256, hash::<Sha256>),
            (&rcgen::PKCS_RSA_SHA384, hash::<Sha384>),
            (&rcgen::PKCS_RSA_SHA512, hash::<Sha512>),
        ] {
            let certificate = signed(algorithm);
            assert_eq!(binding(&certificate), Some(hash(&certificate)), "{algorithm:?}");
        }
    }

    #[test]
    fn weak_hashes_give_way_to_a_better_one() {
        // 1.2.840.113549.1.1 and 1.2.840.10045.4, DER.
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
        let sound = signed(&rcgen::PKCS_RSA_SHA256);
        for (last, hash) in [(4, hash::<Sha256> as Hash), (5, hash::<Sha256>), (14, hash::<Sha224>)] {
            let certificate = renamed(&sound, &[&rsa[..], &[11]].concat(), &[&rsa[..], &[last]].concat());
            assert_eq!(binding(&certificate), Some(hash(&certificate)), "{last}");
        }
        // md2WithRSAEncryption is in no browser's nor our list.
        let certificate = renamed(&sound, &[&rsa[..], &[11]].concat(), &[&rsa[..], &[2]].concat());
        assert_eq!(binding(&certificate), None);
    }

    #[test]
    fn rsassa_pss_has_its_hash_beside_its_name() {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("end_point/pss.pem")).unwrap();
        assert_eq!(binding(&certificate), Some(hash::<Sha384>(&certificate)));
        // 2.16.840.1.101.3.4.2.2: of the message and of the mask, in the certificate and behind it.
        let sha384 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
        let places: Vec<_> =
            (0..certificate.len() - 8).filter(|place| certificate[*place..].starts_with(&sha384)).collect();
        assert_eq!(places.len(), 4);
        let mut two = certificate.to_vec();
        for place in [places[0], places[2]] {
            two[place + 8] = 1;
        }
        assert_eq!(binding(&two), None);
    }

    #[test]
    fn without_a_hash_there_is_no_binding() {
        assert_eq!(binding(&signed(&rcgen::PKCS_ED25519)), None);
        assert_eq!(binding(b"no certificate"), None);
    }
}

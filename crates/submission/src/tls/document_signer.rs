//! Signing documents in the server's name, with the key of its certificate: for whoever gets a file and asks where it is from.

use std::fmt;
use std::sync::Arc;

use rustls::sign::{CertifiedKey, Signer};
use rustls::{SignatureScheme, pki_types::CertificateDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::error::TlsError;
use super::identity::Identity;

/// How a document is signed.
///
/// Exhaustive: whoever writes a signature down has to name its algorithm and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaSha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaSha384,
    /// RSA as PKCS#1 v1.5 has it, with SHA-256 (RFC 8017 section 8.2).
    RsaSha256,
}

impl DocumentAlgorithm {
    const ALL: [Self; 3] = [Self::EcdsaSha256, Self::EcdsaSha384, Self::RsaSha256];

    const fn scheme(self) -> SignatureScheme {
        match self {
            Self::EcdsaSha256 => SignatureScheme::ECDSA_NISTP256_SHA256,
            Self::EcdsaSha384 => SignatureScheme::ECDSA_NISTP384_SHA384,
            Self::RsaSha256 => SignatureScheme::RSA_PKCS1_SHA256,
        }
    }
}

/// Signs documents with the certificate that was in use when it was made, and its key.
#[non_exhaustive]
pub struct DocumentSigner {
    /// How.
    pub algorithm: DocumentAlgorithm,
    /// Who has issued the certificate: its `issuer`, in DER.
    pub issuer: Vec<u8>,
    /// The octets of its `serialNumber`.
    pub serial: Vec<u8>,
    key: Arc<CertifiedKey>,
    signer: Box<dyn Signer>,
}

impl DocumentSigner {
    /// Those certificates that a reader can follow to one it trusts, the server's own first.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.key.cert.iter().map(AsRef::as_ref)
    }

    /// The signature over this, which is hashed here. That of ECDSA is in DER.
    ///
    /// # Errors
    /// When the TLS library fails.
    pub fn sign(&self, document: &[u8]) -> Result<Vec<u8>, TlsError> {
        self.signer.sign(document).map_err(TlsError::Setup)
    }
}

impl fmt::Debug for DocumentSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentSigner").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Identity {
    /// What signs documents in the name of this server. `None` if nobody could tell that it is its name, since the certificate vouches for
    /// itself; or if its key is of a kind that readers of signed documents do not know, such as Ed25519.
    #[must_use]
    pub fn document_signer(&self) -> Option<DocumentSigner> {
        let key = Arc::clone(&self.current().key);
        let (issuer, serial) = issued(key.end_entity_cert().ok()?)?;
        let chosen =
            |algorithm: DocumentAlgorithm| Some((algorithm, key.key.choose_scheme(&[algorithm.scheme()])?));
        let (algorithm, signer) = DocumentAlgorithm::ALL.into_iter().find_map(chosen)?;
        Some(DocumentSigner { algorithm, issuer, serial, key, signer })
    }
}

/// Issuer and serial number, unless the certificate has issued itself.
fn issued(own: &CertificateDer<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, parsed) = X509Certificate::from_der(own).ok()?;
    let (issuer, subject) = (parsed.issuer().as_raw(), parsed.subject().as_raw());
    (issuer != subject).then(|| (issuer.to_vec(), parsed.raw_serial().to_vec()))
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SignatureAlgorithm,
    };
    use rustls::pki_types::PrivatePkcs8KeyDer;

    use super::*;

    fn signer(algorithm: &'static SignatureAlgorithm, is_issued: bool) -> Option<DocumentSigner> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "An authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let mut own = CertificateParams::new(["a.test".to_owned()]).unwrap();
        own.distinguished_name.push(DnType::CommonName, "A server");
        let key = KeyPair::generate_for(algorithm).unwrap();
        let made = if is_issued { own.signed_by(&key, &issuer) } else { own.self_signed(&key) };
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        Identity::new(vec![made.unwrap().der().clone()], private.into()).unwrap().document_signer()
    }

    #[test]
    fn the_kind_of_the_key_says_how_documents_are_signed_and_whether() {
        for (algorithm, expected) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Some(DocumentAlgorithm::EcdsaSha256)),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Some(DocumentAlgorithm::EcdsaSha384)),
            (&rcgen::PKCS_ED25519, None),
        ] {
            assert_eq!(signer(algorithm, true).map(|signer| signer.algorithm), expected, "{algorithm:?}");
        }
        let signer = signer(&rcgen::PKCS_ECDSA_P256_SHA256, true).unwrap();
        assert!(
            signer.chain().count() == 1 && !signer.serial.is_empty() && signer.issuer.starts_with(&[0x30])
        );
        assert!(!signer.sign(b"a document").unwrap().is_empty());
    }

    #[test]
    fn a_certificate_that_vouches_for_itself_signs_nothing() {
        assert!(signer(&rcgen::PKCS_ECDSA_P256_SHA256, false).is_none());
    }
}

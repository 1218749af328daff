//! The certificate that the server shows and its key: one pair for all listeners, which can be replaced while they run.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use super::certificate::CertificateFacts;
use super::error::TlsError;
use super::{end_point, pem};

/// The server's certificate chain and key. Clones are the same identity: replacing it in one replaces it in all,
/// for every handshake from then on; connections that stand keep the one they have.
#[derive(Clone)]
pub struct Identity {
    current: Arc<ArcSwap<Served>>,
}

/// A chain and its key, and what only depends on them.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) key: Arc<CertifiedKey>,
    /// The SHA-256 of the server's own certificate.
    pub(crate) hash: [u8; 32],
    /// `tls-server-end-point`.
    pub(crate) end_point: Option<Vec<u8>>,
}

impl Identity {
    /// Reads a chain and its key from PEM files.
    ///
    /// # Errors
    /// When a file cannot be read, or the key does not belong to the certificate.
    pub fn load(certificate: &Path, private_key: &Path) -> Result<Self, TlsError> {
        Self::new(pem::certificates(certificate)?, pem::private_key(private_key)?)
    }

    /// Reads a chain and its key from PEM text, where they are not in files.
    ///
    /// # Errors
    /// When the text is malformed, or the key does not belong to the certificate.
    pub fn from_pem(certificate: &[u8], private_key: &[u8]) -> Result<Self, TlsError> {
        Self::new(pem::certificates_in(certificate)?, pem::private_key_in(private_key)?)
    }

    /// Takes a chain, the server's own certificate first, and its key.
    ///
    /// # Errors
    /// When the key does not belong to the certificate.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(Served::new(chain, key)?);
        Ok(Self { current: Arc::new(current) })
    }

    /// Reads the files again and puts what they hold in place of what was there, both halves at once.
    ///
    /// # Errors
    /// As [`Identity::load`]; the old pair then stays in use.
    pub fn reload(&self, certificate: &Path, private_key: &Path) -> Result<(), TlsError> {
        self.replace(&Self::load(certificate, private_key)?);
        Ok(())
    }

    /// Puts another pair in place of what was there, both halves at once.
    pub fn replace(&self, other: &Identity) {
        self.current.store(other.current());
    }

    /// Whether the two are clones of one another.
    pub(crate) fn is(&self, other: &Identity) -> bool {
        Arc::ptr_eq(&self.current, &other.current)
    }

    /// What the certificate in use says of itself.
    ///
    /// # Errors
    /// When the certificate cannot be understood.
    pub fn facts(&self) -> Result<CertificateFacts, TlsError> {
        let current = self.current();
        let own = current.key.end_entity_cert().map_err(TlsError::Setup)?;
        CertificateFacts::read(own)
    }

    /// What a handshake that begins now is given.
    pub(crate) fn current(&self) -> Arc<Served> {
        self.current.load_full()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Served {
    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let key =
            CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(TlsError::Pair)?;
        let own = key.end_entity_cert().map_err(TlsError::Pair)?;
        let (hash, end_point) = (Sha256::digest(own).into(), end_point::binding(own));
        Ok(Self { key: Arc::new(key), hash, end_point })
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::PrivatePkcs8KeyDer;

    use super::*;

    fn pair(name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        (vec![made.cert.der().clone()], key.into())
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let error = Identity::new(pair("a.test").0, pair("a.test").1).unwrap_err();
        assert!(matches!(error, TlsError::Pair(_)), "{error}");
    }

    #[test]
    fn an_identity_may_be_text_in_memory() {
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(identity.facts().unwrap().names, ["a.test"]);
        let error = Identity::from_pem(key.as_bytes(), key.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the PEM text holds no certificate");
    }

    #[test]
    fn a_bad_new_pair_keeps_the_old_one() {
        let (chain, key) = pair("old.test");
        let identity = Identity::new(chain, key).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (certificate, private_key) = (directory.path().join("c.pem"), directory.path().join("k.pem"));
        let new = rcgen::generate_simple_self_signed(["new.test".to_owned()]).unwrap();
        std::fs::write(&certificate, new.cert.pem()).unwrap();
        let other = rcgen::generate_simple_self_signed(["new.test".to_owned()]).unwrap();
        std::fs::write(&private_key, other.signing_key.serialize_pem()).unwrap();

        let error = identity.reload(&certificate, &private_key).unwrap_err();
        assert!(matches!(error, TlsError::Pair(_)), "{error}");
        assert_eq!(identity.facts().unwrap().names, ["old.test"]);

        std::fs::write(&private_key, new.signing_key.serialize_pem()).unwrap();
        identity.reload(&certificate, &private_key).unwrap();
        assert_eq!(identity.facts().unwrap().names, ["new.test"]);
    }
}

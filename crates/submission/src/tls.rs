//! TLS: one certificate for all listeners, which can be replaced while they run, and the versions they speak.

pub mod pem;
pub(crate) mod offer;
pub mod client_certificate;
mod bound;
mod exporter;
mod end_point;
pub(crate) mod records;
pub(crate) mod failure;
mod client_hello;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
pub use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConnection, SupportedProtocolVersion, version,
};
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use self::offer::Offer;
use self::pem::PemError;

/// The oldest version of TLS that is spoken. Nothing below 1.2 exists here at all (RFC 8996).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinVersion {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

impl MinVersion {
    pub(crate) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => const { &[&version::TLS13, &version::TLS12] },
            Self::Tls13 => const { &[&version::TLS13] },
        }
    }
}

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or is not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The private key belongs to another certificate, or either is of a kind that TLS cannot use.
    #[error("the certificate and the private key cannot be used together")]
    Pair(#[source] rustls::Error),
    /// The certificate is not one of RFC 5280.
    #[error("the certificate cannot be understood: {0}")]
    Certificate(String),
    /// The TLS library refused what it was asked to do.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    /// The handshake in memory failed.
    #[error("TLS cannot be tried out")]
    Memory(#[source] io::Error),
}

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

/// What a certificate says of itself, for those who look after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// From when on it is no longer valid.
    pub not_after: SystemTime,
    /// The names it is for: DNS names and IP addresses of its subjectAltName (RFC 5280 section 4.2.1.6).
    pub names: Vec<String>,
    own: CertificateDer<'static>,
}

impl CertificateFacts {
    fn read(own: &CertificateDer<'_>) -> Result<Self, TlsError> {
        let (_, parsed) =
            X509Certificate::from_der(own).map_err(|error| TlsError::Certificate(error.to_string()))?;
        let names = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| names.value.general_names.iter().filter_map(readable).collect())
            .unwrap_or_default();
        Ok(Self {
            not_after: client_certificate::moment(parsed.validity().not_after),
            names,
            own: own.clone().into_owned(),
        })
    }

    /// Whether clients that look for `name` (a domain or an IP address) will find it, wildcards considered.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        ParsedCertificate::try_from(&self.own)
            .is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, &name).is_ok())
    }
}

fn readable(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok().map(|ip| ip.to_string())
}

/// Lets a client's hello be answered in memory: key exchange, signature and the first encrypted flight, so that the
/// first client does not wait for what the cryptographic library does at its first use (some 25 ms). It may run
/// beside the rest of the start.
///
/// # Errors
/// When TLS cannot be set up with this identity, which clients would find out too.
pub fn warm_up(identity: &Identity) -> Result<(), TlsError> {
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let nobody = ServerName::from(IpAddr::from([127, 0, 0, 1]));
    let mut client = ClientConnection::new(Arc::new(client), nobody).map_err(TlsError::Setup)?;
    let offer = Offer::new(identity, MinVersion::default(), false)?;
    let mut server = ServerConnection::new(offer.shared()).map_err(TlsError::Setup)?;
    let mut hello = Vec::new();
    client
        .write_tls(&mut hello)
        .and_then(|_| server.read_tls(&mut hello.as_slice()))
        .map_err(TlsError::Memory)?;
    server.process_new_packets().map(drop).map_err(TlsError::Setup)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

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
    fn facts_name_what_the_certificate_covers() {
        let (chain, key) = pair("*.example.test");
        let facts = Identity::new(chain, key).unwrap().facts().unwrap();
        assert_eq!(facts.names, ["*.example.test"]);
        assert!(facts.covers("mail.example.test"));
        assert!(!facts.covers("example.test"));
        assert!(!facts.covers("not a name"));
        assert!(facts.not_after > UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    }

    #[test]
    fn addresses_are_names_too() {
        let (chain, key) = pair("192.0.2.1");
        let facts = Identity::new(chain, key).unwrap().facts().unwrap();
        assert_eq!(facts.names, ["192.0.2.1"]);
        assert!(facts.covers("192.0.2.1"));
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

    #[test]
    fn the_hybrid_key_exchange_comes_first() {
        let groups = aws_lc_rs::default_provider().kx_groups;
        assert_eq!(groups.first().unwrap().name(), rustls::NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn warming_up_needs_no_network() {
        let (chain, key) = pair("a.test");
        warm_up(&Identity::new(chain, key).unwrap()).unwrap();
    }
}

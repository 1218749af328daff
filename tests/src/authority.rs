//! A certificate authority of its own for a test, and clients that trust it alone.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

/// The name in every server certificate; 127.0.0.1 and `localhost` stand there too.
pub const HOSTNAME: &str = "mail.example.org";

/// A root that signs server certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
    pub der: CertificateDer<'static>,
}

impl Authority {
    pub fn new() -> Authority {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "The root of one test");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        Authority { issuer }
    }

    /// The root's certificate, as PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server certificate for [`HOSTNAME`].
    pub fn sign(&self) -> Pair {
        self.sign_for(&[HOSTNAME, "localhost", "127.0.0.1"])
    }

    pub fn sign_for(&self, names: &[&str]) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.signed(CertificateParams::new(names).unwrap())
    }

    /// As [`Authority::sign`], of a certificate that was valid until the first day of this year.
    pub fn sign_until(&self, year: i32) -> Pair {
        let mut parameters =
            CertificateParams::new([HOSTNAME, "localhost", "127.0.0.1"].map(str::to_owned)).unwrap();
        (parameters.not_before, parameters.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
        self.signed(parameters)
    }

    /// As [`Authority::sign`], for a key of this kind.
    pub fn sign_key(&self, key: KeyPair) -> Pair {
        self.signed_key(
            CertificateParams::new([HOSTNAME, "localhost", "127.0.0.1"].map(str::to_owned)).unwrap(),
            key,
        )
    }

    fn signed(&self, parameters: CertificateParams) -> Pair {
        self.signed_key(parameters, KeyPair::generate().unwrap())
    }

    fn signed_key(&self, mut parameters: CertificateParams, key: KeyPair) -> Pair {
        parameters.distinguished_name.push(DnType::CommonName, "The server of one test");
        parameters.use_authority_key_identifier_extension = true;
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    /// What a client needs to trust this root and no other.
    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::new(self.trusting().with_no_client_auth())
    }

    /// The same, of a client that shows this certificate if it is asked for one.
    pub fn client_showing(&self, pair: &Pair) -> Arc<ClientConfig> {
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        Arc::new(self.trusting().with_client_auth_cert(vec![pair.der.clone()], key).unwrap())
    }

    fn trusting(&self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        ClientConfig::builder().with_root_certificates(roots)
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

impl Pair {
    /// A client's certificate, signed by its own key, that is valid until the first day of this year.
    pub fn of_a_client(year: i32) -> Pair {
        let mut parameters = CertificateParams::default();
        (parameters.not_before, parameters.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    /// Writes both files, the key for its owner alone.
    pub fn write(&self, certificate: &Path, key: &Path) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(certificate, &self.certificate).unwrap();
        std::fs::write(key, &self.key).unwrap();
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

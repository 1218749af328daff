//! Certificates that clients show.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, CustomExtension, KeyPair, date_time_ymd};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, SignatureScheme, SupportedProtocolVersion, version,
};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;

use crate::client::{Client, shake, trusting};
use crate::house::Running;

/// Shows what it has, whether the server would have it or not.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// From 2026-01-02 to 2046-01-02, in seconds since 1970.
const VALID: (u64, u64) = (1_767_312_000, 2_398_464_000);

fn alice() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let mut params = CertificateParams::new(vec!["alice.test".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 2);
    params.not_after = date_time_ymd(2046, 1, 2);
    (params.self_signed(&key).unwrap().der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
}

fn signing(key: &PrivateKeyDer<'_>) -> Arc<dyn SigningKey> {
    any_supported_type(key).unwrap()
}

/// A client that shows these certificates, in whatever version of TLS is said.
fn showing(
    server: &Running,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(server.certificate.clone()).unwrap();
    ClientConfig::builder_with_protocol_versions(versions)
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Shown(Arc::new(CertifiedKey::new(chain, key)))))
}

const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// Greeted under implicit TLS, or what went wrong until then.
async fn greeted(server: &Running, config: &ClientConfig) -> Result<(Client, HandshakeKind), String> {
    use tokio::io::AsyncReadExt;
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    let mut stream = shake(socket, config.clone()).await.map_err(|error| error.to_string())?;
    // Under TLS 1.3 the client believes itself to be done before the server has seen its certificate.
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).await.map_err(|error| error.to_string())?;
    assert_eq!(&greeting, b"220 ");
    let kind = stream.get_ref().1.handshake_kind().unwrap();
    let mut client = Client::over(stream);
    client.expect("").await;
    Ok((client, kind))
}

#[tokio::test]
async fn a_certificate_is_known_by_its_fingerprint_in_both_versions() {
    let server = Running::asking_for_certificates();
    for version in VERSIONS {
        let (own, key) = alice();
        let config = showing(&server, vec![own.clone()], signing(&key), &[version]);
        // The second session is a resumed one; the client shows nothing there, and is still the same.
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let (mut client, kind) = greeted(&server, &config).await.unwrap();
            assert_eq!(kind, expected);
            let capabilities = client.ask("EHLO client.test\r\n", "250 ").await;
            assert!(capabilities.contains("AUTH PLAIN EXTERNAL\r\n"), "{capabilities}");
            client.log_in().await;
            let met = server.judge.met().client_certificate.unwrap();
            assert_eq!(met.fingerprint.as_octets(), &<[u8; 32]>::from(Sha256::digest(&own)));
            assert_eq!(met.der, own.to_vec());
            let seconds = |moment: SystemTime| moment.duration_since(UNIX_EPOCH).unwrap().as_secs();
            assert_eq!((seconds(met.not_before), seconds(met.not_after)), VALID);
        }
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_as_welcome() {
    let server = Running::asking_for_certificates();
    let (mut client, _) = greeted(&server, &trusting(&server.certificate)).await.unwrap();
    let capabilities = client.ask("EHLO client.test\r\n", "250 ").await;
    assert!(capabilities.contains("AUTH PLAIN\r\n"), "{capabilities}");
    client.log_in().await;
    assert_eq!(server.judge.met().client_certificate, None);
}

/// Behind STARTTLS too, and not before.
#[tokio::test]
async fn external_is_there_once_tls_is() {
    let server = Running::asking_for_certificates();
    let (own, key) = alice();
    let config = showing(&server, vec![own], signing(&key), rustls::ALL_VERSIONS);
    let mut client = Client::starttls_as(&server, config).await;
    let capabilities = client.ask("EHLO client.test\r\n", "250 ").await;
    assert!(capabilities.contains("AUTH PLAIN EXTERNAL\r\n"), "{capabilities}");
}

#[tokio::test]
async fn where_nobody_asks_nothing_is_shown() {
    let server = Running::start();
    let (own, key) = alice();
    let config = showing(&server, vec![own], signing(&key), rustls::ALL_VERSIONS);
    let (mut client, _) = greeted(&server, &config).await.unwrap();
    client.log_in().await;
    assert_eq!(server.judge.met().client_certificate, None);
}

/// Certificates are no secret; their keys are.
#[tokio::test]
async fn a_certificate_without_its_key_ends_the_handshake() {
    let server = Running::asking_for_certificates();
    let other = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let other = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(other.serialize_der()));
    for version in VERSIONS {
        let config = showing(&server, vec![alice().0], signing(&other), &[version]);
        let error = greeted(&server, &config).await.err().unwrap();
        assert!(error.contains("alert"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_certificate_ends_the_handshake() {
    let server = Running::asking_for_certificates();
    for version in VERSIONS {
        for octets in [b"certificate".to_vec(), vec![0x30, 0x82], vec![0x30; 3000]] {
            let config = showing(&server, vec![octets.into()], signing(&alice().1), &[version]);
            let error = greeted(&server, &config).await.err().unwrap();
            assert!(error.contains("alert"), "{error}");
        }
    }
}

/// A certificate of that many octets, and a bit.
fn large(octets: usize) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["large.test".to_owned()]).unwrap();
    let filling = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![4; octets]);
    params.custom_extensions.push(filling);
    let certificate = params.self_signed(&key).unwrap().der().clone();
    (certificate, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
}

/// What is taken in a handshake comes back in a ticket, and has to be taken there too.
#[tokio::test]
async fn a_large_chain_is_taken_and_resumed_and_a_huge_one_refused() {
    let server = Running::asking_for_certificates();
    for version in VERSIONS {
        let (own, key) = large(7_500);
        let config = showing(&server, vec![own, large(7_500).0], signing(&key), &[version]);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let (mut client, kind) = greeted(&server, &config).await.unwrap();
            assert_eq!(kind, expected);
            let capabilities = client.ask("EHLO client.test\r\n", "250 ").await;
            assert!(capabilities.contains("EXTERNAL"), "{capabilities}");
        }
        for octets in [8_300, 20_000, 40_000] {
            let (own, key) = large(octets);
            let config = showing(&server, vec![own, large(8_300).0], signing(&key), &[version]);
            assert!(greeted(&server, &config).await.is_err(), "{octets}");
        }
    }
}

#[tokio::test]
async fn the_certificate_of_a_proxy_is_not_its_clients() {
    let server = Running::asking_for_certificates();
    let (certificate, key) = alice();
    let config = showing(&server, vec![certificate], signing(&key), &[&version::TLS13]);
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    let mut client = Client::over(shake(socket, config).await.unwrap());
    client.expect("220 ").await;
    assert!(client.ask("EHLO proxy.test\r\n", "250 ").await.contains("AUTH PLAIN EXTERNAL\r\n"));
    client.ask("XCLIENT ADDR=203.0.113.9\r\n", "220 ").await;
    assert!(client.ask("EHLO proxy.test\r\n", "250 ").await.contains("AUTH PLAIN\r\n"));
    client.ask("AUTH EXTERNAL =\r\n", "504 5.5.4 ").await;
    client.log_in().await;
    assert_eq!(server.judge.met().client_certificate, None);
}

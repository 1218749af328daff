//! What a TLS connection has for itself where logins may be bound to it; elsewhere connections share everything.

use std::sync::Arc;

use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{KeyLog, SupportedCipherSuite};
use sasl::ChannelBindings;
use zeroize::Zeroizing;

use super::exporter::Exporter;
use super::identity::Served;

/// One connection's certificate and secret.
///
/// The certificate is fixed before the handshake: whatever is replaced meanwhile, the binding is that of the one
/// which the client was given. A resumed session has none of its own; its client remembers the one that the session began
/// with. So that goes into its tickets, and a ticket of another certificate is no ticket.
#[derive(Debug)]
pub(crate) struct Bound {
    served: Arc<Served>,
    tickets: Arc<dyn ProducesTickets>,
    exporter: Exporter,
}

impl Bound {
    pub(crate) fn new(served: Arc<Served>, tickets: Arc<dyn ProducesTickets>) -> Self {
        Self { served, tickets, exporter: Exporter::default() }
    }

    /// What logins can be bound to, once the handshake has agreed on `suite`. The secret is gone then.
    pub(crate) fn bindings(&self, suite: SupportedCipherSuite) -> ChannelBindings {
        let mut bindings = ChannelBindings::default();
        bindings.exporter = self.exporter.binding(suite);
        bindings.server_end_point.clone_from(&self.served.end_point);
        bindings
    }
}

impl ResolvesServerCert for Bound {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.served.key))
    }
}

impl KeyLog for Bound {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        self.exporter.log(label, client_random, secret);
    }

    fn will_log(&self, label: &str) -> bool {
        self.exporter.will_log(label)
    }
}

impl ProducesTickets for Bound {
    fn enabled(&self) -> bool {
        self.tickets.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.tickets.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.tickets.encrypt(&Zeroizing::new([self.served.hash.as_slice(), plain].concat()))
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = Zeroizing::new(self.tickets.decrypt(cipher)?);
        plain.strip_prefix(self.served.hash.as_slice()).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
    use rustls::{
        ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, SupportedCipherSuite,
    };
    use sha2::{Digest, Sha256};
    use types::TlsVersion;

    use super::*;
    use crate::tls::Identity;
    use crate::tls::offer::Offer;

    fn certified() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
    }

    fn identity(made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Identity {
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Identity::new(vec![made.cert.der().clone()], key.into()).unwrap()
    }

    /// Trusts these, and speaks one suite.
    fn client(certificates: &[&CertificateDer<'static>], suite: SupportedCipherSuite) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        certificates.iter().for_each(|certificate| roots.add((*certificate).clone()).unwrap());
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![suite];
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[suite.version()])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    /// A whole handshake. `meanwhile` happens between the first octet and the second.
    fn shake(
        offer: &Offer,
        client: &Arc<ClientConfig>,
        meanwhile: impl FnOnce(),
    ) -> (ClientConnection, ChannelBindings) {
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
        let mut server = offer.bound_records().unwrap();
        meanwhile();
        while client.wants_write() {
            let mut records = server.partial().to_vec();
            while client.wants_write() {
                client.write_tls(&mut records).unwrap();
            }
            let mut unsent = BytesMut::new();
            server.open(&mut records, &mut BytesMut::new(), &mut unsent).unwrap();
            let mut unread = &unsent[..];
            while !unread.is_empty() {
                client.read_tls(&mut unread).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        let bindings = server.take_bindings();
        assert!(server.take_bindings().is_empty(), "they are told once");
        (client, bindings)
    }

    fn suites(version: ProtocolVersion) -> impl Iterator<Item = SupportedCipherSuite> {
        let suites = aws_lc_rs::default_provider().cipher_suites;
        suites.into_iter().filter(move |suite| suite.version().version == version)
    }

    /// rustls as a client exports what it takes a whole connection to export.
    #[test]
    fn both_ends_export_the_same_with_every_suite_resumed_or_not() {
        let made = certified();
        let offer = Offer::new(&identity(&made), TlsVersion::V1_3, false).unwrap();
        let mut seen = Vec::new();
        for suite in suites(ProtocolVersion::TLSv1_3) {
            let config = client(&[made.cert.der()], suite);
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
                let (client, bindings) = shake(&offer, &config, || ());
                assert_eq!(client.handshake_kind(), Some(kind));
                let exported = client.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
                assert_eq!(bindings.by_name("tls-exporter"), Some(&exported.unwrap()[..]), "{suite:?}");
                assert_eq!(
                    bindings.server_end_point.as_deref(),
                    Some(&*Sha256::digest(made.cert.der())),
                    "{suite:?}"
                );
                seen.push(bindings.exporter.unwrap().declassify().to_vec());
            }
        }
        assert_eq!(seen.len(), 9, "three suites");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 9, "each connection has one of its own");
    }

    #[test]
    fn tls_1_2_is_bound_by_the_certificate_alone() {
        let made = certified();
        let offer = Offer::new(&identity(&made), TlsVersion::V1_2, false).unwrap();
        let suite = suites(ProtocolVersion::TLSv1_2)
            .find(|suite| suite.suite() == rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
        let config = client(&[made.cert.der()], suite.unwrap());
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let (client, bindings) = shake(&offer, &config, || ());
            assert_eq!(client.handshake_kind(), Some(kind));
            assert_eq!(bindings.exporter, None);
            assert_eq!(bindings.server_end_point.as_deref(), Some(&*Sha256::digest(made.cert.der())));
        }
    }

    #[test]
    fn the_binding_is_of_the_certificate_that_the_client_was_given() {
        let (old, new) = (certified(), certified());
        let files = tempfile::tempdir().unwrap();
        let (certificate, key) = (files.path().join("certificate.pem"), files.path().join("key.pem"));
        let reload = |identity: &Identity, made: &rcgen::CertifiedKey<rcgen::KeyPair>| {
            std::fs::write(&certificate, made.cert.pem()).unwrap();
            std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
            identity.reload(&certificate, &key).unwrap();
        };
        for version in [ProtocolVersion::TLSv1_3, ProtocolVersion::TLSv1_2] {
            let identity = identity(&old);
            let offer = Offer::new(&identity, TlsVersion::V1_2, false).unwrap();
            let suite = suites(version)
                .find(|suite| suite.usable_for_signature_algorithm(rustls::SignatureAlgorithm::ECDSA));
            let config = client(&[old.cert.der(), new.cert.der()], suite.unwrap());
            let shake = |meanwhile: &dyn Fn()| {
                let (client, bindings) = shake(&offer, &config, meanwhile);
                let own = client.peer_certificates().unwrap().first().unwrap();
                // What the client takes for the server's certificate, in a resumed session too.
                assert_eq!(bindings.server_end_point.unwrap(), Sha256::digest(own).to_vec());
                (client.handshake_kind().unwrap(), own == old.cert.der())
            };
            assert_eq!(shake(&|| reload(&identity, &new)), (HandshakeKind::Full, true));
            // Its tickets are of the old certificate.
            assert_eq!(shake(&|| ()), (HandshakeKind::Full, false));
            assert_eq!(shake(&|| ()), (HandshakeKind::Resumed, false));
            // The same certificate once more is the same certificate.
            reload(&identity, &new);
            assert_eq!(shake(&|| ()), (HandshakeKind::Resumed, false));
        }
    }

    #[test]
    fn no_other_secret_is_taken() {
        let exporter = Exporter::default();
        for label in [
            "CLIENT_RANDOM",
            "CLIENT_EARLY_TRAFFIC_SECRET",
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0",
            "SERVER_TRAFFIC_SECRET_0",
        ] {
            assert!(!exporter.will_log(label), "{label}");
            exporter.log(label, &[0; 32], &[7; 32]);
        }
        for suite in aws_lc_rs::default_provider().cipher_suites {
            assert_eq!(exporter.binding(suite), None);
        }
        assert!(!format!("{exporter:?}").contains('7'));
    }

    #[test]
    fn where_nothing_is_bound_nothing_is_kept() {
        let made = certified();
        let offer = Offer::new(&identity(&made), TlsVersion::V1_3, false).unwrap();
        assert!(!offer.shared().key_log.will_log("EXPORTER_SECRET"));
        assert!(offer.records().unwrap().take_bindings().is_empty());
    }
}

//! The first handshake, done before there is a client.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};
use types::TlsVersion;

use super::error::TlsError;
use super::identity::Identity;
use super::offer::Offer;

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
    let offer = Offer::new(identity, TlsVersion::default(), false)?;
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
    use rustls::pki_types::PrivatePkcs8KeyDer;

    use super::*;

    #[test]
    fn warming_up_needs_no_network() {
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        warm_up(&Identity::new(vec![made.cert.der().clone()], key.into()).unwrap()).unwrap();
    }
}

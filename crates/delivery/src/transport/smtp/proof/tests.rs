//! Mail hosts on port 25 of addresses of this machine, that can do as much TLS as they are told.

use std::net::{IpAddr, Ipv4Addr};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use types::Host;

use super::super::connect::Opener;
use super::*;

/// A host that offers STARTTLS if it has a certificate.
async fn mail_host(tls: Option<Arc<ServerConfig>>) -> IpAddr {
    let listener = loop {
        let [a, b, c] = rand::random();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::new(127, a, b, c), 25)).await {
            break listener;
        }
    };
    let address = listener.local_addr().unwrap().ip();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"220 mx.example\r\n").await.unwrap();
            let offers = if tls.is_some() { "250-mx.example\r\n250 STARTTLS" } else { "250 mx.example" };
            if talk(&mut stream, offers).await {
                let Ok(mut stream) = TlsAcceptor::from(tls.clone().unwrap()).accept(stream).await else {
                    continue;
                };
                talk(&mut stream, "250 mx.example").await;
            }
        }
    });
    address
}

/// Talks until the end; `true` if TLS is to begin.
async fn talk(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), hello: &str) -> bool {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let reply = if line.starts_with("EHLO") { hello } else { "220 fine" };
        let _ = stream.write_all(format!("{reply}\r\n").as_bytes()).await;
        if line.starts_with("STARTTLS") {
            return true;
        }
        line.clear();
    }
    false
}

/// An authority, and what a host with a certificate of it for `name` speaks TLS with.
fn certificate(name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let authority = ca.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&ca, &ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf =
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key).unwrap();
    (authority.der().clone(), Arc::new(config))
}

/// What it comes to to open a connection to a host called `mx.example`, where this authority is known.
async fn opened(address: IpAddr, demand: Demand, known: &CertificateDer<'static>) -> Result<(), String> {
    let tls = TlsToMailHosts::new(std::slice::from_ref(known)).unwrap();
    let candidate = Candidate {
        host: Host::parse("mx.example").unwrap(),
        addresses: vec![address],
        demand,
        is_proven: false,
        accounting: None,
    };
    let protection = tls.protection(&candidate, &Found::default()).map_err(|trouble| trouble.to_string())?;
    let opener = Opener::at("mx.example:25".into(), vec![(address, 25).into()], protection, "client.example");
    opener.open().await.map(|_| ()).map_err(|trouble| trouble.to_reply().to_string())
}

/// Threat TLS-16.
#[tokio::test]
async fn what_is_demanded_is_proved_or_there_is_no_connection() {
    let (known, right) = certificate("mx.example");
    let (_, unknown) = certificate("mx.example");
    let (other_known, other) = certificate("other.example");
    let no_tls = "451 4.7.4 it does not offer STARTTLS";
    let invalid = "451 4.7.5 TLS failed: invalid peer certificate: ";
    for (what, tls, known, demand, expected) in [
        ("no TLS", None, &known, Demand::Opportunistic, ""),
        ("no TLS", None, &known, Demand::Encrypted, no_tls),
        ("no TLS", None, &known, Demand::Verified, no_tls),
        ("nobody's", Some(&unknown), &known, Demand::Opportunistic, ""),
        ("nobody's", Some(&unknown), &known, Demand::Encrypted, ""),
        ("nobody's", Some(&unknown), &known, Demand::Verified, invalid),
        ("another's", Some(&other), &other_known, Demand::Encrypted, ""),
        ("another's", Some(&other), &other_known, Demand::Verified, invalid),
        ("its own", Some(&right), &known, Demand::Verified, ""),
    ] {
        let host = mail_host(tls.cloned()).await;
        let opened = opened(host, demand.clone(), known).await;
        let said = opened.err().unwrap_or_default();
        assert!(
            said.starts_with(expected) && said.is_empty() == expected.is_empty(),
            "{what}, {demand:?}: {said}"
        );
    }
}

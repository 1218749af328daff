//! TLS, and what an attacker on the way could try at its beginning.

use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, shake, trusting};
use crate::house::Running;

#[tokio::test]
async fn behind_starttls_the_client_speaks_first_and_begins_anew() {
    let server = Running::start();
    let mut client = Client::starttls(&server).await;
    assert!(client.is_silent(50).await);
    client.ask("MAIL FROM:<a@example.test>\r\n", "5").await;
    let capabilities = client.ask("EHLO behind.test\r\n", "250 ").await;
    assert!(capabilities.contains("AUTH PLAIN LOGIN"), "{capabilities}");
    assert!(!capabilities.contains("STARTTLS"), "{capabilities}");
    client.log_in().await;
}

/// CVE-2011-0411 and its many heirs.
#[tokio::test]
async fn what_is_sent_along_with_starttls_is_never_obeyed() {
    for injected in ["EHLO evil.test\r\n", "R", "\x16\x03\x01\x02\x00\x01"] {
        let server = Running::start();
        let mut client = Client::plain(server.starttls).await;
        client.ask("EHLO client.test\r\n", "250 ").await;
        client.send(format!("STARTTLS\r\n{injected}")).await;
        let said = client.rest().await;
        assert!(said.starts_with("554 5.5.0 ") && said.lines().count() == 1, "{said}");
    }
}

#[tokio::test]
async fn octets_that_are_no_handshake_end_the_connection() {
    let server = Running::start();
    let mut socket = TcpStream::connect(server.implicit).await.unwrap();
    socket.write_all(b"EHLO client.test\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = socket.read_to_end(&mut said).await;
    assert_eq!(said.first(), Some(&21), "an alert and nothing else: {said:?}");
}

#[tokio::test]
async fn only_smtp_is_agreed_on_if_a_protocol_is_named_at_all() {
    let server = Running::start();
    for (offered, accepted) in [(vec![], true), (vec!["smtp"], true), (vec!["h2", "http/1.1"], false)] {
        let mut config = trusting(&server.certificate);
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let socket = TcpStream::connect(server.implicit).await.unwrap();
        let shaken = shake(socket, config).await;
        assert_eq!(shaken.is_ok(), accepted, "{offered:?}");
        if let Err(error) = shaken {
            assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
        }
    }
}

fn speaking(server: &Running, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(server.certificate.clone()).unwrap();
    ClientConfig::builder_with_protocol_versions(&[version])
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[tokio::test]
async fn both_versions_are_spoken_in_whole() {
    let server = Running::start();
    for (version, expected) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let socket = TcpStream::connect(server.implicit).await.unwrap();
        let stream = shake(socket, speaking(&server, version)).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        let mut client = Client::over(stream);
        client.expect("220 ").await;
        client.log_in().await;
    }
}

#[tokio::test]
async fn a_session_is_resumed_at_its_own_door_alone() {
    let server = Running::start();
    let config = trusting(&server.certificate);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let socket = TcpStream::connect(server.implicit).await.unwrap();
        let mut stream = shake(socket, config.clone()).await.unwrap();
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting).await.unwrap();
        kinds.push(stream.get_ref().1.handshake_kind().unwrap());
    }
    assert_eq!(kinds, [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]);

    let mut socket = TcpStream::connect(server.starttls).await.unwrap();
    let mut octets = [0; 1024];
    for line in ["", "EHLO client.test\r\n", "STARTTLS\r\n"] {
        socket.write_all(line.as_bytes()).await.unwrap();
        let _ = socket.read(&mut octets).await.unwrap();
    }
    let stream = shake(socket, config).await.unwrap();
    assert_eq!(stream.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Full));
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections() {
    let server = Running::start();
    let mut before = Client::implicit(&server).await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("certificate.pem"), files.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    server.identity.reload(&certificate, &key).unwrap();

    before.log_in().await;
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    assert!(shake(socket, trusting(&server.certificate)).await.is_err());
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    assert!(shake(socket, trusting(made.cert.der())).await.is_ok());
}

#[tokio::test]
async fn logins_can_be_bound_to_the_connection_in_both_versions() {
    let server = Running::binding_logins();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut client = Client::starttls_as(&server, speaking(&server, version)).await;
        let capabilities = client.ask("EHLO client.test\r\n", "250 ").await;
        assert!(capabilities.contains("AUTH SCRAM-SHA-256-PLUS PLAIN\r\n"), "{capabilities}");
        client.log_in().await;
    }
}

/// The client ends TLS and goes on in clear, as in CVE-2026-45185.
#[tokio::test]
async fn nothing_is_read_behind_the_end_of_tls() {
    let server = Running::start();
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    let mut stream = shake(socket, trusting(&server.certificate)).await.unwrap();
    stream.get_mut().1.send_close_notify();
    stream.flush().await.unwrap();
    stream.get_mut().0.write_all(b"QUIT\r\n").await.unwrap();
    let mut said = String::new();
    let _ = stream.read_to_string(&mut said).await;
    assert!(!said.contains("221"), "{said}");
}

/// A client that closes first and then reads can tell our end from an attacker's.
#[tokio::test]
async fn who_closes_first_is_answered_in_kind() {
    let server = Running::start();
    for mut client in
        [Client::implicit(&server).await, Client::known(&server).await, Client::starttls(&server).await]
    {
        client.close().await;
        assert_eq!(client.rest().await, "");
    }
}

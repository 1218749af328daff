//! TLS of the running server: certificates that change, protocols that are not mail, nothing in clear.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tests::authority::{Authority, Pair};
use tests::client::Client;
use tests::server::{Installation, Server, Settings, until};

fn shown(installation: &Installation, server: &Server) -> CertificateDer<'static> {
    server.client(installation).certificate().unwrap()
}

fn replace(installation: &Installation, pair: &Pair) {
    pair.write(&installation.path("fullchain.pem"), &installation.path("privkey.pem"));
}

#[test]
fn a_bad_certificate_at_sighup_keeps_the_old_one_and_a_good_one_replaces_it() {
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    let old = shown(&installation, &server);
    let mut open = server.client(&installation);

    let fresh = installation.authority.sign();
    let other = Authority::new().sign();
    replace(
        &installation,
        &Pair { certificate: fresh.certificate.clone(), key: other.key, der: fresh.der.clone() },
    );
    server.signal("HUP");
    server.until_logged("reload.failed");
    assert_eq!(shown(&installation, &server), old);

    replace(&installation, &fresh);
    server.signal("HUP");
    until("the new certificate is shown", || (shown(&installation, &server) == fresh.der).then_some(()));
    // Connections outlive both.
    open.expect("NOOP", 250);
}

#[test]
fn a_client_that_wants_another_protocol_gets_no_handshake() {
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    assert!(with_protocols(&installation, &server, &["h2", "http/1.1"]).is_err());
    assert!(with_protocols(&installation, &server, &["smtp"]).is_ok());
    assert!(with_protocols(&installation, &server, &[]).is_ok());
}

fn with_protocols(installation: &Installation, server: &Server, protocols: &[&str]) -> Result<(), String> {
    let mut tls = installation.authority.client().as_ref().clone();
    tls.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut client = Client::connect(server.implicit(), &Arc::new(tls));
    client.handshake()?;
    client.reply().map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_password_in_clear_is_refused_and_not_even_looked_at() {
    let installation = Installation::new(&Settings::default());
    installation.add_user("alice@example.org", "correct horse");
    let server = installation.start();
    let mut client = Client::connect(server.starttls(), &installation.authority.client());
    assert_eq!(client.reply().unwrap().code, 220);
    client.expect("EHLO client.example", 250);
    let right = client.auth_plain("alice@example.org", "correct horse").unwrap();
    let wrong = client.auth_plain("alice@example.org", "wrong").unwrap();
    assert_eq!(right, wrong);
    assert!(right.lines[0].starts_with("538 5.7.11 "), "{right:?}");
    assert!(!server.log().contains("auth."), "{}", server.log());
    let user = installation.json(&["user", "show", "alice@example.org"]);
    assert!(user["last_login_at"].is_null());
}

#[test]
fn a_handshake_with_garbage_disturbs_nobody() {
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    let mut canary = server.client(&installation);
    let mut garbage = Client::connect(server.implicit(), &installation.authority.client());
    garbage.say(b"EHLO client.example\r\n\x16\x03\x01\xff\xff").unwrap();
    // An alert perhaps, then the end.
    while garbage.line().is_ok_and(|line| line.is_some()) {}
    canary.expect("NOOP", 250);
}

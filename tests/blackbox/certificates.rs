//! Certificates of clients, made and shown by openssl.

use std::net::SocketAddr;
use std::process::Command;

use tests::server::{Installation, Settings, run, until};

use crate::openssl::OpenSsl;

fn asking() -> Installation {
    Installation::new(&Settings {
        listen: "client_certificates = true".to_owned(),
        auth: "mechanisms = [\"PLAIN\", \"EXTERNAL\"]".to_owned(),
        ..Settings::default()
    })
}

/// A certificate of this kind of key, as the handbook says to make one.
struct Certificate {
    file: String,
    key: String,
    fingerprint: String,
}

impl Certificate {
    fn make(installation: &Installation, kind: &[&str]) -> Certificate {
        let path = |end| installation.path(&format!("client-{}{end}", kind.join("-"))).display().to_string();
        let (file, key) = (path(".pem"), path(".key"));
        let request =
            ["req", "-x509", "-nodes", "-days", "365", "-subj", "/CN=alice", "-keyout", &key, "-out", &file];
        openssl(&[&request[..], &["-newkey"], kind].concat());
        let said = openssl(&["x509", "-in", &file, "-noout", "-fingerprint", "-sha256"]);
        let (_, fingerprint) = said.trim().split_once('=').unwrap();
        Certificate { fingerprint: fingerprint.to_owned(), file, key }
    }

    /// A session that shows it, and what AUTH is offered there.
    fn shown(&self, installation: &Installation, address: SocketAddr, more: &[&str]) -> (OpenSsl, String) {
        let shown = ["-cert", &self.file, "-key", &self.key];
        greeted(installation, address, &[&shown[..], more].concat())
    }
}

fn openssl(arguments: &[&str]) -> String {
    let output = run(Command::new("openssl").args(arguments), "");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn greeted(installation: &Installation, address: SocketAddr, more: &[&str]) -> (OpenSsl, String) {
    let mut client = OpenSsl::start(installation, address, more);
    if !more.contains(&"-starttls") {
        client.hear("220 ");
    }
    let offered = client.say("EHLO client.example", "250-AUTH ");
    client.hear("250 ");
    (client, offered)
}

/// With every kind of key that people have, in both versions of TLS, on both ports.
#[test]
fn a_certificate_is_known_by_the_fingerprint_that_openssl_tells() {
    for kind in [&["ed25519"][..], &["rsa:2048"], &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]] {
        // A server each: of strangers from one network it tells ten in a second.
        let installation = asking();
        let server = installation.start();
        let certificate = Certificate::make(&installation, kind);
        for (address, more) in [
            (server.implicit(), &["-tls1_3"][..]),
            (server.implicit(), &["-tls1_2"]),
            (server.starttls(), &["-starttls", "smtp", "-tls1_3"]),
            (server.starttls(), &["-starttls", "smtp", "-tls1_2"]),
        ] {
            let (client, offered) = certificate.shown(&installation, address, more);
            assert_eq!(offered, "250-AUTH PLAIN EXTERNAL\r\n");
            client.quit();
        }
        let logged = format!("certificate={} ", certificate.fingerprint);
        until("four sessions are logged", || (server.log().matches(&logged).count() == 4).then_some(()));
    }
}

#[test]
fn a_client_without_a_certificate_is_not_offered_to_log_in_by_one() {
    let installation = asking();
    let server = installation.start();
    let (client, offered) = greeted(&installation, server.implicit(), &[]);
    assert_eq!(offered, "250-AUTH PLAIN\r\n");
    client.quit();
    assert!(!server.until_logged("event=session").contains("certificate"));
}

#[test]
fn a_listener_that_does_not_ask_is_shown_nothing() {
    let installation = asking();
    installation.configure(&Settings {
        auth: "mechanisms = [\"PLAIN\", \"EXTERNAL\"]".to_owned(),
        ..Settings::default()
    });
    let server = installation.start();
    let certificate = Certificate::make(&installation, &["ed25519"]);
    let (client, offered) = certificate.shown(&installation, server.implicit(), &[]);
    assert_eq!(offered, "250-AUTH PLAIN\r\n");
    client.quit();
    assert!(!server.until_logged("event=session").contains("certificate"));
}

#[test]
fn a_certificate_logs_in_until_it_is_removed() {
    let installation = asking();
    installation.add_user("alice@example.org", "correct horse");
    let server = installation.start();
    let certificate = Certificate::make(&installation, &["ed25519"]);
    let log_in = |reply| {
        let (mut client, _) = certificate.shown(&installation, server.implicit(), &[]);
        client.say("AUTH EXTERNAL =", reply);
        client
    };
    log_in("535 5.7.8 ").quit();
    installation.done(&[
        "certificate",
        "add",
        "alice@example.org",
        &certificate.file,
        "--label",
        "backup host",
    ]);
    let mut client = log_in("235 2.7.0 ");
    client.say("MAIL FROM:<alice@example.org>", "250 ");
    installation.done(&["certificate", "remove", "alice@example.org", &certificate.fingerprint]);
    client.say("RCPT TO:<bob@example.net>", "421 4.7.0 ");
    log_in("535 5.7.8 ").quit();
}

//! TLS of the running server: certificates that change, protocols that are not mail, nothing in clear.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use tests::authority::{Authority, HOSTNAME, Pair};
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

/// A connection that waits for ten seconds at the most.
fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

/// The first flight of a client to a server of another name, which may be none.
fn hello(installation: &Installation, name: &[u8]) -> Vec<u8> {
    // As long as the name, and easy to find.
    let stand_in: String = (0..name.len()).map(|at| if at % 2 == 0 { 'q' } else { '.' }).collect();
    let stand_in = if stand_in.ends_with('.') { stand_in.replacen("q.", "qq", 1) } else { stand_in };
    let server = ServerName::try_from(stand_in.clone()).unwrap();
    let mut client = ClientConnection::new(installation.authority.client(), server).unwrap();
    let mut flight = Vec::new();
    client.write_tls(&mut flight).unwrap();
    let at = flight.windows(name.len()).position(|window| window == stand_in.as_bytes()).unwrap();
    flight[at..at + name.len()].copy_from_slice(name);
    flight
}

/// The type of the first record that these octets are answered with.
fn answer(address: SocketAddr, octets: &[u8]) -> Option<u8> {
    let mut socket = connect(address);
    // It may be closed before all is said.
    let _ = socket.write_all(octets);
    let mut record = [0; 5];
    socket.read_exact(&mut record).ok().map(|()| record[0])
}

/// TLS-08: there is one certificate, whatever name is asked for.
#[test]
fn no_name_of_the_server_is_too_strange() {
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    let (address, mut canary) = (server.implicit(), server.client(&installation));
    for known in ["other.example", "a", "a.".repeat(126).trim_end_matches('.')] {
        assert_eq!(answer(address, &hello(&installation, known.as_bytes())), Some(HANDSHAKE), "{known}");
    }
    for strange in
        [b"127.0.0.1".as_slice(), b"a\0", b"mail.example.org\\", b"..", b"\xff\xfe\xfd", &[b'.'; 251]]
    {
        let answered = answer(address, &hello(&installation, strange));
        assert!(matches!(answered, Some(ALERT | HANDSHAKE)), "{}: {answered:?}", strange.escape_ascii());
    }
    // A hello of a megabyte, of which a name is the most.
    let endless = [b"\x16\x03\x01\x40\0\x01\x10\0\0\x03\x03".as_slice(), &[0; 100_000]].concat();
    assert_ne!(answer(address, &endless), Some(HANDSHAKE));

    let different = |number: u32| hello(&installation, format!("{number:05}.example").as_bytes());
    (0..100).for_each(|number| assert_eq!(answer(address, &different(number)), Some(HANDSHAKE)));
    let before = server.resident();
    (100..700).for_each(|number| assert_eq!(answer(address, &different(number)), Some(HANDSHAKE)));
    let growth = server.resident().saturating_sub(before);
    assert!(growth < 600, "{growth} KiB for 600 names");
    canary.expect("NOOP", 250);
    assert!(!server.log().contains("panic"), "{}", server.log());
}

/// TLS-12: new keys now and then are good manners, and nothing but new keys is an attack.
#[test]
fn a_flood_of_key_updates_ends_the_connection() {
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    let mut canary = server.client(&installation);
    let mut socket = connect(server.implicit());
    let name = ServerName::try_from(HOSTNAME).unwrap();
    let mut client = ClientConnection::new(installation.authority.client(), name).unwrap();
    let mut greeting = [0; 256];
    while client.is_handshaking() {
        client.complete_io(&mut socket).unwrap();
    }
    assert!(rustls::Stream::new(&mut client, &mut socket).read(&mut greeting).unwrap() > 0);

    let update = |client: &mut ClientConnection, socket: &mut TcpStream, times| {
        for _ in 0..times {
            client.refresh_traffic_keys().unwrap();
            // The server may have closed already.
            while client.wants_write() && client.write_tls(socket).is_ok() {}
        }
    };
    update(&mut client, &mut socket, 20);
    let mut stream = rustls::Stream::new(&mut client, &mut socket);
    stream.write_all(b"NOOP\r\n").unwrap();
    assert!(stream.read(&mut greeting).unwrap() > 0);
    update(&mut client, &mut socket, 200);
    let end = rustls::Stream::new(&mut client, &mut socket).read(&mut greeting);
    assert!(end.as_ref().is_ok_and(|octets| *octets == 0) || end.is_err(), "{end:?}");
    assert!(end.is_ok() || end.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock));
    canary.expect("NOOP", 250);
}

/// TLS-12: RFC 9325 section 3.5. The `R` of s_client asks for it.
#[test]
fn nothing_is_negotiated_twice() {
    // The client waits for the server to give up.
    let limits = "command_timeout = \"1s\"".to_owned();
    let installation = Installation::new(&Settings { limits, ..Settings::default() });
    let server = installation.start();
    let mut client = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-connect", &server.implicit().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(b"R\n").unwrap();
    let output = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("RENEGOTIATING") && said.contains("no renegotiation"), "{said}");
    server.client(&installation).expect("NOOP", 250);
}

/// A client hello of TLS 1.1, as a printer of 2010 sends it (RFC 4346 section 7.4.1.2).
fn old_hello() -> Vec<u8> {
    let body = [&[3, 2][..], &[7; 32], &[0], &[0, 2, 0, 0x2f], &[1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

/// Says this and waits until the server has closed the connection.
fn says(client: &mut Client, octets: &[u8]) {
    client.say(octets).unwrap();
    while client.line().is_ok_and(|line| line.is_some()) {}
}

#[test]
fn a_handshake_that_comes_to_nothing_says_why() {
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    let client = |address| Client::connect(address, &installation.authority.client());

    says(&mut client(server.implicit()), b"EHLO client.example\r\n");
    server.until_logged("reason=handshake-failed tls.failure=in-clear");
    says(&mut client(server.implicit()), &old_hello());
    server.until_logged("reason=handshake-failed tls.failure=version tls.offered=TLSv1.1");
    let trusts_nobody =
        rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty());
    let mut distrustful = Client::connect(server.implicit(), &Arc::new(trusts_nobody.with_no_client_auth()));
    assert!(distrustful.handshake().is_err());
    server.until_logged("reason=handshake-failed tls.failure=unknown_ca");
    drop(client(server.implicit()));
    server.until_logged("reason=handshake-failed tls.failure=closed");

    let mut hasty = client(server.starttls());
    assert_eq!(hasty.reply().unwrap().code, 220);
    says(&mut hasty, &old_hello());
    server.until_logged("reason=handshake-failed tls.failure=no-starttls");
}

//! SCRAM as GNU SASL speaks it, with the bindings that GnuTLS makes.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tests::authority::HOSTNAME;
use tests::server::{Installation, PATIENCE, Server, Settings, run};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

struct Door {
    installation: Installation,
    server: Server,
    app_password: String,
}

impl Door {
    fn open(mechanisms: &str) -> Door {
        let auth = format!("mechanisms = [{mechanisms}]");
        let installation = Installation::new(&Settings { auth, ..Settings::default() });
        installation.add_user(USER, PASSWORD);
        let (_, app_password) = installation.app_password(USER, &[]);
        let server = installation.start();
        Door { installation, server, app_password }
    }

    /// With STARTTLS, as it begins by itself where it is offered.
    fn gsasl(&self, address: SocketAddr, password: &str, more: &[&str]) -> Output {
        let mut command = Command::new("gsasl");
        command.args(["--smtp", "--connect", &address.to_string(), "--hostname", HOSTNAME]);
        command.arg("--x509-ca-file").arg(self.installation.path("ca.pem"));
        command.args(["--authentication-id", USER, "--password", password]).args(more);
        run(&mut command, "")
    }

    fn logs_in(&self, password: &str, more: &[&str]) -> String {
        let output = self.gsasl(self.server.starttls(), password, more);
        assert!(output.status.success(), "{more:?}: {output:?}");
        said(&output)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

const WITH_AND_WITHOUT: &str = "\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"PLAIN\"";

/// Both hashes that the exporter may be made with, and a first guess of the group that is wrong.
#[test]
fn logins_are_bound_whatever_tls_has_agreed_on() {
    let door = Door::open(WITH_AND_WITHOUT);
    for ciphers in [
        "+AES-128-GCM:+GROUP-ALL",
        "+AES-256-GCM:+GROUP-ALL",
        "+CHACHA20-POLY1305:+GROUP-ALL",
        "+AES-256-GCM:+GROUP-FFDHE2048:+GROUP-SECP384R1",
    ] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:-GROUP-ALL:{ciphers}");
        for password in [PASSWORD, &door.app_password] {
            // It names no mechanism, and takes the best that is offered.
            let said = door.logs_in(password, &["--priority", &priority]);
            assert!(said.contains("AUTH SCRAM-SHA-256-PLUS") && said.contains("server trusted"), "{said}");
        }
    }
}

#[test]
fn without_the_binding_it_is_scram_still() {
    let door = Door::open("\"SCRAM-SHA-256\", \"PLAIN\"");
    let said = door.logs_in(&door.app_password, &["--no-cb"]);
    assert!(said.contains("AUTH SCRAM-SHA-256\n") && said.contains("server trusted"), "{said}");
}

#[test]
fn a_client_that_cannot_bind_says_so_and_is_served() {
    let door = Door::open(WITH_AND_WITHOUT);
    let said = door.logs_in(&door.app_password, &["--no-cb", "--mechanism", "SCRAM-SHA-256"]);
    // "n,,": RFC 5802 section 6, a client that does not support it.
    assert!(said.contains("AUTH SCRAM-SHA-256\n") && said.contains("\nbiws"), "{said}");
}

#[test]
fn a_wrong_password_is_refused() {
    let door = Door::open(WITH_AND_WITHOUT);
    let output = door.gsasl(door.server.starttls(), "battery staple", &[]);
    assert!(!output.status.success() && said(&output).contains("535 5.7.8 "), "{output:?}");
}

/// It has a certificate that the client trusts, and passes on every line.
struct Between {
    address: SocketAddr,
    thread: std::thread::JoinHandle<()>,
}

impl Between {
    fn stand(door: &Door) -> Between {
        let pair = door.installation.authority.sign();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![pair.der], key);
        let config = Arc::new(config.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = door.server.client(&door.installation);
        let thread = std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            let socket = in_clear(socket);
            let tls = ServerConnection::new(config).unwrap();
            let mut client = BufReader::new(StreamOwned::new(tls, socket));
            let mut line = String::new();
            while client.read_line(&mut line).is_ok_and(|octets| octets > 0) {
                let Ok(reply) = server.ask(line.trim_end()) else { return };
                let reply: String = reply.lines.iter().map(|line| format!("{line}\r\n")).collect();
                client.get_mut().write_all(reply.as_bytes()).unwrap();
                line.clear();
            }
        });
        Between { address, thread }
    }
}

/// Up to the handshake.
fn in_clear(socket: TcpStream) -> TcpStream {
    let mut client = BufReader::new(socket);
    client.get_mut().write_all(b"220 mail\r\n").unwrap();
    for reply in ["250-mail\r\n250-STARTTLS\r\n250 HELP\r\n", "220 now\r\n"] {
        client.read_line(&mut String::new()).unwrap();
        client.get_mut().write_all(reply.as_bytes()).unwrap();
    }
    client.into_inner()
}

#[test]
fn who_stands_between_gets_nothing_of_a_bound_login() {
    let door = Door::open(WITH_AND_WITHOUT);
    door.logs_in(PASSWORD, &["--mechanism", "SCRAM-SHA-256-PLUS"]);
    for (more, is_served) in
        [(&["--mechanism", "PLAIN"][..], true), (&["--mechanism", "SCRAM-SHA-256-PLUS"], false)]
    {
        let between = Between::stand(&door);
        let output = door.gsasl(between.address, PASSWORD, more);
        assert_eq!(output.status.success(), is_served, "{more:?}: {output:?}");
        assert_eq!(said(&output).contains("535 5.7.8 "), !is_served, "{output:?}");
        between.thread.join().unwrap();
    }
}

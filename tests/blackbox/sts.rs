//! Mail to a domain that enforces its policy (MTA-STS, RFC 8461), by the real binary. Threat TLS-16.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dns::fake::{Entry, FakeDns};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tests::authority::{Authority, Pair};
use tests::server::{Installation, Server, Settings, text, until};
use tests::smarthost::{Script, Smarthost, Tls};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmax_age: 604800\r\n";

/// The host of the policy, until it is switched off.
struct PolicyHost {
    address: IpAddr,
    is_up: Arc<AtomicBool>,
    fetched: Arc<AtomicUsize>,
}

impl PolicyHost {
    fn start(pair: &Pair) -> PolicyHost {
        let listener = free_address();
        let host = PolicyHost {
            address: listener.local_addr().unwrap().ip(),
            is_up: Arc::new(AtomicBool::new(true)),
            fetched: Arc::default(),
        };
        let (is_up, fetched, config) = (host.is_up.clone(), host.fetched.clone(), tls(pair));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if !is_up.load(Ordering::SeqCst) {
                    continue;
                }
                let connection = ServerConnection::new(config.clone()).unwrap();
                let mut stream = StreamOwned::new(connection, socket);
                if stream.read(&mut [0; 4096]).is_ok_and(|octets| octets > 0) {
                    fetched.fetch_add(1, Ordering::SeqCst);
                    let length = POLICY.len();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n"
                    );
                    let _ = stream.write_all((head + POLICY).as_bytes());
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        host
    }
}

/// Port 443 at an address of this machine that is nobody else's.
fn free_address() -> TcpListener {
    let port_25 = tests::smarthost::port_25();
    TcpListener::bind((port_25.local_addr().unwrap().ip(), 443)).unwrap()
}

fn tls(pair: &Pair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

fn configure(installation: &Installation, dns: &FakeDns, mta_sts: bool) {
    let delivery = format!(
        "tls_ca = \"ca.pem\"\nretry = {{ first = \"1s\", max = \"1s\" }}\n[delivery.mx]\nallow_networks = [\"127.0.0.0/8\"]\n\
         mta_sts = {mta_sts}\n[dns]\nservers = [\"{}\"]\ntrust_anchors = \"anchors\"",
        dns.address()
    );
    installation.configure(&Settings { delivery, ..Settings::default() });
}

fn with_tls(pair: Pair) -> Smarthost {
    Smarthost::mail_host(Script {
        capabilities: vec!["PIPELINING"],
        tls: Tls::Asked(pair),
        ..Script::default()
    })
}

fn send(server: &Server, installation: &Installation) -> String {
    let mut client = server.logged_in(installation, USER, "correct horse");
    let reply = client.send(USER, &["bob@example.net"], &letter("x", "the text\r\n")).unwrap();
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn what_a_domain_enforces_outlives_its_policy_host_and_a_crash() {
    let (dns, installation) = (FakeDns::start(), Installation::with_maildir());
    std::fs::write(installation.path("anchors"), dns.trust_anchors()).unwrap();
    configure(&installation, &dns, true);
    installation.add_user(USER, "correct horse");
    let policy_host = PolicyHost::start(&installation.authority.sign_for(&["mta-sts.example.net"]));
    dns.set("_mta-sts.example.net", [Entry::txt("v=STSv1; id=20261130;")]);
    dns.set("mta-sts.example.net", [Entry::Address(policy_host.address)]);
    dns.set("example.net", [Entry::mx(10, "mx.example.net")]);
    let mail_host = |host: &Smarthost| dns.set("mx.example.net", [Entry::Address(host.address.ip())]);

    let good = with_tls(installation.authority.sign_for(&["mx.example.net"]));
    mail_host(&good);
    let server = installation.start();
    send(&server, &installation);
    good.until_messages(1);

    policy_host.is_up.store(false, Ordering::SeqCst);
    dns.set("_mta-sts.example.net", []);
    server.kill();
    let (bad, clear) =
        (with_tls(Authority::new().sign_for(&["mx.example.net"])), Smarthost::mail_host(Script::default()));
    mail_host(&bad);
    let server = installation.start();
    let id = send(&server, &installation);
    let recipient = || installation.json(&["queue", "show", &id])["recipients"][0].clone();
    let waits = until("the message waits for want of a certificate", || {
        Some(recipient()).filter(|recipient| text(recipient, "state") == "deferred")
    });
    assert!(text(&waits, "last_reply").starts_with("451 4.7."), "{waits}");
    mail_host(&clear);
    let attempts = recipient()["attempts"].as_u64();
    until("it is tried in the clear", || Some(()).filter(|()| recipient()["attempts"].as_u64() > attempts));
    assert_eq!((bad.messages().len(), clear.messages().len()), (0, 0));
    assert!(!clear.lines().iter().any(|line| line.starts_with("MAIL")), "{:?}", clear.lines());
    assert_eq!(policy_host.fetched.load(Ordering::SeqCst), 1);

    configure(&installation, &dns, false);
    server.signal("HUP");
    clear.until_messages(1);
}

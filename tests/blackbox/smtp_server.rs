//! npm's smtp-server, nodemailer's, as a next host in SMTP and LMTP: `tests/hosts/smtp-server.mjs` has what it is like.

use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::authority::Authority;
use tests::programs::{Service, modules};
use tests::server::{Installation, Settings, text};

use crate::letter::awkward;

const USER: &str = "alice@example.org";

struct SmtpServer {
    _node: Service,
    said: BufReader<ChildStdout>,
    port: u16,
    _directory: TempDir,
}

impl SmtpServer {
    fn start(protocol: &str, authority: &Authority) -> SmtpServer {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("host.mjs"), include_str!("../hosts/smtp-server.mjs")).unwrap();
        std::os::unix::fs::symlink(modules("hosts"), path("node_modules")).unwrap();
        authority.sign().write(&path("cert.pem"), &path("key.pem"));
        let mut node = Command::new("node");
        node.arg(path("host.mjs")).args([path("cert.pem"), path("key.pem")]).arg(protocol);
        let mut child = node.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut started = SmtpServer { _node: Service(child), said, port: 0, _directory: directory };
        started.port = started.next_line().parse().unwrap();
        started
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next message that it has, and its text.
    fn next_message(&mut self) -> (Value, Vec<u8>) {
        let message: Value = serde_json::from_str(&self.next_line()).unwrap();
        let octets = STANDARD.decode(text(&message, "text")).unwrap();
        (message, octets)
    }
}

fn installation(delivery: &str, authority: &Authority) -> Installation {
    let installation = Installation::new(&Settings::default());
    std::fs::write(installation.path("next.pem"), authority.pem()).unwrap();
    std::fs::write(installation.path("password"), "to the next").unwrap();
    let restricted = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(installation.path("password"), restricted).unwrap();
    installation.configure(&Settings { delivery: delivery.to_owned(), ..Settings::default() });
    installation.add_user(USER, "correct horse");
    installation
}

/// Hands in a message, and says what has become of each of its recipients.
fn tried(installation: &Installation, to: &[&str], message: &[u8]) -> Vec<(String, String)> {
    let server = installation.start();
    let mut client = server.logged_in(installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}> BODY=8BITMIME"), 250);
    for to in to {
        client.expect(&format!("RCPT TO:<{to}@example.net> NOTIFY=NEVER"), 250);
    }
    client.expect("DATA", 354);
    client.say(&tests::client::stuffed(message)).unwrap();
    let reply = client.reply().unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
    let recipients = installation.until_tried(&id);
    assert!(server.terminate().success());
    recipients.iter().map(|one| (text(one, "state"), text(one, "last_reply"))).collect()
}

/// Over STARTTLS that is verified, and logged in.
#[test]
fn it_takes_mail_with_a_login() {
    let authority = Authority::new();
    let mut next = SmtpServer::start("smtp", &authority);
    let delivery = format!(
        "via = \"smtp://localhost:{}\"\ntls_ca = \"next.pem\"\nusername = \"gatepost\"\npassword_file = \"password\"",
        next.port
    );
    let installation = installation(&delivery, &authority);
    let found = installation.json(&["check", "--connect"]);
    assert_eq!(found["errors"], json!([]), "{found}");
    let message = awkward("to-smtp-server");
    let states = tried(&installation, &["bob", "gone"], &message);
    assert_eq!(states[0].0, "delivered", "{states:?}");
    assert_eq!(states[1].0, "failed", "{states:?}");
    assert!(states[1].1.starts_with("550 5.1.1"), "{states:?}");
    let (told, octets) = next.next_message();
    assert_eq!((&told["from"], &told["to"]), (&json!(USER), &json!(["bob@example.net"])));
    assert_eq!(told["user"], "gatepost");
    assert!(octets.ends_with(&message), "{}", String::from_utf8_lossy(&octets));
}

/// RFC 2033 over STARTTLS: the text is answered for each recipient.
#[test]
fn it_takes_mail_in_lmtp_over_tls() {
    let authority = Authority::new();
    let mut next = SmtpServer::start("lmtp", &authority);
    let delivery = format!("via = \"lmtp://localhost:{}\"\ntls_ca = \"next.pem\"", next.port);
    let installation = installation(&delivery, &authority);
    let message = awkward("in-lmtp");
    let states = tried(&installation, &["bob", "full", "carol", "gone"], &message);
    let found: Vec<_> = states.iter().map(|(state, reply)| (state.as_str(), &reply[..3])).collect();
    let wanted = [("delivered", "250"), ("failed", "552"), ("delivered", "250"), ("failed", "550")];
    assert_eq!(found, wanted, "{states:?}");
    let (told, octets) = next.next_message();
    assert_eq!(told["to"], json!(["bob@example.net", "full@example.net", "carol@example.net"]));
    assert!(octets.ends_with(&message), "{}", String::from_utf8_lossy(&octets));
}

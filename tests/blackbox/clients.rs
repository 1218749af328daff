//! Clients that others wrote, on both ports, until the message lies in the Maildir to the last octet.

use std::net::SocketAddr;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tests::client::stuffed;
use tests::maildir::until_there;
use tests::server::{Installation, Server, run};

use crate::letter::{awkward, carries};
use crate::openssl::OpenSsl;

const USER: &str = "alice@example.org";

/// A server whose mail lands in a Maildir, and a user who may send.
struct Door {
    installation: Installation,
    server: Server,
    password: String,
}

impl Door {
    fn open() -> Door {
        let installation = Installation::with_maildir();
        installation.add_user(USER, "correct horse");
        let (_, password) = installation.app_password(USER, &[]);
        let server = installation.start();
        Door { installation, server, password }
    }

    fn authority_file(&self) -> String {
        self.installation.path("ca.pem").display().to_string()
    }

    fn write(&self, name: &str, octets: &[u8]) -> String {
        let path = self.installation.path(name);
        std::fs::write(&path, octets).unwrap();
        path.display().to_string()
    }

    fn has_arrived(&self, message: &[u8]) {
        let stored = until_there(&self.installation.path("outbox"), 1);
        assert!(carries(&stored[0], message), "{}", String::from_utf8_lossy(&stored[0]));
        assert_eq!(stored.len(), 1);
    }
}

#[test]
fn openssl_with_tls_from_the_start() {
    let door = Door::open();
    let mut client = OpenSsl::start(&door.installation, door.server.implicit(), &[]);
    client.hear("220 ");
    send_mail(client, &door, "openssl-implicit");
}

#[test]
fn openssl_with_starttls() {
    let door = Door::open();
    let client = OpenSsl::start(&door.installation, door.server.starttls(), &["-starttls", "smtp"]);
    send_mail(client, &door, "openssl-starttls");
}

fn send_mail(mut client: OpenSsl, door: &Door, name: &str) {
    let message = awkward(name);
    // With -starttls, openssl itself prints the end of the EHLO reply that it got in clear.
    client.say("EHLO client.example", "250-AUTH ");
    client.hear("250 ");
    let response = STANDARD.encode(format!("\0{USER}\0{}", door.password));
    client.say(&format!("AUTH PLAIN {response}"), "235 ");
    client.say(&format!("MAIL FROM:<{USER}> BODY=8BITMIME"), "250 ");
    client.say("RCPT TO:<bob@example.net>", "250 ");
    client.say("DATA", "354 ");
    client.type_in(&stuffed(&message));
    client.hear("250 2.0.0 queued as ");
    client.quit();
    door.has_arrived(&message);
}

#[test]
fn curl_with_tls_from_the_start() {
    let door = Door::open();
    let url = format!("smtps://localhost:{}", door.server.implicit().port());
    curl(&door, &url, &[]);
}

#[test]
fn curl_with_starttls() {
    let door = Door::open();
    let url = format!("smtp://localhost:{}", door.server.starttls().port());
    curl(&door, &url, &["--ssl-reqd"]);
}

#[test]
fn swaks_with_tls_from_the_start() {
    let door = Door::open();
    swaks(&door, door.server.implicit(), "--tls-on-connect");
}

#[test]
fn swaks_with_starttls() {
    let door = Door::open();
    swaks(&door, door.server.starttls(), "--tls");
}

#[test]
fn pythons_smtplib_with_tls_from_the_start() {
    let door = Door::open();
    smtplib(&door, door.server.implicit(), "smtplib.SMTP_SSL('localhost', port, context=context)", "");
}

#[test]
fn pythons_smtplib_with_starttls() {
    let door = Door::open();
    smtplib(
        &door,
        door.server.starttls(),
        "smtplib.SMTP('localhost', port)",
        "client.starttls(context=context)",
    );
}

fn curl(door: &Door, url: &str, more: &[&str]) {
    let message = awkward("curl");
    let file = door.write("letter", &message);
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--cacert", &door.authority_file(), "--url", url]);
    command.args([
        "--user",
        &format!("{USER}:{}", door.password),
        "--mail-from",
        USER,
        "--mail-rcpt",
        "bob@example.net",
    ]);
    succeeds(command.args(["--upload-file", &file]).args(more), "");
    door.has_arrived(&message);
}

fn swaks(door: &Door, address: SocketAddr, tls: &str) {
    let message = awkward("swaks");
    let file = door.write("letter", &message);
    let mut command = Command::new("swaks");
    command.args([
        "--server",
        "127.0.0.1",
        "--port",
        &address.port().to_string(),
        "--helo",
        "client.example",
        tls,
    ]);
    command.args(["--tls-verify", "--tls-ca-path", &door.authority_file()]);
    command.args(["--auth", "PLAIN", "--auth-user", USER, "--auth-password", &door.password]);
    succeeds(command.args(["--from", USER, "--to", "bob@example.net", "--data", &format!("@{file}")]), "");
    // swaks ends what it sends with a blank line.
    door.has_arrived(&[&message[..], b"\r\n"].concat());
}

fn smtplib(door: &Door, address: SocketAddr, connect: &str, then: &str) {
    let message = awkward("smtplib");
    let file = door.write("letter", &message);
    let script = format!(
        "import smtplib, ssl, sys\n\
         authority, port, password, letter = sys.argv[1], int(sys.argv[2]), sys.argv[3], open(sys.argv[4], 'rb').read()\n\
         context = ssl.create_default_context(cafile=authority)\n\
         client = {connect}\n{then}\n\
         client.login('{USER}', password)\n\
         assert client.sendmail('{USER}', ['bob@example.net'], letter) == {{}}\n\
         client.quit()\n"
    );
    let arguments = ["-", &door.authority_file(), &address.port().to_string(), &door.password, &file];
    succeeds(Command::new("python3").args(arguments), &script);
    door.has_arrived(&message);
}

fn succeeds(command: &mut Command, input: &str) {
    let output = run(command, input);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

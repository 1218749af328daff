//! Clients that others wrote, on both ports, until the message lies in the Maildir to the last octet.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tests::authority::HOSTNAME;
use tests::client::stuffed;
use tests::maildir::until_there;
use tests::server::{Installation, Server, run};

use crate::letter::{awkward, carries};

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
    let mut client = OpenSsl::start(&door, door.server.implicit(), &[]);
    client.hear("220 ");
    client.send_mail(&door, "openssl-implicit");
}

#[test]
fn openssl_with_starttls() {
    let door = Door::open();
    let mut client = OpenSsl::start(&door, door.server.starttls(), &["-starttls", "smtp"]);
    client.send_mail(&door, "openssl-starttls");
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

/// `openssl s_client`, with a person at the keyboard who waits for each reply.
struct OpenSsl {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl OpenSsl {
    fn start(door: &Door, address: SocketAddr, more: &[&str]) -> OpenSsl {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", HOSTNAME]);
        command.args(["-CAfile", &door.authority_file(), "-connect", &address.to_string()]).args(more);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        OpenSsl { child, input, output }
    }

    fn send_mail(&mut self, door: &Door, name: &str) {
        let message = awkward(name);
        // With -starttls, openssl itself prints the end of the EHLO reply that it got in clear.
        self.say("EHLO client.example", "250-AUTH ");
        self.hear("250 ");
        let response = STANDARD.encode(format!("\0{USER}\0{}", door.password));
        self.say(&format!("AUTH PLAIN {response}"), "235 ");
        self.say(&format!("MAIL FROM:<{USER}> BODY=8BITMIME"), "250 ");
        self.say("RCPT TO:<bob@example.net>", "250 ");
        self.say("DATA", "354 ");
        self.input.write_all(&stuffed(&message)).unwrap();
        self.hear("250 2.0.0 queued as ");
        self.say("QUIT", "221 ");
        assert!(self.child.wait().unwrap().success());
        door.has_arrived(&message);
    }

    fn say(&mut self, line: &str, reply: &str) {
        self.input.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.hear(reply);
    }

    /// Reads up to a line that begins so.
    fn hear(&mut self, start: &str) {
        let mut line = String::new();
        while !line.starts_with(start) {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the connection ended before {start:?}");
        }
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

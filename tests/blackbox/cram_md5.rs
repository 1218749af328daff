//! CRAM-MD5: clients that others wrote, and what an answer that was overheard is worth.

use std::collections::HashSet;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sasl::Mechanism;
use tests::client::{Client, Reply};
use tests::login::{Credentials, Login};
use tests::server::{Installation, Server, Settings, run};

use crate::openssl::OpenSsl;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";
const REFUSED: &str = "535 5.7.8 Authentication credentials invalid";

struct Door {
    installation: Installation,
    server: Server,
    /// An app password that was made for it.
    password: String,
    /// One that was not.
    other: String,
}

impl Door {
    fn open() -> Door {
        let auth = "mechanisms = [\"CRAM-MD5\", \"PLAIN\"]".to_owned();
        let installation = Installation::new(&Settings { auth, ..Settings::default() });
        installation.add_user(USER, PASSWORD);
        let (_, password) = installation.app_password(USER, &["--cram-md5"]);
        let (_, other) = installation.app_password(USER, &[]);
        let server = installation.start();
        Door { installation, server, password, other }
    }

    fn authority_file(&self) -> String {
        self.installation.path("ca.pem").display().to_string()
    }

    /// What this client does with the right password, in both its forms, and that it gets nowhere with others.
    fn opens(&self, client: impl Fn(&Door, &str) -> Output) {
        let groups: Vec<&str> = (0..4).map(|group| &self.password[group * 4..][..4]).collect();
        for password in [self.password.clone(), groups.join(" ")] {
            let output = client(self, &password);
            assert!(output.status.success(), "{output:?}");
        }
        let queued = self.installation.queue().len();
        for password in [PASSWORD, &self.other, "abcdefghijklmnop"] {
            let output = client(self, password);
            let said = [&output.stdout[..], &output.stderr[..]].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!output.status.success() && said.contains("535"), "{password}: {said}");
        }
        assert_eq!((queued, self.installation.queue().len()), (2, 2));
    }

    fn client(&self) -> Client {
        let mut client = self.server.client(&self.installation);
        client.expect("EHLO client.example", 250);
        client
    }
}

#[test]
fn pythons_smtplib() {
    const PROGRAM: &str = "
import smtplib, ssl, sys
authority, port, user, password = sys.argv[1:]
client = smtplib.SMTP_SSL('localhost', int(port), context=ssl.create_default_context(cafile=authority))
client.ehlo()
client.user, client.password = user, password
client.auth('CRAM-MD5', client.auth_cram_md5)
client.sendmail(user, ['bob@example.net'], 'From: ' + user + '\\r\\n\\r\\nby smtplib\\r\\n')
client.quit()
";
    Door::open().opens(|door, password| {
        let port = door.server.implicit().port().to_string();
        let arguments = ["-c", PROGRAM, &door.authority_file(), &port, USER, password];
        run(Command::new("python3").args(arguments), "")
    });
}

#[test]
fn swaks() {
    Door::open().opens(|door, password| {
        let port = door.server.starttls().port().to_string();
        let mut command = Command::new("swaks");
        command.args(["--server", "127.0.0.1", "--port", &port, "--helo", "client.example", "--tls"]);
        command.args(["--tls-verify", "--tls-ca-path", &door.authority_file(), "--auth", "CRAM-MD5"]);
        command.args(["--auth-user", USER, "--auth-password", password]);
        run(command.args(["--from", USER, "--to", "bob@example.net"]), "")
    });
}

#[test]
fn curl() {
    Door::open().opens(|door, password| {
        let url = format!("smtps://localhost:{}", door.server.implicit().port());
        let mut command = Command::new("curl");
        command.args(["--verbose", "--cacert", &door.authority_file(), "--url", &url]);
        command.args(["--login-options", "AUTH=CRAM-MD5", "--user", &format!("{USER}:{password}")]);
        command.args(["--mail-from", USER, "--mail-rcpt", "bob@example.net", "--upload-file", "-"]);
        run(&mut command, "From: alice@example.org\r\n\r\nby curl\r\n")
    });
}

/// By hand, with a digest that openssl makes.
#[test]
fn openssl() {
    let door = Door::open();
    for (password, reply) in [(&door.password, "235 2.7.0 "), (&door.other, "535 5.7.8 ")] {
        let mut client = OpenSsl::start(&door.installation, door.server.implicit(), &[]);
        client.hear("220 ");
        client.say("EHLO client.example", "250-AUTH CRAM-MD5 PLAIN");
        client.hear("250 ");
        let challenge = client.say("AUTH CRAM-MD5", "334 ");
        let challenge = STANDARD.decode(challenge["334 ".len()..].trim_end()).unwrap();
        let challenge = String::from_utf8(challenge).unwrap();
        let output = run(Command::new("openssl").args(["dgst", "-md5", "-hmac", password, "-r"]), &challenge);
        let digest = String::from_utf8(output.stdout).unwrap();
        let digest = digest.split_whitespace().next().unwrap();
        client.say(&STANDARD.encode(format!("{USER} {digest}")), reply);
        client.quit();
    }
}

/// What is asked for and answered in one exchange.
fn exchange(client: &mut Client, password: &str) -> (String, String) {
    let credentials = Credentials { username: USER.to_owned(), secret: password.to_owned() };
    let mut login = Login::new(Mechanism::CramMd5, credentials, client.bindings());
    let reply = client.expect(&login.command(), 334);
    let challenge = reply.challenge().unwrap().to_owned();
    let answer = login.answer(&challenge);
    (challenge, answer)
}

fn is_refused(reply: &Reply) {
    assert_eq!(reply.lines, [REFUSED]);
}

#[test]
fn sas_09_an_answer_is_good_on_its_connection_alone_and_once() {
    let door = Door::open();
    let (mut here, mut there) = (door.client(), door.client());
    let (_, overheard) = exchange(&mut here, &door.password);
    exchange(&mut there, &door.password);
    is_refused(&there.ask(&overheard).unwrap());
    here.expect("*", 501);
    exchange(&mut here, &door.password);
    is_refused(&here.ask(&overheard).unwrap());
    let (_, answer) = exchange(&mut here, &door.password);
    here.expect(&answer, 235);
    is_refused(&{
        exchange(&mut there, &door.password);
        there.ask(&answer).unwrap()
    });
}

#[test]
fn sas_09_ten_thousand_challenges_are_msg_ids_and_none_comes_twice() {
    const CHALLENGES: usize = 10_000;
    let installation = Installation::new(&Settings {
        listeners: vec!["off"],
        auth: "mechanisms = [\"CRAM-MD5\"]\nallow_insecure = true".to_owned(),
        ..Settings::default()
    });
    let server = installation.start();
    let (address, tls) = (server.starttls(), installation.authority.client());
    let mut seen = HashSet::new();
    for _ in 0..CHALLENGES / 2 {
        let mut client = Client::connect(address, &tls);
        assert_eq!(client.reply().unwrap().code, 220);
        client.expect("EHLO client.example", 250);
        for _ in 0..2 {
            let reply = client.expect("AUTH CRAM-MD5", 334);
            seen.insert(STANDARD.decode(reply.challenge().unwrap()).unwrap());
            client.expect("*", 501);
        }
    }
    assert_eq!(seen.len(), CHALLENGES);
    for challenge in seen {
        let challenge = String::from_utf8(challenge).unwrap();
        let random = challenge.strip_prefix('<').and_then(|rest| rest.strip_suffix("@mail.example.org>"));
        let is_nonce = |text: &str| {
            text.len() == 24
                && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+/".contains(&octet))
        };
        assert!(random.is_some_and(is_nonce), "{challenge}");
    }
}

#[test]
fn it_is_there_only_where_somebody_asked_for_it() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, PASSWORD);
    installation.app_password(USER, &["--cram-md5"]);
    let server = installation.start();
    let mut client = server.client(&installation);
    let offered = client.expect("EHLO client.example", 250);
    assert!(!offered.lines.iter().any(|line| line.contains("CRAM")), "{offered:?}");
    let reply = client.expect("AUTH CRAM-MD5", 504);
    assert!(reply.lines[0].starts_with("504 5.5.4 "), "{reply:?}");
}

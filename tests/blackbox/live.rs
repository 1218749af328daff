//! What is changed by a command, in a process of its own, acts on the sessions that run.

use sasl::Mechanism;
use sasl::Mechanism::{CramMd5, External, Plain, ScramSha256, ScramSha256Plus};
use tests::authority::Pair;
use tests::client::Client;
use tests::server::{Installation, Server, Settings, until};

use crate::second_factor::Phone;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";
const LAST_WORDS: &str = "421 4.7.0 Credentials are no longer valid";

/// A command, and the commands that bring a session to where it is given.
const COMMANDS: [(&[&str], &str); 12] = [
    (&[], "NOOP"),
    (&[], "RSET"),
    (&[], "EHLO again.example"),
    (&[], "MAIL FROM:<alice@example.org>"),
    (&[], "AUTH PLAIN AGFAYi5jAHg="),
    (&[], "AUTH LOGIN"),
    (&[], "no command at all"),
    (&[], "QUIT"),
    (&[MAIL], RCPT),
    (&[MAIL, RCPT], RCPT),
    (&[MAIL, RCPT], "DATA"),
    (&[MAIL, RCPT], "BDAT 4 LAST\r\na\r\n"),
];
const MAIL: &str = "MAIL FROM:<alice@example.org>";
const RCPT: &str = "RCPT TO:<bob@example.net>";

const MECHANISMS: [Mechanism; 5] = [ScramSha256Plus, ScramSha256, External, CramMd5, Plain];

/// What a session logged in with.
#[derive(Clone, Copy)]
enum By {
    Password(Mechanism),
    AppPassword(Mechanism, &'static [&'static str]),
    Certificate,
}

const PASSWORDS: [By; 3] = [By::Password(Plain), By::Password(ScramSha256), By::Password(ScramSha256Plus)];
const APP_PASSWORDS: [By; 4] = [
    By::AppPassword(Plain, &[]),
    By::AppPassword(ScramSha256, &[]),
    By::AppPassword(ScramSha256Plus, &[]),
    By::AppPassword(CramMd5, &["--cram-md5"]),
];

fn all() -> impl Iterator<Item = By> {
    PASSWORDS.into_iter().chain(APP_PASSWORDS).chain([By::Certificate])
}

struct Stage {
    installation: Installation,
    server: Server,
    mechanism: Mechanism,
    password: String,
    /// The app password's id, or the certificate's fingerprint.
    id: String,
    certificate: Pair,
}

impl Stage {
    fn set(by: By) -> Stage {
        let installation = Installation::new(&Settings {
            listen: "client_certificates = true".to_owned(),
            auth: format!("mechanisms = {:?}", MECHANISMS.map(Mechanism::name)),
            ..Settings::default()
        });
        installation.add_user(USER, PASSWORD);
        let certificate = Pair::of_a_client(2120);
        let (mechanism, (id, password)) = match by {
            By::Password(mechanism) => (mechanism, (String::new(), PASSWORD.to_owned())),
            By::AppPassword(mechanism, more) => (mechanism, installation.app_password(USER, more)),
            By::Certificate => (External, (installation.add_certificate(USER, &certificate), String::new())),
        };
        let server = installation.start();
        Stage { installation, server, mechanism, password, id, certificate }
    }

    fn logged_in(&self) -> Client {
        let mut client = self.server.client_showing(&self.certificate, &self.installation);
        client.expect("EHLO client.example", 250);
        let reply = client.auth(self.mechanism, USER, &self.password).unwrap();
        assert_eq!(reply.code, 235, "{}: {reply:?}", self.mechanism);
        client
    }

    /// A session for each of [`COMMANDS`], one step before it.
    fn sessions(&self) -> Vec<Client> {
        let session = |(before, _): &(&[&str], &str)| {
            let mut client = self.logged_in();
            for command in *before {
                client.expect(command, 250);
            }
            client
        };
        COMMANDS.iter().map(session).collect()
    }

    fn run(&self, arguments: &[&str]) {
        self.installation.done(arguments);
    }

    fn set_password(&self) {
        let output = self
            .installation
            .run(&["user", "password", USER, "--password-stdin", "--allow-weak"], "battery staple");
        assert!(output.status.success(), "{output:?}");
    }
}

/// Whatever each session says next is the last it says.
fn all_end(sessions: Vec<Client>) {
    for (mut client, (_, command)) in sessions.into_iter().zip(COMMANDS) {
        client.say(format!("{command}\r\n").as_bytes()).unwrap();
        assert_eq!(client.line().unwrap().as_deref(), Some(LAST_WORDS), "{command}");
        assert_eq!(client.line().unwrap(), None, "{command}");
    }
}

fn all_go_on(sessions: Vec<Client>) {
    for mut client in sessions {
        client.expect("RSET", 250);
        client.expect(MAIL, 250);
        client.expect(RCPT, 250);
        let reply = client.ask("DATA").unwrap();
        assert_eq!(reply.code, 354);
        client.say(b"From: alice@example.org\r\n\r\nStill here.\r\n.\r\n").unwrap();
        assert_eq!(client.reply().unwrap().code, 250);
    }
}

/// The change ends every session that logged in by this, at whatever command comes next.
fn ends(by: By, change: impl Fn(&Stage)) {
    let stage = Stage::set(by);
    let sessions = stage.sessions();
    change(&stage);
    all_end(sessions);
    stage.server.until_logged("reason=revoked");
    assert!(stage.installation.queue().is_empty());
}

fn leaves_alone(by: By, change: impl Fn(&Stage)) {
    let stage = Stage::set(by);
    let sessions = stage.sessions();
    change(&stage);
    all_go_on(sessions);
    assert!(!stage.server.log().contains("reason=revoked"));
}

#[test]
fn revoked() {
    for by in APP_PASSWORDS {
        ends(by, |stage| stage.run(&["app-password", "revoke", USER, &stage.id]));
    }
    ends(By::Certificate, |stage| stage.run(&["certificate", "remove", USER, &stage.id]));
}

#[test]
fn disabled() {
    for by in all() {
        ends(by, |stage| stage.run(&["user", "disable", USER]));
    }
}

#[test]
fn disabled_and_enabled_again() {
    ends(By::Password(Plain), |stage| {
        stage.run(&["user", "disable", USER]);
        stage.run(&["user", "enable", USER]);
    });
}

#[test]
fn removed() {
    for by in all() {
        ends(by, |stage| stage.run(&["user", "remove", USER, "--yes"]));
    }
}

#[test]
fn removed_and_made_anew() {
    ends(By::Password(Plain), |stage| {
        stage.run(&["user", "remove", USER, "--yes"]);
        stage.installation.add_user(USER, PASSWORD);
    });
}

#[test]
fn renamed() {
    for by in all() {
        ends(by, |stage| stage.run(&["user", "rename", USER, "alice.smith@example.org"]));
    }
}

#[test]
fn given_another_password() {
    for by in PASSWORDS {
        ends(by, Stage::set_password);
    }
    for by in APP_PASSWORDS.into_iter().chain([By::Certificate]) {
        leaves_alone(by, Stage::set_password);
    }
}

#[test]
fn given_a_second_factor() {
    let confirm = |stage: &Stage| {
        let phone = Phone::enrolled(&stage.installation, USER);
        stage.run(&["totp", "confirm", USER, &phone.code()]);
    };
    for by in PASSWORDS {
        ends(by, confirm);
    }
    for by in APP_PASSWORDS.into_iter().chain([By::Certificate]) {
        leaves_alone(by, confirm);
    }
    leaves_alone(By::Password(Plain), |stage| drop(Phone::enrolled(&stage.installation, USER)));
}

/// No change in the store tells the server; the clock does.
#[test]
fn expired_while_the_session_is_idle() {
    let stage = Stage::set(By::AppPassword(Plain, &["--expires", "6s"]));
    let sessions = stage.sessions();
    until("the app password has expired", || {
        let told = stage.server.knock(&stage.installation, USER, &stage.password);
        (told.code == 535).then_some(())
    });
    all_end(sessions);
}

#[test]
fn what_concerns_another_credential_or_account_does_not_disturb() {
    for by in [By::Password(Plain), By::AppPassword(Plain, &[])] {
        leaves_alone(by, |stage| {
            let (other, _) = stage.installation.app_password(USER, &[]);
            stage.run(&["app-password", "revoke", USER, &other]);
            stage.installation.add_user("bob@example.org", PASSWORD);
            stage.run(&["user", "disable", "bob@example.org"]);
            stage.run(&["user", "remove", "bob@example.org", "--yes"]);
        });
    }
}

/// The text was begun in good faith; its end is where it counts.
#[test]
fn within_a_text_it_is_told_at_the_end() {
    let stage = Stage::set(By::Password(Plain));
    let mut client = stage.server.logged_in(&stage.installation, USER, PASSWORD);
    client.expect(MAIL, 250);
    client.expect(RCPT, 250);
    client.expect("DATA", 354);
    client.say(b"From: alice@example.org\r\n\r\n").unwrap();
    stage.run(&["user", "disable", USER]);
    client.say(b"NOOP\r\nQUIT\r\n.\r\n").unwrap();
    assert_eq!(client.line().unwrap().as_deref(), Some(LAST_WORDS));
    assert_eq!(client.line().unwrap(), None);
    assert!(stage.installation.queue().is_empty());
}

#[test]
fn over_starttls_too() {
    let stage = Stage::set(By::Password(Plain));
    let mut client = Client::connect(stage.server.starttls(), &stage.installation.authority.client());
    assert_eq!(client.reply().unwrap().code, 220);
    client.expect("EHLO client.example", 250);
    client.expect("STARTTLS", 220);
    client.handshake().unwrap();
    client.expect("EHLO client.example", 250);
    assert_eq!(client.auth_plain(USER, PASSWORD).unwrap().code, 235);
    stage.run(&["user", "disable", USER]);
    assert_eq!(client.expect("NOOP", 421).lines, [LAST_WORDS]);
}

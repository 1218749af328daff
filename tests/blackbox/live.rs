//! What is changed by a command, in a process of its own, acts on the sessions that run.

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

/// What a session logged in with.
#[derive(Clone, Copy)]
enum By {
    Password,
    AppPassword(&'static [&'static str]),
}

struct Stage {
    installation: Installation,
    server: Server,
    password: String,
    /// The app password's id.
    id: String,
}

impl Stage {
    fn set(by: By) -> Stage {
        let installation = Installation::new(&Settings::default());
        installation.add_user(USER, PASSWORD);
        let (id, password) = match by {
            By::Password => (String::new(), PASSWORD.to_owned()),
            By::AppPassword(more) => installation.app_password(USER, more),
        };
        let server = installation.start();
        Stage { installation, server, password, id }
    }

    /// A session for each of [`COMMANDS`], one step before it.
    fn sessions(&self) -> Vec<Client> {
        let session = |(before, _): &(&[&str], &str)| {
            let mut client = self.server.logged_in(&self.installation, USER, &self.password);
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
        let output = self.installation.run(&["user", "password", USER, "--password-stdin"], "battery staple");
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
    ends(By::AppPassword(&[]), |stage| stage.run(&["app-password", "revoke", USER, &stage.id]));
}

#[test]
fn disabled() {
    for by in [By::Password, By::AppPassword(&[])] {
        ends(by, |stage| stage.run(&["user", "disable", USER]));
    }
}

#[test]
fn disabled_and_enabled_again() {
    ends(By::Password, |stage| {
        stage.run(&["user", "disable", USER]);
        stage.run(&["user", "enable", USER]);
    });
}

#[test]
fn removed() {
    for by in [By::Password, By::AppPassword(&[])] {
        ends(by, |stage| stage.run(&["user", "remove", USER, "--yes"]));
    }
}

#[test]
fn removed_and_made_anew() {
    ends(By::Password, |stage| {
        stage.run(&["user", "remove", USER, "--yes"]);
        stage.installation.add_user(USER, PASSWORD);
    });
}

#[test]
fn renamed() {
    for by in [By::Password, By::AppPassword(&[])] {
        ends(by, |stage| stage.run(&["user", "rename", USER, "alice.smith@example.org"]));
    }
}

#[test]
fn given_another_password() {
    ends(By::Password, Stage::set_password);
    leaves_alone(By::AppPassword(&[]), Stage::set_password);
}

#[test]
fn given_a_second_factor() {
    let confirm = |stage: &Stage| {
        let phone = Phone::enrolled(&stage.installation, USER);
        stage.run(&["totp", "confirm", USER, &phone.code()]);
    };
    ends(By::Password, confirm);
    leaves_alone(By::AppPassword(&[]), confirm);
    leaves_alone(By::Password, |stage| drop(Phone::enrolled(&stage.installation, USER)));
}

/// No change in the store tells the server; the clock does.
#[test]
fn expired_while_the_session_is_idle() {
    let stage = Stage::set(By::AppPassword(&["--expires", "6s"]));
    let sessions = stage.sessions();
    until("the app password has expired", || {
        let told = stage.server.knock(&stage.installation, USER, &stage.password);
        (told.code == 535).then_some(())
    });
    all_end(sessions);
}

#[test]
fn what_concerns_another_credential_or_account_does_not_disturb() {
    for by in [By::Password, By::AppPassword(&[])] {
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
    let stage = Stage::set(By::Password);
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
    let stage = Stage::set(By::Password);
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

//! SAS-05: exchanges that nobody ends. Cancelled or left at every step, ten thousand times by each mechanism, they leave nothing
//! behind.

use sasl::Mechanism::ScramSha256Plus;
use tests::authority::Pair;
use tests::client::Client;
use tests::login::{Credentials, Login};
use tests::server::{Installation, Server, Settings};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

/// Exchanges by each mechanism, and before anything is measured.
const TIMES: usize = 10_000;
const WARM: usize = 500;

/// An error more closes the connection: two exchanges are cancelled, and the third is left.
const EACH: usize = 3;

/// What may be added by all of them, in KiB: half a KiB that each left behind would be more.
const GROWTH: u64 = 4 * 1024;

/// Lines that lead to a challenge, which is not answered: of each mechanism up to every step of it, but for the last of
/// SCRAM.
const IN_CLEAR: [&[&[&str]]; 4] = [
    &[&["AUTH PLAIN"]],
    &[&["AUTH LOGIN"], &["AUTH LOGIN", "YWxpY2VAZXhhbXBsZS5vcmc="]],
    &[&["AUTH CRAM-MD5"]],
    &[
        &["AUTH SCRAM-SHA-256"],
        &["AUTH SCRAM-SHA-256", "bixhPWFsaWNlQGV4YW1wbGUub3JnLG49YWxpY2VAZXhhbXBsZS5vcmcscj14"],
    ],
];
const UNDER_TLS: [&[&[&str]]; 2] = [
    &[&["AUTH EXTERNAL"]],
    &[
        &["AUTH SCRAM-SHA-256-PLUS"],
        &["AUTH SCRAM-SHA-256-PLUS", "cD10bHMtZXhwb3J0ZXIsLG49YWxpY2VAZXhhbXBsZS5vcmcscj14"],
    ],
];

struct Door {
    installation: Installation,
    server: Server,
    pair: Pair,
    tls: bool,
}

impl Door {
    fn open(tls: bool) -> Door {
        let (listener, mechanisms) = match tls {
            true => ("implicit", "[\"SCRAM-SHA-256-PLUS\", \"EXTERNAL\"]"),
            false => ("off", "[\"PLAIN\", \"LOGIN\", \"CRAM-MD5\", \"SCRAM-SHA-256\"]"),
        };
        let installation = Installation::new(&Settings {
            listeners: vec![listener],
            listen: format!("client_certificates = {tls}"),
            auth: format!("mechanisms = {mechanisms}\nallow_insecure = {}", !tls),
            ..Settings::default()
        });
        installation.add_user(USER, PASSWORD);
        let server = installation.start();
        Door { installation, server, pair: Pair::of_a_client(2120), tls }
    }

    fn client(&self) -> Client {
        let tls = self.installation.authority.client_showing(&self.pair);
        let mut client = Client::connect(self.server.until_ready()[0], &tls);
        if self.tls {
            client.handshake().unwrap();
        }
        assert_eq!(client.reply().unwrap().code, 220);
        client.expect("EHLO client.example", 250);
        client
    }

    /// So many exchanges, at each step alike.
    fn abandon(&self, steps: &[&[&str]], times: usize) {
        for lines in steps {
            for _ in 0..times / steps.len() / EACH {
                let mut client = self.client();
                for exchange in 1..=EACH {
                    for line in *lines {
                        client.expect(line, 334);
                    }
                    if exchange < EACH {
                        client.expect("*", 501);
                    }
                }
            }
        }
    }

    fn stays_small(&self, each: impl Fn(usize), what: &str) {
        each(WARM);
        let before = self.server.resident();
        each(TIMES);
        let after = self.server.resident();
        assert!(after < before + GROWTH, "{what}: {before} KiB before, {after} KiB after");
    }
}

#[test]
fn in_clear() {
    let door = Door::open(false);
    for steps in IN_CLEAR {
        door.stays_small(|times| door.abandon(steps, times), steps[0][0]);
    }
}

#[test]
fn under_tls() {
    let door = Door::open(true);
    for steps in UNDER_TLS {
        door.stays_small(|times| door.abandon(steps, times), steps[0][0]);
    }
}

/// The proof is right, and ours is not acknowledged: nobody has logged in.
#[test]
fn at_the_last_step_of_scram_nobody_has_logged_in() {
    let door = Door::open(true);
    for exchange in 0..20 {
        let mut client = door.client();
        let credentials = Credentials { username: USER.to_owned(), secret: PASSWORD.to_owned() };
        let mut login = Login::new(ScramSha256Plus, credentials, client.bindings());
        let first = client.expect(&login.command(), 334);
        client.expect(&login.answer(first.challenge().unwrap()), 334);
        if exchange % 2 == 0 {
            client.expect("*", 501);
            client.expect("MAIL FROM:<alice@example.org>", 530);
        }
    }
}

//! SCRAM as an attacker sees it: what is left of a proof that was overheard, changed or made over another connection,
//! how many guesses there are, and that none of it tells who exists.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sasl::{ChannelBindings, Mechanism};
use tests::client::{Client, Reply};
use tests::login::{Credentials, Login};
use tests::server::{Installation, Server, Settings, until};

const USER: &str = "alice@example.org";
const GHOST: &str = "nobody@example.org";
const PASSWORD: &str = "correct horse";
const REFUSED: &str = "535 5.7.8 Authentication credentials invalid";
const BOTH: &str = "mechanisms = [\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"PLAIN\"]\n";
/// No throttle is met on the way.
const FREE: &str = "max_failures = 100\n[auth.throttle]\npassword = { failures = 1000, window = \"60s\" }\n\
                    network = { failures = 1000, window = \"10m\" }";

struct Door {
    installation: Installation,
    server: Server,
}

impl Door {
    fn open(auth: &str) -> Door {
        let installation = Installation::new(&Settings { auth: auth.to_owned(), ..Settings::default() });
        installation.add_user(USER, PASSWORD);
        let server = installation.start();
        Door { installation, server }
    }

    fn client(&self) -> Client {
        let mut client = self.server.client(&self.installation);
        client.expect("EHLO client.example", 250);
        client
    }

    fn knock(&self, mechanism: Mechanism, user: &str, secret: &str) -> Reply {
        self.client().auth(mechanism, user, secret).unwrap()
    }

    /// No password is judged, by any mechanism, in the name of anybody.
    fn is_shut(&self) {
        use Mechanism::{Login, Plain, ScramSha256, ScramSha256Plus};
        for (user, secret) in [(USER, PASSWORD), (USER, "six"), (GHOST, PASSWORD)] {
            for mechanism in [Plain, Login, ScramSha256, ScramSha256Plus] {
                let reply = self.knock(mechanism, user, secret);
                let told = reply.lines[0].starts_with("454 4.7.0 Too many failed logins; try again in ");
                assert!(told, "{user}, {mechanism}, {secret}: {reply:?}");
            }
        }
    }

    /// What came of the logins, as the audit trail has it, once it has so many of them.
    fn reasons(&self, user: &str, count: u64) -> Vec<String> {
        until("the trail has it all", || {
            let entries = self.installation.json(&["audit", "list", "--user", user, "--action", "login"]);
            let entries = entries.as_array().unwrap();
            let known: u64 = entries.iter().map(|entry| entry["count"].as_u64().unwrap()).sum();
            let reasons = entries.iter().map(|entry| entry["reason"].as_str().unwrap().to_owned());
            (known == count).then(|| reasons.collect())
        })
    }
}

fn scram(user: &str) -> Login {
    let credentials = Credentials { username: user.to_owned(), secret: PASSWORD.to_owned() };
    Login::new(Mechanism::ScramSha256, credentials, ChannelBindings::default())
}

/// Says the first message; the client's final one, decoded.
fn final_message(client: &mut Client, mut login: Login) -> String {
    let reply = client.expect(&login.command(), 334);
    let line = login.answer(reply.challenge().unwrap());
    String::from_utf8(STANDARD.decode(line).unwrap()).unwrap()
}

fn answer(client: &mut Client, message: &str) -> Reply {
    client.ask(&STANDARD.encode(message)).unwrap()
}

/// Another nonce than this exchange's.
fn with_another_nonce(message: &str) -> String {
    message.replacen(",r=", ",r=x", 1)
}

#[test]
fn sas_10_a_message_of_another_exchange_tells_nobody_who_exists_however_often_it_comes() {
    let door = Door::open(BOTH);
    let told = |user: &str| {
        let knock = |_| {
            let mut client = door.client();
            let message = final_message(&mut client, scram(user));
            answer(&mut client, &with_another_nonce(&message)).code
        };
        (0..7).map(knock).collect::<Vec<_>>()
    };
    for user in [USER, GHOST] {
        assert_eq!(told(user), [535; 7], "{user}");
    }
    assert_eq!(door.knock(Mechanism::Plain, USER, PASSWORD).code, 235);
}

#[test]
fn sas_10_a_proof_is_good_in_its_exchange_alone_and_once() {
    let door = Door::open(BOTH);
    let (mut here, mut there) = (door.client(), door.client());
    let mut login = scram(USER);
    let command = login.command();
    let challenge = here.expect(&command, 334);
    let proof = login.answer(challenge.challenge().unwrap());
    // With the very same nonce of the client.
    there.expect(&command, 334);
    assert_eq!(there.ask(&proof).unwrap().lines, [REFUSED]);
    here.expect(&proof, 334);
    here.expect("", 235);
    there.expect(&command, 334);
    assert_eq!(there.ask(&proof).unwrap().lines, [REFUSED]);
    let mut reasons = door.reasons(USER, 3);
    reasons.sort();
    assert_eq!(reasons, ["ok", "other-nonce"]);
}

#[test]
fn sas_10_a_proof_with_any_bit_flipped_is_wrong() {
    let door = Door::open(&format!("{BOTH}{FREE}"));
    std::thread::scope(|scope| {
        for octets in (0..32).step_by(4) {
            let door = &door;
            scope.spawn(move || {
                let mut client = door.client();
                for octet in octets..octets + 4 {
                    let message = final_message(&mut client, scram(USER));
                    let (rest, proof) = message.split_once(",p=").unwrap();
                    let mut proof = STANDARD.decode(proof).unwrap();
                    proof[octet] ^= 1 << (octet % 8);
                    let reply = answer(&mut client, &format!("{rest},p={}", STANDARD.encode(&proof)));
                    assert_eq!(reply.lines, [REFUSED], "octet {octet}");
                }
                assert_eq!(client.log_in(scram(USER)).unwrap().code, 235);
            });
        }
    });
    let mut reasons = door.reasons(USER, 40);
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons, ["bad-answer", "ok"]);
}

#[test]
fn sas_10_a_client_that_was_not_shown_plus_is_refused_where_it_is_offered() {
    let credentials = || Credentials { username: USER.to_owned(), secret: PASSWORD.to_owned() };
    let door = Door::open(BOTH);
    let offered = door.client().expect("EHLO client.example", 250);
    let with_plus = "250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN".to_owned();
    assert!(offered.lines.contains(&with_plus), "{offered:?}");
    assert_eq!(door.client().log_in(Login::unbound(credentials())).unwrap().lines, [REFUSED]);
    assert_eq!(door.reasons(USER, 1), ["downgraded"]);
    let door = Door::open("mechanisms = [\"SCRAM-SHA-256\"]");
    assert_eq!(door.client().log_in(Login::unbound(credentials())).unwrap().code, 235);
}

#[test]
fn sas_10_a_proof_bound_to_another_connection_is_none() {
    let door = Door::open(BOTH);
    let (mut here, there) = (door.client(), door.client());
    let bound_to = |client: &Client| {
        let credentials = Credentials { username: USER.to_owned(), secret: PASSWORD.to_owned() };
        Login::new(Mechanism::ScramSha256Plus, credentials, client.bindings())
    };
    assert_eq!(here.log_in(bound_to(&there)).unwrap().lines, [REFUSED]);
    assert_eq!(door.reasons(USER, 1), ["not-bound"]);
    let login = bound_to(&here);
    assert_eq!(here.log_in(login).unwrap().code, 235);
}

#[test]
fn enm_12_wrong_passwords_and_wrong_proofs_have_one_counter_and_app_passwords_none() {
    use Mechanism::{CramMd5, Login, Plain, ScramSha256, ScramSha256Plus};
    let door = Door::open(
        "mechanisms = [\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"CRAM-MD5\", \"PLAIN\", \"LOGIN\"]\n\
         [auth.throttle]\npassword = { failures = 5, window = \"10m\" }",
    );
    let (_, app_password) = door.installation.app_password(USER, &["--cram-md5"]);
    for user in [USER, GHOST] {
        for (mechanism, wrong) in [
            (ScramSha256, "one"),
            (Plain, "two"),
            (ScramSha256Plus, "three"),
            (Login, "four"),
            (ScramSha256, "five"),
        ] {
            assert_eq!(door.knock(mechanism, user, wrong).lines, [REFUSED], "{user}, {mechanism}, {wrong}");
        }
    }
    door.is_shut();
    let Door { installation, server } = door;
    server.kill();
    let door = Door { server: installation.start(), installation };
    door.is_shut();
    for mechanism in [Plain, Login, CramMd5, ScramSha256, ScramSha256Plus] {
        assert_eq!(door.knock(mechanism, USER, &app_password).code, 235, "{mechanism}");
    }
}

#[test]
fn a_right_proof_gives_back_what_wrong_ones_have_used_up() {
    let door = Door::open(BOTH);
    for _ in 0..2 {
        for wrong in ["one", "two", "three", "four"] {
            assert_eq!(door.knock(Mechanism::ScramSha256, USER, wrong).code, 535);
        }
        assert_eq!(door.knock(Mechanism::ScramSha256, USER, PASSWORD).code, 235);
    }
}

//! What SCRAM says before anything is proved, which is the same for everybody; and when an account's SCRAM keys are there.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sasl::Mechanism::{Plain, ScramSha256};
use tests::client::Client;
use tests::server::{Installation, Server, Settings};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

fn installed(mechanisms: &str) -> Installation {
    let auth = format!("mechanisms = [{mechanisms}]");
    Installation::new(&Settings { auth, ..Settings::default() })
}

fn with_scram() -> Installation {
    let installation = installed("\"SCRAM-SHA-256\", \"PLAIN\"");
    installation.add_user(USER, PASSWORD);
    installation
}

fn client(installation: &Installation, server: &Server) -> Client {
    let mut client = server.client(installation);
    client.expect("EHLO client.example", 250);
    client
}

/// Salt and iterations, as the client is told.
fn parameters(client: &mut Client, name: &str) -> [String; 2] {
    let first = STANDARD.encode(format!("n,,n={name},r=fyko+d2lbbFgONRv9qkxdawL"));
    let reply = client.expect(&format!("AUTH SCRAM-SHA-256 {first}"), 334);
    client.expect("*", 501);
    let told = String::from_utf8(STANDARD.decode(reply.challenge().unwrap()).unwrap()).unwrap();
    let fields: Vec<&str> = told.split(',').collect();
    let [nonce, salt, iterations] = fields[..] else { panic!("{told}") };
    assert!(nonce.starts_with("r=fyko+d2lbbFgONRv9qkxdawL") && nonce.len() == 26 + 24, "{told}");
    assert_eq!(STANDARD.decode(salt.strip_prefix("s=").unwrap()).unwrap().len(), 16, "{told}");
    [salt.to_owned(), iterations.to_owned()]
}

/// Spellings of one name, a row each; only the first is somebody's.
const NAMES: [&[&str]; 4] = [
    &[USER, "ALICE@Example.ORG", "Alice@example.org", "\"alice\"@example.org"],
    &["nobody@example.org", "NoBody@EXAMPLE.org", "\"nobody\"@example.org"],
    &["jos\u{e9}@b\u{fc}cher.example", "JOSE\u{301}@xn--bcher-kva.example"],
    &["no address"],
];

#[test]
fn enm_05_everybody_has_a_salt_that_stays_whoever_asks_however_it_is_spelt() {
    let installation = with_scram();
    let mut found = Vec::new();
    for _ in 0..2 {
        let server = installation.start();
        for _ in 0..2 {
            let each = NAMES.iter().map(|spellings| {
                let told = spellings.iter().map(|name| parameters(&mut client(&installation, &server), name));
                let told: BTreeSet<_> = told.collect();
                assert_eq!(told.len(), 1, "{spellings:?}");
                told.into_iter().next().unwrap()
            });
            found.push(each.collect::<Vec<_>>());
        }
        server.kill();
    }
    assert!(found.iter().all(|told| *told == found[0]), "{found:?}");
    let [salts, iterations] =
        [0, 1].map(|field| found[0].iter().map(|told| &told[field]).collect::<BTreeSet<_>>());
    assert_eq!((salts.len(), iterations.len()), (NAMES.len(), 1));
}

/// Another installation tells other salts, so that nobody can say in advance what a guess would be worth.
#[test]
fn enm_05_salts_are_of_this_installation() {
    let told = [with_scram(), with_scram()].map(|installation| {
        let server = installation.start();
        parameters(&mut client(&installation, &server), USER)
    });
    assert_ne!(told[0][0], told[1][0]);
}

#[test]
fn keys_follow_a_password_and_wait_for_it_after_a_rename() {
    const RENAMED: &str = "alice.smith@example.org";
    let installation = with_scram();
    let (_, app_password) = installation.app_password(USER, &[]);
    let server = installation.start();
    let code = |mechanism, user, secret: &str| {
        client(&installation, &server).auth(mechanism, user, secret).unwrap().code
    };
    assert_eq!(code(ScramSha256, USER, PASSWORD), 235);
    let output =
        installation.run(&["user", "password", USER, "--password-stdin", "--allow-weak"], "battery staple");
    assert!(output.status.success());
    assert_eq!(
        [PASSWORD, "battery staple", &app_password].map(|secret| code(ScramSha256, USER, secret)),
        [535, 235, 235]
    );
    installation.done(&["user", "rename", USER, RENAMED]);
    for secret in ["battery staple", &app_password] {
        assert_eq!(code(ScramSha256, RENAMED, secret), 535, "{secret}");
        assert_eq!(code(Plain, RENAMED, secret), 235, "{secret}");
        assert_eq!(code(ScramSha256, RENAMED, secret), 235, "{secret}");
        assert_eq!(code(ScramSha256, USER, secret), 535, "{secret}");
    }
}

/// Of a hash nobody can make SCRAM keys; of the password that is shown, they are made beside the new hash.
#[test]
fn an_account_of_dovecot_has_keys_after_its_first_login_with_plain() {
    let installation = installed("\"SCRAM-SHA-256\", \"PLAIN\"");
    let lines = "alice@example.org:{SSHA}vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+\n";
    let output = installation.run(&["user", "import", "-", "--format", "dovecot"], lines);
    assert!(output.status.success(), "{output:?}");
    let server = installation.start();
    let code = |mechanism| client(&installation, &server).auth(mechanism, USER, "secret").unwrap().code;
    assert_eq!([ScramSha256, Plain, ScramSha256, Plain, ScramSha256].map(code), [535, 235, 235, 235, 235]);
}

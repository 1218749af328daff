//! Two-factor authentication, with an authenticator app that is none of ours.

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tests::server::{Installation, Server, Settings, run, text};

const USER: &str = "alice@example.org";

/// RFC 6238, written anew: what an authenticator app does. Takes the seed in base32 from standard input, and how
/// many seconds the phone is ahead.
const APP: &str = "
import base64, hashlib, hmac, sys, time
seed = base64.b32decode(sys.stdin.read().strip())
step = int(time.time() + int(sys.argv[1])) // 30
mac = hmac.new(seed, step.to_bytes(8, 'big'), hashlib.sha1).digest()
offset = mac[19] & 15
print('%06d' % (int.from_bytes(mac[offset:offset + 4], 'big') % 2**31 % 10**6))
";

/// A phone with the seed of one account.
pub(crate) struct Phone {
    pub(crate) seed: String,
}

impl Phone {
    pub(crate) fn enrolled(installation: &Installation, address: &str) -> Phone {
        Phone { seed: text(&installation.json(&["totp", "enroll", address]), "secret") }
    }

    pub(crate) fn code(&self) -> String {
        self.code_ahead(0)
    }

    /// What it shows with its clock so many seconds ahead.
    fn code_ahead(&self, seconds: i64) -> String {
        let output = run(Command::new("python3").args(["-c", APP, &seconds.to_string()]), &self.seed);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A code that it does not show for some minutes.
    fn wrong_codes(&self, number: usize) -> Vec<String> {
        let right: Vec<String> = (-2..4).map(|step| self.code_ahead(step * 30)).collect();
        let codes = (0..1_000_000).map(|code| format!("{code:06}"));
        codes.filter(|code| !right.contains(code)).take(number).collect()
    }
}

fn installed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    installation
}

/// Confirmed, with the phone and the recovery codes.
fn with_second_factor() -> (Installation, Phone, Vec<String>) {
    let installation = installed();
    let phone = Phone::enrolled(&installation, USER);
    let confirmed = installation.json(&["totp", "confirm", USER, &phone.code()]);
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    (installation, phone, codes)
}

fn refused(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.starts_with("error: ") && said.trim_end().lines().count() == 1, "{said:?}");
    said
}

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn it_is_prepared_confirmed_shown_and_switched_off() {
    let installation = installed();
    let status = |key: &str| installation.json(&["totp", "status", USER])[key].clone();
    let user = || installation.json(&["user", "show", USER])["totp"].clone();
    assert_eq!(
        (status("enrolled_at"), status("confirmed_at"), status("recovery_codes")),
        (Value::Null, Value::Null, 0.into())
    );
    let enrolled = installation.json(&["totp", "enroll", USER]);
    assert_eq!(keys(&enrolled), ["secret", "uri"]);
    let phone = Phone { seed: text(&enrolled, "secret") };
    let label = format!("mail.example.org:{}", USER.replace('@', "%40"));
    let uri = format!("otpauth://totp/{label}?secret={}&issuer=mail.example.org", phone.seed);
    assert_eq!(enrolled["uri"], uri.as_str());
    assert!(status("enrolled_at").is_string() && status("confirmed_at").is_null());
    assert_eq!(user(), false, "nothing is on before a code was right");
    let wrong = phone.wrong_codes(1);
    refused(&installation.run(&["totp", "confirm", USER, &wrong[0]], ""));
    assert_eq!(user(), false);
    let confirmed = installation.json(&["totp", "confirm", USER, &phone.code()]);
    assert_eq!(keys(&confirmed), ["recovery_codes"]);
    assert_eq!((user(), status("recovery_codes")), (true.into(), 10.into()));
    assert_eq!(
        keys(&installation.json(&["totp", "status", USER])),
        ["address", "confirmed_at", "enrolled_at", "recovery_codes"]
    );
    let said = refused(&installation.run(&["totp", "enroll", USER], ""));
    assert!(said.contains("gatepost totp disable"), "{said}");
    let fresh = installation.json(&["totp", "recovery-codes", USER]);
    assert_ne!(fresh, confirmed);
    assert_eq!(keys(&fresh), ["recovery_codes"]);
    refused(&installation.run(&["totp", "disable", USER], ""));
    assert_eq!(user(), true, "it asks first");
    installation.done(&["totp", "disable", USER, "--yes"]);
    assert_eq!(
        (user(), status("enrolled_at"), status("recovery_codes")),
        (false.into(), Value::Null, 0.into())
    );
    for command in [&["disable", USER, "--yes"][..], &["recovery-codes", USER], &["confirm", USER, "123456"]]
    {
        refused(&installation.run(&[&["totp"], command].concat(), ""));
    }
}

#[test]
fn a_seed_that_was_never_confirmed_gives_way_to_a_new_one() {
    let installation = installed();
    let old = Phone::enrolled(&installation, USER);
    let new = Phone::enrolled(&installation, USER);
    refused(&installation.run(&["totp", "confirm", USER, &old.code()], ""));
    installation.done(&["totp", "confirm", USER, &new.code()]);
}

#[test]
fn the_qr_code_on_the_terminal_is_the_uri() {
    let installation = installed();
    let printed = installation.done(&["totp", "enroll", USER]);
    let picture = picture(printed.lines().take_while(|line| !line.starts_with("otpauth:")));
    let image = installation.path("qr.pgm");
    std::fs::write(&image, picture).unwrap();
    let read = run(Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&image), "");
    let uri = printed.lines().find(|line| line.starts_with("otpauth:")).unwrap();
    assert_eq!(String::from_utf8(read.stdout).unwrap().trim(), uri, "{printed}");
}

/// What a dark screen shows, as a portable graymap of eight pixels to a module.
fn picture<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let halves = |line: &str, half: char| -> Vec<u8> {
        let module = |c: char| if c == '█' || c == half { 255 } else { 0 };
        line.chars().flat_map(|c| [module(c); 8]).collect()
    };
    let rows: Vec<Vec<u8>> = lines.flat_map(|line| [halves(line, '▀'), halves(line, '▄')]).collect();
    let mut image = format!("P5 {} {} 255\n", rows[0].len(), rows.len() * 8).into_bytes();
    rows.iter().for_each(|row| image.extend(row.repeat(8)));
    image
}

#[test]
fn otp_01_of_fifty_that_confirm_at_once_one_does() {
    let installation = installed();
    let code = Phone::enrolled(&installation, USER).code();
    let confirm = || {
        let mut command = installation.command(&["totp", "confirm", USER, &code, "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..50).map(|_| confirm()).collect();
    let done: Vec<Output> = running.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let (confirmed, others): (Vec<_>, Vec<_>) = done.iter().partition(|output| output.status.success());
    assert_eq!(confirmed.len(), 1, "{confirmed:?}");
    others.iter().for_each(|output| drop(refused(output)));
}

#[test]
fn otp_02_guessing_is_cut_off_across_processes() {
    let installation = installed();
    let phone = Phone::enrolled(&installation, USER);
    let confirm = |code: &str| refused(&installation.run(&["totp", "confirm", USER, code], ""));
    for wrong in phone.wrong_codes(6) {
        assert!(!confirm(&wrong).contains("too many"), "{wrong}");
    }
    assert!(confirm(&phone.code()).contains("too many wrong codes"));
    assert_eq!(installation.json(&["user", "show", USER])["totp"], false);
}

#[test]
fn otp_04_the_seed_of_another_account_is_none() {
    let installation = installed();
    installation.add_user("mallory@example.org", "battery staple");
    let (_, mallory) =
        (Phone::enrolled(&installation, USER), Phone::enrolled(&installation, "mallory@example.org"));
    swap_seeds(&installation);
    let said = refused(&installation.run(&["totp", "confirm", USER, &mallory.code()], ""));
    assert!(said.contains("does not open"), "{said}");
    let audited = installation.json(&["audit", "list", "--user", USER, "--action", "secret-open"]);
    assert_eq!(audited.as_array().unwrap().len(), 1);
    assert_eq!((&audited[0]["result"], &audited[0]["reason"]), (&"failure".into(), &"damaged".into()));
}

/// What somebody can do who may write the store, but has no key.
fn swap_seeds(installation: &Installation) {
    let script = "
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
other = 'FROM totp AS other WHERE other.account <> totp.account'
store.execute('UPDATE totp SET (seed, enrolled_at) = (SELECT seed, enrolled_at ' + other + ')')
store.commit()
";
    let accounts = installation.path("store").join("accounts.db");
    let output = run(Command::new("python3").args(["-c", script]).arg(accounts), "");
    assert!(output.status.success(), "{output:?}");
}

fn knock(installation: &Installation, server: &Server, password: &str) -> String {
    server.knock(installation, USER, password).lines.swap_remove(0)
}

#[test]
fn with_a_second_factor_mail_wants_an_app_password() {
    let (installation, ..) = with_second_factor();
    let (_, app_password) = installation.app_password(USER, &[]);
    let server = installation.start();
    let reply = knock(&installation, &server, "correct horse");
    assert_eq!(reply, "534 5.7.9 Application-specific password required");
    assert!(knock(&installation, &server, "wrong horse").starts_with("535 5.7.8 "));
    assert!(knock(&installation, &server, &app_password).starts_with("235 "));
    installation.done(&["totp", "disable", USER, "--yes"]);
    assert!(knock(&installation, &server, "correct horse").starts_with("235 "));
}

/// What `auth test` says of the account password with this code.
fn opens(installation: &Installation, code: &str) -> Child {
    let arguments = ["auth", "test", USER, "--scope", "master", "--code", code, "--password-stdin", "--json"];
    let mut command = installation.command(&arguments);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse").unwrap();
    child
}

fn reason(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(output.status.success(), said["accepted"] == true, "{output:?}");
    text(&said, "reason")
}

#[test]
fn otp_01_of_fifty_that_use_one_code_at_once_one_gets_in() {
    let (installation, phone, codes) = with_second_factor();
    // The present step was used up to confirm; the next one counts, too.
    for code in [phone.code_ahead(30), codes[0].clone()] {
        let running: Vec<_> = (0..50).map(|_| opens(&installation, &code)).collect();
        let reasons: Vec<String> = running.into_iter().map(reason).collect();
        assert_eq!(reasons.iter().filter(|reason| *reason == "ok").count(), 1, "{reasons:?}");
        // A process later it is still used up.
        assert_eq!(reason(opens(&installation, &code)), "bad-code");
    }
    assert_eq!(installation.json(&["totp", "status", USER])["recovery_codes"], 9);
}

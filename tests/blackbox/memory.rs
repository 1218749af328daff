//! A large message never stands whole in memory, and nobody else notices it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tests::server::{Installation, Server, Settings, until};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// What a message of 35 MiB may add, in KiB: chunks on their way to the disk.
const GROWTH: u64 = 12 * 1024;

#[test]
fn memory_stays_flat_and_a_bystander_quick_while_35_mib_come_in() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    let server = installation.start();
    // Everything that is set up once is set up.
    send(&installation, &server, &password, &letter("warm", &text(2_000_000)));
    let before = server.resident();

    let done = AtomicBool::new(false);
    let (peak, slowest) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&installation, &server, &password, &done));
        send(&installation, &server, &password, &letter("large", &text(35 * 1024 * 1024 - 1000)));
        done.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    });
    assert!(peak < before + GROWTH, "resident: {before} KiB before, {peak} KiB at most");
    assert!(slowest < Duration::from_secs(1), "a bystander's message took {slowest:?}");
}

#[test]
fn memory_stays_flat_while_35_mib_are_re_encoded() {
    let next = Smarthost::start(Script { capabilities: vec!["PIPELINING"], ..Script::default() });
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    let server = installation.start();
    send_8_bit(&installation, &server, &password, &letter("warm", &eight_bit_text(2_000_000)));
    next.until_messages(1);
    let before = server.resident();

    let text = eight_bit_text(35 * 1024 * 1024 - 1000);
    send_8_bit(&installation, &server, &password, &letter("large", &text));
    let mut peak = 0;
    until("the large message has arrived", || {
        peak = peak.max(server.resident());
        let ends = next.lines().iter().filter(|line| line.as_str() == ".").count();
        (ends == 2).then_some(())
    });
    assert!(peak < before + GROWTH, "resident: {before} KiB before, {peak} KiB at most");
}

/// By both algorithms, after it was re-encoded.
#[test]
fn memory_stays_flat_while_35_mib_are_signed() {
    let next = Smarthost::start(Script { capabilities: vec!["PIPELINING"], ..Script::default() });
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    for algorithm in ["rsa", "ed25519"] {
        let key = ["example.org", "--selector", algorithm];
        installation.done(&[&["dkim", "generate"], &key[..], &["--algorithm", algorithm]].concat());
        installation.done(&[&["dkim", "activate"], &key[..]].concat());
    }
    let server = installation.start();
    send_8_bit(&installation, &server, &password, &letter("warm", &eight_bit_text(2_000_000)));
    next.until_messages(1);
    let before = server.resident();

    let text = eight_bit_text(35 * 1024 * 1024 - 1000);
    send_8_bit(&installation, &server, &password, &letter("large", &text));
    let mut peak = 0;
    until("the large message has arrived", || {
        peak = peak.max(server.resident());
        let ends = next.lines().iter().filter(|line| line.as_str() == ".").count();
        (ends == 2).then_some(())
    });
    assert!(peak < before + GROWTH, "resident: {before} KiB before, {peak} KiB at most");
    let signatures = next.messages().pop().unwrap().octets;
    let head = String::from_utf8_lossy(signatures.get(..4096).unwrap()).into_owned();
    assert_eq!(head.matches("DKIM-Signature: v=1; a=").count(), 2, "{head}");
}

fn send_8_bit(installation: &Installation, server: &Server, password: &str, message: &[u8]) {
    let mut client = server.logged_in(installation, USER, password);
    client.expect(&format!("MAIL FROM:<{USER}> BODY=8BITMIME"), 250);
    client.expect("RCPT TO:<bob@example.net>", 250);
    client.expect("DATA", 354);
    client.say(&tests::client::stuffed(message)).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
}

fn eight_bit_text(octets: usize) -> String {
    "sixty-two octets of text, na\u{ef}ve, on each of very many lines.\r\n".repeat(octets / 64)
}

/// Sends small messages until it is done; the most memory seen, and the longest a message took.
fn watch(installation: &Installation, server: &Server, password: &str, done: &AtomicBool) -> (u64, Duration) {
    let mut client = server.logged_in(installation, USER, password);
    let (mut peak, mut slowest) = (0, Duration::ZERO);
    for number in 0.. {
        if done.load(Ordering::Relaxed) && number > 0 {
            break;
        }
        let begun = Instant::now();
        let reply = client.send(USER, &["bob@example.net"], &letter("small", "short\r\n")).unwrap();
        slowest = slowest.max(begun.elapsed());
        peak = peak.max(server.resident());
        match reply.code {
            250 => {}
            421 => client = server.logged_in(installation, USER, password),
            _ => panic!("{reply:?}"),
        }
    }
    (peak, slowest)
}

fn send(installation: &Installation, server: &Server, password: &str, message: &[u8]) {
    let mut client = server.logged_in(installation, USER, password);
    let reply = client.send(USER, &["bob@example.net"], message).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
}

fn text(octets: usize) -> String {
    "sixty-two octets of text on each of very many lines, just so..\r\n".repeat(octets / 64)
}

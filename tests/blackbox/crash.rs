//! Killed at any instant: what got its 250 is there once, to the last octet; nothing is there in part.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use tests::client::Client;
use tests::maildir;
use tests::server::{Installation, Server};

use crate::letter::{carries, letter};

const USER: &str = "alice@example.org";
const ROUNDS: usize = 8;
const CLIENTS: usize = 6;

/// The names of the letters that got their 250, over all rounds.
#[derive(Default)]
struct Acknowledged {
    names: Mutex<BTreeSet<String>>,
    news: Condvar,
}

#[test]
fn killed_under_load_again_and_again_it_loses_nothing_and_tears_nothing() {
    let installation = Installation::with_maildir();
    installation.add_user(USER, "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    let acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        one_round(&installation, &password, round, &acknowledged);
    }
    let server = installation.start();
    installation.until_queue_is_empty();
    let acknowledged = acknowledged.names.into_inner().unwrap();
    assert!(acknowledged.len() >= ROUNDS);
    assert_same(&acknowledged, &maildir::messages(&installation.path("outbox")));
    assert_swept(&installation.path("outbox"));
    assert!(server.terminate().success());
}

/// Several clients send as fast as they can; after so many 250s the server is killed.
fn one_round(installation: &Installation, password: &str, round: usize, acknowledged: &Acknowledged) {
    let server = installation.start();
    let before = acknowledged.names.lock().unwrap().len();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (server, next) = (&server, &next);
        for _ in 0..CLIENTS {
            scope
                .spawn(move || send_until_cut_off(installation, server, password, round, next, acknowledged));
        }
        let enough = before + 1 + round * 5;
        let names = acknowledged.names.lock().unwrap();
        drop(acknowledged.news.wait_while(names, |names| names.len() < enough).unwrap());
        server.signal("KILL");
    });
    server.kill();
}

fn send_until_cut_off(
    installation: &Installation,
    server: &Server,
    password: &str,
    round: usize,
    next: &AtomicUsize,
    acknowledged: &Acknowledged,
) {
    let mut client = server.logged_in(installation, USER, password);
    loop {
        let name = format!("{round}-{}", next.fetch_add(1, Ordering::Relaxed));
        match client.send(USER, &["bob@example.net"], &named(&name)) {
            Ok(reply) if reply.code == 250 => acknowledge(acknowledged, name),
            Ok(reply) if reply.code == 421 => client = server.logged_in(installation, USER, password),
            Ok(reply) => panic!("{reply:?}"),
            Err(_) => return,
        }
    }
}

fn acknowledge(acknowledged: &Acknowledged, name: String) {
    acknowledged.names.lock().unwrap().insert(name);
    acknowledged.news.notify_all();
}

/// Letters of all sizes, so that some are kept in rows and some in files; the name tells the rest.
fn named(name: &str) -> Vec<u8> {
    let seed = name.bytes().fold(7_usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet.into()));
    let lines = [1, 20, 300, 1_500, 4_000][seed % 5];
    let body: String = (0..lines)
        .map(|line| format!("{name} line {line:08} of {lines:08}, and some more words\r\n"))
        .collect();
    letter(name, &body)
}

fn assert_same(acknowledged: &BTreeSet<String>, stored: &[Vec<u8>]) {
    let mut seen = BTreeSet::new();
    for message in stored {
        let name = subject(message);
        assert!(carries(message, &named(&name)), "{name} is not what was sent: {} octets", message.len());
        assert!(seen.insert(name.clone()), "{name} is there twice");
    }
    let lost: Vec<_> = acknowledged.difference(&seen).collect();
    assert!(lost.is_empty(), "lost after their 250: {lost:?}");
}

fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .unwrap_or_else(|| panic!("no subject: {text}"))
        .to_owned()
}

fn assert_swept(maildir: &Path) {
    let left: Vec<_> = std::fs::read_dir(maildir.join("tmp")).unwrap().collect();
    assert!(left.is_empty(), "left in tmp: {left:?}");
}

#[test]
fn a_client_that_vanishes_after_its_message_has_not_taken_it_back() {
    let installation = Installation::with_maildir();
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let message = named("vanished");
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect("MAIL FROM:<alice@example.org>", 250);
    client.expect("RCPT TO:<bob@example.net>", 250);
    client.expect("DATA", 354);
    client.say(&tests::client::stuffed(&message)).unwrap();
    drop::<Client>(client);
    assert!(carries(&maildir::until_there(&installation.path("outbox"), 1)[0], &message));
}

#[test]
fn a_second_server_on_the_same_store_is_refused_and_told_who_holds_it() {
    let installation = Installation::with_maildir();
    let first = installation.start();
    let output = installation.run(&["serve"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let error =
        said.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("no error: {said}"));
    assert!(error.contains(&first.id().to_string()), "{error}");
    // Killed, it holds nothing any more.
    first.kill();
    assert!(installation.start().terminate().success());
}

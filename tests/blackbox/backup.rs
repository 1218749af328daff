//! A restore, rehearsed: a backup made under load is served from, delivers what it holds, and knows its accounts.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tests::maildir;
use tests::server::{Installation, Server, Settings, text, until};

use crate::letter::{carries, letter};
use crate::second_factor::Phone;

const USER: &str = "alice@example.org";
const CLIENTS: usize = 3;

/// Letters small and large, which the name tells.
fn named(name: &str) -> Vec<u8> {
    let lines = if name.ends_with(['0', '4', '8']) { 3000 } else { 3 };
    letter(name, &format!("{name} in a line, and some more words\r\n").repeat(lines))
}

/// Sends until it is told to stop; notes what got its 250.
fn send(
    installation: &Installation,
    server: &Server,
    password: &str,
    client: usize,
    accepted: &Mutex<BTreeSet<String>>,
    stop: &AtomicBool,
) {
    let mut session = server.logged_in(installation, USER, password);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("{client}-{number}");
        assert_eq!(session.send(USER, &["bob@example.net"], &named(&name)).unwrap().code, 250);
        accepted.lock().unwrap().insert(name);
    }
}

/// Makes a backup while several clients send; what had its 250 before that.
fn backed_up_under_load(installation: &Installation, server: &Server, password: &str) -> BTreeSet<String> {
    let (accepted, stop) = (Mutex::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (accepted, stop) = (&accepted, &stop);
        for client in 0..CLIENTS {
            scope.spawn(move || send(installation, server, password, client, accepted, stop));
        }
        until("some mail is accepted", || (accepted.lock().unwrap().len() >= 30).then_some(()));
        let before = accepted.lock().unwrap().clone();
        let backup = installation.path("backup");
        let made = installation.json(&["store", "backup", &backup.to_string_lossy()]);
        stop.store(true, Ordering::Relaxed);
        assert_eq!((&made["accounts"], text(&made, "directory")), (&1.into(), backup.display().to_string()));
        assert!(made["messages"].as_u64().unwrap() >= u64::try_from(before.len()).unwrap(), "{made}");
        before
    })
}

fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap().to_owned()
}

#[test]
fn a_backup_made_under_load_is_served_from() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    let phone = Phone::enrolled(&installation, USER);
    let server = installation.start();
    let accepted = backed_up_under_load(&installation, &server, &password);
    server.kill();
    std::fs::remove_dir_all(installation.path("store")).unwrap();
    std::fs::rename(installation.path("backup"), installation.path("store")).unwrap();
    installation.configure(&Settings { delivery: installation.maildir_delivery(), ..Settings::default() });

    installation.done(&["store", "check"]);
    installation.done(&["check"]);
    installation.done(&["totp", "confirm", USER, &phone.code()]);
    let server = installation.start();
    server.logged_in(&installation, USER, &password);
    for entry in installation.queue() {
        installation.done(&["queue", "release", &text(&entry, "id")]);
    }
    installation.until_queue_is_empty();
    let mut delivered = BTreeSet::new();
    for message in maildir::messages(&installation.path("outbox")) {
        let name = subject(&message);
        assert!(carries(&message, &named(&name)), "{name} is not what was sent");
        assert!(delivered.insert(name.clone()), "{name} is there twice");
    }
    let lost: Vec<_> = accepted.difference(&delivered).collect();
    assert!(lost.is_empty(), "lost after their 250: {lost:?}");
}

#[test]
fn a_store_of_any_version_is_backed_up_and_the_key_stays_apart() {
    let installation = Installation::new(&Settings::default());
    tests::database::make_older_store(&installation.path("store"));
    let before = tests::database::versions(&installation.path("store"));
    let backup = installation.path("backup").display().to_string();
    let made = installation.run(&["store", "backup", &backup], "");
    assert!(made.status.success(), "{made:?}");
    assert!(String::from_utf8_lossy(&made.stderr).contains("master.key is not in it"), "{made:?}");
    assert_eq!(tests::database::versions(&installation.path("backup")), before);
    let again = installation.run(&["store", "backup", &backup], "");
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists and is not empty"), "{again:?}");
}

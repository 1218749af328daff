//! A WAL that was damaged while the server was down: SQLite takes the damage for the end and tells nobody. The server does: it says what may
//! be missing, and neither refuses a login for good nor sweeps a message away until an operator has accepted it.

use std::fs;
use std::path::Path;

use tests::server::{Installation, Server, Settings};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const LOST: &str = "carol@example.org";
const PASSWORD: &str = "correct horse";

/// What the log says of it.
const TOLD: &str = "event=store.may-lack";

/// A server that took an account and mail, of which one is a file, and was killed then.
fn killed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, PASSWORD);
    let server = installation.start();
    installation.add_user(LOST, PASSWORD);
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    for (name, lines) in [("small", 1), ("large", 4_000)] {
        let message = letter(name, &"a line of text that is thirty\r\n".repeat(lines));
        assert_eq!(client.send(USER, &["bob@example.net"], &message).unwrap().code, 250);
    }
    server.kill();
    installation
}

/// Flips a bit in the second frame of a WAL of pages of 4 KiB.
fn damage(wal: &Path) {
    let mut octets = fs::read(wal).unwrap();
    octets[32 + (24 + 4096) + 24 + 100] ^= 1;
    fs::write(wal, octets).unwrap();
}

fn spooled(installation: &Installation) -> usize {
    fs::read_dir(installation.path("store/spool")).unwrap().count()
}

fn knock(server: &Server, installation: &Installation, user: &str) -> u16 {
    server.knock(installation, user, PASSWORD).code
}

#[test]
fn logins_that_may_be_missing_are_deferred_until_the_loss_is_accepted() {
    let installation = killed();
    damage(&installation.path("store/accounts.db-wal"));
    let server = installation.start();
    let line = server.until_logged(TOLD);
    assert!(line.contains("ERROR") && line.contains("accounts.db is behind"), "{line}");
    assert!(installation.path("store/accounts.db-wal.damaged").exists());
    for user in [LOST, "nobody@example.org"] {
        assert_eq!(knock(&server, &installation, user), 454, "{user}");
    }
    assert_eq!(server.knock(&installation, USER, "wrong").code, 454, "its password may have been changed");
    assert_eq!(knock(&server, &installation, USER), 235);

    let checked = installation.run(&["store", "check"], "");
    assert_eq!(checked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&checked.stdout).contains("accounts.db is behind"), "{checked:?}");
    let accepted = installation.done(&["store", "check", "--accept"]);
    assert!(accepted.contains("accounts.db is behind"), "{accepted}");
    assert_eq!(knock(&server, &installation, LOST), 535, "without a restart");
    // Once: what is whole needs no acceptance.
    installation.done(&["store", "check", "--accept"]);
    let told = installation.json(&["audit", "list", "--action", "store-accept"]);
    assert_eq!((told.as_array().unwrap().len(), &told[0]["result"]), (1, &"success".into()), "{told}");
    assert!(told[0]["by"].is_string(), "{told}");
    installation.done(&["store", "check"]);
}

#[test]
fn messages_in_files_are_kept_until_the_loss_is_accepted() {
    let installation = killed();
    damage(&installation.path("store/queue.db-wal"));
    // A command may be the first to open it.
    assert!(installation.queue().len() < 2, "SQLite itself tells nobody");
    let server = installation.start();
    let line = server.until_logged(TOLD);
    assert!(line.contains("queue.db is behind"), "{line}");
    assert_eq!(knock(&server, &installation, "nobody@example.org"), 535, "the accounts are whole");
    assert_eq!(spooled(&installation), 1);
    assert!(server.terminate().success());
    assert_eq!(spooled(&installation), 1);
    installation.done(&["store", "check", "--accept"]);
    let server = installation.start();
    assert_eq!(spooled(&installation), 0);
    assert!(!server.log().contains(TOLD));
}

#[test]
fn a_wal_that_is_removed_or_cut_off_is_missed() {
    for cut_off in [None, Some(32 + (24 + 4096)), Some(0)] {
        let installation = killed();
        let wal = installation.path("store/queue.db-wal");
        match cut_off {
            Some(octets) => fs::File::options().write(true).open(&wal).unwrap().set_len(octets).unwrap(),
            None => fs::remove_file(&wal).unwrap(),
        }
        let line = installation.start().until_logged(TOLD);
        assert!(line.contains("queue.db is behind"), "{line}");
    }
}

#[test]
fn nothing_is_missed_of_what_was_only_killed_or_stopped() {
    let installation = killed();
    assert_eq!(installation.queue().len(), 2, "a command opens it first");
    for _ in 0..2 {
        let server = installation.start();
        installation.add_user(&format!("user{}@example.org", server.id()), PASSWORD);
        server.kill();
    }
    let server = installation.start();
    assert_eq!(knock(&server, &installation, LOST), 235);
    assert!(server.terminate().success());
    let server = installation.start();
    assert!(!server.log().contains(TOLD));
    assert!(server.terminate().success());
    assert!(!installation.path("store/queue.mark").exists(), "all is in the database");
}

//! The files of a store, removed or replaced while the server has them open: mail is refused with 451 and logins with 454, the log
//! says so loudly, and nothing gets its 250 that nobody would find again.

use std::fs;
use std::time::{Duration, Instant};

use tests::client::{Client, Reply};
use tests::server::{Installation, Settings};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

fn installed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, PASSWORD);
    installation
}

fn send(client: &mut Client, name: &str) -> Reply {
    client.send(USER, &["bob@example.net"], &letter(name, "text\r\n")).unwrap()
}

/// Removes what is at the path, whatever it is.
fn remove(path: &std::path::Path) {
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

#[test]
fn mail_for_a_queue_that_was_removed_gets_no_250() {
    for gone in ["queue.db", "queue.db-wal", "spool"] {
        let installation = installed();
        let server = installation.start();
        let mut client = server.logged_in(&installation, USER, PASSWORD);
        assert_eq!(send(&mut client, "before").code, 250);
        let removed = Instant::now();
        remove(&installation.path("store").join(gone));
        // At once: nobody has had the time to notice.
        let refused = send(&mut client, "behind");
        assert!(refused.lines[0].starts_with("451 4.3.0 "), "{gone}: {refused:?}");
        let line = server.until_logged("event=store.file-gone");
        assert!(removed.elapsed() < Duration::from_secs(1), "{:?}", removed.elapsed());
        assert!(line.contains(&format!("store/{gone} ")) && line.contains("ERROR"), "{line}");
        client.expect("RSET", 250);
        client.expect("MAIL FROM:<alice@example.org>", 451);
    }
}

#[test]
fn the_lock_of_the_server_and_the_index_of_the_wal_are_missed_as_well() {
    for gone in ["queue.db-shm", "server.lock"] {
        let installation = installed();
        let server = installation.start();
        let mut client = server.logged_in(&installation, USER, PASSWORD);
        remove(&installation.path("store").join(gone));
        let line = server.until_logged("event=store.file-gone");
        assert!(line.contains(&format!("store/{gone} ")), "{line}");
        client.expect("MAIL FROM:<alice@example.org>", 451);
    }
}

#[test]
fn a_queue_that_was_replaced_or_moved_away_is_noticed_without_any_mail() {
    let installation = installed();
    let server = installation.start();
    let (queue, aside) = (installation.path("store/queue.db"), installation.path("aside"));
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    fs::rename(&queue, &aside).unwrap();
    fs::copy(&aside, &queue).unwrap();
    let replaced = Instant::now();
    server.until_logged("event=store.file-gone");
    assert!(replaced.elapsed() < Duration::from_secs(1), "{:?}", replaced.elapsed());
    client.expect("MAIL FROM:<alice@example.org>", 451);
    // Put back, it is the one that is open, and nothing was lost.
    fs::rename(&aside, &queue).unwrap();
    server.until_logged("event=store.file-back");
    assert_eq!(send(&mut client, "after").code, 250);
    assert_eq!(installation.queue().len(), 1);
    assert!(server.terminate().success());
}

#[test]
fn logins_are_not_judged_by_accounts_that_are_gone() {
    for gone in ["accounts.db", "accounts.db-wal"] {
        let installation = installed();
        let server = installation.start();
        let mut client = server.logged_in(&installation, USER, PASSWORD);
        remove(&installation.path("store").join(gone));
        let line = server.until_logged("event=store.file-gone");
        assert!(line.contains(&format!("store/{gone} ")), "{line}");
        for (user, password) in [(USER, PASSWORD), (USER, "wrong"), ("nobody@example.org", PASSWORD)] {
            let reply = server.knock(&installation, user, password);
            assert!(reply.lines[0].starts_with("454 4.7.0 "), "{gone}, {user}: {reply:?}");
        }
        client.expect("MAIL FROM:<alice@example.org>", 451);
    }
}

/// The lock is not only the file.
#[test]
fn a_second_server_does_not_start_behind_a_lock_that_was_deleted() {
    let installation = installed();
    let _server = installation.start();
    fs::remove_file(installation.path("store/server.lock")).unwrap();
    let output = installation.run(&["serve"], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is in use by"), "{said}");
}

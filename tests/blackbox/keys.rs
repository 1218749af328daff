//! A new master key under a running server.

use serde_json::{Value, json};
use tests::server::{Installation, Server, Settings, until};
use types::Mechanism;

use crate::second_factor::Phone;

const USER: &str = "alice@example.org";

#[test]
fn a_rotation_disturbs_nobody_and_the_old_key_may_go() {
    let installation = Installation::with_maildir();
    installation.add_user(USER, "correct horse");
    let (_, before) = installation.app_password(USER, &[]);
    let server = installation.start();
    let mut running = server.logged_in(&installation, USER, &before);
    let phone = Phone::enrolled(&installation, USER);
    let rotated = installation.json(&["key", "rotate"]);
    // The root key and the seed.
    assert_eq!((&rotated["key"], &rotated["resealed"]), (&2.into(), &2.into()));
    running.expect("NOOP", 250);
    server.logged_in(&installation, USER, &before);
    let (_, after) = installation.app_password(USER, &[]);
    server.logged_in(&installation, USER, &after);
    keep_newest(&installation);
    assert!(installation.done(&["check"]).contains("all is well"));
    installation.done(&["totp", "confirm", USER, &phone.code()]);
    assert!(server.terminate().success());
    let server = installation.start();
    for password in [before, after] {
        server.logged_in(&installation, USER, &password);
    }
}

/// What keys are made for at the next login with PLAIN, by the server.
fn with_scram() -> (Installation, Vec<String>) {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let passwords = (0..4).map(|_| installation.app_password(USER, &[]).1).collect();
    let auth = "mechanisms = [\"PLAIN\", \"SCRAM-SHA-256\"]".to_owned();
    installation.configure(&Settings { auth, ..Settings::default() });
    (installation, passwords)
}

/// The keys, each with its state and how many secrets it has sealed.
fn keys(installation: &Installation) -> Vec<(Value, Value, Value)> {
    let listed = installation.json(&["key", "list"]);
    let row = |key: &Value| (key["key"].clone(), key["state"].clone(), key["secrets"].clone());
    listed.as_array().unwrap().iter().map(row).collect()
}

fn row(key: u32, state: &str, secrets: u32) -> (Value, Value, Value) {
    (key.into(), state.into(), secrets.into())
}

fn reload(server: &Server, words: &str) {
    let count = || server.log().lines().filter(|line| line.contains(words)).count();
    let before = count();
    server.signal("HUP");
    until(words, || (count() > before).then_some(()));
}

fn refused(installation: &Installation, arguments: &[&str]) -> String {
    let output = installation.run(arguments, "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Keys for SCRAM are sealed by the server at a login with PLAIN, and opened by it at one with SCRAM.
#[test]
fn the_server_opens_and_seals_rightly_before_during_and_after_an_activation() {
    let (installation, passwords) = with_scram();
    let server = installation.start();
    let log_in = |n: usize| drop(server.logged_in(&installation, USER, &passwords[n]));
    let prove = |n: usize| {
        let mut client = server.client(&installation);
        client.expect("EHLO client.example", 250);
        let reply = client.auth(Mechanism::ScramSha256, USER, &passwords[n]).unwrap();
        assert_eq!(reply.code, 235, "{reply:?}");
    };
    log_in(0);
    assert_eq!(keys(&installation), [row(1, "active", 2)]);
    assert_eq!(installation.json(&["key", "add"]), json!({"key": 2}));
    log_in(1);
    reload(&server, "event=reloaded");
    log_in(2);
    assert_eq!(keys(&installation), [row(1, "active", 4), row(2, "staged", 0)], "it seals nothing yet");
    (0..3).for_each(prove);
    assert_eq!(installation.json(&["key", "activate"]), json!({"key": 2, "resealed": 4}));
    log_in(3);
    assert_eq!(keys(&installation), [row(1, "old", 0), row(2, "active", 5)]);
    (0..4).for_each(prove);
    keep_newest(&installation);
    reload(&server, "event=reloaded");
    (0..4).for_each(prove);
    assert_eq!(keys(&installation), [row(2, "active", 5)]);
    assert!(server.terminate().success());
    assert_eq!(installation.start().knock(&installation, USER, &passwords[0]).code, 235);
}

#[test]
fn a_key_is_activated_once_the_running_server_has_it() {
    let installation = Installation::new(&Settings::default());
    assert_eq!(installation.json(&["nodes", "list"]), json!([]));
    let server = installation.start();
    let newest = || {
        let nodes = installation.json(&["nodes", "list"]);
        assert_eq!((nodes.as_array().unwrap().len(), &nodes[0]["name"]), (1, &"mail.example.org".into()));
        nodes[0]["newest_key"].clone()
    };
    assert_eq!(newest(), 1, "it is on the list when it says that it is ready");
    assert_eq!(installation.json(&["key", "add"]), json!({"key": 2}));
    assert_eq!(newest(), 1, "it is told what the server has, and not what the file has");
    let said = refused(&installation, &["key", "activate"]);
    assert!(
        said.contains("master key 2 is not activated, since the newest key of the node")
            && said.contains("is 1: "),
        "{said}"
    );
    assert_eq!(keys(&installation), [row(1, "active", 1), row(2, "staged", 0)]);
    reload(&server, "event=reloaded");
    assert_eq!(newest(), 2);
    assert_eq!(installation.json(&["key", "activate"]), json!({"key": 2, "resealed": 1}));
}

/// As systemd gives a server a copy, or another machine has another file: the key is activated when the server has it, too.
#[test]
fn a_server_with_a_key_file_of_its_own_is_given_the_key_before_it_seals() {
    let (installation, passwords) = with_scram();
    let server = installation.start();
    let [servers, ours] = ["master.key", "ours.key"].map(|name| installation.path(name));
    std::fs::copy(&servers, &ours).unwrap();
    // A change of the path waits for a restart of the server: from here on only the commands read the other file.
    let configuration = std::fs::read_to_string(installation.path("gatepost.toml")).unwrap();
    std::fs::write(installation.path("gatepost.toml"), configuration.replace("master.key", "ours.key"))
        .unwrap();
    assert_eq!(installation.json(&["key", "add"]), json!({"key": 2}));
    reload(&server, "event=reloaded");
    assert!(
        refused(&installation, &["key", "activate"]).contains("the newest key of the node"),
        "it has the old file"
    );
    server.logged_in(&installation, USER, &passwords[0]);
    assert_eq!(keys(&installation), [row(1, "active", 2), row(2, "staged", 0)]);
    std::fs::copy(&ours, &servers).unwrap();
    reload(&server, "event=reloaded");
    assert_eq!(installation.json(&["key", "activate"]), json!({"key": 2, "resealed": 2}));
    server.logged_in(&installation, USER, &passwords[1]);
    assert_eq!(keys(&installation), [row(1, "old", 0), row(2, "active", 3)]);
}

/// Somebody has made a key of the same number in another way: what is sealed under one does not open with the other.
#[test]
fn another_key_of_the_number_that_the_server_has_is_not_activated() {
    let installation = Installation::new(&Settings::default());
    let file = installation.path("master.key");
    let before = std::fs::read_to_string(&file).unwrap();
    let server = installation.start();
    installation.json(&["key", "add"]);
    reload(&server, "event=reloaded");
    std::fs::write(&file, before).unwrap();
    let said = refused(&installation, &["key", "add"]);
    assert!(said.contains("has a master key 2 already: copy its line"), "{said}");
    let key = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &format!("2 {key}\n")).unwrap();
    let said = refused(&installation, &["key", "activate"]);
    assert!(said.contains("has another key of this number"), "{said}");
}

/// The file was put back to what it was before a key was added, which the server still has.
#[test]
fn no_key_is_rotated_in_beside_one_that_the_server_has() {
    let (installation, passwords) = with_scram();
    let file = installation.path("master.key");
    let before = std::fs::read_to_string(&file).unwrap();
    let server = installation.start();
    server.logged_in(&installation, USER, &passwords[0]);
    installation.json(&["key", "add"]);
    reload(&server, "event=reloaded");
    std::fs::write(&file, before).unwrap();
    let said = refused(&installation, &["key", "rotate"]);
    assert!(said.contains("is 2, and") && said.contains("has not that key: put its line back"), "{said}");
    assert_eq!(keys(&installation), [row(1, "active", 2)]);
    reload(&server, "event=reloaded");
    for key in [2, 3] {
        assert_eq!(installation.json(&["key", "rotate"])["key"], key, "the server finds each in the file");
    }
    server.logged_in(&installation, USER, &passwords[1]);
    assert_eq!(keys(&installation), [row(1, "old", 0), row(2, "old", 0), row(3, "active", 3)]);
}

/// Whatever was killed, or does not open, may have left something sealed under an older key.
#[test]
fn a_key_that_still_seals_something_is_not_dropped_by_a_reload() {
    let (installation, passwords) = with_scram();
    let server = installation.start();
    server.logged_in(&installation, USER, &passwords[0]);
    let sealed =
        python(&installation, "print(store.execute('SELECT hex(sealed) FROM challenge_keys').fetchone()[0])");
    installation.json(&["key", "rotate"]);
    python(
        &installation,
        &format!("store.execute(\"UPDATE challenge_keys SET sealed = x'{}'\")", sealed.trim()),
    );
    assert_eq!(keys(&installation), [row(1, "old", 1), row(2, "active", 1)]);
    keep_newest(&installation);
    reload(&server, "event=reload.failed");
    assert!(
        server
            .log()
            .contains("master key 1, which has sealed 1 of the secrets, is not in the key file any more")
    );
    let mut client = server.client(&installation);
    client.expect("EHLO client.example", 250);
    assert_eq!(client.auth(Mechanism::ScramSha256, USER, &passwords[0]).unwrap().code, 235);
    assert_eq!(installation.json(&["key", "list"])[0]["state"], "missing");
}

/// What no command does to the accounts. What it prints.
fn python(installation: &Installation, statement: &str) -> String {
    let program =
        format!("import sqlite3, sys\nstore = sqlite3.connect(sys.argv[1])\n{statement}\nstore.commit()\n");
    let accounts = installation.path("store/accounts.db");
    let output = std::process::Command::new("python3").args(["-c", &program]).arg(accounts).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_server_that_was_killed_keeps_no_key_from_being_activated() {
    let installation = Installation::new(&Settings::default());
    installation.start().kill();
    installation.json(&["key", "add"]);
    assert_eq!(installation.json(&["key", "activate"]), json!({"key": 2, "resealed": 1}));
    assert!(installation.start().terminate().success());
}

#[test]
fn a_key_file_that_is_wrong_is_not_taken_up_by_a_reload() {
    let (installation, passwords) = with_scram();
    let server = installation.start();
    let file = installation.path("master.key");
    let right = std::fs::read_to_string(&file).unwrap();
    let key = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    for (wrong, told) in [
        ("1 short\n".to_owned(), "expected a number and 32 octets in base64"),
        (format!("1 {key}\n"), "does not belong to this store"),
        (format!("2 {key}\n"), "sealed under master key 1, which is not in"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        reload(&server, "event=reload.failed");
        let said = server.log();
        assert!(said.lines().any(|line| line.contains("reload.failed") && line.contains(told)), "{said}");
        server.logged_in(&installation, USER, &passwords[0]);
    }
    std::fs::write(&file, right).unwrap();
    reload(&server, "event=reloaded");
    server.logged_in(&installation, USER, &passwords[1]);
}

fn keep_newest(installation: &Installation) {
    let text = std::fs::read_to_string(installation.path("master.key")).unwrap();
    let newest = text.lines().last().unwrap();
    assert!(newest.starts_with("2 "));
    std::fs::write(installation.path("master.key"), format!("{newest}\n")).unwrap();
}

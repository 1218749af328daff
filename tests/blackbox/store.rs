//! The store as a whole: migrated by the server and by `store migrate` alone, and checked.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use tests::database::{make_newer, make_older_store, versions};
use tests::server::{Installation, Settings};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// Commands that read or change the store; none of them needs anything in it.
const COMMANDS: [&[&str]; 9] = [
    &["user", "list"],
    &["user", "disable", USER],
    &["queue", "list"],
    &["audit", "list"],
    &["throttle", "list"],
    &["key", "rotate"],
    &["totp", "status", USER],
    &["store", "check"],
    &["check"],
];

fn with_older_store() -> Installation {
    let installation = Installation::with_maildir();
    make_older_store(&installation.path("store"));
    installation
}

/// What a command says that fails.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    [&output.stdout[..], &output.stderr].concat().iter().map(|octet| char::from(*octet)).collect()
}

#[test]
fn a_command_leaves_an_older_store_as_it_is_and_says_what_to_do() {
    let installation = with_older_store();
    let before = versions(&installation.path("store"));
    for command in COMMANDS {
        let said = refused(&installation.run(command, ""));
        assert!(said.contains("has the schema of an older version"), "{command:?}: {said}");
        assert!(said.contains("`gatepost store migrate`"), "{command:?}: {said}");
        assert!(!said.contains("all is well"), "{command:?}: {said}");
    }
    assert_eq!(versions(&installation.path("store")), before);
}

#[test]
fn an_older_store_is_migrated_by_the_command_for_it() {
    let installation = with_older_store();
    let before = versions(&installation.path("store"));
    let migrated = installation.json(&["store", "migrate"]);
    let after = versions(&installation.path("store"));
    for (index, database) in ["accounts.db", "queue.db"].into_iter().enumerate() {
        let expected = serde_json::json!({"database": database, "from": before[index], "to": after[index]});
        assert_eq!(migrated[index], expected);
        assert_ne!(before[index], after[index]);
    }
    installation.add_user(USER, "correct horse");
    assert!(installation.done(&["store", "migrate"]).contains("accounts.db has version"));
    assert!(installation.done(&["check"]).contains("all is well"));
}

#[test]
fn an_older_store_is_migrated_by_the_server_which_says_so() {
    let installation = with_older_store();
    let before = versions(&installation.path("store"));
    let server = installation.start();
    let told = server.until_logged("event=store.migrated");
    assert!(told.contains("database=accounts.db") && told.contains(&format!("from={}", before[0])), "{told}");
    installation.add_user(USER, "correct horse");
    server.logged_in(&installation, USER, "correct horse");
    assert_ne!(versions(&installation.path("store")), before);
}

#[test]
fn nothing_is_migrated_under_a_running_server() {
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    let said = refused(&installation.run(&["store", "migrate"], ""));
    assert!(said.contains(&format!("in use by process {}", server.id())), "{said}");
}

#[test]
fn a_store_of_a_newer_version_is_left_to_that_version() {
    for database in ["accounts.db", "queue.db"] {
        let installation = Installation::new(&Settings::default());
        installation.add_user(USER, "correct horse");
        make_newer(&installation.path("store").join(database));
        for command in COMMANDS.into_iter().chain([&["serve"][..], &["store", "migrate"]]) {
            let said = refused(&installation.run(command, ""));
            assert!(said.contains("has the schema of a newer version"), "{command:?}: {said}");
        }
    }
}

#[test]
fn there_must_be_a_store_to_be_migrated_or_checked() {
    let installation = Installation::new(&Settings::default());
    for verb in ["migrate", "check"] {
        let said = refused(&installation.run(&["store", verb], ""));
        assert!(said.contains("there is no store "), "{said}");
    }
    assert!(!installation.path("store").exists());
}

#[test]
fn a_store_is_checked_to_the_last_octet_of_its_messages() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    for lines in [1, 3000] {
        let message =
            letter(&lines.to_string(), &"some forty octets, which are in each line\r\n".repeat(lines));
        assert_eq!(client.send(USER, &["bob@example.net"], &message).unwrap().code, 250);
    }
    let found = installation.json(&["store", "check"]);
    assert_eq!(found, serde_json::json!({"messages": 2, "faults": [], "accepted": []}));
    let file = fs::read_dir(installation.path("store/spool")).unwrap().next().unwrap().unwrap().path();
    let mut text = fs::read(&file).unwrap();
    *text.last_mut().unwrap() ^= 1;
    fs::write(&file, text).unwrap();
    let said = refused(&installation.run(&["store", "check"], ""));
    let id = file.file_name().unwrap().to_string_lossy().into_owned();
    assert!(said.contains(&format!("fault: spool {id}: file is damaged")), "{said}");
    assert_eq!(said.matches("fault: ").count(), 1, "{said}");
}

#[test]
fn a_store_that_others_have_rights_on_is_a_fault_and_is_not_served_from() {
    let installation = Installation::with_maildir();
    installation.add_user(USER, "correct horse");
    for (name, mode) in
        [("store", 0o750), ("store/spool", 0o701), ("store/accounts.db", 0o640), ("store/queue.db", 0o602)]
    {
        let set = |mode| fs::set_permissions(installation.path(name), Permissions::from_mode(mode)).unwrap();
        set(mode);
        for command in ["check", "serve"] {
            let said = refused(&installation.run(&[command], ""));
            let told = format!("{} has mode {mode:o}; `chmod -R go= ", installation.path(name).display());
            assert!(said.contains(&told) && !said.contains("all is well"), "{command} {name}: {said}");
        }
        set(mode & 0o700);
    }
    assert!(installation.done(&["check"]).contains("all is well"));
}

#[test]
fn a_master_key_in_the_store_is_a_fault_and_is_not_served_with() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    fs::rename(installation.path("master.key"), installation.path("store/master.key")).unwrap();
    let configuration = fs::read_to_string(installation.path("gatepost.toml")).unwrap();
    let moved = configuration.replace("\"master.key\"", "\"store/master.key\"");
    fs::write(installation.path("gatepost.toml"), moved).unwrap();
    for command in ["check", "serve"] {
        let said = refused(&installation.run(&[command], ""));
        assert!(
            said.contains("store/master.key lies in the store") && said.contains("move it out of"),
            "{said}"
        );
    }
}

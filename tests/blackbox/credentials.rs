//! Which credentials open the door, and how fast it shuts.

use tests::client::Reply;
use tests::server::{Installation, Server, Settings};

const USER: &str = "alice@example.org";

struct Door {
    installation: Installation,
    server: Server,
}

impl Door {
    fn open() -> Door {
        let installation = Installation::new(&Settings::default());
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        Door { installation, server }
    }

    fn knock(&self, user: &str, password: &str) -> Reply {
        self.server.knock(&self.installation, user, password)
    }
}

#[test]
fn a_revoked_app_password_is_refused_at_the_next_auth() {
    let door = Door::open();
    let (id, password) = door.installation.app_password(USER, &[]);
    assert_eq!(door.knock(USER, &password).code, 235);
    door.installation.done(&["app-password", "revoke", USER, &id]);
    assert_eq!(door.knock(USER, &password).code, 535);
}

/// What else may be wrong is in the matrix.
#[test]
fn a_name_that_is_no_address_sounds_like_a_wrong_password() {
    let door = Door::open();
    let wrong = door.knock(USER, "wrong");
    assert_eq!(wrong.lines, ["535 5.7.8 Authentication credentials invalid"]);
    for name in ["no address at all", "alice", "@example.org", "alice@example.org@example.org"] {
        assert_eq!(door.knock(name, "correct horse"), wrong, "{name}");
    }
}

#[test]
fn a_disabled_account_that_is_enabled_again_is_as_before() {
    let door = Door::open();
    door.installation.done(&["user", "disable", USER]);
    assert_eq!(door.knock(USER, "correct horse").code, 535);
    door.installation.done(&["user", "enable", USER]);
    assert_eq!(door.knock(USER, "correct horse").code, 235);
}

#[test]
fn a_changed_password_shuts_the_door_at_once() {
    let door = Door::open();
    // Twice, so that the success is remembered.
    assert_eq!(door.knock(USER, "correct horse").code, 235);
    assert_eq!(door.knock(USER, "correct horse").code, 235);
    let output = door
        .installation
        .run(&["user", "password", USER, "--password-stdin", "--allow-weak"], "battery staple");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(door.knock(USER, "correct horse").code, 535);
    assert_eq!(door.knock(USER, "battery staple").code, 235);
}

#[test]
fn an_app_password_may_be_typed_with_its_spaces() {
    let door = Door::open();
    let (_, password) = door.installation.app_password(USER, &[]);
    assert_eq!(password.len(), 16);
    let spaced = format!("{} {} {} {}", &password[..4], &password[4..8], &password[8..12], &password[12..]);
    assert_eq!(door.knock(USER, &spaced).code, 235);
    let listed = door.installation.json(&["app-password", "list", USER]);
    assert_eq!(listed[0]["label"], "a test");
}

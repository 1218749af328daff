//! What is told of logins and changes, and who can see it.

use serde_json::{Value, json};
use tests::server::{Installation, Settings, until};

const USER: &str = "alice@example.org";

fn installed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    installation
}

/// The entries about logins, newest first, once there are so many: they are written a little later.
fn logins(installation: &Installation, count: usize) -> Vec<Value> {
    until("the logins are told", || {
        let entries = installation.json(&["audit", "list", "--action", "login"]);
        entries.as_array().filter(|entries| entries.len() == count).cloned()
    })
}

#[test]
fn a_change_beside_a_running_server_is_told_at_once() {
    let installation = installed();
    let _server = installation.start();
    let (id, _) = installation.app_password(USER, &[]);
    let told = installation.json(&["audit", "list", "--user", USER]);
    let [created, added] = &told.as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&created["action"], &created["credential"]), (&json!("app-password-create"), &json!(id)));
    assert_eq!((&added["action"], &added["result"]), (&json!("user-add"), &json!("success")));
}

#[test]
fn a_log_in_is_told_with_all_that_is_known_of_it() {
    let installation = installed();
    let server = installation.start();
    let (id, password) = installation.app_password(USER, &[]);
    assert_eq!(server.knock(&installation, USER, &password).code, 235);
    let told = &logins(&installation, 1)[0];
    for (key, value) in [
        ("result", json!("success")),
        ("reason", json!("ok")),
        ("account", json!(USER)),
        ("credential", json!(id)),
        ("mechanism", json!("PLAIN")),
        ("scope", json!("smtp")),
        ("ip", json!("127.0.0.1")),
        ("count", json!(1)),
    ] {
        assert_eq!(told[key], value, "{key}");
    }
    assert!(told["tls"].is_string() && told["session"].is_string(), "{told}");
}

#[test]
fn refusals_are_told_with_their_reason_whether_the_name_exists_or_not() {
    let installation = installed();
    let server = installation.start();
    for _ in 0..2 {
        assert_eq!(server.knock(&installation, USER, "wrong").code, 535);
    }
    assert_eq!(server.knock(&installation, "Nobody@example.org", "wrong").code, 535);
    let told = logins(&installation, 2);
    let about = |name: &str| told.iter().find(|entry| entry["account"] == name).unwrap();
    let (alice, nobody) = (about(USER), about("nobody@example.org"));
    assert_eq!((&alice["reason"], &alice["count"]), (&json!("bad-password"), &json!(2)));
    assert_eq!((&nobody["reason"], &nobody["result"]), (&json!("unknown-user"), &json!("failure")));
}

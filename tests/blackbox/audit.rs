//! What is told of logins and changes, and who can see it.

use serde_json::json;
use tests::server::{Installation, Settings};

const USER: &str = "alice@example.org";

fn installed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    installation
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

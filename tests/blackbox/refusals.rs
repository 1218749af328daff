//! A login that was refused says in the log and in the audit trail what was tried, and never what may be a password.

use serde_json::Value;
use tests::server::{Installation, Settings};

const USER: &str = "alice@example.org";

fn refused(installation: &Installation) -> Vec<Value> {
    let all = installation.json(&["audit", "list", "--action", "login", "--result", "failure"]);
    all.as_array().unwrap().clone()
}

#[test]
fn a_revoked_app_password_is_told_from_a_guess() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let (id, password) = installation.app_password(USER, &[]);
    let server = installation.start();
    assert_eq!(server.knock(&installation, USER, &password).code, 235);
    installation.done(&["app-password", "revoke", USER, &id]);
    let reply = server.knock(&installation, USER, &password);
    assert!(reply.lines[0].starts_with("535 5.7.8 "), "the client learns no more than ever: {reply:?}");
    server.until_logged(&format!("reason=revoked username={USER}"));
    assert!(server.terminate().success());
    let refused = refused(&installation);
    assert_eq!(
        (refused[0]["reason"].as_str(), refused[0]["credential"].as_str()),
        (Some("revoked"), Some(&*id))
    );
}

#[test]
fn the_name_that_was_tried_is_told_and_a_password_in_its_place_is_not() {
    let installation =
        Installation::new(&Settings { log: "level = \"trace\"".to_owned(), ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let misplaced = ["misplaced-tr0ub4dor", "misplaced horse battery", "misplaced@ssw0rd"];
    for name in misplaced.into_iter().chain(["nobody@example.org", USER]) {
        assert_eq!(server.knock(&installation, name, "something").code, 535, "{name}");
    }
    server.until_logged("reason=unknown-user username=nobody@example.org");
    server.until_logged(&format!("reason=bad-password username={USER}"));
    server.until_logged("reason=not-an-address");
    server.signal("TERM");
    let log = server.until_ended();
    assert!(!log.contains("misplaced"), "{log}");
    let refused = refused(&installation);
    let times = |account: Value| -> u64 {
        let alike = refused.iter().filter(|event| event["account"] == account);
        alike.map(|event| event["count"].as_u64().unwrap()).sum()
    };
    assert_eq!([times(Value::Null), times("nobody@example.org".into()), times(USER.into())], [3, 1, 1]);
    assert!(!serde_json::to_string(&refused).unwrap().contains("misplaced"));
}

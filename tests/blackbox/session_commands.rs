//! `gatepost session`, as scripts see it.

use serde_json::json;
use tests::server::{Installation, Settings};

const ALICE: &str = "alice@example.org";

#[test]
fn an_account_that_nobody_has_signed_in_to_has_no_sessions() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(ALICE, "correct horse");
    assert_eq!(installation.json(&["session", "list", ALICE]), json!([]));
    assert!(installation.done(&["session", "list", ALICE]).starts_with("ID "));
    assert!(installation.done(&["session", "end", ALICE]).starts_with("0 sessions"));
    for (arguments, said) in [
        (&["session", "end", ALICE, "01arz3"][..], "`gatepost session list alice@example.org` shows"),
        (&["session", "list", "bob@example.org"], "there is no account bob@example.org"),
    ] {
        let output = installation.run(arguments, "");
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(output.status.code() == Some(1) && told.contains(said), "{told}");
    }
}

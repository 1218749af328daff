//! `gatepost token`, as scripts see it.

use serde_json::json;
use tests::server::{Installation, Settings};

const ALICE: &str = "alice@example.org";

fn installation() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(ALICE, "correct horse");
    installation
}

/// What a command says that must fail.
fn refused(installation: &Installation, arguments: &[&str]) -> String {
    let output = installation.run(arguments, "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?} {said}");
    said
}

#[test]
fn a_token_is_shown_once_listed_and_revoked() {
    let installation = installation();
    let create = ["token", "create", ALICE, "--label", "backup", "--scope", "account:write"];
    let more = ["--scope", "messages:read", "--network", "192.0.2.0/24", "--expires", "30d"];
    let created = installation.json(&[&create[..], &more].concat());
    let token = created["token"].as_str().unwrap();
    assert!(token.starts_with("gp_") && token.len() == 41, "{token}");
    assert_eq!(created["scopes"], json!(["account:write", "messages:read"]));
    let mut listed = created.clone();
    listed.as_object_mut().unwrap().remove("token");
    assert_eq!(installation.json(&["token", "list", ALICE]), json!([listed]));
    assert_eq!(listed["last_used_at"], json!(null));
    let table = installation.done(&["token", "list", ALICE]);
    assert!(table.contains("account:write, messages:read") && !table.contains("gp_"), "{table}");
    let said = installation.done(&["token", "revoke", ALICE, "backup"]);
    assert!(said.contains("(backup) is revoked"), "{said}");
    assert_eq!(installation.json(&["token", "list", ALICE]), json!([]));
    let trail = installation.json(&["audit", "list", "--action", "token-create"]);
    assert_eq!(trail[0]["credential"], created["id"]);
    assert!(!installation.done(&["audit", "list", "--json"]).contains(token));
    assert!(
        refused(&installation, &["token", "revoke", ALICE, "backup"]).contains("`gatepost token list alice")
    );
}

#[test]
fn a_token_opens_no_more_than_its_owner_may() {
    let installation = installation();
    let create = |address: &str, scope: &str| {
        let label = ["--label", "x", "--scope", scope];
        installation.run(&[&["token", "create", address], &label[..]].concat(), "")
    };
    assert_eq!(create(ALICE, "account:read").status.code(), Some(0));
    let said = create(ALICE, "queue:read");
    assert!(String::from_utf8_lossy(&said.stderr).contains("is for administrators"), "{said:?}");
    assert_eq!(create(ALICE, "everything").status.code(), Some(2));
    let without = installation.run(&["token", "create", ALICE, "--label", "x"], "");
    assert_eq!(without.status.code(), Some(2), "a token for nothing");
}

#[test]
fn a_token_lasts_no_longer_than_the_configuration_says() {
    let installation = installation();
    let create = ["token", "create", ALICE, "--label", "x", "--scope", "account:read", "--expires"];
    let said = refused(&installation, &[&create[..], &["366d"]].concat());
    assert!(said.contains("365 days at most (web.token_max)"), "{said}");
    installation.done(&[&create[..], &["365d"]].concat());
}

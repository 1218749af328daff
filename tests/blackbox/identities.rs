//! Whom an account may send as, and who is locked out, as the commands tell and change it.

use std::process::Output;

use tests::server::{Installation, Settings};

const USER: &str = "alice@example.org";

fn installed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    installation
}

/// It failed, and said why in one line.
fn refused(output: &Output, code: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(code), &b""[..]), "{said}");
    said
}

#[test]
fn an_identity_lets_an_account_send_as_somebody_else_until_it_is_removed() {
    let installation = installed();
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    let mut may_send_as = |sender: &str| {
        let reply = client.ask(&format!("MAIL FROM:<{sender}>")).unwrap();
        client.expect("RSET", 250);
        reply.code == 250
    };
    assert!(!may_send_as("sales@example.org"));
    let added = installation.json(&["identity", "add", USER, "Sales@Example.org"]);
    assert_eq!(added["sender"], "Sales@Example.org");
    assert!(added["created_at"].as_str().unwrap().ends_with('Z'));
    installation.done(&["identity", "add", USER, "*@example.com"]);
    for (sender, allowed) in [
        ("sales@example.org", true),
        ("anybody@example.com", true),
        ("anybody@sub.example.com", false),
        ("support@example.org", false),
    ] {
        assert_eq!(may_send_as(sender), allowed, "{sender}");
    }
    let listed = installation.json(&["identity", "list", USER]);
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["sender"]).collect();
    assert_eq!(listed, ["*@example.com", "Sales@Example.org"]);
    installation.done(&["identity", "remove", USER, "*@EXAMPLE.com"]);
    assert!(!may_send_as("anybody@example.com"));
    assert!(may_send_as("sales@example.org"));
}

#[test]
fn an_identity_that_makes_no_sense_is_refused() {
    let installation = installed();
    let identity = |arguments: &[&str]| installation.run(&[&["identity"], arguments].concat(), "");
    assert!(refused(&identity(&["add", USER, "Alice@Example.ORG"]), 1).contains("needs none"));
    installation.done(&["identity", "add", USER, "sales@example.org"]);
    assert!(refused(&identity(&["add", USER, "SALES@example.org"]), 1).contains("already"));
    assert!(refused(&identity(&["remove", USER, "support@example.org"]), 1).contains("no identity"));
    assert!(refused(&identity(&["list", "nobody@example.org"]), 1).contains("no account"));
    for sender in ["sales", "**", "*@", "*@*"] {
        refused(&identity(&["add", USER, sender]), 2);
    }
}

#[test]
fn the_address_of_another_account_is_remarked_on() {
    let installation = installed();
    installation.add_user("bob@example.org", "battery staple");
    let said = |sender: &str| {
        let output = installation.run(&["identity", "add", USER, sender], "");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("bob@example.org").contains("bob@example.org has an account of its own"));
    assert_eq!(said("sales@example.org"), "");
}

#[test]
fn who_may_be_anybody_is_warned_of() {
    const WARNING: &str = "the account can send in anybody's name";
    let installation = installed();
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect("MAIL FROM:<anybody@example.com>", 553);
    let added = installation.run(&["identity", "add", USER, "*"], "");
    assert!(added.status.success(), "{added:?}");
    assert!(String::from_utf8(added.stderr).unwrap().contains(WARNING));
    client.expect("MAIL FROM:<anybody@example.com>", 250);
    client.expect("RSET", 250);
    assert!(installation.done(&["identity", "list", USER]).contains(WARNING));
    assert_eq!(installation.json(&["identity", "list", USER])[0]["sender"], "*");
    installation.done(&["app-password", "create", USER, "--label", "a list", "--sender", "*"]);
    installation.done(&["identity", "remove", USER, "*"]);
    client.expect("MAIL FROM:<anybody@example.com>", 553);
    let narrower = ["app-password", "create", USER, "--label", "another", "--sender", "*"];
    assert!(!installation.run(&narrower, "").status.success());
}

#[test]
fn nobody_is_locked_out_who_has_not_failed() {
    let installation = installed();
    assert_eq!(installation.json(&["throttle", "list"]), serde_json::json!([]));
    for (whom, name) in
        [("nobody@example.org", "nobody@example.org"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64")]
    {
        let cleared = installation.done(&["throttle", "clear", whom]);
        assert_eq!(cleared, format!("no failures were counted for {name}\n"));
    }
    for neither in ["alice", "192.0.2.0/24"] {
        refused(&installation.run(&["throttle", "clear", neither], ""), 2);
    }
}

#[test]
fn who_guesses_is_locked_out_until_an_operator_lets_them_in() {
    let installation = installed();
    let server = installation.start();
    let knock = |password: &str| server.knock(&installation, USER, password).code;
    for n in 0..5 {
        assert_eq!(knock(&format!("guess {n}")), 535);
    }
    assert_eq!(knock("correct horse"), 454);
    let listed = installation.json(&["throttle", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["kind"], &listed[0]["key"]), (&"password".into(), &USER.into()));
    assert_eq!(listed[0]["failures"], 5);
    assert!(listed[0]["until"].as_str().unwrap().ends_with('Z'));
    let cleared = installation.done(&["throttle", "clear", "Alice@Example.ORG"]);
    // That of a minute, and that of the day.
    assert_eq!(cleared, "2 counters of Alice@Example.ORG are cleared\n");
    assert_eq!(installation.json(&["throttle", "list"]), serde_json::json!([]));
    assert_eq!(knock("correct horse"), 235);
}

//! What is kept of passwords for CRAM-MD5 and SCRAM: only where somebody asked for it, and as long as it is of use.

use serde_json::Value;
use tests::server::{Installation, Settings, text};

const USER: &str = "alice@example.org";
const SCRAM: &str = "mechanisms = [\"PLAIN\", \"SCRAM-SHA-256\"]";

fn installed(auth: &str) -> Installation {
    let installation = Installation::new(&Settings { auth: auth.to_owned(), ..Settings::default() });
    installation.add_user(USER, "correct horse");
    installation
}

/// How many challenge keys there are: they are sealed, and so is the root key.
fn kept(installation: &Installation) -> u64 {
    installation.json(&["key", "rotate"])["resealed"].as_u64().unwrap() - 1
}

fn listed(installation: &Installation) -> Vec<Value> {
    installation.json(&["app-password", "list", USER]).as_array().unwrap().clone()
}

#[test]
fn without_scram_nothing_is_kept_for_it() {
    let installation = installed("");
    installation.app_password(USER, &[]);
    assert!(
        installation
            .run(&["user", "password", USER, "--password-stdin", "--allow-weak"], "battery staple")
            .status
            .success()
    );
    assert_eq!(kept(&installation), 0);
}

#[test]
fn with_scram_keys_are_kept_of_every_password_that_is_set_and_go_with_it() {
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"] {
        let installation = installed(&format!("mechanisms = [\"PLAIN\", \"{mechanism}\"]"));
        assert_eq!(kept(&installation), 1, "{mechanism}");
        let (first, _) = installation.app_password(USER, &[]);
        installation.app_password(USER, &[]);
        assert_eq!(kept(&installation), 3);
        installation.done(&["app-password", "revoke", USER, &first]);
        assert_eq!(kept(&installation), 2);
    }
}

#[test]
fn the_next_login_with_plain_makes_the_keys_of_a_password_from_before() {
    let installation = installed("");
    let (_, app_password) = installation.app_password(USER, &[]);
    installation.configure(&Settings { auth: SCRAM.to_owned(), ..Settings::default() });
    let server = installation.start();
    for (password, keys) in [(app_password.as_str(), 1), ("correct horse", 2), (&app_password, 2)] {
        server.logged_in(&installation, USER, password).expect("QUIT", 221);
        assert_eq!(kept(&installation), keys, "of {password}");
    }
}

#[test]
fn another_password_has_keys_of_its_own_and_another_address_none() {
    let installation = installed(SCRAM);
    let output =
        installation.run(&["user", "password", USER, "--password-stdin", "--allow-weak"], "battery staple");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(kept(&installation), 1);
    installation.done(&["user", "rename", USER, "alicia@example.org"]);
    assert_eq!(kept(&installation), 0);
}

#[test]
fn a_password_that_scram_does_not_allow_is_set_all_the_same_and_people_are_told() {
    let installation = installed(SCRAM);
    let output = installation.run(
        &["user", "password", USER, "--password-stdin", "--allow-weak"],
        "an arabic \u{627} and a latin a",
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.starts_with("warning: SCRAM will not take this password"),
        "{said}"
    );
    assert_eq!(kept(&installation), 0);
}

#[test]
fn an_app_password_is_kept_for_cram_md5_only_if_it_was_made_for_it() {
    let installation = installed("");
    let (plain, _) = installation.app_password(USER, &[]);
    let created = installation.json(&["app-password", "create", USER, "--label", "scanner", "--cram-md5"]);
    assert_eq!((&created["cram_md5"], text(&created, "password").len()), (&true.into(), 16));
    let cram = text(&created, "id");
    let told: Vec<_> =
        listed(&installation).iter().map(|one| (text(one, "id"), one["cram_md5"].clone())).collect();
    assert_eq!(told, [(plain, false.into()), (cram.clone(), true.into())]);
    assert_eq!(kept(&installation), 1);
    installation.done(&["app-password", "revoke", USER, &cram]);
    assert_eq!(kept(&installation), 0);
}

#[test]
fn people_are_told_that_cram_md5_is_off() {
    let create = ["app-password", "create", USER, "--label", "scanner", "--cram-md5"];
    for (auth, is_off) in [("", true), ("mechanisms = [\"PLAIN\", \"CRAM-MD5\"]", false)] {
        let output = installed(auth).run(&create, "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.contains("nobody can use it with CRAM-MD5 before"), is_off, "{said}");
    }
}

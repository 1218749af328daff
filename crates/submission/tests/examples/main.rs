//! The examples, used as their headers say: the very commands of each, with a free port in place of the one they name.

#![cfg(test)]

mod example;

use std::fs;

use example::Example;

/// Python's smtplib, which knows nothing of our code: `login.py PORT MECHANISM NAME PASSWORD`.
const LOGIN: &str = include_str!("login.py");

fn log_in(example: &Example, mechanism: &str, name: &str, password: &str) -> String {
    fs::write(example.directory.path().join("login.py"), LOGIN).unwrap();
    let command = format!("python3 login.py {} {mechanism} {name} {password}", example.port);
    example.run(&command).1.trim().to_owned()
}

#[test]
fn fixed_password_does_what_its_header_says() {
    let example = Example::start("fixed_password");
    let (client, said) = example.follow_header();
    assert!(client, "{said}");
    assert_eq!(example.lines(1), ["demo sends 99 octets from <demo@example.test>"]);
}

#[test]
fn fixed_password_is_short_and_what_the_readme_shows() {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(package.join(name)).unwrap();
    let source = read("examples/fixed_password.rs");
    let (_, code) = source.split_once("\n\n").unwrap();
    assert!(code.lines().count() <= 25, "{code}");
    assert!(read("README.md").contains(&format!("```rust,no_run\n{code}```\n")));
    // As rustfmt leaves them where nobody has configured it.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("main.rs");
    fs::write(&file, code).unwrap();
    let checked = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .arg(file)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn fixed_password_takes_the_password_by_every_mechanism() {
    let example = Example::start("fixed_password");
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"] {
        assert_eq!(log_in(&example, mechanism, "demo", "secret"), "235", "{mechanism}");
        for (name, password) in [("demo", "Secret"), ("nobody", "secret")] {
            assert_eq!(log_in(&example, mechanism, name, password), "535", "{mechanism} {name} {password}");
        }
    }
}

#[test]
fn sqlite_accounts_does_what_its_header_says() {
    let example = Example::start("sqlite_accounts");
    let (client, said) = example.follow_header();
    assert!(client, "{said}");
    assert_eq!(example.lines(1), ["account 1 sends a message"]);
}

/// Everybody sends as themselves, in whatever spelling.
#[test]
fn sqlite_accounts_compares_addresses_in_their_normal_form() {
    let example = Example::start("sqlite_accounts");
    let (client, said) =
        example.follow_header_with("--mail-from alice@example.test", "--mail-from Alice@EXAMPLE.test");
    assert!(client, "{said}");
    assert_eq!(example.lines(1), ["account 1 sends a message"]);
    let (client, said) =
        example.follow_header_with("--mail-from alice@example.test", "--mail-from bob@example.test");
    assert!(!client, "{said}");
}

#[test]
fn maildrop_compares_addresses_in_their_normal_form() {
    let example = Example::start("maildrop");
    let (client, said) =
        example.follow_header_with("--mail-from alice@example.test", "--mail-from Alice@EXAMPLE.test");
    assert!(client, "{said}");
    let (client, said) =
        example.follow_header_with("--mail-from alice@example.test", "--mail-from bob@example.test");
    assert!(!client, "{said}");
}

#[test]
fn sqlite_accounts_looks_each_login_up() {
    let example = Example::start("sqlite_accounts");
    assert_eq!(log_in(&example, "PLAIN", "alice@example.test", "wrong"), "535");
    assert_eq!(log_in(&example, "LOGIN", "bob@example.test", "secret"), "535");
    assert_eq!(log_in(&example, "CRAM-MD5", "alice@example.test", "secret"), "504");
    let (added, said) = example.run(&format!("{} add accounts.db bob@example.test secret", example.program));
    assert!(added, "{said}");
    assert_eq!(log_in(&example, "LOGIN", "bob@example.test", "secret"), "235");
    fs::write(example.directory.path().join("accounts.db"), "no database any more").unwrap();
    assert_eq!(log_in(&example, "PLAIN", "alice@example.test", "secret"), "454");
}

#[test]
fn maildrop_does_what_its_header_says() {
    let example = Example::start("maildrop");
    let (client, said) = example.follow_header();
    assert!(client, "{said}");
    let kept: Vec<_> = fs::read_dir(example.directory.path().join("maildrop")).unwrap().flatten().collect();
    let [file] = kept.as_slice() else { panic!("{kept:?}") };
    let text = fs::read_to_string(file.path()).unwrap();
    let expected =
        format!("Received: from 127.0.0.1 (user alice)\r\n{}", example::README.replace('\n', "\r\n"));
    assert_eq!(text, expected);
}

#[test]
fn maildrop_knows_who_may_do_what() {
    let example = Example::start("maildrop");
    let curl = |user: &str, from: &str, to: &str| {
        let command = format!(
            "curl -sv --cacert certificate.pem smtps://localhost:{} --user {user} --mail-from '{from}' --mail-rcpt {to} \
             --upload-file README.md --crlf 2>&1 | grep '^< [45]' || echo taken",
            example.port
        );
        example.run(&command).1.trim().to_owned()
    };
    let (alice, bob) = ("alice:wonderland", "bob:builder");
    assert_eq!(curl(alice, "alice@example.test", "bob@example.test"), "taken");
    assert_eq!(curl(bob, "bob@example.test", "you@example.net"), "taken");
    let abroad = "< 550 5.7.1 You may write to example.test only; ask the postmaster";
    assert_eq!(curl(alice, "alice@example.test", "you@example.net"), abroad);
    assert_eq!(
        curl(alice, "bob@example.test", "bob@example.test"),
        "< 553 5.7.1 <bob@example.test> is not yours to use as a sender"
    );
    assert_eq!(curl(bob, "", "bob@example.test"), "< 553 5.7.1 <> is not yours to use as a sender");
    fs::rename(example.directory.path().join("maildrop"), example.directory.path().join("gone")).unwrap();
    assert!(curl(bob, "bob@example.test", "you@example.net").starts_with("< 451 4.3.0 "));
}

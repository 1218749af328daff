//! Moving in: accounts of another server log in with the passwords that they have.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::server::{Installation, Server, Settings, run, until};

const PASSWD: &str = include_str!("import/passwd.py");
const LOGIN: &str = include_str!("import/login.py");
const HASHES: &str = include_str!("import/hashes.py");

const HASH: &str = "{SSHA}vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+";

#[test]
fn a_thousand_users_of_dovecot_move_in_and_are_hashed_anew_when_they_log_in() {
    let installation = Installation::with_maildir();
    let (passwd, known) = (path(&installation, "users"), path(&installation, "known"));
    python(PASSWD, &[&passwd, &known]);
    let import = ["user", "import", &passwd, "--format", "dovecot", "--domain", "example.org"];
    let tally = installation.json(&import);
    assert_eq!(tally["accounts"], 1000, "{tally}");
    let stored = hashes(&installation);
    // Those in clear were hashed at once.
    assert_eq!(stored.iter().filter(|(_, hash)| is_ours(hash)).count(), 30);
    assert!(!stored.iter().any(|(_, hash)| hash.contains("pass of")));

    let server = installation.start();
    for (user, url) in [("user0", "smtps"), ("user450", "smtps"), ("user700", "smtps")] {
        curl(&installation, &server, &format!("{user}@example.org:pass of {user}"), url);
    }
    log_in(&installation, &server, &known);
    let is_done = || hashes(&installation).iter().all(|(_, hash)| is_ours(hash) || is_stronger(hash));
    until("every weaker hash is ours", || is_done().then_some(()));
    log_in(&installation, &server, &known);
    assert_eq!(server.knock(&installation, "user0@example.org", "pass of user1").code, 535);
    let shown = installation.json(&["user", "list"]);
    assert!(shown.as_array().unwrap().len() == 1000 && !shown.to_string().contains('$'), "a hash is shown");
}

#[test]
fn a_bad_line_is_told_by_its_number_and_the_rest_is_taken() {
    let installation = Installation::new(&Settings::default());
    let lines = format!(
        "alice@example.org:{HASH}\n\
         bob:{HASH}\n\
         # a comment\n\
         carol@example.org\n\
         dave@example.org:{{OTP}}swordfish\n\
         erin@example.org:{{SHA512-CRYPT}}$6$rounds=999999999$salt$swordfish\n\
         ALICE@example.org:{HASH}\n\
         frank@example.org:{{PLAIN}}\n\
         grace@example.org:*::::::nologin=y\n"
    );
    let file = path(&installation, "users");
    std::fs::write(&file, &lines).unwrap();
    let tried = import(&installation, &["-", "--format", "dovecot", "--dry-run"], &lines);
    assert_eq!(installation.json(&["user", "list"]), json!([]));
    let output = import(&installation, &[&file, "--format", "dovecot"], "");
    for (output, name) in [(tried, "-"), (output, file.as_str())] {
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        for (line, why) in [
            (2, "--domain"),
            (4, "no `:`"),
            (5, "not known here"),
            (6, "more memory or time than is allowed"),
            (7, ":1 already"),
            (8, "the password is empty"),
        ] {
            let start = format!("{name}:{line}: ");
            let told =
                told.lines().find(|told| told.starts_with(&start)).unwrap_or_else(|| panic!("{start}{told}"));
            assert!(told.contains(why), "{told}");
        }
        assert_eq!(told.lines().count(), 7, "{told}");
        assert!(told.lines().last().unwrap().starts_with("error: 6 entries were not imported"), "{told}");
        assert!(!told.contains("swordfish") && !told.contains("vH9Z"), "{told}");
        let tally: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&tally["accounts"], &tally["not_taken"]), (&json!(2), &json!(6)), "{tally}");
    }
    let users = installation.json(&["user", "list"]);
    assert_eq!(users[0]["address"], "alice@example.org");
    assert_eq!((&users[1]["disabled"], &users[1]["password"]), (&json!(true), &json!(false)), "{users}");
}

#[test]
fn a_second_run_finishes_what_broke_off() {
    let installation = Installation::new(&Settings::default());
    let lines: Vec<String> = (0..20).map(|user| format!("user{user}@example.org:{HASH}\n")).collect();
    let done = import(&installation, &["-", "--format", "dovecot"], &lines[..7].concat());
    assert!(done.status.success(), "{done:?}");
    let before = hashes(&installation);
    let done = import(&installation, &["-", "--format", "dovecot"], &lines.concat());
    assert!(done.status.success(), "{done:?}");
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(
        told.starts_with("-:1: there is an account user0@example.org already; it is left as it is\n"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 7, "{told}");
    let tally: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&tally["accounts"], &tally["existing"]), (&json!(13), &json!(7)), "{tally}");
    let after = hashes(&installation);
    assert!(after.len() == 20 && before.iter().all(|account| after.contains(account)));
}

#[test]
fn a_table_moves_in() {
    let installation = Installation::new(&Settings::default());
    let table = format!(
        "name,address,password,password_hash,disabled,admin\r\n\
         \"Liddell, Alice\",alice@example.org,,{HASH},,yes\r\n\
         Bob,bob@example.org,\"battery, \"\"staple\"\"\",,no,\r\n\
         ,carol@example.org,,{HASH},yes,\r\n"
    );
    let done = import(&installation, &["-", "--format", "csv"], &table);
    assert!(done.status.success(), "{done:?}");
    let alice = installation.json(&["user", "show", "alice@example.org"]);
    assert_eq!((&alice["name"], &alice["admin"]), (&json!("Liddell, Alice"), &json!(true)));
    let server = installation.start();
    for (user, password, code) in
        [("alice", "secret", 235), ("bob", "battery, \"staple\"", 235), ("carol", "secret", 535)]
    {
        assert_eq!(
            server.knock(&installation, &format!("{user}@example.org"), password).code,
            code,
            "{user}"
        );
    }
    let refused = import(&installation, &["-", "--format", "csv"], "address,quota\n");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("-:1: the column \"quota\" is not known"));
}

#[test]
fn what_is_no_table_is_told_in_a_line_that_can_be_read() {
    let installation = Installation::new(&Settings::default());
    for form in ["csv", "dovecot"] {
        let done = import(&installation, &["-", "--format", form], &format!("{}:x", "a".repeat(1_000_000)));
        assert_eq!(done.status.code(), Some(1), "{form}");
        assert!(done.stderr.starts_with(b"-:1: ") || done.stderr.starts_with(b"error: -:1: "), "{form}");
        assert!(done.stderr.len() < 1000, "{form}: {} octets", done.stderr.len());
    }
    let done = import(&installation, &["-", "--format", "csv", "--totp-secret-file", "none"], "address\n");
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("goes with --format wildduck alone"));
}

#[test]
fn wildducks_users_move_in_with_all_they_have() {
    let installation = Installation::new(&Settings::default());
    let collections = ["users", "asps", "addresses"].map(|name| fixture(&format!("{name}.json")));
    let [users, asps, addresses] = collections.each_ref().map(String::as_str);
    let secret = fixture("totp-secret");
    let arguments = [users, asps, addresses, "--format", "wildduck", "--totp-secret-file", &secret];
    let done = import(&installation, &arguments, "");
    let told = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{told}");
    for told_of in
        ["alice@* ", "erin@example.org is taken without its account password", "grace@example.org: "]
    {
        assert!(told.replace('"', "").replace("alice@*,", "alice@* ").contains(told_of), "{told_of}: {told}");
    }
    let mut tally: Value = serde_json::from_slice(&done.stdout).unwrap();
    let refused = tally.as_object_mut().unwrap().remove("refused").unwrap();
    let lines: Vec<_> = refused.as_array().unwrap().iter().map(|refused| &refused["line"]).collect();
    assert_eq!(lines, [7, 1, 5, 5], "{refused}");
    let expected = json!({
        "accounts": 6, "app_passwords": 3, "second_factors": 3, "identities": 2, "existing": 0, "not_taken": 1,
        "lacking": 3, "dry_run": false,
    });
    assert_eq!(tally, expected);
    let passwords = installation.json(&["app-password", "list", "alice@example.org"]);
    let mut labels: Vec<_> =
        passwords.as_array().unwrap().iter().map(|password| &password["label"]).collect();
    labels.sort_by_key(|label| label.to_string());
    assert_eq!(labels, ["Phone", "Printer"]);
    assert_eq!(passwords[0]["created_at"], "2024-04-01T08:00:00Z");

    let server = installation.start();
    for (user, password, opens) in [
        ("alice", "alices password", true),
        ("alice", "abcdefghijklmnop", true),
        ("alice", "abcdefghijklmnop", true),
        ("alice", "QRST uvwx yzab cdef", true),
        ("bob", "bcdefghijklmnopq", true),
        // The second factor bars the account password, as it did before.
        ("bob", "bobs password", false),
        ("dave", "daves password", false),
        ("erin", "erins password", false),
        ("erin", "cdefghijklmnopqr", false),
        ("alice", "bcdefghijklmnopq", false),
    ] {
        let reply = server.knock(&installation, &format!("{user}@example.org"), password);
        assert_eq!(reply.code == 235, opens, "{user} {password}: {reply:?}");
    }
    let alice =
        hashes(&installation).into_iter().find(|(address, _)| address == "alice@example.org").unwrap();
    assert!(is_ours(&alice.1), "{alice:?}");
}

/// `secret`, by bcrypt of cost 14: a second of a core, and of the fastest more than [`CHECK`].
const SLOW: &str = "$2b$14$KhDkdL2sdXrbYSf6f4wKe.8hGYUTFs.bEhMTKg4.Y5Xq5PvYToiTm";

const CHECK: Duration = Duration::from_millis(600);

#[test]
fn a_refusal_of_anybody_takes_longer_than_the_check_of_the_slowest_hash() {
    let installation = Installation::new(&Settings::default());
    let lines = ["alice", "bob"].map(|user| format!("{user}@example.org:{{BLF-CRYPT}}{SLOW}\n")).concat();
    assert!(import(&installation, &["-", "--format", "dovecot"], &lines).status.success());
    let server = installation.start();
    let refused = |user: &str| {
        let begun = Instant::now();
        assert_eq!(server.knock(&installation, &format!("{user}@example.org"), "wrong").code, 535);
        begun.elapsed()
    };
    // How slow the hashes are the server finds out as it starts.
    until("strangers are refused as late as who has such a hash", || {
        (refused("nobody") > CHECK && refused("bob") > CHECK).then_some(())
    });
    assert_eq!(server.knock(&installation, "alice@example.org", "secret").code, 235);
}

fn is_ours(hash: &str) -> bool {
    hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
}

/// The hashes of the users that take more work than ours, and stay.
fn is_stronger(hash: &str) -> bool {
    ["$argon2id$v=19$m=65536,t=3,", "$argon2i$v=19$m=32768,t=4,"]
        .iter()
        .any(|stronger| hash.starts_with(stronger))
}

fn path(installation: &Installation, name: &str) -> String {
    installation.path(name).display().to_string()
}

fn fixture(name: &str) -> String {
    format!("{}/fixtures/wildduck/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn import(installation: &Installation, arguments: &[&str], input: &str) -> Output {
    installation.run(&[&["user", "import", "--json"], arguments].concat(), input)
}

/// Address and hash of every account.
fn hashes(installation: &Installation) -> Vec<(String, String)> {
    let store = path(installation, "store/accounts.db");
    let rows = python(HASHES, &[&store]);
    let rows = rows.lines().filter_map(|row| row.split_once('\t'));
    rows.map(|(address, hash)| (address.to_owned(), hash.to_owned())).collect()
}

/// Everybody, a few at a time, by Python's smtplib.
fn log_in(installation: &Installation, server: &Server, known: &str) {
    let port = server.implicit().port().to_string();
    python(LOGIN, &[&path(installation, "ca.pem"), &port, known]);
}

fn curl(installation: &Installation, server: &Server, login: &str, scheme: &str) {
    let url = format!("{scheme}://localhost:{}", server.implicit().port());
    let (user, _) = login.split_once(':').unwrap();
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--cacert", &path(installation, "ca.pem"), "--url", &url]);
    command.args([
        "--user",
        login,
        "--mail-from",
        user,
        "--mail-rcpt",
        "bob@example.net",
        "--upload-file",
        "-",
    ]);
    let output = run(&mut command, &format!("From: {user}\r\nSubject: moved in\r\n\r\nHere I am.\r\n"));
    assert!(output.status.success(), "{login}: {output:?}");
}

fn python(script: &str, arguments: &[&str]) -> String {
    let output = run(Command::new("python3").arg("-").args(arguments), script);
    assert!(
        output.status.success(),
        "{arguments:?}: {}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

//! The commands on accounts, credentials and the queue, run as people and scripts run them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const ALICE: &str = "alice@example.org";

/// A configuration with a store and a key of its own.
struct Site {
    directory: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { directory: tempfile::tempdir().unwrap() };
        let text = "hostname = \"mail.example.org\"\n\
            [storage]\nurl = \"sqlite:store\"\nmaster_key_file = \"master.key\"\n\
            [[listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n\
            [delivery]\nvia = \"hold\"\n";
        std::fs::write(site.config(), text).unwrap();
        let key = site.directory.path().join("master.key");
        assert_eq!(site.run(&["key", "generate", key.to_str().unwrap()]).status.code(), Some(0));
        site
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("gatepost.toml")
    }

    /// Adds to the configuration.
    fn configure(&self, more: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        std::fs::write(self.config(), text + more).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], stdin: &str) -> Output {
        gatepost(&self.config(), arguments, stdin)
    }

    /// What a command that must succeed prints.
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// The one line that a command says that must fail.
    fn error(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let error = stderr(&output);
        assert!(error.starts_with("error: ") && error.trim_end().lines().count() == 1, "{error}");
        error
    }
}

fn gatepost(config: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(arguments)
        .env("GATEPOST_CONFIG", config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may have gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_account_lives_from_add_to_remove() {
    let site = Site::new();
    let added = site.json(&["user", "add", ALICE, "--name", "Alice", "--admin"]);
    for (key, value) in [
        ("address", json!(ALICE)),
        ("name", json!("Alice")),
        ("admin", json!(true)),
        ("disabled", json!(false)),
        ("totp", json!(false)),
        ("last_login_at", Value::Null),
    ] {
        assert_eq!(added[key], value, "{key}");
    }
    assert!(added["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(site.json(&["user", "list"]), json!([added]));

    site.text(&["user", "disable", "ALICE@example.org"]);
    assert_eq!(site.json(&["user", "show", ALICE])["disabled"], true);
    site.text(&["user", "enable", ALICE]);
    assert_eq!(site.json(&["user", "show", ALICE])["disabled"], false);

    site.text(&["user", "rename", ALICE, "alicia@example.org"]);
    assert!(site.error(&["user", "show", ALICE]).contains("gatepost user list"));
    assert!(site.text(&["user", "list"]).contains("alicia@example.org"));

    assert!(site.error(&["user", "remove", "alicia@example.org"]).contains("--yes"));
    site.text(&["user", "remove", "alicia@example.org", "--yes"]);
    assert_eq!(site.json(&["user", "list"]), json!([]));
}

#[test]
fn a_password_comes_from_the_pipe_or_there_is_none() {
    let site = Site::new();
    let with =
        site.run_with(&["user", "add", ALICE, "--password-stdin", "--allow-weak", "--json"], "secret\n");
    assert_eq!(with.status.code(), Some(0), "{}", stderr(&with));
    assert_eq!(site.json(&["user", "show", ALICE])["password"], true);
    site.text(&["user", "add", "bob@example.org"]);
    assert_eq!(site.json(&["user", "show", "bob@example.org"])["password"], false);

    let empty =
        site.run_with(&["user", "add", "carol@example.org", "--password-stdin", "--allow-weak"], "\n");
    assert_eq!(empty.status.code(), Some(1));
    assert!(site.error(&["user", "show", "carol@example.org"]).contains("no account"));

    assert!(site.error(&["user", "password", "bob@example.org"]).contains("--password-stdin"));
    let set = site
        .run_with(&["user", "password", "bob@example.org", "--password-stdin", "--allow-weak"], "new one");
    assert_eq!(set.status.code(), Some(0), "{}", stderr(&set));
    assert_eq!(site.json(&["user", "show", "bob@example.org"])["password"], true);
}

#[test]
fn a_new_password_is_long_and_hard_to_guess_unless_that_is_waived() {
    let site = Site::new();
    let refused = |arguments: &[&str]| {
        for (password, why) in
            [("x7#qZp!", "fewer than 8"), ("password1", "too easy to guess"), (ALICE, "too easy to guess")]
        {
            let output = site.run_with(arguments, password);
            let told = stderr(&output);
            assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{password}: {told}");
            for part in [why, "--generate", "--allow-weak"] {
                assert!(told.contains(part), "{password}: {told}");
            }
            assert!(!told.contains(password), "{told}");
        }
    };
    let (add, set) =
        (["user", "add", ALICE, "--password-stdin"], ["user", "password", ALICE, "--password-stdin"]);
    refused(&add);
    assert_eq!(site.json(&["user", "list"]), json!([]));
    let (weak, good) = ("password1", "correct horse battery staple");
    assert_eq!(site.run_with(&[&add[..], &["--allow-weak"]].concat(), weak).status.code(), Some(0));
    refused(&set);
    assert_eq!(opens(&site, weak), Some(0));
    assert_eq!(site.run_with(&set, good).status.code(), Some(0));
    assert_eq!((opens(&site, weak), opens(&site, good)), (Some(1), Some(0)));
}

#[test]
fn a_generated_password_is_shown_once_and_opens_the_account() {
    let site = Site::new();
    let made = site.json(&["user", "add", ALICE, "--generate"]);
    let password = made["generated_password"].as_str().unwrap();
    assert_eq!(opens(&site, password), Some(0));
    assert_eq!(site.json(&["user", "show", ALICE]).get("generated_password"), None);
    let told = site.text(&["user", "password", ALICE, "--generate"]);
    let other = told.split_whitespace().last().unwrap();
    assert_eq!((opens(&site, password), opens(&site, other)), (Some(1), Some(0)));
    let told = site.text(&["user", "add", "bob@example.org", "--generate"]);
    assert!(told.lines().any(|line| line.starts_with("new password ") && line.contains('-')), "{told}");
}

fn opens(site: &Site, password: &str) -> Option<i32> {
    site.run_with(&["auth", "test", ALICE, "--password-stdin"], password).status.code()
}

#[test]
fn an_address_is_taken_once_however_it_is_spelled() {
    let site = Site::new();
    site.text(&["user", "add", ALICE]);
    assert!(site.error(&["user", "add", "Alice@Example.ORG"]).contains("already"));
    site.text(&["user", "add", "bob@example.org"]);
    assert!(site.error(&["user", "rename", "bob@example.org", "ALICE@example.org"]).contains("already"));
}

#[test]
fn an_app_password_is_shown_once_listed_and_revoked() {
    let site = Site::new();
    site.text(&["user", "add", ALICE]);
    let create = ["app-password", "create", ALICE, "--label", "phone"];
    let made = site.json(&[&create[..], &["--expires", "90d", "--network", "192.0.2.7"]].concat());
    let letters = made["password"].as_str().unwrap();
    assert!(letters.len() == 16 && letters.bytes().all(|letter| letter.is_ascii_lowercase()));
    assert_eq!(made["scopes"], json!(["smtp"]));
    assert_eq!(made["networks"], json!(["192.0.2.7/32"]));
    assert_eq!(made["senders"], json!([]));

    let mut listed = made.clone();
    listed.as_object_mut().unwrap().remove("password");
    assert_eq!(site.json(&["app-password", "list", ALICE]), json!([listed]));

    let id = made["id"].as_str().unwrap();
    site.text(&["app-password", "revoke", ALICE, id]);
    assert_eq!(site.json(&["app-password", "list", ALICE]), json!([]));
    assert!(site.error(&["app-password", "revoke", ALICE, id]).contains("app-password list"));
}

#[test]
fn for_people_an_app_password_is_four_groups_on_a_line_of_their_own() {
    let site = Site::new();
    site.text(&["user", "add", ALICE]);
    let shown = site.text(&["app-password", "create", ALICE, "--label", "phone"]);
    let groups: Vec<&str> = shown.strip_suffix('\n').unwrap().split(' ').collect();
    assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4; 4], "{shown:?}");
}

#[test]
fn an_app_password_wants_an_account_a_key_and_an_end_that_lies_ahead() {
    let site = Site::new();
    let create = ["app-password", "create", ALICE, "--label", "phone"];
    assert!(site.error(&create).contains("no account"));
    site.text(&["user", "add", ALICE]);
    let past = site.error(&[&create[..], &["--expires", "2020-01-01T00:00:00Z"]].concat());
    assert!(past.contains("--expires"), "{past}");
    std::fs::remove_file(site.directory.path().join("master.key")).unwrap();
    assert!(site.error(&create).contains("gatepost key generate"));
}

#[test]
fn limits_of_an_account_are_shown_and_changed_one_by_one() {
    let site = Site::new();
    site.text(&["user", "add", ALICE]);
    let limit = |name: &str| {
        let sending = &site.json(&["user", "show", ALICE])["sending"][name];
        assert_eq!((&sending["used"], &sending["until"]), (&json!(0), &Value::Null));
        (sending["limit"].clone(), sending["own"].clone())
    };
    assert_eq!(limit("messages_per_hour"), (json!(2000), json!(false)));
    let changed =
        site.json(&["user", "limit", ALICE, "--messages-per-hour", "7", "--recipients-per-day", "none"]);
    assert_eq!(changed["messages_per_hour"], json!({"used": 0, "limit": 7, "own": true, "until": null}));
    assert_eq!(limit("messages_per_hour"), (json!(7), json!(true)));
    assert_eq!(limit("recipients_per_day"), (Value::Null, json!(true)));
    site.text(&["user", "limit", ALICE, "--messages-per-hour", "default"]);
    assert_eq!(limit("messages_per_hour"), (json!(2000), json!(false)));
    assert_eq!(limit("recipients_per_day"), (Value::Null, json!(true)), "what is not named stays");
    let shown = site.text(&["user", "limit", ALICE]);
    assert!(shown.contains("messages an hour      0 of 2000\n"), "{shown}");
    assert!(shown.contains("recipients a day      0, no limit (its own)\n"), "{shown}");
    assert_eq!(audited(&site, &["--action", "user-limit"]).len(), 2);
    for wrong in ["0", "10000001", "many"] {
        assert_eq!(site.run(&["user", "limit", ALICE, "--messages-per-day", wrong]).status.code(), Some(2));
    }
    site.error(&["user", "limit", "nobody@example.org"]);
}

#[test]
fn an_app_password_allows_no_sender_that_the_account_may_not_use() {
    let site = Site::new();
    site.text(&["user", "add", ALICE]);
    let create = |sender: &[&str]| {
        let mut arguments = vec!["app-password", "create", ALICE, "--label", "newsletter", "--json"];
        arguments.extend(sender.iter().flat_map(|sender| ["--sender", sender]));
        site.run(&arguments)
    };
    let error = create(&["sales@example.com"]);
    assert!(
        stderr(&error)
            .contains("alice@example.org may not send as sales@example.com, only as alice@example.org")
    );
    assert_eq!(create(&["no address"]).status.code(), Some(2));
    let made = create(&["alice@example.org", "alice+news@example.org", "ALICE@example.org"]);
    assert!(made.status.success(), "{made:?}");
    let listed = site.json(&["app-password", "list", ALICE]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["senders"], json!(["alice@example.org", "alice+news@example.org"]));
    assert!(
        site.text(&["app-password", "list", ALICE]).contains("alice@example.org, alice+news@example.org")
    );
}

#[test]
fn an_empty_queue_is_an_empty_list() {
    let site = Site::new();
    assert_eq!(site.json(&["queue", "list"]), json!([]));
    assert_eq!(site.json(&["queue", "stats"])["entries"], 0);
    let id = "00000000000000000000000000";
    for verb in ["show", "retry", "hold", "release"] {
        assert!(site.error(&["queue", verb, id]).contains("gatepost queue list"), "{verb}");
    }
    assert!(site.error(&["queue", "remove", id, "--yes"]).contains("gatepost queue list"));
}

#[test]
fn an_account_has_at_most_fifty_app_passwords() {
    let site = Site::new();
    site.text(&["user", "add", ALICE]);
    let create = ["app-password", "create", ALICE, "--label", "phone"];
    for _ in 0..50 {
        site.text(&create);
    }
    let error = site.error(&create);
    assert!(error.contains("50 app passwords") && error.contains("app-password list"), "{error}");
    site.configure("[auth]\napp_passwords_per_account = 51\n");
    site.text(&create);
    assert!(site.error(&create).contains("51 app passwords"));
}

/// What the audit trail tells with these filters, newest first.
fn audited(site: &Site, filters: &[&str]) -> Vec<String> {
    let entries = site.json(&[&["audit", "list"], filters].concat());
    let action = |entry: &Value| entry["action"].as_str().unwrap().to_owned();
    entries.as_array().unwrap().iter().map(action).collect()
}

#[test]
fn every_change_is_in_the_audit_trail() {
    let site = Site::new();
    site.text(&["user", "add", "Alice@example.org"]);
    let made = site.json(&["app-password", "create", ALICE, "--label", "phone"]);
    let id = made["id"].as_str().unwrap();
    site.run_with(&["user", "password", ALICE, "--password-stdin", "--allow-weak"], "correct horse");
    site.text(&["app-password", "revoke", ALICE, id]);
    site.text(&["user", "disable", ALICE]);
    site.text(&["user", "enable", ALICE]);
    site.text(&["user", "rename", ALICE, "alicia@example.org"]);
    site.text(&["user", "remove", "alicia@example.org", "--yes"]);
    let of_alice = [
        "user-rename",
        "user-enable",
        "user-disable",
        "app-password-revoke",
        "password-set",
        "app-password-create",
        "user-add",
    ];
    assert_eq!(audited(&site, &["--user", "ALICE@example.org"]), of_alice);
    assert_eq!(audited(&site, &["--user", "alicia@example.org"]), ["user-remove", "user-rename"]);

    let created = &site.json(&["audit", "list", "--action", "app-password-create"])[0];
    for (key, value) in [
        ("result", json!("success")),
        ("reason", json!("ok")),
        ("account", json!(ALICE)),
        ("credential", json!(id)),
        ("count", json!(1)),
        ("mechanism", Value::Null),
        ("scope", Value::Null),
        ("ip", Value::Null),
        ("tls", Value::Null),
        ("session", Value::Null),
    ] {
        assert_eq!(created[key], value, "{key}");
    }
    assert!(created["time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn the_audit_trail_is_filtered_and_cut() {
    let site = Site::new();
    for n in 0..101 {
        site.text(&["user", "add", &format!("user{n}@example.org")]);
    }
    assert_eq!(audited(&site, &[]).len(), 101, "a program gets all");
    assert_eq!(site.text(&["audit", "list"]).lines().count(), 1 + 100);
    assert!(stderr(&site.run(&["audit", "list"])).contains("--limit"));
    assert_eq!(audited(&site, &["--limit", "3"]).len(), 3);
    assert_eq!(audited(&site, &["--since", "1h", "--result", "success"]).len(), 101);
    assert_eq!(audited(&site, &["--since", "2999-01-01T00:00:00Z"]).len(), 0);
    assert_eq!(audited(&site, &["--result", "failure"]).len(), 0);
    assert_eq!(audited(&site, &["--ip", "192.0.2.0/24"]).len(), 0);
    let unknown = site.run(&["audit", "list", "--action", "logout"]);
    assert!(stderr(&unknown).contains("app-password-revoke"), "{}", stderr(&unknown));
}

#[test]
fn what_is_not_old_stays_in_the_audit_trail() {
    let site = Site::new();
    site.text(&["user", "add", ALICE]);
    assert!(site.text(&["audit", "prune"]).starts_with("removed 0 entries"));
    assert_eq!(audited(&site, &[]), ["user-add"]);
}

#[test]
fn the_store_of_another_user_is_not_served_from() {
    const NOBODY: u32 = 65534;
    let site = Site::new();
    let store = site.directory.path().join("store");
    std::fs::DirBuilder::new().mode(0o700).create(&store).unwrap();
    if std::os::unix::fs::chown(&store, Some(NOBODY), Some(NOBODY)).is_err() {
        return; // Only root can give a directory away, and only root can do what is refused here.
    }
    let error = site.error(&["serve"]);
    assert!(error.contains("another user") && error.contains("sudo -u '#65534'"), "{error}");
    assert_eq!(std::fs::read_dir(&store).unwrap().count(), 0, "nothing was made in it");
}

#[test]
fn check_tells_every_error_and_every_warning() {
    let site = Site::new();
    let set = |delivery: &str| {
        let text = std::fs::read_to_string(site.config()).unwrap();
        let (other, _) = text.split_once("[delivery]\n").unwrap();
        std::fs::write(site.config(), format!("{other}[delivery]\n{delivery}")).unwrap();
    };
    set("via = \"smtp://relay.test:25\"\nusername = \"me\"\npassword_file = \"relay-password\"\n");
    let password = site.directory.path().join("relay-password");
    std::fs::write(&password, "\n").unwrap();
    std::fs::remove_file(site.directory.path().join("master.key")).unwrap();
    let output = site.run(&["check"]);
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: delivery.password_file: ") && said.contains("key generate"), "{said}");
    assert!(said.contains("warning: others may read the password file"), "{said}");
    assert!(stderr(&output).starts_with("error: 2 errors: the server"), "{}", stderr(&output));
}

#[test]
fn wrong_usage_exits_with_2() {
    let site = Site::new();
    for arguments in [
        &["user"][..],
        &["user", "add"],
        &["user", "add", "alice"],
        &["user", "frobnicate"],
        &["app-password", "create", ALICE],
        &["app-password", "create", ALICE, "--label", ""],
        &["app-password", "create", ALICE, "--label", "x", "--scope", "imap"],
        &["app-password", "create", ALICE, "--label", "x", "--expires", "soon"],
        &["app-password", "create", ALICE, "--label", "x", "--network", "nowhere"],
        &["audit", "list", "--action", "logout"],
        &["audit", "list", "--since", "yesterday"],
        &["audit", "list", "--ip", "nowhere"],
        &["queue", "show", "not-an-id"],
    ] {
        let output = site.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_named_once() {
    let missing = Path::new("/nonexistent/gatepost.toml");
    let output = gatepost(missing, &["user", "list"], "");
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert_eq!(error.matches("No such file").count(), 1, "{error}");
    assert!(error.contains("--config"), "{error}");
}

#[test]
fn the_manual_and_the_completions_know_every_verb() {
    let site = Site::new();
    let man = site.directory.path().join("man");
    site.text(&["man", man.to_str().unwrap()]);
    for page in ["gatepost", "gatepost-user-add", "gatepost-app-password-create", "gatepost-queue-show"] {
        assert!(man.join(format!("{page}.1")).is_file(), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(site.text(&["completions", shell]).contains("app-password"), "{shell}");
    }
}

//! The commands, as scripts see them: keys, exit codes, one line for an error.

use std::process::{Command, Output};

use serde_json::Value;
use tests::server::{Installation, Settings, binary, text};

use crate::letter::letter;

const USER: &str = "alice@example.org";

fn installed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    installation
}

fn assert_keys(object: &Value, keys: &[&str]) {
    let object = object.as_object().unwrap_or_else(|| panic!("no object: {object}"));
    for key in keys {
        assert!(object.contains_key(*key), "no `{key}` in {object:?}");
    }
}

/// It failed with this code, said so in one line on stderr, and nothing on stdout.
fn assert_fails(output: &Output, code: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    said
}

fn assert_one_error(output: &Output) -> String {
    let said = assert_fails(output, 1);
    assert!(said.starts_with("error: ") && said.trim_end().lines().count() == 1, "{said:?}");
    said
}

#[test]
fn a_user_has_its_keys() {
    let installation = installed();
    let keys = ["address", "name", "admin", "disabled", "totp", "created_at", "last_login_at"];
    let user = installation.json(&["user", "show", USER]);
    assert_keys(&user, &keys);
    assert_eq!(user["address"], USER);
    assert_eq!(user["admin"], false);
    assert!(user["name"].is_null() && user["last_login_at"].is_null());
    assert!(text(&user, "created_at").ends_with('Z'));
    let output = installation.run(
        &[
            "user",
            "add",
            "bob@example.org",
            "--name",
            "Bob",
            "--admin",
            "--password-stdin",
            "--allow-weak",
            "--json",
        ],
        "a password",
    );
    let added: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_keys(&added, &keys);
    assert_eq!((&added["name"], &added["admin"]), (&"Bob".into(), &true.into()));
    assert_eq!(installation.json(&["user", "list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_user_can_be_changed_and_removed() {
    let installation = installed();
    installation.done(&["user", "disable", USER]);
    assert_eq!(installation.json(&["user", "show", USER])["disabled"], true);
    installation.done(&["user", "enable", USER]);
    installation.done(&["user", "rename", USER, "alicia@example.org"]);
    assert_one_error(&installation.run(&["user", "show", USER], ""));
    // Without a terminal nobody can be asked, so `--yes` has to be said.
    assert_one_error(&installation.run(&["user", "remove", "alicia@example.org"], ""));
    installation.done(&["user", "remove", "alicia@example.org", "--yes"]);
    assert_eq!(installation.json(&["user", "list"]), Value::Array(Vec::new()));
}

#[test]
fn a_log_in_shows_up_in_the_user() {
    let installation = installed();
    let server = installation.start();
    server.logged_in(&installation, USER, "correct horse").expect("QUIT", 221);
    tests::server::until("the log-in is shown", || {
        installation.json(&["user", "show", USER])["last_login_at"].is_string().then_some(())
    });
}

#[test]
fn an_app_password_has_its_keys_and_shows_its_secret_once() {
    let installation = installed();
    let keys = [
        "id",
        "label",
        "scopes",
        "networks",
        "senders",
        "created_at",
        "expires_at",
        "last_used_at",
        "last_used_ip",
    ];
    let created = installation.json(&[
        "app-password",
        "create",
        USER,
        "--label",
        "laptop",
        "--scope",
        "smtp",
        "--expires",
        "90d",
        "--network",
        "127.0.0.0/8",
    ]);
    assert_keys(&created, &keys);
    let password = text(&created, "password");
    assert!(password.len() == 16 && password.bytes().all(|letter| letter.is_ascii_lowercase()), "{password}");
    assert_eq!(created["scopes"], serde_json::json!(["smtp"]));
    assert_eq!(created["networks"], serde_json::json!(["127.0.0.0/8"]));
    assert!(text(&created, "expires_at").ends_with('Z'));
    let listed = installation.json(&["app-password", "list", USER]);
    assert_keys(&listed[0], &keys);
    assert!(listed[0].get("password").is_none(), "{listed}");
    assert_eq!(listed[0]["id"], created["id"]);
    installation.done(&["app-password", "revoke", USER, &text(&created, "id")]);
    assert_eq!(installation.json(&["app-password", "list", USER]), Value::Array(Vec::new()));
    assert_one_error(&installation.run(&["app-password", "revoke", USER, &text(&created, "id")], ""));
}

#[test]
fn people_see_an_app_password_in_four_groups() {
    let shown = installed().done(&["app-password", "create", USER, "--label", "laptop"]);
    let grouped = |line: &str| {
        let groups: Vec<&str> = line.split_whitespace().collect();
        groups.windows(4).any(|four| {
            four.iter()
                .all(|group| group.len() == 4 && group.bytes().all(|letter| letter.is_ascii_lowercase()))
        })
    };
    assert!(shown.lines().any(grouped), "{shown}");
}

#[test]
fn a_queue_entry_has_its_keys_and_can_be_removed() {
    let installation = installed();
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    let reply =
        client.send(USER, &["bob@example.net", "carol@example.net"], &letter("queued", "text\r\n")).unwrap();
    let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
    let listed = installation.queue();
    assert_keys(
        &listed[0],
        &["id", "account", "sender", "size", "accepted_at", "next_attempt_at", "held", "recipients"],
    );
    assert_eq!(text(&listed[0], "id"), id);
    assert_eq!(text(&listed[0], "account"), USER);
    assert_eq!(text(&listed[0], "sender"), USER);
    assert_eq!(listed[0]["recipients"], 2);
    assert!(listed[0]["size"].as_u64().is_some_and(|size| size > 100), "{}", listed[0]);
    let shown = installation.json(&["queue", "show", &id]);
    assert_keys(
        &shown["recipients"][0],
        &["address", "state", "attempts", "next_attempt_at", "last_reply", "last_host"],
    );
    assert_eq!(shown["recipients"][1]["address"], "carol@example.net");
    installation.json(&["queue", "stats"]);
    installation.done(&["queue", "hold", &id]);
    assert!(assert_one_error(&installation.run(&["queue", "retry", &id], "")).contains("queue release"));
    let held = assert_one_error(&installation.run(&["queue", "release", &id], ""));
    assert!(held.contains("is held by its route"), "{held}");
    assert_one_error(&installation.run(&["queue", "remove", &id], ""));
    installation.done(&["queue", "remove", &id, "--yes"]);
    assert!(installation.queue().is_empty());
    assert_one_error(&installation.run(&["queue", "show", &id], ""));
}

#[test]
fn an_error_is_one_line_that_says_what_to_do() {
    let installation = installed();
    assert_one_error(&installation.run(&["user", "show", "nobody@example.org"], ""));
    assert_one_error(&installation.run(&["user", "add", USER, "--password-stdin", "--allow-weak"], "x"));
    assert_one_error(
        &installation.run(&["app-password", "create", "nobody@example.org", "--label", "x"], ""),
    );
    assert_one_error(
        &installation.run(&["key", "generate", &installation.path("master.key").to_string_lossy()], ""),
    );
    let absent = Command::new(binary())
        .args(["--config", "/nonexistent/gatepost.toml", "user", "list"])
        .output()
        .unwrap();
    assert!(assert_one_error(&absent).contains("/nonexistent/gatepost.toml"));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let installation = installed();
    assert_fails(&installation.run(&["no-such-command"], ""), 2);
    assert_fails(&installation.run(&["user", "add"], ""), 2);
    assert_fails(&installation.run(&["user", "list", "--no-such-flag"], ""), 2);
}

#[test]
fn an_account_without_a_domain_is_of_the_default_one_for_every_command() {
    let auth = "default_domain = \"example.org\"".to_owned();
    let installation = Installation::new(&Settings { auth, ..Settings::default() });
    installation.add_user("alice", "correct horse");
    assert_eq!(installation.json(&["user", "show", "Alice"])["address"], USER);
    let (id, _) = installation.app_password("alice", &[]);
    assert_eq!(installation.json(&["app-password", "list", "alice"])[0]["id"], id.as_str());
    installation.done(&["identity", "add", "alice", "sales@example.org"]);
    assert_eq!(installation.json(&["totp", "status", "alice"])["address"], USER);
    installation.run(&["auth", "test", "alice", "--password-stdin"], "wrong");
    assert!(installation.done(&["throttle", "clear", "alice"]).contains("of alice@example.org"));
    let entries = installation.json(&["audit", "list", "--user", "alice"]);
    assert!(
        entries.as_array().unwrap().iter().all(|entry| entry["account"] == USER) && entries[0].is_object()
    );
    let server = installation.start();
    server
        .logged_in(&installation, USER, "correct horse")
        .send(USER, &["bob@example.net"], &letter("x", "x\r\n"))
        .unwrap();
    assert_eq!(installation.json(&["queue", "list", "--account", "alice"])[0]["account"], USER);
    assert_eq!(
        installation.done(&["queue", "hold", "--account", "alice", "--expect", "1"]),
        "1 message is held\n"
    );
    installation.done(&["user", "rename", "alice", "alicia"]);
    assert_eq!(installation.json(&["user", "list"])[0]["address"], "alicia@example.org");
    installation.done(&["user", "remove", "alicia", "--yes"]);
}

#[test]
fn an_account_without_a_domain_is_wrong_usage_where_there_is_no_default_one() {
    let installation = installed();
    let said = assert_fails(&installation.run(&["user", "show", "alice"], ""), 2);
    assert!(said.contains("alice") && said.contains("no domain"), "{said}");
}

#[test]
fn the_configuration_may_be_named_after_the_verb_and_by_the_environment() {
    let installation = installed();
    let file = installation.path("gatepost.toml");
    let after =
        Command::new(binary()).args(["user", "list", "--json", "--config"]).arg(&file).output().unwrap();
    assert!(after.status.success(), "{after:?}");
    let mut command = Command::new(binary());
    let named = command.args(["user", "list", "--json"]).env("GATEPOST_CONFIG", &file).output().unwrap();
    assert_eq!(named.stdout, after.stdout);
}

#[test]
fn a_mistake_in_the_configuration_is_shown_where_it_stands() {
    let installation = installed();
    let file = installation.path("gatepost.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}nonsense = 1\n")).unwrap();
    let said = assert_fails_in_any_way(&installation.run(&["check"], ""));
    let line = good.lines().count() + 1;
    assert!(said.contains(&format!("gatepost.toml:{line}:1: ")) && said.contains("nonsense"), "{said}");
    assert_one_error(&installation.run(&["serve"], ""));
}

#[test]
fn check_says_that_all_is_well_or_what_is_not() {
    let installation = installed();
    assert!(installation.run(&["check"], "").status.success());
    std::fs::remove_file(installation.path("privkey.pem")).unwrap();
    let said = assert_fails_in_any_way(&installation.run(&["check"], ""));
    assert!(said.contains("privkey.pem"), "{said}");
}

fn assert_fails_in_any_way(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_master_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let installation = installed();
    let key = installation.path("master.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = assert_one_error(&installation.run(&["serve"], ""));
    assert!(said.contains("master.key"), "{said}");
}

#[test]
fn the_store_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let installation = installed();
    let mode = |name: &str| std::fs::metadata(installation.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("store"), 0o700);
    assert_eq!(mode("store/accounts.db"), 0o600);
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let installation = installed();
    assert!(installation.done(&["completions", "bash"]).contains("gatepost"));
    let pages = installation.path("man");
    std::fs::create_dir(&pages).unwrap();
    installation.done(&["man", &pages.to_string_lossy()]);
    assert!(pages.join("gatepost.1").exists());
}

#[test]
fn the_manual_has_the_configuration_and_the_exit_codes() {
    let installation = installed();
    let pages = installation.path("man");
    installation.done(&["man", &pages.to_string_lossy()]);
    let page = std::fs::read_to_string(pages.join("gatepost.toml.5")).unwrap();
    assert!(page.contains("min_version") && page.starts_with(".TH"), "{page}");
    let page = std::fs::read_to_string(pages.join("gatepost.1")).unwrap();
    assert!(page.contains("Exit codes"), "{page}");
}

#[test]
fn a_mistyped_command_is_answered_with_what_is_meant() {
    let said = assert_fails(&installed().run(&["queue", "delete", "x"], ""), 2);
    assert!(said.contains("'remove'") && !said.contains("'release'"), "{said}");
}

#[test]
fn an_app_password_is_revoked_by_its_label_unless_there_are_two() {
    let installation = installed();
    let (first, _) = installation.app_password(USER, &[]);
    let (second, _) = installation.app_password(USER, &[]);
    let said = assert_one_error(&installation.run(&["app-password", "revoke", USER, "a test"], ""));
    assert!(said.contains(&first) && said.contains(&second), "{said}");
    installation.done(&["app-password", "revoke", USER, &first]);
    installation.done(&["app-password", "revoke", USER, "a test"]);
    assert_eq!(installation.json(&["app-password", "list", USER]), Value::Array(Vec::new()));
}

#[test]
fn times_are_written_in_one_way() {
    let installation = installed();
    for end in ["1h30m", "2w", "2099-01-31", "2099-01-31T12:00:00+01:00"] {
        installation.app_password(USER, &["--expires", end]);
    }
    installation.done(&["audit", "list", "--since", "1h30m"]);
    installation.done(&["queue", "list", "--older-than", "2020-01-31"]);
    assert_fails(&installation.run(&["audit", "list", "--since", "1mo"], ""), 2);
}

#[test]
fn a_mistyped_key_is_answered_with_the_one_that_is_meant() {
    let installation = installed();
    let file = installation.path("gatepost.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}levl = \"info\"\n")).unwrap();
    let said = assert_one_error(&installation.run(&["user", "list"], ""));
    assert!(said.contains("did you mean `level`?"), "{said}");
}

#[test]
fn an_import_lists_what_it_refused() {
    let installation = installed();
    let file = installation.path("users");
    std::fs::write(&file, "carol@example.org:{NONSENSE}x\n").unwrap();
    let output =
        installation.run(&["user", "import", &file.to_string_lossy(), "--format", "dovecot", "--json"], "");
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let refused = &told["refused"][0];
    assert_eq!(refused["line"], 1);
    assert!(text(refused, "reason").contains("NONSENSE"), "{told}");
}

#[test]
fn users_are_listed_in_pages_and_found_by_text_and_state() {
    let installation = installed();
    installation.done(&["user", "add", "bob@example.org", "--name", "Bob of the Office", "--admin"]);
    installation.done(&["user", "add", "carol@example.net"]);
    installation.done(&["user", "disable", "carol@example.net"]);
    let listed = |more: &[&str]| {
        let listed = installation.json(&[&["user", "list"], more].concat());
        listed.as_array().unwrap().iter().map(|user| text(user, "address")).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), [USER, "bob@example.org", "carol@example.net"]);
    assert_eq!(listed(&["--limit", "2"]), [USER, "bob@example.org"]);
    assert_eq!(listed(&["--limit", "2", "--after", "BOB@example.org"]), ["carol@example.net"]);
    assert_eq!(listed(&["--filter", "office"]), ["bob@example.org"]);
    assert_eq!(listed(&["--state", "disabled"]), ["carol@example.net"]);
    assert_eq!(listed(&["--state", "enabled", "--filter", "example.net"]), Vec::<String>::new());
    let shown = installation.run(&["user", "list", "--limit", "1"], "");
    assert!(String::from_utf8_lossy(&shown.stderr).contains("--after alice@example.org"), "{shown:?}");
}

#[test]
fn exit_codes_are_those_of_the_manual() {
    let installation = installed();
    let code = |words: &str, input: &str| {
        installation.run(&words.split(' ').collect::<Vec<_>>(), input).status.code().unwrap()
    };
    for (words, input, expected) in [
        ("--help", "", 0),
        ("queue list", "", 0),
        ("queue hold --all --expect 0", "", 0),
        ("queue hold --all --expect 1", "", 1),
        ("queue show 0", "", 1),
        ("auth test alice@example.org --password-stdin", "correct horse", 0),
        ("auth test alice@example.org --password-stdin", "wrong", 1),
        ("user import - --format dovecot --dry-run", "bob@example.org:{PLAIN}battery staple", 0),
        ("user import - --format dovecot", "bob@example.org:{PLAIN}battery staple\nno address:x", 1),
        ("user show bob@example.org", "", 0),
        ("store check", "", 0),
        ("check", "", 0),
        ("check --strict", "", 1),
        ("check --strickt", "", 2),
    ] {
        assert_eq!(code(words, input), expected, "{words}");
    }
    let alone = Command::new(binary()).output().unwrap();
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
}

/// What a command prints on a terminal, whatever comes of it.
fn on_a_terminal(installation: &Installation, (variable, value): (&str, &str), words: &[&str]) -> String {
    let script = "import pty, sys; pty.spawn(sys.argv[1:])";
    let mut command = Command::new("python3");
    command
        .args(["-c", script])
        .arg(binary())
        .arg("--config")
        .arg(installation.path("gatepost.toml"))
        .args(words);
    command.env_remove("NO_COLOR").env("TERM", "xterm").env(variable, value);
    let output = tests::server::run(&mut command, "");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let installation = installed();
    installation.done(&["user", "disable", USER]);
    for (words, coloured) in [
        (&["user", "list"][..], &["\u{1b}[1mADDRESS\u{1b}[0m  ", "yes"][..]),
        (&["user", "show", "bob@example.org"], &["\u{1b}[31merror\u{1b}[0m: there is no account"]),
        (&["check"], &["\u{1b}[33mwarning\u{1b}[0m: "]),
    ] {
        let shown = on_a_terminal(&installation, ("NO_COLOR", ""), words);
        for text in coloured {
            assert!(shown.contains(text), "{shown:?}");
        }
        for refused in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let shown = on_a_terminal(&installation, refused, words);
            assert!(!shown.contains('\u{1b}') && !shown.is_empty(), "{refused:?}: {shown:?}");
        }
        let Output { stdout, stderr, .. } = installation.run(words, "");
        assert!(![stdout, stderr].concat().contains(&0x1b), "{words:?}");
    }
    let json = on_a_terminal(&installation, ("NO_COLOR", ""), &["user", "list", "--json"]);
    assert!(!json.contains('\u{1b}'), "{json:?}");
}

//! `gatepost check`: what keeps mail from leaving, what other servers say when they are tried, and what scripts can rely on.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::authority::Authority;
use tests::server::{Installation, Settings};
use tests::smarthost::{Script, Smarthost, Tls};

const USER: &str = "alice@example.org";

/// The codes that `check --json` tells under this name.
fn codes(installation: &Installation, more: &[&str], list: &str) -> Vec<String> {
    let report = report(installation, more);
    report[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

fn report(installation: &Installation, more: &[&str]) -> Value {
    let output = installation.run(&[&["check", "--json"], more].concat(), "");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn all_is_well_is_only_said_without_a_warning() {
    let installation = Installation::with_maildir();
    assert!(installation.done(&["check", "--strict"]).trim_end().ends_with("gatepost.toml: all is well"));
    installation.configure(&Settings::default());
    let told = installation.done(&["check"]);
    assert!(
        told.contains("warning: delivery.via is \"hold\": mail is accepted and stays in the queue"),
        "{told}"
    );
    assert!(told.trim_end().ends_with("no errors, 1 warning"), "{told}");
    let strict = installation.run(&["check", "--strict"], "");
    assert_eq!(strict.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&strict.stderr).starts_with("error: 1 warning, which --strict"),
        "{strict:?}"
    );
}

#[test]
fn a_script_is_told_codes_keys_and_texts() {
    let installation = Installation::new(&Settings::default());
    let report = report(&installation, &[]);
    assert_eq!(report["errors"], serde_json::json!([]));
    assert_eq!(report["connected"], false);
    assert_eq!(report["warnings"][0]["code"], "delivery-hold");
    assert_eq!(report["warnings"][0]["key"], "delivery.via");
    assert!(report["warnings"][0]["text"].as_str().unwrap().contains("stays in the queue"));
    assert!(report["notes"][0].as_str().unwrap().contains("will be made by the first start"));
    let file = installation.path("gatepost.toml");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "nonsense = 1\n").unwrap();
    let broken = self::report(&installation, &[]);
    assert_eq!(broken["errors"][0]["code"], "configuration");
    assert_eq!(broken["errors"][0]["key"], "log.nonsense");
    assert_eq!(installation.run(&["check", "--json"], "").status.code(), Some(1));
}

#[test]
fn messages_that_are_held_are_told() {
    let installation = Installation::with_maildir();
    installation.configure(&Settings::default());
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}>"), 250);
    client.expect("RCPT TO:<bob@example.net>", 250);
    client.expect("DATA", 354);
    client.say(b"From: alice@example.org\r\n\r\nHello.\r\n.\r\n").unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    installation.configure(&Settings { delivery: installation.maildir_delivery(), ..Settings::default() });
    assert_eq!(codes(&installation, &[], "warnings"), ["queue-held"]);
}

/// The server says at its start what `check` would have said.
#[test]
fn a_server_that_holds_all_mail_says_so() {
    let installation = Installation::new(&Settings::default());
    let server = installation.start();
    let told = server.until_logged("event=setup.warning");
    assert!(told.contains("code=delivery-hold") && told.contains("key=delivery.via"), "{told}");
}

#[test]
fn a_maildir_that_cannot_be_written_is_an_error() {
    const NOBODY: u32 = 65534;
    use std::os::unix::fs::{PermissionsExt as _, chown};
    let installation = Installation::with_maildir();
    std::fs::create_dir(installation.path("outbox")).unwrap();
    assert!(codes(&installation, &[], "errors").is_empty());
    // Everything but the Maildir belongs to whoever runs the command.
    for name in ["", "gatepost.toml", "master.key", "privkey.pem"] {
        if chown(installation.path(name), Some(NOBODY), Some(NOBODY)).is_err() {
            return; // Only root can give files away.
        }
    }
    std::fs::set_permissions(installation.path("outbox"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = installation.command_as(NOBODY, &["check"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("error: mail cannot be written into") && told.contains("outbox"), "{told}");
    let plain =
        Settings { delivery: "via = \"maildir:gatepost.toml/outbox\"".to_owned(), ..Settings::default() };
    installation.configure(&plain);
    assert_eq!(codes(&installation, &[], "errors"), ["maildir"]);
}

/// Gatepost before a next host that wants STARTTLS and a login.
struct Relay {
    next: Smarthost,
    installation: Installation,
}

impl Relay {
    fn new() -> Relay {
        let authority = Authority::new();
        let answer = |line: &str, _| match line {
            "AUTH PLAIN AHVzAHMzY3JldA==" => Some("235 2.7.0 welcome".to_owned()),
            _ if line.starts_with("AUTH") => Some("535 5.7.8 who are you?".to_owned()),
            _ => None,
        };
        let next = Smarthost::start(Script {
            capabilities: vec!["AUTH PLAIN"],
            tls: Tls::Asked(authority.sign()),
            answer: Box::new(answer),
        });
        let port = next.address.port();
        let delivery = format!(
            "via = \"smtp://localhost:{port}\"\ntls_ca = \"next.pem\"\nusername = \"us\"\npassword_file = \"password\""
        );
        let installation = Installation::new(&Settings { delivery, ..Settings::default() });
        std::fs::write(installation.path("next.pem"), authority.pem()).unwrap();
        let relay = Relay { next, installation };
        relay.password("s3cret");
        relay
    }

    fn password(&self, password: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.installation.path("password");
        std::fs::write(&path, password).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The one error that is found by asking the next host.
    fn error(&self) -> String {
        assert_eq!(codes(&self.installation, &[], "errors"), [""; 0], "without --connect nobody is asked");
        let report = report(&self.installation, &["--connect"]);
        let [error] = report["errors"].as_array().unwrap().as_slice() else { panic!("{report}") };
        assert_eq!(error["code"], "smarthost");
        error["text"].as_str().unwrap().to_owned()
    }
}

#[test]
fn the_next_host_is_tried_up_to_the_login() {
    let relay = Relay::new();
    assert_eq!(codes(&relay.installation, &["--connect"], "errors"), [""; 0]);
    assert_eq!(relay.next.until_line("QUIT"), "QUIT");
    assert!(!relay.next.lines().iter().any(|line| line.starts_with("MAIL")), "{:?}", relay.next.lines());
    // A name that nobody has entered in the DNS.
    assert!(codes(&relay.installation, &["--connect"], "warnings").contains(&"dns-hostname".to_owned()));
}

#[test]
fn each_way_in_which_the_next_host_is_of_no_use_is_told() {
    let relay = Relay::new();
    relay.password("guess");
    let error = relay.error();
    assert!(
        error.contains("localhost:") && error.contains("refused our login: 535 5.7.8 who are you?"),
        "{error}"
    );
    relay.password("s3cret");
    std::fs::write(relay.installation.path("next.pem"), Authority::new().pem()).unwrap();
    let error = relay.error();
    assert!(error.contains("TLS failed: invalid peer certificate"), "{error}");
    let delivery = "via = \"smtp://127.0.0.1:1\"\ntls = \"off\"".to_owned();
    relay.installation.configure(&Settings { delivery, ..Settings::default() });
    let error = relay.error();
    assert!(error.starts_with("mail cannot be handed to 127.0.0.1:1: no connection: "), "{error}");
}

/// Every code that can be told is in docs/check.md, and no other.
#[test]
fn the_documentation_has_every_code() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/check.md")).unwrap();
    let (_, page) = page.split_once("## For scripts").unwrap();
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect();
    let mut told = BTreeSet::new();
    for file in sources(&root.join("crates/gatepost/src")) {
        codes_in(&std::fs::read_to_string(file).unwrap(), &mut told);
    }
    assert_eq!(documented, told);
}

/// The first argument of each call that makes a finding, where it is a string.
fn codes_in(source: &str, told: &mut BTreeSet<String>) {
    let source = source.split("#[cfg(test)]").next().unwrap();
    for call in ["Finding::new(", "Finding::of_key(", "Finding::of_error(", "report.keep("] {
        for arguments in source.split(call).skip(1) {
            if let Some((code, _)) =
                arguments.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'))
            {
                told.insert(code.to_owned());
            }
        }
    }
}

fn sources(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

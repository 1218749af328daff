//! Mechanisms of one listener alone: for the device that speaks CRAM-MD5 or nothing, without what other programs would make of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use sasl::Mechanism;
use serde_json::{Value, json};
use tests::client::Client;
use tests::server::{Installation, Server, Settings, run, text, until};

const USER: &str = "alice@example.org";
const LETTER: &str = "From: alice@example.org\r\nSubject: a test\r\n\r\nby CRAM-MD5, or not\r\n";
const PLAIN_BESIDE_CRAM_MD5: [&str; 2] = ["[\"PLAIN\", \"LOGIN\"]", "[\"CRAM-MD5\"]"];

/// Programs that take CRAM-MD5 before PLAIN.
const PROGRAMS: [&str; 6] =
    ["curl", "phpmailer.php", "net-smtp.pl", "net-smtp.pl --sender", MUTTS[0], MUTTS[1]];

const MUTTS: [&str; 2] =
    ["mutt.sh mutt -s test -- bob@example.net", "mutt.sh neomutt -s test -- bob@example.net"];

struct House {
    installation: Installation,
    server: Server,
}

impl House {
    fn open(auth: &str, mechanisms: &[&'static str]) -> House {
        let auth = format!("{auth}\n[auth.throttle]\npassword = {{ failures = 100, window = \"60s\" }}");
        let mechanisms = mechanisms.to_vec();
        let installation = Installation::new(&Settings { auth, mechanisms, ..Settings::default() });
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        House { installation, server }
    }

    /// What comes of it when this program sends a message.
    fn send(&self, program: &str, listener: (&str, SocketAddr), password: &str) -> Output {
        let asked =
            json!({ "to": ["bob@example.net"], "subject": "a test", "body": "hello", "message": LETTER });
        let input = if program == "curl" { LETTER.to_owned() } else { asked.to_string() };
        run(&mut self.sending(program, listener, password), &input)
    }

    fn sending(&self, program: &str, (tls, address): (&str, SocketAddr), password: &str) -> Command {
        let (ca, port) = (self.installation.path("ca.pem"), address.port().to_string());
        let mut words = program.split(' ');
        let mut command = match words.next() {
            Some("curl") => {
                let scheme = if tls == "implicit" { "smtps" } else { "smtp" };
                let mut curl = Command::new("curl");
                curl.args([
                    "--silent",
                    "--show-error",
                    "--ssl-reqd",
                    "--url",
                    &format!("{scheme}://localhost:{port}"),
                ]);
                curl.args(["--user", &format!("{USER}:{password}"), "--mail-from", USER]);
                curl.args(["--mail-rcpt", "bob@example.net", "--upload-file", "-", "--cacert"]).arg(&ca);
                curl
            }
            Some(file) => {
                let interpreters = [("php", "php"), ("sh", "sh"), ("pl", "perl")];
                let extension = file.rsplit('.').next().unwrap();
                let (_, interpreter) = interpreters.into_iter().find(|(of, _)| *of == extension).unwrap();
                let mut command = Command::new(interpreter);
                command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("programs").join(file)).args(words);
                command
            }
            None => unreachable!("a program has a name"),
        };
        command.env("SMTP_HOST", "localhost").env("SMTP_PORT", port).env("SMTP_TLS", tls);
        command.env("SMTP_USER", USER).env("SMTP_PASSWORD", password).env("SMTP_FROM", USER);
        command.env("SMTP_CA", &ca).env("SSL_CERT_FILE", &ca);
        command
    }

    fn starttls(&self) -> (&'static str, SocketAddr) {
        ("starttls", self.server.starttls())
    }

    fn implicit(&self) -> (&'static str, SocketAddr) {
        ("implicit", self.server.implicit())
    }

    /// So many logins of the user: by which mechanism, and what came of it.
    fn logins(&self, number: usize) -> Vec<(String, String)> {
        until("all logins are in the audit trail", || {
            let told = self.installation.json(&["audit", "list", "--action", "login", "--user", USER]);
            // Those that are alike are one entry.
            let each = told.as_array().unwrap().iter().flat_map(|entry| {
                let login = (text(entry, "mechanism"), text(entry, "reason"));
                std::iter::repeat_n(login, entry["count"].as_u64().unwrap().try_into().unwrap())
            });
            let each: Vec<_> = each.collect();
            (each.len() >= number).then_some(each)
        })
    }

    fn tested(&self, mechanism: &str, password: &str) -> Value {
        let arguments = ["auth", "test", USER, "--mechanism", mechanism, "--password-stdin", "--json"];
        serde_json::from_slice(&self.installation.run(&arguments, password).stdout).unwrap()
    }
}

#[test]
fn programs_that_prefer_cram_md5_send_where_only_the_listener_of_a_scanner_offers_it() {
    let house = House::open("", &PLAIN_BESIDE_CRAM_MD5);
    let (_, ordinary) = house.installation.app_password(USER, &[]);
    let (_, scanners) = house.installation.app_password(USER, &["--cram-md5"]);
    for program in PROGRAMS {
        for (listener, password) in [(house.starttls(), &ordinary), (house.implicit(), &scanners)] {
            let output = house.send(program, listener, password);
            assert!(output.status.success(), "{program} {listener:?}: {output:?}");
        }
    }
    assert_eq!(house.installation.queue().len(), 2 * PROGRAMS.len());
    let logins = house.logins(2 * PROGRAMS.len());
    assert!(logins.iter().all(|(_, reason)| reason == "ok"), "{logins:?}");
    let by_cram_md5 = logins.iter().filter(|(mechanism, _)| mechanism == "CRAM-MD5");
    assert_eq!(by_cram_md5.count(), PROGRAMS.len(), "{logins:?}");
    assert!(house.installation.done(&["check"]).lines().all(|line| !line.contains("CRAM-MD5")));
}

#[test]
fn where_cram_md5_is_offered_beside_others_they_are_refused_for_want_of_keys_and_check_says_so() {
    let house = House::open("mechanisms = [\"PLAIN\", \"LOGIN\", \"CRAM-MD5\"]", &[]);
    let (id, ordinary) = house.installation.app_password(USER, &[]);
    for program in PROGRAMS {
        let output = house.send(program, house.starttls(), &ordinary);
        assert!(!output.status.success(), "{program}: {output:?}");
    }
    let logins = house.logins(PROGRAMS.len());
    assert!(logins.contains(&("CRAM-MD5".to_owned(), "no-keys".to_owned())), "{logins:?}");
    assert!(logins.iter().all(|(_, reason)| reason == "no-keys"), "{logins:?}");
    house.server.until_logged("reason=no-keys");
    let told = house.installation.done(&["check"]);
    assert!(told.contains("CRAM-MD5 is offered beside other mechanisms on 127.0.0.1:0"), "{told}");

    let refused = json!({ "accepted": false, "credential": id, "reason": "no-keys" });
    assert_eq!(house.tested("CRAM-MD5", &ordinary), refused);
    assert_eq!(house.tested("PLAIN", &ordinary)["accepted"], true);
    let (_, scanners) = house.installation.app_password(USER, &["--cram-md5"]);
    assert_eq!(house.tested("CRAM-MD5", &scanners)["accepted"], true);
    // Not only where no app password has keys: the one that was tried has none.
    assert_eq!(house.tested("CRAM-MD5", &ordinary), refused);
    assert_eq!(house.tested("CRAM-MD5", "correct horse")["reason"], "no-keys");
}

/// mutt and neomutt, as Debian has them, take the first of GNU SASL's list that is offered. SCRAM-SHA-256-PLUS is before all others there, and they
/// can't bind it to TLS, so that they give up before they have said a word of it; told another they do that.
#[test]
fn mutt_and_neomutt_send_where_every_mechanism_is_on_if_they_are_told_one_or_not_offered_the_one_that_they_cannot()
 {
    let all = "[\"SCRAM-SHA-256\", \"CRAM-MD5\", \"PLAIN\", \"LOGIN\"]";
    let with_plus = "[\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"CRAM-MD5\", \"PLAIN\", \"LOGIN\"]";
    let house = House::open("", &[all, with_plus]);
    let (_, password) = house.installation.app_password(USER, &[]);
    for program in MUTTS {
        let output = house.send(program, house.starttls(), &password);
        assert!(output.status.success(), "{program}: {output:?}");
        let output = house.send(program, house.implicit(), &password);
        assert!(!output.status.success(), "{program} can bind to TLS: docs/operations.md says that it can't");
        let mut command = house.sending(program, house.implicit(), &password);
        let output = run(command.env("SMTP_AUTHENTICATORS", "plain"), "hello");
        assert!(output.status.success(), "{program}: {output:?}");
    }
    let mut by: Vec<String> = house.logins(4).into_iter().map(|(mechanism, _)| mechanism).collect();
    by.sort();
    assert_eq!(by, ["PLAIN", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256"]);
    assert_eq!(house.installation.queue().len(), 4);
    let told = house.installation.done(&["check"]);
    assert!(told.contains("SCRAM-SHA-256-PLUS") && told.contains("smtp_authenticators"), "{told}");
}

#[test]
fn scram_keys_are_made_where_any_listener_offers_scram_and_of_imported_passwords_too() {
    let house = House::open("", &["[\"PLAIN\"]", "[\"SCRAM-SHA-256\"]"]);
    let (_, password) = house.installation.app_password(USER, &[]);
    assert_eq!(house.tested("SCRAM-SHA-256", &password)["accepted"], true);
    assert_eq!(house.tested("SCRAM-SHA-256", "correct horse")["accepted"], true);
    let line = "dora@example.org:{PLAIN}battery staple\n";
    let import = ["user", "import", "-", "--format", "dovecot"];
    assert!(house.installation.run(&import, line).status.success());
    let arguments = ["auth", "test", "dora@example.org", "--mechanism", "SCRAM-SHA-256", "--password-stdin"];
    assert!(house.installation.run(&arguments, "battery staple").status.success());
}

#[test]
fn a_listener_offers_its_own_and_takes_no_other_also_after_a_reload() {
    let house = House::open("mechanisms = [\"PLAIN\"]", &["", "[\"LOGIN\"]"]);
    let tls = house.installation.authority.client();
    let offered = |client: &mut Client| {
        let hello = client.expect("EHLO client.example", 250);
        hello.lines.iter().find(|line| line.contains("AUTH ")).cloned().unwrap()
    };
    let own = || {
        let mut client = house.server.client(&house.installation);
        let offered = offered(&mut client);
        client.expect("AUTH PLAIN", 504);
        offered
    };
    let common = || {
        let mut client = Client::connect(house.server.starttls(), &tls);
        assert_eq!(client.reply().unwrap().code, 220);
        client.expect("STARTTLS", 220);
        client.handshake().unwrap();
        offered(&mut client)
    };
    assert_eq!((&*own(), &*common()), ("250-AUTH LOGIN", "250-AUTH PLAIN"));
    let file = house.installation.path("gatepost.toml");
    let changed = std::fs::read_to_string(&file)
        .unwrap()
        .replace("mechanisms = [\"PLAIN\"]", "mechanisms = [\"CRAM-MD5\"]");
    std::fs::write(&file, changed).unwrap();
    house.server.signal("HUP");
    house.server.until_logged("event=reloaded");
    assert_eq!((&*own(), &*common()), ("250-AUTH LOGIN", "250-AUTH CRAM-MD5"));
}

#[test]
fn a_name_without_a_domain_is_of_the_default_one_by_every_mechanism() {
    let auth = "mechanisms = [\"SCRAM-SHA-256\", \"CRAM-MD5\", \"PLAIN\", \"LOGIN\"]";
    let without = House::open(auth, &[]);
    let house = House::open(&format!("{auth}\ndefault_domain = \"example.org\""), &[]);
    let password = |house: &House| house.installation.app_password(USER, &["--cram-md5"]).1;
    let (refused, taken) = (password(&without), password(&house));
    let log_in = |house: &House, mechanism, name: &str, password: &str| {
        let mut client = house.server.client(&house.installation);
        client.expect("EHLO client.example", 250);
        client.auth(mechanism, name, password).unwrap().code
    };
    for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5, Mechanism::ScramSha256] {
        assert_eq!(log_in(&without, mechanism, "alice", &refused), 535, "{mechanism:?}");
        for name in ["alice", "Alice", USER] {
            assert_eq!(log_in(&house, mechanism, name, &taken), 235, "{mechanism:?} {name}");
        }
        assert_eq!(log_in(&house, mechanism, "alice", "wrong"), 535, "{mechanism:?}");
        assert_eq!(log_in(&house, mechanism, "alice@", &taken), 535, "{mechanism:?}");
    }
    // Those of `alice@` are nobody's.
    assert_eq!(house.logins(16).len(), 16, "the whole address in each");
    assert!(house.server.log().contains(&format!("username={USER}")), "{}", house.server.log());
    let tested = house.installation.run(&["auth", "test", "alice", "--password-stdin"], &taken);
    assert!(tested.status.success(), "{tested:?}");
}

//! `gatepost send`: what it sends, what it refuses to send, and how it says why.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::authority::{Authority, Pair};
use tests::maildir::until_there;
use tests::server::{Installation, Settings, binary, run, until};
use tests::smarthost::{HANG_UP, Script, Smarthost, Tls};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

/// A server that others run, as far as whoever sends can see; and the files that are sent.
struct Elsewhere {
    host: Smarthost,
    directory: TempDir,
}

impl Elsewhere {
    /// With a certificate of an authority that is known, and a login.
    fn start(answer: impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static) -> Elsewhere {
        Elsewhere::with(|authority| Tls::First(authority.sign()), answer)
    }

    fn with(
        tls: impl FnOnce(&Authority) -> Tls,
        answer: impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static,
    ) -> Elsewhere {
        Elsewhere::offering("AUTH PLAIN", tls, answer)
    }

    fn offering(
        login: &'static str,
        tls: impl FnOnce(&Authority) -> Tls,
        answer: impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static,
    ) -> Elsewhere {
        let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
        std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        let capabilities = vec!["PIPELINING", "8BITMIME", login, "SIZE"];
        let host = Smarthost::start(Script { capabilities, tls: tls(&authority), answer: Box::new(answer) });
        let elsewhere = Elsewhere { host, directory };
        elsewhere.write("text.txt", "Hello.\n");
        elsewhere
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `gatepost send` to this server, in the directory of the files.
    fn command(&self, words: &[&str]) -> Command {
        let port = self.host.address.port().to_string();
        let server = ["--host", "127.0.0.1", "--port", &port, "--from", USER];
        let mut command = send(&[&server, words].concat());
        command.current_dir(self.directory.path()).env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    /// With implicit TLS, a login and the CA.
    fn send(&self, words: &[&str]) -> Output {
        let login = ["--tls", "implicit", "--ca", "ca.pem", "--user", USER, "--password-stdin"];
        run(&mut self.command(&[&login, words].concat()), PASSWORD)
    }

    /// The text to Bob.
    fn text_to_bob(&self) -> Output {
        self.send(&["--to", "bob@example.net", "--subject", "x", "--text", "text.txt", "--json"])
    }

    /// To each of the CSV.
    fn to_each(&self, csv: &str, more: &[&str]) -> Output {
        self.write("to.csv", csv);
        self.send(
            &[&["--recipients", "to.csv", "--subject", "x", "--text", "text.txt", "--json"], more].concat(),
        )
    }
}

fn send(words: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("send").args(words).env("NO_COLOR", "1").env_remove("GATEPOST_CONFIG");
    command
}

fn answers(
    start: &'static str,
    reply: &'static str,
) -> impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static {
    move |line, _| line.starts_with(start).then(|| reply.to_owned())
}

fn usual(_: &str, _: usize) -> Option<String> {
    None
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The one line that says why it failed.
fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    text.lines().rfind(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{text}")).to_owned()
}

fn states(report: &Value) -> Vec<&str> {
    report["recipients"].as_array().unwrap().iter().map(|told| told["state"].as_str().unwrap()).collect()
}

/// Gatepost with a Maildir, and what reaches it.
fn words_to<'a>(port: &'a str, tls: &'a str) -> Vec<&'a str> {
    vec![
        "send",
        "--host",
        "localhost",
        "--port",
        port,
        "--tls",
        tls,
        "--ca",
        "ca.pem",
        "--user",
        USER,
        "--password-stdin",
        "--from",
        USER,
    ]
}

#[test]
fn a_text_arrives_at_our_own_server_by_either_way_of_tls() {
    let installation = Installation::with_maildir();
    installation.add_user(USER, PASSWORD);
    let server = installation.start();
    std::fs::write(installation.path("text.txt"), "Schöne Grüße\n.\nvon mir\n").unwrap();
    for (address, tls) in [(server.starttls(), "starttls"), (server.implicit(), "implicit")] {
        let port = address.port().to_string();
        let mut words = words_to(&port, tls);
        words.extend([
            "--to",
            "bob@example.net",
            "carol@example.net",
            "--subject",
            "Grüße",
            "--text",
            "text.txt",
            "--json",
        ]);
        let output = installation.run(&words, PASSWORD);
        assert!(output.status.success(), "{output:?}");
        let report = report(&output);
        assert_eq!(states(&report), ["sent", "sent"]);
        assert_eq!((&report["sent"], &report["error"]), (&json!(2), &Value::Null));
        assert_eq!(report["server"]["tls"], tls);
        assert!(report["recipients"][0]["message_id"].as_str().unwrap().ends_with("@example.org>"));
        let progress = String::from_utf8(output.stderr).unwrap();
        assert!(progress.contains("sent carol@example.net: 250 "), "{progress}");
    }
    let arrived = until_there(&installation.path("outbox"), 2);
    let text = String::from_utf8(arrived[0].clone()).unwrap();
    assert!(text.contains("Schöne Grüße\n.\nvon mir"), "{text}");
    assert!(
        text.contains("Subject: =?utf-8?") && text.contains("To: bob@example.net,\n carol@example.net\n"),
        "{text}"
    );
}

#[test]
fn each_of_a_table_has_a_message_of_its_own_over_one_connection() {
    let elsewhere = Elsewhere::start(usual);
    elsewhere.write("text.txt", "Dear {{name}},\r\nyou owe {{amount}} \\{{EUR}}.\r\n");
    let csv = "\u{feff}name,email,amount\r\n\"Liddell, Alice\",alice@example.net,1\r\nBob,bob@example.net,2\r\n\r\nJörg,j@bücher.example,3\r\n";
    elsewhere.write("to.csv", csv);
    let output = elsewhere.send(&[
        "--recipients",
        "to.csv",
        "--subject",
        "For {{Name}}",
        "--text",
        "text.txt",
        "--json",
    ]);
    assert!(output.status.success(), "{output:?}");
    let report = report(&output);
    let lines: Vec<_> = report["recipients"].as_array().unwrap().iter().map(|told| &told["line"]).collect();
    assert_eq!(lines, [2, 3, 5]);
    let messages = elsewhere.host.messages();
    let texts: Vec<String> =
        messages.iter().map(|message| String::from_utf8(message.octets.clone()).unwrap()).collect();
    for (text, parts) in texts.iter().zip([
        [
            "Subject: For Liddell, Alice\r\n",
            "To: alice@example.net\r\n",
            "Dear Liddell, Alice,\r\nyou owe 1 {{EUR}}.\r\n",
        ],
        ["Subject: For Bob\r\n", "To: bob@example.net\r\n", "Dear Bob,\r\nyou owe 2 {{EUR}}.\r\n"],
        ["Subject: For =?utf-8?", "To: j@xn--bcher-kva.example\r\n", "Dear Jörg,\r\nyou owe 3 {{EUR}}.\r\n"],
    ]) {
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    let mut ids: Vec<_> =
        texts.iter().filter_map(|text| text.lines().find(|line| line.starts_with("Message-ID:"))).collect();
    ids.dedup();
    assert_eq!((ids.len(), elsewhere.host.connections()), (3, 1));
    assert!(messages.iter().all(|message| message.recipients.len() == 1));
}

#[test]
fn a_message_of_a_file_leaves_as_it_is_but_for_blind_copies() {
    let elsewhere = Elsewhere::start(usual);
    let message = "From: Alice <alice@example.org>\nTo: list@example.net\nBcc: secret@example.net\nDate: Mon, 30 Nov 2026 12:00:00 +0000\n\
                   Message-ID: <1@example.org>\nSubject: x\n\n.\nfrom {{nobody}}\n";
    let mut command = elsewhere.command(&[
        "--tls",
        "implicit",
        "--ca",
        "ca.pem",
        "--to",
        "bob@example.net",
        "--message",
        "-",
    ]);
    let output = run(&mut command, message);
    assert!(output.status.success(), "{output:?}");
    let arrived = elsewhere.host.until_messages(1);
    let expected = message.replace("Bcc: secret@example.net\n", "").replace('\n', "\r\n");
    assert_eq!(String::from_utf8_lossy(&arrived[0].octets), expected);
    assert_eq!(arrived[0].recipients, ["bob@example.net"]);
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(
        warnings.contains("the Bcc field is left out") && warnings.contains("only with --recipients"),
        "{warnings}"
    );
    assert!(!elsewhere.host.lines().iter().any(|line| line.starts_with("AUTH")));
}

#[test]
fn whatever_is_wrong_with_the_files_is_found_before_anybody_is_asked() {
    let elsewhere = Elsewhere::start(usual);
    elsewhere.write("gap.txt", "Hello {{nmae}}.\n");
    elsewhere.write("cr.eml", "From: a@example.org\n\nx\ry\n");
    elsewhere.write("two.eml", "From: a@example.org\nFrom: b@example.org\n\nx\n");
    elsewhere.write("blank.csv", "\n\n");
    elsewhere.write("bad.csv", "address,name\nbob,Bob\ncarol@example.net\n");
    elsewhere.write(
        "inject.csv",
        "address,name\nbob@example.net,Bob\nc@example.net,\"x\nBcc: evil@example.com\"\n",
    );
    let text = ["--subject", "For {{name}}", "--text", "text.txt", "--recipients"];
    for (words, told) in [
        (&["--to", "b@example.net", "--subject", "x", "--text", "none.txt"][..], "cannot read none.txt"),
        (
            &["--subject", "x", "--text", "gap.txt", "--recipients", "inject.csv"],
            "gap.txt:1:7: there is no column \"nmae\"; there are address, name",
        ),
        (&["--to", "b@example.net", "--message", "cr.eml"], "cr.eml:3: there is a CR without an LF"),
        (&["--to", "b@example.net", "--message", "two.eml"], "From"),
        (&[&text[..], &["blank.csv"]].concat(), "blank.csv is blank"),
        (&[&text[..], &["bad.csv"]].concat(), "there are 2 faults"),
        (&[&text[..], &["inject.csv"]].concat(), "inject.csv:3: \"name\" has a line end"),
    ] {
        let output = elsewhere.send(&[words, &["--json"]].concat());
        let error = error(&output);
        assert!(error.contains(told), "{error}");
        assert_eq!(report(&output)["error"]["kind"], "configuration");
    }
    let faults = String::from_utf8(elsewhere.send(&[&text[..], &["bad.csv"]].concat()).stderr).unwrap();
    assert!(faults.contains("bad.csv:2: \"bob\"") && faults.contains("bad.csv:3: "), "{faults}");
    assert_eq!(elsewhere.host.connections(), 0);
}

#[test]
fn what_does_not_fit_together_is_wrong_usage() {
    for words in [
        &["--from", USER][..],
        &["--host", "a.example", "--from", USER, "--to", "b@c.example"],
        &["--host", "a.example", "--from", USER, "--to", "b@c.example", "--subject", "x"],
        &["--host", "a.example", "--from", USER, "--to", "Bob <b@c.example>", "--message", "m"],
        &[
            "--host",
            "a.example",
            "--from",
            USER,
            "--to",
            "b@c.example",
            "--recipients",
            "r",
            "--message",
            "m",
        ],
        &["--host", "a.example", "--from", USER, "--to", "b@c.example", "--message", "m", "--rate", "1/s"],
        &["--host", "a.example", "--from", USER, "--recipients", "r", "--message", "m", "--rate", "1/d"],
        &["--host", "a.example", "--from", USER, "--to", "b@c.example", "--message", "m", "--tls", "off"],
        &[
            "--host",
            "a.example",
            "--from",
            USER,
            "--to",
            "b@c.example",
            "--message",
            "m",
            "--user",
            "x",
            "--password",
            "y",
        ],
        &["--host", "a.example", "--from", USER, "--to", "b@c.example", "--message", "-", "--password-stdin"],
        &["--profile", "../x", "--from", USER, "--to", "b@c.example", "--message", "m"],
    ] {
        let output = run(&mut send(words), "");
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
    }
}

/// Each has its own kind, and nothing was sent, not even a name.
#[test]
fn failures_of_tls_and_of_verification_are_told_apart() {
    type Host = fn(&Authority) -> Tls;
    let table: [(Host, &str, &str, &str); 6] = [
        (
            |authority| Tls::First(authority.sign_for(&["other.example"])),
            "implicit",
            "verification",
            "another name than 127.0.0.1",
        ),
        (|authority| Tls::First(authority.sign_until(2021)), "implicit", "verification", "has expired"),
        (|_| Tls::First(Authority::new().sign()), "implicit", "verification", "whom this machine trusts"),
        (|_| Tls::Asked(Pair::of_a_client(2099)), "starttls", "verification", "certificate"),
        (|_| Tls::Never, "starttls", "tls", "does not offer STARTTLS"),
        (|_| Tls::Never, "implicit", "tls", "--tls starttls"),
    ];
    for (host, tls, kind, told) in table {
        let elsewhere = Elsewhere::with(host, usual);
        let words =
            ["--tls", tls, "--ca", "ca.pem", "--user", USER, "--password-stdin", "--verify-only", "--json"];
        let output = run(&mut elsewhere.command(&words), PASSWORD);
        let error = error(&output);
        assert!(error.contains(told), "{error}");
        assert_eq!(report(&output)["error"]["kind"], kind, "{error}");
        let heard = elsewhere.host.lines();
        assert!(!heard.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{heard:?}");
    }
}

#[test]
fn a_server_that_nobody_answers_for_is_a_matter_of_the_connection() {
    let elsewhere = Elsewhere::start(usual);
    for (words, told) in [
        (&["--host", "127.0.0.1", "--port", "1", "--tls", "implicit"][..], "there is no connection"),
        (&["--host", "nowhere.invalid"], "cannot be resolved"),
    ] {
        let output = run(&mut send(&[words, &["--verify-only", "--json"]].concat()), "");
        assert!(error(&output).contains(told), "{output:?}");
        assert_eq!(report(&output)["error"]["kind"], "connection");
    }
    assert_eq!(elsewhere.host.connections(), 0);
}

#[test]
fn a_login_that_is_refused_says_what_to_do() {
    for (reply, told) in [
        ("535 5.7.8 no", "check --user and the password"),
        ("534 5.7.9 Application-specific password required", "app password"),
        ("454 4.7.0 wait 60 seconds", "wait as long as it says"),
        ("421 4.7.0 too many", "wait as long as it says"),
    ] {
        let elsewhere = Elsewhere::start(answers("AUTH", reply));
        let output = elsewhere.text_to_bob();
        let error = error(&output);
        assert!(error.contains(told) && error.contains(reply), "{error}");
        let report = report(&output);
        assert_eq!((&report["error"]["kind"], &report["not_reached"]), (&json!("login"), &json!(1)));
        assert!(!elsewhere.host.lines().iter().any(|line| line.starts_with("MAIL")));
    }
    let silent = Elsewhere::start(|line, _| line.starts_with("EHLO").then(|| "250 next.example".to_owned()));
    assert!(error(&silent.text_to_bob()).contains("offers no login"));
}

#[test]
fn our_own_server_never_sees_a_password_that_it_has_keys_of() {
    let installation = Installation::with_maildir();
    let auth = r#"mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]"#;
    let delivery = installation.maildir_delivery();
    installation.configure(&Settings { auth: auth.to_owned(), delivery, ..Settings::default() });
    installation.add_user(USER, PASSWORD);
    let server = installation.start();
    let port = server.implicit().port().to_string();
    let mut words = words_to(&port, "implicit");
    words.extend(["--verify-only", "--json"]);
    let output = installation.run(&words, PASSWORD);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(report(&output)["server"]["mechanism"], "SCRAM-SHA-256-PLUS");
    let refused = installation.run(&words, "wrong");
    assert_eq!(report(&refused)["error"]["kind"], "login", "{refused:?}");
}

#[test]
fn a_server_that_has_no_keys_is_shown_the_password_and_one_that_pretends_is_not() {
    let both = "AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS";
    let keyless = Elsewhere::offering(
        both,
        |authority| Tls::First(authority.sign()),
        answers("AUTH SCRAM", "535 5.7.8 no"),
    );
    let output = keyless.text_to_bob();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(report(&output)["server"]["mechanism"], "PLAIN");

    // Whoever knows nothing of the password says yes to whatever comes, or makes up a challenge.
    for reply in ["235 2.7.0 welcome", "334 eA==", "334 ?"] {
        let pretender =
            Elsewhere::offering(both, |authority| Tls::First(authority.sign()), answers("AUTH SCRAM", reply));
        let output = pretender.text_to_bob();
        error(&output);
        assert_eq!(report(&output)["error"]["kind"], "verification", "{reply}");
        let heard = pretender.host.lines();
        assert!(
            !heard.iter().any(|line| line.starts_with("AUTH PLAIN") || line.starts_with("MAIL")),
            "{heard:?}"
        );
    }
}

#[test]
fn a_hostile_server_gets_nothing() {
    let endless = "250-x\r\n".repeat(10_000) + "250 x";
    let slipped_in = Elsewhere::with(
        |authority| Tls::Asked(authority.sign()),
        answers("STARTTLS", "220 go\r\n250 AUTH PLAIN"),
    );
    let words = [
        "--tls",
        "starttls",
        "--ca",
        "ca.pem",
        "--user",
        USER,
        "--password-stdin",
        "--verify-only",
        "--json",
    ];
    let output = run(&mut slipped_in.command(&words), PASSWORD);
    assert!(error(&output).contains("slipped it in"), "{output:?}");
    assert_eq!(report(&output)["error"]["kind"], "tls");

    for answer in [endless, "hello".to_owned(), "250-\r\n550 x".to_owned()] {
        let host = Elsewhere::start(move |line, _| line.starts_with("EHLO").then(|| answer.clone()));
        let output = host.text_to_bob();
        assert_eq!(report(&output)["error"]["kind"], "connection", "{output:?}");
        assert!(!host.host.lines().iter().any(|line| line.starts_with("AUTH")));
    }
    // What it says gives no orders to a terminal.
    let rude = Elsewhere::start(answers("RCPT", "550 \u{1b}[2J\u{202e}no"));
    let output = rude.text_to_bob();
    let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn refusals_of_sender_recipient_and_content_are_told_apart() {
    for (start, reply, state, reason, kind) in [
        ("MAIL", "553 5.7.1 not yours", "refused", "sender", "sender"),
        ("MAIL", "530 5.7.0 log in", "refused", "login", "sender"),
        ("RCPT", "550 5.1.1 nobody here", "refused", "recipient", "recipients"),
        ("RCPT", "451 4.7.1 Greylisted, come again", "try_again", "greylisted", "recipients"),
        ("RCPT", "452 4.5.3 too many", "try_again", "temporary", "recipients"),
        (".", "554 5.6.0 spam", "refused", "content", "recipients"),
        ("MAIL", "552 5.3.4 too big", "refused", "size", "recipients"),
        (".", "451 4.3.0 later", "try_again", "temporary", "recipients"),
        (".", HANG_UP, "uncertain", "connection", "recipients"),
        (".", "hello?", "uncertain", "connection", "recipients"),
        ("DATA", HANG_UP, "try_again", "connection", "recipients"),
    ] {
        let elsewhere = Elsewhere::start(answers(start, reply));
        let output = elsewhere.text_to_bob();
        let report = report(&output);
        let told = &report["recipients"][0];
        assert_eq!((&told["state"], &told["reason"]), (&json!(state), &json!(reason)), "{reply}: {report:#}");
        assert_eq!(report["error"]["kind"], kind, "{reply}");
        error(&output);
    }
}

const THREE: &str = "address\na@example.net\nb@example.net\nc@example.net\n";

#[test]
fn a_connection_that_is_closed_in_the_middle_is_opened_anew_and_nothing_is_sent_twice() {
    // To the second MAIL: nothing is lost, and the message is sent over the next connection.
    let elsewhere = Elsewhere::start(|line, before| {
        (line.starts_with("MAIL") && before == 1).then(|| "421 4.3.2 bye".to_owned())
    });
    let output = elsewhere.to_each(THREE, &[]);
    assert!(output.status.success(), "{output:?}");
    let recipients: Vec<_> =
        elsewhere.host.messages().into_iter().flat_map(|message| message.recipients).collect();
    assert_eq!(recipients, ["a@example.net", "b@example.net", "c@example.net"]);
    assert_eq!(elsewhere.host.connections(), 2);

    // Behind the dot: nobody knows, and it is not tried again.
    let elsewhere = Elsewhere::start(|line, before| (line == "." && before == 1).then(|| HANG_UP.to_owned()));
    let output = elsewhere.to_each(THREE, &[]);
    let report = report(&output);
    assert_eq!(states(&report), ["sent", "uncertain", "sent"]);
    assert!(error(&output).contains("1 uncertain"), "{output:?}");
    assert_eq!(elsewhere.host.lines().iter().filter(|line| line.contains("b@example.net")).count(), 1);
}

#[test]
fn one_refused_recipient_does_not_stop_the_others_and_a_refused_sender_does() {
    let elsewhere = Elsewhere::start(answers("RCPT TO:<b@", "550 5.1.1 no"));
    let output = elsewhere.to_each(THREE, &[]);
    let told = report(&output);
    assert_eq!(states(&told), ["sent", "refused", "sent"]);
    assert_eq!((&told["sent"], &told["refused"]), (&json!(2), &json!(1)));

    let elsewhere = Elsewhere::start(answers("MAIL", "553 5.7.1 no"));
    let output = elsewhere.to_each(THREE, &[]);
    assert_eq!(states(&report(&output)), ["refused", "not_reached", "not_reached"]);
    assert_eq!(elsewhere.host.lines().iter().filter(|line| line.starts_with("MAIL")).count(), 1);

    // For people the report says who, why, and what to do.
    elsewhere.write("to.csv", THREE);
    let output = elsewhere.send(&["--recipients", "to.csv", "--subject", "x", "--text", "text.txt"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    for part in [
        "verified 127.0.0.1 port",
        "sent to 0 of 3",
        "a@example.net",
        "sender: the server does not let",
        "not reached: to go on",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_profile_is_kept_once_the_login_has_worked_and_has_no_password() {
    let elsewhere = Elsewhere::start(usual);
    let output = elsewhere.send(&["--verify-only", "--save-profile", "work", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report = report(&output);
    assert_eq!((&report["server"]["user"], &report["server"]["mechanism"]), (&json!(USER), &json!("PLAIN")));
    assert!(
        elsewhere.host.messages().is_empty()
            && !elsewhere.host.lines().iter().any(|line| line.starts_with("MAIL"))
    );
    elsewhere.host.until_line("QUIT");
    let kept = std::fs::read_to_string(report["profile"].as_str().unwrap()).unwrap();
    assert!(kept.contains("host = \"127.0.0.1\"") && !kept.contains(PASSWORD), "{kept}");

    let words = [
        "--profile",
        "work",
        "--from",
        USER,
        "--to",
        "bob@example.net",
        "--subject",
        "x",
        "--text",
        "text.txt",
        "--password-stdin",
    ];
    let mut command = send(&words);
    command.current_dir(elsewhere.directory.path()).env("XDG_CONFIG_HOME", elsewhere.path("config"));
    let output = run(&mut command, PASSWORD);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(elsewhere.host.messages().len(), 1);

    let refused = Elsewhere::start(answers("AUTH", "535 5.7.8 no"));
    error(&refused.send(&["--verify-only", "--save-profile", "work"]));
    assert!(!refused.path("config").exists());
    error(&run(&mut send(&["--profile", "nobody", "--verify-only"]), ""));
}

#[test]
fn ctrl_c_ends_it_after_the_message_under_way() {
    let elsewhere = Elsewhere::start(usual);
    elsewhere.write("to.csv", THREE);
    let words = [
        "--tls",
        "implicit",
        "--ca",
        "ca.pem",
        "--recipients",
        "to.csv",
        "--subject",
        "x",
        "--text",
        "text.txt",
        "--rate",
        "1/h",
        "--json",
    ];
    let mut command = elsewhere.command(&words);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    elsewhere.host.until_messages(1);
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    let report = report(&output);
    assert_eq!(states(&report), ["sent", "not_reached", "not_reached"]);
    assert_eq!(report["error"]["kind"], "interrupted");
    error(&output);
    assert_eq!(elsewhere.host.messages().len(), 1);
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_the_answer() {
    let elsewhere = Elsewhere::start(|line, _| (line == ".").then(String::new));
    let words = [
        "--tls",
        "implicit",
        "--ca",
        "ca.pem",
        "--to",
        "bob@example.net",
        "--subject",
        "x",
        "--text",
        "text.txt",
        "--json",
    ];
    let mut command = elsewhere.command(&words);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    elsewhere.host.until_line(".");
    // Two signals at once may be one.
    let id = child.id().to_string();
    let child = std::thread::spawn(move || child.wait_with_output().unwrap());
    until("it has ended", || {
        let _ = Command::new("kill").args(["-INT", &id]).stderr(Stdio::null()).status();
        child.is_finished().then_some(())
    });
    let output = child.join().unwrap();
    assert_eq!(states(&report(&output)), ["uncertain"]);
}

/// A terminal, and somebody who types what is in standard input as soon as it is not shown any more.
const TERMINAL: &str = r"
import os, pty, select, sys, termios
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
typed, shown = sys.stdin.buffer.read(), b''
while True:
    if typed and not termios.tcgetattr(terminal)[3] & termios.ECHO:
        os.write(terminal, typed)
        typed = b''
    if typed and not select.select([terminal], [], [], 0.01)[0]:
        continue
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
sys.stdout.buffer.write(shown)
sys.stdout.buffer.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

/// What is shown on a terminal where somebody types, and whether all was sent.
fn on_a_terminal(
    elsewhere: &Elsewhere,
    words: &[&str],
    variable: (&str, &str),
    typed: &str,
) -> (String, bool) {
    let port = elsewhere.host.address.port().to_string();
    let server =
        ["--host", "127.0.0.1", "--port", &port, "--tls", "implicit", "--ca", "ca.pem", "--from", USER];
    let mut command = Command::new("python3");
    command.args(["-c", TERMINAL]).arg(binary()).arg("send").args(server).args(words);
    command
        .current_dir(elsewhere.directory.path())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .env(variable.0, variable.1);
    let output = run(&mut command, typed);
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

#[test]
fn a_terminal_asks_for_the_password_and_draws_a_bar() {
    let elsewhere = Elsewhere::start(usual);
    elsewhere.write("to.csv", THREE);
    let words = ["--user", USER, "--recipients", "to.csv", "--subject", "x", "--text", "text.txt"];
    let (shown, is_done) = on_a_terminal(&elsewhere, &words, ("X", ""), &format!("{PASSWORD}\n"));
    assert!(is_done, "{shown}");
    assert!(
        shown.contains("Password of alice@example.org at 127.0.0.1") && !shown.contains(PASSWORD),
        "{shown}"
    );
    assert!(shown.contains("] 2/3 c@example.net") && shown.contains("sent to 3 of 3"), "{shown}");
    assert_eq!(elsewhere.host.messages().len(), 3);

    let words = ["--recipients", "to.csv", "--subject", "x", "--text", "text.txt"];
    for refused in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let (shown, _) = on_a_terminal(&elsewhere, &words, refused, "");
        assert!(!shown.contains('\u{1b}') && shown.contains("sent b@example.net: 250"), "{shown:?}");
    }
}

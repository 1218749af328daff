//! The programs that people send with, each in the ways that it is used, before next hosts that can do more and less:
//! what arrives is what was meant. `tests/programs/README.md` tells what is sent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::play::Accepted;
use tests::server::{Installation, Server, Settings, binary, run, until};
use tests::smarthost::{Script, Smarthost};

const USER: &str = "me@gp.test";
/// In which a message that was accepted has come to the next host.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn what_programs_send_arrives_at_a_host_with_every_extension() {
    arrives_as_meant(&["8BITMIME", "SMTPUTF8"], "", |sending| !sending.bare);
}

#[test]
fn what_programs_send_arrives_at_a_host_with_8bitmime_alone() {
    arrives_as_meant(&["8BITMIME"], "", |sending| !sending.bare);
}

#[test]
fn what_programs_send_arrives_at_a_host_without_extensions() {
    arrives_as_meant(&[], "", |sending| !sending.bare);
}

#[test]
fn what_programs_send_with_bare_line_feeds_arrives_where_they_are_repaired() {
    arrives_as_meant(&[], "bare_line_ends = \"repair\"", |sending| sending.bare);
}

fn arrives_as_meant(offered: &[&'static str], submission: &str, wanted: impl Fn(&Sending) -> bool) {
    let house = House::open(offered, submission);
    let (mut arrived, mut problems) = (Vec::new(), Vec::new());
    for (name, sending) in sendings().into_iter().filter(|(_, sending)| wanted(sending)) {
        match house.sent(&name, &sending) {
            Ok(message) => arrived.push(line(&name, offered, &message)),
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
    let file = house.installation.path("arrived");
    std::fs::write(&file, arrived.join("\n")).unwrap();
    let judged = run(Command::new("python3").arg(programs()).arg("judge").arg(file), "");
    problems.push(String::from_utf8_lossy(&judged.stdout).into_owned());
    let complaints = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success() && problems.len() == 1, "{}\n{complaints}", problems.join("\n"));
    assert!(!arrived.is_empty(), "nothing was sent");
}

/// What `send.py judge` reads of one sending.
fn line(name: &str, offered: &[&str], message: &Accepted) -> String {
    json!({
        "name": name,
        "next": offered,
        "sender": message.sender,
        "recipients": message.recipients,
        "octets": STANDARD.encode(&message.octets),
    })
    .to_string()
}

/// What a sending wants of the server.
struct Sending {
    implicit: bool,
    bare: bool,
}

fn sendings() -> BTreeMap<String, Sending> {
    let output = run(Command::new("python3").arg(programs()).arg("list"), "");
    let listed: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout).unwrap();
    let sending = |told: &Value| Sending { implicit: told["tls"] == "implicit", bare: told["bare"] == true };
    listed.into_iter().map(|(name, told)| (name, sending(&told))).collect()
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/send.py")
}

struct House {
    next: Smarthost,
    installation: Installation,
    server: Server,
}

impl House {
    fn open(offered: &[&'static str], submission: &str) -> House {
        let capabilities = ["PIPELINING", "ENHANCEDSTATUSCODES"].iter().chain(offered).copied().collect();
        let next = Smarthost::start(Script { capabilities, ..Script::default() });
        let installation = Installation::new(&Settings {
            delivery: format!("via = \"smtp://{}\"\ntls = \"off\"", next.address),
            sending:
                "new_recipients_per_day = false\nrecipients_per_hour = false\nrecipients_per_day = false"
                    .to_owned(),
            submission: submission.to_owned(),
            ..Settings::default()
        });
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        House { next, installation, server }
    }

    /// Lets a program send; what came to the next host, or what was said instead.
    fn sent(&self, name: &str, sending: &Sending) -> Result<Accepted, String> {
        let before = self.messages().len();
        let port = if sending.implicit { self.server.implicit() } else { self.server.starttls() }.port();
        let target = binary().parent().and_then(Path::parent).unwrap();
        let mut command = Command::new("python3");
        command.arg(programs()).args(["send", name]);
        command.env("SMTP_HOST", "localhost").env("SMTP_PORT", port.to_string());
        command.env("SMTP_USER", USER).env("SMTP_PASSWORD", "correct horse");
        command.env("SMTP_CA", self.installation.path("ca.pem")).env("PROGRAMS", target.join("programs"));
        command.env("NODE_MODULES", target.join("readers/node_modules"));
        let output = run(&mut command, "");
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = said.lines().collect();
            return Err(lines[lines.len().saturating_sub(3)..].join(" / "));
        }
        self.arrived(before).ok_or_else(|| "it was accepted and has not arrived".to_owned())
    }

    /// What has come from accounts, and not from the server, which tells of mail that it can't deliver.
    fn messages(&self) -> Vec<Accepted> {
        self.next.messages().into_iter().filter(|message| !message.sender.is_empty()).collect()
    }

    fn arrived(&self, before: usize) -> Option<Accepted> {
        let end = Instant::now() + PATIENCE;
        until("the next host has it, or won't have it any more", || {
            let message = self.messages().into_iter().nth(before);
            (message.is_some() || Instant::now() > end).then_some(message)
        })
    }
}

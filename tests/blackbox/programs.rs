//! The programs that people send with, each in the ways that it is used, before next hosts that can do more and less:
//! what arrives is what was meant. `tests/programs/README.md` tells what is sent.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::play::Accepted;
use tests::server::{Installation, Server, Settings, binary, run, text, until};
use tests::smarthost::{Script, Smarthost};

const USER: &str = "me@gp.test";
/// In which all that was accepted has come to the next host.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn what_programs_send_arrives_at_a_host_with_every_extension() {
    arrives_as_meant(&["8BITMIME", "SMTPUTF8"], "", false);
}

#[test]
fn what_programs_send_arrives_at_a_host_with_8bitmime_alone() {
    arrives_as_meant(&["8BITMIME"], "", false);
}

#[test]
fn what_programs_send_arrives_at_a_host_without_extensions() {
    arrives_as_meant(&[], "", false);
}

#[test]
fn what_programs_send_with_bare_line_feeds_arrives_where_they_are_repaired() {
    arrives_as_meant(&[], "bare_line_ends = \"repair\"", true);
}

/// Lets all programs send, with bare line feeds or without.
fn arrives_as_meant(offered: &[&'static str], submission: &str, bare: bool) {
    let house = House::open(offered, submission);
    let names = sendings(bare);
    assert!(!names.is_empty(), "nothing is sent");
    let (failed, sent): (Vec<Value>, Vec<Value>) =
        house.send(&names).into_iter().partition(|sent| sent["failed"].is_string());
    let mut problems: Vec<String> =
        failed.iter().map(|sent| format!("{}: {}", sent["name"], sent["failed"])).collect();
    let end = Instant::now() + PATIENCE;
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for sending in &sent {
        match house.arrived(sending, end) {
            Some(message) => lines.push(line(sending, offered, &message)),
            None => missing.push(format!("{}: it was accepted and has not arrived", sending["name"])),
        }
    }
    problems.extend(missing);
    problems.extend(judged(&house, &lines));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What is not as it was meant.
fn judged(house: &House, lines: &[String]) -> Option<String> {
    let file = house.installation.path("arrived");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let judged = run(Command::new("python3").arg(programs()).arg("judge").arg(file), "");
    let complaints =
        [judged.stdout, judged.stderr].map(|told| String::from_utf8_lossy(&told).into_owned()).concat();
    (!judged.status.success()).then_some(complaints)
}

/// What `send.py judge` reads of one sending.
fn line(sending: &Value, offered: &[&str], message: &Accepted) -> String {
    json!({
        "name": sending["name"],
        "next": offered,
        "sender": message.sender,
        "recipients": message.recipients,
        "octets": STANDARD.encode(&message.octets),
    })
    .to_string()
}

/// The names of the sendings with bare line feeds, or of those without.
fn sendings(bare: bool) -> BTreeSet<String> {
    let output = run(Command::new("python3").arg(programs()).arg("list"), "");
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed = listed.as_object().unwrap().iter();
    listed.filter(|(_, told)| told["bare"] == bare).map(|(name, _)| name.clone()).collect()
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

    /// What `send.py` tells of each sending.
    fn send(&self, names: &BTreeSet<String>) -> Vec<Value> {
        let server = &self.server;
        let (_, password) = self.installation.app_password(USER, &[]);
        let target = binary().parent().and_then(Path::parent).unwrap();
        let mut command = Command::new("python3");
        command.arg(programs()).arg("send").args(names);
        command.env("SMTP_HOST", "localhost").env("SMTP_PORT", server.implicit().port().to_string());
        command.env("SMTP_PORT_STARTTLS", server.starttls().port().to_string());
        command.env("SMTP_USER", USER).env("SMTP_PASSWORD", password);
        command.env("SMTP_CA", self.installation.path("ca.pem")).env("PROGRAMS", target.join("programs"));
        command.env("NODE_MODULES", target.join("readers/node_modules"));
        let output = run(&mut command, "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What has come of a sending, which may be in several transactions if it has many recipients.
    fn arrived(&self, sending: &Value, end: Instant) -> Option<Accepted> {
        let sender = text(sending, "sender");
        until("the next host has it, or won't have it any more", || {
            let parts = self.next.messages().into_iter().filter(|message| message.sender == sender);
            let message = parts.reduce(|whole, part| Accepted {
                recipients: [whole.recipients, part.recipients].concat(),
                ..whole
            });
            let complete = message
                .filter(|message| Some(message.recipients.len() as u64) == sending["recipients"].as_u64());
            (complete.is_some() || Instant::now() > end).then_some(complete)
        })
    }
}

//! What the sender of a message is told when it does not arrive, read back by Python's parser.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use tests::maildir;
use tests::server::{Installation, Server, Settings, run, text, until};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// Takes a message apart: its header, its parts, the fields of its delivery status, and whatever it is not as RFC 5322 and RFC 2045 want.
const READER: &str = r#"
import email, email.policy, json, sys
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(message.iter_parts())
status = parts[1]
if status.get_content_type() == "message/delivery-status":
    blocks = [list(block.items()) for block in status.get_payload()]
else:
    text = bytes(status).decode("utf-8").split("\n\n", 1)[1].replace("\n ", " ")
    blocks = [[line.split(": ", 1) for line in block.splitlines() if line] for block in text.split("\n\n") if block.strip()]
defects = [str(defect) for part in message.walk() for defect in part.defects]
print(json.dumps({
    "header": {name: str(value) for name, value in message.items()},
    "type": message.get_content_type(), "report": message["Content-Type"].params.get("report-type"),
    "parts": [part.get_content_type() for part in parts],
    "words": parts[0].get_content(), "status": blocks, "defects": defects,
    "original": bytes(parts[2]).decode("utf-8", "replace") if len(parts) > 2 else None,
}))
"#;

/// Alice's mail lies in the Maildir `outbox`, all other goes to a host.
struct House {
    next: Smarthost,
    installation: Installation,
}

impl House {
    fn new(script: Script) -> House {
        let next = Smarthost::start(script);
        let installation = Installation::with_maildir();
        let delivery = format!(
            "via = \"smtp://{}\"\ntls = \"off\"\n[[delivery.route]]\ndomains = [\"example.org\"]\nvia = \"maildir:{}\"",
            next.address,
            installation.path("outbox").display()
        );
        installation.configure(&Settings { delivery, ..Settings::default() });
        installation.add_user(USER, "correct horse");
        House { next, installation }
    }

    /// What Alice was told, as soon as there are so many reports.
    fn reports(&self, number: usize) -> Vec<Value> {
        maildir::until_there(&self.installation.path("outbox"), number)
            .iter()
            .map(|octets| read(octets))
            .collect()
    }
}

fn refusing(reply: &'static str) -> Script {
    let answer = move |line: &str, _: usize| line.starts_with("RCPT").then(|| reply.to_owned());
    Script { answer: Box::new(answer), ..Script::default() }
}

fn read(octets: &[u8]) -> Value {
    let report = String::from_utf8(octets.to_vec()).unwrap();
    let output = run(Command::new("python3").args(["-c", READER]), &report);
    assert!(output.status.success(), "{report}\n{output:?}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["defects"], serde_json::json!([]), "{report}");
    assert_eq!(
        (text(&read, "type"), text(&read, "report")),
        ("multipart/report".into(), "delivery-status".into())
    );
    read
}

fn send(server: &Server, installation: &Installation, to: &[&str], name: &str) -> String {
    let mut client = server.logged_in(installation, USER, "correct horse");
    let reply = client.send(USER, to, &letter(name, "the text\r\n")).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// The value of a field in a block of a delivery status.
fn field(block: &Value, name: &str) -> String {
    let fields = block.as_array().unwrap().iter();
    let mut named = fields.filter(|field| field[0] == name).map(|field| field[1].as_str().unwrap());
    named.next().unwrap_or_else(|| panic!("no {name} in {block}")).to_owned()
}

#[test]
fn whoever_is_refused_is_told_to_the_sender_in_one_report() {
    let house = House::new(refusing("550-5.1.1 no such user\r\n550 5.1.1 here"));
    let server = house.installation.start();
    let id = send(&server, &house.installation, &["bob@example.net", "carol@example.com"], "refused");
    let report = house.reports(1).remove(0);
    let header = &report["header"];
    assert_eq!(text(header, "To"), USER);
    assert_eq!(text(header, "Return-Path"), "<>");
    assert_eq!(text(header, "From"), "Mail Delivery System <MAILER-DAEMON@mail.example.org>");
    assert_eq!(text(header, "Auto-Submitted"), "auto-replied");
    assert_eq!(text(header, "References"), "<refused@client.example>");
    assert_eq!(
        report["parts"],
        serde_json::json!(["text/plain", "message/delivery-status", "text/rfc822-headers"])
    );
    let status = report["status"].as_array().unwrap();
    assert_eq!(field(&status[0], "Reporting-MTA"), "dns; mail.example.org");
    for (block, to) in status[1..].iter().zip(["bob@example.net", "carol@example.com"]) {
        assert_eq!(field(block, "Final-Recipient"), format!("rfc822; {to}"));
        assert_eq!((field(block, "Action"), field(block, "Status")), ("failed".into(), "5.1.1".into()));
        assert_eq!(field(block, "Diagnostic-Code"), "smtp; 550 5.1.1 no such user here");
        assert_eq!(field(block, "Remote-MTA"), "dns; [127.0.0.1]");
    }
    assert_eq!(status.len(), 3);
    assert!(text(&report, "words").contains("550 5.1.1 no such user here"), "{report}");
    assert!(
        text(&report, "original").contains("Subject: refused\r\n")
            || text(&report, "original").contains("Subject: refused\n")
    );
    assert!(!text(&report, "original").contains("the text"), "{report}");
    // Nothing is left to be done, and it is still known what became of it.
    house.installation.until_queue_is_empty();
    let shown = house.installation.json(&["queue", "show", &id]);
    assert_eq!((text(&shown, "state"), shown["recipients"].as_array().unwrap().len()), ("failed".into(), 2));
    assert!(house.installation.json(&["queue", "list"]).as_array().unwrap().is_empty());
    let told = server.until_logged(&format!("about={id}"));
    assert!(told.contains("event=reported"), "{told}");
    let report_id = text(header, "Message-ID").trim_start_matches('<').split('@').next().unwrap().to_owned();
    assert!(told.contains(&format!("queue.id={report_id}")), "{told}");
    assert!(
        server
            .log()
            .lines()
            .any(|line| line.contains("event=failed") && line.contains(&format!("report={report_id}")))
    );
}

/// The report goes where the message was to go: what that host cannot take must not be in it.
#[test]
fn a_message_that_the_next_host_cannot_take_is_reported_by_way_of_that_host() {
    let script = Script { capabilities: vec!["PIPELINING"], ..Script::default() };
    let next = Smarthost::start(script);
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}> BODY=8BITMIME RET=FULL"), 250);
    client.expect("RCPT TO:<bob@example.net>", 250);
    client.expect("DATA", 354);
    let signed = "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=eA==; b=eA==\r\n\
        From: alice@example.org\r\nSubject: signed\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nna\u{ef}ve\r\n.\r\n";
    client.say(signed.as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    let arrived = next.until_messages(1).remove(0);
    assert_eq!((arrived.sender.as_str(), arrived.recipients.as_slice()), ("", &[USER.to_owned()][..]));
    let report = read(&arrived.octets);
    assert_eq!(field(&report["status"][1], "Status"), "5.6.3");
    assert!(text(&report, "original").contains("Subject: signed"), "{report}");
    assert_eq!(report["parts"][2], "text/rfc822-headers");
    installation.until_queue_is_empty();
}

#[test]
fn bnc_03_what_a_host_says_stays_text() {
    let house = House::new(refusing("550 5.1.1 \u{1b}[31m</script>\rX-Evil: 1 --=_ na\u{ef}ve \u{202e}x"));
    let server = house.installation.start();
    send(&server, &house.installation, &["bob@example.net"], "hostile");
    let report = house.reports(1).remove(0);
    let block = &report["status"][1];
    assert!(
        field(block, "Diagnostic-Code").starts_with("smtp; 550 5.1.1 ?[31m</script>?X-Evil: 1"),
        "{block}"
    );
    assert!(block.as_array().unwrap().iter().all(|field| field[0] != "X-Evil"), "{block}");
    assert!(report["header"]["X-Evil"].is_null());
    let words = text(&report, "words");
    assert!(words.contains("na\u{ef}ve") && !words.contains(['\u{1b}', '\u{202e}']), "{words}");
    drop(server);
}

#[test]
fn an_address_in_utf_8_is_reported_in_utf_8() {
    let house = House::new(Script { capabilities: vec!["8BITMIME"], ..Script::default() });
    let server = house.installation.start();
    let mut client = server.logged_in(&house.installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}> SMTPUTF8"), 250);
    client.expect("RCPT TO:<j\u{fc}rgen@example.net>", 250);
    client.expect("DATA", 354);
    client.say(&tests::client::stuffed(&letter("utf8", "text\r\n"))).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    let report = house.reports(1).remove(0);
    assert_eq!(report["parts"][1], "message/global-delivery-status");
    assert!(report["status"].to_string().contains("utf-8; j\u{fc}rgen@example.net"), "{}", report["status"]);
    assert!(report["status"].to_string().contains("5.6.7"), "{}", report["status"]);
}

/// The sender's own address fails, too.
#[test]
fn bnc_02_a_report_that_fails_ends_in_the_queue() {
    let next = Smarthost::start(refusing("550 5.1.1 nobody"));
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    send(&server, &installation, &["bob@example.net"], "loop");
    let failed = until("the report has failed", || {
        let queue = installation.queue();
        (queue.len() == 1 && queue[0]["state"] == "failed").then(|| queue[0].clone())
    });
    assert_eq!((text(&failed, "sender"), text(&failed, "account")), (String::new(), USER.to_owned()));
    let line = server.until_logged("recipient=<alice@example.org> attempt=1");
    assert!(line.contains("WARN") && line.contains("event=failed"), "{line}");
    assert!(installation.done(&["queue", "list"]).contains("<>"));
    assert!(server.terminate().success());
    assert_eq!(next.lines().iter().filter(|line| line.starts_with("MAIL FROM:<>")).count(), 1);
}

/// Killed again and again: whoever failed is told of, and nobody twice.
#[test]
fn bnc_05_what_failed_is_told_once_whenever_the_server_is_killed() {
    let house = House::new(refusing("550 5.1.1 nobody"));
    let mut sent = BTreeSet::new();
    for round in 0..6 {
        let server = house.installation.start();
        for number in 0..5 {
            let name = format!("killed-{round}-{number}");
            send(&server, &house.installation, &["bob@example.net", "carol@example.net"], &name);
            sent.insert(format!("<{name}@client.example>"));
        }
        if round % 2 == 0 {
            maildir::until_there(&house.installation.path("outbox"), round * 5 + 1);
        }
        server.kill();
    }
    let server = house.installation.start();
    house.installation.until_queue_is_empty();
    let reports = house.reports(sent.len());
    assert_eq!(reports.len(), sent.len());
    let told: BTreeSet<_> = reports.iter().map(|report| text(&report["header"], "In-Reply-To")).collect();
    assert_eq!(told, sent);
    assert!(reports.iter().all(|report| report["status"].as_array().unwrap().len() == 3));
    assert!(server.terminate().success());
    assert!(house.next.messages().iter().all(|message| message.recipients.is_empty()));
}

#[test]
fn what_an_administrator_returns_is_told_to_its_sender_and_written_down() {
    let answer = |line: &str, _: usize| line.starts_with("RCPT").then(|| "450 4.2.1 not now".to_owned());
    let house = House::new(Script { answer: Box::new(answer), ..Script::default() });
    let server = house.installation.start();
    let ids: Vec<_> = (0..3)
        .map(|n| send(&server, &house.installation, &["bob@example.net"], &format!("late-{n}")))
        .collect();
    until("all were tried", || {
        let queue = house.installation.queue();
        queue.iter().all(|entry| entry["state"] == "deferred").then_some(())
    });
    let asked = house.installation.run(&["queue", "bounce", &ids[0]], "");
    assert!(!asked.status.success(), "without a terminal it wants --yes");
    let said = house.installation.done(&["queue", "bounce", &ids[0], "--yes"]);
    assert_eq!(said, format!("{} is returned\n", ids[0]));
    let report = house.reports(1).remove(0);
    let block = &report["status"][1];
    assert_eq!(
        (field(block, "Action"), field(block, "Final-Recipient")),
        ("failed".into(), "rfc822; bob@example.net".into())
    );
    let words = text(&report, "words").replace('\n', " ");
    assert!(
        words.contains("An administrator of this mail system returned it.")
            && words.contains("450 4.2.1 not now"),
        "{words}"
    );
    assert!(server.until_logged("event=queue.bounced").contains(&ids[0]));
    // By a filter, also while no server runs.
    assert!(server.terminate().success());
    house.installation.done(&["queue", "bounce", "--recipient-domain", "example.net", "--expect", "2"]);
    let server = house.installation.start();
    house.installation.until_queue_is_empty();
    assert_eq!(house.reports(3).len(), 3);
    let audit = house.installation.json(&["audit", "list", "--action", "queue-bounce"]);
    assert!(audit.to_string().contains("queue-bounce"), "{audit}");
    drop(server);
}

#[test]
fn what_comes_from_nobody_is_returned_to_nobody() {
    let answer = |line: &str, _: usize| line.starts_with("RCPT").then(|| "450 4.2.1 not now".to_owned());
    let house = House::new(Script { answer: Box::new(answer), ..Script::default() });
    let server = house.installation.start();
    let mut client = server.logged_in(&house.installation, USER, "correct horse");
    let reply = client.send("", &["bob@example.net"], &letter("null", "text\r\n")).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
    let output = house.installation.run(&["queue", "bounce", &id, "--yes"], "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("nobody to return it to"), "{error}");
    assert!(error.contains(&format!("gatepost queue remove {id}")), "{error}");
}

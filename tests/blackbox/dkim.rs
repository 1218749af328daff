//! Whatever leaves is signed with the keys of its author's domain, and a verifier by other hands says that the signatures hold.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};
use tests::server::{Installation, Server, Settings, run, text, until};
use tests::smarthost::{Script, Smarthost};
use tests::{client, database, maildir};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const BOB: &str = "bob@example.net";

#[test]
fn every_body_and_header_is_signed_by_both_algorithms() {
    let house = House::signed(Script::default(), &["rsa", "ed25519"]);
    // The seven that mail-auth 0.13.3 gets wrong, if it sees them, and some others.
    let bodies = [
        "Hello\r\n",
        "Hello\r\n \r\n",
        "Hello\r\n \r\n\t\r\n\r\n",
        " \r\n",
        "",
        "a  b\t\r\n\r\nx\r\n",
        "\r\n\r\n",
        "\t x  \r\n . \r\n..\r\n \t\r\n\r\nend  \r\n",
        "na\u{ef}ve\r\n",
    ];
    for (number, body) in bodies.into_iter().enumerate() {
        let arrived = house.arrived(&letter(&format!("body-{number}"), body));
        house.assert_signed(&arrived, &["ed25519-sha256", "rsa-sha256"]);
    }
    let long =
        format!("To: {}<bob@example.net>\r\n", "\"A rather long name, x\" <b@example.net>,\r\n ".repeat(60));
    let references = format!("References: {}\r\n", "<some-message@example.net>\r\n\t".repeat(40).trim_end());
    let fields = [
        long.as_str(),
        references.as_str(),
        "Subject:   two   blanks  \r\nCc: c@example.net\r\nReply-To: r@example.org\r\nSender: alice@example.org\r\n",
        "Subject: =?utf-8?q?na=C3=AFve?=\r\n\tfolded\r\nX-Other: \x0c a form feed \x0c\r\n",
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nList-Unsubscribe: <mailto:x@example.org>\r\n",
    ];
    for fields in fields {
        let message = format!("From: Alice <{USER}>\r\n{fields}\r\nHello\r\n");
        let signatures =
            house.assert_signed(&house.arrived(message.as_bytes()), &["ed25519-sha256", "rsa-sha256"]);
        let expected = if fields.contains('\x0c') { "simple/relaxed" } else { "relaxed/relaxed" };
        assert!(signatures.iter().all(|signature| text(signature, "c") == expected), "{signatures:?}");
    }
}

#[test]
fn a_signature_has_the_fields_that_nobody_may_add_and_no_length() {
    let house = House::signed(Script::default(), &["rsa"]);
    let arrived = house.arrived(&letter("fields", "Hello\r\n"));
    let [signature] = &house.assert_signed(&arrived, &["rsa-sha256"])[..] else { panic!() };
    assert_eq!((text(signature, "d"), text(signature, "s")), ("example.org".to_owned(), "rsa".to_owned()));
    for (tag, there) in [("l", false), ("x", false), ("t", true)] {
        assert_eq!(signature.get(tag).is_some(), there, "{tag}");
    }
    let covered = text(signature, "h").to_ascii_lowercase();
    let times = |name: &str| covered.split(':').filter(|covered| *covered == name).count();
    for name in
        ["from", "to", "subject", "date", "message-id", "cc", "reply-to", "content-type", "mime-version"]
    {
        assert_eq!(times(name), 2, "{name} in {covered}");
    }
    assert_eq!((times("received"), times("list-id"), times("sender")), (0, 0, 0));
    // Another From, Subject or Reply-To breaks it; what a mailing list adds does not.
    for (added, holds) in [
        ("From: mallory@example.org", false),
        ("Subject: other", false),
        ("Reply-To: mallory@example.net", false),
        ("List-Id: <list.example.net>", true),
        ("Received: by list.example.net", true),
    ] {
        let changed = [format!("{added}\r\n").as_bytes(), &arrived].concat();
        assert_eq!(house.judged(&changed)[0]["holds"], holds, "{added}");
    }
}

#[test]
fn whoever_may_write_as_anybody_is_signed_for_by_what_from_says_alone() {
    for (submission, identities) in [("sender_check = \"off\"", &[][..]), ("", &["*"])] {
        let settings = Settings { submission: submission.to_owned(), ..Settings::default() };
        let house = House::with(settings, Script::default());
        identities
            .iter()
            .for_each(|identity| drop(house.installation.done(&["identity", "add", USER, identity])));
        house.sign_for("example.org", "ed25519", "ed25519");
        let mut fields = vec![
            format!("From: {USER}\r\nSender: www-data"),
            format!("From: {USER}\r\nResent-From: g: b@example.net;"),
            format!("From: Team: {USER}, bob@example.org;"),
        ];
        if identities.is_empty() {
            fields.push(format!("From: {USER}\r\nSender: a@example.net\r\nSender: b@example.net"));
        }
        for fields in fields {
            let arrived = house.arrived(format!("{fields}\r\nTo: {BOB}\r\n\r\nHello\r\n").as_bytes());
            assert!(String::from_utf8_lossy(&arrived).contains(&fields), "as it came: {fields}");
            house.assert_signed(&arrived, &["ed25519-sha256"]);
        }
        // Nobody can tell whose this is, and somebody is told.
        let arrived =
            house.arrived(format!("From: <{USER}> <{BOB}>\r\nTo: {BOB}\r\n\r\nHello\r\n").as_bytes());
        assert!(house.judged(&arrived).is_empty());
        let event = house.server.until_logged("event=dkim.no-author");
        assert!(event.contains("queue.id="), "{event}");
    }
}

#[test]
fn a_message_with_as_many_fields_as_there_may_be_is_signed() {
    let house = House::signed(Script::default(), &["rsa", "ed25519"]);
    // Five more are in the letter, and delivery adds some.
    let fields: String = (0..995).map(|number| format!("X-{number}: x\r\n")).collect();
    let message = [
        b"List-Id: <x>\r\n".as_slice(),
        fields.split_once("\r\n").unwrap().1.as_bytes(),
        &letter("many", "Hello\r\n"),
    ]
    .concat();
    let signatures = house.assert_signed(&house.arrived(&message), &["ed25519-sha256", "rsa-sha256"]);
    assert!(signatures.iter().all(|signature| text(signature, "h").contains("List-Id")), "{signatures:?}");
}

#[test]
fn what_is_signed_is_what_leaves() {
    let plain = Script { capabilities: vec!["PIPELINING", "SIZE 100000000"], ..Script::default() };
    let house = House::signed(plain, &["rsa", "ed25519"]);
    let long = "x".repeat(3000);
    let fields =
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
    for body in ["na\u{ef}ve  \r\n \r\n", &long, "na\u{ef}ve\r\n.\r\n"] {
        let message = format!("From: {USER}\r\nTo: {BOB}\r\nSubject: re-encoded\r\n{fields}\r\n{body}\r\n");
        let arrived = house.arrived(message.as_bytes());
        assert!(String::from_utf8_lossy(&arrived).contains("Content-Transfer-Encoding: quoted-printable"));
        house.assert_signed(&arrived, &["ed25519-sha256", "rsa-sha256"]);
    }
    // The size that MAIL tells is that of the signed message.
    let arrived = house.arrived(&letter("size", "Hello\r\n"));
    let said = house.next.lines().into_iter().rfind(|line| line.starts_with("MAIL")).unwrap();
    assert_eq!(said, format!("MAIL FROM:<{USER}> SIZE={}", arrived.len()));
}

#[test]
fn a_header_in_utf_8_is_signed() {
    let house = House::signed(Script::default(), &["rsa", "ed25519"]);
    let message = format!(
        "From: \u{c5}lice <{USER}>\r\nTo: B\u{f6}b <{BOB}>\r\nCc: \u{e9}@example.net\r\nSubject: na\u{ef}ve\r\n\r\nHello\r\n"
    );
    let mut client = house.client();
    client.expect(&format!("MAIL FROM:<{USER}> SMTPUTF8 BODY=8BITMIME"), 250);
    client.expect(&format!("RCPT TO:<{BOB}>"), 250);
    client.expect("DATA", 354);
    client.say(&client::stuffed(message.as_bytes())).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    let arrived = house.next.until_messages(1).pop().unwrap().octets;
    assert!(!arrived.is_ascii());
    house.assert_signed(&arrived, &["ed25519-sha256", "rsa-sha256"]);
}

#[test]
fn each_group_of_many_recipients_has_a_signature_that_holds() {
    let house = House::signed(Script::default(), &["ed25519"]);
    let recipients: Vec<String> = (0..101).map(|number| format!("u{number}@example.net")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_eq!(house.client().send(USER, &recipients, &letter("many", "Hello\r\n")).unwrap().code, 250);
    for message in house.next.until_messages(2) {
        house.assert_signed(&message.octets, &["ed25519-sha256"]);
    }
}

#[test]
fn an_author_of_an_internationalised_domain_is_signed_for() {
    let house = House::open(Script::default());
    house.installation.done(&["identity", "add", USER, "*@bücher.example"]);
    house.sign_for("bücher.example", "s", "ed25519");
    let arrived = house.arrived(b"From: a@xn--bcher-kva.example\r\n\r\nHello\r\n");
    let [signature] = &house.assert_signed(&arrived, &["ed25519-sha256"])[..] else { panic!() };
    assert_eq!(text(signature, "d"), "xn--bcher-kva.example");
}

#[test]
fn blanks_that_are_cut_by_chunks_and_a_body_without_a_last_line_end_are_signed() {
    let house = House::signed(Script::default(), &["rsa", "ed25519"]);
    let blank = " \t \r\n".repeat(60_000);
    let arrived = house.arrived(&letter("blanks", &format!("a  {blank}b \t\r\n{blank}")));
    house.assert_signed(&arrived, &["ed25519-sha256", "rsa-sha256"]);
    let mut client = house.client();
    client.expect(&format!("MAIL FROM:<{USER}>"), 250);
    client.expect(&format!("RCPT TO:<{BOB}>"), 250);
    let message = letter("chunk", "no line end");
    client.say(&[format!("BDAT {} LAST\r\n", message.len()).as_bytes(), &message].concat()).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    let arrived = house.next.until_messages(2).pop().unwrap().octets;
    house.assert_signed(&arrived, &["ed25519-sha256", "rsa-sha256"]);
}

#[test]
fn what_goes_into_a_maildir_is_signed() {
    let house = House::open(Script::default());
    let delivery = house.installation.maildir_delivery();
    drop(house.server);
    house.installation.configure(&Settings { delivery, ..house.settings });
    house.installation.done(&["dkim", "generate", "example.org", "--selector", "s"]);
    house.installation.done(&["dkim", "activate", "example.org", "--selector", "s"]);
    let server = house.installation.start();
    let mut client = server.logged_in(&house.installation, USER, "correct horse");
    assert_eq!(client.send(USER, &[BOB], &letter("file", "Hello\r\n")).unwrap().code, 250);
    house.installation.until_queue_is_empty();
    let stored = maildir::messages(&house.installation.path("outbox")).pop().unwrap();
    let message = String::from_utf8(stored).unwrap().replace('\n', "\r\n");
    assert!(message.starts_with("Return-Path: ") && message.contains("\r\nDKIM-Signature: "), "{message}");
    let signatures = judged(&house.installation, message.as_bytes());
    assert!(signatures.len() == 1 && signatures[0]["holds"] == true, "{signatures:?}");
}

#[test]
fn a_large_message_is_signed() {
    let house = House::signed(Script::default(), &["rsa", "ed25519"]);
    let body =
        "sixty-three octets of text on each of so very many lines, all\r\n".repeat(8 * 1024 * 1024 / 63);
    let arrived = house.arrived(&letter("large", &body));
    house.assert_signed(&arrived, &["ed25519-sha256", "rsa-sha256"]);
}

#[test]
fn a_parent_signs_for_a_domain_without_keys_and_so_are_our_own_reports() {
    let refuses = Script {
        answer: Box::new(|line, _| line.contains("nobody@").then(|| "550 5.1.1 nobody".to_owned())),
        ..Script::default()
    };
    let house = House::signed(refuses, &["rsa"]);
    let mut client = house.client();
    assert_eq!(
        client.send(USER, &["nobody@example.net"], &letter("refused", "Hello\r\n")).unwrap().code,
        250
    );
    let is_report = |octets: &[u8]| String::from_utf8_lossy(octets).contains("multipart/report");
    let report = until("the report", || {
        house.next.messages().into_iter().map(|message| message.octets).find(|octets| is_report(octets))
    });
    let [signature] = &house.assert_signed(&report, &["rsa-sha256"])[..] else { panic!() };
    assert_eq!(text(signature, "d"), "example.org", "the report is from mail.example.org");
    // And what nobody has a key for leaves as it is.
    house.installation.add_user("carol@example.com", "correct horse");
    let mut client = house.server.logged_in(&house.installation, "carol@example.com", "correct horse");
    let message = b"From: carol@example.com\r\n\r\nHello\r\n";
    assert_eq!(client.send("carol@example.com", &[BOB], message).unwrap().code, 250);
    let arrived = until("the message of carol", || {
        let mut messages = house.next.messages().into_iter().map(|message| message.octets);
        messages
            .next_back()
            .filter(|octets| String::from_utf8_lossy(octets).contains("From: carol@example.com"))
    });
    assert!(house.judged(&arrived).is_empty());
}

#[test]
fn keys_rotate_under_a_running_server_and_what_they_have_signed_holds() {
    let house = House::open(Script::default());
    let first = house.arrived(&letter("before", "Hello\r\n"));
    assert!(house.judged(&first).is_empty(), "nothing signs yet");
    house.generate("example.org", "old", "rsa");
    let staged = house.arrived(&letter("staged", "Hello\r\n"));
    assert!(house.judged(&staged).is_empty(), "its record may not be there yet");
    house.activate("example.org", "old");
    let mut kept = Vec::new();
    for selector in ["old", "new", "newer", "old"] {
        if selector != "old" {
            house.generate("example.org", selector, "rsa");
        }
        house.activate("example.org", selector);
        let arrived = house.arrived(&letter(&format!("with-{}", kept.len()), "Hello\r\n"));
        let [signature] = &house.assert_signed(&arrived, &["rsa-sha256"])[..] else { panic!() };
        assert_eq!(text(signature, "s"), selector);
        kept.push(arrived);
        house.installation.done(&["key", "rotate"]);
    }
    for message in &kept {
        house.assert_signed(message, &["rsa-sha256"]);
    }
    let retired = house.installation.json(&["dkim", "retire", "example.org", "--selector", "old"]);
    assert_eq!(text(&retired, "state"), "retired");
    assert!(house.judged(&house.arrived(&letter("after", "Hello\r\n"))).is_empty());
}

#[test]
fn a_key_that_does_not_open_keeps_the_mail_of_its_domain_back() {
    let house = House::signed(Script::default(), &["rsa", "ed25519"]);
    let accounts = house.installation.path("store").join("accounts.db");
    let damaged = "UPDATE dkim_keys SET sealed = x'010000000100' WHERE selector = 'ed25519'; UPDATE revision SET revision = revision + 1";
    database::execute(&accounts, damaged);
    let mut client = house.client();
    assert_eq!(client.send(USER, &[BOB], &letter("waits", "Hello\r\n")).unwrap().code, 250);
    let entry = until("the message is deferred", || {
        house.installation.queue().into_iter().find(|entry| entry["state"] == "deferred")
    });
    let reply = "451 4.3.0 the message waits to be signed: the DKIM key ed25519._domainkey.example.org can't be opened";
    assert_eq!(text(&entry, "last_reply"), reply);
    assert!(house.next.messages().is_empty(), "nothing leaves unsigned");
    let event = house.server.until_logged("event=dkim.unsigned");
    for field in ["can't be opened", "queue.id=", "dkim.key=ed25519._domainkey.example.org"] {
        assert!(event.contains(field), "{event}");
    }
    let audited = until("the entry in the audit trail", || {
        house.installation.json(&["audit", "list", "--action", "secret-open"]).get(0).cloned()
    });
    let told = (text(&audited, "credential"), text(&audited, "reason"));
    assert_eq!(told, ("ed25519._domainkey.example.org".to_owned(), "damaged".to_owned()));
    // Another attempt is in vain like the first; the log is not told of each.
    house.installation.done(&["queue", "retry", "--all", "--expect", "1"]);
    until("another attempt", || (house.server.log().matches("event=deferred").count() > 1).then_some(()));
    assert_eq!(house.server.log().matches("event=dkim.unsigned").count(), 1);
    // An operator decides that it does without.
    let again = house.installation.run(&["dkim", "activate", "example.org", "--selector", "ed25519"], "");
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(!again.status.success() && said.contains("does not open"), "{said}");
    house.installation.done(&["dkim", "retire", "example.org", "--selector", "ed25519"]);
    house.installation.done(&["queue", "retry", "--all", "--expect", "1"]);
    let arrived = house.next.until_messages(1).pop().unwrap().octets;
    house.assert_signed(&arrived, &["rsa-sha256"]);
}

#[test]
fn a_key_of_which_the_database_says_something_else_does_not_sign() {
    let house = House::signed(Script::default(), &["ed25519"]);
    let accounts = house.installation.path("store").join("accounts.db");
    let moved = "UPDATE revision SET revision = revision + 1";
    house.generate("example.org", "staged", "ed25519");
    // Somebody else's public key, for the owner of the domain to publish.
    let foreign = "UPDATE dkim_keys SET public_key = randomblob(32) WHERE selector = 'staged'";
    database::execute(&accounts, foreign);
    let output = house.installation.run(&["dkim", "activate", "example.org", "--selector", "staged"], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("staged._domainkey.example.org does not open"),
        "{said}"
    );
    let checked = house.installation.run(&["check"], "");
    let said = String::from_utf8(checked.stdout).unwrap() + &String::from_utf8(checked.stderr).unwrap();
    assert!(!checked.status.success() && said.contains("1 sealed secret"), "{said}");
    house.assert_signed(&house.arrived(&letter("still", "Hello\r\n")), &["ed25519-sha256"]);
    // A name under which there is no such record: every signature would fail.
    let renamed = "UPDATE dkim_keys SET selector = 'other' WHERE selector = 'ed25519'";
    database::execute(&accounts, &format!("{renamed}; {moved}"));
    assert_eq!(house.client().send(USER, &[BOB], &letter("waits", "Hello\r\n")).unwrap().code, 250);
    let entry = until("the message is deferred", || {
        house.installation.queue().into_iter().find(|entry| entry["state"] == "deferred")
    });
    assert!(text(&entry, "last_reply").contains("other._domainkey.example.org can't be opened"), "{entry}");
}

#[test]
fn signing_is_switched_off_and_on_by_a_reload() {
    let house = House::signed(Script::default(), &["ed25519"]);
    for (sign, expected) in [(false, &[][..]), (true, &["ed25519-sha256"])] {
        house
            .installation
            .configure(&Settings { log: format!("[dkim]\nsign = {sign}"), ..house.settings.clone() });
        house.server.signal("HUP");
        until("the reload", || {
            (house.server.log().matches("event=reloaded").count() == 1 + usize::from(sign)).then_some(())
        });
        let arrived = house.arrived(&letter(&format!("sign-{sign}"), "Hello\r\n"));
        house.assert_signed(&arrived, expected);
    }
}

#[test]
fn keys_are_made_listed_and_told_apart() {
    let installation = Installation::new(&Settings::default());
    let made = installation.done(&["dkim", "generate", "Example.ORG", "--selector", "2026a"]);
    assert!(made.starts_with("2026a._domainkey.example.org. IN TXT ( \"v=DKIM1; k=rsa; p=MII"), "{made}");
    assert!(made.lines().all(|line| line.split('"').all(|string| string.len() <= 255)), "{made}");
    let key =
        installation.json(&["dkim", "generate", "example.org", "--selector", "ed", "--algorithm", "ed25519"]);
    assert_eq!((text(&key, "state"), text(&key, "algorithm")), ("staged".to_owned(), "ed25519".to_owned()));
    assert!(text(&key["record"], "value").starts_with("v=DKIM1; k=ed25519; p="));
    assert!(!key.to_string().contains("sealed") && key["record_until"].is_null());
    installation.done(&["dkim", "generate", "example.net", "--selector", "a", "--algorithm", "ed25519"]);
    let list = installation.json(&["dkim", "list"]);
    let names: Vec<_> = list.as_array().unwrap().iter().map(|key| text(&key["record"], "name")).collect();
    let expected = ["a._domainkey.example.net", "2026a._domainkey.example.org", "ed._domainkey.example.org"];
    assert_eq!(names, expected);
    assert_eq!(installation.json(&["dkim", "list", "example.net"]).as_array().unwrap().len(), 1);
    for (arguments, expected) in [
        (
            &["dkim", "generate", "example.org", "--selector", "ed"][..],
            "error: example.org has a DKIM key ed already; choose another selector",
        ),
        (
            &["dkim", "activate", "example.org", "--selector", "none"],
            "error: example.org has no DKIM key none; `gatepost dkim list example.org` shows those there are",
        ),
        (
            &["dkim", "retire", "example.com", "--selector", "ed"],
            "error: example.com has no DKIM key ed; `gatepost dkim list example.com` shows those there are",
        ),
        (
            &["dkim", "retire", "example.com", "--selector", "ed", "--wipe"],
            "error: example.com has no DKIM key ed; `gatepost dkim list example.com` shows those there are",
        ),
    ] {
        let output = installation.run(arguments, "");
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stderr).unwrap().trim()),
            (Some(1), expected)
        );
    }
    let output = installation.run(&["dkim", "generate", "example.org", "--selector", "a b"], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("write a name like 2026a") && !said.contains("domain is malformed"), "{said}");
    let audit = installation.json(&["audit", "list", "--action", "dkim-generate"]);
    assert_eq!(text(&audit[0], "credential"), "a._domainkey.example.net");
}

struct House {
    next: Smarthost,
    settings: Settings,
    installation: Installation,
    server: Server,
}

impl House {
    fn open(script: Script) -> House {
        House::with(Settings::default(), script)
    }

    fn with(settings: Settings, script: Script) -> House {
        let next = Smarthost::start(script);
        let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
        let settings = Settings { delivery, ..settings };
        let installation = Installation::new(&settings);
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        House { next, settings, installation, server }
    }

    /// A house whose domain has a key for each of these algorithms, with its name for a selector.
    fn signed(script: Script, algorithms: &[&str]) -> House {
        let house = House::open(script);
        algorithms.iter().for_each(|algorithm| house.sign_for("example.org", algorithm, algorithm));
        house
    }

    fn sign_for(&self, domain: &str, selector: &str, algorithm: &str) {
        self.generate(domain, selector, algorithm);
        self.activate(domain, selector);
    }

    fn generate(&self, domain: &str, selector: &str, algorithm: &str) {
        self.installation.done(&[
            "dkim",
            "generate",
            domain,
            "--selector",
            selector,
            "--algorithm",
            algorithm,
        ]);
    }

    fn activate(&self, domain: &str, selector: &str) {
        self.installation.done(&["dkim", "activate", domain, "--selector", selector]);
    }

    fn client(&self) -> client::Client {
        self.server.logged_in(&self.installation, USER, "correct horse")
    }

    /// Sends a message; what the next host got of it.
    fn arrived(&self, message: &[u8]) -> Vec<u8> {
        let before = self.next.messages().len();
        let reply = self.client().send(USER, &[BOB], message).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        self.next.until_messages(before + 1).pop().unwrap().octets
    }

    /// The message has signatures by these algorithms, and no others, and all of them hold.
    fn assert_signed(&self, message: &[u8], algorithms: &[&str]) -> Vec<Value> {
        let judged = self.judged(message);
        let mut signed: Vec<_> = judged.iter().map(|signature| text(signature, "a")).collect();
        signed.sort_unstable();
        assert_eq!(signed, algorithms, "{judged:?}");
        assert!(
            judged.iter().all(|signature| signature["holds"] == true),
            "{judged:?} of {}",
            String::from_utf8_lossy(message)
        );
        judged
    }

    fn judged(&self, message: &[u8]) -> Vec<Value> {
        judged(&self.installation, message)
    }
}

/// What the verifier says of each signature, with the records that `dkim list` has.
pub(crate) fn judged(installation: &Installation, message: &[u8]) -> Vec<Value> {
    let list = installation.json(&["dkim", "list"]);
    let record = |key: &Value| (text(&key["record"], "name"), key["record"]["value"].clone());
    let records: Map<String, Value> = list.as_array().unwrap().iter().map(record).collect();
    let file = installation.path("judged.eml");
    std::fs::write(&file, message).unwrap();
    // Debian's own Python has it.
    let mut verify = Command::new("/usr/bin/python3");
    verify.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/dkim_verify.py"));
    verify.arg(Value::from(records).to_string()).arg(&file);
    let output = run(&mut verify, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

//! Mail without a login (ENV-01): nobody hands it in but machines of named networks, in named names, to named domains.

use std::net::{IpAddr, Ipv4Addr};

use tests::client::{Client, Reply};
use tests::server::{Installation, Server, Settings, text};

const PRINTER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const ANYBODY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const SCAN: &[u8] = b"From: Printer <printer@example.org>\r\nSubject: scan\r\n\r\nPage one.\r\n";

const OPTIONAL: &str = "optional = true\nrelay_networks = [\"127.0.0.2\"]\n\
    relay_senders = [\"printer@example.org\"]\nrelay_domains = [\"example.org\", \"*.example.net\"]\n";

struct Office {
    installation: Installation,
    settings: Settings,
}

impl Office {
    fn new(settings: Settings) -> Office {
        let settings = Settings { auth: OPTIONAL.to_owned(), ..settings };
        let installation = Installation::new(&settings);
        installation.add_user("alice@example.org", "correct horse");
        Office { installation, settings }
    }

    /// In clear, on the listener with STARTTLS, past EHLO.
    fn in_clear(&self, server: &Server, from: IpAddr) -> Client {
        let mut client = Client::connect_from(from, server.starttls(), &self.installation.authority.client());
        assert_eq!(client.reply().unwrap().code, 220);
        client.expect("EHLO printer.example", 250);
        client
    }

    fn under_tls(&self, server: &Server, from: IpAddr) -> Client {
        let mut client = server.client_from(from, &self.installation);
        client.expect("EHLO printer.example", 250);
        client
    }
}

#[track_caller]
fn assert_said(reply: &Reply, line: &str) {
    assert_eq!(reply.lines, [line]);
}

#[test]
fn a_printer_hands_in_mail_with_tls_and_without() {
    let office = Office::new(Settings::default());
    let server = office.installation.start();
    for mut client in [office.in_clear(&server, PRINTER), office.under_tls(&server, PRINTER)] {
        let to = ["alice@example.org", "bob@dept.example.net"];
        assert_eq!(client.send("printer@example.org", &to, SCAN).unwrap().code, 250);
    }
    let queue = office.installation.queue();
    assert_eq!(queue.len(), 2);
    for entry in &queue {
        assert_eq!(text(entry, "account"), "relay:127.0.0.2");
        let shown = office.installation.json(&["queue", "show", &text(entry, "id")]);
        assert_eq!(text(&shown, "account"), "relay:127.0.0.2");
    }
    let accepted = server.until_logged("event=accepted");
    assert!(accepted.contains("account.address=relay:127.0.0.2"), "{accepted}");
}

#[test]
fn env_01_everybody_else_has_to_log_in() {
    let office = Office::new(Settings::default());
    let server = office.installation.start();
    let mail = ["MAIL FROM:<printer@example.org>", "RCPT TO:<alice@example.org>", "DATA"];
    let mut client = office.in_clear(&server, ANYBODY);
    for command in mail {
        assert_said(&client.ask(command).unwrap(), "530 5.7.0 Must issue a STARTTLS command first");
    }
    let mut client = office.under_tls(&server, ANYBODY);
    for command in mail.into_iter().chain(["BDAT 0 LAST"]) {
        assert_said(&client.ask(command).unwrap(), "530 5.7.0 Authentication required");
    }
    let mut client = office.under_tls(&server, ANYBODY);
    assert_eq!(client.auth_plain("alice@example.org", "wrong").unwrap().code, 535);
    client.expect("RSET", 250);
    for command in mail {
        assert_said(&client.ask(command).unwrap(), "530 5.7.0 Authentication required");
    }
    assert!(office.installation.queue().is_empty());
}

/// Trust is never passed on: the proxy is believed where its client connects from, and yet that is no printer.
#[test]
fn env_01_whom_a_proxy_speaks_for_has_to_log_in() {
    let listen = "proxy_protocol = [\"127.0.0.3\"]".to_owned();
    let office = Office::new(Settings { listen, ..Settings::default() });
    let server = office.installation.start();
    let proxy = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
    let mut client = Client::connect_from(proxy, server.starttls(), &office.installation.authority.client());
    client.say(b"PROXY TCP4 127.0.0.2 127.0.0.1 40000 587\r\n").unwrap();
    assert_eq!(client.reply().unwrap().code, 220);
    client.expect("EHLO printer.example", 250);
    client.expect("MAIL FROM:<printer@example.org>", 530);
    client.expect("QUIT", 221);
    let session = server.until_logged("event=session");
    assert!(session.contains("peer=127.0.0.2"), "{session}");
    office.in_clear(&server, PRINTER).expect("MAIL FROM:<printer@example.org>", 250);
}

#[test]
fn a_printer_has_its_own_name_and_few_to_write_to() {
    let office =
        Office::new(Settings { submission: "sender_check = \"off\"".to_owned(), ..Settings::default() });
    let server = office.installation.start();
    let mut client = office.in_clear(&server, PRINTER);
    for sender in ["", "alice@example.org", "printer@example.com", "printer+x@example.org"] {
        let reply = client.expect(&format!("MAIL FROM:<{sender}>"), 553);
        assert_said(&reply, &format!("553 5.7.1 <{sender}> is not yours to use as a sender"));
    }
    client.expect("MAIL FROM:<printer@example.org>", 250);
    for recipient in ["bob@example.com", "bob@example.net", "bob@[127.0.0.1]", "postmaster"] {
        let reply = client.expect(&format!("RCPT TO:<{recipient}>"), 550);
        assert_said(&reply, "550 5.7.1 Mail to this recipient needs authentication");
    }
    client.expect("DATA", 554);
    client.expect("RSET", 250);
    for from in ["alice@example.org", "printer@example.org, alice@example.org"] {
        let message = format!("From: {from}\r\n\r\nHello.\r\n");
        let reply = client.send("printer@example.org", &["bob@example.org"], message.as_bytes()).unwrap();
        let said = reply.lines.join("\n");
        assert!(said.starts_with("550 5.7.1 <alice@example.org> in From"), "{said}");
    }
    assert!(office.installation.queue().is_empty());
    let refused = server.until_logged("event=refused");
    assert!(refused.contains("account.address=relay:127.0.0.2"), "{refused}");
    server.until_logged("reason=\"alice@example.org in From");
}

#[test]
fn a_printer_that_logs_in_is_who_it_says() {
    let office = Office::new(Settings::default());
    let server = office.installation.start();
    let mut client = office.under_tls(&server, PRINTER);
    assert_eq!(client.auth_plain("alice@example.org", "wrong").unwrap().code, 535);
    client.expect("MAIL FROM:<alice@example.org>", 553);
    assert_eq!(client.auth_plain("alice@example.org", "correct horse").unwrap().code, 235);
    client.expect("MAIL FROM:<printer@example.org>", 553);
    let message = b"From: alice@example.org\r\n\r\nHello.\r\n";
    assert_eq!(client.send("alice@example.org", &["bob@example.com"], message).unwrap().code, 250);
    assert_eq!(text(&office.installation.queue()[0], "account"), "alice@example.org");
}

#[test]
fn each_printer_may_send_so_much() {
    let sending = "messages_per_hour = 2\nrecipients_per_day = 3\nnew_recipients_per_day = 1".to_owned();
    let office = Office::new(Settings { sending, ..Settings::default() });
    let auth = office.settings.auth.replace("127.0.0.2", "127.0.0.0/29");
    office.installation.configure(&Settings { auth, ..office.settings.clone() });
    let server = office.installation.start();
    let mut client = office.in_clear(&server, PRINTER);
    let to = ["a@example.org", "b@example.org"];
    assert_eq!(client.send("printer@example.org", &to, SCAN).unwrap().code, 250);
    let reply = client.send("printer@example.org", &to, SCAN).unwrap();
    assert!(reply.lines[0].starts_with("450 4.7.1 Limit of 3 recipients a day is reached"), "{reply:?}");
    client.expect("RSET", 250);
    assert_eq!(client.send("printer@example.org", &to[..1], SCAN).unwrap().code, 250);
    let reply = client.ask("MAIL FROM:<printer@example.org>").unwrap();
    assert!(reply.lines[0].starts_with("450 4.7.1 Limit of 2 messages an hour is reached"), "{reply:?}");
    let limited = server.until_logged("event=sending.limited");
    assert!(limited.contains("relay:127.0.0.2"), "{limited}");
    let mut other = office.in_clear(&server, IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3)));
    assert_eq!(other.send("printer@example.org", &to, SCAN).unwrap().code, 250);
}

#[test]
fn what_is_taken_away_acts_on_a_session_that_runs() {
    let office = Office::new(Settings::default());
    let server = office.installation.start();
    let mut client = office.in_clear(&server, PRINTER);
    client.expect("MAIL FROM:<printer@example.org>", 250);
    office.installation.configure(&Settings { auth: String::new(), ..office.settings.clone() });
    server.signal("HUP");
    server.until_logged("event=reloaded");
    client.expect("RCPT TO:<alice@example.org>", 530);
    client.expect("RSET", 250);
    client.expect("MAIL FROM:<printer@example.org>", 530);
    office.in_clear(&server, PRINTER).expect("MAIL FROM:<printer@example.org>", 530);
}

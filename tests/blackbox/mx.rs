//! Mail to whomever the DNS names. Its server is one of the test's own, and the hosts listen on port 25 of addresses of this machine.

use dns::fake::{BOGUS, Entry, Failure, FakeDns, INSECURE};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tests::maildir;
use tests::server::{Installation, Server, Settings, text, until};
use tests::smarthost::{Script, Smarthost, Tls};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// Alice's own mail lies in the Maildir `outbox`, all other goes where the DNS says.
struct House {
    dns: FakeDns,
    installation: Installation,
}

impl House {
    fn new() -> House {
        let house = House { dns: FakeDns::start(), installation: Installation::with_maildir() };
        std::fs::write(house.installation.path("anchors"), house.dns.trust_anchors()).unwrap();
        house.configure("127.0.0.0/8", &house.dns.address().to_string());
        house.installation.add_user(USER, "correct horse");
        house
    }

    fn configure(&self, allowed: &str, server: &str) {
        self.write(&format!("allow_networks = [\"{allowed}\"]"), server);
    }

    /// With more in `[delivery.mx]`.
    fn configure_mx(&self, more: &str) {
        self.write(&format!("allow_networks = [\"127.0.0.0/8\"]\n{more}"), &self.dns.address().to_string());
    }

    fn write(&self, mx: &str, server: &str) {
        let delivery = format!(
            "retry = {{ first = \"1s\", max = \"1s\" }}\n[[delivery.route]]\ndomains = [\"example.org\"]\n{}\n\
             [delivery.mx]\n{mx}\n[dns]\nservers = [\"{server}\"]\ntrust_anchors = \"anchors\"",
            self.installation.maildir_delivery()
        );
        self.installation.configure(&Settings { delivery, ..Settings::default() });
    }

    /// Has this host take mail for a domain.
    fn mail_host(&self, domain: &str, host: &Smarthost) {
        let name = format!("mx.{domain}");
        self.dns.set(domain, [Entry::mx(10, &name)]);
        self.dns.set(&name, [Entry::Address(host.address.ip())]);
    }

    /// Hands in a message; its id.
    fn send(&self, server: &Server, to: &str, name: &str) -> String {
        let mut client = server.logged_in(&self.installation, USER, "correct horse");
        let reply = client.send(USER, &[to], &letter(name, "the text\r\n")).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        reply.lines[0].rsplit(' ').next().unwrap().to_owned()
    }

    /// The one recipient of a message.
    fn recipient(&self, id: &str) -> Value {
        self.installation.json(&["queue", "show", id])["recipients"][0].clone()
    }

    /// The recipient, once it has been tried.
    fn tried(&self, id: &str) -> Value {
        until("a message has been tried", || {
            Some(self.recipient(id)).filter(|recipient| text(recipient, "state") != "queued")
        })
    }

    /// The report that says so.
    fn report(&self, words: &str) -> String {
        until(&format!("a report says {words:?}"), || {
            let reports = maildir::messages(&self.installation.path("outbox"));
            let mut reports = reports.into_iter().map(|octets| String::from_utf8(octets).unwrap());
            reports.find(|report| report.contains(words))
        })
    }
}

#[test]
fn mail_goes_by_default_to_the_hosts_of_its_domain() {
    let (house, host) = (House::new(), Smarthost::mail_host(Script::default()));
    house.mail_host("example.net", &host);
    let server = house.installation.start();
    house.send(&server, "bob@example.net", "first");
    assert!(String::from_utf8(host.until_messages(1)[0].octets.clone()).unwrap().contains("the text"));
    let line = server.until_logged("event=delivered");
    assert!(line.contains("host=mx.example.net:25 tls=none "), "{line}");
    house.send(&server, "carol@example.net", "second");
    host.until_messages(2);
    assert_eq!(host.connections(), 1);
}

/// Of RFC 7505 and RFC 5321, and threats DEL-02 and DEL-03.
#[test]
fn the_sender_is_told_at_once_where_no_mail_can_go() {
    let house = House::new();
    let host = Smarthost::mail_host(Script::default());
    house.mail_host("inside.example", &host);
    house.configure("10.0.0.0/8", &house.dns.address().to_string());
    house.dns.set("null.example", [Entry::mx(0, ".")]);
    house.dns.set("circle.example", [Entry::alias("other.example")]);
    house.dns.set("other.example", [Entry::alias("circle.example")]);
    house.dns.set("ours.example", [Entry::mx(10, "mail.example.org")]);
    house.dns.set("mapped.example", [Entry::address("::ffff:127.0.0.1")]);
    house.dns.set("metadata.example", [Entry::address("169.254.169.254")]);
    let server = house.installation.start();
    for (domain, status, words) in [
        ("null.example", "5.1.10", "556 5.1.10 the domain null.example takes no mail"),
        ("gone.example", "5.1.2", "550 5.1.2 the domain gone.example does not exist"),
        (
            "circle.example",
            "5.4.6",
            "554 5.4.6 the aliases (CNAME) of circle.example in the DNS lead in a circle",
        ),
        ("ours.example", "5.4.6", "554 5.4.6 this server is itself the mail host"),
        ("inside.example", "5.4.6", "554 5.4.6 the mail host mx.inside.example is at"),
        (
            "mapped.example",
            "5.4.6",
            "554 5.4.6 the mail host mapped.example is at 127.0.0.1, which is this machine",
        ),
        (
            "metadata.example",
            "5.4.6",
            "554 5.4.6 the mail host metadata.example is at 169.254.169.254, which is link-local",
        ),
    ] {
        house.send(&server, &format!("bob@{domain}"), domain);
        let report = house.report(&format!("Final-Recipient: rfc822; bob@{domain}\n"));
        assert!(report.contains(&format!("Status: {status}\n")), "{report}");
        let unfolded = report.replace("\n ", " ");
        assert!(unfolded.contains(&format!("Diagnostic-Code: x-gatepost; {words}")), "{report}");
    }
    assert_eq!(host.connections(), 0);
}

#[test]
fn what_the_dns_cannot_tell_now_waits_until_it_can() {
    let (house, host) = (House::new(), Smarthost::mail_host(Script::default()));
    house.mail_host("example.net", &host);
    house.mail_host(&format!("example.{BOGUS}"), &host);
    house.mail_host(&format!("example.{INSECURE}"), &host);
    house.dns.fail("example.net", Failure::ServFail);
    let server = house.installation.start();
    let waiting = house.send(&server, "bob@example.net", "servfail");
    let forged = house.send(&server, &format!("bob@example.{BOGUS}"), "bogus");
    house.send(&server, &format!("bob@example.{INSECURE}"), "insecure");
    host.until_messages(1);
    for (id, words) in [
        (
            &waiting,
            "451 4.4.3 the DNS does not answer about example.net now: the name server says Server Failure",
        ),
        (&forged, "451 4.4.3 the DNS answer about example.bogus fails DNSSEC"),
    ] {
        let recipient = house.tried(id);
        assert_eq!(text(&recipient, "state"), "deferred");
        assert!(text(&recipient, "last_reply").starts_with(words), "{recipient}");
    }
    house.dns.recover();
    host.until_messages(2);
}

#[test]
fn greylisting_costs_one_retry() {
    let answer = |line: &str, before: usize| {
        (line.starts_with("RCPT") && before == 0).then(|| "450 4.2.0 greylisted, come back".to_owned())
    };
    let (house, host) =
        (House::new(), Smarthost::mail_host(Script { answer: Box::new(answer), ..Script::default() }));
    house.mail_host("example.net", &host);
    let server = house.installation.start();
    house.send(&server, "bob@example.net", "grey");
    host.until_messages(1);
    for (event, attempt) in [("deferred", 1), ("delivered", 2)] {
        let line = server.until_logged(&format!("event={event}"));
        assert!(
            line.contains(&format!("attempt={attempt} ")) && line.contains("host=mx.example.net:25"),
            "{line}"
        );
    }
    house.installation.until_queue_is_empty();
}

#[test]
fn a_reload_takes_up_other_name_servers() {
    let (house, host) = (House::new(), Smarthost::mail_host(Script::default()));
    house.mail_host("example.net", &host);
    house.configure("127.0.0.0/8", "127.0.0.1:1");
    let server = house.installation.start();
    let id = house.send(&server, "bob@example.net", "reload");
    assert!(text(&house.tried(&id), "last_reply").starts_with("451 4.4.3 the DNS does not answer"));
    house.configure("127.0.0.0/8", &house.dns.address().to_string());
    server.signal("HUP");
    server.until_logged("reloaded");
    host.until_messages(1);
}

#[test]
fn tls_is_used_with_whoever_offers_it() {
    let house = House::new();
    let pair = house.installation.authority.sign();
    let capabilities = vec!["PIPELINING", "STARTTLS"];
    let host = Smarthost::mail_host(Script { tls: Tls::Asked(pair), capabilities, ..Script::default() });
    house.mail_host("example.net", &host);
    let server = house.installation.start();
    house.send(&server, "bob@example.net", "tls");
    host.until_messages(1);
    assert_eq!(host.lines().iter().filter(|line| line.starts_with("EHLO") || *line == "STARTTLS").count(), 3);
}

/// RFC 7672: the host of a domain has a certificate that no authority of the system knows, and TLSA records.
#[test]
fn a_host_with_tlsa_records_gets_mail_only_with_the_certificate_that_they_name() {
    let house = House::new();
    let pair = house.installation.authority.sign();
    let record = |data: &[u8]| Entry::Tlsa(3, 0, 1, data.to_vec());
    let right = record(&Sha256::digest(&pair.der));
    let host = Smarthost::mail_host(Script { tls: Tls::Asked(pair), ..Script::default() });
    house.mail_host("example.net", &host);
    house.dns.set("_25._tcp.mx.example.net", [record(&[7; 32])]);
    let server = house.installation.start();
    let id = house.send(&server, "bob@example.net", "dane");
    let recipient = house.tried(&id);
    let reply = text(&recipient, "last_reply");
    assert!(text(&recipient, "state") == "deferred" && text(&recipient, "last_host") == "mx.example.net:25");
    assert!(reply.starts_with("451 4.7.5 TLS failed: no TLSA record of mx.example.net names"), "{reply}");
    assert!(reply.contains("mail.example.org") && reply.contains("TLS is demanded"), "{reply}");
    assert!(host.messages().is_empty());
    house.dns.set("_25._tcp.mx.example.net", [record(&[7; 32]), right]);
    host.until_messages(1);
    assert!(server.until_logged("event=delivered").contains(" tls=dane "));
    // What was demanded is so no more when it is switched off.
    house.dns.set("_25._tcp.mx.example.net", [record(&[7; 32])]);
    house.configure_mx("dane = false\n");
    server.signal("HUP");
    server.until_logged("reloaded");
    house.send(&server, "bob@example.net", "off");
    host.until_messages(2);
    server.until_logged(" tls=unverified ");
}

/// RFC 8689: what its sender wants of TLS goes with a message, and is shown.
#[test]
fn a_sender_may_require_tls_or_do_without_what_the_domain_demands() {
    let house = House::new();
    let pair = house.installation.authority.sign();
    let right = Entry::Tlsa(3, 0, 1, Sha256::digest(&pair.der).to_vec());
    let host = Smarthost::mail_host(Script {
        tls: Tls::Asked(pair),
        capabilities: vec!["REQUIRETLS"],
        ..Script::default()
    });
    house.mail_host("example.net", &host);
    let wrong = Entry::Tlsa(3, 0, 1, vec![7; 32]);
    house.dns.set("_25._tcp.mx.example.net", [wrong.clone()]);
    let server = house.installation.start();
    let mut client = server.logged_in(&house.installation, USER, "correct horse");
    let mut send = |parameter: &str, field: &str, to: &str| {
        client.expect(&format!("MAIL FROM:<{USER}>{parameter}"), 250);
        client.expect(&format!("RCPT TO:<{to}>"), 250);
        client.expect("DATA", 354);
        let reply = client.expect(&format!("From: {USER}\r\n{field}\r\nthe text\r\n."), 250);
        reply.lines[0].rsplit(' ').next().unwrap().to_owned()
    };
    let id = send(" REQUIRETLS", "", "bob@example.net");
    assert_eq!(text(&house.tried(&id), "state"), "deferred");
    assert_eq!(house.installation.json(&["queue", "show", &id])["tls_required"], "yes");
    house.dns.set("_25._tcp.mx.example.net", [right]);
    host.until_messages(1);
    let said = host.lines().into_iter().filter(|line| line.contains("REQUIRETLS"));
    assert_eq!(said.collect::<Vec<_>>().len(), 1, "{:?}", host.lines());
    // Nothing proves that this host is the right one.
    house.mail_host(&format!("example.{INSECURE}"), &host);
    send(" REQUIRETLS", "", &format!("bob@example.{INSECURE}"));
    let report = house.report("Status: 5.7.30");
    assert!(report.replace("\n ", " ").contains("550 5.7.30 the sender wants proved TLS alone"), "{report}");
    house.dns.set("_25._tcp.mx.example.net", [wrong]);
    send("", "TLS-Required: No\r\n", "bob@example.net");
    host.until_messages(2);
}

/// The domain above our name is tried.
#[test]
fn check_says_whether_mail_hosts_can_be_found_and_reached() {
    let (house, host) = (House::new(), Smarthost::mail_host(Script::default()));
    let codes = |house: &House| {
        let output = house.installation.run(&["check", "--connect", "--json"], "");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["errors"], serde_json::json!([]), "{report}");
        let warnings = report["warnings"].as_array().unwrap().clone();
        let codes = warnings.iter().map(|warning| text(warning, "code"));
        codes.filter(|code| code != "dns-hostname").collect::<Vec<_>>()
    };
    house.mail_host("example.org", &host);
    assert_eq!(codes(&house), Vec::<String>::new());
    assert!(host.lines().iter().any(|line| line == "QUIT") && host.messages().is_empty());
    // Nobody listens there.
    house.dns.set("mx.example.org", [Entry::address("127.255.255.254")]);
    assert_eq!(codes(&house), ["delivery-port-25"]);
    // It is there, and says no.
    let refuse = |line: &str, _: usize| line.starts_with("EHLO").then(|| "421 4.3.2 too busy".to_owned());
    let busy = Smarthost::mail_host(Script { answer: Box::new(refuse), ..Script::default() });
    house.mail_host("example.org", &busy);
    assert_eq!(codes(&house), ["delivery-mail-host"]);
    house.dns.fail("example.org", Failure::ServFail);
    assert_eq!(codes(&house), ["dns-no-answer"]);
    house.dns.recover();
    house.mail_host("example.org", &host);
    std::fs::write(house.installation.path("anchors"), FakeDns::start().trust_anchors()).unwrap();
    assert_eq!(codes(&house), ["dns-unproven"]);
}

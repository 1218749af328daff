//! `gatepost dns`: what a domain needs in the DNS, and what a name server says of it.

use std::process::Output;

use dns::fake::{Entry, Failure, FakeDns};
use serde_json::Value;
use tests::server::{Installation, Settings, text};

/// A set-up with a key that signs, one that does not yet, and one that did, whose name server knows of nothing.
struct House {
    dns: FakeDns,
    installation: Installation,
}

impl House {
    fn new() -> House {
        House::with("")
    }

    fn with(web: &str) -> House {
        let dns = FakeDns::start();
        let log = format!("[dns]\nservers = [\"{}\"]\ntrust_anchors = \"anchors\"", dns.address());
        let installation = Installation::new(&Settings { log, web: web.to_owned(), ..Settings::default() });
        std::fs::write(installation.path("anchors"), dns.trust_anchors()).unwrap();
        // Nothing is served, so that ports can be named.
        let file = installation.path("gatepost.toml");
        let configuration = std::fs::read_to_string(&file).unwrap();
        let configuration = configuration.replacen("127.0.0.1:0", "127.0.0.1:587", 1);
        std::fs::write(&file, configuration.replacen("127.0.0.1:0", "127.0.0.1:465", 1)).unwrap();
        for (selector, algorithm) in [("old", "rsa"), ("signs", "rsa"), ("waits", "ed25519")] {
            installation.done(&[
                "dkim",
                "generate",
                "example.org",
                "--selector",
                selector,
                "--algorithm",
                algorithm,
            ]);
        }
        for selector in ["old", "signs"] {
            installation.done(&["dkim", "activate", "example.org", "--selector", selector]);
        }
        House { dns, installation }
    }

    fn wanted(&self) -> Vec<Value> {
        self.installation.json(&["dns", "example.org"]).as_array().unwrap().clone()
    }

    /// Publishes what is wanted, with the address of the server and its name.
    fn publish(&self) {
        for record in self.wanted() {
            self.dns.set(&text(&record, "name"), [entry(&record)]);
        }
        self.dns.set("mail.example.org", [Entry::address("192.0.2.25")]);
        self.dns.set("25.2.0.192.in-addr.arpa", [Entry::Ptr("mail.example.org".to_owned())]);
    }

    /// What was found to be wrong: purpose, name, verdict.
    fn wrong(&self) -> Vec<(String, String, String)> {
        let output = self.check(&["--json"]);
        let records: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let told = records.iter().map(|record| {
            let of = |key| text(record, key);
            (of("purpose"), of("name"), of("verdict"))
        });
        let wrong: Vec<_> = told.filter(|(_, _, verdict)| verdict != "ok").collect();
        assert_eq!(output.status.code(), Some(i32::from(!wrong.is_empty())), "{output:?}");
        wrong
    }

    fn check(&self, more: &[&str]) -> Output {
        self.installation.run(&[&["dns", "example.org", "--check"], more].concat(), "")
    }
}

fn entry(record: &Value) -> Entry {
    let value = text(record, "value");
    if text(record, "type") == "SRV" {
        let words: Vec<_> = value.split(' ').collect();
        let number = |at: usize| words[at].parse().unwrap();
        return Entry::Srv(number(0), number(1), number(2), words[3].trim_end_matches('.').to_owned());
    }
    if text(record, "type") == "CNAME" {
        return Entry::alias(value.trim_end_matches('.'));
    }
    let strings = value.as_bytes().chunks(255).map(|string| String::from_utf8(string.to_vec()).unwrap());
    Entry::Txt(strings.collect())
}

#[test]
fn a_domain_is_told_what_it_needs_as_lines_of_a_zone() {
    let house = House::new();
    let zone = house.installation.done(&["dns", "example.org"]);
    let lines: Vec<_> = zone.lines().filter(|line| !line.starts_with(';')).collect();
    let begin = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(lines[0], "example.org. IN TXT \"v=spf1 a:mail.example.org ~all\"");
    assert_eq!(begin("signs._domainkey.example.org. IN TXT ( \"v=DKIM1; k=rsa; p="), 1, "{zone}");
    assert_eq!(begin("old._domainkey.example.org. IN TXT"), 1, "what it has signed is on its way: {zone}");
    assert_eq!(begin("waits._domainkey.example.org. IN TXT \"v=DKIM1; k=ed25519; p="), 1, "{zone}");
    assert_eq!(begin("_dmarc.example.org. IN TXT \"v=DMARC1; p=none;"), 1, "{zone}");
    assert_eq!(begin("_submissions._tcp.example.org. IN SRV 0 1 465 mail.example.org."), 1, "{zone}");
    assert_eq!(begin("_submission._tcp.example.org. IN SRV 0 1 587 mail.example.org."), 1, "{zone}");
    assert_eq!(lines.len(), 7, "{zone}");
    // A domain below is signed for by this one.
    let below = house.installation.done(&["dns", "sub.example.org"]);
    assert!(below.contains("signs._domainkey.example.org. IN TXT"), "{below}");
}

#[test]
fn what_the_dns_has_is_compared_with_what_is_wanted() {
    let house = House::new();
    assert_eq!(house.wrong().len(), 8, "nothing is published");
    house.publish();
    assert_eq!(house.wrong(), []);
    let wrong = |purpose: &str, name: &str, verdict: &str| {
        vec![(purpose.to_owned(), name.to_owned(), verdict.to_owned())]
    };
    house.dns.set("signs._domainkey.example.org", [Entry::txt("v=DKIM1; k=rsa; p=AAAA")]);
    assert_eq!(house.wrong(), wrong("DKIM", "signs._domainkey.example.org", "differs"));
    let output = house.check(&[]);
    let (table, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(table.contains("differs") && table.contains("p=AAAA"), "{table}");
    assert!(said.contains("wanted: signs._domainkey.example.org. IN TXT ("), "{said}");
    assert!(
        said.ends_with("error: 1 of 8 records are not as they should be; publish them, and ask again\n"),
        "{said}"
    );
    house.publish();
    house.dns.set("25.2.0.192.in-addr.arpa", [Entry::Ptr("pool-25.example.net".to_owned())]);
    assert_eq!(house.wrong(), wrong("PTR", "25.2.0.192.in-addr.arpa", "differs"));
    house.publish();
    house.dns.set("_dmarc.example.org", [Entry::txt("v=DMARC1; p=reject"), Entry::txt("something else")]);
    house
        .dns
        .set("example.org", [Entry::txt("site-verification=x"), Entry::txt("v=spf1 ip4:192.0.2.0/24 -all")]);
    assert_eq!(house.wrong(), []);
    house.dns.fail("_submission._tcp.example.org", Failure::ServFail);
    assert_eq!(house.wrong(), wrong("submission", "_submission._tcp.example.org", "unknown"));
}

/// What may be right by addresses that are not known is not known, and one name that is not answered hides no other.
#[test]
fn what_is_not_known_is_not_called_wrong() {
    let house = House::new();
    house.publish();
    house.dns.set("example.org", [Entry::txt("v=spf1 ip4:192.0.2.0/24 -all")]);
    house.dns.fail("mail.example.org", Failure::ServFail);
    house.dns.fail("_dmarc.example.org", Failure::Silence);
    let unknown = |purpose: &str, name: &str| (purpose.to_owned(), name.to_owned(), "unknown".to_owned());
    let expected = [
        unknown("SPF", "example.org"),
        unknown("DMARC", "_dmarc.example.org"),
        unknown("address", "mail.example.org"),
    ];
    assert_eq!(house.wrong(), expected);
}

/// This server takes no mail of others: what is not there is not missing, and what is there should be in order.
#[test]
fn what_the_dns_says_of_mail_to_the_domain_is_looked_at() {
    let house = House::new();
    house.publish();
    let spf = || Entry::txt("v=spf1 a:mail.example.org ~all");
    let purposes = || -> Vec<(String, String)> {
        let records: Vec<Value> = serde_json::from_slice(&house.check(&["--json"]).stdout).unwrap();
        records.iter().map(|record| (text(record, "purpose"), text(record, "verdict"))).collect()
    };
    let has = |purpose: &str, verdict: &str| purposes().contains(&(purpose.to_owned(), verdict.to_owned()));
    assert!(!purposes().iter().any(|(purpose, _)| ["MX", "MTA-STS", "TLS-RPT"].contains(&purpose.as_str())));
    house.dns.set("example.org", [spf(), Entry::mx(10, "mx.example.net")]);
    house.dns.set("_mta-sts.example.org", [Entry::txt("v=STSv1; id=1;")]);
    house.dns.set("_smtp._tls.example.org", [Entry::txt("v=TLSRPTv1; rua=mailto:tls@example.org")]);
    for purpose in ["MX", "MTA-STS", "TLS-RPT"] {
        assert!(has(purpose, "ok"), "{purpose}: {:?}", purposes());
    }
    assert_eq!(house.wrong(), []);
    house.dns.set("example.org", [spf(), Entry::mx(0, ".")]);
    let two = |text: &str| [Entry::txt(text), Entry::txt(&format!("{text} future=x"))];
    house.dns.set("_mta-sts.example.org", two("v=STSv1; id=1;"));
    house.dns.set("_smtp._tls.example.org", two("v=TLSRPTv1; rua=mailto:tls@example.org"));
    for purpose in ["MX", "MTA-STS", "TLS-RPT"] {
        assert!(has(purpose, "differs"), "{purpose}: {:?}", purposes());
    }
}

/// The hosts may be aliases of that of the pages, or have its addresses.
#[test]
fn where_programs_find_their_settings_is_wanted_for_the_domains_that_are_named() {
    let house = House::with(
        "[web]\nbase_url = \"https://www.example.org\"\n[web.clients]\ndomains = [\"example.org\"]\nimap = \"pop3s://pop.example.net\"\n",
    );
    let zone = house.installation.done(&["dns", "example.org"]);
    for line in [
        "; pop3s\n_pop3s._tcp.example.org. IN SRV 0 1 995 pop.example.net.\n",
        "; autoconfig\nautoconfig.example.org. IN CNAME www.example.org.\n",
        "; autodiscover\nautodiscover.example.org. IN CNAME www.example.org.\n",
    ] {
        assert!(zone.contains(line), "{line}: {zone}");
    }
    assert!(!house.installation.done(&["dns", "other.example"]).contains("CNAME"));
    house.publish();
    house.dns.set("www.example.org", [Entry::address("192.0.2.80")]);
    assert_eq!(house.wrong(), []);
    house.dns.set("autoconfig.example.org", [Entry::address("192.0.2.80")]);
    assert_eq!(house.wrong(), []);
    house.dns.set("autodiscover.example.org", [Entry::address("198.51.100.1")]);
    let differs = ("autodiscover".to_owned(), "autodiscover.example.org".to_owned(), "differs".to_owned());
    assert_eq!(house.wrong(), [differs]);
}

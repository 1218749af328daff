//! The pages about domains: what the DNS has of each, and the keys that sign its mail.

use dns::fake::{Entry, Failure, FakeDns};
use serde_json::Value;
use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, Settings, text};

use crate::web::pages;
use crate::web_sign_in::administrator;

/// A server with accounts of two domains, an administrator, and a name server that a test fills.
struct House {
    dns: FakeDns,
    installation: Installation,
    server: Server,
    browser: Browser,
}

impl House {
    fn new() -> House {
        let dns = FakeDns::start();
        let web = format!(
            "[dns]\nservers = [\"{}\"]\ntrust_anchors = \"anchors\"\n\
             [web]\nbase_url = \"https://mail.example.org\"\npage_rate = 10000\n\
             [[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n",
            dns.address()
        );
        let installation = Installation::new(&Settings { web, ..Settings::default() });
        std::fs::write(installation.path("anchors"), dns.trust_anchors()).unwrap();
        installation.add_user("alice@example.org", "correct horse");
        installation.done(&["identity", "add", "alice@example.org", "*@lists.example.net"]);
        let server = installation.start();
        assert_eq!(pages(&server).ip().to_string(), "127.0.0.1");
        let browser = administrator(&installation, &server);
        House { dns, installation, server, browser }
    }

    fn keys(&self) -> Vec<(String, String)> {
        let keys = self.installation.json(&["dkim", "list"]);
        let key = |key: &Value| (text(key, "selector"), text(key, "state"));
        keys.as_array().unwrap().iter().map(key).collect()
    }
}

const DOMAINS: &str = "/admin/domains";
const DOMAIN: &str = "/admin/domains/example.org";

/// The words of the state of each record, by what it is for.
fn verdicts(page: &Answer) -> Vec<(String, String)> {
    let (_, records) = page.body.split_once("id=\"records\"").unwrap_or_else(|| panic!("{page:?}"));
    let records = records.split("id=\"keys\"").next().unwrap();
    let one = |record: &str| {
        let purpose = record.split(" <span").next().unwrap().to_owned();
        let words = record.split("</svg>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        (purpose, words)
    };
    records.split("<h3>").skip(1).map(one).collect()
}

fn of(page: &Answer, purpose: &str) -> Vec<String> {
    verdicts(page).into_iter().filter(|(found, _)| found == purpose).map(|(_, words)| words).collect()
}

#[test]
fn each_domain_of_accounts_and_identities_is_there_with_what_the_dns_should_say() {
    let mut house = House::new();
    let list = house.browser.get(DOMAINS);
    for words in [">example.org</a>", ">lists.example.net</a>", "no key: its mail leaves unsigned"] {
        assert!(list.body.contains(words), "{words}: {}", list.body);
    }
    assert_eq!(house.browser.get("/admin/domains/elsewhere.example").status, 404);
    assert_eq!(house.browser.get("/admin/domains/not%20one").status, 404);

    let asked = house.dns.asked().len();
    let page = house.browser.get(DOMAIN);
    assert!(verdicts(&page).iter().all(|(_, words)| words == "not asked yet"), "{:?}", verdicts(&page));
    assert!(
        page.body.contains("v=spf1 a:mail.example.org ~all") && page.body.contains("Ask the DNS"),
        "{}",
        page.body
    );
    assert_eq!(house.dns.asked().len(), asked, "nobody was asked");

    house.dns.set("example.org", [Entry::txt("v=spf1 a:mail.example.org -all <b>")]);
    house.dns.set("_dmarc.example.org", [Entry::txt("v=DMARC1; p=reject")]);
    house.dns.set("mail.example.org", [Entry::address("192.0.2.25")]);
    house.dns.set("25.2.0.192.in-addr.arpa", [Entry::Ptr("pool.example.net".to_owned())]);
    let page = house.browser.get(&format!("{DOMAIN}?check=yes"));
    assert_eq!((of(&page, "SPF"), of(&page, "DMARC")), (vec!["there".to_owned()], vec!["there".to_owned()]));
    assert_eq!(of(&page, "PTR"), ["something else is there"]);
    assert!(page.body.contains("pool.example.net") && page.body.contains("Check again"), "{}", page.body);
    assert!(
        page.body.contains("-all &#60;b&#62;") && !page.body.contains("<b>"),
        "strangers' text: {}",
        page.body
    );

    house.dns.set("_dmarc.example.org", Vec::<Entry>::new());
    house.dns.fail("example.org", Failure::ServFail);
    let page = house.browser.get(&format!("{DOMAIN}?check=yes"));
    assert_eq!(
        (of(&page, "SPF"), of(&page, "DMARC")),
        (vec!["no answer".to_owned()], vec!["missing".to_owned()])
    );
    assert!(page.body.contains("<span class=\"state \">"), "what is not known is grey");
}

#[test]
fn a_key_is_made_put_to_use_and_retired_and_each_step_is_told() {
    let mut house = House::new();
    let form = format!("{DOMAIN}/new-key");
    let page = house.browser.get(&form);
    let wrong = house.browser.send(&page, &form, &[("selector", "not one"), ("algorithm", "rsa")]);
    assert!(wrong.status == 422 && wrong.body.contains("A selector is made of letters"), "{wrong:?}");
    let made = house.browser.send(&page, &form, &[("selector", "2026a"), ("algorithm", "ed25519")]);
    assert_eq!(made.location(), DOMAIN, "{made:?}");
    let page_of_domain = house.browser.get(DOMAIN);
    assert!(page_of_domain.body.contains("The key 2026a is made."), "{}", page_of_domain.body);
    assert!(page_of_domain.body.contains("2026a._domainkey.example.org. IN TXT"), "the record to paste");
    assert_eq!(house.keys(), [("2026a".to_owned(), "staged".to_owned())]);
    let again = house.browser.send(&page, &form, &[("selector", "2026a"), ("algorithm", "ed25519")]);
    assert!(again.status == 409 && again.body.contains("Choose another"), "{again:?}");

    for (step, state, said) in [
        ("activate", "active", "2026a signs from the next"),
        ("retire", "retired", "2026a signs no longer, and no key"),
    ] {
        let path = format!("{DOMAIN}/keys/2026a/{step}");
        let question = house.browser.get(&path);
        assert_ne!(house.keys()[0].1, state, "a question changes nothing");
        let done = house.browser.send(&question, &path, &[]);
        assert_eq!(done.location(), DOMAIN, "{done:?}");
        assert!(house.browser.get(DOMAIN).body.contains(said), "{said}");
        assert_eq!(house.keys()[0].1, state);
    }
    let page = house.browser.get(DOMAIN);
    assert!(!page.body.contains("keys/2026a/activate"), "a retired key: {}", page.body);
    let actions = house.installation.json(&["audit", "list", "--since", "1h"]);
    for action in ["dkim-generate", "dkim-activate", "dkim-retire"] {
        let entry = actions.as_array().unwrap().iter().find(|entry| entry["action"] == action).unwrap();
        assert_eq!(
            (&entry["actor"], &entry["via"]),
            (&"admin@example.org".into(), &"web".into()),
            "{action}"
        );
    }
    for path in ["keys/other/activate", "keys/%00/retire", "keys/2026a/wipe"] {
        assert_eq!(house.browser.get(&format!("{DOMAIN}/{path}")).status, 404, "{path}");
    }
    assert!(!house.server.log().contains("event=web.unavailable"));
}

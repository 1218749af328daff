//! What mail programs find by themselves, what they are given as a file, and the page for people; read by Python and openssl.

use std::net::TcpListener;
use std::process::Command;

use rcgen::{KeyPair, RsaKeySize};
use tests::browser::{Answer, Browser};
use tests::server::{Installation, Server, Settings, run};

use crate::web::pages;
use crate::web_links::device_link;
use crate::web_sign_in::sign_in;

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

const CLIENTS: &str = "[web.clients]\ndomains = [\"example.org\", \"xn--bcher-kva.example\"]\nimap = \"imaps://imap.example.org\"\n";

const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";

/// A server whose ports for mail are known before its start: programs are told of no others.
struct House {
    installation: Installation,
    server: Server,
    ports: [u16; 2],
}

impl House {
    fn with(clients: &str, listen: &str) -> House {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
        let settings = Self::settings(ports, clients, listen);
        let installation = Installation::new(&settings);
        installation.add_user(ALICE, PASSWORD);
        let server = installation.start();
        House { installation, server, ports }
    }

    fn settings([implicit, starttls]: [u16; 2], clients: &str, listen: &str) -> Settings {
        let web = format!(
            "[[listen]]\naddress = \"127.0.0.1:{implicit}\"\ntls = \"implicit\"\nmechanisms = [\"PLAIN\", \"SCRAM-SHA-256-PLUS\"]\n\
             [[listen]]\naddress = \"127.0.0.1:{starttls}\"\ntls = \"starttls\"\n\
             [web]\nbase_url = \"https://mail.example.org\"\norganisation = \"Example & <Org>\"\npage_rate = 10000\n\
             [[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n{listen}{clients}"
        );
        Settings { listeners: Vec::new(), web, ..Settings::default() }
    }

    fn browser(&self) -> Browser {
        Browser::new(pages(&self.server))
    }

    fn get(&self, host: &str, path: &str) -> Answer {
        self.browser().ask("GET", path, &[("Host", host)], "")
    }

    fn post(&self, host: &str, path: &str, body: &str) -> Answer {
        self.browser().ask("POST", path, &[("Host", host), ("Content-Type", "text/xml")], body)
    }

    /// Reloads, and waits until that is done.
    fn reload(&self) {
        let reloads = || self.server.log().matches("event=reloaded").count();
        let before = reloads();
        self.server.signal("HUP");
        tests::server::until("it is reloaded", || (reloads() > before).then_some(()));
    }
}

/// What Python says of this.
fn python(program: &str, input: &[u8]) -> String {
    use std::io::Write as _;
    let mut command = Command::new("python3");
    command.args(["-c", program]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(input));
    String::from_utf8(output.stdout).unwrap()
}

/// The outgoing servers of a file of settings that is as the draft wants it.
fn outgoing(answer: &Answer) -> Vec<String> {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("text/xml; charset=utf-8")),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), Some("max-age=3600"));
    let servers = python(include_str!("../fixtures/clients/autoconfig.py"), &answer.octets);
    servers.lines().map(str::to_owned).collect()
}

#[test]
fn thunderbird_finds_the_settings_of_a_domain_and_of_no_other() {
    let house = House::with(CLIENTS, "");
    let [implicit, starttls] = house.ports;
    let expected = [
        format!("mail.example.org {implicit} SSL SCRAM-SHA-256-PLUS password-cleartext"),
        format!("mail.example.org {starttls} STARTTLS password-cleartext"),
    ];
    let address = "?emailaddress=mallory%3Cscript%3E%40example.org";
    for (host, path) in [
        ("autoconfig.example.org", "/mail/config-v1.1.xml".to_owned()),
        ("AutoConfig.Example.org:443", format!("/mail/config-v1.1.xml{address}")),
        ("autoconfig.example.org", WELL_KNOWN.to_owned()),
        ("mail.example.org", format!("{WELL_KNOWN}{address}")),
    ] {
        let answer = house.get(host, &path);
        assert_eq!(outgoing(&answer), expected, "{host}{path}");
        assert!(answer.body.contains("<emailProvider id=\"example.org\">"), "{}", answer.body);
        assert_eq!(answer.body.matches("<domain>").count(), 1, "{}", answer.body);
        assert!(!answer.body.contains("mallory"), "{}", answer.body);
        assert!(answer.body.contains("<documentation url=\"https://mail.example.org/set-up\">"));
    }
    let international =
        house.get("mail.example.org", &format!("{WELL_KNOWN}?emailaddress=x%40b%C3%BCcher.example"));
    assert!(international.body.contains("<domain>xn--bcher-kva.example</domain>"), "{}", international.body);
    // Nobody learns which domains there are.
    for foreign in
        ["x%40other.example", "x%40mail.example.org", "", "x", "example.org", "x%40", "x%40no%20domain"]
    {
        let answer = house.get("mail.example.org", &format!("{WELL_KNOWN}?emailaddress={foreign}"));
        assert!(answer.status == 404 && !answer.body.contains("<domain>"), "{foreign}: {answer:?}");
    }
    assert_eq!(house.get("mail.example.org", WELL_KNOWN).status, 404);
    assert_eq!(house.get("autoconfig.other.example", "/mail/config-v1.1.xml").status, 421);
}

/// Under those names there is nothing else: nobody signs in there, and people are led to where there are pages.
#[test]
fn the_hosts_of_programs_have_no_pages() {
    let house = House::with(CLIENTS, "");
    for host in ["autoconfig.example.org", "autodiscover.xn--bcher-kva.example"] {
        for path in ["/", "/sign-in", "/account", "/admin", "/metrics", "/nothing"] {
            assert_eq!(house.get(host, path).status, 404, "{host}{path}");
        }
        assert_eq!(house.get(host, "/set-up").location(), "https://mail.example.org/set-up", "{host}");
    }
}

const XML: &str = "/autodiscover/autodiscover.xml";

fn asked(address: &str) -> String {
    let schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
         <Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    )
}

/// Each protocol of an answer to Outlook: type, server, port, name to log in by, how TLS begins.
const PROTOCOLS: &str = "import sys,xml.etree.ElementTree as t
n='{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}'
r=t.fromstring(sys.stdin.buffer.read())
assert r.tag=='{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}Autodiscover', r.tag
a=r.find(n+'Response/'+n+'Account')
assert (a.findtext(n+'AccountType'),a.findtext(n+'Action'))==('email','settings')
for p in a.iter(n+'Protocol'): print(*(p.findtext(n+f) for f in ('Type','Server','Port','LoginName','Encryption')))";

#[test]
fn outlook_finds_them_whatever_address_it_asks_for() {
    let house = House::with(CLIENTS, "");
    let protocols = |name: &str| {
        [
            format!("IMAP imap.example.org 993 {name} SSL"),
            format!("SMTP mail.example.org {} {name} SSL", house.ports[0]),
        ]
    };
    for (written, name) in [
        ("alice@example.org", "alice@example.org"),
        ("\"&lt;/LoginName&gt;&lt;x y='&amp;'&gt;\"@example.org", "\"</LoginName><x y='&'>\"@example.org"),
        ("<![CDATA[\"]]]]><![CDATA[>\"@example.org]]>", "\"]]>\"@example.org"),
        ("j\u{fc}rgen@b\u{fc}cher.example", "j\u{fc}rgen@b\u{fc}cher.example"),
    ] {
        for (host, path) in [
            ("autodiscover.example.org", XML),
            ("mail.example.org", "/Autodiscover/Autodiscover.xml"),
            ("mail.example.org", "/AUTODISCOVER/AUTODISCOVER.XML"),
        ] {
            let answer = house.post(host, path, &asked(written));
            assert_eq!(
                (answer.status, answer.header("cache-control")),
                (200, Some("no-store")),
                "{answer:?}"
            );
            let found = python(PROTOCOLS, &answer.octets);
            assert_eq!(found.lines().collect::<Vec<_>>(), protocols(name), "{written}");
        }
    }
    assert_eq!(house.post("mail.example.org", XML, &asked("alice@other.example")).status, 404);
    assert_eq!(house.post("mail.example.org", XML, &asked(&"x".repeat(8 * 1024))).status, 413);
    let entity = asked("&x;@example.org").replacen(
        "<Autodiscover",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Autodiscover",
        1,
    );
    for (wrong, code) in [
        ("address=alice", 600),
        (&entity, 600),
        (&asked("alice"), 600),
        (&asked("alice@example.org").replace("/outlook/responseschema", "/mobilesync/responseschema"), 601),
    ] {
        let answer = house.post("mail.example.org", XML, wrong);
        assert!(
            answer.status == 200 && answer.body.contains(&format!("<ErrorCode>{code}</ErrorCode>")),
            "{answer:?}"
        );
    }
    assert_eq!(house.get("mail.example.org", XML).status, 405);
}

#[test]
fn the_new_protocol_of_outlook_is_led_to_the_old_one() {
    let house = House::with(CLIENTS, "");
    let pointer = "{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"https://mail.example.org/autodiscover/autodiscover.xml\"}";
    for (host, path) in [
        ("autodiscover.example.org", "/autodiscover/autodiscover.json?Protocol=AutodiscoverV1"),
        (
            "mail.example.org",
            "/Autodiscover/Autodiscover.json/v1.0/alice%40example.org?Protocol=autodiscoverv1",
        ),
        (
            "mail.example.org",
            "/autodiscover/autodiscover.json?Email=alice%40example.org&Protocol=AutodiscoverV1",
        ),
    ] {
        let answer = house.get(host, path);
        assert_eq!((answer.status, answer.body.as_str()), (200, pointer), "{path}");
    }
    let other =
        house.get("mail.example.org", "/autodiscover/autodiscover.json?Email=a%40example.org&Protocol=EWS");
    assert!(other.status == 400 && other.body.contains("InvalidProtocol"), "{other:?}");
    assert_eq!(
        house
            .get(
                "mail.example.org",
                "/autodiscover/autodiscover.json/v1.0/a%40other.example?Protocol=AutodiscoverV1"
            )
            .status,
        404
    );
}

/// D11: without a server to read mail from programs take nothing, and people are told of the outgoing server alone. A reload changes that.
#[test]
fn people_are_told_the_same_and_a_reload_changes_what_programs_find() {
    let house = House::with("", "");
    let page = house.get("mail.example.org", "/set-up");
    assert!(page.status == 200 && !page.body.contains("Incoming server"), "{}", page.body);
    for words in [
        "<code>mail.example.org</code>".to_owned(),
        format!("<code>{}</code>, SSL/TLS", house.ports[0]),
        format!("<code>{}</code>, STARTTLS", house.ports[1]),
        format!("smtps://you%40example.org@mail.example.org:{}/", house.ports[0]),
        "tls_starttls off".to_owned(),
        "Example &#38; &#60;Org&#62;".to_owned(),
    ] {
        assert!(page.body.contains(&words), "{words}: {}", page.body);
    }
    assert!(!page.body.contains("autoconfig.xml"));
    assert_eq!(house.get("mail.example.org", WELL_KNOWN).status, 404);
    assert_eq!(house.get("autoconfig.example.org", "/mail/config-v1.1.xml").status, 421);
    assert_eq!(house.post("mail.example.org", XML, &asked(ALICE)).status, 404);

    house.installation.configure(&House::settings(house.ports, CLIENTS, ""));
    house.reload();
    assert!(!house.server.log().contains("event=reload.partial"), "{}", house.server.log());
    let page = house.get("mail.example.org", "/set-up");
    for words in ["Incoming server (IMAP)", "<code>imap.example.org</code>", "<code>993</code>, SSL/TLS"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert_eq!(outgoing(&house.get("autoconfig.example.org", "/mail/config-v1.1.xml")).len(), 2);
}

#[test]
fn a_listener_that_does_not_serve_clients_has_nothing_of_it() {
    let house = House::with(CLIENTS, "serve = [\"account\"]\n");
    for path in ["/set-up", WELL_KNOWN] {
        assert_eq!(house.get("mail.example.org", path).status, 404, "{path}");
    }
    assert_eq!(house.post("mail.example.org", XML, &asked(ALICE)).status, 404);
    assert!(house.get("mail.example.org", "/sign-in").body.contains("Sign in"));
    assert!(house.server.log().contains("clients-not-served"));
}

/// The page of an app password that was just made, and its letters.
fn made(house: &House) -> (Browser, Answer, String) {
    let mut browser = house.browser();
    sign_in(&mut browser, ALICE, PASSWORD);
    let page = browser.get("/account/app-passwords/new");
    let made = browser.send(&page, "/account/app-passwords", &[("label", "phone"), ("number", "1")]);
    let (_, letters) = made.body.split_once("data-copy=\"").unwrap_or_else(|| panic!("{made:?}"));
    let letters = letters.split('"').next().unwrap().to_owned();
    (browser, made, letters)
}

const PROFILE: &str = "/account/app-passwords/profile";

/// What a profile says, as lines `key=value`.
const PLIST: &str = "import sys,plistlib
p=plistlib.loads(sys.stdin.buffer.read())
assert p['PayloadType']=='Configuration' and p['PayloadVersion']==1 and len(p['PayloadContent'])==1
for k,v in sorted(p['PayloadContent'][0].items()): print(k+'='+str(v))
print('outer='+p['PayloadIdentifier']); print('name='+p['PayloadDisplayName'])
assert p['PayloadUUID']!=p['PayloadContent'][0]['PayloadUUID']";

#[test]
fn apple_devices_get_a_profile_with_the_password_signed_by_the_server() {
    let house = House::with(CLIENTS, "");
    let (mut browser, page, letters) = made(&house);
    assert!(
        page.body.contains("iPhone, iPad and Mac") && !page.body.contains("is not signed"),
        "{}",
        page.body
    );
    let keys = [
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap(),
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
        KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap(),
    ];
    for key in keys {
        let kind = format!("{:?}", key.algorithm());
        let pair = house.installation.authority.sign_key(key);
        pair.write(&house.installation.path("fullchain.pem"), &house.installation.path("privkey.pem"));
        house.reload();
        let profile = browser.send(&page, PROFILE, &[("letters", &letters)]);
        assert_eq!(
            (profile.status, profile.header("cache-control")),
            (200, Some("no-store")),
            "{kind}: {profile:?}"
        );
        assert_eq!(profile.header("content-type"), Some("application/x-apple-aspen-config"));
        assert_eq!(
            profile.header("content-disposition"),
            Some("attachment; filename=\"gatepost.mobileconfig\"")
        );
        std::fs::write(house.installation.path("profile"), &profile.octets).unwrap();
        let mut verify = Command::new("openssl");
        verify
            .args(["cms", "-verify", "-inform", "DER", "-purpose", "any", "-in"])
            .arg(house.installation.path("profile"));
        verify.arg("-CAfile").arg(house.installation.path("ca.pem"));
        verify.arg("-signer").arg(house.installation.path("signer.pem"));
        let output = run(&mut verify, "");
        assert!(output.status.success(), "{kind}: {output:?}");
        let signer = std::fs::read_to_string(house.installation.path("signer.pem")).unwrap();
        assert!(
            signer.replace(['\r', '\n'], "").contains(&pair.certificate.replace(['\r', '\n'], "")),
            "{kind}: {signer}"
        );
        let said = python(PLIST, &output.stdout);
        let id = tests::server::text(&house.installation.json(&["app-password", "list", ALICE])[0], "id");
        for line in [
            "PayloadType=com.apple.mail.managed".to_owned(),
            "EmailAccountType=EmailTypeIMAP".to_owned(),
            format!("EmailAddress={ALICE}"),
            "IncomingMailServerHostName=imap.example.org".to_owned(),
            "IncomingMailServerPortNumber=993".to_owned(),
            "OutgoingMailServerHostName=mail.example.org".to_owned(),
            format!("OutgoingMailServerPortNumber={}", house.ports[0]),
            "OutgoingMailServerUseSSL=True".to_owned(),
            "OutgoingMailServerAuthentication=EmailAuthPassword".to_owned(),
            format!("OutgoingMailServerUsername={ALICE}"),
            format!("OutgoingPassword={letters}"),
            "OutgoingPasswordSameAsIncomingPassword=False".to_owned(),
            format!("outer=org.example.mail.gatepost.{id}"),
            format!("name=Example & <Org>: {ALICE}"),
        ] {
            assert!(said.lines().any(|said| said == line), "{kind}: {line}: {said}");
        }
        assert!(!said.lines().any(|line| line.starts_with("IncomingPassword=")), "{said}");
    }
    // Changed, it is no longer what was signed.
    let mut profile = std::fs::read(house.installation.path("profile")).unwrap();
    let at = profile.windows(letters.len()).position(|window| window == letters.as_bytes()).unwrap();
    profile[at] ^= 1;
    std::fs::write(house.installation.path("profile"), profile).unwrap();
    let mut verify = Command::new("openssl");
    verify
        .args(["cms", "-verify", "-inform", "DER", "-purpose", "any", "-in"])
        .arg(house.installation.path("profile"));
    verify.arg("-CAfile").arg(house.installation.path("ca.pem"));
    assert!(!run(&mut verify, "").status.success());
    assert!(!house.server.log().contains(&letters));
}

#[test]
fn a_profile_is_for_its_owner_and_of_a_password_that_is_good() {
    let house = House::with(CLIENTS, "");
    house.installation.add_user("bob@example.org", PASSWORD);
    let (mut browser, page, letters) = made(&house);
    for other in ["", "abcdefghijklmnop", "not letters", PASSWORD] {
        assert_eq!(browser.send(&page, PROFILE, &[("letters", other)]).status, 404, "{other}");
    }
    assert_eq!(browser.post(PROFILE, &[("letters", &letters)]).status, 403, "without a token");
    assert_eq!(house.browser().post(PROFILE, &[("letters", &letters)]).location(), "/sign-in");
    assert_eq!(browser.get(PROFILE).status, 405);
    // Of Bob's own page, with Alice's letters.
    let mut bob = house.browser();
    sign_in(&mut bob, "bob@example.org", PASSWORD);
    let form = bob.get("/account/app-passwords/new");
    let of_bob = bob.send(&form, "/account/app-passwords", &[("label", "phone"), ("number", "1")]);
    assert_eq!(bob.send(&of_bob, PROFILE, &[("letters", &letters)]).status, 404);
    house.installation.done(&["app-password", "revoke", ALICE, "phone"]);
    assert_eq!(browser.send(&page, PROFILE, &[("letters", &letters)]).status, 404, "revoked");
}

#[test]
fn a_certificate_that_cannot_sign_leaves_the_profile_unsigned_and_the_page_says_so() {
    let house = House::with(CLIENTS, "");
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let pair = house.installation.authority.sign_key(key);
    pair.write(&house.installation.path("fullchain.pem"), &house.installation.path("privkey.pem"));
    house.reload();
    let (mut browser, page, letters) = made(&house);
    assert!(page.body.contains("the device will say that the profile is not signed"), "{}", page.body);
    let profile = browser.send(&page, PROFILE, &[("letters", &letters)]);
    assert!(python(PLIST, &profile.octets).contains(&format!("OutgoingPassword={letters}\n")));
}

/// The incoming server is that of some domains: others are told of the outgoing one alone.
#[test]
fn an_account_of_another_domain_gets_no_profile() {
    let house = House::with(CLIENTS.replace("\"example.org\", ", "").as_str(), "");
    let (mut browser, page, letters) = made(&house);
    assert!(
        !page.body.contains("iPhone, iPad and Mac") && !page.body.contains("Incoming server"),
        "{}",
        page.body
    );
    let form = browser.get("/account");
    let token = form.token("/sign-out");
    assert_eq!(
        browser.post(PROFILE, &[("csrf", &token), ("letters", &letters)]).status,
        403,
        "there is no form"
    );
}

#[test]
fn a_device_that_a_link_has_set_up_gets_its_profile_in_the_browser_that_has_used_the_link() {
    let house = House::with(CLIENTS, "");
    let mut owner = house.browser();
    sign_in(&mut owner, ALICE, PASSWORD);
    let (_, link) = device_link(&mut owner, "phone");
    let mut device = house.browser();
    let question = device.get(&link);
    let path = format!("{link}/profile");
    let token = question.token(&link);
    assert_eq!(
        device.post(&path, &[("csrf", &token), ("letters", "abcdefghijklmnop")]).status,
        403,
        "of another path"
    );
    let made = device.send(&question, &link, &[]);
    let (_, letters) = made.body.split_once("data-copy=\"").unwrap_or_else(|| panic!("{made:?}"));
    let letters = letters.split('"').next().unwrap();
    let profile = device.send(&made, &path, &[("letters", letters)]);
    assert_eq!(
        (profile.status, profile.header("content-type")),
        (200, Some("application/x-apple-aspen-config"))
    );
    assert!(profile.octets.windows(letters.len()).any(|window| window == letters.as_bytes()));
    assert_eq!(device.send(&made, &path, &[("letters", "abcdefghijklmnop")]).status, 404);
    device.cookies.clear();
    assert_eq!(device.send(&made, &path, &[("letters", letters)]).status, 403, "another browser");
}

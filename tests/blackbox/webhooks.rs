//! Webhooks: a receiver by other hands is told of what happens, signed, once it can be reached and proves its name.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use dns::fake::{Entry, FakeDns};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::authority::{Authority, Pair};
use tests::server::{Installation, Settings, text, until};

const HOST: &str = "hooks.example.net";

/// What a receiver was asked.
#[derive(Debug, Clone)]
struct Asked {
    head: String,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// What it was told.
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver that answers in turn with these statuses, and with the last of them from then on.
struct Receiver {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Receiver {
    fn start(pair: &Pair, statuses: Vec<&'static str>) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Receiver { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let (asked, tls) = (receiver.asked.clone(), tls(pair));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let mut stream = StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), socket);
                let Some(one) = read(&mut stream) else { continue };
                let number = asked.lock().unwrap().len();
                let status = statuses.get(number).or(statuses.last()).unwrap();
                asked.lock().unwrap().push(one);
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        receiver
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn until_asked(&self, times: usize) -> Vec<Asked> {
        until("the receiver was asked", || Some(self.asked()).filter(|asked| asked.len() >= times))
    }
}

/// The request, as far as its length says.
fn read(stream: &mut impl std::io::Read) -> Option<Asked> {
    let (mut octets, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        octets.extend_from_slice(&chunk[..read]);
        let whole = String::from_utf8_lossy(&octets).into_owned();
        let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
            return Some(Asked { head: head.to_owned(), body: body.to_owned() });
        }
    }
}

fn tls(pair: &Pair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

struct House {
    authority: Authority,
    _dns: FakeDns,
    installation: Installation,
}

impl House {
    /// Where webhooks may be in these networks.
    fn new(networks: &str) -> House {
        let (authority, dns, installation) =
            (Authority::new(), FakeDns::start(), Installation::new(&Settings::default()));
        dns.set(HOST, [Entry::Address("127.0.0.1".parse().unwrap())]);
        std::fs::write(installation.path("anchors"), dns.trust_anchors()).unwrap();
        std::fs::write(installation.path("hooks.pem"), authority.pem()).unwrap();
        let delivery = format!(
            "tls_ca = \"hooks.pem\"\n[dns]\nservers = [\"{}\"]\ntrust_anchors = \"anchors\"",
            dns.address()
        );
        let web =
            format!("[web]\nbase_url = \"https://mail.example.org\"\nwebhook_networks = [{networks}]\n");
        installation.configure(&Settings { delivery, web, ..Settings::default() });
        House { authority, _dns: dns, installation }
    }

    fn pair(&self) -> Pair {
        self.authority.sign_for(&[HOST])
    }

    /// Adds a webhook at this receiver; its identifier and its secret.
    fn add(&self, receiver: &Receiver) -> (String, String) {
        let url = format!("https://{HOST}:{}/mail", receiver.port);
        let events = ["--event", "account.added", "--event", "account.removed"];
        let added = self.installation.json(&[&["webhook", "add", &url][..], &events].concat());
        (text(&added, "id"), text(&added, "secret"))
    }

    fn deliveries(&self, id: &str) -> Vec<Value> {
        self.installation.json(&["webhook", "list", id]).as_array().unwrap().clone()
    }
}

/// As <https://www.standardwebhooks.com> has it.
fn signature(secret: &str, asked: &Asked) -> String {
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (asked.header("webhook-id"), asked.header("webhook-timestamp"));
    mac.update(format!("{id}.{at}.{}", asked.body).as_bytes());
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[test]
fn a_webhook_is_told_of_what_happens_signed_and_again_until_it_takes_it() {
    let house = House::new("\"127.0.0.0/8\"");
    let receiver = Receiver::start(&house.pair(), vec!["503 Later", "204 Taken"]);
    house.installation.add_user("before@example.org", "correct horse");
    let (id, secret) = house.add(&receiver);
    let server = house.installation.start();
    house.installation.add_user("alice@example.org", "correct horse");
    let asked = receiver.until_asked(2);
    let [first, second] = &asked[..] else { panic!("{asked:?}") };
    assert!(
        first.head.starts_with("POST /mail HTTP/1.1") && first.header("content-type") == "application/json"
    );
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"), "the same event");
    assert_eq!(first.body, second.body);
    for one in &asked {
        assert_eq!(one.header("webhook-signature"), signature(&secret, one));
    }
    let told = first.json();
    assert_eq!(
        (&told["type"], &told["data"]["account"]),
        (&json!("account.added"), &json!("alice@example.org"))
    );
    let delivery = until("it is written down", || {
        house.deliveries(&id).pop().filter(|delivery| delivery["state"] == "delivered")
    });
    assert_eq!((&delivery["attempts"], &delivery["status"]), (&json!(2), &json!(204)));
    house.installation.done(&["webhook", "test", &id]);
    assert_eq!(receiver.until_asked(3)[2].json()["type"], "webhook.test");
    let listed = house.installation.done(&["webhook", "list", "--json"]);
    assert!(!listed.contains(&secret), "{listed}");
    house.installation.done(&["webhook", "remove", &id, "--yes"]);
    assert_eq!(house.installation.json(&["webhook", "list"]), json!([]));
    let trail = house.installation.json(&["audit", "list", "--action", "webhook-remove"]);
    assert_eq!(trail[0]["credential"], id.as_str());
    drop(server);
}

#[test]
fn a_webhook_that_wants_no_more_is_switched_off() {
    let house = House::new("\"127.0.0.0/8\"");
    let receiver = Receiver::start(&house.pair(), vec!["410 Gone", "200 Taken"]);
    let (id, _) = house.add(&receiver);
    let server = house.installation.start();
    house.installation.add_user("alice@example.org", "correct horse");
    let is_off = || !house.installation.json(&["webhook", "list"])[0]["disabled_at"].is_null();
    until("it is switched off", || is_off().then_some(()));
    house.installation.add_user("bob@example.org", "correct horse");
    house.installation.done(&["webhook", "test", &id]);
    let asked = receiver.until_asked(2);
    assert_eq!(asked[1].json()["type"], "webhook.test", "it was not told of Bob");
    until("it is on again", || (!is_off()).then_some(()));
    drop(server);
}

#[test]
fn nobody_is_told_who_is_inside_or_does_not_prove_its_name() {
    for (networks, names, said) in
        [("", HOST, "this machine"), ("\"127.0.0.0/8\"", "other.example.net", "certificate")]
    {
        let house = House::new(networks);
        let receiver = Receiver::start(&house.authority.sign_for(&[names]), vec!["204 Taken"]);
        let (id, _) = house.add(&receiver);
        let server = house.installation.start();
        house.installation.done(&["webhook", "test", &id]);
        let delivery = until("it was tried", || {
            house.deliveries(&id).pop().filter(|delivery| delivery["attempts"] != json!(0))
        });
        assert!(text(&delivery, "error").contains(said), "{delivery}");
        assert!(receiver.asked().is_empty());
        drop(server);
    }
}

#[test]
fn a_webhook_is_https_at_a_name_for_events_that_there_are() {
    let installation = Installation::new(&Settings::default());
    for url in ["http://127.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "mail"] {
        let output = installation.run(&["webhook", "add", url, "--event", "account.added"], "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains("the URL of a webhook"), "{url}: {said}");
    }
    let unknown = ["webhook", "add", "https://hooks.example.net/", "--event", "webhook.test"];
    assert_eq!(installation.run(&unknown, "").status.code(), Some(2));
    let output = installation.run(&["webhook", "remove", "01arz3", "--yes"], "");
    assert!(String::from_utf8(output.stderr).unwrap().contains("`gatepost webhook list` shows"));
}

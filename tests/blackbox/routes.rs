//! Routes: by domain and by sender, each with its own host, login and schedule; and destinations that don't keep each other waiting.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dns::fake::{Entry, FakeDns};
use serde_json::Value;
use tests::maildir;
use tests::server::{Installation, Server, Settings, text, until};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const ALICE: &str = "alice@example.org";
const BRAND: &str = "shop@brand.example";
const PASSWORD: &str = "correct horse";

fn installed(delivery: &str) -> Installation {
    let installation = Installation::new(&settings(delivery));
    for user in [ALICE, BRAND] {
        installation.add_user(user, PASSWORD);
    }
    installation
}

fn settings(delivery: &str) -> Settings {
    Settings { delivery: delivery.to_owned(), ..Settings::default() }
}

fn send(server: &Server, installation: &Installation, from: &str, to: &[&str], name: &str) -> String {
    let mut client = server.logged_in(installation, from, PASSWORD);
    let text = String::from_utf8(letter(name, "the text\r\n")).unwrap().replace(ALICE, from);
    let reply = client.send(from, to, text.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

fn with_login() -> Script {
    Script { capabilities: vec!["PIPELINING", "8BITMIME", "AUTH PLAIN"], ..Script::default() }
}

/// The passwords that a host was told.
fn logins(host: &Smarthost) -> Vec<String> {
    let lines = host.lines().into_iter().filter(|line| line.starts_with("AUTH PLAIN"));
    lines.map(|line| line["AUTH PLAIN ".len()..].to_owned()).collect()
}

/// `user` and `password` as AUTH PLAIN has them (RFC 4616).
fn plain(user: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{user}\0{password}"))
}

#[test]
fn mail_takes_the_first_route_that_is_for_its_recipient_and_its_sender() {
    let (partner, brand, rest) =
        (Smarthost::start(with_login()), Smarthost::start(with_login()), Smarthost::start(with_login()));
    let installation = installed(&format!(
        "via = \"smtp://{}\"\ntls = \"off\"\nusername = \"all\"\npassword_file = \"all.password\"\n\
         [[delivery.route]]\ndomains = [\"partner.example\", \"*.partner.example\"]\nsenders = [\"*@brand.example\"]\n\
         via = \"smtp://{}\"\nusername = \"us\"\npassword_file = \"partner.password\"\n\
         [[delivery.route]]\nsenders = [\"{BRAND}\"]\nvia = \"smtp://{}\"",
        rest.address, partner.address, brand.address
    ));
    fs::write(installation.path("all.password"), "for all\n").unwrap();
    fs::write(installation.path("partner.password"), "for the partner\n").unwrap();
    let checked = installation.done(&["check", "--connect"]);
    assert!(!checked.contains("smarthost"), "{checked}");
    for host in [&partner, &brand, &rest] {
        assert_eq!(host.connections(), 1, "each was tried");
    }
    let server = installation.start();
    let to = ["a@partner.example", "b@sub.partner.example", "c@other.example"];
    send(&server, &installation, BRAND, &to, "brand");
    send(&server, &installation, ALICE, &to, "alice");
    // Recipients that share a host share a delivery.
    assert_eq!(partner.until_messages(1)[0].recipients, to[..2]);
    assert_eq!(brand.until_messages(1)[0].recipients, to[2..]);
    assert_eq!(rest.until_messages(1)[0].recipients, to);
    installation.until_queue_is_empty();
    for (host, login) in [(&partner, plain("us", "for the partner")), (&rest, plain("all", "for all"))] {
        let found = logins(host);
        assert!(!found.is_empty() && found.iter().all(|one| *one == login), "{found:?}");
    }
    assert!(logins(&brand).is_empty(), "no host is told the password of another");
    assert!(server.terminate().success());
}

#[test]
fn a_reload_takes_up_the_password_of_a_route_and_loses_no_message() {
    let refuses = |line: &str, _: usize| {
        let wrong = line.starts_with("AUTH") && !line.contains(&plain("us", "right"));
        wrong.then(|| "535 5.7.8 no".to_owned())
    };
    let host = Smarthost::start(Script { answer: Box::new(refuses), ..with_login() });
    let installation = installed(&format!(
        "via = \"hold\"\ntls = \"off\"\n[[delivery.route]]\ndomains = [\"partner.example\"]\nvia = \"smtp://{}\"\n\
         username = \"us\"\npassword_file = \"p\"\nretry = {{ first = \"1s\", max = \"2s\" }}",
        host.address
    ));
    fs::write(installation.path("p"), "wrong\n").unwrap();
    let server = installation.start();
    let mut open = server.logged_in(&installation, ALICE, PASSWORD);
    let id = send(&server, &installation, ALICE, &["a@partner.example"], "one");
    let recipient = || installation.json(&["queue", "show", &id])["recipients"][0].clone();
    until("the login is refused", || {
        recipient()["last_reply"].as_str().is_some_and(|reply| reply.contains("535")).then_some(())
    });
    fs::write(installation.path("p"), "right\n").unwrap();
    server.signal("HUP");
    server.until_logged("event=reloaded");
    assert_eq!(host.until_messages(1).len(), 1);
    let reply = open.send(ALICE, &["a@partner.example"], &letter("two", "the text\r\n")).unwrap();
    assert_eq!(reply.code, 250, "the connection is still there");
    host.until_messages(2);
    installation.until_queue_is_empty();
}

#[test]
fn a_route_has_a_schedule_of_its_own() {
    let busy = || Script {
        answer: Box::new(|line, _| line.starts_with("MAIL").then(|| "450 4.2.1 later".to_owned())),
        ..Script::default()
    };
    let (quick, slow) = (Smarthost::start(busy()), Smarthost::start(busy()));
    let installation = installed(&format!(
        "via = \"smtp://{}\"\ntls = \"off\"\n[[delivery.route]]\ndomains = [\"quick.example\"]\nvia = \"smtp://{}\"\n\
         retry = {{ first = \"1s\", max = \"1s\", give_up = \"3s\" }}",
        slow.address, quick.address
    ));
    let server = installation.start();
    let id = send(&server, &installation, ALICE, &["a@quick.example", "b@slow.example"], "one");
    let recipients = || installation.json(&["queue", "show", &id])["recipients"].as_array().unwrap().clone();
    let states = || recipients().iter().map(|one| text(one, "state")).collect::<Vec<_>>();
    until("the quick route gives up", || (states() == ["failed", "deferred"]).then_some(()));
    let recipients = recipients();
    assert!(recipients[0]["attempts"].as_u64().unwrap() >= 3, "{recipients:?}");
    assert_eq!(recipients[1]["attempts"], 1);
}

#[test]
fn who_waits_takes_the_routes_of_a_new_configuration() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = dead.local_addr().unwrap();
    drop(dead);
    let installation = installed(&format!("via = \"smtp://{address}\"\ntls = \"off\""));
    let server = installation.start();
    let ids: Vec<String> = [ALICE, BRAND]
        .iter()
        .map(|from| send(&server, &installation, from, &["a@x.example"], from))
        .collect();
    let state = |id: &String| text(&installation.json(&["queue", "show", id])["recipients"][0], "state");
    until("both are deferred", || ids.iter().all(|id| state(id) == "deferred").then_some(()));
    let (brand, rest) = (Smarthost::start(Script::default()), Smarthost::start(Script::default()));
    installation.configure(&settings(&format!(
        "via = \"smtp://{}\"\ntls = \"off\"\n[[delivery.route]]\nsenders = [\"*@brand.example\"]\nvia = \"smtp://{}\"",
        rest.address, brand.address
    )));
    server.signal("HUP");
    server.until_logged("event=reloaded");
    installation.done(&["queue", "retry", &ids[0], &ids[1]]);
    assert_eq!(rest.until_messages(1)[0].sender, ALICE);
    assert_eq!(brand.until_messages(1)[0].sender, BRAND);
}

#[test]
fn warnings_name_the_key_of_a_route() {
    let installation = installed(
        "via = \"maildir:out\"\n[[delivery.route]]\nsenders = [\"*@brand.example\"]\nvia = \"hold\"\n\
         [[delivery.route]]\ndomains = [\"a.example\"]\nvia = \"smtp://127.0.0.1:9\"\ntls = \"opportunistic\"",
    );
    let found = installation.json(&["check"]);
    let findings = found["warnings"].as_array().unwrap();
    let keys: Vec<&Value> = findings.iter().map(|finding| &finding["key"]).collect();
    for key in ["delivery.route.via", "delivery.route.tls"] {
        assert!(keys.iter().any(|found| *found == key), "{key}: {found}");
    }
}

/// A house whose mail goes where the DNS says.
struct World {
    dns: FakeDns,
    installation: Installation,
}

impl World {
    fn new() -> World {
        let (dns, installation) = (FakeDns::start(), Installation::with_maildir());
        fs::write(installation.path("anchors"), dns.trust_anchors()).unwrap();
        installation.configure(&settings(&format!(
            "[[delivery.route]]\ndomains = [\"example.org\"]\nvia = \"maildir:outbox\"\n[delivery.mx]\nallow_networks = [\"127.0.0.0/8\"]\n[dns]\nservers = [\"{}\"]\ntrust_anchors = \"anchors\"",
            dns.address()
        )));
        installation.add_user(ALICE, PASSWORD);
        World { dns, installation }
    }
}

/// Somebody in each of sixty domains, whose mail goes to this host.
fn sixty(world: &World, host: &Smarthost) -> Vec<String> {
    let domains: Vec<String> = (0..60).map(|number| format!("d{number}.example")).collect();
    for domain in &domains {
        world.dns.set(domain, [Entry::mx(10, "mx.example")]);
    }
    world.dns.set("mx.example", [Entry::Address(host.address.ip())]);
    domains.iter().map(|domain| format!("bob@{domain}")).collect()
}

/// Of whom the reports tell that lie in the Maildir of the sender.
fn reported(world: &World) -> Vec<String> {
    let reports = maildir::messages(&world.installation.path("outbox"));
    let texts: Vec<_> = reports.iter().map(|report| String::from_utf8_lossy(report)).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let mut told: Vec<_> =
        lines.filter_map(|line| line.strip_prefix("Final-Recipient: rfc822; ")).map(str::to_owned).collect();
    told.sort();
    told
}

#[test]
fn bnc_04_a_message_that_sixty_domains_refuse_is_told_of_in_one_report() {
    let refuse = |line: &str, _: usize| line.starts_with("RCPT").then(|| "550 5.1.1 nobody here".to_owned());
    let host = Smarthost::mail_host(Script { answer: Box::new(refuse), ..Script::default() });
    let world = World::new();
    let mut to = sixty(&world, &host);
    let server = world.installation.start();
    send(&server, &world.installation, ALICE, &to.iter().map(String::as_str).collect::<Vec<_>>(), "to all");
    world.installation.until_queue_is_empty();
    to.sort();
    assert_eq!(reported(&world), to);
    assert_eq!(maildir::messages(&world.installation.path("outbox")).len(), 1);
    drop(server);
}

/// Whenever it dies, each failure is told once; by the next server, if this one did not come to it.
#[test]
fn bnc_04_a_server_that_is_killed_while_sixty_domains_refuse_tells_each_once() {
    let refuse = |line: &str, _: usize| {
        if line.starts_with("RCPT") {
            std::thread::sleep(Duration::from_millis(20));
        }
        line.starts_with("RCPT").then(|| "550 5.1.1 nobody here".to_owned())
    };
    let host = Smarthost::mail_host(Script { answer: Box::new(refuse), ..Script::default() });
    let world = World::new();
    let mut to = sixty(&world, &host);
    let mut server = world.installation.start();
    send(&server, &world.installation, ALICE, &to.iter().map(String::as_str).collect::<Vec<_>>(), "to all");
    for failed in [1, 20, 45, 60] {
        until("so many have failed", || {
            let queue = world.installation.queue();
            let id = queue.iter().find(|entry| text(entry, "sender") == ALICE).map(|entry| text(entry, "id"));
            let Some(id) = id else { return Some(()) };
            let shown = world.installation.json(&["queue", "show", &id]);
            let states = shown["recipients"].as_array().unwrap().iter();
            (states.filter(|one| text(one, "state") == "failed").count() >= failed).then_some(())
        });
        server.kill();
        server = world.installation.start();
    }
    world.installation.until_queue_is_empty();
    to.sort();
    assert_eq!(reported(&world), to);
    drop(server);
}

#[test]
fn a_message_to_sixty_domains_goes_to_each_of_them() {
    let (world, host) = (World::new(), Smarthost::mail_host(Script::default()));
    let to = sixty(&world, &host);
    let server = world.installation.start();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    send(&server, &world.installation, ALICE, &to, "to all");
    let mut arrived: Vec<String> =
        host.until_messages(60).into_iter().flat_map(|message| message.recipients).collect();
    world.installation.until_queue_is_empty();
    let mut to: Vec<String> = to.into_iter().map(str::to_owned).collect();
    arrived.sort();
    to.sort();
    assert_eq!(arrived, to);
}

#[test]
fn an_account_that_floods_a_destination_keeps_no_other_account_waiting() {
    let slow = |line: &str, _: usize| {
        if line == "." {
            std::thread::sleep(Duration::from_millis(200));
        }
        None
    };
    let host = Smarthost::start(Script { answer: Box::new(slow), ..Script::default() });
    let installation =
        installed(&format!("via = \"smtp://{}\"\ntls = \"off\"\nconnections = 4", host.address));
    let server = installation.start();
    let mut flood = server.logged_in(&installation, ALICE, PASSWORD);
    for number in 0..600 {
        let reply = flood.send(ALICE, &["a@x.example"], &letter(&number.to_string(), "x\r\n")).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
    }
    let before = host.messages().len();
    send(&server, &installation, BRAND, &["b@x.example"], "mine");
    until("the other's mail arrives", || {
        host.messages().iter().any(|message| message.sender == BRAND).then_some(())
    });
    let meanwhile = host.messages().len() - before;
    assert!(meanwhile < 50, "{meanwhile} of the flood went first");
    assert!(host.connections() <= 4, "{}", host.connections());
}

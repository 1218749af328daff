//! What there is much of keeps nothing else waiting: mail for a host that is silent, the domains of one message, an account that floods.

use std::io::Read as _;
use std::net::{IpAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use dns::fake::{Entry, FakeDns};
use tests::server::{Installation, Server, Settings, until};
use tests::smarthost::{Script, Smarthost, port_25};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const OTHER: &str = "bob@example.org";

/// All mail goes where this DNS says.
fn by_mx(dns: &FakeDns) -> Installation {
    let delivery = format!(
        "via = \"mx\"\n[delivery.mx]\nallow_networks = [\"127.0.0.0/8\"]\nmta_sts = false\n[dns]\nservers = [\"{}\"]\n\
         trust_anchors = \"anchors\"",
        dns.address()
    );
    let installation = Installation::new(&Settings::default());
    std::fs::write(installation.path("anchors"), dns.trust_anchors()).unwrap();
    installation.configure(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    installation.add_user(OTHER, "correct horse");
    installation
}

fn mail_host(dns: &FakeDns, domain: &str, at: IpAddr) {
    let name = format!("mx.{domain}");
    dns.set(domain, [Entry::mx(10, &name)]);
    dns.set(&name, [Entry::Address(at)]);
}

fn send(server: &Server, installation: &Installation, user: &str, to: &[&str], messages: usize) {
    let mut client = server.logged_in(installation, user, "correct horse");
    for number in 0..messages {
        if number % 50 == 49 {
            client = server.logged_in(installation, user, "correct horse");
        }
        let letter = letter(&format!("{user}-{number}"), "text\r\n");
        let letter = String::from_utf8(letter).unwrap().replace(USER, user);
        let reply = client.send(user, to, letter.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
    }
}

/// A mail host that takes connections and says nothing; how many it has taken.
fn silent() -> (IpAddr, Arc<AtomicUsize>) {
    let (listener, connections): (TcpListener, _) = (port_25(), Arc::<AtomicUsize>::default());
    let (at, counted) = (listener.local_addr().unwrap().ip(), connections.clone());
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || connection.read_to_end(&mut Vec::new()));
        }
    });
    (at, connections)
}

/// The long form is `tests/bench/dead.py`.
#[test]
fn thousands_of_messages_for_a_silent_mail_host_keep_none_for_another_waiting() {
    let (dns, live) = (FakeDns::start(), Smarthost::mail_host(Script::default()));
    let (dead, connections) = silent();
    mail_host(&dns, "dead.example", dead);
    mail_host(&dns, "live.example", live.address.ip());
    let installation = by_mx(&dns);
    let server = installation.start();
    thread::scope(|threads| {
        for user in [USER, OTHER] {
            threads.spawn(|| send(&server, &installation, user, &["a@dead.example"], 700));
        }
    });
    until("the dead host is tried", || (connections.load(Ordering::Relaxed) > 0).then_some(()));
    send(&server, &installation, USER, &["b@live.example"], 20);
    live.until_messages(20);
    assert_eq!(connections.load(Ordering::Relaxed), 1, "one tells whether it is there");
}

/// No host takes its copy before each of them is offered it.
#[test]
fn a_message_to_sixty_domains_goes_to_all_of_them_at_once() {
    let (dns, together) = (FakeDns::start(), Barrier::new(60));
    let answer = move |line: &str, _: usize| {
        if line == "DATA" {
            together.wait();
        }
        None
    };
    let host = Smarthost::mail_host(Script { answer: Box::new(answer), ..Script::default() });
    let domains: Vec<_> = (0..60).map(|number| format!("d{number}.example")).collect();
    domains.iter().for_each(|domain| mail_host(&dns, domain, host.address.ip()));
    let installation = by_mx(&dns);
    let server = installation.start();
    let to: Vec<_> = domains.iter().map(|domain| format!("a@{domain}")).collect();
    send(&server, &installation, USER, &to.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    let mut arrived: Vec<_> =
        host.until_messages(60).into_iter().flat_map(|message| message.recipients).collect();
    arrived.sort();
    let mut to = to;
    to.sort();
    assert_eq!(arrived, to);
    assert_eq!(host.connections(), 60);
    installation.until_queue_is_empty();
}

/// Of the account that floods the host takes as much as it takes at once, and then both take turns.
#[test]
fn an_account_that_floods_keeps_the_mail_of_another_waiting_for_one_turn() {
    let (dns, opens) = (FakeDns::start(), Arc::new(Barrier::new(21)));
    let (waits, waited) = (opens.clone(), AtomicUsize::new(0));
    let answer = move |line: &str, _: usize| {
        // Each of the twenty that are offered at once waits for the test; the first of all shows that the host is there.
        if line == "." && (1..=20).contains(&waited.fetch_add(1, Ordering::Relaxed)) {
            waits.wait();
        }
        None
    };
    let host = Smarthost::mail_host(Script { answer: Box::new(answer), ..Script::default() });
    mail_host(&dns, "live.example", host.address.ip());
    let installation = by_mx(&dns);
    let server = installation.start();
    send(&server, &installation, USER, &["first@live.example"], 1);
    host.until_messages(1);
    send(&server, &installation, USER, &["flood@live.example"], 300);
    send(&server, &installation, OTHER, &["mine@live.example"], 1);
    opens.wait();
    let arrived = host.until_messages(302);
    let place = arrived.iter().position(|message| message.recipients == ["mine@live.example"]).unwrap();
    assert!(place <= 1 + 20 + 40, "it came as number {place}");
    installation.until_queue_is_empty();
}

//! Mail to the hosts that the DNS names. They listen on port 25, each at an address of this machine that is its own.

use std::net::IpAddr;
use std::time::Duration;

use delivery::{MxRules, Routes, Via};
use dns::fake::{Entry, Failure, FakeDns};
use dns::{Families, Upstream};
use store::RecipientState::{self, Deferred, Delivered, Failed};

use crate::office::Office;
use crate::peer::{Manners, Peer, certificate, unreadable_certificate};

/// A carrier that asks this server, and may send mail to this machine.
async fn office(server: &FakeDns) -> Office {
    office_that_may_reach(server, &["127.0.0.0/8"]).await
}

async fn office_that_may_reach(server: &FakeDns, networks: &[&str]) -> Office {
    let upstream = Upstream { servers: vec![server.address()], trust_anchors: None };
    let allow_networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    let (mta_sts, trust) = (true, Vec::new());
    let via = Via::Mx(MxRules { families: Families::Both, dane: true, allow_networks, mta_sts, trust });
    let routes = Routes::new(via, Vec::new());
    let office = Office::asking(&upstream, routes, Duration::from_secs(30)).open();
    office.carrier.tried_to_join().await;
    office
}

/// Has the DNS say that these hosts take mail for `example.org`, the first one best.
fn mail_hosts(server: &FakeDns, hosts: &[IpAddr]) {
    let name = |number: usize| format!("mx{number}.example.org");
    let records =
        (0..hosts.len()).map(|number| Entry::mx(10 * u16::try_from(number).unwrap(), &name(number)));
    server.set("example.org", records.collect::<Vec<_>>());
    for (number, address) in hosts.iter().enumerate() {
        server.set(&name(number), [Entry::Address(*address)]);
    }
}

/// What becomes of one message: state, reply, and who said it.
async fn send(office: &mut Office, to: &str) -> (RecipientState, String, Option<String>) {
    let id = office.submit(&[to]).await;
    let seat = office.tried(id).await.remove(0);
    (seat.state, seat.reply, seat.host)
}

/// An address where nobody listens.
fn nobody() -> IpAddr {
    let [a, b, c] = rand::random();
    [127, a, b, c].into()
}

#[tokio::test]
async fn the_best_host_that_can_be_reached_gets_the_mail() {
    let server = FakeDns::start();
    let (best, first) = Peer::mail_host(Manners::default()).await;
    let (other, second) = Peer::mail_host(Manners::default()).await;
    let mut office = office(&server).await;
    mail_hosts(&server, &[first, second]);
    let (state, reply, host) = send(&mut office, "u@example.org").await;
    assert_eq!((state, host.as_deref()), (Delivered, Some("mx0.example.org:25")), "{reply}");
    assert_eq!((best.texts().len(), other.connections()), (1, 0));

    let server = FakeDns::start();
    let mut office = self::office(&server).await;
    mail_hosts(&server, &[nobody(), second]);
    let (state, reply, host) = send(&mut office, "u@example.org").await;
    assert_eq!((state, host.as_deref()), (Delivered, Some("mx1.example.org:25")), "{reply}");
}

/// RFC 5321 section 5.1.
#[tokio::test]
async fn the_next_host_is_tried_while_nothing_is_decided() {
    let fine = Manners::default;
    for (what, manners, state, by) in [
        ("EHLO", Manners { ehlo: Some("421 4.3.2 too busy"), ..fine() }, Delivered, 1),
        ("MAIL", Manners { mail: "452 4.3.1 the disk is full", ..fine() }, Delivered, 1),
        ("going away", Manners { mail: "421 4.3.2 going away", ..fine() }, Delivered, 1),
        ("RCPT", Manners { rcpt: "450 4.2.0 greylisted", ..fine() }, Delivered, 1),
        ("DATA", Manners { data: "451 4.3.0 not now", ..fine() }, Delivered, 1),
        ("for good", Manners { rcpt: "550 5.1.1 nobody", ..fine() }, Failed, 0),
        ("the text", Manners { text: "451 4.3.0 not now", ..fine() }, Deferred, 0),
    ] {
        let server = FakeDns::start();
        let (first, best) = Peer::mail_host(manners).await;
        let (second, other) = Peer::mail_host(Manners::default()).await;
        mail_hosts(&server, &[best, other]);
        let mut office = office(&server).await;
        let (found, reply, host) = send(&mut office, "u@example.org").await;
        assert_eq!((found, host), (state, Some(format!("mx{by}.example.org:25"))), "{what}: {reply}");
        assert_eq!((first.connections(), second.connections(), second.texts().len()), (1, by, by), "{what}");
    }
}

/// Of one message two recipients: a host that has taken one keeps both, and no other host gets the message a second time.
#[tokio::test]
async fn a_host_that_takes_the_message_for_some_is_the_only_one_to_hear_of_it() {
    let server = FakeDns::start();
    let (first, best) = Peer::mail_host(Manners::default()).await;
    let (second, other) = Peer::mail_host(Manners::default()).await;
    mail_hosts(&server, &[best, other]);
    let mut office = office(&server).await;
    let id = office.submit(&["u@example.org", "later@example.org"]).await;
    let states: Vec<_> = office.tried(id).await.into_iter().map(|seat| seat.state).collect();
    assert_eq!((states, first.texts().len(), second.connections()), (vec![Delivered, Deferred], 1, 0));
}

#[tokio::test]
async fn what_a_host_has_said_of_the_message_tells_more_than_one_that_is_not_there() {
    let server = FakeDns::start();
    let (_first, best) =
        Peer::mail_host(Manners { rcpt: "450 4.2.0 greylisted", ..Manners::default() }).await;
    mail_hosts(&server, &[best, nobody()]);
    let mut office = office(&server).await;
    let (state, reply, host) = send(&mut office, "u@example.org").await;
    assert_eq!((state, host.as_deref()), (Deferred, Some("mx0.example.org:25")), "{reply}");
    assert!(reply.starts_with("450 4.2.0 greylisted"), "{reply}");
}

#[tokio::test]
async fn a_best_host_that_is_back_gets_the_mail_although_another_is_connected() {
    let server = FakeDns::start();
    let (best, first) = Peer::mail_host(Manners::default()).await;
    let (other, second) = Peer::mail_host(Manners::default()).await;
    mail_hosts(&server, &[nobody(), second]);
    let mut office = office(&server).await;
    assert_eq!(send(&mut office, "u@example.org").await.0, Delivered);
    mail_hosts(&server, &[first, second]);
    let (state, reply, host) = send(&mut office, "u@example.org").await;
    assert_eq!((state, host.as_deref()), (Delivered, Some("mx0.example.org:25")), "{reply}");
    assert_eq!((best.texts().len(), other.texts().len()), (1, 1));
}

#[tokio::test]
async fn of_hosts_as_good_as_each_other_the_one_that_is_connected_gets_the_mail() {
    let server = FakeDns::start();
    let (one, first) = Peer::mail_host(Manners::default()).await;
    let (other, second) = Peer::mail_host(Manners::default()).await;
    mail_hosts(&server, &[first, second]);
    server.set("example.org", [Entry::mx(10, "mx0.example.org"), Entry::mx(10, "mx1.example.org")]);
    let mut office = office(&server).await;
    for _ in 0..8 {
        assert_eq!(send(&mut office, "u@example.org").await.0, Delivered);
    }
    assert_eq!(one.connections() + other.connections(), 1);
}

#[tokio::test]
async fn what_the_dns_says_decides_whether_mail_waits() {
    let server = FakeDns::start();
    server.set("null.example", [Entry::mx(0, ".")]);
    server.set("ours.example", [Entry::mx(10, "client.example"), Entry::mx(20, "backup.example")]);
    server.set("circle.example", [Entry::alias("circle.example")]);
    server.set("bare.example", [Entry::txt("no mail here")]);
    server.set("dangling.example", [Entry::mx(10, "gone.example")]);
    server.set("half.example", [Entry::mx(10, "gone.example"), Entry::mx(20, "broken.example")]);
    server.fail("broken.example", Failure::ServFail);
    let mut office = office(&server).await;
    for (domain, state, starts) in [
        ("null.example", Failed, "556 5.1.10 the domain null.example takes no mail"),
        ("nowhere.example", Failed, "550 5.1.2 the domain nowhere.example does not exist"),
        ("ours.example", Failed, "554 5.4.6 this server is itself"),
        ("circle.example", Failed, "554 5.4.6 the aliases (CNAME) of circle.example"),
        ("bare.example", Failed, "550 5.4.4 the mail host bare.example does not exist, or has no address"),
        ("dangling.example", Failed, "550 5.4.4 the mail host gone.example"),
        ("broken.example", Deferred, "451 4.4.3 the DNS does not answer about broken.example now"),
        ("half.example", Deferred, "451 4.4.3 the DNS does not answer about broken.example now"),
    ] {
        let (found, reply, host) = send(&mut office, &format!("u@{domain}")).await;
        assert_eq!((found, host), (state, None), "{domain}: {reply}");
        assert!(reply.starts_with(starts), "{domain}: {reply}");
    }
    server.recover();
    server.set("broken.example", [Entry::Address(Peer::mail_host(Manners::default()).await.1)]);
    assert_eq!(send(&mut office, "u@half.example").await.0, Delivered);
}

/// Threat DEL-02: neither by a record nor by a literal.
#[tokio::test]
async fn nobody_leads_mail_to_this_machine() {
    let server = FakeDns::start();
    let (peer, address) = Peer::mail_host(Manners::default()).await;
    mail_hosts(&server, &[address]);
    let mapped = format!("::ffff:{address}");
    server.set("mapped.example", [Entry::address(&mapped)]);
    let mut office = office_that_may_reach(&server, &["10.0.0.0/8"]).await;
    for to in [
        "u@example.org",
        "u@mapped.example",
        &format!("u@[{address}]"),
        &format!("u@[IPv6:{mapped}]"),
        "u@localhost",
    ] {
        let (state, reply, _) = send(&mut office, to).await;
        assert!(state == Failed && reply.starts_with("554 5.4.6 the mail host "), "{to}: {state:?} {reply}");
    }
    assert_eq!(peer.connections(), 0);
    let mut office = office_that_may_reach(&server, &[&format!("{address}/32")]).await;
    for to in ["u@example.org", "u@mapped.example", &format!("u@[{address}]")] {
        let (state, reply, _) = send(&mut office, to).await;
        assert_eq!(state, Delivered, "{to}: {reply}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_for_its_domain_alone() {
    let server = FakeDns::start();
    let (peer, address) = Peer::mail_host(Manners::default()).await;
    mail_hosts(&server, &[address]);
    server.set("example.net", [Entry::mx(10, "mx0.example.org")]);
    let mut office = office(&server).await;
    for (to, connections) in [
        ("a@example.org", 1),
        ("b@example.org", 1),
        ("c@Example.ORG", 1),
        ("d@example.net", 2),
        ("e@example.net", 2),
    ] {
        assert_eq!(send(&mut office, to).await.0, Delivered);
        assert_eq!(peer.connections(), connections, "{to}");
    }
    office.stop().await;
    peer.until_seen("QUIT", 2).await;
}

/// RFC 7435: encryption with whoever answers, and none if it cannot be had; but nothing that came in the clear counts inside.
#[tokio::test]
async fn tls_is_used_if_it_can_be_had() {
    let (_, config) = certificate("elsewhere.example");
    let offers = || vec!["PIPELINING", "STARTTLS"];
    let with_tls = Manners { offers: offers(), tls: Some(config), ..Manners::default() };
    let refusing = Manners { start_tls: "454 4.7.0 not now", ..with_tls.clone() };
    let failing = Manners { offers: offers(), start_tls: "220 go ahead", tls: None, ..Manners::default() };
    let hanging_up = Manners { start_tls: "", ..with_tls.clone() };
    let unreadable = Manners { tls: Some(unreadable_certificate()), ..with_tls.clone() };
    let injecting = Manners { start_tls: "220 go\r\n250-peer\r\n250 SIZE", ..with_tls.clone() };
    for (what, manners, state, mail, connections) in [
        ("any certificate", with_tls, Delivered, Some("*MAIL"), 1),
        ("one that can't be read", unreadable, Delivered, Some("*MAIL"), 1),
        ("refused", refusing, Delivered, Some("MAIL"), 2),
        ("a handshake that fails", failing, Delivered, Some("MAIL"), 2),
        ("hung up", hanging_up, Delivered, Some("MAIL"), 2),
        ("not offered", Manners::default(), Delivered, Some("MAIL"), 1),
        ("slipped in", injecting, Deferred, None, 1),
    ] {
        let server = FakeDns::start();
        let (peer, address) = Peer::mail_host(manners).await;
        mail_hosts(&server, &[address]);
        let mut office = office(&server).await;
        let (found, reply, _) = send(&mut office, "u@example.org").await;
        assert_eq!(found, state, "{what}: {reply}");
        let commands = peer.commands();
        let said =
            commands.iter().filter_map(|said| said.split(' ').next()).find(|verb| verb.ends_with("MAIL"));
        assert_eq!(said, mail, "{what}: {commands:?}");
        assert_eq!(peer.connections(), connections, "{what}");
    }
}

#[tokio::test]
async fn of_five_hundred_hosts_ten_are_tried() {
    let server = FakeDns::start();
    let all: Vec<_> = (0..500).map(|number| Entry::mx(number, &format!("mx{number}.example.org"))).collect();
    server.set("example.org", all);
    let mut office = office(&server).await;
    let (state, reply, _) = send(&mut office, "u@example.org").await;
    assert!(state == Failed && reply.starts_with("550 5.4.4 the mail host mx9.example.org"), "{reply}");
    let mut asked: Vec<_> =
        server.asked().into_iter().filter(|(_, kind)| kind == "A").map(|(name, _)| name).collect();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), 10, "{asked:?}");
}

#[tokio::test]
async fn domains_of_one_message_go_their_own_ways() {
    let server = FakeDns::start();
    let (peer, address) = Peer::mail_host(Manners::default()).await;
    for number in 0..60 {
        server.set(&format!("d{number}.example"), [Entry::Address(address)]);
    }
    server.fail("d7.example", Failure::ServFail);
    let mut office = office(&server).await;
    let recipients: Vec<_> = (0..60).map(|number| format!("u@d{number}.example")).collect();
    let recipients: Vec<_> = recipients.iter().map(String::as_str).collect();
    let id = office.submit(&recipients).await;
    let seats = office.tried(id).await;
    let delivered = seats.iter().filter(|seat| seat.state == Delivered).count();
    assert_eq!((delivered, seats[7].state, peer.texts().len()), (59, Deferred, 59));
}

#[tokio::test]
async fn a_host_where_nobody_listens_costs_no_message() {
    let server = FakeDns::start();
    let (_peer, address) = Peer::mail_host(Manners::default()).await;
    server.set("example.org", [Entry::Address(nobody()), Entry::Address(address)]);
    let mut office = office(&server).await;
    assert_eq!(send(&mut office, "u@example.org").await.0, Delivered);
}

/// The first address to take the connection may be that of a machine which is out of order.
#[tokio::test]
async fn a_machine_that_does_not_answer_ehlo_is_not_the_host() {
    for manners in [
        Manners { greeting: "421 4.3.2 too busy", ..Manners::default() },
        Manners { greeting: "554 5.3.2 out of order", ..Manners::default() },
        Manners { ehlo: Some("421 4.3.2 too busy"), ..Manners::default() },
        Manners { implicit_tls: true, ..Manners::default() },
    ] {
        let server = FakeDns::start();
        let (_bad, bad) = Peer::mail_host(manners).await;
        let (good, fine) = Peer::mail_host(Manners::default()).await;
        server.set("example.org", [Entry::Address(bad), Entry::Address(fine)]);
        let mut office = office(&server).await;
        for _ in 0..4 {
            let (state, reply, _) = send(&mut office, "u@example.org").await;
            assert_eq!(state, Delivered, "{reply}");
        }
        assert_eq!(good.texts().len(), 4);
    }
}

/// RFC 7504 section 4: if all say so, there is nobody; if one may be there later, mail waits for it.
#[tokio::test]
async fn hosts_that_take_no_mail_at_all_are_not_waited_for() {
    let none = Manners { greeting: "521 5.3.2 no mail here", ..Manners::default() };
    let busy = Manners { greeting: "421 4.3.2 too busy", ..Manners::default() };
    let listed = Manners { greeting: "554 5.7.1 your address is on a list", ..Manners::default() };
    for (manners, state, starts) in [
        (none.clone(), Failed, "521 5.3.2 no mail here"),
        (listed, Deferred, "451 4.3.2 the next host refused the greeting: 554 5.7.1 your address"),
        (busy, Deferred, "451 4.3.2 the next host refused"),
    ] {
        let server = FakeDns::start();
        let (_one, first) = Peer::mail_host(manners).await;
        let (_other, second) = Peer::mail_host(none.clone()).await;
        mail_hosts(&server, &[first, second]);
        let mut office = office(&server).await;
        let (found, reply, _) = send(&mut office, "u@example.org").await;
        assert!(found == state && reply.starts_with(starts), "{found:?} {reply}");
    }
}

/// RFC 5321 section 4.5.1: whoever runs this server, whose mail goes where the DNS says.
#[tokio::test]
async fn postmaster_without_a_domain_is_that_of_this_server() {
    let server = FakeDns::start();
    let (peer, address) = Peer::mail_host(Manners::default()).await;
    server.set("client.example", [Entry::mx(10, "mx.client.example")]);
    server.set("mx.client.example", [Entry::Address(address)]);
    let mut office = office(&server).await;
    let (state, reply, _) = send(&mut office, "Postmaster").await;
    assert_eq!(state, Delivered, "{reply}");
    assert!(peer.has_seen("RCPT TO:<Postmaster>"), "{:?}", peer.commands());
}

#[tokio::test]
async fn a_host_whose_other_addresses_are_not_known_now_is_not_forbidden_for_good() {
    let server = FakeDns::start();
    let (_peer, address) = Peer::mail_host(Manners::default()).await;
    server.set("example.org", [Entry::Address(address)]);
    server.fail_kind("example.org", "AAAA", Failure::ServFail);
    let mut office = office_that_may_reach(&server, &[]).await;
    let (state, reply, _) = send(&mut office, "u@example.org").await;
    assert!(state == Deferred && reply.starts_with("451 4.4.3 the DNS does not answer"), "{reply}");
    server.recover();
    let (state, reply, _) = send(&mut office, "v@example.org").await;
    assert!(state == Failed && reply.starts_with("554 5.4.6 the mail host example.org is at"), "{reply}");
}

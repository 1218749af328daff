//! What the sender of a message wants of TLS on its way (RFC 8689).

use std::net::IpAddr;
use std::sync::Arc;

use delivery::{NextHost, Via};
use dns::fake::{Entry, Failure, INSECURE};
use esmtp::dialogue::Protocol;
use rustls::ServerConfig;
use store::RecipientState::{self, Deferred, Delivered, Failed};
use store::Submission;
use types::{HostTls, Ret, ReversePath, TlsRequired};

use crate::dane::{HOST, World, of, wrong};
use crate::office::{Office, TEXT, plain_host};
use crate::peer::{Manners, Peer, certificate, own_certificate};

/// A host that offers REQUIRETLS within TLS, or not.
async fn host(tls: Arc<ServerConfig>, offers: bool) -> (Peer, IpAddr) {
    Peer::mail_host(manners(tls, offers)).await
}

fn manners(tls: Arc<ServerConfig>, offers: bool) -> Manners {
    let offers_in_tls = if offers { vec!["REQUIRETLS"] } else { vec![] };
    Manners { offers: vec!["STARTTLS"], offers_in_tls, tls: Some(tls), ..Manners::default() }
}

/// What becomes of a message with this wish: state and reply.
async fn send(office: &mut Office, to: &str, wish: TlsRequired) -> (RecipientState, String) {
    let id = office.submit_with(&[to], TEXT.as_bytes(), |submission| submission.tls_required = wish).await;
    let seat = office.tried(id).await.remove(0);
    (seat.state, seat.reply)
}

#[tokio::test]
async fn what_requires_tls_goes_to_the_host_that_proves_itself_and_promises_the_same() {
    let mut world = World::new(true).await;
    let (certificate, config) = own_certificate("elsewhere.example");
    let (one, first) = host(config.clone(), false).await;
    let (other, second) = host(config, true).await;
    world.says(HOST, first, vec![of(&certificate)]);
    let (state, reply) = send(&mut world.office, "u@example.org", TlsRequired::Yes).await;
    assert!(state == Failed && reply.starts_with("550 5.7.30 the next host does not promise"), "{reply}");
    world.server.set("example.org", [Entry::mx(10, HOST), Entry::mx(20, "mx2.example.org")]);
    world.server.set("mx2.example.org", [Entry::Address(second)]);
    world.server.set("_25._tcp.mx2.example.org", [of(&certificate)]);
    let (state, reply) = send(&mut world.office, "u@example.org", TlsRequired::Yes).await;
    assert_eq!(state, Delivered, "{reply}");
    assert!(other.commands().iter().any(|said| said.starts_with("*MAIL") && said.ends_with(" REQUIRETLS")));
    assert!(one.texts().is_empty() && !one.has_seen("MAIL"));
    // It is said of no other message.
    world.server.set("_25._tcp.mx.example.org", [wrong()]);
    assert_eq!(send(&mut world.office, "u@example.org", TlsRequired::Unsaid).await.0, Delivered);
    assert_eq!(other.commands().iter().filter(|said| said.contains("REQUIRETLS")).count(), 1);
}

/// RFC 8689 section 4.2.1: without TLSA records the host proves its name to the authorities of the system, and DNSSEC that it is the host.
#[tokio::test]
async fn what_requires_tls_goes_nowhere_without_proof() {
    let mut world = World::new(true).await;
    let (_, config) = own_certificate(HOST);
    let (peer, address) = host(config, true).await;
    world.says(HOST, address, vec![]);
    for records in [vec![], vec![Entry::Tlsa(0, 0, 1, vec![7; 32])], vec![wrong()]] {
        world.says(HOST, address, records);
        let (state, reply) = send(&mut world.office, "u@example.org", TlsRequired::Yes).await;
        assert!(state == Deferred && reply.starts_with("451 4.7.5 TLS failed"), "{reply}");
    }
    let unsigned = format!("example.{INSECURE}");
    world.server.set(&unsigned, [Entry::mx(10, HOST)]);
    for to in [format!("u@{unsigned}"), format!("u@[{address}]")] {
        let (state, reply) = send(&mut world.office, &to, TlsRequired::Yes).await;
        assert!(
            state == Failed && reply.starts_with("550 5.7.30 the sender wants proved TLS"),
            "{to}: {reply}"
        );
    }
    assert!(!peer.has_seen("MAIL") && !peer.commands().iter().any(|said| said.starts_with("*MAIL")));
}

/// Its name is enough, where DNSSEC proves that it is the host.
#[tokio::test]
async fn what_requires_tls_goes_to_a_host_without_records_that_an_authority_vouches_for() {
    let (authority, config) = certificate(HOST);
    let mut world = World::trusting(false, vec![authority]).await;
    let (peer, address) = host(config, true).await;
    world.says(HOST, address, vec![]);
    let (state, reply) = send(&mut world.office, "u@example.org", TlsRequired::Yes).await;
    assert_eq!(state, Delivered, "{reply}");
    assert!(peer.commands().iter().any(|said| said.starts_with("*MAIL") && said.ends_with(" REQUIRETLS")));
    world.server.set("example.org", [Entry::mx(10, "other.example.org")]);
    world.server.set("other.example.org", [Entry::Address(address)]);
    let (state, reply) = send(&mut world.office, "u@example.org", TlsRequired::Yes).await;
    assert!(state == Deferred && reply.contains("not valid for name"), "{reply}");
}

/// That it has no MX records is proved only where it is signed.
#[tokio::test]
async fn what_requires_tls_goes_to_a_domain_that_is_its_own_host_if_that_is_signed() {
    let unsigned = format!("example.{INSECURE}");
    for (domain, state, words) in [
        ("example.org", Delivered, "250"),
        (&unsigned, Failed, "550 5.7.30 the sender wants proved TLS alone"),
    ] {
        let (authority, config) = certificate(domain);
        let mut world = World::trusting(true, vec![authority]).await;
        let (peer, address) = host(config, true).await;
        world.server.set(domain, [Entry::Address(address)]);
        let (found, reply) = send(&mut world.office, &format!("u@{domain}"), TlsRequired::Yes).await;
        assert!(found == state && reply.starts_with(words), "{domain}: {reply}");
        assert_eq!(peer.texts().len(), usize::from(state == Delivered));
    }
}

#[tokio::test]
async fn what_requires_tls_waits_while_nothing_can_be_proved() {
    let mut world = World::new(true).await;
    world.server.fail_kind("", "SOA", Failure::ServFail);
    let unsigned = format!("example.{INSECURE}");
    world.server.set(&unsigned, [Entry::mx(10, HOST)]);
    world.server.set(HOST, [Entry::address("127.0.0.1")]);
    let (state, reply) = send(&mut world.office, &format!("u@{unsigned}"), TlsRequired::Yes).await;
    assert!(state == Deferred && reply.starts_with("451 4.4.3 the sender wants proved TLS alone"), "{reply}");
}

#[tokio::test]
async fn what_must_arrive_leaves_whatever_the_domain_demands() {
    let mut world = World::new(true).await;
    let (_, config) = own_certificate("elsewhere.example");
    let (peer, address) = host(config, true).await;
    world.says(HOST, address, vec![wrong()]);
    assert_eq!(send(&mut world.office, "u@example.org", TlsRequired::Unsaid).await.0, Deferred);
    let (state, reply) = send(&mut world.office, "u@example.org", TlsRequired::No).await;
    assert_eq!(state, Delivered, "{reply}");
    world.server.fail(&format!("_25._tcp.{HOST}"), Failure::ServFail);
    assert_eq!(send(&mut world.office, "u@example.org", TlsRequired::No).await.0, Delivered);
    // TLS is used even so, and what it has not proved is not taken for proved by others.
    assert!(peer.commands().iter().filter(|said| said.contains("MAIL")).all(|said| said.starts_with('*')));
    world.server.recover();
    assert_eq!(send(&mut world.office, "u@example.org", TlsRequired::Unsaid).await.0, Deferred);
    // Who has no TLS at all gets it, too.
    let (_peer, plain) = Peer::mail_host(Manners::default()).await;
    world.says(HOST, plain, vec![wrong()]);
    assert_eq!(send(&mut world.office, "u@example.org", TlsRequired::No).await.0, Delivered);
}

#[tokio::test]
async fn a_fixed_host_has_to_prove_its_name_too() {
    let (ca, config) = certificate("localhost");
    for (offers, tls, state, words) in [
        (true, HostTls::Verify, Delivered, "250"),
        (false, HostTls::Verify, Failed, "550 5.7.30 the next host does not promise"),
        (true, HostTls::Opportunistic, Failed, "550 5.7.30 the sender wants proved TLS alone"),
        (true, HostTls::Off, Failed, "550 5.7.30 the sender wants proved TLS alone"),
    ] {
        let peer = Peer::start(manners(config.clone(), offers)).await;
        let mut next_host = plain_host(peer.port);
        (next_host.host, next_host.tls, next_host.tls_ca) = ("localhost".into(), tls, vec![ca.clone()]);
        let mut office = Office::running(Via::Relay(next_host)).await;
        let (found, reply) = send(&mut office, "u@example.org", TlsRequired::Yes).await;
        assert!(found == state && reply.starts_with(words), "{tls:?}: {reply}");
        assert_eq!(peer.texts().len(), usize::from(state == Delivered));
    }
}

/// RFC 8689 section 4.4: where SMTP ends, so does what can be wanted of it.
#[tokio::test]
async fn what_requires_tls_is_delivered_here() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(Via::Maildir(directory.path().join("box"))).await;
    assert_eq!(send(&mut office, "u@example.org", TlsRequired::Yes).await.0, Delivered);
}

/// Nor does LMTP end its way if it goes over a network.
#[tokio::test]
async fn over_a_network_lmtp_has_to_prove_its_name() {
    for (host, words) in [("127.0.0.1", "451 4.4.1"), ("lmtp.example.invalid", "550 5.7.30")] {
        let next_host = NextHost { protocol: Protocol::Lmtp, host: host.into(), ..plain_host(1) };
        let mut office = Office::running(Via::Relay(next_host)).await;
        let (_, reply) = send(&mut office, "u@example.org", TlsRequired::Yes).await;
        assert!(reply.starts_with(words), "{host}: {reply}");
    }
}

/// RFC 8689 section 5: nobody would hear of a report that is lost.
#[tokio::test]
async fn a_report_is_not_lost_for_want_of_what_it_requires() {
    let mut world = World::new(true).await;
    let (certificate, config) = own_certificate(HOST);
    let (peer, address) = host(config, false).await;
    world.says(HOST, address, vec![of(&certificate)]);
    let unsigned = format!("example.{INSECURE}");
    world.server.set(&unsigned, [Entry::mx(10, HOST)]);
    for to in ["u@example.org".to_owned(), format!("u@{unsigned}")] {
        let wanted = |submission: &mut Submission| {
            (submission.reverse_path, submission.tls_required) = (ReversePath::Null, TlsRequired::Yes);
        };
        let id = world.office.submit_with(&[&to], TEXT.as_bytes(), wanted).await;
        let seat = world.office.tried(id).await.remove(0);
        assert_eq!(seat.state, Delivered, "{to}: {}", seat.reply);
    }
    assert_eq!(peer.texts().len(), 2);
    world.says(HOST, address, vec![wrong()]);
    let id = world.office.submit_with(&["u@example.org"], TEXT.as_bytes(), |submission| {
        (submission.reverse_path, submission.tls_required) = (ReversePath::Null, TlsRequired::Yes);
    });
    let id = id.await;
    assert_eq!(world.office.tried(id).await[0].state, Deferred, "the domain demands it");
}

/// RFC 8689 section 5: whoever may not read the message may not read it in a report, either.
#[tokio::test]
async fn a_report_about_it_requires_tls_and_has_no_text_of_it() {
    for (wish, whole) in [(TlsRequired::Yes, false), (TlsRequired::Unsaid, true)] {
        let peer = Peer::start(Manners::default()).await;
        let mut office = Office::running(Via::Relay(plain_host(peer.port))).await;
        let id = office
            .submit_with(&["refused@example.org"], TEXT.as_bytes(), |submission| {
                (submission.tls_required, submission.ret) = (wish, Some(Ret::Full));
            })
            .await;
        assert_eq!(office.tried(id).await[0].state, Failed);
        let report = office.spool.find(|submission| submission.reverse_path == ReversePath::Null)[0];
        assert_eq!(office.spool.submission(report).tls_required, wish);
        let text = office.spool.text(report);
        assert_eq!(text.contains("message/rfc822"), whole, "{text}");
    }
}

//! Mail to hosts whose certificates the DNS names (RFC 7672). The names of `example.org` are signed, those below `insecure` are not.

use std::net::IpAddr;
use std::time::Duration;

use delivery::{MxRules, Routes, Via};
use dns::fake::{BOGUS, Entry, Failure, FakeDns, INSECURE};
use dns::{Families, Upstream};
use rustls::pki_types::CertificateDer;
use store::RecipientState::{self, Deferred, Delivered};
use store::{TlsFailureKind, TlsPolicyKind};
use tempfile::TempDir;

use crate::office::Office;
use crate::peer::{Manners, Peer, certificate, own_certificate};

/// A DNS server, and a carrier that trusts its root and may send mail to this machine.
pub(crate) struct World {
    pub(crate) server: FakeDns,
    pub(crate) office: Office,
    _anchors: TempDir,
}

impl World {
    pub(crate) async fn new(dane: bool) -> World {
        World::trusting(dane, Vec::new()).await
    }

    /// The same, with a carrier that trusts these authorities.
    pub(crate) async fn trusting(dane: bool, trust: Vec<CertificateDer<'static>>) -> World {
        let (server, directory) = (FakeDns::start(), TempDir::new().unwrap());
        let anchors = directory.path().join("anchors");
        std::fs::write(&anchors, server.trust_anchors()).unwrap();
        let upstream = Upstream { servers: vec![server.address()], trust_anchors: Some(anchors) };
        let allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        let via = Via::Mx(MxRules { families: Families::V4, dane, allow_networks, mta_sts: false, trust });
        let office = Office::asking(&upstream, Routes::new(via, Vec::new()), Duration::from_secs(30)).open();
        office.carrier.tried_to_join().await;
        World { server, office, _anchors: directory }
    }

    /// What becomes of one message to `example.org`: state and reply.
    async fn send(&mut self) -> (RecipientState, String) {
        let id = self.office.submit(&["u@example.org"]).await;
        let seat = self.office.tried(id).await.remove(0);
        (seat.state, seat.reply)
    }

    /// Has the DNS say that `host` takes mail for `example.org`, is there, and has these records.
    pub(crate) fn says(&self, host: &str, address: IpAddr, records: Vec<Entry>) {
        self.server.set("example.org", [Entry::mx(10, host)]);
        self.server.set(host, [Entry::Address(address)]);
        self.server.set(&format!("_25._tcp.{host}"), records);
    }
}

pub(crate) const HOST: &str = "mx.example.org";

/// A record of the certificate itself.
pub(crate) fn of(certificate: &CertificateDer<'_>) -> Entry {
    Entry::Tlsa(3, 0, 0, certificate.to_vec())
}

/// One that names no certificate.
pub(crate) fn wrong() -> Entry {
    Entry::Tlsa(3, 1, 1, vec![7; 32])
}

/// A host with TLS, at its address, and its certificate, which is of an authority that nobody knows and not even of its name.
async fn host() -> (Peer, IpAddr, CertificateDer<'static>) {
    let (certificate, config) = own_certificate("elsewhere.example");
    let offers = vec!["PIPELINING", "STARTTLS"];
    let (peer, address) = Peer::mail_host(Manners { offers, tls: Some(config), ..Manners::default() }).await;
    (peer, address, certificate)
}

#[tokio::test]
async fn the_certificate_that_the_dns_names_gets_the_mail_and_no_other() {
    let mut world = World::new(true).await;
    let (peer, address, certificate) = host().await;
    for (records, expected) in [
        (vec![of(&certificate)], ""),
        (vec![wrong(), of(&certificate)], ""),
        (vec![wrong()], "451 4.7.5 TLS failed: no TLSA record of mx.example.org names the certificate"),
        (vec![Entry::Tlsa(1, 1, 1, vec![7; 32]), Entry::Tlsa(3, 1, 1, vec![7; 31])], ""),
        (vec![Entry::Tlsa(1, 1, 1, vec![7; 32]), wrong()], "451 4.7.5 TLS failed: no TLSA record"),
        (vec![], ""),
    ] {
        let what = format!("{records:?}");
        world.says(HOST, address, records);
        let (state, reply) = world.send().await;
        let expected_state = if expected.is_empty() { Delivered } else { Deferred };
        assert!(state == expected_state && (reply.starts_with(expected)), "{what}: {reply}");
        if state == Deferred {
            assert!(reply.contains("elsewhere.example") && reply.ends_with("name (DANE)"), "{reply}");
        }
    }
    assert!(!peer.commands().iter().any(|command| command.starts_with("MAIL")), "in the clear");
}

/// Whoever stands in between takes STARTTLS out, or breaks it.
#[tokio::test]
async fn mail_for_a_host_with_records_never_leaves_in_the_clear() {
    let offers = || vec!["STARTTLS"];
    for (records, manners, expected) in [
        (vec![wrong()], Manners::default(), "451 4.7.4 it does not offer STARTTLS; TLS is demanded, with"),
        (
            vec![Entry::Tlsa(0, 0, 1, vec![7; 32])],
            Manners::default(),
            "451 4.7.4 it does not offer STARTTLS; TLS is demanded, since",
        ),
        (
            vec![wrong()],
            Manners { offers: offers(), start_tls: "454 4.7.0 not now", ..Manners::default() },
            "451 4.7.5 the next host",
        ),
        (vec![wrong()], Manners { offers: offers(), ..Manners::default() }, "451 4.7.5 TLS failed"),
    ] {
        let mut world = World::new(true).await;
        let (peer, address) = Peer::mail_host(manners).await;
        world.says(HOST, address, records);
        let (state, reply) = world.send().await;
        assert!(state == Deferred && reply.starts_with(expected), "{reply}");
        assert!(!peer.has_seen("MAIL") && peer.connections() == 1, "{:?}", peer.commands());
    }
}

#[tokio::test]
async fn a_host_whose_records_cannot_be_known_is_left_out_and_another_gets_the_mail() {
    let (good, address, certificate) = host().await;
    let (bad, other, _) = host().await;
    for (what, words, kind) in [
        ("servfail", "the DNS does not answer about", TlsFailureKind::DnssecInvalid),
        ("bogus", "fails DNSSEC", TlsFailureKind::DnssecInvalid),
        ("wrong", "no TLSA record", TlsFailureKind::TlsaInvalid),
    ] {
        let mut world = World::new(true).await;
        world.says(HOST, other, vec![]);
        match what {
            "servfail" => world.server.fail(&format!("_25._tcp.{HOST}"), Failure::ServFail),
            "bogus" => {
                world.server.set(&format!("_25._tcp.{HOST}"), [Entry::alias(&format!("tlsa.{BOGUS}"))]);
                world.server.set(&format!("tlsa.{BOGUS}"), [wrong()]);
            }
            _ => world.server.set(&format!("_25._tcp.{HOST}"), [wrong()]),
        }
        let (state, reply) = world.send().await;
        assert!(state == Deferred && reply.contains(words), "{what}: {reply}");
        let kinds: Vec<_> = world
            .office
            .tls_tally
            .take()
            .into_iter()
            .map(|(_, result, _)| (result.policy.kind, result.failure.map(|failure| failure.kind)))
            .collect();
        assert_eq!(kinds, [(TlsPolicyKind::Tlsa, Some(kind))], "{what}");
        world.server.set("example.org", [Entry::mx(10, HOST), Entry::mx(20, "mx2.example.org")]);
        world.server.set("mx2.example.org", [Entry::Address(address)]);
        world.server.set("_25._tcp.mx2.example.org", [of(&certificate)]);
        let (state, reply) = world.send().await;
        assert_eq!(state, Delivered, "{what}: {reply}");
    }
    assert_eq!((good.texts().len(), bad.texts().len()), (3, 0));
}

/// RFC 7672 sections 2.1 and 2.2: each link of the chain, from the domain to the records, has to be proved.
#[tokio::test]
async fn records_count_only_where_everything_is_proved() {
    let (peer, address, _) = host().await;
    let unsigned_host = format!("mx.{INSECURE}");
    for what in ["the domain", "the host", "the records", "switched off"] {
        let mut world = World::new(what != "switched off").await;
        let to = if what == "the domain" { format!("example.{INSECURE}") } else { "example.org".to_owned() };
        let host = if what == "the host" { &unsigned_host } else { HOST };
        world.says(host, address, vec![wrong()]);
        world.server.set(&to, [Entry::mx(10, host)]);
        if what == "the records" {
            world.server.set(&format!("_25._tcp.{HOST}"), [Entry::alias(&format!("tlsa.{INSECURE}"))]);
            world.server.set(&format!("tlsa.{INSECURE}"), [wrong()]);
        }
        let id = world.office.submit(&[&format!("u@{to}")]).await;
        let seat = world.office.tried(id).await.remove(0);
        assert_eq!(seat.state, Delivered, "{what}: {}", seat.reply);
        let asked = world.server.asked().iter().any(|(_, kind)| kind == "TLSA");
        assert_eq!(asked, what == "the records", "{what}");
    }
    assert_eq!(peer.texts().len(), 4);
}

/// RFC 7672 section 2.2.2: first where the aliases of the host lead to, then its own name; this alone where the alias is proved by itself.
#[tokio::test]
async fn records_are_looked_for_where_aliases_lead_to_and_then_at_the_host() {
    let (_peer, address, certificate) = host().await;
    let unsigned = format!("real.{INSECURE}");
    for (real, at_real, at_host, expected) in [
        ("real.example.net", Some(of(&certificate)), Some(wrong()), Delivered),
        ("real.example.net", Some(wrong()), Some(of(&certificate)), Deferred),
        ("real.example.net", None, Some(wrong()), Deferred),
        ("real.example.net", None, Some(of(&certificate)), Delivered),
        (&unsigned, Some(of(&certificate)), Some(wrong()), Deferred),
        (&unsigned, Some(wrong()), Some(of(&certificate)), Delivered),
        (&unsigned, Some(wrong()), None, Delivered),
    ] {
        let mut world = World::new(true).await;
        world.says(HOST, address, at_host.iter().cloned().collect());
        world.server.set(HOST, [Entry::alias(real)]);
        world.server.set(real, [Entry::Address(address)]);
        world.server.set(&format!("_25._tcp.{real}"), at_real.iter().cloned().collect::<Vec<_>>());
        let (state, reply) = world.send().await;
        assert_eq!(state, expected, "{real}, {at_real:?}, {at_host:?}: {reply}");
    }
}

/// RFC 7672 section 3.2.2: a certificate of an authority may be of the host, or of the domain, but of nobody else.
#[tokio::test]
async fn an_authority_vouches_for_the_host_or_the_domain_alone() {
    for (name, state) in [(HOST, Delivered), ("example.org", Delivered), ("elsewhere.example", Deferred)] {
        let mut world = World::new(true).await;
        let (authority, config) = certificate(name);
        let offers = vec!["STARTTLS"];
        let (_peer, address) =
            Peer::mail_host(Manners { offers, tls: Some(config), ..Manners::default() }).await;
        world.says(HOST, address, vec![Entry::Tlsa(2, 0, 0, authority.to_vec())]);
        let (found, reply) = world.send().await;
        assert_eq!(found, state, "{name}: {reply}");
    }
}

/// A domain without MX records is its own host.
#[tokio::test]
async fn a_domain_that_is_its_own_host_has_records_of_its_own() {
    let mut world = World::new(true).await;
    let (_peer, address, certificate) = host().await;
    world.server.set("example.org", [Entry::Address(address)]);
    world.server.set("_25._tcp.example.org", [wrong()]);
    assert_eq!(world.send().await.0, Deferred);
    world.server.set("_25._tcp.example.org", [of(&certificate)]);
    assert_eq!(world.send().await.0, Delivered);
}

/// What a connection has proved yesterday is not what is demanded today.
#[tokio::test]
async fn a_connection_is_used_again_only_for_the_same_demand() {
    let mut world = World::new(true).await;
    let (peer, address, certificate) = host().await;
    world.says(HOST, address, vec![]);
    assert_eq!(world.send().await.0, Delivered);
    world.says(HOST, address, vec![wrong()]);
    assert_eq!(world.send().await.0, Deferred);
    for records in [vec![wrong(), of(&certificate)], vec![of(&certificate), wrong()]] {
        world.says(HOST, address, records);
        assert_eq!(world.send().await.0, Delivered);
    }
    assert_eq!((peer.connections(), peer.texts().len()), (3, 3));
}

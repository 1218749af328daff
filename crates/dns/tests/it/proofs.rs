//! What DNSSEC has proved.

use std::time::Duration;

use dns::fake::{BOGUS, Entry, Failure, FakeDns, Forged, INSECURE};
use dns::{DnsError, Families, RecordKind, Resolver, Upstream};

use crate::{asking, domain};

#[tokio::test]
async fn what_is_signed_is_proven_and_what_nobody_signs_is_not() {
    let (server, resolver, _directory) = asking();
    let unsigned = format!("example.{INSECURE}");
    for name in ["example.org", &unsigned] {
        server.set(name, [Entry::mx(10, "mx.example.org")]);
    }
    assert!(resolver.proves().await);
    assert!(resolver.mx(&domain("example.org")).await.unwrap().proven);
    assert!(!resolver.mx(&domain(&unsigned)).await.unwrap().proven);
    let none = resolver.mx(&domain(&format!("nowhere.{INSECURE}"))).await.unwrap_err();
    assert_eq!(none, DnsError::NoSuchName(format!("nowhere.{INSECURE}")));
}

#[tokio::test]
async fn an_alias_that_nobody_signs_proves_nothing() {
    let (server, resolver, _directory) = asking();
    let alias = format!("mail.{INSECURE}");
    server.set(&alias, [Entry::alias("host.example.org")]);
    server.set("host.example.org", [Entry::mx(10, "mx.example.org")]);
    let found = resolver.mx(&domain(&alias)).await.unwrap();
    assert_eq!((found.records.len(), found.proven), (1, false));
}

#[tokio::test]
async fn a_server_whose_root_has_no_right_signatures_is_believed_and_proves_nothing() {
    let server = FakeDns::start();
    server.set("example.org", [Entry::mx(10, "mx.example.org")]);
    server.set(&format!("example.{BOGUS}"), [Entry::mx(10, "mx.example.org")]);
    // Not the keys of this root, but those of the internet's.
    let upstream = Upstream { servers: vec![server.address()], trust_anchors: None };
    let resolver = Resolver::new(&upstream).unwrap();
    assert!(!resolver.proves().await);
    for name in ["example.org", &format!("example.{BOGUS}")] {
        assert!(!resolver.mx(&domain(name)).await.unwrap().proven);
    }
}

/// Time leaps while nobody answers.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_reached_has_stripped_no_signatures() {
    let (server, resolver, _directory) = asking();
    server.fail("", Failure::Silence);
    assert!(!resolver.proves().await);
    server.recover();
    tokio::time::advance(Duration::from_secs(5)).await;
    tokio::time::resume();
    assert!(resolver.proves().await);
}

/// Else whoever keeps the question about the root from being answered gets around DNSSEC.
#[tokio::test]
async fn signatures_are_asked_for_while_nothing_is_known_of_the_root() {
    let (server, resolver, _directory) = asking();
    server.set("example.org", [Entry::mx(10, "mx.example.org")]);
    server.set(&format!("example.{BOGUS}"), [Entry::mx(10, "mx.example.org")]);
    server.fail_kind("", "SOA", Failure::ServFail);
    assert!(resolver.mx(&domain("example.org")).await.unwrap().proven);
    let bogus = format!("example.{BOGUS}");
    assert_eq!(resolver.mx(&domain(&bogus)).await, Err(DnsError::Bogus(bogus)));
    assert!(!resolver.proves().await);
}

/// Time leaps while nobody answers.
#[tokio::test(start_paused = true)]
async fn nothing_is_believed_of_a_server_that_is_silent_about_the_root() {
    let (server, resolver, _directory) = asking();
    server.set("example.org", [Entry::mx(10, "mx.example.org")]);
    server.fail("", Failure::Silence);
    assert!(!resolver.proves().await);
    tokio::time::resume();
    server.recover();
    server.fail_kind("", "DNSKEY", Failure::ServFail);
    assert!(resolver.mx(&domain("example.org")).await.unwrap_err().is_temporary());
}

/// What it gave without signatures before it gives still, when the root is asked about again and nobody answers.
#[tokio::test]
async fn a_server_that_passes_on_no_signatures_is_believed_also_while_it_is_silent_about_the_root() {
    let server = FakeDns::start();
    server.set("example.org", [Entry::mx(10, "mx.example.org")]);
    let upstream = Upstream { servers: vec![server.address()], trust_anchors: None };
    let resolver = Resolver::new(&upstream).unwrap();
    assert!(!resolver.mx(&domain("example.org")).await.unwrap().proven);
    server.fail("", Failure::Silence);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(600)).await;
    assert!(!resolver.proves().await);
    tokio::time::resume();
    assert!(!resolver.mx(&domain("example.org")).await.unwrap().proven);
}

#[tokio::test]
async fn an_alias_is_proven_by_itself_whatever_it_leads_to() {
    let (server, resolver, _directory) = asking();
    let unsigned = format!("host.{INSECURE}");
    server.set("mail.example.org", [Entry::alias(&unsigned)]);
    server.set(&unsigned, [Entry::address("192.0.2.1")]);
    let alias = resolver.alias(&domain("mail.example.org")).await.unwrap();
    assert_eq!((alias.records, alias.proven), (vec![domain(&unsigned)], true));
    let addresses = resolver.addresses(&domain("mail.example.org"), Families::V4).await.unwrap();
    assert_eq!((addresses.name, addresses.proven), (domain(&unsigned), false));
    assert!(matches!(resolver.alias(&domain(&unsigned)).await, Err(DnsError::NoSuchRecords { .. })));
}

/// Hickory takes it for the answer of a zone that nobody signs, whichever that is.
#[tokio::test]
async fn a_signed_name_is_not_denied_in_the_name_of_an_unsigned_zone() {
    let (server, resolver, _directory) = asking();
    let (name, alias) = (domain("mx.example.org"), domain("mail.example.net"));
    server.set("mx.example.org", [Entry::mx(10, "mx.example.org"), Entry::Tlsa(3, 1, 1, vec![7; 32])]);
    server.set("mail.example.net", [Entry::alias("mx.example.org")]);
    for how in [Failure::NoRecords(Forged::Soa), Failure::NoRecords(Forged::Ns), Failure::NoName] {
        server.fail("mx.example.org", how);
        for asked in [&name, &alias] {
            let bogus = || DnsError::Bogus(asked.to_string());
            assert_eq!(resolver.mx(asked).await, Err(bogus()), "{how:?}");
            assert_eq!(resolver.tlsa(asked).await, Err(bogus()), "{how:?}");
            assert_eq!(resolver.addresses(asked, Families::Both).await, Err(bogus()), "{how:?}");
        }
        assert_eq!(resolver.alias(&name).await, Err(DnsError::Bogus(name.to_string())), "{how:?}");
    }
}

#[tokio::test]
async fn an_unsigned_name_is_denied_without_proof_also_behind_an_alias_that_is_signed() {
    let (server, resolver, _directory) = asking();
    let (unsigned, alias) = (domain(&format!("host.{INSECURE}")), domain("mail.example.org"));
    server.set("mail.example.org", [Entry::alias(&unsigned.to_string())]);
    server.set(&unsigned.to_string(), [Entry::txt("no mail")]);
    for how in [None, Some(Failure::NoRecords(Forged::Soa)), Some(Failure::NoRecords(Forged::Ns))] {
        how.into_iter().for_each(|how| server.fail(&unsigned.to_string(), how));
        for asked in [&unsigned, &alias] {
            let none = DnsError::NoSuchRecords { name: asked.to_string(), kind: RecordKind::Mx };
            assert_eq!(resolver.mx(asked).await, Err(none), "{how:?}");
        }
    }
}

#[tokio::test]
async fn what_nobody_is_asked_about_does_not_exist() {
    let (_server, resolver, _directory) = asking();
    let name = || "example.invalid".to_owned();
    assert_eq!(resolver.mx(&domain(&name())).await, Err(DnsError::NoSuchName(name())));
}

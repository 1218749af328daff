//! What DNSSEC has proved.

use std::time::Duration;

use dns::fake::{BOGUS, Entry, Failure, FakeDns, INSECURE};
use dns::{DnsError, Resolver, Upstream};

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

#[tokio::test]
async fn an_alias_is_proven_by_itself_whatever_it_leads_to() {
    let (server, resolver, _directory) = asking();
    let unsigned = format!("host.{INSECURE}");
    server.set("mail.example.org", [Entry::alias(&unsigned)]);
    server.set(&unsigned, [Entry::address("192.0.2.1")]);
    let alias = resolver.alias(&domain("mail.example.org")).await.unwrap();
    assert_eq!((alias.records, alias.proven), (vec![domain(&unsigned)], true));
    let addresses = resolver.addresses(&domain("mail.example.org"), dns::Families::V4).await.unwrap();
    assert_eq!((addresses.name, addresses.proven), (domain(&unsigned), false));
    assert!(matches!(resolver.alias(&domain(&unsigned)).await, Err(DnsError::NoSuchRecords { .. })));
}

//! What there is not, or not now.

use dns::fake::{BOGUS, Entry, Failure, FakeDns};
use dns::{DnsError, Families, RecordKind, Resolver, Upstream};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{asking, domain};

#[tokio::test]
async fn what_does_not_exist_is_told_from_what_fails() {
    let (server, resolver, _directory) = asking();
    server.set("example.org", [Entry::txt("here")]);
    server.set(&format!("example.{BOGUS}"), [Entry::mx(10, "mx.example.org")]);
    server.fail("broken.example", Failure::ServFail);

    let missing = resolver.mx(&domain("nowhere.example")).await.unwrap_err();
    assert_eq!(missing, DnsError::NoSuchName("nowhere.example".to_owned()));
    let empty = resolver.mx(&domain("example.org")).await.unwrap_err();
    assert_eq!(empty, DnsError::NoSuchRecords { name: "example.org".to_owned(), kind: RecordKind::Mx });
    let broken = resolver.mx(&domain("broken.example")).await.unwrap_err();
    assert!(broken.is_temporary(), "{broken}");
    assert!(broken.to_string().contains("Server Failure"), "{broken}");
    let bogus = resolver.mx(&domain(&format!("example.{BOGUS}"))).await.unwrap_err();
    assert_eq!(bogus, DnsError::Bogus(format!("example.{BOGUS}")));
    server.recover();
    assert!(!resolver.mx(&domain("broken.example")).await.unwrap_err().is_temporary());
}

/// Time leaps as soon as nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_waited_for_but_not_for_long() {
    let (server, resolver, _directory) = asking();
    server.fail("", Failure::Silence);
    server.fail("silent.example", Failure::Silence);
    let begun = Instant::now();
    let silent = resolver.mx(&domain("silent.example")).await.unwrap_err();
    assert_eq!(silent.to_string(), "the DNS does not answer about silent.example now: no answer in time");
    let seconds = begun.elapsed().as_secs();
    assert!((20..=25).contains(&seconds), "{seconds}");
    // The server has a thread of its own, to which the leaps of this one's time are nothing.
    let asked = || server.asked().iter().filter(|(name, _)| name == "silent.example").count();
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while asked() < 2 {
        assert!(std::time::Instant::now() < patience, "asked {} times", asked());
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_circle_of_aliases_is_no_name_without_records() {
    let (server, resolver, _directory) = asking();
    for (name, to) in [("a", "b"), ("b", "c"), ("c", "a"), ("self", "self"), ("end", "host")] {
        server.set(&format!("{name}.example"), [Entry::alias(&format!("{to}.example"))]);
    }
    server.set("host.example", [Entry::txt("no mail")]);
    for name in ["a.example", "self.example"] {
        let circle = DnsError::AliasLoop(name.to_owned());
        assert_eq!(resolver.mx(&domain(name)).await, Err(circle.clone()));
        assert_eq!(resolver.addresses(&domain(name), Families::Both).await, Err(circle));
    }
    let none = DnsError::NoSuchRecords { name: "end.example".to_owned(), kind: RecordKind::Mx };
    assert_eq!(resolver.mx(&domain("end.example")).await, Err(none));
}

#[tokio::test(start_paused = true)]
async fn no_server_is_a_temporary_failure() {
    let closed = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let resolver = Resolver::new(&Upstream { servers: vec![closed], trust_anchors: None }).unwrap();
    assert!(resolver.mx(&domain("example.org")).await.unwrap_err().is_temporary());
}

/// As resolv.conf(5) has it; the one that is out of order replies first.
#[tokio::test]
async fn a_server_that_is_out_of_order_is_stood_in_for_by_another() {
    let (broken, server, directory) = (FakeDns::start(), FakeDns::start(), TempDir::new().unwrap());
    broken.fail_all(Failure::ServFail);
    let anchors = directory.path().join("anchors");
    std::fs::write(&anchors, server.trust_anchors()).unwrap();
    for servers in [[&broken, &server], [&server, &broken]] {
        let servers = servers.iter().map(|server| server.address()).collect();
        let resolver = Resolver::new(&Upstream { servers, trust_anchors: Some(anchors.clone()) }).unwrap();
        for n in 0..10 {
            let name = format!("d{n}.example");
            server.set(&name, [Entry::mx(10, "mx.example.org")]);
            let found = resolver.mx(&domain(&name)).await.unwrap();
            assert!(found.records.len() == 1 && found.proven, "{found:?}");
            let missing = resolver.mx(&domain(&format!("no{n}.example"))).await.unwrap_err();
            assert!(!missing.is_temporary(), "{missing}");
        }
        assert!(resolver.proves().await);
    }
    server.fail_all(Failure::ServFail);
    let resolver =
        Resolver::new(&Upstream { servers: vec![broken.address(), server.address()], trust_anchors: None });
    assert!(resolver.unwrap().mx(&domain("d0.example")).await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn a_long_chain_of_aliases_that_ends_is_no_circle() {
    let (server, resolver, _directory) = asking();
    for n in 0..8 {
        server.set(&format!("a{n}.insecure"), [Entry::alias(&format!("a{}.insecure", n + 1))]);
    }
    server.set("a8.insecure", [Entry::txt("no mail")]);
    let none = DnsError::NoSuchRecords { name: "a0.insecure".to_owned(), kind: RecordKind::Mx };
    assert_eq!(resolver.mx(&domain("a0.insecure")).await, Err(none));
}

#[test]
fn trust_anchors_that_are_none_are_told_at_once() {
    let directory = tempfile::TempDir::new().unwrap();
    for text in ["", "example.org. IN A 192.0.2.1\n", "nonsense"] {
        let path = directory.path().join("anchors");
        std::fs::write(&path, text).unwrap();
        let upstream = Upstream { servers: Vec::new(), trust_anchors: Some(path) };
        let error = Resolver::new(&upstream).unwrap_err().to_string();
        assert!(error.contains("anchors has no DNSKEY records such as"), "{text:?}: {error}");
    }
}

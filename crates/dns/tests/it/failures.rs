//! What there is not, or not now.

use dns::fake::{BOGUS, Entry, Failure};
use dns::{DnsError, Families, RecordKind, Resolver, Upstream};
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

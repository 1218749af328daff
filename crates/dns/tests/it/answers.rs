//! What there is.

use std::net::IpAddr;

use dns::fake::Entry;
use dns::{DnsError, Families, Mx, RecordKind, Srv, Tlsa};

use crate::{asking, domain};

#[tokio::test]
async fn each_kind_of_record_is_read() {
    let (server, resolver, _directory) = asking();
    server.set("example.org", [Entry::mx(10, "mx.example.org"), Entry::txt("v=spf1 mx -all")]);
    server.set("mx.example.org", [Entry::address("192.0.2.1"), Entry::address("2001:db8::1")]);
    server.set("_25._tcp.mx.example.org", [Entry::Tlsa(3, 1, 1, vec![7; 32])]);
    server.set("_submissions._tcp.example.org", [Entry::Srv(1, 2, 465, "mail.example.org".to_owned())]);
    server.set("1.2.0.192.in-addr.arpa", [Entry::Ptr("mx.example.org".to_owned())]);

    let mx = resolver.mx(&domain("example.org")).await.unwrap();
    assert_eq!(mx.records, [Mx { preference: 10, exchange: Some(domain("mx.example.org")) }]);
    let host = domain("mx.example.org");
    let both = resolver.addresses(&host, Families::Both).await.unwrap();
    let addresses: [IpAddr; 2] = ["2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap()];
    assert_eq!(both.records, addresses);
    assert_eq!(resolver.addresses(&host, Families::V4).await.unwrap().records, addresses[1..]);
    assert_eq!(resolver.txt(&domain("example.org")).await.unwrap().records, ["v=spf1 mx -all"]);
    let tlsa = resolver.tlsa(&domain("_25._tcp.mx.example.org")).await.unwrap();
    assert_eq!(tlsa.records, [Tlsa { usage: 3, selector: 1, matching: 1, data: vec![7; 32] }]);
    let srv = resolver.srv(&domain("_submissions._tcp.example.org")).await.unwrap();
    let target = Some(domain("mail.example.org"));
    assert_eq!(srv.records, [Srv { priority: 1, weight: 2, port: 465, target }]);
    assert_eq!(resolver.ptr(addresses[1]).await.unwrap().records, [host]);
}

#[tokio::test]
async fn the_root_as_a_mail_host_is_told_from_a_host() {
    let (server, resolver, _directory) = asking();
    server.set("example.org", [Entry::mx(0, ".")]);
    let mx = resolver.mx(&domain("example.org")).await.unwrap();
    assert_eq!(mx.records, [Mx { preference: 0, exchange: None }]);
}

#[tokio::test]
async fn a_text_is_put_together_from_its_strings() {
    let (server, resolver, _directory) = asking();
    server.set(
        "k._domainkey.example.org",
        [Entry::Txt(vec!["v=DKIM1; p=".to_owned() + &"A".repeat(240), "BCD".to_owned()])],
    );
    let txt = resolver.txt(&domain("k._domainkey.example.org")).await.unwrap();
    assert_eq!(txt.records, [format!("v=DKIM1; p={}BCD", "A".repeat(240))]);
}

#[tokio::test]
async fn an_idn_is_asked_about_by_its_a_labels_and_no_name_is_searched_for() {
    let (server, resolver, _directory) = asking();
    server.set("xn--bcher-kva.example", [Entry::mx(10, "mx.example.org")]);
    assert_eq!(resolver.mx(&domain("bücher.example")).await.unwrap().records.len(), 1);
    assert!(resolver.mx(&domain("single")).await.is_err());
    let asked: Vec<_> =
        server.asked().into_iter().filter(|(_, kind)| kind == "MX").map(|(name, _)| name).collect();
    assert_eq!(asked, ["xn--bcher-kva.example", "single"]);
}

#[tokio::test]
async fn five_hundred_mail_hosts_are_read_over_tcp() {
    let (server, resolver, _directory) = asking();
    let all: Vec<_> = (0..500).map(|number| Entry::mx(number, &format!("mx{number}.example.org"))).collect();
    server.set("example.org", all);
    let mx = resolver.mx(&domain("example.org")).await.unwrap();
    assert_eq!((mx.records.len(), mx.proven), (500, true));
}

#[tokio::test]
async fn aliases_are_followed_and_what_they_lead_to_is_named() {
    let (server, resolver, _directory) = asking();
    server.set("mail.example.org", [Entry::alias("relay.example.org")]);
    server.set("relay.example.org", [Entry::alias("host.example.net")]);
    server.set("host.example.net", [Entry::address("192.0.2.1")]);
    let found = resolver.addresses(&domain("mail.example.org"), Families::V4).await.unwrap();
    assert_eq!((found.records.len(), found.proven, found.name), (1, true, domain("host.example.net")));
}

#[tokio::test]
async fn an_answer_may_change_at_any_time() {
    let (server, resolver, _directory) = asking();
    let host = domain("mx.example.org");
    for address in ["192.0.2.1", "192.0.2.2"] {
        server.set("mx.example.org", [Entry::address(address)]);
        let found = resolver.addresses(&host, Families::V4).await.unwrap();
        assert_eq!(found.records, [address.parse::<IpAddr>().unwrap()]);
    }
    server.set("mx.example.org", [Entry::txt("no address")]);
    let none = DnsError::NoSuchRecords { name: "mx.example.org".to_owned(), kind: RecordKind::A };
    assert_eq!(resolver.addresses(&host, Families::V4).await, Err(none));
}

//! Behind a proxy that speaks XCLIENT: 127.0.0.1 is one, the rest of 127.0.0.0/8 is not.

use std::time::Duration;

use submission::{Limits, Listener};

use crate::client::{Client, auth_plain, shake, trusting};
use crate::house::{PASSWORD, POISON, Running, USER, limits};
use crate::log::Log;
use crate::proxy::connect;

fn proxies(listener: Listener) -> Listener {
    listener.xclient(["127.0.0.1/32".parse().unwrap()])
}

fn behind_proxies() -> Running {
    let limits = limits(|limits| limits.failure_delay = Duration::from_millis(1));
    Running::behind(limits, |listener| proxies(listener).xclient_login(true))
}

/// Under TLS, greeted and introduced.
async fn from(address: [u8; 4], server: &Running) -> Client {
    let socket = connect(address, server.implicit).await;
    let mut client = Client::over(shake(socket, trusting(&server.certificate)).await.unwrap());
    client.expect("220 ").await;
    client.ask("EHLO proxy.test\r\n", "250 ").await;
    client
}

#[tokio::test]
async fn the_client_is_who_the_proxy_says() {
    let server = behind_proxies();
    let mut client = from([127, 0, 0, 1], &server).await;
    client.ask("XCLIENT NAME=client.test PORT=4711 HELO=laptop\r\n", "220 mail.example.test ").await;
    // What it said before counts still, and the proxy's own name is not the client's.
    client.ask("XCLIENT ADDR=203.0.113.9 DESTADDR=IPV6:2001:db8::1 DESTPORT=465\r\n", "220 ").await;
    client.log_in().await;
    let facts = server.judge.met();
    assert_eq!(facts.peer, "203.0.113.9:4711".parse().unwrap());
    assert_eq!(facts.local, "[2001:db8::1]:465".parse().unwrap());
    assert_eq!(facts.proxy.unwrap().ip().to_string(), "127.0.0.1");
    assert_eq!((facts.name.unwrap().as_str(), facts.ehlo.unwrap().as_str()), ("client.test", "laptop"));
    assert!(facts.tls.is_some());
}

#[tokio::test]
async fn nobody_else_is_believed_whatever_was_said_before() {
    let server = behind_proxies();
    let mut client = from([127, 0, 0, 2], &server).await;
    let offered = client.ask("EHLO client.test\r\n", "250 ").await;
    assert!(!offered.contains("XCLIENT"), "{offered}");
    client.ask("XCLIENT ADDR=127.0.0.1\r\n", "550 5.7.0 ").await;
    client.ask(&auth_plain(USER, PASSWORD), "235").await;
    assert_eq!(server.judge.met().peer.ip().to_string(), "127.0.0.2");

    // Nor is the client of a proxy, whatever its address.
    for told in ["203.0.113.9", "127.0.0.1"] {
        let mut client = from([127, 0, 0, 1], &server).await;
        client.ask(&format!("XCLIENT ADDR={told}\r\n"), "220 ").await;
        client.ask("XCLIENT ADDR=203.0.113.10\r\n", "550 5.7.0 ").await;
        client.log_in().await;
        assert_eq!(server.judge.met().peer.to_string(), format!("{told}:0"));
    }
}

#[tokio::test]
async fn trust_is_not_passed_on_by_a_header() {
    let special = |listener: Listener| proxies(listener).proxy_protocol(["127.0.0.1/32".parse().unwrap()]);
    let server = Running::behind(Limits::default(), special);
    for (header, code) in [
        ("PROXY TCP4 127.0.0.1 127.0.0.1 4711 587\r\n", "550 5.7.0 "),
        ("PROXY UNKNOWN\r\n", "550 5.7.0 "),
        ("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "220 "),
    ] {
        let mut client = Client::over(connect([127, 0, 0, 1], server.starttls).await);
        client.send(header).await;
        client.expect("220 ").await;
        client.ask("XCLIENT ADDR=203.0.113.9\r\n", code).await;
    }
}

#[tokio::test]
async fn a_login_that_the_proxy_vouches_for_is_one() {
    let (log, _guard) = Log::keep(tracing::Level::INFO);
    let server = behind_proxies();
    let mut client = from([127, 0, 0, 1], &server).await;
    client.ask(&format!("XCLIENT ADDR=203.0.113.9 LOGIN={USER}\r\n"), "220 ").await;
    client.ask("EHLO proxy.test\r\n", "250 ").await;
    client.ask(&auth_plain(USER, PASSWORD), "503 5.5.1 ").await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("BDAT 0 LAST\r\n", "250").await;
    assert_eq!(server.kept().len(), 1);
    assert_eq!(server.kept()[0].user.as_deref(), Some(USER));

    // Nobody else logs in so: what comes now may be the client's own words.
    client.ask("XCLIENT LOGIN=another@example.test\r\n", "550 5.7.0 ").await;
    client.ask("QUIT\r\n", "221").await;
    drop(client);
    let text = log.text().await;
    assert!(text.contains("mechanism=\"XCLIENT\""), "{text}");
}

#[tokio::test]
async fn a_login_that_is_not_taken_is_none() {
    let server = behind_proxies();
    for (name, code) in [("admin", "550 5.7.0 "), (POISON, "454 4.7.0 ")] {
        let mut client = from([127, 0, 0, 1], &server).await;
        client.ask(&format!("XCLIENT LOGIN={name}\r\n"), code).await;
        client.ask("EHLO proxy.test\r\n", "250 ").await;
        client.ask("MAIL FROM:<demo@example.test>\r\n", "530 5.7.0 ").await;
    }
}

#[tokio::test]
async fn what_was_said_in_clear_is_forgotten_when_tls_begins() {
    let server = behind_proxies();
    let socket = connect([127, 0, 0, 1], server.starttls).await;
    let mut client = Client::over(socket);
    client.expect("220 ").await;
    client.ask("EHLO proxy.test\r\n", "250 ").await;
    client.ask("XCLIENT NAME=a.test PORT=4711 HELO=b.test DESTPORT=465\r\n", "220 ").await;
    client.ask("EHLO proxy.test\r\n", "250 ").await;
    client.ask("STARTTLS\r\n", "220 ").await;
    let mut client = client.secured(&server.certificate).await;
    client.ask("EHLO proxy.test\r\n", "250 ").await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "530 5.7.0 ").await;
    client.ask(&auth_plain(USER, PASSWORD), "235").await;
    let facts = server.judge.met();
    assert_eq!((facts.peer.ip().to_string().as_str(), facts.proxy, facts.name), ("127.0.0.1", None, None));
    assert_eq!(facts.ehlo.unwrap().as_str(), "proxy.test");
}

#[tokio::test]
async fn connections_are_counted_for_the_client_and_not_for_the_proxy() {
    let server = Running::behind(limits(|limits| limits.connections_per_network = 1), proxies);
    let mut kept = Vec::new();
    for number in 1..4 {
        let mut client = from([127, 0, 0, 1], &server).await;
        client.ask(&format!("XCLIENT ADDR=203.0.113.{number}\r\n"), "220 ").await;
        kept.push(client);
    }
    let mut second = from([127, 0, 0, 1], &server).await;
    second.ask("XCLIENT ADDR=203.0.113.1\r\n", "421 4.7.0 ").await;
    assert_eq!(second.rest().await, "");
    // The first connection has ended, so there is room for this one.
    kept.remove(0).ask("QUIT\r\n", "221").await;
    let mut second = from([127, 0, 0, 1], &server).await;
    second.ask("XCLIENT ADDR=203.0.113.1\r\n", "220 ").await;
}

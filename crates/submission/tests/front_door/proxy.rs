//! Behind a proxy that speaks the PROXY protocol: 127.0.0.1 is one, the rest of 127.0.0.0/8 is not.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use submission::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::client::{Client, auth_plain, shake, trusting};
use crate::house::{PASSWORD, Running, USER, limits};
use crate::log::Log;

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn behind_proxies(limits: Limits) -> Running {
    Running::behind(limits, |listener| listener.proxy_protocol(["127.0.0.1/32".parse().unwrap()]))
}

pub(crate) async fn connect(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// A connection that the proxy makes, and begins with these octets.
async fn by_proxy(to: SocketAddr, beginning: &[u8]) -> TcpStream {
    let mut socket = connect([127, 0, 0, 1], to).await;
    socket.set_nodelay(true).unwrap();
    socket.write_all(beginning).await.unwrap();
    socket
}

fn line(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 198.51.100.1 40000 587\r\n").into_bytes()
}

/// The same of version 2, with a TLV that says that the client is under TLS.
fn block(client: &str) -> Vec<u8> {
    let IpAddr::V4(client) = client.parse().unwrap() else { panic!("IPv4") };
    let addresses = [client.octets(), [198, 51, 100, 1]].concat();
    [
        V2,
        &[0x21, 0x11, 0, 20],
        &addresses,
        &40_000_u16.to_be_bytes(),
        &587_u16.to_be_bytes(),
        &[0x20, 0, 5, 7, 0, 0, 0, 0],
    ]
    .concat()
}

#[tokio::test]
async fn the_client_is_who_the_header_says() {
    let server = behind_proxies(Limits::default());
    for header in [line("203.0.113.9"), block("203.0.113.9")] {
        let socket = by_proxy(server.implicit, &header).await;
        let proxy = socket.local_addr().unwrap();
        let mut client = Client::over(shake(socket, trusting(&server.certificate)).await.unwrap());
        client.expect("220 ").await;
        client.log_in().await;
        let facts = server.judge.met();
        assert_eq!(facts.peer, "203.0.113.9:40000".parse().unwrap());
        assert_eq!((facts.local, facts.proxy), ("198.51.100.1:587".parse().unwrap(), Some(proxy)));
    }
}

#[tokio::test]
async fn a_header_may_come_octet_by_octet_with_the_hello_behind_it() {
    let server = behind_proxies(Limits::default());
    for header in [line("203.0.113.9"), block("203.0.113.9")] {
        let mut socket = by_proxy(server.implicit, &[]).await;
        let (last, first) = header.split_last().unwrap();
        for octet in first {
            socket.write_all(&[*octet]).await.unwrap();
            tokio::task::yield_now().await;
        }
        // The last octet leaves in one segment with the first record of TLS.
        let (inner, outer) = tokio::io::duplex(64 * 1024);
        let last = *last;
        let pump = tokio::spawn(async move {
            let mut inner = tokio::io::BufReader::new(inner);
            let hello = tokio::io::AsyncBufReadExt::fill_buf(&mut inner).await.unwrap().to_vec();
            socket.write_all(&[&[last], &hello[..]].concat()).await.unwrap();
            tokio::io::AsyncBufReadExt::consume(&mut inner, hello.len());
            let _ = tokio::io::copy_bidirectional(&mut inner, &mut socket).await;
        });
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(trusting(&server.certificate)));
        let mut client =
            Client::over(connector.connect("localhost".try_into().unwrap(), outer).await.unwrap());
        client.expect("220 ").await;
        client.log_in().await;
        assert_eq!(server.judge.met().peer.ip().to_string(), "203.0.113.9");
        drop(client);
        pump.await.unwrap();
    }
}

#[tokio::test]
async fn a_proxy_may_speak_for_itself_and_for_somebody_it_does_not_know() {
    let server = behind_proxies(Limits::default());
    let itself = [V2, &[0x20, 0, 0, 0]].concat();
    for (header, by_proxy_for_another) in [(itself, false), (b"PROXY UNKNOWN\r\n".to_vec(), true)] {
        let socket = by_proxy(server.implicit, &header).await;
        let peer = socket.local_addr().unwrap();
        let mut client = Client::over(shake(socket, trusting(&server.certificate)).await.unwrap());
        client.expect("220 ").await;
        client.log_in().await;
        let facts = server.judge.met();
        assert_eq!((facts.peer, facts.proxy), (peer, by_proxy_for_another.then_some(peer)));
    }
}

#[tokio::test]
async fn without_a_good_header_a_proxy_hears_nothing() {
    let (log, _guard) = Log::keep(tracing::Level::INFO);
    let server = behind_proxies(Limits::default());
    for beginning in [
        b"EHLO a.example\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.9 198.51.100.1 40000\r\n".to_vec(),
        [V2, &[0x21, 0x11, 0, 4, 1, 2, 3, 4], b"EHLO a.example\r\n"].concat(),
        [V2, &[0x21, 0x11, 0xff, 0xff]].concat(),
        vec![0x16, 3, 1, 2, 0],
    ] {
        for door in [server.starttls, server.implicit] {
            let mut client = Client::over(by_proxy(door, &beginning).await);
            assert_eq!(client.last_words().await, "", "{}", beginning.escape_ascii());
        }
    }
    let text = log.text().await;
    assert_eq!(text.matches("event=\"proxy.refused\"").count(), 10, "{text}");
    assert_eq!(text.matches("reason=\"no-proxy-header\"").count(), 10, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_header_has_five_seconds() {
    let server = behind_proxies(Limits::default());
    for door in [server.starttls, server.implicit] {
        let start = Instant::now();
        let mut client = Client::over(by_proxy(door, b"PROXY TCP4 ").await);
        // An octet each second does not prolong it.
        for octet in "203.0.113.9".bytes() {
            if !client.is_silent(1000).await {
                break;
            }
            client.send([octet]).await;
        }
        assert_eq!(client.last_words().await, "");
        assert_eq!(start.elapsed().as_secs(), 5);
    }
}

#[tokio::test]
async fn a_header_of_anybody_else_is_an_error() {
    let server = behind_proxies(Limits::default());
    for header in [line("127.0.0.1"), block("127.0.0.1")] {
        let socket = connect([127, 0, 0, 2], server.starttls).await;
        let mut client = Client::over(socket);
        client.expect("220 ").await;
        client.send(&header).await;
        let said = client.last_words().await;
        assert!(said.starts_with("5") && !said.contains("250"), "{said}");

        let mut socket = connect([127, 0, 0, 2], server.implicit).await;
        socket.write_all(&header).await.unwrap();
        assert!(shake(socket, trusting(&server.certificate)).await.is_err());
    }
}

/// The task of the connection runs only when this one waits, so the header is early for sure.
#[tokio::test]
async fn an_early_header_of_anybody_else_is_an_early_talker() {
    let server = behind_proxies(Limits::default());
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    socket.connect(&server.starttls.into()).unwrap();
    socket.send(&line("127.0.0.1")).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut client = Client::over(TcpStream::from_std(socket.into()).unwrap());
    assert!(client.rest().await.starts_with("554 5.5.0 "));
}

#[tokio::test]
async fn a_second_header_is_not_a_header() {
    let server = behind_proxies(Limits::default());
    let twice = [line("203.0.113.9"), line("127.0.0.1")].concat();
    let mut client = Client::over(by_proxy(server.starttls, &twice).await);
    assert!(client.last_words().await.starts_with("554 5.5.0 "));
    let socket = by_proxy(server.implicit, &twice).await;
    assert!(shake(socket, trusting(&server.certificate)).await.is_err());

    let socket = by_proxy(server.implicit, &line("203.0.113.9")).await;
    let mut client = Client::over(shake(socket, trusting(&server.certificate)).await.unwrap());
    client.expect("220 ").await;
    client.send(line("127.0.0.1")).await;
    assert!(client.rest().await.starts_with("502 5.7.0 "), "nor is one inside of TLS");
}

#[tokio::test]
async fn connections_are_counted_for_the_client_and_not_for_the_proxy() {
    let (log, _guard) = Log::keep(tracing::Level::INFO);
    let server = behind_proxies(limits(|limits| limits.connections_per_network = 2));
    let mut kept = Vec::new();
    for client in ["203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.2", "203.0.113.3"] {
        let mut client = Client::over(by_proxy(server.starttls, &line(client)).await);
        client.expect("220 ").await;
        kept.push(client);
    }
    let mut third = Client::over(by_proxy(server.starttls, &line("203.0.113.1")).await);
    assert!(third.rest().await.starts_with("421 4.7.0 "));
    let socket = by_proxy(server.implicit, &line("203.0.113.2")).await;
    assert!(shake(socket, trusting(&server.certificate)).await.is_err(), "without a handshake");
    let text = log.text().await;
    assert!(text.contains("event=\"connection.refused\" peer=203.0.113.2:40000"), "{text}");
    assert!(text.contains("reason=\"turned-away\""), "{text}");

    kept.remove(0).ask("QUIT\r\n", "221").await;
    Client::over(by_proxy(server.starttls, &line("203.0.113.1")).await).expect("220 ").await;
}

#[tokio::test]
async fn a_hundred_failures_behind_a_proxy_are_not_the_proxys() {
    let limits = limits(|limits| limits.failure_delay = Duration::from_millis(1));
    let server = behind_proxies(limits);
    for number in 0..100 {
        let socket = by_proxy(server.implicit, &line(&format!("203.0.113.{number}"))).await;
        let mut client = Client::over(shake(socket, trusting(&server.certificate)).await.unwrap());
        client.expect("220 ").await;
        client.ask("EHLO client.test\r\n", "250 ").await;
        client.ask(&auth_plain(USER, "wrong"), "535").await;
        assert_eq!(server.judge.met().peer.ip().to_string(), format!("203.0.113.{number}"));
    }
    let socket = by_proxy(server.implicit, &line("203.0.113.200")).await;
    let mut client = Client::over(shake(socket, trusting(&server.certificate)).await.unwrap());
    client.expect("220 ").await;
    client.ask("EHLO client.test\r\n", "250 ").await;
    client.ask(&auth_plain(USER, PASSWORD), "235").await;
}

/// RFC 8446 section 6.2: whoever has made the mistake is told, wherever the octets of the header end.
#[tokio::test]
async fn a_bad_hello_right_behind_a_header_gets_its_alert() {
    let server = behind_proxies(Limits::default());
    for hello in [&b"EHLO client.test\r\n"[..], b"\x16\x03\x01\0\x05\x01\0\0\x01\0"] {
        let mut socket = by_proxy(server.implicit, &[&line("203.0.113.9"), hello].concat()).await;
        let mut said = Vec::new();
        socket.read_to_end(&mut said).await.unwrap();
        assert_eq!((said.first(), said.len()), (Some(&21), 7), "{said:?}");
    }
}

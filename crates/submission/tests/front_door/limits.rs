//! Too many connections, and too much to say.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::house::{Running, limits, patient, settings};

#[tokio::test]
async fn one_connection_too_many_is_turned_away_until_another_ends() {
    let server = Running::with(limits(|limits| limits.connections_per_network = 2));
    let mut first = Client::plain(server.starttls).await;
    let _second = Client::implicit(&server).await;
    let mut third = Client::over(TcpStream::connect(server.starttls).await.unwrap());
    assert!(third.rest().await.starts_with("421 4.7.0 "));
    let mut third = TcpStream::connect(server.implicit).await.unwrap();
    assert_eq!(third.read(&mut [0; 16]).await.unwrap_or(0), 0, "without a word");

    // The first has its 221, and does not close its side yet: its place is free all the same.
    first.send("QUIT\r\n").await;
    assert!(first.rest().await.starts_with("221 "));
    Client::plain(server.starttls).await.ask("QUIT\r\n", "221").await;
}

#[tokio::test]
async fn limits_can_be_changed_for_those_who_come_later() {
    let server = Running::start();
    let mut first = Client::plain(server.starttls).await;
    server.handle.replace(settings(), limits(|limits| limits.connections = 1));
    let mut second = Client::over(TcpStream::connect(server.starttls).await.unwrap());
    assert!(second.rest().await.starts_with("421 4.7.0 "));
    first.ask("QUIT\r\n", "221").await;
}

/// Five are all, and each has been there for a while before another is let in.
#[tokio::test]
async fn who_says_nothing_makes_room_for_who_logs_in() {
    let server = Running::with(limits(|limits| limits.connections = 5));
    let mut silent = Client::plain(server.starttls).await;
    let mut handshaking = TcpStream::connect(server.implicit).await.unwrap();
    let mut known = Client::known(&server).await;
    let mut others = vec![Client::plain(server.starttls).await, Client::plain(server.starttls).await];

    others.push(greeted(server.starttls).await);
    assert_eq!(silent.rest().await, "421 4.7.0 Too many connections; try again later\r\n");
    others.push(greeted(server.starttls).await);
    assert_eq!(handshaking.read(&mut [0; 16]).await.unwrap_or(0), 0, "without a word");
    // More of them than there are places.
    for _ in 0..3 {
        others.push(greeted(server.starttls).await);
    }
    known.ask("NOOP\r\n", "250").await;
    let mut late = greeted(server.starttls).await;
    for (line, reply) in [("EHLO client.test\r\n", "250"), ("STARTTLS\r\n", "220")] {
        late.ask(line, reply).await;
    }
    late.secured(&server.certificate).await.log_in().await;
}

/// A connection, as soon as there is room for one.
async fn greeted(address: SocketAddr) -> Client {
    loop {
        let mut client = Client::over(TcpStream::connect(address).await.unwrap());
        if client.line().await.starts_with("220 ") {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The client sends commands for ever and reads nothing: once its replies don't fit into the sockets any more,
/// no command is read either.
#[tokio::test]
async fn who_does_not_read_is_not_read() {
    let limits = limits(|limits| limits.write_timeout = Duration::from_secs(1));
    let server = Running::with(limits.clone());
    server.handle.replace(patient(), limits);
    let mut socket = TcpStream::connect(server.starttls).await.unwrap();
    let greeting = socket.read(&mut [0; 256]).await.unwrap();
    assert!(greeting > 0);
    let noops = "NOOP\r\n".repeat(10_000);
    let start = std::time::Instant::now();
    let flood = async { while socket.write_all(noops.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), flood).await.expect("the connection is closed");
    assert!(start.elapsed() >= Duration::from_secs(1), "not for another reason");
    Client::plain(server.starttls).await.ask("QUIT\r\n", "221").await;
}

/// Whoever wants no limit writes the longest duration there is.
#[tokio::test]
async fn every_duration_may_be_the_longest_there_is() {
    let limits = limits(|limits| {
        for duration in [
            &mut limits.command_timeout,
            &mut limits.unauthenticated_timeout,
            &mut limits.unauthenticated_session,
            &mut limits.data_timeout,
            &mut limits.data_grace,
            &mut limits.message_time,
            &mut limits.session,
            &mut limits.proxy_header,
            &mut limits.handshake,
            &mut limits.write_timeout,
            &mut limits.shutdown_grace,
            &mut limits.failure_delay,
        ] {
            *duration = Duration::MAX;
        }
    });
    let server = Running::with(limits.clone());
    exchange(&server).await;
    server.handle.replace(settings(), limits);
    exchange(&server).await;
    let mut client = Client::starttls(&server).await;
    client.log_in().await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    server.stop.cancel();
    // The message may be finished.
    tokio::task::yield_now().await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("BDAT 0 LAST\r\n", "250").await;
    client.expect("421 4.3.2 ").await;
    drop(client);
    server.task.await.unwrap();
}

/// A session from its greeting to its end, with a message in it.
async fn exchange(server: &Running) {
    let mut client = Client::known(server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    client.ask("Subject: x\r\n\r\n.\r\n", "250").await;
    client.ask("QUIT\r\n", "221").await;
}

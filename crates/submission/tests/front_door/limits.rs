//! Too many connections, and too much to say.

use std::time::Duration;

use submission::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::house::{Running, settings};

#[tokio::test]
async fn one_connection_too_many_is_turned_away_until_another_ends() {
    let server = Running::with(Limits { connections_per_network: 2, ..Limits::default() });
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
    server.handle.replace(settings(), Limits { connections: 1, ..Limits::default() });
    let mut second = Client::over(TcpStream::connect(server.starttls).await.unwrap());
    assert!(second.rest().await.starts_with("421 4.7.0 "));
    first.ask("QUIT\r\n", "221").await;
}

/// The client sends commands for ever and reads nothing: once its replies don't fit into the sockets any more,
/// no command is read either.
#[tokio::test]
async fn who_does_not_read_is_not_read() {
    let limits = Limits { write_timeout: Duration::from_secs(1), ..Limits::default() };
    let server = Running::with(limits);
    server.handle.replace(
        esmtp::Settings { max_unauthenticated_commands: None, ..settings() },
        Limits { write_timeout: Duration::from_secs(1), ..Limits::default() },
    );
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

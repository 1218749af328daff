//! The end of the server, without loss.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::client::Client;
use crate::house::{Running, limits};

async fn ends(server: Running, within: u64) {
    timeout(Duration::from_secs(within), server.task).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn idle_sessions_are_told_at_once() {
    let server = Running::start();
    let mut plain = Client::plain(server.starttls).await;
    let mut known = Client::known(&server).await;
    let (starttls, implicit) = (server.starttls, server.implicit);
    server.stop.cancel();
    assert_eq!(plain.rest().await, "421 4.3.2 Shutting down; try again later\r\n");
    assert!(known.rest().await.starts_with("421 4.3.2 "));
    drop((plain, known));
    ends(server, 3).await;
    assert!(TcpStream::connect(starttls).await.is_err());
    assert!(TcpStream::connect(implicit).await.is_err());
}

/// The token that an embedder gave is its own, and is left alone.
#[tokio::test]
async fn a_server_that_is_dropped_stops() {
    let server = Running::start();
    let mut plain = Client::plain(server.starttls).await;
    let mut known = Client::known(&server).await;
    server.task.abort();
    assert_eq!(plain.rest().await, "421 4.3.2 Shutting down; try again later\r\n");
    assert!(known.rest().await.starts_with("421 4.3.2 "));
    for address in [server.starttls, server.implicit] {
        let closes = async { while TcpStream::connect(address).await.is_ok() {} };
        timeout(Duration::from_secs(3), closes).await.expect("the listener closes");
    }
    assert!(!server.stop.is_cancelled());
}

#[tokio::test]
async fn who_has_not_even_begun_a_handshake_is_not_waited_for() {
    let server = Running::start();
    let _silent = TcpStream::connect(server.implicit).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.cancel();
    ends(server, 1).await;
}

#[tokio::test]
async fn a_message_under_way_is_finished_first() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    server.stop.cancel();
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    client.ask("Subject: last\r\n\r\n.\r\n", "250 2.0.0 queued").await;
    assert!(client.rest().await.starts_with("421 4.3.2 "));
    assert_eq!(server.kept().len(), 1);
    drop(client);
    ends(server, 3).await;
}

#[tokio::test(start_paused = true)]
async fn but_not_for_ever() {
    let server = Running::with(limits(|limits| limits.shutdown_grace = Duration::from_secs(7)));
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    let start = Instant::now();
    server.stop.cancel();
    client.send("Subject: never\r\n").await;
    assert!(client.rest().await.starts_with("421 4.3.2 "));
    assert_eq!(start.elapsed().as_secs(), 7);
    assert_eq!(server.kept(), []);
    drop(client);
    ends(server, 3).await;
}

#[tokio::test]
async fn a_commit_that_has_begun_is_answered() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<slow@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    client.send("Subject: slow\r\n\r\n.\r\n").await;
    assert!(client.is_silent(50).await);
    server.stop.cancel();
    assert!(client.is_silent(50).await);
    server.shelf.permits.add_permits(1);
    client.expect("250 2.0.0 queued").await;
    assert!(client.rest().await.starts_with("421 4.3.2 "));
    drop(client);
    ends(server, 3).await;
}

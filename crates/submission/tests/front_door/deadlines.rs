//! Clients that take their time. The clock stands still here, and jumps whenever everybody waits.

use std::time::Duration;

use submission::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::house::{Running, limits, patient};

fn seconds(start: Instant) -> u64 {
    (start.elapsed() + Duration::from_millis(500)).as_secs()
}

/// Sends single octets of `filler`, one each second, until the server has had enough.
async fn drip(client: &mut Client, filler: u8, limit: u64) -> u64 {
    let start = Instant::now();
    while client.is_silent(1000).await && seconds(start) < limit {
        client.send([filler]).await;
    }
    seconds(start)
}

#[tokio::test(start_paused = true)]
async fn nobody_needs_more_than_a_minute_for_the_first_command() {
    let server = Running::start();
    let start = Instant::now();
    let mut clients = [Client::plain(server.starttls).await, Client::implicit(&server).await];
    for client in &mut clients {
        assert_eq!(client.rest().await, "421 4.4.2 Connection timed out\r\n");
    }
    assert_eq!(seconds(start), 60);
}

#[tokio::test(start_paused = true)]
async fn a_command_in_single_octets_is_not_a_command() {
    let server = Running::start();
    let mut client = Client::plain(server.starttls).await;
    let lasted = drip(&mut client, b'X', 100).await;
    assert!((59..=61).contains(&lasted), "{lasted} s");
    assert!(client.rest().await.starts_with("421 4.4.2 "));
}

#[tokio::test(start_paused = true)]
async fn five_minutes_without_a_login_are_enough() {
    let server = Running::start();
    let start = Instant::now();
    let mut client = Client::plain(server.starttls).await;
    for _ in 0..9 {
        sleep(Duration::from_secs(33)).await;
        client.ask("NOOP\r\n", "250").await;
    }
    assert!(client.rest().await.starts_with("421 4.4.2 "));
    assert_eq!(seconds(start), 300);
}

#[tokio::test(start_paused = true)]
async fn who_is_known_has_five_minutes_for_each_command_and_an_hour_in_all() {
    let server = Running::start();
    let start = Instant::now();
    let mut client = Client::known(&server).await;
    for _ in 0..12 {
        sleep(Duration::from_secs(290)).await;
        client.ask("NOOP\r\n", "250").await;
    }
    assert!(client.rest().await.starts_with("421 4.4.2 "));
    assert_eq!(seconds(start), 3600);
}

#[tokio::test(start_paused = true)]
async fn a_message_in_single_octets_does_not_last() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    let lasted = drip(&mut client, b'x', 400).await;
    assert!((179..=183).contains(&lasted), "{lasted} s");
    assert!(client.rest().await.starts_with("421 4.4.2 "));
    assert_eq!(server.kept(), []);
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_is_good_enough_for_a_message() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    let line = format!("{}\r\n", "x".repeat(598));
    for _ in 0..1000 {
        sleep(Duration::from_secs(1)).await;
        client.send(&line).await;
    }
    client.ask(".\r\n", "250 2.0.0").await;
}

/// Sends a line of 6000 octets every ten seconds, which is fast enough, until the server has had enough.
async fn pour(client: &mut Client, limit: u64) -> u64 {
    let (start, line) = (Instant::now(), format!("{}\r\n", "x".repeat(5998)));
    while client.is_silent(10_000).await && seconds(start) < limit {
        client.send(&line).await;
    }
    seconds(start)
}

#[tokio::test(start_paused = true)]
async fn a_message_has_an_hour_however_fast_it_comes() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    sleep(Duration::from_secs(200)).await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    let lasted = pour(&mut client, 4000).await;
    assert!((3399..=3401).contains(&lasted), "{lasted} s");
    assert!(client.rest().await.starts_with("421 4.4.2 "));
    assert_eq!(server.kept(), []);
}

#[tokio::test(start_paused = true)]
async fn recipients_without_an_end_have_one() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    let start = Instant::now();
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    while client.is_silent(290_000).await && seconds(start) < 4000 {
        client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    }
    assert_eq!(seconds(start), 3600);
    assert!(client.rest().await.starts_with("421 4.4.2 "));
}

#[tokio::test(start_paused = true)]
async fn a_chunk_without_a_login_has_the_time_of_a_command() {
    let server = Running::start();
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO client.test\r\n", "250").await;
    client.send("BDAT 1000000\r\n").await;
    let lasted = pour(&mut client, 400).await;
    assert!((50..=61).contains(&lasted), "{lasted} s");
    assert!(client.rest().await.starts_with("421 4.4.2 "));
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_is_refused_has_an_hour() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.send("BDAT 10000000\r\n").await;
    let lasted = pour(&mut client, 4000).await;
    assert!((3600..=3611).contains(&lasted), "{lasted} s");
    assert!(client.rest().await.starts_with("421 4.4.2 "));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_takes_for_itself_is_not_the_clients_time() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    let message = "MAIL FROM:<demo@example.test>\r\nRCPT TO:<slow@example.net>\r\nBDAT 3 LAST\r\na\r\n";
    for _ in 0..2 {
        client.send(message).await;
        sleep(Duration::from_secs(7200)).await;
        server.shelf.permits.add_permits(1);
        for reply in ["250 2.1.0", "250 2.1.5", "250 2.0.0"] {
            client.expect(reply).await;
        }
    }
    sleep(Duration::from_secs(290)).await;
    client.ask("NOOP\r\n", "250").await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_fifteen_seconds() {
    let server = Running::start();
    let start = Instant::now();
    let mut socket = TcpStream::connect(server.implicit).await.unwrap();
    // The beginning of a record of 512 octets.
    socket.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    assert_eq!(socket.read(&mut [0; 16]).await.unwrap_or(0), 0);
    assert_eq!(seconds(start), 15);
}

/// Commands without a pause, where nothing else limits them.
#[tokio::test]
async fn who_never_pauses_is_not_forgotten() {
    let server = Running::start();
    let limits = limits(|limits| limits.unauthenticated_session = Duration::from_secs(1));
    server.handle.replace(patient(), limits);
    let socket = TcpStream::connect(server.starttls).await.unwrap();
    let (mut replies, mut commands) = socket.into_split();
    let greeting = replies.read(&mut [0; 256]).await.unwrap();
    assert!(greeting > 0);
    let flood =
        tokio::spawn(async move { while commands.write_all(&b"NOOP\r\n".repeat(1000)).await.is_ok() {} });
    let mut said = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), replies.read_to_end(&mut said)).await.unwrap();
    assert!(said.windows(9).any(|words| words == b"421 4.4.2"));
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn guessing_gets_slower() {
    let server = Running::with(Limits::default());
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO client.test\r\n", "250 ").await;
    for expected in [0, 1, 2] {
        let start = Instant::now();
        client.ask(&crate::client::auth_plain("demo@example.test", "wrong"), "535").await;
        assert_eq!(seconds(start), expected);
    }
}

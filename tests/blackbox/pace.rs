//! A plain client's whole session: connect, TLS, AUTH, one message, QUIT.

use std::time::{Duration, Instant};

use tests::client::Client;
use tests::server::{Installation, Server, Settings};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// One lone small write that waits for a delayed ACK costs 40 ms, so that even an unoptimised build must stay below.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 35 } else { 10 });

#[test]
fn a_whole_session_takes_a_few_milliseconds() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    let server = installation.start();
    let mut times: Vec<Duration> = (0..25).map(|_| session(&installation, &server, &password)).collect();
    times.sort();
    assert!(times[12] < LIMIT, "{times:?}");
}

/// A client that waits for each reply and has the socket options it was born with.
fn session(installation: &Installation, server: &Server, password: &str) -> Duration {
    let tls = installation.authority.client();
    let message = letter("quick", &"a line of text\r\n".repeat(250));
    let address = server.implicit();
    let begun = Instant::now();
    let mut client = Client::connect(address, &tls);
    client.handshake().unwrap();
    assert_eq!(client.reply().unwrap().code, 220);
    client.expect("EHLO client.example", 250);
    assert_eq!(client.auth_plain(USER, password).unwrap().code, 235);
    assert_eq!(client.send(USER, &["bob@example.net"], &message).unwrap().code, 250);
    client.expect("QUIT", 221);
    begun.elapsed()
}

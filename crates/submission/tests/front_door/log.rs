//! What the log says of a session, and what it must not.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracing::Level;
use tracing::subscriber::DefaultGuard;

use crate::client::{Client, auth_plain};
use crate::house::{PASSWORD, POISON, Running, USER};

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Keeps what is logged on this thread, where the server runs too.
    pub(crate) fn keep(level: Level) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// Once the server has had the time to write it.
    pub(crate) async fn text(&self) -> String {
        tokio::time::sleep(Duration::from_millis(50)).await;
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_session_leaves_one_line() {
    let (log, _guard) = Log::keep(Level::INFO);
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("BDAT 0 LAST\r\n", "250").await;
    client.ask("QUIT\r\n", "221").await;
    drop(client);
    let text = log.text().await;
    // Beside those that the listeners leave at the start.
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("event=\"listening\"")).collect();
    let [line] = lines[..] else { panic!("{text}") };
    for part in [
        "session ended",
        "event=\"session\"",
        "tls=\"TLSv1.3\"",
        "cipher=\"TLS_AES_128_GCM_SHA256\"",
        "user=\"demo@example.test\"",
        "mechanism=\"PLAIN\"",
        "messages=1",
        "reason=\"closed\"",
        "reply=\"221 2.0.0 Bye\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

/// The line is how one finds a device that only says EHLO and gives up.
#[tokio::test]
async fn a_client_that_never_logs_in_is_told_by_its_name() {
    let (log, _guard) = Log::keep(Level::INFO);
    let server = Running::start();
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO printer7\r\n", "250 ").await;
    client.ask("MAIL FROM:<printer@example.test>\r\n", "530 ").await;
    client.ask("QUIT\r\n", "221").await;
    drop(client);
    let text = log.text().await;
    assert!(text.contains("ehlo=\"printer7\""), "{text}");
}

#[tokio::test]
async fn a_session_whose_login_came_to_nothing_says_so() {
    let (log, _guard) = Log::keep(Level::INFO);
    let server = Running::start();
    let mut client = Client::known(&server).await;
    server.judge.revoke();
    client.ask("NOOP\r\n", "421").await;
    drop(client);
    let text = log.text().await;
    assert!(text.contains("reason=\"revoked\"") && text.contains("reply=\"421 4.7.0 "), "{text}");
}

#[tokio::test]
async fn no_level_shows_a_password() {
    let (log, _guard) = Log::keep(Level::TRACE);
    let server = Running::start();
    for login in [
        auth_plain(USER, PASSWORD),
        format!("AUTH LOGIN\r\n{}\r\n{}\r\n", STANDARD.encode(USER), STANDARD.encode(PASSWORD)),
        format!("AUTH PLAIN\r\n{}\r\n", STANDARD.encode(format!("\0{USER}\0{PASSWORD}"))),
        format!("{PASSWORD}\r\n"),
    ] {
        let mut client = Client::implicit(&server).await;
        client.ask("EHLO client.test\r\n", "250 ").await;
        for line in login.split_inclusive("\r\n") {
            // In two pieces, so that no check of a whole line is enough.
            client.send(line.split_at(3).0).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            client.ask(line.split_at(3).1, "").await;
        }
    }
    let text = log.text().await;
    assert!(text.contains("EHLO client.test"), "the dialogue is there");
    for secret in [
        PASSWORD.to_owned(),
        STANDARD.encode(PASSWORD),
        auth_plain(USER, PASSWORD).replace("AUTH PLAIN ", ""),
    ] {
        assert!(!text.contains(secret.trim()), "{text}");
    }
}

#[tokio::test]
async fn a_session_that_panicked_leaves_its_line_too() {
    let (log, _guard) = Log::keep(Level::INFO);
    let server = Running::start();
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO client.test\r\n", "250 ").await;
    client.send(auth_plain(POISON, PASSWORD)).await;
    let text = log.text().await;
    assert!(text.contains("reason=\"panicked\""), "{text}");
}

#[test]
fn a_session_that_was_left_behind_has_not_panicked() {
    let (log, _guard) = Log::keep(Level::INFO);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _client = runtime.block_on(async { Client::known(&Running::start()).await });
    drop(runtime);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("reason=\"shutdown\""), "{text}");
}

//! The log of a server that goes on and ends whoever reads it, and that nobody can fill.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::client::Client;
use tests::server::{Installation, Settings, until};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

/// A server whose log is read by the test itself, when it likes.
struct Unread {
    child: Child,
    log: Option<BufReader<ChildStderr>>,
    implicit: SocketAddr,
}

impl Unread {
    fn start(installation: &Installation) -> Unread {
        let mut command = installation.command(&["serve"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("event=ready") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server has ended");
        }
        let implicit = line.split([' ', '"']).find_map(|word| word.strip_suffix("/implicit")).unwrap();
        let implicit = implicit.parse().unwrap();
        Unread { child, log: Some(log), implicit }
    }

    fn logged_in(&self, installation: &Installation) -> Client {
        let mut client = Client::connect(self.implicit, &installation.authority.client());
        client.handshake().unwrap();
        assert_eq!(client.reply().unwrap().code, 220);
        client.expect("EHLO client.example", 250);
        assert_eq!(client.auth_plain(USER, PASSWORD).unwrap().code, 235);
        client
    }

    fn terminate(&mut self) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        until("the server ends", || self.child.try_wait().unwrap())
    }

    /// What is left of the log, to its end.
    fn rest(&mut self) -> String {
        let mut text = String::new();
        self.log.as_mut().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn talkative() -> Installation {
    let installation =
        Installation::new(&Settings { log: "level = \"trace\"".to_owned(), ..Settings::default() });
    installation.add_user(USER, PASSWORD);
    installation
}

/// Makes about half a kilobyte of log for each of so many recipients.
fn name_recipients(client: &mut Client, number: usize) {
    client.expect(&format!("MAIL FROM:<{USER}>"), 250);
    let (local, domain) = ("x".repeat(30), format!("{0}.{0}.{0}.{0}.example", "x".repeat(50)));
    let recipients: Vec<usize> = (0..number).collect();
    for some in recipients.chunks(100) {
        let lines: String =
            some.iter().map(|number| format!("RCPT TO:<{number}-{local}@{domain}>\r\n")).collect();
        client.say(lines.as_bytes()).unwrap();
        some.iter().for_each(|_| assert_eq!(client.reply().unwrap().code, 250));
    }
    client.expect("RSET", 250);
}

#[test]
fn a_log_that_nobody_reads_stops_neither_sessions_nor_the_end() {
    let installation = talkative();
    let mut server = Unread::start(&installation);
    // A pipe takes 64 KiB.
    name_recipients(&mut server.logged_in(&installation), 300);
    let mut other = server.logged_in(&installation);
    let reply = other.send(USER, &["bob@example.net"], &letter("unread", "text\r\n")).unwrap();
    assert_eq!(reply.code, 250);
    let begun = Instant::now();
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(installation.queue().len(), 1);
}

#[test]
fn lines_that_are_dropped_are_counted_and_the_count_is_told() {
    let installation = talkative();
    let mut server = Unread::start(&installation);
    let mut client = server.logged_in(&installation);
    // More than pipe and queue take.
    (0..13).for_each(|_| name_recipients(&mut client, 1000));
    drop(client);
    server.terminate();
    let log = server.rest();
    assert_eq!(server.ended().code(), Some(0));
    let told = log.lines().find(|line| line.contains("event=log.dropped")).expect("a line about it");
    let lines = told.split("lines=").nth(1).unwrap().split(' ').next().unwrap();
    assert!(lines.parse::<u64>().unwrap() > 0, "{told}");
    assert!(log.lines().all(|line| line.starts_with("20")), "whole lines");
}

#[test]
fn a_slow_reader_gets_the_last_line_too() {
    let installation = talkative();
    let mut server = Unread::start(&installation);
    name_recipients(&mut server.logged_in(&installation), 1000);
    server.terminate();
    // Slower than a line a millisecond, and by no means gone.
    let mut log = String::new();
    while server.log.as_mut().unwrap().read_line(&mut log).unwrap() > 0 {
        if log.len().is_multiple_of(16) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(server.ended().code(), Some(0));
    for number in 0..1000 {
        assert!(log.contains(&format!("<{number}-x")), "{number}");
    }
    assert!(!log.contains("event=log.dropped"));
    assert!(log.lines().last().unwrap().contains("event=stopped"), "{log}");
}

#[test]
fn a_reader_that_is_gone_stops_nothing() {
    let installation = talkative();
    let mut server = Unread::start(&installation);
    // The pipe breaks.
    server.log = None;
    name_recipients(&mut server.logged_in(&installation), 20);
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_flood_of_strangers_makes_few_lines_with_a_number() {
    let installation = Installation::new(&Settings {
        log: "format = \"json\"".to_owned(),
        limits: "connections_per_network = 1000".to_owned(),
        ..Settings::default()
    });
    let server = installation.start();
    let (address, floods) = (server.starttls(), 300);
    let begun = Instant::now();
    for _ in 0..floods {
        let mut client = Client::connect(address, &installation.authority.client());
        assert_eq!(client.reply().unwrap().code, 220);
        client.expect("QUIT", 221);
    }
    let seconds = begun.elapsed().as_secs() + 1;
    server.signal("TERM");
    let log = server.until_ended();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = events.iter().filter(|event| event["event"] == "session").count();
    let merged = events.iter().filter(|event| event["event"] == "log.merged");
    let merged: Vec<u64> = merged.map(|event| event["lines"].as_u64().unwrap()).collect();
    assert!(u64::try_from(told).unwrap() <= 10 * (seconds + 1), "{told} lines in {seconds} s");
    assert_eq!(told as u64 + merged.iter().sum::<u64>(), floods, "{merged:?}");
}

#[test]
fn equal_lines_in_a_row_are_told_once_with_their_number() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, PASSWORD);
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    (0..10).for_each(|_| drop(client.expect("MAIL FROM:<bob@example.net>", 553)));
    client.expect("QUIT", 221);
    server.signal("TERM");
    let log = server.until_ended();
    let refused: Vec<&str> = log.lines().filter(|line| line.contains("bob@example.net")).collect();
    let repeated = |line: &str| line.split_once(" repeated=").and_then(|(_, times)| times.parse().ok());
    let times: u32 = refused.iter().map(|line| repeated(line).unwrap_or(1)).sum();
    assert!(refused.len() < 10 && times == 10, "{log}");
}

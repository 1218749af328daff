//! Clients that take more than their part: silence, messages without an end, text in the most expensive form there is.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tests::client::{Client, stuffed};
use tests::server::{Installation, Server, Settings, until};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const OTHER: &str = "bob@example.org";
const PASSWORD: &str = "correct horse";

fn installation(settings: &Settings) -> (Installation, Server) {
    let installation = Installation::new(settings);
    installation.add_user(USER, PASSWORD);
    let server = installation.start();
    (installation, server)
}

fn limits(limits: &str) -> Settings {
    Settings { limits: limits.to_owned(), ..Settings::default() }
}

/// Up to the text.
fn begin(client: &mut Client, user: &str) {
    client.expect(&format!("MAIL FROM:<{user}>"), 250);
    client.expect("RCPT TO:<carol@example.net>", 250);
    client.expect("DATA", 354);
}

#[test]
fn messages_without_an_end_take_their_own_accounts_room_alone() {
    let (installation, server) = installation(&limits("message_size = \"64 KiB\"\nunfinished = \"128 KiB\""));
    installation.add_user(OTHER, PASSWORD);
    let text = letter("large", &"text\r\n".repeat(10_000));
    let mut endless: Vec<Client> = (0..2)
        .map(|_| {
            let mut client = server.logged_in(&installation, USER, PASSWORD);
            client.expect(&format!("MAIL FROM:<{USER}>"), 250);
            client.expect("RCPT TO:<carol@example.net>", 250);
            // Unlike lines of text, a chunk has a reply: then the server has its octets.
            client.say(format!("BDAT {}\r\n", text.len()).as_bytes()).unwrap();
            client.say(&text).unwrap();
            assert_eq!(client.reply().unwrap().code, 250);
            client
        })
        .collect();

    let mut third = server.logged_in(&installation, USER, PASSWORD);
    let refused = third.send(USER, &["carol@example.net"], &text).unwrap();
    assert!(refused.lines[0].starts_with("452 4.3.1 "), "{refused:?}");
    assert_eq!(third.send(USER, &["carol@example.net"], &letter("small", "text\r\n")).unwrap().code, 250);
    let mut other = server.logged_in(&installation, OTHER, PASSWORD);
    let from_other = String::from_utf8(text.clone()).unwrap().replace("alice@", "bob@");
    assert_eq!(other.send(OTHER, &["carol@example.net"], from_other.as_bytes()).unwrap().code, 250);

    // One ends well, and one does not: either way its octets count no more.
    endless[0].expect("BDAT 0 LAST", 250);
    drop(endless);
    assert_eq!(third.send(USER, &["carol@example.net"], &text).unwrap().code, 250);
}

#[test]
fn a_message_has_its_time_however_fast_it_comes() {
    let (installation, server) = installation(&limits("message_time = \"1s\""));
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    begin(&mut client, USER);
    let begun = Instant::now();
    while client.say(b"text\r\n").is_ok() && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!((1..9).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let ended = server.until_logged("reason=timed-out");
    assert!(ended.contains("421 4.4.2 Connection timed out"), "{ended}");
    assert_eq!(installation.queue().len(), 0);
}

#[test]
fn who_opens_connections_and_says_nothing_keeps_nobody_out() {
    let (installation, server) = installation(&limits("connections = 20"));
    let address = server.implicit();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut silent = Vec::new();
            while !done.load(Ordering::Relaxed) {
                silent.push(TcpStream::connect(address).unwrap());
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        until("all places are taken", || server.log().contains("connection.refused").then_some(()));
        let mut known: Vec<Client> =
            (0..3).map(|_| until("somebody gets in", || get_in(&installation, &server))).collect();
        until("others have been displaced", || server.log().contains("reason=displaced").then_some(()));
        for client in &mut known {
            client.expect("NOOP", 250);
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// A login, unless there is no room.
fn get_in(installation: &Installation, server: &Server) -> Option<Client> {
    let mut client = Client::connect(server.implicit(), &installation.authority.client());
    client.handshake().ok()?;
    client.reply().ok().filter(|greeting| greeting.code == 220)?;
    client.ask("EHLO client.example").ok()?;
    let reply = client.auth_plain(USER, PASSWORD).ok()?;
    (reply.code == 235).then_some(client)
}

/// Processor time of the server for a message of such lines, in ticks.
fn cost(server: &Server, client: &mut Client, line: &str) -> u64 {
    let text = stuffed(&letter("many lines", &line.repeat((2 << 20) / line.len())));
    begin(client, USER);
    let before = server.processor_time();
    client.say(&text).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    server.processor_time() - before
}

#[test]
fn lines_that_begin_with_dots_cost_what_others_do() {
    let (installation, server) = installation(&Settings::default());
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    let (plain, dots) = (cost(&server, &mut client, "ab\r\n"), cost(&server, &mut client, "..\r\n"));
    assert!(dots < 3 * plain, "{dots} ticks for dots, {plain} for letters");
}

/// A message may begin with small chunks, as that of a program that sends its header line by line.
#[test]
fn chunks_of_one_octet_have_an_end_and_disturb_nobody() {
    let (installation, server) = installation(&Settings::default());
    let mut canary = server.logged_in(&installation, USER, PASSWORD);
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    client.expect(&format!("MAIL FROM:<{USER}>"), 250);
    client.expect("RCPT TO:<carol@example.net>", 250);
    let before = server.resident();
    let _ = client.say("BDAT 1\r\nx".repeat(100_000).as_bytes());
    canary.expect("NOOP", 250);
    let mut taken = 0;
    let last = loop {
        let line = client.line().unwrap().unwrap_or_default();
        if !line.starts_with("250 ") {
            break line;
        }
        taken += 1;
    };
    assert!(last.starts_with("421 4.7.0 Too many chunks"), "{last:?}");
    assert!((1000..1100).contains(&taken), "{taken}");
    let growth = server.resident().saturating_sub(before);
    assert!(growth < 4096, "{growth} KiB more");
}

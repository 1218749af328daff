//! A large message never stands whole in memory, and nobody else notices it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tests::server::{Installation, Server, Settings};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// What a message of 35 MiB may add, in KiB: chunks on their way to the disk.
const GROWTH: u64 = 12 * 1024;

#[test]
fn memory_stays_flat_and_a_bystander_quick_while_35_mib_come_in() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    let server = installation.start();
    // Everything that is set up once is set up.
    send(&installation, &server, &password, &letter("warm", &text(2_000_000)));
    let before = server.resident();

    let done = AtomicBool::new(false);
    let (peak, slowest) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&installation, &server, &password, &done));
        send(&installation, &server, &password, &letter("large", &text(35 * 1024 * 1024 - 1000)));
        done.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    });
    assert!(peak < before + GROWTH, "resident: {before} KiB before, {peak} KiB at most");
    assert!(slowest < Duration::from_secs(1), "a bystander's message took {slowest:?}");
}

/// Sends small messages until it is done; the most memory seen, and the longest a message took.
fn watch(installation: &Installation, server: &Server, password: &str, done: &AtomicBool) -> (u64, Duration) {
    let mut client = server.logged_in(installation, USER, password);
    let (mut peak, mut slowest) = (0, Duration::ZERO);
    for number in 0.. {
        if done.load(Ordering::Relaxed) && number > 0 {
            break;
        }
        let begun = Instant::now();
        let reply = client.send(USER, &["bob@example.net"], &letter("small", "short\r\n")).unwrap();
        slowest = slowest.max(begun.elapsed());
        peak = peak.max(server.resident());
        match reply.code {
            250 => {}
            421 => client = server.logged_in(installation, USER, password),
            _ => panic!("{reply:?}"),
        }
    }
    (peak, slowest)
}

fn send(installation: &Installation, server: &Server, password: &str, message: &[u8]) {
    let mut client = server.logged_in(installation, USER, password);
    let reply = client.send(USER, &["bob@example.net"], message).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
}

fn text(octets: usize) -> String {
    "sixty-two octets of text on each of very many lines, just so..\r\n".repeat(octets / 64)
}

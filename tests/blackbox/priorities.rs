//! Which of the messages that wait for one destination comes first (MT-PRIORITY, RFC 6710).

use std::sync::{Condvar, Mutex};

use tests::server::{Installation, Settings};
use tests::smarthost::{Script, Smarthost};

const USER: &str = "alice@example.org";

/// Closed until somebody opens it.
static GATE: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn wait_at_the_gate() {
    let mut is_open = GATE.0.lock().unwrap();
    while !*is_open {
        is_open = GATE.1.wait(is_open).unwrap();
    }
}

#[test]
fn over_one_connection_the_most_urgent_of_those_that_wait_comes_first() {
    let script = Script {
        answer: Box::new(|line, before| {
            if line == "." && before == 0 {
                wait_at_the_gate();
            }
            None
        }),
        ..Script::default()
    };
    let next = Smarthost::start(script);
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"\nconnections = 1", next.address);
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    let mut hand_in = |name: &str, priority: &str| {
        client.expect(&format!("MAIL FROM:<{USER}>{priority}"), 250);
        client.expect(&format!("RCPT TO:<{name}@example.net>"), 250);
        client.expect("DATA", 354);
        client.say(format!("From: {USER}\r\n\r\nx\r\n.\r\n").as_bytes()).unwrap();
        assert_eq!(client.reply().unwrap().code, 250);
    };
    hand_in("first", "");
    next.until_line(".");
    for (name, priority) in [
        ("low", " MT-PRIORITY=-4"),
        ("normal", ""),
        ("urgent", " MT-PRIORITY=4"),
        ("lowest", " MT-PRIORITY=-9"),
    ] {
        hand_in(name, priority);
    }
    *GATE.0.lock().unwrap() = true;
    GATE.1.notify_all();
    let arrived = next.until_messages(5);
    let order: Vec<_> =
        arrived.iter().map(|message| message.recipients[0].trim_end_matches("@example.net")).collect();
    assert_eq!(order, ["first", "urgent", "normal", "low", "lowest"]);
    let urgent = String::from_utf8_lossy(&arrived[1].octets);
    assert!(urgent.contains("\r\n for <urgent@example.net>\r\n priority 4;\r\n"), "{urgent}");
}

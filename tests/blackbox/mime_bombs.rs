//! Messages whose structure is made to cost the server time, memory or its stack.

use std::time::{Duration, Instant};

use tests::client::Client;
use tests::server::{Installation, Server, Settings, until};
use tests::smarthost::{Script, Smarthost};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

/// What a server that has taken them may have needed, in KiB: with 7 MiB of text.
const MEMORY: u64 = 160 << 10;

/// What a bystander has to wait for at most, in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// RES-07: each is taken, and leaves or fails, while others are served. Its text has 8 bits, and the next host takes 7, so that its parts
/// have to be found on the way in and again on the way out.
#[test]
fn res_07_a_structure_without_end_costs_little() {
    let house = House::open();
    for (name, bomb) in [
        ("10,000 multiparts in one another", nested_multiparts(10_000)),
        ("10,000 messages in one another", nested_messages(10_000)),
        ("10,000 of both", nested_by_turns(5_000)),
        ("1,000,000 boundaries", boundaries(1_000_000)),
    ] {
        let (mut client, mut bystander) = (house.client(), house.client());
        let sent = std::thread::spawn(move || client.send(USER, &["bob@example.net"], &bomb).unwrap());
        while !sent.is_finished() {
            let begun = Instant::now();
            bystander.expect("RSET", 250);
            assert!(begun.elapsed() < PATIENCE, "{name}: {:?}", begun.elapsed());
            // A hundred commands that send nothing are too many.
            std::thread::sleep(Duration::from_millis(250));
        }
        let reply = sent.join().unwrap();
        assert_eq!(reply.code, 250, "{name}: {reply:?}");
        let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
        until(name, || house.is_settled(&id).then_some(()));
        bystander.expect("NOOP", 250);
    }
    assert!(house.server.peak() < MEMORY, "{} KiB", house.server.peak());
    assert!(house.server.terminate().success());
}

struct House {
    installation: Installation,
    server: Server,
    _next: Smarthost,
}

impl House {
    fn open() -> House {
        let next = Smarthost::start(Script { capabilities: vec!["SIZE"], ..Script::default() });
        let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
        let installation = Installation::new(&Settings { delivery, ..Settings::default() });
        installation.add_user(USER, PASSWORD);
        let server = installation.start();
        House { installation, server, _next: next }
    }

    fn client(&self) -> Client {
        self.server.logged_in(&self.installation, USER, PASSWORD)
    }

    /// Whether the message has left, or has failed for good.
    fn is_settled(&self, id: &str) -> bool {
        let shown = self.installation.json(&["queue", "show", id]);
        let states =
            shown["recipients"].as_array().unwrap().iter().map(|recipient| recipient["state"].clone());
        states.into_iter().all(|state| state == "delivered" || state == "failed")
    }
}

const HEADER: &str = "From: <alice@example.org>\r\nSubject: bomb\r\nMIME-Version: 1.0\r\n";
const TEXT: &str =
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nna\u{ef}ve\r\n";

fn nested_multiparts(depth: usize) -> Vec<u8> {
    let parts = (0..depth)
        .map(|number| format!("Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n"));
    bomb(parts)
}

fn nested_messages(depth: usize) -> Vec<u8> {
    bomb((0..depth).map(|_| "Content-Type: message/rfc822\r\n\r\n".to_owned()))
}

fn nested_by_turns(depth: usize) -> Vec<u8> {
    bomb((0..depth).map(|number| {
        format!(
            "Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\nContent-Type: message/rfc822\r\n\r\n"
        )
    }))
}

fn boundaries(number: usize) -> Vec<u8> {
    let parts = [
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned(),
        "--b\r\n\r\n".repeat(number),
        "--b\r\n".to_owned(),
    ];
    bomb(parts.into_iter())
}

fn bomb(parts: impl Iterator<Item = String>) -> Vec<u8> {
    std::iter::once(HEADER.to_owned()).chain(parts).chain([TEXT.to_owned()]).collect::<String>().into_bytes()
}

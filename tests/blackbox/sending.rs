//! How much an account may send, from outside: what the client is told, what the operator is told, and what lasts.

use serde_json::Value;
use tests::client::{Client, Reply};
use tests::server::{Installation, Server, Settings, until};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const OTHER: &str = "bob@example.org";

struct House {
    installation: Installation,
    settings: Settings,
}

impl House {
    fn with(sending: &str) -> House {
        let settings = Settings { sending: sending.to_owned(), ..Settings::default() };
        let installation = Installation::new(&settings);
        installation.add_user(USER, "correct horse");
        installation.add_user(OTHER, "battery staple");
        House { installation, settings }
    }

    fn alice(&self, server: &Server) -> Client {
        server.logged_in(&self.installation, USER, "correct horse")
    }

    /// What `user show` says of a limit, once the server has written it down.
    fn until_used(&self, limit: &str, used: u64) -> Value {
        until("the count is written down", || {
            let shown = self.installation.json(&["user", "show", USER])["sending"][limit].clone();
            (shown["used"] == used).then_some(shown)
        })
    }

    fn limit(&self, option: &str, number: &str) {
        self.installation.done(&["user", "limit", USER, option, number]);
    }
}

fn send(client: &mut Client, to: &[&str]) -> Reply {
    client.send(USER, to, &letter("counted", "one more\r\n")).unwrap()
}

#[track_caller]
fn assert_limited(reply: &Reply, limit: &str) {
    let beginning = format!("450 4.7.1 Limit of {limit} is reached; try again in ");
    let [line] = reply.lines.as_slice() else { panic!("{reply:?}") };
    let rest = line.strip_prefix(&beginning).unwrap_or_else(|| panic!("{line}"));
    let seconds: u64 = rest.strip_suffix(" seconds").and_then(|seconds| seconds.parse().ok()).unwrap();
    assert!((1..=86_400).contains(&seconds), "{line}");
}

#[test]
fn res_05_an_hour_has_so_many_messages_also_over_a_restart_and_nobody_else_has_fewer() {
    let house = House::with("messages_per_hour = 5");
    let server = house.installation.start();
    let mut client = house.alice(&server);
    for _ in 0..5 {
        assert_eq!(send(&mut client, &["carol@example.net"]).code, 250);
    }
    assert_limited(&send(&mut client, &["carol@example.net"]), "5 messages an hour");
    assert_limited(&send(&mut client, &["carol@example.net"]), "5 messages an hour");
    let mut other = server.logged_in(&house.installation, OTHER, "battery staple");
    assert_eq!(other.send(OTHER, &["carol@example.net"], &from(OTHER)).unwrap().code, 250);

    let shown = house.until_used("messages_per_hour", 5);
    assert_eq!((&shown["limit"], &shown["own"]), (&5.into(), &false.into()));
    assert!(shown["until"].as_str().unwrap().ends_with('Z'));
    let near = server.until_logged("event=sending.near-limit");
    assert!(near.contains("alice@example.org") && near.contains("messages_per_hour"), "{near}");
    for event in ["event=sending.near-limit", "event=sending.limited"] {
        assert_eq!(server.log().matches(event).count(), 1, "{event}: {}", server.log());
    }
    assert_eq!(house.installation.queue().len(), 6);

    assert!(server.terminate().success());
    let server = house.installation.start();
    assert_limited(&house.alice(&server).ask(&format!("MAIL FROM:<{USER}>")).unwrap(), "5 messages an hour");
    assert_eq!(server.log().matches("event=sending.near-limit").count(), 0, "that was told before");
}

fn from(author: &str) -> Vec<u8> {
    format!("From: {author}\r\n\r\nHello.\r\n").into_bytes()
}

#[test]
fn a_recipient_too_many_is_refused_and_the_others_get_the_message() {
    let house = House::with("recipients_per_day = 3");
    let server = house.installation.start();
    let mut client = house.alice(&server);
    assert_eq!(send(&mut client, &["carol@example.net"]).code, 250);
    client.expect(&format!("MAIL FROM:<{USER}>"), 250);
    client.expect("RCPT TO:<carol@example.net>", 250);
    client.expect("RCPT TO:<dave@example.net>", 250);
    assert_limited(&client.ask("RCPT TO:<erin@example.net>").unwrap(), "3 recipients a day");
    client.expect("RCPT TO:<dave@example.net>", 250);
    client.expect("DATA", 354);
    client.expect("From: alice@example.org\r\n\r\nTo two.\r\n.", 250);
    let queue = house.installation.queue();
    let mut recipients: Vec<_> = queue.iter().map(|entry| entry["recipients"].as_u64().unwrap()).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, [1, 2]);
    house.until_used("recipients_per_day", 3);
}

#[test]
fn of_two_messages_for_the_last_place_the_second_is_refused_at_its_end() {
    let house = House::with("messages_per_day = 1");
    let server = house.installation.start();
    let mut clients = [house.alice(&server), house.alice(&server)];
    for client in &mut clients {
        client.expect(&format!("MAIL FROM:<{USER}>"), 250);
        client.expect("RCPT TO:<carol@example.net>", 250);
        client.expect("DATA", 354);
    }
    let [first, second] = &mut clients;
    first.expect("From: alice@example.org\r\n\r\nFirst.\r\n.", 250);
    assert_limited(&second.ask("From: alice@example.org\r\n\r\nSecond.\r\n.").unwrap(), "1 messages a day");
    second.expect("NOOP", 250);
    assert_eq!(house.installation.queue().len(), 1);
}

#[test]
fn strangers_are_limited_and_old_friends_are_not() {
    let house = House::with("new_recipients_per_day = 2");
    let server = house.installation.start();
    let mut client = house.alice(&server);
    assert_eq!(send(&mut client, &["carol@example.net", "dave@example.net"]).code, 250);
    assert_eq!(send(&mut client, &["Carol@Example.NET", "dave@example.net"]).code, 250);
    assert_limited(&send(&mut client, &["carol@example.net", "erin@example.net"]), "2 new recipients a day");
    client.expect("RSET", 250);
    assert_eq!(send(&mut client, &["carol@example.net"]).code, 250);
    house.until_used("new_recipients_per_day", 2);
    assert!(server.terminate().success());
    let server = house.installation.start();
    let mut client = house.alice(&server);
    assert_limited(&send(&mut client, &["erin@example.net"]), "2 new recipients a day");
    client.expect("RSET", 250);
    assert_eq!(send(&mut client, &["dave@example.net"]).code, 250);
}

#[test]
fn a_change_of_limits_acts_on_a_session_that_runs() {
    let house = House::with("messages_per_hour = 1");
    let server = house.installation.start();
    let mut client = house.alice(&server);
    assert_eq!(send(&mut client, &["carol@example.net"]).code, 250);
    assert_limited(&send(&mut client, &["carol@example.net"]), "1 messages an hour");
    house.limit("--messages-per-hour", "2");
    assert_eq!(send(&mut client, &["carol@example.net"]).code, 250);
    assert_limited(&send(&mut client, &["carol@example.net"]), "2 messages an hour");
    house.limit("--messages-per-hour", "none");
    assert_eq!(send(&mut client, &["carol@example.net"]).code, 250);
    house.limit("--messages-per-hour", "default");
    assert_limited(&send(&mut client, &["carol@example.net"]), "1 messages an hour");
    house
        .installation
        .configure(&Settings { sending: "messages_per_hour = 4".to_owned(), ..house.settings.clone() });
    server.signal("HUP");
    server.until_logged("event=reloaded");
    assert_eq!(send(&mut client, &["carol@example.net"]).code, 250);
    assert_limited(&send(&mut client, &["carol@example.net"]), "4 messages an hour");
}

#[test]
fn limits_that_are_changed_at_the_same_time_are_all_changed() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    const LIMITS: [&str; 5] = [
        "messages-per-hour",
        "messages-per-day",
        "recipients-per-hour",
        "recipients-per-day",
        "new-recipients-per-day",
    ];
    for turn in 1..=3 {
        let number = (turn * 10).to_string();
        let commands = LIMITS.map(|limit| {
            installation.command(&["user", "limit", USER, &format!("--{limit}"), &number]).spawn().unwrap()
        });
        for mut command in commands {
            assert!(command.wait().unwrap().success());
        }
        let sending = installation.json(&["user", "show", USER])["sending"].clone();
        for limit in LIMITS {
            assert_eq!(sending[limit.replace('-', "_")]["limit"], turn * 10, "{limit}: {sending}");
        }
    }
}

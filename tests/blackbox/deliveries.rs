//! What one destination does to the mail of the others: nothing.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;
use tests::database;
use tests::maildir;
use tests::server::{Installation, Server, Settings, until};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// A host that takes connections, and says nothing as long as it is there.
fn silent() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Mail for `dead.example` goes to that host, all other into a Maildir.
fn installed(dead: &TcpListener) -> Installation {
    let installation = Installation::with_maildir();
    configure(&installation, &dead.local_addr().unwrap().to_string());
    installation.add_user(USER, "correct horse");
    installation
}

fn configure(installation: &Installation, other: &str) {
    let delivery = format!(
        "{}\ntls = \"off\"\n[[delivery.route]]\ndomains = [\"dead.example\"]\nvia = \"smtp://{other}\"",
        installation.maildir_delivery()
    );
    installation.configure(&Settings { delivery, ..Settings::default() });
}

fn send(server: &Server, installation: &Installation, to: &[&str], messages: usize) {
    let mut client = server.logged_in(installation, USER, "correct horse");
    for number in 0..messages {
        if number % 50 == 49 {
            client = server.logged_in(installation, USER, "correct horse");
        }
        let reply = client.send(USER, to, &letter(&format!("{}{number}", to[0]), "text\r\n")).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
    }
}

/// Of each message in the queue the states of its recipients, and how often they were tried.
fn states(installation: &Installation) -> Vec<Vec<(String, u64)>> {
    let of = |recipient: &Value| {
        (recipient["state"].as_str().unwrap().to_owned(), recipient["attempts"].as_u64().unwrap())
    };
    let shown = |entry: &Value| installation.json(&["queue", "show", entry["id"].as_str().unwrap()]);
    let recipients = |entry| shown(entry)["recipients"].as_array().unwrap().iter().map(of).collect();
    installation.queue().iter().map(recipients).collect()
}

#[test]
fn a_host_that_is_silent_keeps_no_other_recipient_of_its_messages_waiting() {
    let dead = silent();
    let installation = installed(&dead);
    let server = installation.start();
    send(&server, &installation, &["a@dead.example", "b@example.net"], 1);
    send(&server, &installation, &["b@example.net", "a@dead.example"], 1);
    maildir::until_there(&installation.path("outbox"), 2);
    let (waits, done) = (("queued".to_owned(), 0), ("delivered".to_owned(), 1));
    until("both are recorded", || {
        let both = [vec![waits.clone(), done.clone()], vec![done.clone(), waits.clone()]];
        (states(&installation) == both).then_some(())
    });
}

#[test]
fn thousands_of_messages_for_a_silent_host_have_no_attempt_that_was_not_made() {
    let dead = silent();
    let installation = installed(&dead);
    let server = installation.start();
    send(&server, &installation, &["a@dead.example"], 1990);
    // Time in which an earlier version made up attempts, every two seconds.
    std::thread::sleep(Duration::from_secs(5));
    send(&server, &installation, &["b@example.net"], 1);
    maildir::until_there(&installation.path("outbox"), 1);
    let tried = installation.json(&["queue", "list", "--state", "deferred"]);
    assert!(tried.as_array().unwrap().is_empty(), "{tried}");
    let stats = installation.json(&["queue", "stats"]);
    assert_eq!(stats["queued"], 1990, "{stats}");
}

/// The time that passes is of no consequence: the message is the server's until its outcome is recorded.
#[test]
fn a_server_that_was_suspended_in_the_midst_of_a_delivery_makes_no_second_copy() {
    let answer = |line: &str, _: usize| {
        if line == "." {
            std::thread::sleep(Duration::from_secs(3));
        }
        None
    };
    let next = Smarthost::start(Script { answer: Box::new(answer), ..Script::default() });
    let installation = Installation::with_maildir();
    configure(&installation, &next.address.to_string());
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    send(&server, &installation, &["a@dead.example"], 10);
    next.until_line("DATA");
    server.signal("STOP");
    std::thread::sleep(Duration::from_secs(4));
    server.signal("CONT");
    installation.until_queue_is_empty();
    assert!(server.terminate().success());
    assert_eq!(next.messages().len(), 10);
}

/// As a version without destinations has left it.
#[test]
fn a_queue_without_destinations_goes_where_its_routes_lead() {
    let dead = silent();
    let installation = installed(&dead);
    let server = installation.start();
    send(&server, &installation, &["a@dead.example", "c@dead.example"], 20);
    server.kill();
    let database = installation.path("store").join("queue.db");
    database::execute(
        &database,
        "UPDATE recipients SET destination = ''; UPDATE deliveries SET destination = '', lease_owner = NULL",
    );
    let next = Smarthost::start(Script::default());
    configure(&installation, &next.address.to_string());
    let server = installation.start();
    let arrived = next.until_messages(20);
    assert!(arrived.iter().all(|message| message.recipients.len() == 2));
    installation.until_queue_is_empty();
    assert!(server.terminate().success());
    assert_eq!(next.messages().len(), 20);
}

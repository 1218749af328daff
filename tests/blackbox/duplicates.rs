//! A message that is handed in again because its 250 was lost is accepted, and not sent twice.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::client::{Client, Reply, stuffed};
use tests::maildir;
use tests::server::{Installation, Server, Settings};

use crate::letter::{carries, letter};

const USER: &str = "alice@example.org";
const ROUNDS: usize = 6;
const CLIENTS: usize = 4;

/// As the server is unless it is configured otherwise: it delivers into a Maildir, and knows a message again.
fn installed() -> Installation {
    let installation = Installation::with_maildir();
    let settings = Settings {
        delivery: installation.maildir_delivery(),
        submission: String::new(),
        ..Settings::default()
    };
    installation.configure(&settings);
    installation.add_user(USER, "correct horse");
    installation
}

fn id(reply: &Reply) -> String {
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// A client that has said all of a message but its end.
fn almost(server: &Server, installation: &Installation, message: &[u8]) -> Client {
    let mut client = server.logged_in(installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}>"), 250);
    client.expect("RCPT TO:<bob@example.net>", 250);
    client.expect("DATA", 354);
    let text = stuffed(message);
    client.say(text.strip_suffix(b".\r\n").unwrap()).unwrap();
    client
}

#[test]
fn it_gets_the_name_of_the_first_at_the_same_time_later_and_after_a_restart() {
    let installation = installed();
    let server = installation.start();
    let message = letter("twice", "text\r\n");
    let mut clients = [almost(&server, &installation, &message), almost(&server, &installation, &message)];
    clients.iter_mut().for_each(|client| client.say(b".\r\n").unwrap());
    let [one, other] = clients.each_mut().map(|client| id(&client.reply().unwrap()));
    assert_eq!(one, other, "both at once");
    installation.until_queue_is_empty();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    let mut again = |message: &[u8]| id(&client.send(USER, &["bob@example.net"], message).unwrap());
    assert_eq!(again(&message), one, "when the first is delivered");
    let changed = letter("twice", "another text\r\n");
    let another = again(&changed);
    assert_ne!(another, one);
    let line = server.until_logged("event=duplicate");
    assert!(line.contains(&one) && line.contains("<twice@client.example>"), "{line}");
    server.kill();
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    let mut again = |message: &[u8]| id(&client.send(USER, &["bob@example.net"], message).unwrap());
    assert_eq!((again(&message), again(&changed)), (one, another), "after a restart");
    installation.until_queue_is_empty();
    let delivered = maildir::messages(&installation.path("outbox"));
    assert_eq!(delivered.len(), 2);
    for sent in [&message, &changed] {
        assert_eq!(delivered.iter().filter(|stored| carries(stored, sent)).count(), 1);
    }
}

/// Whether the last 250 before a kill came through or not: the client that tries again has sent its message once.
#[test]
fn killed_under_load_it_sends_once_what_is_handed_in_until_it_is_accepted() {
    let installation = installed();
    let (_, password) = installation.app_password(USER, &[]);
    let names: BTreeSet<String> = (0..CLIENTS * 40).map(|n| format!("{n}-of-all")).collect();
    let waiting = Mutex::new(names.clone());
    for round in 0..ROUNDS {
        let server = installation.start();
        let accepted = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (installation, server, waiting, accepted) = (&installation, &server, &waiting, &accepted);
                let password = &password;
                scope.spawn(move || {
                    let mine =
                        |name: &&String| name.bytes().map(usize::from).sum::<usize>() % CLIENTS == client;
                    let mine: Vec<String> = waiting.lock().unwrap().iter().filter(mine).cloned().collect();
                    let mut session = server.logged_in(installation, USER, password);
                    for name in mine {
                        match session.send(USER, &["bob@example.net"], &letter(&name, "text\r\n")) {
                            Ok(reply) if reply.code == 250 => {
                                waiting.lock().unwrap().remove(&name);
                                if accepted.fetch_add(1, Ordering::Relaxed) == 7 * (round + 1) {
                                    server.signal("KILL");
                                }
                            }
                            Ok(reply) => panic!("{reply:?}"),
                            Err(_) => return,
                        }
                    }
                });
            }
        });
        server.kill();
    }
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, &password);
    // All of them, also those whose 250 came through.
    for name in &names {
        id(&client.send(USER, &["bob@example.net"], &letter(name, "text\r\n")).unwrap());
    }
    installation.until_queue_is_empty();
    let delivered = maildir::messages(&installation.path("outbox"));
    for name in &names {
        let copies = delivered.iter().filter(|stored| carries(stored, &letter(name, "text\r\n"))).count();
        assert_eq!(copies, 1, "{name}");
    }
    assert_eq!(delivered.len(), names.len());
}

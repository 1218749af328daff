//! A credential was stolen, and sends: what it has sent is held, found and removed, while it goes on sending, and nobody else's mail waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tests::server::{Installation, Server, Settings, text, until};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const OTHER: &str = "bob@example.org";

/// A host that puts off whatever is for `victim.example`, and takes all other mail.
fn next_host() -> Smarthost {
    let answer = |line: &str, _: usize| {
        let put_off = line.starts_with("RCPT") && line.contains("victim.example");
        put_off.then(|| "451 4.7.1 not so many".to_owned())
    };
    Smarthost::start(Script { answer: Box::new(answer), ..Script::default() })
}

/// Sends spam until it is not let any more; `sent` counts what was accepted.
fn spam(server: &Server, installation: &Installation, password: &str, sent: &AtomicUsize) {
    let mut client = server.logged_in(installation, USER, password);
    for n in 0.. {
        let letter = letter(&format!("spam-{n}"), "buy\r\n");
        match client.send(USER, &[&format!("v{n}@victim.example")], &letter) {
            Ok(reply) if reply.code == 250 => sent.fetch_add(1, Ordering::Relaxed),
            Ok(_) | Err(_) => return,
        };
    }
}

fn send(server: &Server, installation: &Installation, user: &str, password: &str, name: &str) {
    let letter = String::from_utf8(letter(name, "hello\r\n")).unwrap().replace(USER, user);
    let reply =
        server.logged_in(installation, user, password).send(user, &["to@friend.example"], letter.as_bytes());
    assert_eq!(reply.unwrap().code, 250);
}

/// Whom the host has taken mail for.
fn arrived(next: &Smarthost) -> Vec<String> {
    next.messages().into_iter().flat_map(|message| message.recipients).collect()
}

fn count(installation: &Installation, filter: &[&str]) -> usize {
    installation.json(&[&["queue", "list"], filter].concat()).as_array().unwrap().len()
}

/// How many messages a command says to have changed: the first word of its answer.
fn changed(said: &str) -> usize {
    said.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_stolen_accounts_mail_is_stopped_held_and_removed_while_it_sends() {
    let next = next_host();
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    installation.add_user(OTHER, "correct horse");
    let (stolen, password) = installation.app_password(USER, &[]);
    let server = installation.start();
    let sent = AtomicUsize::new(0);
    thread::scope(|threads| {
        let thief = threads.spawn(|| spam(&server, &installation, &password, &sent));
        let by_it = ["--account", USER, "--credential", &stolen];
        until("some of it is in the queue", || (count(&installation, &by_it) >= 10).then_some(()));
        let held = changed(&installation.done(&[&["queue", "hold", "--yes"], &by_it[..]].concat()));
        assert!(held >= 10, "{held}");
        until("it goes on sending", || (sent.load(Ordering::Relaxed) > held + 10).then_some(()));
        assert!(count(&installation, &["--state", "held"]) == held, "what came later is not held");
        // With the right credential the account itself still sends, and so do others.
        send(&server, &installation, USER, "correct horse", "mine");
        send(&server, &installation, OTHER, "correct horse", "theirs");
        until("both have arrived", || (arrived(&next).len() == 2).then_some(()));
        assert!(!thief.is_finished(), "nothing has stopped it yet");
        installation.done(&["app-password", "revoke", USER, &stolen]);
        thief.join().unwrap();
        let (sent, many) = (sent.load(Ordering::Relaxed), count(&installation, &by_it));
        assert_eq!(many, sent, "all of it is there, and nothing came behind the revocation");
        let wrong = installation.run(&[&["queue", "remove", "--expect", "1"], &by_it[..]].concat(), "");
        assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
        let expected = sent.to_string();
        assert_eq!(changed(&installation.done(&[&["queue", "hold", "--yes"], &by_it[..]].concat())), sent);
        assert_eq!(count(&installation, &["--state", "held", "--credential", &stolen]), sent);
        let removed = installation.done(&[&["queue", "remove", "--expect", &expected], &by_it[..]].concat());
        assert_eq!(changed(&removed), sent);
    });
    installation.until_queue_is_empty();
    let audited = installation.json(&["audit", "list", "--user", USER, "--action", "queue-remove"]);
    assert_eq!(audited[0]["count"], sent.load(Ordering::Relaxed), "{audited}");
    assert!(server.until_logged("event=queue.removed").contains("message.id=<spam-"));
    assert!(server.terminate().success());
    assert_eq!(arrived(&next), ["to@friend.example"; 2]);
    let shown = installation.json(&["app-password", "list", USER]);
    assert!(shown.as_array().unwrap().iter().all(|one| text(one, "id") != stolen), "{shown}");
}

//! The queue as operators see it, and what they do to it.

use std::process::Output;

use serde_json::Value;
use tests::server::{Installation, Server, Settings, text};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const OTHER: &str = "bob@example.org";

/// Mail for `deferred.example` goes to a port where nobody listens; all other is held.
fn installed() -> Installation {
    let delivery = "via = \"hold\"\n[[delivery.route]]\ndomains = [\"deferred.example\"]\n\
                    via = \"smtp://127.0.0.1:1\"";
    let installation = Installation::new(&Settings { delivery: delivery.to_owned(), ..Settings::default() });
    installation.add_user(USER, "correct horse");
    installation.add_user(OTHER, "correct horse");
    installation
}

/// Sends a message; its identifier.
fn send(server: &Server, installation: &Installation, user: &str, password: &str, to: &str) -> String {
    let mut client = server.logged_in(installation, user, password);
    let letter = String::from_utf8(letter(to, "text\r\n")).unwrap().replace(USER, user);
    let reply = client.send(user, &[to], letter.as_bytes()).unwrap();
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// The identifiers that the list shows under these filters.
fn listed(installation: &Installation, filter: &[&str]) -> Vec<String> {
    let listed = installation.json(&[&["queue", "list"], filter].concat());
    listed.as_array().unwrap().iter().map(|entry| text(entry, "id")).collect()
}

fn until_state(installation: &Installation, id: &str, state: &str) -> Value {
    tests::server::until(state, || {
        let shown = installation.json(&["queue", "show", id]);
        (shown["state"] == state).then_some(shown)
    })
}

fn error(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.trim_end().lines().count() == 1, "{said:?}");
    said
}

#[test]
fn a_message_is_found_by_all_that_is_known_of_it() {
    let installation = installed();
    let server = installation.start();
    let (credential, password) = installation.app_password(USER, &[]);
    let held = send(&server, &installation, USER, &password, "to@held.example");
    let deferred = send(&server, &installation, OTHER, "correct horse", "to@deferred.example");
    until_state(&installation, &held, "held");
    let shown = until_state(&installation, &deferred, "deferred");
    assert_eq!(
        (&shown["message_id"], &shown["credential"]),
        (&"<to@deferred.example@client.example>".into(), &"password".into())
    );
    let reply = text(&shown, "last_reply");
    assert_eq!(shown["last_reply"], shown["recipients"][0]["last_reply"]);
    for (filter, found) in [
        (vec![], vec![&held, &deferred]),
        (vec!["--all"], vec![&held, &deferred]),
        (vec!["--account", "Alice@Example.org"], vec![&held]),
        (vec!["--account", "nobody@example.org"], vec![]),
        (vec!["--sender", OTHER], vec![&deferred]),
        (vec!["--sender", "<>"], vec![]),
        (vec!["--recipient-domain", "DEFERRED.example"], vec![&deferred]),
        (vec!["--recipient-domain", "example"], vec![]),
        (vec!["--state", "held"], vec![&held]),
        (vec!["--state", "deferred"], vec![&deferred]),
        (vec!["--state", "queued"], vec![]),
        (vec!["--older-than", "0s"], vec![&held, &deferred]),
        (vec!["--older-than", "1h"], vec![]),
        (vec!["--credential", &credential], vec![&held]),
        (vec!["--credential", "password"], vec![&deferred]),
        (vec!["--reply-contains", &reply[4..]], vec![&deferred]),
        (vec!["--state", "held", "--sender", OTHER], vec![]),
    ] {
        assert_eq!(listed(&installation, &filter).iter().collect::<Vec<_>>(), found, "{filter:?}");
    }
    let table = installation.done(&["queue", "list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains("STATE") && lines[0].ends_with("LAST REPLY"), "{table}");
    assert!(lines[2].starts_with(&format!("{deferred}  deferred  {OTHER}")), "{table}");
    assert_eq!(installation.run(&["queue", "list", "--state", "lost"], "").status.code(), Some(2));
}

#[test]
fn many_are_held_released_and_removed_at_once_if_they_are_as_many_as_expected() {
    let installation = installed();
    let server = installation.start();
    let deferred = send(&server, &installation, USER, "correct horse", "to@deferred.example");
    let others: Vec<String> =
        (0..3).map(|_| send(&server, &installation, OTHER, "correct horse", "to@held.example")).collect();
    until_state(&installation, &deferred, "deferred");
    others.iter().for_each(|id| drop(until_state(&installation, id, "held")));
    let asks = error(&installation.run(&["queue", "hold", "--state", "deferred"], ""));
    assert!(asks.contains("--expect"), "{asks}");
    let wrong = error(&installation.run(&["queue", "hold", "--state", "deferred", "--expect", "2"], ""));
    assert!(wrong.contains("1 message is found, not 2"), "{wrong}");
    assert_eq!(listed(&installation, &["--state", "held"]), others);
    installation.done(&["queue", "hold", "--state", "deferred", "--expect", "1"]);
    assert_eq!(listed(&installation, &["--state", "held"]).len(), 4);
    let retried = installation.done(&["queue", "retry", "--all", "--expect", "4"]);
    assert!(
        retried.contains("4 messages are left") || retried.contains("0 messages are due now"),
        "{retried}"
    );
    let released = installation.done(&["queue", "release", "--all", "--expect", "4"]);
    assert!(
        released.contains("1 message is released") && released.contains("is held by its route"),
        "{released}"
    );
    until_state(&installation, &deferred, "deferred");
    let removed = installation.done(&["queue", "remove", "--account", OTHER, "--expect", "3"]);
    assert_eq!(removed, "3 messages are removed\n");
    assert_eq!(listed(&installation, &[]), [deferred]);
    assert_eq!(installation.done(&["queue", "remove", "--account", OTHER]), "0 messages are removed\n");
}

#[test]
fn what_operators_do_is_logged_and_audited_with_who_did_it() {
    let installation = installed();
    let server = installation.start();
    let first = send(&server, &installation, USER, "correct horse", "to@held.example");
    let second = send(&server, &installation, USER, "correct horse", "to@held.example");
    let act = |arguments: &[&str]| {
        let output = installation.command(arguments).env("SUDO_USER", "frank").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    act(&["queue", "hold", &first, &second]);
    act(&["queue", "remove", &first, "--yes"]);
    let line = server.until_logged("event=queue.removed");
    for words in [&first, "message.id=<to@held.example@client.example>", USER, "by=\"frank as "] {
        assert!(line.contains(words), "no {words} in {line}");
    }
    assert!(server.log().lines().filter(|line| line.contains("event=queue.held")).count() == 2);
    let audited = installation.json(&["audit", "list", "--user", USER]);
    let told: Vec<_> = audited
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| text(event, "action").starts_with("queue-"))
        .map(|event| (text(event, "action"), event["count"].clone(), text(event, "by")))
        .collect();
    assert_eq!((told[0].0.as_str(), &told[0].1), ("queue-remove", &1.into()));
    assert_eq!((told[1].0.as_str(), &told[1].1), ("queue-hold", &2.into()));
    assert!(told.iter().all(|(_, _, by)| by.starts_with("frank as ")), "{told:?}");
}

#[test]
fn what_was_done_before_the_server_started_is_logged_too() {
    let installation = installed();
    let server = installation.start();
    let id = send(&server, &installation, USER, "correct horse", "to@held.example");
    assert!(server.terminate().success());
    installation.done(&["queue", "remove", &id, "--yes"]);
    let server = installation.start();
    assert!(server.until_logged("event=queue.removed").contains(&id));
}

#[test]
fn an_identifier_may_be_cut_short_where_it_is_unambiguous() {
    let installation = installed();
    let server = installation.start();
    let mut ids =
        [USER, OTHER].map(|user| send(&server, &installation, user, "correct horse", "to@held.example"));
    ids.sort();
    let common = ids[0].bytes().zip(ids[1].bytes()).take_while(|(one, other)| one == other).count();
    let said = error(&installation.run(&["queue", "hold", &ids[0][..common]], ""));
    assert!(ids.iter().all(|id| said.contains(id)), "{said}");
    let short = ids[0][..=common].to_uppercase();
    assert_eq!(installation.json(&["queue", "show", &short])["id"], ids[0]);
    assert!(installation.done(&["queue", "hold", &short]).contains(&ids[0]));
    assert_eq!(installation.run(&["queue", "show", "not-one"], "").status.code(), Some(2));
    // All are found before anything is done.
    error(&installation.run(&["queue", "remove", &ids[0], "7zzzz", "--yes"], ""));
    assert_eq!(listed(&installation, &[]), ids);
}

#[test]
fn messages_are_named_or_found_but_not_both() {
    let installation = installed();
    for arguments in [
        &["queue", "hold"][..],
        &["queue", "hold", "--expect", "1"],
        &["queue", "hold", "0", "--state", "held"],
        &["queue", "hold", "--all", "--state", "held"],
    ] {
        assert_eq!(installation.run(arguments, "").status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn an_account_that_is_removed_says_what_it_has_queued() {
    let installation = installed();
    let server = installation.start();
    for user in [USER, OTHER] {
        let id = send(&server, &installation, user, "correct horse", "to@deferred.example");
        until_state(&installation, &id, "deferred");
    }
    let said = installation.done(&["user", "remove", USER, "--yes"]);
    assert!(said.contains("1 message of its is still in the queue"), "{said}");
    assert_eq!(listed(&installation, &["--account", USER, "--state", "deferred"]).len(), 1);
    let said = installation.done(&["user", "remove", OTHER, "--yes", "--hold-queued"]);
    assert!(said.contains("1 message of its is held"), "{said}");
    assert_eq!(listed(&installation, &["--account", OTHER, "--state", "held"]).len(), 1);
}

#[test]
fn the_log_says_what_a_message_calls_itself_in_every_fate() {
    let installation = installed();
    let server = installation.start();
    let id = send(&server, &installation, USER, "correct horse", "to@deferred.example");
    let told = "message.id=<to@deferred.example@client.example>";
    assert!(server.until_logged("event=accepted").contains(told));
    assert!(server.until_logged("event=deferred").contains(told));
    until_state(&installation, &id, "deferred");
    assert!(server.terminate().success());
    installation.configure(&Settings { delivery: installation.maildir_delivery(), ..Settings::default() });
    installation.done(&["queue", "retry", &id]);
    let line = installation.start().until_logged("event=delivered");
    assert!(line.contains(told), "{line}");
}

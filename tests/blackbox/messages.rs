//! What was sent, and what became of it, is known when it has long left the queue.

use serde_json::{Value, json};
use tests::maildir;
use tests::server::{Installation, Server, Settings, text, until};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const OTHER: &str = "bob@example.org";

/// Mail for `down.example` goes to a port where nobody listens, all other into a Maildir.
fn installed(more: &str) -> Installation {
    let installation = Installation::with_maildir();
    let delivery = format!(
        "{}\n[[delivery.route]]\ndomains = [\"down.example\"]\nvia = \"smtp://127.0.0.1:1\"\n{more}",
        installation.maildir_delivery()
    );
    installation.configure(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    installation.add_user(OTHER, "correct horse");
    installation
}

fn send(
    server: &Server,
    installation: &Installation,
    user: &str,
    password: &str,
    to: &[&str],
    name: &str,
) -> String {
    let mut client = server.logged_in(installation, user, password);
    let letter = String::from_utf8(letter(name, "text\r\n")).unwrap().replace(USER, user);
    let reply = client.send(user, to, letter.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

fn listed(installation: &Installation, filter: &[&str]) -> Vec<Value> {
    installation.json(&[&["message", "list"], filter].concat()).as_array().unwrap().clone()
}

fn ids(installation: &Installation, filter: &[&str]) -> Vec<String> {
    listed(installation, filter).iter().map(|message| text(message, "id")).collect()
}

#[test]
fn a_message_is_listed_and_shown_after_its_delivery() {
    let installation = installed("");
    let server = installation.start();
    let (credential, password) = installation.app_password(USER, &[]);
    let first = send(&server, &installation, USER, &password, &["carol@example.net"], "first");
    let second = send(
        &server,
        &installation,
        OTHER,
        "correct horse",
        &["carol@example.net", "dave@down.example"],
        "second",
    );
    maildir::until_there(&installation.path("outbox"), 2);
    let shown = until("each fate", || {
        let shown = installation.run(&["message", "show", "--json", &second], "");
        let shown: Value = serde_json::from_slice(&shown.stdout).ok()?;
        (shown["failed_attempts"].as_array()?.len() == 1).then_some(shown)
    });
    assert_eq!(
        (&shown["state"], &shown["ip"], &shown["sender"]),
        (&json!("deferred"), &json!("127.0.0.1"), &json!(OTHER))
    );
    let [carol, dave] = shown["recipients"].as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(
        (text(&carol, "state"), text(&dave, "state")),
        ("delivered".to_owned(), "deferred".to_owned())
    );
    assert!(carol["done_at"].is_string() && dave["done_at"].is_null() && dave["next_attempt_at"].is_string());
    let attempt = &shown["failed_attempts"][0];
    assert_eq!(attempt["recipient"], "dave@down.example");
    assert!(
        text(attempt, "reply").contains("refused") || text(attempt, "reply").starts_with('4'),
        "{attempt}"
    );
    let by_name = installation.json(&["message", "show", "first@client"]);
    assert_eq!(
        (&by_name["id"], &by_name["state"], &by_name["credential"]),
        (&json!(first), &json!("delivered"), &json!(credential))
    );
    assert_eq!(by_name["recipients"][0]["attempts"], 1);
    let all = listed(&installation, &[]);
    let keys: Vec<_> = all[0].as_object().unwrap().keys().map(String::as_str).collect();
    let promised =
        ["id", "account", "credential", "ip", "sender", "message_id", "size", "accepted_at", "recipients"];
    assert!(promised.iter().all(|key| keys.contains(key)), "{keys:?}");
    assert_eq!((&all[0]["recipients"], &all[1]["message_id"]), (&json!(2), &json!("<first@client.example>")));
    for (filter, found) in [
        (vec![], vec![&second, &first]),
        (vec!["--account", "Alice@example.org"], vec![&first]),
        (vec!["--credential", &credential], vec![&first]),
        (vec!["--recipient", "dave@DOWN.example"], vec![&second]),
        (vec!["--recipient", "nobody@down.example"], vec![]),
        (vec!["--message-id", "first@client.example"], vec![&first]),
        (vec!["--since", "1h"], vec![&second, &first]),
        (vec!["--until", "1h"], vec![]),
        (vec!["--limit", "1"], vec![&second]),
        (vec!["--after", &second], vec![&first]),
    ] {
        assert_eq!(ids(&installation, &filter), found.into_iter().cloned().collect::<Vec<_>>(), "{filter:?}");
    }
    // For people, too, and whoever is removed.
    installation.done(&["user", "remove", "--yes", OTHER]);
    let table = installation.done(&["message", "list", "--account", OTHER]);
    assert!(table.contains(&second) && !table.contains(&first), "{table}");
    let shown = installation.done(&["message", "show", &second[..22]]);
    assert!(shown.contains("dave@down.example") && shown.contains("127.0.0.1"), "{shown}");
}

#[test]
fn a_crash_costs_a_second_of_it_at_most_and_no_mail() {
    let installation = installed("");
    let server = installation.start();
    let known: Vec<String> = (0..5)
        .map(|n| send(&server, &installation, USER, "correct horse", &["carol@example.net"], &n.to_string()))
        .collect();
    until("they are known", || (ids(&installation, &[]).len() == known.len()).then_some(()));
    let late = send(&server, &installation, USER, "correct horse", &["dave@down.example"], "late");
    server.kill();
    let server = installation.start();
    // What the queue still knows is found again; what was delivered stays known.
    let listed = until("the late one", || {
        let listed = listed(&installation, &[]);
        (listed.len() == known.len() + 1).then_some(listed)
    });
    assert_eq!(text(&listed[0], "id"), late);
    assert!(listed[1..].iter().all(|message| message["state"] == "delivered"), "{listed:?}");
    assert!(server.terminate().success());
}

#[test]
fn where_it_is_not_kept_the_queue_alone_knows() {
    let installation = installed("[ledger]\nkeep = \"0s\"");
    let server = installation.start();
    let id = send(&server, &installation, USER, "correct horse", &["dave@down.example"], "unknown");
    assert_eq!(installation.json(&["message", "show", &id])["id"], json!(id));
    assert!(server.terminate().success());
    assert!(listed(&installation, &[]).is_empty());
}

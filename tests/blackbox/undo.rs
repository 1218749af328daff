//! A message can be taken back for a while, and stopped later.

use std::process::Output;

use serde_json::Value;
use tests::maildir;
use tests::server::{Installation, Server, Settings, text};

use crate::letter::{carries, letter};

const USER: &str = "alice@example.org";

/// Mail for `down.example` goes to a port where nobody listens, all other into a Maildir.
fn installed(submission: &str) -> Installation {
    let installation = Installation::with_maildir();
    let delivery = format!(
        "{}\n[[delivery.route]]\ndomains = [\"down.example\"]\nvia = \"smtp://127.0.0.1:1\"",
        installation.maildir_delivery()
    );
    installation.configure(&Settings { delivery, submission: submission.to_owned(), ..Settings::default() });
    installation.add_user(USER, "correct horse");
    installation
}

fn send(server: &Server, installation: &Installation, to: &[&str], name: &str) -> String {
    let mut client = server.logged_in(installation, USER, "correct horse");
    let reply = client.send(USER, to, &letter(name, "text\r\n")).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The ledger knows of a message a second later.
fn until_refused(installation: &Installation, command: &[&str], reason: &str) {
    tests::server::until(reason, || error(&installation.run(command, "")).contains(reason).then_some(()));
}

fn audited(installation: &Installation, action: &str) -> Vec<Value> {
    let listed = installation.json(&["audit", "list", "--action", action]);
    listed.as_array().unwrap().clone()
}

#[test]
fn a_message_is_taken_back_whole_while_it_waits() {
    let installation = installed("undo = \"2m\"");
    let server = installation.start();
    let id = send(&server, &installation, &["bob@example.net", "carol@example.net"], "rash");
    assert_eq!(installation.done(&["message", "undo", &id[..20]]).trim(), format!("{id} is taken back"));
    assert!(installation.queue().is_empty());
    let line = server.until_logged("event=message.undone");
    assert!(line.contains(&id) && line.contains(USER), "{line}");
    let [audited] = audited(&installation, "message-undo").try_into().unwrap();
    assert_eq!((text(&audited, "account"), text(&audited, "via")), (USER.to_owned(), "cli".to_owned()));
    until_refused(&installation, &["message", "undo", &id], "it was taken back, stopped or removed before");
    // Its sender may think again: the same message, in the words of its client.
    let again = send(&server, &installation, &["bob@example.net", "carol@example.net"], "rash");
    assert_ne!(again, id);
    installation.done(&["message", "undo", "rash@client"]);
    assert!(installation.queue().is_empty());
    // Who never wants to wait does not.
    installation.done(&["user", "undo", USER, "0s"]);
    assert_eq!(installation.json(&["user", "show", USER])["undo_seconds"], 0);
    send(&server, &installation, &["bob@example.net"], "at-once");
    let delivered = maildir::until_there(&installation.path("outbox"), 1);
    assert!(delivered.len() == 1 && carries(&delivered[0], &letter("at-once", "text\r\n")));
    let said = error(&installation.run(&["user", "undo", USER, "3m"], ""));
    assert!(said.contains("120 seconds at most"), "{said}");
}

#[test]
fn it_leaves_when_its_time_is_over_and_can_be_stopped_then() {
    let installation = installed("undo = \"1s\"");
    let server = installation.start();
    let id = send(&server, &installation, &["bob@example.net", "dave@down.example"], "late");
    maildir::until_there(&installation.path("outbox"), 1);
    tests::server::until("the attempt", || {
        let shown = installation.json(&["queue", "show", &id]);
        let states: Vec<_> = shown["recipients"].as_array()?.iter().map(|one| text(one, "state")).collect();
        (states == ["delivered", "deferred"]).then_some(())
    });
    let said = error(&installation.run(&["message", "undo", &id], ""));
    assert!(
        said.contains("can't be taken back: it was sent already") && said.contains("message stop"),
        "{said}"
    );
    installation.done(&["message", "stop", &id]);
    assert!(installation.queue().is_empty());
    assert_eq!(audited(&installation, "message-stop").len(), 1);
    assert!(server.until_logged("event=message.stopped").contains(&id));
    until_refused(&installation, &["message", "stop", &id], &format!("nobody waits for {id}"));
    let said = error(&installation.run(&["message", "undo", "nobody@nowhere"], ""));
    assert!(said.contains("there is no message nobody@nowhere"), "{said}");
}

#[test]
fn what_an_operator_holds_is_not_taken_back() {
    let installation = installed("undo = \"2m\"");
    let server = installation.start();
    let id = send(&server, &installation, &["bob@example.net"], "held");
    installation.done(&["queue", "hold", &id]);
    let said = error(&installation.run(&["message", "undo", &id], ""));
    assert!(said.contains(&format!("{id} is held")), "{said}");
    let said = error(&installation.run(&["message", "stop", &id], ""));
    assert!(said.contains(&format!("{id} is held")) && said.contains("queue remove"), "{said}");
    assert_eq!(installation.queue().len(), 1);
}

#[test]
fn nothing_is_stopped_by_a_name_that_says_too_little() {
    let installation = installed("undo = \"2m\"");
    let server = installation.start();
    send(&server, &installation, &["bob@example.net"], "quick");
    for verb in ["stop", "undo", "show"] {
        for name in ["", " ", "<"] {
            assert_eq!(
                installation.run(&["message", verb, name], "").status.code(),
                Some(2),
                "{verb} {name:?}"
            );
        }
    }
    installation.done(&["message", "show", "quick"]);
    for name in ["q", "<q", "quick", "<quick"] {
        for verb in ["stop", "undo"] {
            let said = error(&installation.run(&["message", verb, name], ""));
            assert!(said.contains(&format!("there is no message {name}")), "{said}");
        }
    }
    assert_eq!(installation.queue().len(), 1);
    installation.done(&["message", "stop", "quick@"]);
    assert!(installation.queue().is_empty());
}

/// Whoever stops a message has it sent by handing it in again; what an operator has removed does not come back by itself.
#[test]
fn what_was_stopped_is_sent_if_it_is_handed_in_again() {
    let installation = installed("undo = \"2m\"");
    let server = installation.start();
    let first = send(&server, &installation, &["bob@example.net"], "again");
    installation.done(&["message", "stop", &first]);
    let second = send(&server, &installation, &["bob@example.net"], "again");
    assert_ne!(second, first);
    installation.done(&["queue", "remove", &second, "--yes"]);
    assert_eq!(send(&server, &installation, &["bob@example.net"], "again"), second);
    assert!(installation.queue().is_empty());
}

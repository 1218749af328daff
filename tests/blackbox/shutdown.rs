//! SIGTERM: the idle are told, what runs may end, nothing is lost.

use tests::server::Installation;

use crate::letter::letter;

const USER: &str = "alice@example.org";

#[test]
fn a_message_under_way_at_sigterm_is_taken_and_the_idle_are_told_to_come_back() {
    a_message_under_way_is_taken_at("TERM");
}

fn a_message_under_way_is_taken_at(signal: &str) {
    let installation = Installation::new(&Default::default());
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut idle = server.logged_in(&installation, USER, "correct horse");
    let mut busy = server.logged_in(&installation, USER, "correct horse");
    busy.expect("MAIL FROM:<alice@example.org>", 250);
    busy.expect("RCPT TO:<bob@example.net>", 250);
    busy.expect("DATA", 354);
    let message = letter("late", "half\r\nand the other half\r\n");
    let (half, rest) = message.split_at(message.len() / 2);
    busy.say(half).unwrap();

    server.signal(signal);
    let told = idle.reply().unwrap();
    assert_eq!(told.code, 421);
    assert!(told.lines[0].starts_with("421 4.3.2 "), "{told:?}");
    assert_eq!(idle.line().unwrap(), None);
    // The port is closed already, the message is not.
    busy.say(rest).unwrap();
    busy.say(b".\r\n").unwrap();
    assert_eq!(busy.reply().unwrap().code, 250);
    drop(busy);
    assert_eq!(server.ended().code(), Some(0));
    assert_eq!(installation.queue().len(), 1);
}

#[test]
fn a_message_that_does_not_end_in_time_is_not_taken_in_part() {
    let installation = Installation::new(&tests::server::Settings {
        limits: "shutdown_grace = \"1s\"".to_owned(),
        ..Default::default()
    });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect("MAIL FROM:<alice@example.org>", 250);
    client.expect("RCPT TO:<bob@example.net>", 250);
    client.expect("DATA", 354);
    client.say(b"From: alice@example.org\r\n\r\nnever").unwrap();
    server.signal("TERM");
    let told = client.reply().unwrap();
    assert!(told.lines[0].starts_with("421 4.3.2 "), "{told:?}");
    assert_eq!(server.ended().code(), Some(0));
    assert_eq!(installation.queue().len(), 0);
}

#[test]
fn sigint_is_as_good_as_sigterm() {
    a_message_under_way_is_taken_at("INT");
}

//! Logging in and handing in.

use crate::client::{Client, auth_plain};
use crate::house::{Kept, PASSWORD, POISON, Running, USER};

const ENVELOPE: &str =
    "MAIL FROM:<demo@example.test>\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<b@example.net>\r\n";

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let server = Running::start();
    let mut client = Client::starttls(&server).await;
    client.log_in().await;
    client.send(format!("{ENVELOPE}DATA\r\n")).await;
    for reply in ["250 2.1.0", "250 2.1.5", "250 2.1.5", "354 "] {
        client.expect(reply).await;
    }
    client.ask("Subject: dots\r\n\r\n..\r\n.\r\n", "250 2.0.0 queued as ").await;
    let kept = Kept {
        user: Some(USER.to_owned()),
        from: "<demo@example.test>".to_owned(),
        to: vec!["<a@example.net>".to_owned(), "<b@example.net>".to_owned()],
        text: b"Subject: dots\r\n\r\n.\r\n".to_vec(),
        ehlo: Some("client.test".to_owned()),
    };
    assert_eq!(server.kept(), [kept]);
}

#[tokio::test]
async fn a_recipient_is_judged_by_those_before_it_and_one_refused_keeps_the_others() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<alone@example.net>\r\n", "250 2.1.5").await;
    let refusal = "450 4.7.1 Limit of 1 recipients a day is reached; try again in 60 seconds";
    client.ask("RCPT TO:<alone@example.org>\r\n", refusal).await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250 2.1.5").await;
    client.ask("DATA\r\n", "354").await;
    client.ask("Subject: to two\r\n\r\n.\r\n", "250 2.0.0").await;
    assert_eq!(server.kept()[0].to, ["<alone@example.net>", "<a@example.net>"]);
}

#[tokio::test]
async fn a_message_of_many_records_is_whole() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    let line = format!("{}\r\n", "0123456789".repeat(9));
    let text = line.repeat(60_000);
    client.send(format!("{ENVELOPE}DATA\r\n")).await;
    for reply in ["250", "250", "250", "354"] {
        client.expect(reply).await;
    }
    client.send(&text).await;
    client.ask(".\r\n", "250 2.0.0").await;
    client.send(format!("{ENVELOPE}BDAT {} LAST\r\n{text}", text.len())).await;
    for reply in ["250", "250", "250", "250 2.0.0"] {
        client.expect(reply).await;
    }
    let kept = server.kept();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|kept| kept.text == text.as_bytes()));
}

/// A client that leaves Nagle's algorithm on and writes a message in two pieces: its second waits for our
/// acknowledgement of the first, which the kernel likes to delay by 40 ms.
#[tokio::test]
async fn small_writes_do_not_stall() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    let start = std::time::Instant::now();
    for _ in 0..20 {
        client.send(format!("{ENVELOPE}DATA\r\n")).await;
        for reply in ["250", "250", "250", "354"] {
            client.expect(reply).await;
        }
        client.send("Subject: in pieces\r\n\r\n").await;
        client.send("text\r\n").await;
        client.ask(".\r\n", "250 2.0.0").await;
    }
    assert!(start.elapsed().as_millis() < 400, "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_empty_message_is_a_message() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.send(format!("{ENVELOPE}BDAT 0 LAST\r\n")).await;
    for reply in ["250", "250", "250", "250 2.0.0"] {
        client.expect(reply).await;
    }
    assert_eq!(server.kept()[0].text, b"");
}

#[tokio::test]
async fn a_message_that_is_not_ended_is_not_kept() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.send(format!("{ENVELOPE}DATA\r\n")).await;
    for reply in ["250", "250", "250", "354"] {
        client.expect(reply).await;
    }
    client.send("Subject: cut\r\n\r\n.\r").await;
    drop(client);
    let mut other = Client::known(&server).await;
    other.ask("QUIT\r\n", "221").await;
    assert_eq!(server.kept(), []);
}

#[tokio::test]
async fn nothing_of_a_message_that_was_dropped_is_in_the_next() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.send(format!("{ENVELOPE}BDAT 5\r\nwrongRSET\r\n{ENVELOPE}BDAT 7 LAST\r\nright\r\n")).await;
    for reply in ["250", "250", "250", "250", "250", "250", "250", "250", "250 2.0.0"] {
        client.expect(reply).await;
    }
    let kept = server.kept();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].text, b"right\r\n");
}

#[tokio::test]
async fn three_wrong_passwords_are_enough() {
    let server = Running::start();
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO client.test\r\n", "250 ").await;
    for _ in 0..3 {
        client.ask(&auth_plain(USER, "wrong"), "535 5.7.8").await;
    }
    assert!(client.rest().await.starts_with("421 4.7.0 "));
}

#[tokio::test]
async fn a_panic_in_one_session_is_no_other_sessions_affair() {
    let server = Running::start();
    let mut bystander = Client::implicit(&server).await;
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO client.test\r\n", "250 ").await;
    client.send(auth_plain(POISON, PASSWORD)).await;
    assert_eq!(client.last_words().await, "");
    bystander.log_in().await;
    Client::known(&server).await.ask("QUIT\r\n", "221").await;
}

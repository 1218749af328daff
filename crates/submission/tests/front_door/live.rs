//! A login that comes to nothing while its session runs.

use crate::client::Client;
use crate::house::Running;

const LAST_WORDS: &str = "421 4.7.0 Credentials are no longer valid\r\n";

#[tokio::test]
async fn whatever_the_next_command_is_it_is_the_last() {
    for command in [
        "NOOP\r\n",
        "RSET\r\n",
        "EHLO again.test\r\n",
        "HELO again.test\r\n",
        "MAIL FROM:<demo@example.test>\r\n",
        "RCPT TO:<a@example.net>\r\n",
        "DATA\r\n",
        "BDAT 5 LAST\r\nabc\r\n",
        "AUTH PLAIN\r\n",
        "STARTTLS\r\n",
        "VRFY a\r\n",
        "HELP\r\n",
        "QUIT\r\n",
        "\u{1}\u{2} no command at all\r\n",
        "\r\n",
        "half a comm",
        "NOOP\r\nNOOP\r\nQUIT\r\n",
    ] {
        let server = Running::start();
        let mut client = Client::known(&server).await;
        client.ask("NOOP\r\n", "250").await;
        server.judge.revoke();
        client.send(command).await;
        assert_eq!(client.rest().await, LAST_WORDS, "{command:?}");
    }
}

#[tokio::test]
async fn a_transaction_under_way_ends_without_a_message() {
    for next in ["RCPT TO:<b@example.net>\r\n", "DATA\r\n", "BDAT 0 LAST\r\n", "RSET\r\n"] {
        let server = Running::start();
        let mut client = Client::known(&server).await;
        client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
        client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
        server.judge.revoke();
        client.send(next).await;
        assert_eq!(client.rest().await, LAST_WORDS, "{next:?}");
        assert!(server.kept().is_empty());
    }
}

#[tokio::test]
async fn between_two_chunks_too() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("BDAT 3\r\na\r\n", "250").await;
    server.judge.revoke();
    client.send("BDAT 0 LAST\r\n").await;
    assert_eq!(client.rest().await, LAST_WORDS);
    assert!(server.kept().is_empty());
}

#[tokio::test]
async fn the_text_of_a_message_is_heard_to_its_end_which_is_its_handlers_to_judge() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "250").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250").await;
    client.ask("DATA\r\n", "354").await;
    let asked = server.judge.asked();
    server.judge.revoke();
    client.send("Subject: under way\r\n").await;
    client.ask("\r\nText\r\n.\r\n", "250 2.0.0 queued").await;
    assert_eq!(server.judge.asked(), asked, "not within the text");
    client.send("NOOP\r\n").await;
    assert_eq!(client.rest().await, LAST_WORDS);
    assert_eq!(server.kept().len(), 1);
}

#[tokio::test]
async fn what_came_in_one_flight_is_asked_about_once() {
    let server = Running::start();
    let mut client = Client::known(&server).await;
    client.send("NOOP\r\n".repeat(5)).await;
    for _ in 0..5 {
        client.expect("250").await;
    }
    assert_eq!(server.judge.asked(), 1);
}

#[tokio::test]
async fn who_has_not_logged_in_has_nothing_to_lose() {
    let server = Running::start();
    server.judge.revoke();
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO client.test\r\n", "250").await;
    client.ask("NOOP\r\n", "250").await;
    client.ask("QUIT\r\n", "221").await;
    assert_eq!(server.judge.asked(), 0);
}

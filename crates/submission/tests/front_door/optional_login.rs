//! Clients that need not log in.

use std::net::SocketAddr;

use submission::{ListenTls, Server};
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::house::{Judge, Running, Shelf, settings};

const MESSAGE: &str = "RCPT TO:<a@example.net>\r\nDATA\r\n";

/// Nobody but clients from 127.0.0.1 may send without a login; 127.0.0.2 is this machine too.
#[tokio::test]
async fn some_may_send_without_a_login_and_others_may_not() {
    let shelf = Shelf::default();
    let server = Server::builder(settings(), Judge::default(), shelf.clone())
        .login_is_optional(|session| session.peer.ip() == session.local.ip())
        .listen(([0, 0, 0, 0], 0).into(), ListenTls::Off)
        .bind()
        .unwrap();
    let port = server.addresses()[0].0.port();
    let stop = CancellationToken::new();
    let task = tokio::spawn(server.serve(stop.clone()));

    let mut printer = Client::plain(SocketAddr::from(([127, 0, 0, 1], port))).await;
    printer.ask("EHLO printer.test\r\n", "250 ").await;
    printer.ask("MAIL FROM:<printer@example.test>\r\n", "250 2.1.0").await;
    printer.send(MESSAGE).await;
    printer.expect("250 2.1.5").await;
    printer.expect("354 ").await;
    printer.ask("Subject: scan\r\n\r\n.\r\n", "250 2.0.0").await;
    let kept = shelf.kept.lock().unwrap().clone();
    assert_eq!((kept.len(), &kept[0].user), (1, &None));

    // From 127.0.0.1 to 127.0.0.2: another client, as far as this server's rule goes.
    let mut stranger = Client::plain(SocketAddr::from(([127, 0, 0, 2], port))).await;
    stranger.ask("EHLO stranger.test\r\n", "250 ").await;
    stranger.ask("MAIL FROM:<printer@example.test>\r\n", "530 5.7.0 Authentication required").await;
    drop((printer, stranger));
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn without_the_option_everybody_logs_in() {
    let server = Running::start();
    let mut client = Client::implicit(&server).await;
    client.ask("EHLO client.test\r\n", "250 ").await;
    client.ask("MAIL FROM:<demo@example.test>\r\n", "530 5.7.0 Authentication required").await;
}

//! Who speaks first.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, shake, trusting};
use crate::house::Running;

#[tokio::test]
async fn both_doors_greet_and_say_goodbye() {
    let server = Running::start();
    for mut client in [Client::plain(server.starttls).await, Client::implicit(&server).await] {
        client.send("QUIT\r\n").await;
        assert_eq!(client.rest().await, "221 2.0.0 Bye\r\n");
    }
}

/// The task of the connection runs only when this one waits, so the client is early for sure.
#[tokio::test]
async fn who_speaks_before_the_greeting_is_sent_away() {
    let server = Running::start();
    let socket = std::net::TcpStream::connect(server.starttls).unwrap();
    std::io::Write::write_all(&mut &socket, b"EHLO early.test\r\n").unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut client = Client::over(TcpStream::from_std(socket).unwrap());
    assert!(client.rest().await.starts_with("554 5.5.0 "));
}

/// rustls as a client sends text that was written early in one flight with its Finished.
#[tokio::test]
async fn who_speaks_before_the_greeting_under_tls_is_sent_away_too() {
    let server = Running::start();
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(trusting(&server.certificate)));
    let mut early = Box::pin(connector.connect_with(name, socket, |connection| {
        std::io::Write::write_all(&mut connection.writer(), b"EHLO early.test\r\n").unwrap();
    }));
    let mut client = Client::over(early.as_mut().await.unwrap());
    assert!(client.rest().await.starts_with("554 5.5.0 "));
}

#[tokio::test]
async fn a_client_that_goes_on_talking_still_reads_why_it_was_closed() {
    let server = Running::start();
    let mut client = Client::plain(server.starttls).await;
    client.send(format!("GET / HTTP/1.1\r\n{}", "Cookie: no\r\n".repeat(5000))).await;
    let said = client.rest().await;
    assert!(said.starts_with("502 5.7.0 ") && !said.contains("Cookie"), "{said}");
}

#[tokio::test]
async fn a_hello_in_pieces_of_one_octet_is_a_hello() {
    let server = Running::start();
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let (inner, outer) = tokio::io::duplex(1);
    let pump = tokio::spawn(async move {
        let (mut inner, mut socket) = (inner, socket);
        let _ = tokio::io::copy_bidirectional_with_sizes(&mut inner, &mut socket, 1, 1).await;
    });
    let name = "localhost".try_into().unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(trusting(&server.certificate)));
    let mut client = Client::over(connector.connect(name, outer).await.unwrap());
    client.expect("220 ").await;
    client.log_in().await;
    drop(client);
    pump.await.unwrap();
}

#[tokio::test]
async fn tickets_and_the_greeting_come_in_one_segment() {
    let server = Running::start();
    let socket = TcpStream::connect(server.implicit).await.unwrap();
    let mut stream = shake(socket, trusting(&server.certificate)).await.unwrap();
    // The handshake is over for the client before the server has heard of it.
    stream.get_ref().0.readable().await.unwrap();
    let mut octets = [0; 4096];
    let length = stream.get_ref().0.peek(&mut octets).await.unwrap();
    let mut records = 0;
    let mut rest = &octets[..length];
    while let [_, _, _, high, low, after @ ..] = rest {
        records += 1;
        rest = &after[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    assert_eq!(records, 2, "one with the tickets and one with the greeting");
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 ");
    stream.shutdown().await.unwrap();
}

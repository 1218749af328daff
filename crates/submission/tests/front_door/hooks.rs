//! What an embedder does when a session begins, and when a connection has ended.

use submission::{CancellationToken, ListenTls, Rejection, Server, TlsVersion};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::client::{Client, shake, trusting};
use crate::house::{Judge, Shelf, USER, identity, settings};

#[tokio::test]
async fn an_embedder_refuses_a_session_and_is_told_how_each_ended() {
    let (identity, certificate) = identity();
    let (told, mut ends) = mpsc::unbounded_channel();
    let loopback = ([127, 0, 0, 1], 0).into();
    let server = Server::builder(settings(), Judge::default(), Shelf::default())
        .tls(identity, TlsVersion::V1_2)
        .on_open(|session| session.tls.map(|_| ()).ok_or(Rejection::TooManyConnections))
        .on_end(move |session, end| {
            let identity = end.identity.map(str::to_owned);
            told.send((session.peer, identity, end.mechanism, end.messages, end.reason)).unwrap();
        })
        .listen(loopback, ListenTls::Implicit)
        .listen(loopback, ListenTls::StartTls)
        .bind()
        .unwrap();
    let [(implicit, _), (starttls, _)] = server.addresses()[..] else { panic!("two listeners") };
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    tokio::spawn(server.serve(stop));

    let socket = TcpStream::connect(implicit).await.unwrap();
    let peer = socket.local_addr().unwrap();
    let mut client = Client::over(shake(socket, trusting(&certificate)).await.unwrap());
    client.expect("220 ").await;
    client.log_in().await;
    client.ask("QUIT\r\n", "221 ").await;
    drop(client);
    assert_eq!(ends.recv().await.unwrap(), (peer, Some(USER.to_owned()), Some("PLAIN"), 0, "closed"));

    let socket = TcpStream::connect(starttls).await.unwrap();
    let peer = socket.local_addr().unwrap();
    Client::over(socket).expect("421 4.7.0 ").await;
    assert_eq!(ends.recv().await.unwrap(), (peer, None, None, 0, "closed"));
}

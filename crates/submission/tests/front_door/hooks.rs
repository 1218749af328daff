//! What an embedder does when a session begins, and when a connection has ended.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use rustls::pki_types::CertificateDer;
use submission::{Builder, CancellationToken, ListenTls, Listener, Rejection, Server, TlsVersion};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use crate::client::{Client, auth_plain, shake, trusting};
use crate::house::{Judge, PASSWORD, POISON, Shelf, USER, identity, settings};
use crate::proxy::connect;

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

/// Under STARTTLS, in one process with the test.
struct Open {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    _end: DropGuard,
}

/// Believes 127.0.0.1, and nobody else, to be a proxy that speaks XCLIENT.
fn open(hooks: impl FnOnce(Builder<Judge, Shelf>) -> Builder<Judge, Shelf>) -> Open {
    let (identity, certificate) = identity();
    let server =
        Server::builder(settings(), Judge::default(), Shelf::default()).tls(identity, TlsVersion::V1_2);
    let listener = Listener::new(([127, 0, 0, 1], 0).into(), ListenTls::StartTls);
    let server = hooks(server).listener(listener.xclient(["127.0.0.1/32".parse().unwrap()])).bind().unwrap();
    let (address, stop) = (server.addresses()[0].0, CancellationToken::new());
    tokio::spawn(server.serve(stop.clone()));
    Open { address, certificate, _end: stop.drop_guard() }
}

impl Open {
    async fn secured(&self, socket: TcpStream) -> Client {
        let mut client = Client::over(socket);
        client.expect("220 ").await;
        client.ask("EHLO client.test\r\n", "250 ").await;
        client.ask("STARTTLS\r\n", "220 ").await;
        client.secured(&self.certificate).await
    }
}

#[tokio::test]
async fn whoever_a_proxy_names_is_asked_about_too() {
    let banned = "203.0.113.9".parse::<IpAddr>().unwrap();
    let server = open(|server| {
        server.on_open(move |session| match session.peer.ip() == banned {
            true => Err(Rejection::RelayDenied),
            false => Ok(()),
        })
    });
    for (told, reply) in [("203.0.113.9", "550 5.7.1 "), ("203.0.113.10", "220 ")] {
        let mut client = Client::over(connect([127, 0, 0, 1], server.address).await);
        client.expect("220 ").await;
        client.ask(&format!("XCLIENT ADDR={told}\r\n"), reply).await;
    }
}

#[tokio::test]
async fn a_client_is_asked_about_again_once_tls_has_begun() {
    let server = open(|server| {
        server.on_open(|session| session.tls.map_or(Ok(()), |_| Err(Rejection::TooManyConnections)))
    });
    let mut client = server.secured(connect([127, 0, 0, 2], server.address).await).await;
    assert!(client.rest().await.starts_with("421 4.7.0 "));
}

/// The usual way to count: a mutex, which some panic has poisoned. The judge panics, and `on_end` panics in the midst of that.
#[tokio::test]
async fn a_hook_that_panics_while_a_session_unwinds_does_not_end_the_process() {
    let counts = Arc::new(Mutex::new(0));
    let (poisoned, (told, mut ends)) = (Arc::clone(&counts), mpsc::unbounded_channel());
    let server = open(|server| {
        server.on_end(move |_, end| {
            told.send(end.reason).unwrap();
            *poisoned.lock().unwrap() += 1;
        })
    });
    let poison = Arc::clone(&counts);
    let panics = std::thread::spawn(move || {
        let _held = poison.lock().unwrap();
        panic!("while it is held");
    });
    assert!(panics.join().is_err());
    let socket = || connect([127, 0, 0, 2], server.address);
    let mut client = server.secured(socket().await).await;
    client.ask("EHLO client.test\r\n", "250 ").await;
    client.send(auth_plain(POISON, PASSWORD)).await;
    assert_eq!(ends.recv().await.unwrap(), "panicked");
    // Others are served.
    let mut client = server.secured(socket().await).await;
    client.log_in().await;
    client.ask("QUIT\r\n", "221").await;
    assert_eq!(ends.recv().await.unwrap(), "closed");
}

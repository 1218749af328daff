//! Listeners that are bound before there is a runtime.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};

use submission::{ListenTls, Listener, Server, Settings};
use tokio_util::sync::CancellationToken;

use crate::house::{Judge, Shelf};

/// No runtime runs in this test at first, and its client is there before the server is.
#[test]
fn who_connects_before_there_is_a_runtime_is_served_once_there_is() {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let socket = submission::bind(loopback).unwrap();
    let address = socket.local_addr().unwrap();
    let mut early = TcpStream::connect(address).unwrap();

    let server = Server::builder(Settings::new("mail.example.org"), Judge::default(), Shelf::default())
        .socket(socket, Listener::new(loopback, ListenTls::Off))
        .bind()
        .unwrap();
    assert_eq!(server.addresses(), [(address, ListenTls::Off)]);
    let stop = CancellationToken::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let serving = runtime.spawn(server.serve(stop.clone()));
    let mut greeting = [0; 4];
    early.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"220 ");
    stop.cancel();
    runtime.block_on(serving).unwrap();
}

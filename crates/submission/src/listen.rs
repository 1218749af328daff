//! A listener: takes connections in, gives each a task of its own, turns away what is too many.

use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use esmtp::{Channel, Rejection, Session, Xclient};
use sasl::{AuthHandler, Nonces};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use crate::admission::Place;
use crate::client::Client;
use crate::connection::Connection;
use crate::doors::{Door, Entrance};
use crate::drive;
use crate::handler::MailHandler;
use crate::house::House;
use crate::terms::Terms;

/// The shortest and the longest pause after the system could not give us a connection.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// Takes connections until the server stops or the listener is closed. Then the socket is closed, so that clients go elsewhere at
/// once.
pub(crate) async fn attend<A: AuthHandler, M: MailHandler<A::User>>(
    listener: net::TcpListener,
    entrance: Arc<Entrance>,
    house: Arc<House<A, M>>,
) {
    match TcpListener::from_std(listener) {
        Ok(listener) => {
            tell_listening::<A, M>(&entrance.door());
            accept_all(listener, &entrance, &house).await;
        }
        Err(error) => {
            let local = entrance.door().address;
            tracing::error!(event = "listen.failed", %local, %error, "the runtime cannot wait for connections");
        }
    }
    entrance.mark_closed();
}

fn tell_listening<A: AuthHandler, M: MailHandler<A::User>>(door: &Door) {
    let (local, tls, sender_check) = (door.address, door.tls_mode().name(), M::CHECKS_SENDERS);
    tracing::info!(event = "listening", %local, tls, sender_check, "listening on {local}");
}

async fn accept_all<A: AuthHandler, M: MailHandler<A::User>>(
    listener: TcpListener,
    entrance: &Entrance,
    house: &Arc<House<A, M>>,
) {
    let mut pause = PAUSES.0;
    loop {
        let arrival = tokio::select! {
            biased;
            () = house.stop.cancelled() => break,
            () = entrance.closing().cancelled() => {
                receive_all_that_wait(&listener, entrance, house);
                break;
            }
            arrival = listener.accept() => arrival,
        };
        match arrival {
            Ok((socket, peer)) => {
                pause = PAUSES.0;
                receive(socket, peer, &entrance.door(), house);
            }
            Err(error) if concerns_one_client(&error) => {}
            Err(error) => {
                // Out of file descriptors, most likely. To ask again at once would only burn the processor.
                let local = entrance.door().address;
                tracing::warn!(event = "listen.failed", %local, %error, "cannot take connections");
                house.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// Connections that the kernel has taken for a listener are of clients that believe to be connected.
fn receive_all_that_wait<A: AuthHandler, M: MailHandler<A::User>>(
    listener: &TcpListener,
    entrance: &Entrance,
    house: &Arc<House<A, M>>,
) {
    let door = entrance.door();
    while let Ok((socket, peer)) = SockRef::from(listener).accept() {
        let socket = socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket.into()));
        if let (Ok(socket), Some(peer)) = (socket, peer.as_socket()) {
            receive(socket, peer, &door, house);
        }
    }
}

/// The client was gone before we took its connection.
fn concerns_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// Gives the connection a place and a task, or turns it away.
fn receive<A: AuthHandler, M: MailHandler<A::User>>(
    socket: TcpStream,
    peer: SocketAddr,
    door: &Arc<Door>,
    house: &Arc<House<A, M>>,
) {
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let terms = house.terms.load_full();
    if house.own.has(peer) {
        let place = house.admission.admit_own();
        return serve(socket, (peer, Xclient::Refused, place), terms, door, house, true);
    }
    let is_proxy = door.wants_header_of(peer.ip()) || door.xclient(peer.ip()) != Xclient::Refused;
    let place = match is_proxy {
        true => house.admission.admit_proxy(&terms.limits),
        false => house.admission.admit(peer.ip(), &terms.limits),
    };
    match place {
        None => {
            house.counters.refused.count();
            turn_away(&socket, peer, door, &terms);
        }
        Some(place) => {
            house.counters.taken(door.address, door.tls_mode());
            serve(socket, (peer, door.xclient(peer.ip()), place), terms, door, house, false);
        }
    }
}

/// Gives the connection, which has a place, a task.
fn serve<A: AuthHandler, M: MailHandler<A::User>>(
    socket: TcpStream,
    (peer, xclient, place): (SocketAddr, Xclient, Place),
    terms: Arc<Terms>,
    door: &Arc<Door>,
    house: &Arc<House<A, M>>,
    is_own: bool,
) {
    // An error here means that the client is gone already.
    let Ok(local) = socket.local_addr() else { return };
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let client = Client::new(peer, local, xclient, place);
    if let Ok(mut connection) = Connection::new(socket, client, terms, door, house) {
        connection.is_own = is_own;
        house.tasks.spawn(drive::serve(connection));
    }
}

/// Says so in clear where the protocol begins in clear. Under implicit TLS the connection is closed without a word:
/// a handshake would give those who flood us the very work that they are after. Nor is anything said to a proxy before
/// its header.
fn turn_away(socket: &TcpStream, peer: SocketAddr, door: &Door, terms: &Terms) {
    tracing::info!(event = "connection.refused", %peer, local = %door.address, "too many connections");
    if !door.is_implicit() && !door.wants_header_of(peer.ip()) {
        let mut session =
            Session::<(), ()>::new(door.settings(terms), Channel::in_clear(Nonces::new(rand::random())));
        session.refuse(&Rejection::TooManyConnections);
        // It fits into the empty buffer of a new socket, or the client does without.
        let _ = SockRef::from(socket).send(session.output());
    }
}

//! A listener: takes connections in, gives each a task of its own, turns away what is too many.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use esmtp::{Channel, Rejection, Session, Xclient};
use sasl::{AuthHandler, Nonces};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::MailHandler;
use crate::admission::Place;
use crate::alarm::Alarm;
use crate::doors::{Door, Entrance};
use crate::drive::Connection;
use crate::house::House;
use crate::ledger::Ledger;
use crate::patience::Patience;
use crate::terms::Terms;
use crate::wire::Wire;

/// Connections that the kernel holds for us; it takes the system's limit if that is less.
const BACKLOG: i32 = 4096;

/// The shortest and the longest pause after the system could not give us a connection.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// Binds a listener. `[::]` takes connections over IPv4 too.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart does not have to wait for the connections of the server before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Takes connections until the server stops or the listener is closed. Then the socket is closed, so that clients go elsewhere at
/// once.
pub(crate) async fn attend<A: AuthHandler, M: MailHandler<A::User>>(
    listener: TcpListener,
    entrance: Arc<Entrance>,
    house: Arc<House<A, M>>,
) {
    let mut pause = PAUSES.0;
    loop {
        let arrival = tokio::select! {
            biased;
            () = house.stop.cancelled() => break,
            () = entrance.closing().cancelled() => {
                receive_all_that_wait(&listener, &entrance, &house);
                break;
            }
            arrival = listener.accept() => arrival,
        };
        match arrival {
            Ok((socket, peer)) => {
                pause = PAUSES.0;
                receive(socket, peer, &entrance.door(), &house);
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
    drop(listener);
    entrance.has_closed();
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
    let is_proxy = door.wants_header_of(peer.ip()) || door.xclient(peer.ip()) != Xclient::Refused;
    let place = match is_proxy {
        true => house.admission.admit_proxy(&terms.limits),
        false => house.admission.admit(peer.ip(), &terms.limits),
    };
    match place {
        None => turn_away(&socket, peer, door, &terms),
        // An error here means that the client is gone already.
        Some(place) => {
            if let Ok(connection) = connection(socket, peer, place, terms, door, house) {
                house.tasks.spawn(connection.serve());
            }
        }
    }
}

fn connection<A: AuthHandler, M: MailHandler<A::User>>(
    socket: TcpStream,
    peer: SocketAddr,
    place: Place,
    terms: Arc<Terms>,
    door: &Arc<Door>,
    house: &Arc<House<A, M>>,
) -> io::Result<Connection<A, M>> {
    let now = Instant::now();
    let local = socket.local_addr()?;
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    Ok(Connection {
        house: Arc::clone(house),
        door: Arc::clone(door),
        settings: door.settings(&terms),
        wire: Wire::new(socket)?,
        input: BytesMut::new(),
        alarm: Alarm::new(now + terms.limits.handshake),
        patience: Patience::new(now),
        ends: (peer, local),
        xclient: door.xclient(peer.ip()),
        ledger: Ledger::new(peer, local, now),
        proved: None,
        user: None,
        failures: 0,
        message: None,
        stopping: None,
        terms,
        place: Some(place),
    })
}

/// Says so in clear where the protocol begins in clear. Under implicit TLS the connection is closed without a word:
/// a handshake would give those who flood us the very work that they are after. Nor is anything said to a proxy before
/// its header.
fn turn_away(socket: &TcpStream, peer: SocketAddr, door: &Door, terms: &Terms) {
    tracing::info!(event = "connection.refused", %peer, local = %door.address, "too many connections");
    if !door.is_implicit() && !door.wants_header_of(peer.ip()) {
        let mut session = Session::new(door.settings(terms), Channel::in_clear(Nonces::new(rand::random())));
        session.refuse(&Rejection::TooManyConnections);
        // It fits into the empty buffer of a new socket, or the client does without.
        let _ = SockRef::from(socket).send(session.output());
    }
}

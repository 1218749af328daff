//! Binds the sockets that take connections.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::tls::TlsError;

/// Connections that the kernel holds for us; it takes the system's limit if that is less.
const BACKLOG: i32 = 4096;

/// A listener that could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// A listener offers TLS, but no identity was given.
    #[error("{0} offers TLS, but there is no certificate")]
    NoIdentity(SocketAddr),
    /// TLS cannot be offered with this identity.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is in use, or not ours, or not allowed.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Binds a socket for [`Builder::socket`](crate::Builder::socket). `[::]` takes connections over IPv4 too. It needs no runtime: a
/// program that gives up rights at its start binds first, then gives them up, and starts its runtime last.
///
/// # Errors
/// [`BindError::Listen`].
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    listening(address).map_err(|source| BindError::Listen { address, source })
}

fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart does not have to wait for the connections of the server before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

//! Listeners: take connections in, give each a task of its own, turn away what is too many, and come to an end.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use submission::tls::{self, Identity, TlsError};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{TlsVersion, WebPart};

use crate::channel::Channel;
use crate::connection;
use crate::limits::Place;
use crate::site::Site;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The shortest and the longest pause after the system could not give us a connection.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// The protocols that are spoken within TLS, the better one first.
const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

/// A listener whose socket is bound; clients that connect are kept waiting until the site is served.
pub struct Listener {
    socket: net::TcpListener,
    tls: Option<TlsAcceptor>,
    trusted_proxies: Arc<[IpNet]>,
    serve: Arc<[WebPart]>,
}

impl Listener {
    /// HTTP within TLS, with this certificate and whatever takes its place.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn tls(socket: net::TcpListener, identity: &Identity, oldest: TlsVersion) -> Result<Self, TlsError> {
        let config = tls::for_other_protocol(identity, oldest, ALPN)?;
        Ok(Self { tls: Some(config.into()), ..Self::in_clear(socket) })
    }

    /// HTTP in clear. Who is neither on this machine nor a trusted proxy is turned away.
    #[must_use]
    pub fn in_clear(socket: net::TcpListener) -> Self {
        Self { socket, tls: None, trusted_proxies: Arc::new([]), serve: WebPart::ALL.into() }
    }

    /// Takes the word of these for who their client is.
    #[must_use]
    pub fn trusting(self, proxies: &[IpNet]) -> Self {
        Self { trusted_proxies: proxies.into(), ..self }
    }

    /// Serves these parts alone.
    #[must_use]
    pub fn serving(self, parts: &[WebPart]) -> Self {
        Self { serve: parts.into(), ..self }
    }

    /// Where it listens, with the port that was found for port 0.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// `https` or `http`.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// Serves the site on these listeners until `stop`. Then the sockets are closed at once, and what is under way has `grace` to be answered.
pub async fn serve(site: Site, listeners: Vec<Listener>, grace: Duration, stop: CancellationToken) {
    let (site, tasks, cut) = (Arc::new(site), TaskTracker::new(), CancellationToken::new());
    for listener in listeners {
        let attendant = Attendant {
            site: Arc::clone(&site),
            tasks: tasks.clone(),
            stop: stop.clone(),
            cut: cut.clone(),
            trusted_proxies: Arc::clone(&listener.trusted_proxies),
            serve: Arc::clone(&listener.serve),
            tls: listener.tls.clone(),
        };
        tasks.spawn(attendant.attend(listener));
    }
    stop.cancelled().await;
    tasks.close();
    if timeout(grace, tasks.wait()).await.is_err() {
        cut.cancel();
        tasks.wait().await;
    }
}

/// What each connection of a listener is given.
struct Attendant {
    site: Arc<Site>,
    tasks: TaskTracker,
    /// No more requests.
    stop: CancellationToken,
    /// No more time.
    cut: CancellationToken,
    trusted_proxies: Arc<[IpNet]>,
    serve: Arc<[WebPart]>,
    tls: Option<TlsAcceptor>,
}

impl Attendant {
    async fn attend(self, listener: Listener) {
        let protocol = listener.protocol();
        let socket = listener
            .socket
            .local_addr()
            .and_then(|local| Ok((local, TcpListener::from_std(listener.socket)?)));
        match socket {
            Ok((local, socket)) => {
                tracing::info!(event = "web.listening", %local, protocol, "serving pages on {local}");
                self.stop.run_until_cancelled(self.accept_all(socket, local)).await;
            }
            Err(error) => {
                tracing::error!(event = "web.listen-failed", %error, "the runtime cannot wait for connections");
            }
        }
    }

    async fn accept_all(&self, listener: TcpListener, local: SocketAddr) {
        let mut pause = PAUSES.0;
        loop {
            match listener.accept().await {
                Ok((socket, peer)) => {
                    pause = PAUSES.0;
                    self.receive(socket, peer, local);
                }
                Err(error) if concerns_one_client(&error) => {}
                Err(error) => {
                    // Out of file descriptors, most likely. To ask again at once would only burn the processor.
                    tracing::warn!(event = "web.listen-failed", %local, %error, "cannot take connections");
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    /// Gives the connection a place and a task, or closes it.
    fn receive(&self, socket: TcpStream, peer: SocketAddr, local: SocketAddr) {
        let local = socket.local_addr().unwrap_or(local);
        let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let (trusted_proxies, serve) = (Arc::clone(&self.trusted_proxies), Arc::clone(&self.serve));
        let (peer, local) = (canonical(peer), canonical(local));
        let channel = Channel { peer, local, tls: None, trusted_proxies, serve };
        if self.tls.is_none() && !channel.is_private() {
            return refuse(&channel, "only proxies may connect here without TLS");
        }
        match self.site.places.take(channel.peer.ip(), channel.is_of_proxy()) {
            Some(place) => self.spawn(socket, channel, place),
            None => refuse(&channel, "too many connections"),
        }
    }

    fn spawn(&self, socket: TcpStream, channel: Channel, place: Place) {
        let (site, tls, stop, cut) =
            (Arc::clone(&self.site), self.tls.clone(), self.stop.clone(), self.cut.clone());
        self.tasks.spawn(async move {
            let _place = place;
            let served = async {
                // An error here means that the client is gone already.
                let _ = socket.set_nodelay(true);
                match tls {
                    None => connection::serve(socket, site, channel, stop).await,
                    Some(tls) => {
                        let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(socket)).await else { return };
                        let facts = submission::tls::agreed(stream.get_ref().1);
                        connection::serve(stream, site, Channel { tls: facts, ..channel }, stop).await;
                    }
                }
            };
            cut.run_until_cancelled(served).await;
        });
    }
}

fn refuse(channel: &Channel, why: &'static str) {
    tracing::info!(event = "web.connection-refused", peer = %channel.peer, local = %channel.local, "{why}");
}

/// The client was gone before we took its connection.
fn concerns_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

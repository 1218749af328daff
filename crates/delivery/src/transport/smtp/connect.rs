//! Opening a connection: connect, be greeted, get protected, log in.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use esmtp::dialogue::{Advance, Credentials, Dialogue, Mechanism, Protocol};
use rand::RngExt as _;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use super::race;
use super::tls::{Client, Protection, Trusted};
use super::trouble::{Logins, Trouble};
use super::wire::{Connection, Stream, Wire};
use super::witness::{Ends, Witness};
use crate::next_host::{NextHost, NextHostError};

/// How long the system may take to resolve a name.
const RESOLVE: Duration = Duration::from_secs(30);
/// Addresses of one name that are tried; RFC 5321 section 5.1 asks for two at least.
const ADDRESSES: usize = 10;

/// Everything needed to open connections to one host.
pub(super) struct Opener {
    place: Place,
    /// Its name and port, as the queue and the log have them.
    shown: String,
    protocol: Protocol,
    hostname: String,
    protection: Protection,
    credentials: Option<Credentials>,
    /// Whether SCRAM is used where it is offered. It is not for mail from the queue: passwords for smarthosts were made when it was not,
    /// and those of a host that offers it without knowing it of everybody would wait for an operator.
    scram: AtomicBool,
    pub(super) logins: Logins,
    /// Who counts how TLS goes.
    witness: Option<Witness>,
}

/// Where a host is.
enum Place {
    /// What the system says of this name, or this address, at this port.
    Named(String, u16),
    /// At these, as the DNS says.
    At(Vec<SocketAddr>),
    /// On this machine, behind a Unix socket.
    Socket(PathBuf),
}

impl Opener {
    /// For a fixed host.
    pub(super) fn new(next_host: &NextHost, hostname: &str) -> Result<Opener, NextHostError> {
        let NextHost { host, port, protocol, credentials, .. } = next_host.clone();
        let shown = match host.parse() {
            Ok(ip) => SocketAddr::new(ip, port).to_string(),
            Err(_) => format!("{host}:{port}"),
        };
        let protection = Protection::new(next_host)?;
        let opener = Opener::without_login(Place::Named(host, port), shown, protection, hostname);
        Ok(Opener { protocol, credentials, ..opener })
    }

    /// For a host that the DNS names, at these addresses. There is nothing to log in with.
    pub(super) fn at(
        shown: String,
        addresses: Vec<SocketAddr>,
        protection: Protection,
        hostname: &str,
    ) -> Opener {
        Opener::without_login(Place::At(addresses), shown, protection, hostname)
    }

    /// For whoever takes mail in LMTP behind a Unix socket. Who may connect is a matter of the file's mode.
    pub(super) fn to_socket(path: &Path, hostname: &str) -> Opener {
        let (place, shown) = (Place::Socket(path.to_owned()), path.display().to_string());
        let opener = Opener::without_login(place, shown, Protection::Off, hostname);
        Opener { protocol: Protocol::Lmtp, ..opener }
    }

    fn without_login(place: Place, shown: String, protection: Protection, hostname: &str) -> Opener {
        Opener {
            place,
            shown,
            protocol: Protocol::Smtp,
            hostname: hostname.to_owned(),
            protection,
            credentials: None,
            scram: AtomicBool::new(false),
            logins: Logins::default(),
            witness: None,
        }
    }

    /// This opener, with somebody who counts how TLS goes in the sessions that it opens.
    pub(super) fn witnessed(self, witness: Option<Witness>) -> Opener {
        Opener { witness, ..self }
    }

    /// This opener, that logs in by SCRAM where it is offered, until a host refuses that.
    pub(super) fn by_scram(self) -> Opener {
        Opener { scram: AtomicBool::new(true), ..self }
    }

    /// Whether the next login is by SCRAM, if the host offers it.
    pub(super) fn is_by_scram(&self) -> bool {
        self.scram.load(Ordering::Relaxed)
    }

    /// The host and its port, as the queue and the log have them.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether a message may be handed to this fixed host whose sender allows no other than hosts that prove their name (RFC 8689). Where LMTP is spoken
    /// on this machine its way over networks has ended.
    pub(super) fn may_have_what_requires_tls(&self) -> bool {
        let is_here = match &self.place {
            Place::Socket(_) => true,
            Place::Named(host, _) => is_loopback(host),
            Place::At(addresses) => addresses.iter().all(|address| address.ip().is_loopback()),
        };
        self.protection.proves_name() || (is_here && self.protocol == Protocol::Lmtp)
    }

    /// A connection on which mail can be sent.
    pub(super) async fn open(&self) -> Result<Connection, Trouble> {
        match &self.place {
            Place::Named(host, port) => self.open_to(resolved(host, *port).await?).await,
            Place::At(addresses) => self.open_to(addresses.clone()).await,
            Place::Socket(path) => {
                let stream = UnixStream::connect(path).await.map_err(Trouble::Connect)?;
                Ok(self.greeted(stream).await?.boxed())
            }
        }
    }

    /// A connection to one of these addresses. If the machine that takes it does not get as far as to answer EHLO, another address is tried, which
    /// may be that of another machine (RFC 5321 section 5.1).
    async fn open_to(&self, mut addresses: Vec<SocketAddr>) -> Result<Connection, Trouble> {
        let mut before = None;
        loop {
            let (address, stream) = match race::connect(addresses.clone()).await {
                Ok(connected) => connected,
                Err(error) => return Err(before.unwrap_or(Trouble::Connect(error))),
            };
            match self.open_over(address, stream).await {
                Err(trouble) if before.is_none() && trouble.is_before_hello() => before = Some(trouble),
                opened => return opened,
            }
            addresses.retain(|other| *other != address);
        }
    }

    /// A connection over a stream that stands.
    pub(super) async fn open_over(
        &self,
        address: SocketAddr,
        stream: TcpStream,
    ) -> Result<Connection, Trouble> {
        let (mut connection, trusted) = match self.protected(stream).await {
            Err(trouble) if trouble.is_before_tls() && self.protection.is_optional() => {
                let (_, stream) = race::connect(vec![address]).await.map_err(Trouble::Connect)?;
                (self.greeted(stream).await?.boxed(), None)
            }
            opened => opened?,
        };
        self.log_in(&mut connection, trusted).await?;
        Ok(connection)
    }

    async fn protected(&self, stream: TcpStream) -> Result<(Connection, Option<Trusted>), Trouble> {
        match &self.protection {
            Protection::Implicit(client) => {
                let (stream, trusted) = client.handshake(stream).await?;
                let mut wire = self.greeted(stream).await?;
                wire.tls = Some(client.proof());
                Ok((wire, trusted))
            }
            Protection::StartTls(client) | Protection::IfOffered(client) => {
                self.start_tls(client, self.greeted(stream).await?).await
            }
            Protection::Off => {
                let trusted = Trusted::on_this_machine(&stream);
                Ok((self.greeted(stream).await?.boxed(), trusted))
            }
        }
    }

    async fn greeted<S: Stream>(&self, stream: S) -> Result<Wire<S>, Trouble> {
        let mut wire = Wire::new(stream, Dialogue::of(self.protocol, &*self.hostname), self.shown.clone());
        wire.until(&Advance::Ready).await?;
        Ok(wire)
    }

    /// A host that does not offer STARTTLS may have had it taken out on the way (RFC 3207 section 6): it is refused, unless TLS is optional.
    /// What it said before TLS is forgotten, and EHLO said again (section 4.2).
    async fn start_tls(
        &self,
        client: &Client,
        mut wire: Wire<TcpStream>,
    ) -> Result<(Connection, Option<Trusted>), Trouble> {
        let ends = Ends::of(&wire.stream);
        if !wire.dialogue.capabilities().starttls {
            self.tell(ends, Err(&Trouble::NoTls));
            return if self.protection.is_optional() {
                Ok((wire.boxed(), None))
            } else {
                Err(Trouble::NoTls)
            };
        }
        wire.dialogue.start_tls();
        wire.until(&Advance::StartTls).await.inspect_err(|trouble| self.tell(ends, Err(trouble)))?;
        let handshake = client.handshake(wire.stream).await;
        self.tell(ends, handshake.as_ref().map(drop));
        let (stream, trusted) = handshake?;
        let mut wire = Wire::new(stream, wire.dialogue.into_tls(), wire.host);
        wire.tls = Some(client.proof());
        wire.until(&Advance::Ready).await?;
        Ok((wire, trusted))
    }

    fn tell(&self, ends: Ends, came: Result<(), &Trouble>) {
        if let Some(witness) = &self.witness {
            witness.tell(ends, came);
        }
    }

    /// Logs in, if there are credentials; never without proof that they come to the right place (RFC 4954 section 9).
    async fn log_in(&self, connection: &mut Connection, trusted: Option<Trusted>) -> Result<(), Trouble> {
        let Some(credentials) = &self.credentials else { return Ok(()) };
        let Some(Trusted { exporter }) = trusted else { return Err(Trouble::NoTls) };
        let login = async {
            match self.is_by_scram() {
                true => {
                    let credentials = credentials.clone().by_scram(rand::rng().random(), exporter);
                    connection.dialogue.log_in(&credentials)?;
                }
                false => connection.dialogue.log_in(credentials)?,
            }
            connection.until(&Advance::Ready).await
        };
        let tried = self.logins.attempt(login).await;
        if tried.is_err() && connection.dialogue.mechanism().is_some_and(Mechanism::is_scram) {
            self.scram.store(false, Ordering::Relaxed);
        }
        tried
    }
}

/// What the system says of a name.
async fn resolved(host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
    let found = timeout(RESOLVE, lookup_host((host, port))).await;
    let found = found.map_err(|late| Trouble::Resolve(late.into()))?.map_err(Trouble::Resolve)?;
    Ok(found.take(ADDRESSES).collect())
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("host", &self.shown).finish_non_exhaustive()
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

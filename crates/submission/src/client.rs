//! The client of a connection: who connected, or whom a trusted proxy speaks for; and its place among all connections.

use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use esmtp::{Introduction, Rejection, Xclient};
use types::{EhloName, SessionFacts, SessionId};

use crate::admission::Place;
use crate::limits::Limits;
use crate::proxy::Proxied;
use crate::wire::Shaken;

/// Who the client is, as far as it is known.
pub(crate) struct Client {
    /// The two ends of the TCP connection, whoever the client is: the peer and our own. Whom to believe is asked of the peer.
    ends: (SocketAddr, SocketAddr),
    facts: SessionFacts,
    /// Whether the peer may say who its client is.
    xclient: Xclient,
    /// `None` once it has been left.
    place: Option<Place>,
}

impl Client {
    /// Who has connected from `peer` to `local`, and speaks for itself so far.
    pub(crate) fn new(peer: SocketAddr, local: SocketAddr, xclient: Xclient, place: Place) -> Self {
        let facts = SessionFacts::new(SessionId::new(rand::random()), peer, local);
        Self { ends: (peer, local), facts, xclient, place: Some(place) }
    }

    /// What handlers may know of the client.
    pub(crate) fn facts(&self) -> &SessionFacts {
        &self.facts
    }

    /// The session in logs.
    pub(crate) fn session(&self) -> SessionId {
        self.facts.id
    }

    /// Whether the peer may say who its client is.
    pub(crate) fn xclient(&self) -> Xclient {
        self.xclient
    }

    /// The client calls itself `name`, with EHLO or, if it is not `extended`, with HELO.
    pub(crate) fn set_ehlo(&mut self, name: Option<&EhloName>, extended: bool) {
        if self.facts.ehlo.as_ref() != name {
            self.facts.ehlo = name.cloned();
        }
        self.facts.extended = extended;
    }

    /// Takes what the handshake has agreed on, and who the client has shown to be in it.
    pub(crate) fn set_tls(&mut self, shaken: &Shaken) {
        self.facts.tls = Some(shaken.facts);
        self.facts.client_certificate.clone_from(&shaken.client_certificate);
    }

    /// The header of the PROXY protocol says who the client is: whatever the peer says from here on are the client's words.
    ///
    /// # Errors
    /// When there are too many connections of that client.
    pub(crate) fn stand_in(&mut self, header: Proxied, limits: &Limits) -> Result<(), Rejection> {
        let proxy = self.facts.peer;
        match header {
            // The proxy looks whether we are there.
            Proxied::Itself => Ok(()),
            // Not the proxy, and so not trusted as it is.
            Proxied::Somebody => {
                (self.facts.proxy, self.xclient) = (Some(proxy), Xclient::Refused);
                Ok(())
            }
            Proxied::Client { source, destination } => {
                (self.facts.proxy, self.xclient) = (Some(proxy), Xclient::Refused);
                (self.facts.peer, self.facts.local) = (source, destination);
                self.take_place(limits)
            }
        }
    }

    /// XCLIENT says who the client is from here on. It has no certificate, for that of the connection is the proxy's.
    ///
    /// # Errors
    /// When there are too many connections of that client.
    pub(crate) fn introduce(&mut self, client: &Introduction, limits: &Limits) -> Result<(), Rejection> {
        self.loosen();
        let (proxy, own) = self.ends;
        let peer = told(client.address, client.port, proxy);
        let local = told(client.local_address, client.local_port, own);
        let mut facts = SessionFacts::new(self.facts.id, peer, local);
        facts.proxy = Some(proxy);
        facts.name.clone_from(&client.name);
        facts.ehlo.clone_from(&client.helo);
        facts.tls = self.facts.tls;
        self.facts = facts;
        if client.address.is_some() { self.take_place(limits) } else { Ok(()) }
    }

    /// Forgets all that was said in clear, XCLIENT included, since TLS begins: the client is who it was at the beginning.
    pub(crate) fn begin_anew(&mut self) {
        self.loosen();
        let ((peer, local), proxy) = if self.xclient == Xclient::Refused {
            // A header of the PROXY protocol was the beginning.
            ((self.facts.peer, self.facts.local), self.facts.proxy)
        } else {
            (self.ends, None)
        };
        self.facts = SessionFacts::new(self.facts.id, peer, local);
        self.facts.proxy = proxy;
    }

    /// Counts the connection as the client's.
    fn take_place(&mut self, limits: &Limits) -> Result<(), Rejection> {
        let facts = &self.facts;
        if self.place.as_mut().is_some_and(|place| place.move_to(facts.peer.ip(), limits)) {
            return Ok(());
        }
        tracing::info!(event = "connection.refused", peer = %facts.peer, local = %facts.local, proxy = facts.proxy.map(tracing::field::display), "too many connections");
        Err(Rejection::TooManyConnections)
    }

    /// Keeps the place from others: the client is being judged, or has logged in, or need not.
    pub(crate) fn hold(&mut self) {
        if let Some(place) = &mut self.place {
            place.hold();
        }
    }

    /// Lets others have the place: the client has not logged in after all, or is another.
    pub(crate) fn loosen(&mut self) {
        if let Some(place) = &mut self.place {
            place.loosen();
        }
    }

    /// Ready once somebody else has the place.
    pub(crate) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.place.as_mut().map_or(Poll::Pending, |place| place.poll_lost(cx))
    }

    /// Gives the place back. A client that has the last reply may open another connection at once.
    pub(crate) fn leave(&mut self) {
        self.place = None;
    }
}

/// What a proxy says of one end. Without the address, the port means nothing.
fn told(address: Option<IpAddr>, port: Option<u16>, otherwise: SocketAddr) -> SocketAddr {
    address.map_or(otherwise, |address| SocketAddr::new(address, port.unwrap_or_default()))
}

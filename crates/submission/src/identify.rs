//! Who the client of a connection is: who connected, or whom a trusted proxy speaks for.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};

use esmtp::{Authentication, Introduction, Rejection, Xclient};
use sasl::AuthHandler;
use tokio::time::Instant;

use crate::MailHandler;
use crate::drive::{Connection, while_wanted};
use crate::ledger::Reason;
use crate::proxy::{self, Proxied};

impl<A: AuthHandler, M: MailHandler<A::User>> Connection<A, M> {
    /// Learns from the header of a proxy who the client is, and whether there is room for it. A connection without a
    /// proxy has had its place from the beginning.
    pub(crate) async fn identify(&mut self) -> Result<Result<(), Rejection>, Reason> {
        if !self.door.wants_header_of(self.ledger.facts.peer.ip()) {
            return Ok(Ok(()));
        }
        let deadline = Instant::now() + self.terms.limits.proxy_header;
        let header = self.receive_header(deadline).await.inspect_err(|reason| {
            let facts = &self.ledger.facts;
            if *reason == Reason::NoHeader {
                tracing::warn!(event = "proxy.refused", session = %facts.id, proxy = %facts.peer, local = %facts.local, "no header of the PROXY protocol");
            }
        })?;
        Ok(self.stand_in(header))
    }

    /// The whole header, before anything is said. What comes behind it is left in the input.
    async fn receive_header(&mut self, deadline: Instant) -> Result<Proxied, Reason> {
        loop {
            if let Some(header) = proxy::take(&mut self.input).map_err(|_| Reason::NoHeader)? {
                return Ok(header);
            }
            let Self { wire, input, alarm, house, place, .. } = self;
            let receive = poll_fn(|cx| wire.poll_receive(cx, input));
            let received = alarm.within(deadline, while_wanted(&house.stop, place, receive)).await;
            let received = received.map_err(|_| Reason::NoHeader)??;
            match received.map_err(|_| Reason::Disconnected)? {
                0 => return Err(Reason::Disconnected),
                // A header in pieces need not wait for its acknowledgements.
                _ => self.wire.acknowledge(),
            }
        }
    }

    /// From here on the client is who the proxy speaks for.
    fn stand_in(&mut self, header: Proxied) -> Result<(), Rejection> {
        let facts = &mut self.ledger.facts;
        match header {
            // A look at whether we are there.
            Proxied::Itself => Ok(()),
            // Not the proxy, and so not trusted as it is.
            Proxied::Somebody => {
                facts.proxy = Some(facts.peer);
                self.xclient = Xclient::Refused;
                Ok(())
            }
            Proxied::Client { source, destination } => {
                facts.proxy = Some(facts.peer);
                (facts.peer, facts.local) = (source, destination);
                // What it says now are its client's words.
                self.xclient = Xclient::Refused;
                self.take_place()
            }
        }
    }

    /// From here on the client is who the proxy says with XCLIENT, and not who it was before; it has no certificate, for that
    /// of the connection is the proxy's.
    pub(crate) async fn introduce(
        &mut self,
        client: Introduction,
    ) -> Result<Option<Authentication>, Rejection> {
        self.forget_introduction();
        let (proxy, local) = self.ends;
        let facts = &mut self.ledger.facts;
        facts.proxy = Some(proxy);
        facts.peer = told(client.address, client.port, proxy);
        facts.local = told(client.local_address, client.local_port, local);
        (facts.name, facts.ehlo) = (client.name, client.helo);
        facts.client_certificate = None;
        if client.address.is_some() {
            self.take_place()?;
        }
        match client.login {
            None => Ok(None),
            Some(username) => Ok(Some(self.vouch(&username).await)),
        }
    }

    /// Nothing that the peer has said of its client holds any longer, nor does a login.
    pub(crate) fn forget_introduction(&mut self) {
        (self.proved, self.user, self.message) = (None, None, None);
        self.ledger.login = None;
        self.distrust();
        if self.xclient == Xclient::Refused {
            return;
        }
        let facts = &mut self.ledger.facts;
        (facts.peer, facts.local) = self.ends;
        (facts.proxy, facts.name) = (None, None);
    }

    /// Counts the connection as the client's.
    fn take_place(&mut self) -> Result<(), Rejection> {
        let facts = &self.ledger.facts;
        let limits = &self.terms.limits;
        if self.place.as_mut().is_some_and(|place| place.belongs_to(facts.peer.ip(), limits)) {
            return Ok(());
        }
        tracing::info!(event = "connection.refused", peer = %facts.peer, local = %facts.local, proxy = facts.proxy.map(tracing::field::display), "too many connections");
        Err(Rejection::TooManyConnections)
    }
}

/// What a proxy says of one end. Without the address, the port means nothing.
fn told(address: Option<IpAddr>, port: Option<u16>, otherwise: SocketAddr) -> SocketAddr {
    address.map_or(otherwise, |address| SocketAddr::new(address, port.unwrap_or_default()))
}

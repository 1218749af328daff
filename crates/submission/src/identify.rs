//! Receives the header of a trusted proxy, which says who the client of a connection is.

use std::future::poll_fn;

use esmtp::Rejection;
use sasl::AuthHandler;
use tokio::time::Instant;

use crate::connection::Connection;
use crate::drive::while_wanted;
use crate::handler::MailHandler;
use crate::proxy::{self, Proxied};
use crate::session_line::Reason;

impl<A: AuthHandler, M: MailHandler<A::User>> Connection<A, M> {
    /// Learns from the header of a proxy who the client is, and whether there is room for it. A connection without a
    /// proxy has had its place from the beginning.
    pub(crate) async fn identify(&mut self) -> Result<Result<(), Rejection>, Reason> {
        if self.is_own || !self.door.wants_header_of(self.client.facts().peer.ip()) {
            return Ok(Ok(()));
        }
        let deadline = Instant::now() + self.terms.limits.proxy_header;
        let header = self.receive_header(deadline).await.inspect_err(|reason| {
            let facts = self.client.facts();
            if *reason == Reason::NoHeader {
                tracing::warn!(event = "proxy.refused", session = %facts.id, proxy = %facts.peer, local = %facts.local, "no header of the PROXY protocol");
            }
        })?;
        Ok(self.client.stand_in(header, &self.terms.limits))
    }

    /// The whole header, before anything is said. What comes behind it is left in the input.
    async fn receive_header(&mut self, deadline: Instant) -> Result<Proxied, Reason> {
        loop {
            if let Some(header) = proxy::take(&mut self.input).map_err(|_| Reason::NoHeader)? {
                return Ok(header);
            }
            let Self { wire, input, alarm, house, client, .. } = self;
            let receive = poll_fn(|cx| wire.poll_receive(cx, input));
            let received = alarm.within(deadline, while_wanted(&house.stop, client, receive)).await;
            let received = received.map_err(|_| Reason::NoHeader)??;
            match received.map_err(|_| Reason::Disconnected)? {
                0 => return Err(Reason::Disconnected),
                // A header in pieces need not wait for its acknowledgements.
                _ => self.wire.acknowledge(),
            }
        }
    }
}

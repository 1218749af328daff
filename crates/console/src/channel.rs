//! The connection that requests come over.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use types::{TlsFacts, WebPart};

/// What is known of a connection before its first request.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    /// Who has connected: a browser, or a proxy that speaks for many.
    pub(crate) peer: SocketAddr,
    /// Where to.
    pub(crate) local: SocketAddr,
    /// What the handshake has agreed on; `None` without TLS.
    pub(crate) tls: Option<TlsFacts>,
    /// Those whose word is taken for who the client is.
    pub(crate) trusted_proxies: Arc<[IpNet]>,
    /// What is served to whoever has connected here.
    pub(crate) serve: Arc<[WebPart]>,
}

impl Channel {
    /// Whether a trusted proxy has connected.
    pub(crate) fn is_of_proxy(&self) -> bool {
        self.trusts(self.peer.ip())
    }

    /// Whether this is the address of a trusted proxy.
    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&ip))
    }

    /// Whether what is said can be read by nobody on the way, as far as that is ours to know: it goes over TLS, stays on this machine, or is
    /// a proxy's, whose way to us is the operator's own.
    pub(crate) fn is_private(&self) -> bool {
        self.tls.is_some() || self.peer.ip().is_loopback() || self.is_of_proxy()
    }
}

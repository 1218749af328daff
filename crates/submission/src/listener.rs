//! A listener, before it is bound.

use std::net::SocketAddr;

use ipnet::IpNet;
use types::{ListenTls, Mechanism};

/// Where clients connect, and what holds for those who do. Proxies are networks: `"10.0.0.0/24".parse()?`, or
/// [`IpNet::from`] of a single address.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listener {
    /// Port 0 is any free port; see [`Server::addresses`](crate::Server::addresses).
    pub address: SocketAddr,
    /// How TLS begins.
    pub tls: ListenTls,
    /// The mechanisms that are offered here, in this order, instead of [`esmtp::Settings::mechanisms`].
    pub mechanisms: Option<Vec<Mechanism>>,
    /// Clients are asked for a certificate, which they need not have. One that is shown is in
    /// [`SessionFacts::client_certificate`](types::SessionFacts::client_certificate), whoever has signed it; only that
    /// the client has its private key is certain.
    pub client_certificates: bool,
    /// Proxies that begin each connection with a header of the PROXY protocol, version 1 or 2: without one they are not
    /// served. Of anybody else such a header is an error. Whom it names is in [`SessionFacts`](types::SessionFacts), with
    /// the proxy itself in [`SessionFacts::proxy`](types::SessionFacts::proxy).
    pub proxy_protocol: Vec<IpNet>,
    /// Proxies that may say with XCLIENT who their client is. Such a proxy must not let through what its clients say, or
    /// they may say it too.
    pub xclient: Vec<IpNet>,
    /// Those may also say that their client has logged in, which is then for
    /// [`AuthHandler::vouched`](sasl::AuthHandler::vouched) to judge.
    pub xclient_login: bool,
}

impl Listener {
    /// A listener that does nothing out of the ordinary.
    #[must_use]
    pub fn new(address: SocketAddr, tls: ListenTls) -> Self {
        Self {
            address,
            tls,
            mechanisms: None,
            client_certificates: false,
            proxy_protocol: Vec::new(),
            xclient: Vec::new(),
            xclient_login: false,
        }
    }

    /// Sets [`Listener::mechanisms`].
    #[must_use]
    pub fn mechanisms(mut self, offered: impl IntoIterator<Item = Mechanism>) -> Self {
        self.mechanisms = Some(offered.into_iter().collect());
        self
    }

    /// Sets [`Listener::client_certificates`].
    #[must_use]
    pub fn client_certificates(mut self, asked_for: bool) -> Self {
        self.client_certificates = asked_for;
        self
    }

    /// Sets [`Listener::proxy_protocol`].
    #[must_use]
    pub fn proxy_protocol(mut self, proxies: impl IntoIterator<Item = IpNet>) -> Self {
        self.proxy_protocol = proxies.into_iter().collect();
        self
    }

    /// Sets [`Listener::xclient`].
    #[must_use]
    pub fn xclient(mut self, proxies: impl IntoIterator<Item = IpNet>) -> Self {
        self.xclient = proxies.into_iter().collect();
        self
    }

    /// Sets [`Listener::xclient_login`].
    #[must_use]
    pub fn xclient_login(mut self, believed: bool) -> Self {
        self.xclient_login = believed;
        self
    }
}

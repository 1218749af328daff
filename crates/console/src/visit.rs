//! A request as it is known before anybody looks at what it asks for: who the client is, by which name it came, in which language it is
//! answered.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Uri, header};
use jiff::Timestamp;
use types::{SessionFacts, SessionId, WebPart};

use crate::channel::Channel;
use crate::console::Console;
use crate::host::Names;
use crate::peer;
use crate::problem::Problem;
use crate::session::jar::Jar;
use crate::texts::Texts;

/// What is known of a request.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Its identifier in log and audit trail, who the client is, and what protects it.
    pub(crate) facts: SessionFacts,
    /// The name it came by, with its port; `None` if that is none of ours.
    pub(crate) host: Option<String>,
    /// The domain whose mail programs look for their settings under that name; `None` if it is a name of pages.
    pub(crate) discovery: Option<String>,
    /// Whether the browser speaks TLS: with us, or with a trusted proxy.
    pub(crate) is_https: bool,
    /// What is served where it came.
    serve: Arc<[WebPart]>,
    /// The texts of pages, in the language that the browser prefers.
    pub(crate) texts: Texts,
    /// What the browser says that it is. Strangers' text.
    pub(crate) agent: String,
    /// What the browser is to keep, whatever is answered.
    pub(crate) jar: Jar,
    /// When.
    pub(crate) now: Timestamp,
}

/// The longest text of a browser about itself that is kept, in characters.
const AGENT: usize = 300;

impl Visit {
    /// A request that begins with this over this connection.
    pub(crate) fn of(
        channel: &Channel,
        uri: &Uri,
        headers: &axum::http::HeaderMap,
        console: &Console,
        now: Timestamp,
    ) -> Self {
        let client = SocketAddr::new(peer::client(channel, headers), channel.peer.port());
        let mut facts = SessionFacts::new(SessionId::new(rand::random()), client, channel.local);
        facts.proxy = channel.is_of_proxy().then_some(channel.peer);
        facts.tls = channel.tls;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (settings, desk) = (&console.settings, console.desk());
        let discovery = desk.client_settings().discovery.as_ref();
        let names = Names { settings, discovery, over_loopback: channel.local.ip().is_loopback() };
        let host = names.asked(uri, headers);
        Self {
            discovery: host.as_deref().and_then(|host| names.domain_of(host)),
            host,
            is_https: channel.tls.is_some() || (facts.proxy.is_some() && settings.base_url.is_https()),
            texts: Texts::preferred(text(header::ACCEPT_LANGUAGE)),
            serve: Arc::clone(&channel.serve),
            agent: text(header::USER_AGENT).chars().take(AGENT).collect(),
            jar: Jar::default(),
            facts,
            now,
        }
    }

    /// Whether this part is served where the request came.
    pub(crate) fn is_served(&self, part: WebPart) -> bool {
        self.serve.contains(&part)
    }

    /// Whether a program on this machine asks itself.
    pub(crate) fn is_of_this_machine(&self) -> bool {
        self.facts.proxy.is_none() && self.facts.peer.ip().is_loopback()
    }

    /// The request's identifier as text.
    pub(crate) fn id(&self) -> String {
        self.facts.id.to_string()
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or(Problem::NotFound)
    }
}

//! The parts of a running server that a reload changes, or that others look at.

use std::sync::Arc;

use acceptance::Acceptance;
use auth::{Authenticator, Keyring};
use config::{Config, Listen};
use console::Console;
use delivery::{Carrier, ReportPoster, Signing, TlsTally, WebhookPoster};
use desk::Health;
use dns::Resolver;
use stores::{Spool, Store};
use submission::Handle;
use submission::tls::Identity;
use tokio::sync::watch;

use crate::lights::Meant;
use crate::upkeep::Kept;

/// What can be changed, or looked at, while the server runs.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) identity: Option<Identity>,
    pub(crate) judge: Arc<Authenticator>,
    pub(crate) acceptance: Arc<Acceptance>,
    pub(crate) carrier: Arc<Carrier<Spool>>,
    pub(crate) signing: Arc<Signing>,
    pub(crate) resolver: Resolver,
    pub(crate) tls_tally: Arc<TlsTally>,
    /// Who posts reports on TLS; `None` if none are sent.
    pub(crate) tls_reports: watch::Sender<Option<Arc<ReportPoster>>>,
    /// Who posts to webhooks.
    pub(crate) webhooks: Arc<WebhookPoster>,
    pub(crate) kept: watch::Sender<Kept>,
    pub(crate) handle: Handle,
    pub(crate) health: Health,
    /// What the lights look at.
    pub(crate) looked_at: watch::Sender<Meant>,
    /// What pages work with, if there are any.
    pub(crate) console: Option<Arc<Console>>,
    /// Where they are, each as `address/https` or `address/http`.
    pub(crate) page_addresses: Vec<String>,
}

impl Parts {
    /// The listeners of this configuration, which the server was started with or has taken up, with the ports that were found for
    /// port 0.
    pub(crate) fn listeners(&self, config: &Config) -> Vec<Listen> {
        let bound = self.handle.addresses().into_iter().map(|(address, _)| address);
        config
            .listen
            .iter()
            .zip(bound)
            .map(|(listen, address)| Listen { address, ..listen.clone() })
            .collect()
    }

    /// Each as `address/tls`, as the log has them, and behind them those of the pages.
    pub(crate) fn addresses(&self, config: &Config) -> String {
        let told = |listen: &Listen| format!("{}/{}", listen.address, listen.tls.name());
        let pages = self.page_addresses.iter().cloned();
        self.listeners(config).iter().map(told).chain(pages).collect::<Vec<_>>().join(" ")
    }
}

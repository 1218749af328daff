//! The pages: put together of what the server has open, and served beside mail.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use auth::{Authenticator, Keyring};
use config::{Config, Web, WebListen};
use console::{Console, Listener, Settings, Site, Watched};
use stores::Store;
use submission::tls::Identity;
use tokio_util::sync::CancellationToken;

use crate::{clock, open};

/// Pages whose listeners are bound; browsers that connect are kept waiting until they are served.
pub(crate) struct Pages {
    console: Arc<Console>,
    listeners: Vec<Listener>,
}

impl Pages {
    /// What `[web]` says, if anything is to be served. The sockets are in the order of `[[web.listen]]`.
    ///
    /// # Errors
    /// When TLS can't be offered.
    pub(crate) fn of(
        config: &Config,
        (store, keyring, judge): (&Store, &Arc<Keyring>, &Arc<Authenticator>),
        watched: Watched,
        identity: Option<&Identity>,
        sockets: Vec<TcpListener>,
    ) -> anyhow::Result<Option<Pages>> {
        let Some(web) = config.web.as_ref().filter(|web| !web.listen.is_empty()) else { return Ok(None) };
        let desk = open::desk(config, store).with_keyring(keyring.clone());
        let console = Console::new(desk, judge.clone(), watched, settings(config, web), clock::now);
        let listeners = sockets.into_iter().zip(&web.listen);
        let listeners = listeners.map(|(socket, listen)| listener(config, socket, listen, identity));
        Ok(Some(Pages { console: Arc::new(console), listeners: listeners.collect::<Result<_, _>>()? }))
    }

    /// What a reload changes.
    pub(crate) fn console(&self) -> Arc<Console> {
        self.console.clone()
    }

    /// Each listener as `address/https` or `address/http`, as the log has them.
    pub(crate) fn addresses(&self) -> anyhow::Result<Vec<String>> {
        let told = |listener: &Listener| Ok(format!("{}/{}", listener.address()?, listener.protocol()));
        self.listeners.iter().map(told).collect()
    }
}

/// Serves the pages, if there are any, until `stop`; what is under way then has `grace` to be answered.
pub(crate) async fn run(pages: Option<Pages>, grace: Duration, stop: CancellationToken) {
    match pages {
        Some(Pages { console, listeners }) => {
            console::serve(Site::new(console), listeners, grace, stop).await
        }
        None => stop.cancelled().await,
    }
}

fn settings(config: &Config, web: &Web) -> Settings {
    Settings {
        hostname: config.hostname.clone(),
        base_url: web.base_url.clone(),
        organisation: web.organisation.clone(),
        help: web.help.clone(),
        second_factor: web.second_factor,
        page_rate: web.page_rate,
        api_rate: web.api_rate,
    }
}

fn listener(
    config: &Config,
    socket: TcpListener,
    listen: &WebListen,
    identity: Option<&Identity>,
) -> anyhow::Result<Listener> {
    let listener = match listen.tls {
        false => Listener::in_clear(socket),
        true => {
            let identity =
                identity.zip(config.tls.as_ref()).map(|(identity, tls)| (identity, tls.min_version));
            let (identity, oldest) =
                identity.context("pages are to be served over TLS, but there is no [tls]")?;
            Listener::tls(socket, identity, oldest)?
        }
    };
    Ok(listener.trusting(&listen.trusted_proxies).serving(&listen.serve))
}
